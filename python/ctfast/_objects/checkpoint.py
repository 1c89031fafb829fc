"""Scans that go on where they stopped: :class:`Checkpoint`.

Files arrive late and out of order, so "all after the last key" would lose some. What is kept instead, per *place* (all of a
key that stands before its day): a floor, the day before which the place is closed, and the files of the days from there on
that were read. CloudTrail's keys are listed in the order of their days, so a place is read from its floor up, whatever
happened in others.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

import polars as pl

from ctfast import _ctfast
from ctfast._objects import KeySource, Object, Receipt
from ctfast.exceptions import SourceError

__all__ = ["Checkpoint"]

#: Bytes that stand for a file that was read: enough that no two files ever share them.
_DIGEST = 16
#: Files without a day in their keys: they are remembered for good.
_NO_DAY = -1
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE query (description TEXT NOT NULL)",
    "CREATE TABLE place (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, newest INTEGER NOT NULL, floor INTEGER NOT NULL)",
    "CREATE TABLE seen (place INTEGER, day INTEGER, file BLOB, PRIMARY KEY (place, day, file)) WITHOUT ROWID",
    "CREATE TABLE unread (file TEXT PRIMARY KEY, size INTEGER, tries INTEGER NOT NULL) WITHOUT ROWID",
    f"PRAGMA user_version = {_VERSION}",
)


class _Where(NamedTuple):
    """Where a key belongs: its place, and the day as a number."""

    place: str
    day: int


@dataclass
class _Place:
    """What is known of a place."""

    newest: int = _NO_DAY
    floor: int = _NO_DAY
    seen: set[bytes] = field(default_factory=set)


@dataclass
class _Marks:
    """What a run has handed over since the last commit, in one place: no more than will be kept."""

    newest: int = _NO_DAY
    days: dict[int, set[bytes]] = field(default_factory=dict)

    def add(self, day: int, digest: bytes, rewind: int) -> None:
        self.days.setdefault(day, set()).add(digest)
        if day > self.newest and day <= _tomorrow():
            self.newest = day
            for old in [old for old in self.days if _NO_DAY < old < day - rewind]:
                del self.days[old]


class Checkpoint(Receipt):
    """What a query has read of an archive so far, in a file: the next run reads what came since, and nothing twice.

    Pass one to :func:`ctfast.scan`, ``read``, ``sql`` or ``stream``. A run that stops anywhere, by an error, Ctrl-C or a loss
    of power, is continued by the next one. A file counts as read when its rows are safe, and not before:

    - ``ctfast.stream`` commits whenever the loop has come back for more after the last row of some thousand files;
    - in a ``with`` block, everything is committed at its end, or not at all if the block fails;
    - after ``ctfast.scan``, ``read`` and ``sql`` outside of such a block, call :meth:`commit`.

    Files that come late are found under keys that are older than those already read: of every account, region and kind, the
    days from ``rewind`` before the newest one on are listed again. A file that comes later than that is not found. A file
    that could not be read at all (no access, no connection) is tried again in every run, until it can be read or
    :meth:`forget` is called; a damaged file counts as read.

    A checkpoint belongs to one query: the same sources, accounts, regions, kinds and bounds of time. What a Polars filter
    leaves out counts as read, so use the same one each time.

    Parameters
    ----------
    path
        File to keep it in: a SQLite database, changed in transactions. It is made when it is not there.
    rewind
        How late a file may come, in whole days.

    Raises
    ------
    ValueError
        The file is no checkpoint, or that of another query. Like the errors below it is raised when the query runs.
    BlockingIOError
        Another process is using it.

    Notes
    -----
    The file holds about 40 bytes for each log file of the days within ``rewind``, and 100 for each account, region and kind.
    In memory are the latter, and the files of one account, region and kind. Files whose keys tell no day are remembered for
    good.

    Examples
    --------
    >>> import ctfast as ct, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "events.checkpoint")
    >>> with ct.Checkpoint(path) as checkpoint:
    ...     ct.read(archive, checkpoint=checkpoint).height
    1039
    >>> with ct.Checkpoint(path) as checkpoint:
    ...     ct.read(archive, checkpoint=checkpoint).height
    0
    """

    def __init__(self, path: str | os.PathLike[str], *, rewind: timedelta = timedelta(days=2)) -> None:
        if rewind < timedelta(days=1):
            message = f"rewind must be at least a day, not {rewind}"
            raise ValueError(message)
        self._path = os.fspath(path)
        self._rewind = rewind.days
        self._database: sqlite3.Connection | None = None
        self._marks: dict[str, _Marks] = {}
        self._failed: dict[str, int | None] = {}
        self._read_at_last: set[str] = set()

    def __repr__(self) -> str:
        """Return where it is kept."""
        return f"Checkpoint({self._path!r})"

    @property
    def unread(self) -> pl.DataFrame:
        """Files that could not be read and will be tried again: ``file``, ``size``, ``tries``."""
        with self._opened() as database:
            rows = database.execute("SELECT file, size, tries FROM unread ORDER BY file").fetchall()
        return pl.DataFrame(rows, schema={"file": pl.String, "size": pl.Int64, "tries": pl.Int64}, orient="row")

    def forget(self) -> None:
        """Try the files that could not be read no more: they count as read."""
        marks: dict[str, _Marks] = {}
        with self._opened() as database, database:
            database.execute("BEGIN IMMEDIATE")
            for (file,) in database.execute("DELETE FROM unread RETURNING file").fetchall():
                where = _where(file)
                marks.setdefault(where.place, _Marks()).add(where.day, _digest(file), self._rewind)
            for name, found in marks.items():
                self._save(database, name, found)

    def commit(self) -> None:
        """Make all that was handed over so far count as read, in one transaction."""
        if not (self._marks or self._failed or self._read_at_last):
            return
        with self._opened() as database, database:
            database.execute("BEGIN IMMEDIATE")
            for name, marks in self._marks.items():
                self._save(database, name, marks)
            database.executemany("DELETE FROM unread WHERE file = ?", [(file,) for file in self._read_at_last])
            database.executemany(
                "INSERT INTO unread VALUES (?, ?, 1) ON CONFLICT (file) DO UPDATE SET tries = tries + 1", self._failed.items()
            )
        self._begin()

    def _begin(self) -> None:
        """Forget what was handed over and not committed."""
        self._marks, self._failed, self._read_at_last = {}, {}, set()

    def _save(self, database: sqlite3.Connection, name: str, marks: _Marks) -> None:
        database.execute("INSERT OR IGNORE INTO place (name, newest, floor) VALUES (?, ?, ?)", (name, _NO_DAY, _NO_DAY))
        select = "SELECT id, newest, floor FROM place WHERE name = ?"
        number, newest, floor = database.execute(select, (name,)).fetchone()
        newest = max(newest, marks.newest)
        floor = max(floor, newest - self._rewind)
        database.execute("UPDATE place SET newest = ?, floor = ? WHERE id = ?", (newest, floor, number))
        kept = ((day, digest) for day, digests in marks.days.items() if not _NO_DAY < day < floor for digest in digests)
        database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", ((number, *row) for row in kept))
        database.execute("DELETE FROM seen WHERE place = ? AND day > ? AND day < ?", (number, _NO_DAY, floor))

    def _note(self, file: Object, *, failed: bool) -> None:
        if failed:
            self._failed[file.url] = file.size
            return
        where = _where(file.url)
        self._marks.setdefault(where.place, _Marks()).add(where.day, _digest(file.url), self._rewind)

    def _place(self, name: str) -> _Place:
        """What was committed of a place, when a run comes to it."""
        with self._opened() as database:
            found = database.execute("SELECT id, newest, floor FROM place WHERE name = ?", (name,)).fetchone()
            if found is None:
                return _Place()
            number, newest, floor = found
            seen = {file for (file,) in database.execute("SELECT file FROM seen WHERE place = ?", (number,))}
        return _Place(newest, floor, seen)

    def _floors(self) -> dict[str, str]:
        """Of every place that is closed up to some day, that day as keys have it: what lies before is not listed."""
        with self._opened() as database:
            rows = database.execute("SELECT name, floor FROM place WHERE floor > ?", (_NO_DAY,)).fetchall()
        return {name: f"{date.fromordinal(floor):%Y/%m/%d}" for name, floor in rows}

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The database: that of the run, if one is under way."""
        if self._database is not None:
            yield self._database
            return
        database = self._open()
        try:
            yield database
        finally:
            self._close()

    def _open(self) -> sqlite3.Connection:
        """Open the database and keep others out of it, until it is closed."""
        self._close()
        try:
            # Polars may call from another thread, one at a time.
            database = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.OperationalError as error:
            raise FileNotFoundError(2, str(error), self._path) from None
        try:
            self._take(database)
        except BaseException:
            database.close()
            raise
        self._database = database
        return database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None

    def _take(self, database: sqlite3.Connection) -> None:
        """Lock the database, and make it if it is new."""
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN EXCLUSIVE")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version == 0 and tables == (0,):
                for statement in _SCHEMA:
                    database.execute(statement)
            elif version != _VERSION:
                message = f"{self._path} is no checkpoint of this version of ctfast"
                raise ValueError(message)
            database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise BlockingIOError(11, "this checkpoint is used by another process", self._path) from None
            raise OSError(5, str(error), self._path) from None
        except sqlite3.DatabaseError:
            message = f"{self._path} is no checkpoint"
            raise ValueError(message) from None

    def _belongs_to(self, database: sqlite3.Connection, query: Mapping[str, Any]) -> None:
        """Note the query, or refuse another one: what one has left out would be lost to the other."""
        found = database.execute("SELECT description FROM query").fetchone()
        if found is None:
            database.execute("INSERT INTO query VALUES (?)", (json.dumps(query),))
            return
        earlier = json.loads(found[0])
        for name, value in query.items():
            if earlier.get(name) != value:
                message = f"{self._path} belongs to another query: its {name} was {earlier.get(name)!r}, not {value!r}"
                raise ValueError(message)


