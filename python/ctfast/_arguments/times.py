"""Times given by users: dates, ISO 8601, and durations before now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from ctfast._show.words import quoted
from ctfast.exceptions import ArgumentError, shortened

__all__ = ["RELATIVE", "Time", "duration", "micros", "moment", "span"]

Time: TypeAlias = datetime | date | str

#: A number and a unit, such as 7d: this long before now.
RELATIVE = re.compile(r"(\d+)([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: Python versions differ in what ``fromisoformat`` accepts; this admits only what they read alike. A zone requires a
#: time, and only T or a space may separate date and time.
_WRITTEN = re.compile(
    r"""(?:\d{4}-\d\d-\d\d | \d{8})
        (?:[T ] (?:[01]\d|2[0-3]) (?: :\d\d (?: :\d\d (?:[.,]\d+)? )? | \d\d (?: \d\d (?:[.,]\d+)? )? )?
           (?:Z | [+-]\d\d(?::?\d\d)?)? )?""",
    re.ASCII | re.VERBOSE,
)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE = _EPOCH.replace(tzinfo=None)
#: The unit of a number, if it gives a time of this century.
_NUMBER = re.compile(r"\d{9,19}(?:\.\d+)?", re.ASCII)
_SCALES = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_CENTURY = (datetime(2000, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp())
_FORMS = "'2025-03-12', '2025-03-12T08:00Z' or '2025-03-12 10:00+02:00'"
_AGO = ", or how long ago, such as '7d', '24h' or '2w'"


def micros(name: str, time: Time | None, now: datetime | None = None) -> int | None:
    """Return microseconds since 1970. No zone means UTC, a date its midnight, ``7d`` a week before `now`."""
    if time is None:
        return None
    read = _read(name, time, now) if isinstance(time, str) else time
    # A NaT of pandas is a datetime, and not equal to itself.
    if not isinstance(read, date) or read != read:  # noqa: PLR0124
        raise TypeError(f"{name} must be a datetime, a date, or text such as {_forms(now)}; not {_given(time)}")
    if not isinstance(read, datetime):
        read = datetime(read.year, read.month, read.day, tzinfo=UTC)
    # Near both ends of the calendar, only differences stay within its range.
    since_1970 = int((read.replace(tzinfo=None) - _NAIVE - (read.utcoffset() or timedelta())) // _MICROSECOND)
    try:
        moment(since_1970)
    except OverflowError:
        raise ArgumentError(
            f"{name} lies outside of the years 1 to 9999 of UTC: {quoted(str(time))}", name, time
        ) from None
    return since_1970


def span(function: str, since: Time | None, until: Time | None, now: datetime) -> tuple[int | None, int | None]:
    """Return both bounds of a span that is not empty; refuse others under the name of the function called."""
    bounds = []
    for name, time in (("since", since), ("until", until)):
        try:
            bounds.append(micros(name, time, now))
        except ArgumentError as error:
            raise ArgumentError(error.message, name, error.value, None, function) from None
        except TypeError as error:
            raise TypeError(f"{function}(): {error}") from None
    first, after = bounds
    if first is not None and after is not None and first >= after:
        where = "is that of" if first == after else "is before"
        message = f"until ({_said(until)}) {where} since ({_said(since)}): no time lies between them"
        raise ArgumentError(message, "until", until, None, function)
    return first, after


def moment(micros: int | None) -> datetime | None:
    """Return microseconds since 1970 as a time."""
    return None if micros is None else _EPOCH + micros * _MICROSECOND


def duration(text: str) -> timedelta | None:
    """Return the duration of a string such as ``36h``, or None if it has another form.

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
    except (OverflowError, ValueError):  # more digits than Python converts
        return timedelta.max


def _read(name: str, text: str, now: datetime | None) -> datetime:
    ago = None if now is None else duration(text)
    try:
        if now is not None and ago is not None:
            return now - ago
        if _WRITTEN.fullmatch(text):
            return datetime.fromisoformat(text)
    except OverflowError:
        raise ArgumentError(f"{name} lies before the year 1: {quoted(text)}", name, text) from None
    except ValueError:
        pass  # a day or a minute that does not exist
    message = f"{name} is no date or time that can be read: {quoted(text)}{_of_number(text)} (write {_forms(now)})"
    raise ArgumentError(message, name, text)


def _forms(now: datetime | None) -> str:
    """Return examples of what can be read."""
    return _FORMS if now is None else _FORMS + _AGO


def _given(value: object) -> str:
    """Return what was given; for a number since 1970, the time that it probably means."""
    kind = type(value).__name__
    if not isinstance(value, int | float) or isinstance(value, bool):
        return kind
    return f"{kind} {shortened(str(value))}{_of_number(str(value))}"


def _of_number(text: str) -> str:
    """Return the time that a number since 1970 probably means."""
    if not _NUMBER.fullmatch(text):
        return ""
    for unit, scale in _SCALES.items():
        seconds = float(text) / scale
        if _CENTURY[0] <= seconds < _CENTURY[1]:
            return f", which in {unit} since 1970 is '{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}'"
    return ""


def _said(time: Time | None) -> str:
    return shortened(str(time))
