"""What event selectors would log, and its cost: :func:`cost`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Unpack

from ctfast import _ctfast
from ctfast._arguments.gate import Reading, public
from ctfast._cost.prices import Prices
from ctfast._filter.filters import EventSelectors, Filter
from ctfast._filter.rules import RuleSet
from ctfast._later import pl
from ctfast._ledger.report import Report
from ctfast._scan.options import RULES, ask, told
from ctfast._scan.stream import EventStream
from ctfast._source.addresses import Source

__all__ = ["Cost", "cost"]

#: Categories that a record need not name, because its other fields imply them.
_CATEGORIES = ("Management", "Data", "NetworkActivity", "Insight")
#: Names of the selectors among the rules; no category has such a name.
_OTHER, _NEW, _CURRENT = "other", "new", "current"
_COLUMNS = ["eventTime", "eventSource", "eventCategory", "raw", RULES]
#: Parts that are held before they are added up.
_PARTS = 256


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What event selectors would log from the events of an archive.

    Attributes
    ----------
    events : polars.DataFrame
        One row per ``category`` and event ``source``: ``seen`` and ``seen_bytes`` of the archive, ``events`` and
        ``bytes`` of them that would be logged, their ``price``; with ``against``, ``current_events``, ``current_bytes``
        and ``current_price`` as well. Bytes are those of the records' JSON, not compressed. A price is null where the
        table has none for the category.
    first, last : datetime.datetime or None
        Time of the first and the last event of the archive.
    unknown : list of str
        What the estimate cannot know, in sentences.
    prices : Prices
        The table of prices.
    report : Report
        What was read.
    """

    events: pl.DataFrame
    first: datetime | None
    last: datetime | None
    unknown: list[str]
    prices: Prices
    report: Report

    @property
    def price(self) -> float:
        """Price of all events that would be logged, in the currency of the table."""
        return float(self.events["price"].sum())

    @property
    def current_price(self) -> float | None:
        """Price of all events that are logged now, if ``against`` was given."""
        return float(self.events["current_price"].sum()) if "current_price" in self.events.columns else None


