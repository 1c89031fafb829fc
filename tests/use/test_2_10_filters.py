"""2.10: what is no filter is named, with what to do; options of filters take JSON itself."""

from __future__ import annotations

import json
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
    """It was a pattern that nothing meets."""
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
    result = ctfast("cost", sample.archive, "--selectors", json.dumps(SELECTORS), "--against", '{"ReadWriteType":"All"}')
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
        (["--event-pattern", '{"detail":'], "invalid JSON"),
        (["--event-pattern", '{"detail":{"eventName":"x"}}'], "detail.eventName"),
        (["--rules", "{x"], "--rules is no JSON"),
        (["--rules", '{"a":["b"'], "--rules is no JSON"),
        (["--event-pattern", "patern.json"], "there is no file 'patern.json'; did you mean 'pattern.json'?"),
        (["--selectors", "nowhere/x.json"], "there is no file 'nowhere/x.json'"),
        (["--pack", "csi"], "csi"),
    ],
)
def test_what_is_neither(arguments: list[str], words: str, sample: Sample, in_folder: None) -> None:
    Path("pattern.json").write_text(json.dumps(PATTERN))
    result = ctfast("match", sample.archive, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
