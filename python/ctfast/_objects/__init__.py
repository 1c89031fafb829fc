"""Sources of keys: what names the objects to read when no folder is listed.

Every source is a :class:`KeySource`. It yields :class:`Object` one after another, in portions that are read together, and hears
through :meth:`KeySource.done` what became of them, and through :meth:`Receipt.commit` that their rows are safe.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from ctfast import _ctfast
from ctfast.exceptions import CloudTrailError, FormatError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Extent", "KeySource", "Object", "Portion", "Receipt", "Row", "bad_line", "cut"]

#: Bytes of the hash that names a portion.
_ID = 16


class Object(NamedTuple):
    """A file to read.

    Attributes
    ----------
    url : str
        ``s3://bucket/key``, the key as it is and never encoded; or a local path.
    size : int or None
        Bytes as stored, if the source knows.
    etag : str or None
        What the store calls this version of it, if the source knows.
    modified : int or None
        When it was last changed, in microseconds since 1970, if the source knows.
    first : int
        Its first record to hand over: those before it were handed over by an earlier run.
    tries : int
        How many runs have tried to read it and failed.
    """

    url: str
    size: int | None = None
    etag: str | None = None
    modified: int | None = None
    first: int = 0
    tries: int = 0


class Row(NamedTuple):
    """What became of a file: a row of the scan's ledger.

    Attributes
    ----------
    file : str
        Its path or address.
    outcome : str
        ``read`` to its end, ``bad``, or ``skipped``.
    reason : str or None
        Why it is bad, or was skipped.
    byte : int or None
        Where the damage lies, if that is known.
    read, bad, skipped : int
        Its records that became rows, are none, and were not asked for.
    """

    file: str
    outcome: str
    reason: str | None
    byte: int | None
    read: int
    bad: int
    skipped: int

    @property
    def seen(self) -> int:
        """Records up to the end, or to the damage."""
        return self.read + self.bad + self.skipped


class Extent(NamedTuple):
    """How much is read, and counts as read, together: at most so many files, and bytes as stored."""

    files: int = 2_000
    bytes: int = 64 << 20


@dataclass
class Portion:
    """Files that are read, and count as read, together.

    Attributes
    ----------
    id : str
        The same whenever the same versions of the same files are read by the same query.
    files : list of Object
        In the order in which they are read.
    is_repeated : bool
        Whether it is that of an earlier run: the files may be others by now.
    ledger : dict of str to Row, or None
        What became of each, by its url, once all are read.
    """

    id: str
    files: list[Object]
    is_repeated: bool = False
    ledger: Mapping[str, Row] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, query: str, files: list[Object]) -> Portion:
        """Name a portion by its query and its files."""
        text = json.dumps([query, files], separators=(",", ":"))
        return cls(blake2b(text.encode(), digest_size=_ID).hexdigest(), files)


class Receipt:
    """Makes what was read count as read: once its rows are safe, and not before.

    Nothing is committed but by :meth:`commit`, by that of a :class:`ctfast.Unit`, or at the end of a ``with`` block that has not
    failed. What is not committed is read again the next time; what was handed over in a block that has failed is not committed
    later either.
    """

    def commit(self) -> None:
        """Make the portions count as read that were handed over to their last row; a portion is up to 2,000 files."""

    def __enter__(self) -> Self:
        """Return the receipt itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Commit; of a block that has failed, nothing."""
        if kind is None:
            self.commit()
        else:
            self._give_up()

    def _give_up(self) -> None:
        """Let what was handed over and not committed be read again."""


class KeySource(Receipt, ABC):
    """Names files to read, lazily.

    Attributes
    ----------
    place : str
        What names them, as a sentence says it.
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
    warnings : list of CloudTrailError
        What is strange about files that were read before.
    """

    #: Whether what was read is not named again by another pass.
    forgets: ClassVar[bool] = False

    def __init__(self) -> None:
        self.named = 0
        self.skipped: Counter[str] = Counter()
        self.pruned: Counter[str] = Counter()
        self.bad: list[CloudTrailError] = []
        self.unnamed = 0
        self.warnings: list[CloudTrailError] = []
        #: Where it is noted as well, for the run that is under way.
        self._ledgers: list[_ctfast.Ledger] = []

    def __iter__(self) -> Iterator[Object]:
        """Name the files, one after another; counts are those of the last pass."""
        self._begin()
        yield from self._named()

    @property
    @abstractmethod
    def place(self) -> str:
        """What names the files, as a sentence says it."""

    def _again(self) -> KeySource | None:
        """Return a source that names the same, to be counted beside this one; None where that would cost requests, or is lost."""
        return None

    def _begin(self) -> None:
        self.named = 0
        self.skipped.clear()
        self.pruned.clear()
        self.bad.clear()
        self.unnamed = 0
        self.warnings.clear()

    def _named(self) -> Iterator[Object]:
        for found in self._objects():
            self.named += 1
            yield found

    @abstractmethod
    def _objects(self) -> Iterator[Object]: ...

    def _refuse(self, error: CloudTrailError) -> None:
        """Note what could not be understood; what a report has no room for is counted."""
        for ledger in self._ledgers:
            ledger.note(error.key or self.place, "bad", error.kind or "bug")
        if len(self.bad) < _ctfast.NAMED_FILES:
            self.bad.append(error)
        else:
            self.unnamed += 1

    def _pass(self, reason: str, file: str, size: int | None = None, etag: str | None = None) -> None:
        """Count what is not read, and note it."""
        self.skipped[reason] += 1
        for ledger in self._ledgers:
            ledger.note(file, "skipped", reason, size, etag)

    def portions(self, query: str, extent: Extent, *, plan: bool) -> Iterator[Portion]:  # noqa: ARG002  # for those that remember
        """Name the files portion by portion.

        A source that remembers what was read notes each portion that is planned before it yields it, and repeats it in the next
        run if it was not committed.
        """
        for files in cut(self, extent):
            yield Portion.of(query, files)

    def done(self, portion: Portion) -> None:
        """Hear that the rows of a portion were handed over, and what became of its files."""

    def close(self) -> None:
        """End the run: nothing more is named."""

    def _cloudtrail(self, bucket: str, key: str, size: int | None) -> Iterator[Object]:
        """Yield the object, if its key is one of CloudTrail's: a bucket holds other things, too."""
        if _ctfast.parse_key(key) is None:
            self._pass("key", f"s3://{bucket}/{key}", size)
        else:
            yield Object(f"s3://{bucket}/{key}", size)


def cut(files: Iterable[Object], extent: Extent) -> Iterator[list[Object]]:
    """Cut a row of files into portions. A file of unknown size counts as none of the bytes."""
    portion: list[Object] = []
    size = 0
    for file in files:
        size += file.size or 0
        if portion and (len(portion) == extent.files or size > extent.bytes):
            yield portion
            portion, size = [], file.size or 0
        portion.append(file)
    if portion:
        yield portion


def bad_line(place: str, number: int, kind: str, message: str) -> FormatError:
    """Return what is wrong with a line, counted from 0, of a list."""
    return FormatError(message, place, None, number, kind, f"{place}: {message} (line {number + 1})")
