"""Exports of a lake in a bucket, to folders on the disk and as an Iceberg table: each event once."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from pyiceberg.catalog.sql import SqlCatalog

import ctfast as ct
from ctfast.cli import main
from mirrored import options_of
from seaweed import Store
from test_lake import put
from test_lake_export import agrees, files, mixed
from test_lake_retention import old

pytestmark = pytest.mark.filterwarnings("ignore:Iceberg scan planning", "ignore::ctfast.NothingChosen")

NAME = "security.events"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    archive = tmp_path / "archive"
    for number in range(4):
        put(archive, f"file{number}", [mixed(30 * number + each) for each in range(40)])
    return archive


@pytest.fixture
def options(store: Store) -> dict[str, str]:
    return options_of(store.endpoint)


@pytest.fixture
def lake(store: Store, archive: Path, options: dict[str, str], request: pytest.FixtureRequest) -> ct.Lake:
    """A lake of several parts in each month."""
    bucket = f"exported-{abs(hash(request.node.nodeid)) % 10**12}"
    store.create(bucket)
    lake = ct.Lake(f"s3://{bucket}/lake", storage_options=options)
    for n, split in enumerate(ct.splits(archive, target=20_000)):
        lake.commit([split.write_parquet(lake.path, storage_options=options)], run="small", n=n)
    assert lake.info().parts > 4
    return lake


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "exported"


def recent(lake: ct.Lake, tmp_path: Path) -> None:
    """Add events, of which some are recent."""
    put(tmp_path / "more", "more", [old(number) for number in range(40)])
    assert lake.ingest(tmp_path / "more").stored == 40


# Folders


def test_it_has_the_rows_of_the_lake(lake: ct.Lake, dest: Path, tmp_path: Path) -> None:
    done = lake.export(dest)
    assert (done.added, done.removed) == (len(files(dest)), 0)
    agrees(dest, lake)
    assert lake.export(dest).added == 0
    recent(lake, tmp_path)
    assert lake.export(dest).added > 0
    agrees(dest, lake)


def test_after_a_compaction_and_a_retention(lake: ct.Lake, dest: Path, tmp_path: Path) -> None:
    lake.export(dest)
    assert lake.compact().into > 0
    assert lake.export(dest).removed > 0
    agrees(dest, lake)
    recent(lake, tmp_path)
    lake.export(dest)
    assert lake.retain(30, delete=True).rows > 0
    assert lake.scan().collect().height > 0
    lake.export(dest)
    agrees(dest, lake)


def test_a_folder_around_the_temporary_files(lake: ct.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dest = tmp_path / "new"
    hidden = dest / ".copies"
    hidden.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(hidden))
    lake.export(dest)
    agrees(dest, lake)


def test_another_lake_in_the_bucket_is_another(
    lake: ct.Lake, dest: Path, archive: Path, options: dict[str, str]
) -> None:
    lake.export(dest)
    other = ct.Lake(f"{lake.path}-other", storage_options=options)
    other.ingest(archive)
    with pytest.raises(ValueError, match="is the export of another lake"):
        other.export(dest)
    agrees(dest, lake)


def test_an_address_is_no_folder(lake: ct.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ct.ArgumentError, match="dest 's3://bucket/exported' is an address: name a file or a folder"):
        lake.export("s3://bucket/exported")
    assert sorted(tmp_path.iterdir()) == before


def test_the_command_line(lake: ct.Lake, dest: Path, options: dict[str, str]) -> None:
    given = [part for name, value in options.items() for part in ("--storage-option", f"{name}={value}")]
    done = CliRunner().invoke(main, ["lake", "export", str(lake.path), str(dest), *given], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    agrees(dest, lake)


# As an Iceberg table


@pytest.fixture
def catalog(tmp_path: Path, options: dict[str, str]) -> SqlCatalog:
    """A catalogue that knows how the bucket is reached."""
    reach = {
        "s3.endpoint": options["endpoint"],
        "s3.access-key-id": options["access_key_id"],
        "s3.secret-access-key": options["secret_access_key"],
        "s3.region": options["region"],
    }
    made = SqlCatalog("mine", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse", **reach)
    made.create_namespace("security")
    return made


def has_the_rows(catalog: SqlCatalog, lake: ct.Lake) -> None:
    """The table has each event of the lake once."""
    found = catalog.load_table(NAME).scan().to_arrow()
    assert sorted(found.column("eventID").to_pylist()) == sorted(lake.scan().collect()["eventID"])


def test_an_iceberg_table_of_objects(lake: ct.Lake, catalog: SqlCatalog, tmp_path: Path) -> None:
    done = lake.export_iceberg(catalog, NAME)
    assert (done.records, done.added) == (130, lake.info().parts)
    has_the_rows(catalog, lake)
    assert lake.export_iceberg(catalog, NAME).added == 0
    assert lake.compact().into > 0
    has_the_rows(catalog, lake)
    assert lake.export_iceberg(catalog, NAME).removed > 0
    has_the_rows(catalog, lake)
    recent(lake, tmp_path)
    lake.export_iceberg(catalog, NAME)
    assert lake.retain(30, delete=True).iceberg == (NAME,)
    assert lake.export_iceberg(catalog, NAME).deleted > 0
    has_the_rows(catalog, lake)
