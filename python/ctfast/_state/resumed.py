"""What is new in a listing for a checkpoint: uncommitted units, bad files to retry, changed and new files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._show.plain import counted
from ctfast._source.object_keys import Extent, KeySource, Object, Portion, cut
from ctfast._state.checkpoint import Checkpoint
from ctfast._state.places import Place, Read, digest, where
from ctfast._state.schema import NO_DAY
from ctfast.exceptions import FormatError, SourceError

__all__ = ["Resumed"]

_CHANGED = "changed"
#: The most looks until a bad file is tried again: about an hour, if there is a look each minute.
_LONGEST_REST = 64


class _Rest(NamedTuple):
    """Until which look a bad file is left alone, and for how many looks, which doubles each time.

    A file that changes is tried at once. But a file that is permanently damaged, or that may not be read, gives no sign
    when that changes, and a run that follows would try it each minute.
    """

    until: int
    length: int


class Resumed(KeySource):
    """What is new in a listing."""

    def __init__(
        self, checkpoint: Checkpoint, listing: Callable[..., _ctfast.Listing], query: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._list = listing
        self._query = query
        self._listing: _ctfast.Listing | None = None
        #: Whether the checkpoint is locked by this run, and not by another one with the same object.
        self._has_taken = False
        #: Files that were yielded before the listing, and are skipped in it.
        self._before: set[str] = set()
        #: The number of looks in this run, and the looks at which bad files are tried again.
        self._looks = 0
        self._rests: dict[str, _Rest] = {}
        #: The index of the warning about a file: a run that follows may repeat it, and then replaces it.
        self._warned: dict[tuple[str, str], int] = {}

    @property
    def place(self) -> str:
        """The checkpoint."""
        return self._checkpoint.place

    def portions(self, query: str, extent: Extent, *, plan: bool, again: bool = False) -> Iterator[Portion]:
        """Yield first the units that were planned and not committed, unchanged; then what is new.

        The checkpoint stays locked from one look to the next, so that no other run can begin in between.
        """
        checkpoint = self._checkpoint
        if not again:
            self._begin()
            self._take()
        self._looks += 1
        self._before.clear()
        planned = checkpoint._planned()  # noqa: SLF001  # this class is the other half of a checkpoint
        for portion in planned:
            self._before.update(file.url for file in portion.files)
        for portion in planned:
            self.named += len(portion.files)
            yield portion
        for new in cut(self._named(), extent):
            portion = Portion.of(query, new)
            yield checkpoint._plan(portion) if plan else portion  # noqa: SLF001

    def _take(self) -> None:
        checkpoint = self._checkpoint
        checkpoint._open()  # noqa: SLF001
        self._has_taken = True
        checkpoint._belongs_to(self._query)  # noqa: SLF001
        self._looks = 0
        self._rests.clear()
        self._warned.clear()

    def _objects(self) -> Iterator[Object]:
        checkpoint = self._checkpoint
        unknown = checkpoint._of_unknown_size()  # noqa: SLF001
        if unknown:
            self._warn(
                checkpoint.place,
                "size-unknown",
                f"{counted(unknown, 'file')} count{'s' * (unknown == 1)} as read since an older format of it, "
                "which kept no sizes: what was empty or damaged then is not read again",
            )
        rest: dict[str, Object] = {}
        for file in checkpoint._tried():  # noqa: SLF001
            if file.url in self._before:
                continue
            if self._looks < self._rests.get(file.url, _Rest(0, 0)).until:
                rest[file.url] = file
            else:  # without size, ETag and time: the file may have changed
                self._before.add(file.url)
                yield file._replace(size=None, etag=None, modified=None)
        # Each look of a run skips the same files: they are noted once.
        ledgers = self._ledgers if self._looks == 1 else []
        self._listing = self._list(floors=checkpoint._floors(), ledgers=ledgers)  # noqa: SLF001
        yield from self._new(self._listing, rest)

    def _new(self, listing: _ctfast.Listing, rest: Mapping[str, Object]) -> Iterator[Object]:
        name: str | None = None
        place = Place()
        visited: dict[str, int] = {}
        while (page := listing.next()) is not None:
            for known in page:
                file = Object(*known)
                at = where(file.url)
                if at.place != name:
                    name, place = at.place, self._checkpoint._place(at.place)  # noqa: SLF001
                if at.day < visited.get(name, NO_DAY):
                    message = f"the sources name the days of {name} out of order: a checkpoint cannot follow them"
                    raise ValueError(message)
                visited[name] = at.day
                if file.url in self._before:
                    continue
                tried = rest.get(file.url)
                if tried is None:
                    yield from self._unread(file, at.day, place)
                elif tried[1:4] != file[1:4]:  # its size, its ETag or its time
                    yield file._replace(first=tried.first, tries=tried.tries)
            self._tell(listing)
        self._tell(listing)

    def _unread(self, file: Object, day: int, place: Place) -> Iterator[Object]:
        """Yield what is left to read of a file, if anything is."""
        read = place.seen.get(digest(file.url))
        if NO_DAY < day < place.floor:
            self._done_before(file)
        elif read is None:
            yield file
        elif read.records is not None and read.is_other_than(file):
            yield self._changed(file, read)
        else:
            self._done_before(file)

    def _done_before(self, file: Object) -> None:
        if self._looks == 1:  # at later looks this run itself may have read the file
            self._pass("done", file.url, file.size, file.etag)

    def _changed(self, file: Object, read: Read) -> Object:
        """Return the unread part of a file that was read before it changed."""
        records = read.records or 0
        if records and read.version is not None:
            message = (
                f"changed since its first {records} records were handed over: what follows them is read, they are not"
                " compared"
            )
            self._warn(file.url, _CHANGED, message)
        return file._replace(first=records)

    def _tell(self, listing: _ctfast.Listing) -> None:
        """Take over the counts of what the listing has skipped; the listing itself writes them to the ledgers."""
        counts, done = listing.counts(), self.skipped["done"]
        self.skipped = Counter(counts["skipped"])
        self.skipped["done"] = done
        self.pruned = Counter(counts["pruned"])
        self.bad, self.unnamed = [_failure(*row) for row in listing.bad()], counts["unnamed"]

    def done(self, portion: Portion) -> None:
        """Note what became of the files, and warn of those that have fewer records than before."""
        for file in portion.files:
            row = (portion.ledger or {}).get(file.url)
            if row is not None and row.outcome == "read" and row.seen < file.first:
                message = f"has {row.seen} records by now, fewer than the {file.first} that were handed over"
                self._warn(file.url, _CHANGED, message, "fewer")
            if row is not None and row.outcome == "bad":
                length = min(2 * self._rests.get(file.url, _Rest(0, 0)).length or 1, _LONGEST_REST)
                self._rests[file.url] = _Rest(self._looks + length, length)
            else:
                self._rests.pop(file.url, None)
        listing = self._listing
        unlisted: list[str] | None = []
        if listing is not None:
            # Those that are not named may lie in any place.
            unlisted = None if listing.counts()["unnamed"] else [row[0] for row in listing.bad()]
        self._checkpoint._note(portion, unlisted)  # noqa: SLF001

    def _warn(self, file: str, kind: str, message: str, what: str = "") -> None:
        """Note a warning about a file, in place of an earlier one of the same kind."""
        found = FormatError(message, file, None, None, kind, f"{file}: {message}")
        if (file, what or kind) not in self._warned and len(self.warnings) == _ctfast.NAMED_FILES:
            self.unnamed_warnings += 1
            return
        at = self._warned.setdefault((file, what or kind), len(self.warnings))
        self.warnings[at : at + 1] = [found]

    def close(self) -> None:
        """Close the checkpoint, so that other runs can use it."""
        if self._has_taken:
            self._checkpoint._close()  # noqa: SLF001
        self._has_taken = False

    def commit(self) -> None:
        """Commit to the checkpoint."""
        self._checkpoint.commit()


def _failure(
    file: str | None, byte: int | None, record: int | None, kind: str, message: str, _kept: int
) -> SourceError:
    return SourceError(message, file, byte, record, kind, f"{file}: {message}")
