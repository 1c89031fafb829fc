"""The verb ``lake``: what a lake holds."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

import ctfast as ct
from ctfast._later import pl
from ctfast._show.plain import counted
from ctfast._show.words import quoted
from ctfast.cli import conditions, options
from ctfast.cli.screen import say

__all__ = ["MOST", "bad_files", "lake"]

#: How many bad files are named one by one.
MOST = 20


def _of_lake(function: Callable[..., None]) -> Callable[..., None]:
    """Hand over the lake that LAKE names, and that is reached as the options of its bucket say."""

    @click.argument("folder", callback=options.lake, metavar="LAKE")
    @options.storage
    @functools.wraps(function)
    def run(*before: Any, folder: str, storage_options: dict[str, str] | None, **given: Any) -> None:
        function(*before, ct.Lake(folder, storage_options=storage_options), **given)

    return run


@click.group()
def lake() -> None:
    """Work on a lake, the folder or s3://bucket/prefix that ctfast ingest fills.

    \b
    Example:
      ctfast lake info lake
    """


@lake.command()
@click.pass_context
@_of_lake
def info(ctx: click.Context, /, found: ct.Lake) -> None:
    """Tell what a lake holds, as JSON: files, records, duplicates and bad records, and how many of each.

    \b
    Exit code:
      0  all is well
      1  some files or records are bad
      2  trouble

    \b
    Example:
      ctfast lake info lake | jq .records
    """
    told = found.info()
    sys.stdout.write(f"{json.dumps(asdict(told))}\n")
    if told.bad_files or told.bad:
        bad_files(found)
    ctx.exit(int(told.bad_files + told.bad > 0))


@lake.command()
@_of_lake
def coverage(found: ct.Lake) -> None:
    """Tell what digests prove, as JSON lines: one for each account, region and day of delivery.

    Each has the numbers of files that are proven, that are not (and, among these, that no digest lists), that are
    missing, and that were never compared; and the seconds of the day that digests cover, and that they leave uncovered,
    with the reasons.

    \b
    Example:
      ctfast lake coverage lake | jq 'select(.unproven + .missing + .uncovered > 0)'
    """
    rows = found.coverage().with_columns(pl.col("covered", "uncovered").dt.total_seconds())
    for row in rows.iter_rows(named=True):
        sys.stdout.write(f"{json.dumps(row, default=str)}\n")


@lake.command()
@options.threads
@click.pass_context
@_of_lake
def retry(ctx: click.Context, /, found: ct.Lake, *, threads: int | None) -> None:
    """Read again the files that are bad or have bad records, and add the events that are there now.

    \b
    Exit code:
      0  nothing is bad any more
      1  some files are still bad, or gone
      2  trouble

    \b
    Example:
      ctfast lake retry lake
    """
    done = found.retry(threads=threads)
    say(
        f"{counted(done.files, 'bad file')}: {done.whole:,} whole now, {done.bad:,} still bad, {done.gone:,} gone",
        f"{counted(done.stored, 'event')} added",
    )
    if done.bad:
        bad_files(found)
    say(*map(str, done.errors[:MOST]))
    ctx.exit(int(done.bad + done.gone > 0))


@lake.command()
@_of_lake
def compact(found: ct.Lake) -> None:
    """Join small files to large ones, and remove those that nobody needs.

    \b
    Example:
      ctfast lake compact lake
    """
    done = found.compact()
    joined = f"{counted(done.parts, 'small part')} became {done.into:,}" if done.parts else "nothing to join"
    say(f"{joined}; {counted(done.deleted, 'file')} removed")
    if done.left:
        say(f"{counted(done.left, 'file')} left, which runs and queries of this day or Iceberg tables may need")
    _waiting(done.iceberg)


@lake.command()
@_of_lake
@click.option("--days", type=click.IntRange(7, 3_653), required=True, metavar="N", help="How many days are kept.")
@click.option("--delete", is_flag=True, help="Delete the older events; without it, only their number is told.")
@click.pass_context
def retain(ctx: click.Context, /, found: ct.Lake, *, days: int, delete: bool) -> None:
    """Delete the events that are older than N days and that no hold keeps.

    \b
    Exit code:
      0  all is well
      1  files with deleted events stay, since an Iceberg table names them
      2  trouble

    \b
    Examples:
      ctfast lake retain lake --days 366
      ctfast lake retain lake --days 366 --delete
    """
    done = found.retain(days, delete=delete)
    before = f"{done.before:%Y-%m-%dT%H:%M:%SZ}"
    if done.is_done:
        say(f"{counted(done.rows, 'event')} before {before} deleted")
    elif done.rows:
        say(f"{counted(done.rows, 'event')} before {before} to be deleted; --delete does it")
    else:
        say(f"no event before {before} to be deleted")
    if done.held:
        say(f"{counted(done.held, 'older event')} kept by a hold")
    if done.left:
        say(f"{counted(done.left, 'file')} left, which runs that are under way or Iceberg tables may need")
    _waiting(done.iceberg)
    ctx.exit(int(bool(done.iceberg)))


@lake.command()
@_of_lake
@click.argument("dest", callback=options.file_only, metavar="DEST")
def export(found: ct.Lake, *, dest: str) -> None:
    """Write the rows of a lake to Parquet files in folders by account, region and day.

    DEST is a new folder, or an earlier export of the same lake, which is renewed.

    \b
    Example:
      ctfast lake export lake exported
    """
    done = found.export(dest)
    _exported(done)
    say(f"{counted(done.bytes, 'byte')}")


@lake.command()
@_of_lake
@click.argument("catalog", metavar="CATALOG")
@click.argument("name", metavar="TABLE")
def export_iceberg(found: ct.Lake, *, catalog: str, name: str) -> None:
    """Let an Iceberg table have the files of a lake (needs ctfast[iceberg]).

    CATALOG is the name of a catalogue in the configuration of pyiceberg. TABLE is a namespace, which has to be there,
    and the name of a table: security.events.

    \b
    Example:
      ctfast lake export-iceberg lake glue security.events
    """
    done = found.export_iceberg(catalog, name)
    _exported(done)
    if done.deleted:
        say(f"{counted(done.deleted, 'file')} of deleted events removed, which were kept for this table")
    _waiting(done.iceberg)


@lake.command()
@_of_lake
@click.argument("name", metavar="TABLE")
def forget_iceberg(found: ct.Lake, *, name: str) -> None:
    """Keep no files any more for the Iceberg table TABLE.

    \b
    Example:
      ctfast lake forget-iceberg lake security.events
    """
    found.forget_iceberg(name)
    say(f"the lake keeps no files for {quoted(name)}")


@lake.command()
@click.argument("source", metavar="LAKE|ARCHIVE")
@click.option(
    "--engine",
    type=click.Choice(["athena", "duckdb", "spark", "trino"]),
    required=True,
    help="Whose SQL is printed.",
)
@click.option(
    "--table",
    metavar="NAME",
    default="events",
    show_default=True,
    help="The name of the table, which may have that of its database before it: security.events.",
)
@options.storage
def ddl(source: str, *, engine: Any, table: str, storage_options: dict[str, str] | None) -> None:
    """Print the SQL that makes a lake, or an archive as it is, a table or a view of another engine.

    Nothing is written: of an archive, the names of its files are listed; of a lake, its log is read.

    \b
    Examples:
      ctfast lake ddl s3://my-trail-bucket --engine athena --table security.events
      ctfast lake ddl logs --engine duckdb
    """
    sys.stdout.write(f"{ct.ddl(source, engine, table=table, storage_options=storage_options)}\n")


@lake.command()
@_of_lake
@click.argument("name", metavar="NAME")
@conditions.where_required
def hold(found: ct.Lake, *, name: str, where: ct.Filter) -> None:
    """Keep the events that meet a filter from being deleted, until the hold NAME is released.

    \b
    Example:
      ctfast lake hold lake case-7 --where '{ $.userIdentity.userName = "alice" }'
    """
    found.hold(name, where=where)
    say(f"hold {quoted(name)} is in force")


@lake.command()
@_of_lake
@click.argument("name", metavar="NAME")
def release(found: ct.Lake, *, name: str) -> None:
    """End the hold NAME.

    \b
    Example:
      ctfast lake release lake case-7
    """
    found.release(name)
    say(f"hold {quoted(name)} is released")


@lake.command()
@_of_lake
def holds(found: ct.Lake) -> None:
    """List the holds that are in force, as JSON lines.

    \b
    Example:
      ctfast lake holds lake
    """
    for name, where in found.holds().items():
        sys.stdout.write(f"{json.dumps({'name': name, 'where': repr(where)}, ensure_ascii=False)}\n")


def _exported(done: ct.Exported | ct.ExportedIceberg) -> None:
    """Tell what an export has."""
    there = (
        f"{counted(done.records, 'event')} in {counted(done.files, 'file')}, as of version {done.version} of the lake"
    )
    say(f"{there}; {counted(done.added, 'file')} added, {done.removed:,} removed")


def _waiting(tables: tuple[str, ...]) -> None:
    """Tell which Iceberg tables files wait for."""
    for name in tables:
        say(f"the Iceberg table {quoted(name)} may name files that were replaced: export it again, or forget it")


def bad_files(found: ct.Lake) -> None:
    """Name the bad files of a lake."""
    bad = found.bad().head(MOST + 1).collect()
    for row in bad.head(MOST).iter_rows(named=True):
        where = "" if row["byte"] is None else f" at byte {row['byte']}"
        say(f"{row['file']}: {row['reason']}{where}")
    if bad.height > MOST:
        say("and more: Lake.bad has all of them")
    records = found.bad_records().select(pl.col("count").sum(), pl.col("file").n_unique()).collect()
    if number := records["count"].item():
        say(
            f"{counted(number, 'bad record')} in {counted(records['file'].item(), 'file')}: Lake.bad_records names them"
        )
