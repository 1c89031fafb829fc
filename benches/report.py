"""The Markdown of a run."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from peers import TASK_TEXT
from targets import READ_TIMES, SECOND_CORE, STREAM_GROWTH, STREAM_PEAK, TO_FLOOR, TO_PEER, verdict

CAVEATS = """\
- Ratios are medians of ratios within one round (floor, ctfast, peer, one after the other); seconds are medians, and belong
  to this machine only.
- The CPU ratio is that of the CPU seconds on all cores together; a busy machine disturbs it less, and it says nothing about how
  well the work is spread.
- Files come from the page cache; no disk is measured. The floor's list of files is made before its clock starts, a reader's
  within its own time.
- ctfast's every column includes `raw`, `extra` and `record`; the peers make all other columns and the path, and some of
  them change the text of open objects. ctfast returns a Polars frame; the peers make whichever table in memory is fastest
  for them.
- "typed" is a peer's plain form; the form without a remark is the fastest that we found (`benches/peers/`)."""


def machine() -> dict[str, Any]:
    """Return what can be told about this machine without its name."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    rustc = subprocess.run(["rustc", "--version"], check=False, capture_output=True, text=True).stdout.split()
    return {
        "cpu": cpu[1].strip() if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory[1]) / 2**20) if memory else 0,
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "rustc": rustc[1] if len(rustc) > 1 else "",
    }


def slug(of: dict[str, Any]) -> str:
    """Return a file name for the machine."""
    return re.sub(r"[^a-z0-9]+", "-", f"{of['cores']} core {of['cpu']}".lower()).strip("-")


def markdown(run: dict[str, Any]) -> str:
    """Return the report of `run`, which `table.py` made."""
    host = run["machine"]
    cores = f"{host['cpu']}, {host['cores']} cores, {host['memory_gib']} GiB; {host['system']}"
    busy = ", ".join(f"{load:.1f}" for load in run["load"])
    small = [scale for scale in {of["scale"] for of in run["corpora"].values()} if scale != 1]
    parts = [
        f"# Benchmarks of {run['date']}",
        "",
        f"{cores}; Python {host['python']}, rustc {host['rustc']}; {run['threads']} threads each; load at start and end {busy}.",
        "",
        f"    {run['command']}",
        "",
        *(
            ["**The machine was busy with other things: look at the CPU ratios.**", ""]
            if max(run["load"]) > host["cores"] + 0.7
            else []
        ),
        *(["**Small corpora: this run shows that the harness works, not how fast anything is.**", ""] if small else []),
        CAVEATS,
        "",
        *_corpora(run["corpora"]),
    ]
    for found in run["tasks"]:
        parts += ["", *_task(found, run["corpora"][found["set"]])]
    parts += ["", *_memory(run), "", "## Versions", ""]
    parts += [f"- {version}" for version in sorted({sample["version"] for found in run["tasks"] for sample in found["samples"]})]
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
    for sample in found["samples"]:
        seconds = sorted(sample["seconds"])
        middle = seconds[len(seconds) // 2]
        times = sample["ratio_to_ctfast"]
        row = [
            f"**{sample['peer']}**" if times is None else sample["peer"].replace("-typed", ", typed"),
            f"{sample['ratio_to_floor']:.2f}",
            f"{sample['cpu_ratio_to_floor']:.2f}",
            "" if times is None else f"{times:.1f}x",
            _judged(kind, sample),
            f"{middle:.3f}",
            f"{corpus['bytes_inflated'] / 1e6 / middle:,.0f}",
            f"{sample['peak_bytes'] / 1e6:,.0f}",
            str(len(seconds)),
        ]
        rows.append(row)
    head = ["", "ratio to floor", "CPU ratio", "ctfast is faster by", "target", "seconds", "MB/s inflated", "peak MB", "rounds"]
    return [f"## `{found['set']}`: {TASK_TEXT[found['task']]}", "", *_table(head, rows)]


def _judged(kind: tuple[str, str], sample: dict[str, Any]) -> str:
    if sample["ratio_to_ctfast"] is None:
        if kind not in TO_FLOOR:
            return ""
        must, aim = TO_FLOOR[kind]
        ratio = sample["ratio_to_floor"]
        return f"≤ {must:g} {verdict(ratio, must)}, aim {aim:g} {verdict(ratio, aim)}"
    least = TO_PEER.get((*kind, sample["peer"]))
    return "" if least is None else f"≥ {least:g}x {verdict(sample['ratio_to_ctfast'], least, least=True)}"


def _memory(run: dict[str, Any]) -> list[str]:
    rows = []
    for found in run["tasks"]:
        if found["task"] == "columns" and found["set"] != "tiny":  # whose 40 MB are no more than the fixed costs
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
            rows.append([label, f"{stream[name] / 1e6:.0f}", f"≤ {STREAM_PEAK / 1e6:.0f}", verdict(stream[name], STREAM_PEAK)])
        rows.append(
            [
                "growth of that peak",
                f"{stream['growth']:+.1%}",
                f"≤ {STREAM_GROWTH:.0%}",
                verdict(stream["growth"], STREAM_GROWTH),
            ]
        )
    if cores := run.get("cores"):
        rows.append(
            [
                "two threads are faster than one by",
                f"{cores['ctfast']:.2f}x",
                f"≥ {SECOND_CORE}x",
                verdict(cores["ctfast"], SECOND_CORE, least=True),
            ]
        )
        rows.append(["the same of the floor", f"{cores['floor']:.2f}x", "", ""])
    return ["## Memory and cores", "", *_table(["", "measured", "target", ""], rows)] if rows else []
