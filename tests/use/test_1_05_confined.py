"""Item 5 of 1 of 9: only what the documents say is opened, written, started and connected to, as seen by Linux."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
from ctfast.sample import Sample
from signed import BUCKET, FIRST, HOUR, Chain
from watched import CALLS, CREATED, MOVED, OPEN, WRITTEN, Watch

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs inotify")
seccomp = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() not in CALLS, reason="needs the numbers of system calls"
)
pytestmark = linux

SECRET = b'{"Records":[{"eventID":"outside"}]}'


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Watch]:
    """A folder beside the archive whose files must not be opened."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "log.json.gz").write_bytes(gzip.compress(SECRET))
    (folder / "part.csv").write_bytes(b'"logs","key.json.gz"\n')
    with Watch(folder, events=OPEN) as watch:
        yield watch


def test_the_watch_sees(outside: Watch, tmp_path: Path) -> None:
    assert ct.read(tmp_path / "outside" / "log.json.gz").height == 1
    assert outside.seen() == {f"{tmp_path}/outside/log.json.gz"}


# Which files are opened


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        (BUCKET, "../outside/log.json.gz"),
        (BUCKET, "AWSLogs/../../outside/log.json.gz"),
        (BUCKET, "{}/outside/log.json.gz"),
        ("..", "outside/log.json.gz"),
        ("../outside", "log.json.gz"),
        ("outside", "log.json.gz"),
        ("mapped", "../outside/log.json.gz"),
        ("mapped", "x/../../outside/log.json.gz"),
    ],
)
@pytest.mark.parametrize("as_log", [True, False])
def test_names_in_digests_open_nothing_outside(
    bucket: str, key: str, outside: Watch, tmp_path: Path, *, as_log: bool
) -> None:
    chain = Chain(tmp_path / "archive")
    (tmp_path / "mapped").mkdir()
    named = key.format(tmp_path)
    if as_log:
        digest = hashlib.sha256(SECRET).hexdigest()
        chain.hour([{"s3Bucket": bucket, "s3Object": named, "hashValue": digest, "hashAlgorithm": "SHA-256"}])
    else:
        chain.hour()
        chain.hour(previousDigestS3Bucket=bucket, previousDigestS3Object=named)
    found = chain.verify(map={"mapped": tmp_path / "mapped"})
    assert outside.seen() == set()
    assert not found.ok


def test_a_mapped_folder_is_opened(outside: Watch, tmp_path: Path) -> None:
    chain = Chain(tmp_path / "archive")
    digest = hashlib.sha256(SECRET).hexdigest()
    chain.hour([{"s3Bucket": "mapped", "s3Object": "log.json.gz", "hashValue": digest, "hashAlgorithm": "SHA-256"}])
    assert chain.verify(map={"mapped": tmp_path / "outside"}).logs["status"].to_list() == ["valid"]
    assert f"{tmp_path}/outside/log.json.gz" in outside.seen()


