"""A JSON scanner in plain Python that knows the byte span of each value; ``reference.py`` reads with it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# A level of nesting takes two frames of Python's stack.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))


class Damage(Exception):  # noqa: N818 - as often a value as an exception
    """What is wrong with a file, and at which byte of its inflated text."""

    def __init__(self, kind: str, byte: int) -> None:
        super().__init__(f"{kind} at byte {byte}")
        self.kind, self.byte = kind, byte


@dataclass
class Node:
    """A JSON value in the bytes ``start:end``; the ``parts`` of an object are pairs of a key and a value."""

    kind: str
    start: int
    end: int
    parts: list[Any] = field(default_factory=list)

    def string(self, text: bytes) -> str:
        """The decoded value of a string; may hold lone surrogates."""
        return str(json.loads(text[self.start : self.end]))

    def member(self, text: bytes, name: str) -> Node | None:
        """The last value under this key."""
        return next((value for key, value in reversed(self.parts) if key.string(text) == name), None)


class Scanner:
    """A cursor over JSON text, strict as RFC 8259 is."""

    SPACE = re.compile(rb"[ \t\n\r]*")
    STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
    # Not the valid beginning of an invalid number, such as 0 of 01 or of 0.
    NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.eE+-])")
    BEGUN_NUMBER = re.compile(rb"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)?")
    NAME = re.compile(rb"true|false|null")
    OPEN_STRING = re.compile(STRING.pattern[:-1])
    CUT_OFF = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?|\.|[eE][+-]?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?")

    def __init__(self, text: bytes, at: int, depth: int) -> None:
        self.text, self.at, self.depth, self.level = text, at, depth, 0

    def peek(self) -> bytes:
        """The next byte that is not white space; empty at the end."""
        self.at = self.SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
        return self.text[self.at : self.at + 1]

    def value(self) -> Node:
        """Scan one value of any type."""
        opening, start = self.peek(), self.at
        if opening == b"{":
            parts: list[Any] = [(key, self.value()) for key in self.members()]
            return Node("object", start, self.at, parts)
        if opening == b"[":
            parts = [self.value() for _ in self.items()]
            return Node("array", start, self.at, parts)
        for kind, pattern in (("string", self.STRING), ("number", self.NUMBER), ("name", self.NAME)):
            if found := pattern.match(self.text, start):
                self.at = found.end()
                return Node(found[0].decode() if kind == "name" else kind, start, self.at)
        raise self.unexpected()

    def members(self) -> Iterator[Node]:
        """Scan an object: each key, with the cursor at its value, which the caller scans."""
        for _ in self._list(b"}"):
            self.peek()
            if not (found := self.STRING.match(self.text, self.at)):
                raise self.unexpected()
            key = Node("string", self.at, found.end())
            self.at = found.end()
            if self.peek() != b":":
                raise self.unexpected()
            self.at += 1
            yield key

    def items(self) -> Iterator[None]:
        """Scan an array: the cursor is at each element in turn, which the caller scans."""
        return self._list(b"]")

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise self.unexpected()

    def _list(self, closing: bytes) -> Iterator[None]:
        self.level += 1
        if self.level > self.depth:
            raise Damage("too-deep", self.at)
        self.at += 1
        if self.peek() != closing:
            yield
            while self.peek() == b",":
                self.at += 1
                yield
        if self.peek() != closing:
            raise self.unexpected()
        self.at += 1
        self.level -= 1

    def unexpected(self) -> Damage:
        """The error for text that does not continue as JSON; a token without an end is damaged at the end."""
        found = None if self.STRING.match(self.text, self.at) else self.OPEN_STRING.match(self.text, self.at)
        if not found and not self.NUMBER.match(self.text, self.at):
            found = self.BEGUN_NUMBER.match(self.text, self.at)
        at = found.end() if found else self.at
        return Damage("invalid-json", len(self.text) if self.CUT_OFF.fullmatch(self.text, at) else at)
