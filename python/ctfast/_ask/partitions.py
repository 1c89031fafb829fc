"""What is compared with a column that Athena partitions by: in the form that the column has, or refused."""

from __future__ import annotations

import re

from ctfast._ask.sqltext import constant
from ctfast._ask.types import VARCHAR, Value
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = ["DAYS", "FACETS", "alike", "pattern_of", "written"]

#: What Athena's partitions have: a day, or its parts.
DAYS = "%Y/%m/%d"
FACETS = ("%Y", "%m", "%d")
_LETTERS = "Ymd"
#: How they are written, for sentences.
_EXAMPLES = {DAYS: "2025/03/12", "%Y": "2025", "%m": "03", "%d": "12"}
#: A day as tables of different people write it, and the begin of one.
_DAY = re.compile(r"([0-9]{4})([-/]?)([0-9]{2})\2([0-9]{2})")
_BEGIN = re.compile(r"([0-9]{4})(?:[-/]([0-9]{2}))?")
_YEAR, _NUMBER = re.compile(r"[1-9][0-9]{3}"), re.compile(r"[0-9]{1,2}")
#: Patterns of LIKE that are those of days.
_LIKE = re.compile(r"[0-9%_-]+")
_MOST = {"%m": 12, "%d": 31}


def written(part: Value, than: Value, *, is_equal: bool) -> Value:
    """Return a constant as a partition writes it: what it never is would find nothing, without a word."""
    if not part.is_part or than.text is None or not than.type.is_text:
        return than
    made = _day(than.text, is_equal=is_equal) if part.form == DAYS else _facet(part.form, than.text, is_equal=is_equal)
    if made is None:
        known = quoted(_EXAMPLES[part.form])
        message = f"{quoted(than.text)} is compared with what is written as {known}: write it so, or compare eventTime"
        raise QueryError(message, than.text, "value")
    return than._replace(sql=constant(made), text=made)


def _day(text: str, *, is_equal: bool) -> str | None:
    found = _DAY.fullmatch(text)
    if found is not None:
        return "/".join(found.group(1, 3, 4))
    begin = None if is_equal else _BEGIN.fullmatch(text)
    return None if begin is None else "/".join(filter(None, begin.groups()))


def _facet(form: str, text: str, *, is_equal: bool) -> str | None:
    if form == "%Y":
        return text if _YEAR.fullmatch(text) else None
    if not _NUMBER.fullmatch(text) or (is_equal and not 1 <= int(text) <= _MOST[form]):
        return None
    return text.zfill(2)


def alike(part: Value, than: Value) -> Value | None:
    """Return a partition in the form of a time that the query has printed; None if it is in that form."""
    if than.is_part or than.form in ("", part.form):
        return None
    if "".join(re.findall(r"%(\w)", than.form)) != _LETTERS or part.form != DAYS:
        message = f"what is printed as {quoted(than.form)} is compared with {quoted(_EXAMPLES[part.form])}"
        raise QueryError(f"{message}: print it so, or compare eventTime", than.form, "value")
    return Value(f"strftime({part.day}, {constant(than.form)})", VARCHAR)


def pattern_of(part: Value, pattern: Value) -> Value:
    """Return a pattern of LIKE as a partition of days has it."""
    text = pattern.text
    if not part.is_part or part.form != DAYS or text is None or "-" not in text:
        return pattern
    if not _LIKE.fullmatch(text):
        message = f"the pattern {quoted(text)} is of what is written as {quoted(_EXAMPLES[DAYS])}, which has no -"
        raise QueryError(f"{message}: write / for it", text, "value")
    made = text.replace("-", "/")
    return pattern._replace(sql=constant(made), text=made)
