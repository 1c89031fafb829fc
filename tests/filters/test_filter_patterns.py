"""CloudWatch Logs filter patterns by example: the language, the documented examples, and the CIS filters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sides import FILTER_PATTERN, both_sides

UPDATE: dict[str, Any] = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "cluster.name": "c",
    "eventSource": "cloudtrail.amazonaws.com",
    "errorCode": 400,
    "odd": "Up*Trail",
    "digits": "400",
    "object": {"in-side": {"_x1": -55.5}},
    "mixed": [1, "one", None, True, {"id": 5}, [7]],
}
USERS: dict[str, Any] = {
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}

# Pattern -> whether UPDATE matches.
OF_UPDATE: dict[str, bool] = {
    # Texts
    '{ $.eventType = "UpdateTrail" }': True,
    "{ $.eventType = UpdateTrail }": True,
    "{$.eventType=UpdateTrail}": True,
    "{\n$.eventType   =   UpdateTrail\r\n\t}": True,
    '{ $.eventType = "updateTrail" }': False,
    '{ $.eventtype = "UpdateTrail" }': False,
    '{ $.eventType != "UpdateTrail" }': False,
    '{ $.eventType != "Other" }': True,
    "{ $.eventSource = cloudtrail.amazonaws.com }": True,
    # Wildcards, at the ends only
    "{ $.eventType = Update* }": True,
    "{ $.eventType = *Trail }": True,
    '{ $.eventType = "*dateTr*" }': True,
    '{ $.eventType = "Up*Trail" }': False,
    '{ $.odd = "Up*Trail" }': True,
    "{ $.eventType = *Update }": False,
    "{ $.eventType != Update* }": False,
    "{ $.sourceIPAddress != 123.123.* }": True,
    "{ $.sourceIPAddress = 111.111.* }": True,
    "{ $.eventType = * }": True,
    '{ $.eventType = "*" }': True,
    "{ $.errorCode = * }": True,
    "{ $.ThisFlag = * }": False,
    "{ $.SomeObject = * }": False,
    "{ $.object = * }": False,
    "{ $.arrayKey = * }": False,
    "{ $.Other = * }": False,
    # Numbers
    "{ $.errorCode = 400 }": True,
    "{ $.errorCode = 4e2 }": True,
    "{ $.errorCode = +400.0 }": True,
    "{ $.errorCode != 404 }": True,
    "{ $.errorCode >= 400 }": True,
    "{ $.errorCode > 400 }": False,
    "{ $.errorCode < 400.5 }": True,
    "{ $.errorCode <= 399 }": False,
    "{ $.object.in-side._x1 = -55.5 }": True,
    "{ $.object.in-side._x1 < -10e-3 }": True,
    "{ $.digits = 400 }": True,
    "{ $.digits = 400.0 }": False,
    "{ $.digits != 4e2 }": True,
    "{ $.eventType != 1 }": True,
    '{ $.digits = "400" }': True,
    "{ $.digits > 1 }": False,
    '{ $.errorCode = "400" }': True,
    '{ $.errorCode = "400.0" }': False,
    "{ $.errorCode = 4* }": True,
    '{ $.errorCode != "Alpha" }': True,
    "{ $.errorCode = %^40+$% }": True,
    # Presence and truth
    "{ $.SomeObject IS NULL }": True,
    "{ $.Other IS NULL }": False,
    "{ $.mixed IS NULL }": True,
    "{ $.arrayKey IS NULL }": False,
    "{ $.eventType IS NULL }": False,
    "{ $.Other NOT EXISTS }": True,
    "{ $.SomeObject NOT EXISTS }": False,
    "{ $.object.Other NOT EXISTS }": True,
    "{ $.eventType.Other NOT EXISTS }": True,
    "{ $.ThisFlag IS TRUE }": True,
    "{ $.ThisFlag IS FALSE }": False,
    "{ $.eventType IS TRUE }": False,
    "{ $.Other IS FALSE }": False,
    "{ $.ThisFlag = true }": False,
    "{ $.ThisFlag != false }": False,
    "{ $.ThisFlag = false }": False,
    '{ $.ThisFlag = "true" }': False,
    # Missing, null, object and array: neither equal nor different
    '{ $.Other = "x" }': False,
    '{ $.Other != "x" }': False,
    '{ $.SomeObject != "x" }': False,
    '{ $.object != "x" }': False,
    '{ $.arrayKey = "value" }': False,
    '{ $.arrayKey != "value" }': False,
    '{ $.eventType.Other != "x" }': False,
    # Elements and members
    '{ $.arrayKey[0] = "value" }': True,
    '{ $.arrayKey[1] = "value" }': False,
    '{ $.arrayKey[2] = "value" }': False,
    '{ $.arrayKey[*] = "another value" }': True,
    '{ $.arrayKey[*] != "value" }': True,
    "{ $.arrayKey[*] = %val.{2}% }": True,
    "{ $.objectList[1].id = 2 }": True,
    "{ $.objectList[*].id = 2 }": True,
    "{ $.objectList[*].id = 3 }": False,
    "{ $.eventType[0] = U }": False,
    "{ $.object[*]._x1 = -55.5 }": True,
    "{ $.object.in-side[*] < 0 }": True,
    "{ $.arrayKey.* = value }": False,
    "{ $.object[0] = 1 }": False,
    "{ $.mixed[*] = 1 }": True,
    "{ $.mixed[*] IS NULL }": True,
    "{ $.mixed[*].id = 5 }": True,
    "{ $.mixed[5][0] = 7 }": True,
    r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }": True,
    "{ $.* = c }": True,
    "{ $.object.*._x1 < 0 }": True,
    "{ $.['cluster.name'] = \"c\" }": True,
    '{ $.cluster.name = "c" }': False,
    "{ $.['object'].['in-side']._x1 = -55.5 }": True,
    # Regular expressions
    "{ $.eventType = %Trail% }": True,
    "{ $.eventType = %^Trail% }": False,
    "{ $.eventType = %^Update[A-Z]r?ail$% }": True,
    "{ $.eventType != %Trail% }": False,
    r"{ $.eventType = %\x55pdate% }": True,
    r"{ $.eventType = %\d|\s% }": False,
    r"{ $.eventType = %Up\w+% }": True,
    # Precedence
    "{ $.eventType = x || $.eventType = *Trail && $.ThisFlag IS TRUE }": True,
    "{ ($.eventType = x || $.eventType = *Trail) && $.ThisFlag IS FALSE }": False,
    "{ $.eventType = *Trail || $.eventType = x && $.ThisFlag IS FALSE }": True,
    "{ (($.eventType = *Trail)) }": True,
    "{ $.eventType = a || $.eventType = b || $.eventType = UpdateTrail }": True,
    "{ $.eventType = U* && $.eventType = *l && $.eventType = *x* }": False,
}
OF_USERS: dict[str, bool] = {
    '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }': True,
    '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }': False,
    (
        '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }'
    ): True,
    (
        '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch")'
        ' && $.actions[2] = "nonmatch" }'
    ): False,
    "{ $.coordinates[0][1] = 1 && $.coordinates[2][2] >= 9 }": True,
    "{ $.users = 1 }": False,
    "{ $.users != 1 }": False,
    '{ $.users[*].email = "Jane*" }': True,
    '{ $.users[2].email = "Jane*" }': False,
}


@both_sides
@pytest.mark.parametrize("pattern", OF_UPDATE)
def test_json(side: str, pattern: str) -> None:
    assert getattr(FILTER_PATTERN, side)(pattern).matches(json.dumps(UPDATE)) is OF_UPDATE[pattern]


@both_sides
@pytest.mark.parametrize("pattern", OF_USERS)
def test_documented_example(side: str, pattern: str) -> None:
    assert getattr(FILTER_PATTERN, side)(pattern).matches(json.dumps(USERS)) is OF_USERS[pattern]


@both_sides
@pytest.mark.parametrize(
    ("pattern", "record", "expected"),
    [
        (r'{ $.a = "say \"x\"" }', r'{"a":"say \"x\""}', True),
        (r'{ $.a = "a\\b" }', r'{"a":"a\\b"}', True),
        ('{ $.a = "é" }', r'{"a":"\u00e9"}', True),
        ('{ $.a = "x" }', r'{"\u0061":"\u0078"}', True),
        ('{ $.a = "x" }', '{"a":"y","a":"x"}', True),
        ('{ $.a = "x" }', '{"a":"x","a":"y"}', False),
        ('{ $.a = "" }', '{"a":""}', True),
        ('{ $.a = "x y" }', '{"a":"x y"}', True),
        ("{ $.a = 1000 }", '{"a":1e3}', True),
        ("{ $.a = 0 }", '{"a":-0.0}', True),
        ("{ $.a < 0 }", '{"a":-1E+400}', True),
        ("{ $.a = x }", '"a"', False),
        ("{ $.a = x }", "not JSON", False),
        ("{ $.a NOT EXISTS }", "not JSON", False),
    ],
)
def test_spelling(side: str, pattern: str, record: str, *, expected: bool) -> None:
    assert getattr(FILTER_PATTERN, side)(pattern).matches(record) is expected


LINE = '{"eventName":"ERRORCODE 1","text":"a phrase","path":"a\\/b"}'


@both_sides
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", True),
        (" ", True),
        ('""', True),
        ('" "', True),
        ("ERROR", True),
        ("error", False),
        ("ERROR phrase", True),
        ("ERROR missing", False),
        ('"a phrase"', True),
        ('"phrase a"', False),
        ('"eventName"', True),
        (r'"\"eventName\":"', True),
        ("?missing ?ERROR", True),
        ("?missing ?absent", False),
        ("ERROR -missing", True),
        ("ERROR -phrase", False),
        ('ERROR -"a phrase"', False),
        ("-missing", True),
        ("-ERROR", False),
        ("phrase ?missing ?absent", True),
        ("missing ?ERROR", False),
        ("%ERROR[A-Z]+% ", True),
        ("%^ERROR%", False),
        # As it is written
        ('"a/b"', False),
        (r'"a\\/b"', True),
    ],
)
def test_terms(side: str, pattern: str, *, expected: bool) -> None:
    assert getattr(FILTER_PATTERN, side)(pattern).matches(LINE) is expected


# A record read as space-delimited fields: without blanks, it is a single field.
SPACED = '{"eventName":"Get", "n": 404 , "list": [ 1 2 ] }'


@both_sides
@pytest.mark.parametrize(
    ("pattern", "record", "expected"),
    [
        ("[all]", '{"a":"x"}', True),
        ("[all, more]", '{"a":"x"}', False),
        ("[]", '{"a":"x"}', True),
        ("[all = *x*]", '{"a":"x"}', True),
        ("[all != *x*]", '{"a":"x"}', False),
        ("[all = %[a-z]%]", '{"a":"x"}', True),
        ("[...]", '{"a":"x"}', True),
        ("[..., last]", '{"a":"x"}', True),
        ("[first, second, third, fourth]", '{"a": 1 }', False),
        ("[first, second, third, fourth]", '{"a": 1 , "b":2}', True),
        ("[first, second = 1, rest]", '{"a": 1 , "b":2}', True),
        ("[first, second = 1]", '{"a": 1 , "b":2}', False),
        ('[first, rest = "1 , \\"b\\":2}"]', '{"a": 1 , "b":2}', True),
        ("[..., third = %,%,]", '{"a": 1 , "b":2}', True),
        ("[first, second = 1, third, fourth]", '{"a": 1 , "b":2}', True),
        ("[first, second > 1, third, fourth]", '{"a": 1 , "b":2}', False),
        ("[first, second >= 1 && second < 2, third, fourth]", '{"a": 1 , "b":2}', True),
        ("[first, second = 5 || second = 1, ...]", '{"a": 1 , "b":2}', True),
        ("[first, second != 1, ...]", '{"a": 1 , "b":2}', False),
        ('[..., last = "*2}"]', '{"a": 1 , "b":2}', True),
        ('[first = "{\\"a\\":", ...]', '{"a": 1 , "b":2}', True),
        # Text in quotes is one field, without the quotes.
        ("[a, b = x, c]", '{"a": "x" }', True),
        ('[a, b = "x y", c]', '{"a": "x y" }', True),
        ("[a, b, c]", '{"a": [ 1, 2 ] }', True),
    ],
)
def test_fields(side: str, pattern: str, record: str, *, expected: bool) -> None:
    assert getattr(FILTER_PATTERN, side)(pattern).matches(record) is expected


@both_sides
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ip, id, user, timestamp, request, status_code, size]", True),
        ("[ip=%127\\.0\\.0\\.[1-9]%, id, user, timestamp, request, status_code = 4*, size]", True),
        ("[ip, id, user, timestamp, request = *.html*, status_code = 4*, size]", True),
        ("[ip, id, user, timestamp, request = *.html*, status_code = 5*, size]", False),
        ("[..., status_code = 404 || status_code = 410, size > 1000]", True),
        ("[..., size > 1600]", False),
        ("[ip, id, user, timestamp, request, status_code]", True),
        ("[ip, id, user, timestamp, request, status_code = 404]", False),
        ('[ip, id, user, timestamp, request, status_code = "404 1534"]', True),
        ("[ip, id, user, timestamp, request, status_code, size, more]", False),
        ("[..., status_code = 4*,]", True),
    ],
)
def test_documented_line(side: str, pattern: str, *, expected: bool) -> None:
    line = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
    assert getattr(FILTER_PATTERN, side)(pattern).matches(line) is expected


REFUSED = [
    "{",
    "{}",
    "{ }",
    "{ $.a }",
    "{ $.a = }",
    "{ $.a = x",
    "{ $.a = x } y",
    "{ $.a = x }}",
    "{ a = x }",
    "{ . = x }",
    "{ $ = x }",
    "{ $. = x }",
    "{ $.a. = x }",
    "{ $.a[ = x }",
    "{ $.a[x] = x }",
    "{ $.a[-1] = x }",
    '{ $.["a"] = x }',
    "{ $.a == x }",
    "{ $.a = x & $.b = y }",
    "{ $.a = x | $.b = y }",
    "{ $.a = x && }",
    "{ $.a = x && && $.b = y }",
    "{ || $.a = x }",
    "{ ($.a = x }",
    "{ $.a = x) }",
    "{ () }",
    "{ $.a = x $.b = y }",
    "{ $.a = x y }",
    '{ $.a = "x }',
    "{ $.a = %x }",
    "{ $.a = %% }",
    "{ $.a IS NOT NULL }",
    "{ $.a IS }",
    "{ $.a IS SOMETHING }",
    "{ $.a EXISTS }",
    "{ $.a NOT NULL }",
    "{ $.a NOT }",
    "{ $.a > x }",
    '{ $.a > "1" }',
    "{ $.a < %1% }",
    "{ $.a = %something!% }",
    "{ $.a = %(x)% }",
    "{ $.a = %é% }",
    "{ $.a = %[x% }",
    "{ $.a = %*x% }",
    "{ $.a = %x% || $.b = %y% || $.c = %z% }",
    "{ $.a[*].b[*] = x }",
    "{ $.a[*] = x || $.b[*] = x || $.c[*] = x || $.d[*] = x }",
    "{ $.a = " + "x" * 1024 + " }",
    " { $.a = x }",
    "{ $.a = x }\n",
    "{ $.a = null }",
    "{ $.a != null }",
    "{ $.a = é }",
    "{ $.é = x }",
    "é",
    "[é]",
    "[a, b, a]",
    "[a, , b]",
    "[, a]",
    "[a,,]",
    "[",
    "[a",
    "[a, ..., b, ...]",
    "[a = ]",
    "[a > x]",
    '"',
    '"a phrase',
    "%(x)%",
    "a!b",
]


@both_sides
@pytest.mark.parametrize("pattern", REFUSED)
def test_refused(side: str, pattern: str) -> None:
    assert FILTER_PATTERN.refused(side, pattern)


def _any_of(names: str) -> str:
    return "(" + " || ".join(f"($.eventName = {name})" for name in names.split()) + ")"


ROOT = '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}'
UNAUTHORIZED = '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}'
NO_MFA = (
    '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser")'
    ' && ($.responseElements.ConsoleLogin = "Success") }'
)
FAILED_SIGN_IN = '{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}'
KEYS = "{($.eventSource=kms.amazonaws.com) && (($.eventName=DisableKey) || ($.eventName=ScheduleKeyDeletion))}"
BUCKETS = "{($.eventSource=s3.amazonaws.com) && " + _any_of("PutBucketAcl PutBucketPolicy DeleteBucketPolicy") + "}"
SIGN_IN = {
    "eventName": "ConsoleLogin",
    "eventType": "AwsConsoleSignIn",
    "userIdentity": {"type": "IAMUser"},
    "additionalEventData": {"MFAUsed": "No"},
    "responseElements": {"ConsoleLogin": "Success"},
}
ROOT_SIGN_IN = SIGN_IN | {"userIdentity": {"type": "Root"}}

CIS = [
    ("the root user signs in", ROOT, ROOT_SIGN_IN, True),
    ("the root user by a service", ROOT, ROOT_SIGN_IN | {"userIdentity": {"type": "Root", "invokedBy": "x"}}, False),
    ("the root user in an event of a service", ROOT, ROOT_SIGN_IN | {"eventType": "AwsServiceEvent"}, False),
    ("another user", ROOT, SIGN_IN, False),
    ("unauthorized", UNAUTHORIZED, {"errorCode": "Client.UnauthorizedOperation"}, True),
    ("denied", UNAUTHORIZED, {"errorCode": "AccessDeniedException"}, True),
    ("another error", UNAUTHORIZED, {"errorCode": "NoSuchBucketPolicy"}, False),
    ("no error", UNAUTHORIZED, {"errorCode": None}, False),
    ("a user without MFA", NO_MFA, SIGN_IN, True),
    ("a user with MFA", NO_MFA, SIGN_IN | {"additionalEventData": {"MFAUsed": "Yes"}}, False),
    ("nobody knows about MFA", NO_MFA, SIGN_IN | {"additionalEventData": {}}, False),
    ("the root user without MFA", NO_MFA, ROOT_SIGN_IN, False),
    ("a user who failed", NO_MFA, SIGN_IN | {"responseElements": {"ConsoleLogin": "Failure"}}, False),
    ("a failed sign-in", FAILED_SIGN_IN, SIGN_IN | {"errorMessage": "Failed authentication"}, True),
    ("a sign-in", FAILED_SIGN_IN, SIGN_IN, False),
    ("a key", KEYS, {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}, True),
    ("a key of another service", KEYS, {"eventSource": "s3.amazonaws.com", "eventName": "DisableKey"}, False),
    ("a bucket", BUCKETS, {"eventSource": "s3.amazonaws.com", "eventName": "DeleteBucketPolicy"}, True),
    ("a bucket's list", BUCKETS, {"eventSource": "s3.amazonaws.com", "eventName": "ListBuckets"}, False),
]


@both_sides
@pytest.mark.parametrize(("name", "pattern", "record", "expected"), CIS, ids=[case[0] for case in CIS])
def test_cis(side: str, name: str, pattern: str, record: dict[str, Any], *, expected: bool) -> None:
    assert getattr(FILTER_PATTERN, side)(pattern).matches(json.dumps(record)) is expected
