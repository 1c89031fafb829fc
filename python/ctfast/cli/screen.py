"""What people read besides the data: messages and findings."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from rich.console import Console, Group
from rich.text import Text

from ctfast._later import pl
from ctfast._ledger.report import Report
from ctfast._show.folding import Room, folded
from ctfast._show.plain import counted, plain
from ctfast._show.tables import frame_view
from ctfast._source.silence import is_mistake

__all__ = ["Screen", "duplicates", "findings", "is_unanswered", "say", "show", "size"]

#: Exit code when nothing matches what was asked for.
_UNANSWERED = 2
#: The width of output that has none.
_ENDLESS = 1 << 20
#: Environment variables with the size of a screen, and their valid values: without a terminal they are often 0.
_EXTENTS = ("COLUMNS", "LINES")
_EXTENT = re.compile(r"0*[1-9][0-9]{0,5}", re.ASCII)
#: Warnings about rules: they were printed before anything was read.
_SAID = ("same-name", "unresolved")
#: Findings that are shown one by one.
_MOST = 20


class Screen(Console):
    """A console that raises an error when the pipe is closed, and prints text as it is, without markup.

    Output that is not a terminal has no width: there each row of a table is one line. ``COLUMNS`` sets one, but ARNs
    stay whole even then, since programs may read them. A width of 0 is ignored.
    """

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None) -> None:
        environ = {
            name: value for name, value in os.environ.items() if name not in _EXTENTS or _EXTENT.fullmatch(value)
        }
        super().__init__(stderr=stderr, file=file, highlight=False, markup=False, emoji=False, _environ=environ)
        #: With FORCE_COLOR, Rich takes a pipe for a terminal; this does not.
        self.is_seen = self.file.isatty()
        if not (self.is_seen or "COLUMNS" in environ):
            self.width = _ENDLESS
        self.room = Room(self.width, folds_arns=self.is_seen)

    def on_broken_pipe(self) -> None:
        """Raise an error, where Rich would end the program."""
        raise BrokenPipeError


def say(*lines: str) -> None:
    """Print messages to standard error, one per line."""
    screen = Screen(stderr=True)
    for line in lines:
        screen.print(Text(plain(line)), soft_wrap=True)


def show(file: Any, views: Callable[[Room], Iterable[Any]], *, soft_wrap: bool = False) -> None:
    """Print views that are made for the width of the output: with colours on a terminal, without elsewhere."""
    text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
    try:
        screen = Screen(file=text)
        for view in views(screen.room):
            if isinstance(view, Text) and not soft_wrap:
                view = Text("\n".join(folded(view.plain, screen.room)))  # noqa: PLW2901  # a sentence without styles
            # Blocks and sentences are folded already.
            screen.print(view, soft_wrap=soft_wrap or isinstance(view, (Group, Text)))
    finally:
        text.detach()  # so that the file stays open: the caller closes it


def size(number: int) -> str:
    """Return a number of bytes in the largest unit that leaves digits before the point."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004  # units are decimal, like those of disks and networks
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"  # noqa: PLR2004
        value /= 1000
    return f"{value:,.1f} TB"


def is_unanswered(report: Report) -> bool:
    """Whether nothing was read or nothing matched, probably because of a mistake: there is no result then."""
    return any(found.nothing and is_mistake(found) for found in report.unmatched)


def duplicates(report: Report, *, removed: bool = False) -> Iterator[str]:
    """Yield sentences about records that have duplicates earlier in the archive."""
    if report.duplicates is None:
        return
    copies, differ, without_id = (counted(number, "record") if number else "" for number in report.duplicates)
    if copies:
        yield (
            f"Copies of earlier ones (eventID, recipientAccountId, content): {copies}{', left out' if removed else ''}."
        )
    if differ:
        yield f"Of the same event as an earlier one, but with another content: {differ}."
    if without_id:
        yield f"Without an eventID, so that copies cannot be told: {without_id}."


def findings(report: Report) -> int:
    """Print errors, warnings, and whatever was asked for without a match to standard error; return the exit code."""
    say(*(f"ctfast: {found}" for found in report.unmatched))
    rules = report.bad_rules
    say(*(f"ctfast: a rule is left out: {_rule(row)}" for row in rules.head(_MOST).iter_rows(named=True)))
    if rules.height > _MOST:
        say(f"and {rules.height - _MOST:,} more rules")
    usual = _UNANSWERED if is_unanswered(report) else 0
    if usual and not (report.files.read or report.files.bad):
        return usual
    screen = Screen(stderr=True)
    bad, warnings = report.bad, report.warnings.filter(~pl.col("kind").is_in(_SAID))
    if bad.is_empty() and warnings.is_empty():
        return usual or int(not rules.is_empty())
    # Each finding of a file has the same number of records: a file counts once for each kind.
    kinds = (
        pl.concat([bad, warnings])
        .group_by("kind", "file", maintain_order=True)
        .agg(pl.len(), pl.col("records_kept").max())
        .group_by("kind", maintain_order=True)
        .agg(pl.col("len", "records_kept").sum())
    )
    kinds = kinds.sort("len", descending=True, maintain_order=True)
    unnamed = report.unnamed.group_by("what").agg(pl.col("count").sum())
    others = int(unnamed["count"].sum())
    if others:
        last = pl.DataFrame({"kind": ["not named"], "len": [others], "records_kept": [None]}, schema=kinds.schema)
        kinds = pl.concat([kinds, last])
    counts = [
        counted(number, noun)
        for number, noun in (
            (report.files.bad, "bad file"),
            (report.records.bad, "bad record"),
            (warnings.height + int(unnamed.filter(what="warning")["count"].sum()), "warning"),
        )
        if number
    ]
    screen.print(Text("\n" + ", ".join(counts) + "\n"))
    view = frame_view(kinds.rename({"kind": "Finding", "len": "Count", "records_kept": "Records kept"}), screen.room)
    screen.print(view, soft_wrap=isinstance(view, Group))
    screen.print()
    rows = pl.concat([bad, warnings]).head(_MOST)
    say(*(_finding(row) for row in rows.iter_rows(named=True)))
    more = bad.height + warnings.height - rows.height + others
    if more:
        say(f"and {more:,} more")
    return usual or int(not (bad.is_empty() and rules.is_empty()))


def _rule(row: dict[str, Any]) -> str:
    """Return why a rule could not be read, and where."""
    where = "".join(f"{row[name]}: " for name in ("file", "rule", "path") if row[name] is not None)
    position = "" if row["line"] is None else f" at line {row['line']}, column {row['column']}"
    return f"{where}{row['message']}{position}"


def _finding(row: dict[str, Any]) -> str:
    """Return the same sentence as the exception would have."""
    where = "" if row["byte"] is None else f" at byte {row['byte']}"
    record = "" if row["record"] is None else f" (record {row['record']})"
    return f"{row['file']}: {row['message']}{where}{record}"
