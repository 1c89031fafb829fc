"""A copy that is under way: objects are compared with what is there, fetched and named."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._copy.contents import Contents
from ctfast._copy.copied import Copied
from ctfast._integrity.signatures import read_signatures
from ctfast._ledger.findings import Findings, tabulated
from ctfast._ledger.report import Requests
from ctfast._new_file import locked, written
from ctfast._state.numbered import numbered

__all__ = ["Fetching"]

#: Objects that are asked for together.
_PORTION = 2_000
#: Beside the folder: in it, it would be read as a log.
SIGNATURES = ".signatures.json"
CONTENTS = ".contents.sqlite"
_DIGEST = "/CloudTrail-Digest/"
#: What the disk says when no file whatever can be written any more.
_NO_ROOM = {f"cannot write: {os.strerror(code)}": code for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)}


class _Wanted(NamedTuple):
    """An object to fetch, and where it goes."""

    url: str
    size: int | None
    etag: str | None
    path: Path
    #: In what it differs from the file that is there; None if there is none.
    differs: str | None


class Fetching:
    """One copy that is under way; ``progress`` is told of files and bytes that were visited, after each file."""

    def __init__(
        self,
        target: Path,
        beside: Path,
        remote: _ctfast.Remote,
        listing: _ctfast.Listing,
        progress: Callable[[int, int], object] | None,
        ledger: _ctfast.Ledger | None,
    ) -> None:
        self._target = target
        self._remote = remote
        self._listing = listing
        self._progress = progress
        self._findings = Findings()
        self._visited = [0, 0]
        self._ledger = ledger
        self._done = Copied(signatures=f"{beside}{SIGNATURES}", _ledger=ledger)
        self._signatures: dict[str, Any] = {}
        self._saved = 0
        self._contents = Contents(Path(f"{beside}{CONTENTS}"))
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
        self._findings.add_listing(self._listing)
        self._done.bad, self._done.unnamed = tabulated(self._findings.bad), self._findings.unnamed.total()
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
                    self._fail(_Wanted(url, size, etag, self._target, None), None, None, "unsafe-key", message)
                    continue
                if path.parent != self._folder:  # the listing comes to each once
                    self._folder = path.parent
                    _ctfast.remove_leftovers(path.parent)
                compared, differs = self._compared(url, size, etag, path)
                wanted = _Wanted(url, size, etag, path, differs)
                if compared is None:
                    yield wanted
                else:
                    self._done.present += 1
                    self._done.compared[compared] += 1
                    self._note(wanted, "present", compared)
                    self._tell(size)

    def _path(self, url: str) -> Path | None:
        """Return where an object goes: never out of the folder, and never where another one goes."""
        parts = url.removeprefix("s3://").split("/")[1:]
        if any(part in {"", ".", ".."} or "\0" in part or os.sep in part for part in parts):
            return None
        return self._target.joinpath(PurePosixPath(*parts))

    def _compared(self, url: str, size: int | None, etag: str | None, path: Path) -> tuple[str | None, str | None]:
        """Tell by what a file is known to be the object; or in what the one that is there differs from it."""
        name = url.removeprefix("s3://")
        try:
            found = path.stat().st_size
        except OSError:
            return None, None
        if found != size:
            return None, "size"
        if _DIGEST in url and name not in self._signatures:
            return None, "signature"
        compared = self._contents.compared(name, etag, path)
        return compared, "hash" if compared is None else None

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
        for number in sorted(waiting):
            self._fail(portion[number], None, None, "unreadable", "the copy broke off")
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
        self._note(wanted, "copied", wanted.differs)
        self._tell(wanted.size)

    def _failed(self, wanted: _Wanted, failure: tuple[Any, ...]) -> None:
        code = _NO_ROOM.get(failure[4])
        if code is not None:  # and neither can the next one
            raise OSError(code, os.strerror(code), str(wanted.path))
        _file, byte, record, kind, message, _records = failure
        self._fail(wanted, byte, record, kind, message)

    def _fail(self, wanted: _Wanted, byte: int | None, record: int | None, kind: str, message: str) -> None:
        """Tell what could not be copied."""
        self._findings.add_bad_file((wanted.url, byte, record, kind, message, 0))
        self._note(wanted, "bad", kind, byte)

    def _note(self, wanted: _Wanted, outcome: str, reason: str | None, byte: int | None = None) -> None:
        """Note what became of an object, if anybody wants to know."""
        if self._ledger is not None:
            self._ledger.note(wanted.url, outcome, reason, wanted.size, wanted.etag, byte)

    def _save(self) -> None:
        """Write the signatures: all of them, those of earlier copies and of one beside this among them."""
        path = Path(self._done.signatures)
        with locked(self._target):
            if path.exists():
                self._signatures = read_signatures(path) | self._signatures
            self._saved = len(self._signatures)
            with written(path) as file:
                file.write(json.dumps(numbered(dict(sorted(self._signatures.items()))), indent=1).encode() + b"\n")

    def _tell(self, size: int | None) -> None:
        self._visited[0] += 1
        self._visited[1] += size or 0
        if self._progress is not None:
            self._progress(*self._visited)
