"""Questions in Trino's SQL, of archives and lakes: published ones, our own, random ones, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast._ask import types
from ctfast._ask.parameters import Parameters
from ctfast._ask.parsing import parsed
from ctfast._ask.query import translated
from ctfast._ask.translation import Tables
from ctfast.cli import main
from ctfast.sample import Sample

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

VECTORS = Path(os.environ.get("CTFAST_SPEC_VECTORS", Path(__file__).parents[2] / "shared/spec/vectors"))
QUERIES = Path(os.environ.get("CTFAST_QUERIES", Path(__file__).parents[2] / "shared/data/queries"))
pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
no_vectors = pytest.mark.skipif(not (VECTORS / "lake_queries.json").exists(), reason="CTFAST_SPEC_VECTORS is not there")
no_queries = pytest.mark.skipif(not QUERIES.exists(), reason="CTFAST_QUERIES is not there")


def told(name: str) -> list[dict[str, Any]]:
    path = VECTORS / "lake_queries.json"
    return json.loads(path.read_text())[name] if path.exists() else []  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def lake(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> ct.Lake:
    made = ct.Lake(tmp_path_factory.mktemp("lake"))
    made.ingest(sample.archive)
    return made


@pytest.fixture(scope="module", params=["archive", "lake"])
def events(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The events of the vectors."""
    source = VECTORS / "lake_events.ndjson"
    if request.param == "archive":
        return source
    made = ct.Lake(tmp_path_factory.mktemp("vectors"))
    made.ingest(source)
    return made


@pytest.fixture(params=["archive", "lake"])
def source(request: pytest.FixtureRequest, sample: Sample, lake: ct.Lake) -> Any:
    return sample.archive if request.param == "archive" else lake


def plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, dt.date) else value


@no_vectors
@pytest.mark.parametrize("query", told("queries"), ids=lambda query: query["id"])
def test_vectors(query: dict[str, Any], events: Any) -> None:
    found = ct.sql(events, query["sql"])
    rows, expected = [[plain(value) for value in row] for row in found.rows()], query["rows"]
    if not query["ordered"]:
        rows, expected = sorted(rows, key=json.dumps), sorted(expected, key=json.dumps)
    assert (found.columns, rows) == (query["columns"], expected)


@no_vectors
@pytest.mark.parametrize("query", told("queries")[:2], ids=lambda query: query["id"])
def test_the_command_prints_objects(query: dict[str, Any]) -> None:
    done = CliRunner().invoke(main, ["sql", str(VECTORS / "lake_events.ndjson"), query["sql"], "--format", "json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)
    assert {tuple(row) for row in rows} == {tuple(query["columns"])}
    printed = sorted(([re.sub(r"\.000$", "", str(value)) for value in row.values()] for row in rows), key=json.dumps)
    assert printed == sorted(([str(value) for value in row] for row in query["rows"]), key=json.dumps)


@no_vectors
@pytest.mark.parametrize("dialect", ["trino", "duckdb", "polars"])
@pytest.mark.parametrize("query", [*told("refuse"), *told("wrong")], ids=lambda query: query["id"])
def test_vectors_of_refusals(query: dict[str, Any], dialect: str, sample: Sample, tmp_path: Path) -> None:
    canary = tmp_path / "canary.csv"
    canary.write_text("a\n1\n")
    text = query["sql"].format(canary=canary, dir=tmp_path)
    done = CliRunner().invoke(main, ["sql", str(sample.archive), text, "--dialect", dialect])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert query.get("names", "") in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["canary.csv"]


#: Published queries that are no queries as they stand: words run into each other, a word twice, a column that is not
#: grouped, and statements that make tables.
INVALID = {
    "iam-idc-authenticate-api",
    "list-all-errors-for-s3-events",
    "list-all-events-not-in-authorized-region",
    "list-attempted-s3-requests.",
    "list-publicly-accessible-rds-instances",
    "network-activity-events-vpce-access-denied-s3",
    "top-errors",
    "top-s3-actions",
    "bootstrap-18",
    "bootstrap-20",
}


def published() -> Iterator[tuple[str, str]]:
    for path in sorted(QUERIES.glob("lake-samples/*.sql")):
        yield path.stem, path.read_text()
    for path in QUERIES.glob("athena-bootstrap/*.sql"):
        text = re.sub(r"/\*.*?\*/|--[^\n]*", "", path.read_text(), flags=re.DOTALL)
        parts = re.split(r"(?m)^(?=SELECT|CREATE|INSERT)", text)
        yield from ((f"bootstrap-{number}", part) for number, part in enumerate(parts) if part.strip())


@no_queries
@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in published()])
def test_published_queries(name: str, text: str, lake: ct.Lake) -> None:
    params = {"date_filter": "2025-03-12 00:00:00"} if "${date_filter}" in text else None
    if name in INVALID:
        with pytest.raises(ct.QueryError):
            ct.sql(lake, text, params=params, now="2025-03-13")
    else:
        assert ct.sql(lake, text, params=params, now="2025-03-13").width > 0


