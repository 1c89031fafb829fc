"""`Lake.export`: the rows of a lake in folders that other engines read, each once, whatever is interrupted."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast._lake import export
from ctfast._later import pq as lake_pq
from ctfast._scan.options import COLUMNS
from ctfast._scan.parts import schema_for
from ctfast.cli import main
from ctfast.sample import Sample
from test_lake import event, put, twice
from test_lake_schema import MORE, earlier, seen

NOW = datetime.now(UTC)
KEY = ["eventID", "file", "record"]
FOLDERS = ["account", "region", "day"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three accounts and regions, five days, two months."""
    archive = tmp_path / "archive"
    for number in range(4):
        put(archive, f"file{number}", [mixed(30 * number + each) for each in range(40)])
    return archive


def mixed(number: int) -> dict[str, Any]:
    where = {"recipientAccountId": f"{number % 3:012}", "awsRegion": f"eu-west-{number % 2 + 1}"}
    return event(number, day=10 + number % 5, month=3 + number % 2, **where)


@pytest.fixture
def lake(tmp_path: Path, archive: Path) -> ct.Lake:
    """A lake of several parts in each month."""
    lake = ct.Lake(tmp_path / "lake")
    for n, split in enumerate(ct.splits(archive, target=20_000)):
        lake.commit([split.write_parquet(lake.path)], run="small", n=n)
    assert lake.info().parts > 4
    return lake


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "exported"


def files(dest: Path) -> list[Path]:
    """All but those that a killed run has left, which are hidden."""
    return sorted(path for path in dest.glob("account=*/region=*/day=*/*") if not path.name.startswith("."))


def rows(dest: Path) -> pl.DataFrame:
    return pl.read_parquet(files(dest), hive_partitioning=False, glob=False).sort(KEY)


def agrees(dest: Path, lake: ct.Lake) -> None:
    """The folder has the rows of the lake, each once, in the folder of its own values, and says so."""
    expected = lake.scan().sort(KEY).collect()
    if expected.height == 0:
        assert files(dest) == []
    else:
        found = rows(dest)
        assert set(found.columns) == {*expected.columns, *FOLDERS}
        assert found.select(expected.columns).with_columns(pl.col("record").cast(pl.UInt32)).equals(expected)
    for path in files(dest):
        for name, part in zip(FOLDERS, path.parts[-4:-1], strict=True):
            values = pq.read_table(path, columns=[name], partitioning=None).column(name)
            assert [f"{name}={value}" for value in values.unique().to_pylist()] == [part]
    done = json.loads((dest / "_SUCCESS").read_text())
    assert (done["records"], done["files"]) == (expected.height, len(files(dest)))
    assert done["bytes"] == sum(path.stat().st_size for path in files(dest))


# What it has


