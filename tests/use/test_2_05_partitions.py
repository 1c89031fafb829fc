"""Partitions are defined in one place: selectors, ARNs that are built from requests, and lint agree on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ctfast as ct

REGIONS = {
    "us-east-1": "aws",
    "cn-north-1": "aws-cn",
    "us-gov-west-1": "aws-us-gov",
    "us-iso-east-1": "aws-iso",
    "us-isob-east-1": "aws-iso-b",
    "eu-isoe-west-1": "aws-iso-e",
    "us-isof-south-1": "aws-iso-f",
    "eusc-de-east-1": "aws-eusc",
}


@pytest.mark.parametrize("partition", [*REGIONS.values(), "aws-yet-to-come"])
@pytest.mark.parametrize(
    ("kind", "service", "resource"),
    [
        ("AWS::S3::Object", "s3", "::b/k"),
        ("AWS::Lambda::Function", "lambda", "x:111122223333:function:f"),
        ("AWS::DynamoDB::Table", "dynamodb", "x:111122223333:table/t"),
    ],
)
def test_all_resources_of_a_partition(partition: str, kind: str, service: str, resource: str, tmp_path: Path) -> None:
    data = {"Type": kind, "Values": [f"arn:{partition}:{service}"]}
    given = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": [data]}]}
    assert ct.lint(given).is_empty()
    record = {
        "eventCategory": "Data",
        "eventName": "x",
        "resources": [{"type": kind, "ARN": f"arn:{partition}:{service}:{resource}"}],
    }
    selectors = ct.EventSelectors(given)
    assert selectors.matches(json.dumps(record))
    (tmp_path / "log.json").write_text(json.dumps({"Records": [record]}))
    assert ct.read(tmp_path / "log.json", where=selectors).height == 1


@pytest.mark.parametrize(("region", "partition"), REGIONS.items())
def test_the_arn_of_an_object_is_of_the_region_s_partition(region: str, partition: str) -> None:
    record = {
        "eventCategory": "Data",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": region,
        "requestParameters": {"bucketName": "b", "key": "k"},
    }
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "Equals": [f"arn:{partition}:s3:::b/k"]},
    ]
    assert ct.EventSelectors([{"FieldSelectors": fields}]).matches(record)
    for other in set(REGIONS.values()) - {partition}:
        fields[2]["Equals"] = [f"arn:{other}:s3:::b/k"]
        assert not ct.EventSelectors([{"FieldSelectors": fields}]).matches(record)


@pytest.mark.parametrize("value", ["arn:AWS:s3", "arn:amazon:s3", "arn:aws-:s3", "arn::s3"])
def test_what_is_no_partition(value: str) -> None:
    with pytest.raises(ct.FilterError):
        ct.EventSelectors([{"DataResources": [{"Type": "AWS::S3::Object", "Values": [value]}]}])
