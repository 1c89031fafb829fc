"""The one way files are written: whole, under their final name, and durable before anybody is told.

A wrapper of ``source::storage::NewFile`` in the core.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ctfast import _ctfast

__all__ = ["locked", "ready", "written"]

#: Where links to open files of a process are, as for /dev/stdout.
_OPEN_FILES = (Path("/dev"), Path("/proc"))


@contextmanager
def written(target: str | os.PathLike[str], *, replace: bool = True) -> Iterator[IO[bytes]]:
    """Open a file to write. It gets its name when the block ends without an error, and otherwise leaves nothing.

    At the end of the block, the file and its entry in the folder are synced, so that later steps may rely on it. Files
    that killed runs left in the folder are removed. Devices and named pipes are simply written to.

    Parameters
    ----------
    target
        Where it is written. If this is a link, the file that it leads to is replaced.
    replace
        Whether an existing file of this name is replaced; if not, it is kept and the new one fails.
    """
    place = _place(target)
    if place is None:
        with Path(target).open("wb", buffering=0) as device:
            file = io.BufferedWriter(_Named(device.fileno(), os.fspath(target)))
            try:
                yield file
                file.flush()
            finally:
                file.raw.close()
        return
    _ctfast.remove_leftovers(place.parent)  # first, as it may be that nothing is to be written
    new = _new(place, target, replace=replace)
    raw = _Named(new.fileno(), os.fspath(target))
    try:
        file = io.BufferedWriter(raw)
        yield file
        file.flush()
        new.finish()
    finally:
        raw.close()  # first, before its descriptor can belong to something else
        new.abandon()


def ready(target: str | os.PathLike[str]) -> None:
    """Raise at once what :func:`written` would raise later, before the work; nothing is left behind."""
    place = _place(target)
    if place is not None:
        _new(place, target, replace=True).abandon()


def _new(place: Path, target: str | os.PathLike[str], *, replace: bool) -> _ctfast.NewFile:
    try:
        return _ctfast.NewFile(place, replace=replace)
    except OSError as error:
        error.filename = os.fspath(target)
        raise


def _place(target: str | os.PathLike[str]) -> Path | None:
    """The path of the file itself; None if there is nothing to replace, but something to write to."""
    path = Path(target)
    if os.fspath(target).endswith(os.sep):  # a folder, though Path drops the slash
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(target))
    try:
        found = path.stat()
    except FileNotFoundError:
        if not path.is_symlink():
            return path
        message = f"{path} is a link that leads nowhere"
        raise ValueError(message) from None
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return None
    if not path.is_symlink():
        return path
    folder = path.parent.resolve()
    if folder == _OPEN_FILES[0] or folder.is_relative_to(_OPEN_FILES[1]):
        return None
    # The system decides whether this process may follow the link: in a world-writable folder, not everybody may.
    os.close(os.open(path, os.O_WRONLY))
    return path.resolve()


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Wait until no other process has this folder locked, and lock it until the block ends; tell whether it is."""
    descriptor = os.open(folder, os.O_RDONLY)
    is_locked = False
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            is_locked = True
        yield is_locked
    finally:
        os.close(descriptor)


class _Named(io.FileIO):
    """A file whose errors show its final name."""

    def __init__(self, descriptor: int, target: str) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._target = target

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = self._target
            raise
