"""The verb ``scan``: the records of an archive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

import ctfast as ct
from ctfast._scan.options import COLUMNS
from ctfast.cli import options
from ctfast.cli.formats import ROWS, TABLE
from ctfast.cli.output import chosen, of_unit
from ctfast.cli.records import SHOWN, check, put_records
from ctfast.cli.rows import BY_PLACE, by_place

__all__ = ["scan"]


@click.command()
@options.archives
@options.reading
@options.columns
@options.units("record", "ocsf")
@options.limit
@options.dedupe
@options.checkpoint
@options.follow("add their records to the folder that -o names")
@options.output((*ROWS, TABLE), BY_PLACE)
@click.pass_context
def scan(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    columns: list[str] | None,
    unit: str,
    limit: int | None,
    checkpoint: ct.Checkpoint | None,
    follow: bool,
    interval: timedelta | None,
    origin: str | None,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Print the records of an archive, in bounded memory.

    ARCHIVE is a file, a folder, a glob, or s3://bucket/prefix; with --from it names the files.

    ndjson: one object per line, structs as JSON. json: one array of these. csv: fields of structs in columns of their
    own with dots in their names (userIdentity.arn), lists as JSON text. parquet: structs and lists as they are. Columns
    that hold JSON text, such as requestParameters, hold it as text in all of these formats. table: for people; a few
    columns of the first rows, unless --columns and --limit ask for more.

    With --as record the records themselves are written, one per line, byte for byte; jq reads them, and so does a later
    run. Only in a record that spans several lines, line breaks and the white space around them are removed. With --as
    ocsf each record is written as an event of the Open Cybersecurity Schema Framework, in the classes API Activity,
    Authentication and Account Change.

    With --checkpoint or --from queue, -o names a folder: each run adds parts to it, and replaces none of the earlier
    ones. With --follow the run goes on: it adds parts as files arrive, and prints a line about each. SIGTERM and Ctrl-C
    end it after the current part (exit 143 and 130); the next run goes on from there.

    \b
    Examples:
      ctfast scan logs --since 2023-07-10 --until 2023-07-11 --region us-east-1 -o day.parquet
      ctfast scan logs --columns eventTime,eventName,userIdentity.arn --format csv
      ctfast scan logs --as record | jq .requestParameters.bucketName
      ctfast scan logs --as ocsf -o events.parquet
      ctfast scan s3://my-trail-bucket --checkpoint new.checkpoint -o events.parquet
      ctfast scan s3://my-trail-bucket --follow --checkpoint new.checkpoint -o events.parquet
    """
    wait = options.interval_of(interval, follow=follow)
    into = chosen(form, target, by_place()) if unit == "row" else of_unit(unit, form, target, columns)
    names = columns or (SHOWN if into is TABLE else COLUMNS)
    check(names)
    reading |= {"origin": origin, "checkpoint": checkpoint, "interval": wait if follow else None}
    put_records(ctx, archive, names, form=into, target=target, limit=limit, **reading)
