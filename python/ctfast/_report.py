"""What a scan tells of its files and records: counts that add up, and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import polars as pl

from ctfast import _ctfast
from ctfast._objects import KeySource
from ctfast.exceptions import CloudTrailError

__all__ = ["FINDING", "UNNAMED", "Bytes", "Counts", "Duplicates", "Limits", "Records", "Report", "Requests"]

#: Columns of findings.
FINDING = {
    "file": pl.String,
    "byte": pl.UInt64,
    "record": pl.UInt64,
    "kind": pl.String,
    "message": pl.String,
    "records_kept": pl.UInt64,
}

#: Columns of what is counted but not named.
UNNAMED = {"file": pl.String, "what": pl.String, "count": pl.UInt64}


class Limits(NamedTuple):
    """What one file may inflate to; more is a bad file.

    Attributes
    ----------
    inflated : int
        Bytes. CloudTrail's own files end at 50 MB.
    ratio : int
        Times the size of the file, once it has inflated to 1 MiB. CloudTrail's own files stay near 10; deflate ends at 1,032.
    """

    inflated: int = 16 << 30
    ratio: int = 250


class Counts(NamedTuple):
    """Files of a scan: ``listed == read + bad + skipped``."""

    listed: int
    read: int
    bad: int
    skipped: int


class Records(NamedTuple):
    """Records of the files that were read: ``seen == read + bad + skipped``; those that a filter refused are skipped."""

    seen: int
    read: int
    bad: int
    skipped: int


class Bytes(NamedTuple):
    """Bytes of the files that were opened, as stored and as inflated."""

    compressed: int
    inflated: int


class Duplicates(NamedTuple):
    """Records of events that came before: the same ``eventID`` and the same ``recipientAccountId``, in one run.

    Attributes
    ----------
    copies : int
        Records that say the same as an earlier one, whatever the order of their members. With ``dedupe=True`` they are left out,
        and are among ``records.skipped``.
    differ : int
        Records that say something else. They stay.
    without_id : int
        Records without an ``eventID``, of which nothing can be told. They stay.
    """

    copies: int
    differ: int
    without_id: int


class Requests(NamedTuple):
    """Requests to buckets: pages of listings, objects or parts of them, those made again, and answers that asked to slow down."""

    lists: int
    gets: int
    retries: int
    throttled: int


class Report:
    """What a scan did. Pass one to :func:`ctfast.scan` and look at it when the query has run.

    A query that runs twice fills the report with the last run. A query that needs only some rows stops early: then
    :attr:`complete` is false and the counts cover what was read until then.

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

    def __init__(self) -> None:
        self._follow()

    def _follow(self, source: KeySource | None = None) -> None:
        """Begin anew, with what this source names."""
        self._remote: _ctfast.Remote | None = None
        self._source = source
        self._scan: _ctfast.Scan | None = None
        self._past: dict[str, Any] = {}
        self._past_findings = _Findings()
        self._more = source is not None

    def _add(self, scan: _ctfast.Scan) -> None:
        """Speak of this scan as well; it is asked when the report is."""
        if self._scan is not None:
            self._past = _sum(self._past, self._scan.counts())
            self._past_findings.add(self._scan)
        self._scan = scan

    def _ask(self, remote: _ctfast.Remote | None) -> None:
        """Count the requests of the whole run, listings among them, which begin before its first scan and end after its last."""
        self._remote = remote

    def _end(self) -> None:
        """Note that the source names no more files."""
        self._more = False

    def _values(self) -> dict[str, Any]:
        return _sum(self._past, self._scan.counts()) if self._scan else {}

    def _count(self, name: str) -> int:
        return int(self._values().get(name, 0))

    @property
    def complete(self) -> bool:
        """Whether every file was visited."""
        finished = self._scan is None or bool(self._scan.counts()["complete"])
        return finished and not self._more and (self._scan is not None or self._source is not None)

    @property
    def files(self) -> Counts:
        """Files listed, read, bad and skipped."""
        read, bad, skipped = (
            self._count("files_read"),
            self._count("files_bad") + len(self._misunderstood()) + self._more_misunderstood(),
            sum(self.skipped.values()),
        )
        return Counts(read + bad + skipped, read, bad, skipped)

    @property
    def records(self) -> Records:
        """Records seen, read, bad and skipped."""
        read, bad, skipped = (self._count(f"records_{name}") for name in ("read", "bad", "skipped"))
        return Records(read + bad + skipped, read, bad, skipped)

    @property
    def duplicates(self) -> Duplicates | None:
        """Records of events that came before, among those that met the filters; None where they were not counted.

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

        With a source of keys, what it passed over is among them.
        """
        scanned = Counter(self._values().get("skipped", {}))
        return dict(scanned if self._source is None else scanned + self._source.skipped)

    @property
    def pruned(self) -> dict[str, int]:
        """Folders that were not even listed, by the same reasons. Their files are in no count."""
        scanned = Counter(self._values().get("pruned", {}))
        return dict(scanned if self._source is None else scanned + self._source.pruned)

    @property
    def coerced(self) -> dict[str, int]:
        """How many values did not fit their column, by its path. They are in ``extra``, or in the column as JSON text."""
        return dict(self._values().get("misfits", {}))

    @property
    def bad(self) -> pl.DataFrame:
        """Bad files and bad records: ``file``, ``byte``, ``record``, ``kind``, ``message``, ``records_kept``.

        Of one file the first 100 bad records are named, of all files 10,000 bad records and 20,000 bad files;
        :attr:`unnamed` says how many there are besides.
        """
        return pl.DataFrame(self._findings().bad + self._misunderstood(), schema=FINDING, orient="row")

    @property
    def warnings(self) -> pl.DataFrame:
        """What is strange but cost no record, such as zeros after the last gzip member; columns as in :attr:`bad`.

        The first 20,000 are named.
        """
        told = [] if self._source is None else _rows(self._source.warnings)
        return pl.DataFrame(self._findings().warnings + told, schema=FINDING, orient="row")

    @property
    def unnamed(self) -> pl.DataFrame:
        """What is counted, but not named in :attr:`bad` and :attr:`warnings`: ``file``, ``what``, ``count``.

        ``what`` is ``bad record``, ``bad file`` or ``warning``. A row with a file says how many more bad records that file has;
        one without, how many there are in files of which none is named. Nothing is lost from the counts: the bad records that are
        named and those that are not are all of ``report.records.bad``.
        """
        unnamed = self._findings().unnamed
        if more := self._more_misunderstood():
            unnamed[None, "bad file"] += more
        return pl.DataFrame([(*what, count) for what, count in unnamed.items()], schema=UNNAMED, orient="row")

    def _findings(self) -> _Findings:
        found = self._past_findings.copy()
        if self._scan is not None:
            found.add(self._scan)
        return found

    def _misunderstood(self) -> list[tuple[Any, ...]]:
        """What a source of keys could not understand: each might have been a file."""
        return [] if self._source is None else _rows(self._source.bad)

    def _more_misunderstood(self) -> int:
        return 0 if self._source is None else self._source.unnamed

    def __repr__(self) -> str:
        """Return the counts on one line."""
        return f"Report(files={tuple(self.files)}, records={tuple(self.records)}, complete={self.complete})"


