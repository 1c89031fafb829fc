"""Words that were mistyped, and the ones that were meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from ctfast.exceptions import shortened

__all__ = ["listed", "meant", "nearest", "or_nearest", "quoted"]

#: Longer words are no slips of the hand, and comparing takes the square of their length.
_LONGEST = 100
#: Names that a sentence lists, and names alike among which the nearest is looked for.
_MOST = 8
#: Letters of a word that a hand gets wrong.
_FEW = 2
#: How the core refuses a word that is none of some; where it tells itself which one is meant, more follows.
_ONE_OF = re.compile(r'expected one of (?P<names>.+) but found "(?P<given>[^"]*)"')


def nearest(word: str, names: Iterable[str], alike: float = 0.6) -> str | None:
    """Return the name that was probably meant.

    Examples
    --------
    >>> nearest("us-est-1", ["eu-west-1", "us-east-1"])
    'us-east-1'
    >>> nearest("EVENTNAME", ["eventName"])
    'eventName'
    >>> nearest("us-esat-1", ["us-west-1", "us-east-1"])
    'us-east-1'
    >>> nearest("x", ["eventName"])
    """
    if len(word) > _LONGEST:
        return None
    folded = {name.casefold(): name for name in names}
    found = get_close_matches(word.casefold(), folded, n=_MOST, cutoff=alike)
    # What is alike shares letters in the same order; a slip of the hand is known by its few steps.
    return folded[min(found, key=lambda name: min(_slips(word.casefold(), name), _FEW + 1))] if found else None


def or_nearest(name: str | None) -> str:
    """Return the end of a sentence that names what was probably meant."""
    return "" if name is None else f"; did you mean {quoted(name)}?"


def meant(message: str) -> str:
    r"""Return a sentence of the core that lists what may stand somewhere, with the nearest to what stands there.

    Examples
    --------
    >>> meant('expected one of eventName, readOnly but found "evntName"')
    'expected one of eventName, readOnly but found "evntName"; did you mean \'eventName\'?'
    """
    found = _ONE_OF.fullmatch(message)
    return message if found is None else message + or_nearest(nearest(found["given"], found["names"].split(", ")))


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


def _slips(word: str, name: str) -> int:
    """Return how many letters are missing, too many, others, or have changed places with their neighbours."""
    before, last = list[int](), list(range(len(name) + 1))
    for at, letter in enumerate(word):
        row = [at + 1]
        for column, meant in enumerate(name):
            steps = min(last[column + 1] + 1, row[column] + 1, last[column] + (letter != meant))
            if before and column and (letter, word[at - 1]) == (name[column - 1], meant):
                steps = min(steps, before[column - 1] + 1)
            row.append(steps)
        before, last = last, row
    return last[-1]


def quoted(value: object) -> str:
    """Return a value as a sentence repeats it."""
    try:
        return shortened(repr(value))
    except ValueError:
        return "a number of more digits than Python writes"
