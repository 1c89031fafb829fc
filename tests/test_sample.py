"""The sample archive: its promises, checked by the format and not with the code that writes it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ctfast import sample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOG_KEY = re.compile(
    r"AWSLogs/(?P<account>\d{12})/(?P<kind>CloudTrail(?:-Insight|-NetworkActivity)?)/(?P<region>[a-z0-9-]+)"
    r"/(?P<date>\d{4}/\d\d/\d\d)"
    r"/(?P=account)_(?P=kind)_(?P=region)_(?P<time>\d{8}T\d{4}Z)_(?P<unique>[A-Za-z0-9]{16})\.json\.gz"
)
DIGEST_KEY = re.compile(
    r"AWSLogs/(?P<account>\d{12})/CloudTrail-Digest/(?P<region>[a-z0-9-]+)/(?P<date>\d{4}/\d\d/\d\d)"
    r"/(?P=account)_CloudTrail-Digest_(?P=region)_(?P<trail>[A-Za-z0-9._-]{3,128})_(?P<home>[a-z0-9-]+)"
    r"_(?P<time>\d{8}T\d{6}Z)\.json\.gz"
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

REQUIRED = {
    "CloudTrail": {
        *(
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
        ),
        *(
            "requestParameters",
            "responseElements",
            "eventID",
            "eventType",
            "eventCategory",
            "recipientAccountId",
        ),
    },
    "CloudTrail-Insight": {
        *(
            "eventVersion",
            "eventTime",
            "awsRegion",
            "eventID",
            "eventType",
            "recipientAccountId",
            "sharedEventID",
        ),
        *("insightDetails", "eventCategory"),
    },
    "CloudTrail-NetworkActivity": {
        *(
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
        ),
        *(
            "errorCode",
            "errorMessage",
            "eventID",
            "eventType",
            "recipientAccountId",
            "vpcEndpointId",
            "eventCategory",
        ),
    },
}
IDENTITY = {
    "Root": {"principalId", "arn", "accountId"},
    "AssumedRole": {"principalId", "arn", "accountId", "sessionContext"},
    "AWSAccount": {"principalId", "accountId"},
    "AWSService": {"invokedBy"},
    "IdentityCenterUser": {"accountId", "onBehalfOf", "credentialId"},
    "SAMLUser": {"principalId", "userName", "identityProvider"},
    "WebIdentityUser": {"principalId", "userName", "identityProvider"},
    "IAMUser": {"accountId", "userName"},
    None: {"accountId", "invokedBy"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> sample.Sample:
    """Return a sample that the tests only read."""
    return sample.write(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def bodies(made: sample.Sample) -> dict[str, bytes]:
    """Return the bytes of every object of the archive before compression, by key."""
    files = (path for path in made.archive.rglob("*") if path.is_file())
    return {path.relative_to(made.archive).as_posix(): gzip.decompress(path.read_bytes()) for path in files}


@pytest.fixture(scope="module")
def digests(bodies: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """Return the content of the digest files by key."""
    return {key: json.loads(body) for key, body in bodies.items() if DIGEST_KEY.fullmatch(key)}


@pytest.fixture(scope="module")
def records(bodies: dict[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """Return the records of the log files by key."""
    return {key: json.loads(body)["Records"] for key, body in bodies.items() if LOG_KEY.fullmatch(key)}


@pytest.fixture(scope="module")
def public_keys(made: sample.Sample) -> dict[str, rsa.RSAPublicKey]:
    """Return the public keys by fingerprint, which is the MD5 of their DER bytes."""
    keys = {}
    for entry in json.loads(made.keys.read_text())["PublicKeyList"]:
        der = base64.b64decode(entry["Value"])
        assert hashlib.md5(der, usedforsecurity=False).hexdigest() == entry["Fingerprint"]
        key = load_der_public_key(der)
        assert isinstance(key, rsa.RSAPublicKey)
        assert (key.key_size, key.public_numbers().e) == (2048, 65537)
        keys[entry["Fingerprint"]] = key
    return keys


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def flat(records: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [record for held in records.values() for record in held]


def chains(digests: Mapping[str, dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the digests of each account and region, oldest first by name, as a listing of the bucket shows them."""
    found = defaultdict(list)
    for key in sorted(digests):
        name = DIGEST_KEY.fullmatch(key)
        assert name
        found[name["account"], name["region"]].append(digests[key])
    return list(found.values())


