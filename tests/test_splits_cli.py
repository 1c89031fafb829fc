"""``ctfast splits`` and ``ctfast split-run``: an archive through lines of text into Parquet files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.sample import Sample

COLUMNS = ["eventID", "eventName", "record"]


def ctfast(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ctfast", *map(str, arguments)], input=stdin, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def lines(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("splits") / "splits.ndjson"
    chosen = ["--target", "400000", "--region", "us-east-1", "--columns", ",".join(COLUMNS)]
    done = ctfast("splits", sample.archive, *chosen, "-o", path)
    assert (done.returncode, done.stdout) == (0, b"")
    return path.read_bytes()


def test_splits_through_text_are_the_archive(sample: Sample, lines: bytes, tmp_path: Path) -> None:
    assert lines.count(b"\n") > 1
    folder = tmp_path / "lake"
    # Two runs share a folder, and the second is given a split that the first has written.
    first, *others = lines.splitlines(keepends=True)
    one = ctfast("split-run", "-", "-o", folder, stdin=first)
    two = ctfast("split-run", "-", "-o", folder, stdin=b"\n".join([first, *others]))
    assert (one.returncode, two.returncode) == (0, 0)
    messages = [ct.SplitMessage.from_json(line) for line in two.stdout.decode().splitlines()]
    assert one.stdout == two.stdout.splitlines(keepends=True)[0]
    assert [message.split for message in messages] == [json.loads(line)["id"] for line in lines.splitlines()]
    parts = [folder / file.path for message in messages for file in message.files]
    assert sorted(parts) == sorted(folder.glob("month=*/*"))
    rows = pl.concat([pl.read_parquet(part, hive_partitioning=False).select(COLUMNS) for part in parts])
    expected = ct.read(sample.archive, regions="us-east-1").select(COLUMNS)
    assert_frame_equal(rows.cast(expected.schema), expected)
    assert two.stderr.decode().endswith(f"{len(messages)} splits: {expected.height:,} rows in {folder}\n")


def test_a_table_shows_how_large_they_are(sample: Sample) -> None:
    done = ctfast("splits", sample.archive, "-f", "table")
    [split] = ct.splits(sample.archive)
    assert done.returncode == 0
    assert done.stdout.decode().split()[:4] == ["split", "files", "bytes", "rows"]
    assert done.stdout.decode().split()[-4:] == [split.id, str(split.files), str(split.bytes), str(split.rows)]


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"{}\n", "<stdin>, line 1: no split, or a damaged one: Split.json() and ctfast splits write them"),
        (b"\n\xff\n", "<stdin>, line 2: no UTF-8"),
        (b'{"format": 99}\n', "<stdin>, line 1: "),
    ],
)
def test_what_is_no_split_is_named_by_its_line(tmp_path: Path, stdin: bytes, words: str) -> None:
    done = ctfast("split-run", "-", "-o", tmp_path / "lake", stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"ctfast: {words}")
    assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "lake").exists()


def test_a_bad_file_is_reported_by_the_process_that_reads_it(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.json").write_text('{"Records": [{"eventName": "A"}]}')
    (tmp_path / "logs" / "b.json").write_text('{"Records": [{"eventName": "B"}')
    lines = ctfast("splits", tmp_path / "logs", "--on-error", "collect").stdout
    done = ctfast("split-run", "-", "-o", tmp_path / "lake", stdin=lines)
    assert (done.returncode, done.stdout.count(b"\n")) == (1, 1)
    assert "b.json" in done.stderr.decode()
    # Nothing is read a second time, and what was bad is still bad; a line that is given twice is one split.
    again = ctfast("split-run", "-", "-o", tmp_path / "lake", stdin=lines + lines)
    assert (again.returncode, again.stdout) == (1, done.stdout + done.stdout)
    assert b"was written before, with 1 bad file and 0 bad records" in again.stderr
    assert again.stderr.decode().endswith(f"1 split: 2 rows in {tmp_path / 'lake'}\n")
    stops = ctfast("splits", tmp_path / "logs").stdout
    done = ctfast("split-run", "-", "-o", tmp_path / "other", stdin=stops)
    assert (done.returncode, done.stdout) == (2, b"")


def test_nothing_to_divide_is_explained(sample: Sample) -> None:
    done = ctfast("splits", sample.archive, "--region", "us-west-2")
    assert (done.returncode, done.stdout) == (2, b"")
    assert "ctfast: no file has the region 'us-west-2'" in done.stderr.decode()


def test_what_names_its_files_once_is_refused() -> None:
    done = ctfast("splits", "--from", "keys", "-", stdin=b"a.json.gz\n")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"names its files once only" in done.stderr
