"""EventBridge event patterns, evaluated slowly: to be read, and to test the fast matcher against.

Written from the EventBridge User Guide ("Comparison operators for use in event patterns", "Creating Amazon
EventBridge event patterns") and from what AWS's open-source matcher, event-ruler, was seen to do.

* A pattern is a list of branches, one for each choice among the members of its ``$or``. A branch has tests for
  dotted names; an event matches if it passes one branch.
* An event is a list of leaves under dotted names. Arrays are not part of a name; a leaf knows the elements that
  contain it, by array and index. Objects, and arrays without a leaf, do not exist as values.
* The last of duplicate names counts in a pattern, the last of duplicate keys in an event.
* Names are taken in sorted order. Each needs a leaf that passes one of its tests; in each array, it must be in the same
  element as the leaves chosen before. ``{"exists": false}`` passes if no leaf of that name could be chosen.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import count
from typing import Any

from documents import Members, Number, document, members, whole

Leaf = str | Number | bool | None
Test = Callable[[Leaf], bool]
Branch = dict[str, list[Test]]
Elements = frozenset[tuple[int, int]]

# The service refuses patterns with more branches.
MOST_BRANCHES = 1000
# The members of an event, besides the record, that a rule can test.
ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
SIGN_INS = ("AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail")


class RefusedError(ValueError):
    """A text that is not a valid pattern."""


@dataclass(frozen=True)
class Pattern:
    branches: list[Branch]
    # Whether it is about the event around a record, not about the record.
    envelope: bool

    def matches(self, text: str | bytes) -> bool:
        """Whether an event matches; a record as it arrives, anything else as it is."""
        event = document(text)
        if not isinstance(event, dict):
            return False
        if not is_record(event):
            return self._matches(without_context(event) if self.envelope else event)
        # CloudTrail's names have no dots: a name that has one is left out, so that it is not taken for a path.
        record = {name: value for name, value in event.items() if "." not in name}
        return any(map(self._matches, wrapped(record) if self.envelope else [record]))

    def _matches(self, event: dict[str, Any]) -> bool:
        leaves: dict[str, list[tuple[Leaf, Elements]]] = {}
        for name, leaf, elements in _leaves(event, (), frozenset(), count()):
            leaves.setdefault(name, []).append((leaf, elements))
        return any(_passes(branch, leaves) for branch in self.branches)


def parse(text: str) -> Pattern:
    """The pattern of a text; a ValueError if AWS would refuse it."""
    found = members(text)
    if not isinstance(found, Members):
        raise RefusedError("no object")
    if _count(found) > MOST_BRANCHES:
        raise RefusedError("too many combinations of $or")
    return Pattern(_branches(found, (), [{}], inside_or=False), _is_envelope(found))


# -- the tree of the pattern


def _branches(fields: Members, path: tuple[str, ...], branches: list[Branch], *, inside_or: bool) -> list[Branch]:
    """Each of the branches with the fields of an object."""
    if not fields:
        raise RefusedError("empty object")
    for name, value in fields:
        if name == "$or":
            branches = _either(value, path, branches)
        elif inside_or and name in RESERVED:
            raise RefusedError(f"{name} inside of $or")
        elif isinstance(value, Members):
            branches = _branches(value, (*path, name), branches, inside_or=inside_or)
        elif isinstance(value, list):
            tests = [test for item in value for test in _alternative(item)]
            if not tests:
                raise RefusedError("empty array")
            # Later tests of a name replace earlier ones.
            branches = [branch | {".".join((*path, name)): tests} for branch in branches]
        else:
            raise RefusedError(f"{name} is neither an object nor an array")
    return branches


def _either(value: Any, path: tuple[str, ...], branches: list[Branch]) -> list[Branch]:
    if not isinstance(value, list) or isinstance(value, Members):
        raise RefusedError("$or without an array")
    if not all(isinstance(item, Members) for item in value):
        raise RefusedError("$or of something else than objects")
    if len(value) < 2:
        raise RefusedError("$or of fewer than two objects")
    return [branch for item in value for branch in _branches(item, path, branches, inside_or=True)]


def _count(fields: Members) -> int:
    """The number of branches that an object makes of one."""
    product = 1
    for name, value in fields:
        if name == "$or" and isinstance(value, list):
            product *= sum(_count(item) for item in value if isinstance(item, Members))
        elif isinstance(value, Members):
            product *= _count(value)
    return product


def _is_envelope(fields: Members) -> bool:
    for name, value in fields:
        if name == "$or":
            if not all(map(_is_envelope, value)):
                return False
            continue
        first = name.split(".")[0]
        # A record has resources, too; those are objects.
        of_record = first == "resources" and (first != name or isinstance(value, Members))
        if first not in ENVELOPE or of_record:
            return False
    return True


RESERVED = {
    *(
        "exactly",
        "equals-ignore-case",
        "prefix",
        "suffix",
        "anything-but",
        "exists",
        "wildcard",
        "numeric",
        "cidr",
        "html",
    ),
    *("=", "<", "<=", ">", ">="),
    *("regex", "not-wildcard", "not-equals-ignore-case"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
    *("ip-address-in-range", "ip-address-not-in-range"),
}


# -- the alternatives of a field


def _absent(leaf: Leaf) -> bool:
    """The test of ``{"exists": false}``, which no leaf passes."""
    return False


def _alternative(item: Any) -> list[Test]:
    if isinstance(item, Members):
        if len(item) != 1:
            raise RefusedError("one key is needed")
        [(operator, value)] = item
        if operator not in OPERATORS:
            raise RefusedError(f"no operator {operator}")
        return [OPERATORS[operator](value)]
    if isinstance(item, list):
        raise RefusedError("an array among the alternatives")
    if isinstance(item, str) and (digits := ip_digits(item)):
        return [lambda leaf: in_range(ip_digits(leaf), digits, digits)]
    if isinstance(item, Number):
        return [lambda leaf: isinstance(leaf, Number) and (leaf == item or equal(leaf, item))]
    return [lambda leaf: type(leaf) is type(item) and leaf == item]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise RefusedError("a string is needed")
    return value


def _exactly(value: Any) -> Test:
    text = _text(value)
    return lambda leaf: leaf == text


def _prefix(value: Any) -> Test:
    text, fold = _text_of_any_case(value)
    if fold:
        return lambda leaf: isinstance(leaf, str) and bool(ends_of_fold(text, leaf))
    return lambda leaf: isinstance(leaf, str) and leaf.startswith(text)


def _suffix(value: Any) -> Test:
    text, fold = _text_of_any_case(value)
    if fold:
        return lambda leaf: (
            isinstance(leaf, str)
            and any(len(leaf) in ends_of_fold(text, leaf, start) for start in range(len(leaf) + 1))
        )
    return lambda leaf: isinstance(leaf, str) and leaf.endswith(text)


def _text_of_any_case(value: Any) -> tuple[str, bool]:
    if isinstance(value, Members):
        if [key for key, _ in value] != ["equals-ignore-case"]:
            raise RefusedError("only equals-ignore-case is possible here")
        return _text(value[0][1]), True
    return _text(value), False


def _equals_ignore_case(value: Any) -> Test:
    text = _text(value)
    return lambda leaf: isinstance(leaf, str) and len(leaf) in ends_of_fold(text, leaf)


def ends_of_fold(pattern: str, text: str, start: int = 0) -> set[int]:
    """Where ``pattern`` may end in ``text``, if each of its characters may be in lower case or in upper case.

    Each character is converted on its own, and may become several, as ß does.
    """
    ends = {start}
    for character in pattern:
        forms = {character.lower(), character.upper()}
        ends = {end + len(form) for end in ends for form in forms if text.startswith(form, end)}
    return ends


def _wildcard(value: Any) -> Test:
    pieces = _pieces(_text(value))
    return lambda leaf: isinstance(leaf, str) and glob(pieces, leaf)


def _pieces(text: str) -> list[str]:
    """The texts between the wildcards."""
    pieces, at = [""], 0
    while at < len(text):
        if text[at] == "*":
            if text[at + 1 : at + 2] == "*":
                raise RefusedError("two wildcards side by side")
            pieces.append("")
        elif text[at] == "\\":
            at += 1
            if text[at : at + 1] not in ("*", "\\"):
                raise RefusedError("only \\* and \\\\ are escapes")
            pieces[-1] += text[at]
        else:
            pieces[-1] += text[at]
        at += 1
    return pieces


def glob(pieces: list[str], text: str) -> bool:
    """Whether a text is made of the pieces with anything between them."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _numeric(value: Any) -> Test:
    match value:
        case [str("=" | "<" | "<=" | ">" | ">=" as operator), Number() as bound]:
            limit = _comparable(bound)
            return lambda leaf: _compares(leaf, operator, limit)
        case [str(">" | ">=" as low), Number() as bottom, str("<" | "<=" as high), Number() as top]:
            least, most = _comparable(bottom), _comparable(top)
            if least >= most:
                raise RefusedError("an empty range")
            return lambda leaf: _compares(leaf, low, least) and _compares(leaf, high, most)
    raise RefusedError("no numeric expression")


