"""An archive against its digests: :func:`verify`, and :class:`Verifier` for doing it while reading."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from ctfast import _ctfast
from ctfast import _notebook as notebook
from ctfast._addresses import Source, is_address
from ctfast._arguments import Checking, Names, public
from ctfast._bound import Bound
from ctfast._buckets import is_access_point, split
from ctfast._coverage import hourly
from ctfast._credentials import credentials
from ctfast._keys import Keys, load_keys
from ctfast._later import pl
from ctfast._page import page
from ctfast._plain import counted
from ctfast._report import Limits
from ctfast._signatures import Signatures, load_signatures
from ctfast._silence import explained, unasked, warn
from ctfast._source import paths, processors
from ctfast._times import Time, micros, moment, span
from ctfast._verdict import MEANING, found_span, told, verdict

if TYPE_CHECKING:
    from ctfast._source import Options

__all__ = ["Progress", "Tally", "Verification", "Verifier", "verify"]

_FRAMES = ("digests", "missing", "logs", "unlisted", "findings", "spans", "ranges", "keys")
_ASKED = ("since", "until", "accounts", "regions", "trails")
#: Workers where files come from a bucket: they wait most of the time.
_REQUESTS = 64
_HOUR = timedelta(hours=1)


class Tally(NamedTuple):
    """How many files came out how, and how many are missing."""

    valid: int = 0
    invalid: int = 0
    missing: int = 0
    unverified: int = 0

    @property
    def total(self) -> int:
        """How many files there are. Those that are missing are none."""
        return self.valid + self.invalid + self.unverified


class Progress(NamedTuple):
    """How far a verification has come.

    Attributes
    ----------
    files, stored, inflated : int
        Files that were read, their bytes as stored, and as inflated.
    places, of : int
        Accounts × regions that are done, and how many there are.
    """

    files: int
    stored: int
    inflated: int
    places: int
    of: int


class Verification:
    """What a verification found. Findings are values: nothing that is wrong with an archive raises an exception.

    Attributes
    ----------
    digests : polars.DataFrame
        Digest files: ``account``, ``region``, ``trail``, ``home_region``, ``backfill``, ``start``, ``end``, ``status``
        (``valid``, ``invalid``, ``unverified``), ``reason``, ``signature`` (who vouches for it: ``file``, ``metadata``,
        ``successor``, ``none``), ``fingerprint``, ``logs`` (how many it lists), ``file``, ``bucket``, ``key``.
    missing : polars.DataFrame
        Digests that are not there, those of consecutive hours in one row: ``account``, ``region``, ``trail``, ``home_region``,
        ``backfill``, ``start`` of the first hour, ``end`` of the last, ``digests`` (how many), ``why`` (who tells that they
        should be there), and ``file``, ``bucket``, ``key`` of the newest.
    logs : polars.DataFrame
        Log files that digests list, each as often as it is listed: ``account``, ``region``, ``status``, ``reason``, ``bytes``
        (of its text), ``file``, ``bucket``, ``key``, ``digest``.
    unlisted : polars.DataFrame
        Log files that no digest lists: ``severity``, ``account``, ``region``, ``kind``, ``time``, ``missing_digest`` (the digest
        of its hour, where that is missing), ``file``.
    findings : polars.DataFrame
        All that speaks against the archive (``severity`` is ``error``) or is worth knowing (``note``): ``reason``, ``message``,
        ``account``, ``region``, ``trail``, ``time``, ``file``. The table of reasons is in ``docs/integrity.md``.
    spans : polars.DataFrame
        What ``coverage`` tells hour by hour, as stretches of time: ``account``, ``region``, ``trail``, ``start``, ``end``,
        ``state``, ``digests``, ``logs``, ``bad_logs``. Consecutive hours without log files are mostly one row.
    ranges : polars.DataFrame
        What the verdict is about, for each account, region and trail: ``account``, ``region``, ``trail``, ``home_region``,
        ``range`` (``asked``: the time that was to be covered, null where nothing bounds it; ``found``: what valid digests cover;
        ``uncovered``: what they do not), ``start``, ``end``, and why it is uncovered: ``reason`` (``missing-digest``, ``gap``,
        ``digest-invalid``, ``uncovered``).
    keys : polars.DataFrame
        The public keys that valid digests are signed with: ``region``, ``fingerprint``, ``digests``.
    asked : dict
        What was asked for: ``since`` and ``until``, ``accounts``, ``regions`` and ``trails``; None for all there are.
    roots : list of str
        The folders that were verified.
    """

    def __init__(
        self,
        frames: dict[str, list[pl.DataFrame]],
        counts: dict[str, list[int]],
        roots: list[str],
        asked: dict[str, Any] | None = None,
        *,
        details: bool,
    ) -> None:
        empty = {name: pl.DataFrame(batch) for name, batch in _ctfast.Verify.empty().items()}
        joined = {name: pl.concat([empty[name], *frames.get(name, [])]) for name in _FRAMES}
        self.digests = joined["digests"].sort("account", "region", "trail", "backfill", "end", maintain_order=True)
        self.missing = joined["missing"].sort("account", "region", "trail", "backfill", "end", maintain_order=True)
        self.logs = joined["logs"]
        self.unlisted = joined["unlisted"]
        self.findings = joined["findings"]
        self.spans = joined["spans"]
        self.ranges = joined["ranges"]
        self.keys = joined["keys"]
        self._counts = counts
        self.asked: dict[str, Any] = asked or dict.fromkeys(_ASKED)
        self.roots = roots
        self._details = details

    def _tally(self, name: str) -> Tally:
        return Tally(*self._counts.get(name, ()))

    @property
    def ok(self) -> bool:
        """Whether valid digests cover some time, and nothing speaks against the archive or leaves open what was asked for.

        It is about the time that :attr:`ranges` calls found, and no other.
        """
        return self.checked and self.errors == 0 and found_span(self) is not None

    @property
    def checked(self) -> bool:
        """Whether there was anything to check: a digest file, or a saved signature of one that is not there any more."""
        return any(tally.total or tally.missing for tally in (self.digest_counts, self.backfill_counts))

    @property
    def errors(self) -> int:
        """How many findings speak against the archive."""
        return self.findings.filter(pl.col("severity") == "error").height

    @property
    def notes(self) -> int:
        """How many findings are only worth knowing."""
        return self.findings.height - self.errors

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
        """How many valid digests a file of signatures vouches for, and how many only the digests that follow them."""
        saved, held = self._counts.get("vouched", [0, 0])
        return saved, held

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """What the digests, and those that are missing between them, tell of each hour.

        Columns: ``account``, ``region``, ``trail``, ``hour``, ``state``, ``digests``, ``logs``, ``bad_logs``.

        A digest is about the log files that were *delivered* from its start to its end; it counts for the hour in which the
        middle between them lies. States: ``valid``; ``empty`` (a valid digest says that there were no log files); ``gap`` (no
        digest tells of it, and the next one starts the chain again); ``missing``; ``invalid`` (the digest, or a log file of it);
        ``unknown`` (it could not be checked). Of a gap, or of missing digests, of more than 366 days there are rows for the first
        and the last 183; ``spans`` and ``ranges`` tell of all.
        """
        return hourly(self.spans)

    def summary(self) -> str:
        """Return the result in some lines: the counts, what was asked for, found and left uncovered, and the verdict."""
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
        """Return a page: the verdict, what was asked for and found, the keys, a calendar of each chain, and the findings.

        It is whole in itself: it loads nothing from anywhere, and runs no script. Of more than 2,000 findings the rest is
        counted, and so are chains that are valid throughout when the calendars of others fill the page.

        Parameters
        ----------
        title
            What the archive is called; by default its folders.
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
                message = f"{name} does not lie below {', '.join(self.roots)}: name the archive as it was named to be verified"
                raise ValueError(message)
        bad = self.logs.filter(pl.col("status") != "valid")["file"].implode()
        return _ctfast.Paths(self.logs.filter(pl.col("status") == "valid", ~pl.col("file").is_in(bad))["file"])


