"""The gate of :func:`ctfast.sql`: a query reads its one table, and neither files nor the network.

Polars' SQL has functions such as ``read_csv`` in the place of a table, and it opens what they name while it plans. So the text is
parsed before Polars sees it, by the parser and in the dialect that Polars uses, and what is not known to read the table alone is
refused.
"""

from __future__ import annotations

import re

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._words import quoted
from ctfast.exceptions import QueryError

__all__ = ["TABLE", "check"]

#: What an archive is called in a query.
TABLE = "events"

_PLACE = re.compile(r"at Line: (\d+), Column: (\d+)")
#: Characters before the place where the parser could not go on, and behind it.
_BEFORE, _BEHIND = 24, 20

_MEANS = f"a query reads the table {TABLE!r}, and what it makes of it"
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


def _near(text: str, what: str) -> str:
    """Return the words around a place: a mistyped one is often the one before, which was taken for a name."""
    place = _PLACE.search(what)
    if place is None:
        return ""
    line, column = int(place[1]) - 1, int(place[2]) - 1
    lines = text.splitlines()
    around = lines[line][max(0, column - _BEFORE) : column + _BEHIND] if line < len(lines) else ""
    return f", near {quoted(around.strip())}"
