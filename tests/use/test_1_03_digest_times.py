"""Item 3 of 1 of 9, its part about digests: no time in a digest costs more than another."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from signed import FIRST, HOUR, Chain, private_key, public_keys, reasons

#: The limit for any times; the interpreter with Polars takes 0.2 GB of it.
MEMORY = 1_500_000_000
#: How many hours of a stretch without digests are listed.
MOST = 366 * 24


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    made = Chain(tmp_path / "archive")
    for _ in range(4):
        made.hour()
    return made


def forge(chain: Chain, path: Path, start: str, end: str) -> None:
    content = json.loads(gzip.decompress(path.read_bytes()))
    content.update(digestStartTime=start, digestEndTime=end)
    path.write_bytes(gzip.compress(json.dumps(content).encode()))


BOUNDED = """
import json, resource, sys
import ctfast as ct
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
found = ct.verify(sys.argv[2], keys=json.load(open(sys.argv[3])), signatures=json.load(open(sys.argv[4])), threads=2)
print(json.dumps([found.ok, found.coverage.height, len(found.html()), sorted(found.findings["reason"])]))
"""


def bounded(chain: Chain, tmp_path: Path, **signatures: object) -> tuple[bool, int, int, list[str]]:
    """Verify in a process with limited memory: ok, hours, length of the page, reasons."""
    keys, saved = tmp_path / "keys.json", tmp_path / "signatures.json"
    keys.write_text(json.dumps(public_keys(private_key())))
    saved.write_text(json.dumps({**chain.signatures, **signatures}))
    command = [sys.executable, "-c", BOUNDED, str(MEMORY), str(chain.root), str(keys), str(saved)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    ok, hours, page, found = json.loads(done.stdout)
    return ok, hours, page, found


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-02-28T21:01:31Z", "9999-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "2024-02-28T22:01:31Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_one_forged_digest_that_spans_centuries(chain: Chain, tmp_path: Path, start: str, end: str) -> None:
    forge(chain, chain.digests[1], start, end)
    ok, hours, page, found = bounded(chain, tmp_path)
    assert not ok
    assert hours == 4
    assert page < 100_000
    assert {"implausible-time", "name-time"} & set(found)


@pytest.mark.parametrize("year", [1, 1999, 9999])
def test_a_name_of_another_century(chain: Chain, tmp_path: Path, year: int) -> None:
    end = (chain.end - timedelta(days=2)).replace(year=year)
    day = f"{year:04}/{end:%m/%d}"
    stamp = f"{year:04}{end:%m%dT%H%M%SZ}"
    name = chain.digests[0].name.replace(f"{FIRST + HOUR:%Y%m%dT%H%M%SZ}", stamp)
    path = chain.digests[0].parents[3] / day / name
    path.parent.mkdir(parents=True)
    path.write_bytes(chain.digests[0].read_bytes())
    ok, hours, page, found = bounded(chain, tmp_path)
    assert (ok, hours, found) == (False, 4, ["implausible-time"])
    assert page < 100_000
    # It is not part of the chain, which is unchanged.
    verification = chain.verify()
    assert verification.ranges.filter(range="found").select("start", "end").rows() == [(FIRST, FIRST + 4 * HOUR)]
    assert verification.missing.is_empty()
    # A saved signature with such a name costs no more.
    path.unlink()
    key = f"{chain.bucket}/AWSLogs/{path.as_posix().partition('AWSLogs/')[2]}"
    ok, hours, page, found = bounded(chain, tmp_path, **{key: "00"})
    assert not ok
    assert hours <= 5 + MOST


@pytest.mark.parametrize(
    "changes",
    [
        {"digestEndTime": "262142-01-01T00:00:00Z"},
        {"digestStartTime": "-001-01-01T00:00:00Z"},
        {"digestStartTime": "2024-02-29T22:01:31Z"},
        {"digestStartTime": "0000-00-00T00:00:00Z"},
    ],
)
def test_what_is_no_time_or_ends_before_it_starts(tmp_path: Path, changes: dict[str, str]) -> None:
    made = Chain(tmp_path / "archive")
    made.hour()
    made.hour(**changes)
    found = made.verify()
    assert "format" in reasons(found)
    assert found.coverage.height == 2


def test_a_signed_digest_of_centuries_is_not_believed(tmp_path: Path) -> None:
    made = Chain(tmp_path / "archive")
    made.hour()
    made.hour(digestStartTime="0001-01-01T00:00:00Z")
    found = made.verify()
    assert reasons(found)[:1] == ["implausible-time"]
    assert found.digest_counts == (1, 1, 0, 0)
    assert found.ranges.filter(range="found").select("start", "end").rows() == [(FIRST, FIRST + HOUR)]


def test_centuries_that_are_asked_for_are_ranges(chain: Chain) -> None:
    found = chain.verify(since="0001-01-01", until="9999-12-31")
    assert not found.ok
    assert found.findings.height <= 3
    assert found.ranges.height <= 5
    assert found.coverage.height <= 4 + MOST
    assert "0001-01-01 00:00:00" in found.summary()
    assert "0001-01-01 00:00:00" in found.html()


def test_a_long_stretch_keeps_its_ends(chain: Chain) -> None:
    found = chain.verify(until=FIRST + timedelta(days=900))
    hours = found.coverage.filter(pl.col("state") == "missing")["hour"]
    assert hours.len() == MOST
    assert hours[0].date() == (FIRST + 4 * HOUR).date()
    assert hours[-1].date() == (FIRST + timedelta(days=900)).date()
    assert found.spans.filter(state="missing").select("start", "end").rows() == [
        (FIRST + 4 * HOUR, FIRST + timedelta(days=900))
    ]
    assert "…" in found.html()
