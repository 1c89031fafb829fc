"""A search for single values in a lake: it opens what may have them, and finds what a search of everything finds."""

from __future__ import annotations

import functools
import operator
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast._lake.table import Part, Table
from ctfast._scan import rewritten
from ctfast._scan.needles import NEEDLES, Index, Needles
from ctfast._store.store import index_path
from strategies import SETTINGS
from test_lake import event, put
from test_lake_compact import age

#: Values that a filter or a reader might confuse: null, empty, long, alike, of several lengths in UTF-8.
ODD = [None, "", " ", "a", "A", "\N{COMBINING ACUTE ACCENT}", "é", "e\u0301", "😀", "\0", "\ufffd", "x" * 300]
MONTHS, DAYS = 6, 4
ACCOUNTS = ["111122223333", "444455556666"]
#: What an absent member is.
ABSENT = object()


def acts(number: int, month: int, day: int, **more: Any) -> dict[str, Any]:
    """An event of somebody, with values of which some are odd."""
    odd = ODD[number % len(ODD)]
    identity = {
        "accessKeyId": f"AKIA{month}{day}{number % 5}" if number % 7 else odd,
        "arn": f"arn:aws:iam::{ACCOUNTS[day % 2]}:user/{number % 9}",
        "userName": odd,
        "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{month}:role/{odd}"}} if number % 3 else None,
    }
    members = {
        "userIdentity": identity if number % 11 else None,
        "sourceIPAddress": f"192.0.2.{month * 10 + number % 8}" if number % 2 else odd,
        "requestID": f"{month}-{day}-{number}" if number % 4 else None,
        "resources": [{"ARN": f"arn:aws:s3:::bucket-{month}-{day}"}, {"type": odd}] if number % 5 == 1 else [],
        "recipientAccountId": ACCOUNTS[day % 2],
        "eventName": str(month) + ["Get", "List", "Put"][number % 3],
    }
    found = event(month * 10_000 + day * 1_000 + number, day=day + 1, month=month + 1, **(members | more))
    return {name: value for name, value in found.items() if value is not ABSENT}


