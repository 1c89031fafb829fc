"""SIGTERM, as schedulers, containers and shells send it, ends a command in the same good order as Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["ended_by_sigterm"]


@contextmanager
def ended_by_sigterm() -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM into a KeyboardInterrupt while the block runs; what is yielded tells whether it has come.

    A handler in Python runs when the main thread is back in the interpreter, which a query of Polars may keep it from for long.
    Polars itself hears SIGINT only. So a thread waits for the news of a SIGTERM, and sends a SIGINT.
    """
    usable = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not usable:  # somebody else's program, with handlers of its own
        yield lambda: False
        return
    came = threading.Event()
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def listen() -> None:
        while numbers := reader.recv(64):
            if signal.SIGTERM in numbers and not came.is_set():
                came.set()
                os.kill(os.getpid(), signal.SIGINT)

    def interrupt(*_: Any) -> None:
        if came.is_set():
            raise KeyboardInterrupt

    listener = threading.Thread(target=listen, name="ctfast-sigterm", daemon=True)
    listener.start()
    # Its handler has nothing to do, but without one the wakeup descriptor hears nothing.
    signal.signal(signal.SIGTERM, lambda *_: None)
    woken = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    ignores = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # started in the background of a script
    if ignores:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield came.is_set
    finally:
        if ignores:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        writer.close()
        listener.join()
        reader.close()
