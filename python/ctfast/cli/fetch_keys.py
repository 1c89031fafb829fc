"""The verb ``fetch-keys``: CloudTrail's public keys, to be kept in a file."""

from __future__ import annotations

import click

import ctfast as ct
from ctfast._show.plain import counted
from ctfast.cli import options
from ctfast.cli.output import check_saved
from ctfast.cli.screen import say

__all__ = ["fetch_keys"]


@click.command("fetch-keys")
@click.option(
    "--region",
    "regions",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Each region has its own keys. May be repeated.",
)
@click.option("--since", required=True, metavar="TIME", help="Start of the time to be verified.")
@click.option("--until", metavar="TIME", show_default="now", help="End of the time to be verified.")
@click.option(
    "-o",
    "--output",
    "target",
    callback=options.file_only,
    required=True,
    metavar="FILE",
    help="File to keep the keys in; what it holds already is not fetched again.",
)
def fetch_keys(regions: tuple[str, ...], *, since: str, until: str | None, target: str) -> None:
    """Fetch CloudTrail's public keys (needs ctfast[aws]).

    \b
    Example:
      ctfast fetch-keys --region eu-west-1 --region us-east-1 --since 2025-03-01 -o keys.json
    """
    check_saved(target)
    found = ct.fetch_keys(regions, since=since, until=until, cache=target)
    say(f"{counted(len(found), 'key')} in {target}")
