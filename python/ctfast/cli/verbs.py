"""The verbs: each calls one public function and prints what it returns."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import click
from rich.table import Table

import ctfast as ct
from ctfast import _columns
from ctfast._arguments import checked, column_names
from ctfast._later import pl
from ctfast._ledger import no_rows
from ctfast._outcomes import pages
from ctfast._source import COLUMNS, PATHS, Options
from ctfast._tables import frame_view, grid
from ctfast.cli import options, parts
from ctfast.cli.inventory import inventory
from ctfast.cli.output import FORMATS, RECORDS, TABLE, check_target, chosen, opened, record_form, write
from ctfast.cli.progress import progress
from ctfast.cli.screen import Screen, duplicates, findings, is_unanswered, say, show

__all__ = ["SHOWN", "check", "columns", "demo", "files", "info", "put_records", "scan", "sql"]

#: Columns of a table, unless others are asked for.
SHOWN = ["eventTime", "userIdentity.arn", "eventName", "sourceIPAddress", "errorCode"]
#: Columns of a table of files.
_OF_FILES = ["outcome", "reason", "records_read", "file"]
#: Rows of a table, unless more are asked for.
_SCREENFUL = 100
_BY_PLACE = "by the name of FILE; else table on a terminal, ndjson elsewhere"
#: Rows that a result is written in at a time.
_SLICE = 5_000


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    callback=options.file_only,
    metavar="DIR",
    help="Write the sample archive to this folder.",
    show_default="a new temporary one",
)
def demo(keep: str | None) -> None:
    """Make a small sample archive and follow its incident.

    \b
    Example:
      ctfast demo --keep sample
    """
    from ctfast import demo as first_look  # noqa: PLC0415  # with what makes and signs the sample

    first_look.run(None if keep is None else Path(keep), Screen())


@click.command()
@options.archives
@options.reading
@options.columns
@options.as_record
@options.limit
@options.dedupe
@options.checkpoint
@options.output([*FORMATS, TABLE], _BY_PLACE)
@click.pass_context
def scan(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    columns: list[str] | None,
    as_record: bool,
    limit: int | None,
    checkpoint: ct.Checkpoint | None,
    origin: str | None,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Print the records of an archive, in bounded memory.

    ARCHIVE is a file, a folder, a glob, or s3://bucket/prefix; with --from it names the files.

    ndjson: one object per line, structs as JSON. csv: fields of structs in columns of their own with dots in their names
    (userIdentity.arn), lists as JSON text. parquet: structs and lists as they are. Columns that hold JSON text, such as
    requestParameters, hold it as text in each of these. table: for people; a few columns of the first rows, unless --columns and
    --limit say more.

    With --as record the records themselves are written, one per line, byte for byte; jq reads them, and so does a later
    run. Only of one that has several lines, the white space around their ends is left out.

    With --checkpoint or --from queue, -o names a folder: each run adds parts to it, and replaces none of those before.

    \b
    Examples:
      ctfast scan logs --since 2023-07-10 --until 2023-07-11 --region us-east-1 -o day.parquet
      ctfast scan logs --columns eventTime,eventName,userIdentity.arn --format csv
      ctfast scan logs --as record | jq .requestParameters.bucketName
      ctfast scan s3://my-trail-bucket --checkpoint new.checkpoint -o events.parquet
    """
    form = record_form(form, target, columns) if as_record else chosen(form, target, _otherwise())
    names = columns or (SHOWN if form == TABLE else COLUMNS)
    check(names)
    reading |= {"origin": origin, "checkpoint": checkpoint}
    put_records(ctx, archive, names, form=form, target=target, limit=limit, **reading)


