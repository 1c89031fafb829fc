"""Checks for kinds of values: strings, numbers, paths, choices. Each returns the value in the form that is used."""

from __future__ import annotations

import errno
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

from ctfast._later import load
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError, ArgumentTypeError, shortened

__all__ = [
    "SCHEME",
    "Check",
    "amount",
    "between",
    "choice",
    "does",
    "encodable",
    "flag",
    "function",
    "instance",
    "is_written_out",
    "members",
    "new_path",
    "ours",
    "path",
    "read_by",
    "text",
    "text_or_path",
    "texts",
    "whole",
    "wrong_type",
]

#: Prefixes of addresses that are no local files; a single letter is a drive.
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")

#: A function of the argument's name and value.
Check: TypeAlias = Callable[[str, Any], Any]


def wrong_type(name: str, value: object, wanted: str, remedy: str = "") -> ArgumentTypeError:
    """Return the error for a value of another type."""
    return ArgumentTypeError(
        f"{name} must be {wanted}, not {_said(value)}{f': {remedy}' if remedy else ''}", name, value
    )


def _said(value: object) -> str:
    """Describe what was given, without data and without anything long enough to be a secret."""
    if value is None or isinstance(value, bool):
        return repr(value)
    kind = type(value)
    if kind.__module__ != "builtins" and kind.__name__ in (
        "bool",
        "str",
        "bytes",
        "object",
    ):  # NumPy has such names, too
        return f"{kind.__module__}.{kind.__name__}"
    if isinstance(value, int | float):
        return f"{kind.__name__} {quoted(value)}"
    if isinstance(value, timedelta):
        return f"{kind.__name__} {shortened(str(value))}"
    if isinstance(value, str | bytes):
        return f"the text {quoted(value)}" if isinstance(value, str) else f"bytes {quoted(value)}"
    return kind.__name__


def text(name: str, value: Any) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "a text")
    return value


def texts(name: str, value: Any, what: str, remedy: Callable[[object], str] = lambda _: "") -> list[str]:
    """One string, or several."""
    wanted = f"a text or several, such as {what}"
    if isinstance(value, int | float | bytes | Mapping) or not isinstance(value, Iterable):
        raise wrong_type(name, value, wanted, remedy(value))
    found = [value] if isinstance(value, str) else list(value)
    for each in found:
        if not isinstance(each, str):
            raise wrong_type(name, each, wanted, remedy(each))
        if "," in each:  # which no account, region, kind, trail or column name contains
            raise ArgumentError(
                f"{name} has several names in one text, {quoted(each)}: give each by itself", name, each
            )
    return found


