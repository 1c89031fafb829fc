"""THE forms of expressions that are translated, and what to write instead of some that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctfast._ask.parsing import dialect_of

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["EXTRACTED", "FORMS", "INSTEAD", "bare", "named", "shown"]

#: Letters of an expression that a sentence quotes.
_LONGEST = 60

#: What each form may have; with anything else it is another form.
FORMS = {
    "Literal": "this is_string",
    "Boolean": "this",
    "Null": "",
    "Column": "this table db catalog",
    "Identifier": "this quoted",
    "Dot": "this expression",
    "Paren": "this",
    "Neg": "this",
    **dict.fromkeys(("Add", "Sub", "Mul", "Mod", "And", "Or", "DPipe"), "this expression safe"),
    "Div": "this expression typed safe",
    "Not": "this",
    **dict.fromkeys(("EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ", "Is"), "this expression"),
    "Between": "this low high",
    "In": "this expressions query",
    "Like": "this expression negate",
    "Escape": "this expression",
    "Case": "this ifs default",
    "If": "this true false",
    "Cast": "this to",
    "TryCast": "this to safe",
    "Interval": "this unit",
    "Array": "expressions value_constructor",
    "Bracket": "this expressions",
    "Anonymous": "this expressions",
    "Subquery": "this",
    "Exists": "this",
    "CurrentDate": "",
    "CurrentTimestamp": "",
    "Localtimestamp": "",
    "AtTimeZone": "this zone",
    "Extract": "this expression",
    "Trim": "this position expression",
    "Substring": "this start length",
    "StrPosition": "this substr",
    "Tuple": "expressions",
    "Placeholder": "this",
    "Filter": "this expression",
    "Window": "this partition_by order spec over alias",
    "GroupConcat": "this separator",
    "Distinct": "expressions",
    "Order": "this expressions",
    "ParseJSON": "this is_literal",
}
#: What to write instead of a form that is refused.
INSTEAD = {
    "JSONExtract": "json_extract(…, '$.key') or json_extract_scalar(…, '$.key')",
    "JSONExtractScalar": "json_extract_scalar(…, '$.key')",
    "ILike": "lower(…) LIKE",
    "Lateral": "CROSS JOIN UNNEST(…)",
    "Slice": "slice(…, from, length)",
    "DCast": "CAST(… AS …)",
    "RegexpLike": "regexp_like(…, '…')",
    "CurrentUser": "userIdentity.arn",
    "IgnoreNulls": "FILTER (WHERE … IS NOT NULL)",
}

#: Parts of EXTRACT, and the functions that they are.
EXTRACTED = {
    "DAY_OF_WEEK": "day_of_week",
    "DOW": "day_of_week",
    "DAY_OF_YEAR": "day_of_year",
    "DOY": "day_of_year",
    "YEAR_OF_WEEK": "year_of_week",
    "YOW": "year_of_week",
    **{unit: unit.lower() for unit in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")},
}


def shown(node: exp.Expression) -> str:
    """Return an expression as a sentence quotes it."""
    text = " ".join(node.sql(dialect=dialect_of("trino"), normalize_functions=False).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def bare(node: exp.Expression) -> exp.Expression:
    """Return an expression without the parentheses around it."""
    while type(node).__name__ == "Paren":
        node = node.this
    return node


def named(node: exp.Expression, at: int) -> str:
    """Return the name of a column of the result, as Trino gives it."""
    kind = type(node).__name__
    if kind == "Alias":
        return str(node.alias)
    node = bare(node)
    if type(node).__name__ == "Column":
        return str(node.name)
    if type(node).__name__ == "Dot":
        return str(node.expression.name)
    return f"_col{at}"
