"""Bad input: each kind of damage by name, the whole message of its row in the report, and which records are kept.

The grammar of a message: lower case, what failed, where, what was expected, no full stop. The file, the
byte and the record have columns of their own. All expected messages are in the tables of this file.
"""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ctfast as ct
import reference

# Records, logs and gzip members to damage


def record(number: int, **more: Any) -> str:
    """A record as CloudTrail writes it, on one line."""
    event = {
        "eventVersion": "1.08",
        "eventTime": f"2023-07-10T11:42:{number % 60:02}Z",
        "eventName": f"Event{number}",
    } | more
    return json.dumps(event, separators=(",", ":"))


def log(*records: str) -> bytes:
    return f'{{"Records":[{",".join(records)}]}}'.encode()


THREE = log(record(0), record(1), record(2))


def log_around(middle: str | bytes) -> tuple[bytes, int]:
    """A log with this as its second of three records, and the byte at which it starts."""
    before = f'{{"Records":[{record(0)},'.encode()
    return before + (middle.encode() if isinstance(middle, str) else middle) + f",{record(2)}]}}".encode(), len(before)


def gz(text: bytes) -> bytes:
    return gzip.compress(text, 6, mtime=0)


HEADER = gz(b"")[:10]


def stored(text: bytes, *, last: bool) -> bytes:
    """An uncompressed block of deflate, so that a cut in it has a known place in the text."""
    return bytes([last]) + struct.pack("<HH", len(text), len(text) ^ 0xFFFF) + text


def stored_gz(text: bytes) -> bytes:
    return HEADER + stored(text, last=True) + struct.pack("<II", zlib.crc32(text), len(text))


def half(text: bytes) -> bytes:
    """The text up to somewhere in its second record."""
    return text[: text.index(b"Event1") + 3]


# The table


@dataclass(frozen=True)
class Bad:
    """A damaged file and its row in the report. A ``byte`` or ``record`` of ``ANY`` is not compared."""

    name: str
    data: bytes
    kind: str
    message: str
    byte: int | None = -1
    record: int | None = -1
    kept: int = 0
    limits: dict[str, int] = field(default_factory=dict)


ANY = -1
#: Kinds of files that are not logs: the reference knows only that they are not.
NAMED = ("query-result", "other-format")


