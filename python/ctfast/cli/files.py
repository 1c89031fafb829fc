"""The verb ``files``: what becomes of each file of an archive."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import click

import ctfast as ct
from ctfast._arguments.gate import checked
from ctfast._later import pl
from ctfast._ledger.rows import no_rows
from ctfast._scan.files import pages
from ctfast._scan.options import ask
from ctfast.cli import options
from ctfast.cli.formats import ROWS, TABLE
from ctfast.cli.output import chosen
from ctfast.cli.progress import progress
from ctfast.cli.rows import BY_PLACE, by_place, head, is_free, save, shown, tabulate
from ctfast.cli.screen import findings

__all__ = ["files"]

#: Columns of a table.
_OF_FILES = ["outcome", "reason", "records_read", "file"]


@click.command()
@options.archives
@options.reading_with("collect")
@options.dedupe
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False),
    callback=lambda _ctx, _param, path: None if path is None else ct.Checkpoint(path),
    metavar="FILE",
    help="Show what the next run with this FILE would do: files that an earlier run has read are skipped as done, "
    "bad files are tried again. Nothing is committed.",
)
@click.option("--sha256", is_flag=True, help="Add the SHA-256 of each file, of its bytes as they are stored.")
@options.limit
@options.output((*ROWS, TABLE), BY_PLACE)
@click.pass_context
def files(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    sha256: bool,
    origin: str | None,
    form: str | None,
    target: str | None,
    limit: int | None,
    **reading: Any,
) -> None:
    """Show what becomes of each file of an archive, and why.

    One row for each file: read, bad or skipped, with the reason and the number of its records; and one for each folder
    that is pruned, since nothing in it is asked for. All files are read, as scan reads them with the same options. A
    table leaves out columns that the other formats have.

    \b
    Examples:
      ctfast files logs --since 2023-07-10 -o files.csv
      ctfast files s3://my-trail-bucket --checkpoint new.checkpoint -o files.csv
      ctfast files logs --sha256 | jq 'select(.outcome != "read")'
    """
    into = chosen(form, target, by_place())
    report = ct.Report()
    source = options.sources(archive, origin, target)
    with progress(source, reading, visible=is_free(into, target)) as seen:
        given = reading | {"source": source, "report": report, "progress": seen}
        known = checked("files", **{name: value for name, value in given.items() if value is not None})
        with closing(pages(ask("files", **known), sha256=sha256)) as found:
            frames: Iterable[pl.DataFrame] = itertools.chain([no_rows()], found)
            if into is TABLE:
                frames = [frame.select(_OF_FILES) for frame in head(frames, shown(limit) + 1)]
            else:
                save(frames, into, target, limit)
    if into is TABLE:
        tabulate(frames, target, limit)
    # Where nothing was read, the rows say why.
    ctx.exit(findings(report))
