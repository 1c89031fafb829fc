"""Archives with chains of signed digests, made on disk, and how these tests look at a verification."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

import ctfast as ct
from signing import Last, der, digest, fingerprint, private_key, sha256, sign, string_to_sign

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import rsa


BUCKET = "trail-bucket"
ACCOUNT = "111122223333"
REGION = "eu-west-1"
FIRST = datetime(2024, 2, 28, 21, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)


def public_keys(*keys: rsa.RSAPrivateKey, **fields: Any) -> dict[str, Any]:
    return {"PublicKeyList": [{"Value": base64.b64encode(der(key)).decode(), **fields} for key in keys]}


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
    previous: Last | None = None
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
            "hashValue": sha256(body),
            "hashAlgorithm": "SHA-256",
        }

    def put(self, key: str, body: bytes) -> Path:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(body, mtime=0))
        return path

    def hour(
        self, logs: list[dict[str, Any]] | None = None, *, key: str = "a", algorithm: Any = None, **fields: Any
    ) -> Path:
        start, self.end = self.end, self.end + HOUR
        if logs is None:
            minutes = (start + timedelta(minutes=minute) for minute in (10, 40))
            logs = [self.log(time, f'{{"Records":[{{"eventID":"{time}"}}]}}'.encode()) for time in minutes]
        stem = f"{self.account}_CloudTrail-Digest_{self.region}_{self.trail}_{REGION}_{self.end:%Y%m%dT%H%M%SZ}"
        name = f"{stem}{self.suffix}.json.gz"
        path = f"{self.prefix}AWSLogs/{self.account}/CloudTrail-Digest/{self.region}/{self.end:%Y/%m/%d}/{name}"
        by, at = private_key(key), (self.bucket, path)
        content = digest(self.account, (start, self.end), at, fingerprint(by), logs, self.previous) | fields
        body = json.dumps(content).encode()
        signature = sign(by, string_to_sign(content, body), algorithm)
        self.signatures[f"{self.bucket}/{path}"] = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        self.previous = Last(self.bucket, path, sha256(body), signature)
        self.digests.append(self.put(path, body))
        return self.digests[-1]

    def verify(self, **options: Any) -> ct.Verification:
        options = {"keys": public_keys(private_key()), "signatures": self.signatures, **options}
        return ct.verify(options.pop("source", self.root), **options)


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
    """Change a file's text, and compress it again with gzip."""
    text = gzip.decompress(path.read_bytes()).decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