def gzip_damage() -> Iterator[Bad]:
    good = gz(THREE)
    cut_1 = "truncated gzip: the file ends inside member 1"
    yield Bad("gzip cut after its magic number", good[:2], "truncated-gzip", cut_1)
    yield Bad("gzip cut in its header", good[:7], "truncated-gzip", cut_1)
    yield Bad("gzip cut after its header", good[:10], "truncated-gzip", cut_1)
    yield Bad(
        "gzip cut in its data",
        (HEADER + stored(THREE, last=True))[: 15 + len(half(THREE))],
        "truncated-gzip",
        cut_1,
        kept=1,
    )
    yield Bad(
        "gzip cut between records",
        (HEADER + stored(THREE, last=True))[: 15 + THREE.index(b",{")],
        "truncated-gzip",
        cut_1,
        kept=1,
    )
    yield Bad("gzip cut before its trailer", good[:-8], "truncated-gzip", cut_1, kept=3)
    yield Bad("gzip cut in its trailer", good[:-1], "truncated-gzip", cut_1, kept=3)
    long = log(*(record(number, requestID=f"{zlib.crc32(bytes([number])):x}" * 9) for number in range(200)))
    cut = gz(long)[: len(gz(long)) // 2]
    yield Bad(
        "compressed gzip cut in its data",
        cut,
        "truncated-gzip",
        cut_1,
        kept=len(reference.read_bytes(cut).rows),
    )
    two = "truncated gzip: the file ends inside member 2"
    yield Bad("gzip cut in its second member", gz(half(THREE)) + gz(THREE)[:5], "truncated-gzip", two, kept=1)

    corrupt_1 = "corrupt gzip: invalid deflate data in member 1"
    # Block type 3 does not exist.
    yield Bad("gzip with invalid data", HEADER + b"\x07" + bytes(20), "corrupt-gzip", corrupt_1)
    yield Bad(
        "gzip with invalid data later",
        HEADER + stored(half(THREE), last=False) + b"\x07" + bytes(20),
        "corrupt-gzip",
        corrupt_1,
        kept=1,
    )
    yield Bad(
        "gzip with another method",
        b"\x1f\x8b\x07" + good[3:],
        "corrupt-gzip",
        "corrupt gzip: invalid header of member 1",
    )
    yield Bad(
        "gzip with an invalid second member",
        gz(half(THREE)) + HEADER + b"\x07" + bytes(20),
        "corrupt-gzip",
        "corrupt gzip: invalid deflate data in member 2",
        kept=1,
    )

    yield Bad(
        "gzip with a reserved flag in its second member",
        good + b"\x1f\x8b\x08\x20" + good[4:],
        "corrupt-gzip",
        "corrupt gzip: invalid header of member 2",
        kept=3,
    )
    yield Bad(
        "gzip with bytes after its members",
        good + gz(b" ") + b"junk",
        "trailing-bytes",
        "4 bytes after gzip member 2 are no gzip member",
        kept=3,
    )
    checksum, length = bytes([good[-8] ^ 1]), bytes([good[-4] ^ 1])
    yield Bad(
        "gzip with a wrong checksum",
        good[:-8] + checksum + good[-7:],
        "checksum",
        "gzip checksum does not match in member 1",
        kept=3,
    )
    yield Bad(
        "gzip with a wrong length",
        good[:-4] + length + good[-3:],
        "length",
        "gzip length does not match in member 1",
        kept=3,
    )
    yield Bad(
        "gzip with a wrong checksum in its second member",
        gz(THREE) + gz(b" ")[:-8] + b"\0" * 4 + gz(b" ")[-4:],
        "checksum",
        "gzip checksum does not match in member 2",
        kept=3,
    )

    bomb = gz(b'{"Records":[' + b" " * 20_000_000 + b"]}")
    yield Bad(
        "bomb by size",
        bomb,
        "too-large",
        "inflates to more than 1000000 bytes",
        limits={"inflated": 1_000_000, "ratio": 10**9},
    )
    yield Bad(
        "bomb by ratio",
        gz(b" " * 20_000_000),
        "ratio",
        "inflates more than 200 times",
        limits={"inflated": 10**9, "ratio": 200},
    )


def text_damage() -> Iterator[Bad]:
    yield Bad("empty file", b"", "empty", "empty file", None, None)
    yield Bad("gzip of nothing", gz(b""), "empty", "empty file", None, None)
    yield Bad("PNG", b"\x89PNG\r\n\x1a\n" + bytes(30), "unrecognized", "neither gzip nor JSON: starts with 0x89")
    yield Bad(
        "CSV",
        b"eventVersion,eventName\n1.08,Event0\n",
        "query-result",
        "columns that a query gave, not records: read the files that it was asked of, or write records by --as record",
    )
    yield Bad(
        "zstd", b"\x28\xb5\x2f\xfd\x04\x00", "other-format", "compressed by Zstandard, not by gzip: decompress it first"
    )
    yield Bad("text", b"version\n", "unrecognized", "neither gzip nor JSON: starts with 0x76")

    for name, wrong in {
        "lone byte": b"\xff",
        "overlong form": b"\xc0\xaf",
        "surrogate": b"\xed\xa0\x80",
        "sequence that is too short": b"\xe2\x82",
        "code point over 10FFFF": b"\xf4\x90\x80\x80",
        "continuation byte": b"\x80",
    }.items():
        data, start = log_around(record(1).encode().replace(b"Event1", b"Ev" + wrong + b"1"))
        at = start + record(1).index("Event1") + 2
        yield Bad(f"invalid UTF-8: {name}", data, "invalid-utf8", "invalid UTF-8", at, 1, kept=1)
    yield Bad(
        "invalid UTF-8 in an unknown key",
        log(record(0), record(1)).replace(b'Event1"', b'Event1","k\xff":1'),
        "invalid-utf8",
        "invalid UTF-8",
        ANY,
        1,
        1,
    )
    yield Bad(
        "invalid UTF-8 after the records",
        THREE[:-1] + b',"k":"\xff"}',
        "invalid-utf8",
        "invalid UTF-8",
        len(THREE) + 5,
        ANY,
        3,
    )

    def broken(name: str, middle: str, at: int, message: str, kind: str = "invalid-json") -> Bad:
        data, start = log_around(middle)
        return Bad(name, data, kind, message, at if at == ANY else start + at, 1, kept=1)

    comma = "invalid JSON: expected ',' or '}' but found "
    yield broken("no comma between members", '{"eventName":"a" x}', 17, comma + "'x'")
    yield broken("no comma, and a control character", '{"eventName":"a"\x01}', 16, comma + "0x01")
    yield broken("no comma, and another alphabet", '{"eventName":"a"é}', 16, comma + "0xc3")
    yield broken("wrong bracket", '{"eventName":"a"]', 16, comma + "']'")
    yield broken("no colon", '{"eventName" "a"}', 13, "invalid JSON: expected ':' but found '\"'")
    yield broken("key without quotes", '{eventName:"a"}', 1, "invalid JSON: expected a key but found 'e'")
    yield broken(
        "comma before the end of an object",
        '{"eventName":"a",}',
        17,
        "invalid JSON: expected a key but found '}'",
    )
    yield broken("no value", '{"eventName":}', 13, "invalid JSON: expected a value but found '}'")
    yield broken(
        "comma before the end of an array",
        '{"resources":[{},]}',
        17,
        "invalid JSON: expected a value but found ']'",
    )
    yield broken("no comma in an array", '{"resources":[1 2]}', 16, "invalid JSON: expected ',' or ']' but found '2'")
    yield broken("NaN", '{"requestParameters":{"n":NaN}}', 26, "invalid JSON: expected a value but found 'N'")
    yield broken("single quotes", "{'eventName':1}", 1, "invalid JSON: expected a key but found '''")
    yield broken(
        "line feed in a string",
        '{"eventName":"a\nb"}',
        15,
        "invalid JSON: control character 0x0a in a string",
    )
    yield broken("nul in a string", '{"hostname":"a\0b"}', 14, "invalid JSON: control character 0x00 in a string")
    yield broken("tab in a key", '{"event\tName":1}', 7, "invalid JSON: control character 0x09 in a string")
    yield broken(
        "depth 10,000",
        '{"requestParameters":' + '{"a":' * 10_000 + "1" + "}" * 10_001,
        ANY,
        "nested deeper than 1024",
        "too-deep",
    )
    data, _ = log_around(record(1).replace(",", " ", 1))
    yield Bad("no comma between members of a known record", data, "invalid-json", comma + "'\"'", ANY, 1, 1)
    end = "invalid JSON: unexpected end"
    yield Bad("no end of a string", half(THREE), "invalid-json", end, len(half(THREE)), 1, 1)
    yield Bad("no end of the array", THREE[:-2], "invalid-json", end, len(THREE) - 2, ANY, 3)
    yield Bad("no end of the document", THREE[:-1], "invalid-json", end, len(THREE) - 1, ANY, 3)
    yield Bad(
        "no comma between records",
        THREE.replace(b"},{", b"}{", 1),
        "invalid-json",
        "invalid JSON: expected ',' or ']' but found '{'",
        THREE.index(b",{"),
        ANY,
        1,
    )

    for name, key in (("Events", "CloudTrailEvent"), ("events", "message"), ("logEvents", "message")):
        text = json.dumps({name: [{key: record(number)} for number in range(3)]}).encode()
        cut = text[: text.index(b"Event2")]
        yield Bad(f"{name} cut in its third record", cut, "invalid-json", end, len(cut), 2, 2)


FILES = [*gzip_damage(), *text_damage()]


def read(source: Any, **options: Any) -> tuple[pl.DataFrame, ct.Report]:
    report = ct.Report()
    frame = ct.read(source, on_error="collect", report=report, **options)
    reconcile(report, frame)
    return frame, report


def reconcile(report: ct.Report, frame: pl.DataFrame) -> None:
    """Nothing is lost from the counts."""
    files, records = report.files, report.records
    assert files.listed == files.read + files.bad + files.skipped
    assert records.seen == records.read + records.bad + records.skipped
    assert records.read == frame.height
    assert sum(report.skipped.values()) == files.skipped
    # Every file was visited, good or bad.
    assert report.complete


def write(folder: Path, data: bytes, name: str = "a.json.gz") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "bad", [bad for bad in FILES if not bad.limits and bad.kind not in NAMED], ids=lambda bad: bad.name
)
def test_the_reference_says_so_too(bad: Bad) -> None:
    reading = reference.read_bytes(bad.data)
    assert reading.damage is not None
    assert (reading.damage.kind, len(reading.rows)) == (bad.kind, bad.kept)
    assert bad.byte in (ANY, None, reading.damage.byte)


