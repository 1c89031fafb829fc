"""AWS's documents: which conditions are found in each, under which names, and how invalid ones are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct

ROOT = '{ $.userIdentity.type = "Root" }'
S3: dict[str, Any] = {"source": ["aws.s3"]}
ADVANCED = [{"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
BASIC = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}]

SELECTORS = {
    "output of get-event-selectors": {
        "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t",
        "AdvancedEventSelectors": ADVANCED,
    },
    "input of put-event-selectors": {"TrailName": "t", "EventSelectors": BASIC},
    "a list of advanced selectors": ADVANCED,
    "a list of basic selectors": BASIC,
    "one advanced selector": ADVANCED[0],
    "one basic selector": BASIC[0],
    "a trail in a template": {
        "Resources": {
            "Trail": {
                "Type": "AWS::CloudTrail::Trail",
                "Properties": {"IsLogging": True, "AdvancedEventSelectors": ADVANCED},
            }
        }
    },
    "a trail that says nothing": {
        "Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {"IsLogging": True}}}
    },
    "an event data store in a template": {
        "Resources": {
            "Store": {"Type": "AWS::CloudTrail::EventDataStore", "Properties": {"AdvancedEventSelectors": ADVANCED}}
        }
    },
}
FILTER_PATTERNS = {
    "input of put-metric-filter": {
        "logGroupName": "g",
        "filterName": "root",
        "filterPattern": ROOT,
        "metricTransformations": [],
    },
    "output of describe-metric-filters": {
        "metricFilters": [{"filterName": "root", "filterPattern": ROOT, "creationTime": 1}]
    },
    "output of describe-subscription-filters": {"subscriptionFilters": [{"filterName": "root", "filterPattern": ROOT}]},
    "a list of metric filters": [{"filterName": "root", "filterPattern": ROOT}],
    "a metric filter in a template": {
        "Resources": {"Root": {"Type": "AWS::Logs::MetricFilter", "Properties": {"FilterPattern": ROOT}}}
    },
    "a subscription filter in a template": {
        "Resources": {"Root": {"Type": "AWS::Logs::SubscriptionFilter", "Properties": {"FilterPattern": ROOT}}}
    },
}
EVENT_PATTERNS = {
    "a pattern": S3,
    "input of put-rule": {"Name": "s3", "EventPattern": json.dumps(S3), "State": "ENABLED"},
    "output of describe-rule": {"Name": "s3", "Arn": "a", "EventPattern": json.dumps(S3, indent=1)},
    "output of list-rules": {
        "Rules": [
            {"Name": "s3", "EventPattern": json.dumps(S3)},
            {"Name": "timer", "ScheduleExpression": "rate(1 day)"},
        ]
    },
    "a rule in a template": {"Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": S3}}}},
    "a rule in a template, as text": {
        "Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": json.dumps(S3)}}}
    },
    "a function of SAM": {
        "Resources": {
            "F": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Events": {"E": {"Type": "EventBridgeRule", "Properties": {"Pattern": S3}}, "Api": {"Type": "Api"}}
                },
            }
        }
    },
    "an older function of SAM": {
        "Resources": {
            "F": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"Events": {"E": {"Type": "CloudWatchEvent", "Properties": {"Pattern": S3}}}},
            }
        }
    },
}
SHAPES = [
    *((ct.EventSelectors, name, document) for name, document in SELECTORS.items()),
    *((ct.FilterPattern, name, document) for name, document in FILTER_PATTERNS.items()),
    *((ct.EventPattern, name, document) for name, document in EVENT_PATTERNS.items()),
]


@pytest.mark.parametrize(("kind", "name", "document"), SHAPES, ids=[name for _, name, _ in SHAPES])
def test_shapes_are_read_as_they_are(kind: Any, name: str, document: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("\ufeff" + json.dumps(document, indent=2), encoding="utf-8")
    found = kind(document)
    assert kind(json.dumps(document)) == kind(file) == found
    assert list(ct.rules(file).values()) == [found]
    for other in {ct.EventSelectors, ct.FilterPattern, ct.EventPattern} - {kind}:
        with pytest.raises(ct.FilterError, match="but no") as raised:
            other(file)
        assert raised.value.key == str(file)


def test_the_shapes_mean_the_same() -> None:
    assert {str(ct.FilterPattern(document)) for document in FILTER_PATTERNS.values()} == {ROOT}
    assert {str(ct.EventPattern(document)) for document in EVENT_PATTERNS.values()} == {'{"source":["aws.s3"]}'}
    assert len({ct.EventSelectors(document) for document in SELECTORS.values()}) == 3


def test_several_are_for_rules() -> None:
    document = {"metricFilters": [{"filterName": name, "filterPattern": ROOT} for name in ("a", "b")]}
    with pytest.raises(ct.FilterError, match=r"2 filter patterns, the first is a; ctfast\.rules reads all"):
        ct.FilterPattern(document)
    assert ct.rules(document) == {"a": ct.FilterPattern(ROOT), "b": ct.FilterPattern(ROOT)}


TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Bucket: {Type: String}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: !Ref Bucket
      TrailName: !Sub "${AWS::StackName}-trail"
      EventSelectors:
        - ReadWriteType: WriteOnly
          IncludeManagementEvents: true
  Root:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !GetAtt Group.Arn
      FilterPattern: '{ $.userIdentity.type = "Root" }'
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        source: [aws.s3]
        detail:
          eventName: [{prefix: Put}]
          eventVersion: ["1.08"]
  Queue:
    Type: AWS::SQS::Queue
"""


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".template"])
def test_templates_in_yaml(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"stack{suffix}"
    file.write_text(TEMPLATE)
    assert ct.rules(file) == {
        "Trail": ct.EventSelectors([{"ReadWriteType": "WriteOnly"}]),
        "Root": ct.FilterPattern(ROOT),
        "Rule": ct.EventPattern(
            {"source": ["aws.s3"], "detail": {"eventName": [{"prefix": "Put"}], "eventVersion": ["1.08"]}},
            state="ENABLED",
        ),
    }
    assert ct.EventSelectors(file).matches(b'{"eventName":"x","readOnly":false}')


def test_templates_have_the_types_of_cloudformation() -> None:
    fields = [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": [False]}]
    for properties in (
        {"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": "True"}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": fields}]},
    ):
        trail = {"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": properties}}}
        assert ct.EventSelectors(trail).advanced() == ct.EventSelectors([{"ReadWriteType": "WriteOnly"}]).advanced()
        with pytest.raises(ct.FilterError):
            ct.EventSelectors(properties)


