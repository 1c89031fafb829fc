"""1 of 9, item 8: bad files are tried again, changed files are read again, and each record comes once."""

from __future__ import annotations

import gzip
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
from appearing import TIME, body, path, put
from ctfast.sample import write as write_sample
from seaweed import ACCESS, SECRET, Store

DATA = Path(__file__).parents[1] / "data"
NAMES = [f"e{number}" for number in range(5)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "logs", "a", body("a"))
    return tmp_path / "logs"


@pytest.fixture
def checkpoint(tmp_path: Path) -> ct.Checkpoint:
    return ct.Checkpoint(tmp_path / "state")


def read(root: Path, checkpoint: ct.Checkpoint, report: ct.Report | None = None) -> list[str]:
    with checkpoint:
        return ct.read(root, checkpoint=checkpoint, on_error="collect", report=report)["eventName"].to_list()


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (b"", "empty"),
        (body(*NAMES)[:20], "truncated-gzip"),
        (gzip.compress(b'{"Rec'), "invalid-json"),
        (b"?", "unrecognized"),
    ],
    ids=["empty", "cut", "cut in the JSON", "text"],
)
def test_a_file_of_which_nothing_was_kept_is_read_when_it_is_whole(
    root: Path, checkpoint: ct.Checkpoint, broken: bytes, kind: str
) -> None:
    put(root, "b", broken)
    assert read(root, checkpoint) == ["a"]
    assert checkpoint.unread.select("records", "tries", "kind").rows() == [(0, 1, kind)]
    report = ct.Report()
    assert read(root, checkpoint, report) == []
    assert report.bad["kind"].to_list() == [kind]  # reported each time
    assert checkpoint.unread["tries"].to_list() == [2]
    put(root, "b", body(*NAMES))
    assert read(root, checkpoint) == NAMES
    assert checkpoint.unread.is_empty()
    assert read(root, checkpoint) == []


def test_it_is_found_however_late_it_is_whole(root: Path, checkpoint: ct.Checkpoint) -> None:
    put(root, "b", b"")
    assert read(root, checkpoint) == ["a"]
    for day in range(11, 20):
        put(root, "c", body(f"c{day}"), day=day)
    assert len(read(root, checkpoint)) == 9
    put(root, "b", body(*NAMES))
    assert read(root, checkpoint) == NAMES


