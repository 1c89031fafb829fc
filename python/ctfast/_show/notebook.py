"""How notebooks show results: plain tables without colours of their own, for light and dark themes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ctfast._later import pl
from ctfast._show.plain import plain

__all__ = ["counts", "escaped", "rows", "said", "shown"]

#: Rows of a table that are shown.
_MOST = 50
#: Characters of a cell that are shown.
_LONG = 500


def escaped(value: object) -> str:
    """Return text as harmless HTML: file names and record texts come from outside."""
    from html import escape  # noqa: PLC0415  # loads a table of all entities, which only pages and notebooks need

    return escape(plain(value))


def shown(headline: str, *parts: str) -> str:
    """Return a headline and the content below it."""
    return f"<div><p><strong>{escaped(headline)}</strong></p>{''.join(parts)}</div>"


def said(sentences: Iterable[object]) -> str:
    """Return sentences, each a paragraph of its own."""
    return "".join(f"<p>{escaped(sentence)}</p>" for sentence in sentences)


def counts(named: Mapping[str, Mapping[str, int]]) -> str:
    """Return counts that add up, one row each."""
    columns = list(dict.fromkeys(name for row in named.values() for name in row))
    body = ([what, *(_number(row.get(name)) for name in columns)] for what, row in named.items())
    return _table(["", *columns], body)


def rows(frame: pl.DataFrame) -> str:
    """Return the first rows of a frame, and the number of the others."""
    if frame.is_empty():
        return ""
    body = ([_cell(value) for value in row] for row in frame.head(_MOST).iter_rows())
    more = f"<p>and {frame.height - _MOST:,} more</p>" if frame.height > _MOST else ""
    return _table(frame.columns, body) + more


def _table(columns: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escaped(name)}</th>" for name in columns)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(_lines(body))}</tbody></table>"


def _lines(body: Iterable[Iterable[str]]) -> Iterator[str]:
    for row in body:
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in map(escaped, row))}</tr>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return _number(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = str(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
