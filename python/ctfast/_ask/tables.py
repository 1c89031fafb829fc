"""Where events come from: the files of a lake, or a scan of an archive that begins anew each time it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

from ctfast import _ctfast
from ctfast._arguments.times import micros
from ctfast._ask.types import Type, from_arrow
from ctfast._later import pa, pl
from ctfast._scan.arrow import schema_of
from ctfast._scan.options import COLUMNS, Options
from ctfast._scan.scan import Turn, batches
from ctfast._show.words import quoted
from ctfast.exceptions import ArgumentError

__all__ = ["Scanned", "frame", "frame_types", "nothing", "refuse_twins", "within"]

#: What is read of an archive if a query needs no column: the smallest one.
_ANY = "record"


class Scanned:
    """A scan that DuckDB starts, each time it reads the table, through the Arrow PyCapsule interface."""

    def __init__(
        self,
        options: Options,
        columns: list[str],
        fail: Callable[[BaseException], object],
        test: tuple[Any, ...] | None = None,
    ) -> None:
        chosen = [each for each in COLUMNS if each in columns] or [_ANY]
        # Duplicates are removed before a query sees the rows.
        self._options = options.asking(chosen, None if options.query.dedupe else test)
        self._schema, self._turn, self._fail = schema_of(chosen, "polars"), Turn(options), fail

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows; nothing is read before the first of them is wanted."""
        return pa.RecordBatchReader.from_batches(self._schema, self._batches()).__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            self._turn.take()
            with closing(batches(self._options)) as scan:
                for batch in scan:
                    yield pa.record_batch(batch)
        except GeneratorExit:
            raise
        except BaseException as error:
            self._fail(error)
            raise


def nothing(columns: list[str]) -> pa.Table:
    """Return the table of events without rows."""
    return schema_of([each for each in COLUMNS if each in columns] or [_ANY], "arrow").empty_table()


def within(options: Options, first: datetime | None, after: datetime | None) -> Options | None:
    """Return a scan of what lies between two times as well; None if nothing does."""
    given = json.loads(options.selection.json())
    since, until = micros("since", first), micros("until", after)
    lows = [each for each in (given["since"], since) if each is not None]
    highs = [each for each in (given["until"], until) if each is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and high is not None and low >= high:
        return None
    names: dict[str, Any] = {
        each: None if given[each] is None else set(given[each]) for each in ("accounts", "regions", "kinds")
    }
    selection = _ctfast.Selection([], **names, since=low, until=high, max_delay=given["max_delay"])
    return replace(options, selection=selection)


def frame(name: str, value: Any) -> pa.Table:
    """Return a caller's table in Arrow."""
    if isinstance(value, pl.LazyFrame):
        value = value.collect()
    if isinstance(value, pl.DataFrame):
        return value.to_arrow(compat_level=pl.CompatLevel.oldest())
    try:
        return pa.table(value)
    except (TypeError, ValueError, pa.ArrowInvalid):
        kinds = "a frame of Polars or pandas, a pyarrow.Table, or a mapping of columns"
        message = f"tables[{quoted(name)}] must be {kinds}, not {type(value).__name__}"
        raise ArgumentError(message, "tables", value, None, "sql") from None


def frame_types(name: str, table: pa.Table) -> Mapping[str, Type]:
    """Return the columns of a caller's table, with their types."""
    found = {}
    shown = f"[{quoted(name)}] has"
    refuse_twins(table.column_names, f"{shown} the columns")
    for field in table.schema:
        refuse_twins(_fields(field.type), f"{shown} the fields")
        kind = from_arrow(field.type)
        if kind is None:
            column = f"a column {quoted(field.name)} of type {field.type}"
            message = f"tables{shown} {column}, which queries do not know"
            raise ArgumentError(message, "tables", None, None, "sql")
        found[field.name] = kind
    return found


def refuse_twins(names: Iterable[str], what: str = " has") -> None:
    """Refuse names that SQL does not tell apart; ``what`` tells, after ``tables``, of which thing they are."""
    known: dict[str, str] = {}
    for name in names:
        if name.lower() in known:
            both = f"{quoted(known[name.lower()])} and {quoted(name)}"
            message = f"tables{what} {both}, which are one name in SQL: rename one of them"
            raise ArgumentError(message, "tables", name, None, "sql")
        known[name.lower()] = name


def _fields(kind: pa.DataType) -> list[str]:
    """Return the names of the fields of a row."""
    return [kind.field(number).name for number in range(kind.num_fields)] if pa.types.is_struct(kind) else []
