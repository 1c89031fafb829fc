"""Regular expressions of Trino in the syntax of RE2, which DuckDB has; what the two read differently is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from re import _parser as parser  # type: ignore[attr-defined]  # the only parser of patterns in the standard library
from typing import NoReturn

from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = ["Pattern", "pattern"]

#: Where ``$`` stands: the end, or before a newline at the end.
_END = r"(?:\n?\z)"
#: How often RE2 repeats.
_MOST = 1_000
_SPACE = r"\t\n\x0b\f\r "
_NO_SPACE = r"\x00-\x08\x0e-\x1f\x21-\x{10ffff}"
#: Escapes that both read alike, and what becomes of others.
_ALIKE = frozenset("dDwWtnrfa")
_ANCHORS = frozenset("bBAz")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d+)(?:,(\d*))?\})([?+]?)", re.ASCII)
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])")
_NAMED = re.compile(r"\(\?<([a-zA-Z][a-zA-Z0-9]*)>")
_CODE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4}))")
_PROPERTY = re.compile(r"\\[pP]\{(\w+)\}")
#: General categories, and scripts that are one word: Java and RE2 name others differently.
_PROPERTIES = frozenset(
    """L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp Cc Cf Co Arabic Armenian
    Bengali Cyrillic Devanagari Georgian Greek Gujarati Han Hangul Hebrew Hiragana Katakana Latin Tamil Telugu Thai
    """.split()  # noqa: SIM905  # as a text it can be read
)
_LOOKING = "look-around, back references and possessive quantifiers are not known here"
_REMEDY = f"{_LOOKING}; two conditions with regexp_like say the same in most cases"
#: What to write instead of an escape that is refused.
_INSTEAD = {
    "h": r"[ \t]",
    "H": r"[^ \t]",
    "R": r"\r?\n",
    "v": r"[\n\x0b\f\r]",
    "V": r"[^\n\x0b\f\r]",
    "N": ".",
    "X": ".",
    "0": r"\x00",
    "c": r"\x01",
}


@dataclass(frozen=True)
class Pattern:
    """A regular expression.

    Attributes
    ----------
    text : str
        As the query has it.
    parts : tuple
        In the syntax of RE2; None is the end of the text, with or without a newline before it.
    groups : int
        How many there are.
    names : dict
        The numbers of those that have names.
    shape : str
        Its groups and repetitions, with ``x`` for each character, as Python reads them.
    has_branches : bool
        Whether it has ``|`` outside of groups.
    tails : int
        How often a branch outside of groups asks for the end last.
    """

    text: str
    parts: tuple[str | None, ...]
    groups: int
    names: dict[str, int]
    shape: str
    has_branches: bool
    tails: int

    def re2(self, end: str = _END) -> str:
        """Return it in the syntax of RE2."""
        return "".join(end if part is None else part for part in self.parts)

    def before_end(self) -> str:
        """Return it with a group around what stands before the end, which it asks for last."""
        return f"({''.join(filter(None, self.parts))}){_END}"

    @property
    def has_end(self) -> bool:
        """Whether it asks for the end of the text."""
        return None in self.parts

    @property
    def ends_branches(self) -> bool:
        """Whether it asks for the end only after all else, or after all else of a branch."""
        return self.has_end and self.tails == self.parts.count(None)

    @property
    def ends(self) -> bool:
        """Whether it asks for the end of the text after all else, and only there."""
        return self.has_end and self.parts.index(None) == len(self.parts) - 1 and not self.has_branches

    @property
    def ends_last(self) -> bool:
        """Whether nothing can be matched after the end, wherever it asks for it."""
        return all(_is_last(self.parts, at) for at, part in enumerate(self.parts) if part is None)

    @property
    def may_be_empty(self) -> bool:
        """Whether it matches where nothing is."""
        return bool(parser.parse(self.shape).getwidth()[0] == 0)

    def group(self, number: int) -> str:
        """Tell what an empty group of a match means: ``"empty"``, ``"absent"`` or ``"either"``."""
        if number == 0:
            return "empty"
        found = _group(parser.parse(self.shape), number, is_certain=True)
        if found is None:
            return "either"
        least, is_certain = found
        return "absent" if least else "empty" if is_certain else "either"


def pattern(text: str) -> Pattern:
    """Return a regular expression of Trino; what RE2 does not know, or reads differently, is refused."""
    return _Reader(text).read()


def _is_last(parts: Sequence[str | None], at: int) -> bool:
    """Whether nothing follows a part, but ends of groups and other branches."""
    depth, is_other = 0, False
    for part in parts[at + 1 :]:
        begins = part is not None and part.startswith("(") and not part.endswith(")")
        if is_other:
            depth += begins - (part == ")")
            is_other = depth >= 0
            depth = max(depth, 0)
        elif part == "|":
            is_other = True
        elif part != ")":
            return False
    return True


def _group(tree: object, number: int, *, is_certain: bool) -> tuple[int, bool] | None:
    """Return the least width of a group, and whether each match has it."""
    for operator, argument in tree:  # type: ignore[attr-defined]  # a tree of the standard library
        name = str(operator)
        if name == "SUBPATTERN":
            if argument[0] == number:
                return argument[3].getwidth()[0], is_certain
            found = _group(argument[3], number, is_certain=is_certain)
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            found = _group(argument[2], number, is_certain=is_certain and argument[0] > 0)
        elif name == "BRANCH":
            inner = (_group(each, number, is_certain=False) for each in argument[1])
            found = next((each for each in inner if each is not None), None)
        else:
            found = None
        if found is not None:
            return found
    return None


@dataclass
class _Level:
    """The pattern itself, or a group of it."""

    #: Whether ``^`` and ``$`` are those of lines.
    is_of_lines: bool
    #: Whether a branch begins here.
    is_begun: bool = False
    #: Whether flags stand within a branch.
    has_late_flags: bool = False


class _Reader:
    """Reads a pattern from its begin to its end."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._parts: list[str | None] = []
        self._shape: list[str] = []
        self._levels = [_Level(is_of_lines=False)]
        self._groups, self._names = 0, dict[str, int]()
        self._has_branches, self._tails = False, 0
        self._may_repeat = False

    def read(self) -> Pattern:
        steps = {"\\": self._escape, "[": self._class, "(": self._open, ")": self._close, "|": self._branch}
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in steps:
                steps[char]()
            elif char in "*+?{":
                self._quantifier()
            elif char in "^$":
                self._at += 1
                self._anchor(None if char == "$" and not self._levels[-1].is_of_lines else char)
            else:
                self._take(char, char)
        if len(self._levels) > 1:
            self._refuse("(", "a group that does not end")
        self._end_branch()
        shape = "".join(self._shape)
        parts = tuple(self._parts)
        return Pattern(self._text, parts, self._groups, self._names, shape, self._has_branches, self._tails)

    def _end_branch(self) -> None:
        if len(self._levels) == 1 and self._parts[-1:] == [None]:
            self._tails += 1

    def _refuse(self, part: str, why: str) -> NoReturn:
        raise QueryError(f"the pattern {quoted(self._text)} has {quoted(part)}: {why}", self._text, "form")

    def _take(self, given: str, made: str) -> None:
        """Take a character, or what stands for one."""
        self._at += len(given)
        self._add(made, "x")
        self._may_repeat = True

    def _add(self, made: str | None, shape: str) -> None:
        self._parts.append(made)
        self._shape.append(shape)
        self._levels[-1].is_begun = True

    def _anchor(self, made: str | None) -> None:
        self._add(made, "(?:)")
        self._may_repeat = False

    def _branch(self) -> None:
        if self._levels[-1].has_late_flags:
            self._refuse("|", "flags before it stand within a branch, write them at the begin of the pattern")
        self._at += 1
        self._end_branch()
        self._has_branches |= len(self._levels) == 1
        self._add("|", "|")
        self._levels[-1].is_begun = self._may_repeat = False

    def _quantifier(self) -> None:
        found = _QUANTIFIER.match(self._text, self._at)
        if found is None:  # a brace
            if re.match(r"\{,\d+\}", self._text[self._at :]):
                self._refuse("{,", "write {0,…}")
            self._take("{", r"\{")
            return
        if found[3] == "+":
            self._refuse(found[0], _REMEDY)
        if not self._may_repeat:
            self._refuse(found[0], "there is nothing before it that it repeats")
        if any(each and (len(each) > len(str(_MOST)) or int(each) > _MOST) for each in found.groups()[:2]):
            self._refuse(found[0], f"a pattern repeats {_MOST} times at most here")
        if found[1] and found[2] and int(found[1]) > int(found[2]):
            self._refuse(found[0], "the least is more than the most")
        self._at = found.end()
        self._add(found[0], found[0])
        self._may_repeat = False

    # Groups.

    def _open(self) -> None:
        named = _NAMED.match(self._text, self._at)
        is_of_lines = self._levels[-1].is_of_lines
        if not self._text.startswith("(?", self._at) or named is not None:
            self._groups += 1
            self._at += 1 if named is None else len(named[0])
            if named is not None:
                if named[1] in self._names:
                    self._refuse(named[0], "there are two groups of this name")
                self._names[named[1]] = self._groups
            self._push("(" if named is None else f"(?P<{named[1]}>", "(", is_of_lines=is_of_lines)
            return
        found = _FLAGS.match(self._text, self._at)
        if found is None:
            part = self._text[self._at : self._at + 4]
            self._refuse(part, _REMEDY if re.match(r"\(\?<?[=!>]", part) else "it is not known here")
        on, off, end = found[1], found[2] or "", found[3]
        if not set(on + off) <= set("ims") or (end == ")" and not on + off):
            self._refuse(found[0], "the flags of patterns are i, m and s here")
        is_of_lines = ("m" in on or is_of_lines) and "m" not in off
        self._at = found.end()
        if end == ":":
            self._push(found[0], "(?:", is_of_lines=is_of_lines)
            return
        level = self._levels[-1]
        level.has_late_flags |= level.is_begun
        level.is_of_lines = is_of_lines
        self._parts.append(found[0])
        self._may_repeat = False

    def _push(self, made: str, shape: str, *, is_of_lines: bool) -> None:
        self._add(made, shape)
        self._levels.append(_Level(is_of_lines))
        self._may_repeat = False

    def _close(self) -> None:
        if len(self._levels) == 1:
            self._refuse(")", "no group begins before it")
        self._levels.pop()
        self._at += 1
        self._add(")", ")")
        self._may_repeat = True

    # Characters.

    def _escape(self) -> None:
        char = self._text[self._at + 1 : self._at + 2]
        if char == "Q":
            self._quoted()
        elif char in _ANCHORS:
            self._at += 2
            self._anchor(f"\\{char}")
        elif char == "Z":
            self._at += 2
            self._anchor(None)
        elif char in ("s", "S"):
            self._take(f"\\{char}", f"[{'^' if char == 'S' else ''}{_SPACE}]")
        else:
            self._take(*self._escaped())

    def _escaped(self) -> tuple[str, str]:
        """Return an escape that stands for a character, here and in RE2."""
        char = self._text[self._at + 1 : self._at + 2]
        given = f"\\{char}"
        if not char:
            self._refuse("\\", "there is nothing after it")
        if char in _ALIKE:
            return given, given
        if char == "e":
            return given, r"\x1b"
        code = _CODE.match(self._text, self._at)
        if code is not None:
            number = int(code[1] or code[2] or code[3], 16)
            if 0xD800 <= number < 0xE000 or number > 0x10FFFF:  # noqa: PLR2004  # surrogates, and the end of Unicode
                self._refuse(code[0], r"it is no character: write \x{…} with its number")
            return code[0], f"\\x{{{number:x}}}"
        found = _PROPERTY.match(self._text, self._at)
        if found is not None and found[1] in _PROPERTIES:
            return found[0], found[0]
        if char in "pP":
            part = given if found is None else found[0]
            self._refuse(part, r"of the properties, general categories such as \p{L} and scripts are known here")
        if char in "123456789k":
            self._refuse(given, _REMEDY)
        if char.isascii() and char.isalnum():
            self._refuse(given, f"it is not known here{f', write {_INSTEAD[char]}' if char in _INSTEAD else ''}")
        return given, given if char.isascii() and char.isprintable() and char != " " else char

    def _quoted(self) -> None:
        """Take what stands between Q and E as it is."""
        end = self._text.find(r"\E", self._at)
        inner = self._text[self._at + 2 : end if end >= 0 else None]
        for char in inner:
            self._add(re.sub(r"[^\w\s]", lambda found: f"\\{found[0]}" if found[0].isascii() else found[0], char), "x")
        self._may_repeat = bool(inner)
        self._at += 2 + len(inner) + (2 if end >= 0 else 0)

    def _class(self) -> None:
        begin = self._at
        made = ["["]
        self._at += 1
        if self._text.startswith("^", self._at):
            made.append("^")
            self._at += 1
        if self._text.startswith("]", self._at):
            self._refuse(self._text[begin : self._at + 1], r"write \] for the character")
        while not self._text.startswith("]", self._at):
            if self._at >= len(self._text):
                self._refuse("[", "a class of characters that does not end")
            given, each = self._member()
            made.append(each)
            self._at += len(given)
        self._take("]", f"{''.join(made)}]")

    def _member(self) -> tuple[str, str]:
        """Return what stands at this place of a class, here and in RE2."""
        char = self._text[self._at]
        if self._text.startswith("&&", self._at):
            self._refuse("&&", r"intersections of classes are not known here, write the characters (\& for &)")
        if char == "[":
            self._refuse("[", r"a class within a class is not known here, write \[ for the character")
        if char != "\\":
            return char, char
        escape = self._text[self._at : self._at + 2]
        if escape in (r"\s", r"\S"):
            return escape, _SPACE if escape == r"\s" else _NO_SPACE
        return self._escaped()
