"""Archives divided into parts that processes and machines read in parallel: :func:`splits`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from ctfast import _ctfast
from ctfast._arguments.gate import OnError, Splitting, column_names, processors, public
from ctfast._ledger.report import Limits, Report
from ctfast._scan.options import Options, ask
from ctfast._scan.run import conclude, with_remedy
from ctfast._scan.split import Asked, Refused, Split, nothing
from ctfast._show.words import quoted
from ctfast._source.addresses import Source, is_address, paths
from ctfast._source.object_keys import Extent, KeySource, cut
from ctfast.exceptions import ArgumentError

__all__ = ["splits"]

#: How many files of a source of keys are planned at a time, whatever their sizes.
_TOGETHER = Extent(4_096, 1 << 62)
#: A path here may be a different file in each process.
_OPEN = ("/dev/", "/proc/")


@public(options=Splitting)
def splits(
    source: Source,
    *,
    slots: int | None = None,
    target: int | None = None,
    columns: Iterable[str] | None = None,
    **options: Unpack[Splitting],
) -> list[Split]:
    """Divide a CloudTrail archive into splits: values that any process can read by itself, in any order.

    The files are listed now, and no file is opened. Each file is in exactly one split, and the files of a split are
    consecutive in the order of the archive, so that all splits, one after another, have the rows of :func:`scan` in the
    same order. A file costs its bytes as stored plus 16 KiB; a split has files up to the target, or a single larger
    one.

    Parameters
    ----------
    source, **options
        As for :func:`ctfast.scan`, with ``rules`` as for :func:`ctfast.match`; a source that names its files once only,
        such as a queue, standard input or a checkpoint, is refused. Use absolute paths if splits are read elsewhere.
    slots
        How many splits will be read at once; by default the number of processors of this machine.
    target
        The highest cost of a split, in bytes. By default an eighth of the cost of all files per slot, but at least
        4 MiB and at most 64 MiB.
    columns
        Columns of the rows, in this order, by default all; fields of structs as ``userIdentity.arn``.
    report
        Filled while files are listed: which were skipped and why, and what could not be listed. Files of splits stand
        in ``files.read``. Those that are in no split are rows of :meth:`Report.files_scan`.
    progress
        Called with the report whenever more files are listed.

    Returns
    -------
    list of Split
        In the order of the archive; empty if there is nothing to read.

    Raises
    ------
    FileNotFoundError
        The source does not exist.
    ArgumentError
        The source names its files once only, or ``dedupe`` is set: a duplicate may be in another split.
    FormatError, SourceError
        The source cannot be listed; or, with ``on_error="raise"``, a line of the source names no file.

    Warns
    -----
    NothingChosen
        Something was asked for, such as a region, and no file matches it.

    Examples
    --------
    >>> import ctfast as ct
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> def count(split):
    ...     return sum(batch.num_rows for batch in split.read())
    >>> with ThreadPoolExecutor() as pool:
    ...     sum(pool.map(count, ct.splits(archive, slots=2, columns=[])))
    1039
    """
    planning = ask("splits", source, **options)
    _refuse(planning)
    names = planning.query.columns if columns is None else column_names("splits", columns, planning.paths)
    planned, seen, report = _Planned(), _ctfast.Seen(), planning.report or Report()
    named_by = planning.source if isinstance(planning.source, KeySource) else None
    planning.follow(report, named_by)
    report._add(planned)  # noqa: SLF001  # joined here, read elsewhere
    if named_by is None:
        _listed(planned, seen, planning, report)
    else:
        _of_keys(named_by, planned, planning, report)
    planned.complete = True
    conclude(planning, report, seen)
    # Of the conditions on files, only the time bounds apply to their records as well.
    chosen = planning.chosen
    times = _ctfast.Selection([], since=chosen["since"], until=chosen["until"])
    on_error: OnError = "raise" if planning.run.fail else "collect"
    asked = Asked(planning.asking(names).query, Limits(*planning.run.limits), on_error)
    runs = planned.planner.cut(times, asked.text(times), slots=slots or processors(), target=target)
    return _with_refused([Split(asked, *run) for run in runs], times, asked, planning)


def _refuse(planning: Options) -> None:
    """Refuse options that cannot be used with splits, and sources that cannot be read twice."""
    if planning.query.dedupe:
        message = (
            "dedupe is not for splits: the earlier copy of a record may be in another one. Leave it out, and remove "
            "duplicates where all splits lie together"
        )
        raise ArgumentError(message, "dedupe", None, None, "splits")
    if planning.checkpoint is not None:
        message = (
            "checkpoint is not for splits: it follows what one process reads. Leave it out, or use stream(...).units()"
        )
        raise ArgumentError(message, "checkpoint", None, None, "splits")
    if isinstance(planning.source, KeySource):
        if planning.source._comes_once():  # noqa: SLF001  # not for users of a source
            message = (
                f"source: {planning.source.place} names its files once only, and splits may be read twice: "
                "name a folder, a bucket, an Inventory, or a KeyList of a file or a list"
            )
            raise ArgumentError(message, "source", None, None, "splits")
        return
    for path in paths(planning.source):
        if is_address(path) or not os.path.lexists(path):
            continue
        if os.path.abspath(path).startswith(_OPEN) or not (Path(path).is_file() or Path(path).is_dir()):  # noqa: PTH100  # links as they are
            message = (
                f"source {quoted(path)} can be read once only, or by one process, and splits may be read twice: "
                "name a file"
            )
            raise ArgumentError(message, "source", path, None, "splits")


@dataclass
class _Planned:
    """What is planned so far, in the form of a running scan, for a report: files in splits count as read."""

    planner: _ctfast.Planner = field(default_factory=_ctfast.Planner)
    files: int = 0
    passed: dict[str, Any] = field(default_factory=dict)
    failed: list[tuple[Any, ...]] = field(default_factory=list)
    complete: bool = False

    def counts(self) -> dict[str, Any]:
        """Return the files so far. Those that could not be listed are in splits as well: their reader tells more."""
        bad, unnamed = self.passed.get("bad", 0), self.passed.get("unnamed", 0)
        return {
            **{name: self.passed[name] for name in ("skipped", "pruned") if name in self.passed},
            "files_read": self.files - bad,
            "files_bad": bad,
            "complete": self.complete,
            "unnamed": {"files": unnamed},
        }

    def bad(self) -> list[tuple[tuple[Any, ...], int | None]]:
        """Return what could not be listed."""
        return [(row, None) for row in self.failed]

    def warnings(self) -> list[tuple[Any, ...]]:
        """Return none: no file was opened."""
        return []

    def tell(self, planning: Options, report: Report) -> None:
        """Count what the planner has by now, and tell the caller."""
        self.files = self.planner.files()
        if planning.progress is not None:
            planning.progress(report)


def _listed(planned: _Planned, seen: _ctfast.Seen, planning: Options, report: Report) -> None:
    """Plan the files of a listing."""
    remote = planning.remote() if planning.is_in_buckets() else None
    report._ask(remote)  # noqa: SLF001  # joined here, read elsewhere
    only, ledgers = _only(planning, paths(planning.source)), planning.ledgers(None)
    try:
        listing = planning.listing(remote, seen=seen, only=only, planner=planned.planner, ledgers=ledgers)
        while listing.next() is not None:
            planned.passed, planned.failed = listing.counts(), listing.bad()
            planned.tell(planning, report)
    finally:
        if remote is not None:
            remote.close()


def _of_keys(source: KeySource, planned: _Planned, planning: Options, report: Report) -> None:
    """Plan the files of a source of keys."""
    source._ledgers = ledgers = planning.ledgers(None)  # noqa: SLF001
    skipped = planned.passed["skipped"] = Counter()
    for files in cut(source, _TOGETHER):
        known = [(file.url, file.size, file.etag, file.modified) for file in files]
        only = _only(planning, [file.url for file in files])
        skipped.update(planned.planner.add(known, planning.selection, only=only, ledgers=ledgers))
        planned.tell(planning, report)
    report._end()  # noqa: SLF001
    if source.bad and planning.run.fail:
        raise with_remedy(source.bad[0], planning)


def _only(planning: Options, named: list[str]) -> _ctfast.Paths | None:
    """Return the files that were verified, if only those are to be read."""
    return None if planning.verified is None else planning.verified._valid_files(named)  # noqa: SLF001


def _with_refused(planned: list[Split], times: _ctfast.Selection, asked: Asked, planning: Options) -> list[Split]:
    """Attach the entries that name no file to the first split, so that reading all splits reports them once."""
    source = planning.source
    if not isinstance(source, KeySource) or not (source.bad or source.unnamed):
        return planned
    refused = Refused(tuple(error.args for error in source.bad), source.unnamed)
    first = planned[0] if planned else nothing(times, asked)
    return [first._telling(refused), *planned[1:]]  # noqa: SLF001  # splits are made here
