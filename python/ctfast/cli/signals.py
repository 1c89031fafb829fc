"""SIGTERM, as schedulers, containers and shells send it, ends a command as cleanly as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ctfast import _interrupt

__all__ = ["ended_by_sigterm"]


@contextmanager
def ended_by_sigterm() -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM into a KeyboardInterrupt while the block runs; yield a function that tells whether it has come.

    A signal handler in Python runs when the main thread is back in the interpreter, which a Polars query may delay for
    long. Polars itself reacts to SIGINT only. So a thread waits for SIGTERM, and sends a SIGINT; but not while the verb
    postpones interruptions to finish a step, which the SIGINT might disturb.
    """
    usable = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not usable:  # called from a program that has its own handlers, or from another thread
        yield lambda: False
        return
    came = threading.Event()
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def listen() -> None:
        while numbers := reader.recv(64):
            if signal.SIGTERM in numbers and not came.is_set():
                came.set()
                if not _interrupt.postponed():
                    os.kill(os.getpid(), signal.SIGINT)

    def interrupt(number: int, frame: object) -> None:
        if came.is_set():
            _interrupt.hear(number, frame)

    listener = threading.Thread(target=listen, name="ctfast-sigterm", daemon=True)
    listener.start()
    # The handler has nothing to do, but without one nothing is written to the wakeup descriptor.
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
