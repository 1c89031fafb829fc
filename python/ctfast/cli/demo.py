"""The verb ``demo``: a sample archive, and a first look at it."""

from __future__ import annotations

from pathlib import Path

import click

from ctfast.cli import options
from ctfast.cli.screen import Screen

__all__ = ["demo"]


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    callback=options.file_only,
    metavar="DIR",
    help="Write the sample archive to this folder.",
    show_default="a new temporary one",
)
def demo(keep: str | None) -> None:
    """Make a small sample archive and follow its incident.

    \b
    Example:
      ctfast demo --keep sample
    """
    from ctfast import demo as first_look  # noqa: PLC0415  # imports what makes and signs the sample

    first_look.run(None if keep is None else Path(keep), Screen())
