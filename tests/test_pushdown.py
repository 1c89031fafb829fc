"""The pushdown law: whichever part of a query is pushed down, the rows are those of reading everything first.

The second half has one test for each point of how Polars deals with an IO source, as observed with Polars 2.1.
"""

from __future__ import annotations

import functools
import gzip
import json
import operator
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ctfast as ct
from strategies import SETTINGS

ENGINES = ("in-memory", "streaming")
engines = pytest.mark.parametrize("engine", ENGINES)


# An archive that misleads a search for constants: escapes, other JSON types, values under other keys

EVENT_NAMES = [
    '"DeleteBucket"',
    '"DeleteBucket"',
    '"DeleteBucketPolicy"',
    '"ListBuckets"',
    '"Delete\\u0042ucket"',
    '"deletebucket"',
    '"caf\\u00e9"',
    '"café"',
    '"a\\/b"',
    '"a/b"',
    '"\\ud800"',
    '"\\ufffd"',
    "12",
    '"12"',
    '{"a":1}',
    '"{\\"a\\":1}"',
    "null",
    '""',
    "true",
    None,
]


def _event(choose: random.Random) -> str:
    def text(**members: Any) -> str:
        return ",".join(f'"{key}":{value}' for key, value in members.items() if value is not None)

    def one(*values: str | None) -> str | None:
        return choose.choice(values)

    def an_object(**members: Any) -> str:
        return f"{{{text(**members)}}}"

    moment = datetime(2023, 7, 10, 11, tzinfo=UTC) + timedelta(seconds=choose.randrange(7200))
    event_time = json.dumps(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    arn = one(
        *(f'"arn:aws:iam::{account}:user/{name}"' for account in ("111111111111", "222222222222") for name in "ab"),
        None,
    )
    session = an_object(
        sessionIssuer=one(an_object(type='"Role"', arn=arn), "{}", None),
        attributes=one('{"mfaAuthenticated":"false"}', '{"mfaAuthenticated":true}'),
        assumedRoot=one("true", '"false"', None, None),
    )
    members = {
        "eventVersion": '"1.08"',
        "userIdentity": one(
            an_object(type=one('"IAMUser"', '"Root"', "null"), arn=arn, sessionContext=one(session, None)),
            "{}",
            "null",
            '"?"',
        ),
        "eventTime": choose.choice([event_time] * 20 + ["null", '"yesterday"', None, event_time.replace("Z", ".5Z")]),
        "eventSource": one('"s3.amazonaws.com"', '"iam.amazonaws.com"'),
        "eventName": one(*EVENT_NAMES),
        "awsRegion": one('"us-east-1"', '"eu-west-1"', None),
        "errorCode": one(None, None, None, '"AccessDenied"', '"DeleteBucket"', "null"),
        "requestParameters": one("null", '{"bucketName":"b"}', '{"eventName":"DeleteBucket"}', '"DeleteBucket"', None),
        "readOnly": one("true", "false", '"True"', "null", '"?"', None),
        "managementEvent": one("true", "false", None),
        "resources": one(
            "null", "[]", '[{"ARN":"arn:aws:s3:::b","type":"AWS::S3::Bucket"}]', '[{"arn":"x"},null,7]', None
        ),
        "hostname": one(None, None, '"h"'),
    }
    names = list(members)
    choose.shuffle(names)
    spelling = {"eventName": choose.choice(["eventName"] * 9 + ["event\\u004eame"])}
    return an_object(**{spelling.get(name, name): members[name] for name in names})


def make_archive(folder: Path) -> None:
    choose = random.Random(7)
    for number in range(24):
        day = folder / f"AWSLogs/{number % 2 + 1:012}/CloudTrail/us-east-1/2023/07/10"
        day.mkdir(parents=True, exist_ok=True)
        events = [_event(choose) for _ in range(choose.randrange(1, 25))]
        text = ("\n".join(events) if number % 5 == 4 else f'{{"Records":[{",".join(events)}]}}').encode()
        clock = f"{11 + number % 3}{number % 12 * 5:02}"
        name = f"{number % 2 + 1:012}_CloudTrail_us-east-1_20230710T{clock}Z_{number:016}.json"
        (day / (name + ".gz" * (number % 3 > 0))).write_bytes(gzip.compress(text) if number % 3 else text)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    make_archive(folder)
    return folder


@functools.cache
def everything(folder: Path) -> pl.DataFrame:
    return ct.read(folder)


# Predicates

Field = tuple[str, ...]


def expression(path: Field) -> pl.Expr:
    first, *rest = path
    return functools.reduce(lambda inner, name: inner.struct.field(name), rest, pl.col(first))


TEXTS: list[Field] = [
    ("eventName",),
    ("eventName",),
    ("eventSource",),
    ("awsRegion",),
    ("errorCode",),
    ("requestParameters",),
    ("extra",),
    ("file",),
    ("userIdentity", "type"),
    ("userIdentity", "arn"),
    ("userIdentity", "sessionContext", "sessionIssuer", "arn"),
    ("userIdentity", "sessionContext", "attributes", "mfaAuthenticated"),
]
FLAGS: list[Field] = [("readOnly",), ("managementEvent",), ("userIdentity", "sessionContext", "assumedRoot")]
OTHERS: list[Field] = [
    ("resources",),
    ("userIdentity",),
    ("userIdentity", "sessionContext"),
    ("tlsDetails",),
    ("raw",),
]
WORDS = [
    *["DeleteBucket", "deletebucket", "Delete", "café", "a/b", "\ufffd", "12", "true", "false", "null", "NoSuchEvent"],
    *["AccessDenied", "IAMUser", "us-east-1", "s3.amazonaws.com", "arn:aws:iam::111111111111:user/a"],
    *['{"a":1}', '{"bucketName":"b"}', '{"hostname":"h"}', '"DeleteBucket"', '"'],
    "",
]
COMPARISONS = [operator.eq, operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
MOMENTS = st.integers(-60, 7260).map(lambda seconds: datetime(2023, 7, 10, 11, tzinfo=UTC) + timedelta(seconds=seconds))


def compared(field: st.SearchStrategy[pl.Expr], value: st.SearchStrategy[Any]) -> st.SearchStrategy[pl.Expr]:
    """A comparison of a field with a constant, either way round."""
    return st.one_of(
        st.builds(lambda test, left, right: test(left, right), st.sampled_from(COMPARISONS), field, value),
        st.builds(lambda test, left, right: test(pl.lit(right), left), st.sampled_from(COMPARISONS), field, value),
        st.builds(lambda left, right: left.eq_missing(right), field, st.one_of(value, st.none())),
        st.builds(lambda left, right: left.ne_missing(right), field, value),
        st.builds(lambda left, right: left.is_in(right), field, st.lists(value, min_size=1, max_size=4)),
        st.builds(
            lambda left, low, high, closed: left.is_between(pl.lit(low), pl.lit(high), closed=closed),
            field,
            value,
            value,
            st.sampled_from(["both", "left", "right", "none"]),
        ),
    )


def one_of(fields: list[Field]) -> st.SearchStrategy[pl.Expr]:
    return st.sampled_from(fields).map(expression)


SIMPLE = st.one_of(
    compared(one_of(TEXTS), st.sampled_from(WORDS)),
    compared(one_of(TEXTS), st.sampled_from(WORDS)),
    st.builds(
        lambda field, test, word: getattr(field.str, test)(pl.lit(word)),
        one_of(TEXTS),
        st.sampled_from(["starts_with", "ends_with"]),
        st.sampled_from(WORDS),
    ),
    st.builds(lambda field, word: field.str.contains(word, literal=True), one_of(TEXTS), st.sampled_from(WORDS)),
    compared(st.just(pl.col("eventTime")), MOMENTS),
    compared(st.just(pl.col("record")), st.integers(0, 25)),
    one_of(FLAGS),
    compared(one_of(FLAGS), st.booleans()),
    st.builds(
        lambda field, test: getattr(field, test)(),
        one_of(TEXTS + FLAGS + OTHERS),
        st.sampled_from(["is_null", "is_not_null"]),
    ),
    st.sampled_from(
        [
            pl.lit(True),
            pl.lit(False),
            pl.col("resources").list.len() > 0,
            pl.col("errorCode") == pl.col("eventName"),
            pl.col("eventTime").dt.hour() == 11,
            pl.col("eventName").is_in([None, "DeleteBucket"], nulls_equal=True),
            pl.col("eventName").is_in([]),
            pl.col("eventName").str.to_lowercase() == "deletebucket",
        ]
    ),
)
PREDICATES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(
            lambda test, left, right: test(left, right),
            st.sampled_from([operator.and_, operator.or_, operator.xor]),
            inner,
            inner,
        ),
        inner.map(operator.invert),
    ),
    max_leaves=5,
)

