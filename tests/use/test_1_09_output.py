"""1 of 9, item 9: what a command writes with -o, even with other writers, and however it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

EVENT = {"eventVersion": "1.08", "eventTime": "2025-03-12T00:00:00Z", "eventName": "ListBuckets"}
COMMAND = [sys.executable, "-m", "ctfast"]
#: Seconds to wait for a condition.
PATIENCE = 60


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """An archive of one record."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"Records": [EVENT]}))
    return folder


def ctfast(*arguments: str | Path, stdin: str | None = None) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


def started(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """The command line in a separate process."""
    return subprocess.Popen([*COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, text=True, **options)


@contextmanager
def endless(sample: Sample, target: Path) -> Iterator[subprocess.Popen[str]]:
    """A scan that has begun to write, and would run for minutes."""
    names = target.parent.parent / "names"
    names.write_text(f"{sample.archive}\n" * 20_000)
    with names.open() as lines, started("scan", "-", "-o", target, stdin=lines) as process:
        try:
            until(lambda: any(path != target and path.stat().st_size for path in target.parent.iterdir()), process)
            yield process
        finally:
            process.kill()


def until(condition: Any, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [("SIGTERM", 143, "ctfast: ended by SIGTERM\n"), ("SIGINT", 130, "ctfast: interrupted\n")],
)
def test_a_signal_leaves_no_half_a_file(number: str, code: int, words: str, sample: Sample, tmp_path: Path) -> None:
    target = tmp_path / "out" / "x.ndjson"
    target.parent.mkdir()
    target.write_text("before")
    with endless(sample, target) as process:
        process.send_signal(getattr(signal, number))
        assert process.communicate(timeout=PATIENCE)[1] == words
        assert process.returncode == code
    assert names(target.parent) == ["x.ndjson"]
    assert target.read_text() == "before"


def test_sigterm_is_heard_where_ctrl_c_is_not(sample: Sample, tmp_path: Path) -> None:
    """A script's background jobs ignore SIGINT."""
    script = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    listed = tmp_path / "names"
    listed.write_text(f"{sample.archive}\n" * 20_000)
    target = tmp_path / "out" / "x.ndjson"
    target.parent.mkdir()
    command = [sys.executable, "-c", script, *COMMAND, "scan", "-", "-o", str(target)]
    with listed.open() as lines, subprocess.Popen(command, stdin=lines, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: names(target.parent), process)
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=PATIENCE)[1] == "ctfast: ended by SIGTERM\n"
            assert process.returncode == 143
        finally:
            process.kill()
    assert names(target.parent) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at the open files of a process in /proc")
def test_sigterm_ends_a_query_that_holds_the_main_thread(sample: Sample, tmp_path: Path) -> None:
    listed = tmp_path / "names"
    listed.write_text(f"{sample.archive}\n" * 20_000)
    query = "SELECT eventName, count(*) FROM events GROUP BY eventName"
    with listed.open() as lines, started("sql", "-", query, stdin=lines, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: any(_reads(process.pid, sample.archive) for _ in range(100)), process)
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=PATIENCE)[1] == "ctfast: ended by SIGTERM\n"
            assert process.returncode == 143
        finally:
            process.kill()


def _reads(process: int, archive: Path) -> bool:
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            if file.readlink().is_relative_to(archive):
                return True
    return False


def test_two_scans_to_one_file_never_mix_and_what_kill_9_leaves_is_removed(sample: Sample, logs: Path) -> None:
    target = logs.parent / "out" / "x.ndjson"
    target.parent.mkdir()

    def scan() -> None:
        assert ctfast("scan", logs, "-o", target).exit_code == 0
        assert json.loads(target.read_text())["eventName"] == "ListBuckets"

    with endless(sample, target) as process:
        scan()
        assert len(names(target.parent)) == 2  # the other scan is still writing its temporary file
        assert process.poll() is None
        process.kill()
        process.wait()
    assert len(names(target.parent)) == 2
    assert json.loads(target.read_text())["eventName"] == "ListBuckets"
    scan()
    assert names(target.parent) == ["x.ndjson"]


@pytest.mark.parametrize("suffix", [".part", ".tmp", "~"])
def test_a_planted_link_overwrites_nothing(suffix: str, logs: Path) -> None:
    victim, target = logs.parent / "victim", logs.parent / "x.csv"
    victim.write_text("precious")
    (logs.parent / f"x.csv{suffix}").symlink_to(victim)
    assert ctfast("scan", logs, "-o", target).exit_code == 0
    assert victim.read_text() == "precious"
    assert target.is_file()


WRITES = {
    "scan": ["scan", "SOURCE", "-o", "TARGET"],
    "sql": ["sql", "SOURCE", "SELECT eventName FROM events", "-o", "TARGET"],
    "info": ["info", "SOURCE", "-o", "TARGET", "--format", "ndjson"],
    "match": ["match", "SOURCE", "--filter-pattern", '{ $.eventName = "*" }', "-o", "TARGET"],
    "count": ["match", "SOURCE", "--pack", "cis", "--count", "-o", "TARGET"],
}


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_result_does_not_feed_the_next_run(verb: str, earlier: bool, logs: Path) -> None:  # noqa: FBT001
    target = logs / "deeper" / "out.ndjson"
    target.parent.mkdir()
    if earlier:
        target.write_text(json.dumps(EVENT) + "\n")
    before = target.read_bytes() if earlier else None
    done = ctfast(*(part.replace("SOURCE", str(logs)).replace("TARGET", str(target)) for part in WRITES[verb]))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"ctfast: {target} lies in {logs}, where it would be read as a log: write it elsewhere\n"
    assert names(target.parent) == ["out.ndjson"] * earlier
    assert before == (target.read_bytes() if earlier else None)


def test_wherever_the_result_is_named_from(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(logs)
    link = logs.parent / "link"
    link.symlink_to(logs)
    (logs / "linked.ndjson").symlink_to(logs.parent / "outside.ndjson")
    (logs.parent / "outside.ndjson").write_text("")
    for source, target in [
        (".", "out.ndjson"),
        (link, logs / "out.ndjson"),
        (logs, link / "out.ndjson"),
        (logs, logs / "linked.ndjson"),
        (f"{logs.parent}/s*", logs / "out.json.gz"),
    ]:
        done = ctfast("scan", source, "-o", target)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), (source, target)
        assert "where it would be read as a log" in done.stderr
    assert ctfast("scan", "-", "-o", logs / "out.ndjson", stdin=f"{logs}\n").exit_code == 2
    assert names(logs) == ["a.json", "linked.ndjson"]


def test_what_is_read_is_not_overwritten(logs: Path) -> None:
    file = logs / "a.json"
    before = file.read_bytes()
    done = ctfast("scan", file, "-o", file)
    assert (done.exit_code, done.stderr) == (2, f"ctfast: {file} is read itself: write to another file\n")
    assert file.read_bytes() == before


def test_a_result_that_nothing_reads_may_lie_in_the_archive(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(logs)
    for _ in range(2):
        assert ctfast("scan", ".", "-o", "out.parquet", "--columns", "eventName").exit_code == 0
        assert ct.read(logs).height == 1


def test_verify_writes_no_log_either(sample: Sample) -> None:
    common = ["verify", sample.archive, "--keys", sample.keys, "--signatures", sample.signatures]
    done = ctfast(*common, "-o", sample.archive / "findings.json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "where it would be read as a log" in done.stderr
    assert not (sample.archive / "findings.json").exists()


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_a_full_device_is_reported(form: str, logs: Path) -> None:
    done = ctfast("scan", logs, "-o", "/dev/full", "--format", form)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
