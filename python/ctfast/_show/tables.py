"""Tables that fit in the width of the screen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ctfast._later import pl
from ctfast._show.folding import Room, folded, least
from ctfast._show.plain import plain

__all__ = ["Column", "frame_view", "grid", "table"]

#: Words up to the first of these widths that fits are kept whole. The last one fits an account id and a colon.
_WORDS = (20, 16, 13)
#: A table is easier to compare than blocks, unless it needs this many times their lines.
_TALLER = 2
#: The most characters of a cell.
_LONG = 2000


class Column(NamedTuple):
    """One column: only ``text`` is folded; a ``number`` is right-aligned."""

    name: str
    kind: Literal["text", "fixed", "number"]
    cells: Sequence[str]


def grid(*names: str) -> Table:
    """Return an empty table with these columns."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for name in names:
        made.add_column(name, overflow="fold")
    return made


def table(columns: Sequence[Column], room: Room) -> Table | Group:
    """Return a table, or rows as blocks of lines if a table does not fit.

    Account ids and times are never folded.
    """
    widths = _widths(columns, room)
    rows = list(zip(*(column.cells for column in columns), strict=True))
    if widths is None:
        return Group(*_blocks(columns, rows, room))
    rooms = [room._replace(width=width) for width in widths]
    cells = [[folded(cell, at) for cell, at in zip(row, rooms, strict=True)] for row in rows]
    if any(len(lines) > 1 for row in cells for lines in row):
        blocks = _blocks(columns, rows, room)
        if sum(max(map(len, row)) for row in cells) > _TALLER * sum(block.plain.count("\n") + 1 for block in blocks):
            return Group(*blocks)
    made = grid(*("\n".join(folded(column.name, at)) for column, at in zip(columns, rooms, strict=True)))
    for shown, column, width in zip(made.columns, columns, widths, strict=True):
        shown.width = width
        shown.justify = "right" if column.kind == "number" else "left"
    for row in cells:
        made.add_row(*(Text("\n".join(lines)) for lines in row))
    return made


def frame_view(frame: pl.DataFrame, room: Room) -> Table | Group:
    """Return the rows of a frame as a table, or as blocks of lines."""
    return table(
        [Column(plain(cells.name), _kind(cells.dtype), [_cell(value) for value in cells]) for cells in frame], room
    )


def _widths(columns: Sequence[Column], room: Room) -> list[int] | None:
    """Share the width: each column gets its minimum, and the rest goes where most text is. None if it is too small."""
    left = room.width - len(columns) + 1
    texts = [[column.name, *column.cells] for column in columns]
    full = [max(map(cell_len, cells)) for cells in texts]
    if sum(full) <= left:
        return full
    for word in _WORDS:
        widths = [
            max(least(cell, word, room) for cell in cells) if column.kind == "text" else whole
            for column, cells, whole in zip(columns, texts, full, strict=True)
        ]
        if sum(widths) <= left:
            break
    else:
        return None
    amounts = [sum(map(cell_len, cells)) for cells in texts]
    for _ in range(left - sum(widths)):
        folding = (column for column, whole in enumerate(full) if widths[column] < whole)
        crowded = max(folding, key=lambda column: amounts[column] / widths[column])
        widths[crowded] += 1
    return widths


def _blocks(columns: Sequence[Column], rows: Sequence[tuple[str, ...]], room: Room) -> list[Text]:
    """Return a block for each row: a line for each value that is not null, then an empty line."""
    return [Text.assemble(*_block(columns, row, room)) for row in rows]


def _block(columns: Sequence[Column], row: tuple[str, ...], room: Room) -> Iterator[str | tuple[str, str]]:
    values = [(column.name, cell) for column, cell in zip(columns, row, strict=True) if cell]
    names = max((cell_len(name) for name, _ in values), default=0) + 2
    beside = room._replace(width=max(room.width - names, _WORDS[0]))
    for name, cell in values:
        yield name + " " * (names - cell_len(name)), "bold"
        yield f"\n{' ' * names}".join(folded(cell, beside)) + "\n"


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