def test_the_rows_of_the_sample(sample: Sample, dest: Path, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(sample.archive)
    done = lake.export(dest)
    assert (done.records, done.added, done.removed, done.version) == (1039, len(files(dest)), 0, lake.info().version)
    agrees(dest, lake)


def test_a_folder_for_each_account_region_and_day(lake: ct.Lake, dest: Path) -> None:
    lake.export(dest)
    agrees(dest, lake)
    expected = {(f"{n % 3:012}", f"eu-west-{n % 2 + 1}", f"2025-{3 + n % 2:02}-{10 + n % 5:02}") for n in range(130)}
    assert set(rows(dest).select(FOLDERS).rows()) == expected
    assert {path.parent.relative_to(dest).as_posix() for path in files(dest)} == {
        f"account={account}/region={region}/day={day}" for account, region, day in expected
    }


def test_files_are_what_other_engines_take(lake: ct.Lake, dest: Path) -> None:
    lake.export(dest)
    for path in files(dest):
        found = pq.ParquetFile(path)
        assert b"ARROW:schema" not in (found.metadata.metadata or {})
        assert found.schema_arrow.field("eventTime").type == pa.timestamp("us", "UTC")
        assert found.schema_arrow.field("resources").type.value_field.name == "element"
        groups = [found.metadata.row_group(number).to_dict()["columns"] for number in range(found.num_row_groups)]
        for name in FOLDERS:
            [bounds] = [each["statistics"] for group in groups for each in group if each["path_in_schema"] == name]
            assert bounds["min"] == bounds["max"]


def test_duckdb_and_pyarrow_read_it(lake: ct.Lake, dest: Path) -> None:
    lake.export(dest)
    count = lake.scan().filter(pl.col("awsRegion") == "eu-west-1").collect().height
    query = "SELECT count(*) FROM read_parquet(?, hive_partitioning={}) WHERE region = 'eu-west-1'"
    for is_hive in ("false", "true"):
        found = duckdb.connect().execute(query.format(is_hive), [str(dest / "*/*/*/*.parquet")]).fetchone()
        assert found == (count,)
    text = pa.schema([(name, pa.string()) for name in FOLDERS])
    dataset = ds.dataset(dest, format="parquet", partitioning=ds.partitioning(text, flavor="hive"))
    assert dataset.count_rows(filter=ds.field("region") == "eu-west-1") == count


def test_values_that_no_folder_can_have(dest: Path, tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {"recipientAccountId": "../../../escaped"},
        {"recipientAccountId": None, "eventTime": None},
        {"awsRegion": "eu-west-1/../../.."},
        {"awsRegion": "a" * 5_000},
        {"awsRegion": "x=y%2F"},
        {"awsRegion": None},
    ]
    put(tmp_path / "archive", "one", [event(number, **more) for number, more in enumerate(odd)])
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "archive")
    before = set(tmp_path.iterdir())
    lake.export(dest)
    agrees(dest, lake)
    assert set(tmp_path.iterdir()) == before | {dest}
    assert sorted({path.relative_to(dest).parent.as_posix() for path in files(dest)}) == [
        "account=111122223333/region=none/day=2025-03-12",
        "account=111122223333/region=other/day=2025-03-12",
        "account=none/region=eu-west-1/day=none",
        "account=other/region=eu-west-1/day=2025-03-12",
    ]


@pytest.mark.parametrize("most", [0, 30_000, 10**9])
def test_what_waits_is_bounded(most: int, lake: ct.Lake, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = []
    usual = pa.concat_tables

    def noted(tables: list[pa.Table], **more: Any) -> pa.Table:
        waiting.append(sum(table.nbytes for table in tables))
        return usual(tables, **more)

    lake.compact()
    monkeypatch.setattr(export, "WAITING", most)
    monkeypatch.setattr(export, "_ROWS", 7)
    monkeypatch.setattr(export.pa, "concat_tables", noted)
    lake.export(dest)
    agrees(dest, lake)
    assert len(waiting) == len(files(dest))
    one = lake.scan().collect().estimated_size() / lake.info().records
    assert max(waiting) < most + 50 * one
    if most == 0:
        assert len(files(dest)) > 60


@pytest.mark.parametrize("name", ["a blank", "50%", "ü * ? [x]", "x=1&y", "a%20b"])
def test_folders_with_unusual_names(name: str, lake: ct.Lake, tmp_path: Path) -> None:
    lake.export(tmp_path / name)
    agrees(tmp_path / name, lake)


# Again


def test_again_nothing_is_written(lake: ct.Lake, dest: Path) -> None:
    first = lake.export(dest)
    times = {path: path.stat().st_mtime_ns for path in dest.rglob("*") if path.is_file()}
    again = lake.export(dest)
    assert (again.added, again.removed) == (0, 0)
    assert (again.records, again.files, again.bytes) == (first.records, first.files, first.bytes)
    assert {path: path.stat().st_mtime_ns for path in dest.rglob("*") if path.is_file()} == times


def test_what_came_since_is_added(lake: ct.Lake, archive: Path, dest: Path) -> None:
    lake.export(dest)
    before = {path: path.read_bytes() for path in files(dest)}
    put(archive, "late", [event(5_000, day=29), mixed(1)])
    lake.ingest(archive)
    done = lake.export(dest)
    assert (done.added, done.removed) == (1, 0)
    agrees(dest, lake)
    assert {path: path.read_bytes() for path in before} == before


def test_after_a_compaction_it_is_renewed(lake: ct.Lake, dest: Path) -> None:
    first = lake.export(dest)
    lake.compact()
    done = lake.export(dest)
    assert (done.records, done.removed) == (first.records, first.files)
    assert done.files < first.files
    agrees(dest, lake)


def test_after_a_retention_deleted_events_are_in_no_file(dest: Path, tmp_path: Path) -> None:
    ages = [1, 5, 29, 31, 40, 75, 400]
    times = [f"{NOW - timedelta(days=ages[number % 7]):%Y-%m-%dT%H:%M:%SZ}" for number in range(70)]
    put(tmp_path / "archive", "one", [event(number, eventTime=time) for number, time in enumerate(times)])
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "archive")
    lake.export(dest)
    assert lake.retain(30, delete=True).rows == 40
    assert lake.export(dest).removed > 0
    agrees(dest, lake)
    assert rows(dest)["eventTime"].min() > NOW - timedelta(days=31)  # type: ignore[operator]
    lake.retain(7, delete=True)
    lake.export(dest)
    agrees(dest, lake)


