"""CloudWatch Logs filter patterns, evaluated slowly: to be read, and to test the fast matcher against.

Written from "Filter pattern syntax for metric filters" of the Amazon CloudWatch Logs User Guide. What that page
leaves open is decided here as ``docs/filters.md`` says:

* A condition on a value that is missing, null, an object or an array is false, whatever its operator; but
  ``NOT EXISTS`` is true if nothing is found, ``IS NULL`` if what is found is null.
* Numbers are doubles and compared with numbers only, texts with texts only; all other comparisons are false, those by ``!=``
  too. ``true`` and ``false`` without quotes are texts as well as the JSON values.
* ``*`` alone is any text, number or truth value. In a text, it stands for anything at the beginning and at the end
  only.
* A selector with a wildcard is true if any of the values it names is.
* Terms and expressions without a field are looked for in the text of the record as it is, escapes and all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from documents import Number, document, whole

Condition = Callable[[Any], bool]
Message = Callable[[str], bool]
LONGEST = 1024
MOST_WILDCARDS = 3
MOST_EXPRESSIONS = 2


class RefusedError(ValueError):
    """A pattern that is none."""


@dataclass(frozen=True)
class Pattern:
    test: Message

    def matches(self, message: str | bytes) -> bool:
        """Whether the text of a log event matches."""
        return self.test(message.decode() if isinstance(message, bytes) else message)


def parse(text: str) -> Pattern:
    """The pattern of a text; a ValueError if AWS would refuse it."""
    if len(text) > LONGEST:
        raise RefusedError("too long")
    trimmed = text.strip()
    if trimmed.startswith("{"):
        parser = Parser(trimmed)
        condition = parser.whole()
        return Pattern(lambda message: isinstance(event := _json(message), dict) and condition(event))
    if trimmed.startswith("["):
        return Pattern(Fields(trimmed).whole())
    if len(trimmed) > 1 and trimmed.startswith("%") and trimmed.endswith("%"):
        expression = regular(trimmed[1:-1])
        return Pattern(lambda message: bool(expression.search(message)))
    # A phrase of blanks is how the guide writes the pattern of everything.
    return Pattern(terms(re.sub(r'^"\s*"$', "", trimmed)))


def _json(message: str) -> Any:
    try:
        return document(message)
    except ValueError:
        return None


# -- JSON


@dataclass
class Parser:
    """Reads ``{ … }`` from left to right."""

    text: str
    at: int = 0
    wildcards: int = 0
    expressions: int = 0

    def whole(self) -> Condition:
        self.take(r"\{")
        found = self.either()
        self.take(r"\}")
        if self.at < len(self.text):
            raise self.refusal("nothing more")
        return found

    def either(self) -> Condition:
        found = [self.both()]
        while self.find(r"\|\|"):
            found.append(self.both())
        return lambda event: any(condition(event) for condition in found)

    def both(self) -> Condition:
        found = [self.one()]
        while self.find(r"&&"):
            found.append(self.one())
        return lambda event: all(condition(event) for condition in found)

    def one(self) -> Condition:
        if self.find(r"\("):
            found = self.either()
            self.take(r"\)")
            return found
        steps = self.selector()
        if self.find(r"IS\b"):
            wanted = self.take(r"(NULL|TRUE|FALSE)\b")[0]
            expected = {"NULL": None, "TRUE": True, "FALSE": False}[wanted]
            return lambda event: any(value is expected for value in select(event, steps))
        if self.find(r"NOT\b"):
            self.take(r"EXISTS\b")
            return lambda event: not any(True for _ in select(event, steps))
        operator = self.take(r"=|!=|<=|>=|<|>")[0]
        test = self.value(operator)
        return lambda event: any(test(value) for value in select(event, steps))

    def selector(self) -> list[str | int | None]:
        """The steps of a path; None is a wildcard."""
        self.take(r"\$")
        steps: list[str | int | None] = []
        step = re.compile(r"\.([\w-]+)|(\.\*)|\[([0-9]+)\]|(\[\*\])|\.\['([^']+)'\]")
        while found := step.match(self.text, self.at):
            self.at = found.end()
            name, members, index, elements, key = found.groups()
            steps.append(name or key or (int(index) if index else None))
            if members or elements:
                self.wildcards += 1
        if not steps:
            raise self.refusal("a property")
        if steps.count(None) > 1 or self.wildcards > MOST_WILDCARDS:
            raise self.refusal("fewer wildcards")
        return steps

    def value(self, operator: str) -> Condition:
        if found := self.find(r"%([^%]*)%"):
            self.expressions += 1
            if self.expressions > MOST_EXPRESSIONS:
                raise self.refusal("fewer regular expressions")
            return compared(operator, "expression", found[1])
        if found := self.find(r'"((?:[^"\\]|\\.)*)"'):
            return compared(operator, "text", unescaped(found[1]))
        word = self.take(rf"{NUMBER.pattern}(?![\w.*:-])|[\w.*:-]+")[0]
        return compared(operator, "word", word)

    def find(self, pattern: str) -> re.Match[str] | None:
        """What stands here, if it does; blanks before it and after it do not count."""
        found = re.compile(rf"\s*(?:{pattern})\s*").match(self.text, self.at)
        if found is None:
            return None
        exact = re.compile(pattern).match(self.text, self.at + len(found[0]) - len(found[0].lstrip()))
        # A property follows a dollar at once.
        self.at = exact.end() if exact and pattern == r"\$" else found.end()
        return exact

    def take(self, pattern: str) -> re.Match[str]:
        found = self.find(pattern)
        if found is None:
            raise self.refusal(pattern)
        return found

    def refusal(self, expected: str) -> RefusedError:
        return RefusedError(f"expected {expected} at {self.at}")


def select(event: Any, steps: list[str | int | None]) -> Iterator[Any]:
    """The values that a path leads to."""
    if not steps:
        yield event
        return
    step, *rest = steps
    match step, event:
        case str(), dict() if step in event:
            yield from select(event[step], rest)
        case int(), list() if step < len(event):
            yield from select(event[step], rest)
        case None, dict():
            for value in event.values():
                yield from select(value, rest)
        case None, list():
            for value in event:
                yield from select(value, rest)


def unescaped(text: str) -> str:
    """The text between quotes: ``\\"`` and ``\\\\`` are escapes."""
    return re.sub(r'\\(["\\])', r"\1", text)


NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def compared(operator: str, kind: str, text: str) -> Condition:
    """The test of ``operator value``; a value of another type than the pattern's passes none."""
    if operator in ("=", "!="):
        same, wanted = equal(kind, text), operator == "="
        return lambda value: same(value) is wanted
    if kind != "word" or not NUMBER.fullmatch(text):
        raise RefusedError(f"{operator} needs a number")
    limit, order = float(text), ORDERS[operator]
    return lambda value: (number := number_of(value)) is not None and order(number, limit)


ORDERS: dict[str, Callable[[float, float], bool]] = {"<": lt, ">": gt, "<=": le, ">=": ge}


class Word(str):
    """A field of a line: a number too, if it reads as one."""

    __slots__ = ()


def number_of(value: Any) -> float | None:
    if isinstance(value, Number):
        return float(value.text)
    return float(value) if isinstance(value, Word) and NUMBER.fullmatch(value) else None


def equal(kind: str, text: str) -> Callable[[Any], bool | None]:
    """Whether a value equals that of the pattern; None if it is of another type."""
    if kind == "expression":
        expression = regular(text)
        return lambda value: bool(expression.search(whole(value))) if isinstance(value, str) else None
    if kind == "word" and NUMBER.fullmatch(text):
        number = float(text)

        def same_number(value: Any) -> bool | None:
            found = number_of(value)
            # A word that is no number differs from all numbers.
            return found == number if found is not None else False if isinstance(value, Word) else None

        return same_number
    if text == "*":
        return lambda value: True if isinstance(value, (str, Number, bool)) else None
    like = wildcards(text)
    truth = {"true": True, "false": False}.get(text) if kind == "word" else None

    def same_text(value: Any) -> bool | None:
        if isinstance(value, bool) and truth is not None:
            return value is truth
        return like(whole(value)) if isinstance(value, str) else None

    return same_text


