"""Inventories, lists of keys, notifications and queues: each names the same objects, and counts what it skips."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import sys
from collections.abc import Container, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import boto3
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast._scan import run as _run
from ctfast._source.notices import NoticeError, read_notice
from ctfast._source.object_keys import Extent, Object, Portion, Row
from ctfast.sample import Sample
from seaweed import Store

BUCKET = "trail-logs"
FOLDER = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/12"
KEYS = [
    f"{FOLDER}/111122223333_CloudTrail_eu-west-1_20250312T{hour:02}00Z_Ab12cd34Ef56gh7{hour}.json.gz"
    for hour in range(6)
]
ODD = "my logs/ä+b%20c/" + KEYS[0]
OTHERS = ["AWSLogs/111122223333/Config/eu-west-1/2025/3/12/ConfigHistory/x.json.gz", "index.html"]
VALIDATION = "CloudTrail validation message."
TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2025-03-12T00:00:00.000Z", "Bucket": BUCKET}


def cloudtrail(*keys: str) -> str:
    return json.dumps({"s3Bucket": BUCKET, "s3ObjectKey": list(keys)})


def s3_event(*keys: str, name: str = "ObjectCreated:Put") -> str:
    described = [{"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key, safe="/"), "size": 7}} for key in keys]
    return json.dumps(
        {
            "Records": [
                {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name, "s3": one} for one in described
            ]
        }
    )


def sns(message: str) -> str:
    return json.dumps(
        {"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": message}
    )


def sqs(body: str) -> str:
    return json.dumps({"MessageId": "q", "ReceiptHandle": "r", "Body": body})


def eventbridge(key: str, kind: str = "Object Created") -> str:
    detail = {"version": "0", "bucket": {"name": BUCKET}, "object": {"key": key, "size": 7}, "reason": "PutObject"}
    return json.dumps({"version": "0", "detail-type": kind, "source": "aws.s3", "detail": detail})


def urls(*keys: str) -> list[str]:
    return [f"s3://{BUCKET}/{key}" for key in keys]


# Notifications


@pytest.mark.parametrize("wrap", [str, sns, sqs, lambda text: sqs(sns(text)), json.dumps])
@pytest.mark.parametrize("form", [cloudtrail, s3_event, eventbridge])
@pytest.mark.parametrize("key", [KEYS[0], ODD])
def test_a_notification_names_its_object_however_it_is_wrapped(wrap: Any, form: Any, key: str) -> None:
    found = read_notice(wrap(form(key)))
    assert [(one.bucket, one.key) for one in found.objects] == [(BUCKET, key)]
    assert not found.skipped


def test_a_message_may_name_several_objects() -> None:
    assert [one.key for one in read_notice(cloudtrail(*KEYS)).objects] == KEYS
    assert [one.key for one in read_notice(sns(s3_event(*KEYS))).objects] == KEYS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (VALIDATION, "test"),
        (sns(VALIDATION), "test"),
        (json.dumps(TEST), "test"),
        (sns(json.dumps(TEST)), "test"),
        (s3_event(KEYS[0], name="ObjectRemoved:Delete"), "event"),
        (eventbridge(KEYS[0], "Object Deleted"), "event"),
    ],
)
def test_what_names_no_new_object_is_skipped(text: str, reason: str) -> None:
    found = read_notice(text)
    assert (found.objects, dict(found.skipped)) == ([], {reason: 1})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing that is known",
        "[]",
        "7",
        "{}",
        '{"Records": 7}',
        '{"Records": [{"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com"}]}',
        '{"s3Bucket": "b", "s3ObjectKey": [7]}',
        '{"s3ObjectKey": ["k"]}',
        '{"detail-type": "Object Created", "detail": {"bucket": {}, "object": {"key": "k"}}}',
        '{"detail-type": "Object Created"}',
        "[" * 100_000,
        json.dumps({"Message": "x" * 100}),
    ],
)
def test_what_is_no_notification_is_named_as_such(text: str) -> None:
    with pytest.raises(NoticeError) as caught:
        read_notice(text)
    assert len(str(caught.value)) < 120


def test_messages_in_messages_end() -> None:
    text = cloudtrail(KEYS[0])
    for _ in range(12):
        text = sns(text)[:1_000_000]
    with pytest.raises(NoticeError):
        read_notice(text)


# Lists


def test_messages_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    rows = [cloudtrail(KEYS[0], OTHERS[0]), "", VALIDATION, sns(s3_event(KEYS[1])), "garbage", sqs(eventbridge(ODD))]
    path.write_text("\n".join(rows) + "\r\n", encoding="utf-8")
    messages = ct.Messages(path)
    assert list(messages) == [
        Object(url, size) for url, size in zip(urls(KEYS[0], KEYS[1], ODD), (None, 7, 7), strict=True)
    ]
    assert dict(messages.skipped) == {"key": 1, "test": 1}
    assert messages.named == 3
    (bad,) = messages.bad
    assert (bad.key, bad.record, bad.kind) == (str(path), 4, "invalid-message")
    assert str(bad) == f"{path}: neither JSON nor a message that is known (line 5)"


def test_keys_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_bytes("\n".join([*KEYS, "", ODD, f"s3://other/{ODD}"]).encode())
    found = [one.url for one in ct.KeyList(path, bucket=BUCKET)]
    assert found == [*urls(*KEYS, ODD), f"s3://other/{ODD}"]
    assert [one.url for one in ct.KeyList(path)][:2] == KEYS[:2]


def test_keys_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(b"a.json\r\nb \xff.json\n")

    monkeypatch.setattr(sys, "stdin", Input)
    assert [one.url for one in ct.KeyList("-")] == ["a.json", "b \udcff.json"]


def test_a_list_is_read_lazily(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_bytes(b"a.json\n" + b"x" * (5 << 20))
    found = iter(ct.KeyList(path))
    assert next(found).url == "a.json"
    with pytest.raises(ct.FormatError, match=r"keys\.txt: a line of more than 4 MiB \(line 2\)"):
        next(found)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(ct.KeyList(tmp_path / "none"))


# Inventories


ROWS: list[tuple[str, int, bool, bool]] = [
    *((key, 100 + number, True, False) for number, key in enumerate(KEYS)),
    (ODD, 1, True, False),
    (KEYS[1], 3, False, False),
    (KEYS[2], 0, True, True),
    *((key, 5, True, False) for key in OTHERS),
]
SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size"


def csv_part(rows: list[tuple[str, int, bool, bool]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    for key, size, latest, deleted in rows:
        writer.writerow([BUCKET, quote_plus(key, safe="/"), "v", str(latest).lower(), str(deleted).lower(), size or ""])
    return gzip.compress(text.getvalue().encode())


def parquet_part(rows: list[tuple[str, int, bool, bool]]) -> bytes:
    keys, sizes, latest, deleted = (list(column) for column in zip(*rows, strict=True))
    table = pa.table(
        {"bucket": [BUCKET] * len(rows), "key": keys, "is_latest": latest, "is_delete_marker": deleted, "size": sizes}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=3)
    return bytes(sink.getvalue())


def write_inventory(root: Path, form: str, *, damage: bool = False) -> Path:
    """An inventory of two files, in a folder that stands for the destination bucket."""
    make, ending = {"CSV": (csv_part, "csv.gz"), "Parquet": (parquet_part, "parquet")}[form]
    files = []
    for number, rows in enumerate([ROWS[:4], ROWS[4:]]):
        body = make(rows)
        key = f"inventories/{BUCKET}/all/data/{number}.{ending}"
        files.append(
            {"key": key, "size": len(body), "MD5checksum": hashlib.md5(body, usedforsecurity=False).hexdigest()}
        )
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body[:-1] + b"?" if damage and number else body)
    manifest = root / "inventories" / BUCKET / "all" / "2025-03-13T01-00Z" / "manifest.json"
    manifest.parent.mkdir()
    schema = (
        SCHEMA
        if form == "CSV"
        else "message s3.inventory { required binary bucket (STRING); required binary key (STRING); }"
    )
    manifest.write_text(
        json.dumps(
            {
                "sourceBucket": BUCKET,
                "destinationBucket": "arn:aws:s3:::inventory-bucket",
                "version": "2016-11-30",
                "creationTimestamp": "1741827600000",
                "fileFormat": form,
                "fileSchema": schema,
                "files": files,
            }
        )
    )
    return manifest


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_an_inventory_names_the_latest_logs(tmp_path: Path, form: str) -> None:
    inventory = ct.Inventory(write_inventory(tmp_path, form))
    for _ in range(2):
        sizes = [100, 101, 102, 103, 104, 105, 1]
        assert list(inventory) == [Object(*pair) for pair in zip(urls(*KEYS, ODD), sizes, strict=True)]
        assert dict(inventory.skipped) == {"version": 1, "deleted": 1, "key": 2}


def test_an_inventory_in_s3(tmp_path: Path, store: Store) -> None:
    manifest = write_inventory(tmp_path, "CSV")
    store.upload("inventory-bucket", tmp_path)
    url = f"s3://inventory-bucket/{manifest.relative_to(tmp_path).as_posix()}"
    assert [one.url for one in ct.Inventory(url, client=store.client)] == urls(*KEYS, ODD)
    with pytest.raises(FileNotFoundError):
        list(ct.Inventory(url + "x", client=store.client))


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_a_file_that_is_not_what_the_manifest_says(tmp_path: Path, form: str) -> None:
    found = iter(ct.Inventory(write_inventory(tmp_path, form, damage=True)))
    with pytest.raises(ct.FormatError, match=r"its MD5 is [0-9a-f]{32}, but the manifest says [0-9a-f]{32}"):
        list(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fileFormat": "ORC"}, "an inventory in 'ORC' is not read, but in CSV or Parquet"),
        ({"files": 7}, "no manifest of an inventory"),
        ({"files": [{}]}, "no manifest of an inventory"),
        ({"fileSchema": "Bucket, Size"}, "not a file of an inventory"),
        ({"fileSchema": SCHEMA + ", ETag", "fileFormat": "Parquet"}, "not a file of an inventory"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_inventory(tmp_path, "CSV")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ct.FormatError, match=message):
        list(ct.Inventory(path))
    path.write_text("{")
    with pytest.raises(ct.FormatError, match="the manifest is not JSON"):
        list(ct.Inventory(path))


def test_a_missing_file_of_an_inventory(tmp_path: Path) -> None:
    path = write_inventory(tmp_path, "CSV")
    next(tmp_path.rglob("1.csv.gz")).unlink()
    with pytest.raises(FileNotFoundError):
        list(ct.Inventory(path))


# Queues


@pytest.fixture(scope="module")
def sqs_client() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "sqs",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    yield client
    client.close()
    server.stop()


@pytest.fixture
def queue(sqs_client: Any, request: pytest.FixtureRequest) -> str:
    return sqs_client.create_queue(QueueName=request.node.name[:60].replace("[", "-").replace("]", "-"))["QueueUrl"]


def left(client: Any, url: str) -> int:
    """The number of messages in a queue, visible or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def portion(files: list[Object], failed: Container[str] = ()) -> Portion:
    """A portion of files that were read, except for those that failed."""
    rows = (
        Row(file.url, None, None, "bad", "network", None, 0, 0, 0, None, None)
        if file.url in failed
        else Row(file.url, None, None, "read", None, None, 1, 0, 0, None, None)
        for file in files
    )
    return Portion("id", files, ledger={row.file: row for row in rows})


