"""An ingest that follows an archive: a line about each round, until a signal ends it; and how far a round is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self

import ctfast as ct
from ctfast._show.plain import counted
from ctfast.cli.following import now
from ctfast.cli.lake import MOST, bad_files
from ctfast.cli.progress import steps
from ctfast.cli.screen import say, size

__all__ = ["Bar", "keep_up"]


class Bar:
    """Shows how far an ingest is, from its first split on until it is closed."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._step: Callable[[str, float, float | None], None] | None = None

    def show(self, progress: ct.IngestProgress) -> None:
        """Show this."""
        if self._step is None:
            self._step = self._open.enter_context(steps("reading")) or _nothing
        self._step(_words(progress), progress.bytes, progress.of_bytes)

    def close(self) -> None:
        """Remove it from the screen, where lines come next."""
        self._open.close()
        self._step = None

    def __enter__(self) -> Self:
        """Return the bar itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def _nothing(_words: str, _done: float, _of: float | None) -> None:
    """Stand for a bar where nothing is shown."""


def _words(now: ct.IngestProgress) -> str:
    """Return how far it is, how fast, and how long it will take."""
    parts = [counted(now.files, "file", now.of_files), size(now.bytes), counted(now.records, "record")]
    if now.seconds > 0 and now.bytes:
        left = now.seconds * (now.of_bytes - now.bytes) / now.bytes
        parts += [f"{now.records / now.seconds:,.0f} a second", f"{left:,.0f} s left"]
    return ", ".join(parts)


def keep_up(lake: ct.Lake, rounds: Iterator[ct.Ingested], interval: timedelta, bar: Bar) -> None:
    """Print a line about each round, and one about all of them in the end."""
    number = files = stored = 0
    try:
        with bar, _reported(bar):
            for done in rounds:
                bar.close()
                say(f"{now()} {_took(done)}", *map(str, done.errors[:MOST]))
                if done.bad_files:
                    bad_files(lake)
                if not number:
                    say(*(f"ctfast: {found}" for found in done.unmatched))
                    say(
                        f"ctfast: what is there is stored; looking for new files every {interval.total_seconds():.0f} s"
                    )
                number, files, stored = number + 1, files + done.files, stored + done.stored
    finally:
        counts = counted(number, "round"), f"{counted(files, 'file')} read", f"{counted(stored, 'record')} stored"
        say(f"ctfast: {', '.join(counts)}")


def _took(done: ct.Ingested) -> str:
    """Return what a round has taken, and what it could not take."""
    words = [f"{counted(done.files, 'file')} read", f"{done.known:,} known"]
    if done.read:
        words += [f"{counted(done.stored, 'record')} stored", f"{done.duplicates:,} stored before", f"{done.bad:,} bad"]
    if done.bad_files:
        words.append(counted(done.bad_files, "bad file"))
    if done.unlisted:
        words.append(f"{done.unlisted:,} that cannot be opened or listed")
    if done.archived:
        words.append(f"{done.archived:,} archived")
    return ", ".join(words)


@contextmanager
def _reported(bar: Bar) -> Iterator[None]:
    """Print what is reported of rounds that fail, where the logger would print it without its time."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            bar.close()
            say(f"{now()} {record.getMessage()}")

    logger, lines = logging.getLogger("ctfast"), Lines()
    logger.addHandler(lines)
    try:
        yield
    finally:
        logger.removeHandler(lines)
