"""A second verifier, slow and simple: the published format and the stricter rules, over an archive in memory.

It shares no code with ctfast. It checks every expectation of the scenarios, so that none rests on one opinion.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from chains import HOUR, Document, Object, split, url

STRINGS = (
    "digestPublicKeyFingerprint",
    "digestS3Bucket",
    "digestS3Object",
    "digestStartTime",
    "digestEndTime",
    "awsAccountId",
)
ALGORITHM = "SHA256withRSA"
TREE = r"(?P<tree>(?:.+/)?AWSLogs/(?:o-[a-z0-9]+/)?)(?P<account>\d{12})/"
DIGEST = re.compile(
    TREE + r"CloudTrail-Digest/(?P<region>[a-z0-9-]+)/(?P<day>\d{4}/\d\d/\d\d)/"
    r"(?P=account)_CloudTrail-Digest_(?P=region)_(?P<trail>.+)_(?P<home>[a-z0-9-]+)_(?P<time>\d{8}T\d{6}Z)(?P<backfill>_backfill)?\.json\.gz"
)
LOG = re.compile(
    TREE + r"CloudTrail/(?P<region>[a-z0-9-]+)/\d{4}/\d\d/\d\d/[^/]+_(?P<time>\d{8}T\d{4}Z)_[^/]+\.json\.gz"
)


class RefusedError(Exception):
    """A verdict other than valid."""


def gunzip(body: bytes) -> bytes:
    """The content of exactly one whole gzip member."""
    inflater = zlib.decompressobj(31)
    try:
        text = inflater.decompress(body)
    except zlib.error:
        raise RefusedError("format") from None
    if not inflater.eof:
        raise RefusedError("format")
    if inflater.unused_data:
        raise RefusedError("trailing")
    return text


def public_key(der: bytes) -> rsa.RSAPublicNumbers | None:
    """The two integers of a PKCS#1 RSAPublicKey, read by hand."""
    try:
        numbers, at = [], 0
        for expected in (0x30, 0x02, 0x02):
            assert der[at] == expected
            size, at = der[at + 1], at + 2
            if size & 0x80:
                size, at = int.from_bytes(der[at : at + (size & 0x7F)]), at + (size & 0x7F)
            if expected == 0x02:
                numbers.append(int.from_bytes(der[at : at + size]))
                at += size
        return rsa.RSAPublicNumbers(numbers[1], numbers[0])
    except (AssertionError, IndexError):
        return None


def instant(text: str) -> datetime:
    return _utc(text, "%Y-%m-%dT%H:%M:%SZ")


def _utc(text: str, form: str) -> datetime:
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def is_digest(address: str) -> bool:
    return bool(DIGEST.fullmatch(split(address)[1]))


def hour(address: str) -> tuple[str, str, str, bool, datetime]:
    """From a digest's name: account, region, trail, whether it is of the backfill chain, and the end of its hour."""
    match = DIGEST.fullmatch(split(address)[1])
    assert match
    return (
        match["account"],
        match["region"],
        match["trail"],
        bool(match["backfill"]),
        _utc(match["time"], "%Y%m%dT%H%M%SZ"),
    )


@dataclass
class Digest:
    address: str
    object: Object
    match: re.Match[str]
    document: Document = field(default_factory=dict)
    sha256: str = ""
    word: str = "valid"
    remark: str = ""  # of a valid digest, about its place in the chain

    @cached_property
    def name_time(self) -> datetime:
        return hour(self.address)[-1]

    @property
    def start(self) -> datetime:
        return instant(self.document["digestStartTime"]) if self.word == "valid" else self.name_time - HOUR

    @property
    def previous(self) -> str | None:
        bucket, key = (self.document.get(f"previousDigestS3{name}") for name in ("Bucket", "Object"))
        return None if bucket is None or key is None else url(bucket, key)

    def sibling(self, end: datetime) -> str:
        """The name of the digest of another hour."""
        day = self.match["day"]
        name = self.address.replace(f"/{day}/", f"/{end:%Y/%m/%d}/")
        return name.replace(self.match["time"], end.strftime("%Y%m%dT%H%M%SZ"))


