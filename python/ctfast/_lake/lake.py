"""The lake as users see it: :class:`Lake`. What it tells, and what is done with its events, it has from two others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Literal, Unpack

from ctfast._arguments.gate import Ingesting, processors, public
from ctfast._integrity.public_keys import Keys
from ctfast._integrity.signatures import Signatures
from ctfast._lake import keeping
from ctfast._lake.commit import commit
from ctfast._lake.info import LakeInfo
from ctfast._lake.ingest import Ingest, Ingested, IngestProgress
from ctfast._lake.planned import IngestPlan
from ctfast._lake.prove import Signed
from ctfast._lake.retry import Retried, retry
from ctfast._ledger.report import Limits
from ctfast._scan.follow import INTERVAL, Follow
from ctfast._scan.message import SplitMessage
from ctfast._scan.options import COLUMNS, ask
from ctfast._source.addresses import Source
from ctfast._source.object_keys import KeySource
from ctfast.exceptions import ArgumentError

__all__ = ["Lake"]


class Lake(keeping.Lake):
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
