"""What lint once missed: conditions that no CloudTrail record meets; and one ``Ref`` that made it refuse all rules."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast.cli import main

DATA = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]


def codes(source: Any) -> list[tuple[str, str]]:
    return ct.lint(source).select("severity", "code").rows()


@pytest.mark.parametrize("operator", ["Equals", "NotEquals"])
@pytest.mark.parametrize("partition", ["aws", "aws-iso"])
def test_a_bucket_with_a_slash_is_no_object(operator: str, partition: str) -> None:
    fields = [*DATA, {"Field": "resources.ARN", operator: [f"arn:{partition}:s3:::bkt/"]}]
    found = ct.lint({"AdvancedEventSelectors": [{"FieldSelectors": fields}]})
    assert found.select("severity", "code", "path").rows() == [
        ("warning", "arn", f"AdvancedEventSelectors[0].FieldSelectors[2].{operator}[0]")
    ]
    assert f"{operator.replace('Equals', 'StartsWith')} " in found["message"][0]


@pytest.mark.parametrize(
    ("pattern", "code", "word"),
    [
        ('{ $.readOnly = "false" }', "flag", "IS FALSE"),
        ("{ $.readOnly = true }", "flag", "IS TRUE"),
        ("{ $.managementEvent != false }", "flag", "IS TRUE"),
        ("{ $.requestParameters.force = true }", "flag", "IS TRUE"),
        ("{ $.userIdentity.sessionContext.attributes.mfaAuthenticated IS TRUE }", "flag", '"true"'),
        ("{ $.EventName = ConsoleLogin }", "spelling", "$.eventName"),
        ("{ $.useridentity.type = Root }", "spelling", "$.userIdentity"),
        ("{ $.detail.eventName = ConsoleLogin }", "never-met", "the record itself"),
        ("{ $.Records[0].eventName = ConsoleLogin }", "never-met", "the record itself"),
        ("{ $.recipientAccountId = 111122223333 }", "number", "111122223333"),
        ("{ $.requestParameters.owner != 111122223333 }", "number", "111122223333"),
        ("{ $.eventVersion > 1.05 }", "never-met", "no order"),
    ],
)
def test_filter_patterns(pattern: str, code: str, word: str) -> None:
    found = ct.lint(pattern)
    assert found.select("severity", "code").rows() == [("warning", code)]
    assert word in found["message"][0]


@pytest.mark.parametrize(
    ("detail", "code", "field"),
    [
        ({"readOnly": ["false"]}, "flag", "detail.readOnly"),
        (
            {"userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": [False]}}}},
            "flag",
            "detail.userIdentity.sessionContext.attributes.mfaAuthenticated",
        ),
        ({"userIdentity": [{"exists": True}]}, "exists-object", "detail.userIdentity"),
        ({"requestParameters": [{"exists": False}]}, "exists-object", "detail.requestParameters"),
        ({"EventName": ["x"]}, "spelling", "detail.EventName"),
        ({"userIdentity": {"arn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}}, "too-complex", "detail.userIdentity.arn"),
        ({"eventName": [{"anything-but": {"wildcard": "*a*b*c*"}}]}, "too-complex", "detail.eventName"),
    ],
)
def test_event_patterns(detail: dict[str, Any], code: str, field: str) -> None:
    found = ct.lint({"source": ["aws.iam"], "detail": detail})
    assert found.select("severity", "code", "path").rows() == [("warning", code, field)]


def test_sign_ins_have_a_detail_type_of_their_own() -> None:
    pattern = {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": ["ConsoleLogin", "StopLogging"]}}
    found = ct.lint(pattern)
    assert found.select("severity", "code", "path").rows() == [("warning", "detail-type", "detail.eventName")]
    assert "AWS Console Sign In via CloudTrail" in found["message"][0]
    record = {"eventName": "ConsoleLogin", "eventType": "AwsConsoleSignIn", "eventSource": "signin.amazonaws.com"}
    assert not ct.EventPattern(pattern).matches(record)
    for name in ("AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail"):
        assert codes(pattern | {"detail-type": [name]}) == []


def test_valid_conditions_give_no_findings() -> None:
    fields = [
        *DATA,
        {"Field": "resources.ARN", "NotStartsWith": ["arn:aws:s3:::bkt/"], "NotEquals": ["arn:aws:s3:::bkt/folder/"]},
    ]
    for source in (
        {"AdvancedEventSelectors": [{"FieldSelectors": fields}]},
        '{ $.readOnly IS FALSE && $.eventName = "Delete*" && $.recipientAccountId = "111122223333" }',
        '{ $.userIdentity.sessionContext.attributes.mfaAuthenticated != "true" && $.requestParameters.size > 5 }',
        {
            "source": ["aws.iam"],
            "detail": {
                "readOnly": [False],
                "errorCode": [{"exists": False}],
                "userIdentity": {"arn": [{"wildcard": "arn:aws:*:*:role/*"}]},
            },
        },
    ):
        assert codes(source) == []


RESOURCES = {
    "Fixed": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["aws.s3"]}}},
    "Open": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventPattern": {"source": ["aws.s3"], "detail": {"requestParameters": {"bucketName": [{"Ref": "Bucket"}]}}}
        },
    },
    "Joined": {"Type": "AWS::Logs::MetricFilter", "Properties": {"FilterPattern": {"Fn::Sub": "{ $.a = ${B} }"}}},
    "Filter": {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {"FilterPattern": "{ $.eventName = x }", "LogGroupName": {"Ref": "Group"}},
    },
}


def test_one_ref_refuses_no_other_rule(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text(json.dumps({"Resources": RESOURCES}))
    with pytest.warns(UserWarning, match="left out") as told:
        found = ct.rules(file)
    assert list(found) == ["Fixed", "Filter"]
    assert [str(file) in str(one.message) for one in told] == [True, True]
    assert "Resources.Open.Properties.EventPattern.detail.requestParameters.bucketName[0]" in str(told[0].message)
    assert ct.FilterPattern({"Resources": {"Filter": RESOURCES["Filter"]}}) == found["Filter"]
    findings = ct.lint(file).select("rule", "severity", "code").rows()
    assert findings == [("Open", "warning", "unresolved"), ("Joined", "warning", "unresolved")]
    with pytest.raises(ct.FilterError, match="only CloudFormation knows") as raised:
        ct.rules({"Resources": {"Open": RESOURCES["Open"]}})
    assert raised.value.kind == "unresolved"
    with pytest.raises(ct.FilterError, match="only CloudFormation knows"):
        ct.EventPattern({"Resources": {"Open": RESOURCES["Open"]}})


def test_the_command_says_which_rules_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps({"Resources": RESOURCES}))
    (tmp_path / "log.json").write_text(json.dumps({"Records": [{"eventName": "x", "eventSource": "s3.amazonaws.com"}]}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = CliRunner().invoke(
            main, ["match", str(tmp_path / "log.json"), "--rules", str(tmp_path / "stack.json"), "--count"]
        )
    assert done.exit_code == 0
    assert done.stderr.count("warning: a rule is left out") == 2
    linted = CliRunner().invoke(main, ["lint", str(tmp_path / "stack.json")])
    assert linted.exit_code == 0
    assert "unresolved" in linted.stdout
