"""The reader in a process: threads, fork and spawn, Ctrl-C, early stop, files that go away, and order.

Nothing here measures time. Where something has to happen "at last", it is polled for with a generous limit;
what must not happen at all (a scan that outlives its interrupt) is given work that would take far longer.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import ctfast as ct

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc/self/task")
unix = pytest.mark.skipif(os.name != "posix", reason="needs fork and signals")

FILES, EVENTS = 40, 30


def event(number: int) -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::123456789012:user/{number % 7}"},
        "eventTime": f"2023-07-10T11:{number % 60:02}:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": f"Event{number % 11}",
        "requestParameters": {"bucketName": f"bucket-{number}", "padding": "x" * (number % 300)},
        "readOnly": number % 2 == 0,
    }


def write_log(path: Path, first: int, count: int) -> None:
    text = json.dumps({"Records": [event(number) for number in range(first, first + count)]}).encode()
    path.write_bytes(gzip.compress(text, 1) if path.name.endswith(".gz") else text)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    for number in range(FILES):
        write_log(folder / f"{number:03}.json.gz", number * EVENTS, EVENTS - number % 5)
    return folder


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that takes many minutes to read: one large file under very many names."""
    folder = tmp_path_factory.mktemp("endless")
    write_log(folder / "00000.json.gz", 0, 10_000)
    for number in range(1, 20_000):
        (folder / f"{number:05}.json.gz").symlink_to("00000.json.gz")
    return folder


def table(folder: Path, **options: Any) -> pa.Table:
    """The archive through Arrow, without Polars."""
    with ct.stream(folder, **options) as batches:
        return pa.RecordBatchReader.from_stream(batches).read_all()


def poll(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def threads_now() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


# Threads


def test_several_scans_at_once(archive: Path) -> None:
    expected = ct.read(archive)
    results: dict[int, Any] = {}

    def work(number: int) -> None:
        results[number] = ct.read(archive, threads=1 + number % 3) if number % 2 else pl.DataFrame(table(archive))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(results) == list(range(8))
    for result in results.values():
        assert_frame_equal(result, expected)


def test_gil_is_released(tmp_path: Path) -> None:
    """A ticker keeps ticking while one call into the reader works on one large file."""
    ticks, stop = [0], threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks[0] += 1

    path = tmp_path / "large.json.gz"
    write_log(path, 0, 60_000)
    # The same file a number of times, or a fast machine would be done before the second tick.
    for number in range(10):
        (tmp_path / f"{number}.json.gz").symlink_to(path)
    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        # One batch of all rows, so one call into the reader, with no return to Python in between.
        with ct.stream(tmp_path, columns=["eventName", "raw"], batch_rows=10_000_000, threads=1) as batches:
            before = ticks[0]
            next(batches)
            during = ticks[0] - before
    finally:
        stop.set()
        ticker.join()
    assert during >= 3


# Processes


def _child(folder: str, how: str, queue: Any) -> None:
    rows = table(Path(folder), threads=2).num_rows if how == "stream" else ct.read(folder, threads=2).height
    queue.put(rows)


def _run_child(method: str, folder: Path, how: str) -> int:
    context: Any = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_child, args=(str(folder), how, queue))
    child.start()
    try:
        return int(queue.get(timeout=120))
    finally:
        child.join(10)
        if child.is_alive():
            child.kill()
            child.join()


def test_spawn(archive: Path) -> None:
    expected = ct.read(archive).height
    assert _run_child("spawn", archive, "read") == expected
    assert ct.read(archive).height == expected


@unix
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork(archive: Path) -> None:
    """A scan before, in the child, and after. Polars does not survive a fork; the child goes without it."""
    expected = table(archive, threads=4).num_rows
    assert _run_child("fork", archive, "stream") == expected
    assert table(archive, threads=4).num_rows == expected


@unix
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_in_the_middle_of_a_scan(archive: Path) -> None:
    """The child has none of the parent's threads: its own scan works, and the parent's goes on."""
    expected = table(archive).num_rows
    with ct.stream(archive, batch_rows=10, threads=2) as batches:
        rows = next(batches).num_rows
        assert _run_child("fork", archive, "stream") == expected
        rows += sum(batch.num_rows for batch in batches)
    assert rows == expected


# Ctrl-C

INTERRUPTED = {
    "stream": "for batch in ct.stream(source): started()",
    "arrow": "stream = ct.stream(source); started(); pa.RecordBatchReader.from_stream(stream).read_all()",
    "read": "started(); ct.read(source)",
    "in-memory": "started(); ct.scan(source).collect(engine='in-memory')",
    "narrow": "started(); ct.scan(source).filter(pl.col('eventName') == 'None').select('eventID').collect()",
}


