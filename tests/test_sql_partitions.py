"""Columns that Athena partitions by: a constant means the day that it says, in whatever form, or is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import ctfast as ct

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events of 11, 12 and 13 March."""
    place = tmp_path_factory.mktemp("log") / "log.json"
    days = [{"eventID": str(day), "eventTime": f"2025-03-{day}T08:00:00Z"} for day in (11, 12, 13)]
    place.write_text(json.dumps({"Records": days}))
    return place


#: Conditions, and the days of March that they find.
FOUND = {
    "dt = '2025/03/12'": [12],
    "dt = '2025-03-12'": [12],
    "dt = '20250312'": [12],
    "'2025-03-12' = dt": [12],
    "dt <> '2025-03-12'": [11, 13],
    "dt >= '2025-03-12'": [12, 13],
    "dt < '2025-03-12'": [11],
    "dt BETWEEN '2025-03-12' AND '2025-03-31'": [12, 13],
    "dt BETWEEN '2025-02-01' AND '2025-02-31'": [],
    "dt >= '2025-03'": [11, 12, 13],
    "dt < '2025'": [],
    "dt IN ('2025-03-11', '2025/03/13')": [11, 13],
    "dt NOT IN ('2025-03-11', '2025/03/13')": [12],
    "dt LIKE '2025-03-1%'": [11, 12, 13],
    "dt NOT LIKE '2025/03/12%'": [11, 13],
    "dt IS DISTINCT FROM '2025-03-12'": [11, 13],
    "CASE dt WHEN '2025-03-12' THEN TRUE ELSE FALSE END": [12],
    "dt = date_format(TIMESTAMP '2025-03-12 10:00:00', '%Y-%m-%d')": [12],
    "dt = date_format(eventTime, '%Y-%m-%d')": [11, 12, 13],
    "dt = format_datetime(eventTime, 'yyyy/MM/dd')": [11, 12, 13],
    "dt = DATE '2025-03-12'": [12],
    "year = '2025' AND month = '3' AND day = '12'": [12],
    "month IN ('2', '3')": [11, 12, 13],
    "month >= '3'": [11, 12, 13],
    "month = '12'": [],
    "day > '11'": [12, 13],
    "day = 12": [12],
    "nullif(month, '3') IS NULL": [11, 12, 13],
}


@pytest.mark.parametrize("condition", FOUND)
def test_days_are_found_in_each_form(condition: str, log: Path) -> None:
    query = f"SELECT CAST(eventID AS INTEGER) FROM events WHERE {condition} ORDER BY 1"
    assert [day for (day,) in ct.sql(log, query).rows()] == FOUND[condition]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("dt = '2025/3/12'", "'2025/3/12' is compared with what is written as '2025/03/12'"),
        ("dt = '2025-03'", "written as '2025/03/12'"),
        ("dt > '2025-03-12 00:00:00'", "written as '2025/03/12'"),
        ("dt = '2025/03/12/08'", "written as '2025/03/12'"),
        ("dt = '12 March'", "written as '2025/03/12'"),
        ("dt IN ('2025/03/12', 'x')", "'x' is compared with what is written as '2025/03/12'"),
        ("year = '25'", "'25' is compared with what is written as '2025'"),
        ("year = '2025 '", "written as '2025'"),
        ("month = 'March'", "written as '03'"),
        ("month = '13'", "written as '03'"),
        ("month = '003'", "written as '03'"),
        ("day = '32'", "written as '12'"),
        ("contains(ARRAY['3'], month)", "IN (…) knows its forms"),
        ("dt = 20250312", "CAST"),
        ("dt LIKE 'a-%'", "which has no -"),
        ("dt = date_format(eventTime, '%d.%m.%Y')", "what is printed as '%d.%m.%Y' is compared with '2025/03/12'"),
        ("month = date_format(eventTime, '%b')", "what is printed as '%b' is compared with '03'"),
        ("dt > TIMESTAMP '2025-03-12 07:00:00'", "a time is compared with a day"),
        ("dt > eventTime", "a time is compared with a day"),
    ],
)
def test_what_a_partition_never_is(condition: str, words: str, log: Path) -> None:
    with pytest.raises(ct.QueryError, match=re.escape(words)):
        ct.sql(log, f"SELECT 1 FROM events WHERE {condition}")


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        ("d = '2025-03-12'", [12]),
        ("d LIKE '2025-03-1%' AND m = '3'", [11, 12, 13]),
        ("d > DATE '2025-03-12'", [13]),
        ("d = date_format(DATE '2025-03-11', '%Y-%m-%d')", [11]),
        ("m = 3", [11, 12, 13]),
    ],
)
def test_partitions_of_sub_queries(condition: str, days: list[int], log: Path) -> None:
    inner = "SELECT dt AS d, month AS m, CAST(eventID AS INTEGER) AS n FROM events"
    twice = f"WITH e AS ({inner}), f AS (SELECT * FROM e UNION ALL SELECT * FROM e) SELECT DISTINCT n FROM f"
    for begin in (f"SELECT n FROM ({inner})", twice):
        query = f"{begin} WHERE {condition} ORDER BY n"
        assert [day for (day,) in ct.sql(log, query).rows()] == days
    with pytest.raises(ct.QueryError, match="is compared with what is written as"):
        ct.sql(log, f"SELECT 1 FROM ({inner}) WHERE d = 'x'")


def test_each_form_bounds_the_files(log: Path) -> None:
    for condition in ("dt = '2025-03-12'", "dt IN ('20250312')", "year = '2025' AND month = '3' AND day = '12'"):
        plan = ct.sql(log, f"SELECT 1 FROM events WHERE {condition}", explain=True)
        assert [f"{each:%Y-%m-%d}" for each in plan.select("since", "until").row(0)] == ["2025-03-12", "2025-03-13"]
