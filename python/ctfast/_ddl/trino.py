"""Trino: the lake as a table of its Delta Lake connector."""

from __future__ import annotations

from ctfast._ddl.words import commented, standard

__all__ = ["of_lake"]


def of_lake(root: str, table: str) -> str:
    """Return the call that registers a lake."""
    schema, _, name = table.rpartition(".")
    return (
        commented("the catalogue is called delta here, and has delta.register-table-procedure.enabled=true")
        + "CALL delta.system.register_table("
        f"schema_name => {standard(schema.lower() or 'default')}, "
        f"table_name => {standard(name.lower())}, "
        f"table_location => {standard(root)});"
    )
