"""Programs of `rust/core/examples` that the benchmarks use."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARGO = ("cargo", "build", "--release", "--locked", "--package", "ctfast-core", "--message-format", "json", "--example")


def build(name: str) -> Path:
    """Build a program of `rust/core/examples` in release mode and return it.

    Raises
    ------
    RuntimeError
        When cargo names no program of that name.
    """
    done = subprocess.run([*CARGO, name], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    programs = [
        message["executable"] for message in messages if message.get("executable") and message["target"]["name"] == name
    ]
    if not programs:
        message = f"cargo built no program called {name}"
        raise RuntimeError(message)
    return Path(programs[-1])