@pytest.mark.parametrize("bad", FILES, ids=lambda bad: bad.name)
def test_damaged_file(bad: Bad, tmp_path: Path) -> None:
    path = write(tmp_path, bad.data)
    frame, report = read(path, limits=ct.Limits(**bad.limits))
    rows = report.bad.to_dicts()
    assert len(rows) == 1
    assert rows[0]["message"] == bad.message
    assert (rows[0]["file"], rows[0]["kind"], rows[0]["records_kept"]) == (str(path), bad.kind, bad.kept)
    assert bad.byte == ANY or rows[0]["byte"] == bad.byte
    assert bad.record == ANY or rows[0]["record"] == bad.record
    assert frame["eventName"].to_list() == [f"Event{number}" for number in range(bad.kept)]
    assert (report.files.listed, report.files.bad, report.records.read) == (1, 1, bad.kept)
    assert report.warnings.is_empty()


@pytest.mark.parametrize("bad", FILES, ids=lambda bad: bad.name)
def test_damaged_file_raises(bad: Bad, tmp_path: Path) -> None:
    path = write(tmp_path, bad.data)
    with pytest.raises(ct.FormatError) as caught:
        ct.read(path, limits=ct.Limits(**bad.limits))
    error = caught.value
    assert (error.key, error.kind) == (str(path), bad.kind)
    where = "" if error.byte is None else f" at byte {error.byte}"
    where += "" if error.record is None else f" (record {error.record})"
    assert str(error) == f'{path}: {bad.message}{where}; on_error="collect" names it and goes on'


