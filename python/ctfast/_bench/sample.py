"""The part of an archive that is measured: files that every reader can read, with what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctfast import _ctfast
from ctfast._bench.readers.base import ENDING, manifest_of, when
from ctfast._later import pl
from ctfast._scan.files import files
from ctfast._scan.options import ask
from ctfast._scan.scan import scan
from ctfast._source.addresses import Source
from ctfast.exceptions import ArgumentError

__all__ = ["Sample", "sampled"]

#: Files that are inflated at a time, to see how much text they hold.
_TOGETHER = 64
#: Files that are looked at, however small they are.
_MOST_FILES = 100_000
#: Names of calls that every reader can look for as they are.
_PLAIN = r"^[A-Za-z0-9]+$"
#: What is counted besides values that are not null.
_OTHERS = ("rows", "first", "last", "raw")


@dataclass(frozen=True, slots=True)
class Sample:
    """Files from the beginning of an archive.

    Attributes
    ----------
    path : Path
        A folder with a link to each.
    files, stored, text, records : int
        How many there are, their bytes as stored and inflated, and their records.
    more : bool
        Whether the archive has more files.
    left_out : list of str
        Files that are passed over since not every reader can read them: not gzip, damaged, or with a bad record.
    rare : str
        The name of the events that are looked for.
    """

    path: Path
    files: int
    stored: int
    text: int
    records: int
    more: bool
    left_out: list[str]
    rare: str


def sampled(source: Source, folder: Path, most: int, threads: int) -> Sample:
    """Link files of an archive into a folder, up to so many bytes of text, and write the right answers beside them.

    Raises
    ------
    ArgumentError
        No file of the archive can be measured.
    """
    planning = ask("files", source, threads=threads, on_error="collect")
    if planning.is_in_buckets():
        raise ArgumentError("source is in a bucket, and a network is not measured: copy it first", "source", source)
    listing = planning.listing(None)
    found: list[tuple[Path, int]] = []
    left_out: list[str] = []
    text, more = 0, False
    for name, size in _inflated(listing, threads):
        more = text >= most or len(found) + len(left_out) >= _MOST_FILES
        if more:
            break
        if size is None:
            left_out.append(name)
        else:
            found.append((Path(name), size))
            text += size
    left_out += [name or planning.place for name, *_ in listing.bad()]
    bad = _bad([str(path) for path, _ in found], threads)
    left_out += sorted(bad)
    found = [(path, size) for path, size in found if str(path) not in bad]
    if not found:
        raise ArgumentError(f"source: no file of {planning.place} can be measured", "source", source)
    _link([path for path, _ in found], folder)
    answers = _answers(folder, threads)
    answers |= {"files": len(found), "bytes_inflated": sum(size for _, size in found)}
    manifest_of(folder).write_text(json.dumps(answers), encoding="utf-8")
    stored = sum(path.stat().st_size for path, _ in found)
    return Sample(
        folder,
        len(found),
        stored,
        answers["bytes_inflated"],
        answers["events"],
        more,
        left_out,
        answers["rare_name"],
    )


def _inflated(listing: _ctfast.Listing, threads: int) -> Iterator[tuple[str, int | None]]:
    """Yield the names of the files, with their bytes of text."""
    while (page := listing.next()) is not None:
        names = [name for name, *_ in page]
        for start in range(0, len(names), _TOGETHER):
            some = names[start : start + _TOGETHER]
            yield from zip(some, _ctfast.floor(some, threads), strict=True)


def _bad(names: list[str], threads: int) -> set[str]:
    """Return the files that ctfast does not read whole."""
    if not names:
        return set()
    whole = (pl.col("outcome") == "read") & (pl.col("records_bad") == 0)
    return set(files(names, threads=threads).filter(~whole).select("file").collect()["file"])


def _link(chosen: list[Path], folder: Path) -> None:
    """Link each file under its own name, in a folder for each folder, in the same order."""
    numbers: dict[Path, int] = {}
    for path in chosen:
        number = numbers.setdefault(path.parent, len(numbers))
        within = folder / f"{number:06}"
        within.mkdir(parents=True, exist_ok=True)
        name = path.name if path.name.endswith(ENDING) else f"{path.name}{ENDING}"
        (within / name).symlink_to(path.absolute())


def _answers(folder: Path, threads: int) -> dict[str, Any]:
    """Return what the files hold, by a scan that keeps no records."""
    from ctfast._bench.readers import frames  # noqa: PLC0415  # imports Polars

    records = scan(folder, threads=threads)
    counts = records.select(*frames.counts(), pl.col("raw").str.len_bytes().cast(pl.UInt64).sum())
    found = counts.collect(engine="streaming").row(0, named=True)
    names = records.group_by("eventName").len().collect()
    known = names.filter(pl.col("eventName").str.contains(_PLAIN)).sort("len", "eventName")
    rare = known["eventName"].item(0) if known.height else ""
    arn = pl.col("userIdentity").struct.field("arn")
    five = records.filter(pl.col("eventName") == rare)
    rows = five.select("eventTime", "eventName", arn, "sourceIPAddress", "eventID").collect().rows()
    return {
        "events": found["rows"],
        "first_time": when(found["first"]),
        "last_time": when(found["last"]),
        "record_bytes": found["raw"],
        "not_null": {name: count for name, count in found.items() if name not in _OTHERS},
        "event_names": {name: count for name, count in names.rows() if name is not None},
        "rare_name": rare,
        "rare": sorted([when(row[0]), *row[1:]] for row in rows),
    }