def _comparable(number: Number) -> Decimal:
    found = comparable(number)
    if found is None:
        raise RefusedError("no double is this number")
    return found


def comparable(leaf: Leaf) -> Decimal | None:
    """The value of a number if it survives a round trip through a double; others are compared as text only."""
    if not isinstance(leaf, Number):
        return None
    nearest = float(leaf.text)
    if nearest in (float("inf"), float("-inf")):
        return None
    try:
        value = leaf.value
    except InvalidOperation:  # the exponent is too large
        return None
    return value if Decimal(repr(nearest)) == value else None


def equal(one: Number, other: Number) -> bool:
    value = comparable(one)
    return value is not None and value == comparable(other)


def _compares(leaf: Leaf, operator: str, limit: Decimal) -> bool:
    value = comparable(leaf)
    if value is None:
        return False
    return {"=": value == limit, "<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[
        operator
    ]


def _cidr(value: Any) -> Test:
    found = re.fullmatch(r"([^/]*)/\+?([0-9]+)/*", _text(value))
    digits = ip_digits(found[1]) if found else None
    if found is None or digits is None:
        raise RefusedError("no block of addresses")
    bits = 4 * len(digits)
    hosts = bits - int(found[2])
    # A block of a single address is refused.
    if hosts < 1:
        raise RefusedError("the mask has too many bits")
    bottom, top = (int(digits, 16) >> hosts) << hosts, int(digits, 16) | ((1 << hosts) - 1)
    return lambda leaf: in_range(ip_digits(leaf), f"{bottom:0{len(digits)}X}", f"{top:0{len(digits)}X}")


