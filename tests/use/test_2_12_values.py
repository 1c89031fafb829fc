"""Item 12 of 2 of 9: results are displayed in notebooks, can be pickled and copied, and their types are exported."""

from __future__ import annotations

import copy
import json
import pickle
import re
import shutil
import types
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast.sample import Sample

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>&\u202egz'
PAIRED = ["div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "pre"]


class Reader(HTMLParser):
    """The tags, the attributes and the text of a fragment."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[Any] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Files, accounts and keys with markup in them."""
    folder = tmp_path / "logs"
    folder.mkdir()
    name = SCRIPT.replace("/", "_")
    record = {
        "eventName": SCRIPT,
        "awsRegion": SCRIPT,
        "recipientAccountId": SCRIPT,
        "eventTime": "2025-03-12T00:00:00Z",
    }
    (folder / f"{name}.json").write_text(json.dumps({"Records": [record, 7]}))
    (folder / f"empty {name}.json").write_bytes(b"")
    return folder


def shown(result: Any) -> Reader:
    html = result._repr_html_()
    read = Reader(html)
    assert read.open == []
    assert set(read.tags) <= {*PAIRED, "br"}
    # No colours, for both themes of a notebook, and nothing that runs or loads, whatever names from outside contain.
    assert read.attributes == []
    assert "\u202e" not in html
    return read


def test_markup_in_names_and_records_only_shows(hostile: Path) -> None:
    found = ct.info(hostile, on_error="collect")
    for result in (found, found.report):
        read = shown(result)
        assert "alert(1)" in read.text
        assert "alert(2)" in read.text
    assert "2 bad" in shown(found.report).text or "1 bad" in shown(found.report).text


def test_markup_in_an_archive_that_is_verified_only_shows(sample: Sample, tmp_path: Path) -> None:
    archive = tmp_path / SCRIPT.replace("/", "_")
    shutil.copytree(sample.archive, archive)
    log = next(archive.rglob("*_CloudTrail_eu-west-1_*.json.gz"))
    log.with_name(re.sub(r"_\w{16}\.", "_Ab12Ab12Ab12Ab12.", log.name)).write_bytes(log.read_bytes())
    found = ct.verify(archive, keys=sample.keys, signatures=sample.signatures)
    assert "alert(1)" in shown(found).text


def test_what_a_notebook_shows(sample: Sample) -> None:
    found = ct.info(sample.archive)
    read = shown(found)
    assert "1,039 records of 2 accounts in 2 regions, from 2025-03-12 00:24 to 2025-03-12 22:42 UTC" in read.text
    assert read.tags.count("table") == 3
    assert "93 files read, 0 bad, 0 skipped" in shown(found.report).text
    verified = ct.verify(sample.archive, keys=sample.keys, signatures=sample.signatures)
    text = shown(verified).text
    assert text.startswith("VALID")
    assert "log files" in text


def test_a_long_table_says_how_much_is_left_out(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number:02}.json").write_bytes(b"")
    report = ct.Report()
    ct.read(tmp_path, on_error="collect", report=report)
    assert "and 10 more" in shown(report).text


COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def facts(report: ct.Report) -> dict[str, Any]:
    names = [name for name, value in vars(ct.Report).items() if isinstance(value, property)]
    return {name: getattr(report, name) for name in names}


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", ["folder", "keys", "checkpoint", "early", "none"])
def test_a_report_says_the_same_as_a_copy(how: str, kind: str, hostile: Path, sample: Sample, tmp_path: Path) -> None:
    report = ct.Report()
    options: dict[str, Any] = {"report": report, "on_error": "collect"}
    if kind == "folder":
        ct.read([hostile, sample.archive], **options)
    elif kind == "keys":
        ct.read(ct.KeyList([*map(str, hostile.iterdir()), "s3://BAD_/x"]), **options)
    elif kind == "checkpoint":
        ct.read(hostile, checkpoint=ct.Checkpoint(tmp_path / "state"), **options)
    elif kind == "early":
        ct.scan(sample.archive, **options).head(3).collect()
    other = COPIES[how](report)
    assert repr(other) == repr(report)
    for name, fact in facts(report).items():
        found = getattr(other, name)
        assert_frame_equal(found, fact) if isinstance(fact, pl.DataFrame) else None
        assert isinstance(fact, pl.DataFrame) or found == fact, name
    assert other._repr_html_() == report._repr_html_()
    # It can be filled again, and the first one is as it was.
    before = repr(report)
    ct.read([], report=other)
    assert repr(report) == before
    assert other.files.listed == 0


@pytest.mark.parametrize("how", COPIES)
def test_results_can_be_kept(how: str, sample: Sample) -> None:
    selectors = ct.EventSelectors('[{"ReadWriteType":"All","IncludeManagementEvents":true}]')
    cost = ct.cost(sample.archive, selectors)
    values: list[Any] = [
        ct.info(sample.archive),
        ct.verify(sample.archive, keys=sample.keys, signatures=sample.signatures),
        cost,
        cost.prices,
        selectors,
        selectors & ~ct.FilterPattern("{ $.a = 1 }"),
        ct.EventPattern('{"source":["aws.s3"]}'),
        ct.packs.load("cis"),
        ct.Limits(),
        ct.Report().files,
        ct.CopyProgress(1, 2, 3, 4),
        ct.Progress(1, 2, 3, 4, 5),
        ct.PublicKey("a", b"b"),
        ct.KeyList(["a"]),
        ct.Inventory("manifest.json"),
        ct.Messages(["a"]),
    ]
    for value in values:
        assert repr(COPIES[how](value)) == repr(value)
    info = COPIES[how](values[0])
    assert_frame_equal(info.days, values[0].days)
    assert (info.first, info.files_without_records) == (values[0].first, 0)


def test_what_results_are_made_of_is_exported(sample: Sample) -> None:
    assert {"Counts", "KeySource", "Progress", "PublicKey"} <= set(ct.__all__)
    assert type(ct.Report().files) is ct.Counts
    assert isinstance(ct.KeyList([]), ct.KeySource)
    seen: list[ct.Progress] = []
    ct.verify(sample.archive, keys=sample.keys, progress=seen.append)
    assert {type(each) for each in seen} == {ct.Progress}


def test_no_other_module_is_a_name_of_the_package() -> None:
    modules = {
        name: value
        for name, value in vars(ct).items()
        if isinstance(value, types.ModuleType) and not name.startswith("_")
    }
    assert {name for name, value in modules.items() if value.__name__ != f"ctfast.{name}"} == set()
    assert not re.search(r"\bwarnings\b", " ".join(dir(ct)))
    assert set(ct.__all__) <= set(dir(ct))
