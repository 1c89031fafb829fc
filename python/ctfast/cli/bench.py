"""The verb ``bench``: how fast an archive is read here, next to the floor and to other engines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from ctfast._arguments.gate import processors
from ctfast._arguments.parameters import THREADS
from ctfast._bench.machine import STEADY, Machine, load, machine
from ctfast._bench.measure import Ground, Result, Samples, Time, compare
from ctfast._bench.readers import READERS, installed
from ctfast._bench.readers.base import TASKS
from ctfast._bench.sample import Sample, sampled
from ctfast._later import pl
from ctfast._show.plain import counted, plain
from ctfast._show.tables import Column, table
from ctfast._source.addresses import Source
from ctfast.cli import options
from ctfast.cli.formats import ROWS, TABLE
from ctfast.cli.output import check_target, chosen, opened
from ctfast.cli.progress import steps
from ctfast.cli.screen import say, show, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctfast._show.folding import Room

__all__ = ["bench"]

_PEERS = tuple(name for name in READERS if name not in {"floor", "ctfast"})
_MEGABYTE = 10**6
#: Files that are named of those that are left out.
_NAMED = 3
_NONE = "-"


@dataclass(frozen=True, slots=True)
class _Run:
    """What was measured, where, and when."""

    day: date
    host: Machine
    threads: int
    loads: tuple[float, float]
    sample: Sample
    results: list[Result]
    #: Engines that were asked for and are not installed.
    missing: list[str]


@click.command()
@options.archives
@click.option(
    "--sample",
    "megabytes",
    type=click.IntRange(1, 1_000_000),
    metavar="MB",
    default=500,
    show_default=True,
    help="Measure the first files of ARCHIVE, up to this much text. Each reader holds all of it in memory, in its own "
    "form: two or three times as much.",
)
@click.option(
    "--peer",
    "peers",
    type=click.Choice(_PEERS),
    multiple=True,
    help="Compare with this engine only; without it, with all that are installed. May be repeated.",
)
@click.option(
    "--rounds", type=click.IntRange(3, 1_000), metavar="N", default=5, show_default=True, help="Rounds for each engine."
)
@click.option(
    "--threads",
    type=click.IntRange(1, THREADS),
    metavar="N",
    show_default="one per processor",
    help="Threads of each reader.",
)
@options.output((*ROWS, TABLE), "by the name of FILE; else table")
@click.pass_context
def bench(
    ctx: click.Context,
    /,
    archive: tuple[str, ...],
    *,
    megabytes: int,
    peers: tuple[str, ...],
    rounds: int,
    threads: int | None,
    form: str | None,
    target: str | None,
) -> None:
    """Measure how fast an archive is read, next to the floor and to other engines.

    The floor inflates the files and does nothing else. Readers take turns with it in processes of their own, and their
    answers are compared. Files come from the page cache.

    Ratios are shown only if the floor's own times differ by 10 % at most. Exit code: 0 all is well; 1 there are no
    ratios, an answer differs, an engine failed, or files are left out; 2 trouble.

    \b
    Example:
      ctfast bench logs --peer polars
    """
    into = chosen(form, target, TABLE)
    check_target(target)
    source = options.sources(archive, None, target)
    with tempfile.TemporaryDirectory(prefix="ctfast-bench-") as folder:
        run = _measured(source, Path(folder), megabytes * _MEGABYTE, peers, rounds, threads or processors())
    with opened(target) as file:
        if into is TABLE:
            show(file, lambda room: _page(run, room))
        else:
            into.put([_frame(run)], file)
    problems = list(_problems(run))
    if into is not TABLE:
        say(*(f"ctfast: {problem}" for problem in problems))
    ctx.exit(int(bool(problems)))


def _measured(source: Source, folder: Path, most: int, peers: Sequence[str], rounds: int, threads: int) -> _Run:
    before, results = load(), []
    there = installed(peers or _PEERS)
    with steps("measuring") as step:
        sample = sampled(source, folder / "archive", most, threads)
        for number, task in enumerate(TASKS):
            if step is not None:
                step(_title(task, sample), number, len(TASKS))
            results.append(compare(Ground(sample.path, threads, rounds), task, there))
    missing = [name for name in peers if name not in there]
    return _Run(datetime.now(tz=UTC).date(), machine(), threads, (before, load()), sample, results, missing)


def _title(task: str, sample: Sample) -> str:
    return {
        "columns": "every column",
        "count": "count by eventName",
        "rare": f"five columns of {plain(sample.rare)}",
    }[task]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _page(run: _Run, room: Room) -> Iterator[RenderableType]:
    """Yield the parts of the output, from top to bottom."""
    sample, (before, after) = run.sample, run.loads
    which = "The first files of the archive" if sample.more else "All files of the archive"
    yield Text(f"{run.day}: {run.host}.")
    yield Text(f"{counted(run.threads, 'thread')} each; load {before:.1f} before and {after:.1f} after.")
    yield Text(f"{which}: {counted(sample.files, 'file')} with {counted(sample.records, 'record')}.")
    yield Text(f"{size(sample.stored)} as stored, {size(sample.text)} of text.")
    for result in run.results:
        yield ""
        yield Text(_sentence(_title(result.task, sample)))
        yield table(list(_columns(result)), room)
    yield ""
    if any(result.is_steady for result in run.results):
        yield Text("To floor: how many times as long as inflating alone. To ctfast: how many times as long as ctfast.")
    for line in _problems(run):
        yield Text(f"{_sentence(line)}.")
    yield Text(f"Versions: {'; '.join(_versions(run))}.")


def _columns(result: Result) -> Iterator[Column]:
    mine, *_ = result.samples
    steady = result.is_steady
    rows = result.samples
    yield Column("Reader", "text", ["floor", *(READERS[row.reader].title for row in rows)])
    times = [mine.floors, *(row.times for row in rows)]
    yield Column("Seconds", "number", [f"{_seconds(each):.3f}" for each in times])
    yield Column("CPU s", "number", [f"{_cpu(each):.3f}" for each in times])
    if steady:
        yield Column("To floor", "number", ["1", *(_ratio(row, row.to_floor) for row in rows)])
        yield Column("CPU to floor", "number", ["1", *(_ratio(row, row.cpu_to_floor) for row in rows)])
        yield Column("To ctfast", "number", [_NONE, *(_ratio(row, row.to_ctfast) for row in rows)])
    yield Column("Peak", "number", [_NONE, *(size(row.peak) if row.peak else _NONE for row in rows)])
    yield Column("Rounds", "number", [str(len(each)) for each in times])


def _ratio(row: Samples, value: float | None) -> str:
    """Return a ratio, unless there is none or the answers differ."""
    return _NONE if value is None or row.difference else f"{value:.2f}"


def _seconds(times: Sequence[Time]) -> float:
    return median(time.seconds for time in times)


def _cpu(times: Sequence[Time]) -> float:
    return median(time.cpu for time in times)


def _problems(run: _Run) -> Iterator[str]:
    """Yield what keeps the figures from telling all."""
    unsteady = [result for result in run.results if not result.is_steady]
    if unsteady:
        tasks = ", ".join(_title(result.task, run.sample) for result in unsteady)
        most = max(result.spread for result in unsteady)
        yield (
            f"no ratios for {tasks}: the times of the floor differ by up to {most:.0%} of their median, more than"
            f" {STEADY:.0%}, so the machine has other work"
        )
    for result in run.results:
        task = _title(result.task, run.sample)
        for row in result.samples:
            if row.difference:
                yield f"{task}: {READERS[row.reader].title} has another answer: {plain(row.difference)}"
        yield from (f"left out: {plain(failure)}" for failure in result.failed)
    left_out = run.sample.left_out
    if left_out:
        names = ", ".join(map(plain, left_out[:_NAMED]))
        more = f" and {len(left_out) - _NAMED:,} more" if len(left_out) > _NAMED else ""
        yield f"left out, since they are no whole gzip files with good records only: {names}{more}"
    yield from (f"{READERS[name].title} is not installed" for name in run.missing)


def _versions(run: _Run) -> list[str]:
    return sorted({row.version for result in run.results for row in result.samples})


def _frame(run: _Run) -> pl.DataFrame:
    """Return a row for each reader and task, the floor among them."""
    rows = []
    for result in run.results:
        common = {
            "date": run.day,
            "task": result.task,
            "floor_spread": result.spread,
            "threads": run.threads,
            "load_before": run.loads[0],
            "load_after": run.loads[1],
            "processor": run.host.cpu,
            "cores": run.host.cores,
            "files": run.sample.files,
            "bytes": run.sample.stored,
            "text_bytes": run.sample.text,
            "records": run.sample.records,
        }
        floors = result.samples[0].floors
        rows.append(common | _times(floors) | {"reader": "floor"})
        for row in result.samples:
            own = {"reader": row.reader, "version": row.version, "peak_bytes": row.peak, "difference": row.difference}
            if result.is_steady and not row.difference:
                own |= {
                    "ratio_to_floor": row.to_floor,
                    "cpu_ratio_to_floor": row.cpu_to_floor,
                    "ratio_to_ctfast": row.to_ctfast,
                }
            rows.append(common | _times(row.times) | own)
    return pl.DataFrame(rows, schema=_schema())


def _times(times: Sequence[Time]) -> dict[str, Any]:
    return {"seconds": _seconds(times), "cpu_seconds": _cpu(times), "rounds": len(times)}


def _schema() -> dict[str, Any]:
    """Return the columns of the rows."""
    return {
        "date": pl.Date,
        "task": pl.String,
        "reader": pl.String,
        "version": pl.String,
        "seconds": pl.Float64,
        "cpu_seconds": pl.Float64,
        "ratio_to_floor": pl.Float64,
        "cpu_ratio_to_floor": pl.Float64,
        "ratio_to_ctfast": pl.Float64,
        "difference": pl.String,
        "rounds": pl.UInt32,
        "peak_bytes": pl.UInt64,
        "floor_spread": pl.Float64,
        "threads": pl.UInt32,
        "load_before": pl.Float64,
        "load_after": pl.Float64,
        "processor": pl.String,
        "cores": pl.UInt32,
        "files": pl.UInt64,
        "bytes": pl.UInt64,
        "text_bytes": pl.UInt64,
        "records": pl.UInt64,
    }
