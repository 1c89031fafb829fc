"""THE functions of Trino that a query may call: what each takes, what it returns, and what it is in DuckDB.

A function that is not in this table is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ctfast._ask import forms, regular
from ctfast._ask.coerce import as_json_text, as_text, cast, clock, moment
from ctfast._ask.makers import (
    Arguments,
    added,
    as_map,
    at_path,
    contained,
    dated,
    difference,
    element,
    first,
    in_zone,
    joined,
    listed,
    one_type,
    overlapping,
    printed,
    read_time,
    rounded,
    sequence,
    sized,
    sliced,
    substring,
    truncated,
    unless_equal,
    zone_of,
)
from ctfast._ask.sqltext import bound, constant
from ctfast._ask.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    JSON,
    NULL,
    TIMESTAMP,
    VARBINARY,
    VARCHAR,
    Type,
    Value,
    array,
    decimal,
    map_of,
    row,
    zone_among,
)
from ctfast.exceptions import QueryError

__all__ = ["FUNCTIONS", "Function", "call"]


class Function(NamedTuple):
    """A function.

    Attributes
    ----------
    takes : str
        A letter for each argument: ``t`` text, ``n`` number, ``i`` whole number, ``d`` time, ``j`` JSON, ``a`` array,
        ``m`` map, ``b`` condition, ``v`` bytes, ``c`` a constant text, ``x`` anything. After ``?`` they may be left
        out, and ``*`` repeats the one before it.
    returns : Type or callable
        The type of the result, or what tells it of the arguments.
    sql : str or callable
        The result, with arguments as ``{0}``.
    """

    takes: str
    returns: Type | Callable[[Arguments], Type]
    sql: str | Callable[[Arguments], str | Value]


def call(name: str, given: Arguments) -> Value:
    """Return a call of a function of the table."""
    function = FUNCTIONS[name]
    arguments = _taken(name, function.takes, given)
    if function.takes in ("aa", "ax") and name != "map":
        one_type([*arguments[:1], *(_listed(each) if function.takes == "ax" else each for each in arguments[1:])])
    returns = function.returns if isinstance(function.returns, Type) else function.returns(arguments)
    if not isinstance(function.sql, str):
        made = function.sql(arguments)
        if isinstance(made, Value):
            return made
    else:
        made = function.sql.format(*(each.sql for each in arguments))
    return Value(made, returns, zone=zone_among(arguments) if returns == TIMESTAMP else "")


def _listed(value: Value) -> Value:
    return value._replace(type=array(value.type))


def _taken(name: str, takes: str, given: Arguments) -> list[Value]:
    needed, _, optional = takes.partition("?")
    letters = needed + optional
    if letters.endswith("*"):
        letters = letters[:-1] + letters[-2] * max(0, len(given) - len(letters) + 1)
        least = len(needed.rstrip("*"))
    else:
        least = len(needed)
    if not least <= len(given) <= len(letters):
        several = f"{least}" if least == len(letters) else f"{least} to {len(letters)}"
        message = f"{name} takes {several} arguments here, not {len(given)}"
        raise QueryError(message, name, "function")
    return [_as(name, letter, value) for letter, value in zip(letters, given, strict=False)]


def _as(name: str, letter: str, value: Value) -> Value:
    """Return an argument as the kind that a letter stands for."""
    kind = value.type
    try:
        if letter == "t":
            return as_text(value)
        if letter == "j":
            return value._replace(sql=as_json_text(value))
        if letter == "d" and kind.is_text:
            return cast(value, TIMESTAMP)
    except QueryError as error:
        raise QueryError(f"{name}: {error.message}", name, "type") from None
    fits = {
        "n": kind.is_number,
        "i": kind.is_integer or kind.name == "decimal",
        "d": kind.is_time,
        "a": kind.name == "array",
        "m": kind.name in ("map", "jsontext", "json"),
        "b": kind == BOOLEAN,
        "v": kind == VARBINARY,
        "c": value.text is not None,
        "x": True,
    }[letter]
    if not fits and kind != NULL:
        message = f"{name} takes {_KINDS[letter]}, and this is a {kind}"
        raise QueryError(message, name, "type")
    return as_map(value) if letter == "m" and kind.name != "map" else value


_KINDS = {
    "n": "a number",
    "i": "a whole number",
    "d": "a time",
    "a": "an array",
    "m": "a map",
    "b": "a condition",
    "v": "bytes, as to_utf8 makes them",
    "c": "a text that stands in the query",
}


def _of_time(part: str) -> Function:
    return Function("d", BIGINT, lambda arguments: part.format(clock(arguments[0])))


def _greatest(name: str) -> Function:
    def sql(arguments: Arguments) -> str:
        every = [each.sql for each in arguments]
        missing = " OR ".join(f"{each} IS NULL" for each in every)
        return f"CASE WHEN {missing} THEN NULL ELSE {name}({', '.join(every)}) END"

    return Function("x*", one_type, sql)


def _whole(name: str) -> Function:
    """A function that makes a whole number, of the same type: of a decimal, one without digits after the point."""

    def returns(arguments: Arguments) -> Type:
        kind = arguments[0].type
        return decimal(max(1, kind.digits[0] - kind.digits[1] + 1), 0) if kind.name == "decimal" else kind

    return Function("n", returns, lambda arguments: f"CAST({name}({arguments[0].sql}) AS {returns(arguments).duckdb})")


_SCALAR = "TRY(json_extract_string(json_value({0}, {1}), '$'))"
_EMPTY = "''"
#: An element of an array and its number, and whether no equal one is before it.
_E, _I = bound("e"), bound("i")
_FIRST = f"list_position({{0}}, {_E}) = {_I}"
#: As many elements as Trino makes; DuckDB would make them before it looks at a condition.
_REPEATED = (
    "CASE WHEN {1} > 10000 THEN error('repeat makes 10000 elements at most')"
    f" ELSE list_transform(generate_series(1, CASE WHEN {{1}} <= 10000 THEN {{1}} END), lambda {_E}: {{0}}) END"
)
_SPACE = r"E' \t\n\x0b\f\r'"


FUNCTIONS: dict[str, Function] = {
    # conditions
    "coalesce": Function("x*", one_type, lambda values: f"coalesce({', '.join(each.sql for each in values)})"),
    "nullif": Function("xx", first, unless_equal),
    "greatest": _greatest("greatest"),
    "least": _greatest("least"),
    "try": Function("x", first, "TRY({0})"),
    "typeof": Function("x", VARCHAR, lambda values: constant(str(values[0].type).replace("jsontext", "varchar"))),
    # text
    "lower": Function("t", VARCHAR, "lower({0})"),
    "upper": Function("t", VARCHAR, "upper({0})"),
    "length": Function("t", BIGINT, "length({0})"),
    "concat": Function("xx*", lambda v: first(v) if v[0].type.name == "array" else VARCHAR, joined),
    "concat_ws": Function("tt*", VARCHAR, lambda values: f"concat_ws({', '.join(each.sql for each in values)})"),
    "replace": Function("tt?t", VARCHAR, lambda v: f"replace({', '.join([*(each.sql for each in v), _EMPTY][:3])})"),
    "reverse": Function(
        "x",
        first,
        lambda v: f"list_reverse({v[0].sql})" if v[0].type.name == "array" else f"reverse({as_text(v[0]).sql})",
    ),
    "split": Function("tt", array(VARCHAR), "str_split({0}, {1})"),
    "split_part": Function("tti", VARCHAR, "list_extract(str_split({0}, {1}), {2})"),
    "strpos": Function("tt", BIGINT, "strpos({0}, {1})"),
    "starts_with": Function("tt", BOOLEAN, "starts_with({0}, {1})"),
    "substr": Function("ti?i", VARCHAR, substring),
    "substring": Function("ti?i", VARCHAR, substring),
    "trim": Function("t", VARCHAR, f"trim({{0}}, {_SPACE})"),
    "ltrim": Function("t", VARCHAR, f"ltrim({{0}}, {_SPACE})"),
    "rtrim": Function("t", VARCHAR, f"rtrim({{0}}, {_SPACE})"),
    "lpad": Function("tit", VARCHAR, "lpad({0}, CAST({1} AS INTEGER), {2})"),
    "rpad": Function("tit", VARCHAR, "rpad({0}, CAST({1} AS INTEGER), {2})"),
    "chr": Function("i", VARCHAR, "chr(CAST({0} AS INTEGER))"),
    "codepoint": Function("t", INTEGER, "unicode({0})"),
    "translate": Function("ttt", VARCHAR, "translate({0}, {1}, {2})"),
    "levenshtein_distance": Function("tt", BIGINT, "levenshtein({0}, {1})"),
    "url_decode": Function("t", VARCHAR, "url_decode(replace({0}, '+', ' '))"),
    "url_extract_host": Function(
        "t", VARCHAR, "nullif(regexp_extract({0}, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/:?#]+)', 1), '')"
    ),
    "regexp_like": Function("tc", BOOLEAN, regular.matched),
    "regexp_extract": Function("tc?i", VARCHAR, regular.extracted),
    "regexp_extract_all": Function("tc?i", array(VARCHAR), regular.every_match),
    "regexp_replace": Function("tc?c", VARCHAR, regular.replaced),
    "regexp_count": Function("tc", BIGINT, regular.times),
    "regexp_split": Function("tc", array(VARCHAR), regular.split),
    # bytes
    "to_utf8": Function("t", VARBINARY, "encode({0})"),
    "from_utf8": Function("v", VARCHAR, "decode({0})"),
    "md5": Function("v", VARBINARY, "unhex(md5({0}))"),
    "sha1": Function("v", VARBINARY, "unhex(sha1({0}))"),
    "sha256": Function("v", VARBINARY, "unhex(sha256({0}))"),
    "to_hex": Function("v", VARCHAR, "hex({0})"),
    "from_hex": Function("t", VARBINARY, "unhex({0})"),
    "to_base64": Function("v", VARCHAR, "to_base64({0})"),
    "from_base64": Function("t", VARBINARY, "from_base64({0})"),
    # JSON
    "json_extract": Function("jc", JSON, at_path("TRY(json_extract({0}, {1}))")),
    "json_extract_scalar": Function("jc", VARCHAR, at_path(_SCALAR)),
    "json_parse": Function("t", JSON, "TRY(json({0}))"),
    "json_format": Function("j", VARCHAR, "CAST({0} AS VARCHAR)"),
    "json_array_length": Function(
        "j", BIGINT, "TRY(CASE json_type({0}) WHEN 'ARRAY' THEN CAST(json_array_length({0}) AS BIGINT) END)"
    ),
    "json_array_get": Function("ji", JSON, "TRY(json_extract({0}, '$[' || {1} || ']'))"),
    "json_array_contains": Function(
        "jx",
        BOOLEAN,
        "TRY(CASE json_type({0}) WHEN 'ARRAY' THEN list_contains(CAST(CAST({0} AS JSON) AS JSON[]), to_json({1})) END)",
    ),
    "json_size": Function(
        "jc",
        BIGINT,
        at_path(
            "TRY(CASE WHEN NOT json_exists({0}, {1}) THEN NULL ELSE CASE json_type({0}, {1})"
            " WHEN 'ARRAY' THEN json_array_length({0}, {1}) WHEN 'OBJECT' THEN len(json_keys({0}, {1})) ELSE 0 END END)"
        ),
    ),
    "is_json_scalar": Function("j", BOOLEAN, "(json_type({0}) NOT IN ('ARRAY', 'OBJECT'))"),
    # arrays
    "cardinality": Function("x", BIGINT, sized),
    "contains": Function("xx", BOOLEAN, contained),
    "array_join": Function("at?t", VARCHAR, listed),
    "array_distinct": Function("a", first, f"list_filter({{0}}, lambda {_E}, {_I}: {_FIRST})"),
    "array_sort": Function("a", first, "list_sort({0}, 'ASC', 'NULLS LAST')"),
    "array_max": Function("a", element, "CASE WHEN list_position({0}, NULL) IS NULL THEN list_max({0}) END"),
    "array_min": Function("a", element, "CASE WHEN list_position({0}, NULL) IS NULL THEN list_min({0}) END"),
    "array_position": Function(
        "ax", BIGINT, "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN coalesce(list_position({0}, {1}), 0) END"
    ),
    "array_remove": Function("ax", first, f"list_filter({{0}}, lambda {_E}: {_E} IS DISTINCT FROM {{1}})"),
    "array_union": Function(
        "aa",
        first,
        f"list_filter(list_concat({{0}}, {{1}}), lambda {_E}, {_I}:"
        f" list_position(list_concat({{0}}, {{1}}), {_E}) = {_I})",
    ),
    "array_intersect": Function(
        "aa", first, f"list_filter({{0}}, lambda {_E}, {_I}: {_FIRST} AND list_position({{1}}, {_E}) IS NOT NULL)"
    ),
    "array_except": Function(
        "aa", first, f"list_filter({{0}}, lambda {_E}, {_I}: {_FIRST} AND list_position({{1}}, {_E}) IS NULL)"
    ),
    "arrays_overlap": Function("aa", BOOLEAN, overlapping),
    "slice": Function("aii", first, sliced),
    "flatten": Function("a", lambda v: v[0].type.of[0], "flatten({0})"),
    "sequence": Function("xx?x", lambda v: array(first(v)), sequence),
    "repeat": Function("xi", lambda v: array(first(v)), _REPEATED),
    # maps
    "map": Function("aa", lambda v: map_of(element(v), v[1].type.of[0]), "map({0}, {1})"),
    "map_keys": Function("m", lambda v: array(v[0].type.of[0]), "map_keys({0})"),
    "map_values": Function("m", lambda v: array(v[0].type.of[1]), "map_values({0})"),
    "map_entries": Function("m", lambda v: array(row(("key", "value"), v[0].type.of)), "map_entries({0})"),
    "map_concat": Function(
        "mm", one_type, "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN map_concat({0}, {1}) END"
    ),
    # times
    "date": Function("x", DATE, dated),
    "date_trunc": Function("cd", lambda v: v[1].type if v[1].type != VARCHAR else TIMESTAMP, truncated),
    "date_add": Function("cid", lambda v: DATE if v[2].type == DATE else TIMESTAMP, added),
    "date_diff": Function("cdd", BIGINT, difference),
    "date_format": Function("dc", VARCHAR, printed(forms.mysql)),
    "date_parse": Function("xc", TIMESTAMP, read_time(forms.mysql)),
    "format_datetime": Function("dc", VARCHAR, printed(forms.joda)),
    "parse_datetime": Function("xc", TIMESTAMP, read_time(forms.joda, has_zone=True)),
    "from_iso8601_timestamp": Function("x", TIMESTAMP, lambda v: cast(v[0], TIMESTAMP)._replace(zone=zone_of(v[0]))),
    "from_iso8601_date": Function("x", DATE, dated),
    "from_unixtime": Function("n", TIMESTAMP, lambda v: Value(f"to_timestamp({v[0].sql})", TIMESTAMP, zone="UTC")),
    "to_unixtime": Function("d", DOUBLE, lambda v: f"epoch({moment(v[0])})"),
    "to_iso8601": Function(
        "d",
        VARCHAR,
        lambda v: f"strftime({moment(v[0])}, '{'%Y-%m-%d' if v[0].type == DATE else '%Y-%m-%dT%H:%M:%S.%gZ'}')",
    ),
    "year": _of_time("year({})"),
    "quarter": _of_time("quarter({})"),
    "month": _of_time("month({})"),
    "week": _of_time("week({})"),
    "week_of_year": _of_time("week({})"),
    "day": _of_time("day({})"),
    "day_of_month": _of_time("day({})"),
    "day_of_week": _of_time("isodow({})"),
    "dow": _of_time("isodow({})"),
    "day_of_year": _of_time("dayofyear({})"),
    "doy": _of_time("dayofyear({})"),
    "year_of_week": _of_time("isoyear({})"),
    "yow": _of_time("isoyear({})"),
    "hour": _of_time("hour({})"),
    "minute": _of_time("minute({})"),
    "second": _of_time("second({})"),
    "millisecond": _of_time("millisecond({}) % 1000"),
    "last_day_of_month": Function("d", DATE, lambda v: f"last_day({clock(v[0])})"),
    # numbers
    "abs": Function("n", first, "abs({0})"),
    "ceil": _whole("ceil"),
    "ceiling": _whole("ceil"),
    "floor": _whole("floor"),
    "round": Function(
        "n?i",
        rounded,
        lambda v: f"CAST(round({', '.join([v[0].sql, *(each.sql for each in v[1:])])}) AS {rounded(v).duckdb})",
    ),
    "truncate": _whole("trunc"),
    "sign": Function("n", first, lambda v: f"CAST(sign({v[0].sql}) AS {v[0].type.duckdb})"),
    "mod": Function("nn", one_type, "({0} % {1})"),
    "power": Function("nn", DOUBLE, "power({0}, {1})"),
    "pow": Function("nn", DOUBLE, "power({0}, {1})"),
    "sqrt": Function("n", DOUBLE, "sqrt({0})"),
    "exp": Function("n", DOUBLE, "exp({0})"),
    "ln": Function("n", DOUBLE, "ln({0})"),
    "log2": Function("n", DOUBLE, "log2({0})"),
    "log10": Function("n", DOUBLE, "log10({0})"),
    "at_timezone": Function("dc", TIMESTAMP, in_zone),
}