def test_names_are_those_of_trino(source: Any) -> None:
    query = (
        "SELECT EVENTNAME, userIdentity.principalid, count(*), 1 AS Two, e.awsRegion, resources[1].arn"
        " FROM events e GROUP BY 1, 2, 5, 6 LIMIT 1"
    )
    found = ct.sql(source, query)
    assert found.columns == ["EVENTNAME", "principalid", "_col2", "Two", "awsRegion", "arn"]
    twice = ct.sql(
        source,
        "SELECT eventName, eventName, userIdentity.arn, tlsDetails.tlsVersion AS arn FROM events LIMIT 1",
    )
    assert twice.columns == ["eventName", "eventName_1", "arn", "arn_1"]


def test_all_columns_are_those_of_a_scan(source: Any, sample: Sample) -> None:
    found = ct.sql(source, "SELECT * FROM events ORDER BY file, record")
    expected = ct.read(sample.archive).sort("file", "record")
    assert found.columns == expected.columns
    assert found.height == expected.height
    chosen = ["eventTime", "eventName", "requestParameters", "readOnly", "raw"]
    assert found.select(chosen).equals(expected.select(chosen))


@pytest.mark.parametrize(
    "name",
    [
        "events",
        "EVENTS",
        "cloudtrail_logs",
        '"db"."cloudtrail"',
        "3f0c6a52-91de-4b7a-8c1e-5d2b9a7e4f60",
        "$EDS_ID",
        "<EDS ID>",
    ],
)
def test_names_of_the_table(name: str, lake: ct.Lake) -> None:
    assert ct.sql(lake, f"SELECT count(*) FROM {name}").item() == lake.info().records


def test_a_query_of_polars_gives_the_same_rows(source: Any) -> None:
    for query in (
        "SELECT eventName, count(*) AS n FROM events GROUP BY eventName ORDER BY n DESC, eventName",
        "SELECT userIdentity.arn, eventName FROM events WHERE eventName LIKE 'Delete%' ORDER BY eventTime, eventID",
        "SELECT DISTINCT awsRegion FROM events WHERE readOnly ORDER BY awsRegion LIMIT 3",
    ):
        assert ct.sql(source, query).rows() == ct.sql(source, query, dialect="polars").rows()


def test_tables_of_the_caller(source: Any) -> None:
    ips = pl.DataFrame({"ip": ["198.51.100.7", "203.0.113.9"], "Label": ["known", "other"]})
    query = "SELECT i.label, count(*) AS n FROM events JOIN ips i ON i.ip = sourceIPAddress GROUP BY 1 ORDER BY 1"
    found = ct.sql(source, query, tables={"ips": ips})
    counts = Counter(ct.sql(source, "SELECT sourceIPAddress FROM events")["sourceIPAddress"].to_list())
    assert dict(found.rows()) == {label: counts[ip] for ip, label in ips.rows() if counts[ip]}
    for table in (ips.lazy(), ips.to_arrow(), {"ip": ["198.51.100.7"], "label": ["known"]}):
        assert ct.sql(source, query, tables={"IPs": table}).height >= 0
    with pytest.raises(ct.QueryError, match="no table 'ip'; did you mean 'ips'"):
        ct.sql(source, "SELECT * FROM ip", tables={"ips": ips})


