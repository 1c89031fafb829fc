"""DuckDB: each file read as one JSON value, and ``from_json`` or JSON paths over that value.

The form that the documentation suggests, ``read_json`` with the types given, takes several times as long: it parses
every value of a file, whichever columns are needed, and is slow if the file is one big object.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb

from ctfast._bench.readers.base import Archive
from ctfast._bench.readers.schema import COLUMNS, COUNTED, FIVE, NAME, Kind

__all__ = ["DuckDB"]

#: A file is one JSON value; DuckDB's default allows 16 MB.
_BIGGEST = 64 << 20


def _structure(kind: Kind) -> Any:
    """Return a kind in the notation of ``from_json``."""
    if isinstance(kind, dict):
        return {name: _structure(member) for name, member in kind.items()}
    return [_structure(kind[0])] if isinstance(kind, list) else _sql_type(kind)


def _sql_type(kind: Kind) -> str:
    """Return the type of a kind."""
    if isinstance(kind, dict):
        return "STRUCT(" + ", ".join(f'"{name}" {_sql_type(member)}' for name, member in kind.items()) + ")"
    if isinstance(kind, list):
        return _sql_type(kind[0]) + "[]"
    return {"text": "VARCHAR", "json": "JSON", "flag": "BOOLEAN", "time": "TIMESTAMP"}[kind]


class DuckDB:
    """The fastest forms found."""

    def __init__(self, archive: Archive, threads: int) -> None:
        self.archive = archive
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = {threads}")
        self.connection.execute("SET preserve_insertion_order = false")  # faster, and order is not part of the task
        self.connection.execute("SET enable_progress_bar = false")

    def version(self) -> str:
        """Return the versions that matter."""
        return f"DuckDB {duckdb.__version__}"

    def _files(self) -> str:
        """Return the pattern of all files as a string literal."""
        return "'" + self.archive.glob.replace("'", "''") + "'"

    def _typed(self, kinds: dict[str, Kind]) -> str:
        """Return a subquery of the events with the given columns."""
        options = (
            f"format = 'newline_delimited', compression = 'gzip', maximum_object_size = {_BIGGEST}, filename = true"
        )
        files = f"read_json({self._files()}, columns = {{Records: '{_sql_type(kinds)}[]'}}, {options})"
        return f"(SELECT unnest(Records, max_depth := 2), filename AS file FROM {files})"

    def _texts(self) -> str:
        """Return a subquery of the files, each one JSON value."""
        return (
            f"read_ndjson_objects({self._files()}, compression = 'gzip', maximum_object_size = {_BIGGEST},"
            " filename = true)"
        )

    def columns(self) -> str:
        """Read every event with every column into a table of the database in memory."""
        shape = json.dumps({"Records": [_structure(COLUMNS)]})
        events = (
            f"SELECT unnest(from_json(json, '{shape}').Records, max_depth := 2), filename AS file FROM {self._texts()}"
        )
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE events AS {events}")
        return "events"

    def columns_typed(self) -> str:
        """Read the same with the types given."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE events AS FROM {self._typed(COLUMNS)}")
        return "events"

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.connection.sql(query).fetchall()
        return rows

    def count(self) -> list[tuple[Any, ...]]:
        """Count the events by name."""
        names = f"SELECT unnest(json->>'$.Records[*].eventName') AS name FROM {self._texts()}"
        return self._rows(f"SELECT name, count(*) FROM ({names}) GROUP BY name")

    def rare(self) -> list[tuple[Any, ...]]:
        """Return five columns of the rare events."""
        has_name = f"contains(json::VARCHAR, '\"{self.archive.rare}\"')"
        records = f"SELECT unnest(json->'$.Records[*]') AS r FROM {self._texts()} WHERE {has_name}"
        return self._rows(
            "SELECT (r->>'eventTime')::TIMESTAMP, r->>'eventName', r->>'$.userIdentity.arn',"
            " r->>'sourceIPAddress', r->>'eventID'"
            f" FROM ({records}) WHERE r->>'eventName' = '{self.archive.rare}'",
        )

    def count_typed(self) -> list[tuple[Any, ...]]:
        """Count the events by name, with the types given."""
        return self._rows(f"SELECT eventName, count(*) FROM {self._typed(NAME)} GROUP BY ALL")

    def rare_typed(self) -> list[tuple[Any, ...]]:
        """Return the same, with the types given."""
        five = "eventTime, eventName, userIdentity.arn, sourceIPAddress, eventID"
        return self._rows(f"SELECT {five} FROM {self._typed(FIVE)} WHERE eventName = '{self.archive.rare}'")

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared."""
        if task != "columns":
            return result
        counts = ", ".join(f'count("{name}") AS "{name}"' for name in COUNTED)
        row = self.connection.sql(
            f"SELECT count(*) AS rows, min(eventTime) AS first, max(eventTime) AS last, {counts},"
            ' count(userIdentity.arn) AS "userIdentity.arn",'
            f" count_if(len(resources) > 0) AS resources, count(tlsDetails.tlsVersion) AS tlsDetails FROM {result}",
        )
        return dict(zip(row.columns, row.fetchall()[0], strict=True))
