"""The command line: one verb per public function, and printing.

Data go to standard output, messages and progress to standard error. The exit code is 0 when all went well, 1 when files
or records were bad or ``lint`` found an error, 2 when there was trouble, 130 after Ctrl-C, 143 after SIGTERM. A reader
that closes the pipe early (``| head``) is not an error.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import click

from ctfast import _interrupt
from ctfast._ctfast import __version__
from ctfast._later import load, pl
from ctfast.cli.signals import ended_by_sigterm
from ctfast.cli.streams import open_all
from ctfast.cli.wording import by_option, in_options
from ctfast.exceptions import PATH, ArgumentError, CloudTrailError, ConsumedError, NothingChosen, shortened

__all__ = ["main"]

_TROUBLE = 2
_TERMINATED = 143
#: CloudWatch Logs accepts an empty pattern, and every event meets it.
_MAY_BE_EMPTY = {"--filter-pattern"}
#: The verbs, each in the module of its name, and their lines in the list of them. They stand here since the list would
#: else import every verb; with two spaces and the longest name they fit in 80 columns.
_VERBS = {
    "demo": "Make a small sample archive and follow its incident.",
    "info": "Tell what an archive holds.",
    "files": "Tell what becomes of each file of an archive, and why.",
    "scan": "Print the records of an archive, in bounded memory.",
    "sql": "Ask an archive in SQL, in the dialect of Polars.",
    "match": "Find the records that match filters of AWS.",
    "lint": "Find what AWS would refuse in filters, and surprises.",
    "cost": "Estimate what event selectors would log, and its price.",
    "verify": "Check an archive against the digests of CloudTrail.",
    "copy": "Copy an archive from a bucket, ready to be verified.",
    "splits": "Divide an archive into splits for other processes.",
    "split-run": "Write splits as Parquet files.",
    "ingest": "Store an archive in a lake, each event once.",
    "lake": "Tell what a lake holds.",
    "columns": "List the columns of every scan.",
    "bench": "Measure how fast an archive is read here.",
    "fetch-keys": "Fetch CloudTrail's public keys (needs ctfast[aws]).",
    "fetch-signatures": "Save the signatures of digests (needs ctfast[aws]).",
}


class _Loaded(Mapping[str, click.Command]):
    """The verbs by name, each imported when it is looked up."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in _VERBS:
            raise KeyError(name)
        module = name.replace("-", "_")
        verb: click.Command = getattr(load(f"{__name__}.{module}"), module)
        return verb

    def __iter__(self) -> Iterator[str]:
        return iter(_VERBS)

    def __len__(self) -> int:
        return len(_VERBS)


class _Verbs(click.Group):
    """Turns what a verb raises into one sentence and an exit code."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse empty arguments, such as an unset variable of a shell, and options that are given twice."""
        name, verb, rest = super().resolve_command(ctx, args)
        for before, argument in pairwise(["", *rest]):
            option, *value = (before, "") if argument == "" else argument.split("=", 1)
            if value == [""] and option not in _MAY_BE_EMPTY and (argument == "" or argument.startswith("--")):
                message = f"{option if option.startswith('-') else 'an argument'} is empty"
                raise ValueError(message)
        if verb is not None:
            _refuse_twice(verb, click.Context(verb, parent=ctx, info_name=name), rest)
        return name, verb, rest

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options of the group; ``--help`` and ``--version`` print their text in this step."""
        open_all()
        with self._errors_printed(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with self._errors_printed(ctx), warnings.catch_warnings():
            warnings.simplefilter("ignore", NothingChosen)  # the verbs print it themselves, and exit with a code
            result = super().invoke(ctx)
            sys.stdout.flush()
        return result

    @contextmanager
    def _errors_printed(self, ctx: click.Context) -> Iterator[None]:
        with ended_by_sigterm() as terminated:
            try:
                with _interrupt.raised():
                    yield
            except (click.exceptions.Exit, click.ClickException):
                raise
            except BaseException as error:
                code = _interruption(error, terminated) or _trouble(
                    error, self.commands.get(str(ctx.invoked_subcommand))
                )
                if code is None:
                    raise
                ctx.exit(code)


def _refuse_twice(verb: click.Command, ctx: click.Context, arguments: list[str]) -> None:
    """Refuse a non-repeatable option given twice: the last would silently win, and a filter or bound would be lost."""
    _, _, given = verb.make_parser(ctx).parse_args(list(arguments))
    options = [each for each in given if isinstance(each, click.Option)]
    if any(option.is_eager for option in options):
        return  # --help, which ignores all other arguments
    for option in options:
        if not option.multiple and options.count(option) > 1:
            message = f"{max(option.opts, key=len)} is given twice: it is taken once"
            raise ValueError(message)


def _say(line: str) -> None:
    """Print a message to standard error, as the verbs do."""
    from ctfast.cli import screen  # noqa: PLC0415  # imports rich, which would slow down --help

    screen.say(line)


def _interruption(error: BaseException, terminated: Callable[[], bool]) -> int | None:
    """Return the exit code after Ctrl-C or SIGTERM; a library may have turned the exception into a different one."""
    if not (_interrupt.came() or isinstance(error, KeyboardInterrupt)):
        return None
    if terminated():
        _say("ctfast: ended by SIGTERM")
        return _TERMINATED
    _say(_interrupt.WORDS)
    return _interrupt.INTERRUPTED


def _trouble(error: BaseException, verb: click.Command | None) -> int | None:
    """Print what is wrong, and return the exit code; None for an unexpected exception."""
    match error:
        case BrokenPipeError():
            _forget_stdout()
            return 0
        case OSError():
            where = f"{shortened(str(error.filename), PATH)}: " if error.filename else ""
            _say(f"ctfast: {where}{error.strerror or error}")
        case ArgumentError():
            _say(f"ctfast: {by_option(error, verb)}")
        case CloudTrailError() | ConsumedError() | ImportError() | ValueError():
            _say(f"ctfast: {in_options(str(error), verb)}")
        case pl.exceptions.PolarsError():
            _say(f"ctfast: {_first_sentence(error)}")
        case _:
            return None
    return _TROUBLE


def _first_sentence(error: pl.exceptions.PolarsError) -> str:
    """Return what is wrong with a query, and what Polars suggests, without the plan and the list of all columns."""
    first, *others = str(error).splitlines()
    guesses = (line for line in others if line.startswith("Did you mean"))
    return ". ".join([first.partition("; valid columns")[0], *guesses])


def _forget_stdout() -> None:
    """Discard buffered output: the interpreter would complain when it flushes the closed pipe at exit."""
    with suppress(OSError, ValueError):  # not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=_Verbs, commands=_Loaded(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="ctfast %(version)s")
def main() -> None:
    """Read AWS CloudTrail archives: gzipped JSON in folders, as CloudTrail delivers it.

    ARCHIVE is a file, a folder, a glob, s3://bucket/prefix, or - to read the names of files from standard input. Data
    go to standard output, messages and progress to standard error.

    Exit code: 0 all is well; 1 some files or records are bad; 2 trouble.

    \b
    Example:
      ctfast demo
    """
