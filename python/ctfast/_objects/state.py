"""The database of a checkpoint: opened in one place, of one format, by one process at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NO_DAY", "take", "told", "transaction"]

#: The day of files without one in their keys.
NO_DAY = -1
_FORMAT = 2
#: What tells this database from those of other programs, in SQLite's header.
_APPLICATION = 0x63746661
_TABLES = {"query", "place", "seen", "unread"}

_SEEN = """
    CREATE TABLE seen (
        place INTEGER, day INTEGER, file BLOB, size INTEGER, version BLOB, records INTEGER, PRIMARY KEY (place, day, file)
    ) WITHOUT ROWID
"""
_UNREAD = """
    CREATE TABLE unread (
        file BLOB PRIMARY KEY, size INTEGER, etag TEXT, modified INTEGER,
        records INTEGER NOT NULL, tries INTEGER NOT NULL, kind TEXT NOT NULL
    ) WITHOUT ROWID
"""
_UNITS = (
    "CREATE TABLE unit (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, files INTEGER, committed INTEGER NOT NULL)",
    """
    CREATE TABLE planned (
        unit INTEGER, position INTEGER, file BLOB, size INTEGER, etag TEXT, modified INTEGER, first INTEGER, tries INTEGER,
        PRIMARY KEY (unit, position)
    ) WITHOUT ROWID
    """,
)
_STAMP = (f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {_FORMAT}")
_NEW = (
    "CREATE TABLE query (description TEXT NOT NULL)",
    "CREATE TABLE place (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, newest INTEGER NOT NULL, floor INTEGER NOT NULL)",
    _SEEN,
    _UNREAD,
    *_UNITS,
    *_STAMP,
)
#: The first format knew neither sizes nor units: what it has seen stays done, whatever its size; what it could not read is tried
#: again from its first record on.
_FROM_FIRST = (
    "ALTER TABLE seen RENAME TO seen_1",
    _SEEN,
    "INSERT INTO seen (place, day, file) SELECT place, day, file FROM seen_1",
    "DROP TABLE seen_1",
    "ALTER TABLE unread RENAME TO unread_1",
    _UNREAD,
    "INSERT INTO unread SELECT CAST(file AS BLOB), size, NULL, NULL, 0, tries, 'unreadable' FROM unread_1",
    "DROP TABLE unread_1",
    *_UNITS,
    *_STAMP,
)


def take(path: str) -> sqlite3.Connection:
    """Open the database and keep others out of it until it is closed; make it if it is new, migrate it if it is old."""
    with told(path):
        # Polars may call from another thread, one at a time.
        # The whole path is never one of the names that mean something else to SQLite, such as ":memory:".
        database = sqlite3.connect(Path(path).absolute(), timeout=0, isolation_level=None, check_same_thread=False)
    try:
        with told(path):
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA synchronous = FULL")
        with transaction(database, path):
            for statement in _missing(database, path):
                database.execute(statement)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def transaction(database: sqlite3.Connection, path: str) -> Iterator[None]:
    """Change the database wholly or not at all."""
    with told(path):
        database.execute("BEGIN EXCLUSIVE")
    try:
        with told(path):
            yield
            database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextmanager
def told(path: str) -> Iterator[None]:
    """Say in one sentence why the database cannot be used."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = error.sqlite_errorcode & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise BlockingIOError(
                11, "this checkpoint is used by another process, or by another scan of the same query", path
            ) from None
        if code == sqlite3.SQLITE_CANTOPEN and Path(path).is_dir():
            raise IsADirectoryError(21, "this is a folder, and a checkpoint is a file", path) from None
        if code == sqlite3.SQLITE_CANTOPEN:
            raise FileNotFoundError(2, str(error), path) from None
        raise OSError(5, str(error), path) from None
    except sqlite3.DatabaseError as error:
        message = f"{path} is no checkpoint: {error}"
        raise ValueError(message) from None


def _missing(database: sqlite3.Connection, path: str) -> tuple[str, ...]:
    """Return what makes this a database of the present format; refuse one that is none, or newer."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version == 0 and not tables:
        return _NEW
    if version > _FORMAT and (application == _APPLICATION or tables >= _TABLES):
        message = f"{path} is of format {version}, made by a newer ctfast; this one reads formats 1 to {_FORMAT}: upgrade ctfast"
        raise ValueError(message)
    if application == _APPLICATION and version == _FORMAT:
        return ()
    if application == 0 and version == 1 and tables == _TABLES:
        return _FROM_FIRST
    message = f"{path} is no checkpoint, but another database"
    raise ValueError(message)
