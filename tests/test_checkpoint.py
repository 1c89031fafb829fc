"""Checkpoints: nothing is lost, nothing is read twice, whatever stops a run and however late files come."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ctfast as ct

START = datetime(2025, 3, 10, tzinfo=UTC)
ACCOUNT, OTHER = "111122223333", "444455556666"
unix = pytest.mark.skipif(os.name != "posix", reason="ends a process with a signal")


class Bucket:
    """A folder in which log files appear, each with one event of its own name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def path(self, time: datetime, unique: str, account: str = ACCOUNT) -> Path:
        name = f"{account}_CloudTrail_eu-west-1_{time:%Y%m%dT%H%MZ}_{unique}.json.gz"
        return self.root / f"AWSLogs/{account}/CloudTrail/eu-west-1/{time:%Y/%m/%d}" / name

    def deliver(self, time: datetime, unique: str, account: str = ACCOUNT) -> str:
        """A new file; the name of its event."""
        return self.put(self.path(time, unique, account), f"{time:%d-%H%M}-{unique}-{account[0]}")

    def put(self, path: Path, name: str) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps({"Records": [{"eventName": name}]}).encode(), 1))
        return name

    def run(self, state: Path, **options: object) -> list[str]:
        """One run: what it finds, in order."""
        with ct.Checkpoint(state) as checkpoint:
            return ct.read(self.root, checkpoint=checkpoint, **options)["eventName"].to_list()


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path / "bucket")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_run_reads_what_came_since(bucket: Bucket, state: Path) -> None:
    first = [bucket.deliver(START + timedelta(hours=hour), "a") for hour in range(50)]
    assert bucket.run(state) == first
    assert bucket.run(state) == []
    second = [bucket.deliver(START + timedelta(hours=hour), "b") for hour in range(49, 53)]
    report = ct.Report()
    assert bucket.run(state, report=report) == second
    assert (report.files, report.skipped, report.complete) == ((54, 4, 0, 50), {"done": 50}, True)


def test_three_of_eighteen_files_of_one_slot_arrive_late(bucket: Bucket, state: Path) -> None:
    slot = START + timedelta(hours=9, minutes=5)
    chance = random.Random(18)
    uniques = sorted("".join(chance.choices("ABCDEFGHabcdefgh01234567", k=16)) for _ in range(18))
    late = {2, 9, 17}
    bucket.deliver(slot - timedelta(minutes=5), "before")
    for number, unique in enumerate(uniques):
        if number not in late:
            bucket.deliver(slot, unique)
    assert len(bucket.run(state)) == 16
    new = [bucket.deliver(slot, uniques[number]) for number in sorted(late)]
    new.append(bucket.deliver(slot + timedelta(minutes=5), "after"))
    assert bucket.run(state) == new
    assert bucket.run(state) == []


def test_a_file_of_an_earlier_day_is_found_within_the_window_only(bucket: Bucket, state: Path) -> None:
    for day in range(10):
        bucket.deliver(START + timedelta(days=day), "a")
    assert len(bucket.run(state)) == 10
    bucket.deliver(START + timedelta(days=6), "too-late")
    late = [bucket.deliver(START + timedelta(days=7), "b"), bucket.deliver(START + timedelta(days=8), "b")]
    assert bucket.run(state) == late
    with ct.Checkpoint(state, rewind=timedelta(days=9)) as longer:
        assert ct.read(bucket.root, checkpoint=longer).height == 0  # days that were closed stay closed


def test_a_place_that_lags_behind_is_read_to_its_end(bucket: Bucket, state: Path) -> None:
    bucket.deliver(START + timedelta(days=300), "a")
    assert len(bucket.run(state)) == 1
    lagging = [bucket.deliver(START + timedelta(days=day), "a", OTHER) for day in range(5)]
    assert bucket.run(state) == lagging


