"""Copies: every byte and every signature, whatever fails in between."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.sample import Sample
from loopback import Request
from mirrored import Mirrored, options_of
from proxy import Fault, Proxy, before
from seaweed import Store
from synthetic import Bucket, served


@pytest.fixture(scope="module")
def metadata(sample: Sample) -> dict[str, dict[str, str]]:
    """The signatures of the sample archive, by key."""
    saved = json.loads(Path(sample.signatures).read_text())
    return {name.partition("/")[2]: value for name, value in saved.items()}


@pytest.fixture(scope="module")
def signed(store: Store, sample: Sample, metadata: dict[str, dict[str, str]]) -> Mirrored:
    """The sample archive in its bucket, signatures in the metadata, and objects that do not belong to it."""
    bucket = next(iter(json.loads(Path(sample.signatures).read_text()))).partition("/")[0]
    root = Path(sample.archive)
    folder = root / bucket if (root / bucket).is_dir() else root
    keys = store.upload(bucket, folder, metadata)
    store.put(bucket, "AWSLogs/111122223333/Config/eu-west-1/2025/3/12/x.json.gz", b"no log of CloudTrail")
    store.put(bucket, "index.html", b"nor this")
    return Mirrored(folder, bucket, keys)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_can_be_verified(signed: Mirrored, store: Store, sample: Sample, tmp_path: Path) -> None:
    done = ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(store.endpoint))
    assert contents(tmp_path / "archive") == contents(signed.folder)
    assert (done.copied, done.present, done.bad.height) == (len(signed.keys), 0, 0)
    assert done.listed == len(signed.keys) + done.skipped.get("name", 0)
    assert done.bytes == sum(map(len, contents(signed.folder).values()))
    assert json.loads(Path(done.signatures).read_text()) == {"format": 2} | json.loads(
        Path(sample.signatures).read_text()
    )
    copied = ct.verify(tmp_path / "archive", keys=sample.keys, signatures=done.signatures)
    original = ct.verify(signed.folder, keys=sample.keys, signatures=sample.signatures)
    assert copied.summary() == original.summary()
    assert copied.checked
    assert_frame_equal(copied.logs.drop("file", "digest"), original.logs.drop("file", "digest"))


def test_a_copy_goes_on_where_it_stopped(signed: Mirrored, store: Store, tmp_path: Path) -> None:
    options = options_of(store.endpoint)
    first = ct.copy(signed.url, tmp_path / "archive", storage_options=options)
    kept = contents(tmp_path / "archive")
    digests = [key for key in kept if "/CloudTrail-Digest/" in key]
    logs = [key for key in kept if "/CloudTrail/" in key]
    (tmp_path / "archive" / logs[0]).unlink()
    (tmp_path / "archive" / logs[1]).write_bytes(b"")
    saved = json.loads(Path(first.signatures).read_text())
    lost = f"{signed.bucket}/{digests[0]}"
    whole = dict(saved)
    del saved[lost]
    Path(first.signatures).write_text(json.dumps(saved))
    with before(store.endpoint) as proxy:
        again = ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(proxy.endpoint))
        assert proxy.traffic.requests["get"] == 3  # a file that is missing, one that is short, a signature
    assert (again.copied, again.present) == (3, len(signed.keys) - 3)
    assert contents(tmp_path / "archive") == kept
    assert json.loads(Path(again.signatures).read_text()) == whole


def outcomes(done: ct.Copied) -> Counter[tuple[str, str | None]]:
    """The rows of the objects by outcome, after a check that they add up to the counts of the copy."""
    rows = done.files_scan().collect()
    by_outcome = Counter(rows["outcome"])
    of_present = Counter(rows.filter(outcome="present")["reason"])
    assert rows.filter(pl.col("outcome") != "pruned")["file"].is_unique().all()
    assert by_outcome.total() - by_outcome["pruned"] == done.listed
    assert (by_outcome["copied"], by_outcome["present"]) == (done.copied, done.present)
    assert rows.filter(outcome="copied")["size"].sum() == done.bytes
    assert {name: of_present[name] for name in ("hash", "size")} == done.compared
    assert Counter(rows.filter(outcome="skipped")["reason"]) == done.skipped
    assert Counter(rows.filter(outcome="pruned")["reason"]) == done.pruned
    bad = rows.filter(outcome="bad").select("file", kind="reason").sort("file")
    assert bad.height == done.failed
    assert_frame_equal(bad.join(done.bad, on="file", how="semi"), done.bad.select("file", "kind").sort("file"))
    counted = rows.filter(pl.col("outcome").is_in(["copied", "present"]))
    assert counted.select("records_read", "records_bad", "records_skipped").null_count().row(0) == (counted.height,) * 3
    return Counter(rows.select("outcome", "reason").rows())


def test_each_object_has_one_row(signed: Mirrored, store: Store, tmp_path: Path) -> None:
    def again() -> ct.Copied:
        options = {"storage_options": options_of(store.endpoint), "files": True}
        return ct.copy(signed.url, tmp_path / "archive", **options)

    count = len(signed.keys)
    done = again()
    assert outcomes(done)["copied", None] == count
    assert outcomes(done)["skipped", "name"] == 1
    assert outcomes(again())["present", "hash"] == count
    root = tmp_path / "archive"
    logs = [key for key in contents(root) if "/CloudTrail/" in key]
    digest = next(key for key in contents(root) if "/CloudTrail-Digest/" in key)
    (root / logs[0]).unlink()
    (root / logs[1]).write_bytes(b"")
    (root / logs[2]).write_bytes(bytes((root / logs[2]).stat().st_size))
    saved = json.loads(Path(done.signatures).read_text())
    del saved[f"{signed.bucket}/{digest}"]
    Path(done.signatures).write_text(json.dumps(saved))
    found = outcomes(again())
    assert {reason: number for (outcome, reason), number in found.items() if outcome == "copied"} == dict.fromkeys(
        [None, "size", "hash", "signature"], 1
    )
    assert found["present", "hash"] == count - 4
    with pytest.raises(ct.ArgumentError, match="a pickle of its result"):
        pickle.loads(pickle.dumps(done)).files_scan()
    assert pickle.loads(pickle.dumps(done)).copied == done.copied
    with pytest.raises(ct.ArgumentError, match="files=True"):
        ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(store.endpoint)).files_scan()


def test_what_is_asked_for_is_copied_with_its_digests(signed: Mirrored, store: Store, tmp_path: Path) -> None:
    chosen = {"accounts": "444455556666", "regions": "eu-west-1", "kinds": "CloudTrail"}
    done = ct.copy(signed.url, tmp_path / "archive", files=True, storage_options=options_of(store.endpoint), **chosen)
    assert set(outcomes(done)) == {("copied", None), ("pruned", "account"), ("skipped", "name")}
    found = contents(tmp_path / "archive")
    expected = {
        key
        for key in signed.keys
        if "/444455556666/" in key and "/eu-west-1/" in key and ("/CloudTrail/" in key or "/CloudTrail-Digest/" in key)
    }
    assert set(found) == expected
    assert {"CloudTrail", "CloudTrail-Digest"} == {key.split("/")[2] for key in found}
    assert done.pruned


FAULTS = {
    "503": lambda request: Fault(answer=(503, "SlowDown")) if request.attempt == 1 else Fault(),
    "reset": lambda request: Fault(cut=0.5, reset=True) if request.kind == "get" and request.attempt <= 2 else Fault(),
    "truncated": lambda request: Fault(cut=0.3) if request.kind == "get" and request.attempt == 1 else Fault(),
    "short": lambda request: Fault(short=9) if request.kind == "get" and request.attempt == 1 else Fault(),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_passes_changes_nothing(signed: Mirrored, proxy: Proxy, tmp_path: Path, name: str) -> None:
    proxy.fault = FAULTS[name]
    done = ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(proxy.endpoint))
    assert contents(tmp_path / "archive") == contents(signed.folder)
    assert done.bad.is_empty()
    assert done.requests.retries >= len(signed.keys)


def test_what_cannot_be_copied_is_named_and_leaves_nothing(signed: Mirrored, proxy: Proxy, tmp_path: Path) -> None:
    denied = signed.keys[3]

    def fault(request: Request) -> Fault:
        return Fault(answer=(403, "AccessDenied")) if request.key == denied else Fault()

    proxy.fault = fault
    done = ct.copy(signed.url, tmp_path / "archive", files=True, storage_options=options_of(proxy.endpoint))
    assert outcomes(done)["bad", "access-denied"] == 1
    assert done.bad.select("file", "kind").rows() == [(f"{signed.url}/{denied}", "access-denied")]
    expected = contents(signed.folder)
    del expected[denied]
    assert contents(tmp_path / "archive") == expected
    proxy.fault = lambda _: Fault()
    assert ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(proxy.endpoint)).copied == 1
    assert contents(tmp_path / "archive") == contents(signed.folder)


def test_keys_that_lead_elsewhere_are_not_followed(store: Store, tmp_path: Path) -> None:
    name = "111122223333_CloudTrail_eu-west-1_20250312T0000Z_Ab12cd34Ef56gh78.json.gz"
    store.create("odd-paths")
    for key in (f"a//{name}", f"b/{name}"):
        store.put("odd-paths", key, b"x")
    done = ct.copy("s3://odd-paths", tmp_path / "archive", storage_options=options_of(store.endpoint))
    assert set(contents(tmp_path / "archive")) <= {f"b/{name}", f"a/{name}"}
    assert done.copied + done.bad.height == done.listed


def test_more_than_can_be_named_are_counted(tmp_path: Path) -> None:
    bucket = Bucket(
        accounts=1, regions=["eu-west-1"], first=date(2025, 3, 1), days=1, files=20_003, prefix="a//", digests=False
    )
    with served(bucket):
        options = options_of(bucket.endpoint)
        done = ct.copy("s3://any", tmp_path / "archive", files=True, storage_options=options)
        assert (done.copied, done.bad.height, done.unnamed, done.failed, done.listed) == (0, 20_000, 3, 20_003, 20_003)
        assert outcomes(done)["bad", "unsafe-key"] == 20_003
        flags = [word for name, value in options.items() for word in ("--storage-option", f"{name}={value}")]
        command = [sys.executable, "-m", "ctfast", "copy", "s3://any", str(tmp_path / "again"), *flags]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "\nand 19,983 more\n" in ran.stderr
    assert "20,003 failed" in ran.stderr


def test_a_file_in_the_way(signed: Mirrored, store: Store, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "AWSLogs").write_text("in the way")
    done = ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(store.endpoint))
    assert done.copied == 0
    assert done.bad.height == len(signed.keys)
    assert set(done.bad["kind"]) == {"unwritable"}


def test_progress_and_totals(signed: Mirrored, store: Store, tmp_path: Path) -> None:
    seen: list[ct.CopyProgress] = []
    ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(store.endpoint), progress=seen.append)
    ct.copy(signed.url, tmp_path / "archive", storage_options=options_of(store.endpoint), progress=seen.append)
    size = sum(map(len, contents(signed.folder).values()))
    for run in (seen[: len(signed.keys)], seen[len(signed.keys) :]):
        assert [now.files for now in run] == list(range(1, len(signed.keys) + 1))
        assert run[-1].bytes == size
        assert {now.of_files for now in run} <= {None, len(signed.keys)}
        assert {now.of_bytes for now in run} <= {None, size}


def test_a_copy_from_what_is_no_bucket(tmp_path: Path, store: Store) -> None:
    with pytest.raises(ValueError, match=r"copy\(\): source must be a bucket"):
        ct.copy("folder", tmp_path)
    with pytest.raises(ct.SourceError):
        ct.copy("s3://no-such-bucket-at-all", tmp_path / "archive", storage_options=options_of(store.endpoint))
