"""Item 11: an object is read in one version or not at all, and a listing ends only at the end of the bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import ctfast as ct
from loopback import Request, error, response
from scripted import Cut, Scripted, page, playing

KEY = "events.json"


def version(name: str, events: int) -> bytes:
    """A file of this many events, all of one name."""
    line = json.dumps(
        {"eventVersion": "1.08", "eventTime": "2025-03-12T00:00:00Z", "eventName": name, "eventSource": "s3"}
    )
    return (line + "\n").encode() * events


def replaced(old: bytes, new: bytes, tag: str = '"two"') -> Callable[[Request], bytes]:
    """A store that has another version after the first half of the first answer, and ignores If-Match."""

    def answer(request: Request) -> bytes:
        if request.kind == "list":
            return page([(KEY, len(old))])
        if request.attempt == 1:
            whole = response(200, old, etag='"one"')
            return Cut(whole[: len(whole) - len(old) // 2])
        begin = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if begin == 0:
            return response(200, new, etag=tag)
        return response(206, new[begin:], etag=tag, content_range=f"bytes {begin}-{len(new) - 1}/{len(new)}")

    return answer


@pytest.mark.parametrize("tag", ['"two"', 'W/"one"'])
def test_a_small_object_is_read_anew(tag: str) -> None:
    old, new = version("Before", 1000), version("Behind", 1000)
    report = ct.Report()
    with playing(replaced(old, new, tag)) as store:
        events = ct.read("s3://bucket/", storage_options=store.options, report=report)
    assert events["eventName"].unique().to_list() == ["Behind"]
    assert events.height == report.records.read == 1000
    assert report.requests.gets == 3


def test_a_large_object_ends_where_the_other_version_begins() -> None:
    # Larger than what is fetched at once: its rows are handed over during the download.
    old, new = version("Before", 250_000), version("Behind", 250_000)
    report = ct.Report()
    with playing(replaced(old, new)) as store:
        events = ct.read("s3://bucket/", storage_options=store.options, report=report, on_error="collect")
    assert set(events["eventName"].unique()) <= {"Before"}
    (bad,) = report.bad.to_dicts()
    assert (bad["file"], bad["kind"], bad["records_kept"]) == (f"s3://bucket/{KEY}", "changed", events.height)
    assert "of another version" in bad["message"]
    with playing(replaced(old, new)) as store, pytest.raises(ct.SourceError) as raised:
        ct.read("s3://bucket/", storage_options=store.options)
    assert raised.value.kind == "changed"


def test_a_copy_is_of_one_version(tmp_path: Path) -> None:
    old, new = version("Before", 1000), version("Behind", 1000)
    with playing(replaced(old, new)) as store:
        done = ct.copy("s3://bucket/", tmp_path / "copy", storage_options=store.options)
    assert done.bad.is_empty()
    assert (tmp_path / "copy" / KEY).read_bytes() == new


def listing(pages: Callable[[int], bytes]) -> Callable[[Request], bytes]:
    """A store whose pages are given by a function of their number, from 0."""
    count = iter(range(1_000_000))
    return lambda request: pages(next(count)) if request.kind == "list" else response(200, version("A", 1), etag='"e"')


SIZE = len(version("A", 1))


def test_a_page_without_a_key_is_not_the_end() -> None:
    asked: list[Scripted] = []
    with playing(listing(lambda number: page([], f"t{number}") if number < 3 else page([("a.json", SIZE)]))) as store:
        asked.append(store)
        assert ct.read("s3://bucket/", storage_options=store.options).height == 1
    assert [request.query.get("continuation-token") for request in asked[0].asked][:4] == [None, "t0", "t1", "t2"]


CIRCLES: dict[str, Callable[[int], bytes]] = {
    "one token": lambda number: page([(f"{number:04}.json", SIZE)], "t"),
    "two tokens in turn": lambda number: page([(f"{number:04}.json", SIZE)], f"t{number % 2}"),
    "one page": lambda number: page([("a.json", SIZE)], f"t{number}"),
    "nothing but tokens": lambda number: page([], f"t{number}"),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_listing_in_a_circle_is_a_failure(name: str) -> None:
    # Ends the test if the listing does not end.
    pages = listing(lambda number: CIRCLES[name](number) if number < 2_000 else error(403, "AccessDenied"))
    with playing(pages) as store, pytest.raises(ct.SourceError) as raised:
        ct.read("s3://bucket/", storage_options=store.options, on_error="collect")
    assert raised.value.kind == "protocol"
    assert store.traffic.requests["list"] <= 1_001


def test_what_leads_out_of_the_range_is_a_failure() -> None:
    with playing(listing(lambda _: page([("other/a.json", SIZE)]))) as store, pytest.raises(ct.SourceError) as raised:
        ct.read("s3://bucket/folder/", storage_options=store.options)
    assert raised.value.kind == "protocol"


@pytest.mark.parametrize("runs", [1, 2])
def test_listings_of_a_checkpoint_are_counted(tmp_path: Path, runs: int) -> None:
    with playing(listing(lambda _: page([("a.json", SIZE)]))) as store:
        for _ in range(runs):
            report = ct.Report()
            with ct.Checkpoint(tmp_path / "checkpoint") as checkpoint:
                ct.read("s3://bucket/", storage_options=store.options, checkpoint=checkpoint, report=report)
    assert report.requests == ct.Report().requests._replace(lists=1, gets=2 - runs)


def test_the_second_listing_of_a_copy_is_counted(tmp_path: Path) -> None:
    with playing(listing(lambda _: page([("a.json", SIZE)]))) as store:
        done = ct.copy("s3://bucket/", tmp_path / "copy", storage_options=store.options, progress=lambda _: None)
    # The copy may end before the second listing has reached the store; only requests that reached it are counted.
    assert store.traffic.requests["list"] <= done.requests.lists <= 2
    assert done.requests.gets == 1


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_listings_are_counted_where_nothing_is_read() -> None:
    report = ct.Report()
    with playing(listing(lambda _: page([("a.txt", SIZE)]))) as store:
        found = ct.info("s3://bucket/", storage_options=store.options)
        assert found.report.requests.lists == 1
        assert isinstance(ct.read("s3://bucket/", storage_options=store.options, report=report), pl.DataFrame)
    assert (report.requests.lists, report.requests.gets) == (1, 0)
