"""Polars and PyArrow, imported when they are first used.

Their imports take longer than most of what does not need them: ``ctfast --help``, or a program that imports ctfast and scans
nothing. Modules of this package take ``pl``, ``pa`` and ``pq`` from here, and use them as they would the modules themselves,
but not while they are imported: what is made of them there, such as a schema, is made by a function.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ctfast import _interrupt

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["load", "pa", "pl", "pq"]


def load(name: str) -> ModuleType:
    """Import a module in the middle of other work, without a Ctrl-C among its imports."""
    with _interrupt.held():
        return import_module(name)


class _Later(ModuleType):
    """Stands for the module of its name; what was asked for once is found without a call."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(load(self.__name__), name)
        setattr(self, name, value)
        return value

    def __reduce__(self) -> tuple[object, ...]:
        """Return how the module is found: functions that Polars serializes have it among their names."""
        return load, (self.__name__,)


if not TYPE_CHECKING:
    pl, pa, pq = map(_Later, ("polars", "pyarrow", "pyarrow.parquet"))
