"""The Arrow types of text for other readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Literal, TypeAlias

from ctfast import _ctfast
from ctfast._later import pa
from ctfast._scan.options import RULES

__all__ = ["Types", "agreed", "schema_of", "text_types"]

#: The readers of batches: Polars gets string views, Spark the types of ``docs/arrow.md``, all others strings.
Types: TypeAlias = Literal["polars", "arrow", "spark"]


class _Requested:
    """A schema as the PyCapsule interface passes it."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_schema__(self) -> object:
        return self._capsule


class _UnknownError(Exception):
    """A type was requested that the data never have."""


def schema_of(columns: Sequence[str], types: Types) -> pa.Schema:
    """Return the schema of these columns in the types that one kind of readers gets."""
    names = [name for name in columns if name != RULES]
    return pa.record_batch(_ctfast.schema(names, types, rules=RULES in columns)).schema


def text_types(schema: pa.Schema) -> list[str]:
    """Return the type of each column or member that is text, in order of depth, as the native half takes them."""
    return [str(kind) for field in schema for kind in _texts(field.type)]


def agreed(schema: pa.Schema, requested: object | None) -> pa.Schema:
    """Return the schema with the text types that a consumer requests, by the rules of the Arrow PyCapsule interface.

    A request for a type that a column can never have gets the schema unchanged.

    Raises
    ------
    ValueError
        The request has other columns or members.
    """
    if requested is None:
        return schema
    asked = pa.schema(_Requested(requested))
    try:
        return pa.schema(_each(schema, asked, "columns"))
    except _UnknownError:
        return schema


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.string_view())


def _texts(kind: pa.DataType) -> Iterator[pa.DataType]:
    if _is_text(kind):
        yield kind
    elif pa.types.is_nested(kind):
        for number in range(kind.num_fields):
            yield from _texts(kind.field(number).type)


def _each(own: Sequence[pa.Field], asked: Sequence[pa.Field], what: str) -> list[pa.Field]:
    names = [field.name for field in own], [field.name for field in asked]
    if names[0] != names[1]:
        message = (
            f"a schema with other {what} was requested: {', '.join(names[1]) or 'none'}, not {', '.join(names[0])}"
        )
        raise ValueError(message)
    return list(starmap(_one, zip(own, asked, strict=True)))


def _one(own: pa.Field, asked: pa.Field) -> pa.Field:
    if _is_text(own.type) and _is_text(asked.type):
        return own.with_type(asked.type)
    if pa.types.is_struct(own.type) and pa.types.is_struct(asked.type):
        return own.with_type(pa.struct(_each(list(own.type), list(asked.type), f"members of {own.name}")))
    if pa.types.is_list(own.type) and pa.types.is_list(asked.type):
        return own.with_type(pa.list_(_one(own.type.value_field, asked.type.value_field)))
    if own.type != asked.type:
        raise _UnknownError
    return own
