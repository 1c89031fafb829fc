"""Any change of any file of a chain is found."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signed import Chain

if TYPE_CHECKING:
    from pathlib import Path


def everything(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    made = Chain(tmp_path_factory.mktemp("small") / "archive")
    for _ in range(3):
        made.hour()
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), saved=st.booleans())
def test_any_change_is_found(small: Chain, data: st.DataObject, *, saved: bool) -> None:
    """If a byte of any file is flipped, inserted or deleted, or a file removed or renamed, the archive is not valid."""
    paths = everything(small.root)
    path = data.draw(st.sampled_from(paths))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    action = data.draw(st.sampled_from(["flip", "insert", "delete", "remove", "rename"]))
    new = path
    try:
        if action == "flip":
            path.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
        elif action == "insert":
            path.write_bytes(whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at:])
        elif action == "delete":
            path.write_bytes(whole[:at] + whole[at + 1 :])
        elif action == "remove":
            path.unlink()
        else:
            new = path.rename(
                path.with_name(data.draw(st.sampled_from(["x.json.gz", f"x{path.name}", path.name[:-3]])))
            )
        found = small.verify(until=small.end, signatures=small.signatures if saved else None)
        same = path.exists() and gzip_text(path) == gzip.decompress(whole)
        if same:
            # The byte does not affect the text: it is the time in the gzip header, or has the padding of the last byte.
            assert found.ok == saved, (action, at)
        elif saved:
            assert not found.ok, (action, at)
        else:
            assert found.errors > 1, (action, at)  # the newest digest has no signature anyway
    finally:
        new.unlink(missing_ok=True)
        path.write_bytes(whole)


def gzip_text(path: Path) -> bytes | None:
    """The text of a file of exactly one member: not even zeros, which Python's gzip ignores, may follow."""
    member = zlib.decompressobj(31)
    try:
        text = member.decompress(path.read_bytes())
    except zlib.error:
        return None
    return text if member.eof and not member.unused_data else None
