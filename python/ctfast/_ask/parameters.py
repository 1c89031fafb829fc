"""Constants: numbers of a query, and values that are given beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ctfast._ask.sqltext import constant, time
from ctfast._ask.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL,
    NULL,
    TIMESTAMP,
    VARCHAR,
    Value,
    array,
    common,
    decimal,
)
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = ["constant_of", "interval_of", "number_of", "parameter"]

_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")


def parameter(known: Mapping[str, Any], name: str) -> Value:
    """Return the value of a parameter; ``_1`` is the first ``?``."""
    shown = name.removeprefix("_") if name[1:].isdecimal() else name
    if shown not in known:
        others = f"; there are {', '.join(known)}" if known else ""
        raise QueryError(f"the parameter {quoted(shown)} has no value{others}", shown, "parameter")
    return constant_of(shown, known[shown])


def constant_of(name: str, value: Any) -> Value:
    """Return a value of Python as a constant: numbers, texts, times, truth values, None, and lists of them."""
    if isinstance(value, list | tuple):
        members = [constant_of(name, each) for each in value]
        kind = common([each.type for each in members]) if members else NULL
        if kind is not None:
            return Value(f"[{', '.join(each.sql for each in members)}]", array(kind))
    made = next((make(value) for kind, make in _KINDS if isinstance(value, kind)), None)
    if made is None:
        kinds = "a text, a number, a time, True, False, None, or a list of one kind"
        message = f"the parameter {quoted(name)} is a {type(value).__name__}: it may be {kinds}"
        raise QueryError(message, name, "parameter")
    return made


def number_of(text: str) -> Value:
    """Return a number that stands in a query: with an exponent it is a double, with a point a decimal."""
    if "e" in text.lower():
        return Value(f"CAST('{text}' AS DOUBLE)", DOUBLE)
    if "." in text:
        whole, _, part = text.partition(".")
        kind = decimal(max(len(whole.lstrip("0")) + len(part), 1), len(part))
        return Value(f"CAST('{text}' AS {kind.duckdb})", kind)
    number = int(text)
    return Value(text, INTEGER if number < 1 << 31 else BIGINT if number < 1 << 63 else decimal(len(text), 0))


def interval_of(number: str, unit: str) -> Value | None:
    """Return an interval of whole units; None for another one."""
    name = unit.upper().rstrip("S")
    if name not in _UNITS or not number.lstrip("+-").isdecimal():
        return None
    return Value(f"(INTERVAL '{number} {name}')", INTERVAL, f"{number} {name.lower()}")


def _whole(value: int) -> Value | None:
    if not -(1 << 63) <= value < 1 << 63:
        return None
    return Value(str(value) if value >= 0 else f"({value})", BIGINT)


def _double(value: float) -> Value | None:
    return Value(f"CAST('{value}' AS DOUBLE)", DOUBLE) if math.isfinite(value) else None


def _decimal(value: Decimal) -> Value | None:
    if not value.is_finite():
        return None
    _, digits, exponent = value.as_tuple()
    scale = max(0, -int(exponent))
    kind = decimal(max(len(digits) + max(0, int(exponent)), scale, 1), scale)
    return Value(f"CAST('{value:f}' AS {kind.duckdb})", kind)


def _moment(value: datetime) -> Value:
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return Value(time(moment), TIMESTAMP, moment.isoformat())


#: The first kind that a value is of: a truth value is a number in Python, and a time is a date.
_KINDS: tuple[tuple[type, Callable[[Any], Value | None]], ...] = (
    (type(None), lambda _: Value("NULL", NULL)),
    (bool, lambda value: Value("TRUE" if value else "FALSE", BOOLEAN)),
    (str, lambda value: Value(constant(value), VARCHAR, value)),
    (int, _whole),
    (float, _double),
    (Decimal, _decimal),
    (datetime, _moment),
    (date, lambda value: Value(f"DATE '{value.isoformat()}'", DATE, value.isoformat())),
)
