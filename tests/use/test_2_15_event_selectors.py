"""Event selectors that CloudTrail was seen to refuse are refused, by name and place."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ctfast as ct

DATA = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]


def basic(kind: str, value: str) -> dict[str, Any]:
    return {
        "EventSelectors": [{"IncludeManagementEvents": False, "DataResources": [{"Type": kind, "Values": [value]}]}]
    }


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("AWS::S3::Object", "arn:aws:s3:::bucket", "bucket-slash"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket-", "bucket-slash"),
        ("AWS::S3::Object", "arn:aws:s3:::*", "arn"),
        ("AWS::S3::Object", "arn:aws:s3:::*/", "arn"),
        ("AWS::S3::Object", "arn:aws:s3:::*/*", "arn"),
        ("AWS::S3::Object", "arn:aws:s3:::/", "arn"),
        ("AWS::S3::Object", "bucket/", "arn"),
        ("AWS::S3::Object", "bucket/*", "arn"),
        ("AWS::S3::Object", "*", "arn"),
        ("AWS::Lambda::Function", "arn:aws:lambda:*", "arn"),
        ("AWS::Lambda::Function", "my-function", "arn"),
        ("AWS::Lambda::Function", "arn:aws:s3", "arn"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb:*", "arn"),
    ],
)
def test_values_of_basic_selectors(kind: str, value: str, code: str) -> None:
    with pytest.raises(ct.FilterError) as raised:
        ct.EventSelectors(basic(kind, value))
    path = "EventSelectors[0].DataResources[0].Values[0]"
    assert (raised.value.kind, raised.value.path) == (code, path)
    assert value in raised.value.message
    assert ct.lint(basic(kind, value)).select("severity", "code", "path").rows() == [("error", code, path)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("AWS::S3::Object", "arn:aws:s3"),
        ("AWS::S3::Object", "arn:aws:s3:::"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket/"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket/prefix"),
        ("AWS::Lambda::Function", "arn:aws:lambda"),
        ("AWS::Lambda::Function", "arn:aws:lambda:us-west-2:111122223333:function:hello"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb:us-west-2:111122223333:table/t"),
    ],
)
def test_values_that_are_taken(kind: str, value: str) -> None:
    ct.EventSelectors(basic(kind, value), target="trail")
    assert ct.lint(basic(kind, value)).is_empty()


@pytest.mark.parametrize(
    "field", ["eventName", "resources.ARN", "readOnly", "resources.type", "eventCategory", "userIdentity.arn"]
)
def test_a_field_comes_once(field: str) -> None:
    value = {"readOnly": "true", "resources.type": "AWS::S3::Object", "eventCategory": "Data"}.get(
        field, "arn:aws:s3:::b/x"
    )
    fields = [one for one in DATA if one["Field"] != field] + [{"Field": field, "Equals": [value]}] * 2
    with pytest.raises(ct.FilterError, match=f"{field} appears twice") as raised:
        ct.EventSelectors([{"FieldSelectors": fields}])
    assert raised.value.kind == "field-twice"
    once = {"Field": "eventName", "StartsWith": ["Get"], "NotEquals": ["GetObjectAcl"]}
    record = {
        "eventCategory": "Data",
        "eventName": "GetObject",
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"}],
    }
    assert ct.EventSelectors([{"FieldSelectors": [*DATA, once]}]).matches(json.dumps(record))
