"""CloudWatch Logs filter patterns, evaluated slowly: to be read, and to test the fast matcher against.

Written from "Filter pattern syntax for metric filters" of the Amazon CloudWatch Logs User Guide, and from answers of
CloudWatch that were recorded. What neither of them says is decided here as in ``docs/filters.md``:

* A condition on a value that is missing, null, true, false, an object or an array is false, whatever its operator; but
  ``NOT EXISTS`` is true if nothing is found, ``IS NULL`` if what is found is null or an array with null in it.
* Two numbers are compared as doubles. A string and a number are compared as strings, the number as it is written; they
  have no order.
* ``*`` alone is any string or number. In a string, it stands for anything at the beginning and at the end
  only.
* A condition with a wildcard in its selector is true if it is true for any of the values it names.
* Terms and expressions without a field are searched in the unchanged text of the record, with its escapes.
* The last of the fields of a line takes the rest of the line, unless ``...`` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

from documents import Number, document, whole

Condition = Callable[[Any], bool]
Message = Callable[[str], bool]
LONGEST = 1024
MOST_WILDCARDS = 3
MOST_EXPRESSIONS = 2


class RefusedError(ValueError):
    """A text that is not a valid pattern."""


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
        if trimmed != text:
            raise RefusedError("blanks outside of the braces")
        parser = Parser(trimmed)
        condition = parser.whole()
        return Pattern(lambda message: isinstance(event := _json(message), dict) and condition(event))
    if trimmed.startswith("["):
        return Pattern(Fields(trimmed).whole())
    if len(trimmed) > 1 and trimmed.startswith("%") and trimmed.endswith("%"):
        expression = regular(trimmed[1:-1])
        return Pattern(lambda message: bool(expression.search(message)))
    # The guide writes the pattern that matches everything as a phrase of blanks.
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
    #: Whether these are conditions on a field of a line, where all is text.
    in_fields: bool = False

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
            if expected is None:
                return lambda event: any(value is None or _holds_null(value) for value in select(event, steps))
            return lambda event: any(value is expected for value in select(event, steps))
        if self.find(r"NOT\b"):
            self.take(r"EXISTS\b")
            return lambda event: not any(True for _ in select(event, steps))
        operator = self.take(r"=|!=|<=|>=|<|>")[0]
        test = self.value(operator)
        return lambda event: any(test(value) for value in select(event, steps))

    def selector(self) -> list[Step]:
        """The steps of a path."""
        self.take(r"\$")
        steps: list[Step] = []
        step = re.compile(r"(?a:\.([\w-]+))|(\.\*)|\[([0-9]+)\]|(\[\*\])|\.\['([^']+)'\]")
        while found := step.match(self.text, self.at):
            self.at = found.end()
            name, members, index, elements, key = found.groups()
            if members or elements:
                steps.append(Wildcard(bool(elements)))
                self.wildcards += 1
            else:
                steps.append(name or key or int(index))
        if not steps:
            raise self.refusal("a property")
        if sum(isinstance(step, Wildcard) for step in steps) > 1 or self.wildcards > MOST_WILDCARDS:
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
        word = self.take(rf"(?a:{NUMBER.pattern}(?![\w.*:-])|[\w.*:-]+)")[0]
        if word == "null" and not self.in_fields:
            raise self.refusal("null in quotes, or IS NULL")
        return compared(operator, "word", word)

    def find(self, pattern: str) -> re.Match[str] | None:
        """The match of an expression at the cursor, if any, with blanks around it skipped."""
        found = re.compile(rf"\s*(?:{pattern})\s*").match(self.text, self.at)
        if found is None:
            return None
        exact = re.compile(pattern).match(self.text, self.at + len(found[0]) - len(found[0].lstrip()))
        # No blank is allowed between a dollar sign and a property.
        self.at = exact.end() if exact and pattern == r"\$" else found.end()
        return exact

    def take(self, pattern: str) -> re.Match[str]:
        found = self.find(pattern)
        if found is None:
            raise self.refusal(pattern)
        return found

    def refusal(self, expected: str) -> RefusedError:
        return RefusedError(f"expected {expected} at {self.at}")


@dataclass(frozen=True)
class Wildcard:
    """``.*``, any member of an object; or ``[*]``, which is any element of an array as well."""

    elements: bool


Step: TypeAlias = str | int | Wildcard


def _holds_null(value: Any) -> bool:
    return isinstance(value, list) and any(element is None for element in value)


def select(event: Any, steps: list[Step]) -> Iterator[Any]:
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
        case Wildcard(), dict():
            for value in event.values():
                yield from select(value, rest)
        case Wildcard(elements=True), list():
            for value in event:
                yield from select(value, rest)


def unescaped(text: str) -> str:
    """The text between quotes: ``\\"`` and ``\\\\`` are escapes."""
    return re.sub(r'\\(["\\])', r"\1", text)


NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def compared(operator: str, kind: str, text: str) -> Condition:
    """The test of ``operator value``; values that are neither strings nor numbers do not pass it."""
    if operator in ("=", "!="):
        same, wanted = equal(kind, text), operator == "="
        return lambda value: same(value) is wanted
    if kind != "word" or not NUMBER.fullmatch(text):
        raise RefusedError(f"{operator} needs a number")
    limit, order = float(text), ORDERS[operator]
    return lambda value: (number := number_of(value)) is not None and order(number, limit)


ORDERS: dict[str, Callable[[float, float], bool]] = {"<": lt, ">": gt, "<=": le, ">=": ge}


class Word(str):
    """A field of a line; it is also a number if it can be read as one."""

    __slots__ = ()


def number_of(value: Any) -> float | None:
    if isinstance(value, Number):
        return float(value.text)
    return float(value) if isinstance(value, Word) and NUMBER.fullmatch(value) else None


def equal(kind: str, text: str) -> Callable[[Any], bool | None]:
    """Whether a value equals that of the pattern; None if it is neither a string nor a number."""
    if kind == "expression":
        like = _found_by(regular(text))
    elif text == "*":
        like = _anything
    else:
        like = wildcards(text)
    number = float(text) if kind == "word" and NUMBER.fullmatch(text) else None

    def same(value: Any) -> bool | None:
        written = value.text if isinstance(value, Number) else whole(value) if isinstance(value, str) else None
        if written is not None and number is not None and (found := number_of(value)) is not None:
            return found == number
        return None if written is None else like(written)

    return same


def _found_by(expression: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: bool(expression.search(text))


def _anything(_text: str) -> bool:
    return True


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
_PLAIN = r"A-Za-z0-9 :_#=@/;,\-"
_ESCAPE = r"\\(?:[dDsSwW]|x[0-9A-Fa-f]{2}|[\^$?\[\]{}|\\*+. :_#=@/;,\-])"
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


_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|((?a:\w+)))(?=\s|$)')


def terms(text: str) -> Message:
    """The test of terms: words that a message must contain, must contain one of, or must not contain."""
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
    return lambda message: (
        all(term in message for term in found[""]) and not any(term in message for term in found["-"])
    )


# -- fields


@dataclass
class Fields:
    """Reads ``[a, b = 1, ...]``: conditions on the fields of a line."""

    text: str

    def whole(self) -> Message:
        if not self.text.endswith("]"):
            raise RefusedError("no closing bracket")
        parts = [part.strip() for part in _split(self.text[1:-1])]
        if parts == [""]:
            parts = ["..."]
        if parts.count("...") > 1:
            raise RefusedError("... stands for any number of fields once")
        names = [_NAME.match(part) for part in parts if part != "..."]
        if len({name[0] if name else "" for name in names}) < len(names):
            raise RefusedError("a field twice")
        place = parts.index("...") if "..." in parts else None
        # The last one may be without a name.
        tests = [self.field(part) for part in [*parts[:-1], parts[-1] or "_"] if part != "..."]

        def test(message: str) -> bool:
            found = list(fields(message))
            values = [value for value, _ in found]
            missing = len(values) - len(tests)
            if missing < 0:
                return False
            if missing and place is None:
                rest = found[len(tests) - 1][1]
                values = [*values[: len(tests) - 1], message[rest:].rstrip()]
            kept = values if place is None else values[:place] + values[place + missing :]
            return all(test(value) for test, value in zip(tests, kept, strict=True))

        return test

    def field(self, part: str) -> Callable[[str], bool]:
        """The conditions on one field, which has a name."""
        name = _NAME.match(part)
        if name is None:
            raise RefusedError("a field without a name")
        if name[0] == part:
            return lambda _value: True
        # The same field by the grammar of JSON.
        written = "{" + re.sub(rf"(?<![\w-]){name[0]}(?=\s*[=!<>])", f"$.{name[0]}", part) + "}"
        condition = Parser(written, in_fields=True).whole()
        return lambda value: condition({name[0]: Word(value)})


_NAME = re.compile(r"[\w-]+", re.ASCII)


def _split(text: str) -> list[str]:
    """The parts between commas; an empty part is kept."""
    parts = [""]
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|%[^%]*%|.', text, re.DOTALL):
        if token == ",":
            parts.append("")
        else:
            parts[-1] += token
    return parts


def fields(message: str) -> Iterator[tuple[str, int]]:
    """The fields of a line, which are words or text in quotes or brackets, and where each starts."""
    for found in re.finditer(r'"(.*?)"(?=\s|\Z)|\[(.*?)\](?=\s|\Z)|(\S+)', message, re.DOTALL):
        yield next(group for group in found.groups() if group is not None), found.start()
