"""1 of 9, item 14: a program may end while scans run, and just when Polars hands over the result of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ctfast.sample


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(ctfast.sample.write(tmp_path_factory.mktemp("sample")).archive)


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "faulthandler", "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


#: The thread of Polars is delayed where the system may always delay it: it has woken the loop, and has not returned
#: from Python yet.
HELD_UP = """
import asyncio, sys, time
import ctfast as ct

wake = asyncio.BaseEventLoop.call_soon_threadsafe

def wake_and_wait(self, *arguments, **named):
    handle = wake(self, *arguments, **named)
    time.sleep(0.2)
    return handle

asyncio.BaseEventLoop.call_soon_threadsafe = wake_and_wait

async def main():
    frames = await asyncio.gather(*[ct.scan(sys.argv[1]).select("eventName").collect_async() for _ in range(2)])
    return [frame.height > 0 for frame in frames]

print(asyncio.run(main()), flush=True)
"""


def test_the_exit_waits_for_threads_that_hand_over_results(archive: Path) -> None:
    done = run(HELD_UP, archive)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[True, True]\n", "")


#: All at the same time: pickles, processes, asyncio, streams that stay open, threads that keep reading, and queries
#: that are not awaited.
MIXED = """
import asyncio, multiprocessing, pickle, sys, threading, time
import polars as pl
import ctfast as ct

def count(task):
    archive, where = pickle.loads(task)
    return ct.scan(archive, where=where).select(pl.len()).collect().item()

async def main(frame):
    found = await asyncio.gather(*[frame.filter(pl.col("eventName") != "x").collect_async() for _ in range(2)])
    asyncio.ensure_future(waited_for(frame))
    await asyncio.sleep(0.001 * int(sys.argv[2]))
    return len(found)

async def waited_for(frame):
    return await frame.collect_async()

def read_on(archive):
    while True:
        for batch in ct.stream(archive, batch_rows=10):
            pass
        ct.scan(archive).collect()

if __name__ == "__main__":
    archive = sys.argv[1]
    frame = ct.scan(archive)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        task = pickle.dumps((archive, ct.FilterPattern("{ $.eventName = * }")))
        print(len(set(pool.map(count, [task] * 2))))
    kept = ct.stream(archive)
    next(kept)
    for _ in range(2):
        threading.Thread(target=read_on, args=[archive], daemon=True).start()
    print(asyncio.run(main(frame)), flush=True)
"""


@pytest.mark.parametrize("moment", range(3))
def test_a_program_ends_among_scans_of_all_kinds(moment: int, archive: Path) -> None:
    done = run(MIXED, archive, moment)
    assert (done.returncode, done.stdout) == (0, "1\n2\n"), done.stderr


#: The exit handlers have run, and the program keeps reading.
ENDED = """
import atexit, sys
import ctfast as ct

kept = ct.stream(sys.argv[1], batch_rows=1)
next(kept)
atexit._run_exitfuncs()
try:
    print(sum(1 for batch in kept))
except RuntimeError as error:
    print(error)
"""


def test_a_scan_closed_at_exit_is_not_taken_for_a_complete_one(archive: Path) -> None:
    done = run(ENDED, archive)
    assert (done.returncode, done.stdout) == (0, "the interpreter is ending, and its scans with it\n"), done.stderr


#: While a scan waits for a pipe, the main thread looks at its report: does another thread make progress meanwhile?
WATCHED = """
import os, sys, threading, time
import ctfast as ct

pipe, report, ticks, is_over = sys.argv[1], ct.Report(), 0, False
os.mkfifo(pipe)

def read():
    for batch in ct.stream(pipe, report=report):
        pass

def tick():
    global ticks
    while not is_over:
        ticks += 1
        time.sleep(0)

threads = [threading.Thread(target=read), threading.Thread(target=tick)]
for thread in threads:
    thread.start()
time.sleep(0.2)
sys.setswitchinterval(60)  # from here on, the GIL changes hands only where it is given up
seen = 0
for _ in range(10):
    before = ticks
    report.files, report.bad, report.warnings
    seen += ticks > before
is_over = True
sys.setswitchinterval(0.005)
with open(pipe, "wb") as file:
    file.write(b'{"Records":[{"eventName":"A"}]}')
for thread in threads:
    thread.join()
print(seen > 0, report.records.read)
"""


def test_looking_at_a_report_does_not_block_other_threads(tmp_path: Path) -> None:
    done = run(WATCHED, tmp_path / "log.json")
    assert (done.returncode, done.stdout) == (0, "True 1\n"), done.stderr
