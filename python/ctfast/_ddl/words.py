"""How names, texts and comments are written in SQL; two kinds of texts, by how a quote stands in them."""

from __future__ import annotations

from ctfast._show.words import quoted
from ctfast.exceptions import ArgumentError

__all__ = ["backticked", "commented", "hive", "refuse_characters", "standard"]


def standard(text: str) -> str:
    """Return a text for Trino and DuckDB.

    Examples
    --------
    >>> standard("Ann's")
    "'Ann''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def hive(text: str) -> str:
    r"""Return a text for Athena and Spark, where a backslash changes what follows it.

    Examples
    --------
    >>> print(hive("Ann's"))
    'Ann\'s'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def backticked(table: str) -> str:
    """Return the name of a table for Athena and Spark.

    Examples
    --------
    >>> backticked("security.events")
    '`security`.`events`'
    """
    return ".".join(f"`{each}`" for each in table.split("."))


def commented(*lines: str | None) -> str:
    """Return lines of comments before a statement; those that are None are left out."""
    return "".join(f"-- {line}\n" for line in lines if line is not None)


def refuse_characters(place: str, characters: tuple[str, ...], engine: str, taken_for: str) -> None:
    """Refuse a place that an engine would take for another one."""
    found = next((each for each in characters if each in place), None)
    if found is not None:
        message = f"source {quoted(place)} has {quoted(found)}, which {engine} takes for {taken_for}: move it"
        raise ArgumentError(message, "source", place, None, "ddl")
