"""Every scenario, judged by the AWS CLI, by a second verifier of the tests, and by ctfast.

CTFAST_WRITE_DOCS=1 pytest tests/integrity/test_oracle.py     # writes the table of docs/integrity.md
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import ours
import slow_verifier
from aws import Answer, oracle
from cases import Case
from table import BEGIN, difference, render, within
from tampering import SCENARIOS

DOCUMENT = Path(__file__).parents[2] / "docs" / "integrity.md"

# What AWS calls INVALID and ctfast does not. Nothing else may be.
LAXER = {"metadata_lost": "the successor, itself valid, holds the signature; the column `signature` says `successor`"}

# Listed twice by CloudTrail itself: a note.
NOTES = frozenset({"duplicate"})


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {name: make() for name, make in SCENARIOS.items()}


@pytest.fixture(scope="module")
def answers(cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    with oracle(tmp_path_factory.mktemp("oracle")) as aws:
        return aws.ask_all(list(cases.values()))


every = pytest.mark.parametrize("name", SCENARIOS)


def test_there_are_enough_scenarios() -> None:
    assert len(SCENARIOS) >= 100


@every
def test_aws_says_what_the_scenario_says(name: str, cases: dict[str, Case], answers: dict[str, Answer]) -> None:
    case, answer = cases[name], answers[name]
    if not case.runs:
        pytest.skip(case.why)
    assert {file: answer.files.get(file, "silent") for file in {*case.ours, *answer.files}} == case.theirs
    assert answer.aborted == case.aborts
    assert answer.gaps == case.gaps


@every
def test_a_difference_has_a_reason_and_is_never_laxer(name: str, cases: dict[str, Case]) -> None:
    case = cases[name]
    assert bool(case.why) == bool(difference(case))
    assert (difference(case) == "laxer") == (name in LAXER)


@every
def test_a_second_verifier_says_the_same(name: str, cases: dict[str, Case]) -> None:
    case = cases[name]
    opinion = slow_verifier.verify(case.archive.objects, case.keys, case.since, case.end)
    assert opinion.files == {file: word for file, word in case.ours.items() if word != "gone"}
    assert opinion.ok == case.ok


@every
def test_ctfast_says_what_the_scenario_says(name: str, cases: dict[str, Case], tmp_path: Path) -> None:
    case = cases[name]
    verdicts = ours.verify(case, tmp_path)
    assert verdicts.differ({file: word for file, word in case.ours.items() if word != "gone"}) == {}
    assert verdicts.verification.ok == (set(case.ours.values()) - NOTES == {"valid"})


def test_the_table_of_the_document_is_this_one(cases: dict[str, Case], answers: dict[str, Answer]) -> None:
    table = render(list(cases.values()), answers)
    text = DOCUMENT.read_text("utf-8")
    assert BEGIN in text
    if os.environ.get("CTFAST_WRITE_DOCS"):
        DOCUMENT.write_text(within(text, table), "utf-8")
    assert DOCUMENT.read_text("utf-8") == within(text, table), "CTFAST_WRITE_DOCS=1 writes it again"
