"""Polars and PyArrow, imported when they are first used.

Their imports take longer than most things that do not need them: ``ctfast --help``, or a program that imports ctfast
and scans nothing. Modules of this package import ``pl``, ``pa`` and ``pq`` from here and use them like the real
modules, but not at import time: constants made of them, such as schemas, are returned by functions.
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
    """Import a module in the middle of other work, with Ctrl-C deferred to the end of the import."""
    with _interrupt.held():
        return import_module(name)


class _Later(ModuleType):
    """Stands for a module of this name; attributes are cached, so that later accesses need no call."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(load(self.__name__), name)
        setattr(self, name, value)
        return value

    def __reduce__(self) -> tuple[object, ...]:
        """Return how the module is pickled: functions that Polars serializes refer to it."""
        return load, (self.__name__,)


if not TYPE_CHECKING:
    pl, pa, pq = map(_Later, ("polars", "pyarrow", "pyarrow.parquet"))