def verify(key: rsa.RSAPublicKey, digest: Mapping[str, Any], body: bytes, signature: str) -> None:
    """Check a signature over the four lines that CloudTrail signs."""
    location = f"{digest['digestS3Bucket']}/{digest['digestS3Object']}"
    previous = digest["previousDigestSignature"]
    lines = [digest["digestEndTime"], location, hashlib.sha256(body).hexdigest(), previous or "null"]
    key.verify(bytes.fromhex(signature), "\n".join(lines).encode(), padding.PKCS1v15(), SHA256())


def test_the_same_seed_gives_the_same_bytes(made: sample.Sample, tmp_path: Path) -> None:
    again = sample.write(tmp_path)
    assert tree(made.archive.parent) == tree(tmp_path)
    assert (again.files, again.records, again.digests) == (made.files, made.records, made.digests)


def test_another_seed_gives_another_archive(made: sample.Sample, tmp_path: Path) -> None:
    other = sample.write(tmp_path / "other", seed=1)
    assert tree(other.archive).keys().isdisjoint(key for key in tree(made.archive) if LOG_KEY.fullmatch(key))
    assert other.bucket == made.bucket


def test_nothing_is_overwritten(made: sample.Sample) -> None:
    before = tree(made.archive)
    with pytest.raises(FileExistsError, match=re.escape(made.bucket)):
        sample.write(made.archive.parent)
    assert tree(made.archive) == before


@pytest.mark.parametrize("name", ["keys.json", "signatures.json"])
def test_nothing_is_written_beside_files_of_the_same_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=name):
        sample.write(tmp_path)
    assert tree(tmp_path) == {name: b"mine"}


def test_the_paths_lie_side_by_side(made: sample.Sample) -> None:
    assert [path.name for path in made.archive.iterdir()] == ["AWSLogs"]
    assert sorted(path.name for path in made.archive.parent.iterdir()) == sorted(
        [made.bucket, "keys.json", "signatures.json"],
    )
    assert made.keys.parent == made.signatures.parent == made.archive.parent


def test_the_counts_are_right(
    made: sample.Sample,
    bodies: dict[str, bytes],
    records: dict[str, list[dict[str, Any]]],
    digests: dict[str, dict[str, Any]],
) -> None:
    assert (made.files, made.digests) == (len(records), len(digests))
    assert made.files + made.digests == len(bodies)
    assert made.records == sum(map(len, records.values()))
    assert 60 <= made.files <= 100
    assert 800 <= made.records <= 1500


def test_every_key_follows_the_grammar(bodies: dict[str, bytes]) -> None:
    accounts, regions, kinds = set(), set(), set()
    for key in bodies:
        found = LOG_KEY.fullmatch(key) or DIGEST_KEY.fullmatch(key)
        assert found, key
        assert found["time"][:8] == found["date"].replace("/", "")
        accounts.add(found["account"])
        regions.add(found["region"])
        kinds.add(key.split("/")[2])
    assert (len(accounts), len(regions)) == (2, 2)
    assert kinds == {*REQUIRED, "CloudTrail-Digest"}


