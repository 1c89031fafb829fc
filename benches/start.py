"""The cost of starting: CPU of a fresh interpreter that imports ctfast, shows its help, or scans a small archive once.

    python benches/start.py

Each program runs nine times, all of them in turn; the median of user and system time is shown. The modules are compiled
before, as an installer does.
"""

from __future__ import annotations

import compileall
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from ctfast import __path__, read, sample

ROUNDS = 9
PROGRAMS = {
    "nothing": ["-c", "pass"],
    "import polars": ["-c", "import polars"],
    "import pyarrow": ["-c", "import pyarrow"],
    "import ctfast": ["-c", "import ctfast"],
    "ctfast --version": ["-m", "ctfast", "--version"],
    "ctfast --help": ["-m", "ctfast", "--help"],
    "ctfast scan --help": ["-m", "ctfast", "scan", "--help"],
    "first pl.scan_parquet": ["-c", "import polars as pl; pl.scan_parquet('rows.parquet').collect()"],
    "first ct.scan": ["-c", "import ctfast as ct; ct.scan('archive').collect()"],
}


def seconds(arguments: list[str]) -> float:
    """Return the CPU of one run."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    if status:
        message = f"{arguments} ended with {os.waitstatus_to_exitcode(status)}"
        raise RuntimeError(message)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Make the archive, and the same rows as Parquet, and print the table."""
    for folder in __path__:
        compileall.compile_dir(folder, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("archive").symlink_to(sample.write(Path("sample")).archive)
        read("archive").write_parquet("rows.parquet")
        rounds = [{name: seconds(arguments) for name, arguments in PROGRAMS.items()} for _ in range(ROUNDS)]
    for name in PROGRAMS:
        print(f"{name:<24}{1000 * median(times[name] for times in rounds):6.0f} ms")


if __name__ == "__main__":
    main()