def test_a_message_is_deleted_once_its_files_are_done(sqs_client: Any, queue: str) -> None:
    for body in [sns(cloudtrail(*KEYS[:3])), sns(VALIDATION), s3_event(*KEYS[3:5]), "garbage", eventbridge(KEYS[5])]:
        sqs_client.send_message(QueueUrl=queue, MessageBody=body)
    source = ct.Queue(queue, client=sqs_client)
    files = list(source)
    assert sorted(one.url for one in files) == urls(*KEYS)
    assert dict(source.skipped) == {"test": 1}
    assert [bad.kind for bad in source.bad] == ["invalid-message"]
    source.commit()
    assert left(sqs_client, queue) >= 4  # nothing that names files is deleted yet
    source.done(portion(files[:-1]))
    source.done(portion(files[-1:]))
    source.commit()
    assert left(sqs_client, queue) == 1  # what is not understood stays


def test_a_message_with_a_file_that_failed_stays(sqs_client: Any, queue: str) -> None:
    for key in KEYS:
        sqs_client.send_message(QueueUrl=queue, MessageBody=sns(cloudtrail(key)))
    source = ct.Queue(queue, client=sqs_client)
    with source:
        source.done(portion(list(source), {urls(KEYS[2])[0], urls(KEYS[4])[0]}))
    assert left(sqs_client, queue) == 2


