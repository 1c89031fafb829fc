"""Why nothing came of what was asked for: no file has the region, the folder is empty. Silence would look like an answer."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._names import nearest_region
from ctfast._plain import counted
from ctfast._words import listed, nearest, or_nearest, quoted
from ctfast.exceptions import CloudTrailError, NothingChosen

__all__ = ["Outcome", "dead", "is_mistake", "passed_over", "unmatched", "warn", "with_nearest"]

#: Names of one argument, in the order in which a key has them: what comes later was not looked at where nothing came earlier.
_NAMES = {"accounts": "account", "kinds": "kind", "regions": "region"}
#: Accounts of one archive may be much alike.
_ALIKE = 0.8
_LIKE_WORDS = 0.6
#: Names that a sentence says one by one.
_MOST_NAMED = 8
_MOST_SEEN = 1_000
#: Nothing is wrong where files are there, and one of these is a reason to leave them out: a day may be quiet.
_QUIET = ("done", "time", "unverified", "control-message")
#: Nor where what comes is what is new, and nothing was.
_NO_NEWS = "no-message"
#: Why a source has nothing to read whatever is asked for. Other reasons are those of the query, which may mean other sources.
_OF_ITSELF = {"digest", "linked", "name", "no-key", "service"}
#: Files that were looked into, and had not what was asked for.
_LOOKED_AT = "constant"
_WHY = {
    "account": "of other accounts",
    "control-message": "of CloudWatch Logs' own messages",
    "deleted": "that were deleted",
    "digest": "of digests",
    "done": "read before",
    "event": "of something other than a new object",
    "key": "that are none of CloudTrail's",
    "kind": "of other kinds",
    "linked": "met a second time, by a link",
    "name": "whose name is not that of a log (.json, .jsonl, .ndjson, .log or .gz)",
    "no-key": "whose name tells no account, region or kind",
    "not-cloudtrail": "without a record of CloudTrail",
    "notification": "of notifications of other services",
    "region": "of other regions",
    "service": "of other services",
    "test": "by which AWS tries a configuration",
    "time": "of other times",
    "unverified": "not found valid",
    "version": "that have later versions",
}
#: What is none of the files of an archive.
_NOUNS = {"deleted": "object", "event": "message", "key": "object", "test": "message", "version": "object"}
#: Microseconds since 1970 of a time without any file, of which margins can be taken.
_NEVER = 1 << 62
_HERE = str(Path(__file__).parent)


class Outcome(NamedTuple):
    """What became of a listing: its place, empty for none; files that were looked into; others, and folders, by reason.

    With the same of each source that gave no file, and whether there is something only when it is new, as in a queue.
    """

    where: str
    read: int
    skipped: Mapping[str, int]
    pruned: Mapping[str, int]
    barren: Sequence[tuple[str, Mapping[str, int], Mapping[str, int]]] = ()
    is_news: bool = False


def unmatched(outcome: Outcome, asked: Mapping[str, Iterable[str] | None], seen: Mapping[str, list[str]]) -> list[NothingChosen]:
    """Return what was asked for and that nothing answers to, each in one sentence."""
    nothing = not (outcome.read or outcome.skipped.get(_LOOKED_AT))
    # What a file may be of whose name tells nothing is not known: it is told of such files, and not of names that none has.
    told = {} if nothing and "no-key" in outcome.skipped and not any(seen.values()) else asked
    found = list(_names(told, seen, nothing=nothing)) or ([_nothing(outcome)] if nothing else [])
    # Where nothing was read by mistake, that is said of all sources.
    return found if nothing and any(map(is_mistake, found)) else [*found, *_barren(outcome)]


def with_nearest(
    findings: pl.DataFrame, archive: list[str], remote: _ctfast.Remote | None, trails: Iterable[str]
) -> pl.DataFrame:
    """Return findings of a verification, those about a name without digests with what was probably meant, among these trails."""
    about = {"accounts": pl.col("account"), "regions": pl.col("region"), "trails": pl.col("trail")}
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
    names = seen.names() | {"trails": list(trails)}
    for argument, column in about.items():
        for name in blank.select(column).to_series().drop_nulls().unique():
            there = names[argument]
            close = _close(argument, name, there)
            others = or_nearest(close) or (f"; there are: {listed(there)}" if there else "")
            if name in there:
                others = "; it is in the archive, but without digests of all that was asked for"
            # What is about a place has its own reason.
            is_meant = (pl.col("reason") == "no-digests") & (column == name) & pl.col("message").str.ends_with(f" {name}")
            message = pl.col("message") + pl.when(is_meant).then(pl.lit(others)).otherwise(pl.lit(""))
            findings = findings.with_columns(message)
    return findings


def dead(suspicions: Iterable[str]) -> list[NothingChosen]:
    """Return why no record meets a filter, where that is known: one sentence for all."""
    words = "; ".join(suspicions)
    return [NothingChosen(f"no record meets the filter: {words}", "where", nothing=False)] if words else []


def is_mistake(found: NothingChosen) -> bool:
    """Whether it is probably not what was meant."""
    return found.reason not in (*_QUIET, _NO_NEWS)


def warn(found: Iterable[NothingChosen]) -> None:
    """Warn, at the line that called ctfast."""
    for each in found:
        if is_mistake(each):
            warnings.warn(each, stacklevel=_outside())


def _names(asked: Mapping[str, Iterable[str] | None], seen: Mapping[str, list[str]], *, nothing: bool) -> Iterator[NothingChosen]:
    of = ""
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
            words = f"no file{of} has the {noun}{_s(missing)} {_with_nearest(argument, missing, there)}"
            yield NothingChosen(words, argument, tuple(missing), close, tuple(there[:_MOST_SEEN]), nothing=nothing)
        if len(missing) == len(set(wanted)):
            return
        # What comes after was looked for below these only.
        found = sorted(set(wanted).intersection(there))
        of += f"{' and' if of else ' of'} the {noun}{_s(found)} {', '.join(map(quoted, found[:_MOST_NAMED]))}"
        of += f" and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""


def _with_nearest(argument: str, missing: Sequence[str], there: Sequence[str]) -> str:
    """Return names that no file has, with those that were probably meant, and what there is."""
    near = {name: _close(argument, name, there) for name in missing[:_MOST_NAMED]}
    more = f" and {len(missing) - _MOST_NAMED:,} more" if len(missing) > _MOST_NAMED else ""
    if len(missing) == 1 or not any(near.values()):
        close = near[missing[0]]
        words = ", ".join(map(quoted, near)) + more + or_nearest(close)
        if not there:
            return words
        return f"{words} There are: {listed(there)}" if close else f"{words}; there are: {listed(there)}"
    each = ", ".join(f"{quoted(name)}{f' (did you mean {quoted(close)}?)' if close else ''}" for name, close in near.items())
    return f"{each}{more}" + (f"; there are: {listed(there)}" if there else "")


def _s(names: Collection[str]) -> str:
    return "s" * (len(names) > 1)


def _close(argument: str, name: str, seen: Iterable[str]) -> str | None:
    if argument == "regions":
        return nearest_region(name, seen)
    alike = {"accounts": _ALIKE, "trails": _LIKE_WORDS}.get(argument)  # kinds are refused where they are mistyped
    return None if alike is None else nearest(name, seen, alike)


def _nothing(outcome: Outcome) -> NothingChosen:
    """Nothing was read, though no name is to blame by itself."""
    if not outcome.where:
        return NothingChosen("nothing was read: no source is named", "no-source")
    reason, words = _why(outcome.where, outcome.skipped, outcome.pruned)
    return NothingChosen(f"nothing was read: {words}", _NO_NEWS if outcome.is_news else reason)


def _barren(outcome: Outcome) -> Iterator[NothingChosen]:
    """Of several sources, those that have nothing whatever is asked for."""
    empty = [where for where, skipped, pruned in outcome.barren if not (skipped or pruned)]
    if empty:
        yield NothingChosen(f"there is no file in {listed(empty)}", "empty", nothing=False)
    alike: dict[frozenset[str], list[tuple[str, Mapping[str, int], Mapping[str, int]]]] = {}
    for where, skipped, pruned in outcome.barren:
        if where not in empty and {*skipped, *pruned} <= _OF_ITSELF:
            alike.setdefault(frozenset((*skipped, *pruned)), []).append((where, skipped, pruned))
    for found in alike.values():  # which may be thousands of files that were named one by one
        places, skips, prunes = zip(*found, strict=True)
        skipped, pruned = (sum(map(Counter, counts), Counter()) for counts in (skips, prunes))
        reason, words = _why(listed(places), skipped, pruned)
        yield NothingChosen(words, reason, nothing=False)


def _why(where: str, skipped: Mapping[str, int], pruned: Mapping[str, int]) -> tuple[str, str]:
    """Return why nothing comes of a place, by its name and in words."""
    reasons = Counter(skipped) + Counter(pruned)
    if not reasons:
        return "empty", f"there is no file in {where}"
    parts = [
        passed_over(count, noun, reason)
        for noun, counts in (("file", skipped), ("folder", pruned))
        for reason, count in sorted(counts.items())
        if count
    ]
    quiet = (reason for reason in _QUIET if reason in reasons)
    return next(quiet, reasons.most_common(1)[0][0]), f"all that was found in {where} is {', '.join(parts)}"


def passed_over(number: int, noun: str, reason: str) -> str:
    """Return how many files or folders were passed over, and why, in words."""
    return f"{counted(number, _NOUNS.get(reason, noun))} {_WHY.get(reason, reason)}"


def _outside() -> int:
    """Return how far up the one stands who is not of this package, for ``stacklevel`` of a warning that :func:`warn` gives."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001  # there is no other way before Python 3.12
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    return level
