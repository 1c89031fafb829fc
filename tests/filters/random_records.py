"""Random records for hypothesis, and the small vocabulary that they share with random conditions.

As in ``strategies``, texts are made, not values: escapes, duplicate keys and the spelling of numbers are what breaks a
matcher.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

import strategies
from documents import Number, document, whole

# Vocabulary

WORDS = [
    *(
        "ab",
        "abc",
        "xab",
        "AB",
        "a*b",
        "axxb",
        "",
        " ",
        "x y",
        "é",
        "É",
        "ß",
        "STRASSE",
        "straße",
        "😀",
        "\u212a",
        "k",
        "K",
    ),
    *('"', "\\", "a\\b", "\x00", "\n", "%", "true", "null", "5", "-3", "5.0", "AccessDenied", "AccessDeniedException"),
    *("Root", "IAMUser", "Success", "Yes", "No"),
    *("10.0.0.1", "10.0.0.01", "10.0.0.200", "192.168.10.20", "010.0.0.1", "2001:db8::1", "2001:0DB8:0:0:0:0:0:1"),
]
NAMES = ["GetObject", "PutObject", "ListObjects", "Decrypt", "ConsoleLogin", "DeleteBucket"]
SOURCES = ["s3.amazonaws.com", "kms.amazonaws.com", "lambda.amazonaws.com", "signin.amazonaws.com"]
TYPES = ["AWS::S3::Object", "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::DynamoDB::Table"]
EVENT_TYPES = [
    "AwsApiCall",
    "AwsServiceEvent",
    "AwsConsoleSignIn",
    "AwsVpceEvent",
    "AwsCloudTrailInsight",
    "AwsConsoleAction",
]
ARNS = [
    *("arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::b/logs/", "arn:aws:s3:::b/logs/1", "arn:aws:s3:::b2/k"),
    *("arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:dynamodb:us-east-1:123456789012:table/t"),
    *("arn:aws:iam::123456789012:user/a", "arn:aws:iam::123456789012:root"),
]
NUMBERS = [
    "5",
    "5.0",
    "5e0",
    "0.5E1",
    "-3",
    "-3.0",
    "0",
    "-0",
    "0.1",
    "5.5",
    "300",
    "1E+400",
    "-1e400",
    "1e-999",
    "123456789012345678901",
]

# The members of a record: the texts that a field usually has, or the members of an object, or the elements of an array.
ITEM: dict[str, Any] = {"k": WORDS, "v": WORDS, "deep": [{"k": WORDS, "v": WORDS}]}
FIELDS: dict[str, Any] = {
    "eventName": NAMES,
    "eventSource": SOURCES,
    "eventType": EVENT_TYPES,
    "eventCategory": ["Management", "Data", "NetworkActivity", "Insight"],
    "eventTime": [f"2023-07-10T{hour}:00:00Z" for hour in (10, 11, 12)],
    "awsRegion": ["us-east-1"],
    "sourceIPAddress": WORDS[-7:],
    "errorCode": ["AccessDenied", "VpceAccessDenied", "Client.UnauthorizedOperation"],
    "readOnly": None,
    "managementEvent": None,
    "sessionCredentialFromConsole": None,
    "vpcEndpointId": ["vpce-1", "vpce-2"],
    "userIdentity": {
        "type": ["Root", "IAMUser", "AssumedRole"],
        "arn": ARNS,
        "invokedBy": ["AWS Internal"],
        "sessionContext": {"attributes": {"mfaAuthenticated": None}},
    },
    "requestParameters": {
        "bucketName": ["b", "b2"],
        "key": ["k", "logs/1"],
        "a": WORDS,
        "b": WORDS,
        "list": [WORDS],
        "items": [ITEM],
        "x.y": WORDS,
        "x": {"y": WORDS},
    },
    "resources": [{"type": TYPES, "ARN": ARNS, "ARNPrefix": ARNS, "accountId": ["123456789012"]}],
    "additionalEventData": {"MFAUsed": ["Yes", "No"], "bytes": None},
    "responseElements": {"ConsoleLogin": ["Success", "Failure"]},
}


def paths(fields: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """The names that lead to each leaf, and the texts that it usually has."""
    if isinstance(fields, dict):
        for name, inner in fields.items():
            yield from paths(inner, (*path, name))
    elif isinstance(fields, list) and isinstance(fields[0], (dict, list)):
        yield from paths(fields[0], path)
    else:
        yield path, fields or ["true", "false"]


About = list[tuple[tuple[str, ...], list[str]]]
PATHS: About = list(paths(FIELDS))


def about(record: str | bytes) -> About:
    """The names that lead to each leaf of a record, and its text; for conditions that the record is likely to meet."""
    return list(_leaves(document(record), ()))


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield (
            path,
            [
                value.text
                if isinstance(value, Number)
                else whole(value)
                if isinstance(value, str)
                else json.dumps(value)
            ],
        )


# Records


@st.composite
def quoted(draw: st.DrawFn, text: str) -> str:
    """A JSON string of the text; now and then with some of its characters as escapes."""
    written = json.dumps(text, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 7)) or len(written) != len(text) + 2:
        return written
    return draw(strategies.spelled(text)) if text else written


_ODD = st.one_of(
    st.sampled_from(["null", "null", "{}", "[]", "[{}]", "[[]]", "true", "false"]),
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS).flatmap(quoted),
    st.lists(st.sampled_from(WORDS).flatmap(quoted), max_size=3).map(lambda items: f"[{','.join(items)}]"),
    strategies.JUNK,
)
_TRUTHS = st.sampled_from(["true", "false", "true", "false", '"true"', '"false"', '"TRUE"', "0", '""'])


@st.composite
def values(draw: st.DrawFn, fields: Any) -> str:
    """The text of a value: usually of the kind that its field has, sometimes of any other."""
    if not draw(st.integers(0, 6)):
        return draw(_ODD)
    if fields is None:
        return draw(st.one_of(_TRUTHS, st.sampled_from(NUMBERS)))
    if isinstance(fields, dict):
        return draw(objects(fields))
    if isinstance(fields[0], str):
        return draw(
            st.one_of(
                st.sampled_from(fields).flatmap(quoted), st.sampled_from(NUMBERS) if fields is WORDS else st.nothing()
            )
        )
    return f"[{','.join(draw(st.lists(values(fields[0]), max_size=3)))}]"


@st.composite
def objects(draw: st.DrawFn, fields: dict[str, Any]) -> str:
    """The text of an object with some of the fields in any order, now and then one of them twice."""
    most = len(fields)
    names = draw(
        st.lists(st.sampled_from(list(fields)), min_size=most // 2, max_size=most, unique=bool(draw(st.integers(0, 5))))
    )
    space = draw(strategies.SPACES)
    members = [f"{draw(strategies.spelled(name))}{space}:{draw(values(fields[name]))}" for name in names]
    return "{" + f"{space},".join(members) + "}"


@st.composite
def records(draw: st.DrawFn) -> str:
    """The text of an object that is certainly a record."""
    inner = draw(st.one_of(objects(FIELDS), objects(FIELDS), objects(FIELDS), strategies.records()))[1:]
    return '{"eventVersion":"1.08"' + ("}" if inner == "}" else "," + inner)


# Texts that may not be conditions


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """The text with one character dropped, changed or put in, or cut off."""
    at = draw(st.integers(0, max(0, len(text) - 1)))
    put = draw(st.sampled_from([*"{}[]()\"'\\,:=!<>&|%*?$.- 0a", "null", "EXISTS", "\x00", "é"]))
    match draw(st.sampled_from(["drop", "change", "put", "cut"])):
        case "drop":
            return text[:at] + text[at + 1 :]
        case "change":
            return text[:at] + put + text[at + 1 :]
        case "put":
            return text[:at] + put + text[at:]
        case _:
            return text[:at]
