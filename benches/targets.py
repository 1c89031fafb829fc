"""The speeds and sizes that ctfast aims at."""

from __future__ import annotations

# set, task -> highest ratio to the floor that is acceptable, and the one aimed at
TO_FLOOR = {
    ("mixed", "columns"): (1.6, 1.35),
    ("mixed", "count"): (1.3, 1.15),
    ("mixed", "rare"): (1.2, 1.05),
    ("large", "columns"): (1.6, 1.35),
    ("tiny", "columns"): (2.0, 1.5),
}
ENGINES = ("chdb", "polars", "duckdb", "spark")
# set, task, peer -> how many times faster than the peer
TO_PEER = {
    ("mixed", "columns", "chdb"): 3.0,
    ("mixed", "columns", "chdb-typed"): 3.0,
    ("mixed", "columns", "polars"): 8.0,
    ("mixed", "columns", "duckdb"): 8.0,
    ("mixed", "columns", "duckdb-typed"): 8.0,
    ("mixed", "count", "chdb"): 1.5,
    ("mixed", "rare", "chdb"): 1.5,
    ("mixed", "rare", "chdb-typed"): 1.5,
    **{("tiny", "columns", engine): 8.0 for engine in ENGINES},
    ("tiny", "columns", "orjson"): 1.0,
}
STREAM_GROWTH = 0.05  # of peak memory, when the archive is ten times as large
STREAM_PEAK = 150 * 10**6  # bytes above the imported package, for files of up to 5 MB inflated
READ_TIMES = 2.2  # peak of reading every column, as a multiple of the inflated bytes
SECOND_CORE = 1.8


def verdict(value: float, target: float, *, least: bool = False) -> str:
    """Return whether `value` meets `target`, which is a maximum or a minimum."""
    return "met" if (value >= target if least else value <= target) else "**missed**"
