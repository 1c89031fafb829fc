"""What a program opens, creates and starts, as Linux reports it by inotify and seccomp, for code in any language."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from pathlib import Path
from typing import Any, Self

OPEN, CREATED, WRITTEN, MOVED = 0x20, 0x100, 0x2, 0x80
_ISDIR = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Watch:
    """Names of files and folders that change directly in some folders; the names of folders end in ``/``."""

    def __init__(self, *folders: Path, events: int = OPEN | CREATED | WRITTEN | MOVED) -> None:
        self._file = _LIBC.inotify_init1(os.O_NONBLOCK)
        assert self._file >= 0
        self._folders = {_LIBC.inotify_add_watch(self._file, os.fsencode(folder), events): folder for folder in folders}
        assert min(self._folders) >= 0

    def seen(self) -> set[str]:
        """Return what has happened since the last call, as paths."""
        found: set[str] = set()
        while True:
            try:
                events = os.read(self._file, 1 << 20)
            except BlockingIOError:
                return found
            while events:
                watch, mask, _, length = struct.unpack_from("iIII", events)
                name = os.fsdecode(events[16 : 16 + length].rstrip(b"\0"))
                found.add(f"{self._folders[watch] / name}{'/' if mask & _ISDIR else ''}")
                events = events[16 + length :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


#: Numbers of system calls: those that start a program, create a process or connect to an address, and those that also
#: create threads.
CALLS: dict[str, dict[str, Any]] = {
    "x86_64": {"forbidden": (59, 322, 57, 58, 42, 44), "clone": 56, "clone3": 435},
    "aarch64": {"forbidden": (221, 281, 203, 206), "clone": 220, "clone3": 435},
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def forbid_programs_and_connections() -> None:
    """From now on, starting a program or process, or connecting, kills this process; threads may start."""
    load, equal, any_bit, end = 0x20, 0x15, 0x45, 0x06
    kill, allow, not_there = 0x80000000, 0x7FFF0000, 0x00050000 | errno.ENOSYS
    number, first_argument, clone_thread = 0, 16, 0x10000
    calls = CALLS[platform.machine()]
    steps = [(load, 0, 0, number)]
    for call in calls["forbidden"]:
        steps += [(equal, 0, 1, call), (end, 0, 0, kill)]
    # The flags of clone3 are in memory, which a filter cannot read: if clone3 is missing, libc uses clone.
    steps += [(equal, 0, 1, calls["clone3"]), (end, 0, 0, not_there), (equal, 0, 3, calls["clone"])]
    steps += [(load, 0, 0, first_argument), (any_bit, 1, 0, clone_thread), (end, 0, 0, kill), (end, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.addressof(code))
    no_new_privileges, set_seccomp, by_filter = 38, 22, 2
    assert _LIBC.prctl(no_new_privileges, 1, 0, 0, 0) == 0
    assert _LIBC.prctl(set_seccomp, by_filter, ctypes.byref(program), 0, 0) == 0


if __name__ == "__main__":
    # python watched.py ARGUMENT ...: the command line of ctfast, confined.
    forbid_programs_and_connections()
    from ctfast.cli import main

    main(sys.argv[1:])
