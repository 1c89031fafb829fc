"""An object as a file of which parts are read, as PyArrow reads Parquet: the footer, and then the columns."""

from __future__ import annotations

import io
from collections.abc import Callable

__all__ = ["ObjectFile"]


class ObjectFile(io.RawIOBase):
    """Reads ranges of an object of which the size is known."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size, self._read_range, self._at = size, read, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Read from here on."""
        left = self._size - self._at
        length = left if size is None or size < 0 else min(size, left)
        found = self._read_range(self._at, length) if length > 0 else b""
        self._at += len(found)
        return found
