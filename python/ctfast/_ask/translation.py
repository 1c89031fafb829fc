"""What a query may read, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ctfast._arguments.times import micros
from ctfast._ask.scope import Column, Relation
from ctfast._ask.types import Type
from ctfast._scan.part import TIME

__all__ = ["Occurrence", "Tables", "Translation"]

#: The first and the last microsecond that the core counts.
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True)
class Tables:
    """What a query may read.

    Attributes
    ----------
    events : mapping
        The columns of the table of events, with their types.
    frames : mapping
        The columns of the caller's tables, by the names in lower case.
    is_streamed : bool
        Whether events are read anew each time that they are named.
    """

    events: Mapping[str, Type]
    frames: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    is_streamed: bool = False


@dataclass
class Occurrence:
    """One of the places of a query that read events."""

    relation: Relation
    first: datetime | None = None
    after: datetime | None = None
    #: A condition that each row meets, in the form in which scans have it; None if none is known.
    test: tuple[Any, ...] | None = None

    def predicate(self) -> tuple[Any, ...] | None:
        """Return what each row meets, the time included, in the form in which scans have it."""
        low, high = micros("since", self.first), micros("until", self.after)
        parts = [] if self.test is None else [self.test]
        if not (low is None and high is None):
            parts.append(("between", TIME, _FIRST if low is None else low, _LAST if high is None else high - 1))
        return ("all", parts) if len(parts) > 1 else parts[0] if parts else None

    @property
    def table(self) -> str:
        """What DuckDB knows it by."""
        return f"events_{self.relation.number}"


@dataclass(frozen=True)
class Translation:
    """A query in DuckDB's SQL, and what is known of its result."""

    sql: str
    columns: list[Column]
    occurrences: list[Occurrence]
    frames: set[str]
    asked_now: bool
