"""`ct.Lake`: each event of an archive once, whoever reads it, in whatever order, and whatever is interrupted."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import operator
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

import ctfast as ct
from ctfast._lake import commit
from ctfast._lake.table import Table
from ctfast._scan.rewritten import dropped_rows
from ctfast.cli import main
from ctfast.sample import Sample

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

#: What tells a delivery of an event from others, by the test's own reading.
Said = tuple[Any, Any, str]


def event(number: int, day: int = 12, month: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "eventSource": "s3.amazonaws.com",
        "eventName": f"Get{number % 3}",
        "eventID": f"{number:08}",
        "recipientAccountId": "111122223333",
        "awsRegion": "eu-west-1",
        "eventTime": f"2025-{month:02}-{day:02}T05:00:00Z",
    } | more


def put(archive: Path, name: str, records: list[dict[str, Any]], day: str = "2025/03/12") -> Path:
    stamp = day.replace("/", "")
    key = f"AWSLogs/111122223333/CloudTrail/eu-west-1/{day}/111122223333_CloudTrail_eu-west-1_{stamp}T0500Z_{name}"
    path = archive / f"{key}.json.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode(), mtime=0))
    return path


def said(record: dict[str, Any]) -> Said:
    return record.get("eventID"), record.get("recipientAccountId"), json.dumps(record, sort_keys=True)


def delivered(archive: Path) -> list[Said]:
    """All records of an archive, read without ctfast."""
    paths = sorted(path for path in archive.rglob("*.json.gz") if "CloudTrail-Digest" not in str(path))
    return [said(record) for path in paths for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]]


def stored(lake: ct.Lake) -> list[Said]:
    return sorted(said(json.loads(text)) for text in lake.scan().select("raw").collect().to_series())


def holds(lake: ct.Lake, archive: Path) -> None:
    """The lake has each event of the archive once, and its counts add up to what was delivered."""
    there = delivered(archive)
    assert stored(lake) == sorted(set(there))
    info = lake.info()
    assert info.read == info.records + info.duplicates + info.bad
    assert info.records == len(set(there))
    assert lake.copies().collect().height == info.duplicates


def twice(folder: Path, files: int = 8, events: int = 70) -> Path:
    """An archive in which every seventh event comes twice, in another file."""
    archive = folder / "archive"
    for file in range(files):
        own = [event(file * events + number) for number in range(events)]
        other = (file + files // 2) % files
        again = [event(other * events + number) for number in range(0, events, 7)]
        put(archive, f"file{file}", own + again)
    return archive


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    return ct.Lake(tmp_path / "lake")


# What it holds


def test_it_has_what_the_archive_has(lake: ct.Lake, sample: Sample) -> None:
    done = lake.ingest(sample.archive)
    assert (done.read, done.stored, done.duplicates, done.bad) == (1039, 1039, 0, 0)
    holds(lake, sample.archive)
    key = ["file", "record"]
    scanned = ct.scan(sample.archive).sort(key).collect()
    found = lake.scan().sort(key).collect()
    # Whole paths, wherever the archive was named from.
    assert found.select(scanned.columns).equals(scanned)
    assert found.columns == [*scanned.columns, "month", "ingest"]


def test_a_known_file_is_not_read_again_and_a_late_one_is_taken(lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path)
    first = lake.ingest(archive)
    version = lake.info().version
    again = lake.ingest(archive)
    assert (again.files, again.known, again.read) == (0, first.files, 0)
    assert lake.info().version == version
    put(archive, "a_late_one", [event(5_000)])
    late = lake.ingest(archive)
    assert (late.files, late.known, late.stored) == (1, first.files, 1)
    holds(lake, archive)


def test_relative_and_whole_paths_name_the_same_files(
    lake: ct.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = twice(tmp_path)
    lake.ingest(archive)
    monkeypatch.chdir(tmp_path)
    assert lake.ingest("archive").files == 0
    assert lake.ingest(Path("./archive/AWSLogs")).files == 0


def test_copies_within_a_run_and_across_runs(lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path)
    done = lake.ingest(archive)
    assert (done.stored, done.duplicates) == (560, 80)
    holds(lake, archive)
    shutil.copytree(archive, tmp_path / "second trail")
    again = lake.ingest(tmp_path / "second trail")
    assert (again.stored, again.duplicates) == (0, 640)
    info = lake.info()
    assert (info.records, info.duplicates, info.read) == (560, 720, 1280)
    places = lake.copies().select("eventID", "file").collect()
    assert places.filter(pl.col("file").str.contains("second trail")).height == 640
    assert set(places["eventID"]) == {json.loads(text)["eventID"] for *_, text in stored(lake)}


def test_only_the_places_of_copies_are_held_in_memory(
    lake: ct.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(number, userAgent=random.Random(number).randbytes(5_000).hex()) for number in range(50)])
    lake.ingest(archive)
    archive.rename(tmp_path / "second trail")
    sizes = []

    def noted(*arguments: Any) -> pa.Table:
        found = dropped_rows(*arguments)
        sizes.append(found.get_total_buffer_size())
        return found

    monkeypatch.setattr(commit, "dropped_rows", noted)
    assert lake.ingest(tmp_path / "second trail").duplicates == 50
    [size] = sizes
    assert size < 50 * 1_000


def test_the_spelling_of_a_copy_does_not_matter(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(1)])
    put(archive, "other", [dict(reversed(event(1).items()))])
    assert lake.ingest(archive).duplicates == 1


def test_the_same_id_with_another_content_is_kept_and_told(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(1), event(2)])
    put(archive, "two", [event(1, errorCode="x"), event(2)])
    done = lake.ingest(archive)
    assert (done.stored, done.duplicates, done.differ) == (3, 1, 1)
    assert lake.info().differ == 1
    put(archive, "three", [event(1, errorCode="y")])
    assert lake.ingest(archive).differ == 1


def test_a_record_without_an_id_is_itself_only_in_its_place(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    nameless = event(1)
    del nameless["eventID"]
    path = put(archive, "one", [nameless, nameless])
    put(archive, "two", [nameless])
    assert lake.ingest(archive).stored == 3
    # A later version of the file has the same records in the same places, and one more.
    put(archive, "one", [nameless, nameless, nameless])
    os.utime(path, (1, 1))
    done = lake.ingest(archive)
    assert (done.files, done.stored, done.duplicates) == (1, 1, 2)


def test_what_no_file_has_is_told(lake: ct.Lake, sample: Sample, tmp_path: Path) -> None:
    with pytest.warns(ct.NothingChosen, match="no file has the region 'eu-north-9'"):
        done = lake.ingest(sample.archive, regions=["eu-north-9"])
    assert [found.reason for found in done.unmatched] == ["regions"]
    given = ["ingest", str(sample.archive), str(tmp_path / "other"), "--region"]
    nothing = CliRunner().invoke(main, [*given, "eu-north-9"])
    assert (nothing.exit_code, nothing.stdout) == (2, "")
    assert nothing.stderr.startswith("ctfast: no file has the region 'eu-north-9'")
    some = CliRunner().invoke(main, [*given, "eu-north-9", "--region", "eu-west-1"])
    assert some.exit_code == 0
    assert "no file has the region 'eu-north-9'" in some.stderr
    assert lake.ingest(sample.archive).unmatched == ()


def test_what_is_mistyped_leaves_nothing_behind(lake: ct.Lake, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lake.ingest(tmp_path / "lgos")
    assert not lake.path.exists()


def test_a_lake_within_its_archive_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "logs", "a", [event(1)])
    for place in (tmp_path / "logs", tmp_path / "logs/lake"):
        with pytest.raises(ct.ArgumentError, match=r"has the lake .* in it") as caught:
            ct.Lake(place).ingest(tmp_path / "logs")
        assert caught.value.argument == "source"
        assert not (place / "_delta_log").exists()


def test_the_folder_above_a_link_is_that_of_its_target(
    lake: ct.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "logs", "here", [event(1)])
    put(tmp_path / "there/logs", "there", [event(2)])
    (tmp_path / "there/deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there/deep")
    monkeypatch.chdir(tmp_path)
    lake.ingest("link/../logs")
    ids = lake.scan().select("eventID").collect().to_series().to_list()
    assert ids == ct.read("link/../logs")["eventID"].to_list() == ["00000002"]


def test_a_commit_of_other_splits_under_a_name_that_was_used_is_refused(lake: ct.Lake, tmp_path: Path) -> None:
    messages = []
    for number in range(2):
        put(tmp_path / str(number), "a", [event(number)])
        messages.append([split.write_parquet(lake.path) for split in ct.splits(tmp_path / str(number))])
    lake.commit(messages[0], run="daily", n=1)
    with pytest.raises(ct.ArgumentError, match="was of other splits"):
        lake.commit(messages[1], run="daily", n=1)
    assert lake.commit(messages[1], run="daily", n=2).records == 2


def test_a_file_that_is_skipped_is_known(lake: ct.Lake, tmp_path: Path) -> None:
    put(tmp_path / "logs", "a", [event(1)])
    (tmp_path / "logs/config.json").write_text('{"configurationItems": []}')
    assert lake.ingest(tmp_path / "logs").known == 0
    version = lake.info().version
    assert lake.ingest(tmp_path / "logs").known == 2
    assert lake.info().version == version


def test_an_empty_archive_makes_an_empty_lake(lake: ct.Lake, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    done = lake.ingest(tmp_path / "archive")
    assert done.read == 0
    assert lake.scan().collect().height == 0
    assert lake.info().files == 0
    assert lake.scan().collect_schema().names()[:1] == ct.scan(tmp_path / "archive").collect_schema().names()[:1]


def test_months_and_records_without_a_time(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(1, month=1), event(2, month=2), event(3, eventTime=None)])
    put(archive, "two", [event(1, month=1), event(3, eventTime=None)])
    done = lake.ingest(archive)
    assert (done.stored, done.duplicates) == (3, 2)
    assert sorted(lake.scan().select("month").collect().to_series()) == ["2025-01", "2025-02", "none"]


# Bad files


def test_a_damaged_file_is_taken_once_it_is_whole(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "whole", [event(1)])
    path = put(archive, "torn", [event(number) for number in range(1_000, 1_200)])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    done = lake.ingest(archive)
    assert (done.files, done.bad_files) == (2, 1)
    assert lake.bad().collect().select("file", "reason").rows() == [(str(path), "truncated-gzip")]
    assert lake.info().bad_files == 1
    again = lake.ingest(archive)
    assert (again.files, again.known_bad) == (0, 1)
    path.write_bytes(content)
    healed = lake.ingest(archive)
    assert (healed.files, healed.bad_files) == (1, 0)
    holds(lake, archive)
    assert lake.bad().collect().height == 0


def test_the_exit_code_tells_bad_files(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(1)])

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, list(arguments))

    whole = run("ingest", str(archive), str(tmp_path / "lake"))
    assert whole.exit_code == 0, whole.output
    assert "1 record: 1 stored, 0 stored before, 0 bad" in whole.stderr
    bad = put(archive, "two", [])
    bad.write_bytes(b"no gzip")
    assert run("ingest", str(archive), str(tmp_path / "lake")).exit_code == 1
    again = run("ingest", str(archive), str(tmp_path / "lake"))
    assert again.exit_code == 1
    assert str(bad) in again.stderr
    told = run("lake", "info", str(tmp_path / "lake"))
    assert told.exit_code == 1
    assert json.loads(told.stdout)["records"] == 1
    assert run("ingest", str(tmp_path / "nowhere"), str(tmp_path / "lake")).exit_code == 2


def test_a_file_is_bad_if_its_last_version_is(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    path = put(archive, "one", [event(1), event(2)])
    whole = path.read_bytes()
    assert lake.ingest(archive).bad_files == 0
    # The names of commits have nothing to do with their order: so many cannot be in order by chance.
    for reason, content in [("truncated-gzip", whole[:-20]), ("unrecognized", b"no gzip")] * 4:
        path.write_bytes(content)
        stamp = lake.info().version + 1
        os.utime(path, (stamp, stamp))
        lake.ingest(archive)
        assert lake.bad().collect().select("file", "reason").rows() == [(str(path), reason)]
        assert (lake.info().files, lake.info().bad_files) == (1, 1)
    DeltaTable(lake.path).create_checkpoint()
    assert lake.bad().collect()["reason"].to_list() == ["unrecognized"]
    path.write_bytes(whole)
    lake.ingest(archive)
    assert (lake.info().bad_files, lake.bad().collect().height) == (0, 0)


# What is refused


@pytest.mark.parametrize("log", ["commits", "checkpoint"])
def test_what_the_table_names_and_is_gone_is_told(log: str, lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=2)
    lake.ingest(archive)
    lake.hold("case", where=ct.FilterPattern("{ $.eventName = Get0 }"))
    if log == "checkpoint":
        DeltaTable(lake.path).create_checkpoint()
    calls: dict[str, Any] = {
        "info": lake.info,
        "holds": lake.holds,
        "audit": lake.audit,
        "hold": lambda: lake.hold("other", where=ct.FilterPattern("{ $.eventName = Get1 }")),
        "retain": lambda: lake.retain(7),
        "delete": lambda: lake.retain(7, delete=True),
        "bad": lake.bad,
        "copies": lake.copies,
        "ingest": lambda: lake.ingest(archive),
    }
    relying = {
        "ledger": ["info", "retain", "delete", "bad", "copies", "ingest"],
        "audit": ["info", "holds", "audit", "hold", "retain", "delete", "copies"],
        "copies": ["retain", "delete", "copies"],
    }
    for folder, names in relying.items():
        [place] = (path for path in (lake.path / "_ctfast" / folder).rglob("*") if path.is_file())
        content = place.read_bytes()
        place.unlink()
        for name in names:
            with pytest.raises(FileNotFoundError, match=rf"{place.name} is gone, and the table names it"):
                calls[name]()
        place.write_bytes(content)
    assert lake.info().records == 140
    assert lake.copies().collect().height == 20
    told = CliRunner().invoke(main, ["lake", "info", str(lake.path)])
    assert told.exit_code == 0
    place.unlink()
    told = CliRunner().invoke(main, ["lake", "retain", str(lake.path), "--days", "7"])
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("folder", ["ledger", "audit"])
def test_a_damaged_file_beside_the_table_is_named(folder: str, lake: ct.Lake, tmp_path: Path) -> None:
    lake.ingest(twice(tmp_path, files=2))
    lake.hold("case", where=ct.FilterPattern("{ $.eventName = Get0 }"))
    [place] = (lake.path / "_ctfast" / folder).iterdir()
    place.write_bytes(b"{")
    with pytest.raises(ValueError, match=place.name):
        lake.info()


@pytest.mark.parametrize("folder", ["ledger", "audit", "copies"])
def test_a_changed_byte_beside_the_table_is_told(folder: str, lake: ct.Lake, tmp_path: Path) -> None:
    lake.ingest(twice(tmp_path, files=2))
    lake.hold("case", where=ct.FilterPattern("{ $.eventName = Get0 }"))
    [place] = (path for path in (lake.path / "_ctfast" / folder).rglob("*") if path.is_file())
    content = place.read_bytes()
    read: Any = (lambda lake: lake.retain(7, delete=True)) if folder == "copies" else ct.Lake.info
    for wrong in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b""):
        place.write_bytes(wrong)
        with pytest.raises(ValueError, match=f"{place.name} is cut or was changed"):
            read(ct.Lake(lake.path))
    place.write_bytes(content)
    assert ct.Lake(lake.path).retain(7, delete=True).held > 0


def test_a_part_that_is_cut_or_gone_is_named(lake: ct.Lake, tmp_path: Path) -> None:
    lake.ingest(twice(tmp_path, files=2))
    [place] = lake.path.glob("month=*/*.parquet")
    place.write_bytes(place.read_bytes()[:-1])
    for call in (lake.info, lake.scan):
        with pytest.raises(ValueError, match=f"{place.name} is cut or was changed: it has .* bytes"):
            call()
    place.unlink()
    for call in (lake.info, lake.scan):
        with pytest.raises(FileNotFoundError, match=f"{place.name} is gone, and the table names it"):
            call()


def test_a_log_that_has_lost_its_end_is_told(lake: ct.Lake, tmp_path: Path) -> None:
    """Of one version nothing is told: its files may be those of a commit that was killed."""
    archive = twice(tmp_path, files=2)
    lake.ingest(archive)
    for name in ("one", "two", "three"):
        lake.hold(name, where=ct.FilterPattern("{ $.eventName = Get0 }"))
    log = sorted((lake.path / "_delta_log").glob("*.json"))
    log[-1].unlink()
    assert list(lake.holds()) == ["one", "two"]
    log[-2].unlink()
    for call in (lake.holds, lake.info, lambda: lake.retain(7)):
        with pytest.raises(ValueError, match="has lost versions of its log: the latest is 2, and version 3 was there"):
            call()


def test_counts_of_a_commit_are_its_own(lake: ct.Lake, tmp_path: Path) -> None:
    """The names of two runs may begin alike."""
    for number, run in enumerate(("daily", "daily-1")):
        put(tmp_path / run, "a", [event(number * 10 + each) for each in range(number + 1)])
        messages = [split.write_parquet(lake.path) for split in ct.splits(tmp_path / run)]
        for _ in range(2):
            counts = commit.commit(Table(lake.path), messages, run, 1)
            assert (counts.files, counts.stored) == (1, number + 1)
    assert commit.commit(Table(lake.path), [], "daily", 1).stored == 1


def test_a_lake_whose_numbers_do_not_add_up_is_told(lake: ct.Lake, tmp_path: Path) -> None:
    """As after another writer of Delta tables."""
    lake.ingest(twice(tmp_path, files=2))
    DeltaTable(lake.path).delete()
    with pytest.raises(ValueError, match="is damaged: 160 records were read, but 0 are stored, 20 were stored already"):
        lake.info()


def test_another_question_is_refused(lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path)
    lake.ingest(archive)
    for options in ({"raw": False}, {"where": ct.FilterPattern("{ $.eventName = Get1 }")}):
        with pytest.raises(ValueError, match="was made with other columns, where or rules"):
            lake.ingest(archive, **options)  # type: ignore[arg-type]
    [split] = ct.splits(archive, columns=["eventName"])
    with pytest.raises(ValueError, match="other columns"):
        lake.commit([split.write_parquet(lake.path)], run="r", n=1)
    holds(lake, archive)


def test_wider_bounds_take_what_is_missing(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(number, day=12 + number) for number in range(3)], day="2025/03/14")
    assert lake.ingest(archive, since="2025-03-14", max_delay=None).stored == 1
    assert lake.ingest(archive, since="2025-03-14T01:00", max_delay=None).files == 0
    done = lake.ingest(archive)
    assert (done.stored, done.duplicates) == (2, 1)
    assert lake.ingest(archive, since="2025-03-13").files == 0


def test_foreign_and_newer_tables_are_refused(tmp_path: Path, sample: Sample) -> None:
    write_deltalake(tmp_path / "foreign", pa.table({"x": [1]}))
    with pytest.raises(ValueError, match="that ctfast has not made"):
        ct.Lake(tmp_path / "foreign").ingest(sample.archive)
    lake = ct.Lake(tmp_path / "newer")
    lake.ingest(sample.archive)
    DeltaTable(lake.path).alter.set_table_properties({"ctfast.format": "99"}, raise_if_not_exists=False)
    for call in (lake.info, lake.scan, lambda: lake.ingest(sample.archive)):
        with pytest.raises(ValueError, match=r"format .99.*update ctfast"):
            call()
    with pytest.raises(FileNotFoundError, match="holds no lake"):
        ct.Lake(tmp_path / "none").scan()


@pytest.mark.parametrize("name", ["a blank", "50%", "ü * ? [x]", "x=1&y"])
def test_roots_with_unusual_names(name: str, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=4)
    lake = ct.Lake(tmp_path / name)
    lake.ingest(archive)
    holds(lake, archive)


def test_a_root_that_deltalake_misreads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ct.ArgumentError, match="% with two digits"):
        ct.Lake(tmp_path / "a%20b")


@pytest.mark.parametrize("damage", ["log", "file"])
def test_a_log_that_cannot_be_read_is_one_sentence(damage: str, lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=2)
    if damage == "file":
        lake.path.write_text("no folder")
    else:
        lake.ingest(archive)
        for path in (lake.path / "_delta_log").glob("*.json"):
            path.write_text("{torn")
    result = CliRunner().invoke(main, ["ingest", str(archive), str(lake.path)])
    assert result.exit_code == 2
    assert [line for line in result.stderr.splitlines() if line.startswith("ctfast: ")] == result.stderr.splitlines()
    assert str(lake.path) in result.stderr


def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(lake: ct.Lake, tmp_path: Path) -> None:
    """No file may be larger than 8 KiB, as if the disk were full there."""
    archive = twice(tmp_path, files=4)
    script = (
        "import resource, sys; from ctfast.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "ingest", str(archive), str(lake.path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    lake.ingest(archive)
    holds(lake, archive)


def test_what_cannot_be_opened_is_told_each_time(lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=2)
    place = put(archive, "circle", [event(9_000)])
    place.unlink()
    place.symlink_to(place.name)
    done = lake.ingest(archive)
    assert (done.unlisted, [error.key for error in done.errors]) == (1, [str(place)])
    again = CliRunner().invoke(main, ["ingest", str(archive), str(lake.path)])
    assert again.exit_code == 1
    assert str(place) in again.stderr
    place.unlink()
    put(archive, "circle", [event(9_000)])
    assert lake.ingest(archive).unlisted == 0
    holds(lake, archive)


def test_a_list_of_keys_is_refused(lake: ct.Lake) -> None:
    with pytest.raises(ct.ArgumentError, match="an archive that can be listed"):
        lake.ingest(ct.KeyList([]))


def test_without_deltalake_it_is_one_sentence(tmp_path: Path) -> None:
    script = "import sys; sys.modules['deltalake'] = None; from ctfast.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", script, "ingest", str(tmp_path), str(tmp_path / "lake")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (2, "ctfast: a lake needs deltalake: pip install 'ctfast[lake]'\n")


# One path for all


def test_four_processes_and_one_commit(lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=12)
    splits = ct.splits(archive, target=3 * (16 << 10))
    assert len(splits) >= 4
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        messages = pool.map(operator.methodcaller("write_parquet", lake.path), splits)
    half = len(messages) // 2
    lake.commit(messages[:half], run="run", n=1)
    lake.commit([ct.SplitMessage.from_json(each.json()) for each in messages[half:]], run="run", n=2)
    holds(lake, archive)
    version = lake.info().version
    # Whoever does not know whether a commit has succeeded repeats it, also under another name.
    lake.commit(messages[:half], run="run", n=1)
    assert lake.info().version == version
    lake.commit(messages, run="other", n=1)
    holds(lake, archive)
    parts = {path.relative_to(lake.path).as_posix() for path in lake.path.glob("month=*/*.parquet")}
    assert parts == {part.path for part in Table(lake.path).open().parts()}, "parts that were replaced are removed"


def test_a_split_that_is_written_after_its_commit_changes_nothing(lake: ct.Lake, tmp_path: Path) -> None:
    archive = twice(tmp_path)
    splits = ct.splits(archive, target=3 * (16 << 10))
    lake.commit([split.write_parquet(lake.path) for split in splits], run="run", n=1)
    late = [split.write_parquet(lake.path) for split in splits]
    lake.commit(late, run="run", n=2)
    holds(lake, archive)


def test_two_at_once(tmp_path: Path) -> None:
    archive = twice(tmp_path, files=24)
    script = "import sys, ctfast as ct; ct.Lake(sys.argv[1]).ingest(sys.argv[2], threads=1)"
    command = [sys.executable, "-c", script, str(tmp_path / "lake"), str(archive)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for each in both:
        _, words = each.communicate(timeout=120)
        assert each.returncode == 0, words
    lake = ct.Lake(tmp_path / "lake")
    there = delivered(archive)
    assert stored(lake) == sorted(set(there))
    info = lake.info()
    assert info.read == info.records + info.duplicates


@settings(max_examples=8, deadline=None)
@given(
    files=st.lists(st.lists(st.integers(0, 30), max_size=12), min_size=1, max_size=6),
    targets=st.tuples(st.integers(1, 80_000), st.integers(1, 80_000)),
    order=st.randoms(use_true_random=False),
    is_compacted=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    is_exported=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_any_split_order_and_repetition_gives_the_same_lake(
    files: list[list[int]],
    targets: tuple[int, int],
    order: random.Random,
    is_compacted: tuple[bool, ...],
    is_exported: tuple[bool, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    archive, lake = folder / "archive", ct.Lake(folder / "lake")
    for number, events in enumerate(files):
        put(archive, f"f{number}", [event(each, month=1 + each % 2) for each in events])
    splits = [split for target in targets for split in ct.splits(archive, target=target)]
    order.shuffle(splits)
    for n, some in enumerate((splits[0::3], splits[1::3], splits[2::3])):
        lake.commit([split.write_parquet(lake.path) for split in some], run="r", n=n)
        if is_compacted[n]:
            lake.compact()
        if is_exported[n]:
            lake.export(folder / "exported")
    there = sorted(set(delivered(archive)))
    assert stored(lake) == there
    info = lake.info()
    assert info.read == info.records + info.duplicates
    assert lake.copies().collect().height == info.duplicates
    # Once more, and in one commit.
    lake.commit([split.write_parquet(lake.path) for split in reversed(splits)], run="again", n=0)
    assert replace(lake.info(), version=info.version) == info
    lake.export(folder / "exported")
    exported = [pl.read_parquet(path, columns=["raw"]) for path in folder.glob("exported/*/*/*/*.parquet")]
    assert sorted(said(json.loads(text)) for frame in exported for text in frame["raw"]) == there


# Interrupted


def test_killed_at_any_moment(tmp_path: Path) -> None:
    archive = twice(tmp_path, files=10)
    script = "import sys, ctfast as ct; ct.Lake(sys.argv[1]).ingest(sys.argv[2], threads=1)"
    lake = ct.Lake(tmp_path / "lake")
    command = [sys.executable, "-c", script, str(lake.path), str(archive)]
    chance = random.Random(20250312)
    begin = time.monotonic()
    subprocess.run([*command[:3], str(tmp_path / "other"), str(archive)], check=True, timeout=60)
    usual = time.monotonic() - begin
    for _ in range(6):
        running = subprocess.Popen(command)
        time.sleep(chance.uniform(usual / 3, usual))
        running.send_signal(signal.SIGKILL)
        running.wait()
    lake.ingest(archive)
    holds(lake, archive)


# Other readers


def test_duckdb_polars_and_deltalake_agree(lake: ct.Lake, sample: Sample) -> None:
    lake.ingest(sample.archive)
    names = lake.scan().group_by("eventName").len().collect()
    expected = dict(names.rows())
    # The files of the snapshot, below the root of the lake.
    parts = [str(lake.path / path) for path in pa.table(DeltaTable(lake.path).get_add_actions())["path"].to_pylist()]
    rows = duckdb.connect().execute(
        'SELECT "eventName", count(*) FROM read_parquet(?, hive_partitioning=false, union_by_name=true) GROUP BY 1',
        [parts],
    )
    assert dict(rows.fetchall()) == expected
    table = DeltaTable(lake.path).to_pyarrow_dataset().to_table(columns=["eventName"])
    assert dict(Counter(table["eventName"].to_pylist())) == expected
    hour = pl.col("eventTime") >= pl.datetime(2025, 3, 12, 6, time_zone="UTC")
    assert pl.scan_delta(str(lake.path)).filter(hour).collect().height == lake.scan().filter(hour).collect().height


def test_the_log_has_bounds_that_hold_and_no_ids(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(1, eventTime="2025-03-12T05:00:00.000400Z"), event(2, userIdentity={"arn": "arn:x"})])
    lake.ingest(archive)
    log = "".join(path.read_text() for path in (lake.path / "_delta_log").glob("*.json"))
    assert "2025-03-12T05:00:00.001Z" in log
    for secret in ("00000001", "00000002", "arn:x", "s3.amazonaws.com"):
        assert secret not in log
