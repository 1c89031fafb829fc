"""The oracle: ``aws cloudtrail validate-logs``, the real one, against a real S3 server on loopback.

SeaweedFS keeps the objects and their metadata. DescribeTrails, DescribeOrganization and ListPublicKeys are answered by
a few lines of HTTP; nothing leaves the machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Any

from cases import Case, Run
from chains import ORGANIZATION, Archive, iso, split
from seaweed import ACCESS, SECRET, Store

VERSION = version("awscli")
WORDS = {
    "valid": "valid",
    "INVALID: has been moved from its original location": "moved",
    "INVALID: invalid format": "format",
    "INVALID: not found": "missing",
    "INVALID: signature verification failed": "signature",
    "INVALID: hash value doesn't match": "hash",
    "INVALID: unexpected data after end of compressed stream": "trailing",
}
LINE = re.compile(r"(?:\(backfill\) )?(?:Digest|Log) file\t(s3://[^\t]+)\t(valid|INVALID: .*)")


# -- CloudTrail and Organizations ---


@dataclass
class Control:
    """The answers of DescribeTrails and ListPublicKeys, per scenario: the first part of the path is its name."""

    endpoint: str
    cases: dict[str, Case] = field(default_factory=dict)

    def answer(self, path: str, action: str, region: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        case = self.cases[path.strip("/").split("/")[0]]
        match action:
            case "DescribeTrails":
                return {"trailList": [_describe(run) for run in case.runs]}
            case "DescribeOrganization":
                return {"Organization": {"Id": ORGANIZATION}}
            case "ListPublicKeys":
                start, end = request["StartTime"], request["EndTime"]
                keys = case.keys.get(region, [])
                return {
                    "PublicKeyList": [
                        k for k in keys if k["ValidityStartTime"] <= end and k["ValidityEndTime"] >= start
                    ]
                }
        raise LookupError(action)


def _describe(run: Run) -> dict[str, Any]:
    trail = run.trail
    found = {"TrailARN": trail.arn, "S3BucketName": trail.bucket, "IsOrganizationTrail": bool(trail.organization)}
    return found | ({"S3KeyPrefix": trail.prefix} if trail.prefix else {})


@contextmanager
def control() -> Iterator[Control]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = self.headers["X-Amz-Target"].rpartition(".")[2]
            # Credential=<id>/<date>/<region>/<service>/aws4_request
            region = self.headers["Authorization"].split("/")[2]
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(made.answer(self.path, action, region, request)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Control(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


# -- the CLI ---


@dataclass
class Answer:
    """The output of one or more runs."""

    files: dict[str, str] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    gaps: int = 0
    out: list[str] = field(default_factory=list)  # of each run
    err: list[str] = field(default_factory=list)

    @property
    def aborted(self) -> bool:
        return any(code not in (0, 1) for code in self.codes)

    @property
    def ok(self) -> bool:
        return not any(self.codes)

    def read(self, output: str) -> None:
        for line in output.splitlines():
            if match := LINE.fullmatch(line):
                file, said = match.groups()
                word = WORDS.get(said, "error")
                if said.startswith(("INVALID: public key not found", "INVALID: Unable to load PKCS")):
                    word = "key"
                # A file may be mentioned more than once: the worst verdict counts.
                if self.files.get(file, "valid") == "valid":
                    self.files[file] = word
            self.gaps += "No log files were delivered by CloudTrail between" in line


@dataclass
class Oracle:
    store: Store
    control: Control
    home: Path

    def ask(self, case: Case) -> Answer:
        """Upload the scenario's archive and validate every account and region of it."""
        self.control.cases[case.name] = case
        put(case.archive, self.store, {run.trail.bucket for run in case.runs})
        answer = Answer()
        for run in case.runs:
            done = self._run(case, run)
            answer.codes.append(done.returncode)
            answer.out.append(done.stdout)
            answer.err.append(done.stderr)
            answer.read(done.stdout + done.stderr)
        return answer

    def _run(self, case: Case, run: Run) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "awscli",
            "cloudtrail",
            "validate-logs",
            "--verbose",
            "--trail-arn",
            run.trail.arn,
        ]
        command += ["--start-time", iso(case.since), "--end-time", iso(case.end), "--region", run.region]
        if run.bucket:
            command += ["--s3-bucket", run.bucket]
        if run.trail.organization:
            command += ["--account-id", run.account]
        services = f"{self.control.endpoint}/{case.name}"
        # Without the user's settings: no profile, no proxy, no credentials.
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "AWS_CONFIG_FILE": str(self.home / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "none"),
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
            "AWS_ENDPOINT_URL_S3": self.store.endpoint,
            "AWS_ENDPOINT_URL_CLOUDTRAIL": services,
            "AWS_ENDPOINT_URL_ORGANIZATIONS": services,
            "PYTHONUTF8": "1",
        }
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def ask_all(self, cases: list[Case], processes: int = 2) -> dict[str, Answer]:
        with ThreadPoolExecutor(processes) as pool:
            return dict(zip([case.name for case in cases], pool.map(self.ask, cases), strict=True))


def put(archive: Archive, store: Store, buckets: set[str]) -> None:
    """Upload an archive, digests with their metadata, to the buckets that it names, which are created."""
    for bucket in {*archive.buckets(), *buckets}:
        store.create(bucket)
    for address, found in archive.objects.items():
        bucket, key = split(address)
        store.put(bucket, key, found.body, found.metadata)


@contextmanager
def oracle(folder: Path, store: Store) -> Iterator[Oracle]:
    with control() as services:
        yield Oracle(store, services, folder)
