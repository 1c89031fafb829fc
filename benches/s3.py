"""ctfast over S3: a real server on loopback, with added latency, and a bucket that is never stored.

    python benches/s3.py [--tasks mixed,tiny,list] [--latency SECONDS] [--rounds N] [--scale F]

``mixed``: every column from the bucket, against the same from disk and against a plain parallel download. ``tiny``:
small objects with a latency added to each request, against one request at a time and other engines that read the same
bucket. ``list``: keys per second and memory of a listing. Rounds are interleaved; the ratios of medians count, the
seconds do not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "s3")]

import corpus
import polars as pl
from programs import build
from table import home, split

import ctfast as ct
from mirrored import options_of
from seaweed import ACCESS, SECRET, Store, connect, seaweed
from synthetic import Bucket, served

TASKS = ("mixed", "tiny", "list")
#: Objects that are fetched one after another, to estimate the time for all of them.
FEW = 100
AT_ONCE = 128

LISTING = """
import json, resource, sys, time
from ctfast import _ctfast
memory = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start, before = time.perf_counter(), memory()
remote = _ctfast.Remote(json.loads(sys.argv[1]))
listing = _ctfast.Listing(_ctfast.Selection(["s3://any/"]), remote=remote)
keys = 0
while (page := listing.next()) is not None:
    keys += len(page)
print(json.dumps([keys, time.perf_counter() - start, (memory() - before) / 1024, remote.requests()[0]]))
"""

Timed = dict[str, Callable[[], object]]


def measure(subjects: Timed, rounds: int) -> dict[str, float]:
    """Return the median seconds of each task, in rounds of all tasks."""
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, run in subjects.items():
            start = time.perf_counter()
            run()
            if number:  # the first one warms up
                times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def keys_of(store: Store, bucket: str) -> list[str]:
    """Return the keys of a bucket."""
    pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def download(endpoint: str, bucket: str, keys: list[str]) -> Callable[[], object]:
    """Return a function that fetches all objects in parallel and discards them."""
    from obstore.store import S3Store  # noqa: PLC0415  # only here

    store = S3Store(
        bucket,
        endpoint=endpoint,
        access_key_id=ACCESS,
        secret_access_key=SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
    )

    async def fetch() -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(key: str) -> None:
            async with room:
                await (await store.get_async(key)).bytes_async()

        await asyncio.gather(*map(one, keys))

    return lambda: asyncio.run(fetch())


def by_polars(endpoint: str, bucket: str) -> pl.DataFrame:
    """Count the events by name with Polars alone."""
    schema = {"Records": pl.List(pl.Struct({"eventName": pl.String()}))}
    scan = pl.scan_ndjson(f"s3://{bucket}/**/*.json.gz", schema=schema, storage_options=aws(endpoint))
    return scan.explode("Records").unnest("Records").group_by("eventName").len().collect(engine="streaming")


def by_clickhouse(endpoint: str, bucket: str) -> object:
    """Count the events by name with ClickHouse."""
    import chdb  # noqa: PLC0415  # only here

    files = f"s3('{endpoint}/{bucket}/**.json.gz', '{ACCESS}', '{SECRET}', 'LineAsString')"
    names = (
        "SELECT arrayJoin(JSONExtract(line, 'Records', 'Array(Tuple(eventName Nullable(String)))')).1 AS name FROM"
        f" {files}"
    )
    return chdb.query(f"SELECT name, count() FROM ({names}) GROUP BY name", "CSV").data()


def aws(endpoint: str) -> dict[str, str]:
    """Return the options in Polars' spelling."""
    return {f"aws_{name}": value for name, value in options_of(endpoint).items() if name != "endpoint"} | {
        "aws_endpoint_url": endpoint,
        "aws_allow_http": "true",
    }


