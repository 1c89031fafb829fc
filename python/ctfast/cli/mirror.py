"""The verb ``copy``: an archive from a bucket to a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import click
import polars as pl
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

import ctfast as ct
from ctfast._plain import counted
from ctfast._silence import is_mistake
from ctfast.cli import options
from ctfast.cli.screen import Screen, say, size

__all__ = ["copy"]

_UNANSWERED = 2
#: Objects that are named one by one.
_MOST = 20


@click.command()
@click.argument("source", metavar="S3URL")
@click.argument("target", callback=options.file_only, metavar="DIR")
@options.choosing
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
    storage_options: dict[str, str],
) -> None:
    """Copy an archive from a bucket to DIR, to be verified there offline.

    Digest files come along, and their signatures, which a plain download loses: they are written to DIR.signatures.json. Called
    again, it goes on where it stopped, and fetches again what is there with another content.

    \b
    Exit code:
      0  all that was asked for is there
      1  some objects could not be copied
      2  trouble

    \b
    Examples:
      ctfast copy s3://my-trail-bucket archive --since 2025-03-01
      ctfast verify archive --keys keys.json --signatures archive.signatures.json
    """
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
            storage_options=storage_options,
            progress=show,
        )
    _failures(done.bad)
    skipped = sum(done.skipped.values())
    parts = [f"{counted(done.copied, 'file')} copied, {size(done.bytes)}", f"{done.present:,} there already"]
    by_size = done.compared["size"]
    parts += [f"{by_size:,} of them compared by size alone"] if by_size else []
    parts += [f"{skipped:,} of other kinds"] if skipped else []
    parts += [f"{done.bad.height:,} failed"] if done.bad.height else []
    say("; ".join(parts), f"signatures in {done.signatures}")
    say(*(f"ctfast: {found}" for found in done.unmatched))
    if any(found.nothing and is_mistake(found) for found in done.unmatched):
        ctx.exit(_UNANSWERED)
    ctx.exit(int(not done.bad.is_empty()))


def _failures(bad: pl.DataFrame) -> None:
    say(*(f"{row['file']}: {row['message']}" for row in bad.head(_MOST).iter_rows(named=True)))
    if bad.height > _MOST:
        say(f"and {bad.height - _MOST:,} more")


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
            bar.update(task, description=counted(now.files, "file", now.of_files), completed=now.bytes, total=now.of_bytes)

        yield show
