"""What `ct.info` counts, against the archive itself."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

import ctfast as ct
from ctfast import _ctfast
from ctfast.sample import Sample

ACCOUNT, REGION = "111122223333", "eu-west-1"


def key(day: str, minute: str, *, account: str = ACCOUNT, region: str = REGION, kind: str = "CloudTrail") -> str:
    """The key of a log file, below a prefix."""
    name = f"{account}_{kind}_{region}_{day.replace('/', '')}T{minute}Z_0123456789abcdef.json.gz"
    return f"trails/AWSLogs/{account}/{kind}/{region}/{day}/{name}"


def put(folder: Path, name: str, *times: str, **fields: str) -> int:
    """Write a log with an event at each of these times; return its size."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"Records": [{"eventTime": time, "eventName": "x", **fields} for time in times]})
    path.write_bytes(gzip.compress(text.encode()))
    return path.stat().st_size


def rows(frame: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return frame.select(columns).rows()


def test_the_sample_archive(sample: Sample) -> None:
    found = ct.info(sample.archive)
    logs = [path for path in sample.archive.rglob("*.json.gz") if "Digest" not in path.name]
    files = Counter(tuple(path.name.split("_")[0:3:2]) for path in logs)
    assert dict(zip(found.days.select("account", "region").rows(), found.days["files"], strict=True)) == files
    assert found.days["bytes"].sum() == sum(path.stat().st_size for path in logs) == found.report.bytes.compressed
    assert found.days["records"].sum() == found.kinds["records"].sum() == sample.records == found.report.records.read
    assert found.kinds["kind"].to_list() == ["CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity"]
    assert found.kinds["files"].sum() == found.report.files.read == sample.files
    assert (found.accounts, found.regions) == (["111122223333", "444455556666"], ["eu-west-1", "us-east-1"])
    assert found.files_without_records == 0
    times = ct.read(sample.archive)["eventTime"]
    assert (found.first, found.last) == (times.min(), times.max())


def test_account_region_and_day_are_those_of_the_key(tmp_path: Path) -> None:
    size = put(
        tmp_path, key("2024/02/29", "0005"), "2024-02-28T23:58:00Z", "2024-02-29T00:01:00Z", awsRegion="us-east-1"
    )
    found = ct.info(tmp_path)
    first, last = datetime(2024, 2, 28, 23, 58, tzinfo=UTC), datetime(2024, 2, 29, 0, 1, tzinfo=UTC)
    assert found.days.rows() == [(ACCOUNT, REGION, date(2024, 2, 29), 1, size, 2, first, last)]
    assert found.kinds.rows() == [("CloudTrail", 1, size, 2, first, last)]


def test_a_file_name_alone_is_enough(tmp_path: Path) -> None:
    put(tmp_path, Path(key("2024/02/29", "0005")).name, "2024-02-28T23:58:00Z")
    assert rows(ct.info(tmp_path).days, "account", "region", "day") == [(ACCOUNT, REGION, date(2024, 2, 29))]


def test_without_a_key_the_records_tell(tmp_path: Path) -> None:
    times = "2024-02-28T23:58:00Z", "2024-02-29T00:01:00Z", "2024-02-29T00:02:00Z"
    size = put(tmp_path, "events.json.gz", *times, awsRegion="us-east-1", recipientAccountId="9")
    found = ct.info(tmp_path)
    assert rows(found.days, "account", "region", "day", "files", "bytes", "records") == [
        ("9", "us-east-1", date(2024, 2, 28), 1, size, 1),
        ("9", "us-east-1", date(2024, 2, 29), 0, 0, 2),
    ]
    assert rows(found.kinds, "kind", "files", "records") == [(None, 1, 3)]


def test_records_that_tell_nothing_come_last(tmp_path: Path) -> None:
    put(tmp_path, "a.json.gz", "yesterday")
    put(tmp_path, key("2024/02/29", "0005"), "2024-02-29T00:01:00Z")
    found = ct.info(tmp_path)
    assert rows(found.days, "account", "day", "records", "first") == [
        (ACCOUNT, date(2024, 2, 29), 1, datetime(2024, 2, 29, 0, 1, tzinfo=UTC)),
        (None, None, 1, None),
    ]
    assert found.accounts == [ACCOUNT]


def test_days_are_added_up_in_order(tmp_path: Path) -> None:
    for day in range(28, 0, -1):
        for minute in ("0005", "0010"):
            put(tmp_path, key(f"2023/02/{day:02}", minute), f"2023-02-{day:02}T00:00:00Z")
    put(tmp_path, key("2023/02/01", "0005", account="000000000001"), "2023-02-01T00:00:00Z")
    days = ct.info(tmp_path).days
    assert rows(days, "account", "day", "files", "records") == [
        ("000000000001", date(2023, 2, 1), 1, 1),
        *((ACCOUNT, date(2023, 2, day), 2, 2) for day in range(1, 29)),
    ]


def test_a_file_over_many_batches_counts_once(tmp_path: Path) -> None:
    # The records differ, else the file would inflate more than logs do.
    times = [f"2023-02-01T00:00:00.{number * 7919 % 999_983:06}Z" for number in range(100_000)]
    size = put(tmp_path, key("2023/02/01", "0005"), *times)
    for days in (ct.info(tmp_path).days, ct.info(tmp_path, threads=1).days):
        assert rows(days, "files", "bytes", "records") == [(1, size, 100_000)]


def test_a_file_that_is_named_twice_counts_twice(tmp_path: Path) -> None:
    size = put(tmp_path, "events.json.gz", "2023-02-01T00:00:00Z", "2023-02-01T00:00:00Z")
    found = ct.info([tmp_path / "events.json.gz"] * 3)
    assert rows(found.days, "files", "bytes", "records") == [(3, 3 * size, 6)]


def test_bad_files_are_in_the_report(tmp_path: Path) -> None:
    put(tmp_path, key("2023/02/01", "0005"), "2023-02-01T00:00:00Z")
    put(tmp_path, key("2023/02/01", "0010"))
    path = tmp_path / key("2023/02/01", "0015")
    path.write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no log")
    found = ct.info(tmp_path, on_error="collect")
    assert found.report.files == (4, 2, 1, 1)
    assert found.report.bad["kind"].to_list() == ["empty"]
    assert found.report.skipped == {"name": 1}
    assert found.files_without_records == 2
    assert found.days["files"].sum() == 1
    with pytest.raises(ct.FormatError, match="empty file"):
        ct.info(tmp_path)


def test_options_are_those_of_scan(sample: Sample) -> None:
    report = ct.Report()
    seen = []
    found = ct.info(
        sample.archive, accounts="444455556666", since="2025-03-12T10:00", report=report, progress=seen.append
    )
    expected = ct.read(sample.archive, accounts="444455556666", since="2025-03-12T10:00")
    assert found.days["records"].sum() == expected.height
    assert found.report is report
    assert seen
    assert seen[-1] is report


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.warns(ct.NothingChosen, match="there is no file in"):
        found = ct.info(tmp_path)
    assert found.days.is_empty()
    with pytest.warns(ct.NothingChosen, match="no source is named"):
        assert found.days.schema == ct.info([]).days.schema
    assert (found.first, found.last, found.accounts, found.regions) == (None, None, [], [])


def test_a_file_that_goes_away_has_the_size_that_was_read(tmp_path: Path) -> None:
    sizes = [put(tmp_path, f"{number}.json.gz", "2023-02-01T00:00:00Z") for number in range(3)]
    found = ct.info(tmp_path, progress=lambda _: shutil.rmtree(tmp_path, ignore_errors=True))
    assert found.days["records"].sum() + found.files_without_records == 3
    assert found.days["bytes"].sum() == sum(sizes[: found.days["files"].sum()])


def test_parse_key() -> None:
    name = "222222222222_CloudTrail_eu-west-1_20240229T0005Z_a.json.gz"
    assert _ctfast.parse_key(f"sec/ct/AWSLogs/o-exampleorgid/222222222222/CloudTrail/eu-west-1/2024/02/29/{name}") == {
        "prefix": "sec/ct",
        "org": "o-exampleorgid",
        "account": "222222222222",
        "kind": "CloudTrail",
        "region": "eu-west-1",
        "day": "2024/02/29",
        "time": int(datetime(2024, 2, 29, 0, 5, tzinfo=UTC).timestamp()) * 1_000_000,
        "unique": "a",
        "trail": None,
        "home_region": None,
        "backfill": False,
    }
    digest = _ctfast.parse_key(
        "111122223333_CloudTrail-Digest_eu-west-1_a_b_us-east-1_20260205T000000Z_backfill.json.gz"
    )
    assert digest is not None
    assert (digest["trail"], digest["home_region"], digest["backfill"], digest["unique"]) == (
        "a_b",
        "us-east-1",
        True,
        None,
    )
    assert _ctfast.parse_key("events.json.gz") is None
