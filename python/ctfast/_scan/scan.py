"""Archives to Polars: :func:`scan` and :func:`read`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Unpack

from ctfast import _ctfast
from ctfast._arguments.gate import Streaming, public
from ctfast._later import pl
from ctfast._ledger.report import Report
from ctfast._scan.options import COLUMNS, Options, ask
from ctfast._scan.pushdown import push_down
from ctfast._scan.run import Run, conclude, read_all
from ctfast._scan.slips import Slips
from ctfast._source.addresses import Source
from ctfast.exceptions import ConsumedError

__all__ = ["Turn", "batches", "lazily", "read", "scan"]


@public(options=Streaming)
def scan(source: Source, **options: Unpack[Streaming]) -> pl.LazyFrame:
    """Scan a CloudTrail archive lazily.

    Nothing is listed or read before the query runs, and then only the columns, rows and files that it needs.

    Parameters
    ----------
    source
        A file, a folder, a glob, several of these, or a source of keys: :class:`ctfast.Inventory`,
        :class:`ctfast.KeyList`, :class:`ctfast.Messages`, :class:`ctfast.Queue`. Files come in the order given, those
        of a folder in the order of their keys. In a folder, names that end in ``.json``, ``.jsonl``, ``.ndjson``,
        ``.log`` or ``.gz`` are read. A source ``s3://bucket/prefix/`` is a folder of a bucket, and
        ``s3://bucket/key.json.gz`` an object; in place of a bucket may stand an access point, such as
        ``arn:aws:s3:eu-west-1:111122223333:accesspoint/audit``.
    since, until
        Bounds on ``eventTime``: ``since <= eventTime < until``. A ``datetime``, a ``date`` or an ISO 8601 string, UTC
        if it has no zone; or a duration before the call, such as ``"7d"``, ``"24h"`` or ``"2w"``. A record without a
        valid ``eventTime`` is outside of any bounds.
    accounts, regions, kinds
        Read only files whose *keys* contain one of these; files whose names are not CloudTrail's are skipped. Kinds are
        the folders of the key grammar: ``CloudTrail``, ``CloudTrail-Insight``, ``CloudTrail-NetworkActivity``,
        ``CloudTrail-Aggregated``. By default all of them are read. Digest files are skipped.
    where
        Read only the records that meet this filter: :class:`EventSelectors`, :class:`FilterPattern`,
        :class:`EventPattern`, or several of them combined. It is evaluated on the records' own bytes, before any column
        is built.
    rules
        Read only the records that meet one of these filters, and add a last column ``rules`` with the names of those
        that they meet, as :func:`match` does.
    on_error
        ``"raise"``: the first bad file or record ends the query. ``"collect"``: it becomes a row of ``report.bad``; the
        records before the damage are kept.
    report
        Filled while the query runs.
    max_delay
        How late an event may be delivered. Files whose names are later than ``until`` by more than this and an hour are
        not opened; ``None`` opens them all. AWS delivers most events within minutes, but may take much longer after an
        outage.
    threads
        Workers; by default one per available processor.
    limits
        How far a file may inflate.
    progress
        Called with the report after every batch, on the thread that runs the query.
    verify
        Notes the hashes of the files while they are read, so that :attr:`Verifier.verification` need not read them
        again.
    verified
        Read only the log files that this verification found valid; the others are skipped as ``unverified``. To read
        all and mark the events, join :attr:`Verification.logs` on ``file``, as ``docs/integrity.md`` shows.
    checkpoint
        Read only the files that no earlier run with this checkpoint has read; the others are skipped as ``done``.
    dedupe
        Leave out duplicates of earlier records, such as events that two trails deliver: the first in the order of the
        files stays. Filters of the query see the rest. ``report.duplicates`` counts them; see ``docs/reading.md``. Not
        with a checkpoint.
    storage_options
        Options for buckets, with the names that object_store, Polars and obstore use, such as ``aws_region``,
        ``aws_endpoint_url``, ``aws_access_key_id``, ``aws_skip_signature`` or ``aws_request_payer``, with or without
        ``aws_``. Options that are not given are taken from the environment, as in the AWS CLI. ``max_retries`` is 9 by
        default.

    Returns
    -------
    polars.LazyFrame
        One row per record, with the columns of ``docs/columns.md``, whatever the data.

    Raises
    ------
    FileNotFoundError
        The source does not exist. Like the errors below, it is raised when the query runs.
    FormatError, SourceError
        With ``on_error="raise"``: a file is bad. A bucket that cannot be listed is a ``SourceError`` in any case.
    TypeError, ArgumentError
        An argument is impossible. Raised by the call itself.
    ValueError
        A storage option is unknown or cannot be used.

    Warns
    -----
    NothingChosen
        After the query: something was asked for, such as a region, and no file matches it.

    Examples
    --------
    >>> import ctfast as ct, polars as pl
    >>> (
    ...     ct.scan(archive)
    ...     .filter(pl.col("eventName").str.starts_with("Delete"))
    ...     .group_by("eventName")
    ...     .len()
    ...     .sort("eventName")
    ...     .collect()
    ... )
    shape: (7, 2)
    ┌───────────────────────────────┬─────┐
    │ eventName                     ┆ len │
    │ ---                           ┆ --- │
    │ str                           ┆ u32 │
    ╞═══════════════════════════════╪═════╡
    │ DeleteBucket                  ┆ 2   │
    │ DeleteBucketPolicy            ┆ 1   │
    │ DeleteBucketPublicAccessBlock ┆ 1   │
    │ DeleteDetector                ┆ 1   │
    │ DeleteLoginProfile            ┆ 1   │
    │ DeleteObject                  ┆ 6   │
    │ DeleteTrail                   ┆ 1   │
    └───────────────────────────────┴─────┘
    """
    return lazily(ask("scan", source, **options))


@public(options=Streaming)
def read(source: Source, **options: Unpack[Streaming]) -> pl.DataFrame:
    """Read a CloudTrail archive at once: ``scan(...).collect()``, with every column.

    Parameters
    ----------
    source, **options
        As for :func:`scan`.

    Returns
    -------
    polars.DataFrame
        One row per record.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.read(archive).width
    37
    """
    reading = ask("read", source, **options)
    frames = [pl.DataFrame(batch) for batch in batches(reading)]
    return pl.concat(frames, rechunk=False) if frames else pl.DataFrame(schema=_schema(reading))


def lazily(options: Options) -> pl.LazyFrame:
    """Return a frame that scans with these options when its query runs."""
    every = options.query.columns
    turn = Turn(options)

    def frames(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        turn.take()
        columns = every if with_columns is None else with_columns
        needed = columns
        pushed = None
        if predicate is not None:
            needed = list(dict.fromkeys([*columns, *predicate.meta.root_names()]))
            # With both a head and a predicate, Polars means the head of all rows: `head` came first in the query.
            # Duplicates are removed before the query sees the rows.
            pushed = push_down(predicate) if n_rows is None and not options.query.dedupe else None
        left = n_rows
        for batch in batches(options.asking(needed, pushed)):
            frame = pl.DataFrame(batch)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            if predicate is not None:
                # The whole predicate: Polars does not apply it again, and the core may only know a part of it.
                frame = frame.filter(predicate)
            yield frame.select(columns)
            if left is not None and left <= 0:
                return

    return pl.io.plugins.register_io_source(
        frames, schema=_schema(options), explain_name="CLOUDTRAIL", explain_detail=options.describe()
    )


class Turn:
    """Lets a query start again if the source names the same files again; a queue can be read only once."""

    def __init__(self, options: Options) -> None:
        # Only one thread can take the turn; unlike a lock, this can be pickled.
        self._turns = None if options.repeats() else ["the only one"]

    def take(self) -> None:
        """Start, or refuse to start again."""
        try:
            if self._turns is not None:
                self._turns.pop()
        except IndexError:
            message = (
                "a scan of a queue gives its rows once, and this query wants them again: begin another one, or read"
                " first"
            )
            raise ConsumedError(message) from None


def batches(
    options: Options, ledger: _ctfast.Ledger | None = None, *, hands_over: bool = True
) -> Generator[_ctfast.Batch]:
    """Run a scan. Its threads end with the iterator, however that ends; the ledger notes what became of each file.

    With ``hands_over=False``, for callers that use only the ledger, nothing counts as read.
    """
    if options.names_files():
        with Run(options, ledger, hands_over=hands_over) as run:
            for portion in run.portions():
                yield from run.read(portion)
                if hands_over:
                    run.done(portion)
        return
    report = options.report or Report()
    options.follow(report)
    seen, slips = _ctfast.Seen(), Slips(options)
    ledgers = options.ledgers(ledger)
    running = options.start(options.located(), seen=seen, duplicates=options.duplicates(), ledgers=ledgers)
    yield from read_all(running, options, report, slips)
    conclude(options, report, seen, slips)


def _schema(options: Options) -> pl.Schema:
    return pl.DataFrame(_ctfast.schema(COLUMNS, "polars", rules=options.rules is not None)).schema
