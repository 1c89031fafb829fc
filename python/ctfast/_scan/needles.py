"""Which rows of a part may have a value: filters of the columns in which single values are searched for.

They lie in a file beside the part, and know its name, size and rows, so that no other file is taken for them. A filter
is of a run of rows, which is a row group when it is written; it tells that a value is not there, or may be there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Final

from ctfast import _ctfast
from ctfast._later import load, pa

__all__ = ["NEEDLES", "Index", "Needles"]

#: The columns, in the order in which their filters are written. Accounts, regions and names of events are not among
#: them: each file has most of them, and the log has their bounds.
NEEDLES: Final = (
    "userIdentity.accessKeyId",
    "userIdentity.arn",
    "userIdentity.principalId",
    "userIdentity.userName",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "sourceIPAddress",
    "eventID",
    "requestID",
    "sharedEventID",
    "resources[].ARN",
)
#: Bytes of a place in a text, and of a block of a filter.
_PLACE, _BLOCK = 8, 32


class Needles:
    """The filters of a part that is being written."""

    def __init__(self, schema: pa.Schema) -> None:
        self._rows: list[int] = []
        self._filters: dict[str, list[bytes]] = {path: [] for path in NEEDLES if _has(schema, path)}

    def add(self, rows: pa.Table) -> None:
        """Add the next rows, which become a run."""
        self._rows.append(rows.num_rows)
        for path, filters in self._filters.items():
            filters.append(_filter(rows, path))

    def file(self, part: str, size: int) -> bytes:
        """Return the content of the file, for the part of this name and size."""
        directory = {
            "part": part,
            "size": size,
            "rows": self._rows,
            "blocks": {path: [len(each) // _BLOCK for each in filters] for path, filters in self._filters.items()},
        }
        text = json.dumps(directory, ensure_ascii=False, separators=(",", ":"))
        return _ctfast.file_of_filters(text.encode(), b"".join(b"".join(each) for each in self._filters.values()))


class Index:
    """The filters of a part, in their file.

    Parameters
    ----------
    place
        The file.
    part, size, rows
        The name of the part, and what the table says of it.

    Raises
    ------
    FileNotFoundError
        There is none.
    OSError, ValueError
        It cannot be read, is damaged, or is of another part.
    """

    def __init__(self, place: Path, part: str, size: int, rows: int) -> None:
        self._file = _ctfast.Filters(place)
        known = json.loads(self._file.directory)
        if (known["part"], known["size"], sum(known["rows"])) != (part, size, rows):
            raise ValueError(f"{place} is of another part than {part}")
        self._rows: list[int] = known["rows"]
        blocks: dict[str, list[int]] = known["blocks"]
        ends = accumulate((each for of_column in blocks.values() for each in of_column), initial=0)
        self._filters = {path: [(next(ends), each) for each in of_column] for path, of_column in blocks.items()}
        if next(ends) != self._file.blocks:
            raise ValueError(f"{place} ends too early or too late")

    @property
    def all(self) -> int:
        """All runs. A set of runs is a number, with a bit for each of them."""
        return (1 << len(self._rows)) - 1

    def may_have(self, path: str, values: list[str]) -> int:
        """Return the runs that may have one of these values in this column: all, if it has no filters."""
        filters = self._filters.get(path)
        if filters is None:
            return self.all
        return sum(1 << run for run, is_there in enumerate(self._file.find(filters, values)) if is_there)

    def spans(self, runs: int) -> Iterator[tuple[int, int]]:
        """Yield the rows of these runs: the number of the first one, and how many follow each other."""
        start = first = 0
        for run, rows in enumerate(self._rows):
            if not runs >> run & 1:
                if start > first:
                    yield first, start - first
                first = start + rows
            start += rows
        if start > first:
            yield first, start - first


def _has(schema: pa.Schema, path: str) -> bool:
    """Whether there is such a column, as far as the schema has the fields of a record under their own names."""
    kind = pa.struct(schema)
    for name in path.split("."):
        if not pa.types.is_struct(kind) or kind.get_field_index(name.removesuffix("[]")) < 0:
            return False
        kind = kind.field(name.removesuffix("[]")).type
        if name.endswith("[]"):
            kind = kind.value_type
    return True


def _filter(rows: pa.Table, path: str) -> bytes:
    """Return the filter of a column."""
    compute = load("pyarrow.compute")
    root, *inner = path.split(".")
    column = rows.column(root.removesuffix("[]"))
    if root.endswith("[]"):
        column = compute.list_flatten(column)
    for name in inner:
        column = compute.struct_field(column, name)  # null where the struct is
    values = compute.unique(column.cast(pa.large_string())).drop_null()
    _, places, text = values.buffers()
    start = values.offset * _PLACE
    own = places.slice(start, (len(values) + 1) * _PLACE) if len(values) else b""
    return _ctfast.filter_of(bytes(own), b"" if text is None else bytes(text))
