"""Values that travel as JSON: a format number in each decides which versions can read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from ctfast import _ctfast
from ctfast.exceptions import FormatError

__all__ = ["Form"]

T = TypeVar("T")


class Form(NamedTuple):
    """A kind of value with its name, its format number, and the error for other text."""

    value: str
    number: int
    kind: str
    wrong: str

    def read(self, text: str, make: Callable[..., T]) -> T:
        """Return the value that ``make`` makes of the members of a text.

        Raises
        ------
        FormatError
            The text is of another kind, or of a later version.
        """
        try:
            given = json.loads(text)
            number = given.pop("format")
            is_newer = type(number) is int and number > self.number
            if type(number) is int and number == self.number:
                return make(**given)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            is_newer = False
        if is_newer:
            raise self.newer(number)
        raise FormatError(self.wrong, None, None, None, self.kind, self.wrong)

    @staticmethod
    def members(text: str) -> dict[str, Any]:
        """Return the members of a text of this kind, without its format number."""
        found: dict[str, Any] = json.loads(text)
        del found["format"]
        return found

    def newer(self, number: object) -> FormatError:
        """Return the error for the format number of a later version."""
        version = _ctfast.__version__
        message = f"{self.value} has format {number}, and this version of ctfast ({version}) reads format {self.number}"
        message = f"{message}: update ctfast where it is read"
        return FormatError(message, None, None, None, "newer-format", message)
