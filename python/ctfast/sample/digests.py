"""Digest files: the log files delivered in an hour, chained and signed, with one chain per account-region."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ctfast.sample.cast import BUCKET, GLOBAL, HOME, TRAILS
from ctfast.sample.dice import Dice
from ctfast.sample.records import timestamp
from ctfast.sample.story import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Throw-away keys, made for this sample only: they protect nothing and must never sign anything else. They are fixed,
# and in the source, because RSA PKCS#1 v1.5 is deterministic: with a fixed key the whole archive, signatures included,
# is the same on every run and every machine. CloudTrail has a key pair per region, and so has the sample.
THROW_AWAY_PRIMES: Mapping[str, tuple[str, str]] = {
    HOME: (
        """
        fa69ce740afd0786afdf38aaeb12d453f3775123874a66159573e3c8487e1670
        436e7cf96707373e535e5fc808500a4cc6f03b423b116ea7820a163c8bbba097
        efa87e41906453d080ccac92d6e9ec7d6b178e2adbd2970c5d08078801276988
        7b19f317116f1617b0e9f05ce83e1447ed661d3c473b806043b9eba3ee901b09
        """,
        """
        bac2b67b5f8dd5f227f24fddd4840899cb92f24137c20574c3e3ef9f6c60c042
        5bd31b2bff9ea59a5afecf808e1ef1f0595def048462668cec0a7e2e2065faf2
        eca8171021cf6c9bc5888020f1346c8e81add7fa2e7fa60e108bd5f140faae51
        61dd922f477415ba4b91b8fdabaea3e178a4dade945a6ab22119bf5a8127fb61
        """,
    ),
    GLOBAL: (
        """
        fa2ac79fe7fba988075a02581c6c303d0996b88f869fe9b1676a6387372052a4
        804beb9d30122ae6b94342f2f616e99ae42772f27fedd9efa1ab0572bde95aa2
        ec3074f3300043ea128b9eef72410a64dfc06fbbab68c7bdef769c48f2d1f1ff
        968a8d9347e8fcf30a599058a676553219dce70fd782743af59d5a42483f3347
        """,
        """
        ecb097b5908bcd8a56602c1a17df6ba191bb1d2a3223a25fcf0dfbf2ba45be97
        fe79c3c78711e54a3ffe44e3f819397b90f88e62323634d3a70fddb5b41aa1dd
        26ff1dfed930b3a8eaf75e28f86ea57ca8db3d8c3b254122323ca83213099794
        f895725c88f551bf84a4452e7f1cbaa88d5f36daafe17aa33e5ae36886cbed93
        """,
    ),
}

EXPONENT = 65537
HOURS = 25
"""Digests per chain: the day, and the hour in which its last log files are delivered."""

ALGORITHM = "SHA256withRSA"


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file as a digest lists it."""

    account: str
    region: str
    key: str
    body: bytes
    """The bytes before compression, which the digest hashes."""
    delivered: datetime
    oldest: datetime
    newest: datetime
    records: int


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest file and the signature that S3 keeps as metadata of the object."""

    key: str
    body: bytes
    signature: str


def chain(account: str, region: str, logs: Iterable[LogFile], seed: int) -> Iterator[Digest]:
    """Return the digests of one account and region, oldest first.

    A digest lists what was delivered in its hour, not what happened in it. Whether CloudTrail lists the files of
    Insights and network activity as well is not documented; here it does, so that every log file is vouched for.
    """
    trail, home = TRAILS[account]
    logs = sorted(logs, key=lambda log: log.key)
    start = DAY + timedelta(minutes=7, seconds=Dice(seed, "digest", account, region).below(60))
    previous: Digest | None = None
    for _ in range(HOURS):
        end = start + timedelta(hours=1)
        name = f"{account}_CloudTrail-Digest_{region}_{trail}_{home}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        key = f"AWSLogs/{account}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/{name}"
        listed = [log for log in logs if start <= log.delivered < end]
        content = {
            "awsAccountId": account,
            "digestStartTime": timestamp(start),
            "digestEndTime": timestamp(end),
            "digestS3Bucket": BUCKET,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": fingerprint(region),
            "digestSignatureAlgorithm": ALGORITHM,
            "newestEventTime": timestamp(max(log.newest for log in listed)) if listed else None,
            "oldestEventTime": timestamp(min(log.oldest for log in listed)) if listed else None,
            "previousDigestS3Bucket": BUCKET if previous else None,
            "previousDigestS3Object": previous.key if previous else None,
            "previousDigestHashValue": sha256(previous.body) if previous else None,
            "previousDigestHashAlgorithm": "SHA-256" if previous else None,
            "previousDigestSignature": previous.signature if previous else None,
            "logFiles": [
                {
                    "s3Bucket": BUCKET,
                    "s3Object": log.key,
                    "hashValue": sha256(log.body),
                    "hashAlgorithm": "SHA-256",
                    "newestEventTime": timestamp(log.newest),
                    "oldestEventTime": timestamp(log.oldest),
                }
                for log in listed
            ],
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        before = previous.signature if previous else None
        signed = string_to_sign(timestamp(end), f"{BUCKET}/{key}", body, before)
        signature = _private_key(region).sign(signed, padding.PKCS1v15(), SHA256())
        previous = Digest(key, body, signature.hex())
        yield previous
        start = end


def string_to_sign(end: str, path: str, body: bytes, previous: str | None) -> bytes:
    """Return the text that the signature of a digest covers.

    Parameters
    ----------
    end
        The digest's `digestEndTime`.
    path
        Its bucket and key, joined by a slash.
    body
        Its bytes before compression.
    previous
        The signature of the digest before it; `None` for a starting digest.
    """
    return "\n".join((end, path, sha256(body), previous or "null")).encode()


def sha256(body: bytes) -> str:
    """Return the SHA-256 of some bytes in lower-case hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def public_keys() -> dict[str, list[dict[str, str]]]:
    """Return the keys of all regions in the format of `aws cloudtrail list-public-keys`."""
    first = DAY - timedelta(days=9)
    return {
        "PublicKeyList": [
            {
                "Value": base64.b64encode(_public_der(region)).decode(),
                "ValidityStartTime": first.isoformat(),
                "ValidityEndTime": (first + timedelta(days=30)).isoformat(),
                "Fingerprint": fingerprint(region),
            }
            for region in THROW_AWAY_PRIMES
        ],
    }


@cache
def fingerprint(region: str) -> str:
    """Return the fingerprint of a region's key: the MD5 of its DER bytes."""
    return hashlib.md5(_public_der(region), usedforsecurity=False).hexdigest()


def _public_der(region: str) -> bytes:
    return _private_key(region).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


@cache
def _private_key(region: str) -> rsa.RSAPrivateKey:
    p, q = (int("".join(prime.split()), 16) for prime in THROW_AWAY_PRIMES[region])
    d = pow(EXPONENT, -1, math.lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(EXPONENT, p * q),
    )
    return numbers.private_key()
