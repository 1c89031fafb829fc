"""What AWS would refuse in filters, and what does something else than it seems to: :func:`lint`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ctfast import _ctfast
from ctfast._arguments.gate import public
from ctfast._filter.documents import Condition, Given, conditions, files, language_of, nothing
from ctfast._filter.filters import Filter
from ctfast._filter.shapes import Language
from ctfast._later import pl
from ctfast._show.words import meant
from ctfast.exceptions import FilterError, told, well_formed

__all__ = ["lint", "suspicions"]

#: Codes of findings because of which no record can meet a condition. Not ``no-envelope``: a pattern for bare records is
#: met by records. Not ``exists-object``: ``{"exists": false}`` has it as well, and every record meets that.
_DEAD = ("detail-type", "flag", "never-met", "service", "spelling", "unknown-field")


class _Finding(NamedTuple):
    severity: str
    code: str
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None


@public()
def lint(*sources: Given) -> pl.DataFrame:
    """Check event selectors, filter patterns and event patterns.

    Parameters
    ----------
    *sources
        Paths of files or folders, or text or JSON, as :func:`rules` reads them. Text that is not JSON is a filter
        pattern if it begins like one, else an event pattern.

    Returns
    -------
    polars.DataFrame
        One row per finding: ``file``, ``rule``, the ``path`` of the field, ``line`` and ``column`` where the text has
        them, ``severity`` (``"error"``: AWS would refuse it; ``"warning"``: it does something else than it seems to), a
        short stable ``code`` and a ``message``.

    Raises
    ------
    FileNotFoundError
        There is no such file or folder.
    TypeError
        No source is given. A source without a filter is a finding, with the code ``"none"``.

    Examples
    --------
    >>> import ctfast as ct
    >>> found = ct.lint({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]})
    >>> found.select("severity", "code", "message").rows()
    [('error', 'field-missing', 'expected the field resources.type, which selectors of Data events need')]
    """
    if not sources:
        raise TypeError("lint() needs what to check: a text, JSON, or the path of a file or a folder")
    rows = [
        tuple(
            well_formed(value) if isinstance(value, str) else value
            for value in (
                condition.file,
                condition.name,
                *condition.place(finding.path, finding.line, finding.column),
                finding.severity,
                finding.code,
                told(meant(finding.message)),
            )
        )
        for source in sources
        for condition, finding in _findings(source)
    ]
    text, whole = pl.String(), pl.Int64()
    place = {"file": text, "rule": text, "path": text, "line": whole, "column": whole}
    return pl.DataFrame(rows, schema={**place, "severity": text, "code": text, "message": text}, orient="row")


def _conditions(source: Given) -> Iterator[Condition]:
    """Yield the conditions of a source; one that cannot be read has a problem."""
    if isinstance(source, os.PathLike) and Path(source).is_dir():
        for file, _ in files(os.fspath(source)):
            yield from _conditions(Path(file))
        return
    language: Language = "event pattern"
    if source == [] or (isinstance(source, str) and "".join(source.split()) in ("", "[]")):
        return  # an empty list fits any language, and holds no filter
    if isinstance(source, str):
        source = source.rstrip()  # as in a file
        language = language_of(source)
    try:
        yield from conditions(source, language)
    except FilterError as error:
        yield Condition(language, "", file=error.key, problem=error)


def _findings(source: Given) -> Iterator[tuple[Condition, _Finding]]:
    found = list(_conditions(source))
    if not found:
        error = nothing(os.fspath(source) if isinstance(source, os.PathLike) else None)
        yield Condition("event pattern", "", file=error.key), _refusal(error)._replace(severity="warning")
    for condition in found:
        if condition.problem:
            # A value that CloudFormation will fill in is not an error, but cannot be checked.
            severity = "warning" if condition.problem.kind == "unresolved" else "error"
            yield condition._replace(path=""), _refusal(condition.problem)._replace(severity=severity)
            continue
        try:
            native = partial(_ctfast.lint, language=condition.language, state=condition.state)
            yield from ((condition, _Finding(*finding)) for finding in condition.read(native))
        except FilterError as error:
            yield condition, _refusal(error)


def _refusal(error: FilterError) -> _Finding:
    return _Finding("error", error.kind, error.message, error.path, error.line, error.column)


def suspicions(filter_: Filter) -> list[str]:
    """Return why no record can meet a filter, as far as :func:`lint` finds reasons in its parts, as sentences."""
    findings = [_Finding(*finding) for finding in filter_._native.findings()]  # noqa: SLF001  # of the same package
    dead = [finding for finding in findings if finding.code in _DEAD]
    return list(dict.fromkeys(f"{each.path}: {each.message}" if each.path else each.message for each in dead))
