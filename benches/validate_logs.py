"""`ctfast verify` compared with `aws cloudtrail validate-logs`, over the same S3 server on loopback.

    python benches/validate_logs.py [--days 30] [--logs 12] [--rounds 3]

One account and region, the given number of log files an hour, signed digests with their metadata. Both are whole
processes and must find every digest and every log file valid. They take turns; the ratio of the medians counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "integrity")]

from aws import control, put
from cases import Case
from chains import FIRST, HOME, START, iso
from seaweed import ACCESS, SECRET, seaweed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--logs", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    case = Case("month", "nothing")
    case.keys = {HOME: [FIRST.public(ValidityEndTime=(START + timedelta(days=arguments.days + 1)).timestamp())]}
    case.chain().hours(24 * arguments.days, logs=arguments.logs)
    digests, logs = 24 * arguments.days, 24 * arguments.days * arguments.logs
    with tempfile.TemporaryDirectory() as folder, seaweed(Path(folder)) as store, control() as services:
        services.cases[case.name] = case
        put(case.archive, store, set())
        answers = f"{services.endpoint}/{case.name}"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": folder,
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": HOME,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_S3": store.endpoint,
            "AWS_ENDPOINT_URL_CLOUDTRAIL": answers,
            "NO_PROXY": "127.0.0.1",
        }
        bounds = (iso(case.since), iso(case.end))
        keys = str(Path(folder) / "keys.json")
        trail = case.runs[0].trail.arn

        def run(*command: str) -> tuple[float, str]:
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, check=False
            )
            seconds = time.perf_counter() - start
            if done.returncode:
                raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
            return seconds, done.stdout

        run("ctfast", "fetch-keys", "--region", HOME, "--since", iso(START), "--until", bounds[1], "-o", keys)
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            seconds, said = run(
                "ctfast",
                "verify",
                f"s3://{case.bucket}",
                "--keys",
                keys,
                "--since",
                bounds[0],
                "--until",
                bounds[1],
                "--like-aws",
            )
            assert f"{digests}/{digests} digest files valid" in said, said[-2000:]
            assert f"{logs}/{logs} log files valid" in said, said[-2000:]
            ours.append(seconds)
            command = ["awscli", "cloudtrail", "validate-logs", "--trail-arn", trail, "--region", HOME]
            seconds, said = run(*command, "--start-time", bounds[0], "--end-time", bounds[1])
            assert f"{digests}/{digests} digest files valid" in said, said[-2000:]
            assert f"{logs}/{logs} log files valid" in said, said[-2000:]
            theirs.append(seconds)
    print(f"{digests} digests, {logs} log files, {arguments.rounds} rounds")
    ctfast, cli = median(ours), median(theirs)
    print(f"ctfast verify {ctfast:.2f} s, aws cloudtrail validate-logs {cli:.2f} s: {cli / ctfast:.1f} times")


if __name__ == "__main__":
    main()
