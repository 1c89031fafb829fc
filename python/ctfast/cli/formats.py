"""THE output formats: the name of each, the suffixes of its files, and how it writes frames and whole records."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple, TypeAlias

from ctfast._later import pl, pq
from ctfast._ocsf.ocsf import EVENT, NEEDED, ocsf

__all__ = [
    "CSV",
    "FORMATS",
    "HTML",
    "JSON",
    "MARKDOWN",
    "NDJSON",
    "OCSF",
    "PARQUET",
    "RECORDS",
    "ROWS",
    "TABLE",
    "TEXT",
    "Format",
    "Sink",
    "endings",
]

#: One or more frames of the same schema, made as they are needed.
Frames: TypeAlias = "Iterable[pl.DataFrame]"
Writer: TypeAlias = Callable[[Frames, IO[bytes]], None]

#: Line breaks of a record are outside its strings: within a JSON string, they are written as escapes.
_BROKEN = r"[ \t]*[\r\n][ \t\r\n]*"
#: Bytes in memory of a row group of a Parquet file. Larger groups compress better, but take more memory.
_ROW_GROUP = 32 << 20


class Format(NamedTuple):
    """One form of a result.

    Attributes
    ----------
    name : str
        What ``--format`` calls it.
    endings : tuple of str
        Suffixes of its files, in lower case; new files get the first one.
    write : callable or None
        Writes frames; None for a format that each verb prints in its own way, such as a table.
    columns : tuple of str or None
        The columns of a frame that it makes whole records or events of; None for a format of rows.
    packed : bool
        Whether the format compresses its content itself.
    """

    name: str
    endings: tuple[str, ...]
    write: Writer | None = None
    columns: tuple[str, ...] | None = None
    packed: bool = False

    def put(self, frames: Frames, file: IO[bytes]) -> None:
        """Write frames one by one."""
        if self.write is None:
            message = f"{self.name} is no form of rows"
            raise TypeError(message)
        self.write(frames, file)


def endings(formats: Iterable[Format]) -> dict[str, Format]:
    """Return the formats by the suffixes of their files."""
    return {ending: form for form in formats for ending in form.endings}


def _ndjson(frames: Frames, file: IO[bytes]) -> None:
    """One object per line; structs and lists are JSON, times ISO 8601."""
    for frame in frames:
        file.write(_lines(frame))


def _json(frames: Frames, file: IO[bytes]) -> None:
    """One array with the objects of ndjson."""
    _array((_lines(frame)[:-1].replace(b"\n", b",\n") for frame in frames), file)


def _record_lines(frames: Frames, file: IO[bytes]) -> None:
    """One record per line, byte for byte; line breaks in a record, and white space around them, are left out."""
    _text_lines(_records(frames), file)


def _record_array(frames: Frames, file: IO[bytes]) -> None:
    """One array of the records, each as in ndjson."""
    _text_array(_records(frames), file)


def _event_lines(frames: Frames, file: IO[bytes]) -> None:
    """One event of OCSF per line, without nulls."""
    _text_lines(_events(frames), file)


def _event_array(frames: Frames, file: IO[bytes]) -> None:
    """One array of the events, each as in ndjson."""
    _text_array(_events(frames), file)


def _event_groups(frames: Frames, file: IO[bytes]) -> None:
    """Row groups of some thousand events; structs and lists as they are."""
    _parquet(map(ocsf, frames), file)


def _csv(frames: Frames, file: IO[bytes]) -> None:
    """One line per row; the fields of structs are columns of their own, lists are JSON."""
    for number, frame in enumerate(frames):
        flat = frame.select(cell for name, dtype in frame.schema.items() for cell in _cells(pl.col(name), dtype, name))
        file.write(_written(flat.write_csv, include_header=number == 0))


def _parquet(frames: Frames, file: IO[bytes]) -> None:
    """Row groups of some thousand rows; structs and lists as they are."""
    groups = _gathered(frames)
    # Most readers of Parquet do not know Arrow's string views yet.
    first = next(groups).to_arrow(compat_level=pl.CompatLevel.oldest())
    with pq.ParquetWriter(Sink(file), first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for group in groups:
            writer.write_table(group.to_arrow(compat_level=pl.CompatLevel.oldest()))


NDJSON = Format("ndjson", (".ndjson", ".jsonl"), _ndjson)
JSON = Format("json", (".json",), _json)
CSV = Format("csv", (".csv",), _csv)
PARQUET = Format("parquet", (".parquet",), _parquet, packed=True)
TABLE = Format("table", (".txt",))
TEXT = Format("text", (".txt",))
MARKDOWN = Format("markdown", (".md",))
HTML = Format("html", (".html", ".htm"))

#: All of them by name.
FORMATS: dict[str, Format] = {form.name: form for form in (NDJSON, JSON, CSV, PARQUET, TABLE, TEXT, MARKDOWN, HTML)}
#: The formats of rows, offered by all verbs that write rows.
ROWS: tuple[Format, ...] = (NDJSON, JSON, CSV, PARQUET)
#: The formats of ``--as record``. Their suffixes differ from those of rows, so that a folder cannot mix both.
RECORDS: dict[Format, Format] = {
    NDJSON: Format("ndjson", (".jsonl",), _record_lines, columns=("raw",)),
    JSON: Format("json", (".records.json",), _record_array, columns=("raw",)),
}
#: The formats of ``--as ocsf``.
OCSF: dict[Format, Format] = {
    NDJSON: Format("ndjson", (".ocsf.jsonl",), _event_lines, columns=NEEDED),
    JSON: Format("json", (".ocsf.json",), _event_array, columns=NEEDED),
    PARQUET: Format("parquet", (".ocsf.parquet",), _event_groups, columns=NEEDED, packed=True),
}


def _array(members: Iterable[bytes], file: IO[bytes]) -> None:
    """Write an array, one member per line; each item of ``members`` holds several, already joined."""
    before = b"["
    for some in members:
        if some:
            file.write(before + some)
            before = b",\n"
    file.write(b"[]\n" if before == b"[" else b"]\n")


def _lines(frame: pl.DataFrame) -> bytes:
    times = (
        _iso(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)
    )
    return _written(frame.with_columns(*times).write_ndjson)


def _records(frames: Frames) -> Iterator[pl.Series]:
    for frame in frames:
        yield frame["raw"].str.replace_all(_BROKEN, "")


def _events(frames: Frames) -> Iterator[pl.Series]:
    for frame in frames:
        yield ocsf(frame, json=True)[EVENT]


def _text_lines(texts: Iterable[pl.Series], file: IO[bytes]) -> None:
    for some in _joined(texts, "\n"):
        file.write(some)
        file.write(b"\n")


def _text_array(texts: Iterable[pl.Series], file: IO[bytes]) -> None:
    _array(_joined(texts, ",\n"), file)


def _joined(texts: Iterable[pl.Series], between: str) -> Iterator[bytes]:
    """Yield the texts of each series that has some."""
    for some in texts:
        if some.len():
            yield some.str.join(between).item().encode()


def _written(writer: Callable[..., object], **options: object) -> bytes:
    """Return what Polars writes, by way of memory: when Polars writes to a file, it hides errors of the system."""
    buffer = io.BytesIO()
    writer(buffer, **options)
    return buffer.getvalue()


def _cells(column: pl.Expr, dtype: pl.DataType, name: str) -> Iterator[pl.Expr]:
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _cells(column.struct[field.name], field.dtype, f"{name}.{field.name}")  # type: ignore[arg-type]
    elif isinstance(dtype, (pl.List, pl.Array)):
        # Polars encodes only structs as JSON: {"":[…]}
        text = pl.struct(column.alias("")).struct.json_encode().str.slice(len('{"":')).str.head(-1)
        yield pl.when(column.is_not_null()).then(text).alias(name)
    elif isinstance(dtype, pl.Datetime):
        yield _iso(column, dtype).alias(name)
    else:
        yield column.alias(name)


def _iso(column: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    """Return a time as CloudTrail writes it, with a fraction only if it has one."""
    return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f" + ("%:z" if dtype.time_zone else "")).str.replace(
        r"\+00:00$", "Z"
    )


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


class Sink(io.RawIOBase):
    """A write-only file for PyArrow, which asks for the position."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._position = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._position

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer is accepted
        """Write all of it."""
        self._file.write(data)
        self._position += len(data)
        return len(data)
