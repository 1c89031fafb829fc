"""Run every comparison and print the table.

    python benches/table.py [--sets mixed,tiny,large] [--peers chdb,polars,...] [--rounds N] [--scale F] [--save]

Makes the corpora if needed (in ``$CTFAST_CORPUS``, or a folder of the system's temporary directory), and compares each
answer with what was counted when they were made. Where the times of the floor differ too much for ratios to mean
something, the table has none.
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
import peers  # noqa: F401 — adds readers
from memory import cores, stream_peaks
from report import machine, markdown

from ctfast._bench.machine import load
from ctfast._bench.machine import machine as this_machine
from ctfast._bench.measure import Ground, compare
from ctfast._bench.readers import READERS, installed, plain
from ctfast._bench.readers.base import TASKS

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
TASKS_OF = {"mixed": TASKS, "tiny": ("columns",), "large": ("columns",)}
# The plain forms next to the fastest ones, if a peer has both.
TYPED = {
    ("mixed", "columns"): ("chdb-typed", "duckdb-typed"),
    ("mixed", "count"): ("duckdb-typed",),
    ("mixed", "rare"): ("chdb-typed", "polars-typed", "duckdb-typed", "orjson-typed"),
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
        "--peers",
        type=split,
        default=[name for name in READERS if name not in {"floor", "ctfast"}],
        help="names with commas, or an empty text",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip", type=split, default=[], help=f"of {', '.join(EXTRA)}")
    parser.add_argument("--save", action="store_true", help="write benches/results/DATE-MACHINE.md and .json")
    return parser.parse_args()


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Do the whole run and return its numbers."""
    loads = [load()]
    corpora = {}
    places = {}
    for name in options.sets:
        places[name] = home() / (name if options.scale == 1 else f"{name}-{options.scale:g}")
        note(f"corpus {name}")
        corpora[name] = corpus.ensure(name, places[name], options.scale)
    others = installed(options.peers)
    tasks = []
    for name in options.sets:
        for task in options.tasks or TASKS_OF[name]:
            typed = [peer for peer in installed(TYPED.get((name, task), ())) if plain(peer) in others]
            note(f"{name} {task}")
            found = compare(ground(options, places[name]), task, [*others, *typed])
            tasks.append({"set": name, **found.as_json()})
    more: dict[str, Any] = {}
    if "mixed" in options.sets:
        if "memory" not in options.skip:
            note("memory")
            more["stream"] = stream_peaks(places["mixed"], corpora["mixed"]["events"])
        if "cores" not in options.skip:
            note("cores")
            more["cores"] = cores(ground(options, places["mixed"]))
    long = ("event_names", "not_null", "rare")
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine(),
        "threads": options.threads,
        "load": [*loads, load()],
        "command": " ".join(["python benches/table.py", *sys.argv[1:]]),
        "corpora": {name: {key: value for key, value in of.items() if key not in long} for name, of in corpora.items()},
        "tasks": tasks,
        **more,
    }


def ground(options: argparse.Namespace, directory: Path) -> Ground:
    """Return the conditions of a comparison, with workers that know the readers of this folder as well."""
    return Ground(directory, options.threads, options.rounds, (sys.executable, str(HERE / "worker.py")))


def note(text: str) -> None:
    """Report progress on the standard error."""
    print(text, file=sys.stderr, flush=True)


def keep(found: dict[str, Any], text: str, what: str = "") -> None:
    """Save the numbers of a run and its page next to those of earlier runs."""
    RESULTS.mkdir(exist_ok=True)
    base = RESULTS / f"{found['date']}-{this_machine().slug}{what}"
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
