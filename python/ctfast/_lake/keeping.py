"""What is done with the events that a lake has: they are joined, deleted, held and exported."""

from __future__ import annotations

import os

from ctfast._arguments.gate import public
from ctfast._filter.filters import Filter
from ctfast._lake import reading
from ctfast._lake.compact import Compacted, compact
from ctfast._lake.export import Exported, export
from ctfast._lake.holds import place, release
from ctfast._lake.iceberg import Catalog, ExportedIceberg, export_iceberg
from ctfast._lake.references import forget
from ctfast._lake.retention import Retained, retain

__all__ = ["Lake"]


class Lake(reading.Lake):
    """A lake that is kept: :class:`ctfast.Lake` without what takes archives in."""

    def compact(self) -> Compacted:
        """Join small parts to large ones, and remove files that nobody needs: queries then open fewer files.

        A part that was replaced is removed by a compaction a day later, since queries may still read it; so is what
        killed runs have left.

        Returns
        -------
        Compacted
            How many parts were joined, and how many files were removed.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> messages = [split.write_parquet(lake.path) for split in ct.splits(archive, target=300_000)]
        >>> lake.commit(messages, run="first", n=0).parts > 1
        True
        >>> lake.compact().into, lake.info().parts
        (1, 1)
        """
        return compact(self._table)

    @public()
    def retain(self, days: int, *, delete: bool = False) -> Retained:
        """Delete the events that are more than some days old, by their ``eventTime``, or tell how many these are.

        Afterwards no file of the lake has the deleted events, whichever version of the table names it, except for those
        of runs that may be under way, and those that an Iceberg table names until it is exported again: these are
        counted as ``left``. What :meth:`export` has written is to be exported again as well. The files of the archive
        that they came from stay known, and are not read again. Events that a hold keeps stay, and so do events without
        a time.

        Parameters
        ----------
        days
            How many days are kept: 7 to 3653, as in CloudTrail Lake.
        delete
            Whether they are deleted. By default this only tells what would be.

        Returns
        -------
        Retained
            How many events were deleted, or would be.

        Raises
        ------
        ValueError
            There are holds, and the lake was made without ``raw``.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.retain(3653).rows
        0
        >>> lake.retain(7, delete=True).rows, lake.info().records
        (1039, 0)
        """
        return retain(self._table, days, delete=delete)

    @public()
    def hold(self, name: str, *, where: Filter) -> None:
        """Keep the events that meet a filter from being deleted, until the hold is released.

        Parameters
        ----------
        name
            The name of the hold, such as that of a case.
        where
            Which events.

        Raises
        ------
        ArgumentError
            There is a hold of this name, or no record can meet the filter.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.hold("case 7", where=ct.FilterPattern('{ $.userIdentity.type = "Root" }'))
        >>> done = lake.retain(7, delete=True)
        >>> lake.info().records == done.held > 0
        True
        """
        place(self._table, name, where)

    @public()
    def release(self, name: str) -> None:
        """End a hold.

        Parameters
        ----------
        name
            The name of the hold.

        Raises
        ------
        ArgumentError
            There is no hold of this name.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.hold("case 7", where=ct.FilterPattern('{ $.userIdentity.type = "Root" }'))
        >>> lake.release("case 7")
        >>> lake.holds()
        {}
        """
        release(self._table, name)

    @public()
    def export(self, dest: str | os.PathLike[str]) -> Exported:
        """Write the rows to Parquet files in folders by account, region and day, for engines that read such folders.

        The files are ``account=111122223333/region=eu-west-1/day=2025-03-12/part-….parquet``, and have ``account``,
        ``region`` and ``day`` as columns as well. A repeated call first removes files of events that the lake has no
        longer, and then writes what is missing; an interrupted one is continued. When all is there, ``_SUCCESS`` tells
        of which version of the lake. Until the call is repeated, events that :meth:`retain` deletes stay in the folder.

        Parameters
        ----------
        dest
            The folder: a new one, or one that has an export of this lake. It lies beside the lake.

        Returns
        -------
        Exported
            What the folder has, and what was written and removed.

        Raises
        ------
        ValueError
            The folder has other files, or the export of another lake.

        Examples
        --------
        >>> import ctfast as ct, polars as pl, tempfile
        >>> lake, folder = ct.Lake(tempfile.mkdtemp()), tempfile.mkdtemp()
        >>> _ = lake.ingest(archive)
        >>> lake.export(folder).records, lake.export(folder).added
        (1039, 0)
        >>> pl.read_parquet(f"{folder}/*/*/*/*.parquet", hive_partitioning=False).height
        1039
        """
        return export(self._table, dest)

    @public()
    def export_iceberg(self, catalog: Catalog | str, name: str) -> ExportedIceberg:
        """Let an Iceberg table have the events: its catalogue is given the lake's own files, which are not copied.

        The table is made if it is not there. A repeated call adds what the lake has in addition, and takes out what it
        has no longer. From the first call on, the lake keeps files that :meth:`compact` or :meth:`retain` replace until
        the table is exported again, or forgotten by :meth:`forget_iceberg`. It needs ``ctfast[iceberg]``.

        Parameters
        ----------
        catalog
            A catalogue of pyiceberg, or its name in pyiceberg's configuration.
        name
            The table, with its namespace: ``"security.events"``. The namespace has to be there.

        Returns
        -------
        ExportedIceberg
            What the table has, and what was added and removed.

        Raises
        ------
        ArgumentError
            The catalogue has a table of this name that is not of this lake, or it has no such namespace.
        OSError
            The catalogue fails.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> from pyiceberg.catalog.sql import SqlCatalog
        >>> folder = tempfile.mkdtemp()
        >>> catalog = SqlCatalog("mine", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
        >>> catalog.create_namespace("security")
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.export_iceberg(catalog, "security.events").records
        1039
        >>> catalog.load_table("security.events").scan("eventName = 'ConsoleLogin'").to_arrow().num_rows
        7
        """
        return export_iceberg(self._table, catalog, name)

    @public()
    def forget_iceberg(self, name: str) -> None:
        """Keep no files any more for an Iceberg table, which was dropped or need not be read.

        Parameters
        ----------
        name
            The table, as :meth:`export_iceberg` was given it.

        Raises
        ------
        ArgumentError
            The lake knows of no table of this name.
        """
        forget(self._table, name)
