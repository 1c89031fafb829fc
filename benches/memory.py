"""Peak memory of `stream` as the archive grows, and the gain from a second core."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from ctfast._bench.machine import spread
from ctfast._bench.measure import Ground, Worker

TIMES = 10
FLOOR_RUNS = 3


def multiplied(directory: Path, times: int = TIMES) -> Path:
    """Return an archive with `times` hard links to each file of `directory`: more files of the same sizes."""
    target = directory.with_name(f"{directory.name}-x{times}")
    files = sorted(directory.rglob("*.json.gz"))
    if target.exists():
        links = [target / "copy-0" / file.relative_to(directory) for file in files]
        same = all(link.exists() and link.samefile(file) for link, file in zip(links, files, strict=True))
        if same and sum(1 for _ in target.rglob("*.json.gz")) == len(files) * times:
            return target
        shutil.rmtree(target)
    for copy in range(times):
        for file in files:
            link = target / f"copy-{copy}" / file.relative_to(directory)
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, link)
    return target


def stream_peaks(directory: Path, events: int) -> dict[str, Any]:
    """Return the peak memory of `stream` over `directory` and over ten times as much, each in a fresh process."""
    peaks = {}
    for name, path, total in (("once", directory, events), ("ten times", multiplied(directory), events * TIMES)):
        with Worker("ctfast", "stream", path, events=total) as worker:
            peaks[name] = worker.check()[1]
    return {**peaks, "growth": peaks["ten times"] / peaks["once"] - 1}


def cores(ground: Ground) -> dict[str, Any]:
    """Return how much faster two threads are than one, for ctfast with every column and for the floor.

    Beside it, how much the times of the floor differ.
    """
    times: dict[str, list[float]] = {"floor": [], "ctfast": []}
    floors: list[tuple[float, float]] = []
    with (
        Worker("ctfast", "columns", ground.directory, 1) as one,
        Worker("ctfast", "columns", ground.directory, 2) as two,
        replace(ground, threads=1).floor() as slow,
        replace(ground, threads=2).floor() as fast,
    ):
        for worker in (one, two, slow, fast):
            worker.check()
        for _ in range(ground.rounds):
            floors.append((slow.run(FLOOR_RUNS).seconds, fast.run(FLOOR_RUNS).seconds))
            times["floor"].append(floors[-1][0] / floors[-1][1])
            times["ctfast"].append(one.run(1).seconds / two.run(1).seconds)
    differ = max(map(spread, zip(*floors, strict=True)))
    return {**{name: median(values) for name, values in times.items()}, "floor_spread": differ}