@pytest.mark.parametrize("cut", ["gzip", "json"])
def test_of_a_file_that_was_kept_in_part_the_rest_comes(root: Path, checkpoint: ct.Checkpoint, cut: str) -> None:
    names = [f"event-{number:05}" for number in range(5_000)]
    whole = body(*names)
    text = gzip.decompress(whole)
    put(root, "b", whole[: len(whole) // 2] if cut == "gzip" else gzip.compress(text[: len(text) // 2]))
    first = read(root, checkpoint)[1:]
    assert 0 < len(first) < len(names)
    assert checkpoint.unread["records"].to_list() == [len(first)]
    assert read(root, checkpoint) == []
    put(root, "b", whole)
    assert [*first, *read(root, checkpoint)] == names
    assert checkpoint.unread.is_empty()


def test_a_file_that_has_grown_gives_what_was_added(root: Path, checkpoint: ct.Checkpoint) -> None:
    log = root / "own.ndjson"
    log.write_text('{"eventName": "one", "eventVersion": "1.11"}\n')
    assert read(root, checkpoint) == ["a", "one"]
    with log.open("a") as file:
        file.write('{"eventName": "two", "eventVersion": "1.11"}\n')
    report = ct.Report()
    assert read(root, checkpoint, report) == ["two"]
    assert report.warnings.select("file", "kind").rows() == [(str(log), "changed")]
    assert "its first 1 records were handed over" in report.warnings["message"].item()
    assert read(root, checkpoint, report) == []
    assert report.warnings.is_empty()


def test_a_file_with_another_time_is_read_again_and_gives_nothing_twice(root: Path, checkpoint: ct.Checkpoint) -> None:
    assert read(root, checkpoint) == ["a"]
    os.utime(path(root, "a"), (TIME + 1, TIME + 1))
    report = ct.Report()
    assert read(root, checkpoint, report) == []
    assert report.files == (1, 1, 0, 0)
    assert report.warnings["kind"].to_list() == ["changed"]


def test_a_file_that_has_fewer_records_is_named(root: Path, checkpoint: ct.Checkpoint) -> None:
    put(root, "b", body(*NAMES))
    assert read(root, checkpoint) == ["a", *NAMES]
    put(root, "b", body("other"), time=TIME + 1)
    report = ct.Report()
    assert read(root, checkpoint, report) == []
    assert report.warnings["message"].to_list()[1] == "has 1 records by now, fewer than the 5 that were handed over"


def test_a_file_that_could_not_be_listed_keeps_its_place_open(root: Path, checkpoint: ct.Checkpoint) -> None:
    link = path(root, "link")
    link.symlink_to(root.parent / "target")  # leads nowhere yet
    for day in range(11, 20):
        put(root, "c", body(f"c{day}"), day=day)
    with checkpoint, ct.stream(root, checkpoint=checkpoint, on_error="collect") as events:
        for unit in events.units(max_files=2):
            with unit:
                list(unit)
    assert read(root, checkpoint) == []
    (root.parent / "target").write_bytes(body(*NAMES))
    assert read(root, checkpoint) == NAMES
    assert read(root, checkpoint) == []


def test_files_that_are_not_proven_do_not_count_as_read(root: Path, checkpoint: ct.Checkpoint, tmp_path: Path) -> None:
    proven = ct.verify(root, keys=write_sample(tmp_path / "sample").keys)
    report = ct.Report()
    with checkpoint:
        assert ct.read(root, checkpoint=checkpoint, verified=proven, report=report).height == 0
    assert report.skipped["unverified"] == 1
    assert read(root, checkpoint) == ["a"]


# Formats


def restored(tmp_path: Path, name: str) -> ct.Checkpoint:
    """A checkpoint in an older format, with the files it is about."""
    with sqlite3.connect(tmp_path / "state") as database:
        database.executescript((DATA / f"{name}.sql").read_text())
    put(Path("bucket"), "a", body("a"))
    put(Path("bucket"), "b", body("b"))  # it was empty
    put(Path("bucket"), "c", body("c"))  # it was missing
    return ct.Checkpoint(tmp_path / "state")


def version(checkpoint: Path) -> int:
    with sqlite3.connect(checkpoint) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def test_the_first_format_is_migrated_and_its_gaps_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = restored(tmp_path, "checkpoint_1")
    assert version(tmp_path / "state") == 1
    report = ct.Report()
    assert read(Path("bucket"), checkpoint, report) == ["c"]  # done, of unknown size: a and b
    assert report.skipped == {"done": 2}
    assert report.warnings["kind"].to_list() == ["size-unknown"]
    assert "2 files count as read since an older format" in report.warnings["message"].item()
    assert version(tmp_path / "state") == 2
    put(Path("bucket"), "d", body("d"))
    assert read(Path("bucket"), checkpoint) == ["d"]


def test_the_second_format_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = restored(tmp_path, "checkpoint_2")
    report = ct.Report()
    assert read(Path("bucket"), checkpoint, report) == ["c", "b"]  # a unit that was planned, then a file that was bad
    assert (report.skipped, report.warnings.is_empty()) == ({"done": 1}, True)
    assert checkpoint.units["committed"].to_list() == [True, True, True]


@pytest.mark.parametrize("name", ["checkpoint_1", "checkpoint_2"])
def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = restored(tmp_path, name)
    with sqlite3.connect(tmp_path / "state") as database:
        database.execute("PRAGMA user_version = 3")
    before = (tmp_path / "state").read_bytes()
    with pytest.raises(
        ValueError, match="is of format 3, made by a newer ctfast; this one reads formats 1 to 2: upgrade"
    ):
        read(Path("bucket"), checkpoint)
    assert (tmp_path / "state").read_bytes() == before


def test_another_database_is_no_checkpoint(root: Path, checkpoint: ct.Checkpoint, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state") as database:
        database.execute("CREATE TABLE theirs (a)")
    with pytest.raises(ValueError, match="is not a checkpoint, but another database"):
        read(root, checkpoint)


def test_a_commit_is_on_the_disk_when_the_call_returns(root: Path, checkpoint: ct.Checkpoint) -> None:
    with ct.stream(root, checkpoint=checkpoint) as events:
        for unit in events.units():
            with checkpoint._opened() as database:  # noqa: SLF001
                assert database.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA
            list(unit)
            unit.commit()
    assert checkpoint.units["committed"].to_list() == [True]


# Buckets


def storage_options(store: Store) -> dict[str, str]:
    return {"endpoint": store.endpoint, "access_key_id": ACCESS, "secret_access_key": SECRET, "region": "us-east-1"}


def test_an_object_that_was_empty_or_changes_is_read_again(store: Store, tmp_path: Path) -> None:
    store.create("overwritten")
    checkpoint = ct.Checkpoint(tmp_path / "state")
    keys = [str(path(Path("x"), unique).relative_to("x")) for unique in "ab"]

    def run(report: ct.Report) -> list[str]:
        given: dict[str, Any] = {"storage_options": storage_options(store), "on_error": "collect", "report": report}
        with checkpoint:
            return ct.read("s3://overwritten/", checkpoint=checkpoint, **given)["eventName"].to_list()

    store.put("overwritten", keys[0], body("a"))
    store.put("overwritten", keys[1], b"")
    assert run(ct.Report()) == ["a"]
    assert checkpoint.unread.select("file", "kind").rows() == [(f"s3://overwritten/{keys[1]}", "empty")]
    store.put("overwritten", keys[0], body("a"))  # the same bytes and ETag, but another time
    store.put("overwritten", keys[1], body(*NAMES))
    report = ct.Report()
    assert run(report) == NAMES
    assert (report.skipped["done"], report.warnings.is_empty(), checkpoint.unread.is_empty()) == (1, True, True)
    store.put("overwritten", keys[0], body("A"))  # of the same size
    assert run(report) == []
    assert report.warnings.select("file", "kind").rows() == [(f"s3://overwritten/{keys[0]}", "changed")]


def test_a_unit_that_is_repeated_reads_what_its_objects_are_by_now(store: Store, tmp_path: Path) -> None:
    store.create("repeated")
    key = str(path(Path("x"), "a").relative_to("x"))
    store.put("repeated", key, body("a"))
    options = storage_options(store)
    checkpoint = ct.Checkpoint(tmp_path / "state")
    with ct.stream("s3://repeated/", checkpoint=checkpoint, storage_options=options) as events:
        planned = next(events.units()).id
    store.put("repeated", key, body(*NAMES))
    with ct.stream("s3://repeated/", checkpoint=checkpoint, storage_options=options) as events:
        for unit in events.units():
            with unit:
                found = unit.id, [name for batch in unit for name in batch["eventName"].to_pylist()]
    assert found == (planned, NAMES)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_stops_each_run_tells_the_way_out(root: Path, checkpoint: ct.Checkpoint, *, is_there: bool) -> None:
    """A file of a planned unit is damaged or missing."""
    lost = put(root, "b", b"?" if is_there else body("b"))
    with ct.stream(root, checkpoint=checkpoint) as events:
        next(events.units())
    if not is_there:
        lost.unlink()
    for _ in range(2):
        with pytest.raises(ct.CloudTrailError, match=r'on_error="collect" .* Checkpoint\.forget\(\)') as caught:
            ct.read(root, checkpoint=checkpoint)
        assert caught.value.key == str(lost)
    assert read(root, checkpoint) == ["a"]
    checkpoint.forget()
    with checkpoint:
        assert ct.read(root, checkpoint=checkpoint).is_empty()


def test_what_a_failed_block_has_read_is_not_committed_later(root: Path, checkpoint: ct.Checkpoint) -> None:
    """The next block of the same checkpoint once committed these files without reading them."""

    def fail() -> None:
        with checkpoint:
            assert ct.read(root, checkpoint=checkpoint)["eventName"].to_list() == ["a"]
            raise RuntimeError("a disk is full")

    with pytest.raises(RuntimeError):
        fail()
    with checkpoint:
        pass
    checkpoint.commit()
    assert read(root, checkpoint) == ["a"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE query SET description = '[]x'",
        "UPDATE query SET description = '[1]'",
        "UPDATE place SET floor = 1 << 60",
    ],
    ids=["no JSON", "no query", "no day"],
)
def test_a_checkpoint_that_says_nonsense_is_named(root: Path, checkpoint: ct.Checkpoint, damage: str) -> None:
    read(root, checkpoint)
    with sqlite3.connect(root.parent / "state") as database:
        database.execute(damage)
    database.close()
    with pytest.raises(ValueError, match=f"{root.parent / 'state'} is no checkpoint, or is damaged"):
        read(root, checkpoint)


def test_the_times_of_another_query_are_shown_as_times(root: Path, checkpoint: ct.Checkpoint) -> None:
    with checkpoint:
        ct.read(root, checkpoint=checkpoint, until="2025-03-12")
    with pytest.raises(ValueError, match=r"its until was 2025-03-12T00:00:00\+00:00, not None"):
        read(root, checkpoint)
