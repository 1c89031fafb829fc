"""What a scan reports about its files and records: counts that add up, and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from ctfast import _ctfast
from ctfast._arguments.gate import public
from ctfast._later import pl
from ctfast._ledger.findings import Counted, Findings, RuleFinding, Told, summed, tabulated, tabulated_rules
from ctfast._ledger.rows import kept
from ctfast._show import notebook
from ctfast._show.plain import counted
from ctfast._source.object_keys import KeySource
from ctfast.exceptions import ArgumentError, NothingChosen

__all__ = ["Bytes", "Counts", "Duplicates", "Limits", "Records", "Report", "Requests"]


class _Limits(NamedTuple):
    """The two numbers of :class:`Limits`."""

    inflated: int
    ratio: int


class Limits(_Limits):
    """How far a file may inflate; one that inflates further is bad.

    Attributes
    ----------
    inflated : int
        Bytes. CloudTrail's own files have at most 50 MB.
    ratio : int
        Multiple of the file's size, once it has inflated to 1 MiB. CloudTrail's own files stay near 10; deflate reaches
        at most 1,032.
    """

    __slots__ = ()

    @public()
    def __new__(cls, inflated: int = 16 << 30, ratio: int = 250) -> Self:
        """Refuse an invalid limit."""
        return super().__new__(cls, inflated, ratio)


class Counts(NamedTuple):
    """Files of a scan: ``listed == read + bad + skipped``.

    ``listed`` counts each file that the source named and a listing reached, whatever became of it; files of pruned
    folders are not counted. In a run that follows, a file that is opened again, since it has grown or was bad, counts
    again.
    """

    listed: int
    read: int
    bad: int
    skipped: int


class Records(NamedTuple):
    """The contents of the files that were opened: ``seen == read + bad + skipped``.

    ``read`` became rows. ``bad`` are broken. ``skipped`` are records that a filter refused, and what is no record of
    CloudTrail: :attr:`Report.skipped_records` distinguishes them.
    """

    seen: int
    read: int
    bad: int
    skipped: int


class Bytes(NamedTuple):
    """Bytes of the files that were opened, as stored and as inflated."""

    compressed: int
    inflated: int


class Duplicates(NamedTuple):
    """Further records of known events: the same ``eventID`` and the same ``recipientAccountId``, in one run.

    Attributes
    ----------
    copies : int
        Records with the same content as an earlier one, in any order of members. With ``dedupe=True`` they are left
        out, and are among ``records.skipped``.
    differ : int
        Records with other content. They stay.
    without_id : int
        Records without an ``eventID``, which cannot be compared. They stay.
    """

    copies: int
    differ: int
    without_id: int


class Requests(NamedTuple):
    """Requests to buckets: pages of listings, objects or parts of them, retries, and answers that asked to slow down.

    Each try counts among ``lists`` or ``gets``, so that their sum is the number of requests; ``retries`` counts the
    repeated ones among them.
    """

    lists: int
    gets: int
    retries: int
    throttled: int


class Report:
    """What a scan did. Pass one to :func:`ctfast.scan`, and look at it after the query.

    A query that runs twice fills the report with the last run. A query that needs only some rows stops early: then
    :attr:`complete` is false and the counts cover what was read.

    Parameters
    ----------
    files
        Keep a row for each file as well, for :meth:`files_scan`: about 200 bytes each, the latest in memory, the others
        on disk.
    sha256
        Include the SHA-256 of the files in these rows.

    Examples
    --------
    >>> import ctfast as ct
    >>> report = ct.Report()
    >>> events = ct.read(archive, report=report)
    >>> report.files
    Counts(listed=93, read=93, bad=0, skipped=0)
    >>> report.records.read == events.height
    True
    """

    @public()
    def __init__(self, *, files: bool = False, sha256: bool = False) -> None:
        if sha256 and not files:
            message = "sha256 is a column of the files: write ctfast.Report(files=True, sha256=True)"
            raise ArgumentError(message, "sha256", sha256, None, "Report")
        self._keeps = {"files": files, "sha256": sha256}
        self._rules: list[RuleFinding] = []
        self._follow({})

    def _follow(self, asked: Mapping[str, Any], source: KeySource | None = None) -> None:
        """Start again, with the files that this source names."""
        self._asked = dict(asked)
        self._unmatched: list[NothingChosen] = []
        self._remote: _ctfast.Remote | None = None
        self._source: KeySource | Told | None = source
        self._scan: Counted | None = None
        self._past: dict[str, Any] = {}
        self._past_findings = Findings()
        self._more = source is not None
        self._was_complete: bool | None = None
        self._ledger = _ctfast.Ledger(self._keeps["sha256"]) if self._keeps["files"] else None

    def __getstate__(self) -> dict[str, Any]:
        """Return its current state, for a pickle or a deep copy, which follows no scan."""
        source = None if self._source is None else Told(self._source)
        values = self._values() | {"requests": tuple(self.requests)}
        said = {"keeps": self._keeps, "asked": self._asked, "unmatched": self._unmatched, "rules": self._rules}
        return said | {"source": source, "values": values, "findings": self._findings(), "complete": self.complete}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the pickled state."""
        self._keeps, self._rules = state["keeps"], state["rules"]
        self._follow(state["asked"])
        self._unmatched = state["unmatched"]
        self._source, self._past, self._past_findings = state["source"], state["values"], state["findings"]
        self._was_complete = state["complete"]
        self._ledger = None

    def _read_rules(self, found: Iterable[RuleFinding]) -> None:
        """Report about these rules, and no longer about earlier ones."""
        self._rules = list(found)

    def _add(self, scan: Counted) -> None:
        """Include this scan; its counts are fetched whenever the report is read."""
        if self._scan is not None:
            self._past = summed(self._past, self._scan.counts())
            self._past_findings.add(self._scan)
        self._scan = scan

    def _ask(self, remote: _ctfast.Remote | None) -> None:
        """Count the requests of the whole run, including listings before its first scan and after its last."""
        self._remote = remote

    def _end(self) -> None:
        """Note that the source names no more files."""
        self._more = False

    def _values(self) -> dict[str, Any]:
        return summed(self._past, self._scan.counts()) if self._scan else self._past

    def _count(self, name: str) -> int:
        return int(self._values().get(name, 0))

    @property
    def complete(self) -> bool:
        """Whether every file was visited."""
        if self._was_complete is not None:
            return self._was_complete
        finished = self._scan is None or bool(self._scan.counts()["complete"])
        return finished and not self._more and (self._scan is not None or self._source is not None)

    @property
    def files(self) -> Counts:
        """Files listed, read, bad and skipped."""
        read, bad, skipped = (
            self._count("files_read"),
            self._count("files_bad") + self._misunderstood(),
            sum(self.skipped.values()),
        )
        return Counts(read + bad + skipped, read, bad, skipped)

    @property
    def records(self) -> Records:
        """Records seen, read, bad and skipped."""
        read, bad, skipped = self._count("records_read"), self._count("records_bad"), sum(self.skipped_records.values())
        return Records(read + bad + skipped, read, bad, skipped)

    @property
    def duplicates(self) -> Duplicates | None:
        """Duplicates among the records that met the filters; None if they were not counted.

        They are counted by :func:`ctfast.info`, by :func:`ctfast.match`, and with ``dedupe=True``.
        """
        counts = self._values().get("duplicates")
        return None if counts is None else Duplicates(*(counts.get(name, 0) for name in Duplicates._fields))

    @property
    def bytes(self) -> Bytes:
        """Bytes as stored, and as inflated."""
        return Bytes(self._count("bytes_stored"), self._count("bytes_inflated"))

    @property
    def requests(self) -> Requests:
        """Requests to buckets; all 0 for files of the local disk."""
        whole = self._values().get("requests", (0, 0, 0, 0)) if self._remote is None else self._remote.requests()
        return Requests(*whole)

    @property
    def skipped(self) -> dict[str, int]:
        """Files that were not read, by reason: ``name``, ``digest``, ``service``, ``account``, ``time``, and so on.

        This includes what a source of keys skipped.
        """
        scanned = Counter(self._values().get("skipped", {}))
        return dict(scanned if self._source is None else scanned + self._source.skipped)

    @property
    def skipped_records(self) -> dict[str, int]:
        """What did not become a row although it is not broken, by reason; together ``records.skipped``.

        ``filtered`` are records that were not asked for. The other reasons are for content that is not a CloudTrail
        record, wherever it was found: ``not-cloudtrail``, ``control-message``, ``digest`` and ``notification``. Those
        that are ``not-cloudtrail`` are named in :attr:`warnings`, the first 100 of each file. A file that contains
        nothing else is skipped for the same reason.
        """
        filtered = self._count("records_filtered")
        return ({"filtered": filtered} if filtered else {}) | dict(self._values().get("skipped_records", {}))

    @property
    def pruned(self) -> dict[str, int]:
        """Folders that were not even listed, by the same reasons. Their files are not counted."""
        scanned = Counter(self._values().get("pruned", {}))
        return dict(scanned if self._source is None else scanned + self._source.pruned)

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for: ``since``, ``until``, ``accounts``, ``regions``, ``kinds``; None means all.

        A time such as ``7d`` is resolved at the time of the call.
        """
        return dict(self._asked)

    @property
    def unmatched(self) -> list[NothingChosen]:
        """What was asked for without a match, once the query has ended.

        A name that no file has, or why nothing was read at all. Each is also given as a warning, unless it only says
        that there are no files of the requested time: a day may be quiet.
        """
        return list(self._unmatched)

    @property
    def coerced(self) -> dict[str, int]:
        """How many values did not fit their column, by path. They are in ``extra`` or in the column as JSON."""
        return dict(self._values().get("misfits", {}))

    @property
    def bad(self) -> pl.DataFrame:
        """Bad files and bad records: ``file``, ``byte``, ``record``, ``kind``, ``message``, ``records_kept``.

        ``records_kept`` is the number of intact records in the file, whether a filter refused them or not; for a bad
        file, those before the damage.

        The first 100 bad records of each file are named, and 10,000 bad records and 20,000 bad files in total;
        :attr:`unnamed` counts the others.
        """
        return tabulated(self._all().bad)

    @property
    def warnings(self) -> pl.DataFrame:
        """Anything unusual that cost no record, such as zeros after the last gzip member; columns as in :attr:`bad`.

        The first 20,000 are named.
        """
        return tabulated(self._all().warnings)

    @property
    def bad_rules(self) -> pl.DataFrame:
        """Rules that :func:`ctfast.rules` could not read, with ``on_error="collect"``.

        No record was compared with them. Columns as in :attr:`RuleSet.bad`.
        """
        return tabulated_rules(self._rules)

    @property
    def unnamed(self) -> pl.DataFrame:
        """What is counted but not named in :attr:`bad` and :attr:`warnings`: ``file``, ``what``, ``count``.

        ``what`` is ``bad record``, ``bad file`` or ``warning``. A row with a file says how many more bad records that
        file has; one without, how many there are in files of which none is named. Nothing is lost from the counts: the
        bad records that are named and those that are not are all of ``report.records.bad``.
        """
        unnamed = self._all().unnamed
        schema = {"file": pl.String, "what": pl.String, "count": pl.UInt64}
        return pl.DataFrame([(*what, count) for what, count in unnamed.items()], schema=schema, orient="row")

    def files_scan(self) -> pl.LazyFrame:
        """Return one row for each file that the scan has ended, as :func:`ctfast.files` does, without reading it again.

        The rows are those up to now; a later scan adds others. A file whose records are still being handed over has
        no row yet, though these are counted. What does not fit in memory is on disk, in an unnamed file.

        Raises
        ------
        ArgumentError
            The report was not asked to keep files, or is a copy.

        Examples
        --------
        >>> import ctfast as ct, polars as pl
        >>> report = ct.Report(files=True)
        >>> _ = ct.read(archive, report=report, regions="eu-west-1")
        >>> report.files_scan().filter(outcome="pruned").collect()["reason"].unique().sort().to_list()
        ['digest', 'region']
        """
        if self._ledger is None:
            remedy = "files are not in the copy of a report: ask the one that the scan was given"
            if not self._keeps["files"]:
                remedy = "files are not kept by this report: write report = ctfast.Report(files=True) before the scan"
            raise ArgumentError(remedy, "files", self._keeps["files"], None, "Report.files_scan")
        return kept(self._ledger)

    def _findings(self) -> Findings:
        found = self._past_findings.copy()
        if self._scan is not None:
            found.add(self._scan)
        return found

    def _all(self) -> Findings:
        """The findings of the scans, and after them those of the source of keys and of the rules."""
        found = self._findings()
        if self._source is not None:
            found.add_source(self._source)
        for each in self._rules:
            if not each.is_bad:
                found.add_warning((each.file, None, None, each.kind, each.message, 0))
        return found

    def _misunderstood(self) -> int:
        """How many entries a source of keys could not understand."""
        return 0 if self._source is None else len(self._source.bad) + self._source.unnamed

    def __repr__(self) -> str:
        """Return the counts on one line."""
        return f"Report(files={tuple(self.files)}, records={tuple(self.records)}, complete={self.complete})"

    def _repr_html_(self) -> str:
        """Return the counts and findings for a notebook."""
        files, records, skipped = self.files, self.records, self.skipped
        headline = f"{counted(files.read, 'file')} read, {files.bad:,} bad, {files.skipped:,} skipped"
        parts = [notebook.said(self.unmatched)]
        parts += [notebook.counts({"files": files._asdict(), "records": records._asdict()})]
        parts += [notebook.counts({"skipped": skipped})] if skipped else []
        parts += [notebook.rows(pl.concat([self.bad, self.warnings]))]
        return notebook.shown(headline if self.complete else f"{headline}, and not all are visited", *parts)
