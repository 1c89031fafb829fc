"""Commits what splits have written: each event once, all of a commit or nothing of it, whoever else commits meanwhile.

A commit computes from one version of the table what it adds, and fails if another commit has come since; then it
computes again. So what it has compared with is what the table holds.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ctfast import _ctfast
from ctfast._lake.audit import entries
from ctfast._lake.layout import commit_id, copies_path
from ctfast._lake.ledger import Counts, Ledger, write
from ctfast._lake.schema import widened
from ctfast._lake.store import Store
from ctfast._lake.table import LostRaceError, Snapshot, Table
from ctfast._later import pa, pq
from ctfast._scan.message import PartFile, SplitMessage
from ctfast._scan.options import COLUMNS
from ctfast._scan.part import MONTH, keys_path
from ctfast._scan.parts import message_path, schema_for
from ctfast._scan.rewritten import dropped_rows, without
from ctfast._show.words import quoted
from ctfast.exceptions import ArgumentError

__all__ = ["commit", "refuse_other_query"]

#: Each attempt that fails means that another commit has succeeded.
_ATTEMPTS = 1_000
#: What is kept of a record that is stored already.
_OF_COPY = ["eventTime", "eventID", "recipientAccountId", "file", "record"]


@dataclass
class _Prepared:
    """What a commit adds to one version of the table."""

    parts: list[PartFile] = field(default_factory=list)
    #: Copies by the file that they are in.
    copies: Counter[str] = field(default_factory=Counter)
    #: Files beside the table that count once the commit names them.
    beside: list[str] = field(default_factory=list)
    differ: int = 0


def commit(table: Table, messages: Sequence[SplitMessage], run: str, n: int) -> Counts:
    """Commit the parts of some splits as the commit ``n`` of a run, and return what became of their records."""
    name = commit_id(run, n)
    for _ in range(_ATTEMPTS):
        snapshot = _opened(table, messages)
        if snapshot is None:
            return Counts()
        ledger = Ledger(table.store, snapshot)
        known = ledger.splits()
        if snapshot.has(name):
            if not {message.split for message in messages} <= known:
                message = f"n: the commit {n} of the run {quoted(run)} is in the lake, and was of other splits"
                raise ArgumentError(message, "n", n, None, "Lake.commit")
            _clean(table, messages)
            return ledger.counts_of(name)
        new = [each for each in _distinct(messages) if each.split not in known]
        try:
            prepared = _prepared(table.store, snapshot, new, name)
            counts = _counts(new, prepared)
            rows = write(table.store, name, new, prepared.copies, counts)
            snapshot.commit(prepared.parts, [name, rows, *prepared.beside])
        except LostRaceError:
            continue
        except FileNotFoundError:
            # Another commit may have had the same splits, and have replaced their parts.
            if table.open().version == snapshot.version:
                raise
            continue
        _clean(table, messages)
        return counts
    message = f"{table.store}: other commits were first {_ATTEMPTS} times"
    raise TimeoutError(message)


def refuse_other_query(table: Table, snapshot: Snapshot, query: str) -> None:
    """Refuse answers to another question than the one whose answers the lake has."""
    if snapshot.query != query:
        message = (
            f"{table.store} was made with other columns, where or rules: a file that is known to it would not be read "
            "again for these. Use the same, or another lake"
        )
        raise ValueError(message)


def _opened(table: Table, messages: Sequence[SplitMessage]) -> Snapshot | None:
    """Return the version of the table to begin from; None if there is neither a table nor a message."""
    if not messages:
        return table.find()
    for message in messages[1:]:
        if message.query != messages[0].query:
            raise ArgumentError("messages are of splits with different queries", "messages", None, None, "Lake.commit")
    schema = schema_for(messages[0].columns or COLUMNS)
    snapshot = table.create(schema, messages[0].query)
    refuse_other_query(table, snapshot, messages[0].query)
    return widened(table, snapshot, schema)


def _distinct(messages: Iterable[SplitMessage]) -> list[SplitMessage]:
    """Return one message of each split, in the order of their names: the same for each attempt."""
    found = {message.split: message for message in messages}
    return [found[split] for split in sorted(found)]


def _prepared(store: Store, snapshot: Snapshot, messages: Sequence[SplitMessage], name: str) -> _Prepared:
    """Find the rows that are stored already, and write the parts that have some again without them."""
    prepared = _Prepared()
    for part in (part for message in messages for part in message.files):
        if store.size(part.path) != part.size:
            message = f"{store.at(part.path)} is not the part that its message describes: it has another size"
            raise ValueError(message)
    parts = sorted((part for message in messages for part in message.files), key=_month)
    months = {month: list(of_month) for month, of_month in groupby(parts, key=_month)}
    known: dict[str, list[str]] = {month: [] for month in months}
    for there in snapshot.parts():
        if there.month in known:
            known[there.month].append(there.path)
    for month, new in months.items():
        _compare(store, month, name, known[month], new, prepared)
    return prepared


def _compare(
    store: Store, month: str, name: str, known: Sequence[str], new: Sequence[PartFile], prepared: _Prepared
) -> None:
    """Find the rows of the parts of a month that are stored already, in known parts or in new ones before."""
    # A copy has the same time, and so the same month.
    paths = known, [part.path for part in new]
    copies, differ = _ctfast.repeated(*([str(store.fetch(keys_path(path))) for path in each] for each in paths))
    prepared.differ += differ
    dropped: dict[int, list[int]] = {}
    for (number, row), _ in copies:
        dropped.setdefault(number - len(known), []).append(row)
    seen: list[pa.Table] = []
    for number, part in enumerate(new):
        if number not in dropped:
            prepared.parts.append(part)
            continue
        rows = sorted(dropped[number])
        store.fetch_part(part.path)
        seen.append(dropped_rows(store.folder, part.path, rows, _OF_COPY))
        if (left := without(store.folder, part.path, rows)) is not None:
            store.publish_part(left.path)
            prepared.parts.append(left)
    if seen:
        _note(store, month, name, seen, prepared)


def _month(part: PartFile) -> str:
    return part.partition[MONTH]


def _note(store: Store, month: str, name: str, seen: list[pa.Table], prepared: _Prepared) -> None:
    """Write where events were seen that are stored already."""
    table = pa.concat_tables(seen)
    if "file" in table.column_names:
        prepared.copies.update(table.column("file").to_pylist())
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    path = copies_path(month, name, hashlib.sha256(content.getbuffer()).hexdigest())
    store.put(path, content.getvalue())
    prepared.beside.append(path)


def _counts(messages: Sequence[SplitMessage], prepared: _Prepared) -> Counts:
    rows = [row for message in messages for row in message.ledger]
    read, stored = sum(message.rows for message in messages), sum(part.rows for part in prepared.parts)
    bad = sum(row["records_bad"] for row in rows)
    return Counts(
        files=len(rows),
        bad_files=sum(row["outcome"] == "bad" for row in rows),
        read=read + bad,
        stored=stored,
        duplicates=read - stored,
        bad=bad,
        differ=prepared.differ,
    )


def _clean(table: Table, messages: Iterable[SplitMessage]) -> None:
    """Remove what nobody needs once splits are committed: their messages, and then the parts that were replaced.

    An attempt at such a split that comes later writes both again, and its commit comes here as well. What was part of
    the table goes with a sweep: queries that began before may still read it.
    """
    snapshot = table.open()
    live = {part.path for part in snapshot.parts()}
    live.update(path for entry in entries(table.store, snapshot) for path in entry.get("removed", ()))
    for message in messages:
        table.store.remove(message_path(message.split))
        for part in message.files:
            if part.path not in live:
                table.store.remove_part(part.path)
