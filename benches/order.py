"""Simulate the order of a scan: how much faster many workers are, by the sizes of an archive's files.

    python benches/order.py ARCHIVE [--workers 2,4,8,16] [--task-bytes 524288]
    python benches/order.py                  # sizes like those of the archive that was measured first

A scan hands batches over in the order of its files. So a worker that is ahead of the others has to wait, for room for
a finished batch or for a next task. The simulation cuts the files into tasks and their text into batches as
`rust/core/src/scan` does, takes a worker's time as the bytes of its text, and a reader's as nothing; what remains is
the waiting. It says nothing about caches, memory or the disk. For each rule, what the reader does and what it could do,
it prints the speed-up over one worker, and the most text in finished batches that waited at once.
"""

from __future__ import annotations

import argparse
import heapq
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import exp
from pathlib import Path
from statistics import median
from typing import NamedTuple

BOUNDS = Path(__file__).resolve().parent.parent / "rust/core/src/bounds.rs"
MIB = 1 << 20


def bound(name: str) -> int:
    """Return a bound of the reader, from its source."""
    found = re.search(rf"const {name}: \w+ = (\d+)(?: << (\d+))?;", BOUNDS.read_text(encoding="utf-8"))
    if not found:
        message = f"{BOUNDS.name} has no plain number called {name}"
        raise LookupError(message)
    return int(found[1]) << int(found[2] or 0)


TASK_BYTES, TASK_FILES, ARENA = map(bound, ("TASK_BYTES", "TASK_FILES", "ARENA"))
ORDER_TASKS, ORDER_BYTES = map(bound, ("ORDER_TASKS", "ORDER_BYTES"))
# A full batch of every column holds ORDER_BYTES for an arena of text: that many bytes for one of text.
HELD = ORDER_BYTES / ARENA


class Size(NamedTuple):
    """The size of a file."""

    stored: int
    text: int


class Rule(NamedTuple):
    """How far ahead of the reader workers may be: no limit where there is none."""

    name: str
    tasks: float = float("inf")  # for each worker: those that run, wait, or are being read
    outputs: float = float("inf")  # finished batches that wait, for each task
    waiting: float = float("inf")  # bytes of text in finished batches that wait, for each worker
    besides: int = 0  # workers that do not count for that


AS_IT_IS = Rule("as it is", ORDER_TASKS, waiting=ORDER_BYTES / HELD, besides=1)
AS_IT_WAS = Rule("1 task a worker, 1 batch each", tasks=1, outputs=1)
TWO_TASKS = Rule("2 tasks a worker", tasks=2)
RULES = (
    AS_IT_IS,
    AS_IT_WAS,
    Rule("2 tasks a worker, 1 batch each", tasks=2, outputs=1),
    TWO_TASKS,
    Rule("4 MiB a worker", waiting=4 * MIB),
    Rule("8 MiB a worker", waiting=8 * MIB),
    Rule("12 MiB a worker", waiting=12 * MIB),
    Rule("16 MiB a worker", waiting=16 * MIB),
    Rule("no limit"),
)


def sizes(archive: Path) -> Iterator[Size]:
    """Yield the sizes of the files of `archive` in the order of their keys; each file is one gzip member."""
    for file in sorted(archive.rglob("*.json.gz"), key=lambda file: file.relative_to(archive).as_posix()):
        with file.open("rb") as stored:
            end = stored.seek(0, 2)
            stored.seek(-4, 2)
            yield Size(end, int.from_bytes(stored.read(), "little"))


def tasks(files: Iterable[Size], most: int = TASK_BYTES) -> list[int]:
    """Return the bytes of text of each task; it ends with the file that brings it to `most` stored bytes."""
    made, stored, text, number = [], 0, 0, 0
    for file in files:
        stored, text, number = stored + file.stored, text + file.text, number + 1
        if stored >= most or number >= TASK_FILES:
            made.append(text)
            stored = text = number = 0
    return [*made, text] if number else made


def first_measured(seed: int) -> list[int]:
    """Return tasks like those of the archive that was measured first.

    Of that archive is known that its gzip was 5.9 : 1, so that a task was a MiB of that and half a file on average, and
    that its tasks had 2.7 to 22.6 MB. Their number and spread were chosen so that the speed-ups are those found then:
    1.84, 3.4, 5.5 and 8.7 on 2, 4, 8 and 16 workers with a task for each, and 2.0, 3.8, 7.1 and 13.7 with two. The
    medians of the made archives are within 6 % of all eight.
    """
    number, average, least, most, spread = 120, 6.6e6, 2.7e6, 22.6e6, 0.35
    draw = random.Random(seed)
    made = [int(least), int(most)]
    while len(made) < number:
        size = average * exp(draw.gauss(-spread * spread / 2, spread))
        if least <= size <= most:
            made.append(int(size))
    draw.shuffle(made)
    return made