def test_a_queue_of_tests_only_is_emptied(sqs_client: Any, queue: str) -> None:
    for _ in range(3):
        sqs_client.send_message(QueueUrl=queue, MessageBody=VALIDATION)
    with ct.Queue(queue, client=sqs_client) as source:
        assert list(source) == []
    assert left(sqs_client, queue) == 0


def test_more_messages_than_one_request_gives(sqs_client: Any, queue: str) -> None:
    for number in range(35):
        sqs_client.send_message(QueueUrl=queue, MessageBody=cloudtrail(KEYS[number % 6]))
    source = ct.Queue(queue, client=sqs_client)
    files = list(source)
    assert len(files) == source.named == 35
    source.done(portion(files))
    assert left(sqs_client, queue) == 35
    source.commit()
    assert left(sqs_client, queue) == 0


def test_an_error_in_a_block_leaves_the_messages(sqs_client: Any, queue: str) -> None:
    sqs_client.send_message(QueueUrl=queue, MessageBody=cloudtrail(*KEYS))

    def fail() -> None:
        with ct.Queue(queue, client=sqs_client) as source:
            source.done(portion(list(source)))
            raise RuntimeError("a disk is full")

    with pytest.raises(RuntimeError):
        fail()
    assert left(sqs_client, queue) == 1