class _Category(Filter):
    """Events of one category, whether they name it or not."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._native = _ctfast.Filter.category(name)

    def __repr__(self) -> str:
        return f"_Category({self._name!r})"


@public(options=Reading)
def cost(
    source: Source,
    selectors: EventSelectors | RuleSet,
    *,
    against: EventSelectors | RuleSet | None = None,
    prices: str | os.PathLike[str] | None = None,
    further_copy: bool = False,
    **options: Unpack[Reading],
) -> Cost:
    """Estimate what event selectors would log, from the events of an archive, in one pass.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`.
    selectors
        What a trail would log: event selectors, or rules that have some once.
    against
        What it logs now.
    prices
        Path of a price table like ``prices.json`` of the package, to use instead of that.
    further_copy
        Whether another trail already logs management events. The first copy in each region is free.

    Returns
    -------
    Cost
        Events and bytes by category and source, their price, and what the estimate cannot know.

    Raises
    ------
    ValueError
        The price table is invalid. Other errors as for :func:`ctfast.scan`.

    Notes
    -----
    An archive holds what its trails logged. Events that they left out, such as data events of other resources, are not
    in the estimate.

    Examples
    --------
    >>> import ctfast as ct, polars as pl
    >>> data = {"Field": "eventCategory", "Equals": ["Data"]}
    >>> kind = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}
    >>> objects = ct.EventSelectors([{"FieldSelectors": [data, kind]}])
    >>> logged = ct.cost(archive, objects).events.filter(pl.col("events") > 0)
    >>> logged.select("category", "source", "seen", "events").rows()
    [('Data', 's3.amazonaws.com', 288, 288)]
    """
    wanted: Any = selectors  # by now event selectors: of rules those that are the only ones
    current: Any = against
    table = Prices.read(prices)
    categories: dict[str, Filter] = {name: _Category(name) for name in _CATEGORIES}
    # Records of other categories count as well: every record meets one of these rules.
    rules = (
        categories
        | {_OTHER: ~reduce(or_, categories.values()), _NEW: wanted}
        | ({} if current is None else {_CURRENT: current})
    )
    report = told(options)
    reading = ask("cost", source, rules=rules, **options)
    with EventStream(reading.asking(_COLUMNS), views=True) as batches:
        parts = [_count(pl.DataFrame(batches.schema.empty_table()))]
        for batch in batches:
            parts.append(_count(pl.DataFrame(batch)))
            if len(parts) == _PARTS:
                parts = [_add(pl.concat(parts))]
    total = _add(pl.concat(parts))
    return Cost(
        events=_priced(total, table, further_copy=further_copy, compared=current is not None),
        first=total["first"].min(),  # type: ignore[arg-type]  # of the type of the column
        last=total["last"].max(),  # type: ignore[arg-type]
        unknown=list(_unknown(total, wanted, table, further_copy=further_copy, dedupe=options.get("dedupe", False))),
        prices=table,
        report=report,
    )


def _count(frame: pl.DataFrame) -> pl.DataFrame:
    met = pl.col(RULES).list.contains
    known = [pl.when(met(name)).then(pl.lit(name)) for name in _CATEGORIES]
    size = pl.col("raw").str.len_bytes().cast(pl.Int64)
    return frame.group_by(category=pl.coalesce(*known, "eventCategory"), source=pl.col("eventSource")).agg(
        seen=pl.len().cast(pl.Int64),
        seen_bytes=size.sum(),
        events=met(_NEW).sum().cast(pl.Int64),
        bytes=size.filter(met(_NEW)).sum(),
        current_events=met(_CURRENT).sum().cast(pl.Int64),
        current_bytes=size.filter(met(_CURRENT)).sum(),
        first=pl.col("eventTime").min(),
        last=pl.col("eventTime").max(),
    )


def _add(parts: pl.DataFrame) -> pl.DataFrame:
    by = ["category", "source"]
    times = ["first", "last"]
    return (
        parts.group_by(by)
        .agg(pl.exclude(*by, *times).sum(), pl.col("first").min(), pl.col("last").max())
        .sort(by, nulls_last=True)
    )


def _priced(total: pl.DataFrame, prices: Prices, *, further_copy: bool, compared: bool) -> pl.DataFrame:
    def price(events: str) -> pl.Series:
        rows = zip(total["category"], total[events], strict=True)
        return pl.Series(
            [prices.of(category, number, further_copy=further_copy) for category, number in rows], dtype=pl.Float64
        )

    now = ["current_events", "current_bytes", "current_price"] if compared else []
    frame = total.with_columns(price=price("events"), current_price=price("current_events"))
    return frame.select("category", "source", "seen", "seen_bytes", "events", "bytes", "price", *now)


def _unknown(
    total: pl.DataFrame, selectors: EventSelectors, prices: Prices, *, further_copy: bool, dedupe: bool
) -> Iterator[str]:
    yield "events that the trails of this archive left out are not in it, and in no number here"
    asked = {
        value
        for selector in selectors.advanced()
        for field in selector["FieldSelectors"]
        if field["Field"] == "eventCategory"
        for value in field["Equals"]
    }
    for category in sorted(asked - set(total["category"])):
        yield (
            f"the archive has no {category} events, though the selectors ask for them: their cost cannot be told from"
            " it"
        )
    unpriced = total.filter((pl.col("events") > 0) & ~pl.col("category").is_in(list(prices.events)))["category"]
    for category in sorted(set(unpriced)):
        yield f"the table of prices has none for {category} events"
    if not further_copy:
        yield "management events are taken for the first copy in each region, which is free"
    left_out = "storage, encryption and notifications are not counted"
    yield left_out if dedupe else f"an event that several trails delivered is counted for each; {left_out}"
    logged = total.filter(pl.col("events") > 0)["category"].unique().sort()
    for category in (category for category in logged if category in prices.events):
        source = prices.events[category].source
        yield f"the price of {category} events for {prices.region}, in a table of {prices.date}, is from {source}"
