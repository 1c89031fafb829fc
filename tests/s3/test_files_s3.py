"""`ct.files` of a bucket: the rows are those of the same files on disk, with the metadata of the store."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from mirrored import Mirrored, options_of
from seaweed import Store


@pytest.fixture
def options(store: Store) -> dict[str, str]:
    return options_of(store.endpoint)


def test_the_rows_are_those_from_disk(mirrored: Mirrored, options: dict[str, str]) -> None:
    report = ct.Report(files=True)
    rows = ct.files(mirrored.url, sha256=True, storage_options=options, report=report).collect()
    disk = ct.files(mirrored.folder, sha256=True).collect()
    own = rows.with_columns(pl.col("file").str.replace(mirrored.url, str(mirrored.folder), literal=True))
    assert_frame_equal(own.drop("etag"), disk.drop("etag"))
    assert rows["etag"].null_count() == 0
    assert_frame_equal(report.files_scan().drop("sha256").collect(), rows.drop("sha256"))
    assert rows.height == report.files.listed == report.files.read == 300
    assert rows["records_read"].sum() == report.records.read


def test_what_is_passed_over_has_rows(store: Store, options: dict[str, str], tmp_path: Path) -> None:
    place = "AWSLogs/111122223333/CloudTrail"
    contents = {
        f"{place}/eu-west-1/2025/03/12/111122223333_CloudTrail_eu-west-1_20250312T0500Z_a.json.gz": b"damaged",
        f"{place}/us-east-1/2025/03/12/111122223333_CloudTrail_us-east-1_20250312T0500Z_a.json.gz": b"{}",
        "flat/111122223333_CloudTrail_us-east-1_20250312T0500Z_b.json.gz": b"{}",
        "notes.txt": b"x",
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    store.upload("passed", tmp_path)
    report = ct.Report()
    rows = ct.files("s3://passed", regions="eu-west-1", storage_options=options, sha256=True, report=report).collect()
    found = {row["file"].removeprefix("s3://passed/"): row for row in rows.iter_rows(named=True)}
    told = {name: (row["outcome"], row["reason"], row["size"]) for name, row in found.items()}
    damaged, _, flat, notes = contents
    assert told[damaged][0] == "bad"
    assert told[flat] == ("skipped", "region", 2)
    assert told[notes] == ("skipped", "name", 1)
    assert found[damaged]["sha256"] == hashlib.sha256(b"damaged").hexdigest()
    assert Counter(row["outcome"] for row in found.values()) - Counter(pruned=9) == {"bad": 1, "skipped": 2}
    assert (report.files.listed, report.files.bad, report.files.skipped) == (3, 1, 2)
    assert sum(report.pruned.values()) == rows.filter(outcome="pruned").height
    # An object that is named directly is not listed; only what was found by reading it is known.
    named = ct.files(f"s3://passed/{damaged}", storage_options=options).collect()
    assert named.select("size", "etag", "outcome").rows() == [(7, None, "bad")]
