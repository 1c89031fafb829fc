"""Filters given on the command line: as files, as folders, or as text."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, TypeVar

import click

import ctfast as ct
from ctfast._arguments.checks import text_or_path
from ctfast._show.plain import counted
from ctfast._show.words import quoted
from ctfast.cli.screen import say
from ctfast.exceptions import ArgumentError

__all__ = ["DOCUMENT", "read", "read_rules", "where", "where_required"]

_Filter = TypeVar("_Filter", bound=ct.Filter)


class _Document(click.ParamType[Path | str]):
    """The path of a file or a folder, or the text of a filter."""

    name = "document"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Return the text of a filter unchanged, and anything else as an existing path."""
        try:
            found: Path | str = text_or_path("a file or a folder")("it", value)
        except FileNotFoundError as error:
            words = str(error.strerror).replace("no such file", f"no file {quoted(str(value))}", 1)
            self.fail(words, param, ctx)
        except ArgumentError as error:
            self.fail(error.message, param, ctx)
        return found


DOCUMENT: Any = _Document()


def _where(_ctx: click.Context, _param: click.Parameter, value: Path | str | None) -> ct.Filter | None:
    if value is None:
        return None
    found = _read_all("--where", value, "raise")
    if len(found) != 1:
        message = (
            f"--where takes one filter, and these are {counted(len(found), 'filter')}: match --rules takes several"
        )
        raise ValueError(message)
    return next(iter(found.values()))


_WHERE: dict[str, Any] = {"type": DOCUMENT, "callback": _where, "metavar": "FILTER"}
_FORMS = "in any of the languages: a file, or text, which begins with { or [, or has a line break."
where = click.option("--where", **_WHERE, help=f"Only records that meet this filter, {_FORMS}")
where_required = click.option("--where", **_WHERE, required=True, help=f"Events that meet this filter, {_FORMS}")


@contextmanager
def _of(option: str) -> Iterator[None]:
    """Name the option in the error if its filter is refused."""
    try:
        yield
    except ct.FilterError as error:
        message = f"{option}: {error}"
        raise ValueError(message) from None


def read(option: str, kind: Callable[[Path | str], _Filter], value: Path | str) -> _Filter:
    """Return the filter of one language that an option names."""
    with _of(option):
        try:
            return kind(value)
        except ct.FilterError as error:
            if error.kind != "path":
                raise
            raise ValueError(
                f"{option}: {quoted(value)} is the name of a file, and no filter: --rules reads files"
            ) from None


def read_rules(paths: tuple[Path | str, ...], packs: tuple[str, ...], on_error: Any) -> ct.RuleSet | None:
    """Return all named filters, or None if none are given; print warnings about them."""
    found = [_read_all("--rules", path, on_error) for path in paths]
    if not (found or packs):
        return None
    with _warnings_said():
        return reduce(or_, [*found, *(ct.RuleSet(ct.packs.load(pack)) for pack in packs)])


def _read_all(option: str, given: Path | str, on_error: Any) -> ct.RuleSet:
    with _of(option), _warnings_said():
        return ct.rules(given, on_error=on_error)


@contextmanager
def _warnings_said() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as strange:
        warnings.simplefilter("always", UserWarning)
        yield
    say(*(f"warning: {warning.message}" for warning in strange))
