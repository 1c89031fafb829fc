"""1 of 9, item 5: a test holds each promise of the documents; ``claims.toml`` is the register of both."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ctfast as ct
from ctfast.sample import Sample
from signed import FIRST, Chain

ROOT = Path(__file__).parents[2]
REGISTER: dict[str, Any] = tomllib.loads(Path(__file__).with_name("claims.toml").read_text())
ELSEWHERE: dict[str, dict[str, str]] = REGISTER.pop("elsewhere")
GONE: dict[str, str] = REGISTER.pop("gone")
CLAIMS: dict[str, dict[str, list[str]]] = REGISTER

#: Documents in which each absolute word must be registered.
COMPLETE = [
    "README.md",
    "SECURITY.md",
    "docs/arrow.md",
    "docs/reading.md",
    "docs/sources.md",
    "docs/scale.md",
    "docs/integrity.md",
    "docs/lake.md",
]
WORDS = re.compile(
    r"\b(?:never|always|nothing|everything|every|all|only|whatever|exactly|ever|guarantee\w*|prove[ns]?|proof|in"
    r" silence"
    r"|loss of power|without a copy|in no|bounded|survives?)\b",
    re.IGNORECASE,
)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
GENERATED = re.compile(r"<!-- oracle: begin.*?oracle: end -->", re.DOTALL)


@cache
def said(name: str) -> str:
    """The text of a document with normalised white space: a file, or the docstring of an object."""
    if not name.startswith("ctfast."):
        return " ".join(GENERATED.sub("", CODE.sub("", (ROOT / name).read_text())).split())
    documented: Any = ct
    for part in name.split(".")[1:]:
        documented = getattr(documented, part)
    return " ".join(documented.__doc__.split())


@cache
def functions_of(path: str) -> set[str]:
    text = (ROOT / path).read_text()
    if path.endswith(".rs"):
        return set(re.findall(r"#\[test\]\s+fn (\w+)\(", text)) | set(
            re.findall(r"^\s+fn (\w+)\(\w+ in ", text, re.MULTILINE)
        )
    return {
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def spans(name: str) -> Iterator[tuple[int, int]]:
    text = said(name)
    for fragment in [*CLAIMS.get(name, {}), *ELSEWHERE.get(name, {})]:
        start = text.find(fragment)
        yield start, start + len(fragment)


# The register


@pytest.mark.parametrize("name", sorted({*CLAIMS, *ELSEWHERE}))
def test_each_claim_stands_where_it_is_said_to(name: str) -> None:
    text = said(name)
    fragments = [*CLAIMS.get(name, {}), *ELSEWHERE.get(name, {})]
    assert {fragment: text.count(fragment) for fragment in fragments} == dict.fromkeys(fragments, 1)


@pytest.mark.parametrize("name", CLAIMS)
def test_each_claim_is_held_by_tests_that_are_there(name: str) -> None:
    for fragment, tests in CLAIMS[name].items():
        assert tests, fragment
        for test in tests:
            path, _, function = test.partition("::")
            assert function in functions_of(path), test


@pytest.mark.parametrize("name", COMPLETE)
def test_no_absolute_word_stands_without_a_test(name: str) -> None:
    text, registered = said(name), list(spans(name))
    loose = [
        text[max(0, word.start() - 60) : word.end() + 60]
        for word in WORDS.finditer(text)
        if not any(start <= word.start() and word.end() <= end for start, end in registered)
    ]
    assert not loose, "hold it by a test and enter it in tests/use/claims.toml, or say less"


@pytest.mark.parametrize("claim", GONE)
def test_what_was_not_true_is_not_said_any_more(claim: str) -> None:
    assert claim not in said(GONE[claim])


def test_a_loose_word_is_found() -> None:
    assert [
        word.group() for word in WORDS.finditer("It never fails, whatever comes; allowed, everyone, proofread.")
    ] == [
        "never",
        "whatever",
    ]


# Claims that have no test elsewhere


def test_counts_add_up_in_every_query(sample: Sample, tmp_path: Path) -> None:
    for number, log in enumerate(sorted(sample.archive.rglob("*_CloudTrail_*.gz"))[:12]):
        text = gzip.decompress(log.read_bytes())
        damaged = {0: text[:-40], 1: b"", 2: text.replace(b'{"Records":[', b'{"Records":[1,"x",', 1)}.get(
            number % 4, text
        )
        (tmp_path / log.name).write_bytes(gzip.compress(damaged) if damaged else damaged)
    (tmp_path / "notes.txt").write_text("none of these")
    report = ct.Report()

    def scan(**options: Any) -> pl.LazyFrame:
        return ct.scan(tmp_path, on_error="collect", report=report, **options)

    queries = {
        "all": scan(),
        "one column": scan().select("eventName"),
        "a filter": scan().filter(pl.col("eventName") == "ConsoleLogin"),
        "a constant that is nowhere": scan().filter(pl.col("eventName") == "NoSuchCall"),
        "bounds": scan(since="2025-03-12T06:00", until="2025-03-12T07:00"),
        "an account": scan(accounts="111122223333"),
        "a head": scan().head(3),
        "a count": scan().select(pl.len()),
        "groups": scan().group_by("eventSource").len(),
        "one thread": scan(threads=1),
    }
    for name, query in queries.items():
        query.collect()
        files, records = report.files, report.records
        assert files.listed == files.read + files.bad + files.skipped, name
        assert records.seen == records.read + records.bad + records.skipped, name
        if name == "all":
            assert (files.bad, files.skipped, records.bad, records.skipped) == (6, 1, 0, 6)


@pytest.mark.parametrize(
    "name", ["log.json", "log.json.gz", "log.log", "111122223333_CloudTrail_us-east-1_20250312T0000Z_Ab12.json.gz"]
)
@pytest.mark.parametrize("is_packed", [True, False])
def test_shapes_are_told_by_content(name: str, *, is_packed: bool, tmp_path: Path) -> None:
    record = {"eventVersion": "1.08", "eventName": "A", "eventSource": "s3.amazonaws.com"}
    shapes = [
        {"Records": [record]},
        [record],
        record,
        {"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": record},
        {"Events": [{"EventId": "1", "CloudTrailEvent": json.dumps(record)}]},
        {"events": [{"timestamp": 1, "message": json.dumps(record)}]},
        {"logEvents": [{"timestamp": 1, "message": json.dumps(record)}]},
    ]
    for shape in shapes:
        text = json.dumps(shape).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if is_packed else text)
        assert ct.read(tmp_path)["eventName"].to_list() == ["A"], shape


def test_records_up_to_a_wrong_checksum_are_kept(tmp_path: Path) -> None:
    """Records of the damaged member and of the members before it are kept; none after it."""
    members = [gzip.compress(f'{{"eventName":"{name}"}}\n'.encode()) for name in "abc"]
    wrong = bytearray(members[1])
    wrong[-8] ^= 1
    (tmp_path / "log.json.gz").write_bytes(members[0] + bytes(wrong) + members[2])
    report = ct.Report()
    assert ct.read(tmp_path, on_error="collect", report=report)["eventName"].to_list() == ["a", "b"]
    assert report.bad.select("kind", "records_kept").rows() == [("checksum", 2)]


def test_a_commit_in_a_portion_commits_nothing_of_it(sample: Sample, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")
    with ct.stream(sample.archive, batch_rows=10, checkpoint=checkpoint) as events:
        assert next(events).num_rows == 10
        checkpoint.commit()
    del checkpoint
    with ct.Checkpoint(tmp_path / "state") as again:
        assert ct.read(sample.archive, checkpoint=again).height == 1039


def test_unsafe_stands_in_one_module_with_its_reasons() -> None:
    """The compiler enforces both, as long as the lints are switched on."""
    lints = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["lints"]
    assert lints["rust"]["unsafe_code"] == "deny"
    assert lints["clippy"]["undocumented_unsafe_blocks"] == "deny"
    crates = [path for path in (ROOT / "rust").glob("*/Cargo.toml") if path.parent.name != "fuzz"]
    assert len(crates) == 2
    for path in crates:
        assert tomllib.loads(path.read_text())["lints"]["workspace"] is True
    excepted = [
        path
        for path in (ROOT / "rust").glob("*/src/**/*.rs")
        if re.search(r"#!?\[(allow|expect)\(unsafe_code", path.read_text())
    ]
    assert excepted == [ROOT / "rust/core/src/unchecked/mod.rs"]


def test_the_text_of_a_log_file_is_what_is_signed(tmp_path: Path) -> None:
    """A log file that is compressed again has other bytes and the same text: digests do not reveal that."""
    chain = Chain(tmp_path / "archive")
    text = b'{"Records":[]}' + b" " * 5_000
    chain.hour([chain.log(FIRST, text)])
    before = hashlib.sha256(chain.logs[0].read_bytes()).digest()
    chain.logs[0].write_bytes(gzip.compress(text, 0, mtime=1))
    assert hashlib.sha256(chain.logs[0].read_bytes()).digest() != before
    assert chain.verify().ok
    chain.logs[0].write_bytes(gzip.compress(text[:-1]))
    assert not chain.verify().ok
