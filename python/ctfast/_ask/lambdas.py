"""Calls of functions that take functions: ``any_match(resources, r -> r.type = 'AWS::S3::Bucket')``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ctfast._ask.makers import without_null
from ctfast._ask.types import BOOLEAN, NULL, Type, Value, array, map_of
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

    from ctfast._ask.expressions import Expressions
    from ctfast._ask.scope import Scope

__all__ = ["LAMBDAS", "with_lambda"]

LAMBDAS = frozenset(
    {
        "filter",
        "transform",
        "any_match",
        "all_match",
        "none_match",
        "reduce",
        "zip_with",
        "map_filter",
        "transform_keys",
        "transform_values",
    }
)

#: What is made of the values of a condition for each element, and of whether none of them is NULL.
_MATCHES = {
    "any_match": "CASE WHEN list_bool_or({0}) THEN TRUE WHEN {1} THEN FALSE END",
    "all_match": "CASE WHEN NOT list_bool_and({0}) THEN FALSE WHEN {1} THEN TRUE END",
    "none_match": "CASE WHEN list_bool_or({0}) THEN FALSE WHEN {1} THEN TRUE END",
}


class _Call:
    """A call: its values, and the functions that it is given."""

    def __init__(self, write: Expressions, name: str, node: exp.Expression, scope: Scope) -> None:
        self.name, self.write, self._scope = name, write, scope
        self._lambdas = [each for each in node.expressions if type(each).__name__ == "Lambda"]
        self.values = [write.write(each, scope) for each in node.expressions if type(each).__name__ != "Lambda"]

    def takes(self, values: int, lambdas: int) -> None:
        if (len(self.values), len(self._lambdas)) != (values, lambdas):
            example = "such as any_match(resources, r -> r.type = 'AWS::S3::Bucket')"
            raise QueryError(
                f"{self.name} takes {values} values and {lambdas} functions, {example}", self.name, "function"
            )

    def element(self, number: int = 0) -> Type:
        kind = self.values[number].type
        if kind.name != "array":
            raise QueryError(f"{self.name} takes an array, and this is a {kind}", self.name, "type")
        return kind.of[0]

    def body(self, number: int, given: Sequence[Value]) -> Value:
        """Return what a function makes of values."""
        return self.write.write(
            self._lambdas[number].this,
            self._scope.inside(dict(zip(self._names(number, len(given)), given, strict=True))),
        )

    def function(self, number: int, *types: Type) -> tuple[str, Type]:
        """Return a function as DuckDB has it, and the type of its results."""
        names = [self.write.bound() for _ in types]
        made = self.body(number, [Value(each, kind) for each, kind in zip(names, types, strict=True)])
        return f"lambda {', '.join(names)}: {made.sql}", made.type

    def _names(self, number: int, count: int) -> list[str]:
        names = [each.name.lower() for each in self._lambdas[number].expressions]
        if len(names) != count:
            raise QueryError(
                f"the function of {self.name} takes {count} names, not {len(names)}", self.name, "function"
            )
        if len(set(names)) < len(names):
            raise QueryError(f"the function of {self.name} gives two values one name", self.name, "function")
        return names

    def is_condition(self, kind: Type) -> None:
        if kind not in (BOOLEAN, NULL):
            raise QueryError(f"the function of {self.name} must be a condition, and is a {kind}", self.name, "type")


def with_lambda(write: Expressions, name: str, node: exp.Expression, scope: Scope) -> Value:
    """Return a call of a function that takes functions."""
    call = _Call(write, name, node, scope)
    if name == "reduce":
        return _reduced(call)
    if name == "zip_with":
        return _zipped(call)
    call.takes(1, 1)
    if name in ("map_filter", "transform_keys", "transform_values"):
        return _of_map(call)
    held = call.values[0]
    function, kind = call.function(0, call.element())
    if name == "transform":
        return Value(f"list_transform({held.sql}, {function})", array(kind))
    call.is_condition(kind)
    if name == "filter":
        return Value(f"list_filter({held.sql}, {function})", held.type)
    met = f"CAST(list_transform({held.sql}, {function}) AS BOOLEAN[])"
    return Value(_MATCHES[name].format(met, without_null(met)), BOOLEAN)


def _reduced(call: _Call) -> Value:
    call.takes(2, 2)
    start = call.values[1]
    step, kind = call.function(0, start.type, call.element())
    # The start becomes what the steps make: 0 is a whole number of few digits, and sums have more.
    reduced = f"list_reduce({call.values[0].sql}, {step}, CAST({start.sql} AS {kind.duckdb}))"
    return call.body(1, [Value(reduced, kind)])


def _zipped(call: _Call) -> Value:
    call.takes(2, 1)
    entry = call.write.bound()
    one, other = (f"{entry}[{number}]" for number in (1, 2))
    types = call.element(0), call.element(1)
    made = call.body(0, [Value(each, kind) for each, kind in zip((one, other), types, strict=True)])
    lists = ", ".join(each.sql for each in call.values)
    return Value(f"list_transform(list_zip({lists}), lambda {entry}: {made.sql})", array(made.type))


def _of_map(call: _Call) -> Value:
    held = call.values[0]
    if held.type.name != "map":
        raise QueryError(f"{call.name} takes a map, and this is a {held.type}", call.name, "type")
    each = call.write.bound()
    key, value = Value(f"{each}.key", held.type.of[0]), Value(f"{each}.value", held.type.of[1])
    made = call.body(0, [key, value])
    entries = f"map_entries({held.sql})"
    if call.name == "map_filter":
        call.is_condition(made.type)
        return Value(f"map_from_entries(list_filter({entries}, lambda {each}: {made.sql}))", held.type)
    pair = (made, value) if call.name == "transform_keys" else (key, made)
    entry = f"{{'k': {pair[0].sql}, 'v': {pair[1].sql}}}"
    transformed = f"map_from_entries(list_transform({entries}, lambda {each}: {entry}))"
    return Value(transformed, map_of(pair[0].type, pair[1].type))
