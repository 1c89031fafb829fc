"""`Verification.files_scan`: one row for each file; and rows of a verification that do not fit in memory."""

from __future__ import annotations

import copy
import gzip
import hashlib
import pickle
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast import _ctfast
from ctfast._ledger.spilled import Spilled
from ctfast.cli import main
from file_rows import check
from signed import FIRST, HOUR, Chain, rewrite
from signing import der, private_key

TABLES = ("digests", "logs", "unlisted", "findings", "spans", "missing", "ranges", "keys")


def test_what_is_in_a_row(chain: Chain) -> None:
    rewrite(chain.logs[3], ("Records", "records"))
    stored = chain.logs[5].read_bytes()
    chain.logs[5].write_bytes(stored[:-9])
    chain.logs[7].unlink()
    chain.digests[4].unlink()
    added = Path(chain.log(FIRST + 2 * HOUR, number=7)["s3Object"])
    stray = chain.put(f"AWSLogs/{chain.logs[0].name}", b"{}")
    rows = check(chain.verify()).rows_by_key("file", named=True, unique=True)
    valid, changed, damaged, gone = (rows[str(chain.logs[number])] for number in (0, 3, 5, 7))
    text = gzip.decompress(chain.logs[0].read_bytes())
    assert valid["size"] == chain.logs[0].stat().st_size
    assert valid["text_sha256"] == hashlib.sha256(text).hexdigest()
    assert (changed["outcome"], changed["reason"]) == ("invalid", "hash")
    changed_text = gzip.decompress(chain.logs[3].read_bytes())
    assert changed["text_sha256"] == hashlib.sha256(changed_text).hexdigest()
    assert (damaged["outcome"], damaged["reason"], damaged["text_sha256"]) == ("invalid", "format", None)
    assert damaged["byte"] == len(stored) - 9
    assert (gone["outcome"], gone["reason"], gone["size"]) == ("missing", "missing-log", None)
    assert rows[str(chain.digests[4])]["outcome"] == "missing"
    assert rows[str(chain.root / added)]["outcome"] == "unlisted"
    assert rows[str(stray)]["reason"] == "stray"
    assert valid["records_read"] is None


def test_rows_on_the_disk_come_back_as_they_were(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 4, 6):
        chain.logs[number].unlink()
    chain.digests[4].unlink()
    chain.log(FIRST + 2 * HOUR, number=7)
    held = chain.verify()
    monkeypatch.setattr(_ctfast, "LEDGER_ROWS", 2)
    kept = chain.verify()
    assert isinstance(kept._frames["logs"], Spilled)  # noqa: SLF001  # what is on the disk shows nowhere else
    assert len(kept._frames["logs"]._ends) > 2  # noqa: SLF001
    copies = [copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))]
    for other in [kept, kept, *copies]:
        for name in TABLES:
            assert_frame_equal(getattr(other, name), getattr(held, name))
        assert_frame_equal(other.logs_scan().collect(), held.logs)
        assert_frame_equal(other.findings_scan().collect(), held.findings)
        assert other.summary() == held.summary()
        assert other.html() == held.html()
    for other in copies:
        with pytest.raises(ct.ArgumentError, match="a copy or a pickle of its result"):
            other.files_scan()
    everything = {str(path) for path in chain.logs[:-1] if path.exists()}
    assert set(ct.read(chain.root, verified=kept)["file"]) <= everything


def test_more_rows_than_are_held_need_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pl.DataFrame({"number": range(3 * _ctfast.LEDGER_ROWS + 5)})
    spilled = Spilled(rows.iter_slices(1000))
    assert max(page.height for page in spilled) <= _ctfast.LEDGER_ROWS
    assert_frame_equal(pl.concat(spilled), rows)
    assert_frame_equal(pl.concat(spilled), rows)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(ct.SourceError, match="TMPDIR") as caught:
        Spilled([rows])
    assert (caught.value.key, caught.value.kind) == ("/nowhere", "unwritable")


def test_without_details_there_are_no_rows(chain: Chain) -> None:
    with pytest.raises(ct.ArgumentError, match="details=True"):
        chain.verify(details=False).files_scan()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_command_writes_the_rows(chain: Chain, tmp_path: Path, form: str) -> None:
    (tmp_path / "key.der").write_bytes(der(private_key()))
    chain.logs[3].unlink()
    target = tmp_path / f"files.{form}"
    arguments = ["verify", str(chain.root), "--keys", str(tmp_path / "key.der"), "--files", str(target)]
    assert CliRunner().invoke(main, arguments).exit_code == 1
    rows = pl.read_csv(target) if form == "csv" else pl.read_parquet(target)
    assert Counter(rows["outcome"]) == {"valid": 5 + 9, "unverified": 3, "missing": 1}