def test_error_has_its_fields(tmp_path: Path) -> None:
    path = write(tmp_path, half(THREE))
    with pytest.raises(ct.FormatError) as caught:
        ct.read(path)
    error = caught.value
    assert (error.key, error.byte, error.record) == (str(path), len(half(THREE)), 1)
    assert (error.kind, error.message) == ("invalid-json", "invalid JSON: unexpected end")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.record) == (ct.FormatError, str(error), 1)


@pytest.mark.parametrize("bad", FILES, ids=lambda bad: bad.name)
def test_damaged_file_in_a_narrow_query(bad: Bad, tmp_path: Path) -> None:
    """Whether a file is bad does not depend on the columns that are asked for."""
    path = write(tmp_path, bad.data)
    _, whole = read(path, limits=ct.Limits(**bad.limits))
    report = ct.Report()
    scan = ct.scan(path, on_error="collect", report=report, limits=ct.Limits(**bad.limits))
    frame = scan.select("eventName").collect()
    assert frame["eventName"].to_list() == [f"Event{number}" for number in range(bad.kept)]
    assert report.bad.to_dicts() == whole.bad.to_dicts()


@pytest.mark.parametrize("element", ["1", "null", '"{}"', "[{}]", "true", "{}"])
@pytest.mark.parametrize("shape", ["Records", "array"])
def test_record_that_is_not_an_object(shape: str, element: str, tmp_path: Path) -> None:
    data, start = log_around(element)
    if shape == "array":
        before = len(b'{"Records":')
        data, start = data[before:-1], start - before
    path = write(tmp_path, data)
    frame, report = read(path)
    row = report.warnings.row(0, named=True)
    assert row["message"] == "not CloudTrail: no records, no event fields"
    start += element == "[{}]"  # its element is what is none
    assert (row["file"], row["kind"], row["byte"], row["record"]) == (str(path), "not-cloudtrail", start, 1)
    assert (report.files.read, report.files.bad, report.bad.height) == (1, 0, 0)
    assert (report.records.seen, report.records.read, report.records.bad) == (3, 2, 0)
    assert report.skipped_records == {"not-cloudtrail": 1}
    assert frame.select("eventName", "record").rows() == [("Event0", 0), ("Event2", 2)]


