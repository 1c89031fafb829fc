"""Words that were mistyped, and the ones that were meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from ctfast.exceptions import shortened

__all__ = ["listed", "nearest", "or_nearest", "quoted"]

#: Longer words are no slips of the hand, and comparing takes the square of their length.
_LONGEST = 100
#: Names that a sentence lists.
_MOST = 8


def nearest(word: str, names: Iterable[str], alike: float = 0.6) -> str | None:
    """Return the name that was probably meant.

    Examples
    --------
    >>> nearest("us-est-1", ["eu-west-1", "us-east-1"])
    'us-east-1'
    >>> nearest("EVENTNAME", ["eventName"])
    'eventName'
    >>> nearest("x", ["eventName"])
    """
    if len(word) > _LONGEST:
        return None
    folded = {name.casefold(): name for name in names}
    found = get_close_matches(word.casefold(), folded, n=1, cutoff=alike)
    return folded[found[0]] if found else None


def or_nearest(name: str | None) -> str:
    """Return the end of a sentence that names what was probably meant."""
    return "" if name is None else f"; did you mean {name!r}?"


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them, the first ones of many.

    Examples
    --------
    >>> listed(["b", "a"])
    'a, b'
    """
    every = sorted(names)
    more = len(every) - _MOST
    return ", ".join(every[:_MOST]) + (f" and {more:,} more" if more > 0 else "")


def quoted(value: object) -> str:
    """Return a value as a sentence repeats it."""
    try:
        return shortened(repr(value))
    except ValueError:
        return "a number of more digits than Python writes"
