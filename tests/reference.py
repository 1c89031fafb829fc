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
* *flag*: ``true``, ``false``, or a string with one of these words in any ASCII case. *time*: ``2023-07-10T11:42:18Z``,
  also with one to six digits of a fraction and with an offset ``+hh:mm`` or ``-hh:mm``; it must exist in the
  calendar. *struct*: an object. *list*: an array. Whatever does not fit is null, goes to ``extra`` and is
  counted as coerced.
* An element of ``resources`` that is not an object is a null element and goes to ``extra`` as
  ``resources[i]``.
* Coerced values are counted by column: ``resources[].type``, but ``resources`` for an element.
* Keys are compared after decoding their escapes. ``arn`` in an element of ``resources`` means ``ARN``.
* When a known key comes twice in one object the last one counts; the earlier values go to ``extra`` and are
  counted.
* ``extra`` is the text of one JSON object, ``{"path":value,...}`` in the order of the record: unknown keys of
  known objects and everything that did not fit. Paths are made of the names of columns, and of unknown keys
  as they are written, joined by dots. Null if there is nothing.
* ``raw`` is the record from ``{`` to ``}``. ``record`` is its place in the file from 0; bad records have one,
  too.

Files
-----
* A file is JSON or gzip of JSON, the members of a gzip file one after another; only zeros may follow them. What a gzip
  file holds may be gzip once more, and no third time. What then begins with a byte order mark of UTF-16 is decoded;
  that of UTF-8 is ignored.
* It holds documents one after another, or an array of them. A byte order mark before one is white space. A document may
  follow a time stamp on its line, or that and the name of a log stream; what else follows a time stamp is skipped with
  its line.
* A document with ``Records``, ``Events``, ``events``, ``logEvents``, ``Messages``, ``results`` (rows of fields, of
  which ``@message`` counts) or ``QueryResultRows`` (rows of columns, of which ``eventJson`` counts) lists others. Any
  other document is what ``_what`` says: a record, which has one of the keys in ``_SIGNS``; something that holds one,
  in a member, in a string, or in gzip in a string; columns of a query result, which are bad; or something else, which
  is skipped for a reason. Its position makes no difference: an element of a list, an array or a string in the place of
  a document is read by its text.
