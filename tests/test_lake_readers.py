"""Other readers see what `Lake.scan` sees: over the files of the snapshot, and over the Delta table by themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import datafusion
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, QueryBuilder

import ctfast as ct
from ctfast.sample import Sample

KEY = ["eventID", "file", "record"]
TIME = "2025-03-12T13:30:00Z"


class Question(NamedTuple):
    """A condition, in the language of each reader."""

    polars: pl.Expr
    arrow: pc.Expression
    duckdb: str
    datafusion: str


def _same(polars: pl.Expr, arrow: pc.Expression, sql: str) -> Question:
    return Question(polars, arrow, sql, sql)


QUESTIONS = {
    "all": _same(pl.lit(True), pc.scalar(True), "true"),
    "time": Question(
        pl.col("eventTime") >= pl.lit(TIME).str.to_datetime(time_unit="us", time_zone="UTC"),
        pc.field("eventTime") >= pa.scalar(1_741_786_200_000_000, pa.timestamp("us", "UTC")),
        f"\"eventTime\" >= TIMESTAMPTZ '{TIME}'",
        f"\"eventTime\" >= arrow_cast('{TIME}', 'Timestamp(Microsecond, Some(\"UTC\"))')",
    ),
    "name": _same(
        pl.col("eventName") == "ConsoleLogin", pc.field("eventName") == "ConsoleLogin", "\"eventName\" = 'ConsoleLogin'"
    ),
    "region": _same(
        pl.col("awsRegion") == "eu-west-1", pc.field("awsRegion") == "eu-west-1", "\"awsRegion\" = 'eu-west-1'"
    ),
    "month": _same(pl.col("month") == "2025-03", pc.field("month") == "2025-03", "month = '2025-03'"),
    "none": _same(pl.col("month") == "2025-04", pc.field("month") == "2025-04", "month = '2025-04'"),
    "null": _same(pl.col("errorCode").is_null(), pc.field("errorCode").is_null(), '"errorCode" IS NULL'),
    "struct": Question(
        pl.col("userIdentity").struct.field("userName") == "dana",
        pc.field("userIdentity", "userName") == "dana",
        '"userIdentity"."userName" = \'dana\'',
        "\"userIdentity\"['userName'] = 'dana'",
    ),
}


def places(lake: ct.Lake) -> list[str]:
    """The files of the snapshot, below the root of the lake."""
    table = pa.table(DeltaTable(lake.path).get_add_actions())
    return sorted(str(lake.path / path) for path in table["path"].to_pylist())


def duckdb_over_files(lake: ct.Lake, question: Question) -> Any:
    connection = duckdb.connect()
    # As where the machine's own zone is another one; a cursor would not have it from its connection.
    connection.execute("SET GLOBAL TimeZone = 'America/New_York'")
    query = f"SELECT * FROM read_parquet(?, hive_partitioning=false, union_by_name=true) WHERE {question.duckdb}"
    return connection.sql(query, params=[places(lake)]).to_arrow_table()


def polars_over_files(lake: ct.Lake, question: Question) -> Any:
    return pl.scan_parquet(places(lake), glob=False, hive_partitioning=False).filter(question.polars).collect()


def polars_over_the_table(lake: ct.Lake, question: Question) -> Any:
    return pl.scan_delta(str(lake.path)).filter(question.polars).collect()


def datafusion_over_files(lake: ct.Lake, question: Question) -> Any:
    context = datafusion.SessionContext()
    whole = reduce(lambda some, more: some.union(more), map(context.read_parquet, places(lake)))
    context.register_view("events", whole)
    return context.sql(f"SELECT * FROM events WHERE {question.datafusion}").to_arrow_table()


def datafusion_over_the_table(lake: ct.Lake, question: Question) -> Any:
    context = datafusion.SessionContext()
    context.register_table("events", DeltaTable(lake.path))
    return context.sql(f"SELECT * FROM events WHERE {question.datafusion}").to_arrow_table()


def deltalake_query(lake: ct.Lake, question: Question) -> Any:
    builder = QueryBuilder().register("events", DeltaTable(lake.path))
    return builder.execute(f"SELECT * FROM events WHERE {question.datafusion}")


def deltalake_dataset(lake: ct.Lake, question: Question) -> Any:
    return DeltaTable(lake.path).to_pyarrow_dataset().to_table(filter=question.arrow)


READERS = [
    *(duckdb_over_files, polars_over_files, polars_over_the_table, datafusion_over_files),
    *(datafusion_over_the_table, deltalake_query, deltalake_dataset),
]
every_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)


def agrees(lake: ct.Lake, reader: Callable[[ct.Lake, Question], Any], question: Question) -> None:
    expected = lake.scan().filter(question.polars).sort(KEY).collect()
    found = reader(lake, question)
    frame = found if isinstance(found, pl.DataFrame) else pl.DataFrame(pa.table(found))
    assert set(frame.columns) == set(expected.columns)
    text = {name: kind for name, kind in expected.schema.items() if kind != frame.schema[name]}
    assert set(text) <= {"eventTime", "record"}
    assert frame.cast(text).select(expected.columns).sort(KEY).equals(expected)


def lake_of(sample: Sample, path: Path) -> ct.Lake:
    lake = ct.Lake(path)
    for n, split in enumerate(ct.splits(sample.archive, target=300_000)):
        lake.commit([split.write_parquet(lake.path)], run="small", n=n)
    assert lake.info().parts > 2
    return lake


@pytest.fixture(scope="module")
def lake(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> ct.Lake:
    return lake_of(sample, tmp_path_factory.mktemp("readers") / "lake")


@pytest.mark.parametrize("name", QUESTIONS)
@every_reader
def test_the_same_answers(reader: Callable[[ct.Lake, Question], Any], name: str, lake: ct.Lake) -> None:
    agrees(lake, reader, QUESTIONS[name])


def test_questions_have_answers(lake: ct.Lake) -> None:
    found = {name: lake.scan().filter(each.polars).collect().height for name, each in QUESTIONS.items()}
    assert found["all"] == found["month"] == 1039
    assert found["none"] == 0
    assert all(0 < number < 1039 for name, number in found.items() if name not in ("all", "month", "none")), found


@pytest.mark.parametrize("name", ["a blank", "50%", "ü", "x=1&y"])
def test_roots_with_unusual_names(name: str, sample: Sample, tmp_path: Path) -> None:
    lake = lake_of(sample, tmp_path / name)
    for reader in READERS:
        if reader != polars_over_the_table:
            agrees(lake, reader, QUESTIONS["time"])
    # It looks for files below the address of the root, where such characters are spelled otherwise; or takes a folder
    # with a = for a column.
    with pytest.raises((FileNotFoundError, pl.exceptions.SchemaFieldNotFoundError)):
        polars_over_the_table(lake, QUESTIONS["time"])


@pytest.mark.parametrize("name", ["a*b", "a?b"])
def test_duckdb_takes_some_roots_as_patterns(name: str, sample: Sample, tmp_path: Path) -> None:
    """Also in a list of files: it reads those of other folders as well."""
    lake, _ = (lake_of(sample, tmp_path / each) for each in (name, "a-b"))
    for reader in (polars_over_files, datafusion_over_the_table, deltalake_query, deltalake_dataset):
        agrees(lake, reader, QUESTIONS["time"])
    assert duckdb_over_files(lake, QUESTIONS["all"]).num_rows == 2 * 1039
