"""`Lake.retain`, `hold` and `release`: what is deleted is in no file any more, and what is held stays."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast._lake import retention
from ctfast._lake.audit import note
from ctfast._lake.table import LostRaceError, Table
from ctfast._later import pq as lake_pq
from ctfast._store.store import index_path, keys_path
from ctfast.cli import main
from test_lake import event, put

NOW = datetime.now(UTC)
DAYS = [1, 5, 29, 31, 40, 75, 400]
GET0 = ct.FilterPattern("{ $.eventName = Get0 }")


def old(number: int) -> dict[str, object]:
    """An event whose id tells its age in days."""
    age = DAYS[number % len(DAYS)]
    time = (NOW - timedelta(days=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event(number, eventID=f"{age:04}-{number:06}", eventTime=time)


def is_old(text: str, days: int = 30) -> bool:
    return int(text[:4]) > days


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    archive = tmp_path / "archive"
    events = [old(number) for number in range(210)]
    put(archive, "one", events[:150], day="2025/03/12")
    put(archive, "two", events[100:], day="2025/04/12")
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(archive)
    return lake


def everything(lake: ct.Lake) -> str:
    """All that the files of a lake say: Parquet decoded with its footers, and the others as they are."""
    found = []
    for path in sorted(path for path in lake.path.rglob("*") if path.is_file()):
        if path.suffix == ".parquet":
            file = pq.ParquetFile(path)
            found.append(json.dumps(file.read().to_pylist(), default=str))
            found.append(str(file.metadata.to_dict()))
        else:
            found.append(path.read_bytes().decode("latin-1"))
    return "\n".join(found)


def ids(lake: ct.Lake) -> list[str]:
    return lake.scan().select("eventID").collect().to_series().sort().to_list()


def test_what_is_deleted_is_in_no_file_any_more(lake: ct.Lake, tmp_path: Path) -> None:
    before = ids(lake)
    gone, kept = [each for each in before if is_old(each)], [each for each in before if not is_old(each)]
    assert all(each in everything(lake) for each in before)
    dry = lake.retain(30)
    assert (dry.rows, dry.held, dry.is_done) == (len(gone), 0, False)
    assert ids(lake) == before
    done = lake.retain(30, delete=True)
    assert (done.rows, done.is_done, done.left) == (len(gone), True, 0)
    assert ids(lake) == kept
    text = everything(lake)
    assert [each for each in gone if each in text] == []
    assert all(each in text for each in kept)
    info = lake.info()
    assert info.read == info.records + info.duplicates + info.bad + info.deleted
    # The files are known, and are not read again.
    assert lake.ingest(tmp_path / "archive").files == 0
    assert [entry["action"] for entry in lake.audit()] == ["retain"]
    assert lake.retain(30, delete=True).rows == 0


def test_a_part_that_is_written_again_daily_keeps_a_short_name(tmp_path: Path) -> None:
    times = [(NOW - timedelta(days=60 - number)).strftime("%Y-%m-%dT%H:%M:%SZ") for number in range(14)]
    put(tmp_path / "archive", "one", [event(number, eventTime=time) for number, time in enumerate(times)])
    put(tmp_path / "archive", "two", [event(99, eventTime=NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))], day="2025/03/13")
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "archive")
    for number in range(14):
        lake.retain(60 - number, delete=True)
        assert lake.info().records == 14 - number
        names = [path.name for path in lake.path.rglob("part-*.parquet")]
        assert all(re.fullmatch(r"part-[0-9a-f]{32}-\d+(-[0-9a-f]{32})?\.parquet", name) for name in names), names
    # A name that was given once is not given to other rows.
    removed = [path for entry in lake.audit() for path in entry["removed"]]
    assert len(set(removed)) == len(removed) == 14


def test_keys_go_with_their_rows(lake: ct.Lake, tmp_path: Path) -> None:
    lake.retain(30, delete=True)
    rows = lake.info().records
    assert sum(path.stat().st_size - 16 for path in lake.path.rglob("*.keys")) == 36 * rows
    # A copy of what stays is still a copy, and what was deleted is new.
    put(tmp_path / "again", "one", [old(number) for number in range(210)])
    done = lake.ingest(tmp_path / "again")
    assert (done.duplicates, done.stored) == (rows, 210 - rows)


def test_a_hold_wins(lake: ct.Lake) -> None:
    before = lake.scan().select("eventID", "eventName").collect()
    held = before.filter(pl.col("eventName") == "Get0")["eventID"].to_list()
    lake.hold("case 7", where=GET0)
    lake.hold("all", where=GET0 | ~GET0)
    assert lake.holds() == {"case 7": GET0, "all": GET0 | ~GET0}
    assert lake.retain(30, delete=True).rows == 0
    with pytest.raises(ct.ArgumentError, match="there is a hold of this name already"):
        lake.hold("case 7", where=GET0)
    lake.release("all")
    with pytest.raises(ct.ArgumentError, match="there is no hold of this name"):
        lake.release("all")
    done = lake.retain(30, delete=True)
    assert done.held == sum(map(is_old, held))
    assert ids(lake) == sorted(each for each in before["eventID"] if not is_old(each) or each in held)
    lake.release("case 7")
    lake.retain(30, delete=True)
    assert not any(map(is_old, ids(lake)))
    actions = [entry["action"] for entry in lake.audit()]
    assert actions == ["hold", "hold", "release", "retain", "release", "retain"]


def test_a_hold_that_would_keep_nothing_is_refused(lake: ct.Lake) -> None:
    with pytest.raises(ct.ArgumentError, match=r"where would keep no event.*usrIdentity") as caught:
        lake.hold("case", where=ct.FilterPattern('{ $.usrIdentity.userName = "alice" }'))
    assert caught.value.argument == "where"
    assert lake.holds() == {}


def test_a_hold_that_is_placed_meanwhile_wins(lake: ct.Lake) -> None:
    """A retention commits to the version in which it has found its rows, and a hold makes another one."""
    snapshot = Table(lake.path).open()
    lake.hold("late", where=GET0)
    with pytest.raises(LostRaceError):
        snapshot.commit([], ["x"], removed=snapshot.parts())
    assert len(ids(lake)) == 210


def test_holds_need_raw(tmp_path: Path) -> None:
    put(tmp_path / "archive", "one", [old(5)])
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "archive", raw=False)
    lake.hold("x", where=GET0)
    with pytest.raises(ValueError, match="was made without raw"):
        lake.retain(30)
    lake.release("x")
    assert lake.retain(30, delete=True).rows == 1


def test_copies_of_what_is_held_stay_and_others_go(tmp_path: Path) -> None:
    """They are told from others by id and account, and without an id by their place."""
    nameless = [old(5) | {"userAgent": who} for who in ("alice", "bob")]
    for each in nameless:
        del each["eventID"]
    mine, other = old(5) | {"userAgent": "alice"}, old(5) | {"recipientAccountId": "999999999999"}
    archive, lake = tmp_path / "archive", ct.Lake(tmp_path / "lake")
    first = put(archive, "one", [*nameless, mine, other])
    lake.ingest(archive)
    put(archive, "two", [mine, other])
    os.utime(first, (1, 1))  # it is read again, and has copies only
    assert lake.ingest(archive).duplicates == 6
    lake.hold("alice", where=ct.FilterPattern("{ $.userAgent = alice }"))
    assert lake.retain(30, delete=True).held == 2
    kept = lake.copies().select("eventID", "recipientAccountId", "record").collect().rows()
    account = mine["recipientAccountId"]
    assert sorted(kept, key=str) == [(mine["eventID"], account, 0), (mine["eventID"], account, 2), (None, account, 0)]
    lake.release("alice")
    assert lake.retain(30, delete=True).rows == 2
    assert lake.copies().collect().height == 0


@pytest.mark.parametrize(
    ("columns", "missing"),
    [(["raw"], "eventTime"), (["file", "record"], "eventTime"), (["raw", "eventTime"], "eventID")],
)
def test_a_lake_with_fewer_columns(columns: list[str], missing: str, lake: ct.Lake, tmp_path: Path) -> None:
    few = ct.Lake(tmp_path / "few")
    splits = ct.splits(tmp_path / "archive", columns=columns)
    few.commit([split.write_parquet(few.path) for split in splits], run="run", n=1)
    few.hold("x", where=GET0)
    with pytest.raises(ValueError, match=f"was made without {missing}, which tells"):
        few.retain(30)
    few.release("x")
    if missing == "eventTime":
        with pytest.raises(ValueError, match=r"was made without eventTime.*nothing can be deleted"):
            few.retain(30, delete=True)
    else:
        assert few.retain(30, delete=True).rows == lake.retain(30, delete=True).rows


def test_overtaken_by_a_hold_it_leaves_no_copies(lake: ct.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.hold("some", where=GET0)

    def overtaken(*arguments: Any, **facts: Any) -> str:
        monkeypatch.setattr(retention, "note", note)
        lake.hold("all", where=GET0 | ~GET0)
        return note(*arguments, **facts)

    monkeypatch.setattr(retention, "note", overtaken)
    before = set(lake.path.glob("_ctfast/copies/*/*"))
    assert lake.retain(30, delete=True).rows == 0
    assert set(lake.path.glob("_ctfast/copies/*/*")) == before


def test_a_retention_beside_another_one(lake: ct.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one removes the parts when the first of them is opened."""
    usual = lake_pq.ParquetFile

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(lake_pq, "ParquetFile", usual)
        ct.Lake(lake.path).retain(30, delete=True)
        return usual(*arguments)

    monkeypatch.setattr(lake_pq, "ParquetFile", late)
    lake.retain(8, delete=True)
    assert not any(is_old(each, 8) for each in ids(lake))
    assert [entry["days"] for entry in lake.audit()] == [30, 8]


