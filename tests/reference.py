"""What the bytes of one CloudTrail file mean: a slow reader in plain Python, to be read and to test against.

``read_bytes`` turns the bytes of a file into rows, one dict per record with every column of ``COLUMNS`` plus
``extra``, ``raw``, ``file`` and ``record``. It is written from the rules below, never from the fast reader,
and uses nothing but ``zlib`` and ``json``. It is the definition; where the fast reader differs, one of the
two has a bug.

Values
------
* JSON ``null`` is the same as a missing key: a null. ``{}`` for a struct is a struct of nulls.
* *text*: a JSON string gives its decoded value. A lone surrogate becomes U+FFFD, and the value is counted as
  coerced. Any other JSON type gives its own bytes, and is counted as coerced.
* *JSON text*: the bytes of the value, whatever its type.
* *flag*: ``true``, ``false``, or a string that says so in any ASCII case. *time*: ``2023-07-10T11:42:18Z``,
  also with one to six digits of a fraction and with an offset ``+hh:mm`` or ``-hh:mm``; it must exist in the
  calendar. *struct*: an object. *list*: an array. Whatever does not fit is null, goes to ``extra`` and is
  counted as coerced.
* An element of ``resources`` that is not an object is a null element and goes to ``extra`` as
  ``resources[i]``.
* Coerced values are counted by column: ``resources[].type``, but ``resources`` for an element.
* Keys are compared after decoding their escapes. ``arn`` in an element of ``resources`` means ``ARN``.
* When a known key comes twice in one object the last one holds; the earlier values go to ``extra`` and are
  counted.
* ``extra`` is the text of one JSON object, ``{"path":value,...}`` in the order of the record: unknown keys of
  known objects and everything that did not fit. Paths are made of the names of columns, and of unknown keys
  as they are written, joined by dots. Null if there is nothing.
* ``raw`` is the record from ``{`` to ``}``. ``record`` is its place in the file from 0; bad records have one,
  too.

Files
-----
* A file is JSON or gzip of JSON, the members of a gzip file one after another; only zeros may follow them. A byte order
  mark is ignored.
* It holds documents one after another, each one of: an object with ``Records`` (an array of records); an
  EventBridge envelope (the record is its ``detail``); the output of ``lookup-events``
  (``Events[].CloudTrailEvent``, a record in a string); CloudWatch Logs output (``events[].message`` or
  ``logEvents[].message``, a record in a string, lone surrogates as above); a record, told by one of the
  keys in ``_SIGNS``; an array of these. A document may follow a time stamp on its line. A digest file holds
  none of these and is skipped.
* A record that is not an object, or a string that holds none, is a bad record; the next one is read.
* Any other damage ends the file. The records before it are kept, and the file is bad.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from json_spans import Damage, Node, Scanner

TEXT, JSON_TEXT, FLAG, TIME = "text", "JSON text", "flag", "time"


def _texts(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), TEXT)


_USER_IDENTITY = _texts("type userName principalId arn accountId accessKeyId") | {
    "sessionContext": {
        "attributes": _texts("creationDate mfaAuthenticated"),
        "sessionIssuer": _texts("type userName principalId arn accountId"),
        "webIdFederationData": {"federatedProvider": TEXT, "attributes": JSON_TEXT},
        "sourceIdentity": TEXT,
        "ec2RoleDelivery": TEXT,
        "assumedRoot": FLAG,
        "ec2IssuedInVpc": TEXT,
    },
    "invokedBy": TEXT,
    "invokedByDelegate": _texts("accountId"),
    "identityProvider": TEXT,
    "onBehalfOf": _texts("userId identityStoreArn"),
    "inScopeOf": _texts("sourceArn sourceAccount issuerType credentialsIssuedTo"),
    "credentialId": TEXT,
}
_RESOURCE = _texts("ARN ARNPrefix accountId type")

# Column -> rule. A dict is a struct, a list of one dict is a list of structs.
COLUMNS: dict[str, Any] = {
    "eventVersion": TEXT,
    "userIdentity": _USER_IDENTITY,
    "eventTime": TIME,
    **_texts("eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage"),
    "requestParameters": JSON_TEXT,
    "responseElements": JSON_TEXT,
    "additionalEventData": JSON_TEXT,
    **_texts("requestID eventID eventType apiVersion"),
    "managementEvent": FLAG,
    "readOnly": FLAG,
    "resources": [_RESOURCE],
    "recipientAccountId": TEXT,
    "serviceEventDetails": JSON_TEXT,
    **_texts("sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory"),
    "addendum": JSON_TEXT,
    "sessionCredentialFromConsole": TEXT,
    "edgeDeviceDetails": JSON_TEXT,
    "tlsDetails": _texts("tlsVersion cipherSuite clientProvidedHostHeader keyExchange"),
    "eventContext": JSON_TEXT,
    "insightDetails": JSON_TEXT,
    "annotation": TEXT,
}
PROVENANCE = ("extra", "raw", "file", "record")


@dataclass
class Reading:
    """What came out of one file: its rows, the bad records, and the damage that ended it, if any."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    coerced: Counter[str] = field(default_factory=Counter)
    bad_records: list[tuple[int, Damage]] = field(default_factory=list)
    damage: Damage | None = None
    trailing: int = 0
    digest: bool = False


