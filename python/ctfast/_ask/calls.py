"""Calls: functions, lambdas, aggregates and windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ctfast._ask.aggregates import AGGREGATES, WINDOWS, Aggregate
from ctfast._ask.functions import FUNCTIONS, call
from ctfast._ask.lambdas import LAMBDAS, with_lambda
from ctfast._ask.makers import subscript
from ctfast._ask.sqltext import bound
from ctfast._ask.sqltext import name as quoted_name
from ctfast._ask.syntax import bare, shown
from ctfast._ask.types import TIMESTAMP, Value, map_of, row, zone_among
from ctfast._show.words import nearest, or_nearest
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

    from ctfast._ask.expressions import Expressions
    from ctfast._ask.scope import Scope

__all__ = ["aggregated", "called", "rowed", "window"]

#: What and where, or keys and values.
_PAIR = 2
#: Functions that look like others, and what to call instead.
_INSTEAD = {
    **dict.fromkeys(("json_value", "json_query", "json_exists"), "json_extract_scalar(…, '$.key') or json_extract"),
    "format": "concat(…) or ||",
    "with_timezone": "the time itself: all times are of UTC",
    "zip": "UNNEST(a, b)",
    "ends_with": "LIKE '%…'",
    "ifnull": "coalesce",
    "nvl": "coalesce",
    "isnull": "IS NULL",
    "len": "length",
    "to_char": "date_format(…, '%Y-%m-%d')",
    "to_date": "date_parse(…, '%Y-%m-%d')",
    "string_agg": "listagg(…, ',') WITHIN GROUP (ORDER BY …), or array_join(array_agg(…), ',')",
    "group_concat": "array_join(array_agg(…), ',')",
    "numeric_histogram": "histogram",
    "approx_most_frequent": "count(*) with GROUP BY",
    "multimap_agg": "array_agg with GROUP BY",
}


def called(write: Expressions, name: str, node: exp.Expression, scope: Scope) -> Value:
    """Return a call of a function by its name."""
    if name in AGGREGATES:
        return aggregated(write, node, scope)
    if name in WINDOWS:
        raise QueryError(f"{name} is a function of windows: write {name}(…) OVER (ORDER BY …)", name, "function")
    if name == "map_agg":
        if any(type(each).__name__ in ("Distinct", "Order") for each in node.expressions):
            raise _no_map_agg()
        return _map_agg(write.every(node.expressions, scope))
    if name in LAMBDAS:
        return with_lambda(write, name, node, scope)
    if name not in FUNCTIONS and name not in ("row", "element_at", "if"):
        raise _unknown(name)
    arguments = write.every(node.expressions, scope)
    if name == "row":
        return rowed(arguments)
    if name in FUNCTIONS:
        return call(name, arguments)
    if name == "if" or len(arguments) != _PAIR:
        takes = {"if": "a condition and one or two values", "element_at": "an array or a map, and a number or a key"}
        raise QueryError(f"{name} takes {takes[name]}", name, "function")
    return subscript(arguments[0], arguments[1], is_lenient=True)


def _unknown(name: str) -> QueryError:
    if name in _INSTEAD:
        return QueryError(f"{name} is not translated: write {_INSTEAD[name]}", name, "function")
    close = nearest(name, [*FUNCTIONS, *AGGREGATES, *WINDOWS, *LAMBDAS, "element_at"])
    return QueryError(f"no function {name} here{or_nearest(close)} (docs/sql.md lists them)", name, "function")


def rowed(values: Sequence[Value]) -> Value:
    """Return a row without names."""
    names = [f"field{number}" for number in range(len(values))]
    members = ", ".join(f"{quoted_name(name)}: {value.sql}" for name, value in zip(names, values, strict=True))
    return Value(f"{{{members}}}", row(names, [value.type for value in values]))


def aggregated(write: Expressions, node: exp.Expression, scope: Scope) -> Value:
    """Return an aggregate, with FILTER and OVER if it has them."""
    window = node if type(node).__name__ == "Window" else None
    inner = node.this if window is not None else node
    test = ""
    if type(inner).__name__ == "Filter":
        test = f" FILTER (WHERE {write.condition(inner.expression.this, scope).sql})"
        inner = inner.this
    function, arguments, more = _parts(write, inner, scope)
    name = _named(inner)
    over = "" if window is None else f" OVER {_over(write, window, scope)}"
    if window is None and name in WINDOWS:
        raise QueryError(f"{name} is a function of windows: write {name}(…) OVER (ORDER BY …)", name, "function")
    taken = function.taken(name, arguments)
    if name == "approx_distinct":
        taken = taken[:1]
    if name == "listagg" and len(taken) == 1:
        taken.append("''")  # DuckDB's is a comma
    distinct, order = more
    every = ", ".join(taken) or ("*" if name == "count" else "")
    inside = f"{'DISTINCT ' if distinct or function.is_distinct else ''}{every}{order}"
    kind = function.type(arguments)
    sql = f"{function.name}({inside}){test}{over}"
    if name == "avg" and kind.name == "decimal":
        sql = f"round({sql}, {kind.digits[1]})"
    zone = zone_among(arguments) if kind == TIMESTAMP else ""
    return Value(f"CAST({sql} AS {kind.duckdb})" if function.is_cast else sql, kind, zone=zone)


def _named(node: exp.Expression) -> str:
    return "listagg" if type(node).__name__ == "GroupConcat" else str(node.this).lower()


def _parts(write: Expressions, node: exp.Expression, scope: Scope) -> tuple[Aggregate, list[Value], tuple[bool, str]]:
    """Return an aggregate, its arguments, and whether DISTINCT and what ORDER BY stands within it."""
    if type(node).__name__ == "GroupConcat":
        nodes = [node.this, *filter(None, [node.args.get("separator")])]
    elif type(node).__name__ == "Anonymous":
        nodes = list(node.expressions)
    else:
        raise write.refused(node)
    name = _named(node)
    function = _aggregate(name)
    order, ordered = "", []
    for at, each in enumerate(nodes):
        if type(each).__name__ == "Order":
            order, ordered = f" ORDER BY {write.order(each.expressions, scope)}", each.expressions
            nodes[at] = each.this
    is_distinct = bool(nodes) and type(nodes[0]).__name__ == "Distinct"
    if is_distinct:
        _among(write, name, ordered, nodes[0].expressions, scope)
        if len(nodes[0].expressions) != 1:
            values = write.every(nodes[0].expressions, scope)
            return function, [rowed(values)], (True, order)
        nodes = [*nodes[0].expressions, *nodes[1:]]
    if len(nodes) == 1 and type(nodes[0]).__name__ == "Star":
        if name != "count":
            raise QueryError(f"{name} takes an expression, not *", name, "function")
        nodes = []
    return function, write.every(nodes, scope), (is_distinct, order)


def _aggregate(name: str) -> Aggregate:
    if name == "map_agg":
        raise _no_map_agg()
    function = AGGREGATES.get(name) or WINDOWS.get(name)
    if function is None:
        raise QueryError(f"{name} is no aggregate: FILTER and OVER stand after those", name, "function")
    return function


def _among(
    write: Expressions, name: str, ordered: Sequence[exp.Expression], taken: Sequence[exp.Expression], scope: Scope
) -> None:
    """Refuse an order of different values by something else: equal ones may have several of it."""
    known = {each.sql for each in write.every(map(bare, taken), scope)}
    for each in ordered:
        if write.write(bare(each.this), scope).sql not in known:
            by = shown(each.this)
            raise QueryError(f"{name}(DISTINCT …) is ordered by what it takes, and not by {by}", by, "form")


def _over(write: Expressions, node: exp.Expression, scope: Scope) -> str:
    if node.args.get("alias") is not None:
        if any(node.args.get(each) for each in ("partition_by", "order", "spec")):
            raise write.refused(node)
        return quoted_name(node.args["alias"].name)
    return f"({window(write, node, scope)})"


def window(write: Expressions, node: exp.Expression, scope: Scope) -> str:
    """Return what a window is made of."""
    parts = []
    if node.args.get("partition_by"):
        parts.append(f"PARTITION BY {', '.join(each.sql for each in write.every(node.args['partition_by'], scope))}")
    if node.args.get("order"):
        parts.append(f"ORDER BY {write.order(node.args['order'].expressions, scope)}")
    spec = node.args.get("spec")
    if spec is not None:
        parts.append(_frame(write, spec, scope))
    return " ".join(parts)


def _frame(write: Expressions, spec: exp.Expression, scope: Scope) -> str:
    known = ("kind", "start", "start_side", "end", "end_side")
    if any(value for name, value in spec.args.items() if name not in known) or spec.args["kind"] not in (
        "ROWS",
        "RANGE",
    ):
        raise write.refused(spec)

    def edge(which: str) -> str:
        given, side = spec.args.get(which), spec.args.get(f"{which}_side")
        words = given if isinstance(given, str) else write.write(given, scope).sql if given else "CURRENT ROW"
        return f"{words} {side or ''}".strip()

    return f"{spec.args['kind']} BETWEEN {edge('start')} AND {edge('end')}"


def _no_map_agg() -> QueryError:
    message = "map_agg is not translated with DISTINCT, ORDER BY, FILTER or OVER: use a sub-query and GROUP BY"
    return QueryError(message, "map_agg", "form")


def _map_agg(arguments: Sequence[Value]) -> Value:
    """Return a map of the keys of a group, with one value of each."""
    if len(arguments) != _PAIR:  # keys and values
        raise QueryError(f"map_agg takes 2 arguments, not {len(arguments)}", "map_agg", "function")
    keys, values = (each.sql for each in arguments)
    every = f"list_distinct(list({keys}))"
    found = f"list_extract(list({values}), list_position(list({keys}), {bound('k')}))"
    return Value(
        f"map({every}, list_transform({every}, lambda {bound('k')}: {found}))",
        map_of(*(each.type for each in arguments)),
    )
