"""The gate of :func:`ctfast.sql`: a query reads its one table, and neither files nor the network.

Polars' SQL has functions such as ``read_csv`` in the place of a table, and it opens what they name while it plans. So the text is
parsed before Polars sees it, by the parser and in the dialect that Polars uses, and what is not known to read the table alone is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._words import nearest, or_nearest, quoted
from ctfast.exceptions import QueryError

__all__ = ["TABLE", "check", "named"]

#: What an archive is called in a query.
TABLE = "events"

_PLACE = re.compile(r"at Line: (\d+), Column: (\d+)")
_NO_STRUCT = re.compile(r"no table or struct column named '(.+)' found")
#: Characters before the place where the parser could not go on, and after it.
_BEFORE, _BEHIND = 24, 20

_MEANS = f"a query reads the table {quoted(TABLE)}, and what it makes of it"
_SENTENCES = {
    "statements": f"one query at a time: these are {{}} statements, but {_MEANS}",
    "statement": f"{{}} is no query: SELECT, EXPLAIN and SHOW TABLES are, and {_MEANS}",
    "table": f"no table {{!r}}: {_MEANS}",
    "function": f"{{}} is not to be read: {_MEANS}, with UNNEST, range and generate_series",
    "too-deep": "expressions or set operations are nested deeper than {}",
}


def check(text: str) -> None:
    """Raise unless a text is one query that reads the table alone; nothing is opened to tell."""
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
    """Return an error of Polars about a field of a struct with its whole name, and the one that was probably meant."""
    struct = _NO_STRUCT.search(str(error))
    if isinstance(error, pl.exceptions.StructFieldNotFoundError):
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
    """Return the words around a place: a mistyped one is often the one before, which was taken for a name."""
    place = _PLACE.search(what)
    if place is None:
        return ""
    line, column = int(place[1]) - 1, int(place[2]) - 1
    lines = text.splitlines()
    around = lines[line][max(0, column - _BEFORE) : column + _BEHIND] if line < len(lines) else ""
    return f", near {quoted(around.strip())}"