def read_bytes(data: bytes, *, file: str = "", depth: int = 1024) -> Reading:
    """Read the bytes of one file; ``file`` is only copied into the rows."""
    reading = Reading()
    text, trouble, reading.trailing = inflate(data)
    try:
        _check_start(text, trouble)
        valid = _valid_utf8(text)
        # A character that the end of a damaged gzip file cuts off is not invalid.
        if valid < len(text) - (3 if trouble else 0):
            trouble = Damage("invalid-utf8", valid)
        text = text[:valid]
        for index, found in enumerate(records(text, depth)):
            if isinstance(found, Damage):
                reading.bad_records.append((index, found))
            elif found is None:
                reading.digest = True
                return reading
            else:
                record = Record(*found)
                row = record.row()
                reading.rows.append(row | {"extra": record.extra_text(), "raw": record.raw(), "file": file, "record": index})
                reading.coerced += record.coerced
    except Damage as damage:
        # Text that was cut off is not to blame for its end.
        reading.damage = trouble if trouble is not None and damage.byte >= len(text) else damage
    else:
        reading.damage = trouble
    return reading


# Bytes -> text


def inflate(data: bytes) -> tuple[bytes, Damage | None, int]:
    """The text of a plain or gzip file as far as it goes, what ended it, and the number of zeros after it."""
    if not data.startswith(_GZIP):
        return data, None, 0
    text = b""
    while data.startswith(_GZIP):
        member, data, kind = _inflate_member(data)
        text += member
        if kind:
            return text, Damage(kind, len(text)), 0
    if any(data):
        return text, Damage("trailing-bytes", len(text)), 0
    return text, None, len(data)


_GZIP = b"\x1f\x8b"
_ZLIB_ERRORS = {"incorrect data check": "checksum", "incorrect length check": "length"}


