"""The types that stand in a query, after CAST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctfast._ask.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    IP,
    JSON,
    TIMESTAMP,
    VARBINARY,
    VARCHAR,
    Type,
    array,
    decimal,
    map_of,
    row,
)
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["type_of"]

_SIMPLE = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "INTEGER"), INTEGER),
    "BIGINT": BIGINT,
    **dict.fromkeys(("FLOAT", "DOUBLE"), DOUBLE),
    **dict.fromkeys(("VARCHAR", "TEXT"), VARCHAR),
    "BOOLEAN": BOOLEAN,
    "DATE": DATE,
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ"), TIMESTAMP),
    "JSON": JSON,
    "VARBINARY": VARBINARY,
    "IPADDRESS": IP,
}


#: The longest text.
_LENGTH = (1 << 31) - 1
_DIGITS = 38
#: How many types stand within one.
_INNER = {"ARRAY": 1, "LIST": 1, "MAP": 2}


def type_of(node: exp.DataType) -> tuple[Type, int | None]:
    """Return a type, and the length of a text that has one."""
    kind, shown = node.this.name, node.sql(dialect="trino")
    if kind == "VARCHAR" and node.expressions:
        return VARCHAR, _number(node.expressions[0], shown, range(_LENGTH + 1), "VARCHAR")
    if kind == "DECIMAL":
        return _decimal(node, shown), None
    if kind in _SIMPLE:
        return _SIMPLE[kind], None
    inner = [each for each in node.expressions if type(each).__name__ == "DataType"]
    if len(inner) == _INNER.get(kind) == len(node.expressions):
        types = [type_of(each)[0] for each in inner]
        return map_of(*types) if kind == "MAP" else array(*types), None
    fields = [each for each in node.expressions if type(each).__name__ == "ColumnDef"]
    if kind == "STRUCT" and fields and len(fields) == len(node.expressions):
        if len({each.name.lower() for each in fields}) < len(fields):
            raise QueryError(f"the type {shown} has two fields of one name", shown, "type")
        return row([each.name for each in fields], [type_of(each.args["kind"])[0] for each in fields]), None
    raise QueryError(f"the type {shown} is not known here", shown, "type")


def _decimal(node: exp.DataType, shown: str) -> Type:
    instead = f"DECIMAL({_DIGITS}, 2), with {_DIGITS} digits at most"
    precision, *scale = [_number(each, shown, range(_DIGITS + 1), instead) for each in node.expressions] or [_DIGITS]
    if precision < 1 or len(scale) > 1 or (scale and scale[0] > precision):
        raise QueryError(f"the type {shown} is not known here: write {instead}", shown, "type")
    return decimal(precision, scale[0] if scale else 0)


def _number(node: exp.Expression, shown: str, known: range, instead: str) -> int:
    """Return a number within a type, such as its length."""
    text = node.name
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(known[-1])) and int(text) in known):
        raise QueryError(f"the type {shown} is not known here: write {instead}", shown, "type")
    return int(text)
