"""Why a result is empty: a region without files, an empty folder. Silence would look like an answer."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ctfast import _ctfast
from ctfast._arguments.names import nearest_region
from ctfast._later import pl
from ctfast._show.plain import counted
from ctfast._show.words import listed, nearest, or_nearest, quoted
from ctfast.exceptions import CloudTrailError, NothingChosen

__all__ = ["Outcome", "explained", "is_mistake", "passed_over", "unasked", "unmatched", "warn", "warned"]

#: Arguments in the order of the parts of a key: later parts were not looked at where an earlier one did not match.
_NAMES = {"accounts": "account", "kinds": "kind", "regions": "region"}
#: Names that a verification is asked for, and the columns of its findings.
_COLUMNS = {"accounts": "account", "regions": "region", "trails": "trail"}
#: Accounts of one archive may be very similar.
_ALIKE = 0.8
_LIKE_WORDS = 0.6
#: Names that a sentence lists one by one.
_MOST_NAMED = 8
_MOST_SEEN = 1_000
#: Reasons that are fine if there are files: a day may be quiet.
_QUIET = ("done", "time", "unverified", "control-message")
#: Fine for a source that only gives what is new.
_NO_NEWS = "no-message"
#: Reasons why a source has nothing to read, whatever is asked for. Other reasons depend on the query, which may be
#: meant for other sources.
_OF_ITSELF = {"digest", "linked", "name", "no-key", "service"}
#: Reasons of files that were opened and did not contain what was asked for.
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
#: Nouns for skipped things that are not files of an archive, by reason.
_NOUNS = {"deleted": "object", "event": "message", "key": "object", "test": "message", "version": "object"}
#: A time without files, in microseconds since 1970, from which margins can be subtracted.
_NEVER = 1 << 62
_HERE = str(Path(__file__).parents[1])


class Outcome(NamedTuple):
    """The result of a listing: its place (empty for none), files that were opened, and others and folders by reason.

    Also the sources that gave no file, and whether the source only gives what is new, as a queue does.
    """

    where: str
    read: int
    skipped: Mapping[str, int]
    pruned: Mapping[str, int]
    barren: Sequence[tuple[str, Mapping[str, int], Mapping[str, int]]] = ()
    is_news: bool = False


def unmatched(
    outcome: Outcome, asked: Mapping[str, Iterable[str] | None], seen: Mapping[str, list[str]]
) -> list[NothingChosen]:
    """Return what was asked for without a match, each in one sentence."""
    nothing = not (outcome.read or outcome.skipped.get(_LOOKED_AT))
    # Files whose names say nothing may be anything: the finding is then about those files, and not about names without
    # a match.
    told = {} if nothing and "no-key" in outcome.skipped and not any(seen.values()) else asked
    found = list(_names(told, seen, nothing=nothing)) or ([_nothing(outcome)] if nothing else [])
    # If nothing was read by mistake, the finding covers all sources.
    return found if nothing and any(map(is_mistake, found)) else [*found, *_barren(outcome)]


def explained(
    findings: pl.DataFrame,
    asked: Mapping[str, Collection[str] | None],
    archive: list[str],
    remote: _ctfast.Remote | None,
    trails: Iterable[str],
) -> pl.DataFrame:
    """Return the findings of a verification; names without digests get a reason: a likely typo, or what else was asked.

    Suggested trails are those that have digests and were not asked for. An empty source among others is a finding, too.
    """
    if len(archive) == 1 and not (findings["reason"] == "no-digests").any():
        return findings
    seen = _ctfast.Seen()
    # A time in the future, so that no folder of a day is listed.
    selection = _ctfast.Selection(archive, since=_NEVER, digests=True)
    listing = _ctfast.Listing(selection, remote=remote, seen=seen)
    try:
        while listing.next() is not None:
            pass
    except CloudTrailError:
        return findings  # the verification reports what is wrong with the archive
    findings = pl.concat(
        [findings, *(_without_file(where) for where in _empty(seen.barren()) if len(archive) > 1)], how="diagonal"
    )
    return _named(findings, asked, seen.names() | {"trails": list(trails)})


def _without_file(where: str) -> pl.DataFrame:
    """Return the finding about an empty source, which is likely a mistake if others are verified."""
    message = f"there is no file in {where}"
    return pl.DataFrame({"severity": "note", "reason": "no-digests", "message": message, "file": where})


def _named(
    findings: pl.DataFrame, asked: Mapping[str, Collection[str] | None], names: Mapping[str, list[str]]
) -> pl.DataFrame:
    """Return findings; those about names without digests use what is known about the others."""

    def about(argument: str, name: str) -> pl.Expr:
        # Findings about a place have messages of their own.
        is_name = (pl.col(_COLUMNS[argument]) == name) & pl.col("message").str.ends_with(f" {name}")
        return ((pl.col("reason") == "no-digests") & is_name).fill_null(value=False)

    told = {
        argument: [
            name for name in sorted(asked[argument] or ()) if findings.select(about(argument, name).any()).item()
        ]
        for argument in _COLUMNS
    }
    # Nothing has one of these names, so nothing is known about the others.
    absent = {
        argument
        for argument, blank in told.items()
        if blank and len(blank) == len(asked[argument] or ()) and not set(blank).intersection(names[argument])
    }
    for argument, noun in _COLUMNS.items():
        there = names[argument]
        for name in told[argument]:
            is_meant = about(argument, name)
            if absent - {argument} and (name in there or argument == "trails"):
                findings = findings.filter(~is_meant)
                continue
            close = _close(argument, name, there)
            more = or_nearest(close) or (f"; there are: {listed(there)}" if there else "")
            words = pl.col("message") + pl.lit(more)
            if name in there:
                words = pl.lit(f"no digest of {noun} {name} is of all that was asked for; the {noun} is in the archive")
            findings = findings.with_columns(message=pl.when(is_meant).then(words).otherwise("message"))
    return findings


def is_mistake(found: NothingChosen) -> bool:
    """Whether it is probably a mistake."""
    return found.reason not in (*_QUIET, _NO_NEWS)


def warn(found: Iterable[NothingChosen]) -> None:
    """Warn of what has no match, at the line that called ctfast."""
    warned(each for each in found if is_mistake(each))


def warned(found: Iterable[Warning | str]) -> None:
    """Warn, at the line that called ctfast."""
    for each in found:
        warnings.warn(each, stacklevel=_outside())


def _names(
    asked: Mapping[str, Iterable[str] | None], seen: Mapping[str, list[str]], *, nothing: bool
) -> Iterator[NothingChosen]:
    of = ""
    for argument, noun in _NAMES.items():
        wanted = asked.get(argument)
        if wanted is None:
            continue
        there = seen.get(argument, [])
        missing = sorted(set(wanted).difference(there))
        if not wanted:
            yield unasked(argument)
            return
        if missing:
            close = _close(argument, missing[0], there)
            words = f"no file{of} has the {noun}{_s(missing)} {_with_nearest(argument, missing, there)}"
            yield NothingChosen(words, argument, tuple(missing), close, tuple(there[:_MOST_SEEN]), nothing=nothing)
        if len(missing) == len(set(wanted)):
            return
        # Later names were only looked for below these.
        found = sorted(set(wanted).intersection(there))
        of += f"{' and' if of else ' of'} the {noun}{_s(found)} {', '.join(map(quoted, found[:_MOST_NAMED]))}"
        of += f" and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""


def unasked(argument: str) -> NothingChosen:
    """Return the message about an empty list of names: it selects none, whereas None selects all."""
    return NothingChosen(f"{argument} is empty, so that no file is asked for", argument, nothing=True)


def _with_nearest(argument: str, missing: Sequence[str], there: Sequence[str]) -> str:
    """Return names that no file has, with suggestions and the names that exist."""
    near = {name: _close(argument, name, there) for name in missing[:_MOST_NAMED]}
    more = f" and {len(missing) - _MOST_NAMED:,} more" if len(missing) > _MOST_NAMED else ""
    if len(missing) == 1 or not any(near.values()):
        close = near[missing[0]]
        words = ", ".join(map(quoted, near)) + more + or_nearest(close)
        if not there:
            return words
        return f"{words} There are: {listed(there)}" if close else f"{words}; there are: {listed(there)}"
    each = ", ".join(
        f"{quoted(name)}{f' (did you mean {quoted(close)}?)' if close else ''}" for name, close in near.items()
    )
    return f"{each}{more}" + (f"; there are: {listed(there)}" if there else "")


def _s(names: Collection[str]) -> str:
    return "s" * (len(names) > 1)


def _close(argument: str, name: str, seen: Iterable[str]) -> str | None:
    if argument == "regions":
        return nearest_region(name, seen)
    alike = {"accounts": _ALIKE, "trails": _LIKE_WORDS}.get(argument)  # mistyped kinds are refused by the call
    return None if alike is None else nearest(name, seen, alike)


def _nothing(outcome: Outcome) -> NothingChosen:
    """Nothing was read, though no single name is the cause."""
    if not outcome.where:
        return NothingChosen("nothing was read: no source is named", "no-source")
    reason, words = _why(outcome.where, outcome.skipped, outcome.pruned)
    return NothingChosen(f"nothing was read: {words}", _NO_NEWS if outcome.is_news else reason)


def _barren(outcome: Outcome) -> Iterator[NothingChosen]:
    """Of several sources, those that have nothing to read in any query."""
    empty = _empty(outcome.barren)
    if empty:
        yield NothingChosen(f"there is no file in {listed(empty)}", "empty", nothing=False)
    alike: dict[frozenset[str], list[tuple[str, Mapping[str, int], Mapping[str, int]]]] = {}
    for where, skipped, pruned in outcome.barren:
        if where not in empty and {*skipped, *pruned} <= _OF_ITSELF:
            alike.setdefault(frozenset((*skipped, *pruned)), []).append((where, skipped, pruned))
    for found in alike.values():  # which may be thousands of single files
        places, skips, prunes = zip(*found, strict=True)
        skipped, pruned = (sum(map(Counter, counts), Counter()) for counts in (skips, prunes))
        reason, words = _why(listed(places), skipped, pruned)
        yield NothingChosen(words, reason, nothing=False)


def _empty(barren: Iterable[tuple[str, Mapping[str, int], Mapping[str, int]]]) -> list[str]:
    """Of the sources that gave no file, the empty ones."""
    return [where for where, skipped, pruned in barren if not (skipped or pruned)]


def _why(where: str, skipped: Mapping[str, int], pruned: Mapping[str, int]) -> tuple[str, str]:
    """Return why a place gave nothing, in words."""
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
    """Return how many files or folders were skipped, and why, in words."""
    return f"{counted(number, _NOUNS.get(reason, noun))} {_WHY.get(reason, reason)}"


def _outside() -> int:
    """Return the ``stacklevel`` at which a warning from :func:`warn` points to the first caller outside ctfast."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001  # there is no other way before Python 3.12
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    return level
