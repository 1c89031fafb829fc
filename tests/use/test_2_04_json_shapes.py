"""JSON as users have it: from lookups, log groups, queues and functions; cut off, concatenated, pretty-printed."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct

RECORDS: list[dict[str, Any]] = [
    {
        "eventVersion": "1.11",
        "eventSource": "s3.amazonaws.com",
        "eventName": f"E{number}",
        "requestParameters": {"x": 'é\n"'},
    }
    for number in range(2)
]
TEXTS = [json.dumps(record) for record in RECORDS]
LOOKUP = [{"EventId": "i", "EventName": "E", "Resources": [], "CloudTrailEvent": text} for text in TEXTS]
LOG = [{"id": "1", "timestamp": 1, "message": text} for text in TEXTS]
ROWS = [
    [{"field": "@timestamp", "value": "t"}, {"field": "@message", "value": text}, {"field": "@ptr", "value": "x"}]
    for text in TEXTS
]
BATCH = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": LOG}
EVENTS = [
    {"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": record}
    for record in RECORDS
]


def zipped(value: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()


def lines(values: list[Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


SHAPES = {
    "lookup-events": json.dumps({"Events": LOOKUP, "NextToken": "t"}),
    "an array of events": json.dumps(LOOKUP),
    "lines of events": lines(LOOKUP),
    "pages of events": json.dumps([{"Events": LOOKUP[:1]}, {"Events": LOOKUP[1:]}]),
    "--query Events[].CloudTrailEvent": json.dumps(TEXTS, indent=4),
    "--output text": "\t".join(TEXTS),
    "jq .Events[].CloudTrailEvent": lines(TEXTS),
    "jq fromjson": json.dumps(
        {"Events": [event | {"CloudTrailEvent": record} for event, record in zip(LOOKUP, RECORDS, strict=True)]}
    ),
    "filter-log-events": json.dumps({"events": LOG, "searchedLogStreams": []}),
    "jq .events[]": lines(LOG),
    "jq fromjson of a log group": json.dumps({"events": [{"message": record} for record in RECORDS]}),
    "Logs Insights": json.dumps({"results": ROWS, "status": "Complete"}, indent=2),
    "Logs Insights, exported": json.dumps([{"@timestamp": "t", "@message": text} for text in TEXTS]),
    "a subscription": json.dumps(BATCH),
    "a Lambda function": json.dumps({"awslogs": {"data": zipped(BATCH)}}),
    "receive-message": json.dumps({"Messages": [{"MessageId": "m", "Body": json.dumps(event)} for event in EVENTS]}),
    "receive-message, by a topic": json.dumps(
        {"Messages": [{"Body": json.dumps({"Type": "Notification", "Message": json.dumps(event)})} for event in EVENTS]}
    ),
    "a queue that calls a function": json.dumps(
        {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(event)} for event in EVENTS]}
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_both_records_are_read(shape: str, tmp_path: Path) -> None:
    file, report = tmp_path / "a.json", ct.Report()
    file.write_text(SHAPES[shape])
    frame = ct.read(file, report=report)
    assert frame["eventName"].to_list() == ["E0", "E1"]
    assert frame["record"].to_list() == [0, 1]
    assert [json.loads(raw) for raw in frame["raw"]] == RECORDS
    assert (report.files, report.records) == ((1, 1, 0, 0), (2, 2, 0, 0))
    where = ct.FilterPattern("{ $.eventName = E1 }")
    assert ct.read(file, where=where).height == 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (json.dumps({"awslogs": {"data": "not base64"}}), "not-base64"),
        (json.dumps({"awslogs": {"data": zipped(BATCH)[:-40] + "===="[:0]}})[:-1] + "}", "truncated-gzip"),
        (json.dumps({"awslogs": {"data": zipped("x" * (3 << 20))}}), "too-large"),
        (json.dumps({"awslogs": {"data": zipped({"awslogs": {"data": zipped(BATCH)}})}}), "embedded"),
        (json.dumps({"Events": [{"CloudTrailEvent": TEXTS[0][:-1]}]}), "invalid-json"),
        (json.dumps({"Messages": [{"Body": json.dumps([{"eventName": "E0"}] * 10_002)}]}), "embedded"),
    ],
)
def test_what_is_broken_inside_is_a_bad_record_and_the_file_goes_on(text: str, kind: str, tmp_path: Path) -> None:
    file, report = tmp_path / "a.json", ct.Report()
    file.write_text(f"{text}\n{TEXTS[1]}\n")
    frame = ct.read(file, on_error="collect", report=report)
    assert frame["eventName"][-1] == "E1"
    assert report.bad["kind"].to_list() == [kind]
    assert (report.files.bad, report.records.bad) == (0, 1)


def test_documents_within_documents_have_an_end(tmp_path: Path) -> None:
    text = TEXTS[0]
    for _ in range(8):
        text = json.dumps({"message": text})
    file, report = tmp_path / "a.json", ct.Report()
    file.write_text(text)
    assert ct.read(file, on_error="collect", report=report).is_empty()
    assert report.bad["kind"].to_list() == ["embedded"]
