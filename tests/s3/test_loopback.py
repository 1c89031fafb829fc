"""The proxy and the synthetic bucket of the tests work as described, checked with another client."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from proxy import Fault, Proxy, before
from seaweed import Store, connect
from synthetic import Bucket, served

BODY = bytes(range(256)) * 64


@pytest.fixture(scope="module")
def bucket(store: Store) -> str:
    store.create("behind-the-proxy")
    for number in range(30):
        store.put("behind-the-proxy", f"k/{number:03} +ä.bin", BODY, {"signature": f"{number:x}"})
    return "behind-the-proxy"


@pytest.fixture
def proxy(store: Store, bucket: str) -> Iterator[Proxy]:
    with before(store.endpoint) as running:
        yield running


@pytest.fixture
def client(proxy: Proxy) -> Iterator[Any]:
    with closing(connect(proxy.endpoint)) as made:
        yield made


def get(client: Any, key: str) -> bytes:
    return client.get_object(Bucket="behind-the-proxy", Key=key)["Body"].read()


def test_without_a_fault_the_proxy_changes_nothing(proxy: Proxy, client: Any, bucket: str) -> None:
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=bucket, Prefix="k/")["Contents"]]
    assert len(keys) == 30
    assert [get(client, key) for key in keys] == [BODY] * 30
    assert client.head_object(Bucket=bucket, Key=keys[3])["Metadata"] == {"signature": "3"}
    assert get(client, keys[0]) == BODY  # after an answer without a body
    assert proxy.traffic.requests == {"list": 1, "get": 31, "head": 1}


@pytest.mark.parametrize(
    "fault", [Fault(cut=0.5), Fault(cut=0.5, reset=True), Fault(cut=0.0, reset=True), Fault(answer=(503, "SlowDown"))]
)
def test_a_fault_reaches_the_client_once(proxy: Proxy, client: Any, fault: Fault) -> None:
    proxy.fault = lambda request: fault if request.attempt == 1 else Fault()
    with pytest.raises((BotoCoreError, ClientError, ConnectionError)):
        get(client, "k/001 +ä.bin")
    assert get(client, "k/001 +ä.bin") == BODY
    assert proxy.traffic.attempts["get behind-the-proxy/k/001 +ä.bin"] == 2


def test_a_short_body_is_recognised_by_its_checksum_only(proxy: Proxy, client: Any) -> None:
    proxy.fault = lambda _: Fault(short=100)
    with pytest.raises(FlexibleChecksumError):
        get(client, "k/001 +ä.bin")


def test_a_stall_is_silence(proxy: Proxy) -> None:
    proxy.fault = lambda _: Fault(cut=0.5, stall=True)
    host, port = proxy.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=1) as connection:
        connection.sendall(b"GET /behind-the-proxy/x HTTP/1.1\r\nHost: x\r\n\r\n")
        heard = connection.recv(65536)
        with pytest.raises(TimeoutError):
            connection.recv(65536)
    assert heard.startswith(b"HTTP/1.1 ")


def test_requests_wait_in_parallel(proxy: Proxy, client: Any) -> None:
    proxy.fault = lambda _: Fault(delay=0.2)
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(get, [client] * 10, ["k/001 +ä.bin"] * 10)) == [BODY] * 10
    assert proxy.traffic.most_in_flight >= 5


SMALL = {"accounts": 3, "regions": ["eu-west-1", "us-east-1"], "first": date(2025, 2, 27), "days": 4}


@pytest.mark.parametrize("prefix", ["", "a/b/"])
def test_the_synthetic_bucket_lists_its_keys(prefix: str) -> None:
    with served(Bucket(**SMALL, files=70, prefix=prefix)) as bucket, closing(connect(bucket.endpoint)) as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="any")
        keys = [item["Key"] for page in pages for item in page["Contents"]]
        assert keys == sorted(keys) == list(bucket.keys())
        logs = [key for key in keys if "/CloudTrail/" in key]
        assert len(logs) == len(bucket) == 3 * 2 * 4 * 70
        assert bucket.traffic.requests["list"] == -(-len(keys) // 1000)
        below = client.list_objects_v2(Bucket="any", Prefix=f"{prefix}AWSLogs/", Delimiter="/")
        assert [each["Prefix"] for each in below["CommonPrefixes"]] == [
            f"{prefix}AWSLogs/{one}/" for one in bucket.account_ids
        ]
        days = client.get_paginator("list_objects_v2").paginate(
            Bucket="any",
            Prefix=f"{prefix}AWSLogs/{bucket.account_ids[1]}/CloudTrail/us-east-1/2025/",
            Delimiter="/",
            PaginationConfig={"PageSize": 1},
        )
        months = [each["Prefix"][-3:] for page in days for each in page["CommonPrefixes"]]
        assert months == ["02/", "03/"]
        middle = client.list_objects_v2(Bucket="any", StartAfter=keys[100], MaxKeys=3)
        assert [item["Key"] for item in middle["Contents"]] == keys[101:104]
        found = client.get_object(Bucket="any", Key=logs[5])
        assert len(found["Body"].read()) == middle["Contents"][0]["Size"]
        with pytest.raises(ClientError, match="NoSuchKey"):
            client.get_object(Bucket="any", Key=logs[5] + "x")
