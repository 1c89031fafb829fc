"""1 of 9, item 2: small inputs take bounded memory, and findings that are not named are counted."""

from __future__ import annotations

import gzip
import json
import pickle
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ctfast as ct
from ctfast import _ctfast
from ctfast.cli.screen import findings

MIB = 1 << 20
#: Reads a folder as a stream, and prints the peak of memory above that of the imports, and the counts.
READ = """
import json, sys
from pathlib import Path
import polars, pyarrow, ctfast as ct

def memory(field):
    return next(int(line.split()[1]) << 10 for line in Path("/proc/self/status").open() if line.startswith(field))

folder, threads, limits, rules = json.loads(sys.argv[1])
report = ct.Report()
limits = ct.Limits(*limits) if limits else None
options = {"on_error": "collect", "report": report, "threads": threads, "limits": limits}
if rules:
    options["rules"] = {str(number): ct.FilterPattern('{ $.eventName != "B" }') for number in range(rules)}
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
rows = 0
with ct.stream(folder, **options) as batches:
    for batch in batches:
        rows += batch.num_rows
print(memory("VmHWM") - before, flush=True)
unnamed = int(report.unnamed["count"].sum())
print(json.dumps({"rows": rows, "read": report.records.read, "bad": report.records.bad, "files": report.files.bad,
                  "named": report.bad.height + report.warnings.height, "unnamed": unnamed,
                                    "foreign": report.skipped_records.get("not-cloudtrail", 0),
                                    "kinds": report.bad["kind"].unique().to_list()}))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")


def peak_of(folder: Path, threads: int, limits: list[int] | None = None, rules: int = 0) -> dict[str, Any]:
    """Read in a separate process; check that the counts add up and memory stays within the bound."""
    arguments = json.dumps([str(folder), threads, limits, rules])
    # With so little address space, a process with unbounded memory ends.
    command = ["bash", "-c", 'ulimit -v 6000000; exec "$@"', "-", sys.executable, "-c", READ, arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stdout, ran.stderr[-2000:]
    peak, _, counts = ran.stdout.partition("\n")
    assert int(peak) < (64 + 48 * threads) * MIB
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, Any] = json.loads(counts)
    assert found["rows"] == found["read"]
    assert found["named"] + found["unnamed"] == found["bad"] + found["files"] + found["foreign"]
    return found


def records(parts: Iterable[bytes]) -> bytes:
    return b'{"Records":[' + b"".join(parts) + b"]}"


def rows(count: int) -> bytes:
    return records([b'{"eventID":""},' * count, b'{"eventID":""}'])


def elements(count: int) -> bytes:
    return records([b"1," * count, b"1"])


def bad_events(count: int) -> bytes:
    return b'{"Events":[' + b'{"CloudTrailEvent":"{"},' * count + b'{"CloudTrailEvent":"{"}]}'


def resources(count: int) -> bytes:
    return records([b'{"eventID":"","resources":[' + b"1," * 500_000 + b"1]},"] * count + [b'{"eventID":""}'])


@pytest.mark.parametrize(
    ("data", "read", "bad", "foreign"),
    [
        pytest.param(lambda: rows(700_000), 700_001, 0, 0, id="rows"),
        pytest.param(lambda: elements(1_000_000), 0, 0, 1_000_001, id="no records"),
        pytest.param(lambda: bad_events(700_000), 0, 700_001, 0, id="bad CloudTrailEvents"),
        pytest.param(lambda: resources(12), 13, 0, 0, id="resources"),
    ],
)
def test_a_plain_file(tmp_path: Path, data: Callable[[], bytes], read: int, bad: int, foreign: int) -> None:
    (tmp_path / "a.json").write_bytes(data())
    found = peak_of(tmp_path, 1)
    assert (found["read"], found["bad"], found["files"], found["foreign"]) == (read, bad, 0, foreign)


def test_a_small_file_of_rows_is_held_to_the_ratio(tmp_path: Path) -> None:
    path = tmp_path / "rows.json.gz"
    path.write_bytes(gzip.compress(rows(1_200_000)))
    assert path.stat().st_size < 40_000
    found = peak_of(tmp_path, 1)
    assert (found["files"], found["kinds"]) == (1, ["ratio"])


def test_many_small_files_that_inflate_hugely(tmp_path: Path) -> None:
    data = gzip.compress(bad_events(40_000), 9)
    for number in range(10):
        (tmp_path / f"{number}.json.gz").write_bytes(data)
    found = peak_of(tmp_path, 2)
    assert (found["bad"], found["files"], found["named"]) == (10 * 40_001, 0, 10 * 100)


@pytest.mark.parametrize("inside", [b'"":1,', b'"eventName":1,', b'"x":{},', b'"userIdentity":{},'])
def test_one_record_of_very_many_keys(tmp_path: Path, inside: bytes) -> None:
    data = records([b'{"eventID":""}', b",{" + inside * (20 * MIB // len(inside)) + b'"a":1}'])
    (tmp_path / "a.json").write_bytes(data)
    found = peak_of(tmp_path, 1)
    assert (found["read"], found["files"], found["kinds"]) == (1, 1, ["document-too-large"])


def test_rules_that_all_rows_meet(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(records([b'{"eventName":"A"},' * 30_000, b'{"eventName":"A"}']))
    assert peak_of(tmp_path, 2, rules=300)["read"] == 30_001


def test_what_is_not_named_is_a_value_of_the_report(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_bytes(bad_events(999))
    (tmp_path / "c.json").write_bytes(bad_events(2))
    report = ct.Report()
    assert ct.read(tmp_path, on_error="collect", report=report).is_empty()
    named = dict(report.bad.group_by("file", maintain_order=True).len().iter_rows())
    assert named == {f"{tmp_path}/a.json": 100, f"{tmp_path}/b.json": 100, f"{tmp_path}/c.json": 3}
    assert report.bad["record"].to_list() == [*range(100), *range(100), *range(3)]
    expected = [(f"{tmp_path}/a.json", "bad record", 900), (f"{tmp_path}/b.json", "bad record", 900)]
    assert report.unnamed.rows() == expected
    assert report.unnamed.schema == {"file": pl.String, "what": pl.String, "count": pl.UInt64}
    assert report.records.bad == report.bad.height + 1_800 == 2_003


def test_a_report_of_many_portions_is_bounded_as_one_is(tmp_path: Path) -> None:
    """Files that are named one by one are read in portions; the bound covers the findings of all portions."""
    paths = [tmp_path / f"{number:04}.json" for number in range(2_001)]
    for path in paths:
        path.write_bytes(bad_events(4))
    report = ct.Report()
    ct.read(ct.KeyList(map(str, paths)), on_error="collect", report=report)
    assert (report.records.bad, report.bad.height) == (10_005, 10_000)
    assert report.unnamed.rows() == [(None, "bad record", 5)]


def test_lines_that_are_no_messages_are_counted_where_they_are_not_named(tmp_path: Path) -> None:
    source = tmp_path / "messages.jsonl"
    source.write_text("{\n" * 20_003)
    report = ct.Report()
    assert ct.read(ct.Messages(source), on_error="collect", report=report).is_empty()
    assert (report.files.bad, report.bad.height) == (20_003, 20_000)
    assert report.unnamed.rows() == [(None, "bad file", 3)]


def test_the_command_line_says_how_many_it_does_not_name(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(bad_events(999))
    command = [sys.executable, "-m", "ctfast", "scan", "--on-error", "collect", str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "1,000 bad records" in ran.stderr
    assert ran.stderr.rstrip().endswith("and 980 more")


#: Reads a split from its JSON and prints what is said of it, and the peak of memory above that of the imports.
READ_SPLIT = """
import sys
from pathlib import Path
import polars, pyarrow, ctfast as ct

