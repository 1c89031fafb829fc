"""Archive classes and old versions: what an ingest would read, what has to be restored first, what was replaced."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

import ctfast as ct
from ctfast._cost.restores import restore
from loopback import Request, error, response
from test_lake import event
from use.scripted import playing

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

ACCOUNTS = ("111122223333", "444455556666")


def key(name: str, account: str = ACCOUNTS[0], month: int = 3) -> str:
    day = f"2025/{month:02}/12"
    stamp = day.replace("/", "")
    return f"AWSLogs/{account}/CloudTrail/eu-west-1/{day}/{account}_CloudTrail_eu-west-1_{stamp}T0500Z_{name}.json.gz"


def body(*numbers: int) -> bytes:
    return gzip.compress(json.dumps({"Records": [event(number) for number in numbers]}).encode(), mtime=0)


class Bucket:
    """A bucket of moto's server, which has archive classes and versions."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint, self.name = endpoint, name
        self.client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.client.create_bucket(Bucket=name)

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    @property
    def options(self) -> dict[str, str]:
        return {
            "endpoint_url": self.endpoint,
            "region": "us-east-1",
            "access_key_id": "a",
            "secret_access_key": "b",
            "max_retries": "2",
        }

    def put(self, key: str, content: bytes, storage: str = "STANDARD") -> str:
        put = self.client.put_object(Bucket=self.name, Key=key, Body=content, StorageClass=storage)
        return str(put.get("VersionId"))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(endpoint, f"logs-{abs(hash(request.node.name))}")


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    return ct.Lake(tmp_path / "lake")


@pytest.fixture
def tiers(bucket: Bucket) -> Bucket:
    """Three months, of which two are archived."""
    bucket.put(key("a", month=1), body(1), "DEEP_ARCHIVE")
    bucket.put(key("b", month=1), body(2, 3), "DEEP_ARCHIVE")
    bucket.put(key("c", ACCOUNTS[1], month=2), body(4), "GLACIER")
    bucket.put(key("d", ACCOUNTS[1], month=3), body(5), "STANDARD_IA")
    bucket.put("index.html", b"no log", "GLACIER")
    return bucket


def read(lake: ct.Lake, bucket: Bucket, **more: Any) -> ct.Ingested:
    return lake.ingest(bucket.url, storage_options=bucket.options, **more)


# What would be read


def test_a_plan_tells_months_accounts_and_classes(lake: ct.Lake, tiers: Bucket) -> None:
    plan = lake.plan(tiers.url, storage_options=tiers.options)
    one, two = ACCOUNTS
    sizes = [len(body(1)) + len(body(2, 3)), len(body(4)), len(body(5))]
    assert plan.files.rows() == [
        ("2025-01", one, "unknown", "DEEP_ARCHIVE", 2, sizes[0]),
        ("2025-02", two, "unknown", "GLACIER", 1, sizes[1]),
        ("2025-03", two, "new", None, 1, sizes[2]),
    ]
    assert plan.restores.drop("price").rows() == [
        ("DEEP_ARCHIVE", "bulk", 2, sizes[0], 48),
        ("DEEP_ARCHIVE", "standard", 2, sizes[0], 12),
        ("GLACIER", "bulk", 1, sizes[1], 12),
        ("GLACIER", "standard", 1, sizes[1], 5),
    ]
    assert not lake.path.exists()
    read(lake, tiers)
    again = lake.plan(tiers.url, storage_options=tiers.options, accounts=two)
    assert [row[2] for row in again.files.rows()] == ["unknown", "known"]


def test_a_plan_of_a_folder(lake: ct.Lake, tmp_path: Path) -> None:
    root = tmp_path / "logs"
    for number, name in enumerate((key("a"), key("b", month=4), "a.json")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body(number))
    loop = root / "loop.json"
    loop.symlink_to(loop)
    plan = lake.plan(root)
    assert plan.files.drop("bytes").rows() == [
        (None, None, "new", None, 1),
        ("2025-03", ACCOUNTS[0], "new", None, 1),
        ("2025-04", ACCOUNTS[0], "new", None, 1),
    ]
    assert plan.restores.is_empty()
    assert (plan.unlisted, [error.key for error in plan.errors]) == (1, [str(loop)])


