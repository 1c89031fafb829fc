"""The log of the Delta table, read as it lies in the store: what deltalake does not tell of it."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ctfast._lake.bounds import Bounds, read
from ctfast._lake.layout import LOG
from ctfast._later import pq
from ctfast._store.bucket import words_of
from ctfast._store.store import File, Store

__all__ = ["Log", "log_path", "unusable"]

#: A file that has all that the log says up to a version.
_CHECKPOINT = re.compile(rf"{LOG}/([0-9]{{20}})\.checkpoint\.parquet")
#: A part that ctfast has written. Of others it does not know how their bounds were made: some cut texts and times.
_OWN = re.compile(r"month=[^/]+/part-[0-9a-f]+-[0-9]+(?:-[0-9a-f]{32})?\.parquet")


class Log:
    """The log up to a version of the table."""

    def __init__(self, store: Store, version: int) -> None:
        self._store, self._version = store, version

    @cached_property
    def transactions(self) -> dict[str, int]:
        """All transactions, each with its number: deltalake only tells whether one is there whose name is known."""
        try:
            return {each["appId"]: each["version"] for each in self._actions("txn", ["appId", "version"])}
        except ValueError as error:
            raise unusable(self._store, error) from None

    def bounds(self) -> dict[str, Bounds]:
        """Return the bounds of columns, by the paths of the parts that ctfast has written.

        Those of times are up to a millisecond too wide.
        """
        return self._bounds

    @cached_property
    def _bounds(self) -> dict[str, Bounds]:
        # deltalake leaves out the columns after the first 32, unless the table asks for more of them; and then its
        # dataset takes the bounds of a column for a promise that none of its rows is null.
        try:
            added = ((unquote(each["path"]), each.get("stats")) for each in self._actions("add", ["path", "stats"]))
            return {path: read(stats) for path, stats in added if stats and _OWN.fullmatch(path)}
        except ValueError as error:
            raise unusable(self._store, error) from None

    def _actions(self, kind: str, members: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the actions of a kind, the earlier first, with at least these members."""
        checkpoint, since = self._files
        if checkpoint is not None:
            names = [f"{kind}.{each}" for each in members]
            with pq.ParquetFile(checkpoint) as file:
                rows = file.read(columns=names).column(kind).to_pylist()
            yield from (row for row in rows if row is not None)
        mark = f'"{kind}"'.encode()
        for place in since:
            for line in place.read_bytes().splitlines():
                if mark in line and (found := json.loads(line).get(kind)):
                    yield found

    @cached_property
    def _files(self) -> tuple[Path | None, list[Path]]:
        """The last checkpoint, if there is one, and the files of the versions after it."""
        store, last = self._store, self._version
        begin = max((n for n in map(_checkpointed, store.files(f"{LOG}/")) if n <= last), default=-1)
        checkpoint = store.fetch(f"{LOG}/{begin:020}.checkpoint.parquet") if begin >= 0 else None
        return checkpoint, store.fetch_all(map(log_path, range(begin + 1, last + 1)))


def log_path(version: int) -> str:
    """Return the file of a version."""
    return f"{LOG}/{version:020}.json"


def unusable(store: Store, error: Exception) -> OSError:
    """Return the error for a log that cannot be read or written, in one sentence."""
    return OSError(errno.EIO, f"the log of the Delta table: {words_of(error)}", str(store))


def _checkpointed(file: File) -> int:
    """Return the version that a file of the log is a checkpoint of; -1 if it is none."""
    found = _CHECKPOINT.fullmatch(file.path)
    return -1 if found is None else int(found[1])
