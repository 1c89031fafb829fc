"""Between which values the columns of a part lie, as the log of the table has it: by it, parts are left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from ctfast._later import pa
from ctfast._scan.message import PartFile
from ctfast._scan.part import STATISTICS, TIME

__all__ = ["Bounds", "read", "written"]

#: The least and the greatest value of columns of a part, times in microseconds; None of a column that is null in each
#: row. Of a column that is not there, nothing is known.
Bounds: TypeAlias = dict[str, tuple[Any, Any] | None]

#: The longest text in the statistics of the log; a longer one is left out, since a part of it is no bound.
_LONGEST = 256
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def written(part: PartFile) -> str:
    """Return what the log says of a part: the bounds are never narrower than the values."""
    found: dict[str, Any] = {"numRecords": part.rows, "minValues": {}, "maxValues": {}, "nullCount": {}}
    for name in STATISTICS:
        known = part.statistics.get(name)
        if known is None:
            continue
        found["nullCount"][name] = known["null_count"]
        if "min" in known and max(len(known["min"]), len(known["max"])) <= _LONGEST:
            bounds = known["min"], known["max"]
            low, high = _milliseconds(*bounds) if name == TIME else bounds
            found["minValues"][name], found["maxValues"][name] = low, high
    return json.dumps(found)


def _milliseconds(low: str, high: str) -> tuple[str, str]:
    """Return times in milliseconds, which is what the log has: the first rounded down, the last rounded up."""
    first, last = (int(pa.scalar(each.removesuffix("Z")).cast(pa.timestamp("us")).value) for each in (low, high))
    return _text(first // 1000), _text(-(-last // 1000))


def _text(milliseconds: int) -> str:
    return str(pa.scalar(milliseconds, pa.timestamp("ms")).cast(pa.string())).replace(" ", "T") + "Z"


def read(text: str) -> Bounds:
    """Return the bounds of a part by what the log says of it.

    Raises
    ------
    ValueError
        It is no JSON.
    """
    told = json.loads(text)
    least, greatest, nulls = (told.get(each, {}) for each in ("minValues", "maxValues", "nullCount"))
    found: Bounds = {}
    for name in STATISTICS:
        if name in least and name in greatest:
            if (both := _pair(name, least[name], greatest[name])) is not None:
                found[name] = both
        elif name in nulls and nulls[name] == told.get("numRecords"):
            found[name] = None
    return found


def _pair(name: str, least: str, greatest: str) -> tuple[Any, Any] | None:
    """Return the bounds of a column; None if they are no times of a year that Python knows."""
    if name != TIME:
        return least, greatest
    try:
        first, last = ((datetime.fromisoformat(each) - _EPOCH) // _MICROSECOND for each in (least, greatest))
    except ValueError:
        return None
    return first, last
