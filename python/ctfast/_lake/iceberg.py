"""A lake as an Iceberg table: the catalogue is given the lake's own files, which are not copied.

What the table has follows from what the lake has: the difference is committed in one snapshot, which the catalogue
refuses if another one has come since. So an export that is repeated, raced or interrupted names no file twice.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from ctfast._lake.references import exported, refer
from ctfast._lake.schema import covers
from ctfast._lake.sweep import sweep
from ctfast._lake.table import LostRaceError, Snapshot, Table
from ctfast._later import load
from ctfast._scan.part import MONTH, STATISTICS
from ctfast._show.words import quoted
from ctfast._store.store import Store
from ctfast.exceptions import ArgumentError

__all__ = ["Catalog", "ExportedIceberg", "export_iceberg"]

#: ``pyiceberg.catalog.Catalog``, of a package that may not be installed.
Catalog: TypeAlias = Any

#: Properties of the table, and of its snapshots: of which lake, and of which version of it.
_LAKE, _VERSION = "ctfast.lake", "ctfast.version"
#: Of the columns that have bounds in the lake's log, and of the partition, the table has the bounds of each file; of
#: others not, since its manifests outlive rows that are deleted.
_METRICS = "write.metadata.metrics."
#: How often pyiceberg itself repeats a commit that was refused: it would add the same files to what was first.
_RETRIES = "commit.retry.num-retries"
_MAPPING = "schema.name-mapping.default"
#: Each attempt that fails means that another export has succeeded, or the lake has changed.
_ATTEMPTS = 100


@dataclass(frozen=True)
class ExportedIceberg:
    """What an Iceberg table has of a lake.

    Attributes
    ----------
    version : int
        The version of the lake.
    files, records : int
        What the table has now.
    added, removed : int
        Files that it was given, and that were taken out of it.
    deleted : int
        Files of the lake that retentions have replaced, and that were kept for this table until now.
    iceberg : tuple of str
        Other tables that such files still wait for.
    """

    version: int
    files: int
    records: int
    added: int
    removed: int
    deleted: int
    iceberg: tuple[str, ...]


def export_iceberg(table: Table, catalog: Catalog | str, name: str) -> ExportedIceberg:
    """Let an Iceberg table have the files of the lake, and remove those that were kept for it."""
    catalog = _catalog(catalog)
    snapshot = table.open()
    if unusable := next((each for each in "?#" if each in str(table.store)), None):
        message = f"{table.store} has a {quoted(unusable)}, after which Iceberg's readers see no path: move the lake"
        raise ValueError(message)
    with _told(name):
        found = _opened(catalog, name, snapshot)
    uuid = str(found.metadata.table_uuid)
    refer(table, name, uuid)
    done = _renewed(table, found, name)
    over = exported(table, name, uuid, done.version)
    months = [entry["before"][:7] for entry in over if entry["action"] == "retain"]
    if not months:
        return done
    swept = sweep(table, max(months), lambda _: True)
    return ExportedIceberg(
        done.version, done.files, done.records, done.added, done.removed, swept.deleted, swept.iceberg
    )


def _catalog(given: Catalog | str) -> Catalog:
    """Return a catalogue, which may be given by its name in pyiceberg's own configuration."""
    try:
        catalogs = load("pyiceberg.catalog")
    except ImportError:
        message = "an Iceberg table needs pyiceberg: pip install 'ctfast[iceberg]'"
        raise ImportError(message) from None
    if not isinstance(given, str):
        return given
    try:
        return catalogs.load_catalog(given)
    except Exception as error:
        message = f"catalog {quoted(given)}: {_first(error)}"
        raise ArgumentError(message, "catalog", given, None, "Lake.export_iceberg") from error


def _opened(catalog: Catalog, name: str, snapshot: Snapshot) -> Any:
    """Return the table of this lake, which is made if there is none of this name."""
    exceptions = load("pyiceberg.exceptions")
    try:
        found = catalog.load_table(name)
    except exceptions.NoSuchTableError:
        try:
            _make(catalog, name, snapshot)
        except exceptions.NoSuchNamespaceError:
            space = name.rpartition(".")[0]
            message = f"name {quoted(name)}: the catalogue has no namespace {quoted(space)}: make it first"
            raise ArgumentError(message, "name", name, None, "Lake.export_iceberg") from None
        except (exceptions.TableAlreadyExistsError, exceptions.CommitFailedException):
            pass  # another export was first, or the next step fails and says why
        found = catalog.load_table(name)
    if found.properties.get(_LAKE) != snapshot.id:
        message = f"name {quoted(name)}: the catalogue has a table of this name that is not of this lake: name another"
        raise ArgumentError(message, "name", name, None, "Lake.export_iceberg")
    return found


