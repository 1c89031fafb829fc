"""Files that are read in one piece have a limit, and what has no end is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MEMORY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from ctfast.cli import main
main()
"""


@pytest.mark.parametrize("endless", ["/dev/zero", "sparse"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["lint", "FILE"],
        ["scan", "ARCHIVE", "--where", "FILE"],
        ["match", "ARCHIVE", "--rules", "FILE"],
        ["cost", "ARCHIVE", "--selectors", "FILE"],
        ["verify", "ARCHIVE", "--keys", "FILE"],
        ["split-run", "FILE", "-o", "lake"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_is_too_large_is_refused(tmp_path: Path, arguments: list[str], endless: str) -> None:
    file = Path(endless)
    if endless == "sparse":
        file = tmp_path / "sparse.json"
        with file.open("wb") as opened:
            opened.truncate(3 << 30)
    (tmp_path / "logs").mkdir()
    given = [{"FILE": str(file), "ARCHIVE": "logs"}.get(argument, argument) for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *given], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "more than 64 MiB" in done.stderr.splitlines()[-1]
    assert str(file) in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
