"""Queries of Trino in DuckDB's SQL: what stands in FROM, what comes out, under which names and in which order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from ctfast._ask import joins
from ctfast._ask.calls import window
from ctfast._ask.expressions import Expressions
from ctfast._ask.parameters import Parameters
from ctfast._ask.scope import Column, Later, Relation, Scope, knowing
from ctfast._ask.spans import both, bounded, of_facets
from ctfast._ask.sqltext import name
from ctfast._ask.syntax import bare, named, shown
from ctfast._ask.translation import Occurrence, Tables, Translation
from ctfast._ask.types import NULL, VARCHAR, Spans, Value, common, zone_among
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Queries", "translated"]

#: Types that no result has, and what to write instead.
_NO_RESULTS = {
    "interval": "an interval: date_diff('second', …, …) is a number",
    "zoned": "a time of another zone: date_format(…, '%Y-%m-%d %H:%i') prints it",
}
#: What comes out of a query, by its name.
Result: TypeAlias = "tuple[str, Value | Later]"
#: Digits of a number of a column.
_LONGEST = 9
#: Around the number of a column that may not be used; no text of a query has it.
_MARK = "\0"

#: What each form may have; anything else is refused.
_FORMS = {
    "Select": "with_ expressions from_ joins where group having windows distinct order limit offset",
    **dict.fromkeys(("Union", "Except", "Intersect"), "with_ this expression distinct order limit offset"),
    "With": "expressions",
    "CTE": "this alias",
    "Group": "expressions",
    "Values": "expressions alias order limit offset",
    "Subquery": "this alias with_ order limit offset",
    "Limit": "expression",
    "Fetch": "direction count limit_options",
    "Offset": "expression",
    "Distinct": "",
}


def translated(tree: exp.Expression, tables: Tables, parameters: Parameters, now: datetime) -> Translation:
    """Return a query in DuckDB's SQL; refuse it if any part of it is not known."""
    queries = Queries(tables, parameters, now)
    try:
        sql, columns = queries.write(tree, None)
        for column in columns:
            if column.type.name in _NO_RESULTS:
                raise QueryError(f"{column.name} is {_NO_RESULTS[column.type.name]}", column.name, "type")
    except RecursionError:
        raise QueryError("expressions are nested too deep", "", "too-deep") from None
    return Translation(
        queries.finished(sql), columns, queries.occurrences, queries.frames, queries.expressions.asked_now
    )


@dataclass
class _Common:
    """A query that WITH names."""

    table: str
    columns: list[Column]
    uses: int = 0


