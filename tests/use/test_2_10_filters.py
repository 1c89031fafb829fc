"""2.10: a document that is not a filter is named, with a remedy; options for filters take JSON itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

TERRAFORM = """
# The root user signs in
resource "aws_cloudwatch_event_rule" "root" {
  event_pattern = jsonencode({ detail = { eventName = ["ConsoleLogin"] } })
}
"""
SIGMA = """
title: Root sign-in
logsource:
  product: aws
  service: cloudtrail
detection:
  selection:
    userIdentity.type: Root
  condition: selection
"""
TEMPLATE = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Rule:\n    Type: AWS::Events::Rule\n"
DOCUMENTS: dict[str, tuple[Any, str]] = {
    "terraform": (TERRAFORM, "this is a configuration of Terraform, which is not read: give what the AWS CLI prints"),
    "terraform-json": ({"resource": {"aws_cloudwatch_event_rule": {}}}, "this is a configuration of Terraform"),
    "state": ({"version": 4, "terraform_version": "1.9.0", "resources": []}, "this is a state or a plan of Terraform"),
    "sigma": (SIGMA, "this is a Sigma rule, which is not read: write its condition as an event pattern"),
    "sigma-json": ({"title": "x", "detection": {"condition": "a"}}, "this is a Sigma rule"),
    "template": (TEMPLATE, "this is a template of CloudFormation in YAML: give the path of its file"),
    "policy": ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}, "this is a policy of IAM, and no filter"),
    "records": ({"Records": [{"eventName": "ConsoleLogin"}]}, "these are records of CloudTrail, and no filter"),
    "record": ({"eventName": "ConsoleLogin", "userIdentity": {}}, "these are records of CloudTrail"),
    "event": (
        {"detail-type": "AWS API Call via CloudTrail", "detail": {}},
        'this is an event, and no pattern .*: values of a pattern stand in lists, as in {"detail-type": ["AWS API Call',
    ),
}
every_language = pytest.mark.parametrize("language", [ct.EventPattern, ct.EventSelectors, ct.FilterPattern])


def ctfast(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


@every_language
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_of_another_language(name: str, language: Any, tmp_path: Path) -> None:
    document, words = DOCUMENTS[name]
    ways = [document] if isinstance(document, str) else [document, json.dumps(document)]
    path = tmp_path / "document.json"
    path.write_text(ways[-1])
    for given in [*ways, path]:
        with pytest.raises(ct.FilterError, match=words.replace("[", r"\[").replace("{", r"\{")) as caught:
            language(given)
        assert caught.value.kind == "foreign"
    with pytest.raises(ct.FilterError, match=words[:12]):
        ct.rules(path)


@every_language
def test_the_name_of_a_file(language: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was once taken as a pattern, which no record meets."""
    monkeypatch.chdir(tmp_path)
    Path("root.filter").write_text("{ $.userIdentity.type = Root }")
    with pytest.raises(ct.FilterError, match=r"'root.filter' is the name of a file, .*pathlib.Path\('root.filter'\)"):
        language("root.filter")
    assert ct.FilterPattern(Path("root.filter")) == ct.FilterPattern("{ $.userIdentity.type = Root }")


def test_lint_and_commands_say_it_too(tmp_path: Path, sample: Sample) -> None:
    path = tmp_path / "sigma.yml"
    path.write_text(SIGMA)
    result = ctfast("lint", path)
    assert (result.exit_code, "this is a Sigma rule" in result.stdout + result.stderr) == (1, True)
    result = ctfast("match", sample.archive, "--rules", path)
    assert (result.exit_code, result.stderr.count("this is a Sigma rule")) == (2, 1)


def test_words_of_patterns_are_no_documents() -> None:
    for pattern in ("resource", '"detection:" "logsource:"', '"Resources: x"', '"resource" "x"'):
        ct.FilterPattern(pattern)
    ct.EventPattern({"detail": {"resource": ["aws_x"]}, "detail-type": ["x"], "source": ["y"]})


# JSON on the command line

PATTERN = {"detail": {"eventName": ["ConsoleLogin"]}}
SELECTORS = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]


