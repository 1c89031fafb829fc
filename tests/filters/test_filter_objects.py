"""Filters as objects: arguments, combination, equality, pickling and errors."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import ctfast as ct

ROOT = b'{"eventName":"ConsoleLogin","eventSource":"signin.amazonaws.com","userIdentity":{"type":"Root"}}'
USER = (
    b'{"eventName":"GetObject","eventSource":"s3.amazonaws.com",'
    b'"userIdentity":{"type":"IAMUser","userName":"caf\xc3\xa9"}}'
)

IS_ROOT = '{ $.userIdentity.type = "Root" }'
IS_S3: dict[str, Any] = {"source": ["aws.s3"]}
MANAGEMENT = {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]}


@pytest.fixture
def root() -> ct.FilterPattern:
    return ct.FilterPattern(IS_ROOT)


@pytest.fixture
def s3() -> ct.EventPattern:
    return ct.EventPattern(IS_S3)


def test_records_are_bytes_texts_and_mappings(root: ct.FilterPattern) -> None:
    for record, met in ((ROOT, True), (USER, False)):
        forms = [
            record,
            record.decode(),
            json.loads(record),
            MappingProxyType(json.loads(record)),
        ]
        assert [root.matches(form) for form in forms] == [met] * len(forms)
        assert [not root.explain(form) for form in forms] == [met] * len(forms)


@pytest.mark.parametrize("record", [b"", b"7", b"[]", b'{"a":', b"{} {}", b'{"a":"\xff"}', "\ud800", '{"a":1}x'])
def test_what_is_no_record_is_an_error(s3: ct.EventPattern, root: ct.FilterPattern, record: bytes | str) -> None:
    both = root & s3
    for call in (s3.matches, s3.explain, both.matches):
        with pytest.raises(ct.FormatError) as raised:
            call(record)
        assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("record", [None, 7, ["a"], bytearray(b"{}"), {"a": object()}])
def test_what_is_no_json_at_all_is_a_wrong_argument(root: ct.FilterPattern, record: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        root.matches(record)


def test_a_lone_surrogate_in_a_mapping_is_an_escape() -> None:
    assert ct.EventPattern({"detail": {"eventName": ["\ud800"]}}) == ct.EventPattern(
        r'{"detail":{"eventName":["\ud800"]}}'
    )
    assert ct.FilterPattern('"é"').matches({"eventName": "\ud800 é"})
    for kind, text in (
        (ct.EventPattern, '{"a":["\ud800"]}'),
        (ct.FilterPattern, "\ud800"),
        (ct.EventSelectors, '["\ud800"]'),
    ):
        with pytest.raises(ct.FilterError, match="half of a pair of surrogates"):
            kind(text)


def test_a_deep_mapping_is_no_crash(root: ct.FilterPattern) -> None:
    record: dict[str, Any] = {}
    for _ in range(100_000):
        record = {"a": record}
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        root.matches(record)


def test_explain_names_the_condition_and_what_is_there(root: ct.FilterPattern, s3: ct.EventPattern) -> None:
    assert root.explain(ROOT) == []
    assert root.explain(USER) == [ct.Unmet('$.userIdentity.type = "Root"', ['"IAMUser"'])]
    assert [unmet.found for unmet in s3.explain(ROOT)] == [['"aws.signin"']]
    assert len((root & s3).explain(b"{}")) == 2
    assert root.explain(b"{}")[0].found == []


def test_combinations(root: ct.FilterPattern, s3: ct.EventPattern) -> None:
    for record in (ROOT, USER, b"{}"):
        first, second = root.matches(record), s3.matches(record)
        assert (root & s3).matches(record) == (first and second)
        assert (root | s3).matches(record) == (first or second)
        assert (~root).matches(record) == (not first)
        assert (~(root | s3) & ~root).matches(record) == (not first and not second)


def test_a_filter_has_a_language() -> None:
    with pytest.raises(TypeError, match="EventSelectors, FilterPattern or EventPattern"):
        ct.Filter()


def test_only_filters_combine(root: ct.FilterPattern) -> None:
    for other in ("x", None, True):
        with pytest.raises(TypeError):
            root & other  # type: ignore[operator]
        with pytest.raises(TypeError):
            root | other  # type: ignore[operator]


def test_the_normal_form_is_written_like_the_expression(root: ct.FilterPattern, s3: ct.EventPattern) -> None:
    first, second = repr(root), repr(s3)
    assert (first, str(root)) == (f"FilterPattern({str(root)!r})", IS_ROOT)
    assert repr(root & s3 & root) == f"{first} & {second} & {first}"
    assert repr(root & (s3 | root)) == f"{first} & ({second} | {first})"
    assert repr((root & s3) | root) == f"({first} & {second}) | {first}"
    assert repr(~root & ~(root | s3)) == f"~{first} & ~({first} | {second})"
    assert repr(~~root) == f"~~{first}"
    namespace = {name: getattr(ct, name) for name in ("EventPattern", "EventSelectors", "FilterPattern")}
    for filter_ in (
        root,
        s3,
        root & ~s3,
        ct.EventSelectors(MANAGEMENT),
        ct.FilterPattern("A -B", missing_differs=True),
    ):
        assert eval(repr(filter_), namespace) == filter_


def test_equality_is_that_of_the_normal_form(root: ct.FilterPattern, s3: ct.EventPattern) -> None:
    same = ct.FilterPattern("{($.userIdentity.type=Root)}")
    assert (root, hash(root)) == (same, hash(same))
    assert len({root, same, s3, ct.EventPattern('{"source": ["aws.s3"]}')}) == 2
    assert root != s3
    assert root != ~root
    assert root != IS_ROOT
    assert ct.FilterPattern(IS_ROOT, missing_differs=True) != root


def test_filters_are_picklable(root: ct.FilterPattern, s3: ct.EventPattern) -> None:
    selectors = ct.EventSelectors(MANAGEMENT, missing_read_only="read")
    for filter_ in (root, s3, selectors, ~(root & s3) | selectors, ct.FilterPattern(IS_ROOT, missing_differs=True)):
        again = pickle.loads(pickle.dumps(filter_))
        assert (type(again), again, hash(again)) == (type(filter_), filter_, hash(filter_))
        assert [again.matches(record) for record in (ROOT, USER)] == [
            filter_.matches(record) for record in (ROOT, USER)
        ]


def test_a_pattern_of_full_length_travels(tmp_path: Path) -> None:
    text = "{" + "||".join(f"$.eventName={'a' * 8}{number:03}" for number in range(39)) + "}"
    assert len(text) <= 1024 < len(str(ct.FilterPattern(text)))
    assert pickle.loads(pickle.dumps(ct.FilterPattern(text))) == ct.FilterPattern(text)


def test_switches_change_what_is_met() -> None:
    differs = '{ $.additionalEventData.MFAUsed != "Yes" }'
    assert not ct.FilterPattern(differs).matches(ROOT)
    assert ct.FilterPattern(differs, missing_differs=True).matches(ROOT)
    writes = {"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}
    reads = {"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}
    for missing, met in (("write", (True, False)), ("read", (False, True)), ("neither", (False, False))):
        found = [ct.EventSelectors(selectors, missing_read_only=missing).matches(ROOT) for selectors in (writes, reads)]  # type: ignore[arg-type]
        assert tuple(found) == met
    by_name = {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Management"]},
            {"Field": "eventName", "Equals": ["x"]},
        ]
    }
    assert ct.EventSelectors(by_name, target="event-data-store").matches(b'{"eventName":"x"}')
    with pytest.raises(ct.FilterError, match="eventName"):
        ct.EventSelectors(by_name, target="trail")
    for switches in ({"target": "lake"}, {"missing_read_only": "maybe"}):
        with pytest.raises(ValueError, match="must be"):
            ct.EventSelectors(MANAGEMENT, **switches)  # type: ignore[arg-type]


def test_basic_selectors_as_advanced_ones() -> None:
    basic = ct.EventSelectors(
        [
            {"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]},
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": False,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::example/"]}],
            },
        ]
    )
    category = {"Field": "eventCategory", "Equals": ["Management"]}
    assert basic.advanced() == [
        {
            "FieldSelectors": [
                category,
                {"Field": "readOnly", "Equals": ["false"]},
                {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
            ]
        },
        {
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::example/"]},
            ]
        },
    ]
    advanced = ct.EventSelectors(basic.advanced())
    assert advanced.advanced() == basic.advanced()
    assert advanced != basic


def test_errors_have_a_sentence_and_a_place() -> None:
    with pytest.raises(ct.FilterError) as raised:
        ct.EventPattern('{\n  "detail": {"eventName": []}\n}')
    error = raised.value
    assert isinstance(error, ct.CloudTrailError)
    assert isinstance(error, ValueError)
    assert (error.path, error.line, error.column, error.kind, error.key) == (
        "detail.eventName",
        2,
        27,
        "empty-array",
        None,
    )
    assert str(error) == f"detail.eventName: {error.message} at line 2, column 27"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.__dict__) == (str(error), error.__dict__)
    with pytest.raises(ct.FilterError) as raised:
        ct.FilterPattern("{ $.a =\n }")
    assert (raised.value.path, raised.value.line, raised.value.column) == (None, 2, 2)
    with pytest.raises(ct.FilterError) as raised:
        ct.EventSelectors([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["management"]}]}])
    assert raised.value.path == "[0].FieldSelectors[0].Equals[0]"


@pytest.mark.parametrize("kind", [ct.EventSelectors, ct.FilterPattern, ct.EventPattern])
def test_wrong_arguments(kind: type[ct.Filter], tmp_path: Path) -> None:
    for given in (None, 7, b"{}"):
        with pytest.raises(TypeError, match="path of a file"):
            kind(given)  # type: ignore[call-arg]
    with pytest.raises(FileNotFoundError):
        kind(tmp_path / "nowhere.json")  # type: ignore[call-arg]
    with pytest.raises(IsADirectoryError):
        kind(tmp_path)  # type: ignore[call-arg]
