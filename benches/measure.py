"""Measurements: workers that take turns with the floor, and what comes out of a comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, NamedTuple, Self

from floor import Floor

HERE = Path(__file__).resolve().parent
LEAST = 0.4  # seconds; a sample is as many runs as take so long
PATIENCE = 60.0  # seconds of rounds for one slow peer


class WorkerError(RuntimeError):
    """A worker that failed or gave a wrong answer."""


class Time(NamedTuple):
    """How long something took, by the clock and on all cores together."""

    seconds: float
    cpu: float


class Worker:
    """One task of one peer in a process of its own; see `worker.py`."""

    def __init__(
        self, peer: str, task: str, directory: Path, threads: int = 2, events: int = 0, script: str = "worker.py"
    ) -> None:
        self.name = f"{peer} {task}"
        command = [
            sys.executable,
            str(HERE / script),
            peer,
            task,
            str(directory),
            "--threads",
            str(threads),
            "--events",
            str(events),
        ]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))}
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 — closed with the worker
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment, bufsize=1
        )
        self.version = str(self._answer()["version"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            message = f"{self.name}: {self.errors.read()[-1500:]}"
            raise WorkerError(message)
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            message = f"{self.name}: {found['error']}"
            raise WorkerError(message)
        return found

    def _ask(self, command: str) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer()

    def check(self) -> tuple[float, int]:
        """Run the task once, check its answer; return its seconds and its peak memory above what it had before."""
        found = self._ask("check")
        return found["seconds"][0], found["peak"]

    def run(self, runs: int) -> Time:
        """Return the median time of `runs` runs."""
        found = self._ask(f"run {runs}")
        return Time(median(found["seconds"]), median(found["cpu"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()


@dataclass(slots=True)
class Samples:
    """What was measured of one peer at one task, in pairs with the floor of the same round."""

    peer: str
    version: str
    peak: int
    times: list[Time] = field(default_factory=list)
    floors: list[Time] = field(default_factory=list)
    ctfast: list[Time] = field(default_factory=list)  # ctfast in the same rounds; empty for ctfast itself

    @property
    def to_floor(self) -> float:
        """The median of the ratios to the floor."""
        return median(mine.seconds / floor.seconds for mine, floor in zip(self.times, self.floors, strict=True))

    @property
    def cpu_to_floor(self) -> float:
        """The same of CPU seconds, which a busy machine disturbs less."""
        return median(mine.cpu / floor.cpu for mine, floor in zip(self.times, self.floors, strict=True))

    @property
    def to_ctfast(self) -> float | None:
        """The median of the ratios to ctfast: how many times faster ctfast is."""
        if not self.ctfast:
            return None
        return median(mine.seconds / ours.seconds for mine, ours in zip(self.times, self.ctfast, strict=True))

    def as_json(self) -> dict[str, Any]:
        """Return everything as a JSON-ready dictionary."""
        return {
            "peer": self.peer,
            "version": self.version,
            "seconds": [time.seconds for time in self.times],
            "cpu_seconds": [time.cpu for time in self.times],
            "floor_seconds": [time.seconds for time in self.floors],
            "floor_cpu_seconds": [time.cpu for time in self.floors],
            "ctfast_seconds": [time.seconds for time in self.ctfast],
            "ratio_to_floor": self.to_floor,
            "cpu_ratio_to_floor": self.cpu_to_floor,
            "ratio_to_ctfast": self.to_ctfast,
            "peak_bytes": self.peak,
        }


@dataclass(frozen=True, slots=True)
class Ground:
    """What a comparison stands on: the floor, the archive, the number of threads and of rounds."""

    floor: Floor
    directory: Path
    inflated: int
    threads: int
    rounds: int
    script: str = "worker.py"

    def time(self) -> Time:
        """Return the time of the floor, the median of three passes."""
        seconds, cpu = self.floor.passes(self.directory, self.threads, 3, self.inflated)
        return Time(median(seconds), cpu)

    def worker(self, peer: str, task: str) -> Worker:
        """Return a worker on this ground."""
        return Worker(peer, task, self.directory, self.threads, script=self.script)


def compare(ground: Ground, task: str, peers: list[str]) -> list[Samples]:
    """Time `task` of ctfast and of `peers` in rounds of floor, ctfast, peer, floor, ctfast, peer ...

    A peer that fails is reported on the standard error and left out.
    """
    with ground.worker("ctfast", task) as ours:
        first, peak = ours.check()
        mine = Samples("ctfast", ours.version, peak)
        runs = _runs(first)
        if not peers:
            for _ in range(ground.rounds):
                mine.floors.append(ground.time())
                mine.times.append(ours.run(runs))
        found = [mine]
        for name in peers:
            try:
                with ground.worker(name, task) as theirs:
                    found.append(_rounds(ground, theirs, name, lambda: ours.run(runs)))
            except WorkerError as error:
                print(f"left out: {error}", file=sys.stderr)
                continue
            mine.floors += found[-1].floors
            mine.times += found[-1].ctfast
    return found


def _rounds(ground: Ground, theirs: Worker, name: str, ours: Callable[[], Time]) -> Samples:
    first, peak = theirs.check()
    samples = Samples(name, theirs.version, peak)
    # A slow peer gets fewer rounds, but never one only.
    for _ in range(max(2, min(ground.rounds, int(PATIENCE / first)))):
        samples.floors.append(ground.time())
        samples.ctfast.append(ours())
        samples.times.append(theirs.run(_runs(first)))
    return samples


def _runs(first: float) -> int:
    return max(1, min(7, round(LEAST / first)))
