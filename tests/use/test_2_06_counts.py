"""Counts mean the same with a filter and without."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import ctfast as ct

RECORDS = [{"eventVersion": "1.11", "eventName": f"E{number % 2}"} for number in range(10)]


@pytest.mark.parametrize(
    "damage",
    [
        json.dumps({"Records": RECORDS})[:-1],
        "\n".join([*map(json.dumps, RECORDS), '{"x', json.dumps({"foo": 1})]),
        json.dumps({"Records": [*RECORDS, '{"']}),
    ],
)
def test_records_kept_are_those_that_are_whole(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(damage)
    kept = []
    for options in (
        {},
        {"where": ct.FilterPattern("{ $.eventName = E0 }")},
        {"where": ct.FilterPattern("{ $.eventName = none }")},
    ):
        report = ct.Report()
        frame = ct.read(file, on_error="collect", report=report, **options)  # type: ignore[arg-type]
        kept.append(pl.concat([report.bad, report.warnings])["records_kept"].unique().to_list())
        assert report.skipped_records.get("filtered", 0) == 10 - frame.height
        assert sum(report.skipped_records.values()) == report.records.skipped
        assert report.records.seen == report.records.read + report.records.bad + report.records.skipped
    assert kept == [[10]] * 3


def test_what_counts_mean_is_said_once() -> None:
    report = ct.Report()
    for words, what in (
        ("each file that the source named", type(report.files)),
        ("Each try counts", type(report.requests)),
        ("intact records in the file, whether a filter refused them or not", type(report).bad),
    ):
        assert words in " ".join((what.__doc__ or "").split())
