"""``ctfast bench``: answers are compared, problems are named, and there are ratios only where they mean something."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from ctfast._bench.machine import STEADY, Machine, spread
from ctfast._bench.measure import Ground, Samples, Time, Worker, WorkerError, compare
from ctfast._bench.measure import Result as Compared
from ctfast._bench.readers.base import difference, manifest_of
from ctfast._bench.sample import Sample, sampled
from ctfast._show.folding import Room
from ctfast.cli import bench as verb
from ctfast.cli import main
from ctfast.exceptions import ArgumentError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of four files with ten events each, one of them a rare one."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(4):
        records = [
            event(f"{number}-{place}", "DeleteTrail" if number + place == 12 else "ListBuckets") for place in range(10)
        ]
        (folder / f"{number}.json.gz").write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    return folder


def event(identity: str, name: str) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Alice"},
        "eventTime": "2026-11-20T10:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": {"n": 1.0},
        "eventID": identity,
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
    }


def run(*arguments: str | Path) -> Result:
    environment = {"COLUMNS": "100", "NO_COLOR": None, "FORCE_COLOR": None, "TERM": "dumb"}
    return CliRunner(env=environment).invoke(main, ["bench", *map(str, arguments)], prog_name="ctfast")


def test_each_reader_has_a_row_for_each_task_and_ratios_only_of_a_steady_floor(archive: Path) -> None:
    result = run(archive, "--peer", "polars", "--rounds", "3", "--threads", "1", "-f", "json")
    rows = json.loads(result.stdout)
    readers = ["floor", "ctfast", "polars"]
    assert [(row["task"], row["reader"]) for row in rows] == [
        (task, reader) for task in ("columns", "count", "rare") for reader in readers
    ]
    for row in rows:
        assert row["difference"] is None
        assert (row["files"], row["records"], row["threads"]) == (4, 40, 1)
        assert row["seconds"] > 0
        assert row["rounds"] == 3
        steady = row["floor_spread"] <= STEADY
        assert (row["ratio_to_floor"] is not None) == (steady and row["reader"] != "floor")
        assert (row["ratio_to_ctfast"] is not None) == (steady and row["reader"] == "polars")
    unsteady = {row["task"] for row in rows if row["floor_spread"] > STEADY}
    assert result.exit_code == bool(unsteady)
    assert result.stderr.count("no ratios") == bool(unsteady)


def test_files_that_not_every_reader_can_read_are_left_out(archive: Path, tmp_path: Path) -> None:
    whole = (archive / "0.json.gz").read_bytes()
    (archive / "4.json.gz").write_bytes(whole[:-9])
    (archive / "5.json").write_text(json.dumps({"Records": [event("5", "ListBuckets")]}))
    (archive / "6.json.gz").write_bytes(gzip.compress(b'{"Records": [{"eventName": 7}'))
    (archive / "7.json.gz").write_bytes(gzip.compress(b'{"Records": []}'))
    found = sampled([str(archive)], tmp_path / "links", 10**9, 2)
    assert (found.files, found.records) == (5, 40)
    assert sorted(Path(name).name for name in found.left_out) == ["4.json.gz", "5.json", "6.json.gz"]


def test_a_sample_has_the_first_files_and_what_they_hold(archive: Path, tmp_path: Path) -> None:
    found = sampled([str(archive)], tmp_path / "some", 1, 1)
    assert (found.files, found.records, found.more, found.left_out) == (1, 10, True, [])
    found = sampled([str(archive)], tmp_path / "all", 10**9, 2)
    assert (found.files, found.records, found.more, found.rare) == (4, 40, False, "DeleteTrail")
    answers = json.loads(manifest_of(found.path).read_bytes())
    assert answers["event_names"] == {"DeleteTrail": 1, "ListBuckets": 39}
    assert answers["rare"] == [
        ["2026-11-20T10:00:00Z", "DeleteTrail", "arn:aws:iam::111122223333:user/Alice", "192.0.2.1", "3-9"]
    ]
    text = sum(len(gzip.decompress(file.read_bytes())) for file in archive.iterdir())
    assert (found.text, answers["bytes_inflated"]) == (text, text)


def test_an_archive_without_files_or_in_a_bucket_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source, words in ((tmp_path / "empty", "can be measured"), ("s3://bucket/logs", "copy it first")):
        result = run(source)
        assert result.exit_code == 2
        assert words in result.stderr
        assert result.stderr.count("\n") == 1
        with pytest.raises(ArgumentError):
            sampled([str(source)], tmp_path / "links", 1, 1)


def test_a_worker_tells_a_wrong_answer_and_one_that_fails_is_left_out(archive: Path, tmp_path: Path) -> None:
    folder = sampled([str(archive)], tmp_path / "links", 10**9, 1).path
    answers = json.loads(manifest_of(folder).read_bytes())
    result = compare(Ground(folder, 1, 2), "count", ["nobody"])
    assert [sample.reader for sample in result.samples] == ["ctfast"]
    assert len(result.samples[0].times) == 2
    assert result.failed == ["nobody, count: KeyError: 'nobody'"]
    answers["event_names"]["ListBuckets"] = 38
    manifest_of(folder).write_text(json.dumps(answers))
    with Worker("polars", "count", folder, 1) as worker:
        worker.check()
        assert worker.difference == "ListBuckets: 39 instead of 38"
    with pytest.raises(WorkerError, match="ctfast, count: ListBuckets: 39 instead of 38"):
        compare(Ground(folder, 1, 2), "count", [])


def test_differences_are_told_in_words() -> None:
    answers = {
        "events": 2,
        "first_time": "2026-11-20T10:00:00Z",
        "last_time": None,
        "not_null": {"eventName": 2},
        "event_names": {"A": 2},
        "rare": [["2026-11-20T10:00:00Z", "A", None, "192.0.2.1", "1"]],
        "record_bytes": 9,
        "bytes_inflated": 10,
    }
    row = [dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC), "A", None, "192.0.2.1", "1"]
    assert difference("columns", {"rows": 2, "first": "2026-11-20 10:00:00", "eventName": 2}, answers) is None
    assert (
        difference("columns", {"rows": 1, "errorCode": 1}, answers) == "rows: 1 instead of 2, errorCode: 1 instead of 0"
    )
    assert difference("count", {"A": 2, None: 1}, answers) is None
    assert difference("count", {"B": 2}, answers) == "A: None instead of 2, B: 2 instead of None"
    assert difference("rare", [row], answers) is None
    assert difference("rare", [], answers) == "0 rows instead of 1"
    assert str(difference("rare", [[*row[:4], "2"]], answers)).startswith("rows: ['2026-11-20T10:00:00Z', 'A', None,")
    assert difference("inflate", {"text": 11}, answers) == "text: 11 instead of 10"


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("floors", [(1.0, 1.09), (1.0, 1.2)])
def test_the_page_fits_and_refuses_ratios_of_an_unsteady_floor(width: int, floors: tuple[float, float]) -> None:
    times = [Time(2.0, 3.9)] * 2
    mine = Samples("ctfast", "ctfast 1", 10**9, None, times, [Time(each, each) for each in floors])
    polars = Samples("polars", "Polars 2", 2 * 10**9, None, times, mine.floors, times)
    duckdb = Samples("duckdb", "DuckDB 2", 3 * 10**9, "rows: 1 instead of 2", times, mine.floors, times)
    sample = Sample(Path("links"), 630, 58_000_000, 506_000_000, 306_000, True, list("abcd"), "DeleteBucket")
    results = [Compared(task, [mine, polars, duckdb], []) for task in ("columns", "count", "rare")]
    host = Machine("AMD EPYC 9B14", 2, 24, "Linux 6.1 x86_64", "3.11")
    made = verb._Run(dt.date(2026, 11, 20), host, 2, (0.5, 2.0), sample, results, [])  # noqa: SLF001
    console = Console(width=width, record=True, file=io.StringIO())
    for part in verb._page(made, Room(width, folds_arns=False)):  # noqa: SLF001
        console.print(part)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    steady = spread(floors) <= STEADY
    assert ("To floor" in text) == steady
    assert " ".join(text.split()).lower().count("no ratios") == (not steady)
    assert " ".join(text.split()).count("DuckDB has another answer: rows: 1 instead of 2") == 3
    assert "with good records only: a, b, c and 1 more" in " ".join(text.split())
    (row,) = {line for line in text.splitlines() if line.startswith("DuckDB ")} - {""}
    assert row.split()[:3] == ["DuckDB", "2.000", "3.900"]
    assert row.count("-") == (3 if steady else 0)
