"""`ct.ddl` of what lies in a bucket."""

from __future__ import annotations

import re

import pytest

import ctfast as ct
from ctfast.sample import Sample
from mirrored import options_of
from seaweed import Store


def test_an_archive_and_a_lake(sample: Sample, store: Store) -> None:
    bucket, options = "ddl", options_of(store.endpoint)
    store.upload(bucket, sample.archive)
    text = ct.ddl(f"s3://{bucket}", "athena", storage_options=options)
    assert f"LOCATION 's3://{bucket}/AWSLogs/'\n" in text
    assert "'projection.account.values' = '111122223333,444455556666'" in text
    assert "'projection.region.values' = 'eu-west-1,us-east-1'" in text
    assert f"'s3://{bucket}/AWSLogs/${{account}}/CloudTrail/${{region}}/${{timestamp}}'" in text
    text = ct.ddl(f"s3://{bucket}/", "duckdb", storage_options=options)
    assert f"'s3://{bucket}/**/*_CloudTrail_*.json.gz'" in text
    assert "-- INSTALL httpfs" in text
    url = f"s3://{bucket}/a lake"
    lake = ct.Lake(url, storage_options=options)
    lake.ingest(sample.archive)
    assert f"LOCATION '{url}/'" in ct.ddl(url, "athena", storage_options=options)
    assert f"table_location => '{url}');" in ct.ddl(lake, "trino")
    parts = re.findall(r"^  '(.*)',?$", ct.ddl(lake, "duckdb"), re.MULTILINE)
    keys = [each["Key"] for each in store.client.list_objects_v2(Bucket=bucket, Prefix="a lake/month=")["Contents"]]
    assert sorted(parts) == sorted(f"s3://{bucket}/{key}" for key in keys)
    with pytest.raises(ct.ArgumentError, match='engine="trino"'):
        ct.ddl(f"s3://{bucket}/AWSLogs", "trino", storage_options=options)
