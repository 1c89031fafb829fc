"""Polars predicates to native ones.

Only what is understood exactly is pushed down; Polars evaluates the whole predicate on every batch anyway. So a pushed
predicate may admit rows that the whole one refuses, but never refuse rows that it admits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from ctfast import _ctfast
from ctfast._later import pl

__all__ = ["push_down"]

Predicate: TypeAlias = tuple[Any, ...]

_KINDS = {path: kind for path, kind, _ in _ctfast.columns() if "[]" not in path}
_FLIPPED = {"Eq": "Eq", "NotEq": "NotEq", "Lt": "Gt", "LtEq": "GtEq", "Gt": "Lt", "GtEq": "LtEq"}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # compared with times whose zone was taken off
_MICROSECOND = timedelta(microseconds=1)
_FOREVER = (-(1 << 63), (1 << 63) - 1)
#: A regular expression without special characters.
_PLAIN = re.compile(r"[\w \-:/@]+", re.ASCII)


def push_down(predicate: pl.Expr, *, elements: bool = False) -> Predicate | None:
    """Translate the parts of a predicate that can be translated; return ``None`` if there are none.

    With ``elements``, which only a lake understands, paths may lead into lists: an element has one of the values.

    Examples
    --------
    >>> push_down((pl.col("eventName") == "PutObject") & (pl.col("extra").str.len_chars() > 9))
    ('in', 'eventName', ['PutObject'])
    """
    try:
        operator, inputs = _node(predicate)
        if operator != "And":
            return _exact(predicate, elements=elements)
        # Any part of a conjunction may be left out.
        parts = [part for each in inputs if (part := push_down(each, elements=elements)) is not None]
    except Exception:  # noqa: BLE001  # the structure of expressions is not a stable interface: unknown ones are not pushed
        return None
    return ("all", parts) if len(parts) > 1 else parts[0] if parts else None


def _exact(expr: pl.Expr, *, elements: bool) -> Predicate | None:
    """Return an equivalent predicate, or None."""
    if elements and (found := _of_elements(expr)) is not None:
        return found
    operator, inputs = _node(expr)
    if operator in ("And", "Or"):
        parts = [_exact(part, elements=elements) for part in inputs]
        return None if None in parts else ("all" if operator == "And" else "any", parts)
    path = _path(expr)
    if path is not None:
        return ("is", path, True) if _KINDS[path] == "flag" else None
    if operator == "Not":
        path = _path(inputs[0])
        return ("is", path, False) if path is not None and _KINDS[path] == "flag" else None
    if operator in _FLIPPED:
        left, right = inputs
        if _path(left) is None:
            operator, left, right = _FLIPPED[operator], right, left
        return _comparison(operator, _path(left), _literal(right))
    rule = _FUNCTIONS.get(operator)
    path = _path(inputs[0]) if rule else None
    return rule(path, inputs[1:]) if rule and path is not None else None


def _of_elements(expr: pl.Expr) -> Predicate | None:
    """Return the condition that an element of a list has a value, in either of the forms in which it is written."""
    match json.loads(expr.meta.serialize(format="json")):
        case {
            "Function": {
                "input": [
                    {"Eval": {"expr": {"Column": column}, "evaluation": field, "variant": "List"}},
                    {"Literal": {"Scalar": {"String": value}}},
                ],
                "function": {"ListExpr": {"Contains": _}},
            }
        }:  # .list.eval(field).list.contains(value)
            pass
        case {
            "Eval": {
                "expr": {
                    "Eval": {
                        "expr": {"Column": column},
                        "evaluation": {
                            "BinaryExpr": {
                                "left": field,
                                "op": "Eq",
                                "right": {"Literal": {"Scalar": {"String": value}}},
                            }
                        },
                        "variant": "List",
                    }
                },
                "evaluation": {"Function": {"input": ["Element"], "function": {"Boolean": {"Any": _}}}},
                "variant": "ListAgg",
            }
        }:  # .list.eval(field == value).list.any()
            pass
        case _:
            return None
    match field:
        case {"Function": {"input": ["Element"], "function": {"StructExpr": {"FieldByName": name}}}}:
            return ("in", f"{column}[].{name}", [value])
    return None


def _comparison(operator: str, path: str | None, value: Any) -> Predicate | None:
    if path is None or value is None:
        return None
    kind = _KINDS[path]
    if kind in ("text", "json") and isinstance(value, str):
        return {"Eq": ("in", path, [value]), "NotEq": ("not_equal", path, value)}.get(operator)
    if kind == "flag" and isinstance(value, bool):
        return {"Eq": ("is", path, value), "NotEq": ("is", path, not value)}.get(operator)
    if kind == "time" and isinstance(value, datetime):
        offset = value.utcoffset() or timedelta(0)
        micros = (value.replace(tzinfo=None) - offset - _EPOCH) // _MICROSECOND
        first, last = _FOREVER
        bounds = {
            "Eq": (micros, micros),
            "Lt": (first, micros - 1),
            "LtEq": (first, micros),
            "Gt": (micros + 1, last),
            "GtEq": (micros, last),
        }.get(operator)
        return bounds and ("between", path, *bounds)
    return None


def _is_in(path: str, arguments: list[pl.Expr]) -> Predicate | None:
    values = _literal(arguments[0])
    values = values.to_list() if isinstance(values, pl.Series) else values
    texts = (
        _KINDS[path] in ("text", "json")
        and isinstance(values, list)
        and all(isinstance(value, str) for value in values)
    )
    return ("in", path, values) if texts else None


def _text_test(name: str) -> Callable[[str, list[pl.Expr]], Predicate | None]:
    def rule(path: str, arguments: list[pl.Expr]) -> Predicate | None:
        value = _literal(arguments[0])
        return (name, path, value) if _KINDS[path] in ("text", "json") and isinstance(value, str) else None

    return rule


def _null_test(name: str) -> Callable[[str, list[pl.Expr]], Predicate | None]:
    def rule(path: str, _: list[pl.Expr]) -> Predicate | None:
        return (name, path) if _KINDS[path] in ("text", "json", "flag", "time") else None

    return rule


def _between(above: str, below: str) -> Callable[[str, list[pl.Expr]], Predicate | None]:
    def rule(path: str, arguments: list[pl.Expr]) -> Predicate | None:
        least, greatest = map(_literal, arguments)
        bounds = [_comparison(above, path, least), _comparison(below, path, greatest)]
        return None if None in bounds else ("all", bounds)

    return rule


_FUNCTIONS: dict[str, Callable[[str, list[pl.Expr]], Predicate | None]] = {
    "IsIn": _is_in,
    "IsBetween Both": _between("GtEq", "LtEq"),
    "IsBetween Left": _between("GtEq", "Lt"),
    "IsBetween Right": _between("Gt", "LtEq"),
    "IsBetween None": _between("Gt", "Lt"),
    "StartsWith": _text_test("starts_with"),
    "EndsWith": _text_test("ends_with"),
    "Contains": _text_test("contains"),
    "IsNull": _null_test("is_null"),
    "IsNotNull": _null_test("is_not_null"),
}


def _path(expr: pl.Expr) -> str | None:
    """Return the path of an expression that is a column, such as ``userIdentity.arn``, if the core can test it."""
    if expr.meta.is_column():
        name = expr.meta.output_name()
        return name if name in _KINDS else None
    operator, inputs = _node(expr)
    if operator == "FieldByName":
        parent = _path(inputs[0])
        path = f"{parent}.{expr.meta.output_name()}"
        return path if parent is not None and path in _KINDS else None
    return None


def _literal(expr: pl.Expr) -> Any:
    """Return the value of a constant, or ``None`` for anything else."""
    if expr.meta.root_names():
        return None
    series = pl.select(expr).to_series()
    # Nanoseconds do not fit in the microseconds of the column.
    return None if series.dtype == pl.Datetime("ns") else series.item()


def _node(expr: pl.Expr) -> tuple[str, list[pl.Expr]]:
    """Return the name of an expression's outermost operation, and its inputs in order."""
    tree = json.loads(expr.meta.serialize(format="json"))
    inputs = expr.meta.pop()[::-1]
    if not isinstance(tree, dict) or not ("BinaryExpr" in tree or "Function" in tree):
        return "", inputs
    if "BinaryExpr" in tree:
        return tree["BinaryExpr"]["op"], inputs
    # Such as {"StringExpr": {"Contains": {"literal": true}}} or {"Boolean": "IsNull"}.
    [(space, function)] = tree["Function"]["function"].items()
    if space == "ListExpr":
        return "", inputs  # whose names are those of text
    name, options = (function, {}) if isinstance(function, str) else next(iter(function.items()))
    if name == "Contains" and not (options["literal"] or _PLAIN.fullmatch(_literal(inputs[1]) or "")):
        return "", inputs
    if name == "IsIn" and options.get("nulls_equal"):
        return "", inputs
    return (f"{name} {options['closed']}" if name == "IsBetween" else name), inputs