@pytest.mark.parametrize(
    ("held", "kind", "message"),
    [
        ('{"message":"{} x"}', "invalid-json", "invalid JSON: expected the end but found 'x'"),
        ('{"message":"{"}', "invalid-json", "invalid JSON: unexpected end"),
    ],
)
def test_string_that_holds_no_record(held: str, kind: str, message: str, tmp_path: Path) -> None:
    good = [json.dumps({"message": record(number)}) for number in (0, 2)]
    path = write(tmp_path, f'{{"logEvents":[{good[0]},{held},{good[1]}]}}'.encode())
    frame, report = read(path)
    assert report.bad.select("record", "kind", "message").rows() == [(1, kind, message)]
    assert (report.files.read, report.records.bad, report.records.read) == (1, 1, 2)
    assert frame.select("eventName", "record").rows() == [("Event0", 0), ("Event2", 2)]


@pytest.mark.parametrize("count", [1, 32])
def test_bytes_after_the_last_member(count: int, tmp_path: Path) -> None:
    path = write(tmp_path, gz(THREE) + bytes(count))
    frame, report = read(path)
    message = f"{count} byte{'s' if count > 1 else ''} after the last gzip member"
    row = report.warnings.row(0, named=True)
    assert (row["file"], row["kind"], row["message"]) == (str(path), "trailing-bytes", message)
    assert (report.warnings.height, report.bad.height, report.files.read, frame.height) == (1, 0, 1, 3)
    assert report.complete
    # Readable: no reason to raise.
    assert ct.read(path).height == 3


# Strange, but good


@pytest.mark.parametrize(
    "data",
    [
        THREE,
        gz(THREE),
        b"".join(gz(THREE[at : at + 50]) for at in range(0, len(THREE), 50)),
        gz(b"") + gz(THREE) + gz(b""),
        b"\xef\xbb\xbf" + THREE,
        gz(b"\xef\xbb\xbf" + THREE),
        b" \r\n\t" + THREE.replace(b",", b" ,\r\n\t").replace(b":[", b" : [ ").replace(b"]}", b" ] } ") + b"\n\n",
        f"[{record(0)},{record(1)},{record(2)}]".encode(),
        f"[{record(0)}]\n[{record(1)},{record(2)}]".encode(),
        THREE.replace(b"Records", b"\\u0052ecord\\u0073"),
        f"{record(0)}\n\n{record(1)}\r\n{record(2)}".encode(),
        gzip.compress(THREE)[:3]
        + b"\x08"
        + gzip.compress(THREE, mtime=0)[4:10]
        + b"name\0"
        + gzip.compress(THREE)[10:],
    ],
    ids=[
        "plain",
        "gzip",
        "members",
        "empty members",
        "mark",
        "mark in gzip",
        "space",
        "array",
        "arrays",
        "escaped key",
        "lines",
        "named member",
    ],
)
def test_three_records(data: bytes, tmp_path: Path) -> None:
    frame, report = read(write(tmp_path, data))
    assert frame["eventName"].to_list() == ["Event0", "Event1", "Event2"]
    assert frame["record"].to_list() == [0, 1, 2]
    assert report.bad.is_empty()
    assert report.warnings.is_empty()


