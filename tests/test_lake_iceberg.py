"""`Lake.export_iceberg`: a catalogue is given the files of the lake, each once, and no file goes that a table names."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table as IcebergTable

import ctfast as ct
from ctfast._lake import iceberg
from ctfast._lake.table import LostRaceError, Table
from ctfast.sample import Sample
from test_lake import event, holds, put, twice
from test_lake_compact import age
from test_lake_schema import MORE, earlier, seen

pytestmark = pytest.mark.filterwarnings("ignore:Iceberg scan planning", "ignore::ctfast.NothingChosen")

NOW = datetime.now(UTC)
NAME = "security.events"
KEY = ["eventID", "file", "record"]
#: Of these, bounds may stand in the table's manifests.
BOUNDED = {"eventTime", "recipientAccountId", "awsRegion", "eventName", "month"}


def opened(tmp_path: Path) -> SqlCatalog:
    return SqlCatalog("mine", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = opened(tmp_path)
    catalog.create_namespace("security")
    yield catalog
    catalog.close()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return twice(tmp_path, files=4)


@pytest.fixture
def lake(tmp_path: Path, archive: Path) -> ct.Lake:
    """A lake of several parts."""
    lake = ct.Lake(tmp_path / "lake")
    for n, split in enumerate(ct.splits(archive, target=20_000)):
        lake.commit([split.write_parquet(lake.path)], run="small", n=n)
    assert lake.info().parts > 2
    return lake


def rows(table: IcebergTable) -> pl.DataFrame:
    """By the reader of Polars: that of pyiceberg 0.12 makes empty lists of those that are null."""
    return pl.scan_iceberg(table, reader_override="native").collect().sort(KEY)


def agrees(catalog: Catalog, lake: ct.Lake, name: str = NAME) -> None:
    """The table names the files of the lake, each once, and they can be read."""
    table = catalog.load_table(name)
    files = table.inspect.files()
    snapshot = Table(lake.path).open()
    assert sorted(files["file_path"].to_pylist()) == [f"file://{lake.path}/{part.path}" for part in snapshot.parts()]
    assert {each["month"] for each in files["partition"].to_pylist()} <= {part.month for part in snapshot.parts()}
    expected = lake.scan().sort(KEY).collect()
    assert table.scan().to_arrow().num_rows == expected.height
    if expected.height:
        found = rows(table)
        assert found.select(expected.columns).with_columns(pl.col("record").cast(pl.UInt32)).equals(expected)


# What it has


def test_it_reads_what_the_lake_reads(sample: Sample, catalog: Catalog, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(sample.archive)
    done = lake.export_iceberg(catalog, NAME)
    assert (done.records, done.files, done.added, done.removed) == (1039, 1, 1, 0)
    agrees(catalog, lake)
    table = catalog.load_table(NAME)
    known = lake.scan().collect()
    for text, where in {
        "eventTime >= '2025-03-12T13:30:00+00:00'": pl.col("eventTime") >= datetime(2025, 3, 12, 13, 30, tzinfo=UTC),
        "month = '2025-03'": pl.col("month") == "2025-03",
        "month = '2025-04'": pl.col("month") == "2025-04",
        "eventName = 'ConsoleLogin'": pl.col("eventName") == "ConsoleLogin",
        "recipientAccountId = '444455556666'": pl.col("recipientAccountId") == "444455556666",
        "awsRegion = 'eu-west-1'": pl.col("awsRegion") == "eu-west-1",
        "eventID >= '8'": pl.col("eventID") >= "8",
        "errorCode is null": pl.col("errorCode").is_null(),
    }.items():
        assert table.scan(text).to_arrow().num_rows == known.filter(where).height, text
    arn = pl.col("userIdentity").struct.field("arn")
    [who, *_] = known.select(arn.drop_nulls().mode()).to_series()
    for reader in ("native", "pyiceberg"):
        frame = pl.scan_iceberg(table, reader_override=reader).filter(arn == who).collect()
        assert frame.height == known.filter(arn == who).height > 0


def test_the_files_of_a_lake_are_what_iceberg_takes(lake: ct.Lake) -> None:
    for part in Table(lake.path).open().parts():
        found = pq.ParquetFile(lake.path / part.path)
        assert b"ARROW:schema" not in (found.metadata.metadata or {})
        schema = found.schema_arrow
        assert schema.field("eventTime").type == pa.timestamp("us", "UTC")
        assert schema.field("resources").type.value_field.name == "element"
        for number in range(found.num_row_groups):
            columns = found.metadata.row_group(number).to_dict()["columns"]
            bounds = {each["path_in_schema"]: each["statistics"] for each in columns if each["statistics"] is not None}
            assert bounds.keys() >= BOUNDED
            assert bounds["month"]["min"] == bounds["month"]["max"] == part.month


def test_manifests_have_bounds_of_few_columns(lake: ct.Lake, catalog: Catalog) -> None:
    lake.export_iceberg(catalog, NAME)
    table = catalog.load_table(NAME)
    for row in table.inspect.files().to_pylist():
        for bounds in (row["lower_bounds"], row["upper_bounds"]):
            assert {table.schema().find_column_name(number) for number, _ in bounds} == BOUNDED


def test_an_empty_lake(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "archive")
    assert lake.export_iceberg(catalog, NAME).files == 0
    agrees(catalog, lake)


@pytest.mark.parametrize("name", ["a blank", "50%", "ü * [x]", "x=1&y"])
def test_roots_with_unusual_names(name: str, catalog: Catalog, archive: Path, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / name)
    lake.ingest(archive)
    lake.export_iceberg(catalog, NAME)
    agrees(catalog, lake)


@pytest.mark.parametrize("name", ["a?b", "a#b"])
def test_roots_that_iceberg_cannot_name(name: str, catalog: Catalog, archive: Path, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / name)
    lake.ingest(archive)
    with pytest.raises(ValueError, match="after which Iceberg's readers see no path"):
        lake.export_iceberg(catalog, NAME)
    assert lake.audit() == []


def test_columns_of_a_later_version(catalog: Catalog, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "lake")
    for number in range(2):
        with earlier() if number == 0 else nullcontext():
            put(tmp_path / "archive", f"{number}", [event(number, **MORE)])
            lake.ingest(tmp_path / "archive")
            lake.export_iceberg(catalog, NAME)
    agrees(catalog, lake)
    assert seen(rows(catalog.load_table(NAME))) == {0: (None,) * 3, 1: ("444455556666", "x", "AWS::S3::Bucket")}


# Again, interrupted, and at once


def test_again_nothing_changes(lake: ct.Lake, archive: Path, catalog: Catalog) -> None:
    first = lake.export_iceberg(catalog, NAME)
    version, table = lake.info().version, catalog.load_table(NAME)
    again = lake.export_iceberg(catalog, NAME)
    assert (again.added, again.removed, again.files) == (0, 0, first.files)
    assert lake.info().version == version
    assert catalog.load_table(NAME).metadata_location == table.metadata_location
    put(archive, "late", [event(5_000), event(1)])
    lake.ingest(archive)
    assert lake.export_iceberg(catalog, NAME).added == 1
    agrees(catalog, lake)


def test_another_export_is_first(lake: ct.Lake, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = iceberg._commit  # noqa: SLF001  # the moment before it
    refused = []

    def late(*arguments: Any) -> None:
        monkeypatch.setattr(iceberg, "_commit", noted)
        ct.Lake(lake.path).export_iceberg(catalog, NAME)
        noted(*arguments)

    def noted(*arguments: Any) -> None:
        try:
            usual(*arguments)
        except LostRaceError:
            refused.append(arguments)
            raise

    monkeypatch.setattr(iceberg, "_commit", late)
    assert lake.export_iceberg(catalog, NAME).added == 0
    assert len(refused) == 1
    agrees(catalog, lake)


def test_a_retention_is_first(lake: ct.Lake, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It replaces the files before the catalogue has them, and leaves them: the lake knows of the table already."""
    usual = iceberg._commit  # noqa: SLF001  # the moment before it

    def late(*arguments: Any) -> None:
        monkeypatch.setattr(iceberg, "_commit", usual)
        assert ct.Lake(lake.path).retain(7, delete=True).iceberg == (NAME,)
        usual(*arguments)
        assert catalog.load_table(NAME).scan().to_arrow().num_rows == 280

    monkeypatch.setattr(iceberg, "_commit", late)
    lake.export_iceberg(catalog, NAME)
    assert lake.info().records == 0
    agrees(catalog, lake)
    assert list(lake.path.glob("month=*/*")) == []


