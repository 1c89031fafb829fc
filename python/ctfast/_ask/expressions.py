"""Expressions of Trino in DuckDB's SQL. What no method here writes is refused: this is THE list of forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ctfast._ask import calls
from ctfast._ask.coerce import as_text, cast, together
from ctfast._ask.functions import call
from ctfast._ask.kinds import type_of
from ctfast._ask.makers import subscript
from ctfast._ask.operators import COMPUTED, as_column, compared, computed, only
from ctfast._ask.parameters import Parameters, interval_of, number_of
from ctfast._ask.partitions import pattern_of
from ctfast._ask.scope import Column, Scope, field_of
from ctfast._ask.spans import join, meet, one_of
from ctfast._ask.sqltext import bound, constant, time
from ctfast._ask.syntax import EXTRACTED, FORMS, INSTEAD, shown
from ctfast._ask.types import (
    BOOLEAN,
    DATE,
    INTERVAL,
    JSON,
    NULL,
    TIMESTAMP,
    VARCHAR,
    Type,
    Value,
    array,
    common,
    zone_among,
)
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Expressions"]

_COMPARED = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
_DISTINCT = {"NullSafeEQ": "IS NOT DISTINCT FROM", "NullSafeNEQ": "IS DISTINCT FROM"}

#: Writes a sub-query: its SQL, and its columns.
Queries = Callable[["exp.Expression", Scope], tuple[str, Sequence[Column]]]


class Expressions:
    """Writes expressions.

    Parameters
    ----------
    queries
        Writes sub-queries.
    parameters
        What is given beside the query.
    now
        What ``now()`` is.
    """

    def __init__(self, queries: Queries, parameters: Parameters, now: datetime) -> None:
        self._queries, self._parameters, self._now = queries, parameters, now
        #: Whether the query asked for the time.
        self.asked_now = False
        self._lambdas = 0

    def write(self, node: exp.Expression, scope: Scope) -> Value:
        """Return an expression where names mean what a scope says."""
        kind = type(node).__name__
        known = FORMS.get(kind)
        if known is None:
            raise self.refused(node)
        extra = next((name for name, value in node.args.items() if value and name not in known.split()), None)
        if extra is not None:
            raise self.refused(node, extra)
        written: Value = getattr(self, f"_{kind.lower()}", self._simple)(node, scope)
        return written

    def refused(self, node: exp.Expression, part: str = "") -> QueryError:
        """Return the error for a form that is not translated."""
        instead, culprit = INSTEAD.get(type(node).__name__), shown(node)
        words = f"{culprit} is not translated{f' with {part}' if part else ''}"
        return QueryError(f"{words}{f': write {instead}' if instead else ''}", culprit, "form")

    def bound(self) -> str:
        """Return a name for what a lambda is given, which nothing else in the query has."""
        self._lambdas += 1
        return bound(self._lambdas)

    def condition(self, node: exp.Expression, scope: Scope) -> Value:
        """Return a condition."""
        found = self.write(node, scope)
        if found.type not in (BOOLEAN, NULL):
            raise QueryError(f"{shown(node)} is a {found.type}, and a condition is needed", shown(node), "type")
        return found

    def every(self, nodes: Iterable[exp.Expression], scope: Scope) -> list[Value]:
        """Return several expressions."""
        return [self.write(node, scope) for node in nodes]

    def order(self, nodes: Iterable[exp.Expression], scope: Scope) -> str:
        """Return what ORDER BY has: NULLs are last, if nothing else is said."""
        return ", ".join(self._ordered(node, self.write(node.this, scope)) for node in nodes)

    @staticmethod
    def _ordered(node: exp.Expression, value: Value) -> str:
        nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
        return f"{value.sql} {'DESC' if node.args.get('desc') else 'ASC'} NULLS {nulls}"

    ordered = _ordered

    # Constants and names.

    def _literal(self, node: exp.Expression, _: Scope) -> Value:
        text: str = node.this
        if node.is_string:
            filled = self._parameters.filled(text)
            return Value(constant(filled), VARCHAR, filled)
        return number_of(text)

    def _boolean(self, node: exp.Expression, _: Scope) -> Value:
        return Value("TRUE" if node.this else "FALSE", BOOLEAN)

    def _null(self, _node: exp.Expression, _: Scope) -> Value:
        return Value("NULL", NULL)

    def _placeholder(self, node: exp.Expression, _: Scope) -> Value:
        return self._parameters.value(node.this)

    def _column(self, node: exp.Expression, scope: Scope) -> Value:
        if type(node.this).__name__ == "Star":
            raise QueryError(f"{shown(node)} stands for columns, and one value is needed", "*", "form")
        parts = [node.args[each] for each in ("catalog", "db", "table", "this") if node.args.get(each)]
        return scope.resolve([part.name for part in parts])

    def _identifier(self, node: exp.Expression, scope: Scope) -> Value:
        return scope.resolve([node.name])

    def _dot(self, node: exp.Expression, scope: Scope) -> Value:
        if type(node.expression).__name__ != "Identifier":
            raise self.refused(node)
        names, inner = [node.expression.name], node.this
        while type(inner).__name__ == "Dot" and type(inner.expression).__name__ == "Identifier":
            names.append(inner.expression.name)
            inner = inner.this
        if type(inner).__name__ == "Column":
            parts = [inner.args[each].name for each in ("catalog", "db", "table", "this") if inner.args.get(each)]
            return scope.resolve([*parts, *reversed(names)])
        if type(inner).__name__ == "Identifier":
            return scope.resolve([inner.name, *reversed(names)])
        value = self.write(inner, scope)
        for name in reversed(names):
            value = field_of(value, name)
        return value

    # Operators.

    def _paren(self, node: exp.Expression, scope: Scope) -> Value:
        inner = self.write(node.this, scope)
        return inner._replace(sql=f"({inner.sql})")

    def _neg(self, node: exp.Expression, scope: Scope) -> Value:
        inner = self.write(node.this, scope)
        if not (inner.type.is_number or inner.type in (INTERVAL, NULL)):
            raise QueryError(f"- takes numbers, and this is a {inner.type}", "-", "type")
        return Value(f"(-{inner.sql})", inner.type)

    def _simple(self, node: exp.Expression, scope: Scope) -> Value:
        kind = type(node).__name__
        if kind in _COMPARED:
            return self._comparison(_COMPARED[kind], node, scope)
        if kind in _DISTINCT:
            one, other = together(*self.every([node.this, node.expression], scope))
            return Value(f"({one.sql} {_DISTINCT[kind]} {other.sql})", BOOLEAN)
        if kind in COMPUTED:
            return computed(kind, *self.every([node.this, node.expression], scope))
        raise self.refused(node)

    def _comparison(self, operator: str, node: exp.Expression, scope: Scope) -> Value:
        quantified = type(node.expression).__name__
        if quantified in ("Any", "All"):
            inner = node.expression.this
            sql, columns = self._queries(inner.this if type(inner).__name__ == "Subquery" else inner, scope)
            one = as_column(self.write(node.this, scope), columns)
            return Value(f"({one.sql} {operator} {quantified.upper()} ({sql}))", BOOLEAN)
        return compared(operator, *self.every([node.this, node.expression], scope))

    def _div(self, node: exp.Expression, scope: Scope) -> Value:
        return computed("Div", *self.every([node.this, node.expression], scope))

    def _dpipe(self, node: exp.Expression, scope: Scope) -> Value:
        return call("concat", self.every([node.this, node.expression], scope))

    def _and(self, node: exp.Expression, scope: Scope) -> Value:
        one, other = (self.condition(each, scope) for each in (node.this, node.expression))
        return Value(f"({one.sql} AND {other.sql})", BOOLEAN, **meet(one, other))

    def _or(self, node: exp.Expression, scope: Scope) -> Value:
        one, other = (self.condition(each, scope) for each in (node.this, node.expression))
        return one_of(Value(f"({one.sql} OR {other.sql})", BOOLEAN, **join(one, other)))

    def _not(self, node: exp.Expression, scope: Scope) -> Value:
        return Value(f"(NOT {self.condition(node.this, scope).sql})", BOOLEAN)

    def _is(self, node: exp.Expression, scope: Scope) -> Value:
        if type(node.expression).__name__ != "Null":
            raise QueryError(f"{shown(node)} is not translated: write = TRUE, or the condition itself", "IS", "form")
        return Value(f"({self.write(node.this, scope).sql} IS NULL)", BOOLEAN)

    def _between(self, node: exp.Expression, scope: Scope) -> Value:
        value, low, high = self.every([node.this, node.args["low"], node.args["high"]], scope)
        first, last = compared(">=", value, low), compared("<=", value, high)
        return Value(f"({first.sql} AND {last.sql})", BOOLEAN, **meet(first, last))

    def _in(self, node: exp.Expression, scope: Scope) -> Value:
        query = node.args.get("query")
        if query is not None:
            sql, columns = self._queries(query.this, scope)
            if type(node.this).__name__ == "Tuple":
                given = self.every(node.this.expressions, scope)
                if len(given) != len(columns):
                    message = f"a row of {len(given)} values is compared with a sub-query of {len(columns)} columns"
                    raise QueryError(message, "IN", "form")
                inner = ", ".join(as_column(each, [column]).sql for each, column in zip(given, columns, strict=True))
                return Value(f"(({inner}) IN ({sql}))", BOOLEAN)
            one = as_column(self.write(node.this, scope), columns)
            return Value(f"({one.sql} IN ({sql}))", BOOLEAN)
        value, members = self.write(node.this, scope), self.every(node.expressions, scope)
        if not members:
            raise QueryError("IN has no values", "IN", "form")
        tests = [compared("=", value, each) for each in members]
        known = tests[0]
        for test in tests[1:]:
            known = known._replace(**join(known, test))
        sql = f"({' OR '.join(test.sql for test in tests)})"
        pairs = [together(value, each) for each in members]
        if len({one.sql for one, _ in pairs}) == 1:  # which DuckDB passes on to the files
            sql = f"({pairs[0][0].sql} IN ({', '.join(other.sql for _, other in pairs)}))"
        return one_of(known._replace(sql=sql))

    def _like(self, node: exp.Expression, scope: Scope, escape: str = "") -> Value:
        one, other = self.every([node.this, node.expression], scope)
        one = Value(f"CAST({one.sql} AS VARCHAR)", VARCHAR) if one.type == JSON else as_text(one)
        other = pattern_of(one, as_text(other))
        negated = "NOT " if node.args.get("negate") else ""
        return Value(f"({one.sql} {negated}LIKE {other.sql}{escape})", BOOLEAN)

    def _escape(self, node: exp.Expression, scope: Scope) -> Value:
        if type(node.this).__name__ != "Like":
            raise self.refused(node)
        extra = next(
            (name for name, value in node.this.args.items() if value and name not in FORMS["Like"].split()), None
        )
        if extra is not None:
            raise self.refused(node.this, extra)
        return self._like(node.this, scope, f" ESCAPE {self.write(node.expression, scope).sql}")

    def _case(self, node: exp.Expression, scope: Scope) -> Value:
        given = node.args.get("this")
        subject = None if given is None else self.write(given, scope)
        tests, results = [], []
        for each in node.args["ifs"]:
            if subject is None:
                tests.append(self.condition(each.this, scope).sql)
            else:
                tests.append(compared("=", subject, self.write(each.this, scope)).sql)
            results.append(self.write(each.args["true"], scope))
        default = node.args.get("default")
        results.append(Value("NULL", NULL) if default is None else self.write(default, scope))
        kind = self._one_type(results, node)
        whens = " ".join(f"WHEN {test} THEN {result.sql}" for test, result in zip(tests, results, strict=False))
        return Value(f"CASE {whens} ELSE {results[-1].sql} END", kind, zone=zone_among(results))

    def _if(self, node: exp.Expression, scope: Scope) -> Value:
        test = self.condition(node.this, scope)
        given = [node.args["true"], node.args.get("false")]
        results = [Value("NULL", NULL) if each is None else self.write(each, scope) for each in given]
        kind = self._one_type(results, node)
        sql = f"CASE WHEN {test.sql} THEN {results[0].sql} ELSE {results[1].sql} END"
        return Value(sql, kind, zone=zone_among(results))

    @staticmethod
    def _one_type(values: Sequence[Value], node: exp.Expression) -> Type:
        found = common([value.type for value in values])
        if found is None:
            kinds = " and ".join(dict.fromkeys(str(value.type) for value in values))
            raise QueryError(f"the results of {shown(node)} are {kinds}: CAST makes one type of them", kinds, "type")
        return found

    def _cast(self, node: exp.Expression, scope: Scope, *, tries: bool = False) -> Value:
        to, length = type_of(node.args["to"])
        value = cast(self.write(node.this, scope), to, tries=tries)
        if length is not None:
            return Value(f"left({value.sql}, {length})", VARCHAR)
        return value._replace(zone="UTC") if node.args["to"].this.name == "TIMESTAMPTZ" else value

    def _trycast(self, node: exp.Expression, scope: Scope) -> Value:
        return self._cast(node, scope, tries=True)

    def _interval(self, node: exp.Expression, _: Scope) -> Value:
        found = interval_of(self._parameters.filled(node.this.name), str(node.args["unit"]))
        if found is None:
            raise QueryError(f"{shown(node)} is not translated: write INTERVAL '1' DAY", shown(node), "form")
        return found

    def _array(self, node: exp.Expression, scope: Scope) -> Value:
        values = self.every(node.expressions, scope)
        kind = self._one_type(values, node) if values else NULL
        return Value(f"[{', '.join(each.sql for each in values)}]", array(kind))

    def _tuple(self, node: exp.Expression, scope: Scope) -> Value:
        return calls.rowed(self.every(node.expressions, scope))

    def _bracket(self, node: exp.Expression, scope: Scope) -> Value:
        held, *keys = self.every([node.this, *node.expressions], scope)
        if len(keys) != 1:
            raise self.refused(node)
        return subscript(held, keys[0], is_lenient=False)

    def _parsejson(self, node: exp.Expression, scope: Scope) -> Value:
        return call("json_parse", [self.write(node.this, scope)])

    # Sub-queries.

    def _subquery(self, node: exp.Expression, scope: Scope) -> Value:
        sql, columns = self._queries(node.this, scope)
        return Value(f"({sql})", only(columns).type, zone=columns[0].zone)

    def _exists(self, node: exp.Expression, scope: Scope) -> Value:
        inner = node.this.this if type(node.this).__name__ == "Subquery" else node.this
        return Value(f"EXISTS ({self._queries(inner, scope)[0]})", BOOLEAN)

    # Times and texts with a syntax of their own.

    def _currentdate(self, _node: exp.Expression, _: Scope) -> Value:
        self.asked_now = True
        return Value(f"DATE '{self._now.date().isoformat()}'", DATE, self._now.date().isoformat())

    def _currenttimestamp(self, _node: exp.Expression, _: Scope) -> Value:
        self.asked_now = True
        return Value(time(self._now), TIMESTAMP, self._now.isoformat(), zone="UTC")

    def _localtimestamp(self, node: exp.Expression, scope: Scope) -> Value:
        return self._currenttimestamp(node, scope)._replace(zone="")

    def _attimezone(self, node: exp.Expression, scope: Scope) -> Value:
        return call("at_timezone", self.every([node.this, node.args["zone"]], scope))

    def _extract(self, node: exp.Expression, scope: Scope) -> Value:
        part = str(node.this).upper()
        if part not in EXTRACTED:
            raise QueryError(f"EXTRACT({part} …) is not translated", part, "form")
        return call(EXTRACTED[part], [self.write(node.expression, scope)])

    def _trim(self, node: exp.Expression, scope: Scope) -> Value:
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
        given = [node.this, *filter(None, [node.args.get("expression")])]
        text, *characters = (as_text(each) for each in self.every(given, scope))
        if not characters:
            return call(name, [text])
        return Value(f"{name}({text.sql}, {characters[0].sql})", VARCHAR)

    def _substring(self, node: exp.Expression, scope: Scope) -> Value:
        given = filter(None, [node.this, node.args.get("start"), node.args.get("length")])
        return call("substr", self.every(given, scope))

    def _strposition(self, node: exp.Expression, scope: Scope) -> Value:
        return call("strpos", self.every([node.this, node.args["substr"]], scope))

    # Calls.

    def _anonymous(self, node: exp.Expression, scope: Scope) -> Value:
        name = str(node.this).lower()
        if name in ("now", "current_timestamp", "localtimestamp"):
            write = self._localtimestamp if name == "localtimestamp" else self._currenttimestamp
            return write(node, scope)
        return calls.called(self, name, node, scope)

    def _filter(self, node: exp.Expression, scope: Scope) -> Value:
        return calls.aggregated(self, node, scope)

    def _window(self, node: exp.Expression, scope: Scope) -> Value:
        return calls.aggregated(self, node, scope)

    def _groupconcat(self, node: exp.Expression, scope: Scope) -> Value:
        return calls.aggregated(self, node, scope)
