"""The everyday behaviour of `scan`, `read`, `stream`, `sql` and `Report`."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.sample import Sample

ACCOUNT, OTHER = "111122223333", "444455556666"
Put = Callable[..., Path]


def key(minute: str, *, account: str = ACCOUNT, region: str = "eu-west-1", kind: str = "CloudTrail") -> str:
    name = f"{account}_{kind}_{region}_20240229T{minute}Z_0123456789abcdef.json.gz"
    return f"AWSLogs/{account}/{kind}/{region}/2024/02/29/{name}"


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def put(name: str, *times: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {"Records": [{"eventTime": time, "eventName": f"{path.name}:{n}"} for n, time in enumerate(times)]}
        )
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return put


def names(frame: pl.DataFrame) -> list[str]:
    return frame["eventName"].to_list()


# When files are read and errors raised


def test_a_scan_is_lazy_until_collect(tmp_path: Path, put: Put) -> None:
    folder = tmp_path / "later"
    events = ct.scan(folder)
    assert (
        events.collect_schema().names()
        == ct.columns().filter(~pl.col("column").str.contains(".", literal=True))["column"].to_list()
    )
    with pytest.raises(FileNotFoundError):
        events.collect()
    put("later/a.json", "2024-02-29T00:00:00Z")
    assert events.collect().height == 1
    put("later/b.json", "2024-02-29T00:00:00Z")
    assert events.collect().height == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": "yesterday"}, "since is no date or time that can be read: 'yesterday'"),
        ({"until": ""}, "until is no date or time that can be read: ''"),
        ({"on_error": "ignore"}, 'on_error must be "raise" or "collect", not \'ignore\''),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"max_delay": timedelta(-1)}, "max_delay must not be negative, but is -1 day, 0:00:00"),
    ],
)
def test_wrong_arguments_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    for function in (ct.scan, ct.read, ct.stream):
        with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole message is compared
            function("nowhere", **options)
        assert str(refused.value).startswith(f"{function.__name__}(): {message}")


def test_an_unknown_column_is_refused_at_once(sample: Sample) -> None:
    with pytest.raises(ValueError, match=r"^stream\(\): columns has no 'eventname'; did you mean 'eventName'\?"):
        ct.stream(sample.archive, columns=["eventTime", "eventname"])
    with pytest.raises(ValueError, match=r"^stream\(\): batch_rows must be at least 1, not 0$"):
        ct.stream(sample.archive, batch_rows=0)


# Sources


def test_a_missing_source_raises_when_the_query_runs() -> None:
    for source in ("nowhere", Path("nowhere"), ["nowhere"], "nowhere/*.json.gz"):
        with pytest.raises(FileNotFoundError) as missing:
            ct.scan(source).collect()
        assert missing.value.filename == (source[0] if isinstance(source, list) else os.fspath(source))


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_a_source_is_a_folder_a_file_or_several(tmp_path: Path, put: Put) -> None:
    a, b, c = (put(name, "2024-02-29T00:00:00Z") for name in ("a.json", "b.json.gz", "c/c.ndjson"))
    assert names(ct.read(tmp_path)) == ["a.json:0", "b.json.gz:0", "c.ndjson:0"]
    assert names(ct.read(str(tmp_path))) == names(ct.read(tmp_path))
    assert names(ct.read(b)) == ["b.json.gz:0"]
    assert names(ct.read([c, str(a)])) == ["c.ndjson:0", "a.json:0"]
    assert names(ct.read(path for path in (b, a))) == ["b.json.gz:0", "a.json:0"]
    assert names(ct.read([c.parent, a, a])) == ["c.ndjson:0", "a.json:0", "a.json:0"]
    assert ct.read([]).height == 0


def test_an_iterator_as_source_can_be_read_again(put: Put) -> None:
    events = ct.scan(iter([put("a.json", "2024-02-29T00:00:00Z")]))
    assert_frame_equal(events.collect(), events.collect())


def test_globs_are_for_the_disk() -> None:
    with pytest.raises(ValueError, match="globs are for the local disk"):
        ct.read("s3://bucket/AWSLogs/*/CloudTrail/")


def test_globs(tmp_path: Path, put: Put) -> None:
    for name in ("a1.json", "a10.json", "b.json", "c/a2.json", "[x].json"):
        put(name, "2024-02-29T00:00:00Z")
    assert names(ct.read(tmp_path / "a*.json")) == ["a1.json:0", "a10.json:0"]
    assert names(ct.read(tmp_path / "**/a*.json")) == ["a1.json:0", "a10.json:0", "a2.json:0"]
    assert names(ct.read([tmp_path / "b*", tmp_path / "a?.json"])) == ["b.json:0", "a1.json:0"]
    # A file of this very name comes first.
    assert names(ct.read(tmp_path / "[x].json")) == ["[x].json:0"]


def test_the_file_column_is_the_path_as_opened(tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put("logs/a.json", "2024-02-29T00:00:00Z")
    monkeypatch.chdir(tmp_path)
    assert ct.read("logs")["file"].to_list() == ["logs/a.json"]
    assert ct.read("logs/a.json")["file"].to_list() == ["logs/a.json"]
    assert ct.read(tmp_path / "logs")["file"].to_list() == [f"{tmp_path}/logs/a.json"]


def test_in_a_folder_the_ending_decides(tmp_path: Path, put: Put) -> None:
    read = ["a.json", "b.json.gz", "c.jsonl", "d.jsonl.gz", "e.ndjson", "f.ndjson.gz", "g.log", "h.log.gz", "i.gz"]
    for name in [*read, "j.txt", "k.json.bak", "l"]:
        put(name, "2024-02-29T00:00:00Z")
    report = ct.Report()
    assert names(ct.read(tmp_path, report=report)) == [f"{name}:0" for name in read]
    assert report.skipped == {"name": 3}
    assert names(ct.read(tmp_path / "j.txt")) == ["j.txt:0"]


# Selection


def test_since_and_until_are_exact(put: Put) -> None:
    path = put("a.json", "2024-02-29T11:59:59Z", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000001Z", "nonsense")
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert names(ct.read(path, since=noon)) == ["a.json:1", "a.json:2"]
    assert names(ct.read(path, until=noon)) == ["a.json:0"]
    assert names(ct.read(path, since=noon, until=noon + timedelta(microseconds=1))) == ["a.json:1"]
    assert len(names(ct.read(path))) == 4


@pytest.mark.parametrize(
    "noon",
    [
        datetime(2024, 2, 29, 12),  # noqa: DTZ001  # without a zone it is UTC
        datetime(2024, 2, 29, 13, tzinfo=timezone(timedelta(hours=1))),
        "2024-02-29T12:00",
        "2024-02-29 12:00:00Z",
        "2024-02-29T14:00:00+02:00",
    ],
)
def test_times_are_given_in_many_ways(put: Put, noon: datetime | str) -> None:
    path = put("a.json", "2024-02-29T11:59:59Z", "2024-02-29T12:00:00Z")
    assert names(ct.read(path, since=noon)) == ["a.json:1"]


@pytest.mark.parametrize("day", [date(2024, 2, 29), "2024-02-29"])
def test_a_date_is_its_midnight(put: Put, day: date | str) -> None:
    path = put("a.json", "2024-02-28T23:59:59Z", "2024-02-29T00:00:00Z")
    assert names(ct.read(path, since=day)) == ["a.json:1"]
    assert names(ct.read(path, until=day)) == ["a.json:0"]


def test_files_are_pruned_by_the_time_in_their_names(tmp_path: Path, put: Put) -> None:
    for minute in ("0005", "1200", "2355"):
        put(key(minute), "2024-02-29T06:00:00Z")

    def opened(**options: Any) -> tuple[int, int]:
        report = ct.Report()
        ct.read(tmp_path, report=report, **options)
        return report.files.read, report.skipped.get("time", 0)

    assert opened(since="2024-02-29T13:00:00") == (2, 1)
    assert opened(since="2024-02-29T13:00:01") == (1, 2)
    assert opened(until="2024-02-29T06:00:01") == (3, 0)
    assert opened(until="2024-02-29T06:00:01", max_delay=timedelta(hours=5)) == (2, 1)
    assert opened(until="2024-02-29T06:00:01", max_delay=timedelta(0)) == (1, 2)
    assert opened(until="2024-02-20", max_delay=None) == (3, 0)


def test_max_delay_says_how_late_events_may_come(tmp_path: Path, put: Put) -> None:
    put(key("2355"), "2024-02-29T06:00:00Z")
    bounds = {"since": "2024-02-29T05:00", "until": "2024-02-29T07:00"}
    assert ct.read(tmp_path, **bounds).height == 1
    assert ct.read(tmp_path, **bounds, max_delay=timedelta(hours=16)).height == 1
    assert ct.read(tmp_path, **bounds, max_delay=timedelta(hours=15)).height == 0
    assert ct.read(tmp_path, **bounds, max_delay=None).height == 1


def test_accounts_regions_and_kinds(tmp_path: Path, put: Put) -> None:
    for account in (ACCOUNT, OTHER):
        for region in ("eu-west-1", "us-east-1"):
            for kind in ("CloudTrail", "CloudTrail-Insight"):
                put(key("0005", account=account, region=region, kind=kind), "2024-02-29T00:00:00Z")
    put("events.json", "2024-02-29T00:00:00Z")

    def read(**options: Any) -> int:
        report = ct.Report()
        frame = ct.read(tmp_path, report=report, **options)
        assert report.files.listed == report.files.read + report.files.skipped
        return frame.height

    assert read() == 9
    assert read(accounts=OTHER) == read(accounts=[OTHER]) == 4
    with pytest.warns(ct.NothingChosen, match="no file has the account '999999999999'"):
        assert read(accounts={OTHER, "999999999999"}) == 4
    assert read(accounts=[ACCOUNT, OTHER]) == 8
    assert read(regions="us-east-1", kinds=["CloudTrail-Insight"]) == 2
    assert read(accounts=ACCOUNT, regions="us-east-1", kinds="CloudTrail") == 1
    with pytest.warns(ct.NothingChosen):
        assert read(regions="us-east-2") == read(accounts=[]) == 0


def test_digests_are_never_read(tmp_path: Path, put: Put, sample: Sample) -> None:
    digest = next(path for path in sample.archive.rglob("*.json.gz") if "Digest" in path.name)
    report = ct.Report()
    with pytest.warns(ct.NothingChosen):
        assert ct.read([digest], report=report).height == 0
    assert report.skipped == {"digest": 1}
    renamed = put("a.json.gz")
    renamed.write_bytes(digest.read_bytes())
    with pytest.warns(ct.NothingChosen, match="is 1 file of digests"):
        assert ct.read(tmp_path, report=report).height == 0
    assert report.skipped == {"digest": 1}


# Reports


def test_the_numbers_of_a_report(tmp_path: Path, put: Put) -> None:
    good = put("a.json.gz", "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z")
    bad = tmp_path / "b.json"
    bad.write_text(
        '{"Records":[{"eventTime":"2024-02-29T00:00:00Z"},"{",{"eventTime":"2024-02-29T01:00:00Z","readOnly":3}'
    )
    (tmp_path / "c.txt").touch()
    report = ct.Report()
    frame = ct.read(tmp_path, since="2024-02-29", on_error="collect", report=report)
    assert frame.height == 3
    assert report.complete
    assert report.files == (3, 1, 1, 1)
    assert report.records == (5, 3, 1, 1)
    assert report.skipped == {"name": 1}
    assert report.coerced == {"readOnly": 1}
    text = len(gzip.decompress(good.read_bytes()))
    assert report.bytes == (good.stat().st_size + bad.stat().st_size, text + bad.stat().st_size)
    assert report.bad["kind"].to_list() == ["invalid-json", "invalid-json"]
    assert report.bad["file"].unique().to_list() == [str(bad)]
    assert report.warnings.is_empty()
    assert report.warnings.schema == report.bad.schema
    assert repr(report) == "Report(files=(3, 1, 1, 1), records=(5, 3, 1, 1), complete=True)"


def test_a_new_report_is_empty() -> None:
    report = ct.Report()
    assert (report.files, report.records, report.bytes, report.complete) == ((0, 0, 0, 0), (0, 0, 0, 0), (0, 0), False)
    assert report.bad.columns == ["file", "byte", "record", "kind", "message", "records_kept"]
    assert (report.skipped, report.coerced) == ({}, {})


def test_a_report_is_about_the_last_run(sample: Sample, put: Put) -> None:
    report = ct.Report()
    events = ct.scan(sample.archive, report=report)
    for _ in range(2):
        events.collect()
        assert report.records.read == sample.records
    ct.read(put("a.json", "2024-02-29T00:00:00Z"), report=report)
    assert report.records.read == 1


def test_a_report_of_an_early_stop_is_not_complete(tmp_path: Path, put: Put) -> None:
    for number in range(300):
        put(f"{number:03}.json", *["2024-02-29T00:00:00Z"] * 100)
    report = ct.Report()
    assert ct.scan(tmp_path, report=report).head(3).collect().height == 3
    assert not report.complete
    assert report.records.read < 30_000


def test_on_error_raise_names_file_byte_and_record(tmp_path: Path, put: Put) -> None:
    put("a.json", "2024-02-29T00:00:00Z")
    path = tmp_path / "b.json"
    path.write_text('{"Records":[{"eventName":"x"},{"eventName":nope}]}')
    for run in (ct.read, lambda source: ct.scan(source).collect(), lambda source: list(ct.stream(source))):
        with pytest.raises(ct.FormatError) as raised:
            run(tmp_path)
        error = raised.value
        assert (error.key, error.byte, error.record, error.kind) == (str(path), 44, 1, "invalid-json")
        assert str(error).startswith(f"{path}: invalid JSON: ")
        assert isinstance(error, ct.CloudTrailError)


def test_on_error_collect_reads_on(tmp_path: Path, put: Put) -> None:
    put("a.json", "2024-02-29T00:00:00Z")
    (tmp_path / "b.json").write_text("nope")
    put("c.json", "2024-02-29T00:00:00Z")
    report = ct.Report()
    assert names(ct.read(tmp_path, on_error="collect", report=report)) == ["a.json:0", "c.json:0"]
    assert report.bad.rows() == [
        (str(tmp_path / "b.json"), 0, None, "unrecognized", "neither gzip nor JSON: starts with 0x6e", 0)
    ]


def test_limits(put: Put) -> None:
    path = put("a.json", *["2024-02-29T00:00:00Z"] * 1000)
    with pytest.raises(ct.FormatError, match="inflates to more than 1000 bytes"):
        ct.read(path, limits=ct.Limits(inflated=1000))


def test_progress_is_called_after_every_batch(sample: Sample) -> None:
    seen: list[tuple[int, int]] = []
    ct.scan(sample.archive, progress=lambda report: seen.append((report.files.read, report.records.read))).collect()
    assert seen
    assert seen == sorted(seen)
    assert seen[-1][1] == sample.records
    report = ct.Report()
    same: list[bool] = []
    ct.read(sample.archive, report=report, progress=lambda given: same.append(given is report))
    assert all(same)


def test_what_progress_raises_ends_the_query(sample: Sample) -> None:
    def stop(_: ct.Report) -> None:
        message = "enough"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="enough"):
        ct.read(sample.archive, progress=stop)


# Results


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_read_is_scan_and_collect(sample: Sample) -> None:
    frame = ct.read(sample.archive)
    assert_frame_equal(frame, ct.scan(sample.archive).collect())
    assert frame.height == sample.records
    assert frame.schema == ct.read([]).schema


@pytest.mark.parametrize("columns", [["eventName"], ["record", "eventTime", "file"], ["userIdentity", "raw"], []])
def test_a_subset_of_the_columns(sample: Sample, columns: list[str]) -> None:
    full = ct.read(sample.archive)
    assert_frame_equal(ct.scan(sample.archive).select(columns).collect(), full.select(columns))
    if columns:
        table = pl.DataFrame(ct.stream(sample.archive, columns=columns))
        assert_frame_equal(table, full.select(columns))


def test_sql(sample: Sample) -> None:
    report = ct.Report()
    found = ct.sql(
        sample.archive,
        "SELECT userIdentity.arn, eventName FROM events WHERE eventName LIKE 'Delete%' ORDER BY eventTime",
        since="2025-03-12T14:20",
        report=report,
    )
    assert found.columns == ["arn", "eventName"]
    assert found["eventName"].to_list() == ["DeleteDetector", "DeleteLoginProfile", "DeleteBucketPolicy"]
    assert report.complete
    with pytest.raises(ct.QueryError, match="SELEC is no query"):
        ct.sql(sample.archive, "SELEC")
    with pytest.raises(pl.exceptions.SQLInterfaceError):
        ct.sql(sample.archive, "SELEC", dialect="polars")


def test_explain_says_what_will_be_read(sample: Sample) -> None:
    events = ct.scan(
        "logs",
        since="2025-03-12",
        until=datetime(2025, 3, 13, tzinfo=UTC),
        accounts=[OTHER, ACCOUNT],
        regions="eu-west-1",
        kinds="CloudTrail",
        max_delay=timedelta(hours=6),
    )
    expected = (
        f"logs accounts={ACCOUNT},{OTHER} regions=eu-west-1 kinds=CloudTrail since=2025-03-12T00:00:00+00:00"
        " until=2025-03-13T00:00:00+00:00 max_delay=6:00:00"
    )
    assert "CLOUDTRAIL" in events.explain()
    assert expected in events.explain()
    assert str(sample.archive) in ct.scan(sample.archive).explain()
    assert "2 sources" in ct.scan(["a", "b"]).explain()


# Streams


def test_a_stream_gives_batches(sample: Sample) -> None:
    with ct.stream(sample.archive) as events:
        batches = list(events)
        assert all(isinstance(batch, pa.RecordBatch) and batch.schema == events.schema for batch in batches)
        assert next(events, None) is None
    assert_frame_equal(pl.concat(map(pl.DataFrame, batches)), ct.read(sample.archive))


@pytest.mark.parametrize("rows", [1, 7, 1000, 1_000_000])
def test_batch_rows_is_an_upper_bound(sample: Sample, rows: int) -> None:
    sizes = [batch.num_rows for batch in ct.stream(sample.archive, columns=["eventTime"], batch_rows=rows)]
    assert sum(sizes) == sample.records
    assert max(sizes) <= rows


def test_a_closed_stream_is_exhausted(sample: Sample) -> None:
    events = ct.stream(sample.archive, batch_rows=10)
    assert next(events).num_rows == 10
    events.close()
    assert next(events, None) is None
    with pytest.raises(ct.ConsumedError, match=r"start another one with stream\(\.\.\.\)"):
        list(events)
    events.close()


def test_a_stream_takes_the_options_of_scan(sample: Sample) -> None:
    report = ct.Report()
    options = {"since": "2025-03-12T12:00", "until": "2025-03-12T14:00", "accounts": ACCOUNT}
    frame = pl.DataFrame(ct.stream(sample.archive, report=report, **options))
    assert_frame_equal(frame, ct.read(sample.archive, **options))
    assert report.records.read == frame.height


def test_polars_reads_a_stream(sample: Sample) -> None:
    assert_frame_equal(pl.DataFrame(ct.stream(sample.archive)), ct.read(sample.archive))


def test_pyarrow_reads_a_stream(sample: Sample) -> None:
    table = pa.table(ct.stream(sample.archive))
    assert table.schema.field("eventTime").type == pa.timestamp("us", "UTC")
    assert_frame_equal(pl.DataFrame(table), ct.read(sample.archive))
    reader = pa.RecordBatchReader.from_stream(ct.stream(sample.archive, columns=["eventName"]))
    assert reader.read_all().num_rows == sample.records


def test_duckdb_reads_a_stream(sample: Sample) -> None:
    events = pa.RecordBatchReader.from_stream(ct.stream(sample.archive))
    with duckdb.connect() as connection:
        connection.register("events", events)
        query = (
            "SELECT userIdentity.type AS kind, count(*) AS n, epoch_us(min(eventTime)) FROM events GROUP BY kind"
            " ORDER BY n, kind"
        )
        found = connection.sql(query).fetchall()
    kind = pl.col("userIdentity").struct["type"].alias("kind")
    counts = ct.read(sample.archive).group_by(kind).agg(n=pl.len(), first=pl.col("eventTime").min().dt.epoch("us"))
    assert found == counts.sort("n", pl.col("kind"), nulls_last=True).rows()


def test_pandas_reads_a_stream(sample: Sample) -> None:
    columns = ["eventTime", "eventName", "readOnly", "record"]
    frame = pd.DataFrame.from_arrow(ct.stream(sample.archive, columns=columns))
    expected = ct.read(sample.archive).select(columns)
    assert list(frame.columns) == columns
    assert frame["eventName"].dropna().tolist() == expected["eventName"].drop_nulls().to_list()
    assert frame["eventTime"].dt.to_pydatetime().tolist() == expected["eventTime"].to_list()
