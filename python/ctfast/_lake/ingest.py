"""Takes archives into a lake on one machine: splits, written side by side, and committed some at a time."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ctfast._integrity.verification import Verification
from ctfast._lake.commit import commit, refuse_other_query
from ctfast._lake.ledger import Counts, Ledger
from ctfast._lake.noted import Noted
from ctfast._lake.plan import plan
from ctfast._lake.prove import Proven, Signed, archive_of, prove
from ctfast._lake.table import Table
from ctfast._ledger.report import Limits, Report
from ctfast._scan.message import SplitMessage
from ctfast._scan.options import Options
from ctfast._scan.parts import schema_for, write
from ctfast._scan.split import Asked, Split, nothing
from ctfast._show.words import quoted
from ctfast._source.addresses import is_address, paths
from ctfast._source.silence import warn
from ctfast.exceptions import ArgumentError, NothingChosen, SourceError

__all__ = ["IngestProgress", "Ingested", "error_of", "ingest"]

#: Splits of one commit. A commit costs a tenth of a second; what was not committed when a run is killed is found by the
#: next run, but listed and compared again.
_TOGETHER = 16
#: Records of one commit, or those of one split: what is noted of each of them, if all are copies, is in memory.
_RECORDS = 500_000


@dataclass(frozen=True)
class IngestProgress:
    """How far an ingest is.

    Attributes
    ----------
    files, of_files : int
        Files that were read, and that were found to be read.
    bytes, of_bytes : int
        Their bytes as stored.
    records : int
        Records that were read.
    seconds : float
        Time since reading began.
    """

    files: int
    of_files: int
    bytes: int
    of_bytes: int
    records: int
    seconds: float


@dataclass(frozen=True)
class Ingested:
    """What an ingest has added to a lake.

    Attributes
    ----------
    files, bad_files : int
        Files that were read, and how many of them are bad.
    known, known_bad : int
        Files that were not read, since the lake has them already, and how many of them are bad.
    unlisted : int
        Files and folders of the archive that cannot be opened or listed: the next ingest tries them again.
    read : int
        Records that were read, which are :attr:`stored` or :attr:`duplicates` or :attr:`bad`.
    stored : int
        Records that were added.
    duplicates : int
        Records that the lake has already, with the same content.
    bad : int
        Records that are damaged.
    differ : int
        Added records of an event that the lake has with another content as well.
    skipped : int
        Records and documents in these files that were not read: not asked for, or no records of CloudTrail.
    proven, unproven : int
        With ``keys``: files that were compared with digests now, whether they were read now or before, and how these
        came out. Those that were proven before are not compared again.
    verification : Verification or None
        With ``keys``: what was found.
    errors : tuple of SourceError
        Why files and folders are unlisted; of very many, the first ones.
    unmatched : tuple of NothingChosen
        What was asked for and no file has: a region, or any file at all.
    """

    files: int
    bad_files: int
    known: int
    known_bad: int
    unlisted: int
    read: int
    stored: int
    duplicates: int
    bad: int
    differ: int
    skipped: int
    proven: int
    unproven: int
    verification: Verification | None
    errors: tuple[SourceError, ...]
    unmatched: tuple[NothingChosen, ...]


def ingest(
    table: Table,
    options: Options,
    columns: list[str],
    threads: int,
    progress: Callable[[IngestProgress], object] | None,
    storage_options: Mapping[str, str] | None,
    signed: Signed | None = None,
) -> Ingested:
    """Read what the lake does not know yet, and commit it; with keys, tell what digests prove of it."""
    asked = Asked(options.asking(columns).query, Limits(*options.run.limits), "collect")
    query, *_ = nothing(options.selection, asked)._identity()  # noqa: SLF001  # splits are made here
    snapshot = table.find()
    if snapshot is not None:
        refuse_other_query(table, snapshot, query)
    _refuse_own_files(table, options)
    if signed is not None:
        archive_of(options)
    found = plan(options, None if snapshot is None else Ledger(table.store, snapshot), asked)
    # Not before: an archive that is mistyped leaves nothing behind.
    refuse_other_query(table, table.create(schema_for(columns), query), query)
    noted = None if signed is None else Noted()
    counts = _Work(table, found.splits, progress, storage_options, noted).run(threads)
    warn(found.unmatched)
    proof = (
        Proven(0, 0, None) if signed is None or noted is None else prove(table, options, signed, noted, storage_options)
    )
    return Ingested(
        known=found.known,
        known_bad=found.known_bad,
        unlisted=found.unlisted,
        errors=tuple(map(error_of, found.failed)),
        unmatched=tuple(found.unmatched),
        **proof._asdict(),
        **counts._asdict(),
    )


def _refuse_own_files(table: Table, options: Options) -> None:
    """Refuse an archive in which the lake lies: its log would be read as an archive's files."""
    lake = str(table.store)
    for source in paths(options.source):
        if is_address(source) and is_address(lake):
            is_in_it = f"{lake}/".startswith(f"{source.rstrip('/')}/")
        else:
            is_in_it = not is_address(lake) and not is_address(source) and _is_below(lake, source)
        if is_in_it:
            message = (
                f"source {quoted(source)} has the lake {table.store} in it, whose files would be read as well: "
                "name the folders beside it"
            )
            raise ArgumentError(message, "source", source, None, "Lake.ingest")


