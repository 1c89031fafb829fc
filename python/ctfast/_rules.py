"""Many conditions at once, each under a name: :func:`rules`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ctfast._arguments import public
from ctfast._documents import Condition, conditions, files, nothing
from ctfast._filters import Filter, read_condition
from ctfast._words import quoted
from ctfast.exceptions import FilterError, well_formed

__all__ = ["Rules", "named", "rules"]

Rules: TypeAlias = Mapping[str, Filter] | Mapping[str, Any] | list[Any] | str | os.PathLike[str]


@public()
def rules(source: str | os.PathLike[str] | Mapping[str, Any] | list[Any]) -> dict[str, Filter]:
    """Read all filters of a file, a folder, or a document of AWS.

    Parameters
    ----------
    source
        Path of a file or a folder, or JSON as mappings and lists. Files are

        - ``*.filter``: one CloudWatch Logs filter pattern;
        - ``*.json``: one event pattern or event selectors, or input or output of the AWS CLI (``describe-metric-filters``,
          ``describe-subscription-filters``, ``list-rules``, ``describe-rule``, ``get-event-selectors`` and what puts them), or a
          CloudFormation or SAM template;
        - ``*.yaml``, ``*.yml``, ``*.template``: such a template; YAML needs ``ctfast[yaml]``.

        Other files of a folder, and hidden ones, are left alone; folders in it are looked into.

    Returns
    -------
    dict of str to Filter
        In the order of the files and in them. The names are those of the metric filters and rules, or the logical ids of a
        template; a file that is one filter without a name gives it its own, without the end.

    Raises
    ------
    FileNotFoundError
        There is no such file or folder.
    FilterError
        A filter would be refused, two have the same name, or there is none.

    Warns
    -----
    UserWarning
        A rule of a template is left out, since only CloudFormation knows all of its condition (``Ref``, ``Fn::Sub``, …).

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.rules({"metricFilters": [{"filterName": "root", "filterPattern": '{ $.userIdentity.type = "Root" }'}]})
    {'root': FilterPattern('{ $.userIdentity.type = "Root" }')}
    """
    found: dict[str, Filter] = {}
    places: dict[str, Condition] = {}
    left_out: list[FilterError] = []
    for own, condition in _conditions(source):
        if condition.problem:
            if condition.problem.kind != "unresolved":
                raise condition.problem
            left_out.append(condition.problem)
            continue
        name = condition.name or own or condition.path or condition.language
        if name in found:
            other = places[name].file or places[name].path
            raise FilterError(
                f"two rules have the name {quoted(name)}, the other in {other}", condition.path, kind="twice", key=condition.file
            )
        found[name] = read_condition(condition)
        places[name] = condition
    if not found and left_out:
        raise left_out[0]
    for error in left_out:
        warnings.warn(f"a rule is left out: {error}", stacklevel=3)
    if not found:
        raise nothing(None if isinstance(source, (Mapping, list)) else os.fspath(source))
    return found


def named(given: Rules) -> dict[str, Filter]:
    """Return filters by name: as they are, or as :func:`rules` reads them."""
    if not (isinstance(given, Mapping) and any(isinstance(value, Filter) for value in given.values())):
        return rules(given)
    for name, value in given.items():
        if not isinstance(value, Filter):
            raise TypeError(f"the rule {quoted(name)} is no filter but {type(value).__name__}")
        if name != well_formed(name):
            raise ValueError(f"the name of the rule {quoted(name)} has half of a pair of surrogates")
    return dict(given)


def _conditions(source: Any) -> Iterable[tuple[str | None, Condition]]:
    if isinstance(source, (Mapping, list)):
        if not source:  # JSON of any language, and no filter by any name
            return []
        return [(None, condition) for condition in conditions(source)]
    path = os.fspath(source)
    named_files = files(path) if Path(path).is_dir() else [(path, Path(path).stem)]
    return ((name, condition) for file, name in named_files for condition in conditions(Path(file)))
