"""What a verification reports: what was asked for, found and left uncovered, and the verdict on the time between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ctfast._later import pl
from ctfast._show.plain import counted

if TYPE_CHECKING:
    from ctfast._integrity.verification import Verification

__all__ = ["MEANING", "by_chain", "exceptions", "found_span", "moment", "requested", "told", "verdict"]

_CHAIN = ["account", "region", "trail", "home_region"]
#: Chains, and spans of one, that the text lists; the other forms list all.
_CHAINS, _STRETCHES = 100, 6
_WHY = {
    "gap": "a gap: the chain starts again after it",
    "missing-digest": "digests missing",
    "digest-invalid": "digests not valid",
    "uncovered": "nothing covers it",
}


def by_chain(found: Verification) -> list[dict[str, Any]]:
    """Return the found and uncovered time of each chain: those with uncovered time first."""
    chains = []
    for names, rows in found.ranges.partition_by(_CHAIN, as_dict=True, maintain_order=True).items():
        chain: dict[str, Any] = dict(zip(_CHAIN, names, strict=True))
        for name in ("found", "uncovered"):
            chain[name] = rows.filter(pl.col("range") == name).select("start", "end", "reason").rows()
        chains.append(chain)
    return sorted(chains, key=lambda chain: not chain["uncovered"])


def requested(found: Verification) -> str:
    """What was asked for, in a line."""
    since, until = found.asked["since"], found.asked["until"]
    if since is None and until is None:
        time = "all the time that there are digests of"
    else:
        first = "the first digests" if since is None else moment(since)
        time = f"{first} to {'the newest digests' if until is None else moment(until)}"
    names = [
        f"{what} {', '.join(found.asked[what])}"
        for what in ("accounts", "regions", "trails")
        if found.asked[what] is not None
    ]
    every = [what for what in ("accounts", "regions", "trails") if found.asked[what] is None]
    return "; ".join([time, *names, *([f"all {_listed(every)}"] if every else [])])


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def told(found: Verification) -> Iterator[str]:
    """Yield what was asked for, found and left uncovered, in lines."""
    yield f"asked for  {requested(found)} (UTC)"
    chains = by_chain(found)
    for chain in chains[:_CHAINS]:
        yield f"{chain['account']} {chain['region']} trail {chain['trail']}"
        for name in ("found", "uncovered"):
            stretches = chain[name]
            for start, end, reason in stretches[:_STRETCHES]:
                yield f"  {name:<9}  {moment(start)} to {moment(end)}" + (f": {_WHY[reason]}" if reason else "")
            if len(stretches) > _STRETCHES:
                yield f"  {name:<9}  and {len(stretches) - _STRETCHES:,} more"
            if name == "found" and not stretches:
                yield "  found      nothing: no valid digest"
    if len(chains) > _CHAINS:
        yield f"and {counted(len(chains) - _CHAINS, 'more chain')}; --format json tells of all"


#: What a verdict of VALID means for the time that it names.
MEANING = "of what was asked for: what valid digests list is there and unaltered, and no log file is unexplained"


def verdict(found: Verification) -> str:
    """Return the verdict in a line. It covers the time that was found, and says from when to when that is."""
    if not found.checked:
        return "NOTHING CHECKED: there is no digest file to go by, so nothing is proven"
    stretch = found_span(found)
    if stretch is None and not found.errors:
        return "NOT VALID: no valid digest covers anything of what was asked for"
    if not found.ok or stretch is None:
        return f"NOT VALID: see the findings ({counted(found.errors, 'error')})"
    first, last = map(moment, stretch)
    chains = found.ranges.select(_CHAIN).n_unique()
    each = "" if chains == 1 else f", each of {chains:,} chains for its time"
    return f"VALID from {first} to {last}{each}{exceptions(found)}"


def found_span(found: Verification) -> tuple[datetime, datetime] | None:
    """From the first to the last moment that some chain covers."""
    first, last = (
        found.ranges.filter(pl.col("range") == "found").select(pl.col("start").min(), pl.col("end").max()).row(0)
    )
    return None if first is None else (first, last)


def exceptions(found: Verification) -> str:
    """What a valid archive leaves uncovered."""
    rows = found.ranges.filter(pl.col("range") == "uncovered")
    gaps = rows.filter(pl.col("reason") == "gap").height
    others = rows.height - gaps
    parts = [counted(number, noun) for number, noun in ((gaps, "gap"), (others, "uncovered stretch")) if number]
    return f", but for {' and '.join(parts)}" if parts else ""


def moment(time: datetime) -> str:
    """A time, to the second, with a year of four digits, which `strftime` does not write everywhere."""
    return f"{time.year:04}-{time:%m-%d %H:%M:%S}"
