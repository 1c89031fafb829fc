"""The verbs about filters: ``match``, ``lint`` and ``cost``."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.text import Text

import ctfast as ct
from ctfast._apart import keep
from ctfast._documents import NOTHING
from ctfast._later import pl
from ctfast._plain import counted, plain
from ctfast._source import COLUMNS, RULES
from ctfast._tables import frame_view
from ctfast._words import nearest, or_nearest, quoted
from ctfast.cli import options
from ctfast.cli.costs import estimate
from ctfast.cli.output import FORMATS, TABLE, check_target, chosen, opened, record_form, write
from ctfast.cli.progress import progress
from ctfast.cli.screen import duplicates, findings, is_unanswered, say, show
from ctfast.cli.verbs import SHOWN, check, put_records

__all__ = ["cost", "lint", "match"]

_Filter = TypeVar("_Filter", bound=ct.Filter)
#: Columns of a table with rules, unless others are asked for.
_SHOWN_WITH_RULES = ["eventTime", RULES, "userIdentity.arn", "eventName", "sourceIPAddress"]
#: Where a finding is that is in no file.
_JSON = "JSON"
_NOTHING_CHECKED = 2
_STYLES = {"error": "bold red", "warning": "yellow"}


class _Document(click.ParamType[Path | str]):
    """The path of a file or a folder, or JSON itself."""

    name = "document"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Return JSON as text, and anything else as a path that is there."""
        text: str = value if isinstance(value, str) else str(value)
        if text.lstrip().startswith(("{", "[")) and not Path(text).exists():
            return text
        path = Path(text)
        if not path.exists():
            beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
            self.fail(f"there is no file {quoted(text)}{or_nearest(nearest(path.name, beside))}", param, ctx)
        return path


_FILE: Any = _Document()
_TABLE: Any = click.Path(exists=True, dir_okay=False, path_type=Path)
_BY_NAME = "by the name of FILE; else table"


@click.command()
@options.archives
@click.option("--selectors", type=_FILE, metavar="FILE|JSON", help="Event selectors: records that they would log.")
@click.option("--filter-pattern", metavar="TEXT", help="CloudWatch Logs filter pattern.")
@click.option("--event-pattern", type=_FILE, metavar="FILE|JSON", help="EventBridge event pattern.")
@click.option(
    "--rules",
    multiple=True,
    type=_FILE,
    metavar="PATH|JSON",
    help="File or folder with filters of all kinds: *.json, *.filter, templates; or JSON itself. May be repeated.",
)
@click.option(
    "--pack", "packs", multiple=True, type=click.Choice(ct.packs.names()), help="Filters that come with ctfast. May be repeated."
)
@options.reading
@options.columns
@options.as_record
@options.limit
@options.dedupe
@click.option("--count", is_flag=True, help="Show how many records meet each rule, with the first and the last.")
@options.output([*FORMATS, TABLE], _BY_NAME)
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
    as_record: bool,
    limit: int | None,
    count: bool,
    form: str | None,
    target: str | None,
    **reading: Any,
) -> None:
    """Find the records that meet filters of AWS.

    --selectors, --filter-pattern and --event-pattern are conditions: a record must meet all that are given. --rules and --pack
    have filters with names: a record must meet one of them, and the column rules names those that it meets. Files may be input
    or output of the AWS CLI, or CloudFormation templates.

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
    conditions: list[ct.Filter] = [_filter(option, kind, value) for option, kind, value in given if value is not None]
    named = _rules(rules, packs)
    if not (conditions or named):
        raise click.UsageError("Give one of --selectors, --filter-pattern, --event-pattern, --rules and --pack.")
    if conditions:
        reading["where"] = reduce(and_, conditions)
    if named:
        reading["rules"] = named
    form = record_form(form, target, columns) if as_record else chosen(form, target, TABLE)
    if count and not named:
        raise click.UsageError("--count is for --rules and --pack.")
    if count:
        shown = {"--as record": as_record, "--columns": columns is not None, "--limit": limit is not None}
        if useless := [option for option, is_given in shown.items() if is_given]:
            raise click.UsageError(f"--count shows no records: leave out {' and '.join(useless)}.")
        _put_counts(ctx, archive, form=form, target=target, **reading)
    added = [RULES] if named else []
    names = columns or ((_SHOWN_WITH_RULES if named else SHOWN) if form == TABLE else [*COLUMNS, *added])
    check(names, *added)
    names = [*names, *(name for name in added if name not in names)]
    put_records(ctx, archive, names, form=form, target=target, limit=limit, **reading)


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the findings."
)
@click.pass_context
def lint(ctx: click.Context, files: tuple[Path | str, ...], *, form: str) -> None:
    """Tell what AWS would refuse of filters, and what would surprise.

    FILES are files or folders with event selectors, event patterns, CloudWatch Logs filter patterns (*.filter), input or output
    of the AWS CLI, or CloudFormation templates.

    \b
    Exit code:
      0  nothing was found that would be refused
      1  something would be
      2  there is no filter at all, or trouble

    \b
    Example:
      ctfast lint selectors.json rules/
    """
    found = ct.lint(*files)
    errors = found.filter(pl.col("severity") == "error").height
    if form == "json":
        with opened(None) as file:
            file.write(found.write_json().encode() + b"\n")
    else:
        with opened(None) as file:
            show(file, lambda _room: map(_line, found.iter_rows(named=True)), soft_wrap=True)
        say(f"{counted(errors, 'error')}, {counted(found.height - errors, 'warning')}")
    # Each of the files that holds no filter has one finding that says so.
    if found.filter(pl.col("code") == NOTHING).height == len(files):
        ctx.exit(_NOTHING_CHECKED)
    ctx.exit(int(errors > 0))


@click.command()
@options.archives
@click.option("--selectors", type=_FILE, required=True, metavar="FILE|JSON", help="Event selectors that a trail would have.")
@click.option("--against", type=_FILE, metavar="FILE|JSON", help="Event selectors that it has now.")
@click.option("--prices", type=_TABLE, metavar="FILE", help="Table of prices instead of the one that comes with ctfast.")
@click.option("--further-copy", is_flag=True, help="Another trail logs management events already: no copy is free.")
@options.dedupe
@options.reading
@options.output([*FORMATS, TABLE], _BY_NAME)
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

    From the records of an archive: events and bytes by category and source. What the archive does not hold is in no estimate.

    \b
    Example:
      ctfast cost logs --selectors new.json --against current.json
    """
    keep([str(path) for path in (selectors, against, prices) if isinstance(path, Path)], target)
    form = chosen(form, target, TABLE)
    wanted = _filter("--selectors", ct.EventSelectors, selectors)
    current = None if against is None else _filter("--against", ct.EventSelectors, against)
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
        if form == TABLE:
            show(file, lambda room: estimate(found, room))
        else:
            write([found.events], form, file)
    say(*duplicates(found.report, removed=True))
    ctx.exit(findings(found.report))


