"""Sources of keys: what names the objects to read when no folder is listed.

Every source is a :class:`KeySource`. It yields :class:`Object` one after another, hears through :meth:`KeySource.done` whose rows
were handed over, and through :meth:`Receipt.commit` that they are safe.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from ctfast import _ctfast
from ctfast.exceptions import CloudTrailError, FormatError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["KeySource", "Object", "Receipt", "bad_line"]


class Object(NamedTuple):
    """A file to read.

    Attributes
    ----------
    url : str
        ``s3://bucket/key``, the key as it is and never encoded; or a local path.
    size : int or None
        Bytes as stored, if the source knows.
    """

    url: str
    size: int | None = None


class Receipt:
    """Makes what was read count as read: once its rows are safe, and not before.

    ``ctfast.stream`` commits by itself, whenever the loop has come back for more after the last row of some thousand files. In a
    ``with`` block, and with ``ctfast.scan``, ``read`` and ``sql``, whose rows are nobody's until the query has ended, nothing is
    committed before the end of the block, or before :meth:`commit` is called. What is not committed is read again the next time.
    """

    _held = False

    def commit(self) -> None:
        """Make all that was handed over so far count as read."""

    def __enter__(self) -> Self:
        """Commit at the end of the block only."""
        self._held = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Commit, unless the block has failed."""
        self._held = False
        if kind is None:
            self.commit()

    def _came_back(self) -> None:
        """Hear that a loop over a stream has come back for more."""
        if not self._held:
            self.commit()


class KeySource(Receipt, ABC):
    """Names files to read, lazily.

    Attributes
    ----------
    named : int
        Files that it has named so far.
    skipped : dict of str to int
        What else it came across, by reason: ``key`` (an object that is none of CloudTrail's), ``event`` (a notification of
        something other than a new object), ``test`` (what AWS sends when notifications are set up), ``version`` (not the
        latest), ``deleted``.
    pruned : dict of str to int
        Folders that it did not list, by reason.
    bad : list of CloudTrailError
        What could not be understood: each with its place and reason, the first 20,000 of them.
    unnamed : int
        How many there are besides. Nothing is dropped in silence.
    """

    def __init__(self) -> None:
        self.named = 0
        self.skipped: Counter[str] = Counter()
        self.pruned: Counter[str] = Counter()
        self.bad: list[CloudTrailError] = []
        self.unnamed = 0

    def __iter__(self) -> Iterator[Object]:
        """Name the files, one after another; counts are those of the last pass."""
        self.named = 0
        self.skipped.clear()
        self.pruned.clear()
        self.bad.clear()
        self.unnamed = 0
        for found in self._objects():
            self.named += 1
            yield found

    @abstractmethod
    def _objects(self) -> Iterator[Object]: ...

    def _refuse(self, error: CloudTrailError) -> None:
        """Note what could not be understood; what a report has no room for is counted."""
        if len(self.bad) < _ctfast.NAMED_FILES:
            self.bad.append(error)
        else:
            self.unnamed += 1

    def done(self, files: Sequence[Object], failed: Container[str]) -> None:
        """Hear that the rows of these files, the next ones in order, were handed over, but for those that could not be read."""

    def close(self) -> None:
        """End the run: nothing more is named."""

    def _cloudtrail(self, bucket: str, key: str, size: int | None) -> Iterator[Object]:
        """Yield the object, if its key is one of CloudTrail's: a bucket holds other things, too."""
        if _ctfast.parse_key(key) is None:
            self.skipped["key"] += 1
        else:
            yield Object(f"s3://{bucket}/{key}", size)


def bad_line(place: str, number: int, kind: str, message: str) -> FormatError:
    """Return what is wrong with a line, counted from 0, of a list."""
    return FormatError(message, place, None, number, kind, f"{place}: {message} (line {number + 1})")
