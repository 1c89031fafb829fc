"""What ``ct.cost`` counts, against a count of its own."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ctfast as ct
from ctfast.sample import Sample

WRITES = ct.EventSelectors([{"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}])
OBJECTS = ct.EventSelectors(
    [
        {
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            ]
        },
        {
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["NetworkActivity"]},
                {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]},
            ]
        },
    ]
)


def records(archive: Path) -> list[str]:
    """The text of all records, without ctfast: the sample writes each on the same level, without blanks."""
    texts = []
    for path in archive.rglob("*.json.gz"):
        document = json.loads(gzip.decompress(path.read_bytes()))
        texts += [
            json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in document.get("Records", [])
        ]
    return texts


def counted(texts: list[str], met: Any) -> tuple[Counter[Any], Counter[Any]]:
    """Records and bytes by category and source."""
    numbers: Counter[Any] = Counter()
    sizes: Counter[Any] = Counter()
    for text in texts:
        record = json.loads(text)
        if met(text):
            key = record["eventCategory"], record.get("eventSource")
            numbers[key] += 1
            sizes[key] += len(text.encode())
    return numbers, sizes


def column(frame: pl.DataFrame, name: str) -> Counter[Any]:
    return Counter(
        {
            (category, source): number
            for category, source, number in frame.select("category", "source", name).rows()
            if number
        }
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_all_counts_reconcile(sample: Sample, threads: int) -> None:
    found = ct.cost(sample.archive, OBJECTS, against=WRITES, threads=threads)
    texts = records(sample.archive)
    assert len(texts) == sample.records == found.events["seen"].sum() == found.report.records.read
    for prefix, met in (("seen", lambda _: True), ("events", OBJECTS.matches), ("current_events", WRITES.matches)):
        numbers, sizes = counted(texts, met)
        assert column(found.events, prefix) == numbers
        assert column(found.events, {"seen": "seen_bytes", "events": "bytes"}.get(prefix, "current_bytes")) == sizes
    times = ct.read(sample.archive)["eventTime"]
    assert (found.first, found.last) == (times.min(), times.max())


def test_prices(sample: Sample, tmp_path: Path) -> None:
    both = ct.EventSelectors(OBJECTS.advanced() + WRITES.advanced())
    by_category = dict(ct.cost(sample.archive, both).events.group_by("category").agg(pl.col("price").sum()).rows())
    assert by_category["Management"] == 0
    assert by_category["Data"] == pytest.approx(288 * 0.10 / 100_000)
    assert by_category["NetworkActivity"] == pytest.approx(1 * 0.10 / 100_000)
    found = ct.cost(sample.archive, both, further_copy=True)
    assert found.price == pytest.approx(289 * 0.10 / 100_000 + 135 * 2.00 / 100_000)
    assert found.current_price is None
    table = tmp_path / "prices.json"
    table.write_text(
        json.dumps(
            {
                "currency": "EUR",
                "region": "x",
                "date": "2030-01-01",
                "events": {"Data": {"price": 5, "per": 10, "source": "us"}},
            }
        )
    )
    found = ct.cost(sample.archive, both, prices=table, against=OBJECTS)
    assert (found.price, found.current_price, found.prices.currency) == (144.0, 144.0, "EUR")
    assert (
        found.events.filter(pl.col("category") == "Management")["price"].to_list()
        == [None] * found.events.filter(pl.col("category") == "Management").height
    )
    assert "the table of prices has none for Management events" in found.unknown
    assert any("2030-01-01" in sentence and "us" in sentence for sentence in found.unknown)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"currency":"USD","region":"x","date":"y","events":{"Data":{"price":-1,"per":1}}}']
)
def test_a_table_of_prices_that_is_none(sample: Sample, tmp_path: Path, text: str) -> None:
    table = tmp_path / "prices.json"
    table.write_text(text)
    with pytest.raises(ValueError, match="is no table of prices") as raised:
        ct.cost(sample.archive, WRITES, prices=table)
    assert len(str(raised.value).splitlines()) == 1


def test_unknown_costs_are_noted(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"eventName":"x","eventSource":"iam.amazonaws.com","eventTime":"2025-01-01T00:00:00Z"}'
    )
    found = ct.cost(tmp_path, OBJECTS)
    assert [sentence.split(",")[0] for sentence in found.unknown if "has no" in sentence] == [
        "the archive has no Data events",
        "the archive has no NetworkActivity events",
    ]
    assert any("first copy" in sentence for sentence in found.unknown)
    assert not any("first copy" in sentence for sentence in ct.cost(tmp_path, OBJECTS, further_copy=True).unknown)


def test_records_that_do_not_name_their_category(tmp_path: Path) -> None:
    lines = [
        '{"eventName":"GetObject","eventSource":"s3.amazonaws.com","managementEvent":false}',
        '{"eventName":"RunInstances","eventSource":"ec2.amazonaws.com"}',
        '{"eventName":"x","eventType":"AwsVpceEvent","eventSource":"kms.amazonaws.com"}',
        '{"eventName":"y","insightDetails":{}}',
        '{"eventName":"z","eventCategory":"Aggregated"}',
        '{"eventCategory":"Management"}',
    ]
    (tmp_path / "a.ndjson").write_text("\n".join(lines))
    found = ct.cost(tmp_path, WRITES)
    assert found.events.select("category", "source", "seen", "events").rows() == [
        ("Aggregated", None, 1, 0),
        ("Data", "s3.amazonaws.com", 1, 0),
        ("Insight", None, 1, 0),
        ("Management", "ec2.amazonaws.com", 1, 1),
        ("Management", None, 1, 1),
        ("NetworkActivity", "kms.amazonaws.com", 1, 0),
    ]
    assert found.events["seen_bytes"].sum() == sum(map(len, lines))


def test_bad_files_and_empty_archives(tmp_path: Path) -> None:
    with pytest.warns(ct.NothingChosen):
        found = ct.cost(tmp_path, WRITES)
    assert (found.events.height, found.first, found.last, found.price) == (0, None, None, 0.0)
    (tmp_path / "a.json").write_text("{")
    assert ct.cost(tmp_path, WRITES, on_error="collect").report.files.bad == 1
    with pytest.raises(ct.FormatError):
        ct.cost(tmp_path, WRITES)
    with pytest.raises(FileNotFoundError):
        ct.cost(tmp_path / "nowhere", WRITES)


def test_only_selectors_cost(sample: Sample) -> None:
    for arguments in ({"selectors": ct.FilterPattern("x")}, {"selectors": WRITES, "against": {"a": "b"}}):
        with pytest.raises(TypeError, match=r"must be ctfast\.EventSelectors"):
            ct.cost(sample.archive, **arguments)  # type: ignore[arg-type]