@dataclass
class Opinion:
    files: dict[str, str] = field(default_factory=dict)
    uncovered: list[tuple[str, datetime, datetime]] = field(
        default_factory=list
    )  # requested, but not covered, for no known reason

    def say(self, file: str, word: str) -> None:
        """Note a verdict; a file that was found wrong keeps its first verdict."""
        if self.files.get(file, "valid") == "valid":
            self.files[file] = word

    @property
    def ok(self) -> bool:
        return "valid" in self.files.values() and set(self.files.values()) == {"valid"} and not self.uncovered


def verify(
    objects: Mapping[str, Object],
    keys: Mapping[str, list[Document]],
    since: datetime,
    until: datetime,
    signatures: Iterable[str] = (),
) -> Opinion:
    """``signatures``: the digests that are named by the signatures saved beside the archive."""
    opinion = Opinion()
    chains = _chains(objects, opinion)
    out: set[str] = set()  # listed by digests outside the range
    continued: set[tuple[str | None, ...]] = set()  # chains that have digests before the range
    for place, chain in chains.items():
        chain.sort(key=lambda digest: digest.name_time)
        _signatures(chain, keys)
        _predecessors(chain)
        for address, end, word in _links(chain, objects, since, until):
            if _is_within(end, since, until):
                opinion.say(address, word)
        if any(digest.name_time <= since for digest in chain):
            continued.add(place)
        out |= _cut(chain, since, until)
    for address in signatures:
        match = DIGEST.fullmatch(split(address)[1])
        if match and address not in objects and _is_within(hour(address)[-1], since, until):
            opinion.say(address, "missing")
    every = [digest for chain in chains.values() for digest in chain]
    for digest in every:
        if digest.word == "valid":
            _logs(digest, objects, opinion)
    _uncovered({place: chain for place, chain in chains.items() if place not in continued}, objects, since, opinion)
    _unlisted(objects, out, since, until, opinion)
    return opinion


def _chains(objects: Mapping[str, Object], opinion: Opinion) -> dict[tuple[str | None, ...], list[Digest]]:
    """The digests of each chain; moved digests belong to none."""
    chains: dict[tuple[str | None, ...], list[Digest]] = {}
    for address, found in objects.items():
        match = DIGEST.fullmatch(split(address)[1])
        if match:
            digest = Digest(address, found, match)
            digest.word = _body(digest)
            place = tuple(match[name] for name in ("tree", "account", "region", "trail", "home", "backfill"))
            if digest.word == "moved":
                opinion.say(address, "moved")
            else:
                chains.setdefault(place, []).append(digest)
    return chains


def _uncovered(
    chains: Mapping[tuple[str | None, ...], list[Digest]],
    objects: Mapping[str, Object],
    since: datetime,
    opinion: Opinion,
) -> None:
    """The time from the beginning of the range to that of each chain that has nothing before it."""
    made = {}
    for address, word in opinion.files.items():
        if word in ("valid", "duplicate") and not is_digest(address):
            for record in json.loads(gunzip(objects[address].body))["Records"]:
                if (record.get("eventSource"), record.get("eventName")) == ("cloudtrail.amazonaws.com", "CreateTrail"):
                    place = record["recipientAccountId"], record["awsRegion"], record["requestParameters"]["name"]
                    made[place] = instant(record["eventTime"])
    missing = [hour(file) for file, word in opinion.files.items() if word == "missing" and is_digest(file)]
    for (_, account, region, trail, home, backfill), chain in chains.items():
        if not chain or backfill:
            continue
        of_chain = (account, region, trail, False)
        first = min(
            [*(digest.start for digest in chain), *(end - HOUR for *of, end in missing if tuple(of) == of_chain)]
        )
        when = made.get((str(account), str(home), str(trail)))
        is_new = when is not None and abs(when - first) <= 2 * HOUR
        if since < first and not is_new:
            opinion.uncovered.append((chain[0].address, since, first))


