"""Events in the form of OCSF: what becomes of each value, in frames, lazily, in batches, and on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast._ocsf.ocsf import NEEDED
from ctfast.cli import main
from ctfast.sample import Sample

BASE: dict[str, Any] = {
    "eventVersion": "1.11",
    "eventTime": "2025-03-12T10:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.1",
    "userAgent": "x",
    "requestID": "r",
    "eventID": "e",
    "eventType": "AwsApiCall",
    "recipientAccountId": "111122223333",
    "userIdentity": {
        "type": "IAMUser",
        "arn": "arn:aws:iam::111122223333:user/a",
        "principalId": "AIDA",
        "userName": "a",
    },
}
ROLE = "arn:aws:iam::111122223333:role/r"


def written(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "log.json"
    path.write_text(json.dumps({"Records": records}, separators=(",", ":")))
    return path


def mapped(folder: Path, **more: Any) -> dict[str, Any]:
    """The event of one record, as JSON; a value of None leaves the member of the record out."""
    record = {name: value for name, value in (BASE | more).items() if value is not None}
    text = ct.ocsf(ct.read(written(folder, record)), json=True).item()
    event: dict[str, Any] = json.loads(text)
    return event


def of(source: str, name: str, **more: Any) -> dict[str, Any]:
    return {"eventSource": f"{source}.amazonaws.com", "eventName": name, **more}


@pytest.mark.parametrize(
    ("record", "kind", "activity", "name"),
    [
        (of("s3", "GetObject"), 6003, 2, "Read"),
        (of("s3", "PutObject"), 6003, 3, "Update"),
        (of("ec2", "RunInstances"), 6003, 1, "Create"),
        (of("dynamodb", "BatchGetItem"), 6003, 2, "Read"),
        (of("s3", "DeleteBucket"), 6003, 4, "Delete"),
        (of("kms", "Decrypt", readOnly=True), 6003, 2, "Read"),
        (of("kms", "Decrypt"), 6003, 99, "Decrypt"),
        (of("lambda", "Invoke", readOnly=False), 6003, 99, "Invoke"),
        (of("lambda", "CreateFunction20150331"), 6003, 1, "Create"),
        (of("sts", "GetCallerIdentity"), 6003, 2, "Read"),
        (of("sts", "AssumeRole"), 3002, 1, "Logon"),
        (of("signin", "ConsoleLogin"), 3002, 1, "Logon"),
        (of("signin", "CredentialChallenge"), 3002, 99, "CredentialChallenge"),
        (of("signin", "ExitRole"), 3002, 2, "Logoff"),
        (of("other", "ConsoleLogin", eventType="AwsConsoleSignIn"), 3002, 1, "Logon"),
        (of("sso", "Federate"), 3002, 1, "Logon"),
        (of("sso", "ListInstances"), 6003, 2, "Read"),
        (of("iam", "CreateUser"), 3001, 1, "Create"),
        (of("iam", "ChangePassword"), 3001, 3, "Password Change"),
        (of("iam", "UpdateLoginProfile"), 3001, 4, "Password Reset"),
        (of("iam", "DeleteRole"), 3001, 6, "Delete"),
        (of("iam", "AttachUserPolicy"), 3001, 7, "Attach Policy"),
        (of("iam", "DeleteUserPolicy"), 3001, 8, "Detach Policy"),
        (of("iam", "EnableMFADevice"), 3001, 10, "MFA Factor Enable"),
        (of("iam", "DeactivateMFADevice"), 3001, 11, "MFA Factor Disable"),
        (of("iam", "CreateAccessKey"), 3001, 99, "CreateAccessKey"),
        (of("iam", "GetUser"), 6003, 2, "Read"),
    ],
    ids=lambda value: value["eventName"] if isinstance(value, dict) else None,
)
def test_class_and_activity(record: dict[str, Any], kind: int, activity: int, name: str, tmp_path: Path) -> None:
    event = mapped(tmp_path, **record)
    assert (event["class_uid"], event["activity_id"], event["activity_name"]) == (kind, activity, name)
    assert event["type_uid"] == kind * 100 + activity
    caption = {3001: "Account Change", 3002: "Authentication", 6003: "API Activity"}[kind]
    assert event["class_name"] == caption
    assert event["type_name"] == f"{caption}: {'Other' if activity == 99 else name}"
    assert event["category_uid"] == kind // 1000


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, "Success"),
        ({"errorCode": "AccessDenied"}, "Failure"),
        ({"errorCode": ""}, "Success"),
        ({"errorMessage": "deprecated"}, "Success"),
        (of("signin", "ConsoleLogin", errorMessage="Failed authentication"), "Failure"),
        (of("signin", "ConsoleLogin", responseElements={"ConsoleLogin": "Failure"}), "Failure"),
        (of("signin", "ConsoleLogin", responseElements={"ConsoleLogin": "Success"}), "Success"),
        (of("signin", "CredentialVerification", serviceEventDetails={"CredentialVerification": "Failure"}), "Failure"),
        (of("sts", "AssumeRole", errorCode="AccessDenied"), "Failure"),
        ({"responseElements": {"ConsoleLogin": "Failure"}}, "Success"),
    ],
)
def test_status(more: dict[str, Any], status: str, tmp_path: Path) -> None:
    event = mapped(tmp_path, **more)
    assert (event["status"], event["status_id"]) == (status, 1 if status == "Success" else 2)


@pytest.mark.parametrize(
    ("address", "field"),
    [
        *((text, "ip") for text in ("192.0.2.1", "0.0.0.0", "2001:db8::1", "::1", "::ffff:192.0.2.1")),
        *(
            (text, "domain")
            for text in ("ec2.amazonaws.com", "AWS Internal", "999.1.1.1", "1.2.3", "a:b", "AWS Internal/3")
        ),
    ],
)
def test_where_it_came_from(address: str, field: str, tmp_path: Path) -> None:
    event = mapped(tmp_path, sourceIPAddress=address)
    assert event["src_endpoint"] == {field: address}
    seen = [each["name"] for each in event["observables"] if each["value"] == address]
    assert seen == ([f"src_endpoint.{field}"] if field == "ip" or "." in address else [])


def test_an_assumed_role(tmp_path: Path) -> None:
    asked = {"roleArn": ROLE, "roleSessionName": "me"}
    got = {
        "credentials": {"accessKeyId": "ASIA1", "sessionToken": "t"},
        "assumedRoleUser": {"arn": "arn:aws:sts::1:assumed-role/r/me", "assumedRoleId": "AROA:me"},
    }
    event = mapped(tmp_path, **of("sts", "AssumeRole", requestParameters=asked, responseElements=got))
    assert event["user"] == {"name": "me", "uid": ROLE}
    assert event["session"] == {
        "credential_uid": "ASIA1",
        "uid": "arn:aws:sts::1:assumed-role/r/me",
        "uid_alt": "AROA:me",
    }
    assert json.loads(event["api"]["response"]["data"]) == got
    assert "policy" not in event


def test_a_console_login(tmp_path: Path) -> None:
    more = {"LoginTo": "https://console.aws.amazon.com", "MFAUsed": "YES", "MobileVersion": "No"}
    event = mapped(tmp_path, **of("signin", "ConsoleLogin", additionalEventData=more))
    assert event["is_mfa"] is True
    assert event["dst_endpoint"] == {"svc_name": more["LoginTo"]}
    assert event["user"] == {"uid": "arn:aws:iam::111122223333:user/a", "uid_alt": "AIDA"}
    assert event["unmapped"] == {"additionalEventData": more}
    assert mapped(tmp_path, **of("signin", "ConsoleLogin", additionalEventData={"MFAUsed": "No"}))["is_mfa"] is False
    assert "is_mfa" not in mapped(tmp_path, additionalEventData=more), "of sign-ins only"


@pytest.mark.parametrize(
    ("record", "user"),
    [
        (
            of(
                "iam",
                "CreateUser",
                requestParameters={"userName": "new"},
                responseElements={"user": {"userName": "new", "userId": "AIDANEW"}},
            ),
            {"name": "new", "uid": "AIDANEW"},
        ),
        (
            of(
                "iam",
                "CreateRole",
                requestParameters={"roleName": "r"},
                responseElements={"role": {"roleName": "r", "roleId": "AROA"}},
            ),
            {"name": "r", "uid": "AROA"},
        ),
        (of("iam", "AttachUserPolicy", requestParameters={"userName": "b", "policyArn": "arn:p"}), {"name": "b"}),
        (of("iam", "ChangePassword"), {"name": "a", "uid": "AIDA"}),
    ],
)
def test_whose_account_is_changed(record: dict[str, Any], user: dict[str, str], tmp_path: Path) -> None:
    event = mapped(tmp_path, **record)
    assert event["user"] == user
    assert event.get("policy") == ({"uid": "arn:p"} if record["eventName"] == "AttachUserPolicy" else None)


def test_resources_have_a_field_in_one_class_and_stand_in_unmapped_of_the_others(tmp_path: Path) -> None:
    resources = [
        {"ARN": "arn:aws:s3:::b", "accountId": "1", "type": "AWS::S3::Bucket"},
        {"ARNPrefix": "arn:aws:s3:::b/", "type": "AWS::S3::Object"},
    ]
    event = mapped(tmp_path, resources=resources)
    assert event["resources"] == [
        {"owner": {"account": {"uid": "1"}}, "type": "AWS::S3::Bucket", "uid": "arn:aws:s3:::b"},
        {"name": "arn:aws:s3:::b/", "type": "AWS::S3::Object"},
    ]
    assert event["observables"][-1] == {
        "name": "resources[].uid",
        "value": "arn:aws:s3:::b",
        "type": "Resource UID",
        "type_id": 10,
    }
    assert "unmapped" not in event
    event = mapped(tmp_path, **of("sts", "AssumeRole", resources=resources))
    assert "resources" not in event
    assert event["unmapped"] == {"resources": resources}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-12T09:00:00Z", "2025-03-12T09:00:00+00:00"),
        ("20250312T090000Z", "2025-03-12T09:00:00+00:00"),
        ("2025-03-12T09:00:00.5+02:00", "2025-03-12T09:00:00.5+02:00"),
        ("yesterday", None),
    ],
)
def test_when_a_session_began(text: str, expected: str | None, tmp_path: Path) -> None:
    identity = BASE["userIdentity"] | {
        "sessionContext": {"attributes": {"creationDate": text, "mfaAuthenticated": "x"}}
    }
    event = mapped(tmp_path, userIdentity=identity)
    assert event["actor"].get("session", {}).get("created_time_dt") == expected
    path = "userIdentity.sessionContext.attributes."
    left = {f"{path}mfaAuthenticated": "x"} | ({} if expected else {f"{path}creationDate": text})
    assert event["unmapped"] == left


def test_a_service_is_no_user(tmp_path: Path) -> None:
    identity = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com", "principalId": "p", "accessKeyId": "k"}
    event = mapped(tmp_path, userIdentity=identity)
    assert event["actor"] == {"invoked_by": "ec2.amazonaws.com"}
    assert event["unmapped"] == {
        f"userIdentity.{name}": identity[name] for name in ("type", "principalId", "accessKeyId")
    }


def test_what_another_value_has_the_field_of_stands_in_unmapped(tmp_path: Path) -> None:
    identity = BASE["userIdentity"] | {
        "accessKeyId": "AKIA",
        "credentialId": "c",
        "onBehalfOf": {"userId": "u", "identityStoreArn": "arn:store"},
        "identityProvider": "p",
        "sessionContext": {"webIdFederationData": {"federatedProvider": "q"}},
    }
    event = mapped(tmp_path, userIdentity=identity)
    assert event["actor"]["idp"] == {"name": "p", "uid": "arn:store"}
    assert event["unmapped"] == {
        "userIdentity.credentialId": "c",
        "userIdentity.onBehalfOf.userId": "u",
        "userIdentity.sessionContext.webIdFederationData.federatedProvider": "q",
    }


def test_a_record_without_a_name_is_a_base_event(tmp_path: Path) -> None:
    record = {
        "eventVersion": "1.07",
        "eventTime": "2025-03-12T10:00:00Z",
        "awsRegion": "us-east-1",
        "eventID": "e",
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": "111122223333",
        "sharedEventID": "s",
        "insightDetails": {"state": "Start", "eventSource": "s3.amazonaws.com"},
        "eventCategory": "Insight",
    }
    [event] = [json.loads(text) for text in ct.ocsf(ct.read(written(tmp_path, record)), json=True)["ocsf"]]
    assert (event["class_uid"], event["category_uid"], event["activity_id"], event["type_uid"]) == (0, 0, 0, 0)
    assert event["message"] == "the record has no eventName, by which its class would be chosen"
    assert event["unmapped"] == {"sharedEventID": "s", "insightDetails": record["insightDetails"]}
    assert event.keys().isdisjoint({"actor", "api", "src_endpoint", "observables", "status"})
    event = mapped(tmp_path, eventName=None, requestParameters={"a": [1, 2.0, None]})
    assert event["unmapped"] == {
        "eventSource": "s3.amazonaws.com",
        "requestID": "r",
        "requestParameters": {"a": [1, 2.0, None]},
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "x",
        **{f"userIdentity.{name}": value for name, value in BASE["userIdentity"].items()},
    }


def test_a_record_without_a_time_says_so(tmp_path: Path) -> None:
    event = mapped(tmp_path, eventTime="soon")
    assert event["message"] == "the record has no eventTime"
    assert event.keys().isdisjoint({"time", "time_dt"})
    assert event["unmapped"] == {"eventTime": "soon"}


HOSTILE = [
    '","api":null,"',
    '{"a":null,"b":null}',
    '\\",\\"time\\":null',
    "a\nb\t\u0001\u2028\U0001f600",
    ',"unmapped":{}',
    "\\",
    '"',
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_stay_what_they_are(text: str, tmp_path: Path) -> None:
    event = mapped(
        tmp_path,
        userAgent=text,
        errorMessage=text,
        annotation=text,
        sharedEventID=text,
        requestParameters={"x": text, text or "y": None},
        additionalEventData={"x": text, "n": None, text or "y": {"n": None}},
        unknown={"x": text, "n": None},
    )
    assert event["http_request"] == {"user_agent": text}
    assert event["api"]["response"] == {"message": text}
    assert json.loads(event["api"]["request"]["data"]) == {"x": text, text or "y": None}
    assert event["unmapped"] == {
        "annotation": text,
        "sharedEventID": text,
        "additionalEventData": {"x": text, "n": None, text or "y": {"n": None}},
        "unknown": {"x": text, "n": None},
    }


def test_json_of_several_lines_is_one_line(tmp_path: Path) -> None:
    record = BASE | {"additionalEventData": {"a": [1, {"b": "c  d"}]}, "unknown": {"x": [1]}}
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"Records": [record]}, indent=4))
    text = ct.ocsf(ct.read(path), json=True).item()
    assert "\n" not in text
    assert json.loads(text)["unmapped"] == {
        "additionalEventData": {"a": [1, {"b": "c  d"}]},
        "unknown": {"x": [1]},
    }


@pytest.mark.parametrize("text", ['{"a"', "no JSON", '{"a":"\\ud800"}', "null", "[]"])
def test_text_of_another_origin_breaks_no_event(text: str, tmp_path: Path) -> None:
    frame = ct.read(written(tmp_path, BASE)).with_columns(additionalEventData=pl.lit(text))
    event = json.loads(ct.ocsf(frame, json=True).item())
    found = event["unmapped"]["additionalEventData"]
    assert found == text or found == json.loads(text)


def leaves(value: Any) -> Iterator[str]:
    """The scalars of a document as texts, those of JSON in texts as well."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif value is not None:
        yield str(value)
        if isinstance(value, str) and value.startswith(("{", "[")):
            yield from leaves(json.loads(value))


