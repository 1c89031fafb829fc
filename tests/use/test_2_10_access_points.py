"""2.10: access points are sources, by ARN or alias, addressed as by AWS, as far as a local store can show."""

from __future__ import annotations

from asyncio import StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast.cli import main
from loopback import Request, Traffic, error, serving
from mirrored import options_of
from synthetic import Bucket, served

ARN = "arn:aws:s3:eu-west-1:111122223333:accesspoint/audit-logs"
IN_PATH = "audit-logs-111122223333"


class Recorded(Bucket):
    """A bucket that records its requests."""

    asked: list[Request]

    async def answer(self, request: Request, writer: StreamWriter) -> None:
        self.asked.append(request)
        if request.target.startswith("http://"):  # as proxies are asked
            request = replace(request, target=f"/bucket{request.target.partition('.example')[2]}")
        await super().answer(request, writer)


@pytest.fixture
def bucket() -> Iterator[Recorded]:
    made = Recorded(accounts=1, regions=["eu-west-1"], first=date(2025, 3, 12), days=1, files=3, digests=False)
    made.asked = []
    with served(made):
        yield made


@pytest.mark.parametrize(
    "source", [ARN, f"s3://{ARN}", f"s3://{ARN}/", f"{ARN}/AWSLogs/", ARN.replace("point/", "point:")]
)
def test_a_source(source: str, bucket: Recorded) -> None:
    frame = ct.read(source, storage_options=options_of(bucket.endpoint))
    assert frame.height == 3
    assert all(name.startswith(f"s3://{ARN}/AWSLogs/") for name in frame["file"])
    assert {request.bucket for request in bucket.asked} == {IN_PATH}
    # Signed for the region of the access point, whatever the options say.
    assert all("/eu-west-1/s3/aws4_request" in request.headers["authorization"] for request in bucket.asked)
    # The file of a row is an address that can be read.
    assert ct.read(frame["file"][0], storage_options=options_of(bucket.endpoint)).height == 1


def test_the_other_readers(bucket: Recorded, tmp_path: Path) -> None:
    options = options_of(bucket.endpoint)
    assert ct.info(ARN, storage_options=options, since="2025-03-12").report.files.read == 3
    with ct.Checkpoint(tmp_path / "state") as checkpoint:
        assert sum(batch.num_rows for batch in ct.stream(ARN, storage_options=options, checkpoint=checkpoint)) == 3
    arguments = [f"--storage-option={name}={value}" for name, value in options.items()]
    result = CliRunner().invoke(main, ["scan", f"{ARN}/AWSLogs/", "--columns", "eventName", *arguments])
    assert (result.exit_code, result.stdout) == (0, '{"eventName":"ListBuckets"}\n' * 3)


def test_a_host_of_its_own(bucket: Recorded) -> None:
    """Below an endpoint with a name, such as that of a VPC. The store stands in for the proxy that leads there."""
    options = options_of("http://accesspoint.vpce-1a2b.example", proxy_url=bucket.endpoint)
    assert ct.read(ARN, storage_options=options).height == 3
    hosts = {request.headers["host"] for request in bucket.asked}
    assert hosts == {f"{IN_PATH}.accesspoint.vpce-1a2b.example"}
    assert all(not request.target.partition(".example/")[2].startswith(IN_PATH) for request in bucket.asked)


