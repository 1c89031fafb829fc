"""Cases from the trial, with the expected values; ``$CTFAST_CASES`` names their folder, which is not in the project.

Each has another test with inputs of the project: ``HELD`` says which, so that no behaviour is tested only with a folder
that other developers may not have.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast import sample as samples
from ctfast.cli import main

HELD = {
    "amplify": "test_1_02_memory.py",
    "appledouble": "test_2_03_*.py",
    "checkpoint_empty_then_full": "test_1_08_tried_again.py",
    "cwl_control_message": "test_2_03_*.py",
    "eb_foreign_detail": "test_2_01_*.py",
    "eventbridge_read_only": "test_2_02_envelopes.py",
    "gap_cwl_shapes": "test_2_04_*.py",
    "gap_lookup_shapes": "test_2_04_*.py",
    "gap_own_ndjson": "test_2_04_as_record.py",
    "gzip_member_bit": "test_1_10_gzip_members.py",
    "insight_event_source": "test_2_02_envelopes.py",
    "lint_bucket_slash_equals": "test_2_13_lint.py",
    "ndjson_foreign_line": "test_2_01_*.py",
    "partitions": "test_2_05_partitions.py",
}
FOLDER = Path(os.environ.get("CTFAST_CASES", ""))
pytestmark = pytest.mark.skipif(
    "CTFAST_CASES" not in os.environ or not all((FOLDER / name).is_dir() for name in HELD),
    reason="set CTFAST_CASES to the folder of the cases",
)


def counted(name: str, **options: Any) -> tuple[int, ct.Report]:
    """Rows of a case's file, and the report."""
    report = ct.Report()
    return ct.read(FOLDER / name, report=report, on_error="collect", **options).height, report


def run(*words: str | Path) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_each_case_is_held_by_a_test_of_our_own() -> None:
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} == set(HELD)
    for pattern in HELD.values():
        assert list(Path(__file__).parent.glob(pattern)), pattern


