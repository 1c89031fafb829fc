"""The packs: each filter of the CIS benchmark on events that it is about, and on events that only look like them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import ctfast as ct
from ctfast.packs import cis

PACK = ct.packs.load("cis")
#: For each control on calls: their service, how many its pattern lists, one of them, and a call that is not among them.
CALLS = {
    "iam-policies": ("iam.amazonaws.com", 16, "AttachRolePolicy", "GetRolePolicy"),
    "cloudtrail": ("cloudtrail.amazonaws.com", 5, "StopLogging", "PutEventSelectors"),
    "kms-keys": ("kms.amazonaws.com", 2, "ScheduleKeyDeletion", "CancelKeyDeletion"),
    "s3-bucket-policies": ("s3.amazonaws.com", 9, "PutBucketPolicy", "GetBucketPolicy"),
    "config": ("config.amazonaws.com", 4, "StopConfigurationRecorder", "StartConfigurationRecorder"),
    "security-groups": ("ec2.amazonaws.com", 6, "AuthorizeSecurityGroupIngress", "DescribeSecurityGroups"),
    "network-acls": ("ec2.amazonaws.com", 6, "ReplaceNetworkAclEntry", "DescribeNetworkAcls"),
    "gateways": ("ec2.amazonaws.com", 6, "AttachInternetGateway", "CreateNatGateway"),
    "route-tables": ("ec2.amazonaws.com", 7, "CreateRoute", "AssociateRouteTable"),
    "vpcs": ("ec2.amazonaws.com", 11, "ModifyVpcAttribute", "DescribeVpcs"),
    "organizations": ("organizations.amazonaws.com", 18, "LeaveOrganization", "ListAccounts"),
}
#: Controls whose pattern names the service.
OF_ONE_SERVICE = {"kms-keys", "s3-bucket-policies", "config", "organizations"}

ROOT = {"eventName": "DescribeInstances", "eventType": "AwsApiCall", "userIdentity": {"type": "Root"}}
LOGIN = {
    "eventName": "ConsoleLogin",
    "eventType": "AwsConsoleSignIn",
    "userIdentity": {"type": "IAMUser"},
    "additionalEventData": {"MFAUsed": "No"},
    "responseElements": {"ConsoleLogin": "Success"},
}
#: Control, changes to an event, whether the event then meets it.
OTHERS: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("root-use", ROOT, {}, True),
    ("root-use", ROOT, {"userIdentity": {"type": "IAMUser"}}, False),
    ("root-use", ROOT, {"userIdentity": {"type": "Root", "invokedBy": "s3.amazonaws.com"}}, False),
    ("root-use", ROOT, {"userIdentity": {"type": "Root", "invokedBy": None}}, False),
    ("root-use", ROOT, {"eventType": "AwsServiceEvent"}, False),
    ("root-use", ROOT, {"eventType": "AwsConsoleSignIn", "eventName": "ConsoleLogin"}, True),
    ("unauthorized-calls", ROOT, {"errorCode": "AccessDenied"}, True),
    ("unauthorized-calls", ROOT, {"errorCode": "AccessDeniedException"}, True),
    ("unauthorized-calls", ROOT, {"errorCode": "Client.UnauthorizedOperation"}, True),
    ("unauthorized-calls", ROOT, {"errorCode": "VpceAccessDenied"}, False),
    ("unauthorized-calls", ROOT, {"errorCode": "UnauthorizedOperation.x"}, False),
    ("unauthorized-calls", ROOT, {"errorCode": "accessdenied"}, False),
    ("unauthorized-calls", ROOT, {"errorCode": None}, False),
    ("unauthorized-calls", ROOT, {}, False),
    ("console-without-mfa", LOGIN, {}, True),
    ("console-without-mfa", LOGIN, {"additionalEventData": {"MFAUsed": "Yes"}}, False),
    ("console-without-mfa", LOGIN, {"additionalEventData": {}}, False),
    ("console-without-mfa", LOGIN, {"userIdentity": {"type": "Root"}}, False),
    ("console-without-mfa", LOGIN, {"responseElements": {"ConsoleLogin": "Failure"}}, False),
    ("console-without-mfa", LOGIN, {"eventName": "CheckMfa"}, False),
    ("console-failures", LOGIN, {"errorMessage": "Failed authentication"}, True),
    ("console-failures", LOGIN, {"errorMessage": "No username found in supplied account"}, False),
    ("console-failures", LOGIN, {}, False),
    ("console-failures", LOGIN, {"errorMessage": "Failed authentication", "eventName": "SwitchRole"}, False),
]


def test_every_control_is_tried() -> None:
    assert set(PACK) == set(CALLS) | {name for name, *_ in OTHERS}
    assert [control.name for control in cis.CONTROLS] == list(PACK)


@pytest.mark.parametrize("name", CALLS)
def test_controls_on_calls(name: str) -> None:
    source, number, named, similar = CALLS[name]
    calls = re.findall(
        r"\$\.eventName=(\w+)", next(control.pattern for control in cis.CONTROLS if control.name == name)
    )
    assert (len(calls), len(set(calls))) == (number, number)
    assert named in calls
    for call in calls:
        record = {"eventName": call, "eventSource": source}
        assert PACK[name].matches(record)
        assert PACK[name].matches(record | {"errorCode": "AccessDenied"})
        assert not PACK[name].matches(record | {"eventName": f"{call}2"})
        assert not PACK[name].matches(record | {"eventName": call.lower()})
        assert PACK[name].matches({"eventName": call, "eventSource": "other.amazonaws.com"}) == (
            name not in OF_ONE_SERVICE
        )
    assert not PACK[name].matches({"eventName": similar, "eventSource": source})
    assert not PACK[name].matches({"eventSource": source, "requestParameters": {"eventName": named}})


@pytest.mark.parametrize(("name", "event", "changes", "met"), OTHERS)
def test_other_controls(name: str, event: dict[str, Any], changes: dict[str, Any], *, met: bool) -> None:
    assert PACK[name].matches(json.dumps(event | changes)) == met


def test_numbers_of_the_benchmark() -> None:
    numbers = [control.cis_1_4[0] for control in cis.CONTROLS]
    assert sorted(numbers, key=lambda number: int(number.split(".")[1])) == [f"4.{number}" for number in range(1, 16)]
    hub = [control.security_hub for control in cis.CONTROLS if control.security_hub]
    assert hub == [f"CloudWatch.{number}" for number in range(1, 15)]
    for control in cis.CONTROLS:
        assert [number.replace("3.", "4.", 1) for number in control.cis_1_2[:1]] == list(
            control.cis_1_4[: len(control.cis_1_2[:1])]
        )
        assert control.title
        assert len(control.pattern) <= 1024


def test_there_are_no_others() -> None:
    assert ct.packs.names() == ["cis"]
    with pytest.raises(ValueError, match="there is no pack 'CIS'; there are: cis"):
        ct.packs.load("CIS")
