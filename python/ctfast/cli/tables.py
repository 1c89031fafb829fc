"""Tables that fit in the width of the screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import polars as pl
from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

__all__ = ["Column", "frame_view", "grid", "plain", "table"]

#: Longer names of columns may be folded.
_HEADER = 20
#: Rows that would be longer than this many lines become blocks.
_LINES = 8
#: Characters of a cell.
_LONG = 2000
#: Control characters would let the text of a record steer the terminal; so would marks of writing direction.
_UNSAFE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    code: f"\\u{code:04x}" for code in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class Column(NamedTuple):
    """One column: only ``text`` may be folded, a ``number`` stands at the right."""

    name: str
    kind: Literal["text", "fixed", "number"]
    cells: Sequence[str]


def plain(value: object) -> str:
    """Return text that only shows."""
    return str(value).translate(_UNSAFE)


def grid(*names: str) -> Table:
    """Return an empty table with these columns."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for name in names:
        made.add_column(name, overflow="fold")
    return made


def table(columns: Sequence[Column], width: int) -> Table | Group:
    """Return a table, or rows as blocks of lines when the width is too small for that."""
    full = [max(map(cell_len, [column.name, *column.cells])) for column in columns]
    least = [
        min(whole, cell_len(column.name), _HEADER) if column.kind == "text" else whole
        for column, whole in zip(columns, full, strict=True)
    ]
    room = width - len(columns) + 1
    shares = _shared(least, full, room)
    rows = zip(*(column.cells for column in columns), strict=True)
    if sum(least) > room or any(whole > _LINES * share for whole, share in zip(full, shares, strict=True)):
        return Group(*(_block(columns, row) for row in rows))
    made = grid(*(column.name for column in columns))
    for shown, column, share in zip(made.columns, columns, shares, strict=True):
        shown.width = share
        shown.justify = "right" if column.kind == "number" else "left"
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def frame_view(frame: pl.DataFrame, width: int) -> Table | Group:
    """Return the rows of a frame as a table, or as blocks of lines."""
    return table([Column(plain(cells.name), _kind(cells.dtype), [_cell(value) for value in cells]) for cells in frame], width)


def _shared(least: list[int], full: list[int], room: int) -> list[int]:
    """Share the room: the columns that need little more than the least get it all, the others equal parts."""
    shares = list(least)
    left = room - sum(least)
    columns = sorted(range(len(full)), key=lambda column: full[column] - least[column])
    for place, column in enumerate(columns):
        more = min(full[column] - least[column], left // (len(columns) - place))
        shares[column] += more
        left -= more
    return shares


def _block(columns: Sequence[Column], row: tuple[str, ...]) -> Table:
    """One row: a line for each value that is not null, and an empty one."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for column, cell in zip(columns, row, strict=True):
        if cell:
            made.add_row(column.name, Text(cell))
    made.add_row()
    return made


def _kind(dtype: pl.DataType) -> Literal["text", "fixed", "number"]:
    if dtype.is_numeric():
        return "number"
    return "fixed" if dtype.is_temporal() or dtype == pl.Boolean else "text"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    if isinstance(value, pl.Series):
        value = value.to_list()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    elif isinstance(value, (dict, list)):
        value = json.dumps(_without_nulls(value), ensure_ascii=False, separators=(",", ":"), default=str)
    text = plain(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
