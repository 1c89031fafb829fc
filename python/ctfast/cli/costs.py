"""What ``ctfast cost`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
from rich.text import Text

from ctfast._plain import counted, plain
from ctfast._tables import Column, table
from ctfast.cli.screen import size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctfast._cost import Cost
    from ctfast._folding import Room

__all__ = ["estimate"]

_NONE = "-"
_CENT = 0.01
#: What nearly all sources end with; the tables leave it out.
_DOMAIN = ".amazonaws.com"


def estimate(cost: Cost, room: Room) -> Iterator[RenderableType]:
    """Yield the parts of the answer, top down."""
    events, currency = cost.events, cost.prices.currency
    # A sum has no price when no part has one.
    categories = events.drop("source").group_by("category", maintain_order=True).agg(_sums(pl.all()))
    total = events.drop("category", "source").select(_sums(pl.all())).select(pl.lit("Total").alias("category"), pl.all())
    rows = pl.concat([categories, total])
    yield table([Column("Category", "text", _texts(rows["category"])), *_numbers(rows, currency)], room)
    yield ""
    logged = [pl.col(name) > 0 for name in ("events", "current_events") if name in events.columns]
    sources = events.filter(pl.any_horizontal(logged)).sort("category", -pl.col("events"), maintain_order=True, nulls_last=True)
    if not sources.is_empty():
        names = [name.removesuffix(_DOMAIN) for name in _texts(sources["source"])]
        yield table(
            [
                Column("Category", "text", _texts(sources["category"])),
                Column("Source", "text", names),
                *_numbers(sources, currency),
            ],
            room,
        )
        yield ""
    others = events.height - sources.height
    if others:
        yield Text(f"Nothing would be logged of {counted(others, 'other source')}.")
    if cost.first is not None and cost.last is not None:
        yield Text(f"Events from {cost.first:%Y-%m-%d %H:%M:%S} to {cost.last:%Y-%m-%d %H:%M:%S} UTC.")
    for sentence in cost.unknown:
        yield Text(f"Note: {plain(sentence)}.")


def _sums(columns: pl.Expr) -> pl.Expr:
    return pl.when(columns.is_not_null().any()).then(columns.sum())


def _numbers(rows: pl.DataFrame, currency: str) -> Iterator[Column]:
    yield Column("Seen", "number", _counts(rows["seen"]))
    yield Column("Logged", "number", _counts(rows["events"]))
    yield Column("Bytes", "number", [size(number) if number else _NONE for number in rows["bytes"]])
    yield Column(currency, "number", _prices(rows["price"], rows["events"]))
    if "current_events" in rows.columns:
        yield Column("Now", "number", _counts(rows["current_events"]))
        yield Column(f"{currency} now", "number", _prices(rows["current_price"], rows["current_events"]))


def _texts(values: pl.Series) -> list[str]:
    return [_NONE if value is None else plain(value) for value in values]


def _counts(values: pl.Series) -> list[str]:
    return [f"{value:,}" if value else _NONE for value in values]


def _prices(prices: pl.Series, events: pl.Series) -> list[str]:
    return [_money(price) if number and price is not None else _NONE for price, number in zip(prices, events, strict=True)]


def _money(price: float) -> str:
    if not price:
        return "free"
    return f"{price:,.2f}" if price >= _CENT else f"<{_CENT}"
