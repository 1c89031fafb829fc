"""Removes files that no version of the table needs: its own list of names, and what killed runs have left."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ctfast._lake.audit import entries, note
from ctfast._lake.layout import COPIES
from ctfast._lake.references import naming, references
from ctfast._lake.table import LostRaceError, Snapshot, Table
from ctfast._scan.part import MONTH
from ctfast._scan.parts import message_path
from ctfast._scan.rewritten import split_of
from ctfast._store.store import INDEX, KEYS, File, Store

__all__ = ["LAST", "Swept", "is_past", "sweep"]

#: After all months.
LAST = "~"

#: For so long after it was written, a part that the table does not name may be one of a run that is under way; and for
#: so long after it was replaced, a query that has begun before may read it.
_IN_USE = timedelta(days=1)
#: The names of parts, and of their keys and filters. Whatever else lies there is not of a lake.
_PART = re.compile(r"part-[0-9a-f]+-[0-9]+(?:-[0-9a-f]+)*\.(?:parquet|keys|index)")


class Swept(NamedTuple):
    """What became of parts that the table does not name."""

    deleted: int
    #: They stay, since they may be in use.
    left: int
    #: The names of Iceberg tables that may name some of these.
    iceberg: tuple[str, ...]


def is_past(entry: dict[str, Any]) -> bool:
    """Whether no query needs any more what an entry of the audit has removed."""
    return datetime.fromisoformat(entry["time"]) < datetime.now(UTC) - _IN_USE


def sweep(table: Table, last: str, is_due: Callable[[dict[str, Any]], bool]) -> Swept:
    """Remove what is superfluous of the months up to a last one.

    Parameters
    ----------
    table
        The table.
    last
        The last month, as in the names of partitions.
    is_due
        Whether what an entry of the audit has removed is to be deleted now. What an Iceberg table may name stays.
    """
    while True:
        # A commit has the lock from its look at the parts on: no part is removed that it is about to name.
        with table.store.locked() as is_locked, suppress(LostRaceError):
            found = _found(table, last, is_due)
            if not is_locked and found.without_a_name:
                # Without a lock a version does it: a commit that has looked at its parts before it fails, and one that
                # looks later finds them too old. Names that have a version are not given again.
                entry = note(table.store, found.snapshot, "sweep", id=uuid.uuid4().hex, files=found.without_a_name)
                found.snapshot.commit([], [entry])
            # A message goes first, so that none names a part that is gone.
            table.store.remove(*(message_path(split_of(path)) for path in found.parts))
            table.store.remove_parts(found.parts)
            table.store.remove(*found.copies)
            return Swept(len(found.parts), found.left, tuple(sorted(found.iceberg)))


@dataclass
class _Found:
    """What there is to remove."""

    snapshot: Snapshot
    parts: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    #: How many of these no version of the table has named.
    without_a_name: int = 0
    left: int = 0
    #: The names of Iceberg tables that some of what stays waits for.
    iceberg: set[str] = field(default_factory=set)

    def add(self, to: list[str], path: str, *, is_named: bool, is_due: bool) -> None:
        """Note a file that the table does not need."""
        if is_due:
            to.append(path)
            self.without_a_name += not is_named
        else:
            self.left += 1


def _found(table: Table, last: str, is_due: Callable[[dict[str, Any]], bool]) -> _Found:
    store = table.store
    limit = time.time() - _IN_USE.total_seconds()
    # First, so that what was committed meanwhile is in the version that is opened then.
    parts, copies = _parts(store, last), list(_of_months(store, f"{COPIES}/", ".parquet"))
    found = _Found(table.open())
    live = {part.path for part in found.snapshot.parts()}
    audit = entries(store, found.snapshot)
    removed = {path: entry for entry in audit for path in entry.get("removed", ())}
    tables = references(audit).values()
    for path, modified in sorted(parts.items()):
        if path not in live:
            named = naming(tables, removed[path]) if path in removed else set()
            found.iceberg |= named
            is_past = not named and (is_due(removed[path]) if path in removed else modified < limit)
            found.add(found.parts, path, is_named=path in removed, is_due=is_past)
    gone = {name for entry in audit for name in entry.get("copies", ())}
    for path, _, modified in copies:
        # Those that no commit names are of one that is under way, or was overtaken or killed.
        if path in gone or (not found.snapshot.has(path) and _month(path) <= last):
            found.add(found.copies, path, is_named=path in gone, is_due=path in gone or modified < limit)
    return found


def _parts(store: Store, last: str) -> dict[str, float]:
    """Return the parts, and when each was last written: a run may have been killed between the keys and the part."""
    found: dict[str, float] = {}
    for folder in (f"{KEYS}/", f"{INDEX}/", ""):
        store.remove_leftovers(f"{folder}{MONTH}=")
        for path, _, modified in _of_months(store, folder, ""):
            month, name = path.split("/")[-2:]
            if _PART.fullmatch(name) and _month(path) <= last:
                part = f"{month}/{name.rpartition('.')[0]}.parquet"
                found[part] = max(modified, found.get(part, modified))
    return found


def _of_months(store: Store, folder: str, end: str) -> Iterator[File]:
    """Yield the files that lie directly in the folders of the months."""
    for file in store.files(f"{folder}{MONTH}="):
        if file.path.endswith(end) and file.path.removeprefix(folder).count("/") == 1:
            yield file


def _month(path: str) -> str:
    return path.split("/")[-2].removeprefix(f"{MONTH}=")
