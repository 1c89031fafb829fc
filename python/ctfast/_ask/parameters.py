"""Constants: numbers of a query, and values that are given beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ctfast._ask.events import is_events
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
from ctfast._show.plain import counted
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Parameters", "interval_of", "number_of"]

_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")
#: Digits of a number, and letters of one that a sentence shows.
_DIGITS, _SHOWN = 38, 20
_INTERVAL = re.compile(r"[+-]?[0-9]{1,8}")
#: A parameter that stands within a text.
_FILLED = re.compile(r"\$\{([^{}]+)\}")


class Parameters:
    """Values that are given beside a query, each of which has to be used.

    Parameters
    ----------
    given
        By name, or in the order of ``?``.
    """

    def __init__(self, given: Mapping[str, Any] | Sequence[Any] | None) -> None:
        self._is_named = given is None or isinstance(given, Mapping)
        self._values: dict[str, Any] = {}
        if isinstance(given, Mapping):
            self._values.update(given)
        elif given is not None:
            self._values.update((str(at), value) for at, value in enumerate(given, 1))
        self._used: set[str] = set()

    def value(self, name: str) -> Value:
        """Return the value of a parameter; ``_1`` is the first ``?``."""
        shown = name.removeprefix("_") if name not in self._values and name[1:].isdecimal() else name
        return _constant(shown, self._given(shown))

    def filled(self, text: str) -> str:
        """Return a text with the values of what stands in it as ``${name}``; they are not filled themselves."""

        def text_of(found: re.Match[str]) -> str:
            name = found[1]
            if name not in self._values and not re.fullmatch(r"\w+", name):
                return found[0]  # such as ${aws:username}, in policies
            return _within(name, self._given(name, f"; '$' || '{{{name}}}' is the text itself"))

        return _FILLED.sub(text_of, text)

    def name_tables(self, tables: Sequence[exp.Expression], identifier: Callable[[str], exp.Expression]) -> None:
        """Put names in the place of parameters in FROM: those that AWS's samples have there are the events."""
        for table in tables:
            if type(table.this).__name__ == "Placeholder":
                name = str(table.this.this)
                given = name if name not in self._values and is_events(name) else self._given(name)
                if not isinstance(given, str):
                    raise _no_value(name, "stands for a table: give its name")
                table.set("this", identifier(given))

    def refuse_unused(self) -> None:
        """Refuse values that the query has not asked for."""
        unused = [name for name in self._values if name not in self._used]
        if unused and self._is_named:
            names = " and ".join(map(quoted, unused))
            does = "parameter {} does" if len(unused) == 1 else "parameters {} do"
            raise QueryError(f"the {does.format(names)} not stand in the query", unused[0], "parameter")
        if unused:
            message = f"params has {counted(len(self._values), 'value')}, and the query takes {len(self._used)}"
            raise QueryError(message, unused[0], "parameter")

    def _given(self, name: str, remedy: str = "") -> Any:
        if name not in self._values:
            others = f"; there are {', '.join(self._values)}" if self._values else ""
            raise QueryError(f"the parameter {quoted(name)} has no value{others}{remedy}", name, "parameter")
        self._used.add(name)
        return self._values[name]


def _constant(name: str, value: Any) -> Value:
    """Return a value of Python as a constant: numbers, texts, times, truth values, None, and lists of them."""
    if isinstance(value, list | tuple):
        members = [_constant(name, each) for each in value]
        kind = common([each.type for each in members]) if members else NULL
        if kind is not None:
            return Value(f"[{', '.join(each.sql for each in members)}]", array(kind))
        raise _no_value(name, "is a list of several kinds: give one kind of values")
    make = next((make for kind, make in _KINDS if isinstance(value, kind)), None)
    if make is None:
        kinds = "a text, a number, a time, True, False, None, or a list of one kind"
        raise _no_value(name, f"is a {type(value).__name__}: it may be {kinds}")
    try:
        return make(value)
    except ValueError as error:
        raise _no_value(name, f"is {error}") from None


