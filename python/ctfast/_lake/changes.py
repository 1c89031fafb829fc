"""What commits have added to a lake, one commit after another, wherever its rows have gone since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from ctfast._bound import Bound
from ctfast._lake.audit import entries
from ctfast._lake.layout import LEDGER
from ctfast._lake.ledger import Ledger
from ctfast._lake.rows import rows
from ctfast._lake.table import Part, Snapshot, Table
from ctfast._later import pl
from ctfast._scan.follow import Follow
from ctfast._scan.rewritten import split_of
from ctfast._show.plain import counted
from ctfast.exceptions import ArgumentError

__all__ = ["Change", "changes"]


class Change(Bound):
    """The events that one commit has added to a lake. It comes from :meth:`Lake.changes`.

    Attributes
    ----------
    version : int
        The version of the table that the commit has made.
    stored : int
        How many events it has added. Those that a retention has deleted since are counted here, and are not in
        :meth:`scan`.
    """

    _instead = "pass on its version, and ask the lake again"

    def __init__(self, seen: _Seen, version: int, splits: Iterable[str], stored: int) -> None:
        self.version, self.stored = version, stored
        self._seen, self._splits = seen, frozenset(splits)

    def __repr__(self) -> str:
        """Return its version and size."""
        return f"Change(version={self.version}, {counted(self.stored, 'event')})"

    def scan(self) -> pl.LazyFrame:
        """Return the events, as far as no retention has deleted them.

        The parts are looked up by this call. If a retention removes one of them before the query reads it, the query
        fails with :class:`FileNotFoundError`: call this again.

        Returns
        -------
        polars.LazyFrame
            With the columns of :meth:`Lake.scan`.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> [change] = lake.changes()
        >>> change.scan().collect().height == change.stored
        True
        """
        return self._seen.rows(self._splits)


class _Seen:
    """A version of the table, and where the rows of each split are."""

    def __init__(self, table: Table, snapshot: Snapshot) -> None:
        self._table, self._snapshot = table, snapshot

    @cached_property
    def _parts(self) -> list[Part]:
        return self._snapshot.parts()

    @cached_property
    def _origins(self) -> dict[str, set[str]]:
        """The splits of which rows are in the parts that have joined others, by the ids in the names of these parts."""
        found: dict[str, set[str]] = {}
        for entry in entries(self._table.store, self._snapshot):
            if "added" not in entry:
                continue  # a part that is written again without some rows keeps the id in its name
            splits: set[str] = set()
            for path in entry["removed"]:
                splits |= found.get(split_of(path), {split_of(path)})
            found |= {split_of(path): splits for path in entry["added"]}
        return found

    def rows(self, splits: frozenset[str]) -> pl.LazyFrame:
        """Return the rows that these splits have written."""
        try:
            found = self._present(splits)
        except FileNotFoundError:  # replaced since
            found = self._table.latest(lambda snapshot: _Seen(self._table, snapshot)._present(splits))  # noqa: SLF001
        # A part that has joined others has rows of other splits, too.
        return found.filter(pl.col("ingest").struct.field("split").is_in(sorted(splits)))

    def _present(self, splits: frozenset[str]) -> pl.LazyFrame:
        """Return the rows of the parts that may have some of these splits; FileNotFoundError if one is gone."""
        parts = [part for part in self._parts if splits & self._origins.get(split_of(part.path), {split_of(part.path)})]
        for part in parts:
            self._table.store.look(part.path)
        return rows(self._table.store, self._snapshot, parts)


def changes(table: Table, since: int, follow: Follow | None) -> Iterator[Change]:
    """Yield what commits after a version have added; with ``follow`` also what later ones add, without an end."""
    done = since

    def look() -> list[Change]:
        nonlocal done
        snapshot = table.open()
        if snapshot.version < done:
            message = (
                f"since is version {done}, and {table.store} has only {snapshot.version}: "
                "it is another lake than the one that was followed"
            )
            raise ArgumentError(message, "since", since, None, "Lake.changes")
        found = _after(table, snapshot, done)
        done = snapshot.version
        return found

    for found in [look()] if follow is None else follow.rounds(look):
        yield from found


def _after(table: Table, snapshot: Snapshot, since: int) -> list[Change]:
    """Return what commits after a version have added to this one."""
    if snapshot.version == since:
        return []
    seen = _Seen(table, snapshot)
    ledger = Ledger(table.store, snapshot)
    new = {path: version for path, version in snapshot.versions(LEDGER).items() if version > since}
    found = []
    for path in (path for path in ledger.paths if path in new):
        stored = ledger.counts_in([path]).stored
        if stored:
            splits: Any = ledger.rows([path]).select(pl.col("split").unique()).collect().to_series()
            found.append(Change(seen, new[path], splits, stored))
    return found
