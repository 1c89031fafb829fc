"""Random choices and identifiers that depend on their labels only.

The `random` module promises a stable sequence only for `random()`; the sample must be the same with every Python
version, so its numbers are taken from SHAKE-256 instead.
"""

from __future__ import annotations

import hashlib
import string
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

ALPHANUMERIC = string.ascii_letters + string.digits
BASE32 = string.ascii_uppercase + "234567"
BASE64 = ALPHANUMERIC + "+/"
UPPER = string.ascii_uppercase + string.digits


class Dice:
    """A sequence of numbers that is fixed by the labels given.

    Parameters
    ----------
    labels
        Anything with a stable `str`. Equal labels give equal sequences.
    """

    def __init__(self, *labels: object) -> None:
        """Start the sequence that belongs to the labels."""
        self._seed = "\n".join(str(label) for label in labels)
        self._turn = 0

    def branch(self, *labels: object) -> Dice:
        """Return the sequence of these labels and the additional ones, independent of what was drawn from this one."""
        return Dice(self._seed, *labels)

    def below(self, limit: int) -> int:
        """Return a number from 0 up to, but not including, `limit`."""
        self._turn += 1
        drawn = hashlib.shake_256(f"{self._seed}\n{self._turn}".encode()).digest(8)
        return int.from_bytes(drawn) % limit

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[self.below(len(items))]

    def text(self, alphabet: str, length: int) -> str:
        """Return a string of `length` characters of `alphabet`."""
        self._turn += 1
        drawn = hashlib.shake_256(f"{self._seed}\n{self._turn}".encode()).digest(2 * length)
        pairs = zip(drawn[::2], drawn[1::2], strict=True)
        return "".join(alphabet[(high << 8 | low) % len(alphabet)] for high, low in pairs)

    def hex(self, length: int) -> str:
        """Return `length` lower-case hexadecimal digits."""
        return self.text("0123456789abcdef", length)

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        digits = self.hex(32)
        variant = self.pick("89ab")
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
