"""Run every comparison and print the table.

    python benches/table.py [--sets mixed,tiny,large] [--peers clickhouse,polars,...] [--rounds N] [--scale F] [--save]

Makes the corpora if need be (in ``$CTFAST_CORPUS``, or a folder of the system's temporary directory), builds the floor,
checks every answer and then times it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import corpus
from floor import Floor
from measure import Ground, compare
from memory import cores, stream_peaks
from peers import PEERS, TASKS, installed
from report import machine, markdown, slug

RESULTS = Path(__file__).resolve().parent / "results"
TASKS_OF = {"mixed": TASKS, "tiny": ("columns",), "large": ("columns",)}
# The plain forms beside the fastest ones, where a peer has both.
TYPED = {
    ("mixed", "columns"): ("clickhouse-typed", "duckdb-typed"),
    ("mixed", "count"): ("duckdb-typed",),
    ("mixed", "rare"): ("clickhouse-typed", "polars-typed", "duckdb-typed", "orjson-typed"),
}
EXTRA = ("memory", "cores")


def home() -> Path:
    """Return the folder of the corpora."""
    return Path(os.environ.get("CTFAST_CORPUS") or Path(tempfile.gettempdir()) / "ctfast-corpus")


def split(text: str) -> list[str]:
    """Return the names in a list with commas."""
    return [name for name in text.split(",") if name]


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Compare ctfast with the floor and with its peers.")
    parser.add_argument("--sets", type=split, default=list(corpus.SETS))
    parser.add_argument("--tasks", type=split, help=f"of {', '.join(TASKS)}; default: the ones with a target")
    parser.add_argument(
        "--peers", type=split, default=[name for name in PEERS if name != "ctfast"], help="names with commas, or an empty text"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip", type=split, default=[], help=f"of {', '.join(EXTRA)}")
    parser.add_argument("--floor", type=Path, help="the built program of the floor; default: build it")
    parser.add_argument("--save", action="store_true", help="write benches/results/DATE-MACHINE.md and .json")
    return parser.parse_args()


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Do the whole run and return its numbers."""
    floor = Floor(options.floor) if options.floor else Floor.build()
    load = [os.getloadavg()[0]]
    corpora = {}
    places = {}
    for name in options.sets:
        places[name] = home() / (name if options.scale == 1 else f"{name}-{options.scale:g}")
        note(f"corpus {name}")
        corpora[name] = corpus.ensure(name, places[name], options.scale)
    peers = installed(options.peers)
    tasks = []
    for name in options.sets:
        ground = Ground(floor, places[name], corpora[name]["bytes_inflated"], options.threads, options.rounds)
        for task in options.tasks or TASKS_OF[name]:
            plain = [peer for peer in installed(TYPED.get((name, task), ())) if peer.removesuffix("-typed") in peers]
            note(f"{name} {task}")
            samples = compare(ground, task, [*peers, *plain])
            tasks.append({"set": name, "task": task, "samples": [sample.as_json() for sample in samples]})
    found: dict[str, Any] = {"tasks": tasks}
    if "mixed" in options.sets:
        ground = Ground(floor, places["mixed"], corpora["mixed"]["bytes_inflated"], options.threads, options.rounds)
        if "memory" not in options.skip:
            note("memory")
            found["stream"] = stream_peaks(places["mixed"], corpora["mixed"]["events"])
        if "cores" not in options.skip:
            note("cores")
            found["cores"] = cores(ground)
    long = ("event_names", "not_null", "delete_bucket")
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine(),
        "threads": options.threads,
        "load": [*load, os.getloadavg()[0]],
        "command": " ".join(["python benches/table.py", *_without_floor(sys.argv[1:])]),
        "corpora": {name: {key: value for key, value in of.items() if key not in long} for name, of in corpora.items()},
        **found,
    }


def _without_floor(arguments: list[str]) -> list[str]:
    # Where the program lies is nobody's business.
    if "--floor" not in arguments:
        return arguments
    place = arguments.index("--floor")
    return arguments[:place] + arguments[place + 2 :]


def note(text: str) -> None:
    """Say on the standard error what is being done."""
    print(text, file=sys.stderr, flush=True)


def keep(found: dict[str, Any], text: str, what: str = "") -> None:
    """Keep the numbers of a run and its page beside those of earlier ones."""
    RESULTS.mkdir(exist_ok=True)
    base = RESULTS / f"{found['date']}-{slug(found['machine'])}{what}"
    base.with_suffix(".md").write_text(text, encoding="utf-8")
    base.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    note(f"saved {base}.md and .json")


def main() -> None:
    """Run the command line."""
    options = parse()
    found = run(options)
    text = markdown(found)
    print(text, end="")
    if options.save:
        keep(found, text)


if __name__ == "__main__":
    main()
