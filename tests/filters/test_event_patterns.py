"""EventBridge event patterns by example: each operator on each type, arrays, $or, and the event around a record."""

from __future__ import annotations

import json

import pytest

from sides import EVENT_PATTERN, both_sides

# What a field may be, by name.
VALUES = {
    "text": '"ab"',
    "other text": '"xab"',
    "longer text": '"abx"',
    "upper case": '"AB"',
    "empty text": '""',
    "five": "5",
    "five with a fraction": "5.0",
    "five with an exponent": "5e0",
    "minus three": "-3",
    "five as text": '"5"',
    "true": "true",
    "true as text": '"true"',
    "false": "false",
    "null": "null",
    "null as text": '"null"',
    "texts": '["x","ab"]',
    "numbers": "[1,7]",
    "nested array": '[["ab"]]',
    "empty array": "[]",
    "array of an empty object": "[{}]",
    "empty object": "{}",
    "object": '{"b":"ab"}',
    "array of objects": '[{"b":"ab"}]',
}
MISSING = "missing"
LEAVES = set(VALUES) - {"empty array", "array of an empty object", "empty object", "object", "array of objects"}
TEXTS = {
    "text",
    "other text",
    "longer text",
    "upper case",
    "empty text",
    "five as text",
    "true as text",
    "null as text",
}
FIVES = {"five", "five with a fraction", "five with an exponent"}
WITH_AB = {"text", "texts", "nested array"}

# Alternative -> the values that match; all others do not.
ALTERNATIVES: dict[str, set[str]] = {
    '"ab"': WITH_AB,
    '""': {"empty text"},
    '"5"': {"five as text"},
    '"true"': {"true as text"},
    "5": FIVES,
    "5.0": FIVES,
    "0.5e1": FIVES,
    "true": {"true"},
    "false": {"false"},
    "null": {"null"},
    '{"exactly":"ab"}': WITH_AB,
    '{"prefix":"ab"}': WITH_AB | {"longer text"},
    '{"prefix":""}': TEXTS | {"texts", "nested array"},
    '{"prefix":{"equals-ignore-case":"aB"}}': WITH_AB | {"longer text", "upper case"},
    '{"suffix":"ab"}': WITH_AB | {"other text"},
    '{"suffix":""}': TEXTS | {"texts", "nested array"},
    '{"suffix":{"equals-ignore-case":"aB"}}': WITH_AB | {"other text", "upper case"},
    '{"equals-ignore-case":"aB"}': WITH_AB | {"upper case"},
    '{"equals-ignore-case":""}': {"empty text"},
    '{"wildcard":"*"}': TEXTS | {"texts", "nested array"},
    '{"wildcard":"*b"}': WITH_AB | {"other text"},
    '{"wildcard":"a*"}': WITH_AB | {"longer text"},
    '{"wildcard":"*a*"}': WITH_AB | {"other text", "longer text"},
    '{"wildcard":"a*b"}': WITH_AB,
    '{"wildcard":"?b"}': set(),
    '{"wildcard":""}': {"empty text"},
    '{"numeric":["=",5]}': FIVES,
    '{"numeric":["<",5]}': {"minus three", "numbers"},
    '{"numeric":["<=",5]}': FIVES | {"minus three", "numbers"},
    '{"numeric":[">",5]}': {"numbers"},
    '{"numeric":[">=",5]}': FIVES | {"numbers"},
    '{"numeric":[">",-3,"<=",5]}': FIVES | {"numbers"},
    '{"numeric":[">",1,"<",7]}': FIVES,
    '{"exists":true}': LEAVES,
    '{"exists":false}': set(VALUES) - LEAVES | {MISSING},
    '{"anything-but":"ab"}': LEAVES - {"text", "nested array"},
    '{"anything-but":["ab","xab"]}': LEAVES - {"text", "other text", "nested array"},
    '{"anything-but":5}': LEAVES - FIVES,
    '{"anything-but":[5,1,7]}': LEAVES - FIVES - {"numbers"},
    '{"anything-but":{"prefix":"a"}}': LEAVES - {"text", "longer text", "nested array"},
    '{"anything-but":{"prefix":["a","x"]}}': LEAVES - {"text", "longer text", "other text", "texts", "nested array"},
    '{"anything-but":{"suffix":"b"}}': LEAVES - {"text", "other text", "nested array"},
    '{"anything-but":{"suffix":["b","B"]}}': LEAVES - {"text", "other text", "upper case", "nested array"},
    '{"anything-but":{"equals-ignore-case":"ab"}}': LEAVES - {"text", "upper case", "nested array"},
    '{"anything-but":{"equals-ignore-case":["ab","ABX"]}}': LEAVES
    - {"text", "upper case", "longer text", "nested array"},
    '{"anything-but":{"wildcard":"a*"}}': LEAVES - {"text", "longer text", "nested array"},
    '{"anything-but":{"wildcard":["a*","*B"]}}': LEAVES - {"text", "longer text", "upper case", "nested array"},
}


