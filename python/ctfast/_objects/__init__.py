"""Sources of keys: what names the objects to read when no folder is listed.

Every source is a :class:`KeySource`. It yields :class:`Object` one after another and hears, through :meth:`KeySource.done`,
whose rows were handed over.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from ctfast import _ctfast
from ctfast.exceptions import FormatError

__all__ = ["KeySource", "Object", "bad_line"]


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


class KeySource(ABC):
    """Names files to read, lazily.

    Attributes
    ----------
    named : int
        Files that it has named so far.
    skipped : dict of str to int
        What else it came across, by reason: ``key`` (an object that is none of CloudTrail's), ``event`` (a notification of
        something other than a new object), ``test`` (what AWS sends when notifications are set up), ``version`` (not the
        latest), ``deleted``.
    bad : list of FormatError
        What could not be understood: each with its place and reason. Nothing is dropped in silence.
    """

    def __init__(self) -> None:
        self.named = 0
        self.skipped: Counter[str] = Counter()
        self.bad: list[FormatError] = []

    def __iter__(self) -> Iterator[Object]:
        """Name the files, one after another; counts are those of the last pass."""
        self.named = 0
        self.skipped.clear()
        self.bad.clear()
        for found in self._objects():
            self.named += 1
            yield found

    @abstractmethod
    def _objects(self) -> Iterator[Object]: ...

    def done(self, files: Iterable[Object], failed: Container[str]) -> None:  # noqa: B027  # most sources forget nothing
        """Hear that the rows of these files, the next ones in order, were handed over, but for those that failed."""

    def _cloudtrail(self, bucket: str, key: str, size: int | None) -> Iterator[Object]:
        """Yield the object, if its key is one of CloudTrail's: a bucket holds other things, too."""
        if _ctfast.parse_key(key) is None:
            self.skipped["key"] += 1
        else:
            yield Object(f"s3://{bucket}/{key}", size)


def bad_line(place: str, number: int, kind: str, message: str) -> FormatError:
    """Return what is wrong with a line, counted from 0, of a list."""
    return FormatError(message, place, None, number, kind, f"{place}: {message} (line {number + 1})")
