"""ctfast, the floor and the peers under pytest-benchmark: every answer is checked before it is timed.

pytest benches/                            # small corpora: a test that everything works
pytest benches/ --corpus-scale 1           # the real thing; `table.py` gives ratios and memory as well
"""

from __future__ import annotations

import platform
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from peers import PEERS, TASKS, Archive, check, installed, load

if TYPE_CHECKING:
    from floor import Floor
    from pytest_benchmark.fixture import BenchmarkFixture

SETS = ("mixed", "tiny", "large")


def rounds(seconds: float) -> int:
    """Return how often a run of `seconds` is repeated."""
    return max(2, min(10, int(2 / seconds)))


@pytest.mark.parametrize("which", SETS)
def test_floor(benchmark: BenchmarkFixture, floor: Floor, archives: dict[str, Archive], which: str) -> None:
    archive = archives[which]
    inflated = archive.answers["bytes_inflated"]
    benchmark.group = f"{which}: floor"
    seconds, _ = floor.passes(archive.path, pl.thread_pool_size(), 5, inflated)  # raises where the bytes are not all there
    benchmark.extra_info["seconds"] = seconds  # without the start of the process, which is in what pytest-benchmark sees
    benchmark.pedantic(floor.passes, (archive.path, pl.thread_pool_size(), 1, inflated), rounds=2)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("name", installed(PEERS))
@pytest.mark.filterwarnings("default")  # the peers' own
def test_peer(benchmark: BenchmarkFixture, archives: dict[str, Archive], name: str, which: str, task: str) -> None:
    archive = archives[which]
    peer = load(name, archive, pl.thread_pool_size())
    method = getattr(peer, task)
    started = time.perf_counter()
    result: Any = method()
    seconds = time.perf_counter() - started
    check(task, peer.facts(task, result), archive.answers)
    del result
    benchmark.group = f"{which}: {task}"
    benchmark.extra_info.update(version=peer.version(), events=archive.answers["events"], python=platform.python_version())
    benchmark.pedantic(method, rounds=rounds(seconds))
