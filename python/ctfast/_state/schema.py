"""The tables of a checkpoint's file, and how older formats are migrated to the current one."""

from __future__ import annotations

from ctfast._state.database import Format

__all__ = ["CHECKPOINT", "NO_DAY"]

#: The day of files without one in their keys.
NO_DAY = -1

_QUERY = "CREATE TABLE query (description TEXT NOT NULL)"
_PLACE = """
    CREATE TABLE place (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, newest INTEGER NOT NULL, floor INTEGER NOT NULL
    )
"""
_SEEN = """
    CREATE TABLE seen (
        place INTEGER, day INTEGER, file BLOB, size INTEGER, version BLOB, records INTEGER,
        PRIMARY KEY (place, day, file)
    ) WITHOUT ROWID
"""
_UNREAD = """
    CREATE TABLE unread (
        file BLOB PRIMARY KEY, size INTEGER, etag TEXT, modified INTEGER,
        records INTEGER NOT NULL, tries INTEGER NOT NULL, kind TEXT NOT NULL
    ) WITHOUT ROWID
"""
_UNITS = (
    """
    CREATE TABLE unit (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, files INTEGER, committed INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE planned (
        unit INTEGER, position INTEGER, file BLOB NOT NULL, size INTEGER, etag TEXT, modified INTEGER,
        first INTEGER NOT NULL, tries INTEGER NOT NULL, PRIMARY KEY (unit, position)
    ) WITHOUT ROWID
    """,
)
#: The first format had neither sizes nor units: files it has seen stay done, whatever their size; files it could not
#: read are tried again from their first record on.
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
)

CHECKPOINT = Format(
    name="a checkpoint",
    application=0x63746661,
    number=2,
    schema=(_QUERY, _PLACE, _SEEN, _UNREAD, *_UNITS),
    migrations={1: _FROM_FIRST},
    unmarked={1: frozenset({"query", "place", "seen", "unread"})},
    busy="this checkpoint is used by another process, or by another scan of the same query: wait for its end, "
    "or name another file",
    remedy="put back a copy of it, or name another file, with which all is read from the beginning",
)
