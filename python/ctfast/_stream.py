"""Archives to Arrow, batch by batch: :func:`stream`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from inspect import GEN_CLOSED, GEN_CREATED, getgeneratorstate
from typing import TYPE_CHECKING, Self, Unpack

from ctfast._addresses import Source
from ctfast._arguments import Streaming, column_names, public
from ctfast._arrow import agreed, schema_of, text_types
from ctfast._fields import narrowed, roots, selected
from ctfast._later import pa
from ctfast._objects import Extent
from ctfast._run import Run
from ctfast._scan import batches
from ctfast._source import RULES, Options
from ctfast._unit import Unit, cut
from ctfast.exceptions import ConsumedError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["EventStream", "stream"]


class EventStream:
    """An iterator of Arrow record batches, to be used once.

    It is a context manager, and offers itself as an Arrow stream (``__arrow_c_stream__``) to pyarrow, pandas, DuckDB, Polars and
    what else reads one; ``docs/arrow.md`` says what was tried. Who asks that stream for text of another type gets it. Its threads
    end when it is exhausted or closed.

    Attributes
    ----------
    schema : pyarrow.Schema
        The schema of every batch.
    """

    def __init__(self, options: Options, columns: list[str], batch_rows: int | None = None, *, views: bool = False) -> None:
        self._options, self._columns, self._batch_rows = options, columns, batch_rows
        self._units: Generator[Unit] | None = None
        self._will_be(schema_of(roots(columns), views=views))
        self.schema: pa.Schema = self._given

    def _will_be(self, whole: pa.Schema) -> None:
        """Have batches made with these types; nothing is read before the first is asked for."""
        self._whole, self._text = whole, text_types(whole)
        self._given = whole if self._columns == whole.names else narrowed(whole, self._columns)
        if self._options.rules is not None and RULES not in whole.names:
            self._text.append(text_types(schema_of([RULES], views=True))[0])  # rules come with each batch, and are left out of it
        self._batches = cut(batches(self._options, self._columns, text=self._text), self._batch_rows)

    def __iter__(self) -> Self:
        """Return the stream itself; of one that was read or closed, nothing is left."""
        if getgeneratorstate(self._batches) == GEN_CLOSED:
            taken = "was read to its end, or closed" if self._units is None else "was cut into units"
            message = f"this stream {taken}: start another one with stream(...)"
            raise ConsumedError(message)
        return self

    def __next__(self) -> pa.RecordBatch:
        """Return the next batch."""
        return self._next(self.schema)

    def _next(self, schema: pa.Schema) -> pa.RecordBatch:
        batch = selected(pa.record_batch(next(self._batches)), self._given)
        # Made with the types of another reader, which was asked for later.
        return batch if schema is self._given or schema == self._given else batch.cast(schema)

    def _each_as(self, schema: pa.Schema) -> Generator[pa.RecordBatch]:
        """Yield what is left when the first is asked for; nothing is left where another reader has had it."""
        iter(self)
        with suppress(StopIteration):
            while True:
                yield self._next(schema)

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the stream."""
        self.close()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer what is left of the stream through the Arrow C stream interface."""
        iter(self)
        schema = agreed(self.schema, requested_schema)
        # Fields of structs are given as they are: their types are those of their structs, which may be asked for beside them.
        if getgeneratorstate(self._batches) == GEN_CREATED and self._columns == self._whole.names:
            self._will_be(schema)
        return pa.RecordBatchReader.from_batches(schema, self._each_as(schema)).__arrow_c_stream__()

    @public()
    def units(self, *, max_files: int = Extent().files, max_bytes: int = Extent().bytes) -> Iterator[Unit]:
        """Cut the stream into units, each of which is stored, and then counts as read, by itself.

        A stream with a checkpoint notes the files of each unit before it hands over its rows. A unit that is not committed comes
        first in the next run, with the same files and the same :attr:`Unit.id`, whatever was delivered in between: so a result
        that is stored under the id of its unit is replaced and not doubled, wherever the run before was stopped.

        Parameters
        ----------
        max_files, max_bytes
            Files of a unit at most, and their bytes as stored; a single file may have more. A file whose size is not known
            counts by itself only. A run that is stopped repeats the units that are not committed, and no others.

        Returns
        -------
        iterator of Unit
            Each is to be read before the next one is asked for.

        Raises
        ------
        ValueError
            The stream has neither a checkpoint nor a source of keys, leaves out duplicates, or a bound is less than 1.
        RuntimeError
            Batches of the stream were taken already.

        Examples
        --------
        >>> import ctfast as ct, pathlib, pyarrow as pa, pyarrow.parquet as pq, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> with ct.stream(archive, checkpoint=ct.Checkpoint(folder / "checkpoint"), columns=["eventName"]) as events:
        ...     for unit in events.units(max_files=50):
        ...         with unit:
        ...             part = folder / f"{unit.id}.parquet"
        ...             pq.write_table(pa.table(unit), part.with_suffix(".new"))
        ...             _ = part.with_suffix(".new").replace(part)
        >>> [pq.read_metadata(part).num_rows for part in sorted(folder.glob("*.parquet"))]
        [863, 176]
        """
        if not self._options.names_files():
            message = "units are what counts as read by itself: pass a checkpoint, or a source of keys"
            raise ValueError(message)
        if self._options.dedupe:
            message = (
                "a unit is repeated by itself after a crash, so its rows must depend on no other one: dedupe is not for units; "
                "leave it out, and remove duplicates where all units lie together"
            )
            raise ValueError(message)
        if getgeneratorstate(self._batches) != GEN_CREATED or self._units is not None:
            message = "batches of this stream were taken already: start another one for its units"
            raise RuntimeError(message)
        self._batches.close()
        self._units = self._each(Extent(max_files, max_bytes))
        return self._units

    def _each(self, extent: Extent) -> Generator[Unit]:
        with Run(self._options, self._columns, text=self._text) as run:
            for portion in run.portions(extent, plan=True):
                unit = Unit(run, portion, self.schema, self._batch_rows)
                try:
                    yield unit
                finally:
                    unit._close()  # noqa: SLF001  # only one is read at a time

    def close(self) -> None:
        """End the threads; the stream is then exhausted."""
        self._batches.close()
        if self._units is not None:
            self._units.close()


@public(options=Streaming)
def stream(
    source: Source,
    *,
    columns: Iterable[str] | None = None,
    batch_rows: int | None = None,
    views: bool = False,
    **options: Unpack[Streaming],
) -> EventStream:
    """Stream a CloudTrail archive as Arrow record batches, in bounded memory.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`; with ``rules`` as for :func:`ctfast.match`.
    columns
        Columns of the result, in this order, by default all; fields of structs as ``userIdentity.arn``. Fewer are faster.
    batch_rows
        Rows of a batch at most. By default batches are as large as they come: about 5,000 rows.
    views
        Whether text is ``string_view``, which Polars and DuckDB work with, and not ``string`` (``large_string`` for JSON), with
        which every reader of Arrow can compute. It costs nothing, where the other is a copy.

    Returns
    -------
    EventStream
        An iterator of :class:`pyarrow.RecordBatch`.

    Raises
    ------
    ArgumentError
        A column does not exist, or ``batch_rows`` is less than 1.
    ConsumedError
        Later, when a stream is read that was read to its end or closed.

    Examples
    --------
    >>> import ctfast as ct
    >>> with ct.stream(archive, columns=["eventTime", "eventName"]) as events:
    ...     sum(batch.num_rows for batch in events) == ct.read(archive).height
    True
    """
    reading = Options(function="stream", source=source, **options)
    names = reading.columns if columns is None else column_names("stream", columns, reading.paths)
    return EventStream(reading, names, batch_rows, views=views)
