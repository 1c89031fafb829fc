"""What the tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from seaweed import Store, seaweed

# In the background of a shell SIGINT is ignored, and would be by all processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An S3 server for all tests that need one: each uses buckets of its own."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as running:
        yield running
