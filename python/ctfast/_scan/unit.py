"""A part of a stream that is stored, and then counts as read, by itself: :class:`Unit`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from inspect import GEN_CLOSED, getgeneratorstate
from typing import TYPE_CHECKING, Self

from ctfast import _ctfast
from ctfast._bound import Bound
from ctfast._later import pa
from ctfast._scan.arrow import agreed
from ctfast._scan.fields import selected
from ctfast._scan.run import Run
from ctfast._show.plain import counted
from ctfast._source.object_keys import Portion
from ctfast.exceptions import ConsumedError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Unit", "cut"]


class Unit(Bound):
    """Some files of a stream, whose rows are stored together and then count as read; it can be iterated once.

    It comes from :meth:`EventStream.units`. Like the stream, it is an iterator of Arrow record batches and offers
    itself as an Arrow stream (``__arrow_c_stream__``). Store its rows under its :attr:`id`, replacing what is there,
    make them durable, and then :meth:`commit`; or do so in a ``with`` block of the unit, which commits at its end
    unless it failed.

    Attributes
    ----------
    id : str
        A hash of the query and of the addresses, sizes, ETags and times of its files; with a checkpoint, after a
        number, so that ids sort in the order in which units were made. It is the same when the unit is repeated.
    files : tuple of str
        The addresses or paths of its files, in order.
    schema : pyarrow.Schema
        The schema of every batch.
    """

    _instead = "read and commit it where its stream is, or pass on the batches that it gives"

    def __init__(self, run: Run, portion: Portion, schema: pa.Schema, batch_rows: int | None) -> None:
        self.id = portion.id
        self.files = tuple(file.url for file in portion.files)
        self.schema = schema
        self._run = run
        self._portion = portion
        self._batches = cut(run.read(portion), batch_rows)
        self._is_committed = False

    def __repr__(self) -> str:
        """Return its name and size."""
        return f"Unit({self.id!r}, {counted(len(self.files), 'file')})"

    def __iter__(self) -> Self:
        """Return the unit itself; one that was read is exhausted."""
        if getgeneratorstate(self._batches) == GEN_CLOSED:
            message = f"unit {self.id} was read to its end already, or the next one was asked for"
            raise ConsumedError(message)
        return self

    def __next__(self) -> pa.RecordBatch:
        """Return the next batch."""
        return selected(pa.record_batch(next(self._batches)), self.schema)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the remaining batches through the Arrow C stream interface."""
        return pa.RecordBatchReader.from_batches(self.schema, self).__arrow_c_stream__(
            agreed(self.schema, requested_schema).__arrow_c_schema__()
        )

    def commit(self) -> None:
        """Make its files count as read. With a checkpoint, this is on disk when the call returns.

        Raises
        ------
        RuntimeError
            It was not read to its end, so its rows cannot all be stored.
        """
        if self._is_committed:
            return
        if self._portion.ledger is None:
            message = f"unit {self.id} was not read to its end: its rows cannot all be safe"
            raise RuntimeError(message)
        self._run.done(self._portion)
        self._run.commit()
        self._is_committed = True

    def __enter__(self) -> Self:
        """Return the unit itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, unless the block failed."""
        if kind is None:
            self.commit()

    def _bad(self) -> list[tuple[str, str | None]]:
        """Return its files that are bad, and why, once it is read."""
        return [(row.file, row.reason) for row in (self._portion.ledger or {}).values() if row.outcome == "bad"]

    def _close(self) -> None:
        self._batches.close()


def cut(whole: Iterator[_ctfast.Batch], rows: int | None) -> Generator[_ctfast.Batch]:
    """Cut batches into smaller ones of at most this many rows. The source ends with this."""
    try:
        for batch in whole:
            step = rows or max(len(batch), 1)
            for start in range(0, len(batch), step):
                yield batch.slice(start, min(step, len(batch) - start))
    finally:
        whole.close()  # type: ignore[attr-defined]  # a generator