COLUMNS = [
    "eventName",
    "file",
    "record",
    "userIdentity",
    "eventTime",
    "resources",
    "raw",
    "extra",
    "readOnly",
    "tlsDetails",
    "requestParameters",
]
PROJECTIONS = st.one_of(
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=5, unique=True),
    st.sampled_from(
        [
            [pl.all()],
            [pl.col("eventName").alias("name"), pl.col("userIdentity").struct.field("arn")],
            [pl.col("record"), pl.col("eventName").str.len_bytes().alias("length")],
        ]
    ),
)
HEADS = st.one_of(st.none(), st.integers(0, 40), st.sampled_from([1, 10_000]))

Step = Callable[[Any], Any]


def pipeline(predicate: pl.Expr, projection: list[Any], head: int | None, order: str) -> Step:
    """A query as a function of a frame, lazy or not."""

    def run(frame: Any) -> Any:
        for step in order:
            if step == "f":
                frame = frame.filter(predicate)
            elif step == "s":
                frame = frame.select(projection)
            elif head is not None:
                frame = frame.head(head)
        return frame

    return run


@engines
@SETTINGS
@given(PREDICATES, PROJECTIONS, HEADS, st.sampled_from(["fsh", "fsh", "hfs", "fhs", "f", "sh"]))
def test_pushdown_law(
    archive: Path, engine: Any, predicate: pl.Expr, projection: list[Any], head: int | None, order: str
) -> None:
    query = pipeline(predicate, projection, head, order)
    report = ct.Report()
    got = query(ct.scan(archive, report=report)).collect(engine=engine)
    assert_frame_equal(got, query(everything(archive)))
    files, records = report.files, report.records
    assert files.listed == files.read + files.bad + files.skipped
    assert records.seen == records.read + records.bad + records.skipped


