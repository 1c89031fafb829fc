"""Make the seeded corpora that the benchmarks read.

    python benches/corpus.py mixed|tiny|large DIRECTORY [--scale F] [--seed N]

The same set, scale and seed give the same bytes, in any number of processes (the gzip bytes also depend on the zlib in
use). A manifest beside the directory, ``DIRECTORY.manifest.json``, holds the expected answers, counted while the events
were made; a complete set is not made again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import sys
import time
import zlib
from array import array
from bisect import bisect
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from events import Scene, shape
from events.holes import ALNUM, Clock, Template, at, compile_template, text
from events.world import ACCOUNT_WEIGHTS, ACCOUNTS, REGION_WEIGHTS, REGIONS, Session, sessions, world

from ctfast._bench.readers.base import manifest_of

MAKER = 2  # raise it when the events change, so that old sets are made again
SETS = ("mixed", "tiny", "large")
MIXED_EVENTS = 306_000
TINY_FILES, TINY_EVENTS = 5_000, 5
LARGE_FILES, LARGE_BYTES = 8, 50_000_000
BIGGEST_MIXED = 2_800  # events in one file, just under 5 MB
RARE = 10_000  # one DeleteBucket among this many events
FIRST_DAY = at("2025-06-10T00:00")
DAYS = 3
SMALL = 40  # events; only files as small as this are Insight or network activity files


@dataclass(frozen=True, slots=True)
class FilePlan:
    """The planned content of one file. Files are made from their plan alone, so they can be made in any order."""

    index: int
    seed: int
    kind: str
    account: str
    region: str
    delivered: datetime
    key: str
    events: int
    max_bytes: int
    rare: tuple[int, ...]


@dataclass(slots=True)
class Tally:
    """Counts that are kept while events are made."""

    files: int = 0
    events: int = 0
    inflated: int = 0
    compressed: int = 0
    record_bytes: int = 0
    unordered: int = 0
    with_arn: int = 0
    biggest: int = 0
    first: str = "9999"
    last: str = ""
    names: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    orders: set[tuple[str, ...]] = field(default_factory=set)
    rare: list[list[str]] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("I"))

    def add(self, other: Tally) -> None:
        """Add the counts of another part of the corpus."""
        for name in ("files", "events", "inflated", "compressed", "record_bytes", "unordered", "with_arn"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.biggest = max(self.biggest, other.biggest)
        self.names.update(other.names)
        self.columns.update(other.columns)
        self.orders |= other.orders
        self.rare += other.rare
        self.sizes.extend(other.sizes)


def plan(name: str, scale: float, seed: int) -> list[FilePlan]:
    """Return the files of the set `name`.

    `scale` multiplies the number of files of `mixed` and `tiny`, and the size of the files of `large`.
    """
    rng = Random(f"plan {name} {scale} {seed}")
    if name == "large":
        events = int(LARGE_BYTES * scale // 1550)
        sizes = [events] * LARGE_FILES
    elif name == "tiny":
        sizes = [TINY_EVENTS] * max(1, round(TINY_FILES * scale))
    else:
        sizes = _mixed_sizes(rng, round(MIXED_EVENTS * scale))
    total = sum(sizes)
    rare = sorted(rng.sample(range(total), min(total, max(3, total // RARE))))
    plans = []
    start = 0
    for index, events in enumerate(sizes):
        kind = "CloudTrail"
        if events <= SMALL and rng.random() < (0.03 if name == "tiny" else 0.4):
            kind = rng.choice(("CloudTrail-Insight", "CloudTrail-NetworkActivity"))
        account = rng.choices(ACCOUNTS, ACCOUNT_WEIGHTS)[0]
        region = rng.choices(REGIONS, REGION_WEIGHTS)[0]
        if index < len(ACCOUNTS) * len(REGIONS):  # every account and region at least once, if there are enough files
            account, region = ACCOUNTS[index % len(ACCOUNTS)], REGIONS[index // len(ACCOUNTS)]
        delivered = FIRST_DAY + timedelta(minutes=5 * rng.randrange(4, DAYS * 288))
        day = f"AWSLogs/{account}/{kind}/{region}/{delivered:%Y/%m/%d}"
        key = f"{day}/{account}_{kind}_{region}_{delivered:%Y%m%dT%H%MZ}_{text(rng, 16, ALNUM)}.json.gz"
        places = tuple(place - start for place in rare if start <= place < start + events)
        max_bytes = int(LARGE_BYTES * scale) if name == "large" else 0
        plans.append(
            FilePlan(
                index,
                seed,
                kind,
                account,
                region,
                delivered,
                key,
                events,
                max_bytes,
                places if kind == "CloudTrail" else (),
            )
        )
        start += events
    return plans


def _mixed_sizes(rng: Random, total: int) -> list[int]:
    # A few big files and many small ones. The first always has the maximum size, so that peak memory is the same at any
    # scale.
    sizes = [min(BIGGEST_MIXED, total)]
    left = total - sizes[0]
    while left > 0:
        sizes.append(min(left, BIGGEST_MIXED, max(1, int(rng.lognormvariate(5.5, 1.2)))))
        left -= sizes[-1]
    return sizes


@cache
def _cumulative() -> list[float]:
    return list(accumulate(shape.weights))


class Cast:
    """The sessions of one file and the templates that they have used so far."""

    def __init__(self, file: FilePlan, rng: Random) -> None:
        self.here = world(file.seed, file.account, file.region)
        self.rng = rng
        self.people: list[Session] = sessions(self.here, rng, min(3 + file.events // 100, 24))
        self.templates: dict[tuple[int, int], Template] = {}

    def template(self, person: int, which: int) -> Template:
        """Return the template of shape number `which` for session number `person`."""
        found = self.templates.get((person, which))
        if found is None:
            found = self.templates[person, which] = self.special(shape.shapes[which], person)
        return found

    def special(self, make: Any, person: int = 0) -> Template:
        """Return a new template of the shape `make`."""
        return compile_template(make(Scene(self.here, self.people[person], self.rng)))

    def script(self, count: int) -> list[Template]:
        """Return who does what: sessions act in bursts, and often repeat themselves."""
        rng, weights = self.rng, _cumulative()
        total, last = weights[-1], len(weights) - 1
        parts: list[Template] = []
        while len(parts) < count:
            person = rng.randrange(len(self.people))
            which = -1
            for _ in range(1 + min(60, int(rng.expovariate(0.09)))):
                if which < 0 or rng.random() < 0.35:
                    which = min(bisect(weights, rng.random() * total), last)
                parts.append(self.template(person, which))
        return parts[:count]


def make_file(file: FilePlan, root: Path) -> Tally:
    """Write one file under `root` and return its counts."""
    rng = Random(f"file {file.seed} {file.index} {file.key}")
    cast = Cast(file, rng)
    script = _script(file, cast, rng)
    span = 300 + min(600, file.events)
    seconds = [rng.randrange(span) for _ in script]
    seconds.sort()
    if rng.random() < 0.3:
        seconds = [second + rng.randrange(-60, 60) for second in seconds]
    tally = Tally(files=1)
    used: Counter[Template] = Counter()
    clock = Clock(file.delivered)
    start = file.delivered - timedelta(seconds=span)
    records: list[str] = []
    size = len('{"Records":[]}') - 1
    for template, second in zip(script, seconds, strict=True):
        clock.now = start + timedelta(seconds=second)
        record = template.render(rng, clock)
        length = len(record.encode())
        size += length + 1
        if file.max_bytes and size > file.max_bytes:
            break
        tally.sizes.append(length)
        records.append(record)
        used[template] += 1
        if template.name == "DeleteBucket":
            parsed = json.loads(record)
            arn = parsed["userIdentity"].get("arn")
            tally.rare.append([parsed["eventTime"], "DeleteBucket", arn, parsed["sourceIPAddress"], parsed["eventID"]])
    body = f'{{"Records":[{",".join(records)}]}}'.encode()
    path = root / file.key
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = gzip(body)
    path.write_bytes(packed)
    _count(tally, used, records, body, packed)
    return tally


def _script(file: FilePlan, cast: Cast, rng: Random) -> list[Template]:
    if file.kind != "CloudTrail":
        make = shape.special["insight" if file.kind == "CloudTrail-Insight" else "network_activity"]
        return [cast.special(make, person % len(cast.people)) for person in range(file.events)]
    # A file of a given size in bytes gets more events than needed and stops at the size.
    script = cast.script(file.events * 5 // 4 if file.max_bytes else file.events)
    for place in file.rare:
        script[place] = cast.special(shape.special["delete_bucket"], rng.randrange(len(cast.people)))
    if file.events > 200 and not file.rare and rng.random() < 0.2:
        script[0] = cast.special(shape.special["delivered_late"])
    return script


def _count(tally: Tally, used: Counter[Template], records: list[str], body: bytes, packed: bytes) -> None:
    tally.events = len(records)
    tally.inflated = tally.biggest = len(body)
    tally.compressed = len(packed)
    tally.record_bytes = sum(tally.sizes)
    marker = '"eventTime":"'
    times = [record[record.index(marker) + len(marker) :][:20] for record in records]
    tally.unordered = int(times != sorted(times))
    tally.first, tally.last = min(times), max(times)
    for template, count in used.items():
        tally.names[template.name] += count
        tally.orders.add(template.columns)
        tally.with_arn += count * template.has_arn
        for column in template.columns:
            tally.columns[column] += count


def gzip(body: bytes) -> bytes:
    """Return one gzip member, with a header that does not depend on the Python version."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    tail = zlib.crc32(body).to_bytes(4, "little") + (len(body) & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + packer.compress(body) + packer.flush() + tail


