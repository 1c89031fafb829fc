"""Random EventBridge event patterns for hypothesis, about what is in ``random_records``."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import strategies as st

from random_records import NUMBERS, PATHS, WORDS, About, quoted
from slow_pattern import RESERVED

# Numbers that a pattern may compare with.
_BOUNDS = st.sampled_from([number for number in NUMBERS if len(number) < 6])
_BLOCKS = ["10.0.0.0/24", "10.0.0.77/25", "192.168.0.0/16", "0.0.0.0/0", "2001:db8::/32", "10.0.0.0/31"]


def _one(operator: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return values.map(lambda value: f'{{"{operator}":{value}}}')


def _one_or_more(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(values, st.lists(values, min_size=1, max_size=3).map(lambda items: f"[{','.join(items)}]"))


@st.composite
def _part(draw: st.DrawFn, words: st.SearchStrategy[str], *, first: bool = False, last: bool = False) -> str:
    """A part of a word, from its beginning or to its end if so wanted."""
    word = draw(words)
    start = 0 if first else draw(st.integers(0, len(word)))
    return word[start:] if last else word[start : draw(st.integers(start, len(word)))]


@st.composite
def _wildcards(draw: st.DrawFn, words: st.SearchStrategy[str]) -> str:
    word = draw(words)
    middle = draw(_part(st.just(word)))
    pieces = draw(
        st.sampled_from(
            [[word[:1], middle, word[-1:]], [word[:2], ""], ["", word[-2:]], ["", middle, ""], ["", ""], [word]]
        )
    )
    escaped = [piece.replace("\\", "\\\\").replace("*", "\\*") for piece in pieces]
    return json.dumps(
        escaped[0] + "".join("*" + piece for piece in escaped[1:] if piece or piece is escaped[-1])
    ).replace("**", "*")


def alternatives(usual: list[str]) -> st.SearchStrategy[str]:
    """One alternative for a field that usually has one of these texts."""
    words = st.one_of(st.sampled_from(usual), st.sampled_from(usual), st.sampled_from(WORDS))
    first = _part(words, first=True).map(json.dumps)
    last = _part(words, last=True).map(json.dumps)
    cased = st.one_of(words, words.map(str.upper), words.map(str.swapcase)).map(json.dumps)
    literals = [text for text in usual if re.fullmatch(r"true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", text)]
    not_empty = words.filter(bool).map(json.dumps)
    ranges = st.tuples(
        st.sampled_from(['">"', '">="']),
        st.sampled_from([("0", "5"), ("-3", "5.5"), ("5", "300"), ("-3.0", "0.1")]),
        st.sampled_from(['"<"', '"<="']),
    )
    return st.one_of(
        words.flatmap(quoted),
        words.flatmap(quoted),
        st.sampled_from([*literals, "true", "false", "null"]),
        st.sampled_from([*literals, *NUMBERS]),
        _one("exactly", words.flatmap(quoted)),
        _one("prefix", st.one_of(first, _one("equals-ignore-case", cased))),
        _one("suffix", st.one_of(last, _one("equals-ignore-case", cased))),
        _one("equals-ignore-case", cased),
        _one("wildcard", _wildcards(words)),
        _one(
            "numeric",
            st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), _BOUNDS).map(lambda one: f'["{one[0]}",{one[1]}]'),
        ),
        _one("numeric", ranges.map(lambda one: f"[{one[0]},{one[1][0]},{one[2]},{one[1][1]}]")),
        _one("cidr", st.sampled_from(_BLOCKS).map(json.dumps)),
        _one("exists", st.sampled_from(["true", "false"])),
        _one("anything-but", st.one_of(_one_or_more(words.map(json.dumps)), _one_or_more(_BOUNDS))),
        _one("anything-but", _one("equals-ignore-case", _one_or_more(cased))),
        _one("anything-but", _one("wildcard", _one_or_more(_wildcards(words)))),
        _one(
            "anything-but",
            st.sampled_from(["prefix", "suffix"]).flatmap(lambda name: _one(name, _one_or_more(not_empty))),
        ),
    )


Tree = dict[str, Any]


def _nested(path: tuple[str, ...], leaf: str, tree: Tree) -> Tree:
    """The tree with one more leaf, if there is room for it."""
    for name in path[:-1]:
        inner = tree.setdefault(name, {})
        if not isinstance(inner, dict):
            return tree
        tree = inner
    tree.setdefault(path[-1], leaf)
    return tree


def _written(tree: Any) -> str:
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_written(inner)}" for name, inner in tree.items()) + "}"
    return str(tree)


@st.composite
def _fields(draw: st.DrawFn, about: About, prefix: tuple[str, ...], most: int) -> Tree:
    tree: Tree = {}
    for path, usual in draw(st.lists(st.sampled_from(about), min_size=1, max_size=most)):
        listed = draw(st.lists(alternatives(usual), min_size=1, max_size=3))
        _nested((*prefix, *path), f"[{','.join(listed)}]", tree)
    return tree


@st.composite
def event_patterns(draw: st.DrawFn, about: About = PATHS, *, envelope: bool = False) -> str:
    """The text of a pattern, on a record or on the event around it."""
    prefix = ("detail",) if envelope else ()
    tree = draw(_fields(about, prefix, 3))
    if not draw(st.integers(0, 3)):
        # In $or, the name of an operator is not a field, but a random record may have a field of that name, like "<".
        possible = [one for one in about if RESERVED.isdisjoint(one[0])]
        choices = draw(st.lists(_fields(possible, (), 2), min_size=2, max_size=3))
        inner: Tree = tree.setdefault("detail", {}) if envelope else tree
        inner["$or"] = f"[{','.join(map(_written, choices))}]"
    if envelope and not draw(st.integers(0, 2)):
        name, usual = draw(st.sampled_from(sorted(AROUND.items())))
        tree[name] = f"[{','.join(draw(st.lists(alternatives(usual), min_size=1, max_size=2)))}]"
    return _written(tree)


AROUND = {
    "source": ["aws.s3", "aws.kms", "aws.lambda", "aws.signin"],
    "detail-type": [
        "AWS API Call via CloudTrail",
        "AWS Console Sign In via CloudTrail",
        "AWS Service Event via CloudTrail",
    ],
    "region": ["us-east-1"],
    "version": ["0"],
}