@engines
@SETTINGS
@given(PREDICATES, PREDICATES)
def test_pushdown_law_in_two_filters_and_an_aggregate(
    archive: Path, engine: Any, first: pl.Expr, second: pl.Expr
) -> None:
    def query(frame: Any) -> Any:
        return frame.filter(first).filter(second).group_by("eventName", "awsRegion").len().sort(pl.all())

    assert_frame_equal(query(ct.scan(archive).lazy()).collect(engine=engine), query(everything(archive)))


@engines
@SETTINGS
@given(st.one_of(st.none(), MOMENTS), st.one_of(st.none(), MOMENTS), PREDICATES)
def test_time_bounds_are_a_filter(
    archive: Path, engine: Any, since: datetime | None, until: datetime | None, predicate: pl.Expr
) -> None:
    assume(since is None or until is None or since < until)  # else it is refused
    expected = everything(archive).filter(predicate)
    if since is not None:
        expected = expected.filter(pl.col("eventTime") >= since)
    if until is not None:
        expected = expected.filter(pl.col("eventTime") < until)
    got = ct.scan(archive, since=since, until=until, max_delay=None).filter(predicate).collect(engine=engine)
    assert_frame_equal(got, expected)


def test_a_string_in_a_column_of_json(tmp_path: Path) -> None:
    """The text of the column includes the quotes: a search without them once excluded the file."""
    text = '{"eventName":"a","requestParameters":"DeleteBucket"}'
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(text.encode()))
    for predicate in (
        pl.col("requestParameters") == '"DeleteBucket"',
        pl.col("requestParameters").is_in(['"DeleteBucket"', '"x"']),
        pl.col("requestParameters").str.starts_with('"Del'),
        pl.col("requestParameters").str.ends_with('cket"'),
    ):
        assert ct.scan(tmp_path).filter(predicate).collect().height == 1


def test_each_column_alone(archive: Path) -> None:
    """No value depends on which other columns are asked for, not even those of ``extra``."""
    full = everything(archive)
    for name in full.columns:
        assert_frame_equal(ct.scan(archive).select(name).collect(), full.select(name))
        with ct.stream(archive, columns=[name]) as batches:
            assert_frame_equal(pl.DataFrame(batches), full.select(name))


@pytest.mark.parametrize("name", EVENT_NAMES[:-1])
def test_constant_spelled_in_another_way(archive: Path, name: str) -> None:
    """A constant may be in the file with escapes, or be the text of a value of another type."""
    value = json.loads(name)
    text = "\ufffd" if name == '"\\ud800"' else value if isinstance(value, str) or value is None else name
    full = everything(archive)
    same = pl.col("eventName").is_null() if text is None else pl.col("eventName") == text
    expected = full.filter(full.select(same).to_series())
    assert expected.height > 0
    assert_frame_equal(ct.scan(archive).filter(same).collect(), expected)


