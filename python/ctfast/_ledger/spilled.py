"""Rows that do not fit in memory, as frames: the latest are held, those before them are on the disk."""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import IO

from ctfast import _ctfast
from ctfast._later import pl
from ctfast.exceptions import SourceError

__all__ = ["Spilled"]


class Spilled:
    """Frames of one schema, in their order.

    As many rows as a ledger has in memory are held, those before them are in a file without a name, which is gone with
    the process however it ends. A pickle or a deep copy holds all of them.
    """

    def __init__(self, frames: Iterable[pl.DataFrame] = ()) -> None:
        self._latest: list[pl.DataFrame] = []
        self._rows = 0
        self._file: IO[bytes] | None = None
        #: Where each page ends.
        self._ends = [0]
        for frame in frames:
            self.append(frame)

    def append(self, frame: pl.DataFrame) -> None:
        """Add rows, which come next."""
        if frame.is_empty():
            return
        self._latest.append(frame)
        self._rows += frame.height
        if self._rows < _ctfast.LEDGER_ROWS:
            return
        for page in pl.concat(self._latest).iter_slices(_ctfast.LEDGER_ROWS):
            self._write(page)
        self._latest, self._rows = [], 0

    def _write(self, page: pl.DataFrame) -> None:
        buffer = io.BytesIO()
        page.write_ipc_stream(buffer, compression="lz4")
        left = buffer.getbuffer()
        self._ends.append(self._ends[-1] + len(left))
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # as long as the rows
                weakref.finalize(self, self._file.close)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            folder = tempfile.gettempdir()
            why = f"cannot write: {error}; rows are kept in this folder, unless TMPDIR names another one"
            raise SourceError(why, folder, None, None, "unwritable", f"{folder}: {why}") from error

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield the rows so far, some at a time."""
        latest = tuple(self._latest)
        if self._file is not None:
            for start, end in pairwise(tuple(self._ends)):
                yield pl.read_ipc_stream(io.BytesIO(os.pread(self._file.fileno(), end - start, start)))
        yield from latest

    def __reduce__(self) -> tuple[type[Spilled], tuple[list[pl.DataFrame]]]:
        """Return all rows; the file is one of this process."""
        return Spilled, (list(self),)
