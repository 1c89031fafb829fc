"""The verifier against chains that are whole, broken, forged and cut short."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ctfast as ct

if TYPE_CHECKING:
    from pathlib import Path

    from ctfast.sample import Sample

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


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """Six hours, over midnight."""
    made = Chain(tmp_path / "archive")
    for _ in range(6):
        made.hour()
    return made


def reasons(found: ct.Verification, severity: str = "error") -> list[str]:
    return sorted(found.findings.filter(pl.col("severity") == severity)["reason"])


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


def test_without_saved_signatures_the_newest_is_unverified(chain: Chain) -> None:
    found = chain.verify(signatures=None)
    assert not found.ok
    assert found.digests["signature"].to_list() == ["successor"] * 5 + ["none"]
    assert found.digest_counts == (5, 0, 0, 1)
    assert found.log_counts == (10, 0, 0, 2)
    assert found.coverage["state"].to_list() == ["valid"] * 5 + ["unknown"]
    assert reasons(found) == ["no-signature"]


def test_the_digest_behind_the_range_vouches_for_the_last_of_it(chain: Chain) -> None:
    found = chain.verify(signatures=None, until=FIRST + 2 * HOUR)
    assert found.ok
    assert found.digest_counts == (3, 0, 0, 0)  # up to an hour after the range, as AWS has it


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
def test_bytes_behind_the_first_member(chain: Chain, junk: bytes, reason: str) -> None:
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


def test_log_of_the_future_is_told_but_tolerated(chain: Chain) -> None:
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
    missing = found.digests.filter(pl.col("status") == "missing")
    assert missing["file"].to_list() == [str(path) for path in chain.digests[1:last]]
    assert reasons(found).count("missing-digest") == last - 1
    # What they listed is listed no more.
    assert reasons(found).count("unlisted") == 2 * (last - 1)
    assert found.coverage["state"].to_list() == ["valid", *["missing"] * (last - 1), *["valid"] * (6 - last)]


def test_the_oldest_digest_is_missing(chain: Chain) -> None:
    chain.digests[0].unlink()
    assert "missing-digest" in reasons(chain.verify())
    assert chain.verify(since=FIRST + HOUR + timedelta(seconds=1)).ok
    chain.digests[1].unlink()
    found = chain.verify(since=FIRST)
    assert found.digests.filter(pl.col("status") == "missing")["end"].to_list() == [FIRST + HOUR, FIRST + 2 * HOUR]


def test_the_newest_digests_are_missing(chain: Chain) -> None:
    for path in chain.digests[3:]:
        path.unlink()
    found = chain.verify()  # there are newer log files
    assert found.digest_counts == (3, 0, 2, 0)
    assert "unlisted" in reasons(found)
    for path in chain.logs[6:]:
        path.unlink()
    assert chain.verify().ok  # nothing tells any more, but the range
    found = chain.verify(until=FIRST + 6 * HOUR)
    assert reasons(found) == ["missing-digest"] * 3
    assert found.digests["file"].to_list()[3:] == [str(path) for path in chain.digests[3:]]


def test_all_digests_are_missing(chain: Chain) -> None:
    shutil.rmtree(chain.root / "AWSLogs" / ACCOUNT / "CloudTrail-Digest")
    found = chain.verify()
    assert (found.ok, found.checked) == (False, False)
    assert reasons(found) == ["no-digests"]
    assert found.unlisted.height == 12


def test_nothing_is_no_success(tmp_path: Path) -> None:
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


def test_other_keys(chain: Chain, tmp_path: Path) -> None:
    assert set(reasons(chain.verify(keys=public_keys(private_key("b"))))) == {"unknown-key"}
    good = public_keys(private_key())
    assert set(reasons(chain.verify(keys={"us-east-1": good}))) == {"key-region"}
    assert chain.verify(keys={REGION: good, "us-east-1": good}).ok
    old = {"ValidityStartTime": 1_500_000_000.0, "ValidityEndTime": "1502592000.0"}
    assert set(reasons(chain.verify(keys=public_keys(private_key(), **old)))) == {"key-time"}
    valid = {"validityStartTime": "2024-02-28T00:00:00Z", "validityEndTime": "2024-03-28T00:00:00+00:00"}
    assert chain.verify(keys=public_keys(private_key(), **valid)).ok
    folder = tmp_path / "keys"
    folder.mkdir()
    public = private_key().public_key()
    (folder / f"{REGION}.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert chain.verify(keys=folder).ok
    assert chain.verify(keys=folder / f"{REGION}.pem").ok
    (folder / f"{REGION}.pem").rename(folder / "us-east-1.pem")
    assert set(reasons(chain.verify(keys=folder))) == {"key-region"}
    for form, encoding in [
        (PublicFormat.PKCS1, Encoding.DER),
        (PublicFormat.PKCS1, Encoding.PEM),
        (PublicFormat.SubjectPublicKeyInfo, Encoding.DER),
    ]:
        assert chain.verify(keys=public.public_bytes(encoding, form)).ok


def test_a_key_that_lies_about_its_fingerprint(chain: Chain) -> None:
    keys = public_keys(private_key("b"), Fingerprint=fingerprint(private_key()))
    assert set(reasons(chain.verify(keys=keys))) == {"unknown-key"}


def test_a_key_that_is_none(chain: Chain) -> None:
    junk = b"\x30\x03\x02\x01\x01"
    chain.hour(digestPublicKeyFingerprint=hashlib.md5(junk).hexdigest())
    keys = public_keys(private_key())
    keys["PublicKeyList"].append({"Value": base64.b64encode(junk).decode()})
    assert reasons(chain.verify(keys=keys)) == ["bad-key"]


@pytest.mark.parametrize("keys", [{}, {"PublicKeyList": []}, [], {"x": 1}, b"junk"])
def test_no_keys(chain: Chain, keys: Any) -> None:
    with pytest.raises(ValueError, match="key"):
        chain.verify(keys=keys)


def test_re_signed_with_another_key(chain: Chain) -> None:
    chain.hour(key="b", digestPublicKeyFingerprint=fingerprint(private_key()))
    assert reasons(chain.verify()) == ["signature"]


def test_other_hash_algorithms(chain: Chain) -> None:
    chain.hour(algorithm=SHA1())
    assert reasons(chain.verify()) == ["signature"]
    chain.hour(digestSignatureAlgorithm="SHA1withRSA")
    assert "signature-algorithm" in reasons(chain.verify())
    log = chain.log(chain.end)
    chain.hour([{**log, "hashAlgorithm": "SHA-1"}])
    assert "hash-algorithm" in reasons(chain.verify())
    assert chain.previous is not None
    chain.previous["previousDigestHashAlgorithm"] = "MD5"
    chain.hour([])
    assert reasons(chain.verify()).count("hash-algorithm") == 2


def test_saved_metadata(chain: Chain) -> None:
    name = f"{BUCKET}/{chain.digests[2].relative_to(chain.root)}"
    whole = chain.signatures[name]
    for saved, reason in [
        (None, "no-signature"),
        ({}, "no-signature"),
        ({"signature": whole["signature"]}, "no-signature"),
        ({**whole, "signature-algorithm": "SHA1withRSA"}, "signature-algorithm"),
        ({**whole, "signature": "zz"}, "previous-signature"),
        ({**whole, "signature": whole["signature"][:-2] + "00"}, "previous-signature"),
    ]:
        chain.signatures[name] = saved
        found = chain.verify()
        assert reason in reasons(found), saved
        assert status(found, chain.digests[2]) == "invalid", saved
    headers = {f"x-amz-meta-{field}": value for field, value in whole.items()}
    for saved in (whole["signature"], whole["signature"].upper(), {"Metadata": whole}, headers):
        chain.signatures[name] = saved
        assert chain.verify().ok, saved


def test_signatures_file(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "signatures.json"
    path.write_text(json.dumps({f"s3://{name}": saved for name, saved in chain.signatures.items()}))
    assert chain.verify(signatures=path).ok


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "AWSLogs/../../secret.json.gz", "a//b", "./x", "..\\x"])
def test_names_that_lead_out_of_the_archive_are_not_read(chain: Chain, name: str) -> None:
    secret = chain.root.parent / "secret.json.gz"
    body = b"secret"
    secret.write_bytes(gzip.compress(body))
    log = {"s3Bucket": BUCKET, "s3Object": name, "hashValue": hashlib.sha256(body).hexdigest(), "hashAlgorithm": "SHA-256"}
    chain.hour([log])
    found = chain.verify()
    assert reasons(found) == ["unsafe-name"]
    assert found.logs.filter(pl.col("reason") == "unsafe-name")["bytes"].to_list() == [None]


def test_listed_twice(chain: Chain) -> None:
    log = chain.log(chain.end)
    chain.hour([log, log])
    found = chain.verify()
    assert found.ok  # as AWS has it, but it is told
    assert reasons(found, "note") == ["listed-twice"]
    assert found.log_counts.valid == 14


def test_foreign_log(chain: Chain) -> None:
    log = Chain(chain.root, account="999988887777").log(chain.end)
    chain.hour([log])
    assert reasons(chain.verify(accounts=ACCOUNT), "note") == ["foreign-log"]


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
    assert set(found.logs["status"]) == {"missing"}  # they lie elsewhere


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


def test_arguments(chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ct.verify(tmp_path / "none", keys=public_keys(private_key()))
    with pytest.raises(NotADirectoryError):
        ct.verify(chain.digests[0], keys=public_keys(private_key()))
    with pytest.raises(ValueError, match="before"):
        chain.verify(since="2024-03-01", until="2024-02-01")


def test_details_are_optional(chain: Chain) -> None:
    rewrite(chain.logs[3], ("Records", "records"))
    found = chain.verify(details=False)
    assert (found.digests.height, found.logs.height) == (0, 1)
    assert found.digest_counts.valid == 6
    assert found.coverage.height == 6
    with pytest.raises(ValueError, match="details"):
        ct.read(chain.root, verified=found)


def test_progress(chain: Chain) -> None:
    seen: list[Any] = []
    chain.verify(progress=seen.append)
    assert seen[-1].files == 18
    assert seen[-1].places == seen[-1].of == 1


def test_one_pass(chain: Chain) -> None:
    verifier = ct.Verifier(keys=public_keys(private_key()), signatures=chain.signatures)
    with pytest.raises(ValueError, match="nothing was read"):
        _ = verifier.verification
    events = ct.read(chain.root, verify=verifier)
    assert events.height == 12
    shutil.rmtree(chain.root / "AWSLogs" / ACCOUNT / "CloudTrail")  # not read again
    found = verifier.verification
    assert found.ok
    assert found.log_counts.valid == 12


def test_one_pass_of_a_query_that_stops_early(chain: Chain) -> None:
    verifier = ct.Verifier(keys=public_keys(private_key()), signatures=chain.signatures)
    assert ct.scan(chain.root, verify=verifier, since=FIRST).head(1).collect().is_empty()
    assert verifier.verification.ok


def test_one_pass_sees_what_is_stored(chain: Chain) -> None:
    rewrite(chain.logs[3], ("Records", "Records"), ('"eventID"', '"eventId"'))
    chain.logs[4].write_bytes(chain.logs[4].read_bytes() + b"junk")
    verifier = ct.Verifier(keys=public_keys(private_key()), signatures=chain.signatures)
    ct.read(chain.root, verify=verifier)
    assert reasons(verifier.verification) == ["hash", "trailing-bytes"]


def test_only_verified_files_are_read(chain: Chain) -> None:
    rewrite(chain.logs[3], ('"eventID"', '"eventId"'))
    chain.log(FIRST + HOUR, b'{"Records":[{"eventID":"x"}]}', number=7)
    found = chain.verify()
    report = ct.Report()
    events = ct.read(chain.root, verified=found, report=report)
    assert events.height == 11
    assert report.skipped["unverified"] == 2
    with pytest.raises(ValueError, match="below"):
        ct.read(chain.root.parent, verified=found)


def everything(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    made = Chain(tmp_path_factory.mktemp("small") / "archive")
    for _ in range(3):
        made.hour()
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), saved=st.booleans())
def test_any_change_is_found(small: Chain, data: st.DataObject, *, saved: bool) -> None:
    """Flip, insert or delete one byte of any file, remove or rename it: the archive is not valid any more."""
    paths = everything(small.root)
    path = data.draw(st.sampled_from(paths))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    action = data.draw(st.sampled_from(["flip", "insert", "delete", "remove", "rename"]))
    new = path
    try:
        if action == "flip":
            path.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
        elif action == "insert":
            path.write_bytes(whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at:])
        elif action == "delete":
            path.write_bytes(whole[:at] + whole[at + 1 :])
        elif action == "remove":
            path.unlink()
        else:
            new = path.rename(path.with_name(data.draw(st.sampled_from(["x.json.gz", f"x{path.name}", path.name[:-3]]))))
        found = small.verify(until=small.end, signatures=small.signatures if saved else None)
        same = path.exists() and gzip_text(path) == gzip.decompress(whole)
        if same:
            # The byte says nothing about the text: the time in the gzip header, or the bits that fill up the last byte.
            assert found.ok == saved, (action, at)
        elif saved:
            assert not found.ok, (action, at)
        else:
            assert found.errors > 1, (action, at)  # the newest digest has no signature anyway
    finally:
        new.unlink(missing_ok=True)
        path.write_bytes(whole)


def gzip_text(path: Path) -> bytes | None:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None


class Service:
    """Answers as boto3's clients do: a key as bytes, in two pages; metadata of objects."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, datetime, datetime]] = []
        self.region = ""

    def client(self, name: str, *, region_name: str) -> Service:
        assert name == "cloudtrail"
        self.region = region_name
        return self

    def list_public_keys(self, *, StartTime: datetime, EndTime: datetime, NextToken: str = "") -> dict[str, Any]:  # noqa: N803
        if NextToken:
            return {"PublicKeyList": []}
        self.asked.append((self.region, StartTime, EndTime))
        times = {"ValidityStartTime": FIRST - 24 * HOUR, "ValidityEndTime": FIRST + 24 * 30 * HOUR}
        return {
            "PublicKeyList": [{"Value": der(private_key()), "Fingerprint": "believed by nobody", **times}],
            "NextToken": "more",
        }


