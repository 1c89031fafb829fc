"""The verb ``sql``: ask an archive or a lake in SQL."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

import ctfast as ct
from ctfast._arguments.times import duration
from ctfast._ask.sql import lake_at
from ctfast._later import pl
from ctfast._ocsf.ocsf import lacking
from ctfast._show.plain import counted
from ctfast._show.words import quoted
from ctfast._small_file import read
from ctfast.cli import options
from ctfast.cli.formats import PARQUET, ROWS, TABLE
from ctfast.cli.output import check_target, chosen, of_unit
from ctfast.cli.progress import progress
from ctfast.cli.rows import BY_PLACE, SLICE, by_place, save, tabulate
from ctfast.cli.screen import duplicates, findings, is_unanswered, say, size

__all__ = ["sql"]

#: How Trino prints times.
_TIME = "%Y-%m-%d %H:%M:%S%.3f"
#: Digits of decimals, and those that a double keeps: with more, a decimal is written as a text.
_MOST, _EXACT = 38, 15


def _values(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> dict[str, str] | None:
    for value in given:
        if "=" not in value:
            raise click.BadParameter(f"a parameter has the form NAME=VALUE, not {quoted(value)}.")
    found: dict[str, str] = {}
    for name, _, value in (each.partition("=") for each in given):
        if name in found:
            raise click.BadParameter(f"{quoted(name)} is given twice.")
        found[name] = value
    return found or None


def _duration(_ctx: click.Context, _param: click.Parameter, value: str | None) -> timedelta | None:
    found = None if value is None else duration(value)
    if value is not None and found is None:
        raise click.BadParameter(f"{quoted(value)} is not a number with s, m, h, d or w, such as 60s.")
    return found


@click.command()
@click.argument("archive", metavar="ARCHIVE|LAKE")
@click.argument("query", required=False)
@click.option("--file", "file", metavar="FILE", help="Read the query from this file.")
@click.option(
    "--param",
    "params",
    callback=_values,
    metavar="NAME=VALUE",
    multiple=True,
    help="The value of what stands as :NAME, $NAME or ${NAME} in the query; 1, 2, … are those of ?. May be repeated.",
)
@click.option(
    "--dialect",
    type=click.Choice(["trino", "duckdb", "polars"]),
    default="trino",
    show_default=True,
    help="The dialect of the query: that of CloudTrail Lake and Athena, DuckDB's, or Polars'.",
)
@click.option("--now", metavar="TIME", help="What now() and current_date are, by default the time of the call.")
@click.option("--timeout", callback=_duration, metavar="TIME", help="How long the query may run, such as 60s or 5m.")
@click.option("--explain", is_flag=True, help="Tell which files would be read, and the query in DuckDB's SQL.")
@options.reading
@options.units("ocsf")
@options.limit
@options.dedupe
@options.output((*ROWS, TABLE), BY_PLACE)
@click.pass_context
def sql(
    ctx: click.Context,
    /,
    archive: str,
    query: str | None,
    *,
    file: str | None,
    limit: int | None,
    origin: str | None,
    form: str | None,
    target: str | None,
    params: dict[str, str] | None,
    dialect: str,
    now: str | None,
    timeout: timedelta | None,
    explain: bool,
    unit: str,
    **reading: Any,
) -> None:
    """Ask an archive or a lake in SQL, as CloudTrail Lake and Athena are asked.

    The table is events; an id of an event data store, and a name with cloudtrail in it, mean the same. The result is
    held in memory; what the query does not need is not. Options that choose files and records are for archives. With
    --as ocsf, the events of a query that begins with SELECT * are written in the form of OCSF.

    \b
    Example:
      ctfast sql logs "SELECT eventName, count(*) AS n FROM events GROUP BY eventName ORDER BY n DESC LIMIT 10"
    """
    text = _text(query, file)
    into = chosen(form, target, by_place()) if unit == "row" else of_unit(unit, form, target)
    check_target(target)
    report = ct.Report()
    asking: Any = {"params": params, "now": now, "timeout": timeout, "dialect": dialect, "explain": explain}
    with _noted() as notes:
        lake = lake_at(archive, reading) if origin is None else None  # type: ignore[arg-type]  # by name
        if lake is not None:
            found = ct.sql(lake, text, **asking, **reading)
        else:
            source = options.sources(archive, origin, target)
            with progress(source, reading, visible=not explain) as shown:
                found = ct.sql(source, text, report=report, progress=shown, **asking, **reading)
    if is_unanswered(report):
        ctx.exit(findings(report))
    if explain and into is TABLE:
        say(*_explained(found))
        ctx.exit(findings(report))
    if unit == "ocsf":
        _refuse_others(found)
    elif dialect != "polars" and into is not PARQUET:
        found = found.select(_printed(pl.col(name), kind).alias(name) for name, kind in found.schema.items())
    frames: Iterable[pl.DataFrame] = itertools.chain([found.clear()], found.iter_slices(SLICE))
    if into is TABLE:
        tabulate(frames, target, limit)
    else:
        save(frames, into, target, limit)
    say(*notes, *duplicates(report, removed=True))
    ctx.exit(findings(report))


def _refuse_others(found: pl.DataFrame) -> None:
    """Refuse a result that is not of events."""
    missing = lacking(found.schema)
    if missing is not None:
        message = f"--as ocsf takes results with all columns of events, as of SELECT *, and this one has {missing}"
        raise ValueError(message)


def _text(query: str | None, file: str | None) -> str:
    if (query is None) == (file is None):
        message = "name one query: as an argument, or in a file with --file"
        raise ValueError(message)
    if query is not None:
        return query
    try:
        return read(str(file)).decode()
    except UnicodeDecodeError:
        message = f"{file} is no text in UTF-8"
        raise ValueError(message) from None


@contextmanager
def _noted() -> Iterator[list[str]]:
    """Collect what is said of a result without rows; what a scan says is in its report."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ct.NothingChosen)
        yield notes
    said = (each.message for each in caught if isinstance(each.message, ct.NothingChosen))
    notes.extend(f"ctfast: {each}" for each in said if each.reason == "now")


def _explained(found: pl.DataFrame) -> Iterator[str]:
    """Yield what would be read."""
    for row in found.iter_rows(named=True):
        span = f"{row['since'] or '…'} to {row['until'] or '…'}"
        pruned = f"{counted(row['files'], 'file', row['of_files'])}, {size(row['bytes'])} of {size(row['of_bytes'])}"
        yield f"{row['table']}: {pruned}; {span}; {row['columns'] or 'no column'}"
    if not found.is_empty():
        yield found["sql"][0]


def _printed(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Return times as Trino prints them, within arrays and rows as well, and decimals as numbers."""
    if isinstance(kind, pl.Datetime):
        return column.dt.to_string(_TIME)
    if isinstance(kind, pl.Decimal) and (kind.precision or _MOST) <= _EXACT:
        return column.cast(pl.Float64)
    if isinstance(kind, pl.List) and _has_times(kind):
        return column.list.eval(_printed(pl.element(), kind.inner))  # type: ignore[arg-type]  # an instance
    if isinstance(kind, pl.Struct) and _has_times(kind):
        fields = (_printed(column.struct[each.name], each.dtype).alias(each.name) for each in kind.fields)  # type: ignore[arg-type]  # an instance
        return pl.when(column.is_not_null()).then(pl.struct(fields))
    return column


def _has_times(kind: object) -> bool:
    if isinstance(kind, pl.Struct):
        return any(_has_times(each.dtype) for each in kind.fields)
    return isinstance(kind, pl.Datetime) or (isinstance(kind, pl.List) and _has_times(kind.inner))
