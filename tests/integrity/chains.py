"""Archives with chains of signed digests, made in memory from the published format and from nothing of ctfast.

``Archive.objects`` maps ``s3://bucket/key`` to a body and its object metadata: tampering is editing that mapping.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes

from signing import Document, Last, der, digest, fingerprint, iso, private_key, sha256, sign, string_to_sign

HOUR = timedelta(hours=1)
START = datetime(2026, 2, 5, 9, 1, 31, tzinfo=UTC)
ACCOUNT, MEMBER = "111122223333", "444455556666"
HOME, OTHER = "eu-west-1", "us-east-1"
ORGANIZATION = "o-exampleorgid"

Edit = Callable[[Document], object]


def compact(when: datetime) -> str:
    return when.strftime("%Y%m%dT%H%M%SZ")


def url(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def split(address: str) -> tuple[str, str]:
    """Bucket and key of an address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def squeeze(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


# -- keys ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A key pair of one region with the time it is valid in."""

    label: str
    region: str
    since: datetime = START - timedelta(days=20)
    until: datetime = START + timedelta(days=10)

    @property
    def der(self) -> bytes:
        return der(private_key(self.label))

    @property
    def fingerprint(self) -> str:
        return fingerprint(private_key(self.label))

    def sign(self, text: bytes, algorithm: hashes.HashAlgorithm | None = None) -> str:
        return sign(private_key(self.label), text, algorithm)

    def public(self, **claims: Any) -> Document:
        """The key as ListPublicKeys returns it, with false values if they are given."""
        return {
            "Value": base64.b64encode(self.der).decode(),
            "ValidityStartTime": self.since.timestamp(),
            "ValidityEndTime": self.until.timestamp(),
            "Fingerprint": self.fingerprint,
            **claims,
        }


FIRST = Key("first", HOME)
SECOND = Key("second", HOME, START + timedelta(days=-1), START + timedelta(days=29))
EXPIRED = Key("second", HOME, START - timedelta(days=50), START + timedelta(minutes=90))
ABROAD = Key("abroad", OTHER)
STRANGER = Key("stranger", HOME)
KEYS: Mapping[str, Key] = {HOME: FIRST, OTHER: ABROAD}


# -- archive ---------------------------------------------------------------------------------------------------------


@dataclass
class Object:
    body: bytes
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Archive:
    objects: dict[str, Object] = field(default_factory=dict)

    def __getitem__(self, address: str) -> Object:
        return self.objects[address]

    def text(self, address: str) -> bytes:
        return gzip.decompress(self.objects[address].body)

    def document(self, address: str) -> Document:
        value: Document = json.loads(self.text(address))
        return value

    def delete(self, *addresses: str) -> None:
        for address in addresses:
            del self.objects[address]

    def move(self, source: str, target: str) -> str:
        self.objects[target] = self.objects.pop(source)
        return target

    def copy(self, source: str, target: str) -> str:
        found = self.objects[source]
        self.objects[target] = Object(found.body, dict(found.metadata))
        return target

    def forge(self, address: str, edit: Edit, key: Key | None = None) -> None:
        """Change a digest in place, and sign it again with a key if there is one."""
        document = self.document(address)
        edit(document)
        body = json.dumps(document, separators=(",", ":")).encode()
        self.objects[address].body = squeeze(body)
        if key:
            self.objects[address].metadata["signature"] = key.sign(string_to_sign(document, body))

    def buckets(self) -> list[str]:
        return sorted({split(address)[0] for address in self.objects})

    def write(self, root: Path) -> Path:
        """Write each bucket as a folder under ``root``, like a download: without the metadata."""
        for address, found in self.objects.items():
            bucket, key = split(address)
            path = root / bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found.body)
        return root

    def signatures(self) -> dict[str, dict[str, str]]:
        return {address: dict(found.metadata) for address, found in sorted(self.objects.items()) if found.metadata}


# -- chains ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trail:
    bucket: str
    name: str = "audit"
    home: str = HOME
    account: str = ACCOUNT
    prefix: str = ""
    organization: str = ""

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudtrail:{self.home}:{self.account}:trail/{self.name}"

    def key(self, account: str, kind: str, region: str, when: datetime, name: str) -> str:
        parts = [self.prefix, "AWSLogs", self.organization, account, kind, region, when.strftime("%Y/%m/%d")]
        return "/".join([part for part in parts if part] + [f"{account}_{kind}_{region}_{name}.json.gz"])


