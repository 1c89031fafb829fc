"""Printing of records, or of their columns, for ``scan`` and ``match``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import click

import ctfast as ct
from ctfast._arguments.gate import column_names
from ctfast._later import pl
from ctfast._scan.options import PATHS
from ctfast.cli import following, options, parts
from ctfast.cli.formats import TABLE, Format
from ctfast.cli.output import check_target, opened
from ctfast.cli.progress import progress
from ctfast.cli.rows import SLICE, head, is_free, shown, tabulate
from ctfast.cli.screen import duplicates, findings, is_unanswered, say

__all__ = ["SHOWN", "check", "put_records"]

#: Columns of a table, unless others are asked for.
SHOWN = ["eventTime", "userIdentity.arn", "eventName", "sourceIPAddress", "errorCode"]


def check(names: list[str], *more: str) -> None:
    """Refuse names that are not columns; ``more`` are columns as well."""
    column_names("scan", names, [*PATHS, *more])


def put_records(
    ctx: click.Context,
    archive: tuple[str, ...],
    names: list[str],
    *,
    origin: str | None,
    form: Format,
    target: str | None,
    limit: int | None,
    checkpoint: ct.Checkpoint | None = None,
    interval: timedelta | None = None,
    **reading: Any,
) -> None:
    """Print these columns of the chosen records, or the records themselves, and end with the exit code.

    With an interval, keep running and read new files as they arrive.
    """
    if interval is not None:
        following.refuse(archive, target, origin, checkpoint)
    report = ct.Report()
    if form.columns is not None:
        names = list(form.columns)
    roots = list(dict.fromkeys(name.partition(".")[0] for name in names))
    part = None if checkpoint is None or target is None else f"{target}/{parts.name('', form, target)}"
    source = options.sources(archive, origin, target, part)
    receipt = checkpoint or (source if isinstance(source, ct.Queue) else None)
    folder = None if receipt is None else parts.folder(archive, target, form, limit, checkpoint)
    if folder is None:
        check_target(target)
    reading |= {"report": report, "checkpoint": checkpoint, "columns": roots, "batch_rows": SLICE, "views": True}
    # What was written counts as read; what is still to be written does not.
    with receipt or nullcontext():
        with (
            progress(source, reading, visible=interval is None and is_free(form, target)) as seen,
            ct.stream(source, progress=seen, **reading) as records,
        ):
            frames: Iterable[pl.DataFrame] = parts.frames(records, records.schema, names)
            if folder is not None and interval is not None:
                following.keep_up(records, report, interval, folder, names)
            elif folder is not None:
                folder.put(records.units(), names)
            elif form is TABLE:
                frames = list(head(frames, shown(limit) + 1))
            else:
                with opened(target) as file:
                    begun = _begun(frames if limit is None else head(frames, limit))
                    if is_unanswered(report):
                        ctx.exit(findings(report))  # and no output file is left
                    form.put(begun, file)
        if is_unanswered(report):
            ctx.exit(findings(report))
        if form is TABLE:
            tabulate(frames, target, limit)
    say(*duplicates(report, removed=True))
    ctx.exit(findings(report))


def _begun(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Read up to the first row, or to the end: a header written too early would look like a result."""
    empty = []
    frames = iter(frames)
    for frame in frames:
        if frame.height:
            return itertools.chain([frame], frames)
        empty = [frame]
    return iter(empty)
