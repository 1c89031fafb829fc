"""Results that are committed to a checkpoint or a queue: a folder with one part for each unit.

No run replaces what another one has written and committed.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import ctfast as ct
from ctfast._later import pa, pl
from ctfast._new_file import locked, ready
from ctfast._source.apart import keep_apart
from ctfast.cli.formats import TABLE, Format
from ctfast.cli.output import opened, suffix

__all__ = ["Parts", "folder", "frames", "name"]

_PART = "part-"


def folder(
    archive: Iterable[str], target: str | None, form: Format, limit: int | None, checkpoint: ct.Checkpoint | None
) -> Parts | None:
    """Return the folder of the parts; None for standard output, a device or a pipe, which cannot hold parts."""
    if target is None:
        return None
    path = Path(target)
    found = path.stat().st_mode if path.exists() else stat.S_IFDIR
    if stat.S_ISREG(found):
        message = (
            f"{target} is a file, which this run would replace: with a checkpoint or a queue, -o names a folder for"
            " its parts"
        )
        raise ValueError(message)
    if not stat.S_ISDIR(found):
        return None
    if form is TABLE or limit is not None:
        cause = "a table" if form is TABLE else "--limit"
        message = f"{cause} leaves rows out that would count as read: leave out -o, or take all"
        raise ValueError(message)
    keep_apart(archive, str(path / name("", form, target)))
    ready(path / name("", form, target) if path.exists() else path)
    return Parts(path, form, checkpoint, _known(path, checkpoint, suffix(form, target)))


@dataclass(frozen=True)
class Parts:
    """A folder of parts, one for each unit.

    Without a checkpoint, as for queues, several runs may share it. With one, they would hold the same rows.
    """

    path: Path
    form: Format
    checkpoint: ct.Checkpoint | None
    #: Names of the parts that were there at the beginning, or were written by this run.
    known: set[str]

    def put(self, units: Iterable[ct.Unit], names: list[str]) -> None:
        """Write each unit under its own name, and only then commit it.

        A part that exists already was left by a run that was stopped between the two steps: it is written again.
        """
        for unit in units:
            self.store(unit, names)
            unit.commit()

    def store(self, unit: ct.Unit, names: list[str], *, even_empty: bool = True) -> tuple[int, Path | None]:
        """Write a unit under its own name; return the number of its rows, and the path of the part if one was written.

        Without rows, a part is written only if ``even_empty`` is set or there is an earlier part to replace.
        """
        rows = 0

        def counted() -> Iterator[pa.RecordBatch]:
            nonlocal rows
            for batch in unit:
                if batch.num_rows:
                    rows += batch.num_rows
                    yield batch

        part = self.path / name(unit.id, self.form, str(self.path))
        batches = counted()
        first = list(itertools.islice(batches, 1))
        if not (first or even_empty or part.exists()):
            return rows, None
        self.path.mkdir(exist_ok=True)
        # Of two runs that have begun with an empty folder, one waits here until the part of the other can be seen.
        with nullcontext() if self.checkpoint is None else locked(self.path):
            self._refuse_newcomers()
            with opened(str(part)) as file:
                self.form.put(frames(itertools.chain(first, batches), unit.schema, names), file)
            self.known.add(part.name)
        return rows, part

    def _refuse_newcomers(self) -> None:
        """Refuse to go on if another run has added parts since the beginning, be it under the name of the next one."""
        if self.checkpoint is None:
            return
        with os.scandir(self.path) as found:  # without a Path for each, as there may be very many
            others = {part.name for part in found if part.name.startswith(_PART)} - self.known
        if others:
            raise _strange(self.path, self.checkpoint, min(others).partition(".")[0])


def frames(batches: Iterable[pa.RecordBatch], schema: pa.Schema, names: list[str]) -> Iterator[pl.DataFrame]:
    """Yield these columns as frames, at least one."""
    for table in itertools.chain([schema.empty_table()], batches):
        yield pl.DataFrame(table).select(map(_column, names))


def name(unit: str, form: Format, folder: str) -> str:
    """Return the name of the part of a unit."""
    return f"{_PART}{unit}{suffix(form, folder)}"


def _known(path: Path, checkpoint: ct.Checkpoint | None, ending: str) -> set[str]:
    """Return the names of the parts in a folder; refuse other formats, and parts unknown to the checkpoint."""
    parts = sorted(path.glob(f"{_PART}*"))
    odd = next((part for part in parts if "".join(part.suffixes) != ending), None)
    if odd is not None:
        message = f"{path} has parts of another form, such as {odd.name}: go on in that form, or name another folder"
        raise ValueError(message)
    known = {part.name for part in parts}
    if checkpoint is not None and known:
        others = {part.removesuffix(ending).removeprefix(_PART) for part in known} - set(checkpoint.units["id"])
        if others:
            raise _strange(path, checkpoint, f"{_PART}{min(others)}")
    return known


def _strange(path: Path, checkpoint: ct.Checkpoint, part: str) -> ValueError:
    message = f"{path} has parts that {checkpoint.place} does not know, such as {part}: name another folder"
    return ValueError(message)


def _column(path: str) -> pl.Expr:
    """Return the column with this path, named by the path."""
    root, *fields = path.split(".")
    column = pl.col(root)
    for field in fields:
        column = column.struct[field]
    return column.alias(path)