@pytest.mark.parametrize("file", ["rows.json.gz", "bad.json.gz"])
def test_amplify(file: str) -> None:
    """Bounded like any other file; the first bad records are named, the others counted."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = ct.Report()
    rows = 0
    with ct.stream(FOLDER / "amplify" / file, threads=1, on_error="collect", report=report) as batches:
        for batch in batches:
            rows += batch.num_rows
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) * (1024 if sys.platform.startswith("linux") else 1) < 400 << 20
    assert rows == report.records.read
    assert report.records.seen == sum(report.records[1:])
    assert report.bad.height <= 101
    assert "ratio" in report.bad["kind"].to_list()


def test_appledouble(tmp_path: Path) -> None:
    assert ct.read(FOLDER / "appledouble").height == counted("appledouble/evidence")[0] > 0
    assert counted("appledouble/evidence")[1].skipped == {"name": 1}
    made = samples.write(tmp_path / "sample")
    log = next(made.archive.rglob("*_CloudTrail_*.json.gz"))
    beside = next((FOLDER / "appledouble").rglob("._*"))
    shutil.copy(beside, log.with_name(f"._{log.name}"))
    assert ct.verify(made.archive, keys=made.keys, signatures=made.signatures).ok


@pytest.mark.parametrize("first", ["run1", "run1_trunc"])
def test_checkpoint_empty_then_full(first: str, tmp_path: Path) -> None:
    case, archive = FOLDER / "checkpoint_empty_then_full", tmp_path / "archive"
    shutil.copytree(case / first, archive)
    # The truncated file has other content in the second run, under another name.
    (cut,) = archive.rglob("*.json.gz")
    (whole,) = (case / "run2").rglob("*.json.gz")

    def read() -> int:
        with ct.Checkpoint(tmp_path / "state") as checkpoint:
            return ct.read(archive, checkpoint=checkpoint, on_error="collect").height

    assert read() == 0
    shutil.copy(whole, cut)
    assert read() == 5


def test_cwl_control_message() -> None:
    assert ct.read(FOLDER / "cwl_control_message" / "firehose.json").height == 1
    rows, report = counted("cwl_control_message/firehose.json")
    assert (rows, report.files.bad, report.records.bad, report.records.skipped) == (1, 0, 0, 1)


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_eb_foreign_detail() -> None:
    file = "eb_foreign_detail/events.ndjson"
    rows, report = counted(file)
    assert (rows, tuple(report.records)) == (1, (3, 1, 0, 2))
    guard_duty = ct.EventPattern({"detail-type": ["GuardDuty Finding"]})
    for expected, where in (
        (1, ct.EventPattern({"detail-type": ["AWS API Call via CloudTrail"]})),
        (1, ct.EventSelectors([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}])),
        (0, guard_duty),
    ):
        assert counted(file, where=where)[0] == expected
        assert ct.match(FOLDER / file, {"rule": where}).collect().height == expected
    for line in (FOLDER / file).read_text().splitlines():
        assert not guard_duty.matches(line)


@pytest.mark.parametrize("rule", ["rule_enabled.json", "rule_disabled.json"])
def test_eventbridge_read_only(rule: str) -> None:
    case = FOLDER / "eventbridge_read_only"
    assert ct.match(case / "log.json", ct.rules(case / rule)).collect().height == 0


@pytest.mark.parametrize("file", sorted(path.name for path in (FOLDER / "gap_cwl_shapes").glob("[a-f]_*")))
def test_gap_cwl_shapes(file: str) -> None:
    """Each shape gives a row, or at least a message that says what it is."""
    rows, report = counted(f"gap_cwl_shapes/{file}")
    words = " ".join(report.bad["message"])
    assert rows == 1 or {"e": "gzip", "f": "UTF-16"}.get(file[0], "?") in words
    assert report.records.bad == 0


@pytest.mark.parametrize("file", sorted(path.name for path in (FOLDER / "gap_lookup_shapes").glob("[a-e]_*")))
def test_gap_lookup_shapes(file: str) -> None:
    rows, report = counted(f"gap_lookup_shapes/{file}")
    assert (rows, report.bad.height) == (2, 0)


def test_gap_own_ndjson(tmp_path: Path) -> None:
    log, out = FOLDER / "gap_own_ndjson" / "log.json", tmp_path / "out.ndjson"
    run("scan", log, "--as", "record", "-o", out)
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert records == json.loads(log.read_text())["Records"]
    assert records[0]["requestParameters"]["bucketName"] == "b0"
    pattern = '{ $.requestParameters.bucketName = "b0" }'
    assert (
        ct.read(out, where=ct.FilterPattern(pattern)).height
        == ct.read(log, where=ct.FilterPattern(pattern)).height
        == 1
    )


def test_gzip_member_bit() -> None:
    rows, report = counted("gzip_member_bit/one_bit.json.gz")
    assert (rows, report.files.bad, report.files.read) == (1, 1, 0)
    assert "bytes after gzip member 1" in report.bad["message"][0]


def test_insight_event_source(tmp_path: Path) -> None:
    case = FOLDER / "insight_event_source"
    pattern = ct.EventPattern(case / "pattern.json")
    assert ct.read(case / "insight.json", where=pattern).height == 1
    assert ct.read(samples.write(tmp_path / "sample").archive, where=pattern).height == 2


@pytest.mark.parametrize("operator", ["Equals", "NotEquals"])
def test_lint_bucket_slash_equals(operator: str) -> None:
    given = (FOLDER / "lint_bucket_slash_equals" / "selectors.json").read_text().replace("NotEquals", operator)
    found = ct.lint(json.loads(given))
    assert found["severity"].to_list() == ["warning"]
    assert "StartsWith" in found["message"][0]


@pytest.mark.parametrize(
    ("file", "rows", "bad", "skipped"),
    [
        ("a.ndjson", 6, 0, 1),
        ("b_null.ndjson", 2, 0, 1),
        ("c_records.json", 2, 0, 1),
        ("d_torn_line.ndjson", 2, 1, 0),
        ("e_first.ndjson", 1, 0, 1),
    ],
)
def test_ndjson_foreign_line(file: str, rows: int, bad: int, skipped: int) -> None:
    read, report = counted(f"ndjson_foreign_line/{file}")
    assert (read, report.records.bad, report.records.skipped) == (rows, bad, skipped)


def test_partitions() -> None:
    case = FOLDER / "partitions"
    assert ct.read(case / "log.json", where=ct.EventSelectors(case / "selectors.json")).height == 1
    assert "error" not in ct.lint(case / "selectors.json")["severity"].to_list()
