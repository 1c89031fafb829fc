"""`ct.splits`: all splits together are the archive, in any process; and each file that they write is written once."""

from __future__ import annotations

import gzip
import itertools
import json
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast._scan.parts import Parts
from ctfast.sample import Sample

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

FILE_COST = 16 << 10
SMALL = 100_000
ROOT = ct.FilterPattern('{ $.userIdentity.type = "Root" }')
DELETES = ct.EventPattern({"detail": {"eventName": [{"prefix": "Delete"}]}})


def event(number: int, time: str | None = "2025-03-12T05:00:00Z") -> dict[str, Any]:
    record = {"eventName": f"Get{number % 3}", "eventID": f"{number:08}", "eventSource": "s3.amazonaws.com"}
    return record if time is None else record | {"eventTime": time}


def body(records: list[Any]) -> bytes:
    return gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def together(splits: list[ct.Split], **options: Any) -> pl.DataFrame:
    """The rows of all splits, one after another."""
    frames = [pl.DataFrame(pa.Table.from_batches(split.read(**options), split.schema())) for split in splits]
    return pl.concat(frames)


def serialized(batches: pa.RecordBatchReader) -> list[bytes]:
    return [batch.serialize().to_pybytes() for batch in batches]


# All splits are the archive

SOURCES: dict[str, Callable[[Path], Any]] = {
    "folder": lambda archive: archive,
    "file": lambda archive: min(archive.rglob("*CloudTrail_*.json.gz")),
    "glob": lambda archive: f"{archive}/**/*_CloudTrail_*.json.gz",
    "several": lambda archive: sorted(archive.rglob("*.json.gz"))[::-7],
    "several folders": lambda archive: [archive, archive],
    "lines": lambda archive: ct.KeyList(sorted(map(str, archive.rglob("*.json.gz")))),
}
QUERIES: dict[str, dict[str, Any]] = {
    "all": {},
    "columns": {
        "columns": ["record", "userIdentity.arn", "eventName", "file", "raw"],
        "since": "2025-03-12T06:00",
        "until": "2025-03-12T09:30",
    },
    "rules": {
        "rules": {"root": ROOT, "deletes": DELETES},
        "where": ~ROOT & DELETES,
        "regions": ["us-east-1", "eu-west-1"],
        "columns": ["eventID", "rules"],
    },
}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("source", SOURCES)
def test_all_splits_are_the_archive(sample: Sample, tmp_path: Path, source: str, query: str) -> None:
    named = SOURCES[source](Path(sample.archive))
    splits = ct.splits(named, target=SMALL, **QUERIES[query])
    with ct.stream(SOURCES[source](Path(sample.archive)), **QUERIES[query]) as events:
        whole = pl.DataFrame(pa.Table.from_batches(events, events.schema))
    if not splits:
        assert whole.is_empty()
        return
    copies = pickle.loads(pickle.dumps(splits))
    assert_frame_equal(together(copies, threads=2), whole)
    files = [pq.read_table(tmp_path / file.path) for split in copies for file in split.write_parquet(tmp_path).files]
    stored = pl.concat([pl.DataFrame(table) for table in files]) if files else whole.clear()
    # A split of several months has a file for each; the sample has one.
    assert_frame_equal(stored.select(whole.columns), whole, check_dtypes=False)


