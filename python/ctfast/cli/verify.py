"""The verb ``verify``: check an archive against the digests that CloudTrail signs."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.text import Text

import ctfast as ct
from ctfast._arguments.parameters import THREADS
from ctfast._integrity.verdict import verdict as verdict_of
from ctfast._later import pl
from ctfast._show.plain import counted, plain
from ctfast._show.words import quoted
from ctfast._source.apart import keep, keep_apart
from ctfast.cli import options
from ctfast.cli.formats import HTML, JSON, NDJSON, PARQUET, TEXT, Format
from ctfast.cli.like_aws import like_aws as in_aws_words
from ctfast.cli.output import by_ending, check_target, chosen, of_files, opened
from ctfast.cli.progress import steps
from ctfast.cli.rows import batches, save
from ctfast.cli.screen import say, show, size

__all__ = ["verify"]

#: Findings that are shown one by one.
_MOST = 50
#: JSON is one document here, with all tables.
_FORMATS = (TEXT, JSON, NDJSON, PARQUET)
_FINDINGS, _UNCHECKED = 1, 2


@click.command()
@options.archives
@options.signed(is_required=True)
@click.option(
    "--since",
    metavar="TIME",
    help="First delivery time that must be covered: ISO 8601, UTC unless it has an offset; or how long ago: 7d.",
)
@click.option("--until", metavar="TIME", help="Last delivery time that must be covered.")
@options.repeated("--account", "accounts", "ID", "Only this account.")
@options.repeated("--region", "regions", "NAME", "Only this region.")
@options.repeated("--trail", "trails", "NAME", "Only this trail.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="BUCKET=DIR",
    help="Folder that holds another bucket of the digest chains. May be repeated.",
)
@options.storage
@options.form(
    _FORMATS,
    "Format of the result: text and json have all of it, ndjson and parquet have one row per finding.",
    show_default="by the name of FILE; else text",
)
@options.result("Write to this file, which appears once it is complete.")
@click.option(
    "--html", callback=options.file_only, metavar="FILE", help="Also write a page with a calendar of all hours."
)
@options.files("what became of each file, one row for each: valid, invalid, missing, unverified or unlisted, and why")
@click.option("--like-aws", is_flag=True, help="Print the result in the words of aws cloudtrail validate-logs.")
@click.option("--verbose", is_flag=True, help="With --like-aws: also list valid files.")
@click.option(
    "--threads",
    type=click.IntRange(1, THREADS),
    metavar="N",
    show_default="one per processor; 64 for a bucket",
    help="Workers.",
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
    files: str | None,
    like_aws: bool,
    verbose: bool,
    **checking: Any,
) -> None:
    """Check an archive against the digests that CloudTrail signs.

    Works offline, for all accounts, regions and trails at once: shows whether a file was changed, removed or added in
    the time that the digests cover, and which time that is. ARCHIVE is a folder that holds AWSLogs, or a folder of
    buckets that do, or s3://bucket/prefix/.

    \b
    Exit code:
      0  valid, and what was asked for is covered
      1  something in the archive is invalid, or time that was asked for is not covered
      2  nothing could be checked, or trouble

    \b
    Examples:
      ctfast verify archive --keys keys.json --signatures signatures.json --html report.html
      ctfast verify archive --keys keys.json --since 2025-03-01 --until 2025-04-01 --format ndjson
      ctfast verify archive --keys keys.json --files files.parquet
      ctfast verify archive --keys keys.json --like-aws
    """
    into = chosen(form, target, TEXT, _FORMATS)
    by_ending("html", html, [HTML], "a name may have none")
    files_form = of_files(files)
    mapped = dict(_pair(text) for text in maps)
    if like_aws and (target or form):
        raise ValueError(
            "--like-aws prints what aws cloudtrail validate-logs does, to standard output: leave out --format and -o"
        )
    if verbose and not like_aws:
        raise ValueError("--verbose is for --like-aws; the other forms tell all")
    written = (target, html, files)
    keep_apart([*archive, *mapped.values()], *written)
    keep([*keys, *filter(None, [checking["signatures"]])], *written)
    for one, other in itertools.combinations(filter(None, written), 2):
        keep([one], other)
    for path in written:
        check_target(path)
    details = like_aws or into is JSON or files is not None
    with _progress() as show:
        found = ct.verify(list(archive), keys=keys, map=mapped, details=details, progress=show, **checking)
    if files is not None:
        save(batches(found.files_scan()), files_form, files, None)
    if html is not None:
        with opened(html) as file:
            file.write(found.html(title=", ".join(archive)).encode())
    if like_aws:
        in_aws_words(found, found.asked["since"], found.asked["until"], verbose=verbose)
    else:
        with opened(target) as file:
            _write(found, into, file)
    if not found.checked:
        blank = found.findings.filter(pl.col("reason") == "no-digests")
        say(*(f"ctfast: {_place(row)}{row['message']}" for row in blank.iter_rows(named=True)))
        say(
            "Nothing was checked: there is no digest file to go by. An archive, or a time, without them proves nothing."
        )
        ctx.exit(_UNCHECKED)
    ctx.exit(0 if found.ok else _FINDINGS)


def _place(row: dict[str, Any]) -> str:
    """Return the account and region of a finding that has them, as a prefix for its sentence."""
    both = row["account"], row["region"]
    return f"{' '.join(both)}: " if all(both) else ""


def _pair(text: str) -> tuple[str, str]:
    bucket, equals, path = text.partition("=")
    if not (bucket and equals and path):
        message = f"--map is BUCKET=DIR, not {quoted(text)}"
        raise ValueError(message)
    return bucket, path


def _write(found: ct.Verification, form: Format, file: Any) -> None:
    if form is JSON:
        names = ("ranges", "keys", "digests", "missing", "logs", "unlisted", "findings", "coverage")
        tables = {name: getattr(found, name).write_json() for name in names}
        asked = {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.asked.items()
        }
        facts = {"ok": found.ok, "checked": found.checked, "verdict": verdict_of(found), "asked": asked}
        parts = [f'"{name}":{json.dumps(fact)}' for name, fact in facts.items()]
        file.write(
            ("{" + ",\n".join([*parts, *(f'"{name}":{text}' for name, text in tables.items())]) + "}\n").encode()
        )
    elif form.write is not None:
        form.put(batches(found.findings_scan()), file)
    else:
        show(file, lambda _room: (Text(plain(line)) for line in (*found.summary().splitlines(), *_findings(found))))


def _findings(found: ct.Verification) -> Iterator[str]:
    """Yield the findings as lines, errors first."""
    total = found.errors + found.notes
    if total:
        yield ""
    some = [found.findings_scan().filter(severity=weight).head(_MOST).collect() for weight in ("error", "note")]
    for row in pl.concat(some).head(_MOST).iter_rows(named=True):
        where = row["file"] or " ".join(row[name] for name in ("account", "region", "trail") if row[name])
        yield f"{row['severity']} {row['reason']}: {where}: {row['message']}"
    if total > _MOST:
        yield f"and {total - _MOST:,} more; --format ndjson lists all, --html shows them hour by hour"


@contextmanager
def _progress() -> Iterator[Any]:
    """Show the progress on a terminal."""
    with steps("verifying", visible=sys.stderr.isatty() or sys.stdout.isatty()) as step:
        if step is None:
            yield None
            return

        def show(now: ct.Progress) -> None:
            parts = [counted(now.files, "file"), size(now.stored), counted(now.places, "place", now.of)]
            step(", ".join(parts), now.places, now.of)

        yield show
