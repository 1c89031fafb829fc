"""What S3 charges for restoring objects from its archive classes, and how long that takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from ctfast import _small_file
from ctfast._cost.prices import DEFAULT

__all__ = ["DAYS", "TIERS", "Restore", "restore"]

#: For so long restored copies can be read.
DAYS = 7
#: Ways to restore, the cheaper one first.
TIERS = ("bulk", "standard")
_GIGABYTE = 1 << 30
_MONTH = 30


@dataclass(frozen=True)
class Restore:
    """What it takes to restore some objects of a class.

    Attributes
    ----------
    price : float
        Of the requests, of the data, and of storing the copies, in the currency of the table.
    hours : int
        Within how many hours S3 typically has restored them.
    """

    price: float
    hours: int


def restore(storage: str, tier: str, objects: int, size: int) -> Restore:
    """Return what it takes to restore these objects, with so many bytes together, from a class of storage.

    Examples
    --------
    >>> restore("DEEP_ARCHIVE", "bulk", 100_000, 50 << 30)
    Restore(price=2.89, hours=48)
    """
    table = _table()
    found, gigabytes = table[storage][tier], size / _GIGABYTE
    copies = table["gigabyte_month_of_copies"] * DAYS / _MONTH
    price = objects / 1000 * found["thousand"] + gigabytes * (found["gigabyte"] + copies)
    return Restore(round(price, 2), found["hours"])


@cache
def _table() -> dict[str, Any]:
    return json.loads(_small_file.read(DEFAULT))["restores"]  # type: ignore[no-any-return]  # our own file
