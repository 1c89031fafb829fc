"""Filters over an archive: ``where`` in every function, and many filters at once, combined with Polars operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.sample import Sample

Engine = Literal["in-memory", "streaming"]
engines = pytest.mark.parametrize("engine", ["in-memory", "streaming"])

DENIED = ct.FilterPattern('{ $.errorCode = "AccessDenied*" }')
DELETES = ct.EventPattern({"detail": {"eventName": [{"prefix": "Delete"}]}})
NOBODY = ct.FilterPattern('{ $.userIdentity.userName = "nobody" }')
RULES: dict[str, ct.Filter] = {"denied": DENIED, "nobody": NOBODY, "deletes": DELETES, "all of both": DENIED & DELETES}


@pytest.fixture(scope="module")
def expected(sample: Sample) -> pl.DataFrame:
    """The whole archive with the rules of each record, evaluated record by record."""
    frame = ct.read(sample.archive)
    names = [[name for name, rule in RULES.items() if rule.matches(raw)] for raw in frame["raw"]]
    return frame.with_columns(pl.Series("rules", names, dtype=pl.List(pl.String)))


@pytest.fixture(scope="module")
def hits(expected: pl.DataFrame) -> pl.DataFrame:
    found = expected.filter(pl.col("rules").list.len() > 0)
    assert found["rules"].list.len().max() == 3
    return found


@engines
def test_match_adds_the_names_of_all_rules(sample: Sample, hits: pl.DataFrame, engine: Engine) -> None:
    lazy = ct.match(sample.archive, RULES)
    assert lazy.collect_schema() == hits.schema
    assert_frame_equal(lazy.collect(engine=engine), hits)


@engines
def test_match_takes_what_polars_asks_for(sample: Sample, hits: pl.DataFrame, engine: Engine) -> None:
    lazy = ct.match(sample.archive, RULES)
    queries: list[Any] = [
        lambda frame: frame.select("eventName", "rules"),
        lambda frame: frame.select("rules"),
        lambda frame: frame.select("eventName"),
        lambda frame: frame.select(pl.len()),
        lambda frame: frame.head(3),
        lambda frame: frame.filter(pl.col("awsRegion") == "eu-west-1").select("rules", "record"),
        lambda frame: frame.filter(pl.col("rules").list.contains("deletes")),
        lambda frame: frame.filter(
            (pl.col("eventName") == "DeleteObject") & pl.col("rules").list.contains("denied")
        ).select("raw"),
        lambda frame: frame.filter(pl.col("rules").list.len() > 1).head(1),
        lambda frame: frame.head(5).filter(pl.col("rules").list.contains("deletes")),
        lambda frame: frame.explode("rules").group_by("rules").len().sort("rules"),
        lambda frame: frame.filter(pl.col("eventName") == "nothing").select("rules"),
    ]
    for number, query in enumerate(queries):
        assert_frame_equal(query(lazy).collect(engine=engine), query(hits.lazy()).collect(), check_dtypes=number != 3)


def test_match_takes_the_options_of_scan(sample: Sample, hits: pl.DataFrame) -> None:
    report = ct.Report()
    found = ct.match(
        sample.archive, RULES, since="2025-03-12T14:00", regions="eu-west-1", where=~DELETES, threads=1, report=report
    )
    late = hits.filter(pl.col("eventTime") >= pl.datetime(2025, 3, 12, 14, time_zone="UTC"))
    assert found.collect()["eventID"].to_list() == [
        row["eventID"]
        for row in late.iter_rows(named=True)
        if "_eu-west-1_" in row["file"] and not row["eventName"].startswith("Delete")
    ]
    records = report.records
    assert report.complete
    assert records.seen == records.read + records.skipped


def test_match_reads_rules_from_where_they_are(sample: Sample, hits: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "denied.filter").write_text(str(DENIED))
    (tmp_path / "deletes.json").write_text(str(DELETES))
    found = ct.match(sample.archive, tmp_path).collect()
    assert_frame_equal(found.drop("rules"), hits.drop("rules"))
    assert set(found.explode("rules")["rules"]) == {"denied", "deletes"}
    assert_frame_equal(ct.match(sample.archive, str(tmp_path)).collect(), found)
    shape = {"metricFilters": [{"filterName": "denied", "filterPattern": str(DENIED)}]}
    assert ct.match(sample.archive, shape).collect()["eventID"].to_list() == [
        row["eventID"] for row in hits.iter_rows(named=True) if "denied" in row["rules"]
    ]


def test_match_refuses_what_is_no_set_of_rules(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(ct.FilterError, match="no rules"):
        ct.match(sample.archive, tmp_path)
    with pytest.raises(FileNotFoundError):
        ct.match(sample.archive, tmp_path / "nowhere")
    with pytest.raises(ct.FilterError):
        ct.match(sample.archive, {})
    with pytest.raises(TypeError, match="'b' is no filter"):
        ct.match(sample.archive, {"a": DENIED, "b": "text"})  # type: ignore[dict-item]


def test_rules_in_a_stream(sample: Sample, hits: pl.DataFrame) -> None:
    with ct.stream(sample.archive, rules=RULES, batch_rows=7) as batches:
        assert batches.schema.names[-1] == "rules"
        tables = list(batches)
    assert {table.schema for table in tables} == {batches.schema}
    assert_frame_equal(pl.DataFrame(pa.Table.from_batches(tables)), hits)
    with ct.stream(sample.archive, rules=RULES, columns=["rules", "eventName"], where=DELETES) as batches:
        table = pa.Table.from_batches(list(batches), batches.schema)
    assert set(table.column_names) == {"eventName", "rules"}
    assert table.num_rows == hits.filter(pl.col("eventName").str.starts_with("Delete")).height
    with pytest.raises(ValueError, match="columns has no 'rules'"):
        ct.stream(sample.archive, columns=["rules"])
    with ct.stream(sample.archive, rules={"nobody": NOBODY}) as batches:
        assert batches.schema.names[-1] == "rules"
        assert list(batches) == []


@engines
def test_where_in_every_function(sample: Sample, expected: pl.DataFrame, engine: Engine) -> None:
    where = DENIED | DELETES
    found = expected.filter(pl.col("rules").list.len() > 0).drop("rules")
    assert_frame_equal(ct.scan(sample.archive, where=where).collect(engine=engine), found)
    assert_frame_equal(ct.read(sample.archive, where=where), found)
    assert ct.sql(sample.archive, "SELECT count(*) FROM events", where=where).item() == found.height
    with ct.stream(sample.archive, where=where) as batches:
        assert sum(batch.num_rows for batch in batches) == found.height
    assert ct.info(sample.archive, where=where).report.records.read == found.height
    query = pl.col("userIdentity").struct["type"] == "IAMUser"
    lazy = ct.scan(sample.archive, where=where).filter(query).select("eventName", "record")
    assert_frame_equal(lazy.collect(engine=engine), found.filter(query).select("eventName", "record"))
    assert "where=FilterPattern" in ct.scan(sample.archive, where=where).explain()


@pytest.mark.parametrize("where", ["{ $.a = 1 }", {"a": ["b"]}, pl.col("eventName") == "x"])
def test_where_is_a_filter(sample: Sample, where: Any) -> None:
    for call in (ct.scan, ct.read, ct.stream):
        with pytest.raises(TypeError, match="where must be a filter"):
            call(sample.archive, where=where)


def test_a_thousand_rules(sample: Sample, expected: pl.DataFrame) -> None:
    names = expected["eventName"].drop_nulls().unique().sort().to_list()
    rules: dict[str, ct.Filter] = {
        f"{number}": ct.EventPattern({"detail": {"eventName": [names[number % len(names)]], "awsRegion": [region]}})
        for number, region in enumerate(["eu-west-1", "us-east-1"] * 500)
    }
    found = ct.match(sample.archive, rules).select("eventName", "awsRegion", "rules").collect()
    by_both: dict[tuple[str, str], list[str]] = {}
    for number in range(1000):
        key = names[number % len(names)], ["eu-west-1", "us-east-1"][number % 2]
        by_both.setdefault(key, []).append(f"{number}")
    wanted = [by_both[row] for row in expected.select("eventName", "awsRegion").iter_rows() if row in by_both]
    assert found["rules"].to_list() == wanted
