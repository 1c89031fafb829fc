"""Item 12: input from outside cannot name or redirect to another host, nor take secrets there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ctfast as ct
from loopback import Request, error, response
from scripted import Scripted, page, playing

KEY = "111122223333_CloudTrail_us-east-1_20250312T0000Z_Ab12.json.gz"
#: Names that no bucket can have. None has a slash, since the key begins after it.
BAD = [
    "user@host",
    "host:8080",
    "host:80#",
    "..",
    "a..b",
    "a?b",
    "a b",
    "a%2fb",
    "a\tb",
    "127.0.0.1",
    "ab",
    "xn--logs",
    "büro",
]


@pytest.fixture
def store() -> Iterator[Scripted]:
    with playing(lambda _: error(404, "NoSuchKey")) as running:
        yield running


def _queue_like(name: str, form: str) -> str:
    if form == "CloudTrail":
        return json.dumps({"s3Bucket": name, "s3ObjectKey": [KEY]})
    described = {"bucket": {"name": name}, "object": {"key": KEY}}
    if form == "S3":
        return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": described}]})
    if form == "EventBridge":
        return json.dumps({"detail-type": "Object Created", "detail": described})
    return json.dumps({"Type": "Notification", "Message": _queue_like(name, "S3")})


@pytest.mark.parametrize("form", ["CloudTrail", "S3", "EventBridge", "SNS"])
@pytest.mark.parametrize("name", [*BAD, "a/b"])
def test_a_message_names_no_host(store: Scripted, name: str, form: str) -> None:
    report = ct.Report()
    messages = ct.Messages([_queue_like(name, form)])
    assert ct.read(messages, storage_options=store.options, on_error="collect", report=report).is_empty()
    (bad,) = report.bad.to_dicts()
    assert bad["kind"] == "invalid-message"
    assert "is not the name of a bucket" in bad["message"]
    assert store.asked == []


@pytest.mark.parametrize("name", BAD)
def test_a_list_names_no_host(store: Scripted, name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a bucket"):
        ct.KeyList([KEY], bucket=name)
    report = ct.Report()
    keys = ct.KeyList([f"s3://{name}/{KEY}"])
    assert ct.read(keys, storage_options=store.options, on_error="collect", report=report).is_empty()
    assert report.bad["kind"].to_list() == ["bad-bucket"]
    assert report.bad["record"].to_list() == [0]
    assert store.asked == []


def _copies(name: str, folder: Path) -> object:
    return ct.copy(f"s3://{name}/", folder / "copy")


def _scans(name: str, _: Path) -> object:
    return ct.read(f"s3://{name}/{KEY}")


def _fetches(name: str, _: Path) -> object:
    return ct.fetch_signatures(f"s3://{name}/", client=object())


def _maps(name: str, folder: Path) -> object:
    return ct.verify(folder, keys={}, map={name: folder})


def _relocates(name: str, folder: Path) -> object:
    return ct.verify(folder, keys={}, relocated_from=f"s3://{name}/prefix")


def _verifies(name: str, _: Path) -> object:
    return ct.verify(f"s3://{name}/", keys={})


def _inventories(name: str, _: Path) -> object:
    return list(ct.Inventory(f"s3://{name}/manifest.json", client=object()))


@pytest.mark.parametrize("use", [_copies, _scans, _fetches, _maps, _relocates, _verifies, _inventories])
@pytest.mark.parametrize("name", BAD)
def test_a_source_names_no_host(tmp_path: Path, name: str, use: Callable[[str, Path], object]) -> None:
    with pytest.raises(ValueError, match="is not the name of a bucket"):
        use(name, tmp_path)


@pytest.mark.parametrize(
    "name", ["my-trail-bucket", "logs.example.com", "My_Logs_Of_2012", "amzn-s3-demo-bucket", "x" * 63]
)
def test_names_that_buckets_have_are_asked_for(store: Scripted, name: str) -> None:
    with pytest.raises(ct.SourceError):
        ct.read(ct.KeyList([KEY], bucket=name), storage_options=store.options)
    assert {request.bucket for request in store.asked} == {name}


def test_a_slash_at_the_beginning_is_a_part_of_the_key(store: Scripted) -> None:
    keys = ct.KeyList([f"/{KEY}", f"//{KEY}"], bucket="bucket")
    assert [found.url for found in keys] == [f"s3://bucket//{KEY}", f"s3://bucket///{KEY}"]
    report = ct.Report()
    ct.read(keys, storage_options=store.options, on_error="collect", report=report)
    assert sorted(request.target for request in store.asked) == [f"/bucket///{KEY}", f"/bucket//{KEY}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["list", "get"])
def test_a_redirect_takes_nothing_along(status: int, kind: str) -> None:
    with playing(lambda _: page([])) as other:

        def answer(request: Request) -> bytes:
            return (
                response(status, location=f"{other.endpoint}/elsewhere") if request.kind == kind else page([(KEY, 7)])
            )

        with playing(answer) as store, pytest.raises(ct.SourceError) as raised:
            ct.read("s3://bucket/", storage_options=store.options)
    assert raised.value.kind == "redirect"
    assert other.asked == []
    assert "127.0.0.1" in str(raised.value)


@pytest.mark.parametrize("region", ["evil.com/", "x@evil.com", "evil.com", "a b"])
def test_a_region_is_no_host(region: str) -> None:
    answer = error(301, "PermanentRedirect", x_amz_bucket_region=region)
    with playing(lambda _: answer) as store, pytest.raises(ct.SourceError) as raised:
        ct.read("s3://bucket/", storage_options=store.options)
    assert raised.value.kind == "no-such-bucket"
    assert not any("evil" in value for request in store.asked for value in request.headers.values())


def test_the_region_of_s3_is_followed() -> None:
    def answer(request: Request) -> bytes:
        right = "/eu-south-2/" in request.headers["authorization"]
        return page([]) if right else error(301, "PermanentRedirect", x_amz_bucket_region="eu-south-2")

    with playing(answer) as store, pytest.raises(FileNotFoundError):
        ct.read("s3://bucket/", storage_options=store.options)
    assert len(store.asked) == 2


def test_secrets_that_a_store_repeats_are_cut() -> None:
    secrets = [
        "an-access-key",
        "a-secret-that-nobody-sees",
        "a-token-that-nobody-sees",
        "AKIAIOSFODNN7EXAMPLE",
        "0123abcd" * 8,
    ]
    words = f"InvalidToken of {' and '.join(secrets)}"
    with playing(lambda _: error(403, "InvalidToken", words)) as store, pytest.raises(ct.SourceError) as raised:
        ct.read("s3://bucket/", storage_options=store.options)
    assert raised.value.kind == "credentials"
    assert not any(secret in str(raised.value) for secret in secrets)
    assert "InvalidToken of … and …" in str(raised.value)
