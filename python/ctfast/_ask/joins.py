"""What stands in FROM: tables, sub-queries, joins, and arrays that become rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ctfast._ask.coerce import together
from ctfast._ask.events import is_events
from ctfast._ask.functions import call
from ctfast._ask.scope import Column, Later, Relation, Scope
from ctfast._ask.sqltext import name
from ctfast._ask.types import BIGINT, Type, Value
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

    from ctfast._ask.query import Queries

__all__ = ["renamed", "sources", "star"]

_JOIN = ("this", "kind", "side", "on", "using")
_KINDS, _SIDES = ("", "INNER", "OUTER", "CROSS"), ("", "LEFT", "RIGHT", "FULL")


def sources(queries: Queries, node: exp.Expression, scope: Scope) -> str:
    """Return FROM with its joins, and note the relations in the scope."""
    first = node.args.get("from_")
    if first is None:
        return ""
    sql, relation = _source(queries, first.this, scope)
    scope.relations.append(relation)
    sql = f" FROM {sql}"
    for join in node.args.get("joins") or ():
        sql += _joined(queries, join, scope)
    return sql


def _joined(queries: Queries, join: exp.Expression, scope: Scope) -> str:
    args = {key: value for key, value in join.args.items() if value}
    extra = next((key for key in args if key not in _JOIN), None)
    kind, side = str(args.get("kind") or "").upper(), str(args.get("side") or "").upper()
    if extra is not None or kind not in _KINDS or side not in _SIDES:
        raise queries.expressions.refused(join, f"{args.get('method') or kind or extra}")
    sql, relation = _source(queries, join.this, scope)
    _alone(relation, scope)
    using = [each.name for each in args.get("using") or ()]
    pairs = [_pair(each, relation, scope, side) for each in using]
    scope.relations.append(relation)
    if kind == "CROSS" or not (side or kind or "on" in args or using):
        return f" CROSS JOIN {sql}"
    verb = f" {side} JOIN" if side else " JOIN"
    if using:
        return f"{verb} {sql} ON {' AND '.join(pairs)}"
    if "on" not in args:
        raise QueryError("JOIN has neither ON nor USING: CROSS JOIN needs none", "JOIN", "form")
    return f"{verb} {sql} ON {queries.expressions.condition(args['on'], scope).sql}"


def _alone(relation: Relation, scope: Scope) -> None:
    if any(each.alias.lower() == relation.alias.lower() for each in scope.relations):
        raise QueryError(
            f"{quoted(relation.alias)} stands twice in FROM: give one another name with AS", relation.alias, "table"
        )


def _pair(column: str, relation: Relation, scope: Scope, side: str) -> str:
    """Return what USING compares, and have the column stand for both."""
    left, right = scope.resolve([column]), relation.find(column)
    if right is None:
        raise QueryError(f"no column {quoted(column)} in {relation.alias}, which USING names", column, "column")
    one, other = together(left, right)
    both = {"RIGHT": right, "FULL": Value(f"coalesce({left.sql}, {right.sql})", left.type)}
    scope.joined[column.lower()] = both.get(side, left)
    return f"{one.sql} = {other.sql}"


def star(scope: Scope, of: exp.Expression | None) -> Iterator[tuple[str, Value | Later]]:
    """Yield the columns that ``*`` stands for: those of USING first, the others as they may be used."""
    if of is None:
        if not scope.relations:
            raise QueryError("SELECT * has no FROM", "*", "form")
        every = [each.name for relation in scope.relations for each in relation.columns]
        for column, value in scope.joined.items():
            yield next(each for each in every if each.lower() == column), value
    wanted = None if of is None else of.name.lower()
    relations = [each for each in scope.relations if wanted in (None, each.alias.lower())]
    if not relations and of is not None:
        names = [each.alias for each in scope.relations]
        raise QueryError(f"no table {quoted(of.name)} here{or_nearest(nearest(of.name, names))}", of.name, "table")
    for relation in relations:
        for each in relation.columns:
            if of is not None or each.name.lower() not in scope.joined:
                yield each.name, Later(relation, each)


def renamed(columns: Sequence[Column], alias: exp.Expression | None) -> list[Column]:
    """Return columns under the names that stand after an alias."""
    names = [each.name for each in (alias.args.get("columns") or ())] if alias is not None else []
    if not names:
        return list(columns)
    if len(names) != len(columns):
        shown = alias.name if alias is not None else ""
        raise QueryError(f"{shown} names {len(names)} columns, and there are {len(columns)}", shown, "column")
    return [replace(each, name=given) for given, each in zip(names, columns, strict=True)]


def _source(queries: Queries, node: exp.Expression, scope: Scope) -> tuple[str, Relation]:
    kind = type(node).__name__
    if kind == "Table":
        return _table(queries, node)
    if kind == "Unnest":
        return _unnested(queries, node, scope)
    if kind not in ("Subquery", "Values"):
        raise queries.expressions.refused(node)
    alias = node.args.get("alias")
    if kind == "Values":
        sql, columns = queries.values(node, scope.outer)
    else:
        queries.check(node)
        bare = node.copy()
        bare.set("alias", None)
        sql, columns = queries.write(bare, scope.outer, passes_on=True)
    shown = alias.name if alias is not None and alias.name else queries.new_table("sub")
    return f"({sql}) AS {name(shown)}", Relation(shown, renamed(columns, alias))


def _table(queries: Queries, node: exp.Expression) -> tuple[str, Relation]:
    if type(node.this).__name__ != "Identifier":
        function = node.this.name or str(node.this)
        called = str(node.this.this) if type(node.this).__name__ == "Anonymous" else function
        message = f"{called} is not to be read: a query reads the table 'events', what it makes of it, and UNNEST(…)"
        raise QueryError(message, called, "function")
    extra = next(
        (key for key, value in node.args.items() if value and key not in ("this", "db", "catalog", "alias")), None
    )
    if extra is not None:
        raise queries.expressions.refused(node, extra.upper())
    given, alias = node.name, node.args.get("alias")
    shown = alias.name if alias is not None else given
    is_bare = not node.args.get("db")
    found = queries.common(given) if is_bare else None
    if found is not None:
        table, columns = found
        return f"{table} AS {name(shown)}", Relation(shown, renamed(columns, alias))
    if is_bare and given.lower() in queries.tables.frames:
        queries.frames.add(given.lower())
        known = queries.tables.frames[given.lower()]
        columns = [Column(each, name(each), kind) for each, kind in known.items()]
        return f"{name(f'frame_{given.lower()}')} AS {name(shown)}", Relation(shown, renamed(columns, alias))
    if not is_events(given):
        raise _unknown(queries, given)
    return _events(queries, shown, alias)


def _events(queries: Queries, shown: str, alias: exp.Expression | None) -> tuple[str, Relation]:
    columns = [Column(each, name(each), kind) for each, kind in queries.tables.events.items()]
    relation = Relation(shown, renamed(columns, alias), len(queries.occurrences))
    occurrence = queries.occurred(relation)
    return f"{occurrence} AS {name(shown)}", relation


def _unknown(queries: Queries, given: str) -> QueryError:
    close = nearest(given, ["events", *queries.tables.frames])
    names = "events, an id of an event data store, and names with 'cloudtrail' are the events"
    return QueryError(f"no table {quoted(given)}{or_nearest(close)} ({names}; tables= gives others)", given, "table")


def _unnested(queries: Queries, node: exp.Expression, scope: Scope) -> tuple[str, Relation]:
    """Return rows for the elements of arrays, side by side if there are several."""
    alias, number = node.args.get("alias"), node.args.get("offset")
    names = [each.name for each in (alias.args.get("columns") or ())] if alias is not None else []
    if number:
        names.append(number.name if hasattr(number, "name") else "ordinality")
    shown = alias.name if alias is not None and alias.name else queries.new_table("unnest")
    given = queries.expressions.every(node.expressions, scope)
    counts = len(names) - (1 if number else 0)
    chosen: list[str] = []
    columns: list[Column] = []
    for each in given:
        for sql, kind in _elements(each, expands=counts > len(given)):
            at = len(columns)
            columns.append(Column(names[at] if at < counts else f"_col{at}", f"c{at}", kind))
            chosen.append(f"unnest({sql}) AS c{at}")
    if counts > len(columns):
        raise QueryError(f"UNNEST makes {len(columns)} columns, and {shown} names {counts}", "UNNEST", "form")
    if number:
        lists = [_elements(each, expands=False)[0][0] for each in given]
        longest = f"greatest({', '.join(f'coalesce(len({each}), 0)' for each in lists)})"
        columns.append(Column(names[-1], f"c{len(columns)}", BIGINT))
        chosen.append(f"unnest(range(1, {longest} + 1)) AS {columns[-1].sql}")
    return f"LATERAL (SELECT {', '.join(chosen)}) AS {name(shown)}", Relation(shown, columns)


def _elements(value: Value, *, expands: bool) -> list[tuple[str, Type]]:
    """Return the lists that UNNEST makes rows of: the fields of rows, or the keys and the values of a map."""
    kind = value.type
    if kind.name == "array" and kind.of[0].name == "row" and expands:
        inner = kind.of[0]
        return [
            (f"list_transform({value.sql}, lambda e: e.{name(field)})", of)
            for field, of in _in_order(zip(inner.fields, inner.of, strict=True))
        ]
    if kind.name == "array":
        return [(value.sql, kind.of[0])]
    if kind.name in ("map", "jsontext"):
        keys, values = call("map_keys", [value]), call("map_values", [value])
        return [(each.sql, each.type.of[0]) for each in (keys, values)]
    remedy = (
        "CAST(json_extract(…, '$.list') AS ARRAY(JSON)) is an array" if kind.is_text else "it takes arrays and maps"
    )
    raise QueryError(f"UNNEST of a {kind}: {remedy}", "UNNEST", "type")


#: The fields of resources, as CloudTrail Lake has them.
_RESOURCES = ("accountId", "type", "ARN", "ARNPrefix")


def _in_order(fields: Iterator[tuple[str, Type]]) -> list[tuple[str, Type]]:
    found = list(fields)
    if {given for given, _ in found} == set(_RESOURCES):
        return sorted(found, key=lambda each: _RESOURCES.index(each[0]))
    return found
