"""The option ``--follow``: parts are added to a folder as files arrive, until a signal ends the run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ctfast as ct
from ctfast._interrupt import held
from ctfast._scan.follow import Follow
from ctfast._show.plain import counted
from ctfast._source.object_keys import Extent
from ctfast.cli.parts import Parts
from ctfast.cli.screen import say

__all__ = ["keep_up", "now", "refuse"]

#: How many bad files of a unit are named in its line.
_NAMED = 5


def refuse(archive: Iterable[str], target: str | None, origin: str | None, checkpoint: ct.Checkpoint | None) -> None:
    """Refuse sources that cannot name new files, and runs that keep no checkpoint or no parts."""
    if origin not in (None, "queue"):
        message = f"--from {origin} is read once: --follow needs folders or buckets with --checkpoint, or --from queue"
        raise ValueError(message)
    if origin is None and "-" in archive:
        message = "the names in standard input are read once: with --follow, name folders or buckets"
        raise ValueError(message)
    if origin is None and checkpoint is None:
        message = "--follow keeps in a file what was read: name it with --checkpoint"
        raise ValueError(message)
    if target is None or (Path(target).exists() and not Path(target).is_dir()):
        message = "--follow adds parts to a folder: name it with -o"
        raise ValueError(message)


def keep_up(stream: ct.EventStream, report: ct.Report, interval: timedelta, folder: Parts, names: list[str]) -> None:
    """Store each unit as it comes, commit it, and print a line about it; a signal waits for the end of the unit."""
    units = 0
    is_first = True

    def looked() -> None:
        nonlocal is_first
        if is_first:
            say(*(f"ctfast: {found}" for found in report.unmatched))
            say(f"ctfast: what is there is read; looking for new files every {interval.total_seconds():.0f} s")
        is_first = False

    follow = Follow(interval, warn=lambda words: say(f"{now()} {words}"), looked=looked)
    try:
        for unit in stream._cut(Extent(), follow):  # noqa: SLF001  # as units(follow=True), with words for a screen
            with held():
                rows, part = folder.store(unit, names, even_empty=False)
                unit.commit()
                units += 1
                say(f"{now()} {part.name if part else 'no part'}: {_described(unit, rows)}")
    finally:
        files, records = report.files, report.records
        counts = [counted(units, "unit"), f"{counted(files.read, 'file')} read", counted(records.read, "record")]
        if files.bad:
            counts.append(f"{counted(files.bad, 'bad file')}, each time it was tried")
        say(f"ctfast: {', '.join(counts)}")


def _described(unit: ct.Unit, rows: int) -> str:
    bad = [f"{file} ({reason})" for file, reason in unit._bad()]  # noqa: SLF001  # not public: for this line only
    words = f"{counted(len(unit.files), 'file')}, {counted(rows, 'row')}"
    if bad:
        more = f" and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
        words += f", {len(bad):,} bad: {', '.join(bad[:_NAMED])}{more}"
    return words


def now() -> str:
    """Return the time, as it begins a line about a look."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
