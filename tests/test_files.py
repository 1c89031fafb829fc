"""`ct.files` and `Report.files_scan`: one row for each file of a scan, and they add up to the report's counts."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pickle
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

ACCOUNTS = ["111122223333", "444455556666"]
COLUMNS = ["file", "size", "etag", "outcome", "reason", "byte"]
RECORDS = ["records_read", "records_bad", "records_skipped", "records_duplicate"]


def key(account: str, region: str, number: int, kind: str = "CloudTrail") -> str:
    folder = f"AWSLogs/{account}/{kind}/{region}/2025/03/12"
    return f"{folder}/{account}_{kind}_{region}_20250312T{number:02}00Z_0123456789abcdef.json.gz"


def event(number: int) -> dict[str, Any]:
    time = f"2025-03-12T{number % 24:02}:00:00Z"
    return {
        "eventTime": time,
        "eventName": f"Get{number % 3}",
        "eventID": f"{number:08}",
        "eventSource": "s3.amazonaws.com",
    }


def body(records: list[Any]) -> bytes:
    return gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def check(rows: pl.DataFrame, report: ct.Report, *, counts_duplicates: bool = False) -> None:
    """Compare the rows with what the report counts."""
    files = rows.filter(pl.col("outcome") != "pruned")
    outcomes = Counter(files["outcome"])
    assert report.complete
    assert (files.height, outcomes["read"], outcomes["bad"], outcomes["skipped"]) == tuple(report.files)
    assert Counter(rows.filter(outcome="skipped")["reason"]) == report.skipped
    assert Counter(rows.filter(outcome="pruned")["reason"]) == report.pruned
    assert Counter(rows.filter(outcome="bad")["reason"]) == Counter(
        report.bad.filter(pl.col("record").is_null())["kind"]
    ) or any(
        report.bad["record"].is_not_null()  # damage within a record has its number as well
    )
    read, bad, skipped = (int(rows[name].sum()) for name in RECORDS[:3])
    assert (read + bad + skipped, read, bad, skipped) == tuple(report.records)
    if counts_duplicates:
        assert report.duplicates is not None
        assert rows["records_duplicate"].sum() == report.duplicates.copies
    else:
        assert rows["records_duplicate"].null_count() == rows.height


CONTENTS = st.one_of(
    st.lists(st.integers(0, 30), max_size=12).map(lambda numbers: body([event(number) for number in numbers])),
    st.lists(st.integers(0, 30), min_size=1, max_size=5).map(lambda numbers: body([*map(event, numbers), 7])),
    st.tuples(st.lists(st.integers(0, 30), min_size=1, max_size=9), st.integers(1, 40)).map(
        lambda cut: body([event(number) for number in cut[0]])[: -cut[1]]
    ),
    st.just(b""),
    st.just(b"no log"),
    st.just(gzip.compress(b'{"some": "document"}')),
)
NAMES = st.one_of(
    st.builds(key, st.sampled_from(ACCOUNTS), st.sampled_from(["eu-west-1", "us-east-1"]), st.integers(0, 23)),
    st.builds(key, st.sampled_from(ACCOUNTS), st.just("eu-west-1"), st.integers(0, 23), st.just("CloudTrail-Digest")),
    st.sampled_from(
        ["a.json", "b.json.gz", "notes.txt", "._a.json", "AWSLogs/111122223333/Config/x.json.gz", "d/c.jsonl"]
    ),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "accounts": st.sampled_from(ACCOUNTS),
        "regions": st.just("eu-west-1"),
        "since": st.integers(0, 20).map(lambda hour: f"2025-03-12T{hour:02}:00"),
        "where": st.just(ct.FilterPattern('{ $.eventName = "Get1" }')),
        "dedupe": st.booleans(),
        "threads": st.integers(1, 3),
    },
)


@settings(max_examples=60, deadline=None)
@given(files=st.dictionaries(NAMES, CONTENTS, max_size=14), links=st.sampled_from([0, 1]), options=OPTIONS)
def test_rows_add_up_to_the_report(files: dict[str, bytes], links: int, options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, content in files.items():
            put(root, name, content)
        if links:
            (root / "AWSLogs").mkdir(exist_ok=True)
            (root / "again").symlink_to("AWSLogs")
            (root / "gone.json").symlink_to("nowhere")
        report, kept = ct.Report(files=True), ct.Report(files=True, sha256=True)
        rows = ct.files(root, report=report, sha256=True, **options).collect()
        check(rows, report, counts_duplicates=options.get("dedupe", False))
        # A scan gives the same rows, whichever columns it reads.
        scanned = ct.read(root, report=kept, on_error="collect", **options)
        assert_frame_equal(kept.files_scan().collect(), rows)
        assert scanned.height == rows["records_read"].sum()
        assert_frame_equal(report.files_scan().collect(), rows)
        for file, size, sha256, outcome in rows.select("file", "size", "sha256", "outcome").iter_rows():
            if sha256 is not None:
                content = Path(file).read_bytes()
                assert (size, sha256) == (len(content), hashlib.sha256(content).hexdigest())
            else:
                assert outcome in {"skipped", "pruned"} or not Path(file).exists()


@settings(max_examples=60, deadline=None)
@given(files=st.dictionaries(NAMES, CONTENTS, max_size=14), options=OPTIONS)
def test_info_counts_the_files_that_have_records(files: dict[str, bytes], options: dict[str, Any]) -> None:
    options.pop("dedupe", None)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, content in files.items():
            put(root, name, content)
        report = ct.Report(files=True)
        found = ct.info(root, report=report, on_error="collect", **options)
        rows = report.files_scan().collect()
        check(rows, report, counts_duplicates=True)
        expected: dict[tuple[str | None, ...], list[int]] = {}
        for file, records in rows.filter(pl.col("records_read") > 0).select("file", "records_read").iter_rows():
            parts = Path(file).name.split("_")
            place = (parts[0], parts[2]) if len(parts) > 3 else (None, None)
            counts = expected.setdefault(place, [0, 0, 0])
            for number, more in enumerate((1, Path(file).stat().st_size, records)):
                counts[number] += more
        counted = found.days.select("account", "region", "files", "bytes", "records").rows()
        assert {row[:2]: list(row[2:]) for row in counted} == expected
        assert len(counted) == len(expected)
        opened = rows.filter(pl.col("outcome").is_in(["read", "bad"]), records_read=0)
        assert found.files_without_records == opened.height


def test_why_a_file_was_skipped(tmp_path: Path) -> None:
    put(tmp_path, key(ACCOUNTS[0], "eu-west-1", 5), body([event(5)]))
    early = put(tmp_path, f"flat/{Path(key(ACCOUNTS[0], 'eu-west-1', 1)).name}", body([event(1)]))
    put(tmp_path, "notes.txt", b"x")
    rows = ct.files(tmp_path, since="2025-03-12T04:00", accounts=ACCOUNTS[0])
    assert rows.filter(file=str(early)).select("outcome", "reason", "size").collect().rows() == [
        ("skipped", "time", early.stat().st_size)
    ]
    assert rows.filter(pl.col("file").str.ends_with("notes.txt")).select("outcome", "reason").collect().rows() == [
        ("skipped", "name")
    ]


def test_a_folder_that_is_pruned_has_a_row_and_counts_as_no_file(tmp_path: Path) -> None:
    put(tmp_path, key(ACCOUNTS[0], "us-east-1", 5), body([event(5)]))
    report = ct.Report()
    rows = ct.files(tmp_path, regions="eu-west-1", report=report).collect()
    folder = f"{tmp_path}/AWSLogs/{ACCOUNTS[0]}/CloudTrail/us-east-1/"
    assert rows.select("file", "outcome", "reason").rows() == [(folder, "pruned", "region")]
    assert report.files.listed == 0


def test_bad_files_are_rows_unless_they_are_to_end_it(tmp_path: Path) -> None:
    content = b'{"Records": [{"eventName": "a"}, {"eventNa'
    put(tmp_path, "a.json", content)
    (row,) = ct.files(tmp_path, sha256=True).collect().iter_rows(named=True)
    assert (row["outcome"], row["reason"], row["byte"], row["records_read"]) == ("bad", "invalid-json", len(content), 1)
    assert row["sha256"] == hashlib.sha256(content).hexdigest()
    with pytest.raises(ct.FormatError, match="unexpected end"):
        ct.files(tmp_path, on_error="raise").collect()


def test_what_ends_a_scan_has_its_row_where_duplicates_are_looked_for(tmp_path: Path) -> None:
    put(tmp_path, "a.json", body([event(1), event(1)]))
    put(tmp_path, "b.json", b"")
    for read in (
        lambda report: ct.read(tmp_path, dedupe=True, report=report),
        lambda report: ct.info(tmp_path, report=report),
    ):
        report = ct.Report(files=True)
        with pytest.raises(ct.FormatError, match="empty file"):
            read(report)
        rows = report.files_scan().collect()
        assert rows.select("outcome", "records_read").rows() == [("read", report.records.read), ("bad", 0)]


def test_large_and_damaged_files_are_hashed_whole(tmp_path: Path) -> None:
    noise = os.urandom(9 << 20)  # streamed, and refused at its first byte
    put(tmp_path, "large.json", noise)
    put(tmp_path, "log.json.gz", body([event(number) for number in range(9)]) + noise)
    rows = ct.files(tmp_path, sha256=True).collect()
    assert rows["outcome"].to_list() == ["bad", "bad"]
    contents = [Path(file).read_bytes() for file in rows["file"]]
    assert rows["sha256"].to_list() == [hashlib.sha256(content).hexdigest() for content in contents]


def test_more_rows_than_are_held(tmp_path: Path) -> None:
    count = 10_000
    for number in range(count):
        put(tmp_path, f"{number:05}.txt", b"")
    put(tmp_path, "z.json", body([event(1)]))
    report = ct.Report(files=True)
    rows = ct.files(tmp_path, report=report).collect()
    assert rows.height == count + 1
    assert rows["file"].is_sorted()
    assert_frame_equal(report.files_scan().collect(), rows)
    assert report.files_scan().select(pl.len()).collect().item() == count + 1
    assert ct.files(tmp_path).head(3).collect().height == 3
    check(rows, report)


def test_sources_of_keys_and_checkpoints_add_up_as_well(tmp_path: Path) -> None:
    first = put(tmp_path, key(ACCOUNTS[0], "eu-west-1", 1), body([event(1)]))
    lines = [str(first), "s3://No Bucket/x.json", str(tmp_path / "gone.json")]
    report = ct.Report(files=True)
    rows = ct.files(ct.KeyList(lines), report=report).collect()
    check(rows, report)
    assert Counter(rows["outcome"]) == {"bad": 2, "read": 1}
    assert_frame_equal(report.files_scan().collect(), rows)

    with ct.Checkpoint(tmp_path / "checkpoint") as checkpoint:
        ct.read(tmp_path, checkpoint=checkpoint)
    second = put(tmp_path, key(ACCOUNTS[0], "eu-west-1", 2), body([event(2)]))
    rows = ct.files(tmp_path, checkpoint=ct.Checkpoint(tmp_path / "checkpoint"), report=report).collect()
    check(rows, report)
    outcomes = {row["file"]: (row["outcome"], row["reason"]) for row in rows.iter_rows(named=True)}
    assert outcomes[str(first)] == ("skipped", "done")
    assert outcomes[str(second)] == ("read", None)


def test_a_look_at_files_hands_no_record_over(tmp_path: Path) -> None:
    put(tmp_path / "logs", "a.json", body([event(1)]))
    with ct.Checkpoint(tmp_path / "checkpoint") as checkpoint:
        assert ct.files(tmp_path / "logs", checkpoint=checkpoint).collect()["outcome"].to_list() == ["read"]
    with ct.Checkpoint(tmp_path / "checkpoint") as checkpoint:
        assert ct.read(tmp_path / "logs", checkpoint=checkpoint).height == 1
    assert ct.files(tmp_path / "logs", checkpoint=checkpoint).collect()["reason"].to_list() == ["done"]


def test_a_source_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    put(Path(folder), "a.json", body([event(1)]))
    rows = ct.files(folder)
    assert "udcff" in rows.explain()
    assert rows.collect()["records_read"].to_list() == [1]
    assert ct.scan(folder).collect().height == 1


def test_duplicates_that_stay_are_among_those_that_were_read(tmp_path: Path) -> None:
    put(tmp_path, "a.json", body([event(1), event(2), event(1)]))
    put(tmp_path, "b.json", body([event(2), event(3)]))
    report = ct.Report(files=True)
    ct.info(tmp_path, report=report)
    rows = report.files_scan().collect()
    check(rows, report, counts_duplicates=True)
    assert rows.select(RECORDS).rows() == [(3, 0, 0, 1), (2, 0, 0, 1)]
    rows = ct.files(tmp_path, dedupe=True).collect()
    assert rows.select(RECORDS).rows() == [(2, 0, 1, 1), (1, 0, 1, 1)]


def test_messages_that_name_nothing_to_read_have_rows() -> None:
    created = {"s3": {"bucket": {"name": "logs"}, "object": {"key": "index.html"}}}
    lines = [
        json.dumps({"Event": "s3:TestEvent"}),
        json.dumps(
            {
                "Records": [
                    {"eventName": "ObjectRemoved:Delete", **created},
                    {"eventName": "ObjectCreated:Put", **created},
                ]
            }
        ),
        "no message",
    ]
    report = ct.Report(files=True)
    rows = ct.files(ct.Messages(lines), report=report).collect()
    check(rows, report)
    assert_frame_equal(report.files_scan().collect(), rows)
    assert rows.select("file", "outcome", "reason").rows() == [
        ("the list of messages", "skipped", "test"),
        ("the list of messages", "skipped", "event"),
        ("s3://logs/index.html", "skipped", "key"),
        ("lines", "bad", "invalid-message"),
    ]


def test_an_inventory_tells_of_versions(tmp_path: Path) -> None:
    part = tmp_path / "part.csv.gz"
    part.write_bytes(gzip.compress(b'"logs","a","7","false","false"\n"logs","b","7","true","true"\n'))
    schema = "Bucket, Key, Size, IsLatest, IsDeleteMarker"
    manifest = {"fileFormat": "CSV", "fileSchema": schema, "files": [{"key": part.name}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    report = ct.Report()
    rows = ct.files(ct.Inventory(tmp_path / "manifest.json"), report=report).collect()
    check(rows, report)
    assert rows.select("file", "size", "reason").rows() == [
        ("s3://logs/a", 7, "version"),
        ("s3://logs/b", 7, "deleted"),
    ]


def test_rows_that_have_no_room_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5_000):
        put(tmp_path, f"{number:05}.txt", b"")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with pytest.raises(
        ct.SourceError, match="rows of a ledger are kept in this folder, unless TMPDIR names another one"
    ):
        ct.read(tmp_path, report=ct.Report(files=True))
    ct.read(tmp_path, report=ct.Report())


def test_a_report_that_keeps_no_files_says_so(sample: Sample) -> None:
    with pytest.raises(ct.ArgumentError, match=r"Report\(files=True\) before the scan"):
        ct.Report().files_scan()
    with pytest.raises(ct.ArgumentError, match=r"write ctfast.Report\(files=True, sha256=True\)"):
        ct.Report(sha256=True)
    report = ct.Report(files=True)
    ct.read(sample.archive, report=report)
    with pytest.raises(ct.ArgumentError, match="files are not in the copy of a report"):
        pickle.loads(pickle.dumps(report)).files_scan()


def test_the_command(sample: Sample, tmp_path: Path) -> None:
    rows = ct.files(sample.archive, sha256=True).collect()
    for ending, read in {"csv": pl.read_csv, "ndjson": pl.read_ndjson, "parquet": pl.read_parquet}.items():
        target = tmp_path / f"files.{ending}"
        result = CliRunner().invoke(main, ["files", str(sample.archive), "--sha256", "-o", str(target)])
        assert result.exit_code == 0, result.output
        frame = read(target, schema=rows.schema) if ending != "parquet" else read(target)
        assert_frame_equal(frame, rows)
    checkpoint = str(tmp_path / "new.checkpoint")
    result = CliRunner().invoke(main, ["files", str(sample.archive), "--checkpoint", checkpoint])
    assert result.exit_code == 2
    assert not Path(checkpoint).exists()
    with ct.Checkpoint(checkpoint) as known:
        ct.read(sample.archive, checkpoint=known)
    result = CliRunner().invoke(main, ["files", str(sample.archive), "--checkpoint", checkpoint])
    assert result.exit_code == 0, result.output
    assert Counter(pl.read_ndjson(result.stdout.encode())["outcome"])["read"] == 0
    assert Counter(json.loads(line)["reason"] for line in result.stdout.splitlines())["done"] == sample.files
    put(tmp_path / "logs", "a.json", b'{"Records": [')
    result = CliRunner().invoke(main, ["files", str(tmp_path / "logs"), "--format", "table"])
    assert result.exit_code == 1
    assert "invalid-json" in result.stdout
