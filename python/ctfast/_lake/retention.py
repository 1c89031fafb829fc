"""Deletes events that are older than they have to be kept: from the table, and from each file below its root."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ctfast._filter.filters import Filter
from ctfast._lake.audit import note
from ctfast._lake.holds import holds
from ctfast._lake.layout import copies_path
from ctfast._lake.ledger import Ledger
from ctfast._lake.sweep import sweep
from ctfast._lake.table import LostRaceError, Part, Snapshot, Table
from ctfast._later import load, pa, pq
from ctfast._scan.message import PartFile
from ctfast._scan.part import MONTH, TIME
from ctfast._scan.rewritten import without
from ctfast._store.store import Store

__all__ = ["Retained", "retain"]

_RAW = "raw"
#: By what an event is told from others, and so its copies from those of others: of an event without an id, its place.
_EVENT, _PLACE = ("eventID", "recipientAccountId"), ("file", "record")


@dataclass(frozen=True)
class Retained:
    """What a retention deletes.

    Attributes
    ----------
    before : datetime
        Events before this time are deleted.
    rows : int
        How many these are.
    held : int
        Older events that are kept by a hold.
    is_done : bool
        Whether they were deleted; if not, this is what would be deleted now.
    left : int
        Files of the months concerned that stay, and may have older events: they belong to no version of the table and
        may be of runs that are under way; or Iceberg tables name them; or they were removed from a bucket that keeps
        earlier versions of objects.
    iceberg : tuple of str
        These tables: when they are exported again, the files go.
    """

    before: datetime
    rows: int
    held: int
    is_done: bool
    left: int
    iceberg: tuple[str, ...]


@dataclass
class _Found:
    """The rows to delete."""

    #: Parts of which some rows are deleted, with the numbers of these in ascending order, and those that go as a whole.
    rows: dict[Part, list[int]] = field(default_factory=dict)
    whole: list[Part] = field(default_factory=list)
    #: How many older events a hold keeps, and what tells these from others.
    held: int = 0
    events: set[tuple[Any, ...]] = field(default_factory=set)

    @property
    def number(self) -> int:
        """How many these are."""
        return sum(map(len, self.rows.values())) + sum(part.rows for part in self.whole)

    @property
    def parts(self) -> list[Part]:
        """All that have some."""
        return [*self.rows, *self.whole]


def retain(table: Table, days: int, *, delete: bool) -> Retained:
    """Delete the events that are more than some days old, or tell how many these are."""
    before = datetime.now(UTC) - timedelta(days=days)
    while True:
        try:
            found = table.latest(lambda snapshot: _retained(table, snapshot, days, before, delete=delete))
        except LostRaceError:
            continue
        if not delete:
            return Retained(before, found.number, found.held, is_done=False, left=0, iceberg=())
        swept = sweep(table, f"{before:%Y-%m}", lambda _: True)
        # In a bucket with versions, what was removed is still there.
        left = swept.left + (swept.deleted if table.store.keeps_removed else 0)
        return Retained(before, found.number, found.held, is_done=True, left=left, iceberg=swept.iceberg)


def _retained(table: Table, snapshot: Snapshot, days: int, before: datetime, *, delete: bool) -> _Found:
    """Find the rows of one version of the table, and delete them if that is asked."""
    kept = holds(table, snapshot)
    _refuse_fewer_columns(table, snapshot, kept)
    copies = Ledger(table.store, snapshot).paths_of_copies()
    found = _expired(table.store, snapshot, before, kept.values())
    if delete and found.parts:
        _commit(table, snapshot, found, copies, days, before)
    return found


def _refuse_fewer_columns(table: Table, snapshot: Snapshot, kept: Mapping[str, Filter]) -> None:
    """Refuse a lake that does not tell how old an event is, or whether a hold keeps it and its copies."""
    there = snapshot.schema().names
    if TIME not in there:
        message = f"{table.store} was made without {TIME}, which tells how old an event is: nothing can be deleted"
        raise ValueError(message)
    missing = [name for name in (_RAW, *_EVENT, *_PLACE) if name not in there]
    if kept and missing:
        message = (
            f"{table.store} was made without {missing[0]}, which tells whether a hold keeps an event: "
            "release the holds first, or nothing can be deleted"
        )
        raise ValueError(message)


def _expired(store: Store, snapshot: Snapshot, before: datetime, kept: Iterable[Filter]) -> _Found:
    """Find the rows that are older, and that no hold keeps."""
    found = _Found()
    filters = list(kept)
    month = f"{before:%Y-%m}"
    compute = load("pyarrow.compute")
    limit = pa.scalar(before, pa.timestamp("us", "UTC"))
    for part in snapshot.whole_parts():
        # Records without a time are in a month of their own, whose name is greater than any number.
        if part.month > month:
            continue
        if part.month < month and not filters:
            found.whole.append(part)
            continue
        rows: list[int] = []
        with pq.ParquetFile(store.open(part.path)) as file:
            start = 0
            for number in range(file.num_row_groups):
                group = file.read_row_group(number, [TIME, *([_RAW, *_EVENT, *_PLACE] if filters else [])])
                old = compute.indices_nonzero(compute.less(group.column(TIME), limit)).to_pylist()
                if filters:
                    texts = group.column(_RAW)
                    held = {row for row in old if _is_held(texts[row].as_py().encode(), filters)}
                    found.held += len(held)
                    found.events.update(_events(group.take(pa.array(sorted(held), pa.int64()))))
                    old = [row for row in old if row not in held]
                rows += [start + row for row in old]
                start += group.num_rows
        if len(rows) == part.rows:
            found.whole.append(part)
        elif rows:
            found.rows[part] = rows
    return found


def _events(rows: pa.Table) -> list[tuple[Any, ...]]:
    """Return what tells the event of each row from others."""
    ids, accounts, files, records = (rows.column(name).to_pylist() for name in (*_EVENT, *_PLACE))
    columns = zip(ids, accounts, files, records, strict=True)
    return [(file, record) if name is None else (name, account) for name, account, file, record in columns]


def _is_held(record: bytes, filters: Iterable[Filter]) -> bool:
    return any(each.matches(record) for each in filters)


def _commit(
    table: Table, snapshot: Snapshot, found: _Found, copies: Iterable[str], days: int, before: datetime
) -> None:
    """Replace the parts by ones without these rows, in one version of the table."""
    added: list[PartFile] = []
    version = snapshot.version + 1
    for part, rows in found.rows.items():
        table.store.fetch_part(part.path)
        if (left := without(table.store.folder, part.path, rows, version)) is not None:
            table.store.publish_part(left.path)
            added.append(left)
        table.store.release_parts()
    gone, instead = _without_copies(table.store, copies, version, found, before)
    entry = note(
        table.store,
        snapshot,
        "retain",
        days=days,
        before=before.isoformat(),
        rows=found.number,
        held=found.held,
        removed=[part.path for part in found.parts],
        copies=gone,
    )
    try:
        snapshot.commit(added, [entry, *instead], removed=found.parts)
    except LostRaceError:
        # Their names have the version, so that only a commit of it, which is there now, can name them.
        latest = table.open()
        live = {part.path for part in latest.parts()}
        table.store.remove(*(path for path in instead if not latest.has(path)))
        table.store.remove_parts(part.path for part in added if part.path not in live)
        raise


def _without_copies(
    store: Store, copies: Iterable[str], version: int, found: _Found, before: datetime
) -> tuple[list[str], list[str]]:
    """Write the places where events were seen again without those of events that are deleted.

    Returns the files that have some, and those that were written in their place.
    """
    compute = load("pyarrow.compute")
    limit = pa.scalar(before, pa.timestamp("us", "UTC"))
    gone: list[str] = []
    instead: list[str] = []
    for path in copies:
        month = Path(path).parent.name.removeprefix(f"{MONTH}=")
        if month > f"{before:%Y-%m}":
            continue
        [place] = store.fetch_sound([path])
        rows = pq.read_table(place, partitioning=None)
        store.release(path.__eq__)
        is_kept = compute.greater_equal(rows.column(TIME), limit)
        if found.events:
            is_kept = compute.or_(is_kept, pa.array([event in found.events for event in _events(rows)]))
        stays = rows.filter(is_kept)
        if stays.num_rows == rows.num_rows:
            continue
        gone.append(path)
        if stays.num_rows:
            content = io.BytesIO()
            pq.write_table(stays, content, compression="zstd")
            instead.append(copies_path(month, "retain", version, hashlib.sha256(content.getbuffer()).hexdigest()))
            store.put(instead[-1], content.getvalue())
    return gone, instead
