"""Item 9 of 1 of 9: rows that could not be written to standard output do not count as read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ctfast as ct
from ctfast.sample import Sample


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_commits_nothing(unbuffered: str, sample: Sample, tmp_path: Path) -> None:
    """With PYTHONUNBUFFERED, as in many containers, a write was once cut off silently, and its rows counted as read."""
    state = tmp_path / "state"
    command = [sys.executable, "-m", "ctfast", "scan", str(sample.archive), "--checkpoint", str(state)]
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert os.read(process.stdout.fileno(), 1000)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
    assert ct.read(sample.archive, checkpoint=ct.Checkpoint(state)).height == sample.records


@pytest.mark.parametrize("words", ["-h", "--version", "scan --help", "columns"])
@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (">/dev/full", "ctfast: No space left on device\n"),
        (">&-", "ctfast: standard output: closed when the command began (name a file, or write to /dev/null)\n"),
    ],
)
def test_help_when_standard_output_fails(words: str, where: str, sentence: str) -> None:
    """If standard output failed, the help once ended with a traceback, or with 0 and no output."""
    run = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m ctfast {words} {where}', sys.executable],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (run.returncode, run.stdout, run.stderr) == (2, "", sentence)
