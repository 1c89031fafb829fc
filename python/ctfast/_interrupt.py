"""Ctrl-C on the command line, from the first moment on.

The imports of a command take a good part of a second. A ``KeyboardInterrupt`` among them ends in a traceback, becomes
another error, or aborts an extension module that does not expect one. So this module comes before all others, and until a verb
runs a SIGINT ends the process at once: nothing is open then that would have to be closed. While the verb runs, it is a
``KeyboardInterrupt``, so that what is open is closed and what is half written removed; what the verb imports, such as Polars,
is imported to its end before.

A program that imports ctfast keeps the handler that it has.
"""

# What ``signal`` is made of, without the enums around it: their import would take longer than all else here.
import _signal  # type: ignore[import-not-found]  # a part of CPython
import _thread
import os
import sys

__all__ = ["INTERRUPTED", "WORDS", "came", "held", "raised", "watch"]

#: The exit code of what Ctrl-C has ended, as shells have it.
INTERRUPTED = 130
WORDS = "ctfast: interrupted"
#: Whoever presses Ctrl-C so often waits for what does not end.
_IMPATIENT = 3


class _State:
    """What the handler goes by; set without a call, in which it could run."""

    main = 0
    verb_runs = False
    holds = 0
    waits = False
    came = 0
    told = False


def watch() -> None:
    """Hear SIGINT, if this process is the command line; one that runs in the background of a script ignores it."""
    if _is_command() and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _State.main = _thread.get_ident()
        _signal.signal(_signal.SIGINT, _hear)


class raised:  # noqa: N801  # read as what it does: ``with raised():``
    """Let SIGINT raise ``KeyboardInterrupt`` in the block."""

    def __enter__(self) -> None:
        """Begin."""
        _State.verb_runs = True

    def __exit__(self, *_: object) -> None:
        """End."""
        _State.verb_runs = False


class held:  # noqa: N801  # as above
    """Let a ``KeyboardInterrupt`` wait for the end of the block. It comes in the main thread, and only blocks of that hold it."""

    def __enter__(self) -> None:
        """Begin."""
        _State.holds += _is_main()

    def __exit__(self, *_: object) -> None:
        """End; raise what waits."""
        _State.holds -= _is_main()
        if _State.waits and _is_main() and not _State.holds:
            _State.waits = False
            raise KeyboardInterrupt


def came() -> bool:
    """Whether a SIGINT was heard. Whoever asks tells it."""
    _State.told = _State.told or _State.came > 0
    return _State.came > 0


def _is_main() -> bool:
    return _thread.get_ident() == _State.main


def _is_command() -> bool:
    """Whether this is ``ctfast`` or ``python -m ctfast``, and not a program that imports it."""
    if not sys.argv:  # of an interpreter within another program
        return False
    if sys.argv[0] == "-m":  # until the module is found
        return sys.orig_argv[-len(sys.argv)] in ("ctfast", "-mctfast")
    return os.path.basename(sys.argv[0]) == "ctfast"  # noqa: PTH119  # pathlib would be a long import


def _hear(_number: int, _frame: object) -> None:
    _State.came += 1
    if not _State.verb_runs or _State.came >= _IMPATIENT:
        if not _State.told:
            os.write(2, f"{WORDS}\n".encode())
        os._exit(INTERRUPTED)
    # Polars hears the same signal and raises as well: a second exception would disturb what the first one closes.
    if _State.came > 1 or _is_under_way():
        return
    if _State.holds:
        _State.waits = True
    else:
        raise KeyboardInterrupt


def _is_under_way() -> bool:
    error = sys.exception()
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
