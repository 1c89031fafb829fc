"""The readers that ctfast is compared with, each in the best form that we found."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from importlib import import_module, util
from typing import NamedTuple

from ctfast._bench.readers.base import Archive, Reader

__all__ = ["READERS", "Known", "installed", "load", "plain", "tasks_of"]

_TYPED = "-typed"


class Known(NamedTuple):
    """Where a reader is.

    Attributes
    ----------
    module, kind : str
        The module and the class.
    needs : tuple of str
        Packages or programs of which one must be installed.
    title : str
        What tables call it.
    """

    module: str
    kind: str
    needs: tuple[str, ...]
    title: str


#: All of them by name; benches/ adds some. A name that ends in ``-typed`` means a plainer form of the same reader.
READERS: dict[str, Known] = {
    "floor": Known(f"{__name__}.floor_reader", "Floor", ("ctfast",), "floor"),
    "ctfast": Known(f"{__name__}.ctfast_reader", "Ctfast", ("ctfast",), "ctfast"),
    "polars": Known(f"{__name__}.polars_reader", "Polars", ("polars",), "Polars"),
    "duckdb": Known(f"{__name__}.duckdb_reader", "DuckDB", ("duckdb",), "DuckDB"),
    "chdb": Known(f"{__name__}.chdb_reader", "Chdb", ("chdb",), "chdb"),
    "clickhouse": Known(
        f"{__name__}.clickhouse_reader", "ClickHouse", ("clickhouse", "clickhouse-local"), "ClickHouse"
    ),
}


def plain(name: str) -> str:
    """Return the name of a reader without the form."""
    return name.removesuffix(_TYPED)


def load(name: str, archive: Archive, threads: int) -> Reader:
    """Return a reader, ready to read an archive."""
    known = READERS[plain(name)]
    made: Reader = getattr(import_module(known.module), known.kind)(archive, threads)
    return made


def installed(names: Iterable[str]) -> list[str]:
    """Return those of the readers whose package or program is there."""
    return [name for name in names if any(map(_is_there, READERS[plain(name)].needs))]


def _is_there(what: str) -> bool:
    return util.find_spec(what) is not None or shutil.which(what) is not None


def tasks_of(name: str, reader: Reader, tasks: Iterable[str]) -> dict[str, str]:
    """Return the methods of a reader by the tasks that it can do; plainer forms have names of their own."""
    suffix = "_typed" if name.endswith(_TYPED) else ""
    return {task: task + suffix for task in tasks if hasattr(reader, task + suffix)}
