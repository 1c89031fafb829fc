"""What an ingest has to read: the files of an archive that the lake does not know yet, by months."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._lake.ledger import Ledger
from ctfast._later import pl
from ctfast._scan.options import Options
from ctfast._scan.split import Asked, Split
from ctfast._source.addresses import is_address, paths, whole
from ctfast._source.silence import Outcome, unmatched
from ctfast.exceptions import NothingChosen

__all__ = ["Plan", "plan"]

#: The cost of a split. Its parts have about as many bytes, or half of that without ``raw``, if its files are of one
#: month; it does not depend on the archive, so that a run after an interrupted one has the same splits.
_TARGET = 96 << 20
#: The day in a key.
_DAY = re.compile(r"/([0-9]{4})/([0-9]{2})/[0-9]{2}/")

File = tuple[str, int | None, str | None, int | None]


class Plan(NamedTuple):
    """What is to be read, and what was listed besides."""

    splits: list[Split]
    #: Files of the archive that the lake has already, and how many of them are bad.
    known: int
    known_bad: int
    #: What cannot be opened or listed: how much, and the errors, of very many the first ones.
    unlisted: int
    failed: list[tuple[Any, ...]]
    #: What was asked for without a match.
    unmatched: list[NothingChosen]


def plan(options: Options, ledger: Ledger | None, asked: Asked) -> Plan:
    """List the archive, and cut the files that are not known into splits, month by month.

    The files of a month lie together in the lake: in the order of an archive, each account and region begins anew with
    the first month, and a part of each month would be small.
    """
    chosen = options.chosen
    times = _ctfast.Selection([], since=chosen["since"], until=chosen["until"])
    known = _known(ledger, chosen["since"], chosen["until"])
    planners: dict[str, _ctfast.Planner] = {}
    counts = Counter[str]()
    failed: list[tuple[Any, ...]] = []
    missed: list[NothingChosen] = []
    for page in _pages(options, failed, counts, missed):
        rows = pl.DataFrame(page, _schema(), orient="row")
        outcomes = rows.join(known, on=list(_schema()), how="left", nulls_equal=True, maintain_order="left")["outcome"]
        by_month: dict[str, list[File]] = {}
        for file, outcome in zip(page, outcomes, strict=True):
            if outcome is not None:
                counts[outcome] += 1
                continue
            day = _DAY.search(file[0])
            by_month.setdefault("" if day is None else f"{day[1]}-{day[2]}", []).append(file)
        for month, files in by_month.items():
            planners.setdefault(month, _ctfast.Planner()).add(files, options.selection)
    text = asked.text(times)
    runs = [run for month in sorted(planners) for run in planners[month].cut(times, text, slots=1, target=_TARGET)]
    splits = [Split(asked, *run) for run in runs]
    known_files = counts["read"] + counts["bad"] + counts["skipped"]
    return Plan(splits, known_files, counts["bad"], counts["unlisted"], failed, missed)


def _schema() -> dict[str, pl.DataType]:
    """Return what tells a version of a file."""
    return {"file": pl.String(), "size": pl.Int64(), "etag": pl.String(), "modified": pl.Int64()}


def _known(ledger: Ledger | None, since: int | None, until: int | None) -> pl.DataFrame:
    """Return the versions of files of which the lake has all that is between these times."""
    if ledger is None:
        return pl.DataFrame(schema=_schema() | {"outcome": pl.String()})
    begins, ends = pl.col("since").is_null(), pl.col("until").is_null()
    if since is not None:
        begins |= pl.col("since") <= since
    if until is not None:
        ends |= pl.col("until") >= until
    rows = ledger.rows().filter(begins, ends, pl.col("outcome").is_in(["read", "bad", "skipped"]))
    # A file that was read by several is bad only if each found it bad.
    return rows.group_by(list(_schema())).agg(pl.col("outcome").max()).collect()


def _pages(
    options: Options, failed: list[tuple[Any, ...]], counts: Counter[str], missed: list[NothingChosen]
) -> Iterator[list[File]]:
    """Yield the files of the source, some at a time."""
    source: Any = options.source  # no source of keys, which an ingest refuses
    remote = options.remote() if options.is_in_buckets() else None
    try:
        # A lake knows files by their whole paths, wherever a later run is started.
        named = [each if is_address(each) else whole(each) for each in paths(source)]
        seen, files = _ctfast.Seen(), 0
        listing = _ctfast.Listing(options.selection.below(named), remote=remote, seen=seen)
        while (page := listing.next()) is not None:
            files += len(page)
            # Of an object, the ETag tells versions: a copy of the same bytes has another time.
            yield [(file, size, etag, modified if etag is None else None) for file, size, etag, modified in page]
        failed += listing.bad()
        told = listing.counts()
        counts["unlisted"] += told["bad"]
        outcome = Outcome(options.place, files + told["bad"], told["skipped"], told["pruned"], seen.barren())
        missed += unmatched(outcome, options.asked, seen.names())
    finally:
        if remote is not None:
            remote.close()
