"""docs/sql.md: each question runs, and its list of functions is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ctfast as ct
from ctfast._ask.aggregates import AGGREGATES, WINDOWS
from ctfast._ask.functions import FUNCTIONS
from ctfast._ask.lambdas import LAMBDAS
from ctfast.sample import Sample

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "sql.md").read_text()
QUESTIONS = re.findall(r"^([^\n`*|]+\?)\n\n```sql\n(.+?)\n```", PAGE, re.DOTALL | re.MULTILINE)
#: Queries of other places that are said to run as they are.
ARRIVED = [
    pytest.param(query, id=f"{page}-{number}")
    for page in ("coming-from-athena", "coming-from-cloudtrail-lake")
    for number, query in enumerate(re.findall(r"```sql\n(.+?)\n```", (DOCS / f"{page}.md").read_text(), re.DOTALL))
]
#: Written in expressions, and not in the table.
OTHERS = {"element_at", "map_agg", "now", "row"}


def test_there_are_thirty() -> None:
    assert len(QUESTIONS) == 30
    assert PAGE.count("```sql") == 30


@pytest.mark.parametrize(("question", "query"), [pytest.param(*each, id=each[0]) for each in QUESTIONS])
def test_each_question_has_an_answer(question: str, query: str, sample: Sample) -> None:
    assert ct.sql(sample.archive, query, now="2025-03-13").height > 0


@pytest.mark.parametrize("query", ARRIVED)
def test_a_query_from_elsewhere_has_an_answer(query: str, sample: Sample) -> None:
    assert ct.sql(sample.archive, query).height > 0


def test_the_list_of_functions_is_that_of_the_tables() -> None:
    listed = PAGE.partition("<!-- functions: begin -->")[2].partition("<!-- functions: end -->")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == {*FUNCTIONS, *AGGREGATES, *WINDOWS, *LAMBDAS, *OTHERS}
