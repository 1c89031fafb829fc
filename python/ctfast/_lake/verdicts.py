"""What digests prove of the files that a lake has read: a verdict for each reading of a file."""

from __future__ import annotations

from datetime import timedelta

from ctfast import _ctfast
from ctfast._lake.beside import read_beside, write_beside
from ctfast._lake.coverage import by_day, covered
from ctfast._lake.layout import VERDICTS
from ctfast._lake.ledger import Ledger
from ctfast._lake.table import Snapshot
from ctfast._later import pa, pl
from ctfast._store.store import Store

__all__ = ["PROVEN", "READING", "UNLISTED", "coverage", "files", "placed", "verdicts", "write"]

#: The verdict on a file whose text is what a valid digest lists. Others are the reasons why it is not proven.
PROVEN = "proven"
#: A file that no digest lists.
UNLISTED = "unlisted"
#: What a verdict is about: a file, as a split has read it.
READING = ["file", "split"]
#: The kind of files that digests list.
_LOG = "CloudTrail"
#: Files whose names are read together.
_PAGE = 1 << 16


def _schema() -> pa.Schema:
    text, time = pa.string(), pa.timestamp("us", "UTC")
    columns = {
        "file": text,
        "split": text,
        "account": text,
        "region": text,
        "delivered": time,
        "verdict": text,
        "sha256": text,
        "text_sha256": text,
        "digest": text,
        "verified": time,
    }
    return pa.schema(list(columns.items()))


def write(store: Store, commit: str, version: int, rows: pl.DataFrame) -> str:
    """Write verdicts, and return the path."""
    schema = _schema()
    return write_beside(store, VERDICTS, commit, version, rows.select(schema.names).to_arrow().cast(schema))


def verdicts(store: Store, snapshot: Snapshot) -> pl.LazyFrame:
    """Return the verdict on each reading of a file: the last one, unless an earlier one has proven it.

    A file that a digest lists, and that was gone before it was read, has a verdict without a split.
    """
    rows = read_beside(store, snapshot.beside(VERDICTS), _schema())
    is_proven, is_read = pl.col("verdict") == PROVEN, pl.col("split").is_not_null()
    rows = rows.filter(is_read | ~is_read.any().over("file"))
    rows = rows.filter(is_proven | ~is_proven.any().over(READING)).unique(READING, keep="last", maintain_order=True)
    # Not later: copies of the files that they come from may be gone then.
    return rows.collect().lazy()


def placed(files: pl.DataFrame) -> pl.DataFrame:
    """Return files with what their names say: account, region, time of delivery, and whether it is a log file."""
    kinds = {"account": pl.String(), "region": pl.String(), "delivered": pl.Int64(), "is_log": pl.Boolean()}
    slices = (list(map(_place, page["file"])) for page in files.iter_slices(_PAGE))
    pages = (pl.DataFrame(each, schema=kinds, orient="row") for each in [[], *slices])
    names = pl.concat(pages).with_columns(pl.from_epoch("delivered", "us").dt.replace_time_zone("UTC"))
    return files.hstack(names)


def _place(file: str) -> tuple[str | None, str | None, int | None, bool]:
    key = _ctfast.parse_key(file)
    return (
        (None, None, None, False) if key is None else (key["account"], key["region"], key["time"], key["kind"] == _LOG)
    )


def files(store: Store, snapshot: Snapshot) -> pl.LazyFrame:
    """Return each file with its verdict: proven if each reading of it is; null if one was never compared.

    Readings that have stored nothing do not count, but for the last one.
    """
    has_stored = pl.col("records_read") > pl.col("records_duplicate").fill_null(0)
    is_last = pl.int_range(pl.len()).over("file") == pl.len().over("file") - 1
    rows = Ledger(store, snapshot).rows().filter(has_stored | is_last).select(READING)
    judged = rows.join(verdicts(store, snapshot).select(*READING, "verdict"), on=READING, how="left")
    is_proven = pl.col("verdict") == PROVEN
    why = pl.col("verdict").filter(~is_proven).last()
    word = pl.when(is_proven.all(ignore_nulls=False)).then(pl.lit(PROVEN)).otherwise(why)
    return judged.group_by("file").agg(word.alias("verdict"))


def coverage(store: Store, snapshot: Snapshot) -> pl.DataFrame:
    """Return, for each account, region and day of delivery, what is proven and what no digest covers.

    Files whose names do not say these are in a row without them.
    """
    rows = placed(files(store, snapshot).collect())
    place = ["account", "region", "day"]
    verdict = pl.col("verdict")
    numbers = rows.group_by("account", "region", pl.col("delivered").dt.date().alias("day")).agg(
        pl.len().alias("files"),
        (verdict == PROVEN).sum().alias("proven"),
        (verdict != PROVEN).sum().alias("unproven"),
        (verdict == UNLISTED).sum().alias("unlisted"),
        verdict.is_null().sum().alias("unchecked"),
    )
    gone = verdicts(store, snapshot).filter(pl.col("split").is_null()).collect()
    missing = gone.group_by("account", "region", pl.col("delivered").dt.date().alias("day")).agg(
        pl.len().alias("missing")
    )
    time = by_day(covered(store, snapshot))
    counts = ["files", "proven", "unproven", "unlisted", "unchecked", "missing"]
    return (
        numbers.join(missing, on=place, how="full", coalesce=True, nulls_equal=True)
        .join(time, on=place, how="full", coalesce=True, nulls_equal=True)
        .with_columns(
            pl.col(counts).fill_null(0).cast(pl.Int64()),
            pl.col("covered", "uncovered").fill_null(timedelta()),
            pl.col("reasons").fill_null([]),
        )
        .select(*place, *counts, "covered", "uncovered", "reasons")
        .sort(place, nulls_last=True)
    )
