"""What is new in a listing, for a checkpoint: units that were not committed, files that were bad, files that changed or came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ctfast import _ctfast
from ctfast._objects import Extent, KeySource, Object, Portion, cut
from ctfast._objects.checkpoint import Checkpoint
from ctfast._objects.places import Place, Read, digest, where
from ctfast._objects.state import NO_DAY
from ctfast._plain import counted
from ctfast.exceptions import FormatError, SourceError

__all__ = ["Resumed"]

_CHANGED = "changed"


class Resumed(KeySource):
    """What is new in a listing."""

    def __init__(self, checkpoint: Checkpoint, listing: Callable[..., _ctfast.Listing], query: Mapping[str, Any]) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._list = listing
        self._query = query
        self._listing: _ctfast.Listing | None = None
        #: What comes before the listing, and is passed over in it.
        self._before: set[str] = set()

    @property
    def place(self) -> str:
        """The checkpoint."""
        return self._checkpoint.place

    def portions(self, query: str, extent: Extent, *, plan: bool) -> Iterator[Portion]:
        """Name first the units that were planned and not committed, as they were; then what is new."""
        checkpoint = self._checkpoint
        self._begin()
        self._take()
        planned = checkpoint._planned()  # noqa: SLF001  # two halves of one thing
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
        checkpoint._begin()  # noqa: SLF001
        checkpoint._open()  # noqa: SLF001
        checkpoint._belongs_to(self._query)  # noqa: SLF001
        self._before.clear()

    def _objects(self) -> Iterator[Object]:
        checkpoint = self._checkpoint
        unknown = checkpoint._of_unknown_size()  # noqa: SLF001
        if unknown:
            self.warnings.append(
                _warning(
                    checkpoint.place,
                    "size-unknown",
                    f"{counted(unknown, 'file')} count{'s' * (unknown == 1)} as read since an older format of it, "
                    "which kept no sizes: what was empty or damaged then is not read again",
                )
            )
        again = [file for file in checkpoint._tried() if file.url not in self._before]  # noqa: SLF001
        self._before.update(file.url for file in again)
        yield from again
        self._listing = self._list(floors=checkpoint._floors(), ledgers=self._ledgers)  # noqa: SLF001
        yield from self._new(self._listing)

    def _new(self, listing: _ctfast.Listing) -> Iterator[Object]:
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
                read = place.seen.get(digest(file.url))
                if NO_DAY < at.day < place.floor:
                    self._done_before(file)
                elif read is None:
                    yield file
                elif read.records is not None and read.is_other_than(file):
                    yield self._changed(file, read)
                else:
                    self._done_before(file)
            self._tell(listing)
        self._tell(listing)

    def _done_before(self, file: Object) -> None:
        self._pass("done", file.url, file.size, file.etag)

    def _changed(self, file: Object, read: Read) -> Object:
        """What is left of a file that was read before it changed."""
        records = read.records or 0
        if records and read.version is not None:
            message = (
                f"changed since its first {records} records were handed over: what follows them is read, they are not compared"
            )
            self.warnings.append(_warning(file.url, _CHANGED, message))
        return file._replace(first=records)

    def _tell(self, listing: _ctfast.Listing) -> None:
        """Take over what the listing has passed over; it notes that itself."""
        counts, done = listing.counts(), self.skipped["done"]
        self.skipped = Counter(counts["skipped"])
        self.skipped["done"] = done
        self.pruned = Counter(counts["pruned"])
        self.bad = [_failure(*row) for row in listing.bad()]

    def done(self, portion: Portion) -> None:
        """Note the files, and whose records have become fewer."""
        for file in portion.files:
            row = (portion.ledger or {}).get(file.url)
            if row is not None and row.outcome == "read" and row.seen < file.first:
                message = f"has {row.seen} records by now, fewer than the {file.first} that were handed over"
                self.warnings.append(_warning(file.url, _CHANGED, message))
        listing = self._listing
        unlisted = [] if listing is None else [row[0] for row in listing.bad()]
        self._checkpoint._note(portion, unlisted)  # noqa: SLF001

    def close(self) -> None:
        """Let others have the checkpoint."""
        self._checkpoint._close()  # noqa: SLF001

    def commit(self) -> None:
        """Commit to the checkpoint."""
        self._checkpoint.commit()


def _failure(file: str | None, byte: int | None, record: int | None, kind: str, message: str, _kept: int) -> SourceError:
    return SourceError(message, file, byte, record, kind, f"{file}: {message}")


def _warning(file: str, kind: str, message: str) -> FormatError:
    return FormatError(message, file, None, None, kind, f"{file}: {message}")
