"""Names in the keys of an archive: accounts, regions and kinds of files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from numbers import Integral
from typing import Any

from ctfast._arguments.checks import texts
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError

__all__ = ["KINDS", "accounts", "kinds", "nearest_region", "regions", "trails"]

#: Folders of the key grammar that hold events.
KINDS = ("CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated")
_DIGEST = "CloudTrail-Digest"
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
#: As in us-east-1, us-gov-west-1, eusc-de-east-1, us-isob-east-1.
_REGION = re.compile(r"[a-z]{2,8}(-[a-z]{1,16})+-[0-9]{1,2}", re.ASCII)


def accounts(name: str, value: Any) -> set[str]:
    """Account ids."""
    found = texts(name, value, "'111122223333'", _with_zeros)
    for each in found:
        if not _ACCOUNT.fullmatch(each):
            digits = re.sub(r"[\s-]", "", each)
            meant = digits if _ACCOUNT.fullmatch(digits) else None
            count = " and nothing else"
            if digits.isdecimal() and not digits.isascii():
                count = " of ASCII, 0 to 9"  # digits of other scripts are in no key
            elif digits.isdecimal() and meant is None:
                count = f", not {len(digits)}"
            raise ArgumentError(
                f"{name} must have 12 digits{count}: {quoted(each)}{or_nearest(meant)}", name, each, meant
            )
    return set(found)


def _with_zeros(value: object) -> str:
    """Return the remedy for an account given as a number, which has lost its leading zeros."""
    if isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) < 10**12:
        return f"write {quoted(f'{int(value):012}')}, with the zeros that it begins with"
    return ""


def regions(name: str, value: Any) -> set[str]:
    """Regions, whether AWS has them yet or not."""
    found = texts(name, value, "'us-east-1'")
    for each in found:
        if not _REGION.fullmatch(each):
            meant = nearest_region(each)
            raise ArgumentError(
                f"{name} must be such as 'us-east-1', not {quoted(each)}{or_nearest(meant)}", name, each, meant
            )
    return set(found)


def nearest_region(word: str, seen: Iterable[str] = ()) -> str | None:
    """Return the region that was probably meant: one that was found, else one that is widely used."""
    tidy = re.sub(r"[\s_.]", "-", word.strip().casefold())
    if tidy in _REGIONS and tidy == word:
        return nearest(word, seen, _ONE_LETTER)  # it is one, and the archive may well lack it
    return nearest(tidy, seen) or nearest(tidy, _REGIONS)


#: The similarity of regions that differ by one letter.
_ONE_LETTER = 0.85
#: Only for suggestions: the archive decides which regions there are.
_REGIONS = (
    *(f"us-{side}-{number}" for side in ("east", "west") for number in (1, 2)),
    *(f"eu-{side}-{number}" for side in ("west", "central", "south", "north") for number in (1, 2, 3)),
    *(f"ap-{side}-{number}" for side in ("southeast", "northeast", "south", "east") for number in (1, 2, 3, 4)),
    *(
        "ca-central-1",
        "ca-west-1",
        "sa-east-1",
        "af-south-1",
        "me-south-1",
        "me-central-1",
        "il-central-1",
        "mx-central-1",
    ),
    *("us-gov-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"),
)


def kinds(name: str, value: Any) -> set[str]:
    """Kinds of log files."""
    found = texts(name, value, "'CloudTrail'")
    for each in found:
        if each == _DIGEST:
            message = (
                f"{name} must be those of log files; {quoted(_DIGEST)} is that of digest files, which verify reads"
            )
            raise ArgumentError(message, name, each)
        if each not in KINDS:
            close = nearest(each, KINDS)
            message = f"{name} has no {quoted(each)}{or_nearest(close)} (kinds are {', '.join(KINDS)})"
            raise ArgumentError(message, name, each, close)
    return set(found)


def trails(name: str, value: Any) -> set[str]:
    """Names of trails."""
    found = set(texts(name, value, "'management-events'"))
    if "" in found:
        raise ArgumentError(f"{name} has an empty text, which is the name of no trail", name, "")
    return found