def write(lake: ct.Lake, archive: Path, columns: list[str] | None = None) -> None:
    """Commit parts of the days of an archive: two of the first month have several runs of rows."""
    splits = [split for day in sorted(archive.iterdir()) for split in ct.splits(day, columns=columns)]
    lake.commit([split.write_parquet(lake.path) for split in splits], run="run", n=1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("archive")
    for month in range(MONTHS):
        for day in range(DAYS):
            put(root / f"{month}-{day}", "one", [acts(number, month, day) for number in range(60)])
    # Records without most members.
    put(root / "last", "one", [acts(n, 0, 9, userIdentity=ABSENT, requestID=ABSENT, eventTime=None) for n in range(20)])
    return root


def several_runs(monkeypatch: pytest.MonkeyPatch, lake: ct.Lake) -> None:
    """Join the parts of each month, so that each has several runs."""
    monkeypatch.setattr(rewritten, "WAITING", 1)
    lake.compact()
    assert max(rows(path).num_row_groups for path in lake.path.glob("month=*/*")) >= DAYS


def rows(path: Path) -> Any:
    return pq.read_metadata(path)


@pytest.fixture(scope="module")
def kept(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> ct.Lake:
    """A lake that is not changed: parts of one run, and parts of several."""
    lake = ct.Lake(tmp_path_factory.mktemp("kept") / "lake")
    write(lake, archive)
    with pytest.MonkeyPatch.context() as monkeypatch:
        several_runs(monkeypatch, lake)
    late = tmp_path_factory.mktemp("late")
    put(late / "x", "one", [acts(number, 0, 20) for number in range(60)])
    lake.commit([split.write_parquet(lake.path) for split in ct.splits(late)], run="late", n=1)
    return lake


@pytest.fixture
def lake(archive: Path, tmp_path: Path) -> ct.Lake:
    found = ct.Lake(tmp_path / "lake")
    write(found, archive)
    return found


def parts(lake: ct.Lake) -> list[Part]:
    return Table(lake.path).open().parts()


def index(lake: ct.Lake, part: Part) -> Path:
    return lake.path / index_path(part.path)


def key(value: str) -> pl.Expr:
    return pl.col("userIdentity").struct["accessKeyId"] == value


def column(path: str) -> pl.Expr:
    root, *inner = path.split(".")
    return functools.reduce(lambda found, name: found.struct.field(name), inner, pl.col(root))


def has_resource(arn: str) -> pl.Expr:
    return pl.col("resources").list.eval(pl.element().struct.field("ARN")).list.contains(arn)


def hide(lake: ct.Lake, hidden: list[Part]) -> None:
    """Overwrite parts: whoever opens one fails."""
    for part in hidden:
        (lake.path / part.path).write_bytes(bytes(part.size))


# Which files are opened


def test_only_the_parts_with_the_value_are_opened(lake: ct.Lake) -> None:
    everything = lake.scan().collect()
    wanted = everything.filter(key("AKIA321"))
    assert wanted.height > 5
    there = set(wanted["ingest"].struct["split"])
    hide(lake, [part for part in parts(lake) if not any(split in part.path for split in there)])
    for condition in (
        key("AKIA321"),
        pl.col("userIdentity").struct["accessKeyId"].is_in(["AKIA321", "other"]),
        pl.col("eventID") == wanted["eventID"][0],
        pl.col("requestID").is_in(wanted["requestID"].drop_nulls()[:2].to_list()),
        key("AKIA321") & pl.col("userAgent").is_null() & (pl.col("eventTime").dt.hour() == 5),
        key("AKIA321") & pl.col("resources").list.eval(pl.element().struct["ARN"]).list.contains("x").not_(),
        key("AKIA321") | (pl.col("requestID") == wanted["requestID"].drop_nulls()[0]),
        (pl.col("awsRegion") == "eu-west-1") & key("AKIA321"),
        has_resource("arn:aws:s3:::bucket-3-2"),
        pl.col("resources").list.eval(pl.element().struct["ARN"] == "arn:aws:s3:::bucket-3-2").list.any(),
    ):
        found = lake.scan().filter(condition).collect()
        assert found.height
        assert_frame_equal(found, everything.filter(condition))
    assert lake.scan().filter(key("no such key")).collect().height == 0
    with pytest.raises(pl.exceptions.ComputeError, match=r"(?i)parquet|thrift|footer|magic"):
        lake.scan().filter(pl.col("userAgent") == "x").collect()


def test_the_bounds_of_the_log_leave_parts_out(lake: ct.Lake) -> None:
    hide(lake, [part for part in parts(lake) if part.month != "2025-03"])
    start, end = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC) - timedelta(microseconds=1)
    assert lake.scan().filter(pl.col("eventTime").is_between(start, end)).collect().height == DAYS * 60
    assert lake.scan().filter(pl.col("eventTime") == datetime(2025, 3, 2, 5, tzinfo=UTC)).collect().height == 60
    assert lake.scan().filter(pl.col("eventName") == "2List").collect().height == DAYS * 20
    with pytest.raises(pl.exceptions.ComputeError, match=r"(?i)parquet|thrift|footer|magic"):
        lake.scan().filter(pl.col("eventTime") > end).collect()


def test_the_bounds_of_account_and_region_leave_parts_out(lake: ct.Lake) -> None:
    hidden = lake.scan().filter(pl.col("recipientAccountId") == ACCOUNTS[0]).collect()
    there = set(hidden["ingest"].struct["split"])
    hide(lake, [part for part in parts(lake) if any(split in part.path for split in there)])
    assert lake.scan().filter(pl.col("recipientAccountId") == ACCOUNTS[1]).collect().height > 0
    assert lake.scan().filter(pl.col("awsRegion") == "eu-north-1").collect().height == 0
    with pytest.raises(pl.exceptions.ComputeError, match=r"(?i)parquet|thrift|footer|magic"):
        lake.scan().filter(pl.col("awsRegion") == "eu-west-1").collect()


def test_only_the_rows_that_may_have_the_value_are_read(kept: ct.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[int, int | None]] = []
    usual = pl.LazyFrame.slice

    def noted(frame: pl.LazyFrame, offset: int, length: int | None = None) -> pl.LazyFrame:
        read.append((offset, length))
        return usual(frame, offset, length)

    monkeypatch.setattr(pl.LazyFrame, "slice", noted)
    found = kept.scan().filter(key("AKIA321")).collect()
    assert found.height > 5
    assert len(read) == 1
    assert read[0][1] == 60


# What is found


def values() -> st.SearchStrategy[Any]:
    known = [acts(number, month, day) for number in range(0, 60, 7) for month in (0, 3) for day in (0, 2, 9)]
    identities = [each["userIdentity"] or {} for each in known]
    found = {each[name] for each in known for name in ("sourceIPAddress", "eventID", "requestID")}
    found |= {each.get(name) for each in identities for name in ("accessKeyId", "arn", "userName")}
    return st.sampled_from(sorted(filter(None, {*found, *ODD, "arn:aws:iam::3:role/é", "192.0.2.1", "none"})))


def conditions() -> st.SearchStrategy[pl.Expr]:
    field = st.sampled_from([path for path in NEEDLES if "[]" not in path]).map(column)
    bounded = st.sampled_from(["eventName", "awsRegion", "recipientAccountId"]).map(column)
    name = st.sampled_from(["0Get", "3List", "4", "eu-west-1", *ACCOUNTS, "zz", ""])
    times = st.datetimes(datetime(2024, 12, 1), datetime(2025, 8, 1)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001
    compared = st.sampled_from([operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
    lists = st.lists(values(), max_size=4)
    return st.one_of(
        st.builds(operator.eq, field, values()),
        st.builds(lambda left, right: right == left, field, values().map(pl.lit)),
        st.builds(operator.ne, field, values()),
        st.builds(lambda left, right: left.is_in(right), field, lists),
        st.builds(lambda left, right: left.is_in([None, *right], nulls_equal=True), field, lists),
        st.builds(lambda left, right: left.eq_missing(right), field, st.none() | values()),
        st.builds(lambda left: left.is_null(), field),
        st.builds(lambda left: left.is_not_null(), field),
        st.builds(lambda left, right: left.str.starts_with(right), field, values()),
        st.builds(operator.eq, bounded, name),
        st.builds(operator.ne, bounded, name),
        st.builds(lambda test, time: test(pl.col("eventTime"), time), compared, times),
        st.builds(lambda left: left.str.len_chars() > 4, field),
        st.builds(has_resource, st.sampled_from(["arn:aws:s3:::bucket-3-2", "arn:aws:s3:::bucket-0-9", "x"])),
    )


def predicates() -> st.SearchStrategy[pl.Expr]:
    return st.recursive(
        conditions(),
        lambda inner: st.one_of(
            st.builds(operator.and_, inner, inner), st.builds(operator.or_, inner, inner), inner.map(operator.invert)
        ),
        max_leaves=5,
    )


@SETTINGS
@given(
    predicate=predicates(),
    columns=st.lists(st.sampled_from(["eventID", "month", "userIdentity", "record", "ingest"]), unique=True),
    head=st.none() | st.integers(0, 200),
)
def test_it_finds_what_a_search_of_everything_finds(
    kept: ct.Lake, predicate: pl.Expr, columns: list[str], head: int | None
) -> None:
    everything = whole(kept)
    assert_frame_equal(kept.scan().filter(predicate).collect(), everything.filter(predicate))
    scanned = kept.scan().filter(predicate).select(columns or pl.len())
    assert_frame_equal(scanned.collect(), everything.filter(predicate).select(columns or pl.len()))
    if head is not None:
        assert_frame_equal(kept.scan().head(head).filter(predicate).collect(), everything.head(head).filter(predicate))
        assert_frame_equal(kept.scan().filter(predicate).head(head).collect(), everything.filter(predicate).head(head))


@functools.cache
def whole(lake: ct.Lake) -> pl.DataFrame:
    """All rows, read by Polars alone, in the order of the lake."""
    paths = [lake.path / part.path for part in parts(lake)]
    found = pl.read_parquet(paths, hive_partitioning=False, missing_columns="insert")
    types = lake.scan().collect_schema()
    return found.select(pl.col(name).cast(types[name]) for name in types)


def test_each_value_of_the_archive_is_found(kept: ct.Lake) -> None:
    everything = whole(kept)
    conditions = {
        path: (everything.select(column(path)).to_series(), functools.partial(operator.eq, column(path)))
        for path in NEEDLES
        if "[]" not in path
    }
    conditions["resources[].ARN"] = everything["resources"].explode().struct["ARN"], has_resource
    assert conditions.keys() == set(NEEDLES)
    for values, condition in conditions.values():
        for value in values.drop_nulls().unique(maintain_order=True)[::29]:
            found = kept.scan().filter(condition(value)).collect()
            assert found.height
            assert_frame_equal(found, everything.filter(condition(value)))


def test_several_searches_at_once(kept: ct.Lake) -> None:
    frames = [kept.scan().filter(key(f"AKIA{month}21")) for month in range(MONTHS)]
    together = pl.concat(frames).collect()
    assert_frame_equal(together, pl.concat(pl.collect_all(frames)))
    joined = kept.scan().filter(key("AKIA321")).join(kept.scan(), on="eventID").collect()
    assert joined.height == kept.scan().filter(key("AKIA321")).collect().height > 0


def test_a_lake_with_fewer_columns(archive: Path, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "lake")
    write(lake, archive, ["eventID", "userIdentity.arn", "eventName"])
    everything = lake.scan().collect()
    for condition in (
        pl.col("eventID") == everything["eventID"][77],
        pl.col("userIdentity.arn") == everything["userIdentity.arn"].drop_nulls()[77],
        pl.col("eventName") == "3Put",
    ):
        assert_frame_equal(lake.scan().filter(condition).collect(), everything.filter(condition))
        assert everything.filter(condition).height > 0


def test_duckdb_searches_with_the_filters(lake: ct.Lake) -> None:
    wanted = lake.scan().filter(key("AKIA321")).collect()
    there = set(wanted["ingest"].struct["split"])
    hide(lake, [part for part in parts(lake) if not any(split in part.path for split in there)])
    query = "SELECT eventID FROM events WHERE userIdentity.accessKeyId = 'AKIA321'"
    with duckdb.connect() as connection:
        connection.register("events", lake.scan())
        assert connection.execute(query).fetchall() == wanted.select("eventID").rows()


def test_a_compaction_leaves_days_together(kept: ct.Lake) -> None:
    for path in kept.path.glob("month=*/*"):
        with pq.ParquetFile(path) as file:
            groups = [file.read_row_group(number, ["eventTime"]) for number in range(file.num_row_groups)]
        days = [group["eventTime"][0].as_py() for group in groups]
        assert days == sorted(days, key=str)
        assert all(group["eventTime"].unique().to_pylist() == [day] for group, day in zip(groups, days, strict=True))


# Files of filters that are gone or damaged


def test_a_part_without_filters_is_read(lake: ct.Lake) -> None:
    everything = lake.scan().filter(key("AKIA321")).collect()
    for part in parts(lake):
        index(lake, part).unlink()
    assert_frame_equal(lake.scan().filter(key("AKIA321")).collect(), everything)


def flipped(content: bytes) -> bytes:
    return content[:-40] + bytes([content[-40] ^ 255]) + content[-39:]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda content: content[:-1], "is no file of filters, a damaged one"),
        (lambda content: content[: len(content) // 2], "is no file of filters, a damaged one"),
        (lambda _: b"", "is no file of filters, a damaged one"),
        (lambda _: b"PAR1" * 99, "is no file of filters, a damaged one"),
        (flipped, "is no file of filters, a damaged one"),
        (None, "is of another part"),
    ],
)
def test_damaged_filters_are_named_and_lose_nothing(damage: Any, says: str, lake: ct.Lake) -> None:
    [split] = set(lake.scan().filter(key("AKIA321")).collect()["ingest"].struct["split"])
    everything = lake.scan().filter(key("AKIA321")).collect()
    [part] = [part for part in parts(lake) if split in part.path]
    place, other = index(lake, part), index(lake, next(each for each in parts(lake) if each != part))
    place.write_bytes(other.read_bytes() if damage is None else damage(place.read_bytes()))
    with pytest.warns(UserWarning, match=says) as caught:
        found = lake.scan().filter(key("AKIA321")).collect()
    assert_frame_equal(found, everything)
    [message] = [str(each.message) for each in caught]
    assert str(place) in message
    assert part.path in message


def test_filters_that_cannot_be_opened_are_named(lake: ct.Lake) -> None:
    everything = lake.scan().filter(key("AKIA321")).collect()
    place = index(lake, parts(lake)[0])
    place.unlink()
    place.mkdir()
    with pytest.warns(UserWarning, match="read instead"):
        assert_frame_equal(lake.scan().filter(key("AKIA321")).collect(), everything)


def test_a_part_of_another_size_does_not_have_these_filters(lake: ct.Lake) -> None:
    part = parts(lake)[0]
    place = index(lake, part)
    assert Index(place, part.path, part.size, part.rows).all == 1
    for name, size, count in (("x", part.size, part.rows), (part.path, 1, part.rows), (part.path, part.size, 1)):
        with pytest.raises(ValueError, match="is of another part"):
            Index(place, name, size, count)


# Who writes them, and who removes them


def of_rows(lake: ct.Lake, path: Path) -> bytes:
    """The filters of the rows that a part has."""
    with pq.ParquetFile(path) as file:
        made = Needles(file.schema_arrow)
        for number in range(file.num_row_groups):
            made.add(file.read_row_group(number))
    return made.file(path.relative_to(lake.path).as_posix(), path.stat().st_size)


def agree(lake: ct.Lake) -> None:
    """Each file of filters has those of the rows of its part, and nothing else; and each part has one."""
    there = sorted(lake.path.glob("month=*/*.parquet"))
    assert [index(lake, Part(path.relative_to(lake.path).as_posix(), "", 0, 0)) for path in there] == sorted(
        path for path in lake.path.rglob("_ctfast/index/*/*")
    )
    for path in there:
        name = path.relative_to(lake.path).as_posix()
        assert (lake.path / index_path(name)).read_bytes() == of_rows(lake, path)


def test_each_part_has_its_filters(lake: ct.Lake, archive: Path, tmp_path: Path, monkeypatch: Any) -> None:
    agree(lake)
    again = ct.Lake(tmp_path / "again")
    write(again, archive)
    both = [sorted((path.name, path.read_bytes()) for path in each.path.rglob("*.index")) for each in (lake, again)]
    assert both[0] == both[1]
    # Copies: parts are written again without them.
    put(tmp_path / "more", "one", [acts(number, 1, 1) for number in range(55, 65)])
    assert lake.ingest(tmp_path / "more").duplicates == 5
    agree(lake)
    several_runs(monkeypatch, lake)
    age(lake, monkeypatch)
    lake.compact()
    agree(lake)


def test_what_is_deleted_is_in_no_filter_any_more(lake: ct.Lake) -> None:
    days = (datetime.now(UTC) - datetime(2025, 3, 4, tzinfo=UTC)).days
    everything = lake.scan().collect()
    assert lake.retain(days, delete=True).rows > 100
    agree(lake)
    kept_rows = lake.scan().collect()
    gone = everything.join(kept_rows, on="eventID", how="anti")
    assert gone.height > 100
    may_have = [
        Index(index(lake, part), part.path, part.size, part.rows).may_have("eventID", [name])
        for part in parts(lake)
        for name in gone["eventID"]
    ]
    # A filter takes one of 180 for one that may be there.
    assert sum(map(bool, may_have)) < len(may_have) / 30


def test_filters_that_a_killed_run_has_left_are_removed(lake: ct.Lake, archive: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "one", [acts(number, 1, 1) for number in range(900, 910)])
    [split] = ct.splits(tmp_path / "more")
    [part] = split.write_parquet(lake.path).files
    (lake.path / part.path).unlink()
    left = lake.path / index_path(part.path)
    assert lake.compact().left > 0
    assert left.exists()
    for place in lake.path.rglob(f"{Path(part.path).stem}*"):
        os.utime(place, (1, 1))
    lake.compact()
    assert not left.exists()


def test_filters_of_an_earlier_attempt_are_compared(tmp_path: Path) -> None:
    put(tmp_path / "logs", "one", [acts(1, 1, 1)])
    [split] = ct.splits(tmp_path / "logs")
    message = split.write_parquet(tmp_path / "lake")
    place = tmp_path / "lake" / index_path(message.files[0].path)
    content = place.read_bytes()
    place.unlink()
    assert split.write_parquet(tmp_path / "lake") == message  # which is there: nothing is written again
    next(tmp_path.glob("lake/_splits/*")).unlink()
    assert split.write_parquet(tmp_path / "lake") == message
    assert place.read_bytes() == content
    next(tmp_path.glob("lake/_splits/*")).unlink()
    place.write_bytes(flipped(content))
    with pytest.raises(ValueError, match="with other contents"):
        split.write_parquet(tmp_path / "lake")


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_filters_do_not_depend_on_how_text_is_held(kind: pa.DataType) -> None:
    plain = pa.array(["x", None, "", "é", "x", "😀" * 50])
    both = []
    for values in (plain, plain.cast(kind)):
        table = pa.table({"eventID": pa.chunked_array([values.slice(1, 3), values.slice(0), values.slice(4)])})
        made = Needles(table.schema)
        made.add(table)
        both.append(made.file("part", 1))
    assert both[0] == both[1]


def test_nothing_is_no_value(tmp_path: Path) -> None:
    made = Needles(pa.schema({"eventID": pa.string()}))
    made.add(pa.table({"eventID": pa.array([None, None], pa.string())}))
    (tmp_path / "index").write_bytes(made.file("part", 1))
    found = Index(tmp_path / "index", "part", 1, 2)
    assert (found.may_have("eventID", ["", "x"]), found.may_have("requestID", ["x"])) == (0, 1)
