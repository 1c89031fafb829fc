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
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ctfast._apart import keep_apart
from ctfast._arguments import public
from ctfast._bound import Bound
from ctfast._ctfast import has_log_ending
from ctfast._later import pl
from ctfast._objects import Object, Portion, Receipt, Row
from ctfast._objects.places import Marks, Place, Read, digest, version, where
from ctfast._objects.state import NO_DAY, take, told, transaction

__all__ = ["Checkpoint"]


class Checkpoint(Bound, Receipt):
    """What a query has read of an archive so far, in a file: the next run reads what came since, and nothing twice.

    Pass one to :func:`ctfast.scan`, ``read``, ``sql`` or ``stream``. A file counts as read when its rows are safe, which only you
    know, so nothing is committed but

    - by :meth:`Unit.commit`, or at the end of a ``with`` block of a unit, for the files of that unit: see
      :meth:`EventStream.units`, which is for all that is stored portion by portion;
    - at the end of a ``with`` block of the checkpoint, for all that was read in it;
    - by :meth:`commit`, for the portions (up to 2,000 files each) that were handed over to their last row.

    A run that stops anywhere, or whose process is killed, is continued by the next one, which reads again what was not committed.
    A commit is on the disk when the call returns, as far as SQLite's ``synchronous=FULL`` can tell.

    Files that come late are found under keys that are older than those already read: of every account, region and kind, the
    days from ``rewind`` before the newest one on are listed again. A file that comes later than that is not found.

    What was bad is tried again in every run, until it can be read to its end or :meth:`forget` is called: :attr:`unread` shows
    these files. With ``on_error="raise"`` such a file stops each run, and so does one that is gone and was part of a unit that is
    not committed: read once with ``on_error="collect"``, and then call :meth:`forget`.

    Each record is handed over once: of a file that was damaged after its tenth record, and is whole by now, the records from the
    eleventh on are. The same is done with a file whose size, ETag or, on a local disk, time has changed since it was read: what
    follows the records that were handed over is new, and ``report.warnings`` names the file as ``changed``, since the records
    before were not compared.

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
        The file is no checkpoint, or one of a newer ctfast, or that of another query. Like the errors below it is raised when
        the query runs.
    BlockingIOError
        Another process is using it.

    Notes
    -----
    The file holds about 50 bytes for each log file of the days within ``rewind``, 100 for each account, region and kind, and 110
    for each unit. In memory are the floors, and the files of one account, region and kind. Files whose keys tell no day are
    remembered for good.

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

    _instead = "open it by its path where it is used, with ctfast.Checkpoint(...)"

    @public()
    def __init__(self, path: str | os.PathLike[str], *, rewind: timedelta = timedelta(days=2)) -> None:
        self._path = os.fspath(path)
        self._rewind = rewind.days
        self._database: sqlite3.Connection | None = None
        self._begin()

    def __repr__(self) -> str:
        """Return where it is kept."""
        return f"Checkpoint({self._path!r})"

    @property
    def place(self) -> str:
        """Where it is kept."""
        return self._path

    @property
    def unread(self) -> pl.DataFrame:
        """Files that are bad and are tried again: ``file``, ``size``, ``records`` handed over, ``tries``, and the ``kind``."""
        with self._opened() as database:
            rows = database.execute("SELECT file, size, records, tries, kind FROM unread ORDER BY file").fetchall()
        schema = {"file": pl.String, "size": pl.Int64, "records": pl.Int64, "tries": pl.Int64, "kind": pl.String}
        return pl.DataFrame([(os.fsdecode(file), *more) for file, *more in rows], schema=schema, orient="row")

    @property
    def units(self) -> pl.DataFrame:
        """The units that were begun, in order: ``id``, ``files``, and whether they are ``committed``."""
        with self._opened() as database:
            rows = database.execute("SELECT id, files, committed FROM unit ORDER BY number").fetchall()
        frame = pl.DataFrame(rows, schema={"id": pl.String, "files": pl.Int64, "committed": pl.Int64}, orient="row")
        return frame.cast({"committed": pl.Boolean})

    def forget(self) -> None:
        """Try the files that are bad no more: they count as read as far as they were, unless they change."""
        marks: dict[str, Marks] = {}
        with self._changed() as database:
            rows = database.execute("DELETE FROM unread RETURNING file, size, etag, modified, records").fetchall()
            for name, *known in rows:
                file = Object(os.fsdecode(name), *known)
                self._mark(marks, file, file.first, ())
            for place, found in marks.items():
                self._save(database, place, found)

    def commit(self) -> None:
        """Make the portions count as read that were handed over to their last row, in one transaction."""
        if not (self._marks or self._bad or self._units):
            return
        with self._changed() as database:
            for name, marks in self._marks.items():
                self._save(database, name, marks)
            database.executemany("DELETE FROM unread WHERE file = ?", [(os.fsencode(file),) for file in self._read_at_last])
            database.executemany(
                "INSERT INTO unread VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (file) DO UPDATE"
                " SET records = excluded.records, tries = excluded.tries, kind = excluded.kind",
                self._bad,
            )
            database.executemany("UPDATE unit SET committed = 1 WHERE id = ?", [(name,) for name in self._units])
            database.executemany(
                "DELETE FROM planned WHERE unit = (SELECT number FROM unit WHERE id = ?)", [(name,) for name in self._units]
            )
        self._begin()

    def _give_up(self) -> None:
        self._begin()

    def _begin(self) -> None:
        """Forget what was handed over and not committed."""
        self._marks: dict[str, Marks] = {}
        self._bad: list[tuple[Any, ...]] = []
        self._read_at_last: list[str] = []
        self._units: list[str] = []

    def _note(self, portion: Portion, unlisted: Collection[str]) -> None:
        """Note what became of a portion, for the next commit. These files and folders could not be listed."""
        ledger = portion.ledger or {}
        self._units.append(portion.id)
        for file in portion.files:
            row = ledger.get(file.url)
            if row is not None and row.outcome != "bad" and row.reason != "unverified":
                self._mark(self._marks, file, max(file.first, row.seen), unlisted)
                if file.tries:
                    self._read_at_last.append(file.url)
            else:
                self._bad.append(_tried(file, row))

    def _mark(self, marks: dict[str, Marks], file: Object, records: int, unlisted: Collection[str]) -> None:
        name, day = where(file.url)
        found = marks.get(name)
        if found is None:
            found = marks[name] = Marks()
        found.hold(name, unlisted, self._rewind)
        found.add(day, digest(file.url), Read(file.size, version(file), records), self._rewind)

    def _save(self, database: sqlite3.Connection, name: str, marks: Marks) -> None:
        database.execute("INSERT OR IGNORE INTO place (name, newest, floor) VALUES (?, ?, ?)", (name, NO_DAY, NO_DAY))
        select = "SELECT id, newest, floor FROM place WHERE name = ?"
        number, newest, floor = database.execute(select, (name,)).fetchone()
        newest = max(newest, marks.newest)
        floor = max(floor, marks.floor(newest, self._rewind))
        database.execute("UPDATE place SET newest = ?, floor = ? WHERE id = ?", (newest, floor, number))
        kept = ((day, *row) for day, files in marks.days.items() if not NO_DAY < day < floor for row in files.items())
        rows = ((number, day, file, *read) for day, file, read in kept)
        database.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.execute("DELETE FROM seen WHERE place = ? AND day > ? AND day < ?", (number, NO_DAY, floor))

    def _plan(self, portion: Portion) -> Portion:
        """Note a unit before its rows are handed over, so that the next run gives the same one if it is not committed."""
        with self._changed() as database:
            number = database.execute("INSERT INTO unit (files, committed) VALUES (?, 0)", (len(portion.files),)).lastrowid
            portion.id = f"{number:08}-{portion.id}"
            database.execute("UPDATE unit SET id = ? WHERE number = ?", (portion.id, number))
            database.executemany(
                "INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((number, place, os.fsencode(url), *known) for place, (url, *known) in enumerate(portion.files)),
            )
        return portion

    def _planned(self) -> list[Portion]:
        """Units that were planned by an earlier run, and not committed, in order."""
        with self._opened() as database:
            units = database.execute("SELECT number, id FROM unit WHERE NOT committed ORDER BY number").fetchall()
            select = "SELECT file, size, etag, modified, first, tries FROM planned WHERE unit = ? ORDER BY position"
            rows = [(name, database.execute(select, (number,)).fetchall()) for number, name in units]
        return [Portion(name, [Object(os.fsdecode(file), *known) for file, *known in files], True) for name, files in rows]

    def _tried(self) -> list[Object]:
        """Files that were bad, as far as they were handed over: they may be others by now."""
        with self._opened() as database:
            rows = database.execute("SELECT file, records, tries FROM unread ORDER BY file").fetchall()
        return [Object(os.fsdecode(file), first=records, tries=tries) for file, records, tries in rows]

    def _of_unknown_size(self) -> int:
        """How many files count as read by an older format, which kept no sizes."""
        with self._opened() as database:
            return int(database.execute("SELECT count(*) FROM seen WHERE records IS NULL").fetchone()[0])

    def _place(self, name: str) -> Place:
        """What was committed of a place, when a run comes to it."""
        with self._opened() as database:
            found = database.execute("SELECT id, newest, floor FROM place WHERE name = ?", (name,)).fetchone()
            if found is None:
                return Place()
            number, newest, floor = found
            rows = database.execute("SELECT file, size, version, records FROM seen WHERE place = ?", (number,))
            return Place(newest, floor, {file: Read(*read) for file, *read in rows})

    def _floors(self) -> dict[str, str]:
        """Of every place that is closed up to some day, that day as keys have it: what lies before is not listed."""
        with self._opened() as database:
            rows = database.execute("SELECT name, floor FROM place WHERE floor > ?", (NO_DAY,)).fetchall()
        try:
            return {name: f"{date.fromordinal(floor):%Y/%m/%d}" for name, floor in rows}
        except (TypeError, ValueError, OverflowError):
            raise self._damaged("it has a day that is none") from None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The database: that of the run, if one is under way."""
        if self._database is not None:
            with told(self._path):
                yield self._database
            return
        database = self._open()
        try:
            with told(self._path):
                yield database
        finally:
            self._close()

    @contextmanager
    def _changed(self) -> Iterator[sqlite3.Connection]:
        """The database, changed wholly or not at all."""
        with self._opened() as database, transaction(database, self._path):
            yield database

    def _open(self) -> sqlite3.Connection:
        """Open the database and keep others out of it, until it is closed."""
        self._close()
        self._database = take(self._path)
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None

    def _lie_apart(self, sources: Iterable[str]) -> None:
        """Refuse to be a file of the archive, or to become one that is read as a log."""
        if has_log_ending(self._path):
            keep_apart(sources, self._path)

    def _belongs_to(self, query: Mapping[str, Any]) -> None:
        """Note the query, or refuse another one: what one has left out would be lost to the other."""
        with self._opened() as database:
            found = database.execute("SELECT description FROM query").fetchone()
            if found is None:
                database.execute("INSERT INTO query VALUES (?)", (json.dumps(query),))
                return
        try:
            earlier = dict(json.loads(found[0]))
        except (TypeError, ValueError, RecursionError):
            raise self._damaged("the query that it belongs to cannot be read") from None
        for name, value in query.items():
            if earlier.get(name) != value:
                was, now = (_shown(name, each) for each in (earlier.get(name), value))
                message = f"{self._path} belongs to another query: its {name} was {was}, not {now}"
                raise ValueError(message)

    def _damaged(self, what: str) -> ValueError:
        return ValueError(f"{self._path} is no checkpoint, or is damaged: {what}")


def _shown(name: str, value: Any) -> str:
    """A part of a query as it was given: a time is kept as microseconds since 1970."""
    if name in ("since", "until") and isinstance(value, int):
        with suppress(OverflowError):
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)).isoformat()
    return repr(value)


def _tried(file: Object, row: Row | None) -> tuple[Any, ...]:
    """What is kept of a file that is bad, or was not read. It goes on after the records that were handed over."""
    records = file.first if row is None else max(file.first, row.seen)
    kind = "skipped" if row is None else row.reason
    return os.fsencode(file.url), file.size, file.etag, file.modified, records, file.tries + 1, kind
