"""What is noted of files as they are read: of the same bytes, their hash as stored and that of their text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from threading import Lock

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._ledger.rows import no_rows, taken
from ctfast._ledger.spilled import Spilled
from ctfast._scan import ending
from ctfast._scan.options import Options

__all__ = ["Noted"]

#: Files that are read together.
_TOGETHER = 4_096
_COLUMNS = ["file", "sha256", "outcome"]

#: A file, its size and its ETag if one version is meant, and its first record.
Version = tuple[str, int | None, str | None, int]


class Noted:
    """The hashes of files that this process has read.

    The hashes of texts are for a verification, which reads a file itself if it has none. That is so for what is no
    whole gzip file of one layer: :meth:`unnoted` tells which these are, so that nothing is taken for proven that was
    read at another time than it was hashed.
    """

    def __init__(self) -> None:
        #: Of the texts, by the paths of the files.
        self.hashes = _ctfast.Hashes()
        self._rows = Spilled()
        self._lock = Lock()

    def add(self, ledger: _ctfast.Ledger) -> None:
        """Take the rows of a scan that had the hashes as well."""
        for rows in taken(ledger):
            with self._lock:
                self._rows.append(rows.select(_COLUMNS))

    def files(self) -> pl.DataFrame:
        """Return the files of which all bytes could be read, and the hashes of these as they are stored."""
        return self._all().filter(pl.col("sha256").is_not_null())

    def _all(self) -> pl.DataFrame:
        rows: pl.DataFrame = pl.concat([no_rows().select(_COLUMNS), *self._rows])
        return rows

    def read(self, options: Options, files: Iterable[str]) -> None:
        """Read more files, as they are now."""
        whole = list(files)
        reading = replace(options, query=_ctfast.Query([]), report=None, progress=None, verify=lambda: self.hashes)
        for start in range(0, len(whole), _TOGETHER):
            named: list[Version] = [(file, None, None, 0) for file in whole[start : start + _TOGETHER]]
            ledger = _ctfast.Ledger(sha256=True)
            running = reading.start(_ctfast.Selection([]).naming(named), ledgers=[ledger])
            with ending.running(running):
                while running.next() is not None:
                    pass
            self.add(ledger)

    def unnoted(self, options: Options, valid: Iterable[str]) -> set[str]:
        """Return those of some files whose text may have no hash here: the verification has then read them itself.

        It depends on the bytes of a file whether its text is hashed, and how many were hashed is known.
        """
        files = self.files()
        if files.height == self._all().height:
            missing = files.height - len(self.hashes)
            bad, is_sure = _without_hash(options, files.filter(outcome="bad")) if missing else (set[str](), True)
            if is_sure and len(bad) == missing:
                return bad
        return _without_hash(options, files.filter(pl.col("file").is_in(list(valid))))[0]


def _without_hash(options: Options, files: pl.DataFrame) -> tuple[set[str], bool]:
    """Return the files whose texts are not hashed when they are read, and those that are no longer the same.

    The flag is whether there are none of the latter.
    """
    if files.is_empty():
        return set(), True
    again = Noted()
    again.read(options, files["file"])
    same = files.join(again.files(), on=["file", "sha256"], how="semi").height == files.height
    if same and len(again.hashes) == files.height:
        return set(), True
    if files.height == 1:
        return set(files["file"]), same
    half = files.height // 2
    (one, is_sure), (other, is_sure_too) = (_without_hash(options, each) for each in (files[:half], files[half:]))
    return one | other, is_sure and is_sure_too
