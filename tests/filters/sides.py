"""The two sides of each comparison: the slow evaluators of these tests, and ctfast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import ctfast as ct
import slow_metric
import slow_pattern
import slow_selectors


@dataclass(frozen=True)
class Language:
    """One of the three languages: how each side reads a text of it."""

    name: str
    slow: Callable[[str], Any]
    fast: Callable[[str], Any]

    def refusal(self, side: str, text: str) -> str | None:
        """Why a side refuses a text; None if it does not."""
        try:
            getattr(self, side)(text)
        except ValueError as error:
            return str(error)
        return None

    def refused(self, side: str, text: str) -> bool:
        """Whether a side refuses a text; ctfast says why in one line."""
        said = self.refusal(side, text)
        assert said is None or side == "slow" or said.splitlines() == [said]
        return said is not None


EVENT_PATTERN = Language("event pattern", slow_pattern.parse, ct.EventPattern)
FILTER_PATTERN = Language("filter pattern", slow_metric.parse, ct.FilterPattern)
EVENT_SELECTORS = Language("event selectors", slow_selectors.parse, ct.EventSelectors)
LANGUAGES = (EVENT_PATTERN, FILTER_PATTERN, EVENT_SELECTORS)

both_sides = pytest.mark.parametrize("side", ["slow", "fast"])
each_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
