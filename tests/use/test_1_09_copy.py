"""1 of 9, item 9: what a copy writes beside other writers and after interruptions, and which files it keeps."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
from ctfast.sample import Sample
from loopback import Request
from mirrored import Mirrored, options_of
from proxy import Fault, before
from seaweed import Store
from synthetic import Bucket, served

NUMBER = count()
#: Seconds to wait for a condition.
PATIENCE = 60


@pytest.fixture(scope="module")
def archived(store: Store, sample: Sample) -> Mirrored:
    """The sample archive in its bucket, signatures in the metadata."""
    saved = json.loads(sample.signatures.read_text())
    metadata = {name.partition("/")[2]: value for name, value in saved.items()}
    bucket = f"use-1-09-{next(NUMBER)}"
    return Mirrored(sample.archive, bucket, store.upload(bucket, sample.archive, metadata))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def altered(path: Path) -> None:
    """Other content of the same size, and with the same time."""
    times = path.stat()
    path.write_bytes(bytes(byte ^ 0xFF for byte in path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_file_of_the_right_size_with_another_content_is_repaired(
    archived: Mirrored, store: Store, tmp_path: Path
) -> None:
    options = options_of(store.endpoint)
    folder = tmp_path / "archive"
    first = ct.copy(archived.url, folder, storage_options=options)
    assert (first.copied, first.compared) == (len(archived.keys), {"hash": 0, "size": 0})
    for key in archived.keys[:3]:
        altered(folder / key)
    again = ct.copy(archived.url, folder, storage_options=options)
    assert (again.copied, again.present) == (3, len(archived.keys) - 3)
    assert again.compared == {"hash": again.present, "size": 0}
    assert contents(folder) == contents(archived.folder)
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "archive.signatures.json"}


def test_a_copy_within_a_copy_loses_no_signature(
    archived: Mirrored, store: Store, sample: Sample, tmp_path: Path
) -> None:
    """Two copies at the same time, each of one account: the second begins and ends during the first."""
    options: dict[str, Any] = {"storage_options": options_of(store.endpoint)}
    seen = []

    def second(_: ct.CopyProgress) -> None:
        if not seen:
            seen.append(True)
            ct.copy(archived.url, tmp_path / "archive", accounts="444455556666", **options)

    ct.copy(archived.url, tmp_path / "archive", accounts="111122223333", progress=second, **options)
    saved = json.loads((tmp_path / "archive.signatures.json").read_text())
    assert saved.pop("format") == 2
    bucket = next(iter(json.loads(sample.signatures.read_text()))).partition("/")[0]
    renamed = {name.replace(archived.bucket, bucket): value for name, value in saved.items()}
    assert renamed == json.loads(sample.signatures.read_text())
    assert contents(tmp_path / "archive") == contents(archived.folder)


def test_two_copies_of_one_file_never_mix(archived: Mirrored, store: Store, tmp_path: Path) -> None:
    """The first copy is in the middle of a file when the second writes that file; then the first one fails."""
    key = next(key for key in archived.keys if "/CloudTrail/" in key)
    folder = tmp_path / "archive"
    with before(store.endpoint) as slow:
        slow.fault = lambda request: (
            Fault(cut=0.5, stall=True) if request.kind == "get" and request.key == key else Fault()
        )
        with copying(archived.url, folder, slow.endpoint) as first:
            until(lambda: bool(temporary(folder)), first)
            assert ct.copy(archived.url, folder, storage_options=options_of(store.endpoint)).bad.is_empty()
            assert contents_but_temporary(folder) == contents(archived.folder)
            first.kill()
            first.wait()
    assert contents_but_temporary(folder) == contents(archived.folder)


def test_a_planted_link_overwrites_nothing(archived: Mirrored, store: Store, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for key in archived.keys:
        place = tmp_path / "archive" / f"{key}.part"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(victim)
    linked = tmp_path / "archive" / archived.keys[0]
    linked.symlink_to(victim)
    ct.copy(archived.url, tmp_path / "archive", storage_options=options_of(store.endpoint))
    assert victim.read_text() == "precious"
    assert not linked.is_symlink()
    assert linked.read_bytes() == (archived.folder / archived.keys[0]).read_bytes()


def temporary(folder: Path) -> list[Path]:
    found = []
    for path in folder.rglob("*.part"):
        with suppress(FileNotFoundError):  # it may have its final name by now
            found += [path] * bool(path.stat().st_size)
    return found


def contents_but_temporary(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in contents(folder).items() if not name.endswith(".part")}


@contextmanager
def copying(url: str, folder: Path, endpoint: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ctfast", "copy", url, str(folder)]
    for name, value in options_of(endpoint).items():
        command += ["--storage-option", f"{name}={value}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGTERM, 143, "ctfast: ended by SIGTERM\n"),
        (signal.SIGINT, 130, "ctfast: interrupted\n"),
        (signal.SIGKILL, -9, ""),
    ],
    ids=["SIGTERM", "SIGINT", "SIGKILL"],
)
def test_what_ends_a_copy_leaves_whole_files_only(
    number: signal.Signals, code: int, words: str, archived: Mirrored, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    logs = [key for key in archived.keys if "/CloudTrail/" in key]

    def stalls(request: Request) -> Fault:
        return Fault(cut=0.5, stall=True) if request.kind == "get" and request.key in logs[::2] else Fault()

    def only_stalled() -> bool:
        """Whether no other file is under way: those come and go."""
        first = temporary(folder)
        time.sleep(0.3)
        return len(first) == len(logs[::2]) and temporary(folder) == first

    with before(store.endpoint) as slow:
        slow.fault = stalls
        with copying(archived.url, folder, slow.endpoint) as process:
            until(only_stalled, process)
            process.send_signal(number)
            assert process.communicate(timeout=PATIENCE)[1] == words
            assert process.returncode == code
    whole = contents(archived.folder)
    left = contents(folder)
    assert len(temporary(folder)) == (len(logs[::2]) if number == signal.SIGKILL else 0)
    assert all(content == whole[name] for name, content in left.items() if not name.endswith(".part"))
    done = ct.copy(archived.url, folder, storage_options=options_of(store.endpoint))
    assert done.bad.is_empty()
    assert contents(folder) == whole
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "archive.signatures.json"}


class _Tagged(Bucket):
    """A bucket whose ETags are not the MD5 of the content."""

    tag = "0" * 32

    def _listing(self, request: Request) -> str:
        return super()._listing(request).replace('<ETag>"0"', f'<ETag>"{self.tag}"')

    def _object(self, request: Request) -> bytes:
        return super()._object(request).replace(b'"0"\r\n', b'"%s"\r\n' % self.tag.encode())


def small(kind: type[Bucket]) -> Bucket:
    return kind(accounts=1, regions=["eu-west-1"], first=date(2025, 3, 12), days=2, files=5, digests=False)


def test_a_content_that_no_etag_tells_is_remembered(tmp_path: Path) -> None:
    """As with SSE-KMS: the ETag looks like an MD5 but is not one."""
    folder = tmp_path / "archive"
    with served(small(_Tagged)) as bucket:
        options = options_of(bucket.endpoint)
        assert ct.copy("s3://bucket", folder, storage_options=options).copied == 10
        again = ct.copy("s3://bucket", folder, storage_options=options)
        assert (again.copied, again.present, again.compared) == (0, 10, {"hash": 10, "size": 0})
        altered(next(folder.rglob("*.json.gz")))
        assert ct.copy("s3://bucket", folder, storage_options=options).copied == 1
        assert len({path.read_bytes() for path in folder.rglob("*.json.gz")}) == 1
        # Replace all objects by versions of the same size.
        bucket.tag = "1" * 32  # type: ignore[attr-defined]
        assert ct.copy("s3://bucket", folder, storage_options=options).copied == 10
        assert ct.copy("s3://bucket", folder, storage_options=options).present == 10
        # Files from elsewhere are fetched once more; then their contents are known.
        (tmp_path / "archive.contents.sqlite").unlink()
        assert ct.copy("s3://bucket", folder, storage_options=options).copied == 10
        assert ct.copy("s3://bucket", folder, storage_options=options).present == 10


def test_what_was_compared_by_size_alone_is_counted_so(tmp_path: Path) -> None:
    """As with objects from multipart uploads, if nothing was noted."""
    folder = tmp_path / "archive"
    with served(small(Bucket)) as bucket:
        options = options_of(bucket.endpoint)
        ct.copy("s3://bucket", folder, storage_options=options)
        assert ct.copy("s3://bucket", folder, storage_options=options).compared == {"hash": 10, "size": 0}
        (tmp_path / "archive.contents.sqlite").unlink()
        assert ct.copy("s3://bucket", folder, storage_options=options).compared == {"hash": 0, "size": 10}


def test_the_record_of_contents_has_a_format(tmp_path: Path) -> None:
    with served(small(_Tagged)) as bucket:
        options = options_of(bucket.endpoint)
        ct.copy("s3://bucket", tmp_path / "archive", storage_options=options)
        with sqlite3.connect(tmp_path / "archive.contents.sqlite") as database:
            assert database.execute("PRAGMA user_version").fetchone() == (2,)
            assert database.execute("SELECT count(*), min(length(md5)) FROM object").fetchone() == (10, 32)
            database.execute("PRAGMA user_version = 3")
        database.close()
        with pytest.raises(ValueError, match=r"archive\.contents\.sqlite is of format 3, made by a newer ctfast"):
            ct.copy("s3://bucket", tmp_path / "archive", storage_options=options)


def test_a_copy_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    """An empty folder was once left, and beside it a file without signatures."""
    nobody = {"endpoint_url": "http://127.0.0.1:9", "skip_signature": "true", "max_retries": "0"}
    with pytest.raises(ct.SourceError, match="refused"):
        ct.copy("s3://logs", tmp_path / "new" / "archive", storage_options=nobody)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").mkdir()
    with pytest.raises(ct.SourceError, match="refused"):
        ct.copy("s3://logs", tmp_path / "kept", storage_options=nobody)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
