"""ClickHouse within the process: chdb."""

from __future__ import annotations

import csv
import io
from typing import Any

import chdb
from chdb import session

from ctfast._bench.readers.base import Archive
from ctfast._bench.readers.clickhouse_sql import Queries, facts, read

__all__ = ["Chdb"]


class Chdb:
    """A session with the queries of ClickHouse."""

    def __init__(self, archive: Archive, threads: int) -> None:
        self.archive = archive
        self.queries = Queries(archive, threads)
        self.session = session.Session()

    def version(self) -> str:
        """Return the versions that matter."""
        return f"chdb {chdb.__version__} (ClickHouse {self._rows('SELECT version()')[0][0]})"

    def columns(self) -> str:
        """Read every event with every column into a table in memory."""
        return self._kept(self.queries.columns(), "r.")

    def columns_typed(self) -> str:
        """Read the same from typed rows."""
        return self._kept(self.queries.columns_typed(), "")

    def count(self) -> list[list[str]]:
        """Count the events by name."""
        return self._rows(self.queries.count())

    def rare(self) -> list[list[str]]:
        """Return five columns of the rare events."""
        return self._rows(self.queries.rare())

    def rare_typed(self) -> list[list[str]]:
        """Return the same with every file parsed."""
        return self._rows(self.queries.rare_typed())

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared."""
        if task != "columns":
            return read(task, result)
        return read(task, self._rows(f"SELECT {', '.join(facts(result).values())} FROM events"), result)

    def _rows(self, query: str) -> list[list[str]]:
        """Return the rows of a query as text."""
        return list(csv.reader(io.StringIO(self.session.query(query, "CSV").data())))

    def _kept(self, query: str, before: str) -> str:
        """Make the table, and return the text before the names of its columns."""
        self.session.query("DROP TABLE IF EXISTS events")
        self.session.query(query)
        return before
