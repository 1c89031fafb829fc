"""Measure the cost of verifying years of hourly digests, and whether memory grows with their number.

    python benches/five_years.py [--hours 43824] [--regions 4] [--logs 0] [--folder DIR]

Makes chains of signed digests, of one account in some regions, with that many small log files in each hour, and
verifies a quarter, a half and all of each, in a separate process: processor time and peak memory; without rows for
valid files and, if there are log files, with them; otherwise without and with the page. The archive is kept.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "integrity"))

from signing import Last, der, digest, fingerprint, sha256, sign, string_to_sign

ACCOUNT, TRAIL, BUCKET = "111122223333", "audit", "amzn-s3-demo-bucket"
REGIONS = ("eu-west-1", "us-east-1", "ap-south-1", "sa-east-1", "eu-north-1", "us-west-2")
FIRST = datetime(2020, 1, 1, 0, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGE, DETAILS = "with the page", "with rows for valid files"


def chain(root: Path, region: str, hours: int, count: int, pem: bytes) -> None:
    """Write the digests of one region, and their log files."""
    key = load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signer, last = fingerprint(key), None
    text = b'{"Records":[]}'
    log = gzip.compress(text, 6, mtime=0)
    for hour in range(hours):
        start, end = FIRST + hour * HOUR, FIRST + (hour + 1) * HOUR
        name = f"{ACCOUNT}_CloudTrail-Digest_{region}_{TRAIL}_{REGIONS[0]}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        place = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/{name}"
        logs = []
        for number in range(count):
            name = f"{ACCOUNT}_CloudTrail_{region}_{start:%Y%m%dT%H%MZ}_{number:016}.json.gz"
            at = f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/{start:%Y/%m/%d}/{name}"
            if number == 0:
                (root / at).parent.mkdir(parents=True, exist_ok=True)
            (root / at).write_bytes(log)
            logs.append({"s3Bucket": BUCKET, "s3Object": at, "hashValue": sha256(text), "hashAlgorithm": "SHA-256"})
        content = digest(ACCOUNT, (start, end), (BUCKET, place), signer, logs, last)
        body = json.dumps(content, separators=(",", ":")).encode()
        last = Last(BUCKET, place, sha256(body), sign(key, string_to_sign(content, body)))
        path = root / place
        if end.hour == 0 or hour == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(body, 6, mtime=0))


def archive(folder: Path, regions: int, hours: int, logs: int) -> Path:
    """Make the archive, unless it exists."""
    root = folder / f"{regions}x{hours}x{logs}"
    if not (root / "keys.der").exists():
        root.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with ProcessPoolExecutor() as pool:
            list(pool.map(chain, repeat(root), REGIONS[:regions], repeat(hours), repeat(logs), repeat(pem)))
        (root / "keys.der").write_bytes(der(key))
    return root


def measure(root: Path, until: str, more: str) -> None:
    """Verify up to some time, with more than the verdict; print time and memory, and that of the interpreter before."""
    import polars as pl  # noqa: F401, PLC0415  # its import is no part of what is measured

    import ctfast as ct  # noqa: PLC0415  # in the process that is measured

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before, begin = peak(), os.times()
    found = ct.verify(root / "AWSLogs", keys=root / "keys.der", until=until, details=more == DETAILS)
    if more == PAGE:
        found.html()
    now = os.times()
    took = now.user + now.system - begin.user - begin.system
    files = sum(found.digest_counts) + sum(found.log_counts)
    print(json.dumps({"files": files, "seconds": took, "grown": (peak() - before) / 1024}))


def main() -> None:
    """Measure parts of the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=(5 * 365 + 2) * 24)
    parser.add_argument("--regions", type=int, default=4, choices=range(1, len(REGIONS) + 1))
    parser.add_argument("--logs", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ctfast-five-years")
    parser.add_argument("--measure", nargs=3, metavar=("DIR", "UNTIL", "MORE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        folder, until, more = options.measure
        measure(Path(folder), until, more)
        return
    root = archive(options.folder, options.regions, options.hours, options.logs)
    print("| files | | processor time, s | per file, µs | peak over the interpreter, MB |\n|--:|---|--:|--:|--:|")
    for more in ("", DETAILS if options.logs else PAGE):
        for part in (4, 2, 1):
            until = FIRST + options.hours // part * HOUR
            command = [sys.executable, __file__, "--measure", str(root), until.isoformat(), more]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            count, seconds = told["files"], told["seconds"]
            print(f"| {count:,} | {more} | {seconds:.1f} | {1e6 * seconds / count:.0f} | {told['grown']:.0f} |")


if __name__ == "__main__":
    main()
