"""The table of events as queries see it: ctfast's columns, CloudTrail Lake's, and those that Athena partitions by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ctfast import _ctfast
from ctfast._ask.sqltext import naive
from ctfast._ask.types import DATE, JSON_TEXT, VARCHAR, Type, array, from_arrow, row
from ctfast._later import pa
from ctfast._scan.arrow import schema_of
from ctfast._scan.options import COLUMNS

__all__ = ["TABLE", "Derived", "derived", "is_events", "types"]

#: The name of the table.
TABLE = "events"

#: Ids of event data stores stand in FROM; Athena's users name their tables after CloudTrail.
_NAMES = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|.*cloud_?trail.*|.*event_data_store.*|\W*eds[ _-]id\W*")
_TEXTS = {path for path, kind, _ in _ctfast.columns() if kind in ("json", "extra", "raw")}
_DAY = f"CAST({naive('{eventTime}')} AS DATE)"


class Derived(NamedTuple):
    """A column that is made of others, which stand in its SQL by their names."""

    sql: str
    type: Type
    #: The columns.
    of: tuple[str, ...]
    #: For what Athena partitions by: the day of the event, and the format of the text.
    day: str | None = None
    form: str = ""


def _parts(form: str) -> Derived:
    return Derived(f"strftime({naive('{eventTime}')}, '{form}')", VARCHAR, ("eventTime",), _DAY, form)


def _same(column: str, kind: Type = VARCHAR) -> Derived:
    return Derived(f"{{{column}}}", kind, (column,))


#: By their names in lower case.
_DERIVED = {
    "eventjson": _same("raw", JSON_TEXT),
    "eventjsonchecksum": Derived("to_base64(unhex(sha256({raw})))", VARCHAR, ("raw",)),
    "$path": _same("file"),
    **dict.fromkeys(("region", "region_partition", "p_region"), _same("awsRegion")),
    **dict.fromkeys(
        ("account", "account_id", "accountid", "account_partition", "p_account"), _same("recipientAccountId")
    ),
    "year": _parts("%Y"),
    "month": _parts("%m"),
    "day": _parts("%d"),
    **dict.fromkeys(("timestamp", "dt", "date_partition", "log_date", "p_date"), _parts("%Y/%m/%d")),
    "event_date": Derived(_DAY, DATE, ("eventTime",)),
}


def is_events(name: str) -> bool:
    """Whether a table of this name is that of events: an id, or a name that AWS's documents use."""
    return name.lower() == TABLE or _NAMES.fullmatch(name.lower()) is not None


def derived(name: str) -> Derived | None:
    """Return the column of this name that is made of others."""
    return _DERIVED.get(name.lower())


def types(columns: Iterable[str] = COLUMNS) -> dict[str, Type]:
    """Return the types of ctfast's columns, in their order."""
    names = list(columns)
    return {field.name: _typed(field.name, field.type) for field in schema_of(names, "arrow")}


def _typed(path: str, kind: pa.DataType) -> Type:
    if path in _TEXTS:
        return JSON_TEXT
    if pa.types.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        return row([field.name for field in fields], [_typed(f"{path}.{field.name}", field.type) for field in fields])
    if pa.types.is_list(kind):
        return array(_typed(f"{path}[]", kind.value_type))
    found = from_arrow(kind)
    if found is None:
        message = f"{path} has the type {kind}, which no query knows"
        raise TypeError(message)
    return found
