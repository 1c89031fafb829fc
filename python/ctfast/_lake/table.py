"""The Delta table of a lake: opened anew for each step, of a known format, and changed by one writer at a time."""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote

from ctfast import _ctfast
from ctfast._lake.layout import FENCE, LOG
from ctfast._lake.store import File, Folder, Store
from ctfast._later import load, pa, pq
from ctfast._scan.message import PartFile
from ctfast._scan.part import MONTH, TIME
from ctfast._show.words import quoted
from ctfast._source.addresses import whole
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from deltalake import DeltaTable

__all__ = ["STATISTICS", "LostRaceError", "Part", "Snapshot", "Table"]

_Found = TypeVar("_Found")

#: Of all that ctfast writes in a lake.
_FORMAT = 1
#: A file that has all that the log says up to a version.
_CHECKPOINT = re.compile(rf"{LOG}/([0-9]{{20}})\.checkpoint\.parquet")
#: The properties of the table that say what it is.
_PROPERTY, _QUERY = "ctfast.format", "ctfast.query"
#: The longest text in the statistics of the log; a longer one is left out, since a part of it is no bound.
_LONGEST = 256
#: What the log knows of the values of a part. It outlives rows that are deleted, so it has no ids, keys or addresses.
STATISTICS = (TIME, "recipientAccountId", "awsRegion", "eventName")


class LostRaceError(Exception):
    """Another commit was first: what was computed from the table is out of date."""


class Part(NamedTuple):
    """A file of the table."""

    path: str
    month: str
    size: int
    rows: int


class Snapshot:
    """A version of the table."""

    def __init__(self, table: Table, delta: DeltaTable, properties: dict[str, str]) -> None:
        self._table, self._delta = table, delta
        self.version: int = delta.version()
        #: The id of the table, which no other has.
        self.id = str(delta.metadata().id)
        #: What was asked of each record: see :attr:`ctfast.SplitMessage.query`.
        self.query = properties[_QUERY]

    def schema(self) -> pa.Schema:
        """Return the columns."""
        return pa.schema(self._delta.schema().to_arrow())

    def has(self, transaction: str) -> bool:
        """Whether a commit with this transaction is part of this version."""
        return self._delta.transaction_version(transaction) is not None

    def beside(self, folder: str, *, without: Collection[str] = ()) -> list[str]:
        """Return the files of a folder beside the table that count, in the order of the commits that name them.

        ``without`` are those that a later commit has replaced.

        Raises
        ------
        FileNotFoundError
            One is gone, or was removed by a commit after this version.
        """
        named = ((version, name) for name, version in self._transactions.items() if name.startswith(f"{folder}/"))
        # A commit has a name that somebody else chose, and that ends with a number.
        store = self._table.store
        found = [name for _, name in sorted(named) if name.endswith((".json", ".parquet")) and name not in without]
        for name in found:
            if not store.has(name):
                message = f"{store.at(name)} is gone, and the table names it: put it back from a copy of the lake"
                raise FileNotFoundError(message)
        return found

    @cached_property
    def _transactions(self) -> dict[str, int]:
        """All transactions, from the log: deltalake only tells whether one is there whose name is known."""
        store = self._table.store
        begin = max((n for n in map(_checkpointed, store.files(f"{LOG}/")) if n <= self.version), default=-1)
        try:
            found = _transactions_of(store.fetch(f"{LOG}/{begin:020}.checkpoint.parquet")) if begin >= 0 else {}
            for version in range(begin + 1, self.version + 1):
                for line in store.read(_log(version)).splitlines():
                    if b'"txn"' in line and (known := json.loads(line).get("txn")):
                        found[known["appId"]] = known["version"]
        except ValueError as error:
            raise self._table.unusable(error) from None
        return found

    def parts(self) -> list[Part]:
        """Return the files, in the order of their paths."""
        # Paths are those of the log: the table's own list of addresses encodes blanks of the root.
        found = pa.table(self._delta.get_add_actions(flatten=True))
        columns = [
            found.column(name).to_pylist() for name in ("path", f"partition.{MONTH}", "size_bytes", "num_records")
        ]
        return sorted(map(Part, *columns))

    def commit(self, parts: Iterable[PartFile], transactions: Iterable[str], *, removed: Iterable[Part] = ()) -> None:
        """Add parts and remove others, if no other commit has come since this version.

        Raises
        ------
        LostRaceError
            One has.
        FileNotFoundError
            A part is gone: it was old, and a sweep has removed it.
        """
        delta = load("deltalake")
        parts = list(parts)
        actions = [*map(_added, parts), *map(_removed, removed)]
        names = list(transactions)
        properties = self._properties(names)
        try:
            # No sweep removes a part between this look and the commit: it has the lock while it removes files.
            with self._table.store.locked():
                for part in parts:
                    self._table.store.size(part.path)
                self._delta.create_write_transaction(
                    actions, "append", self._delta.schema(), [MONTH], commit_properties=properties
                )
        except delta.exceptions.DeltaError as error:
            latest = self._table.open()
            if latest.has(names[0]):
                self._table.sync(self.version + 1)
                return  # it failed after the commit, such as at a checkpoint
            if latest.version != self.version:
                raise LostRaceError from error
            raise self._table.unusable(error) from None
        self._table.sync(self.version + 1)

    def widen(self, schema: pa.Schema) -> None:
        """Add the columns, and the members of structs, that this schema has and the table does not.

        Raises
        ------
        LostRaceError
            Another commit was first, or this one has failed after it was made.
        """
        delta = load("deltalake")
        try:
            # No rows are written. A transaction, or a change of the table, could add no members of structs.
            delta.write_deltalake(
                self._delta,
                schema.empty_table(),
                mode="append",
                schema_mode="merge",
                commit_properties=self._properties(()),
            )
        except delta.exceptions.DeltaError as error:
            if self._table.open().version != self.version:
                raise LostRaceError from error
            raise self._table.unusable(error) from None
        self._table.sync(self.version + 1)

    def _properties(self, transactions: Iterable[str]) -> Any:
        """Return those of a commit that makes the next version, or fails."""
        delta = load("deltalake")
        # The version of a transaction tells the order of commits.
        known = [delta.Transaction(name, self.version + 1) for name in (*transactions, FENCE)]
        return delta.CommitProperties(app_transactions=known, max_commit_retries=0)