def test_files_of_deleted_events_go_first(lake: ct.Lake, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full when the first file is to be written."""
    lake.export(dest)
    put(lake.path.parent / "other", "new", [event(9_000, eventTime=f"{NOW:%Y-%m-%dT%H:%M:%SZ}")])
    lake.ingest(lake.path.parent / "other")
    lake.retain(7, delete=True)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(export._Work, "_put", full)  # noqa: SLF001  # the disk
        with pytest.raises(OSError, match="No space"):
            lake.export(dest)
    assert files(dest) == []
    assert not (dest / "_SUCCESS").exists()
    assert lake.export(dest).records == 1
    agrees(dest, lake)


def test_a_file_that_somebody_has_removed_is_written_again(lake: ct.Lake, dest: Path) -> None:
    lake.export(dest)
    files(dest)[3].unlink()
    assert lake.export(dest).added > 0
    agrees(dest, lake)


def test_a_file_that_somebody_has_cut_is_written_again(lake: ct.Lake, dest: Path) -> None:
    lake.export(dest)
    path = files(dest)[3]
    path.write_bytes(path.read_bytes()[:-1])
    assert lake.export(dest).added > 0
    agrees(dest, lake)
    assert lake.export(dest).added == 0


def test_all_files_have_the_columns_of_the_lake(dest: Path, tmp_path: Path) -> None:
    """Also those of parts that an earlier version of ctfast has written."""
    lake = ct.Lake(tmp_path / "lake")
    for number in range(2):
        with earlier() if number == 0 else nullcontext():
            put(tmp_path / "archive", f"{number}", [event(number, **MORE)])
            lake.ingest(tmp_path / "archive")
            lake.export(dest)
    agrees(dest, lake)
    names = {*schema_for(COLUMNS).names, *FOLDERS}
    assert [set(pq.read_schema(path).names) - names for path in files(dest)] == [set(), set()]
    assert {len(pq.read_schema(path).field("userIdentity").type) for path in files(dest)} == {
        len(schema_for(COLUMNS).field("userIdentity").type)
    }
    assert seen(rows(dest)) == {0: (None,) * 3, 1: ("444455556666", "x", "AWS::S3::Bucket")}


# Interrupted, and at once


def test_a_part_that_a_retention_removes_meanwhile(lake: ct.Lake, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = lake_pq.ParquetFile
    opened = []

    def late(*arguments: Any) -> Any:
        opened.append(arguments)
        if len(opened) == 3:
            ct.Lake(lake.path).retain(7, delete=True)
        return usual(*arguments)

    monkeypatch.setattr(lake_pq, "ParquetFile", late)
    done = lake.export(dest)
    monkeypatch.undo()
    assert (done.records, done.files) == (0, 0)
    assert done.added == done.removed > 0
    agrees(dest, lake)


SCRIPT = "import sys, ctfast as ct; print(ct.Lake(sys.argv[1]).export(sys.argv[2]).added)"


def test_three_at_once(tmp_path: Path, lake: ct.Lake, dest: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(lake.path), str(dest)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    added = []
    for each in running:
        said, words = each.communicate(timeout=120)
        assert each.returncode == 0, words
        added.append(int(said))
    assert sorted(added) == [0, 0, len(files(dest))]
    agrees(dest, lake)


def test_killed_at_any_moment(lake: ct.Lake, archive: Path, dest: Path) -> None:
    chance = random.Random(11)
    command = [sys.executable, "-c", SCRIPT, str(lake.path), str(dest)]
    begin = time.monotonic()
    subprocess.run([*command[:-1], str(dest.parent / "undisturbed")], check=True, timeout=60, capture_output=True)
    usual = time.monotonic() - begin
    for number in range(5):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(usual / 3, usual))
        running.kill()
        running.wait()
        if files(dest):
            assert rows(dest).select(KEY).is_unique().all()
        put(archive, f"late{number}", [event(6_000 + number, day=20 + number)])
        lake.ingest(archive)
        if number == 2:
            lake.compact()
    lake.export(dest)
    agrees(dest, lake)
    assert [path for path in dest.rglob("*") if path.name.startswith(".")] == []


# What is refused


def test_folders_that_are_no_exports_of_this_lake(lake: ct.Lake, dest: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"no export of a lake and has files, such as notes\.txt"):
        lake.export(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]
    other = ct.Lake(tmp_path / "other")
    other.ingest(twice(tmp_path / "more", files=2))
    other.export(dest)
    with pytest.raises(ValueError, match="is the export of another lake"):
        lake.export(dest)
    agrees(dest, other)
    owner = dest / "_ctfast/export.json"
    owner.write_text(owner.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match=r"export.json has format 2, and this ctfast knows format 1: update it"):
        other.export(dest)
    owner.write_text("{")
    with pytest.raises(ValueError, match=r"export.json"):
        other.export(dest)


@pytest.mark.parametrize("place", ["lake/exported", "lake", "."])
def test_a_folder_within_the_lake_or_around_it(place: str, lake: ct.Lake) -> None:
    with pytest.raises(ct.ArgumentError, match="lie within each other") as caught:
        lake.export(lake.path.parent / place)
    assert (caught.value.argument, caught.value.function) == ("dest", "Lake.export")
    assert lake.info().records == 130


def test_a_lake_without_a_column_that_folders_are_named_by(archive: Path, dest: Path, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "few")
    splits = ct.splits(archive, columns=["eventTime", "recipientAccountId"])
    lake.commit([split.write_parquet(lake.path) for split in splits], run="r", n=0)
    with pytest.raises(ValueError, match="was made without awsRegion, by which an export is divided"):
        lake.export(dest)
    assert not dest.exists()


def test_a_damaged_manifest_is_named(lake: ct.Lake, dest: Path) -> None:
    lake.export(dest)
    path = min((dest / "_ctfast/parts").iterdir())
    path.write_text("{")
    with pytest.raises(ValueError, match=path.name):
        lake.export(dest)
    path.unlink()
    lake.export(dest)
    agrees(dest, lake)


def test_the_command(lake: ct.Lake, dest: Path) -> None:
    result = CliRunner().invoke(main, ["lake", "export", str(lake.path), str(dest)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"130 events in {len(files(dest))} files, as of version" in result.stderr
    again = CliRunner().invoke(main, ["lake", "export", str(lake.path), str(dest)])
    assert "; 0 files added, 0 removed" in again.stderr
    nowhere = CliRunner().invoke(main, ["lake", "export", str(lake.path.parent / "none"), str(dest)])
    assert nowhere.exit_code == 2
    assert "holds no lake" in nowhere.stderr
    assert not (dest.parent / "none").exists()