def test_templates_in_json_may_have_any_name(tmp_path: Path) -> None:
    file = tmp_path / "stack.template"
    file.write_text(json.dumps(EVENT_PATTERNS["a rule in a template"]))
    assert ct.rules(file) == {"Rule": ct.EventPattern(S3, state="ENABLED")}


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("Resources:\n  a: [", None, "invalid YAML"),
        ("Resources:\n  a: &a {b: *a}\n", None, "alias"),
        ("Resources: !!python/object:os.system {}\n", None, "invalid YAML"),
        ("just text", None, "no filter"),
        (
            TEMPLATE.replace("WriteOnly", "Writes"),
            "Resources.Trail.Properties.EventSelectors[0].ReadWriteType",
            "Writes",
        ),
        (
            TEMPLATE.replace("[{prefix: Put}]", "[]"),
            "Resources.Rule.Properties.EventPattern.detail.eventName",
            "empty array",
        ),
    ],
)
def test_templates_that_are_wrong(tmp_path: Path, text: str, path: str | None, message: str) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(text)
    with pytest.raises(ct.FilterError) as raised:
        ct.rules(file) if text.startswith("A") else ct.FilterPattern(file)
    error = raised.value
    assert message in error.message
    assert error.key == str(file)
    assert error.path == path or (error.path or "").startswith(path or "-")
    assert len(str(error).splitlines()) == 1


def test_errors_tell_where_in_the_document() -> None:
    rules = {
        "Rules": [{"Name": "good", "EventPattern": json.dumps(S3)}, {"Name": "bad", "EventPattern": '{"a":\n []}'}]
    }
    with pytest.raises(ct.FilterError) as raised:
        ct.rules(rules)
    error = raised.value
    assert (error.path, error.line, error.column) == ("Rules[1].EventPattern.a", 2, 2)
    with pytest.raises(ct.FilterError) as raised:
        ct.rules({"metricFilters": [{"filterName": "a", "filterPattern": 7}]})
    assert raised.value.path == "metricFilters[0].filterPattern"
    with pytest.raises(ct.FilterError) as raised:
        ct.EventPattern({"a": [{"prefix": {1, 2}}]})
    assert "JSON" in raised.value.message


def test_errors_of_text_that_is_not_json_come_from_the_language() -> None:
    for kind in (ct.EventPattern, ct.EventSelectors):
        with pytest.raises(ct.FilterError, match="JSON"):
            kind('{"a": [1}')
    with pytest.raises(ct.FilterError):
        ct.FilterPattern('{"a": [1,]}')


def test_a_filter_pattern_may_look_like_json() -> None:
    for text in ("[]", "[1]", "[a1, 2]", '"a phrase"', "404", "true", "null"):
        assert ct.FilterPattern(text).matches(b'{"eventName":"404 true a phrase"}') == (text != "null")
    for text in ("{}", '{"a":["b"]}'):
        with pytest.raises(ct.FilterError):
            ct.FilterPattern(text)
    assert ct.EventSelectors([]) == ct.EventSelectors("[]")


