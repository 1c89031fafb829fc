"""Bounds of account, region, name and time leave parts of a lake out, and no row: whoever wrote the parts, and how."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast._lake import bounds
from ctfast._lake.prune import pieces
from ctfast._lake.table import Part, Table
from ctfast._scan.pushdown import push_down
from test_lake import event, put
from test_lake_readers import READERS, Question, agrees, every_reader

#: The columns of texts.
TEXTS = ("eventName", "awsRegion", "recipientAccountId")
#: Texts whose order depends on how it is defined (UTF-8, UTF-16, letters), about as long as the longest that has
#: bounds, and alike up to the places where other writers cut.
ODD = [
    *(None, "", " ", "A", "a", "Z", "é", "e\u0301", "\uffff", "\U00010000", "\U0010ffff", "\0", "\ufffd"),
    *("x" * 32 + "a", "x" * 32 + "z", "x" * 64 + "z", "x" * 255, "x" * 256, "x" * 257, "é" * 129, "z" * 300),
]
NOW = datetime.now(UTC)


def left(lake: ct.Lake, condition: pl.Expr) -> list[str]:
    """The parts that a query opens."""
    table = Table(lake.path)
    snapshot = table.open()
    found = pieces(table.store, snapshot.parts(), snapshot.log.bounds, push_down(condition, elements=True))
    return sorted({piece.path for piece in found})


def parts(lake: ct.Lake) -> list[Part]:
    return Table(lake.path).open().parts()


def whole(lake: ct.Lake) -> pl.DataFrame:
    """All rows, read by Polars alone, in the order of the lake."""
    paths = [lake.path / part.path for part in parts(lake)]
    found = pl.read_parquet(paths, hive_partitioning=False, missing_columns="insert")
    types = lake.scan().collect_schema()
    return found.select(pl.col(name).cast(types[name]) for name in types)


def commit(lake: ct.Lake, archive: Path, run: str) -> None:
    """Commit a part, or more, of each folder of an archive."""
    splits = [split for each in sorted(archive.iterdir()) for split in ct.splits(each)]
    lake.commit([split.write_parquet(lake.path) for split in splits], run=run, n=0)


def finds_all(lake: ct.Lake, values: list[Any]) -> None:
    """Each query of bounds finds what a search of everything finds."""
    everything = whole(lake)
    for name in TEXTS:
        for value in values:
            for condition in (
                pl.col(name).eq_missing(value),
                pl.col(name) != (value or ""),
                pl.col(name).is_in([value, "a"]),
                pl.col(name).is_null() | (pl.col(name) == (value or "")),
            ):
                assert_frame_equal(lake.scan().filter(condition).collect(), everything.filter(condition))
    for time in everything["eventTime"].drop_nulls().unique():
        for condition in (
            pl.col("eventTime") == time,
            pl.col("eventTime") > time,
            pl.col("eventTime") < time,
            pl.col("eventTime").is_null() | (pl.col("eventTime") >= time),
        ):
            assert_frame_equal(lake.scan().filter(condition).collect(), everything.filter(condition))


# What is found


def times() -> st.SearchStrategy[str | None]:
    days = st.integers(0, 60).map(lambda day: NOW - timedelta(days=day))
    return st.none() | days.map(lambda day: f"{day:%Y-%m-%d}T23:59:59Z")


def rows() -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    members = st.fixed_dictionaries({**dict.fromkeys(TEXTS, st.sampled_from(ODD)), "eventTime": times()})
    return st.lists(st.lists(members, min_size=1, max_size=3), min_size=1, max_size=4)


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def archived(root: Path, several: list[list[dict[str, Any]]], first: int) -> Path:
    for file, members in enumerate(several):
        records = [event(first + 10 * file + number, **each) for number, each in enumerate(members)]
        put(root / str(file), "one", list(map(without_nulls, records)))
    return root


@settings(max_examples=4, deadline=None)
@given(first=rows(), then=rows(), step=st.sampled_from(["nothing", "compact", "retain", "hold", "checkpoint"]))
def test_no_row_is_lost(first: list[Any], then: list[Any], step: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lake = ct.Lake(root / "lake")
        commit(lake, archived(root / "first", first, 0), "first")
        if step == "compact":
            lake.compact()
        elif step in ("retain", "hold"):
            if step == "hold":
                lake.hold("a", where=ct.FilterPattern('{ $.eventName = "a" }'))
            lake.retain(30, delete=True)
        elif step == "checkpoint":
            DeltaTable(lake.path).create_checkpoint()
        commit(lake, archived(root / "then", then, 1000), "then")
        finds_all(lake, [*{each[name] for some in (*first, *then) for each in some for name in TEXTS}, "x" * 64, "zz"])


@pytest.mark.parametrize("value", [each for each in ODD if each is not None])
def test_a_part_of_one_value_is_found_by_it_alone(value: str, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "lake")
    put(tmp_path / "a" / "1", "one", [event(1, eventName=value)])
    commit(lake, tmp_path / "a", "a")
    assert lake.scan().filter(pl.col("eventName") == value).collect().height == 1
    # A text of more than 256 bytes has no bounds.
    has_bounds = len(value.encode()) <= 256
    assert len(left(lake, pl.col("eventName") == f"{value}!")) == (0 if has_bounds else 1)


def test_times_at_the_ends_of_the_calendar(tmp_path: Path) -> None:
    ends = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]
    lake = ct.Lake(tmp_path / "lake")
    for number, time in enumerate(ends):
        put(tmp_path / "a" / str(number), "one", [event(number, eventTime=time)])
    commit(lake, tmp_path / "a", "a")
    finds_all(lake, ["Get1"])


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("9999-12-31T23:59:59.999500Z", "9999-12-31T23:59:59.999999Z"),
        ("1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00.000001Z"),
    ],
)
def test_bounds_of_times_are_not_narrower(low: str, high: str, tmp_path: Path) -> None:
    put(tmp_path / "a", "one", [event(1)])
    [split] = ct.splits(tmp_path / "a")
    [part] = split.write_parquet(tmp_path / "lake").files
    statistics = {"eventTime": {"null_count": 0, "min": low, "max": high}}
    known = bounds.read(bounds.written(replace(part, statistics=statistics))).get("eventTime")
    first, last = (pa.scalar(each.removesuffix("Z")).cast(pa.timestamp("us")).value for each in (low, high))
    # Where Python has no such time, nothing is known.
    assert known is None or known[0] <= first <= last <= known[1]
    assert (known is None) == high.startswith("9999")


# What is left out


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    """A lake of ten parts, in each of which some rows have nulls."""
    for day in range(10):
        members = {"eventName": f"Name{day}", "awsRegion": f"region-{day}", "recipientAccountId": f"{day:012}"}
        without = [dict.fromkeys([name]) for name in TEXTS]
        records = [event(10 * day + n, day=day + 1, **(members | more)) for n, more in enumerate([{}, *without])]
        put(tmp_path / "a" / str(day), "one", list(map(without_nulls, records)))
    made = ct.Lake(tmp_path / "lake")
    commit(made, tmp_path / "a", "a")
    assert len(parts(made)) == 10
    return made


def leave_out(lake: ct.Lake, number: int) -> None:
    """Queries of one part open that one, by each of the columns."""
    time = datetime(2025, 3, 4, 5, tzinfo=UTC)
    for condition in (
        pl.col("eventName") == "Name3",
        pl.col("awsRegion").is_in(["region-3", "zz"]),
        pl.col("recipientAccountId") == f"{3:012}",
        pl.col("eventTime") == time,
    ):
        assert len(left(lake, condition)) == number
        assert lake.scan().filter(condition).collect().height >= 3
    assert left(lake, pl.col("eventName") == "AAA") == left(lake, pl.col("awsRegion") == "zz") == []
    assert len(left(lake, pl.col("eventName").is_null())) == len(parts(lake))


def test_parts_are_left_out(lake: ct.Lake) -> None:
    leave_out(lake, 1)


def test_parts_are_left_out_by_a_checkpoint(lake: ct.Lake, tmp_path: Path) -> None:
    DeltaTable(lake.path).create_checkpoint()
    for version in sorted(lake.path.glob("_delta_log/*.json"))[:-1]:
        version.unlink()
    leave_out(lake, 1)
    put(tmp_path / "b" / "1", "one", [event(999, eventName="Name3", day=4, awsRegion="x", recipientAccountId="y")])
    commit(lake, tmp_path / "b", "b")
    assert len(left(lake, pl.col("eventName") == "Name3")) == 2


def test_a_joined_part_has_the_bounds_of_all(lake: ct.Lake) -> None:
    lake.compact()
    leave_out(lake, 1)
    assert len(parts(lake)) == 1


def test_a_query_of_other_columns_does_not_read_the_log(lake: ct.Lake) -> None:
    def fail() -> Any:
        pytest.fail("the log is read")

    for condition in (pl.col("userAgent") == "x", pl.col("eventName").is_null(), pl.col("eventID") == "x"):
        assert list(pieces(Table(lake.path).store, [], fail, push_down(condition, elements=True))) == []


# Parts of others


def of_another(lake: ct.Lake, name: str, stats: dict[str, Any]) -> None:
    """Add a copy of the last part under another name, as another writer of Delta tables does."""
    part = parts(lake)[-1]
    month, _, _ = part.path.partition("/")
    content = (lake.path / part.path).read_bytes()
    (lake.path / month / name).write_bytes(content)
    text = json.dumps(stats)
    action = AddAction(f"{month}/{name}", len(content), {"month": part.month}, 0, True, text)
    table = DeltaTable(lake.path)
    table.create_write_transaction([action], "append", table.schema(), ["month"])


FOREIGN = "part-00000-0b2b4b1e-1c2d-4e5f-8a9b-0c1d2e3f4a5b-c000.zstd.parquet"


def test_wrong_bounds_of_other_writers_lose_nothing(lake: ct.Lake) -> None:
    # The greatest text is cut, and the greatest time is cut to seconds.
    wrong = {"eventName": "Na", "awsRegion": "re", "recipientAccountId": "0", "eventTime": "2025-01-01T00:00:00.000Z"}
    stats = {"numRecords": 4, "minValues": wrong, "maxValues": wrong, "nullCount": dict.fromkeys(wrong, 0)}
    of_another(lake, FOREIGN, stats)
    finds_all(lake, ["Name9", "region-9", f"{9:012}", "Na"])


@pytest.mark.parametrize("stats", [{"numRecords": 4}, {"numRecords": 4, "minValues": {"eventName": "Name9"}}])
def test_a_part_without_bounds_is_opened(lake: ct.Lake, stats: dict[str, Any]) -> None:
    # Under a name of ctfast: an earlier version may have written it.
    of_another(lake, "part-0b2b4b1e1c2d4e5f-0.parquet", stats)
    finds_all(lake, ["Name9", "region-9", f"{9:012}", "Na"])
    assert len(left(lake, pl.col("eventName") == "Na")) == 1


def test_parts_that_deltalake_has_rewritten_are_opened(lake: ct.Lake) -> None:
    before = whole(lake).sort("eventID")
    DeltaTable(lake.path).optimize.compact()
    assert len(parts(lake)) == 1
    # It leaves out the column of the partition.
    assert_frame_equal(lake.scan().drop("month").sort("eventID").collect(), before.drop("month"))
    for name in TEXTS:
        for value in before[name].unique():
            condition = pl.col(name).eq_missing(value)
            assert lake.scan().filter(condition).collect().height == before.filter(condition).height
    assert len(left(lake, pl.col("eventName") == "AAA")) == 1


# Other readers


def questions() -> dict[str, Question]:
    """Conditions about columns in which each part has nulls, and about values of one part."""
    field = pc.field
    found = {}
    for name, value in zip(TEXTS, ("Name3", "region-3", f"{3:012}"), strict=True):
        column = pl.col(name)
        sql = f'"{name}"'
        found |= {
            f"{name} null": Question(column.is_null(), field(name).is_null(), *[f"{sql} IS NULL"] * 2),
            f"{name} valid": Question(column.is_not_null(), field(name).is_valid(), *[f"{sql} IS NOT NULL"] * 2),
            f"{name} same": Question(column == value, field(name) == value, *[f"{sql} = '{value}'"] * 2),
            f"{name} other": Question(column != value, field(name) != value, *[f"{sql} <> '{value}'"] * 2),
            f"{name} or null": Question(
                column.is_null() | (column == value),
                field(name).is_null() | (field(name) == value),
                *[f"{sql} IS NULL OR {sql} = '{value}'"] * 2,
            ),
        }
    return found


@every_reader
def test_other_readers_lose_no_row_with_nulls(reader: Callable[[ct.Lake, Question], Any], lake: ct.Lake) -> None:
    assert len(READERS) == 7
    for question in questions().values():
        assert lake.scan().filter(question.polars).collect().height > 0
        agrees(lake, reader, question)
    DeltaTable(lake.path).create_checkpoint()
    for question in questions().values():
        agrees(lake, reader, question)


def test_the_footers_have_the_bounds_of_the_log(lake: ct.Lake) -> None:
    known = Table(lake.path).open().log.bounds()
    for part in parts(lake):
        groups = pq.read_metadata(lake.path / part.path).row_group(0)
        columns = [groups.column(number) for number in range(groups.num_columns)]
        found = {each.path_in_schema: each.statistics for each in columns if each.path_in_schema in TEXTS}
        assert {name: (each.min, each.max) for name, each in found.items()} == {
            name: known[part.path][name] for name in TEXTS
        }
