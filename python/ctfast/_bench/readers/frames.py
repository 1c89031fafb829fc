"""Facts of results that are Polars frames."""

from __future__ import annotations

from typing import Any

import polars as pl

from ctfast._bench.readers.schema import COUNTED

__all__ = ["counts", "facts"]


def facts(task: str, frame: pl.DataFrame) -> Any:
    """Return what is compared."""
    if task == "count":
        return frame.rows()
    if task == "rare":
        return frame.select("eventTime", "eventName", "arn", "sourceIPAddress", "eventID").rows()
    return frame.select(counts()).row(0, named=True)


def counts() -> list[pl.Expr]:
    """Return the numbers that are compared for every column: of events, and of values that are not null."""
    return [
        pl.len().alias("rows"),
        pl.col("eventTime").min().alias("first"),
        pl.col("eventTime").max().alias("last"),
        *[pl.col(name).count() for name in COUNTED],
        pl.col("userIdentity").struct.field("arn").count().alias("userIdentity.arn"),
        pl.col("resources").list.len().gt(0).sum(),
        pl.col("tlsDetails").struct.field("tlsVersion").count().alias("tlsDetails"),
    ]
