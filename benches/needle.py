"""Measure a search for one value in a lake of years, beside the same search in the archive.

    python benches/needle.py [--copies 163] [--folder DIR]

Makes `mixed` (306,000 events) and writes it as a lake in which its events come again and again: each time in another
month, with other ids of events and requests, and mostly with other access keys. The archive beside it has a hard link
for each file, and as many events. Then values are searched for, each in a process of its own: wall time, processor
time, and the bytes that were read, also from a disk whose pages were dropped from memory before. The lake is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from corpus import ensure
from memory import multiplied

import ctfast as ct
from ctfast._lake.table import Table
from ctfast._scan.message import PartFile
from ctfast._scan.options import COLUMNS as COLUMNS_OF_A_SCAN
from ctfast._scan.part import HASH, MONTH, TIME, Part

EVENTS, MONTHS, YEARS, FIRST = 306_000, 36, 3, 2023
ROUNDS = 3
COLUMNS = ["eventTime", "eventName", "sourceIPAddress", "userIdentity", "eventID", "file"]
KEY = pl.col("userIdentity").struct["accessKeyId"]


def columns_without_raw() -> list[str]:
    return [name for name in COLUMNS_OF_A_SCAN if name != "raw"]


def changed(rows: pa.Table, copy: int, name: str, *, keys: bool) -> pa.Table:
    """Return the same events in the month of this name, with other ids, and perhaps other access keys."""
    times, identity = rows[TIME].combine_chunks().cast(pa.timestamp("us")), rows["userIdentity"].combine_chunks()
    within = pc.subtract(times, pc.floor_temporal(times, unit="month")).cast(pa.int64())
    start = pa.scalar(f"{name}-01").cast(pa.timestamp("us")).value
    others = {
        TIME: pc.add(within, start).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
        MONTH: pa.repeat(pa.scalar(name), rows.num_rows),
        "eventID": prefixed(rows["eventID"].combine_chunks(), copy),
        "requestID": prefixed(rows["requestID"].combine_chunks(), copy),
    }
    if keys:
        named = zip(identity.type, identity.flatten(), strict=True)
        fields = [prefixed(values, copy) if field.name == "accessKeyId" else values for field, values in named]
        mask = identity.is_null()
        others["userIdentity"] = pa.StructArray.from_arrays(fields, fields=list(identity.type), mask=mask)
    return pa.table([others.get(column, rows[column]) for column in rows.column_names], schema=rows.schema)


def prefixed(values: pa.Array, copy: int) -> pa.Array:
    """Return the same values with the number of the copy in the place of four characters."""
    head, tail = pc.utf8_slice_codeunits(values, 0, 4), pc.utf8_slice_codeunits(values, 8)
    return pc.binary_join_element_wise(head, f"{copy:04X}", tail, "")


def write(base: list[Path], lake: Path, copy: int, count: int) -> list[PartFile]:
    """Write the parts of one copy of so many."""
    year, month = divmod(copy * MONTHS // count, 12)
    name = f"{FIRST + year}-{month + 1:02}"
    found = []
    for place in base:
        with pq.ParquetFile(place) as file:
            path = f"{MONTH}={name}/part-{copy:04x}{place.name.split('-')[1][4:]}-0.parquet"
            part = Part(lake, path, name, file.schema_arrow)
            for number in range(file.num_row_groups):
                # Once a year they are those of the archive.
                rows = changed(file.read_row_group(number), copy, name, keys=copy % (count // YEARS) > 0)
                part.write(rows, secrets.token_bytes(HASH * rows.num_rows))
            found.append(part.finish())
    return found


def lake(folder: Path, archive: Path, count: int) -> tuple[Path, float]:
    """Make the lake, unless it is there, and return how long writing took, in processor seconds."""
    place = folder / f"lake-{count}"
    noted = folder / f"lake-{count}.json"
    if noted.exists():
        return place, json.loads(noted.read_text())
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        splits = ct.splits(archive, columns=columns_without_raw(), target=1 << 30)
        base = [Path(made) / part.path for split in splits for part in split.write_parquet(made).files]
        begin = sum(os.times()[:4])
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            parts = [
                part
                for found in pool.map(write, repeat(base), repeat(place), range(count), repeat(count))
                for part in found
            ]
        table = Table(place)
        table.create(pq.read_schema(base[0]), "a benchmark").commit(parts, ["benchmark"])
        noted.write_text(json.dumps(sum(os.times()[:4]) - begin))
    return place, json.loads(noted.read_text())


def dropped(root: Path) -> None:
    """Drop the pages of all files from memory."""
    for place in root.rglob("*"):
        if place.is_file():
            descriptor = os.open(place, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def used() -> dict[str, int]:
    """What this process has read so far: by calls, and from the disk."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {name: int(lines[name]) for name in ("rchar", "read_bytes")}


