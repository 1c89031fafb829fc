"""One task of one reader in a process of its own, run on command.

    python -m ctfast._bench.worker READER TASK DIRECTORY --threads N

A line ``check`` on the standard input runs the task once, compares the answer and tells the peak memory; a line ``run
N`` runs it N times and tells the seconds and the CPU seconds. Answers are lines of JSON. Between commands the process
sleeps, so that many workers can take turns without disturbing each other.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from ctfast._bench.readers.base import Archive, difference

__all__ = ["answering", "forget_peak", "main", "memory", "serve"]


def memory(field: str) -> int:
    """Return ``VmRSS`` or ``VmHWM`` of this process and of those that it has started, in bytes; 0 without /proc."""
    total = 0
    for pid in _family(os.getpid()):
        with suppress(OSError), Path(f"/proc/{pid}/status").open(encoding="ascii", errors="replace") as status:
            total += next((int(line.split()[1]) << 10 for line in status if line.startswith(f"{field}:")), 0)
    return total


def _family(pid: int) -> list[int]:
    family = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                family += _family(int(child))
    return family


def _cpu() -> float:
    """Return the CPU seconds used so far by this process and by those that it has started."""
    ended = os.times()
    total = time.process_time() + ended.children_user + ended.children_system
    for pid in _family(os.getpid())[1:]:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


def forget_peak() -> None:
    """Set the peak memory back to the present one, so that it excludes the cost of importing."""
    for pid in _family(os.getpid()):
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _peak_of_ended() -> int:
    """Return the highest peak of the processes that were started and have ended, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def serve(run: Callable[[], Any], differs: Callable[[Any], str | None], answers: TextIO) -> None:
    """Obey the commands of the standard input until it ends; ``differs`` tells what is wrong with a result."""

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "check":
            gc.collect()
            forget_peak()
            before, started = memory("VmRSS"), time.perf_counter()
            result = run()
            seconds = time.perf_counter() - started
            peak = memory("VmHWM") - before + _peak_of_ended()
            answer(seconds=[seconds], peak=peak, difference=differs(result))
            del result
            continue
        times, used = [], []
        for _ in range(int(arguments[0])):
            gc.collect()
            busy, started = _cpu(), time.perf_counter()
            result = run()
            times.append(time.perf_counter() - started)
            used.append(_cpu() - busy)
            del result
        answer(seconds=times, cpu=used)


def answering(threads: int) -> TextIO:
    """Return where answers go, and set the number of threads of Polars: to be called before Polars is imported.

    Libraries may print. The answers go to a copy of the standard output, everything else to the standard error.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    return answers


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run one task of one reader on command.")
    parser.add_argument("reader")
    parser.add_argument("task")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--events", type=int, help="the expected events, where the manifest does not say (tasks stream and views)"
    )
    options = parser.parse_args()
    answers = answering(options.threads)

    from ctfast._bench.readers import load, tasks_of  # noqa: PLC0415  # after the number of threads is set

    archive = (
        Archive.at(options.directory)
        if options.events is None
        else Archive(options.directory, {"events": options.events})
    )
    reader = load(options.reader, archive, options.threads)
    run = getattr(reader, tasks_of(options.reader, reader, [options.task])[options.task])

    def differs(result: Any) -> str | None:
        return difference(options.task, reader.facts(options.task, result), archive.answers)

    answers.write(json.dumps({"version": reader.version()}) + "\n")
    answers.flush()
    serve(run, differs, answers)


if __name__ == "__main__":
    main()
