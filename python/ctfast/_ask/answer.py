"""A translated query, answered: the tables that it reads, the engine, and its result as a frame."""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctfast import _ctfast
from ctfast._ask.engine import Engine, locked
from ctfast._ask.events import TABLE, types
from ctfast._ask.scope import Column
from ctfast._ask.tables import Scanned, frame, frame_types, nothing, refuse_twins, within
from ctfast._ask.translation import Occurrence, Tables, Translation
from ctfast._lake.prune import pieces
from ctfast._later import pa, pl
from ctfast._scan.options import COLUMNS, Options
from ctfast.exceptions import QueryError

if TYPE_CHECKING:
    from ctfast._lake.table import Part, Snapshot
    from ctfast._store.store import Store

__all__ = ["Archived", "Asked", "Stored", "unique"]

_TIME = "eventTime"
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Asked(ABC):
    """What a query is asked of: where its events are, and the caller's tables."""

    is_streamed = False

    def __init__(self, tables: Mapping[str, Any] | None, threads: int) -> None:
        refuse_twins(tables or ())
        self._frames = {name.lower(): frame(name, value) for name, value in (tables or {}).items()}
        self.threads = threads
        self._lost: list[BaseException] = []

    def columns(self) -> list[str]:
        """Return the columns of events that there are."""
        return COLUMNS

    def tables(self) -> Tables:
        """Return what a query may read."""
        frames = {name: frame_types(name, table) for name, table in self._frames.items()}
        return Tables(types(self.columns()), frames, self.is_streamed)

    @abstractmethod
    def extent(self) -> tuple[datetime, datetime] | None:
        """Return from when to when there are events, as far as that is known."""

    @abstractmethod
    def reads(self, occurrence: Occurrence) -> tuple[int, int, int, int]:
        """Return how many files are read for it, and their bytes; and those of all files."""

    @contextmanager
    def engine(self, translation: Translation) -> Iterator[Engine]:
        """Open an engine with the tables of a query."""
        tables: dict[str, Any] = {f"frame_{name}": self._frames[name] for name in translation.frames}
        files: dict[str, Sequence[Path]] = {}
        for occurrence in translation.occurrences:
            found = self._rows(occurrence)
            if isinstance(found, list):
                files[occurrence.table] = found
            else:
                tables[occurrence.table] = found
        with locked(tables, files, self.threads, self._lost) as engine:
            yield engine

    @abstractmethod
    def _rows(self, occurrence: Occurrence) -> Any:
        """Return the files of a table, or an object with its rows."""

    def answer(self, translation: Translation, timeout: timedelta | None) -> pl.DataFrame:
        """Return the result of a query."""
        with self.engine(translation) as engine:
            found = engine.run(translation.sql, timeout)
        return _framed(found, translation.columns)


class Archived(Asked):
    """An archive."""

    is_streamed = True

    def __init__(self, options: Options, tables: Mapping[str, Any] | None, threads: int) -> None:
        super().__init__(tables, threads)
        self._options = options

    def extent(self) -> tuple[datetime, datetime] | None:
        """Return the times of the first and the last file, by their names; or of their events, if these tell none."""
        keys = [_ctfast.parse_key(name) for name, _ in self._files(self._options)]
        times = [each["time"] for each in keys if each is not None]
        if times and len(times) == len(keys):
            return _moment(min(times)), _moment(max(times))
        if not self._options.repeats():
            return None
        quiet = replace(self._options, report=None, progress=None)
        seen = Scanned(quiet, [_TIME], self._lost.append)
        with locked({TABLE: seen}, {}, self.threads, self._lost) as engine:
            found = engine.run(f'SELECT min("{_TIME}"), max("{_TIME}") FROM {TABLE}')
        first, last = (column.to_pylist()[0] for column in found.columns)
        return None if first is None else (first, last)

    def reads(self, occurrence: Occurrence) -> tuple[int, int, int, int]:
        every = [size for _, size in self._files(within(self._options, None, None))]
        chosen = [size for _, size in self._files(within(self._options, occurrence.first, occurrence.after))]
        return len(chosen), sum(chosen), len(every), sum(every)

    @staticmethod
    def _files(options: Options | None) -> Iterator[tuple[str, int]]:
        if options is None or options.names_files():
            return
        remote = options.remote() if options.is_in_buckets() else None
        try:
            listing = options.listing(remote)
            while (some := listing.next()) is not None:
                for name, size, _, _ in some:
                    yield name, size or 0
        finally:
            if remote is not None:
                remote.close()

    def _rows(self, occurrence: Occurrence) -> Any:
        columns = list(occurrence.relation.used)
        chosen = within(self._options, occurrence.first, occurrence.after)
        return nothing(columns) if chosen is None else Scanned(chosen, columns, self._lost.append, occurrence.test)


