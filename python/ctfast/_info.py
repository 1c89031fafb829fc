"""What an archive holds: :func:`info`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Unpack

import polars as pl

from ctfast import _ctfast
from ctfast import _notebook as notebook
from ctfast._addresses import Source
from ctfast._arguments import Reading, public
from ctfast._plain import counted
from ctfast._report import Report
from ctfast._source import Options, told
from ctfast._stream import EventStream
from ctfast.exceptions import ArgumentError

__all__ = ["Info", "info"]

_COLUMNS = ["eventTime", "awsRegion", "recipientAccountId", "file", "record"]
_KEY: dict[str, type[pl.DataType] | pl.DataType] = {"kind": pl.String, "account": pl.String, "region": pl.String, "day": pl.Date}
_COUNTS: dict[str, type[pl.DataType] | pl.DataType] = {
    "files": pl.Int64,
    "bytes": pl.Int64,
    "records": pl.Int64,
    "first": pl.Datetime("us", "UTC"),
    "last": pl.Datetime("us", "UTC"),
}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # only its date is wanted
_MICROSECOND = timedelta(microseconds=1)
#: Parts that are held before they are added up.
_PARTS = 256


@dataclass(frozen=True, kw_only=True)
class Info:
    """What an archive holds.

    Attributes
    ----------
    days : polars.DataFrame
        One row per ``account``, ``region`` and ``day``: ``files``, their ``bytes`` as stored, ``records``, and the ``first`` and
        ``last`` ``eventTime``. Account, region and day are those of the file's key and name; of a file whose name tells nothing
        those of the record, and the file counts where its first record does. Files without records are in :attr:`report` only.
    kinds : polars.DataFrame
        The same per ``kind`` of file, such as ``CloudTrail-Insight``; null for files without a key.
    report : Report
        Totals, bad files, duplicates, and what was skipped and why.
    """

    days: pl.DataFrame
    kinds: pl.DataFrame
    report: Report

    @property
    def accounts(self) -> list[str]:
        """The accounts, in order."""
        return self.days["account"].drop_nulls().unique().sort().to_list()

    @property
    def regions(self) -> list[str]:
        """The regions, in order."""
        return self.days["region"].drop_nulls().unique().sort().to_list()

    @property
    def first(self) -> datetime | None:
        """Time of the first event."""
        return self.kinds.select(pl.col("first").min()).item()  # type: ignore[no-any-return]  # of this type, or null

    @property
    def last(self) -> datetime | None:
        """Time of the last event."""
        return self.kinds.select(pl.col("last").max()).item()  # type: ignore[no-any-return]

    @property
    def files_without_records(self) -> int:
        """How many files were opened and gave no record, because they hold none, none that was asked for, or damage."""
        return self.report.files.read + self.report.files.bad - int(self.kinds["files"].sum())

    def _repr_html_(self) -> str:
        """Return the inventory for a notebook."""
        records, accounts, regions = self.report.records.read, len(self.accounts), len(self.regions)
        headline = counted(records, "record")
        if records:
            headline += f" of {counted(accounts, 'account')} in {counted(regions, 'region')}"
        if self.first is not None and self.last is not None:
            headline += f", from {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"
        return notebook.shown(headline, notebook.rows(self.days), notebook.rows(self.kinds), self.report._repr_html_())


@public(options=Reading)
def info(source: Source, **options: Unpack[Reading]) -> Info:
    """Look through a CloudTrail archive, in one pass and bounded memory.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`.

    Returns
    -------
    Info
        Accounts, regions, days and kinds, with their files, bytes, records and time span.

    Examples
    --------
    >>> import ctfast as ct
    >>> found = ct.info(archive)
    >>> found.accounts, found.regions
    (['111122223333', '444455556666'], ['eu-west-1', 'us-east-1'])
    >>> found.days.select("account", "region", "day", "files", "records")
    shape: (4, 5)
    ┌──────────────┬───────────┬────────────┬───────┬─────────┐
    │ account      ┆ region    ┆ day        ┆ files ┆ records │
    │ ---          ┆ ---       ┆ ---        ┆ ---   ┆ ---     │
    │ str          ┆ str       ┆ date       ┆ i64   ┆ i64     │
    ╞══════════════╪═══════════╪════════════╪═══════╪═════════╡
    │ 111122223333 ┆ eu-west-1 ┆ 2025-03-12 ┆ 47    ┆ 857     │
    │ 111122223333 ┆ us-east-1 ┆ 2025-03-12 ┆ 24    ┆ 112     │
    │ 444455556666 ┆ eu-west-1 ┆ 2025-03-12 ┆ 14    ┆ 57      │
    │ 444455556666 ┆ us-east-1 ┆ 2025-03-12 ┆ 8     ┆ 13      │
    └──────────────┴───────────┴────────────┴───────┴─────────┘
    """
    if options.get("dedupe"):
        message = "info tells what there is, and report.duplicates counts what came before: dedupe is not for it"
        raise ArgumentError(message, "dedupe", True, None, "info")
    sizes = _ctfast.Sizes()
    report = told(options)
    reading = Options(function="info", source=source, opened=sizes, counts_duplicates=True, **options)
    parts: list[pl.DataFrame] = [pl.DataFrame(schema=_KEY | _COUNTS)]
    before: tuple[str, int] | None = None
    with EventStream(reading, _COLUMNS, views=True) as batches:
        for batch in batches:
            frame = pl.DataFrame(batch)
            parts.append(_count(frame, before, sizes))
            if not frame.is_empty():
                before = frame["file"][-1], frame["record"][-1]
            if len(parts) == _PARTS:
                parts = [_add(pl.concat(parts), list(_KEY))]
    total = pl.concat(parts)
    return Info(days=_add(total, ["account", "region", "day"]), kinds=_add(total, ["kind"]), report=report)


def _count(frame: pl.DataFrame, before: tuple[str, int] | None, sizes: _ctfast.Sizes) -> pl.DataFrame:
    """Count one batch; ``before`` is the last record of the one before, whose file may go on here."""
    file, record = before or (None, None)
    same = pl.col("file").eq_missing(pl.col("file").shift(fill_value=file))
    later = pl.col("record") > pl.col("record").shift(fill_value=record)
    places = pl.DataFrame(
        [(path, *_place(path)) for path in frame["file"].unique()],
        schema={"file": pl.String, **_KEY},
        orient="row",
    )
    # A file may be listed twice; then its records start again.
    frame = frame.with_columns(starts=~(same & later).fill_null(value=False))
    begun = frame["starts"].arg_true()
    sizes_of = [sizes.take(path) for path in frame["file"].gather(begun)]
    bytes_ = pl.repeat(None, frame.height, dtype=pl.Int64, eager=True).scatter(begun, pl.Series(sizes_of, dtype=pl.Int64))
    return (
        frame.with_columns(bytes=bytes_)
        .join(places, on="file", how="left")
        .group_by(
            "kind",
            pl.coalesce("account", "recipientAccountId"),
            pl.coalesce("region", "awsRegion"),
            pl.coalesce("day", pl.col("eventTime").dt.date()),
        )
        .agg(
            files=pl.col("starts").sum().cast(pl.Int64),
            bytes=pl.col("bytes").sum(),
            records=pl.len().cast(pl.Int64),
            first=pl.col("eventTime").min(),
            last=pl.col("eventTime").max(),
        )
    )


def _place(path: str) -> tuple[object, ...]:
    """Kind, account, region and day of a file by its key."""
    key = _ctfast.parse_key(path)
    if key is None:
        return None, None, None, None
    return key["kind"], key["account"], key["region"], (_EPOCH + key["time"] * _MICROSECOND).date()


def _add(parts: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    added = parts.group_by(by).agg(pl.col("files", "bytes", "records").sum(), pl.col("first").min(), pl.col("last").max())
    return added.sort(by, nulls_last=True)
