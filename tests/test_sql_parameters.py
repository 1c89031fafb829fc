"""Parameters and tables beside a query: each value stands in it once, as what it is, or is refused by its name."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast.cli import main

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

EMPTY: list[str] = []
EAST = dt.timezone(dt.timedelta(hours=2))
WEST = dt.timezone(-dt.timedelta(hours=2))


@pytest.mark.parametrize("dialect", ["trino", "duckdb"])
@pytest.mark.parametrize(
    ("query", "params", "expected"),
    [
        ("SELECT '${a}', '${b}'", {"a": "${b}", "b": "x"}, ("${b}", "x")),
        ("SELECT '${a}'", {"a": "'; DROP TABLE events --"}, ("'; DROP TABLE events --",)),
        ("SELECT '${b} ${i} ${n}'", {"b": True, "i": 3, "n": Decimal("1E+2")}, ("true 3 100",)),
        ("SELECT '${d}'", {"d": dt.date(2025, 3, 12)}, ("2025-03-12",)),
        ("SELECT '${aws:username}'", None, ("${aws:username}",)),
        ("SELECT '$' || '{name}'", None, ("${name}",)),
        ("SELECT DATE '2025-03-12' - INTERVAL '${n}' DAY < DATE '2025-03-12'", {"n": 1}, (True,)),
        ("SELECT ?, ?", ["a", "b"], ("a", "b")),
        ("SELECT 1 IS DISTINCT FROM $p", {"p": 1}, (False,)),
        ("SELECT 1 IS DISTINCT FROM ${p}", {"p": 2}, (True,)),
        ("SELECT extract(YEAR FROM $p)", {"p": dt.date(2025, 3, 12)}, (2025,)),
        ("SELECT count(*) FROM $EDS_ID", None, (0,)),
        ("SELECT count(*) FROM ${store}", {"store": "3f0c6a52-91de-4b7a-8c1e-5d2b9a7e4f60"}, (0,)),
    ],
)
def test_values_stand_as_what_they_are(dialect: Any, query: str, params: Any, expected: tuple[Any, ...]) -> None:
    assert ct.sql(EMPTY, query, dialect=dialect, params=params).row(0) == expected


@pytest.mark.parametrize("dialect", ["trino", "duckdb"])
@pytest.mark.parametrize(
    ("query", "params", "name", "words"),
    [
        ("SELECT 1", {"a": 1}, "a", "the parameter 'a' does not stand in the query"),
        ("SELECT 2", {"a": 1, "b": 2}, "a", "the parameters 'a' and 'b' do not stand"),
        ("SELECT 1 -- $a", {"a": 1}, "a", "does not stand in the query"),
        ("SELECT ?", [1, 2, 3], "2", "params has 3 values, and the query takes 1"),
        ("SELECT ?, ?", [1], "2", "the parameter '2' has no value"),
        ("SELECT '${b}'", {"a": "${b}"}, "b", "the parameter 'b' has no value; there are a"),
        ("SELECT '${c}'", None, "c", "'$' || '{c}' is the text itself"),
        ("SELECT ${c}", None, "c", "the parameter 'c' has no value"),
        ("SELECT * FROM $vpc_flow_logs", None, "vpc_flow_logs", "the parameter 'vpc_flow_logs' has no value"),
        ("SELECT * FROM $t", {"t": 1}, "t", "stands for a table: give its name"),
        ("SELECT $a", {"a": "x\0y"}, "a", "a character that queries do not take, U+0000"),
        ("SELECT '${a}'", {"a": "x\0y"}, "a", "a character that queries do not take, U+0000"),
        ("SELECT $a", {"a": ["x\0y"]}, "a", "a character that queries do not take, U+0000"),
        ("SELECT $a", {"a": "\ud800"}, "a", "character 1 is half of a pair of surrogates"),
        ("SELECT $a", {"a": dt.datetime(1, 1, 1, tzinfo=EAST)}, "a", "not within the years 1 to 9999"),
        ("SELECT '${a}'", {"a": dt.datetime(9999, 12, 31, 23, tzinfo=WEST)}, "a", "not within the years 1 to 9999"),
        ("SELECT $a", {"a": 10**30}, "a", "more than 64 bits"),
        ("SELECT $a", {"a": float("nan")}, "a", "nan, which is no number"),
        ("SELECT $a", {"a": Decimal("1E+50")}, "a", "a decimal of 51 digits"),
        ("SELECT $a", {"a": Decimal("1E-50")}, "a", "a decimal of 50 digits"),
        ("SELECT $a", {"a": [1, "b"]}, "a", "a list of several kinds"),
        ("SELECT $a", {"a": {}}, "a", "is a dict"),
        ("SELECT '${a}'", {"a": None}, "a", "is None: within a text"),
        ("SELECT '${a}'", {"a": [1]}, "a", "is a list: within a text"),
    ],
)
def test_values_that_are_refused(dialect: Any, query: str, params: Any, name: str, words: str) -> None:
    with pytest.raises(ct.QueryError) as refused:
        ct.sql(EMPTY, query, dialect=dialect, params=params)
    assert (refused.value.kind, refused.value.name, "\n" in str(refused.value)) == ("parameter", name, False)
    assert words in str(refused.value)


def test_a_parameter_that_is_given_twice() -> None:
    done = CliRunner().invoke(main, ["sql", ".", "SELECT :a", "--param", "a=1", "--param", "a=2"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "'a' is given twice" in done.stderr


@pytest.mark.parametrize("dialect", ["trino", "duckdb"])
@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"ips": {"x": [1]}, "IPs": {"x": [2]}}, "tables has 'ips' and 'IPs', which are one name in SQL"),
        ({"t": {"x": [1], "X": [2]}}, "tables['t'] has the columns 'x' and 'X', which are one name in SQL"),
        (
            {"t": pa.table([[1], [2]], names=["x", "x"])},
            "tables['t'] has the columns 'x' and 'x', which are one name in SQL",
        ),
        (
            {"t": pl.DataFrame({"r": [{"a": 1, "A": 2}]})},
            "tables['t'] has the fields 'a' and 'A', which are one name in SQL",
        ),
    ],
)
def test_names_that_differ_in_case_alone(dialect: Any, tables: Any, words: str) -> None:
    with pytest.raises(ct.ArgumentError) as refused:
        ct.sql(EMPTY, "SELECT 1", dialect=dialect, tables=tables)
    assert words in str(refused.value)


@pytest.mark.parametrize("dialect", ["duckdb", "polars"])
def test_now_is_for_trino(dialect: Any, tmp_path: Path) -> None:
    with pytest.raises(ct.ArgumentError, match="now is for the dialect"):
        ct.sql(EMPTY, "SELECT 1", dialect=dialect, now="2025-03-12")
    done = CliRunner().invoke(main, ["sql", str(tmp_path), "SELECT 1", "--dialect", dialect, "--now", "2025-03-12"])
    assert (done.exit_code, done.stdout) == (2, "")
