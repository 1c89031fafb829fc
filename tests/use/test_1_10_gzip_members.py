"""1 of 9, item 10: nothing after a gzip member is lost silently, except zeros."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zlib
from pathlib import Path

import pytest

import ctfast as ct

#: A member of white space, stored: a file that holds it is too large to be inflated at once.
STREAMED = gzip.compress(b" " * (25 << 20), 0, mtime=0)


def text(number: int) -> bytes:
    return json.dumps({"Records": [{"eventName": f"Event{number}", "eventID": str(number)}]}).encode()


def member(number: int, *, checksum: bool = False) -> bytes:
    """A member that holds one record; its header has a name, or a checksum of itself."""
    packed = gzip.compress(text(number), mtime=0)
    if not checksum:
        return packed[:3] + b"\x08" + packed[4:10] + b"log.json\0" + packed[10:]
    header = packed[:3] + b"\x02" + packed[4:10]
    return header + struct.pack("<H", zlib.crc32(header) & 0xFFFF) + packed[10:]


def flipped(data: bytes, byte: int, bit: int = 0) -> bytes:
    return data[:byte] + bytes([data[byte] ^ 1 << bit]) + data[byte + 1 :]


def read(path: Path) -> tuple[list[str], ct.Report]:
    report = ct.Report()
    frame = ct.read(path, on_error="collect", report=report)
    files, records = report.files, report.records
    assert (files.listed, records.seen) == (files.read + files.bad + files.skipped, frame.height + records.bad)
    return frame["eventName"].to_list(), report


@pytest.mark.parametrize("before", [b"", STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize("damaged", [1, 5, 9])
def test_one_bit_in_the_magic_number_of_a_later_member(damaged: int, before: bytes, tmp_path: Path) -> None:
    members = [member(number) for number in range(10)]
    at = len(before) + sum(map(len, members[:damaged]))
    path = tmp_path / "log.json.gz"
    path.write_bytes(flipped(before + b"".join(members), at))

    names, report = read(path)
    assert names == [f"Event{number}" for number in range(damaged)]
    bad = report.bad.row(0, named=True)
    lost = path.stat().st_size - at
    number = damaged + (before != b"")
    assert bad["message"] == f"{lost} bytes after gzip member {number} are no gzip member"
    assert (bad["file"], bad["kind"], bad["byte"], bad["records_kept"]) == (str(path), "trailing-bytes", at, damaged)
    assert (report.files.bad, report.files.read, report.warnings.height) == (1, 0, 0)

    with pytest.raises(ct.FormatError) as raised:
        ct.read(path)
    assert (raised.value.key, raised.value.byte, raised.value.kind) == (str(path), at, "trailing-bytes")


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (b"\x1f", "trailing-bytes"),
        (b"\x1f\x8a", "trailing-bytes"),
        (b"junk", "trailing-bytes"),
        (b"\0\0\0\0" + member(1), "trailing-bytes"),
        (b"\0" * 300_000 + b"\1", "trailing-bytes"),
        (b"\x1f\x8b", "truncated-gzip"),
        (member(1)[:12], "truncated-gzip"),
        (member(1)[:-1], "truncated-gzip"),
        (flipped(member(1), 2), "corrupt-gzip"),
        (flipped(member(1), 3, 5), "corrupt-gzip"),
        (flipped(member(1, checksum=True), 5), "corrupt-gzip"),
        (flipped(member(1, checksum=True), 11), "corrupt-gzip"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:4].hex(),
)
def test_what_follows_a_member_and_is_no_whole_one_is_damage(after: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(member(0) + after)
    names, report = read(path)
    assert (names[0], report.bad["kind"].to_list(), report.files.bad) == ("Event0", [kind], 1)
    with pytest.raises(ct.FormatError) as raised:
        ct.read(path)
    assert raised.value.kind == kind


def test_zeros_after_the_last_member_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(member(0) + member(1, checksum=True) + bytes(300_000))
    names, report = read(path)
    assert names == ["Event0", "Event1"]
    assert (report.files.read, report.bad.height, report.warnings["kind"].to_list()) == (1, 0, ["trailing-bytes"])
    assert ct.read(path).height == 2


def one_by_one(data: bytes) -> tuple[list[str], bool]:
    """Read member after member with zlib: the event names in the whole ones, and whether nothing is lost."""
    names: list[str] = []
    while data.strip(b"\0"):
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            inflated = inflater.decompress(data)
        except zlib.error:
            return names, False
        if not inflater.eof:
            return names, False
        names += [record["eventName"] for record in json.loads(inflated)["Records"]]
        data = inflater.unused_data
    return names, True


def test_one_bit_anywhere_in_members_of_any_layout(tmp_path: Path) -> None:
    chance = random.Random(10)
    expected = {}
    for number in range(600):
        parts = [member(place, checksum=chance.random() < 0.3) for place in range(chance.randrange(1, 6))]
        if chance.random() < 0.2:
            parts.insert(chance.randrange(1, len(parts) + 1), bytes(chance.randrange(1, 9)))
        data = b"".join(parts)
        if number % 4:
            data = flipped(data, chance.randrange(2, len(data)), chance.randrange(8))
        path = tmp_path / f"{number:03}.json.gz"
        path.write_bytes(data)
        expected[str(path)] = one_by_one(data)

    report = ct.Report()
    rows = ct.read(tmp_path, on_error="collect", report=report).group_by("file").agg("eventName")
    found = dict(rows.iter_rows())
    bad = set(report.bad["file"])
    for path, (names, is_right) in expected.items():
        assert (path not in bad) == is_right, path
        kept = found.get(path, [])
        assert kept == names if is_right else kept[: len(names)] == names, path
    assert 0 < len(bad) < len(expected)
    assert report.files.bad == len(bad)
    assert report.files.listed == report.files.read + report.files.bad


def test_an_inventory_with_damage_after_a_member_is_refused(tmp_path: Path) -> None:
    rows = [f'"b","AWSLogs/1/CloudTrail/eu-west-1/2024/01/0{day}/x.json.gz","1"\n'.encode() for day in (1, 2)]
    packed = [gzip.compress(row, mtime=0) for row in rows]
    (tmp_path / "part.csv.gz").write_bytes(packed[0] + flipped(packed[1], 0))
    manifest = {"fileFormat": "CSV", "fileSchema": "Bucket, Key, Size", "files": [{"key": "part.csv.gz"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ct.FormatError, match="not a file of an inventory"):
        list(ct.Inventory(tmp_path / "manifest.json"))


def test_the_oracle_reads_members() -> None:
    data = member(0) + member(1, checksum=True)
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        assert file.read() == text(0) + text(1)
    assert one_by_one(data + b"\0") == (["Event0", "Event1"], True)
    assert one_by_one(data + b"\1") == (["Event0", "Event1"], False)
