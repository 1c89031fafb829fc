"""A later version of ctfast has more columns: a lake of an earlier one gets them, and every reader sees both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

import ctfast as ct
from ctfast._lake.schema import covers, widened
from ctfast._lake.table import LostRaceError, Table
from ctfast._scan import parts, split
from ctfast._scan.options import COLUMNS
from test_lake import event, holds, put

#: What the earlier version does not know: a column, a member of a struct, and one of the structs of a list.
TOP, MEMBER, ITEM = "vpcEndpointAccountId", ("userIdentity", "inScopeOf"), ("resources", "type")
MORE = {
    TOP: "444455556666",
    "userIdentity": {"arn": "arn:aws:iam::111122223333:user/a", "inScopeOf": {"issuerType": "x"}},
    "resources": [{"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}],
}


def narrower(schema: pa.Schema) -> pa.Schema:
    """The same columns as the earlier version has them."""
    return pa.schema([pa.field(field.name, _narrower(field.name, field.type)) for field in schema if field.name != TOP])


def _narrower(name: str, kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(pa.field("element", _narrower(name, kind.value_type)))
    gone = dict([MEMBER, ITEM]).get(name)
    return kind if gone is None else pa.struct([field for field in kind if field.name != gone])


def cut(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of the earlier version, of a batch that has all."""
    return pa.RecordBatch.from_arrays([_cut(batch.column(field.name), field.type) for field in schema], schema=schema)