def _is_below(place: str, folder: str) -> bool:
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder))


def error_of(row: tuple[Any, ...]) -> SourceError:
    """Return a row of a report as an exception."""
    file, byte, record, kind, message, *_ = row
    return SourceError(message, file, byte, record, kind, f"{file}: {message}")


class _EndedError(Exception):
    """Raised in the threads of an ingest that was interrupted or has failed."""


class _Work:
    """Writes splits on some threads, and commits what they have written."""

    def __init__(
        self,
        table: Table,
        splits: list[Split],
        progress: Callable[[IngestProgress], object] | None,
        storage_options: Mapping[str, str] | None,
        noted: Noted | None,
    ) -> None:
        self._noted = noted
        self._table, self._splits = table, splits
        self._progress, self._storage_options = progress, storage_options
        self._run, self._commits = uuid.uuid4().hex, 0
        self._has_ended = False
        self._begin = time.monotonic()
        self._files = self._bytes = self._records = 0

    def run(self, threads: int) -> Counts:
        """Read all splits, and return what became of their records."""
        counts = Counts()
        written: list[SplitMessage] = []
        left = iter(self._splits)
        with ThreadPoolExecutor(threads, "ctfast-ingest") as pool:
            running: dict[Future[SplitMessage | None], Split] = {}
            try:
                while True:
                    while len(running) < threads and (split := next(left, None)) is not None:
                        running[pool.submit(self._write, split)] = split
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        split, message = running.pop(future), future.result()
                        written += [] if message is None else [message]
                        self._tell(split, 0 if message is None else message.rows)
                    if len(written) >= _TOGETHER or sum(message.rows for message in written) >= _RECORDS:
                        counts += self._commit(written)
            finally:
                self._has_ended = True
                pool.shutdown(cancel_futures=True)
        return counts + self._commit(written)

    def _write(self, split: Split) -> SplitMessage | None:
        """Do what ``write_parquet`` does, with a way to end it; None if another ingest has committed the split."""
        report = None if self._noted is None else Report(files=True)
        options = split._options("spark", 1, report, self._storage_options)  # noqa: SLF001  # splits are made here
        hashes = None if self._noted is None else partial(getattr, self._noted, "hashes")
        try:
            message = write(split, self._table.store, replace(options, progress=self._go_on, verify=hashes))
        except FileNotFoundError:
            # A commit removes parts that it has replaced, also those that another attempt is about to compare.
            if split.id in Ledger(self._table.store, self._table.open()).splits():
                return None
            raise
        if self._noted is not None:
            # What this process has read: the message may be that of another attempt.
            for each in options.ledgers(None):
                self._noted.add(each)
        return message

    def _go_on(self, _: object) -> None:
        """End the splits that are being written when the ingest has ended."""
        if self._has_ended:
            raise _EndedError

    def _commit(self, written: list[SplitMessage]) -> Counts:
        """Commit what was written, if anything was, and forget it."""
        if not written:
            return Counts()
        self._commits += 1
        counts = commit(self._table, written, self._run, self._commits)
        written.clear()
        return counts

    def _tell(self, split: Split, records: int) -> None:
        self._files += split.files
        self._bytes += split.bytes
        self._records += records
        if self._progress is not None:
            of_files, of_bytes = (sum(each) for each in zip(*((s.files, s.bytes) for s in self._splits), strict=True))
            seconds = time.monotonic() - self._begin
            self._progress(IngestProgress(self._files, of_files, self._bytes, of_bytes, self._records, seconds))
