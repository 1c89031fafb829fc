"""Archives to Polars: :func:`scan`, :func:`read` and :func:`sql`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Unpack

from ctfast import _ctfast
from ctfast._addresses import Source
from ctfast._arguments import Reading, public
from ctfast._later import pl
from ctfast._pushdown import push_down
from ctfast._report import Report
from ctfast._run import Run, conclude, read_all
from ctfast._slips import Slips
from ctfast._source import COLUMNS, RULES, Options
from ctfast._sql import TABLE, check, named
from ctfast.exceptions import ConsumedError

__all__ = ["Turn", "batches", "lazily", "read", "scan", "sql"]


@public(options=Reading)
def scan(source: Source, **options: Unpack[Reading]) -> pl.LazyFrame:
    """Scan a CloudTrail archive lazily.

    Nothing is listed or read before the query runs, and then only what it needs: the columns, rows and files that it asks for.

    Parameters
    ----------
    source
        A file, a folder, a glob, several of these, or a source of keys: :class:`ctfast.Inventory`, :class:`ctfast.KeyList`,
        :class:`ctfast.Messages`, :class:`ctfast.Queue`. Files come in the order given, those of a folder in the order of their
        keys. In a folder, names that end in ``.json``, ``.jsonl``, ``.ndjson``, ``.log`` or ``.gz`` are read. A source
        ``s3://bucket/prefix/`` is a folder of a bucket, and ``s3://bucket/key.json.gz`` an object; in place of a bucket may stand
        an access point, such as ``arn:aws:s3:eu-west-1:111122223333:accesspoint/audit``.
    since, until
        Bounds on ``eventTime``: ``since <= eventTime < until``. A ``datetime``, a ``date`` or ISO 8601 text, without a zone
        UTC; or how long before the call, such as ``"7d"``, ``"24h"`` or ``"2w"``. A record without a valid ``eventTime`` lies
        within no bounds.
    accounts, regions, kinds
        Read only the files whose *keys* carry one of these; a file whose name tells nothing is skipped. Kinds are the folders
        of the key grammar: ``CloudTrail``, ``CloudTrail-Insight``, ``CloudTrail-NetworkActivity``, ``CloudTrail-Aggregated``.
        By default all of them are read. Digest files are skipped.
    where
        Read only the records that meet this filter: :class:`EventSelectors`, :class:`FilterPattern`, :class:`EventPattern`, or
        several of them combined. It is evaluated on the records' own bytes, before any column is built.
    on_error
        ``"raise"``: the first bad file or record ends the query. ``"collect"``: it becomes a row of ``report.bad``; the
        records before the damage are kept.
    report
        Filled while the query runs.
    max_delay
        How late an event may have been delivered. Files whose names are later than ``until`` by more than this and an hour are
        not opened; ``None`` opens them all. AWS delivers most events within minutes, but may take much longer after an outage.
    threads
        Workers; by default one per available processor.
    limits
        What a file may inflate to.
    progress
        Called with the report after every batch, on the thread that runs the query.
    verify
        Notes the hashes of the files while they are read, so that :attr:`Verifier.verification` need not read them again.
    verified
        Read only the log files that this verification found valid; the others are skipped as ``unverified``. To read all and mark
        the events, join :attr:`Verification.logs` on ``file``, as ``docs/integrity.md`` shows.
    checkpoint
        Read only the files that no earlier run with this checkpoint has read; the others are skipped as ``done``.
    dedupe
        Leave out records of events that came before and said the same, as two trails deliver them: the first in the order of the
        files stays. Filters of the query see what is left. ``report.duplicates`` counts them; see ``docs/reading.md``. Not with
        a checkpoint.
    storage_options
        How buckets are reached, by the names that object_store, Polars and obstore give these options, such as ``aws_region``,
        ``aws_endpoint_url``, ``aws_access_key_id``, ``aws_skip_signature`` or ``aws_request_payer``, with or without ``aws_``;
        what is not given is taken from the environment, as the AWS CLI does. ``max_retries`` is 9 unless given.

    Returns
    -------
    polars.LazyFrame
        One row per record, with the columns of ``docs/columns.md``, whatever the data.

    Raises
    ------
    FileNotFoundError
        The source does not exist. Like the errors below it is raised when the query runs.
    FormatError, SourceError
        With ``on_error="raise"``: a file is bad. A bucket that cannot be listed is a ``SourceError`` in any case.
    TypeError, ArgumentError
        An argument cannot be meant. Raised by the call itself.
    ValueError
        A storage option is unknown or cannot be used.

    Warns
    -----
    NothingChosen
        When the query has run: something was asked for, such as a region, and no file answers to it.

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
    return lazily(Options(function="scan", source=source, **options))


