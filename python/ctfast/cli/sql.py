"""The verb ``sql``: query an archive in SQL."""

from __future__ import annotations

import itertools
from typing import Any

import click

import ctfast as ct
from ctfast.cli import options
from ctfast.cli.formats import ROWS, TABLE
from ctfast.cli.output import check_target, chosen
from ctfast.cli.progress import progress
from ctfast.cli.rows import BY_PLACE, SLICE, by_place, save, tabulate
from ctfast.cli.screen import duplicates, findings, is_unanswered, say

__all__ = ["sql"]


@click.command()
@click.argument("archive")
@click.argument("query")
@options.reading
@options.limit
@options.dedupe
@options.output((*ROWS, TABLE), BY_PLACE)
@click.pass_context
def sql(
    ctx: click.Context,
    /,
    archive: str,
    query: str,
    *,
    limit: int | None,
    origin: str | None,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Query an archive in Polars' dialect of SQL.

    The table is events; fields of structs are named as userIdentity.arn. The result is held in memory; what the query
    does not need of the archive is not.

    \b
    Example:
      ctfast sql logs "SELECT eventName, count(*) AS n FROM events GROUP BY eventName ORDER BY n DESC LIMIT 10"
    """
    into = chosen(form, target, by_place())
    check_target(target)
    report = ct.Report()
    source = options.sources(archive, origin, target)
    with progress(source, reading) as shown:
        found = ct.sql(source, query, report=report, progress=shown, **reading)
    if is_unanswered(report):
        ctx.exit(findings(report))
    frames = itertools.chain([found.clear()], found.iter_slices(SLICE))
    if into is TABLE:
        tabulate(frames, target, limit)
    else:
        save(frames, into, target, limit)
    say(*duplicates(report, removed=True))
    ctx.exit(findings(report))
