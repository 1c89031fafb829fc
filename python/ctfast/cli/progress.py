"""How far a command has come, on a terminal: what was looked at, of how much, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

import ctfast as ct
from ctfast._addresses import Source
from ctfast._objects import KeySource
from ctfast._plain import counted
from ctfast._source import Options
from ctfast.cli.screen import Screen, size

__all__ = ["progress", "steps"]

#: What decides which files are listed, among the options of a verb.
_CHOOSING = ("since", "until", "accounts", "regions", "kinds", "max_delay")


class _Left(ProgressColumn):
    """The time that is left, once it can be told."""

    def render(self, task: Task) -> Text:
        """Return nothing rather than a guess."""
        if task.total is None or task.time_remaining is None:
            return Text()
        return Text.assemble(TimeRemainingColumn(compact=True).render(task), " left", style="progress.remaining")


@contextmanager
def steps(name: str, *, visible: bool = True) -> Iterator[Callable[[str, float, float | None], None] | None]:
    """Show what the function is told that this yields: words, how much is done, and of how much; None if nobody looks."""
    screen = Screen(stderr=True)
    if not (visible and screen.is_seen):
        yield None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), _Left()
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda words, done, of: bar.update(task, description=words, completed=done, total=of)


@contextmanager
def progress(source: Source, reading: dict[str, Any], *, visible: bool = True) -> Iterator[Callable[[ct.Report], None] | None]:
    """Show files, records and bytes while a scan runs, and of how many files once they are counted."""
    with steps("reading", visible=visible) as step:
        if step is None:
            yield None
            return
        with _counted(source, reading) as total:

            def update(report: ct.Report) -> None:
                files, of = report.files, total()
                parts = [counted(files.listed, "file", of), counted(report.records.seen, "record"), size(report.bytes.compressed)]
                if files.bad:
                    parts.append(f"{files.bad:,} bad")
                step(", ".join(parts), files.listed, of)

            yield update


@contextmanager
def _counted(source: Source, reading: dict[str, Any]) -> Iterator[Callable[[], int | None]]:
    """Count beside the scan what it will list; None until all is counted, and where that would cost requests."""
    ended = Event()
    found: list[int] = []

    def count() -> None:
        # What cannot be named or listed is told by the scan.
        with suppress(Exception):
            so_far: list[int] = []
            for number in _listed(source, reading):
                if ended.is_set():
                    return
                so_far = [number]
            found.extend(so_far)

    thread = Thread(target=count, name="ctfast-total", daemon=True)
    thread.start()
    try:
        yield lambda: found[0] if found else None
    finally:
        ended.set()
        thread.join()


def _listed(source: Source, reading: dict[str, Any]) -> Iterator[int]:
    """Yield how many files a scan would list, as :attr:`Report.files` counts them; at last, of all."""
    options = Options(function="scan", source=source, **{name: reading[name] for name in _CHOOSING if name in reading})
    if isinstance(source, KeySource):
        again = source._again()  # noqa: SLF001  # for this alone
        if again is not None:
            for _ in again:
                yield again.named
            yield again.named + sum(again.skipped.values()) + len(again.bad) + again.unnamed
    elif reading.get("checkpoint") is None and not options.is_in_buckets():
        listing, number = options.listing(None), 0
        while (page := listing.next()) is not None:
            number += len(page)
            yield number
        yield number + sum(listing.counts()["skipped"].values()) + len(listing.bad())
