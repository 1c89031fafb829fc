"""One mapping of storage options reaches a bucket through the scan, deltalake, obstore and Polars alike."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import socket
import ssl
import time
from asyncio import StreamWriter, sleep
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import deltalake
import obstore
import polars as pl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from obstore.store import S3Store

import ctfast as ct
from ctfast._aws.credentials import PLAIN
from ctfast._store.reach import Reach
from loopback import Request, Traffic, error, response, serving

_KEYS = {"access_key_id": "KEY", "secret_access_key": "a-secret"}
_UNTIL = "2099-01-01T00:00:00Z"
_WEB = (
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>WEB</AccessKeyId>"
    f"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{_UNTIL}</Expiration></Credentials>"
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
)


def _found(key: str) -> bytes:
    facts = {"Code": "Success", "AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": _UNTIL}
    return response(200, json.dumps(facts | {"LastUpdated": "2020-01-01T00:00:00Z"}).encode(), kind="application/json")


@dataclass
class Recorder:
    """An empty store, which also issues credentials, and keeps the requests."""

    endpoint: str = ""
    requests: list[Request] = field(default_factory=list)
    others: list[Request] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    delay: float = 0
    status: int = 404

    async def answer(self, request: Request, writer: StreamWriter) -> None:
        for path, answer in {
            "/creds": _found("CONTAINER"),
            "/latest/api/token": error(403, "Forbidden"),
            "/latest/meta-data/iam/security-credentials/role": _found("INSTANCE"),
            "/latest/meta-data/iam/security-credentials": response(200, b"role", kind="text/plain"),
            "AssumeRoleWithWebIdentity": response(200, _WEB.encode()),
        }.items():
            if path in request.target or path.encode() in request.body:
                self.others.append(request)
                writer.write(answer)
                return
        self.requests.append(request)
        await sleep(self.delay)
        writer.write(error(self.status, "NoSuchKey" if self.status == 404 else "SlowDown"))

    def left(self, writer: StreamWriter) -> None:
        """Do nothing: there is no other connection."""


@contextmanager
def recording(tls: ssl.SSLContext | None = None) -> Iterator[Recorder]:
    recorder = Recorder()
    with serving(recorder, recorder.traffic, tls) as endpoint:
        recorder.endpoint = endpoint
        yield recorder


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "SSL_CERT_FILE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def scan(options: dict[str, str]) -> None:
    ct.read("s3://bucket/lake/x.json", storage_options=options)


def delta(options: dict[str, str]) -> None:
    deltalake.DeltaTable("s3://bucket/lake", storage_options=Reach(options).deltalake())


def objects(options: dict[str, str]) -> None:
    obstore.head(S3Store("bucket", prefix="lake", **Reach(options).obstore()), "x.json")


def frames(options: dict[str, str]) -> None:
    pl.scan_parquet(["s3://bucket/lake/x.parquet"], glob=False, **Reach(options).polars()).collect()


WAYS = (scan, delta, objects, frames)
every_way = pytest.mark.parametrize("way", WAYS)


def said(recorder: Recorder, way: Callable[[dict[str, str]], None], options: dict[str, str]) -> list[Request]:
    """The requests of one way; what they ask for is not there."""
    recorder.requests.clear()
    given = {"endpoint": recorder.endpoint, "max_retries": "0", **options}
    with suppress(Exception):
        way(given)
    return list(recorder.requests)


def key_of(request: Request) -> str:
    return request.headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]


#: Options with a check of what is requested with them, and keys unless they bring their own.
SEEN: dict[str, tuple[dict[str, str], Callable[[Request], bool]]] = {
    "access_key_id": ({"access_key_id": "OTHER"}, lambda request: key_of(request) == "OTHER"),
    "session_token": ({"session_token": "tok"}, lambda request: request.headers.get("x-amz-security-token") == "tok"),
    "token": ({"token": "tok"}, lambda request: request.headers.get("x-amz-security-token") == "tok"),
    "region": ({"region": "eu-west-9"}, lambda request: "/eu-west-9/s3/" in request.headers["authorization"]),
    "default_region": (
        {"default_region": "eu-west-9"},
        lambda request: "/eu-west-9/s3/" in request.headers["authorization"],
    ),
    "skip_signature": ({"skip_signature": "true"}, lambda request: "authorization" not in request.headers),
    "request_payer": (
        {"request_payer": "true"},
        lambda request: request.headers.get("x-amz-request-payer") == "requester",
    ),
    "user_agent": ({"user_agent": "somebody"}, lambda request: request.headers["user-agent"] == "somebody"),
    "disable_system_certificates": ({"disable_system_certificates": "true"}, lambda request: key_of(request) == "KEY"),
    "pool_idle_timeout": ({"pool_idle_timeout": "5 s"}, lambda request: key_of(request) == "KEY"),
    "pool_max_idle_per_host": ({"pool_max_idle_per_host": "1"}, lambda request: key_of(request) == "KEY"),
}


@every_way
@pytest.mark.parametrize("name", SEEN)
def test_an_option_is_seen(name: str, way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    options, is_right = SEEN[name]
    requests = said(recorder, way, _KEYS | options)
    assert requests
    assert all(map(is_right, requests))
    assert not any(map(is_right, said(recorder, way, _KEYS))) or "pool" in name or "disable" in name


@every_way
def test_a_secret_signs(way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    """Requests of one second that differ in the secret alone have other signatures."""
    for _ in range(5):
        pair = [said(recorder, way, _KEYS | {"secret_access_key": secret})[0] for secret in ("one", "two")]
        dates = {request.headers["x-amz-date"] for request in pair}
        if len(dates) == 1:
            break
    assert len({request.headers["authorization"] for request in pair}) == 2


@every_way
@pytest.mark.parametrize("name", ["endpoint", "endpoint_url", "endpoint_url_s3"])
def test_an_endpoint(name: str, way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    with suppress(Exception):
        way({**_KEYS, "max_retries": "0", name: f"{recorder.endpoint}/"})
    assert recorder.requests


@every_way
def test_plain_http_that_is_forbidden(way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    assert said(recorder, way, _KEYS | {"allow_http": "false"}) == []


@every_way
def test_the_bucket_in_the_host_and_a_proxy(way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    options = _KEYS | {"endpoint": "http://store.example", "proxy_url": recorder.endpoint}
    assert {request.headers["host"] for request in said(recorder, way, options)} == {"store.example"}
    options |= {"endpoint": "http://bucket.store.example", "virtual_hosted_style_request": "true"}
    requests = said(recorder, way, options)
    assert {request.headers["host"] for request in requests} == {"bucket.store.example"}
    assert not any("example/bucket" in request.target for request in requests)


@every_way
def test_hosts_without_a_proxy(way: Callable[[dict[str, str]], None], recorder: Recorder, certificate: Path) -> None:
    options = {"proxy_url": "http://127.0.0.1:9", "proxy_ca_certificate": certificate.read_text()}
    assert said(recorder, way, _KEYS | options) == []
    assert said(recorder, way, _KEYS | options | {"proxy_excludes": "127.0.0.1"})


@every_way
@pytest.mark.parametrize("name", ["read_timeout", "timeout"])
def test_an_answer_that_takes_too_long(name: str, way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    recorder.delay = 3
    begin = time.monotonic()
    assert said(recorder, way, _KEYS | {name: "100 ms"})
    assert time.monotonic() - begin < 2.5


@every_way
def test_a_connection_that_takes_too_long(way: Callable[[dict[str, str]], None]) -> None:
    """A socket that nobody accepts from: when its queue is full, a connection waits."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(busy.getsockname())
        begin = time.monotonic()
        with suppress(Exception):
            way({**_KEYS, "endpoint": f"http://127.0.0.1:{busy.getsockname()[1]}", "connect_timeout": "100 ms"} | _ONCE)
        assert time.monotonic() - begin < 3
        for each in waiting:
            each.close()