class Table:
    """Where the table is, and how it is opened."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.store: Store = Folder(Path(whole(root)))
        if unquote(str(self.store)) != str(self.store):
            # deltalake writes to one folder, and looks for what it has written in another.
            why = "has a % with two digits, which deltalake reads as a character: name another folder"
            raise ArgumentError(f"path {quoted(str(self.store))} {why}", "path", root, None, "Lake")

    def find(self) -> Snapshot | None:
        """Return the latest version; None if there is no table yet.

        Raises
        ------
        ValueError
            The table is not one of ctfast, or of a later version of ctfast.
        """
        delta = _deltalake()
        try:
            found = delta.DeltaTable(str(self.store), storage_options=dict(self.store.options))
        except delta.exceptions.TableNotFoundError:
            return None
        except delta.exceptions.DeltaError as error:
            raise self.unusable(error) from None
        properties = found.metadata().configuration
        number = properties.get(_PROPERTY)
        if number is None or _QUERY not in properties:
            message = f"{self.store} is a Delta table that ctfast has not made: name another folder"
            raise ValueError(message)
        if not number.isdecimal() or int(number) > _FORMAT:
            message = (
                f"{self.store} has format {quoted(number)}, and this version of ctfast ({_ctfast.__version__}) "
                f"knows format {_FORMAT}: update ctfast"
            )
            raise ValueError(message)
        return Snapshot(self, found, properties)

    def sync(self, version: int) -> None:
        """Wait until the log of a version is on the disk: deltalake gives it its name without that."""
        self.store.sync(_log(version))

    def unusable(self, error: Exception) -> OSError:
        """Return the error for a log that cannot be read or written, in one sentence."""
        return OSError(errno.EIO, f"the log of the Delta table: {str(error).splitlines()[0]}", str(self.store))

    def open(self) -> Snapshot:
        """Return the latest version.

        Raises
        ------
        FileNotFoundError
            There is no table.
        """
        found = self.find()
        if found is None:
            raise FileNotFoundError(f"{self.store} holds no lake: Lake.ingest makes one")
        return found

    def latest(self, compute: Callable[[Snapshot], _Found]) -> _Found:
        """Return what is computed from the latest version, which may lose its files to another commit meanwhile."""
        while True:
            snapshot = self.open()
            try:
                return compute(snapshot)
            except FileNotFoundError:
                if self.open().version == snapshot.version:
                    raise

    def create(self, schema: pa.Schema, query: str) -> Snapshot:
        """Return the latest version of a table that is made for this query, if there is none yet."""
        delta = _deltalake()
        if (found := self.find()) is not None:
            return found
        self.store.create()
        try:
            delta.DeltaTable.create(
                str(self.store),
                schema,
                partition_by=[MONTH],
                configuration={_PROPERTY: str(_FORMAT), _QUERY: query},
                raise_if_key_not_exists=False,
                storage_options=dict(self.store.options),
            )
        except delta.exceptions.DeltaError as error:
            if (found := self.find()) is None:
                raise self.unusable(error) from None
            return found  # another process was first
        self.sync(0)
        return self.open()


def _deltalake() -> Any:
    try:
        return load("deltalake")
    except ImportError:
        message = "a lake needs deltalake: pip install 'ctfast[lake]'"
        raise ImportError(message) from None


def _log(version: int) -> str:
    """Return the file of a version."""
    return f"{LOG}/{version:020}.json"


def _checkpointed(file: File) -> int:
    """Return the version that a file of the log is a checkpoint of; -1 if it is none."""
    found = _CHECKPOINT.fullmatch(file.path)
    return -1 if found is None else int(found[1])


def _transactions_of(place: Path) -> dict[str, int]:
    """Return the transactions of a checkpoint, which has those of all versions before."""
    rows = pq.read_table(place, columns=["txn"], partitioning=None).column("txn").to_pylist()
    return {row["appId"]: row["version"] for row in rows if row is not None}


def _removed(part: Part) -> Any:
    transaction = load("deltalake.transaction")
    return transaction.RemoveAction(part.path, True, _now(), part.size, {MONTH: part.month})


def _now() -> int:
    return time.time_ns() // 1_000_000


def _added(part: PartFile) -> Any:
    transaction = load("deltalake.transaction")
    return transaction.AddAction(part.path, part.size, part.partition, _now(), True, json.dumps(_statistics(part)))


def _statistics(part: PartFile) -> dict[str, Any]:
    """Return the bounds of a part for the log: they are never narrower than the values."""
    found: dict[str, Any] = {"numRecords": part.rows, "minValues": {}, "maxValues": {}, "nullCount": {}}
    for name in STATISTICS:
        known = part.statistics.get(name)
        if known is None:
            continue
        found["nullCount"][name] = known["null_count"]
        if "min" in known and max(len(known["min"]), len(known["max"])) <= _LONGEST:
            bounds = known["min"], known["max"]
            low, high = _milliseconds(*bounds) if name == TIME else bounds
            found["minValues"][name], found["maxValues"][name] = low, high
    return found


def _milliseconds(low: str, high: str) -> tuple[str, str]:
    """Return times in milliseconds, which is what the log has: the first rounded down, the last rounded up."""
    first, last = (int(pa.scalar(each.removesuffix("Z")).cast(pa.timestamp("us")).value) for each in (low, high))
    return _text(first // 1000), _text(-(-last // 1000))


def _text(milliseconds: int) -> str:
    return str(pa.scalar(milliseconds, pa.timestamp("ms")).cast(pa.string())).replace(" ", "T") + "Z"