def test_no_value_of_a_record_is_lost(sample: Sample) -> None:
    rows = ct.read(sample.archive)
    events = ct.ocsf(rows, json=True)["ocsf"]
    assert len(events) == sample.records
    for raw, text in zip(rows["raw"], events, strict=True):
        record = json.loads(raw)
        event = set(leaves(json.loads(text)))
        created = record.get("userIdentity", {}).get("sessionContext", {}).get("attributes", {}).get("creationDate")
        lost = {each for each in leaves(record) if each not in event}
        assert lost <= {record["eventTime"], created}
        assert record["eventTime"].replace("Z", "+00:00") in event
        assert created is None or created.replace("Z", "+00:00") in event


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def test_a_frame_and_its_json_say_the_same(sample: Sample) -> None:
    rows = ct.read(sample.archive)
    texts = [json.loads(text) for text in ct.ocsf(rows, json=True)["ocsf"]]
    for row, event in zip(ct.ocsf(rows).iter_rows(named=True), texts, strict=True):
        expected = without_nulls(row)
        if "unmapped" in expected:
            expected["unmapped"] = json.loads(expected["unmapped"])
        assert event == expected


def test_the_schema_does_not_depend_on_the_events(sample: Sample) -> None:
    rows = ct.read(sample.archive)
    whole = ct.ocsf(rows)
    assert whole.schema == ct.ocsf(rows.clear()).schema == ct.ocsf(rows.lazy()).collect_schema()
    for _, part in rows.group_by("eventSource"):
        assert ct.ocsf(part).schema == whole.schema
    for path, kind in flat(pl.Struct(whole.schema)):
        assert kind in (pl.String, pl.Int64, pl.Boolean), path


