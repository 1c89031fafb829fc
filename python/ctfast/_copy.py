"""Archives from buckets to folders, with their signatures: :func:`copy`."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._arguments import Names, public
from ctfast._contents import Contents
from ctfast._files import locked, written
from ctfast._findings import tabulated
from ctfast._later import pl
from ctfast._report import Requests
from ctfast._signatures import read_signatures
from ctfast._silence import Outcome, unmatched, warn
from ctfast._source import Options
from ctfast._times import Time
from ctfast.exceptions import CloudTrailError, NothingChosen

__all__ = ["Copied", "CopyProgress", "copy"]

#: Objects that are asked for together.
_PORTION = 2_000
#: Beside the folder: in it, it would be read as a log.
_SIGNATURES = ".signatures.json"
_CONTENTS = ".contents.sqlite"
_DIGEST = "/CloudTrail-Digest/"
#: What the disk says when no file whatever can be written any more.
_NO_ROOM = {f"cannot write: {os.strerror(code)}": code for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)}


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


class _Wanted(NamedTuple):
    """An object to fetch, and where it goes."""

    url: str
    size: int | None
    etag: str | None
    path: Path


@dataclass(kw_only=True)
class Copied:
    """What a copy did: ``listed == copied + present + skipped`` and the bad ones.

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
        Objects that could not be copied: ``file``, ``kind``, ``message`` and so on, as in a report.
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
    unmatched: list[NothingChosen] = field(default_factory=list)

    @property
    def listed(self) -> int:
        """Objects that the listing named."""
        return self.copied + self.present + self.bad.height + sum(self.skipped.values())


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
    storage_options: Mapping[str, str] | None = None,
    progress: Callable[[CopyProgress], object] | None = None,
) -> Copied:
    """Copy an archive from a bucket to a folder, with the signatures of its digest files: it can be verified there, offline.

    A file has its name only when it is whole, and on the disk. Called again, it goes on where it stopped: what is there is
    compared with the size and the ETag of the object, and fetched again if it is another content. The folder has the keys of the
    bucket below it. Several copies may write to one folder at a time.

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

    The ETag of an object is the MD5 of its content, unless it came to the bucket in parts or is encrypted with a key of KMS.
    Of such objects the MD5 is noted when they are fetched, in ``archive.contents.sqlite``, so that later copies can compare
    them, too. Files of such objects that another tool has put there are fetched once more; if they came in parts, they are
    compared by size alone, and counted so.
    """
    options = Options(
        function="copy",
        source=source,
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
        done = _Copy(folder, beside, remote, options.listing(remote, digests=True, seen=seen), progress, total).run()
    finally:
        remote.close()
        if total is not None:
            total.close()
    if total is not None:
        done.requests = Requests(*map(sum, zip(done.requests, total.requests(), strict=True)))
    outcome = Outcome(options.place, done.copied + done.present + done.bad.height, done.skipped, done.pruned)
    done.unmatched = unmatched(outcome, options.asked, seen.names())
    warn(done.unmatched)
    return done


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
        beside: Path,
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
        self._done = Copied(signatures=f"{beside}{_SIGNATURES}")
        self._signatures: dict[str, Any] = {}
        self._saved = 0
        self._contents = Contents(Path(f"{beside}{_CONTENTS}"))
        self._folder: Path | None = None

    def run(self) -> Copied:
        new = [folder for folder in (self._target, *self._target.parents) if not folder.exists()]
        _ctfast.make_folders(self._target)
        saved = Path(self._done.signatures)
        _ctfast.NewFile(saved).abandon()  # what cannot be written is told before the work
        if saved.exists():
            self._signatures = read_signatures(saved)
            self._saved = len(self._signatures)
        files = self._listed()
        try:
            while portion := list(islice(files, _PORTION)):
                self._portion(portion)
        except BaseException:
            self._leave(new)
            raise
        finally:
            self._contents.close()
        self._save()
        counts = self._listing.counts()
        self._done.skipped, self._done.pruned = dict(Counter(counts["skipped"])), dict(Counter(counts["pruned"]))
        self._done.requests = Requests(*self._remote.requests())
        self._done.bad = tabulated(self._bad + self._listing.bad())
        return self._done

    def _leave(self, new: list[Path]) -> None:
        """Keep what a copy that broke off has fetched; where that is nothing, nothing of it stays."""
        if self._done.copied:
            self._save()
            return
        with suppress(OSError):  # something lies there by now
            for folder in new:
                folder.rmdir()

    def _listed(self) -> Iterator[_Wanted]:
        """What is to be fetched, and where it goes."""
        while (page := self._listing.next()) is not None:
            for url, size, etag, _modified in page:
                path = self._path(url)
                if path is None:
                    message = "its key makes no path: a part of it is empty, '.' or '..'"
                    self._bad.append((url, None, None, "unsafe-key", message, 0))
                    continue
                if path.parent != self._folder:  # the listing comes to each once
                    self._folder = path.parent
                    _ctfast.remove_leftovers(path.parent)
                compared = self._compared(url, size, etag, path)
                if compared is None:
                    yield _Wanted(url, size, etag, path)
                else:
                    self._done.present += 1
                    self._done.compared[compared] += 1
                    self._tell(size)

    def _path(self, url: str) -> Path | None:
        """Return where an object goes: never out of the folder, and never where another one goes."""
        parts = url.removeprefix("s3://").split("/")[1:]
        if any(part in {"", ".", ".."} or "\0" in part or os.sep in part for part in parts):
            return None
        return self._target.joinpath(PurePosixPath(*parts))

    def _compared(self, url: str, size: int | None, etag: str | None, path: Path) -> str | None:
        """Tell by what a file is known to be there; None if it is not, or has lost its signature."""
        name = url.removeprefix("s3://")
        if _DIGEST in url and name not in self._signatures:
            return None
        try:
            found = path.stat().st_size
        except OSError:
            return None
        return self._contents.compared(name, etag, path) if found == size else None

    def _portion(self, portion: list[_Wanted]) -> None:
        running = _ctfast.Copy(self._remote, [(wanted.url, wanted.size, str(wanted.path)) for wanted in portion])
        waiting = set(range(len(portion)))
        try:
            while (ended := running.next()) is not None:
                number, metadata, failure = ended
                waiting.discard(number)
                if failure is None:
                    self._fetched(portion[number], dict(metadata))
                else:
                    self._failed(portion[number], failure)
        finally:
            running.close()
        bad = (None, None, "unreadable", "the copy broke off", 0)
        self._bad += [(portion[number].url, *bad) for number in sorted(waiting)]
        self._contents.save()
        # All are written each time, so the more there are, the less often; those that a crash loses are fetched again.
        if len(self._signatures) - self._saved > max(_PORTION, self._saved // 2):
            self._save()

    def _fetched(self, wanted: _Wanted, metadata: dict[str, str]) -> None:
        name = wanted.url.removeprefix("s3://")
        self._contents.note(name, wanted.etag, wanted.path)
        self._done.copied += 1
        self._done.bytes += wanted.size if wanted.size is not None else wanted.path.stat().st_size
        if _DIGEST in wanted.url:
            self._signatures[name] = metadata
        self._tell(wanted.size)

    def _failed(self, wanted: _Wanted, failure: tuple[Any, ...]) -> None:
        code = _NO_ROOM.get(failure[4])
        if code is not None:  # and neither can the next one
            raise OSError(code, os.strerror(code), str(wanted.path))
        self._bad.append((wanted.url, *failure[1:]))

    def _save(self) -> None:
        """Write the signatures: all of them, those of earlier copies and of one beside this among them."""
        path = Path(self._done.signatures)
        with locked(self._target):
            if path.exists():
                self._signatures = read_signatures(path) | self._signatures
            self._saved = len(self._signatures)
            with written(path) as file:
                file.write(json.dumps(dict(sorted(self._signatures.items())), indent=1).encode() + b"\n")

    def _tell(self, size: int | None) -> None:
        self._visited[0] += 1
        self._visited[1] += size or 0
        if self._progress is not None:
            known = self._total.known if self._total is not None else None
            self._progress(CopyProgress(*self._visited, *(known or (None, None))))
