"""The program ``clickhouse``: a process for each query, whose start is part of its time."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from typing import Any

from ctfast._bench.readers.base import Archive
from ctfast._bench.readers.clickhouse_sql import Queries, facts, read

__all__ = ["ClickHouse"]


class ClickHouse:
    """``clickhouse local`` with the queries of ClickHouse."""

    def __init__(self, archive: Archive, threads: int) -> None:
        self.archive = archive
        self.queries = Queries(archive, threads)
        program = shutil.which("clickhouse")
        self.command = [program, "local"] if program else ["clickhouse-local"]

    def version(self) -> str:
        """Return the versions that matter."""
        return f"ClickHouse {self._rows('SELECT version()')[0][0]}"

    def columns(self) -> list[list[str]]:
        """Read every event with every column into a table in memory, which ends with the process, and count them."""
        return self._rows(f"{self.queries.columns()}; SELECT {', '.join(facts('r.').values())} FROM events")

    def count(self) -> list[list[str]]:
        """Count the events by name."""
        return self._rows(self.queries.count())

    def rare(self) -> list[list[str]]:
        """Return five columns of the rare events."""
        return self._rows(self.queries.rare())

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared."""
        return read(task, result)

    def _rows(self, query: str) -> list[list[str]]:
        """Return the rows of the last of some queries as text."""
        command = [*self.command, "--multiquery", "--output-format", "CSV", "--query", query]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return list(csv.reader(io.StringIO(done.stdout)))
