"""DuckDB, locked: it reads what it was given, and neither files nor the network nor settings are within its reach."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

from ctfast._ask.parsing import needed
from ctfast._ask.sqltext import constant, name
from ctfast._later import pa
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = ["Engine", "locked"]

#: The part of the machine's memory that a query may take; what does not fit is written to a folder of its own.
_MEMORY = 0.6
#: Bytes that a query may write there.
_SPILL = 64 << 30
#: Seconds between two attempts to interrupt.
_AGAIN = 0.1

#: What DuckDB says of a query, and how it is said here.
_WORDS = (
    (
        re.compile(r'column "?([^"]+)"? must appear in the GROUP BY clause'),
        "column {} is neither in GROUP BY nor in an aggregate: add it, or write arbitrary(…)",
        "column",
    ),
    (re.compile(r'Referenced column "([^"]+)" not found'), "no column {} (ctfast columns lists them)", "column"),
    (re.compile(r"(aggregate) function calls cannot"), "an {} stands where none may be: use a sub-query", "form"),
    (re.compile(r"(Division by zero)"), "the query failed: {} (try(…) makes NULL of it)", "value"),
    (
        re.compile(r'Circular reference to CTE "([^"]+)"'),
        "{} reads itself, which takes WITH RECURSIVE, and a first query before UNION ALL",
        "table",
    ),
    (re.compile(r"(Map keys must be unique)"), "the query failed: duplicate map keys are not allowed", "value"),
    (re.compile(r"(Map keys can not be NULL)"), "the query failed: a map key cannot be NULL", "value"),
    (re.compile(r"(map key list does not align)"), "the query failed: map(…) takes as many keys as values", "value"),
)
#: Aggregates whose states cannot be written to the disk.
_HELD = re.compile(r"\b(list|string_agg|histogram|quantile_disc)\(")
_SAID = {
    "list": "array_agg",
    "string_agg": "listagg",
    "histogram": "histogram",
    "quantile_disc": "approx_percentile",
}


class Engine:
    """A connection that can only query."""

    def __init__(self, connection: Any, lost: Sequence[BaseException]) -> None:
        self._connection, self._lost = connection, lost
        self._runs = Event()

    def run(self, sql: str, timeout: timedelta | None = None) -> pa.Table:
        """Return the result of a query.

        Raises
        ------
        QueryError
            The query cannot be answered, takes more time than that, or more memory than there is.
        """
        pool = ThreadPoolExecutor(1, "ctfast-sql")
        try:
            running = pool.submit(self._run, sql)
            try:
                return running.result(None if timeout is None else timeout.total_seconds())
            except StillRunning:
                if timeout is None or running.done():
                    return running.result()  # which may have come just now, or be this error
                message = f"the query has run for {timeout.total_seconds():g} s, and was stopped"
                raise QueryError(f"{message}: bounds of eventTime make it shorter", "timeout", "time") from None
        finally:  # a Ctrl-C may come between any two lines
            pool.shutdown(wait=False, cancel_futures=True)
            while self._runs.is_set():
                self._connection.interrupt()
                sleep(_AGAIN)

    def _run(self, sql: str) -> pa.Table:
        duckdb = needed("duckdb")
        self._runs.set()
        try:
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            if self._lost:
                raise self._lost[0] from None
            raise said(error, sql) from None
        finally:
            self._runs.clear()


@contextmanager
def locked(
    tables: Mapping[str, Any], files: Mapping[str, Sequence[Path]], threads: int, lost: Sequence[BaseException]
) -> Iterator[Engine]:
    """Open an engine that reads these tables, and these Parquet files as tables.

    Whatever is spilled is written to a folder that nobody else reads, and is gone at the end. The order of the settings
    matters: nothing can be set after the last one. ``lost`` gets the error of a table that cannot be read to its end,
    of which DuckDB keeps only the words.
    """
    duckdb = needed("duckdb")
    with tempfile.TemporaryDirectory(prefix="ctfast-sql-") as folder:
        connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
        try:
            for setting in (
                "GLOBAL TimeZone = 'UTC'",  # which cursors inherit
                f"threads = {threads}",
                f"memory_limit = '{_memory()}B'",
                f"temp_directory = {constant(folder)}",
                f"max_temp_directory_size = '{_SPILL}B'",
                "autoinstall_known_extensions = false",
                "autoload_known_extensions = false",
                "allow_community_extensions = false",
            ):
                connection.execute(f"SET {setting}")
            every = [str(file) for some in files.values() for file in some]
            connection.execute(f"SET allowed_paths = [{', '.join(map(constant, every))}]")
            connection.execute("SET enable_external_access = false")
            for table, some in files.items():
                read = f"read_parquet([{', '.join(constant(str(file)) for file in some)}], {_READ})"
                connection.execute(f"CREATE TEMP VIEW {name(table)} AS SELECT * FROM {read}")  # names in quotes
            for table, held in tables.items():
                connection.register(table, held)
            connection.execute("SET lock_configuration = true")
            yield Engine(connection, lost)
        finally:
            connection.close()


#: Paths tell nothing of columns, and a column that only some files have is null in the others.
_READ = "hive_partitioning = false, union_by_name = true"


def _memory() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _MEMORY)


def said(error: Any, sql: str) -> QueryError | OSError:
    """Return an error of DuckDB in one sentence."""
    duckdb = needed("duckdb")
    words = str(error).strip().splitlines()[0]
    words = re.sub(r"^[A-Z]\w+(?: \w+)* Error: ", "", words)
    if isinstance(error, duckdb.OutOfMemoryException):
        names = list(dict.fromkeys(_SAID[each] for each in _HELD.findall(sql)))
        what = f" ({', '.join(names)} must be held in memory)" if names else ""
        return QueryError(
            f"the query needs more memory than it may take{what}: read less, or group less", "memory", "memory"
        )
    if isinstance(error, duckdb.IOException):
        return OSError(words)
    for found, message, kind in _WORDS:
        match = found.search(words)
        if match is not None:
            culprit = match[1]
            return QueryError(message.format(quoted(culprit) if kind == "column" else culprit), culprit, kind)
    return QueryError(f"the query failed: {words}", words, "value")
