"""Which time digests cover: what verifications have said of it, the later ones first; and day by day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from ctfast._lake.beside import read_beside, write_beside
from ctfast._lake.layout import COVERAGE
from ctfast._lake.table import Snapshot
from ctfast._later import pa, pl
from ctfast._store.store import Store

__all__ = ["Chain", "Chains", "Stretch", "by_day", "covered", "merged", "write"]

_CHAIN = ["account", "region", "trail", "home_region"]
_DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """Time of delivery, and why no digest covers it; None if one does."""

    start: datetime
    end: datetime
    reason: str | None


class Chain(NamedTuple):
    """What is known of a chain, in the order of time."""

    #: The time up to which verifications have asked about it.
    asked: datetime
    stretches: list[Stretch]


#: The chains by account, region, trail and home region.
Chains = dict[tuple[str, ...], Chain]


def _schema() -> pa.Schema:
    text, time = pa.string(), pa.timestamp("us", "UTC")
    times = [("asked", time), ("start", time), ("end", time)]
    return pa.schema([*((name, text) for name in _CHAIN), *times, ("reason", text)])


def covered(store: Store, snapshot: Snapshot) -> Chains:
    """Return what the last verification has written, which has all that those before it knew."""
    paths = snapshot.beside(COVERAGE)[-1:]
    found: Chains = {}
    for *chain, asked, start, end, reason in read_beside(store, paths, _schema()).collect().iter_rows():
        found.setdefault(tuple(chain), Chain(asked, [])).stretches.append(Stretch(start, end, reason))
    return found


def merged(before: Chains, ranges: pl.DataFrame) -> Chains:
    """Return what is known after a verification: time that was covered once stays so, of other time its word counts.

    Another verification may have been of another archive, or of fewer digests.
    """
    said: dict[tuple[str, ...], list[Stretch]] = {}
    for row in ranges.filter(pl.col("range") != "asked").drop_nulls(["start", "end"]).iter_rows(named=True):
        stretch = Stretch(row["start"], row["end"], row["reason"] if row["range"] == "uncovered" else None)
        said.setdefault(tuple(row[name] for name in _CHAIN), []).append(stretch)
    # Where no end was asked for, it is that of the archive: the newest digest of any chain.
    newest = max((stretch.end for stretches in said.values() for stretch in stretches), default=None)
    found = dict(before)
    for chain, now in said.items():
        known = before.get(chain, Chain(now[0].end, []))
        found[chain] = Chain(max(known.asked, newest or known.asked), _after(known.stretches, now))
    return found


def _after(known: list[Stretch], now: list[Stretch]) -> list[Stretch]:
    covered = _joined(each for each in [*known, *now] if each.reason is None)
    ill = _without((each for each in now if each.reason is not None), covered)
    before = _without((each for each in known if each.reason is not None), [*covered, *ill])
    return _joined([*covered, *ill, *before])


def write(store: Store, commit: str, version: int, chains: Chains) -> str:
    """Write what is known, and return the path."""
    names = _schema().names
    rows = [
        dict(zip(names, [*chain, chains[chain].asked, *each], strict=True))
        for chain in sorted(chains)
        for each in chains[chain].stretches
    ]
    return write_beside(store, COVERAGE, commit, version, pa.Table.from_pylist(rows, schema=_schema()))


def _without(stretches: Iterable[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    """Return these stretches without the time of the others."""
    left = list(stretches)
    for start, end, _ in others:
        cut = []
        for each in left:
            cut += [each._replace(end=min(each.end, start)), each._replace(start=max(each.start, end))]
        left = [each for each in cut if each.start < each.end]
    return left


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return them in order; those that join and say the same are one."""
    found: list[Stretch] = []
    for each in sorted(stretches, key=lambda each: each[:2]):
        if found and found[-1].reason == each.reason and each.start <= found[-1].end:
            found[-1] = found[-1]._replace(end=max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def by_day(chains: Chains) -> pl.DataFrame:
    """Return the time of each account, region and day that digests cover, and that they leave uncovered, and why.

    Of several trails, one that covers a time is enough.
    """
    rows: list[tuple[Any, ...]] = []
    for place, of_place in groupby(sorted(chains), key=lambda chain: chain[:2]):
        all_of_it = [stretch for chain in of_place for stretch in chains[chain].stretches]
        is_covered = _joined(each for each in all_of_it if each.reason is None)
        open_time = _without([each for each in all_of_it if each.reason is not None], is_covered)
        days: dict[datetime, tuple[list[Stretch], list[Stretch]]] = {}
        for number, stretches in enumerate((is_covered, open_time)):
            for day, stretch in _cut(stretches):
                days.setdefault(day, ([], []))[number].append(stretch)
        for day, (well, ill) in days.items():
            reasons = sorted({each.reason for each in ill if each.reason})
            rows.append((*place, day.date(), _length(well), _length(ill), reasons))
    kinds = {
        "account": pl.String(),
        "region": pl.String(),
        "day": pl.Date(),
        "covered": pl.Duration(),
        "uncovered": pl.Duration(),
        "reasons": pl.List(pl.String()),
    }
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _cut(stretches: Iterable[Stretch]) -> Iterator[tuple[datetime, Stretch]]:
    """Yield the parts of each day."""
    for each in stretches:
        start = each.start
        while start < each.end:
            day = datetime(start.year, start.month, start.day, tzinfo=UTC)
            end = min(each.end, day + _DAY)
            yield day, each._replace(start=start, end=end)
            start = end


def _length(stretches: Sequence[Stretch]) -> timedelta:
    """Return how long they are together; what two of them have in common counts once."""
    whole = _joined(each._replace(reason=None) for each in stretches)
    return sum((each.end - each.start for each in whole), timedelta())
