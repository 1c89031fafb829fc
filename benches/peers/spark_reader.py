"""PySpark on this machine. The start of the JVM is not timed, and it is warm when the timing begins."""

from __future__ import annotations

import os
from typing import Any

import pyspark
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql import types as st

from ctfast._bench.readers.base import Archive
from ctfast._bench.readers.schema import COLUMNS, COUNTED, FIVE, NAME, Kind


def spark_type(kind: Kind) -> st.DataType:
    """Return the type of `kind`."""
    if isinstance(kind, dict):
        return st.StructType([st.StructField(name, spark_type(member)) for name, member in kind.items()])
    if isinstance(kind, list):
        return st.ArrayType(spark_type(kind[0]))
    return {"text": st.StringType(), "json": st.StringType(), "flag": st.BooleanType(), "time": st.TimestampType()}[
        kind
    ]


class Spark:
    """Spark with the schema given; "in memory" is Spark's own cache."""

    def __init__(self, archive: Archive, threads: int) -> None:
        os.environ["TZ"] = "UTC"
        self.archive = archive
        self.session = (
            SparkSession.builder.master(f"local[{threads}]")
            .config("spark.driver.memory", "6g")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.caseSensitive", "true")
            .config("spark.sql.shuffle.partitions", threads)
            .config("spark.ui.showConsoleProgress", "false")
            .getOrCreate()
        )
        self.session.sparkContext.setLogLevel("ERROR")
        self.cached: DataFrame | None = None

    def version(self) -> str:
        """Return the versions that matter."""
        java = self.session._jvm.System.getProperty("java.version")  # noqa: SLF001 — there is no public way
        return f"PySpark {pyspark.__version__} (Java {java})"

    def events(self, kinds: dict[str, Kind]) -> DataFrame:
        """Return the events with the given columns."""
        schema = st.StructType([st.StructField("Records", st.ArrayType(spark_type(kinds)))])
        reader = self.session.read.schema(schema).option("recursiveFileLookup", "true")
        files = reader.json(str(self.archive.path))
        if kinds is COLUMNS:
            return files.select(sf.explode("Records").alias("r"), sf.col("_metadata.file_path").alias("file")).select(
                "r.*", "file"
            )
        return files.select(sf.explode("Records").alias("r")).select("r.*")

    def columns(self) -> DataFrame:
        """Read every event with every column into Spark's cache."""
        if self.cached is not None:
            self.cached.unpersist(blocking=True)
        self.cached = self.events(COLUMNS).cache()
        self.cached.count()
        return self.cached

    def count(self) -> list[tuple[Any, ...]]:
        """Count the events by name."""
        return [tuple(row) for row in self.events(NAME).groupBy("eventName").count().collect()]

    def rare(self) -> list[tuple[Any, ...]]:
        """Return five columns of the DeleteBucket events."""
        found = self.events(FIVE).where(sf.col("eventName") == self.archive.rare)
        time = sf.date_format("eventTime", "yyyy-MM-dd'T'HH:mm:ss'Z'")
        return [
            tuple(row)
            for row in found.select(time, "eventName", "userIdentity.arn", "sourceIPAddress", "eventID").collect()
        ]

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared with the manifest."""
        if task != "columns":
            return result
        style = "yyyy-MM-dd'T'HH:mm:ss'Z'"
        row = result.agg(
            sf.count(sf.lit(1)).alias("rows"),
            sf.date_format(sf.min("eventTime"), style).alias("first"),
            sf.date_format(sf.max("eventTime"), style).alias("last"),
            *[sf.count(name).alias(name) for name in COUNTED],
            sf.count("userIdentity.arn").alias("userIdentity.arn"),
            sf.sum((sf.size("resources") > 0).cast("int")).alias("resources"),
            sf.count("tlsDetails.tlsVersion").alias("tlsDetails"),
        ).collect()[0]
        return row.asDict()
