"""ctfast itself, as a user writes it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa  # noqa: F401  # its import is no part of what is measured

import ctfast as ct
from ctfast._bench.readers import frames
from ctfast._bench.readers.base import Archive
from ctfast._ctfast import DEBUG

__all__ = ["Ctfast"]


class Ctfast:
    """ctfast; its ``columns`` also make ``raw``, ``extra`` and ``record``, which those of the others do not."""

    def __init__(self, archive: Archive, threads: int) -> None:
        if DEBUG:
            raise RuntimeError("this is a debug build of ctfast: build it with --release before measuring")
        self.archive = archive
        self.threads = threads
        self.source = str(archive.path)

    def version(self) -> str:
        """Return the versions that matter."""
        return f"ctfast {ct.__version__}, Polars {pl.__version__}"

    def columns(self) -> pl.DataFrame:
        """Read every event with every column."""
        return ct.read(self.source, threads=self.threads)

    def count(self) -> pl.DataFrame:
        """Count the events by name."""
        return ct.scan(self.source, threads=self.threads).group_by("eventName").len().collect()

    def rare(self) -> pl.DataFrame:
        """Return five columns of the rare events."""
        events = ct.scan(self.source, threads=self.threads).filter(pl.col("eventName") == self.archive.rare)
        arn = pl.col("userIdentity").struct.field("arn")
        return events.select("eventTime", "eventName", arn, "sourceIPAddress", "eventID").collect()

    def stream(self) -> int:
        """Read every column batch by batch, keep nothing, and return the number of events."""
        with ct.stream(self.source, threads=self.threads) as batches:
            return sum(batch.num_rows for batch in batches)

    def views(self) -> int:
        """Do the same with the text as views, which is not copied."""
        with ct.stream(self.source, threads=self.threads, views=True) as batches:
            return sum(batch.num_rows for batch in batches)

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared."""
        if task in {"stream", "views"}:
            return {"rows": result}
        found = frames.facts(task, result)
        if task == "columns":
            found["raw"] = result.select(pl.col("raw").str.len_bytes().cast(pl.UInt64).sum()).item()
        return found
