"""`ct.Lake` in a bucket: what it does on a disk, whoever writes at the same time, and whatever is interrupted."""

from __future__ import annotations

import json
import multiprocessing
import operator
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from asyncio import StreamWriter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast._lake import compact, sweep
from ctfast._lake.table import LostRaceError, Table
from ctfast._store import bucket as in_bucket
from ctfast.cli import main
from ctfast.sample import Sample
from loopback import Request, Traffic, error, response, serving
from mirrored import options_of
from proxy import Fault, Proxy
from seaweed import SECRET, Store
from test_lake import event, holds, put, twice
from test_lake_retention import everything, ids, is_old, old

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

GET0 = ct.FilterPattern("{ $.eventName = Get0 }")
NOTHING = Fault()
_INGEST = "import json, os, sys, ctfast as ct; ct.Lake(sys.argv[1], storage_options=json.loads(sys.argv[2]))"


@dataclass
class Place:
    """A prefix of a bucket of its own."""

    store: Store
    bucket: str
    prefix: str = "lake"

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def options(self) -> dict[str, str]:
        return options_of(self.store.endpoint)

    def lake(self, endpoint: str | None = None) -> ct.Lake:
        """The lake as another process sees it."""
        return ct.Lake(self.url, storage_options=options_of(endpoint or self.store.endpoint, max_retries="2"))

    def objects(self, below: str = "") -> list[str]:
        found = self.store.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.prefix}/{below}"
        )
        return [each["Key"].removeprefix(f"{self.prefix}/") for page in found for each in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        found = self.store.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}")
        return found["Body"].read()  # type: ignore[no-any-return]

    def write(self, key: str, content: bytes) -> None:
        self.store.put(self.bucket, f"{self.prefix}/{key}", content)

    def remove(self, key: str) -> None:
        self.store.client.delete_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}")

    def copy(self, folder: Path) -> Any:
        """All objects below a folder, which stands for a lake."""
        for key in self.objects():
            place = folder / key
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.read(key))
        return SimpleNamespace(path=folder)

    def command(self, *calls: str) -> list[str]:
        return [sys.executable, "-c", _INGEST + "".join(calls), self.url, json.dumps(self.options)]


@pytest.fixture
def place(store: Store, request: pytest.FixtureRequest) -> Place:
    name = f"lake-{abs(hash(request.node.nodeid)) % 10**12}"
    store.create(name)
    return Place(store, name)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return twice(tmp_path)


def alike(one: ct.Lake, other: ct.Lake) -> None:
    """Two lakes hold the same, however they came to."""
    for name in ("records", "files", "bad_files", "read", "duplicates", "bad", "deleted", "differ"):
        assert getattr(one.info(), name) == getattr(other.info(), name), name
    rows = [lake.scan().drop("ingest").sort("file", "record").collect() for lake in (one, other)]
    assert rows[0].equals(rows[1])
    places = [lake.copies().sort("file", "record").collect() for lake in (one, other)]
    assert places[0].equals(places[1])
    assert one.holds() == other.holds()
    assert [entry["action"] for entry in one.audit()] == [entry["action"] for entry in other.audit()]
    assert one.bad().collect().equals(other.bad().collect())


# What it does


def test_it_does_what_a_lake_on_disk_does(place: Place, archive: Path, tmp_path: Path) -> None:
    disk = ct.Lake(tmp_path / "disk")
    bucket = place.lake()
    bad = put(archive, "bad", [event(8_000)])
    bad.write_bytes(b"no gzip")
    for lake in (disk, bucket):
        done = lake.ingest(archive)
        assert (done.stored, done.duplicates, done.bad_files) == (560, 80, 1)
        assert lake.ingest(archive).known == done.files
    put(archive, "a_late_one", [event(5_000), event(5)])
    for lake in (disk, bucket):
        assert lake.ingest(archive).stored == 1
        assert lake.compact().into == 1
        lake.hold("case", where=GET0)
        assert lake.retain(7).rows > 0
    alike(disk, bucket)
    for lake in (disk, bucket):
        assert lake.retain(7, delete=True).left == 0
    alike(disk, bucket)
    for lake in (disk, bucket):
        lake.release("case")
        lake.retain(7, delete=True)
    alike(disk, bucket)
    # And as another process sees it.
    alike(place.lake(), bucket)
    assert str(place.lake().path) == place.url
    assert repr(bucket) == f"Lake('{place.url}')"


