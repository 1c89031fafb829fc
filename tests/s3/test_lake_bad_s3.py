"""An archive in a bucket: what digests say of what a lake has read of it, and bad objects that are read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
from ctfast.sample import Sample
from seaweed import Store
from test_verify_s3 import Kept


@pytest.fixture
def kept(store: Store, sample: Sample, tmp_path: Path) -> Kept:
    return Kept(store, sample, tmp_path)


@pytest.fixture(params=["disk", "bucket"])
def lake(request: pytest.FixtureRequest, kept: Kept, tmp_path: Path) -> ct.Lake:
    """A lake on the disk, and one in a bucket of its own."""
    if request.param == "disk":
        return ct.Lake(tmp_path / "lake")
    kept.store.create(f"lake-of-{kept.bucket}")
    return ct.Lake(f"s3://lake-of-{kept.bucket}/lake", storage_options=kept.options)


def ingest(lake: ct.Lake, kept: Kept, **options: Any) -> ct.Ingested:
    by = {"keys": kept.sample.keys, "relocated_from": kept.origin} | options
    return lake.ingest(f"s3://{kept.bucket}", storage_options=kept.options, **by)


def test_verdicts_by_the_signatures_of_the_objects(kept: Kept, lake: ct.Lake) -> None:
    key = next(key for key in kept.keys if "_CloudTrail_eu-west-1_" in key)
    lake.ingest(f"s3://{kept.bucket}", regions="eu-west-1", storage_options=kept.options)
    kept.put(key, b"no gzip")
    done = ingest(lake, kept)
    assert (done.proven, done.unproven) == (92, 1)
    found = dict(lake.verdicts().select("file", "verdict").collect().iter_rows())
    assert found.pop(f"s3://{kept.bucket}/{key}") == "format"
    assert set(found.values()) == {"proven"}
    rows = lake.scan(verified=True).group_by("verdict").len().collect()
    # The first version is stored, and was not compared while it was there.
    assert set(rows["verdict"]) == {"proven", "format"}
    assert lake.coverage()["covered"].sum().total_seconds() == 4 * 25 * 3600


def test_bad_objects_are_read_again(kept: Kept, lake: ct.Lake) -> None:
    one, other, gone = [key for key in kept.keys if "_CloudTrail_" in key][:3]
    contents = {key: (kept.folder / key).read_bytes() for key in (one, other, gone)}
    for key in contents:
        kept.put(key, contents[key][:-9])
    lake.ingest(f"s3://{kept.bucket}", storage_options=kept.options)
    assert lake.bad().collect().height == 3
    kept.put(one, contents[one])
    kept.remove(gone)
    done = lake.retry(storage_options=kept.options)
    assert (done.files, done.whole, done.bad, done.gone) == (3, 1, 1, 1)
    assert [error.key for error in done.errors] == [f"s3://{kept.bucket}/{gone}"]
    kept.put(other, contents[other])
    kept.put(gone, contents[gone])
    assert lake.retry(storage_options=kept.options).whole == 2
    assert lake.info().records == ct.read(kept.folder).height
    wrong = kept.options | {"aws_secret_access_key": "wrong"}
    assert lake.retry(storage_options=wrong).files == 0
