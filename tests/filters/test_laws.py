"""Laws for all conditions and all records: ctfast and the slow evaluators give the same answers."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import ctfast as ct
import slow_pattern
from documents import document
from random_filters import filter_patterns
from random_patterns import event_patterns
from random_records import PATHS, About, about, damaged, records
from random_selectors import event_selectors
from sides import EVENT_PATTERN, EVENT_SELECTORS, FILTER_PATTERN, Language, each_language
from strategies import SETTINGS

Conditions = Callable[[About], st.SearchStrategy[str]]
CONDITIONS: dict[Language, Conditions] = {
    EVENT_PATTERN: lambda about: st.booleans().flatmap(lambda envelope: event_patterns(about, envelope=envelope)),
    FILTER_PATTERN: filter_patterns,
    EVENT_SELECTORS: lambda _about: event_selectors(),
}


@st.composite
def cases(draw: st.DrawFn, language: Language) -> tuple[str, list[str]]:
    """A condition that is about the first of some records."""
    found = draw(st.lists(records(), min_size=1, max_size=4))
    return draw(CONDITIONS[language](about(found[0]) + PATHS[::5])), found


@st.composite
def damaged_conditions(draw: st.DrawFn, language: Language) -> str:
    """A text that may not be a condition; rarely more than one change away from one."""
    text = draw(CONDITIONS[language](PATHS))
    for _ in range(draw(st.integers(1, 2))):
        text = draw(damaged(text))
    return text


@each_language
def test_the_strategies_make_what_they_are_to_make(language: Language) -> None:
    """Conditions that AWS accepts, records that are JSON, and enough matches among them."""
    hits = [0, 0]

    @settings(SETTINGS, phases=[Phase.generate])
    @given(cases(language))
    def count(case: tuple[str, list[str]]) -> None:
        condition, found = case
        matcher = language.slow(condition)
        for record in found:
            document(record)
            hits[matcher.matches(record)] += 1

    count()
    assert 0.05 < hits[True] / sum(hits) < 0.7


@each_language
@SETTINGS
@given(data=st.data())
def test_same_verdict(language: Language, data: st.DataObject) -> None:
    """On a record as text, as bytes and as a dict."""
    condition, found = data.draw(cases(language))
    slow, fast = language.slow(condition), language.fast(condition)
    for record in found:
        assert fast.matches(record) is slow.matches(record)
        assert fast.matches(record.encode()) is slow.matches(record)


@each_language
@SETTINGS
@given(data=st.data())
def test_same_refusals(language: Language, data: st.DataObject) -> None:
    condition = data.draw(damaged_conditions(language))
    assert language.refused("fast", condition) is language.refused("slow", condition)


@SETTINGS
@given(data=st.data())
def test_event_around_a_record(data: st.DataObject) -> None:
    """A pattern on an event is compared with the event that a record arrives in."""
    [record] = data.draw(st.lists(records(), min_size=1, max_size=1))
    condition = data.draw(event_patterns(about(record) + PATHS[::5], envelope=True))
    slow, fast = slow_pattern.parse(condition), ct.EventPattern(condition)
    for kind, is_of_cloudtrail in (("AWS API Call via CloudTrail", True), ("x", False)):
        event = json.dumps(
            {"detail-type": kind, "source": "aws.s3", "region": "us-east-1", "resources": [], "version": "0"}
        )
        event = f'{event[:-1]},"detail":{record}}}'
        assert fast.matches(event) is (is_of_cloudtrail and slow.matches(event))
