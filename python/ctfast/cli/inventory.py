"""What ``ctfast info`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl
from rich.text import Text

from ctfast._plain import counted, plain
from ctfast._silence import passed_over
from ctfast._tables import Column, table
from ctfast.cli.screen import duplicates, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctfast._folding import Room
    from ctfast._info import Info
    from ctfast._report import Report

__all__ = ["inventory"]

#: Rows by day; an archive of more is shown by account and region.
_MOST = 100
_NONE = "-"


def inventory(info: Info, room: Room) -> Iterator[RenderableType]:
    """Yield the parts of the answer, top down."""
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
            "Bytes", "number", [size(stored) if number else _NONE for stored, number in zip(frame["bytes"], files, strict=True)]
        ),
        Column("Records", "number", [f"{number:,}" for number in frame["records"]]),
    ]


def _texts(values: pl.Series) -> list[str]:
    return [_NONE if value is None else plain(value) for value in values]


def _totals(info: Info) -> Iterator[str]:
    report = info.report
    accounts, regions = counted(len(info.accounts), "account"), counted(len(info.regions), "region")
    yield f"{accounts}, {regions}, {counted(info.days['day'].drop_nulls().n_unique(), 'day')}."
    yield _span(info)
    files, records = report.files, report.records
    yield f"{counted(files.listed, 'file')} listed: {files.read:,} read, {files.bad:,} bad, {files.skipped:,} skipped."
    yield f"{counted(records.seen, 'record')} seen: {records.read:,} read, {records.bad:,} bad, {records.skipped:,} skipped."
    yield from duplicates(report)
    yield f"{size(report.bytes.compressed)} stored, {size(report.bytes.inflated)} inflated."
    for reason, number in report.skipped.items():
        yield f"Skipped: {passed_over(number, 'file', reason)}."
    for reason, number in report.pruned.items():
        yield f"Not listed: {passed_over(number, 'folder', reason)}."
    if info.files_without_records:
        yield f"Without records: {counted(info.files_without_records, 'file')}."
    yield from _misfits(report)


def _misfits(report: Report) -> Iterator[str]:
    for path, number in report.coerced.items():
        yield f"Did not fit its column: {counted(number, 'value')} of {plain(path)}."


def _clock(time: datetime | None, day: date | None) -> str:
    """The time of day, and the date where it is another."""
    if time is None:
        return _NONE
    return f"{time:%H:%M:%S}" if time.date() == day else f"{time:%m-%d %H:%M}"


def _span(info: Info) -> str:
    if info.first is None or info.last is None:
        return "No event has a time." if info.report.records.read else "No events."
    return f"Events from {info.first:%Y-%m-%d %H:%M:%S} to {info.last:%Y-%m-%d %H:%M:%S} UTC."
