"""Laws that hold for all conditions and all records: ctfast says what the slow evaluators say."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from documents import document
from random_filters import filter_patterns
from random_patterns import event_patterns
from random_records import PATHS, About, about, records
from random_selectors import event_selectors
from sides import EVENT_PATTERN, EVENT_SELECTORS, FILTER_PATTERN, Language, each_language
from strategies import SETTINGS

Conditions = Callable[[About], st.SearchStrategy[str]]
CONDITIONS: dict[Language, Conditions] = {
    EVENT_PATTERN: event_patterns,
    FILTER_PATTERN: filter_patterns,
    EVENT_SELECTORS: lambda _about: event_selectors(),
}


@st.composite
def cases(draw: st.DrawFn, language: Language) -> tuple[str, list[str]]:
    """A condition that is about the first of some records."""
    found = draw(st.lists(records(), min_size=1, max_size=4))
    return draw(CONDITIONS[language](about(found[0]) + PATHS[::5])), found


@each_language
def test_the_strategies_make_what_they_are_to_make(language: Language) -> None:
    """Conditions that AWS takes, records that are JSON, and a fair share of hits among them."""
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
