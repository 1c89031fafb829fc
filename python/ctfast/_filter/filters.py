"""Conditions in AWS's languages: :class:`EventSelectors`, :class:`FilterPattern`, :class:`EventPattern`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeAlias

from ctfast import _ctfast
from ctfast._arguments.gate import checked, public
from ctfast._filter.documents import Condition, Given, compact, the_one
from ctfast._filter.shapes import Language
from ctfast.exceptions import ArgumentError, FilterError

__all__ = ["EventPattern", "EventSelectors", "Filter", "FilterPattern", "Record", "Unmet", "read_condition"]

Record: TypeAlias = bytes | str | Mapping[str, Any]
Target: TypeAlias = Literal["trail", "event-data-store"]
State: TypeAlias = Literal["DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"]
ReadOnly: TypeAlias = Literal["write", "read", "neither"]


class Unmet(NamedTuple):
    """A condition that a record does not meet.

    Attributes
    ----------
    condition : str
        The condition, as its language writes it.
    found : list of str
        What the record has in its place, as JSON; empty when it has nothing.
    """

    condition: str
    found: list[str]


class Filter:
    """A condition on events: one of the three languages of AWS, or several of them combined.

    ``&``, ``|`` and ``~`` combine filters of any languages. Filters are equal when their normal forms are; they can be
    hashed and pickled.

    Examples
    --------
    >>> import ctfast as ct
    >>> root = ct.FilterPattern('{ $.userIdentity.type = "Root" }')
    >>> deletes = ct.EventPattern({"detail": {"eventName": [{"prefix": "Delete"}]}})
    >>> ct.read(archive, where=deletes & ~root).height
    13
    """

    _native: _ctfast.Filter

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Refuse to create a plain ``Filter``, which has no language."""
        if cls is Filter:
            raise TypeError(
                "a filter is EventSelectors, FilterPattern or EventPattern, or made of them with &, | and ~"
            )
        return super().__new__(cls)

    def matches(self, record: Record) -> bool:
        """Tell whether a record meets the filter.

        Parameters
        ----------
        record
            One record, as JSON or as a mapping; or any text in which a scan finds records, at least one of which must
            meet the filter. JSON as bytes is the fastest. Filter patterns, and filters that consist of them only, also
            take any line of text; patterns on JSON are not met by text that has no records and is not one JSON object.

        Returns
        -------
        bool
            Whether the record meets the filter.

        Raises
        ------
        FormatError
            The text has no records and is not one JSON object, or a scan would refuse it, or it is not UTF-8.
        ArgumentTypeError
            The record is neither bytes nor a string nor a mapping.

        Examples
        --------
        >>> import ctfast as ct
        >>> root = ct.FilterPattern('{ $.userIdentity.type = "Root" }')
        >>> root.matches(b'{"eventName":"ConsoleLogin","userIdentity":{"type":"Root"}}')
        True
        >>> ct.FilterPattern("[level = ERROR, message = *disk*]").matches("ERROR the disk is full")
        True
        """
        return self._native.matches(record if type(record) is bytes else _text("Filter.matches", record))

    def explain(self, record: Record) -> list[Unmet]:
        """Tell why a record does not meet the filter.

        Parameters
        ----------
        record
            As for :meth:`matches`.

        Returns
        -------
        list of Unmet
            The conditions that fail, with what the record has instead; empty when it meets the filter.

        Raises
        ------
        FormatError
            The record is not one JSON object.

        Examples
        --------
        >>> import ctfast as ct
        >>> root = ct.FilterPattern('{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS }')
        >>> root.explain({"userIdentity": {"type": "IAMUser"}})
        [Unmet(condition='$.userIdentity.type = "Root"', found=['"IAMUser"'])]
        """
        return [
            Unmet(*unmet)
            for unmet in self._native.explain(record if type(record) is bytes else _text("Filter.explain", record))
        ]

    def __and__(self, other: Filter) -> Filter:
        """Return a filter that is met by records that meet both."""
        return _Combined("&", self, other) if isinstance(other, Filter) else NotImplemented

    def __or__(self, other: Filter) -> Filter:
        """Return a filter that is met by records that meet at least one of the two."""
        return _Combined("|", self, other) if isinstance(other, Filter) else NotImplemented

    def __invert__(self) -> Filter:
        """Return a filter that is met by records that do not meet this one."""
        return _Negated(self)

    def __eq__(self, other: object) -> bool:
        """Tell whether the normal forms are the same."""
        return repr(self) == repr(other) if isinstance(other, Filter) else NotImplemented

    def __hash__(self) -> int:
        """Return a hash of the normal form."""
        return hash(repr(self))