def test_all_columns_and_other_readers(place: Place, sample: Sample) -> None:
    lake = place.lake()
    lake.ingest(sample.archive)
    key = ["file", "record"]
    scanned = ct.scan(sample.archive).sort(key).collect()
    assert lake.scan().sort(key).collect().select(scanned.columns).equals(scanned)
    given = place.options | {"aws_allow_http": "true"}
    assert pl.scan_delta(place.url, storage_options=given).select(pl.len()).collect().item() == 1039


def test_a_query_for_one_event_opens_what_may_have_it(place: Place, proxy: Proxy, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    for month in range(1, 9):
        events = [event(number, month=month) for number in range(month * 100, month * 100 + 50)]
        put(archive, "a", events, day=f"2025/{month:02}/12")
    place.lake().ingest(archive)
    lake = place.lake(proxy.endpoint)
    opened = set()

    def noted(request: Request) -> Fault:
        if request.kind == "get" and "/month=" in request.key and request.key.endswith(".parquet"):
            opened.add(request.key)
        return NOTHING

    proxy.fault = noted
    assert lake.scan().filter(pl.col("eventID") == "00000320").collect().height == 1
    assert len(opened) == 1
    assert lake.scan().filter(pl.col("eventID") == "no such id").collect().height == 0
    assert lake.scan().collect().height == 400
    assert len(opened) == 8


def test_splits_of_other_processes(place: Place, archive: Path) -> None:
    splits = ct.splits(archive, target=3 * (16 << 10))
    write = operator.methodcaller("write_parquet", place.url, storage_options=place.options)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        messages = pool.map(write, splits)
    assert write(splits[0]) == messages[0]
    half = len(messages) // 2
    lake = place.lake()
    lake.commit(messages[:half], run="run", n=1)
    lake.commit(messages[half:], run="run", n=2)
    holds(lake, archive)
    version = lake.info().version
    lake.commit(messages[:half], run="run", n=1)
    lake.commit([write(split) for split in splits], run="other", n=1)
    assert lake.info().version == version + 1
    holds(lake, archive)
    # Neither messages nor parts that were replaced are left.
    assert place.objects("_splits/") == []
    live = sorted(part.path for part in Table(place.url, place.options).open().parts())
    assert [key for key in place.objects() if key.startswith("month=")] == live
    assert sorted(place.objects("_ctfast/keys/")) == [f"_ctfast/keys/{path[:-8]}.keys" for path in live]


def test_an_archive_in_a_bucket(place: Place, archive: Path) -> None:
    """One set of options serves both; a lake within its archive is refused."""
    logs = place.store.upload(f"{place.bucket}-logs", archive)
    lake = place.lake()
    done = lake.ingest(f"s3://{place.bucket}-logs")
    assert (done.files, done.stored) == (len(logs), 560)
    for source in (f"s3://{place.bucket}", f"s3://{place.bucket}/", f"s3://{place.bucket}/lake"):
        with pytest.raises(ct.ArgumentError, match=r"has the lake .* in it"):
            lake.ingest(source)
    assert lake.ingest(f"s3://{place.bucket}-logs").known == len(logs)


@pytest.mark.parametrize("prefix", ["a blank", "50%", "ü * [x]", "x=1&y+z", "a:b~c,'d'(e)!", "deep/er"])
def test_prefixes_with_unusual_names(prefix: str, place: Place, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=2)
    place.prefix = prefix
    lake = place.lake()
    lake.ingest(archive)
    holds(lake, archive)
    assert [key for key in place.objects("month=") if not key.endswith(".parquet")] == []
    assert place.objects("_delta_log/")[0].endswith("0.json")


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("a%20b", "has a % with two digits"),
        ("a?b", r"has '\?', at which other readers cut an address"),
        ("a#b", "has '#', at which"),
        ("a//b", "has a step that is empty"),
        ("a/../b", r"has a step that is empty, \. or \.\."),
        ("a\nb", "has .*, at which"),
    ],
)
def test_prefixes_that_others_misread_are_refused(prefix: str, words: str) -> None:
    for call in (lambda: ct.Lake(f"s3://bucket/{prefix}"), lambda: ct.Lake(f"s3://bucket/x/{prefix}/")):
        with pytest.raises(ct.ArgumentError, match=words) as caught:
            call()
        assert (caught.value.argument, str(caught.value).count("\n")) == ("path", 0)


