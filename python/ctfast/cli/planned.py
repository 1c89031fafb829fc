"""What an ingest would read: its rows as data, and what restoring takes in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import ctfast as ct
from ctfast._later import pl
from ctfast._show.plain import counted
from ctfast.cli.formats import NDJSON, TABLE
from ctfast.cli.lake import MOST
from ctfast.cli.rows import by_place, save, tabulate
from ctfast.cli.screen import say, size

__all__ = ["tell"]


def tell(plan: ct.IngestPlan) -> None:
    """Print the plan of an ingest."""
    if by_place() is TABLE:
        tabulate([plan.files], None, plan.files.height)
    else:
        save([plan.files], NDJSON, None, None)
    states = plan.files.group_by("state", maintain_order=True).agg(pl.col("files", "bytes").sum()).sort("state")
    say(*(f"{state}: {counted(files, 'file')}, {size(stored)}" for state, files, stored in states.iter_rows()))
    say(*_restores(plan))
    say(*(f"ctfast: {found}" for found in plan.unmatched))
    if plan.unlisted:
        say(f"ctfast: files or folders of the archive that cannot be opened or listed: {plan.unlisted:,}")
        say(*map(str, plan.errors[:MOST]))


def _restores(plan: ct.IngestPlan) -> Iterator[str]:
    """Yield what it takes to restore what is archived."""
    prices = plan.prices
    for row in plan.restores.iter_rows(named=True):
        what = f"{counted(row['objects'], 'object')} of {row['storage']}, {size(row['bytes'])}"
        price = f"{row['price']:,.2f} {prices.currency}, usually within {row['hours']} hours"
        yield f"--restore {row['tier']}: {what}: {price}"
    if not plan.restores.is_empty():
        yield f"prices for {prices.region}, in a table of {prices.date}; copies are kept for a week"
