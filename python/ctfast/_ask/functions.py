"""THE functions of Trino that a query may call: what each takes, what it returns, and what it is in DuckDB.

A function that is not in this table is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from ctfast._ask import forms
from ctfast._ask.coerce import as_json_text, as_text, cast, clock, together
from ctfast._ask.sqltext import constant
from ctfast._ask.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    IP,
    JSON,
    NULL,
    TIMESTAMP,
    VARBINARY,
    VARCHAR,
    ZONED,
    Type,
    Value,
    array,
    common,
    decimal,
    map_of,
    row,
)
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = ["FUNCTIONS", "Function", "call", "subscript"]

Arguments: TypeAlias = Sequence[Value]

#: Units of date_trunc, date_add and date_diff.
_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")


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
    sql: str | Callable[[Arguments], str]


def call(name: str, given: Arguments) -> Value:
    """Return a call of a function of the table."""
    function = FUNCTIONS[name]
    arguments = _taken(name, function.takes, given)
    returns = function.returns if isinstance(function.returns, Type) else function.returns(arguments)
    if not isinstance(function.sql, str):
        return Value(function.sql(arguments), returns)
    return Value(function.sql.format(*(each.sql for each in arguments)), returns)


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
    return _map(value) if letter == "m" and kind.name != "map" else value


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


def _map(value: Value) -> Value:
    """Return JSON text as the map that it is in CloudTrail Lake: its members as texts."""
    return Value(f"TRY(CAST(CAST({value.sql} AS JSON) AS MAP(VARCHAR, VARCHAR)))", map_of(VARCHAR, VARCHAR))


def _first(arguments: Arguments) -> Type:
    return arguments[0].type


def _text(arguments: Arguments, at: int) -> str:
    """Return the text of a constant; a function with a pattern or a path must know it."""
    found = arguments[at].text
    if found is None:
        message = "a pattern, a path, a format or a unit has to be a text that stands in the query"
        raise QueryError(message, arguments[at].sql, "form")
    return found


def _joined(arguments: Arguments) -> str:
    if any(each.type.name == "array" for each in arguments):
        return f"list_concat({', '.join(each.sql for each in arguments)})"
    return f"({' || '.join(as_text(each).sql for each in arguments)})"


def _substring(arguments: Arguments) -> str:
    text, start, *length = (each.sql for each in arguments)
    plain = f"substr({', '.join([text, start, *(f'greatest({each}, 0)' for each in length)])})"
    if start.isdecimal() and start != "0":
        return plain
    return f"CASE WHEN {start} = 0 OR -{start} > length({text}) THEN '' ELSE {plain} END"


def _extracted(arguments: Arguments) -> str:
    """The text of a group; NULL without a match, and for a group that a match does not have."""
    text, found = arguments[0].sql, _text(arguments, 1)
    number = int(arguments[2].sql) if len(arguments) > 2 and arguments[2].sql.isdecimal() else 0  # noqa: PLR2004  # a third one
    pattern = constant(forms.pattern(found))
    means = forms.group(found, number)
    if means == "either":
        message = f"group {number} of {quoted(found)} may be empty, or not be there: regexp_extract cannot tell which"
        raise QueryError(message, "regexp_extract", "form")
    extracted = f"regexp_extract({text}, {pattern}, {number})"
    if means == "absent":
        return f"nullif({extracted}, '')"
    return f"CASE WHEN regexp_matches({text}, {pattern}) THEN {extracted} END"


def _regular(template: str) -> Callable[[Arguments], str]:
    """Return what makes a call with a pattern as second argument."""

    def sql(arguments: Arguments) -> str:
        pattern = constant(forms.pattern(_text(arguments, 1)))
        others = [each.sql for each in arguments[2:]]
        return template.format(arguments[0].sql, pattern, *others)

    return sql


def _replaced(arguments: Arguments) -> str:
    pattern = constant(forms.pattern(_text(arguments, 1)))
    by = forms.replacement(_text(arguments, 2)) if len(arguments) > 2 else ""  # noqa: PLR2004  # a third one
    return f"regexp_replace({arguments[0].sql}, {pattern}, {constant(by)}, 'g')"


def _path(template: str) -> Callable[[Arguments], str]:
    """Return what makes a call with a path as second argument; text that is not JSON has nothing there."""
    return lambda arguments: template.format(arguments[0].sql, constant(forms.json_path(_text(arguments, 1))))


def _strftime(read: Callable[..., str]) -> Callable[[Arguments], str]:
    def sql(arguments: Arguments) -> str:
        form = read(_text(arguments, 1), is_zoned=arguments[0].type == ZONED)
        return f"strftime({clock(arguments[0])}, {constant(form)})"

    return sql


def _strptime(read: Callable[..., str]) -> Callable[[Arguments], str]:
    def sql(arguments: Arguments) -> str:
        if arguments[0].type == TIMESTAMP:
            return arguments[0].sql  # of an event: it was read already
        form = constant(read(_text(arguments, 1), parses=True))
        return f"CAST(strptime({as_text(arguments[0]).sql}, {form}) AS TIMESTAMPTZ)"

    return sql


def _unit(arguments: Arguments) -> str:
    unit = _text(arguments, 0).lower()
    if unit not in _UNITS:
        message = f"{quoted(unit)} is no unit of time here: {', '.join(_UNITS)} are"
        raise QueryError(message, unit, "form")
    return unit


def _added(arguments: Arguments) -> str:
    unit, (number, when) = _unit(arguments), arguments[1:]
    made = f"{clock(when)} + to_{unit}s(CAST({number.sql} AS BIGINT))"
    if unit == "quarter":
        made = f"{clock(when)} + to_months(3 * CAST({number.sql} AS INTEGER))"
    elif unit in ("day", "week", "month", "year"):
        made = f"{clock(when)} + to_{unit}s(CAST({number.sql} AS INTEGER))"
    return f"CAST({made} AS {'DATE' if when.type == DATE else 'TIMESTAMPTZ'})"


def _difference(arguments: Arguments) -> str:
    unit = _unit(arguments)
    return f"date_sub('{unit}', {', '.join(f'CAST({clock(each)} AS TIMESTAMP)' for each in arguments[1:])})"


def _truncated(arguments: Arguments) -> str:
    kind = {"date": "DATE", "zoned": "TIMESTAMP"}.get(arguments[1].type.name, "TIMESTAMPTZ")
    return f"CAST(date_trunc('{_unit(arguments)}', {clock(arguments[1])}) AS {kind})"


def _dated(arguments: Arguments) -> str:
    return cast(arguments[0], DATE).sql


def _of_time(part: str) -> Function:
    return Function("d", BIGINT, lambda arguments: part.format(clock(arguments[0])))


def _greatest(name: str) -> Function:
    def sql(arguments: Arguments) -> str:
        every = [each.sql for each in arguments]
        return f"CASE WHEN {' OR '.join(f'{each} IS NULL' for each in every)} THEN NULL ELSE {name}({', '.join(every)}) END"

    return Function("x*", _common, sql)


def _common(arguments: Arguments) -> Type:
    found = common([each.type for each in arguments])
    if found is None:
        kinds = " and ".join(dict.fromkeys(str(each.type) for each in arguments))
        raise QueryError(f"{kinds} do not become one type: write CAST(…) around one of them", kinds, "type")
    return found


def _rounded(arguments: Arguments) -> Type:
    kind = arguments[0].type
    return decimal(kind.digits[0] + 1, kind.digits[1]) if kind.name == "decimal" else kind


def _whole(name: str) -> Function:
    """A function that makes a whole number, of the same type: of a decimal, one without digits after the point."""

    def returns(arguments: Arguments) -> Type:
        kind = arguments[0].type
        return decimal(max(1, kind.digits[0] - kind.digits[1] + 1), 0) if kind.name == "decimal" else kind

    return Function("n", returns, lambda arguments: f"CAST({name}({arguments[0].sql}) AS {returns(arguments).duckdb})")


def _element(arguments: Arguments) -> Type:
    return arguments[0].type.of[0]


def _contains(arguments: Arguments) -> str:
    held, wanted = arguments
    if held.text is not None and wanted.type in (IP, VARCHAR):
        first, last = forms.network(held.text)
        return f"({cast(wanted, IP).sql} BETWEEN {first} AND {last})"
    if held.type.name != "array":
        raise QueryError("contains takes an array, and strpos(text, part) > 0 or LIKE looks into a text", "contains", "type")
    _, value = together(Value("", held.type.of[0]), wanted)
    return f"list_contains({held.sql}, {value.sql})"


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
            return subscript(_map(held), as_text(key), is_lenient=True)
        return Value(f"TRY(json_extract_string({held.sql}, {constant(forms.member(key.text))}))", VARCHAR)
    raise QueryError(f"element_at takes an array, a map or JSON text, and this is a {held.type}", "element_at", "type")


_SCALAR = "TRY(json_extract_string(json_value({0}, {1}), '$'))"
_SPACE = r"E' \t\n\x0b\f\r'"


FUNCTIONS: dict[str, Function] = {
    # conditions
    "coalesce": Function("x*", _common, lambda values: f"coalesce({', '.join(each.sql for each in values)})"),
    "nullif": Function("xx", _first, lambda values: "nullif({}, {})".format(*(v.sql for v in together(*values)))),
    "greatest": _greatest("greatest"),
    "least": _greatest("least"),
    "try": Function("x", _first, "TRY({0})"),
    "typeof": Function("x", VARCHAR, lambda values: constant(str(values[0].type).replace("jsontext", "varchar"))),
    # text
    "lower": Function("t", VARCHAR, "lower({0})"),
    "upper": Function("t", VARCHAR, "upper({0})"),
    "length": Function("t", BIGINT, "length({0})"),
    "concat": Function("xx*", lambda v: _first(v) if v[0].type.name == "array" else VARCHAR, _joined),
    "concat_ws": Function("tt*", VARCHAR, lambda values: f"concat_ws({', '.join(each.sql for each in values)})"),
    "replace": Function("tt?t", VARCHAR, lambda v: f"replace({v[0].sql}, {v[1].sql}, {v[2].sql if len(v) > 2 else chr(39) * 2})"),  # noqa: PLR2004  # a third one
    "reverse": Function("x", _first, lambda v: f"list_reverse({v[0].sql})" if v[0].type.name == "array" else f"reverse({as_text(v[0]).sql})"),
    "split": Function("tt", array(VARCHAR), "str_split({0}, {1})"),
    "split_part": Function("tti", VARCHAR, "list_extract(str_split({0}, {1}), {2})"),
    "strpos": Function("tt", BIGINT, "strpos({0}, {1})"),
    "starts_with": Function("tt", BOOLEAN, "starts_with({0}, {1})"),
    "substr": Function("ti?i", VARCHAR, _substring),
    "substring": Function("ti?i", VARCHAR, _substring),
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
    "url_extract_host": Function("t", VARCHAR, "nullif(regexp_extract({0}, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/:?#]+)', 1), '')"),
    "regexp_like": Function("tc", BOOLEAN, _regular("regexp_matches({0}, {1})")),
    "regexp_extract": Function("tc?i", VARCHAR, _extracted),
    "regexp_extract_all": Function("tc?i", array(VARCHAR), lambda v: _regular("regexp_extract_all({0}, {1}, {2})" if len(v) > 2 else "regexp_extract_all({0}, {1})")(v)),  # noqa: PLR2004  # a third one
    "regexp_replace": Function("tc?c", VARCHAR, _replaced),
    "regexp_count": Function("tc", BIGINT, _regular("len(regexp_extract_all({0}, {1}))")),
    "regexp_split": Function("tc", array(VARCHAR), _regular("regexp_split_to_array({0}, {1})")),
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
    "json_extract": Function("jc", JSON, _path("TRY(json_extract({0}, {1}))")),
    "json_extract_scalar": Function("jc", VARCHAR, _path(_SCALAR)),
    "json_parse": Function("t", JSON, "TRY(json({0}))"),
    "json_format": Function("j", VARCHAR, "CAST({0} AS VARCHAR)"),
    "json_array_length": Function("j", BIGINT, "TRY(CASE json_type({0}) WHEN 'ARRAY' THEN CAST(json_array_length({0}) AS BIGINT) END)"),
    "json_array_get": Function("ji", JSON, "TRY(json_extract({0}, '$[' || {1} || ']'))"),
    "json_array_contains": Function("jx", BOOLEAN, "TRY(CASE json_type({0}) WHEN 'ARRAY' THEN list_contains(CAST(CAST({0} AS JSON) AS JSON[]), to_json({1})) END)"),
    "json_size": Function("jc", BIGINT, _path("TRY(CASE json_type({0}, {1}) WHEN 'ARRAY' THEN json_array_length({0}, {1}) WHEN 'OBJECT' THEN len(json_keys({0}, {1})) ELSE CASE WHEN json_exists({0}, {1}) THEN 0 END END)")),
    "is_json_scalar": Function("j", BOOLEAN, "(json_type({0}) NOT IN ('ARRAY', 'OBJECT'))"),
    # arrays
    "cardinality": Function("x", BIGINT, lambda v: f"len({v[0].sql})" if v[0].type.name == "array" else f"CAST(cardinality({_as('cardinality', 'm', v[0]).sql}) AS BIGINT)"),
    "contains": Function("xx", BOOLEAN, _contains),
    "array_join": Function("at?t", VARCHAR, lambda v: f"array_to_string(CAST({v[0].sql} AS VARCHAR[]), {v[1].sql})" if len(v) == 2 else f"array_to_string(list_transform(CAST({v[0].sql} AS VARCHAR[]), lambda e: coalesce(e, {v[2].sql})), {v[1].sql})"),  # noqa: PLR2004  # two
    "array_distinct": Function("a", _first, "list_filter({0}, lambda e, i: list_position({0}, e) = i)"),
    "array_sort": Function("a", _first, "list_sort({0}, 'ASC', 'NULLS LAST')"),
    "array_max": Function("a", _element, "CASE WHEN list_position({0}, NULL) IS NULL THEN list_max({0}) END"),
    "array_min": Function("a", _element, "CASE WHEN list_position({0}, NULL) IS NULL THEN list_min({0}) END"),
    "array_position": Function("ax", BIGINT, "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN coalesce(list_position({0}, {1}), 0) END"),
    "array_remove": Function("ax", _first, "list_filter({0}, lambda e: e IS DISTINCT FROM {1})"),
    "array_union": Function("aa", _first, "list_distinct(list_concat({0}, {1}))"),
    "array_intersect": Function("aa", _first, "list_intersect({0}, {1})"),
    "array_except": Function("aa", _first, "list_distinct(list_filter({0}, lambda e: NOT list_contains({1}, e)))"),
    "arrays_overlap": Function("aa", BOOLEAN, "list_has_any({0}, {1})"),
    "slice": Function("aii", _first, "list_slice({0}, {1}, {1} + {2} - 1)"),
    "flatten": Function("a", lambda v: v[0].type.of[0], "flatten({0})"),
    "sequence": Function("xx?x", lambda v: array(_first(v)), lambda v: _sequence(v)),  # noqa: PLW0108  # it stands below
    "repeat": Function("xi", lambda v: array(_first(v)), "list_transform(generate_series(1, {1}), lambda e: {0})"),
    # maps
    "map": Function("aa", lambda v: map_of(_element(v), v[1].type.of[0]), "map({0}, {1})"),
    "map_keys": Function("m", lambda v: array(v[0].type.of[0]), "map_keys({0})"),
    "map_values": Function("m", lambda v: array(v[0].type.of[1]), "map_values({0})"),
    "map_entries": Function("m", lambda v: array(row(("key", "value"), v[0].type.of)), "map_entries({0})"),
    "map_concat": Function("mm", _first, "map_concat({0}, {1})"),
    # times
    "date": Function("x", DATE, _dated),
    "date_trunc": Function("cd", lambda v: v[1].type if v[1].type != VARCHAR else TIMESTAMP, _truncated),
    "date_add": Function("cid", lambda v: DATE if v[2].type == DATE else TIMESTAMP, _added),
    "date_diff": Function("cdd", BIGINT, _difference),
    "date_format": Function("dc", VARCHAR, _strftime(forms.mysql)),
    "date_parse": Function("xc", TIMESTAMP, _strptime(forms.mysql)),
    "format_datetime": Function("dc", VARCHAR, _strftime(forms.joda)),
    "parse_datetime": Function("xc", TIMESTAMP, _strptime(forms.joda)),
    "from_iso8601_timestamp": Function("x", TIMESTAMP, lambda v: cast(v[0], TIMESTAMP).sql),
    "from_iso8601_date": Function("x", DATE, _dated),
    "from_unixtime": Function("n", TIMESTAMP, "to_timestamp({0})"),
    "to_unixtime": Function("d", DOUBLE, lambda v: f"epoch({clock(v[0])})"),
    "to_iso8601": Function("d", VARCHAR, lambda v: f"strftime({clock(v[0])}, '{'%Y-%m-%d' if v[0].type == DATE else '%Y-%m-%dT%H:%M:%S.%gZ'}')"),
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
    "abs": Function("n", _first, "abs({0})"),
    "ceil": _whole("ceil"),
    "ceiling": _whole("ceil"),
    "floor": _whole("floor"),
    "round": Function("n?i", _rounded, lambda v: f"CAST(round({', '.join([v[0].sql, *(f'CAST({each.sql} AS INTEGER)' for each in v[1:])])}) AS {_rounded(v).duckdb})"),
    "truncate": _whole("trunc"),
    "sign": Function("n", _first, lambda v: f"CAST(sign({v[0].sql}) AS {v[0].type.duckdb})"),
    "mod": Function("nn", _common, "({0} % {1})"),
    "power": Function("nn", DOUBLE, "power({0}, {1})"),
    "pow": Function("nn", DOUBLE, "power({0}, {1})"),
    "sqrt": Function("n", DOUBLE, "sqrt({0})"),
    "exp": Function("n", DOUBLE, "exp({0})"),
    "ln": Function("n", DOUBLE, "ln({0})"),
    "log2": Function("n", DOUBLE, "log2({0})"),
    "log10": Function("n", DOUBLE, "log10({0})"),
    "at_timezone": Function("dc", ZONED, lambda v: f"({v[0].sql} AT TIME ZONE {v[1].sql})"),
}


def _sequence(arguments: Arguments) -> str:
    first, last, *step = arguments
    if first.type.is_integer:
        every = ", ".join(each.sql for each in arguments)
        return f"CAST(generate_series({every}) AS {array(first.type).duckdb})"
    if first.type == DATE or (first.type == TIMESTAMP and step):
        by = step[0].sql if step else "INTERVAL 1 DAY"
        return f"CAST(generate_series({clock(first)}, {clock(last)}, {by}) AS {array(first.type).duckdb})"
    raise QueryError("sequence takes whole numbers, dates, or times and an interval", "sequence", "type")
