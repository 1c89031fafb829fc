"""DuckDB: each file read as one JSON value, and `from_json` or JSON paths over that value.

The form that the documentation leads to, `read_json` with the types given, takes several times as long: it parses every value
of a file whatever is asked for, and slowly where the file is one big object.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb

from .base import Archive
from .schema import COLUMNS, COUNTED, FIVE, NAME, RARE, Kind

BIGGEST = 64 << 20  # a file is one JSON value; DuckDB's default allows 16 MB


def structure(kind: Kind) -> Any:
    """Return `kind` in the notation of `from_json`."""
    if isinstance(kind, dict):
        return {name: structure(member) for name, member in kind.items()}
    return [structure(kind[0])] if isinstance(kind, list) else sql_type(kind)


def sql_type(kind: Kind) -> str:
    """Return the type of `kind`."""
    if isinstance(kind, dict):
        return "STRUCT(" + ", ".join(f'"{name}" {sql_type(member)}' for name, member in kind.items()) + ")"
    if isinstance(kind, list):
        return sql_type(kind[0]) + "[]"
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

    def typed(self, kinds: dict[str, Kind]) -> str:
        """Return a subquery of the events with the given columns."""
        options = f"format = 'newline_delimited', compression = 'gzip', maximum_object_size = {BIGGEST}, filename = true"
        files = f"read_json('{self.archive.glob}', columns = {{Records: '{sql_type(kinds)}[]'}}, {options})"
        return f"(SELECT unnest(Records, max_depth := 2), filename AS file FROM {files})"

    def texts(self) -> str:
        """Return a subquery of the files, each one JSON value."""
        return (
            f"read_ndjson_objects('{self.archive.glob}', compression = 'gzip', maximum_object_size = {BIGGEST}, filename = true)"
        )

    def columns(self) -> str:
        """Read every event with every column into a table of the database in memory."""
        shape = json.dumps({"Records": [structure(COLUMNS)]})
        events = f"SELECT unnest(from_json(json, '{shape}').Records, max_depth := 2), filename AS file FROM {self.texts()}"
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE events AS {events}")
        return "events"

    def columns_typed(self) -> str:
        """Read the same with the types given."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE events AS FROM {self.typed(COLUMNS)}")
        return "events"

    def count(self) -> list[tuple[Any, ...]]:
        """Count the events by name."""
        names = f"SELECT unnest(json->>'$.Records[*].eventName') AS name FROM {self.texts()}"
        return self.connection.sql(f"SELECT name, count(*) FROM ({names}) GROUP BY name").fetchall()

    def rare(self) -> list[tuple[Any, ...]]:
        """Return five columns of the DeleteBucket events."""
        records = f"SELECT unnest(json->'$.Records[*]') AS r FROM {self.texts()} WHERE contains(json::VARCHAR, '\"{RARE}\"')"
        return self.connection.sql(
            "SELECT (r->>'eventTime')::TIMESTAMP, r->>'eventName', r->>'$.userIdentity.arn', r->>'sourceIPAddress', r->>'eventID'"
            f" FROM ({records}) WHERE r->>'eventName' = '{RARE}'",
        ).fetchall()

    def count_typed(self) -> list[tuple[Any, ...]]:
        """Count the events by name, with the types given."""
        return self.connection.sql(f"SELECT eventName, count(*) FROM {self.typed(NAME)} GROUP BY ALL").fetchall()

    def rare_typed(self) -> list[tuple[Any, ...]]:
        """Return the DeleteBucket events, with the types given."""
        five = "eventTime, eventName, userIdentity.arn, sourceIPAddress, eventID"
        return self.connection.sql(f"SELECT {five} FROM {self.typed(FIVE)} WHERE eventName = '{RARE}'").fetchall()

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared with the manifest."""
        if task != "columns":
            return result
        counts = ", ".join(f'count("{name}") AS "{name}"' for name in COUNTED)
        row = self.connection.sql(
            f"SELECT count(*) AS rows, min(eventTime) AS first, max(eventTime) AS last, {counts},"
            ' count(userIdentity.arn) AS "userIdentity.arn",'
            f" count_if(len(resources) > 0) AS resources, count(tlsDetails.tlsVersion) AS tlsDetails FROM {result}",
        )
        return dict(zip(row.columns, row.fetchall()[0], strict=True))
