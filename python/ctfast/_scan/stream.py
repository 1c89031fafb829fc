"""Archives to Arrow, batch by batch: :func:`stream`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from inspect import GEN_CLOSED, GEN_CREATED, getgeneratorstate
from typing import TYPE_CHECKING, Self, Unpack

from ctfast._arguments.gate import Streaming, column_names, public
from ctfast._bound import Bound
from ctfast._later import pa
from ctfast._scan.arrow import agreed, schema_of, text_types
from ctfast._scan.fields import narrowed, roots, selected
from ctfast._scan.follow import INTERVAL, Follow
from ctfast._scan.options import RULES, Options, ask
from ctfast._scan.run import Run
from ctfast._scan.scan import batches
from ctfast._scan.unit import Unit, cut
from ctfast._source.addresses import Source
from ctfast._source.object_keys import Extent
from ctfast.exceptions import ConsumedError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["EventStream", "stream"]


class EventStream(Bound):
    """An iterator of Arrow record batches, to be used once.

    It is a context manager, and offers itself as an Arrow stream (``__arrow_c_stream__``) to pyarrow, pandas, DuckDB,
    Polars and other readers; ``docs/arrow.md`` says what was tried. A consumer may request other text types. Its
    threads end when it is exhausted or closed.

    Attributes
    ----------
    schema : pyarrow.Schema
        The schema of every batch.
    """

    _instead = "start it where it is read, with ctfast.stream(...), or pass on the batches that it gives"

    def __init__(self, options: Options, batch_rows: int | None = None, *, views: bool = False) -> None:
        self._options, self._columns, self._batch_rows = options, options.query.columns, batch_rows
        self._units: Generator[Unit] | None = None
        self._will_be(schema_of(roots(self._columns), "polars" if views else "arrow"))
        self.schema: pa.Schema = self._given

    def _will_be(self, whole: pa.Schema) -> None:
        """Make batches with these types; nothing is read before the first batch is requested."""
        self._whole, text = whole, text_types(whole)
        self._given = whole if self._columns == whole.names else narrowed(whole, self._columns)
        if self._options.rules is not None and RULES not in whole.names:
            # Each batch has the column of rules, even if it is not in the schema.
            text.append(text_types(schema_of([RULES], "polars"))[0])
        self._options = self._options.asking(self._columns, text=text)
        self._batches = cut(batches(self._options), self._batch_rows)

    def __iter__(self) -> Self:
        """Return the stream itself; one that was read or closed is exhausted."""
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
        # Another reader may have requested other types before the first batch was made.
        return batch if schema is self._given or schema == self._given else batch.cast(schema)

    def _each_as(self, schema: pa.Schema) -> Generator[pa.RecordBatch]:
        """Yield the remaining batches once the first is requested; none remain if another reader took them."""
        iter(self)
        with suppress(StopIteration):
            while True:
                yield self._next(schema)

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        self.close()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the remaining batches through the Arrow C stream interface."""
        iter(self)
        schema = agreed(self.schema, requested_schema)
        # Fields of structs keep the types in their structs, since a consumer may request the struct as well.
        if getgeneratorstate(self._batches) == GEN_CREATED and self._columns == self._whole.names:
            self._will_be(schema)
        return pa.RecordBatchReader.from_batches(schema, self._each_as(schema)).__arrow_c_stream__()

    @public()
    def units(
        self,
        *,
        max_files: int = Extent().files,
        max_bytes: int = Extent().bytes,
        follow: bool = False,
        interval: timedelta = INTERVAL,
    ) -> Iterator[Unit]:
        """Cut the stream into units, each of which is stored, and then counts as read, by itself.

        With a checkpoint, the files of each unit are noted before its rows are handed over. A unit that was not
        committed comes first in the next run, with the same files and the same :attr:`Unit.id`, whatever was delivered
        in between. So a result stored under the id of its unit is replaced and not doubled, wherever the run before
        stopped.

        Parameters
        ----------
        max_files, max_bytes
            The most files of a unit, and bytes as stored; a single file may have more. A file of unknown size counts as
            one file, without bytes. A run that is stopped repeats only the units that are not committed.
        follow
            Continue when all files are read: look for new files again and again. The iterator then has no end; leave
            the loop, close the stream, or raise an exception, as Ctrl-C does, to end it. See "Keeping up" in
            ``docs/sources.md``.
        interval
            How long to wait after each look for new files, between a second and a day.

        Returns
        -------
        iterator of Unit
            Read each before requesting the next one.

        Raises
        ------
        ValueError
            The stream has neither a checkpoint nor a source of keys, or leaves out duplicates, or a bound is less than
            1; or ``follow`` is set and its source of keys can be read only once.
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
        return self._cut(Extent(max_files, max_bytes), Follow(interval) if follow else None)

    def _cut(self, extent: Extent, follow: Follow | None) -> Iterator[Unit]:
        if not self._options.names_files():
            message = "units are what counts as read by itself: pass a checkpoint, or a source of keys"
            raise ValueError(message)
        if self._options.query.dedupe:
            message = (
                "a unit is repeated by itself after a crash, so its rows must depend on no other one: dedupe is"
                " not for units; "
                "leave it out, and remove duplicates where all units lie together"
            )
            raise ValueError(message)
        if follow is not None and not self._options.can_follow():
            message = f"{self._options.place} is read once: follow needs a checkpoint, or a queue"
            raise ValueError(message)
        if getgeneratorstate(self._batches) != GEN_CREATED or self._units is not None:
            message = "batches of this stream were taken already: start another one for its units"
            raise RuntimeError(message)
        self._batches.close()
        self._units = _each(self._options, self.schema, self._batch_rows, extent, follow)
        return self._units

    def close(self) -> None:
        """End the threads; the stream is then exhausted."""
        self._batches.close()
        if self._units is not None:
            self._units.close()


def _each(
    options: Options, schema: pa.Schema, batch_rows: int | None, extent: Extent, follow: Follow | None
) -> Generator[Unit]:
    # Without the stream, which holds it: it ends, and unlocks its checkpoint, as soon as a loop over it is left.
    with Run(options) as run:
        for portion in run.portions(extent, plan=True, follow=follow):
            unit = Unit(run, portion, schema, batch_rows)
            try:
                yield unit
            finally:
                unit._close()  # noqa: SLF001  # only one is read at a time


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
        Columns of the result, in this order, by default all; fields of structs as ``userIdentity.arn``. Fewer are
        faster.
    batch_rows
        The most rows of a batch. By default batches are as large as they come: about 5,000 rows.
    views
        Whether text is ``string_view``, which Polars and DuckDB use, instead of ``string`` (``large_string`` for JSON),
        with which every Arrow reader can compute. Views cost nothing; the other types are copies.

    Returns
    -------
    EventStream
        An iterator of :class:`pyarrow.RecordBatch`.

    Raises
    ------
    ArgumentError
        A column does not exist, or ``batch_rows`` is less than 1.
    ConsumedError
        Later, if a stream is read that was exhausted or closed.

    Examples
    --------
    >>> import ctfast as ct
    >>> with ct.stream(archive, columns=["eventTime", "eventName"]) as events:
    ...     sum(batch.num_rows for batch in events) == ct.read(archive).height
    True
    """
    reading = ask("stream", source, **options)
    if columns is not None:
        reading = reading.asking(column_names("stream", columns, reading.paths))
    return EventStream(reading, batch_rows, views=views)
