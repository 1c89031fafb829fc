"""Archives with chains of signed digests, made on disk, and what is asked of a verification in these tests."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import ctfast as ct

if TYPE_CHECKING:
    from pathlib import Path


BUCKET = "trail-bucket"
ACCOUNT = "111122223333"
REGION = "eu-west-1"
FIRST = datetime(2024, 2, 28, 21, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)


def private_key(name: str = "a") -> rsa.RSAPrivateKey:
    return _private_key(name)


@cache
def _private_key(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def der(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    return hashlib.md5(der(key)).hexdigest()


def public_keys(*keys: rsa.RSAPrivateKey, **fields: Any) -> dict[str, Any]:
    return {"PublicKeyList": [{"Value": base64.b64encode(der(key)).decode(), **fields} for key in keys]}


def iso(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Chain:
    """A chain in the making; `hour` adds a digest and two log files."""

    root: Path
    trail: str = "t"
    region: str = REGION
    account: str = ACCOUNT
    bucket: str = BUCKET
    prefix: str = ""
    suffix: str = ""
    end: datetime = FIRST
    previous: dict[str, Any] | None = None
    signatures: dict[str, Any] = field(default_factory=dict)
    digests: list[Path] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)

    def log(self, time: datetime, body: bytes = b'{"Records":[]}', number: int = 0) -> dict[str, Any]:
        name = f"{self.account}_CloudTrail_{self.region}_{time:%Y%m%dT%H%MZ}_{self.trail}{number:015d}.json.gz"
        key = f"{self.prefix}AWSLogs/{self.account}/CloudTrail/{self.region}/{time:%Y/%m/%d}/{name}"
        self.put(key, body)
        self.logs.append(self.root / key)
        return {
            "s3Bucket": self.bucket,
            "s3Object": key,
            "hashValue": hashlib.sha256(body).hexdigest(),
            "hashAlgorithm": "SHA-256",
        }

    def put(self, key: str, body: bytes) -> Path:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(body, mtime=0))
        return path

    def hour(self, logs: list[dict[str, Any]] | None = None, *, key: str = "a", algorithm: Any = None, **fields: Any) -> Path:
        start, self.end = self.end, self.end + HOUR
        if logs is None:
            minutes = (start + timedelta(minutes=minute) for minute in (10, 40))
            logs = [self.log(time, f'{{"Records":[{{"eventID":"{time}"}}]}}'.encode()) for time in minutes]
        name = (
            f"{self.account}_CloudTrail-Digest_{self.region}_{self.trail}_{REGION}_{self.end:%Y%m%dT%H%M%SZ}{self.suffix}.json.gz"
        )
        path = f"{self.prefix}AWSLogs/{self.account}/CloudTrail-Digest/{self.region}/{self.end:%Y/%m/%d}/{name}"
        content = {
            "awsAccountId": self.account,
            "digestStartTime": iso(start),
            "digestEndTime": iso(self.end),
            "digestS3Bucket": self.bucket,
            "digestS3Object": path,
            "digestPublicKeyFingerprint": fingerprint(private_key(key)),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": None,
            "oldestEventTime": None,
            **(self.previous or dict.fromkeys(f"previousDigest{name}" for name in PREVIOUS)),
            "logFiles": logs,
            **fields,
        }
        body = json.dumps(content).encode()
        signature = self.sign(content, body, key, algorithm)
        self.signatures[f"{self.bucket}/{path}"] = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        values = (self.bucket, path, hashlib.sha256(body).hexdigest(), "SHA-256", signature)
        self.previous = {f"previousDigest{name}": value for name, value in zip(PREVIOUS, values, strict=True)}
        self.digests.append(self.put(path, body))
        return self.digests[-1]

    def sign(self, content: dict[str, Any], body: bytes, key: str, algorithm: Any) -> str:
        place = f"{content['digestS3Bucket']}/{content['digestS3Object']}"
        parts = content["digestEndTime"], place, hashlib.sha256(body).hexdigest(), content["previousDigestSignature"] or "null"
        return private_key(key).sign("\n".join(parts).encode(), padding.PKCS1v15(), algorithm or SHA256()).hex()

    def verify(self, **options: Any) -> ct.Verification:
        options = {"keys": public_keys(private_key()), "signatures": self.signatures, **options}
        return ct.verify(options.pop("source", self.root), **options)


PREVIOUS = ("S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature")


def reasons(found: ct.Verification, severity: str = "error") -> list[str]:
    return sorted(found.findings.filter(pl.col("severity") == severity)["reason"])


def missing(found: ct.Verification) -> list[tuple[int, datetime, datetime]]:
    """How many digests are missing in each range, and when the first and the last of them would end."""
    rows = found.missing.select("digests", pl.col("start") + HOUR, "end").rows()
    assert all((last - first) // HOUR + 1 == digests for digests, first, last in rows)
    return rows


def status(found: ct.Verification, path: Path) -> str:
    files = pl.concat([found.digests["file", "status"], found.logs["file", "status"]])
    return str(files.filter(pl.col("file") == str(path)).get_column("status").item())


def rewrite(path: Path, *changes: tuple[str, str]) -> None:
    """Change a file's text, and keep it gzip."""
    text = gzip.decompress(path.read_bytes()).decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
