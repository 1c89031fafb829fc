"""The ledger of a lake: what became of each file that was ever read, a Parquet file for each commit."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ctfast._lake.audit import entries
from ctfast._lake.layout import COPIES, LEDGER, is_of_commit, ledger_path
from ctfast._lake.table import Snapshot
from ctfast._later import pa, pl, pq
from ctfast._scan.message import SplitMessage
from ctfast._store.store import Store

__all__ = ["Counts", "Ledger", "write"]

_FORMAT = 1
_MARK = b"ctfast"


class Counts(NamedTuple):
    """What became of the files and records of commits."""

    #: Files of archives that were read, and how many of them are bad.
    files: int = 0
    bad_files: int = 0
    #: Records that were read: the next three add up to them.
    read: int = 0
    stored: int = 0
    duplicates: int = 0
    bad: int = 0
    #: Stored records of an event that was stored before with another content.
    differ: int = 0
    #: Records and documents that were not read: not asked for, or no records of CloudTrail.
    skipped: int = 0

    def __add__(self, other: object) -> Counts:
        """Return the sums."""
        return Counts(*map(sum, zip(self, other, strict=True))) if isinstance(other, Counts) else NotImplemented


def _schema() -> pa.Schema:
    """Return the columns of a file: those of a message, and what the file was read for."""
    text, number = pa.string(), pa.int64()
    columns = {
        "file": text,
        "size": number,
        "etag": text,
        "modified": number,
        "outcome": text,
        "reason": text,
        "byte": number,
        "records_read": number,
        "records_bad": number,
        "records_skipped": number,
        "records_duplicate": number,
        "sha256": text,
        "split": text,
        "since": number,
        "until": number,
    }
    return pa.schema(list(columns.items()))


def write(
    store: Store, commit: str, version: int, messages: Iterable[SplitMessage], copies: Mapping[str, int], counts: Counts
) -> str:
    """Write what became of the files of a commit, and return the path; it counts once the commit names it.

    ``version`` is that of the table which the commit makes, and ``copies`` tells how many records of each file are
    stored already.
    """
    rows = [
        row
        | {
            "records_duplicate": copies.get(row["file"], 0),
            "split": message.split,
            "since": message.since,
            "until": message.until,
        }
        for message in messages
        for row in message.ledger
    ]
    facts = json.dumps({"format": _FORMAT, "counts": counts._asdict()})
    table = pa.Table.from_pylist(rows, schema=_schema()).replace_schema_metadata({_MARK: facts})
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    path = ledger_path(commit, version, hashlib.sha256(content.getbuffer()).hexdigest())
    store.put(path, content.getvalue())
    return path


class Ledger:
    """The files of the ledger that a version of the table names."""

    def __init__(self, store: Store, snapshot: Snapshot) -> None:
        self._store, self._snapshot = store, snapshot
        self._paths = snapshot.beside(LEDGER)

    def counts(self) -> Counts:
        """Return the counts of all commits."""
        return self._sum(self._paths)

    def counts_of(self, commit: str) -> Counts:
        """Return the counts of one commit."""
        return self._sum([path for path in self._paths if is_of_commit(path, commit)])

    def _sum(self, paths: list[str]) -> Counts:
        places = self._store.fetch_sound(paths)
        return sum((_counts(self._store.at(path), place) for path, place in zip(paths, places, strict=True)), Counts())

    def rows(self) -> pl.LazyFrame:
        """Return all rows, in the order of commits."""
        places = self._store.fetch_sound(self._paths)
        if not places:
            return pl.DataFrame(pa.Table.from_pylist([], schema=_schema())).lazy()
        return pl.scan_parquet(places, glob=False, hive_partitioning=False)

    def splits(self) -> set[str]:
        """Return the splits whose files are in the lake."""
        return set(self.rows().select(pl.col("split").unique()).collect().to_series())

    def files(self) -> tuple[int, int]:
        """Return how many files were read, and how many of them are bad."""
        number = self.rows().select(pl.col("file").n_unique()).collect().item()
        return number, self.bad().select(pl.len()).collect().item()

    def bad(self) -> pl.LazyFrame:
        """Return the files whose last version was bad whenever it was read, each with the last reason."""
        is_bad = (pl.col("outcome") == "bad").all().over("file")
        rows = self.last_versions().filter(is_bad).unique("file", keep="last", maintain_order=True)
        # Not later: copies of the files that they come from may be gone then.
        return rows.select("file", "byte", "reason", "records_read").collect().lazy()

    def last_versions(self) -> pl.LazyFrame:
        """Return the rows of each file that are of the version that was read last."""
        version = [pl.col(name) for name in ("size", "etag", "modified")]
        return self.rows().filter(pl.all_horizontal(each.eq_missing(each.last().over("file")) for each in version))

    def paths_of_copies(self) -> list[str]:
        """Return the files that tell where events were seen that were stored already."""
        gone = {path for entry in entries(self._store, self._snapshot) for path in entry.get("copies", ())}
        return self._snapshot.beside(COPIES, without=gone)

    def copies(self) -> pl.LazyFrame:
        """Return where events were seen that were stored already."""
        paths = self.paths_of_copies()
        text = pl.String()
        schema = {
            "eventTime": pl.Datetime("us", "UTC"),
            "eventID": text,
            "recipientAccountId": text,
            "file": text,
            "record": pl.Int64(),
        }
        if not paths:
            return pl.LazyFrame(schema=schema)
        return self._store.frame(paths, schema=schema, missing_columns="insert")


def _counts(name: str, place: Path) -> Counts:
    try:
        facts = json.loads(pq.read_metadata(place).metadata[_MARK])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if facts["format"] != _FORMAT:
        message = f"{name} has format {facts['format']}, and this ctfast knows format {_FORMAT}: update it"
        raise ValueError(message)
    return Counts(**facts["counts"])
