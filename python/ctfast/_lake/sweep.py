"""Removes files that no version of the table needs: its own list of names, and what killed runs have left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ctfast import _ctfast
from ctfast._lake.audit import entries
from ctfast._lake.layout import COPIES
from ctfast._lake.table import Snapshot, Table
from ctfast._new_file import locked
from ctfast._scan.part import KEYS, MONTH, keys_path
from ctfast._scan.parts import message_path
from ctfast._scan.rewritten import split_of

__all__ = ["is_past", "sweep"]

#: For so long after it was written, a part that the table does not name may be one of a run that is under way; and for
#: so long after it was replaced, a query that has begun before may read it.
_IN_USE = timedelta(days=1)
#: The names of parts and of their keys. Whatever else lies there is not of a lake.
_PART = re.compile(r"part-[0-9a-f]+-[0-9]+(?:-[0-9a-f]+)*\.(?:parquet|keys)")


def is_past(entry: dict[str, Any]) -> bool:
    """Whether no query needs any more what an entry of the audit has removed."""
    return datetime.fromisoformat(entry["time"]) < datetime.now(UTC) - _IN_USE


def sweep(table: Table, last: str, is_due: Callable[[dict[str, Any]], bool]) -> tuple[int, int]:
    """Remove what is superfluous of the months up to a last one.

    Parameters
    ----------
    table
        The table.
    last
        The last month, as in the names of partitions.
    is_due
        Whether what an entry of the audit has removed is to be deleted now.

    Returns
    -------
    tuple of int
        How many parts were deleted, and how many stay, since they may be in use.
    """
    # A commit has the lock from its look at the parts on: no part is removed that it is about to name.
    with locked(table.root):
        return _swept(table.root, table.open(), last, is_due)


def _swept(root: Path, snapshot: Snapshot, last: str, is_due: Callable[[dict[str, Any]], bool]) -> tuple[int, int]:
    live = {part.path for part in snapshot.parts()}
    found = entries(root, snapshot)
    removed = {path: entry for entry in found for path in entry.get("removed", ())}
    deleted = left = 0
    limit = time.time() - _IN_USE.total_seconds()
    for path, place in sorted(_found(root, last)):
        if path in live:
            continue
        try:
            is_over = is_due(removed[path]) if path in removed else place.stat().st_mtime < limit
        except FileNotFoundError:
            continue  # another sweep was first
        if is_over:
            # A message goes first, so that none names a part that is gone.
            for name in (message_path(split_of(path)), path, keys_path(path)):
                with suppress(FileNotFoundError):
                    (root / name).unlink()
            deleted += 1
        else:
            left += 1
    gone = {name for entry in found for name in entry.get("copies", ())}
    for place in root.glob(f"{COPIES}/{MONTH}=*/*.parquet"):
        path = place.relative_to(root).as_posix()
        if path not in gone and (snapshot.has(path) or place.parent.name.removeprefix(f"{MONTH}=") > last):
            continue
        # Those that no commit names are of one that is under way, or was overtaken or killed.
        with suppress(FileNotFoundError):
            if path in gone or place.stat().st_mtime < limit:
                place.unlink()
            else:
                left += 1
    return deleted, left


def _found(root: Path, last: str) -> set[tuple[str, Path]]:
    """Return the parts, each with a file of it: a run may have been killed between the keys and the part."""
    found: dict[str, Path] = {}
    for folder in (*root.glob(f"{KEYS}/{MONTH}=*"), *root.glob(f"{MONTH}=*")):
        if folder.name.removeprefix(f"{MONTH}=") <= last:
            _ctfast.remove_leftovers(folder)
            ours = (place for place in folder.iterdir() if _PART.fullmatch(place.name) and place.is_file())
            found |= {f"{folder.name}/{place.stem}.parquet": place for place in ours}
    return set(found.items())
