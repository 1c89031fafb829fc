"""The rows of a ledger, one for each file, as frames."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from ctfast import _ctfast
from ctfast._later import pl

__all__ = ["kept", "lazily", "no_rows", "taken"]


def no_rows() -> pl.DataFrame:
    """Return an empty frame with the columns of a ledger."""
    return pl.DataFrame(_ctfast.Ledger.empty())


def taken(ledger: _ctfast.Ledger) -> Iterator[pl.DataFrame]:
    """Yield the rows that were not taken yet, and remove them from the ledger."""
    while len(rows := ledger.take()):
        yield pl.DataFrame(rows)


def kept(ledger: _ctfast.Ledger) -> pl.LazyFrame:
    """Return a frame of the rows that the ledger has when the query runs; they stay in the ledger."""

    def pages() -> Iterator[pl.DataFrame]:
        for number in itertools.count():
            rows = ledger.page(number)
            if not len(rows):
                return
            yield pl.DataFrame(rows)

    return lazily(pages, "of a report")


def lazily(pages: Callable[[], Iterable[pl.DataFrame]], detail: str, schema: pl.Schema | None = None) -> pl.LazyFrame:
    """Return a frame that fetches pages of rows when its query runs, and keeps only what the query needs of them.

    The schema is that of the ledger, unless another one is given.
    """

    def frames(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        for page in pages():
            frame = page if left is None else page.head(left)
            if left is not None:
                left -= frame.height
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame if with_columns is None else frame.select(with_columns)
            if left is not None and left <= 0:
                return

    return pl.io.plugins.register_io_source(
        frames, schema=schema or no_rows().schema, explain_name="FILES", explain_detail=detail
    )
