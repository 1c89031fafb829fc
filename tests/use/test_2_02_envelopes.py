"""Events as EventBridge sends them: an envelope counts as its event, and a rule sees what its state allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct

RECORD: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/dana"},
    "eventTime": "2025-03-12T10:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "PutBucketPolicy",
    "awsRegion": "eu-west-1",
    "eventID": "of-the-record",
    "readOnly": False,
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": "444455556666",
    "eventCategory": "Management",
}
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "of-the-event",
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.other",
    "account": "111122223333",
    "time": "2025-03-12T10:00:05Z",
    "region": "us-east-1",
    "resources": ["arn:aws:s3:::b", "arn:aws:s3:::c"],
    "detail": RECORD,
}
GUARDDUTY = EVENT | {
    "detail-type": "GuardDuty Finding",
    "source": "aws.guardduty",
    "detail": {"severity": 5, "type": "Recon"},
}


def hits(folder: Path, document: Any, where: ct.Filter) -> int:
    """How many records meet a filter in a scan, both as a condition and as a rule."""
    file = folder / "events.json"
    file.write_text(json.dumps(document))
    height = ct.read(file, where=where).height
    assert ct.match(file, {"rule": where, "other": ct.EventPattern({"source": ["x"]})}).collect().height == height
    return height


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # some are met by nothing, and that is told
@pytest.mark.parametrize(
    ("pattern", "in_event", "bare"),
    [
        ({"source": ["aws.other"]}, True, False),
        ({"source": ["aws.s3"]}, False, True),
        ({"account": ["111122223333"]}, True, False),
        ({"account": ["444455556666"]}, False, True),
        ({"id": ["of-the-event"]}, True, False),
        ({"id": ["of-the-record"]}, False, True),
        ({"region": ["us-east-1"]}, True, False),
        ({"region": ["eu-west-1"]}, False, True),
        ({"time": ["2025-03-12T10:00:05Z"]}, True, False),
        ({"resources": ["arn:aws:s3:::c"]}, True, False),
        ({"resources": [{"exists": False}]}, False, True),
        ({"resources": [{"anything-but": "arn:aws:s3:::b"}]}, True, False),
        ({"detail-type": ["AWS API Call via CloudTrail"]}, True, True),
        ({"version": ["0"]}, True, True),
        ({"account": ["111122223333"], "detail": {"eventName": ["PutBucketPolicy"]}}, True, False),
        ({"detail": {"eventName": ["PutBucketPolicy"], "recipientAccountId": ["444455556666"]}}, True, True),
        ({"eventName": ["PutBucketPolicy"]}, True, True),
    ],
)
def test_the_event_s_own_members_count(pattern: dict[str, Any], *, in_event: bool, bare: bool, tmp_path: Path) -> None:
    found = ct.EventPattern(pattern)
    for document, expected in ((EVENT, in_event), (RECORD, bare)):
        assert found.matches(json.dumps(document)) is expected
        assert hits(tmp_path, document, found) == expected
        assert (not found.explain(json.dumps(document))) is expected
    assert hits(tmp_path, [EVENT, RECORD, EVENT], found) == 2 * in_event + bare
    assert hits(tmp_path, {"Records": [RECORD]}, found) == bare


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # some are met by nothing, and that is told
def test_the_other_languages_see_the_record_in_an_event(tmp_path: Path) -> None:
    for found, expected in (
        (ct.FilterPattern("{ $.eventName = PutBucketPolicy }"), True),
        (ct.FilterPattern("{ $.detail.eventName = PutBucketPolicy }"), False),
        (ct.FilterPattern('"detail-type"'), False),
        (ct.EventSelectors({"ReadWriteType": "WriteOnly"}), True),
        (ct.EventSelectors({"ReadWriteType": "ReadOnly"}), False),
    ):
        assert found.matches(json.dumps(EVENT)) is expected
        assert hits(tmp_path, EVENT, found) == expected


def test_an_event_of_something_else_is_no_event_of_cloudtrail() -> None:
    text = json.dumps(GUARDDUTY)
    for found in (
        ct.EventPattern({"detail-type": ["GuardDuty Finding"]}),
        ct.EventPattern({"source": ["aws.guardduty"]}),
        ct.EventSelectors({"ReadWriteType": "All"}),
        ~ct.EventSelectors({"ReadWriteType": "ReadOnly"}),
    ):
        assert not found.matches(text)
        assert found.explain(text)[0].condition == "an event of CloudTrail"
    # A filter pattern accepts lines of any log.
    assert ct.FilterPattern("{ $.source = aws.guardduty }").matches(text)


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # lint knows why nothing is met
@pytest.mark.parametrize("details", [{"eventType": "AwsCloudTrailInsight"}, {"eventCategory": "Insight"}])
def test_insights_come_from_cloudtrail(details: dict[str, Any], tmp_path: Path) -> None:
    insight = {
        "eventVersion": "1.09",
        "eventTime": "2025-03-12T10:00:00Z",
        "awsRegion": "us-east-1",
        "eventID": "i",
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": "111122223333",
        "insightDetails": {
            "state": "Start",
            "eventSource": "ssm.amazonaws.com",
            "eventName": "UpdateInstanceInformation",
        },
    } | details
    found = ct.EventPattern({"source": ["aws.cloudtrail"], "detail-type": ["AWS Insight via CloudTrail"]})
    assert found.matches(insight)
    assert hits(tmp_path, {"Records": [insight]}, found) == 1
    assert not ct.EventPattern({"source": [{"exists": False}]}).matches(insight)


DESCRIBE = RECORD | {"eventSource": "ec2.amazonaws.com", "eventName": "DescribeInstances", "readOnly": True}
GET = DESCRIBE | {"managementEvent": False, "eventCategory": "Data", "eventName": "GetObject"}
RUN = DESCRIBE | {"eventName": "RunInstances", "readOnly": False}
SEEN = {
    "DISABLED": [],
    "ENABLED": [GET, RUN],
    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS": [DESCRIBE, GET, RUN],
}
PATTERN = {"source": ["aws.ec2"]}


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # lint knows why nothing is met
@pytest.mark.parametrize("state", SEEN)
def test_a_rule_sees_what_its_state_says(state: Any, tmp_path: Path) -> None:
    rule = {"Name": "r", "EventPattern": json.dumps(PATTERN), "State": state}
    (tmp_path / "rule.json").write_text(json.dumps(rule))
    template = {
        "Resources": {"r": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": PATTERN, "State": state}}}
    }
    for found in (
        ct.EventPattern(rule),
        ct.EventPattern(PATTERN, state=state),
        ct.EventPattern(tmp_path / "rule.json"),
        ct.rules({"Rules": [rule]})["r"],
        ct.rules(template)["r"],
    ):
        assert repr(found).endswith(f"state={state!r})")
        for record in (DESCRIBE, GET, RUN):
            expected = record in SEEN[state]
            assert found.matches(record) is expected
            assert found.matches(EVENT | {"source": "aws.ec2", "detail": record}) is expected
            assert (not found.explain(record)) is expected
        assert hits(tmp_path, {"Records": [DESCRIBE, GET, RUN]}, found) == len(SEEN[state])


def test_a_rule_without_a_state_is_enabled_and_a_bare_pattern_has_none() -> None:
    rule = {"Name": "r", "EventPattern": json.dumps(PATTERN)}
    sam = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Events": {"E": {"Type": "EventBridgeRule", "Properties": {"Pattern": PATTERN}}}},
    }
    for found in (ct.EventPattern(rule), ct.rules({"Resources": {"F": sam}})["FE"]):
        assert (found.matches(DESCRIBE), found.matches(RUN)) == (False, True)
    assert ct.EventPattern(PATTERN).matches(DESCRIBE)
    assert ct.EventPattern(rule, state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS").matches(DESCRIBE)


def test_states_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="state must be one of"):
        ct.EventPattern(PATTERN, state="enabled")  # type: ignore[arg-type]  # the point
    for state in ("enabled", 7, ["ENABLED"]):
        rule = {"Name": "r", "EventPattern": json.dumps(PATTERN), "State": state}
        with pytest.raises(ct.FilterError) as raised:
            ct.EventPattern(rule)
        assert raised.value.kind == "state"
        assert ct.lint({"Rules": [rule]}).select("severity", "code").rows() == [("error", "state")]


@pytest.mark.parametrize(
    ("pattern", "state", "code"),
    [
        (PATTERN, "DISABLED", "disabled"),
        (PATTERN | {"detail": {"eventName": ["DescribeInstances", {"prefix": "List"}]}}, "ENABLED", "read-only"),
        (PATTERN | {"detail": {"readOnly": [True]}}, None, "read-only"),
        (PATTERN | {"detail": {"eventName": ["DescribeInstances", "RunInstances"]}}, "ENABLED", None),
        (PATTERN | {"detail": {"readOnly": [True]}}, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", None),
    ],
)
def test_lint_speaks_of_the_state(pattern: dict[str, Any], state: str | None, code: str | None) -> None:
    rule = {"Name": "r", "EventPattern": json.dumps(pattern)} | ({"State": state} if state else {})
    found = ct.lint(rule).select("severity", "code").rows()
    assert found == ([("warning", code)] if code else [])
