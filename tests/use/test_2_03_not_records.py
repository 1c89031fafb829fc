"""Other files beside logs are skipped for the right reason: by their name, or by their content."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import ctfast as ct
from ctfast.sample import Sample

RECORD: dict[str, Any] = {"eventVersion": "1.11", "eventSource": "s3.amazonaws.com", "eventName": "PutObject"}
CONTROL = {
    "messageType": "CONTROL_MESSAGE",
    "owner": "CloudwatchLogs",
    "logGroup": "",
    "logEvents": [
        {"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination Firehose."}
    ],
}
DIGEST = {
    "digestStartTime": "2025-03-12T10:00:00Z",
    "digestEndTime": "2025-03-12T11:00:00Z",
    "logFiles": [{"s3Object": "x"}],
}
S3 = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "eventName": "ObjectCreated:Put",
    "eventTime": "2025-03-12T10:00:00Z",
    "s3": {},
}
TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}
SNS = {"s3Bucket": "b", "s3ObjectKey": ["AWSLogs/a.json.gz"]}
CREATED = {"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": {"bucket": {"name": "b"}}}
OTHERS: list[tuple[Any, str]] = [
    (CONTROL, "control-message"),
    (CONTROL["logEvents"][0], "control-message"),  # type: ignore[index]
    (dict(reversed(CONTROL.items())), "control-message"),
    (DIGEST, "digest"),
    ({"Records": [S3]}, "notification"),
    (S3, "notification"),
    (TEST, "notification"),
    (SNS, "notification"),
    (CREATED, "notification"),
    ({"Type": "Notification", "Message": json.dumps({"Records": [S3]})}, "notification"),
    ({"Messages": [{"Body": json.dumps({"Records": [S3]})}]}, "notification"),
]


def read(file: Path, **options: Any) -> tuple[int, ct.Report]:
    report = ct.Report()
    height = ct.read(file, report=report, **options).height
    return height, report


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@pytest.mark.parametrize(("other", "reason"), OTHERS)
def test_files_are_skipped_by_their_content(other: Any, reason: str, tmp_path: Path) -> None:
    """With the default for bad files, since none of them is bad."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(other))
    height, report = read(file)
    assert (height, report.files, report.skipped) == (0, (1, 0, 0, 1), {reason: 1})
    assert report.skipped_records == {reason: 1}
    for text in (
        f"{json.dumps(other)}{json.dumps(RECORD)}",
        json.dumps([RECORD, other]),
        json.dumps({"Records": [other, RECORD]}),
    ):
        file.write_text(text)
        height, report = read(file)
        assert (height, report.files, report.records) == (1, (1, 1, 0, 0), (2, 1, 0, 1))
        assert report.skipped_records == {reason: 1}
        assert report.bad.is_empty()


def test_a_digest_in_a_stream_does_not_hide_its_records(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("\n".join(map(json.dumps, [RECORD, DIGEST, RECORD])))
    height, report = read(tmp_path)
    assert (height, report.files, report.records) == (2, (1, 1, 0, 0), (3, 2, 0, 1))


NAMES = {
    "AWSLogs/111122223333/CloudTrail/us-east-1/2025/03/12/"
    "._111122223333_CloudTrail_us-east-1_20250312T1000Z_a.json.gz": "name",
    "AWSLogs/111122223333/CloudTrail-Lake/Query/2025/03/12/q/result_sign.json": "service",
    "CloudTrail-Lake/Query/2025/03/12/q/result_1.json.gz": "service",
    "AWSLogs/111122223333/vpcflowlogs/us-east-1/2025/03/12/x.log.gz": "service",
    "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=us-east-1/x.log.gz": "service",
    "AWSLogs/111122223333/Config/us-east-1/2025/3/12/ConfigHistory/x.json.gz": "service",
    "111122223333_vpcflowlogs_us-east-1_fl-1234abcd_20250312T1000Z_fe123456.log.gz": "service",
    "111122223333_elasticloadbalancing_us-east-1_app.x_20250312T1000Z_1.2.3.4_x.log.gz": "service",
    "E2EXAMPLE1234.2025-03-12-10.d111111a.gz": "service",
    "2025-03-12-10-00-00-E568B2907131C0C0": "name",
}


@pytest.mark.parametrize(("name", "reason"), NAMES.items())
def test_files_are_skipped_by_their_name(name: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(b"version account-id interface-id\n") if name.endswith(".gz") else b"\0\5\26\7")
    (tmp_path / "a.json").write_text(json.dumps(RECORD))
    height, report = read(tmp_path)
    assert (height, report.files.read, report.files.bad, report.bad.height) == (1, 1, 0, 0)
    assert reason in report.skipped | report.pruned


def test_what_macos_leaves_beside_logs_does_not_break_a_verification(sample: Sample, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(sample.archive, archive)
    for file in sorted(archive.rglob("*.json.gz"))[::7]:
        (file.parent / f"._{file.name}").write_bytes(b"\0\5\26\7")
    found = ct.verify(archive, keys=sample.keys, signatures=sample.signatures)
    assert found.ok
    assert found.findings.is_empty()
