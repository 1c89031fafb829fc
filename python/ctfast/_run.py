"""One run over files that are named one by one: read, and done with, portion by portion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from ctfast import _ctfast, _ending
from ctfast._addresses import is_address
from ctfast._objects import Extent, KeySource, Portion, Row
from ctfast._report import Report
from ctfast._silence import Outcome, unmatched, warn
from ctfast._slips import Slips
from ctfast._source import Options
from ctfast.exceptions import CloudTrailError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Run", "conclude", "read_all"]

#: What is read together where nobody says how much.
_PORTION = Extent()
_GO_ON = '; on_error="collect" names it and goes on'
#: A file that is bad, or gone, is in a checkpoint's way: it is named again in every run.
_WITH_CHECKPOINT = (
    '; each run with this checkpoint stops here as long as that is so: on_error="collect" goes on without the file, '
    "and Checkpoint.forget() then tries it no more"
)


class Run:
    """Files that a source of keys names, or a checkpoint finds new, on their way to batches.

    The portions share connections and pace, so that a new one starts at full speed. The end of the block ends the run, however
    it ends; what was not committed until then is read again by the next one.
    """

    def __init__(
        self,
        options: Options,
        columns: list[str],
        predicate: tuple[Any, ...] | None = None,
        text: list[str] | None = None,
        ledger: _ctfast.Ledger | None = None,
    ) -> None:
        self._options = options
        self._ledger = ledger
        self._columns = columns
        self._predicate = predicate
        self._text = text
        self._report = options.report or Report()
        self._remote = options.remote() if options.is_in_buckets() else None
        self._seen = _ctfast.Seen()
        self._source = options.keys(self._remote, self._seen)
        self._slips = Slips(options)
        self._duplicates = options.duplicates()

    def __enter__(self) -> Self:
        """Return the run itself."""
        self._report._follow(self._options.asked, self._source)  # noqa: SLF001  # joined here, read elsewhere
        self._report._ask(self._remote)  # noqa: SLF001
        self._source._ledgers = self._options.ledgers(self._ledger)  # noqa: SLF001  # what it passes over is noted as well
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the run."""
        self._source.close()
        if self._remote is not None:
            self._remote.close()

    def portions(self, extent: Extent | None = None, *, plan: bool = False) -> Iterator[Portion]:
        """Name what is to be read next, portion by portion; those that are planned are the same in the next run."""
        query = self._options.query(self._columns)
        are_read = True
        for portion in self._source.portions(query, extent or _PORTION, plan=plan):
            self._refuse()
            yield portion
            are_read &= portion.ledger is not None
        self._refuse()
        self._report._end()  # noqa: SLF001
        if are_read:  # what is in a unit that was passed over, nobody knows
            conclude(self._options, self._report, self._seen, self._slips)

    def read(self, portion: Portion) -> Iterator[_ctfast.Batch]:
        """Read a portion, and note what became of its files."""
        if self._remote is None and any(is_address(file.url) for file in portion.files):
            self._remote = self._options.remote()
        files = portion.files
        if portion.is_repeated:
            files = [file._replace(size=None, etag=None) for file in files]
        running = self._options.start(
            self._columns, self._predicate, files, self._remote, self._seen, self._text, self._duplicates, self._ledger
        )
        yield from read_all(running, self._options, self._report, self._slips, self._remote)
        portion.ledger = {row[0]: Row(*row) for row in running.ledger()}

    def done(self, portion: Portion) -> None:
        """Tell the source that the rows of a portion were handed over."""
        self._source.done(portion)

    def commit(self) -> None:
        """Make the portions that were handed over count as read."""
        self._source.commit()

    def _refuse(self) -> None:
        if self._source.bad and self._options.on_error == "raise":
            raise _with_remedy(self._source.bad[0], self._options)


def _with_remedy(error: CloudTrailError, options: Options) -> CloudTrailError:
    """Return the error of a bad file or record, which says what goes on after it as well."""
    more = _GO_ON if options.checkpoint is None else _WITH_CHECKPOINT
    return type(error)(error.message, error.key, error.byte, error.record, error.kind, f"{error}{more}")


def conclude(options: Options, report: Report, seen: _ctfast.Seen, slips: Slips) -> None:
    """Say what nothing answers to, once all is listed."""
    if not report.complete:
        return
    is_news = not options.repeats()
    outcome = Outcome(options.place, report.files.read + report.files.bad, report.skipped, report.pruned, seen.barren(), is_news)
    found = unmatched(outcome, options.asked, seen.names())
    if not any(each.nothing for each in found):
        found += slips.found(report)
    if isinstance(options.source, KeySource):
        # Keys are a part of an archive: a name that some of them have and others do not may be elsewhere.
        found = [each for each in found if each.nothing or each.reason == "rules"]
    if options.checkpoint is not None:
        # There may be nothing new.
        found = [each for each in found if each.reason != "done"]
    if options.verify is not None:
        # Digests are read as well: an archive of nothing else is one in which nothing happened.
        found = [each for each in found if each.reason != "digest"]
    report._unmatched = found  # noqa: SLF001
    warn(found)


def read_all(
    running: _ctfast.Scan, options: Options, report: Report, slips: Slips, remote: _ctfast.Remote | None = None
) -> Iterator[_ctfast.Batch]:
    """Read to the end; the threads end with the iterator."""
    report._add(running)  # noqa: SLF001  # joined here, read elsewhere
    with _ending.running(running):
        try:
            while (batch := running.next()) is not None:
                slips.note(batch)
                if options.progress is not None:
                    options.progress(report)
                yield batch
        except BaseException as error:
            if remote is not None:
                remote.close()  # what is under way would be waited for
            if isinstance(error, CloudTrailError) and _is_of_a_file(error, running):
                raise _with_remedy(error, options) from None
            raise


def _is_of_a_file(error: CloudTrailError, running: _ctfast.Scan) -> bool:
    """Whether this is about a file, and not a listing that failed, which nothing can go on without."""
    return any((row[0], row[3]) == (error.key, error.kind) for row, _ in running.bad())