@contextmanager
def far_away(endpoint: str, latency: float) -> Iterator[str]:
    """Another endpoint of the same store, whose requests take longer (`rust/core/examples/distance.rs`)."""
    command = [str(build("distance")), endpoint.removeprefix("http://"), str(round(latency * 1000))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextmanager
def in_bucket(store: Store, name: str, scale: float) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The corpus on disk, and in a bucket of its name."""
    folder = home() / f"{name}-{scale:g}"
    facts = corpus.ensure(name, folder, scale)
    store.upload(name, folder)
    yield folder, facts


def mixed(store: Store, options: argparse.Namespace) -> None:
    """Every column from the bucket, from disk, and the bytes alone."""
    with in_bucket(store, "mixed", options.scale) as (folder, facts):
        keys = keys_of(store, "mixed")
        storage = options_of(store.endpoint)
        rows = ct.read("s3://mixed", storage_options=storage).height
        assert rows == facts["events"], (rows, facts["events"])
        subjects: Timed = {
            "disk": lambda: ct.read(folder),
            "s3": lambda: ct.read("s3://mixed", storage_options=storage),
            "download": download(store.endpoint, "mixed", keys),
        }
        found = measure(subjects, options.rounds)
    show("mixed, every column", found, "s3")


def tiny(store: Store, options: argparse.Namespace) -> None:
    """Small objects with added latency: events by name."""
    with in_bucket(store, "tiny", options.scale) as (_, facts), far_away(store.endpoint, options.latency) as endpoint:
        keys = keys_of(store, "tiny")
        storage = options_of(endpoint)

        def ours() -> pl.DataFrame:
            return ct.scan("s3://tiny", storage_options=storage).group_by("eventName").len().collect()

        def one_at_a_time() -> None:
            with closing(connect(endpoint)) as client:
                for key in keys[:FEW]:
                    client.get_object(Bucket="tiny", Key=key)["Body"].read()

        subjects: Timed = {"ctfast": ours, "download": download(endpoint, "tiny", keys)}
        subjects |= {"polars": lambda: by_polars(endpoint, "tiny")}
        subjects |= {"clickhouse": lambda: by_clickhouse(endpoint, "tiny")}
        wanted = facts["events"]
        assert ours()["len"].sum() == wanted
        found = measure(
            {name: run for name, run in subjects.items() if name in {"ctfast", "download", *options.peers}},
            options.rounds,
        )
        found["one at a time"] = measure({"few": one_at_a_time}, 1)["few"] * len(keys) / FEW
    show(f"tiny, {options.latency * 1000:.0f} ms more, {len(keys)} objects, by name", found, "ctfast")
    sys.stdout.write(f"{len(keys) / found['ctfast']:,.0f} objects per second\n")


def listing(_: Store, options: argparse.Namespace) -> None:
    """Keys per second, memory and requests of a bucket that is never stored."""
    accounts = max(1, round(20 * options.scale))
    large = Bucket(accounts=accounts, regions=["eu-west-1", "us-east-1"], first=date(2024, 12, 1), days=100, files=50)
    with served(large) as bucket:
        command = [sys.executable, "-c", LISTING, json.dumps(options_of(bucket.endpoint))]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    keys, seconds, memory, requests = json.loads(done.stdout)
    assert keys == len(large), (keys, len(large))
    sys.stdout.write(f"list: {keys:,} keys in {seconds:.1f} s ({keys / seconds:,.0f}/s, of a server in Python), ")
    sys.stdout.write(f"{requests} requests, {memory:.0f} MB above start\n")


def show(title: str, found: dict[str, float], ours: str) -> None:
    """Print times as multiples of ours."""
    sys.stdout.write(f"{title}\n")
    for name, seconds in found.items():
        sys.stdout.write(f"  {name:15} {seconds:8.2f} s  {seconds / found[ours]:6.2f} times {ours}\n")


def main() -> None:
    """Run the requested tasks."""
    parser = argparse.ArgumentParser(description="Measure ctfast over S3.")
    parser.add_argument("--tasks", type=split, default=list(TASKS))
    parser.add_argument("--peers", type=split, default=["polars", "clickhouse"], help="of tiny")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds that are added to each request of tiny")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    runs = dict(zip(TASKS, (mixed, tiny, listing), strict=True))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ctfast-s3-"))
        store = stack.enter_context(seaweed(Path(folder)))
        for name in options.tasks:
            runs[name](store, options)


if __name__ == "__main__":
    main()
