"""Text folded into lines at natural places, without breaking what is copied as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

__all__ = ["Room", "folded", "least"]

#: Account ids, dates and times (in file names as well), addresses, resource ids and host names, even next to letters.
#: AWS services are host names too, known by their first word: a line may end after it.
_WHOLE = r"""
    (?<!\d) \d{12} (?!\d)
  | (?<!\d) \d{4}([-/])\d\d\1\d\d (?!\d) (?: [T ]\d\d:\d\d (?: :\d\d (?:\.\d+)? )? (?: Z | [+-]\d\d:?\d\d )? )?
  | (?<!\d) \d{8}T\d{4}(?:\d\d)?Z
  | (?<![\d.]) \d{1,3} (?:\.\d{1,3}){3} (?![\d.])
  | (?<![\w:]) (?=[\da-f:]*:[\da-f]*:) (?:[\da-f]{0,4}:){2,7} (?:\d{1,3}(?:\.\d{1,3}){3} | [\da-f]{1,4})? (?![\w:])
  | (?<![\w-]) [a-z]+(?:-[a-z]+)*-[\da-f]{8,17} (?![\w-])
  | (?<![\w.-]) (?![\w.-]+\.amazonaws\.com\b) (?:[a-z\d]+(?:-+[a-z\d]+)*\.)+[a-z]{2,} (?![\w-])
  | \b amazonaws\.com (?:\.cn)? \b
"""
_ARN = r"""| \b arn:[\w-]+:[^\s"',]*"""
#: By whether ARNs may be folded.
_KEPT = {True: re.compile(_WHOLE, re.VERBOSE), False: re.compile(_WHOLE + _ARN, re.VERBOSE)}
#: What text is folded after, best first: blanks and commas, parts of paths and ARNs, words of a name, anything.
_BREAKS = [re.compile(ends, re.DOTALL) for ends in (r"[\s,]+", r"[/:]+", r"[-_.@]+|(?<=[a-z])(?=[A-Z])", r".")]
_ANYWHERE = len(_BREAKS) - 1


class Room(NamedTuple):
    """How wide lines may be, and whether ARNs may be folded, which is the case where only people read them."""

    width: int
    folds_arns: bool


def folded(text: str, room: Room) -> list[str]:
    """Fold a string into lines; a line is longer only if it contains an unbreakable part."""
    if cell_len(text) <= room.width:
        return [text]
    lines = [""]
    used = 0
    for piece, needed in _fitting(text, room, 0):
        if used + cell_len(piece.rstrip()) > room.width:
            lines.append("")
            used = 0
        lines[-1] += piece
        used += needed
    return [line.rstrip() for line in lines if line.strip()]


def least(text: str, word: int, room: Room, level: int = 0) -> int:
    """Return the width that a string needs to keep unbreakable parts, and words of up to this width, whole."""
    needed = cell_len(text.rstrip())
    if needed <= word or level > _ANYWHERE:
        return needed
    return max(
        word if level == _ANYWHERE else 0,
        *(least(piece, word, room, level + 1) for piece in _pieces(text, level, room)),
    )


def _fitting(text: str, room: Room, level: int) -> Iterator[tuple[str, int]]:
    """Yield the largest pieces that fit in a line, and their widths."""
    for piece in _pieces(text, level, room):
        if level < _ANYWHERE and cell_len(piece.rstrip()) > room.width:
            yield from _fitting(piece, room, level + 1)
        else:
            yield piece, cell_len(piece)


def _pieces(text: str, level: int, room: Room) -> Iterator[str]:
    """Yield the parts between which a string may be folded at this level."""
    kept = [found.span() for found in _KEPT[room.folds_arns].finditer(text)]
    begin = 0
    for found in _BREAKS[level].finditer(text):
        end = found.end()
        while kept and kept[0][1] <= end:
            kept.pop(0)
        if not (kept and kept[0][0] < end < kept[0][1]):
            yield text[begin:end]
            begin = end
    if begin < len(text):
        yield text[begin:]