@pytest.mark.parametrize(
    "data", [b'{"Records":[]}', b"[]", b' { "x" : [ { } ] , "Records" : [ ] } \n', b'{"Events":[]}']
)
def test_no_records(data: bytes, tmp_path: Path) -> None:
    frame, report = read(write(tmp_path, data))
    assert frame.is_empty()
    assert frame.columns == [*reference.COLUMNS, *reference.PROVENANCE]
    assert (report.files.read, report.records.seen, report.complete) == (1, 0, True)


def test_string_of_300_kilobytes(tmp_path: Path) -> None:
    words = "".join(f'é€😀\\"\n{number}' for number in range(20_000))
    assert len(words.encode()) > 300_000
    texts = [record(0), record(1, userAgent=words), record(2, requestParameters={"a": words})]
    frame, report = read(write(tmp_path, gz(log(*texts))))
    assert report.bad.is_empty()
    assert frame["userAgent"].to_list() == [None, words, None]
    assert json.loads(frame["requestParameters"][2])["a"] == words
    assert frame["raw"].to_list() == texts


def test_string_of_5_megabytes(tmp_path: Path) -> None:
    """Twenty times the largest event of CloudTrail: the record is named, and the records before it are kept."""
    texts = [record(0), record(1, userAgent="".join(map(str, range(900_000)))), record(2)]
    frame, report = read(write(tmp_path, gz(log(*texts))))
    assert frame["raw"].to_list() == texts[:1]
    assert report.bad.select("kind", "record", "records_kept").rows() == [("document-too-large", 1, 1)]


def test_numbers_beyond_64_bits(tmp_path: Path) -> None:
    numbers = [
        "18446744073709551616",
        "-9223372036854775809",
        "1" * 5000,
        "1e400",
        "-0.0e-0",
        "1.000000000000000000001",
    ]
    texts = [f'{{"eventVersion":{n},"requestParameters":{{"n":{n}}},"unknown":{n}}}' for n in numbers]
    frame, report = read(write(tmp_path, log(*texts)))
    assert frame["eventVersion"].to_list() == numbers
    assert frame["requestParameters"].to_list() == [f'{{"n":{n}}}' for n in numbers]
    assert frame["extra"].to_list() == [f'{{"unknown":{n}}}' for n in numbers]
    assert frame["raw"].to_list() == texts
    assert report.coerced == {"eventVersion": len(numbers)}


def test_duplicate_keys(tmp_path: Path) -> None:
    earlier = '"eventName":"a","eventName":null,"x":1,"tlsDetails":{"tlsVersion":"1"},"x":2'
    text = f'{{{earlier},"event\\u004eame":"b","tlsDetails":{{}}}}'
    frame, report = read(write(tmp_path, log(text)))
    row = frame.row(0, named=True)
    assert row["eventName"] == "b"
    assert row["tlsDetails"] == dict.fromkeys(["tlsVersion", "cipherSuite", "clientProvidedHostHeader", "keyExchange"])
    assert row["extra"] == f"{{{earlier}}}"
    assert row["raw"] == text
    assert report.coerced == {"eventName": 2, "tlsDetails": 1}


def test_lone_surrogates(tmp_path: Path) -> None:
    parameters = r'{"\ud800":"\udc00"}'
    text = r'{"eventName":"a\ud800b","userAgent":"\ude00\ud83d","errorCode":"\ud83d\ude00","requestParameters":'
    text += parameters + "}"
    frame, report = read(write(tmp_path, log(text)))
    row = frame.row(0, named=True)
    assert (row["eventName"], row["userAgent"], row["errorCode"]) == (
        "a\ufffdb",
        "\ufffd\ufffd",
        "\U0001f600",
    )
    assert row["requestParameters"] == parameters
    assert row["raw"] == text
    assert report.coerced == {"eventName": 1, "userAgent": 1}


# Files that are not there, not files, or not logs


