"""Which rows of a lake a query has to read: what the log and the filters beside the parts rule out is not opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from ctfast._lake.bounds import Bounds
from ctfast._lake.table import Part
from ctfast._scan.needles import NEEDLES, Index
from ctfast._scan.part import STATISTICS
from ctfast._scan.pushdown import Predicate
from ctfast._source.silence import warned
from ctfast._store.store import Store, index_path

__all__ = ["Piece", "pieces"]

#: Which runs of rows may meet a condition: a bit for each.
_Runs: TypeAlias = int
#: The conditions that bounds can rule out.
_BOUNDED = ("in", "between")
#: Of a part whose filters are not known, all rows are one run.
_WHOLE: _Runs = 1


class Piece(NamedTuple):
    """Rows of a part that have to be read."""

    path: str
    #: The number of the first row, and how many follow; None for the whole part.
    rows: tuple[int, int] | None = None


def pieces(
    store: Store, parts: Iterable[Part], bounds: Callable[[], Mapping[str, Bounds]], predicate: Predicate | None
) -> Iterator[Piece]:
    """Yield what may have rows that meet a predicate, in the order of the parts.

    A part without a file of filters is read. One whose file is damaged is read as well, and named in a warning.
    ``bounds`` reads the log, which a predicate about other columns does not need.
    """
    asks = _asks(predicate, ("in",), NEEDLES)
    known = bounds() if _asks(predicate, _BOUNDED, STATISTICS) else {}
    left = [part for part in parts if _may_have(known.get(part.path, {}), predicate)]
    if asks:
        store.prepare(index_path(part.path) for part in left)
    for part in left:
        index = _index(store, part) if asks else None
        if index is None:
            yield Piece(part.path)
        else:
            yield from _of_part(part, index, known.get(part.path, {}), predicate)


def _may_have(known: Bounds, predicate: Predicate | None) -> bool:
    """Tell whether some row of a part may meet a predicate, by its bounds."""
    return bool(_runs(predicate, _WHOLE, lambda *condition: _by_bounds(known, *condition)))


def _of_part(part: Part, index: Index, known: Bounds, predicate: Predicate | None) -> Iterator[Piece]:
    """Yield the rows of a part that its filters leave."""

    def test(kind: str, path: str, *values: Any) -> bool | _Runs:
        if kind == "in" and path in NEEDLES:
            return index.may_have(path, values[0])
        return _by_bounds(known, kind, path, *values)

    try:
        runs = _runs(predicate, index.all, test)
    except OSError as error:
        _tell(error, part)
        yield Piece(part.path)
        return
    spans = list(index.spans(runs))
    # To open a part once for each run costs more than to read what lies between them.
    if 2 * sum(rows for _, rows in spans) > part.rows:
        yield Piece(part.path)
    else:
        yield from (Piece(part.path, span) for span in spans)


def _index(store: Store, part: Part) -> Index | None:
    """Return the filters of a part, if they are there and can be used."""
    try:
        return Index(store.fetch(index_path(part.path)), part.path, part.size, part.rows)
    except FileNotFoundError:
        return None  # an earlier version of ctfast has written the part
    except (OSError, ValueError) as error:
        _tell(error, part)
        return None


def _tell(error: Exception, part: Part) -> None:
    warned([f"{error}: all of {part.path} was read instead. Remove the file, which only makes queries faster"])


def _asks(predicate: Predicate | None, kinds: Collection[str], paths: Collection[str]) -> bool:
    """Tell whether a predicate has a condition of these kinds about one of these columns."""
    match predicate:
        case None:
            return False
        case ("all" | "any", inner):
            return any(_asks(each, kinds, paths) for each in inner)
    kind, path, *_ = predicate
    return kind in kinds and path in paths


def _runs(predicate: Predicate | None, every: _Runs, test: Callable[..., bool | _Runs]) -> _Runs:
    """Return the runs in which some row may meet a predicate, as far as the test of a condition can tell."""
    match predicate:
        case None:
            return every
        case ("all", inner):
            found = every
            for each in inner:
                found = found and found & _runs(each, every, test)
            return found
        case ("any", inner):
            found = 0
            for each in inner:
                found |= _runs(each, every, test)
            return found
    told = test(*predicate)
    return told if type(told) is int else every if told else 0


def _by_bounds(known: Bounds, kind: str, path: str, *values: Any) -> bool:
    """Tell whether some row may meet a condition, by the bounds of its column."""
    if path not in known or kind not in _BOUNDED:
        return True
    bounds = known[path]
    if bounds is None:
        return False
    least, greatest = bounds
    if kind == "in":
        return any(least <= value <= greatest for value in values[0])
    first, last = values
    return bool(first <= greatest and least <= last)