def _inflate_member(data: bytes) -> tuple[bytes, bytes, str]:
    """The text of the first member, what follows it, and the kind of damage, if any."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        text = inflater.decompress(data)
    except zlib.error as error:
        kind = next((kind for said, kind in _ZLIB_ERRORS.items() if said in str(error)), "corrupt-gzip")
    else:
        return text, inflater.unused_data, "" if inflater.eof else "truncated-gzip"
    # Once more byte by byte, for the text before the error.
    inflater, parts = zlib.decompressobj(16 + zlib.MAX_WBITS), []
    try:
        for at in range(len(data)):
            parts += [inflater.decompress(data[at : at + 1])]
    except zlib.error:
        pass
    return b"".join(parts), b"", kind


def _check_start(text: bytes, trouble: Damage | None) -> None:
    start = text.removeprefix(BOM).strip(b" \t\r\n")
    if trouble is None and not start:
        raise Damage("empty", len(text))
    # A digit may start a time stamp.
    if start and start[:1] not in b"{[0123456789":
        raise Damage("unrecognized", text.index(start))


def _valid_utf8(text: bytes) -> int:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(text)


# Text -> records

BOM = b"\xef\xbb\xbf"
# The time stamp before a record on a line of CloudWatch Logs.
_LINE_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?[ \t]+")
# A number that a sign follows: it looked like a time stamp, and was none.
_NO_TIME_STAMP = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?=[+-])")
# The key of a list of records in strings -> the key of the string.
_RECORDS_IN_STRINGS = {"Events": "CloudTrailEvent", "events": "message", "logEvents": "message"}
# A record outside of a list of records has one of these keys.
_SIGNS = {"eventVersion", "eventTime", "eventName", "eventSource", "eventID", "eventType", "eventCategory", "userIdentity"}

Found = tuple[bytes, Node]


def records(text: bytes, depth: int) -> Iterator[Found | Damage | None]:
    """Each record in order: its text and node, or what makes it a bad one; None for a digest."""
    scanner = Scanner(text, len(BOM) if text.startswith(BOM) else 0, depth)
    while scanner.peek():
        if line := _LINE_TIME.match(text, scanner.at):
            scanner.at = line.end()
        if scanner.peek() == b"[":
            for _ in scanner.items():
                yield from _object_document(scanner) if scanner.peek() == b"{" else [_record(scanner)]
        elif scanner.peek() == b"{":
            yield from _object_document(scanner)
        else:
            start = scanner.at
            if not _NO_TIME_STAMP.match(text, start):
                scanner.value()
            raise Damage("not-cloudtrail", start)


def _object_document(scanner: Scanner) -> Iterator[Found | Damage | None]:  # noqa: C901, PLR0912 - one of six
    start, members, listed = scanner.at, {}, False
    for key in scanner.members():
        name = key.string(scanner.text)
        opening = scanner.peek()
        if name == "Records":
            if listed:
                raise Damage("records-twice", key.start)
            if opening != b"[":
                raise Damage("records-not-array", scanner.at)
            listed = True
            for _ in scanner.items():
                yield _record(scanner)
        elif name in _RECORDS_IN_STRINGS and opening == b"[" and not members.keys() & _SIGNS:
            listed = True
            for _ in scanner.items():
                yield _record_in_string(scanner, _RECORDS_IN_STRINGS[name])
        else:
            members[name] = scanner.value()
    if listed:
        return
    if "digestStartTime" in members and "digestEndTime" in members:
        yield None
    elif "detail-type" in members and "detail" in members and members["detail"].kind == "object":
        yield scanner.text, members["detail"]
    elif members.keys() & _SIGNS:
        whole = Scanner(scanner.text, start, scanner.depth)
        yield scanner.text, whole.value()
    else:
        raise Damage("not-cloudtrail", start)


def _record(scanner: Scanner) -> Found | Damage:
    found = _is_object(scanner.text, scanner.value())
    if isinstance(found, Damage) and scanner.at >= len(scanner.text):
        raise Damage("invalid-json", scanner.at)  # it may go on in what is cut off
    return found


def _is_object(text: bytes, node: Node) -> Found | Damage:
    return (text, node) if node.kind == "object" else Damage("record-not-object", node.start)


def _record_in_string(scanner: Scanner, key: str) -> Found | Damage:
    item = scanner.value()
    holder = item.member(scanner.text, key) if item.kind == "object" else None
    held = _clean(holder.string(scanner.text)) if holder is not None and holder.kind == "string" else ""
    inner = Scanner(held.encode(), 0, scanner.depth)
    if inner.peek() != b"{":
        return Damage("record-not-object", item.start)
    try:
        node = inner.value()
        inner.end()
    except Damage as damage:
        return Damage(damage.kind, item.start)
    return inner.text, node


# Nodes -> columns

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MISFIT = object()


class Record:
    """One record on its way to a row; gathers what goes to ``extra`` and what is coerced."""

    def __init__(self, text: bytes, node: Node) -> None:
        self.text, self.node = text, node
        self.extra: list[tuple[str, Node]] = []
        self.coerced: Counter[str] = Counter()

    def row(self) -> dict[str, Any]:
        return self.struct(COLUMNS, self.node, "", "")

    def raw(self) -> str:
        return self.bytes_of(self.node)

    def extra_text(self) -> str | None:
        members = ",".join(f'"{path}":{self.bytes_of(value)}' for path, value in self.extra)
        return f"{{{members}}}" if members else None

    def bytes_of(self, node: Node) -> str:
        return self.text[node.start : node.end].decode()

    def struct(self, fields: dict[str, Any], node: Node, written: str, column: str) -> dict[str, Any]:
        """A known object; ``written`` and ``column`` are its path in ``extra`` and among the columns."""
        names = [key.string(self.text) for key, _ in node.parts]
        if fields is _RESOURCE:
            names = ["ARN" if name == "arn" else name for name in names]
        last = {name: place for place, name in enumerate(names)}
        row = dict.fromkeys(fields)
        for place, (name, (key, value)) in enumerate(zip(names, node.parts, strict=True)):
            path = written + (name if name in fields else self.bytes_of(key)[1:-1])
            if name not in fields:
                self.extra.append((path, value))
            elif last[name] != place:
                self.misfit(value, path, column + name)
            else:
                row[name] = self.convert(fields[name], value, path, column + name)
        return row

    def misfit(self, node: Node, written: str, column: str) -> None:
        self.extra.append((written, node))
        self.coerced[column.removesuffix("[]")] += 1

    def convert(self, rule: Any, node: Node, written: str, column: str) -> Any:  # noqa: PLR0911 - by rule
        """One value by the rule of its column."""
        if node.kind == "null":
            return None
        if rule == JSON_TEXT:
            return self.bytes_of(node)
        if rule == TEXT:
            return self.text_value(node, column)
        if isinstance(rule, dict) and node.kind == "object":
            return self.struct(rule, node, written + ".", column + ".")
        if isinstance(rule, list) and node.kind == "array":
            return [self.convert(rule[0], item, f"{written}[{place}]", f"{column}[]") for place, item in enumerate(node.parts)]
        value = _flag(node, self.text) if rule == FLAG else _time(node, self.text) if rule == TIME else _MISFIT
        if value is _MISFIT:
            self.misfit(node, written, column)
            return None
        return value

    def text_value(self, node: Node, column: str) -> str:
        value = node.string(self.text) if node.kind == "string" else self.bytes_of(node)
        clean = _clean(value)
        if node.kind != "string" or clean != value:
            self.coerced[column] += 1
        return clean


def _clean(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _flag(node: Node, text: bytes) -> Any:
    said = node.string(text).lower() if node.kind == "string" else node.kind
    return {"true": True, "false": False}.get(said, _MISFIT)


def _time(node: Node, text: bytes) -> Any:
    """Microseconds since 1970 in UTC."""
    found = _TIME.fullmatch(node.string(text)) if node.kind == "string" else None
    if found is None:
        return _MISFIT
    *date, fraction, sign, hours, minutes = found.groups()
    if int(hours or 0) > 23 or int(minutes or 0) > 59:
        return _MISFIT
    try:
        moment = datetime(*map(int, date), tzinfo=UTC)  # type: ignore[arg-type]
    except ValueError:
        return _MISFIT
    east = (int(hours or 0) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
    micros = (moment - _EPOCH) // timedelta(microseconds=1)
    return micros + int((fraction or "").ljust(6, "0")) - east * 60_000_000
