"""Any value given as a filter, a rule or a record: problems are typed errors or findings."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ctfast as ct

DEPTHS = (50, 129, 1_000, 5_000, 20_000)
KINDS = (ct.EventSelectors, ct.FilterPattern, ct.EventPattern)


def deep(depth: int, *, lists: bool) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


def well(given_: Any) -> None:
    """Use it in every function; errors of ctfast have a type of their own and are one sentence."""
    is_path = isinstance(given_, str) and not given_.lstrip().startswith(("{", "["))
    as_text = f"{given_}\n" if is_path else given_
    found = ct.lint(as_text)
    assert all(len(message.splitlines()) == 1 for message in found["message"])
    for kind in (*KINDS, ct.rules):
        try:
            kind(as_text if kind is ct.rules else given_)
        except ct.FilterError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017  # an error is not required
            assert error.kind  # noqa: PT017


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("[", "]"),
        ('{"a":', "}"),
        ("(", ")"),
        ("{ (", ") }"),
        ('{"FieldSelectors":[{"Field":', "}]}"),
        ('{"$or":[', "]}"),
        ('{"EventSelectors":', "}"),
        ('{"Rules":[{"EventPattern":', "}]}"),
        ('{"Resources":{"a":{"Type":"AWS::Events::Rule","Properties":{"EventPattern":', "}}}}"),
    ],
)
def test_deep_texts(depth: int, opening: str, closing: str, tmp_path: Path) -> None:
    text = opening * depth + closing * depth
    well(text)
    for suffix in (".json", ".filter", ".yaml"):
        file = tmp_path / f"x{suffix}"
        file.write_text(text[:10_000])
        well(file)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize(
    "around",
    [
        lambda value: [value],
        lambda value: {"detail": value},
        lambda value: {"EventSelectors": value},
        lambda value: {"AdvancedEventSelectors": [{"FieldSelectors": value}]},
        lambda value: {"Rules": [{"Name": value, "EventPattern": value, "State": value}]},
        lambda value: {"metricFilters": [{"filterName": "x", "filterPattern": value}]},
        lambda value: {"Resources": {"r": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": value}}}},
        lambda value: {"Resources": {"t": {"Type": "AWS::CloudTrail::Trail", "Properties": {"EventSelectors": value}}}},
    ],
)
def test_deep_mappings_and_lists(depth: int, around: Any, *, lists: bool) -> None:
    well(around(deep(depth, lists=lists)))


@pytest.mark.parametrize(
    "text",
    [
        "\ud800",
        '{"a":["\ud800"]}',
        '{"detail":{"\\ud800":["x"]}}',
        '[{"FieldSelectors":[{"Field":"\ud800"}]}]',
        json.dumps({"Rules": [{"Name": "\ud800", "EventPattern": "\ud800"}]}),
        json.dumps({"metricFilters": [{"filterName": "\ud800", "filterPattern": "\ud800"}]}),
        json.dumps({"Resources": {"\ud800": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"a": 1}}}}}),
        "{ $.a = \ud800 }",
        '{"a":[' + "9" * 100_000 + "]}",
        '{"State":1' + "0" * 5_000 + ',"EventPattern":"{}"}',
        "{ $.a[" + "9" * 1_000 + "] = 1 }",
        "{ $.a = " + "9" * 1_000 + " }",
        "NaN",
        '{"a":[NaN]}',
        "\0",
        "",
    ],
)
def test_surrogates_and_numbers(text: str, tmp_path: Path) -> None:
    well(text)
    (tmp_path / "x.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    well(tmp_path / "x.json")
    try:
        document = json.loads(text)
    except ValueError:
        return
    if isinstance(document, dict | list):
        well(document)


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.filter"
    try:
        Path(os.fsdecode(name)).write_text("{ $.a = }")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    found = ct.lint(tmp_path)
    assert found["code"].to_list() == ["syntax"]
    Path(os.fsdecode(name)).write_text("{ $.a = 1 }")
    (rule,) = ct.rules(tmp_path)
    assert rule.encode()
    with pytest.raises(FileNotFoundError):
        ct.rules("\ud800")


def test_names_of_rules(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text('{"Records":[{"eventName":"x"}]}')
    pattern = ct.FilterPattern("{ $.eventName = x }")
    with pytest.raises(ValueError, match="surrogates"):
        ct.match(tmp_path / "log.json", {"\ud800": pattern})
    with pytest.raises(TypeError, match="the name of a rule is a text"):
        ct.match(tmp_path / "log.json", {1: pattern})  # type: ignore[dict-item]  # the point
    for wrong in (None, 7, b"x"):
        with pytest.raises(TypeError, match="rules are a mapping"):
            ct.rules(wrong)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_deep_records(depth: int, kind: Any) -> None:
    text = {
        ct.EventSelectors: '{"ReadWriteType":"All"}',
        ct.FilterPattern: "{ $.a = 1 }",
        ct.EventPattern: '{"a":["x"]}',
    }[kind]
    one = kind(text)
    for record in (
        deep(depth, lists=False),
        '{"a":' * depth + "1" + "}" * depth,
        '{"a":' + "[" * depth + "]" * depth + "}",
    ):
        for ask in (one.matches, one.explain):
            try:
                ask(record)
            except (ct.FormatError, ValueError) as error:
                assert not isinstance(error, RecursionError | UnicodeError)  # noqa: PT017
                assert len(str(error).splitlines()) == 1  # noqa: PT017


NAMES = """
EventSelectors AdvancedEventSelectors FieldSelectors Field Equals DataResources Type Values ReadWriteType
metricFilters Rules filterPattern EventPattern State Resources Properties Events Pattern FilterPattern detail
$or prefix numeric Ref ENABLED
AWS::Events::Rule AWS::Serverless::Function AWS::CloudTrail::Trail EventBridgeRule
"""
WORDS = st.sampled_from([*NAMES.split(), "\ud800"])
VALUES = st.recursive(
    st.one_of(WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=3) | st.lists(VALUES, max_size=3) | st.text(max_size=30))
@pytest.mark.filterwarnings("ignore:a rule is left out")
def test_anything(value: Any) -> None:
    well(value)
