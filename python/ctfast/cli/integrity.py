"""The verbs about digests: ``verify``, and what fetches keys and signatures for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.text import Text

import ctfast as ct
from ctfast._apart import keep, keep_apart
from ctfast._later import pl
from ctfast._parameters import THREADS
from ctfast._plain import counted, plain
from ctfast._verdict import verdict as verdict_of
from ctfast._words import quoted
from ctfast.cli import options
from ctfast.cli.like_aws import like_aws as in_aws_words
from ctfast.cli.output import by_ending, check_target, opened, write
from ctfast.cli.output import chosen as by_name
from ctfast.cli.progress import steps
from ctfast.cli.screen import say, show, size

__all__ = ["fetch_keys", "fetch_signatures", "verify"]

#: Findings that are shown one by one.
_MOST = 50
_FORMS = ["text", "json", "ndjson", "parquet"]
_PAGES = {".html": "html", ".htm": "html"}
_ENDINGS = {".txt": "text", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
#: What is kept for a later run, which reads it as it is.
_SAVED = {".json": "json"}
_FINDINGS, _UNCHECKED = 1, 2


@click.command()
@options.archives
@click.option(
    "--keys", multiple=True, required=True, metavar="FILE", help="Public keys: JSON, PEM, DER or a folder. May be repeated."
)
@click.option("--signatures", metavar="FILE", help="Signatures that were saved from the metadata of the digest objects.")
@click.option(
    "--since",
    metavar="TIME",
    help="First delivery that must be covered: ISO 8601, UTC unless it says otherwise; or how long ago: 7d.",
)
@click.option("--until", metavar="TIME", help="Last delivery that must be covered.")
@options.repeated("--account", "accounts", "ID", "Only this account.")
@options.repeated("--region", "regions", "NAME", "Only this region.")
@options.repeated("--trail", "trails", "NAME", "Only this trail.")
@click.option(
    "--map", "maps", multiple=True, metavar="BUCKET=DIR", help="Folder of another bucket of the chains. May be repeated."
)
@click.option("--relocated-from", metavar="S3URL", help="What the archive was copied from: s3://bucket or s3://bucket/prefix.")
@options.storage
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    show_default="by the name of FILE; else text",
    help="Form of the result: text and json tell all, ndjson and parquet have one row per finding.",
)
@options.result("Write to this file, once all went well.")
@click.option("--html", callback=options.file_only, metavar="FILE", help="Also write a page with a calendar of all hours.")
@click.option("--like-aws", is_flag=True, help="Say it in the words of aws cloudtrail validate-logs.")
@click.option("--verbose", is_flag=True, help="With --like-aws: list valid files, too.")
@click.option(
    "--threads", type=click.IntRange(1, THREADS), metavar="N", show_default="one per processor; 64 for a bucket", help="Workers."
)
@click.pass_context
def verify(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    keys: tuple[str, ...],
    maps: tuple[str, ...],
    form: str | None,
    target: str | None,
    html: str | None,
    like_aws: bool,
    verbose: bool,
    **checking: Any,
) -> None:
    """Check an archive against the digests that CloudTrail signs.

    Offline, all accounts, regions and trails at once: whether a file was changed, removed or added in the time that digests
    cover, and which time that is. ARCHIVE is a folder that holds AWSLogs, or buckets that do, or s3://bucket/prefix/.

    \b
    Exit code:
      0  valid, and what was asked for is covered
      1  something speaks against the archive, or is uncovered
      2  nothing could be checked, or trouble

    \b
    Examples:
      ctfast verify archive --keys keys.json --signatures signatures.json --html report.html
      ctfast verify archive --keys keys.json --since 2025-03-01 --until 2025-04-01 --format ndjson
      ctfast verify archive --keys keys.json --like-aws
    """
    chosen = form
    form = by_name(form, target, "text", _ENDINGS)
    by_ending("html", html, _PAGES, "a name may have none")
    mapped = dict(_pair(text) for text in maps)
    if like_aws and (target or chosen):
        raise ValueError(
            "--like-aws prints what aws cloudtrail validate-logs does, to standard output: leave out --format and -o"
        )
    if verbose and not like_aws:
        raise ValueError("--verbose is for --like-aws; the other forms tell all")
    keep_apart([*archive, *mapped.values()], target, html)
    keep([*keys, *filter(None, [checking["signatures"], html])], target)
    keep([*keys, *filter(None, [checking["signatures"], target])], html)
    check_target(target)
    check_target(html)
    details = like_aws or form == "json"
    with _progress() as show:
        found = ct.verify(list(archive), keys=keys, map=mapped, details=details, progress=show, **checking)
    if html is not None:
        with opened(html) as file:
            file.write(found.html(title=", ".join(archive)).encode())
    if like_aws:
        in_aws_words(found, found.asked["since"], found.asked["until"], verbose=verbose)
    else:
        with opened(target) as file:
            _write(found, form, file)
    if not found.checked:
        blank = found.findings.filter(pl.col("reason") == "no-digests")
        say(*(f"ctfast: {_place(row)}{row['message']}" for row in blank.iter_rows(named=True)))
        say("Nothing was checked: there is no digest file to go by. An archive, or a time, without them proves nothing.")
        ctx.exit(_UNCHECKED)
    ctx.exit(0 if found.ok else _FINDINGS)


@click.command("fetch-keys")
@click.option("--region", "regions", multiple=True, required=True, metavar="NAME", help="Each has its own keys. May be repeated.")
@click.option("--since", required=True, metavar="TIME", help="First time that is to be verified.")
@click.option("--until", metavar="TIME", show_default="now", help="Last time that is to be verified.")
@click.option(
    "-o",
    "--output",
    "target",
    callback=options.file_only,
    required=True,
    metavar="FILE",
    help="File to keep them in; what it holds is not fetched again.",
)
def fetch_keys(regions: tuple[str, ...], *, since: str, until: str | None, target: str) -> None:
    """Fetch CloudTrail's public keys (needs ctfast[aws]).

    \b
    Example:
      ctfast fetch-keys --region eu-west-1 --region us-east-1 --since 2025-03-01 -o keys.json
    """
    _check_saved(target)
    found = ct.fetch_keys(regions, since=since, until=until, cache=target)
    say(f"{counted(len(found), 'key')} in {target}")


@click.command("fetch-signatures")
@click.argument("source", metavar="S3URL")
@options.result("File to write them to.", required=True)
def fetch_signatures(source: str, *, target: str | None) -> None:
    """Save the signatures of digest files, which a download loses (needs ctfast[aws]).

    \b
    Example:
      ctfast fetch-signatures s3://my-trail-bucket -o signatures.json
    """
    _check_saved(target)
    found = ct.fetch_signatures(source)
    with opened(target) as file:
        file.write(json.dumps(found, indent=1).encode() + b"\n")
    say(f"{counted(len(found), 'signature')} in {target or 'standard output'}")


def _check_saved(target: str | None) -> None:
    """Refuse a name that a later run would not read, and a file that could not be written, before anything is fetched."""
    by_ending("output", target, _SAVED, "a name may have none", compressions=())
    check_target(target)


def _place(row: dict[str, Any]) -> str:
    """Return the account and the region that a finding is about, where its sentence does not name what was asked for."""
    both = row["account"], row["region"]
    return f"{' '.join(both)}: " if all(both) else ""


def _pair(text: str) -> tuple[str, str]:
    bucket, equals, path = text.partition("=")
    if not (bucket and equals and path):
        message = f"--map is BUCKET=DIR, not {quoted(text)}"
        raise ValueError(message)
    return bucket, path


def _write(found: ct.Verification, form: str, file: Any) -> None:
    if form == "json":
        names = ("ranges", "keys", "digests", "missing", "logs", "unlisted", "findings", "coverage")
        tables = {name: getattr(found, name).write_json() for name in names}
        asked = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.asked.items()}
        facts = {"ok": found.ok, "checked": found.checked, "verdict": verdict_of(found), "asked": asked}
        parts = [f'"{name}":{json.dumps(fact)}' for name, fact in facts.items()]
        file.write(("{" + ",\n".join([*parts, *(f'"{name}":{text}' for name, text in tables.items())]) + "}\n").encode())
    elif form in ("ndjson", "parquet"):
        write([found.findings], form, file)
    else:
        show(file, lambda _room: (Text(plain(line)) for line in (*found.summary().splitlines(), *_told(found))))


def _told(found: ct.Verification) -> Iterator[str]:
    """The findings, errors first."""
    rows = found.findings.sort(pl.col("severity") != "error", maintain_order=True)
    if not rows.is_empty():
        yield ""
    for row in rows.head(_MOST).iter_rows(named=True):
        where = row["file"] or " ".join(row[name] for name in ("account", "region", "trail") if row[name])
        yield f"{row['severity']} {row['reason']}: {where}: {row['message']}"
    if rows.height > _MOST:
        yield f"and {rows.height - _MOST:,} more; --format ndjson lists all, --html shows them hour by hour"


@contextmanager
def _progress() -> Iterator[Any]:
    """Show how far it has come, on a terminal."""
    with steps("verifying", visible=sys.stderr.isatty() or sys.stdout.isatty()) as step:
        if step is None:
            yield None
            return

        def show(now: ct.Progress) -> None:
            parts = [counted(now.files, "file"), size(now.stored), counted(now.places, "place", now.of)]
            step(", ".join(parts), now.places, now.of)

        yield show
