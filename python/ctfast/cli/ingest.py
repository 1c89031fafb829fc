"""The verb ``ingest``: an archive into a lake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import click

import ctfast as ct
from ctfast._integrity.verdict import verdict
from ctfast._lake.verdicts import PROVEN
from ctfast._later import pl
from ctfast._show.plain import counted
from ctfast._source.silence import is_mistake
from ctfast.cli import options
from ctfast.cli.lake import MOST, bad_files
from ctfast.cli.planned import tell
from ctfast.cli.rounds import Bar, keep_up
from ctfast.cli.screen import say

__all__ = ["ingest"]


@click.command()
@click.argument("archive", metavar="ARCHIVE")
@click.argument("lake", callback=options.lake, metavar="LAKE")
@options.taking
@options.signed(is_required=False)
@click.option("--no-raw", is_flag=True, help="Do not store the text of the records: the lake is smaller.")
@click.option(
    "--versions", is_flag=True, help="Store old versions of objects as well: what was replaced or deleted in a bucket."
)
@click.option(
    "--plan",
    is_flag=True,
    help="Only tell which files would be read, by month and account, which objects lie in archive classes of S3, and "
    "what restoring them costs.",
)
@click.option(
    "--restore",
    type=click.Choice(["bulk", "standard"]),
    help="Ask S3 to restore the objects that lie in its archive classes, for a week; a later run stores their records.",
)
@options.follow("store their records")
@click.pass_context
def ingest(
    ctx: click.Context,
    /,
    archive: str,
    lake: str,
    *,
    no_raw: bool,
    plan: bool,
    restore: Literal["bulk", "standard"] | None,
    follow: bool,
    interval: timedelta | None,
    **given: Any,
) -> None:
    """Store in LAKE what is in ARCHIVE and not stored yet, each event once.

    LAKE is a folder or s3://bucket/prefix, which becomes a Delta table. It may be called again at any time: files that
    the lake knows are not read again, and an interrupted run is continued.

    With --follow the run goes on: it looks again and again, and prints a line about each round. SIGTERM and Ctrl-C end
    it after the commit in hand (exit 143 and 130). A later round that fails, such as while a store is down, is named,
    and the next one tries again.

    An object in an archive class of S3 is read once it is restored: --plan tells what that takes, as rows and in
    sentences, and --restore asks for it.

    \b
    Exit code:
      0  all is well
      1  some files of the archive are bad, or have to be restored first, and what can be read is stored; or, with
         --keys, something speaks against the archive
      2  trouble

    \b
    Examples:
      ctfast ingest logs lake
      ctfast ingest s3://my-trail-bucket lake --since 2023-01-01
      ctfast ingest s3://my-trail-bucket s3://my-lake/trails
      ctfast ingest s3://my-trail-bucket lake --plan
      ctfast ingest s3://my-trail-bucket lake --follow --interval 5m
      ctfast ingest logs lake --keys keys.json --signatures signatures.json
    """
    wait = options.interval_of(interval, follow=follow)
    _refuse_two(plan=plan, restore=restore is not None, follow=follow)
    chosen = {name: value for name, value in given.items() if value is not None} | {"raw": not no_raw}
    signed = {name: chosen.pop(name) for name in ("keys", "signatures", "relocated_from") if name in chosen}
    for name in signed:
        _refuse_two(**{name.replace("_", "-"): True}, plan=plan, follow=follow)
    taken, bar = ct.Lake(lake, storage_options=chosen.get("storage_options")), Bar()
    if plan:
        planned = taken.plan(archive, **chosen)
        tell(planned)
        ctx.exit(int(planned.unlisted > 0))
    if follow:
        keep_up(taken, taken.follow(archive, interval=wait, progress=bar.show, **chosen), wait, bar)
        return
    with bar:
        done = taken.ingest(archive, restore=restore, progress=bar.show, **chosen, **signed)
    if any(found.nothing and is_mistake(found) for found in done.unmatched):
        say(*(f"ctfast: {found}" for found in done.unmatched))
        ctx.exit(2)
    _tell(taken, done)
    is_proven = done.verification is None or _tell_proof(taken, done, done.verification)
    is_bad = done.bad_files + done.known_bad + done.unlisted + done.archived + done.bad > 0
    ctx.exit(int(is_bad or not is_proven))


def _refuse_two(**given: bool) -> None:
    """Refuse two of the options that exclude each other."""
    first, *others = [name for name, is_given in given.items() if is_given] or [""]
    if others:
        message = f"--{first} and --{others[0]} are different runs: leave one out"
        raise ValueError(message)


def _tell(lake: ct.Lake, done: ct.Ingested) -> None:
    """Print what an ingest has added, and what it could not read."""
    say(*(f"ctfast: {found}" for found in done.unmatched))
    say(
        f"{counted(done.files, 'file')} read, {done.known:,} known already",
        f"{counted(done.read, 'record')}: {done.stored:,} stored, {done.duplicates:,} stored before, {done.bad:,} bad",
    )
    if done.differ:
        say(f"{counted(done.differ, 'record')} of an event that is stored with another content as well")
    if done.bad_files or done.known_bad:
        say(f"ctfast: bad in the archive: {counted(done.bad_files + done.known_bad, 'file')}")
        bad_files(lake)
    if done.unlisted:
        say(f"ctfast: files or folders of the archive that cannot be opened or listed: {done.unlisted:,}")
    if done.archived:
        asked = f"S3 was asked to restore {done.asked:,}" if done.asked else "--plan tells what that takes"
        say(f"ctfast: {counted(done.archived, 'object')} in an archive class of S3, to be restored first; {asked}")
    say(*map(str, done.errors[:MOST]))


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
    return found.ok and not (done.unproven and _is_outside(lake, found))


def _is_outside(lake: ct.Lake, found: ct.Verification) -> bool:
    """Whether a file that was compared now is none that the verification came to."""
    rows = lake.verdicts().filter(pl.col("verified") == pl.col("verified").max(), verdict="unlisted")
    return not rows.join(found.files_scan(), on="file", how="anti").head(1).collect().is_empty()
