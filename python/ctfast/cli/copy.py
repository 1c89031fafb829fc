"""The verb ``copy``: an archive from a bucket to a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

import ctfast as ct
from ctfast._copy.copy import written_beside
from ctfast._show.plain import counted
from ctfast._source.apart import keep_apart
from ctfast._source.silence import is_mistake
from ctfast.cli import options
from ctfast.cli.output import check_target, of_files
from ctfast.cli.rows import batches, save
from ctfast.cli.screen import Screen, say, size

__all__ = ["copy"]

_UNANSWERED = 2
#: How many objects are named one by one.
_MOST = 20


@click.command()
@click.argument("source", metavar="S3URL")
@click.argument("target", callback=options.file_only, metavar="DIR")
@options.choosing
@options.files("what became of each object, one row for each: copied, present, bad or skipped, and why")
@click.pass_context
def copy(
    ctx: click.Context,
    /,
    source: str,
    target: str,
    *,
    since: str | None,
    until: str | None,
    accounts: tuple[str, ...] | None,
    regions: tuple[str, ...] | None,
    kinds: tuple[str, ...] | None,
    max_delay: timedelta | None,
    files: str | None,
    storage_options: dict[str, str],
) -> None:
    """Copy an archive from a bucket to DIR, to be verified there offline.

    Digest files are copied, too, and their signatures, which a plain download loses, are written to
    DIR.signatures.json. Called again, it goes on where it stopped, and replaces files whose content differs from the
    object.

    \b
    Exit code:
      0  all that was asked for is there
      1  some objects could not be copied
      2  trouble

    \b
    Examples:
      ctfast copy s3://my-trail-bucket archive --since 2025-03-01
      ctfast copy s3://my-trail-bucket archive --files copied.csv
      ctfast verify archive --keys keys.json --signatures archive.signatures.json
    """
    form = of_files(files)
    if files is not None:
        keep_apart([target, *written_beside(target)], files)
        check_target(files)
    with _progress() as show:
        done = ct.copy(
            source,
            target,
            since=since,
            until=until,
            accounts=accounts,
            regions=regions,
            kinds=kinds,
            max_delay=max_delay,
            files=files is not None,
            storage_options=storage_options,
            progress=show,
        )
    if files is not None:
        save(batches(done.files_scan()), form, files, None)
    _failures(done)
    skipped = sum(done.skipped.values())
    parts = [f"{counted(done.copied, 'file')} copied, {size(done.bytes)}", f"{done.present:,} there already"]
    by_size = done.compared["size"]
    parts += [f"{by_size:,} of them compared by size alone"] if by_size else []
    parts += [f"{skipped:,} of other kinds"] if skipped else []
    parts += [f"{done.failed:,} failed"] if done.failed else []
    say("; ".join(parts), f"signatures in {done.signatures}")
    say(*(f"ctfast: {found}" for found in done.unmatched))
    if any(found.nothing and is_mistake(found) for found in done.unmatched):
        ctx.exit(_UNANSWERED)
    ctx.exit(int(done.failed > 0))


def _failures(done: ct.Copied) -> None:
    shown = done.bad.head(_MOST)
    say(*(f"{row['file']}: {row['message']}" for row in shown.iter_rows(named=True)))
    if more := done.failed - shown.height:
        say(f"and {more:,} more")


@contextmanager
def _progress() -> Iterator[Callable[[ct.CopyProgress], None] | None]:
    """Show files, bytes and the time that is left, on a terminal."""
    screen = Screen(stderr=True)
    if not screen.is_seen:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("listing", total=None)

        def show(now: ct.CopyProgress) -> None:
            bar.update(
                task, description=counted(now.files, "file", now.of_files), completed=now.bytes, total=now.of_bytes
            )

        yield show
