"""Verification of a time range: digests before and after it show what should be in it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

import ctfast as ct
from signed import FIRST, HOUR, Chain, missing, reasons

if TYPE_CHECKING:
    from datetime import datetime

DAY = 24 * HOUR


def states(found: ct.Verification) -> list[tuple[datetime, str]]:
    return found.coverage.select("hour", "state").rows()


def remove_from(chain: Chain, hour: int) -> None:
    for path in [*chain.digests[hour:], *chain.logs[2 * hour :]]:
        path.unlink()


def test_a_chain_that_ends_before_the_range(chain: Chain) -> None:
    remove_from(chain, 3)
    found = chain.verify(since=FIRST + 4 * HOUR, until=FIRST + 6 * HOUR)
    assert not found.ok
    assert missing(found) == [(2, FIRST + 5 * HOUR, FIRST + 6 * HOUR)]
    assert found.missing["file"].to_list() == [str(chain.digests[5])]
    assert reasons(found) == ["missing-digest"]
    assert states(found) == [(FIRST.replace(minute=0, second=0) + hour * HOUR, "missing") for hour in (4, 5)]
    assert found.checked  # the earlier end of the chain is evidence


def test_without_an_end_of_the_range_its_first_hour_is_missing(chain: Chain) -> None:
    remove_from(chain, 3)
    left = dict(list(chain.signatures.items())[:3])
    assert missing(chain.verify(since=FIRST + 4 * HOUR, signatures=left)) == [(1, FIRST + 5 * HOUR, FIRST + 5 * HOUR)]


def test_without_an_end_of_the_range_log_files_tell_how_far_it_goes(chain: Chain) -> None:
    for path in chain.digests[2:]:
        path.unlink()
    found = chain.verify(since=FIRST + 3 * HOUR)
    assert missing(found)[0][:2] == (2, FIRST + 4 * HOUR)
    assert set(found.unlisted["file"]) == {str(path) for path in chain.logs[6:]}


@pytest.mark.parametrize("days", [1, 20, 40, 400, 900])
def test_however_long_ago_it_ended(chain: Chain, days: int) -> None:
    since = FIRST + timedelta(days=days)
    found = chain.verify(since=since, until=since + 2 * HOUR)
    assert missing(found) == [(2, since + HOUR, since + 2 * HOUR)]
    # Empty folders of later days make no difference.
    for later in range(1, days, 9):
        (chain.digests[0].parents[3] / f"{FIRST + timedelta(days=later):%Y/%m/%d}").mkdir(parents=True, exist_ok=True)
    assert chain.verify(since=since, until=since + 2 * HOUR).findings.equals(found.findings)


def test_another_trail_that_goes_on_hides_nothing(chain: Chain) -> None:
    other = Chain(chain.root, trail="other")
    for _ in range(4 * 24):
        other.hour([])
    since = FIRST + 2 * DAY
    signatures = {**chain.signatures, **other.signatures}
    found = other.verify(since=since + HOUR / 2, until=since + HOUR, signatures=signatures)
    assert found.digests.filter(pl.col("end") < since + 2 * HOUR).select("trail", "status").rows() == [
        ("other", "valid")
    ]
    assert found.missing["trail"].to_list() == ["t"]


def test_trails_that_are_not_asked_for_are_not_expected(chain: Chain) -> None:
    other = Chain(chain.root, trail="other")
    for _ in range(12):
        other.hour([])
    signatures = {**chain.signatures, **other.signatures}
    at = {"since": FIRST + 8 * HOUR, "until": FIRST + 10 * HOUR, "signatures": signatures}
    assert other.verify(**at, trails="other").ok
    assert reasons(other.verify(**at)) == ["missing-digest"]
    assert reasons(other.verify(**at, trails="t")) == ["missing-digest", "no-digests"]


def test_a_digest_that_was_moved_there_is_no_part_of_the_chain(chain: Chain) -> None:
    name = chain.digests[2].name.replace(f"{FIRST + 3 * HOUR:%Y%m%dT%H%M%SZ}", f"{FIRST + 3.5 * HOUR:%Y%m%dT%H%M%SZ}")
    chain.digests[1].with_name(name).write_bytes(chain.digests[1].read_bytes())
    assert chain.verify(since=FIRST + 4 * HOUR, until=FIRST + 6 * HOUR).ok
    remove_from(chain, 3)
    assert missing(chain.verify(since=FIRST + 4 * HOUR, until=FIRST + 5 * HOUR)) == [
        (1, FIRST + 5 * HOUR, FIRST + 5 * HOUR)
    ]


def test_what_the_range_begins_with_joins_what_is_before_it(chain: Chain) -> None:
    chain.end += HOUR / 2
    chain.hour()
    chain.hour()
    assert reasons(chain.verify(since=FIRST + 6 * HOUR + HOUR / 4)) == ["discontinuity"]
    assert chain.verify(since=FIRST + 7.75 * HOUR).ok


def test_a_range_that_begins_in_a_gap(chain: Chain) -> None:
    chain.end, chain.previous = chain.end + 40 * HOUR, None
    chain.hour()
    found = chain.verify(since=FIRST + 44 * HOUR, until=FIRST + 47 * HOUR)
    assert found.ok
    assert [state for _, state in states(found)] == ["gap", "gap", "valid"]
    assert reasons(found, "note") == ["gap"]


@pytest.mark.parametrize(("hours", "expected"), [(20, "gap"), (24 * 7, "missing")])
def test_a_range_that_ends_in_a_gap(chain: Chain, hours: int, expected: str) -> None:
    # The next digest of the chain is searched in the three days after the range.
    chain.end, chain.previous = chain.end + hours * HOUR, None
    chain.hour()
    found = chain.verify(until=FIRST + 8 * HOUR)
    assert [state for _, state in states(found)] == ["valid"] * 6 + [expected] * 2
    assert found.ok == (expected == "gap")


def test_the_end_of_a_gap_must_be_proven(chain: Chain) -> None:
    chain.end, chain.previous = chain.end + 20 * HOUR, None
    chain.hour(key="b")
    found = chain.verify(until=FIRST + 8 * HOUR)
    assert reasons(found) == ["missing-digest"]


def test_a_range_that_is_not_due_yet(chain: Chain) -> None:
    found = chain.verify(since="2999-01-01", until="2999-01-02")
    assert missing(found) == []
    assert not found.ok


def test_backfill_digests_alone_are_not_enough(chain: Chain) -> None:
    backfill = Chain(chain.root, suffix="_backfill", end=FIRST + 4 * HOUR, signatures=chain.signatures)
    path = backfill.hour([])
    key = f"{backfill.bucket}/{path.relative_to(chain.root)}"
    backfill.signatures[key]["backfill-generation-timestamp"] = "2024-02-29T03:01:31Z"
    assert chain.verify().ok
    remove_from(chain, 3)
    # The others end before the range.
    assert reasons(chain.verify(since=FIRST + 4 * HOUR, until=FIRST + 5 * HOUR)) == ["missing-digest"]
    for left in [*chain.digests[:3], *chain.logs[:6]]:
        left.unlink()
    # There are no others.
    found = chain.verify(signatures=backfill.signatures)
    assert reasons(found) == ["missing-digest", "no-digests"]
    found = chain.verify(signatures={key: backfill.signatures[key]})
    assert reasons(found) == ["no-digests"]
    assert found.findings["trail"].to_list() == ["t"]
