"""What the verbs that read an archive have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import click

import ctfast as ct
from ctfast._arguments.checks import new_path
from ctfast._arguments.gate import ON_ERROR
from ctfast._arguments.names import KINDS
from ctfast._arguments.parameters import ROWS, THREADS, check_of
from ctfast._arguments.times import duration
from ctfast._scan.follow import INTERVAL
from ctfast._show.words import quoted
from ctfast._source.addresses import Source, is_address
from ctfast._source.apart import keep_apart
from ctfast.cli.conditions import where
from ctfast.cli.formats import Format
from ctfast.cli.screen import say

__all__ = [
    "archives",
    "checkpoint",
    "choosing",
    "columns",
    "dedupe",
    "file_only",
    "files",
    "follow",
    "form",
    "interval_of",
    "lake",
    "limit",
    "output",
    "planning",
    "reading",
    "reading_with",
    "repeated",
    "result",
    "signed",
    "sources",
    "storage",
    "taking",
    "threads",
    "units",
]

#: Stands for standard input or output.
_STANDARD = "-"
_Function = TypeVar("_Function", bound=Callable[..., Any])
_ORIGINS: dict[str, Callable[[str], Source]] = {
    "keys": ct.KeyList,
    "messages": ct.Messages,
    "inventory": ct.Inventory,
    "queue": ct.Queue,
}


def _settings(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str] | None:
    for value in values:
        if "=" not in value:
            # The value is not quoted: it may be a secret.
            raise click.BadParameter("an option of a store has the form NAME=VALUE.")
    return {name: setting for name, _, setting in (value.partition("=") for value in values)} or None


storage = click.option(
    "--storage-option",
    "storage_options",
    callback=_settings,
    metavar="NAME=VALUE",
    multiple=True,
    help="How buckets are accessed, such as profile=audit, endpoint_url=https://… or skip_signature=true; settings "
    "that are not given are taken from the environment. May be repeated.",
)


threads = click.option(
    "--threads", type=click.IntRange(1, THREADS), metavar="N", show_default="one per processor", help="Workers."
)


def choosing(function: _Function) -> _Function:
    """Add the options that choose files by their keys, and say how buckets are accessed."""
    added = (
        click.option(
            "--since",
            metavar="TIME",
            help="First event time: ISO 8601, UTC unless it has an offset; or how long ago: 7d, 24h, 2w.",
        ),
        click.option("--until", metavar="TIME", help="Event time to stop before (exclusive), in the same formats."),
        repeated("--account", "accounts", "ID", "Only files of this account."),
        repeated("--region", "regions", "NAME", "Only files of this region."),
        repeated("--kind", "kinds", "NAME", f"Only files of this kind: {', '.join(KINDS[:-1])} or {KINDS[-1]}."),
        click.option(
            "--max-delay",
            callback=_delay,
            metavar="TIME",
            default="1d",
            show_default=True,
            help="With --until: how late events may have been delivered, such as 36h; none also opens all later files.",
        ),
        storage,
    )
    return _all(added)(function)


def reading(function: _Function) -> _Function:
    """Add the options that choose what to read; a bad file ends the command by default."""
    return reading_with(ON_ERROR)(function)


def _choosing_records(on_error: str) -> Callable[[_Function], _Function]:
    """Add the options that choose files and records, and say what happens at a bad file."""
    return _all(
        (
            choosing,
            where,
            click.option(
                "--from",
                "origin",
                type=click.Choice(list(_ORIGINS)),
                help="ARCHIVE is not an archive but names files: it is a list of keys, notifications as JSON lines, "
                "the manifest.json of an S3 Inventory, or the URL of an SQS queue. - is standard input.",
            ),
            click.option(
                "--on-error",
                type=click.Choice(["raise", "collect"]),
                default=on_error,
                show_default=True,
                help="At a bad file: stop (exit 2), or go on and list it at the end (exit 1).",
            ),
        )
    )


def taking(function: _Function) -> _Function:
    """Add the options that choose what a lake takes in."""
    return _all((choosing, where, threads))(function)


def signed(*, is_required: bool) -> Callable[[_Function], _Function]:
    """Add the options that say by what digests are verified."""
    words = "Signatures that were saved from the metadata of the digest objects."
    return _all(
        (
            click.option(
                "--keys",
                multiple=True,
                required=is_required,
                callback=_any,
                metavar="FILE",
                help="Public keys: JSON, PEM, DER or a folder. May be repeated."
                + (
                    ""
                    if is_required
                    else " With them, digests are verified, and the lake knows which files are proven."
                ),
            ),
            click.option("--signatures", metavar="FILE", help=words),
            click.option(
                "--relocated-from",
                metavar="S3URL",
                help="Where the archive was copied from: s3://bucket or s3://bucket/prefix.",
            ),
        )
    )


def planning(function: _Function) -> _Function:
    """Add the options that choose what other processes will read."""
    return _choosing_records(ON_ERROR)(function)


def reading_with(on_error: str) -> Callable[[_Function], _Function]:
    """Add the options that choose what to read, with this default of ``--on-error``."""
    return _all((_choosing_records(on_error), threads))


def file_only(_ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse ``-``, and all else that is not a path on the local disk, for an output file."""
    if str(value) == _STANDARD:
        raise click.BadParameter("- is standard output, and here a name on the disk is needed.")
    return None if value is None else new_path("a file or a folder")(str(param.name), value)


