"""The gate of :func:`ctfast.sql`: a query reads its one table, and neither files nor the network.

Polars' SQL has table functions such as ``read_csv``, which open files while the query is planned. So the query is
parsed before Polars sees it, by the parser and in the dialect that Polars uses, and refused unless it is known to read
only the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import QueryError

__all__ = ["TABLE", "check", "named"]

#: The name of the archive in a query.
TABLE = "events"

_PLACE = re.compile(r"at Line: (\d+), Column: (\d+)")
_NO_COLUMN = re.compile(r"no column named '(.+)' found in table '(.+)'")
_NOT_FOUND = re.compile(r'unable to find column "(.+?)"; valid columns')
#: Polars' messages about a string that is no time, or a time without a zone, where one with a zone is expected.
_NO_TIME = re.compile(
    r"cannot compare 'date/datetime/time' to a string|could not find an appropriate format to parse dates"
    r"|invalid (?:TIMESTAMP|DATE) literal|comparison between series '\w+' of dtype: Datetime\('μs', 'UTC'\) and"
)
_TIMES = "write '2025-03-12' or '2025-03-12T08:00:00Z', without a word before it"
_NO_STRUCT = re.compile(r"no table or struct column named '(.+)' found")
#: Characters before and after the place where the parser stopped.
_BEFORE, _AFTER = 24, 20

_MEANS = f"a query reads the table {quoted(TABLE)}, and what it makes of it"
_SENTENCES = {
    "statements": f"one query at a time: these are {{}} statements, but {_MEANS}",
    "statement": f"{{}} is no query: SELECT, EXPLAIN and SHOW TABLES are, and {_MEANS}",
    "table": f"no table {{!r}}: {_MEANS}",
    "function": f"{{}} is not to be read: {_MEANS}, with UNNEST, range and generate_series",
    "too-deep": "expressions or set operations are nested deeper than {}",
}


def check(text: str) -> None:
    """Raise unless a query only reads the table. Nothing is opened."""
    try:
        found = _ctfast.refused(text, TABLE)
    except UnicodeEncodeError as error:
        message = f"character {error.start + 1} of the query is half of a pair of surrogates"
        raise QueryError(message, "surrogate", "invalid-utf8") from None
    if found is None:
        return
    kind, what = found
    if kind == "syntax":
        raise pl.exceptions.SQLInterfaceError(f"{what}{_near(text, what)}")
    raise QueryError(_SENTENCES[kind].format(what), what, kind)


def named(error: pl.exceptions.PolarsError, text: str, columns: Iterable[str]) -> pl.exceptions.PolarsError:
    """Return a Polars error with a remedy: the full name of a field, the column that was meant, a time."""
    said = str(error)
    if _NO_TIME.search(said):
        what = said.splitlines()[0] if said.startswith("invalid") else "what is compared with a time is none of UTC"
        return type(error)(f"{what}: {_TIMES}")
    missing = _NOT_FOUND.search(said)
    if missing is not None and f'"{missing[1]}"' in text and nearest(missing[1], columns) is None:
        return type(error)(
            f"no column {quoted(missing[1])}: a text stands in single quotes, a name of a column in double ones"
        )
    column, struct = _NO_COLUMN.search(said), _NO_STRUCT.search(said)
    if column is not None:
        name = column[1]  # of a table under an alias
    elif isinstance(error, pl.exceptions.StructFieldNotFoundError):
        field = str(error).partition("\n")[0]
        stands = re.search(rf'(?:"?\w+"?\.)+"?{re.escape(field)}\b', text)
        name = field if stands is None else stands[0].replace('"', "").removeprefix(f"{TABLE}.")
    elif struct is not None:
        name = struct[1]
    else:
        return error
    message = f"no column {quoted(name)}{or_nearest(nearest(name, columns))} (ctfast columns lists them)"
    return type(error)(message)


def _near(text: str, what: str) -> str:
    """Return the words around a place: the mistyped keyword is often the word before, which was taken for a name."""
    place = _PLACE.search(what)
    if place is None:
        return ""
    line, column = int(place[1]) - 1, int(place[2]) - 1
    lines = text.splitlines()
    around = lines[line][max(0, column - _BEFORE) : column + _AFTER] if line < len(lines) else ""
    return f", near {quoted(around.strip())}"
