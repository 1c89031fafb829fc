"""Iceberg tables that refer to the files of a lake, which does not remove files that one of them may still name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ctfast._lake.audit import entries, is_noted
from ctfast._lake.table import Table
from ctfast._show.words import quoted
from ctfast.exceptions import ArgumentError

__all__ = ["Reference", "exported", "forget", "naming", "refer", "references"]

_ACTION, _END = "export-iceberg", "forget-iceberg"


class Reference(NamedTuple):
    """A table, as the audit tells of it."""

    name: str
    #: It names no file that was replaced in this version of the lake, or before.
    version: int


def references(found: Iterable[dict[str, Any]]) -> dict[str, Reference]:
    """Return the tables that the entries of the audit tell of, by their ids."""
    tables: dict[str, Reference] = {}
    for entry in found:
        if entry["action"] == _ACTION:
            tables[entry["table"]] = Reference(entry["name"], entry["exported"])
        elif entry["action"] == _END:
            tables = {each: known for each, known in tables.items() if known.name != entry["name"]}
    return tables


def naming(tables: Iterable[Reference], entry: dict[str, Any]) -> set[str]:
    """Return the names of the tables that may name what this entry of the audit has removed from the lake."""
    return {known.name for known in tables if known.version < entry["version"]}


def refer(table: Table, name: str, uuid: str) -> None:
    """Note a table before it names files: from the next version on, what is removed from the lake waits for it."""
    while True:
        snapshot = table.open()
        if uuid in references(entries(table.store, snapshot)):
            return
        if is_noted(table.store, snapshot, _ACTION, name=name, table=uuid, exported=snapshot.version + 1):
            return


def exported(table: Table, name: str, uuid: str, version: int) -> list[dict[str, Any]]:
    """Note that a table has what this version of the lake has.

    Returns the entries of the audit whose files have waited for it; if there are none, nothing is noted.
    """
    while True:
        snapshot = table.open()
        found = entries(table.store, snapshot)
        known = references(found).get(uuid, Reference(name, -1))
        over = [entry for entry in found if entry.get("removed") and known.version < entry["version"] <= version]
        if not over or is_noted(table.store, snapshot, _ACTION, name=name, table=uuid, exported=version):
            return over


def forget(table: Table, name: str) -> None:
    """Note that a table is no longer waited for."""
    while True:
        snapshot = table.open()
        if all(known.name != name for known in references(entries(table.store, snapshot)).values()):
            message = f"name {quoted(name)}: the lake knows of no Iceberg table of this name"
            raise ArgumentError(message, "name", name, None, "Lake.forget_iceberg")
        if is_noted(table.store, snapshot, _END, name=name):
            return
