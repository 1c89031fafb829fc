"""The verdicts of AWS's own matcher on cases that are not part of the project; ``$CTFAST_SPEC_VECTORS`` names their folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sides import EVENT_PATTERN, both_sides

FOLDER = os.environ.get("CTFAST_SPEC_VECTORS", "")
FILE = Path(FOLDER or ".") / "event_pattern_cases.json"
needs_vectors = pytest.mark.skipif(
    not FOLDER or not FILE.is_file(), reason="set CTFAST_SPEC_VECTORS to a folder with event_pattern_cases.json"
)


def cases() -> list[dict[str, Any]]:
    if not FOLDER or not FILE.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"]
    return found


@needs_vectors
def test_there_are_cases() -> None:
    assert len(cases()) > 300


@needs_vectors
@both_sides
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_verdict(side: str, case: dict[str, Any]) -> None:
    pattern, refused = case["pattern_text"], "error" in case
    assert EVENT_PATTERN.refused(side, pattern) is refused
    if not refused:
        assert getattr(EVENT_PATTERN, side)(pattern).matches(case["event_text"]) is case["match"]
