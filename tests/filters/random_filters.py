"""Random CloudWatch Logs filter patterns for hypothesis, about what is in ``random_records``."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from random_records import PATHS, WORDS, About


@st.composite
def _selectors(draw: st.DrawFn, about: About, wildcards: list[None]) -> tuple[str, list[str]]:
    """A property, and the texts that it usually has; ``wildcards`` has one element for each so far."""
    path, usual = draw(st.sampled_from(about))
    steps = [f".['{name}']" if "." in name or not draw(st.integers(0, 6)) else f".{name}" for name in path]
    starred = False
    for place, name in enumerate(path):
        if name in ("resources", "items", "list", "deep") or not draw(st.integers(0, 9)):
            star = not starred and len(wildcards) < 3 and draw(st.booleans())
            steps[place] += "[*]" if star else f"[{draw(st.integers(0, 2))}]"
            starred |= star
            wildcards += [None] if star else []
    if not starred and len(wildcards) < 3 and not draw(st.integers(0, 7)):
        steps[draw(st.integers(0, len(steps) - 1))] = ".*"
        wildcards.append(None)
    return "$" + "".join(steps[: draw(st.integers(1, len(steps)))] if not draw(st.integers(0, 9)) else steps), usual


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def _conditions(draw: st.DrawFn, about: About, wildcards: list[None], expressions: list[None]) -> str:
    property_, usual = draw(_selectors(about, wildcards))
    space = draw(st.sampled_from([" ", " ", "", "  ", "\t"]))
    word = draw(st.one_of(st.sampled_from(usual), st.sampled_from(usual), st.sampled_from(WORDS)))
    operator = draw(st.sampled_from(["=", "=", "!="]))
    number = st.sampled_from(["5", "5.0", "+5", "5e0", "-3", "0", "300", "0.1", "10e-1"])
    match draw(st.integers(0, 8)):
        case 0:
            return f"{property_} {draw(st.sampled_from(['IS NULL', 'IS TRUE', 'IS FALSE', 'NOT EXISTS']))}"
        case 1:
            return f"{property_}{space}{draw(st.sampled_from(['=', '!=', '<', '>', '<=', '>=']))}{space}{draw(number)}"
        case 2 if len(expressions) < 2:
            expressions.append(None)
            expression = draw(
                st.sampled_from(
                    [
                        "a",
                        "^a",
                        "b$",
                        r"^\w+$",
                        r"[0-9]{1,3}\.0",
                        "Get|Put",
                        r"\x41",
                        "^$",
                        r"10\..",
                        "[^a]",
                        r"\s",
                        "x?b",
                    ]
                )
            )
            return f"{property_}{space}{operator}{space}%{expression}%"
        case 3:
            bare = draw(st.sampled_from(["*", "true", "false", "ab*", "*ab", "*a*", "x.y-z:*"]))
            return f"{property_}{space}{operator}{space}{bare}"
        case 4:
            start = draw(st.integers(0, len(word)))
            ends = draw(st.sampled_from([("*", ""), ("", "*"), ("*", "*")]))
            return f"{property_}{space}{operator}{space}{_in_quotes(ends[0] + word[start:] + ends[1])}"
        case _:
            return f"{property_}{space}{operator}{space}{_in_quotes(word)}"


@st.composite
def filter_patterns(draw: st.DrawFn, about: About = PATHS) -> str:
    """The text of a pattern; most are of JSON."""
    match draw(st.integers(0, 9)):
        case 0:
            signs = draw(st.sampled_from([["", "-"], ["?"], ["", "?", "-"]]))
            terms = [
                draw(st.sampled_from(signs))
                + _in_quotes(draw(st.sampled_from(["s3", "ab", '"ab"', "\\u", "Get", " "])))
                for _ in range(3)
            ]
            return " ".join(terms[: draw(st.integers(1, 3))])
        case 1:
            return draw(
                st.sampled_from(
                    [
                        "%Get%",
                        r"%\d{3}%",
                        "%^.eventVersion%",
                        "[...]",
                        "[..., last = *x*]",
                        "[a, b, ...]",
                        "[a]",
                        "[a, b = *x*]",
                        "[a, b,]",
                        "[]",
                        "",
                    ]
                )
            )
        case _:
            about = [one for one in about if all(re.fullmatch(r"[A-Za-z0-9_.-]+", name) for name in one[0])]
            wildcards: list[None] = []
            expressions: list[None] = []
            written = draw(_conditions(about, wildcards, expressions))
            for _ in range(draw(st.integers(0, 3))):
                one = draw(_conditions(about, wildcards, expressions))
                written = f"{written}{draw(st.sampled_from([' && ', ' || ', '&&', '||']))}{one}"
                if not draw(st.integers(0, 2)):
                    written = f"({written})"
            return f"{{ {written} }}"
