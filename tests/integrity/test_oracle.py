"""Every scenario, judged by the AWS CLI, by a second verifier of the tests, and by ctfast.

CTFAST_WRITE_DOCS=1 pytest tests/integrity/test_oracle.py     # writes the table of docs/integrity.md
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
import file_rows
import ours
import slow_verifier
from aws import Answer, oracle
from cases import INVALID, Case
from chains import iso
from seaweed import Store
from tampering import SCENARIOS
from verdict_table import BEGIN, difference, render, within

DOCUMENT = Path(__file__).parents[2] / "docs" / "integrity.md"

# Scenarios that the AWS CLI calls INVALID and ctfast does not. There may be no others.
LAXER = {"metadata_lost": "the successor, itself valid, holds the signature; the column `signature` says `successor`"}

# A file that CloudTrail itself lists twice gets a note.
NOTES = frozenset({"duplicate"})


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {name: make() for name, make in SCENARIOS.items()}


@pytest.fixture(scope="module")
def answers(cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory, store: Store) -> dict[str, Answer]:
    with oracle(tmp_path_factory.mktemp("oracle"), store) as aws:
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
    opinion = slow_verifier.verify(case.archive.objects, case.keys, case.since, case.end, case.signatures)
    assert opinion.files == case.stated
    assert opinion.ok == case.ok


@every
def test_ctfast_says_what_the_scenario_says(name: str, cases: dict[str, Case], tmp_path: Path) -> None:
    case = cases[name]
    verdicts = ours.verify(case, tmp_path)
    file_rows.check(verdicts.verification)
    assert verdicts.differ(case) == {}
    assert verdicts.verification.ok == (set(case.stated.values()) - NOTES == {"valid"} and not case.uncovered)


def frames(verification: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: sorted(getattr(verification, name).rows(), key=repr)
        for name in ("digests", "logs", "unlisted", "findings")
    }


TIMES = re.compile(r"Results (requested|found) for (\S+) to (\S+?):?$", re.MULTILINE)


@every
def test_the_verdict_is_never_weaker_than_what_aws_prints(
    name: str, cases: dict[str, Case], answers: dict[str, Answer], tmp_path: Path
) -> None:
    """If the AWS CLI found less than was requested, ctfast reports no success, or reports the rest as uncovered."""
    case, answer = cases[name], answers[name]
    found = ours.verify(case, tmp_path).verification
    if not case.runs:
        pytest.skip(case.why)
    if max(answer.codes):
        assert not found.ok or name in LAXER
    uncovered = found.ranges.filter(range="uncovered").height
    for out in answer.out:
        times = {what: (first, last) for what, first, last in TIMES.findall(out)}
        if times.get("requested") != times.get("found"):
            assert not found.ok or uncovered or name in ("organisation_by_bucket", "trail_named_like_another")
    code, out, _ = ours.command(case, tmp_path)
    assert code == (0 if found.ok else 1 if found.checked else 2)
    if "_backfill" not in "".join(case.archive.objects):  # for ctfast, backfill digests alone do not cover time
        stretches = found.ranges.filter(range="found").select("start", "end").rows()
        for first, last in [times for what, *times in TIMES.findall(out) if what == "found"]:
            assert any(first == iso(start) for start, _ in stretches)
            assert any(last == iso(end) for _, end in stretches)


HEAD = "Validating log files for trail"
SPOKEN = re.compile(r"(\(backfill\) )?(Digest file|Log file|No log files)|\d+/\d+ |Results |Validating ")


def spoken(*texts: str) -> list[str]:
    """The lines in the words of AWS's tool."""
    return sorted(line for text in texts for line in text.splitlines() if SPOKEN.match(line))


def reasons(verification: Any) -> set[tuple[str, str, str]]:
    """The findings, with the names of the files."""
    rows = verification.findings.iter_rows(named=True)
    return {(row["severity"], row["reason"], (row["file"] or "").rpartition("/")[2]) for row in rows}


