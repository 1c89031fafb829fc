"""The one way in which files are written: whole, under their name when all went well, and on the disk before anybody is told.

Over ``source::storage::NewFile`` of the core.
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

__all__ = ["locked", "written"]

#: Where links stand that lead to what a process has open, as /dev/stdout does.
_OPEN_FILES = (Path("/dev"), Path("/proc"))


@contextmanager
def written(target: str | os.PathLike[str], *, replace: bool = True) -> Iterator[IO[bytes]]:
    """Open a file to write; it has its name when the block has ended well, and else leaves nothing.

    At the end of the block the file and its entry in the folder are synced: what comes after may say that it is there. What
    earlier runs have left in the folder when they were killed is removed. A device or a named pipe is simply written to.

    Parameters
    ----------
    target
        Where it goes. After a link, the file that the link leads to is replaced.
    replace
        Whether a file of that name may be there already; if not, it stays and the new one fails.
    """
    path = Path(target)
    if os.fspath(target).endswith(os.sep):  # a folder, though Path leaves it out
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(target))
    place = _place(path)
    if place is None:
        with path.open("wb") as file:
            yield file
        return
    try:
        new = _ctfast.NewFile(place, replace=replace)
    except OSError as error:
        error.filename = os.fspath(target)
        raise
    _ctfast.remove_leftovers(place.parent)
    raw = _Named(new.fileno(), os.fspath(target))
    try:
        file = io.BufferedWriter(raw)
        yield file
        file.flush()
        new.finish()
    finally:
        raw.close()  # first, so that nothing is written to a descriptor that is somebody else's by then
        new.abandon()


def _place(path: Path) -> Path | None:
    """Where the file itself will stand; None if there is none to replace, but something to write into."""
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
    # The system decides whether this process may go through the link: not everybody may, in a folder that all can write to.
    os.close(os.open(path, os.O_WRONLY))
    return path.resolve()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process has this folder, and keep others waiting until the block has ended."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class _Named(io.FileIO):
    """A file whose errors name it by its later name."""

    def __init__(self, descriptor: int, target: str) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._target = target

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = self._target
            raise
