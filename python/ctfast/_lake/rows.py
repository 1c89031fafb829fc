"""The rows of a lake as a frame, which reads only the rows that its query may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from ctfast._lake.prune import Piece, pieces
from ctfast._lake.table import Part, Snapshot
from ctfast._later import pl
from ctfast._scan.arrow import schema_of
from ctfast._scan.options import COLUMNS
from ctfast._scan.parts import schema_for
from ctfast._scan.pushdown import push_down
from ctfast._store.store import Store

__all__ = ["rows"]


def rows(store: Store, snapshot: Snapshot, parts: list[Part] | None = None) -> pl.LazyFrame:
    """Return the rows of a version of the table, or of some of its parts."""
    stored = pl.DataFrame(snapshot.schema().empty_table()).schema
    schema = _shown(stored)
    parts, bounds = snapshot.whole_parts() if parts is None else parts, snapshot.log.bounds

    def frames(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        columns = schema.names() if with_columns is None else with_columns
        if n_rows is not None or predicate is None:
            # With both a head and a predicate, Polars means the head of all rows: `head` came first in the query.
            scanned = _scanned(store, (part.path for part in parts), stored, schema)
            scanned = scanned if n_rows is None else scanned.head(n_rows)
            yield from _batches(scanned if predicate is None else scanned.filter(predicate), columns)
            return
        found = pieces(store, parts, bounds, push_down(predicate, elements=True))
        for is_whole, several in groupby(found, key=lambda piece: piece.rows is None):
            if is_whole:
                scanned = _scanned(store, (piece.path for piece in several), stored, schema)
                yield from _batches(scanned.filter(predicate), columns)
                continue
            for piece in several:
                yield from _of_piece(_cut(store, piece, stored, schema).filter(predicate), predicate, columns)

    return pl.io.plugins.register_io_source(
        frames, schema=schema, explain_name="LAKE", explain_detail=f"{store}, version {snapshot.version}"
    )


def _shown(stored: pl.Schema) -> pl.Schema:
    """Return the columns as a scan has them; in the table, those that a later version has added come behind others."""
    kinds = pl.DataFrame(schema_of(COLUMNS, "polars").empty_table()).schema
    # Text is one type in Polars, so that structs differ by members alone, of which another version has more.
    of_scan = {name: kind for name, kind in kinds.items() if not kind.is_nested()}
    names = dict.fromkeys([*(name for name in schema_for(COLUMNS).names if name in stored), *stored])
    return pl.Schema({name: of_scan.get(name, stored[name]) for name in names})


def _of_piece(found: pl.LazyFrame, predicate: pl.Expr, columns: list[str]) -> Iterator[pl.DataFrame]:
    """Yield what was found among few rows.

    Polars reads all columns of a query before it filters: those of the predicate alone come first, since a filter
    beside a part may be wrong about a value that is not there.
    """
    if not set(columns) <= set(predicate.meta.root_names()) and not found.select(pl.len()).collect().item():
        return
    yield from _batches(found, columns)


def _batches(found: pl.LazyFrame, columns: list[str]) -> Iterator[pl.DataFrame]:
    yield from found.select(columns).collect_batches()


def _cut(store: Store, piece: Piece, stored: pl.Schema, schema: pl.Schema) -> pl.LazyFrame:
    scanned = _scanned(store, [piece.path], stored, schema)
    return scanned if piece.rows is None else scanned.slice(*piece.rows)


def _scanned(store: Store, paths: Iterable[str], stored: pl.Schema, schema: pl.Schema) -> pl.LazyFrame:
    """Return the rows of whole parts."""
    places = list(paths)
    if not places:
        return pl.LazyFrame(schema=schema)
    found = store.frame(
        places,
        schema=stored,
        missing_columns="insert",
        cast_options=pl.ScanCastOptions(missing_struct_fields="insert", extra_struct_fields="ignore"),
    )
    return found.cast({name: schema[name] for name in schema if schema[name] != stored[name]})
