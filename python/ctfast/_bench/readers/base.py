"""The interface of readers, and how their answers are compared with what is known of an archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

__all__ = ["ENDING", "TASKS", "Archive", "Reader", "difference", "manifest_of", "when"]

#: What is asked of each reader.
TASKS = ("columns", "count", "rare")
#: The ending of the files of an archive that all readers find.
ENDING = ".json.gz"
#: Bytes of JSON in a file, on average; below this some readers are faster in another form.
_SMALL = 100_000
#: Where the answers have what is no number of values that are not null.
_KNOWN = {"rows": "events", "first": "first_time", "last": "last_time", "raw": "record_bytes", "text": "bytes_inflated"}
#: The most differences that are named.
_NAMED = 3


def manifest_of(path: Path) -> Path:
    """Return the file beside an archive that holds the right answers."""
    return path.with_name(f"{path.name}.manifest.json")


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive on disk with the right answers."""

    path: Path
    answers: dict[str, Any]

    @classmethod
    def at(cls, path: Path) -> Archive:
        """Return the archive at a path, with the manifest beside it."""
        return cls(path, json.loads(manifest_of(path).read_bytes()))

    @property
    def small_files(self) -> bool:
        """Whether the files are tiny on average."""
        return bool(self.answers["bytes_inflated"] / self.answers["files"] < _SMALL)

    @property
    def glob(self) -> str:
        """A pattern of all log files."""
        return f"{self.path}/**/*{ENDING}"

    @property
    def files(self) -> list[Path]:
        """All log files, in order."""
        return sorted(self.path.rglob(f"*{ENDING}"))

    @property
    def rare(self) -> str:
        """The name of the few events that are looked for: letters and digits."""
        return str(self.answers["rare_name"])


class Reader(Protocol):
    """One reader. Each task returns its own kind of result; ``facts`` puts it into a form that can be compared."""

    archive: Archive

    def __init__(self, archive: Archive, threads: int) -> None: ...

    def version(self) -> str:
        """Return the versions that matter."""

    def columns(self) -> Any:
        """Read every event with every column into a table in memory."""

    def count(self) -> Any:
        """Count the events by name."""

    def rare(self) -> Any:
        """Return time, name, ARN, address and id of the rare events."""

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared: a dictionary of counts, or rows."""


def difference(task: str, facts: Any, answers: Mapping[str, Any]) -> str | None:
    """Compare the facts of a result with the right answers, and return in words what differs; None if nothing does."""
    if task == "rare":
        found: Any = {"rows": sorted([when(row[0]), *row[1:]] for row in facts)}
        expected: Any = {"rows": answers["rare"]}
    elif task == "count":
        # Insight records have no name; a reader may leave them out or count them under null.
        found = {name: count for name, count in dict(facts).items() if name}
        expected = {name: count for name, count in answers["event_names"].items() if name}
    else:
        found = dict(facts)
        expected = {
            name: answers[_KNOWN[name]] if name in _KNOWN else answers["not_null"].get(name, 0) for name in found
        }
        for end in ("first", "last"):
            if end in found:
                found[end] = when(found[end])
    names = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    parts = [_differs(name, found.get(name), expected.get(name)) for name in names[:_NAMED]]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join(parts + more) or None


def _differs(name: str, found: Any, expected: Any) -> str:
    if isinstance(found, list):
        if len(found) != len(expected):
            return f"{len(found)} {name} instead of {len(expected)}"
        row, other = next((one, other) for one, other in zip(found, expected, strict=True) if one != other)
        return f"{name}: {row} instead of {other}"
    return f"{name}: {found} instead of {expected}"


def when(value: datetime | str | None) -> str | None:
    """Return a time as ``eventTime`` writes it, whatever a reader made of it.

    Examples
    --------
    >>> when("2026-11-20 10:00:00")
    '2026-11-20T10:00:00Z'
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
