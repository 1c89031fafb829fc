"""Measure orders of rows, and sizes of row groups, in a part of a lake: size, cost, and what questions read of it.

    python benches/layout.py [--folder DIR] [--scale 1.0] [--rounds 3]

Makes `mixed` and writes it as one part: as a split writes it, in the order of the archive, and in others. Those marked
with a star have the whole part in memory to sort it. Bytes are those that the calls of one process have read.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from corpus import ensure
from needle import KEY, columns_without_raw

import ctfast as ct
from ctfast._lake.table import Table
from ctfast._scan.part import HASH, MONTH, TIME, WAITING, Part

BY_TIME = [TIME]
BY_PLACE = ["recipientAccountId", "awsRegion", TIME]
#: The order, whether the whole part is sorted, and the bytes of Arrow data in a row group.
LAYOUTS = {
    "archive": (None, False, WAITING),
    "account, region, time within a row group": (BY_PLACE, False, WAITING),
    "time *": (BY_TIME, True, WAITING),
    "account, region, time *": (BY_PLACE, True, WAITING),
    "archive, row groups of 8 MiB": (None, False, 8 << 20),
    "archive, row groups of 16 MiB": (None, False, 16 << 20),
    "archive, row groups of 64 MiB": (None, False, 64 << 20),
}


def written(base: Path, place: Path, layout: str) -> tuple[float, int]:
    """Write the rows in an order, and return the processor seconds and the bytes of the part."""
    order, is_whole, most = LAYOUTS[layout]
    shutil.rmtree(place, ignore_errors=True)
    whole = pq.read_table(base, partitioning=None).combine_chunks()
    begin = time.process_time()
    if is_whole:
        whole = in_order(whole, order)
    name = f"{MONTH}={whole[MONTH][0].as_py()}/part-0123456789abcdef0123456789abcdef-0.parquet"
    part = Part(place, name, whole[MONTH][0].as_py(), whole.schema)
    number = -(-whole.num_rows // -(-whole.nbytes // most))
    for start in range(0, whole.num_rows, number):
        rows = whole.slice(start, number)
        part.write(rows if is_whole else in_order(rows, order), bytes(HASH * rows.num_rows))
    file = part.finish()
    cpu = time.process_time() - begin
    table = Table(place)
    table.create(whole.schema, "a benchmark").commit([file], ["benchmark"])
    return cpu, file.size


def in_order(rows: pa.Table, order: list[str] | None) -> pa.Table:
    return (
        rows if order is None else rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in order]))
    )


def questions(archive: Path) -> dict[str, pl.Expr]:
    """Return conditions that analysts ask about, of this archive."""
    events = ct.scan(archive).select("recipientAccountId", TIME, KEY.alias("key")).collect()
    account = events["recipientAccountId"].value_counts(sort=True)["recipientAccountId"][3]
    hour = events[TIME].median()
    assert isinstance(hour, datetime)
    start = hour.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    key = events["key"].drop_nulls().value_counts().sort("count", "key")["key"]
    within = pl.col(TIME).is_between(start, start + timedelta(hours=1))
    return {
        "account and hour": (pl.col("recipientAccountId") == account) & within,
        "hour": within,
        "rare name": pl.col("eventName") == "DeleteBucket",
        "key": key[len(key) // 2] == KEY,
    }


def asked(lake: Path, condition: pl.Expr, rounds: int) -> tuple[int, float]:
    """Return how many bytes a question reads in a process of its own, and the seconds that it takes."""
    script = """if True:
        import sys, time, json, polars as pl, ctfast as ct
        sys.path.insert(0, sys.argv[3])
        from needle import COLUMNS, used
        scan = ct.Lake(sys.argv[1]).scan().filter(pl.Expr.deserialize(sys.argv[2].encode(), format="json"))
        scan.head(0).collect()
        before, begin = used()["rchar"], time.perf_counter()
        scan.select(COLUMNS).collect()
        print(used()["rchar"] - before, time.perf_counter() - begin)
    """
    given = [str(lake), condition.meta.serialize(format="json"), str(Path(__file__).parent)]
    found = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", script, *given], check=True, capture_output=True, text=True)
        found.append(done.stdout.split())
    return int(found[0][0]), median(float(seconds) for _, seconds in found)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure orders of rows in a part of a lake.")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ctfast-needle")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3, choices=(1, 3, 5, 7, 9))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    archive = options.folder / ("mixed" if options.scale == 1 else f"mixed-{options.scale}")
    ensure("mixed", archive, options.scale)
    conditions = questions(archive)
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        [split] = ct.splits(archive, columns=columns_without_raw(), target=1 << 30)
        [base] = [Path(made) / part.path for part in split.write_parquet(made).files]
        for layout in LAYOUTS:
            cpu, size = median(written(base, Path(made) / "lake", layout) for _ in range(options.rounds))
            found = {
                name: asked(Path(made) / "lake", condition, options.rounds) for name, condition in conditions.items()
            }
            told = "; ".join(f"{name} {read / 1e6:.2f} MB {wall * 1000:.0f} ms" for name, (read, wall) in found.items())
            print(f"{layout}: {cpu:.2f} s, {size / 1e6:.1f} MB; {told}", flush=True)


if __name__ == "__main__":
    main()
