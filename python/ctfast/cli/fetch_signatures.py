"""The verb ``fetch-signatures``: the signatures of digest files, to be kept in a file."""

from __future__ import annotations

import json

import click

import ctfast as ct
from ctfast._show.plain import counted
from ctfast._state.numbered import numbered
from ctfast.cli import options
from ctfast.cli.output import check_saved, opened
from ctfast.cli.screen import say

__all__ = ["fetch_signatures"]


@click.command("fetch-signatures")
@click.argument("source", metavar="S3URL")
@options.result("File to write them to.", required=True)
def fetch_signatures(source: str, *, target: str | None) -> None:
    """Save the signatures of digest files, which a download loses (needs ctfast[aws]).

    \b
    Example:
      ctfast fetch-signatures s3://my-trail-bucket -o signatures.json
    """
    check_saved(target)
    found = ct.fetch_signatures(source)
    with opened(target) as file:
        file.write(json.dumps(numbered(found), indent=1).encode() + b"\n")
    say(f"{counted(len(found), 'signature')} in {target or 'standard output'}")
