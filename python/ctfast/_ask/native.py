"""Queries in DuckDB's own SQL: the same tables, and only what is known to read nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ctfast._ask import forms
from ctfast._ask.events import is_events
from ctfast._ask.parameters import Parameters
from ctfast._ask.parsing import dialect_of, needed
from ctfast._ask.scope import Column, Relation
from ctfast._ask.translation import Occurrence, Tables, Translation
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["native"]

#: Forms that read nothing, or only what stands in them.
_FORMS = frozenset(
    """Add Alias All And Anonymous Any Array AtTimeZone Between Boolean Bracket CTE Case Cast Column ColumnDef
    CurrentDate CurrentTimestamp Cube DPipe DataType DataTypeParam Distinct Div Dot EQ Escape Except Exists Extract
    Fetch Filter From GT GTE Group GroupConcat GroupingSets Having ILike Identifier If In IntDiv Intersect Interval Is
    JSONExtract JSONExtractScalar JSONPath JSONPathKey JSONPathRoot JSONPathSubscript Join Kwarg LT LTE Lambda Lateral
    Like Limit LimitOptions Literal Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Offset Or Order Ordered Paren
    Placeholder Pow PropertyEQ Qualify Rollup Select SimilarTo Slice Star StrPosition Struct Sub Subquery Substring
    Table TableAlias Trim TryCast Tuple Union Unnest Values Var Where Window WindowSpec With WithinGroup
    """.split()  # noqa: SIM905  # as a text it can be read
)
_FUNCTIONS = frozenset(
    """abs any_value approx_count_distinct approx_quantile arbitrary arg_max arg_min array_agg array_distinct
    array_length array_to_string ascii avg base64 bit_count bool_and bool_or cardinality ceil ceiling chr coalesce
    concat concat_ws contains corr count count_if cume_dist current_date current_timestamp date_add date_diff date_part
    date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear decode dense_rank
    element_at encode ends_with epoch epoch_ms exp first first_value flatten floor format generate_series greatest hex
    histogram hour ifnull instr isfinite isnan isodow isoyear json json_array_length json_contains json_exists
    json_extract json_extract_scalar json_extract_string json_keys json_type json_valid json_value lag last last_day
    last_value lead least left len length levenshtein list list_aggregate list_append list_avg list_concat
    list_contains list_count list_distinct list_extract list_filter list_has_all list_has_any list_max list_min
    list_position list_reduce list_reverse list_slice list_sort list_sum list_transform list_unique list_zip listagg ln
    log log10 log2 lower lpad ltrim make_date make_timestamp map map_entries map_extract map_from_entries map_keys
    map_values max max_by md5 median microsecond millisecond min min_by minute mod mode month monthname now nth_value
    ntile nullif percent_rank position pow power prefix quantile quantile_cont quantile_disc quarter range rank
    regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat
    replace reverse right round row row_number rpad rtrim second sha256 sign split split_part sqrt starts_with stddev
    stddev_pop stddev_samp str_split strftime string_agg string_split strip_accents strlen strpos strptime
    struct_extract struct_pack substr substring suffix sum to_base64 to_days to_hours to_json to_minutes to_months
    to_seconds to_timestamp to_weeks to_years today trim trunc try try_strptime typeof unhex unicode unnest upper
    url_decode url_encode var_pop var_samp variance week weekday weekofyear year yearweek
    """.split()  # noqa: SIM905  # as a text it can be read
)
#: Functions in FROM that make rows of what stands in them.
_ROWS = ("unnest", "range", "generate_series")
#: Functions that fail at the first text that is not JSON.
_JSON = ("JSONExtract", "JSONExtractScalar")
_OPENED = "TRY"


def native(tree: exp.Expression, tables: Tables, parameters: Parameters) -> Translation:
    """Return a query of DuckDB, whose tables are those that it may read."""
    sqlglot = needed("sqlglot")
    exp = sqlglot.exp
    found = _Native(tables, parameters, exp)
    for node in list(tree.walk()):
        found.gate(node)
    names = {each.alias.lower() for each in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        found.table(table, names)
    aliases = {each.alias_or_name.lower() for each in tree.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.Lateral)}
    result = tree.transform(found.filled).transform(found.opened, aliases)
    used = found.used(tree)
    for occurrence in found.occurrences:
        occurrence.relation.used.update(used)
    sql = result.sql(dialect=dialect_of("duckdb"), comments=False)
    return Translation(
        sql, [], found.occurrences, found.frames, asked_now="now" in sql.lower() or "current_" in sql.lower()
    )


class _Native:
    """What is found in a query."""

    def __init__(self, tables: Tables, parameters: Parameters, exp: Any) -> None:
        self._tables, self._parameters, self._exp = tables, parameters, exp
        self._texts = {name.lower(): name for name, kind in tables.events.items() if kind.name == "jsontext"}
        self.occurrences: list[Occurrence] = []
        self.frames: set[str] = set()

    def gate(self, node: exp.Expression) -> None:
        """Refuse what is not known to read only what stands in it."""
        kind = type(node).__name__
        if kind not in _FORMS:
            shown = " ".join(node.sql(dialect="duckdb").split())[:60]
            raise QueryError(f"{shown} is not known here ({kind})", shown, "form")
        if kind == "Anonymous":
            name = str(node.this).lower()
            if isinstance(node.parent, self._exp.Table):
                if name not in _ROWS:
                    message = f"{name} is not to be read: a query reads the table 'events', and what it makes of it"
                    raise QueryError(message, name, "function")
            elif name not in _FUNCTIONS:
                raise QueryError(f"no function {name} here{or_nearest(nearest(name, _FUNCTIONS))}", name, "function")

    def table(self, node: exp.Expression, names: Iterable[str]) -> None:
        """Put the tables that are there in the place of those that are named."""
        if not isinstance(node.this, self._exp.Identifier):
            return
        given = node.name
        if not node.args.get("db") and given.lower() in names:
            return
        if not node.args.get("db") and given.lower() in self._tables.frames:
            self.frames.add(given.lower())
            self._replace(node, f"frame_{given.lower()}")
        elif is_events(given):
            columns = [Column(each, each, kind) for each, kind in self._tables.events.items()]
            self.occurrences.append(Occurrence(Relation(node.alias_or_name, columns, len(self.occurrences))))
            self._replace(node, self.occurrences[-1].table)
        else:
            close = or_nearest(nearest(given, ["events", *self._tables.frames]))
            raise QueryError(f"no table {quoted(given)}{close}: the table is 'events'", given, "table")

    def _replace(self, node: exp.Expression, table: str) -> None:
        exp = self._exp
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
        for each in ("db", "catalog"):
            node.set(each, None)
        node.set("this", exp.to_identifier(table, quoted=True))

    def filled(self, node: exp.Expression) -> exp.Expression:
        """Return values in the place of parameters, within texts as well."""
        if isinstance(node, self._exp.Placeholder):
            made: exp.Expression = needed("sqlglot").parse_one(self._parameters.value(node.this).sql, dialect="duckdb")
            return made
        if isinstance(node, self._exp.Literal) and node.is_string:
            return self._exp.Literal.string(self._parameters.filled(node.this))
        return node

    def opened(self, node: exp.Expression, aliases: set[str]) -> exp.Expression:
        """Return access to JSON in a form that does not fail: what is no JSON has nothing in it."""
        exp, kind = self._exp, type(node).__name__
        if kind == "Column" and node.args.get("table") and not node.args.get("db"):
            text = self._texts.get(node.args["table"].name.lower())
            if text is not None and text.lower() not in aliases:
                return self._member(exp.column(text), node.name)
        if kind == "Anonymous" and str(node.this).lower() in ("json_extract_scalar", "element_at"):
            return self._called(node)
        is_json = kind in _JSON or (kind == "Anonymous" and str(node.this).lower().startswith("json"))
        if is_json and not _is_tried(node):
            return exp.Anonymous(this=_OPENED, expressions=[node])
        return node

    def _called(self, node: exp.Expression) -> exp.Expression:
        held, *keys = node.expressions
        name = str(node.this).lower()
        is_text = isinstance(held, self._exp.Column) and held.name.lower() in self._texts
        if len(keys) == 1 and keys[0].is_string and (is_text or name == "json_extract_scalar"):
            if name == "element_at":
                return self._member(held, keys[0].this)
            path = self._exp.Literal.string(forms.json_path(keys[0].this))
            inner = self._exp.Anonymous(this="json_extract_string", expressions=[held, path])
            return self._exp.Anonymous(this=_OPENED, expressions=[inner])
        return node

    def _member(self, held: exp.Expression, key: str) -> exp.Expression:
        path = self._exp.Literal.string(forms.member(key))
        inner = self._exp.Anonymous(this="json_extract_string", expressions=[held, path])
        return self._exp.Anonymous(this=_OPENED, expressions=[inner])

    def used(self, tree: exp.Expression) -> set[str]:
        """Return the columns that a query may need."""
        stars = [star for star in tree.find_all(self._exp.Star) if not isinstance(star.parent, self._exp.Anonymous)]
        if stars:
            return set(self._tables.events)
        words = {each.name.lower() for each in tree.find_all(self._exp.Identifier)}
        return {name for name in self._tables.events if name.lower() in words}


def _is_tried(node: exp.Expression) -> bool:
    parent = node.parent
    return type(parent).__name__ == "Anonymous" and parent is not None and str(parent.this).upper() == _OPENED
