"""Removes files that no version of the table needs: its own list of names, and what killed runs have left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ctfast._lake.audit import entries
from ctfast._lake.layout import COPIES
from ctfast._lake.references import naming, references
from ctfast._lake.store import File, Store
from ctfast._lake.table import Snapshot, Table
from ctfast._scan.part import KEYS, MONTH
from ctfast._scan.parts import message_path
from ctfast._scan.rewritten import split_of

__all__ = ["LAST", "Swept", "is_past", "sweep"]

#: After all months.
LAST = "~"

#: For so long after it was written, a part that the table does not name may be one of a run that is under way; and for
#: so long after it was replaced, a query that has begun before may read it.
_IN_USE = timedelta(days=1)
#: The names of parts and of their keys. Whatever else lies there is not of a lake.
_PART = re.compile(r"part-[0-9a-f]+-[0-9]+(?:-[0-9a-f]+)*\.(?:parquet|keys)")


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
    # A commit has the lock from its look at the parts on: no part is removed that it is about to name.
    with table.store.locked():
        return _swept(table.store, table.open(), last, is_due)


def _swept(store: Store, snapshot: Snapshot, last: str, is_due: Callable[[dict[str, Any]], bool]) -> Swept:
    live = {part.path for part in snapshot.parts()}
    found = entries(store, snapshot)
    removed = {path: entry for entry in found for path in entry.get("removed", ())}
    tables = references(found).values()
    iceberg: set[str] = set()
    deleted = left = 0
    limit = time.time() - _IN_USE.total_seconds()
    for path, modified in sorted(_parts(store, last).items()):
        if path in live:
            continue
        named = naming(tables, removed[path]) if path in removed else set()
        iceberg |= named
        if not named and (is_due(removed[path]) if path in removed else modified < limit):
            # A message goes first, so that none names a part that is gone.
            store.remove(message_path(split_of(path)))
            store.remove_part(path)
            deleted += 1
        else:
            left += 1
    gone = {name for entry in found for name in entry.get("copies", ())}
    for path, modified in _of_months(store, f"{COPIES}/", ".parquet"):
        if path not in gone and (snapshot.has(path) or _month(path) > last):
            continue
        # Those that no commit names are of one that is under way, or was overtaken or killed.
        if path in gone or modified < limit:
            store.remove(path)
        else:
            left += 1
    return Swept(deleted, left, tuple(sorted(iceberg)))


def _parts(store: Store, last: str) -> dict[str, float]:
    """Return the parts, and when each was last written: a run may have been killed between the keys and the part."""
    found: dict[str, float] = {}
    for folder in (f"{KEYS}/", ""):
        store.remove_leftovers(f"{folder}{MONTH}=")
        for path, modified in _of_months(store, folder, ""):
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
