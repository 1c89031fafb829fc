"""What was done to a lake besides taking archives in: an entry for each hold, release and retention, for auditors.

An entry is a JSON file, and counts if a transaction of the table has its name. The history of a Delta table is removed
after a month, its transactions are not.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctfast._lake.layout import AUDIT, audit_path
from ctfast._lake.table import LostRaceError, Snapshot
from ctfast._small_file import read
from ctfast._store.store import Store

__all__ = ["entries", "is_noted", "note"]

_FORMAT = 1


def note(store: Store, snapshot: Snapshot, action: str, **facts: Any) -> str:
    """Write the entry for the next version of the table, and return its path."""
    entry = {
        "format": _FORMAT,
        "version": snapshot.version + 1,
        "action": action,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
    }
    content = json.dumps(entry, ensure_ascii=False).encode()
    path = audit_path(action, snapshot.version + 1, hashlib.sha256(content).hexdigest())
    store.put(path, content)
    return path


def is_noted(store: Store, snapshot: Snapshot, action: str, **facts: Any) -> bool:
    """Commit an entry alone, and tell whether no other commit was first."""
    try:
        snapshot.commit([], [note(store, snapshot, action, **facts)])
    except LostRaceError:
        return False
    return True


def entries(store: Store, snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return all entries, the first one first."""
    paths = snapshot.beside(AUDIT)
    found = [_entry(store.at(path), place) for path, place in zip(paths, store.fetch_sound(paths), strict=True)]
    for entry in found:
        if entry["format"] != _FORMAT:
            message = (
                f"{store.at(AUDIT)} has an entry of format {entry['format']}, and this ctfast knows {_FORMAT}: "
                "update it"
            )
            raise ValueError(message)
    return found


def _entry(name: str, place: Path) -> dict[str, Any]:
    try:
        return json.loads(read(place, regular=True))  # type: ignore[no-any-return]
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
