"""What names mean at a place of a query: relations, their columns, and the fields of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ctfast._ask import forms
from ctfast._ask.events import derived
from ctfast._ask.partitions import DAYS
from ctfast._ask.sqltext import constant, name
from ctfast._ask.types import JSON_TEXT, Type, Value
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import QueryError

__all__ = ["Column", "Later", "Relation", "Scope", "dereferenced", "field_of", "knowing"]


@dataclass(frozen=True)
class Column:
    """A column of a relation: its name, what DuckDB knows it by, and its type.

    One that ``*`` stands for is read only if it is used: ``later`` tells the sub-query that it is.
    """

    name: str
    sql: str
    type: Type
    later: Later | None = None
    #: The zone of a time that Trino prints with it.
    zone: str = ""
    #: The format of a column that Athena partitions by.
    form: str = ""

    def take(self) -> None:
        """Note that it is used."""
        if self.later is not None:
            self.later.take()


class Later:
    """A column of a relation that a sub-query passes on, if it is used."""

    def __init__(self, relation: Relation, column: Column) -> None:
        self._relation, self._column = relation, column
        self._value: Value | None = None

    def take(self) -> Value:
        """Return its value, which is used from now on."""
        if self._value is None:
            self._value = self._relation.value(self._column)
        return self._value

    @property
    def type(self) -> Type:
        """Its type."""
        return self._column.type

    @property
    def zone(self) -> str:
        """The zone of a time that Trino prints with it."""
        return self._column.zone

    @property
    def form(self) -> str:
        """The format of a column that Athena partitions by."""
        return self._column.form

    @property
    def sql(self) -> str:
        """What it is in the end: NULL if nothing has used it."""
        return "NULL" if self._value is None else self._value.sql


@dataclass
class Relation:
    """What stands in FROM.

    Attributes
    ----------
    alias : str
        What qualifies its columns.
    columns : list of Column
        In their order.
    number : int or None
        For the table of events: which of its occurrences in the query it is.
    used : set of str
        Columns that the query needs.
    hidden : set of str
        Columns that ``*`` leaves out: the right ones of USING.
    """

    alias: str
    columns: list[Column]
    number: int | None = None
    used: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)

    def find(self, wanted: str) -> Value | None:
        """Return a column by its name, in whatever case."""
        same = [column for column in self.columns if column.name.lower() == wanted.lower()]
        if len(same) > 1:
            raise QueryError(f"{quoted(wanted)} is the name of {len(same)} columns here", wanted, "column")
        if same:
            return self.value(same[0])
        made = None if self.number is None else derived(wanted)
        if made is None:
            return None
        known = {column.name: column for column in self.columns}
        missing = next((each for each in made.of if each not in known), None)
        if missing is not None:
            raise QueryError(f"{quoted(wanted)} is made of {missing}, which this lake does not have", wanted, "column")
        inner = {each: self.value(known[each]) for each in made.of}
        sqls = {each: value.sql for each, value in inner.items()}
        day = None if made.day is None else made.day.format(**sqls)
        path = inner[made.of[0]].path if made.sql == f"{{{made.of[0]}}}" else None
        time = sqls.get("eventTime", "")
        value = Value(made.sql.format(**sqls), made.type, path=path, source=self.number, clock=time)
        return value._replace(is_part=day is not None, day=day, form=made.form)

    def value(self, column: Column) -> Value:
        """Return a column as a value, and note that it is needed."""
        column.take()
        self.used.add(column.name)
        path = None if self.number is None else column.name
        sql = f"{name(self.alias)}.{column.sql}"
        value = Value(sql, column.type, path=path, source=self.number, zone=column.zone)
        if not column.form:
            return value
        day = f"CAST(strptime({sql}, {constant(DAYS)}) AS DATE)" if column.form == DAYS else None
        return value._replace(is_part=True, form=column.form, day=day)


@dataclass
class Scope:
    """The relations that can be named at a place; ``outer`` is around a sub-query."""

    outer: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    #: Parameters of lambdas.
    variables: Mapping[str, Value] = field(default_factory=dict)
    #: Names of the result, which ORDER BY knows.
    results: Mapping[str, Value] = field(default_factory=dict)
    #: Columns that USING has joined.
    joined: dict[str, Value] = field(default_factory=dict)

    def inside(self, variables: Mapping[str, Value]) -> Scope:
        """Return the scope within a lambda."""
        return Scope(self.outer, self.relations, {**self.variables, **variables}, self.results, self.joined)

    def after(self, results: Mapping[str, Value]) -> Scope:
        """Return the scope of ORDER BY, in which names of the result come first."""
        return Scope(self.outer, self.relations, self.variables, results, self.joined)

    def resolve(self, parts: Sequence[str]) -> Value:
        """Return what a name with dots means."""
        for scope in self._outwards():
            found = scope.here(parts)  # of the same class
            if found is not None:
                return found
        raise self._unknown(parts)

    def _outwards(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def here(self, parts: Sequence[str]) -> Value | None:
        """Return what a name means in this scope; None if it is none of it."""
        first = parts[0].lower()
        for names in (self.variables, self.results):
            if first in names:
                return _fields(names[first], parts[1:])
        relation = next((each for each in self.relations if each.alias.lower() == first), None)
        if relation is not None and len(parts) > 1:
            column = relation.find(parts[1])
            if column is None:
                raise self._unknown(parts[1:], [relation])
            return _fields(column, parts[2:])
        if first in self.joined:
            return _fields(self.joined[first], parts[1:])
        found = [value for value in (each.find(parts[0]) for each in self.relations) if value is not None]
        if len(found) > 1:
            whose = " and ".join(each.alias for each in self.relations if each.find(parts[0]) is not None)
            raise QueryError(f"{quoted(parts[0])} is a column of {whose}: say of which", parts[0], "column")
        return _fields(found[0], parts[1:]) if found else None

    def _unknown(self, parts: Sequence[str], relations: Sequence[Relation] | None = None) -> Exception:
        within = [each for scope in self._outwards() for each in scope.relations] if relations is None else relations
        names = dict.fromkeys(column.name for relation in within for column in relation.columns)
        close = nearest(parts[0], names)
        hint = ": a text stands in single quotes, a name of a column in double ones"
        if close is not None or not within:
            is_of_events = any(each.number is not None for each in within)
            hint = or_nearest(close) + (" (ctfast columns lists them)" if is_of_events else "")
        return QueryError(f"no column {quoted(parts[0])}{hint}", parts[0], "column")


def _fields(value: Value, names: Sequence[str]) -> Value:
    for each in names:
        value = field_of(value, each)
    return value


def field_of(value: Value, wanted: str) -> Value:
    """Return a field of a row, or a member of JSON text."""
    kind = value.type
    if kind.name == "row":
        same = [number for number, each in enumerate(kind.fields) if each.lower() == wanted.lower()]
        if not same:
            raise QueryError(f"no field {quoted(wanted)}{or_nearest(nearest(wanted, kind.fields))}", wanted, "column")
        known = kind.fields[same[0]]
        path = None if value.path is None else f"{value.path}.{known}"
        plain = value.sql if value.path is not None else f"({value.sql})"
        return Value(f"{plain}.{name(known)}", kind.of[same[0]], path=path, source=value.source)
    if kind.name in ("jsontext", "json"):
        return dereferenced(value, wanted)
    if kind.name == "array":
        remedy = f"element_at(…, 1).{wanted} is that of the first element, CROSS JOIN UNNEST(…) gives a row for each"
        raise QueryError(f"{quoted(wanted)} is named of an array: {remedy}", wanted, "column")
    raise QueryError(f"{quoted(wanted)} is named of a {kind}, which has no fields", wanted, "column")


def dereferenced(value: Value, wanted: str) -> Value:
    """Return a member of JSON text that is named as a field: names of SQL have no case, those of JSON have."""
    path = constant(forms.member(wanted))
    exact = f"json_extract_string({value.sql}, {path})"
    alike = f"list_filter(json_keys({value.sql}), lambda k: lower(k) = {constant(wanted.lower())})"
    other = f"json_extract_string({value.sql}, '$.\"' || list_extract({alike}, 1) || '\"')"
    return Value(f"TRY(coalesce({exact}, {other}))", JSON_TEXT)


@contextmanager
def knowing(columns: Sequence[Column]) -> Iterator[None]:
    """Tell a name of the result, which WHERE, GROUP BY and HAVING do not know, from a name that is not there."""
    try:
        yield
    except QueryError as error:
        if error.kind != "column" or all(each.name.lower() != error.name.lower() for each in columns):
            raise
        message = (
            f"{error.name} is a name of the result, which WHERE, GROUP BY and HAVING do not know: repeat its expression"
        )
        raise QueryError(message, error.name, "column") from None