def _no_value(name: str, why: str) -> QueryError:
    return QueryError(f"the parameter {quoted(name)} {why}", name, "parameter")


def _within(name: str, value: Any) -> str:
    """Return a value as it stands within a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or not isinstance(value, str | int | float | Decimal | date):
        kinds = "a text, a number, a time, True or False"
        given = "None" if value is None else f"a {type(value).__name__}"
        raise _no_value(name, f"is {given}: within a text it may be {kinds}")
    _constant(name, value)  # or it is refused
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def number_of(text: str) -> Value:
    """Return a number that stands in a query: with an exponent it is a double, with a point a decimal."""
    if "e" in text.lower():
        return Value(f"CAST('{text}' AS DOUBLE)", DOUBLE)
    whole, point, part = text.partition(".")
    digits = len(whole.lstrip("0")) + len(part)
    if digits > _DIGITS:
        shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
        message = f"{shown} has {counted(digits, 'digit')}, and a number has {_DIGITS} at most: 1e0 is a double"
        raise QueryError(message, shown, "value")
    if point:
        kind = decimal(max(digits, 1), len(part))
        return Value(f"CAST('{text}' AS {kind.duckdb})", kind)
    number = int(text)
    return Value(text, INTEGER if number < 1 << 31 else BIGINT if number < 1 << 63 else decimal(digits, 0))


def interval_of(number: str, unit: str) -> Value | None:
    """Return an interval of whole units; None for another one."""
    name = unit.upper().rstrip("S")
    if name not in _UNITS or not _INTERVAL.fullmatch(number):
        return None
    return Value(f"(INTERVAL '{number} {name}')", INTERVAL, f"{number} {name.lower()}")


def _text(value: str) -> Value:
    if "\0" in value:
        message = "a text with a character that queries do not take, U+0000"
        raise ValueError(message)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        message = f"a text whose character {error.start + 1} is half of a pair of surrogates"
        raise ValueError(message) from None
    return Value(constant(value), VARCHAR, value)


def _whole(value: int) -> Value:
    if not -(1 << 63) <= value < 1 << 63:
        message = "a whole number of more than 64 bits: a Decimal may have 38 digits"
        raise ValueError(message)
    return Value(str(value) if value >= 0 else f"({value})", BIGINT)


def _double(value: float) -> Value:
    if not math.isfinite(value):
        message = f"{value}, which is no number"
        raise ValueError(message)
    return Value(f"CAST('{value}' AS DOUBLE)", DOUBLE)


def _decimal(value: Decimal) -> Value:
    if not value.is_finite():
        message = f"{value}, which is no number"
        raise ValueError(message)
    _, digits, exponent = value.as_tuple()
    scale = max(0, -int(exponent))
    count = max(len(digits) + max(0, int(exponent)), scale, 1)
    if count > _DIGITS:
        message = f"a decimal of {counted(count, 'digit')}, and it may have {_DIGITS}"
        raise ValueError(message)
    kind = decimal(count, scale)
    return Value(f"CAST('{value:f}' AS {kind.duckdb})", kind)


def _moment(value: datetime) -> Value:
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    try:
        return Value(time(moment), TIMESTAMP, moment.isoformat())
    except OverflowError:
        message = f"{value.isoformat()}, which in UTC is not within the years 1 to 9999"
        raise ValueError(message) from None


#: The first kind that a value is of: a truth value is a number in Python, and a time is a date.
_KINDS: tuple[tuple[type, Callable[[Any], Value]], ...] = (
    (type(None), lambda _: Value("NULL", NULL)),
    (bool, lambda value: Value("TRUE" if value else "FALSE", BOOLEAN)),
    (str, _text),
    (int, _whole),
    (float, _double),
    (Decimal, _decimal),
    (datetime, _moment),
    (date, lambda value: Value(f"DATE '{value.isoformat()}'", DATE, value.isoformat())),
)
