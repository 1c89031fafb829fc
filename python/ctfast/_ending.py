"""The end of the interpreter: scans end before it does.

Polars runs the query of ``collect_async`` on a thread of its own. When the query has ended, that thread calls back into Python,
and gives up the GIL on the way. If what awaited the result ends the program in that moment, the thread comes back to an
interpreter that is being finalized, and the process aborts: ``PyGILState_Release: thread state must be current when releasing``.
It does so for any frame of Polars. The handlers of ``atexit`` are the last to run before; the one below closes the scans that
are still running, and waits until such threads have left Python.
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

#: Seconds that threads have to leave Python, at most, and how long none may be seen in it.
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
        # What ended because it was closed is no whole result.
        _raise_if_over()
    finally:
        _open.discard(scan)
        scan.close()


def _raise_if_over() -> None:
    if _is_over:
        message = "the interpreter is ending, and its scans with it"
        raise RuntimeError(message)


def _end() -> None:
    """Close what is open, and wait until nobody but Python's own threads is inside Python."""
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