@both_sides
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_operator_on_each_value(side: str, alternative: str) -> None:
    pattern = getattr(EVENT_PATTERN, side)(f'{{"a":[{alternative}]}}')
    events = {name: f'{{"a":{value}}}' for name, value in VALUES.items()} | {MISSING: '{"b":1}'}
    assert {name for name, event in events.items() if pattern.matches(event)} == ALTERNATIVES[alternative]


# Pattern, event, whether it matches; by what they show
EXAMPLES: dict[str, tuple[str, str, bool]] = {
    # Texts
    "case counts": ('{"a":["arn:aws:s3:::B"]}', '{"a":"arn:aws:s3:::b"}', False),
    "the marks of an ARN count": ('{"a":["user:me"]}', '{"a":"user/me"}', False),
    "escapes are decoded": (r'{"a":["\u0061b"]}', r'{"a":"a\u0062"}', True),
    "names have escapes, too": (r'{"\u0061":["x"]}', r'{"\u0061":"x"}', True),
    "a pair of surrogates is a character": (r'{"a":["😀"]}', r'{"a":"\ud83d\ude00"}', True),
    "U+0000": (r'{"a":["\u0000"]}', r'{"a":"\u0000"}', True),
    "one of several": ('{"a":["x","y"]}', '{"a":"y"}', True),
    "none of several": ('{"a":["x","y"]}', '{"a":"z"}', False),
    "alternatives of several kinds": ('{"a":["x",{"prefix":"y"},{"numeric":["<",0]}]}', '{"a":"yes"}', True),
    # Case
    "case of an umlaut": ('{"a":[{"equals-ignore-case":"ÄB"}]}', '{"a":"äb"}', True),
    "ß is SS in upper case": ('{"a":[{"equals-ignore-case":"straße"}]}', '{"a":"STRASSE"}', True),
    "SS is not ß in lower case": ('{"a":[{"equals-ignore-case":"STRASSE"}]}', '{"a":"straße"}', False),
    # Wildcards
    "a star that is one": (r'{"a":[{"wildcard":"a\\*b"}]}', '{"a":"a*b"}', True),
    "a star that is one, only": (r'{"a":[{"wildcard":"a\\*b"}]}', '{"a":"axb"}', False),
    "a backslash": (r'{"a":[{"wildcard":"a\\\\b"}]}', r'{"a":"a\\b"}', True),
    "pieces do not overlap": ('{"a":[{"wildcard":"ab*ba"}]}', '{"a":"aba"}', False),
    "pieces in order": ('{"a":[{"wildcard":"*a*b*c*"}]}', '{"a":"xaybzcw"}', True),
    "pieces out of order": ('{"a":[{"wildcard":"*a*b*c*"}]}', '{"a":"xbyazcw"}', False),
    "the last piece is at the end": ('{"a":[{"wildcard":"*ab"}]}', '{"a":"abab"}', True),
    # Numbers
    "300 and 3e2": ('{"a":[300]}', '{"a":3e2}', True),
    "300.0 and 300": ('{"a":[300.0]}', '{"a":300}', True),
    "a number is no text": ('{"a":[300]}', '{"a":"300"}', False),
    "nearly 300": ('{"a":[300]}', '{"a":300.00000000000001}', False),
    "beyond a double, by its text": ('{"a":[123456789012345678901]}', '{"a":123456789012345678901}', True),
    "beyond a double, by its value": ('{"a":[123456789012345678901]}', '{"a":123456789012345678901.0}', False),
    "minus zero": ('{"a":[0]}', '{"a":-0}', True),
    "too large to compare": ('{"a":[{"numeric":[">",5]}]}', '{"a":1E+400}', False),
    # Addresses
    "an address in another spelling": ('{"a":["10.0.0.1"]}', '{"a":"10.0.0.01"}', True),
    "a long address in another spelling": ('{"a":["2001:db8::1"]}', '{"a":"2001:0DB8:0:0:0:0:0:1"}', True),
    "exactly is not an address": ('{"a":[{"exactly":"10.0.0.1"}]}', '{"a":"10.0.0.01"}', False),
    "a prefix of an address is text": ('{"a":[{"prefix":"10.0."}]}', '{"a":"10.0.0.1"}', True),
    "a wildcard in an address is text": ('{"a":[{"wildcard":"10.*.1"}]}', '{"a":"10.0.0.1"}', True),
    "no address: 256": ('{"a":["10.0.0.256"]}', '{"a":"10.0.0.256"}', True),
    "last of a block": ('{"a":[{"cidr":"10.0.0.0/24"}]}', '{"a":"10.0.0.255"}', True),
    "after a block": ('{"a":[{"cidr":"10.0.0.0/24"}]}', '{"a":"10.0.1.0"}', False),
    "before a block": ('{"a":[{"cidr":"10.0.1.0/24"}]}', '{"a":"10.0.0.255"}', False),
    "a base within a block": ('{"a":[{"cidr":"10.0.0.77/24"}]}', '{"a":"10.0.0.1"}', True),
    "half a block": ('{"a":[{"cidr":"10.0.0.128/25"}]}', '{"a":"10.0.0.127"}', False),
    "a block of two": ('{"a":[{"cidr":"10.0.0.2/31"}]}', '{"a":"10.0.0.3"}', True),
    "zeros are not octal": ('{"a":[{"cidr":"10.0.0.0/8"}]}', '{"a":"010.0.0.1"}', True),
    "a long block": ('{"a":[{"cidr":"2001:db8::/32"}]}', '{"a":"2001:db8::5"}', True),
    "beside a long block": ('{"a":[{"cidr":"2001:db8::/32"}]}', '{"a":"2001:db9::5"}', False),
    "all short ones have long ones": ('{"a":[{"cidr":"0.0.0.0/0"}]}', '{"a":"2001:db8::5"}', True),
    "all long ones have short ones": ('{"a":[{"cidr":"::/0"}]}', '{"a":"1.2.3.4"}', True),
    "a service is no address": ('{"a":[{"cidr":"0.0.0.0/0"}]}', '{"a":"ec2.amazonaws.com"}', False),
    "AWS Internal is no address": ('{"a":[{"cidr":"0.0.0.0/0"}]}', '{"a":"AWS Internal"}', False),
    "a number is no address": ('{"a":[{"cidr":"0.0.0.0/0"}]}', '{"a":10}', False),
    # What a field excludes
    "excluded and not, in one array": ('{"a":[{"anything-but":"banned"}]}', '{"a":["banned","ok"]}', True),
    "excluded only, in one array": ('{"a":[{"anything-but":"banned"}]}', '{"a":["banned"]}', False),
    "two exclusions exclude nothing": ('{"a":[{"anything-but":"x"},{"anything-but":"y"}]}', '{"a":"x"}', True),
    "an exclusion needs the field": ('{"a":[{"anything-but":"x"}]}', '{"b":1}', False),
    "an exclusion or no field": ('{"a":[{"anything-but":"x"},{"exists":false}]}', '{"b":1}', True),
    "a text does not exclude a number": ('{"a":[{"anything-but":"5"}]}', '{"a":5}', True),
    "a number is excluded by value": ('{"a":[{"anything-but":5}]}', '{"a":5.0}', False),
    # Presence
    "absent or a value, absent": ('{"a":[{"exists":false},"x"]}', "{}", True),
    "absent or a value, the value": ('{"a":[{"exists":false},"x"]}', '{"a":"x"}', True),
    "absent or a value, another": ('{"a":[{"exists":false},"x"]}', '{"a":"y"}', False),
    "an object is no leaf": ('{"d":{"c":[{"exists":false}]}}', '{"d":{"c":{"c1":1}}}', True),
    "null is there": ('{"d":{"r":[null]}}', '{"d":{"r":null}}', True),
    "null is not absence": ('{"d":{"r":[null]}}', '{"d":{}}', False),
    "null is not an empty text": ('{"d":{"r":[null]}}', '{"d":{"r":""}}', False),
    # Fields
    "fields that are not mentioned": ('{"a":["x"]}', '{"a":"x","b":{"c":[1,2]}}', True),
    "all fields": ('{"a":["x"],"b":["y"]}', '{"a":"x","b":"z"}', False),
    "an object below a text": ('{"a":{"b":["x"]}}', '{"a":"x"}', False),
    "a text where the pattern has an object": ('{"a":{"b":["x"]}}', '{"a":["x",{"b":"x"}]}', True),
    "a dot in a name of the pattern": (
        '{"detail":{"state.status":["x"]}}',
        '{"detail":{"state":{"status":"x"}}}',
        True,
    ),
    "a dot in a name of the event": ('{"detail":{"state":{"status":["x"]}}}', '{"detail":{"state.status":"x"}}', True),
    "the last of two keys": ('{"a":["x"],"a":["y"]}', '{"a":"y"}', True),
    "the first of two keys": ('{"a":["x"],"a":["y"]}', '{"a":"x"}', False),
    "an empty name": ('{"":["x"]}', '{"":"x"}', True),
    # Arrays
    "one of the elements": ('{"tags":["admin"]}', '{"tags":["user","admin"]}', True),
    "one of the numbers": ('{"d":{"x":[{"numeric":[">",0,"<",10]}]}}', '{"d":{"x":[100,5]}}', True),
    "arrays in arrays": ('{"a":["x"]}', '{"a":[["y"],["x"]]}', True),
    "two fields of one element": ('{"d":{"a":["x"],"b":["y"]}}', '{"d":[{"a":"x","b":"y"}]}', True),
    "two fields of two elements": ('{"d":{"a":["x"],"b":["y"]}}', '{"d":[{"a":"x"},{"b":"y"}]}', False),
    "the second element has both": ('{"d":{"a":["x"],"b":["y"]}}', '{"d":[{"a":"x"},{"a":"x","b":"y"}]}', True),
    "elements of two arrays": (
        '{"d":{"a":["x"]},"e":{"b":["y"]}}',
        '{"d":[{"a":"q"},{"a":"x"}],"e":[{"b":"y"}]}',
        True,
    ),
    "deeper elements, too": ('{"u":{"t":{"k":["c"],"v":["b"]}}}', '{"u":[{"t":[{"k":"c"},{"v":"b"}]}]}', False),
    "deeper elements of one": (
        '{"u":{"t":{"k":["c"],"v":["b"]}}}',
        '{"u":[{"t":[{"k":"z"},{"k":"c","v":"b"}]}]}',
        True,
    ),
    "an inner and an outer element": (
        '{"u":{"n":["1"],"t":{"k":["c"]}}}',
        '{"u":[{"n":"1"},{"n":"2","t":[{"k":"c"}]}]}',
        False,
    ),
    "a field outside of the array": ('{"d":{"a":["x"]},"e":["y"]}', '{"d":[{"a":"z"},{"a":"x"}],"e":"y"}', True),
    "texts beside objects": ('{"d":{"a":["x"]},"e":["y"]}', '{"d":["q",{"a":"x"}],"e":["y"]}', True),
    # Absence in arrays
    "absent in the only element": ('{"d":{"a":[{"exists":true}],"b":[{"exists":false}]}}', '{"d":[{"a":1}]}', True),
    "present in the only element": (
        '{"d":{"a":[{"exists":true}],"b":[{"exists":false}]}}',
        '{"d":[{"a":1,"b":2}]}',
        False,
    ),
    "absent alone is absent everywhere": ('{"d":{"b":[{"exists":false}]}}', '{"d":[{"a":1},{"b":2}]}', False),
    "absent beside the element": (
        '{"d":{"a":[{"exists":true}],"b":[{"exists":false}]}}',
        '{"d":[{"a":1},{"b":2}]}',
        True,
    ),
    "absent in the second": (
        '{"d":{"a":[{"exists":true}],"b":[{"exists":false}]}}',
        '{"d":[{"a":1,"b":3},{"a":2}]}',
        True,
    ),
    "absence needs the other field": ('{"d":{"a":[{"exists":true}],"b":[{"exists":false}]}}', '{"d":[{"b":1}]}', False),
    "no elements, no field": ('{"d":{"a":[{"exists":true}],"b":[{"exists":false}]}}', '{"d":[]}', False),
    # A name that sorts before the others is tested before an element is chosen.
    "absence comes first by name": (
        '{"d":{"b":[{"exists":true}],"a":[{"exists":false}]}}',
        '{"d":[{"a":1},{"b":2}]}',
        False,
    ),
    # $or
    "one of two": ('{"$or":[{"a":["x"]},{"b":["y"]}]}', '{"b":"y"}', True),
    "neither of two": ('{"$or":[{"a":["x"]},{"b":["y"]}]}', '{"a":"y","b":"x"}', False),
    "and the fields beside": ('{"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]}', '{"b":"y"}', False),
    "with the fields beside": ('{"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]}', '{"b":"y","c":"z"}', True),
    "below a field": ('{"d":{"$or":[{"e":["1"]},{"f":[{"exists":false}]}]}}', '{"d":{"f":"1"}}', False),
    "below a field, absent": ('{"d":{"$or":[{"e":["1"]},{"f":[{"exists":false}]}]}}', '{"a":"x"}', True),
    "in itself": ('{"$or":[{"a":["q"]},{"$or":[{"b":["y"]},{"c":["n"]}]}]}', '{"c":"n"}', True),
    "the element holds for all": (
        '{"d":{"a":["x"],"$or":[{"b":["y"]},{"c":["z"]}]}}',
        '{"d":[{"a":"x"},{"b":"y","c":"z"}]}',
        False,
    ),
    # Rules as people use them
    "resources of one entry": (
        '{"detail":{"resources":{"type":["AWS::S3::Object"],"ARN":[{"prefix":"arn:aws:s3:::b/"}]}}}',
        '{"detail":{"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}]}}',
        True,
    ),
    "resources of two entries": (
        '{"detail":{"resources":{"type":["AWS::S3::Bucket"],"ARN":[{"prefix":"arn:aws:s3:::b/"}]}}}',
        '{"detail":{"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}]}}',
        False,
    ),
}


