"""Random CloudTrail files for hypothesis: the *texts* of records and of the documents around them.

Values would not be enough. Key order, white space, escapes, duplicate keys and the spelling of numbers are lost when
a value is dumped as JSON, and these are what breaks readers.
"""

from __future__ import annotations

import codecs
import gzip
import json
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import reference

# Set CTFAST_EXAMPLES for a long run.
EXAMPLES = int(os.environ.get("CTFAST_EXAMPLES", "100"))
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)

SPACES = st.sampled_from(["", "", "", "", " ", "\n", "\r\n", "\t", "  \n\t "])

# Strings

_PLAIN = st.text(st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=0x20), max_size=12)
_ESCAPES = st.sampled_from(
    [
        r"\"",
        r"\\",
        r"\/",
        r"\b",
        r"\f",
        r"\n",
        r"\r",
        r"\t",
        r"\u0000",
        r"\u001f",
        r"\u003c",
        r"\u00E9",
        r"\u20aC",
        r"\ud83d\ude00",
    ]
)
# Lone surrogates: alone, before an escape, before a pair, and in the wrong order.
_LONE = st.sampled_from([r"\ud800", r"\uDFFF", r"\udbff\n", r"\ud800\ud83d\ude00", r"\ude00\ud83d", r"\ud83d\u0041"])


def _quoted(parts: list[str]) -> str:
    return '"' + "".join(parts) + '"'


def strings(*, lone: bool = True) -> st.SearchStrategy[str]:
    """The text of a JSON string, in quotes."""
    parts = st.one_of(_PLAIN, _PLAIN, _ESCAPES, _LONE) if lone else st.one_of(_PLAIN, _ESCAPES)
    return st.lists(parts, max_size=4).map(_quoted)


@st.composite
def spelled(draw: st.DrawFn, name: str) -> str:
    """A key, in quotes; now and then with some of its letters as escapes."""
    if draw(st.integers(0, 9)):
        return json.dumps(name)
    escaped = draw(st.sets(st.integers(0, len(name) - 1), max_size=3))
    form = draw(st.sampled_from(["\\u{:04x}", "\\u{:04X}"]))
    return _quoted([form.format(ord(letter)) if at in escaped else letter for at, letter in enumerate(name)])


# Values

