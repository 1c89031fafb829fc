"""Archives from buckets to folders, with their signatures: :func:`copy`."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import polars as pl

from ctfast import _ctfast
from ctfast._report import FINDING, Requests
from ctfast._source import Options, Time
from ctfast.exceptions import CloudTrailError

__all__ = ["Copied", "CopyProgress", "copy"]

#: Objects that are asked for together.
_PORTION = 2_000
#: Beside the folder: in it, it would be read as a log.
_SIGNATURES = ".signatures.json"
_DIGEST = "/CloudTrail-Digest/"


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
    """What a copy did: ``listed == copied + present + skipped`` and the bad ones.

    Attributes
    ----------
    copied : int
        Files that were fetched and written.
    present : int
        Files that were there already, of the right size.
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
        Objects that could not be copied: ``file``, ``kind``, ``message`` and so on, as in a report.
    """

    copied: int = 0
    present: int = 0
    bytes: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    pruned: dict[str, int] = field(default_factory=dict)
    requests: Requests = field(default_factory=lambda: Requests(0, 0, 0, 0))
    signatures: str = ""
    bad: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FINDING))

    @property
    def listed(self) -> int:
        """Objects that the listing named."""
        return self.copied + self.present + self.bad.height + sum(self.skipped.values())


def copy(
    source: str,
    target: str | os.PathLike[str],
    *,
    since: Time | None = None,
    until: Time | None = None,
    accounts: Iterable[str] | str | None = None,
    regions: Iterable[str] | str | None = None,
    kinds: Iterable[str] | str | None = None,
    max_delay: timedelta | None = timedelta(days=1),
    storage_options: Mapping[str, str] | None = None,
    progress: Callable[[CopyProgress], object] | None = None,
) -> Copied:
    """Copy an archive from a bucket to a folder, with the signatures of its digest files: it can be verified there, offline.

    A file has its name only when it is whole. Called again, it goes on where it stopped: a file of the right size is not
    fetched again. The folder has the keys of the bucket below it.

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
    storage_options
        As for :func:`ctfast.scan`.
    progress
        Called with a :class:`CopyProgress` after every file. The bucket is then listed a second time, beside the copy, for
        the totals.

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
    """
    if not source.startswith("s3://"):
        message = f"a copy is made from a bucket, s3://bucket/prefix, not from {source!r}"
        raise ValueError(message)
    options = Options(
        source=source,
        since=since,
        until=until,
        accounts=accounts,
        regions=regions,
        kinds=kinds,
        max_delay=max_delay,
        storage_options=storage_options,
    )
    remote = options.remote()
    total = _Total(options) if progress is not None else None
    try:
        done = _Copy(Path(target), remote, options.listing(remote, digests=True), progress, total).run()
    finally:
        remote.close()
        if total is not None:
            total.close()
    if total is not None:
        done.requests = Requests(*map(sum, zip(done.requests, total.requests(), strict=True)))
    return done


class _Total:
    """Counts the files and bytes that are to come, on a thread of its own."""

    def __init__(self, options: Options) -> None:
        self._remote = options.remote()
        self._listing = options.listing(self._remote, digests=True)
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


class _Copy:
    """One copy that is under way."""

    def __init__(
        self,
        target: Path,
        remote: _ctfast.Remote,
        listing: _ctfast.Listing,
        progress: Callable[[CopyProgress], object] | None,
        total: _Total | None,
    ) -> None:
        self._target = target
        self._remote = remote
        self._listing = listing
        self._progress = progress
        self._total = total
        self._bad: list[tuple[Any, ...]] = []
        self._visited = [0, 0]
        self._done = Copied(signatures=f"{target}{_SIGNATURES}")
        self._signatures: dict[str, Any] = {}
        self._saved = 0

    def run(self) -> Copied:
        self._target.mkdir(parents=True, exist_ok=True)
        saved = Path(self._done.signatures)
        if saved.exists():
            self._signatures = json.loads(saved.read_bytes())
            self._saved = len(self._signatures)
        files = self._listed()
        try:
            while portion := list(islice(files, _PORTION)):
                self._portion(portion)
        finally:
            self._save()
        counts = self._listing.counts()
        self._done.skipped, self._done.pruned = dict(Counter(counts["skipped"])), dict(Counter(counts["pruned"]))
        self._done.requests = Requests(*self._remote.requests())
        self._done.bad = pl.DataFrame(self._bad + self._listing.bad(), schema=FINDING, orient="row")
        return self._done

    def _listed(self) -> Iterator[tuple[str, int | None, str]]:
        """What is to be fetched, and where it goes."""
        while (page := self._listing.next()) is not None:
            for url, size, _etag, _modified in page:
                path = self._path(url)
                if path is None:
                    message = "its key makes no path: a part of it is empty, '.' or '..'"
                    self._bad.append((url, None, None, "unsafe-key", message, 0))
                elif self._is_present(url, size, path):
                    self._done.present += 1
                    self._tell(size)
                else:
                    yield url, size, str(path)

    def _path(self, url: str) -> Path | None:
        """Return where an object goes: never out of the folder, and never where another one goes."""
        parts = url.removeprefix("s3://").split("/")[1:]
        if any(part in {"", ".", ".."} or "\0" in part or os.sep in part for part in parts):
            return None
        return self._target.joinpath(PurePosixPath(*parts))

    def _is_present(self, url: str, size: int | None, path: Path) -> bool:
        if _DIGEST in url and url.removeprefix("s3://") not in self._signatures:
            return False
        try:
            return path.stat().st_size == size
        except OSError:
            return False

    def _portion(self, portion: list[tuple[str, int | None, str]]) -> None:
        running = _ctfast.Copy(self._remote, portion)
        waiting = set(range(len(portion)))
        while (ended := running.next()) is not None:
            number, metadata, failure = ended
            url, size, path = portion[number]
            waiting.discard(number)
            if failure is not None:
                self._bad.append((url, *failure[1:]))
                continue
            self._done.copied += 1
            self._done.bytes += size if size is not None else os.stat(path).st_size  # noqa: PTH116  # one path object less
            if _DIGEST in url:
                self._signatures[url.removeprefix("s3://")] = dict(metadata)
            self._tell(size)
        self._bad += [(portion[number][0], None, None, "unreadable", "the copy broke off", 0) for number in sorted(waiting)]
        # All are written each time, so the more there are, the less often; those that a crash loses are fetched again.
        if len(self._signatures) - self._saved > max(_PORTION, self._saved // 2):
            self._save()

    def _save(self) -> None:
        """Write the signatures: all of them, or those from before."""
        self._saved = len(self._signatures)
        path = Path(self._done.signatures)
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(dict(sorted(self._signatures.items())), indent=1) + "\n", encoding="utf-8")
        part.replace(path)

    def _tell(self, size: int | None) -> None:
        self._visited[0] += 1
        self._visited[1] += size or 0
        if self._progress is not None:
            known = self._total.known if self._total is not None else None
            self._progress(CopyProgress(*self._visited, *(known or (None, None))))
