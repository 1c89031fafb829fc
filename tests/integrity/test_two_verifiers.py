"""Random archives and damage: ctfast and the second verifier of the tests find the same files valid."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import ctfast as ct
import ours
import slow_verifier
from cases import Case
from chains import ACCOUNT, HOME, HOUR, MEMBER, ORGANIZATION, OTHER, SECOND, START, STRANGER, Archive, Trail

PLACES = [(ACCOUNT, HOME), (ACCOUNT, OTHER), (MEMBER, HOME)]


@st.composite
def archives(draw: st.DrawFn) -> Case:
    case = Case("chance", "anything")
    case.keys[HOME].append(SECOND.public())
    organization = draw(st.sampled_from(["", ORGANIZATION]))
    trail = Trail(case.bucket, prefix=draw(st.sampled_from(["", "logs"])), organization=organization)
    longest = draw(st.integers(2, 6))
    for account, region in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True)):
        chain = case.chain(trail=trail, account=account, region=region)
        hours = 0
        while hours < longest:
            match draw(st.sampled_from(["hour", "hour", "hour", "quiet", "key", "stop"])):
                case "quiet":
                    chain.hour(logs=0)
                case "key" if region == HOME:
                    chain.hour(key=SECOND)
                case "stop" if 0 < hours < longest - 2:
                    chain.stop(1)
                    hours += 1
                    chain.hour(logs=1)
                case _:
                    chain.hour(logs=draw(st.integers(1, 2)))
            hours += 1
    if draw(st.booleans()):
        case.chain(
            draw(st.integers(1, 3)),
            trail=trail,
            backfill=True,
            account=case.chains[0].account,
            region=case.chains[0].region,
        )
    return case


@st.composite
def damaged(draw: st.DrawFn) -> Case:  # a branch for each change
    """An archive with up to three changes, each of a file that was there in the beginning."""
    case = draw(archives())
    before = Archive(
        {file: replace(found, metadata=dict(found.metadata)) for file, found in case.archive.objects.items()}
    )
    objects = case.archive.objects
    for _ in range(draw(st.integers(0, 3))):
        file = draw(st.sampled_from(sorted(before.objects)))
        if file not in objects:
            continue
        change = draw(st.sampled_from(["delete", "flip", "junk", "swap", "unsign", "forge", "rename"]))
        note(f"{change} {file}")
        is_digest = "CloudTrail-Digest" in file
        match change:
            case "delete":
                del objects[file]
            case "flip":
                body = objects[file].body
                at = draw(st.integers(10, len(body) - 1))
                objects[file].body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            case "junk" if not is_digest:
                objects[file].body += b"junk"
            case "swap":
                other = draw(st.sampled_from(sorted(objects)))
                note(f"  with {other}")
                objects[file], objects[other] = objects[other], objects[file]
            case "unsign" if is_digest:
                objects[file].metadata = {}
            case "forge" if is_digest and objects[file].body == before[file].body:
                case.archive.forge(
                    file, lambda document: document["logFiles"].clear(), draw(st.sampled_from([STRANGER, None]))
                )
            case "rename" if not is_digest:
                objects[file.removesuffix(".json.gz") + "x.json.gz"] = objects.pop(file)
    return case


@st.composite
def looked_at(draw: st.DrawFn) -> Case:
    """A damaged archive, with the whole time or a range that ends with some hour."""
    case = draw(damaged())
    if draw(st.booleans()):
        first = draw(st.integers(0, 6))
        case.since, case.until = START + first * HOUR, START + draw(st.integers(first + 1, 7)) * HOUR
        note(f"from {case.since} to {case.until}")
    return case


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=looked_at())
def test_both_find_the_same_files_valid(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    opinion = slow_verifier.verify(case.archive.objects, case.keys, case.since, case.end)
    folder = tmp_path_factory.mktemp("chance")
    try:
        verdicts = ours.verify(case, folder)
    finally:
        shutil.rmtree(folder)
    note("\n".join(map(str, verdicts.verification.findings.rows())))
    valid = {file for file, words in verdicts.files.items() if words - ours.NOTES == {"valid"}}
    # With a range, ctfast may read one more digest on each side of it, like the AWS CLI.
    part = case.until is not None
    assert {file for file in valid if file in opinion.files or not part} == {
        file for file, word in opinion.files.items() if word == "valid"
    }
    assert missing(verdicts.verification, case) == {
        slow_verifier.hour(file)
        for file, word in opinion.files.items()
        if word == "missing" and slow_verifier.is_digest(file)
    }
    uncovered = verification_uncovered(verdicts.verification)
    expected = {(first, last) for _, first, last in opinion.uncovered if last <= case.end}
    assert {times for _, times in uncovered} >= expected
    # The second verifier does not know chains without any valid digest; that their time is uncovered is correct all the
    # same.
    right = [
        slow_verifier.hour(file)
        for file, word in opinion.files.items()
        if word == "valid" and slow_verifier.is_digest(file)
    ]
    for chain, (first, last) in uncovered:
        known = [end for *of, end in right if (*of[:3],) == chain and first < end <= last]
        assert (first, last) in expected or not known
    if opinion.files:
        assert verdicts.verification.ok == opinion.ok or (part and not verdicts.verification.ok)


def verification_uncovered(
    verification: ct.Verification,
) -> set[tuple[tuple[str, str, str], tuple[datetime, datetime]]]:
    """The uncovered stretches at the beginning of the range, each with its chain."""
    rows = verification.ranges.filter(range="uncovered", reason="uncovered").iter_rows(named=True)
    found = {((row["account"], row["region"], row["trail"]), (row["start"], row["end"])) for row in rows}
    return {(chain, times) for chain, times in found if times[0] == verification.asked["since"]}


def missing(verification: ct.Verification, case: Case) -> set[tuple[str, str, str, bool, datetime]]:
    """The hours of the range whose digest is missing."""
    found = set()
    for row in verification.missing.iter_rows(named=True):
        for hours in range(row["digests"]):
            end = row["end"] - hours * HOUR
            if case.since < end and end - HOUR < case.end:
                found.add((row["account"], row["region"], row["trail"], row["backfill"], end))
    return found
