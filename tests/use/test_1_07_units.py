"""1 of 9, item 7: only the consumer decides what counts as read; a unit is small and its id makes output idempotent.

Programs that store units in the ways of docs/scale.md are killed with SIGKILL at each of their steps in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import ctfast as ct
from appearing import body, put

unix = pytest.mark.skipif(os.name != "posix", reason="ends a process with a signal")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(9):
        put(tmp_path / "logs", f"f{number}", body(*(f"{number}-{event}" for event in range(3))))
    return tmp_path / "logs"


def names(*files: int) -> list[str]:
    return [f"{number}-{event}" for number in files for event in range(3)]


def taken(unit: ct.Unit) -> list[str]:
    return [name for batch in unit for name in batch["eventName"].to_pylist()]


def test_a_loop_that_came_back_commits_nothing(root: Path, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")
    for _ in range(2):
        assert sum(batch.num_rows for batch in ct.stream(root, checkpoint=checkpoint)) == 27
    checkpoint.commit()
    assert list(ct.stream(root, checkpoint=checkpoint)) == []


def test_units_are_committed_one_by_one(root: Path, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")
    with ct.stream(root, checkpoint=checkpoint) as events:
        for number, unit in enumerate(events.units(max_files=4)):
            rows = taken(unit)
            if number != 1:
                unit.commit()
            else:
                kept = unit.id, unit.files, rows
    assert rows == names(8)
    assert checkpoint.units["committed"].to_list() == [True, False, True]
    with ct.stream(root, checkpoint=checkpoint) as events:
        [unit] = [(unit.id, unit.files, taken(unit)) for unit in events.units()]
    assert unit == kept
    assert unit[2] == names(4, 5, 6, 7)


def test_a_unit_is_repeated_as_it_was_whatever_came_since(root: Path, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")
    with ct.stream(root, checkpoint=checkpoint) as events:
        first = next(events.units(max_files=5))
        before = first.id, first.files
        next(first)
    put(root, "f00-late", body("late"))
    with ct.stream(root, checkpoint=checkpoint) as events:
        units = [(unit.id, unit.files, taken(unit)) for unit in events.units(max_files=100)]
    assert units[0] == (*before, names(0, 1, 2, 3, 4))
    assert units[1][2] == ["late", *names(5, 6, 7, 8)]
    # A run that does not use units reads the same files, and its commit covers the planned units as well.
    with checkpoint:
        assert ct.read(root, checkpoint=checkpoint).height == 28
    assert checkpoint.units["committed"].all()
    assert list(ct.stream(root, checkpoint=checkpoint).units()) == []


def test_ids_tell_files_and_queries_apart(root: Path, tmp_path: Path) -> None:
    def ids(columns: list[str]) -> list[str]:
        with ct.stream(ct.KeyList(map(str, sorted(root.rglob("*.gz")))), columns=columns) as events:
            return [unit.id for unit in events.units(max_files=5)]

    assert ids(["eventName"]) == ids(["eventName"])
    assert len({*ids(["eventName"]), *ids(["eventTime"])}) == 4
    put(root, "f0", body("other"))
    with ct.stream(root, checkpoint=ct.Checkpoint(tmp_path / "one")) as events:
        one = next(events.units()).id
    put(root, "f0", body("changed"), time=1)
    with ct.stream(root, checkpoint=ct.Checkpoint(tmp_path / "other")) as events:
        assert next(events.units()).id != one


def test_a_unit_that_is_not_read_to_its_end_is_not_committed(root: Path, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")

    def stop() -> None:
        with ct.stream(root, checkpoint=checkpoint, batch_rows=1) as events:
            for unit in events.units():
                with unit:
                    next(unit)

    with pytest.raises(RuntimeError, match="was not read to its end"):
        stop()
    assert not checkpoint.units["committed"].any()


def test_a_block_of_a_unit_that_fails_commits_nothing(root: Path, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")

    def fail() -> None:
        with ct.stream(root, checkpoint=checkpoint) as events:
            for unit in events.units(max_files=3):
                with unit:
                    if taken(unit) == names(3, 4, 5):
                        raise OSError("a disk is full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert checkpoint.units["committed"].to_list() == [True, False]


def test_a_unit_is_an_arrow_stream(root: Path, tmp_path: Path) -> None:
    with ct.stream(root, columns=["eventName"], checkpoint=ct.Checkpoint(tmp_path / "state")) as events:
        first, second, _ = (
            frame(unit) for unit, frame in zip(events.units(max_files=3), (pa.table, pl.DataFrame, taken), strict=True)
        )
    assert first["eventName"].to_pylist() == names(0, 1, 2)
    assert second["eventName"].to_list() == names(3, 4, 5)


def test_what_asks_for_no_units(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pass a checkpoint, or a source of keys"):
        ct.stream(root).units()
    events = ct.stream(root, checkpoint=ct.Checkpoint(tmp_path / "state"))
    with pytest.raises(ValueError, match="max_bytes must be at least 1, not 0"):
        events.units(max_bytes=0)
    next(events)
    with pytest.raises(RuntimeError, match="were taken already"):
        events.units()
    events.close()


def test_units_end_at_so_many_bytes(root: Path, tmp_path: Path) -> None:
    size = next(root.rglob("*.gz")).stat().st_size
    with ct.stream(root, checkpoint=ct.Checkpoint(tmp_path / "state")) as events:
        assert [len(unit.files) for unit in events.units(max_bytes=4 * size)] == [4, 4, 1]


# Killed at every step. Each child to be killed is forked from a process that has not read anything yet.

_HEAD = """
import contextlib, os, pathlib, signal, sys
import pyarrow as pa, pyarrow.parquet as pq
import ctfast as ct

