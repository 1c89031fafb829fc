"""Makes large parts of small ones, which many small ingests have written, and removes what nobody needs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from ctfast._lake.audit import note
from ctfast._lake.sweep import LAST, is_past, sweep
from ctfast._lake.table import LostRaceError, Part, Snapshot, Table
from ctfast._later import pq
from ctfast._scan.part import TIME
from ctfast._scan.rewritten import joined
from ctfast._store.store import Store

__all__ = ["Compacted", "compact"]

#: A part of fewer bytes is small.
_SMALL = 64 << 20
#: So many bytes of small parts become one: the keys of its rows are in memory while it is written.
_MOST = 128 << 20
#: The bounds of a part without a time, or without bounds.
_NO_TIME = 0, 0


@dataclass(frozen=True)
class Compacted:
    """What a compaction has done.

    Attributes
    ----------
    parts, into : int
        Parts that were small, and how many became of them.
    deleted : int
        Files that were removed: parts that an earlier compaction has replaced, or that killed runs have left.
    left : int
        Files that the table does not name and that stay, since a run or a query that is under way may need them: they
        are less than a day old, or were replaced less than a day ago, or Iceberg tables name them.
    iceberg : tuple of str
        These tables: they have to be exported again before the files go.
    """

    parts: int
    into: int
    deleted: int
    left: int
    iceberg: tuple[str, ...]


def compact(table: Table) -> Compacted:
    """Join small parts, month by month, and remove files that nobody needs."""
    parts = into = 0
    while group := table.latest(lambda snapshot: next(_groups(table.store, snapshot), None)):
        if _join(table, group):
            parts += len(group)
            into += 1
        table.store.release_parts()
    swept = sweep(table, LAST, is_past)
    return Compacted(parts, into, swept.deleted, swept.left, swept.iceberg)


def _groups(store: Store, snapshot: Snapshot) -> Iterator[list[Part]]:
    """Yield small parts that become one: of one month, with the same columns, in the order of their times.

    So the row groups of the new part are of some days each, and a query for one of them reads few.
    """
    bounds = snapshot.log.bounds()
    small = [part for part in snapshot.whole_parts() if part.size < _SMALL]
    small.sort(key=lambda part: (part.month, bounds.get(part.path, {}).get(TIME) or _NO_TIME, part.path))
    for _, of_month in groupby(small, key=attrgetter("month")):
        of_columns: dict[str, list[Part]] = {}
        for part in of_month:
            # Parts that an earlier version of ctfast has written may have fewer columns.
            of_columns.setdefault(str(pq.read_schema(store.open(part.path))), []).append(part)
        for alike in of_columns.values():
            group: list[Part] = []
            for part in alike:
                if group and sum(each.size for each in group) + part.size > _MOST:
                    break
                group.append(part)
            if len(group) > 1:
                yield group


def _join(table: Table, group: list[Part]) -> bool:
    """Replace parts by one, and tell whether that was still possible."""
    # A name that no other compaction gives: one that was overtaken may then remove what it has written, which may have
    # events that are to be deleted.
    name = uuid.uuid4().hex
    return table.latest(lambda snapshot: _joined(table.store, snapshot, group, name))


def _joined(store: Store, snapshot: Snapshot, group: list[Part], name: str) -> bool:
    if not set(group) <= set(snapshot.parts()):
        return False
    paths = [part.path for part in group]
    for path in paths:
        store.fetch_part(path)
    new = joined(store.folder, paths, name)
    store.publish_part(new.path)
    try:
        entry = note(store, snapshot, "compact", removed=paths, added=[new.path])
        snapshot.commit([new], [entry], removed=group)
    except LostRaceError:
        store.remove_parts([new.path])
        return False
    return True
