"""Archives from buckets to folders, with their signatures: :func:`copy`."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from ctfast import _ctfast
from ctfast._arguments.gate import Names, public
from ctfast._arguments.times import Time
from ctfast._copy.copied import Copied, CopyProgress
from ctfast._copy.fetching import CONTENTS, SIGNATURES, Fetching
from ctfast._ledger.report import Requests
from ctfast._scan.options import Options, ask
from ctfast._source.silence import Outcome, unmatched, warn
from ctfast.exceptions import CloudTrailError

__all__ = ["copy"]


@public()
def copy(
    source: str,
    target: str | os.PathLike[str],
    *,
    since: Time | None = None,
    until: Time | None = None,
    accounts: Names | None = None,
    regions: Names | None = None,
    kinds: Names | None = None,
    max_delay: timedelta | None = timedelta(days=1),
    files: bool = False,
    storage_options: Mapping[str, str] | None = None,
    progress: Callable[[CopyProgress], object] | None = None,
) -> Copied:
    """Copy an archive, with the signatures of its digest files, from a bucket to a folder for offline verification.

    A file has its name only when it is whole, and on the disk. Called again, it goes on where it stopped: what is there
    is compared with the size and the ETag of the object, and fetched again if it is another content. The folder has the
    keys of the bucket below it. Several copies may write to one folder at a time.

    Parameters
    ----------
    source
        ``s3://bucket`` or ``s3://bucket/prefix``.
    target
        Folder to copy to; it is made when it is not there.
    since, until, max_delay
        Only files that may hold events of this time, by their names, as for :func:`ctfast.scan`.
    accounts, regions, kinds
        Only files whose keys carry one of these. Digest files are copied for all kinds.
    files
        Keep a row for each object, for :meth:`Copied.files_scan`: about 200 bytes, the latest in memory, the others on
        the disk.
    storage_options
        As for :func:`ctfast.scan`.
    progress
        Called with a :class:`CopyProgress` after every file. The bucket is then listed a second time, beside the copy,
        for the totals.

    Returns
    -------
    Copied
        What was copied, and what could not be.

    Raises
    ------
    FileNotFoundError
        The bucket has nothing there.
    SourceError
        The bucket cannot be listed.
    OSError
        The folder cannot be written to, or the disk is full.
    ValueError
        The file of the signatures, from an earlier copy, is none.

    Examples
    --------
    >>> import ctfast as ct
    >>> done = ct.copy("s3://my-trail-bucket", "archive", since="2025-03-01")  # doctest: +SKIP
    >>> ct.verify("archive", keys="keys.json", signatures=done.signatures).ok  # doctest: +SKIP
    True

    Notes
    -----
    CloudTrail signs its digest files, and keeps the signature in the metadata of the object: "CloudTrail digest file
    structure" in AWS's user guide. It is written to a file beside the folder, ``archive.signatures.json``, as
    :func:`ctfast.fetch_signatures` gives it.

    The ETag of an object is the MD5 of its content, unless it came to the bucket in parts or is encrypted with a key of
    KMS. Of such objects the MD5 is noted when they are fetched, in ``archive.contents.sqlite``, so that later copies
    can compare them, too. Files of such objects that another tool has put there are fetched once more; if they came in
    parts, they are compared by size alone, and counted so.
    """
    options = ask(
        "copy",
        source,
        digests=True,
        since=since,
        until=until,
        accounts=accounts,
        regions=regions,
        kinds=kinds,
        max_delay=max_delay,
        storage_options=storage_options,
    )
    folder, beside = _places(target)
    remote = options.remote()
    total = _Total(options) if progress is not None else None
    try:
        seen = _ctfast.Seen()
        ledger = _ctfast.Ledger(sha256=False) if files else None
        listing = options.listing(remote, seen=seen, ledgers=[] if ledger is None else [ledger])
        tell = None if progress is None or total is None else _telling(progress, total)
        done = Fetching(folder, beside, remote, listing, tell, ledger).run()
    finally:
        remote.close()
        if total is not None:
            total.close()
    if total is not None:
        done.requests = Requests(*map(sum, zip(done.requests, total.requests(), strict=True)))
    outcome = Outcome(options.place, done.copied + done.present + done.failed, done.skipped, done.pruned)
    done.unmatched = unmatched(outcome, options.asked, seen.names())
    warn(done.unmatched)
    return done


def written_beside(target: str | os.PathLike[str]) -> list[str]:
    """Return the files that a copy keeps beside its folder."""
    _, beside = _places(target)
    return [f"{beside}{ending}" for ending in (SIGNATURES, CONTENTS)]


def _places(target: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Return the folder, and what the names of the files beside it begin with."""
    folder = Path(target)
    beside = folder if folder.name not in {"", ".."} else folder.resolve()
    if not beside.name:
        message = f"{folder}: nothing can be written beside the root of a disk: name a folder below it"
        raise ValueError(message)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return folder, beside


class _Total:
    """Counts the files and bytes that are to come, on a thread of its own."""

    def __init__(self, options: Options) -> None:
        self._remote = options.remote()
        self._listing = options.listing(self._remote)
        self.known: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._count, name="ctfast-total", daemon=True)
        self._thread.start()

    def _count(self) -> None:
        files = size = 0
        try:
            while (page := self._listing.next()) is not None:
                files += len(page)
                size += sum(bytes_ or 0 for _, bytes_, _, _ in page)
        except (OSError, CloudTrailError):
            return  # the copy lists as well, and tells it; or it has ended before
        self.known = files, size

    def requests(self) -> tuple[int, int, int, int]:
        """Return the requests that counting took."""
        return self._remote.requests()

    def close(self) -> None:
        """Stop counting."""
        self._remote.close()
        self._thread.join()


def _telling(progress: Callable[[CopyProgress], object], total: _Total) -> Callable[[int, int], object]:
    """Tell of files and bytes with the totals, as soon as those are known."""
    return lambda files, size: progress(CopyProgress(files, size, *(total.known or (None, None))))
