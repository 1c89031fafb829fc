"""The gate of :func:`ctfast.sql`: a query reads its one table, and neither files nor the network.

Polars' SQL has functions such as ``read_csv`` in the place of a table, and it opens what they name while it plans. So the text is
parsed before Polars sees it, by the parser and in the dialect that Polars uses, and what is not known to read the table alone is
refused.
"""

from __future__ import annotations

import polars as pl

from ctfast import _ctfast
from ctfast.exceptions import QueryError

__all__ = ["TABLE", "check"]

#: What an archive is called in a query.
TABLE = "events"

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
        raise pl.exceptions.SQLInterfaceError(what)
    raise QueryError(_SENTENCES[kind].format(what), what, kind)
