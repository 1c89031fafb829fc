"""What an archive holds: :func:`info`."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Unpack

from ctfast import _ctfast
from ctfast._arguments.gate import Reading, public
from ctfast._later import pl
from ctfast._ledger.report import Report
from ctfast._ledger.rows import no_rows, taken
from ctfast._scan.options import ask, told
from ctfast._scan.scan import batches
from ctfast._show import notebook
from ctfast._show.plain import counted
from ctfast._source.addresses import Source
from ctfast.exceptions import ArgumentError

__all__ = ["Info", "info"]

_COLUMNS = ["eventTime", "awsRegion", "recipientAccountId", "file"]
_KEY = ["kind", "account", "region", "day"]
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # only its date is wanted
_MICROSECOND = timedelta(microseconds=1)
#: The most partial counts that are held before they are added up.
_PARTS = 256


@dataclass(frozen=True, kw_only=True)
class Info:
    """What an archive holds.

    Attributes
    ----------
    days : polars.DataFrame
        One row per ``account``, ``region`` and ``day``: ``files``, their ``bytes`` as stored, ``records``, and the
        ``first`` and ``last`` ``eventTime``. Account, region and day are those of the file's key and name. If its name
        is not CloudTrail's, they are those of each record, and the file counts where its first record does. Files
        without records are only in :attr:`report`.
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
        """The number of files that were opened and gave no record, whether empty, filtered out or damaged."""
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
    """Look through a CloudTrail archive, in one pass.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`.

    Returns
    -------
    Info
        Accounts, regions, days and kinds, with their files, bytes, records and time span.

    Notes
    -----
    Memory does not grow with the number of files and records, but with that of different accounts, regions, days and
    kinds among them.

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
    report = told(options)
    reading = ask("info", source, counts_duplicates=True, **options)
    parts: list[pl.DataFrame] = [pl.DataFrame(schema=_key() | _counts())]
    ledger = _ctfast.Ledger(sha256=False)
    firsts = _Firsts()
    with closing(batches(reading.asking(_COLUMNS), ledger)) as found:
        for batch in found:
            records = _placed(pl.DataFrame(batch))
            parts += [_records(records), _files(firsts.of(_ended(ledger), records))]
            if len(parts) >= _PARTS:
                parts = [_add(pl.concat(parts), _KEY)]
    total = pl.concat([*parts, _files(firsts.of(_ended(ledger), pl.DataFrame(schema=_key())))])
    return Info(days=_add(total, ["account", "region", "day"]), kinds=_add(total, ["kind"]), report=report)


def _key() -> dict[str, pl.DataType]:
    """Return the columns that rows are counted by."""
    return dict.fromkeys(_KEY, pl.String()) | {"day": pl.Date()}


def _counts() -> dict[str, pl.DataType]:
    """Return the columns of what is counted."""
    whole, time = pl.Int64(), pl.Datetime("us", "UTC")
    return {"files": whole, "bytes": whole, "records": whole, "first": time, "last": time}


def _ended(ledger: _ctfast.Ledger) -> pl.DataFrame:
    """Return the files that have ended since this was last asked, and have records."""
    return pl.concat([no_rows(), *(page.filter(pl.col("records_read") > 0) for page in taken(ledger))])


def _placed(records: pl.DataFrame) -> pl.DataFrame:
    """Tell where each record counts: by the key of its file, or else by itself."""
    places = pl.DataFrame(
        [(path, *_place(path)) for path in records["file"].unique()],
        schema={"file": pl.String(), **_key()},
        orient="row",
    )
    return records.join(places, on="file", how="left", maintain_order="left").select(
        "kind",
        pl.coalesce("account", "recipientAccountId"),
        pl.coalesce("region", "awsRegion"),
        pl.coalesce("day", pl.col("eventTime").dt.date()),
        "eventTime",
    )


def _records(records: pl.DataFrame) -> pl.DataFrame:
    """Count the records of a batch."""
    return records.group_by(_KEY).agg(
        files=pl.lit(0, pl.Int64),
        bytes=pl.lit(0, pl.Int64),
        records=pl.len().cast(pl.Int64),
        first=pl.col("eventTime").min(),
        last=pl.col("eventTime").max(),
    )


def _files(files: pl.DataFrame) -> pl.DataFrame:
    """Count files where their first records do."""
    none = pl.lit(None, pl.Datetime("us", "UTC"))
    return files.group_by(_KEY).agg(
        files=pl.len().cast(pl.Int64),
        bytes=pl.col("size").sum().cast(pl.Int64),
        records=pl.lit(0, pl.Int64),
        first=none,
        last=none,
    )


class _Firsts:
    """Finds the first record of each file. A file has its row in the ledger once the last of its records is there."""

    def __init__(self) -> None:
        #: Where the file counts that goes on in the next batch, and how many of its records came so far.
        self._begun = pl.DataFrame(schema=_key())
        self._records = 0

    def of(self, ended: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
        """Return the files that end in a batch of records, each with its size and where it counts."""
        starts = pl.concat([pl.Series([0]), ended["records_read"].cum_sum().cast(pl.Int64)]) - self._records
        new = records.select(_KEY)[starts.filter(starts.is_between(0, records.height, closed="left"))]
        firsts = pl.concat([self._begun, new])
        self._begun = firsts[ended.height :]
        self._records += records.height - int(ended["records_read"].sum())
        return firsts[: ended.height].with_columns(ended["size"])


def _place(path: str) -> tuple[object, ...]:
    """Kind, account, region and day of a file by its key."""
    key = _ctfast.parse_key(path)
    if key is None:
        return None, None, None, None
    return key["kind"], key["account"], key["region"], (_EPOCH + key["time"] * _MICROSECOND).date()


def _add(parts: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    added = parts.group_by(by).agg(
        pl.col("files", "bytes", "records").sum(), pl.col("first").min(), pl.col("last").max()
    )
    return added.sort(by, nulls_last=True)
