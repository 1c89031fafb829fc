"""The rows of a ledger, one for each file, as frames."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from ctfast import _ctfast
from ctfast._later import pl

__all__ = ["kept", "lazily", "no_rows", "taken"]


def no_rows() -> pl.DataFrame:
    """Return the columns."""
    return pl.DataFrame(_ctfast.Ledger.empty())


def taken(ledger: _ctfast.Ledger) -> Iterator[pl.DataFrame]:
    """Yield the rows that nobody has taken yet: the ledger then has them no more."""
    while len(rows := ledger.take()):
        yield pl.DataFrame(rows)


def kept(ledger: _ctfast.Ledger) -> pl.LazyFrame:
    """Return the rows up to the moment when they are asked for; the ledger has them as before."""

    def pages() -> Iterator[pl.DataFrame]:
        for number in itertools.count():
            rows = ledger.page(number)
            if not len(rows):
                return
            yield pl.DataFrame(rows)

    return lazily(pages, "of a report")


def lazily(pages: Callable[[], Iterable[pl.DataFrame]], detail: str) -> pl.LazyFrame:
    """Return a frame that asks for pages of rows when it is asked itself, and holds what the query needs of them."""

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

    return pl.io.plugins.register_io_source(frames, schema=no_rows().schema, explain_name="FILES", explain_detail=detail)
