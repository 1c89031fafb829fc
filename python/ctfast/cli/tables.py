"""Tables that fit in the width of the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from rich import box
from rich.cells import cell_len, chop_cells
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ctfast._later import pl

__all__ = ["Column", "folded", "frame_view", "grid", "plain", "table"]

#: Longer names of columns, and longer words, may be folded.
_WORD = 20
#: What is read and copied as a whole, and folded nowhere: ARNs, times and account ids.
_WHOLE = re.compile(
    r"""\barn:[\w-]+:[^\s"',]* | \b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)? | \b\d{12}\b""",
    re.VERBOSE,
)
#: What text is folded behind.
_PIECE = re.compile(r"[^\s,]*[\s,]+|[^\s,]+")
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
    """Return a table, or rows as blocks of lines when the width is too small for that.

    Account ids, ARNs and times are folded in neither.
    """
    full = [max(map(cell_len, [column.name, *column.cells])) for column in columns]
    room = width - len(columns) + 1
    # Words are whole where there is room for them.
    for word in (_WORD, 0):
        least = [_least(column, word) if column.kind == "text" else whole for column, whole in zip(columns, full, strict=True)]
        if sum(least) <= room:
            break
    shares = _shared(least, full, room)
    rows = zip(*(column.cells for column in columns), strict=True)
    if sum(least) > room or any(whole > _LINES * share for whole, share in zip(full, shares, strict=True)):
        return Group(*(_block(columns, row, width) for row in rows))
    made = grid(*(column.name for column in columns))
    for shown, column, share in zip(made.columns, columns, shares, strict=True):
        shown.width = share
        shown.justify = "right" if column.kind == "number" else "left"
    for row in rows:
        made.add_row(*(Text("\n".join(folded(cell, share))) for cell, share in zip(row, shares, strict=True)))
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


def _least(column: Column, word: int) -> int:
    """The width that a column of text needs, so that nothing is folded that must not be, nor words of up to this width."""
    pieces = (piece for cell in column.cells for piece in _pieces(cell))
    return max([min(cell_len(column.name), _WORD), *(width if is_whole else min(width, word) for _, width, is_whole in pieces)])


def _pieces(text: str) -> Iterator[tuple[str, int, bool]]:
    """Yield what a text is folded between, its width without the blanks behind it, and whether it must stay whole."""
    end = 0
    for found in _WHOLE.finditer(text):
        yield from ((piece, cell_len(piece.rstrip()), False) for piece in _PIECE.findall(text[end : found.start()]))
        yield found[0], cell_len(found[0]), True
        end = found.end()
    yield from ((piece, cell_len(piece.rstrip()), False) for piece in _PIECE.findall(text[end:]))


def folded(text: str, width: int) -> list[str]:
    """Fold a text into lines of this width; one that holds a longer ARN is longer."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for piece, needed, is_whole in _pieces(text):
        if cell_len(lines[-1]) + needed <= width:
            lines[-1] += piece
        elif is_whole or needed <= width:
            lines.append(piece)
        else:
            lines += chop_cells(piece.rstrip(), width)
    return [line.rstrip() for line in lines if line.strip()]


def _block(columns: Sequence[Column], row: tuple[str, ...], width: int) -> Group:
    """One row: a line for each value that is not null, and an empty one."""
    values = [(column.name, cell) for column, cell in zip(columns, row, strict=True) if cell]
    names = max((cell_len(name) for name, _ in values), default=0) + 2
    parts: list[Text] = []
    for name, cell in values:
        lines = f"\n{' ' * names}".join(folded(cell, max(width - names, _WORD)))
        parts.append(Text.assemble((name + " " * (names - cell_len(name)), "bold"), lines))
    return Group(*parts, Text())


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
