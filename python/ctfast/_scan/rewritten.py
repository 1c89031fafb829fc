"""Parts of a lake that are written again: without some rows, or several as one."""

from __future__ import annotations

import hashlib
import operator
import struct
from collections.abc import Sequence
from pathlib import Path

from ctfast import _ctfast
from ctfast._later import load, pa, pq
from ctfast._scan.message import PartFile
from ctfast._scan.part import HASH, MONTH, WAITING, Part
from ctfast._store.store import keys_path

__all__ = ["dropped_rows", "joined", "renamed", "split_of", "without"]

#: Bytes before the keys in a file of keys: its format, and their number.
_HEAD = 16


def split_of(path: str) -> str:
    """Return the id of the split that has written a part, also if a lake has written it again."""
    return Path(path).name.split("-")[1].removesuffix(".parquet")


def dropped_rows(folder: Path, path: str, dropped: list[int], names: list[str]) -> pa.Table:
    """Return some columns, as far as the part has them, of these rows, whose numbers ascend."""
    gone = pa.array(dropped, pa.uint32())
    with pq.ParquetFile(folder / path) as file:
        columns = [name for name in names if name in file.schema_arrow.names]
        parts = []
        start = 0
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number, columns)
            parts.append(rows.filter(_are_among(gone, start, rows.num_rows)))
            start += rows.num_rows
    return pa.concat_tables(parts)


def without(folder: Path, path: str, dropped: list[int], version: int) -> PartFile | None:
    """Write a part again without some of its rows, and return its description; None if no row is left.

    Parameters
    ----------
    folder
        Where the part is, and where the new one is written.
    path
        The path of the part in the folder.
    dropped
        The numbers of the rows, in ascending order.
    version
        The version of the table that will have it.
    """
    name = renamed(path, version, dropped)
    month = path.partition("/")[0].removeprefix(f"{MONTH}=")
    gone = pa.array(dropped, pa.uint32())
    with pq.ParquetFile(folder / path) as file:
        if len(dropped) == file.metadata.num_rows:
            return None
        new = Part(folder, name, month, file.schema_arrow)
        try:
            start = 0
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                left = rows.filter(load("pyarrow.compute").invert(_are_among(gone, start, rows.num_rows)))
                if left.num_rows:
                    new.write(left, b"")
                start += rows.num_rows
            return new.finish(_ctfast.keys_without((folder / keys_path(path)).read_bytes(), dropped))
        except BaseException:
            new.abandon()
            raise


def renamed(path: str, version: int, dropped: Sequence[int] = ()) -> str:
    """Return ``part-<id>-<n>-<hash>.parquet``, which is no longer however often a part has been written again.

    The hash is of the name before and of the rows, and so of all rows that have ever been dropped; and of the version
    of the table that will have it: another attempt at this version finds it, and one at a later version, before which
    it may have been swept, does not.
    """
    folder, name = path.split("/")
    first = "-".join(name.removesuffix(".parquet").split("-")[:3])
    rows = b"".join(row.to_bytes(4, "little") for row in dropped)
    text = f"{name} {version} ".encode()
    return f"{folder}/{first}-{hashlib.sha256(text + rows).hexdigest()[:HASH]}.parquet"


def _are_among(gone: pa.Array, start: int, number: int) -> pa.Array:
    """Tell of each of these rows, from ``start`` on, whether it is dropped."""
    return load("pyarrow.compute").is_in(pa.array(range(start, start + number), pa.uint32()), value_set=gone)


def joined(folder: Path, paths: list[str], name: str) -> PartFile:
    """Write some parts of one month, with the same columns, as one part ``part-<name>-0.parquet``."""
    month = paths[0].partition("/")[0]
    schema = pq.read_schema(folder / paths[0])
    new = Part(folder, f"{month}/part-{name}-0.parquet", month.removeprefix(f"{MONTH}="), schema)
    waiting: list[pa.Table] = []
    keys = bytearray()
    try:
        for path in paths:
            keys += _in_order((folder / keys_path(path)).read_bytes())
            with pq.ParquetFile(folder / path) as file:
                for number in range(file.num_row_groups):
                    waiting.append(file.read_row_group(number))
                    if sum(rows.nbytes for rows in waiting) > WAITING:
                        new.write(pa.concat_tables(waiting), b"")
                        waiting.clear()
        if waiting:
            new.write(pa.concat_tables(waiting), b"")
        return new.finish(_ctfast.sorted_keys(bytes(keys)))
    except BaseException:
        new.abandon()
        raise


def _in_order(file: bytes) -> bytes:
    """Return the keys of a file of keys in the order of their rows."""
    entries = struct.iter_unpack(f"<{HASH}sI", memoryview(file)[_HEAD:])
    return b"".join(key for key, _ in sorted(entries, key=operator.itemgetter(1)))
