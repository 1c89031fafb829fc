"""Keys and signatures, fetched."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import ctfast as ct
from signed import BUCKET, FIRST, HOUR, REGION, Chain, der, private_key


class Service:
    """Answers as boto3's clients do: a key as bytes, in two pages; metadata of objects."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, datetime, datetime]] = []
        self.region = ""

    def client(self, name: str, *, region_name: str) -> Service:
        assert name == "cloudtrail"
        self.region = region_name
        return self

    def list_public_keys(self, *, StartTime: datetime, EndTime: datetime, NextToken: str = "") -> dict[str, Any]:  # noqa: N803
        if NextToken:
            return {"PublicKeyList": []}
        self.asked.append((self.region, StartTime, EndTime))
        times = {"ValidityStartTime": FIRST - 24 * HOUR, "ValidityEndTime": FIRST + 24 * 30 * HOUR}
        return {
            "PublicKeyList": [{"Value": der(private_key()), "Fingerprint": "believed by nobody", **times}],
            "NextToken": "more",
        }


def test_fetched_keys_are_kept(chain: Chain, tmp_path: Path) -> None:
    service, cache = Service(), tmp_path / "keys.json"
    keys = ct.fetch_keys([REGION, "us-east-1"], since=FIRST, until=chain.end, cache=cache, session=service)
    assert service.asked == [(region, FIRST, chain.end + 2 * HOUR) for region in (REGION, "us-east-1")]
    assert chain.verify(keys=keys).ok
    assert chain.verify(keys=cache).ok
    assert len(ct.fetch_keys(REGION, since=FIRST + HOUR, until=chain.end, cache=cache, session=service)) == 2
    assert len(service.asked) == 2
    ct.fetch_keys(REGION, since=FIRST - HOUR, until=chain.end, cache=cache, session=service)
    assert len(service.asked) == 3
    ct.fetch_keys(REGION, since=FIRST - HOUR, until=chain.end, cache=cache, session=service)
    assert len(service.asked) == 3


class Bucket:
    """Answers as boto3's S3 client does."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def get_paginator(self, name: str) -> Bucket:
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        assert (Bucket, Prefix) == (BUCKET, "AWSLogs/")
        paths = [*self.chain.digests, *self.chain.logs]
        return [{"Contents": [{"Key": str(path.relative_to(self.chain.root))} for path in paths]}, {}]

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Metadata": self.chain.signatures[f"{Bucket}/{Key}"]}


def test_fetched_signatures(chain: Chain) -> None:
    assert chain.verify(signatures=ct.fetch_signatures(f"s3://{BUCKET}/AWSLogs/", client=Bucket(chain))).ok
