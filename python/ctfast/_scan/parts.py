"""Writes the rows of a split as Parquet files: one or more per month, never replaced, the same bytes each time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ctfast import _ctfast
from ctfast._later import load, pa
from ctfast._scan.arrow import schema_of
from ctfast._scan.fields import narrowed, roots, selected
from ctfast._scan.message import PartFile, SplitMessage
from ctfast._scan.options import Options
from ctfast._scan.part import HASH, MONTH, TIME, WAITING, Part
from ctfast._show.words import quoted
from ctfast._store.store import Store, differs, index_path, keys_path
from ctfast.exceptions import FormatError

if TYPE_CHECKING:
    from ctfast._scan.split import Split

__all__ = ["Parts", "message_path", "schema_for", "write"]

#: The month of records without a time: an empty string would be read back as null.
_NO_MONTH = "none"

#: What a batch takes besides its values, which counts where each row has another month: measured with all columns.
_EACH = 64 << 10
#: Size in bytes at which a file is finished and the next one is begun.
_LARGE = 256 << 20
#: Files that are open at once. A split has one day or a few; only data made for the purpose has more months than this.
_OPEN = 24
#: The name of a part that a split has written.
_NUMBERED = re.compile(r"-[0-9]{1,9}\.parquet$")
#: What wrote a row: a struct, so that more can be told of it later.
_INGEST = "ingest"
#: The name of the keys of a row among the columns of a batch; no column of a record has a blank.
_KEY = "its key"
#: The folder of the messages. Readers of Parquet folders ignore names that begin with an underscore, and the names of
#: the messages do not end as those of logs do, in case the folder is within the archive.
_MESSAGES = "_splits"


def write(split: Split, store: Store, options: Options) -> SplitMessage:
    """Write the rows and return the message; if another attempt has finished before, return its message."""
    place = message_path(split.id)
    with suppress(FileNotFoundError):
        return _existing(store, split.id)
    # The column that decides the partition of a row comes after all others.
    columns = list(dict.fromkeys([*roots(options.query.columns), TIME]))
    # The hash of the bytes that are read here: by it, a lake tells what a digest proves of its rows.
    ledger, keys = _ctfast.Ledger(sha256=True), _ctfast.Keys()
    bad: list[dict[str, Any]] = []
    _ctfast.make_folders(store.folder)
    with Parts(store.folder, split.id, split.schema("spark")) as parts:
        for batch in split._batches(options.asking(columns), ledger, keys, bad):  # noqa: SLF001  # a method of it, in its own module
            parts.add(batch, keys.take(batch.num_rows))
        files = parts.finish()
    for part in files:
        store.publish_part(part.path)
    _refuse_others(store, split.id, files)
    rows = tuple(_rows(ledger, split._selection.times()))  # noqa: SLF001
    message = SplitMessage(split.id, *split._identity(), files, rows, tuple(bad))  # noqa: SLF001
    try:
        store.put_first(place, message.json().encode())
    except FileExistsError:
        first = _existing(store, split.id)
        if first.files != files:
            raise differs(store.at(place)) from None
        return first
    return message


def _existing(store: Store, split: str) -> SplitMessage:
    """Return the message that is there, if it is of this split and all files that it names exist with their sizes."""
    path = store.at(message_path(split))
    try:
        message = SplitMessage.from_json(store.read(message_path(split)).decode())
    except (FormatError, UnicodeDecodeError) as error:
        reason = error.message if isinstance(error, FormatError) else "no UTF-8"
        raise ValueError(f"{path}: {reason}; nothing was written") from None
    if message.split != split:
        raise ValueError(f"{path} is the message of another split, {quoted(message.split)}; nothing was written")
    for part in message.files:
        if store.look(part.path).size != part.size:
            raise differs(store.at(part.path))
        for found in (part.path, keys_path(part.path)):
            store.renew(found)
        with suppress(FileNotFoundError):  # an earlier version of ctfast has written none
            store.renew(index_path(part.path))
    _refuse_others(store, split, message.files)
    return message


def _refuse_others(store: Store, split: str, files: tuple[PartFile, ...]) -> None:
    """Refuse a folder with more parts of a split than these: an attempt that met other files has left them.

    Readers of the folder would take their rows for further ones. They stay where they are, since another attempt may
    still name them.
    """
    named = {file.path for file in files}
    for path in sorted(store.parts_of(split)):
        # A name with one more part is one that a lake has given.
        if _NUMBERED.search(path) and path not in named:
            raise differs(store.at(path))


def _rows(ledger: _ctfast.Ledger, times: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield what became of each file, with the time by which its version was told from others."""
    while len(page := ledger.take()):
        for row in pa.record_batch(page).to_pylist():
            yield row | {"modified": times.get(row["file"])}


def message_path(split: str) -> str:
    """Return the path of the message of a split, relative to the folder of its parts."""
    return f"{_MESSAGES}/{split}.message"


