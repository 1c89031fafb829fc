"""The verb ``match``: the records that match filters."""

from __future__ import annotations

from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import click

import ctfast as ct
from ctfast._later import pl
from ctfast._scan.options import COLUMNS, RULES
from ctfast._show.tables import frame_view
from ctfast._source.apart import keep
from ctfast.cli import options
from ctfast.cli.conditions import DOCUMENT, read, read_rules
from ctfast.cli.formats import ROWS, TABLE, Format
from ctfast.cli.output import check_target, chosen, of_unit, opened
from ctfast.cli.progress import progress
from ctfast.cli.records import SHOWN, check, put_records
from ctfast.cli.screen import duplicates, findings, is_unanswered, say, show

__all__ = ["match"]

#: Columns of a table with rules, unless others are asked for.
_SHOWN_WITH_RULES = ["eventTime", RULES, "userIdentity.arn", "eventName", "sourceIPAddress"]


@click.command()
@options.archives
@click.option("--selectors", type=DOCUMENT, metavar="FILE|JSON", help="Event selectors: records that they would log.")
@click.option("--filter-pattern", metavar="TEXT", help="CloudWatch Logs filter pattern.")
@click.option("--event-pattern", type=DOCUMENT, metavar="FILE|JSON", help="EventBridge event pattern.")
@click.option(
    "--rules",
    multiple=True,
    type=DOCUMENT,
    metavar="PATH|JSON",
    help="File or folder with filters of all kinds: *.json, *.filter, templates; or JSON itself. May be repeated.",
)
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Choice(ct.packs.names()),
    help="Filters that come with ctfast. May be repeated.",
)
@options.reading
@options.columns
@options.units("record")
@options.limit
@options.dedupe
@click.option("--count", is_flag=True, help="Show how many records meet each rule, with the first and the last.")
@options.output((*ROWS, TABLE), "by the name of FILE; else table")
@click.pass_context
def match(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    selectors: Path | str | None,
    filter_pattern: str | None,
    event_pattern: Path | str | None,
    rules: tuple[Path | str, ...],
    packs: tuple[str, ...],
    columns: list[str] | None,
    unit: str,
    limit: int | None,
    count: bool,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Find the records that meet filters in AWS's languages.

    --where, --selectors, --filter-pattern and --event-pattern are conditions: a record must meet all that are given.
    --rules and --pack give named filters: a record must meet at least one of them, and the column rules has the names
    of those it meets. Files may be input or output of the AWS CLI, or CloudFormation templates. With --on-error
    collect, rules that cannot be read are listed at the end, and the other rules are used.

    \b
    Examples:
      ctfast match logs --filter-pattern '{ $.userIdentity.type = "Root" }'
      ctfast match logs --selectors selectors.json --format csv -o logged.csv
      ctfast match logs --event-pattern '{"detail": {"eventName": ["StopLogging"]}}' --since 7d
      ctfast match logs --pack cis --rules rules/ --count
      ctfast match logs --pack cis --as record -o found.ndjson
    """
    keep([str(path) for path in (selectors, event_pattern, *rules) if isinstance(path, Path)], target)
    given: tuple[tuple[str, Any, Path | str | None], ...] = (
        ("--selectors", ct.EventSelectors, selectors),
        ("--filter-pattern", ct.FilterPattern, filter_pattern),
        ("--event-pattern", ct.EventPattern, event_pattern),
    )
    conditions: list[ct.Filter] = [read(option, kind, value) for option, kind, value in given if value is not None]
    named = read_rules(rules, packs, reading["on_error"])
    conditions += [] if reading["where"] is None else [reading["where"]]
    if not conditions and named is None:
        raise click.UsageError(
            "Give one of --where, --selectors, --filter-pattern, --event-pattern, --rules and --pack."
        )
    if conditions:
        reading["where"] = reduce(and_, conditions)
    if named is not None:
        reading["rules"] = named
    into = chosen(form, target, TABLE) if unit == "row" else of_unit(unit, form, target, columns)
    if count and named is None:
        raise click.UsageError("--count is for --rules and --pack.")
    if count:
        shown = {"--as record": unit == "record", "--columns": columns is not None, "--limit": limit is not None}
        if useless := [option for option, is_given in shown.items() if is_given]:
            raise click.UsageError(f"--count shows no records: leave out {' and '.join(useless)}.")
        _put_counts(ctx, archive, form=into, target=target, **reading)
    added = [] if named is None else [RULES]
    names = columns or ((_SHOWN_WITH_RULES if added else SHOWN) if into is TABLE else [*COLUMNS, *added])
    check(names, *added)
    names = [*names, *(name for name in added if name not in names)]
    put_records(ctx, archive, names, form=into, target=target, limit=limit, **reading)


def _put_counts(
    ctx: click.Context,
    archive: tuple[str, ...],
    *,
    origin: str | None,
    form: Format,
    target: str | None,
    rules: Any,
    **reading: Any,
) -> None:
    """Print how many records meet each rule, and end with the exit code."""
    check_target(target)
    report = ct.Report()
    source = options.sources(archive, origin, target)
    with progress(source, reading) as shown:
        hits = ct.match(source, rules, report=report, progress=shown, **reading)
        times = pl.col("eventTime")
        found = hits.select(rule=RULES, eventTime=times).explode("rule").group_by("rule")
        counts = found.agg(records=pl.len(), first=times.min(), last=times.max()).collect(engine="streaming")
    if is_unanswered(report):
        ctx.exit(findings(report))
    every = pl.DataFrame({"rule": list(rules)}).join(counts, on="rule", how="left", maintain_order="left")
    every = every.with_columns(pl.col("records").fill_null(0))
    with opened(target) as file:
        if form is TABLE:
            words = every.rename({name: name.capitalize() for name in every.columns})
            show(file, lambda room: [frame_view(words, room)])
        else:
            form.put([every], file)
    say(*duplicates(report, removed=reading["dedupe"]))
    if report.duplicates and report.duplicates.copies and not reading["dedupe"]:
        say("Each delivery of an event is counted; --dedupe counts an event once.")
    ctx.exit(findings(report))