def test_what_a_failed_block_has_read_stays_in_the_queue_when_a_later_one_ends_well(
    sqs_client: Any, queue: str
) -> None:
    sqs_client.send_message(QueueUrl=queue, MessageBody=cloudtrail(*KEYS))
    source = ct.Queue(queue, client=sqs_client)

    def fail() -> None:
        with source:
            source.done(portion(list(source)))
            raise RuntimeError("a disk is full")

    with pytest.raises(RuntimeError):
        fail()
    with source:
        pass
    assert left(sqs_client, queue) == 1


def test_a_queue_that_is_not_there(sqs_client: Any, queue: str) -> None:
    with pytest.raises(ct.ServiceError, match="ReceiveMessage") as caught:
        list(ct.Queue(f"{queue}-none", client=sqs_client))
    assert (caught.value.kind, caught.value.status) == ("refused", 400)


def test_a_wait_that_would_miss_messages_is_refused() -> None:
    with pytest.raises(ValueError, match="wait must be between 1 and 20 seconds, not 0"):
        ct.Queue("https://sqs.eu-west-1.amazonaws.com/1/q", wait=timedelta(0))


# Scans


@pytest.fixture
def listed(sample: Sample) -> list[str]:
    """The files of the sample archive, digests among them, in the order of their keys."""
    return sorted((str(path) for path in sample.archive.rglob("*.gz")), key=os.fsencode)


