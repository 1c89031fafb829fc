"""`ct.Lake.changes`: each event once, whatever compactions and retentions do between two polls."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ctfast as ct
from test_lake import event, put

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

SECOND = timedelta(seconds=1)
TODAY = datetime.now(UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    return ct.Lake(tmp_path / "lake")


def recent(number: int, **more: Any) -> dict[str, Any]:
    """An event that no retention deletes."""
    return event(number, eventTime=f"{TODAY:%Y-%m-%dT%H:%M:%SZ}") | more


def add(lake: ct.Lake, archive: Path, name: str, events: list[dict[str, Any]]) -> None:
    put(archive, name, events)
    lake.ingest(archive)


def ids(change: ct.Change) -> list[str]:
    return sorted(change.scan().select("eventID").collect().to_series())


def numbers(changes: Iterable[ct.Change]) -> list[list[int]]:
    return [[int(each) for each in ids(change)] for change in changes]


def test_each_commit_is_a_change(lake: ct.Lake, archive: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no lake"):
        next(lake.changes())
    add(lake, archive, "a", [event(1), event(2)])
    add(lake, archive, "b", [event(2), event(3)])
    found = list(lake.changes())
    assert numbers(found) == [[1, 2], [3]]
    assert [change.stored for change in found] == [2, 1]
    assert [repr(change) for change in found] == ["Change(version=1, 2 events)", "Change(version=2, 1 event)"]
    assert numbers(lake.changes(since=1)) == [[3]]
    assert list(lake.changes(since=2)) == []
    lake.ingest(archive)
    assert list(lake.changes(since=2)) == []
    assert found[0].scan().collect_schema() == lake.scan().collect_schema()


def test_a_commit_without_a_new_event_is_none(lake: ct.Lake, archive: Path) -> None:
    add(lake, archive, "a", [event(1)])
    add(lake, archive, "b", [event(1)])
    put(archive, "c", []).write_bytes(b"damaged")
    lake.ingest(archive)
    assert lake.info().version == 3
    assert numbers(lake.changes()) == [[1]]


def test_what_was_committed_by_hand(lake: ct.Lake, archive: Path) -> None:
    for name in "abc":
        put(archive, name, [event(ord(name))])
    messages = [split.write_parquet(lake.path) for split in ct.splits(archive, target=1)]
    for n, message in enumerate(messages):
        lake.commit([message], run="by-hand", n=n)
        lake.commit([message], run="by-hand", n=n)
    assert numbers(lake.changes()) == [[97], [98], [99]]


def test_compaction_and_retention_between_two_polls(lake: ct.Lake, archive: Path) -> None:
    add(lake, archive, "a", [event(1), recent(2)])
    add(lake, archive, "b", [event(3), recent(4)])
    [_, last] = lake.changes()
    lake.hold("case", where=ct.FilterPattern('{ $.eventID = "00000003" }'))
    assert lake.compact().parts == 4
    assert list(lake.changes(since=last.version)) == []
    assert lake.retain(7, delete=True).rows == 1
    assert list(lake.changes(since=last.version)) == []
    assert numbers(lake.changes()) == [[2], [3, 4]]
    add(lake, archive, "c", [event(5), recent(6)])
    lake.compact()
    add(lake, archive, "d", [event(7), recent(8)])
    lake.release("case")
    lake.compact()
    lake.retain(7, delete=True)
    found = list(lake.changes(since=last.version))
    assert numbers(found) == [[6], [8]]
    assert [change.stored for change in found] == [2, 2]
    assert numbers(lake.changes()) == [[2], [4], [6], [8]]
    assert lake.info().parts == 1


def test_parts_that_are_replaced_after_the_poll(lake: ct.Lake, archive: Path) -> None:
    """The change was returned before, and its rows are asked for after."""
    add(lake, archive, "a", [event(1), recent(2)])
    add(lake, archive, "b", [event(3), recent(4)])
    found = list(lake.changes())
    lake.compact()
    lake.retain(7, delete=True)
    assert numbers(found) == [[2], [4]]
    add(lake, archive, "c", [recent(5)])
    lake.compact()
    assert numbers(found) == [[2], [4]]
    frame = found[0].scan()
    for part in lake.path.glob("month=*/*.parquet"):
        part.unlink()
    with pytest.raises(FileNotFoundError):
        frame.collect()
    with pytest.raises(FileNotFoundError):
        found[0].scan()


def test_only_the_parts_of_a_change_are_read(lake: ct.Lake, archive: Path) -> None:
    for number in range(5):
        add(lake, archive, f"a{number}", [event(number)])
    lake.compact()
    for number in range(5, 10):
        add(lake, archive, f"a{number}", [event(number)])
    *_, change = lake.changes()
    others = [
        part for part in lake.path.glob("month=*/*.parquet") if "00000009" not in pl.read_parquet(part)["eventID"]
    ]
    assert len(others) == 5 + 1 + 4
    for part in others:
        part.write_bytes(b"")
    assert ids(change) == ["00000009"]


def test_a_version_that_is_not_there_is_of_another_lake(lake: ct.Lake, archive: Path) -> None:
    add(lake, archive, "a", [event(1)])
    with pytest.raises(ct.ArgumentError, match="has only 1: it is another lake") as caught:
        next(lake.changes(since=2))
    assert (caught.value.argument, caught.value.function) == ("since", "Lake.changes")


def test_an_entry_of_the_audit_that_is_gone_is_told(lake: ct.Lake, archive: Path) -> None:
    """Else rows that a compaction has moved would be missing."""
    add(lake, archive, "a", [event(1)])
    add(lake, archive, "b", [event(2)])
    lake.compact()
    [entry] = (lake.path / "_ctfast/audit").iterdir()
    entry.unlink()
    with pytest.raises(FileNotFoundError, match="is gone, and the table names it"):
        numbers(lake.changes())


def test_it_follows(lake: ct.Lake, archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add(lake, archive, "a", [event(1)])
    changes = lake.changes(follow=True, interval=SECOND)
    assert ids(next(changes)) == ["00000001"]

    def later() -> None:
        time.sleep(0.5)
        lake.hold("case", where=ct.FilterPattern('{ $.eventID = "00000001" }'))
        away = lake.path.rename(tmp_path / "away")
        time.sleep(1.5)
        away.rename(lake.path)
        lake.compact()
        add(lake, archive, "b", [event(2)])
        add(lake, archive, "c", [event(3)])

    thread = threading.Thread(target=later)
    thread.start()
    assert [ids(next(changes)), ids(next(changes))] == [["00000002"], ["00000003"]]
    thread.join()
    assert "holds no lake" in caplog.records[0].getMessage()


def test_a_change_is_bound_to_its_process(lake: ct.Lake, archive: Path) -> None:
    add(lake, archive, "a", [event(1)])
    with pytest.raises(TypeError, match="pass on its version"):
        next(lake.changes()).__reduce__()


class Consumer:
    """Takes the events of changes, notes the version after each, and is killed at times before it does so."""

    def __init__(self, lake: ct.Lake, dice: random.Random) -> None:
        self._lake, self._dice = lake, dice
        #: What was made of each change: replaced if it comes again.
        self.taken: dict[int, Counter[str]] = {}
        self._version = 0

    def poll(self) -> None:
        for change in self._lake.changes(since=self._version):
            rows = change.scan().select("raw").collect().to_series()
            self.taken[change.version] = Counter(json.loads(text)["eventID"] for text in rows)
            if self._dice.random() < 0.3:
                return
            self._version = change.version

    @property
    def all(self) -> Counter[str]:
        return sum(self.taken.values(), Counter())


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_lost_and_nothing_comes_twice(lake: ct.Lake, archive: Path, seed: int) -> None:
    """Whatever is done to the lake between two polls, by a consumer that is there from the start and by a late one."""
    dice = random.Random(seed)
    consumer, late = Consumer(lake, dice), Consumer(lake, dice)
    number = 0
    added: set[str] = set()
    deleted: set[str] = set()
    lake.ingest(put(archive, "first", []).parent)
    for step in range(25):
        match dice.choice(["ingest", "ingest", "ingest", "compact", "retain", "hold", "poll"]):
            case "ingest":
                events = []
                for _ in range(dice.randrange(1, 6)):
                    number += dice.random() < 0.8  # else a copy
                    events.append(dice.choice([event(number), recent(10_000 + number)]))
                put(archive, f"{step}", events)
                lake.ingest(archive)
                added |= {each["eventID"] for each in events}
            case "compact":
                lake.compact()
            case "retain":
                before = set(lake.scan().select("eventID").collect().to_series())
                lake.retain(7, delete=True)
                deleted |= before - set(lake.scan().select("eventID").collect().to_series())
            case "hold":
                lake.hold(f"{step}", where=ct.FilterPattern(f'{{ $.eventID = "{number:08}" }}'))
            case _:
                consumer.poll()
    for each in (consumer, late):
        while each.taken.keys() < {change.version for change in lake.changes()}:
            each.poll()
    there = Counter(lake.scan().select("eventID").collect().to_series())
    assert late.all == there
    assert there <= consumer.all
    assert set(consumer.all) <= added
    assert set(consumer.all - there) <= deleted
    # What comes again after it was deleted is stored again.
    assert {each for each, times in consumer.all.items() if times > 1} <= deleted
