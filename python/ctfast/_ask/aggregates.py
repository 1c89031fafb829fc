"""THE aggregates of Trino, and the functions of windows, that a query may call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ctfast._ask.coerce import as_text
from ctfast._ask.types import BIGINT, BOOLEAN, DOUBLE, VARCHAR, Type, Value, array, common, decimal, map_of
from ctfast.exceptions import QueryError

__all__ = ["AGGREGATES", "WINDOWS", "Aggregate"]

Arguments = Sequence[Value]


class Aggregate(NamedTuple):
    """An aggregate, or a function of windows.

    Attributes
    ----------
    least, most : int
        How many arguments it takes.
    name : str
        What DuckDB calls it.
    returns : Type or callable
        The type of the result, or what tells it of the arguments.
    is_cast : bool
        Whether DuckDB's result has another type.
    is_distinct : bool
        Whether only different values count.
    """

    least: int
    most: int
    name: str
    returns: Type | Callable[[Arguments], Type]
    is_cast: bool = False
    is_distinct: bool = False

    def type(self, arguments: Arguments) -> Type:
        """Return the type of the result."""
        return self.returns if isinstance(self.returns, Type) else self.returns(arguments)

    def taken(self, name: str, arguments: Arguments) -> list[str]:
        """Return the arguments as DuckDB takes them."""
        if not self.least <= len(arguments) <= self.most:
            several = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
            raise QueryError(f"{name} takes {several} arguments here, not {len(arguments)}", name, "function")
        if name in _NUMBERS and not arguments[0].type.is_number and arguments[0].type.name != "null":
            kind = arguments[0].type
            raise QueryError(f"{name} takes numbers, and this is a {kind}: write CAST(… AS BIGINT)", name, "type")
        if name in _CONDITIONS and arguments[0].type.name not in ("boolean", "null"):
            raise QueryError(f"{name} takes a condition, and this is a {arguments[0].type}", name, "type")
        if name in _OFFSETS and len(arguments) == self.most and common([arguments[0].type, arguments[2].type]) is None:
            kinds = f"{arguments[0].type} and {arguments[2].type}"
            raise QueryError(f"the values of {name} are {kinds}: CAST makes one type of them", name, "type")
        return [(as_text(each) if name == "listagg" else each).sql for each in arguments]


def _first(arguments: Arguments) -> Type:
    return arguments[0].type


def _sum(arguments: Arguments) -> Type:
    kind = arguments[0].type
    return decimal(38, kind.digits[1]) if kind.name == "decimal" else DOUBLE if kind == DOUBLE else BIGINT


def _mean(arguments: Arguments) -> Type:
    return arguments[0].type if arguments[0].type.name == "decimal" else DOUBLE


def _ranged(name: str) -> Aggregate:
    return Aggregate(1, 1, name, DOUBLE)


#: Aggregates of numbers, and of conditions.
_NUMBERS = frozenset(
    {"sum", "avg", "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "geometric_mean"}
)
_OFFSETS = frozenset({"lag", "lead"})
_CONDITIONS = frozenset({"count_if", "bool_and", "bool_or", "every"})

AGGREGATES: dict[str, Aggregate] = {
    "count": Aggregate(0, 1, "count", BIGINT),
    "count_if": Aggregate(1, 1, "count_if", BIGINT, is_cast=True),
    "sum": Aggregate(1, 1, "sum", _sum, is_cast=True),
    "avg": Aggregate(1, 1, "avg", _mean, is_cast=True),
    "min": Aggregate(1, 1, "min", _first),
    "max": Aggregate(1, 1, "max", _first),
    "min_by": Aggregate(2, 2, "arg_min_null", _first),
    "max_by": Aggregate(2, 2, "arg_max_null", _first),
    "arbitrary": Aggregate(1, 1, "any_value", _first),
    "any_value": Aggregate(1, 1, "any_value", _first),
    "array_agg": Aggregate(1, 1, "list", lambda arguments: array(_first(arguments))),
    "listagg": Aggregate(1, 2, "string_agg", VARCHAR),
    "bool_and": Aggregate(1, 1, "bool_and", BOOLEAN),
    "every": Aggregate(1, 1, "bool_and", BOOLEAN),
    "bool_or": Aggregate(1, 1, "bool_or", BOOLEAN),
    # Exact, where Trino estimates.
    "approx_distinct": Aggregate(1, 2, "count", BIGINT, is_distinct=True),
    "approx_percentile": Aggregate(2, 2, "quantile_disc", _first),
    "stddev": _ranged("stddev_samp"),
    "stddev_samp": _ranged("stddev_samp"),
    "stddev_pop": _ranged("stddev_pop"),
    "variance": _ranged("var_samp"),
    "var_samp": _ranged("var_samp"),
    "var_pop": _ranged("var_pop"),
    "geometric_mean": _ranged("geomean"),
    "corr": Aggregate(2, 2, "corr", DOUBLE),
    "covar_pop": Aggregate(2, 2, "covar_pop", DOUBLE),
    "covar_samp": Aggregate(2, 2, "covar_samp", DOUBLE),
    "histogram": Aggregate(1, 1, "histogram", lambda arguments: map_of(_first(arguments), BIGINT), is_cast=True),
}

WINDOWS: dict[str, Aggregate] = {
    "row_number": Aggregate(0, 0, "row_number", BIGINT),
    "rank": Aggregate(0, 0, "rank", BIGINT),
    "dense_rank": Aggregate(0, 0, "dense_rank", BIGINT),
    "percent_rank": Aggregate(0, 0, "percent_rank", DOUBLE),
    "cume_dist": Aggregate(0, 0, "cume_dist", DOUBLE),
    "ntile": Aggregate(1, 1, "ntile", BIGINT),
    "lag": Aggregate(1, 3, "lag", _first),
    "lead": Aggregate(1, 3, "lead", _first),
    "first_value": Aggregate(1, 1, "first_value", _first),
    "last_value": Aggregate(1, 1, "last_value", _first),
    "nth_value": Aggregate(2, 2, "nth_value", _first),
}
