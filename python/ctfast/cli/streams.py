"""Standard streams, some of which may be closed when a command starts (``>&-``).

Python then has None in their place, and the next file that is opened gets the file descriptor of the stream: what is
written to the stream would be written to that file.
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
    """Replace closed streams: reading or writing data raises an error that says so, and messages are lost."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST:
        pass  # it stays open, and keeps the descriptor of a stream taken
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = _closed("standard input", "name the files in another way")
    if sys.stdout is None:
        sys.stdout = _closed("standard output", "name a file, or write to /dev/null")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the end


def _closed(name: str, remedy: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        _Closed(name, f"closed when the command began ({remedy})"), encoding="utf-8", write_through=True
    )


class _Closed(io.BufferedIOBase):
    """A file that claims to be readable and writable, and raises an error for each read or write."""

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
