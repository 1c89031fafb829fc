"""What is bad in the files of a lake: a table beside it, for those who mend archives."""

from __future__ import annotations

from collections.abc import Iterable

from ctfast._lake.beside import read_beside, write_beside
from ctfast._lake.layout import BAD
from ctfast._lake.ledger import Ledger
from ctfast._lake.table import Snapshot
from ctfast._later import pa, pl
from ctfast._scan.message import SplitMessage
from ctfast._store.store import Store

__all__ = ["bad_files", "bad_records", "write"]

_READING = ["file", "split"]


def _schema() -> pa.Schema:
    text, number = pa.string(), pa.int64()
    columns = {
        "what": text,
        "file": text,
        "byte": number,
        "record": number,
        "reason": text,
        "message": text,
        "split": text,
    }
    return pa.schema(list(columns.items()))


def write(store: Store, commit: str, version: int, messages: Iterable[SplitMessage]) -> list[str]:
    """Write what is bad in the files of a commit, and return the path; none if nothing is."""
    rows = [found | {"split": message.split} for message in messages for found in message.bad]
    return [write_beside(store, BAD, commit, version, pa.Table.from_pylist(rows, schema=_schema()))] if rows else []


def _found(store: Store, snapshot: Snapshot) -> pl.LazyFrame:
    return read_beside(store, snapshot.beside(BAD), _schema())


def bad_files(store: Store, snapshot: Snapshot) -> pl.LazyFrame:
    """Return the bad files, each with what is told of it."""
    words = _found(store, snapshot).filter(what="bad file").unique("file", keep="last", maintain_order=True)
    rows = Ledger(store, snapshot).bad()
    found = rows.join(words.select("file", "message"), on="file", how="left", maintain_order="left")
    # Not later: copies of the files that they come from may be gone then.
    return found.collect().lazy()


def bad_records(store: Store, snapshot: Snapshot) -> pl.LazyFrame:
    """Return the bad records of the last version of each file, as it was read last: those that are named, and a row
    for those of a file that are not.
    """  # noqa: D205
    readings = Ledger(store, snapshot).last_versions().unique("file", keep="last", maintain_order=True)
    readings = readings.filter(pl.col("records_bad") > 0).select(*_READING, "records_bad").collect().lazy()
    named = _found(store, snapshot).filter(what="bad record")
    named = named.join(readings, on=_READING, how="semi", maintain_order="left").collect().lazy()
    numbers = named.group_by(_READING).agg(pl.len().cast(pl.Int64).alias("named"))
    others = readings.join(numbers, on=_READING, how="left", maintain_order="left")
    further = (pl.col("records_bad") - pl.col("named").fill_null(0)).alias("count")
    columns = ["file", "record", "byte", "reason", "message", "count"]
    rows = [
        named.with_columns(pl.lit(1, pl.Int64).alias("count")).select(columns),
        others.select("file", further).filter(pl.col("count") > 0),
    ]
    return pl.concat(rows, how="diagonal").sort("file", "record", nulls_last=True, maintain_order=True)