def test_parts_that_no_version_names(lake: ct.Lake, tmp_path: Path) -> None:
    """A killed run leaves some: a new one may still be needed, an old one is not."""
    put(tmp_path / "other", "one", [old(number) for number in range(1_000, 1_070)])
    [split] = ct.splits(tmp_path / "other")
    message = split.write_parquet(lake.path)
    assert lake.retain(30, delete=True).left > 0
    for path in [path for part in message.files for path in (part.path, keys_path(part.path), index_path(part.path))]:
        os.utime(lake.path / path, (1, 1))
    assert lake.retain(30, delete=True).left == 0
    text = everything(lake)
    assert not [
        number for number in range(1_000, 1_070) if is_old(str(name := old(number)["eventID"])) and name in text
    ]


def test_killed_at_any_moment(lake: ct.Lake, tmp_path: Path) -> None:
    before = ids(lake)
    script = "import sys, ctfast as ct; ct.Lake(sys.argv[1]).retain(30, delete=True)"
    command = [sys.executable, "-c", script, str(lake.path)]
    chance = random.Random(7)
    for _ in range(4):
        running = subprocess.Popen(command)
        time.sleep(chance.uniform(0.5, 2))
        running.kill()
        running.wait()
        assert {each for each in before if not is_old(each)} <= set(ids(lake))
    lake.retain(30, delete=True)
    text = everything(lake)
    assert [each for each in before if is_old(each) and each in text] == []
    assert ids(lake) == [each for each in before if not is_old(each)]


def test_the_command(lake: ct.Lake) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["lake", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    folder = str(lake.path)
    run("hold", folder, "case", "--where", "{ $.eventName = Get0 }")
    assert json.loads(run("holds", folder)) == {"name": "case", "where": repr(GET0)}
    assert "to be deleted; --delete does it" in run("retain", folder, "--days", "30")
    assert " deleted" in run("retain", folder, "--days", "30", "--delete")
    run("release", folder, "case")
    assert run("holds", folder) == ""