def _unlisted(objects: Mapping[str, Object], out: set[str], since: datetime, until: datetime, opinion: Opinion) -> None:
    for address in objects:
        match = LOG.fullmatch(split(address)[1])
        # The digests that would list log files from outside the range were not read.
        if match and address not in out and since <= _utc(match["time"], "%Y%m%dT%H%MZ") < until:
            opinion.files.setdefault(address, "unlisted")


def _is_within(end: datetime, since: datetime, until: datetime) -> bool:
    """Whether the hour that ends at this time overlaps with the range."""
    return since < end and end - HOUR < until


def _cut(chain: list[Digest], since: datetime, until: datetime) -> set[str]:
    """Remove the digests outside the range from the chain; return the log files that they list."""
    listed = set()
    for digest in [digest for digest in chain if not _is_within(digest.name_time, since, until)]:
        chain.remove(digest)
        entries = digest.document.get("logFiles") or []
        listed |= {url(entry["s3Bucket"], entry["s3Object"]) for entry in entries if isinstance(entry, dict)}
    return listed


def _body(digest: Digest) -> str:  # noqa: PLR0911  # one for each verdict
    """Read the digest; return its verdict, not yet considering its signature and its neighbours."""
    try:
        text = gunzip(digest.object.body)
        document = json.loads(text)
        if not isinstance(document, dict):
            return "format"
        digest.document, digest.sha256 = document, hashlib.sha256(text).hexdigest()
        if url(document["digestS3Bucket"], document["digestS3Object"]) != digest.address:
            return "moved"
        entries = document["logFiles"]
        if not all(isinstance(document[name], str) for name in STRINGS) or not isinstance(entries, list):
            return "format"
        named = [entry[name] for entry in entries for name in ("s3Bucket", "s3Object", "hashValue", "hashAlgorithm")]
        if not all(isinstance(value, str) for value in named) or "previousDigestSignature" not in document:
            return "format"
        if instant(document["digestStartTime"]) >= instant(document["digestEndTime"]):
            return "format"
    except RefusedError as refused:
        return str(refused)
    except (ValueError, KeyError, TypeError):
        return "format"
    metadata = digest.object.metadata
    if digest.match["backfill"] and metadata and "backfill-generation-timestamp" not in metadata:
        return "format"
    return "valid"


def _signatures(chain: list[Digest], keys: Mapping[str, list[Document]]) -> None:
    # A signature can be verified wherever it was kept, even in a successor that is not vouched for.
    held = {digest.previous: digest.document["previousDigestSignature"] for digest in chain if digest.word == "valid"}
    for digest in chain:
        if digest.word == "valid":
            told = digest.object.metadata.get("signature-algorithm", ALGORITHM)
            signature = digest.object.metadata.get("signature", held.get(digest.address))
            digest.word = _signature(digest, signature, keys.get(digest.match["region"], []))
            if digest.word == "valid" and {told, digest.document["digestSignatureAlgorithm"]} != {ALGORITHM}:
                digest.word = "algorithm"


def _signature(digest: Digest, signature: str | None, keys: list[Document]) -> str:
    if signature is None:
        return "unsigned"
    previous = digest.document["previousDigestSignature"]
    end, bucket, key = (digest.document[name] for name in ("digestEndTime", "digestS3Bucket", "digestS3Object"))
    text = f"{end}\n{bucket}/{key}\n{digest.sha256}\n{'null' if previous is None else previous}".encode()
    for record in keys:
        der = base64.b64decode(record["Value"])
        numbers = public_key(der)
        if numbers and hashlib.md5(der).hexdigest() == digest.document["digestPublicKeyFingerprint"]:
            try:
                numbers.public_key().verify(bytes.fromhex(signature), text, padding.PKCS1v15(), SHA256())
            except (InvalidSignature, ValueError):
                return "signature"
            # A digest is signed after its hour, and AWS's own tool allows two more hours.
            first, last = digest.name_time - HOUR, digest.name_time + 2 * HOUR
            in_use = record["ValidityStartTime"] <= last.timestamp() and first.timestamp() <= record["ValidityEndTime"]
            return "valid" if in_use else "window"
    return "key"


