"""ClickHouse, embedded (chdb).

The form that the documentation leads to, typed rows (`JSONEachRow`: a file is one row with an array of tuples) and a list of
columns, is also the slower one: each file becomes a block of its own, and naming thirty columns of a tuple costs milliseconds
for each block. The fastest form found reads lines, applies the types to the whole line (`JSONExtract`) and keeps the record
as one tuple column, whose members are columns all the same. Tiny files are first sorted by path, which puts the lines of many
into one block.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import chdb
from chdb import session

from .base import Archive
from .schema import COLUMNS, COUNTED, FIVE, NAME, RARE, Kind

JSON_SETTINGS = (
    "input_format_json_read_objects_as_strings = 1, input_format_skip_unknown_fields = 1, input_format_null_as_default = 1,"
    " input_format_json_defaults_for_missing_elements_in_named_tuple = 1,"
    " input_format_json_ignore_unknown_keys_in_named_tuple = 1, date_time_input_format = 'best_effort'"
)


def sql_type(kind: Kind) -> str:
    """Return the type of `kind`."""
    if isinstance(kind, dict):
        return "Tuple(" + ", ".join(f"`{name}` {sql_type(member)}" for name, member in kind.items()) + ")"
    if isinstance(kind, list):
        return f"Array({sql_type(kind[0])})"
    return {"text": "Nullable(String)", "json": "Nullable(String)", "flag": "Nullable(Bool)", "time": "DateTime('UTC')"}[kind]


def quoted(text: str) -> str:
    """Return `text` as a string literal."""
    return "'" + text.replace("'", "\\'") + "'"


class ClickHouse:
    """The fastest forms found."""

    def __init__(self, archive: Archive, threads: int) -> None:
        self.archive = archive
        self.session = session.Session()
        self.settings = f"SETTINGS max_threads = {threads}, {JSON_SETTINGS}"

    def version(self) -> str:
        """Return the versions that matter."""
        return f"chdb {chdb.__version__} (ClickHouse {self.rows('SELECT version()')[0][0]})"

    def rows(self, query: str) -> list[list[str]]:
        """Return the rows of `query` as text."""
        return list(csv.reader(io.StringIO(self.session.query(query, "CSV").data())))

    def typed(self, kinds: dict[str, Kind]) -> str:
        """Return what follows FROM: events `r`, each file parsed as one typed row."""
        structure = f"Records Array({sql_type(kinds)})"
        return f"file({quoted(self.archive.glob)}, 'JSONEachRow', {quoted(structure)}) ARRAY JOIN Records AS r"

    def lines(self, kinds: dict[str, Kind], *, in_order: bool = False) -> str:
        """Return the same with the types applied to whole lines."""
        files = f"file({quoted(self.archive.glob)}, 'LineAsString')"
        if in_order:
            files = f"(SELECT _path, line FROM {files} ORDER BY _path)"
        return f"{files} ARRAY JOIN JSONExtract(line, 'Records', {quoted(f'Array({sql_type(kinds)})')}) AS r"

    def columns(self) -> str:
        """Read every event with every column into a table in memory."""
        self.session.query("DROP TABLE IF EXISTS events")
        small = self.archive.small_files
        query = f"SELECT r, _path AS file FROM {self.lines(COLUMNS, in_order=small)} {self.settings}"
        self.session.query(f"CREATE TABLE events ENGINE = Memory AS {query}, max_block_size = {1000 if small else 64}")
        return "r."

    def columns_typed(self) -> str:
        """Read the same from typed rows into a table with one column for each."""
        self.session.query("DROP TABLE IF EXISTS events")
        wanted = ", ".join(f"r.`{name}` AS `{name}`" for name in COLUMNS)
        query = f"SELECT {wanted}, _path AS file FROM {self.typed(COLUMNS)} {self.settings}"
        self.session.query(f"CREATE TABLE events ENGINE = Memory AS {query}")
        return ""

    def count(self) -> list[list[str]]:
        """Count the events by name."""
        source = self.lines(NAME) if self.archive.small_files else self.typed(NAME)
        return self.rows(
            f"SELECT r.eventName AS name, count() FROM {source} WHERE name IS NOT NULL GROUP BY name {self.settings}"
        )

    def rare(self) -> list[list[str]]:
        """Return five columns of the DeleteBucket events; only files that hold the text are parsed."""
        return self._five(self.lines(FIVE) + f" WHERE line LIKE '%\"{RARE}\"%' AND")

    def rare_typed(self) -> list[list[str]]:
        """Return the same with every file parsed."""
        return self._five(self.typed(FIVE) + " WHERE")

    def _five(self, source: str) -> list[list[str]]:
        wanted = "r.eventTime, r.eventName, r.userIdentity.arn, r.sourceIPAddress, r.eventID"
        return self.rows(f"SELECT {wanted} FROM {source} r.eventName = '{RARE}' {self.settings}")

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared with the manifest."""
        if task == "count":
            return {name: int(count) for name, count in result}
        if task == "rare":
            return [[None if value == "\\N" else value for value in row] for row in result]
        # `result` is what stands before the name of a column.
        checked = {
            "rows": "count()",
            "userIdentity.arn": f"count({result}userIdentity.arn)",
            "resources": f"countIf(notEmpty({result}resources))",
            "tlsDetails": f"count({result}tlsDetails.tlsVersion)",
            **{name: f"count({result}`{name}`)" for name in COUNTED},
        }
        row = self.rows(f"SELECT {', '.join(checked.values())} FROM events")[0]
        first, last = self.rows(f"SELECT min({result}eventTime), max({result}eventTime) FROM events")[0]
        return {**dict(zip(checked, map(int, row), strict=True)), "first": first, "last": last}
