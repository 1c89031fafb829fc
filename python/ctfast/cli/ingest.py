"""The verb ``ingest``: an archive into a lake."""

from __future__ import annotations

from typing import Any

import click

import ctfast as ct
from ctfast._integrity.verdict import verdict
from ctfast._lake.verdicts import PROVEN
from ctfast._later import pl
from ctfast._show.plain import counted
from ctfast._source.silence import is_mistake
from ctfast.cli import options
from ctfast.cli.lake import MOST, bad_files
from ctfast.cli.progress import steps
from ctfast.cli.screen import say, size

__all__ = ["ingest"]


@click.command()
@click.argument("archive", metavar="ARCHIVE")
@click.argument("lake", callback=options.lake, metavar="LAKE")
@options.taking
@options.signed(is_required=False)
@click.option("--no-raw", is_flag=True, help="Do not store the text of the records: the lake is smaller.")
@click.pass_context
def ingest(ctx: click.Context, /, archive: str, lake: str, *, no_raw: bool, **given: Any) -> None:
    """Store in LAKE what is in ARCHIVE and not stored yet, each event once.

    LAKE is a folder or s3://bucket/prefix, which becomes a Delta table. It may be called again at any time: files that
    the lake knows are not read again, and an interrupted run is continued.

    \b
    Exit code:
      0  all is well
      1  some files of the archive are bad, and what can be read of them is stored; or, with --keys, something speaks
         against the archive
      2  trouble

    \b
    Examples:
      ctfast ingest logs lake
      ctfast ingest s3://my-trail-bucket lake --since 2023-01-01
      ctfast ingest s3://my-trail-bucket s3://my-lake/trails
      ctfast ingest logs lake --keys keys.json --signatures signatures.json
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    taken = ct.Lake(lake, storage_options=chosen.get("storage_options"))
    with steps("reading") as step:

        def show(now: ct.IngestProgress) -> None:
            if step is not None:
                step(_words(now), now.bytes, now.of_bytes)

        done = taken.ingest(archive, raw=not no_raw, progress=show, **chosen)
    say(*(f"ctfast: {found}" for found in done.unmatched))
    if any(found.nothing and is_mistake(found) for found in done.unmatched):
        ctx.exit(2)
    say(
        f"{counted(done.files, 'file')} read, {done.known:,} known already",
        f"{counted(done.read, 'record')}: {done.stored:,} stored, {done.duplicates:,} stored before, {done.bad:,} bad",
    )
    if done.differ:
        say(f"{counted(done.differ, 'record')} of an event that is stored with another content as well")
    if done.bad_files or done.known_bad:
        say(f"ctfast: bad in the archive: {counted(done.bad_files + done.known_bad, 'file')}")
        bad_files(taken)
    if done.unlisted:
        say(f"ctfast: files or folders of the archive that cannot be opened or listed: {done.unlisted:,}")
        say(*map(str, done.errors[:MOST]))
    is_proven = done.verification is None or _tell_proof(taken, done, done.verification)
    ctx.exit(int(done.bad_files + done.known_bad + done.unlisted + done.bad > 0 or not is_proven))


def _tell_proof(lake: ct.Lake, done: ct.Ingested, found: ct.Verification) -> bool:
    """Say what digests prove, and tell whether nothing speaks against the archive."""
    say(f"{counted(done.proven + done.unproven, 'file')} compared with digests: {done.proven:,} proven", verdict(found))
    if done.unproven:
        verdicts = (
            lake.verdicts().filter(pl.col("verdict") != PROVEN).group_by("verdict").len().sort("verdict").collect()
        )
        words = ", ".join(f"{number:,} {why}" for why, number in verdicts.iter_rows())
        say(f"ctfast: not proven in the lake: {words}; Lake.verdicts names them")
    errors = found.findings_scan().filter(severity="error").head(MOST + 1).collect()
    say(*(f"{row['reason']}: {row['file'] or ''}: {row['message']}" for row in errors.head(MOST).iter_rows(named=True)))
    if errors.height > MOST:
        say("and more: ctfast verify has all of them")
    return found.ok


def _words(now: ct.IngestProgress) -> str:
    """Return how far it is, how fast, and how long it will take."""
    parts = [counted(now.files, "file", now.of_files), size(now.bytes), counted(now.records, "record")]
    if now.seconds > 0 and now.bytes:
        left = now.seconds * (now.of_bytes - now.bytes) / now.bytes
        parts += [f"{now.records / now.seconds:,.0f} a second", f"{left:,.0f} s left"]
    return ", ".join(parts)
