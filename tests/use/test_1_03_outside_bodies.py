"""Item 3: any length, time or size from outside ends in a typed failure, in bounded memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import ctfast as ct
from loopback import Request, error, response
from scripted import Cut, page, playing

TERABYTE = b"Content-Length: 1099511627776"


def lying(answer: bytes) -> Cut:
    """The same answer with a false length, and enough of a body to make it plausible."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return Cut(b"\r\n".join([*lines, TERABYTE]) + b"\r\n\r\n" + body + b" " * (1 << 20))


def kind_of(script: Callable[[Request], bytes]) -> str:
    """Read the bucket; return the kind of the error."""
    with playing(script) as store, pytest.raises(ct.SourceError) as raised:
        ct.read("s3://bucket/", storage_options=store.options | {"max_retries": "1"})
    return raised.value.kind


def kind_elsewhere(script: Callable[[Request], bytes]) -> str:
    """The same in a separate process, since it may crash."""
    code = """
        import json, resource, sys
        import ctfast as ct
        # Some systems overcommit memory, and this is about the memory that is requested.
        resource.setrlimit(resource.RLIMIT_AS, (32 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
        try:
            ct.read("s3://bucket/", storage_options=json.loads(sys.argv[1]))
        except (ct.CloudTrailError, OSError) as error:
            print(getattr(error, "kind", type(error).__name__))
    """
    with playing(script) as store:
        options = json.dumps(store.options | {"max_retries": "2"})
        command = [sys.executable, "-c", textwrap.dedent(code), options]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "panicked" not in ended.stderr
    return ended.stdout.strip()


#: Answers that would crash a process that believed them.
DEADLY = {"an error of a terabyte", "a listing of a terabyte", "a date of the year 262142"}
SKEWED = "RequestTimeTooSkewed"


def at_the_end_of_time(request: Request) -> bytes:
    """The last second that the clock can represent, and then a second passes."""
    if request.attempt == 1:
        return error(403, SKEWED, date="31 Dec 262142 23:59:59 GMT")
    time.sleep(1.1)
    return error(503, "SlowDown")


OUTSIDE: dict[str, tuple[Callable[[Request], bytes], str]] = {
    "an error of a terabyte": (lambda _: lying(error(403, "AccessDenied")), "access-denied"),
    "a listing of a terabyte": (lambda _: lying(page([])), "network"),
    "a date of the year 262142": (at_the_end_of_time, "credentials"),
    "a date before there were stores": (lambda _: error(403, SKEWED, date="01 Jan 0001 00:00:00 GMT"), "credentials"),
    "a page of ten megabytes": (lambda _: response(200, page([]) + b" " * (10 << 20)), "network"),
    "headers without an end": (lambda _: Cut(b"HTTP/1.1 200 -\r\n" + b"X-Much: of nothing\r\n" * 100_000), "network"),
    "one header without an end": (lambda _: Cut(b"HTTP/1.1 200 -\r\nX-Much: " + b"x" * (4 << 20)), "network"),
    "a body without an end": (lambda _: Cut(b"HTTP/1.1 200 -\r\n\r\n" + b" " * (20 << 20)), "network"),
    "chunks without an end": (
        lambda _: Cut(
            b"HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"100000\r\n" + b" " * (1 << 20) + b"\r\n") * 20
        ),
        "network",
    ),
    "a negative size": (lambda _: page([("a.json", -1)]), "protocol"),
    "a size beyond 64 bits": (lambda _: page([("a.json", 1 << 64)]), "protocol"),
    "a token that fits no address": (lambda _: page([("a.json", 1)], "t" * 70_000), "protocol"),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_store_cannot_end_the_process(name: str) -> None:
    script, expected = OUTSIDE[name]
    assert (kind_elsewhere if name in DEADLY else kind_of)(script) == expected


def test_an_endless_slow_body_is_cut() -> None:
    # An error of 100 MB is not read to its end: 64 KiB are enough.
    endless = Cut(
        b"HTTP/1.1 403 -\r\nContent-Length: 104857600\r\n\r\n<Error><Code>AccessDenied</Code></Error>"
        + b" " * (1 << 20)
    )
    with playing(lambda _: endless) as store, pytest.raises(ct.SourceError) as raised:
        ct.read("s3://bucket/", storage_options=store.options)
    assert raised.value.kind == "access-denied"


KEY = "111122223333_CloudTrail_us-east-1_20250312T0000Z_Ab12.json.gz"


def event(**more: object) -> str:
    described = {"key": KEY, **more}
    return json.dumps(
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "bucket"}, "object": described}}]}
    )


@pytest.mark.parametrize(
    "line",
    [
        " " * (5 << 20) + event(),
        json.dumps({"Body": "x" * (5 << 20)}),
        "[" * 100_000,
        event(key="a%FF.json.gz"),
        event(key="a\ud800.json.gz"),
        '{"s3Bucket": "bucket", "s3ObjectKey": ["' + "\\ud800" + KEY + '"]}',
    ],
    ids=["long", "long inside", "deep", "no UTF-8", "half a character", "half a character of CloudTrail"],
)
def test_impossible_messages_are_findings(line: str) -> None:
    messages = ct.Messages([line])
    assert list(messages) == []
    assert [bad.kind for bad in messages.bad] == ["invalid-message"]


@pytest.mark.parametrize("size", [-1, 1 << 63, 10**30, True, "7"])
def test_impossible_sizes_are_not_believed(size: object) -> None:
    assert [found.size for found in ct.Messages([event(size=size)])] == [None]


def inventory(folder: Path, rows: str, **more: object) -> ct.Inventory:
    (folder / "part.csv.gz").write_bytes(gzip.compress(rows.encode()))
    manifest = {"fileFormat": "CSV", "fileSchema": "Bucket, Key, Size", "files": [{"key": "part.csv.gz"}]} | more
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return ct.Inventory(folder / "manifest.json")


@pytest.mark.parametrize(
    "rows",
    [
        '"bucket","' + "x" * 100_000 + '","1"\n',
        f'"bucket","{KEY}","-1"\n',
        f'"bucket","{KEY}","{1 << 64}"\n',
        '"bucket","a%FF.json.gz","1"\n',
        f'"user@host","{KEY}","1"\n',
    ],
    ids=["a long row", "negative", "beyond 64 bits", "no UTF-8", "no bucket"],
)
def test_impossible_rows_of_an_inventory_are_reported(tmp_path: Path, rows: str) -> None:
    with pytest.raises(ct.FormatError) as raised:
        list(inventory(tmp_path, rows))
    assert raised.value.kind == "invalid-inventory"


@pytest.mark.parametrize(
    "more",
    [
        {"files": [{"key": "/etc/passwd"}]},
        {"files": [{"key": "../part.csv.gz"}]},
        {"files": [{"key": "part.csv.gz", "MD5checksum": 7}]},
        {"sourceBucket": "user@host"},
        {"destinationBucket": "arn:aws:s3:::host:80#"},
    ],
    ids=["absolute", "upwards", "no checksum", "no source", "no destination"],
)
def test_manifests_that_lead_elsewhere_are_reported(tmp_path: Path, more: dict[str, object]) -> None:
    with pytest.raises(ct.FormatError) as raised:
        list(inventory(tmp_path, f'"bucket","{KEY}","1"\n', **more))
    assert raised.value.kind == "invalid-inventory"


def test_a_deep_manifest_is_reported(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(ct.FormatError, match="the manifest is not JSON"):
        list(ct.Inventory(tmp_path / "manifest.json"))
