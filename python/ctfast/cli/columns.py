"""The verb ``columns``: the columns of a scan."""

from __future__ import annotations

import click
from rich.table import Table

import ctfast as ct
from ctfast._scan.columns import markdown
from ctfast._show.tables import grid
from ctfast.cli import options
from ctfast.cli.formats import MARKDOWN, ROWS, TABLE
from ctfast.cli.output import chosen, opened
from ctfast.cli.screen import show

__all__ = ["columns"]

_FORMATS = (*ROWS, MARKDOWN, TABLE)


@click.command()
@options.output(_FORMATS, "by the name of FILE; else table")
def columns(form: str | None, target: str | None) -> None:
    """List the columns of every scan.

    A field of a struct is listed below its struct; elsewhere it is named by its path, such as userIdentity.arn.

    \b
    Example:
      ctfast columns
    """
    into = chosen(form, target, TABLE, _FORMATS)
    with opened(target) as file:
        if into is MARKDOWN:
            file.write(markdown().encode())
        elif into is TABLE:
            show(file, lambda _room: [_tree()])
        else:
            into.put([ct.columns()], file)


def _tree() -> Table:
    table = grid("Column", "Type", "Meaning")
    for path, kind, meaning in ct.columns().iter_rows():
        *parents, name = path.split(".")
        table.add_row("  " * len(parents) + name, kind, meaning)
    return table
