"""Ctrl-C on the command line, from the very start.

The imports of a command take much of a second. A ``KeyboardInterrupt`` during an import ends in a traceback, becomes
another error, or aborts an extension module that does not expect one. So this module is imported first, and until a
verb runs a SIGINT ends the process at once, since nothing is open yet. While the verb runs, SIGINT raises
``KeyboardInterrupt``, so that open files are closed and partial output is removed; imports inside of the verb, such as
Polars, are completed first.

A program that imports ctfast keeps its own handler.
"""

# The C module under ``signal``, without its enums: their import would take longer than everything else here.
import _signal  # type: ignore[import-not-found]  # a part of CPython
import _thread
import os
import sys

__all__ = ["INTERRUPTED", "WORDS", "came", "hear", "held", "postponed", "raised", "watch"]

#: The exit code after Ctrl-C, as in shells.
INTERRUPTED = 130
WORDS = "ctfast: interrupted"
#: After this many presses, the process ends at once.
_IMPATIENT = 3


class _State:
    """The handler's state, set without a call during which the handler could run."""

    main = 0
    verb_runs = False
    holds = 0
    waits = False
    came = 0
    told = False


def watch() -> None:
    """Handle SIGINT, if this process is the command line; a script's background process ignores it."""
    if not _is_command():
        return
    found = _signal.getsignal(_signal.SIGINT)
    if found in (_signal.default_int_handler, _signal.SIG_IGN):
        _State.main = _thread.get_ident()
    if found is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, hear)


class raised:  # noqa: N801  # read as what it does: ``with raised():``
    """Let SIGINT raise ``KeyboardInterrupt`` in the block."""

    def __enter__(self) -> None:
        """Enter the block."""
        _State.verb_runs = True

    def __exit__(self, *_: object) -> None:
        """Leave it."""
        _State.verb_runs = False


class held:  # noqa: N801  # as above
    """Delay a ``KeyboardInterrupt`` to the end of the block. Only blocks in the main thread can be interrupted."""

    def __enter__(self) -> None:
        """Enter the block."""
        _State.holds += _is_main()

    def __exit__(self, *_: object) -> None:
        """Leave it, and raise a pending interrupt."""
        _State.holds -= _is_main()
        if _State.waits and _is_main() and not _State.holds:
            _State.waits = False
            raise KeyboardInterrupt


def came() -> bool:
    """Whether a SIGINT was received. The caller reports it."""
    _State.told = _State.told or _State.came > 0
    return _State.came > 0


def _is_main() -> bool:
    return _thread.get_ident() == _State.main


def _is_command() -> bool:
    """Whether this is ``ctfast`` or ``python -m ctfast``, and not a program that imports it."""
    if not sys.argv:  # embedded interpreter
        return False
    if sys.argv[0] == "-m":  # until the module is found
        return sys.orig_argv[-len(sys.argv)] in ("ctfast", "-mctfast")
    return os.path.basename(sys.argv[0]) == "ctfast"  # noqa: PTH119  # pathlib would be a long import


def postponed() -> bool:
    """Have the end of the block that holds it raise ``KeyboardInterrupt``, from any thread; False if there is none."""
    if not _State.holds:
        return False
    _State.waits = True
    return _State.holds > 0  # else it has ended meanwhile, and may not have seen it


def hear(_number: int, _frame: object) -> None:
    """Handle a SIGINT."""
    _State.came += 1
    if not _State.verb_runs or _State.came >= _IMPATIENT:
        if not _State.told:
            os.write(2, f"{WORDS}\n".encode())
        os._exit(INTERRUPTED)
    # Polars handles the same signal and raises as well: a second exception would disturb the cleanup after the first.
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