def _make(catalog: Catalog, name: str, snapshot: Snapshot) -> None:
    """Make an empty table."""
    there = snapshot.schema()
    bounded = [column for column in (*STATISTICS, MONTH) if column in there.names]
    properties = {
        _LAKE: snapshot.id,
        _RETRIES: "0",
        f"{_METRICS}default": "none",
        **{f"{_METRICS}column.{column}": "full" for column in bounded},
    }
    with catalog.create_table_transaction(name, there, properties=properties) as made:
        with made.update_spec() as partition:
            partition.add_identity(MONTH)
        # The files have names of columns, and no ids.
        made.set_properties({_MAPPING: made.table_metadata.schema().name_mapping.model_dump_json()})


def _renewed(table: Table, found: Any, name: str) -> ExportedIceberg:
    """Commit the difference between what the table has and what the lake has, until there is none."""
    added = removed = 0
    for _ in range(_ATTEMPTS):
        with _told(name):
            found.refresh()
        snapshot = table.open()
        if _version(found) > snapshot.version:
            message = (
                f"the Iceberg table {quoted(name)} has version {_version(found)} of {table.store}, which is at version "
                f"{snapshot.version}: an older copy of the lake was put back. Export it under another name"
            )
            raise ValueError(message)
        parts = {_address(table.store, part.path): part for part in snapshot.parts()}
        with _told(name):
            there = [task.file for task in found.scan().plan_files()]
        times = Counter(file.file_path for file in there)
        new = [address for address in parts if times[address] != 1]
        old = [file for file in there if file.file_path not in parts or times[file.file_path] > 1]
        if not new and not old:
            rows = sum(part.rows for part in parts.values())
            return ExportedIceberg(snapshot.version, len(parts), rows, added, removed, 0, ())
        try:
            with _told(name):
                _commit(found, snapshot, new, old)
        except LostRaceError:
            continue
        except FileNotFoundError:
            if table.open().version == snapshot.version:
                raise
            continue
        added, removed = added + len(new), removed + len(old)
    message = f"{quoted(name)}: other commits were first {_ATTEMPTS} times"
    raise TimeoutError(message)


def _commit(found: Any, snapshot: Snapshot, new: list[str], old: list[Any]) -> None:
    """Add files and remove others in one snapshot, with the columns that the table lacks."""
    exceptions, arrow = load("pyiceberg.exceptions"), load("pyiceberg.io.pyarrow")
    properties = {_LAKE: snapshot.id, _VERSION: str(snapshot.version)}
    try:
        with found.transaction() as changed:
            if not covers(found.schema().as_arrow(), snapshot.schema()):
                with changed.update_schema() as columns:
                    columns.union_by_name(snapshot.schema())
            with changed.update_snapshot(snapshot_properties=properties).overwrite() as files:
                for address in new:
                    files.append_data_file(arrow.parquet_file_to_data_file(found.io, changed.table_metadata, address))
                for file in old:
                    files.delete_data_file(file)
    except (exceptions.CommitFailedException, exceptions.CommitStateUnknownException) as error:
        raise LostRaceError from error  # whether it was made after all, the next look tells


def _version(found: Any) -> int:
    """Return the version of the lake that the table has; -1 if it has none."""
    current = found.current_snapshot()
    return (
        -1
        if current is None or current.summary is None
        else int(current.summary.additional_properties.get(_VERSION, -1))
    )


def _address(store: Store, path: str) -> str:
    """Return the one spelling of where a file is."""
    place = store.at(path)
    return f"file://{place}" if place.startswith("/") else place


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn what the catalogue raises, which may be of any package, into one sentence."""
    try:
        yield
    except (ArgumentError, LostRaceError, OSError):
        raise
    except Exception as error:
        raise OSError(errno.EIO, f"the Iceberg catalogue: {_first(error)}", name) from error


def _first(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