# How Polars deals with an IO source, point by point


@engines
def test_01_predicate_is_applied_by_the_source(archive: Path, engine: Any) -> None:
    got = ct.scan(archive).filter(pl.col("eventName") == "ListBuckets").collect(engine=engine)
    assert got.height > 0
    assert set(got["eventName"]) == {"ListBuckets"}


@engines
@pytest.mark.parametrize("count", [0, 1, 7, 60, 10_000])
def test_02_head_counts_over_all_batches(archive: Path, engine: Any, count: int) -> None:
    got = ct.scan(archive).head(count).collect(engine=engine)
    assert_frame_equal(got, everything(archive).head(count))


@engines
def test_03_columns_come_out_in_the_order_asked_for(archive: Path, engine: Any) -> None:
    for columns in (
        ["record", "eventName", "file"],
        ["file", "eventName"],
        ["raw"],
        list(reversed(everything(archive).columns)),
    ):
        got = ct.scan(archive).select(columns).collect(engine=engine)
        assert got.columns == columns
        assert_frame_equal(got, everything(archive).select(columns))


@engines
def test_04_predicate_on_a_column_outside_the_result(archive: Path, engine: Any) -> None:
    got = (
        ct.scan(archive)
        .filter(pl.col("errorCode") == "AccessDenied", ~pl.col("readOnly"))
        .select("eventID", "eventName")
        .collect(engine=engine)
    )
    expected = (
        everything(archive)
        .filter(pl.col("errorCode") == "AccessDenied", ~pl.col("readOnly"))
        .select("eventID", "eventName")
    )
    assert expected.height > 0
    assert_frame_equal(got, expected)


@engines
def test_05_head_after_a_filter(archive: Path, engine: Any) -> None:
    predicate = pl.col("eventName") == "DeleteBucket"
    got = ct.scan(archive).filter(predicate).head(3).collect(engine=engine)
    assert_frame_equal(got, everything(archive).filter(predicate).head(3))
    assert got.height == 3


@engines
def test_05_head_before_a_filter(archive: Path, engine: Any) -> None:
    """Here the source gets both the number of rows and the predicate; the number counts rows before it."""
    predicate = pl.col("eventName") == "DeleteBucket"
    for count in (1, 5, 50, 10_000):
        got = ct.scan(archive).head(count).filter(predicate).collect(engine=engine)
        assert_frame_equal(got, everything(archive).head(count).filter(predicate))


@engines
def test_05_slices(archive: Path, engine: Any) -> None:
    full = everything(archive)
    assert_frame_equal(ct.scan(archive).slice(30, 12).collect(engine=engine), full.slice(30, 12))
    assert_frame_equal(
        ct.scan(archive).slice(30, 12).filter("readOnly").collect(engine=engine),
        full.slice(30, 12).filter("readOnly"),
    )
    assert_frame_equal(ct.scan(archive).tail(5).collect(engine=engine), full.tail(5))


@engines
def test_05_number_of_rows(archive: Path, engine: Any) -> None:
    full = everything(archive)
    assert ct.scan(archive).select(pl.len()).collect(engine=engine).item() == full.height
    predicate = pl.col("eventName") == "DeleteBucket"
    assert (
        ct.scan(archive).filter(predicate).select(pl.len()).collect(engine=engine).item()
        == full.filter(predicate).height
    )


@engines
def test_06_nothing_is_listed_before_collect(tmp_path: Path, engine: Any) -> None:
    folder = tmp_path / "later"
    scan = ct.scan(folder)
    query = scan.filter(pl.col("eventName") == "ListBuckets").select("eventName")
    assert query.collect_schema() == {"eventName": pl.String}
    assert "CLOUDTRAIL" in scan.explain()
    make_archive(folder)
    assert query.collect(engine=engine).height > 0


def test_06_schema_does_not_depend_on_the_data(archive: Path, tmp_path: Path) -> None:
    schema = ct.scan(tmp_path).collect_schema()
    assert schema == everything(archive).schema
    assert schema["eventTime"] == pl.Datetime("us", "UTC")
    assert schema["record"] == pl.UInt32
    assert schema["resources"] == pl.List(
        pl.Struct(dict.fromkeys(["ARN", "ARNPrefix", "accountId", "type"], pl.String))
    )


