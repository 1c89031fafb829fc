"""Keeping up with new files: the loop that looks for them again and again, for all kinds of sources."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from ctfast._show.plain import counted
from ctfast._source.object_keys import KeySource, Portion
from ctfast.exceptions import ServiceError, SourceError

__all__ = ["INTERVAL", "Follow"]

#: Between two looks.
INTERVAL = timedelta(seconds=60)
#: After looks that have failed the wait doubles up to this, unless the interval is longer.
_LONGEST = timedelta(minutes=15)
#: A store that cannot be listed for this long is unlikely to recover by itself.
_PATIENCE = timedelta(days=1)
_LOG = logging.getLogger("ctfast")
_Done = TypeVar("_Done")


@dataclass
class Follow:
    """Looks for new files, waits, and looks again, until the generator that uses it is closed.

    The first look has to succeed: an error there is most likely a mistake of the user. A later look may fail, for
    example while a store is restarted or a network is down. This gives a warning, and the next look comes after a
    longer wait, until looks have failed for a day. Errors of the checkpoint's own file are raised at once, and so are
    all errors that are not about finding files.

    Attributes
    ----------
    interval : timedelta
        How long to wait after each look.
    warn : callable
        Called with a message about failed looks.
    looked : callable
        Called after each look that did not fail.
    """

    interval: timedelta = INTERVAL
    warn: Callable[[str], object] = _LOG.warning
    looked: Callable[[], object] = field(default=lambda: None)
    patience: timedelta = _PATIENCE

    def __post_init__(self) -> None:
        self._error: Exception | None = None
        self._failures = 0
        self._since = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether the last look failed."""
        return self._error is not None

    def looks(self, source: KeySource, look: Callable[..., Iterator[Portion]]) -> Iterator[Iterator[Portion]]:
        """Yield one look after another; each must be read to its end before the next one is requested."""
        yield look(again=False)
        while True:
            self._wait()
            yield self._forgiving(source, look(again=True))

    def rounds(self, work: Callable[[], _Done]) -> Iterator[_Done]:
        """Do work that finds what is new, again and again, and yield what it returns; a round that fails gives none."""
        yield work()
        while True:
            self._wait()
            self._error = None
            try:
                done = work()
            except (SourceError, ServiceError, OSError) as error:
                self._error = error
            else:
                yield done

    def _forgiving(self, source: KeySource, portions: Iterator[Portion]) -> Iterator[Portion]:
        self._error = None
        try:
            yield from portions
        except (SourceError, ServiceError, OSError) as error:
            if isinstance(error, OSError) and error.filename == source.place:
                raise
            self._error = error

    def _wait(self) -> None:
        wait = self.interval
        if self._error is None:
            if self._failures:
                self.warn(f"looking for new files works again, after {counted(self._failures, 'failure')}")
            self._failures = 0
            self.looked()
        else:
            if not self._failures:
                self._since = time.monotonic()
            self._failures += 1
            wait = max(wait, min(wait * 2 ** min(self._failures, 20), _LONGEST))
            failing = timedelta(seconds=time.monotonic() - self._since)
            if failing + wait > self.patience:
                raise self._error
            seconds = f"{wait.total_seconds():.0f} s"
            self.warn(f"{_words(self._error)}; looking again in {seconds} (failure {self._failures})")
        time.sleep(wait.total_seconds())


def _words(error: Exception) -> str:
    """Return the message of an error, without the error number that Python puts before it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
