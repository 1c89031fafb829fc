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


def type_of(node: exp.DataType) -> tuple[Type, int | None]:
    """Return a type, and the length of a text that has one."""
    kind = node.this.name
    if kind == "VARCHAR" and node.expressions:
        return VARCHAR, int(node.expressions[0].name)
    if kind == "DECIMAL":
        digits = [int(each.name) for each in node.expressions]
        return decimal(digits[0] if digits else 38, digits[1] if len(digits) > 1 else 0), None
    if kind in _SIMPLE:
        return _SIMPLE[kind], None
    if kind in ("ARRAY", "LIST"):
        return array(type_of(node.expressions[0])[0]), None
    if kind == "MAP":
        return map_of(*(type_of(each)[0] for each in node.expressions)), None
    if kind == "STRUCT":
        fields = [each if type(each).__name__ == "ColumnDef" else None for each in node.expressions]
        if None not in fields:
            named = [each for each in fields if each is not None]
            return row([each.name for each in named], [type_of(each.args["kind"])[0] for each in named]), None
    shown = node.sql(dialect="trino")
    raise QueryError(f"the type {shown} is not known here", shown, "type")
