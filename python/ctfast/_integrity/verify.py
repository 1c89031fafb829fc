"""An archive against its digests: :func:`verify`, and :class:`Verifier` for doing it while reading."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Unpack

from ctfast import _ctfast
from ctfast._arguments.gate import Checking, Names, processors, public
from ctfast._arguments.times import Time, micros, moment, span
from ctfast._aws.credentials import credentials
from ctfast._bound import Bound
from ctfast._integrity.public_keys import Keys, load_keys
from ctfast._integrity.signatures import Signatures, load_signatures
from ctfast._integrity.verification import Verification
from ctfast._later import pl
from ctfast._ledger.report import Limits
from ctfast._ledger.spilled import Spilled
from ctfast._source.addresses import Source, is_address, paths
from ctfast._source.buckets import is_access_point, split
from ctfast._source.silence import explained, unasked, warn

__all__ = ["Progress", "Verifier", "run", "verify"]

#: What a verification takes from the query that it is part of.
_SHARED = ("accounts", "regions", "since", "threads", "limits", "storage_options")
#: Workers for files in a bucket: they wait most of the time.
_REQUESTS = 64


class Progress(NamedTuple):
    """The progress of a verification.

    Attributes
    ----------
    files, stored, inflated : int
        Files that were read, their bytes as stored, and as inflated.
    places, of : int
        Accounts × regions that are done, and their total.
    """

    files: int
    stored: int
    inflated: int
    places: int
    of: int


class Verifier(Bound):
    """Verifies an archive while it is read: the bytes are read and inflated once, for the rows and for the hashes.

    Pass one to :func:`ctfast.scan`, :func:`ctfast.read` or :func:`ctfast.stream`, and look at :attr:`verification`
    after the query. Log files that the query did not need are then read as well. Accounts, regions and bounds of time
    are those of the query, unless they are given here.

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
        self._query: tuple[Source, Mapping[str, Any]] | None = None
        self._verification: Verification | None = None

    def _begin(self, source: Source, asked: Mapping[str, Any]) -> _ctfast.Hashes:
        """Take the hashes of a query that begins, of which this was asked."""
        self._hashes.clear()
        self._query, self._verification = (source, asked), None
        return self._hashes

    @property
    def verification(self) -> Verification:
        """The result, for the archive as it was when the query read it."""
        if self._query is None:
            message = "nothing was read yet: pass the verifier to ct.scan, ct.read or ct.stream, and run the query"
            raise ValueError(message)
        if self._verification is None:
            source, asked = self._query
            options: Any = {name: asked.get(name) for name in _SHARED}
            until, delay = asked["until"], asked["max_delay"]
            if delay is not None and until is not None:
                # Later deliveries cannot be asked for.
                options["until"] = until + min(delay, datetime.now(UTC) - until)
            self._verification = run(source, self._hashes, options | self._options)
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
    """Check an archive offline against the digest files that CloudTrail signs: what was changed, removed or added.

    All accounts, regions and trails are checked in one run, in parallel. The verdict names the time that digests cover.
    Compare it with the time that should be covered, or ask for that time with ``since`` and ``until``.

    Parameters
    ----------
    source
        The folder of the archive, or several: one that contains ``AWSLogs``, or buckets that do, or a folder inside. A
        source ``s3://bucket/prefix/`` is read in place, with signatures from the metadata of its objects.
    keys
        CloudTrail's public keys: the output of ``aws cloudtrail list-public-keys``, PEM or DER files, a folder of them,
        or :func:`fetch_keys`.
    signatures
        Signatures of the digests, saved from the metadata of the objects, as by :func:`fetch_signatures`. Without them,
        each digest but the newest of its chain is proven by the next one, which contains its signature.
    since, until
        The time of *delivery* that each chain must cover. Uncovered time is a finding, unless a ``CreateTrail`` in the
        log files shows that there was no trail before. Without ``since``, the oldest digest must be one that starts a
        chain. Without ``until``, the newest digest must be as recent as the newest log file.
    accounts, regions, trails
        Check only these. One that has no digests is a finding.
    map
        Folders of other buckets, by bucket: a chain continues in another bucket if its trail was changed to deliver
        there.
    relocated_from
        ``s3://bucket`` or ``s3://bucket/prefix`` that the source was copied from, if its path does not show it. Then
        bucket and key of each digest must be those of the original.
    details
        Whether ``digests`` and ``logs`` have rows for valid files as well, and :meth:`Verification.files_scan` one for
        each file: about 350 bytes in all, the latest in memory, the others on the disk.
    threads
        Workers; by default one per available processor, and 64 for an archive in a bucket.
    limits
        How far a file may inflate.
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
    options: Any = locals()
    return run(options.pop("source"), None, options)


def run(source: Source, hashes: _ctfast.Hashes | None, options: Checking) -> Verification:
    """Verify, with options that have passed the gate, and the hashes of files that were read already."""
    now = datetime.now(UTC)
    first, last = span("verify", options.get("since"), options.get("until"), now)
    wanted: dict[str, Any] = {name: options.get(name) for name in ("accounts", "regions", "trails")}
    roots = _roots(source, options.get("map") or {}, options.get("relocated_from"))
    limits = options.get("limits") or Limits()
    is_far = any(is_address(path) for path, _ in roots)
    remote = _ctfast.Remote(*credentials(options.get("storage_options"))) if is_far else None
    details = options.get("details", True)
    ledger = _ctfast.Ledger(sha256=False) if details else None
    running = _ctfast.Verify(
        roots,
        keys=load_keys(options["keys"]),
        signatures=load_signatures(options.get("signatures")),
        since=first,
        until=last,
        **wanted,
        now=micros("now", now) or 0,
        threads=options.get("threads") or (_REQUESTS if is_far else processors()),
        max_inflated=limits.inflated,
        max_ratio=limits.ratio,
        hashes=hashes,
        details=details,
        ledger=ledger,
        remote=remote,
    )
    progress = options.get("progress")
    empty = _ctfast.Verify.empty()
    frames = {name: Spilled() for name in empty}
    # Those of the last step are about what was asked for.
    findings = pl.DataFrame(empty["findings"])
    counts: dict[str, list[int]] = {}
    while (found := running.step()) is not None:
        frames["findings"].append(findings)
        findings = pl.DataFrame(found.pop("findings", empty["findings"]))
        for name in empty.keys() & found.keys():
            frames[name].append(pl.DataFrame(found[name]))
        counts = found["counts"]
        if progress is not None:
            progress(Progress(*found["progress"]))
    archive = [path for path, _ in roots]
    frames["findings"].append(explained(findings, wanted, archive, remote, running.other_trails()))
    asked: dict[str, Any] = {what: None if names is None else sorted(names) for what, names in wanted.items()}
    asked |= {"since": moment(first), "until": moment(last)}
    warn(unasked(what) for what, names in asked.items() if names == [])
    return Verification(frames, counts, archive, asked, details=details, ledger=ledger)


def _roots(
    source: Source, others: Mapping[str, str | os.PathLike[str]], origin: str | None
) -> list[tuple[str, tuple[str, str] | None]]:
    """Return the folders, and the bucket and prefix of each where they are known."""
    bucket, prefix = split(origin or "")
    moved = (bucket, prefix.strip("/")) if bucket else None
    roots = [(path, moved or _told(path)) for path in paths(source)]
    roots += [(os.fspath(path), (name, "")) for name, path in others.items()]
    for path, _ in roots:
        if is_address(path):
            continue  # the bucket shows whether it exists
        if not os.path.isdir(path):  # noqa: PTH112  # as it is given
            os.scandir(path).close()  # raises the actual error
    return roots


def _told(path: str) -> tuple[str, str] | None:
    """Bucket and prefix of an address."""
    if not is_address(path) or is_access_point(path):
        return None
    bucket, prefix = split(path)
    return bucket, prefix.strip("/")
