"""The Markdown of a run."""

from __future__ import annotations

import subprocess
from statistics import median
from typing import Any

from targets import READ_TIMES, SECOND_CORE, STREAM_GROWTH, STREAM_PEAK, TO_FLOOR, TO_PEER, verdict

from ctfast._bench.machine import STEADY
from ctfast._bench.machine import machine as this_machine

TASK_TEXT = {
    "columns": "every column",
    "count": "count by eventName",
    "rare": "five columns of the DeleteBucket events",
}
CAVEATS = """\
- Ratios are medians of ratios within one round (floor, ctfast, peer, one after the other); seconds are medians, and
  belong to this machine only.
- The CPU ratio is that of the CPU seconds on all cores together; a busy machine disturbs it less, and it says nothing
  about how well the work is spread.
- Files come from the page cache; no disk is measured. The floor's list of files is made before its clock starts, a
  reader's within its own time.
- ctfast's every column includes `raw`, `extra` and `record`; the peers make all other columns and the path, and some of
  them change the text of open objects. ctfast returns a Polars frame; the peers make whichever table in memory is
  fastest for them.
- "typed" is a peer's plain form; the form without a remark is the fastest that we found."""


def machine() -> dict[str, Any]:
    """Return a description of this machine without its name, and of the compiler."""
    rustc = subprocess.run(["rustc", "--version"], check=False, capture_output=True, text=True).stdout.split()
    return {**this_machine()._asdict(), "rustc": rustc[1] if len(rustc) > 1 else ""}


def markdown(run: dict[str, Any]) -> str:
    """Return the report of `run`, which `table.py` made."""
    host = run["machine"]
    cores = f"{host['cpu']}, {host['cores']} cores, {host['memory_gib']} GiB; {host['system']}"
    busy = ", ".join(f"{load:.1f}" for load in run["load"])
    small = [scale for scale in {of["scale"] for of in run["corpora"].values()} if scale != 1]
    parts = [
        f"# Benchmarks of {run['date']}",
        "",
        (
            f"{cores}; Python {host['python']}, rustc {host['rustc']}; {run['threads']} threads each; load at start"
            f" and end {busy}."
        ),
        "",
        f"    {run['command']}",
        "",
        *(["**The machine was busy with other things.**", ""] if max(run["load"]) > host["cores"] + 0.7 else []),
        *(["**Small corpora: this run shows that the harness works, not how fast anything is.**", ""] if small else []),
        CAVEATS,
        "",
        *_corpora(run["corpora"]),
    ]
    for found in run["tasks"]:
        parts += ["", *_task(found, run["corpora"][found["set"]])]
    parts += ["", *_memory(run), "", "## Versions", ""]
    parts += [
        f"- {version}"
        for version in sorted({sample["version"] for found in run["tasks"] for sample in found["samples"]})
    ]
    return "\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    aligned = ["---" if index == 0 else "---:" for index in range(len(head))]
    return ["| " + " | ".join(row) + " |" for row in [head, aligned, *rows]]


def _corpora(corpora: dict[str, Any]) -> list[str]:
    rows = [
        [
            name,
            f"{of['scale']:g}",
            f"{of['files']:,}",
            f"{of['events']:,}",
            f"{of['bytes_inflated'] / 1e6:.0f}",
            f"{of['gzip_ratio']:.1f}",
        ]
        for name, of in corpora.items()
    ]
    return _table(["set", "scale", "files", "events", "MB inflated", "gzip ratio"], rows)


