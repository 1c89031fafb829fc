"""Legal holds: events that no retention deletes, as long as a hold keeps them."""

from __future__ import annotations

from typing import Any

from ctfast._filter.filters import Filter
from ctfast._filter.kept import as_json, of_json
from ctfast._filter.lint import suspicions
from ctfast._lake.audit import entries, is_noted
from ctfast._lake.table import Snapshot, Table
from ctfast._show.words import quoted
from ctfast.exceptions import ArgumentError

__all__ = ["holds", "place", "release"]


def holds(table: Table, snapshot: Snapshot) -> dict[str, Filter]:
    """Return the filters of the holds that are in force, by their names."""
    found: dict[str, Filter] = {}
    for entry in entries(table.store, snapshot):
        if entry["action"] == "hold":
            found[entry["name"]] = of_json(entry["where"])
        elif entry["action"] == "release":
            del found[entry["name"]]
    return found


def place(table: Table, name: str, where: Filter) -> None:
    """Place a hold. It stops a retention that began before it, which has to look again."""
    if slips := "; ".join(suspicions(where)):
        raise ArgumentError(f"where would keep no event: {slips}", "where", where, None, "Lake.hold")
    _change(table, "Lake.hold", name, "hold", where=as_json(where))


def release(table: Table, name: str) -> None:
    """End a hold."""
    _change(table, "Lake.release", name, "release")


def _change(table: Table, function: str, name: str, action: str, **facts: Any) -> None:
    while True:
        snapshot = table.open()
        is_there = name in holds(table, snapshot)
        if is_there == (action == "hold"):
            there = "there is a hold of this name already" if is_there else "there is no hold of this name"
            raise ArgumentError(f"name {quoted(name)}: {there}", "name", name, None, function)
        if is_noted(table.store, snapshot, action, name=name, **facts):
            return
