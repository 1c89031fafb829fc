"""Log files that digests list, and log files that no digest lists."""

from __future__ import annotations

import gzip
import hashlib
from datetime import timedelta

import polars as pl
import pytest
from cryptography.hazmat.primitives.hashes import SHA1

from signed import ACCOUNT, BUCKET, FIRST, HOUR, REGION, Chain, reasons, rewrite, status


def test_changed_log(chain: Chain) -> None:
    rewrite(chain.logs[3], ("Records", "records"))
    found = chain.verify()
    assert reasons(found) == ["hash"]
    assert status(found, chain.logs[3]) == "invalid"
    assert found.coverage["state"].to_list() == ["valid", "invalid", *["valid"] * 4]


def test_missing_log(chain: Chain) -> None:
    chain.logs[3].unlink()
    found = chain.verify()
    assert reasons(found) == ["missing-log"]
    assert status(found, chain.logs[3]) == "missing"


def test_truncated_log(chain: Chain) -> None:
    chain.logs[3].write_bytes(chain.logs[3].read_bytes()[:-9])
    assert reasons(chain.verify()) == ["format"]


def test_uncompressed_log(chain: Chain) -> None:
    chain.logs[3].write_bytes(gzip.decompress(chain.logs[3].read_bytes()))
    assert reasons(chain.verify()) == ["format"]


@pytest.mark.parametrize(("junk", "reason"), [(b"junk", "trailing-bytes"), (gzip.compress(b""), "members")])
def test_bytes_after_the_first_member(chain: Chain, junk: bytes, reason: str) -> None:
    for path in (chain.logs[3], chain.digests[2]):
        path.write_bytes(path.read_bytes() + junk)
    found = chain.verify()
    assert reasons(found) == [reason, reason]
    assert status(found, chain.logs[3]) == status(found, chain.digests[2]) == "invalid"


def test_swapped_logs(chain: Chain) -> None:
    one, other = (path.read_bytes() for path in chain.logs[3:5])
    chain.logs[3].write_bytes(other)
    chain.logs[4].write_bytes(one)
    assert reasons(chain.verify()) == ["hash", "hash"]


def test_injected_log(chain: Chain) -> None:
    path = chain.log(FIRST + 2 * HOUR, number=7)["s3Object"]
    found = chain.verify()
    assert reasons(found) == ["unlisted"]
    assert found.unlisted["file"].to_list() == [str(chain.root / path)]
    assert not found.ok


def test_log_of_the_future_is_noted_but_tolerated(chain: Chain) -> None:
    chain.log(chain.end + timedelta(minutes=20), number=7)
    found = chain.verify()
    assert found.ok
    assert reasons(found, "note") == ["pending"]
    assert found.unlisted["severity"].to_list() == ["note"]


def test_kind_that_no_digest_lists(chain: Chain) -> None:
    name = chain.logs[0].name.replace("CloudTrail", "CloudTrail-Insight")
    path = chain.root / f"AWSLogs/{ACCOUNT}/CloudTrail-Insight/{REGION}/2024/02/28" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(chain.logs[0].read_bytes())
    found = chain.verify()
    assert found.ok
    assert reasons(found, "note") == ["unlisted"]


def test_other_hash_algorithms(chain: Chain) -> None:
    chain.hour(algorithm=SHA1())
    assert reasons(chain.verify()) == ["signature"]
    chain.hour(digestSignatureAlgorithm="SHA1withRSA")
    assert "signature-algorithm" in reasons(chain.verify())
    log = chain.log(chain.end)
    chain.hour([{**log, "hashAlgorithm": "SHA-1"}])
    assert "hash-algorithm" in reasons(chain.verify())
    chain.hour([], previousDigestHashAlgorithm="MD5")
    assert reasons(chain.verify()).count("hash-algorithm") == 2


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "AWSLogs/../../secret.json.gz", "a//b", "./x", "..\\x"]
)
def test_names_that_lead_out_of_the_archive_are_not_read(chain: Chain, name: str) -> None:
    secret = chain.root.parent / "secret.json.gz"
    body = b"secret"
    secret.write_bytes(gzip.compress(body))
    log = {
        "s3Bucket": BUCKET,
        "s3Object": name,
        "hashValue": hashlib.sha256(body).hexdigest(),
        "hashAlgorithm": "SHA-256",
    }
    chain.hour([log])
    found = chain.verify()
    assert reasons(found) == ["unsafe-name"]
    assert found.logs.filter(pl.col("reason") == "unsafe-name")["bytes"].to_list() == [None]


def test_listed_twice(chain: Chain) -> None:
    log = chain.log(chain.end)
    chain.hour([log, log])
    found = chain.verify()
    assert found.ok  # as with the AWS CLI, but with a note
    assert reasons(found, "note") == ["listed-twice"]
    assert found.log_counts.valid == 14


def test_foreign_log(chain: Chain) -> None:
    log = Chain(chain.root, account="999988887777").log(chain.end)
    chain.hour([log])
    assert reasons(chain.verify(accounts=ACCOUNT), "note") == ["foreign-log"]
