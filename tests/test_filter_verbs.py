"""``ctfast match``, ``lint`` and ``cost``: whole outputs, data, exit codes."""

from __future__ import annotations

import doctest
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.sample import Sample
from test_cli import ARCHIVE, check, outcome, plain, run

__all__ = ["plain"]  # a fixture

NEW: list[dict[str, Any]] = [
    {
        "Name": "writes, without KMS",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Management"]},
            {"Field": "readOnly", "Equals": ["false"]},
            {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
        ],
    },
    {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::example-finance"]},
        ]
    },
]
CURRENT = {
    "EventSelectors": [
        {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}
    ]
}
PATTERN = {"source": ["aws.s3"], "detail": {"eventName": [{"prefix": "PutBucket"}, {"prefix": "DeleteBucket"}]}}
DELETIONS = {
    "Rules": [{"Name": "deletions", "EventPattern": json.dumps({"detail": {"eventName": [{"prefix": "Delete"}]}})}]
}
ROOT = '{ $.userIdentity.type = "Root" }'


@pytest.fixture
def here(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample archive and some filters, in which the test runs."""
    (tmp_path / ARCHIVE).symlink_to(plain / ARCHIVE, target_is_directory=True)
    (tmp_path / "new.json").write_text(json.dumps({"AdvancedEventSelectors": NEW}))
    (tmp_path / "current.json").write_text(json.dumps(CURRENT))
    (tmp_path / "pattern.json").write_text(json.dumps(PATTERN))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/deletions.json").write_text(json.dumps(DELETIONS))
    (tmp_path / "rules/root.filter").write_text(f"{ROOT}\n")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/selectors.json").write_text(
        json.dumps({"AdvancedEventSelectors": [{"FieldSelectors": NEW[1]["FieldSelectors"][1:]}]})
    )
    (tmp_path / "bad/pattern.json").write_text('{\n  "detail": {\n    "eventName": "PutObject"\n  }\n}\n')
    (tmp_path / "bad/word.filter").write_text('{ $.eventName = "Put*Object" }')
    (tmp_path / "bad/open.filter").write_text("{ $.eventName = PutObject")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("match-selectors", ["match", ARCHIVE, "--selectors", "new.json", "--limit", "8"]),
        ("match-filter-pattern", ["match", ARCHIVE, "--filter-pattern", ROOT]),
        ("match-event-pattern", ["match", ARCHIVE, "--event-pattern", "pattern.json"]),
        ("match-rules", ["match", ARCHIVE, "--rules", "rules", "--region", "us-east-1"]),
        ("match-pack-count", ["match", ARCHIVE, "--pack", "cis", "--count"]),
        (
            "match-ndjson",
            ["match", ARCHIVE, "--rules", "rules", "--columns", "eventName", "--format", "ndjson", "--limit", "3"],
        ),
        ("cost", ["cost", ARCHIVE, "--selectors", "new.json", "--region", "us-east-1"]),
        (
            "cost-against",
            ["cost", ARCHIVE, "--selectors", "new.json", "--against", "current.json", "--region", "us-east-1"],
        ),
    ],
)
@pytest.mark.parametrize("width", [80, 120])
def test_outputs(here: Path, name: str, arguments: list[str], width: int) -> None:
    result = run(*arguments, width=width)
    longer = [line for line in result.stdout.splitlines() if len(line) > width]
    assert all("arn:" in line for line in longer) or "ndjson" in name
    check(f"{name}-{width}", outcome(result))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("lint", ["lint", "new.json", "rules", "bad"]),
        ("lint-warning", ["lint", "new.json"]),
        ("lint-json", ["lint", "bad/pattern.json", "--format", "json"]),
        ("lint-nowhere", ["lint", "nowhere.json"]),
        ("match-nothing", ["match", ARCHIVE]),
        ("match-no-rules", ["match", ARCHIVE, "--filter-pattern", ROOT, "--count"]),
        ("match-bad", ["match", ARCHIVE, "--event-pattern", "bad/pattern.json"]),
        ("match-bad-rules", ["match", ARCHIVE, "--rules", "bad"]),
        ("match-wrong-language", ["match", ARCHIVE, "--selectors", "pattern.json"]),
        ("match-twice", ["match", ARCHIVE, "--rules", "rules", "--rules", "rules/root.filter", "--count"]),
        ("match-no-column", ["match", ARCHIVE, "--filter-pattern", ROOT, "--columns", "rules"]),
        ("cost-bad", ["cost", ARCHIVE, "--selectors", "bad/selectors.json"]),
        ("cost-no-prices", ["cost", ARCHIVE, "--selectors", "new.json", "--prices", "pattern.json"]),
    ],
)
def test_findings_and_trouble(here: Path, name: str, arguments: list[str]) -> None:
    check(name, outcome(run(*arguments)))


def test_match_gives_all_columns_and_the_rules(here: Path) -> None:
    result = run("match", ARCHIVE, "--rules", "rules", "--pack", "cis", "--format", "parquet")
    rules = ct.rules(here / "rules") | ct.packs.load("cis")
    found = pl.read_parquet(io.BytesIO(result.stdout_bytes))
    assert_frame_equal(found, ct.match(ARCHIVE, rules).collect())
    assert (found.columns[-1], result.exit_code, result.stderr) == ("rules", 0, "")


def test_conditions_are_met_together(here: Path) -> None:
    columns = ["--columns", "eventID", "--format", "csv"]
    both = run(
        "match", ARCHIVE, "--selectors", "new.json", "--event-pattern", "pattern.json", *columns
    ).stdout.splitlines()[1:]
    where = ct.EventSelectors({"AdvancedEventSelectors": NEW}) & ct.EventPattern(PATTERN)
    assert both == ct.read(ARCHIVE, where=where)["eventID"].to_list() != []
    result = run(
        "match",
        ARCHIVE,
        "--event-pattern",
        "pattern.json",
        "--pack",
        "cis",
        "--columns",
        "rules,eventID",
        "--format",
        "csv",
    )
    expected = ct.match(ARCHIVE, ct.packs.load("cis"), where=ct.EventPattern(PATTERN)).collect()
    lines = [
        f'"[""{names[0]}""]",{event}' for names, event in expected.select("rules", "eventID").rows() if len(names) == 1
    ]
    assert result.stdout.splitlines()[1:] == lines != []


def test_counts_are_those_of_the_rows(here: Path) -> None:
    result = run("match", ARCHIVE, "--pack", "cis", "--count", "--format", "ndjson")
    counts = {row["rule"]: row["records"] for row in map(json.loads, result.stdout.splitlines())}
    names = ct.match(ARCHIVE, ct.packs.load("cis")).collect()["rules"].explode().to_list()
    assert counts == {name: names.count(name) for name in ct.packs.load("cis")}


def test_cost_as_data(here: Path) -> None:
    result = run(
        "cost", ARCHIVE, "--selectors", "new.json", "--against", "current.json", "--further-copy", "-o", "cost.parquet"
    )
    assert (result.exit_code, result.output) == (0, "")
    found = ct.cost(
        ARCHIVE,
        ct.EventSelectors(here / "new.json"),
        against=ct.EventSelectors(here / "current.json"),
        further_copy=True,
    )
    assert_frame_equal(pl.read_parquet("cost.parquet"), found.events)


def test_lint_as_json(here: Path) -> None:
    result = run("lint", "bad", "new.json", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == ct.lint(Path("bad"), Path("new.json")).to_dicts()
    assert (run("lint", "current.json").output, run("lint", "current.json").exit_code) == ("0 errors, 0 warnings\n", 0)


def test_bad_files_end_with_one(here: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    arguments = ["x.json", "--filter-pattern", "x"]
    assert run("match", *arguments).exit_code == 2
    assert run("match", *arguments, "--on-error", "collect").exit_code == 1
    assert run("match", "x.json", "--pack", "cis", "--count", "--on-error", "collect").exit_code == 1
    assert run("cost", "x.json", "--selectors", "new.json").exit_code == 2
    assert run("cost", "x.json", "--selectors", "new.json", "--on-error", "collect").exit_code == 1


def test_names_of_rules_cannot_steer_the_terminal(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"filterName": "\x1b[2J", "filterPattern": ROOT}))
    for arguments in (
        ["match", sample.archive, "--rules", tmp_path],
        ["match", sample.archive, "--rules", tmp_path, "--count"],
    ):
        result = run(*arguments, width=120)
        assert "\\x1b[2J" in result.stdout
        assert "\x1b" not in result.stdout


def test_the_examples_of_the_document(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parent.parent / "docs/filters.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("sample").symlink_to(sample.archive.parent, target_is_directory=True)
    for name, body in re.findall(
        r"`([\w-]+\.json)`\s*(?::|\nis what the trail has now:)\n\n```json\n(.*?)```", text, re.DOTALL
    ):
        Path(name).write_text(body)
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    commands = [part for block in blocks for part in block.removeprefix("$ ").split("\n$ ")]
    assert len(commands) > 5
    for part in commands:
        command, _, expected = part.partition("\n")
        _, *arguments = shlex.split(command)
        said = "\n".join(line.rstrip() for line in run(*arguments, width=100).stdout.splitlines())
        assert doctest.OutputChecker().check_output(expected.strip(), said, doctest.ELLIPSIS), f"{command}\n{said}"
