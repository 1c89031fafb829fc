"""What the user names as a source, and how it becomes a native scan."""

from __future__ import annotations

import errno
import glob
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ctfast import _ctfast
from ctfast._addresses import Source, is_address
from ctfast._arguments import MAX_DELAY, ON_ERROR, OnError, Reading
from ctfast._credentials import credentials
from ctfast._fields import roots
from ctfast._filters import Filter
from ctfast._objects import KeySource, Object
from ctfast._plain import counted
from ctfast._report import Limits, Report
from ctfast._rules import Rules
from ctfast._times import RELATIVE, Time, moment, span
from ctfast._words import listed, quoted
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from ctfast._objects.checkpoint import Checkpoint
    from ctfast._verify import Verification, Verifier

__all__ = ["COLUMNS", "PATHS", "RULES", "Options", "paths", "processors", "told"]

#: Names of all columns, in order.
COLUMNS: list[str] = [path for path, _, _ in _ctfast.columns() if "." not in path]

#: The same, and the fields of structs: what can be chosen.
PATHS: list[str] = [path for path, _, _ in _ctfast.columns() if "[]" not in path]

#: Name of the column with the names of the rules that a record meets.
RULES = "rules"

_MICROSECOND = timedelta(microseconds=1)
#: The most microseconds that the core counts.
_MOST = (1 << 63) - 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """The arguments that :func:`ctfast.scan`, ``read`` and ``stream`` share, as the gate took them, and used as often as needed.

    What belongs together is checked here: bounds of time, and what excludes something else.
    """

    #: The function that the user called.
    function: str
    source: Source
    since: Time | None = None
    until: Time | None = None
    accounts: Iterable[str] | str | None = None
    regions: Iterable[str] | str | None = None
    kinds: Iterable[str] | str | None = None
    where: Filter | None = None
    rules: Rules | None = None
    on_error: OnError = ON_ERROR
    report: Report | None = None
    max_delay: timedelta | None = MAX_DELAY
    threads: int | None = None
    limits: Limits | None = None
    progress: Callable[[Report], object] | None = None
    verify: Verifier | None = None
    verified: Verification | None = None
    checkpoint: Checkpoint | None = None
    dedupe: bool = False
    storage_options: Mapping[str, str] | None = field(default=None, repr=False)
    opened: _ctfast.Sizes | None = None
    counts_duplicates: bool = False

    def __post_init__(self) -> None:
        first, after = span(self.function, self.since, self.until, datetime.now(UTC))
        for name in ("since", "until"):
            time = getattr(self, name)
            if self.checkpoint is not None and isinstance(time, str) and RELATIVE.fullmatch(time):
                message = (
                    f"{name}={quoted(time)} moves with the clock, and a checkpoint belongs to one query: write a date or a time"
                )
                raise ArgumentError(message, name, time, None, self.function)
        object.__setattr__(self, "since", first)
        object.__setattr__(self, "until", after)
        self._check_together()

    def _check_together(self) -> None:
        names_keys = isinstance(self.source, KeySource)
        if self.dedupe and self.checkpoint is not None:
            message = (
                "dedupe knows the records of one run, and with a checkpoint the deliveries of an event may come in several: "
                "leave it out, and remove duplicates where all results lie together"
            )
            raise ArgumentError(message, "dedupe", None, None, self.function)
        if self.verify is not None and (names_keys or self.checkpoint is not None):
            message = "verify reads a whole archive: it takes neither a source of keys nor a checkpoint"
            raise ArgumentError(message, "verify", None, None, self.function)
        if names_keys and self.checkpoint is not None:
            message = "checkpoint follows listings, which are in order: name folders, not a source of keys"
            raise ArgumentError(message, "checkpoint", None, None, self.function)

    @property
    def columns(self) -> list[str]:
        """Names of the columns that there are."""
        return COLUMNS if self.rules is None else [*COLUMNS, RULES]

    @property
    def paths(self) -> list[str]:
        """Names of the columns, and of the fields of structs."""
        return PATHS if self.rules is None else [*PATHS, RULES]

    def names_files(self) -> bool:
        """Tell whether files are named one by one, and not simply listed."""
        return self.checkpoint is not None or isinstance(self.source, KeySource)

    def repeats(self) -> bool:
        """Tell whether a second scan has the same rows, and not only those that have come since."""
        return not (isinstance(self.source, KeySource) and self.source.forgets)

    def is_in_buckets(self) -> bool:
        """Tell whether sources are known to lie in buckets."""
        named: Any = self.source
        sources = [named] if isinstance(named, (str, os.PathLike)) else [] if isinstance(named, KeySource) else named
        return any(is_address(os.fspath(source)) for source in sources)

    def ledgers(self, ledger: _ctfast.Ledger | None = None) -> list[_ctfast.Ledger]:
        """Return where it is noted what becomes of each file: here, and in the report if that was asked for."""
        kept = None if self.report is None else self.report._ledger  # noqa: SLF001  # one fact of two
        return [each for each in (ledger, kept) if each is not None]

    def keys(self, remote: _ctfast.Remote | None, seen: _ctfast.Seen) -> KeySource:
        """Return what names the files one by one."""
        if isinstance(self.source, KeySource):
            return self.source
        if self.checkpoint is None:
            message = "what is simply listed names no files one by one"
            raise TypeError(message)

        from ctfast._objects.resumed import Resumed  # noqa: PLC0415  # with SQLite, which nobody else waits for

        self.checkpoint._lie_apart(paths(self.source))  # noqa: SLF001  # made when the query runs
        return Resumed(self.checkpoint, lambda **more: self.listing(remote, seen=seen, **more), self._description())

    def listing(self, remote: _ctfast.Remote | None, **more: Any) -> _ctfast.Listing:
        """Return the files that the source names, without reading them."""
        return _ctfast.Listing(paths(self.source), **self._selection(), remote=remote, **more)

    def remote(self) -> _ctfast.Remote:
        """Return the way to buckets, for several scans of one run."""
        storage, renew = credentials(self.storage_options)
        return _ctfast.Remote(storage, renew)

    def duplicates(self) -> _ctfast.Dedupe | None:
        """Return what tells duplicates in one run, if they are to be removed or counted."""
        return _ctfast.Dedupe(removes=self.dedupe) if self.dedupe or self.counts_duplicates else None

    def start(
        self,
        columns: Sequence[str],
        predicate: tuple[Any, ...] | None = None,
        files: Sequence[Object] | None = None,
        remote: _ctfast.Remote | None = None,
        seen: _ctfast.Seen | None = None,
        text: list[str] | None = None,
        duplicates: _ctfast.Dedupe | None = None,
        ledger: _ctfast.Ledger | None = None,
    ) -> _ctfast.Scan:
        """Start reading these columns of the rows that meet the predicate, and the bounds on ``eventTime``.

        Read these files, or else what the source names. ``text`` are types as of :func:`ctfast._arrow.text_types`; by default
        text is views.
        """
        limits = self.limits or Limits()
        named = paths(self.source) if files is None else [file.url for file in files]
        needs_remote = remote is None and any(map(is_address, named))
        storage, renew = credentials(self.storage_options) if needs_remote else (None, None)
        if self.verify is not None:
            self.verify._begin(self)  # noqa: SLF001  # one pass of two
        return _ctfast.Scan(
            named,
            columns=[name for name in roots(columns) if name != RULES],
            text=text,
            predicate=_and(predicate, self._time_test()),
            **self._selection(),
            fail=self.on_error == "raise",
            threads=self.threads or processors(),
            max_inflated=limits.inflated,
            max_ratio=limits.ratio,
            hashes=None if self.verify is None else self.verify._hashes,  # noqa: SLF001
            only=None if self.verified is None else self.verified._valid_files(named),  # noqa: SLF001
            where=None if self.where is None else self.where._native,  # noqa: SLF001
            rules=None if self.rules is None else [(name, rule._native) for name, rule in self.rules.items()],  # type: ignore[union-attr]  # noqa: SLF001  # a dict since it was checked
            storage_options=storage,
            credentials=renew,
            opened=self.opened,
            named=None if files is None else [(file.size, file.etag, file.first) for file in files],
            remote=remote,
            seen=seen,
            dedupe=duplicates,
            ledgers=self.ledgers(ledger),
        )

    @property
    def asked(self) -> dict[str, Any]:
        """Return what was asked for by name or by time, as it was understood."""
        names: dict[str, Any] = {name: getattr(self, name) for name in ("accounts", "regions", "kinds")}
        asked = {name: None if value is None else sorted(value) for name, value in names.items()}
        return {"since": moment(self.since), "until": moment(self.until)} | asked  # type: ignore[arg-type]  # numbers by now

    @property
    def place(self) -> str:
        """Return the sources, as a sentence names them."""
        if isinstance(self.source, KeySource):
            return self.source.place
        if isinstance(self.source, (str, os.PathLike)):
            return str(self.source)
        sources = list(map(str, self.source))
        return f"{len(sources)} sources, {listed(sources)}" if len(sources) > 1 else "".join(sources)

    def _selection(self) -> dict[str, Any]:
        """Return which files are read, by their keys, as the native half takes it."""
        chosen = {name: getattr(self, name) for name in ("accounts", "regions", "kinds", "since", "until")}
        return chosen | {"max_delay": None if self.max_delay is None else min(self.max_delay // _MICROSECOND, _MOST)}

    def _description(self) -> dict[str, Any]:
        """Return what tells this query from others, as JSON."""
        named: Any = self.source
        sources = [named] if isinstance(named, (str, os.PathLike)) else named
        chosen = {name: sorted(value) if isinstance(value, set) else value for name, value in self._selection().items()}
        return {"source": [os.fspath(source) for source in sources], **chosen}

    def query(self, columns: Sequence[str]) -> str:
        """Return what decides which rows and columns come of a file, for the names of units."""
        chosen = self._description() if self.checkpoint is not None else self._selection()
        sets = {name: sorted(value) if isinstance(value, set) else value for name, value in chosen.items()}
        rules = None if self.rules is None else {name: repr(rule) for name, rule in self.rules.items()}  # type: ignore[union-attr]  # a dict since it was checked
        where = None if self.where is None else repr(self.where)
        return json.dumps([sets, list(columns), where, rules], sort_keys=True)

    def describe(self) -> str:
        """Say on one line what will be read: for `explain`."""
        parts = [self.place]
        wanted = {name: getattr(self, name) for name in ("accounts", "regions", "kinds")}
        parts += [f"{name}={','.join(sorted(values))}" for name, values in wanted.items() if values is not None]
        for name in ("since", "until"):
            micros = getattr(self, name)
            if micros is not None:
                parts.append(f"{name}={moment(micros).isoformat()}")  # type: ignore[union-attr]  # not None
        if self.until is not None:
            parts.append(f"max_delay={self.max_delay}")
        if self.where is not None:
            parts.append(f"where={self.where!r}")
        if self.rules is not None:
            parts.append(counted(len(self.rules), "rule"))  # type: ignore[arg-type]  # a dict since it was checked
        if self.dedupe:
            parts.append("dedupe")
        return " ".join(parts)

    def _time_test(self) -> tuple[Any, ...] | None:
        if self.since is None and self.until is None:
            return None
        first = -(1 << 63) if self.since is None else self.since
        last = _MOST if self.until is None else self.until - 1  # type: ignore[operator]
        return ("between", "eventTime", first, last)


def told(options: Reading) -> Report:
    """Return the report of a function that returns one, in the options as well."""
    report = options.get("report")
    if report is None:
        options["report"] = report = Report()
    return report


def paths(source: Source) -> list[str]:
    """Return the files and folders that a source names; addresses of buckets as they are."""
    if isinstance(source, KeySource):
        message = f"{source.place} names files for a scan; here an archive is needed"
        raise TypeError(message)
    sources = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    named: list[str] = []
    for each in sources:
        path = os.fspath(each)
        if is_address(path) and "*" in path:
            message = f"{path}: globs are for the local disk; name a folder, and choose by accounts, regions, kinds and times"
            raise ValueError(message)
        if is_address(path) or os.path.lexists(path):
            named.append(path)
            continue
        found = glob.glob(path, recursive=True) if glob.has_magic(path) else []  # noqa: PTH207  # paths as they are given
        if not found:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        named.extend(sorted(found, key=os.fsencode))
    return named


def processors() -> int:
    """How many processors this process may use."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _and(*tests: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    present = [test for test in tests if test is not None]
    return ("all", present) if present else None
