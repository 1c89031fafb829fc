"""Hostile conditions and records: an answer or one sentence, in bounded time and memory, and never a panic.

Each runs in a process of its own, with little memory and a time limit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

import ctfast as ct
from sides import EVENT_PATTERN, EVENT_SELECTORS, FILTER_PATTERN, Language, each_language

# Reads a condition and a record; prints whether it matches, or the error.
SCRIPT = """
    import json, resource, sys
    import ctfast as ct
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    name, condition, record, encoding = json.load(sys.stdin)
    try:
        matcher = getattr(ct, name)(condition)
    except ValueError as error:
        print("refused", json.dumps(str(error)))
        sys.exit()
    try:
        print(matcher.matches(record.encode(encoding) if encoding else record))
    except (ValueError, ct.CloudTrailError) as error:
        print("no record", json.dumps(str(error)))
    repr(matcher)
"""
CLASSES = {EVENT_PATTERN: "EventPattern", FILTER_PATTERN: "FilterPattern", EVENT_SELECTORS: "EventSelectors"}


def answer(language: Language, condition: str, record: str, encoding: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        input=json.dumps([CLASSES[language], condition, record, encoding]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    said = done.stdout.strip()
    if not said.startswith(("True", "False")):
        message = json.loads(said[said.index('"') :])
        # One short sentence, which does not repeat the whole condition.
        assert message.splitlines() == [message]
        assert len(message) < 500
    return said.split()[0]


LONG_A = {"a": "a" * 1_000_000 + "b"}
A_IS_X = {"a": "x"}


def either(name: str, *choices: Any) -> Any:
    return {name: {"$or": list(choices)}}


def or_in_itself(depth: int) -> str:
    return '{"$or":[{"b":["x"]},' * depth + '{"a":["x"]}' + "]}" * depth


# Pattern and record, as texts or as JSON values, and the accepted answers.
PATTERNS: dict[str, Callable[[], tuple[Any, Any, str]]] = {
    "10,000 texts": lambda: ({"a": [f"v{n}" for n in range(10_000)]}, {"a": "v9999"}, "True"),
    "10,000 prefixes": lambda: ({"a": [{"prefix": f"v{n}-"} for n in range(10_000)]}, {"a": "v9999-x"}, "True"),
    "10,000 wildcards": lambda: (
        {"a": [{"wildcard": f"*{n}*v*"} for n in range(10_000)]},
        {"a": "v" * 100_000},
        "False",
    ),
    "10,000 exclusions": lambda: ({"a": [{"anything-but": [f"v{n}" for n in range(10_000)]}]}, {"a": "v9999"}, "False"),
    "10,000 numbers": lambda: ({"a": list(range(10_000))}, '{"a":9.999e3}', "True"),
    "10,000 blocks": lambda: (
        {"a": [{"cidr": f"10.{n // 256}.{n % 256}.0/24"} for n in range(10_000)]},
        {"a": "10.39.15.7"},
        "True",
    ),
    "10,000 fields": lambda: ({f"f{n}": ["x"] for n in range(10_000)}, A_IS_X, "False refused"),
    "100,000 objects deep": lambda: ('{"a":' * 100_000 + '["x"]' + "}" * 100_000, A_IS_X, "refused"),
    "100,000 arrays deep": lambda: ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", A_IS_X, "refused"),
    "100,000 open brackets": lambda: ("[" * 100_000, A_IS_X, "refused"),
    "$or in itself": lambda: (or_in_itself(2000), A_IS_X, "True refused"),
    "2**40 combinations": lambda: (
        {"d": {f"k{n}": {"$or": [{"a": ["x"]}, {"b": ["x"]}]} for n in range(40)}},
        A_IS_X,
        "refused",
    ),
    "40,000 combinations": lambda: (
        {"$or": [either("d", *({f"a{m}": ["x"], "b": ["y"]} for m in range(200))) for _ in range(200)]},
        A_IS_X,
        "refused",
    ),
    "2000 stars": lambda: ({"a": [{"wildcard": "*a" * 2000 + "*c"}]}, LONG_A, "False"),
    "2000 stars that match": lambda: ({"a": [{"wildcard": "*a" * 2000 + "*b"}]}, LONG_A, "True"),
    "2000 stars to exclude": lambda: ({"a": [{"anything-but": {"wildcard": "*a" * 2000 + "*c"}}]}, LONG_A, "True"),
    "a megabyte": lambda: ({"a": ["a" * 1_000_000 + "b"]}, LONG_A, "True refused"),
    "a megabyte in any case": lambda: ({"a": [{"equals-ignore-case": "A" * 1_000_000 + "b"}]}, LONG_A, "True refused"),
    "a megabyte of ß": lambda: (
        {"a": [{"suffix": {"equals-ignore-case": "ß" * 1_000_000}}]},
        {"a": "sS" * 1_000_000},
        "False refused",
    ),
    "a name of a megabyte": lambda: ({"a" * 1_000_000: ["x"]}, A_IS_X, "False refused"),
    "a name of dots": lambda: ({"." * 1_000_000: ["x"]}, A_IS_X, "False refused"),
    "100,000 digits": lambda: ('{"a":[' + "1" * 100_000 + "]}", '{"a":' + "1" * 100_000 + "}", "True refused"),
    "100,000 zeros": lambda: ('{"a":[1]}', '{"a":1.' + "0" * 100_000 + "}", "True"),
    "a large exponent": lambda: ('{"a":[1e999999999999999999999]}', '{"a":1e999999999999999999999}', "True"),
    "less than a large exponent": lambda: ('{"a":[{"numeric":["<",1e999999999999999999999]}]}', A_IS_X, "refused"),
    "half a pair": lambda: (r'{"a":["\ud800"]}', r'{"a":"\ud800"}', "True False refused"),
    "half a pair in a name": lambda: (r'{"\udc00":["x"]}', r'{"\udc00":"x"}', "True False refused"),
    "half a pair as it is": lambda: ('{"a":["\ud800"]}', A_IS_X, "refused"),
    "U+0000": lambda: (r'{"\u0000":["\u0000"]}', r'{"\u0000":"\u0000"}', "True"),
    "U+0000 as it is": lambda: ('{"a":["\x00"]}', A_IS_X, "refused"),
    "a byte order mark": lambda: ('\ufeff{"a":["x"]}', A_IS_X, "True refused"),
    "50,000 elements": lambda: (
        {"d": {"a": ["x"], "b": ["y"], "c": [{"exists": False}]}},
        {"d": [{"a": "x"}, {"b": "y"}] * 25_000},
        "False",
    ),
    "elements in elements": lambda: (
        {"d": {"a": ["x"], "e": {"b": ["y"], "f": {"c": ["z"], "g": [{"exists": False}]}}}},
        {"d": [{"a": "x", "e": [{"b": "y", "f": [{"c": "q"}] * 30}] * 30}] * 30},
        "False",
    ),
    "arrays side by side": lambda: (
        {f"d{n}": {"a": ["x"], "b": ["y"]} for n in range(12)},
        {f"d{n}": [{"a": "x", "b": "y"}] * 40 for n in range(12)},
        "True",
    ),
    "arrays side by side, and nothing at the end": lambda: (
        {f"d{n}": {"a": ["x"], "b": ["y"]} for n in range(12)} | {"e": ["z"]},
        {f"d{n}": [{"a": "x", "b": "y"}] * 40 for n in range(12)},
        "False",
    ),
}


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("name", PATTERNS)
def test_event_pattern(name: str) -> None:
    pattern, record, expected = PATTERNS[name]()
    assert answer(EVENT_PATTERN, text(pattern), text(record)) in expected.split()


@pytest.mark.parametrize(
    ("pattern", "record", "expected"),
    [
        ("{ $.a = %" + "a*" * 400 + "c% }", LONG_A, "False refused"),
        ("{ $.a = %" + ".*" * 400 + "c% }", LONG_A, "False refused"),
        ("{ $.a = %^a+a+a+a+a+a+a+a+a+a+c$% }", LONG_A, "False"),
        ("{ $.a = %a{1000}{1000}{1000}% }", LONG_A, "refused"),
        ("{ $.a = %a{0,4294967295}% }", LONG_A, "refused"),
        ("{ $.a = %a{99999999999999999999}% }", LONG_A, "refused"),
        ("{ $.a = %" + "[a-z]{0,999}" * 80 + "% }", LONG_A, "True refused"),
        ("{ $.a = %" + "[" * 1000 + "% }", LONG_A, "refused"),
        (r"{ $.a = %\xff\x00% }", LONG_A, "False refused"),
        ("%" + "a*" * 500 + "c%", LONG_A, "False refused"),
        ("{ " + "(" * 400 + "$.a = x" + ")" * 400 + " }", A_IS_X, "True refused"),
        ("{ " + "(" * 400 + "$.a = x }", A_IS_X, "refused"),
        ("{ " + "(" * 1_000_000, A_IS_X, "refused"),
        ("{ $" + ".a" * 500 + " = x }", A_IS_X, "False refused"),
        ("{ $.a" + "[0]" * 300 + " = x }", A_IS_X, "False refused"),
        ("{ $.a[99999999999999999999999] = x }", A_IS_X, "False refused"),
        ("{ $.a[*] = x }", {"a": ["y"] * 500_000}, "False"),
        ("{ " + " && ".join(["$.a = x"] * 80) + " }", A_IS_X, "True"),
        ('{ $.a = "' + "*" * 900 + '" }', A_IS_X, "False refused"),
        ("{ $.a = " + "9" * 900 + " }", '{"a":' + "9" * 900 + "}", "True False refused"),
        ("{ $.a = 1e999999999999 }", '{"a":1e999999999999}', "True False refused"),
        ('{ $.a = "\ud800" }', A_IS_X, "refused"),
        ('{ $.a = "\x00" }', r'{"a":"\u0000"}', "True refused"),
        ("x" * 1_000_000, A_IS_X, "refused"),
        (" " * 1_000_000, A_IS_X, "True refused"),
        ('"a' * 300 + " ", A_IS_X, "refused"),
        ("[" + ",".join(f"f{n}" for n in range(200)) + "]", A_IS_X, "False"),
        ("[..., a = %" + ".*" * 200 + "c%]", LONG_A, "False refused"),
        ("[" * 1000, A_IS_X, "refused"),
    ],
    ids=count(),
)
def test_filter_pattern(pattern: str, record: Any, expected: str) -> None:
    assert answer(FILTER_PATTERN, pattern, text(record)) in expected.split()


def of_objects(field: Any) -> Any:
    category, kind = (
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    )
    return {"AdvancedEventSelectors": [{"FieldSelectors": [category, kind, field]}]}


def of_resources(resources: Any) -> Any:
    return {"EventSelectors": [{"DataResources": resources}]}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (of_objects({"Field": "resources.ARN", "EndsWith": ["k" * 1000 + str(n) for n in range(400)]}), "False"),
        (of_objects({"Field": "resources.ARN", "NotEndsWith": ["k" * 1000 + str(n) for n in range(400)]}), "True"),
        (of_objects({"Field": "eventName", "Equals": [str(n) for n in range(100_000)]}), "refused"),
        (of_objects({"Field": "eventName", "Equals": ["x" * 1_000_000]}), "refused"),
        (of_objects({"Field": "eventName", "Equals": ["\x00"]}), "False refused"),
        (of_objects({"Field": "eventName", "Equals": ["x"], "x" * 100_000: ["y"]}), "refused"),
        (of_objects({"Field": "x" * 1_000_000, "Equals": ["x"]}), "refused"),
        (of_objects(None), "refused"),
        ('{"AdvancedEventSelectors":' * 100_000 + "[]" + "}" * 100_000, "refused"),
        ("[" * 1_000_000, "refused"),
        ("[" + "{}," * 100_000 + "{}]", "refused"),
        ({"EventSelectors": [{"x" * 1_000_000: 1}]}, "False refused"),
        ({"EventSelectors": [None]}, "refused"),
        ({"EventSelectors": 5}, "refused"),
        ('{"EventSelectors":[{"ReadWriteType":1e400}]}', "refused"),
        (r'{"EventSelectors":[{"ReadWriteType":"\ud800"}]}', "refused"),
        (of_resources([{"Type": "AWS::S3::Object", "Values": [["arn"]]}]), "refused"),
        (of_resources([{"Type": "AWS::S3::Object", "Values": "arn:aws:s3"}]), "refused"),
        (of_resources([{"Type": ["AWS::S3::Object"], "Values": ["arn:aws:s3"]}]), "refused"),
        (of_resources("AWS::S3::Object"), "refused"),
    ],
    ids=count(),
)
def test_event_selectors(selectors: Any, expected: str) -> None:
    record = {
        "eventCategory": "Data",
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/" + "k" * 100_000}] * 1000,
    }
    assert answer(EVENT_SELECTORS, text(selectors), text(record)) in expected.split()


CONDITIONS = {
    EVENT_PATTERN: '{"eventName":[{"anything-but":"x"}]}',
    FILTER_PATTERN: "{ $.eventName != x }",
    EVENT_SELECTORS: '{"EventSelectors":[{}]}',
}
# A record, and the encoding in which it comes as bytes.
RECORDS: dict[str, Callable[[], tuple[str, str]]] = {
    "nothing": lambda: ("", ""),
    "no bytes": lambda: ("", "utf-8"),
    "half of one": lambda: ("{", ""),
    "text": lambda: ("x", ""),
    "null": lambda: ("null", ""),
    "an array": lambda: ("[]", ""),
    "an empty object": lambda: ("{}", ""),
    "more after it": lambda: ("{} x", ""),
    "two": lambda: ("{}{}", ""),
    "deep and cut off": lambda: ('{"eventName":' * 100_000, ""),
    "deep": lambda: ('{"eventName":' * 100_000 + "1" + "}" * 100_000, ""),
    "open brackets": lambda: ("[" * 1_000_000, ""),
    "a long text": lambda: ('{"eventName":"' + "x" * 50_000_000 + '"}', ""),
    "a million keys": lambda: ("{" + ",".join(f'"k{n}":{n}' for n in range(1_000_000)) + "}", ""),
    "a million times one key": lambda: ("{" + ",".join(['"eventName":"y"'] * 1_000_000) + "}", ""),
    "not UTF-8": lambda: ('{"eventName":"\xff"}', "latin-1"),
    "UTF-16": lambda: ('{"eventName":"y"}', "utf-16"),
    "U+0000": lambda: ('{"eventName":"\x00"}', "utf-8"),
    "a byte order mark": lambda: ('{"eventName":"y"}', "utf-8-sig"),
    "half a pair": lambda: (r'{"eventName":"\ud800"}', ""),
    "half a pair as it is": lambda: ('{"eventName":"\ud800"}', ""),
    "half a number": lambda: ('{"eventName":-}', ""),
    "a large exponent": lambda: ('{"eventName":1e' + "9" * 100_000 + "}", ""),
}


@each_language
@pytest.mark.parametrize("name", RECORDS)
def test_record(language: Language, name: str) -> None:
    """Text that is not a record is refused as such, or does not match."""
    record, encoding = RECORDS[name]()
    assert answer(language, CONDITIONS[language], record, encoding) in ("True", "False", "no")


@each_language
@pytest.mark.parametrize("record", [None, 5, [], {"a": {1, 2}}, {"a": object()}], ids=repr)
def test_no_kind_of_record(language: Language, record: Any) -> None:
    with pytest.raises((TypeError, ValueError, ct.CloudTrailError)):
        language.fast(CONDITIONS[language]).matches(record)


# Texts that may be anywhere in a condition, and that a reader may mistake for something else.
TEXTS = [
    "",
    " ",
    "*",
    "%",
    "\\",
    '"',
    "'",
    "{",
    "}",
    "[",
    "]",
    "$",
    "$.a",
    "&&",
    "||",
    "a" * 3000,
    "\x00",
    "\n",
    "\ufeff",
    "😀",
    "é" * 500,
    "-0",
    "null",
]


@pytest.mark.parametrize("word", TEXTS, ids=range(len(TEXTS)))
def test_any_text_anywhere(word: str) -> None:
    """The text is taken literally, or refused."""
    record = json.dumps({"eventVersion": "1.08", "a": word, "b": {word: "x"}})
    other = json.dumps({"eventVersion": "1.08", "a": word + "!", "b": {word + "!": "x"}})
    quoted = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    starred = word.startswith("*") or word.endswith("*")
    found = [
        (EVENT_PATTERN, json.dumps({"a": [word]})),
        (EVENT_PATTERN, json.dumps({"b": {word: ["x"]}})),
        *([] if starred else [(FILTER_PATTERN, f"{{ $.a = {quoted} }}")]),
        *([] if "'" in word else [(FILTER_PATTERN, f"{{ $.b.['{word}'] = x }}")]),
    ]
    for language, condition in found:
        if not language.refused("fast", condition):
            matcher = language.fast(condition)
            assert (matcher.matches(record), matcher.matches(other)) == (True, False)


@each_language
def test_a_condition_is_text_or_json(language: Language) -> None:
    for condition in (None, 5, 5.0, object(), {1: 2}, {"a": {1, 2}}, b"{}"):
        with pytest.raises((TypeError, ValueError, ct.CloudTrailError)):
            language.fast(condition)  # type: ignore[arg-type]
