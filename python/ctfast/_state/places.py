"""What a checkpoint keeps of files: the place of each, which version of it was read, and how far."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import NamedTuple

from ctfast import _ctfast
from ctfast._source.object_keys import Object
from ctfast._state.schema import NO_DAY

__all__ = ["Marks", "Place", "Read", "Where", "digest", "version", "where"]

#: Bytes of the hash that stands for a file that was read: enough that no two files ever share one.
_DIGEST = 16
#: Bytes of the hash that stands for a version of one file.
_VERSION = 8


class Where(NamedTuple):
    """Where a key belongs: its place, which is the part of the key before its day, and the day as a number."""

    place: str
    day: int


class Read(NamedTuple):
    """What was read of a file: its size, its version, and how many records. An older format had none of these."""

    size: int | None
    version: bytes | None
    records: int | None

    def is_other_than(self, file: Object) -> bool:
        """Whether the file has changed since, or may have, as after a retry, when its version is not known yet."""
        now = version(file)
        is_resized = None not in (self.size, file.size) and self.size != file.size
        return is_resized or (now is not None and self.version != now)


@dataclass
class Place:
    """What is known about a place: its newest day, the day before which it is closed, and the files read since then."""

    newest: int = NO_DAY
    floor: int = NO_DAY
    seen: dict[bytes, Read] = field(default_factory=dict)


@dataclass
class Marks:
    """What a run has handed over in one place since the last commit; only what the checkpoint will keep."""

    newest: int = NO_DAY
    #: The day at which the floor stays, since a part of the place after it could not be listed.
    held: int | None = None
    days: dict[int, dict[bytes, Read]] = field(default_factory=dict)

    def add(self, day: int, file: bytes, read: Read, rewind: int) -> None:
        """Note a file that was read."""
        self.days.setdefault(day, {})[file] = read
        if day > self.newest and day <= _tomorrow():
            self.newest = day
            if self.held is None:
                for old in [old for old in self.days if NO_DAY < old < day - rewind]:
                    del self.days[old]

    def hold(self, place: str, unlisted: Collection[str] | None, rewind: int) -> None:
        """Keep the floor where it is if one of these files or folders, which are in order of days, is in the place.

        None stands for so many that some may be in any place.
        """
        if self.held is not None:
            return
        if unlisted is None or any(path.startswith(f"{place.rstrip('/')}/") for path in unlisted):
            self.held = self.newest - rewind

    def floor(self, newest: int, rewind: int) -> int:
        """Return the day before which the place is closed, if this is its newest day."""
        return newest - rewind if self.held is None else self.held


def where(url: str) -> Where:
    """Return the place and the day of a key; keys without a day belong to the place of their folder."""
    key = _ctfast.parse_key(url)
    if key is not None and key["day"] is not None:
        year, month, day = key["day"].split("/")
        try:
            return Where(url.rsplit("/", 4)[0], date(int(year), int(month), int(day)).toordinal())
        except ValueError:
            pass  # not a day of the calendar
    return Where(url.rpartition("/")[0] + "/", NO_DAY)


def digest(url: str) -> bytes:
    """Return the hash that stands for a file."""
    return blake2b(os.fsencode(url), digest_size=_DIGEST).digest()


def version(file: Object) -> bytes | None:
    """Return the hash that stands for a version of a file: of its ETag, or of its modification time if it has no ETag.

    A copy of the same bytes has the same ETag, but another time.
    """
    known = file.modified if file.etag is None else file.etag
    return None if known is None else blake2b(str(known).encode(), digest_size=_VERSION).digest()


def _tomorrow() -> int:
    """Return the last plausible day of a place: a key with a day in the far future must not close the place."""
    return datetime.now(UTC).toordinal() + 1
