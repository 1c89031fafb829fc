"""Filter patterns as CloudWatch Logs evaluates them: recorded answers differ from what its documentation suggests."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ctfast as ct

RECORD = {
    "recipientAccountId": "111122223333",
    "eventVersion": "1.08",
    "readOnly": True,
    "n": 10,
    "f": 1.0,
    "list": [1, None],
    "o": {"a": "x"},
}


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # some are met by nothing, and that is told
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        # Strings and numbers are compared as strings.
        ("{ $.recipientAccountId = 111122223333 }", True),
        ("{ $.recipientAccountId != 111122223333 }", False),
        ("{ $.eventVersion = 1.08 }", True),
        ("{ $.eventVersion = 1.080 }", False),
        ("{ $.eventVersion != 1.09 }", True),
        ("{ $.eventVersion > 1 }", False),
        ('{ $.n = "10" }', True),
        ('{ $.n = "10.0" }', False),
        ('{ $.n != "Alpha" }', True),
        ("{ $.n = 1* }", True),
        ("{ $.n != 1* }", False),
        ('{ $.f = "1.0" }', True),
        ('{ $.f = "1" }', False),
        ("{ $.f = 1 }", True),
        # JSON's true and false are compared with nothing.
        ("{ $.readOnly = true }", False),
        ("{ $.readOnly = * }", False),
        ("{ $.readOnly != false }", False),
        ("{ $.readOnly IS TRUE }", True),
        # Null in an array, and the values of an object.
        ("{ $.list IS NULL }", True),
        ("{ $.o IS NULL }", False),
        ("{ $.o[*] = x }", True),
        ("{ $.list.* = 1 }", False),
        ("{ $.missing != 1 }", False),
    ],
)
def test_json(pattern: str, *, expected: bool, tmp_path: Any) -> None:
    found = ct.FilterPattern(pattern)
    record = RECORD | {"eventName": "x", "eventTime": "2025-03-12T10:00:00Z"}
    assert found.matches(json.dumps(record)) is expected
    (tmp_path / "log.json").write_text(json.dumps({"Records": [record, {"eventName": "y"}]}))
    names = ct.read(tmp_path / "log.json", where=found)["eventName"].to_list()
    assert ("x" in names) is expected
    assert (
        ct.match(tmp_path / "log.json", {"a": found, "b": ct.FilterPattern("{ $.eventName = y }")}).collect().height
        >= expected
    )


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        ("[w1 = ERROR, w2]", "ERROR the disk is full", True),
        ("[w1 = ERROR, w2]", "ERROR", False),
        ("[w1, w2 = the]", "ERROR the disk is full", False),
        ('[w1, w2 = "the disk*"]', "ERROR the disk is full", True),
        ("[..., code = 4*,]", 'a "GET / HTTP/1.0" 404 1534', True),
        ("[]", "anything", True),
        ("[]", "", True),
        ("ERROR -full", "ERROR the disk is full", False),
        ("?WARN ?ERROR", "ERROR the disk is full", True),
        ('"disk is"', "ERROR the disk is full", True),
        ("%^starting|^shutting down%", "shutting down now", True),
        ("{ $.a = 1 }", "no JSON", False),
        ("{ $.a NOT EXISTS }", '{"a":', False),
    ],
)
def test_lines_of_text(pattern: str, line: str, *, expected: bool) -> None:
    assert ct.FilterPattern(pattern).matches(line) is expected
    assert ct.FilterPattern(pattern).matches(line.encode()) is expected
    assert (ct.FilterPattern(pattern) & ct.FilterPattern("")).matches(line) is expected
    assert (~ct.FilterPattern(pattern)).matches(line) is not expected
    assert bool(ct.FilterPattern(pattern).explain(line)) is not expected


@pytest.mark.parametrize(
    "pattern", ["{ $.v = null }", "{ $.v != null }", "{ $.v = 日本 }", "[word, word]", " { $.a = 1 }", "{ $.a = 1 }\n"]
)
def test_refused(pattern: str) -> None:
    with pytest.raises(ct.FilterError):
        ct.FilterPattern(pattern)


def test_the_error_names_what_is_twice() -> None:
    with pytest.raises(ct.FilterError, match="'word' appears twice") as raised:
        ct.FilterPattern("[word, other, word = x]")
    assert (raised.value.kind, raised.value.line, raised.value.column) == ("field-twice", 1, 15)


@pytest.mark.parametrize("wrong", [None, 1, ["a"], bytearray(b"a")])
def test_a_line_is_bytes_or_a_text(wrong: Any) -> None:
    with pytest.raises(TypeError, match="bytes, a text or a mapping"):
        ct.FilterPattern("ERROR").matches(wrong)


def test_other_filters_take_records_only() -> None:
    for other in (ct.EventPattern({"detail": {"eventName": ["x"]}}), ct.EventSelectors({"ReadWriteType": "All"})):
        for one in (other, other & ct.FilterPattern("x"), ~other):
            with pytest.raises(ct.FormatError):
                one.matches("no JSON")
    with pytest.raises(ct.FormatError) as raised:
        ct.FilterPattern("x").matches(b"x \xff")
    assert raised.value.kind == "invalid-utf8"