class Resumed(KeySource):
    """What is new in a listing."""

    def __init__(
        self, checkpoint: Checkpoint, listing: Callable[[dict[str, str]], _ctfast.Listing], query: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._begin = listing
        self._query = query
        self._again: set[str] = set()

    def _objects(self) -> Iterator[Object]:
        checkpoint = self._checkpoint
        checkpoint._begin()  # noqa: SLF001  # two halves of one thing
        database = checkpoint._open()  # noqa: SLF001
        checkpoint._belongs_to(database, self._query)  # noqa: SLF001
        again = [Object(*row) for row in database.execute("SELECT file, size FROM unread ORDER BY file")]
        self._again = {file.url for file in again}
        yield from again
        yield from self._new(self._begin(checkpoint._floors()))  # noqa: SLF001

    def _new(self, listing: _ctfast.Listing) -> Iterator[Object]:
        name: str | None = None
        place = _Place()
        visited: dict[str, int] = {}
        while (page := listing.next()) is not None:
            done = self.skipped["done"]
            for url, size, _etag, _modified in page:
                where = _where(url)
                if where.place != name:
                    name, place = where.place, self._checkpoint._place(where.place)  # noqa: SLF001
                if where.day < visited.get(name, _NO_DAY):
                    message = f"the sources name the days of {name} out of order: a checkpoint cannot follow them"
                    raise ValueError(message)
                visited[name] = where.day
                if _NO_DAY < where.day < place.floor or _digest(url) in place.seen or url in self._again:
                    done += url not in self._again
                else:
                    yield Object(url, size)
            self._tell(listing, done)
        self._tell(listing, self.skipped["done"])

    def _tell(self, listing: _ctfast.Listing, done: int) -> None:
        """Take over what the listing has passed over."""
        counts = listing.counts()
        self.skipped = Counter(counts["skipped"])
        self.skipped["done"] = done
        self.pruned = Counter(counts["pruned"])
        self.bad = [_failure(*row) for row in listing.bad()]

    def done(self, files: Sequence[Object], failed: Container[str]) -> None:
        """Note them: what could not be read is tried again."""
        for file in files:
            unread = file.url in failed
            self._checkpoint._note(file, failed=unread)  # noqa: SLF001
            if not unread and file.url in self._again:
                self._checkpoint._read_at_last.add(file.url)  # noqa: SLF001

    def close(self) -> None:
        """Let others have the checkpoint."""
        self._checkpoint._close()  # noqa: SLF001

    def commit(self) -> None:
        """Commit to the checkpoint."""
        self._checkpoint.commit()

    def _came_back(self) -> None:
        self._checkpoint._came_back()  # noqa: SLF001


def _where(url: str) -> _Where:
    """Tell the place and the day of a key; a key without a day is a place of its folder's."""
    key = _ctfast.parse_key(url)
    if key is not None and key["day"] is not None:
        year, month, day = key["day"].split("/")
        try:
            return _Where(url.rsplit("/", 4)[0], date(int(year), int(month), int(day)).toordinal())
        except ValueError:
            pass  # no day of the calendar
    return _Where(url.rpartition("/")[0] + "/", _NO_DAY)


def _digest(url: str) -> bytes:
    return blake2b(os.fsencode(url), digest_size=_DIGEST).digest()


def _tomorrow() -> int:
    """Return the last day that a place can honestly have come to: a key from the far future must not close it."""
    return datetime.now(UTC).toordinal() + 1


def _failure(file: str | None, byte: int | None, record: int | None, kind: str, message: str, _kept: int) -> SourceError:
    return SourceError(message, file, byte, record, kind, f"{file}: {message}")
