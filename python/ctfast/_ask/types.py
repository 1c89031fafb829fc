"""The types of Trino, as far as queries of events have them, and how DuckDB names them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from ctfast._later import pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = [
    "BIGINT",
    "BOOLEAN",
    "DATE",
    "DOUBLE",
    "INTEGER",
    "INTERVAL",
    "IP",
    "JSON",
    "JSON_TEXT",
    "NULL",
    "TIMESTAMP",
    "UNKNOWN",
    "VARBINARY",
    "VARCHAR",
    "Facets",
    "Spans",
    "Tests",
    "Type",
    "Value",
    "array",
    "common",
    "decimal",
    "from_arrow",
    "map_of",
    "row",
    "zone_among",
    "zoned",
]

#: Digits of Trino's integers as decimals.
_DIGITS = {"integer": 10, "bigint": 19}
#: The most digits of a decimal.
_MOST = 38


@dataclass(frozen=True, slots=True)
class Type:
    """A type of Trino.

    Attributes
    ----------
    name : str
        Such as ``varchar``. ``jsontext`` is text that holds JSON, such as ``requestParameters``: a map in CloudTrail
        Lake, and a string in Athena. ``timestamp`` is a time of UTC, ``zoned`` the clock of another zone. ``null`` is
        the type of NULL and of texts that become what they are compared with.
    of : tuple of Type
        Of the elements of an array, the keys and values of a map, the fields of a row.
    fields : tuple of str
        Names of a row's fields; of a ``zoned`` time, its zone.
    digits : tuple of int
        Precision and scale of a decimal.
    """

    name: str
    of: tuple[Type, ...] = ()
    fields: tuple[str, ...] = ()
    digits: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        """Return what Trino calls it."""
        if self.name == "zoned":
            return f"timestamp with time zone ({self.fields[0]})"
        if self.name == "decimal":
            return f"decimal({self.digits[0]}, {self.digits[1]})"
        if self.name == "row":
            return f"row({', '.join(map(' '.join, zip(self.fields, map(str, self.of), strict=True)))})"
        inner = f"({', '.join(map(str, self.of))})" if self.of else ""
        return f"{self.name}{inner}"

    @property
    def duckdb(self) -> str:
        """What DuckDB calls it."""
        if self.name == "decimal":
            return f"DECIMAL({self.digits[0]}, {self.digits[1]})"
        if self.name == "array":
            return f"{self.of[0].duckdb}[]"
        if self.name == "map":
            return f"MAP({self.of[0].duckdb}, {self.of[1].duckdb})"
        if self.name == "row":
            members = (f"{_quoted(name)} {kind.duckdb}" for name, kind in zip(self.fields, self.of, strict=True))
            return f"STRUCT({', '.join(members)})"
        return _DUCKDB[self.name]

    @property
    def has_rows(self) -> bool:
        """Whether it is a row, or holds rows."""
        return self.name == "row" or any(kind.has_rows for kind in self.of)

    @property
    def is_integer(self) -> bool:
        return self.name in _DIGITS

    @property
    def is_number(self) -> bool:
        return self.name in ("integer", "bigint", "double", "decimal")

    @property
    def is_text(self) -> bool:
        return self.name in ("varchar", "jsontext", "json")

    @property
    def is_time(self) -> bool:
        return self.name in ("timestamp", "date", "zoned")

    def as_decimal(self) -> Type:
        """Return the decimal that has each value of an exact number."""
        return self if self.name == "decimal" else decimal(_DIGITS[self.name], 0)


#: By the number of a relation: the first moment, and the first one after it; None if there is no bound.
Spans: TypeAlias = "Mapping[int, tuple[datetime | None, datetime | None]]"
#: By the number of a relation: a predicate as scans have it, which each row meets.
Tests: TypeAlias = "Mapping[int, tuple[Any, ...]]"
#: By the number of a relation, and ``%Y``, ``%m`` or ``%d``: the texts that it may be.
Facets: TypeAlias = "Mapping[tuple[int, str], frozenset[str]]"


class Value(NamedTuple):
    """An expression in DuckDB's SQL, and its type in Trino."""

    sql: str
    type: Type
    #: The text of a constant.
    text: str | None = None
    #: The column of a relation that it is, or the field of one, as DuckDB knows it: ``userIdentity.arn``.
    path: str | None = None
    #: Of which occurrence of the table of events.
    source: int | None = None
    #: Whether it is a column that Athena partitions by; the day of the event, its time, and the format of the text.
    is_part: bool = False
    day: str | None = None
    clock: str = ""
    form: str = ""
    #: The zone of a time that Trino prints with it.
    zone: str = ""
    #: For a condition: between which times the events of each relation lie that meet it, and in which years, months and
    #: days, as Athena's partitions have them.
    spans: Spans = MappingProxyType({})
    facets: Facets = MappingProxyType({})
    #: And what a scan may test for it, before it makes rows.
    tests: Tests = MappingProxyType({})
    #: For a condition that a column is one of some texts, and nothing else: the column and the texts.
    among: tuple[str, tuple[str, ...]] | None = None


