"""Where rows go: all of them to a file or a pipe, the first ones to a table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from ctfast._later import pl
from ctfast._show.tables import frame_view
from ctfast.cli.formats import NDJSON, TABLE, Format
from ctfast.cli.output import opened
from ctfast.cli.screen import say, show

__all__ = ["BY_PLACE", "SLICE", "batches", "by_place", "head", "is_free", "save", "shown", "tabulate"]

#: How the help describes the format that :func:`by_place` returns.
BY_PLACE = "by the name of FILE; else table on a terminal, ndjson elsewhere"
#: Rows that are written at a time.
SLICE = 5_000
#: Rows of a table, unless more are asked for.
_SCREENFUL = 100


def by_place() -> Format:
    """Return the default format of rows."""
    return TABLE if sys.stdout.isatty() else NDJSON


def is_free(form: Format, target: str | None) -> bool:
    """Whether a progress line on the terminal would not be mixed with the data."""
    return form is TABLE or target is not None or not sys.stdout.isatty()


def batches(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Yield an empty frame, and then the rows, some at a time."""
    yield pl.DataFrame(schema=rows.collect_schema())
    yield from rows.collect_batches(maintain_order=True)


def save(frames: Iterable[pl.DataFrame], form: Format, target: str | None, limit: int | None) -> None:
    """Write frames of one schema, at least one."""
    with opened(target) as file:
        form.put(frames if limit is None else head(frames, limit), file)


def tabulate(frames: Iterable[pl.DataFrame], target: str | None, limit: int | None) -> None:
    """Show the first rows."""
    most = shown(limit)
    frame = pl.concat(head(frames, most + 1))
    with opened(target) as file:
        show(file, lambda room: [frame_view(frame.head(most), room)])
    if frame.height > most and limit is None:
        say(f"These are the first {most} rows; --limit shows more, --format csv and -o FILE take all.")


def shown(limit: int | None) -> int:
    """How many rows a table has at most."""
    return _SCREENFUL if limit is None else limit


def head(frames: Iterable[pl.DataFrame], most: int) -> Iterator[pl.DataFrame]:
    """Yield the first rows, and read no further."""
    left = most
    for frame in frames:
        yield frame.head(left)
        left -= frame.height
        if left <= 0:
            return
