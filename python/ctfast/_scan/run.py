"""One run over files that are named one by one, read and finished portion by portion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from ctfast import _ctfast
from ctfast._ledger.report import Report
from ctfast._scan import ending
from ctfast._scan.options import Options
from ctfast._scan.slips import Slips
from ctfast._source.addresses import is_address
from ctfast._source.object_keys import Extent, KeySource, Portion, Row
from ctfast._source.silence import Outcome, unmatched, warn
from ctfast.exceptions import CloudTrailError

if TYPE_CHECKING:
    from types import TracebackType

    from ctfast._scan.follow import Follow

__all__ = ["Run", "conclude", "read_all", "with_remedy"]

#: The default size of a portion.
_PORTION = Extent()
_GO_ON = '; on_error="collect" names it and goes on'
#: With a checkpoint, a file that is bad or missing comes up again in every run.
_WITH_CHECKPOINT = (
    '; each run with this checkpoint stops here as long as that is so: on_error="collect" goes on without the file, '
    "and Checkpoint.forget() then tries it no more"
)


class Run:
    """Reads the files that a source of keys names, or that are new to a checkpoint, into batches.

    The portions share connections and pace, so that a new one starts at full speed. The run ends with its ``with``
    block, however that ends; what was not committed by then is read again by the next run.
    """

    def __init__(self, options: Options, ledger: _ctfast.Ledger | None = None, *, hands_over: bool = True) -> None:
        self._options = options
        self._ledger = ledger
        self._report = options.report or Report()
        self._remote = options.remote() if options.is_in_buckets() else None
        self._seen = _ctfast.Seen()
        self._source = options.key_source(self._remote, self._seen, hands_over=hands_over)
        self._slips = Slips(options)
        self._duplicates = options.duplicates()

    def __enter__(self) -> Self:
        """Return the run itself."""
        self._options.follow(self._report, self._source)
        self._report._ask(self._remote)  # noqa: SLF001
        self._source._ledgers = self._ledgers = self._options.ledgers(self._ledger)  # noqa: SLF001  # the source notes the files it skips
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run."""
        self._source.close()
        if self._remote is not None:
            self._remote.close()

    def portions(
        self, extent: Extent | None = None, *, plan: bool = False, follow: Follow | None = None
    ) -> Iterator[Portion]:
        """Yield what is to be read next, portion by portion; planned portions are the same in the next run.

        With ``follow`` this does not end.
        """
        query = self._options.identity()

        def look(*, again: bool = False) -> Iterator[Portion]:
            self._report._more = True  # noqa: SLF001  # a report is filled here
            yield from self._source.portions(query, extent or _PORTION, plan=plan, again=again)
            if follow is not None:
                self.commit()  # for messages that name no file; the other ones were committed with their units

        are_read, is_first = True, True
        for portions in [look()] if follow is None else follow.looks(self._source, look):
            for portion in portions:
                self._refuse()
                yield portion
                are_read &= portion.ledger is not None
            self._refuse()
            if follow is None or not follow.has_failed:
                self._report._end()  # noqa: SLF001
            if is_first and are_read:  # a unit that the consumer has skipped may hold what was asked for
                conclude(self._options, self._report, self._seen, self._slips)
            is_first = False

    def read(self, portion: Portion) -> Iterator[_ctfast.Batch]:
        """Read a portion, and note what became of its files."""
        if self._remote is None and any(is_address(file.url) for file in portion.files):
            self._remote = self._options.remote()
        files = portion.files
        if portion.is_repeated:
            files = [file._replace(size=None, etag=None) for file in files]
        outcomes = _ctfast.Ledger(sha256=False)
        ledgers = [outcomes, *self._ledgers]
        selection = self._options.selection.naming([(file.url, file.size, file.etag, file.first) for file in files])
        running = self._options.start(selection, self._remote, self._seen, self._duplicates, ledgers)
        yield from read_all(running, self._options, self._report, self._slips, self._remote)
        portion.ledger = {row[0]: Row(*row) for page in iter(outcomes.take_rows, []) for row in page}

    def done(self, portion: Portion) -> None:
        """Tell the source that the rows of a portion were handed over."""
        self._source.done(portion)

    def commit(self) -> None:
        """Commit the portions that were handed over."""
        self._source.commit()

    def _refuse(self) -> None:
        if self._source.bad and self._options.run.fail:
            raise with_remedy(self._source.bad[0], self._options)


def with_remedy(error: CloudTrailError, options: Options) -> CloudTrailError:
    """Return the error of a bad file or record, with a hint on how to continue in spite of it."""
    more = _GO_ON if options.checkpoint is None else _WITH_CHECKPOINT
    return type(error)(error.message, error.key, error.byte, error.record, error.kind, f"{error}{more}")


def conclude(options: Options, report: Report, seen: _ctfast.Seen, slips: Slips | None = None) -> None:
    """Report and warn of what was asked for without a match, once all is listed."""
    if not report.complete:
        return
    is_news = not options.repeats()
    outcome = Outcome(
        options.place, report.files.read + report.files.bad, report.skipped, report.pruned, seen.barren(), is_news
    )
    found = unmatched(outcome, options.asked, seen.names())
    if slips is not None and not any(each.nothing for each in found):
        found += slips.found(report)
    if isinstance(options.source, KeySource):
        # A list of keys may cover only a part of an archive: files with a name that is missing here may be elsewhere.
        found = [each for each in found if each.nothing or each.reason == "rules"]
    if options.checkpoint is not None:
        # That there is nothing new is normal.
        found = [each for each in found if each.reason != "done"]
    if options.verify is not None:
        # Digests are read as well: an archive with nothing but digests is one in which nothing happened.
        found = [each for each in found if each.reason != "digest"]
    report._unmatched = found  # noqa: SLF001
    warn(found)


def read_all(
    running: _ctfast.Scan, options: Options, report: Report, slips: Slips, remote: _ctfast.Remote | None = None
) -> Iterator[_ctfast.Batch]:
    """Read to the end; the threads end with the iterator."""
    report._add(running)  # noqa: SLF001  # a report is filled here
    with ending.running(running):
        try:
            while (batch := running.next()) is not None:
                slips.note(batch)
                if options.progress is not None:
                    options.progress(report)
                yield batch
        except BaseException as error:
            if remote is not None:
                remote.close()  # else closing the scan would wait for pending requests
            if isinstance(error, CloudTrailError) and _is_of_a_file(error, running):
                raise with_remedy(error, options) from None
            raise


def _is_of_a_file(error: CloudTrailError, running: _ctfast.Scan) -> bool:
    """Whether this is the error of a file, and not of a failed listing, after which a scan cannot continue."""
    return any((row[0], row[3]) == (error.key, error.kind) for row, _ in running.bad())
