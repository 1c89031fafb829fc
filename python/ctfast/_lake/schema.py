"""Columns that a later version of ctfast has: a lake gets them before files have them."""

from __future__ import annotations

from contextlib import suppress

from ctfast._lake.table import LostRaceError, Snapshot, Table
from ctfast._later import pa

__all__ = ["covers", "widened"]


def covers(there: pa.Schema, asked: pa.Schema) -> bool:
    """Whether a schema has all columns of another one, and all members of its structs."""
    return _covers(pa.struct(list(there)), pa.struct(list(asked)))


def _covers(there: pa.DataType, asked: pa.DataType) -> bool:
    if pa.types.is_list(asked):
        return _covers(there.value_type, asked.value_type)
    if not pa.types.is_struct(asked):
        return True
    return all(
        there.get_field_index(field.name) >= 0 and _covers(there.field(field.name).type, field.type) for field in asked
    )


def widened(table: Table, snapshot: Snapshot, schema: pa.Schema) -> Snapshot:
    """Return a version of the table that has these columns: this one, or one that gets those that it lacks.

    Delta Lake takes files with columns that the table does not have, and shows none of them to readers.
    """
    while not covers(snapshot.schema(), schema):
        with suppress(LostRaceError):
            snapshot.widen(schema)
        snapshot = table.open()
    return snapshot
