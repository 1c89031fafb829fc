"""The floor: what reading and inflating every file costs, and nothing else (`rust/core/examples/floor.rs`)."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
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
    programs = [message["executable"] for message in messages if message.get("executable") and message["target"]["name"] == name]
    if not programs:
        message = f"cargo built no program called {name}"
        raise RuntimeError(message)
    return Path(programs[-1])


@dataclass(frozen=True, slots=True)
class Floor:
    """The built program."""

    program: Path

    @classmethod
    def build(cls) -> Floor:
        """Build the program in release mode and return it."""
        return cls(build("floor"))

    def passes(self, directory: Path, threads: int, rounds: int, inflated: int) -> tuple[list[float], float]:
        """Return the seconds of each pass over `directory`, which must have `inflated` bytes, and the CPU seconds of one pass."""
        command = [str(self.program), str(directory), "--threads", str(threads), "--rounds", str(rounds)]
        before = os.times()
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        if found["bytes_inflated"] != inflated:
            message = f"the floor inflated {found['bytes_inflated']} bytes of {directory}, not {inflated}"
            raise AssertionError(message)
        after = os.times()
        cpu = after.children_user - before.children_user + after.children_system - before.children_system
        return [float(seconds) for seconds in found["seconds"]], cpu / rounds
