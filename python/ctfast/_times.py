"""Times that the user names: dates, ISO 8601, and how long ago."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from ctfast._words import quoted
from ctfast.exceptions import ArgumentError, shortened

__all__ = ["RELATIVE", "Time", "duration", "micros", "moment", "span"]

Time: TypeAlias = datetime | date | str

#: A number and its unit, such as 7d: before now.
RELATIVE = re.compile(r"(\d+)([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS = "such as '2025-03-12' or '2025-03-12T08:00Z', or how long ago, such as '7d', '24h' or '2w'"


def micros(name: str, time: Time | None, now: datetime | None = None) -> int | None:
    """Return microseconds since 1970: without a zone it is UTC, a date its midnight; ``7d`` is a week ago, where now is given."""
    if time is None:
        return None
    if isinstance(time, str):
        time = _read(name, time, now)
    if not isinstance(time, date):
        raise TypeError(f"{name} must be a datetime, a date, or text: {_FORMS}; not {_given(name, time)}")
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=UTC)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return (time - _EPOCH) // _MICROSECOND


def span(function: str, since: Time | None, until: Time | None, now: datetime) -> tuple[int | None, int | None]:
    """Return both bounds of a time that has something in it; refuse others under the name of the function that was called."""
    bounds = []
    for name, time in (("since", since), ("until", until)):
        try:
            bounds.append(micros(name, time, now))
        except ArgumentError as error:
            raise ArgumentError(error.message, name, error.value, None, function) from None
        except TypeError as error:
            raise TypeError(f"{function}(): {error}") from None
    first, behind = bounds
    if first is not None and behind is not None and first >= behind:
        where = "is that of" if first == behind else "is before"
        message = f"until ({_said(until)}) {where} since ({_said(since)}): no time lies between them"
        raise ArgumentError(message, "until", until, None, function)
    return first, behind


def moment(micros: int | None) -> datetime | None:
    """Return microseconds since 1970 as a time."""
    return None if micros is None else _EPOCH + micros * _MICROSECOND


def duration(text: str) -> timedelta | None:
    """Return how long a text such as ``36h`` says, or None if it says nothing.

    Examples
    --------
    >>> duration("2w")
    datetime.timedelta(days=14)
    """
    found = RELATIVE.fullmatch(text)
    if found is None:
        return None
    number, unit = found.groups()
    try:
        return timedelta(**{_UNITS[unit]: int(number)})
    except (OverflowError, ValueError):  # of so many digits that it is not even a number to Python
        return timedelta.max


def _read(name: str, text: str, now: datetime | None) -> datetime:
    ago = None if now is None else duration(text)
    try:
        return datetime.fromisoformat(text) if now is None or ago is None else now - ago
    except ValueError:
        message = f"{name} is not an ISO 8601 date or time: {quoted(text)} (write {_FORMS})"
        raise ArgumentError(message, name, text) from None
    except OverflowError:
        raise ArgumentError(f"{name} lies before the year 1: {quoted(text)}", name, text) from None


def _given(name: str, value: object) -> str:
    """Return what was given; of a number of seconds since 1970, what to write."""
    kind = type(value).__name__
    if not isinstance(value, int | float) or isinstance(value, bool):
        return kind
    number = shortened(str(value))
    return f"{kind} {number} (of seconds since 1970, {name}=datetime.fromtimestamp({number}, UTC))"


def _said(time: Time | None) -> str:
    return shortened(str(time))
