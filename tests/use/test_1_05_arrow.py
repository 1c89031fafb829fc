"""Item 5 of 1 of 9: what is said of the readers of Arrow is what they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import ctfast as ct
from ctfast.sample import Sample

STRUCTS = ["userIdentity", "resources", "tlsDetails"]


@pytest.fixture(scope="module")
def table(sample: Sample) -> pa.Table:
    return pa.table(ct.stream(sample.archive))


def addresses(array: Any) -> list[int | None]:
    return [buffer and buffer.address for buffer in array.buffers()]


@pytest.mark.parametrize("name", ["eventTime", "eventName", "file", "raw"])
def test_polars_and_pyarrow_take_the_buffers_over(name: str, sample: Sample) -> None:
    batch = next(ct.stream(sample.archive, columns=["eventTime", "eventName", "file", "raw"]))
    assert any(addresses(batch[name]))
    assert addresses(pa.table(batch)[name].chunk(0)) == addresses(batch[name])
    series = pl.DataFrame(batch)[name]
    assert addresses(series.to_arrow(compat_level=pl.CompatLevel.newest())) == addresses(batch[name])


WORKS: dict[str, Callable[[pa.Table, Path], Any]] = {
    "slice": lambda table, _: table.slice(5, 5),
    "group_by": lambda table, _: table.group_by("eventName").aggregate([("record", "count")]),
    "unique": lambda table, _: pc.unique(table["eventName"]),
    "to_pandas": lambda table, _: table.to_pandas(),
    "Feather": pa.feather.write_feather,
    "cast": lambda table, _: pc.equal(table["eventName"].cast(pa.string()), "ConsoleLogin"),
    "Parquet without structs": lambda table, path: pq.write_table(table.drop_columns(STRUCTS), path),
    "Parquet of Polars": lambda table, path: pl.DataFrame(table.to_batches()[0]).write_parquet(path),
    "DuckDB": lambda table, _: duckdb.from_arrow(table).filter("eventName = 'ConsoleLogin'").fetchall(),
}
LACKS: dict[str, Callable[[pa.Table, Path], Any]] = {
    "filter": lambda table, _: table.filter(pc.is_valid(table["errorCode"])),
    "take": lambda table, _: table.take([1, 2]),
    "sort_by": lambda table, _: table.sort_by("eventName"),
    "join": lambda table, _: table.select(["eventName", "record"]).join(table.select(["eventName"]), "eventName"),
    "comparison": lambda table, _: pc.equal(table["eventName"], "ConsoleLogin"),
    "starts_with": lambda table, _: pc.starts_with(table["eventName"], "Console"),
    "utf8_length": lambda table, _: pc.utf8_length(table["eventName"]),
    "CSV": lambda table, path: pa.csv.write_csv(table.select(["eventName"]), path),
    "Parquet of userIdentity": lambda table, path: pq.write_table(table.select(["userIdentity"]), path),
    "Parquet of resources": lambda table, path: pq.write_table(table.select(["resources"]), path),
    "Parquet of tlsDetails": lambda table, path: pq.write_table(table.select(["tlsDetails"]), path),
}


@pytest.mark.parametrize("what", WORKS)
def test_what_readers_do_with_the_batches(what: str, table: pa.Table, tmp_path: Path) -> None:
    WORKS[what](table, tmp_path / "file")


@pytest.mark.parametrize("what", LACKS)
def test_what_pyarrow_has_no_kernel_for(what: str, table: pa.Table, tmp_path: Path) -> None:
    """When one of these passes, a new pyarrow can do more than the document says."""
    if int(pa.__version__.split(".")[0]) > 26:
        pytest.skip("the document speaks of pyarrow 26")
    with pytest.raises((pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError), match=r"(?i)string_?view|binary_view"):
        LACKS[what](table, tmp_path / "file")


def test_an_arrow_stream_survives_the_wire(table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    assert pa.ipc.open_stream(sink.getvalue()).read_all().equals(table)
