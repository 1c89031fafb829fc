"""Comparisons and arithmetic, by the types of both sides."""

from __future__ import annotations

from collections.abc import Sequence

from ctfast._ask.coerce import divided, moment, moved, together
from ctfast._ask.partitions import written
from ctfast._ask.scope import Column
from ctfast._ask.spans import around
from ctfast._ask.types import BOOLEAN, INTERVAL, NULL, TIMESTAMP, Type, Value, common, decimal
from ctfast.exceptions import QueryError

__all__ = ["COMPUTED", "as_column", "compared", "computed", "only"]

#: The operators of arithmetic.
COMPUTED = {"Add": "+", "Sub": "-", "Mul": "*", "Mod": "%", "Div": "/"}


def computed(kind: str, one: Value, other: Value) -> Value:
    """Return a sum, a difference, a product, a quotient or a remainder, of numbers or of times and intervals."""
    if INTERVAL in (one.type, other.type) or (kind == "Sub" and one.type.is_time and other.type.is_time):
        return _of_times(kind, one, other)
    operator = COMPUTED[kind]
    for each in (one.type, other.type):
        if not each.is_number and each != NULL:
            message = f"{operator} takes numbers, and this is a {each}: write CAST(… AS BIGINT), or AS DOUBLE"
            raise QueryError(message, operator, "type")
    if kind == "Div":
        return divided(one, other)
    sql = f"({one.sql} {operator} {other.sql})"
    return Value(sql, _result(kind, one.type, other.type))


def _of_times(kind: str, one: Value, other: Value) -> Value:
    operator, kinds = COMPUTED[kind], (one.type, other.type)
    if kind == "Mul" and any(each.is_integer for each in kinds):
        return Value(f"({one.sql} * {other.sql})", INTERVAL)
    if kind not in ("Add", "Sub") or (one.type == INTERVAL and kind == "Sub" and other.type != INTERVAL):
        raise QueryError(f"a {one.type} {operator} a {other.type} has no meaning", operator, "type")
    for each in (one, other):
        if each.type.is_time:
            moment(each)  # or it is refused
    if INTERVAL not in kinds or kinds == (INTERVAL, INTERVAL):
        return Value(f"({one.sql} {operator} {other.sql})", INTERVAL)
    when, by = (other, one) if one.type == INTERVAL else (one, other)
    known = moved(when, by.text, -1 if kind == "Sub" else 1)
    if known is not None:
        return known
    to = when.type if when.type.is_time else TIMESTAMP
    return Value(f"CAST({moment(when)} {operator} {by.sql} AS {to.duckdb})", to, zone=when.zone)


def compared(operator: str, one: Value, other: Value) -> Value:
    """Return a comparison, and between which times the events lie that meet it."""
    is_equal = operator in ("=", "<>")
    one, other = written(other, one, is_equal=is_equal), written(one, other, is_equal=is_equal)
    for part, than, turned in ((one, other, operator), (other, one, _TURNED.get(operator, operator))):
        span = around(part, turned, than)
        if span is not None:
            return span
    left, right = together(one, other)
    return Value(f"({left.sql} {operator} {right.sql})", BOOLEAN)


_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _result(kind: str, one: Type, other: Type) -> Type:
    """Return the type of a sum, a difference, a product or a remainder."""
    found = common([one, other])
    if found is None or found.name != "decimal":
        return found or NULL
    (p, s), (q, r) = one.as_decimal().digits, other.as_decimal().digits
    if kind == "Mul":
        return decimal(p + q, s + r)
    if kind == "Mod":
        return decimal(min(p - s, q - r) + max(s, r), max(s, r))
    return decimal(max(p - s, q - r) + max(s, r) + 1, max(s, r))


def only(columns: Sequence[Column]) -> Value:
    """Return the one column of a sub-query that stands for a value."""
    if len(columns) != 1:
        raise QueryError(f"a sub-query has {len(columns)} columns, and one is needed", "SELECT", "form")
    return Value("", columns[0].type)


def as_column(value: Value, columns: Sequence[Column]) -> Value:
    """Return a value as it is compared with the column of a sub-query, which stays as it is."""
    one, column = together(value, only(columns))
    if column.sql:
        kinds = f"a {value.type} is compared with a sub-query that has a {columns[0].type}"
        raise QueryError(f"{kinds}: CAST makes one type of them", columns[0].name, "type")
    return one
