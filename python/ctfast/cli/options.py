"""What the verbs that read an archive have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import click

import ctfast as ct
from ctfast._addresses import Source
from ctfast._apart import keep_apart
from ctfast._arguments import ON_ERROR
from ctfast._checks import new_path
from ctfast._names import KINDS
from ctfast._parameters import ROWS, THREADS
from ctfast._times import duration
from ctfast._words import quoted
from ctfast.cli.screen import say

__all__ = [
    "archives",
    "as_record",
    "checkpoint",
    "choosing",
    "columns",
    "dedupe",
    "file_only",
    "limit",
    "output",
    "reading",
    "reading_with",
    "repeated",
    "result",
    "sources",
    "storage",
]

#: What stands for a standard stream.
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
            # What stands there may be a secret.
            raise click.BadParameter("an option of a store has the form NAME=VALUE.")
    return {name: setting for name, _, setting in (value.partition("=") for value in values)} or None


storage = click.option(
    "--storage-option",
    "storage_options",
    callback=_settings,
    metavar="NAME=VALUE",
    multiple=True,
    help="How buckets are reached, such as profile=audit, endpoint_url=https://… or skip_signature=true; what is not given is "
    "taken from the environment. May be repeated.",
)


def choosing(function: _Function) -> _Function:
    """Add the options that choose files by their keys, and say how buckets are reached."""
    added = (
        click.option(
            "--since",
            metavar="TIME",
            help="First event time: ISO 8601, UTC unless it says otherwise; or how long ago: 7d, 24h, 2w.",
        ),
        click.option("--until", metavar="TIME", help="Event time to stop before, in the same forms."),
        repeated("--account", "accounts", "ID", "Only files of this account."),
        repeated("--region", "regions", "NAME", "Only files of this region."),
        repeated("--kind", "kinds", "NAME", f"Only files of this kind: {', '.join(KINDS[:-1])} or {KINDS[-1]}."),
        click.option(
            "--max-delay",
            callback=_delay,
            metavar="TIME",
            default="1d",
            show_default=True,
            help="With --until: how late events may have been delivered, such as 36h; none opens all later files too.",
        ),
        storage,
    )
    return _all(added)(function)


def reading(function: _Function) -> _Function:
    """Add the options that choose what to read, where a bad file ends the command."""
    return reading_with(ON_ERROR)(function)


def reading_with(on_error: str) -> Callable[[_Function], _Function]:
    """Add the options that choose what to read, with what is done at a bad file unless something else is asked for."""
    return _all(
        (
            choosing,
            click.option(
                "--from",
                "origin",
                type=click.Choice(list(_ORIGINS)),
                help="ARCHIVE is none, but names files: a list of keys, notifications as JSON lines, the manifest.json of an S3 "
                "Inventory, or the URL of an SQS queue. - is standard input.",
            ),
            click.option(
                "--on-error",
                type=click.Choice(["raise", "collect"]),
                default=on_error,
                show_default=True,
                help="At a bad file: stop (exit 2), or go on and list it at the end (exit 1).",
            ),
            click.option(
                "--threads", type=click.IntRange(1, THREADS), metavar="N", show_default="one per processor", help="Workers."
            ),
        )
    )


def file_only(_ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse for what is written ``-`` and all else that is no name of the local disk."""
    if str(value) == _STANDARD:
        raise click.BadParameter("- is standard output, and here a name on the disk is needed.")
    return None if value is None else new_path("a file or a folder")(str(param.name), value)


def _or_standard(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """None is standard output."""
    return None if value == _STANDARD else file_only(ctx, param, value)


def result(words: str, **more: Any) -> Callable[[_Function], _Function]:
    """Add the option that says where the result goes."""
    return click.option(
        "-o", "--output", "target", callback=_or_standard, metavar="FILE", help=f"{words} - is standard output.", **more
    )


def output(formats: Iterable[str], default: str) -> Callable[[_Function], _Function]:
    """Add the options that say in which form the result goes where."""
    added = (
        click.option("--format", "form", type=click.Choice(list(formats)), show_default=default, help="Form of the result."),
        result("Write to this file, once all went well."),
    )
    return _all(added)


def sources(archive: str | tuple[str, ...], origin: str | None, *written: str | None) -> Source:
    """Return what the arguments name, apart from what will be written; ``-`` stands for the lines of standard input."""
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
    """None at all means every one."""
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


def repeated(flag: str, name: str, metavar: str, words: str) -> Callable[[_Function], _Function]:
    """Add an option that may be given several times; without it, all are meant."""
    return click.option(flag, name, metavar=metavar, multiple=True, callback=_any, help=f"{words} May be repeated.")


def _all(options: tuple[Callable[[_Function], _Function], ...]) -> Callable[[_Function], _Function]:
    def add(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


archives = click.argument("archive", nargs=-1, required=True)
columns = click.option(
    "--columns",
    callback=_names,
    metavar="A,B,…",
    help="Columns of the result, in this order; fields of structs as userIdentity.arn. Fewer are faster.",
)
as_record = click.option(
    "--as",
    "as_record",
    type=click.Choice(["row", "record"]),
    callback=lambda _ctx, _param, unit: unit == "record",
    default="row",
    show_default=True,
    help="What the result is made of: rows of columns, or the records themselves, one in each line of ndjson, as they are in the "
    "files.",
)
checkpoint = click.option(
    "--checkpoint",
    callback=lambda ctx, param, path: None if path is None else ct.Checkpoint(file_only(ctx, param, path)),
    metavar="FILE",
    help="Read only files that no earlier run with this FILE has read, those that came late among them. With it, -o names a "
    "folder, and what is in it is never replaced: each run adds the parts that it has read.",
)
dedupe = click.option(
    "--dedupe",
    is_flag=True,
    help="Leave out records of events that came before and said the same, as two trails deliver them.",
)
limit = click.option(
    "--limit", type=click.IntRange(0, ROWS), metavar="N", show_default="all; 100 in a table", help="Rows at most."
)
