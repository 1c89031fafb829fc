"""What functions are made of in DuckDB's SQL, where that depends on their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ctfast._ask import forms
from ctfast._ask.coerce import as_text, cast, clock, moment, moved, together, written_time
from ctfast._ask.sqltext import bound, constant
from ctfast._ask.types import (
    DATE,
    IP,
    JSON,
    NULL,
    TIMESTAMP,
    UNKNOWN,
    VARCHAR,
    Type,
    Value,
    array,
    common,
    decimal,
    map_of,
    zoned,
)
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = [
    "Arguments",
    "added",
    "as_map",
    "at_path",
    "contained",
    "dated",
    "difference",
    "element",
    "first",
    "in_zone",
    "joined",
    "listed",
    "one_type",
    "overlapping",
    "printed",
    "read_time",
    "rounded",
    "sequence",
    "sized",
    "sliced",
    "subscript",
    "substring",
    "text_of",
    "truncated",
    "unless_equal",
    "without_null",
    "zone_of",
]

Arguments: TypeAlias = Sequence[Value]

#: Arguments without the last one, which may be left out.
_PAIR = 2
#: Formats that Python and DuckDB print alike.
_PLAIN = re.compile(r"(?:%[YmdHMS]|[^%])*")
#: Units of date_trunc, date_add and date_diff.
_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")


def as_map(value: Value) -> Value:
    """Return JSON text as the map that it is in CloudTrail Lake: its members as texts, the first ones of equal keys."""
    plain = f"TRY(CAST(CAST({value.sql} AS JSON) AS MAP(VARCHAR, VARCHAR)))"
    keys, key = f"list_distinct(json_keys({value.sql}))", bound("key")
    path = f"'/' || replace(replace({key}, '~', '~0'), '/', '~1')"
    members = f"map({keys}, list_transform({keys}, lambda {key}: json_extract_string({value.sql}, {path})))"
    first = f"TRY(CASE json_type({value.sql}) WHEN 'OBJECT' THEN {members} END)"
    return Value(f"coalesce({plain}, {first})", map_of(VARCHAR, VARCHAR))


def first(arguments: Arguments) -> Type:
    return arguments[0].type


def text_of(arguments: Arguments, at: int) -> str:
    """Return the text of a constant; a function with a pattern or a path must know it."""
    found = arguments[at].text
    if found is None:
        message = "a pattern, a path, a format or a unit has to be a text that stands in the query"
        raise QueryError(message, arguments[at].sql, "form")
    return found


def joined(arguments: Arguments) -> str:
    if any(each.type.name == "array" for each in arguments):
        one_type(arguments)
        return f"list_concat({', '.join(each.sql for each in arguments)})"
    return f"({' || '.join(as_text(each).sql for each in arguments)})"


def substring(arguments: Arguments) -> str:
    text, start, *length = (each.sql for each in arguments)
    plain = f"substr({', '.join([text, start, *(f'greatest({each}, 0)' for each in length)])})"
    if start.isdecimal() and start != "0":
        return plain
    return f"CASE WHEN {start} = 0 OR -{start} > length({text}) THEN '' ELSE {plain} END"


def at_path(template: str) -> Callable[[Arguments], str]:
    """Return what makes a call with a path as second argument; text that is not JSON has nothing there."""
    return lambda arguments: template.format(arguments[0].sql, constant(forms.json_path(text_of(arguments, 1))))


def printed(read: Callable[..., str]) -> Callable[[Arguments], str | Value]:
    def sql(arguments: Arguments) -> str | Value:
        form = read(text_of(arguments, 1), {} if arguments[0].type.name == "zoned" else forms.UTC)
        text = arguments[0].text
        if text is not None and _PLAIN.fullmatch(form):  # a constant tells which files are needed
            words = f"{written_time(text):{form}}"
            return Value(constant(words), VARCHAR, words)
        return Value(f"strftime({clock(arguments[0])}, {constant(form)})", VARCHAR, form=form)

    return sql


def read_time(read: Callable[..., str], *, has_zone: bool = False) -> Callable[[Arguments], Value]:
    def sql(arguments: Arguments) -> Value:
        if arguments[0].type == TIMESTAMP:  # of an event: it was read already
            return arguments[0]._replace(zone="UTC" if has_zone else "")
        form = read(text_of(arguments, 1), forms.ZONES)
        made = f"CAST(strptime({as_text(arguments[0]).sql}, {constant(form)}) AS TIMESTAMPTZ)"
        zone = UNKNOWN if "%z" in form else "UTC"
        return Value(made, TIMESTAMP, zone=zone if has_zone else "")

    return sql


def zone_of(value: Value) -> str:
    """Return the zone that Trino prints a time with that is read of a text."""
    if value.type == TIMESTAMP:
        return "UTC"
    text = value.text or ""
    return "UTC" if text.endswith("Z") or ("T" not in text and text) else UNKNOWN


def in_zone(arguments: Arguments) -> Value:
    """The clock of a zone; that of UTC is the time itself."""
    name, offset = forms.zone(text_of(arguments, 1))
    if arguments[0].type.name == "zoned":
        raise QueryError("a time AT TIME ZONE has a second zone: write the last one alone", "AT TIME ZONE", "form")
    when = cast(arguments[0], TIMESTAMP)
    if name == "UTC":
        return when._replace(zone=name)
    if offset is None:
        return Value(f"({when.sql} AT TIME ZONE {constant(name)})", zoned(name))
    return Value(f"({moment(when)} + INTERVAL '{offset} minutes')", zoned(name))


def unless_equal(arguments: Arguments) -> str:
    one, other = together(*arguments)
    if one.sql != arguments[0].sql:
        kinds = f"a {arguments[0].type} and a {arguments[1].type}"
        raise QueryError(f"nullif takes two of one type, and these are {kinds}: write CAST(…)", "nullif", "type")
    return f"nullif({one.sql}, {other.sql})"


def _unit(arguments: Arguments) -> str:
    unit = text_of(arguments, 0).lower()
    if unit not in _UNITS:
        message = f"{quoted(unit)} is no unit of time here: {', '.join(_UNITS)} are"
        raise QueryError(message, unit, "form")
    return unit


def added(arguments: Arguments) -> str | Value:
    unit, (number, when) = _unit(arguments), arguments[1:]
    whole = number.sql.strip("()")
    known = moved(when, f"{whole} {unit}", 1) if whole.lstrip("-").isdecimal() else None
    if known is not None:
        return known
    made = f"{moment(when)} + to_{unit}s(CAST({number.sql} AS BIGINT))"
    if unit == "quarter":
        made = f"{moment(when)} + to_months(3 * CAST({number.sql} AS INTEGER))"
    elif unit in ("day", "week", "month", "year"):
        made = f"{moment(when)} + to_{unit}s(CAST({number.sql} AS INTEGER))"
    if when.type == DATE:
        return f"CAST({made} AS DATE)"
    return Value(f"CAST({made} AS TIMESTAMPTZ)", TIMESTAMP, zone=when.zone)


def difference(arguments: Arguments) -> str:
    unit = _unit(arguments)
    return f"date_sub('{unit}', {', '.join(f'CAST({moment(each)} AS TIMESTAMP)' for each in arguments[1:])})"


def truncated(arguments: Arguments) -> Value:
    when = arguments[1]
    kind = {"date": "DATE", "zoned": "TIMESTAMP"}.get(when.type.name, "TIMESTAMPTZ")
    made = f"CAST(date_trunc('{_unit(arguments)}', {clock(when)}) AS {kind})"
    return Value(made, when.type if when.type != VARCHAR else TIMESTAMP, zone=when.zone)


def dated(arguments: Arguments) -> Value:
    return cast(arguments[0], DATE)


def one_type(arguments: Arguments) -> Type:
    found = common([each.type for each in arguments])
    if found is None:
        kinds = " and ".join(dict.fromkeys(str(each.type) for each in arguments))
        raise QueryError(f"{kinds} do not become one type: write CAST(…) around one of them", kinds, "type")
    return found


def rounded(arguments: Arguments) -> Type:
    kind = arguments[0].type
    return decimal(kind.digits[0] + 1, kind.digits[1]) if kind.name == "decimal" else kind


def element(arguments: Arguments) -> Type:
    return arguments[0].type.of[0]


def without_null(array: str) -> str:
    """Return the condition that an array has no NULL."""
    return f"len({array}) = list_count({array})"


def contained(arguments: Arguments) -> str:
    held, wanted = arguments
    if held.text is not None and wanted.type in (IP, VARCHAR):
        first, last = forms.network(held.text)
        return f"({cast(wanted, IP).sql} BETWEEN {first} AND {last})"
    if held.type.name != "array":
        raise QueryError(
            "contains takes an array, and strpos(text, part) > 0 or LIKE looks into a text", "contains", "type"
        )
    element, value = together(Value("", held.type.of[0]), wanted)
    if wanted.is_part:
        message = "contains looks for what Athena partitions by: IN (…) knows its forms"
        raise QueryError(message, "contains", "form")
    if element.sql:
        kinds = f"{held.type} and a {wanted.type}"
        raise QueryError(f"contains takes an array and one of its elements, not {kinds}", "contains", "type")
    known = f"WHEN list_contains({held.sql}, {value.sql}) THEN TRUE WHEN {without_null(held.sql)} THEN FALSE"
    return f"CASE WHEN {value.sql} IS NULL THEN NULL {known} END"


def overlapping(arguments: Arguments) -> str:
    one, other = (each.sql for each in arguments)
    known = f"{without_null(one)} AND {without_null(other)}"
    return f"CASE WHEN list_has_any({one}, {other}) THEN TRUE WHEN {known} THEN FALSE END"


def sized(arguments: Arguments) -> str:
    held = arguments[0]
    if held.type.name == "array":
        return f"len({held.sql})"
    return f"CAST(cardinality({(held if held.type.name == 'map' else as_map(held)).sql}) AS BIGINT)"


def sliced(arguments: Arguments) -> str:
    held, start, length = (each.sql for each in arguments)
    begin = f"CASE WHEN {start} < 0 THEN len({held}) + {start} + 1 ELSE {start} END"
    return (
        f"CASE WHEN {start} = 0 THEN error('slice: SQL array indices start at 1')"
        f" WHEN {length} < 0 THEN error('slice: a length is not negative')"
        f" WHEN {length} = 0 OR len({held}) + {start} < 0 THEN list_slice({held}, 2, 1)"
        f" ELSE list_slice({held}, {begin}, {begin} + {length} - 1) END"
    )


def subscript(held: Value, key: Value, *, is_lenient: bool) -> Value:
    """Return an element of an array, or the value of a key; one that is not there is NULL or an error."""
    if held.type.name == "array":
        if not (key.type.is_integer or key.type == NULL):
            raise QueryError(f"an array has numbers from 1, not a {key.type}", "element_at", "type")
        found = f"list_extract({held.sql}, {key.sql})"
        if not is_lenient:
            outside = f"{key.sql} < 1 OR {key.sql} > len({held.sql})"
            found = f"CASE WHEN {outside} THEN error('Array subscript is out of bounds') ELSE {found} END"
        return Value(found, held.type.of[0])
    if held.type.name == "map":
        one_type([Value("", held.type.of[0]), key])
        found = f"map_extract_value({held.sql}, {key.sql})"
        if not is_lenient:
            known = f"list_contains(map_keys({held.sql}), {key.sql})"
            missing = f"error('Key not present in map: ' || CAST({key.sql} AS VARCHAR))"
            found = f"CASE WHEN {held.sql} IS NULL OR {known} THEN {found} ELSE {missing} END"
        return Value(found, held.type.of[1])
    if held.type.is_text:
        if key.type.is_integer and held.type.name == "json":
            return Value(f"TRY(json_extract({held.sql}, '$[' || ({key.sql} - 1) || ']'))", JSON)
        if key.text is None:
            return subscript(as_map(held), as_text(key), is_lenient=True)
        return Value(f"TRY(json_extract_string({held.sql}, {constant(forms.member(key.text))}))", VARCHAR)
    raise QueryError(f"element_at takes an array, a map or JSON text, and this is a {held.type}", "element_at", "type")


def listed(arguments: Arguments) -> str:
    held, between, *absent = arguments
    element = (
        as_text(Value(bound("e"), held.type.of[0]))
        if held.type.of[0].name == "timestamp"
        else cast(Value(bound("e"), held.type.of[0]), VARCHAR)
    )
    text = f"coalesce({element.sql}, {absent[0].sql})" if absent else element.sql
    texts = held.sql if text == bound("e") else f"list_transform({held.sql}, lambda {bound('e')}: {text})"
    return f"array_to_string({texts}, {between.sql})"


def sequence(arguments: Arguments) -> str:
    first, last, *step = arguments
    if first.type.is_integer:
        by = step[0].sql if step else f"CASE WHEN {last.sql} < {first.sql} THEN -1 ELSE 1 END"
        made = f"CAST(generate_series({first.sql}, {last.sql}, {by}) AS {array(first.type).duckdb})"
        away = f"{by} = 0 OR ({last.sql} <> {first.sql} AND ({last.sql} > {first.sql}) <> ({by} > 0))"
        return (
            f"CASE WHEN {away} THEN error('sequence: the step leads away from the end') ELSE {made} END"
            if step
            else made
        )
    if first.type == DATE or (first.type == TIMESTAMP and step):
        start, end = moment(first), moment(last)
        by = step[0].sql if step else f"CASE WHEN {end} < {start} THEN INTERVAL (-1) DAY ELSE INTERVAL 1 DAY END"
        return f"CAST(generate_series({start}, {end}, {by}) AS {array(first.type).duckdb})"
    raise QueryError("sequence takes whole numbers, dates, or times and an interval", "sequence", "type")
