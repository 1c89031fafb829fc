"""Scans that go on where they stopped: :class:`Checkpoint`.

Files arrive late and out of order, so "all after the last key" would lose some. What is kept instead, per *place* (the
part of a key before its day): a floor, which is the day before which the place is closed, and the files that were read
of the days from the floor on. CloudTrail's keys are listed in the order of their days, so a place is read from its
floor up, whatever happened in other places.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ctfast._arguments.gate import public
from ctfast._bound import Bound
from ctfast._ctfast import has_log_ending
from ctfast._later import pl
from ctfast._source.apart import keep_apart
from ctfast._source.object_keys import Object, Portion, Receipt, Row
from ctfast._state.database import Database
from ctfast._state.places import Marks, Place, Read, digest, version, where
from ctfast._state.schema import CHECKPOINT, NO_DAY
from ctfast.exceptions import shortened

__all__ = ["Checkpoint"]

#: What of a query may be unknown: earlier versions did not note it, and listing files does not choose records.
_OF_RECORDS = ("where", "rules")


class Checkpoint(Bound, Receipt):
    """What a query has read of an archive so far, in a file: the next run reads what came since, and nothing twice.

    Pass one to :func:`ctfast.scan`, ``read``, ``sql`` or ``stream``. A file counts as read when its rows are safe,
    which only you know, so nothing is committed except

    - by :meth:`Unit.commit`, or at the end of a ``with`` block of a unit, for the files of that unit: see
      :meth:`EventStream.units`, which is for results that are stored portion by portion;
    - at the end of a ``with`` block of the checkpoint, for all that was read in it;
    - by :meth:`commit`, for the portions (up to 2,000 files each) that were handed over to their last row.

    A run that stops anywhere, or whose process is killed, is continued by the next one, which reads again what was not
    committed. A commit is on the disk when the call returns, as far as SQLite's ``synchronous=EXTRA`` can ensure it.

    Files that come late have keys older than those already read. To find them, each run lists the newest day of every
    account, region and kind again, and the days up to ``rewind`` before it. A file that comes later than that is not
    found.

    Bad files are tried again in every run, until they can be read to their end or :meth:`forget` is called;
    :attr:`unread` shows these files. With ``on_error="raise"`` such a file stops each run, and so does a file that no
    longer exists but was part of an uncommitted unit: read once with ``on_error="collect"``, and then call
    :meth:`forget`.

    Each record is handed over once: if a file was damaged after its tenth record, and is intact by now, its records
    from the eleventh on are handed over. The same is done with a file whose size, ETag or, on a local disk,
    modification time has changed since it was read: the records after those that were handed over are new, and
    ``report.warnings`` names the file as ``changed``, since the earlier records were not compared.

    A checkpoint belongs to one query: the same sources, accounts, regions, kinds, time bounds, ``where`` and filters of
    ``rules``; other columns may be read. Records that a Polars filter or a query in SQL leaves out count as read, too,
    and are not noted, so use the same each time.

    Parameters
    ----------
    path
        File to keep it in: a SQLite database, changed in transactions. It is created if it does not exist.
    rewind
        How late a file may come, in whole days.

    Raises
    ------
    ValueError
        The file is not a checkpoint, or was made by a newer ctfast, or belongs to another query. Like the errors below
        it is raised when the query runs.
    BlockingIOError
        Another process is using it, or another run of this one that has not ended.
    OSError
        The disk is full, or the file or its folder cannot be written to.

    Notes
    -----
    The file holds about 50 bytes for each log file of the days within ``rewind``, 100 for each account, region and
    kind, and 110 for each unit. The floors, and the files of one account, region and kind at a time, are held in
    memory. Files whose keys contain no day are remembered for good.

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
        self._database: Database | None = None
        self._begin()

    def __repr__(self) -> str:
        """Return the path of its file."""
        return f"Checkpoint({self._path!r})"

    @property
    def place(self) -> str:
        """The path of its file."""
        return self._path

    @property
    def unread(self) -> pl.DataFrame:
        """Bad files to be tried again: ``file``, ``size``, ``records`` handed over, ``tries``, and the ``kind``."""
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
        """Stop trying the bad files again: they count as read as far as they were read, unless they change."""
        marks: dict[str, Marks] = {}
        with self._changed() as database:
            rows = database.execute("DELETE FROM unread RETURNING file, size, etag, modified, records").fetchall()
            for name, *known in rows:
                file = Object(os.fsdecode(name), *known)
                self._mark(marks, file, file.first, ())
            for place, found in marks.items():
                self._save(database, place, found)

    def commit(self) -> None:
        """Commit the portions that were handed over to their last row, in one transaction."""
        if not (self._marks or self._bad or self._units):
            return
        with self._changed() as database:
            for name, marks in self._marks.items():
                self._save(database, name, marks)
            database.executemany(
                "DELETE FROM unread WHERE file = ?", [(os.fsencode(file),) for file in self._read_at_last]
            )
            database.executemany(
                "INSERT INTO unread VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (file) DO UPDATE"
                " SET records = excluded.records, tries = excluded.tries, kind = excluded.kind,"
                # They are NULL if the file was tried again without being listed.
                " size = coalesce(excluded.size, size), etag = coalesce(excluded.etag, etag),"
                " modified = coalesce(excluded.modified, modified)",
                self._bad,
            )
            database.executemany("UPDATE unit SET committed = 1 WHERE id = ?", [(name,) for name in self._units])
            database.executemany(
                "DELETE FROM planned WHERE unit = (SELECT number FROM unit WHERE id = ?)",
                [(name,) for name in self._units],
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

    def _note(self, portion: Portion, unlisted: Collection[str] | None) -> None:
        """Note what became of a portion, for the next commit.

        ``unlisted`` are the files and folders that could not be listed, or None if there are more than are named.
        """
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

    def _mark(self, marks: dict[str, Marks], file: Object, records: int, unlisted: Collection[str] | None) -> None:
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
        """Note a unit before its rows are handed over, so that the next run repeats it unless it is committed."""
        with self._changed() as database:
            number = database.execute(
                "INSERT INTO unit (files, committed) VALUES (?, 0)", (len(portion.files),)
            ).lastrowid
            portion.id = f"{number:08}-{portion.id}"
            database.execute("UPDATE unit SET id = ? WHERE number = ?", (portion.id, number))
            database.executemany(
                "INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((number, place, os.fsencode(url), *known) for place, (url, *known) in enumerate(portion.files)),
            )
        return portion

    def _planned(self) -> list[Portion]:
        """Return the units that an earlier run planned and did not commit, in order."""
        with self._opened() as database:
            units = database.execute("SELECT number, id FROM unit WHERE NOT committed ORDER BY number").fetchall()
            select = "SELECT file, size, etag, modified, first, tries FROM planned WHERE unit = ? ORDER BY position"
            rows = [(name, database.execute(select, (number,)).fetchall()) for number, name in units]
        if any(name is None for name, _ in rows):
            raise self._damaged("a unit has no id")
        return [
            Portion(name, [Object(os.fsdecode(file), *known) for file, *known in files], True) for name, files in rows
        ]

    def _tried(self) -> list[Object]:
        """Return the bad files as they were then; ``first`` is the number of records that were handed over."""
        with self._opened() as database:
            rows = database.execute(
                "SELECT file, size, etag, modified, records, tries FROM unread ORDER BY file"
            ).fetchall()
        return [Object(os.fsdecode(file), *known) for file, *known in rows]

    def _of_unknown_size(self) -> int:
        """Return how many files were read with an older format of the checkpoint, which kept no sizes."""
        with self._opened() as database:
            return int(database.execute("SELECT count(*) FROM seen WHERE records IS NULL").fetchone()[0])

    def _place(self, name: str) -> Place:
        """Return what was committed of a place."""
        with self._opened() as database:
            found = database.execute("SELECT id, newest, floor FROM place WHERE name = ?", (name,)).fetchone()
            if found is None:
                return Place()
            number, newest, floor = found
            rows = database.execute("SELECT file, size, version, records FROM seen WHERE place = ?", (number,))
            return Place(newest, floor, {file: Read(*read) for file, *read in rows})

    def _floors(self) -> dict[str, str]:
        """Return the floor of every place that has one, written as in keys: earlier days are not listed."""
        with self._opened() as database:
            rows = database.execute("SELECT name, floor FROM place WHERE floor > ?", (NO_DAY,)).fetchall()
        try:
            return {name: f"{date.fromordinal(floor):%Y/%m/%d}" for name, floor in rows}
        except (TypeError, ValueError, OverflowError):
            raise self._damaged("it has a day that is none") from None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Yield the database: that of the current run if there is one."""
        with self._taken() as database, database.opened() as connection:
            yield connection

    @contextmanager
    def _changed(self) -> Iterator[sqlite3.Connection]:
        """Yield the database in a transaction."""
        with self._taken() as database, database.changed() as connection:
            yield connection

    @contextmanager
    def _taken(self) -> Iterator[Database]:
        if self._database is not None:
            yield self._database
            return
        with closing(Database(self._path, CHECKPOINT)) as database:
            yield database

    def _open(self) -> None:
        """Begin a run: lock other processes out, and other runs with this object, until it is closed."""
        if self._database is not None:
            raise OSError(errno.EAGAIN, CHECKPOINT.busy, self._path)  # Python makes it a BlockingIOError
        self._database = Database(self._path, CHECKPOINT)
        self._begin()

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None

    def _lie_apart(self, sources: Iterable[str]) -> None:
        """Refuse a checkpoint file that is a file of the archive, or would be read as a log."""
        if has_log_ending(self._path):
            keep_apart(sources, self._path)

    def _belongs_to(self, query: Mapping[str, Any]) -> None:
        """Note the query, or refuse a different one, which would miss the records that the first one left out."""
        with self._opened() as database:
            found = database.execute("SELECT description FROM query").fetchone()
            if found is None:
                filled = (
                    "SELECT EXISTS (SELECT 1 FROM place UNION ALL SELECT 1 FROM unread UNION ALL SELECT 1 FROM unit)"
                )
                if database.execute(filled).fetchone()[0]:
                    raise self._damaged("the query that it belongs to is gone")
                database.execute("INSERT INTO query VALUES (?)", (json.dumps(query),))
                return
        try:
            earlier = dict(json.loads(found[0]))
        except (TypeError, ValueError, RecursionError):
            raise self._damaged("the query that it belongs to cannot be read") from None
        for name, value in query.items():
            if earlier.get(name) != value and (name in earlier or name not in _OF_RECORDS):
                was, now = (_shown(name, each) for each in (earlier.get(name), value))
                message = f"{self._path} belongs to another query: its {name} was {was}, not {now}"
                raise ValueError(message)
        if not query.keys() <= earlier.keys():
            with self._changed() as database:
                database.execute("UPDATE query SET description = ?", (json.dumps({**earlier, **query}),))

    def _damaged(self, what: str) -> ValueError:
        return ValueError(f"{self._path} is no checkpoint, or is damaged: {what}")


def _shown(name: str, value: Any) -> str:
    """Return a part of a query as the user wrote it: a time is kept as microseconds since 1970."""
    if name in ("since", "until") and isinstance(value, int):
        with suppress(OverflowError):
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)).isoformat()
    if name in _OF_RECORDS and value is not None:  # filters, as their own repr
        return shortened(value if isinstance(value, str) else f"[{', '.join(map(str, value))}]")
    return repr(value)


def _tried(file: Object, row: Row | None) -> tuple[Any, ...]:
    """Return the row of a file that is bad, or was not read; later runs continue after its last record handed over."""
    records = file.first if row is None else max(file.first, row.seen)
    kind = "skipped" if row is None else row.reason
    return os.fsencode(file.url), file.size, file.etag, file.modified, records, file.tries + 1, kind