def test_dangling_link(tmp_path: Path) -> None:
    write(tmp_path, gz(THREE))
    (tmp_path / "b.json.gz").symlink_to(tmp_path / "nowhere")
    frame, report = read(tmp_path)
    assert frame.height == 3
    assert report.bad.rows() == [
        (f"{tmp_path}/b.json.gz", None, None, "unreadable", "cannot read: No such file or directory", 0)
    ]
    assert (report.files.listed, report.files.read, report.files.bad) == (2, 1, 1)
    with pytest.raises(ct.SourceError) as caught:
        ct.read(tmp_path)
    assert (caught.value.key, caught.value.kind) == (f"{tmp_path}/b.json.gz", "unreadable")
    sentence = f"{tmp_path}/b.json.gz: cannot read: No such file or directory"
    assert str(caught.value) == f'{sentence}; on_error="collect" names it and goes on'


def test_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path, gz(THREE))
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        pass
    else:
        pytest.skip("this user may read every file")
    _, report = read(tmp_path)
    assert report.bad["message"].to_list() == ["cannot read: Permission denied"]


def test_file_that_vanishes_between_listing_and_reading(tmp_path: Path) -> None:
    # More files than a bounded scan reads ahead.
    paths = [write(tmp_path, THREE, f"{number:05}.json") for number in range(3000)]
    report = ct.Report()
    with ct.stream(tmp_path, on_error="collect", report=report, threads=1, batch_rows=3) as batches:
        rows = next(batches).num_rows
        paths[-1].unlink()
        rows += sum(batch.num_rows for batch in batches)
    assert rows == 2999 * 3
    assert report.bad.rows() == [
        (str(paths[-1]), None, None, "unreadable", "cannot read: No such file or directory", 0)
    ]
    assert (report.files.listed, report.files.read, report.files.bad) == (3000, 2999, 1)
    assert (report.records.seen, report.records.read) == (rows, rows)


@pytest.mark.parametrize("on_error", ["raise", "collect"])
def test_source_that_does_not_exist(on_error: str, tmp_path: Path) -> None:
    for source in (
        tmp_path / "nowhere",
        [tmp_path / "nowhere.json.gz"],
        str(tmp_path / "nowhere" / "x.json"),
    ):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            ct.read(source, on_error=on_error)


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
def test_directory_with_the_name_of_a_log(tmp_path: Path) -> None:
    """It is a directory all the same, and what is in it is read."""
    folder = tmp_path / "x.json.gz"
    folder.mkdir()
    for source in (tmp_path, folder, tmp_path / "*.json.gz"):
        frame, report = read(source)
        assert (frame.height, report.files.listed) == (0, 0)
    write(folder, gz(THREE))
    for source in (tmp_path, folder, tmp_path / "*.json.gz"):
        frame, report = read(source)
        assert (frame.height, report.files.listed, report.files.read) == (3, 1, 1)


