"""What is found in files, as a report holds it: the first ones by name, the others as counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ctfast import _ctfast
from ctfast._later import pl
from ctfast.exceptions import CloudTrailError

if TYPE_CHECKING:
    from ctfast._objects import KeySource

__all__ = ["Findings", "Told", "rows_of", "summed", "tabulated"]


def tabulated(findings: list[tuple[Any, ...]]) -> pl.DataFrame:
    """Return findings as a frame, with the columns of :attr:`Report.bad`."""
    whole, text = pl.UInt64, pl.String
    schema = {"file": text, "byte": whole, "record": whole, "kind": text, "message": text, "records_kept": whole}
    return pl.DataFrame(findings, schema=schema, orient="row")


class Told:
    """What a source of keys has told of, once the source itself is gone."""

    def __init__(self, source: KeySource | Told) -> None:
        self.skipped: Counter[str] = Counter(source.skipped)
        self.pruned: Counter[str] = Counter(source.pruned)
        self.bad: list[CloudTrailError] = list(source.bad)
        self.unnamed: int = source.unnamed
        self.warnings: list[CloudTrailError] = list(source.warnings)


def rows_of(errors: Iterable[CloudTrailError]) -> list[tuple[Any, ...]]:
    """Return what a source of keys tells as findings."""
    return [(error.key, error.byte, error.record, error.kind, error.message, 0) for error in errors]


class Findings:
    """Findings of one scan after another: the first ones, and how many there are besides."""

    def __init__(self) -> None:
        self.bad: list[tuple[Any, ...]] = []
        self.warnings: list[tuple[Any, ...]] = []
        self.unnamed: Counter[tuple[str | None, str]] = Counter()
        self._named = {"bad record": 0, "bad file": 0, "warning": 0}

    def copy(self) -> Findings:
        same = Findings()
        same.bad, same.warnings = list(self.bad), list(self.warnings)
        same.unnamed, same._named = Counter(self.unnamed), dict(self._named)
        return same

    def add(self, scan: _ctfast.Scan) -> None:
        """Name what there is room for, as the core does for one scan."""
        for row, more in scan.bad():
            self._add(self.bad, "bad file" if more is None else "bad record", row, more or 0)
        for row in scan.warnings():
            self._add(self.warnings, "warning", row, 0)
        for name, count in scan.counts()["unnamed"].items():
            self._count(None, {"records": "bad record", "files": "bad file", "warnings": "warning"}[name], count)

    def _add(self, named: list[tuple[Any, ...]], what: str, row: tuple[Any, ...], more: int) -> None:
        if self._named[what] < (_ctfast.NAMED_RECORDS if what == "bad record" else _ctfast.NAMED_FILES):
            self._named[what] += 1
            named.append(row)
            self._count(row[0], what, more)
        else:
            self._count(None, what, 1 + more)

    def _count(self, file: str | None, what: str, count: int) -> None:
        if count:
            self.unnamed[file, what] += count


def summed(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Add the counts of one part of a run to those of the parts before it."""
    added: dict[str, Any] = {}
    for name in one | other:
        values = [counts[name] for counts in (one, other) if name in counts]
        if isinstance(values[0], dict):
            added[name] = dict(sum(map(Counter, values), Counter()))
        elif isinstance(values[0], tuple):
            added[name] = values[-1]  # requests: those of the whole run so far
        else:
            added[name] = sum(values)
    return added