def test_addresses_that_are_none() -> None:
    for address, words in (
        ("s3a://bucket/x", "write 's3://bucket/x'"),
        ("s3://no_bucket!/x", "is not the name of a bucket"),
        ("s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/audit/x", "is an access point"),
    ):
        with pytest.raises(ct.ArgumentError, match=words):
            ct.Lake(address)


def test_the_command(place: Place, archive: Path, tmp_path: Path) -> None:
    given = [part for name, value in place.options.items() for part in ("--storage-option", f"{name}={value}")]

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, [*arguments, *given])
        assert result.exit_code == code, result.output
        return result.output

    run("ingest", str(archive), place.url)
    run("lake", "hold", place.url, "case", "--where", "{ $.eventName = Get0 }")
    assert json.loads(run("lake", "holds", place.url))["name"] == "case"
    assert "kept by a hold" in run("lake", "retain", place.url, "--days", "7", "--delete")
    run("lake", "release", place.url, "case")
    assert "nothing to join" in run("lake", "compact", place.url)
    assert json.loads(run("lake", "info", place.url))["deleted"] > 0
    (tmp_path / "splits").write_text("".join(f"{split.json()}\n" for split in ct.splits(archive)))
    assert json.loads(run("split-run", str(tmp_path / "splits"), "-o", place.url).splitlines()[0])["split"]


# Retention


def test_what_is_deleted_is_in_no_object_any_more(place: Place, tmp_path: Path) -> None:
    events = [old(number) for number in range(210)]
    put(tmp_path / "archive", "one", events[:150], day="2025/03/12")
    put(tmp_path / "archive", "two", events[100:], day="2025/04/12")
    lake = place.lake()
    lake.ingest(tmp_path / "archive")
    before = ids(lake)
    text = everything(place.copy(tmp_path / "before"))
    assert all(each in text for each in before)
    done = lake.retain(30, delete=True)
    assert (done.rows, done.left) == (sum(map(is_old, before)), 0)
    kept = [each for each in before if not is_old(each)]
    assert ids(lake) == kept
    text = everything(place.copy(tmp_path / "after"))
    assert [each for each in before if is_old(each) and each in text] == []
    assert all(each in text for each in kept)


def test_a_bucket_with_versions_keeps_what_is_removed_and_says_so(place: Place, archive: Path) -> None:
    place.store.client.put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration={"Status": "Enabled"})
    lake = place.lake()
    lake.ingest(archive)
    # A process that has written nothing before it deletes knows it as well.
    done = place.lake().retain(7, delete=True)
    assert (done.rows, done.left) == (560, 1)


# Who else writes


