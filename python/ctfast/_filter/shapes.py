"""The input and output of the AWS CLI: where event selectors, filter patterns and event patterns are in that JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from ctfast._show.words import nearest
from ctfast.exceptions import FilterError

__all__ = ["ENABLED", "SELECTORS", "STATES", "Language", "Piece", "in_json", "nearest_member"]

Language: TypeAlias = Literal["event selectors", "filter pattern", "event pattern"]


class Piece(NamedTuple):
    """One condition of a document: its language, the condition as text or as JSON, its name if any, and its path.

    The event pattern of a rule also has the rule's state; a condition that only CloudFormation can complete has a
    problem that says so.
    """

    language: Language
    value: Any
    name: str | None = None
    path: str = ""
    state: str | None = None
    problem: FilterError | None = None


#: The states of a rule; the first is the default ("PutRule", "AWS::Events::Rule").
STATES = (ENABLED := "ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


#: Keys whose value is a list of metric filters, subscription filters or rules: of ``aws logs describe-metric-filters``
#: and ``describe-subscription-filters``, and of ``aws events list-rules``.
_LISTS = ("metricFilters", "subscriptionFilters", "Rules")
#: Keys of ``aws cloudtrail put-event-selectors`` and ``get-event-selectors``, and of single selectors.
SELECTORS = frozenset(
    {
        "EventSelectors",
        "AdvancedEventSelectors",
        "FieldSelectors",
        "ReadWriteType",
        "IncludeManagementEvents",
        "DataResources",
        "ExcludeManagementEventSources",
    }
)
#: How similar a name must be to one of these to be taken for a misspelling of it.
_ALIKE = 0.8


def in_json(document: Any) -> list[Piece] | None:
    """Return the conditions of a document; None if its language cannot be recognised.

    An object that has none of the known shapes is itself an event pattern.
    """
    if isinstance(document, list):
        return _items(document, "") or ([Piece("event selectors", document)] if _are_selectors(document) else None)
    if not isinstance(document, Mapping) or not document:
        return None
    for key in _LISTS:
        if isinstance(document.get(key), list):
            return _items(document[key], key)
    if not SELECTORS.isdisjoint(document):
        return [Piece("event selectors", document)]
    return _item(document, "") or [Piece("event pattern", document)]


def _are_selectors(items: list[Any]) -> bool:
    """Whether a list is meant as selectors: it is empty, an item is empty, or one has a member like a selector's."""
    if not all(isinstance(item, Mapping) for item in items):
        return False
    return not (items and all(items)) or any(nearest_member(name) for item in items for name in item)


def nearest_member(name: object) -> str | None:
    """Return the member of event selectors that was meant, if the name equals or resembles one."""
    return nearest(name, SELECTORS, _ALIKE) if isinstance(name, str) else None


def _items(items: list[Any], path: str) -> list[Piece]:
    return [piece for at, item in enumerate(items) for piece in _item(item, f"{path}[{at}].")]


def _item(item: Any, path: str) -> list[Piece]:
    """Return the condition of a metric filter or a rule, in the JSON of the AWS CLI; scheduled rules have none."""
    if not isinstance(item, Mapping):
        return []
    if "filterPattern" in item:
        return [Piece("filter pattern", item["filterPattern"], item.get("filterName"), f"{path}filterPattern")]
    if "EventPattern" in item:
        state = item.get("State") or ENABLED
        return [Piece("event pattern", item["EventPattern"], item.get("Name"), f"{path}EventPattern", state)]
    return []
