"""The lake as users see it: :class:`Lake`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Unpack

from ctfast._arguments.gate import Ingesting, processors, public
from ctfast._filter.filters import Filter
from ctfast._integrity.public_keys import Keys
from ctfast._integrity.signatures import Signatures
from ctfast._lake.audit import entries
from ctfast._lake.bad import bad_files, bad_records
from ctfast._lake.changes import Change, changes
from ctfast._lake.commit import commit
from ctfast._lake.compact import Compacted, compact
from ctfast._lake.export import Exported, export
from ctfast._lake.holds import holds, place, release
from ctfast._lake.iceberg import Catalog, ExportedIceberg, export_iceberg
from ctfast._lake.info import LakeInfo, info
from ctfast._lake.ingest import Ingest, Ingested, IngestProgress
from ctfast._lake.ledger import Ledger
from ctfast._lake.planned import IngestPlan
from ctfast._lake.prove import Signed
from ctfast._lake.references import forget
from ctfast._lake.retention import Retained, retain
from ctfast._lake.retry import Retried, retry
from ctfast._lake.rows import rows
from ctfast._lake.table import Snapshot, Table
from ctfast._lake.verdicts import READING, coverage, verdicts
from ctfast._later import pl
from ctfast._ledger.report import Limits
from ctfast._scan.follow import INTERVAL, Follow
from ctfast._scan.message import SplitMessage
from ctfast._scan.options import COLUMNS, ask
from ctfast._source.addresses import Source, is_address
from ctfast._source.object_keys import KeySource
from ctfast.exceptions import ArgumentError

__all__ = ["Lake"]


class Lake:
    """Years of events in one place, each once: a Delta table in a folder or a bucket, without a server.

    Archives are taken in by :meth:`ingest`, or by :meth:`commit` of what splits have written anywhere. The table is
    read by :meth:`scan`, and by all that reads Delta tables or Parquet files. It needs ``ctfast[lake]``.

    Parameters
    ----------
    path
        The folder, or an address ``s3://bucket/prefix``. It becomes a lake by the first ingest or commit.
    storage_options
        How the bucket is reached, as for :func:`ctfast.scan`.

    Examples
    --------
    >>> import ctfast as ct, tempfile
    >>> lake = ct.Lake(tempfile.mkdtemp())
    >>> lake.ingest(archive).stored
    1039
    >>> lake.ingest(archive).known, lake.info().records
    (93, 1039)
    """

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

    @public(options=Ingesting)
    def ingest(
        self,
        source: Source,
        *,
        raw: bool = True,
        keys: Keys | None = None,
        signatures: Signatures | None = None,
        relocated_from: str | None = None,
        restore: Literal["bulk", "standard"] | None = None,
        progress: Callable[[IngestProgress], object] | None = None,
        storage_options: Mapping[str, str] | None = None,
        **options: Unpack[Ingesting],
    ) -> Ingested:
        """Read what is in an archive and not yet in the lake, and store it.

        A file that the lake knows by its path or address, its size, and its ETag, or its time if it has no ETag, is not
        read again. An event that is stored already with the same content is not stored again, whichever file it comes
        from; :meth:`copies` tells where it was seen. An interrupted ingest is continued by the same call. Bad files are
        counted, their other records are stored, and they are read again once they have changed.

        Parameters
        ----------
        source, **options
            As for :func:`ctfast.scan`; a lake has the answers to one ``where`` only.
        versions
            Whether old versions of objects are read as well: those that were replaced or deleted in a bucket that keeps
            them. Their column ``file`` ends with ``?versionId=`` and the id of the version. This needs boto3.
        raw
            Whether the text of each record is stored as well.
        keys, signatures, relocated_from
            By what the digests of the archive are verified, as for :func:`ctfast.verify`: then the lake knows of each
            file whether it is proven that its text, as it was read, is what CloudTrail has delivered. Files that were
            read before without keys are compared as well: they are read again, but no event is stored again, and a file
            that has changed in between is not proven.
        restore
            Ask S3 to restore the objects in its archive classes that have to be restored before they can be read, in
            this tier, for a week; :meth:`plan` tells the price. An ingest a few hours or days later reads them. This
            needs boto3.
        progress
            Called with an :class:`IngestProgress` after each split.
        storage_options
            How buckets of the source are reached, as for :func:`ctfast.scan`; by default as that of the lake.

        Returns
        -------
        Ingested
            What was added.

        Raises
        ------
        ArgumentError
            There are signatures, or the place that the archive was copied from, without keys.
        ValueError
            There is another Delta table, or a lake with other columns or another ``where``.
        FileNotFoundError
            The source does not exist.
        ServiceError
            S3 refuses to restore an object.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> done = ct.Lake(tempfile.mkdtemp()).ingest(archive, keys=keys, signatures=signatures)
        >>> done.proven, done.unproven, done.verification.ok
        (93, 0, True)
        >>> import ctfast as ct, tempfile
        >>> done = ct.Lake(tempfile.mkdtemp()).ingest(archive, since="2025-03-12T06:00", raw=False)
        >>> done.read == done.stored + done.duplicates + done.bad
        True
        """
        for name, value in (("signatures", signatures), ("relocated_from", relocated_from)):
            if keys is None and value is not None:
                message = f"{name} is for digests, which are verified with keys: give keys as well"
                raise ArgumentError(message, name, None, None, "Lake.ingest")
        signed = None if keys is None else Signed(keys, signatures, relocated_from)
        ingest = self._ingest("Lake.ingest", source, options, raw, progress, storage_options, signed)
        return ingest.look(restore)

    @public(options=Ingesting)
    def plan(
        self,
        source: Source,
        *,
        raw: bool = True,
        storage_options: Mapping[str, str] | None = None,
        **options: Unpack[Ingesting],
    ) -> IngestPlan:
        """Tell what :meth:`ingest` would read: nothing is opened, written or asked for.

        Parameters
        ----------
        source, raw, storage_options, **options
            As for :meth:`ingest`.

        Returns
        -------
        IngestPlan
            Files and bytes by month and account, those that are known, and what it takes to restore others.

        Raises
        ------
        ValueError, FileNotFoundError
            As for :meth:`ingest`.

        Examples
        --------
        >>> import ctfast as ct, polars as pl, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> lake.plan(archive).files.group_by("state").agg(pl.col("files").sum()).rows()
        [('new', 93)]
        """
        return self._ingest("Lake.plan", source, options, raw, None, storage_options).plan()

    @public(options=Ingesting)
    def follow(
        self,
        source: Source,
        *,
        interval: timedelta = INTERVAL,
        raw: bool = True,
        progress: Callable[[IngestProgress], object] | None = None,
        storage_options: Mapping[str, str] | None = None,
        **options: Unpack[Ingesting],
    ) -> Iterator[Ingested]:
        """Ingest what is in an archive, and then look again and again for what has come since.

        Each round does what :meth:`ingest` does. What the lake knows is kept from one round to the next, so that a
        round lists the archive and reads what is new. Files that could not be reached are tried again after 1, 2, 4 …
        rounds, up to 64. The first round has to succeed; a later one that fails, such as while a store is down, is
        reported to the logger ``ctfast``, and the next one comes after a longer wait, up to 15 minutes.

        Parameters
        ----------
        source, raw, progress, storage_options, **options
            As for :meth:`ingest`. A ``since`` that is a duration counts from the call.
        interval
            How long to wait after each round, between a second and a day.

        Returns
        -------
        iterator of Ingested
            What each round has added, as soon as it is in the lake. It has no end: leave the loop, or raise an
            exception, as Ctrl-C does.

        Raises
        ------
        ValueError
            As for :meth:`ingest`, also in a later round.
        FileNotFoundError
            The source does not exist in the first round.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> for done in ct.Lake(tempfile.mkdtemp()).follow(archive):
        ...     break
        >>> done.stored
        1039
        """
        ingest = self._ingest("Lake.follow", source, options, raw, progress, storage_options)
        return Follow(interval, patience=timedelta.max).rounds(ingest.look)

    def _ingest(
        self,
        function: str,
        source: Source,
        options: Ingesting,
        raw: bool,  # noqa: FBT001  # as it was given
        progress: Callable[[IngestProgress], object] | None,
        storage_options: Mapping[str, str] | None,
        signed: Signed | None = None,
    ) -> Ingest:
        if isinstance(source, KeySource):
            message = "source must be an archive that can be listed: splits of a list of keys can be committed"
            raise ArgumentError(message, "source", None, None, function)
        storage_options = self._storage_options if storage_options is None else storage_options
        given: dict[str, Any] = dict(options)
        versions = given.pop("versions", False)
        asked = ask(function, source, storage_options=storage_options, on_error="collect", **given)
        columns = [name for name in COLUMNS if raw or name != "raw"]
        threads = options.get("threads") or processors()
        return Ingest(self._table, asked, columns, threads, progress, storage_options, versions=versions, signed=signed)

    @public()
    def commit(self, messages: Iterable[SplitMessage], *, run: str, n: int) -> LakeInfo:
        """Add what splits have written into the lake, by :meth:`Split.write_parquet` to its :attr:`path`.

        The parts are added together or not at all. Events that the lake has already are left out: a part with such
        events is written again without them. A repeated call of the same ``run`` and ``n`` changes nothing, and neither
        does a split that was committed before, so that a call may be repeated when its outcome is unknown.

        Parameters
        ----------
        messages
            What :meth:`Split.write_parquet` has returned.
        run
            A name of the run, which no other run has.
        n
            The number of the commit in the run.

        Returns
        -------
        LakeInfo
            What the lake holds now.

        Raises
        ------
        ValueError
            The splits ask for something else than what the lake has.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> messages = [split.write_parquet(lake.path) for split in ct.splits(archive, target=300_000)]
        >>> lake.commit(messages, run="first", n=0).records
        1039
        >>> lake.commit(messages, run="first", n=0).records
        1039
        """
        commit(self._table, list(messages), run, n)
        return self.info()

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

    @public()
    def retry(
        self,
        *,
        threads: int | None = None,
        limits: Limits | None = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> Retried:
        """Read again the files that are bad, or have bad records, where they came from.

        Events that are there now are added, each once. A file that gives the same as before changes nothing.

        Parameters
        ----------
        threads, limits
            As for :func:`ctfast.scan`.
        storage_options
            How buckets of the archives are reached, as for :func:`ctfast.scan`; by default as that of the lake.

        Returns
        -------
        Retried
            How many are whole now, still bad, or gone.

        Examples
        --------
        >>> import ctfast as ct, tempfile
        >>> lake = ct.Lake(tempfile.mkdtemp())
        >>> _ = lake.ingest(archive)
        >>> lake.retry().files
        0
        """
        storage_options = self._storage_options if storage_options is None else storage_options
        return retry(self._table, threads or processors(), limits, storage_options)

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

    def holds(self) -> dict[str, Filter]:
        """Return the filters of the holds that are in force, by their names.

        Returns
        -------
        dict
            In the order in which they were placed.
        """
        return holds(self._table, self._table.open())

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
