"""Templates: one event as a fixed string with holes for what differs from event to event.

A shape is written once as a Python dictionary whose strings contain holes such as ``~{uuid}``. It is turned into JSON
once and cut at the holes; making an event is then one ``%`` formatting, which is what lets 500 MB of distinct events be
written in seconds.

``~{kind:argument@name}`` is a hole. The argument and the name are optional; holes of one name get the same value within
one event. A hole that starts with ``#`` stands for a bare JSON value: ``"~{#int:1:9}"`` loses its quotes.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any


def words(text: str) -> list[str]:
    """Return the words of `text`."""
    return text.split()


HOLE = re.compile(r'"~\{#([^{}]+)\}"|~\{([^{}]+)\}')
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
WORDS = words(
    "raw curated daily hourly export import events invoices customers orders sessions clicks reports images"
    " thumbs backup"
    " snapshot logs metrics landing stage final archive part model features train eval tenant region public"
    " private assets"
    " static cache index delta manifest",
)
# Gson, which many services log with, writes these characters as escapes.
GSON = {ord(c): f"\\u{ord(c):04x}" for c in "=<>&'"}


@dataclass(slots=True)
class Clock:
    """The time of the event that is being made."""

    now: datetime

    def iso(self) -> str:
        """Return the time as `eventTime` writes it."""
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")


Generator = Callable[[Random, Clock], str]


def text(rng: Random, length: int, alphabet: str = UPPER) -> str:
    """Return `length` random characters of `alphabet`."""
    return "".join(rng.choices(alphabet, k=length))


def uuid(rng: Random) -> str:
    """Return a random UUID (version 4)."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def object_key(rng: Random, clock: Clock) -> str:
    """Return an object key: some are dates and part files, some are opaque."""
    kind = rng.random()
    first, second = rng.choice(WORDS), rng.choice(WORDS)
    if kind < 0.35:
        return f"{first}/{second}/dt={clock.now:%Y-%m-%d}/part-{rng.randrange(400):05d}-{uuid(rng)}.snappy.parquet"
    if kind < 0.8:
        return f"{first}/{clock.now:%Y/%m/%d}/{rng.randrange(10**6):06d}.json"
    return f"{first}/{rng.getrandbits(64):016x}/{second}.bin"


def _ago(seconds: str) -> Generator:
    span = int(seconds)
    return lambda rng, clock: Clock(clock.now - timedelta(seconds=rng.randrange(span))).iso()


def _hex(length: str) -> Generator:
    bits = int(length) * 4
    return lambda rng, _: f"{rng.getrandbits(bits):0{length}x}"


def _text(length: str, alphabet: str = UPPER) -> Generator:
    size = int(length)
    return lambda rng, _: text(rng, size, alphabet)


def _base64(length: str) -> Generator:
    size = int(length)
    return lambda rng, _: b64encode(rng.randbytes(size)).decode()


def _int(low: str, high: str) -> Generator:
    start, stop = int(low), int(high) + 1
    return lambda rng, _: str(rng.randrange(start, stop))


def _float(high: str) -> Generator:
    top = float(high)
    return lambda rng, _: repr(round(rng.random() * top, 6))


# kind of hole -> what makes its generator out of the arguments
KINDS: dict[str, Callable[..., Generator]] = {
    "ago": _ago,
    "alnum": lambda length: _text(length, ALNUM),
    "b64": _base64,
    "epoch": lambda: lambda rng, clock: f"{clock.now.timestamp():.0f}.{rng.randrange(1000):03d}",
    "expiry": lambda: lambda _, clock: f"{clock.now + timedelta(hours=1):%b %d, %Y, %I:%M:%S %p}",
    "exponent": lambda: lambda rng, _: f"{rng.randrange(10, 100) / 10}E{rng.randrange(4, 9)}",
    "float": _float,
    "hex": _hex,
    "id": _text,
    "int": _int,
    "key": lambda: object_key,
    "millis": lambda: lambda _, clock: f"{clock.now.timestamp():.0f}000",
    "private": lambda: lambda rng, _: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    "time": lambda: lambda _, clock: clock.iso(),
    "uuid": lambda: lambda rng, _: uuid(rng),
    "word": lambda: lambda rng, _: rng.choice(WORDS),
}


@cache
def generator(spec: str) -> Generator:
    """Return what fills the hole `spec` (``kind`` or ``kind:argument...``)."""
    kind, *arguments = spec.split(":")
    return KINDS[kind](*arguments)


@dataclass(frozen=True, slots=True)
class Template:
    """One event, rendered but for its holes.

    Attributes
    ----------
    columns
        The keys at the top of the record whose value is not null.
    """

    name: str
    columns: tuple[str, ...]
    has_arn: bool
    pattern: str
    generators: tuple[Generator, ...]
    order: tuple[int, ...] | None

    def render(self, rng: Random, clock: Clock) -> str:
        """Return one event as JSON text."""
        values = tuple([make(rng, clock) for make in self.generators])
        if self.order is not None:
            values = tuple([values[i] for i in self.order])
        return self.pattern % values


def compile_template(record: dict[str, Any]) -> Template:
    """Turn a record with holes into a `Template`."""
    generators: list[Generator] = []
    order: list[int] = []
    named: dict[str, int] = {}

    def hole(found: re.Match[str]) -> str:
        spec, _, name = (found[1] or found[2]).partition("@")
        if name in named:
            order.append(named[name])
        else:
            if name:
                named[name] = len(generators)
            order.append(len(generators))
            generators.append(generator(spec))
        return "%s"

    pattern = HOLE.sub(hole, dumps(record).replace("%", "%%"))
    return Template(
        name=record.get("eventName") or "",
        columns=tuple(key for key, value in record.items() if value is not None),
        has_arn="arn" in (record.get("userIdentity") or ()),
        pattern=pattern,
        generators=tuple(generators),
        order=tuple(order) if order != list(range(len(generators))) else None,
    )


class Gson(dict[str, Any]):
    """An object whose text is written with Gson's escapes (``\\u003d`` for ``=``)."""


def dumps(value: object) -> str:
    """Return `value` as minified JSON; text outside ASCII stays as it is, as CloudTrail writes it."""
    if isinstance(value, dict):
        if isinstance(value, Gson):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(GSON)
        return "{" + ",".join(f"{json.dumps(key)}:{dumps(member)}" for key, member in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def at(text_time: str) -> datetime:
    """Return the time that `text_time` (``YYYY-MM-DDTHH:MM``) names, in UTC."""
    return datetime.fromisoformat(text_time).replace(tzinfo=UTC)
