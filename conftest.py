"""What all tests share, those in the documents included."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from ctfast import _ctfast
from ctfast import sample as samples

if TYPE_CHECKING:
    from ctfast.sample import Sample


def pytest_configure() -> None:
    # A script's job in the background ignores SIGINT, and the processes of the tests would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if _ctfast.DEBUG and os.environ.get("CTFAST_DEBUG") != "1":
        pytest.exit("this is a debug build: run `maturin develop --release`, or set CTFAST_DEBUG=1", returncode=4)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample archive; not to be changed."""
    return samples.write(tmp_path_factory.mktemp("sample"))


@pytest.fixture(autouse=True)
def _examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    """In the examples of the documents, ``archive``, ``keys`` and ``signatures`` are paths of the sample archive."""
    if isinstance(request.node, pytest.DoctestItem):
        made = request.getfixturevalue("sample")
        doctest_namespace.update(archive=str(made.archive), keys=str(made.keys), signatures=str(made.signatures))
