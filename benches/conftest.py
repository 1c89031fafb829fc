"""Options and corpora of the benchmarks that pytest runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")  # before Polars is imported
sys.path.insert(0, str(Path(__file__).resolve().parent))

import corpus
import pytest
from floor import Floor
from peers import Archive
from table import home


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the size of the corpora; small by default, so that a run is a test that everything works."""
    default = float(os.environ.get("CTFAST_BENCH_SCALE", "0.02"))
    parser.addoption("--corpus-scale", type=float, default=default, help="size of the corpora (1 = full; $CTFAST_BENCH_SCALE)")


@pytest.fixture(scope="session")
def archives(request: pytest.FixtureRequest) -> dict[str, Archive]:
    """Return the three corpora."""
    scale = request.config.getoption("--corpus-scale")
    made = {}
    for name in corpus.SETS:
        path = home() / (name if scale == 1 else f"{name}-{scale:g}")
        made[name] = Archive(path, corpus.ensure(name, path, scale))
    return made


@pytest.fixture(scope="session")
def floor() -> Floor:
    """Return the built floor."""
    return Floor.build()
