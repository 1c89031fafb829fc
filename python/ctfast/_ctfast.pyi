"""The native half of ctfast. Use the public names of :mod:`ctfast` instead."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, final

__all__ = [
    "DEBUG",
    "LEDGER_ROWS",
    "NAMED_FILES",
    "NAMED_RECORDS",
    "STORAGE_OPTIONS",
    "Batch",
    "Copy",
    "Dedupe",
    "Filter",
    "Filters",
    "Hashes",
    "Keys",
    "Ledger",
    "Listing",
    "NewFile",
    "Paths",
    "Planner",
    "Query",
    "Remote",
    "Run",
    "Scan",
    "Seen",
    "Selection",
    "Verify",
    "__version__",
    "advanced_event_selectors",
    "check_bucket",
    "columns",
    "file_of_filters",
    "filter_of",
    "floor",
    "has_log_ending",
    "keys_without",
    "lint",
    "make_folders",
    "nearest",
    "parse_key",
    "partition",
    "refused",
    "remove_leftovers",
    "repeated",
    "schema",
    "sorted_keys",
    "split_facts",
    "without_secrets",
]

__version__: str
DEBUG: bool
#: The names of storage options, in all their forms.
STORAGE_OPTIONS: list[str]
#: How many rows of a ledger are in memory.
LEDGER_ROWS: int
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

#: Severity, code, message, path, line and column of what lint says.
_Finding: TypeAlias = tuple[str, str, str, str | None, int | None, int | None]

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
    """Finds duplicates of earlier records across the scans that share it, and removes or only counts them."""

    def __new__(cls, removes: bool) -> Dedupe: ...

@final
class Keys:
    """The keys of the rows of a scan, until they are taken."""

    def __new__(cls) -> Keys: ...
    def take(self, rows: int) -> bytes: ...

@final
class Ledger:
    """What became of each file, across scans. The latest rows are in memory, earlier ones on disk."""

    def __new__(cls, sha256: bool) -> Ledger: ...
    @staticmethod
    def empty() -> Batch: ...
    def page(self, number: int) -> Batch: ...
    def take(self) -> Batch: ...
    def take_rows(self) -> list[tuple[Any, ...]]: ...
    def note(
        self,
        file: str,
        outcome: str,
        reason: str | None = None,
        size: int | None = None,
        etag: str | None = None,
        byte: int | None = None,
    ) -> None: ...

@final
class Listing:
    """A listing that is under way. It works in `next` only."""

    def __new__(
        cls,
        selection: Selection,
        *,
        floors: dict[str, str] | None = None,
        remote: Remote | None = None,
        seen: Seen | None = None,
        only: Paths | None = None,
        planner: Planner | None = None,
        ledgers: list[Ledger] = ...,
    ) -> Listing: ...
    def next(self) -> list[tuple[str, int | None, str | None, int | None]] | None: ...
    def counts(self) -> dict[str, Any]: ...
    def bad(self) -> list[tuple[Any, ...]]: ...

@final
class Planner:
    """Files on their way to splits."""

    def __new__(cls) -> Planner: ...
    def add(
        self,
        files: list[tuple[str, int | None, str | None, int | None]],
        selection: Selection,
        *,
        only: Paths | None = None,
        ledgers: list[Ledger] = ...,
    ) -> dict[str, int]: ...
    def files(self) -> int: ...
    def cut(
        self, selection: Selection, query: str, *, slots: int, target: int | None
    ) -> list[tuple[str, Selection, int, int, int, int, bool]]: ...

@final
class NewFile:
    """A file that has its name once it is finished, and leaves nothing when it is abandoned."""

    def __new__(cls, path: str | Path, *, replace: bool = True) -> NewFile: ...
    def fileno(self) -> int: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...

@final
class Filter:
    """A condition on records. One that is read from a text comes with its normal form."""

    @staticmethod
    def read(
        text: str,
        language: str,
        *,
        target: str | None = None,
        missing_read_only: str = "write",
        missing_differs: bool = False,
        state: str | None = None,
    ) -> tuple[Filter, str]: ...
    @staticmethod
    def category(name: str) -> Filter: ...
    @staticmethod
    def all(filters: list[Filter]) -> Filter: ...
    @staticmethod
    def any(filters: list[Filter]) -> Filter: ...
    def negated(self) -> Filter: ...
    def findings(self) -> list[_Finding]: ...
    def matches(self, record: bytes) -> bool: ...
    def explain(self, record: bytes) -> list[tuple[str, list[str]]]: ...

@final
class Query:
    """Which records to read, and which columns of them: a value."""

    def __new__(
        cls,
        columns: list[str],
        *,
        text: list[str] | None = None,
        predicate: tuple[Any, ...] | None = None,
        where: Filter | None = None,
        rules: list[tuple[str, Filter]] | None = None,
        dedupe: bool = False,
    ) -> Query: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def dedupe(self) -> bool: ...
    def selecting(
        self, columns: list[str], *, text: list[str] | None = None, predicate: tuple[Any, ...] | None = None
    ) -> Query: ...
    def json(self) -> str: ...
    @classmethod
    def from_json(cls, text: str) -> Query: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Remote:
    """Connections, credentials and pace of buckets. `close` cancels what is under way, as does the scan it is for."""

    def __new__(
        cls,
        storage_options: dict[str, str],
        credentials: Callable[[], tuple[str, str, str | None]] | None = None,
        *,
        is_for_one: bool = False,
    ) -> Remote: ...
    def requests(self) -> tuple[int, int, int, int]: ...
    def close(self) -> None: ...

@final
class Run:
    """With which means to read: a value."""

    def __new__(cls, threads: int, limits: tuple[int, int], fail: bool, types: str | None = None) -> Run: ...
    @property
    def limits(self) -> tuple[int, int]: ...
    @property
    def fail(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __getnewargs__(self) -> tuple[int, tuple[int, int], bool, str | None]: ...

@final
class Scan:
    """A running read. It owns its threads from the first moment until `close`."""

    def __new__(
        cls,
        selection: Selection,
        query: Query,
        run: Run,
        *,
        remote: Remote | None = None,
        only: Paths | None = None,
        seen: Seen | None = None,
        dedupe: Dedupe | None = None,
        books: list[Ledger | Hashes | Keys] = ...,
    ) -> Scan: ...
    def next(self) -> Batch | None: ...
    def close(self) -> None: ...
    def counts(self) -> dict[str, Any]: ...
    def bad(self) -> list[tuple[tuple[Any, ...], int | None]]: ...
    def warnings(self) -> list[tuple[Any, ...]]: ...

@final
class Seen:
    """Accounts, regions and kinds that a listing has come across, and the sources that gave no file."""

    def __new__(cls) -> Seen: ...
    def names(self) -> dict[str, list[str]]: ...
    def barren(self) -> list[tuple[str, dict[str, int], dict[str, int]]]: ...

@final
class Selection:
    """Which files to read: a value."""

    def __new__(
        cls,
        sources: list[str] | list[Path],
        *,
        accounts: set[str] | None = None,
        regions: set[str] | None = None,
        kinds: set[str] | None = None,
        since: int | None = None,
        until: int | None = None,
        max_delay: int | None = None,
        digests: bool = False,
    ) -> Selection: ...
    @property
    def paths(self) -> list[str]: ...
    def times(self) -> dict[str, int]: ...
    def below(self, paths: list[str]) -> Selection: ...
    def naming(self, files: list[tuple[str, int | None, str | None, int]]) -> Selection: ...
    def json(self) -> str: ...
    @classmethod
    def from_json(cls, text: str) -> Selection: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Filters:
    """An open file of filters."""

    def __new__(cls, path: str | Path) -> Filters: ...
    @property
    def directory(self) -> bytes: ...
    @property
    def blocks(self) -> int: ...
    def find(self, filters: list[tuple[int, int]], values: list[str]) -> list[bool]: ...

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
        ledger: Ledger | None = None,
        remote: Remote | None = None,
    ) -> Verify: ...
    def step(self) -> dict[str, Any] | None: ...
    def other_trails(self) -> list[str]: ...
    @staticmethod
    def empty() -> dict[str, Batch]: ...

def advanced_event_selectors(text: str) -> str: ...
def check_bucket(name: str) -> str | None: ...
def file_of_filters(directory: bytes, blocks: bytes) -> bytes: ...
def filter_of(places: bytes, text: bytes) -> bytes: ...
def floor(files: Iterable[str | Path], threads: int) -> list[int | None]: ...
def has_log_ending(name: str | Path) -> bool: ...
def keys_without(file: bytes, dropped: list[int]) -> bytes: ...
def lint(text: str, language: str, *, state: str | None) -> list[_Finding]: ...
def make_folders(folder: str | Path) -> None: ...
def nearest(word: str, names: list[str], alike: float) -> int | None: ...
def remove_leftovers(folder: str | Path) -> None: ...
def partition(region: str) -> str: ...
def parse_key(key: str) -> _Key | None: ...
def refused(text: str, table: str) -> tuple[str, str] | None: ...
def repeated(known: list[str], new: list[str]) -> tuple[list[tuple[tuple[int, int], tuple[int, int]]], int]: ...
def sorted_keys(keys: bytes) -> bytes: ...
def schema(columns: list[str], types: str, *, rules: bool = False) -> Batch: ...
def split_facts(selection: Selection, query: str) -> tuple[str, int, int, int, int, bool]: ...
def without_secrets(words: str) -> str: ...
def columns() -> list[tuple[str, str, str]]: ...
