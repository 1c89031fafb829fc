"""Whatever a network or a store does: the rows are those from disk, within a bounded number of requests, or the report
names what is missing.

Nothing here measures time; where waiting is a part of the fault, it is short.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from asyncio import StreamWriter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from loopback import Request, error
from mirrored import Mirrored, make_archive, options_of
from proxy import Fault, Proxy, before
from seaweed import SECRET, Store
from synthetic import Bucket, served

NOTHING = Fault()
SLOW_DOWN = Fault(answer=(503, "SlowDown"))


def share(request: Request, of: int) -> bool:
    """Whether an object is in this share of all objects; the choice is always the same."""
    return request.kind == "get" and zlib.crc32(request.key.encode()) % of == 0


def read(mirrored: Mirrored, proxy: Proxy, *, report: ct.Report | None = None, **more: str) -> pl.DataFrame:
    options = options_of(proxy.endpoint, read_timeout="2s", **more)
    return ct.read(mirrored.url, storage_options=options, report=report or ct.Report(), on_error="collect")


# Faults that pass


PASSING: dict[str, tuple[Callable[[Request], Fault], int]] = {
    # name: the fault, and requests for objects at most
    "503 once for each object": (
        lambda request: SLOW_DOWN if request.kind == "get" and request.attempt == 1 else NOTHING,
        600,
    ),
    "503 for one listing": (
        lambda request: SLOW_DOWN if request.kind == "list" and request.attempt <= 2 else NOTHING,
        300,
    ),
    "429": (
        lambda request: (
            Fault(answer=(429, "TooManyRequests")) if share(request, 5) and request.attempt <= 3 else NOTHING
        ),
        600,
    ),
    "500": (
        lambda request: Fault(answer=(500, "InternalError")) if share(request, 5) and request.attempt <= 3 else NOTHING,
        600,
    ),
    "reset in the body": (
        lambda request: Fault(cut=0.5, reset=True) if share(request, 10) and request.attempt <= 2 else NOTHING,
        400,
    ),
    "reset before the body": (
        lambda request: Fault(cut=0, reset=True) if share(request, 10) and request.attempt == 1 else NOTHING,
        400,
    ),
    "truncated body": (lambda request: Fault(cut=0.7) if share(request, 10) and request.attempt <= 2 else NOTHING, 400),
    "truncated listing": (
        lambda request: Fault(cut=0.7) if request.kind == "list" and request.attempt == 1 else NOTHING,
        300,
    ),
    "short body, wrong length": (
        lambda request: Fault(short=20) if share(request, 10) and request.attempt == 1 else NOTHING,
        400,
    ),
    "50 ms": (lambda _: Fault(delay=0.05), 300),
    "200 ms": (lambda _: Fault(delay=0.2), 300),
    "one slow shard": (lambda request: Fault(delay=0.5) if share(request, 16) else NOTHING, 300),
    "stall in the body": (
        lambda request: Fault(cut=0.5, stall=True) if share(request, 60) and request.attempt == 1 else NOTHING,
        330,
    ),
    "stall of a listing": (
        lambda request: Fault(cut=0, stall=True) if request.kind == "list" and request.attempt == 1 else NOTHING,
        300,
    ),
}


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_changes_nothing(mirrored: Mirrored, proxy: Proxy, name: str) -> None:
    proxy.fault, most = PASSING[name]
    report = ct.Report()
    assert_frame_equal(read(mirrored, proxy, report=report), mirrored.rows())
    assert report.complete
    assert report.bad.is_empty()
    assert report.files == (300, 300, 0, 0)
    assert proxy.traffic.requests["get"] <= most
    assert proxy.traffic.requests["list"] <= 60
    assert report.requests.gets == proxy.traffic.requests["get"]


def test_many_requests_are_in_flight_at_once(mirrored: Mirrored, proxy: Proxy) -> None:
    proxy.fault = lambda _: Fault(delay=0.2)
    read(mirrored, proxy)
    assert proxy.traffic.most_in_flight >= 32


def test_a_store_that_takes_eight_at_a_time_is_not_overrun(mirrored: Mirrored, proxy: Proxy) -> None:
    def fault(request: Request) -> Fault:
        return SLOW_DOWN if request.in_flight > 8 else Fault(delay=0.02)

    proxy.fault = fault
    report = ct.Report()
    assert_frame_equal(read(mirrored, proxy, report=report), mirrored.rows())
    assert report.requests.throttled > 0
    assert proxy.traffic.requests["get"] <= 900


def test_a_burst_that_ends(mirrored: Mirrored, proxy: Proxy) -> None:
    seen = iter(range(1_000_000))
    proxy.fault = lambda _: SLOW_DOWN if 50 <= next(seen) < 250 else NOTHING
    report = ct.Report()
    assert_frame_equal(read(mirrored, proxy, report=report), mirrored.rows())
    assert report.requests.throttled == 200
    assert proxy.traffic.requests["get"] <= 300 + 200


# Faults that stay


STAYING: dict[str, tuple[Fault, str]] = {
    "AccessDenied": (Fault(answer=(403, "AccessDenied")), "access-denied"),
    "NoSuchKey": (Fault(answer=(404, "NoSuchKey")), "no-such-key"),
    "KMS": (Fault(answer=(400, "KMS.DisabledException")), "kms"),
    "archived": (Fault(answer=(403, "InvalidObjectState")), "archived"),
    "503": (SLOW_DOWN, "throttled"),
    "500": (Fault(answer=(500, "InternalError")), "server"),
    "reset": (Fault(cut=0.5, reset=True), "network"),
    "short body, wrong length": (Fault(short=20), "changed"),
    "stall": (Fault(cut=0.5, stall=True), "timeout"),
}


@pytest.fixture(params=STAYING)
def staying(request: pytest.FixtureRequest, mirrored: Mirrored, proxy: Proxy) -> Iterator[tuple[list[str], str]]:
    """Three objects that cannot be fetched, and the kind of their findings."""
    keys = [mirrored.keys[at] for at in (0, 150, 299)]
    fault, kind = STAYING[request.param]
    proxy.fault = lambda request: fault if request.kind == "get" and request.key in keys else NOTHING
    return keys, kind


def test_objects_that_cannot_be_fetched_are_named(
    mirrored: Mirrored, proxy: Proxy, staying: tuple[list[str], str]
) -> None:
    keys, kind = staying
    report = ct.Report()
    rows = read(mirrored, proxy, report=report, max_retries="2")
    assert_frame_equal(rows, mirrored.rows(*keys))
    assert report.bad.select("file", "kind", "records_kept").rows() == [
        (f"{mirrored.url}/{key}", kind, 0) for key in keys
    ]
    assert (report.files, report.complete) == ((300, 297, 3, 0), True)
    assert proxy.traffic.requests["get"] <= 297 + 3 * 3
    assert SECRET not in str(report.bad.rows())


def test_an_object_that_cannot_be_fetched_raises(
    mirrored: Mirrored, proxy: Proxy, staying: tuple[list[str], str]
) -> None:
    keys, kind = staying
    with pytest.raises(ct.SourceError) as caught:
        ct.read(mirrored.url, storage_options=options_of(proxy.endpoint, max_retries="1", read_timeout="1s"))
    assert (caught.value.key, caught.value.kind) == (f"{mirrored.url}/{keys[0]}", kind)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [(403, "AccessDenied"), (503, "SlowDown"), (500, "InternalError"), (404, "NoSuchBucket")]
)
def test_a_listing_that_fails_is_never_a_part_of_one(answer: tuple[int, str]) -> None:
    """One listing among many is permanently refused: the query fails, whatever it has read by then."""
    large = Bucket(accounts=3, regions=["eu-west-1", "us-east-1"], first=date(2025, 3, 1), days=30, files=100)
    with served(large) as bucket, before(bucket.endpoint) as proxy:
        refused = f"list any/AWSLogs/{bucket.account_ids[2]}/CloudTrail/us-east-1/"
        proxy.fault = lambda request: Fault(answer=answer) if request.about.startswith(refused) else NOTHING
        report = ct.Report()
        with pytest.raises(ct.SourceError) as caught:
            ct.read(
                "s3://any/",
                storage_options=options_of(proxy.endpoint, max_retries="1"),
                report=report,
                on_error="collect",
            )
        assert not report.complete
        assert "s3://any/AWSLogs/" in str(caught.value)


# Clocks


def test_a_clock_that_is_an_hour_slow_is_corrected() -> None:
    """The store tells the time; requests that are signed after that are accepted."""
    small = Bucket(accounts=1, regions=["eu-west-1"], first=date(2025, 3, 1), days=1, files=20)
    with served(small) as bucket:
        answer = bucket.answer
        now = datetime.now(UTC) + timedelta(hours=1)

        async def strict(request: Request, writer: StreamWriter) -> None:
            signed = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if abs(signed - now) > timedelta(minutes=15):
                writer.write(error(403, "RequestTimeTooSkewed", date=format_datetime(now, usegmt=True)))
            else:
                await answer(request, writer)

        bucket.answer = strict
        report = ct.Report()
        assert ct.read("s3://any/", storage_options=options_of(bucket.endpoint), report=report).height == 20
        assert report.complete


def test_a_clock_that_cannot_be_corrected_is_reported(mirrored: Mirrored, proxy: Proxy) -> None:
    proxy.fault = lambda _: Fault(answer=(403, "RequestTimeTooSkewed"))
    with pytest.raises(ct.SourceError, match="RequestTimeTooSkewed") as caught:
        read(mirrored, proxy)
    assert caught.value.kind == "credentials"
    assert proxy.traffic.requests["list"] <= 3


# Buckets that change


def test_a_listing_that_changes_while_it_is_read(store: Store, tmp_path: Path) -> None:
    folder = make_archive(tmp_path / "changing", 200)
    bucket = Mirrored(folder, "changing", store.upload("changing", folder))
    gone, changed = bucket.keys[120], bucket.keys[121]
    new = bucket.keys[-1].replace(".json.gz", "x.json.gz")
    once = threading.Lock()

    def fault(request: Request) -> Fault:
        # When the first object is requested, which is after a part of the listing.
        if request.kind == "get" and once.acquire(blocking=False):
            store.client.delete_object(Bucket=bucket.bucket, Key=gone)
            store.put(bucket.bucket, changed, (folder / bucket.keys[0]).read_bytes() + b"\n")
            store.put(bucket.bucket, new, (folder / bucket.keys[-1]).read_bytes())
        # The two objects are not requested earlier.
        return Fault(delay=0.3) if request.key in {gone, changed} else NOTHING

    with before(store.endpoint) as proxy:
        proxy.fault = fault
        report = ct.Report()
        rows = read(bucket, proxy, report=report)
    found = rows.filter(~pl.col("file").str.ends_with(new))
    assert_frame_equal(found, bucket.rows(gone, changed))
    named = dict(report.bad.select("file", "kind").iter_rows())
    assert named == {f"{bucket.url}/{gone}": "no-such-key", f"{bucket.url}/{changed}": "changed"}
    assert report.files.bad == 2


# Ends


@pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")
@pytest.mark.parametrize("kind", ["list", "get"])
@pytest.mark.parametrize("source", ["folder", "list", "checkpoint", "copy"])
def test_an_interrupt_cancels_pending_requests(
    mirrored: Mirrored, proxy: Proxy, tmp_path: Path, source: str, kind: str
) -> None:
    if (source, kind) == ("list", "list"):
        pytest.skip("nothing is listed")
    proxy.fault = lambda request: Fault(cut=0.5, stall=True) if request.kind == kind else NOTHING
    program = textwrap.dedent(
        """
        import json, sys, ctfast as ct
        url, key, source, options, folder = sys.argv[1:]
        options = {"storage_options": json.loads(options)}
        match source:
            case "folder": ct.read(url, **options)
            case "list": ct.read(ct.KeyList([f"{url}/{key}"]), **options)
            case "checkpoint": ct.read(url, checkpoint=ct.Checkpoint(folder + "/state"), **options)
            case "copy": ct.copy(url, folder, progress=print, **options)
        """
    )
    options = json.dumps(options_of(proxy.endpoint, read_timeout="600s"))
    command = [sys.executable, "-c", program, mirrored.url, mirrored.keys[0], source, options, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while kind not in proxy.traffic.requests and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
