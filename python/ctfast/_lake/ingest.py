"""Takes archives into a lake on one machine: splits, written side by side, and committed some at a time."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ctfast import _ctfast
from ctfast._cost.prices import Prices
from ctfast._integrity.verification import Verification
from ctfast._interrupt import held
from ctfast._lake.commit import commit, refuse_other_query
from ctfast._lake.known import File, Splits, Versions
from ctfast._lake.ledger import Counts, Ledger
from ctfast._lake.noted import Noted
from ctfast._lake.plan import Found, Plan, plan
from ctfast._lake.planned import IngestPlan, Tally
from ctfast._lake.prove import Proven, Signed, archive_of, prove
from ctfast._lake.restore import Restoring
from ctfast._lake.table import Table
from ctfast._lake.unreached import ARCHIVED, Postponed, reached
from ctfast._lake.versions import old_versions
from ctfast._ledger.report import Limits, Report
from ctfast._scan.message import SplitMessage
from ctfast._scan.options import Options
from ctfast._scan.parts import message_path, schema_for, write
from ctfast._scan.split import Asked, Split, nothing
from ctfast._show.words import quoted
from ctfast._source.addresses import is_address, paths
from ctfast._source.silence import warn
from ctfast._store.store import OtherContentsError
from ctfast.exceptions import ArgumentError, NothingChosen, SourceError

__all__ = ["Ingest", "IngestProgress", "Ingested", "error_of"]

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
    archived : int
        Objects in an archive class of S3 that have to be restored first: the next ingest tries them again.
    asked : int
        How many of these S3 was asked to restore.
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
        Why files and folders are unlisted or archived; of very many, the first ones.
    unmatched : tuple of NothingChosen
        What was asked for and no file has: a region, or any file at all.
    """

    files: int
    bad_files: int
    known: int
    known_bad: int
    unlisted: int
    archived: int
    asked: int
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


class Ingest:
    """Takes what is new in an archive into a lake, at each look."""

    def __init__(
        self,
        table: Table,
        options: Options,
        columns: list[str],
        threads: int,
        progress: Callable[[IngestProgress], object] | None,
        storage_options: Mapping[str, str] | None,
        *,
        versions: bool,
        signed: Signed | None = None,
    ) -> None:
        if signed is not None:
            archive_of(options)
        self._signed = signed
        self._versions = _in_buckets(options) if versions else []
        self._table, self._options, self._columns = table, options, columns
        self._threads, self._progress, self._storage_options = threads, progress, storage_options
        self._asked = Asked(options.asking(columns).query, Limits(*options.run.limits), "collect")
        chosen = options.chosen
        self._known, self._splits = Versions(chosen["since"], chosen["until"]), Splits()
        self._postponed = Postponed()

    def plan(self) -> IngestPlan:
        """Tell what would be read."""
        tally = Tally()
        found = self._found((), tally.add)
        warn(found.unmatched)
        return IngestPlan(
            files=tally.files(),
            restores=tally.restores(),
            prices=Prices.read(),
            unlisted=found.unlisted,
            errors=tuple(map(error_of, found.failed)),
            unmatched=tuple(found.unmatched),
        )

    def look(self, restore: str | None = None) -> Ingested:
        """Read what the lake does not know yet, and commit it; request what has to be restored first, in this tier."""
        restoring = None if restore is None else Restoring(restore, self._storage_options)
        postponed = self._postponed.next()
        found = self._found(postponed, None if restoring is None else restoring.ask_of)
        # Not before: an archive that is mistyped leaves nothing behind.
        refuse_other_query(self._table, self._table.create(schema_for(self._columns), self._query), self._query)
        noted = None if self._signed is None else Noted()
        work = _Work(self._table, found.splits, self._splits, self._progress, self._storage_options, noted)
        counts = work.run(self._threads)
        self._postponed.note(work.unreached, postponed)
        warn(found.unmatched)
        archived = [file for (file, *_), error in work.unreached.items() if error.kind == ARCHIVED]
        if restoring is not None:
            restoring.ask(archived)
        proof = Proven(0, 0, None)
        if self._signed is not None and noted is not None:
            proof = prove(self._table, self._options, self._signed, noted, self._storage_options)
        return Ingested(
            known=found.known,
            known_bad=found.known_bad,
            unlisted=found.unlisted + found.postponed + len(work.unreached) - len(archived),
            archived=found.archived + len(archived),
            asked=0 if restoring is None else restoring.asked,
            errors=(*map(error_of, found.failed), *islice(work.unreached.values(), _ctfast.NAMED_FILES)),
            unmatched=tuple(found.unmatched),
            **proof._asdict(),
            **counts._asdict(),
        )

    def _found(self, postponed: Collection[File], told: Callable[[Sequence[Found]], object] | None) -> Plan:
        """List the archive, and compare it with what the lake knows by now."""
        snapshot = self._table.find()
        if snapshot is None:
            self._known.forget()
        else:
            refuse_other_query(self._table, snapshot, self._query)
            self._known.read(Ledger(self._table.store, snapshot))
        _refuse_own_files(self._table, self._options)
        versions = None
        if self._versions:
            versions = old_versions(self._versions, self._options.selection, self._storage_options)
        return plan(self._options, self._known, self._asked, postponed, told, versions)

    @property
    def _query(self) -> str:
        query, *_ = nothing(self._options.selection, self._asked)._identity()  # noqa: SLF001  # splits are made here
        return query