@dataclass
class Task:
    """A task in the order."""

    batches: list[int]  # bytes of text of those that are not finished, the next one last
    waiting: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, text: int) -> Task:
        """Return a task of `text` bytes: full batches, and the rest of its text."""
        full, rest = divmod(text, ARENA)
        return cls([rest] * (rest > 0) + [ARENA] * full)


class Order:
    """The queue between workers and reader: `rust/core/src/scan/order.rs` with a rule of one's choice."""

    def __init__(self, texts: list[int], workers: int, rule: Rule) -> None:
        self.queue = [Task.of(text) for text in texts]
        self.window, self.outputs = rule.tasks * workers, rule.outputs
        self.room = rule.waiting * max(workers - rule.besides, 1)
        self.head = self.next = 0
        self.idle = workers
        self.clock = 0.0
        self.ends: list[tuple[float, int]] = []  # when a batch will be finished, and its task
        self.blocked: list[int] = []  # tasks with a finished batch that has no room
        self.waiting = self.peak = 0

    def run(self) -> float:
        """Run all tasks and return the time that it took, in bytes of text of one worker."""
        self.go_on()
        while self.ends:
            self.clock, turn = heapq.heappop(self.ends)
            self.blocked.append(turn)
            self.go_on()
        assert self.head == len(self.queue), "a rule under which nothing can go on"
        return self.clock

    def go_on(self) -> None:
        """Let the reader take what it can, and each worker go on that has room."""
        while self.read() | self.hand_over() | self.start():
            pass

    def read(self) -> bool:
        """Take the finished batches of the first task, and of the next ones if that has ended."""
        before = self.head, self.waiting
        while self.head < self.next:
            task = self.queue[self.head]
            self.waiting -= sum(task.waiting)
            task.waiting.clear()
            if task.batches:
                break
            self.head += 1
        return before != (self.head, self.waiting)

    def hand_over(self) -> bool:
        """Add the finished batches for which there is room: always for the first task, on which the others wait."""
        moved = False
        for turn in sorted(self.blocked):
            task = self.queue[turn]
            size = task.batches[-1]
            has_room = len(task.waiting) < self.outputs and self.waiting + size <= self.room
            if turn > self.head and not has_room:
                continue
            self.blocked.remove(turn)
            task.waiting.append(task.batches.pop())
            if turn > self.head:
                self.peak = max(self.peak, self.waiting + size)
            self.waiting += size
            self.go_on_with(turn)
            moved = True
        return moved

    def go_on_with(self, turn: int) -> None:
        """Begin the next batch of a task, or be free for another task."""
        task = self.queue[turn]
        if task.batches:
            heapq.heappush(self.ends, (self.clock + task.batches[-1], turn))
        else:
            self.idle += 1

    def start(self) -> bool:
        """Start the next tasks, as far as the rule allows."""
        before = self.next
        while self.idle and self.next < len(self.queue) and self.may_start():
            self.idle -= 1
            self.go_on_with(self.next)
            self.next += 1
        return before != self.next

    def may_start(self) -> bool:
        """Return whether the rule allows another task; the one that is read next may always start."""
        may_run_ahead = self.next < self.head + self.window and self.waiting < self.room
        return self.next == self.head or may_run_ahead


class Found(NamedTuple):
    """What a rule gives."""

    speed_up: float
    peak: float  # bytes


def simulated(archives: list[list[int]], workers: int, rule: Rule) -> Found:
    """Return the medians over some archives, each given as the bytes of text of its tasks."""
    found = []
    for texts in archives:
        order = Order(texts, workers, rule)
        found.append(Found(sum(texts) / order.run(), order.peak))
    return Found(median(one.speed_up for one in found), median(one.peak for one in found))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Simulate how many workers of a scan wait for each other.")
    parser.add_argument("archive", type=Path, nargs="?", help="default: 25 archives like the one measured first")
    parser.add_argument("--workers", type=lambda text: [int(part) for part in text.split(",")], default=[2, 4, 8, 16])
    parser.add_argument("--task-bytes", type=int, default=TASK_BYTES, help="stored bytes of a task; default: as it is")
    options = parser.parse_args()
    if options.archive:
        archives = [tasks(sizes(options.archive), options.task_bytes)]
    else:
        archives = [first_measured(seed) for seed in range(25)]
    texts = archives[0]
    if not texts:
        parser.error(f"{options.archive}: no files *.json.gz")
    print(
        f"{len(texts)} tasks of {min(texts) / 1e6:.1f} to {max(texts) / 1e6:.1f} MB, {sum(texts) / 1e6:.0f} MB"
        + ("" if options.archive else f"; medians of {len(archives)} archives")
    )
    print("speed-up, and the most MB that wait, with this many workers:")
    print(" " * 32 + "".join(f"{workers:>12}" for workers in options.workers))
    for rule in RULES:
        found = [simulated(archives, workers, rule) for workers in options.workers]
        print(f"{rule.name:<32}" + "".join(f"{of.speed_up:>6.2f}{of.peak / 1e6:>6.0f}" for of in found))


if __name__ == "__main__":
    main()
