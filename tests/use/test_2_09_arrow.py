"""Item 9 of 2 of 9: readers of Arrow can compute with the batches, and get the text types that they request.

The table of ``docs/arrow.md`` is read here: each of its cells is a test.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import datafusion
import duckdb
import nanoarrow
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.sample import Sample

DOCUMENT = Path(__file__).parents[2] / "docs" / "arrow.md"
NESTED = ["userIdentity", "resources", "tlsDetails"]
LONG = [
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "addendum",
    "edgeDeviceDetails",
]
LONG += ["eventContext", "insightDetails", "extra", "raw"]

Opens = Callable[..., ct.EventStream]
#: Reads a stream; returns its result, and the expected result from the Polars frame.
Tried = Callable[[Opens, Path, pl.DataFrame], tuple[Any, Any]]


@pytest.fixture(scope="module")
def frame(sample: Sample) -> pl.DataFrame:
    return ct.read(sample.archive)


# pyarrow


def table(stream: Opens, *columns: str) -> pa.Table:
    return pa.table(stream(columns=columns) if columns else stream())


def filtered(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    found = table(stream).filter(pc.field("errorCode") == "AccessDenied")
    return found["raw"].to_pylist(), frame.filter(errorCode="AccessDenied")["raw"].to_list()


def taken(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    return pl.DataFrame(table(stream).take([1000, 5, 700])), frame[[1000, 5, 700]]


def ordered(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    by = ["eventName", "eventID", "file", "record"]
    found = table(stream).sort_by([(name, "ascending") for name in by])
    return found["raw"].to_pylist(), frame.sort(by, nulls_last=True)["raw"].to_list()


def joined(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    wanted = pa.table({"eventName": ["ConsoleLogin", "DeleteBucket"]})
    found = table(stream, "eventName", "record").join(wanted, "eventName", join_type="inner")
    return found.num_rows, frame.filter(pl.col("eventName").is_in(["ConsoleLogin", "DeleteBucket"])).height


def computed(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    names = table(stream, "eventName")["eventName"]
    kinds = table(stream, "userIdentity")["userIdentity"].combine_chunks().field("type")
    found = (
        pc.equal(names, "ConsoleLogin"),
        pc.starts_with(names, "Delete"),
        pc.utf8_length(names),
        pc.match_like(kinds, "%Role%"),
    )
    name = pl.col("eventName")
    wanted = frame.select(
        (name == "ConsoleLogin").sum().alias("equal"),
        name.str.starts_with("Delete").sum().alias("starts"),
        name.str.len_chars().sum().alias("length"),
        pl.col("userIdentity").struct["type"].str.contains("Role").sum().alias("like"),
    )
    return tuple(pc.sum(each).as_py() for each in found), wanted.row(0)


def grouped(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    found = table(stream).group_by("eventName").aggregate([("record", "count")])
    return dict(zip(*found.to_pydict().values(), strict=True)), dict(frame.group_by("eventName").len().rows())


def unique(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    return pc.unique(table(stream, "eventName")["eventName"]).to_pylist(), frame["eventName"].unique(
        maintain_order=True
    ).to_list()


def parquet(stream: Opens, path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    with stream() as events, pq.ParquetWriter(path, events.schema) as writer:
        for batch in events:
            writer.write_batch(batch)
    assert pl.read_parquet(path).equals(frame)
    return pl.DataFrame(pq.read_table(path)), frame


def partitioned(stream: Opens, path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    events = pa.RecordBatchReader.from_stream(stream())
    pa.dataset.write_dataset(events, path, format="parquet", partitioning=["recipientAccountId", "awsRegion"])
    found = pa.dataset.dataset(path, partitioning=["recipientAccountId", "awsRegion"]).to_table(columns=["raw"])
    assert len(list(path.rglob("*.parquet"))) == frame.select("recipientAccountId", "awsRegion").n_unique()
    return sorted(found["raw"].to_pylist()), frame["raw"].sort().to_list()


def csv(stream: Opens, path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    flat = frame.drop(NESTED)
    pa.csv.write_csv(table(stream, *flat.columns), path)
    return pa.csv.read_csv(path)["eventID"].to_pylist(), [text or "" for text in flat["eventID"]]


def feather(stream: Opens, path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    pa.feather.write_feather(table(stream), path)
    sink = pa.BufferOutputStream()
    with stream() as events, pa.ipc.new_stream(sink, events.schema) as writer:
        for batch in events:
            writer.write_batch(batch)
    assert pa.ipc.open_stream(sink.getvalue()).read_all().equals(pa.feather.read_table(path))
    return pl.DataFrame(pa.feather.read_table(path)), frame


# Others


def _logins(found: pd.DataFrame, frame: pl.DataFrame) -> tuple[Any, Any]:
    logins = found[found["eventName"] == "ConsoleLogin"]
    return [identity["arn"] for identity in logins["userIdentity"]], frame.filter(eventName="ConsoleLogin")[
        "userIdentity"
    ].struct["arn"].to_list()


def to_pandas(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    return _logins(table(stream).to_pandas(), frame)


def from_arrow(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    return _logins(pd.DataFrame.from_arrow(stream()), frame)


def kinds_of(frame: pl.DataFrame) -> list[Any]:
    kinds = frame.group_by("awsRegion", kind=pl.col("userIdentity").struct["type"]).len()
    return kinds.filter(pl.col("kind").is_not_null()).sort("awsRegion", "kind").rows()


def duck(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    events = stream()  # found by its name
    assert events.schema.names == frame.columns
    query = (
        "SELECT awsRegion, userIdentity.type AS kind, count(*) FROM events WHERE kind IS NOT NULL GROUP BY ALL ORDER"
        " BY ALL"
    )
    with duckdb.connect() as connection:
        return connection.sql(query).fetchall(), kinds_of(frame)


def duck_copy(stream: Opens, path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    events = stream()
    assert events.schema.names == frame.columns
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(f"COPY (SELECT * REPLACE (NULL AS eventTime) FROM events) TO '{path}' (FORMAT parquet)")
    return pl.read_parquet(path).drop("eventTime"), frame.drop("eventTime")


def polars(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    return pl.DataFrame(stream()), frame


def datafused(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    context = datafusion.SessionContext()
    context.from_arrow(stream(), name="events")
    kind = "\"userIdentity\"['type']"
    query = (
        f'SELECT "awsRegion", {kind} AS kind, count(*) AS n FROM events WHERE {kind} IS NOT NULL GROUP BY 1, 2 ORDER'
        " BY 1, 2"
    )
    return [tuple(row.values()) for batch in context.sql(query).collect() for row in batch.to_pylist()], kinds_of(frame)


def datafused_parquet(stream: Opens, path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    datafusion.SessionContext().from_arrow(stream()).write_parquet(path)
    return pl.read_parquet(path).sort("file", "record")["raw"].to_list(), frame.sort("file", "record")["raw"].to_list()


def nano_read(stream: Opens, _path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    return len(nanoarrow.ArrayStream(stream()).read_all()), frame.height


def nano_list(stream: Opens, path: Path, frame: pl.DataFrame) -> tuple[Any, Any]:
    """In a separate process, which may crash."""
    code = (
        "import json, sys, pyarrow, nanoarrow\n"
        "stream = pyarrow.ipc.open_stream(sys.argv[1])\n"
        "print(json.dumps([row['eventName'] for row in nanoarrow.ArrayStream(stream).read_all().to_pylist()]))"
    )
    with stream(columns=["eventName", "userIdentity"]) as events, pa.ipc.new_stream(path, events.schema) as writer:
        for batch in events:
            writer.write_batch(batch)
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)
    return json.loads(ran.stdout) if ran.returncode == 0 else f"ended by {ran.returncode}", frame["eventName"].to_list()


TRIED: dict[tuple[str, str], Tried] = {
    ("pyarrow", "`filter`"): filtered,
    ("pyarrow", "`take`"): taken,
    ("pyarrow", "`sort_by`"): ordered,
    ("pyarrow", "`join` on `eventName`"): joined,
    ("pyarrow", "comparison, functions on text"): computed,
    ("pyarrow", "`group_by`"): grouped,
    ("pyarrow", "`unique`"): unique,
    ("pyarrow", "Parquet"): parquet,
    ("pyarrow", "dataset, partitioned by region"): partitioned,
    ("pyarrow", "CSV, of columns that are no structs or lists"): csv,
    ("pyarrow", "Feather, IPC"): feather,
    ("pandas", "`pa.table(stream).to_pandas()`"): to_pandas,
    ("pandas", "`pd.DataFrame.from_arrow(stream)`"): from_arrow,
    ("DuckDB", "SQL over the stream"): duck,
    ("DuckDB", "`COPY` to Parquet"): duck_copy,
    ("Polars", "`pl.DataFrame(stream)`"): polars,
    ("DataFusion", "SQL over the stream"): datafused,
    ("DataFusion", "`write_parquet`"): datafused_parquet,
    ("nanoarrow", "`ArrayStream(stream).read_all()`"): nano_read,
    ("nanoarrow", "`to_pylist()`"): nano_list,
}


class Cell(NamedTuple):
    reader: str
    version: str
    what: str
    views: bool
    said: str


def cells() -> list[Cell]:
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in DOCUMENT.read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| reader")
    ]
    return [
        Cell(*reader.rsplit(" ", 1), what, views, said)
        for reader, what, *answers in rows
        for views, said in zip((False, True), answers, strict=True)
    ]


def test_the_table_has_what_was_tried_and_nothing_else() -> None:
    assert [(cell.reader, cell.what) for cell in cells() if not cell.views] == list(TRIED)
    assert {cell.said for cell in cells() if not cell.views} == {"yes"}


def is_of(cell: Cell) -> bool:
    return version(cell.reader.lower()) == cell.version


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_a_reader_does_what_the_table_says(cell: Cell, sample: Sample, frame: pl.DataFrame, tmp_path: Path) -> None:
    def stream(**options: Any) -> ct.EventStream:
        return ct.stream(sample.archive, **({"views": True} if cell.views else {}), **options)

    def run() -> tuple[Any, Any]:
        return TRIED[cell.reader, cell.what](stream, tmp_path / "out.parquet", frame)

    if cell.said == "yes":
        found, wanted = run()
        if isinstance(found, pl.DataFrame):
            assert_frame_equal(found, wanted)
        else:
            assert found == wanted
    elif not is_of(cell):
        pytest.skip(f"the table speaks of {cell.reader} {cell.version}")
    elif cell.said == "no":
        with pytest.raises(
            (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError), match=r"(?i)string_?view|binary_view"
        ):
            run()
    elif cell.said == "null becomes an empty text":
        found, wanted = run()
        assert None in wanted
        assert found == [text or "" for text in wanted]
    else:
        assert cell.said == "ends the process"
        found, _ = run()
        assert found.startswith("ended by -")


# What the stream offers


def types_of(kind: pa.DataType) -> set[str]:
    if not pa.types.is_nested(kind):
        return {str(kind)}
    return set().union(*(types_of(kind.field(number).type) for number in range(kind.num_fields)))


def test_text_is_string_and_json_is_large_string(sample: Sample) -> None:
    with ct.stream(sample.archive, rules={"all": ct.FilterPattern("")}) as events:
        batch = next(events)
    assert batch.schema == events.schema
    batch.validate(full=True)
    for field in batch.schema:
        kinds = types_of(field.type)
        assert "string_view" not in kinds, field
        if field.name in LONG:
            assert kinds == {"large_string"}, field
    identity = batch.schema.field("userIdentity").type.field("sessionContext").type.field("webIdFederationData").type
    assert types_of(identity) == {"string", "large_string"}
    assert batch.schema.field("rules").type == pa.list_(pa.field("item", pa.string(), nullable=False))


def test_each_way_to_the_batches_has_these_types(sample: Sample, tmp_path: Path) -> None:
    wanted = ct.stream(sample.archive).schema
    assert next(ct.stream(sample.archive)).schema == wanted
    assert pa.table(ct.stream(sample.archive)).schema == wanted
    assert pa.RecordBatchReader.from_stream(ct.stream(sample.archive)).schema == wanted
    with ct.stream(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "state")) as events:
        first, *_ = units = list(events.units(max_files=93))
        assert len(units) == 1
        assert first.schema == wanted
    with ct.stream(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "other")) as events:
        assert {pa.table(unit).schema for unit in events.units(max_files=50)} == {wanted}


def test_frames_of_polars_are_the_same_by_either_way(sample: Sample, frame: pl.DataFrame) -> None:
    for views in (False, True):
        assert_frame_equal(pl.DataFrame(ct.stream(sample.archive, views=views)), frame)


def addresses(array: Any) -> list[int | None]:
    return [buffer and buffer.address for buffer in array.buffers()]


@pytest.mark.parametrize("views", [False, True])
@pytest.mark.parametrize("name", ["eventTime", "eventName", "file", "raw", "record"])
def test_pyarrow_takes_the_buffers_over(name: str, sample: Sample, *, views: bool) -> None:
    batch = next(ct.stream(sample.archive, columns=["eventTime", "eventName", "file", "raw", "record"], views=views))
    assert any(addresses(batch[name]))
    assert addresses(pa.table(batch)[name].chunk(0)) == addresses(batch[name])


@pytest.mark.parametrize("name", ["eventTime", "eventName", "file", "raw", "record"])
def test_polars_takes_views_over(name: str, sample: Sample) -> None:
    batch = next(ct.stream(sample.archive, columns=["eventTime", "eventName", "file", "raw", "record"], views=True))
    series = pl.DataFrame(batch)[name]
    assert addresses(series.to_arrow(compat_level=pl.CompatLevel.newest())) == addresses(batch[name])


def test_slices_and_empty_batches_have_the_types(sample: Sample, frame: pl.DataFrame) -> None:
    batches = list(ct.stream(sample.archive, batch_rows=100))
    for batch in batches:
        batch.validate(full=True)
    assert_frame_equal(pl.DataFrame(pa.Table.from_batches(batches)), frame)
    with pytest.warns(ct.NothingChosen):
        assert pa.table(ct.stream([])).schema == ct.stream(sample.archive).schema


def test_pyarrow_takes_no_rows_of_more_than_two_gigabytes_of_string() -> None:
    """This is why JSON is large_string. The chunks share their memory."""
    texts = {
        kind: pa.chunked_array([pa.array(["x" * (1 << 20)] * 64, kind)] * 33)
        for kind in (pa.string(), pa.large_string())
    }
    with pytest.raises(pa.ArrowInvalid, match="offset overflow"):
        texts[pa.string()].take([0])
    if sys.platform == "linux":
        assert len(texts[pa.large_string()].slice(0, 128).take([0])) == 1


# What a consumer asks for


def asked(source: Any, schema: pa.Schema) -> pa.Table:
    """The table for a requested schema, without a cast by pyarrow."""

    class Asks:
        def __arrow_c_stream__(self, _schema: object = None) -> object:
            return source.__arrow_c_stream__(schema.__arrow_c_schema__())

    return pa.table(Asks())


def with_text(schema: pa.Schema, kind: pa.DataType) -> pa.Schema:
    def of(old: pa.DataType) -> pa.DataType:
        if pa.types.is_struct(old):
            return pa.struct([field.with_type(of(field.type)) for field in old])
        if pa.types.is_list(old):
            return pa.list_(old.value_field.with_type(of(old.value_type)))
        return kind if old in (pa.string(), pa.large_string(), pa.string_view()) else old

    return pa.schema([field.with_type(of(field.type)) for field in schema])


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize("views", [False, True])
def test_a_consumer_gets_the_text_that_it_asks_for(
    kind: pa.DataType, sample: Sample, frame: pl.DataFrame, *, views: bool
) -> None:
    stream = ct.stream(sample.archive, views=views)
    wanted = with_text(stream.schema, kind)
    found = asked(stream, wanted)
    assert found.schema == wanted
    found.validate(full=True)
    assert_frame_equal(pl.DataFrame(found), frame)


def test_a_consumer_may_request_another_type_for_one_column(sample: Sample) -> None:
    wanted = pa.schema({"eventName": pa.string_view(), "raw": pa.large_string(), "record": pa.uint32()})
    found = asked(ct.stream(sample.archive, columns=wanted.names), wanted)
    assert found.schema.types == wanted.types


def test_the_rest_of_a_stream_and_units_take_requests_too(sample: Sample, tmp_path: Path) -> None:
    wanted = pa.schema({"eventName": pa.string_view()})
    with ct.stream(sample.archive, columns=["eventName"], batch_rows=10) as events:
        assert next(events).schema.types == [pa.string()]
        found = asked(events, wanted)
    assert (found.num_rows, found.schema.types) == (1029, wanted.types)
    with ct.stream(sample.archive, columns=["eventName"], checkpoint=ct.Checkpoint(tmp_path / "state")) as events:
        found = pa.concat_tables([asked(unit, wanted) for unit in events.units(max_files=50)])
    assert (found.num_rows, found.schema.types) == (1039, wanted.types)


@pytest.mark.parametrize(
    "kind",
    [
        pa.int64(),
        pa.binary(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.list_(pa.string()),
        pa.struct({"a": pa.string()}),
    ],
)
def test_types_that_a_column_never_has_are_not_given(kind: pa.DataType, sample: Sample) -> None:
    """For such a request, the interface prescribes the schema as it is without a request."""
    found = asked(
        ct.stream(sample.archive, columns=["eventName", "raw"]), pa.schema({"eventName": kind, "raw": pa.string()})
    )
    assert found.schema.types == [pa.string(), pa.large_string()]


@pytest.mark.parametrize(
    "schema",
    [
        pa.schema({}),
        pa.schema({"eventName": pa.string()}),
        pa.schema({"userIdentity": pa.string(), "eventName": pa.string()}),
        pa.schema({"eventName": pa.string(), "userIdentity": pa.struct({"arn": pa.string()})}),
        pa.schema({"eventName": pa.string(), "userIdentity": pa.string(), "more": pa.string()}),
    ],
    ids=lambda schema: ",".join(schema.names) or "none",
)
def test_other_columns_are_refused(schema: pa.Schema, sample: Sample) -> None:
    stream = ct.stream(sample.archive, columns=["eventName", "userIdentity"])
    with pytest.raises(ValueError, match=r"^a schema with other (columns|members of userIdentity) was requested: "):
        stream.__arrow_c_stream__(schema.__arrow_c_schema__())


def test_views_is_true_or_false(sample: Sample) -> None:
    with pytest.raises(TypeError, match=r"^stream\(\): views must be True or False, not the text 'string'$"):
        ct.stream(sample.archive, views="string")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "asked", [(None, pa.large_string()), (pa.string_view(), pa.large_string()), (pa.large_string(), None)]
)
def test_one_reader_does_not_change_the_types_of_another(asked: tuple[pa.DataType | None, ...], sample: Sample) -> None:
    """Bytes of one type were once read as another type, beyond their end."""
    names = ct.read(sample.archive)["eventName"].to_list()
    stream = ct.stream(sample.archive, columns=["eventName"])
    first, second = (
        pa.RecordBatchReader.from_stream(stream, schema=kind and pa.schema([("eventName", kind)])) for kind in asked
    )
    assert stream.schema.types == [pa.string()]
    table = first.read_all()
    table.validate(full=True)
    assert table.schema.types == [asked[0] or pa.string()]
    assert table["eventName"].to_pylist() == names
    with pytest.raises(pa.ArrowInvalid, match="was read to its end"):
        second.read_all()