def test_templates_in_json_are_named_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": [{"Ref": "Source"}]}}}
    file.write_text(json.dumps({"Resources": {"Rule": rule}}))
    with pytest.raises(ct.FilterError) as raised:
        ct.rules(file)
    assert (raised.value.key, raised.value.path) == (str(file), "Resources.Rule.Properties.EventPattern.source[0]")


@pytest.mark.parametrize(
    ("text", "left", "path"),
    [
        (
            TEMPLATE.replace("[aws.s3]", "[!Ref Bucket]"),
            ["Trail", "Root"],
            "Resources.Rule.Properties.EventPattern.source[0]",
        ),
        (
            TEMPLATE.replace("WriteOnly", '!If [Loud, "All", "None"]'),
            ["Root", "Rule"],
            "Resources.Trail.Properties.EventSelectors[0].ReadWriteType",
        ),
    ],
)
def test_what_only_cloudformation_knows_is_left_out(tmp_path: Path, text: str, left: list[str], path: str) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(text)
    with pytest.warns(UserWarning, match=re.escape(f"{file}: {path}")):
        found = ct.rules(file)
    assert list(found) == left


def test_files_keep_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{\n  "source": []\n}\n')
    with pytest.raises(ct.FilterError) as raised:
        ct.EventPattern(file)
    assert (raised.value.line, raised.value.column) == (2, 13)
    assert str(raised.value).startswith(f"{file}: source: ")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b'{"source": ["\xff"]}')
    with pytest.raises(ct.FilterError, match="no UTF-8, at byte 13"):
        ct.EventPattern(file)


# Folders


def test_a_folder_of_rules(tmp_path: Path) -> None:
    (tmp_path / "iam").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "s3.json").write_text(json.dumps(S3))
    (tmp_path / "iam/root.filter").write_text(f"{ROOT}\n")
    (tmp_path / "iam/rules.json").write_text(
        json.dumps(EVENT_PATTERNS["output of list-rules"]).replace('"s3"', '"named"')
    )
    (tmp_path / "logged.json").write_text(json.dumps({"EventSelectors": BASIC}))
    (tmp_path / "README.md").write_text("no rule")
    (tmp_path / ".git/x.json").write_text("no rule")
    found = ct.rules(tmp_path)
    assert found == {
        "iam/root": ct.FilterPattern(ROOT),
        "named": ct.EventPattern(S3, state="ENABLED"),
        "logged": ct.EventSelectors(BASIC),
        "s3": ct.EventPattern(S3),
    }
    assert list(found) == ["iam/root", "named", "logged", "s3"]
    assert ct.rules(str(tmp_path)) == found


def test_names_come_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(S3))
    (tmp_path / "b.json").write_text(json.dumps({"Name": "a", "EventPattern": json.dumps(S3)}))
    (tmp_path / "c.json").write_text(json.dumps({"Name": "a", "EventPattern": json.dumps({"source": ["aws.ec2"]})}))
    report = ct.Report()
    with pytest.warns(UserWarning, match=r"another rule has the name 'a': this one is 'a#[23]'$") as warned:
        found = ct.rules(tmp_path, report=report)
    assert {name: "ec2" in str(rule) for name, rule in found.items()} == {"a": False, "a#2": False, "a#3": True}
    assert [Path(each.filename) for each in warned] == [Path(__file__)] * 2
    said = report.warnings.select("file", "kind").rows()
    assert said == [(str(tmp_path / "b.json"), "same-name"), (str(tmp_path / "c.json"), "same-name")]


def test_no_rules(tmp_path: Path) -> None:
    for source in (tmp_path, {"Rules": []}, {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}):
        with pytest.raises(ct.FilterError, match="no rules"):
            ct.rules(source)
    with pytest.raises(FileNotFoundError):
        ct.rules(tmp_path / "nowhere")


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(S3))
    (tmp_path / "wrong.filter").write_text("{ $.a }")
    with pytest.raises(ct.FilterError) as raised:
        ct.rules(tmp_path)
    assert raised.value.key == str(tmp_path / "wrong.filter")
    assert (raised.value.line, raised.value.column) == (1, 7)


def test_yaml_bombs_and_deep_documents_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.yaml"
    levels = "\n".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, 30))
    bomb.write_text(f"l0: &l0 [x]\n{levels}\nResources: *l29\n")
    deep = tmp_path / "deep.yaml"
    deep.write_text("Resources: " + "[" * 100_000)
    brackets = tmp_path / "deep.json"
    brackets.write_text('{"a":' * 100_000)
    for file in (bomb, deep, brackets):
        with pytest.raises(ct.FilterError) as raised:
            ct.rules(file)
        assert len(str(raised.value).splitlines()) == 1
