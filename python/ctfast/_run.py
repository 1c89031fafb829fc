"""One run over files that are named one by one: read, and done with, portion by portion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from ctfast import _ctfast, _ending
from ctfast._objects import Extent, Portion, Row
from ctfast._report import Report
from ctfast._source import Options, is_address
from ctfast.exceptions import FormatError, SourceError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Run", "read_all"]

#: What is read together where nobody says how much.
_PORTION = Extent()
#: A file that is bad, or gone, is in a checkpoint's way: it is named again in every run.
_REMEDY = (
    '; each run with this checkpoint stops here as long as that is so: on_error="collect" goes on without the file, '
    "and Checkpoint.forget() then tries it no more"
)


class Run:
    """Files that a source of keys names, or a checkpoint finds new, on their way to batches.

    The portions share connections and pace, so that a new one starts at full speed. The end of the block ends the run, however
    it ends; what was not committed until then is read again by the next one.
    """

    def __init__(self, options: Options, columns: list[str], predicate: tuple[Any, ...] | None = None) -> None:
        self._options = options
        self._columns = columns
        self._predicate = predicate
        self._report = options.report or Report()
        self._remote = options.remote() if options.is_in_buckets() else None
        self._source = options.keys(self._remote)
        self._duplicates = options.duplicates()

    def __enter__(self) -> Self:
        """Return the run itself."""
        self._report._follow(self._source)  # noqa: SLF001  # joined here, read elsewhere
        self._report._ask(self._remote)  # noqa: SLF001
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the run."""
        self._source.close()
        if self._remote is not None:
            self._remote.close()

    def portions(self, extent: Extent | None = None, *, plan: bool = False) -> Iterator[Portion]:
        """Name what is to be read next, portion by portion; those that are planned are the same in the next run."""
        query = self._options.query(self._columns)
        for portion in self._source.portions(query, extent or _PORTION, plan=plan):
            self._refuse()
            yield portion
        self._refuse()
        self._report._end()  # noqa: SLF001

    def read(self, portion: Portion) -> Iterator[_ctfast.Batch]:
        """Read a portion, and note what became of its files."""
        if self._remote is None and any(is_address(file.url) for file in portion.files):
            self._remote = self._options.remote()
        files = portion.files
        if portion.is_repeated:
            files = [file._replace(size=None, etag=None) for file in files]
        running = self._options.start(self._columns, self._predicate, files, self._remote, self._duplicates)
        try:
            yield from read_all(running, self._options, self._report, self._remote)
        except (FormatError, SourceError) as error:
            if self._options.checkpoint is None:
                raise
            raise _with(error, _REMEDY) from None
        portion.ledger = {row[0]: Row(*row) for row in running.ledger()}

    def done(self, portion: Portion) -> None:
        """Tell the source that the rows of a portion were handed over."""
        self._source.done(portion)

    def commit(self) -> None:
        """Make the portions that were handed over count as read."""
        self._source.commit()

    def _refuse(self) -> None:
        if self._source.bad and self._options.on_error == "raise":
            raise self._source.bad[0]


def _with(error: FormatError | SourceError, more: str) -> FormatError | SourceError:
    """The same error, with more to say."""
    return type(error)(error.message + more, error.key, error.byte, error.record, error.kind, f"{error}{more}")


def read_all(
    running: _ctfast.Scan, options: Options, report: Report, remote: _ctfast.Remote | None = None
) -> Iterator[_ctfast.Batch]:
    """Read to the end; the threads end with the iterator."""
    report._add(running)  # noqa: SLF001  # joined here, read elsewhere
    with _ending.running(running):
        try:
            while (batch := running.next()) is not None:
                if options.progress is not None:
                    options.progress(report)
                yield batch
        except BaseException:
            if remote is not None:
                remote.close()  # what is under way would be waited for
            raise