@both_sides
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(side: str, name: str) -> None:
    pattern, event, expected = EXAMPLES[name]
    assert getattr(EVENT_PATTERN, side)(pattern).matches(event) is expected


KEYS_AT_RISK = (
    '{"source":["aws.kms"],"detail-type":["AWS API Call via CloudTrail"],'
    '"detail":{"eventName":[{"prefix":"Disable"},"ScheduleKeyDeletion"],"errorCode":[{"exists":false}]}}'
)


@both_sides
@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"eventName": "DisableKey"}, True),
        ({"eventName": "ScheduleKeyDeletion"}, True),
        ({"eventName": "DisableKey", "errorCode": "AccessDenied"}, False),
        ({"eventName": "Decrypt"}, False),
    ],
)
def test_rule_about_keys(side: str, detail: dict[str, str], *, expected: bool) -> None:
    event = {"source": "aws.kms", "detail-type": "AWS API Call via CloudTrail", "detail": detail}
    assert getattr(EVENT_PATTERN, side)(KEYS_AT_RISK).matches(json.dumps(event)) is expected


REFUSED = {
    "no JSON": '{"a":["x"]',
    "text after the pattern": '{"a":["x"]} x',
    "an array": '["x"]',
    "a text": '"x"',
    "nothing": "",
    "an empty object": "{}",
    "an empty object inside": '{"a":{}}',
    "an empty array": '{"a":[]}',
    "a text for a field": '{"a":"x"}',
    "a number for a field": '{"a":1}',
    "null for a field": '{"a":null}',
    "an array in an array": '{"a":[["x"]]}',
    "an empty alternative": '{"a":[{}]}',
    "two operators": '{"a":[{"prefix":"x","suffix":"y"}]}',
    "an unknown operator": '{"a":[{"regex":"x"}]}',
    "$or of an object": '{"$or":{"a":["x"]}}',
    "$or of nothing": '{"$or":[]}',
    "$or of one": '{"$or":[{"a":["x"]}]}',
    "$or of a text": '{"$or":[{"a":["x"]},"b"]}',
    "an empty object in $or": '{"$or":[{"a":["x"]},{}]}',
    "an operator as a field of $or": '{"$or":[{"prefix":["x"]},{"b":["y"]}]}',
    "an operator as a deeper field of $or": '{"$or":[{"d":{"cidr":["x"]}},{"b":["y"]}]}',
    "a future operator as a field of $or": '{"$or":[{"date-after":["x"]},{"b":["y"]}]}',
    "more than 1000 combinations": json.dumps(
        {"detail": {f"k{place}": {"$or": [{f"v{value}": ["x"]} for value in range(11)]} for place in range(3)}}
    ),
    **{
        f"{operator} of {name}": f'{{"a":[{{"{operator}":{value}}}]}}'
        for operator in ("prefix", "suffix", "equals-ignore-case", "wildcard", "exactly", "cidr")
        for name, value in (("a number", "5"), ("null", "null"), ("an array", '["ab"]'), ("an empty object", "{}"))
    },
    "a prefix of a prefix": '{"a":[{"prefix":{"prefix":"x"}}]}',
    "a prefix in any case of a number": '{"a":[{"prefix":{"equals-ignore-case":5}}]}',
    "a wildcard in any case": '{"a":[{"wildcard":{"equals-ignore-case":"AB"}}]}',
    "two stars": '{"a":[{"wildcard":"a**b"}]}',
    "an unknown escape": r'{"a":[{"wildcard":"a\\b"}]}',
    "an escape of nothing": r'{"a":[{"wildcard":"a\\"}]}',
    "numeric of a number": '{"a":[{"numeric":5}]}',
    "numeric of nothing": '{"a":[{"numeric":[]}]}',
    "numeric without an operator": '{"a":[{"numeric":[5]}]}',
    "numeric without a number": '{"a":[{"numeric":["="]}]}',
    "numeric of a text": '{"a":[{"numeric":["=","5"]}]}',
    "numeric !=": '{"a":[{"numeric":["!=",5]}]}',
    "the upper bound first": '{"a":[{"numeric":["<",10,">",5]}]}',
    "two lower bounds": '{"a":[{"numeric":[">",0,">",1]}]}',
    "= and more": '{"a":[{"numeric":["=",5,"=",6]}]}',
    "half a range": '{"a":[{"numeric":[">",0,"<"]}]}',
    "three bounds": '{"a":[{"numeric":[">",0,"<",5,"<",6]}]}',
    "an empty range": '{"a":[{"numeric":[">",5,"<",1]}]}',
    "a range of one number": '{"a":[{"numeric":[">=",5,"<=",5]}]}',
    "a number that no double is": '{"a":[{"numeric":["=",12345678901234567890]}]}',
    "a block without a mask": '{"a":[{"cidr":"10.0.0.1"}]}',
    "a block with two masks": '{"a":[{"cidr":"10.0.0.0/8/8"}]}',
    "a block of a name": '{"a":[{"cidr":"ec2.amazonaws.com/8"}]}',
    "a block with a mask of text": '{"a":[{"cidr":"10.0.0.0/x"}]}',
    "a block of one address": '{"a":[{"cidr":"10.0.0.1/32"}]}',
    "a block of one long address": '{"a":[{"cidr":"2001:db8::1/128"}]}',
    "a mask below zero": '{"a":[{"cidr":"10.0.0.0/-1"}]}',
    "exists of a text": '{"a":[{"exists":"true"}]}',
    "exists of null": '{"a":[{"exists":null}]}',
    "anything but true": '{"a":[{"anything-but":true}]}',
    "anything but null": '{"a":[{"anything-but":null}]}',
    "anything but nothing": '{"a":[{"anything-but":[]}]}',
    "anything but null in an array": '{"a":[{"anything-but":[null]}]}',
    "anything but texts and numbers": '{"a":[{"anything-but":["x",5]}]}',
    "anything but a range": '{"a":[{"anything-but":{"numeric":["=",1]}}]}',
    "anything but a block": '{"a":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}',
    "anything but what exists": '{"a":[{"anything-but":{"exists":true}}]}',
    "anything but all beginnings": '{"a":[{"anything-but":{"prefix":""}}]}',
    "anything but all ends": '{"a":[{"anything-but":{"suffix":["x",""]}}]}',
    "anything but a beginning of a number": '{"a":[{"anything-but":{"prefix":5}}]}',
    "anything but two operators": '{"a":[{"anything-but":{"prefix":"x","suffix":"y"}}]}',
    "anything but two stars": '{"a":[{"anything-but":{"wildcard":"**"}}]}',
}


@both_sides
@pytest.mark.parametrize("name", REFUSED)
def test_refused(side: str, name: str) -> None:
    assert EVENT_PATTERN.refused(side, REFUSED[name])


@both_sides
def test_many_combinations_but_not_too_many(side: str) -> None:
    fields = {f"k{place}": {"$or": [{f"v{value}": ["x"]} for value in range(10)]} for place in range(3)}
    pattern = getattr(EVENT_PATTERN, side)(json.dumps({"detail": fields}))
    assert pattern.matches('{"detail":{"k0":{"v9":"x"},"k1":{"v0":"x"},"k2":{"v5":"x"}}}')
    assert not pattern.matches('{"detail":{"k0":{"v9":"x"},"k1":{"v0":"x"},"k2":{"v10":"x"}}}')