def test_the_price_is_that_of_the_page_of_aws() -> None:
    """AWS's own example: 15 million objects of 100 TB, with the storage of the copies for a week on top."""
    copies = 102_400 * 0.023 * 7 / 30
    assert restore("GLACIER", "standard", 15_000_000, 102_400 << 30).price == round(750 + 1_024 + copies, 2)
    assert restore("GLACIER", "bulk", 15_000_000, 102_400 << 30).price == round(copies, 2)


# What is restored


def test_what_is_archived_is_not_bad_and_is_read_once_it_is_restored(lake: ct.Lake, tiers: Bucket) -> None:
    first = read(lake, tiers)
    assert (first.stored, first.archived, first.asked, first.bad_files, first.unlisted) == (1, 3, 0, 0, 0)
    assert {error.kind for error in first.errors} == {"archived"}
    assert lake.bad().collect().is_empty()
    asked = read(lake, tiers, restore="bulk")
    assert (asked.files, asked.archived, asked.asked) == (0, 3, 3)
    for name in (key("a", month=1), key("c", ACCOUNTS[1], month=2)):
        assert "Restore" in tiers.client.head_object(Bucket=tiers.name, Key=name)
    last = read(lake, tiers)
    assert (last.files, last.stored, last.archived, last.known, last.errors) == (3, 4, 0, 1, ())
    info = lake.info()
    assert (info.files, info.records, info.read) == (4, 5, 5)


def listed(*objects: tuple[str, int, str]) -> bytes:
    contents = "".join(f"<Contents><Key>{key}</Key><Size>{size}</Size>{more}</Contents>" for key, size, more in objects)
    text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
    return response(200, text.encode())


def test_a_store_that_tells_what_is_restored_is_asked_for_nothing_else(lake: ct.Lake) -> None:
    """As S3 does, once a listing asks for it."""
    states = {"restored": "false", "restoring": "true"}
    contents = {name: body(number) for number, name in enumerate([*states, "usual"])}

    def script(request: Request) -> bytes:
        if "list-type" not in request.target:
            return response(200, contents[request.key.rpartition("_")[2].removesuffix(".json.gz")])
        objects = []
        for name, content in contents.items():
            more = "<StorageClass>GLACIER</StorageClass>" if name in states else ""
            if name in states and request.headers.get("x-amz-optional-object-attributes") == "RestoreStatus":
                state = f"<IsRestoreInProgress>{states[name]}</IsRestoreInProgress>"
                more += f"<RestoreStatus>{state}</RestoreStatus>"
            objects.append((key(name), len(content), more))
        return listed(*sorted(objects))

    with playing(script) as store:
        plan = lake.plan("s3://logs", storage_options=store.options)
        told = [(row[2], row[3]) for row in plan.files.rows()]
        assert told == [("new", None), ("new", "GLACIER"), ("restoring", "GLACIER")]
        found = lake.ingest("s3://logs", storage_options=store.options)
        assert (found.files, found.archived, found.errors) == (2, 1, ())
        gets = [request.key for request in store.asked if "list-type" not in request.target]
        assert sorted(gets) == sorted([key("restored"), key("usual")])
        asking = [request.headers for request in store.asked if "x-amz-optional-object-attributes" in request.headers]
        assert asking
        assert all("x-amz-optional-object-attributes;" in headers["authorization"] for headers in asking)


def test_a_store_without_archived_objects_is_not_asked_for_their_state(lake: ct.Lake) -> None:
    def script(request: Request) -> bytes:
        return listed((key("a"), len(body(1)), "")) if "list-type" in request.target else response(200, body(1))

    with playing(script) as store:
        assert lake.ingest("s3://logs", storage_options=store.options).stored == 1
        assert all("x-amz-optional-object-attributes" not in request.headers for request in store.asked)


def test_a_restoration_that_is_refused_is_told(lake: ct.Lake) -> None:
    def script(request: Request) -> bytes:
        if request.method == "POST":
            return error(403, "AccessDenied")
        if "list-type" in request.target:
            return listed((key("a"), 5, "<StorageClass>GLACIER</StorageClass>"))
        return error(403, "InvalidObjectState")

    with (
        playing(script) as store,
        pytest.raises(ct.ServiceError, match=r"RestoreObject, s3://logs/AWSLogs.*AccessDenied"),
    ):
        lake.ingest("s3://logs", storage_options=store.options | {"region": "us-east-1"}, restore="standard")


