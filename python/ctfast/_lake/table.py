"""The Delta table of a lake: opened anew for each step, of a known format, and changed by one writer at a time."""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote

from ctfast import _ctfast
from ctfast._lake.layout import FENCE, LOG, version_of
from ctfast._later import load, pa, pq
from ctfast._scan.message import PartFile
from ctfast._scan.part import MONTH, TIME
from ctfast._show.words import quoted
from ctfast._store.bucket import opened, words_of
from ctfast._store.store import File
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from deltalake import DeltaTable

__all__ = ["STATISTICS", "Bounds", "LostRaceError", "Part", "Snapshot", "Table"]

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


#: The least and the greatest value of columns of a part; None of a column that is null in each row.
Bounds: TypeAlias = dict[str, tuple[Any, Any] | None]


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
        return transaction in self._transactions

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
        found = [name for _, name in sorted(named) if name.endswith((".json", ".parquet")) and name not in without]
        there = {file.path for file in self._table.store.files(f"{folder}/")}
        self._refuse_lost_versions(there)
        for name in found:
            if name not in there:
                raise self._gone(name)
        return found

    def _refuse_lost_versions(self, beside: Iterable[str]) -> None:
        """Refuse a table if a file was written for a version that only follows from later ones than there are.

        A file for the next version tells nothing: it may be of a commit that is under way, or was killed.
        """
        written = max(map(version_of, beside), default=0)
        if written > self.version + 1 and written > (latest := self._table.open().version) + 1:
            message = (
                f"{self._table.store} has lost versions of its log: the latest is {latest}, and version {written - 1} "
                "was there; put its log back from a copy of the lake"
            )
            raise ValueError(message)

    def versions(self, folder: str) -> dict[str, int]:
        """Return the files of a folder beside the table that a commit names, each with the version that it made."""
        return {name: version for name, version in self._transactions.items() if name.startswith(f"{folder}/")}

    @cached_property
    def _transactions(self) -> dict[str, int]:
        """All transactions, from the log: deltalake only tells whether one is there whose name is known."""
        store = self._table.store
        begin = max((n for n in map(_checkpointed, store.files(f"{LOG}/")) if n <= self.version), default=-1)
        try:
            found = _transactions_of(store.fetch(f"{LOG}/{begin:020}.checkpoint.parquet")) if begin >= 0 else {}
            for place in store.fetch_all(map(_log, range(begin + 1, self.version + 1))):
                for line in place.read_bytes().splitlines():
                    if b'"txn"' in line and (known := json.loads(line).get("txn")):
                        found[known["appId"]] = known["version"]
        except ValueError as error:
            raise self._table.unusable(error) from None
        return found

    @cached_property
    def _added(self) -> pa.Table:
        """The files with what the log says of them."""
        return pa.table(self._delta.get_add_actions(flatten=True))

    def bounds(self) -> dict[str, Bounds]:
        """Return the bounds of columns, by the paths of the files: as far as the log has them.

        Times are microseconds; these bounds are up to a millisecond too wide.
        """
        found: dict[str, Bounds] = {path: {} for path in self._added.column("path").to_pylist()}
        rows = self._added.column("num_records").to_pylist()
        for name in STATISTICS:
            if f"min.{name}" not in self._added.column_names:
                continue  # an earlier version of ctfast has made the table
            bounds = [self._added.column(f"{bound}.{name}") for bound in ("min", "max")]
            if name == TIME:
                bounds = [column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()) for column in bounds]
            columns = [*bounds, self._added.column(f"null_count.{name}")]
            facts = zip(found.values(), rows, *(column.to_pylist() for column in columns), strict=True)
            for known, number, least, greatest, nulls in facts:
                if nulls == number:
                    known[name] = None
                elif least is not None and greatest is not None:
                    known[name] = least, greatest
        return found

    def parts(self) -> list[Part]:
        """Return the files, in the order of their paths."""
        # Paths are those of the log: the table's own list of addresses encodes blanks of the root.
        found = self._added
        columns = [
            found.column(name).to_pylist() for name in ("path", f"partition.{MONTH}", "size_bytes", "num_records")
        ]
        return sorted(map(Part, *columns))

    def whole_parts(self) -> list[Part]:
        """Return the files, each of which is there with the size that the table names.

        Raises
        ------
        FileNotFoundError
            One is gone, or was removed by a commit after this version.
        ValueError
            One has another size.
        """
        store, found = self._table.store, self.parts()
        there = {file.path: file.size for file in store.files(f"{MONTH}=")} if found else {}
        for part in found:
            if part.path not in there:
                raise self._gone(part.path)
            if there[part.path] != part.size:
                sizes = f"it has {there[part.path]} bytes, and the table names it with {part.size}"
                message = f"{store.at(part.path)} is cut or was changed: {sizes}; put it back from a copy of the lake"
                raise ValueError(message)
        return found

    def _gone(self, path: str) -> FileNotFoundError:
        message = f"{self._table.store.at(path)} is gone, and the table names it: put it back from a copy of the lake"
        return FileNotFoundError(message)

    def place(self, part: Part) -> Path:
        """Return where the content of a part is on the disk."""
        return self._table.store.fetch(part.path)

    def extent(self) -> tuple[datetime, datetime] | None:
        """Return between which times events lie, by the statistics of the log; None if there are none."""
        found = pa.table(self._delta.get_add_actions(flatten=True))
        bounds = []
        for name, choose in ((f"min.{TIME}", min), (f"max.{TIME}", max)):
            known = found.column(name).drop_null().to_pylist() if name in found.column_names else []
            if not known:
                return None
            bounds.append(choose(known))
        return bounds[0], bounds[1]

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
        # No sweep removes a part between this look and the commit: it has the lock while it removes files, or makes a
        # version of its own before, and this commit then fails.
        with self._table.store.locked():
            for part in parts:
                self._table.store.look(part.path)
            try:
                self._delta.create_write_transaction(
                    actions, "append", self._delta.schema(), [MONTH], commit_properties=properties
                )
            except (delta.exceptions.DeltaError, OSError) as error:
                self._settle(error, names[0])
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
        except (delta.exceptions.DeltaError, OSError) as error:
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

    def _settle(self, error: Exception, transaction: str) -> None:
        """Tell a commit that failed from one that failed after it was done, such as at a checkpoint."""
        latest = self._table.open()
        if latest.has(transaction):
            return
        if latest.version != self.version:
            raise LostRaceError from error
        raise self._table.unusable(error) from None


class Table:
    """Where the table is, and how it is opened."""

    def __init__(self, root: str | os.PathLike[str], storage_options: Mapping[str, str] | None = None) -> None:
        self.store = opened(root, storage_options)
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
        except (delta.exceptions.DeltaError, OSError) as error:
            raise self.unusable(error) from None
        properties = found.metadata().configuration
        number = properties.get(_PROPERTY)
        if number is None or _QUERY not in properties:
            message = f"{self.store} is a Delta table that ctfast has not made: name another place"
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
        return OSError(errno.EIO, f"the log of the Delta table: {words_of(error)}", str(self.store))

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
        except (delta.exceptions.DeltaError, OSError) as error:
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
