"""One definition of a record: in files of all shapes, as one line, in an event on a bus, for a filter alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ctfast as ct
import strategies

RECORD: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/dana"},
    "eventTime": "2025-03-12T10:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "PutObject",
    "awsRegion": "us-east-1",
    "readOnly": False,
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": "111122223333",
    "eventCategory": "Management",
}
ENVELOPE: dict[str, Any] = {
    "version": "0",
    "id": "e",
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.s3",
    "detail": RECORD,
}
FOREIGN: list[Any] = [
    {"foo": 1},
    {},
    None,
    17,
    "text",
    {"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": {"type": "Recon:EC2/x", "severity": 5}},
    {"detail-type": "Ordered", "source": "shop", "detail": {"eventName": "Ordered"}},
    {"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": {"x": 1}},
    {"Record": [RECORD]},
]
ANYTHING = {"eventName": [{"exists": False}]}, {"detail-type": [{"prefix": ""}]}


def read(folder: Path, text: str, **options: Any) -> tuple[pl.DataFrame, ct.Report]:
    file, report = folder / "file.json", ct.Report()
    file.write_text(text)
    frame = ct.read(file, on_error="collect", report=report, **options)
    assert report.records == (
        frame.height + report.records.bad + report.records.skipped,
        frame.height,
        *report.records[2:],
    )
    assert sum(report.skipped_records.values()) == report.records.skipped
    return frame, report


@pytest.mark.parametrize("foreign", FOREIGN, ids=json.dumps)
@pytest.mark.parametrize("shape", ["lines", "first line", "Records", "array", "events", "string"])
def test_what_is_foreign_is_skipped_and_named_wherever_it_stands(foreign: Any, shape: str, tmp_path: Path) -> None:
    text = {
        "lines": "\n".join(map(json.dumps, [RECORD, foreign, RECORD])),
        "first line": "\n".join(map(json.dumps, [foreign, RECORD, RECORD])),
        "Records": json.dumps({"Records": [RECORD, foreign, RECORD]}),
        "array": json.dumps([RECORD, foreign, RECORD]),
        "events": json.dumps({"events": [{"message": json.dumps(each)} for each in (RECORD, foreign, RECORD)]}),
        "string": "\n".join(json.dumps(json.dumps(each)) for each in (RECORD, foreign, RECORD)),
    }[shape]
    frame, report = read(tmp_path, text)
    assert frame["eventName"].to_list() == ["PutObject"] * 2
    assert (report.files, report.records) == ((1, 1, 0, 0), (3, 2, 0, 1))
    assert report.skipped_records == {"not-cloudtrail": 1}
    at = 0 if shape == "first line" else 1
    row = report.warnings.row(0, named=True)
    assert (report.warnings.height, row["kind"], row["record"], row["records_kept"]) == (1, "not-cloudtrail", at, 2)
    assert row["byte"] is not None
    assert report.bad.is_empty()
    # It does not meet any filter or rule either.
    for pattern in ANYTHING:
        met = ct.match(tmp_path / "file.json", {"rule": ct.EventPattern(pattern)}, on_error="collect").collect()
        assert met["eventName"].null_count() == 0


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@pytest.mark.parametrize("foreign", FOREIGN[:2] + FOREIGN[5:], ids=json.dumps)
def test_a_file_of_nothing_else_is_skipped_for_that_reason(foreign: Any, tmp_path: Path) -> None:
    for text in (json.dumps(foreign), json.dumps({"Records": [foreign]}), json.dumps([foreign, foreign])):
        frame, report = read(tmp_path, text)
        assert (frame.height, report.files, report.skipped) == (0, (1, 0, 0, 1), {"not-cloudtrail": 1})
        assert report.warnings["kind"].unique().to_list() == ["not-cloudtrail"]
    # Unreadable content is still bad: a log is never skipped without a finding.
    for text in (json.dumps(foreign)[:-1], "hello", json.dumps({"Records": [RECORD]})[:-30]):
        assert read(tmp_path, text)[1].files.bad == 1


def test_many_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    _, report = read(tmp_path, json.dumps(RECORD) + '\n{"foo":1}' * 150)
    assert (report.records, report.skipped_records) == ((151, 1, 0, 150), {"not-cloudtrail": 150})
    assert report.warnings.height == 100
    assert report.unnamed.rows() == [(None, "warning", 50)]


TORN = ['{"eventName":"b",', '{"eventName":"b"', '{"eventName":', '{"eventName":"b', 'Name":"b"}', "text"]


@pytest.mark.parametrize("torn", TORN)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_torn_line_costs_that_line(torn: str, end: str, tmp_path: Path) -> None:
    good = json.dumps(RECORD)
    frame, report = read(tmp_path, end.join([good, torn, good, torn, torn, good]) + end)
    assert frame["record"].to_list() == [0, 2, 5]
    assert (report.files, report.records) == ((1, 1, 0, 0), (6, 3, 3, 0))
    assert report.bad.select("kind", "record", "records_kept").rows() == [("invalid-json", at, 3) for at in (1, 3, 4)]
    with pytest.raises(ct.FormatError) as caught:
        ct.read(tmp_path / "file.json")
    assert (caught.value.record, caught.value.kind) == (1, "invalid-json")


@pytest.mark.parametrize(
    ("torn", "kind"),
    [
        (b'{"eventName":"\xff"}', "invalid-utf8"),
        (b'{"eventName":"b"}\xc3', "invalid-utf8"),
        (b'{"eventName":' + b"[" * 2_000, "too-deep"),
        (b'{"eventName":"' + b"x" * (1 << 20) + b'"}', "document-too-large"),
        (b'{"eventName":"' + b"x" * (7 << 20) + b'"}', "document-too-large"),
        (b'{"eventName":"' + b"x" * (7 << 20), "document-too-large"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else value,
)
@pytest.mark.parametrize("name", ["file.json", "file.json.gz"])
def test_what_else_costs_no_more_than_its_line(torn: bytes, kind: str, name: str, tmp_path: Path) -> None:
    good = json.dumps(RECORD).encode()
    text = b"\n".join([good, torn, good, good]) + b"\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text, 1) if path.suffix == ".gz" else text)
    report = ct.Report()
    frame = ct.read(path, on_error="collect", report=report)
    assert report.bad.select("kind", "record").rows() == [(kind, frame.height - 2)]
    assert (frame["record"].to_list()[-2:], report.files) == ([frame.height - 1, frame.height], (1, 1, 0, 0))


@pytest.mark.parametrize(
    "first",
    [
        'ame":"b"}',
        '{"eventName":"FORGED"}]}, "eventName":"b"}',
        '{"eventName":"FORGED"}, "eventCategory": "Insight"}',
        '{"Records":[{"eventName":"FORGED"}]}], "eventName":"b"}',
        '[{"eventName":"FORGED"}], "eventName":"b"}',
        '","eventName":"b"}',
    ],
)
def test_a_first_line_may_have_lost_its_beginning(first: str, tmp_path: Path) -> None:
    """As with the output of ``tail -c``."""
    frame, report = read(tmp_path, first + "\n" + (json.dumps(RECORD) + "\n") * 2)
    assert (frame["eventName"].to_list(), report.records, report.files) == (
        ["PutObject"] * 2,
        (3, 2, 1, 0),
        (1, 1, 0, 0),
    )


@pytest.mark.parametrize("indent", [0, 1, 4])
def test_what_is_within_a_torn_document_is_no_record(indent: int, tmp_path: Path) -> None:
    forged = {"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com"}
    outer = json.dumps({**RECORD, "requestParameters": {"list": [forged, forged], "one": forged}}, indent=indent)
    lines = outer.replace(json.dumps(forged, indent=indent), json.dumps(forged))
    for shown in (outer, lines, "\n".join(map(str.strip, lines.splitlines()))):
        for cut in (shown[:-10], shown.replace(":", "", 1), shown[: shown.rindex("one")]):
            frame, report = read(tmp_path, json.dumps(RECORD) + "\n" + cut + "\n" + json.dumps(RECORD) + "\n")
            assert set(frame["eventName"]) == {"PutObject"}, cut
            assert report.records.bad + report.files.bad > 0


def test_what_stands_beside_a_list_is_named(tmp_path: Path) -> None:
    one, two = json.dumps([RECORD]), json.dumps([RECORD] * 2)
    for text, name in (
        (f'{{"Records":{one},"Records":{two}}}', "Records"),
        (f'{{"events":{one},"Events":{two}}}', "Events"),
        (f'{{"logEvents":{one},"logEvents":{two}}}', "logEvents"),
        (f'{{"Records":{one},"eventName":"q"}}', "eventName"),
    ):
        frame, report = read(tmp_path, text)
        assert (frame.height, report.records) == (1, (2, 1, 1, 0)), text
        row = report.bad.row(0, named=True)
        at = text.rindex(f'"{name}"')
        assert (row["kind"], row["byte"]) == ("beside-list", at), text
        assert f"'{name}' stands beside a list of records" in row["message"]


def test_a_first_line_may_be_torn(tmp_path: Path) -> None:
    frame, report = read(tmp_path, '{"eventName":"b\n' + (json.dumps(RECORD) + "\n") * 2)
    assert (frame.height, report.records, report.files) == (2, (3, 2, 1, 0), (1, 1, 0, 0))


@pytest.mark.parametrize("indent", [0, 1, 2])
def test_a_document_over_many_lines_that_breaks_is_one_bad_file(indent: int, tmp_path: Path) -> None:
    text = json.dumps({"Records": [RECORD] * 50}, indent=indent)
    at = text.index('"eventName"', len(text) // 2)
    frame, report = read(tmp_path, text[:at] + "}" + text[at:])
    assert (report.files.bad, report.records.bad, report.bad.height) == (1, 0, 1)
    assert 0 < frame.height == report.bad["records_kept"][0] < 50


def test_a_file_that_is_torn_all_over_ends(tmp_path: Path) -> None:
    frame, report = read(tmp_path, json.dumps(RECORD) + "\n" + "{x\n" * 5_000)
    assert (frame.height, report.records.bad, report.files.bad) == (1, 1_000, 1)


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # lint knows why nothing is met
def test_the_events_of_a_whole_bus(tmp_path: Path) -> None:
    text = "\n".join(map(json.dumps, [*FOREIGN[5:8], ENVELOPE]))
    for where, expected in (
        (ct.EventPattern({"detail-type": ["AWS API Call via CloudTrail"]}), 1),
        (ct.EventPattern({"detail-type": ["GuardDuty Finding"]}), 0),
        (ct.EventSelectors({"ReadWriteType": "All"}), 1),
    ):
        assert read(tmp_path, text, where=where)[0].height == expected
        assert [where.matches(event) for event in (*FOREIGN[5:8], ENVELOPE)] == [False] * 3 + [bool(expected)]


FILTERS: list[ct.Filter] = [
    ct.EventSelectors({"ReadWriteType": "All"}),
    ~ct.EventSelectors({"ReadWriteType": "ReadOnly"}),
    ct.EventSelectors({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}),
]
_OBJECTS = strategies.OTHERS.filter(lambda text: text.startswith("{"))
_EVENTS = st.tuples(
    st.sampled_from(["AWS API Call via CloudTrail", "Ordered"]), st.one_of(strategies.records(), _OBJECTS)
).map(lambda parts: f'{{"detail-type":{json.dumps(parts[0])},"detail":{parts[1]}}}')


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@strategies.SETTINGS
@given(st.one_of(strategies.records(), _OBJECTS, _EVENTS))
def test_a_filter_says_of_a_document_what_a_scan_makes_of_it(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "one.json").write_text(text)
    for where in FILTERS:
        assert where.matches(text) is (ct.read(folder / "one.json", where=where, on_error="collect").height == 1)