class Zoned(Protocol):
    """What may have a zone."""

    @property
    def zone(self) -> str: ...


VARCHAR, BOOLEAN, DATE, TIMESTAMP = map(Type, ("varchar", "boolean", "date", "timestamp"))
INTEGER, BIGINT, DOUBLE, JSON = map(Type, ("integer", "bigint", "double", "json"))
INTERVAL, IP, NULL, VARBINARY = map(Type, ("interval", "ipaddress", "null", "varbinary"))
JSON_TEXT = Type("jsontext")
#: The zone of a time that a text may have had.
UNKNOWN = "?"

_DUCKDB = {
    "varchar": "VARCHAR",
    "jsontext": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "zoned": "TIMESTAMP",
    "time": "TIME",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "json": "JSON",
    "interval": "INTERVAL",
    "ipaddress": "VARCHAR",
    "null": "VARCHAR",
    "varbinary": "BLOB",
}


def decimal(precision: int, scale: int) -> Type:
    """Return a decimal type, of 38 digits at most."""
    return Type("decimal", digits=(min(precision, _MOST), min(scale, _MOST)))


def array(element: Type) -> Type:
    """Return the type of arrays."""
    return Type("array", (element,))


def map_of(key: Type, value: Type) -> Type:
    """Return the type of maps."""
    return Type("map", (key, value))


def row(fields: Sequence[str], types: Sequence[Type]) -> Type:
    """Return the type of rows."""
    return Type("row", tuple(types), tuple(fields))


def zoned(zone: str) -> Type:
    """Return the type of the clock of a zone."""
    return Type("zoned", fields=(zone,))


def zone_among(values: Sequence[Zoned]) -> str:
    """Return the zone that Trino prints a time with that is one of these."""
    zones = [value.zone for value in values if value.zone]
    return UNKNOWN if UNKNOWN in zones else zones[0] if zones else ""


def common(types: Sequence[Type]) -> Type | None:
    """Return the type that values of these become together, as in CASE; None if there is none."""
    known = [kind for kind in types if kind.name != "null"]
    if not known:
        return NULL
    found = known[0]
    for kind in known[1:]:
        joined = _pair(found, kind)
        if joined is None:
            return None
        found = joined
    return found


def _pair(one: Type, other: Type) -> Type | None:
    if one == other:
        return one
    if one.is_number and other.is_number:
        return _number(one, other)
    if one.is_text and other.is_text:
        return None if JSON in (one, other) else VARCHAR
    if {one.name, other.name} == {"timestamp", "date"}:
        return TIMESTAMP
    if one.name == other.name and one.of and len(one.of) == len(other.of):
        inner = [
            _pair(*both) if "null" not in {each.name for each in both} else _known(*both)
            for both in zip(one.of, other.of, strict=True)
        ]
        return None if None in inner else Type(one.name, tuple(filter(None, inner)), one.fields)
    return None


def _known(one: Type, other: Type) -> Type:
    return other if one.name == "null" else one


def _number(one: Type, other: Type) -> Type:
    """Return the type that holds both numbers."""
    names = {one.name, other.name}
    if "double" in names:
        return DOUBLE
    if "decimal" in names:
        (p, s), (q, r) = one.as_decimal().digits, other.as_decimal().digits
        return decimal(max(p - s, q - r) + max(s, r), max(s, r))
    return BIGINT


def from_arrow(kind: pa.DataType) -> Type | None:
    """Return the type of a column of a caller's frame; None if queries cannot use it."""
    checks = pa.types
    if checks.is_decimal(kind):
        return decimal(kind.precision, kind.scale)
    if checks.is_list(kind) or checks.is_large_list(kind) or checks.is_fixed_size_list(kind):
        inner = from_arrow(kind.value_type)
        return None if inner is None else array(inner)
    if checks.is_map(kind):
        both = from_arrow(kind.key_type), from_arrow(kind.item_type)
        return None if None in both else map_of(*filter(None, both))
    if checks.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        types = [from_arrow(field.type) for field in fields]
        return None if None in types else row([field.name for field in fields], list(filter(None, types)))
    if checks.is_dictionary(kind):
        return from_arrow(kind.value_type)
    return next((found for names, found in _scalars(kind) if names), None)


def _scalars(kind: pa.DataType) -> Iterator[tuple[bool, Type]]:
    checks = pa.types
    yield checks.is_string(kind) or checks.is_large_string(kind) or checks.is_string_view(kind), VARCHAR
    yield checks.is_boolean(kind), BOOLEAN
    yield kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16()), INTEGER
    yield kind in (pa.int64(), pa.uint32()), BIGINT
    yield kind == pa.uint64(), decimal(20, 0)
    yield checks.is_floating(kind), DOUBLE
    yield checks.is_date(kind), DATE
    yield checks.is_timestamp(kind), TIMESTAMP
    yield checks.is_binary(kind) or checks.is_large_binary(kind) or checks.is_binary_view(kind), VARBINARY
    yield checks.is_null(kind), VARCHAR


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
