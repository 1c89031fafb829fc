"""What AWS would refuse of filters, and what would surprise: :func:`lint`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._arguments import public
from ctfast._documents import Condition, Given, conditions, files, nothing
from ctfast._filters import Filter
from ctfast._later import pl
from ctfast._shapes import Language
from ctfast._words import meant, nearest, or_nearest, quoted
from ctfast.exceptions import FilterError, told, well_formed

__all__ = ["lint", "suspicions"]

#: How JSON begins that is no filter pattern.
_JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[\[\]{"])')
#: A term of which one is enough.
_OPTIONAL = re.compile(r'(?:^|\s)\?[\w"]')
#: A field of the record in the normal form of one.
_SELECTED = re.compile(r"\$\.([A-Za-z]\w*)", re.ASCII)
#: Fields of records; AWS adds others, so that only what is much like one of these is a slip.
_FIELDS = [path for path, _, _ in _ctfast.columns() if "." not in path and path not in ("extra", "file", "raw", "record")]
_ALIKE = 0.8
#: What keeps a condition from being met at all.
_DEAD = ("never-met", "spelling", "unknown-field")
#: Keys that only the event around a record has.
_ENVELOPE = ("detail", "detail-type", "source")
#: All that the event around a record has.
_AROUND = ("version", "id", "account", "time", "region", "resources", *_ENVELOPE)
#: A text in the normal form of a filter pattern.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


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
        Paths of files or folders, as :func:`rules` reads them; or text or JSON. A text that is no JSON is a filter pattern if
        it begins like one, else an event pattern.

    Returns
    -------
    polars.DataFrame
        One row per finding: ``file``, ``rule``, the ``path`` of the field, ``line`` and ``column`` where the text has them,
        ``severity`` (``"error"``: AWS would refuse it; ``"warning"``: it does something else than it seems to), a short stable
        ``code`` and a ``message``.

    Raises
    ------
    FileNotFoundError
        There is no such file or folder.
    TypeError
        No source is given. One that has no filter is a finding, with the code ``"none"``.

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
    """The conditions of a source; what is none is one with a problem."""
    if source == "":  # a pattern that every event meets, but hardly one that somebody wants to be checked
        return
    if isinstance(source, os.PathLike) and Path(source).is_dir():
        for file, _ in files(os.fspath(source)):
            yield from _conditions(Path(file))
        return
    language: Language = "filter pattern" if isinstance(source, str) and not _JSON.match(source) else "event pattern"
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
            # What CloudFormation will fill in is no error, but cannot be checked.
            severity = "warning" if condition.problem.kind == "unresolved" else "error"
            yield condition._replace(path=""), _refusal(condition.problem)._replace(severity=severity)
            continue
        try:
            for finding in _CHECKS[condition.language](condition):
                yield condition, finding
        except FilterError as error:
            yield condition, _refusal(error)


def _refusal(error: FilterError) -> _Finding:
    return _Finding("error", error.kind, error.message, error.path, error.line, error.column)


def suspicions(filter_: Filter) -> list[str]:
    """Return why nothing can meet a filter, as far as :func:`lint` says it of its parts, in sentences."""
    found: list[str] = []
    for written in filter_._written():  # noqa: SLF001  # of one package
        condition = Condition(written.language, written.text)
        found += [
            f"{finding.path}: {finding.message}" if finding.path else finding.message
            for finding in _CHECKS[written.language](condition)
            if finding.code in _DEAD
        ]
    return list(dict.fromkeys(found))


def _slips(names: Iterable[str], below: str, fields: list[str] = _FIELDS) -> Iterator[_Finding]:
    """Names of fields that no record is known to have, where one that records have is near."""
    for name in dict.fromkeys(names):
        close = None if name in fields else nearest(name, fields, _ALIKE)
        # Other letters in another case are told as such.
        if close is not None and close.casefold() != name.casefold():
            message = f"records are not known to have a field {quoted(name)}{or_nearest(close)}"
            yield _Finding("warning", "unknown-field", message, f"{below}{name}")


def _alternatives(pattern: Any) -> Iterator[Mapping[str, Any]]:
    """A pattern, and all that it has below ``$or``."""
    if isinstance(pattern, Mapping):
        yield pattern
        others = pattern.get("$or")
        for other in others if isinstance(others, list) else []:
            yield from _alternatives(other)


def _event_selectors(condition: Condition) -> Iterator[_Finding]:
    for severity, path, code, message in condition.read(partial(_ctfast.lint_event_selectors, target=None)):
        yield _Finding(severity, code, message, path or None)


def _filter_pattern(condition: Condition) -> Iterator[_Finding]:
    text = condition.text
    found = condition.read(_ctfast.lint_filter_pattern)
    normal = _ctfast.Filter.filter_pattern(text, missing_differs=False)[1]
    for severity, code, message in found:
        yield _Finding(severity, code, message)
    if _OPTIONAL.search(text) and not _OPTIONAL.search(normal):
        yield _Finding("warning", "ignored-terms", "terms with ? are ignored where there are others")
    for term in _QUOTED.findall(normal):
        if "*" in term[1:-1]:
            yield _Finding(
                "warning", "wildcard", f"the * within {quoted(term)} stands for itself: only one at an end is a wildcard"
            )
    yield from _slips(_SELECTED.findall(_QUOTED.sub("", normal)), "$.")


def _event_pattern(condition: Condition) -> Iterator[_Finding]:
    for severity, path, code, message in condition.read(partial(_ctfast.lint_event_pattern, state=condition.state)):
        yield _Finding(severity, code, message, path or None)
    try:
        document = json.loads(condition.text, parse_int=str)
    except RecursionError:
        return
    whole = list(_alternatives(document))
    is_envelope = any(not part.keys().isdisjoint(_ENVELOPE) for part in whole)
    yield from _slips((name for part in whole for name in part), "", [*_AROUND] if is_envelope else [*_FIELDS, *_AROUND])
    inside = [inner for part in whole for inner in _alternatives(part.get("detail"))] if is_envelope else []
    yield from _slips((name for part in inside for name in part), "detail.")


_CHECKS: dict[Language, Callable[[Condition], Iterator[_Finding]]] = {
    "event selectors": _event_selectors,
    "filter pattern": _filter_pattern,
    "event pattern": _event_pattern,
}