class Queries:
    """Writes queries, and notes what they read."""

    def __init__(self, tables: Tables, parameters: Parameters, now: datetime) -> None:
        self.tables = tables
        self.expressions = Expressions(self.write, parameters, now)
        self.occurrences: list[Occurrence] = []
        self.frames: set[str] = set()
        self._common: list[dict[str, _Common]] = []
        self._tables = 0
        self._later: list[Later] = []

    def write(self, node: exp.Expression, outer: Scope | None, *, passes_on: bool = False) -> tuple[str, list[Column]]:
        """Return a query, and its columns; with ``passes_on``, those of ``*`` are read only if they are used."""
        self.check(node)
        given = node.args.get("with_")
        known: dict[str, _Common] = {}
        self._common.append(known)
        try:
            sqls = [] if given is None else self._with(given, known)
            sql, columns = self._body(node, outer)
        finally:
            self._common.pop()
        if not passes_on:
            for column in columns:
                column.take()
        if not sqls:
            return sql, columns
        uses = {each.table: each.uses for each in known.values()}
        parts = (
            f"{table} AS {'MATERIALIZED ' if self.tables.is_streamed and uses[table] > 1 else ''}({inner})"
            for table, inner in sqls
        )
        return f"WITH {', '.join(parts)} {sql}", columns

    def check(self, node: exp.Expression) -> None:
        """Refuse a form that is not known, or has something that is not."""
        kind = type(node).__name__
        known = _FORMS.get(kind)
        if known is None:
            raise self.expressions.refused(node)
        extra = next((each for each, value in node.args.items() if value and each not in known.split()), None)
        if extra is not None:
            raise self.expressions.refused(node, extra.rstrip("_").upper())

    def _with(self, node: exp.Expression, known: dict[str, _Common]) -> list[tuple[str, str]]:
        if node.args.get("recursive"):
            raise QueryError("WITH RECURSIVE is not translated", "WITH RECURSIVE", "form")
        self.check(node)
        sqls = []
        for each in node.expressions:
            self.check(each)
            sql, columns = self.write(each.this, None, passes_on=True)
            renamed = joins.renamed(columns, each.args["alias"])
            table = self.new_table("with")
            if each.alias.lower() in known:
                raise QueryError(f"WITH names {quoted(each.alias)} twice", each.alias, "table")
            known[each.alias.lower()] = _Common(table, renamed)
            sqls.append((table, sql))
        return sqls

    def new_table(self, kind: str) -> str:
        """Return a name that no other table has."""
        self._tables += 1
        return f"{kind}_{self._tables}"

    def occurred(self, relation: Relation) -> str:
        """Note that events are read here; return their table."""
        self.occurrences.append(Occurrence(relation))
        return self.occurrences[-1].table

    def common(self, wanted: str) -> tuple[str, list[Column]] | None:
        """Return a query that WITH names, if there is one of this name."""
        for known in reversed(self._common):
            found = known.get(wanted.lower())
            if found is not None:
                found.uses += 1
                return found.table, found.columns
        return None

    def _body(self, node: exp.Expression, outer: Scope | None) -> tuple[str, list[Column]]:
        kind = type(node).__name__
        if kind == "Select":
            return self._select(node, outer)
        if kind in ("Union", "Except", "Intersect"):
            return self._both(node, outer, kind.upper())
        if kind == "Values":
            sql, columns = self.values(node, outer)
            return self._after(f"SELECT * FROM ({sql})", node, columns)
        if kind == "Subquery" and node.args.get("alias") is None:
            sql, columns = self.write(node.this, outer)
            return self._after(f"SELECT * FROM ({sql})", node, columns)
        raise self.expressions.refused(node)

    def values(self, node: exp.Expression, outer: Scope | None) -> tuple[str, list[Column]]:
        """Return rows that stand in the query."""
        scope, rows = Scope(outer), []
        for each in node.expressions:
            inner = each.expressions if type(each).__name__ == "Tuple" else [each]
            rows.append(self.expressions.every(inner, scope))
        if len({len(row) for row in rows}) != 1:
            raise QueryError("the rows of VALUES have different numbers of columns", "VALUES", "form")
        types = [common([row[at].type for row in rows]) for at in range(len(rows[0]))]
        if None in types:
            raise QueryError("a column of VALUES has values of different types", "VALUES", "type")
        sql = ", ".join(f"({', '.join(value.sql for value in row)})" for row in rows)
        zones = [zone_among([row[at] for row in rows]) for at in range(len(rows[0]))]
        columns = [
            Column(f"_col{at}", f"c{at}", kind or NULL, zone=zone)
            for at, (kind, zone) in enumerate(zip(types, zones, strict=True))
        ]
        return f"SELECT * FROM (VALUES {sql}) AS v({', '.join(each.sql for each in columns)})", columns

    def _both(self, node: exp.Expression, outer: Scope | None, verb: str) -> tuple[str, list[Column]]:
        """Return UNION, EXCEPT or INTERSECT."""
        (one, first), (other, second) = (self.write(each, outer) for each in (node.this, node.expression))
        if len(first) != len(second):
            counts = f"{len(first)} and {len(second)} columns"
            raise QueryError(f"both sides of {verb} have the same columns, and these have {counts}", verb, "form")
        columns = []
        for at, (left, right) in enumerate(zip(first, second, strict=True)):
            kind = common([left.type, right.type])
            if kind is None:
                message = f"column {at + 1} of {verb} is {left.type} and {right.type}: CAST makes one type of them"
                raise QueryError(message, left.name, "type")
            form = left.form if left.form == right.form else ""
            columns.append(Column(left.name, f"c{at}", kind, zone=zone_among([left, right]), form=form))
        every = "" if node.args.get("distinct") else " ALL"
        return self._after(f"({one}) {verb}{every} ({other})", node, columns)

    def _after(self, sql: str, node: exp.Expression, columns: list[Column]) -> tuple[str, list[Column]]:
        """Return a query with its ORDER BY, which knows only names and numbers of columns, and LIMIT."""
        order = node.args.get("order")
        if order is not None:
            parts = []
            for each in order.expressions:
                at = self._position(each.this, columns)
                if at is None:
                    shown = each.this.sql()
                    message = f"ORDER BY after a set of rows takes names and numbers of columns, not {shown}"
                    raise QueryError(message, shown, "form")
                parts.append(self.expressions.ordered(each, Value(str(at), VARCHAR)))
            sql += f" ORDER BY {', '.join(parts)}"
        return sql + self._limit(node), columns

    @staticmethod
    def _position(node: exp.Expression, columns: Sequence[Column]) -> int | None:
        """Return which column ORDER BY or GROUP BY means by a number or a name of the result."""
        kind = type(node).__name__
        if kind == "Literal" and not node.is_string:
            number = int(node.this) if node.this.isdecimal() and len(node.this) <= _LONGEST else 0
            if not 1 <= number <= len(columns):
                given = str(node.this)[:_LONGEST]
                raise QueryError(f"there is no column {given}: there are {len(columns)}", given, "column")
            columns[number - 1].take()
            return number
        if kind == "Column" and not node.args.get("table"):
            same = [at for at, each in enumerate(columns, 1) if each.name.lower() == node.name.lower()]
            if len(same) == 1:
                columns[same[0] - 1].take()
                return same[0]
        return None

    def _limit(self, node: exp.Expression) -> str:
        sql = ""
        limit, offset = node.args.get("limit"), node.args.get("offset")
        if limit is not None:
            self.check(limit)
            options = limit.args.get("limit_options")
            if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
                message = "FETCH FIRST … WITH TIES is not translated: rank() OVER (ORDER BY …) <= n has the ties too"
                raise QueryError(message, "WITH TIES", "form")
            given = limit.args.get("count") if type(limit).__name__ == "Fetch" else limit.expression
            if str(given).upper() != "ALL":
                sql = f" LIMIT {self._whole(given)}"
        if offset is not None:
            self.check(offset)
            sql += f" OFFSET {self._whole(offset.expression)}"
        return sql

    def _whole(self, node: exp.Expression | None) -> str:
        text = "1" if node is None else self.expressions.write(node, Scope()).sql.strip("'")
        if not text.isdecimal() or int(text) >= 1 << 63:
            raise QueryError(f"LIMIT and OFFSET take a whole number below 2^63, not {text}", text, "form")
        return text

    def _select(self, node: exp.Expression, outer: Scope | None) -> tuple[str, list[Column]]:
        scope = Scope(outer)
        source = joins.sources(self, node, scope)
        windows = [
            f"{name(each.this.name)} AS ({window(self.expressions, each, scope)})"
            for each in node.args.get("windows") or ()
        ]
        results = self._results(node, scope)
        distinct = ""
        if node.args.get("distinct") is not None:
            self.check(node.args["distinct"])
            distinct = "DISTINCT "
            results = [(given, value.take() if isinstance(value, Later) else value) for given, value in results]
        columns = [_column(at, given, value) for at, (given, value) in enumerate(results)]
        sql = f"SELECT {distinct}{self._chosen(results)}{source}"
        sql += self._where(node, scope, columns)
        sql += self._group(node, scope, columns)
        having = node.args.get("having")
        if having is not None:
            sql += f" HAVING {self._condition(having.this, scope, columns).sql}"
        if windows:
            sql += f" WINDOW {', '.join(windows)}"
        return sql + self._order(node, scope, columns, results) + self._limit(node), columns

    def _chosen(self, results: Sequence[Result]) -> str:
        """Return what SELECT has; a mark for each column of which is not known yet whether it is used."""
        parts = []
        for at, (_, value) in enumerate(results):
            if isinstance(value, Later):
                self._later.append(value)
                parts.append(f"{_MARK}{len(self._later) - 1}{_MARK} AS c{at}")
            else:
                parts.append(f"{value.sql} AS c{at}")
        return ", ".join(parts)

    def finished(self, sql: str) -> str:
        """Return a query in which columns that nothing uses are NULL."""
        return re.sub(f"{_MARK}(\\d+){_MARK}", lambda found: self._later[int(found[1])].sql, sql)

    def _results(self, node: exp.Expression, scope: Scope) -> list[Result]:
        """Return what comes out, by name."""
        found: list[Result] = []
        for each in node.expressions:
            kind = type(each).__name__
            if kind == "Star" or (kind == "Column" and type(each.this).__name__ == "Star"):
                if kind == "Star" and any(each.args.values()):
                    raise self.expressions.refused(each, "EXCLUDE or REPLACE")
                found.extend(joins.star(scope, each.args.get("table")))
                continue
            inner = bare(each.this if kind == "Alias" else each)
            value = self.expressions.write(inner, scope)
            if value.type.name == "zoned" and type(inner).__name__ == "AtTimeZone" and len(self._common) == 1:
                value = self.expressions.write(inner.this, scope)  # the same moment: results are of UTC
            found.append((named(each, len(found)), value))
        if not found:
            raise QueryError("SELECT has no columns", "SELECT", "form")
        return found

    def _condition(self, node: exp.Expression, scope: Scope, columns: Sequence[Column]) -> Value:
        """Return WHERE or HAVING; a name of the result, which they do not know, is told from other unknown ones."""
        with knowing(columns):
            return self.expressions.condition(node, scope)

    def _where(self, node: exp.Expression, scope: Scope, columns: Sequence[Column]) -> str:
        if node.args.get("where") is None:
            return ""
        found = self._condition(node.args["where"].this, scope, columns)
        sql = f" WHERE {found.sql}"
        for occurrence in self.occurrences:
            number = occurrence.relation.number
            if number is None or not any(each is occurrence.relation for each in scope.relations):
                continue
            parts = of_facets(found.facets, number)
            if parts is not None:  # which DuckDB knows of each file, unlike texts that are made of times
                sql += f" AND {bounded(scope.resolve([occurrence.relation.alias, 'eventTime']).sql, *parts)}"
            known: Spans = {} if parts is None else {number: parts}
            span = both(found.spans, known).get(number, (None, None))
            occurrence.first, occurrence.after = span
            occurrence.test = found.tests.get(number)
        return sql

    def _group(self, node: exp.Expression, scope: Scope, columns: Sequence[Column]) -> str:
        group = node.args.get("group")
        if group is None:
            return ""
        self.check(group)
        return f" GROUP BY {', '.join(self._grouped(each, scope, columns) for each in group.expressions)}"

    def _grouped(self, node: exp.Expression, scope: Scope, columns: Sequence[Column]) -> str:
        kind = type(node).__name__
        if kind in ("GroupingSets", "Rollup", "Cube"):
            verb = {"GroupingSets": "GROUPING SETS"}.get(kind, kind.upper())
            return f"{verb} ({', '.join(self._grouped(each, scope, columns) for each in node.expressions)})"
        if kind == "Tuple":
            return f"({', '.join(self._grouped(each, scope, columns) for each in node.expressions)})"
        if kind == "Literal":
            return str(self._position(node, columns))
        with knowing(columns):
            return self.expressions.write(node, scope).sql

    def _order(self, node: exp.Expression, scope: Scope, columns: Sequence[Column], results: Sequence[Result]) -> str:
        order = node.args.get("order")
        if order is None:
            return ""
        known = {given.lower(): value for given, value in results if not isinstance(value, Later)}
        inner = scope.after(known)
        parts = []
        for each in order.expressions:
            wanted = bare(each.this)
            at, sql = self._position(wanted, columns), ""
            if at is None:
                sql = self.expressions.write(wanted, inner).sql
                at = next((number for number, (_, result) in enumerate(results, 1) if result.sql == sql), None)
            if at is None and node.args.get("distinct") is not None:
                message = f"ORDER BY {shown(wanted)} is no column of SELECT DISTINCT: add it there, or write GROUP BY"
                raise QueryError(message, shown(wanted), "form")
            parts.append(self.expressions.ordered(each, Value(sql if at is None else str(at), VARCHAR)))
        return f" ORDER BY {', '.join(parts)}"


def _column(at: int, given: str, value: Value | Later) -> Column:
    later = value if isinstance(value, Later) else None
    form = value.form if later is not None or (isinstance(value, Value) and value.is_part) else ""
    return Column(given, f"c{at}", value.type, later, value.zone, form)
