"""Mistyped words, and the ones that were probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctfast import _ctfast
from ctfast.exceptions import shortened, well_formed

__all__ = ["listed", "meant", "nearest", "or_nearest", "quoted"]

#: Names that a sentence lists.
_MOST = 8
#: How the core refuses an unknown word; if it suggests one itself, more text follows.
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
    given = list(names)
    at = _ctfast.nearest(well_formed(word), [*map(well_formed, given)], alike)
    return None if at is None else given[at]


def or_nearest(name: str | None) -> str:
    """Return the end of a sentence, with the name that was probably meant."""
    return "" if name is None else f"; did you mean {quoted(name)}?"


def meant(message: str) -> str:
    r"""Return a sentence of the core that lists what is expected, with the nearest name appended.

    Examples
    --------
    >>> meant('expected one of eventName, readOnly but found "evntName"')
    'expected one of eventName, readOnly but found "evntName"; did you mean \'eventName\'?'
    """
    found = _ONE_OF.fullmatch(message)
    return message if found is None else message + or_nearest(nearest(found["given"], found["names"].split(", ")))


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them; of many, the first ones.

    Examples
    --------
    >>> listed(["b", "a"])
    'a, b'
    """
    every = sorted(names)
    more = len(every) - _MOST
    return ", ".join(every[:_MOST]) + (f" and {more:,} more" if more > 0 else "")


def quoted(value: object) -> str:
    """Return a value as a sentence quotes it."""
    try:
        return shortened(repr(value))
    except ValueError:
        return "a number of more digits than Python writes"
