"""Values that are given beside a query, as constants."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ctfast._ask.sqltext import constant, time
from ctfast._ask.types import BIGINT, BOOLEAN, DATE, DOUBLE, NULL, TIMESTAMP, VARCHAR, Value, array, common, decimal
from ctfast.exceptions import QueryError

__all__ = ["constant_of"]


def constant_of(name: str, value: Any) -> Value:
    """Return a value of Python as a constant: numbers, texts, times, truth values, None, and lists of them."""
    if value is None:
        return Value("NULL", NULL)
    if isinstance(value, bool):
        return Value("TRUE" if value else "FALSE", BOOLEAN)
    if isinstance(value, str):
        return Value(constant(value), VARCHAR, value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return Value(str(value) if value >= 0 else f"({value})", BIGINT)
    if isinstance(value, float) and math.isfinite(value):
        return Value(f"CAST('{value!r}' AS DOUBLE)", DOUBLE)
    if isinstance(value, Decimal) and value.is_finite():
        _, digits, exponent = value.as_tuple()
        scale = max(0, -int(exponent))
        kind = decimal(max(len(digits) + max(0, int(exponent)), scale, 1), scale)
        return Value(f"CAST('{value:f}' AS {kind.duckdb})", kind)
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return Value(time(moment), TIMESTAMP, moment.isoformat())
    if isinstance(value, date):
        return Value(f"DATE '{value.isoformat()}'", DATE, value.isoformat())
    if isinstance(value, list | tuple):
        members = [constant_of(name, each) for each in value]
        kind = common([each.type for each in members]) if members else NULL
        if kind is not None:
            return Value(f"[{', '.join(each.sql for each in members)}]", array(kind))
    kinds = "a text, a number, a time, True, False, None, or a list of one kind"
    raise QueryError(f"the parameter {name!r} is a {type(value).__name__}: it may be {kinds}", name, "parameter")
