"""How verify is called: arguments, details, progress; and verifying while reading."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import ctfast as ct
from signed import ACCOUNT, FIRST, HOUR, Chain, private_key, public_keys, reasons, rewrite

if TYPE_CHECKING:
    from pathlib import Path


def test_arguments(chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ct.verify(tmp_path / "none", keys=public_keys(private_key()))
    with pytest.raises(NotADirectoryError):
        ct.verify(chain.digests[0], keys=public_keys(private_key()))
    with pytest.raises(ValueError, match="before"):
        chain.verify(since="2024-03-01", until="2024-02-01")


def test_details_are_optional(chain: Chain) -> None:
    rewrite(chain.logs[3], ("Records", "records"))
    found = chain.verify(details=False)
    assert (found.digests.height, found.logs.height) == (0, 1)
    assert found.digest_counts.valid == 6
    assert found.coverage.height == 6
    with pytest.raises(ValueError, match="details"):
        ct.read(chain.root, verified=found)


def test_progress(chain: Chain) -> None:
    seen: list[Any] = []
    chain.verify(progress=seen.append)
    assert seen[-1].files == 18
    assert seen[-1].places == seen[-1].of == 1


def test_one_pass(chain: Chain) -> None:
    verifier = ct.Verifier(keys=public_keys(private_key()), signatures=chain.signatures)
    with pytest.raises(ValueError, match="nothing was read"):
        _ = verifier.verification
    events = ct.read(chain.root, verify=verifier)
    assert events.height == 12
    shutil.rmtree(chain.root / "AWSLogs" / ACCOUNT / "CloudTrail")  # not read again
    found = verifier.verification
    assert found.ok
    assert found.log_counts.valid == 12


def test_one_pass_of_a_query_that_stops_early(chain: Chain) -> None:
    verifier = ct.Verifier(keys=public_keys(private_key()), signatures=chain.signatures)
    assert ct.scan(chain.root, verify=verifier, since=FIRST).head(1).collect().is_empty()
    assert verifier.verification.ok


def test_one_pass_sees_what_is_stored(chain: Chain) -> None:
    rewrite(chain.logs[3], ("Records", "Records"), ('"eventID"', '"eventId"'))
    chain.logs[4].write_bytes(chain.logs[4].read_bytes() + b"junk")
    verifier = ct.Verifier(keys=public_keys(private_key()), signatures=chain.signatures)
    ct.read(chain.root, verify=verifier, on_error="collect")
    shutil.rmtree(chain.root / "AWSLogs" / ACCOUNT / "CloudTrail")  # not read again
    assert reasons(verifier.verification) == ["hash", "trailing-bytes"]


def test_only_verified_files_are_read(chain: Chain) -> None:
    rewrite(chain.logs[3], ('"eventID"', '"eventName"'))
    chain.log(FIRST + HOUR, b'{"Records":[{"eventID":"x"}]}', number=7)
    found = chain.verify()
    report = ct.Report()
    events = ct.read(chain.root, verified=found, report=report)
    assert events.height == 11
    assert report.skipped["unverified"] == 2
    with pytest.raises(ValueError, match="below"):
        ct.read(chain.root.parent, verified=found)
    # As the documentation marks them.
    proven = found.logs.group_by("file").agg(proven=(pl.col("status") == "valid").all())
    marked = ct.scan(chain.root).join(proven.lazy(), on="file", how="left", maintain_order="left")
    marked = marked.with_columns(pl.col("proven").fill_null(False)).collect()
    assert marked.height == 13
    assert marked.filter("proven").drop("proven").equals(events)
