"""Whole and damaged chains: every missing, moved or changed digest is named."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

import ctfast as ct
from signed import (
    ACCOUNT,
    BUCKET,
    FIRST,
    HOUR,
    REGION,
    Chain,
    missing,
    private_key,
    public_keys,
    reasons,
    rewrite,
    status,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ctfast.sample import Sample


def test_whole_chain(chain: Chain) -> None:
    found = chain.verify()
    assert found.ok
    assert found.digest_counts == (6, 0, 0, 0)
    assert found.log_counts == (12, 0, 0, 0)
    assert set(found.digests["signature"]) == {"file"}
    assert found.coverage["state"].to_list() == ["valid"] * 6
    assert found.coverage["hour"][0] == FIRST.replace(minute=0, second=0)
    assert (found.unlisted.height, found.findings.height) == (0, 0)
    assert "VALID" in found.summary()


def test_sample(sample: Sample) -> None:
    found = ct.verify(sample.archive, keys=sample.keys, signatures=sample.signatures)
    assert found.ok
    assert (found.digest_counts.valid, found.log_counts.valid) == (sample.digests, sample.files)


def test_changed_digest(chain: Chain) -> None:
    rewrite(chain.digests[2], ("hashValue", "hashvalue"))
    assert reasons(chain.verify()) == ["format", "unlisted", "unlisted"]  # what it listed cannot be read
    rewrite(chain.digests[2], ("hashvalue", "hashValue"), ('"newestEventTime": null', '"newestEventTime": ""'))
    found = chain.verify()
    assert reasons(found) == ["previous-hash"]
    assert status(found, chain.digests[2]) == "invalid"
    assert set(found.logs.filter(pl.col("digest") == str(chain.digests[2]))["status"]) == {"unverified"}
    assert found.unlisted.is_empty()


def test_changed_digest_is_found_without_saved_signatures(chain: Chain) -> None:
    rewrite(chain.digests[2], ('"newestEventTime": null', '"newestEventTime": ""'))
    assert "previous-hash" in reasons(chain.verify(signatures=None))


def test_changed_previous_signature_blames_the_digest_that_holds_it(chain: Chain) -> None:
    signature = chain.signatures[f"{BUCKET}/{chain.digests[2].relative_to(chain.root)}"]["signature"]
    rewrite(chain.digests[3], (signature, "00" + signature[2:]))
    found = chain.verify(signatures=None)
    assert status(found, chain.digests[3]) == "invalid"
    assert status(found, chain.digests[2]) == "unverified"


@pytest.mark.parametrize("last", [2, 4])
def test_every_missing_digest_is_named(chain: Chain, last: int) -> None:
    for path in chain.digests[1:last]:
        path.unlink()
    found = chain.verify()
    assert missing(found) == [(last - 1, FIRST + 2 * HOUR, FIRST + last * HOUR)]
    assert found.missing["file"].to_list() == [str(chain.digests[last - 1])]
    assert reasons(found).count("missing-digest") == 1
    # The log files that they listed are unlisted now.
    assert reasons(found).count("unlisted") == 2 * (last - 1)
    assert found.coverage["state"].to_list() == ["valid", *["missing"] * (last - 1), *["valid"] * (6 - last)]


def test_the_oldest_digest_is_missing(chain: Chain) -> None:
    chain.digests[0].unlink()
    assert "missing-digest" in reasons(chain.verify())
    assert chain.verify(since=FIRST + HOUR + timedelta(seconds=1)).ok
    chain.digests[1].unlink()
    found = chain.verify(since=FIRST)
    # The second is named by the third, and both by the saved signatures.
    assert missing(found) == [(1, FIRST + HOUR, FIRST + HOUR), (1, FIRST + 2 * HOUR, FIRST + 2 * HOUR)]


def test_the_newest_digests_are_missing(chain: Chain) -> None:
    for path in chain.digests[3:]:
        path.unlink()
    found = chain.verify()  # there are newer log files
    assert found.digest_counts == (3, 0, 3, 0)
    assert (found.digest_counts.total, found.digests.height) == (3, 3)
    assert "unlisted" in reasons(found)
    for path in chain.logs[6:]:
        path.unlink()
    # The saved signatures name them.
    assert missing(chain.verify()) == [(3, FIRST + 4 * HOUR, FIRST + 6 * HOUR)]
    left = dict(list(chain.signatures.items())[:3])
    assert chain.verify(signatures=left).ok  # only the range shows now that they are missing
    found = chain.verify(signatures=left, until=FIRST + 6 * HOUR)
    assert reasons(found) == ["missing-digest"]
    assert missing(found) == [(3, FIRST + 4 * HOUR, FIRST + 6 * HOUR)]
    assert found.missing["file"].to_list() == [str(chain.digests[5])]


def test_all_digests_are_missing(chain: Chain) -> None:
    shutil.rmtree(chain.root / "AWSLogs" / ACCOUNT / "CloudTrail-Digest")
    found = chain.verify()
    assert (found.ok, found.checked) == (False, True)
    assert reasons(found) == ["missing-digest", "no-digests"]
    assert reasons(chain.verify(signatures=None)) == ["no-digests"]
    assert found.unlisted.height == 12


def test_an_empty_archive_is_not_a_success(tmp_path: Path) -> None:
    found = ct.verify(tmp_path, keys=public_keys(private_key()))
    assert (found.ok, found.checked, found.findings.height) == (False, False, 0)
    assert "NOTHING CHECKED" in found.summary()


def test_an_account_that_was_asked_for(chain: Chain) -> None:
    assert chain.verify(accounts=ACCOUNT, regions=[REGION], trails="t").ok
    for wanted in ({"accounts": "999988887777"}, {"regions": "us-east-1"}, {"trails": ["t", "u"]}):
        found = chain.verify(**wanted)
        assert "no-digests" in reasons(found), wanted


def test_gap(chain: Chain) -> None:
    chain.previous = None
    chain.end += 3 * HOUR
    chain.hour()
    found = chain.verify()
    assert found.ok
    assert reasons(found, "note") == ["gap"]
    assert found.coverage["state"].to_list() == ["valid"] * 6 + ["gap"] * 3 + ["valid"]


def test_discontinuity(chain: Chain) -> None:
    chain.end += timedelta(minutes=1)
    chain.hour()
    found = chain.verify()
    assert reasons(found) == ["discontinuity"]
    assert status(found, chain.digests[6]) == "valid"


def test_fork(chain: Chain) -> None:
    before = chain.previous
    chain.hour()
    chain.previous = before
    chain.hour()
    found = chain.verify()
    assert reasons(found) == ["fork"]
    assert found.digest_counts == (8, 0, 0, 0)


def test_moved_digest(chain: Chain) -> None:
    moved = chain.digests[2].with_name(chain.digests[2].name.replace("_t_", "_u_"))
    chain.digests[2].rename(moved)
    found = chain.verify()
    assert {"moved", "missing-digest"} <= set(reasons(found))
    assert status(found, moved) == "invalid"


def test_copy_of_a_digest_elsewhere(chain: Chain) -> None:
    copy = chain.root / "copy" / chain.digests[2].name
    copy.parent.mkdir()
    shutil.copy(chain.digests[2], copy)
    assert reasons(chain.verify()) == ["stray"]


def test_backfill(chain: Chain) -> None:
    late = Chain(chain.root, suffix="_backfill", end=FIRST + HOUR)
    log = late.log(FIRST + HOUR, number=9)
    late.hour([log])
    for saved in late.signatures.values():
        saved["backfill-generation-timestamp"] = "2024-02-29T12:00:00.000Z"
    found = chain.verify(signatures=chain.signatures | late.signatures)
    assert found.ok
    assert (found.digest_counts.valid, found.backfill_counts.valid) == (6, 1)
    for saved in late.signatures.values():
        del saved["backfill-generation-timestamp"]
    assert reasons(chain.verify(signatures=chain.signatures | late.signatures)) == ["format"]


def test_two_trails_and_two_accounts(chain: Chain) -> None:
    other = Chain(chain.root, trail="a_b", end=FIRST + timedelta(minutes=11))
    org = Chain(chain.root, account="999988887777", region="us-gov-west-1")
    for more in (other, org):
        more.hour()
        more.hour()
    signatures = chain.signatures | other.signatures | org.signatures
    found = chain.verify(signatures=signatures)
    assert found.ok
    assert found.digest_counts.valid == 10
    assert chain.verify(signatures=signatures, trails="a_b", accounts=ACCOUNT).digest_counts.valid == 2


def test_the_chain_goes_on_in_another_bucket(chain: Chain, tmp_path: Path) -> None:
    new = Chain(tmp_path / "new", bucket="new-bucket", end=chain.end, previous=chain.previous)
    new.hour()
    signatures = chain.signatures | new.signatures
    found = ct.verify(new.root, keys=public_keys(private_key()), signatures=signatures)
    assert reasons(found) == ["missing-digest"]
    found = ct.verify(new.root, keys=public_keys(private_key()), signatures=signatures, map={BUCKET: chain.root})
    assert found.ok
    assert found.digest_counts.valid == 7
    both = tmp_path / "both"
    shutil.copytree(chain.root, both / BUCKET)
    shutil.copytree(new.root, both / "new-bucket")
    found = ct.verify(both, keys=public_keys(private_key()), signatures=signatures)
    assert reasons(found) == []


def test_a_source_within_the_tree(chain: Chain) -> None:
    region = chain.digests[0].parents[3]
    assert ct.verify(chain.root / "AWSLogs", keys=public_keys(private_key()), signatures=chain.signatures).ok
    found = ct.verify(region, keys=public_keys(private_key()), signatures=chain.signatures)
    assert set(found.logs["status"]) == {"missing"}  # they are elsewhere


def test_moved_archives(tmp_path: Path) -> None:
    made = Chain(tmp_path / "x", prefix="sec/ct/")
    made.hour()
    assert made.verify().ok
    assert made.verify(source=tmp_path / "x" / "sec").ok
    shutil.move(tmp_path / "x" / "sec" / "ct", tmp_path / "y")
    assert set(reasons(made.verify(source=tmp_path / "y"))) >= {"moved"}
    assert made.verify(source=tmp_path / "y", relocated_from=f"s3://{BUCKET}/sec/ct/").ok
    for wrong in ("s3://other/sec/ct", f"{BUCKET}/sec", BUCKET):
        assert "moved" in reasons(made.verify(source=tmp_path / "y", relocated_from=wrong)), wrong