def memory(field):
    return next(int(line.split()[1]) << 10 for line in Path("/proc/self/status").open() if line.startswith(field))

text = Path(sys.argv[1]).read_text()
ct.Split.from_json(Path(sys.argv[2]).read_text())
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
try:
    print(ct.Split.from_json(text).files)
except ct.FormatError as error:
    print(error)
print(memory("VmHWM") - before)
"""


def number(value: int) -> bytes:
    """A number as the files of a split have it, seven bits to a byte."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + number(value >> 7)


def packed(sections: list[bytes]) -> str:
    """The files of a split, as its JSON has them: eight sections in deflate."""
    plain = b"".join(number(len(section)) + section for section in sections)
    return zlib.compress(plain, 9, -15).hex()


def zeros(files: int) -> list[bytes]:
    """Sections of files with names of no bytes."""
    return [bytes(files)] * 3 + [b"", bytes(files), b"", b"", b""]


def repeated(files: int) -> list[bytes]:
    """Sections of files whose names, of 4,000 bytes, are all the same: each takes but a few bytes of a section."""
    length = number(4_000)
    heads = b"\0" + length * (files - 1)
    return [heads, bytes(files), length + bytes(files - 1), b"k" * 4_000, bytes(files), b"", b"", b""]


def said_and_peak(folder: Path, text: str) -> tuple[str, int]:
    """What reading this split says, in a process that has read another one before."""
    (folder / "a.json").write_bytes(rows(1))
    [other] = ct.splits(folder / "a.json")
    (folder / "text").write_text(text)
    (folder / "other").write_text(other.json())
    command = [sys.executable, "-c", READ_SPLIT, str(folder / "text"), str(folder / "other")]
    said, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return said, int(peak)