NUMBERS = st.one_of(
    st.sampled_from(
        ["0", "-0", "0.0", "-0.0e-0", "1e5", "1E+400", "1.0e-999", "18446744073709551616", "-9223372036854775809"]
    ),
    st.from_regex(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
_SCALARS = st.one_of(st.sampled_from(["null", "true", "false", "{}", "[]", "{ }", "[ ]", '""']), NUMBERS, strings())


@st.composite
def _arrays(draw: st.DrawFn, items: st.SearchStrategy[str]) -> str:
    space = draw(SPACES)
    return f"[{space}" + f"{space},{space}".join(draw(st.lists(items, max_size=4))) + f"{space}]"


@st.composite
def _objects(draw: st.DrawFn, members: st.SearchStrategy[tuple[str, str]]) -> str:
    return _object(draw, draw(st.lists(members, max_size=4)))


def _object(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    space, colon = draw(SPACES), draw(SPACES)
    return (
        f"{{{space}" + f"{space},{space}".join(f"{key}{colon}:{space}{value}" for key, value in members) + f"{space}}}"
    )


def _deeper(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(_arrays(values), _objects(st.tuples(strings(), values)))


# Any JSON value.
JUNK = st.recursive(_SCALARS, _deeper, max_leaves=8)

_TIMES = st.one_of(
    st.datetimes().map(lambda moment: json.dumps(moment.isoformat() + "Z")),
    st.datetimes().map(lambda moment: json.dumps(moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))),
    st.sampled_from(
        [
            '"2023-07-10T11:42:18Z"',
            '"2023-07-10T11:42:18.5Z"',
            '"2023-07-10T11:42:18.123456+05:30"',
            '"2023-07-10T00:12:18-02:00"',
            '"2023-07-10T11:42:18\\u005a"',
            # Times that are not valid.
            '"2023-07-10T11:42:18"',
            '"2023-07-10t11:42:18z"',
            '"2023-07-10 11:42:18Z"',
            '"2023-07-10T11:42:18.Z"',
            '"2023-07-10T11:42:18.1234567Z"',
            '"2023-02-29T00:00:00Z"',
            '"2023-07-10T24:00:00Z"',
            '"2023-07-10T23:59:60Z"',
            '"2023-07-10T11:42:18+24:00"',
            '"2023-07-10T11:42:18+01:60"',
            '"2023-07-10T11:42:18+0100"',
            '" 2023-07-10T11:42:18Z"',
            '"2023-07-10T11:42:18Z\\n"',
            '"+023-07-10T11:42:18Z"',
            '"\\u0662023-07-10T11:42:1Z"',
            '""',
            "1688989338",
        ]
    ),
)
_FLAGS = st.sampled_from(
    ["true", "false", '"true"', '"False"', '"TRUE"', '"f\\u0061lse"', '"yes"', '""', "0", "1", '"true "']
)
_WORDS = st.sampled_from(
    [
        '"ListBuckets"',
        '"DeleteBucket"',
        '"s3.amazonaws.com"',
        '"us-east-1"',
        '"123456789012"',
        '"Root"',
        '"1.08"',
        '"é"',
    ]
)


def values(rule: Any) -> st.SearchStrategy[str]:
    """A value for a column of this rule: usually of a type that fits, sometimes of any other."""
    if rule == reference.TIME:
        fits = _TIMES
    elif rule == reference.FLAG:
        fits = _FLAGS
    elif rule == reference.TEXT:
        fits = st.one_of(_WORDS, strings())
    elif rule == reference.JSON_TEXT:
        fits = _deeper(JUNK)
    elif isinstance(rule, list):
        element = objects(rule[0], also=("arn", "arnPrefix", "ARN"))
        fits = _arrays(st.one_of(element, element, element, _SCALARS))
    else:
        fits = objects(rule)
    return st.integers(0, 7).flatmap(lambda chance: JUNK if chance == 0 else st.just("null") if chance == 1 else fits)


_UNKNOWN = st.one_of(
    st.sampled_from(
        ["eventname", "EventTime", "userIdentity.arn", "resources[0]", "é", "hostname", "type", "ARN", "arn"]
    ).flatmap(spelled),
    strings(),
)


@st.composite
def objects(draw: st.DrawFn, fields: dict[str, Any], also: tuple[str, ...] = ()) -> str:
    """An object with some of the known keys in any order, perhaps twice, and some unknown ones."""
    names = draw(st.lists(st.sampled_from([*fields, *also]), max_size=7, unique=bool(draw(st.integers(0, 3)))))
    members = [(draw(spelled(name)), draw(values(fields.get(name, reference.TEXT)))) for name in names]
    for _ in range(draw(st.integers(0, 5)) // 4):
        members.insert(draw(st.integers(0, len(members))), (draw(_UNKNOWN), draw(JUNK)))
    return _object(draw, members)


# Files


@st.composite
def records(draw: st.DrawFn) -> str:
    """The text of a record; it has an ``eventVersion`` or another sure sign of being one."""
    text = draw(objects(reference.COLUMNS))
    rest = text[1:].strip()
    return f'{{"eventVersion":"1.08"{"" if rest == "}" else ","}{rest}'


def _not_objects() -> st.SearchStrategy[str]:
    return st.one_of(NUMBERS, strings(), st.sampled_from(["null", "true", "[]", "[{}]"]))


# Documents that are not CloudTrail's.
OTHERS = st.sampled_from(
    [
        "{}",
        '{"foo":1}',
        '{"message":"a line"}',
        '{"Records":1}',
        '{"digestStartTime":0,"digestEndTime":0}',
        '{"detail-type":"Ordered","detail":{"eventName":"x"}}',
        '{"message":"CWL CONTROL MESSAGE: x"}',
        '{"Records":[{"eventSource":"aws:s3","s3":{}}]}',
        '{"Service":"Amazon S3","Event":"s3:TestEvent"}',
        '{"awslogs":{"data":"H4sI"}}',
    ]
)
# Elements of a list of records.
_ELEMENTS = st.integers(0, 19).flatmap(
    lambda chance: OTHERS if chance == 0 else _not_objects() if chance == 1 else records()
)
# Members beside the records of a document.
_AROUND = st.sampled_from(["version", "nextToken", "owner", "records", "Record", "eventVersions"]).flatmap(
    lambda name: st.tuples(spelled(name), JUNK)
)


@st.composite
def _listing(draw: st.DrawFn, name: str, elements: st.SearchStrategy[str]) -> str:
    members = draw(st.lists(_AROUND, max_size=2))
    members.insert(draw(st.integers(0, len(members))), (draw(spelled(name)), draw(_arrays(elements))))
    return _object(draw, members)


@st.composite
def _holders(draw: st.DrawFn, name: str) -> str:
    """An object with a record in a string."""
    held = draw(SPACES) + draw(_ELEMENTS) + draw(SPACES)
    members = [(json.dumps(key), value) for key, value in (("timestamp", "1688989338000"), ("Username", '"root"'))]
    members.insert(draw(st.integers(0, 2)), (json.dumps(name), json.dumps(held, ensure_ascii=draw(st.booleans()))))
    return _object(draw, members)


@st.composite
def _envelopes(draw: st.DrawFn) -> str:
    members = [
        ('"version"', '"0"'),
        ('"id"', '"7bf73129"'),
        ('"detail-type"', '"AWS API Call via CloudTrail"'),
        ('"source"', '"aws.s3"'),
        ('"account"', '"123456789012"'),
        ('"time"', '"2023-07-10T11:42:18Z"'),
        ('"region"', '"us-east-1"'),
        ('"resources"', '["arn:aws:s3:::b"]'),
        (draw(spelled("detail")), draw(records())),
    ]
    return _object(draw, draw(st.permutations(members)))


_LINES = st.tuples(
    st.sampled_from(["2023-07-10T11:42:18Z ", "2023-07-10T11:42:18.123Z\t", "2023-07-10T11:42:18+00:00  "]),
    records(),
)

DOCUMENTS = st.one_of(
    _listing("Records", _ELEMENTS),
    _listing("Records", _ELEMENTS),
    _arrays(st.one_of(records(), records(), _envelopes(), _not_objects())),
    records(),
    _envelopes(),
    _listing("Events", _holders("CloudTrailEvent")),
    _listing("events", _holders("message")),
    _listing("logEvents", _holders("message")),
    _LINES.map("".join),
    OTHERS,
    records().map(json.dumps),
    _arrays(records().map(json.dumps)),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """The bytes of a file: documents, perhaps with a byte order mark, in UTF-16, or gzipped in up to two members."""
    documents = draw(
        st.one_of(st.lists(DOCUMENTS, min_size=1, max_size=1), st.lists(DOCUMENTS, min_size=2, max_size=4))
    )
    space = draw(SPACES)
    # Each document begins on a new line, since one with a time stamp must.
    text = (space + draw(st.sampled_from(["\n", "\r\n", "\n\n"])).join(documents) + space).encode()
    if not draw(st.integers(0, 9)):
        text = reference.BOM + text
    if not draw(st.integers(0, 9)):
        mark, order = draw(st.sampled_from([(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]))
        text = mark + text.removeprefix(reference.BOM).decode().encode(order)
    packing = draw(st.sampled_from(["plain", "plain", "gzip", "members", "layers"]))
    if packing == "plain":
        return text
    if packing == "layers":
        return gzip.compress(gzip.compress(text, 1, mtime=0), 1, mtime=0)
    middle = draw(st.integers(0, len(text))) if packing == "members" else len(text)
    return gzip.compress(text[:middle], 1, mtime=0) + (
        gzip.compress(text[middle:], 1, mtime=0) if middle < len(text) else b""
    )


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A plain file with one change that may damage it: cut off, or a byte dropped, changed or put in."""
    data = "\n".join(draw(st.lists(DOCUMENTS, min_size=1, max_size=2))).encode()
    at = draw(st.integers(0, 2**32)) % len(data)
    change = draw(st.sampled_from(["cut", "drop", "put", "replace"]))
    byte = draw(
        st.sampled_from([b"\0", b"\n", b'"', b",", b"}", b"]", b"{", b"x", b"\\", b"\xff", b"\xc3", b"1", b"-", b"."])
    )
    if change == "cut":
        return data[:at]
    return data[:at] + (byte if change != "drop" else b"") + data[at + (change != "put") :]
