"""The law of filters in a scan: the rows are those of a full read whose ``raw`` the slow evaluators accept."""

from __future__ import annotations

import functools
import gzip
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ctfast as ct
from random_filters import filter_patterns
from random_patterns import event_patterns
from random_records import PATHS, About, about, records
from random_selectors import event_selectors
from sides import EVENT_PATTERN, EVENT_SELECTORS, FILTER_PATTERN, Language
from strategies import EXAMPLES, SETTINGS

# Each is a dozen scans.
FEWER = settings(SETTINGS, max_examples=max(1, EXAMPLES // 5))
#: Random filters often match nothing, which gives a warning.
pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

engines = pytest.mark.parametrize("engine", ["in-memory", "streaming"])

Test = Callable[[str], bool]
CONDITIONS: dict[Language, Callable[[About], st.SearchStrategy[str]]] = {
    EVENT_PATTERN: lambda about: st.booleans().flatmap(lambda envelope: event_patterns(about, envelope=envelope)),
    FILTER_PATTERN: filter_patterns,
    EVENT_SELECTORS: lambda _about: event_selectors(),
}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@st.composite
def filters(draw: st.DrawFn, of: About) -> tuple[Any, Test]:
    """A filter of any language, and its test by the slow evaluator."""
    language = draw(st.sampled_from(list(CONDITIONS)))
    text = draw(CONDITIONS[language](of))
    return language.fast(text), language.slow(text).matches


@st.composite
def combinations(draw: st.DrawFn, of: About) -> tuple[Any, Test]:
    """Some filters by ``&``, ``|`` and ``~``."""
    found, says = draw(filters(of))
    for _ in range(draw(st.integers(0, 3))):
        other, other_says = draw(filters(of))
        match draw(st.sampled_from("&|~")):
            case "&":
                found, says = found & other, functools.partial(_both, says, other_says)
            case "|":
                found, says = found | other, functools.partial(_either, says, other_says)
            case _:
                found, says = ~found, functools.partial(_not, says)
    return found, says


def _both(one: Test, other: Test, raw: str) -> bool:
    return one(raw) and other(raw)


def _either(one: Test, other: Test, raw: str) -> bool:
    return one(raw) or other(raw)


def _not(one: Test, raw: str) -> bool:
    return not one(raw)


@st.composite
def archives(draw: st.DrawFn, folder: Path) -> tuple[Path, list[str]]:
    """A folder of up to three files, and its records."""
    listed = draw(st.lists(st.lists(records(), max_size=4), min_size=1, max_size=3).filter(any))
    for path in folder.iterdir():
        path.unlink()
    for place, texts in enumerate(listed):
        data = f'{{"Records":[{",".join(texts)}]}}'.encode()
        if draw(st.booleans()):
            (folder / f"{place}.json.gz").write_bytes(gzip.compress(data, 1))
        else:
            (folder / f"{place}.json").write_bytes(data)
    return folder, [text for texts in listed for text in texts]


def kept(frame: pl.DataFrame, says: Test) -> pl.DataFrame:
    return frame.filter(pl.Series([says(raw) for raw in frame["raw"]], dtype=pl.Boolean))


@engines
@FEWER
@given(data=st.data())
def test_where(folder: Path, engine: Any, data: st.DataObject) -> None:
    archive, texts = data.draw(archives(folder))
    where, says = data.draw(combinations(about(texts[0]) + PATHS[::5]))
    expected = kept(ct.read(archive), says)
    assert_frame_equal(ct.scan(archive, where=where).collect(engine=engine), expected)
    assert_frame_equal(ct.read(archive, where=where, threads=3), expected)
    with ct.stream(archive, where=where) as batches:
        assert_frame_equal(pl.DataFrame(batches), expected)


COLUMNS = ["record", "eventName", "userIdentity", "resources", "requestParameters", "extra", "readOnly", "file"]
PREDICATES = {
    "name": pl.col("eventName") == "GetObject",
    "names": pl.col("eventName").is_in(["GetObject", "Decrypt"]),
    "flag": ~pl.col("readOnly"),
    "struct": pl.col("userIdentity").struct.field("type") == "Root",
    "null": pl.col("errorCode").is_null(),
    "beginning": pl.col("eventSource").str.starts_with("s3"),
    "any": pl.col("raw").str.len_bytes() % 2 == 0,
}


@engines
@FEWER
@given(data=st.data())
def test_where_with_all_that_polars_may_ask(folder: Path, engine: Any, data: st.DataObject) -> None:
    """Columns, rows and a predicate, in any order, and a time range."""
    archive, texts = data.draw(archives(folder))
    where, says = data.draw(filters(about(texts[0]) + PATHS[::5]))
    since = data.draw(st.sampled_from([None, datetime(2023, 7, 10, 11, tzinfo=UTC)]))
    until = data.draw(st.sampled_from([None, datetime(2023, 7, 10, 12, tzinfo=UTC)]))
    frame: Any = ct.scan(archive, where=where, since=since, until=until)
    expected: Any = kept(ct.read(archive, since=since, until=until), says)
    for step in data.draw(st.lists(st.sampled_from(["predicate", "head", "slice"]), max_size=2)):
        match step:
            case "predicate":
                predicate = PREDICATES[data.draw(st.sampled_from(sorted(PREDICATES)))]
                frame, expected = frame.filter(predicate), expected.filter(predicate)
            case "head":
                count = data.draw(st.integers(0, 5))
                frame, expected = frame.head(count), expected.head(count)
            case _:
                offset = data.draw(st.integers(0, 3))
                frame, expected = frame.slice(offset, 2), expected.slice(offset, 2)
    columns = data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4, unique=True))
    assert_frame_equal(frame.select(columns).collect(engine=engine), expected.select(columns))
    assert frame.select(pl.len()).collect(engine=engine).item() == expected.height


@engines
@FEWER
@given(data=st.data())
def test_match(folder: Path, engine: Any, data: st.DataObject) -> None:
    """Each record that meets a rule, with the names of all rules that it meets."""
    archive, texts = data.draw(archives(folder))
    of = about(texts[0]) + PATHS[::5]
    rules = {f"rule {place}": data.draw(combinations(of)) for place in range(data.draw(st.integers(1, 12)))}
    frame = ct.read(archive)
    names = [[name for name, (_, says) in rules.items() if says(raw)] for raw in frame["raw"]]
    got = ct.match(archive, rules={name: rule for name, (rule, _) in rules.items()}).collect(engine=engine)
    expected = frame.with_columns(pl.Series("rules", names, dtype=pl.List(pl.String))).filter(
        pl.col("rules").list.len() > 0
    )
    assert_frame_equal(got.select(expected.columns), expected)
    assert sorted(got.columns) == sorted(expected.columns)
