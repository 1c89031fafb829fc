"""The statements that make a lake or an archive a table of another engine: :func:`ddl`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from ctfast._arguments.gate import public
from ctfast._ddl import athena, duckdb, spark, trino
from ctfast._ddl.place import placed
from ctfast._lake.lake import Lake
from ctfast._lake.layout import LOG
from ctfast._lake.table import Table
from ctfast._source.addresses import is_address
from ctfast.exceptions import ArgumentError

__all__ = ["Engine", "ddl"]

Engine: TypeAlias = Literal["athena", "duckdb", "spark", "trino"]


@public()
def ddl(
    source: str | os.PathLike[str] | Lake,
    engine: Engine,
    *,
    table: str = "events",
    storage_options: Mapping[str, str] | None = None,
) -> str:
    """Return the SQL that makes a lake, or an archive as it is, a table or a view of another engine.

    Nothing is written or opened: of an archive, the names of its files are listed; of a lake, its log is read. It needs
    ``ctfast[lake]`` for a lake, and for any address.

    Parameters
    ----------
    source
        A :class:`Lake`, the folder or address of one, or the folder or address of an archive.
    engine
        ``"athena"``, ``"trino"``, ``"spark"`` or ``"duckdb"``.
    table
        The name of the table, which may have that of its database before it: ``"security.events"``.
    storage_options
        How a bucket is reached, as for :func:`scan`.

    Returns
    -------
    str
        One statement, or several that belong together, each of which ends with ``;``. Lines that begin with ``--`` tell
        what is not in the table, and what the engine needs.

    Raises
    ------
    ArgumentError
        The engine cannot read what lies there: the message says what it can read instead.
    FileNotFoundError
        There is nothing.

    Examples
    --------
    >>> import ctfast as ct, duckdb
    >>> session = duckdb.connect()
    >>> _ = session.execute(ct.ddl(archive, "duckdb"))
    >>> session.execute("SELECT count(*) FROM events").fetchone()
    (1039,)
    """
    if isinstance(source, Lake):
        if storage_options is not None:
            message = "storage_options are for an address: a Lake has its own"
            raise ArgumentError(message, "storage_options", None, None, "ddl")
        return _of_lake(source._table, engine, table)  # noqa: SLF001  # one lake of two rooms
    lake = _lake(source, storage_options)
    if lake is not None:
        return _of_lake(lake, engine, table)
    return _of_archive(source, engine, table, storage_options)


def _lake(source: str | os.PathLike[str], storage_options: Mapping[str, str] | None) -> Table | None:
    """Return the table of a lake; None if there is none."""
    if not is_address(os.fspath(source)):
        return Table(source) if (Path(source) / LOG).is_dir() else None
    table = Table(source, storage_options)
    return None if table.find() is None else table


def _of_archive(
    source: str | os.PathLike[str], engine: Engine, table: str, storage_options: Mapping[str, str] | None
) -> str:
    if engine == "trino":
        message = (
            'engine="trino" reads one document in a line, and a log of CloudTrail is one document with all its records:'
            " ctfast ingest puts the archive into a lake, which it reads"
        )
        raise ArgumentError(message, "engine", engine, None, "ddl")
    found = placed(source, storage_options)
    if engine == "athena":
        return athena.of_archive(found, table)
    return spark.of_archive(found, table) if engine == "spark" else duckdb.of_archive(found, table)


def _of_lake(table: Table, engine: Engine, name: str) -> str:
    if engine == "duckdb":
        return table.latest(lambda snapshot: duckdb.of_lake(table.store, snapshot, name))
    root = str(table.store)
    table.open()  # or there is no lake to name
    if engine == "spark":
        return spark.of_lake(root, name)
    if not is_address(root):
        message = f'engine="{engine}" reads buckets, and {root} is a folder: ingest into s3://bucket/prefix'
        raise ArgumentError(message, "engine", engine, None, "ddl")
    return athena.of_lake(root, name) if engine == "athena" else trino.of_lake(root, name)
