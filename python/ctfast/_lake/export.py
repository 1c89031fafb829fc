"""Copies the rows of a lake to Parquet files in folders by account, region and day, for engines that read such folders.

Each part of the lake becomes some files, whose names follow from its own, and a manifest that names them when all are
there. What no manifest of a present part names is removed, before anything is written.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ctfast._lake.table import Part, Snapshot, Table
from ctfast._later import load, pa, pq
from ctfast._scan.part import TIME, WAITING
from ctfast._show.words import quoted
from ctfast._source.addresses import is_address, whole
from ctfast._store.store import Folder, Store
from ctfast.exceptions import ArgumentError

__all__ = ["Exported", "export"]

_FORMAT = 1
#: Whose export a folder is; what became of each part; and, when all of it is there, what it has.
_OWNER, _MANIFESTS, _DONE = "_ctfast/export.json", "_ctfast/parts", "_SUCCESS"
_ACCOUNT, _REGION = "recipientAccountId", "awsRegion"
#: The columns that folders are named by, and the values that may be in such a name. Others are ``other``, those that
#: are null are ``none``.
_FOLDERS = {"account": "^[0-9]{12}$", "region": "^[a-z0-9-]{1,40}$", "day": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_FILE = re.compile("/".join(f"{name}=[^/]+" for name in _FOLDERS) + r"/part-[0-9a-f-]+\.parquet")
#: Rows of a part that are taken at once.
_ROWS = 10_000


@dataclass(frozen=True)
class Exported:
    """What a folder has of a lake.

    Attributes
    ----------
    version : int
        The version of the lake.
    records, files, bytes : int
        What the folder has now.
    added, removed : int
        Files that were written, and that were removed.
    """

    version: int
    records: int
    files: int
    bytes: int
    added: int
    removed: int


def export(table: Table, dest: str | os.PathLike[str]) -> Exported:
    """Write what a folder lacks of the lake, and remove what the lake has no longer."""
    snapshot = table.open()
    if missing := [name for name in (_ACCOUNT, _REGION, TIME) if name not in snapshot.schema().names]:
        message = f"{table.store} was made without {missing[0]}, by which an export is divided into folders"
        raise ValueError(message)
    store = Folder(Path(whole(dest)))
    _refuse_within(table, store)
    store.create()
    work = _Work(table.store, store)
    # Two exports at once: the second finds what the first has written.
    with store.locked():
        _claim(store, snapshot.id)
        return table.latest(work.renew)


def _refuse_within(table: Table, store: Store) -> None:
    """Refuse a folder within the lake, whose retention knows nothing of it, and one with the lake in it."""
    if is_address(str(table.store)):
        return  # what is on the disk are copies
    lake, dest = (Path(os.path.realpath(each.folder)) for each in (table.store, store))
    if lake.is_relative_to(dest) or dest.is_relative_to(lake):
        message = f"dest {quoted(str(store))} and the lake {table.store} lie within each other: name a folder beside it"
        raise ArgumentError(message, "dest", str(store), None, "Lake.export")


def _claim(store: Store, lake: str) -> None:
    """Make a new folder that of this lake; refuse one of another lake, or with other files."""
    if not _has(store, _OWNER):
        # Killed runs leave hidden files.
        if other := next((file.path for file in store.files("") if "/." not in f"/{file.path}"), None):
            message = f"{store} is no export of a lake and has files, such as {other}: name a new folder"
            raise ValueError(message)
        store.put(_OWNER, json.dumps({"format": _FORMAT, "lake": lake}).encode())
    found = _read(store, _OWNER)
    if found["format"] != _FORMAT:
        message = f"{store.at(_OWNER)} has format {found['format']}, and this ctfast knows format {_FORMAT}: update it"
        raise ValueError(message)
    if found["lake"] != lake:
        message = f"{store} is the export of another lake: name another folder"
        raise ValueError(message)


def _has(store: Store, path: str) -> bool:
    with suppress(FileNotFoundError):
        store.look(path)
        return True
    return False


def _read(store: Store, path: str) -> dict[str, Any]:
    try:
        return json.loads(store.read(path))  # type: ignore[no-any-return]
    except ValueError as error:
        raise ValueError(f"{store.at(path)}: {error}") from None


class _Work:
    """Makes a folder what one version of a lake has; it may begin again with a later version."""

    def __init__(self, lake: Store, dest: Store) -> None:
        self._lake, self._dest = lake, dest
        self._added = self._removed = 0

    def renew(self, snapshot: Snapshot) -> Exported:
        """Remove what is no longer of the lake, and then write what is missing."""
        schema = snapshot.schema()
        # Files with fewer columns than the lake are written again: many readers take the columns of one file for all.
        mark = hashlib.sha256(str(schema).encode()).hexdigest()[:8]
        wanted = {_manifest(part, mark): part for part in snapshot.parts()}
        kept = self._clean(wanted)
        missing = sorted(wanted.keys() - kept.keys())
        if missing:
            self._dest.remove(_DONE)
        for path in missing:
            kept[path] = self._write(path, wanted[path], schema, mark)
        files = [file for each in kept.values() for file in each.values()]
        records, size = (sum(each) for each in zip((0, 0), *files, strict=True))
        done = Exported(snapshot.version, records, len(files), size, self._added, self._removed)
        if not _has(self._dest, _DONE):
            whole = {"format": _FORMAT, "version": done.version, "records": records, "files": done.files, "bytes": size}
            self._dest.put(_DONE, json.dumps(whole).encode())
        return done

    def _clean(self, wanted: dict[str, Part]) -> dict[str, dict[str, tuple[int, int]]]:
        """Return the files of the parts that are there as a whole, and remove all others."""
        listed = {file.path: file.size for file in self._dest.files("account=")}
        kept: dict[str, dict[str, tuple[int, int]]] = {}
        gone: list[str] = []
        for path in [file.path for file in self._dest.files(f"{_MANIFESTS}/") if file.path.endswith(".json")]:
            files = _read(self._dest, path)["files"]
            if path in wanted and all(listed.get(each) == size for each, (_, size) in files.items()):
                kept[path] = files
            else:
                gone.append(path)
        named = {path for files in kept.values() for path in files}
        stale = sorted(path for path in listed if path not in named and _FILE.fullmatch(path))
        # First what says that the files are there.
        if gone or stale:
            self._dest.remove(_DONE, *gone, *stale)
        self._removed += len(stale)
        for folder in {str(PurePosixPath(path).parent) for path in listed if "/." in path}:
            self._dest.remove_leftovers(folder)
        return kept

    def _write(self, manifest: str, part: Part, schema: pa.Schema, mark: str) -> dict[str, tuple[int, int]]:
        """Write the rows of a part, and then its manifest."""
        name = f"{PurePosixPath(part.path).stem}-{mark}"
        waiting: dict[str, list[pa.Table]] = {}
        sizes: Counter[str] = Counter()
        numbers: Counter[str] = Counter()
        files: dict[str, tuple[int, int]] = {}

        def flush(folder: str) -> None:
            del sizes[folder]
            rows = pa.concat_tables(waiting.pop(folder))
            path = f"{folder}/{name}-{numbers[folder]}.parquet"
            numbers[folder] += 1
            files[path] = rows.num_rows, self._put(path, rows)

        with pq.ParquetFile(self._lake.open(part.path)) as file:
            for batch in file.iter_batches(_ROWS):
                for folder, rows in _by_folder(_as(batch, schema)):
                    waiting.setdefault(folder, []).append(rows)
                    sizes[folder] += rows.nbytes
                while sizes.total() > WAITING:
                    flush(max(sizes, key=sizes.__getitem__))
        for folder in list(waiting):
            flush(folder)
        self._dest.put(manifest, json.dumps({"format": _FORMAT, "part": part.path, "files": files}).encode())
        return files

    def _put(self, path: str, rows: pa.Table) -> int:
        content = io.BytesIO()
        pq.write_table(rows, content, compression="zstd", store_schema=False)
        self._dest.put(path, content.getvalue())
        self._added += 1
        return len(content.getbuffer())


def _manifest(part: Part, mark: str) -> str:
    return f"{_MANIFESTS}/{PurePosixPath(part.path).stem}-{mark}.json"


def _as(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """Return rows with all columns of the lake, which parts of an earlier version of ctfast do not have."""
    rows = pa.Table.from_batches([batch])
    if rows.schema.equals(schema):
        return rows
    return pa.concat_tables([schema.empty_table(), rows], promote_options="permissive")


def _by_folder(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each folder, with the columns that it is named by."""
    compute = load("pyarrow.compute")
    # Without a time zone, for which PyArrow would need a database.
    days = rows.column(TIME).cast(pa.timestamp("us")).cast(pa.date32()).cast(pa.string())
    columns = []
    for (name, allowed), values in zip(
        _FOLDERS.items(), (rows.column(_ACCOUNT), rows.column(_REGION), days), strict=True
    ):
        is_allowed = compute.match_substring_regex(values, allowed)
        columns.append(compute.fill_null(compute.if_else(is_allowed, values, "other"), "none"))
        rows = rows.append_column(name, columns[-1])
    places: dict[tuple[str, ...], list[int]] = {}
    for row, place in enumerate(zip(*(column.to_pylist() for column in columns), strict=True)):
        places.setdefault(place, []).append(row)
    for place, chosen in places.items():
        folder = "/".join(f"{name}={value}" for name, value in zip(_FOLDERS, place, strict=True))
        yield folder, rows.take(pa.array(chosen))
