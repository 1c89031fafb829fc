"""Results that a checkpoint or a queue calls safe: one part of a folder for each unit.

No run replaces what another one has written and committed.
"""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import ctfast as ct
from ctfast._apart import keep_apart
from ctfast._later import pa, pl
from ctfast.cli.output import TABLE, nested, opened, suffix, write

__all__ = ["folder", "frames", "name", "put"]

_PART = "part-"


def folder(
    archive: Iterable[str], target: str | None, form: str, limit: int | None, checkpoint: ct.Checkpoint | None
) -> Path | None:
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
    keep_apart(archive, str(path / name("", form, target)))
    _refuse_others(path, checkpoint, suffix(form, target))
    return path


def put(units: Iterable[ct.Unit], folder: Path, form: str, names: list[str]) -> None:
    """Write each unit under its own name, and only then let it count as read.

    A part that is there already is what a run has left that was stopped between the two: it is written again.
    """
    for unit in units:
        folder.mkdir(exist_ok=True)
        with opened(str(folder / name(unit.id, form, str(folder)))) as file:
            write(frames(unit, unit.schema, names), form, file)
        unit.commit()


def frames(batches: Iterable[pa.RecordBatch], schema: pa.Schema, names: list[str]) -> Iterator[pl.DataFrame]:
    """Yield these columns as frames, at least one."""
    for table in itertools.chain([schema.empty_table()], batches):
        yield pl.DataFrame(table).select(map(nested, names))


def name(unit: str, form: str, folder: str) -> str:
    """Return the name of the part of a unit."""
    return f"{_PART}{unit}{suffix(form, folder)}"


def _refuse_others(path: Path, checkpoint: ct.Checkpoint | None, ending: str) -> None:
    """Refuse a folder with parts that the checkpoint does not know, or of another form: the same rows may be in them."""
    parts = sorted(path.glob(f"{_PART}*"))
    odd = next((part for part in parts if "".join(part.suffixes) != ending), None)
    if odd is not None:
        message = f"{path} has parts of another form, such as {odd.name}: go on in that form, or name another folder"
        raise ValueError(message)
    if checkpoint is None or not parts:
        return
    others = {part.name.removesuffix(ending).removeprefix(_PART) for part in parts} - set(checkpoint.units["id"])
    if others:
        message = f"{path} has parts that {checkpoint!r} does not know, such as {_PART}{min(others)}: name another folder"
        raise ValueError(message)
