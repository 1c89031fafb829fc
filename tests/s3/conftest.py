"""What the tests over S3 share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mirrored import Mirrored, make_archive
from proxy import Proxy, before
from seaweed import Store


@pytest.fixture(scope="session")
def mirrored(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Mirrored:
    """Three hundred files, on disk and in a bucket; not to be changed."""
    folder = make_archive(tmp_path_factory.mktemp("mirrored"), 300)
    return Mirrored(folder, "mirrored", store.upload("mirrored", folder))


@pytest.fixture
def proxy(store: Store) -> Iterator[Proxy]:
    with before(store.endpoint) as running:
        yield running
