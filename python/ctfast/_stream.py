"""Archives to Arrow, batch by batch: :func:`stream`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from ctfast import _ctfast
from ctfast._scan import batches
from ctfast._source import RULES, Options, Source

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["EventStream", "stream"]


class EventStream:
    """An iterator of Arrow record batches, to be used once.

    It is a context manager, and offers itself as an Arrow stream (``__arrow_c_stream__``), so that pyarrow, DuckDB, Polars and
    pandas read it without a copy. Its threads end when it is exhausted or closed.

    Attributes
    ----------
    schema : pyarrow.Schema
        The schema of every batch.
    """

    def __init__(self, options: Options, columns: list[str], batch_rows: int | None) -> None:
        schema = pa.record_batch(_ctfast.schema([name for name in columns if name != RULES])).schema
        if RULES in columns:
            schema = schema.append(pa.field(RULES, pa.list_(pa.field("item", pa.string_view(), nullable=False)), nullable=False))
        self.schema: pa.Schema = schema
        self._batches = _cut(batches(options, columns, loop=True), batch_rows)

    def __iter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __next__(self) -> pa.RecordBatch:
        """Return the next batch."""
        return pa.record_batch(next(self._batches))

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the stream."""
        self.close()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer what is left of the stream through the Arrow C stream interface."""
        return pa.RecordBatchReader.from_batches(self.schema, self).__arrow_c_stream__(requested_schema)

    def close(self) -> None:
        """End the threads; the stream is then exhausted."""
        self._batches.close()


def stream(source: Source, *, columns: Iterable[str] | None = None, batch_rows: int | None = None, **options: Any) -> EventStream:
    """Stream a CloudTrail archive as Arrow record batches, in bounded memory.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`; with ``rules`` as for :func:`ctfast.match`.
    columns
        Columns of the result, by default all. Fewer are faster.
    batch_rows
        Rows of a batch at most. By default batches are as large as they come: about 5,000 rows.

    Returns
    -------
    EventStream
        An iterator of :class:`pyarrow.RecordBatch`.

    Raises
    ------
    ValueError
        A column does not exist, or ``batch_rows`` is less than 1.

    Examples
    --------
    >>> import ctfast as ct
    >>> with ct.stream(archive, columns=["eventTime", "eventName"]) as events:
    ...     sum(batch.num_rows for batch in events) == ct.read(archive).height
    True
    """
    reading = Options(source=source, **options)
    names = reading.columns if columns is None else list(columns)
    unknown = [name for name in names if name not in reading.columns]
    if unknown:
        message = f"unknown column: {unknown[0]}"
        raise ValueError(message)
    if batch_rows is not None and batch_rows < 1:
        message = f"batch_rows must be at least 1, not {batch_rows}"
        raise ValueError(message)
    return EventStream(reading, names, batch_rows)


def _cut(whole: Iterator[_ctfast.Batch], rows: int | None) -> Any:
    try:
        for batch in whole:
            step = rows or max(len(batch), 1)
            for start in range(0, len(batch), step):
                yield batch.slice(start, min(step, len(batch) - start))
    finally:
        whole.close()  # type: ignore[attr-defined]  # a generator
