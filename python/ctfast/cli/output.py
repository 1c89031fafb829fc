"""Frames to files and pipes, as they come: ndjson, csv and parquet; and the records themselves."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, TypeAlias

from ctfast._files import written
from ctfast._later import pa, pl, pq
from ctfast._words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError

__all__ = ["FORMATS", "RECORDS", "SUFFIXES", "TABLE", "by_ending", "chosen", "nested", "opened", "record_form", "suffix", "write"]

Frames: TypeAlias = "Iterable[pl.DataFrame]"

TABLE = "table"
#: The form of a file by the end of its name; the first one of each form is that of new files.
SUFFIXES = {".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson", ".csv": "csv", ".parquet": "parquet", ".txt": TABLE}
#: After one of these. Parquet files are compressed inside.
_COMPRESSED = (".gz", ".zst")
_WITH_PARTS_COMPRESSED = ("parquet",)
#: Whole records, which have no columns: what ``--as record`` writes.
RECORDS = "records"
#: A record has a line feed only outside of its strings, since a string has none that is not written as an escape.
_BROKEN = r"[ \t]*[\r\n][ \t\r\n]*"
#: Bytes that a row group of a Parquet file is made of. More compress better, and are held in memory.
_ROW_GROUP = 32 << 20


def chosen(form: str | None, target: str | None, otherwise: str, endings: Mapping[str, str] = SUFFIXES) -> str:
    """Return the format that was asked for, or that the end of the file's name tells; an end that tells nothing is refused."""
    form = form or by_ending("output", target, endings, "--format takes any name") or otherwise
    compressed = _endings(target)[2]
    if compressed and form in _WITH_PARTS_COMPRESSED:
        message = f"output {quoted(target)} ends in {compressed}, but {form} is compressed inside: leave {compressed} out"
        raise ArgumentError(message, "output", target)
    if form == "parquet" and target is None and sys.stdout.isatty():
        message = "parquet is not for terminals; name a file with -o"
        raise ValueError(message)
    return form


def by_ending(option: str, target: str | None, endings: Mapping[str, str], remedy: str) -> str | None:
    """Return what the end of a file's name tells, or None if it has none; refuse an end that tells nothing."""
    stem, ending, compressed = _endings(target)
    stem = stem.strip(".")
    if not stem and (compressed or ending in endings):
        message = f"{option} {quoted(target)} is an ending without a name: write {quoted(f'events{ending}{compressed}')}"
        raise ArgumentError(message, option, target, f"events{ending}{compressed}")
    if not (stem and ending):
        return None
    form = endings.get(ending)
    if form is None:
        close = nearest(ending, endings)
        known = f"endings are {', '.join(endings)}, and {' or '.join(_COMPRESSED)} after one; {remedy}"
        message = f"{option} {quoted(target)} ends in {ending}, which is no format{or_nearest(close)} ({known})"
        raise ArgumentError(message, option, target, close)
    return form


def record_form(form: str | None, target: str | None, columns: list[str] | None) -> str:
    """Return the form of whole records; refuse what would be rows."""
    form = chosen(form, target, "ndjson")
    if form != "ndjson":
        message = f"--as record writes ndjson, each record in a line of its own, and not {form}"
        raise ValueError(message)
    if columns:
        message = f"--as record writes whole records: leave out --columns {','.join(columns)}"
        raise ValueError(message)
    return RECORDS


@contextmanager
def opened(target: str | None) -> Iterator[IO[bytes]]:
    """Open a file to write, which appears under its name when all went well; or standard output."""
    if target is None:
        with _whole(sys.stdout.buffer) as file:
            yield file
            file.flush()
        return
    with written(target) as file, _compressing(file, _endings(target)[2]) as into:
        yield into


def _endings(target: str | None) -> tuple[str, str, str]:
    """Return a name, the end of it that tells the format, and after that the one that tells the compression."""
    name = PurePath((target or "").casefold()).name
    compressed = next((ending for ending in _COMPRESSED if name.endswith(ending)), "")
    stem, dot, word = name.removesuffix(compressed).rpartition(".")
    return (stem, dot + word, compressed) if dot else (word, "", compressed)


@contextmanager
def _compressing(file: IO[bytes], compressed: str) -> Iterator[IO[bytes]]:
    if compressed == ".gz":
        # The same rows make the same bytes: neither the name nor the time is in them.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as into:
            yield into  # type: ignore[misc]  # what is asked of a file, it has
    elif compressed == ".zst":
        with pa.CompressedOutputStream(pa.PythonFile(_Sink(file), mode="w"), "zstd") as into:
            yield into
    else:
        yield file


