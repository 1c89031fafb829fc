"""The state of each hour: the verifier's spans of time as one row per hour."""

from __future__ import annotations

from ctfast._later import pl

__all__ = ["MOST", "by_chain", "hourly", "is_clean"]

#: The most hours of a span without digests, half of them at either end: otherwise one digest that claims to be of
#: another century would cost gigabytes.
MOST = 366 * 24
#: States of an hour; if two digests cover the same hour, the first of these counts.
_STATES = ["invalid", "missing", "unknown", "valid", "empty", "gap"]
_CHAIN = ["account", "region", "trail"]


def hourly(spans: pl.DataFrame, most: int = MOST) -> pl.DataFrame:
    """Return one row for each hour of each chain.

    A digest counts for the hour that contains the middle of its time; a span of several hours is divided. A longer span
    without digests loses the hours in its middle.
    """
    spans = pl.concat([spans.filter(pl.col("digests") > 0), *_ends(spans.filter(pl.col("digests") == 0), most)])
    length = pl.col("end") - pl.col("start")
    hours = pl.max_horizontal(
        pl.col("digests"), (length.dt.total_seconds() / 3600).round().cast(pl.UInt64), pl.lit(1, pl.UInt64)
    )
    step = length.dt.total_microseconds() / pl.col("parts")
    middle = pl.col("start") + pl.duration(microseconds=((pl.col("part") + 0.5) * step).cast(pl.Int64))
    return (
        spans.with_columns(parts=hours)
        .with_columns(part=pl.int_ranges(pl.col("parts").cast(pl.Int64)))
        .explode("part")
        .with_columns(hour=middle.dt.truncate("1h"), digests=pl.col("digests") // pl.col("parts"))
        .group_by(*_CHAIN, "hour")
        .agg(pl.col("state").cast(pl.Enum(_STATES)).min(), pl.col("digests", "logs", "bad_logs").sum())
        .sort(*_CHAIN, "hour")
    )


def _ends(spans: pl.DataFrame, most: int) -> list[pl.DataFrame]:
    """Spans without digests; each that is too long is replaced by its two ends."""
    half = pl.duration(hours=most // 2)
    is_long = (pl.col("end") - pl.col("start")) > 2 * half
    long = spans.filter(is_long)
    return [
        spans.filter(~is_long),
        long.with_columns(end=pl.col("start") + half),
        long.with_columns(start=pl.col("end") - half),
    ]


def by_chain(spans: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the spans of each chain; chains with problems first."""
    chains = spans.sort(_CHAIN, maintain_order=True).partition_by(_CHAIN, maintain_order=True)
    return sorted(chains, key=is_clean)


def is_clean(spans: pl.DataFrame) -> bool:
    """Whether all hours of a chain are proven."""
    return spans.filter(~pl.col("state").is_in(["valid", "empty"])).is_empty()
