"""Compare filters with the floor, and one of them with the tools that people use instead.

    python benches/filters.py [--tasks cis,sigma] [--peers moto,jmespath,duckdb] [--rounds N] [--scale F] [--save]

On `mixed`, which is made if needed; each answer is checked before it is timed. See `table.py`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from importlib import util
from statistics import median
from typing import Any

import corpus
from report import machine
from table import HERE, home, keep, note, split
from targets import verdict

from ctfast._bench.machine import STEADY, load
from ctfast._bench.measure import Ground, Result, compare

# Task -> its description, and the highest ratio to the floor.
TASKS = {
    "selective": ("filter pattern, under 0.1 % hits, five columns", 1.25),
    "defaults": ("management events that write, without KMS; five columns", 1.4),
    "cis": ("the CIS pack in one pass", 1.5),
    "sigma": ("87 event patterns of the Sigma kind in one pass", 1.6),
    "sigma_where": ("any of the same 87 as one filter, five columns", 1.6),
    "rules": ("1,000 event patterns in one pass", 4.0),
}
CONTROL = "one control of the CIS pack"
SINGLE_LEAST = 300_000  # records a second, one by one from Python
SINGLE_RECORDS = 2_000


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Compare filters with the floor and with their peers.")
    parser.add_argument(
        "--peers", type=split, default=["moto", "jmespath", "duckdb"], help="names with commas, or an empty text"
    )
    parser.add_argument("--tasks", type=split, default=[*TASKS, "control", "single"], help="names with commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", action="store_true", help="write benches/results/DATE-MACHINE-filters.md and .json")
    return parser.parse_args()


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Do the whole run and return its numbers."""
    place = home() / ("mixed" if options.scale == 1 else f"mixed-{options.scale:g}")
    note("corpus mixed")
    corpus.ensure("mixed", place, options.scale)
    ground = Ground(place, options.threads, options.rounds, (sys.executable, str(HERE / "filter_worker.py")))
    before = load()
    peers = [name for name in options.peers if util.find_spec(name)]
    found: dict[str, Result] = {}
    for task in options.tasks:
        note(task)
        found[task] = compare(ground, task, peers if task == "control" else [])
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine(),
        "scale": options.scale,
        "load": [before, load()],
        "tasks": {task: result.as_json() for task, result in found.items()},
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
        if task not in tasks:
            continue
        mine = tasks[task]["samples"][0]
        ratio, cpu = mine["ratio_to_floor"], mine["cpu_ratio_to_floor"]
        told = ("", "", "") if ratio is None else (f"{ratio:.2f}", f"{cpu:.2f}", verdict(ratio, target))
        lines.append(f"| {text} | {told[0]} | {told[1]} | {target:.2f} | {told[2]} |")
    if "single" in tasks:
        rate = SINGLE_RECORDS / median(tasks["single"]["samples"][0]["seconds"])
        lines += ["", f"Records one by one, as bytes: {rate:,.0f} a second, {verdict(rate, SINGLE_LEAST, least=True)}."]
    if "control" in tasks:
        lines += ["", f"| {CONTROL} | seconds | to the floor | ctfast is faster |", "| --- | ---: | ---: | ---: |"]
        for sample in tasks["control"]["samples"]:
            ratio, times = sample["ratio_to_floor"], sample["ratio_to_ctfast"]
            told = ("", "") if ratio is None else (f"{ratio:.2f}", f"{times:.1f} times" if times else "")
            lines.append(f"| {sample['version']} | {median(sample['seconds']):.3f} | {told[0]} | {told[1]} |")
    unsteady = [task for task in tasks if task != "single" and tasks[task]["floor_spread"] > STEADY]
    if unsteady:
        lines += ["", f"**No ratios of {', '.join(unsteady)}: the floor's times differ by more than {STEADY:.0%}.**"]
    failed = [failure for task in tasks.values() for failure in task["failed"]]
    lines += ["", *(f"- left out: {failure}." for failure in failed)] if failed else []
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
