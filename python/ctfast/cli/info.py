"""The verb ``info``: what an archive holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

import ctfast as ct
from ctfast._later import pl
from ctfast._show.plain import counted, plain
from ctfast._show.tables import Column, table
from ctfast._source.silence import passed_over
from ctfast.cli import options
from ctfast.cli.formats import ROWS, TABLE
from ctfast.cli.output import check_target, chosen, opened
from ctfast.cli.progress import progress
from ctfast.cli.screen import duplicates, findings, is_unanswered, show, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctfast._show.folding import Room

__all__ = ["info"]

#: Most rows by day; a larger archive is shown by account and region.
_MOST = 100
_NONE = "-"


@click.command()
@options.archives
@options.reading
@options.output((*ROWS, TABLE), "by the name of FILE; else table")
@click.pass_context
def info(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    origin: str | None,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Show what an archive holds.

    Accounts, regions and days, taken from the names of the files, with the number of files, bytes and records and the
    time span; then the kinds of files, totals, what was skipped and why. The other formats have the rows of the first
    table, one for each day.

    \b
    Example:
      ctfast info logs
    """
    into = chosen(form, target, TABLE)
    check_target(target)
    source = options.sources(archive, origin, target)
    with progress(source, reading) as shown:
        found = ct.info(source, progress=shown, **reading)
    if is_unanswered(found.report):
        ctx.exit(findings(found.report))
    with opened(target) as file:
        if into is TABLE:
            show(file, lambda room: _inventory(found, room))
        else:
            into.put([found.days], file)
    ctx.exit(findings(found.report))


def _inventory(info: ct.Info, room: Room) -> Iterator[RenderableType]:
    """Yield the parts of the output, from top to bottom."""
    if not info.days.is_empty():
        yield table(_days(info.days) if info.days.height <= _MOST else _places(info.days), room)
        yield ""
        yield table([Column("Kind", "text", _texts(info.kinds["kind"])), *_counts(info.kinds)], room)
        yield ""
    for line in _totals(info):
        yield Text(line)


def _days(days: pl.DataFrame) -> list[Column]:
    first, last = ([_clock(*row) for row in days.select(name, "day").iter_rows()] for name in ("first", "last"))
    return [
        Column("Account", "text", _texts(days["account"])),
        Column("Region", "text", _texts(days["region"])),
        Column("Day", "fixed", _texts(days["day"])),
        *_counts(days),
        Column("First", "number", first),
        Column("Last", "number", last),
    ]


def _places(days: pl.DataFrame) -> list[Column]:
    found = days.group_by("account", "region", maintain_order=True).agg(
        pl.col("day").drop_nulls().n_unique(),
        pl.col("files", "bytes", "records").sum(),
        pl.col("first").min(),
        pl.col("last").max(),
    )
    return [
        Column("Account", "text", _texts(found["account"])),
        Column("Region", "text", _texts(found["region"])),
        Column("Days", "number", [f"{number:,}" for number in found["day"]]),
        *_counts(found),
        Column("First", "number", _texts(found["first"].dt.date())),
        Column("Last", "number", _texts(found["last"].dt.date())),
    ]


def _counts(frame: pl.DataFrame) -> list[Column]:
    files = frame["files"].to_list()
    return [
        Column("Files", "number", [f"{number:,}" if number else _NONE for number in files]),
        Column(
            "Bytes",
            "number",
            [size(stored) if number else _NONE for stored, number in zip(frame["bytes"], files, strict=True)],
        ),
        Column("Records", "number", [f"{number:,}" for number in frame["records"]]),
    ]


def _texts(values: pl.Series) -> list[str]:
    return [_NONE if value is None else plain(value) for value in values]


def _totals(info: ct.Info) -> Iterator[str]:
    report = info.report
    accounts, regions = counted(len(info.accounts), "account"), counted(len(info.regions), "region")
    yield f"{accounts}, {regions}, {counted(info.days['day'].drop_nulls().n_unique(), 'day')}."
    yield _span(info)
    files, records = report.files, report.records
    yield f"{counted(files.listed, 'file')} listed: {files.read:,} read, {files.bad:,} bad, {files.skipped:,} skipped."
    yield (
        f"{counted(records.seen, 'record')} seen: {records.read:,} read, {records.bad:,} bad, {records.skipped:,}"
        " skipped."
    )
    yield from duplicates(report)
    yield f"{size(report.bytes.compressed)} stored, {size(report.bytes.inflated)} inflated."
    for reason, number in report.skipped.items():
        yield f"Skipped: {passed_over(number, 'file', reason)}."
    for reason, number in report.pruned.items():
        yield f"Not listed: {passed_over(number, 'folder', reason)}."
    if info.files_without_records:
        yield f"Without records: {counted(info.files_without_records, 'file')}."
    yield from _misfits(report)


def _misfits(report: ct.Report) -> Iterator[str]:
    for path, number in report.coerced.items():
        yield f"Did not fit its column: {counted(number, 'value')} of {plain(path)}."


def _clock(time: datetime | None, day: date | None) -> str:
    """Return the time of day, with the date if it is a different day."""
    if time is None:
        return _NONE
    return f"{time:%H:%M:%S}" if time.date() == day else f"{time:%m-%d %H:%M}"


def _span(info: ct.Info) -> str:
    if info.first is None or info.last is None:
        return "No event has a time." if info.report.records.read else "No events."
    return f"Events from {info.first:%Y-%m-%d %H:%M:%S} to {info.last:%Y-%m-%d %H:%M:%S} UTC."
