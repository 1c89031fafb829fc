"""What a lake tells: its events, and what became of files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from ctfast._arguments.gate import public
from ctfast._filter.filters import Filter
from ctfast._lake.audit import entries
from ctfast._lake.bad import bad_files, bad_records
from ctfast._lake.changes import Change, changes
from ctfast._lake.holds import holds
from ctfast._lake.info import LakeInfo, info
from ctfast._lake.ledger import Ledger
from ctfast._lake.rows import rows
from ctfast._lake.table import Snapshot, Table
from ctfast._lake.verdicts import READING, coverage, verdicts
from ctfast._later import pl
from ctfast._scan.follow import INTERVAL, Follow
from ctfast._source.addresses import is_address

__all__ = ["Lake"]


class Lake:
    """A lake that is read: :class:`ctfast.Lake` without what changes it."""

    @public()
    def __init__(self, path: str | os.PathLike[str], *, storage_options: Mapping[str, str] | None = None) -> None:
        self._storage_options = storage_options
        self._table = Table(path, storage_options)

    def __repr__(self) -> str:
        """Return the call that makes it."""
        return f"Lake({str(self.path)!r})"

    @property
    def path(self) -> Path | str:
        """The folder, or the address."""
        root = str(self._table.store)
        return root if is_address(root) else Path(root)

    @public()
    def scan(self, *, verified: bool = False) -> pl.LazyFrame:
        """Return the events.

        A query for single values, such as an access key, an ARN, an address or the id of an event, opens only what may
        have them; one for times, accounts, regions or names of events opens only the files whose bounds include them.

        Parameters
        ----------
        verified
            Whether there is a column ``verdict``: ``proven`` if the text of the file of the row, as it was read, is
            what a valid digest lists; else why it is not, as in :meth:`verdicts`; null if it was never compared.

        Returns
        -------
        polars.LazyFrame
            The columns of :func:`ctfast.scan` that the lake has, ``month``, and ``ingest``: which split wrote the row.

        Raises
        ------
        FileNotFoundError
            There is no lake yet, or a file of it is gone.
        ValueError
            ``verified`` was asked of a lake that was made without ``file``.

        Warns
        -----
        UserWarning
            When the query runs: a file beside a part, which tells what the part may have, is damaged. The part is read.

        Examples
        --------
        >>> import ctfast as ct, polars as pl, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.scan().filter(pl.col("eventName") == "ConsoleLogin").select(pl.len()).collect().item()
        7
        """
        return self._table.latest(lambda snapshot: self._rows(snapshot, verified=verified))

    def _rows(self, snapshot: Snapshot, *, verified: bool) -> pl.LazyFrame:
        """Return the rows of a version of the table, with the verdicts on their files if these are asked for."""
        found = rows(self._table.store, snapshot)
        return self._with_verdicts(found, snapshot) if verified else found

    def _with_verdicts(self, found: pl.LazyFrame, snapshot: Snapshot) -> pl.LazyFrame:
        """Add the verdict on the file of each row."""
        if "file" not in snapshot.schema().names:
            raise ValueError(f"{self._table.store} was made without file, which verdicts are about")
        known = verdicts(self._table.store, snapshot).select(*READING, "verdict")
        split = pl.col("ingest").struct.field("split")
        return found.join(known, left_on=["file", split], right_on=READING, how="left", maintain_order="left")

    @public()
    def changes(self, since: int = 0, *, follow: bool = False, interval: timedelta = INTERVAL) -> Iterator[Change]:
        """Return what was added after a version of the table, commit by commit: for what looks at each event once.

        Ingests and commits add events; compactions, retentions and holds add none, and take nothing away from this:
        events that were moved to another file since are found there. Only what a retention has deleted is gone. Note
        :attr:`Change.version` once what was made of its events is safe, and continue ``since`` that version: then no
        event is missed, and what was not noted comes again, in the same changes.

        Parameters
        ----------
        since
            The version after which to begin; by default all that was ever added. ``info().version`` is the latest one.
        follow
            Continue when all is returned: look for new versions again and again. The iterator then has no end. A look
            that fails, except for the first one, is reported to the logger ``ctfast``, and comes again.
        interval
            How long to wait after each look for new versions, between a second and a day.

        Returns
        -------
        iterator of Change
            In the order of the commits.

        Raises
        ------
        FileNotFoundError
            There is no lake in the folder yet.
        ArgumentError
            The table has no such version yet: it is another lake.

        Examples
        --------
        >>> import ctfast as ct, polars as pl, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive, until="2025-03-12T06:00")
        >>> _ = lake.ingest(archive)
        >>> for change in lake.changes():
        ...     logins = change.scan().filter(pl.col("eventName") == "ConsoleLogin").collect()
        ...     print(change.version, change.stored, logins.height)
        1 60 0
        2 979 7
        >>> list(lake.changes(since=change.version))
        []
        """
        return changes(self._table, since, Follow(interval, patience=timedelta.max) if follow else None)

    def copies(self) -> pl.LazyFrame:
        """Return where events were seen again that were stored already.

        Returns
        -------
        polars.LazyFrame
            ``eventID`` and ``recipientAccountId`` of the event, ``file`` and ``record`` of the place; a row for each
            record that was left out.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.copies().collect().height == lake.info().duplicates
        True
        """
        return self._table.latest(lambda snapshot: Ledger(self._table.store, snapshot).copies())

    def verdicts(self) -> pl.LazyFrame:
        """Return what digests prove of each file that was compared with them, by an ingest with ``keys``.

        Returns
        -------
        polars.LazyFrame
            ``file``, and the ``split`` that has read it; ``account``, ``region`` and ``delivered`` as its name has
            them; ``verdict``: ``proven``, or the reason of :func:`ctfast.verify` why it is not, or ``changed`` if the
            file was not what it is now when it was read; ``sha256`` of its bytes as it was read; ``text_sha256`` as it
            was verified; the ``digest`` that lists it; and when it was ``verified``. A file that was proven once stays
            so.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive, keys=keys, signatures=signatures)
        >>> lake.verdicts().collect()["verdict"].value_counts().rows()
        [('proven', 93)]
        """
        return self._table.latest(lambda snapshot: verdicts(self._table.store, snapshot))

    def coverage(self) -> pl.DataFrame:
        """Return what is proven of each account, region and day of delivery.

        Returns
        -------
        polars.DataFrame
            ``account``, ``region``, ``day``; the numbers of ``files`` that the lake knows, of those that are
            ``proven``, ``unproven`` (and, among these, ``unlisted``: no digest lists them), and ``unchecked``: never
            compared; of files that digests list, and that were ``missing`` before they were read; how much time digests
            of some trail have ``covered``, how much a verification has found ``uncovered``, and the
            ``reasons``, as in :attr:`Verification.ranges`. Of time that is neither covered nor uncovered, no
            verification has said anything.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive, keys=keys, signatures=signatures)
        >>> lake.coverage().select("region", "day", "proven", "unproven", "covered").row(0)
        ('eu-west-1', datetime.date(2025, 3, 12), 47, 0, datetime.timedelta(seconds=85944))
        """
        return self._table.latest(lambda snapshot: coverage(self._table.store, snapshot))

    def bad(self) -> pl.LazyFrame:
        """Return the files that are bad: a file that has changed is what it was when it was last read.

        Returns
        -------
        polars.LazyFrame
            ``file``, the ``byte`` where it is damaged, if that is known, the ``reason``, as in ``report.bad``,
            ``records_read``: how many records could be read in spite of it, and the ``message`` about it.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.bad().collect().height
        0
        """
        return self._table.latest(lambda snapshot: bad_files(self._table.store, snapshot))

    def bad_records(self) -> pl.LazyFrame:
        """Return the bad records of the files as they were read last, also of files that are not bad themselves.

        Returns
        -------
        polars.LazyFrame
            ``file``, the number of the ``record`` in it, the ``byte``, the ``reason`` and the ``message``, as in
            :attr:`Report.bad`, and ``count``: 1, or in a row without a record how many more the file has. As many are
            named as in a report.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.bad_records().collect().height
        0
        """
        return self._table.latest(lambda snapshot: bad_records(self._table.store, snapshot))

    def holds(self) -> dict[str, Filter]:
        """Return the filters of the holds that are in force, by their names.

        Returns
        -------
        dict
            In the order in which they were placed.
        """
        return holds(self._table, self._table.open())

    def audit(self) -> list[dict[str, Any]]:
        """Return what was done to the lake besides taking archives in.

        Returns
        -------
        list of dict
            An entry for each hold, release, retention, compaction and export to Iceberg, the first one first:
            ``action``, ``time``, the
            ``version`` of the table that it made, and what belongs to it.
        """
        return entries(self._table.store, self._table.open())

    def info(self) -> LakeInfo:
        """Tell what the lake holds.

        Returns
        -------
        LakeInfo
            Counts of files and records.

        Raises
        ------
        FileNotFoundError
            There is no lake yet, or a file of it is gone.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> info = lake.info()
        >>> info.files, info.read == info.records + info.duplicates + info.bad
        (93, True)
        """
        return info(self._table)
