"""What the user names as a source, and how it becomes a native scan."""

from __future__ import annotations

import errno
import glob
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ctfast import _ctfast
from ctfast._buckets import bucket_of
from ctfast._credentials import credentials
from ctfast._filters import Filter
from ctfast._objects import KeySource, Object
from ctfast._objects.checkpoint import Checkpoint
from ctfast._objects.resumed import Resumed
from ctfast._report import Limits, Report
from ctfast._rules import Rules, named

if TYPE_CHECKING:
    from ctfast._verify import Verification, Verifier

__all__ = ["COLUMNS", "RULES", "OnError", "Options", "Source", "Time", "micros", "paths", "processors"]

Source: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | KeySource
Time: TypeAlias = datetime | date | str
OnError: TypeAlias = Literal["raise", "collect"]

#: Names of all columns, in order.
COLUMNS: list[str] = [path for path, _, _ in _ctfast.columns() if "." not in path]

#: Name of the column with the names of the rules that a record meets.
RULES = "rules"

_MICROSECOND = timedelta(microseconds=1)
#: The most microseconds that the core counts.
_MOST = (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The arguments that :func:`ctfast.scan`, ``read`` and ``stream`` share, checked at once and used as often as needed."""

    source: Source
    since: Time | None = None
    until: Time | None = None
    accounts: Iterable[str] | str | None = None
    regions: Iterable[str] | str | None = None
    kinds: Iterable[str] | str | None = None
    where: Filter | None = None
    rules: Rules | None = None
    on_error: OnError = "raise"
    report: Report | None = None
    max_delay: timedelta | None = timedelta(days=1)
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
        self._check_source()
        self._check_types()
        for name in ("accounts", "regions", "kinds"):
            value = getattr(self, name)
            object.__setattr__(self, name, {value} if isinstance(value, str) else None if value is None else set(value))
        since, until = micros("since", self.since), micros("until", self.until)
        if since is not None and until is not None and since > until:
            message = f"until ({self.until}) is before since ({self.since})"
            raise ValueError(message)
        object.__setattr__(self, "since", since)
        object.__setattr__(self, "until", until)
        if self.rules is not None:
            object.__setattr__(self, "rules", named(self.rules))
        if self.on_error not in ("raise", "collect"):
            message = f'on_error must be "raise" or "collect", not {self.on_error!r}'
            raise ValueError(message)
        if self.threads is not None and self.threads < 1:
            message = f"threads must be at least 1, not {self.threads}"
            raise ValueError(message)
        if self.max_delay is not None and self.max_delay < timedelta(0):
            message = f"max_delay must not be negative, but is {self.max_delay}"
            raise ValueError(message)

        if self.dedupe and self.checkpoint is not None:
            message = (
                "dedupe knows the records of one run, and with a checkpoint the deliveries of an event may come in several: "
                "leave it out, and remove duplicates where all results lie together"
            )
            raise ValueError(message)

    def _check_types(self) -> None:
        """Refuse what is none of what is wanted, such as the path of a checkpoint in place of it."""
        from ctfast._verify import Verification, Verifier  # noqa: PLC0415  # made of this

        wanted: dict[str, tuple[type, str]] = {
            "where": (Filter, "a filter such as ctfast.FilterPattern(...)"),
            "report": (Report, "a ctfast.Report"),
            "max_delay": (timedelta, "a timedelta"),
            "threads": (int, "a number"),
            "limits": (Limits, "a ctfast.Limits"),
            "verify": (Verifier, "a ctfast.Verifier"),
            "verified": (Verification, "a ctfast.Verification"),
            "checkpoint": (Checkpoint, "a ctfast.Checkpoint(...)"),
            "dedupe": (bool, "True or False"),
        }
        for name, (kind, words) in wanted.items():
            value = getattr(self, name)
            if not (value is None or isinstance(value, kind)):
                message = f"{name} must be {words}, not {type(value).__name__}"
                raise TypeError(message)

    def _check_source(self) -> None:
        if self.verify is not None and (isinstance(self.source, KeySource) or self.checkpoint is not None):
            message = "verify reads a whole archive: it takes neither a source of keys nor a checkpoint"
            raise ValueError(message)
        if isinstance(self.source, KeySource):
            if self.checkpoint is not None:
                message = "a checkpoint follows listings, which are in order: name folders, not a source of keys"
                raise ValueError(message)
        elif not isinstance(self.source, (str, os.PathLike)):
            object.__setattr__(self, "source", list(self.source))

    @property
    def columns(self) -> list[str]:
        """Names of the columns that there are."""
        return COLUMNS if self.rules is None else [*COLUMNS, RULES]

    def names_files(self) -> bool:
        """Tell whether files are named one by one, and not simply listed."""
        return self.checkpoint is not None or isinstance(self.source, KeySource)

    def is_in_buckets(self) -> bool:
        """Tell whether sources are known to lie in buckets."""
        named: Any = self.source
        sources = [named] if isinstance(named, (str, os.PathLike)) else [] if isinstance(named, KeySource) else named
        return any(is_address(os.fspath(source)) for source in sources)

    def keys(self, remote: _ctfast.Remote | None) -> KeySource:
        """Return what names the files one by one."""
        if isinstance(self.source, KeySource):
            return self.source
        if self.checkpoint is None:
            message = "what is simply listed names no files one by one"
            raise TypeError(message)
        self.checkpoint._lie_apart(paths(self.source))  # noqa: SLF001  # made when the query runs
        return Resumed(self.checkpoint, lambda floors: self.listing(remote, floors=floors), self._description())

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
        duplicates: _ctfast.Dedupe | None = None,
    ) -> _ctfast.Scan:
        """Start reading these columns of the rows that meet the predicate, and the bounds on ``eventTime``.

        Read these files, or else what the source names.
        """
        limits = self.limits or Limits()
        named = paths(self.source) if files is None else [file.url for file in files]
        needs_remote = remote is None and any(map(is_address, named))
        storage, renew = credentials(self.storage_options) if needs_remote else (None, None)
        if self.verify is not None:
            self.verify._begin(self)  # noqa: SLF001  # one pass of two
        return _ctfast.Scan(
            named,
            columns=[name for name in columns if name != RULES],
            predicate=_and(predicate, self._time_test()),
            **self._selection(),
            fail=self.on_error == "raise",
            threads=self.threads or processors(),
            max_inflated=limits.inflated,
            max_ratio=limits.ratio,
            hashes=None if self.verify is None else self.verify._hashes,  # noqa: SLF001
            only=None if self.verified is None else self.verified._valid_files(named),  # noqa: SLF001
            where=None if self.where is None else self.where._native,  # noqa: SLF001
            rules=None if self.rules is None else [(name, rule._native) for name, rule in self.rules.items()],  # type: ignore[union-attr]  # noqa: SLF001  # a dict since __post_init__
            storage_options=storage,
            credentials=renew,
            opened=self.opened,
            named=None if files is None else [(file.size, file.etag, file.first) for file in files],
            remote=remote,
            dedupe=duplicates,
        )

    def _selection(self) -> dict[str, Any]:
        """Return which files are read, by their keys, as the native half takes it."""
        chosen = {name: getattr(self, name) for name in ("accounts", "regions", "kinds", "since", "until")}
        return chosen | {"max_delay": None if self.max_delay is None else min(self.max_delay // _MICROSECOND, _MOST)}

    def _description(self) -> dict[str, Any]:
        """Return what makes this query another one than others, as JSON has it."""
        named: Any = self.source
        sources = [named] if isinstance(named, (str, os.PathLike)) else named
        chosen = {name: sorted(value) if isinstance(value, set) else value for name, value in self._selection().items()}
        return {"source": [os.fspath(source) for source in sources], **chosen}

    def query(self, columns: Sequence[str]) -> str:
        """Return what decides which rows and columns come of a file, for the names of units."""
        chosen = self._description() if self.checkpoint is not None else self._selection()
        sets = {name: sorted(value) if isinstance(value, set) else value for name, value in chosen.items()}
        rules = None if self.rules is None else {name: repr(rule) for name, rule in self.rules.items()}  # type: ignore[union-attr]  # a dict since __post_init__
        where = None if self.where is None else repr(self.where)
        return json.dumps([sets, list(columns), where, rules], sort_keys=True)

    def describe(self) -> str:
        """Say on one line what will be read: for `explain`."""
        alone = isinstance(self.source, (str, os.PathLike, KeySource))
        sources: list[Any] = [self.source] if alone else list(self.source)  # type: ignore[arg-type]  # not alone
        parts = [str(sources[0]) if len(sources) == 1 else f"{len(sources)} sources"]
        wanted = {name: getattr(self, name) for name in ("accounts", "regions", "kinds")}
        parts += [f"{name}={','.join(sorted(values))}" for name, values in wanted.items() if values is not None]
        for name in ("since", "until"):
            micros = getattr(self, name)
            if micros is not None:
                parts.append(f"{name}={(_EPOCH + micros * _MICROSECOND).isoformat()}")
        if self.until is not None:
            parts.append(f"max_delay={self.max_delay}")
        if self.where is not None:
            parts.append(f"where={self.where!r}")
        if self.rules is not None:
            parts.append(f"{len(self.rules)} rules")  # type: ignore[arg-type]  # a dict since __post_init__
        if self.dedupe:
            parts.append("dedupe")
        return " ".join(parts)

    def _time_test(self) -> tuple[Any, ...] | None:
        if self.since is None and self.until is None:
            return None
        first = -(1 << 63) if self.since is None else self.since
        last = _MOST if self.until is None else self.until - 1  # type: ignore[operator]
        return ("between", "eventTime", first, last)


def paths(source: Source) -> list[str]:
    """Return the files and folders that a source names; addresses of buckets as they are."""
    if isinstance(source, KeySource):
        message = f"{source!r} names files for a scan; here an archive is needed"
        raise TypeError(message)
    sources = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    named: list[str] = []
    for each in sources:
        path = os.fspath(each)
        if is_address(path) and "*" in path:
            message = f"{path}: globs are for the local disk; name a folder, and choose by accounts, regions, kinds and times"
            raise ValueError(message)
        if is_address(path):
            bucket_of(path)
        if is_address(path) or os.path.lexists(path):
            named.append(path)
            continue
        found = glob.glob(path, recursive=True) if glob.has_magic(path) else []  # noqa: PTH207  # paths as they are given
        if not found:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        named.extend(sorted(found, key=os.fsencode))
    return named


def is_address(path: str | bytes) -> bool:
    """Whether this is the address of an object or of a folder in a bucket."""
    return isinstance(path, str) and path.startswith("s3://")


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


def micros(name: str, time: Time | None) -> int | None:
    """Microseconds since 1970; a time without a zone is UTC, a date its midnight."""
    if time is None:
        return None
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            message = f"{name} is not an ISO 8601 date or time: {time!r}"
            raise ValueError(message) from None
    if not isinstance(time, date):
        message = f"{name} must be a datetime, a date or ISO 8601 text, not {type(time).__name__}"
        raise TypeError(message)
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=UTC)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return (time - _EPOCH) // _MICROSECOND
