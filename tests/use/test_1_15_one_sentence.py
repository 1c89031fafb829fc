"""1 of 9, item 15: a full disk, a damaged file of signatures, an odd target of a copy: one sentence, exit code 2."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample
from mirrored import make_archive, options_of
from synthetic import Bucket, served


def ctfast(*arguments: str | Path) -> Result:
    """The command line in this process; uncaught exceptions are raised."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def says(result: Result, *words: str) -> None:
    """One sentence on standard error, nothing on standard output, exit code 2."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("ctfast: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with served(
        Bucket(accounts=1, regions=["eu-west-1"], first=date(2025, 3, 12), days=2, files=150, digests=False)
    ) as running:
        yield running


def copy(bucket: Bucket, target: str | Path) -> Result:
    options = [f"--storage-option={name}={value}" for name, value in options_of(bucket.endpoint).items()]
    return ctfast("copy", "s3://bucket", target, *options)


# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=10k", "tmpfs", disk],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs a disk of its own: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Fill the disk, leaving this many bytes free."""
    filler = disk / "filler"
    free = 0
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                free += file.write(bytes(4096))
        except OSError:
            file.truncate(max(free - leave, 0))
    return filler


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_result_that_does_not_fit(small_disk: Path, tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", 300)
    target = small_disk / "x.ndjson"
    target.write_text("before")
    says(ctfast("scan", archive, "-o", target), "No space left on device", str(target))
    assert target.read_text() == "before"
    assert names(small_disk) == {"x.ndjson"}


def test_a_page_that_does_not_fit(small_disk: Path, sample: Sample) -> None:
    filler = fill(small_disk, 4096)
    page = small_disk / "page.html"
    says(
        ctfast("verify", sample.archive, "--keys", sample.keys, "--signatures", sample.signatures, "--html", page),
        "No space left on device",
        str(page),
    )
    assert names(small_disk) == {filler.name}


def test_a_copy_that_does_not_fit(small_disk: Path, bucket: Bucket) -> None:
    """The copy ends at once, instead of with one finding for each object."""
    filler = fill(small_disk, 20 * 4096)
    says(copy(bucket, small_disk / "archive"), "No space left on device", str(small_disk / "archive"))
    assert not list(small_disk.rglob("*.part"))
    filler.unlink()
    assert copy(bucket, small_disk / "archive").exit_code == 2  # 300 files of 4 kB
    assert ct.read(small_disk / "archive").height == len(list(small_disk.rglob("*.json.gz")))


def test_a_checkpoint_that_does_not_fit(small_disk: Path, tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", 300)
    filler = fill(small_disk, 4096)
    checkpoint, parts = small_disk / "c.checkpoint", tmp_path / "parts"
    says(
        ctfast("scan", archive, "--checkpoint", checkpoint, "-o", parts, "--format", "ndjson"), str(checkpoint), "full"
    )
    filler.unlink()
    assert ctfast("scan", archive, "--checkpoint", checkpoint, "-o", parts, "--format", "ndjson").exit_code == 0
    written = [json.loads(line) for part in parts.glob("*.ndjson") for line in part.read_text().splitlines()]
    assert len({row["eventName"] for row in written}) == len(written) == 900


# Signatures

BROKEN: dict[str, bytes | None] = {
    "folder": None,
    "empty": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"a\xff": null}',
    "a list": b"[]",
    "a text": b'"signatures.json"',
    "a number": b"7",
    "null": b"null",
    "deep": b"[" * 100_000,
    "a long number": b'{"b/k": ' + b"9" * 10_000 + b"}",
    "a value that is a number": b'{"b/k": 7}',
    "a value that is a list": b'{"b/k": []}',
    "a list in vain": b'{"b/k": [1]}',
    "metadata that are a list": b'{"b/k": {"Metadata": [1]}}',
    "a signature that is a number": b'{"b/k": {"signature": 7}}',
    "an algorithm that is an object": b'{"b/k": {"signature": "00", "signature-algorithm": {}}}',
    "a time that is a list": b'{"b/k": {"signature": "00", "backfill-generation-timestamp": [1]}}',
}


@pytest.fixture
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "archive.signatures.json"
    content = BROKEN[request.param]
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("broken", BROKEN, indirect=True)
def test_verify_with_broken_signatures(broken: Path, sample: Sample) -> None:
    says(ctfast("verify", sample.archive, "--keys", sample.keys, "--signatures", broken), str(broken))


@pytest.mark.parametrize("broken", BROKEN, indirect=True)
def test_copy_with_broken_signatures(broken: Path, bucket: Bucket) -> None:
    before = None if broken.is_dir() else broken.read_bytes()
    requests = bucket.traffic.requests["get"]
    says(copy(bucket, broken.parent / "archive"), str(broken))
    assert bucket.traffic.requests["get"] == requests, "told before the work, and not after it"
    assert before is None or broken.read_bytes() == before


@pytest.mark.parametrize("broken", [name for name in BROKEN if name != "a text"], indirect=True)
def test_verify_with_broken_keys(broken: Path, sample: Sample) -> None:
    says(ctfast("verify", sample.archive, "--keys", broken))


KEYS: dict[str, Any] = {
    "a list of numbers": [7],
    "a name of itself": "keys.json",
    "a list that is an object": {"PublicKeyList": {}},
    "a list that is a number": {"PublicKeyList": 7},
    "keys that are numbers": {"PublicKeyList": [7]},
    "a value that is null": {"PublicKeyList": [{"Value": None}]},
    "a value that is a number": {"PublicKeyList": [{"Value": 7}]},
    "a time that is a list": {"PublicKeyList": [{"Value": "AAAA", "ValidityStartTime": [], "ValidityEndTime": []}]},
    "a time that is none": {"PublicKeyList": [{"Value": "AAAA", "ValidityStartTime": 1e300, "ValidityEndTime": 1}]},
    "regions of numbers": {"eu-west-1": [7]},
}


@pytest.mark.parametrize("kind", KEYS)
def test_verify_with_keys_of_other_types(
    kind: str, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("keys.json").write_text(json.dumps(KEYS[kind]))
    says(ctfast("verify", sample.archive, "--keys", "keys.json"), "keys.json")


# Places for a copy


@pytest.mark.parametrize("target", [".", "./", "../archive", "../archive/.", "below/.."])
def test_a_copy_to_an_existing_folder(
    target: str, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signatures are beside the folder, under its real name; within it, they would be read as a log."""
    (tmp_path / "archive" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "archive")
    done = copy(bucket, target)
    assert done.exit_code == 0
    assert "archive.signatures.json" in done.stderr
    assert (tmp_path / "archive.signatures.json").read_text() == '{\n "format": 2\n}\n'
    assert ct.read(tmp_path / "archive").height == len(bucket)
    assert {path.name for path in tmp_path.iterdir()} == {
        "archive",
        "archive.signatures.json",
        "archive.contents.sqlite",
    }


def test_a_copy_to_an_impossible_place(bucket: Bucket, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    gets = bucket.traffic.requests["get"]
    says(copy(bucket, "/"), "name a folder below it")
    says(copy(bucket, file), f"{file}: Not a directory")
    says(copy(bucket, file / "archive"), "Not a directory")
    says(copy(bucket, ""), "an argument is empty")
    assert bucket.traffic.requests["get"] == gets
    assert names(tmp_path) == {"file"}
