"""What ``ctfast cost`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
from rich.text import Text

from ctfast.cli.screen import size
from ctfast.cli.tables import Column, plain, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctfast._cost import Cost

__all__ = ["estimate"]

_NONE = "-"
_CENT = 0.01


def estimate(cost: Cost, width: int) -> Iterator[RenderableType]:
    """Yield the parts of the answer, top down."""
    rows = pl.concat([cost.events, _total(cost.events)])
    yield table(
        [
            Column("Category", "fixed", _texts(rows["category"])),
            Column("Source", "text", _texts(rows["source"])),
            Column("Seen", "number", _numbers(rows["seen"])),
            Column("Logged", "number", _numbers(rows["events"])),
            Column("Bytes", "number", [size(number) if number else _NONE for number in rows["bytes"]]),
            Column("Price", "number", _prices(rows["price"])),
            *_now(rows),
        ],
        width,
    )
    yield ""
    if cost.first is not None and cost.last is not None:
        yield Text(
            f"Events from {cost.first:%Y-%m-%d %H:%M:%S} to {cost.last:%Y-%m-%d %H:%M:%S} UTC; prices in {cost.prices.currency}."
        )
    for sentence in cost.unknown:
        yield Text(f"Note: {plain(sentence)}.")


def _total(events: pl.DataFrame) -> pl.DataFrame:
    return events.sum().with_columns(category=pl.lit("Total"), source=pl.lit("")).select(events.columns)


def _now(rows: pl.DataFrame) -> list[Column]:
    if "current_events" not in rows.columns:
        return []
    return [
        Column("Now", "number", _numbers(rows["current_events"])),
        Column("Price now", "number", _prices(rows["current_price"])),
    ]


def _texts(values: pl.Series) -> list[str]:
    return [_NONE if value is None else plain(value) for value in values]


def _numbers(values: pl.Series) -> list[str]:
    return [f"{value:,}" if value else _NONE for value in values]


def _prices(values: pl.Series) -> list[str]:
    """Amounts with as many digits as matter."""
    return [_NONE if value is None else f"{value:,.2f}" if value >= _CENT or not value else f"{value:.5f}" for value in values]
