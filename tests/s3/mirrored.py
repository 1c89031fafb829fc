"""An archive on disk and in a bucket, so that the rows of one can be compared with those of the other."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

import ctfast as ct
from seaweed import ACCESS, SECRET

START = datetime(2025, 3, 10, tzinfo=UTC)


def options_of(endpoint: str, **more: str) -> dict[str, str]:
    """Storage options for an endpoint of the tests."""
    return {"endpoint": endpoint, "access_key_id": ACCESS, "secret_access_key": SECRET, "region": "us-east-1"} | more


@dataclass(frozen=True)
class Mirrored:
    """An archive twice: below a folder, and in a bucket."""

    folder: Path
    bucket: str
    keys: list[str]

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}"

    def rows(self, *leave_out: str, **options: Any) -> pl.DataFrame:
        """The rows from disk as they should come over S3, without those of some keys."""
        rows = ct.read(self.folder, **options)
        here = pl.lit(f"{self.url}/") + pl.col("file").str.strip_prefix(f"{self.folder}/")
        return rows.with_columns(file=here).filter(~pl.col("file").is_in([f"{self.url}/{key}" for key in leave_out]))


def make_archive(folder: Path, files: int, days: int = 3, events: int = 3) -> Path:
    """Small log files, spread over two regions and some days, with distinguishable records."""
    for number in range(files):
        region = ("eu-west-1", "us-east-1")[number % 2]
        time = START + timedelta(minutes=5 * (number * days * 288 // files))
        records = [
            {
                "eventVersion": "1.08",
                "eventTime": f"{time + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}",
                "eventName": f"Event{number:04}-{second}",
                "awsRegion": region,
                "requestParameters": {"padding": f"{number * 7919 % 10007:x}" * (50 + number % 700)},
            }
            for second in range(events)
        ]
        name = f"111122223333_CloudTrail_{region}_{time:%Y%m%dT%H%MZ}_{number * 7919 % 10007:016}.json.gz"
        path = folder / f"AWSLogs/111122223333/CloudTrail/{region}/{time:%Y/%m/%d}/{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode(), 1, mtime=0))
    return folder