class _Combined(Filter):
    """Filters combined by one operator."""

    def __init__(self, sign: str, *parts: Filter) -> None:
        self._sign = sign
        self._parts: list[Filter] = [
            inner
            for part in parts
            for inner in (part._parts if isinstance(part, _Combined) and part._sign == sign else [part])  # noqa: SLF001
        ]

    @cached_property
    def _native(self) -> _ctfast.Filter:  # type: ignore[override]  # made once, when it is needed
        combine = {"&": _ctfast.Filter.all, "|": _ctfast.Filter.any}[self._sign]
        return combine([part._native for part in self._parts])  # noqa: SLF001

    def __repr__(self) -> str:
        """Return the normal form."""
        return f" {self._sign} ".join(map(_in_brackets, self._parts))

    def __reduce__(self) -> tuple[Any, ...]:
        return _Combined, (self._sign, *self._parts)


class _Negated(Filter):
    """The opposite of a filter."""

    def __init__(self, part: Filter) -> None:
        self._part = part
        self._native = part._native.negated()  # noqa: SLF001

    def __repr__(self) -> str:
        """Return the normal form."""
        return f"~{_in_brackets(self._part)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _Negated, (self._part,)


class _Written(Filter):
    """A filter written in one of AWS's languages."""

    language: ClassVar[Language]
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, given: Given, **switches: Any) -> None:
        condition = the_one(given, self.language)
        self._read(
            condition,
            self._of_document(condition) | {name: value for name, value in switches.items() if value is not None},
        )

    @staticmethod
    def _of_document(_condition: Condition) -> dict[str, Any]:
        """Return the switches that the document of a condition sets."""
        return {}

    @classmethod
    def _of(cls, condition: Condition, **switches: Any) -> Self:
        filter_ = cls.__new__(cls)
        filter_._read(condition, cls._of_document(condition) | switches)  # noqa: SLF001
        return filter_

    def _read(self, condition: Condition, switches: dict[str, Any]) -> None:
        self._text = condition.text
        self._switches = {name: value for name, value in switches.items() if value != self._defaults[name]}
        try:
            self._native, self._form = condition.read(partial(_ctfast.Filter.read, language=self.language, **switches))
        except FilterError as error:
            raise condition.at_home(error) from None

    def __str__(self) -> str:
        """Return the normal form in the language."""
        return self._form

    def __repr__(self) -> str:
        """Return the normal form."""
        arguments = "".join(f", {name}={value!r}" for name, value in self._switches.items())
        return f"{type(self).__name__}({self._form!r}{arguments})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The text is pickled, since its normal form may be longer than the limit that the text just meets.
        return _again, (type(self), self._text, self._switches)


class EventSelectors(_Written):
    """Event selectors of a trail or an event data store, basic or advanced: met by the events that they would log.

    Parameters
    ----------
    given
        Text, a mapping, a list, or the path of a file: the selectors, one selector, input or output of ``aws cloudtrail
        put-event-selectors`` and ``get-event-selectors``, or a CloudFormation template with one trail or event data
        store.
    target
        ``"trail"`` or ``"event-data-store"``: refuse what only the other one accepts. By default everything that
        either of them accepts is accepted.
    missing_read_only
        How to treat events without ``readOnly``: as ``"write"``, ``"read"`` or ``"neither"``.

    Raises
    ------
    FilterError
        CloudTrail would refuse them, or there is not exactly one set of selectors.

    Notes
    -----
    The rules are those of the CloudTrail User Guide, "Logging management events", "Logging data events", "Filtering
    data events by using advanced event selectors" and "Logging network activity events"; ``docs/filters.md`` says what
    was decided where they are silent.

    Examples
    --------
    >>> import ctfast as ct
    >>> without_kms = {"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}
    >>> writes = ct.EventSelectors({"EventSelectors": [without_kms]})
    >>> ct.read(archive, where=writes).height
    135
    >>> writes.advanced()[0]["FieldSelectors"][1]
    {'Field': 'readOnly', 'Equals': ['false']}
    """

    language = "event selectors"
    _defaults: ClassVar[dict[str, Any]] = {"target": None, "missing_read_only": "write"}

    @public()
    def __init__(self, given: Given, *, target: Target | None = None, missing_read_only: ReadOnly = "write") -> None:
        super().__init__(given, target=target, missing_read_only=missing_read_only)

    def advanced(self) -> list[dict[str, Any]]:
        """Return these selectors as advanced event selectors.

        Returns
        -------
        list of dict
            What ``aws cloudtrail put-event-selectors --advanced-event-selectors`` takes: each basic selector gives one
            for its management events, and one for each of its resource types; advanced selectors are returned as they
            are.

        Examples
        --------
        >>> import ctfast as ct
        >>> ct.EventSelectors({"ReadWriteType": "All"}).advanced()
        [{'FieldSelectors': [{'Field': 'eventCategory', 'Equals': ['Management']}]}]
        """
        return json.loads(_ctfast.advanced_event_selectors(self._text))  # type: ignore[no-any-return]  # a list of objects


