"""Archives that are verified in their bucket, compared with the same archives on disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample
from seaweed import ACCESS, SECRET, Store

_numbers = iter(range(1000))


class Kept:
    """An archive on disk and in a bucket, where the signatures are the metadata of its digests."""

    def __init__(self, store: Store, sample: Sample, folder: Path) -> None:
        self.store, self.sample = store, sample
        self.bucket = f"verified-{next(_numbers)}"
        self.folder = folder / self.bucket
        shutil.copytree(sample.archive, self.folder)
        saved: Mapping[str, Any] = json.loads(sample.signatures.read_bytes())
        metadata = {name.partition("/")[2]: value for name, value in saved.items()}
        self.keys = store.upload(self.bucket, self.folder, metadata)
        self.options = {
            "aws_endpoint_url": store.endpoint,
            "aws_access_key_id": ACCESS,
            "aws_secret_access_key": SECRET,
            "aws_region": "us-east-1",
        }

    @property
    def origin(self) -> str:
        """What the digests call the bucket."""
        return f"s3://{self.sample.bucket}"

    def verify(self, prefix: str = "", **options: Any) -> ct.Verification:
        """Verify the bucket, whose name is not the one in the digests."""
        return ct.verify(
            f"s3://{self.bucket}/{prefix}",
            keys=self.sample.keys,
            relocated_from=f"{self.origin}/{prefix.rstrip('/')}",
            storage_options=self.options,
            **options,
        )

    def on_disk(self, **options: Any) -> ct.Verification:
        return ct.verify(
            self.folder, keys=self.sample.keys, signatures=self.sample.signatures, relocated_from=self.origin, **options
        )

    def remove(self, key: str) -> None:
        self.store.client.delete_object(Bucket=self.bucket, Key=key)
        (self.folder / key).unlink()

    def put(self, key: str, body: bytes) -> None:
        self.store.put(self.bucket, key, body)
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with the paths on disk, without the column that says where a signature was found."""
        text = [name for name in ("file", "digest", "missing_digest") if name in frame.columns]
        return frame.drop("signature", strict=False).with_columns(
            pl.col(text).str.replace(f"s3://{self.bucket}", str(self.folder), literal=True)
        )

    def assert_same(self, found: ct.Verification, expected: ct.Verification) -> None:
        assert (found.digest_counts, found.log_counts) == (expected.digest_counts, expected.log_counts)
        for name in ("digests", "logs", "unlisted", "findings"):
            assert_frame_equal(self.of(getattr(found, name)), self.of(getattr(expected, name)), check_row_order=False)
        assert_frame_equal(found.coverage, expected.coverage, check_row_order=False)


@pytest.fixture
def kept(store: Store, sample: Sample, tmp_path: Path) -> Kept:
    return Kept(store, sample, tmp_path)


def logs(kept: Kept) -> list[str]:
    return [key for key in kept.keys if "/CloudTrail/" in key]


def digests(kept: Kept) -> list[str]:
    return [key for key in kept.keys if "/111122223333/CloudTrail-Digest/eu-west-1/" in key]


def test_a_bucket_is_what_its_mirror_is(kept: Kept) -> None:
    for options in ({}, {"since": "2025-03-12T00:00:00", "until": "2025-03-12T12:00:00"}, {"accounts": "444455556666"}):
        found = kept.verify(**options)
        assert found.ok
        kept.assert_same(found, kept.on_disk(**options))
        assert found.digests["signature"].unique().to_list() == ["metadata"]
    assert "kept with the object" in found.summary()
    assert kept.verify("AWSLogs/").ok


def test_what_is_lost_and_altered_is_found(kept: Kept) -> None:
    kept.remove(logs(kept)[3])
    kept.put(logs(kept)[5], (kept.folder / logs(kept)[6]).read_bytes())
    kept.put(logs(kept)[0].replace(".json.gz", "x.json.gz"), (kept.folder / logs(kept)[1]).read_bytes())
    kept.remove(digests(kept)[7])
    found = kept.verify()
    assert not found.ok
    assert set(found.findings["reason"]) == {"hash", "missing-digest", "missing-log", "unlisted"}
    kept.assert_same(found, kept.on_disk())


def test_without_metadata_the_next_digest_vouches(kept: Kept) -> None:
    key = digests(kept)[4]
    kept.put(key, (kept.folder / key).read_bytes())
    found = kept.verify()
    assert found.ok
    assert found.digests.filter(pl.col("signature") != "metadata").select("key", "signature").rows() == [
        (key, "successor")
    ]


def test_a_false_signature_proves_nothing(kept: Kept) -> None:
    key = digests(kept)[4]
    metadata = {"signature": "00" * 256, "signature-algorithm": "SHA256withRSA"}
    kept.store.put(kept.bucket, key, (kept.folder / key).read_bytes(), metadata)
    found = kept.verify()
    assert found.digests.filter(pl.col("status") != "valid")["key"].to_list() == [key]
    assert set(found.findings["reason"]) == {"previous-signature"}


def test_a_bucket_is_verified_while_it_is_read(kept: Kept) -> None:
    source = f"s3://{kept.bucket}/"
    verifier = ct.Verifier(keys=kept.sample.keys, relocated_from=kept.origin)
    report = ct.Report()
    events = ct.read(source, verify=verifier, storage_options=kept.options, report=report)
    found = verifier.verification
    assert found.ok
    kept.assert_same(found, kept.on_disk())
    assert ct.read(source, verified=found, storage_options=kept.options).equals(events)
    kept.remove(logs(kept)[3])
    kept.put(logs(kept)[5], b"")
    only = ct.read(source, verified=kept.verify(), storage_options=kept.options, report=report)
    assert set(only["file"]) < set(events["file"])
    assert report.skipped == {"unverified": 1}


def test_what_is_not_there_is_reported(kept: Kept) -> None:
    with pytest.raises(ct.SourceError) as caught:
        ct.verify("s3://no-such-bucket", keys=kept.sample.keys, storage_options=kept.options)
    assert caught.value.kind == "no-such-bucket"
    with pytest.raises(FileNotFoundError):
        kept.verify("nothing/")


def test_the_command_line_takes_a_bucket(kept: Kept) -> None:
    options = [word for name, value in kept.options.items() for word in ("--storage-option", f"{name}={value}")]
    words = [
        "verify",
        f"s3://{kept.bucket}",
        "--keys",
        str(kept.sample.keys),
        "--relocated-from",
        kept.origin,
        *options,
    ]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "VALID from " in result.output
    assert SECRET not in result.output
