"""What an ingest would read, and what would have to be restored before: :class:`IngestPlan`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ctfast._cost.prices import Prices
from ctfast._cost.restores import TIERS, restore
from ctfast._lake.plan import Found
from ctfast._later import pl
from ctfast.exceptions import NothingChosen, SourceError

__all__ = ["IngestPlan", "Tally"]

#: The account, if there is one, and the month in a key.
_PLACE = re.compile(r"/(?:([0-9]{12})/[^/]+/[^/]+/)?([0-9]{4})/([0-9]{2})/[0-9]{2}/")
#: States of objects in archive classes that may have to be restored.
_ARCHIVED = ("archived", "unknown")


@dataclass(frozen=True)
class IngestPlan:
    """What an ingest would read.

    Attributes
    ----------
    files : polars.DataFrame
        Files and their bytes as stored, by ``month`` and ``account`` of their keys, ``state`` and ``storage``, the
        archive class of S3 that objects are in. The state is ``new``, ``known``, ``archived`` (it has to be restored
        first), ``restoring``, or ``unknown`` (the store does not tell whether the object is restored, and an ingest
        tries to read it).
    restores : polars.DataFrame
        What it takes to restore those that are ``archived`` or ``unknown``: ``storage``, ``tier``, ``objects``,
        ``bytes``, ``price`` and ``hours``. The price is that of requests, of the data, and of the copies that S3 keeps
        for a week, in the currency of ``prices``; S3 typically takes no more hours than these.
    prices : Prices
        The table of prices, with its date and region.
    unlisted : int
        Files and folders that cannot be opened or listed.
    errors : tuple of SourceError
        Why; of very many, the first ones.
    unmatched : tuple of NothingChosen
        What was asked for and no file has.
    """

    files: pl.DataFrame
    restores: pl.DataFrame
    prices: Prices
    unlisted: int
    errors: tuple[SourceError, ...]
    unmatched: tuple[NothingChosen, ...]


class Tally:
    """Counts files by month, account, state and storage."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str | None, str | None, str, str | None], list[int]] = {}

    def add(self, files: Sequence[Found]) -> None:
        """Count these."""
        for (file, size, *_), state, storage in files:
            place = _PLACE.search(file)
            month, account = (None, None) if place is None else (f"{place[2]}-{place[3]}", place[1])
            counts = self._counts.setdefault((month, account, state, storage), [0, 0])
            counts[0] += 1
            counts[1] += size or 0

    def files(self) -> pl.DataFrame:
        """Return the counts."""
        text, number = pl.String(), pl.Int64()
        schema = dict.fromkeys(("month", "account", "state", "storage"), text) | {"files": number, "bytes": number}
        rows = [(*key, *counts) for key, counts in self._counts.items()]
        return pl.DataFrame(rows, schema, orient="row").sort("month", "account", "state", "storage")

    def restores(self) -> pl.DataFrame:
        """Return what it takes to restore what is archived, for each tier."""
        of_class = self.files().filter(pl.col("state").is_in(_ARCHIVED)).group_by("storage", maintain_order=True)
        rows = []
        for storage, objects, size in of_class.agg(pl.col("files", "bytes").sum()).sort("storage").iter_rows():
            for tier in TIERS:
                takes = restore(storage, tier, objects, size)
                rows.append((storage, tier, objects, size, takes.price, takes.hours))
        number = pl.Int64()
        schema = {
            "storage": pl.String(),
            "tier": pl.String(),
            "objects": number,
            "bytes": number,
            "price": pl.Float64(),
            "hours": number,
        }
        return pl.DataFrame(rows, schema, orient="row")
