"""Polars alone: ``scan_ndjson`` with a schema, on the streaming engine.

Each file is one line, one row with a list of records. Inference fails on CloudTrail, so the schema is given; a short
schema is the projection. Open objects are returned as text that Polars has written anew: numbers and escapes change.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from ctfast._bench.readers import frames
from ctfast._bench.readers.base import Archive
from ctfast._bench.readers.schema import COLUMNS, FIVE, NAME, Kind

__all__ = ["Polars"]

_TIME = pl.col("eventTime").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")


def _dtype(kind: Kind) -> pl.DataType:
    """Return the type of `kind`."""
    if isinstance(kind, dict):
        return pl.Struct({name: _dtype(member) for name, member in kind.items()})
    if isinstance(kind, list):
        return pl.List(_dtype(kind[0]))
    return pl.Boolean() if kind == "flag" else pl.String()


class Polars:
    """``scan_ndjson``; for few events, the lines are searched before they are parsed."""

    def __init__(self, archive: Archive, threads: int) -> None:
        self.archive = archive
        if pl.thread_pool_size() != threads:
            raise RuntimeError(f"Polars has {pl.thread_pool_size()} threads, not {threads}: set POLARS_MAX_THREADS")

    def version(self) -> str:
        """Return the versions that matter."""
        return f"Polars {pl.__version__}"

    def columns(self) -> pl.DataFrame:
        """Read every event with every column."""
        scan = pl.scan_ndjson(
            self.archive.glob, schema={"Records": pl.List(_dtype(COLUMNS))}, include_file_paths="file"
        )
        return scan.explode("Records").unnest("Records").with_columns(_TIME).collect(engine="streaming")

    def count(self) -> pl.DataFrame:
        """Count the events by name."""
        scan = pl.scan_ndjson(self.archive.glob, schema={"Records": pl.List(_dtype(NAME))})
        return scan.explode("Records").unnest("Records").group_by("eventName").len().collect(engine="streaming")

    def rare(self) -> pl.DataFrame:
        """Return five columns of the rare events."""
        records = pl.col("lines").str.json_decode(pl.Struct({"Records": pl.List(_dtype(FIVE))})).struct.field("Records")
        return self._five(
            pl.scan_lines(self.archive.glob, name="lines")
            .filter(pl.col("lines").str.contains(f'"{self.archive.rare}"', literal=True))
            .select(records)
        )

    def rare_typed(self) -> pl.DataFrame:
        """Return the same without the search."""
        return self._five(pl.scan_ndjson(self.archive.glob, schema={"Records": pl.List(_dtype(FIVE))}))

    def _five(self, lists: pl.LazyFrame) -> pl.DataFrame:
        events = lists.explode("Records").unnest("Records").filter(pl.col("eventName") == self.archive.rare)
        arn = pl.col("userIdentity").struct.field("arn")
        return events.select(_TIME, "eventName", arn, "sourceIPAddress", "eventID").collect(engine="streaming")

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared."""
        return frames.facts(task, result)