def test_a_day_that_has_not_come_yet_closes_nothing(bucket: Bucket, state: Path) -> None:
    bucket.deliver(START, "a")
    planted = bucket.deliver(datetime(2999, 12, 31, tzinfo=UTC), "planted")
    assert bucket.run(state)[-1] == planted
    late = bucket.deliver(START, "b")
    assert bucket.run(state) == [late]


def test_files_whose_names_tell_nothing_are_remembered(bucket: Bucket, state: Path) -> None:
    bucket.put(bucket.root / "x" / "b.json.gz", "b")
    bucket.put(bucket.root / "AWSLogs/1/2025/13/45/odd.json.gz", "odd")
    assert sorted(bucket.run(state)) == ["b", "odd"]
    bucket.put(bucket.root / "x" / "a.json.gz", "a")
    assert bucket.run(state) == ["a"]
    assert bucket.run(state) == []


# Runs that stop


@pytest.mark.parametrize("stop", [1, 4, 5, 6, 19])
def test_a_stream_that_stops_goes_on(bucket: Bucket, state: Path, stop: int) -> None:
    delivered = [bucket.deliver(START + timedelta(hours=hour), "a") for hour in range(20)]
    committed: list[str] = []
    handed_over = 0
    with ct.stream(bucket.root, batch_rows=1, checkpoint=ct.Checkpoint(state)) as events:
        for unit in events.units(max_files=5):
            names = []
            for batch in unit:
                handed_over += 1
                names += batch["eventName"].to_pylist()
                if handed_over == stop:
                    break
            if handed_over == stop:
                break
            unit.commit()
            committed += names
    assert committed == delivered[: (stop - 1) // 5 * 5]
    # Only what was not committed comes again.
    assert [*committed, *bucket.run(state)] == delivered


def test_a_block_that_fails_commits_nothing(bucket: Bucket, state: Path) -> None:
    name = bucket.deliver(START, "a")

    def fail() -> None:
        with ct.Checkpoint(state) as checkpoint:
            assert list(ct.stream(bucket.root, checkpoint=checkpoint))
            raise RuntimeError("a disk is full")

    with pytest.raises(RuntimeError):
        fail()
    assert bucket.run(state) == [name]


def test_without_a_block_a_frame_has_to_be_committed(bucket: Bucket, state: Path) -> None:
    name = bucket.deliver(START, "a")
    checkpoint = ct.Checkpoint(state)
    events = ct.scan(bucket.root, checkpoint=checkpoint).select("eventName")
    for _ in range(2):
        assert events.collect().rows() == [(name,)]
    checkpoint.commit()
    assert events.collect().height == 0
    checkpoint.commit()


def test_a_run_that_fails_leaves_the_file_as_it_was(bucket: Bucket, state: Path) -> None:
    names = [bucket.deliver(START, "a"), bucket.deliver(START, "b")]
    bucket.path(START, "b").write_bytes(b"\x1f\x8b damaged")
    checkpoint = ct.Checkpoint(state)
    with pytest.raises(ct.FormatError):
        ct.read(bucket.root, checkpoint=checkpoint)
    bucket.deliver(START, "b")
    assert ct.read(bucket.root, checkpoint=checkpoint)["eventName"].to_list() == names


@unix
def test_a_process_that_is_killed_loses_nothing(bucket: Bucket, state: Path, tmp_path: Path) -> None:
    delivered = {bucket.deliver(START + timedelta(minutes=minute), "a") for minute in range(200)}
    output = tmp_path / "output"
    program = textwrap.dedent(
        """
        import os, sys, ctfast as ct
        with open(sys.argv[3], "a") as kept:
            for unit in ct.stream(sys.argv[1], checkpoint=ct.Checkpoint(sys.argv[2])).units(max_files=3):
                for batch in unit:
                    kept.write("".join(f"{name}\\n" for name in batch["eventName"].to_pylist()))
                kept.flush()
                os.fsync(kept.fileno())
                unit.commit()
        """
    )
    command = [sys.executable, "-c", program, str(bucket.root), str(state), str(output)]
    for enough in (20, 70, 150):
        with subprocess.Popen(command) as process:
            while process.poll() is None and (not output.exists() or output.read_text().count("\n") < enough):
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
    assert subprocess.run(command, check=True, timeout=60).returncode == 0
    kept = output.read_text().split("\n")[:-1]
    assert set(kept) == delivered
    assert len(kept) <= len(delivered) + 3 * 3  # a unit that was written and not yet committed, at each kill
    assert bucket.run(state) == []


# Files that cannot be read


def test_a_file_that_cannot_be_read_is_tried_again(bucket: Bucket, state: Path) -> None:
    names = [bucket.deliver(START + timedelta(days=day), "a") for day in range(3)]
    path = bucket.path(START + timedelta(days=1), "a")
    report = ct.Report()
    found: list[str] = []
    with ct.stream(bucket.root, checkpoint=ct.Checkpoint(state), on_error="collect", report=report) as events:
        for unit in events.units(max_files=1):
            with unit:
                found += [name for batch in unit for name in batch["eventName"].to_pylist()]
            if len(found) == 1 and path.exists():
                hidden = path.rename(bucket.root / "hidden")  # after it was listed
    assert found == [names[0], names[2]]
    assert report.bad["file"].to_list() == [str(path)]
    assert ct.Checkpoint(state).unread.select("file", "tries").rows() == [(str(path), 1)]

    later = [bucket.deliver(START + timedelta(days=day), "a") for day in range(3, 9)]
    assert bucket.run(state, on_error="collect") == later
    assert ct.Checkpoint(state).unread["tries"].to_list() == [2]
    hidden.rename(path)
    assert bucket.run(state, on_error="collect") == [names[1]]  # long before the window
    assert ct.Checkpoint(state).unread.height == 0
    assert bucket.run(state) == []


def test_a_file_that_is_gone_can_be_forgotten(bucket: Bucket, state: Path) -> None:
    for unique in "ab":
        bucket.deliver(START, unique)
    checkpoint = ct.Checkpoint(state)
    with ct.stream(bucket.root, checkpoint=checkpoint, on_error="collect") as events:
        for unit in events.units(max_files=1):
            with unit:
                list(unit)
            bucket.path(START, "b").unlink(missing_ok=True)
    with pytest.raises(ct.SourceError):
        bucket.run(state)
    checkpoint.forget()
    assert bucket.run(state) == []
    assert checkpoint.unread.is_empty()
    name = bucket.deliver(START, "b")
    assert bucket.run(state) == [name]  # it is not the file that was forgotten
    assert bucket.run(state) == []


def test_what_was_kept_of_a_damaged_file_comes_once(bucket: Bucket, state: Path) -> None:
    bucket.deliver(START, "a")
    path = bucket.path(START, "b")
    path.write_bytes(gzip.compress(b'{"Records": [{"eventName": "kept"}, {"eve'))
    assert bucket.run(state, on_error="collect") == ["10-0000-a-1", "kept"]
    report = ct.Report()
    assert bucket.run(state, on_error="collect", report=report) == []
    assert report.bad["kind"].to_list() == ["invalid-json"]  # it is tried again, and reported again


TIME = "2025-01-01T00:00:00.123000+00:00"
EVENTS = [json.dumps({"eventVersion": "1", "eventName": name, "x": ["é", 2]}, ensure_ascii=False) for name in "abc"]
#: Lines around the three events: what stands before an event may be read as something else while the event is missing.
GROWING = {
    "plain": "{}\n",
    "time": "2025-01-01T00:00:00Z {}\n",
    "time and stream": TIME + " 123_CloudTrail_eu-west-1 {}\n",
    "text between": f"{TIME} some/stream café\n{TIME} some/stream {{}}\r\n",
    "event on the next line": TIME + " \n{}\n",
    "stream, event on the next line": TIME + " some/stream\n{}\n",
    "stream that is JSON": TIME + " [7] {}\n",
    "stream, event over lines": TIME + " some/stream\n{over lines}\n",
    "numbers and words": "17\nnull\n{}\n-2.5e3 20 {}\n",
    "strings": '"text"\n{}\n',
}


@pytest.mark.parametrize("stored", ["text", "members", "one member"])
@pytest.mark.parametrize("shape", GROWING)
def test_a_file_that_was_cut_anywhere_gives_each_record_once(
    tmp_path: Path, state: Path, shape: str, stored: str
) -> None:
    template = GROWING[shape]
    lines = [(event, json.dumps(json.loads(event), indent=1, ensure_ascii=False)) for event in EVENTS]
    parts = [template.replace("{}", one).replace("{over lines}", many).encode() for one, many in lines]
    if stored == "members":
        parts = [gzip.compress(part, 0, mtime=0) for part in parts]
    whole = b"".join(parts)
    if stored == "one member":
        whole = gzip.compress(whole, 0, mtime=0)
    root = tmp_path / "logs"
    root.mkdir()
    files = [root / f"{cut}.json" for cut in range(len(whole))]

    def run() -> list[tuple[str, str]]:
        report = ct.Report(files=True)
        with ct.Checkpoint(state) as checkpoint:
            found = ct.read(root, checkpoint=checkpoint, on_error="collect", report=report)
        rows = report.files_scan().select(pl.col("^records_(read|bad|skipped)$").sum()).collect().row(0)
        assert rows == (report.records.read, report.records.bad, report.records.skipped)
        return list(found.select("file", "eventName").iter_rows())

    for cut, file in enumerate(files):
        file.write_bytes(whole[:cut])
    before = run()
    for file in files:
        file.write_bytes(whole)
    found = Counter(before + run())
    assert found == dict.fromkeys(((str(file), name) for file in files for name in "abc"), template.count("{"))
    assert run() == []


# Other files, other queries


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_a_checkpoint_belongs_to_its_query(bucket: Bucket, state: Path) -> None:
    bucket.deliver(START, "a")
    bucket.run(state, accounts=[OTHER, ACCOUNT])
    assert bucket.run(state, accounts={ACCOUNT, OTHER}) == []
    with pytest.raises(
        ValueError, match=r"belongs to another query: its accounts was \['111122223333', '444455556666'\], not None"
    ):
        bucket.run(state)
    with pytest.raises(ValueError, match="its until was None"):
        bucket.run(state, accounts=[OTHER, ACCOUNT], until="2025-03-11")


def by(name: str) -> ct.FilterPattern:
    return ct.FilterPattern(f'{{ $.eventName = "{name}" }}')


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_a_checkpoint_keeps_to_its_filter(bucket: Bucket, state: Path) -> None:
    """Records that the first filter leaves out count as read: with another one they would be lost."""
    one, two = (bucket.deliver(START, unique) for unique in "ab")
    assert bucket.run(state, where=by(one)) == [one]
    words = rf"another query: its where was FilterPattern\('.*\"{one}\" }}'\), not "
    with pytest.raises(ValueError, match=rf"{words}FilterPattern\('.*\"{two}\" }}'\)$"):
        bucket.run(state, where=by(two))
    with pytest.raises(ValueError, match=words + "None$"):
        bucket.run(state)
    with pytest.raises(ValueError, match="another query: its rules was None, not "):
        bucket.run(state, where=by(one), rules={"two": by(two)})
    put = bucket.put(bucket.path(START, "c"), one)
    columns = ["eventName", "awsRegion"]
    checkpoint = ct.Checkpoint(state)
    assert ct.files(bucket.root, checkpoint=checkpoint).collect().height == 3  # it hands nothing over
    with checkpoint:
        stream = ct.stream(bucket.root, checkpoint=checkpoint, where=by(one), columns=columns)
        assert pa.table(stream)["eventName"].to_pylist() == [put]


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_a_checkpoint_keeps_to_the_filters_of_its_rules(bucket: Bucket, state: Path) -> None:
    one, two = (bucket.deliver(START, unique) for unique in "ab")
    assert bucket.run(state, rules={"1": by(one)}) == [one]
    assert bucket.run(state, rules={"renamed": by(one), "again": by(one)}) == []
    with pytest.raises(ValueError, match="another query: its rules was "):
        bucket.run(state, rules={"1": by(one), "2": by(two)})


def test_a_unit_is_not_repeated_with_another_filter(bucket: Bucket, state: Path) -> None:
    """It has the same name, and would replace what is stored."""
    one, two = (bucket.deliver(START, unique) for unique in "ab")
    with ct.stream(bucket.root, checkpoint=ct.Checkpoint(state), where=by(one)) as first:
        assert pa.table(next(first.units())).num_rows == 1
    with (
        ct.stream(bucket.root, checkpoint=ct.Checkpoint(state), where=by(two)) as second,
        pytest.raises(ValueError, match="another query: its where was "),
    ):
        next(second.units())


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_a_checkpoint_without_a_filter_takes_that_of_the_next_run(bucket: Bucket, state: Path) -> None:
    """Earlier versions kept none, and listing the files keeps none either."""
    one, two = (bucket.deliver(START, unique) for unique in "ab")
    assert ct.files(bucket.root, checkpoint=ct.Checkpoint(state)).collect().height == 2
    with closing(sqlite3.connect(state)) as database:
        ((description,),) = database.execute("SELECT description FROM query").fetchall()
    assert set(json.loads(description)) == {"source", "accounts", "regions", "kinds", "since", "until", "max_delay"}
    with pytest.raises(ValueError, match="its accounts was None"):
        bucket.run(state, where=by(two), accounts=[ACCOUNT])  # it is refused, and nothing of it is noted
    assert bucket.run(state, where=by(one)) == [one]
    with pytest.raises(ValueError, match="its where was "):
        bucket.run(state, where=by(two))


def test_what_is_no_checkpoint(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no database, but a text that is long enough to be taken for one" * 100)
    with pytest.raises(ValueError, match="text is not a checkpoint: file is not a database"):
        bucket.run(path)
    with pytest.raises(FileNotFoundError):
        bucket.run(tmp_path / "none" / "state")
    with pytest.raises(ValueError, match="rewind must be at least a day"):
        ct.Checkpoint(path, rewind=timedelta(hours=3))


def test_one_process_at_a_time(bucket: Bucket, state: Path) -> None:
    bucket.deliver(START, "a")
    with ct.stream(bucket.root, checkpoint=ct.Checkpoint(state)) as batches:
        next(batches)
        with pytest.raises(BlockingIOError, match="used by another process"):
            bucket.run(state)
    assert len(bucket.run(state)) == 1


def test_one_object_is_used_by_one_run_at_a_time(bucket: Bucket, state: Path) -> None:
    """The second run is refused like one with its own object, and takes neither the lock nor the place of the first."""
    expected = [bucket.deliver(START + timedelta(hours=hour), "a") for hour in range(4)]
    checkpoint, busy = ct.Checkpoint(state), "used by another process, or by another scan of the same query"
    with ct.stream(bucket.root, checkpoint=checkpoint, columns=["eventName"]) as first:
        units = first.units(max_files=1)
        with next(units) as unit:
            found = pa.table(unit)["eventName"].to_pylist()
        for begun in (
            lambda: next(ct.stream(bucket.root, checkpoint=checkpoint).units(max_files=1)),
            lambda: next(ct.stream(bucket.root, checkpoint=checkpoint)),
            lambda: ct.read(bucket.root, checkpoint=checkpoint),
            lambda: ct.files(bucket.root, checkpoint=checkpoint).collect(),
        ):
            with pytest.raises(BlockingIOError, match=busy):
                begun()
            with pytest.raises(BlockingIOError, match=busy):  # the refusal has not unlocked the file
                bucket.run(state)
        assert checkpoint.units["committed"].to_list() == [True]
        for unit in units:
            with unit:
                found += pa.table(unit)["eventName"].to_pylist()
    assert found == expected
    assert bucket.run(state) == []


@pytest.mark.parametrize("ending", ["exhausted", "closed", "dropped", "failed", "refused"])
def test_a_run_that_has_ended_leaves_the_object_to_the_next(bucket: Bucket, state: Path, ending: str) -> None:
    bucket.deliver(START, "a")
    if ending == "failed":
        bucket.path(START, "b").write_bytes(b"no log")
    checkpoint = ct.Checkpoint(state)
    stream = ct.stream(bucket.root, checkpoint=checkpoint)
    units = stream.units()
    unit = next(units)
    if ending == "exhausted":
        assert next(units, None) is None
    elif ending == "closed":
        stream.close()
    elif ending == "dropped":
        del stream, units  # at once, and not when cycles of references are looked for
    elif ending == "failed":
        with pytest.raises(ct.FormatError):
            list(unit)
        stream.close()
    else:
        stream.close()
        with pytest.raises(ValueError, match="belongs to another query"):
            ct.read(bucket.root, checkpoint=checkpoint, accounts=[ACCOUNT])
    assert next(ct.stream(bucket.root, checkpoint=checkpoint).units()).id == unit.id


def test_days_out_of_order_are_refused(bucket: Bucket, state: Path) -> None:
    for day in range(3):
        bucket.deliver(START + timedelta(days=day), "a")
    days = sorted(path for path in bucket.root.rglob("*") if path.is_dir() and path.name in {"10", "11", "12"})
    checkpoint = ct.Checkpoint(state)
    with pytest.raises(ValueError, match="out of order: a checkpoint cannot follow them"):
        ct.read(reversed(days), checkpoint=checkpoint)
    with pytest.raises(ValueError, match="name folders, not a source of keys"):
        ct.scan(ct.KeyList([]), checkpoint=checkpoint)


def test_the_file_stays_small(bucket: Bucket, state: Path) -> None:
    for day in range(8):
        for number in range(150):
            bucket.deliver(START + timedelta(days=day, minutes=number), "a")
    bucket.run(state)
    # Three days of 150 files are kept, and the pages of empty tables.
    assert state.stat().st_size < 55 * 450 + 11 * 4096


# By chance


@st.composite
def histories(draw: st.DrawFn) -> list[list[tuple[int, int]]]:
    """What is delivered before each run: minutes, at most two days late; and where the run stops."""
    history = []
    now = 0
    for _ in range(draw(st.integers(1, 5))):
        now += draw(st.integers(0, 2 * 1440))
        lateness = st.integers(0, 2 * 1440 - 1)
        delivered = [now - min(now, late) for late in draw(st.lists(lateness, max_size=8))]
        history.append(
            [(draw(st.integers(0, 12)), 0), *((minute, account) for minute in delivered for account in (0, 1))]
        )
    return history


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories())
@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_whatever_comes_and_stops_each_file_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, history: list[list[tuple[int, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("chance")
    bucket, state = Bucket(folder / "bucket"), folder / "state"
    delivered: list[str] = []
    read: list[str] = []

    def events(stop: int) -> Iterator[str]:
        with ct.stream(bucket.root, checkpoint=ct.Checkpoint(state, rewind=timedelta(days=3))) as events:
            for unit in events.units(max_files=1):
                yield from (name for batch in unit for name in batch["eventName"].to_pylist())
                stop -= 1
                if not stop:
                    return
                unit.commit()

    for (stop, _), *files in history:
        for minute, account in files:
            accounts = (ACCOUNT, OTHER)
            delivered.append(
                bucket.deliver(START + timedelta(minutes=minute), f"{len(delivered):03}", accounts[account])
            )
        found = list(events(stop))
        # The last file of a run that was stopped comes again.
        read += found[:-1] if stop and len(found) == stop else found
    read += events(0)
    assert sorted(read) == sorted(delivered)
