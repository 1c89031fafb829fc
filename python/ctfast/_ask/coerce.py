"""How values of different types meet: in comparisons, in CAST, and as arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ctfast._ask import forms
from ctfast._ask.partitions import FACETS, alike, written
from ctfast._ask.sqltext import constant, naive, time
from ctfast._ask.sqltext import name as quoted_name
from ctfast._ask.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    IP,
    JSON,
    NULL,
    TIMESTAMP,
    UNKNOWN,
    VARCHAR,
    Type,
    Value,
    common,
    decimal,
)
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = ["as_json_text", "as_text", "cast", "clock", "divided", "moment", "moved", "together", "written_time"]

#: The form in which records have times.
_ISO = "%Y-%m-%dT%H:%M:%SZ"
#: The form in which Trino prints times.
_PRINTED = "%Y-%m-%d %H:%M:%S.%g"
_TIME = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})(?:[T ](?P<clock>\d{1,2}(?::\d\d(?::\d\d(?:\.\d+)?)?)?)(?:\.0+)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d\d(?::?\d\d)?)?)?\s*"
)


def as_text(value: Value) -> Value:
    """Return a value where a text is needed: a time becomes what the record has, as in Athena."""
    if value.type == JSON:
        message = "a text is needed, and this is JSON: json_extract_scalar(…) has its text, json_format(…) prints it"
        raise QueryError(message, "json", "type")
    if value.type.is_text or value.type == NULL:
        return value
    if value.type == TIMESTAMP:
        return Value(f"strftime({naive(value.sql)}, '{_ISO}')", VARCHAR)
    if value.type.name in ("boolean", "date"):
        return Value(f"CAST({value.sql} AS VARCHAR)", VARCHAR)
    message = f"a text is needed, and this is a {value.type}: write CAST(… AS VARCHAR)"
    raise QueryError(message, str(value.type), "type")


def as_json_text(value: Value) -> str:
    """Return the text of JSON."""
    if value.type.is_text or value.type == NULL:
        return value.sql
    if value.type.of:
        return f"to_json({value.sql})"
    message = f"JSON is needed, and this is a {value.type}"
    raise QueryError(message, str(value.type), "type")


def clock(value: Value) -> str:
    """Return a time without a zone: a date as it is, a time of UTC, or the clock of a zone."""
    if value.type == TIMESTAMP:
        return naive(value.sql)
    if value.type.is_time:
        return value.sql
    if value.type.is_text:
        return naive(cast(value, TIMESTAMP).sql)
    raise QueryError(f"a time is needed, and this is a {value.type}", str(value.type), "type")


def moment(value: Value) -> str:
    """Return a time of UTC without its zone; the clock of another zone is refused: it is another moment."""
    _refuse_zoned(value, "computed with: compute with the time itself")
    return clock(value)


def _refuse_zoned(value: Value, instead: str) -> None:
    if value.type.name == "zoned":
        message = f"a time AT TIME ZONE can be taken apart and printed, but not {instead}"
        raise QueryError(message, "AT TIME ZONE", "form")


def written_time(text: str) -> datetime:
    """Return the time that a text says; UTC if it has no zone."""
    found = _TIME.fullmatch(text)
    if found is not None:
        day = "-".join(part.zfill(2) for part in found["day"].split("-"))
        hours, *others = (found["clock"] or "00").split(":")
        zone = (found["zone"] or "Z").replace("UTC", "Z")
        rest = ":".join([hours.zfill(2), *(others or ["00"])])
        rest = re.sub(r"(\.\d{6})\d+", r"\1", rest)
        try:
            return datetime.fromisoformat(f"{day}T{rest}{zone}").astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # a day or a minute that does not exist
    message = f"{quoted(text)} is no time: write '2025-03-12', '2025-03-12 08:00:00' or '2025-03-12T08:00:00Z'"
    raise QueryError(message, text, "value")


def together(one: Value, other: Value) -> tuple[Value, Value]:
    """Return two values as they are compared."""
    first, second = one.type, other.type
    for each in (one, other):
        _refuse_zoned(each, "compared: compare the time itself")
    has_part = one.is_part or other.is_part
    if NULL in (first, second) or (first == second and not has_part):
        return one, other
    found = _with_part(one, other) if has_part else None
    if found is not None:
        return found
    if first.is_text and second.is_text:
        return _scalar(one), _scalar(other)
    if first.is_text != second.is_text:
        if first.is_text:
            return _meeting(one, second), other
        return one, _meeting(other, first)
    if common([first, second]) is None:
        message = f"a {first} cannot be compared with a {second}"
        raise QueryError(message, f"{first}", "type")
    return one, other


def _with_part(one: Value, other: Value) -> tuple[Value, Value] | None:
    """Return what Athena partitions by with a date, a number or a text: the day of the event, or what it is written."""
    part, than = (one, other) if one.is_part else (other, one)
    if than.type.name in ("date", "timestamp") and part.day is not None:
        _refuse_clock(than)
        made = Value(part.day, DATE)
    elif than.type.is_number and part.form in FACETS:
        made = Value(f"CAST({part.sql} AS BIGINT)", VARCHAR)
    elif than.type == VARCHAR:
        made, than = alike(part, than) or part, written(part, than, is_equal=False)
    else:
        return None
    return (made, than) if part is one else (than, made)


def _refuse_clock(than: Value) -> None:
    """Refuse a time that is compared with a day: events of that day lie before and after it."""
    if than.type != TIMESTAMP or (than.text is not None and _is_midnight(written_time(than.text))):
        return
    message = "a time is compared with a day, as partitions have it: compare eventTime, or CAST(… AS DATE)"
    raise QueryError(message, than.text or "timestamp", "type")


def _is_midnight(moment: datetime) -> bool:
    return moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _scalar(value: Value) -> Value:
    """Return JSON as it is compared with a text."""
    return Value(f"TRY(json_extract_string({value.sql}, '$'))", VARCHAR) if value.type.name == "json" else value


def _meeting(text: Value, kind: Type) -> Value:
    """Return a text as it is compared with another type."""
    if text.text is not None and kind.name in _WRITTEN:
        return _WRITTEN[kind.name](text.text)
    if kind == BOOLEAN:
        return Value(f"TRY_CAST({text.sql} AS BOOLEAN)", BOOLEAN)
    if kind.name in ("timestamp", "date"):
        return cast(_scalar(text), TIMESTAMP)
    if text.type.name == "json" and kind.is_number:
        return Value(f"TRY_CAST({_scalar(text).sql} AS {kind.duckdb})", kind)
    message = f"a text is compared with {kind}: write CAST(… AS {str(kind).upper()}) around the text"
    raise QueryError(message, text.text or "text", "type")


def _as_date(text: str) -> Value:
    moment = written_time(text)
    if _is_midnight(moment):
        return Value(f"DATE '{moment.date().isoformat()}'", DATE)
    return Value(time(moment), TIMESTAMP, text)


def _as_boolean(text: str) -> Value:
    if text.lower() not in ("true", "false"):
        raise QueryError(f"{quoted(text)} is compared with a boolean: write true or false", text, "type")
    return Value(text.upper(), BOOLEAN)


#: What a constant text becomes when it is compared.
_WRITTEN: dict[str, Callable[[str], Value]] = {
    "timestamp": lambda text: Value(time(written_time(text)), TIMESTAMP, text),
    "date": _as_date,
    "boolean": _as_boolean,
    "ipaddress": lambda text: Value(forms.fixed_address(text), IP),
}


def cast(value: Value, to: Type, *, tries: bool = False) -> Value:
    """Return CAST, or TRY_CAST, as Trino means it."""
    kind = value.type
    verb = "TRY_CAST" if tries else "CAST"
    if kind == to:
        return value._replace(zone="")
    if kind == NULL:
        return Value(f"{verb}({value.sql} AS {to.duckdb})", to)
    made = _cast_to_text(value) if to == VARCHAR else _cast_special(value, to, tries=tries)
    if made is not None:
        return Value(made, to, _known_text(value, to))
    if to.name == "zoned" or kind.name in ("ipaddress", "interval") or (kind.is_time and to.is_number):
        raise QueryError(f"a {kind} cannot be cast to {to}", str(to), "type")
    return Value(f"{verb}({value.sql} AS {to.duckdb})", to)


def _known_text(value: Value, to: Type) -> str | None:
    """Return the text of a cast constant; a date has no clock, whatever its text had."""
    if value.text is None or not value.type.is_text:
        return None
    if to == DATE:
        return written_time(value.text).date().isoformat()
    return value.text if to in (VARCHAR, TIMESTAMP) else None


def _cast_to_text(value: Value) -> str | None:
    kind = value.type
    if kind.name == "json":
        return f"TRY(json_extract_string({value.sql}, '$'))"
    if kind.name == "jsontext":
        return value.sql
    if kind.name in ("timestamp", "zoned"):
        zone = kind.fields[0] if kind.name == "zoned" else value.zone
        if zone == UNKNOWN:
            message = "a time that was read with its zone is printed with it by Trino: date_format(…) prints it"
            raise QueryError(message, "CAST", "form")
        printed = f"strftime({clock(value)}, '{_PRINTED}')"
        return f"{printed} || {constant(f' {zone}')}" if zone else printed
    if kind == DOUBLE:
        message = "a double is written as 1.0E0 by Trino: cast it to DECIMAL(18, 2) or BIGINT, and that to VARCHAR"
        raise QueryError(message, "double", "type")
    if kind.of or kind.name in ("ipaddress", "varbinary", "interval"):
        raise QueryError(f"a {kind} cannot be cast to varchar", str(kind), "type")
    return None


def _cast_special(value: Value, to: Type, *, tries: bool) -> str | None:
    """Return a cast that DuckDB makes otherwise; None if it makes it alike."""
    kind, sql = value.type, value.sql
    if to == IP:
        return forms.fixed_address(value.text) if value.text is not None else forms.address(as_text(value).sql)
    if to.name in ("timestamp", "date") and value.text is not None and (kind.is_text or kind == TIMESTAMP):
        moment = written_time(value.text)
        return time(moment) if to == TIMESTAMP else f"DATE '{moment.date().isoformat()}'"
    if to.name == "date" and kind.name in ("timestamp", "zoned"):
        return f"CAST({clock(value)} AS DATE)"
    if to.name == "json":
        return f"to_json({sql})"
    return _cast_nested(value, to, tries=tries) if to.of else _cast_plain(value, to, tries=tries)


def _cast_nested(value: Value, to: Type, *, tries: bool) -> str | None:
    """Return a cast to an array, a map or a row."""
    kind, sql = value.type, value.sql
    if kind.name in ("json", "jsontext") and to.has_rows:  # keys without a field are left out
        return f"json_transform({sql}, {constant(json.dumps(_structure(to)))})"
    if kind.name == "jsontext":
        return f"CAST(CAST({sql} AS JSON) AS {to.duckdb})"
    if kind.name == to.name == "row" and len(kind.of) == len(to.of):
        return _row(value, to, tries=tries)
    return None


def _structure(to: Type) -> Any:
    """Return a type as json_transform has it."""
    if to.name == "row":
        return {name: _structure(kind) for name, kind in zip(to.fields, to.of, strict=True)}
    return [_structure(to.of[0])] if to.name == "array" else to.duckdb


def _row(value: Value, to: Type, *, tries: bool) -> str:
    """Return a row with its fields under other names, or of other types."""
    parts = []
    for field, kind, name, wanted in zip(value.type.fields, value.type.of, to.fields, to.of, strict=True):
        made = cast(Value(f"({value.sql}).{quoted_name(field)}", kind), wanted, tries=tries)
        parts.append(f"{quoted_name(name)}: {made.sql}")
    return f"CASE WHEN {value.sql} IS NOT NULL THEN {{{', '.join(parts)}}} END"


def _cast_plain(value: Value, to: Type, *, tries: bool) -> str | None:
    """Return a cast of a number, or of a text or JSON to one value."""
    kind, verb = value.type, "TRY_CAST" if tries else "CAST"
    if to.is_integer and kind.name in ("double", "decimal"):
        return f"{verb}(round({value.sql}) AS {to.duckdb})"
    if to.is_integer and kind.is_text:
        text = _scalar(value).sql
        otherwise = "NULL" if tries else f"error('Cannot cast ' || {text} || ' to {str(to).upper()}')"
        is_number = f"{text} IS NULL OR regexp_full_match({text}, '[+-]?[0-9]+')"
        return f"CASE WHEN {is_number} THEN {verb}({text} AS {to.duckdb}) ELSE {otherwise} END"
    if kind.name == "json" and not to.of:
        return f"{verb}({_scalar(value).sql} AS {to.duckdb})"
    return None


#: Units of intervals that are as long in each year.
_LASTING = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}


def moved(when: Value, interval: str | None, sign: int) -> Value | None:
    """Return a constant time that is later, or earlier: it tells which files are needed. None if it is none."""
    number, _, unit = (interval or "").partition(" ")
    if when.text is None or when.type not in (TIMESTAMP, DATE) or unit not in _LASTING:
        return None
    try:
        moment = written_time(when.text) + sign * timedelta(seconds=int(number) * _LASTING[unit])
    except OverflowError:
        return None
    if when.type == DATE:
        if unit not in ("day", "week"):
            return None
        return Value(f"DATE '{moment.date().isoformat()}'", DATE, moment.date().isoformat())
    return Value(time(moment), TIMESTAMP, moment.isoformat(), zone=when.zone)


def divided(one: Value, other: Value) -> Value:
    """Return a quotient: whole numbers are divided as such, decimals are rounded at the larger scale of both."""
    kinds = one.type, other.type
    if DOUBLE in kinds or NULL in kinds:
        return Value(f"(CAST({one.sql} AS DOUBLE) / {other.sql})", DOUBLE)
    if all(kind.is_integer for kind in kinds):
        return Value(f"({one.sql} // {other.sql})", common(kinds) or NULL)
    (p, s), (_, r) = (kind.as_decimal().digits for kind in kinds)
    scale = max(s, r)
    to = decimal(p + r + max(0, r - s), scale)
    # In whole numbers, half away from zero: n/d = (2n + d) / 2d for what is positive.
    above = f"abs(CAST({one.sql} * {10**s} AS HUGEINT)) * {10 ** (scale - s + r)}"
    below = f"abs(CAST({other.sql} * {10**r} AS HUGEINT))"
    whole = f"((2 * {above} + {below}) // (2 * {below})) * CAST(sign({one.sql}) * sign({other.sql}) AS HUGEINT)"
    unit = f"CAST('{10**-scale:.{scale}f}' AS DECIMAL({scale + 1}, {scale}))" if scale else "1"
    return Value(f"CAST(CAST({whole} AS DECIMAL({38 - scale}, 0)) * {unit} AS {to.duckdb})", to)
