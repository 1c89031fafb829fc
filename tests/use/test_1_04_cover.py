"""1 of 9, item 4: a verdict names what was requested, found and uncovered, and is not VALID without coverage."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast import cli
from signed import ACCOUNT, FIRST, HOUR, REGION, Chain, private_key, public_keys, reasons

MINUTE = HOUR / 60


def call(chain: Chain, name: str, when: Any, **fields: Any) -> dict[str, Any]:
    """A log file with an API call to CloudTrail about the trail of the chain, as its digest lists it."""
    record = {
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "recipientAccountId": chain.account,
        "requestParameters": {"name": chain.trail, "enableLogFileValidation": True},
        **fields,
    }
    return chain.log(when, json.dumps({"Records": [record]}).encode(), number=7)


def remove(chain: Chain, hours: range, *, logs: bool = True) -> None:
    for hour in hours:
        for path in [chain.digests[hour], *(chain.logs[2 * hour : 2 * hour + 2] if logs else [])]:
            path.unlink()


def run(chain: Chain, tmp_path: Path, *arguments: str, signatures: dict[str, Any] | None = None) -> tuple[int, str]:
    (tmp_path / "keys.json").write_text(json.dumps(public_keys(private_key())))
    (tmp_path / "signatures.json").write_text(json.dumps(chain.signatures if signatures is None else signatures))
    files = ["--keys", str(tmp_path / "keys.json"), "--signatures", str(tmp_path / "signatures.json")]
    result = CliRunner().invoke(cli.main, ["verify", str(chain.root), *files, *arguments], catch_exceptions=False)
    return result.exit_code, result.stdout


def stretches(found: ct.Verification, what: str) -> list[tuple[Any, ...]]:
    return found.ranges.filter(range=what).select("start", "end", "reason").rows()


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    made = Chain(tmp_path / "archive")
    for _ in range(6):
        made.hour()
    return made


def test_a_range_that_begins_a_year_before_the_data(chain: Chain, tmp_path: Path) -> None:
    since = FIRST - timedelta(days=364)
    code, out = run(chain, tmp_path, "--since", since.isoformat())
    assert code == 1
    assert "NOT VALID" in out
    found = chain.verify(since=since)
    assert (found.ok, found.checked, reasons(found)) == (False, True, ["uncovered"])
    assert stretches(found, "asked") == [(since, None, None)]
    assert stretches(found, "found") == [(FIRST, FIRST + 6 * HOUR, None)]
    assert stretches(found, "uncovered") == [(since, FIRST, "uncovered")]
    # In text, page and JSON.
    for text in (out, found.summary()):
        assert f"uncovered  {since:%Y-%m-%d %H:%M:%S} to {FIRST:%Y-%m-%d %H:%M:%S}" in text
        assert f"found      {FIRST:%Y-%m-%d %H:%M:%S} to {FIRST + 6 * HOUR:%Y-%m-%d %H:%M:%S}" in text
        assert f"asked for  {since:%Y-%m-%d %H:%M:%S} to the newest digests" in text
    for text in (f"{since:%Y-%m-%d %H:%M:%S} to {FIRST:%Y-%m-%d %H:%M:%S}", "uncovered", "Not valid"):
        assert text in found.html()
    code, out = run(chain, tmp_path, "--since", since.isoformat(), "--format", "json")
    told = json.loads(out)
    assert (code, told["ok"], told["asked"]["since"][:10]) == (1, False, f"{since:%Y-%m-%d}")
    assert [row["range"] for row in told["ranges"]] == ["asked", "found", "uncovered"]


def test_without_a_range_the_verdict_says_from_when_to_when_it_speaks(chain: Chain, tmp_path: Path) -> None:
    code, out = run(chain, tmp_path)
    assert code == 0
    assert f"VALID from {FIRST:%Y-%m-%d %H:%M:%S} to {FIRST + 6 * HOUR:%Y-%m-%d %H:%M:%S}" in out
    assert "complete" not in out
    html = chain.verify().html()
    assert f"From {FIRST:%Y-%m-%d %H:%M:%S} to {FIRST + 6 * HOUR:%Y-%m-%d %H:%M:%S} UTC" in html


def test_the_page_names_the_keys(chain: Chain) -> None:
    found = chain.verify()
    assert found.keys["digests"].to_list() == [6]
    assert found.keys["fingerprint"][0] in found.html()


@pytest.mark.parametrize("logs", [True, False])
def test_the_beginning_before_a_stop_removed_but_named_by_saved_signatures(tmp_path: Path, *, logs: bool) -> None:
    chain = Chain(tmp_path / "archive")
    for _ in range(48):
        chain.hour()
    chain.previous, chain.end = None, chain.end + 2 * HOUR
    for _ in range(3):
        chain.hour()
    remove(chain, range(48), logs=logs)
    found = chain.verify()
    assert not found.ok
    missing = found.findings.filter(reason="missing-digest")
    assert missing["message"].to_list() == [
        (
            f"48 digests are not there, those that would end from {FIRST + HOUR:%Y-%m-%dT%H:%M:%SZ} to "
            f"{FIRST + 48 * HOUR:%Y-%m-%dT%H:%M:%SZ}: the saved signatures name them"
        )
    ]
    assert found.missing.select("start", "end", "digests").rows() == [(FIRST, FIRST + 48 * HOUR, 48)]
    assert stretches(found, "uncovered")[0] == (FIRST, FIRST + 48 * HOUR, "missing-digest")
    assert run(chain, tmp_path)[0] == 1
    if not logs:
        assert set(found.unlisted["missing_digest"]) == {str(path) for path in chain.digests[:48]}
        assert set(found.findings.filter(reason="unlisted")["message"]) == {
            "no digest lists it: the digest of its hour is not there"
        }


@pytest.mark.parametrize("hours", [range(2), range(3, 5), range(8, 10)])
def test_signatures_without_their_digests(tmp_path: Path, hours: range) -> None:
    """At the beginning, in the middle before a stop, and at the end."""
    chain = Chain(tmp_path / "archive")
    for hour in range(10):
        if hour in (2, 5):
            chain.previous, chain.end = None, chain.end + HOUR / 2
        chain.hour()
    assert chain.verify().ok
    remove(chain, hours)
    found = chain.verify()
    assert reasons(found) == ["missing-digest"]
    assert found.missing["digests"].to_list() == [2]
    assert found.missing["file"].to_list() == [str(chain.digests[hours.stop - 1])]
    assert stretches(found, "uncovered")[0][2] in ("missing-digest", "gap")
    # If the signatures are removed as well, the verdict cannot cover these hours.
    names = {path.name for path in chain.digests[hours.start : hours.stop]}
    left = {name: saved for name, saved in chain.signatures.items() if name.rpartition("/")[2] not in names}
    assert chain.verify(signatures=left).ok
    assert chain.verify(signatures=left, since=FIRST, until=chain.end).ok == (hours.start == 3)


def test_signatures_of_what_was_not_asked_for_are_not_expected(chain: Chain, tmp_path: Path) -> None:
    other = Chain(tmp_path / "elsewhere", region="us-east-1", trail="other")
    another = Chain(tmp_path / "elsewhere", account="999988887777")
    for _ in range(3):
        other.hour()
        another.hour()
    signatures = {**chain.signatures, **other.signatures, **another.signatures}
    assert chain.verify(signatures=signatures).digest_counts.missing == 6
    assert chain.verify(signatures=signatures, accounts=ACCOUNT, regions=REGION).ok
    assert chain.verify(signatures=signatures, accounts=ACCOUNT, trails="t").ok
    later = {"since": FIRST + 4 * HOUR, "until": FIRST + 6 * HOUR}
    assert chain.verify(signatures=signatures, **later).ok
    # A source within the tree limits what is read.
    assert chain.verify(signatures=signatures, source=chain.root / "AWSLogs" / ACCOUNT, regions=REGION).ok


@pytest.mark.parametrize(
    ("calls", "ok"),
    [
        ([], False),
        (["CreateTrail"], True),
        (["CreateTrail", "StartLogging"], True),
        # StartLogging also follows a stop.
        (["StartLogging"], False),
    ],
)
def test_a_trail_that_begins_in_the_range(tmp_path: Path, calls: list[str], *, ok: bool) -> None:
    chain = Chain(tmp_path / "archive")
    chain.hour([call(chain, name, FIRST + MINUTE * (1 + number)) for number, name in enumerate(calls)])
    since = FIRST - timedelta(days=30)
    found = chain.verify(since=since)
    assert found.ok == ok
    assert stretches(found, "uncovered") == [(since, FIRST, "uncovered")]
    assert reasons(found, "note" if ok else "error") == ["uncovered"]
    assert ("CreateTrail" in found.findings["message"][0]) == ok
    assert run(chain, tmp_path, "--since", since.isoformat())[0] == (0 if ok else 1)
    assert chain.verify().ok
    # Verifying while reading gives the same result.
    verifier = ct.Verifier(keys=public_keys(private_key()), signatures=chain.signatures, since=since)
    ct.read(chain.root, verify=verifier, on_error="collect")
    assert verifier.verification.ok == ok


@pytest.mark.parametrize(
    "change", [{"errorCode": "AccessDenied"}, {"awsRegion": "us-east-1"}, {"recipientAccountId": "999988887777"}]
)
def test_calls_that_tell_nothing_of_this_trail(tmp_path: Path, change: dict[str, str]) -> None:
    chain = Chain(tmp_path / "archive")
    chain.hour([call(chain, "CreateTrail", FIRST + MINUTE, **change)])
    assert not chain.verify(since=FIRST - HOUR).ok


def test_a_call_in_a_file_that_no_digest_lists_tells_nothing(chain: Chain) -> None:
    call(chain, "CreateTrail", FIRST + MINUTE)
    assert sorted(set(reasons(chain.verify(since=FIRST - HOUR)))) == ["uncovered", "unlisted"]


def test_a_trail_that_was_made_long_before_its_digests_begin(tmp_path: Path) -> None:
    chain, other = Chain(tmp_path / "archive", end=FIRST + 48 * HOUR), Chain(tmp_path / "archive", trail="other")
    other.hour([call(chain, "CreateTrail", FIRST + MINUTE)])
    for _ in range(50):
        other.hour([])
    chain.hour()
    chain.hour()
    signatures = {**chain.signatures, **other.signatures}
    found = chain.verify(signatures=signatures)
    assert reasons(found) == ["uncovered"]
    assert stretches(found, "uncovered") == [(FIRST + MINUTE, FIRST + 48 * HOUR, "uncovered")]


def test_a_region_that_begins_later_than_its_siblings(chain: Chain) -> None:
    other = Chain(chain.root, region="us-east-1", end=FIRST + 4 * HOUR)
    other.hour()
    found = chain.verify(signatures={**chain.signatures, **other.signatures})
    assert found.ok
    assert reasons(found, "note") == ["uncovered"]
    assert stretches(found, "uncovered") == [(FIRST, FIRST + 4 * HOUR, "uncovered")]
    assert "but for 1 uncovered stretch" in found.summary()


def test_the_end_of_the_range(chain: Chain, tmp_path: Path) -> None:
    end = FIRST + 6 * HOUR
    assert chain.verify(until=end).ok
    # Less than an hour at an end of the range is only mentioned.
    for found in (chain.verify(until=end + HOUR / 2), chain.verify(since=FIRST - HOUR / 2)):
        assert found.ok
        assert reasons(found, "note") == ["uncovered"]
        assert "but for 1 uncovered stretch" in found.summary()
    assert reasons(chain.verify(since=FIRST - HOUR)) == ["uncovered"]
    found = chain.verify(until=end + timedelta(days=400))
    assert reasons(found) == ["missing-digest"]
    assert found.missing["digests"].to_list() == [9600]
    assert run(chain, tmp_path, "--until", "2999-01-01")[0] == 1
    assert stretches(chain.verify(until="2999-01-01"), "uncovered")[-1][1].year == 2999


def test_a_dead_chain_is_one_finding_and_no_file(chain: Chain) -> None:
    found = chain.verify(until=FIRST + 20_000 * HOUR)
    assert found.findings.height == 1
    assert found.findings["message"][0].startswith("19994 digests are not there")
    assert (found.digest_counts.total, found.digests.height, found.digest_counts.missing) == (6, 6, 19_994)
    assert "digests                  6: 6 valid; 19,994 missing" in found.summary()
    since = FIRST + timedelta(days=100)
    gone = chain.verify(since=since, until=since + timedelta(days=100))
    assert (gone.checked, gone.digest_counts.total, gone.findings.height) == (True, 0, 1)


def test_removed_up_to_the_end_of_the_range(chain: Chain) -> None:
    # What follows the range names what was removed.
    remove(chain, range(3))
    found = chain.verify(signatures=dict(list(chain.signatures.items())[3:]), since=FIRST, until=FIRST + HOUR)
    assert reasons(found) != []
    assert not found.ok


def test_like_aws_ends_with_the_same_exit_code(chain: Chain, tmp_path: Path) -> None:
    for arguments in (["--since", "2023-01-01"], ["--until", "2025-01-01"], []):
        code, _ = run(chain, tmp_path, *arguments)
        assert run(chain, tmp_path, "--like-aws", *arguments)[0] == code