def test_a_file_of_keys_and_an_archive_of_many_splits(sample: Sample, tmp_path: Path) -> None:
    logs = sorted(str(path) for path in Path(sample.archive).rglob("*.json.gz") if "Digest" not in path.name)
    lines = put(tmp_path / "keys", "\n".join(logs).encode())
    splits = ct.splits(ct.KeyList(lines), target=1)
    assert {split.files for split in splits} == {1}
    assert [key for split in splits for key in list(split.keys())] == logs
    assert_frame_equal(together(splits), ct.read(ct.KeyList(lines)))


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), max_size=25),
    target=st.one_of(st.none(), st.integers(1, 6 * FILE_COST)),
    slots=st.integers(1, 20),
)
def test_runs_are_contiguous_and_bounded(sizes: list[int], target: int | None, slots: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate(sizes):
            put(Path(folder, f"d{number // 4}/{number:03}.json"), b" " * size * 1_000)
        splits = ct.splits(folder, target=target, slots=slots)
        files = sorted(str(path) for path in Path(folder).rglob("*.json"))
        keys = [list(split.keys()) for split in splits]
        assert [key for own in keys for key in own] == files
        costs = {file: Path(file).stat().st_size + FILE_COST for file in files}
        most = target or min(max(sum(costs.values()) // (8 * slots), 4 << 20), 64 << 20)
        for split, own in zip(splits, keys, strict=True):
            assert (split.files, split.cost) == (len(own), sum(costs[file] for file in own))
            assert split.bytes == split.cost - len(own) * FILE_COST
            assert split.files == 1 or split.cost <= most
        for split, after in zip(splits, keys[1:], strict=False):
            assert split.cost + costs[after[0]] > most
        assert len({split.id for split in splits}) == len(splits)


# Equal splits


def test_a_split_that_is_read_twice_gives_equal_bytes(sample: Sample) -> None:
    for types in ("arrow", "spark"):
        [split] = ct.splits(sample.archive)
        first = serialized(split.read(types))
        for threads in (1, 3):
            assert serialized(split.read(types, threads=threads)) == first
    batches = [[batch.num_rows for batch in split.read(threads=threads)] for threads in (1, 2)]
    assert batches[0] == batches[1]


def test_batches_are_bounded(tmp_path: Path) -> None:
    put(tmp_path / "small.json", json.dumps({"Records": [event(number) for number in range(20_000)]}).encode())
    large = [event(number) | {"errorMessage": "x" * 900_000} for number in range(50)]
    put(tmp_path / "large.json", json.dumps({"Records": large}).encode())
    [split] = ct.splits(tmp_path, target=1 << 30)
    for batch in split.read("spark"):
        assert batch.num_rows <= 8_192
        assert batch.nbytes <= (16 << 20) + batch.num_rows * 8 * 80
    assert max(batch.num_rows for batch in split.read("spark")) == 8_192


def test_the_types_of_spark(sample: Sample) -> None:
    [split] = ct.splits(sample.archive, rules={"all": ct.FilterPattern("")})

    def check(field: pa.Field) -> None:
        assert field.nullable, field
        if pa.types.is_struct(field.type):
            for number in range(field.type.num_fields):
                check(field.type.field(number))
        elif pa.types.is_list(field.type):
            assert field.type.value_field.name == "element"
            check(field.type.value_field)
        else:
            assert field.type in (pa.string(), pa.bool_(), pa.int64(), pa.timestamp("us", "UTC")), field

    schema = split.schema("spark")
    for field in schema:
        check(field)
    assert schema.metadata is None
    assert schema.names == split.schema().names == [*ct.scan(sample.archive).collect_schema().names(), "rules"]
    for batch in split.read("spark"):
        assert batch.schema.equals(schema, check_metadata=True)
    as_spark, as_arrow = pa.Table.from_batches(split.read("spark")), pa.Table.from_batches(split.read("arrow"))
    assert_frame_equal(pl.DataFrame(as_spark), pl.DataFrame(as_arrow), check_dtypes=False)


def test_ids_tell_files_versions_and_queries_apart(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", body([event(1)]))
    os.utime(path, ns=(1, 10**15))

    def identity(**query: Any) -> str:
        [split] = ct.splits(tmp_path, **query)
        return split.id

    asked: list[dict[str, Any]] = [
        {},
        {"columns": ["eventName"]},
        {"columns": ["eventName", "eventTime"]},
        {"columns": ["eventTime", "eventName"]},
        {"since": "2025-01-01"},
        {"until": "2026-01-01", "max_delay": None},
        {"where": ROOT},
        {"where": DELETES},
        {"rules": {"a": ROOT}},
        {"rules": {"b": ROOT}},
        {"limits": ct.Limits(ratio=9)},
        {"on_error": "collect"},
    ]
    ids = [identity(**query) for query in asked]
    assert len(set(ids)) == len(asked)
    assert ids == [identity(**query) for query in asked]
    assert identity(target=7) == identity(slots=9) == ids[0]
    os.utime(path, ns=(1, 2 * 10**15))
    assert identity() != ids[0]


# What planning tells


@pytest.mark.parametrize("of_keys", [False, True])
def test_a_report_of_planning_names_what_is_in_no_split(sample: Sample, of_keys: bool) -> None:  # noqa: FBT001
    names = sorted(map(str, sample.archive.rglob("*.json.gz")))
    source = ct.KeyList(names) if of_keys else sample.archive
    report, looks = ct.Report(files=True), list[int]()
    splits = ct.splits(
        source, regions="eu-west-1", report=report, progress=lambda report: looks.append(report.files.listed)
    )
    assert looks
    assert looks[-1] == report.files.listed
    assert report.files.read == sum(split.files for split in splits) > 0
    assert report.complete
    assert report.asked["regions"] == ["eu-west-1"]
    rows = report.files_scan().collect()
    planned = set(itertools.chain.from_iterable(split.keys() for split in splits))
    told = {"skipped": report.skipped, "pruned": report.pruned}
    for outcome, counts in told.items():
        reasons = rows.filter(outcome=outcome)["reason"].value_counts().rows()
        assert dict(reasons) == {reason: number for reason, number in counts.items() if number}
    assert not planned.intersection(rows["file"])
    assert sum(map(sum, (report.skipped.values(), report.pruned.values()))) > 0
    if of_keys:
        assert planned.union(rows["file"]) == set(names)


def test_a_list_with_bad_lines_is_told_where_it_is_planned(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", body([event(1)]))
    report = ct.Report(files=True)
    [split] = ct.splits(ct.KeyList([str(path), "s3://"]), on_error="collect", report=report)
    assert (report.files.listed, report.files.read, report.files.bad) == (2, 1, 1)
    assert report.files_scan().collect()["outcome"].to_list() == ["bad"]
    assert split.files == 1


def test_progress_that_fails_ends_planning(sample: Sample) -> None:
    def stop(_: ct.Report) -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        ct.splits(sample.archive, progress=stop)


# Versions


def test_a_file_that_changed_or_is_gone_is_bad(tmp_path: Path) -> None:
    names = ["gone", "shorter", "again", "folder", "kept"]
    paths = {name: put(tmp_path / f"{name}.json", json.dumps({"Records": [event(1)]}).encode()) for name in names}
    [split] = ct.splits(tmp_path, on_error="collect")
    [strict] = ct.splits(tmp_path)
    paths["gone"].unlink()
    paths["shorter"].write_bytes(json.dumps({"Records": [event(1)]}).encode() + b" ")
    os.utime(paths["again"], ns=(1, 10**15))
    paths["folder"].unlink()
    put(paths["folder"] / "other.json", body([event(2)]))
    report = ct.Report(files=True)
    rows = pl.DataFrame(split.read(report=report))
    assert rows["file"].to_list() == [str(paths["kept"])]
    bad = {Path(row["file"]).stem: (row["kind"], row["message"]) for row in report.bad.iter_rows(named=True)}
    size = paths["shorter"].stat().st_size
    assert bad["shorter"] == ("changed", f"changed since it was listed: {size} bytes instead of {size - 1}")
    assert bad["again"] == ("changed", "changed since it was listed: it was written again")
    assert bad["gone"] == ("unreadable", "cannot read: No such file or directory")
    assert bad["folder"] == ("unreadable", "cannot read: not a regular file")
    assert report.complete
    assert report.files_scan().collect()["outcome"].to_list() == ["bad", "bad", "bad", "read", "bad"]
    with pytest.raises(ct.SourceError, match=r"again\.json.*written again"):
        strict.read().read_all()
    with pytest.raises(ct.SourceError, match=r"again\.json"):
        strict.write_parquet(tmp_path / "lake")
    assert not list((tmp_path / "lake").rglob("*.*"))


def test_a_large_file_that_is_written_while_it_is_read_is_reported(tmp_path: Path) -> None:
    records = ",".join(json.dumps(event(number) | {"errorMessage": "x" * 1_000}) for number in range(20_000))
    path = put(tmp_path / "a.json", f'{{"Records": [{records}]}}'.encode())
    [split] = ct.splits(tmp_path, on_error="collect")
    report = ct.Report()
    batches = split.read(report=report)
    next(batches)
    os.utime(path, ns=(1, 10**15))
    for _ in batches:
        pass
    assert report.bad["kind"].to_list() == ["changed"]


def test_files_that_could_not_be_listed_are_in_a_split(tmp_path: Path) -> None:
    put(tmp_path / "a.json", body([event(1)]))
    (tmp_path / "b.json").symlink_to("nowhere")
    lines = [str(tmp_path / "a.json"), "s3://No Bucket/x.json", str(tmp_path / "gone.json")]
    for source, count in ((tmp_path, 1), (ct.KeyList(lines), 2)):
        splits = ct.splits(source, target=1, on_error="collect")
        reports = [ct.Report(files=True) for _ in splits]
        for split, report in zip(pickle.loads(pickle.dumps(splits)), reports, strict=True):
            split.read(report=report).read_all()
        assert sum(report.files.bad for report in reports) == count
        assert sum(report.files.read for report in reports) == 1
        messages = [split.write_parquet(tmp_path / f"lake{count}") for split in splits]
        outcomes = [row["outcome"] for message in messages for row in message.ledger]
        assert sorted(outcomes) == ["bad"] * count + ["read"]
        with pytest.raises((ct.SourceError, ct.FormatError)):
            together(ct.splits(source))


# What is refused


def test_what_names_its_files_once_is_refused(tmp_path: Path, sample: Sample) -> None:
    os.mkfifo(tmp_path / "pipe")
    once = [ct.KeyList(iter([])), ct.KeyList("-"), ct.Messages(iter([])), ct.KeyList(tmp_path / "pipe")]
    queue = ct.Queue("https://sqs.eu-west-1.amazonaws.com/111122223333/new-logs", client=_Sqs())
    for source in [*once, queue]:
        with pytest.raises(ct.ArgumentError, match="names its files once only, and splits may be read twice"):
            ct.splits(source)
    for source in [tmp_path / "pipe", "/dev/stdin"]:
        with pytest.raises(ct.ArgumentError, match="can be read once only, or by one process"):
            ct.splits(source)
    with pytest.raises(ct.ArgumentError, match="dedupe is not for splits: the earlier copy of a record"):
        ct.splits(sample.archive, dedupe=True)
    with pytest.raises(ct.ArgumentError, match="checkpoint is not for splits"):
        ct.splits(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "state"))
    with pytest.raises(TypeError, match="splits"):
        ct.splits(sample.archive, verify=None)  # type: ignore[call-arg]
    [split] = ct.splits(sample.archive)
    with pytest.raises(ct.ArgumentError, match="dest 'gs://lake/events' cannot be opened"):
        split.write_parquet("gs://lake/events")


class _Sqs:
    def receive_message(self, **_: Any) -> dict[str, Any]:
        return {}


def test_what_a_later_version_has_made_is_refused(sample: Sample) -> None:
    [split] = ct.splits(sample.archive)
    pickled = split.__reduce__()
    with pytest.raises(ct.FormatError, match=r"this split has format 2, and this version of ctfast .* update ctfast"):
        pickled[0](2, "whatever", 7)
    text = json.dumps({"format": 2, "more": []})
    with pytest.raises(ct.FormatError, match="this message has format 2"):
        ct.SplitMessage.from_json(text)
    for wrong in ("", "[]", "{}", '{"format": 1}', "[" * 100_000, '{"format":1,"split":1,"files":[1],"ledger":[]}'):
        with pytest.raises(ct.FormatError, match="no message of a split"):
            ct.SplitMessage.from_json(wrong)


def test_a_split_is_a_line_of_json(sample: Sample, tmp_path: Path) -> None:
    lines = [*sorted(map(str, Path(sample.archive).rglob("*.json.gz"))), "s3://No Bucket/x.json"]
    for source in (sample.archive, ct.KeyList(lines), ct.KeyList(lines[-1:])):
        for split in ct.splits(source, on_error="collect", **QUERIES["rules"]):
            text = split.json()
            assert "\n" not in text
            again = ct.Split.from_json(text)
            assert (again, again.json(), repr(again)) == (split, text, repr(split))
            assert again.read("arrow").read_all().equals(split.read("arrow").read_all())
            assert again.write_parquet(tmp_path) == split.write_parquet(tmp_path)
            given = json.loads(text)
            for name, value in {
                "id": "0" * 32,
                "query": given["query"] | {"columns": ["eventName"]},
                "selection": given["selection"] | {"since": 7},
                "limits": [1, 1],
                "refused": [[], 5],
                "on_error": "ignore",
                "files": given["files"] + 1,
                "bytes": -1,
                "cost": None,
                "rows": "7",
                "is_remote": True,
                "more": 1,
            }.items():
                with pytest.raises(ct.FormatError, match="no split, or a damaged one"):
                    ct.Split.from_json(json.dumps(given | {name: value}))
            with pytest.raises(ct.FormatError, match="this split has format 2"):
                ct.Split.from_json(json.dumps(given | {"format": 2}))
    for wrong in ("", "[]", "7", "{}", '{"format":1}', "[" * 100_000):
        with pytest.raises(ct.FormatError, match="no split, or a damaged one"):
            ct.Split.from_json(wrong)


def test_nothing_to_read_is_a_warning(sample: Sample, tmp_path: Path) -> None:
    with pytest.warns(ct.NothingChosen, match="eu-west-9"):
        assert ct.splits(sample.archive, regions="eu-west-9") == []
    with pytest.warns(ct.NothingChosen):
        assert ct.splits(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        ct.splits(tmp_path / "nowhere")


def test_a_split_holds_no_credentials(sample: Sample) -> None:
    secret = "wJalrXUtnFEMIKEXAMPLEKEY"
    options = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": secret}
    [split] = ct.splits(sample.archive, storage_options=options)
    assert secret.encode() not in pickle.dumps(split)
    assert "AKIA" not in repr(split)


# Other processes


def _rows(split: ct.Split) -> tuple[str, int]:
    return split.id, sum(batch.num_rows for batch in split.read())


def _written(given: tuple[ct.Split, str, int]) -> ct.SplitMessage:
    split, folder, threads = given
    return split.write_parquet(folder, threads=threads)


def test_processes_that_are_spawned_read_and_write(sample: Sample, tmp_path: Path) -> None:
    splits = ct.splits(sample.archive, target=400_000)
    work = [(split, str(tmp_path / name), threads) for split in splits for name, threads in (("a", 1), ("b", 3))]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_rows, splits) == [_rows(split) for split in splits]
        messages = pool.map(_written, work)
    assert messages[::2] == messages[1::2]
    parts = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.parquet"))
    assert len(parts) == sum(len(message.files) for message in messages[::2])
    for part in parts:
        assert (tmp_path / "a" / part).read_bytes() == (tmp_path / "b" / part).read_bytes()
    assert sum(message.rows for message in messages[::2]) == ct.read(sample.archive).height


# Parts


def test_the_message_describes_what_was_written(tmp_path: Path) -> None:
    times = ["2025-03-31T23:59:59Z", "2025-04-01T00:00:00Z", None, "2025-03-01T00:00:00Z", "1999-12-31T00:00:00Z"]
    records = [event(number, time) for number, time in enumerate(times)]
    records[0]["eventName"] = None
    records[1]["eventName"] = "é" * 200
    put(tmp_path / "logs" / "a.json", json.dumps({"Records": [*records, 7]}).encode())
    put(tmp_path / "logs" / "b.json", b'{"Records": [')
    put(tmp_path / "logs" / "c.json", b'{"Records": []}')
    [split] = ct.splits(tmp_path / "logs", on_error="collect")
    message = split.write_parquet(tmp_path / "lake")
    assert pickle.loads(pickle.dumps(message)) == message == ct.SplitMessage.from_json(message.json())
    found = {file.partition["month"]: file for file in message.files}
    assert {month: file.rows for month, file in found.items()} == {"1999-12": 1, "2025-03": 2, "2025-04": 1, "none": 1}
    for number, file in enumerate(message.files):
        path = tmp_path / "lake" / file.path
        assert file.path == f"month={file.partition['month']}/part-{split.id}-{number}.parquet"
        assert path.stat().st_size == file.size
        table = pq.ParquetFile(path).read()
        assert table.num_rows == file.rows
        assert pc.unique(table["month"]).to_pylist() == [file.partition["month"]]
        assert table.column_names == [*split.schema().names, "month", "ingest"]
        for name in ("eventTime", "eventName", "awsRegion", "recipientAccountId"):
            assert file.statistics[name]["null_count"] == table[name].null_count
    march = found["2025-03"].statistics
    assert march["eventTime"] == {
        "null_count": 0,
        "min": "2025-03-01T00:00:00.000000Z",
        "max": "2025-03-31T23:59:59.000000Z",
    }
    assert march["eventName"] == {"null_count": 1, "min": "Get0", "max": "Get0"}
    assert found["2025-04"].statistics["eventName"] == {"null_count": 0}
    assert found["none"].statistics["eventTime"] == {"null_count": 1}
    told = [(row["outcome"], row["records_read"], row["records_skipped"]) for row in message.ledger]
    assert told == [("read", 5, 1), ("bad", 0, 0), ("read", 0, 0)]
    assert message.rows == sum(row["records_read"] for row in message.ledger)
    rows = ct.files(tmp_path / "logs", sha256=True).collect().to_dicts()
    assert [{name: row[name] for name in row if name != "modified"} for row in message.ledger] == rows
    names = {name for file in message.files for name in file.statistics}
    assert names <= {"eventTime", "eventName", "awsRegion", "recipientAccountId"}


def test_what_other_readers_need_of_the_files(sample: Sample, tmp_path: Path) -> None:
    [split] = ct.splits(sample.archive)
    [file] = split.write_parquet(tmp_path).files
    metadata = pq.read_metadata(tmp_path / file.path)
    assert metadata.metadata is None or b"ARROW:schema" not in metadata.metadata
    columns = [metadata.row_group(0).column(number) for number in range(metadata.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD"}
    paths = [column.path_in_schema for column in columns]
    with_statistics = {path for path, column in zip(paths, columns, strict=True) if column.is_stats_set}
    # Neither ids nor what users have written are in the footer, which nobody would look for there.
    unique = {"eventID", "requestID", "sharedEventID", "raw", "record", "extra", "addendum", "serviceEventDetails"}
    assert set(paths) - with_statistics == unique | {"requestParameters", "responseElements", "additionalEventData"}
    assert "resources.list.element.ARN" in paths
    plain = pq.read_schema(tmp_path / file.path)
    assert plain.field("eventTime").type == pa.timestamp("us", "UTC")
    assert plain.field("record").type == pa.int64()
    assert_frame_equal(
        pl.read_parquet(tmp_path / file.path, hive_partitioning=False).drop("month", "ingest"),
        ct.read(sample.archive),
        check_dtypes=False,
    )


def test_records_of_any_month_are_written_with_few_files_open(tmp_path: Path) -> None:
    times = [f"{1000 + number:04}-{1 + number % 12:02}-01T00:00:00Z" for number in range(500)]
    records = [event(number, time) for number, time in enumerate(times)]
    put(tmp_path / "logs" / "a.json", json.dumps({"Records": records}).encode())
    [split] = ct.splits(tmp_path / "logs", columns=["eventID"])
    script = """
        import pickle, resource, sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120))
        split = pickle.load(open(sys.argv[1], "rb"))
        print(len(split.write_parquet(sys.argv[2]).files))
    """
    put(tmp_path / "split", pickle.dumps(split))
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "split"), str(tmp_path / "lake")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout) == len({time[:7] for time in times})
    message = split.write_parquet(tmp_path / "lake")
    rows = pl.concat(
        [pl.read_parquet(tmp_path / "lake" / file.path, hive_partitioning=False) for file in message.files]
    )
    assert sorted(rows["eventID"]) == [f"{number:08}" for number in range(500)]


def test_a_second_attempt_gives_the_message_of_the_first(sample: Sample, tmp_path: Path) -> None:
    [split] = ct.splits(sample.archive)
    first = split.write_parquet(tmp_path)
    # Files that are written again are others. Their times may change: those that are found are of a run again.
    written = {path: path.stat().st_ino for path in tmp_path.rglob("*")}
    assert split.write_parquet(tmp_path) == first
    assert {path: path.stat().st_ino for path in tmp_path.rglob("*")} == written
    # An attempt that ended between its parts and its message.
    (tmp_path / "_splits" / f"{split.id}.message").unlink()
    assert split.write_parquet(tmp_path, threads=2) == first
    [part] = tmp_path.rglob("*.parquet")
    assert part.stat().st_ino == written[part]
    # A part that was removed is written again.
    content = part.read_bytes()
    part.unlink()
    assert split.write_parquet(tmp_path) == first
    assert part.read_bytes() == content


def test_attempts_at_the_same_time(sample: Sample, tmp_path: Path) -> None:
    [split] = ct.splits(sample.archive)
    messages: list[ct.SplitMessage] = []
    threads = [threading.Thread(target=lambda: messages.append(split.write_parquet(tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(messages) == 3
    assert messages[0] == messages[1] == messages[2]
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert not list(tmp_path.rglob(".*"))


def test_a_part_with_other_contents_is_not_written_over(sample: Sample, tmp_path: Path) -> None:
    [split] = ct.splits(sample.archive)
    [file] = split.write_parquet(tmp_path).files
    (tmp_path / "_splits" / f"{split.id}.message").unlink()
    (tmp_path / file.path).write_bytes(b"other")
    with pytest.raises(ValueError, match=r"parquet is there already, with other contents"):
        split.write_parquet(tmp_path)
    assert (tmp_path / file.path).read_bytes() == b"other"


def test_parts_of_an_attempt_that_met_other_files_are_named(tmp_path: Path) -> None:
    logs, lake = tmp_path / "logs", tmp_path / "lake"
    for month in (1, 2):
        put(logs / f"{month}.json", body([event(month, f"2025-0{month}-12T00:00:00Z")]))
    [split] = ct.splits(logs, on_error="collect")
    split.write_parquet(lake)
    told = lake / "_splits" / f"{split.id}.message"
    first = told.read_bytes()
    told.unlink()
    (logs / "1.json").unlink()
    for month in ("2025-01", "2025-02"):
        with pytest.raises(ValueError, match=rf"month={month}/part-{split.id}-\d.parquet is there already"):
            split.write_parquet(lake)
        assert not told.exists()
        next(lake.glob(f"month={month}/*-{int(month[-1]) - 1}.parquet")).unlink()
    message = split.write_parquet(lake)
    assert [file.partition["month"] for file in message.files] == ["2025-02"]
    assert pl.read_parquet(lake / "**/*.parquet").height == message.rows == 1
    # Another attempt has ended meanwhile, and what it left is named as long as it is there.
    put(lake / "month=2025-01" / f"part-{split.id}-7.parquet", first)
    with pytest.raises(ValueError, match=r"-7.parquet is there already"):
        split.write_parquet(lake)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b'{"format":1,"split":"%s","query":"{\\"columns\\":null}","since":null,"until":null,"files":[],"ledger":[],'
            b'"bad":[]}' % (b"0" * 32),
            "is the message of another split, '0000",
        ),
        (b"", "no message of a split"),
        (b"\xff", "no UTF-8"),
        (None, "no regular file"),
    ],
)
def test_what_is_no_message_of_this_split_is_not_believed(
    sample: Sample, tmp_path: Path, content: bytes | None, words: str
) -> None:
    [split] = ct.splits(sample.archive)
    path = put(tmp_path / "_splits" / f"{split.id}.message", content or b"")
    if content is None:
        path.unlink()
        os.mkfifo(path)
    with pytest.raises((ValueError, OSError), match=words) as caught:
        split.write_parquet(tmp_path)
    assert str(path) in str(caught.value)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_folder_within_the_archive_is_no_part_of_it(sample: Sample, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(sample.archive, logs)
    [split] = ct.splits(logs)
    message = split.write_parquet(logs)
    [again] = ct.splits(logs)
    assert again.write_parquet(logs) == message
    assert len(list(logs.rglob("*.parquet"))) == 1


def test_what_a_killed_attempt_left_is_removed_though_all_parts_are_there(sample: Sample, tmp_path: Path) -> None:
    [split] = ct.splits(sample.archive)
    split.write_parquet(tmp_path)
    (tmp_path / "_splits" / f"{split.id}.message").unlink()
    left = put(tmp_path / "month=2025-03" / ".ctfast-999999-AAAAAAAAAAAAAAAA.part", b"half")
    split.write_parquet(tmp_path)
    assert not left.exists()


def test_a_text_that_was_edited_is_refused(sample: Sample, tmp_path: Path) -> None:
    [split] = ct.splits(sample.archive, on_error="collect", since="2025-03-12")
    text = split.json()
    given = json.loads(text)
    assert ct.Split.from_json(text).json() == text
    edits: list[dict[str, Any]] = [
        {name: given[name] + more} for name in ("files", "bytes", "cost", "rows") for more in (1, -1)
    ]
    edits += [{name: value} for name, value in given.items() if name in {"bytes", "rows"} for value in (None, "7", 1.5)]
    edits += [{"format": value} for value in (0, -1, True, 1.0, "1", None)]
    edits += [
        {"selection": given["selection"] | {name: value}}
        for name, value in [
            ("accounts", ["x"]),
            ("digests", True),
            ("max_delay", 1),
            ("since", 1),
            ("v", 2),
            ("new", 1),
        ]
    ]
    edits += [{"on_error": "raise"}, {"refused": [[], 1]}, {"refused": ["", 0]}, {"refused": [[], False]}, {"new": 1}]
    edits += [{"id": "0" * 32}, {"limits": [1, 1]}, {"is_remote": True}, {"query": given["query"] | {"dedupe": True}}]
    for edit in edits:
        with pytest.raises(ct.FormatError, match="no split, or a damaged one"):
            ct.Split.from_json(json.dumps(given | edit))
    with pytest.raises(ct.FormatError, match=r"has format 2, and this version of ctfast .* reads format 1: update"):
        ct.Split.from_json(json.dumps(given | {"format": 2}))

    message = split.write_parquet(tmp_path).json()
    written = json.loads(message)
    [file], rows = written["files"], written["ledger"]
    edits = [{"split": value} for value in (5, "x", None)]
    edits += [{"files": value} for value in ([], {}, "", None, [file, file], [file | {"new": 1}])]
    edits += [{"ledger": value} for value in ([], {}, "", [[], []], [*rows[1:], rows[0] | {"records_read": 10**6}])]
    edits += [{"ledger": [*rows[1:], rows[0] | change]} for change in ({"outcome": "x"}, {"new": 1}, {"size": "7"})]
    edits += [{"format": value} for value in (True, 1.0, 0, None)]
    wrong: dict[str, list[Any]] = {
        "path": ["../../etc/passwd", "x", None, 5, file["path"] + "\0"],
        "rows": [file["rows"] + 1, -5, 1.5, "7", None],
        "size": [-5, "7", None],
        "sha256": ["x", None],
        "partition": [{}, {"month": "x"}, None],
        "statistics": [None, [], {"eventTime": {}}],
    }
    edits += [{"files": [file | {name: value}]} for name, values in wrong.items() for value in values]
    assert ct.SplitMessage.from_json(message).json() == message
    for edit in edits:
        with pytest.raises(ct.FormatError, match="no message of a split"):
            ct.SplitMessage.from_json(json.dumps(written | edit))


KILLED = """
    import pickle, sys
    split = pickle.load(open(sys.argv[1], "rb"))
    print("ready", flush=True)
    split.write_parquet(sys.argv[2])
"""


def test_kill_9_leaves_a_whole_part_or_none(tmp_path: Path) -> None:
    for number in range(12):
        records = [event(each, f"2025-{1 + each % 4:02}-12T05:00:00Z") for each in range(4_000)]
        put(tmp_path / "logs" / f"{number:02}.json", json.dumps({"Records": records}).encode())
    [split] = ct.splits(tmp_path / "logs", target=1 << 30)
    put(tmp_path / "split", pickle.dumps(split))
    begin = time.monotonic()
    expected = split.write_parquet(tmp_path / "whole")
    took = time.monotonic() - begin
    parts = {file.path: (tmp_path / "whole" / file.path).read_bytes() for file in expected.files}
    assert len(parts) == 4
    for attempt in range(6):
        lake = tmp_path / f"lake{attempt}"
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "split"), str(lake)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(took * attempt / 4)
            child.send_signal(signal.SIGKILL)
        for path, content in parts.items():
            assert not (lake / path).exists() or (lake / path).read_bytes() == content
        if (lake / "_splits").is_dir() and any((lake / "_splits").glob("*.message")):
            assert all((lake / path).exists() for path in parts)
        assert split.write_parquet(lake) == expected
        assert {path: (lake / path).read_bytes() for path in parts} == parts
        assert not [path for path in lake.rglob(".*") if path.is_file()]


def test_rows_of_very_many_months_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """A batch of one row takes much more than its values: if these alone counted, none of these months were written."""
    schema = pa.schema([("eventTime", pa.timestamp("us", "UTC"))])
    months = [datetime(1 + number // 12, 1 + number % 12, 1, tzinfo=UTC) for number in range(600)]
    with Parts(tmp_path, "0" * 32, schema) as parts:
        parts.add(pa.RecordBatch.from_arrays([pa.array(months, schema.field(0).type)], schema=schema), bytes(600 * 32))
        assert len(list(tmp_path.glob("month=*/*.parquet"))) > 40
    assert list(tmp_path.glob("month=*/.*")) == []
