"""Questions in SQL: :func:`sql`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Unpack

from ctfast._arguments.gate import MAX_DELAY, ON_ERROR, Reading, processors, public
from ctfast._arguments.times import Time, micros, moment
from ctfast._ask.answer import Archived, Asked, Stored
from ctfast._ask.native import native
from ctfast._ask.parameters import Parameters
from ctfast._ask.parsing import needed, parsed
from ctfast._ask.polars_gate import TABLE, check, named
from ctfast._ask.query import translated
from ctfast._ask.translation import Translation
from ctfast._lake.lake import Lake
from ctfast._lake.layout import LOG
from ctfast._later import pl
from ctfast._scan.options import PATHS, ask
from ctfast._scan.scan import lazily
from ctfast._source.addresses import Source, is_address
from ctfast._store.bucket import opened
from ctfast.exceptions import ArgumentError, NothingChosen, SourceError

__all__ = ["lake_at", "sql"]

#: Options that a lake takes as an archive does.
_OF_BOTH = ("threads",)
_USUAL = {"on_error": ON_ERROR, "max_delay": MAX_DELAY, "dedupe": False}


@public(options=Reading)
def sql(
    source: Source | Lake,
    text: str,
    *,
    params: Mapping[str, Any] | Sequence[Any] | None = None,
    tables: Mapping[str, Any] | None = None,
    dialect: Literal["trino", "duckdb", "polars"] = "trino",
    now: Time | None = None,
    timeout: timedelta | None = None,
    explain: bool = False,
    **options: Unpack[Reading],
) -> pl.DataFrame:
    """Ask a lake or an archive in SQL, as CloudTrail Lake and Athena are asked.

    The table is ``events``; an id of an event data store, and a name with ``cloudtrail`` in it, mean the same. A query
    can read that, and ``tables``, and nothing else. What is not understood as Trino understands it is refused:
    ``docs/sql.md`` tells what there is. It needs ``ctfast[lake]``, unless the dialect is ``polars``.

    Parameters
    ----------
    source
        A :class:`Lake`, the folder or the address of one, or an archive as for :func:`scan`.
    text
        The query.
    params
        Values of what stands as ``:name``, ``$name`` or ``${name}`` in it, the last one also within a text; or, in
        their order, those of ``?``. Each has to stand there.
    tables
        Frames of the caller, as tables under these names, which SQL knows without their case.
    dialect
        ``"trino"``, ``"duckdb"``, or ``"polars"``, in which only ``events`` of an archive or a lake can be asked.
    now
        What ``now()`` and ``current_date`` are, by default the time of the call: a log of last year has its own now.
        For ``"trino"`` only.
    timeout
        How long the query may run.
    explain
        Return what would be read, instead of reading it: a row for each time that events stand in FROM, with the files
        and bytes that are read and that there are, and the query in DuckDB's SQL.
    **options
        As for :func:`scan`; those that choose files and records are for archives. Bounds of ``eventTime`` in a query
        are bounds of the files as well, as ``since``, ``until`` and ``max_delay`` are.

    Returns
    -------
    polars.DataFrame
        Its result, with the names and types of Trino; times are of UTC. A second column of one name gets a number.

    Raises
    ------
    QueryError
        The query is no query, names what is not there, would read something else, or is not translated; or it fails,
        takes too much memory or time.
    ImportError
        ``ctfast[lake]`` is not installed.

    Warns
    -----
    NothingChosen
        Nothing was found, and the query asks for the time: of which time the events are.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.sql(archive, "SELECT count(*) AS logins FROM events WHERE eventName = 'ConsoleLogin'").item() > 0
    True
    """
    if isinstance(source, str | os.PathLike):
        source = lake_at(source, options) or source
    if dialect == "polars":
        _refuse_polars(params=params, tables=tables, now=now, timeout=timeout, explain=explain or None)
        return _in_polars(source, text, options)
    needed("sqlglot")
    needed("duckdb")
    moment_of_now = _now(now)
    asked = _asked(source, tables, options)
    parameters = Parameters(params)
    tree = parsed(text, dialect)
    exp = needed("sqlglot").exp
    parameters.name_tables(list(tree.find_all(exp.Table)), lambda name: exp.to_identifier(name, quoted=True))
    if dialect == "duckdb":
        if now is not None:
            raise ArgumentError("now is for the dialect trino: DuckDB's now() is the clock", "now", now, None, "sql")
        translation = native(tree, asked.tables(), parameters)
    else:
        translation = translated(tree, asked.tables(), parameters, moment_of_now)
    parameters.refuse_unused()
    if explain:
        return _explained(asked, translation)
    found = asked.answer(translation, timeout)
    if found.is_empty() and translation.asked_now:
        _warn(asked, moment_of_now)
    return found


def lake_at(place: str | os.PathLike[str], options: Reading) -> Lake | None:
    """Return the lake in a folder or below an address, if there is one; it takes the options of the bucket."""
    if not is_address(os.fspath(place)):
        return Lake(place) if (Path(place) / LOG).is_dir() else None
    reach = options.get("storage_options")
    try:
        is_lake = any(True for _ in opened(place, reach).files(f"{LOG}/"))
    except (ImportError, PermissionError, ValueError):
        return None  # nothing that could be opened as one: a scan says what is wrong with it
    except OSError as error:
        message = f"whether a lake is there cannot be told: {error.strerror}"
        raise SourceError(message, str(place), None, None, "network", f"{place}: {message}") from None
    if not is_lake:
        return None
    options["storage_options"] = None
    return Lake(place, storage_options=reach)


def _now(now: Time | None) -> datetime:
    found = moment(micros("now", now, datetime.now(UTC)))
    return datetime.now(UTC) if found is None else found


def _asked(source: Source | Lake, tables: Mapping[str, Any] | None, options: Reading) -> Asked:
    threads = options.get("threads") or processors()
    if isinstance(source, Lake):
        _refuse_of_archives(options)
        table = source._table  # noqa: SLF001  # one lake of two rooms
        return Stored(table.store, table.open(), tables, threads)  # one lake of two rooms
    return Archived(ask("sql", source, **options), tables, threads)


def _refuse_of_archives(options: Reading) -> None:
    for name, value in options.items():
        if name not in _OF_BOTH and value is not None and value != _USUAL.get(name):
            message = f"{name} is for archives: of a lake, a query chooses by its conditions"
            raise ArgumentError(message, name, None, None, "sql")


def _refuse_polars(**given: object) -> None:
    for name, value in given.items():
        if value is not None:
            message = f"{name} is for the dialects trino and duckdb"
            raise ArgumentError(message, name, None, None, "sql")


def _in_polars(source: Source | Lake, text: str, options: Reading) -> pl.DataFrame:
    check(text)
    if isinstance(source, Lake):
        _refuse_of_archives(options)
        frame, paths = source.scan(), PATHS
    else:
        reading = ask("sql", source, **options)
        frame, paths = lazily(reading), reading.paths
    with pl.SQLContext({TABLE: frame}) as context:
        try:
            return context.execute(text, eager=True)
        except pl.exceptions.PolarsError as error:
            raise named(error, text, paths) from None


def _explained(asked: Asked, translation: Translation) -> pl.DataFrame:
    """Return what a query would read."""
    rows = []
    for each in translation.occurrences:
        files, size, every, whole = asked.reads(each)
        columns = ", ".join(name for name in asked.columns() if name in each.relation.used)
        rows.append((each.relation.alias, columns, each.first, each.after, files, every, size, whole, translation.sql))
    time = pl.Datetime("us", "UTC")
    schema: dict[str, Any] = {
        "table": pl.String,
        "columns": pl.String,
        "since": time,
        "until": time,
        "files": pl.Int64,
        "of_files": pl.Int64,
        "bytes": pl.Int64,
        "of_bytes": pl.Int64,
        "sql": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _warn(asked: Asked, now: datetime) -> None:
    """Tell of which time the events are, if a query of the last days finds nothing."""
    extent = asked.extent()
    if extent is None:
        return
    first, last = (f"{each:%Y-%m-%d %H:%M}" for each in extent)
    message = (
        f"nothing was found, and now() is {now:%Y-%m-%d %H:%M}, while the events are from {first} to {last}: now "
        f"{extent[1] + timedelta(days=1):%Y-%m-%d} asks as of their end"
    )
    warnings.warn(NothingChosen(message, "now"), stacklevel=4)
