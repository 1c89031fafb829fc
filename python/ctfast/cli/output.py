"""Where results go, and in which format: files that appear once they are complete, or standard output."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO

from ctfast._later import pa
from ctfast._new_file import ready, written
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.cli.formats import FORMATS, JSON, NDJSON, OCSF, PARQUET, RECORDS, ROWS, TABLE, Format, Sink, endings
from ctfast.exceptions import ArgumentError

__all__ = ["by_ending", "check_saved", "check_target", "chosen", "of_files", "of_unit", "opened", "suffix"]

#: Suffixes of compressed files, after the suffix of the format. Formats that compress their content have none.
_COMPRESSED = (".gz", ".zst")
#: What else than rows a result may consist of: its formats, and how they are spoken of.
_UNITS = {
    "record": (RECORDS, "records", "ndjson, a record in each line, or json, an array of all"),
    "ocsf": (OCSF, "events", "ndjson, an event in each line, json, an array of all, or parquet"),
}


def chosen(
    form: str | None, target: str | None, otherwise: Format, formats: Iterable[Format] = (*ROWS, TABLE)
) -> Format:
    """Return the requested format, or the one that the file's suffix names; refuse an unknown suffix."""
    return _packed_once(
        FORMATS[form] if form else by_ending("output", target, formats, "--format takes any name") or otherwise,
        "output",
        target,
    )


def of_files(target: str | None) -> Format:
    """Return the format of the rows of a ledger, for which only the file's suffix decides."""
    remedy = f"a name without a suffix is {NDJSON.name}"
    return _packed_once(by_ending("files", target, ROWS, remedy) or NDJSON, "files", target)


def _packed_once(found: Format, option: str, target: str | None) -> Format:
    """Refuse to compress a format that is compressed inside, and to show one that is not for terminals."""
    compressed = _endings(target)[2]
    if compressed and found.packed:
        inside = f"{found.name} is compressed inside: leave {compressed} out"
        message = f"{option} {quoted(target)} ends in {compressed}, but {inside}"
        raise ArgumentError(message, option, target)
    if found is PARQUET and target is None and sys.stdout.isatty():
        message = "parquet is not for terminals; name a file with -o"
        raise ValueError(message)
    return found


def by_ending(
    option: str,
    target: str | None,
    formats: Iterable[Format],
    remedy: str,
    compressions: tuple[str, ...] = _COMPRESSED,
) -> Format | None:
    """Return the format that a file's suffix names, or None if it has no suffix; refuse an unknown suffix."""
    stem, ending, compressed = _endings(target, compressions)
    stem = stem.strip(".")
    known = endings(formats)
    if not stem and (compressed or ending in known):
        message = (
            f"{option} {quoted(target)} is an ending without a name: write {quoted(f'events{ending}{compressed}')}"
        )
        raise ArgumentError(message, option, target, f"events{ending}{compressed}")
    if not (stem and ending):
        return None
    form = known.get(ending)
    if form is None:
        close = nearest(ending, known)
        after = f", and {' or '.join(compressions)} after one" if compressions else ""
        several = len(known) > 1 or compressions
        words = f"{'endings are' if several else 'its ending is'} {', '.join(known)}{after}; {remedy}"
        message = f"{option} {quoted(target)} ends in {ending}, which is no format{or_nearest(close)} ({words})"
        raise ArgumentError(message, option, target, close)
    return form


def of_unit(unit: str, form: str | None, target: str | None, columns: list[str] | None = None) -> Format:
    """Return the format of whole records or events; refuse formats and options for rows."""
    found = chosen(form, target, NDJSON)
    forms, many, words = _UNITS[unit]
    if found not in forms:
        message = f"--as {unit} writes {words}, and not {found.name}"
        raise ValueError(message)
    if columns:
        message = f"--as {unit} writes whole {many}: leave out --columns {','.join(columns)}"
        raise ValueError(message)
    return forms[found]


def check_target(target: str | None) -> None:
    """Refuse a file that could not be written, before any work is done for it."""
    if target is not None:
        ready(target)


def check_saved(target: str | None) -> None:
    """Refuse a name that a later run would not read, and a file that could not be written."""
    by_ending("output", target, [JSON], "a name may have none", compressions=())
    check_target(target)


@contextmanager
def opened(target: str | None) -> Iterator[IO[bytes]]:
    """Open a file for writing, which appears under its name if the block succeeds; or standard output."""
    if target is None:
        with _whole(sys.stdout.buffer) as file:
            yield file
            file.flush()
        return
    with written(target) as file, _compressing(file, _endings(target)[2]) as into:
        yield into


def _endings(target: str | None, compressions: tuple[str, ...] = _COMPRESSED) -> tuple[str, str, str]:
    """Return the stem of a file's name, the suffix of the format, and the suffix of the compression."""
    name = PurePath((target or "").casefold()).name
    compressed = next((ending for ending in compressions if name.endswith(ending)), "")
    stem, dot, word = name.removesuffix(compressed).rpartition(".")
    return (stem, dot + word, compressed) if dot else (word, "", compressed)


@contextmanager
def _compressing(file: IO[bytes], compressed: str) -> Iterator[IO[bytes]]:
    if compressed == ".gz":
        # Without a name and a time in the header, the same rows give the same bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as into:
            yield into  # type: ignore[misc]  # it has all methods of IO that are used
    elif compressed == ".zst":
        with pa.CompressedOutputStream(pa.PythonFile(Sink(file), mode="w"), "zstd") as into:
            yield into
    else:
        yield file


def suffix(form: Format, target: str) -> str:
    """Return the suffix of files in this format, with the compression that the target's name ends in."""
    return form.endings[0] + _endings(target)[2]


@contextmanager
def _whole(file: IO[bytes] | io.RawIOBase) -> Iterator[IO[bytes]]:
    """Write all or raise: with PYTHONUNBUFFERED, standard output is a raw file, whose writes may be partial."""
    if not isinstance(file, io.RawIOBase):
        yield file
        return
    buffered = io.BufferedWriter(file)
    try:
        yield buffered
    finally:
        buffered.detach()
