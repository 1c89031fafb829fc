"""The queries of ClickHouse, for every way to run it.

The form that the documentation suggests, typed rows (``JSONEachRow``: a file is one row with an array of tuples) and a
list of columns, is also the slower one: each file becomes a block of its own, and naming thirty columns of a tuple
costs milliseconds for each block. The fastest form found reads lines, applies the types to the whole line
(``JSONExtract``) and keeps the record as one tuple column, whose members are columns all the same. Tiny files are first
sorted by path, which puts the lines of many into one block.
"""

from __future__ import annotations

from typing import Any

from ctfast._bench.readers.base import Archive
from ctfast._bench.readers.schema import COLUMNS, COUNTED, FIVE, NAME, Kind

__all__ = ["Queries", "facts", "read"]

_JSON_SETTINGS = (
    "input_format_json_read_objects_as_strings = 1, input_format_skip_unknown_fields = 1,"
    " input_format_null_as_default = 1,"
    " input_format_json_defaults_for_missing_elements_in_named_tuple = 1,"
    " input_format_json_ignore_unknown_keys_in_named_tuple = 1, date_time_input_format = 'best_effort'"
)
#: Rows of a block of the table: lines, each with the events of a file.
_LINES, _TINY_LINES = 64, 1000


class Queries:
    """The fastest forms found, and the typed ones."""

    def __init__(self, archive: Archive, threads: int) -> None:
        self.archive = archive
        self.settings = f"SETTINGS max_threads = {threads}, {_JSON_SETTINGS}"

    def columns(self) -> str:
        """Return what makes a table of one column ``r``, every column of every event in it."""
        small = self.archive.small_files
        query = f"SELECT r, _path AS file FROM {self._lines(COLUMNS, in_order=small)} {self.settings}"
        block = _TINY_LINES if small else _LINES
        return f"CREATE TABLE events ENGINE = Memory AS {query}, max_block_size = {block}"

    def columns_typed(self) -> str:
        """Return what makes the same from typed rows, with one column for each."""
        wanted = ", ".join(f"r.`{name}` AS `{name}`" for name in COLUMNS)
        query = f"SELECT {wanted}, _path AS file FROM {self._typed(COLUMNS)} {self.settings}"
        return f"CREATE TABLE events ENGINE = Memory AS {query}"

    def count(self) -> str:
        """Return what counts the events by name."""
        source = self._lines(NAME) if self.archive.small_files else self._typed(NAME)
        counted = f"SELECT r.eventName AS name, count() FROM {source} WHERE name IS NOT NULL GROUP BY name"
        return f"{counted} {self.settings}"

    def rare(self) -> str:
        """Return what finds the rare events; only files that hold the text are parsed."""
        return self._five(self._lines(FIVE) + f" WHERE line LIKE '%\"{self.archive.rare}\"%' AND")

    def rare_typed(self) -> str:
        """Return the same with every file parsed."""
        return self._five(self._typed(FIVE) + " WHERE")

    def _typed(self, kinds: dict[str, Kind]) -> str:
        """Return what follows FROM: events ``r``, each file parsed as one typed row."""
        structure = f"Records Array({_sql_type(kinds)})"
        return f"file({_quoted(self.archive.glob)}, 'JSONEachRow', {_quoted(structure)}) ARRAY JOIN Records AS r"

    def _lines(self, kinds: dict[str, Kind], *, in_order: bool = False) -> str:
        """Return the same with the types applied to whole lines."""
        files = f"file({_quoted(self.archive.glob)}, 'LineAsString')"
        if in_order:
            files = f"(SELECT _path, line FROM {files} ORDER BY _path)"
        return f"{files} ARRAY JOIN JSONExtract(line, 'Records', {_quoted(f'Array({_sql_type(kinds)})')}) AS r"

    def _five(self, source: str) -> str:
        wanted = "r.eventTime, r.eventName, r.userIdentity.arn, r.sourceIPAddress, r.eventID"
        return f"SELECT {wanted} FROM {source} r.eventName = '{self.archive.rare}' {self.settings}"


def facts(before: str) -> dict[str, str]:
    """Return what is compared of the table, by name; ``before`` is the text before the name of a column."""
    return {
        "rows": "count()",
        "first": f"min({before}eventTime)",
        "last": f"max({before}eventTime)",
        "userIdentity.arn": f"count({before}userIdentity.arn)",
        "resources": f"countIf(notEmpty({before}resources))",
        "tlsDetails": f"count({before}tlsDetails.tlsVersion)",
        **{name: f"count({before}`{name}`)" for name in COUNTED},
    }


def read(task: str, rows: list[list[str]], before: str = "r.") -> Any:
    """Return the rows of an answer as they are compared."""
    if task == "count":
        return {name: int(count) for name, count in rows}
    if task == "rare":
        return [[None if value == r"\N" else value for value in row] for row in rows]
    found: dict[str, Any] = dict(zip(facts(before), rows[0], strict=True))
    return {name: value if name in {"first", "last"} else int(value) for name, value in found.items()}


def _sql_type(kind: Kind) -> str:
    """Return the type of a kind."""
    if isinstance(kind, dict):
        return "Tuple(" + ", ".join(f"`{name}` {_sql_type(member)}" for name, member in kind.items()) + ")"
    if isinstance(kind, list):
        return f"Array({_sql_type(kind[0])})"
    return {
        "text": "Nullable(String)",
        "json": "Nullable(String)",
        "flag": "Nullable(Bool)",
        "time": "DateTime('UTC')",
    }[kind]


def _quoted(text: str) -> str:
    """Return a text as a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