@unix
@pytest.mark.parametrize("how", INTERRUPTED)
def test_interrupt(how: str, endless: Path) -> None:
    script = """
        import sys
        import ctfast as ct
        import polars as pl
        import pyarrow as pa
        source = sys.argv[1]
        def started():
            global started
            print("started", flush=True)
            started = lambda: None
        {}
        print("finished")
    """
    command = [sys.executable, "-c", textwrap.dedent(script).format(INTERRUPTED[how]), str(endless)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "started\n"
            # The signal usually comes well into the scan; if it comes earlier, it is a KeyboardInterrupt all the same.
            time.sleep(0.7)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert out == ""
    # Polars and Python both raise it, the second perhaps while the first is being printed.
    assert "KeyboardInterrupt" in err
    assert child.returncode != 0


# Early stop


def one_batch_then_close(folder: Path) -> None:
    batches = ct.stream(folder, batch_rows=10, threads=4)
    assert next(batches).num_rows > 0
    batches.close()
    with pytest.raises(StopIteration):
        next(batches)


def leave_a_with_block(folder: Path) -> None:
    with ct.stream(folder, batch_rows=10, threads=4) as batches:
        assert next(batches).num_rows > 0


def error_in_a_with_block(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), ct.stream(folder, batch_rows=10, threads=4) as batches:
        next(batches).num_rows / 0


def forget_the_stream(folder: Path) -> None:
    for batch in ct.stream(folder, batch_rows=10, threads=4):
        assert batch.num_rows > 0
        break


def never_start(folder: Path) -> None:
    ct.stream(folder, threads=4)


def forget_the_reader(folder: Path) -> None:
    reader = pa.RecordBatchReader.from_stream(ct.stream(folder, batch_rows=10, threads=4))
    assert reader.read_next_batch().num_rows > 0


def head(folder: Path) -> None:
    assert ct.scan(folder, threads=4).head(1).collect(engine="streaming").height == 1
    assert ct.scan(folder, threads=4).head(1).collect(engine="in-memory").height == 1


@linux
@pytest.mark.parametrize(
    "stop",
    [
        one_batch_then_close,
        leave_a_with_block,
        error_in_a_with_block,
        forget_the_stream,
        never_start,
        forget_the_reader,
        head,
    ],
)
def test_early_stop_ends_the_threads(stop: Callable[[Path], None], archive: Path, endless: Path) -> None:
    """Even a scan of a huge folder leaves no thread after."""
    # Polars starts threads of its own, which stay.
    head(archive)
    before = threads_now()
    for _ in range(3):
        stop(endless)
    assert poll(lambda: threads_now() <= before)


@linux
def test_complete_scan_ends_the_threads(archive: Path) -> None:
    ct.read(archive, threads=5)
    before = threads_now()
    for _ in range(3):
        table(archive, threads=5)
        ct.read(archive, threads=5)
    assert poll(lambda: threads_now() <= before)


@linux
def test_failed_scan_ends_the_threads(archive: Path, tmp_path: Path) -> None:
    ct.read(archive, threads=5)
    before = threads_now()
    (tmp_path / "0.json").write_bytes(b"{")
    for number in range(1, 200):
        write_log(tmp_path / f"{number}.json", 0, 5)
    for _ in range(3):
        # Not through Arrow's C interface, which cannot pass on our exceptions.
        with pytest.raises(ct.FormatError), ct.stream(tmp_path, threads=5) as batches:
            list(batches)
    assert poll(lambda: threads_now() <= before)


@linux
def test_import_starts_no_thread() -> None:
    script = "import os, ctfast._ctfast; print(len(os.listdir('/proc/self/task')) - before)"
    # What ctfast imports may start threads; importing that first shows what ctfast itself does.
    script = "import os, polars, pyarrow; before = len(os.listdir('/proc/self/task')); " + script
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "0\n"


# Files that go away


def test_file_deleted_during_the_scan(tmp_path: Path) -> None:
    # More files than a bounded scan reads ahead.
    for number in range(2000):
        write_log(tmp_path / f"{number:04}.json", number, 2)
    last = tmp_path / "1999.json"
    with ct.stream(tmp_path, batch_rows=2, threads=2) as batches:
        next(batches)
        last.unlink()
        with pytest.raises(ct.CloudTrailError) as caught:
            for _ in batches:
                pass
    assert str(last) in str(caught.value)
    assert "No such file or directory" in str(caught.value)


def test_folder_deleted_before_the_scan(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    write_log(folder / "a.json", 0, 3)
    scan = ct.scan(folder)
    assert scan.collect().height == 3
    (folder / "a.json").unlink()
    with pytest.warns(ct.NothingChosen):
        assert scan.collect().height == 0
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        scan.collect()


# Order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_order_does_not_depend_on_threads(threads: int, archive: Path) -> None:
    expected = ct.read(archive)
    assert expected["file"].unique(maintain_order=True).to_list() == [
        f"{archive}/{number:03}.json.gz" for number in range(FILES)
    ]
    assert expected.group_by("file", maintain_order=True).agg("record")["record"].to_list() == [
        list(range(EVENTS - number % 5)) for number in range(FILES)
    ]
    assert_frame_equal(ct.read(archive, threads=threads), expected)
    assert_frame_equal(pl.DataFrame(table(archive, threads=threads, batch_rows=7)), expected)
    names = (
        ct.scan(archive, threads=threads)
        .filter(pl.col("eventName") == "Event3")
        .select("eventName", "file", "record")
        .collect()
    )
    assert_frame_equal(names, expected.filter(pl.col("eventName") == "Event3").select("eventName", "file", "record"))


def test_order_is_that_of_the_bytes_of_the_whole_key(tmp_path: Path) -> None:
    """A walk through the folders would put the files in ``a`` before ``a-b.json``."""
    names = ["B.json", "a-b.json", "a.json", "a/z.json", "a0.json", "b.json", "é.json"]
    (tmp_path / "a").mkdir()
    for name in reversed(names):
        write_log(tmp_path / name, 0, 1)
    for threads in (1, 5):
        assert ct.read(tmp_path, threads=threads)["file"].to_list() == [f"{tmp_path}/{name}" for name in names]