def test_three_at_once(place: Place, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=24)
    command = [*place.command(".ingest(sys.argv[3], threads=1)"), str(archive)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for each in running:
        _, words = each.communicate(timeout=120)
        assert each.returncode == 0, words
    lake = place.lake()
    info = lake.info()
    assert (info.records, info.read) == (24 * 70, info.records + info.duplicates)
    assert place.objects("_splits/") == []


def test_killed_at_any_moment(place: Place, tmp_path: Path) -> None:
    archive = twice(tmp_path, files=10)
    command = [*place.command(".ingest(sys.argv[3], threads=1)"), str(archive)]
    chance = random.Random(20250312)
    for _ in range(6):
        running = subprocess.Popen(command)
        time.sleep(chance.uniform(0.5, 2.5))
        running.send_signal(signal.SIGKILL)
        running.wait()
    lake = place.lake()
    lake.ingest(archive)
    holds(lake, archive)


@pytest.fixture
def written(place: Place, archive: Path) -> list[ct.SplitMessage]:
    """Splits in a lake that have no commit."""
    place.lake().ingest(twice(archive.parent / "other", files=1))
    splits = ct.splits(archive, target=60_000)
    return [split.write_parquet(place.url, storage_options=place.options) for split in splits]


def test_old_parts_are_committed_under_new_names(
    place: Place, archive: Path, written: list[ct.SplitMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep may have looked at the old ones, and be about to remove them."""
    monkeypatch.setattr(in_bucket, "_YOUNG", -60)
    lake = place.lake()
    lake.commit(written, run="late", n=1)
    assert lake.info().records == 560
    parts = {part.path for message in written for part in message.files}
    assert {part.path for part in Table(place.url, place.options).open().parts()}.isdisjoint(parts)
    assert parts.isdisjoint(place.objects("month="))
    holds(lake, archive)
    # Each with its keys and filters.
    live = [part.path[:-8] for part in Table(place.url, place.options).open().parts()]
    for folder, suffix in (("keys", "keys"), ("index", "index")):
        assert sorted(place.objects(f"_ctfast/{folder}/")) == sorted(
            f"_ctfast/{folder}/{path}.{suffix}" for path in live
        )


def test_a_commit_that_began_before_a_sweep_looks_again(
    place: Place, archive: Path, written: list[ct.SplitMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts were young when it looked, and were removed since."""
    lake = place.lake()
    began = Table(place.url, place.options).open()
    monkeypatch.setattr(sweep, "_IN_USE", timedelta(seconds=-60))
    parts = [part for message in written for part in message.files]
    assert lake.compact().deleted >= len(parts)
    assert lake.audit()[-1]["action"] == "sweep"
    with pytest.raises(LostRaceError):
        began.commit([], ["x"])
    with pytest.raises(FileNotFoundError, match="no such object"):
        lake.commit(written, run="late", n=1)
    monkeypatch.undo()
    lake.ingest(archive)
    assert lake.info().records == 560
    holds(lake, archive)


def test_a_sweep_that_is_overtaken_looks_again(
    place: Place, archive: Path, written: list[ct.SplitMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts are committed after it has listed them, and before its version."""
    lake, other = place.lake(), place.lake()
    usual = sweep.note

    def late(*arguments: Any, **facts: Any) -> str:
        monkeypatch.setattr(sweep, "note", usual)
        other.commit(written, run="late", n=1)
        return usual(*arguments, **facts)

    monkeypatch.setattr(sweep, "note", late)
    monkeypatch.setattr(sweep, "_IN_USE", timedelta(seconds=-60))
    monkeypatch.setattr(compact, "_SMALL", 0)
    lake.compact()
    holds(lake, archive)
    assert lake.info().records == 560


def test_an_object_of_the_name_of_a_part_is_taken_only_if_it_is_the_part(place: Place, archive: Path) -> None:
    [split] = ct.splits(archive)

    def write() -> ct.SplitMessage:
        return split.write_parquet(place.url, storage_options=place.options)

    message = write()
    [part] = message.files
    content = place.read(part.path)
    for wrong in (content[:-1], content[:-1] + b"x", b""):
        place.remove(f"_splits/{split.id}.message")
        place.write(part.path, wrong)  # without metadata, as other tools write it
        with pytest.raises(ValueError, match=f"{Path(part.path).name} is there already, with other contents"):
            write()
    place.write(part.path, content)
    assert write() == message
    holds_all = place.lake()
    holds_all.commit([message], run="r", n=1)
    holds(holds_all, archive)


# What is damaged or gone


@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_what_is_damaged_is_named(damage: str, place: Place, archive: Path) -> None:
    lake = place.lake()
    lake.ingest(archive)
    lake.hold("case", where=GET0)
    words = "is gone, and the table names it" if damage == "gone" else "is cut or was changed"
    calls: dict[str, list[Callable[[ct.Lake], object]]] = {
        "month=": [ct.Lake.scan, ct.Lake.info],
        "_ctfast/ledger/": [ct.Lake.info, ct.Lake.bad, lambda lake: lake.ingest(archive)],
        "_ctfast/audit/": [ct.Lake.info, ct.Lake.holds, ct.Lake.audit, lambda lake: lake.retain(7)],
        "_ctfast/copies/": [lambda lake: lake.retain(7, delete=True)],
    }
    for folder, using in calls.items():
        if damage == "changed" and folder == "month=":
            continue  # the size is compared, not the content
        [key] = place.objects(folder)
        content = place.read(key)
        if damage == "gone":
            place.remove(key)
        else:
            place.write(key, content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
        for call in using:
            with pytest.raises((FileNotFoundError, ValueError), match=rf"{Path(key).name} {words}"):
                call(place.lake())
        place.write(key, content)
    assert place.lake().info().records == 560
    place.lake().retain(7, delete=True)


def test_a_log_that_has_lost_its_end_is_told(place: Place, archive: Path) -> None:
    lake = place.lake()
    lake.ingest(archive)
    for name in ("one", "two", "three"):
        lake.hold(name, where=GET0)
    last = place.objects("_delta_log/")[-2:]
    for key in last:
        place.remove(key)
    with pytest.raises(ValueError, match="has lost versions of its log: the latest is 2, and version 3 was there"):
        place.lake().holds()


# What a store refuses


@dataclass
class Careless:
    """A store that ignores the conditions of a write, or knows none."""

    answer_of_put: bytes = field(default_factory=lambda: response(200, etag='"x"'))
    traffic: Traffic = field(default_factory=Traffic)
    written: set[str] = field(default_factory=set)

    async def answer(self, request: Request, writer: StreamWriter) -> None:
        if request.kind == "put":
            self.written.add(request.key)
            writer.write(self.answer_of_put)
        elif request.method == "POST":
            gone = re.findall("<Key>(.*?)</Key>", request.body.decode())
            self.written -= set(gone)
            told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in gone)
            writer.write(response(200, f"<DeleteResult>{told}</DeleteResult>".encode()))
        elif request.kind == "list":
            writer.write(response(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"))
        else:
            writer.write(error(404, "NoSuchKey"))

    def left(self, writer: StreamWriter) -> None:
        """Do nothing: there is no other connection."""


def test_a_store_without_conditional_writes_is_refused(archive: Path) -> None:
    store = Careless()
    with serving(store, store.traffic) as endpoint:
        lake = ct.Lake("s3://bucket/lake", storage_options=options_of(endpoint))
        with pytest.raises(ValueError, match=r"cannot have a lake: of 8 writes .* one has to succeed .* 8 did"):
            lake.ingest(archive)
    assert store.traffic.requests["put"] == 8
    assert store.written == set(), "what it has tried with is removed"


def test_a_store_that_knows_no_conditions_is_refused(archive: Path) -> None:
    store = Careless(error(501, "NotImplemented"))
    with serving(store, store.traffic) as endpoint:
        lake = ct.Lake("s3://bucket/lake", storage_options=options_of(endpoint, max_retries="0"))
        with pytest.raises(OSError, match="the store refuses it: NotImplemented"):
            lake.ingest(archive)


def test_a_lake_leaves_nothing_of_its_trial(place: Place, archive: Path) -> None:
    place.lake().ingest(archive)
    assert not [key for key in place.objects("_ctfast/") if "probe" in key]


def test_no_such_bucket(store: Store, archive: Path) -> None:
    lake = ct.Lake("s3://no-such-bucket-here/lake", storage_options=options_of(store.endpoint))
    for call in (lake.info, lambda: lake.ingest(archive)):
        with pytest.raises(OSError, match="there is no such bucket"):
            call()


def test_wrong_credentials_are_one_sentence(place: Place, archive: Path) -> None:
    place.lake().ingest(archive)
    wrong = place.options | {"secret_access_key": "another-secret-that-is-wrong"}
    given = [part for name, value in wrong.items() for part in ("--storage-option", f"{name}={value}")]
    for command in (["ingest", str(archive), place.url], ["lake", "info", place.url]):
        result = CliRunner().invoke(main, [*command, *given])
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
        assert place.url in result.stderr
        assert "refused" in result.stderr
        assert "another-secret" not in result.output
    [split] = ct.splits(archive)
    with pytest.raises(PermissionError, match="the credentials are refused: SignatureDoesNotMatch"):
        split.write_parquet(place.url, storage_options=wrong)
    with pytest.raises(OSError, match="the credentials are refused: SignatureDoesNotMatch"):
        ct.Lake(place.url, storage_options=wrong).scan()


@pytest.mark.parametrize("answer", [(403, "AccessDenied"), (400, "ExpiredToken"), (503, "SlowDown")])
@pytest.mark.parametrize("at", ["month=", "_splits/", "_ctfast/ledger", "_delta_log/00000000000000000001.json"])
def test_permission_that_is_lost_in_the_middle(
    at: str, answer: tuple[int, str], place: Place, proxy: Proxy, archive: Path
) -> None:
    """One sentence, the table stays readable, and the next run goes on."""
    proxy.fault = lambda request: (
        Fault(answer=answer) if request.kind == "put" and f"{place.prefix}/{at}" in request.key else NOTHING
    )
    with pytest.raises(OSError, match=f"{answer[1]}|access denied") as caught:
        place.lake(proxy.endpoint).ingest(archive)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert place.lake().scan().collect().height == 0
    place.lake().ingest(archive)
    holds(place.lake(), archive)


def test_an_answer_that_is_lost_commits_once(place: Place, proxy: Proxy, archive: Path) -> None:
    """The store has written, and the connection ends before it says so: the write is tried again."""
    proxy.fault = lambda request: (
        Fault(cut=0, reset=True) if request.kind == "put" and request.attempt == 1 else NOTHING
    )
    lake = place.lake(proxy.endpoint)
    lake.ingest(archive)
    holds(place.lake(), archive)
    assert place.lake().info().records == 560


# What it costs


def test_requests_do_not_grow_with_the_commits(place: Place, proxy: Proxy, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    counts = []
    for number in range(6):
        put(archive, f"file{number}", [event(number)])
        place.lake().ingest(archive)
        proxy.traffic.requests.clear()
        place.lake(proxy.endpoint).info()
        counts.append(dict(proxy.traffic.requests))
    assert counts[-1].get("head", 0) == counts[0].get("head", 0)
    assert counts[-1]["list"] == counts[0]["list"]
    # Per commit, its entry in the log, which deltalake reads twice, and its file of the ledger.
    assert counts[-1]["get"] - counts[0]["get"] <= 5 * 4
    lake = place.lake(proxy.endpoint)
    lake.info()
    proxy.traffic.requests.clear()
    lake.info()
    assert proxy.traffic.requests["get"] <= counts[-1]["get"] - 6, "what is there is fetched once"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_copies_on_the_disk_are_few_and_go(place: Place, archive: Path, temporary: Path) -> None:
    lake = place.lake()
    lake.ingest(archive)
    [folder] = temporary.iterdir()
    assert list(folder.glob("month=*/*")) == []
    assert list(folder.rglob("*.index")) == []
    assert len(list(folder.rglob("*.keys"))) == 1, "the next commit most likely compares with them"
    lake.compact()
    lake.retain(7, delete=True)
    assert list(folder.rglob("*.keys")) == []
    lazy = lake.copies(), lake.bad()
    del lake
    assert list(temporary.iterdir()) == []
    assert [frame.collect().height for frame in lazy] == [0, 0]


def test_what_a_killed_process_has_left_on_the_disk_goes(place: Place, archive: Path, temporary: Path) -> None:
    command = place.command(".ingest(sys.argv[3], progress=lambda _: os.kill(os.getpid(), 9))")
    subprocess.run([*command, str(archive)], check=False, env=os.environ | {"TMPDIR": str(temporary)}, timeout=60)
    [left] = temporary.iterdir()
    lake, other = place.lake(), place.lake()
    lake.info()
    assert not left.exists()
    other.info()
    assert len(list(temporary.iterdir())) == 2
    del lake, other
    assert list(temporary.iterdir()) == []