class Verifier(Bound):
    """Verifies an archive while it is read: the bytes are read and inflated once, for the rows and for the hashes.

    Pass one to :func:`ctfast.scan`, :func:`ctfast.read` or :func:`ctfast.stream`, and look at :attr:`verification` when the query
    has run. Log files that the query did not read, because it did not need them, are read then. Accounts, regions and bounds
    of time are those of the query, unless they are given here.

    Parameters
    ----------
    **options
        As for :func:`verify`, without the source.

    Examples
    --------
    >>> import ctfast as ct
    >>> verifier = ct.Verifier(keys=keys, signatures=signatures)
    >>> events = ct.read(archive, verify=verifier)
    >>> verifier.verification.ok
    True
    """

    _instead = "make it where the archive is read, or pass on its verification"

    @public(options=Checking)
    def __init__(self, **options: Unpack[Checking]) -> None:
        span("Verifier", options.get("since"), options.get("until"), datetime.now(UTC))
        self._options = options
        self._hashes = _ctfast.Hashes()
        self._query: Options | None = None
        self._verification: Verification | None = None

    def _begin(self, query: Options) -> None:
        self._hashes.clear()
        self._query, self._verification = query, None

    @property
    def verification(self) -> Verification:
        """The result, about the archive as it was when the query read it."""
        if self._query is None:
            message = "nothing was read yet: pass the verifier to ct.scan, ct.read or ct.stream, and run the query"
            raise ValueError(message)
        if self._verification is None:
            query = self._query
            options = {name: getattr(query, name) for name in ("accounts", "regions", "threads", "limits", "storage_options")}
            options["since"] = moment(query.since)  # type: ignore[arg-type]  # a number since it was checked
            until = moment(query.until)  # type: ignore[arg-type]  # as above
            if query.max_delay is not None and until is not None:
                # What is delivered later than now cannot be asked for.
                options["until"] = until + min(query.max_delay, datetime.now(UTC) - until)
            self._verification = _run(query.source, self._hashes, **{**options, **self._options})
        return self._verification


