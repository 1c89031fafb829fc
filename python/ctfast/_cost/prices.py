"""What CloudTrail charges for events: a table with its date and sources, which can be replaced."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from ctfast import _small_file
from ctfast._arguments.gate import checked, public

__all__ = ["DEFAULT", "Price", "Prices", "table"]

#: The table of the package.
DEFAULT = Path(__file__).with_name("prices.json")


class _Price(NamedTuple):
    """The fields of :class:`Price`."""

    price: float
    per: int
    first_copy_free: bool
    source: str


class Price(_Price):
    """The price of events of one category.

    Attributes
    ----------
    price : float
        For ``per`` events, in the currency of the table.
    per : int
        Events.
    first_copy_free : bool
        Whether the first trail that logs them in a region pays nothing.
    The source of the price.
        Who says so.
    """

    __slots__ = ()

    @public()
    def __new__(cls, price: float, per: int, first_copy_free: bool = False, source: str = "") -> Self:  # noqa: FBT001, FBT002  # a field
        """Refuse an invalid price."""
        return super().__new__(cls, price, per, first_copy_free, source)


@dataclass(frozen=True)
class Prices:
    """Prices of events by category, as trails are charged.

    Attributes
    ----------
    currency, region, date : str
        Currency of the prices, the region for which they hold, and when they were looked up.
    events : dict of str to Price
        By category: ``Management``, ``Data``, ``NetworkActivity``.
    """

    currency: str
    region: str
    date: str
    events: dict[str, Price]

    def __post_init__(self) -> None:
        """Refuse an invalid table."""
        taken = checked("Prices", currency=self.currency, region=self.region, date=self.date, events=self.events)
        object.__setattr__(self, "events", taken["events"])

    @classmethod
    @public()
    def read(cls, file: str | os.PathLike[str] | None = None) -> Prices:
        """Read a table, by default that of the package.

        Raises
        ------
        ValueError
            The file is not such a table.

        Examples
        --------
        >>> Prices.read().events["Data"].price
        0.1
        """
        return table(DEFAULT if file is None else file)

    @public()
    def of(self, category: str, events: int, *, further_copy: bool) -> float | None:
        """The price of these events; ``None`` if the table does not have it."""
        price = self.events.get(category)
        if price is None:
            return None
        if price.first_copy_free and not further_copy:
            return 0.0
        return events * price.price / price.per


def table(file: str | os.PathLike[str]) -> Prices:
    """Read a price table; on failure, say why in one sentence."""
    try:
        found = json.loads(_small_file.read(file))
        events = {category: _price(row) for category, row in found["events"].items()}
        return Prices(str(found["currency"]), str(found["region"]), str(found["date"]), events)
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{os.fspath(file)} is no table of prices: {what}") from None


def _price(row: Any) -> Price:
    return Price(
        float(row["price"]), int(row["per"]), bool(row.get("first_copy_free", False)), str(row.get("source", ""))
    )
