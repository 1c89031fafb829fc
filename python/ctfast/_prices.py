"""What CloudTrail charges for events: a table with its date and sources, which can be replaced."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Price", "Prices"]

_DEFAULT = Path(__file__).with_name("prices.json")


class Price(NamedTuple):
    """The price of events of one category.

    Attributes
    ----------
    price : float
        For ``per`` events, in the currency of the table.
    per : int
        Events.
    first_copy_free : bool
        Whether the first trail that logs them in a region pays nothing.
    source : str
        Who says so.
    """

    price: float
    per: int
    first_copy_free: bool = False
    source: str = ""


@dataclass(frozen=True)
class Prices:
    """Prices of events by category, as trails are charged.

    Attributes
    ----------
    currency, region, date : str
        What the prices are in, where they hold, and when they were looked up.
    events : dict of str to Price
        By category: ``Management``, ``Data``, ``NetworkActivity``.
    """

    currency: str
    region: str
    date: str
    events: dict[str, Price]

    @classmethod
    def read(cls, file: str | os.PathLike[str] | None = None) -> Prices:
        """Read a table, by default that of the package.

        Raises
        ------
        ValueError
            The file is no such table.

        Examples
        --------
        >>> Prices.read().events["Data"].price
        0.1
        """
        path = _DEFAULT if file is None else Path(file)
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            events = {category: _price(row) for category, row in table["events"].items()}
            return cls(str(table["currency"]), str(table["region"]), str(table["date"]), events)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{path} is no table of prices: {what}") from None

    def of(self, category: str, events: int, *, further_copy: bool) -> float | None:
        """What these events cost; ``None`` when the table does not say."""
        price = self.events.get(category)
        if price is None:
            return None
        if price.first_copy_free and not further_copy:
            return 0.0
        return events * price.price / price.per


def _price(row: Any) -> Price:
    price = Price(float(row["price"]), int(row["per"]), bool(row.get("first_copy_free", False)), str(row.get("source", "")))
    if price.price < 0 or price.per < 1:
        raise ValueError("a price is negative, or for no events")
    return price
