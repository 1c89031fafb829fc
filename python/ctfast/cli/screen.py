"""What people read beside the data: words, progress and findings."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import polars as pl
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from ctfast._report import Report
from ctfast.cli.tables import frame_view, plain

__all__ = ["Screen", "counted", "duplicates", "findings", "progress", "say", "show", "size"]

#: Findings that are shown one by one.
_MOST = 20


class Screen(Console):
    """A console that lets a closed pipe be heard of, and takes text as it is."""

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None) -> None:
        super().__init__(stderr=stderr, file=file, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Raise again, instead of ending the program with an error."""
        raise BrokenPipeError


def say(*lines: str) -> None:
    """Print words, each text a line of its own, to standard error."""
    screen = Screen(stderr=True)
    for line in lines:
        screen.print(Text(plain(line)), soft_wrap=True)


def show(file: Any, *views: Any, soft_wrap: bool = False) -> None:
    """Print for people: with colours on a terminal, without elsewhere."""
    text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
    try:
        screen = Screen(file=text)
        for view in views:
            screen.print(view, soft_wrap=soft_wrap)
    finally:
        text.detach()  # whoever opened the file closes it


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int) -> str:
    """Return a number of bytes in the largest unit that leaves digits before the point."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004  # units are decimal, as those of disks and networks
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"  # noqa: PLR2004
        value /= 1000
    return f"{value:,.1f} TB"


@contextmanager
def progress(*, visible: bool) -> Iterator[Callable[[Report], None] | None]:
    """Show files, records and bytes while a scan runs, if standard error is a terminal."""
    screen = Screen(stderr=True)
    if not (visible and screen.is_terminal):
        yield None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("reading")

        def update(report: Report) -> None:
            files, records, read = report.files, report.records, report.bytes
            parts = [counted(files.read + files.bad, "file"), counted(records.seen, "record"), size(read.compressed)]
            if files.bad:
                parts.append(f"{files.bad:,} bad")
            speed = bar.tasks[0].elapsed
            if speed:
                parts.append(f"{size(int(read.inflated / speed))}/s inflated")
            bar.update(task, description=", ".join(parts))

        yield update


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
    """Print what was bad or strange to standard error; return the exit code."""
    screen = Screen(stderr=True)
    bad, warnings = report.bad, report.warnings
    if bad.is_empty() and warnings.is_empty():
        return 0
    kinds = pl.concat([bad, warnings]).group_by("kind", maintain_order=True).agg(pl.len(), pl.col("records_kept").sum())
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
    screen.print(frame_view(kinds.rename({"kind": "Finding", "len": "Count", "records_kept": "Records kept"}), screen.width))
    screen.print()
    rows = pl.concat([bad, warnings]).head(_MOST)
    say(*(_finding(row) for row in rows.iter_rows(named=True)))
    more = bad.height + warnings.height - rows.height + int(report.unnamed["count"].sum())
    if more:
        say(f"and {more:,} more")
    return int(not bad.is_empty())


def _finding(row: dict[str, Any]) -> str:
    """Return the sentence that the exception would have."""
    where = "" if row["byte"] is None else f" at byte {row['byte']}"
    record = "" if row["record"] is None else f" (record {row['record']})"
    return f"{row['file']}: {row['message']}{where}{record}"