def suffix(form: str, target: str) -> str:
    """Return how names of this form end, compressed as the name of the target says."""
    # Records do not end as the rows of ndjson do: a folder has parts of one kind.
    ending = ".jsonl" if form == RECORDS else next(ending for ending, name in SUFFIXES.items() if name == form)
    return ending + _endings(target)[2]


@contextmanager
def _whole(file: IO[bytes] | io.RawIOBase) -> Iterator[IO[bytes]]:
    """Write all or raise: with PYTHONUNBUFFERED standard output is a raw file, which may take a part and drop the rest."""
    if not isinstance(file, io.RawIOBase):
        yield file
        return
    buffered = io.BufferedWriter(file)
    try:
        yield buffered
    finally:
        buffered.detach()


def write(frames: Frames, form: str, file: IO[bytes]) -> None:
    """Write frames of one schema, at least one, each as it comes."""
    (_records if form == RECORDS else FORMATS[form])(frames, file)


def nested(path: str) -> pl.Expr:
    """Return the column with this path, under it as a name."""
    root, *fields = path.split(".")
    column = pl.col(root)
    for field in fields:
        column = column.struct[field]
    return column.alias(path)


def _ndjson(frames: Frames, file: IO[bytes]) -> None:
    """One object per line; structs and lists are JSON, times ISO 8601."""
    for frame in frames:
        times = (_iso(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime))
        _put(file, frame.with_columns(*times).write_ndjson)


def _records(frames: Frames, file: IO[bytes]) -> None:
    """One record per line, byte for byte; of one that has several lines, the white space around their ends is left out."""
    for frame in frames:
        lines = frame["raw"].str.replace_all(_BROKEN, "")
        if lines.len():
            file.write(f"{lines.str.join(chr(10)).item()}\n".encode())


def _csv(frames: Frames, file: IO[bytes]) -> None:
    """One line per row; the fields of structs are columns of their own, lists are JSON."""
    for number, frame in enumerate(frames):
        flat = frame.select(cell for name, dtype in frame.schema.items() for cell in _cells(pl.col(name), dtype, name))
        _put(file, flat.write_csv, include_header=number == 0)


def _put(file: IO[bytes], writer: Callable[..., object], **options: object) -> None:
    """Let Polars write to memory: its own writing to a file turns errors of the system into others."""
    buffer = io.BytesIO()
    writer(buffer, **options)
    file.write(buffer.getbuffer())


def _cells(column: pl.Expr, dtype: pl.DataType, name: str) -> Iterator[pl.Expr]:
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _cells(column.struct[field.name], field.dtype, f"{name}.{field.name}")  # type: ignore[arg-type]
    elif isinstance(dtype, (pl.List, pl.Array)):
        # Only structs have a JSON form: {"":[…]}
        text = pl.struct(column.alias("")).struct.json_encode().str.slice(len('{"":')).str.head(-1)
        yield pl.when(column.is_not_null()).then(text).alias(name)
    elif isinstance(dtype, pl.Datetime):
        yield _iso(column, dtype).alias(name)
    else:
        yield column.alias(name)


def _iso(column: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    """A time as CloudTrail writes it, with a fraction only where there is one."""
    return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f" + ("%:z" if dtype.time_zone else "")).str.replace(r"\+00:00$", "Z")


class _Sink(io.RawIOBase):
    """A pipe for PyArrow, which wants to know where it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer, as always
        self._file.write(data)
        self._position += len(data)
        return len(data)


def _parquet(frames: Frames, file: IO[bytes]) -> None:
    """Row groups of some thousand rows; structs and lists as they are."""
    groups = _gathered(frames)
    # Views of text are news to most readers of Parquet.
    first = next(groups).to_arrow(compat_level=pl.CompatLevel.oldest())
    with pq.ParquetWriter(_Sink(file), first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for group in groups:
            writer.write_table(group.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _gathered(frames: Frames) -> Iterator[pl.DataFrame]:
    held: list[pl.DataFrame] = []
    size: float = 0
    for frame in frames:
        held.append(frame)
        size += frame.estimated_size()
        if size >= _ROW_GROUP:
            yield pl.concat(held)
            held, size = [], 0
    if held:
        yield pl.concat(held)


FORMATS: dict[str, Callable[[Frames, IO[bytes]], None]] = {"ndjson": _ndjson, "csv": _csv, "parquet": _parquet}
