"""Many conditions at once, each with a name: :func:`rules`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ctfast._arguments.gate import OnError, public
from ctfast._filter.documents import NOTHING, Condition, conditions, files, language_of, nothing
from ctfast._filter.filters import Filter, read_condition
from ctfast._later import pl
from ctfast._ledger.findings import RuleFinding, tabulated_rules
from ctfast._ledger.report import Report
from ctfast._show import notebook
from ctfast._show.plain import counted
from ctfast._show.words import quoted
from ctfast._source.silence import warned
from ctfast.exceptions import FilterError, told, well_formed

__all__ = ["RuleSet", "Rules", "named", "rules"]

Rules: TypeAlias = Mapping[str, Filter] | Mapping[str, Any] | list[Any] | str | os.PathLike[str]


#: How many names a repr shows.
_SHOWN = 5


class RuleSet(Mapping[str, Filter]):
    """Filters by name, as :func:`rules` returns them: for the argument ``rules`` of :func:`match` and others.

    It is an immutable mapping that can be pickled. ``|`` joins two of them: no rule replaces another one; if both have
    a rule with the same name, the later one becomes ``name#2``.

    Attributes
    ----------
    bad : polars.DataFrame
        Rules that could not be read, with ``on_error="collect"``: ``file``, ``rule``, the ``path`` of the field,
        ``line`` and ``column`` where the text has them, ``kind`` and ``message``.

    Examples
    --------
    >>> import ctfast as ct
    >>> found = ct.rules('{ $.userIdentity.type = "Root" }') | ct.packs.load("cis")
    >>> len(found), list(found)[:2]
    (16, ['filter pattern', 'root-use'])
    >>> found["filter pattern"]
    FilterPattern('{ $.userIdentity.type = "Root" }')
    """

    __slots__ = ("_filters", "_findings")

    def __init__(self, filters: Mapping[str, Filter], findings: Iterable[RuleFinding] = ()) -> None:
        self._filters, self._findings = dict(filters), tuple(findings)

    def __getitem__(self, name: str) -> Filter:
        """Return the filter of this name."""
        return self._filters[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names, in the order of the files and of the rules in each file."""
        return iter(self._filters)

    def __len__(self) -> int:
        """Return how many filters there are."""
        return len(self._filters)

    def __or__(self, other: Mapping[str, Filter]) -> RuleSet:
        """Return the rules of both."""
        if not isinstance(other, Mapping) or not all(isinstance(each, Filter) for each in other.values()):
            return NotImplemented
        joined, renamed = dict(self), []
        for name, filter_ in other.items():
            new = _free(name, joined)
            joined[new] = filter_
            if new != name:
                renamed.append(_twice(None, name, new))
        warned(each.message for each in renamed)
        more = other if isinstance(other, RuleSet) else RuleSet({})
        return RuleSet(joined, [*self._findings, *more._findings, *renamed])

    def __ror__(self, other: Mapping[str, Filter]) -> RuleSet:
        """Return the rules of both."""
        if not isinstance(other, Mapping) or not all(isinstance(each, Filter) for each in other.values()):
            return NotImplemented
        return RuleSet(other) | self

    def __hash__(self) -> int:
        """Return the same number for equal rules."""
        return hash(frozenset(self._filters.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the filters, and the findings about rules that were renamed or could not be read."""
        return RuleSet, (self._filters, self._findings)

    @property
    def bad(self) -> pl.DataFrame:
        """Rules that could not be read."""
        return tabulated_rules(self._findings)

    def __repr__(self) -> str:
        """Return the first names, and how many there are."""
        names = [*map(repr, list(self)[:_SHOWN]), *(["…"] if len(self) > _SHOWN else [])]
        return f"RuleSet({self._headline()}{': ' if names else ''}{', '.join(names)})"

    def _headline(self) -> str:
        number = sum(each.is_bad for each in self._findings)
        return counted(len(self), "rule") + (f" and {number:,} that could not be read" if number else "")

    def _repr_html_(self) -> str:
        """Return the filters, and what could not be read, for a notebook."""
        shown = pl.DataFrame({"rule": list(self), "filter": [repr(each) for each in self.values()]})
        return notebook.shown(self._headline(), notebook.rows(shown), notebook.rows(self.bad))


@public()
def rules(
    source: str | os.PathLike[str] | Mapping[str, Any] | list[Any],
    *,
    on_error: OnError = "raise",
    report: Report | None = None,
) -> RuleSet:
    """Read all filters of a file, a folder, or a document of AWS.

    Parameters
    ----------
    source
        Path of a file or a folder; or JSON as mappings and lists; or the text of a filter or a document. A string that
        has a line break, or begins with ``{`` or ``[``, is taken as text, and any other string as a path. Files are

        - ``*.filter``: one CloudWatch Logs filter pattern;
        - ``*.json``: one event pattern or event selectors, or input or output of the AWS CLI
          (``describe-metric-filters``, ``describe-subscription-filters``, ``list-rules``, ``describe-rule``,
          ``get-event-selectors`` and the corresponding ``put`` commands), or a CloudFormation or SAM template;
        - ``*.yaml``, ``*.yml``, ``*.template``: such a template; YAML needs ``ctfast[yaml]``.

        Other files of a folder, and hidden ones, are ignored; its subfolders are read as well.
    on_error
        What happens to a filter that cannot be read: the error is raised, or the filter is left out and named in
        ``bad`` of the result and in the report.
    report
        Gets the rules that could not be read, in :attr:`Report.bad_rules`, and warnings about others, in
        :attr:`Report.warnings`.

    Returns
    -------
    RuleSet
        In the order of the files and of the rules in each file. The names are those of the metric filters and rules, or
        the logical ids of a template; a filter without a name gets the name of its file, without the suffix. If several
        rules have the same name, the second one becomes ``name#2``, the third one ``name#3``.

    Raises
    ------
    FileNotFoundError
        There is no such file or folder.
    FilterError
        A filter would be refused, and ``on_error`` is ``"raise"``; or there is none.

    Warns
    -----
    UserWarning
        A rule of a template is left out, since only CloudFormation knows its complete condition (``Ref``, ``Fn::Sub``,
        …); or two rules have the same name.

    Examples
    --------
    >>> import ctfast as ct
    >>> root = {"filterName": "root", "filterPattern": '{ $.userIdentity.type = "Root" }'}
    >>> ct.rules({"metricFilters": [root]})["root"]
    FilterPattern('{ $.userIdentity.type = "Root" }')
    >>> found = ct.rules({"metricFilters": [root, root | {"filterPattern": "{"}]}, on_error="collect")
    >>> found.bad.select("rule", "path", "kind").rows()
    [('root', 'metricFilters[1].filterPattern', 'syntax')]
    """
    filters: dict[str, Filter] = {}
    findings: list[RuleFinding] = []
    left_out: FilterError | None = None
    for own, condition in _conditions(source, on_error):
        name = condition.name or own or condition.path or condition.language
        try:
            if condition.problem:
                raise condition.problem
            filter_ = read_condition(condition)
        except FilterError as error:
            if error.kind == "unresolved":
                left_out = left_out or error
                findings.append(_found(name, error)._replace(message=f"a rule is left out: {error}", is_bad=False))
            elif on_error == "raise":
                raise
            else:
                findings.append(_found(name, error))
            continue
        new = _free(name, filters)
        filters[new] = filter_
        if new != name:
            findings.append(_twice(condition, name, new))
    if not (filters or any(each.is_bad for each in findings)):
        raise left_out or nothing(None if isinstance(source, (Mapping, list)) else _path(source))
    warned(each.message for each in findings if not each.is_bad)
    if report is not None:
        report._read_rules(findings)  # noqa: SLF001  # not for users of a report
    return RuleSet(filters, findings)


def named(given: Rules) -> RuleSet:
    """Return filters by name: as they are, or as :func:`rules` reads them."""
    if isinstance(given, RuleSet):
        if not given:
            first = given.bad["message"].head(1).to_list()
            raise FilterError(
                f"there is no rule here that could be read{': ' if first else ''}{''.join(first)}", kind=NOTHING
            )
        return given
    if not (isinstance(given, Mapping) and any(isinstance(value, Filter) for value in given.values())):
        return rules(given)
    for name, value in given.items():
        if not isinstance(value, Filter):
            raise TypeError(f"the rule {quoted(name)} is no filter but {type(value).__name__}")
        if name != well_formed(name):
            raise ValueError(f"the name of the rule {quoted(name)} has half of a pair of surrogates")
    return RuleSet(dict(given))


def _found(name: str | None, error: FilterError) -> RuleFinding:
    return RuleFinding(error.key, name, error.path, error.line, error.column, error.kind, told(error.message))


def _twice(condition: Condition | None, name: str, new: str) -> RuleFinding:
    """Return the finding about a rule that was renamed."""
    file = None if condition is None else condition.file
    path = None if condition is None else condition.path or None
    where = "".join(f"{part}: " for part in (file, path) if part)
    message = f"{where}another rule has the name {quoted(name)}: this one is {quoted(new)}"
    return RuleFinding(file, new, path, None, None, "same-name", message, is_bad=False)


def _free(name: str, taken: Mapping[str, Filter]) -> str:
    """Return the name, or the first of ``name#2``, ``name#3`` and so on that is free."""
    new, number = name, 1
    while new in taken:
        number += 1
        new = f"{name}#{number}"
    return new


def _path(source: str | os.PathLike[str]) -> str | None:
    return os.fspath(source) if isinstance(source, os.PathLike) else None


def _conditions(source: Any, on_error: OnError) -> Iterator[tuple[str | None, Condition]]:
    """Yield the conditions of a source; with "collect", a file of a folder that is unreadable is one with a problem."""
    if isinstance(source, (str, Mapping, list)):
        given = source.rstrip() if isinstance(source, str) else source  # as in a file
        is_empty = "".join(given.split()) in ("", "{}", "[]") if isinstance(given, str) else not given
        if not is_empty:  # empty JSON fits any language, and holds no filter
            language = language_of(given) if isinstance(given, str) else None
            yield from ((None, condition) for condition in conditions(given, language))
        return
    path = os.fspath(source)
    for file, name in files(path) if Path(path).is_dir() else [(path, Path(path).stem)]:
        try:
            yield from ((name, condition) for condition in conditions(Path(file)))
        except (FilterError, OSError) as error:
            if on_error == "raise" or (file == path and isinstance(error, OSError)):
                raise
            problem = error if isinstance(error, FilterError) else _unread(file, error)
            yield name, Condition("event pattern", "", file=file, problem=problem)


def _unread(file: str, error: OSError) -> FilterError:
    return FilterError(f"this cannot be read: {error.strerror or error}", kind="unreadable", key=file)
