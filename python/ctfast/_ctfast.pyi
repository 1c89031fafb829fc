"""The native half of ctfast. Use the public names of :mod:`ctfast` instead."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypedDict, final

__all__ = [
    "DEBUG",
    "NAMED_FILES",
    "NAMED_RECORDS",
    "STORAGE_OPTIONS",
    "Batch",
    "Copy",
    "Dedupe",
    "Filter",
    "Hashes",
    "Ledger",
    "Listing",
    "NewFile",
    "Paths",
    "Remote",
    "Scan",
    "Seen",
    "Sizes",
    "Verify",
    "__version__",
    "advanced_event_selectors",
    "check_bucket",
    "columns",
    "has_log_ending",
    "lint_event_pattern",
    "lint_event_selectors",
    "lint_filter_pattern",
    "make_folders",
    "parse_key",
    "partition",
    "refused",
    "remove_leftovers",
    "schema",
    "without_secrets",
]

__version__: str
DEBUG: bool
#: The names of storage options, in all their forms.
STORAGE_OPTIONS: list[str]
#: How many findings of a report are named.
NAMED_FILES: int
NAMED_RECORDS: int

class _Key(TypedDict):
    """What a key says; ``unique`` is a log file's, ``trail``, ``home_region`` and ``backfill`` are a digest file's."""

    prefix: str
    org: str | None
    account: str
    kind: str
    region: str
    day: str | None
    time: int
    unique: str | None
    trail: str | None
    home_region: str | None
    backfill: bool

@final
class Batch:
    """The rows of some records; an Arrow struct array to those who ask for one."""

    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def slice(self, offset: int, length: int) -> Batch: ...

@final
class Copy:
    """Copies that are under way. They go on by themselves until `close`."""

    def __new__(cls, remote: Remote, wanted: list[tuple[str, int | None, str]]) -> Copy: ...
    def next(self) -> tuple[int, list[tuple[str, str]], tuple[Any, ...] | None] | None: ...
    def close(self) -> None: ...

@final
class Dedupe:
    """What tells duplicates from the records before them, in one scan after another: it removes them, or counts them only."""

    def __new__(cls, removes: bool) -> Dedupe: ...

@final
class Ledger:
    """What became of each file of one scan after another. The latest rows are in memory, those before them on the disk."""

    def __new__(cls, sha256: bool) -> Ledger: ...
    @staticmethod
    def empty() -> Batch: ...
    def page(self, number: int) -> Batch: ...
    def take(self) -> Batch: ...
    def note(self, file: str, outcome: str, reason: str, size: int | None = None, etag: str | None = None) -> None: ...

@final
class Listing:
    """A listing that is under way. It works in `next` only."""

    def __new__(
        cls,
        paths: list[str] | list[Path],
        *,
        accounts: set[str] | None,
        regions: set[str] | None,
        kinds: set[str] | None,
        since: int | None,
        until: int | None,
        max_delay: int | None,
        floors: dict[str, str] | None = None,
        digests: bool = False,
        remote: Remote | None = None,
        seen: Seen | None = None,
        ledgers: list[Ledger] = ...,
    ) -> Listing: ...
    def next(self) -> list[tuple[str, int | None, str | None, int | None]] | None: ...
    def counts(self) -> dict[str, dict[str, int]]: ...
    def bad(self) -> list[tuple[Any, ...]]: ...

@final
class NewFile:
    """A file that has its name once it is finished, and leaves nothing when it is abandoned."""

    def __new__(cls, path: str | Path, *, replace: bool = True) -> NewFile: ...
    def fileno(self) -> int: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...

@final
class Filter:
    """A condition on records. Those in a language of AWS come with their normal form."""

    @staticmethod
    def event_selectors(text: str, *, target: str | None, missing_read_only: str) -> tuple[Filter, str]: ...
    @staticmethod
    def filter_pattern(text: str, *, missing_differs: bool) -> tuple[Filter, str]: ...
    @staticmethod
    def event_pattern(text: str, *, state: str | None) -> tuple[Filter, str]: ...
    @staticmethod
    def category(name: str) -> Filter: ...
    @staticmethod
    def all(filters: list[Filter]) -> Filter: ...
    @staticmethod
    def any(filters: list[Filter]) -> Filter: ...
    def negated(self) -> Filter: ...
    def matches(self, record: bytes) -> bool: ...
    def explain(self, record: bytes) -> list[tuple[str, list[str]]]: ...

@final
class Remote:
    """Connections, credentials and pace of buckets; `close` cancels what is under way."""

    def __new__(
        cls, storage_options: dict[str, str], credentials: Callable[[], tuple[str, str, str | None]] | None = None
    ) -> Remote: ...
    def requests(self) -> tuple[int, int, int, int]: ...
    def close(self) -> None: ...

@final
class Scan:
    """A running read. It owns its threads from the first moment until `close`."""

    def __new__(
        cls,
        paths: list[str] | list[Path],
        *,
        columns: list[str],
        text: list[str] | None,
        predicate: tuple[Any, ...] | None,
        accounts: set[str] | None,
        regions: set[str] | None,
        kinds: set[str] | None,
        since: int | None,
        until: int | None,
        max_delay: int | None,
        fail: bool,
        threads: int,
        max_inflated: int,
        max_ratio: int,
        hashes: Hashes | None = None,
        only: Paths | None = None,
        where: Filter | None = None,
        rules: list[tuple[str, Filter]] | None = None,
        storage_options: dict[str, str] | None = None,
        named: list[tuple[int | None, str | None, int]] | None = None,
        remote: Remote | None = None,
        seen: Seen | None = None,
        credentials: Callable[[], tuple[str, str, str | None]] | None = None,
        opened: Sizes | None = None,
        dedupe: Dedupe | None = None,
        ledgers: list[Ledger] = ...,
    ) -> Scan: ...
    def next(self) -> Batch | None: ...
    def close(self) -> None: ...
    def counts(self) -> dict[str, Any]: ...
    def bad(self) -> list[tuple[tuple[Any, ...], int | None]]: ...
    def ledger(self) -> list[tuple[str, str, str | None, int | None, int, int, int]]: ...
    def warnings(self) -> list[tuple[Any, ...]]: ...

@final
class Seen:
    """Accounts, regions and kinds that a listing has come across, and the sources that gave no file."""

    def __new__(cls) -> Seen: ...
    def names(self) -> dict[str, list[str]]: ...
    def barren(self) -> list[tuple[str, dict[str, int], dict[str, int]]]: ...

@final
class Sizes:
    """Sizes of the files that a scan opens; each is told once for each time that the file was opened."""

    def __new__(cls) -> Sizes: ...
    def take(self, file: str) -> int | None: ...

@final
class Hashes:
    """Hashes of the files that a scan reads."""

    def __new__(cls) -> Hashes: ...
    def __len__(self) -> int: ...
    def clear(self) -> None: ...

@final
class Paths:
    """A set of paths."""

    def __new__(cls, paths: Iterable[str]) -> Paths: ...

@final
class Verify:
    """A verification that is under way. It works in `step` only."""

    def __new__(
        cls,
        roots: list[tuple[str, tuple[str, str] | None]],
        *,
        keys: list[Any],
        signatures: list[Any],
        since: int | None,
        until: int | None,
        accounts: set[str] | None,
        regions: set[str] | None,
        trails: set[str] | None,
        now: int,
        threads: int,
        max_inflated: int,
        max_ratio: int,
        hashes: Hashes | None,
        details: bool,
        remote: Remote | None = None,
    ) -> Verify: ...
    def step(self) -> dict[str, Any] | None: ...
    def other_trails(self) -> list[str]: ...
    @staticmethod
    def empty() -> dict[str, Batch]: ...

def advanced_event_selectors(text: str) -> str: ...
def check_bucket(name: str) -> str | None: ...
def has_log_ending(name: str | Path) -> bool: ...
def lint_event_pattern(text: str, *, state: str | None) -> list[tuple[str, str, str, str]]: ...
def lint_event_selectors(text: str, target: str | None) -> list[tuple[str, str, str, str]]: ...
def lint_filter_pattern(text: str) -> list[tuple[str, str, str]]: ...
def make_folders(folder: str | Path) -> None: ...
def remove_leftovers(folder: str | Path) -> None: ...
def partition(region: str) -> str: ...
def parse_key(key: str) -> _Key | None: ...
def refused(text: str, table: str) -> tuple[str, str] | None: ...
def schema(columns: list[str], views: bool) -> Batch: ...
def without_secrets(words: str) -> str: ...
def columns() -> list[tuple[str, str, str]]: ...
