"""CloudTrail event selectors by example: basic and advanced ones, the documented tables, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sides import EVENT_SELECTORS, both_sides


def management(name: str, source: str = "ec2.amazonaws.com", **members: Any) -> dict[str, Any]:
    return {"eventCategory": "Management", "managementEvent": True, "eventSource": source, "eventName": name} | members


def data(name: str, *resources: dict[str, Any], source: str = "s3.amazonaws.com", **members: Any) -> dict[str, Any]:
    event = {"eventCategory": "Data", "managementEvent": False, "eventSource": source, "eventName": name}
    return event | {"resources": list(resources)} | members


def s3(arn: str) -> dict[str, Any]:
    return {"type": "AWS::S3::Object", "ARN": arn}


def function(name: str) -> dict[str, Any]:
    return {"type": "AWS::Lambda::Function", "ARN": f"arn:aws:lambda:us-east-1:123456789012:function:{name}"}


def advanced(*selectors: dict[str, dict[str, list[str]]]) -> str:
    """Each selector as field -> operator -> values."""
    return json.dumps(
        {
            "AdvancedEventSelectors": [
                {"FieldSelectors": [{"Field": field} | tests for field, tests in fields.items()]}
                for fields in selectors
            ]
        }
    )


def equals(*values: str) -> dict[str, list[str]]:
    return {"Equals": list(values)}


def basic(*selectors: dict[str, Any]) -> str:
    return json.dumps({"EventSelectors": selectors})


DECRYPT = management("Decrypt", "kms.amazonaws.com", readOnly=True)
DESCRIBE = management("DescribeInstances", readOnly=True)
STOP = management("StopInstances", readOnly=False)
BUCKET = {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"}
GET = data("GetObject", s3("arn:aws:s3:::b/k"), BUCKET, readOnly=True)
PUT = data("PutObject", s3("arn:aws:s3:::b/k"), BUCKET, readOnly=False)
LIST = data("ListObjects", {"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::b/"}, BUCKET, readOnly=True)
INVOKE = data("Invoke", function("hello"), source="lambda.amazonaws.com", readOnly=False)
DENIED = {
    "eventCategory": "NetworkActivity",
    "eventType": "AwsVpceEvent",
    "eventSource": "kms.amazonaws.com",
    "eventName": "ListKeys",
    "errorCode": "VpceAccessDenied",
    "vpcEndpointId": "vpce-1",
}
ALLOWED = {name: value for name, value in DENIED.items() if name != "errorCode"}
INSIGHT = {"eventCategory": "Insight", "eventType": "AwsCloudTrailInsight", "insightDetails": {"state": "Start"}}
EVENTS = {
    "Decrypt": DECRYPT,
    "Describe": DESCRIBE,
    "Stop": STOP,
    "Get": GET,
    "Put": PUT,
    "List": LIST,
    "Invoke": INVOKE,
    "denied": DENIED,
    "allowed": ALLOWED,
    "insight": INSIGHT,
}
MANAGEMENT, OBJECTS = {"Decrypt", "Describe", "Stop"}, {"Get", "Put", "List"}
OF_S3 = {"eventCategory": equals("Data"), "resources.type": equals("AWS::S3::Object")}
OF_KMS = {"eventCategory": equals("NetworkActivity"), "eventSource": equals("kms.amazonaws.com")}
S3 = {"Type": "AWS::S3::Object"}
LAMBDA = {"Type": "AWS::Lambda::Function"}
NO_MANAGEMENT = {"IncludeManagementEvents": False}

# Selectors, and which of the events they log; by their meaning.
LOGGED: dict[str, tuple[str, set[str]]] = {
    "management": (advanced({"eventCategory": equals("Management")}), MANAGEMENT),
    "management, writes": (advanced({"eventCategory": equals("Management"), "readOnly": equals("false")}), {"Stop"}),
    "management, reads": (
        advanced({"eventCategory": equals("Management"), "readOnly": equals("true")}),
        {"Decrypt", "Describe"},
    ),
    "management without KMS": (
        advanced({"eventCategory": equals("Management"), "eventSource": {"NotEquals": ["kms.amazonaws.com"]}}),
        {"Describe", "Stop"},
    ),
    "the console's default, writes without KMS": (
        advanced(
            {
                "eventCategory": equals("Management"),
                "readOnly": equals("false"),
                "eventSource": {"NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]},
            }
        ),
        {"Stop"},
    ),
    "objects": (advanced(OF_S3), OBJECTS),
    "objects, two names": (advanced(OF_S3 | {"eventName": equals("GetObject", "PutObject")}), {"Get", "Put"}),
    "objects without two names": (
        advanced(OF_S3 | {"eventName": {"NotEquals": ["GetObject"], "NotStartsWith": ["List"]}}),
        {"Put"},
    ),
    "objects, writes": (advanced(OF_S3 | {"readOnly": equals("false")}), {"Put"}),
    "objects of a bucket": (advanced(OF_S3 | {"resources.ARN": {"StartsWith": ["arn:aws:s3:::b/"]}}), OBJECTS),
    "objects of another bucket": (advanced(OF_S3 | {"resources.ARN": {"StartsWith": ["arn:aws:s3:::c/"]}}), set()),
    "an object": (advanced(OF_S3 | {"resources.ARN": equals("arn:aws:s3:::b/k")}), {"Get", "Put"}),
    "a bucket is no object": (advanced(OF_S3 | {"resources.ARN": equals("arn:aws:s3:::b")}), set()),
    "objects outside of a bucket": (advanced(OF_S3 | {"resources.ARN": {"NotStartsWith": ["arn:aws:s3:::b/"]}}), set()),
    "objects by their ends": (advanced(OF_S3 | {"resources.ARN": {"EndsWith": ["/k"]}}), {"Get", "Put"}),
    "objects and functions": (
        advanced(OF_S3, {"eventCategory": equals("Data"), "resources.type": equals("AWS::Lambda::Function")}),
        OBJECTS | {"Invoke"},
    ),
    "what no console asked for": (advanced(OF_S3 | {"sessionCredentialFromConsole": {"NotEquals": ["true"]}}), OBJECTS),
    "what a console asked for": (advanced(OF_S3 | {"sessionCredentialFromConsole": equals("true")}), set()),
    "not a user, whom the events do not have": (
        advanced(OF_S3 | {"userIdentity.arn": {"NotEquals": ["arn:aws:iam::1:user/a"]}}),
        OBJECTS,
    ),
    "a user, whom the events do not have": (advanced(OF_S3 | {"userIdentity.arn": {"StartsWith": ["arn:"]}}), set()),
    "not by a service": (advanced(OF_S3 | {"eventType": {"NotEquals": ["AwsServiceEvent"]}}), OBJECTS),
    "network activity": (advanced(OF_KMS), {"denied", "allowed"}),
    "network activity, denied": (advanced(OF_KMS | {"errorCode": equals("VpceAccessDenied")}), {"denied"}),
    "network activity of an endpoint": (advanced(OF_KMS | {"vpcEndpointId": {"StartsWith": ["vpce-2"]}}), set()),
    "network activity of another source": (advanced(OF_KMS | {"eventSource": equals("ec2.amazonaws.com")}), set()),
    "insights, of an event data store": (advanced({"eventCategory": equals("Insight")}), {"insight"}),
    "management by name, of an event data store": (
        advanced({"eventCategory": equals("Management"), "eventName": {"StartsWith": ["De"]}}),
        {"Decrypt", "Describe"},
    ),
    "no selectors": (basic(), set()),
    "a list of selectors": (json.dumps(json.loads(advanced(OF_S3))["AdvancedEventSelectors"]), OBJECTS),
    "what a trail says": (
        json.dumps({"TrailARN": "arn:aws:cloudtrail:us-east-1:123456789012:trail/t"} | json.loads(advanced(OF_S3))),
        OBJECTS,
    ),
    "basic: nothing said": (basic({}), MANAGEMENT),
    "basic: all": (basic({"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}), MANAGEMENT),
    "basic: reads": (basic({"ReadWriteType": "ReadOnly"}), {"Decrypt", "Describe"}),
    "basic: writes": (basic({"ReadWriteType": "WriteOnly"}), {"Stop"}),
    "basic: without KMS": (basic({"ExcludeManagementEventSources": ["kms.amazonaws.com"]}), {"Describe", "Stop"}),
    "basic: two selectors": (
        basic({"ReadWriteType": "WriteOnly"}, {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}),
        {"Describe", "Stop"},
    ),
    "basic: all objects": (basic(NO_MANAGEMENT | {"DataResources": [S3 | {"Values": ["arn:aws:s3"]}]}), OBJECTS),
    "basic: all objects, the other way": (
        basic(NO_MANAGEMENT | {"DataResources": [S3 | {"Values": ["arn:aws:s3:::"]}]}),
        OBJECTS,
    ),
    "basic: a bucket": (basic(NO_MANAGEMENT | {"DataResources": [S3 | {"Values": ["arn:aws:s3:::b/"]}]}), OBJECTS),
    "basic: keys": (basic(NO_MANAGEMENT | {"DataResources": [S3 | {"Values": ["arn:aws:s3:::b/k"]}]}), {"Get", "Put"}),
    "basic: another bucket": (basic(NO_MANAGEMENT | {"DataResources": [S3 | {"Values": ["arn:aws:s3:::c/"]}]}), set()),
    "basic: objects, writes": (
        basic(NO_MANAGEMENT | {"ReadWriteType": "WriteOnly", "DataResources": [S3 | {"Values": ["arn:aws:s3"]}]}),
        {"Put"},
    ),
    "basic: management and objects": (
        basic({"DataResources": [S3 | {"Values": ["arn:aws:s3"]}]}),
        MANAGEMENT | OBJECTS,
    ),
    "basic: all functions": (
        basic(NO_MANAGEMENT | {"DataResources": [LAMBDA | {"Values": ["arn:aws:lambda"]}]}),
        {"Invoke"},
    ),
    "basic: a function": (
        basic(NO_MANAGEMENT | {"DataResources": [LAMBDA | {"Values": [function("hello")["ARN"]]}]}),
        {"Invoke"},
    ),
    "basic: a longer name": (
        basic(NO_MANAGEMENT | {"DataResources": [LAMBDA | {"Values": [function("hello2")["ARN"]]}]}),
        set(),
    ),
    "basic: a shorter name": (
        basic(NO_MANAGEMENT | {"DataResources": [LAMBDA | {"Values": [function("hell")["ARN"]]}]}),
        set(),
    ),
}


@both_sides
@pytest.mark.parametrize("name", LOGGED)
def test_logged(side: str, name: str) -> None:
    text, expected = LOGGED[name]
    selectors = getattr(EVENT_SELECTORS, side)(text)
    assert {name for name, event in EVENTS.items() if selectors.matches(json.dumps(event))} == expected


ARN_OF_SIX_OPERATORS = {
    "Equals": ["arn:aws:s3:::b/object1"],
    "StartsWith": ["arn:aws:s3:::b/"],
    "EndsWith": ["object3"],
    "NotStartsWith": ["arn:aws:s3:::b/deselect"],
    "NotEndsWith": ["object5"],
    "NotEquals": ["arn:aws:s3:::b/object6"],
}


@both_sides
@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:s3:::b/object1", True),
        ("arn:aws:s3:::b/object2", True),
        ("arn:aws:s3:::b1/object3", True),
        ("arn:aws:s3:::b/deselectObject4", False),
        ("arn:aws:s3:::b/object5", False),
        ("arn:aws:s3:::b/object6", False),
        ("arn:aws:s3:::c/x", False),
    ],
)
def test_six_operators_on_one_field(side: str, arn: str, *, expected: bool) -> None:
    selectors = getattr(EVENT_SELECTORS, side)(advanced(OF_S3 | {"resources.ARN": ARN_OF_SIX_OPERATORS}))
    assert selectors.matches(json.dumps(data("GetObject", s3(arn)))) is expected


@both_sides
@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"eventName": "x"}, "Data"),
        ({"eventName": "x", "resources": [BUCKET]}, "Management"),
        ({"eventName": "x", "resources": None}, "Management"),
        ({"managementEvent": True}, "Management"),
        ({"managementEvent": False}, "Data"),
        ({"managementEvent": "false"}, "Data"),
        ({"eventCategory": None, "managementEvent": False}, "Data"),
        ({"eventCategory": "Management", "managementEvent": False}, "Management"),
        ({"eventType": "AwsVpceEvent"}, "NetworkActivity"),
        ({"eventType": "AwsVpceEvents", "managementEvent": False}, "NetworkActivity"),
        ({"eventType": "AwsCloudTrailInsight"}, None),
        ({"insightDetails": {}}, None),
        ({"eventCategory": "Insight"}, None),
        ({"eventCategory": "management"}, None),
    ],
)
def test_category(side: str, event: dict[str, Any], expected: str | None) -> None:
    """Older events have no category."""
    event = {"eventSource": "kms.amazonaws.com", "resources": [s3("arn:aws:s3:::b/k")]} | event
    of_each = {
        "Management": advanced({"eventCategory": equals("Management")}),
        "Data": advanced(OF_S3),
        "NetworkActivity": advanced(OF_KMS),
    }
    logged = [name for name, text in of_each.items() if getattr(EVENT_SELECTORS, side)(text).matches(json.dumps(event))]
    assert logged == ([expected] if expected else [])


@both_sides
@pytest.mark.parametrize(
    ("value", "is_read"),
    [(True, True), ("true", True), ("TRUE", True), (False, False), ("false", False), (None, False), ("", False)],
)
def test_read_only(side: str, value: Any, *, is_read: bool) -> None:
    """An event without ``readOnly`` counts as a write."""
    event = json.dumps(management("x", readOnly=value))
    reads = getattr(EVENT_SELECTORS, side)(
        advanced({"eventCategory": equals("Management"), "readOnly": equals("true")})
    )
    writes = getattr(EVENT_SELECTORS, side)(basic({"ReadWriteType": "WriteOnly"}))
    assert (reads.matches(event), writes.matches(event)) == (is_read, not is_read)
    event = json.dumps(management("x"))
    assert (reads.matches(event), writes.matches(event)) == (False, True)


@both_sides
def test_type_and_arn_of_one_entry(side: str) -> None:
    event = data(
        "x",
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::c/k"},
        {"type": "AWS::DynamoDB::Table", "ARN": "arn:aws:s3:::b/k"},
    )
    selectors = getattr(EVENT_SELECTORS, side)(advanced(OF_S3 | {"resources.ARN": {"StartsWith": ["arn:aws:s3:::b/"]}}))
    assert not selectors.matches(json.dumps(event))


@both_sides
@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"StartsWith": ["arn:aws:s3:::b/"]}, True),
        ({"StartsWith": ["arn:aws:s3:::b/lo"]}, True),
        ({"StartsWith": ["arn:aws:s3:::b/logs/2"]}, False),
        ({"NotStartsWith": ["arn:aws:s3:::b/"]}, False),
        ({"NotStartsWith": ["arn:aws:s3:::c/"]}, True),
        ({"Equals": ["arn:aws:s3:::b/logs/"]}, False),
        ({"NotEquals": ["arn:aws:s3:::b/logs/"]}, True),
    ],
)
def test_beginning_of_an_arn(side: str, test: dict[str, list[str]], *, expected: bool) -> None:
    """Calls on many objects name what their ARNs begin with."""
    event = data("ListObjects", {"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::b/logs/"})
    assert (
        getattr(EVENT_SELECTORS, side)(advanced(OF_S3 | {"resources.ARN": test})).matches(json.dumps(event)) is expected
    )


@both_sides
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"ARN": "true", "ARNPrefix": "arn:aws:s3:::b/k"}, False),
        ({"ARN": "true", "arn": "arn:aws:s3:::b/k"}, False),
        ({"arn": "", "ARNPrefix": "arn:aws:s3:::b/k"}, False),
        ({"ARN": "arn:aws:s3:::b/k", "ARNPrefix": "true"}, True),
        ({"ARN": None, "ARNPrefix": "arn:aws:s3:::b/k"}, True),
        ({"ARN": 5, "arn": {}, "ARNPrefix": "arn:aws:s3:::b/k"}, True),
    ],
)
def test_entry_with_an_arn_and_the_beginning_of_one(side: str, entry: dict[str, Any], *, expected: bool) -> None:
    """The prefix counts only if the entry has no ARN, and not for other entries."""
    values = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/k"]}
    selectors = getattr(EVENT_SELECTORS, side)(basic({"IncludeManagementEvents": False, "DataResources": [values]}))
    odd = {"type": "AWS::S3::Object"} | entry
    for resources in ([odd], [s3("arn:aws:s3:::c/k"), odd, BUCKET], [{"type": "AWS::S3::Object"}, odd]):
        assert selectors.matches(json.dumps(data("ListObjects", *resources))) is expected
    deselecting = getattr(EVENT_SELECTORS, side)(
        advanced(OF_S3 | {"resources.ARN": {"NotStartsWith": ["arn:aws:s3:::b/"]}})
    )
    assert deselecting.matches(json.dumps(data("ListObjects", odd))) is not expected


@both_sides
@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"StartsWith": ["arn:aws:s3:::b/"]}, True),
        ({"NotStartsWith": ["arn:aws:s3:::b/"]}, False),
        ({"NotStartsWith": ["arn:aws:s3:::d/"]}, True),
        ({"StartsWith": ["arn:aws:s3:::b/"], "NotEquals": ["arn:aws:s3:::c/k"]}, False),
    ],
)
def test_two_entries_of_one_type(side: str, test: dict[str, list[str]], *, expected: bool) -> None:
    """One selected entry is enough to log the event, and one deselected entry is enough not to."""
    event = data("x", s3("arn:aws:s3:::b/k"), s3("arn:aws:s3:::c/k"))
    assert (
        getattr(EVENT_SELECTORS, side)(advanced(OF_S3 | {"resources.ARN": test})).matches(json.dumps(event)) is expected
    )


@both_sides
def test_object_of_an_older_event(side: str) -> None:
    """It names the bucket among its resources, the object in its request."""
    event = data("GetObject", BUCKET, requestParameters={"bucketName": "b", "key": "logs/1"})
    selectors = [
        basic(NO_MANAGEMENT | {"DataResources": [S3 | {"Values": [value]}]})
        for value in ("arn:aws:s3:::b/logs/", "arn:aws:s3:::b/log/", "arn:aws:s3:::c/")
    ]
    assert [getattr(EVENT_SELECTORS, side)(text).matches(json.dumps(event)) for text in selectors] == [
        True,
        False,
        False,
    ]


REFUSED: dict[str, str] = {
    "no JSON": "{",
    "nothing": "",
    "a text": '"x"',
    "an empty object": "{}",
    "both kinds": json.dumps(json.loads(basic({})) | json.loads(advanced(OF_S3))),
    "six basic selectors": basic(*[{}] * 6),
    "more than 250 resources": basic(
        {"DataResources": [S3 | {"Values": [f"arn:aws:s3:::b{place}/" for place in range(251)]}]}
    ),
    "a type that basic selectors do not have": basic(
        {"DataResources": [{"Type": "AWS::S3::Bucket", "Values": ["arn:aws:s3"]}]}
    ),
    "no ReadWriteType": basic({"ReadWriteType": "Write"}),
    "a source that cannot be excluded": basic({"ExcludeManagementEventSources": ["s3.amazonaws.com"]}),
    "no field selectors": '{"AdvancedEventSelectors":[{"Name":"x"}]}',
    "empty field selectors": '{"AdvancedEventSelectors":[{"FieldSelectors":[]}]}',
    "no category": advanced({"readOnly": equals("true")}),
    "two categories": advanced({"eventCategory": equals("Management", "Data")}),
    "a category by its beginning": advanced({"eventCategory": {"StartsWith": ["Man"]}}),
    "an unknown category": advanced({"eventCategory": equals("Other")}),
    "a category in lower case": advanced({"eventCategory": equals("management")}),
    "data without a type": advanced({"eventCategory": equals("Data")}),
    "data not of a type": advanced(
        {"eventCategory": equals("Data"), "resources.type": {"NotEquals": ["AWS::S3::Object"]}}
    ),
    "network activity without a source": advanced({"eventCategory": equals("NetworkActivity")}),
    "network activity of two sources": advanced(
        OF_KMS | {"eventSource": equals("kms.amazonaws.com", "ec2.amazonaws.com")}
    ),
    "network activity not of a source": advanced(OF_KMS | {"eventSource": {"NotEquals": ["kms.amazonaws.com"]}}),
    "network activity, reads": advanced(OF_KMS | {"readOnly": equals("true")}),
    "network activity, another error": advanced(OF_KMS | {"errorCode": equals("AccessDenied")}),
    "management of a resource": advanced({"eventCategory": equals("Management"), "resources.ARN": equals("x")}),
    "a member that basic selectors do not have": basic({"Name": "x"}),
    "a key twice": '{"EventSelectors":[{"ReadWriteType":"All","ReadWriteType":"All"}]}',
    "insights of a source": advanced({"eventCategory": equals("Insight"), "eventSource": equals("s3.amazonaws.com")}),
    "an unknown field": advanced(OF_S3 | {"awsRegion": equals("us-east-1")}),
    "an unknown operator": advanced(OF_S3 | {"eventName": {"Contains": ["x"]}}),
    "a field without an operator": advanced(OF_S3 | {"eventName": {}}),
    "an operator without values": advanced(OF_S3 | {"eventName": {"Equals": []}}),
    "an empty value": advanced(OF_S3 | {"eventName": equals("")}),
    "a long value": advanced(OF_S3 | {"eventName": equals("x" * 2049)}),
    "readOnly of something else": advanced(OF_S3 | {"readOnly": equals("yes")}),
    "not readOnly": advanced(OF_S3 | {"readOnly": {"NotEquals": ["true"]}}),
    "a console's session, by its beginning": advanced(OF_S3 | {"sessionCredentialFromConsole": {"StartsWith": ["t"]}}),
    "more than 500 values": advanced(OF_S3 | {"eventName": equals(*[f"Name{place}" for place in range(499)])}),
    "a long name": json.dumps(
        {
            "AdvancedEventSelectors": [
                {"Name": "x" * 1001, "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
            ]
        }
    ),
}


@both_sides
@pytest.mark.parametrize("name", REFUSED)
def test_refused(side: str, name: str) -> None:
    assert EVENT_SELECTORS.refused(side, REFUSED[name])


@both_sides
def test_500_values(side: str) -> None:
    selectors = getattr(EVENT_SELECTORS, side)(
        advanced(OF_S3 | {"eventName": equals(*[f"Name{place}" for place in range(497)], "GetObject")})
    )
    assert selectors.matches(json.dumps(GET))
    assert not selectors.matches(json.dumps(PUT))