class Stored(Asked):
    """A lake: the files of one version of its table."""

    def __init__(self, store: Store, snapshot: Snapshot, tables: Mapping[str, Any] | None, threads: int) -> None:
        super().__init__(tables, threads)
        self._store, self._snapshot = store, snapshot
        self._parts = snapshot.whole_parts()

    def columns(self) -> list[str]:
        """Return the columns that the lake has."""
        known = set(self._snapshot.schema().names)
        return [name for name in COLUMNS if name in known]

    def extent(self) -> tuple[datetime, datetime] | None:
        """Return the times of the first and the last event, by the log of the table, if it has those of each part."""
        bounds = self._snapshot.log.bounds()
        if any(_TIME not in bounds.get(part.path, {}) for part in self._parts):
            return None
        known = [each for part in self._parts if (each := bounds[part.path][_TIME]) is not None]
        return (_moment(min(low for low, _ in known)), _moment(max(high for _, high in known))) if known else None

    def reads(self, occurrence: Occurrence) -> tuple[int, int, int, int]:
        chosen = self._chosen(occurrence)
        return len(chosen), _bytes(chosen), len(self._parts), _bytes(self._parts)

    def _chosen(self, occurrence: Occurrence) -> list[Part]:
        """Return the parts that may have rows of a table: by the bounds of the log, and by what lies beside them."""
        predicate = occurrence.predicate()
        if predicate is None:
            return self._parts
        kept = {piece.path for piece in pieces(self._store, self._parts, self._snapshot.log.bounds, predicate)}
        return [part for part in self._parts if part.path in kept]

    def _rows(self, occurrence: Occurrence) -> Any:
        files = self._store.fetch_all([part.path for part in self._chosen(occurrence)])
        for file in files:
            if any(each in str(file) for each in "*?["):
                message = f"{file} has one of the characters * ? [, which DuckDB takes for a pattern: move the lake"
                raise QueryError(message, str(file), "table")
        return files or nothing(list(occurrence.relation.used))


def _bytes(parts: Sequence[Part]) -> int:
    return sum(part.size for part in parts)


def _moment(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND


def unique(names: Sequence[str]) -> list[str]:
    """Return names of columns, each once: a frame cannot have two of one name."""
    found: dict[str, None] = {}
    for name in names:
        other, number = name, 0
        while other in found:
            number += 1
            other = f"{name}_{number}"
        found[other] = None
    return list(found)


def _framed(table: pa.Table, columns: Sequence[Column]) -> pl.DataFrame:
    """Return a result as a frame, under the names of Trino; without columns, under those of DuckDB."""
    names = unique([each.name for each in columns] or table.column_names)
    found = pl.DataFrame(table.rename_columns(names))
    addresses = [name for name, each in zip(names, columns, strict=False) if each.type.name == "ipaddress"]
    return found.with_columns(pl.col(name).map_elements(_address, pl.String) for name in addresses)


def _address(digits: str) -> str:
    found = ipaddress.IPv6Address(bytes.fromhex(digits))
    return str(found.ipv4_mapped or found)
