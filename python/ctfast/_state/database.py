"""Opens the SQLite files of ctfast: durable, of a known format, and by as many processes as the format allows.

What they hold is described by a :class:`Format`, in the module that uses it.

A transaction that was committed is on the disk: ``synchronous=EXTRA`` syncs the file, its journal, and the folder from
which the journal is removed. The journal is SQLite's rollback journal, not a write-ahead log: a closed database is one
file, which can be copied, and it works on file systems without shared memory. An unfinished transaction of a killed
process is rolled back when the file is opened again.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

__all__ = ["Database", "Format"]

#: Seconds to wait for a file that several processes share.
_PATIENCE = 60


class _Column(NamedTuple):
    name: str
    type: str
    may_be_null: bool

    def other(self) -> str:
        """Return the condition of SQL that a value has another type, which SQLite stores in any column."""
        is_other = f"typeof({self.name}) <> '{self.type}'"
        return f"({is_other} AND {self.name} IS NOT NULL)" if self.may_be_null else is_other


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of file: how it is recognised, created, and migrated.

    Attributes
    ----------
    name : str
        Its name in messages: "a checkpoint".
    application : int
        The application id in SQLite's header, which distinguishes it from files of other kinds and other programs.
    number : int
        The number of the current format, kept as ``PRAGMA user_version``.
    schema : tuple of str
        The statements that create an empty one.
    migrations : dict of int to tuple of str
        By the number of a format, the statements that convert it to the next one.
    unmarked : dict of int to set of str
        By the number of a format that had no application id yet, its tables.
    is_shared : bool
        Whether several processes may have it open at the same time.
    busy, remedy : str
        Messages that say what to do when another process uses it, and when it is damaged.
    """

    name: str
    application: int
    number: int
    schema: tuple[str, ...]
    migrations: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    unmarked: Mapping[int, frozenset[str]] = field(default_factory=dict)
    is_shared: bool = False
    busy: str
    remedy: str

    @cached_property
    def columns(self) -> dict[str, list[_Column]]:
        """The columns of each of its tables."""
        with closing(sqlite3.connect(":memory:")) as connection:
            for statement in self.schema:
                connection.execute(statement)
            tables = [name for name, kind in _entries(connection) if kind == "table"]
            return {
                table: [
                    _Column(name, declared.lower(), may_be_null=not (is_filled or in_key))
                    for _, name, declared, is_filled, _, in_key in connection.execute(f"PRAGMA table_info({table})")
                ]
                for table in tables
            }


class Database:
    """An open file of one format. If it is not shared, it is locked until it is closed."""

    def __init__(self, path: str | Path, form: Format) -> None:
        self._path = Path(path)
        self._form = form
        with self.errors_worded():
            # Polars may call from different threads, but from one at a time.
            # An absolute path is never one of the names that are special to SQLite, such as ":memory:".
            self._connection = sqlite3.connect(
                self._path.absolute(),
                timeout=_PATIENCE if form.is_shared else 0,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self.errors_worded():
                if not form.is_shared:
                    self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._connection.execute("PRAGMA synchronous = EXTRA")
            with self.changed() as connection:
                for statement in self._missing():
                    connection.execute(statement)
                self._check_types()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, so that other processes can use it."""
        self._connection.close()

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for reading."""
        with self.errors_worded():
            yield self._connection

    @contextmanager
    def changed(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection in a transaction."""
        with self.errors_worded():
            self._connection.execute("BEGIN IMMEDIATE" if self._form.is_shared else "BEGIN EXCLUSIVE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def errors_worded(self) -> Iterator[None]:
        """Turn errors of SQLite into exceptions that say in one sentence why the file cannot be used."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._sentence(error) from None

    def _sentence(self, error: sqlite3.DatabaseError) -> OSError | ValueError:
        path, form = self._path, self._form
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            number, words = errno.EAGAIN, form.busy
        elif code == sqlite3.SQLITE_CANTOPEN and path.is_dir():
            number, words = errno.EISDIR, f"this is a folder, and {form.name} is a file"
        elif code == sqlite3.SQLITE_CANTOPEN and not path.absolute().parent.is_dir():
            number, words = errno.ENOENT, "the folder in which it should be made is not there"
        elif code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
            number = errno.EACCES
            words = f"{form.name} is written to, and so is its folder, for a journal: make both writable"
        elif code == sqlite3.SQLITE_FULL:
            number = errno.ENOSPC
            words = "the disk is full: what was committed is safe; make room, and run the same again"
        elif code == sqlite3.SQLITE_IOERR:
            number = errno.EIO
            words = f"the disk fails ({error}): what was committed is safe; see to the disk, and run the same again"
        elif code == sqlite3.SQLITE_NOMEM:
            number, words = errno.ENOMEM, str(error)
        elif code == sqlite3.SQLITE_NOTADB:
            return ValueError(f"{path} is not {form.name}: {error}")
        else:
            return ValueError(f"{path} is damaged ({error}): {form.remedy}")
        return OSError(number, words, str(path))  # Python picks the subclass for this number

    def _missing(self) -> tuple[str, ...]:
        """Return the statements that bring the file to the current format; refuse other programs' and newer files."""
        form = self._form
        (number,) = self._connection.execute("PRAGMA user_version").fetchone()
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        entries = dict(_entries(self._connection))
        mark = (f"PRAGMA application_id = {form.application}", f"PRAGMA user_version = {form.number}")
        # SQLite itself takes a file of one byte for an empty one. The size is that of a file without an unfinished
        # transaction, which the lock has rolled back. The file must not be opened to look at it: closing it would
        # release the locks that this process has on it.
        if self._path.stat().st_size == 0:
            return (*form.schema, *mark)
        if application not in (form.application, 0):
            raise ValueError(f"{self._path} is not {form.name}, but another database")
        if application == 0 and form.unmarked.get(number) != entries.keys():
            if number > form.number and any(entries.keys() >= known for known in form.unmarked.values()):
                raise self._newer(number)
            raise ValueError(f"{self._path} is not {form.name}, but another database")
        if number > form.number:
            raise self._newer(number)
        if number == form.number:
            lost = ", ".join(sorted(name for name in form.columns if entries.get(name) != "table"))
            if not lost:
                return ()
            raise ValueError(f"{self._path} is damaged (it has no table {lost}): {form.remedy}")
        steps = range(number, form.number)
        if not all(step in form.migrations for step in steps):
            raise ValueError(f"{self._path} is damaged (there is no format {number}): {form.remedy}")
        return (*(statement for step in steps for statement in form.migrations[step]), *mark)

    def _check_types(self) -> None:
        for table, columns in self._form.columns.items():
            damage = " ".join(
                f"WHEN {column.other()} THEN '{column.name} has a value of type ' || typeof({column.name})"
                for column in columns
            )
            either = " OR ".join(column.other() for column in columns)
            select = f"SELECT CASE {damage} END FROM {table} WHERE {either} LIMIT 1"  # noqa: S608  # names of the schema
            for (found,) in self._connection.execute(select):
                raise ValueError(f"{self._path} is damaged ({table}.{found}): {self._form.remedy}")

    def _newer(self, number: int) -> ValueError:
        message = (
            f"{self._path} is of format {number}, made by a newer ctfast; this one reads formats 1 to "
            f"{self._form.number}: upgrade ctfast"
        )
        return ValueError(message)


def _entries(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the names and kinds of what a database holds, without what SQLite adds itself."""
    return connection.execute("SELECT name, type FROM sqlite_master WHERE name NOT GLOB 'sqlite_*'").fetchall()