def search(what: str, where: str, value: str) -> None:
    """Search in this process, and print what it cost."""
    of, column = what.split()
    columns = {"key": KEY, "id": pl.col("eventID"), "address": pl.col("sourceIPAddress")}
    # By then, modules are imported.
    (ct.Lake(where).scan() if of == "lake" else ct.scan(where)).head(0).collect()
    before, cpu, begin = used(), time.process_time(), time.perf_counter()
    frame = ct.Lake(where).scan() if of == "lake" else ct.scan(where)
    rows = frame.filter(columns[column] == value).select(COLUMNS).collect().height
    cost = {"rows": rows, "wall": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
    print(json.dumps(cost | {name: number - before[name] for name, number in used().items()}))


def measured(what: str, where: Path, value: str, rounds: int = ROUNDS, *, cold: bool = False) -> dict[str, Any]:
    """Return the medians of some processes."""
    found = []
    for _ in range(rounds):
        if cold:
            dropped(where)
        command = [sys.executable, __file__, "--search", what, str(where), value]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    return {name: median(each[name] for each in found) for name in found[0]}


def bytes_of(root: Path, pattern: str) -> int:
    return sum(place.stat().st_size for place in root.glob(pattern))


def needles(archive: Path, count: int) -> dict[str, str]:
    """Return values to search for: of events that are in the lake a few times, or once, or not at all."""
    names = [
        "eventID",
        "sourceIPAddress",
        KEY.alias("key"),
    ]
    events = ct.scan(archive).select(names).collect()
    key = events["key"].drop_nulls().value_counts().sort("count", "key")["key"]
    address = events["sourceIPAddress"].value_counts().sort("count", "sourceIPAddress")["sourceIPAddress"]
    middle = len(key) // 2
    return {
        "key in one month": prefixed(pa.array([key[middle]]), count // 2)[0].as_py(),
        "key in one month of each year": key[middle],
        "key that is not there": "AKIAIOSFODNN7EXAMPLE",
        "id of an event": prefixed(pa.array([events["eventID"].drop_nulls()[-1]]), count // 2)[0].as_py(),
        "address in each part": address[len(address) // 2],
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure a search for one value in a lake.")
    parser.add_argument("--copies", type=int, default=163, help=f"times {EVENTS:,} events")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ctfast-needle")
    parser.add_argument("--search", nargs=3, metavar=("WHAT", "WHERE", "VALUE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        search(*options.search)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    archive = options.folder / "mixed"
    ensure("mixed", archive)
    place, cpu = lake(options.folder, archive, options.copies)
    parts, filters = bytes_of(place, "month=*/*"), bytes_of(place, "_ctfast/index/*/*")
    info = Table(place).open().parts()
    print(f"{sum(part.rows for part in info):,} events in {len(info)} parts of {parts / 1e9:.2f} GB,", end=" ")
    print(f"beside them {filters / 1e6:.0f} MB of filters; written in {cpu:.0f} s")
    chosen = needles(archive, options.copies)
    for name, value in chosen.items():
        what = f"lake {name.split()[0]}"
        warm, cold = measured(what, place, value), measured(what, place, value, cold=True)
        print(
            f"{name}: {warm['rows']:.0f} rows, {warm['wall']:.3f} s, {warm['cpu']:.3f} s of CPU, "
            f"{warm['rchar'] / 1e6:.2f} MB read ({warm['rchar'] / (parts + filters):.3%}); dropped from memory: "
            f"{cold['wall']:.3f} s, {cold['read_bytes'] / 1e6:.2f} MB from the disk"
        )
    links = multiplied(archive, options.copies)
    found = measured("archive key", links, chosen["key in one month"], 1)
    print(
        f"the first of them in the archive, which does not have it: {found['wall']:.1f} s, {found['cpu']:.1f} s of CPU"
    )


if __name__ == "__main__":
    main()