@contextmanager
def _of(option: str) -> Iterator[None]:
    """Name the option whose filter is refused."""
    try:
        yield
    except ct.FilterError as error:
        message = f"{option}: {error}"
        raise ValueError(message) from None


def _filter(option: str, kind: Callable[[Path | str], _Filter], value: Path | str) -> _Filter:
    with _of(option):
        try:
            return kind(value)
        except ct.FilterError as error:
            if error.kind != "path":
                raise
            raise ValueError(f"{option}: {quoted(value)} is the name of a file, and no filter: --rules reads files") from None


def _read(given: Path | str) -> Any:
    """Return JSON as it is, and a path as one."""
    if isinstance(given, Path):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError) as error:
        message = f"--rules is no JSON: {error}"
        raise ValueError(message) from None


def _rules(paths: tuple[Path | str, ...], packs: tuple[str, ...]) -> dict[str, ct.Filter]:
    """Return all filters with names; a name that comes twice is an error."""
    named: dict[str, ct.Filter] = {}
    with _of("--rules"), warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always", UserWarning)
        found: list[Mapping[str, ct.Filter]] = [*map(ct.rules, map(_read, paths)), *map(ct.packs.load, packs)]
    say(*(f"warning: {warning.message}" for warning in left_out))
    for more in found:
        for name, rule in more.items():
            if name in named:
                raise ValueError(f"two rules have the name {quoted(name)}")
            named[name] = rule
    return named


def _put_counts(
    ctx: click.Context,
    archive: tuple[str, ...],
    *,
    origin: str | None,
    form: str,
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
        if form == TABLE:
            words = every.rename({name: name.capitalize() for name in every.columns})
            show(file, lambda room: [frame_view(words, room)])
        else:
            write([every], form, file)
    say(*duplicates(report, removed=reading["dedupe"]))
    if report.duplicates and report.duplicates.copies and not reading["dedupe"]:
        say("Each delivery of an event is counted; --dedupe counts an event once.")
    ctx.exit(findings(report))


def _line(row: dict[str, Any]) -> Text:
    """Return a finding as compilers print theirs."""
    position = "" if row["line"] is None else f":{row['line']}:{row['column']}"
    where = "".join(f"{plain(part)}: " for part in (f"{row['file'] or _JSON}{position}", row["rule"], row["path"]) if part)
    return Text.assemble(where, (row["severity"], _STYLES[row["severity"]]), f": {plain(row['message'])} [{row['code']}]")
