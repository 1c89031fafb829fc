"""The floor and the readers under pytest-benchmark: every answer is compared before it is timed.

pytest benches/                            # small corpora: a test that everything works
pytest benches/ --corpus-scale 1           # the real thing; `table.py` gives ratios and memory as well
"""

from __future__ import annotations

import platform
import time
from typing import TYPE_CHECKING, Any

import peers  # noqa: F401 — adds readers
import polars as pl
import pytest

from ctfast._bench.readers import READERS, installed, load
from ctfast._bench.readers.base import TASKS, Archive, difference

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SETS = ("mixed", "tiny", "large")
OTHERS = [name for name in installed(READERS) if name not in {"floor", "ctfast"}]


def rounds(seconds: float) -> int:
    """Return how often a run of `seconds` is repeated."""
    return max(2, min(10, int(2 / seconds)))


def timed(benchmark: BenchmarkFixture, archive: Archive, name: str, task: str) -> None:
    reader = load(name, archive, pl.thread_pool_size())
    method = getattr(reader, task)
    started = time.perf_counter()
    result: Any = method()
    seconds = time.perf_counter() - started
    assert difference(task, reader.facts(task, result), archive.answers) is None
    del result
    benchmark.extra_info.update(
        version=reader.version(), events=archive.answers["events"], python=platform.python_version()
    )
    benchmark.pedantic(method, rounds=rounds(seconds))


@pytest.mark.parametrize("which", SETS)
def test_floor(benchmark: BenchmarkFixture, archives: dict[str, Archive], which: str) -> None:
    benchmark.group = f"{which}: floor"
    timed(benchmark, archives[which], "floor", "inflate")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("which", SETS)
def test_ctfast(benchmark: BenchmarkFixture, archives: dict[str, Archive], which: str, task: str) -> None:
    benchmark.group = f"{which}: {task}"
    timed(benchmark, archives[which], "ctfast", task)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.filterwarnings("default")  # their own
def test_peer(benchmark: BenchmarkFixture, archives: dict[str, Archive], name: str, which: str, task: str) -> None:
    benchmark.group = f"{which}: {task}"
    timed(benchmark, archives[which], name, task)
