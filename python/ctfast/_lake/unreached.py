"""Files that could not be reached: a lake does not know them, so that another look tries them again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ctfast._lake.known import File
from ctfast._ledger.report import Report
from ctfast._scan.message import SplitMessage
from ctfast.exceptions import SourceError

__all__ = ["ARCHIVED", "Postponed", "reached"]

#: Of an object in an archive class, which has to be restored first.
ARCHIVED = "archived"
#: Failures of the way to a file, and not of the file: the same version may be read another time.
_OF_THE_WAY = frozenset(
    {
        ARCHIVED,
        "access-denied",
        "changed",
        "credentials",
        "kms",
        "network",
        "no-such-bucket",
        "no-such-key",
        "protocol",
        "redirect",
        "server",
        "throttled",
        "timeout",
        "unreadable",
    }
)
#: A file that cannot be reached is tried again after 1, 2, 4 … looks, up to these: a try may take requests and time.
_LONGEST = 64


def reached(message: SplitMessage, report: Report) -> tuple[SplitMessage, dict[File, SourceError]]:
    """Divide what became of the files of a split into what is told to the lake, and those that were not reached.

    Records that came before a connection broke off are in the parts, and stay if the split has other files: when the
    file is read again, these are copies. The report is that of the same attempt; it is empty if the message is one of
    an earlier attempt.
    """
    rows = [row for row in message.ledger if row["outcome"] == "bad" and row["reason"] in _OF_THE_WAY]
    if not rows:
        return message, {}
    words = {row["file"]: row["message"] for row in report.bad.iter_rows(named=True)}
    missing = {_version(row): _error(row, words) for row in rows}
    told = tuple(row for row in message.ledger if _version(row) not in missing)
    return replace(message, ledger=told), missing


def _version(row: Mapping[str, Any]) -> File:
    return row["file"], row["size"], row["etag"], row["modified"]


def _error(row: Mapping[str, Any], words: Mapping[str, str]) -> SourceError:
    file, kind = row["file"], row["reason"]
    message = words.get(file, kind)
    return SourceError(message, file, None, None, kind, f"{file}: {message}")


class Postponed:
    """Which files that could not be reached are left for a later look."""

    def __init__(self) -> None:
        self._look = 0
        #: By version of a file: how often it was tried, and the look that tries it again.
        self._waiting: dict[File, tuple[int, int]] = {}

    def next(self) -> Collection[File]:
        """Begin another look, and return those that it leaves out."""
        self._look += 1
        return {file for file, (_, due) in self._waiting.items() if due > self._look}

    def note(self, tried: Collection[File], left_out: Collection[File]) -> None:
        """Take the files that this look has tried without success, and those that it has left out."""
        waiting = {file: self._waiting[file] for file in left_out}
        for file in tried:
            tries = self._waiting.get(file, (0, 0))[0] + 1
            waiting[file] = tries, self._look + min(1 << min(tries - 1, 30), _LONGEST)
        self._waiting = waiting