def test_parameters(source: Any) -> None:
    count = "SELECT count(*) FROM events WHERE eventName = :name AND eventTime >= '${day} 00:00:00'"
    found = ct.sql(source, count, params={"name": "ConsoleLogin", "day": "2025-03-12"}).item()
    assert (
        found == ct.sql(source, "SELECT count(*) FROM events WHERE eventName = ?", params=["ConsoleLogin"]).item() == 7
    )
    quote = "'; DROP TABLE events --"
    assert ct.sql(source, "SELECT :x, '${x}', $x", params={"x": quote}).row(0) == (quote, quote, quote)
    values = {
        "d": dt.date(2025, 3, 12),
        "t": dt.datetime(2025, 3, 12, 8, tzinfo=dt.UTC),
        "n": 3,
        "f": 0.5,
        "b": True,
        "l": ["a", "b"],
        "z": None,
    }
    row = ct.sql(source, "SELECT :d, :t, :n, :f, :b, contains(:l, 'b'), :z", params=values).row(0)
    assert row == (values["d"], dt.datetime(2025, 3, 12, 8, tzinfo=dt.UTC), 3, 0.5, True, True, None)
    with pytest.raises(ct.QueryError, match="the parameter 'y' has no value; there are x"):
        ct.sql(source, "SELECT :y", params={"x": 1})


def test_bounds_of_a_query_are_bounds_of_the_files(sample: Sample, tmp_path: Path) -> None:
    day = "eventTime >= '2025-03-12 14:00:00' AND eventTime < TIMESTAMP '2025-03-12 15:00:00'"
    report = ct.Report()
    found = ct.sql(sample.archive, f"SELECT count(*) FROM events WHERE {day}", report=report, max_delay=dt.timedelta(0))
    expected = ct.read(sample.archive, since="2025-03-12T14:00", until="2025-03-12T15:00").height
    assert found.item() == expected
    assert report.files.read < sample.records
    assert report.files.skipped > 0
    plan = ct.sql(sample.archive, f"SELECT eventName FROM events WHERE {day}", explain=True)
    assert plan.select("columns", "since", "until").row(0) == (
        "eventTime, eventName",
        dt.datetime(2025, 3, 12, 14, tzinfo=dt.UTC),
        dt.datetime(2025, 3, 12, 15, tzinfo=dt.UTC),
    )


@pytest.mark.parametrize(
    ("where", "first", "after"),
    [
        ("eventTime > '2024-03-01'", "2024-03-01 00:00:00.000001", None),
        ("eventTime BETWEEN '2024-03-01' AND '2024-03-02'", "2024-03-01", "2024-03-02 00:00:00.000001"),
        ("eventTime = '2024-03-01' OR eventTime = '2024-03-05'", "2024-03-01", "2024-03-05 00:00:00.000001"),
        ("eventTime > '2024-03-01' OR eventName = 'x'", None, None),
        ("NOT eventTime > '2024-03-01'", None, None),
        ("year = '2024' AND month = '03' AND day IN ('04', '05')", "2024-03-04", "2024-03-06"),
        ("year = '2024'", "2024-01-01", "2025-01-01"),
        ("date_partition >= '2024/03/04'", "2024-03-04", None),
        ("from_iso8601_timestamp(eventTime) >= date_add('day', -7, now())", "2024-03-03", None),
        ("eventTime >= current_timestamp - INTERVAL '1' DAY", "2024-03-09", None),
        ("dt >= date_format(date_add('day', -30, current_timestamp), '%Y/%m/%d')", "2024-02-09", None),
    ],
)
def test_spans(where: str, first: str | None, after: str | None) -> None:
    tables = Tables({"eventTime": types.TIMESTAMP, "eventName": types.VARCHAR})
    made = translated(
        parsed(f"SELECT 1 FROM events WHERE {where}", "trino"),
        tables,
        Parameters(None),
        dt.datetime(2024, 3, 10, tzinfo=dt.UTC),
    )
    found = made.occurrences[0]
    expected = [
        None if each is None else dt.datetime.fromisoformat(each).replace(tzinfo=dt.UTC) for each in (first, after)
    ]
    assert [found.first, found.after] == expected


