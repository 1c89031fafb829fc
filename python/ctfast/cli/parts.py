"""Results that a checkpoint or a queue calls safe: one part of a folder for each unit, so that no run replaces what another wrote."""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

import ctfast as ct
from ctfast._files import written
from ctfast.cli.output import SUFFIXES, TABLE, nested, write

__all__ = ["folder", "frames", "put"]

_PART = "part-"


def folder(target: str | None, form: str, limit: int | None, checkpoint: ct.Checkpoint | None) -> Path | None:
    """Return the folder of the parts; None for standard output, a device or a pipe, which keep nothing."""
    if target is None:
        return None
    path = Path(target)
    found = path.stat().st_mode if path.exists() else stat.S_IFDIR
    if stat.S_ISREG(found):
        message = (
            f"{target} is a file, which this run would replace: with a checkpoint or a queue, -o names a folder for its parts"
        )
        raise ValueError(message)
    if not stat.S_ISDIR(found):
        return None
    if form == TABLE or limit is not None:
        message = (
            f"{'a table' if form == TABLE else '--limit'} leaves rows out that would count as read: leave out -o, or take all"
        )
        raise ValueError(message)
    _refuse_others(path, checkpoint)
    return path


def put(units: Iterable[ct.Unit], folder: Path, form: str, names: list[str]) -> None:
    """Write each unit under its own name, and only then let it count as read.

    A part that is there already is what a run has left that was stopped between the two: it is written again.
    """
    suffix = next(suffix for suffix, name in SUFFIXES.items() if name == form)
    for unit in units:
        folder.mkdir(exist_ok=True)
        with written(folder / f"{_PART}{unit.id}{suffix}") as file:
            write(frames(unit, unit.schema, names), form, file)
        unit.commit()


def frames(batches: Iterable[pa.RecordBatch], schema: pa.Schema, names: list[str]) -> Iterator[pl.DataFrame]:
    """Yield these columns as frames, at least one."""
    for table in itertools.chain([schema.empty_table()], batches):
        yield pl.DataFrame(table).select(map(nested, names))


def _refuse_others(path: Path, checkpoint: ct.Checkpoint | None) -> None:
    """Refuse a folder with parts that the checkpoint does not know: rows of the same files may be in them."""
    if checkpoint is None or not path.is_dir():
        return
    present = {part.name.removeprefix(_PART).partition(".")[0] for part in path.glob(f"{_PART}*")}
    others = present - set(checkpoint.units["id"]) if present else present
    if others:
        message = f"{path} has parts that {checkpoint!r} does not know, such as {_PART}{min(others)}: name another folder"
        raise ValueError(message)
