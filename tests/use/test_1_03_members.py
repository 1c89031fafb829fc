"""1 of 9, item 3: a file of very many tiny gzip members takes no longer than its size suggests."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

COUNT = """
import sys, ctfast as ct
report = ct.Report()
frame = ct.read(sys.argv[1], report=report, threads=1)
print(frame["eventName"].to_list(), report.files.read, report.warnings.height)
"""


def test_a_file_of_a_million_members_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    # Over 24 MiB, so that it is streamed.
    path.write_bytes(
        gzip.compress(b"", mtime=0) * 2_000_000 + gzip.compress(b'{"Records":[{"eventName":"A"}]}', mtime=0)
    )
    # Not a measurement: with a new decompressor for each member it would take more than twice as long.
    done = subprocess.run([sys.executable, "-c", COUNT, path], capture_output=True, text=True, timeout=15, check=True)
    assert done.stdout == "['A'] 1 0\n"
