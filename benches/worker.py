"""One task of one peer in a process of its own, run on command.

    python benches/worker.py PEER TASK DIRECTORY --threads N

A line `check` on the standard input runs the task once, checks the answer and reports the peak memory; a line `run N` runs it
N times and reports the seconds and the CPU seconds. Answers are lines of JSON. Between commands the process sleeps, so many
workers can take turns without disturbing each other.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO


def memory(field: str) -> int:
    """Return `field` (``VmRSS`` or ``VmHWM``) of this process and the processes that it started, in bytes."""
    total = 0
    for pid in _family(os.getpid()):
        with contextlib.suppress(OSError), Path(f"/proc/{pid}/status").open(encoding="ascii", errors="replace") as status:
            total += next((int(line.split()[1]) << 10 for line in status if line.startswith(f"{field}:")), 0)
    return total


def _family(pid: int) -> list[int]:
    family = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                family += _family(int(child))
    return family


def cpu() -> float:
    """Return the CPU seconds used so far by this process and the processes that it started."""
    total = time.process_time()
    for pid in _family(os.getpid())[1:]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def forget_peak() -> None:
    """Set the peak memory back to the present one, so that it does not hold the cost of importing."""
    for pid in _family(os.getpid()):
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def serve(run: Any, facts: Any, commands: TextIO, answers: TextIO) -> None:
    """Obey commands until the input ends."""

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    for line in commands:
        command, *arguments = line.split()
        if command == "check":
            gc.collect()
            forget_peak()
            before = memory("VmRSS")
            started = time.perf_counter()
            result = run()
            seconds = time.perf_counter() - started
            peak = memory("VmHWM") - before
            try:
                facts(result)
            except AssertionError as error:
                answer(error=str(error))
            else:
                answer(seconds=[seconds], peak=peak)
            del result
            continue
        times, used = [], []
        for _ in range(int(arguments[0])):
            gc.collect()
            busy, started = cpu(), time.perf_counter()
            result = run()
            times.append(time.perf_counter() - started)
            used.append(cpu() - busy)
            del result
        answer(seconds=times, cpu=used)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run one task of one peer on command.")
    parser.add_argument("peer")
    parser.add_argument("task")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--events", type=int, help="expected events, where the manifest does not say (tasks stream and views)")
    options = parser.parse_args()
    # Libraries may print; the answers go to a copy of the standard output, everything else to the standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)

    from peers import Archive, check, load, tasks_of  # noqa: PLC0415 — after the number of threads is set

    if options.task in ("stream", "views"):
        archive = Archive(options.directory, {"events": options.events})
        peer = load(options.peer, archive, options.threads)
        run = getattr(peer, options.task)
    else:
        archive = Archive.at(options.directory)
        peer = load(options.peer, archive, options.threads)
        run = getattr(peer, tasks_of(options.peer, peer)[options.task])

    def facts(result: Any) -> None:
        check(options.task, peer.facts(options.task, result), archive.answers)

    answers.write(json.dumps({"version": peer.version()}) + "\n")
    answers.flush()
    serve(run, facts, sys.stdin, answers)


if __name__ == "__main__":
    main()
