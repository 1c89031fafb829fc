"""What a peer is, and how its answers are checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

TASKS = ("columns", "count", "rare")
TASK_TEXT = {
    "columns": "every column",
    "count": "count by eventName",
    "rare": "five columns of the DeleteBucket events",
}
SMALL = 100_000  # bytes of JSON in a file, on average; below it some peers do better with another form


@dataclass(frozen=True, slots=True)
class Archive:
    """A corpus on disk with its right answers."""

    path: Path
    answers: dict[str, Any]

    @classmethod
    def at(cls, path: Path) -> Archive:
        """Return the corpus at `path`, whose manifest lies beside it."""
        return cls(path, json.loads(path.with_name(path.name + ".manifest.json").read_bytes()))

    @property
    def small_files(self) -> bool:
        """Whether the files are tiny on average."""
        return bool(self.answers["bytes_inflated"] / self.answers["files"] < SMALL)

    @property
    def glob(self) -> str:
        """A pattern of all log files."""
        return f"{self.path}/**/*.json.gz"


class Peer(Protocol):
    """One reader. Each task returns its own kind of result; `facts` puts it into a form that can be compared."""

    archive: Archive

    def __init__(self, archive: Archive, threads: int) -> None: ...

    def version(self) -> str:
        """Return the versions that matter."""

    def columns(self) -> Any:
        """Read every event with every column into a table in memory."""

    def count(self) -> Any:
        """Count the events by name."""

    def rare(self) -> Any:
        """Return time, name, ARN, address and id of the DeleteBucket events."""

    def facts(self, task: str, result: Any) -> Any:
        """Return what `check` compares: a dictionary of counts, or rows."""


def check(task: str, facts: Any, answers: dict[str, Any]) -> None:
    """Compare the `facts` of a result with the manifest.

    Raises
    ------
    AssertionError
        When the answer is wrong.
    """
    expected: Any
    if task == "rare":
        facts = sorted([when(row[0]), *row[1:]] for row in facts)
        expected = answers["delete_bucket"]
    elif task == "count":
        # Insight records have no name; a peer may leave them out or count them under null.
        facts = {name: count for name, count in dict(facts).items() if name}
        expected = {name: count for name, count in answers["event_names"].items() if name}
    else:
        facts = dict(facts)
        expected = {name: answers["not_null"].get(name, 0) for name in facts if name not in {"rows", "first", "last"}}
        expected["rows"] = answers["events"]
        for end in ("first", "last"):
            if end in facts:
                facts[end] = when(facts[end])
                expected[end] = answers[f"{end}_time"]
    if facts != expected:
        wrong = (
            [(name, facts.get(name), value) for name, value in expected.items() if facts.get(name) != value]
            if task != "rare"
            else facts
        )
        message = f"{task}: wrong answer: {wrong}"
        raise AssertionError(message)


def when(value: datetime | str) -> str:
    """Return a time as `eventTime` writes it, whatever the peer made of it."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
