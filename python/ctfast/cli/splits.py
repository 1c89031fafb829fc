"""The verb ``splits``: an archive divided into parts that other processes read."""

from __future__ import annotations

from typing import Any

import click

import ctfast as ct
from ctfast._later import pl
from ctfast._show.plain import counted
from ctfast.cli import options
from ctfast.cli.formats import NDJSON, TABLE
from ctfast.cli.output import check_target, chosen, opened
from ctfast.cli.progress import steps
from ctfast.cli.rows import BY_PLACE, by_place, is_free, tabulate
from ctfast.cli.screen import findings, say

__all__ = ["splits"]

_SLOTS = 1_000_000
_COLUMNS = ["split", "files", "bytes", "rows"]


@click.command()
@options.archives
@options.planning
@options.columns
@click.option(
    "--slots",
    type=click.IntRange(1, _SLOTS),
    metavar="N",
    show_default="one per processor",
    help="How many splits will be read at once.",
)
@click.option(
    "--target",
    "size",
    type=click.IntRange(1),
    metavar="BYTES",
    show_default="by the size of the archive and the slots, 4 to 64 MiB",
    help="Most bytes of a split: the stored size of its files, plus 16 KiB for each.",
)
@options.output((NDJSON, TABLE), BY_PLACE)
@click.pass_context
def splits(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    origin: str | None,
    form: str | None,
    size: int | None,
    target: str | None,
    **planned: Any,
) -> None:
    """Divide an archive into splits, which other processes read with split-run.

    The files are listed, and none is opened. Each line is a split: a value that can be sent through a queue, to a
    function or to another machine, and holds no credentials. A table shows how large the splits are.

    \b
    Examples:
      ctfast splits logs --slots 64 -o splits.ndjson
      split -n r/4 splits.ndjson part.    # and on each of four machines:
      ctfast split-run part.aa -o lake
    """
    into = chosen(form, target, by_place())
    source = options.sources(archive, origin, target)
    check_target(target)
    given = {name: value for name, value in planned.items() if value is not None}
    report = ct.Report()
    with steps("listing", visible=is_free(into, target)) as step:

        def update(report: ct.Report) -> None:
            if step is not None:
                step(counted(report.files.listed, "file"), report.files.listed, None)

        found = ct.splits(source, target=size, report=report, progress=update, **given)
    if into is TABLE:
        rows = [(split.id, split.files, split.bytes, split.rows) for split in found]
        tabulate([pl.DataFrame(rows, _COLUMNS, orient="row")], target, len(rows))
    else:
        with opened(target) as file:
            file.writelines(f"{split.json()}\n".encode() for split in found)
    files, stored = sum(split.files for split in found), sum(split.bytes for split in found)
    say(f"{counted(len(found), 'split')}: {counted(files, 'file')}, {counted(stored, 'byte')}")
    ctx.exit(findings(report) or (0 if found else 2))
