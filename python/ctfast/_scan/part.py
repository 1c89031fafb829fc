"""One Parquet file of a split, or of a lake: written whole, with the keys and filters of its rows beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from ctfast import _ctfast
from ctfast._later import load, pa, pq
from ctfast._new_file import written
from ctfast._scan.message import PartFile
from ctfast._scan.needles import Needles
from ctfast._store.store import differs, index_path, keys_path

__all__ = ["HASH", "MONTH", "STATISTICS", "TIME", "WAITING", "Part"]

#: The column by which files are partitioned. A month is long enough that files of many accounts and regions are large
#: enough for a request, and short enough that old data can be deleted file by file.
MONTH = "month"
TIME = "eventTime"
#: Columns whose statistics a lake uses. Ids, keys and addresses have none, since the lake's log outlives the rows.
STATISTICS = (TIME, "awsRegion", "eventName", "recipientAccountId")
#: Columns in which few values come twice in a row group, with the encoding that makes them smallest. A dictionary of
#: them would be made in vain, and, but for the time, their least and greatest values would be in the footer in vain.
_UNIQUE = {
    "eventTime": "DELTA_BINARY_PACKED",
    "requestParameters": "DELTA_BYTE_ARRAY",
    "responseElements": "PLAIN",
    "additionalEventData": "PLAIN",
    "requestID": "DELTA_LENGTH_BYTE_ARRAY",
    "eventID": "DELTA_LENGTH_BYTE_ARRAY",
    "serviceEventDetails": "PLAIN",
    "sharedEventID": "DELTA_LENGTH_BYTE_ARRAY",
    "addendum": "PLAIN",
    "extra": "PLAIN",
    "raw": "PLAIN",
    "record": "DELTA_BINARY_PACKED",
}
#: Of zstd. The next one takes a third more time of the columns, and they are no smaller; whole records, of which a lake
#: mostly consists, are.
_LEVEL, _RAW_LEVEL = 2, 8
#: Bytes of a page of whole records: what is alike in two of them is stored once if both are in one page.
_PAGE = 8 << 20
#: The longest string in statistics, in bytes.
_LONGEST = 256
#: Bytes of Arrow data that wait to become row groups, for all months together: memory does not grow with the split.
WAITING = 32 << 20
#: Bytes of a key.
HASH = 32


class Part:
    """A file that is being written, with its size, hash and statistics."""

    def __init__(self, folder: Path, name: str, month: str, schema: pa.Schema, number: int = 0) -> None:
        self.number = number
        self._name, self._partition = name, {MONTH: month}
        self._place, self._folder = folder / name, folder
        self._stack = ExitStack()
        _ctfast.make_folders(self._place.parent)
        try:
            file = self._stack.enter_context(written(self._place, replace=False))
        except FileExistsError:
            # An earlier attempt has ended between its parts and its message: the existing file is compared.
            file = None
        self._sink = _Hashing(file)
        self._writer = _writer(self._sink, schema)
        self._rows = 0
        self._keys = bytearray()
        self._needles = Needles(schema)
        self._statistics = {name: _Statistics() for name in STATISTICS if name in schema.names}

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._sink.size

    def write(self, rows: pa.Table, keys: bytes) -> None:
        """Write a row group; the keys of its rows are held until the end."""
        self._keys += keys
        self._writer.write_table(rows, row_group_size=rows.num_rows)
        self._rows += rows.num_rows
        self._needles.add(rows)
        for name, statistics in self._statistics.items():
            statistics.add(rows.column(name))

    def finish(self, keys: bytes | None = None) -> PartFile:
        """Finish the file and give it its name, unless an identical file exists under that name.

        ``keys`` is the content of its file of keys, if that is known already.
        """
        self._writer.close()
        keys = _ctfast.sorted_keys(bytes(self._keys)) if keys is None else keys
        _write_beside(self._folder / keys_path(self._name), keys)
        _write_beside(self._folder / index_path(self._name), self._needles.file(self._name, self.size))
        sha256 = self._sink.hash.hexdigest()
        try:
            self._stack.close()
        except FileExistsError:
            self._sink.file = None  # another attempt was first
        if self._sink.file is None:
            if _sha256(self._place) != sha256:
                raise differs(self._place)
            os.utime(self._place)  # a lake removes old files without a name
        statistics = {name: each.as_json() for name, each in self._statistics.items()}
        return PartFile(self._name, self._partition, self.size, self._rows, sha256, statistics)

    def abandon(self) -> None:
        """Remove the file if it is not finished."""
        self._sink.file = None  # the writer still writes a footer when it is closed, which is discarded
        with suppress(_AbandonedError):
            self._stack.__exit__(_AbandonedError, _AbandonedError(), None)


def _write_beside(place: Path, content: bytes) -> None:
    """Write a file that lies beside the part, unless an identical file exists."""
    _ctfast.make_folders(place.parent)
    try:
        with written(place, replace=False) as file:
            file.write(content)
    except FileExistsError:
        if place.read_bytes() != content:
            raise differs(place) from None
        os.utime(place)


def _writer(sink: _Hashing, schema: pa.Schema) -> pq.ParquetWriter:
    leaves = [path for field in schema for path in _leaves(field.name, field.type)]
    repeating = [path for path in leaves if path not in _UNIQUE]
    return pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"),
        schema,
        compression="zstd",
        compression_level={path: _RAW_LEVEL if path == "raw" else _LEVEL for path in leaves},
        data_page_size=_PAGE,
        use_dictionary=repeating,
        write_statistics=[*repeating, TIME],
        column_encoding={name: encoding for name, encoding in _UNIQUE.items() if name in schema.names},
        store_schema=False,
    )


def _leaves(path: str, kind: pa.DataType) -> Iterator[str]:
    """Yield the paths of the columns that Parquet has for a column."""
    if pa.types.is_list(kind):
        yield from _leaves(f"{path}.list.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            member = kind.field(number)
            yield from _leaves(f"{path}.{member.name}", member.type)
    else:
        yield path


class _AbandonedError(Exception):
    """Raised in the block of a file so that it does not get its name."""


class _Hashing:
    """Counts and hashes what is written, and passes it on to a file if there is one."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self.file = file
        self.hash = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write all of the data, and return its length."""
        self.hash.update(data)
        length = memoryview(data).nbytes
        self.size += length
        if self.file is not None:
            self.file.write(data)
        return length

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.size

    def flush(self) -> None:
        """Do nothing: the file is flushed when it is closed."""

    def close(self) -> None:
        """Only note it: the block that opened the file closes it."""
        self.closed = True


class _Statistics:
    """The smallest and the largest value of a column, and how many are null."""

    def __init__(self) -> None:
        self._least: Any = None
        self._greatest: Any = None
        self._nulls = 0

    def add(self, column: pa.ChunkedArray) -> None:
        """Include more values."""
        bounds = load("pyarrow.compute").min_max(column)
        self._nulls += column.null_count
        if bounds["min"].is_valid:
            least, greatest = _comparable(bounds["min"]), _comparable(bounds["max"])
            self._least = least if self._least is None else min(self._least, least)
            self._greatest = greatest if self._greatest is None else max(self._greatest, greatest)

    def as_json(self) -> dict[str, Any]:
        """Return the statistics as they are in the message."""
        least, greatest = _written(self._least), _written(self._greatest)
        bounds = {} if least is None or greatest is None else {"min": least, "max": greatest}
        return {"null_count": self._nulls, **bounds}


def _comparable(value: pa.Scalar) -> int | bytes:
    """Return the microseconds of a time, or the bytes of a string."""
    return int(value.value) if pa.types.is_timestamp(value.type) else value.as_py().encode()


def _written(value: int | bytes | None) -> str | None:
    if isinstance(value, int):
        return str(pa.scalar(value, pa.timestamp("us")).cast(pa.string())).replace(" ", "T") + "Z"
    return None if value is None or len(value) > _LONGEST else value.decode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