* A string that begins with ``{``, or ``[`` and ``{``, and is not JSON is a bad record; the next one is read.
* A torn line (its JSON, UTF-8 or depth breaks) is a bad record, and the next line is read: if the first document of the
  file had a line of its own, not counting the elements of its list; or if the first document breaks before its list,
  and the next line begins like a record or a time stamp (like a record, if the file does not begin as JSON). Lines
  that begin like the inside of a document (with a blank, a comma or a closing bracket) belong to the line before them.
* A document that goes on after its end, with a comma, a colon or a closing bracket, is broken; directly after a torn
  line the next line counts as well. A list on a line, or in another document, is scanned as a whole before any part of
  it is read: then a document with a list is a record if it has the keys of one.
* Another list beside a list in a document, or a key that makes a record, is bad, and named once.
* Any other damage ends the file. The records before it are kept, and the file is bad. A file is skipped if everything
  in it is.
"""

from __future__ import annotations

import base64
import binascii
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
    """The result of reading one file: its rows, the bad records, and the damage that ended it, if any."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    coerced: Counter[str] = field(default_factory=Counter)
    bad_records: list[tuple[int, Damage]] = field(default_factory=list)
    others: list[tuple[int, Skipped]] = field(default_factory=list)
    damage: Damage | None = None
    trailing: int = 0

    @property
    def skipped(self) -> bool:
        """Whether the file as a whole is skipped."""
        return bool(self.others) and not (self.rows or self.bad_records or self.damage or self.trailing)


@dataclass(frozen=True)
class Skipped:
    """The position of something that is not a record, and the reason."""

    reason: str
    byte: int


def read_bytes(data: bytes, *, file: str = "", depth: int = 1024) -> Reading:
    """Read the bytes of one file; ``file`` is only copied into the rows."""
    reading = Reading()
    text, trouble, reading.trailing = unwrap(data)
    # A character that the end of a damaged gzip file cuts off is not invalid.
    if trouble and _valid_utf8(text) >= len(text) - 3:
        text = text[: _valid_utf8(text)]
    try:
        for index, found in enumerate(records(text, depth, is_whole=trouble is None)):
            if isinstance(found, Damage):
                reading.bad_records.append((index, found))
            elif isinstance(found, Skipped):
                reading.others.append((index, found))
            else:
                record = Record(*found)
                row = record.row()
                reading.rows.append(
                    row | {"extra": record.extra_text(), "raw": record.raw(), "file": file, "record": index}
                )
                reading.coerced += record.coerced
    except Damage as damage:
        # Where the text was cut off, its end is not damage of its own.
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


def unwrap(data: bytes) -> tuple[bytes, Damage | None, int]:
    """The text of a file, as from :func:`inflate`, with a second layer of gzip and UTF-16 decoded as well."""
    text, trouble, trailing = inflate(data)
    if data.startswith(_GZIP) and text.startswith(_GZIP):
        text, inner, more = inflate(text)
        if text.startswith(_GZIP):
            return b"", Damage("nested-gzip", 0), 0
        # If both are cut off, the inner file is cut off because the outer one is.
        trouble = trouble if inner is None or (trouble and inner.kind == "truncated-gzip") else inner
        trailing = more or trailing
    codec = _UTF_16.get(text[:2])
    if codec is None:
        return text, trouble, trailing
    units = text[2:]
    try:
        return units.decode(codec).encode(), trouble, trailing
    except UnicodeDecodeError as error:
        before = units[: error.start].decode(codec).encode()
        return before, trouble or Damage("invalid-utf16", len(before)), 0


_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
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


def _valid_utf8(text: bytes) -> int:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(text)


# Text -> records

BOM = b"\xef\xbb\xbf"
# White space before documents: files that begin with a byte order mark may have been put together.
_BLANK = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*")
# The time stamp before a record on a line of CloudWatch Logs, the name of the stream after it, which may be any text,
# and what may be an object.
_LINE_TIME = re.compile(rb"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?(?=[ \t\r\n])")
_OBJECT = re.compile(rb'\{[ \t\r\n]*["}]|\{[ \t\r\n]*\Z')
_NAMED_OBJECT = re.compile(rb"(?<=[ \t\r])(?:%s)" % _OBJECT.pattern)
_LONELY_NAME = re.compile(rb"[ \t\r]*[^ \t\r\n]+[ \t\r]*\n[ \t\r\n]*(?=\{)")
_STREAM = 512
# The keys of lists of documents.
_LISTS = {"Records", "Events", "events", "logEvents", "Messages", "results", "QueryResultRows"}
# A record has one of these keys.
_SIGNS = {
    "eventVersion",
    "eventTime",
    "eventName",
    "eventSource",
    "eventID",
    "eventType",
    "eventCategory",
    "userIdentity",
}
# Athena's names of some of them.
_COLUMNS = {"eventversion", "eventtime", "eventname", "eventsource", "eventid", "useridentity"}
# Keys whose value holds a record, as text or as an object.
_HOLDERS = {"CloudTrailEvent", "message", "@message", "Body", "Message", "Sns"}
# The deepest nesting of documents within documents.
_LEVELS = 6

Found = tuple[bytes, Node]
Outcome = Found | Damage | Skipped


def records(text: bytes, depth: int, *, is_whole: bool = True) -> Iterator[Outcome]:
    """The outcome of each document in order: text and node of a record, its damage, or why it is skipped."""
    return _Lines(text, depth, is_whole=is_whole).outcomes()


class _Lines:
    """Walks through a whole file, in which a torn line may cost no more than itself."""

    # Kinds of damage that may be limited to a line.
    TORN = ("invalid-json", "invalid-utf8", "too-deep", "unrecognized")
    # Beginnings of lines that are inside of a document, and cannot begin one.
    WITHIN = re.compile(rb"(?:\n|[ \t\r}\],][^\n]*(?:\n|\Z))*")

    def __init__(self, text: bytes, depth: int, *, is_whole: bool) -> None:
        self.text, self.depth, self.is_whole = text, depth, is_whole

    def outcomes(self) -> Iterator[Outcome]:
        walk = _Walk(Scanner(b"", 0, self.depth), 0, inflated=False)
        at: int | None = 0
        while at is not None:
            valid = at + _valid_utf8(self.text[at:])
            walk.scanner = Scanner(self.text[:valid], at, self.depth)
            try:
                self.check_start(walk, at)
                for found in walk.documents():
                    walk.count += 1
                    yield found
                if valid < len(self.text):
                    walk.mark, walk.alone = walk.scanner.at, True
                    raise Damage("invalid-utf8", valid)  # noqa: TRY301 - one way out for all of them
            except Damage as damage:
                if valid < len(self.text) and damage.byte >= valid and damage.kind != "unrecognized":
                    damage = Damage("invalid-utf8", valid)
                at = self.torn(walk, damage)
                if at is None:
                    raise damage from None
                walk.count += 1
                yield damage
            else:
                at = None

    def check_start(self, walk: _Walk, at: int) -> None:
        if at:
            return
        start = _BLANK.sub(b"", self.text, count=1)
        if self.is_whole and not start:
            raise Damage("empty", len(self.text))
        # A digit may start a time stamp.
        if start and start[:1] not in b'{["0123456789' and not start.startswith((b"null", b"true", b"false")):
            walk.mark, walk.alone = len(self.text) - len(start), True
            raise Damage("unrecognized", walk.mark)

    def torn(self, walk: _Walk, damage: Damage) -> int | None:
        """Where the next line begins, if the damage is limited to its own line; else None."""
        first = walk.alone and walk.lines is None
        if damage.kind not in self.TORN or not (first or walk.lines):
            return None
        # If something is missing just before a valid line, the line before it is the damaged one.
        here = self.text[: walk.mark].endswith((b"\n", BOM)) and walk.mark < len(self.text)
        if here and (walk.is_after or (not walk.alone and damage.byte == walk.mark)):
            start = walk.mark
        else:
            start = self.text.find(b"\n", walk.mark) + 1
            if not start:
                return None
        found = self.WITHIN.match(self.text, start)
        start = found.end() if found else start
        if first and not re.match(rb"\{" if damage.kind == "unrecognized" else rb"[{1-9]", self.text[start:]):
            return None
        walk.lines = walk.is_after_torn = True
        return start


class _Walk:
    """Walks through the documents of a text."""

    def __init__(self, scanner: Scanner, level: int, *, inflated: bool) -> None:
        self.scanner, self.level, self.inflated = scanner, level, inflated
        # `lines`: whether each document has a line of its own. `mark`: where the unread part begins. `alone`: whether
        # that is before the list of a document, outside of arrays. `is_after_torn`: whether that document comes
        # directly after a torn line.
        self.lines: bool | None = None
        self.mark, self.alone, self.in_array, self.is_after_torn = 0, True, False, False
        # Documents so far.
        self.count = 0
        # Whether the mark is after an element or a member, so that damage there does not belong to what follows.
        self.is_after = False

    def documents(self) -> Iterator[Outcome]:
        while self.blank() < len(self.scanner.text):
            self.mark, self.alone, self.in_array, self.is_after = self.scanner.at, True, False, False
            yield from self.document_or_array()
            self.is_after_torn = False

    def blank(self) -> int:
        """Skip white space before a document; return where the document begins."""
        self.scanner.at = _BLANK.match(self.scanner.text, self.scanner.at).end()  # type: ignore[union-attr] - it may be empty
        return self.scanner.at

    def ends(self, scanner: Scanner) -> None:
        """Refuse a document that continues after its end: it is the rest of one that lost its beginning."""
        blanks = rb"[ \t\r\n]*" if self.is_after_torn else rb"[ \t\r]*"
        found = re.compile(blanks + rb"(?=[,}\]:])").match(scanner.text, scanner.at)
        if found and not (self.level or self.in_array):
            raise Damage("invalid-json", found.end())

    def look_through(self, start: int) -> Node | None:
        """The whole node that begins here, if it can be scanned before any part of its list is read; else None."""
        text, is_line = self.scanner.text, not (self.level or self.in_array)
        most = 1 << 14 if is_line and not self.lines else 1 << 20
        end = len(text)
        if is_line:
            feed = text.find(b"\n", start, start + most)
            if feed < 0 and end - start > most:
                return None
            end = feed if feed >= 0 else end
            rest = text[end:]
            is_all = not rest.strip(b" \t\n\x0c\r") and text.startswith(b'{"Records":[', start)
            if (is_all and not self.count) or re.match(rb"\n[ \t]", rest):
                return None
        ahead = Scanner(text, start, self.scanner.depth)
        try:
            node = ahead.value()
        except Damage:
            return None
        if ahead.at > end or ahead.at - start > 1 << 20:
            return None
        self.ends(ahead)
        return node

    def document_or_array(self) -> Iterator[Outcome]:
        if self.scanner.peek() != b"[":
            yield from self.document()
            return
        self.look_through(self.scanner.at)
        self.alone, self.in_array = False, True
        for _ in self.scanner.items():
            self.passed()
            if self.scanner.peek() == b"{":
                yield from self.document()
            else:
                yield from self.inside(self.whole())
            self.passed(after=True)

    def passed(self, *, after: bool = False) -> None:
        self.scanner.peek()
        self.mark, self.is_after = self.scanner.at, after

    def whole(self) -> Node:
        """An element; one that reaches the end of the text is damaged, since its rest may be cut off."""
        node = self.scanner.value()
        if self.scanner.at >= len(self.scanner.text):
            raise Damage("invalid-json", self.scanner.at)
        return node

    def document(self) -> Iterator[Outcome]:  # noqa: C901, PLR0912 - by rule
        scanner, text = self.scanner, self.scanner.text
        line = scanner.at
        if (stamp := _LINE_TIME.match(text, line)) and self.level == 0:
            begun = self.after(stamp.end())
            if begun is None:
                feed = text.find(b"\n", scanner.at)
                scanner.at = len(text) if feed < 0 else feed
                self.lines = True if self.lines is None else self.lines
                yield Skipped("not-cloudtrail", line)
                return
            scanner.at = begun
        if scanner.peek() != b"{":
            yield from self.scalar()
            return
        start, parts, listed, empty, beside, elements = scanner.at, [], False, False, False, []
        looked, whole = False, None
        for key in scanner.members():
            name, opening, at = key.string(text), scanner.peek(), scanner.at
            if listed:
                self.whole()
                self.passed(after=True)
                if not beside and (
                    name in _SIGNS
                    or (name in _LISTS and opening == b"[" and not re.match(rb"\[[ \t\r\n]*\]", text[at:]))
                ):
                    beside = True
                    yield Damage("beside-list", key.start)
            elif opening == b"[" and name in _LISTS and (name == "Records" or _may_list(text, parts)):
                if name != "Records" and re.match(rb"\[[ \t\r\n]*\]", text[scanner.at :]):
                    # If the list is empty, the other members decide what the document is.
                    empty = True
                    parts.append((key, scanner.value()))
                    continue
                whole = whole if looked else self.look_through(start)
                looked = True
                if whole is not None and {key.string(text) for key, _ in whole.parts} & _SIGNS:
                    # For a record, a list is a member like any other.
                    parts.append((key, scanner.value()))
                    continue
                listed = True
                self.alone = False
                signs = [key for key, _ in parts if key.string(text) in _SIGNS]
                if signs:
                    beside = True
                    yield Damage("beside-list", signs[-1].start)
                yield from self.elements(name, elements, control=_is_control(text, whole.parts if whole else parts))
            else:
                parts.append((key, scanner.value()))
        if not listed:
            self.ends(scanner)
        if self.lines is None:
            feeds = text.count(b"\n", line, scanner.at) - sum(text.count(b"\n", *element) for element in elements)
            self.lines = not (self.in_array or feeds)
        if listed:
            return
        found = list(self.outcome(Node("object", start, scanner.at, parts)))
        if not (empty and found == [Skipped("not-cloudtrail", start)]):
            yield from found

    def after(self, stamp: int) -> int | None:
        """Where the document after a time stamp begins; None if plain text follows, which ends at the next line."""
        text = self.scanner.text
        first = re.compile(rb"[ \t\r\n]*").match(text, stamp).end()  # type: ignore[union-attr] - it may be empty
        end = text.find(b"\n", stamp) % (len(text) + 1)
        candidates = [first, *(named.start() for named in _NAMED_OBJECT.finditer(text, first, max(end, first)))]
        if lonely := _LONELY_NAME.match(text, stamp):
            candidates.append(lonely.end())
        for start in candidates:
            if start - first > _STREAM and start < end:
                break
            is_object = _OBJECT.match(text, start) is not None
            if not is_object and text[start : start + 1] not in (b"[", b'"'):
                continue
            ahead = Scanner(text, start, self.scanner.depth)
            try:
                node = ahead.value()
            except Damage:
                # Text that begins like a record is treated as one, and is damaged.
                if is_object or re.match(rb'["\[][ \t\r\n]*\{', text[start:]):
                    return start
                continue
            after = re.compile(rb"[ \t\r]*").match(text, node.end).end()  # type: ignore[union-attr] - it may be empty
            next_byte = text[after : after + 1]
            by_itself = is_object and start in (first, lonely and lonely.end())
            if next_byte in (b"", b"\n") or (
                by_itself and (next_byte in b'{["' or _what(text, node) == ("record", node))
            ):
                return start
            if is_object:
                self.scanner.at = node.end
                return None
        self.scanner.at = stamp
        return None

    def scalar(self) -> Iterator[Outcome]:
        start, opening = self.scanner.at, self.scanner.peek()
        # Scanned by its own expression: what follows it is checked below.
        if opening in b"-0123456789" and (number := _NUMBER.match(self.scanner.text, start)):
            node = Node("number", start, number.end())
            self.scanner.at = number.end()
        else:
            node = self.scanner.value()
        if self.scanner.text[node.end : node.end + 1] not in [b"", *map(bytes, zip(b' \t\n\r{["'))]:
            raise Damage("invalid-json", node.end)
        self.ends(self.scanner)
        yield from self.inside(node)

    def elements(self, name: str, spans: list[tuple[int, int]], *, control: bool) -> Iterator[Outcome]:
        text = self.scanner.text
        for _ in self.scanner.items():
            self.passed()
            # A record may end the text: if something is missing after it, the record is still whole.
            node = self.scanner.value() if name == "Records" and self.scanner.peek() == b"{" else self.whole()
            spans.append((node.start, node.end))
            if control and name in ("events", "logEvents"):
                yield Skipped("control-message", node.start)
            elif name == "results" and node.kind == "array":
                message = _message(text, node)
                yield from self.inside(message) if message else [Skipped("not-cloudtrail", node.start)]
            elif name == "QueryResultRows":
                cells = [_string_member(text, cell, "eventJson") for cell in node.parts if cell.kind == "object"]
                held = [cell for cell in cells if cell] if node.kind == "array" else []
                yield from self.inside(held[-1]) if held else [Damage("query-result", node.start)]
            else:
                yield from self.inside(node)
            self.passed(after=True)
        self.passed(after=True)

    def inside(self, node: Node) -> Iterator[Outcome]:
        """The outcomes of a value in the place of a document."""
        text = self.scanner.text
        if node.kind == "object" and _what(text, node) == ("record", node):
            yield text, node
        elif node.kind in ("object", "array"):
            if self.level == _LEVELS:
                yield Damage("embedded", node.start)
                return
            scanner = Scanner(text[: node.end], node.start, self.scanner.depth)
            walk = _Walk(scanner, self.level + 1, inflated=self.inflated)
            try:
                yield from walk.documents()
            except Damage as damage:
                yield Damage(damage.kind, node.start)
        elif node.kind == "string":
            yield from self.held(_clean(node.string(text)).encode(), node)
        else:
            yield Skipped("not-cloudtrail", node.start)

    def held(self, held: bytes, node: Node, *, inflated: bool = False) -> Iterator[Outcome]:
        """The outcomes of a text that was in a string."""
        scanner = Scanner(held, 0, self.scanner.depth)
        start = scanner.at = _BLANK.match(held).end()  # type: ignore[union-attr] - it may be empty
        try:
            while True:
                if scanner.peek() not in (b"{", b"["):
                    raise Damage("invalid-json", scanner.at)  # noqa: TRY301 - one way out for all of them
                scanner.value()
                scanner.at = _BLANK.match(held, scanner.at).end()  # type: ignore[union-attr] - it may be empty
                if scanner.at == len(held):
                    break
        except Damage as damage:
            control = held[start:].startswith(b"CWL CONTROL MESSAGE")
            reason = "control-message" if control else "not-cloudtrail"
            broken = re.match(rb"\{|\[[ \t\r\n]*\{", held[start:])
            yield Damage(damage.kind, node.start) if broken else Skipped(reason, node.start)
            return
        if self.level == _LEVELS:
            yield Damage("embedded", node.start)
            return
        walk = _Walk(Scanner(held, 0, self.scanner.depth), self.level + 1, inflated=inflated or self.inflated)
        try:
            for found in walk.documents():
                yield found if isinstance(found, tuple) else _placed(found, node.start)
        except Damage as damage:
            yield Damage(damage.kind, node.start)

    def zipped(self, node: Node) -> Iterator[Outcome]:
        """The outcomes of a text that is gzipped and base64-encoded in a string."""
        try:
            if self.inflated:
                raise Damage("embedded", 0)  # noqa: TRY301 - as above
            try:
                text, damage, _ = inflate(base64.b64decode(node.string(self.scanner.text), validate=True))
            except binascii.Error:
                raise Damage("not-base64", 0) from None
            if damage is not None or _valid_utf8(text) < len(text):
                raise damage or Damage("invalid-utf8", 0)
        except Damage as damage:
            yield Damage(damage.kind, node.start)
        else:
            yield from self.held(text, node, inflated=True)

    def outcome(self, node: Node) -> Iterator[Outcome]:
        text = self.scanner.text
        what, inner = _what(text, node)
        if inner is None:
            yield Skipped(what, node.start)
        elif what == "record":
            yield text, inner
        elif what == "event":
            yield from self.inside(inner)
        elif what == "columns":
            yield Damage("query-result", node.start)
        elif what == "zipped":
            yield from self.zipped(inner)
        else:
            yield from self.inside(inner)


_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _placed(found: Damage | Skipped, byte: int) -> Damage | Skipped:
    return Damage(found.kind, byte) if isinstance(found, Damage) else Skipped(found.reason, byte)


def _may_list(text: bytes, parts: list[Any]) -> bool:
    return not {key.string(text) for key, _ in parts} & {*_SIGNS, "detail-type"}


def _is_control(text: bytes, parts: list[Any]) -> bool:
    return _says(text, Node("object", 0, 0, parts).member(text, "messageType"), "CONTROL_MESSAGE")


def _says(text: bytes, node: Node | None, words: str) -> bool:
    return node is not None and node.kind == "string" and node.string(text) == words


def _message(text: bytes, row: Node) -> Node | None:
    """The last ``@message`` of a row of Logs Insights."""
    found = None
    for cell in row.parts:
        if cell.kind == "object" and _says(text, _string_member(text, cell, "field"), "@message"):
            found = _string_member(text, cell, "value")
    return found


def _string_member(text: bytes, node: Node, name: str) -> Node | None:
    strings = [value for key, value in node.parts if key.string(text) == name and value.kind == "string"]
    return strings[-1] if strings else None


def _what(text: bytes, node: Node) -> tuple[str, Node | None]:  # noqa: C901, PLR0911, PLR0912 - by rule
    """The kind of an object and the node that holds its content; or the reason why it is skipped, and None."""
    members = {key.string(text): value for key, value in node.parts}
    if (row := _in_row(text, members)) is not None:
        held = _clean(row.string(text)).encode() if row.kind == "string" else text[row.start : row.end]
        if _tells_of(text, members, held):
            return "holds", row
    if members.keys() & _SIGNS:
        if not _notifies(text, members):
            return "record", node
        body = members.get("body")
        return ("holds", body) if body is not None and body.kind == "string" else ("notification", None)
    if "digestStartTime" in members and "digestEndTime" in members:
        return "digest", None
    detail, kind = members.get("detail"), members.get("detail-type")
    if detail is not None and detail.kind == "object" and kind is not None:
        words = _clean(kind.string(text)) if kind.kind == "string" else ""
        if words.endswith(" via CloudTrail"):
            return "event", detail
        return "notification" if words.startswith("Object ") else "not-cloudtrail", None
    if _says(text, members.get("messageType"), "CONTROL_MESSAGE"):
        return "control-message", None
    if _says(text, members.get("Event"), "s3:TestEvent") or {"s3Bucket", "s3ObjectKey"} <= members.keys():
        return "notification", None
    logs = [value for key, value in node.parts if key.string(text) == "awslogs" and value.kind == "object"]
    if logs and (data := _string_member(text, logs[-1], "data")):
        return "zipped", data
    holders = [value for key, value in node.parts if key.string(text) in _HOLDERS]
    objects = [holder for holder in holders if _may_hold_object(text, holder)]
    if objects or (holders and holders[-1].kind in ("string", "object")):
        return "holds", (objects or holders)[-1]
    for name in ("raw", "eventJson"):
        if _is_text_of_object(text, members.get(name)):
            return "holds", members[name]
    return ("columns", node) if _is_of_columns(members) else ("not-cloudtrail", None)


def _in_row(text: bytes, members: dict[str, Node]) -> Node | None:
    """The node with the text of the record, if an object looks like a row of ctfast or of CloudTrail Lake."""
    raw, its_json, file, record = (members.get(name) for name in ("raw", "eventJson", "file", "record"))
    is_own = (
        file is not None
        and file.kind == "string"
        and record is not None
        and text[record.start : record.start + 1].isdigit()
    )
    if is_own and _is_text_of_object(text, raw):
        return raw
    are_texts = all(value.kind in ("string", "null") for value in members.values())
    if are_texts and _is_text_of_object(text, its_json):
        return its_json
    message = members.get("@message")
    return message if message is not None and _may_hold_object(text, message) else None


def _may_hold_object(text: bytes, node: Node) -> bool:
    return node.kind == "object" or _is_text_of_object(text, node)


def _is_text_of_object(text: bytes, node: Node | None) -> bool:
    return node is not None and text.startswith(b'"{', node.start)


def _tells_of(text: bytes, members: dict[str, Node], held: bytes) -> bool:
    """Whether a text is one record, of the same event as these columns."""
    scanner = Scanner(held, 0, 1024)
    try:
        whole = scanner.value()
        scanner.end()
    except Damage:
        return False
    inner = {key.string(held): value for key, value in whole.parts}
    pairs = [(members.get(name), inner.get(name)) for name in ("eventName", "eventSource", "eventID")]
    agree = all(
        here is None
        or there is None
        or {here.kind, there.kind} != {"string"}
        or _clean(here.string(text)) == _clean(there.string(held))
        for here, there in pairs
    )
    return agree and bool(inner.keys() & _SIGNS) and not _notifies(held, inner)


def _notifies(text: bytes, members: dict[str, Node]) -> bool:
    source = members.get("eventSource")
    return source is not None and source.kind == "string" and source.string(text).startswith("aws:")


def _is_of_columns(members: dict[str, Node]) -> bool:
    results = members.get("ResultSet")
    return bool(members.keys() & _COLUMNS) or (results is not None and results.kind == "object")


# Nodes -> columns

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MISFIT = object()


class Record:
    """Converts one record to a row; collects what goes to ``extra`` and what is coerced."""

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
            return [
                self.convert(rule[0], item, f"{written}[{place}]", f"{column}[]")
                for place, item in enumerate(node.parts)
            ]
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