@public(options=Reading)
def read(source: Source, **options: Unpack[Reading]) -> pl.DataFrame:
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
    reading = Options(function="read", source=source, **options)
    frames = [pl.DataFrame(batch) for batch in batches(reading, COLUMNS)]
    return pl.concat(frames, rechunk=False) if frames else pl.DataFrame(schema=_schema(reading))


@public(options=Reading)
def sql(source: Source, text: str, **options: Unpack[Reading]) -> pl.DataFrame:
    """Ask a CloudTrail archive in SQL, of Polars' dialect. The table is ``events``, and no other table, file or address is read.

    Parameters
    ----------
    source, **options
        As for :func:`scan`.
    text
        The query.

    Returns
    -------
    polars.DataFrame
        Its result.

    Raises
    ------
    QueryError
        The text would read something else, or is no query. Raised before anything is opened.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.sql(archive, "SELECT count(*) AS logins FROM events WHERE eventName = 'ConsoleLogin'").item() > 0
    True
    """
    reading = Options(function="sql", source=source, **options)
    check(text)
    with pl.SQLContext({TABLE: lazily(reading)}) as context:
        try:
            return context.execute(text, eager=True)
        except pl.exceptions.PolarsError as error:
            raise named(error, text, reading.paths) from None


def lazily(options: Options) -> pl.LazyFrame:
    """Return a frame that scans with these options when it is asked."""
    every = options.columns
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
            # With both a head and a predicate, Polars means the head of all rows: `head` came first in the query. And duplicates
            # are left out before the query begins.
            pushed = push_down(predicate) if n_rows is None and not options.dedupe else None
        left = n_rows
        for batch in batches(options, needed, pushed):
            frame = pl.DataFrame(batch)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            if predicate is not None:
                # The whole predicate: Polars does not apply it again, and the core may know only a part of it.
                frame = frame.filter(predicate)
            yield frame.select(columns)
            if left is not None and left <= 0:
                return

    return pl.io.plugins.register_io_source(
        frames, schema=_schema(options), explain_name="CLOUDTRAIL", explain_detail=options.describe()
    )


class Turn:
    """Lets a query begin again where the source names the same files again; of a queue there is one turn."""

    def __init__(self, options: Options) -> None:
        # Whichever thread takes the turn, no other does; and unlike a lock it does not stand in the way of a pickle.
        self._turns = None if options.repeats() else ["the only one"]

    def take(self) -> None:
        """Begin, or refuse to begin again."""
        try:
            if self._turns is not None:
                self._turns.pop()
        except IndexError:
            message = "a scan of a queue gives its rows once, and this query wants them again: begin another one, or read first"
            raise ConsumedError(message) from None


def batches(
    options: Options,
    columns: list[str],
    predicate: tuple[Any, ...] | None = None,
    text: list[str] | None = None,
    ledger: _ctfast.Ledger | None = None,
) -> Generator[_ctfast.Batch]:
    """Run a scan; its threads end with the iterator, however that ends. What becomes of each file is noted in the ledger."""
    if options.names_files():
        with Run(options, columns, predicate, text, ledger) as run:
            for portion in run.portions():
                yield from run.read(portion)
                run.done(portion)
        return
    report = options.report or Report()
    report._follow(options.asked)  # noqa: SLF001  # joined here, read elsewhere
    seen, slips = _ctfast.Seen(), Slips(options)
    running = options.start(columns, predicate, seen=seen, text=text, duplicates=options.duplicates(), ledger=ledger)
    yield from read_all(running, options, report, slips)
    conclude(options, report, seen, slips)


def _schema(options: Options) -> pl.Schema:
    schema = pl.DataFrame(_ctfast.schema(COLUMNS, views=True)).schema
    return schema if options.rules is None else pl.Schema({**schema, RULES: pl.List(pl.String)})
