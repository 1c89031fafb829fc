"""Scans are closed before the interpreter ends.

Polars runs the query of ``collect_async`` on a thread of its own. When the query has ended, that thread calls back into
Python and releases the GIL on the way. If the program ends at that moment, the thread returns to an interpreter that is
being finalized, and the process aborts: ``PyGILState_Release: thread state must be current when releasing``. This
happens with any Polars frame. Handlers of ``atexit`` are the last to run before; the one below closes running scans,
and waits until such threads have left Python.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ctfast import _ctfast

__all__ = ["running"]

#: Seconds that threads have to leave Python, and how long none must be seen in it.
_PATIENCE, _QUIET = 5.0, 0.05
_STEP = 0.001

_open: set[_ctfast.Scan] = set()
_is_over = False


@contextmanager
def running(scan: _ctfast.Scan) -> Iterator[None]:
    """Close the scan at the end of the block, or of the interpreter if that comes first; the block then raises."""
    if not _open:
        atexit.unregister(_end)
        atexit.register(_end)
    _open.add(scan)
    try:
        _raise_if_over()
        yield
        # What was ended by closing is not a whole result.
        _raise_if_over()
    finally:
        _open.discard(scan)
        scan.close()


def _raise_if_over() -> None:
    if _is_over:
        message = "the interpreter is ending, and its scans with it"
        raise RuntimeError(message)


def _end() -> None:
    """Close what is open, and wait until only Python's own threads are inside Python."""
    global _is_over  # noqa: PLW0603  # there is one interpreter
    _is_over = True
    quiet = _QUIET if _open else 0.0
    for scan in list(_open):
        scan.close()
    start = seen = time.monotonic()
    while (now := time.monotonic()) - start < _PATIENCE:
        if _visitors():
            seen = now
        elif now - seen >= quiet:
            return
        time.sleep(_STEP)


def _visitors() -> bool:
    """Whether a thread that Python did not start is inside Python."""
    own = {thread.ident for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}  # noqa: SLF001
    return not own.issuperset(sys._current_frames())  # noqa: SLF001