def _make_files(job: tuple[list[FilePlan], Path]) -> Tally:
    files, root = job
    tally = Tally()
    for file in files:
        tally.add(make_file(file, root))
    return tally


def manifest(name: str, scale: float, seed: int, tally: Tally) -> dict[str, Any]:
    """Return the expected answers as a JSON-ready dictionary."""
    sizes = sorted(tally.sizes)
    percentiles = {f"p{percent}": sizes[len(sizes) * percent // 100] for percent in (1, 10, 50, 90, 99)}
    return {
        "maker": MAKER,
        "set": name,
        "scale": scale,
        "seed": seed,
        "files": tally.files,
        "events": tally.events,
        "bytes_inflated": tally.inflated,
        "bytes_compressed": tally.compressed,
        "gzip_ratio": round(tally.inflated / tally.compressed, 3),
        "biggest_file": tally.biggest,
        "record_bytes": tally.record_bytes,
        "event_bytes": {**percentiles, "max": sizes[-1], "mean": round(tally.record_bytes / len(sizes))},
        "response_elements_null": round(1 - tally.columns["responseElements"] / tally.events, 4),
        "files_not_in_time_order": round(tally.unordered / tally.files, 4),
        "shapes": len(shape.shapes) + len(shape.special),
        "key_orders": len(tally.orders),
        "first_time": tally.first,
        "last_time": tally.last,
        "event_names": dict(sorted(tally.names.items())),
        "not_null": {**dict(sorted(tally.columns.items())), "userIdentity.arn": tally.with_arn},
        "rare_name": "DeleteBucket",
        "rare": sorted(tally.rare),
    }


def complete(directory: Path, name: str, scale: float, seed: int) -> dict[str, Any] | None:
    """Return the manifest of the set in `directory` if it is the requested set and complete."""
    try:
        found: dict[str, Any] = json.loads(manifest_of(directory).read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if [found.get(key) for key in ("maker", "set", "scale", "seed")] != [MAKER, name, scale, seed]:
        return None
    sizes = [path.stat().st_size for path in directory.rglob("*.json.gz")]
    return found if (len(sizes), sum(sizes)) == (found["files"], found["bytes_compressed"]) else None


def ensure(name: str, directory: Path, scale: float = 1.0, seed: int = 2, jobs: int = 2) -> dict[str, Any]:
    """Make the set `name` in `directory` unless it is there already, and return its manifest.

    Raises
    ------
    FileExistsError
        When `directory` holds anything that is not a set of this maker: other files are never removed.
    """
    found = complete(directory, name, scale, seed)
    if found:
        return found
    note = manifest_of(directory)
    if directory.exists() and any(directory.iterdir()) and not note.exists():
        message = f"{directory} is not empty and has no manifest of this maker"
        raise FileExistsError(message)
    note.unlink(missing_ok=True)
    partial = directory.with_name(directory.name + ".partial")
    for old in (partial, directory):
        shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True)
    files = plan(name, scale, seed)
    parts = (
        [(files[start :: jobs * 8], partial) for start in range(jobs * 8)]
        if len(files) > LARGE_FILES
        else [([file], partial) for file in files]
    )
    tally = Tally()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for part in pool.imap_unordered(_make_files, parts):
            tally.add(part)
    answers = manifest(name, scale, seed, tally)
    partial.rename(directory)
    note.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return answers


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Make a seeded CloudTrail corpus.")
    parser.add_argument("set", choices=SETS)
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="mixed and tiny: times the files; large: times the size of each file"
    )
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    started = time.perf_counter()
    answers = ensure(options.set, options.directory, options.scale, options.seed, options.jobs)
    short = {key: value for key, value in answers.items() if key not in {"event_names", "not_null", "rare"}}
    short["distinct_event_names"] = len(answers["event_names"])
    short["rare"] = len(answers["rare"])
    print(json.dumps(short, indent=1))
    print(f"{time.perf_counter() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
