"""Reads again what is bad in a lake: each file by itself, wherever it comes from."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from ctfast import _ctfast
from ctfast._aws.credentials import credentials
from ctfast._lake.commit import commit
from ctfast._lake.ingest import error_of
from ctfast._lake.ledger import Ledger
from ctfast._lake.table import Snapshot, Table
from ctfast._lake.unreached import reached
from ctfast._later import pl
from ctfast._ledger.report import Limits, Report
from ctfast._scan.message import SplitMessage, meant
from ctfast._scan.options import COLUMNS
from ctfast._scan.parts import message_path, write
from ctfast._scan.split import Asked, Split
from ctfast._source.addresses import is_address
from ctfast.exceptions import SourceError

__all__ = ["Retried", "retry"]

#: Files that are read and committed together.
_TOGETHER = 16
#: What tells whether another reading of a file has the same result.
_RESULT = ("size", "etag", "modified", "outcome", "reason", "byte", "records_read", "records_bad", "records_skipped")


@dataclass(frozen=True)
class Retried:
    """What became of the files of a lake that were bad, or had bad records.

    Attributes
    ----------
    files : int
        How many these were; the next three add up to them.
    whole : int
        Files in which nothing is bad any more.
    bad : int
        Files that are still bad, or still have bad records: :meth:`Lake.bad` and :meth:`Lake.bad_records` have them.
    gone : int
        Files that are no longer there, or cannot be reached: what the lake has of them stays as it is.
    stored : int
        Events that were added.
    errors : tuple of SourceError
        Why files are ``gone``.
    """

    files: int
    whole: int
    bad: int
    gone: int
    stored: int
    errors: tuple[SourceError, ...]


class _Reading(NamedTuple):
    """What was asked for when a file was read."""

    since: int | None
    until: int | None


def retry(table: Table, threads: int, limits: Limits | None, storage_options: Mapping[str, str] | None) -> Retried:
    """Read the bad files again, and commit those that give something else than before."""
    snapshot = table.open()
    before = _bad(Ledger(table.store, snapshot))
    files = before["file"].unique(maintain_order=True).to_list()
    there, errors = _versions(files, storage_options)
    asked = Asked(_query(snapshot), limits or Limits(), "collect")
    run, stored = uuid.uuid4().hex, 0
    bad, lost = set[str](), dict[str, SourceError]()
    rows = before.filter(pl.col("file").is_in(list(there)))
    for number, some in enumerate(rows.iter_slices(_TOGETHER)):
        splits = list(_splits(some, there, asked, f"{run}/{number}"))
        messages = _written(table, splits, threads, storage_options)
        new: list[SplitMessage] = []
        for message, row in zip(messages, some.iter_rows(named=True), strict=True):
            [now] = message.ledger
            if reached(message, Report())[1]:
                lost[now["file"]] = error_of((now["file"], None, None, now["reason"], _why(message)))
            elif now["outcome"] == "bad" or now["records_bad"]:
                bad.add(now["file"])
            if now["file"] not in lost and any(now[name] != row[name] for name in _RESULT):
                new.append(message)
            else:
                _drop(table, message)
        if new:
            stored += commit(table, new, run, number).stored
        table.store.release_parts()
    bad -= lost.keys()
    gone, errors = len(files) - len(there) + len(lost), (*errors, *lost.values())[: _ctfast.NAMED_FILES]
    return Retried(len(files), len(files) - gone - len(bad), len(bad), gone, stored, errors)


def _why(message: SplitMessage) -> str:
    """Return why the file of a split could not be reached."""
    return next(str(row["message"]) for row in message.bad if row["what"] == "bad file")


def _written(
    table: Table, splits: list[Split], threads: int, storage_options: Mapping[str, str] | None
) -> list[SplitMessage]:
    """Write the splits, side by side."""

    def one(split: Split) -> SplitMessage:
        options = split._options("spark", 1, None, storage_options)  # noqa: SLF001  # splits are made here
        return write(split, table.store, options)

    with ThreadPoolExecutor(threads, "ctfast-retry") as pool:
        return list(pool.map(one, splits))


def _bad(ledger: Ledger) -> pl.DataFrame:
    """Return the last reading of each file that is bad or has bad records, for each time that was asked for."""
    rows = ledger.last_versions().unique(["file", *_Reading._fields], keep="last", maintain_order=True)
    is_bad = (pl.col("outcome") == "bad") | (pl.col("records_bad") > 0)
    return rows.filter(is_bad).collect()


def _query(snapshot: Snapshot) -> _ctfast.Query:
    """Return what the lake has the answers to."""
    asked = json.loads(snapshot.query)
    return _ctfast.Query.from_json(json.dumps(asked | {"columns": meant(asked["columns"]) or COLUMNS}))


File = tuple[str, int | None, str | None, int | None]


def _versions(
    files: list[str], storage_options: Mapping[str, str] | None
) -> tuple[dict[str, File], tuple[SourceError, ...]]:
    """Return the versions that are there, and why others are not found."""
    remote = _ctfast.Remote(*credentials(storage_options)) if any(map(is_address, files)) else None
    # An object that is named by itself is not looked at until it is read: its folder tells its version.
    places = [f"{file.rpartition('/')[0]}/" if is_address(file) else file for file in files]
    wanted, found = set(files), dict[str, File]()
    try:
        listing = _ctfast.Listing(_ctfast.Selection(sorted(set(places))), remote=remote)
        while (page := listing.next()) is not None:
            found |= {row[0]: (*row[:3], row[3] if row[2] is None else None) for row in page if row[0] in wanted}
        failed = listing.bad()
    finally:
        if remote is not None:
            remote.close()
    told = {row[0] for row in failed} | found.keys()
    gone = (file for file, place in zip(files, places, strict=True) if not {file, place} & told)
    failed += [(file, None, None, "not-found", "it is no longer there") for file in gone]
    return found, tuple(map(error_of, failed[: _ctfast.NAMED_FILES]))


def _splits(rows: pl.DataFrame, there: dict[str, File], asked: Asked, attempt: str) -> Iterator[Split]:
    """Yield a split for each file, with a name that no attempt before has given: it may have read something else."""
    for number, row in enumerate(rows.iter_rows(named=True)):
        times = _ctfast.Selection([], since=row["since"], until=row["until"])
        planner = _ctfast.Planner()
        planner.add([there[row["file"]]], _ctfast.Selection([]))
        [run] = planner.cut(times, f"{asked.text(times)}\n{attempt}/{number}", slots=1, target=1)
        yield Split(asked, *run)


def _drop(table: Table, message: SplitMessage) -> None:
    """Remove what was written of a file that gives the same as before."""
    table.store.remove(message_path(message.split))
    table.store.remove_parts([part.path for part in message.files])
