"""Calls with a regular expression, which has to stand in the query."""

from __future__ import annotations

import re

from ctfast._ask.makers import Arguments, text_of
from ctfast._ask.patterns import Pattern, pattern
from ctfast._ask.sqltext import constant
from ctfast._show.plain import counted
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = ["every_match", "extracted", "matched", "replaced", "split", "times"]

#: Arguments without the third one, which may be left out.
_PAIR = 2
#: The most groups that a replacement may name in RE2.
_NAMED = 9


def matched(arguments: Arguments) -> str:
    found = _pattern(arguments)
    return _ended(arguments, found, "regexp_matches({0}, {1})", found.re2() if found.ends_last else None)


def times(arguments: Arguments) -> str:
    found = _pattern(arguments)
    return _ended(arguments, found, "len(regexp_extract_all({0}, {1}))", _whole(found, 1, is_every=True)[0])


def split(arguments: Arguments) -> str:
    found = _never_empty("regexp_split", _pattern(arguments))
    return _ended(arguments, found, "regexp_split_to_array({0}, {1})", None)


def extracted(arguments: Arguments) -> str:
    """The text of a group; NULL without a match, and for a group that a match does not have."""
    found, number = _pattern(arguments), _number("regexp_extract", arguments)
    means = found.group(number)
    if means == "either":
        message = f"group {number} of {quoted(found.text)} may be empty, or not be there: regexp_extract cannot tell"
        raise QueryError(f"{message} which", "regexp_extract", "form")
    at_end, within = _whole(found, number)
    extract = f"regexp_extract({{0}}, {{1}}, {within})"
    found_or_null = f"CASE WHEN regexp_matches({{0}}, {{1}}) THEN {extract} END"
    return _ended(arguments, found, f"nullif({extract}, '')" if means == "absent" else found_or_null, at_end)


def every_match(arguments: Arguments) -> str:
    found, number = _pattern(arguments), _number("regexp_extract_all", arguments)
    at_end, within = _whole(found, number, is_every=True)
    return _ended(arguments, found, f"regexp_extract_all({{0}}, {{1}}, {within})", at_end)


def replaced(arguments: Arguments) -> str:
    found = _pattern(arguments)
    by = _replacement(text_of(arguments, 2), found) if len(arguments) > _PAIR else ""  # a third one
    if by:
        _never_empty("regexp_replace", found)
    at_end, groups = None, range(found.groups + 1, found.groups + 1 + found.tails)
    is_last = found.ends or (found.ends_branches and not found.groups)
    if is_last and groups[-1] <= _NAMED:  # a newline after the match is put back
        at_end, by = found.re2(r"(\n?)\z"), by + "".join(f"\\{group}" for group in groups)
    return _ended(arguments, found, "regexp_replace({0}, {1}, {2}, 'g')", at_end, constant(by))


def _pattern(arguments: Arguments) -> Pattern:
    return pattern(text_of(arguments, 1))


def _number(name: str, arguments: Arguments) -> int:
    """Return the number of the group that is asked for."""
    given = arguments[2].sql if len(arguments) > _PAIR else "0"  # a third one
    if not re.fullmatch(r"[0-9]{1,4}", given):
        raise QueryError(f"the group of {name} has to be a whole number that stands in the query", name, "form")
    found = _pattern(arguments)
    if int(given) > found.groups:
        message = f"the pattern {quoted(found.text)} has {counted(found.groups, 'group')}, and none of number {given}"
        raise QueryError(message, name, "form")
    return int(given)


def _never_empty(name: str, found: Pattern) -> Pattern:
    """Refuse a pattern that matches where nothing is: right after another match, Trino takes that, and RE2 does not."""
    if found.may_be_empty:
        message = f"the pattern {quoted(found.text)} also matches an empty text, which {name} does not take here"
        raise QueryError(f"{message}: write + for * and {{1,…}} for {{0,…}}", found.text, "form")
    return found


def _whole(found: Pattern, number: int, *, is_every: bool = False) -> tuple[str | None, int]:
    """Return a pattern that asks for the end last, if it does, and the number of a group in it: the end is in none."""
    if not found.ends or (is_every and found.may_be_empty):  # there may be several ends
        return None, number
    return (found.before_end(), 1) if number == 0 else (found.re2(), number)


def _ended(arguments: Arguments, found: Pattern, template: str, at_end: str | None, *more: str) -> str:
    """Return a call; ``$`` stands at the end, and before a newline at the end."""
    text = arguments[0].sql
    if not found.has_end or at_end is not None:
        return template.format(text, constant(found.re2() if at_end is None else at_end), *more)
    message = f"{quoted(found.text)} has $ before its end, which is not known here of a text with a newline at its end"
    made = template.format(text, constant(found.re2(r"\z")), *more)
    return f"CASE WHEN ends_with({text}, chr(10)) THEN error({constant(message)}) ELSE {made} END"


def _replacement(text: str, found: Pattern) -> str:
    r"""Return what regexp_replace puts in: ``$1`` is ``\1``, a backslash takes the next character as it is."""
    made, at = [], 0
    while at < len(text):
        each = text[at]
        at += 1
        if each == "\\" and at < len(text):
            made.append("\\\\" if text[at] == "\\" else text[at])
            at += 1
        elif each == "$":
            number, length = _named_group(text, at, found)
            made.append(f"\\{number}")
            at += length
        else:
            made.append("\\\\" if each == "\\" else each)
    return "".join(made)


def _named_group(text: str, at: int, found: Pattern) -> tuple[int, int]:
    """Return which group stands after a ``$``, by its number or its name, and how many characters say so."""
    given = re.match(r"([0-9]+)|\{([a-zA-Z][a-zA-Z0-9]*)\}", text[at:])
    if given is None:
        message = f"the replacement {quoted(text)} has a $ without the number of a group: write \\$ for a $"
        raise QueryError(message, text, "form")
    digits = given[1] or ""
    while len(digits) > 1 and (len(digits) > len(str(found.groups)) or int(digits) > found.groups):
        digits = digits[:-1]  # of $10, 10 is the number if there are as many groups
    number = found.names.get(given[2]) if given[2] else int(digits)
    if number is None or number > found.groups:
        message = f"the replacement {quoted(text)} names group {given[2] or digits}, which {quoted(found.text)} has not"
        raise QueryError(message, text, "form")
    if number > _NAMED:
        raise QueryError(f"a replacement names groups 1 to {_NAMED} here, not {number}", text, "form")
    return number, len(given[0]) if given[2] else len(digits)
