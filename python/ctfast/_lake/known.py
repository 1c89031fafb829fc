"""What a commit or an ingest needs to know of the ledger, whose files never change: each of them is read once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from ctfast._lake.ledger import Ledger
from ctfast._later import pl

__all__ = ["VERSION", "File", "Splits", "Versions"]

#: A version of a file of an archive: its path or address, its size, its ETag, and its time if it has no ETag.
File = tuple[str, int | None, str | None, int | None]
#: The columns of these in the ledger.
VERSION = ("file", "size", "etag", "modified")


class _Known(ABC):
    """Something that all rows of the ledger tell, kept from one version of the table to the next."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self.forget()

    def read(self, ledger: Ledger) -> None:
        """Read the files of the ledger that were not there before."""
        if not self._paths.issubset(ledger.paths):  # another lake was made in the same place
            self.forget()
        new = [path for path in ledger.paths if path not in self._paths]
        if new:
            self._add(ledger.rows(new))
            self._paths.update(new)

    def forget(self) -> None:
        """Begin anew, as with a lake that is empty."""
        self._paths = set()
        self._forget()

    @abstractmethod
    def _forget(self) -> None:
        """Forget what the rows have told."""

    @abstractmethod
    def _add(self, rows: pl.LazyFrame) -> None:
        """Take what these rows tell."""


class Splits(_Known):
    """The splits whose files are in a lake."""

    def of(self, ledger: Ledger) -> set[str]:
        """Return their ids, by this version of the ledger."""
        self.read(ledger)
        return self._ids

    def _forget(self) -> None:
        self._ids: set[str] = set()

    def _add(self, rows: pl.LazyFrame) -> None:
        self._ids.update(rows.select(pl.col("split").unique()).collect().to_series())


class Versions(_Known):
    """The versions of files of which a lake has all that is between these times, in microseconds since 1970."""

    def __init__(self, since: int | None, until: int | None) -> None:
        begins, ends = pl.col("since").is_null(), pl.col("until").is_null()
        if since is not None:
            begins |= pl.col("since") <= since
        if until is not None:
            ends |= pl.col("until") >= until
        self._has_all = begins & ends
        super().__init__()

    def outcomes(self, files: Iterable[File]) -> pl.Series:
        """Return what became of each of these, null of those that the lake does not know."""
        columns = dict(zip(VERSION, zip(*files, strict=True), strict=False))
        asked = pl.DataFrame(columns, _schema())
        return asked.join(self._known, on=VERSION, how="left", nulls_equal=True, maintain_order="left")["outcome"]

    def _forget(self) -> None:
        self._known = pl.DataFrame(schema=_schema() | {"outcome": pl.String()})

    def _add(self, rows: pl.LazyFrame) -> None:
        found = rows.filter(self._has_all, pl.col("outcome").is_in(["read", "bad", "skipped"]))
        # A file that was read by several is bad only if each found it bad.
        both = pl.concat([self._known.lazy(), found.select(*VERSION, "outcome")])
        self._known = both.group_by(VERSION).agg(pl.col("outcome").max()).collect()


def _schema() -> dict[str, pl.DataType]:
    return {"file": pl.String(), "size": pl.Int64(), "etag": pl.String(), "modified": pl.Int64()}
