"""Objects of expressions: nested as in the event, and null where none of their members has a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from ctfast._later import pl

__all__ = ["Object", "at", "made", "member", "without_nulls"]

#: Members by their names: expressions, and objects of these.
Object: TypeAlias = "Mapping[str, pl.Expr | Object]"

#: Names of members are those of OCSF, or paths of columns: no quote or backslash is in them. In a string of JSON, a
#: quote is behind a backslash, so a quote that a name and a quote without one follow is that of a member.
_NAME = r'"[\w.]+"'


def at(path: str) -> pl.Expr:
    """Return the column, or the field of a struct, with this path."""
    root, *fields = path.split(".")
    column = pl.col(root)
    for field in fields:
        column = column.struct[field]
    return column


def member(text: pl.Expr, path: str) -> pl.Expr:
    """Return a member of an object in JSON as text, or null."""
    return text.str.json_path_match(f"$.{path}")


def made(fields: Object) -> pl.Expr:
    """Return the object of these members."""
    members = [(made(each) if isinstance(each, Mapping) else each).alias(name) for name, each in fields.items()]
    is_there = pl.any_horizontal([each.is_not_null() for each in _leaves(fields)])
    return pl.when(is_there).then(pl.struct(members))


def without_nulls(text: pl.Expr) -> pl.Expr:
    """Return objects in JSON, as Polars writes structs, without the members that are null."""
    later = text.str.replace_all(f",{_NAME}:null", "")
    return later.str.replace_all(rf"\{{{_NAME}:null,", "{").str.replace_all(rf"\{{{_NAME}:null\}}", "{}")


def _leaves(fields: Object) -> Iterator[pl.Expr]:
    for each in fields.values():
        if isinstance(each, Mapping):
            yield from _leaves(each)
        else:
            yield each
