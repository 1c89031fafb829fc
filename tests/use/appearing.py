"""A folder in which log files appear, each with events of its own, for the tests of what counts as read."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

ACCOUNT = "111122223333"
#: The modification time of all files, in seconds since 1970: 10 March 2025.
TIME = 1_741_564_800


def body(*names: str) -> bytes:
    """A log file with events of these names."""
    return gzip.compress(json.dumps({"Records": [{"eventName": name} for name in names]}).encode(), mtime=0)


def path(root: Path, unique: str, day: int = 10) -> Path:
    """The path of a file."""
    name = f"{ACCOUNT}_CloudTrail_eu-west-1_202503{day:02}T0000Z_{unique}.json.gz"
    return root / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2025/03/{day:02}" / name


def put(root: Path, unique: str, content: bytes, *, day: int = 10, time: int = TIME) -> Path:
    """Write a file with this modification time."""
    file = path(root, unique, day)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (time, time))
    return file