def ip_digits(leaf: Leaf) -> str | None:
    """A string that is an address, as 8 or 32 hexadecimal digits."""
    if not isinstance(leaf, str):
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", leaf):
        octets = [int(octet) for octet in leaf.split(".")] if len(leaf) <= len("255.255.255.255") else [256]
        return "".join(f"{octet:02X}" for octet in octets) if max(octets) < 256 else None
    if re.fullmatch(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", leaf):
        try:
            # Zeros before a group do not count, however many.
            address = ipaddress.IPv6Address(re.sub(r"\b0+(?=[0-9a-fA-F])", "", leaf))
        except ValueError:
            return None
        return f"{int(address.ipv4_mapped):08X}" if address.ipv4_mapped else f"{int(address):032X}"
    return None


def in_range(digits: str | None, bottom: str, top: str) -> bool:
    """Whether digits lie between two others, which have equal lengths.

    No digit after the first one that decides is compared, so a block of IPv4 may contain addresses of IPv6, and the
    other way round.
    """
    if digits is None:
        return False
    if digits.startswith((bottom, top)):
        return True
    # Cut to the same length, they compare as strings; if a shorter one is equal so far, it is not in the range.
    size = min(len(digits), len(bottom))
    return bottom[:size] < digits[:size] < top[:size]


def _exists(value: Any) -> Test:
    if value is True:
        return lambda _leaf: True
    if value is False:
        return _absent
    raise RefusedError("exists is true or false")


def _anything_but(value: Any) -> Test:
    if isinstance(value, Members):
        if len(value) != 1 or value[0][0] not in EXCLUSIONS:
            raise RefusedError("anything-but is not possible with this")
        operator, value = value[0]
        values = value if isinstance(value, list) else [value]
        if operator in ("prefix", "suffix") and "" in values:
            raise RefusedError("all strings begin and end with nothing")
        tests = [EXCLUSIONS[operator](_text(item)) for item in values]
    else:
        values = value if isinstance(value, list) else [value]
        if not (all(isinstance(item, str) for item in values) or all(isinstance(item, Number) for item in values)):
            raise RefusedError("anything-but needs strings or numbers")
        tests = [_exactly(item) if isinstance(item, str) else _numeric(["=", item]) for item in values]
    if not tests:
        raise RefusedError("anything-but of nothing")
    return lambda leaf: not any(test(leaf) for test in tests)


OPERATORS: dict[str, Callable[[Any], Test]] = {
    "exactly": _exactly,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "anything-but": _anything_but,
}
EXCLUSIONS = {name: OPERATORS[name] for name in ("prefix", "suffix", "equals-ignore-case", "wildcard")}


# -- events


def _leaves(
    value: Any, path: tuple[str, ...], elements: Elements, arrays: Iterator[int]
) -> Iterator[tuple[str, Leaf, Elements]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name), elements, arrays)
    elif isinstance(value, list):
        array = next(arrays)
        for place, item in enumerate(value):
            inside = elements | {(array, place)} if isinstance(item, (dict, list)) else elements
            yield from _leaves(item, path, inside, arrays)
    else:
        yield ".".join(path), whole(value) if isinstance(value, str) else value, elements