# The command


def run(bucket: Bucket, lake: ct.Lake, *more: str) -> subprocess.CompletedProcess[str]:
    options = [f"--storage-option={name}={value}" for name, value in bucket.options.items()]
    arguments = [sys.executable, "-m", "ctfast", "ingest", bucket.url, str(lake.path), *options, *more]
    return subprocess.run(arguments, check=False, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})


def test_the_command_plans_and_asks(lake: ct.Lake, tiers: Bucket) -> None:
    plan = run(tiers, lake, "--plan")
    assert plan.returncode == 0, plan.stderr
    rows = [json.loads(line) for line in plan.stdout.splitlines()]
    assert [(row["month"], row["storage"], row["files"]) for row in rows] == [
        ("2025-01", "DEEP_ARCHIVE", 2),
        ("2025-02", "GLACIER", 1),
        ("2025-03", None, 1),
    ]
    assert "--restore bulk: 2 objects of DEEP_ARCHIVE, " in plan.stderr
    assert "0.00 USD, usually within 48 hours\n" in plan.stderr
    assert "prices for US regions, in a table of 2026-11-20; copies are kept for a week\n" in plan.stderr
    assert not lake.path.exists()
    asked = run(tiers, lake, "--restore", "bulk")
    assert asked.returncode == 1
    assert "3 objects in an archive class of S3, to be restored first; S3 was asked to restore 3\n" in asked.stderr
    assert run(tiers, lake).returncode == 0
    for given in (["--plan", "--follow"], ["--plan", "--restore", "bulk"], ["--restore", "bulk", "--follow"]):
        refused = run(tiers, lake, *given)
        assert refused.returncode == 2
        assert "are different runs: leave one out" in refused.stderr


# Versions


@pytest.fixture
def versioned(bucket: Bucket) -> Bucket:
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def test_old_versions_have_what_was_replaced_or_deleted(lake: ct.Lake, versioned: Bucket) -> None:
    first = versioned.put(key("changed"), body(1, 2))
    versioned.put(key("changed"), body(1))
    gone = versioned.put(key("gone", ACCOUNTS[1]), body(3))
    versioned.client.delete_object(Bucket=versioned.name, Key=key("gone", ACCOUNTS[1]))
    versioned.put("index.html", b"no log")
    versioned.put("index.html", b"another")
    assert read(lake, versioned).stored == 1
    assert read(lake, versioned, accounts=ACCOUNTS[0], versions=True).stored == 1
    found = read(lake, versioned, versions=True)
    assert (found.files, found.stored, found.known) == (1, 1, 2)
    rows = lake.scan().select("eventID", "file").sort("eventID").collect().rows()
    prefix = f"{versioned.url}/"
    assert rows == [
        ("00000001", f"{prefix}{key('changed')}"),
        ("00000002", f"{prefix}{key('changed')}?versionId={first}"),
        ("00000003", f"{prefix}{key('gone', ACCOUNTS[1])}?versionId={gone}"),
    ]
    assert lake.copies().select("file").collect().rows() == [(f"{prefix}{key('changed')}?versionId={first}",)]
    assert read(lake, versioned, versions=True).files == 0
    versioned.put(key("changed"), body(4))
    assert read(lake, versioned).stored == 1
    # The version that was the current one was known under its plain address.
    again = read(lake, versioned, versions=True)
    assert (again.stored, again.duplicates) == (0, 1)


def test_a_bucket_in_which_all_was_deleted(lake: ct.Lake, versioned: Bucket) -> None:
    versioned.put(key("a"), body(1))
    versioned.client.delete_object(Bucket=versioned.name, Key=key("a"))
    with pytest.raises(FileNotFoundError, match="no object has this key"):
        read(lake, versioned)
    assert read(lake, versioned, versions=True).stored == 1
    with pytest.raises(FileNotFoundError, match="no object has this key"):
        lake.ingest(f"{versioned.url}/AWSLgos/", storage_options=versioned.options, versions=True)


def test_versions_of_a_folder_are_refused(lake: ct.Lake, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with pytest.raises(ct.ArgumentError, match="is on the disk: leave it out"):
        lake.ingest(tmp_path / "logs", versions=True)
