"""`Lake.compact`: the same events in fewer files, whoever commits, deletes or is killed meanwhile."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
from ctfast._lake import compact
from ctfast._lake.audit import note
from ctfast._lake.table import LostRaceError, Table
from ctfast._later import pq
from test_lake import holds, twice


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return twice(tmp_path, files=8)


@pytest.fixture
def lake(tmp_path: Path, archive: Path) -> ct.Lake:
    """A lake of many small parts."""
    lake = ct.Lake(tmp_path / "lake")
    for n, split in enumerate(ct.splits(archive, target=20_000)):
        lake.commit([split.write_parquet(lake.path)], run="small", n=n)
    return lake


def age(lake: ct.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that is there be two days old."""
    for path in [path for end in ("parquet", "keys", "index") for path in lake.path.rglob(f"part-*.{end}")]:
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    monkeypatch.setattr(compact, "is_past", lambda _: True)


def test_the_same_events_in_fewer_files(lake: ct.Lake, archive: Path) -> None:
    before = lake.info()
    rows = lake.scan().sort("eventID", "file").collect()
    done = lake.compact()
    assert (done.parts, done.into, lake.info().parts) == (before.parts, 1, 1)
    assert lake.scan().sort("eventID", "file").collect().equals(rows)
    holds(lake, archive)
    assert lake.compact().parts == 0
    assert [entry["action"] for entry in lake.audit()] == ["compact"]


def test_copies_of_what_was_joined_are_found(lake: ct.Lake, archive: Path) -> None:
    lake.compact()
    (archive / "AWSLogs").rename(archive.parent / "moved")
    done = lake.ingest(archive.parent / "moved")
    assert (done.stored, done.duplicates) == (0, 640)


def test_what_was_replaced_goes_a_day_later(lake: ct.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = lake.info().parts
    done = lake.compact()
    assert (done.deleted, done.left) == (0, parts)
    age(lake, monkeypatch)
    done = lake.compact()
    assert (done.deleted, done.left) == (parts, 0)
    live = {part.path for part in Table(lake.path).open().parts()}
    assert {path.relative_to(lake.path).as_posix() for path in lake.path.glob("month=*/*.parquet")} == live
    keys = {path.relative_to(lake.path / "_ctfast/keys").with_suffix(".parquet") for path in lake.path.rglob("*.keys")}
    assert {path.as_posix() for path in keys} == live


def test_old_parts_that_a_run_has_found_again_stay(
    lake: ct.Lake, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They once went between the comparison of a commit and its end, and the lake named parts that were gone."""
    late = twice(tmp_path / "late", files=2)
    [split] = ct.splits(late)
    message = split.write_parquet(lake.path)  # and its run was killed
    age(lake, monkeypatch)
    assert split.write_parquet(lake.path) == message
    assert lake.compact().left >= 1
    assert all((lake.path / part.path).exists() for part in message.files)
    age(lake, monkeypatch)
    lake.compact()
    with pytest.raises(FileNotFoundError):
        lake.commit([message], run="late", n=0)
    holds(lake, archive)
    lake.ingest(late)
    assert lake.scan().collect().height == lake.info().records


def test_what_is_not_of_a_lake_stays(lake: ct.Lake) -> None:
    folder = next(lake.path.glob("month=*"))
    others = [folder / name for name in (".DS_Store", "README", "notes-mine.txt", "_SUCCESS", "part-1.csv")]
    for other in others:
        other.write_text("of somebody else")
        os.utime(other, (1, 1))
    lake.compact()
    lake.retain(7, delete=True)
    assert all(other.exists() for other in others)


def test_copies_of_a_commit_that_was_overtaken_go_a_day_later(lake: ct.Lake) -> None:
    left = lake.path / "_ctfast/copies/month=2025-03/run-0-00000000000000000000000000000000.parquet"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"")
    before = lake.compact().left
    os.utime(left, (1, 1))
    assert lake.compact().left == before - 1
    assert not left.exists()


def test_a_run_that_was_killed_leaves_nothing_for_longer(
    lake: ct.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [split] = ct.splits(twice(tmp_path / "other", files=1))
    message = split.write_parquet(lake.path)
    lake.compact()
    assert (lake.path / message.files[0].path).exists()
    age(lake, monkeypatch)
    lake.compact()
    assert not (lake.path / message.files[0].path).exists()
    # Whoever comes back writes it again.
    assert lake.commit([split.write_parquet(lake.path)], run="late", n=0).records == 560


def test_a_retention_before_the_commit_wins(lake: ct.Lake) -> None:
    """Both remove the same parts: the later one has to look again."""
    snapshot = Table(lake.path).open()
    parts = snapshot.parts()
    lake.retain(7, delete=True)
    with pytest.raises(LostRaceError):
        snapshot.commit([], ["x"], removed=parts)
    assert lake.info().records == 0
    assert lake.compact().into == 0


def test_overtaken_by_a_retention_it_leaves_nothing(lake: ct.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retention deletes all events after the joined part was written, and before it is committed."""

    def overtaken(*arguments: Any, **facts: Any) -> str:
        monkeypatch.setattr(compact, "note", note)
        lake.retain(7, delete=True)
        return note(*arguments, **facts)

    monkeypatch.setattr(compact, "note", overtaken)
    done = lake.compact()
    assert (done.parts, done.into, done.left) == (0, 0, 0)
    assert [*lake.path.glob("month=*/*"), *lake.path.rglob("*.keys")] == []


@pytest.mark.parametrize("moment", ["read_schema", "ParquetFile"])
def test_parts_that_a_retention_removes_meanwhile(moment: str, lake: ct.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """One deletes all events when a part is opened, first to group it and then to join it."""
    usual = getattr(pq, moment)

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(pq, moment, usual)
        lake.retain(7, delete=True)
        return usual(*arguments)

    monkeypatch.setattr(pq, moment, late)
    assert lake.compact().into == 0
    assert lake.info().deleted == 560
    assert [*lake.path.glob("month=*/*"), *lake.path.rglob("*.keys")] == []


def test_a_part_that_is_gone_is_told(lake: ct.Lake) -> None:
    place = next(lake.path.glob("month=*/*.parquet"))
    place.unlink()
    with pytest.raises(FileNotFoundError, match=place.name):
        lake.compact()


def test_two_at_once_and_killed(lake: ct.Lake, archive: Path) -> None:
    script = "import sys, ctfast as ct; ct.Lake(sys.argv[1]).compact()"
    command = [sys.executable, "-c", script, str(lake.path)]
    chance = random.Random(5)
    for _ in range(3):
        both = [subprocess.Popen(command) for _ in range(2)]
        time.sleep(chance.uniform(0.5, 2))
        for each in both:
            each.kill()
            each.wait()
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for each in both:
        _, words = each.communicate(timeout=60)
        assert each.returncode == 0, words
    holds(lake, archive)
    assert lake.info().parts == 1


def test_groups_have_bounds(lake: ct.Lake, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [part.size for part in Table(lake.path).open().parts()]
    monkeypatch.setattr(compact, "_SMALL", max(sizes) + 1)
    monkeypatch.setattr(compact, "_MOST", 2 * max(sizes))
    lake.compact()
    assert 1 < lake.info().parts < len(sizes)
    holds(lake, archive)
