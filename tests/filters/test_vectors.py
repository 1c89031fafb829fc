"""AWS's verdicts on cases that are not part of the project; ``$CTFAST_SPEC_VECTORS`` names their folder.

Those on event patterns come from AWS's own matcher; those on filter patterns and event selectors come from AWS's
documentation and from recorded answers.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
import slow_selectors
from sides import EVENT_PATTERN, FILTER_PATTERN, Language, both_sides

FOLDER = os.environ.get("CTFAST_SPEC_VECTORS", "")
FILES = {
    "event_pattern_cases.json": 300,
    "filter_pattern_cases.json": 100,
    "selector_cases.json": 50,
}
needs_vectors = pytest.mark.skipif(
    not FOLDER or not all((Path(FOLDER) / file).is_file() for file in FILES),
    reason=f"set CTFAST_SPEC_VECTORS to a folder with {', '.join(FILES)}",
)


def cases(file: str) -> list[Any]:
    path = Path(FOLDER or ".") / file
    if not FOLDER or not path.is_file():
        return []
    return [pytest.param(case, id=case["name"]) for case in json.loads(path.read_text())["cases"]]


@needs_vectors
@pytest.mark.parametrize(("file", "least"), FILES.items())
def test_there_are_cases(file: str, least: int) -> None:
    assert len(cases(file)) >= least


def check(language: Language, side: str, pattern: str, text: str, *, expected: bool | str) -> None:
    refused = expected == "error"
    assert language.refused(side, pattern) is refused
    if not refused:
        assert getattr(language, side)(pattern).matches(text) is expected


@needs_vectors
@both_sides
@pytest.mark.parametrize("case", cases("event_pattern_cases.json"))
def test_event_pattern(side: str, case: dict[str, Any]) -> None:
    check(
        EVENT_PATTERN,
        side,
        case["pattern_text"],
        case["event_text"],
        expected="error" if "error" in case else case["match"],
    )


@needs_vectors
@both_sides
@pytest.mark.parametrize("case", cases("filter_pattern_cases.json"))
def test_filter_pattern(side: str, case: dict[str, Any]) -> None:
    check(FILTER_PATTERN, side, case["pattern"], case["message"], expected=case["match"])


@needs_vectors
@both_sides
@pytest.mark.parametrize("case", cases("selector_cases.json"))
def test_event_selectors(side: str, case: dict[str, Any]) -> None:
    target: Any = case.get("target")
    language = Language(
        "event selectors",
        lambda text: slow_selectors.parse(text, target),
        lambda text: ct.EventSelectors(text, target=target),
    )
    check(language, side, case["selectors"], case["event"], expected=case["logged"])
