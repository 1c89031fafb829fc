"""What became of each file: :func:`files`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Unpack

from ctfast import _ctfast
from ctfast._arguments.gate import Reading, public
from ctfast._later import pl
from ctfast._ledger.rows import lazily, taken
from ctfast._scan.options import Options, ask
from ctfast._scan.scan import Turn, batches
from ctfast._source.addresses import Source

__all__ = ["files", "pages"]


@public(options=Reading, on_error="collect")
def files(source: Source, *, sha256: bool = False, **options: Unpack[Reading]) -> pl.LazyFrame:
    """Report what becomes of each file of a CloudTrail archive: whether it is read, bad or skipped, and why.

    The files are read like those of :func:`scan`, when the query runs, with a bounded number of rows in memory. A scan
    with ``report=ctfast.Report(files=True)`` gives the same rows without a second pass: :meth:`Report.files_scan`.
    Records are not handed over, so nothing counts as read for a checkpoint or a queue.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`, except that bad files are rows, and end the query only with ``on_error="raise"``.
    sha256
        Add the SHA-256 of the stored bytes of each file, in hexadecimal.

    Returns
    -------
    polars.LazyFrame
        One row for each file, in the order of the scan: ``file``, ``size`` and ``etag`` as listed, ``outcome``,
        ``reason`` and ``byte``, ``records_read``, ``records_bad``, ``records_skipped``, ``records_duplicate``,
        ``sha256``.

        ``outcome`` is ``read``, ``bad`` or ``skipped``; or ``pruned``: a folder that was not listed, since none of its
        files are asked for. ``reason`` is the kind of damage, as in ``report.bad``, or why it was skipped, as in
        ``report.skipped``. The records of all rows add up to ``report.records``; ``records_duplicate`` is null without
        ``dedupe``, and with it a part of the skipped ones. ``sha256`` is null unless it was asked for and all of the
        file could be read.

    Examples
    --------
    >>> import ctfast as ct, polars as pl
    >>> rows = ct.files(archive, until="2025-03-12T06:00")
    >>> rows.filter(pl.col("outcome") != "read").select("outcome", "reason").unique().collect().rows()
    [('pruned', 'digest')]
    """
    reading = ask("files", source, **options)
    turn = Turn(reading)

    def rows() -> Iterator[pl.DataFrame]:
        turn.take()
        return pages(reading, sha256=sha256)

    return lazily(rows, reading.describe())


def pages(options: Options, *, sha256: bool) -> Generator[pl.DataFrame]:
    """Yield the rows of the files as they come, and drop their records; the threads end with the generator."""
    ledger = _ctfast.Ledger(sha256)
    with closing(batches(options.asking([]), ledger, hands_over=False)) as records:
        for _ in records:
            yield from taken(ledger)
    yield from taken(ledger)
