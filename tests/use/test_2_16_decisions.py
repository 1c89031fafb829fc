"""Every decision in ``docs/filters.md`` names its basis."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ctfast as ct

DOCS = Path(__file__).parents[2] / "docs" / "filters.md"
GROUNDS = ("AWS's documentation", "recorded", "Event Ruler", "choice")


def tables() -> dict[str, list[list[str]]]:
    """The tables below "Decisions", by their headings: rows of cells, the header first."""
    decisions = DOCS.read_text().split("\n## Decisions\n")[1]
    found: dict[str, list[list[str]]] = {}
    for part in decisions.split("\n### ")[1:]:
        heading, *lines = part.splitlines()
        rows = [
            re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|") and not line.startswith("|---")
        ]
        found[heading] = [[cell.strip() for cell in row] for row in rows]
    return found


@pytest.mark.parametrize("heading", ["Event selectors", "Filter patterns", "Event patterns"])
def test_each_row_says_what_it_rests_on(heading: str) -> None:
    header, *rows = tables()[heading]
    assert header[-1] == "rests on"
    assert len(rows) > 10
    for row in rows:
        assert len(row) == len(header), row[0]
        assert row[-1].startswith(GROUNDS), row[0]


def test_all_three_grounds_of_the_issue_occur() -> None:
    said = {row[-1].split(" ")[0].strip(",;") for rows in tables().values() for row in rows[1:]}
    assert {"AWS's", "recorded", "choice"} <= said


def test_what_was_recorded_is_told_as_recorded_and_done() -> None:
    of_patterns = {row[0]: row for row in tables()["Filter patterns"]}
    of_selectors = {row[0]: row for row in tables()["Event selectors"]}
    for name in (
        "a string or wildcard against a JSON number",
        "JSON's `true` and `false`",
        "`= null`",
        "a field's name twice",
    ):
        assert of_patterns[name][-1] == "recorded"
    for name in ("value of a basic selector for S3", "the same field twice in one selector"):
        assert of_selectors[name][-1] == "recorded"
    assert ct.FilterPattern('{ $.v = "1" }').matches({"v": 1})
    assert not ct.FilterPattern("{ $.v = true }").matches({"v": True})
    bucket = [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::bucket"]}]}]
    category = {"Field": "eventCategory", "Equals": ["Management"]}
    twice = [{"FieldSelectors": [category, *[{"Field": "readOnly", "Equals": ["true"]}] * 2]}]
    for refused in ("{ $.v = null }", "[a, a]"):
        with pytest.raises(ct.FilterError):
            ct.FilterPattern(refused)
    for selectors in (bucket, twice):
        with pytest.raises(ct.FilterError):
            ct.EventSelectors(selectors)