def wildcards(text: str) -> Callable[[str], bool]:
    """The test of a text that may begin and end with ``*``."""
    middle = text.removeprefix("*")
    before = middle != text
    inner = middle.removesuffix("*")
    after = inner != middle
    if before and after:
        return lambda value: inner in value
    if before:
        return lambda value: value.endswith(inner)
    if after:
        return lambda value: value.startswith(inner)
    return lambda value: value == text


# -- regular expressions

# What AWS allows in one: plain characters, escapes, classes, operators; no groups.
_PLAIN = r"A-Za-z0-9:_#=@/;,\-"
_ESCAPE = r"\\(?:[dDsSwW]|x[0-9A-Fa-f]{2}|[\^$?\[\]{}|\\*+.:_#=@/;,\-])"
_CLASS = rf"\[\^?(?:[{_PLAIN}\^$?\[{{}}|*+.]|{_ESCAPE})+\]"
_REPEATED = r"(?:[*+?]|\{(?:\d+(?:,\d*)?|,\d+)\})\??"
_EXPRESSION = re.compile(rf"(?:(?:[{_PLAIN}.]|{_ESCAPE}|{_CLASS})(?:{_REPEATED})?|[\^$|])+")


def regular(text: str) -> re.Pattern[str]:
    if not _EXPRESSION.fullmatch(text):
        raise RefusedError("what AWS does not allow in a regular expression")
    # The end of the value, not that of its last line; $ and [ in a class are themselves.
    parts = re.compile(rf"({_CLASS})|({_ESCAPE})|(\$)")
    python = parts.sub(lambda found: found[2] or (r"\Z" if found[3] else "[" + found[1][1:].replace("[", r"\[")), text)
    try:
        return re.compile(python, re.ASCII)
    except re.error as error:
        raise RefusedError(f"no regular expression: {error}") from None


# -- terms


_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?=\s|$)')


def terms(text: str) -> Message:
    """The test of words that a message has, has one of, or does not have."""
    found: dict[str, list[str]] = {"": [], "?": [], "-": []}
    at = 0
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None:
            raise RefusedError(f"no term at {at}")
        at = term.end()
        sign, phrase, word = term.groups()
        found[sign].append(word if phrase is None else unescaped(phrase))
    if found["?"] and not found[""] and not found["-"]:
        return lambda message: any(term in message for term in found["?"])
    return lambda message: all(term in message for term in found[""]) and not any(term in message for term in found["-"])


# -- fields


@dataclass
class Fields:
    """Reads ``[a, b = 1, ...]``: conditions on the fields of a line."""

    text: str

    def whole(self) -> Message:
        if not self.text.endswith("]"):
            raise RefusedError("no closing bracket")
        parts = [part.strip() for part in _split(self.text[1:-1])]
        if parts.count("...") > 1:
            raise RefusedError("... stands for any number of fields once")
        place = parts.index("...") if "..." in parts else None
        tests = [self.field(part) for part in parts if part != "..."]

        def test(message: str) -> bool:
            values = list(fields(message))
            if place is None and len(values) != len(tests):
                return False
            missing = len(values) - len(tests)
            if missing < 0:
                return False
            kept = values if place is None else values[:place] + values[place + missing :]
            return all(test(value) for test, value in zip(tests, kept, strict=True))

        return test

    def field(self, part: str) -> Callable[[str], bool]:
        """The conditions on one field, which has a name."""
        name = re.match(r"[\w-]+", part)
        if name is None:
            raise RefusedError("a field without a name")
        if name[0] == part:
            return lambda _value: True
        # The same field by the grammar of JSON.
        condition = Parser("{" + re.sub(rf"(?<![\w-]){name[0]}(?=\s*[=!<>])", f"$.{name[0]}", part) + "}").whole()
        return lambda value: condition({name[0]: Word(value)})


def _split(text: str) -> list[str]:
    """The parts between commas; one between two commas is empty, and stays."""
    parts = [""]
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|%[^%]*%|.', text, re.DOTALL):
        if token == ",":
            parts.append("")
        else:
            parts[-1] += token
    return parts


def fields(message: str) -> Iterator[str]:
    """The fields of a line: words, and what stands in quotes or brackets."""
    for found in re.finditer(r'"(.*?)"(?=\s|\Z)|\[(.*?)\](?=\s|\Z)|(\S+)', message, re.DOTALL):
        yield next(group for group in found.groups() if group is not None)