def _task(found: dict[str, Any], corpus: dict[str, Any]) -> list[str]:
    rows = []
    kind = (found["set"], found["task"])
    steady = found["floor_spread"] <= STEADY
    first = found["samples"][0]
    rows.append(["floor", "", "", "", "", *_speed(first["floor_seconds"], first["floor_cpu_seconds"], corpus), "", ""])
    for sample in found["samples"]:
        row = [
            f"**{sample['peer']}**" if sample["peer"] == "ctfast" else sample["peer"].replace("-typed", ", typed"),
            _told(sample["ratio_to_floor"], ".2f"),
            _told(sample["cpu_ratio_to_floor"], ".2f"),
            _told(sample["ratio_to_ctfast"], ".1f", "x"),
            _judged(kind, sample),
            *_speed(sample["seconds"], sample["cpu_seconds"], corpus),
            f"{sample['peak_bytes'] / 1e6:,.0f}",
            str(len(sample["seconds"])),
        ]
        rows.append(row)
    head = [
        "",
        "ratio to floor",
        "CPU ratio",
        "ctfast is faster by",
        "target",
        "seconds",
        "CPU seconds",
        "MB/s inflated",
        "peak MB",
        "rounds",
    ]
    notes = [f"left out: {failure}" for failure in found["failed"]]
    notes += [f"{sample['peer']}: {sample['difference']}" for sample in found["samples"] if sample["difference"]]
    spread = f"The floor's times differ by {found['floor_spread']:.0%} of their median"
    notes.append(spread if steady else f"**{spread}, more than {STEADY:.0%}: no ratios**")
    title = f"## `{found['set']}`: {TASK_TEXT[found['task']]}"
    return [title, "", *_table(head, rows), "", *(f"- {note}." for note in notes)]


def _told(ratio: float | None, form: str, unit: str = "") -> str:
    return "" if ratio is None else f"{ratio:{form}}{unit}"


def _speed(seconds: list[float], cpu: list[float], corpus: dict[str, Any]) -> list[str]:
    middle = median(seconds)
    return [f"{middle:.3f}", f"{median(cpu):.3f}", f"{corpus['bytes_inflated'] / 1e6 / middle:,.0f}"]


def _judged(kind: tuple[str, str], sample: dict[str, Any]) -> str:
    ratio, times = sample["ratio_to_floor"], sample["ratio_to_ctfast"]
    if sample["peer"] == "ctfast" and ratio is not None and kind in TO_FLOOR:
        must, aim = TO_FLOOR[kind]
        return f"≤ {must:g} {verdict(ratio, must)}, aim {aim:g} {verdict(ratio, aim)}"
    least = TO_PEER.get((*kind, sample["peer"]))
    return "" if least is None or times is None else f"≥ {least:g}x {verdict(times, least, least=True)}"


def _memory(run: dict[str, Any]) -> list[str]:
    rows = []
    for found in run["tasks"]:
        if found["task"] == "columns" and found["set"] != "tiny":  # its 40 MB are dominated by fixed costs
            times = found["samples"][0]["peak_bytes"] / run["corpora"][found["set"]]["bytes_inflated"]
            rows.append(
                [
                    f"`read` of every column of `{found['set']}`: peak / inflated bytes",
                    f"{times:.2f}",
                    f"≤ {READ_TIMES}",
                    verdict(times, READ_TIMES),
                ]
            )
    if stream := run.get("stream"):
        for name in ("once", "ten times"):
            label = f"`stream` of `mixed` {name}: peak above the imported package, MB"
            rows.append(
                [label, f"{stream[name] / 1e6:.0f}", f"≤ {STREAM_PEAK / 1e6:.0f}", verdict(stream[name], STREAM_PEAK)]
            )
        rows.append(
            [
                "growth of that peak",
                f"{stream['growth']:+.1%}",
                f"≤ {STREAM_GROWTH:.0%}",
                verdict(stream["growth"], STREAM_GROWTH),
            ]
        )
    cores = run.get("cores")
    if cores and cores["floor_spread"] <= STEADY:
        rows.append(
            [
                "two threads are faster than one by",
                f"{cores['ctfast']:.2f}x",
                f"≥ {SECOND_CORE}x",
                verdict(cores["ctfast"], SECOND_CORE, least=True),
            ]
        )
        rows.append(["the same of the floor", f"{cores['floor']:.2f}x", "", ""])
    elif cores:
        rows.append([f"two threads against one: the floor's times differ by {cores['floor_spread']:.0%}", "", "", ""])
    return ["## Memory and cores", "", *_table(["", "measured", "target", ""], rows)] if rows else []
