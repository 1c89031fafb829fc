"""Text for people: outside text made harmless, and numbers with their nouns."""

from __future__ import annotations

import re

__all__ = ["counted", "plain"]

#: Invisible letters and marks that Python calls printable: fillers, joiners and variation selectors.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def plain(value: object) -> str:
    r"""Return text that cannot steer a terminal or mislead the eye.

    Control characters in a record could steer a terminal; direction marks and zero-width characters could make one name
    look like another. They are written as escapes.

    Examples
    --------
    >>> plain("Alice\u202eecila\x1b[31m")
    'Alice\\u202eecila\\x1b[31m'
    """
    text = str(value)
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def counted(number: int, noun: str, of: int | None = None) -> str:
    """Return a number with its noun, and the total if it is known.

    Examples
    --------
    >>> counted(1, "file"), counted(2000, "file"), counted(2, "uncovered stretch"), counted(1, "file", 3)
    ('1 file', '2,000 files', '2 uncovered stretches', '1 of 3 files')
    """
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}" if of is None else f"{number:,} of {counted(of, noun)}"
