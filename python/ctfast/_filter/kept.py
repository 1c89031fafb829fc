"""Filters that outlive a run, as values of JSON."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Any

from ctfast._filter.filters import _KINDS, Filter, _again, _Combined, _Negated, _Written

__all__ = ["as_json", "of_json"]

_SIGNS = {"&": "all", "|": "any"}


def as_json(given: Filter) -> dict[str, Any]:
    """Return a filter as a value of JSON.

    Examples
    --------
    >>> import ctfast as ct
    >>> as_json(~ct.FilterPattern("{ $.eventName = x }"))
    {'not': {'language': 'filter pattern', 'text': '{ $.eventName = x }', 'switches': {}}}
    """
    match given:
        case _Combined():
            return {_SIGNS[given._sign]: [as_json(part) for part in given._parts]}  # noqa: SLF001  # of this package
        case _Negated():
            return {"not": as_json(given._part)}  # noqa: SLF001
        case _Written():
            return {"language": given.language, "text": given._text, "switches": given._switches}  # noqa: SLF001
        case _:
            raise TypeError(type(given).__name__)


def of_json(value: dict[str, Any]) -> Filter:
    """Return the filter that a value of :func:`as_json` is."""
    if "all" in value:
        return reduce(and_, map(of_json, value["all"]))
    if "any" in value:
        return reduce(or_, map(of_json, value["any"]))
    if "not" in value:
        return ~of_json(value["not"])
    return _again(_KINDS[value["language"]], value["text"], value["switches"])