class Refusing:
    """A proxy that refuses every request."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: Request, writer: StreamWriter) -> None:
        self.asked.append(request.target)
        writer.write(error(403, "Forbidden"))

    def left(self, writer: StreamWriter) -> None:
        pass


@contextmanager
def refusing() -> Iterator[tuple[Refusing, str]]:
    server = Refusing()
    with serving(server, Traffic()) as endpoint:
        yield server, endpoint


@pytest.mark.parametrize(
    ("source", "host"),
    [
        (ARN, f"{IN_PATH}.s3-accesspoint.eu-west-1.amazonaws.com:443"),
        (
            ARN.replace("aws:s3:eu-west-1", "aws-cn:s3:cn-north-1"),
            f"{IN_PATH}.s3-accesspoint.cn-north-1.amazonaws.com.cn:443",
        ),
        (
            "s3://audit-7h3k9example1b2c-s3alias/AWSLogs/",
            "audit-7h3k9example1b2c-s3alias.s3.us-west-2.amazonaws.com:443",
        ),
    ],
)
def test_where_aws_has_them(source: str, host: str) -> None:
    with refusing() as (proxy, endpoint):
        options = {"proxy_url": endpoint, "access_key_id": "x", "secret_access_key": "x", "max_retries": "0"}
        with pytest.raises(ct.SourceError):
            ct.read(source, storage_options=options | {"region": "us-west-2"})
    assert set(proxy.asked) == {host}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (ARN.replace("eu-west-1", ""), "access points of several regions are not read"),
        (ARN.replace(":s3:", ":s3-object-lambda:"), "only those of S3's own access points are read"),
        (ARN.replace("eu-west-1", "eu-west1"), "the region in the ARN is none: they are such as us-east-1"),
        (ARN.replace("111122223333", "1111"), "the account in the ARN has 12 digits"),
        (ARN.replace("audit-logs", "Audit"), "an access point has 3 to 50 lower-case letters"),
        (f"s3://{ARN.replace('eu-west-1', 'evil.com#')}", "the region in the ARN is none"),
    ],
)
def test_what_is_no_access_point(source: str, words: str) -> None:
    with pytest.raises(ct.ArgumentError, match=words):
        ct.read(source)


@pytest.mark.parametrize("source", [ARN, f"s3://{ARN}/x", "s3://audit-7h3k9example1b2c-s3alias/"])
def test_signatures_are_kept_under_the_name_of_the_bucket(source: str, tmp_path: Path) -> None:
    calls: list[Any] = [lambda: ct.copy(source, tmp_path / "to"), lambda: ct.fetch_signatures(source)]
    for call in calls:
        with pytest.raises(ct.ArgumentError, match=r"does not tell the bucket, .*: name the bucket"):
            call()


def test_nothing_in_a_bucket(bucket: Recorded) -> None:
    """2.08 for a bucket: no more requests than needed to find out."""
    options = options_of(bucket.endpoint)
    account = bucket.account_ids[0]
    report = ct.Report()
    with pytest.warns(ct.NothingChosen, match="no file has the region 'eu-wst-1'; did you mean 'eu-west-1'?"):
        ct.read("s3://bucket", regions="eu-wst-1", storage_options=options, report=report)
    assert report.requests.lists == len(bucket.asked) < 6
    near = f"{int(account) + 1}"
    with pytest.warns(ct.NothingChosen, match=rf"no file has the account '{near}'; did you mean '{account}'\?"):
        ct.read("s3://bucket", accounts=near, storage_options=options)
    with pytest.raises(FileNotFoundError):
        ct.read("s3://bucket/nothing/here/", storage_options=options)
    # The folder of the region exists, but has nothing of that time.
    ct.read("s3://bucket", regions="eu-west-1", since="2033-01-01", storage_options=options, report=report)
    assert [found.reason for found in report.unmatched] == ["time"]


def test_nothing_to_copy(bucket: Recorded, tmp_path: Path) -> None:
    options = options_of(bucket.endpoint)
    with pytest.warns(ct.NothingChosen, match="did you mean 'eu-west-1'?"):
        done = ct.copy("s3://bucket", tmp_path / "to", regions="eu-wst-1", storage_options=options)
    assert (done.listed, [found.names for found in done.unmatched]) == (0, [("eu-wst-1",)])
    arguments = [f"--storage-option={name}={value}" for name, value in options.items()]
    result = CliRunner().invoke(main, ["copy", "s3://bucket", str(tmp_path / "to"), "--region", "eu-wst-1", *arguments])
    assert result.exit_code == 2
    assert "ctfast: no file has the region 'eu-wst-1'; did you mean 'eu-west-1'?" in result.stderr
