"""The verb ``split-run``: splits written as Parquet files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import IO

import click

import ctfast as ct
from ctfast._arguments.parameters import THREADS
from ctfast._show.plain import counted
from ctfast._small_file import MOST
from ctfast.cli import options
from ctfast.cli.screen import findings, say

__all__ = ["split_run"]


@click.command("split-run")
@click.argument("splits", type=click.File("rb"), metavar="SPLITS")
@click.option(
    "-o",
    "--output",
    "target",
    callback=options.lake,
    required=True,
    metavar="FOLDER",
    help="Folder for the Parquet files, or s3://bucket/prefix of a lake; it may already hold those of other splits.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, THREADS),
    metavar="N",
    default=1,
    show_default=True,
    help="Workers. Run several processes rather than several threads.",
)
@options.storage
@click.pass_context
def split_run(
    ctx: click.Context, /, splits: IO[bytes], *, target: str, threads: int, storage_options: dict[str, str] | None
) -> None:
    """Write splits as Parquet files: SPLITS is a file with a line for each, from the verb splits, or - for stdin.

    The files are month=YYYY-MM/part-ID-N.parquet. For each split a line of JSON is printed when all its files are there
    durably: it names these files with their rows and statistics, and what became of each file that was read. A split
    that was written before is not read again, and gives the same line.

    \b
    Example:
      ctfast split-run splits.ndjson -o lake > messages.ndjson
    """
    code, rows = 0, 0
    written: set[str] = set()
    for split in _read(splits):
        report = ct.Report()
        message = split.write_parquet(target, threads=threads, report=report, storage_options=storage_options)
        sys.stdout.write(f"{message.json()}\n")
        sys.stdout.flush()
        code = max(code, findings(report) or _findings(message))
        if split.id not in written:
            written.add(split.id)
            rows += message.rows
    say(f"{counted(len(written), 'split')}: {counted(rows, 'row')} in {target}")
    ctx.exit(code)


def _findings(message: ct.SplitMessage) -> int:
    """Say what was bad when the split was written, before this run; return the exit code."""
    files = sum(row["outcome"] == "bad" for row in message.ledger)
    records = sum(row["records_bad"] for row in message.ledger)
    if not files and not records:
        return 0
    say(
        f"split {message.split} was written before, with {counted(files, 'bad file')} and "
        f"{counted(records, 'bad record')}: the ledger of its message has them"
    )
    return 1


def _read(lines: IO[bytes]) -> Iterator[ct.Split]:
    """Yield the splits of a file one by one; an error names the line that is not a split."""
    for number, line in enumerate(iter(lambda: lines.readline(MOST + 1), b""), 1):
        if len(line) > MOST:
            message = f"{lines.name}, line {number}: more than {MOST >> 20} MiB, which no split has"
            raise ValueError(message)
        if not line.strip():
            continue
        try:
            yield ct.Split.from_json(line.decode())
        except (ct.FormatError, UnicodeDecodeError) as error:
            reason = error.message if isinstance(error, ct.FormatError) else "no UTF-8"
            message = f"{lines.name}, line {number}: {reason}"
            raise ValueError(message) from None
