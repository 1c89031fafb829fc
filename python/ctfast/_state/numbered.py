"""JSON files that outlive a run: their member ``format`` is the number of their format.

All other members are named by addresses and regions, so none of them is called ``format``. A file without a number has
the first format: it comes from an earlier ctfast or the AWS CLI, or was written by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["numbered", "unnumbered"]

_NAME = "format"
_NUMBER = 2


def numbered(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with the number of the current format."""
    return {_NAME: _NUMBER, **content}


def unnumbered(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content without its number; refuse a newer format."""
    number = content.get(_NAME, 1)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        message = f"its format is a whole number from 1 to {_NUMBER}"
        raise ValueError(message)
    if number > _NUMBER:
        message = (
            f"it is of format {number}, made by a newer ctfast; this one reads formats 1 to {_NUMBER}: upgrade ctfast"
        )
        raise ValueError(message)
    return {name: value for name, value in content.items() if name != _NAME}