def test_what_a_sub_query_does_not_need_is_not_read(sample: Sample) -> None:
    query = (
        "WITH d AS (SELECT * FROM events WHERE eventName LIKE 'D%'), e AS (SELECT * FROM d)"
        " SELECT count(*), max(eventTime) FROM e"
    )
    assert ct.sql(sample.archive, query, explain=True)["columns"].to_list() == ["eventTime, eventName"]
    expected = ct.read(sample.archive).filter(pl.col("eventName").str.starts_with("D"))
    assert ct.sql(sample.archive, query).row(0) == (expected.height, expected["eventTime"].max())


NAMES = ["eventName", "awsRegion", "errorCode", "userIdentity.type", "sourceIPAddress"]


@pytest.mark.parametrize("seed", range(12))
def test_random_queries_give_what_python_gives(seed: int, sample: Sample, lake: ct.Lake) -> None:
    dice = random.Random(seed)
    rows = [json.loads(raw) for raw in ct.read(sample.archive)["raw"]]

    def value(row: dict[str, Any], name: str) -> Any:
        for part in name.split("."):
            row = (row or {}).get(part)  # type: ignore[assignment]  # the last one is a text
        return row

    one, other, group = dice.choice(NAMES), dice.choice(NAMES), dice.choice(NAMES)
    some = dice.sample(sorted({found for row in rows if (found := value(row, one))}), 2)
    start = dice.choice(sorted({found[:1] for row in rows if (found := value(row, other))}))
    hour = dice.randrange(24)
    where = {
        f"{one} IN ('{some[0]}', '{some[1]}')": lambda row: value(row, one) in some,
        f"{other} LIKE '{start}%'": lambda row: (value(row, other) or "").startswith(start),
        f"eventTime < '2025-03-12 {hour:02}:30:00'": lambda row: row["eventTime"] < f"2025-03-12T{hour:02}:30:00Z",
        f"{other} IS NULL": lambda row: value(row, other) is None,
    }
    chosen = dice.sample(sorted(where), 2)
    operator = dice.choice([" AND ", " OR "])
    fits = all if operator == " AND " else any
    expected = Counter(value(row, group) for row in rows if fits(where[each](row) for each in chosen))
    query = f"SELECT {group} AS g, count(*) AS n FROM events WHERE {operator.join(chosen)} GROUP BY {group}"
    for source in (sample.archive, lake):
        assert {row[0]: row[1] for row in ct.sql(source, query).rows()} == expected, query


