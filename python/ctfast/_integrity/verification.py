"""What a verification found: :class:`Verification`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._arguments.gate import public
from ctfast._integrity.coverage import hourly
from ctfast._integrity.page import page
from ctfast._integrity.verdict import MEANING, found_span, told, verdict
from ctfast._later import pl
from ctfast._ledger.rows import kept, lazily
from ctfast._show import notebook
from ctfast._show.plain import counted
from ctfast._source.addresses import is_address
from ctfast.exceptions import ArgumentError

__all__ = ["ASKED", "Tally", "Verification"]

#: What a verification can be asked for.
ASKED = ("since", "until", "accounts", "regions", "trails")
#: Where the rows of a ledger have the hash of the bytes as stored.
_OF_TEXT = {"sha256": "text_sha256"}


class Tally(NamedTuple):
    """The number of files with each status."""

    valid: int = 0
    invalid: int = 0
    missing: int = 0
    unverified: int = 0

    @property
    def total(self) -> int:
        """The number of existing files, without missing ones."""
        return self.valid + self.invalid + self.unverified


class Verification:
    """What a verification found. Findings are values: nothing that is wrong with an archive raises an exception.

    ``digests``, ``logs``, ``unlisted``, ``findings`` and ``spans`` are made when they are asked for, and take memory by
    their rows then: until then, what does not fit in memory is on the disk, in files without names. What is held all
    the time grows with the number of chains, and with that of gaps and missing digests in them.

    Attributes
    ----------
    missing : polars.DataFrame
        Missing digests, those of consecutive hours in one row: ``account``, ``region``, ``trail``, ``home_region``,
        ``backfill``, ``start`` of the first hour, ``end`` of the last, ``digests`` (how many), ``why`` (what shows that
        they should exist), and ``file``, ``bucket``, ``key`` of the newest.
    ranges : polars.DataFrame
        What the verdict covers, for each account, region and trail: ``account``, ``region``, ``trail``,
        ``home_region``, ``range`` (``asked``: the time that should be covered, null where it has no bound; ``found``:
        the time that valid digests cover; ``uncovered``: the time that they do not), ``start``, ``end``, and ``reason``
        for uncovered time (``missing-digest``, ``gap``, ``digest-invalid``, ``uncovered``).
    keys : polars.DataFrame
        The public keys that valid digests are signed with: ``region``, ``fingerprint``, ``digests``.
    asked : dict
        What was asked for: ``since``, ``until``, ``accounts``, ``regions`` and ``trails``; None means all.
    roots : list of str
        The folders that were verified.
    errors, notes : int
        How many findings count against the archive, and how many are only worth knowing.
    """

    def __init__(
        self,
        frames: Mapping[str, Iterable[pl.DataFrame]],
        counts: dict[str, list[int]],
        roots: list[str],
        asked: dict[str, Any] | None = None,
        *,
        details: bool,
        ledger: _ctfast.Ledger | None = None,
    ) -> None:
        self._frames = frames
        self._ledger = ledger
        self._counts = counts
        self.missing = _by_chain(self._table("missing"))
        self.ranges = self._table("ranges")
        self.keys = self._table("keys")
        self.asked: dict[str, Any] = asked or dict.fromkeys(ASKED)
        self.roots = roots
        self._details = details
        self.errors = sum(frame.filter(severity="error").height for frame in self._pages("findings"))
        self.notes = sum(frame.height for frame in self._pages("findings")) - self.errors

    def __getstate__(self) -> dict[str, Any]:
        """Return all rows but those of the ledger."""
        return self.__dict__ | {"_ledger": None}

    def _pages(self, name: str) -> Iterator[pl.DataFrame]:
        yield pl.DataFrame(_ctfast.Verify.empty()[name])
        yield from self._frames.get(name, ())

    def _table(self, name: str) -> pl.DataFrame:
        return pl.concat(self._pages(name))

    def _scan(self, name: str) -> pl.LazyFrame:
        schema = pl.DataFrame(_ctfast.Verify.empty()[name]).schema
        return lazily(lambda: self._pages(name), f"{name} of a verification", schema)

    @property
    def digests(self) -> pl.DataFrame:
        """Digest files.

        Columns: ``account``, ``region``, ``trail``, ``home_region``, ``backfill``, ``start``, ``end``, ``status``
        (``valid``, ``invalid``, ``unverified``), ``reason``, ``signature`` (where it comes from: ``file``,
        ``metadata``, ``successor``, ``none``), ``fingerprint``, ``logs`` (how many it lists), ``file``, ``bucket``,
        ``key``.
        """
        return _by_chain(self._table("digests"))

    @property
    def logs(self) -> pl.DataFrame:
        """Log files that digests list, each as often as it is listed; :meth:`logs_scan` if they are too many to hold.

        Columns: ``account``, ``region``, ``status``, ``reason``, ``bytes`` (of its text), ``file``, ``bucket``,
        ``key``, ``digest``.
        """
        return self._table("logs")

    @property
    def unlisted(self) -> pl.DataFrame:
        """Log files that no digest lists.

        Columns: ``severity``, ``account``, ``region``, ``kind``, ``time``, ``missing_digest`` (the digest of its hour,
        if that is missing), ``file``.
        """
        return self._table("unlisted")

    @property
    def findings(self) -> pl.DataFrame:
        """Everything that counts against the archive (``severity`` is ``error``) or is worth knowing (``note``).

        Columns: ``severity``, ``reason``, ``message``, ``account``, ``region``, ``trail``, ``time``, ``file``. The
        reasons are explained in ``docs/integrity.md``. Beside it, :meth:`findings_scan` is for more than fit in memory.
        """
        return self._table("findings")

    @property
    def spans(self) -> pl.DataFrame:
        """``coverage`` as spans of time.

        Columns: ``account``, ``region``, ``trail``, ``start``, ``end``, ``state``, ``digests``, ``logs``, ``bad_logs``.
        Consecutive hours without log files are mostly one row.
        """
        return self._table("spans")

    def logs_scan(self) -> pl.LazyFrame:
        """Return :attr:`logs` as a lazy frame, which holds what a query needs of them.

        Examples
        --------
        >>> import ctfast as ct
        >>> found = ct.verify(archive, keys=keys, signatures=signatures)
        >>> found.logs_scan().group_by("status").len().collect().rows()
        [('valid', 93)]
        """
        return self._scan("logs")

    def findings_scan(self) -> pl.LazyFrame:
        """Return :attr:`findings` as a lazy frame, which holds what a query needs of them.

        Examples
        --------
        >>> import ctfast as ct
        >>> found = ct.verify(archive, keys=keys, signatures=signatures)
        >>> found.findings_scan().filter(severity="error").collect().height
        0
        """
        return self._scan("findings")

    def files_scan(self) -> pl.LazyFrame:
        """Return one row for each file that the verification came to, and for each that is missing.

        The columns are those of :func:`ctfast.files`, but for the hash. ``outcome`` is that of digest files, and of log
        files as often as digests list them: ``valid``, ``invalid``, ``missing`` or ``unverified``. It is ``unlisted``
        for log files that no digest lists, ``unverified`` for files in a place where CloudTrail puts none, and ``bad``
        for files and folders that could not be listed. ``reason`` is that of the finding, ``byte`` where the damage
        lies, ``size`` that of the file as stored. ``text_sha256`` is the hash of its text, which digests hold: not of
        the bytes as stored, which ``sha256`` is elsewhere. Records are not counted: theirs is null. A file that nothing
        was asked about, such as a digest of another trail, has no row.

        Raises
        ------
        ArgumentError
            The verification has no details, or this is a pickle's.

        Examples
        --------
        >>> import ctfast as ct
        >>> found = ct.verify(archive, keys=keys, signatures=signatures)
        >>> found.files_scan().group_by("outcome").len().collect().rows()
        [('valid', 193)]
        """
        if self._ledger is None:
            message = (
                "details=True was not given to ctfast.verify, or this is a copy or a pickle of its result: files are "
                "not in it"
            )
            raise ArgumentError(message, "details", self._details, None, "Verification.files_scan")
        return kept(self._ledger).rename(_OF_TEXT)

    def _tally(self, name: str) -> Tally:
        return Tally(*self._counts.get(name, ()))

    @property
    def ok(self) -> bool:
        """Whether valid digests cover some time, no error was found, and no time asked for is left open.

        It covers only the time that :attr:`ranges` lists as found.
        """
        return self.checked and self.errors == 0 and found_span(self) is not None

    @property
    def checked(self) -> bool:
        """Whether there was anything to check: a digest file, or a saved signature of one that is gone."""
        return any(tally.total or tally.missing for tally in (self.digest_counts, self.backfill_counts))

    @property
    def digest_counts(self) -> Tally:
        """Digests of the standard chains."""
        return self._tally("digests")

    @property
    def backfill_counts(self) -> Tally:
        """Digests of the chains of backfill digests."""
        return self._tally("backfills")

    @property
    def log_counts(self) -> Tally:
        """Log files, each as often as it is listed."""
        return self._tally("logs")

    @property
    def vouched(self) -> tuple[int, int]:
        """The number of valid digests with a saved signature, and of those that only their successors prove."""
        saved, held = self._counts.get("vouched", [0, 0])
        return saved, held

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """The state of each hour, from the digests and the gaps between them.

        Columns: ``account``, ``region``, ``trail``, ``hour``, ``state``, ``digests``, ``logs``, ``bad_logs``.

        A digest covers the log files that were *delivered* from its start to its end; it counts for the hour that
        contains the middle of that time. States: ``valid``; ``empty`` (a valid digest says that there were no log
        files); ``gap`` (no digest covers it, and the next one starts the chain again); ``missing``; ``invalid`` (the
        digest, or a log file of it); ``unknown`` (it could not be checked). A gap, or missing digests, of more than 366
        days have rows for the first and last 183; ``spans`` and ``ranges`` cover all of them.
        """
        return hourly(self.spans)

    def summary(self) -> str:
        """Return the result in a few lines: counts, what was asked for, found and left uncovered, the verdict."""
        lines = [_line("digests", self.digest_counts)]
        if self.backfill_counts.total or self.backfill_counts.missing:
            lines.append(_line("backfill digests", self.backfill_counts))
        lines.append(_line("log files", self.log_counts))
        saved, held = self.vouched
        where = "kept with the object" if any(map(is_address, self.roots)) else "saved in a file"
        lines.append(f"{'signatures':<17}{saved:>9,} {where}, {held:,} held by the next digest")
        errors, notes = self._counts.get("unlisted", [0, 0])
        lines.append(_weighed("unlisted files", errors, notes))
        lines.append(_weighed("findings", self.errors, self.notes))
        return "\n".join([*lines, *told(self), verdict(self), *([MEANING] if self.ok else [])])

    @public()
    def html(self, *, title: str | None = None) -> str:
        """Return an HTML page: the verdict, what was asked for and found, keys, calendars and findings.

        It is self-contained: it loads nothing, and runs no script. Beyond 2,000 findings, the others are counted. Valid
        chains are only counted, too, if the calendars of other chains fill the page.

        Parameters
        ----------
        title
            The name of the archive; by default its folders.
        """
        return page(self, title or ", ".join(self.roots))

    def __repr__(self) -> str:
        """Return the verdict and the counts on one line."""
        digests, logs = tuple(self.digest_counts), tuple(self.log_counts)
        return f"Verification(ok={self.ok}, digests={digests}, logs={logs}, errors={self.errors})"

    def _repr_html_(self) -> str:
        """Return the verdict, the counts and the findings for a notebook; :meth:`html` is the whole page."""
        text = f"<pre>{'<br>'.join(map(notebook.escaped, self.summary().splitlines()))}</pre>"
        return notebook.shown(verdict(self), text, notebook.rows(self.findings))

    def _valid_files(self, named: list[str]) -> _ctfast.Paths:
        """Return the paths of the valid log files, for a scan of these sources."""
        if not self._details:
            message = "a verification without details does not know the valid files: verify(..., details=True)"
            raise ValueError(message)
        for name in named:
            if not any(name == root or name.startswith(root.rstrip("/") + "/") for root in self.roots):
                message = (
                    f"{name} does not lie below {', '.join(self.roots)}: name the archive as it was named to be"
                    " verified"
                )
                raise ValueError(message)
        is_valid = pl.col("status") == "valid"
        bad = self.logs_scan().filter(~is_valid).select("file").collect()["file"].implode()
        pages = (frame.filter(is_valid, ~pl.col("file").is_in(bad)) for frame in self._pages("logs"))
        return _ctfast.Paths(path for frame in pages for path in frame["file"])


def _by_chain(digests: pl.DataFrame) -> pl.DataFrame:
    return digests.sort("account", "region", "trail", "backfill", "end", maintain_order=True)


def _line(name: str, tally: Tally) -> str:
    parts = [f"{count:,} {status}" for status, count in tally._asdict().items() if count and status != "missing"]
    line = f"{name:<17}{tally.total:>9,}" + (f": {', '.join(parts)}" if parts else "")
    return line + (f"; {tally.missing:,} missing" if tally.missing else "")


def _weighed(name: str, errors: int, notes: int) -> str:
    parts = [counted(count, noun) for count, noun in ((errors, "error"), (notes, "note")) if count]
    return f"{name:<17}{errors + notes:>9,}" + (f": {', '.join(parts)}" if parts else "")