@dataclass
class Chain:
    """The digests of one trail, account and region, oldest first; ``hour`` adds the next."""

    archive: Archive
    trail: Trail
    account: str = ""
    region: str = HOME
    key: Key | None = None
    clock: datetime = START
    backfill: bool = False
    digests: list[str] = field(default_factory=list)
    logs: list[list[str]] = field(default_factory=list)
    last: Last | None = None

    def __post_init__(self) -> None:
        self.account = self.account or self.trail.account
        self.key = self.key or KEYS[self.region]

    def digest_key(self, end: datetime) -> str:
        name = f"{self.trail.name}_{self.trail.home}_{compact(end)}{'_backfill' if self.backfill else ''}"
        return self.trail.key(self.account, "CloudTrail-Digest", self.region, end, name)

    def call(self, name: str, when: datetime, **parameters: Any) -> Document:
        """Deliver a log file with an API call to CloudTrail about the trail; return its entry for a digest."""
        record = {
            "eventVersion": "1.11",
            "eventTime": iso(when),
            "eventSource": "cloudtrail.amazonaws.com",
            "eventName": name,
            "awsRegion": self.trail.home,
            "recipientAccountId": self.account,
            "requestParameters": {"name": self.trail.name, **parameters},
        }
        return self.log(when, 7, also=(record,))

    def log(
        self, when: datetime, number: int = 0, *, account: str = "", region: str = "", also: tuple[Document, ...] = ()
    ) -> Document:
        """Deliver a log file; return its entry for a digest."""
        account, region = account or self.account, region or self.region
        minute = when.replace(minute=when.minute // 5 * 5, second=0)
        tag = hashlib.sha256(
            f"{account} {region} {self.trail.name} {when} {number} {self.backfill}".encode()
        ).hexdigest()[:16]
        name = f"{minute.strftime('%Y%m%dT%H%MZ')}_{tag}"
        key = self.trail.key(account, "CloudTrail", region, minute, name)
        records = [
            {
                "eventVersion": "1.11",
                "eventTime": iso(when),
                "awsRegion": region,
                "eventID": f"{tag}-{i}",
                "recipientAccountId": account,
            }
            for i in range(3)
        ]
        records += also
        body = json.dumps({"Records": records}, separators=(",", ":")).encode()
        self.archive.objects[url(self.trail.bucket, key)] = Object(squeeze(body))
        return {
            "s3Bucket": self.trail.bucket,
            "s3Object": key,
            "hashValue": sha256(body),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": iso(when),
            "oldestEventTime": iso(when),
        }

    def hour(
        self,
        logs: int = 2,
        *,
        also: tuple[Document, ...] = (),
        edit: Edit | None = None,
        render: Callable[[Document], bytes] | None = None,
        key: Key | None = None,
        sign: Callable[[Key, bytes], str] | None = None,
        metadata: Mapping[str, str | None] | None = None,
        start: datetime | None = None,
    ) -> str:
        """Close an hour: log files, digest, signature. ``edit`` changes what CloudTrail itself would have signed."""
        start = start or self.clock
        end = self.clock + HOUR
        key = key or self.key
        assert key
        entries = [self.log(start + timedelta(minutes=20 * (i + 1)), i) for i in range(logs)] + list(also)
        place = self.digest_key(end)
        times = sorted(entry["newestEventTime"] for entry in entries)
        document = digest(
            self.account,
            (start, end),
            (self.trail.bucket, place),
            key.fingerprint,
            entries,
            self.last,
            events=(times[0], times[-1]) if times else None,
        )
        place_signed = dict(document)
        if edit:
            edit(document)
        body = render(document) if render else json.dumps(document, separators=(",", ":")).encode()
        to_sign = string_to_sign(place_signed | document, body)
        signature = sign(key, to_sign) if sign else key.sign(to_sign)
        given: dict[str, str | None] = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if self.backfill:
            given["backfill-generation-timestamp"] = end.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        given |= metadata or {}
        address = url(self.trail.bucket, place)
        self.archive.objects[address] = Object(
            squeeze(body), {name: text for name, text in given.items() if text is not None}
        )
        self.last = Last(self.trail.bucket, place, sha256(body), signature)
        self.clock = end
        self.digests.append(address)
        self.logs.append([url(entry["s3Bucket"], entry["s3Object"]) for entry in entries])
        return address

    def hours(self, count: int, **options: Any) -> Chain:
        for _ in range(count):
            self.hour(**options)
        return self

    def stop(self, hours: int) -> Chain:
        """StopLogging, and StartLogging some hours later: the next digest starts a chain."""
        self.clock += hours * HOUR
        self.last = None
        return self

    def move_to(self, bucket: str) -> Chain:
        """The trail delivers to another bucket from now on."""
        self.trail = replace(self.trail, bucket=bucket)
        return self

    def files(self) -> Iterator[str]:
        for address, logs in zip(self.digests, self.logs, strict=True):
            yield address
            yield from logs
