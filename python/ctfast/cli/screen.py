"""What people read beside the data: words and findings."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from rich.console import Console, Group
from rich.text import Text

from ctfast._folding import Room, folded
from ctfast._later import pl
from ctfast._plain import counted, plain
from ctfast._report import Report
from ctfast._silence import is_mistake
from ctfast._tables import frame_view

__all__ = ["Screen", "duplicates", "findings", "is_unanswered", "say", "show", "size"]

#: Exit code where nothing answers.
_UNANSWERED = 2
#: The width of what has none.
_ENDLESS = 1 << 20
#: What gives a screen its size, and how: without a terminal, it is often 0.
_EXTENTS = ("COLUMNS", "LINES")
_EXTENT = re.compile(r"0*[1-9][0-9]{0,5}", re.ASCII)
#: Findings that are shown one by one.
_MOST = 20


class Screen(Console):
    """A console that lets a closed pipe be heard of, and takes text as it is.

    What is no terminal has no width: there each row of a table is one line. ``COLUMNS`` gives it one, and ARNs are whole all the
    same: programs may read them. A width of 0 is none.
    """

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None) -> None:
        environ = {name: value for name, value in os.environ.items() if name not in _EXTENTS or _EXTENT.fullmatch(value)}
        super().__init__(stderr=stderr, file=file, highlight=False, markup=False, emoji=False, _environ=environ)
        #: FORCE_COLOR makes no terminal of a pipe, though Rich calls it one.
        self.is_seen = self.file.isatty()
        if not (self.is_seen or "COLUMNS" in environ):
            self.width = _ENDLESS
        self.room = Room(self.width, folds_arns=self.is_seen)

    def on_broken_pipe(self) -> None:
        """Raise again, instead of ending the program with an error."""
        raise BrokenPipeError


def say(*lines: str) -> None:
    """Print words, each text a line of its own, to standard error."""
    screen = Screen(stderr=True)
    for line in lines:
        screen.print(Text(plain(line)), soft_wrap=True)


def show(file: Any, views: Callable[[Room], Iterable[Any]], *, soft_wrap: bool = False) -> None:
    """Print what is made for a width: with colours on a terminal, without elsewhere."""
    text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
    try:
        screen = Screen(file=text)
        for view in views(screen.room):
            if isinstance(view, Text) and not soft_wrap:
                view = Text("\n".join(folded(view.plain, screen.room)))  # noqa: PLW2901  # a sentence without styles
            # Blocks and sentences are folded already.
            screen.print(view, soft_wrap=soft_wrap or isinstance(view, (Group, Text)))
    finally:
        text.detach()  # whoever opened the file closes it


def size(number: int) -> str:
    """Return a number of bytes in the largest unit that leaves digits before the point."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004  # units are decimal, as those of disks and networks
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"  # noqa: PLR2004
        value /= 1000
    return f"{value:,.1f} TB"


def is_unanswered(report: Report) -> bool:
    """Whether nothing was read, or nothing met, and probably something else was meant: there is no result then."""
    return any(found.nothing and is_mistake(found) for found in report.unmatched)


def duplicates(report: Report, *, removed: bool = False) -> Iterator[str]:
    """Yield what is known of records that came before, as sentences."""
    if report.duplicates is None:
        return
    copies, differ, without_id = (counted(number, "record") if number else "" for number in report.duplicates)
    if copies:
        yield f"Copies of earlier ones (eventID, recipientAccountId, content): {copies}{', left out' if removed else ''}."
    if differ:
        yield f"Of the same event as an earlier one, but with another content: {differ}."
    if without_id:
        yield f"Without an eventID, so that copies cannot be told: {without_id}."


def findings(report: Report) -> int:
    """Print what was bad or strange to standard error, and what nothing answers to; return the exit code."""
    say(*(f"ctfast: {found}" for found in report.unmatched))
    usual = _UNANSWERED if is_unanswered(report) else 0
    if usual and not (report.files.read or report.files.bad):
        return usual
    screen = Screen(stderr=True)
    bad, warnings = report.bad, report.warnings
    if bad.is_empty() and warnings.is_empty():
        return usual
    # Each finding says how many records its file has: a file counts once for each kind.
    kinds = (
        pl.concat([bad, warnings])
        .group_by("kind", "file", maintain_order=True)
        .agg(pl.len(), pl.col("records_kept").max())
        .group_by("kind", maintain_order=True)
        .agg(pl.col("len", "records_kept").sum())
    )
    kinds = kinds.sort("len", descending=True, maintain_order=True)
    counts = [
        counted(number, noun)
        for number, noun in (
            (report.files.bad, "bad file"),
            (report.records.bad, "bad record"),
            (warnings.height, "warning"),
        )
        if number
    ]
    screen.print(Text("\n" + ", ".join(counts) + "\n"))
    view = frame_view(kinds.rename({"kind": "Finding", "len": "Count", "records_kept": "Records kept"}), screen.room)
    screen.print(view, soft_wrap=isinstance(view, Group))
    screen.print()
    rows = pl.concat([bad, warnings]).head(_MOST)
    say(*(_finding(row) for row in rows.iter_rows(named=True)))
    more = bad.height + warnings.height - rows.height + int(report.unnamed["count"].sum())
    if more:
        say(f"and {more:,} more")
    return usual or int(not bad.is_empty())


def _finding(row: dict[str, Any]) -> str:
    """Return the sentence that the exception would have."""
    where = "" if row["byte"] is None else f" at byte {row['byte']}"
    record = "" if row["record"] is None else f" (record {row['record']})"
    return f"{row['file']}: {row['message']}{where}{record}"
