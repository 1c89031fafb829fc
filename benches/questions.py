"""Measure what questions in SQL cost in a lake of many events.

    python benches/questions.py [--copies 33] [--folder DIR] [--queries DIR] [--rounds N]

Makes the lake of `needle.py`: `mixed` (306,000 events) again and again in other months, without `raw`. Each question of
`docs/sql.md` is asked, or each file `*.sql` of a folder. Bounds of time are opened to the whole table, and a value that
a column never has is replaced by its most frequent one. For each: rows, wall time and processor seconds (medians), and
the bytes of the files that are read of those that there are; then what parsing and translation alone cost. The lake is
kept.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
from corpus import ensure
from needle import EVENTS, lake

import ctfast as ct
from ctfast._ask.answer import Stored
from ctfast._ask.parameters import Parameters
from ctfast._ask.parsing import parsed
from ctfast._ask.query import translated
from ctfast._lake.table import Table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sql.md"
FIRST, LAST = "1970-01-01 00:00:00", "2100-01-01 00:00:00"

AFTER = re.compile(r"(\beventTime\s*>=?\s*)(?:timestamp\s*)?'[^']*'", re.IGNORECASE)
BEFORE = re.compile(r"(\beventTime\s*<=?\s*)(?:timestamp\s*)?'[^']*'", re.IGNORECASE)
BETWEEN = re.compile(r"(\beventTime\s+BETWEEN\s+)'[^']*'\s+AND\s+'[^']*'", re.IGNORECASE)
EQUAL = re.compile(r"\b(\w+(?:\.\w+)*)(\s*(?:=|\bLIKE\b|\bIN\b\s*\()\s*)'([^']*)'", re.IGNORECASE)


def questions(folder: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each query."""
    if folder is None:
        yield from re.findall(r"^([^\n`*|]+\?)\n\n```sql\n(.+?)\n```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
        return
    for place in sorted(folder.rglob("*.sql")):
        yield place.stem, place.read_text()


class Values:
    """The values that columns of an archive have."""

    def __init__(self, archive: Path) -> None:
        self._events = ct.read(archive)

    @cache  # noqa: B019  # there is one
    def _of(self, path: str) -> pl.Series | None:
        found: pl.Series | None = None
        for name in path.split("."):
            inside = self._events if found is None else found.struct.unnest() if found.dtype == pl.Struct else None
            column = None if inside is None else next((c for c in inside.columns if c.lower() == name.lower()), None)
            if inside is None or column is None:
                return None
            found = inside[column]
        return found if found is not None and found.dtype == pl.String else None

    def occurring(self, found: re.Match[str]) -> str:
        """Return a comparison of a column, with a value that it has."""
        path, operator, value = found.groups()
        values = self._of(path)
        if values is None or ("LIKE" in operator.upper() and "%" in value) or (values == value).any():
            return found[0]
        counted = values.drop_nulls().value_counts().sort("count", values.name, descending=[True, False])
        return found[0] if counted.is_empty() else f"{path}{operator}'{counted[values.name][0]}'"


def opened(text: str, values: Values) -> str:
    """Return a query over the whole table, for values that occur."""
    text = AFTER.sub(rf"\g<1>'{FIRST}'", text)
    text = BEFORE.sub(rf"\g<1>'{LAST}'", text)
    text = BETWEEN.sub(rf"\g<1>'{FIRST}' AND '{LAST}'", text)
    return EQUAL.sub(values.occurring, text)


def timed(call: Callable[[], Any], rounds: int) -> tuple[float, float, Any]:
    """Return the medians of wall time and of processor time, and the last result."""
    walls, cpus, found = [], [], None
    for _ in range(rounds):
        cpu, begin = time.process_time(), time.perf_counter()
        found = call()
        walls.append(time.perf_counter() - begin)
        cpus.append(time.process_time() - cpu)
    return median(walls), median(cpus), found


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure questions in SQL.")
    parser.add_argument("--copies", type=int, default=33, help=f"times {EVENTS:,} events")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ctfast-needle")
    parser.add_argument("--queries", type=Path, help="a folder with files *.sql, instead of docs/sql.md")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    archive = options.folder / "mixed"
    ensure("mixed", archive)
    place, _ = lake(options.folder, archive, options.copies)
    values, asked = Values(archive), ct.Lake(place)
    warnings.simplefilter("ignore", ct.NothingChosen)
    ((count, now),) = ct.sql(asked, "SELECT count(*), max(eventTime) FROM events").rows()
    print(f"{count:,} events")
    table = Table(place)
    tables = Stored(table.store, table.open(), None, 2).tables()
    walls, translating, empty = [], [], []
    for name, text in questions(options.queries):
        query = opened(text, values)
        try:
            plan = ct.sql(asked, query, now=now, explain=True)
            wall, cpu, rows = timed(lambda q=query: ct.sql(asked, q, now=now), options.rounds)
        except ct.QueryError as error:
            print(f"{name}: refused: {error}")
            continue
        translating.append(timed(lambda q=query: translated(parsed(q, "trino"), tables, Parameters(None), now), 1)[0])
        walls.append(wall)
        empty += [name] * (rows.height == 0)
        read = f"{plan['bytes'].sum() / 1e6:.0f} of {plan['of_bytes'].sum() / 1e6:.0f} MB"
        print(f"{name}: {rows.height:,} rows, {wall:.2f} s, {cpu:.2f} s of CPU, files of {read}", flush=True)
    print(f"{len(walls)} questions: median {median(walls):.2f} s, at most {max(walls):.2f} s; no row: {empty}")
    print(
        f"parsing and translation: median {median(translating) * 1e3:.1f} ms, at most {max(translating) * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
