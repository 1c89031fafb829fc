"""Regular expressions in SQL: what they match by Trino's documentation, and those that RE2 reads differently."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

import ctfast as ct

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

EMPTY: list[str] = []
LINE = "chr(10)"


def value(expression: str) -> Any:
    found = ct.sql(EMPTY, f"SELECT {expression} AS found").item()
    return found.to_list() if hasattr(found, "to_list") else found


#: Where Java's syntax and RE2's differ: ``$`` and ``\\Z`` stand before a newline at the end as well.
FOUND = {
    f"regexp_like('c' || {LINE}, 'c$')": True,
    f"regexp_like('c' || {LINE}, 'c\\Z')": True,
    f"regexp_like('c' || {LINE}, 'c\\z')": False,
    f"regexp_like('c' || {LINE} || {LINE}, 'c$')": False,
    f"regexp_like('c' || {LINE} || 'd', 'c$')": False,
    f"regexp_like('c' || {LINE} || 'd', '(?m)c$')": True,
    f"regexp_like('a' || {LINE}, '(b|a$|(?:c|d))')": True,
    f"regexp_extract('ab' || {LINE}, 'b$')": "b",
    f"regexp_extract('ab' || {LINE}, '(b)$', 1)": "b",
    "regexp_extract('ab', '(x)?b$', 1)": None,
    f"regexp_extract_all('ab' || {LINE}, '[ab]+$')": ["ab"],
    f"regexp_count('b' || {LINE}, 'b$')": 1,
    f"length(regexp_replace('a/' || {LINE}, '/$'))": 2,
    f"regexp_replace(' a ' || {LINE}, '^\\s+|\\s+$')": "a",
    f"regexp_replace('a b' || {LINE}, ' (b)$', '<$1>')": "a<b>\n",
    "regexp_replace('a{b}', '\\{b\\}$', '{c}')": "a{c}",
    "regexp_replace('2025-03', '(?<y>\\d+)-(?<m>\\d+)', '$2/$1')": "03/2025",
    "regexp_replace('ab', '(a)', '$10')": "a0b",
    "regexp_split('a/b/', '/$')": ["a/b", ""],
    "regexp_extract_all('baac', 'a*')": ["", "aa", "", ""],
    "regexp_like('a' || chr(11), 'a\\s')": True,
    "regexp_like(chr(11), '[^\\s]')": False,
    "regexp_like(chr(11), '[\\S]')": False,
    "regexp_like('axb', '\\Qa.b\\E')": False,
    "regexp_like('a.b', '^\\Qa.b\\E$')": True,
    "regexp_like('a', '\\u0061\\x61?\\x{61}?')": True,
    "regexp_like(chr(27), '\\e')": True,
    "regexp_like('É', '\\p{Lu}')": True,
    "regexp_like('B', 'a|(?i)b|c')": True,
    "regexp_like('C', '(?i:b)|c')": False,
    "regexp_like('{\"a\"', '{\"a\"')": True,
    "regexp_like('-', '[a\\-z]')": True,
    "regexp_like('&', '[a\\&z]')": True,
    "regexp_like('+*', '[+*]+')": True,
    "regexp_extract_all('a1b2', '([a-z])(\\d)', 1)": ["a", "b"],
}


@pytest.mark.parametrize("expression", FOUND)
def test_what_patterns_find(expression: str) -> None:
    assert value(expression) == FOUND[expression]


#: The part that is named, and words of the sentence.
REFUSED = {
    "[a-z&&[^b]]": ("&&", "intersections of classes"),
    "[a&&b]": ("&&", "intersections of classes"),
    "[a[b]]": ("[", "class within a class"),
    "[[:alpha:]]": ("[", "class within a class"),
    "[]a]": ("[]", "for the character"),
    "[^]a]": ("[^]", "for the character"),
    "[a": ("[", "does not end"),
    "[\\b]": ("\\b", "not known here"),
    "(?=b)": ("(?=b", "look-around"),
    "(?<!b)a": ("(?<!", "look-around"),
    "(?>a)": ("(?>a", "look-around"),
    "(a)\\1": ("\\1", "back references"),
    "(?<n>a)\\k<n>": ("\\k", "back references"),
    "a*+": ("*+", "possessive"),
    "a{2}+": ("{2}+", "possessive"),
    "a**": ("*", "nothing before it"),
    "*a": ("*", "nothing before it"),
    "a{,3}": ("{,", "write {0"),
    "a{3,1}": ("{3,1}", "the least"),
    "a{1001}": ("{1001}", "1000 times at most"),
    "(a": ("(", "does not end"),
    "a)": (")", "no group begins"),
    "(?x)a b": ("(?x)", "the flags of patterns are i, m and s"),
    "(?d)a": ("(?d)", "the flags of patterns are i, m and s"),
    "(?u)a": ("(?u)", "the flags of patterns are i, m and s"),
    "(?U)a+": ("(?U)", "the flags of patterns are i, m and s"),
    "(?P<n>a)": ("(?P<", "not known here"),
    "(?#c)a": ("(?#c", "not known here"),
    "(?<n>a)(?<n>b)": ("(?<n>", "two groups of this name"),
    "a(?i)b|c": ("|", "flags before it"),
    "\\h": ("\\h", "write [ \\t]"),
    "\\H": ("\\H", "write [^ \\t]"),
    "\\R": ("\\R", "write \\r?\\n"),
    "\\v": ("\\v", "write ["),
    "\\X": ("\\X", "write ."),
    "\\G": ("\\G", "not known here"),
    "\\cA": ("\\c", "write \\x01"),
    "\\0141": ("\\0", "write \\x00"),
    "\\pL": ("\\p", "\\p{L}"),
    "\\p{IsAlphabetic}": ("\\p{IsAlphabetic}", "general categories"),
    "\\p{Alpha}": ("\\p{Alpha}", "general categories"),
    "\\ud800": ("\\ud800", "no character"),
    "a\\": ("\\", "nothing after it"),
}


@pytest.mark.parametrize("pattern", REFUSED)
def test_patterns_that_re2_reads_differently(pattern: str) -> None:
    part, words = REFUSED[pattern]
    with pytest.raises(ct.QueryError) as refused:
        ct.sql(EMPTY, f"SELECT regexp_like('a', '{pattern}')")
    assert (refused.value.kind, refused.value.name) == ("form", pattern)
    shown = str(refused.value).replace("\\\\", "\\")
    assert f"has '{part}'" in shown
    assert words in shown


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("regexp_extract_all('a1', '([a-z])(\\d)', 1 + 1)", "a whole number that stands in the query"),
        ("regexp_extract_all('a1', '([a-z])(\\d)', -1)", "a whole number that stands in the query"),
        ("regexp_extract_all('a1', '([a-z])(\\d)', 3)", "has 2 groups, and none of number 3"),
        ("regexp_extract('a1', 'a', 1)", "has 0 groups, and none of number 1"),
        ("regexp_replace('a', 'a', '$1')", "names group 1, which 'a' has not"),
        ("regexp_replace('abc', 'b*', '-')", "also matches an empty text"),
        ("regexp_split('abc', '')", "also matches an empty text"),
        (f"regexp_like('a' || {LINE}, 'a$\\s')", "has $ before its end"),
        (f"regexp_extract('a' || {LINE}, '(a$|b)+')", "has $ before its end"),
    ],
)
def test_calls_that_are_refused(call: str, words: str) -> None:
    with pytest.raises(ct.QueryError, match=re.escape(words)):
        ct.sql(EMPTY, f"SELECT {call}")


PIECES = [
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    "\\s",
    "\\w",
    "^",
    "$",
    "(a|b)",
    "(?:ab)",
    "(b)?",
    "a+",
    "b*",
    "a{1,2}",
    "|",
    "a??",
]


def without(pattern: re.Pattern[str], text: str) -> str:
    """Remove each match as Java finds them: after an empty one, from the next character on."""
    at, end, kept = 0, 0, ""
    while at <= len(text) and (found := pattern.search(text, at)) is not None:
        kept += text[end : found.start()]
        end = found.end()
        at = end + (not found[0])
    return kept + text[end:]


@pytest.mark.parametrize("seed", range(4))
def test_random_patterns_give_what_python_gives(seed: int) -> None:
    """Python's ``re`` reads these as Java does, with ``$`` before a last newline."""
    dice = random.Random(seed)
    asked: list[tuple[str, Any]] = []
    for _ in range(60):
        pattern = "".join(dice.choice(PIECES) for _ in range(dice.randrange(1, 5)))
        text = "".join(dice.choice("ab \n") for _ in range(dice.randrange(5))) + dice.choice(["", "\n"])
        made = re.compile(pattern)
        first = made.search(text)
        expected = [
            (f"regexp_like('{text}', '{pattern}')", first is not None),
            (f"regexp_extract('{text}', '{pattern}')", None if first is None else first[0]),
            (f"regexp_replace('{text}', '{pattern}')", without(made, text)),
        ]
        for call, found in expected:
            if _is_answered(call):
                asked.append((call, found))
    row = ct.sql(EMPTY, f"SELECT {', '.join(call for call, _ in asked)}").row(0)
    assert len(asked) > 100
    for (call, expected_value), found in zip(asked, row, strict=True):
        assert found == expected_value, call


def _is_answered(call: str) -> bool:
    """Whether a call has an answer: those that look for the end of a text within the pattern may have none."""
    try:
        ct.sql(EMPTY, f"SELECT {call}")
    except ct.QueryError as refused:
        assert "has $ before its end" in str(refused)  # noqa: PT017  # any other error fails
        return False
    return True
