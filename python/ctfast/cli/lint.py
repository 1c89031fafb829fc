"""The verb ``lint``: what AWS would refuse in filters, and what does something else than it seems to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text

import ctfast as ct
from ctfast._filter.documents import NOTHING
from ctfast._later import pl
from ctfast._show.plain import counted, plain
from ctfast.cli import options
from ctfast.cli.conditions import DOCUMENT
from ctfast.cli.formats import FORMATS, JSON, TEXT
from ctfast.cli.output import opened
from ctfast.cli.screen import say, show

__all__ = ["lint"]

#: Stands for the name of the file in a finding about text that was given directly.
_JSON = "JSON"
_NOTHING_CHECKED = 2
_STYLES = {"error": "bold red", "warning": "yellow"}


@click.command()
@click.argument("files", nargs=-1, required=True, type=DOCUMENT)
@options.form((TEXT, JSON), "Format of the findings.", default=TEXT.name, show_default=True)
@click.pass_context
def lint(ctx: click.Context, files: tuple[Path | str, ...], *, form: str) -> None:
    """Check filters for what AWS would refuse, and for what does something else than it seems to.

    FILES are files or folders with event selectors, event patterns, CloudWatch Logs filter patterns (*.filter), input
    or output of the AWS CLI, or CloudFormation templates.

    \b
    Exit code:
      0  nothing was found that AWS would refuse
      1  AWS would refuse something
      2  there is no filter at all, or trouble

    \b
    Example:
      ctfast lint selectors.json rules/
    """
    found = ct.lint(*files)
    errors = found.filter(pl.col("severity") == "error").height
    if FORMATS[form] is JSON:
        with opened(None) as file:
            JSON.put([found], file)
    else:
        with opened(None) as file:
            show(file, lambda _room: map(_line, found.iter_rows(named=True)), soft_wrap=True)
        say(f"{counted(errors, 'error')}, {counted(found.height - errors, 'warning')}")
    # Each file without a filter has exactly one finding with this code.
    if found.filter(pl.col("code") == NOTHING).height == len(files):
        ctx.exit(_NOTHING_CHECKED)
    ctx.exit(int(errors > 0))


def _line(row: dict[str, Any]) -> Text:
    """Return a finding in the format of compiler messages."""
    position = "" if row["line"] is None else f":{row['line']}:{row['column']}"
    where = "".join(
        f"{plain(part)}: " for part in (f"{row['file'] or _JSON}{position}", row["rule"], row["path"]) if part
    )
    return Text.assemble(
        where, (row["severity"], _STYLES[row["severity"]]), f": {plain(row['message'])} [{row['code']}]"
    )
