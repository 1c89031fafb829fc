"""The readers that are compared here only: loops over the files, and Spark. The others are in the package."""

from __future__ import annotations

from ctfast._bench.readers import READERS, Known

READERS.update(
    orjson=Known("peers.loops", "Orjson", ("orjson",), "orjson loop"),
    json=Known("peers.loops", "Stdlib", ("pyarrow",), "json loop"),
    spark=Known("peers.spark_reader", "Spark", ("pyspark",), "PySpark"),
)
