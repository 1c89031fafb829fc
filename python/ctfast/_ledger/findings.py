"""What is found in files, as a report holds it: the first ones by name, the others as counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ctfast import _ctfast
from ctfast._later import pl
from ctfast.exceptions import CloudTrailError

if TYPE_CHECKING:
    from ctfast._source.object_keys import KeySource

__all__ = ["Counted", "Findings", "RuleFinding", "Told", "summed", "tabulated", "tabulated_rules"]


def tabulated(findings: list[tuple[Any, ...]]) -> pl.DataFrame:
    """Return findings as a frame, with the columns of :attr:`Report.bad`."""
    whole, text = pl.UInt64, pl.String
    schema = {"file": text, "byte": whole, "record": whole, "kind": text, "message": text, "records_kept": whole}
    return pl.DataFrame(findings, schema=schema, orient="row")


class RuleFinding(NamedTuple):
    """What is wrong with a rule, or a warning about it: why it was renamed or left out.

    The file is None for a rule that was not read from a file. The path is that of a field in the file; line and column
    are None if the text has none.
    """

    file: str | None
    rule: str | None
    path: str | None
    line: int | None
    column: int | None
    kind: str
    message: str
    is_bad: bool = True


def tabulated_rules(findings: Iterable[RuleFinding]) -> pl.DataFrame:
    """Return the findings about rules that could not be read as a frame."""
    names = RuleFinding._fields[:-1]
    schema = {name: pl.Int64 if name in ("line", "column") else pl.String for name in names}
    return pl.DataFrame([each[:-1] for each in findings if each.is_bad], schema=schema, orient="row")


class Counted(Protocol):
    """What a report asks: a scan, or what stands for one."""

    def counts(self) -> dict[str, Any]:
        """Return how many of what there were so far, by name."""

    def bad(self) -> list[tuple[tuple[Any, ...], int | None]]:
        """Return what is bad, with how many more records of its file are after it; None for a file."""

    def warnings(self) -> list[tuple[Any, ...]]:
        """Return anything else that is unusual."""


class Told:
    """The counts and findings of a source of keys, for a report without the source itself."""

    def __init__(self, source: KeySource | Told) -> None:
        self.skipped: Counter[str] = Counter(source.skipped)
        self.pruned: Counter[str] = Counter(source.pruned)
        self.bad: list[CloudTrailError] = list(source.bad)
        self.unnamed: int = source.unnamed
        self.warnings: list[CloudTrailError] = list(source.warnings)
        self.unnamed_warnings: int = source.unnamed_warnings


def _rows_of(errors: Iterable[CloudTrailError]) -> list[tuple[Any, ...]]:
    """Return the errors of a source of keys as rows of findings."""
    return [(error.key, error.byte, error.record, error.kind, error.message, 0) for error in errors]


class Findings:
    """Findings of several scans, listings or sources in a row: the first ones, and the number of others."""

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

    def add(self, scan: Counted) -> None:
        """Add the findings of a scan: by name up to the limits that the core has for one scan, then as counts."""
        for row, more in scan.bad():
            self._add(self.bad, "bad file" if more is None else "bad record", row, more or 0)
        for row in scan.warnings():
            self.add_warning(row)
        for name, count in scan.counts()["unnamed"].items():
            self._count(None, {"records": "bad record", "files": "bad file", "warnings": "warning"}[name], count)

    def add_listing(self, listing: _ctfast.Listing) -> None:
        """Add the files and folders that cannot be listed."""
        for row in listing.bad():
            self.add_bad_file(row)
        self._count(None, "bad file", listing.counts()["unnamed"])

    def add_source(self, source: KeySource | Told) -> None:
        """Add what a source of keys could not understand, each of which might have been a file, and its warnings."""
        for row in _rows_of(source.bad):
            self.add_bad_file(row)
        for row in _rows_of(source.warnings):
            self.add_warning(row)
        self._count(None, "bad file", source.unnamed)
        self._count(None, "warning", source.unnamed_warnings)

    def add_bad_file(self, row: tuple[Any, ...]) -> None:
        """Name a bad file, if there is room."""
        self._add(self.bad, "bad file", row, 0)

    def add_warning(self, row: tuple[Any, ...]) -> None:
        """Name what is strange, if there is room."""
        self._add(self.warnings, "warning", row, 0)

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