class FilterPattern(_Written):
    """A CloudWatch Logs filter pattern, of a metric filter or a subscription filter.

    Patterns on JSON, on words, on space-delimited fields, and regular expressions are supported. All but the first kind
    look at the text of the record, and for them ``matches`` takes any other text as well.

    Parameters
    ----------
    given
        The pattern as text, or the path of a file with nothing else; or, as JSON or the path of a file, input or output
        of ``aws logs put-metric-filter`` and ``describe-metric-filters``, or a CloudFormation template, with one metric
        filter.
    missing_differs
        Whether ``$.field != value`` is met by records without the field. By default it is not, as in CloudWatch.

    Raises
    ------
    FilterError
        CloudWatch Logs would refuse it, or there is not exactly one pattern.

    Notes
    -----
    The rules are those of the CloudWatch Logs User Guide, "Filter pattern syntax", and of recorded answers of
    CloudWatch; ``docs/filters.md`` says which rule rests on which of them, and what was decided where both are silent.

    Examples
    --------
    >>> import ctfast as ct
    >>> denied = ct.FilterPattern('{($.errorCode="*UnauthorizedOperation")||($.errorCode="AccessDenied*")}')
    >>> denied
    FilterPattern('{ $.errorCode = "*UnauthorizedOperation" || $.errorCode = "AccessDenied*" }')
    >>> ct.scan(archive, where=denied).select("eventName").unique().collect().height
    23
    """

    language = "filter pattern"
    _defaults: ClassVar[dict[str, Any]] = {"missing_differs": False}

    @public()
    def __init__(self, given: Given, *, missing_differs: bool = False) -> None:
        super().__init__(given, missing_differs=missing_differs)


class EventPattern(_Written):
    """An Amazon EventBridge event pattern.

    A pattern on the event that EventBridge makes of a record, with ``detail``, ``source``, ``detail-type`` and so on,
    is compared with such an event for each record: the original one if the record was stored in it. Any other pattern
    is compared with the record itself. ``matches`` takes such events as well.

    Parameters
    ----------
    given
        Text, a mapping, or the path of a file: the pattern, input or output of ``aws events put-rule``,
        ``describe-rule`` and ``list-rules``, or a CloudFormation or SAM template, with one rule.
    state
        State of the rule, which decides which events EventBridge passes to it: ``"ENABLED"``, all but read-only
        management events; ``"ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"``, all; ``"DISABLED"``, none. By default it
        is the state that the rule has in the document, or ``"ENABLED"`` if the rule has none there; a pattern without a
        rule has no state, and gets all events.

    Raises
    ------
    FilterError
        EventBridge would refuse it, or there is not exactly one pattern.

    Notes
    -----
    The rules are those of the Amazon EventBridge User Guide, "Event pattern operators", and of AWS's own matcher, Event
    Ruler; ``docs/filters.md`` says what was decided where they are silent.

    Examples
    --------
    >>> import ctfast as ct
    >>> without_error = {"eventName": [{"prefix": "Gen"}], "errorCode": [{"exists": False}]}
    >>> keys = ct.EventPattern({"source": ["aws.kms"], "detail": without_error})
    >>> keys.matches(b'{"eventSource":"kms.amazonaws.com","eventName":"GenerateDataKey","eventType":"AwsApiCall"}')
    True
    """

    language = "event pattern"
    _defaults: ClassVar[dict[str, Any]] = {"state": None}

    @public()
    def __init__(self, given: Given, *, state: State | None = None) -> None:
        super().__init__(given, state=state)

    @staticmethod
    def _of_document(condition: Condition) -> dict[str, Any]:
        return {"state": condition.state}


_KINDS: dict[Language, type[_Written]] = {kind.language: kind for kind in (EventSelectors, FilterPattern, EventPattern)}


def read_condition(condition: Condition) -> Filter:
    """Read a condition of any language."""
    return _KINDS[condition.language]._of(condition)  # noqa: SLF001


def _again(kind: type[_Written], text: str, switches: dict[str, Any]) -> _Written:
    return kind._of(Condition(kind.language, text), **switches)  # noqa: SLF001


def _in_brackets(part: Filter) -> str:
    return f"({part!r})" if isinstance(part, _Combined) else repr(part)


def _text(function: str, record: Record) -> bytes:
    """Return a record as bytes. It is checked here and not by the gate, which would be too slow for single records."""
    given: bytes | str | Mapping[str, Any] = checked(function, record=record)["record"]
    if isinstance(given, bytes):
        return given
    try:
        return given.encode("utf-8", "surrogatepass") if isinstance(given, str) else compact(given).encode()
    except ValueError as error:
        raise ArgumentError(f"record: {error}", "record", record, None, function) from None
