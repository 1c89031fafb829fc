"""Measure what a round of an ingest that follows costs: some new files among many that the lake knows.

    python benches/follow.py [--known 100000] [--new 12] [--rounds 5] [--folder DIR]

Makes an archive of small files, ingests it, and then adds files between rounds: time and processor time of each round
without its wait, peak memory, and how many files were opened that the lake knew (Linux tells that). Removes all.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import ctfast as ct
from opened import opened

ACCOUNT, REGION = "111122223333", "eu-west-1"
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
#: Files of a day.
DAILY = 1_000
WAIT = timedelta(seconds=1)


def put(archive: Path, number: int, day: int) -> Path:
    """Write a file of one event."""
    when = FIRST + timedelta(days=day)
    event = {
        "eventVersion": "1.11",
        "eventID": f"{number:08}",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "recipientAccountId": ACCOUNT,
        "awsRegion": REGION,
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
    }
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{when:%Y%m%dT%H%MZ}_{number:016}.json.gz"
    place = archive / f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{when:%Y/%m/%d}/{name}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(gzip.compress(json.dumps({"Records": [event]}).encode(), 1, mtime=0))
    return place


def measure(root: Path, known: int, new: int, rounds: int) -> None:
    archive, lake = root / "archive", ct.Lake(root / "lake")
    old = {put(archive, number, number // DAILY) for number in range(known)}
    begin, cpu = time.monotonic(), time.process_time()
    looks = lake.follow(archive, interval=WAIT)
    done = next(looks)
    print(
        f"first round: {done.files:,} files in {time.monotonic() - begin:.1f} s, {time.process_time() - cpu:.1f} s CPU"
    )
    with opened(archive) as so_far:
        for number in range(rounds):
            added = new if number else 0
            for each in range(added):
                put(archive, known + number * new + each, (known - 1) // DAILY)
            begin, cpu = time.monotonic() + WAIT.total_seconds(), time.process_time()
            done = next(looks)
            assert (done.files, done.stored, done.known) == (added, added, known + max(number - 1, 0) * new), done
            told = f"{added} new files: {time.monotonic() - begin:.2f} s, {time.process_time() - cpu:.2f} s CPU"
            print(f"{told}, {len(so_far() & old)} old files opened")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--known", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as root:
        measure(Path(root), given.known, given.new, given.rounds)


if __name__ == "__main__":
    main()
