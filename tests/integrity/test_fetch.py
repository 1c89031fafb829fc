"""Keys and signatures, fetched by boto3 from servers on loopback; and the errors when they cannot be fetched."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

import ctfast as ct
from aws import Control, control, put
from cases import Case
from chains import FIRST, HOME, HOUR, OTHER, SECOND, START, split
from ctfast.cli import main
from seaweed import ACCESS, SECRET, Store

CLOSED = "http://127.0.0.1:9"  # no server listens there


@pytest.fixture(autouse=True)
def nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_ROLE_ARN",
    ):
        monkeypatch.delenv(name, raising=False)
    settings = {
        "AWS_ACCESS_KEY_ID": ACCESS,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_ENDPOINT_URL": CLOSED,
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def case(store: Store) -> Case:
    """An archive in a bucket: digests of two regions, and log files."""
    made = Case("fetch", "nothing")
    made.keys[HOME].append(SECOND.public())
    made.chain().hours(40, logs=1).hours(2, key=SECOND)
    made.chain(3, region=OTHER)
    put(made.archive, store, set())
    return made


@contextmanager
def answering(answer: Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]) -> Iterator[str]:
    """A server of AWS's JSON protocol: the answer to an action."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = answer(self.headers["X-Amz-Target"].rpartition(".")[2], request)
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def services(case: Case, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    with control() as made:
        made.cases["fetch"] = case
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", f"{made.endpoint}/fetch")
        yield made


def test_what_was_fetched_verifies(
    case: Case, store: Store, services: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.endpoint)
    keys = ct.fetch_keys([HOME, OTHER], since=START, until=case.end)
    signatures = ct.fetch_signatures(f"s3://{case.bucket}")
    root = case.archive.write(tmp_path) / case.bucket
    assert ct.verify(root, keys=keys, signatures=signatures, since=START, until=case.chains[1].clock).ok


@pytest.mark.parametrize("threads", [1, 3, 64])
def test_every_digest_has_its_own_metadata(case: Case, store: Store, threads: int) -> None:
    found = ct.fetch_signatures(f"s3://{case.bucket}/", client=store.client, threads=threads)
    assert found == {address.removeprefix("s3://"): saved for address, saved in case.archive.signatures().items()}


def test_signatures_of_a_part(case: Case, store: Store) -> None:
    part = f"s3://{case.bucket}/AWSLogs/111122223333/CloudTrail-Digest/{OTHER}/"
    assert set(ct.fetch_signatures(part, client=store.client)) == {
        split(file)[0] + "/" + split(file)[1] for file in case.chains[1].digests
    }
    assert ct.fetch_signatures(f"s3://{case.bucket}/other/", client=store.client) == {}


def test_several_are_asked_for_at_once_and_not_all(case: Case, store: Store) -> None:
    most, now, lock, first = [0], [0], threading.Lock(), threading.Barrier(4)

    def begin(**_: Any) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            waits = next(numbers) < 4
        if waits:
            first.wait(30)  # the barrier breaks if there are never four requests at once

    def end(**_: Any) -> None:
        with lock:
            now[0] -= 1

    numbers = count()
    client = boto3.client("s3", endpoint_url=store.endpoint)
    client.meta.events.register("before-send.s3.HeadObject", begin)
    client.meta.events.register("after-call.s3.HeadObject", end)
    with client_closed(client):
        found = ct.fetch_signatures(f"s3://{case.bucket}/", client=client, threads=4)
    assert len(found) == 45
    assert most == [4]


@contextmanager
def client_closed(client: Any) -> Iterator[None]:
    try:
        yield
    finally:
        client.close()


def test_keys_are_kept(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def answer(action: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert action == "ListPublicKeys"
        asked.append(request)
        if "NextToken" in request:
            return 200, {"PublicKeyList": [SECOND.public()]}
        return 200, {"PublicKeyList": [FIRST.public(Fingerprint="believed by nobody")], "NextToken": "more"}

    cache, until = tmp_path / "keys.json", START + 5 * HOUR
    with answering(answer) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", endpoint)
        keys = ct.fetch_keys([HOME], since=START, until=until, cache=cache)
        assert {key.fingerprint for key in keys} == {FIRST.fingerprint, SECOND.fingerprint}
        times = [(request["StartTime"], request["EndTime"]) for request in asked]
        assert times == [(moment(START), moment(until + 2 * HOUR))] * 2
        assert ct.fetch_keys(HOME, since=START + HOUR, until=until, cache=cache) == keys
        assert len(asked) == 2
        ct.fetch_keys(HOME, since=START - HOUR, until=until, cache=cache)
        assert len(asked) == 4
        ct.fetch_keys(HOME, since=START - HOUR, until=until, cache=cache)
        assert len(asked) == 4


def moment(time: datetime) -> float:
    return time.timestamp()


@pytest.mark.parametrize("content", ['{"PublicKeyList": []}', "[1]", '{"eu-west-1": 1}', "junk", '{"eu-west-1": {}}'])
def test_a_file_of_something_else_is_not_written_over(tmp_path: Path, content: str) -> None:
    cache = tmp_path / "keys.json"
    cache.write_text(content)
    with pytest.raises(ValueError, match="does not hold keys that were fetched before"):
        ct.fetch_keys(HOME, since=START, until=START + HOUR, cache=cache)
    assert cache.read_text() == content


# -- trouble ---------------------------------------------------------------------------------------------------------


def trouble(call: Callable[[], object]) -> ct.ServiceError:
    with pytest.raises(ct.ServiceError) as raised:
        call()
    error = raised.value
    assert error.__cause__ is not None
    assert "\n" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.kind, again.code, again.status) == (str(error), error.kind, error.code, error.status)
    return error


def keys() -> object:
    return ct.fetch_keys(HOME, since=START, until=START + HOUR)


def test_access_denied_to_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "User: arn:aws:iam::111122223333:user/a is not authorized to perform: cloudtrail:ListPublicKeys"
    with answering(lambda *_: (400, {"__type": "AccessDeniedException", "message": words})) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", endpoint)
        error = trouble(keys)
    assert (error.kind, error.code, error.status) == ("refused", "AccessDeniedException", 400)
    assert (error.operation, error.key) == ("ListPublicKeys", HOME)
    assert str(error) == f"ListPublicKeys, {HOME}: AWS refuses: AccessDeniedException: {words[:1].lower()}{words[1:]}"


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert trouble(keys).kind == "credentials"
    error = trouble(lambda: ct.fetch_signatures("s3://bucket/prefix"))
    assert (error.kind, error.operation, error.key) == ("credentials", "ListObjectsV2", "s3://bucket/prefix")
    assert "no credentials: unable to locate credentials; set AWS_PROFILE" in str(error)


def test_half_of_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert trouble(keys).kind == "credentials"


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "audit")
    error = trouble(keys)
    assert error.kind == "configuration"
    assert "profile (audit) could not be found" in str(error)


def test_an_unreachable_service() -> None:
    error = trouble(keys)
    assert (error.kind, error.code, error.status) == ("unreachable", None, None)
    assert CLOSED in str(error)
    assert trouble(lambda: ct.fetch_signatures("s3://bucket")).kind == "unreachable"


def test_a_bucket_that_is_not_there(store: Store) -> None:
    error = trouble(lambda: ct.fetch_signatures("s3://no-such-bucket", client=store.client))
    assert (error.kind, error.code, error.status) == ("refused", "NoSuchBucket", 404)


def test_access_denied_to_one_object(case: Case, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # The listing is allowed, but the object is not: its request gets a wrong signature.
    client = boto3.client("s3", endpoint_url=store.endpoint)

    def spoil(request: Any, **_: Any) -> None:
        request.headers["Authorization"] = request.headers["Authorization"].replace(b"Signature=", b"Signature=0")

    client.meta.events.register("before-send.s3.HeadObject", spoil)
    with client_closed(client):
        error = trouble(lambda: ct.fetch_signatures(f"s3://{case.bucket}", client=client))
    assert (error.kind, error.code, error.status, error.operation) == ("refused", "403", 403, "HeadObject")
    assert error.key in case.archive.objects


@pytest.mark.parametrize(
    "command", [["fetch-keys", "--region", HOME, "--since", "2026-01-01"], ["fetch-signatures", "s3://bucket"]]
)
def test_the_command_says_one_sentence(command: list[str], tmp_path: Path) -> None:
    target = tmp_path / "saved.json"
    result = CliRunner().invoke(main, [*command, "-o", str(target)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("ctfast: List")
    assert result.stderr.count("\n") == 1
    assert not target.exists()


def test_threads_are_positive() -> None:
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        ct.fetch_signatures("s3://bucket", threads=0)
