"""Item 12 of 2 of 9: progress shows a total and the remaining time if the total can be known."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
from ctfast.cli.progress import _listed, progress
from ctfast.sample import Sample

SINCE = {"since": "2025-03-12T14:00", "regions": ("eu-west-1",), "accounts": None, "on_error": "raise"}


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of sources without a log
@pytest.mark.parametrize("reading", [{}, SINCE], ids=["all", "some"])
@pytest.mark.parametrize("kind", ["folder", "files", "folders", "keys"])
def test_the_total_is_what_the_report_counts_as_listed(
    kind: str, reading: dict[str, Any], sample: Sample, tmp_path: Path
) -> None:
    files = sorted(map(str, sample.archive.rglob("*.json.gz")))
    (tmp_path / "keys").write_text("\n".join(files))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("no log")
    source: Any = {
        "folder": sample.archive,
        "files": files,
        "folders": [sample.archive, tmp_path / "other"],
        "keys": ct.KeyList(tmp_path / "keys"),
    }[kind]
    report = ct.Report()
    ct.read(source, report=report, **reading)
    assert [*_listed(source, reading)][-1] == report.files.listed > 0


def test_an_inventory_on_disk_has_a_total(tmp_path: Path) -> None:
    folder = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/12"
    key = f"{folder}/111122223333_CloudTrail_eu-west-1_20250312T0000Z_Ab12.json.gz"
    rows = [f'"logs","{key.replace("Ab12", f"Ab{number}")}","100"' for number in range(30)] + ['"logs","notes.txt","5"']
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    manifest = {
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "sourceBucket": "logs",
        "destinationBucket": "arn:aws:s3:::logs",
        "files": [{"key": "data.csv.gz"}],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert [*_listed(ct.Inventory(tmp_path / "manifest.json"), {})][-1] == 31


@pytest.mark.parametrize(
    "source",
    [
        "s3://amzn-s3-demo-bucket/AWSLogs/",
        ct.Inventory("s3://amzn-s3-demo-bucket/manifest.json"),
        ct.KeyList(iter(["one"])),
        ct.KeyList("-"),
    ],
    ids=str,
)
def test_nothing_is_counted_that_would_cost_requests_or_be_lost(source: Any) -> None:
    assert [*_listed(source, {})] == []


def test_a_checkpoint_has_no_total(sample: Sample, tmp_path: Path) -> None:
    assert [*_listed(sample.archive, {"checkpoint": ct.Checkpoint(tmp_path / "state")})] == []


def test_nothing_is_counted_without_a_terminal(sample: Sample) -> None:
    with progress(sample.archive, {}) as shown:
        assert shown is None


@pytest.mark.skipif(os.name != "posix", reason="terminals as Unix has them")
@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_the_total_and_what_was_looked_at(width: int, sample: Sample) -> None:
    import pty  # noqa: PLC0415  # Unix only

    terminal, child = pty.openpty()
    command = [sys.executable, "-m", "ctfast", "info", *[str(sample.archive)] * 20]
    text = b""
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(width), "NO_COLOR": "1"}
    with subprocess.Popen(command, stdin=child, stdout=subprocess.DEVNULL, stderr=child, env=environment) as process:
        os.close(child)
        while True:
            try:
                text += os.read(terminal, 65536)
            except OSError:  # on Linux, this is the end of the output
                break
        os.close(terminal)
        assert process.wait(60) == 0
    shown = re.findall(r"([\d,]+) of 1,860 files, ([\d,]+) records, [\d.]+ [kM]?B", text.decode())
    assert shown
    assert shown[-1] == ("1,860", "20,780")
    assert " left" in text.decode()