def _in_buckets(options: Options) -> list[str]:
    """Return the sources, which have to be in buckets."""
    found = paths(options.source)
    for each in found:
        if not is_address(each):
            message = (
                f"versions are those of objects in buckets, and source {quoted(each)} is on the disk: leave it out"
            )
            raise ArgumentError(message, "versions", True, None, "Lake.ingest")
    return found


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
        known: Splits,
        progress: Callable[[IngestProgress], object] | None,
        storage_options: Mapping[str, str] | None,
        noted: Noted | None,
    ) -> None:
        self._noted = noted
        self._table, self._splits, self._known = table, splits, known
        self._progress, self._storage_options = progress, storage_options
        self._run, self._commits = uuid.uuid4().hex, 0
        self._has_ended = False
        self._begin = time.monotonic()
        self._files = self._bytes = self._records = 0
        #: Files that could not be reached, and why.
        self.unreached: dict[File, SourceError] = {}

    def run(self, threads: int) -> Counts:
        """Read all splits, and return what became of their records."""
        counts = Counts()
        written: list[SplitMessage] = []
        left = iter(self._splits)
        with ThreadPoolExecutor(threads, "ctfast-ingest") as pool:
            running: dict[Future[tuple[SplitMessage, Report] | None], Split] = {}
            try:
                while True:
                    while len(running) < threads and (split := next(left, None)) is not None:
                        running[pool.submit(self._write, split)] = split
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        split, done = running.pop(future), future.result()
                        message = None if done is None else self._reached(*done)
                        written += [] if message is None else [message]
                        self._tell(split, 0 if message is None else message.rows)
                    if len(written) >= _TOGETHER or sum(message.rows for message in written) >= _RECORDS:
                        counts += self._commit(written)
            finally:
                self._has_ended = True
                pool.shutdown(cancel_futures=True)
        return counts + self._commit(written)

    def _write(self, split: Split) -> tuple[SplitMessage, Report] | None:
        """Write a split, whatever attempts before have left of it."""
        try:
            return self._attempt(split)
        except OtherContentsError:
            # One was killed, and had read something else, such as the beginning of a file whose connection broke off.
            # Nothing names what it has left, which goes with a sweep.
            return self._attempt(split._anew())  # noqa: SLF001  # splits are made here

    def _attempt(self, split: Split) -> tuple[SplitMessage, Report] | None:
        """Do what ``write_parquet`` does, with a way to end it; None if another ingest has committed the split."""
        report = Report(files=self._noted is not None)
        options = split._options("spark", 1, report, self._storage_options)  # noqa: SLF001  # splits are made here
        hashes = None if self._noted is None else partial(getattr, self._noted, "hashes")
        try:
            message = write(split, self._table.store, replace(options, progress=self._go_on, verify=hashes))
        except FileNotFoundError:
            # A commit removes parts that it has replaced, also those that another attempt is about to compare.
            if split.id in Splits().of(Ledger(self._table.store, self._table.open())):
                return None
            raise
        if self._noted is not None:
            # What this process has read: the message may be that of another attempt.
            for each in options.ledgers(None):
                self._noted.add(each)
        return message, report

    def _reached(self, written: SplitMessage, report: Report) -> SplitMessage | None:
        """Return the message without the files that could not be reached; None if there are no others."""
        message, missing = reached(written, report)
        self.unreached |= missing
        if message.ledger or not missing:
            return message
        # Another attempt at the same split would be given this message, and may have other rows.
        self._table.store.remove(message_path(message.split))
        self._table.store.remove_parts([part.path for part in message.files])
        return None

    def _go_on(self, _: object) -> None:
        """End the splits that are being written when the ingest has ended."""
        if self._has_ended:
            raise _EndedError

    def _commit(self, written: list[SplitMessage]) -> Counts:
        """Commit what was written, if anything was, and forget it."""
        if not written:
            return Counts()
        self._commits += 1
        with held():  # an interruption waits for the end of the commit
            counts = commit(self._table, written, self._run, self._commits, self._known)
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