def test_json_that_is_none_costs_a_row_and_not_the_query(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    values = ['"\\ud800"', '"a"', "null", "[1, {}]", '{"x": 1e3}']
    records = ",".join(
        f'{{"eventID": "{n}", "eventName": "e", "requestParameters": {{"k": {each}}}}}' for n, each in enumerate(values)
    )
    log.write_text(f'{{"Records": [{records}]}}')
    for dialect, access in (
        ("trino", "element_at(requestParameters, 'k')"),
        ("trino", "requestParameters.K"),
        ("duckdb", "requestParameters ->> '$.k'"),
        ("duckdb", "requestParameters.k"),
        ("duckdb", "element_at(requestParameters, 'k')"),
    ):
        found = ct.sql(log, f"SELECT {access} AS k FROM events ORDER BY eventID", dialect=dialect)["k"].to_list()
        assert found == [None, "a", None, "[1,{}]", '{"x":1000.0}'], access
    scalars = ct.sql(log, "SELECT json_extract_scalar(requestParameters, '$.k') AS k FROM events ORDER BY eventID")
    assert scalars["k"].to_list() == [None, "a", None, None, None]


def test_a_key_that_is_there_twice_hides_no_other(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text('{"Records": [{"eventID": "1", "requestParameters": {"a": 1, "b/~": {"c": 2}, "a": 3, "": null}}]}')
    query = "SELECT k, v FROM events CROSS JOIN UNNEST(requestParameters) AS t(k, v) ORDER BY k"
    assert ct.sql(log, query).rows() == [("", None), ("a", "1"), ("b/~", '{"c":2}')]
    assert ct.sql(log, "SELECT element_at(requestParameters, 'a') FROM events").item() == "1"
    assert ct.sql(log, 'SELECT requestParameters."" FROM events').item() is None


def test_an_empty_result_of_now_says_when_the_events_are(source: Any) -> None:
    query = "SELECT eventName FROM events WHERE eventTime > now() - INTERVAL '7' DAY"
    with pytest.warns(ct.NothingChosen, match=r"the events are from 2025-03-1[12] .* to 2025-03-1[23]") as warned:
        assert ct.sql(source, query).is_empty()
    then = re.findall(r"now (\d{4}-\d\d-\d\d) asks", str(warned[0].message))[0]
    assert ct.sql(source, query, now=then).height > 0
    place = str(source.path) if isinstance(source, ct.Lake) else str(source)
    done = CliRunner().invoke(main, ["sql", place, query, "--format", "json"])
    assert (done.exit_code, done.stdout) == (0, "[]\n")
    assert "the events are from 2025-03-1" in done.stderr


@pytest.mark.parametrize("dialect", ["trino", "duckdb"])
@pytest.mark.parametrize(
    "attack",
    [
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        'SELECT * FROM "{file}"',
        "SELECT * FROM glob('/*')",
        "SELECT * FROM parquet_metadata('{file}')",
        "SELECT * FROM sniff_csv('{file}')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM query_table('events')",
        "SELECT * FROM pragma_version()",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM secret",
        "SELECT getenv('HOME')",
        "SELECT current_setting('temp_directory')",
        "SELECT write_log('x')",
        "SELECT getvariable('x')",
        "SELECT * FROM events, LATERAL (SELECT * FROM read_text('{file}'))",
        "SELECT (SELECT content FROM read_text('{file}'))",
        "SELECT transform(ARRAY[1], x -> (SELECT max(content) FROM read_text('{file}')))",
        "WITH events AS (SELECT * FROM read_text('{file}')) SELECT * FROM events",
        "SELECT * FROM events ORDER BY (SELECT 1 FROM read_text('{file}'))",
        "SELECT sum(1) OVER w FROM events WINDOW w AS (PARTITION BY (SELECT 1 FROM read_text('{file}')))",
        "SELECT 1 FROM events LIMIT (SELECT length(content) FROM read_text('{file}'))",
        "ATTACH ':memory:' AS x",
        "DETACH x",
        "CREATE TABLE x AS SELECT 1",
        "CREATE MACRO m() AS 1",
        "INSERT INTO events VALUES (1)",
        "DELETE FROM events",
        "PREPARE p AS SELECT 1",
        "CALL pragma_version()",
        "PRAGMA database_list",
        "LOAD httpfs",
        "EXPORT DATABASE '/tmp/x'",
        "SELECT 1; COPY (SELECT 1) TO '/tmp/x.csv'",
        "SELECT 1 /* */; DROP VIEW events_0",
        "EXPLAIN ANALYZE SELECT * FROM read_text('{file}')",
        "FROM read_text('{file}')",
        "SELECT * FROM events_0",
        "SELECT * FROM sqlite_master",
    ],
)
def test_attacks(attack: str, dialect: str, source: Any, tmp_path: Path) -> None:
    secret = pl.DataFrame({"a": [1]})
    file = tmp_path / "secret.txt"
    file.write_text("a secret")
    with pytest.raises(ct.QueryError) as refused:
        ct.sql(source, attack.format(file=file), dialect=dialect)
    assert "a secret" not in str(refused.value)
    assert os.environ["HOME"] not in str(refused.value).replace(str(tmp_path), "")
    assert secret.height == 1


def test_the_engine_itself_refuses(lake: ct.Lake, tmp_path: Path) -> None:
    """The second wall, without the first one: whatever the tree lets pass."""
    from ctfast._ask.engine import locked  # noqa: PLC0415  # with duckdb

    secret = pl.DataFrame({"a": [1]})
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n")
    parts = sorted(lake.path.glob("month=*/*.parquet"))
    attacks = (
        f"FROM read_csv('{file}')",
        f"FROM '{file}'",
        "FROM secret",
        f"COPY (SELECT 1) TO '{tmp_path}/y.csv'",
        f"COPY (SELECT 1) TO '{parts[0].parent}/y.parquet'",
        f"ATTACH '{tmp_path}/y.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1TB'",
        "RESET temp_directory",
        "FROM 'http://127.0.0.1:9/x.csv'",
    )
    with locked({}, {"events_0": parts}, 2, []) as engine:
        assert engine.run("SELECT count(*) FROM events_0").column(0).to_pylist() == [lake.info().records]
        for attack in attacks:
            with pytest.raises((ct.QueryError, OSError)):
                engine.run(attack)
    assert secret.height == 1
    assert [each.name for each in tmp_path.iterdir()] == ["x.csv"]


HEAVY = (
    "SELECT count(*) FROM events a, events b, events c, events d WHERE a.eventID || b.eventID < c.eventID || d.eventID"
)


def test_a_query_ends_when_its_time_is_over(source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ct.QueryError, match=r"has run for 0.5 s, and was stopped") as stopped:
        ct.sql(source, HEAVY, timeout=dt.timedelta(seconds=0.5))
    assert stopped.value.kind == "time"
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing_behind(lake: ct.Lake, tmp_path: Path) -> None:
    script = """
import os, signal, sys, threading, time
import ctfast as ct
def interrupt():
    while not os.listdir(os.environ["TMPDIR"]):  # the engine is not open yet
        time.sleep(0.01)
    time.sleep(0.5)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    ct.sql(ct.Lake(sys.argv[1]), sys.argv[2])
except KeyboardInterrupt:
    print("interrupted")
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script, lake.path, HEAVY], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_times_are_of_utc_wherever_the_machine_is(lake: ct.Lake) -> None:
    query = (
        "SELECT min(eventTime) AS t, date_format(min(eventTime), '%H') AS h, CAST('2025-03-12' AS TIMESTAMP) AS m"
        " FROM events"
    )
    command = [sys.executable, "-m", "ctfast", "sql", str(lake.path), query, "--format", "json"]
    printed = [
        subprocess.run(command, capture_output=True, check=True, env={**os.environ, "TZ": zone}).stdout
        for zone in ("UTC", "America/New_York")
    ]
    assert printed[0] == printed[1]
    assert json.loads(printed[0])[0]["m"] == "2025-03-12 00:00:00.000"


def test_a_bad_file_ends_the_query_as_it_ends_a_scan(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text('{"Records":[{"eventID":"1","eventName":"a"}')
    with pytest.raises(ct.FormatError):
        ct.sql(tmp_path, "SELECT count(*) FROM events")
    report = ct.Report()
    assert ct.sql(tmp_path, "SELECT count(*) FROM events", on_error="collect", report=report).item() == 1
    assert report.files.bad == 1


def test_options_of_archives_are_refused_of_a_lake(lake: ct.Lake) -> None:
    with pytest.raises(ct.ArgumentError, match="regions is for archives"):
        ct.sql(lake, "SELECT 1", regions=["us-east-1"])
    with pytest.raises(ct.ArgumentError, match="params is for the dialects trino and duckdb"):
        ct.sql(lake, "SELECT 1", params=[1], dialect="polars")
    with pytest.raises(ct.ArgumentError, match="now is for the dialect trino"):
        ct.sql(lake, "SELECT now()", now="2024-01-01", dialect="duckdb")


def test_the_folder_of_a_lake_is_a_lake(lake: ct.Lake) -> None:
    assert ct.sql(str(lake.path), "SELECT count(*) FROM events").item() == lake.info().records


def test_a_query_in_a_file(lake: ct.Lake, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("SELECT count(*) AS n FROM events WHERE eventName = $name -- logins")
    place = [str(lake.path), "--file", str(tmp_path / "q.sql")]
    done = CliRunner().invoke(main, ["sql", *place, "--param", "name=ConsoleLogin", "--format", "json"])
    assert (done.exit_code, done.stdout) == (0, '[{"n":7}]\n')
    assert CliRunner().invoke(main, ["sql", *place[:1]]).exit_code == 2


def test_parts_of_a_lake_that_cannot_have_rows_are_not_opened(lake: ct.Lake) -> None:
    for where in ("eventTime > '2030-01-01'", "eventName = 'AAA'", "recipientAccountId IN ('999999999999')"):
        query = f"SELECT count(*) FROM events WHERE {where}"
        plan = ct.sql(lake, query, explain=True)
        assert (plan["files"].item(), plan["of_files"].item() > 0, plan["bytes"].item()) == (0, True, 0)
        assert ct.sql(lake, query).item() == 0
