"""Every value of every column against the slow reader of ``reference.py``, over real logs and random ones."""

from __future__ import annotations

import gzip
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given

import ctfast as ct
import reference
import strategies
from json_spans import Node, Scanner

REAL_DATA = Path(os.environ.get("CTFAST_REAL_DATA") or Path(__file__).parents[2] / "shared/data/real")
needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_dir(), reason=f"no real logs at {REAL_DATA}; set CTFAST_REAL_DATA to a folder of them"
)

# (end of the file's path, column) -> why the two readers differ there. It should be empty.
KNOWN_DIFFERENCES: dict[tuple[str, str], str] = {}


def known_difference(file: str, column: str) -> bool:
    return any(file.endswith(end) and column == name for end, name in KNOWN_DIFFERENCES)


def real_files() -> list[Path]:
    return sorted((path for path in REAL_DATA.rglob("*") if path.is_file()), key=os.fsencode)


def short_name(path: Path) -> str:
    return str(path.relative_to(REAL_DATA)) if path.is_relative_to(REAL_DATA) else str(path)


def fast(source: Any, **options: Any) -> tuple[dict[str, list[Any]], ct.Report]:
    """The columns as the fast reader has them; times are microseconds, since Python's types would truncate them."""
    report = ct.Report()
    frame = ct.read(source, on_error="collect", report=report, **options)
    return frame.with_columns(pl.col("eventTime").cast(pl.Int64)).to_dict(as_series=False), report


def columns_of(readings: list[reference.Reading]) -> dict[str, list[Any]]:
    rows = [row for reading in readings for row in reading.rows]
    return {name: [row[name] for row in rows] for name in (*reference.COLUMNS, *reference.PROVENANCE)}


def assert_same_columns(got: dict[str, list[Any]], expected: dict[str, list[Any]], file: str = "") -> None:
    assert list(got) == list(expected)
    # Compare the number first, then the ids, then everything, so that a failure is short.
    assert len(got["record"]) == len(expected["record"])
    for name, values in expected.items():
        if known_difference(file, name):
            continue
        for place, (mine, its) in enumerate(zip(values, got[name], strict=True)):
            assert its == mine, f"{name} of row {place}"


def assert_same_counts(report: ct.Report, readings: list[reference.Reading]) -> None:
    """The counts of the report are those of the reference."""
    coerced: dict[str, int] = {}
    for reading in readings:
        for path, count in reading.coerced.items():
            coerced[path] = coerced.get(path, 0) + count
    assert report.coerced == coerced
    files, records = report.files, report.records
    assert files.bad == sum(reading.damage is not None for reading in readings)
    assert files.skipped == sum(reading.skipped for reading in readings)
    assert files.listed == len(readings) == files.read + files.bad + files.skipped
    assert records.read == sum(len(reading.rows) for reading in readings)
    assert records.seen == records.read + records.bad + records.skipped
    bad = [
        kind
        for reading in readings
        for kind in [damage.kind for _, damage in reading.bad_records] + [d.kind for d in [reading.damage] if d]
    ]
    assert report.bad["kind"].to_list() == bad
    assert records.bad == sum(len(reading.bad_records) for reading in readings)
    others = [(index, other) for reading in readings for index, other in reading.others]
    counts = {name: count for name, count in report.skipped_records.items() if name != "filtered"}
    assert counts == Counter(other.reason for _, other in others)
    strange = [(index, other.byte) for index, other in others if other.reason == "not-cloudtrail"]
    warnings = report.warnings
    assert warnings.filter(pl.col("kind") == "not-cloudtrail").select("record", "byte").rows() == strange
    # Records that are read as they are, and only look like a row of a table, have tests of their own.
    assert warnings.filter(pl.col("kind") != "flattened").height == sum(
        reading.trailing > 0 for reading in readings
    ) + len(strange)


# Real logs


@needs_real_data
def test_real_data_is_there() -> None:
    assert len(real_files()) > 50


@needs_real_data
@pytest.mark.parametrize("path", real_files(), ids=short_name)
def test_real_file(path: Path) -> None:
    got, report = fast(path)
    reading = reference.read_bytes(path.read_bytes(), file=str(path))
    assert_same_columns(got, columns_of([reading]), str(path))
    assert_same_counts(report, [reading])