def _rows(errors: Iterable[CloudTrailError]) -> list[tuple[Any, ...]]:
    """Return what a source of keys tells as findings."""
    return [(error.key, error.byte, error.record, error.kind, error.message, 0) for error in errors]


class _Findings:
    """Findings of one scan after another: the first ones, and how many there are besides."""

    def __init__(self) -> None:
        self.bad: list[tuple[Any, ...]] = []
        self.warnings: list[tuple[Any, ...]] = []
        self.unnamed: Counter[tuple[str | None, str]] = Counter()
        self._named = {"bad record": 0, "bad file": 0, "warning": 0}

    def copy(self) -> _Findings:
        same = _Findings()
        same.bad, same.warnings = list(self.bad), list(self.warnings)
        same.unnamed, same._named = Counter(self.unnamed), dict(self._named)
        return same

    def add(self, scan: _ctfast.Scan) -> None:
        """Name what there is room for, as the core does for one scan."""
        for row, more in scan.bad():
            self._add(self.bad, "bad file" if more is None else "bad record", row, more or 0)
        for row in scan.warnings():
            self._add(self.warnings, "warning", row, 0)
        for name, count in scan.counts()["unnamed"].items():
            self._count(None, {"records": "bad record", "files": "bad file", "warnings": "warning"}[name], count)

    def _add(self, named: list[tuple[Any, ...]], what: str, row: tuple[Any, ...], more: int) -> None:
        if self._named[what] < (_ctfast.NAMED_RECORDS if what == "bad record" else _ctfast.NAMED_FILES):
            self._named[what] += 1
            named.append(row)
            self._count(row[0], what, more)
        else:
            self._count(None, what, 1 + more)

    def _count(self, file: str | None, what: str, count: int) -> None:
        if count:
            self.unnamed[file, what] += count


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Add the counts of one part of a run to those of the parts before it."""
    added: dict[str, Any] = {}
    for name in one | other:
        values = [counts[name] for counts in (one, other) if name in counts]
        if isinstance(values[0], dict):
            added[name] = dict(sum(map(Counter, values), Counter()))
        elif isinstance(values[0], tuple):
            added[name] = values[-1]  # requests: those of the whole run so far
        else:
            added[name] = sum(values)
    return added
