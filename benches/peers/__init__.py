"""The readers that ctfast is compared with, each in the best form we found."""

from __future__ import annotations

from importlib import import_module, util
from typing import TYPE_CHECKING

from .base import TASK_TEXT, TASKS, Archive, Peer, check

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PEERS", "TASKS", "TASK_TEXT", "Archive", "Peer", "check", "installed", "load", "tasks_of"]

# name -> module, class, distribution that must be there. A name that ends in "-typed" is a plainer form, kept for comparison.
PEERS = {
    "ctfast": ("ctfast_reader", "Ctfast", "ctfast"),
    "clickhouse": ("clickhouse_reader", "ClickHouse", "chdb"),
    "polars": ("polars_reader", "Polars", "polars"),
    "duckdb": ("duckdb_reader", "DuckDB", "duckdb"),
    "orjson": ("loops", "Orjson", "orjson"),
    "json": ("loops", "Stdlib", "pyarrow"),
    "spark": ("spark_reader", "Spark", "pyspark"),
}


def load(name: str, archive: Archive, threads: int) -> Peer:
    """Return the peer `name`, ready to read `archive`."""
    module, kind, _ = PEERS[name.removesuffix("-typed")]
    made: Peer = getattr(import_module(f"peers.{module}"), kind)(archive, threads)
    return made


def installed(names: Iterable[str]) -> list[str]:
    """Return those of `names` whose package is installed."""
    return [name for name in names if util.find_spec(PEERS[name.removesuffix("-typed")][2]) is not None]


def tasks_of(name: str, peer: Peer) -> dict[str, str]:
    """Return the tasks of `peer` by method name; the plainer forms have names of their own."""
    suffix = "_typed" if name.endswith("-typed") else ""
    return {task: task + suffix for task in TASKS if hasattr(peer, task + suffix)}
