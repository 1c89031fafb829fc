"""1 of 9, item 2: small inputs take bounded memory, and their findings are counted where they are not named."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ctfast as ct

MIB = 1 << 20
#: Reads a folder as a stream and prints what came of it, and the peak of memory above that of the imports.
READ = """
import json, sys
from pathlib import Path
import polars, pyarrow, ctfast as ct

def memory(field):
    return next(int(line.split()[1]) << 10 for line in Path("/proc/self/status").open() if line.startswith(field))

folder, threads, limits, rules = json.loads(sys.argv[1])
report = ct.Report()
options = {"on_error": "collect", "report": report, "threads": threads, "limits": ct.Limits(*limits) if limits else None}
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
                  "foreign": report.skipped_records.get("not-cloudtrail", 0), "kinds": report.bad["kind"].unique().to_list()}))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")


def peak_of(folder: Path, threads: int, limits: list[int] | None = None, rules: int = 0) -> dict[str, Any]:
    """Read in a process of its own; nothing is lost from the counts, and the bound holds."""
    arguments = json.dumps([str(folder), threads, limits, rules])
    # With so little address space, what is not bounded ends.
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
    """Files that are named one by one are read in portions; their findings are held together."""
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
