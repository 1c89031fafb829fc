"""Spark: the archive as JSON documents of which a view takes the records; the lake as a Delta table."""

from __future__ import annotations

from ctfast._ddl.place import Place
from ctfast._ddl.record import Column, record
from ctfast._ddl.words import backticked, commented, hive, refuse_characters
from ctfast._source.addresses import S3, is_address

__all__ = ["of_archive", "of_lake"]

#: Types that a text is cast to in the view, where one that does not fit becomes null.
_CAST = {"flag": "BOOLEAN", "time": "TIMESTAMP"}
#: What Spark replaces in a statement before it is parsed.
_VARIABLE = ("${",)
#: What Spark takes for a pattern in a path.
_PATTERNS = ("*", "?", "[", "{")


def of_lake(root: str, table: str) -> str:
    """Return the statement for a lake: Spark reads columns and files from the log of the table."""
    refuse_characters(root, _VARIABLE, "Spark", "a variable")
    return (
        commented("the session has Delta Lake: io.delta.sql.DeltaSparkSessionExtension, and its catalogue")
        + f"CREATE TABLE {backticked(table)} USING DELTA\nLOCATION {hive(_address(root))};"
    )


def of_archive(found: Place, table: str) -> str:
    """Return the statements for an archive: a table of the files, and a view of their records."""
    refuse_characters(found.root, _VARIABLE, "Spark", "a variable")
    refuse_characters(found.root, _PATTERNS, "Spark", "a pattern")
    files = backticked(f"{table}_files")
    members = ",\n".join(f"  `{each.name}`: {_type(each)}" for each in record())
    columns = ",\n".join(f"  {_cast(each)}" for each in record())
    options = {
        "multiLine": "true",
        "recursiveFileLookup": "true",
        "pathGlobFilter": "{" + ",".join(found.patterns()) + "}",
        # What is damaged ends a query; otherwise a whole file would be a row of nulls.
        "mode": "FAILFAST",
    }
    written = ", ".join(f"{name} {hive(value)}" for name, value in options.items())
    return (
        commented(found.left_out()) + f"CREATE TABLE {files} (`Records` ARRAY<STRUCT<\n{members}\n>>) USING json\n"
        f"OPTIONS ({written})\nLOCATION {hive(_address(found.root))};\n"
        f"CREATE VIEW {backticked(table)} AS SELECT\n{columns}\nFROM (SELECT inline(`Records`) FROM {files});"
    )


def _address(root: str) -> str:
    """Return the address as Spark's file systems have it."""
    return f"s3a://{root.removeprefix(S3)}" if is_address(root) else f"file://{root}"


def _cast(column: Column) -> str:
    kind = _CAST.get(column.kind)
    return f"`{column.name}`" if kind is None else f"try_cast(`{column.name}` AS {kind}) AS `{column.name}`"


def _type(column: Column) -> str:
    if not column.members:
        return "STRING"
    struct = f"STRUCT<{', '.join(f'`{each.name}`: {_type(each)}' for each in column.members)}>"
    return f"ARRAY<{struct}>" if column.kind == "list" else struct
