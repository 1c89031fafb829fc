"""What a copy tells: how far it is, and what it did (:class:`Copied`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._ledger.findings import tabulated
from ctfast._ledger.report import Requests
from ctfast._ledger.rows import kept
from ctfast.exceptions import ArgumentError, NothingChosen

__all__ = ["Copied", "CopyProgress"]


class CopyProgress(NamedTuple):
    """How far a copy has come.

    Attributes
    ----------
    files, bytes : int
        Visited so far: copied, or there already.
    of_files, of_bytes : int or None
        In all; ``None`` until the bucket is listed to its end.
    """

    files: int
    bytes: int
    of_files: int | None
    of_bytes: int | None


@dataclass(kw_only=True)
class Copied:
    """What a copy did: ``listed == copied + present + failed + skipped``.

    Attributes
    ----------
    copied : int
        Files that were fetched and written.
    present : int
        Files that were there already, and are the objects as far as the bucket tells.
    compared : dict of str to int
        How many of those that were there were compared by ``hash``, and how many by ``size`` alone.
    bytes : int
        Of those that were fetched.
    skipped : dict of str to int
        Objects that are no part of the archive or were not asked for, by reason.
    pruned : dict of str to int
        Folders that were not even listed, by the same reasons.
    requests : tuple
        Requests to the bucket: listings, objects, those made again, answers that asked to slow down.
    signatures : str
        File with the signatures of the digest files, for :func:`ctfast.verify`.
    bad : polars.DataFrame
        Objects that could not be copied, the first 20,000: ``file``, ``kind``, ``message`` and so on, as in a report.
    unnamed : int
        How many more of them there are; with ``files=True``, :meth:`files_scan` has all.
    unmatched : list of NothingChosen
        What was asked for and that nothing answers to, as in a report.
    """

    copied: int = 0
    present: int = 0
    compared: dict[str, int] = field(default_factory=lambda: {"hash": 0, "size": 0})
    bytes: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    pruned: dict[str, int] = field(default_factory=dict)
    requests: Requests = field(default_factory=lambda: Requests(0, 0, 0, 0))
    signatures: str = ""
    bad: pl.DataFrame = field(default_factory=lambda: tabulated([]))
    unnamed: int = 0
    unmatched: list[NothingChosen] = field(default_factory=list)
    _ledger: _ctfast.Ledger | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return the counts; the rows of the objects are not in a pickle, or a deep copy."""
        return self.__dict__ | {"_ledger": None}

    def files_scan(self) -> pl.LazyFrame:
        """Return one row for each object that the listing named, of a copy with ``files=True``.

        The columns are those of :func:`ctfast.files`. ``outcome`` is ``copied``, ``present`` (there already), ``bad``
        or ``skipped``; or ``pruned``: a folder that was not listed. ``reason`` says of what is present by what it was
        compared, ``hash`` or ``size`` alone; of what was copied, why the file that was there did not do: ``size``
        (another one), ``hash`` (nothing tells that it is the object) or ``signature`` (that of a digest file was not
        kept); null where there was none. Records are not counted: theirs is null. What does not fit in memory is on the
        disk, in a file without a name.

        Raises
        ------
        ArgumentError
            The copy was not asked for its files, or this is a pickle's.

        Examples
        --------
        >>> import ctfast as ct
        >>> done = ct.copy("s3://my-trail-bucket", "archive", files=True)  # doctest: +SKIP
        >>> done.files_scan().filter(outcome="bad").select("file", "reason").collect()  # doctest: +SKIP
        """
        if self._ledger is None:
            message = "files=True was not given to ctfast.copy, or this is a copy or a pickle of its result"
            raise ArgumentError(message, "files", False, None, "Copied.files_scan")
        return kept(self._ledger)

    @property
    def failed(self) -> int:
        """Objects that could not be copied, whether :attr:`bad` names them or not."""
        return self.bad.height + self.unnamed

    @property
    def listed(self) -> int:
        """Objects that the listing named."""
        return self.copied + self.present + self.failed + sum(self.skipped.values())