def test_fetched_keys_are_kept(chain: Chain, tmp_path: Path) -> None:
    service, cache = Service(), tmp_path / "keys.json"
    keys = ct.fetch_keys([REGION, "us-east-1"], since=FIRST, until=chain.end, cache=cache, session=service)
    assert service.asked == [(region, FIRST, chain.end + 2 * HOUR) for region in (REGION, "us-east-1")]
    assert chain.verify(keys=keys).ok
    assert chain.verify(keys=cache).ok
    assert len(ct.fetch_keys(REGION, since=FIRST + HOUR, until=chain.end, cache=cache, session=service)) == 2
    assert len(service.asked) == 2
    ct.fetch_keys(REGION, since=FIRST - HOUR, until=chain.end, cache=cache, session=service)
    assert len(service.asked) == 3
    ct.fetch_keys(REGION, since=FIRST - HOUR, until=chain.end, cache=cache, session=service)
    assert len(service.asked) == 3


class Bucket:
    """Answers as boto3's S3 client does."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def get_paginator(self, name: str) -> Bucket:
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        assert (Bucket, Prefix) == (BUCKET, "AWSLogs/")
        paths = [*self.chain.digests, *self.chain.logs]
        return [{"Contents": [{"Key": str(path.relative_to(self.chain.root))} for path in paths]}, {}]

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Metadata": self.chain.signatures[f"{Bucket}/{Key}"]}


def test_fetched_signatures(chain: Chain) -> None:
    assert chain.verify(signatures=ct.fetch_signatures(f"s3://{BUCKET}/AWSLogs/", client=Bucket(chain))).ok
