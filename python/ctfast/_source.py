"""What the user names as a source, and how it becomes a native scan."""

from __future__ import annotations

import errno
import glob
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ctfast import _ctfast
from ctfast._credentials import credentials
from ctfast._report import Limits

if TYPE_CHECKING:
    from ctfast._report import Report
    from ctfast._verify import Verification, Verifier

__all__ = ["COLUMNS", "OnError", "Options", "Source", "Time", "micros", "paths", "processors"]

Source: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Time: TypeAlias = datetime | date | str
OnError: TypeAlias = Literal["raise", "collect"]

#: Names of all columns, in order.
COLUMNS: list[str] = [path for path, _, _ in _ctfast.columns() if "." not in path]

_MICROSECOND = timedelta(microseconds=1)
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
    on_error: OnError = "raise"
    report: Report | None = None
    max_delay: timedelta | None = timedelta(days=1)
    threads: int | None = None
    limits: Limits | None = None
    progress: Callable[[Report], object] | None = None
    verify: Verifier | None = None
    verified: Verification | None = None
    storage_options: Mapping[str, str] | None = field(default=None, repr=False)
    opened: _ctfast.Sizes | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.source, (str, os.PathLike)):
            object.__setattr__(self, "source", list(self.source))
        for name in ("accounts", "regions", "kinds"):
            value = getattr(self, name)
            object.__setattr__(self, name, {value} if isinstance(value, str) else None if value is None else set(value))
        object.__setattr__(self, "since", micros("since", self.since))
        object.__setattr__(self, "until", micros("until", self.until))
        if self.on_error not in ("raise", "collect"):
            message = f'on_error must be "raise" or "collect", not {self.on_error!r}'
            raise ValueError(message)
        if self.threads is not None and self.threads < 1:
            message = f"threads must be at least 1, not {self.threads}"
            raise ValueError(message)
        if self.max_delay is not None and self.max_delay < timedelta(0):
            message = f"max_delay must not be negative, but is {self.max_delay}"
            raise ValueError(message)

    def start(self, columns: Sequence[str], predicate: tuple[Any, ...] | None = None) -> _ctfast.Scan:
        """Start reading these columns of the rows that meet the predicate, and the bounds on ``eventTime``."""
        limits = self.limits or Limits()
        named = paths(self.source)
        storage, renew = credentials(self.storage_options) if any(map(is_address, named)) else (None, None)
        if self.verify is not None:
            self.verify._begin(self)  # noqa: SLF001  # one pass of two
        return _ctfast.Scan(
            named,
            columns=list(columns),
            predicate=_and(predicate, self._time_test()),
            accounts=self.accounts,  # type: ignore[arg-type]  # a set since __post_init__
            regions=self.regions,  # type: ignore[arg-type]
            kinds=self.kinds,  # type: ignore[arg-type]
            since=self.since,  # type: ignore[arg-type]  # microseconds since __post_init__
            until=self.until,  # type: ignore[arg-type]
            max_delay=None if self.max_delay is None else self.max_delay // _MICROSECOND,
            fail=self.on_error == "raise",
            threads=self.threads or processors(),
            max_inflated=limits.inflated,
            max_ratio=limits.ratio,
            hashes=None if self.verify is None else self.verify._hashes,  # noqa: SLF001
            only=None if self.verified is None else self.verified._valid_files(named),  # noqa: SLF001
            storage_options=storage,
            credentials=renew,
            opened=self.opened,
        )

    def describe(self) -> str:
        """Say on one line what will be read: for `explain`."""
        sources = [self.source] if isinstance(self.source, (str, os.PathLike)) else list(self.source)
        parts = [str(sources[0]) if len(sources) == 1 else f"{len(sources)} sources"]
        wanted = {name: getattr(self, name) for name in ("accounts", "regions", "kinds")}
        parts += [f"{name}={','.join(sorted(values))}" for name, values in wanted.items() if values is not None]
        for name in ("since", "until"):
            micros = getattr(self, name)
            if micros is not None:
                parts.append(f"{name}={(_EPOCH + micros * _MICROSECOND).isoformat()}")
        if self.until is not None:
            parts.append(f"max_delay={self.max_delay}")
        return " ".join(parts)

    def _time_test(self) -> tuple[Any, ...] | None:
        if self.since is None and self.until is None:
            return None
        first = -(1 << 63) if self.since is None else self.since
        last = (1 << 63) - 1 if self.until is None else self.until - 1  # type: ignore[operator]
        return ("between", "eventTime", first, last)


def paths(source: Source) -> list[str]:
    """Return the files and folders that a source names; addresses of buckets as they are."""
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
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=UTC)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return (time - _EPOCH) // _MICROSECOND
