"""Between which times the events of a query lie, as far as its conditions say: other files are not opened."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ctfast import _ctfast
from ctfast._ask.coerce import written_time
from ctfast._ask.partitions import DAYS, FACETS
from ctfast._ask.sqltext import constant, time
from ctfast._ask.types import BOOLEAN, DATE, TIMESTAMP, VARCHAR, Facets, Spans, Tests, Value

__all__ = ["around", "both", "bounded", "either", "join", "meet", "of_facets", "one_of"]

_PATH = "eventTime"
#: What scans compare with texts.
_TEXTS = frozenset(path for path, kind, _ in _ctfast.columns() if kind == "text" and "[]" not in path)
_YEAR, _NUMBER = re.compile(r"[1-9]\d{3}", re.ASCII), re.compile(r"\d\d", re.ASCII)
_ALL = tuple(f"{month:02}" for month in range(1, 13))
_DAY = re.compile(r"(\d{4})/(\d\d)/(\d\d)")
_TICK = timedelta(microseconds=1)


def around(part: Value, operator: str, than: Value) -> Value | None:
    """Return a comparison of the time of an event with a constant, and what follows from it; else None."""
    if part.source is None or than.text is None:
        return None
    if part.form == DAYS and (found := _DAY.fullmatch(than.text)):
        return _of_day(part, part.source, operator, found)
    if part.form in FACETS and operator == "=" and than.type.is_text:
        facets: Facets = {(part.source, part.form): frozenset([than.text])}
        return Value(f"({part.sql} = {than.sql})", BOOLEAN, facets=facets)
    if operator == "=" and part.path in _TEXTS and than.type == VARCHAR:
        tests: Tests = {part.source: ("in", part.path, [than.text])}
        return Value(f"({part.sql} = {than.sql})", BOOLEAN, tests=tests, among=(part.sql, (than.text,)))
    if part.path != _PATH or not (than.type in (TIMESTAMP, DATE) or than.type.is_text):
        return None
    moment = written_time(than.text)
    span = _span(operator, moment, moment + _TICK)
    spans: Spans = {} if span is None else {part.source: span}
    return Value(f"({part.sql} {operator} {time(moment)})", BOOLEAN, spans=spans)


def one_of(condition: Value) -> Value:
    """Return the condition that a column is one of some texts, and before it one that DuckDB tests while it reads.

    Of IN it makes a join, and OR becomes IN: it would decode the other columns of all rows first. The text of all
    contains each of them.
    """
    if condition.among is None:
        return condition
    column, texts = condition.among
    return condition._replace(
        sql=f"(contains({constant('|'.join(dict.fromkeys(texts)))}, {column}) AND {condition.sql})"
    )


def _of_day(part: Value, source: int, operator: str, found: re.Match[str]) -> Value | None:
    """Return a comparison with a day as one of times, which is known of each file."""
    try:
        year, month, day = map(int, found.groups())
        first = datetime(year, month, day, tzinfo=UTC)
        after = first + timedelta(days=1)
    except (ValueError, OverflowError):
        return None  # a text that is no day
    span = _span(operator, first, after)
    if span is None:
        return None
    return Value(f"({bounded(part.clock, *span)})", BOOLEAN, spans={source: span})


def bounded(column: str, low: datetime | None, high: datetime | None) -> str:
    """Return the condition that a time lies between two others."""
    tests = ("" if low is None else f"{column} >= {time(low)}", "" if high is None else f"{column} < {time(high)}")
    return " AND ".join(filter(None, tests))


def of_facets(facets: Facets, number: int) -> tuple[datetime, datetime] | None:
    """Return between which times events lie that are of some years, months and days; None if that is not known."""
    years, months, days = (facets.get((number, form)) for form in FACETS)
    if years is None:
        return None
    found = []
    for year in years:
        for month in months or _ALL:
            alone = months is not None and days is not None
            found += [_stretch(year, month, day) for day in ((days or ()) if alone else ("",))]
    known = [each for each in found if each is not None]
    return (min(first for first, _ in known), max(after for _, after in known)) if known else None


def _stretch(year: str, month: str, day: str) -> tuple[datetime, datetime] | None:
    """Return a month or a day; None for what there is not."""
    if not (_YEAR.fullmatch(year) and _NUMBER.fullmatch(month)):
        return None
    try:
        first = datetime(int(year), int(month), int(day) if _NUMBER.fullmatch(day) else 1, tzinfo=UTC)
    except ValueError:
        return None
    if day:
        return first, first + timedelta(days=1)
    return first, (first + timedelta(days=31)).replace(day=1)


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


def meet(one: Value, other: Value) -> dict[str, Any]:
    """Return what follows if both conditions are met."""
    facets = {key: one.facets.get(key, texts) & texts for key, texts in other.facets.items()}
    tests = dict(one.tests)
    for number, test in other.tests.items():
        tests[number] = ("all", [tests[number], test]) if number in tests else test
    return {"spans": both(one.spans, other.spans), "facets": {**one.facets, **facets}, "tests": tests}


def join(one: Value, other: Value) -> dict[str, Any]:
    """Return what follows if one of the conditions is met."""
    facets = {key: one.facets[key] | other.facets[key] for key in one.facets.keys() & other.facets.keys()}
    tests = {number: _any(one.tests[number], other.tests[number]) for number in one.tests.keys() & other.tests.keys()}
    return {"spans": either(one.spans, other.spans), "facets": facets, "tests": tests, "among": _among(one, other)}


def _among(one: Value, other: Value) -> tuple[str, tuple[str, ...]] | None:
    """Return the texts of both conditions, if they are of one column."""
    if one.among is None or other.among is None or one.among[0] != other.among[0]:
        return None
    return one.among[0], (*one.among[1], *other.among[1])


def _any(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    if one[:2] == other[:2] and one[0] == "in":
        return "in", one[1], [*one[2], *other[2]]
    return "any", [one, other]