@pytest.mark.parametrize("key", ["../outside/part.csv", "{}/outside/part.csv", "x/../../outside/part.csv"])
def test_names_in_inventories_open_nothing_outside(key: str, outside: Watch, tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    folder.mkdir()
    checksum = hashlib.md5((tmp_path / "outside" / "part.csv").read_bytes(), usedforsecurity=False).hexdigest()
    outside.seen()
    files = [{"key": key.format(tmp_path), "MD5checksum": checksum}]
    manifest = {"fileFormat": "CSV", "fileSchema": "Bucket, Key", "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises((ct.CloudTrailError, OSError, ValueError)):
        list(ct.Inventory(folder / "manifest.json"))
    assert outside.seen() == set()


@pytest.mark.parametrize("bucket", ["/", "..", "../outside", "file:///"])
def test_messages_open_no_file_of_the_disk(bucket: str, outside: Watch, tmp_path: Path) -> None:
    key = f"{tmp_path}/outside/111122223333_CloudTrail_us-east-1_20250312T0000Z_Ab12.json.gz"
    shutil.copy(tmp_path / "outside" / "log.json.gz", key)
    outside.seen()
    report = ct.Report()
    messages = ct.Messages([json.dumps({"s3Bucket": bucket, "s3ObjectKey": [key, "../outside/log.json.gz"]})])
    assert ct.read(messages, on_error="collect", report=report).is_empty()
    assert set(report.bad["kind"]) == {"invalid-message"}
    assert outside.seen() == set()


def test_folders_that_cannot_hold_what_is_asked_for_are_not_listed(sample: Sample, tmp_path: Path) -> None:
    shutil.copytree(sample.archive, tmp_path / "archive")
    other = tmp_path / "archive" / "AWSLogs" / "444455556666"
    with Watch(other, events=OPEN) as watch:
        assert ct.read(tmp_path / "archive", accounts="111122223333").height
        assert watch.seen() == set()
        assert ct.read(tmp_path / "archive", accounts="444455556666").height
        assert watch.seen() != set()


# What is written, started and asked

VERBS = {
    "info": ("info", "{archive}"),
    "scan to a file": ("scan", "{archive}", "-o", "{out}/events.parquet"),
    "scan with a checkpoint": ("scan", "{archive}", "--checkpoint", "{out}/state", "-o", "{out}/events.parquet"),
    "sql": ("sql", "{archive}", "SELECT count(*) FROM events"),
    "match": ("match", "{archive}", "--pack", "cis", "--count"),
    "verify": ("verify", "{archive}", "--keys", "{keys}", "--signatures", "{signatures}", "--html", "{out}/page.html"),
    "demo": ("demo", "--keep", "{out}/sample"),
}
WRITES = {
    "scan to a file": {"events.parquet"},
    "scan with a checkpoint": {"state", "events.parquet"},
    "verify": {"page.html"},
    "demo": {"sample"},
}


@seccomp
@pytest.mark.parametrize("verb", VERBS)
def test_local_files_need_no_network_and_no_program_and_are_written_where_it_is_said(
    verb: str, sample: Sample, tmp_path: Path
) -> None:
    places = {name: tmp_path / name for name in ("home", "temporary", "here", "out")}
    for place in places.values():
        place.mkdir()
    values = {"archive": sample.archive, "keys": sample.keys, "signatures": sample.signatures, "out": places["out"]}
    arguments = [part.format_map(values) for part in VERBS[verb]]
    given = {"HOME": str(places["home"]), "TMPDIR": str(places["temporary"]), "PYTHONDONTWRITEBYTECODE": "1"}
    others = [place for name, place in places.items() if name != "out"]
    folders = [folder for folder, _, _ in os.walk(sample.archive)]
    with (
        Watch(*others, events=CREATED | WRITTEN | MOVED) as watch,
        Watch(*map(Path, folders), events=CREATED | WRITTEN | MOVED) as archive,
    ):
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("watched.py"), *arguments],
            capture_output=True,
            timeout=120,
            check=False,
            cwd=places["here"],
            env=os.environ | given,
        )
        assert done.returncode == 0, done.stderr
        # DuckDB has a temporary folder of its own, for what does not fit in memory.
        seen = {place for place in watch.seen() if verb != "sql" or not place.startswith(str(places["temporary"]))}
        assert seen == set()
        assert archive.seen() == set()
        assert not list(places["temporary"].iterdir())
    assert {path.name for path in places["out"].iterdir()} == WRITES.get(verb, set())


@seccomp
@pytest.mark.parametrize(
    "what",
    [
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.execv('/bin/true', ['true'])",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
    ],
)
def test_the_confinement_confines(what: str) -> None:
    script = f"from watched import forbid_programs_and_connections as forbid; forbid(); {what}"
    given = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False, env=given)
    assert done.returncode == -signal.SIGSYS


def test_import_writes_nothing_and_asks_nobody() -> None:
    """Dependencies may do more; they are imported first, so that only ctfast's own effects are seen."""
    script = """
        import sys, click, duckdb, polars, pyarrow.parquet, rich, cryptography.hazmat.primitives.serialization
        seen = []
        def hear(event, given):
            if event == "open" and isinstance(given[2], int) and given[2] & 3:
                seen.append((event, given[0]))
            if event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "sqlite3.")):
                seen.append((event, given))
        sys.dont_write_bytecode = True
        sys.addaudithook(hear)
        import ctfast
        print(seen)
    """
    lines = [line[8:] for line in script.splitlines()]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


# Secrets

OPTIONS = {
    "secret_access_key": "Wa7erfall/secret",
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "endpoint_url": "http://127.0.0.1:9",
}


def test_secrets_stand_in_no_representation(tmp_path: Path) -> None:
    given: dict[str, Any] = {"storage_options": OPTIONS}
    report = ct.Report()
    with ct.Checkpoint(tmp_path / "state") as checkpoint:
        shown = [
            ct.scan("s3://amzn-s3-demo-bucket/", **given).explain(),
            repr(ct.scan("s3://amzn-s3-demo-bucket/", **given)),
            repr(ct.stream("s3://amzn-s3-demo-bucket/", **given)),
            repr(ct.stream("s3://amzn-s3-demo-bucket/", checkpoint=checkpoint, **given)),
            repr(checkpoint),
        ]
    with pytest.raises((ct.CloudTrailError, OSError)) as failed:
        ct.read("s3://amzn-s3-demo-bucket/", report=report, storage_options={**OPTIONS, "max_retries": "0"})
    shown += [str(failed.value), repr(failed.value), repr(report), str(vars(failed.value))]
    assert not [text for text in shown if OPTIONS["secret_access_key"] in text]


# The scope of a verdict


def test_a_verdict_is_about_what_was_asked_for(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "archive")
    for _ in range(3):
        chain.hour()
    other = Chain(tmp_path / "archive", region="us-east-2")
    other.log(FIRST + HOUR / 2, SECRET)
    assert not chain.verify().ok
    found = chain.verify(regions=chain.region)
    assert found.ok
    assert f"regions {chain.region}" in found.summary()
    assert found.summary().splitlines()[-1].startswith("of what was asked for: ")