root, folder = map(pathlib.Path, sys.argv[1:])
left = [0]

def step():
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

@contextlib.contextmanager
def replaced(path):
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        step()
        yield file
        step()
        file.flush()
        os.fsync(file.fileno())
    step()
    new.replace(path)
    step()

def store():
    with ct.stream(root, columns=["eventName"], checkpoint=ct.Checkpoint(folder / "state"), batch_rows=2) as events:
        for unit in events.units(max_files=5):
            step()
            with unit:
                put(unit)
                step()
            step()
"""

_KILLS = """
for number in range(1, 100):
    child = os.fork()
    if not child:
        left[0] = number
        try:
            store()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        break
    assert os.WIFSIGNALED(status), status
print(number)
"""

_WAYS = {
    "parquet": """
        with replaced(folder / f"{unit.id}.parquet") as file:
            pq.write_table(pa.table(unit), file)
    """,
    "plain": """
        with replaced(folder / f"{unit.id}.txt") as file:
            for batch in unit:
                file.writelines(f"{name}\\n".encode() for name in batch["eventName"].to_pylist())
                step()
    """,
    "pandas": """
        with replaced(folder / f"{unit.id}.csv") as file:
            pa.table(unit).to_pandas().to_csv(file, index=False)
    """,
    "duckdb-copy": """
        rows = pa.table(unit)
        new = folder / f"{unit.id}.parquet.new"
        duckdb.sql(f"COPY (SELECT * FROM rows) TO '{new}' (FORMAT parquet)")
        step()
        new.replace(folder / f"{unit.id}.parquet")
    """,
    "duckdb": """
        rows = pa.table(unit)
        with duckdb.connect(folder / "events.duckdb") as database:
            database.sql("CREATE TABLE IF NOT EXISTS events (unit VARCHAR, eventName VARCHAR)")
            step()
            database.begin()
            database.execute("DELETE FROM events WHERE unit = ?", [unit.id])
            database.execute("INSERT INTO events SELECT ?, * FROM rows", [unit.id])
            step()
            database.commit()
            step()
    """,
}


def stored(way: str, folder: Path) -> list[str]:
    if way == "duckdb":
        with duckdb.connect(folder / "events.duckdb") as database:
            return [name for (name,) in database.sql("SELECT eventName FROM events").fetchall()]
    if way == "plain":
        return [name for path in folder.glob("*.txt") for name in path.read_text().splitlines()]
    reader = pl.read_csv if way == "pandas" else pl.read_parquet
    return [
        name for path in folder.glob("*.*") if path.suffix != ".new" for name in reader(path)["eventName"].to_list()
    ]


def killed_at_each_step(root: Path, folder: Path, program: str) -> None:
    folder.mkdir()
    command = [sys.executable, "-c", _HEAD + program + _KILLS, str(root), str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 3  # the number of processes that were killed before one ended by itself


@unix
@pytest.mark.parametrize("way", list(_WAYS))
def test_killed_at_any_step_no_event_is_lost_or_doubled(root: Path, tmp_path: Path, way: str) -> None:
    put_unit = textwrap.indent(textwrap.dedent(_WAYS[way]).strip(), "    ")
    imported = next((f"import {name}\n" for name in ("duckdb", "pandas") if name in way), "")
    killed_at_each_step(root, tmp_path / "stored", f"{imported}def put(unit):\n{put_unit}\n")
    assert sorted(stored(way, tmp_path / "stored")) == names(*range(9))


@unix
def test_the_command_that_is_killed_at_any_step_goes_on(root: Path, tmp_path: Path) -> None:
    program = """
from ctfast.cli import main, output

writes, whole = output.written, ct.EventStream.units

@contextlib.contextmanager
def written(target):
    step()
    with writes(target) as file:
        yield file
        step()
    step()

def units(stream):
    for unit in whole(stream, max_files=5):
        yield unit
        step()  # committed

output.written, ct.EventStream.units = written, units

def store():
    given = ["scan", str(root), "--checkpoint", str(folder / "state"), "--columns", "eventName"]
    given += ["-o", str(folder / "parts")]
    main([*given, "--format", "csv"], standalone_mode=False)
"""
    killed_at_each_step(root, tmp_path / "stored", program)
    parts = sorted((tmp_path / "stored/parts").iterdir())
    assert len(parts) == 2  # unfinished files of killed processes are removed
    assert [name for part in parts for name in part.read_text().splitlines()[1:]] == names(*range(9))