def lake(_ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse what is neither a folder nor an address ``s3://bucket/prefix``."""
    if is_address(str(value)):
        return check_of("Lake", "path")(str(param.name), value)
    return file_only(_ctx, param, value)


def _or_standard(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return the path of an output file, or None for standard output."""
    return None if value == _STANDARD else file_only(ctx, param, value)


def result(words: str, **more: Any) -> Callable[[_Function], _Function]:
    """Add the option that says where the result goes."""
    return click.option(
        "-o", "--output", "target", callback=_or_standard, metavar="FILE", help=f"{words} - is standard output.", **more
    )


def files(what: str) -> Callable[[_Function], _Function]:
    """Add the option that says where the rows of a ledger go."""
    words = f"Write to this file {what}. The suffix of FILE decides the format; without one it is ndjson."
    return click.option("--files", callback=file_only, metavar="FILE", help=words)


def form(
    formats: Iterable[Format], words: str = "Format of the result.", **more: Any
) -> Callable[[_Function], _Function]:
    """Add the option that chooses the format of the result."""
    return click.option(
        "-f", "--format", "form", type=click.Choice([each.name for each in formats]), help=words, **more
    )


def output(formats: Iterable[Format], default: str) -> Callable[[_Function], _Function]:
    """Add the options that choose the format of the result and its file."""
    return _all((form(formats, show_default=default), result("Write to this file, which appears once it is complete.")))


def sources(archive: str | tuple[str, ...], origin: str | None, *written: str | None) -> Source:
    """Return the sources that the arguments name; ``-`` stands for the lines of standard input.

    Sources that overlap with the files to be written are refused.
    """
    names: list[str] = []
    for name in [archive] if isinstance(archive, str) else archive:
        if name == _STANDARD and origin is None:
            lines = sys.stdin.buffer.read().splitlines()
            given = [os.fsdecode(line) for line in lines if line]
            if not given and not isinstance(archive, str) and len(archive) > 1:
                say("ctfast: there is no name in standard input")
            names.extend(given)
        else:
            names.append(name)
    keep_apart(names, *written)
    if origin is None:
        return names
    if len(names) != 1:
        message = f"--from {origin} takes one ARCHIVE, not {len(names)}"
        raise ValueError(message)
    return _ORIGINS[origin](names[0])


def _any(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return None if the option was not given: all are meant."""
    return values or None


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [name.strip() for name in value.split(",")]


def _delay(_ctx: click.Context, _param: click.Parameter, value: str) -> timedelta | None:
    if value == "none":
        return None
    found = duration(value)
    if found is None:
        message = f"{quoted(value)} is neither a number with s, m, h, d or w, such as 36h, nor none."
        raise click.BadParameter(message)
    return found


def _interval(_ctx: click.Context, _param: click.Parameter, value: str | None) -> timedelta | None:
    found = None if value is None else duration(value)
    if value is not None and found is None:
        message = f"{quoted(value)} is not a number with s, m, h, d or w, such as 60s."
        raise click.BadParameter(message)
    return None if found is None else check_of("EventStream.units", "interval")("interval", found)


def repeated(flag: str, name: str, metavar: str, words: str) -> Callable[[_Function], _Function]:
    """Add an option that may be given several times; without it, nothing is left out."""
    return click.option(flag, name, metavar=metavar, multiple=True, callback=_any, help=f"{words} May be repeated.")


def _all(options: tuple[Callable[[_Function], _Function], ...]) -> Callable[[_Function], _Function]:
    def add(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def follow(words: str) -> Callable[[_Function], _Function]:
    """Add the options that keep a command running; the words say what happens to what is new."""
    again = f"Keep running when all files are read: look for new files again and again, and {words}, until SIGTERM or "
    wait = "With --follow: how long to wait after each look, such as 5m."
    return _all(
        (
            click.option("--follow", is_flag=True, help=f"{again}Ctrl-C."),
            click.option("--interval", callback=_interval, metavar="TIME", show_default="60s", help=wait),
        )
    )


def interval_of(interval: timedelta | None, *, follow: bool) -> timedelta:
    """Return how long to wait after each look; refuse a time to wait without looks."""
    if interval is not None and not follow:
        message = "--interval is the time between two looks for new files: add --follow"
        raise ValueError(message)
    return interval or INTERVAL


archives = click.argument("archive", nargs=-1, required=True)
columns = click.option(
    "--columns",
    callback=_names,
    metavar="A,B,…",
    help="Columns of the result, in this order; fields of structs as userIdentity.arn. Fewer columns are faster.",
)


def units(*others: str) -> Callable[[Any], Any]:
    """Return the option that names what a result consists of: rows, or one of the others."""
    said = {
        "record": "the records themselves as they are in the files: one in each line of ndjson, or all in one array of "
        "json",
        "ocsf": "events in the form of OCSF 1.5.0, as ndjson, json or parquet",
    }
    return click.option(
        "--as",
        "unit",
        type=click.Choice(["row", *others]),
        default="row",
        show_default=True,
        help=f"What the result consists of: rows of columns, or {'; or '.join(said[each] for each in others)}.",
    )


checkpoint = click.option(
    "--checkpoint",
    callback=lambda ctx, param, path: None if path is None else ct.Checkpoint(file_only(ctx, param, path)),
    metavar="FILE",
    help="Read only files that no earlier run with this FILE has read, including those that came late. With it, -o "
    "names a folder, and what is in it is never replaced: each run adds the parts that it has read.",
)
dedupe = click.option(
    "--dedupe",
    is_flag=True,
    help="Leave out duplicates: records of an event that came before with the same content, as two trails deliver "
    "them.",
)
limit = click.option(
    "--limit", type=click.IntRange(0, ROWS), metavar="N", show_default="all; 100 in a table", help="Rows at most."
)
