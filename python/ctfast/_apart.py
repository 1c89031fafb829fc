"""What is written lies apart from what is read."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from ctfast._ctfast import has_log_ending

__all__ = ["keep", "keep_apart"]


def keep(names: Iterable[str], *written: str | None) -> None:
    """Refuse to write over what is read."""
    read = {_real(name) for name in names}
    for target in written:
        if target is not None and not read.isdisjoint(_places(target)):
            message = f"{target} is read itself: write to another file"
            raise ValueError(message)


def keep_apart(names: Iterable[str], *written: str | None) -> None:
    """Refuse to write over what is read, or where the next run would take it for a log."""
    for target in written:
        if target is None:
            continue
        places = _places(target)
        for name in names:
            named = [name] if os.path.lexists(name) or not glob.has_magic(name) else glob.iglob(name, recursive=True)  # noqa: PTH207
            for source in map(_real, named):
                if source in places and not source.is_dir():
                    message = f"{target} is read itself: write to another file"
                    raise ValueError(message)
                if any(place.is_relative_to(source) and has_log_ending(place) for place in places):
                    message = f"{target} lies in {name}, where it would be read as a log: write it elsewhere"
                    raise ValueError(message)


def _places(target: str) -> set[Path]:
    """Where a file stands: a link, and what it leads to."""
    return {_real(target), _real(Path(target).parent) / Path(target).name}


def _real(name: str | Path) -> Path:
    """Where a name leads; of links in a circle one of them, where ``Path.resolve`` may raise what no caller expects."""
    return Path(os.path.realpath(name))
