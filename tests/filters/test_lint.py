"""What ``ct.lint`` finds, and the places of its findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ctfast as ct

MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
DATA = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]


def said(*sources: Any) -> list[tuple[Any, ...]]:
    return ct.lint(*sources).select("severity", "code", "path").rows()


@pytest.mark.parametrize(
    "source",
    [
        [{"FieldSelectors": [MANAGEMENT]}],
        {"EventSelectors": [{"ReadWriteType": "All"}]},
        '{ $.eventName = "Con*" && $.a != "*x*" }',
        "ERROR -info\n",
        "?ERROR ?info\n",
        {"detail": {"eventName": [{"anything-but": ["a", "b"]}]}},
        {"$or": [{"source": ["aws.s3"]}, {"detail-type": ["AWS API Call via CloudTrail"]}]},
    ],
)
def test_nothing_to_say(source: Any) -> None:
    found = ct.lint(source)
    assert found.is_empty()
    assert found.columns == ["file", "rule", "path", "line", "column", "severity", "code", "message"]


@pytest.mark.parametrize(
    ("source", "findings"),
    [
        ([{"FieldSelectors": [{"Field": "readOnly", "Equals": ["true"]}]}], [("error", "field-missing", "[0]")]),
        (
            [
                {
                    "FieldSelectors": [
                        *DATA,
                        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},
                    ]
                }
            ],
            [
                ("warning", "bucket-slash", "[0].FieldSelectors[2].StartsWith[0]"),
                ("warning", "wildcard", "[0].FieldSelectors[2].StartsWith[1]"),
            ],
        ),
        (
            {"EventSelectors": [{"ReadWriteType": "Some"}, {"ExcludeManagementEventSources": ["s3.amazonaws.com"]}]},
            [
                ("error", "value", "EventSelectors[0].ReadWriteType"),
                ("error", "value", "EventSelectors[1].ExcludeManagementEventSources[0]"),
            ],
        ),
        ("{ $.a = }", [("error", "syntax", None)]),
        ('{ $.a = "Ev*ent" || $.b = "x*" }', [("warning", "wildcard", None)]),
        ("ERROR ?info\n", [("warning", "ignored-terms", None)]),
        ({"detail": {"eventName": []}}, [("error", "empty-array", "detail.eventName")]),
        ({"eventName": ["x"]}, [("warning", "no-envelope", "eventName")]),
        (
            {"detail": {"$or": [{"a": ["x"]}, {"b": [{"anything-but": "x"}, {"anything-but": "y"}]}]}},
            [("warning", "always-met", "detail.b")],
        ),
        ({"source": ["aws." + "x" * 4096]}, [("error", "too-long", None)]),
        (
            {"source": ["s3.amazonaws.com"], "detail": {"eventName": ["Put*"]}},
            [
                ("warning", "service", "source"),
                ("warning", "plain-star", "detail.eventName"),
            ],
        ),
        ('{"a": [1}', [("error", "invalid-json", None)]),
        (
            {"metricFilters": [{"filterName": "a", "filterPattern": 7}]},
            [("error", "wrong-type", "metricFilters[0].filterPattern")],
        ),
    ],
)
def test_findings(source: Any, findings: list[tuple[Any, ...]]) -> None:
    assert sorted(said(source), key=str) == sorted(findings, key=str)
    for message in ct.lint(source)["message"]:
        assert len(message.splitlines()) == 1


def test_all_conditions_of_all_documents_are_checked(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.filter").write_text("{ $.a\n= }\n")
    (tmp_path / "rules/b.json").write_text(
        json.dumps({"Rules": [{"Name": "x", "EventPattern": "{}"}, {"Name": "y", "EventPattern": '{"a":[]}'}]})
    )
    (tmp_path / "c.json").write_text('{\n "source": []\n}')
    (tmp_path / "broken.yaml").write_text("a: [")
    found = ct.lint(tmp_path, {"detail": {"x": []}})
    places = [
        (file and Path(file).relative_to(tmp_path).as_posix(), *rest) for file, *rest in found.drop("message").rows()
    ]
    assert places == [
        ("broken.yaml", None, None, 1, 5, "error", "invalid-yaml"),
        ("c.json", None, "source", 2, 12, "error", "empty-array"),
        ("rules/a.filter", None, None, 2, 3, "error", "syntax"),
        ("rules/b.json", "x", "Rules[0].EventPattern", 1, 1, "error", "empty-object"),
        ("rules/b.json", "y", "Rules[1].EventPattern.a", 1, 6, "error", "empty-array"),
        (None, None, "detail.x", None, None, "error", "empty-array"),
    ]


def test_broken_json_has_its_place_in_every_language() -> None:
    for kind, text in ((ct.EventSelectors, '{"EventSelectors":\n [}'), (ct.EventPattern, '{"source":\n [}')):
        with pytest.raises(ct.FilterError, match=r"at line 2, column 3$") as raised:
            kind(text)
        assert (raised.value.line, raised.value.column) == (2, 3)
        assert "line" not in raised.value.message


def test_what_lint_calls_an_error_is_refused_and_nothing_else() -> None:
    sources: list[tuple[Any, Any]] = [
        (ct.EventSelectors, [{"FieldSelectors": [MANAGEMENT, MANAGEMENT]}]),
        (ct.EventSelectors, [{"FieldSelectors": [MANAGEMENT, {"Field": "eventName", "Equals": ["a*"]}]}]),
        (ct.EventSelectors, [{"FieldSelectors": [*DATA, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]}]),
        (ct.FilterPattern, '{ $.a = "b*c" }'),
        (ct.FilterPattern, "{ $.a = %(x)% }"),
        (ct.EventPattern, {"detail": {"a": [{"anything-but": "x"}, {"anything-but": "y"}]}}),
        (ct.EventPattern, {"detail": {"a": [{"prefix": 7}]}}),
    ]
    for kind, source in sources:
        errors = ct.lint(source).filter(pl.col("severity") == "error")
        if errors.is_empty():
            assert kind(source).matches(b'{"eventName":"x"}') in (True, False)
        else:
            with pytest.raises(ct.FilterError) as raised:
                kind(source)
            assert (raised.value.message, raised.value.path) == (errors["message"][0], errors["path"][0])


def test_missing_files_are_no_findings(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ct.lint(tmp_path / "nowhere.json")