def test_pipe_with_the_name_of_a_log(tmp_path: Path) -> None:
    """Reading must not wait for it: there may never be a writer."""
    os.mkfifo(tmp_path / "a.json")
    write(tmp_path, gz(THREE), "b.json.gz")
    script = """
        import sys
        import ctfast as ct
        report = ct.Report()
        print(ct.read(sys.argv[1], on_error="collect", report=report).height, report.bad["message"].to_list())
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "3 ['cannot read: not a regular file']\n"


def test_links_in_a_circle(tmp_path: Path) -> None:
    for name, other in ("ab", "ba"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, gz(THREE))
        (tmp_path / name / "link").symlink_to(f"../{other}")
    frame, report = read(tmp_path)
    assert report.files.read in (2, 4)
    assert frame.height == 3 * report.files.read


DIGEST = {
    "awsAccountId": "123456789012",
    "digestStartTime": "2023-07-10T10:00:00Z",
    "digestEndTime": "2023-07-10T11:00:00Z",
    "logFiles": [],
}


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
def test_digests_are_skipped(tmp_path: Path) -> None:
    """By their names, by their content, and as a whole folder, which is not even listed."""
    digest = gz(json.dumps(DIGEST).encode())
    name = "123456789012_CloudTrail-Digest_us-east-1_trail_us-east-1_20230710T110000Z"
    folder = tmp_path / "AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2023/07/10"
    folder.mkdir(parents=True)
    write(folder, digest, f"{name}.json.gz")
    for here in (f"{name}.json.gz", f"{name}_backfill.json.gz", "by-content.json.gz"):
        write(tmp_path, digest, here)
    write(tmp_path, gz(THREE), "log.json.gz")
    frame, report = read(tmp_path)
    assert frame.height == 3
    assert (report.files.listed, report.files.read, report.files.skipped) == (4, 1, 3)
    assert report.skipped == {"digest": 3}
    assert report.pruned == {"digest": 1}
    assert report.complete
    # Named directly, too.
    frame, report = read(folder / f"{name}.json.gz")
    assert (frame.height, report.files.skipped) == (0, 1)


def test_other_names_are_skipped_in_a_folder_only(tmp_path: Path) -> None:
    good = [
        "a.json",
        "b.json.gz",
        "c.jsonl",
        "d.jsonl.gz",
        "e.ndjson",
        "f.ndjson.gz",
        "g.log",
        "h.log.gz",
        "i.gz",
    ]
    other = ["README.md", "events.txt", "events.parquet", "noextension"]
    for name in good + other:
        write(tmp_path, gz(THREE) if name.endswith(".gz") else THREE, name)
    frame, report = read(tmp_path)
    assert frame["file"].unique(maintain_order=True).to_list() == [f"{tmp_path}/{name}" for name in good]
    assert (report.files.listed, report.files.read, report.files.skipped) == (
        len(good + other),
        len(good),
        len(other),
    )
    assert read(tmp_path / "events.txt")[0].height == 3


# All together


@pytest.mark.parametrize("threads", [1, 4])
def test_fifty_good_files_among_all_bad_ones(threads: int, tmp_path: Path) -> None:
    limited = {bad.name for bad in FILES if bad.limits}
    bad_files = {f"{number:03}-bad.json.gz": bad for number, bad in enumerate(FILES) if bad.name not in limited}
    for name, bad in bad_files.items():
        write(tmp_path, bad.data, name)
    for number in range(50):
        write(tmp_path, gz(THREE) if number % 2 else THREE, f"{number * 2:03}-good.json")
    # A good file with a bad record, one with zeros after its end, a digest, a stranger and a dangling link.
    write(tmp_path, log_around('"{"')[0], "x-record.json")
    write(tmp_path, gz(THREE) + b"\0", "x-trailing.json.gz")
    write(tmp_path, json.dumps(DIGEST).encode(), "x-digest.json")
    write(tmp_path, b"?", "x.txt")
    (tmp_path / "y.json").symlink_to("nowhere")

    frame, report = read(tmp_path, threads=threads)

    expected = [(f"{tmp_path}/{name}", bad.kind, bad.message, bad.kept) for name, bad in bad_files.items()]
    expected.append((f"{tmp_path}/y.json", "unreadable", "cannot read: No such file or directory", 0))
    is_file = ~pl.col("file").str.ends_with("x-record.json")
    assert report.bad.filter(is_file).select("file", "kind", "message", "records_kept").rows() == expected
    assert report.bad.filter(~is_file)["file"].to_list() == [f"{tmp_path}/x-record.json"]
    assert report.warnings["file"].to_list() == [f"{tmp_path}/x-trailing.json.gz"]
    files = report.files
    assert (files.listed, files.read, files.bad, files.skipped) == (len(expected) + 54, 52, len(expected), 2)
    assert frame.height == 50 * 3 + 2 + 3 + sum(bad.kept for bad in bad_files.values())
    assert frame.select(pl.col("file").is_sorted()).item()

    # With on_error="raise", the error is about the first bad file in the order of keys.
    with pytest.raises(ct.FormatError):
        ct.read(tmp_path, threads=threads)