def flat(kind: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(kind, pl.Struct):
        for field in kind.fields:
            yield from flat(field.dtype, f"{path}.{field.name}")
    elif isinstance(kind, pl.List):
        yield from flat(kind.inner, f"{path}[]")
    else:
        yield path, kind


def test_frames_tables_and_batches_give_the_same(sample: Sample) -> None:
    rows = ct.read(sample.archive)
    whole = ct.ocsf(rows)
    assert isinstance(ct.ocsf(ct.scan(sample.archive)), pl.LazyFrame)
    assert ct.ocsf(ct.scan(sample.archive)).collect(engine="streaming").equals(whole)
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    assert ct.ocsf(table).equals(whole)
    batches = [ct.ocsf(pa.RecordBatch.from_struct_array(each)) for each in table.to_struct_array().chunks]
    assert pl.concat(batches).equals(whole)
    assert pl.concat([ct.ocsf(part) for part in rows.iter_slices(100)]).equals(whole)
    with ct.stream(sample.archive, columns=list(NEEDED), batch_rows=300) as stream:
        assert pl.concat([ct.ocsf(batch) for batch in stream]).equals(whole)


def test_a_lazy_query_reads_the_columns_that_it_needs(sample: Sample) -> None:
    plan = ct.ocsf(ct.scan(sample.archive)).select("class_uid").explain()
    [(read, of)] = re.findall(r"PROJECT (\d+)/(\d+) COLUMNS", plan)
    assert int(read) < 5 < int(of), plan


@pytest.mark.parametrize("name", [name for name in NEEDED if name not in ("file", "record")])
def test_a_frame_that_lacks_a_column(name: str, sample: Sample) -> None:
    rows = ct.scan(sample.archive).drop(name)
    with pytest.raises(ct.ArgumentError, match=rf"^ocsf\(\): frame has no column '{name}'") as caught:
        ct.ocsf(rows)
    assert "\n" not in str(caught.value)


def test_a_column_of_another_type(sample: Sample) -> None:
    rows = ct.read(sample.archive).head(3)
    wrong = [
        rows.with_columns(eventTime=pl.col("eventTime").dt.to_string()),
        rows.with_columns(userIdentity=pl.lit("x")),
        rows.with_columns(userIdentity=pl.struct(type=pl.lit("x"))),
        rows.with_columns(eventName=pl.lit(1)),
    ]
    for frame in wrong:
        with pytest.raises(ct.ArgumentError, match=r"frame has a column '\w+' of the type \w+") as caught:
            ct.ocsf(frame)
        assert "\n" not in str(caught.value)
    same = rows.with_columns(pl.col("eventTime").dt.replace_time_zone(None).cast(pl.Datetime("ms")), extra=None, own=1)
    assert ct.ocsf(same).drop("unmapped").equals(ct.ocsf(rows).drop("unmapped"))
    assert ct.ocsf(rows.drop("raw", "file", "record"))["metadata"].struct["log_name"].null_count() == 3


def ctfast(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_the_commands_write_what_the_function_returns(sample: Sample, tmp_path: Path) -> None:
    lines = ctfast("scan", sample.archive, "--as", "ocsf")
    assert lines.exit_code == 0
    texts = ct.ocsf(ct.read(sample.archive), json=True)["ocsf"].to_list()
    assert lines.stdout == "".join(f"{text}\n" for text in texts)
    array = ctfast("scan", sample.archive, "--as", "ocsf", "-f", "json")
    assert json.loads(array.stdout) == [json.loads(text) for text in texts]
    assert ctfast("scan", sample.archive, "--as", "ocsf", "-o", tmp_path / "x.parquet").exit_code == 0
    assert pl.read_parquet(tmp_path / "x.parquet").equals(ct.ocsf(ct.read(sample.archive)))
    assert ctfast("scan", sample.archive, "--as", "ocsf", "--until", "2025-03-01").stdout == ""
    assert ctfast("scan", sample.archive, "--as", "ocsf", "--limit", 0, "-f", "json").stdout == "[]\n"


@pytest.mark.parametrize("dialect", ["trino", "duckdb", "polars"])
def test_a_query_of_whole_events(dialect: str, sample: Sample, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    pytest.importorskip("sqlglot")
    query = "SELECT * FROM events WHERE eventName = 'GetRolePolicy' ORDER BY eventTime, eventID"
    for form in ("ndjson", "json", "parquet"):
        target = tmp_path / f"{dialect}.{form}"
        done = ctfast("sql", sample.archive, query, "--as", "ocsf", "--dialect", dialect, "-o", target)
        assert done.exit_code == 0, done.stderr
    rows = ct.scan(sample.archive).filter(pl.col("eventName") == "GetRolePolicy").sort("eventTime", "eventID").collect()
    expected = [json.loads(text) for text in ct.ocsf(rows, json=True)["ocsf"]]
    assert rows.height > 30
    assert [json.loads(line) for line in (tmp_path / f"{dialect}.ndjson").read_text().splitlines()] == expected
    assert json.loads((tmp_path / f"{dialect}.json").read_text()) == expected
    assert pl.read_parquet(tmp_path / f"{dialect}.parquet").equals(ct.ocsf(rows))


def test_other_results_are_refused(sample: Sample) -> None:
    done = ctfast("sql", sample.archive, "SELECT eventTime FROM events", "--as", "ocsf", "--dialect", "polars")
    words = (
        "--as ocsf takes results with all columns of events, as of SELECT *, and this one has no column 'eventVersion'"
    )
    assert (done.exit_code, words in done.stderr, done.stdout) == (2, True, "")
    for form in ("csv", "table"):
        done = ctfast("scan", sample.archive, "--as", "ocsf", "-f", form)
        words = f"--as ocsf writes ndjson, an event in each line, json, an array of all, or parquet, and not {form}\n"
        assert (done.exit_code, done.stderr.endswith(words)) == (2, True), done.stderr
    done = ctfast("scan", sample.archive, "--as", "ocsf", "--columns", "eventName")
    assert (done.exit_code, "--as ocsf writes whole events: leave out --columns" in done.stderr) == (2, True)


def test_parts_of_events_do_not_mix_with_others(sample: Sample, tmp_path: Path) -> None:
    common = ["scan", sample.archive, "-f", "ndjson", "-o", tmp_path / "parts"]
    assert ctfast(*common, "--as", "ocsf", "--checkpoint", tmp_path / "one").exit_code == 0
    parts = sorted((tmp_path / "parts").iterdir())
    assert sum(len(part.read_text().splitlines()) for part in parts) == sample.records
    for more in ([], ["--as", "record"]):
        done = ctfast(*common, *more, "--checkpoint", tmp_path / "two")
        assert (done.exit_code, "has parts of another form" in done.stderr) == (2, True)
