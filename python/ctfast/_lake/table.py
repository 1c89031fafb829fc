"""The Delta table of a lake: opened anew for each step, of a known format, and changed by one writer at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote

from ctfast import _ctfast
from ctfast._lake.bounds import written
from ctfast._lake.layout import FENCE, version_of
from ctfast._lake.log import Log, log_path, unusable
from ctfast._later import load, pa
from ctfast._scan.message import PartFile
from ctfast._scan.part import MONTH
from ctfast._show.words import quoted
from ctfast._store.bucket import opened
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from deltalake import DeltaTable

__all__ = ["LostRaceError", "Part", "Snapshot", "Table"]

_Found = TypeVar("_Found")

#: Of all that ctfast writes in a lake.
_FORMAT = 1
#: The properties of the table that say what it is.
_PROPERTY, _QUERY = "ctfast.format", "ctfast.query"


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
        self.log = Log(table.store, self.version)
        #: The id of the table, which no other has.
        self.id = str(delta.metadata().id)
        #: What was asked of each record: see :attr:`ctfast.SplitMessage.query`.
        self.query = properties[_QUERY]

    def schema(self) -> pa.Schema:
        """Return the columns."""
        return pa.schema(self._delta.schema().to_arrow())

    def has(self, transaction: str) -> bool:
        """Whether a commit with this transaction is part of this version."""
        return transaction in self.log.transactions

    def beside(self, folder: str, *, without: Collection[str] = ()) -> list[str]:
        """Return the files of a folder beside the table that count, in the order of the commits that name them.

        ``without`` are those that a later commit has replaced.

        Raises
        ------
        FileNotFoundError
            One is gone, or was removed by a commit after this version.
        """
        named = ((version, name) for name, version in self.log.transactions.items() if name.startswith(f"{folder}/"))
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
        return {name: version for name, version in self.log.transactions.items() if name.startswith(f"{folder}/")}

    @cached_property
    def _added(self) -> pa.Table:
        """The files with what the log says of them."""
        return pa.table(self._delta.get_add_actions(flatten=True))

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
            raise unusable(self._table.store, error) from None
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
        raise unusable(self._table.store, error) from None


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
            raise unusable(self.store, error) from None
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
        self.store.sync(log_path(version))

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
                raise unusable(self.store, error) from None
            return found  # another process was first
        self.sync(0)
        return self.open()


def _deltalake() -> Any:
    try:
        return load("deltalake")
    except ImportError:
        message = "a lake needs deltalake: pip install 'ctfast[lake]'"
        raise ImportError(message) from None


def _removed(part: Part) -> Any:
    transaction = load("deltalake.transaction")
    return transaction.RemoveAction(part.path, True, _now(), part.size, {MONTH: part.month})


def _now() -> int:
    return time.time_ns() // 1_000_000


def _added(part: PartFile) -> Any:
    transaction = load("deltalake.transaction")
    return transaction.AddAction(part.path, part.size, part.partition, _now(), True, written(part))
