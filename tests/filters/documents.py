"""JSON as the slow evaluators see it: ``json.loads``, but numbers keep the text they are written in.

The last of duplicate keys counts. A lone surrogate becomes U+FFFD, as in the columns of a scan.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Number:
    """A JSON number as it is written."""

    text: str

    @property
    def value(self) -> Decimal:
        return Decimal(self.text)


class Members(list[tuple[str, Any]]):
    """The members of a JSON object in their order, each of duplicate keys."""


def members(text: str | bytes) -> Any:
    """A JSON value whose objects are ``Members``."""
    return _loads(text, lambda pairs: Members((whole(key), value) for key, value in pairs))


def document(text: str | bytes) -> Any:
    """A JSON value whose objects are dicts."""
    return _loads(text, lambda pairs: {whole(key): value for key, value in pairs})


def _loads(text: str | bytes, hook: Any) -> Any:
    if isinstance(text, bytes):
        text = text.decode()
    try:
        found = json.loads(text, object_pairs_hook=hook, parse_int=Number, parse_float=Number, parse_constant=_no_json)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return found


def _no_json(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def whole(text: str) -> str:
    """The text without lone surrogates."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
