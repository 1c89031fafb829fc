"""The same outcome for rows, texts, marks and lines of logs in any position, in a scan and for a single filter."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import ctfast as ct
import reference
from ctfast.cli import main

INNER: dict[str, Any] = {"eventVersion": "1.11", "eventName": "Inner", "userIdentity": {"type": "Root"}}
OUTER: dict[str, Any] = {"eventVersion": "1.11", "eventName": "Outer", "userIdentity": {"type": "IAMUser"}}
INNER_TEXT, OUTER_TEXT = json.dumps(INNER), json.dumps(OUTER)
ROW = {"file": "a.json", "record": 0}
BOM = "\ufeff"
STAMP = "2025-03-12T10:00:00.123000+00:00"


def read(folder: Path, text: str) -> tuple[list[str | None], ct.Report]:
    """The events of a file; the reader in Python finds the same, good, bad and skipped."""
    file, report = folder / "a.json", ct.Report()
    file.write_bytes(text.encode())
    found = ct.read(file, on_error="collect", report=report)
    slow = reference.read_bytes(text.encode())
    assert found["raw"].to_list() == [row["raw"] for row in slow.rows], text
    assert report.records == (
        found.height + len(slow.bad_records) + len(slow.others),
        found.height,
        len(slow.bad_records),
        len(slow.others),
    ), text
    assert report.files.bad == (slow.damage is not None), text
    return found["eventName"].to_list(), report


def places(text: str) -> dict[str, str]:
    """A document in every possible position."""
    return {
        "bare": text,
        "line": f"{OUTER_TEXT}\n{text}\n",
        "Records": f'{{"Records": [{text}]}}',
        "array": f"[{text}]",
        "detail": f'{{"detail-type": "AWS API Call via CloudTrail", "detail": {text}}}',
        "string": json.dumps(text),
        "message": json.dumps({"events": [{"message": text}]}),
        "stamp": f"{STAMP} stream {text}\n",
    }


HOLDERS: list[tuple[dict[str, Any], list[str]]] = [
    # Records that have such a key, with any value.
    (OUTER | {"raw": INNER_TEXT}, ["Outer"]),
    (OUTER | {"eventJson": INNER_TEXT}, ["Outer"]),
    (OUTER | {"raw": '{"foo": 1}'}, ["Outer"]),
    (OUTER | {"raw": '{"broken'}, ["Outer"]),
    (OUTER | {"raw": "words"}, ["Outer"]),
    (OUTER | {"eventJson": '{"foo": 1}'}, ["Outer"]),
    ({"eventVersion": "1.11", "eventName": "Outer", "eventJson": INNER_TEXT}, ["Outer"]),
    (OUTER | {"raw": OUTER_TEXT}, ["Outer"]),
    (OUTER | {"raw": INNER_TEXT, "file": "x"}, ["Outer"]),
    (OUTER | {"raw": INNER_TEXT, "record": 7}, ["Outer"]),
    (OUTER | {"raw": INNER_TEXT} | ROW, ["Outer"]),
    (INNER | {"raw": INNER_TEXT, "file": 1, "record": "x"}, ["Inner"]),
    # Rows.
    ({"eventName": "Inner", "userIdentity": None, "raw": INNER_TEXT} | ROW, ["Inner"]),
    ({"raw": INNER_TEXT} | ROW, ["Inner"]),
    ({"raw": INNER_TEXT}, ["Inner"]),
    ({"eventJson": INNER_TEXT}, ["Inner"]),
    (
        {"eventName": "Inner", "eventTime": "2025-03-12 10:00:00.000", "errorCode": None, "eventJson": INNER_TEXT},
        ["Inner"],
    ),
    ({"raw": '{"foo": 1}'}, []),
]


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@pytest.mark.parametrize(("document", "expected"), HOLDERS)
def test_a_key_raw_has_one_outcome(document: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    for place, text in places(json.dumps(document)).items():
        found, report = read(tmp_path, text)
        assert found == ["Outer"] * (place == "line") + expected, place
        assert report.bad.is_empty(), place


FILTERS: list[ct.Filter] = [
    ct.EventSelectors({"ReadWriteType": "All"}),
    ~ct.EventSelectors({"ReadWriteType": "ReadOnly"}),
    ct.EventPattern({"detail": {"eventName": ["Inner"]}}),
    ct.EventPattern({"eventName": ["Outer"]}),
    ct.FilterPattern('{ $.eventName = "Inner" }'),
    ct.FilterPattern('{ $.userIdentity.type = "IAMUser" }'),
    ct.FilterPattern('"Inner" -"IAMUser"'),
]


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@pytest.mark.parametrize("document", [document for document, expected in HOLDERS if expected])
def test_filters_alone_agree(document: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    for place, text in places(json.dumps(document)).items():
        file.write_text(text)
        for where in FILTERS:
            expected = ct.read(file, where=where).height > 0
            assert where.matches(text) is expected, (place, where)
            assert (not where.explain(text)) is expected, (place, where)


def test_what_as_record_writes_is_read_back_with_such_keys(tmp_path: Path) -> None:
    log, out = tmp_path / "log.json", tmp_path / "out.ndjson"
    log.write_text(json.dumps({"Records": [document for document, _ in HOLDERS[:12]]}))
    found = ct.read(log).drop("file")
    assert found.height == 12
    for options in (["--as", "record"], ["--format", "ndjson"], ["--columns", "raw", "--format", "ndjson"]):
        assert CliRunner().invoke(main, ["scan", str(log), *options, "-o", str(out)]).exit_code == 0
        assert ct.read(out).drop("file").equals(found), options


def test_some_columns_and_raw_are_reported(tmp_path: Path) -> None:
    found, report = read(tmp_path, json.dumps({"eventName": "Inner", "raw": INNER_TEXT}))
    assert (found, report.warnings["kind"].to_list()) == (["Inner"], ["flattened"])
    # A record that has such a key is not a row, and gives no warning.
    assert read(tmp_path, json.dumps(OUTER | {"raw": INNER_TEXT}))[1].warnings.is_empty()


TEXTS = {
    '[{"eventName":': "bad",
    ' [ \n {"eventName": "a"},]': "bad",
    '[{"eventName": "a"}] x': "bad",
    "[INFO] started": "skipped",
    "[1, 2": "skipped",
    '["a", ': "skipped",
    "[[{": "skipped",
}


@pytest.mark.parametrize(("text", "outcome"), TEXTS.items())
def test_a_text_that_begins_like_an_array_of_records(text: str, outcome: str, tmp_path: Path) -> None:
    for holder in (json.dumps({"message": text}), json.dumps(text), json.dumps({"Messages": [{"Body": text}]})):
        found, report = read(tmp_path, f"{holder}\n{INNER_TEXT}\n")
        assert found == ["Inner"]
        assert (report.records.bad, report.records.skipped) == ((1, 0) if outcome == "bad" else (0, 1))


@pytest.mark.parametrize("holder", ["Body", "string", "message"])
def test_a_text_may_be_several_documents(holder: str, tmp_path: Path) -> None:
    def held(text: str) -> str:
        if holder == "string":
            return json.dumps(text)
        return json.dumps({"Messages": [{"Body": text}]} if holder == "Body" else {"message": text})

    found, report = read(tmp_path, held(f"{INNER_TEXT}\n{OUTER_TEXT}\n") + INNER_TEXT)
    assert (found, report.bad.height) == (["Inner", "Outer", "Inner"], 0)
    found, report = read(tmp_path, held(f"{BOM}{INNER_TEXT}{BOM}\n{BOM}{OUTER_TEXT}") + INNER_TEXT)
    assert (found, report.bad.height) == (["Inner", "Outer", "Inner"], 0)
    # A text with damage gives no record, and is named once.
    for text in (f"{INNER_TEXT}\n{OUTER_TEXT[:-1]}", f"{INNER_TEXT} words", f"{INNER_TEXT}\n{OUTER_TEXT},"):
        found, report = read(tmp_path, held(text) + INNER_TEXT)
        assert (found, report.bad["kind"].to_list()) == (["Inner"], ["invalid-json"])


CONTROL = ['"messageType": "CONTROL_MESSAGE"', '"owner": "CloudwatchLogs"', '"logEvents": [ ]', '"logGroup": ""']


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
@pytest.mark.parametrize("shift", range(4))
def test_a_control_message_that_lists_nothing(shift: int, tmp_path: Path) -> None:
    members = CONTROL[shift:] + CONTROL[:shift]
    for text in ("{" + ",".join(members) + "}", "{" + ",".join(reversed(members)) + "}"):
        assert read(tmp_path, text)[1].skipped == {"control-message": 1}
        found, report = read(tmp_path, f"{text}\n{INNER_TEXT}")
        assert (found, report.skipped_records) == (["Inner"], {"control-message": 1})
    # Other empty lists are not foreign documents.
    for text in (
        '{"Events": []}',
        '{"logEvents": [], "messageType": "DATA_MESSAGE"}',
        '{"results": [], "status": "Complete"}',
    ):
        assert read(tmp_path, f"{text}\n{INNER_TEXT}")[1].records == (1, 1, 0, 0)


@pytest.mark.parametrize("end", ["\n", "", "\r\n\r\n", " "])
def test_files_with_marks_may_be_put_together(end: str, tmp_path: Path) -> None:
    one = BOM + json.dumps({"Records": [INNER]}) + end
    for text in (
        one * 3,
        f"{BOM}{BOM}{one}{one} {BOM}\n{one}{BOM}",
        INNER_TEXT + end + one * 2,
        f"{BOM}[{INNER_TEXT}]{end}" * 3,
    ):
        found, report = read(tmp_path, text)
        assert (found, report.bad.height) == (["Inner"] * 3, 0)


@pytest.mark.parametrize("shift", range(5))
def test_a_mark_at_the_edge_of_a_window(shift: int, tmp_path: Path) -> None:
    line = BOM + INNER_TEXT
    size = len(line.encode())
    count = (1 << 21) // size
    before = " " * ((1 << 21) - count * size + shift - 2)
    report = ct.Report()
    (tmp_path / "a.json").write_text(before + line * (count + 3000))
    assert ct.read(tmp_path / "a.json", report=report).height == count + 3000


STREAMS = [
    "a/b_1-2",
    "my stream",
    "2025/03/12/[$LATEST]0123456789abcdef",
    "{x}",
    'a"b',
    "[1] {2} x",
    '"a"',
    "a\\b",
    "é ü",
]
PLAIN = [
    "plain text",
    "",
    "INIT_START Runtime Version: python:3.12.v1",
    "[INFO] started",
    "{'a': 1}",
    'it says "yes" and {no}',
    '"',
    '5" of disk',
    'took {"a": 1} 5 ms',
    '{"a": 1} took 5 ms',
    "17",
    "words with \\ and ] and }",
]


@pytest.mark.parametrize("stream", STREAMS)
def test_names_of_streams_are_any_text(stream: str, tmp_path: Path) -> None:
    text = "".join(f"{STAMP} {stream} {record}\n" for record in (INNER_TEXT, OUTER_TEXT, INNER_TEXT))
    found, report = read(tmp_path, text)
    assert (found, report.bad.height, report.warnings.height) == (["Inner", "Outer", "Inner"], 0, 0)


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("stream", ["", " stream", " 2025/03/12/[$LATEST]01"])
def test_plain_lines_of_a_log_are_skipped(plain: str, stream: str, tmp_path: Path) -> None:
    lines = [f"{STAMP}{stream} {each}\n" for each in (plain, INNER_TEXT, plain, plain, OUTER_TEXT, plain)]
    found, report = read(tmp_path, "".join(lines))
    assert (found, report.skipped_records, report.bad.height) == (["Inner", "Outer"], {"not-cloudtrail": 4}, 0)
    assert report.warnings["byte"].to_list()[0] == 0


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")
def test_a_log_of_plain_lines_is_skipped(tmp_path: Path) -> None:
    text = "".join(f"{STAMP} stream {plain}\n" for plain in PLAIN)
    assert read(tmp_path, text)[1].skipped == {"not-cloudtrail": 1}


def test_a_record_on_a_line_of_a_log_that_breaks_is_bad(tmp_path: Path) -> None:
    for stream in ("stream", "my stream", "[x]"):
        text = "".join(f"{STAMP} {stream} {record}\n" for record in (INNER_TEXT, OUTER_TEXT[:-9], INNER_TEXT))
        found, report = read(tmp_path, text)
        assert (found, report.records.bad) == (["Inner", "Inner"], 1)


ALL = ct.EventSelectors({"ReadWriteType": "All"})
NAMED = ct.EventPattern({"detail": {"eventName": ["Inner"]}})
ON_JSON = ct.FilterPattern('{ $.eventName = "Inner" }')
ON_WORDS = ct.FilterPattern("Inner")


@pytest.mark.parametrize(
    "text",
    [
        BOM + INNER_TEXT,
        f" {BOM}{BOM} {INNER_TEXT}{BOM}\n",
        f"{STAMP} {INNER_TEXT}\n",
        f"{BOM}{STAMP} my stream {INNER_TEXT}",
        f"{STAMP} plain text\n{STAMP} {INNER_TEXT}",
        f'{STAMP} 5" of disk\n{STAMP} {INNER_TEXT}',
        f"{INNER_TEXT}\n{OUTER_TEXT}",
        json.dumps({"Records": [OUTER, INNER]}),
        json.dumps({"Events": [{"CloudTrailEvent": INNER_TEXT}]}),
        json.dumps(INNER_TEXT),
    ],
)
def test_filters_read_what_a_scan_reads(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    for where in (ALL, NAMED, ON_JSON, ON_WORDS):
        assert where.matches(text) is True
        assert where.explain(text) == []
        assert ct.read(tmp_path / "a.json", where=where).height > 0
        assert (~where).matches(text) is bool(ct.read(tmp_path / "a.json", where=~where).height)


REFUSED = ['{"eventName": NaN}', '{"eventName": "Inner"', f"{INNER_TEXT}\n{{", "Inner", "", "'Inner'", BOM]


@pytest.mark.parametrize("text", REFUSED)
def test_filters_refuse_what_a_scan_refuses(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ct.FormatError):
        ct.read(tmp_path / "a.json")
    for where in (ALL, NAMED, ALL & ON_JSON):
        with pytest.raises(ct.FormatError):
            where.matches(text)
    # Any text is a line of a log, and what follows a record is ignored.
    assert ON_JSON.matches(text) is text.startswith(INNER_TEXT)
    assert ON_WORDS.matches(text) is ("Inner" in text)


def test_files_count_once_for_each_kind_of_finding(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(
            f'{INNER_TEXT}\n{{"x": 1}}\n{INNER_TEXT}\n{{"x": 2}}\n{{"eventName":\n{INNER_TEXT}\n'
        )
    result = CliRunner().invoke(main, ["scan", str(tmp_path), "--on-error", "collect", "--columns", "eventName"])
    rows = [line.split() for line in result.stderr.splitlines()]
    assert ["not-cloudtrail", "4", "6"] in rows
    assert ["invalid-json", "2", "6"] in rows


DELETE = (
    '{"eventName":"DeleteTrail","eventSource":"s3.amazonaws.com","eventID":"1","requestParameters":{"bucketName":"b"}}'
)
MEETS_DELETE = [
    ct.FilterPattern('{ $.eventName = "DeleteTrail" }'),
    ct.EventPattern({"detail": {"eventName": ["DeleteTrail"]}}),
    ct.FilterPattern('{ $.requestParameters.bucketName = "b" }'),
]


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
@pytest.mark.parametrize("escaped", [False, True], ids=["plain", "escaped"])
def test_a_search_does_not_rule_out_what_is_packed(name: str, escaped: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    """A gzipped and base64-encoded record is not visible in the text of its file."""
    batch = json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"message": DELETE}]})
    data = base64.b64encode(gzip.compress(batch.encode())).decode()
    event = json.dumps({"awslogs": {"data": data}})
    event = event.replace("H4sI", "\\u0048\\u0034s\\u0049") if escaped else event
    for text in (event, json.dumps({"Messages": [{"Body": event}]}), event + '\n{"eventName":"Other"}\n'):
        stored = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
        (tmp_path / name).write_bytes(stored)
        for where in MEETS_DELETE:
            assert ct.read(tmp_path / name, where=where).height == 1
            assert where.matches(text)
        assert ct.scan(tmp_path / name).filter(pl.col("eventName") == "DeleteTrail").collect().height == 1


def test_rows_of_logs_insights_hold_their_records(tmp_path: Path) -> None:
    message: Any
    for message in (DELETE, json.loads(DELETE)):
        row = {"@timestamp": "2025-01-01 00:00:00.000", "eventName": "DeleteTrail", "@message": message}
        for each in (row, {**row, "message": "hello"}, {"@message": message, "message": "hello"}):
            for text in (json.dumps(each), json.dumps([each])):
                assert read(tmp_path, text)[0] == ["DeleteTrail"], text
                assert ct.read(tmp_path / "a.json", where=MEETS_DELETE[2]).height == 1, text
    # But a record with other content counts itself.
    assert read(tmp_path, json.dumps({"eventName": "A", "@message": DELETE}))[0] == ["A"]


def test_an_sns_event_of_lambda_holds_its_records(tmp_path: Path) -> None:
    event = {
        "Records": [
            {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Type": "Notification", "Message": DELETE}}
        ]
    }
    assert read(tmp_path, json.dumps(event))[0] == ["DeleteTrail"]


def test_plain_lines_that_quote_a_record_are_plain(tmp_path: Path) -> None:
    lines = [
        f'{STAMP} stream GET /x?a= {{"eventName":"forged"}} HTTP/1.1 200',
        f'{STAMP} stream {{"eventName":"forged"}} {{"eventName":"forged"}} end',
        f"{STAMP} stream {DELETE}",
    ]
    assert read(tmp_path, "\n".join(lines) + "\n")[0] == ["DeleteTrail"]


def test_control_messages_are_so_in_any_order(tmp_path: Path) -> None:
    events = {"logEvents": [{"message": DELETE}]}
    control = {"messageType": "CONTROL_MESSAGE"}
    for text in (json.dumps(control | events), json.dumps(events | control)):
        found, report = read(tmp_path, text)
        assert (found, report.skipped_records) == ([], {"control-message": 1}), text


def test_records_with_lists_come_back(tmp_path: Path) -> None:
    records = [
        '{"eventName":"a","Records":[{"eventName":"b"}]}',
        '{"events":[{"eventName":"forged"}],"eventName":"x"}',
        '{"Records":[],"eventName":"l3"}',
    ]
    (tmp_path / "p.json").write_text(f'{{"Records":[{",".join(records)}]}}')
    for form in (["--as", "record"], ["--format", "ndjson"]):
        result = CliRunner().invoke(main, ["scan", str(tmp_path / "p.json"), *form])
        (tmp_path / "q.ndjson").write_text(result.stdout)
        assert ct.read(tmp_path / "q.ndjson")["raw"].to_list() == records


def test_a_filter_pattern_is_met_by_records_before_what_is_torn() -> None:
    for text in (DELETE + '\n{"eventName":"tor\n', DELETE + "\n["):
        assert MEETS_DELETE[0].matches(text)
        with pytest.raises(ct.FormatError):
            MEETS_DELETE[1].matches(text)


def test_records_without_line_feeds_are_read_in_one_go(tmp_path: Path) -> None:
    """Each record once searched for the end of its line up to the end of the window: 90,000 took 17 s."""
    one = f'{STAMP} {{"eventName":"a"}} '
    (tmp_path / "a.json").write_text(one * 60_000)
    assert ct.read(tmp_path / "a.json").height == 60_000