def test_a_scan_of_a_list_is_a_scan_of_the_folder(
    sample: Sample, listed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_run, "_PORTION", Extent(files=7))
    report, expected = ct.Report(), ct.Report()
    frame = ct.read(ct.KeyList(listed), report=report)
    assert_frame_equal(frame, ct.read(sample.archive, report=expected))
    assert report.files.read == expected.files.read
    assert (report.records, report.bytes, report.complete) == (expected.records, expected.bytes, True)
    assert report.files.listed == len(listed)
    query = pl.col("eventName") == "DeleteBucket"
    source = ct.KeyList(listed)
    for _ in range(2):
        assert_frame_equal(ct.scan(source).filter(query).collect(), ct.scan(sample.archive).filter(query).collect())
    assert ct.scan(source).head(5).collect().height == 5
    assert "the list of keys" in ct.scan(source).explain()


def test_a_head_of_a_list_is_not_complete(listed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_run, "_PORTION", Extent(files=2))
    report = ct.Report()
    ct.scan(ct.KeyList(listed), report=report).head(3).collect()
    assert not report.complete
    assert report.files.listed < len(listed)


def test_an_empty_list_is_complete() -> None:
    report = ct.Report()
    with pytest.warns(ct.NothingChosen):
        assert ct.read(ct.KeyList([]), report=report).height == 0
    assert report.complete
    assert report.files == (0, 0, 0, 0)


def test_files_of_a_list_that_are_not_there(listed: list[str], tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.json.gz")
    report = ct.Report()
    ct.read(ct.KeyList([listed[0], gone, listed[1]]), report=report, on_error="collect")
    assert report.bad.select("file", "kind").rows() == [(gone, "unreadable")]
    assert report.files.listed == 3
    with pytest.raises(ct.SourceError):
        ct.read(ct.KeyList([listed[0], gone]))


def test_messages_that_are_none_are_findings(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text(f"{VALIDATION}\n{{}}\n{VALIDATION}\n")
    report = ct.Report()
    assert ct.read(ct.Messages(path), on_error="collect", report=report).height == 0
    assert report.bad.select("file", "record", "kind").rows() == [(str(path), 1, "invalid-message")]
    assert (report.files, report.skipped) == ((3, 0, 1, 2), {"test": 2})
    with pytest.raises(ct.FormatError, match=r"\(line 2\)"):
        ct.read(ct.Messages(path))


def test_a_source_of_keys_is_no_archive(sample: Sample) -> None:
    with pytest.raises(
        TypeError, match=r"source must be the folder of an archive, not KeyList: what names files for a scan"
    ):
        ct.verify(ct.KeyList([]), keys=[])
    with pytest.raises(ValueError, match="verify reads a whole archive"):
        ct.scan(ct.KeyList([]), verify=ct.Verifier(keys=sample.keys))


class Loop(ct.KeyList):
    """A list that records the calls of a scan."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.told: list[str] = []

    def done(self, portion: Portion) -> None:
        ledger = portion.ledger or {}
        self.told += [f"{ledger[file.url].outcome} {Path(file.url).name[-12:]}" for file in portion.files]

    def commit(self) -> None:
        self.told.append("commit")


def test_nothing_is_committed_but_by_the_consumer(listed: list[str], tmp_path: Path) -> None:
    logs = [name for name in listed if "/CloudTrail/" in name][:2]
    gone = str(tmp_path / "gone.json.gz")
    one, other = (f"read {Path(name).name[-12:]}" for name in logs)
    source = Loop([logs[0], gone, logs[1]])
    with ct.stream(source, on_error="collect") as batches:
        assert sum(batch.num_rows for batch in batches)
    assert source.told == [one, "bad gone.json.gz", other]
    source.told.clear()
    with ct.stream(source, on_error="collect") as events:
        for unit in events.units(max_files=2):
            with unit:
                assert sum(batch.num_rows for batch in unit)
    assert source.told == [one, "bad gone.json.gz", "commit", other, "commit"]
    source.told.clear()
    with source:
        ct.read(source, on_error="collect")
    assert source.told == [one, "bad gone.json.gz", other, "commit"]