def test_gzip_headers_tell_neither_time_nor_name(made: sample.Sample) -> None:
    for path in made.archive.rglob("*.gz"):
        assert path.read_bytes()[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def test_bodies_are_minified_json(bodies: dict[str, bytes]) -> None:
    for body in bodies.values():
        content = json.loads(body)
        assert body == json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    assert any(not body.isascii() for body in bodies.values())


def test_every_record_has_the_fields_of_its_kind(records: dict[str, list[dict[str, Any]]]) -> None:
    for key, held in records.items():
        name = LOG_KEY.fullmatch(key)
        assert name
        assert held
        for record in held:
            assert record.keys() >= REQUIRED[name["kind"]]
            assert record["recipientAccountId"] == name["account"]
            assert record["awsRegion"] == name["region"]
            assert MOMENT.fullmatch(record["eventTime"])
            assert re.fullmatch(r"1\.\d\d", record["eventVersion"])
            if name["kind"] == "CloudTrail":
                assert record["eventCategory"] == ("Management" if record["managementEvent"] else "Data")
                assert type(record["readOnly"]) is bool


def test_every_identity_has_the_fields_of_its_type(records: dict[str, list[dict[str, Any]]]) -> None:
    seen = set()
    for record in flat(records):
        identity = record.get("userIdentity")
        if identity is None:
            assert record["eventType"] == "AwsCloudTrailInsight"
            continue
        seen.add(identity.get("type"))
        assert identity.keys() >= IDENTITY[identity.get("type")]
        if identity.get("type") == "AssumedRole":
            issuer = identity["sessionContext"]["sessionIssuer"]
            assert issuer.keys() == {"type", "principalId", "arn", "accountId", "userName"}
            assert identity["principalId"].startswith(f"{issuer['principalId']}:")
            assert identity["arn"].split("/")[1] == issuer["userName"] == issuer["arn"].rpartition("/")[2]
        if "sessionContext" in identity:
            assert when(identity["sessionContext"]["attributes"]["creationDate"]) <= when(record["eventTime"])
    assert seen == set(IDENTITY)


def test_event_ids_are_unique_and_shared_ids_pair_the_copies(
    records: dict[str, list[dict[str, Any]]],
) -> None:
    events = flat(records)
    assert max(Counter(event["eventID"] for event in events).values()) == 1
    copies = defaultdict(set)
    for event in events:
        if event["eventType"] == "AwsApiCall" and "sharedEventID" in event:
            copies[event["sharedEventID"], event["requestID"]].add(event["recipientAccountId"])
    assert {len(accounts) for accounts in copies.values()} == {1, 2}


def test_credentials_are_used_as_they_were_handed_out(records: dict[str, list[dict[str, Any]]]) -> None:
    handed_out: dict[str, str] = {}
    for event in flat(records):
        response = event.get("responseElements") or {}
        given = response.get("credentials") or response.get("accessKey")
        if given:
            handed_out[given["accessKeyId"]] = event["eventTime"]
    used = [event for event in flat(records) if event.get("userIdentity", {}).get("accessKeyId") in handed_out]
    assert {event["userIdentity"]["type"] for event in used} == {"AssumedRole", "IAMUser"}
    assert all(handed_out[event["userIdentity"]["accessKeyId"]] < event["eventTime"] for event in used)


def test_no_name_is_left_to_fill_in(bodies: dict[str, bytes]) -> None:
    for body in bodies.values():
        assert b"$" not in body.replace(b"[$LATEST]", b"")


def test_files_hold_what_their_name_says_and_one_event_is_late(
    records: dict[str, list[dict[str, Any]]],
) -> None:
    late = []
    for key, held in records.items():
        name = LOG_KEY.fullmatch(key)
        assert name
        named = datetime.strptime(name["time"], "%Y%m%dT%H%M%z")
        assert named.minute % 5 == 0
        for record in held:
            minutes = (named - when(record["eventTime"])).total_seconds() / 60
            assert minutes > 0
            if minutes > 60:
                late.append(record)
    assert [(record["eventName"], record["addendum"]) for record in late] == [
        ("DeleteBucket", {"reason": "DELIVERY_DELAY"}),
    ]


def test_the_incident_is_there(records: dict[str, list[dict[str, Any]]]) -> None:
    events = flat(records)
    ours = {event["recipientAccountId"] for event in events}
    (login,) = (
        event
        for event in events
        if event.get("eventName") == "ConsoleLogin"
        and event["userIdentity"]["type"] in {"IAMUser", "Root"}
        and event["responseElements"] == {"ConsoleLogin": "Success"}
        and event["additionalEventData"]["MFAUsed"] == "No"
    )
    theirs = [event for event in events if event.get("sourceIPAddress") == login["sourceIPAddress"]]
    outcome = {(event["eventName"], event.get("errorCode")) for event in theirs}
    assert outcome >= {
        ("CreateAccessKey", None),
        ("GetRolePolicy", "AccessDenied"),
        ("AssumeRole", None),
        ("PutBucketPolicy", None),
        ("GetObject", None),
        ("DeleteBucket", "BucketNotEmpty"),
        ("DeleteBucket", None),
        ("StopLogging", "AccessDenied"),
        ("DeleteTrail", "AccessDenied"),
    }
    foreign = [
        event
        for event in events
        if event.get("userIdentity", {}).get("accountId", login["recipientAccountId"]) not in ours
    ]
    assert {event["userIdentity"]["type"] for event in foreign} == {"AWSAccount"}


def test_the_insight_agrees_with_the_events(records: dict[str, list[dict[str, Any]]]) -> None:
    start, end = sorted(
        (record for record in flat(records) if record["eventType"] == "AwsCloudTrailInsight"),
        key=lambda record: record["eventTime"],
    )
    assert (start["insightDetails"]["state"], end["insightDetails"]["state"]) == ("Start", "End")
    assert start["sharedEventID"] == end["sharedEventID"]
    statistics = end["insightDetails"]["insightContext"]["statistics"]
    minutes = (when(end["eventTime"]) - when(start["eventTime"])).total_seconds() / 60
    assert statistics["insightDuration"] == minutes
    counted = sum(
        record.get("eventName") == end["insightDetails"]["eventName"]
        and record.get("errorCode") == end["insightDetails"]["errorCode"]
        and start["eventTime"] <= record["eventTime"] < end["eventTime"]
        for record in flat(records)
    )
    assert statistics["insight"]["average"] == pytest.approx(counted / minutes)


def test_every_log_is_listed_by_one_digest_with_its_hash(
    made: sample.Sample,
    bodies: dict[str, bytes],
    records: dict[str, list[dict[str, Any]]],
    digests: dict[str, dict[str, Any]],
) -> None:
    listed: Counter[str] = Counter()
    for digest in digests.values():
        for log in digest["logFiles"]:
            key = log["s3Object"]
            listed[key] += 1
            name = LOG_KEY.fullmatch(key)
            assert name
            assert (log["s3Bucket"], log["hashAlgorithm"]) == (made.bucket, "SHA-256")
            assert log["hashValue"] == hashlib.sha256(bodies[key]).hexdigest()
            assert name["account"] == digest["awsAccountId"]
            assert f"/{name['region']}/" in digest["digestS3Object"]
            times = [record["eventTime"] for record in records[key]]
            assert (log["oldestEventTime"], log["newestEventTime"]) == (min(times), max(times))
        newest = max((log["newestEventTime"] for log in digest["logFiles"]), default=None)
        oldest = min((log["oldestEventTime"] for log in digest["logFiles"]), default=None)
        assert (digest["newestEventTime"], digest["oldestEventTime"]) == (newest, oldest)
    assert listed == Counter(records.keys())


def test_every_chain_is_unbroken_and_signed(
    made: sample.Sample,
    bodies: dict[str, bytes],
    digests: dict[str, dict[str, Any]],
    public_keys: dict[str, rsa.RSAPublicKey],
) -> None:
    signatures = json.loads(made.signatures.read_text())
    assert signatures.keys() == {f"{made.bucket}/{key}" for key in digests}
    found = chains(digests)
    assert len(found) == 4
    for chain in found:
        assert chain[0]["digestStartTime"] < chain[0]["digestEndTime"]
        assert {value for name, value in chain[0].items() if name.startswith("previous")} == {None}
        for before, digest in zip([None, *chain], chain, strict=False):
            key = digest["digestS3Object"]
            body = bodies[key]
            metadata = signatures[f"{made.bucket}/{key}"]
            assert metadata.keys() == {"signature", "signature-algorithm"}
            assert metadata["signature-algorithm"] == digest["digestSignatureAlgorithm"] == "SHA256withRSA"
            assert len(metadata["signature"]) == 512
            assert digests[key] is digest
            assert digest["digestS3Bucket"] == made.bucket
            assert key.endswith(re.sub("[-:]", "", digest["digestEndTime"]) + ".json.gz")
            assert (when(digest["digestEndTime"]) - when(digest["digestStartTime"])).total_seconds() == 3600
            verify(public_keys[digest["digestPublicKeyFingerprint"]], digest, body, metadata["signature"])
            if before:
                older = before["digestS3Object"]
                assert digest["previousDigestS3Bucket"] == made.bucket
                assert digest["previousDigestS3Object"] == older
                assert digest["previousDigestHashAlgorithm"] == "SHA-256"
                assert digest["previousDigestHashValue"] == hashlib.sha256(bodies[older]).hexdigest()
                assert digest["previousDigestSignature"] == signatures[f"{made.bucket}/{older}"]["signature"]
                assert digest["digestStartTime"] == before["digestEndTime"]


def test_chains_have_hours_without_activity(digests: dict[str, dict[str, Any]]) -> None:
    for chain in chains(digests):
        files = [len(digest["logFiles"]) for digest in chain]
        assert 0 in files
        assert max(files) > 0


def test_each_region_signs_with_a_key_of_its_own(
    digests: dict[str, dict[str, Any]],
    public_keys: dict[str, rsa.RSAPublicKey],
) -> None:
    used = defaultdict(set)
    for key, digest in digests.items():
        used[key.split("/")[3]].add(digest["digestPublicKeyFingerprint"])
    assert sorted(fingerprint for (fingerprint,) in used.values()) == sorted(public_keys)


@pytest.mark.parametrize("position", [0, 100, -1])
def test_a_changed_byte_breaks_the_signature(
    made: sample.Sample,
    bodies: dict[str, bytes],
    digests: dict[str, dict[str, Any]],
    public_keys: dict[str, rsa.RSAPublicKey],
    position: int,
) -> None:
    key = max(digests)
    digest, body = digests[key], bytearray(bodies[key])
    body[position] ^= 1
    signature = json.loads(made.signatures.read_text())[f"{made.bucket}/{key}"]["signature"]
    with pytest.raises(InvalidSignature):
        verify(public_keys[digest["digestPublicKeyFingerprint"]], digest, bytes(body), signature)