def _cut(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    # By way of Python: what other versions of ctfast do is no business of ours.
    names = {field.name for field in (kind if pa.types.is_struct(kind) else kind.value_type)}
    rows = [_only(row, names) for row in column.to_pylist()]
    return pa.array(rows, kind)


def _only(value: Any, names: set[str]) -> Any:
    if isinstance(value, list):
        return [_only(each, names) for each in value]
    return None if value is None else {name: value[name] for name in names}


@contextmanager
def earlier() -> Iterator[None]:
    """Within, ctfast is the earlier version."""
    usual = list(COLUMNS)
    with pytest.MonkeyPatch.context() as patch:
        for module in (parts, split):
            patch.setattr(module, "schema_of", lambda *asked, whole=module.schema_of: narrower(whole(*asked)))
        patch.setattr(parts, "selected", cut)
        COLUMNS.remove(TOP)
        try:
            yield
        finally:
            COLUMNS[:] = usual


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    put(tmp_path / "archive", "one", [event(1, **MORE), event(2)])
    return tmp_path / "archive"


@pytest.fixture(params=[True, False], ids=["raw", "no raw"])
def raw(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def lake(archive: Path, tmp_path: Path, *, raw: bool) -> ct.Lake:
    """Written by the earlier version, and then by this one."""
    lake = ct.Lake(tmp_path / "lake")
    with earlier():
        assert lake.ingest(archive, raw=raw).stored == 2
    assert not covers(Table(lake.path).open().schema(), parts.schema_for(COLUMNS))
    put(archive, "two", [event(3, **MORE), event(2), event(4, month=4)])
    done = lake.ingest(archive, raw=raw)
    assert (done.files, done.stored, done.duplicates) == (1, 2, 1)
    return lake


#: By number: what the three additions are. Those of the first version are not read again.
EXPECTED = {
    1: (None, None, None),
    2: (None, None, None),
    3: ("444455556666", "x", "AWS::S3::Bucket"),
    4: (None, None, None),
}


def seen(frame: pl.DataFrame) -> dict[int, tuple[Any, ...]]:
    rows = frame.select(
        pl.col("eventID").cast(pl.Int64),
        TOP,
        pl.col("userIdentity").struct.field("inScopeOf").struct.field("issuerType"),
        pl.col("resources").list.first().struct.field("type"),
    )
    return {number: tuple(more) for number, *more in rows.rows()}


def places(lake: ct.Lake) -> list[str]:
    """The files of the snapshot, below the root of the lake."""
    table = pa.table(DeltaTable(lake.path).get_add_actions())
    return [str(lake.path / path) for path in table["path"].to_pylist()]


def test_it_gets_them_before_files_have_them(lake: ct.Lake, archive: Path, *, raw: bool) -> None:
    scanned = ct.scan(archive).collect_schema().names()
    names = [name for name in scanned if raw or name != "raw"]
    assert lake.scan().collect_schema().names() == [*names, "month", "ingest"]
    log = [path.read_text() for path in sorted((lake.path / "_delta_log").glob("*.json"))]
    [widening] = (number for number, text in enumerate(log) if '"metaData"' in text and number)
    assert '"add"' not in log[widening]
    assert all(TOP not in text for text in log[:widening])
    assert '"add"' in log[widening + 1]
    # Once is enough.
    put(archive, "three", [event(5)])
    version = lake.info().version
    lake.ingest(archive, raw=raw)
    assert lake.info().version == version + 1
    if raw:
        holds(lake, archive)


def test_lake_scan(lake: ct.Lake) -> None:
    assert seen(lake.scan().collect()) == EXPECTED
    is_there = pl.col("userIdentity").struct.field("inScopeOf").struct.field("issuerType") == "x"
    assert lake.scan().filter(is_there).select("eventID").collect().height == 1
    assert lake.scan().filter(pl.col(TOP).is_null()).collect().height == 3


@pytest.mark.parametrize("is_reversed", [False, True])
def test_other_readers_in_both_orders_of_files(lake: ct.Lake, *, is_reversed: bool) -> None:
    files = sorted(places(lake), key=lambda place: pq.read_schema(place).get_field_index(TOP), reverse=is_reversed)
    assert len(files) == 3
    # By fields: at a struct that is null, DuckDB 2.0.1 fails if a file lacks a member of it that is a struct as well.
    rows = duckdb.connect().execute(
        "SELECT eventID::BIGINT, vpcEndpointAccountId, userIdentity.inScopeOf.issuerType, resources[1].type "
        "FROM read_parquet(?, hive_partitioning=false, union_by_name=true)",
        [files],
    )
    assert {number: tuple(more) for number, *more in rows.fetchall()} == EXPECTED
    schema = pl.DataFrame(pa.schema(DeltaTable(lake.path).schema().to_arrow()).empty_table()).schema
    options = pl.ScanCastOptions(missing_struct_fields="insert", extra_struct_fields="ignore")
    frame = pl.scan_parquet(
        files, schema=schema, glob=False, hive_partitioning=False, missing_columns="insert", cast_options=options
    )
    assert seen(frame.collect()) == EXPECTED


def test_deltalake_and_polars_read_the_table(lake: ct.Lake) -> None:
    assert seen(pl.DataFrame(DeltaTable(lake.path).to_pyarrow_dataset().to_table())) == EXPECTED
    assert seen(pl.scan_delta(str(lake.path)).collect()) == EXPECTED


def test_compact_and_retain_keep_both(lake: ct.Lake) -> None:
    for n in range(2):
        with earlier() if n == 0 else nullcontext():
            put(lake.path.parent / f"more{n}", "more", [event(10 + 2 * n, **MORE)])
            put(lake.path.parent / f"more{n}", "most", [event(11 + 2 * n)])
            for number, one in enumerate(ct.splits(lake.path.parent / f"more{n}", target=1, columns=_columns(lake))):
                lake.commit([one.write_parquet(lake.path)], run=f"r{n}", n=number)
    before = lake.scan().sort("eventID").collect()
    done = lake.compact()
    assert (done.parts, done.into) == (6, 2)
    assert lake.scan().sort("eventID").collect().equals(before)
    assert lake.retain(7, delete=True).rows == 8
    assert seen(lake.scan().collect()) == {}


def _columns(lake: ct.Lake) -> list[str]:
    return [name for name in COLUMNS if name in lake.scan().collect_schema()]


def test_the_earlier_version_goes_on_with_it(lake: ct.Lake, archive: Path, *, raw: bool) -> None:
    put(archive, "three", [event(5, **MORE), event(3, **MORE)])
    with earlier():
        done = lake.ingest(archive, raw=raw)
        assert (done.stored, done.duplicates) == (1, 1)
        found = lake.scan().collect()
    assert seen(found) == EXPECTED | {5: (None, None, None)}
    assert seen(lake.scan().collect()) == EXPECTED | {5: (None, None, None)}


def test_a_lake_that_only_the_earlier_version_has_written(archive: Path, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "other")
    with earlier():
        lake.ingest(archive)
        expected = lake.scan().collect()
    assert lake.scan().collect().equals(expected)


def test_overtaken_while_it_gets_them(archive: Path, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "other")
    with earlier():
        lake.ingest(archive)
    snapshot = Table(lake.path).open()
    lake.hold("case", where=ct.FilterPattern("{ $.eventName = Get0 }"))
    with pytest.raises(LostRaceError):
        snapshot.widen(parts.schema_for(COLUMNS))
    found = widened(Table(lake.path), snapshot, parts.schema_for(COLUMNS))
    assert found.version == snapshot.version + 2
    assert widened(Table(lake.path), found, parts.schema_for(COLUMNS)).version == found.version
    assert len(lake.holds()) == 1


def test_a_retry_asks_what_the_lake_was_asked(archive: Path, tmp_path: Path, *, raw: bool) -> None:
    """Whose columns are named as those of any version: all, or all but ``raw``."""
    lake = ct.Lake(tmp_path / "other")
    path = put(archive, "torn", [event(number) for number in range(100, 300)])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert lake.ingest(archive, raw=raw).bad_files == 1
    path.write_bytes(content)
    lake.retry()
    assert lake.info().records == 202
    assert ("raw" in lake.scan().collect_schema()) == raw
