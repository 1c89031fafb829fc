"""Between which times the events of a query lie, as far as its conditions say: other files are not opened."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ctfast._ask.coerce import written_time
from ctfast._ask.sqltext import time
from ctfast._ask.types import BOOLEAN, DATE, TIMESTAMP, Spans, Value

__all__ = ["around", "both", "either"]

_PATH = "eventTime"
#: A day as Athena's partitions have it.
_DAY = re.compile(r"(\d{4})/(\d\d)/(\d\d)")
_TICK = timedelta(microseconds=1)


def around(part: Value, operator: str, than: Value) -> Value | None:
    """Return a comparison of the time of an event with a constant, and what follows from it; else None."""
    if part.day is not None and than.text is not None and (found := _DAY.fullmatch(than.text)) and "%d'" in part.sql:
        return _of_day(part, operator, found) if "%Y/%m/%d" in part.sql else None
    if part.path != _PATH or part.source is None or than.text is None:
        return None
    if not (than.type in (TIMESTAMP, DATE) or than.type.is_text):
        return None
    moment = written_time(than.text)
    span = _span(operator, moment, moment + _TICK)
    spans: Spans = {} if span is None else {part.source: span}
    return Value(f"({part.sql} {operator} {time(moment)})", BOOLEAN, spans=spans)


def _of_day(part: Value, operator: str, found: re.Match[str]) -> Value | None:
    """Return a comparison with a day as one of times, which is known of each file."""
    try:
        first = datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[misc]  # three numbers
        after = first + timedelta(days=1)
    except (ValueError, OverflowError):
        return None  # a text that is no day
    span = _span(operator, first, after)
    if span is None or part.source is None:
        return None
    low, high = span
    column = part.clock
    tests = [*([] if low is None else [f"{column} >= {time(low)}"]), *([] if high is None else [f"{column} < {time(high)}"])]
    return Value(f"({' AND '.join(tests)})", BOOLEAN, spans={part.source: span})


def _span(operator: str, first: datetime, after: datetime) -> tuple[datetime | None, datetime | None] | None:
    return {
        "=": (first, after),
        ">": (after, None),
        ">=": (first, None),
        "<": (None, first),
        "<=": (None, after),
    }.get(operator)


def both(one: Spans, other: Spans) -> Spans:
    """Return what follows if both conditions are met."""
    found = dict(one)
    for number, (low, high) in other.items():
        low_too, high_too = found.get(number, (None, None))
        lows, highs = [each for each in (low, low_too) if each], [each for each in (high, high_too) if each]
        found[number] = (max(lows, default=None), min(highs, default=None))
    return found


def either(one: Spans, other: Spans) -> Spans:
    """Return what follows if one of the conditions is met."""
    found: Spans = {}
    for number in one.keys() & other.keys():
        (low, high), (low_too, high_too) = one[number], other[number]
        span = (
            None if low is None or low_too is None else min(low, low_too),
            None if high is None or high_too is None else max(high, high_too),
        )
        if span != (None, None):
            found = {**found, number: span}
    return found


