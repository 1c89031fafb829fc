"""Random CloudTrail event selectors for hypothesis, about what is in ``random_records``."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from random_records import ARNS, EVENT_TYPES, NAMES, SOURCES, TYPES


def _listed(draw: st.DrawFn, usual: list[str]) -> list[str]:
    return draw(st.lists(st.sampled_from(usual), min_size=1, max_size=3))


@st.composite
def _tests(draw: st.DrawFn, usual: list[str]) -> dict[str, list[str]]:
    """Operators and values for a field that allows all of them."""
    tests: dict[str, list[str]] = {}
    operators = ["Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"]
    for operator in draw(st.lists(st.sampled_from(operators), min_size=1, max_size=3, unique=True)):
        values = _listed(draw, usual)
        cut = draw(st.integers(1, 8))
        if operator.endswith("StartsWith"):
            values = [value[:-cut] or value for value in values]
        elif operator.endswith("EndsWith"):
            values = [value[-cut:] for value in values]
        tests[operator] = values
    return tests


_FREE = {
    "eventName": NAMES,
    "eventSource": SOURCES,
    "eventType": EVENT_TYPES,
    "resources.ARN": ARNS,
    "userIdentity.arn": ARNS,
}


@st.composite
def _advanced(draw: st.DrawFn) -> dict[str, Any]:
    category = draw(st.sampled_from(["Management", "Data", "Data", "NetworkActivity"]))
    fields: dict[str, dict[str, list[str]]] = {"eventCategory": {"Equals": [category]}}
    if category != "NetworkActivity" and draw(st.booleans()):
        fields["readOnly"] = {"Equals": [draw(st.sampled_from(["true", "false"]))]}
    if category == "Management" and draw(st.booleans()):
        fields["eventSource"] = {
            "NotEquals": draw(st.sampled_from([["kms.amazonaws.com"], ["kms.amazonaws.com", "rdsdata.amazonaws.com"]]))
        }
    if category == "Data":
        fields["resources.type"] = {"Equals": [draw(st.sampled_from(TYPES))]}
        for name in draw(st.lists(st.sampled_from(sorted(_FREE)), max_size=2, unique=True)):
            fields[name] = draw(_tests(_FREE[name]))
        if not draw(st.integers(0, 4)):
            fields["sessionCredentialFromConsole"] = {draw(st.sampled_from(["Equals", "NotEquals"])): ["true"]}
    if category == "NetworkActivity":
        fields["eventSource"] = {"Equals": [draw(st.sampled_from(SOURCES))]}
        if draw(st.booleans()):
            fields["errorCode"] = {"Equals": ["VpceAccessDenied"]}
        if draw(st.booleans()):
            fields["vpcEndpointId"] = draw(_tests(["vpce-1", "vpce-2"]))
    listed = [{"Field": name} | tests for name, tests in draw(st.permutations(sorted(fields.items())))]
    return {"FieldSelectors": listed} | ({"Name": "a name"} if draw(st.booleans()) else {})


_RESOURCES = {
    "AWS::S3::Object": [
        "arn:aws:s3",
        "arn:aws:s3:::",
        "arn:aws:s3:::b/",
        "arn:aws:s3:::b/logs/",
        "arn:aws:s3:::b2/",
        "arn:aws:s3:::b/k",
    ],
    "AWS::Lambda::Function": ["arn:aws:lambda", ARNS[5], ARNS[5][:-1]],
    "AWS::DynamoDB::Table": ["arn:aws:dynamodb", ARNS[6], ARNS[6] + "2"],
}


@st.composite
def _basic(draw: st.DrawFn) -> dict[str, Any]:
    types = draw(st.lists(st.sampled_from(sorted(_RESOURCES)), max_size=2, unique=True))
    members: dict[str, Any] = {
        "ReadWriteType": draw(st.sampled_from(["All", "ReadOnly", "WriteOnly"])),
        "IncludeManagementEvents": draw(st.booleans()),
        "DataResources": [{"Type": kind, "Values": _listed(draw, _RESOURCES[kind])} for kind in types],
        "ExcludeManagementEventSources": draw(st.sampled_from([[], ["kms.amazonaws.com"]])),
    }
    kept = draw(st.sets(st.sampled_from(sorted(members)), min_size=1))
    return {name: value for name, value in members.items() if name in kept}


@st.composite
def event_selectors(draw: st.DrawFn) -> str:
    """The text of the selectors of a trail."""
    if draw(st.integers(0, 2)):
        listed: Any = draw(st.lists(_advanced(), min_size=1, max_size=3))
        kind = "AdvancedEventSelectors"
    else:
        listed, kind = draw(st.lists(_basic(), min_size=1, max_size=3)), "EventSelectors"
    return json.dumps(draw(st.sampled_from([listed, {kind: listed}, {"TrailARN": "arn:aws:cloudtrail", kind: listed}])))
