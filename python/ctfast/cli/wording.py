"""Error messages about the arguments of a function, in the words of the command line: ``--until`` for ``until``."""

from __future__ import annotations

import re

import click

from ctfast.exceptions import ArgumentError

__all__ = ["by_option", "in_options"]

#: Names that the first argument of a verb has in Python.
_SOURCE = ("source", "manifest", "url")
#: Quoted text is a value from the user and is left unchanged; an apostrophe within a word does not begin a quotation.
_QUOTED = r"""(?<![\w=])(?:'[^']*'|"[^"]*")"""
#: How a sentence gives an argument with its value: as in a call, or with the value in brackets.
_CALL, _BRACKETS = r"""=(?P<quote>["'])(?P<value>[\w.:+-]+)(?P=quote)""", r"(?= \()"


def by_option(error: ArgumentError, verb: click.Command | None) -> str:
    """Return the message of an error, with the argument it begins with, and others that it names, as options."""
    names = _names(verb)
    written = names.get(error.argument, error.argument)
    if not re.match(rf"{error.argument}\b", error.message):
        return f"{written}: {error.message}"
    # A bare name is an argument at the beginning only: elsewhere it is an ordinary word. Names with a value in brackets
    # are arguments if the first one has its value in brackets, too.
    brackets = f"|{_BRACKETS}" if re.match(error.argument + _BRACKETS, error.message) else ""
    return _translated(error.message, names, rf"{_CALL}{brackets}|(?<=^{error.argument})\b")


def in_options(text: str, verb: click.Command | None) -> str:
    """Return a sentence in which arguments with a value, such as ``on_error="collect"``, are written as options."""
    return _translated(text, _names(verb), _CALL)


def _translated(text: str, names: dict[str, str], forms: str) -> str:
    def of(found: re.Match[str]) -> str:
        if found["name"] is None:
            return found[0]
        return " ".join(filter(None, (names[found["name"]], found["value"])))

    known = "|".join(sorted(names, key=len, reverse=True)) or r"\b\B"  # matches nothing
    return re.sub(rf"{_QUOTED}|(?<![\w./-])(?P<name>{known})(?:{forms})", of, text)


def _names(verb: click.Command | None) -> dict[str, str]:
    """Return how the command line names each argument of the verb, by the names in Python; empty without a verb."""
    names: dict[str, str] = {}
    for parameter in verb.params if verb is not None else ():
        if isinstance(parameter, click.Argument):
            own = (str(parameter.name), *_SOURCE)
            names |= {name: parameter.human_readable_name for name in own if name not in names}
        else:
            flag = max(parameter.opts, key=len)
            names |= dict.fromkeys((str(parameter.name), flag.removeprefix("--").replace("-", "_")), flag)
    return names
