"""The small languages within Trino's SQL, in the words of DuckDB: paths, formats of times, addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

from ctfast._ask.sqltext import constant
from ctfast._show.words import quoted
from ctfast.exceptions import QueryError

__all__ = [
    "UTC",
    "ZONES",
    "address",
    "joda",
    "json_path",
    "member",
    "mysql",
    "network",
    "zone",
]

#: A key or an index of a path, as far as Trino's json_extract knows them.
_STEP = re.compile(r"""\.(?P<key>[^.\[\]"'*\s]+)|\[(?P<index>\d+)\]|\["(?P<double>[^"]*)"\]|\['(?P<single>[^']*)'\]""")
#: The letters of MySQL's formats of times.
_MYSQL = {
    **{letter: f"%{letter}" for letter in "abdfHjmpSYy"},
    "W": "%A",
    "M": "%B",
    "c": "%-m",
    "e": "%-d",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "k": "%-H",
    "l": "%-I",
    "r": "%I:%M:%S %p",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "x": "%G",
    "%": "%%",
}
#: The letters of Joda's formats, by how often they stand.
_JODA = {
    **dict.fromkeys(("y", "yyyy", "Y", "YYYY", "u", "uuuu"), "%Y"),
    **dict.fromkeys(("yy", "YY"), "%y"),
    "M": "%-m",
    "MM": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "d": "%-d",
    "dd": "%d",
    "D": "%-j",
    "DDD": "%j",
    "H": "%-H",
    "HH": "%H",
    "h": "%-I",
    "hh": "%I",
    "m": "%-M",
    "mm": "%M",
    "s": "%-S",
    "ss": "%S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "a": "%p",
    **dict.fromkeys(("E", "EE", "EEE"), "%a"),
    "EEEE": "%A",
}
#: A zone that is no region, minutes of an hour, and of the farthest zone.
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")
_HOUR, _FAR = 60, 14 * 60
#: How the zone is written, which is UTC.
UTC = {"Z": "+0000", "ZZ": "+00:00", "z": "UTC"}
#: How it is read.
ZONES = dict.fromkeys(UTC, "%z")
_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def json_path(text: str) -> str:
    """Return a path of json_extract: each key in quotes, so that none is taken for something else."""
    steps, at = [], 1
    while text.startswith("$") and at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            break
        at = step.end()
        key = step["key"] or step["double"] or step["single"]
        steps.append((key or "", step["index"]))
    if not text.startswith("$") or at < len(text):
        message = f"the path {quoted(text)} is none of keys and indexes: write '$.key', '$[\"a key\"]' or '$.list[0]'"
        raise QueryError(message, text, "form")
    if any('"' in key or not (key or index) for key, index in steps):
        pointer = (key.replace("~", "~0").replace("/", "~1") if index is None else index for key, index in steps)
        return "".join(f"/{step}" for step in pointer)
    return "$" + "".join(f'."{key}"' if index is None else f"[{index}]" for key, index in steps)


def member(key: str) -> str:
    """Return the path of a member of an object."""
    return json_path(f'$["{key}"]') if '"' not in key and key else "/" + key.replace("~", "~0").replace("/", "~1")


def zone(text: str) -> tuple[str, int | None]:
    """Return a time zone as Trino prints it, and its minutes before UTC if it is no region."""
    offset = _OFFSET.fullmatch(text)
    minutes = 0 if offset is None else int(offset[2]) * 60 + int(offset[3])
    if offset is not None and int(offset[3]) < _HOUR and minutes <= _FAR:
        return (text, -minutes if offset[1] == "-" else minutes) if minutes else ("UTC", 0)
    known = "UTC" if text.upper() in ("Z", "ETC/UTC") else _zones().get(text.lower())
    if known is None:
        message = f"{quoted(text)} is no time zone: write 'America/New_York' or '+02:00'"
        raise QueryError(message, text, "value")
    return known, None


@cache
def _zones() -> Mapping[str, str]:
    return {each.lower(): each for each in available_timezones()}


def mysql(text: str, _zones: Mapping[str, str]) -> str:  # as joda
    """Return a format of date_format and date_parse as that of strftime."""

    def letter(found: re.Match[str]) -> str:
        known = _MYSQL.get(found[1])
        if known is None:
            message = f"the format {quoted(text)} has {quoted(found[0])}, which is not known here"
            raise QueryError(message, text, "form")
        return known

    return re.sub(r"%(.)", letter, text, flags=re.DOTALL)


def joda(text: str, zones: Mapping[str, str]) -> str:
    """Return a format of format_datetime and parse_datetime as that of strftime."""
    made, at = [], 0
    while at < len(text):
        token = _JODA_TOKEN.match(text, at)
        if token is None:
            raise QueryError(f"the format {quoted(text)} has a quote that does not end", text, "form")
        at = token.end()
        if token[1] is not None:
            made.append((token[1].replace("''", "'") or "'").replace("%", "%%"))
        elif token[2] is None:
            made.append(token[0].replace("%", "%%"))
        else:
            known = _JODA.get(token[0]) or zones.get(token[0])
            if known is None:
                raise QueryError(
                    f"the format {quoted(text)} has {quoted(token[0])}, which is not known here", text, "form"
                )
            made.append(known)
    return "".join(made)


def address(sql: str) -> str:
    """Return the 16 bytes of an IP address as hexadecimal digits, which sort as addresses do; NULL for other texts."""
    parts = f"str_split({sql}, '.')"
    four = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
    number = " + ".join(f"CAST({parts}[{at + 1}] AS BIGINT) * {256 ** (3 - at)}" for at in range(4))
    v4 = f"'00000000000000000000ffff' || printf('%08x', {number})"
    halves = f"str_split({sql}, '::')"

    def digits(half: str) -> str:
        groups = f"list_filter(str_split({half}, ':'), lambda g: g <> '')"
        return f"array_to_string(list_transform({groups}, lambda g: lpad(lower(g), 4, '0')), '')"

    left, right = digits(f"{halves}[1]"), digits(f"coalesce({halves}[2], '')")
    v6 = f"{left} || repeat('0', 32 - length({left}) - length({right})) || {right}"
    is_v4 = f"regexp_full_match({sql}, '{four}(?:\\.{four}){{3}}')"
    short = f"contains({sql}, '::') AND length({left}) + length({right}) <= 28 AND len({halves}) = 2"
    full = f"NOT contains({sql}, '::') AND length({left}) = 32"
    shape = f"regexp_full_match({sql}, '(?:[0-9A-Fa-f]{{1,4}}|:){{2,15}}') AND NOT contains({sql}, ':::')"
    is_v6 = f"{shape} AND (({short}) OR ({full}))"
    return f"CASE WHEN {is_v4} THEN {v4} WHEN {is_v6} THEN {v6} END"


def network(text: str) -> tuple[str, str]:
    """Return the first and the last address of a network as constants."""
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        message = f"{quoted(text)} is no network: write '10.0.0.0/8' or '2001:db8::/32'"
        raise QueryError(message, text, "form") from None
    return tuple(constant(_digits(each)) for each in (found[0], found[-1]))  # type: ignore[return-value]  # two


def fixed_address(text: str) -> str:
    """Return an address as a constant, as :func:`address` writes it."""
    try:
        return constant(_digits(ipaddress.ip_address(text)))
    except ValueError:
        raise QueryError(f"{quoted(text)} is no IP address", text, "form") from None


def _digits(given: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    six = given if isinstance(given, ipaddress.IPv6Address) else ipaddress.IPv6Address(f"::ffff:{given}")
    return six.packed.hex()
