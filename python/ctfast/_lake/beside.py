"""Tables beside the Delta table: Parquet files that count once a commit names them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable

from ctfast._lake.layout import beside_path
from ctfast._later import pa, pl, pq
from ctfast._store.store import Store

__all__ = ["read_beside", "write_beside"]


def write_beside(store: Store, folder: str, commit: str, version: int, table: pa.Table) -> str:
    """Write a table for the commit that makes this version, and return its path."""
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    path = beside_path(folder, commit, version, hashlib.sha256(content.getbuffer()).hexdigest())
    store.put(path, content.getvalue())
    return path


def read_beside(store: Store, paths: Iterable[str], schema: pa.Schema) -> pl.LazyFrame:
    """Return the rows of such files, in the order of the files; a column that an earlier version has not is null."""
    places = store.fetch_sound(paths)
    kinds = pl.DataFrame(schema.empty_table()).schema
    if not places:
        return pl.LazyFrame(schema=kinds)
    return pl.scan_parquet(places, schema=kinds, glob=False, hive_partitioning=False, missing_columns="insert")