def flag(name: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise wrong_type(name, value, "True or False")
    return value


def function(name: str, value: Any) -> Any:
    """A callable."""
    if not callable(value):
        raise wrong_type(name, value, "a function that takes the state of the work")
    return value


def whole(least: int, most: int) -> Check:
    """A whole number within bounds."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            number = value.strip() if isinstance(value, str) else str(value) if isinstance(value, Integral) else ""
            is_meant = number.isdecimal() and not isinstance(value, bool)
            raise wrong_type(name, value, "a whole number", f"write {name}={shortened(number)}" if is_meant else "")
        if not least <= value <= most:
            bounds = f"at least {least}" if value < least else f"at most {most:,}"
            raise ArgumentError(f"{name} must be {bounds}, not {quoted(value)}", name, value)
        return value

    return check


def amount(name: str, value: Any) -> float:
    """A number that is not negative, and not NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(name, value, "a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not 0 <= found < math.inf:
        raise ArgumentError(f"{name} must be a number that is not negative, not {quoted(value)}", name, value)
    return found


def between(least: timedelta, most: timedelta, bounds: str, example: str) -> Check:
    """A duration within bounds, which are described by these words."""

    def check(name: str, value: Any) -> timedelta:
        if not isinstance(value, timedelta):
            raise wrong_type(name, value, "a timedelta", f"such as datetime.timedelta({example})")
        if not least <= value <= most:  # false for NaT
            raise ArgumentError(f"{name} must {bounds}, not {value}", name, value)
        return value

    return check


def choice(*values: str) -> Check:
    """One of some words."""
    words = " or ".join(f'"{value}"' for value in values) if len(values) < 3 else f"one of {', '.join(values)}"  # noqa: PLR2004  # a pair

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type(name, value, words)
        if value not in values:
            close = nearest(value, values)
            raise ArgumentError(f"{name} must be {words}, not {quoted(value)}{or_nearest(close)}", name, value, close)
        return value

    return check


def members(name: str, value: Mapping[Any, Any], what: str) -> None:
    """Refuse a mapping with keys that are no strings."""
    for each in value:
        if not isinstance(each, str):
            raise ArgumentTypeError(f"{name}: the name of {what} is a text, not {_said(each)}", name, each)


def encodable(given: str) -> bool:
    """Whether a file can have this path: it contains no half of a surrogate pair."""
    try:
        os.fsencode(given)
    except UnicodeEncodeError:
        return False
    return True


def new_path(what: str) -> Check:
    """The path of an output."""

    def check(name: str, value: Any) -> str | os.PathLike[str]:
        try:
            return path(what)(name, value)  # type: ignore[no-any-return]  # as it was given
        except FileNotFoundError:
            raise ArgumentError(f"{name} {quoted(value)} has a character that no path has", name, value) from None

    return check


def path(what: str) -> Check:
    """The path of a file or folder of the local disk."""

    def check(name: str, value: Any) -> str | os.PathLike[str]:
        if not isinstance(value, str | os.PathLike):
            remedy = f"os.fsdecode({quoted(value)}) makes a text of it" if isinstance(value, bytes) else ""
            raise wrong_type(name, value, f"the path of {what}", remedy)
        given = os.fspath(value)
        if isinstance(given, bytes):
            raise wrong_type(name, given, f"the path of {what}", f"os.fsdecode({quoted(given)}) makes a text of it")
        if not given:
            raise ArgumentError(f"{name} is empty: it must be the path of {what}", name, value)
        if "\0" in given:
            raise ArgumentError(f"{name} {quoted(given)} has a character that no path has", name, value)
        if not encodable(given):  # reported as a file that does not exist
            raise FileNotFoundError(errno.ENOENT, "a path with half of a pair of surrogates", given)
        if SCHEME.match(given) and not os.path.lexists(given):
            raise ArgumentError(
                f"{name} {quoted(given)} is an address: name a file or a folder on the local disk", name, value
            )
        return value

    return check


def is_written_out(given: str) -> bool:
    """Whether a string is a filter itself: it has a line break, or begins with a bracket. Anything else is a path."""
    return "\n" in given or "\r" in given or given.lstrip().startswith(("{", "["))


def text_or_path(what: str) -> Check:
    """A filter as a string, or the path of a file with one."""
    path_of = path(what)

    def check(name: str, value: Any) -> Any:
        if isinstance(value, str) and is_written_out(value):
            return value
        given = Path(path_of(name, value))
        if not os.path.lexists(given):
            close = nearest(given.name, _beside(given))
            text = "the text of a filter begins with { or [, or has a line break"
            words = f"there is no such file{or_nearest(close)} ({text})"
            raise FileNotFoundError(errno.ENOENT, words, os.fspath(given))
        return given

    return check


def _beside(path: Path) -> list[str]:
    """Return what else is in the file's folder."""
    try:
        return [other.name for other in path.parent.iterdir()]
    except OSError:
        return []


def does(method: str, what: str) -> Check:
    """An object of another package, recognised by what it can do: it may have other implementations."""

    def check(name: str, value: Any) -> Any:
        if not callable(getattr(value, method, None)):
            raise wrong_type(name, value, what)
        return value

    return check


def instance(kind: Callable[[], Any], words: str, remedy: Callable[[Any], str] = lambda _: "") -> Check:
    """An instance of a class of ctfast."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, kind()):
            raise wrong_type(name, value, words, remedy(value))
        return value

    return check


def read_by(reader: Callable[[], Any]) -> Check:
    """A value with a reader of its own, whose content is read before anything else is opened."""
    return lambda _, value: reader()(value)


def ours(module: str, name: str) -> Callable[[], Any]:
    """Return a class or function of ctfast by name, since it may stand on a higher floor than the checks."""
    return lambda: getattr(load(f"ctfast.{module}"), name)