@every
def test_verifying_while_reading_finds_the_same(name: str, cases: dict[str, Case], tmp_path: Path) -> None:
    verdicts = ours.verify(cases[name], tmp_path, threads=1)
    verifier = ct.Verifier(**verdicts.options)
    ct.read(verdicts.source, verify=verifier, on_error="collect", threads=2)
    assert frames(verifier.verification) == frames(verdicts.verification)


@every
def test_a_folder_of_buckets_is_the_same_archive(name: str, cases: dict[str, Case], tmp_path: Path) -> None:
    verdicts = ours.verify(cases[name], tmp_path)
    together = ct.verify(tmp_path, **{**verdicts.options, "map": None})
    assert together.ok == verdicts.verification.ok
    assert reasons(together) == reasons(verdicts.verification)


@every
def test_without_details_the_findings_are_the_same(name: str, cases: dict[str, Case], tmp_path: Path) -> None:
    verdicts = ours.verify(cases[name], tmp_path)
    short = ct.verify(verdicts.source, **verdicts.options, details=False)
    assert short.ok == verdicts.verification.ok
    assert frames(short)["findings"] == frames(verdicts.verification)["findings"]
    for each in (short.digests, short.logs):
        assert "valid" not in each["status"].to_list()


@every
def test_without_signatures_nothing_else_is_valid(name: str, cases: dict[str, Case], tmp_path: Path) -> None:
    # Files of which only the signature was wrong may be valid once the signatures are left out.
    harmed = {"signature", "algorithm", "unsigned", "contradicted", "format"}
    case = cases[name]
    verdicts = ours.verify(case, tmp_path, signatures=None)
    valid = {file for file, words in verdicts.files.items() if words == {"valid"}}
    if not harmed & set(case.stated.values()):
        assert valid <= {file for file, word in case.ours.items() if word in ("valid", "out", "duplicate")}
    newest = {chain.digests[-1] for chain in case.chains if case.ours[chain.digests[-1]] != "out"}
    assert not valid & newest
    if case.until is None:
        assert not verdicts.verification.ok


@every
def test_in_the_words_of_aws(name: str, cases: dict[str, Case], answers: dict[str, Answer], tmp_path: Path) -> None:
    case, answer = cases[name], answers[name]
    if not case.runs:
        pytest.skip(case.why)
    code, out, err = ours.command(case, tmp_path)
    invalid = {line.split("\t")[1] for line in (out + err).splitlines() if "\tINVALID: " in line and "file\t" in line}
    theirs = {file for file, word in answer.files.items() if word in INVALID}
    # What the AWS CLI calls invalid is invalid in its words here, too, except for log files of digests that ctfast does
    # not trust.
    assert {file for file in theirs - invalid if case.ours[file] != "unlisted"} == set() or name in LAXER
    # An unreadable key has only the fingerprint that the AWS CLI takes from ListPublicKeys: the words differ.
    if difference(case) or "out" in case.ours.values() or name == "key_unreadable":
        return
    assert code == max(answer.codes)
    # The archive of a member account does not say which account owns the trail of an organisation.
    for run in case.runs:
        out = out.replace(f":{run.account}:trail/", f":{run.trail.account}:trail/")
    # Findings that only ctfast has are on lines of their own.
    assert spoken(out, err) == spoken(*answer.out, *answer.err)
    if case.ok:
        # One block for each account, region and trail, and every blank line as AWS has it.
        blocks = sorted(f"{HEAD}{block}".strip() for block in out.split(HEAD)[1:])
        assert blocks == sorted(text.strip() for text in answer.out)
        assert err.strip() == "".join(answer.err).strip()


def test_the_table_of_the_document_is_this_one(cases: dict[str, Case], answers: dict[str, Answer]) -> None:
    table = render(list(cases.values()), answers)
    text = DOCUMENT.read_text("utf-8")
    assert BEGIN in text
    if os.environ.get("CTFAST_WRITE_DOCS"):
        DOCUMENT.write_text(within(text, table), "utf-8")
    assert DOCUMENT.read_text("utf-8") == within(text, table), "CTFAST_WRITE_DOCS=1 writes it again"
