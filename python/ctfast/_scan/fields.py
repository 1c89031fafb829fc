"""Columns by their paths, fields of structs among them: ``userIdentity.arn``."""

from __future__ import annotations

from collections.abc import Iterable

from ctfast._later import pa

__all__ = ["narrowed", "roots", "selected"]


def roots(paths: Iterable[str]) -> list[str]:
    """Return the columns that contain these, each once."""
    return list(dict.fromkeys(path.partition(".")[0] for path in paths))


def narrowed(whole: pa.Schema, paths: Iterable[str]) -> pa.Schema:
    """Return the schema of these columns. A field of a struct is named by its path, and null where the struct is."""
    return pa.schema([_field(whole, path) for path in paths])


def selected(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return the columns of the schema."""
    if batch.schema.names == schema.names:
        return batch
    if not schema.names:
        return batch.select([])  # which keeps the number of rows
    return pa.RecordBatch.from_arrays([_array(batch, path) for path in schema.names], schema=schema)


def _field(whole: pa.Schema, path: str) -> pa.Field:
    name, *inner = path.split(".")
    field = whole.field(name)
    for part in inner:
        outer, field = field, field.type.field(part)
        field = field.with_nullable(outer.nullable or field.nullable)
    return field.with_name(path)


def _array(batch: pa.RecordBatch, path: str) -> pa.Array:
    name, *inner = path.split(".")
    array = batch.column(name)
    for part in inner:
        # Flattened: a field of a null is null.
        array = array.flatten()[array.type.get_field_index(part)]
    return array
