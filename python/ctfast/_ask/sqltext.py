"""How DuckDB's SQL is written: names, constants, calls."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["BOUND", "bound", "constant", "naive", "name", "time"]


#: How the names of lambdas begin in DuckDB's SQL; no name of a query does.
BOUND = "_ctfast_"


def bound(given: str | int) -> str:
    """Return the name of what a lambda is given."""
    return f"{BOUND}{given}"


def name(given: str) -> str:
    """Return a name in quotes."""
    return '"' + given.replace('"', '""') + '"'


def constant(text: str) -> str:
    """Return a text as a constant."""
    return "'" + text.replace("'", "''") + "'"


def time(moment: datetime) -> str:
    """Return a time of UTC as a constant; it has no zone that DuckDB would have to look up."""
    return f"TIMESTAMPTZ '{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')}+00'"


def naive(sql: str) -> str:
    """Return a time without its zone, UTC: DuckDB computes faster with it."""
    return f"make_timestamp(epoch_us({sql}))"
