"""Standard streams, of which whoever starts a command may have closed some (``>&-``).

Python then has None in their place, and the next file that is opened takes the stream's number: what is written to the stream
would be written to that file.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["open_all"]

#: The highest number of a standard stream.
_LAST = 2


def open_all() -> None:
    """Let each stream be there: one that was closed tells so when data are read from it or written to it, and words are lost."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST:
        pass  # it stays open in the place of a stream
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = _closed("standard input", "name the files in another way")
    if sys.stdout is None:
        sys.stdout = _closed("standard output", "name a file, or write to /dev/null")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the end


def _closed(name: str, remedy: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_Closed(name, f"closed when the command began ({remedy})"), encoding="utf-8", write_through=True)


class _Closed(io.BufferedIOBase):
    """A file that can be asked for everything, and gives and takes nothing."""

    def __init__(self, name: str, words: str) -> None:
        self.name = name
        self._words = words

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def read(self, _size: int | None = -1) -> NoReturn:
        raise OSError(errno.EBADF, self._words, self.name)

    read1 = read

    def write(self, _data: Any) -> NoReturn:
        raise OSError(errno.EBADF, self._words, self.name)