@public()
def verify(
    source: Source,
    *,
    keys: Keys,
    signatures: Signatures | None = None,
    since: Time | None = None,
    until: Time | None = None,
    accounts: Names | None = None,
    regions: Names | None = None,
    trails: Names | None = None,
    map: Mapping[str, str | os.PathLike[str]] | None = None,  # noqa: A002  # the word of the command line
    relocated_from: str | None = None,
    details: bool = True,
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Callable[[Progress], object] | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> Verification:
    """Check an archive against the digest files that CloudTrail signs: whether something was changed, removed or added; offline.

    All accounts, regions and trails are checked in one run, in parallel. The verdict is about the time that digests cover, which
    it tells; that is to be compared with the time that should be covered, or to be asked for with ``since`` and ``until``.

    Parameters
    ----------
    source
        The folder of the archive, or several: what holds ``AWSLogs``, or buckets that do, or a folder within. A source
        ``s3://bucket/prefix/`` is read where it is; there the metadata of the objects hold the signatures.
    keys
        CloudTrail's public keys: the output of ``aws cloudtrail list-public-keys``, PEM or DER files, a folder of them, or
        :func:`fetch_keys`.
    signatures
        Signatures of the digests, saved from the metadata of the objects: :func:`fetch_signatures` makes such a file. Without
        them each digest but the newest of its chain is vouched for by the next one, which holds its signature.
    since, until
        The time of *delivery* that must be covered by each chain: what is not is a finding, unless a ``CreateTrail`` in the
        log files tells that there was no trail before. Without ``since``, the oldest digest must be one that starts a chain.
        Without ``until``, the newest must be as new as the newest log file.
    accounts, regions, trails
        Check only these. One that has no digests is a finding.
    map
        Folders of other buckets, by their names: a chain goes on in another bucket when its trail was given one.
    relocated_from
        ``s3://bucket`` or ``s3://bucket/prefix`` that the source was copied from, where the path does not tell. Then bucket and
        key of each digest must be those of the original.
    details
        Whether ``digests`` and ``logs`` have rows for valid files as well. Without them, memory does not grow with the archive.
    threads
        Workers; by default one per available processor, and 64 where the archive is in a bucket.
    limits
        What a file may inflate to.
    progress
        Called several times a second.
    storage_options
        As for :func:`ctfast.scan`.

    Returns
    -------
    Verification
        What was found.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        The source does not exist, or is no folder.
    SourceError
        The source is in a bucket that cannot be listed.
    ValueError
        There are no keys, or an argument is wrong.

    Examples
    --------
    >>> import ctfast as ct
    >>> found = ct.verify(archive, keys=keys, signatures=signatures)
    >>> found.ok
    True
    >>> found.digest_counts
    Tally(valid=100, invalid=0, missing=0, unverified=0)
    >>> found.coverage.group_by("account", "state").len().sort("account", "state").rows()[0]
    ('111122223333', 'valid', 38)
    """
    options = locals()
    del options["source"]
    return _run(source, None, **options)


def _run(
    source: Source,
    hashes: _ctfast.Hashes | None,
    *,
    keys: Keys,
    signatures: Signatures | None = None,
    since: Time | None = None,
    until: Time | None = None,
    accounts: Names | None = None,
    regions: Names | None = None,
    trails: Names | None = None,
    map: Mapping[str, str | os.PathLike[str]] | None = None,  # noqa: A002
    relocated_from: str | None = None,
    details: bool = True,
    threads: int | None = None,
    limits: Limits | None = None,
    progress: Callable[[Progress], object] | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> Verification:
    now = datetime.now(UTC)
    first, last = span("verify", since, until, now)
    # Sets, since they have passed the gate.
    wanted: dict[str, Any] = {"accounts": accounts, "regions": regions, "trails": trails}
    roots = _roots(source, map or {}, relocated_from)
    limits = limits or Limits()
    is_far = any(is_address(path) for path, _ in roots)
    remote = _ctfast.Remote(*credentials(storage_options)) if is_far else None
    running = _ctfast.Verify(
        roots,
        keys=load_keys(keys),
        signatures=load_signatures(signatures),
        since=first,
        until=last,
        **wanted,
        now=micros("now", now) or 0,
        threads=threads or (_REQUESTS if is_far else processors()),
        max_inflated=limits.inflated,
        max_ratio=limits.ratio,
        hashes=hashes,
        details=details,
        remote=remote,
    )
    frames: dict[str, list[pl.DataFrame]] = {name: [] for name in _FRAMES}
    counts: dict[str, list[int]] = {}
    while (found := running.step()) is not None:
        for name in _FRAMES:
            if name in found:
                frames[name].append(pl.DataFrame(found[name]))
        counts = found["counts"]
        if progress is not None:
            progress(Progress(*found["progress"]))
    archive = [path for path, _ in roots]
    findings = pl.concat([pl.DataFrame(_ctfast.Verify.empty()["findings"]), *frames["findings"]])
    frames["findings"] = [explained(findings, wanted, archive, remote, running.other_trails())]
    asked: dict[str, Any] = {what: None if names is None else sorted(names) for what, names in wanted.items()}
    asked |= {"since": moment(first), "until": moment(last)}
    warn(unasked(what) for what, names in asked.items() if names == [])
    return Verification(frames, counts, archive, asked, details=details)


def _roots(
    source: Source, others: Mapping[str, str | os.PathLike[str]], origin: str | None
) -> list[tuple[str, tuple[str, str] | None]]:
    """Return the folders, and the bucket and prefix of each where they are told."""
    bucket, prefix = split(origin or "")
    moved = (bucket, prefix.strip("/")) if bucket else None
    roots = [(path, moved or _told(path)) for path in paths(source)]
    roots += [(os.fspath(path), (name, "")) for name, path in others.items()]
    for path, _ in roots:
        if is_address(path):
            continue  # whether it is there, the bucket tells
        if not os.path.isdir(path):  # noqa: PTH112  # as it is given
            os.scandir(path).close()  # raises what is the matter
    return roots


def _told(path: str) -> tuple[str, str] | None:
    """Bucket and prefix of an address."""
    if not is_address(path) or is_access_point(path):
        return None
    bucket, prefix = split(path)
    return bucket, prefix.strip("/")


def _line(name: str, tally: Tally) -> str:
    parts = [f"{count:,} {status}" for status, count in tally._asdict().items() if count and status != "missing"]
    line = f"{name:<17}{tally.total:>9,}" + (f": {', '.join(parts)}" if parts else "")
    return line + (f"; {tally.missing:,} missing" if tally.missing else "")


def _weighed(name: str, errors: int, notes: int) -> str:
    parts = [counted(count, noun) for count, noun in ((errors, "error"), (notes, "note")) if count]
    return f"{name:<17}{errors + notes:>9,}" + (f": {', '.join(parts)}" if parts else "")
