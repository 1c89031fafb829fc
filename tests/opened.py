"""Which files below a folder were opened, as the kernel of Linux tells it: by whatever library, in whatever thread."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_OPEN, _IS_FOLDER, _OVERFLOW = 0x20, 0x40000000, 0x4000
_HEAD = struct.Struct("iIII")


@contextmanager
def opened(root: Path) -> Iterator[Callable[[], set[Path]]]:
    """Watch all folders that there are; the function that is yielded returns the files that were opened until then."""
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    folders: dict[int, Path] = {}
    found: set[Path] = set()

    def read() -> set[Path]:
        while True:
            try:
                events = os.read(queue, 1 << 20)
            except BlockingIOError:
                return found
            at = 0
            while at < len(events):
                watch, mask, _, length = _HEAD.unpack_from(events, at)
                assert not mask & _OVERFLOW, "more was opened than the kernel tells"
                name = events[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0")
                if mask & _OPEN and not mask & _IS_FOLDER:
                    found.add(folders[watch] / os.fsdecode(name))
                at += _HEAD.size + length

    try:
        for folder in [root, *(each for each in root.rglob("*") if each.is_dir())]:
            watch = libc.inotify_add_watch(queue, os.fsencode(folder), _OPEN)
            if watch < 0:
                raise OSError(ctypes.get_errno(), "cannot watch", str(folder))
            folders[watch] = folder
        yield read
    finally:
        os.close(queue)
