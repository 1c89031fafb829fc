"""Measurements: workers that take turns with the floor, and the results of a comparison."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, NamedTuple, Self

from ctfast._bench.machine import STEADY, spread

__all__ = ["Ground", "Result", "Samples", "Time", "Worker", "WorkerError", "compare"]

#: A sample has as many runs as fit in this time, in seconds.
_LEAST = 0.4
_MOST_RUNS = 7
_FLOOR_RUNS = 3
#: Seconds of rounds for one slow reader, and of waiting for one answer.
_PATIENCE = 60.0
_DEADLINE = 600.0
#: The command of the workers of this package. With -P, modules in the current folder are not taken for those that are
#: installed.
_COMMAND = (sys.executable, "-P", "-m", "ctfast._bench.worker")


class WorkerError(ChildProcessError):
    """A worker that failed, or took too long."""


class Time(NamedTuple):
    """A duration: wall time, and CPU time of all cores together."""

    seconds: float
    cpu: float


class Worker:
    """One task of one reader in a process of its own; see :mod:`ctfast._bench.worker`."""

    def __init__(
        self,
        reader: str,
        task: str,
        directory: Path,
        threads: int = 2,
        *,
        events: int | None = None,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        self.name = f"{reader}, {task}"
        #: What differs from the right answer, once it was compared.
        self.difference: str | None = None
        arguments = [*command, reader, task, str(directory), "--threads", str(threads)]
        arguments += [] if events is None else ["--events", str(events)]
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # closed with the worker
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, bufsize=1
        )
        try:
            self.version = str(self._answer()["version"])
        except BaseException:
            self._end()
            raise

    def check(self) -> tuple[float, int]:
        """Run the task once and compare its answer; return its seconds and the peak of its memory above the start."""
        found = self._ask("check")
        self.difference = found["difference"]
        return found["seconds"][0], found["peak"]

    def run(self, runs: int) -> Time:
        """Return the median time of some runs."""
        found = self._ask(f"run {runs}")
        return Time(median(found["seconds"]), median(found["cpu"]))

    def __enter__(self) -> Self:
        """Return the worker itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _ask(self, command: str) -> dict[str, Any]:
        if self._process.stdin is None:
            raise TypeError("a worker without an input")
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """Return the next line of answers, the only one that there is."""
        output = self._process.stdout
        if output is None or not select.select([output], [], [], _DEADLINE)[0]:
            raise WorkerError(f"{self.name}: no answer within {_DEADLINE:.0f} s")
        line = output.readline()
        if not line:
            raise self._failed()
        found: dict[str, Any] = json.loads(line)
        return found

    def _failed(self) -> WorkerError:
        """Return the last line that the worker has said, which names the exception."""
        code = self._process.wait()
        self._errors.seek(0)
        said = [line for line in self._errors.read().splitlines() if line.strip()]
        return WorkerError(f"{self.name}: {said[-1] if said else f'ended with {code}'}")


@dataclass(slots=True)
class Samples:
    """The measurements of one reader at one task, in pairs with the floor of the same round."""

    reader: str
    version: str
    peak: int
    difference: str | None = None
    times: list[Time] = field(default_factory=list)
    floors: list[Time] = field(default_factory=list)
    #: ctfast in the same rounds; empty for ctfast itself.
    ctfast: list[Time] = field(default_factory=list)

    @property
    def to_floor(self) -> float:
        """The median of the ratios to the floor."""
        return median(mine.seconds / floor.seconds for mine, floor in zip(self.times, self.floors, strict=True))

    @property
    def cpu_to_floor(self) -> float:
        """The median of the ratios of CPU seconds, which a busy machine disturbs less."""
        return median(mine.cpu / floor.cpu for mine, floor in zip(self.times, self.floors, strict=True))

    @property
    def to_ctfast(self) -> float | None:
        """The median of the ratios to ctfast: how many times faster ctfast is."""
        if not self.ctfast:
            return None
        return median(mine.seconds / ours.seconds for mine, ours in zip(self.times, self.ctfast, strict=True))

    def as_json(self, *, ratios: bool) -> dict[str, Any]:
        """Return everything as a JSON-ready dictionary, the ratios only if they mean something."""
        return {
            "peer": self.reader,
            "version": self.version,
            "difference": self.difference,
            "seconds": [time.seconds for time in self.times],
            "cpu_seconds": [time.cpu for time in self.times],
            "floor_seconds": [time.seconds for time in self.floors],
            "floor_cpu_seconds": [time.cpu for time in self.floors],
            "ctfast_seconds": [time.seconds for time in self.ctfast],
            "ratio_to_floor": self.to_floor if ratios else None,
            "cpu_ratio_to_floor": self.cpu_to_floor if ratios else None,
            "ratio_to_ctfast": self.to_ctfast if ratios else None,
            "peak_bytes": self.peak,
        }


