"""Compare filters with the floor, and one of them with what people use in its place.

    python benches/filters.py [--peers moto,jmespath,duckdb] [--rounds N] [--scale F] [--floor PROGRAM] [--save]

On `mixed`; makes it if need be, checks every answer and then times it. See `table.py`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
from importlib import util
from pathlib import Path
from statistics import median
from typing import Any

import corpus
from floor import Floor
from measure import Ground, Samples, compare
from report import machine
from table import home, keep, note, split
from targets import verdict

# Task -> what it is, and the highest ratio to the floor.
TASKS = {
    "selective": ("filter pattern, under 0.1 % hits, five columns", 1.25),
    "defaults": ("management events that write, without KMS; five columns", 1.4),
    "cis": ("the CIS pack in one pass", 1.5),
    "rules": ("1,000 event patterns in one pass", 2.0),
}
CONTROL = "one control of the CIS pack"
SINGLE_LEAST = 300_000  # records a second, one by one from Python
SINGLE_RECORDS = 2_000


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Compare filters with the floor and with their peers.")
    parser.add_argument("--peers", type=split, default=["moto", "jmespath", "duckdb"], help="names with commas, or an empty text")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--floor", type=Path, help="the built program of the floor; default: build it")
    parser.add_argument("--save", action="store_true", help="write benches/results/DATE-MACHINE-filters.md and .json")
    return parser.parse_args()


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Do the whole run and return its numbers."""
    floor = Floor(options.floor) if options.floor else Floor.build()
    place = home() / ("mixed" if options.scale == 1 else f"mixed-{options.scale:g}")
    note("corpus mixed")
    made = corpus.ensure("mixed", place, options.scale)
    ground = Ground(floor, place, made["bytes_inflated"], options.threads, options.rounds, "filter_worker.py")
    load = [os.getloadavg()[0]]
    peers = [name for name in options.peers if util.find_spec(name)]
    found: dict[str, list[Samples]] = {}
    for task in (*TASKS, "control", "single"):
        note(task)
        found[task] = compare(ground, task, peers if task == "control" else [])
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine(),
        "scale": options.scale,
        "load": [*load, os.getloadavg()[0]],
        "tasks": {task: [sample.as_json() for sample in samples] for task, samples in found.items()},
    }


def markdown(found: dict[str, Any]) -> str:
    """Return the numbers as two tables."""
    host, tasks = found["machine"], found["tasks"]
    busy = " and ".join(f"{load:.1f}" for load in found["load"])
    lines = [
        f"# Filters, {found['date']}",
        "",
        f"{host['cpu']}, {host['cores']} cores; Python {host['python']}; load {busy}.",
        *(
            ["", "**A small corpus: this run shows that the harness works, not how fast anything is.**"]
            if found["scale"] != 1
            else []
        ),
        "",
        "| task | to the floor | CPU to the floor | target | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for task, (text, target) in TASKS.items():
        ratio, cpu = tasks[task][0]["ratio_to_floor"], tasks[task][0]["cpu_ratio_to_floor"]
        lines.append(f"| {text} | {ratio:.2f} | {cpu:.2f} | {target:.2f} | {verdict(ratio, target)} |")
    rate = SINGLE_RECORDS / median(tasks["single"][0]["seconds"])
    lines += ["", f"Records one by one, as bytes: {rate:,.0f} a second, {verdict(rate, SINGLE_LEAST, least=True)}.", ""]
    lines += [f"| {CONTROL} | to the floor | ctfast is faster |", "| --- | ---: | ---: |"]
    for sample in tasks["control"]:
        times = f"{sample['ratio_to_ctfast']:.1f} times" if sample["ratio_to_ctfast"] else ""
        lines.append(f"| {sample['version']} | {sample['ratio_to_floor']:.2f} | {times} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command line."""
    options = parse()
    found = run(options)
    text = markdown(found)
    print(text, end="")
    if options.save:
        keep(found, text, "-filters")


if __name__ == "__main__":
    main()
