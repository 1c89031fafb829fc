"""Measure what verifying years of empty hourly digests costs, and whether its memory grows with their number.

    python benches/five_years.py [--hours 43824] [--regions 4] [--folder DIR]

Makes chains of signed digests without log files, of one account in some regions, and verifies a quarter, a half and all of
each, in a process of its own: processor time and peak memory, without and with the page. What was made once is kept.
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


def chain(root: Path, region: str, hours: int, pem: bytes) -> None:
    """Write the digests of one region."""
    key = load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signer, last = fingerprint(key), None
    for hour in range(hours):
        start, end = FIRST + hour * HOUR, FIRST + (hour + 1) * HOUR
        name = f"{ACCOUNT}_CloudTrail-Digest_{region}_{TRAIL}_{REGIONS[0]}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        place = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/{name}"
        content = digest(ACCOUNT, (start, end), (BUCKET, place), signer, [], last)
        body = json.dumps(content, separators=(",", ":")).encode()
        last = Last(BUCKET, place, sha256(body), sign(key, string_to_sign(content, body)))
        path = root / place
        if end.hour == 0 or hour == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(body, 6, mtime=0))


def archive(folder: Path, regions: int, hours: int) -> Path:
    """Make the archive, unless it is there."""
    root = folder / f"{regions}x{hours}"
    if not (root / "keys.der").exists():
        root.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with ProcessPoolExecutor() as pool:
            list(pool.map(chain, repeat(root), REGIONS[:regions], repeat(hours), repeat(pem)))
        (root / "keys.der").write_bytes(der(key))
    return root


def measure(root: Path, until: str, *, page: bool) -> None:
    """Verify up to some time; print what it took, and what the interpreter had before."""
    import polars as pl  # noqa: F401, PLC0415  # its import is no part of what is measured

    import ctfast as ct  # noqa: PLC0415  # in the process that is measured

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before, begin = peak(), os.times()
    found = ct.verify(root / "AWSLogs", keys=root / "keys.der", until=until, details=False)
    if page:
        found.html()
    now = os.times()
    took = now.user + now.system - begin.user - begin.system
    print(json.dumps({"digests": sum(found.digest_counts), "seconds": took, "grown": (peak() - before) / 1024}))


def main() -> None:
    """Run it for parts of the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=(5 * 365 + 2) * 24)
    parser.add_argument("--regions", type=int, default=4, choices=range(1, len(REGIONS) + 1))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ctfast-five-years")
    parser.add_argument("--measure", nargs=3, metavar=("DIR", "UNTIL", "PAGE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        folder, until, page = options.measure
        measure(Path(folder), until, page=bool(page))
        return
    root = archive(options.folder, options.regions, options.hours)
    print("| digests | | processor time, s | per digest, µs | peak over the interpreter, MB |\n|--:|---|--:|--:|--:|")
    for page in ("", "with the page"):
        for part in (4, 2, 1):
            until = FIRST + options.hours // part * HOUR
            command = [sys.executable, __file__, "--measure", str(root), until.isoformat(), page]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            count, seconds = told["digests"], told["seconds"]
            print(f"| {count:,} | {page} | {seconds:.1f} | {1e6 * seconds / count:.0f} | {told['grown']:.0f} |")


if __name__ == "__main__":
    main()