def _passes(branch: Branch, leaves: dict[str, list[tuple[Leaf, Elements]]]) -> bool:
    # All choices of array elements that are still possible after the names so far.
    choices: set[Elements] = {frozenset()}
    for name in sorted(branch, key=lambda name: name.encode("utf-16-be")):
        found = leaves.get(name, [])
        passing = {elements for leaf, elements in found if any(test(leaf) for test in branch[name])}
        after = {so_far | elements for so_far in choices for elements in passing if _agree(so_far, elements)}
        if _absent in branch[name]:
            after |= {so_far for so_far in choices if not any(_agree(so_far, elements) for _, elements in found)}
        choices = after
    return bool(choices)


def _agree(one: Elements, other: Elements) -> bool:
    """Whether no array occurs with two different elements."""
    return len({array for array, _ in one | other}) == len(one | other)


def is_record(event: dict[str, Any]) -> bool:
    signs = {
        "eventVersion",
        "eventTime",
        "eventName",
        "eventSource",
        "eventID",
        "eventType",
        "eventCategory",
        "userIdentity",
    }
    return not signs.isdisjoint(event) and "detail-type" not in event


def without_context(event: dict[str, Any]) -> dict[str, Any]:
    """An event of CloudTrail without the members that only event data stores add; any other event as it is."""
    detail = event.get("detail")
    if "detail-type" not in event or not isinstance(detail, dict) or not is_record(detail):
        return event
    return event | {"detail": {name: value for name, value in detail.items() if name != "eventContext"}}


def wrapped(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The event that a record arrives in; two for a sign-in, whose type is documented in two spellings."""
    event: dict[str, Any] = {
        "version": "0",
        "resources": [],
        "detail": {name: value for name, value in record.items() if name != "eventContext"},
    }
    for name, field in (
        ("id", "eventID"),
        ("account", "recipientAccountId"),
        ("time", "eventTime"),
        ("region", "awsRegion"),
    ):
        if record.get(field) is not None:
            event[name] = record[field]
    kind = record.get("eventType")
    if isinstance(source := record.get("eventSource"), str):
        event["source"] = "aws." + source.removesuffix(".amazonaws.com")
    elif kind == "AwsCloudTrailInsight" or record.get("insightDetails") is not None:
        # Insights events have no eventSource of their own.
        event["source"] = "aws.cloudtrail"
    # Early records call a sign-in an API call.
    if kind == "AwsConsoleSignIn" or (
        source == "signin.amazonaws.com" and (kind == "AwsApiCall" or not isinstance(kind, str))
    ):
        return [event | {"detail-type": kind} for kind in SIGN_INS]
    # Older events have no eventType.
    detail_type = DETAIL_TYPES.get(kind) if isinstance(kind, str) else "AWS API Call via CloudTrail"
    return [event | ({"detail-type": detail_type} if detail_type else {})]


DETAIL_TYPES = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsConsoleAction": "AWS Console Action via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
    "AwsCloudTrailInsight": "AWS Insight via CloudTrail",
    "AwsVpceEvent": "AWS Network Activity Event via CloudTrail",
    "AwsVpceEvents": "AWS Network Activity Event via CloudTrail",
}