def test_a_file_that_somebody_has_added_twice(lake: ct.Lake, catalog: Catalog) -> None:
    lake.export_iceberg(catalog, NAME)
    table = catalog.load_table(NAME)
    [path, *_] = table.inspect.files()["file_path"].to_pylist()
    table.add_files([path], check_duplicate_files=False)
    assert table.scan().to_arrow().num_rows > lake.info().records
    lake.export_iceberg(catalog, NAME)
    agrees(catalog, lake)


SCRIPT = """
import sys, ctfast as ct
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("mine", uri=f"sqlite:///{sys.argv[2]}/catalog.db", warehouse=f"file://{sys.argv[2]}/warehouse")
ct.Lake(sys.argv[1]).export_iceberg(catalog, "security.events")
"""


def test_three_at_once(lake: ct.Lake, catalog: Catalog, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(lake.path), str(tmp_path)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for each in running:
        _, words = each.communicate(timeout=120)
        assert each.returncode == 0, words
    agrees(catalog, lake)
    assert len(catalog.load_table(NAME).snapshots()) == 1


def test_killed_at_any_moment(
    lake: ct.Lake, archive: Path, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    command = [sys.executable, "-c", SCRIPT, str(lake.path), str(tmp_path)]
    lake.export_iceberg(catalog, NAME)
    begin = time.monotonic()
    subprocess.run(command, check=True, timeout=60)
    usual = time.monotonic() - begin
    for number in range(5):
        put(archive, f"late{number}", [event(6_000 + number)])
        lake.ingest(archive)
        lake.compact()
        age(lake, monkeypatch)
        lake.compact()
        running = subprocess.Popen(command)
        time.sleep(chance.uniform(usual / 2, usual * 1.1))
        running.kill()
        running.wait()
        # Whatever it has done, no file is named twice, and all that are named are there.
        ids = catalog.load_table(NAME).scan(selected_fields=("eventID",)).to_arrow()["eventID"].to_pylist()
        assert len(ids) == len(set(ids)) >= 280
    lake.export_iceberg(catalog, NAME)
    agrees(catalog, lake)
    holds(lake, archive)


# No file goes that a table names


def test_after_a_compaction(lake: ct.Lake, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = lake.info().parts
    lake.export_iceberg(catalog, NAME)
    lake.compact()
    age(lake, monkeypatch)
    kept = lake.compact()
    assert (kept.deleted, kept.left, kept.iceberg) == (0, parts, (NAME,))
    assert catalog.load_table(NAME).scan().to_arrow().num_rows == 280
    done = lake.export_iceberg(catalog, NAME)
    assert (done.added, done.removed, done.deleted) == (1, parts, 0)
    agrees(catalog, lake)
    age(lake, monkeypatch)
    assert lake.compact().deleted == parts
    agrees(catalog, lake)


def test_after_a_retention(catalog: Catalog, tmp_path: Path) -> None:
    """What is deleted is read as long as the table has not been exported again, and then it is in no file any more."""
    ages = [1, 5, 29, 31, 40, 75, 400]
    events = [event(n, eventTime=f"{NOW - timedelta(days=ages[n % 7]):%Y-%m-%dT%H:%M:%SZ}") for n in range(70)]
    put(tmp_path / "archive", "one", [each | {"eventID": f"{ages[n % 7]:04}-{n:06}"} for n, each in enumerate(events)])
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "archive")
    lake.export_iceberg(catalog, NAME)
    # What a compaction has replaced has deleted events as well.
    put(tmp_path / "archive", "two", [event(99, eventTime=f"{NOW - timedelta(days=31):%Y-%m-%dT%H:%M:%SZ}")])
    lake.ingest(tmp_path / "archive")
    lake.compact()
    done = lake.retain(30, delete=True)
    assert (done.rows, done.iceberg) == (41, (NAME,))
    assert done.left > 0
    assert catalog.load_table(NAME).scan().to_arrow().num_rows == 70
    again = lake.export_iceberg(catalog, NAME)
    assert again.deleted > 0
    assert again.iceberg == ()
    agrees(catalog, lake)
    left = lake.retain(30, delete=True)
    assert (left.rows, left.left, left.iceberg) == (0, 0, ())
    for path in lake.path.rglob("*.parquet"):
        found = pq.ParquetFile(path)
        text = json.dumps(found.read().to_pylist(), default=str) + str(found.metadata.to_dict())
        assert not any(f"{old:04}-" in text for old in ages if old > 30), path
    for path in tmp_path.joinpath("warehouse").rglob("*"):
        assert path.is_dir() or b"0400-" not in path.read_bytes(), path


def test_interrupted_before_the_lake_knows(lake: ct.Lake, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.export_iceberg(catalog, NAME)
    parts = lake.info().parts
    lake.compact()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(iceberg, "exported", killed)
        with pytest.raises(KeyboardInterrupt):
            lake.export_iceberg(catalog, NAME)
    age(lake, monkeypatch)
    assert lake.compact().left == parts
    lake.export_iceberg(catalog, NAME)
    age(lake, monkeypatch)
    assert lake.compact().deleted == parts


def test_two_tables(lake: ct.Lake, catalog: Catalog) -> None:
    for name in (NAME, "security.others"):
        lake.export_iceberg(catalog, name)
    lake.retain(7, delete=True)
    first = lake.export_iceberg(catalog, NAME)
    assert (first.deleted, first.iceberg) == (0, ("security.others",))
    assert catalog.load_table("security.others").scan().to_arrow().num_rows == 280
    assert lake.export_iceberg(catalog, "security.others").deleted > 0
    assert list(lake.path.glob("month=*/*")) == []


def test_a_table_that_was_dropped(lake: ct.Lake, catalog: Catalog) -> None:
    lake.export_iceberg(catalog, NAME)
    catalog.drop_table(NAME)
    lake.export_iceberg(catalog, NAME)  # another one, of the same name
    agrees(catalog, lake)
    assert lake.retain(7, delete=True).iceberg == (NAME,)
    assert lake.export_iceberg(catalog, NAME).iceberg == (NAME,)
    lake.forget_iceberg(NAME)
    assert lake.retain(7, delete=True).iceberg == ()
    assert list(lake.path.glob("month=*/*")) == []
    with pytest.raises(ct.ArgumentError, match="the lake knows of no Iceberg table of this name"):
        lake.forget_iceberg(NAME)
    lake.export_iceberg(catalog, NAME)
    agrees(catalog, lake)
    actions = [entry["action"] for entry in lake.audit()]
    assert actions == [*["export-iceberg"] * 2, "retain", "export-iceberg", "forget-iceberg", "export-iceberg"]


def test_a_split_that_is_committed_again_removes_no_file_of_a_table(lake: ct.Lake, archive: Path) -> None:
    """A compaction has replaced its part, which a query or an Iceberg table may still read."""
    [split, *_] = ct.splits(archive, target=20_000)
    parts = {path.name for path in lake.path.glob("month=*/*.parquet")}
    lake.compact()
    lake.commit([split.write_parquet(lake.path)], run="again", n=0)
    assert parts < {path.name for path in lake.path.glob("month=*/*.parquet")}
    holds(lake, archive)


# What is refused


def test_tables_that_are_not_of_this_lake(lake: ct.Lake, catalog: Catalog, archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ct.ArgumentError, match="has no namespace 'nowhere': make it first") as caught:
        lake.export_iceberg(catalog, "nowhere.events")
    assert (caught.value.argument, caught.value.function) == ("name", "Lake.export_iceberg")
    catalog.create_table("security.mine", pa.schema([("x", pa.int64())]))
    other = ct.Lake(tmp_path / "other")
    other.ingest(archive)
    other.export_iceberg(catalog, NAME)
    for name in ("security.mine", NAME):
        with pytest.raises(ct.ArgumentError, match="a table of this name that is not of this lake"):
            lake.export_iceberg(catalog, name)
    assert lake.audit() == []
    agrees(catalog, other)


def test_an_older_copy_of_the_lake(lake: ct.Lake, archive: Path, catalog: Catalog, tmp_path: Path) -> None:
    lake.export_iceberg(catalog, NAME)
    shutil.copytree(lake.path, tmp_path / "copy")
    put(archive, "late", [event(5_000)])
    lake.ingest(archive)
    lake.export_iceberg(catalog, NAME)
    shutil.rmtree(lake.path)
    (tmp_path / "copy").rename(lake.path)
    with pytest.raises(ValueError, match="an older copy of the lake was put back"):
        lake.export_iceberg(catalog, NAME)


def test_a_catalogue_that_fails(lake: ct.Lake, catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"no database, but as long as the header of one would be" * 20)
    with pytest.raises(OSError, match="the Iceberg catalogue: ") as caught:
        lake.export_iceberg(catalog, NAME)
    assert "\n" not in str(caught.value)
    with pytest.raises(ct.ArgumentError, match=r"catalog 'unknown': URI missing"):
        lake.export_iceberg("unknown", NAME)


def test_without_pyiceberg_it_is_one_sentence(lake: ct.Lake) -> None:
    script = "import sys; sys.modules['pyiceberg'] = None; from ctfast.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", script, "lake", "export-iceberg", str(lake.path), "glue", NAME]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    expected = "ctfast: an Iceberg table needs pyiceberg: pip install 'ctfast[iceberg]'\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_the_commands(lake: ct.Lake, catalog: Catalog, tmp_path: Path) -> None:
    # pyiceberg reads its configuration when it is imported.
    mine = {"URI": f"sqlite:///{tmp_path}/catalog.db", "WAREHOUSE": f"file://{tmp_path}/warehouse"}
    environment = os.environ | {f"PYICEBERG_CATALOG__MINE__{name}": value for name, value in mine.items()}

    def run(*arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "ctfast", "lake", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, env=environment)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        return done.stderr

    folder = str(lake.path)
    assert "280 events in " in run("export-iceberg", folder, "mine", NAME)
    kept = run("retain", folder, "--days", "7", "--delete", code=1)
    assert "the Iceberg table 'security.events' may name files that were replaced: export it again" in kept
    assert "of deleted events removed" in run("export-iceberg", folder, "mine", NAME)
    agrees(catalog, lake)
    assert "keeps no files for 'security.events'" in run("forget-iceberg", folder, NAME)
    assert "knows of no Iceberg table" in run("forget-iceberg", folder, NAME, code=2)
    assert "'other': URI missing" in run("export-iceberg", folder, "other", NAME, code=2)
