"""Commits what splits have written: each event once, all of a commit or nothing of it, whoever else commits meanwhile.

A commit computes from one version of the table what it adds, and fails if another commit has come since; then it
computes again. So what it has compared with is what the table holds.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from ctfast import _ctfast
from ctfast._lake.audit import entries
from ctfast._lake.bad import write as write_bad
from ctfast._lake.known import Splits
from ctfast._lake.layout import commit_id, copies_path
from ctfast._lake.ledger import Counts, Ledger, write
from ctfast._lake.schema import widened
from ctfast._lake.table import LostRaceError, Snapshot, Table
from ctfast._later import pa, pq
from ctfast._scan.message import PartFile, SplitMessage
from ctfast._scan.options import COLUMNS
from ctfast._scan.part import MONTH
from ctfast._scan.parts import message_path, schema_for
from ctfast._scan.rewritten import dropped_rows, renamed, split_of, without
from ctfast._show.words import quoted
from ctfast._store.store import INDEX, KEYS, Store, keys_path
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
    #: Parts that were written for this version.
    own: list[str] = field(default_factory=list)
    #: Files beside the table that count once the commit names them.
    beside: list[str] = field(default_factory=list)
    differ: int = 0


def commit(table: Table, messages: Sequence[SplitMessage], run: str, n: int, splits: Splits | None = None) -> Counts:
    """Commit the parts of some splits as the commit ``n`` of a run, and return what became of their records.

    ``splits`` are those that an earlier commit of this process has met.
    """
    name = commit_id(run, n)
    splits = splits or Splits()
    for _ in range(_ATTEMPTS):
        snapshot = _opened(table, messages)
        if snapshot is None:
            return Counts()
        ledger = Ledger(table.store, snapshot)
        known = splits.of(ledger)
        if snapshot.has(name):
            if not {message.split for message in messages} <= known:
                message = f"n: the commit {n} of the run {quoted(run)} is in the lake, and was of other splits"
                raise ArgumentError(message, "n", n, None, "Lake.commit")
            _clean(table, messages)
            return ledger.counts_of(name)
        new = [each for each in _distinct(messages) if each.split not in known]
        prepared = _Prepared()
        try:
            _prepare(table.store, snapshot, new, name, prepared)
            counts = _counts(new, prepared)
            prepared.beside.append(write(table.store, name, snapshot.version + 1, new, prepared.copies, counts))
            prepared.beside += write_bad(table.store, name, snapshot.version + 1, new)
            snapshot.commit(prepared.parts, [name, *prepared.beside])
        except LostRaceError:
            _take_back(table, prepared)
            continue
        except FileNotFoundError:
            # Another commit may have had the same splits, and have replaced their parts.
            if table.open().version == snapshot.version:
                raise
            continue
        _clean(table, messages, prepared.own)
        _release(table.store, messages)
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


def _prepare(
    store: Store, snapshot: Snapshot, messages: Sequence[SplitMessage], name: str, prepared: _Prepared
) -> None:
    """Find the rows that are stored already, and write the parts that have some again without them."""
    version = snapshot.version + 1
    parts = []
    for part in sorted((part for message in messages for part in message.files), key=_month):
        written = store.look(part.path)
        if written.size != part.size:
            message = f"{store.at(part.path)} is not the part that its message describes: it has another size"
            raise ValueError(message)
        path = store.lasting(written, renamed(part.path, version))
        prepared.own += [] if path == part.path else [path]
        parts.append(replace(part, path=path))
    months = {month: list(of_month) for month, of_month in groupby(parts, key=_month)}
    known: dict[str, list[str]] = {month: [] for month in months}
    for there in snapshot.parts():
        if there.month in known:
            known[there.month].append(there.path)
    for month, new in months.items():
        _compare(store, month, (name, version), known[month], new, prepared)


def _compare(
    store: Store,
    month: str,
    commit: tuple[str, int],
    known: Sequence[str],
    new: Sequence[PartFile],
    prepared: _Prepared,
) -> None:
    """Find the rows of the parts of a month that are stored already, in known parts or in new ones before."""
    # A copy has the same time, and so the same month.
    paths = known, [part.path for part in new]
    copies, differ = _ctfast.repeated(*(list(map(str, store.fetch_all(map(keys_path, each)))) for each in paths))
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
        if (left := without(store.folder, part.path, rows, commit[1])) is not None:
            store.publish_part(left.path)
            prepared.own.append(left.path)
            prepared.parts.append(left)
    if seen:
        _note(store, month, commit, seen, prepared)


def _month(part: PartFile) -> str:
    return part.partition[MONTH]


def _note(store: Store, month: str, commit: tuple[str, int], seen: list[pa.Table], prepared: _Prepared) -> None:
    """Write where events were seen that are stored already."""
    table = pa.concat_tables(seen)
    if "file" in table.column_names:
        prepared.copies.update(table.column("file").to_pylist())
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    path = copies_path(month, *commit, hashlib.sha256(content.getbuffer()).hexdigest())
    store.put(path, content.getvalue())
    prepared.beside.append(path)


def _counts(messages: Sequence[SplitMessage], prepared: _Prepared) -> Counts:
    rows = [row for message in messages for row in message.ledger]
    read, stored = sum(message.rows for message in messages), sum(part.rows for part in prepared.parts)
    broken = sum(row["records_bad"] for row in rows)
    return Counts(
        files=len(rows),
        bad_files=sum(row["outcome"] == "bad" for row in rows),
        read=read + broken,
        stored=stored,
        duplicates=read - stored,
        bad=broken,
        differ=prepared.differ,
        skipped=sum(row["records_skipped"] for row in rows),
    )


def _clean(table: Table, messages: Iterable[SplitMessage], own: Iterable[str] = ()) -> None:
    """Remove what nobody needs once splits are committed: their messages, and then the parts that were replaced.

    ``own`` are parts that the commit has written, of which it may have replaced some itself.

    An attempt at such a split that comes later writes both again, and its commit comes here as well. What was part of
    the table goes with a sweep: queries that began before may still read it.
    """
    snapshot = table.open()
    live = {part.path for part in snapshot.parts()}
    live.update(path for entry in entries(table.store, snapshot) for path in entry.get("removed", ()))
    found = list(messages)
    table.store.remove(*(message_path(message.split) for message in found))
    written = [part.path for message in found for part in message.files]
    table.store.remove_parts(path for path in (*written, *own) if path not in live)


def _take_back(table: Table, prepared: _Prepared) -> None:
    """Remove what was written for a version that another commit has made.

    Another attempt at that version may have written the same, and may have been the one that made it.
    """
    latest = table.open()
    live = {part.path for part in latest.parts()}
    table.store.remove_parts(path for path in prepared.own if path not in live)
    table.store.remove(*(path for path in prepared.beside if not latest.has(path)))


def _release(store: Store, messages: Iterable[SplitMessage]) -> None:
    """Keep no copies on the disk but the keys of these months, with which the next commit will most likely compare."""
    found = list(messages)
    splits = {message.split for message in found}
    months = {_month(part) for message in found for part in message.files}

    def is_done(path: str) -> bool:
        if path.startswith(f"{KEYS}/"):
            return path.split("/")[-2].removeprefix(f"{MONTH}=") not in months
        # Others are still being written.
        return path.startswith((f"{MONTH}=", f"{INDEX}/")) and split_of(path) in splits

    store.release(is_done)