@engines
def test_07_exceptions_keep_their_type(tmp_path: Path, engine: Any) -> None:
    with pytest.raises(FileNotFoundError):
        ct.scan(tmp_path / "nowhere").collect(engine=engine)
    (tmp_path / "bad.json").write_bytes(b'{"Records":[')
    with pytest.raises(ct.FormatError) as caught:
        ct.scan(tmp_path).select("eventName").collect(engine=engine)
    assert caught.value.kind == "invalid-json"


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@engines
def test_08_no_rows_at_all(archive: Path, tmp_path: Path, engine: Any) -> None:
    empty = ct.scan(tmp_path)
    assert empty.collect(engine=engine).schema == empty.collect_schema()
    assert empty.select("record", "file").head(5).collect(engine=engine).schema == {
        "record": pl.UInt32,
        "file": pl.String,
    }
    assert ct.scan(archive).filter(pl.col("eventName") == "NoSuchEvent").collect(engine=engine).is_empty()
    (tmp_path / "empty.json").write_bytes(b'{"Records":[]}')
    assert ct.scan(tmp_path).collect(engine=engine).is_empty()


@engines
def test_08_types_are_those_of_the_schema(archive: Path, engine: Any) -> None:
    """The in-memory engine would let a wrong type pass."""
    scan = ct.scan(archive)
    assert scan.collect(engine=engine).schema == scan.collect_schema()


@engines
def test_09_early_stop_ends_the_threads(archive: Path, engine: Any) -> None:
    ct.scan(archive).collect(engine=engine)
    before = threading.active_count()
    for _ in range(5):
        assert ct.scan(archive, threads=4).head(1).collect(engine=engine).height == 1
    assert threading.active_count() <= before + 1


@engines
def test_10_one_scan_used_twice(archive: Path, engine: Any) -> None:
    scan = ct.scan(archive)
    full = everything(archive)
    assert_frame_equal(scan.collect(engine=engine), full)
    assert_frame_equal(scan.collect(engine=engine), full)
    assert_frame_equal(pl.concat([scan, scan]).collect(engine=engine), pl.concat([full, full]))
    keys = ["file", "record"]
    joined = scan.select(keys).join(scan.select(*keys, "eventName"), on=keys).sort(keys).collect(engine=engine)
    assert_frame_equal(joined, full.select(*keys, "eventName").sort(keys))


@engines
def test_11_on_a_thread_of_any_kind(archive: Path, engine: Any) -> None:
    """Polars runs the source on threads that Python did not start; here the queries come from Python's threads."""
    results: list[pl.DataFrame] = []

    def collect() -> None:
        results.append(ct.scan(archive).filter(pl.col("readOnly")).collect(engine=engine))

    threads = [threading.Thread(target=collect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        assert_frame_equal(result, everything(archive).filter(pl.col("readOnly")))


@engines
def test_12_top_k(archive: Path, engine: Any) -> None:
    """Polars once pushed a predicate of its own that sources could not run (pola-rs/polars#28629)."""
    keys = ["eventTime", "file", "record"]

    def query(frame: Any) -> Any:
        return frame.select(*keys, "eventName").sort(keys, descending=True, nulls_last=True).head(5)

    assert_frame_equal(query(ct.scan(archive)).collect(engine=engine), query(everything(archive)))
    got = ct.scan(archive).select("record").top_k(3, by="record").collect(engine=engine)
    assert sorted(got["record"]) == sorted(everything(archive)["record"].top_k(3))


@engines
def test_12_several_scans_at_once(archive: Path, engine: Any) -> None:
    """pola-rs/polars#24963: a hang."""
    scan = ct.scan(archive)
    counts = pl.collect_all(
        [scan.select(pl.len()), scan.filter("readOnly").select(pl.len()), scan.select("raw")], engine=engine
    )
    full = everything(archive)
    assert [frame.height for frame in counts] == [1, 1, full.height]
    assert (counts[0].item(), counts[1].item()) == (full.height, full.filter("readOnly").height)


def test_12_stop_in_the_middle_of_collect_batches(archive: Path) -> None:
    """pola-rs/polars#25745: a process that did not end."""
    script = """
        import sys
        import ctfast as ct
        for batch in ct.scan(sys.argv[1]).collect_batches(chunk_size=5):
            print("first batch", batch.height > 0)
            break
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(archive)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "first batch True\n"), done.stderr
