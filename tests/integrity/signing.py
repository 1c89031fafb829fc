"""The content of a digest file and the text that its signature covers, by the published format: the only signer of the
tests and benches.

It imports nothing of ctfast, which has its own signer, for the sample, in ``ctfast/sample/digests.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Document = dict[str, Any]


def iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _prime(label: str) -> int:
    """A 1024-bit prime that depends on the label alone, so that no key is stored and every run signs alike."""
    small = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
    seed = b"".join(hashlib.sha512(f"{label} {i}".encode()).digest() for i in range(2))
    number = int.from_bytes(seed) | 3 << 1022 | 1
    while any(number % n == 0 for n in small) or number % 65537 == 1 or pow(2, number - 1, number) != 1:
        number += 2
    return number


@cache
def private_key(label: str = "a") -> rsa.RSAPrivateKey:
    """A key pair for tests only: anyone can compute it."""
    p, q = _prime(f"ctfast test key {label} p"), _prime(f"ctfast test key {label} q")
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def der(key: rsa.RSAPrivateKey) -> bytes:
    """The public key as CloudTrail publishes it."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    return hashlib.md5(der(key), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Last:
    bucket: str
    key: str
    hash: str
    signature: str


def digest(
    account: str,
    span: tuple[datetime, datetime],
    at: tuple[str, str],
    signer: str,
    logs: Sequence[Document],
    last: Last | None,
    *,
    events: tuple[str, str] | None = None,
) -> Document:
    """The content of a digest that is written to a bucket under a key.

    ``signer`` is a fingerprint; ``events`` are the times of the oldest event and of the newest.
    """
    (start, end), (bucket, key) = span, at
    oldest, newest = events or (None, None)
    return {
        "awsAccountId": account,
        "digestStartTime": iso(start),
        "digestEndTime": iso(end),
        "digestS3Bucket": bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": signer,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": newest,
        "oldestEventTime": oldest,
        "previousDigestS3Bucket": last.bucket if last else None,
        "previousDigestS3Object": last.key if last else None,
        "previousDigestHashValue": last.hash if last else None,
        "previousDigestHashAlgorithm": "SHA-256" if last else None,
        "previousDigestSignature": last.signature if last else None,
        "logFiles": logs,
    }


def string_to_sign(document: Document, body: bytes) -> bytes:
    place = f"{document['digestS3Bucket']}/{document['digestS3Object']}"
    previous = document["previousDigestSignature"]
    return "\n".join(
        [document["digestEndTime"], place, sha256(body), "null" if previous is None else previous]
    ).encode()


def sign(key: rsa.RSAPrivateKey, text: bytes, algorithm: hashes.HashAlgorithm | None = None) -> str:
    return key.sign(text, padding.PKCS1v15(), algorithm or hashes.SHA256()).hex()
