"""DuckDB: views over the files of an archive, or over those of one version of a lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctfast._ddl.place import Place
from ctfast._ddl.record import Column, record
from ctfast._ddl.words import commented, refuse_characters, standard
from ctfast._source.addresses import is_address
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from ctfast._lake.table import Snapshot
    from ctfast._store.store import Store

__all__ = ["of_archive", "of_lake"]

_TYPES = {"text": "VARCHAR", "flag": "BOOLEAN", "time": "TIMESTAMPTZ", "json": "JSON"}
#: What DuckDB takes for a pattern in a path, also in a list of paths.
_PATTERNS = ("*", "?", "[", "\\")
#: The longest text of a file, of which DuckDB holds two in each thread. A longer one ends the query.
_LONGEST = 128 << 20


def of_lake(store: Store, snapshot: Snapshot, table: str) -> str:
    """Return the statement for the version of a lake that there is now."""
    root = str(store)
    refuse_characters(root, _PATTERNS, "DuckDB", "a pattern")
    places = [store.at(part.path) for part in snapshot.whole_parts()]
    if not places:
        message = f"source {root} is a lake without events, and DuckDB makes no view of no files: ingest an archive"
        raise ArgumentError(message, "source", root, None, "ddl")
    files = ",\n".join(f"  {standard(place)}" for place in places)
    return (
        commented(f"version {snapshot.version} of the lake: make the view anew after an ingest", _needs(root))
        + f"CREATE OR REPLACE VIEW {_name(table)} AS\n"
        f"SELECT * FROM read_parquet([\n{files}\n], hive_partitioning = false, union_by_name = true);"
    )


def of_archive(found: Place, table: str) -> str:
    """Return the statement for an archive: the records of all files that are there when the view is asked."""
    refuse_characters(found.root, _PATTERNS, "DuckDB", "a pattern")
    # A list, since a pattern of braces is none in DuckDB.
    files = ",\n".join(f"  {standard(f'{found.root}/**/{pattern}')}" for pattern in found.patterns())
    members = ",\n".join(f'    "{each.name}" {_type(each)}' for each in record())
    return (
        commented(found.left_out(), _needs(found.root))
        + f"CREATE OR REPLACE VIEW {_name(table)} AS\n"
        + f'SELECT unnest("Records", max_depth := 2) FROM read_json([\n{files}\n'
        + f"], format = 'unstructured', maximum_object_size = {_LONGEST},\n"
        + f"  columns = {{'Records': 'STRUCT(\n{members}\n  )[]'}});"
    )


def _needs(root: str) -> str | None:
    """Say what DuckDB needs for a bucket."""
    return "INSTALL httpfs; LOAD httpfs; and CREATE SECRET for the bucket before" if is_address(root) else None


def _name(table: str) -> str:
    return ".".join(f'"{each}"' for each in table.split("."))


def _type(column: Column) -> str:
    if not column.members:
        return _TYPES[column.kind]
    struct = f"STRUCT({', '.join(f'{chr(34)}{each.name}{chr(34)} {_type(each)}' for each in column.members)})"
    return f"{struct}[]" if column.kind == "list" else struct