@needs_real_data
def test_all_real_files_at_once() -> None:
    """A list of files, whatever the number of threads."""
    paths = real_files()
    readings = [reference.read_bytes(path.read_bytes(), file=str(path)) for path in paths]
    expected = columns_of(readings)
    for threads in (1, 3):
        got, report = fast([str(path) for path in paths], threads=threads)
        assert_same_columns(got, expected)
        assert_same_counts(report, readings)


# Random logs


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def check(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    got, report = fast(path, threads=1)
    reading = reference.read_bytes(data, file=str(path))
    assert_same_columns(got, columns_of([reading]))
    assert_same_counts(report, [reading])


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@strategies.SETTINGS
@given(strategies.files())
def test_random_file(folder: Path, data: bytes) -> None:
    check(folder / "random.json", data)


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@strategies.SETTINGS
@given(strategies.damaged_files())
def test_random_damage(folder: Path, data: bytes) -> None:
    """Both readers call the same files bad, for the same kind of reason, and keep the same records."""
    check(folder / "damaged.json", data)


@strategies.SETTINGS
@given(strategies.records())
def test_random_record_is_plain_json(text: str) -> None:
    """The strategies and the scanner of the reference against Python's own reader."""
    node = Scanner(text.encode(), 0, 1024).value()
    assert plain(node, text.encode()) == json.loads(text)


def plain(node: Node, text: bytes) -> Any:
    if node.kind == "object":
        return {key.string(text): plain(value, text) for key, value in node.parts}
    if node.kind == "array":
        return [plain(item, text) for item in node.parts]
    return json.loads(text[node.start : node.end])


# Large logs: the reader takes them in windows, and values that cross the edge of a window must stay intact

MEBIBYTE = 1 << 20


def large_records(size: int) -> list[str]:
    """Records of all lengths, up to some hundred KB, with characters of one to four bytes."""
    texts, left, number = [], size, 0
    while left > 0:
        members = {
            "eventVersion": "1.08",
            "eventID": f"{number:08}",
            "requestParameters": {
                "name": "aé€😀" * (number * number % 977),
                "quoted": '\\"\n' * (number % 50),
            },
            "userAgent": "😀" * 70_000 if number % 997 == 0 else None,
        }
        texts.append(json.dumps(members, ensure_ascii=number % 3 == 0))
        left -= len(texts[-1].encode())
        number += 1
    return texts


@pytest.fixture(scope="module")
def large() -> list[str]:
    return large_records(27 * MEBIBYTE)


def holding(key: str, holder: str, texts: list[str]) -> str:
    return json.dumps({key: [{"id": "0", holder: text} for text in texts], "nextToken": "0"}, ensure_ascii=False)


LARGE_SHAPES: dict[str, Callable[[list[str]], str]] = {
    "Records": lambda texts: f'{{"Records":[{",".join(texts)}]}}',
    "spaced": lambda texts: '{ "owner" : [ ] , "Records" : [\n  ' + "\n  ,\n  ".join(texts) + "\n ] }\n",
    "array": lambda texts: f"[{','.join(texts)}]",
    "lines": "\n".join,
    "log lines": lambda texts: "".join(f"2023-07-10T11:42:18Z {text}\n" for text in texts),
    "Events": lambda texts: holding("Events", "CloudTrailEvent", texts),
    "logEvents": lambda texts: holding("logEvents", "message", texts),
    "documents": lambda texts: "\n".join(
        f'{{"Records":[{",".join(texts[at : at + 500])}]}}' for at in range(0, len(texts), 500)
    ),
}


@pytest.mark.parametrize("shape", LARGE_SHAPES)
def test_large_file(shape: str, large: list[str], folder: Path) -> None:
    data = LARGE_SHAPES[shape](large).encode()
    check_large(folder / "large.json", data, large)


def test_large_gzip_file(large: list[str], folder: Path) -> None:
    """One is large as it is stored, one only when it is inflated."""
    text = LARGE_SHAPES["Records"](large).encode()
    check_large(folder / "large.json.gz", gzip.compress(text, 0), large)
    thrice = large * 3
    text = LARGE_SHAPES["Records"](thrice).encode()
    assert len(text) > 64 * MEBIBYTE
    check_large(folder / "large.json.gz", gzip.compress(text, 1), thrice)
    parts = [gzip.compress(text[at : at + 9 * MEBIBYTE], 1) for at in range(0, len(text), 9 * MEBIBYTE)]
    check_large(folder / "large.json.gz", b"".join(parts), thrice)


def check_large(path: Path, data: bytes, texts: list[str]) -> None:
    path.write_bytes(data)
    report = ct.Report()
    frame = ct.read(path, on_error="collect", report=report)
    assert report.bad.rows() == []
    assert frame["eventID"].to_list() == [json.loads(text)["eventID"] for text in texts]
    assert frame["record"].to_list() == list(range(len(texts)))
    # Not assert ==, since pytest would take minutes to show a difference.
    assert all(its == mine for its, mine in zip(frame["raw"], texts, strict=True))
    assert (report.files.read, report.records.read) == (1, len(texts))


GAP = " " * 27 * MEBIBYTE


@pytest.mark.parametrize(
    "text",
    [
        GAP + '{"Records":[R,R]}',
        '{"Records":[R' + GAP + ",R]}",
        '{"Records":[R,' + GAP + "R]}",
        '{"Records":[R,R' + GAP + "]}",
        '{"Records":[R,R]' + GAP + "}",
        '{"Records":[R,R]}' + GAP,
        "R" + GAP + "R",
    ],
    ids=lambda text: text.replace(GAP, "…"),
)
def test_large_gap(text: str, folder: Path) -> None:
    """More white space than a window holds, between values that are read in one piece."""
    path = folder / "gap.json"
    path.write_text(re.sub("R(?!e)", '{"eventVersion":"1"}', text))
    report = ct.Report()
    frame = ct.read(path, on_error="collect", report=report)
    assert report.bad.rows() == []
    assert frame["eventVersion"].to_list() == ["1", "1"]
    assert frame["record"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"Records"' + GAP + ":[R,R]}", 0),
        ('{"Records":[' + GAP + "R,R]}", 0),
        ('{"Records":[R,R],"nextToken":"' + GAP + '"}', 2),
        ('{"nextToken":"' + GAP + '","Records":[R,R]}', 0),
        ('{"Records":[R,{"eventVersion":"1","x":' + GAP + "1}]}", 1),
        ('{"Records":[],"x":[' + GAP + ']}{"Records":[R,R]}', 0),
        ("[" + GAP + "R,R]", 0),
    ],
    ids=lambda value: value.replace(GAP, "…") if isinstance(value, str) else value,
)
def test_gap_that_is_too_large(text: str, kept: int, folder: Path) -> None:
    """White space, or a string, that is too large for a value read in one piece: it is named, earlier records stay."""
    path = folder / "gap.json"
    path.write_text(re.sub("R(?!e)", '{"eventVersion":"1"}', text))
    report = ct.Report()
    assert ct.read(path, on_error="collect", report=report)["record"].to_list() == list(range(kept))
    assert report.bad["kind"].to_list() == ["document-too-large"]
    with pytest.raises(ct.FormatError, match="one document is larger than 1048576 bytes"):
        ct.read(path)


