"""Scans of buckets: the same rows as from disk, few requests, bounded memory, and no secrets in any message."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast._source.object_keys import Extent
from mirrored import Mirrored, make_archive, options_of
from proxy import Proxy
from seaweed import ACCESS, SECRET, Store
from synthetic import Bucket, served


@pytest.fixture
def options(store: Store) -> dict[str, str]:
    return options_of(store.endpoint)


def test_every_row_is_the_one_from_disk(mirrored: Mirrored, options: dict[str, str]) -> None:
    report = ct.Report()
    assert_frame_equal(ct.read(mirrored.url, storage_options=options, report=report), mirrored.rows())
    assert report.complete
    assert (report.files.listed, report.files.read, report.requests.gets) == (300, 300, 300)
    assert report.requests.retries == 0


@pytest.mark.parametrize(
    "below", ["", "/", "/AWSLogs", "/AWSLogs/111122223333/CloudTrail/", "/AWSLogs/111122223333/CloudTrail/us-east-1"]
)
def test_a_bucket_is_read_from_any_folder_down(mirrored: Mirrored, options: dict[str, str], below: str) -> None:
    rows = mirrored.rows().filter(pl.col("file").str.starts_with(mirrored.url + below))
    assert_frame_equal(ct.read(mirrored.url + below, storage_options=options), rows)


def test_objects_that_are_named(mirrored: Mirrored, options: dict[str, str]) -> None:
    keys = mirrored.keys[5:8]
    rows = mirrored.rows().filter(pl.col("file").is_in([f"{mirrored.url}/{key}" for key in keys]))
    named = [f"{mirrored.url}/{key}" for key in keys]
    assert_frame_equal(ct.read(named, storage_options=options), rows)
    assert_frame_equal(ct.read(ct.KeyList(named), storage_options=options), rows)


def test_a_query_asks_for_its_day_only(mirrored: Mirrored, options: dict[str, str]) -> None:
    report = ct.Report()
    chosen = {"accounts": "111122223333", "regions": "us-east-1", "since": "2025-03-11", "until": "2025-03-12"}
    chosen |= {"max_delay": timedelta(hours=1)}
    rows = ct.read(mirrored.url, storage_options=options, report=report, **chosen)
    assert_frame_equal(rows, mirrored.rows(**chosen))
    assert rows.height == 150
    assert report.requests.gets < 80


def test_keys_of_any_letters(store: Store, tmp_path: Path) -> None:
    folder = make_archive(tmp_path / "odd" / "a b+c%20d" / "äöü?#&=<>'\"", 6)
    bucket = Mirrored(tmp_path / "odd", "odd-keys", store.upload("odd-keys", tmp_path / "odd"))
    read = ct.read(bucket.url, storage_options=options_of(store.endpoint))
    assert_frame_equal(read, bucket.rows())
    assert folder.is_dir()


def test_sql_and_streams(mirrored: Mirrored, options: dict[str, str]) -> None:
    counted = ct.sql(
        mirrored.url, "SELECT awsRegion, count(*) AS n FROM events GROUP BY 1 ORDER BY 1", storage_options=options
    )
    assert counted.rows() == [("eu-west-1", 450), ("us-east-1", 450)]
    with ct.stream(mirrored.url, columns=["eventName"], storage_options=options) as batches:
        assert sum(batch.num_rows for batch in batches) == 900


# Requests and memory


@pytest.fixture(scope="module")
def organisation() -> Bucket:
    return Bucket(accounts=20, regions=["eu-west-1", "us-east-1"], first=date(2024, 12, 1), days=100, files=50)


def test_one_account_region_and_day_of_a_large_bucket(organisation: Bucket) -> None:
    assert len(organisation) == 200_000
    account = organisation.account_ids[7]
    with served(organisation) as bucket:
        report = ct.Report()
        chosen = {"accounts": account, "regions": "us-east-1", "since": "2025-01-15", "until": "2025-01-16"}
        chosen |= {"max_delay": timedelta(0)}
        ct.read("s3://any/", storage_options=options_of(bucket.endpoint), report=report, **chosen)
        assert report.complete
        # The day, and an hour before and after it.
        assert 50 <= report.files.read <= 56
        assert report.requests.lists == bucket.traffic.requests["list"] < 20
        assert bucket.traffic.requests["get"] == report.files.read


def test_a_large_bucket_is_listed_whole_in_bounded_memory(organisation: Bucket) -> None:
    program = textwrap.dedent(
        """
        import json, resource, sys
        from ctfast import _ctfast

        def memory():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        remote = _ctfast.Remote(json.loads(sys.argv[1]))
        listing = _ctfast.Listing(_ctfast.Selection(["s3://any/"]), remote=remote)
        first = listing.next()
        start, number, last, order = memory(), len(first), first[-1][0], True
        while (page := listing.next()) is not None:
            order &= last < page[0][0] and all(one[0] < other[0] for one, other in zip(page, page[1:]))
            number, last = number + len(page), page[-1][0]
        print(json.dumps([number, order, memory() - start, listing.counts()["pruned"]]))
        """
    )
    with served(organisation) as bucket:
        command = [sys.executable, "-c", program, json.dumps(options_of(bucket.endpoint))]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        number, order, more, pruned = json.loads(done.stdout)
        assert (number, order, pruned) == (200_000, True, {"digest": 20})
        assert more < 60_000  # KiB
        assert bucket.traffic.requests["list"] < 2 * 200 + 20 * 10


# Failures


WRONG = {
    "another key": {"secret_access_key": "wrong-" + SECRET},
    "another id": {"access_key_id": "AKIAUNKNOWN"},
    "no signature": {"skip_signature": "true"},
}


@pytest.mark.parametrize("name", WRONG)
def test_credentials_that_are_refused(mirrored: Mirrored, options: dict[str, str], name: str) -> None:
    report = ct.Report()
    with pytest.raises(ct.SourceError) as caught:
        ct.read(mirrored.url, storage_options=options | WRONG[name], report=report)
    assert caught.value.kind in {"credentials", "access-denied"}
    for text in (str(caught.value), repr(caught.value), repr(report), str(report.bad.rows())):
        assert SECRET not in text
        assert ACCESS not in text.replace(str(mirrored.folder), "")


def test_what_is_not_there(mirrored: Mirrored, options: dict[str, str]) -> None:
    with pytest.raises(FileNotFoundError):
        ct.read(f"{mirrored.url}/none/", storage_options=options)
    with pytest.raises(ct.SourceError) as caught:
        ct.read("s3://no-such-bucket-at-all/", storage_options=options)
    assert caught.value.kind == "no-such-bucket"


def test_an_option_that_is_none(mirrored: Mirrored, options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="storage_options has no 'sekret'") as caught:
        ct.read(mirrored.url, storage_options=options | {"sekret": SECRET})
    assert SECRET not in str(caught.value)


def test_options_are_not_shown(mirrored: Mirrored, options: dict[str, str]) -> None:
    events = ct.scan(mirrored.url, storage_options=options)
    assert SECRET not in events.explain() + repr(events)


# Other sources of keys


def test_an_inventory_of_a_bucket(mirrored: Mirrored, options: dict[str, str], store: Store, tmp_path: Path) -> None:
    listing = store.client.get_paginator("list_objects_v2").paginate(Bucket=mirrored.bucket)
    rows = [f'"{mirrored.bucket}","{item["Key"]}","{item["Size"]}"\n' for page in listing for item in page["Contents"]]
    body = gzip.compress("".join(rows).encode())
    (tmp_path / "part.csv.gz").write_bytes(body)
    checksum = hashlib.md5(body, usedforsecurity=False).hexdigest()
    manifest = {
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "part.csv.gz", "MD5checksum": checksum}],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    report = ct.Report()
    read = ct.read(ct.Inventory(tmp_path / "manifest.json"), storage_options=options, report=report)
    assert_frame_equal(read, mirrored.rows())
    assert report.requests == (0, 300, 0, 0)


def test_a_checkpoint_of_a_bucket(store: Store, tmp_path: Path) -> None:
    folder = make_archive(tmp_path / "logs", 40, days=8)
    keys = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.gz"))
    store.create("checkpointed")
    late = {keys[17], keys[18], keys[38]}
    for key in keys:
        if key not in late:
            store.put("checkpointed", key, (folder / key).read_bytes())

    def run(report: ct.Report) -> list[str]:
        with ct.Checkpoint(tmp_path / "state", rewind=timedelta(days=3)) as checkpoint:
            given: dict[str, Any] = {
                "checkpoint": checkpoint,
                "storage_options": options_of(store.endpoint),
                "report": report,
            }
            return ct.read("s3://checkpointed/", **given)["file"].unique(maintain_order=True).to_list()

    assert run(ct.Report()) == [f"s3://checkpointed/{key}" for key in keys if key not in late]
    for key in late:
        store.put("checkpointed", key, (folder / key).read_bytes())
    report = ct.Report()
    assert run(report) == [f"s3://checkpointed/{key}" for key in sorted(late)]
    assert report.requests.gets == 3
    assert report.files.skipped < 20  # of eight days, those before the window were not listed
    assert run(ct.Report()) == []


def test_one_client_serves_all_portions(mirrored: Mirrored, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctfast._scan.run._PORTION", Extent(files=20))
    report = ct.Report()
    named = ct.KeyList([f"{mirrored.url}/{key}" for key in mirrored.keys])
    assert_frame_equal(ct.read(named, storage_options=options_of(proxy.endpoint), report=report), mirrored.rows())
    assert report.requests == (0, 300, 0, 0)
    assert proxy.traffic.requests == {"get": 300}


def test_a_queue_of_new_objects(mirrored: Mirrored, options: dict[str, str]) -> None:
    lines = [
        json.dumps({"s3Bucket": mirrored.bucket, "s3ObjectKey": mirrored.keys[start : start + 7]})
        for start in range(0, 300, 7)
    ]
    assert_frame_equal(ct.read(ct.Messages(lines), storage_options=options), mirrored.rows())


def test_a_store_that_does_not_answer() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ct.SourceError) as caught:
            ct.read("s3://any", storage_options=options_of(endpoint, max_retries="1"))
    assert caught.value.kind == "network"
