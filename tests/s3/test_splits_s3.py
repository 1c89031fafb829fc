"""`ct.splits` of buckets: all splits together are the bucket, in the versions that were planned."""

from __future__ import annotations

import csv
import gzip
import json
import pickle
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from mirrored import Mirrored, options_of
from seaweed import Store


@pytest.fixture
def options(store: Store) -> dict[str, str]:
    return options_of(store.endpoint)


def together(splits: list[ct.Split], **options: Any) -> pl.DataFrame:
    frames = [pl.DataFrame(pa.Table.from_batches(split.read(**options), split.schema())) for split in splits]
    return pl.concat(frames)


def test_all_splits_are_the_bucket(mirrored: Mirrored, options: dict[str, str], tmp_path: Path) -> None:
    splits = ct.splits(mirrored.url, target=1 << 20, regions="eu-west-1", storage_options=options)
    assert len(splits) > 1
    whole = ct.read(mirrored.url, regions="eu-west-1", storage_options=options)
    copies = pickle.loads(pickle.dumps(splits))
    assert_frame_equal(together(copies, storage_options=options), whole)
    report = ct.Report(files=True, sha256=True)
    for threads in (1, 4):
        batches = list(copies[0].read("spark", threads=threads, storage_options=options, report=report))
        assert [batch.serialize() for batch in batches] == [
            batch.serialize() for batch in copies[0].read("spark", storage_options=options)
        ]
    assert report.requests.gets == copies[0].files
    assert report.requests.lists == 0
    message = copies[0].write_parquet(tmp_path, storage_options=options)
    assert message.rows == report.records.read
    assert all(row["etag"] and row["size"] for row in message.ledger)
    assert_frame_equal(
        pl.DataFrame(message.ledger, schema=report.files_scan().collect_schema()), report.files_scan().collect()
    )


def test_an_inventory_and_lists_of_keys(mirrored: Mirrored, options: dict[str, str], tmp_path: Path) -> None:
    whole = ct.read(mirrored.url, storage_options=options)
    urls = whole["file"].unique(maintain_order=True).to_list()
    part = tmp_path / "part.csv.gz"
    with gzip.open(part, "wt", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([mirrored.bucket, url.split("/", 3)[3]] for url in urls)
    manifest = {"fileFormat": "CSV", "fileSchema": "Bucket, Key", "files": [{"key": part.name}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for source in (ct.Inventory(tmp_path / "manifest.json"), ct.KeyList(urls)):
        splits = ct.splits(source, target=1 << 20, storage_options=options)
        assert [key for split in splits for key in list(split.keys())] == urls
        assert_frame_equal(together(splits, storage_options=options), whole)


def test_an_object_that_was_written_again_is_bad(store: Store, options: dict[str, str]) -> None:
    bodies = [
        json.dumps({"Records": [{"eventName": name, "eventSource": "s3.amazonaws.com"}]}).encode() for name in "ab"
    ]
    large = b'{"Records": [{"eventName": "%s", "eventSource": "s3.amazonaws.com"}]}' + b" " * (9 << 20)
    store.create("written-again")
    for name in ("changed.json", "gone.json", "kept.json"):
        store.put("written-again", name, bodies[0])
    store.put("written-again", "large.json", large % b"a")
    splits = ct.splits("s3://written-again", storage_options=options, on_error="collect", target=1 << 30)
    [split] = pickle.loads(pickle.dumps(splits))
    assert together([split], storage_options=options)["eventName"].to_list() == ["a", "a", "a", "a"]
    store.put("written-again", "changed.json", bodies[1])
    store.put("written-again", "large.json", large % b"b")
    store.client.delete_object(Bucket="written-again", Key="gone.json")
    report = ct.Report()
    rows = together([split], storage_options=options, report=report)
    assert rows["file"].to_list() == ["s3://written-again/kept.json"]
    kinds = {row["file"].rpartition("/")[2]: row["kind"] for row in report.bad.iter_rows(named=True)}
    assert kinds == {"changed.json": "changed", "gone.json": "no-such-key", "large.json": "changed"}
    assert report.bad.filter(kind="changed")["message"].str.contains("ETag .* instead of ").all()
    assert report.requests.retries == 0
    [again] = ct.splits("s3://written-again", storage_options=options, target=1 << 30)
    assert again.id != split.id
    assert together([again], storage_options=options)["eventName"].to_list() == ["b", "a", "b"]
