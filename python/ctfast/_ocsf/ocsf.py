"""Events in the form of OCSF: :func:`ocsf`."""

from __future__ import annotations

from typing import overload

from ctfast._arguments.gate import public
from ctfast._later import pa, pl
from ctfast._ocsf.fields import event, steps
from ctfast._ocsf.objects import Object, made, without_nulls
from ctfast._ocsf.unmapped import unmapped
from ctfast._scan.arrow import schema_of
from ctfast._scan.options import COLUMNS
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError

__all__ = ["EVENT", "NEEDED", "lacking", "ocsf"]

#: The column of the events as JSON.
EVENT = "ocsf"
#: Columns that tell where a record stands: a frame need not have them.
_PLACE = ("file", "record")
#: Columns of a scan that become fields. What ``raw`` holds, the others hold as well.
NEEDED = tuple(name for name in COLUMNS if name != "raw")


@overload
def ocsf(frame: pl.LazyFrame, *, json: bool = False) -> pl.LazyFrame: ...
@overload
def ocsf(frame: pl.DataFrame | pa.Table | pa.RecordBatch, *, json: bool = False) -> pl.DataFrame: ...
@public()
def ocsf(
    frame: pl.DataFrame | pl.LazyFrame | pa.Table | pa.RecordBatch, *, json: bool = False
) -> pl.DataFrame | pl.LazyFrame:
    """Bring events into the form of the Open Cybersecurity Schema Framework, OCSF 1.5.0.

    Each event becomes one row, in the same order, of a class that ``eventSource`` and ``eventName`` choose: API
    Activity (6003), Authentication (3002), Account Change (3001), or Base Event (0) for what has no name, whose
    ``message`` says so. The columns are the same for all of them, and null where a class has no such field. What has
    no field of OCSF stands in ``unmapped``. ``docs/ocsf.md`` has the table.

    Parameters
    ----------
    frame
        Events: a frame or a LazyFrame of Polars, or a table or a batch of Arrow, with the columns of :func:`scan`;
        ``raw``, ``file`` and ``record`` may be missing. Other columns are left out.
    json
        Return one column ``ocsf`` instead, with each event as a JSON object without nulls.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        A LazyFrame for a LazyFrame. ``unmapped``, ``api.request.data`` and ``api.response.data`` are JSON as text.

    Raises
    ------
    ArgumentError
        A column is missing, or has another type.

    Examples
    --------
    >>> import ctfast as ct
    >>> events = ct.ocsf(ct.scan(archive)).collect()
    >>> sorted(events["class_name"].unique())
    ['API Activity', 'Account Change', 'Authentication', 'Base Event']
    """
    rows: pl.DataFrame | pl.LazyFrame = frame  # the check of the argument has made one of Arrow data
    schema = rows.collect_schema()
    missing = lacking(schema)
    if missing is not None:
        message = f"frame has {missing}: ocsf takes the columns of ct.scan"
        raise ArgumentError(message, "frame", None, None, "ocsf")
    found = rows.lazy().select(_aligned(schema))
    for step in steps():
        found = found.with_columns(step)
    found = found.select(*_columns(event()), unmapped().alias("unmapped"))
    if json:
        found = found.select(_text(found.collect_schema().names()).alias(EVENT))
    return found if isinstance(frame, pl.LazyFrame) else found.collect()


def lacking(schema: pl.Schema) -> str | None:
    """Return which column of events a frame does not have, or has of another type; None if it has all."""
    for name, wanted in _wanted().items():
        if name not in schema:
            if name in _PLACE:
                continue
            close = nearest(name, schema.names())
            return f"no column {quoted(name)}{or_nearest(close)}"
        if not _fits(schema[name], wanted):
            return f"a column {quoted(name)} of the type {_short(schema[name])}, and not {_short(wanted)}"
    return None


def _wanted() -> pl.Schema:
    return pl.DataFrame(schema_of(NEEDED, "polars").empty_table()).schema


def _fits(given: pl.DataType, wanted: pl.DataType) -> bool:
    times = isinstance(given, pl.Datetime) and isinstance(wanted, pl.Datetime)
    numbers = given.is_integer() and wanted.is_integer()
    return given in (wanted, pl.Null) or times or numbers


def _short(kind: pl.DataType) -> str:
    return str(kind.base_type()) if kind.is_nested() else str(kind)


def _aligned(schema: pl.Schema) -> list[pl.Expr]:
    """Return the columns of events in the types of a scan."""
    columns = []
    for name, wanted in _wanted().items():
        given, column = schema.get(name), pl.col(name)
        if given is None:
            column = pl.lit(None)
        elif isinstance(given, pl.Datetime) and given.time_zone is None:
            column = column.dt.replace_time_zone("UTC")  # as queries in SQL give it
        columns.append((column if given == wanted else column.cast(wanted)).alias(name))
    return columns


def _columns(fields: Object) -> list[pl.Expr]:
    return [(each if isinstance(each, pl.Expr) else made(each)).alias(name) for name, each in fields.items()]


def _text(names: list[str]) -> pl.Expr:
    """Return each event as JSON; ``unmapped`` is JSON already, and stands last."""
    fields = without_nulls(pl.struct(name for name in names if name != "unmapped").struct.json_encode())
    last = pl.concat_str(pl.lit(',"unmapped":'), "unmapped").fill_null("")
    return pl.concat_str(fields.str.head(-1), last, pl.lit("}"))
