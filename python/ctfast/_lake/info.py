"""What a lake holds: :class:`LakeInfo`."""

from __future__ import annotations

from dataclasses import dataclass

from ctfast._lake.audit import entries
from ctfast._lake.layout import VERDICTS
from ctfast._lake.ledger import Ledger
from ctfast._lake.table import Snapshot, Table
from ctfast._lake.verdicts import PROVEN, files
from ctfast._later import pl

__all__ = ["LakeInfo", "info"]


@dataclass(frozen=True)
class LakeInfo:
    """What a lake holds, and what became of all that was read into it.

    ``read`` is the sum of ``records``, ``duplicates``, ``bad`` and ``deleted``.

    Attributes
    ----------
    files, bad_files : int
        Files of archives that the lake knows, and how many of them are bad.
    read : int
        Records that were read.
    records : int
        Records that are stored.
    duplicates : int
        Records that were stored already, with the same content, when they were read.
    bad : int
        Damaged records.
    deleted : int
        Records that were stored, and that a retention has deleted.
    differ : int
        Stored records of an event that was stored before with another content.
    skipped : int
        Records and documents that were not read: not asked for, or no records of CloudTrail.
    proven, unproven : int
        Files that were compared with digests: those whose text is what a valid digest lists, and the others. The rest
        of ``files`` was never compared. :meth:`Lake.verdicts` has each, :meth:`Lake.coverage` each day.
    parts, bytes : int
        Files of the table, and their bytes.
    version : int
        The version of the table.
    """

    files: int
    bad_files: int
    read: int
    records: int
    duplicates: int
    bad: int
    deleted: int
    differ: int
    skipped: int
    proven: int
    unproven: int
    parts: int
    bytes: int
    version: int


def info(table: Table) -> LakeInfo:
    """Count what is in the table, and what became of all that was read into it.

    Raises
    ------
    FileNotFoundError, ValueError
        A file that the table names is gone, or cut; or the numbers do not add up.
    """
    return table.latest(lambda snapshot: _info(table, snapshot))


def _info(table: Table, snapshot: Snapshot) -> LakeInfo:
    ledger = Ledger(table.store, snapshot)
    parts, counts, (files, bad_files) = snapshot.whole_parts(), ledger.counts(), ledger.files()
    judged = _judged(table, snapshot)
    found = LakeInfo(
        files=files,
        bad_files=bad_files,
        read=counts.read,
        records=sum(part.rows for part in parts),
        duplicates=counts.duplicates,
        bad=counts.bad,
        deleted=sum(entry.get("rows", 0) for entry in entries(table.store, snapshot)),
        differ=counts.differ,
        skipped=counts.skipped,
        proven=judged.get(True, 0),
        unproven=judged.get(False, 0),
        parts=len(parts),
        bytes=sum(part.size for part in parts),
        version=snapshot.version,
    )
    if found.read != found.records + found.duplicates + found.bad + found.deleted:
        message = (
            f"{table.store} is damaged: {found.read} records were read, but {found.records} are stored, "
            f"{found.duplicates} were stored already, {found.bad} are bad and {found.deleted} were deleted"
        )
        raise ValueError(message)
    return found


def _judged(table: Table, snapshot: Snapshot) -> dict[bool, int]:
    """Return how many files are proven, and how many were compared and are not."""
    if not snapshot.beside(VERDICTS):
        return {}
    rows = files(table.store, snapshot).drop_nulls("verdict").group_by(pl.col("verdict") == PROVEN).len().collect()
    return dict(rows.iter_rows())