@pytest.mark.parametrize("at", [1, 1000, 8000, -1], ids=lambda at: f"record {at}")
def test_large_file_with_damage(at: int, large: list[str], folder: Path) -> None:
    """The damage is found at its byte, and the records before it are kept."""
    at %= len(large)
    broken = [*large[:at], '{"eventVersion" "1"}', *large[at + 1 :]]
    data = LARGE_SHAPES["Records"](broken).encode()
    path = folder / "damaged.json"
    path.write_bytes(data)
    report = ct.Report()
    frame = ct.read(path, on_error="collect", report=report)
    row = report.bad.row(0, named=True)
    assert row["message"] == "invalid JSON: expected ':' but found '\"'"
    assert (row["byte"], row["record"], row["records_kept"]) == (data.index(b'" "1"}') + 2, at, at)
    assert frame["eventID"].to_list() == [json.loads(text)["eventID"] for text in large[:at]]
    # The same, cut off in the middle of this record.
    cut = data.index(b'" "1"}') - 2
    path.write_bytes(data[:cut])
    frame = ct.read(path, on_error="collect", report=report)
    row = report.bad.row(0, named=True)
    assert (row["message"], row["byte"], row["record"]) == ("invalid JSON: unexpected end", cut, at)
    assert frame.height == row["records_kept"] == at
