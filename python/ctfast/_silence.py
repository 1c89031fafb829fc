"""Why nothing came of what was asked for: no file has the region, the folder is empty. Silence would look like an answer."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ctfast import _ctfast
from ctfast._arguments import nearest_region
from ctfast._plain import counted
from ctfast._words import listed, nearest, or_nearest
from ctfast.exceptions import CloudTrailError, NothingChosen

__all__ = ["Outcome", "dead", "is_mistake", "passed_over", "unmatched", "warn", "with_nearest"]

#: Names of one argument, in the order in which a key has them: what comes later was not looked at where nothing came earlier.
_NAMES = {"accounts": "account", "kinds": "kind", "regions": "region"}
#: Accounts of one archive may be much alike.
_ALIKE = 0.8
_MOST_SEEN = 1_000
#: Nothing is wrong where files are there, and only these are the reasons to leave them out: a day may be quiet.
_QUIET = ("time", "unverified", "done", "no-source", "control-message")
#: Files that were looked into, and had not what was asked for.
_LOOKED_AT = "constant"
_WHY = {
    "account": "of other accounts",
    "control-message": "of CloudWatch Logs' own messages",
    "digest": "of digests",
    "done": "read before",
    "kind": "of other kinds",
    "linked": "met a second time, by a link",
    "name": "whose name is not that of a log (.json, .jsonl, .ndjson, .log or .gz)",
    "no-key": "whose name tells no account, region or kind",
    "not-cloudtrail": "without a record of CloudTrail",
    "notification": "of notifications of other services",
    "region": "of other regions",
    "service": "of other services",
    "time": "of other times",
    "unverified": "not found valid",
}
#: Microseconds since 1970 of a time without any file, of which margins can be taken.
_NEVER = 1 << 62
_HERE = str(Path(__file__).parent)


class Outcome(NamedTuple):
    """What became of a listing: its place, empty for none; files that were looked into; others, and folders, by reason."""

    where: str
    read: int
    skipped: Mapping[str, int]
    pruned: Mapping[str, int]


def unmatched(outcome: Outcome, asked: Mapping[str, Iterable[str] | None], seen: Mapping[str, list[str]]) -> list[NothingChosen]:
    """Return what was asked for and that nothing answers to, each in one sentence."""
    nothing = not (outcome.read or outcome.skipped.get(_LOOKED_AT))
    found = list(_names(asked, seen, nothing=nothing))
    return found or ([_nothing(outcome)] if nothing else [])


def with_nearest(findings: pl.DataFrame, archive: list[str], remote: _ctfast.Remote | None) -> pl.DataFrame:
    """Return findings of a verification, those about an account or a region without digests with what was probably meant."""
    about = {"accounts": pl.col("account"), "regions": pl.col("region")}
    blank = findings.filter(pl.col("reason") == "no-digests")
    if blank.is_empty():
        return findings
    seen = _ctfast.Seen()
    everything: dict[str, Any] = dict.fromkeys(("accounts", "regions", "kinds", "until", "max_delay"))
    # Of a time to come, so that no folder of a day is listed.
    listing = _ctfast.Listing(archive, **everything, since=_NEVER, digests=True, remote=remote, seen=seen)
    try:
        while listing.next() is not None:
            pass
    except CloudTrailError:
        return findings  # the verification has told what is wrong with the archive
    names = seen.names()
    for argument, column in about.items():
        for name in blank.select(column).to_series().drop_nulls().unique():
            close = None if name in names[argument] else _close(argument, name, names[argument])
            is_meant = (pl.col("reason") == "no-digests") & (column == name)
            message = pl.col("message") + pl.when(is_meant).then(pl.lit(or_nearest(close))).otherwise(pl.lit(""))
            findings = findings.with_columns(message)
    return findings


def dead(suspicions: Iterable[str]) -> list[NothingChosen]:
    """Return why no record meets a filter, where that is known: one sentence for all."""
    words = "; ".join(suspicions)
    return [NothingChosen(f"no record meets the filter: {words}", "where", nothing=False)] if words else []


def is_mistake(found: NothingChosen) -> bool:
    """Whether it is probably not what was meant."""
    return found.reason not in _QUIET


def warn(found: Iterable[NothingChosen]) -> None:
    """Warn, at the line that called ctfast."""
    for each in found:
        if is_mistake(each):
            warnings.warn(each, stacklevel=_outside())


def _names(asked: Mapping[str, Iterable[str] | None], seen: Mapping[str, list[str]], *, nothing: bool) -> Iterator[NothingChosen]:
    for argument, noun in _NAMES.items():
        wanted = asked.get(argument)
        if wanted is None:
            continue
        there = seen.get(argument, [])
        missing = sorted(set(wanted).difference(there))
        if not wanted:
            yield NothingChosen(f"{argument} is empty, so that no file is asked for", argument, nothing=True)
            return
        if missing:
            close = _close(argument, missing[0], there)
            others = f"{or_nearest(close)} There are: {listed(there)}" if close and there else f"; there are: {listed(there)}"
            words = f"no file has the {noun}{'s' * (len(missing) > 1)} {', '.join(map(repr, missing[:8]))}"
            words += others if there else or_nearest(close)
            yield NothingChosen(words, argument, tuple(missing), close, tuple(there[:_MOST_SEEN]), nothing=nothing)
        if len(missing) == len(set(wanted)):
            return


def _close(argument: str, name: str, seen: Iterable[str]) -> str | None:
    if argument == "regions":
        return nearest_region(name, seen)
    return nearest(name, seen, _ALIKE) if argument == "accounts" else None


def _nothing(outcome: Outcome) -> NothingChosen:
    """Nothing was read, though no name is to blame by itself."""
    if not outcome.where:
        return NothingChosen("nothing was read: no source is named", "no-source")
    reasons = Counter(outcome.skipped) + Counter(outcome.pruned)
    if not reasons:
        return NothingChosen(f"nothing was read: there is no file in {outcome.where}", "empty")
    quiet = [reason for reason in reasons if reason in _QUIET]
    parts = [
        passed_over(count, noun, reason)
        for noun, counts in (("file", outcome.skipped), ("folder", outcome.pruned))
        for reason, count in sorted(counts.items())
        if count
    ]
    words = f"nothing was read: all that lies in {outcome.where} is {', '.join(parts)}"
    return NothingChosen(words, quiet[0] if quiet else reasons.most_common(1)[0][0])


def passed_over(number: int, noun: str, reason: str) -> str:
    """Return how many files or folders were passed over, and why, in words."""
    return f"{counted(number, noun)} {_WHY.get(reason, reason)}"


def _outside() -> int:
    """Return how far up the one stands who is not of this package, for ``stacklevel`` of a warning that :func:`warn` gives."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001  # there is no other way before Python 3.12
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    return level