@click.command()
@click.argument("archive")
@click.argument("query")
@options.reading
@options.limit
@options.dedupe
@options.output([*FORMATS, TABLE], _BY_PLACE)
@click.pass_context
def sql(
    ctx: click.Context,
    /,
    archive: str,
    query: str,
    *,
    limit: int | None,
    origin: str | None,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Ask an archive in SQL, of Polars' dialect.

    The table is events; fields of structs are named as userIdentity.arn. The result is held in memory; what the query does not
    need of the archive is not.

    \b
    Example:
      ctfast sql logs "SELECT eventName, count(*) AS n FROM events GROUP BY eventName ORDER BY n DESC LIMIT 10"
    """
    form = chosen(form, target, _otherwise())
    check_target(target)
    report = ct.Report()
    source = options.sources(archive, origin, target)
    with progress(source, reading) as shown:
        found = ct.sql(source, query, report=report, progress=shown, **reading)
    if is_unanswered(report):
        ctx.exit(findings(report))
    frames = itertools.chain([found.clear()], found.iter_slices(_SLICE))
    if form == TABLE:
        _tabulate(frames, target, limit)
    else:
        _save(frames, form, target, limit)
    say(*duplicates(report, removed=True))
    ctx.exit(findings(report))


@click.command()
@options.archives
@options.reading
@options.output([*FORMATS, TABLE], "by the name of FILE; else table")
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
    """Tell what an archive holds.

    Accounts, regions and days, as the files' names tell them, with their files, bytes, records and time span; then the kinds of
    files, totals, what was skipped and why. The other formats have the rows of the first table, one for each day.

    \b
    Example:
      ctfast info logs
    """
    form = chosen(form, target, TABLE)
    check_target(target)
    source = options.sources(archive, origin, target)
    with progress(source, reading) as shown:
        found = ct.info(source, progress=shown, **reading)
    if is_unanswered(found.report):
        ctx.exit(findings(found.report))
    with opened(target) as file:
        if form == TABLE:
            show(file, lambda room: inventory(found, room))
        else:
            write([found.days], form, file)
    ctx.exit(findings(found.report))


@click.command()
@options.archives
@options.reading_with("collect")
@options.dedupe
@click.option("--sha256", is_flag=True, help="Tell the SHA-256 of each file, of its bytes as they are stored.")
@options.limit
@options.output([*FORMATS, TABLE], _BY_PLACE)
@click.pass_context
def files(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    sha256: bool,
    origin: str | None,
    form: str | None,
    target: str | None,
    limit: int | None,
    **reading: Any,
) -> None:
    """Tell what becomes of each file of an archive, and why.

    One row for each file: read, bad or skipped, with the reason and its records; and one for each folder that is pruned, since
    nothing in it is asked for. All files are read, as scan reads them with the same options. A table leaves columns out that the
    other formats have.

    \b
    Examples:
      ctfast files logs --since 2023-07-10 -o files.csv
      ctfast files logs --sha256 | jq 'select(.outcome != "read")'
    """
    form = chosen(form, target, _otherwise())
    report = ct.Report()
    source = options.sources(archive, origin, target)
    with progress(source, reading, visible=_is_free(form, target)) as shown:
        given = reading | {"source": source, "report": report, "progress": shown}
        known = checked("files", **{name: value for name, value in given.items() if value is not None})
        with closing(pages(Options(function="files", **known), sha256=sha256)) as found:
            frames: Iterable[pl.DataFrame] = itertools.chain([no_rows()], found)
            if form == TABLE:
                frames = [frame.select(_OF_FILES) for frame in _head(frames, _shown(limit) + 1)]
            else:
                _save(frames, form, target, limit)
    if form == TABLE:
        _tabulate(frames, target, limit)
    # Where nothing was read, the rows say why.
    ctx.exit(findings(report))


@click.command()
@options.output([*FORMATS, "markdown", TABLE], "by the name of FILE; else table")
def columns(form: str | None, target: str | None) -> None:
    """List the columns of every scan.

    A field of a struct is written below it; elsewhere its name is userIdentity.arn.

    \b
    Example:
      ctfast columns
    """
    form = chosen(form, target, TABLE)
    with opened(target) as file:
        if form == "markdown":
            file.write(_columns.markdown().encode())
        elif form == TABLE:
            show(file, lambda _room: [_tree()])
        else:
            write([ct.columns()], form, file)


def put_records(
    ctx: click.Context,
    archive: tuple[str, ...],
    names: list[str],
    *,
    origin: str | None,
    form: str,
    target: str | None,
    limit: int | None,
    checkpoint: ct.Checkpoint | None = None,
    **reading: Any,
) -> None:
    """Print these columns of the records that are asked for, or the records themselves, and end with the exit code."""
    report = ct.Report()
    if form == RECORDS:
        names = ["raw"]
    roots = list(dict.fromkeys(name.partition(".")[0] for name in names))
    part = None if checkpoint is None or target is None else f"{target}/{parts.name('', form, target)}"
    source = options.sources(archive, origin, target, part)
    receipt = checkpoint or (source if isinstance(source, ct.Queue) else None)
    folder = None if receipt is None else parts.folder(archive, target, form, limit, checkpoint)
    if folder is None:
        check_target(target)
    reading |= {"report": report, "checkpoint": checkpoint, "columns": roots, "batch_rows": _SLICE, "views": True}
    # What was written counts as read; what is still to be written does not.
    with receipt or nullcontext():
        with (
            progress(source, reading, visible=_is_free(form, target)) as shown,
            ct.stream(source, progress=shown, **reading) as records,
        ):
            frames: Iterable[pl.DataFrame] = parts.frames(records, records.schema, names)
            if folder is not None:
                parts.put(records.units(), folder, form, names)
            elif form == TABLE:
                frames = list(_head(frames, _shown(limit) + 1))
            else:
                with opened(target) as file:
                    begun = _begun(frames if limit is None else _head(frames, limit))
                    if is_unanswered(report):
                        ctx.exit(findings(report))  # and no file is left
                    write(begun, form, file)
        if is_unanswered(report):
            ctx.exit(findings(report))
        if form == TABLE:
            _tabulate(frames, target, limit)
    say(*duplicates(report, removed=True))
    ctx.exit(findings(report))


def _tree() -> Table:
    table = grid("Column", "Type", "Meaning")
    for path, kind, meaning in ct.columns().iter_rows():
        *parents, name = path.split(".")
        table.add_row("  " * len(parents) + name, kind, meaning)
    return table


def _save(frames: Iterable[pl.DataFrame], form: str, target: str | None, limit: int | None) -> None:
    """Write frames of one schema, at least one."""
    with opened(target) as file:
        write(frames if limit is None else _head(frames, limit), form, file)


def _tabulate(frames: Iterable[pl.DataFrame], target: str | None, limit: int | None) -> None:
    """Show the first rows."""
    most = _shown(limit)
    frame = pl.concat(_head(frames, most + 1))
    with opened(target) as file:
        show(file, lambda room: [frame_view(frame.head(most), room)])
    if frame.height > most and limit is None:
        say(f"These are the first {most} rows; --limit shows more, --format csv and -o FILE take all.")


def _shown(limit: int | None) -> int:
    """How many rows a table has at most."""
    return _SCREENFUL if limit is None else limit


def _begun(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Read on to the first row, or to the end: a header alone looks like an answer."""
    empty = []
    frames = iter(frames)
    for frame in frames:
        if frame.height:
            return itertools.chain([frame], frames)
        empty = [frame]
    return iter(empty)


def _head(frames: Iterable[pl.DataFrame], most: int) -> Iterator[pl.DataFrame]:
    """Return the first rows; what comes later is not read."""
    left = most
    for frame in frames:
        yield frame.head(left)
        left -= frame.height
        if left <= 0:
            return


def check(names: list[str], *more: str) -> None:
    """Refuse names that no column has; these are columns, too."""
    column_names("scan", names, [*PATHS, *more])


def _otherwise() -> str:
    return TABLE if sys.stdout.isatty() else "ndjson"


def _is_free(form: str, target: str | None) -> bool:
    """Whether progress would not run through the data on the terminal."""
    return form == TABLE or target is not None or not sys.stdout.isatty()