_ONCE = {"max_retries": "0", "read_timeout": "10 s"}


@every_way
def test_how_often_it_is_tried(way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    recorder.status = 503
    said(recorder, way, _KEYS)
    once = max(recorder.traffic.attempts.values())
    recorder.traffic.attempts.clear()
    said(recorder, way, _KEYS | {"max_retries": "2"})
    assert max(recorder.traffic.attempts.values()) == 3 * once


@every_way
def test_credentials_of_a_container(way: Callable[[dict[str, str]], None], recorder: Recorder, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token")
    options = {"container_authorization_token_file": str(token)}
    requests = said(recorder, way, options | {"container_credentials_full_uri": f"{recorder.endpoint}/creds"})
    assert {key_of(request) for request in requests} == {"CONTAINER"}
    assert recorder.others[0].headers["authorization"] == "a-token"


@every_way
def test_credentials_of_a_task(way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    options = {"container_credentials_relative_uri": "/creds", "proxy_url": recorder.endpoint}
    requests = said(recorder, way, options)
    assert {key_of(request) for request in requests} == {"CONTAINER"}
    assert recorder.others[0].target == "http://169.254.170.2/creds"


@every_way
def test_credentials_of_an_instance(way: Callable[[dict[str, str]], None], recorder: Recorder) -> None:
    options = {"metadata_endpoint": recorder.endpoint}
    assert said(recorder, way, options) == []
    requests = said(recorder, way, options | {"imdsv1_fallback": "true"})
    assert {key_of(request) for request in requests} == {"INSTANCE"}


@every_way
def test_credentials_of_an_identity(
    way: Callable[[dict[str, str]], None], certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("a-token")
    options = {
        "web_identity_token_file": str(token),
        "role_arn": "arn:aws:iam::111122223333:role/reader",
        "role_session_name": "a-session",
        "allow_invalid_certificates": "true",
    }
    with recording(served_with(certificate)) as recorder:
        requests = said(recorder, way, options | {"endpoint_url_sts": recorder.endpoint})
        assert {key_of(request) for request in requests} == {"WEB"}
        asked = recorder.others[0].target + recorder.others[0].body.decode()
        assert "a-session" in asked
        assert "role%2Freader" in asked or "role/reader" in asked


@every_way
def test_a_profile(
    way: Callable[[dict[str, str]], None], recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text("[profile audit]\naws_access_key_id = OF_PROFILE\naws_secret_access_key = s\nregion = eu-west-9\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    requests = said(recorder, way, {"profile": "audit"})
    assert {key_of(request) for request in requests} == {"OF_PROFILE"}
    assert all("/eu-west-9/s3/" in request.headers["authorization"] for request in requests)


@every_way
def test_certificates(
    way: Callable[[dict[str, str]], None], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file: those of the scan by an option, those of the others by a variable as well."""
    with recording(served_with(certificate)) as recorder:
        assert said(recorder, way, _KEYS) == []
        options = _KEYS | {"aws_ca_bundle": str(certificate)}
        if way is not scan:
            with pytest.raises(ValueError, match="SSL_CERT_FILE, not aws_ca_bundle: set it"):
                way(options)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert said(recorder, way, options)


def test_each_option_has_a_test() -> None:
    text = Path(__file__).read_text()
    assert [name for name in PLAIN if f'"{name}"' not in text] == []


# The environment


@every_way
def test_the_environment_comes_after_the_options(
    way: Callable[[dict[str, str]], None], recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-9")
    requests = said(recorder, way, {})
    assert {key_of(request) for request in requests} == {"ENVIRONMENT"}
    assert all("/eu-west-9/s3/" in request.headers["authorization"] for request in requests)
    requests = said(recorder, way, _KEYS | {"region": "eu-west-8"})
    assert {key_of(request) for request in requests} == {"KEY"}
    assert all("/eu-west-8/s3/" in request.headers["authorization"] for request in requests)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AWS_S3_ALLOW_UNSAFE_RENAME", "two commits at once may replace each other: unset it"),
        ("AWS_SESSION_TOKEN", "does not belong to the key of the storage options"),
    ],
)
def test_settings_that_a_lake_refuses(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "true")
    with pytest.raises(ValueError, match=words):
        ct.Lake("s3://bucket/lake", storage_options=_KEYS)


def test_an_option_of_deltalake_alone_is_unknown() -> None:
    with pytest.raises(ct.ArgumentError, match="storage_options has no 'AWS_S3_ALLOW_UNSAFE_RENAME'"):
        ct.Lake("s3://bucket/lake", storage_options={"AWS_S3_ALLOW_UNSAFE_RENAME": "true"})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an authority that nobody trusts; beside it a certificate of loopback, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = dt.datetime.now(dt.UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    for file, subject, of, extension in (
        ("certificate.pem", issuer, authority, x509.BasicConstraints(ca=True, path_length=None)),
        ("server.pem", x509.Name([]), key, address),
    ):
        made = (
            x509.CertificateBuilder(issuer, subject, of.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(extension, critical=True)
            .sign(authority, hashes.SHA256())
        )
        (folder / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.key").write_bytes(key.private_bytes(*form))
    return folder / "certificate.pem"


def served_with(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.with_name("server.pem"), certificate.with_name("server.key"))
    return context
