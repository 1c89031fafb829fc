"""2 of 9, item 4: lines of ``aws logs tail``, results of queries, and rows that ctfast wrote itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ctfast as ct
import ctfast.sample
import reference
from ctfast.cli import main

NAMES = ["E0", "E1", "E2"]
RECORDS: list[dict[str, Any]] = [
    {
        "eventVersion": "1.11",
        "eventTime": "2025-03-12T10:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "requestParameters": {"bucketName": f"b{name}"},
        "resources": [{"ARN": "arn:aws:s3:::b"}],
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/dana"},
        "new": {"key": 1.0},
    }
    for name in NAMES
]
LINES = [json.dumps(record) for record in RECORDS]
BUCKET = '{ $.requestParameters.bucketName = "bE1" && $.errorCode NOT EXISTS && $.new.key = 1 }'


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(ctfast.sample.write(tmp_path_factory.mktemp("sample")).archive)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def names(file: Path, text: str) -> list[str]:
    """The events of a file, after a check that it gives no errors and no warnings."""
    file.write_text(text)
    report = ct.Report()
    found = ct.read(file, on_error="collect", report=report)
    assert (report.bad.height, report.warnings.height, report.files.read) == (0, 0, 1)
    assert found["raw"].to_list() == [row["raw"] for row in reference.read_bytes(text.encode()).rows]
    return found["eventName"].to_list()


def kinds(file: Path, text: str) -> list[tuple[str, int]]:
    """The kinds of errors in a file that has no records."""
    file.write_text(text)
    report = ct.Report()
    assert ct.read(file, on_error="collect", report=report).height == 0
    bad = reference.read_bytes(text.encode()).bad_records
    assert [*report.bad.select("kind", "byte").iter_rows()] == [(damage.kind, damage.byte) for _, damage in bad]
    with pytest.raises(ct.FormatError):
        ct.read(file)
    return list(report.bad.select("kind", "record").iter_rows())


SHORT = "2025-03-12T10:00:00 {}"
DETAILED = "2025-03-12T10:00:00.123000+00:00 111122223333_CloudTrail_us-east-1 {}"


@pytest.mark.parametrize(
    "prefix", [SHORT, DETAILED, "2025-03-12T10:00:00.123Z {}", "2025-03-12T10:00:00+00:00 a/b_1-2 {}"]
)
def test_lines_of_logs_tail(prefix: str, tmp_path: Path) -> None:
    text = "".join(f"{prefix.format(line)}\n" for line in LINES)
    assert names(tmp_path / "tail.log", text) == NAMES
    assert [row["raw"] for row in reference.read_bytes(text.encode()).rows] == LINES


@pytest.mark.parametrize("prefix", [SHORT, DETAILED])
def test_records_of_logs_tail_over_several_lines(prefix: str, tmp_path: Path) -> None:
    text = "".join(f"{prefix.format('')}\n{json.dumps(record, indent=4)}\n" for record in RECORDS)
    assert names(tmp_path / "tail.log", text) == NAMES


@pytest.mark.parametrize("size", [1 << 20, (2 << 20) + 7])
def test_lines_of_logs_tail_at_the_edge_of_a_window(size: int, tmp_path: Path) -> None:
    line = DETAILED.format(LINES[0]) + "\n"
    count = size // len(line) + 2
    for shift in range(0, 120, 7):
        (tmp_path / "tail.log").write_text(" " * shift + line * count)
        report = ct.Report()
        assert ct.read(tmp_path / "tail.log", report=report).height == count


def lake(rows: list[dict[str, str]]) -> str:
    """The output of ``aws cloudtrail get-query-results``."""
    listed = [[{name: value} for name, value in row.items()] for row in rows]
    return json.dumps(
        {"QueryStatus": "FINISHED", "QueryStatistics": {"ResultsCount": len(rows)}, "QueryResultRows": listed}, indent=2
    )


def test_results_of_lake_that_hold_records_are_read(tmp_path: Path) -> None:
    rows = [{"eventName": name, "eventJson": line} for name, line in zip(NAMES, LINES, strict=True)]
    assert names(tmp_path / "lake.json", lake(rows)) == NAMES
    assert names(tmp_path / "rows.ndjson", "\n".join(map(json.dumps, rows))) == NAMES


def test_results_of_queries_are_named(tmp_path: Path) -> None:
    rows = [{"eventName": name, "eventTime": "2025-03-12 10:00:00.000"} for name in NAMES]
    assert kinds(tmp_path / "lake.json", lake(rows)) == [("query-result", 0), ("query-result", 1), ("query-result", 2)]
    athena = {
        "ResultSet": {"Rows": [{"Data": [{"VarCharValue": "eventname"}]}], "ResultSetMetadata": {}},
        "UpdateCount": 0,
    }
    assert kinds(tmp_path / "athena.json", json.dumps(athena)) == [("query-result", 0)]
    unloaded = "\n".join(json.dumps({"eventname": name, "useridentity": {"type": "Root"}}) for name in NAMES[:2])
    assert kinds(tmp_path / "unloaded.json", unloaded) == [("query-result", 0), ("query-result", 1)]
    result = run("scan", tmp_path / "athena.json")
    assert (result.exit_code, "columns that a query gave, not records" in result.stderr) == (2, True)


def test_own_rows_are_read_back_filters_included(tmp_path: Path, archive: Path) -> None:
    """The whole record is in ``raw``: it is what counts, not the row around it."""
    log, out = tmp_path / "log.json", tmp_path / "out.ndjson"
    log.write_text(json.dumps({"Records": RECORDS}))
    assert run("scan", log, "--format", "ndjson", "-o", out).exit_code == 0
    where = ct.FilterPattern(BUCKET)
    expected = ct.read(log, where=where).drop("file", "record")
    assert expected["eventName"].to_list() == ["E1"]
    assert ct.read(out, where=where).drop("file", "record").equals(expected)
    assert json.loads(run("match", out, "--filter-pattern", BUCKET, "--as", "record").stdout) == RECORDS[1]
    assert run("scan", archive, "--format", "ndjson", "-o", out).exit_code == 0
    assert ct.read(out).drop("file", "record").equals(ct.read(archive).drop("file", "record"))
    assert run("scan", log, "--columns", "raw", "--format", "ndjson", "-o", out).exit_code == 0
    assert ct.read(out)["eventName"].to_list() == NAMES


@pytest.mark.parametrize(
    "columns", ["eventName,requestParameters", "eventTime,userIdentity.arn", "requestParameters,eventName"]
)
def test_own_rows_that_lack_the_record_are_reported(columns: str, tmp_path: Path) -> None:
    """They may be records from which a tool has removed fields: nothing is lost, and there is a finding."""
    log, out = tmp_path / "log.json", tmp_path / "out.ndjson"
    log.write_text(json.dumps({"Records": RECORDS}))
    assert run("scan", log, "--columns", columns, "--format", "ndjson", "-o", out).exit_code == 0
    report = ct.Report()
    assert ct.read(out, report=report).height == 3
    assert [*report.warnings.select("kind", "record").iter_rows()] == [("flattened", 0)]
    result = run("match", out, "--filter-pattern", BUCKET)
    assert result.exit_code == 0
    assert (
        "is no object, as in rows of a table: filters do not look into it; write records by --as record"
        in result.stderr
    )


def test_a_record_that_says_little_is_still_one(tmp_path: Path) -> None:
    """A string is a valid parameter, and plain columns may be what is left of a record."""
    record = {"eventName": "E0", "requestParameters": "HIDDEN", "responseElements": None, "raw": None, "file": "x"}
    assert names(tmp_path / "a.json", json.dumps(record)) == ["E0"]
