"""What an error says of the arguments of a function, in the words of the command line: ``--until`` for ``until``."""

from __future__ import annotations

import re

import click

from ctfast.exceptions import ArgumentError

__all__ = ["by_option", "in_options"]

#: What the first argument of a verb is called in Python.
_SOURCE = ("source", "manifest", "url")
#: What stands in quotes is somebody's value, whatever words are in it; an apostrophe within a word is none.
_QUOTED = r"""(?<![\w=])(?:'[^']*'|"[^"]*")"""
#: How a sentence writes an argument with its value: as a call does, or with the value in brackets.
_CALL, _BRACKETS = r"""=(?P<quote>["'])(?P<value>[\w.:+-]+)(?P=quote)""", r"(?= \()"


def by_option(error: ArgumentError, verb: click.Command | None) -> str:
    """Return what is wrong with an argument, which the sentence begins with, and with others that it names."""
    names = _names(verb)
    written = names.get(error.argument, error.argument)
    if not re.match(rf"{error.argument}\b", error.message):
        return f"{written}: {error.message}"
    # A name alone is an argument at the beginning only: elsewhere it is a word. In brackets as the first one has its value.
    brackets = f"|{_BRACKETS}" if re.match(error.argument + _BRACKETS, error.message) else ""
    return _translated(error.message, names, rf"{_CALL}{brackets}|(?<=^{error.argument})\b")


def in_options(text: str, verb: click.Command | None) -> str:
    """Return a sentence with the arguments of which it says what to write, such as ``on_error="collect"``."""
    return _translated(text, _names(verb), _CALL)


def _translated(text: str, names: dict[str, str], forms: str) -> str:
    def of(found: re.Match[str]) -> str:
        if found["name"] is None:
            return found[0]
        return " ".join(filter(None, (names[found["name"]], found["value"])))

    known = "|".join(sorted(names, key=len, reverse=True)) or r"\b\B"  # nothing is known of nothing
    return re.sub(rf"{_QUOTED}|(?<![\w./-])(?P<name>{known})(?:{forms})", of, text)


def _names(verb: click.Command | None) -> dict[str, str]:
    """Return how each argument is written here, by its name in Python: the verb says it, where it is known."""
    names: dict[str, str] = {}
    for parameter in verb.params if verb is not None else ():
        if isinstance(parameter, click.Argument):
            own = (str(parameter.name), *_SOURCE)
            names |= {name: parameter.human_readable_name for name in own if name not in names}
        else:
            flag = max(parameter.opts, key=len)
            names |= dict.fromkeys((str(parameter.name), flag.removeprefix("--").replace("-", "_")), flag)
    return names