def _links(
    chain: list[Digest], objects: Mapping[str, Object], since: datetime, until: datetime
) -> Iterator[tuple[str, datetime, str]]:
    """The digests of a chain, including missing ones, each with its end and its verdict."""
    older: Digest | None = None
    addresses = {digest.address for digest in chain}
    for digest in chain:
        _own_claims(digest)
        starting = digest.word == "valid" and digest.previous is None
        if digest.word == "valid" and digest.previous is not None:
            if not digest.remark:
                _link(digest, older, addresses, objects)
            if digest.previous not in addresses and digest.previous not in objects:
                yield digest.previous, digest.start, "missing"
        # Every hour between two digests has its digest, except before a starting digest; backfill digests are made only
        # when they are needed.
        end = digest.start
        # Before the oldest digest, the number of missing ones is unknown.
        bottom = older.name_time if older else end
        while not starting and not digest.match["backfill"] and bottom < end < digest.name_time:
            linked = digest.word == "valid" and end == digest.start and digest.remark != "contradicted"
            name = (linked and digest.previous) or digest.sibling(end)
            if end - bottom >= HOUR:
                yield name, end, "missing"
            end -= HOUR
        yield digest.address, digest.name_time, digest.remark or digest.word
        older = digest
    end = older.name_time + HOUR if older and not older.match["backfill"] else until + HOUR
    while older and end <= until:
        yield older.sibling(end), end, "missing"
        end += HOUR


def _own_claims(digest: Digest) -> None:
    if digest.word == "valid" and not digest.remark:
        if instant(digest.document["digestEndTime"]) != digest.name_time:
            digest.remark = "time"
        elif digest.document["awsAccountId"] != digest.match["account"]:
            digest.remark = "foreign"


def _link(digest: Digest, older: Digest | None, chain: set[str], objects: Mapping[str, Object]) -> None:
    """The verdict on what a digest says about its predecessor."""
    match = DIGEST.fullmatch(split(digest.previous or "")[1])
    if not match:
        # It does not exist, which is found as missing, or is not a digest.
        digest.remark = "contradicted" if digest.previous in objects else ""
        return
    if older and older.address == digest.previous:
        joins = bool(digest.match["backfill"]) or digest.start == older.name_time
        if older.word == "valid" and not joins and older.remark != "time":
            digest.remark = "continuity"
    elif digest.previous in chain:
        digest.remark = "contradicted"


def _predecessors(chain: list[Digest]) -> None:
    """A valid digest holds hash and signature of the one before."""
    for older, digest in pairwise(chain):
        if older.word == digest.word == "valid" and digest.previous == older.address:
            held = digest.document["previousDigestSignature"]
            same = older.object.metadata.get("signature", str(held)).lower() == str(held).lower()
            if not same or digest.document["previousDigestHashValue"] != older.sha256:
                older.word = "contradicted"


def _logs(digest: Digest, objects: Mapping[str, Object], opinion: Opinion) -> None:
    entries = digest.document["logFiles"]
    times = Counter(url(entry["s3Bucket"], entry["s3Object"]) for entry in entries)
    for entry in entries:
        address = url(entry["s3Bucket"], entry["s3Object"])
        opinion.say(address, _log(digest, entry, times[address], objects.get(address)))


def _log(digest: Digest, entry: Document, times: int, found: Object | None) -> str:  # noqa: PLR0911  # one for each verdict
    parts = entry["s3Object"].split("/")
    if entry["s3Object"].startswith("/") or {"", ".", ".."} & set(parts):
        return "outside"
    match = LOG.fullmatch(entry["s3Object"])
    if found is None:
        return "missing"
    if not match or any(match[name] != digest.match[name] for name in ("account", "region")):
        return "foreign"
    if entry["hashAlgorithm"] != "SHA-256":
        return "algorithm"
    try:
        text = gunzip(found.body)
    except RefusedError as refused:
        return str(refused)
    if hashlib.sha256(text).hexdigest() != entry["hashValue"]:
        return "hash"
    return "duplicate" if times > 1 else "valid"
