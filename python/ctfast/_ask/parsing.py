"""The text of a query, as a tree: with sqlglot, but with no function that it rewrites by itself."""

from __future__ import annotations

import re
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from ctfast._ask.sqltext import BOUND
from ctfast._later import load
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["dialect_of", "needed", "parsed"]

#: What is no code, and what stands for a table: an id without quotes, and what AWS's samples have in its place.
_TOKENS = re.compile(
    r"""(?P<kept>'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/)
        | (?P<store>\b(?:FROM|JOIN)\s+)<(?P<named>[^>]*)>
        | (?P<id>(?<![\w-])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![\w-]))
        | (?P<unnamed>\?) | \$\{(?P<braced>\w+)\} | \$(?P<dollar>[A-Za-z_]\w*)
        | (?<![\w.$:])(?P<number>[0-9][0-9A-Za-z_.]*)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
#: A number, with an exponent whose sign may follow.
_NUMBER = re.compile(r"[0-9]+(_[0-9]+)*(\.([0-9]+(_[0-9]+)*)?)?([eE][0-9]*)?")
#: Functions with a syntax of their own; all others are calls by name, so that what they mean is said in one table.
_SPECIAL = ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "LISTAGG")
#: What a query begins with.
_QUERIES = ("select", "with", "values", "(", "table", "from")
#: Letters of a number that a sentence shows.
_LONGEST = 20
_PLACE = re.compile(r"\x1b\[\d+m")


def needed(name: str) -> Any:
    """Return a module of the extra ``lake``."""
    try:
        return load(name)
    except ImportError:
        message = "SQL of Trino and DuckDB needs sqlglot and duckdb: pip install 'ctfast[lake]' (or --dialect polars)"
        raise ImportError(message) from None


@cache
def dialect_of(name: str) -> Any:
    """Return a dialect of sqlglot in which calls stay calls, and numbers of elements stay as they are."""
    base: Any = {"trino": needed("sqlglot.dialects").Trino, "duckdb": needed("sqlglot.dialects").DuckDB}[name]
    special = {key: each for key, each in base.Parser.FUNCTION_PARSERS.items() if key in _SPECIAL}
    inner = type("Parser", (base.Parser,), {"FUNCTIONS": {}, "FUNCTION_PARSERS": special})
    return type(f"Plain{base.__name__}", (base,), {"Parser": inner, "INDEX_OFFSET": 0})


def parsed(text: str, dialect: str) -> exp.Expression:
    """Return the one query of a text."""
    sqlglot = needed("sqlglot")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"character {error.start + 1} of the query is half of a pair of surrogates"
        raise QueryError(message, "surrogate", "invalid-utf8") from None
    if "\0" in text:
        raise QueryError("the query has a character without a meaning, U+0000", "U+0000", "syntax")
    given = _prepared(text, dialect)
    begin = re.match(r"(?:\s|--[^\n]*\n|/\*.*?\*/|;)*(\w+|\(|.)?", given, re.DOTALL)
    word = (begin[1] if begin else None) or ""
    if word.lower() not in _QUERIES or (word.lower() == "from" and dialect != "duckdb"):
        raise QueryError(_no_query(word), word.upper(), "statement" if word.isalpha() else "syntax")
    try:
        trees = [each for each in sqlglot.parse(given, dialect=dialect_of(dialect)) if each is not None]
    except sqlglot.errors.TokenError as error:
        raise QueryError(f"the query cannot be read: {_first(error)}", text, "syntax") from None
    except sqlglot.errors.ParseError as error:
        raise QueryError(_wrong(error), text, "syntax") from None
    except RecursionError:
        raise QueryError("expressions are nested too deep", text, "too-deep") from None
    if len(trees) != 1:
        raise QueryError(f"one query at a time: these are {len(trees)} statements", str(len(trees)), "statements")
    for each in trees[0].find_all(sqlglot.exp.Identifier):
        if each.name.lower().startswith(BOUND):
            raise QueryError(f"names that begin with {BOUND} are kept for the translation", each.name, "column")
    return trees[0]


def _prepared(text: str, dialect: str) -> str:
    """Return a text with tables and numbers that sqlglot can read, and parameters in one form."""
    unnamed, mark = count(1), "$" if dialect == "duckdb" else ":"

    def replaced(found: re.Match[str]) -> str:
        if found["unnamed"]:
            return f"{mark}_{next(unnamed)}"
        if found["store"]:
            named = re.sub(r"\W+", "_", found["named"])
            return f'{found["store"]}"{named}"'
        if found["id"]:
            return f'"{found["id"]}"'
        if found["number"] and dialect == "trino":
            return _number(found["number"])
        name = found["braced"] or found["dollar"]
        return f"{mark}{name}" if name else found[0]

    return _TOKENS.sub(replaced, text)


def _number(text: str) -> str:
    """Return a number without underscores; sqlglot would take what follows its digits for a name."""
    if not _NUMBER.fullmatch(text):
        shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        message = f"{shown} is no number here, and a name that begins with a digit stands in double quotes"
        raise QueryError(message, shown, "syntax")
    return text.replace("_", "")


def _no_query(word: str) -> str:
    if word.isalpha():
        return f"{word.upper()} is no query: SELECT is, with WITH before it if needed"
    return "there is no query: it begins with SELECT or WITH"


def _first(error: Exception) -> str:
    return _PLACE.sub("", str(error)).splitlines()[0].rstrip(".")


def _wrong(error: Any) -> str:
    """Return where the text ends to be a query."""
    found = error.errors[0] if error.errors else {}
    place, near = "", found.get("highlight") or ""
    if found.get("line"):
        around = f"{(found.get('start_context') or '')[-24:]}{near}{(found.get('end_context') or '')[:20]}"
        place = f" at line {found['line']}, column {found['col']}, near {quoted(' '.join(around.split()))}"
    what = (found.get("description") or _first(error)).rstrip(".")
    if what.startswith("Required keyword"):
        what = "something is missing"
    return f"the query cannot be read: {what[:1].lower()}{what[1:]}{place}"