def test_json_itself(sample: Sample, tmp_path: Path) -> None:
    arguments = ["--columns", "eventID", "--format", "csv"]
    for option, document, filter_ in (
        ("--event-pattern", PATTERN, ct.EventPattern(PATTERN)),
        ("--selectors", SELECTORS, ct.EventSelectors(SELECTORS)),
        ("--rules", PATTERN, ct.EventPattern(PATTERN)),
    ):
        result = ctfast("match", sample.archive, option, json.dumps(document), *arguments)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.count("\n") == ct.read(sample.archive, where=filter_).height + 1 > 1
    result = ctfast(
        "cost", sample.archive, "--selectors", json.dumps(SELECTORS), "--against", '{"ReadWriteType":"All"}'
    )
    assert (result.exit_code, "Management" in result.stdout) == (0, True)
    assert ctfast("lint", json.dumps(PATTERN)).exit_code == 0
    # A file comes first, whatever its name.
    odd = tmp_path / "{}.json"
    odd.write_text(json.dumps(PATTERN))
    assert ctfast("match", sample.archive, "--event-pattern", odd, *arguments).exit_code == 0


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--event-pattern", '{"detail":'], "--event-pattern: invalid JSON"),
        (["--event-pattern", '{"detail":{"eventName":"x"}}'], "--event-pattern: detail.eventName"),
        (["--event-pattern", "broken.json"], "--event-pattern: broken.json: detail.eventName"),
        (
            ["--event-pattern", json.dumps([PATTERN])],
            "--event-pattern: an event pattern must be an object, not an array",
        ),
        (["--event-pattern", "{}"], "--event-pattern: empty object"),
        (["--selectors", "{}"], "--selectors: expected EventSelectors, .*but found an object without them"),
        (["--selectors", json.dumps([PATTERN])], r"--selectors: \[0\].detail: a selector has no such member"),
        (["--filter-pattern", "{ $.a = "], "--filter-pattern: expected"),
        (["--rules", "{}"], "--rules: there are no rules here"),
        (["--rules", "[]"], "--rules: there are no rules here"),
        (
            ["--rules", "empty"],
            r"--rules: empty: there are no rules here: of a folder, files are read whose names end in \.json",
        ),
        (["--rules", "broken.json"], "--rules: broken.json: detail.eventName"),
        (["--rules", "{x"], "--rules: expected"),
        (["--rules", '{"a":["b"'], "--rules: invalid JSON"),
        (
            ["--event-pattern", "patern.json"],
            "there is no file 'patern.json'; did you mean 'pattern.json'\\? \\(the text",
        ),
        (["--selectors", "nowhere/x.json"], "there is no file 'nowhere/x.json'"),
        (["--pack", "csi"], "csi"),
    ],
)
def test_what_is_neither(arguments: list[str], words: str, sample: Sample, in_folder: None) -> None:
    Path("pattern.json").write_text(json.dumps(PATTERN))
    Path("broken.json").write_text('{"detail":{"eventName":"x"}}')
    Path("empty").mkdir()
    result = ctfast("match", sample.archive, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.search(words, result.stderr), result.stderr


def test_selectors_of_an_estimate_have_names_too(sample: Sample) -> None:
    result = ctfast("cost", sample.archive, "--selectors", "{}")
    assert (result.exit_code, result.stderr.startswith("ctfast: --selectors: expected EventSelectors")) == (2, True)
    result = ctfast("cost", sample.archive, "--selectors", "[]", "--against", json.dumps([PATTERN]))
    assert (result.exit_code, result.stderr.startswith("ctfast: --against: [0].detail: ")) == (2, True)


@pytest.mark.parametrize("given", [[PATTERN], [PATTERN, PATTERN], [[]]])
@pytest.mark.parametrize("form", [json.dumps, list], ids=["text", "object"])
def test_a_list_is_no_event_pattern(given: list[Any], form: Any) -> None:
    """It was once taken as event selectors, which it is only if it has a member of theirs."""
    with pytest.raises(ct.FilterError, match=r"^an event pattern must be an object, not an array"):
        ct.EventPattern(form(given))
    (finding,) = ct.lint(form(given)).iter_rows(named=True)
    assert (finding["severity"], finding["message"]) == ("error", "an event pattern must be an object, not an array")


@pytest.mark.parametrize("form", [json.dumps, lambda given: given], ids=["text", "object"])
def test_an_empty_object_is_of_no_language(form: Any) -> None:
    for language, words in (
        (ct.EventPattern, "empty object: expected a field or an operator"),
        (ct.EventSelectors, "expected EventSelectors, .* but found an object without them"),
    ):
        with pytest.raises(ct.FilterError, match=words):
            language(form({}))
    with pytest.raises(ct.FilterError, match="this holds no event pattern"):
        ct.EventPattern(form({"metricFilters": []}))


def test_selectors_with_a_slip_are_still_selectors(tmp_path: Path) -> None:
    given = [{"FieldSelector": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    path = tmp_path / "selectors.json"
    path.write_text(json.dumps(given))
    for source in (given, json.dumps(given), path):
        assert ct.lint(source)["path"].to_list() == ["[0].FieldSelector"]


# Nothing at all


@pytest.mark.parametrize(
    ("rules", "kind", "words"),
    [
        (None, TypeError, "rules are a mapping, a list, a text or the path of a file or folder, not NoneType"),
        ([], ct.FilterError, "there are no rules here"),
        ({}, ct.FilterError, "there are no rules here"),
        ([Path("x.json")], ct.FilterError, "it holds PosixPath: paths are given one by one"),
        ("", ValueError, "is empty: it must be the path of a file or a folder"),
        (
            "s3://bucket/rules",
            ValueError,
            "'s3://bucket/rules' is an address: name a file or a folder on the local disk",
        ),
    ],
)
def test_no_rules(rules: Any, kind: type[Exception], words: str, in_folder: None) -> None:
    """Once None matched everything, [] matched nothing, and the empty path was the current directory."""
    Path("a.filter").write_text("{ $.eventName = x }")
    for call in (ct.rules, lambda rules: ct.match("nowhere", rules)):
        with pytest.raises(kind, match=words):
            call(rules)


def test_lint_of_nothing(in_folder: None) -> None:
    """It once printed nothing, as if all were well."""
    Path("empty").mkdir()
    Path("other.yaml").write_text("Resources: {}\n")
    with pytest.raises(TypeError, match=r"lint\(\) needs what to check"):
        ct.lint()
    with pytest.raises(ct.ArgumentError, match="is empty"):
        ct.lint("")
    for source in (Path("empty"), Path("other.yaml"), {"metricFilters": []}, '{"metricFilters": []}', [], "[]"):
        (finding,) = ct.lint(source).iter_rows(named=True)
        assert (finding["severity"], finding["code"]) == ("warning", "none")
        assert finding["message"].startswith("there are no rules here")
    for nothing in ("empty", "other.yaml"):
        result = ctfast("lint", nothing)
        assert (result.exit_code, result.stdout.count("\n")) == (2, 1)
        assert result.stdout.startswith(f"{nothing}: warning: there are no rules here")
    assert ctfast("lint", "empty", "other.yaml", "--format", "json").exit_code == 2
    Path("rules").mkdir()
    Path("rules/a.filter").write_text("{ $.eventName = x }")
    result = ctfast("lint", "rules", "empty")
    assert result.exit_code == 0
    assert result.stdout.startswith("empty: warning: there are no rules here: of a folder, files are read")
    assert ctfast("lint", "rules").stdout == ""


def test_a_finding_in_json_itself_has_a_place() -> None:
    assert (
        ctfast("lint", "{}").stdout == "JSON:1:1: error: empty object: expected a field or an operator [empty-object]\n"
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--limit", "3"], "--limit"),
        (["--limit", "0"], "--limit"),
        (["--columns", "eventID"], "--columns"),
        (["--columns", "eventID", "--limit", "3"], "--columns and --limit"),
        (["--as", "record", "--limit", "3"], "--as record and --limit"),
    ],
)
def test_counts_have_no_rows_to_choose(arguments: list[str], named: str, sample: Sample) -> None:
    """These options were once silently ignored."""
    result = ctfast("match", sample.archive, "--pack", "cis", "--count", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"--count shows no records: leave out {named}." in result.stderr
