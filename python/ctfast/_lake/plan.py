"""What an ingest has to read: the files of an archive that the lake does not know yet, by months."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._lake.known import File, Versions
from ctfast._scan.options import Options
from ctfast._scan.split import Asked, Split
from ctfast._source.addresses import is_address, paths, whole
from ctfast._source.silence import Outcome, unmatched
from ctfast.exceptions import NothingChosen

__all__ = ["Plan", "plan"]

#: The cost of a split. Its parts have about as many bytes, or half of that without ``raw``, if its files are of one
#: month; it does not depend on the archive, so that a run after an interrupted one has the same splits.
_TARGET = 96 << 20
#: The day in a key.
_DAY = re.compile(r"/([0-9]{4})/([0-9]{2})/[0-9]{2}/")
#: Files that are compared with those that are known at a time: each comparison goes through all that are known.
_TOGETHER = 50_000
#: States of files that are read: a store that does not tell whether an object is restored tells it then.
_READ = ("new", "unknown")


class Found(NamedTuple):
    """A file of the archive."""

    file: File
    #: ``known``, ``postponed`` or ``new``; of objects in an archive class that are not known, whether S3 has restored
    #: them: ``archived``, ``restoring`` or ``unknown``.
    state: str
    #: The archive class that it is in.
    storage: str | None


class Plan(NamedTuple):
    """What is to be read, and what was listed besides."""

    splits: list[Split]
    #: Files of the archive that the lake has already, and how many of them are bad.
    known: int
    known_bad: int
    #: Files that are left for later, and objects that have to be restored first.
    postponed: int
    archived: int
    #: What cannot be opened or listed: how much, and the errors, of very many the first ones.
    unlisted: int
    failed: list[tuple[Any, ...]]
    #: What was asked for without a match.
    unmatched: list[NothingChosen]


def plan(
    options: Options,
    known: Versions,
    asked: Asked,
    postponed: Collection[File] = (),
    told: Callable[[Sequence[Found]], object] | None = None,
    versions: Iterable[list[Found]] | None = None,
) -> Plan:
    """List the archive, and cut the files that are not known into splits, month by month.

    The files of a month lie together in the lake: in the order of an archive, each account and region begins anew with
    the first month, and a part of each month would be small. Those that are ``postponed`` are left out, and so are
    objects that S3 has to restore first. ``told`` is called with all files, some at a time; ``versions`` are pages
    of old versions, which are read as well.
    """
    chosen = options.chosen
    times = _ctfast.Selection([], since=chosen["since"], until=chosen["until"])
    # These are selected already, and the name of a version is not that of a log.
    everything = _ctfast.Selection([])
    planners: dict[str, _ctfast.Planner] = {}
    counts = Counter[str]()
    failed: list[tuple[Any, ...]] = []
    missed: list[NothingChosen] = []
    gone: list[FileNotFoundError] | None = None if versions is None else []
    for files in _together(chain(_pages(options, failed, counts, missed, gone), versions or ())):
        by_month: dict[str, list[File]] = {}
        for file, state, _ in _compared(files, known, postponed, counts, told):
            if state in _READ:
                by_month.setdefault(month_of(file[0]), []).append(file)
        for month, of_month in by_month.items():
            planners.setdefault(month, _ctfast.Planner()).add(of_month, everything)
    if gone and not counts.total():
        raise gone[0]
    text = asked.text(times)
    runs = [run for month in sorted(planners) for run in planners[month].cut(times, text, slots=1, target=_TARGET)]
    return Plan(
        splits=[Split(asked, *run) for run in runs],
        known=counts["read"] + counts["bad"] + counts["skipped"],
        known_bad=counts["bad"],
        postponed=counts["postponed"],
        archived=counts["archived"] + counts["restoring"],
        unlisted=counts["unlisted"],
        failed=failed,
        unmatched=missed,
    )


def _compared(
    files: list[Found],
    known: Versions,
    postponed: Collection[File],
    counts: Counter[str],
    told: Callable[[Sequence[Found]], object] | None,
) -> list[Found]:
    """Return the files that are not known, and count all by their outcomes and states."""
    outcomes = known.outcomes(each.file for each in files)
    is_new = outcomes.is_null()
    counts.update(dict(outcomes.drop_nulls().value_counts().iter_rows()))
    found = [files[row] for row in is_new.arg_true()]
    if postponed:
        found = [each._replace(state="postponed") if _is_left(each, postponed) else each for each in found]
    counts.update(each.state for each in found)
    if told is not None:
        told([*(files[row]._replace(state="known") for row in (~is_new).arg_true()), *found])
    return found


def _is_left(found: Found, postponed: Collection[File]) -> bool:
    return found.state in _READ and found.file in postponed


def month_of(file: str) -> str:
    """Return the month in a key, as ``2025-03``; an empty string if it has none."""
    day = _DAY.search(file)
    return "" if day is None else f"{day[1]}-{day[2]}"


def _together(pages: Iterable[list[Found]]) -> Iterator[list[Found]]:
    """Yield pages joined to larger ones."""
    files: list[Found] = []
    for page in pages:
        files += page
        if len(files) >= _TOGETHER:
            yield files
            files = []
    if files:
        yield files


def _pages(
    options: Options,
    failed: list[tuple[Any, ...]],
    counts: Counter[str],
    missed: list[NothingChosen],
    gone: list[FileNotFoundError] | None,
) -> Iterator[list[Found]]:
    """Yield the files of the source, some at a time, as if none was known.

    A source in which nothing is any more goes to ``gone``, if old versions may be there.
    """
    source: Any = options.source  # no source of keys, which an ingest refuses
    remote = options.remote() if options.is_in_buckets() else None
    try:
        # A lake knows files by their whole paths, wherever a later run is started.
        named = [each if is_address(each) else whole(each) for each in paths(source)]
        seen, files = _ctfast.Seen(), 0
        skipped, pruned = Counter[str](), Counter[str]()
        for each in [named] if gone is None else [[name] for name in named]:
            listing = _ctfast.Listing(options.selection.below(each), remote=remote, seen=seen, archive=True)
            try:
                for page in _listed(listing):
                    files += len(page)
                    yield page
            except FileNotFoundError as error:
                if gone is None:
                    raise
                gone.append(error)
            failed += listing.bad()
            told = listing.counts()
            counts["unlisted"] += told["bad"]
            skipped.update(told["skipped"])
            pruned.update(told["pruned"])
        outcome = Outcome(options.place, files + counts["unlisted"], skipped, pruned, seen.barren())
        if not gone:  # else what is there is not what was looked through
            missed += unmatched(outcome, options.asked, seen.names())
    finally:
        if remote is not None:
            remote.close()


def _listed(listing: _ctfast.Listing) -> Iterator[list[Found]]:
    """Yield the files of a listing, page by page, in its order."""
    while (page := listing.next()) is not None:
        found = [Found(_version(*each), "new", None) for each in page]
        archived = listing.archived()
        for file, size, etag, modified, storage, state in archived:
            # A restored object is read as any other.
            found.append(Found(_version(file, size, etag, modified), "new" if state == "restored" else state, storage))
        yield sorted(found, key=_by_name) if archived else found


def _version(file: str, size: int | None, etag: str | None, modified: int | None) -> File:
    """Return a file as the ledger has it: of an object, the ETag tells versions, and a copy of it has another time."""
    return file, size, etag, modified if etag is None else None


def _by_name(found: Found) -> bytes:
    return found.file[0].encode()