@dataclass(slots=True)
class Result:
    """One task: the measurements of each reader, ctfast first, and why others are left out."""

    task: str
    samples: list[Samples] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def spread(self) -> float:
        """How much the floor's times differ, of which ctfast has all."""
        return spread([time.seconds for time in self.samples[0].floors])

    @property
    def is_steady(self) -> bool:
        """Whether ratios mean something: they are shown only then."""
        return self.spread <= STEADY

    def as_json(self) -> dict[str, Any]:
        """Return everything as a JSON-ready dictionary."""
        samples = [sample.as_json(ratios=self.is_steady and not sample.difference) for sample in self.samples]
        return {"task": self.task, "floor_spread": self.spread, "failed": self.failed, "samples": samples}


@dataclass(frozen=True, slots=True)
class Ground:
    """The conditions of a comparison: the archive, the number of threads and of rounds, and the command of workers."""

    directory: Path
    threads: int
    rounds: int
    command: Sequence[str] = _COMMAND

    def worker(self, reader: str, task: str) -> Worker:
        """Return a worker for this setup."""
        return Worker(reader, task, self.directory, self.threads, command=self.command)

    def floor(self) -> Worker:
        """Return a worker of the floor."""
        return Worker("floor", "inflate", self.directory, self.threads)


def compare(ground: Ground, task: str, readers: Sequence[str]) -> Result:
    """Time a task of ctfast and of other readers, in rounds of the floor, ctfast and the reader.

    A reader that fails is left out, with the reason.

    Raises
    ------
    WorkerError
        The floor or ctfast failed, or their answers are wrong.
    """
    found = Result(task)
    with ExitStack() as stack:
        bottom = stack.enter_context(ground.floor())
        ours = stack.enter_context(ground.worker("ctfast", task))
        quick, (first, peak) = bottom.check()[0], ours.check()
        for worker in (bottom, ours):
            if worker.difference:
                raise WorkerError(f"{worker.name}: {worker.difference}")
        mine = Samples("ctfast", ours.version, peak)
        found.samples.append(mine)

        def rounds(number: int) -> Iterator[tuple[Time, Time]]:
            for _ in range(number):
                yield bottom.run(max(_FLOOR_RUNS, _runs(quick))), ours.run(_runs(first))

        for name in readers:
            try:
                with ground.worker(name, task) as theirs:
                    others = _rounds(theirs, name, ground.rounds, rounds)
            except WorkerError as error:
                found.failed.append(str(error))
                continue
            found.samples.append(others)
            mine.floors += others.floors
            mine.times += others.ctfast
        if not mine.times:
            for floor, own in rounds(ground.rounds):
                mine.floors.append(floor)
                mine.times.append(own)
    return found


def _rounds(theirs: Worker, name: str, most: int, rounds: Callable[[int], Iterator[tuple[Time, Time]]]) -> Samples:
    first, peak = theirs.check()
    samples = Samples(name, theirs.version, peak, theirs.difference)
    # A slow reader gets fewer rounds, but at least two.
    for floor, own in rounds(max(2, min(most, int(_PATIENCE / first)))):
        samples.floors.append(floor)
        samples.ctfast.append(own)
        samples.times.append(theirs.run(_runs(first)))
    return samples


def _runs(first: float) -> int:
    return max(1, min(_MOST_RUNS, round(_LEAST / first)))
