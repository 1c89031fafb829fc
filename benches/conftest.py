"""Options and corpora of the benchmarks that pytest runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")  # before Polars is imported
sys.path.insert(0, str(Path(__file__).resolve().parent))

import corpus
import pytest
from table import home

from ctfast._bench.readers.base import Archive


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the size of the corpora; small by default, so that a run tests that everything works."""
    default = float(os.environ.get("CTFAST_BENCH_SCALE", "0.02"))
    parser.addoption(
        "--corpus-scale", type=float, default=default, help="size of the corpora (1 = full; $CTFAST_BENCH_SCALE)"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """With --benchmark-only, compare with the last saved run of this size, and save this one, unless told otherwise."""
    option = config.option
    if not option.benchmark_only:
        return
    if option.benchmark_storage == "file://./.benchmarks":
        option.benchmark_storage += f"/scale-{option.corpus_scale:g}"
    saved = Path(option.benchmark_storage.removeprefix("file://")).glob("*/*.json")
    option.benchmark_compare = option.benchmark_compare or any(saved)  # without a saved run, comparing is an error
    option.benchmark_save = option.benchmark_save or option.benchmark_autosave or "run"


@pytest.fixture(scope="session")
def archives(request: pytest.FixtureRequest) -> dict[str, Archive]:
    """Return the three corpora."""
    scale = request.config.getoption("--corpus-scale")
    made = {}
    for name in corpus.SETS:
        path = home() / (name if scale == 1 else f"{name}-{scale:g}")
        made[name] = Archive(path, corpus.ensure(name, path, scale))
    return made