@pytest.mark.parametrize(
    ("sections", "files"),
    [
        pytest.param(zeros(20_000_000), 20_000_000, id="inflated"),
        pytest.param([bytes(1 << 27), *zeros(1)[1:]], 1 << 62, id="inflated to other than it claims"),
        pytest.param(repeated(1_000_000), 1_000_000, id="names that repeat each other"),
    ],
)
def test_a_split_takes_bounded_memory_whatever_its_text_claims(
    sections: list[bytes], files: int, tmp_path: Path
) -> None:
    (tmp_path / "b.json").write_bytes(rows(1))
    [split] = ct.splits(tmp_path / "b.json")
    given = json.loads(split.json())
    text = json.dumps(given | {"selection": given["selection"] | {"planned": packed(sections), "files": files}})
    assert len(text) < 2_000_000
    said, peak = said_and_peak(tmp_path, text)
    assert said == "no split, or a damaged one: Split.json() and ctfast splits write them"
    assert peak < 64 * MIB


def test_no_split_has_more_than_can_be_read_again(tmp_path: Path) -> None:
    keys = [f"s3://logs/{'k' * 1_000}{place:05}.json" for place in range(16_000)]
    one, two = ct.splits(ct.KeyList(keys), target=1 << 50)
    assert [*one.keys(), *two.keys()] == keys
    assert one.files * (len(keys[0]) + 64) <= 16 * MIB < (one.files + 1) * (len(keys[0]) + 64)
    said, peak = said_and_peak(tmp_path, one.json())
    assert said == str(one.files)
    assert peak < 64 * MIB


def test_more_files_that_cannot_be_read_than_are_named(tmp_path: Path) -> None:
    """A listing counts them all, and a checkpoint closes no day: one of them may lie in it, and be read later."""
    root, first = tmp_path / "logs", datetime(2025, 3, 1, tzinfo=UTC)

    def file(region: str, when: datetime, name: int) -> Path:
        folder = root / "AWSLogs" / "111122223333" / "CloudTrail" / region / f"{when:%Y/%m/%d}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"111122223333_CloudTrail_{region}_{when:%Y%m%dT%H%MZ}_{name:016}.json.gz"

    lost = [*(file("eu-west-1", first, name) for name in range(20_001)), file("us-east-1", first, 0)]
    for path in lost:
        path.symlink_to("nowhere")
    for day in range(1, 20):
        file("us-east-1", first + timedelta(day), day).write_bytes(gzip.compress(rows(1)))

    listing = _ctfast.Listing(_ctfast.Selection([root]))
    assert sum(map(len, iter(listing.next, None))) == 19
    assert [row[0] for row in listing.bad()] == list(map(str, lost[:20_000]))
    assert listing.counts() == {"skipped": {}, "pruned": {}, "bad": 20_002, "unnamed": 2}

    def read() -> ct.Report:
        report = ct.Report()
        with ct.Checkpoint(tmp_path / "state", rewind=timedelta(days=2)) as state:
            ct.read(root, on_error="collect", checkpoint=state, report=report)
        return report

    report = read()
    assert (report.files, report.records.read) == ((20_021, 19, 20_002, 0), 19 * 2)
    assert report.bad["file"].to_list() == list(map(str, lost[:20_000]))
    assert report.unnamed.rows() == [(None, "bad file", 2)]
    lost[-1].unlink()
    lost[-1].write_bytes(gzip.compress(rows(2)))
    assert read().records.read == 3


def test_a_report_names_as_many_of_scans_and_source_together(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    keys = ct.KeyList([str(tmp_path / "a.json"), *["s3://No Bucket/x.json"] * 20_000])
    report = ct.Report()
    ct.read(keys, on_error="collect", report=report)
    assert (report.files.bad, report.bad.height) == (20_001, 20_000)
    assert report.unnamed.rows() == [(None, "bad file", 1)]
    assert pickle.loads(pickle.dumps(report)).unnamed.rows() == report.unnamed.rows()


def test_warnings_of_a_checkpoint_are_bounded_as_those_of_a_scan_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_ctfast, "NAMED_FILES", 3)
    root = tmp_path / "logs"
    root.mkdir()

    def read(count: int) -> ct.Report:
        for name in "abcde":
            (root / f"{name}.json").write_bytes(rows(count))
        report = ct.Report()
        with ct.Checkpoint(tmp_path / "state") as state:
            ct.read(root, checkpoint=state, report=report)
        return report

    assert read(1).warnings.is_empty()
    report = read(2)
    assert report.warnings["file"].to_list() == [f"{root}/{name}.json" for name in "abc"]
    assert report.unnamed.rows() == [(None, "warning", 2)]
    assert pickle.loads(pickle.dumps(report)).unnamed.rows() == report.unnamed.rows()
    assert findings(report) == 0
    said = capsys.readouterr().err
    assert "\n5 warnings\n" in said
    assert re.search(r"(?m)^ *changed +3 .*\n *not named +2 *$", said)
    assert said.endswith("\nand 2 more\n")
