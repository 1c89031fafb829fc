"""The progress of a command, on a terminal: what was read, out of how much, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

import ctfast as ct
from ctfast._arguments.gate import checked
from ctfast._scan.options import ask
from ctfast._show.plain import counted
from ctfast._source.addresses import Source
from ctfast._source.object_keys import KeySource
from ctfast.cli.screen import Screen, size

__all__ = ["progress", "steps"]

#: The options of a verb that decide which files are listed.
_CHOOSING = ("since", "until", "accounts", "regions", "kinds", "max_delay")


class _Left(ProgressColumn):
    """The remaining time, once it is known."""

    def render(self, task: Task) -> Text:
        """Return an empty text while the remaining time is unknown."""
        if task.total is None or task.time_remaining is None:
            return Text()
        return Text.assemble(TimeRemainingColumn(compact=True).render(task), " left", style="progress.remaining")


@contextmanager
def steps(name: str, *, visible: bool = True) -> Iterator[Callable[[str, float, float | None], None] | None]:
    """Yield a function that shows a text, the number done and the total; None if nothing is shown."""
    screen = Screen(stderr=True)
    if not (visible and screen.is_seen):
        yield None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), _Left()
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda words, done, of: bar.update(task, description=words, completed=done, total=of)


@contextmanager
def progress(
    source: Source, reading: dict[str, Any], *, visible: bool = True
) -> Iterator[Callable[[ct.Report], None] | None]:
    """Show files, records and bytes while a scan runs, and the total number of files once they are counted."""
    with steps("reading", visible=visible) as step:
        if step is None:
            yield None
            return
        with _counted(source, reading) as total:

            def update(report: ct.Report) -> None:
                files, of = report.files, total()
                parts = [
                    counted(files.listed, "file", of),
                    counted(report.records.seen, "record"),
                    size(report.bytes.compressed),
                ]
                if files.bad:
                    parts.append(f"{files.bad:,} bad")
                step(", ".join(parts), files.listed, of)

            yield update


@contextmanager
def _counted(source: Source, reading: dict[str, Any]) -> Iterator[Callable[[], int | None]]:
    """Count in another thread what the scan will list.

    The function that is yielded returns None until all is counted, and always where counting would cost requests.
    """
    ended = Event()
    found: list[int] = []

    def count() -> None:
        # Errors of listing are reported by the scan itself.
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
    """Yield how many files a scan would have listed so far, as :attr:`Report.files` counts them, up to the total."""
    chosen = {name: reading[name] for name in _CHOOSING if name in reading}
    given = {name: value for name, value in chosen.items() if value is not None}
    options = ask("scan", **chosen | checked("scan", source=source, **given))
    if isinstance(source, KeySource):
        again = source._again()  # noqa: SLF001  # it exists for this use only
        if again is not None:
            for _ in again:
                yield again.named
            yield again.named + sum(again.skipped.values()) + len(again.bad) + again.unnamed
    elif reading.get("checkpoint") is None and not options.is_in_buckets():
        listing, number = options.listing(None), 0
        while (page := listing.next()) is not None:
            number += len(page)
            yield number
        counts = listing.counts()
        yield number + sum(counts["skipped"].values()) + counts["bad"]
