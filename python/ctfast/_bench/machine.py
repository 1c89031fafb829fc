"""The machine that is measured on, and how steady it is."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

__all__ = ["STEADY", "Machine", "load", "machine", "spread"]

#: The most that the times of the floor may differ, as a part of their median, for ratios to mean something.
STEADY = 0.1


class Machine(NamedTuple):
    """A machine, without its name."""

    cpu: str
    cores: int
    memory_gib: int
    system: str
    python: str

    def __str__(self) -> str:
        """Return it in one line."""
        cores = f"{self.cores} core{'s' if self.cores != 1 else ''}"
        memory = f", {self.memory_gib} GiB" if self.memory_gib else ""
        return f"{self.cpu}, {cores}{memory}; {self.system}; Python {self.python}"

    @property
    def slug(self) -> str:
        """Return what names it in a file name.

        Examples
        --------
        >>> Machine("AMD EPYC", 2, 24, "Linux", "3.11").slug
        '2-core-amd-epyc'
        """
        return re.sub(r"[^a-z0-9]+", "-", f"{self.cores} core {self.cpu}".lower()).strip("-")


def machine() -> Machine:
    """Return this machine: the processors that this process may use, and what is known of the rest."""
    cpu = _found("/proc/cpuinfo", r"model name\s*:\s*(.+)") or platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = int(_found("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0)
    system = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"
    return Machine(cpu.strip(), cores, round(memory / 2**20), system, platform.python_version())


def load() -> float:
    """Return how many threads were running or ready to run, on average over the last minute."""
    return os.getloadavg()[0]


def spread(times: Sequence[float]) -> float:
    """Return how much times differ: the largest less the smallest, as a part of the median.

    Examples
    --------
    >>> spread([1.0, 1.1, 0.9])
    0.2
    """
    return round((max(times) - min(times)) / median(times), 3)


def _found(path: str, pattern: str) -> str:
    with suppress(OSError):
        found = re.search(pattern, Path(path).read_text(encoding="utf-8", errors="replace"))
        return found[1] if found else ""
    return ""