def schema_for(columns: list[str]) -> pa.Schema:
    """Return the schema of parts with these columns of a record."""
    whole = schema_of(roots(columns), "spark")
    return _with_ours(whole if columns == whole.names else narrowed(whole, columns))


def _with_ours(columns: pa.Schema) -> pa.Schema:
    """Return a schema with the columns that are added to those of a record."""
    ingest = pa.struct([pa.field("split", pa.string())])
    return columns.append(pa.field(MONTH, pa.string())).append(pa.field(_INGEST, ingest))


class Parts:
    """Writes the files of a split. Files that are not finished at the end of the block are removed.

    Rows are collected by month until there are many: then those of the largest month become a row group of its file.
    The content of a row group depends on the rows alone, and so does each byte of a file.
    """

    def __init__(self, folder: Path, split: str, schema: pa.Schema) -> None:
        self._folder, self._split = folder, split
        self._columns = schema
        self._schema = _with_ours(schema)
        self._waiting: dict[str, list[pa.RecordBatch]] = {}
        self._keys: dict[str, list[pa.Array]] = {}
        self._bytes: Counter[str] = Counter()
        self._open: dict[str, Part] = {}
        #: By its number; None while it is open.
        self._files: list[PartFile | None] = []

    def __enter__(self) -> Self:
        """Return the parts."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Remove what is not finished."""
        for part in self._open.values():
            part.abandon()

    def add(self, batch: pa.RecordBatch, keys: bytes) -> None:
        """Add rows, which also have the column ``eventTime``, with the key of each."""
        kind = pa.binary(HASH)
        key = pa.FixedSizeBinaryArray.from_buffers(kind, batch.num_rows, [None, pa.py_buffer(keys)])
        for month, rows in _by_month(batch.append_column(pa.field(_KEY, kind), key)):
            chosen = selected(rows, self._columns)
            ingest = pa.StructArray.from_arrays([pa.repeat(pa.scalar(self._split), rows.num_rows)], ["split"])
            # The month is repeated for each row, even if there are no other columns.
            columns = [*chosen.columns, pa.repeat(pa.scalar(month), rows.num_rows), ingest]
            whole = pa.RecordBatch.from_arrays(columns, schema=self._schema)
            self._waiting.setdefault(month, []).append(whole)
            self._keys.setdefault(month, []).append(rows.column(_KEY))
            self._bytes[month] += whole.nbytes + _EACH
            while self._bytes.total() > WAITING:
                # Of months with equal sizes, the one that was begun first.
                self._write(max(self._bytes, key=self._bytes.__getitem__))

    def finish(self) -> tuple[PartFile, ...]:
        """Write what is left, give all files their names, and return their descriptions."""
        for month in list(self._waiting):
            self._write(month)
        for month in list(self._open):
            self._finish(month)
        return tuple(filter(None, self._files))

    def _write(self, month: str) -> None:
        rows = pa.Table.from_batches(self._waiting.pop(month), schema=self._schema)
        del self._bytes[month]
        part = self._open.get(month)
        if part is None:
            name = f"{MONTH}={month}/part-{self._split}-{len(self._files)}.parquet"
            part = Part(self._folder, name, month, self._schema, len(self._files))
            self._open[month] = part
            self._files.append(None)
        part.write(rows, b"".join(map(_bytes, self._keys.pop(month))))
        if part.size > _LARGE or len(self._open) > _OPEN:
            self._finish(month)

    def _finish(self, month: str) -> None:
        """Give the file of a month its name; of what was written there, only that is held."""
        part = self._open[month]
        self._files[part.number] = part.finish()
        del self._open[month]


def _by_month(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield the rows of each month, in order of time; rows without a time come last."""
    compute = load("pyarrow.compute")
    # Cast to UTC without a time zone: with one, PyArrow would need a time zone database.
    times = batch.column(TIME).cast(pa.timestamp("us"))
    months = compute.add(compute.multiply(compute.year(times), 12), compute.month(times))
    bounds = compute.min_max(months)
    if batch.num_rows and bounds["min"] == bounds["max"] and not (months.null_count and bounds["min"].is_valid):
        yield _name(bounds["min"].as_py()), batch
        return
    for month in sorted(compute.unique(months.drop_null()).to_pylist()):
        yield _name(month), batch.filter(compute.equal(months, month))
    if months.null_count:
        yield _NO_MONTH, batch.filter(compute.is_null(months))


def _name(month: int | None) -> str:
    if month is None:
        return _NO_MONTH
    year, number = divmod(month - 1, 12)
    return f"{year:04}-{number + 1:02}"


def _bytes(keys: pa.Array) -> bytes:
    """Return the keys, one after another."""
    start, length = keys.offset * HASH, len(keys) * HASH
    return keys.buffers()[1][start : start + length].to_pybytes()  # type: ignore[no-any-return]
