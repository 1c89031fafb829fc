"""Whether a file that a copy finds in its folder is the object, byte for byte."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ctfast._state.database import Database, Format

__all__ = ["Contents"]

#: S3 gives the MD5 of the body as ETag, unless the object came in parts or is encrypted with a key of KMS or of the
#: client.
_MD5 = re.compile(r"[0-9a-f]{32}")
_CONTENTS = Format(
    name="what a copy keeps of contents",
    application=0x63746663,
    number=2,
    schema=("CREATE TABLE object (name TEXT PRIMARY KEY, etag TEXT NOT NULL, md5 TEXT NOT NULL) WITHOUT ROWID",),
    migrations={1: ()},  # which had no application id
    unmarked={1: frozenset({"object"})},
    is_shared=True,
    busy="another copy has used this file for a minute: run this one again",
    remedy="remove it: what it tells of is fetched once more",
)


class Contents:
    """Compares files with what the listing of a bucket tells of the objects.

    The content of objects whose ETag is not its MD5 is noted when they are fetched, in a SQLite database: it is made
    when there is the first of them, and several copies may use it at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: Database | None = None
        self._new: list[tuple[str, str, str]] = []
        if path.exists():
            self._database = Database(path, _CONTENTS)

    def compared(self, name: str, etag: str | None, file: Path) -> str | None:
        """Return what shows that a file of the right size is the object: ``hash``, ``size``, or None if it is not."""
        etag = (etag or "").strip('"')
        known = self._known(name)
        may_be_md5 = _MD5.fullmatch(etag) is not None
        if not may_be_md5 and (known is None or known[0] != etag):
            return "size"
        try:
            md5 = _md5_of(file)
        except OSError:
            return None
        # An ETag that is not the MD5, of which nothing is known: another content, or none of the kind. Once fetched, it
        # is known.
        return "hash" if md5 == etag or known == (etag, md5) else None

    def note(self, name: str, etag: str | None, file: Path) -> None:
        """Remember what was fetched, if the ETag does not tell it."""
        etag = (etag or "").strip('"')
        if not etag:
            return
        md5 = _md5_of(file)
        if md5 != etag:
            self._new.append((name, etag, md5))

    def save(self) -> None:
        """Write what was noted, in one transaction."""
        if not self._new:
            return
        if self._database is None:
            self._database = Database(self._path, _CONTENTS)
        with self._database.changed() as connection:
            connection.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", self._new)
        self._new = []

    def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            self._database.close()

    def _known(self, name: str) -> tuple[str, str] | None:
        if self._database is None:
            return None
        with self._database.opened() as connection:
            found: tuple[str, str] | None = connection.execute(
                "SELECT etag, md5 FROM object WHERE name = ?", (name,)
            ).fetchone()
        return found


def _md5_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
