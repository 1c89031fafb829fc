"""The native half of ctfast. Use the public names of :mod:`ctfast` instead."""

from pathlib import Path
from typing import Any, TypeAlias, final

__version__: str
DEBUG: bool

_Finding: TypeAlias = tuple[str | None, int | None, int | None, str, str, int]

@final
class Batch:
    """The rows of some records; an Arrow struct array to those who ask for one."""

    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def slice(self, offset: int, length: int) -> Batch: ...

@final
class Scan:
    """A running read. It owns its threads from the first moment until `close`."""

    def __new__(
        cls,
        paths: list[str] | list[Path],
        *,
        columns: list[str],
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
    ) -> Scan: ...
    def next(self) -> Batch | None: ...
    def close(self) -> None: ...
    def report(self) -> dict[str, Any]: ...

def schema(columns: list[str]) -> Batch: ...
def columns() -> list[tuple[str, str, str]]: ...
