"""The verb ``cost``: what event selectors would log, and its price."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

import ctfast as ct
from ctfast._later import pl
from ctfast._show.plain import counted, plain
from ctfast._show.tables import Column, table
from ctfast._source.apart import keep
from ctfast.cli import options
from ctfast.cli.conditions import DOCUMENT, read
from ctfast.cli.formats import ROWS, TABLE
from ctfast.cli.output import check_target, chosen, opened
from ctfast.cli.progress import progress
from ctfast.cli.screen import duplicates, findings, is_unanswered, say, show, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctfast._show.folding import Room

__all__ = ["cost"]

_TABLE_OF_PRICES: Any = click.Path(exists=True, dir_okay=False, path_type=Path)
_NONE = "-"
_CENT = 0.01
#: The end of nearly all event sources; the tables leave it out.
_DOMAIN = ".amazonaws.com"


@click.command()
@options.archives
@click.option(
    "--selectors", type=DOCUMENT, required=True, metavar="FILE|JSON", help="Event selectors that a trail would have."
)
@click.option("--against", type=DOCUMENT, metavar="FILE|JSON", help="Event selectors that the trail has now.")
@click.option(
    "--prices", type=_TABLE_OF_PRICES, metavar="FILE", help="Table of prices instead of the one that comes with ctfast."
)
@click.option("--further-copy", is_flag=True, help="Another trail logs management events already: no copy is free.")
@options.dedupe
@options.reading
@options.output((*ROWS, TABLE), "by the name of FILE; else table")
@click.pass_context
def cost(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    selectors: Path | str,
    against: Path | str | None,
    prices: Path | None,
    further_copy: bool,
    origin: str | None,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Estimate what event selectors would log, and its price.

    The estimate counts the records of an archive: events and bytes by category and source. It does not include what the
    archive does not hold.

    \b
    Example:
      ctfast cost logs --selectors new.json --against current.json
    """
    keep([str(path) for path in (selectors, against, prices) if isinstance(path, Path)], target)
    into = chosen(form, target, TABLE)
    wanted = read("--selectors", ct.EventSelectors, selectors)
    current = None if against is None else read("--against", ct.EventSelectors, against)
    source = options.sources(archive, origin, target)
    check_target(target)
    with progress(source, reading) as shown:
        found = ct.cost(
            source,
            wanted,
            against=current,
            prices=prices,
            further_copy=further_copy,
            progress=shown,
            **reading,
        )
    if is_unanswered(found.report):
        ctx.exit(findings(found.report))
    with opened(target) as file:
        if into is TABLE:
            show(file, lambda room: _estimate(found, room))
        else:
            into.put([found.events], file)
    say(*duplicates(found.report, removed=True))
    ctx.exit(findings(found.report))


def _estimate(cost: ct.Cost, room: Room) -> Iterator[RenderableType]:
    """Yield the parts of the output, from top to bottom."""
    events, currency = cost.events, cost.prices.currency
    # A sum has no price when no part has one.
    categories = events.drop("source").group_by("category", maintain_order=True).agg(_sums(pl.all()))
    total = (
        events.drop("category", "source").select(_sums(pl.all())).select(pl.lit("Total").alias("category"), pl.all())
    )
    rows = pl.concat([categories, total])
    yield table([Column("Category", "text", _texts(rows["category"])), *_numbers(rows, currency)], room)
    yield ""
    logged = [pl.col(name) > 0 for name in ("events", "current_events") if name in events.columns]
    sources = events.filter(pl.any_horizontal(logged)).sort(
        "category", -pl.col("events"), maintain_order=True, nulls_last=True
    )
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
    return [
        _money(price) if number and price is not None else _NONE for price, number in zip(prices, events, strict=True)
    ]


def _money(price: float) -> str:
    if not price:
        return "free"
    return f"{price:,.2f}" if price >= _CENT else f"<{_CENT}"
