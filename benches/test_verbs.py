"""The main verbs under pytest-benchmark, to compare a change with a run that was saved before it.

pytest benches --benchmark-only -k verbs   # twice, before and after; see README.md
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import ctfast as ct
from ctfast import packs, sample
from ctfast._bench.readers.base import Archive

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


def stream(source: str, threads: int) -> int:
    with ct.stream(source, threads=threads) as batches:
        return sum(batch.num_rows for batch in batches)


# Each returns how many records it has seen.
VERBS: dict[str, Callable[[str, int], int]] = {
    "read": lambda source, threads: ct.read(source, threads=threads).height,
    "stream": stream,
    "count": lambda source, threads: ct.scan(source, threads=threads).select(pl.len()).collect().item(),
    "info": lambda source, threads: ct.info(source, threads=threads).report.records.read,
    "files": lambda source, threads: ct.files(source, threads=threads).collect()["records_read"].sum(),
    "dedupe": lambda source, threads: ct.scan(source, threads=threads, dedupe=True).select(pl.len()).collect().item(),
}


@pytest.mark.parametrize("which", ["mixed", "tiny"])
@pytest.mark.parametrize("verb", VERBS)
def test_verb(benchmark: BenchmarkFixture, archives: dict[str, Archive], verb: str, which: str) -> None:
    archive, threads = archives[which], pl.thread_pool_size()
    benchmark.group = f"{which}: verbs"
    seen = benchmark.pedantic(VERBS[verb], (str(archive.path), threads), rounds=5, warmup_rounds=1)
    assert seen == archive.answers["events"]


def test_match(benchmark: BenchmarkFixture, archives: dict[str, Archive]) -> None:
    archive, rules = archives["mixed"], packs.load("cis")
    benchmark.group = "mixed: verbs"
    hits = benchmark.pedantic(lambda: ct.match(str(archive.path), rules).collect().height, rounds=5, warmup_rounds=1)
    assert 0 < hits < archive.answers["events"]


def test_verify(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    made = sample.write(tmp_path / "sample")
    benchmark.group = "sample: verbs"
    found = benchmark.pedantic(
        lambda: ct.verify(made.archive, keys=made.keys, signatures=made.signatures), rounds=5, warmup_rounds=1
    )
    assert found


def test_split(benchmark: BenchmarkFixture, archives: dict[str, Archive], tmp_path: Path) -> None:
    archive, target = archives["mixed"], tmp_path / "parts"
    (split,) = ct.splits(str(archive.path), target=1 << 40)
    benchmark.group = "mixed: verbs"

    def empty() -> None:
        shutil.rmtree(target, ignore_errors=True)

    message = benchmark.pedantic(lambda: split.write_parquet(target), setup=empty, rounds=5, warmup_rounds=1)
    assert sum(file.rows for file in message.files) == archive.answers["events"]
