"""Outputs are kept apart from inputs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from ctfast._ctfast import has_log_ending

__all__ = ["keep", "keep_apart"]


def keep(names: Iterable[str], *written: str | None) -> None:
    """Refuse to write over an input."""
    read = {_real(name) for name in names}
    for target in written:
        if target is not None and not read.isdisjoint(_places(target)):
            message = f"{target} is read itself: write to another file"
            raise ValueError(message)


def keep_apart(names: Iterable[str], *written: str | None) -> None:
    """Refuse to write over an input, or where the next run would read it as a log."""
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
    """Return the paths of a file: a link, and its target."""
    return {_real(target), _real(Path(target).parent) / Path(target).name}


def _real(name: str | Path) -> Path:
    """Return the target of a path; for links in a circle it is one of them, where ``Path.resolve`` may raise."""
    return Path(os.path.realpath(name))
