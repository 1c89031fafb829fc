"""What became of each file: :func:`files`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Unpack

from ctfast import _ctfast
from ctfast._addresses import Source
from ctfast._arguments import Reading, public
from ctfast._later import pl
from ctfast._ledger import lazily, taken
from ctfast._scan import Turn, batches
from ctfast._source import Options

__all__ = ["files", "pages"]


@public(options=Reading, on_error="collect")
def files(source: Source, *, sha256: bool = False, **options: Unpack[Reading]) -> pl.LazyFrame:
    """Tell what becomes of each file of a CloudTrail archive: whether it is read, bad or skipped, and why.

    The files are read as :func:`scan` reads them when the query runs, which holds a bounded number of rows. A scan that has a
    ``report=ctfast.Report(files=True)`` gives the same rows without a second pass: :meth:`Report.files_scan`.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`; but bad files are rows, and end the query only with ``on_error="raise"``.
    sha256
        Tell the SHA-256 of the bytes of each file as they are stored, in hexadecimal digits.

    Returns
    -------
    polars.LazyFrame
        One row for each file, in the order of the scan: ``file``, ``size`` and ``etag`` as listed, ``outcome``, ``reason`` and
        ``byte``, ``records_read``, ``records_bad``, ``records_skipped``, ``records_duplicate``, ``sha256``.

        ``outcome`` is ``read``, ``bad`` or ``skipped``; or ``pruned``: a folder whose files were not listed, since none of
        them is asked for. ``reason`` is the kind of what is bad, as in ``report.bad``, or why it was skipped, as in
        ``report.skipped``. The records of all rows are ``report.records``; ``records_duplicate`` is null without ``dedupe``, and
        with it a part of those that were skipped. ``sha256`` is null unless it was asked for and all of the file could be read.

    Examples
    --------
    >>> import ctfast as ct, polars as pl
    >>> rows = ct.files(archive, until="2025-03-12T06:00")
    >>> rows.filter(pl.col("outcome") != "read").select("outcome", "reason").unique().collect().rows()
    [('pruned', 'digest')]
    """
    reading = Options(function="files", source=source, **options)
    turn = Turn(reading)

    def rows() -> Iterator[pl.DataFrame]:
        turn.take()
        return pages(reading, sha256=sha256)

    return lazily(rows, reading.describe())


def pages(options: Options, *, sha256: bool) -> Generator[pl.DataFrame]:
    """Yield the rows of the files as they come, and drop their records; the threads end with the generator."""
    ledger = _ctfast.Ledger(sha256)
    with closing(batches(options, [], ledger=ledger)) as records:
        for _ in records:
            yield from taken(ledger)
    yield from taken(ledger)
