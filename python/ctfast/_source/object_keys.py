"""Sources of object keys: what names the objects to read when no folder is listed.

Every source is a :class:`KeySource`. It yields :class:`Object` one by one, in portions that are read together.
:meth:`KeySource.done` tells it what became of them, and :meth:`Receipt.commit` that their rows are safe.
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
        ``s3://bucket/key`` with the plain key, never encoded; or a local path.
    size : int or None
        Bytes as stored, if the source knows.
    etag : str or None
        The store's ETag of this version, if the source knows.
    modified : int or None
        When it was last modified, in microseconds since 1970, if the source knows.
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
    """What became of a file: a row of the ledger, with the columns of :func:`ctfast.files`.

    ``records_open`` is how many of its last documents, none of them a record, may become others if the file grows.
    """

    file: str
    size: int | None
    etag: str | None
    outcome: str
    reason: str | None
    byte: int | None
    records_read: int
    records_bad: int
    records_skipped: int
    records_duplicate: int | None
    sha256: str | None
    records_open: int = 0

    @property
    def seen(self) -> int:
        """Records up to the end, or to the damage, without what may be unfinished there."""
        return self.records_read + self.records_bad + self.records_skipped - self.records_open


class Extent(NamedTuple):
    """The limits of a portion: files, and bytes as stored."""

    files: int = 2_000
    bytes: int = 64 << 20


@dataclass
class Portion:
    """Files that are read, and count as read, together.

    Attributes
    ----------
    id : str
        The same whenever one query reads the same versions of the same files.
    files : list of Object
        In the order in which they are read.
    is_repeated : bool
        Whether it repeats one of an earlier run: its files may have changed.
    ledger : dict of str to Row, or None
        What became of each file, by URL, once all are read.
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
    """Lets files count as read once their rows are safe, and not before.

    Only :meth:`commit`, that of a :class:`ctfast.Unit`, or the end of a ``with`` block without an error commits. What
    is not committed is read again the next time; what was handed over in a failed block is not committed later either.
    """

    def commit(self) -> None:
        """Commit the portions whose rows were all handed over; a portion has up to 2,000 files."""

    def __enter__(self) -> Self:
        """Return the receipt itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, unless the block failed."""
        if kind is None:
            self.commit()
        else:
            self._give_up()

    def _give_up(self) -> None:
        """Let what was handed over but not committed be read again."""


class KeySource(Receipt, ABC):
    """Names files to read, lazily.

    Attributes
    ----------
    place : str
        The name of the source, for messages.
    named : int
        Files that it has named so far.
    skipped : dict of str to int
        What else it found, by reason: ``key`` (an object that is not CloudTrail's), ``event`` (a notification of
        something other than a new object), ``test`` (sent by AWS when notifications are set up), ``version`` (not the
        latest), ``deleted``.
    pruned : dict of str to int
        Folders that it did not list, by reason.
    bad : list of CloudTrailError
        Entries that were not understood: each with its place and reason, the first 20,000.
    unnamed : int
        How many more there are: nothing is dropped silently.
    warnings : list of CloudTrailError
        Anything unusual about files that were read before, the first 20,000.
    unnamed_warnings : int
        How many more there are.
    """

    #: Whether another pass does not name the same files again.
    forgets: ClassVar[bool] = False

    def __init__(self) -> None:
        self.named = 0
        self.skipped: Counter[str] = Counter()
        self.pruned: Counter[str] = Counter()
        self.bad: list[CloudTrailError] = []
        self.unnamed = 0
        self.warnings: list[CloudTrailError] = []
        self.unnamed_warnings = 0
        #: Ledgers in which the running pass also notes skipped files and bad entries.
        self._ledgers: list[_ctfast.Ledger] = []

    def __iter__(self) -> Iterator[Object]:
        """Yield the files; counts are those of the last pass."""
        self._begin()
        yield from self._named()

    @property
    @abstractmethod
    def place(self) -> str:
        """The name of the source, for messages."""

    def _comes_once(self) -> bool:
        """Whether another pass names other files, or none."""
        return self.forgets

    def _again(self) -> KeySource | None:
        """Return an equal source that can be counted meanwhile; None if that would cost requests or lose keys."""
        return None

    def _begin(self) -> None:
        self.named = 0
        self.skipped.clear()
        self.pruned.clear()
        self.bad.clear()
        self.unnamed = 0
        self.warnings.clear()
        self.unnamed_warnings = 0

    def _named(self) -> Iterator[Object]:
        for found in self._objects():
            self.named += 1
            yield found

    @abstractmethod
    def _objects(self) -> Iterator[Object]: ...

    def _refuse(self, error: CloudTrailError) -> None:
        """Note an entry that was not understood, or count it if the report is full."""
        for ledger in self._ledgers:
            ledger.note(error.key or self.place, "bad", error.kind or "bug")
        if len(self.bad) < _ctfast.NAMED_FILES:
            self.bad.append(error)
        else:
            self.unnamed += 1

    def _pass(self, reason: str, file: str, size: int | None = None, etag: str | None = None) -> None:
        """Count and note a file that is not read."""
        self.skipped[reason] += 1
        for ledger in self._ledgers:
            ledger.note(file, "skipped", reason, size, etag)

    def portions(self, query: str, extent: Extent, *, plan: bool, again: bool = False) -> Iterator[Portion]:  # noqa: ARG002  # for those that remember
        """Yield the files portion by portion; with ``again`` those that have come since, in the same run.

        A source that remembers what was read notes each portion before it yields it, and repeats it in the next run if
        it was not committed.
        """
        for files in cut(self._named() if again else self, extent):
            yield Portion.of(query, files)

    def done(self, portion: Portion) -> None:
        """Receive what became of the files of a portion, once its rows were handed over."""

    def close(self) -> None:
        """End the run: no further files are named."""

    def _cloudtrail(self, bucket: str, key: str, size: int | None) -> Iterator[Object]:
        """Yield the object if its key is CloudTrail's: a bucket contains other things, too."""
        if _ctfast.parse_key(key) is None:
            self._pass("key", f"s3://{bucket}/{key}", size)
        else:
            yield Object(f"s3://{bucket}/{key}", size)


def cut(files: Iterable[Object], extent: Extent) -> Iterator[list[Object]]:
    """Cut a sequence of files into portions. A file of unknown size counts as zero bytes."""
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
