"""Filters and rules that no record meets, if the reason is known: a typo in one looks like a quiet day."""

from __future__ import annotations

from ctfast import _ctfast
from ctfast._filter.filters import Filter
from ctfast._filter.lint import suspicions
from ctfast._later import pl
from ctfast._ledger.report import Report
from ctfast._scan.options import RULES, Options
from ctfast._show.words import quoted
from ctfast.exceptions import NothingChosen

__all__ = ["Slips"]


class Slips:
    """What lint suspects about the filter and the rules of a scan, until a record meets them."""

    def __init__(self, options: Options) -> None:
        rules: dict[str, Filter] = dict(options.rules or {})  # type: ignore[arg-type]  # a dict since it was checked
        self._where = "" if options.where is None else "; ".join(suspicions(options.where))
        self._rules = {name: words for name, rule in rules.items() if (words := "; ".join(suspicions(rule)))}
        self._has_others = len(self._rules) < len(rules)

    def note(self, batch: _ctfast.Batch) -> None:
        """Drop the rules that a record of this batch meets; without suspects, nothing is checked."""
        if self._rules:
            for name in pl.DataFrame(batch)[RULES].explode().unique():
                self._has_others |= self._rules.pop(name, None) is not None

    def found(self, report: Report) -> list[NothingChosen]:
        """Return the suspects that no record has met, once all are read, each with the reason in one sentence."""
        if self._where and not report.records.read:
            return [NothingChosen(f"no record meets the filter: {self._where}", "where")]
        return [
            NothingChosen(
                f"no record meets the rule {quoted(name)}: {words}", "rules", (name,), nothing=not self._has_others
            )
            for name, words in self._rules.items()
        ]
