"""`ct.Lake.follow`: rounds that take what is new, and nothing else, whatever happens in one of them."""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

import ctfast as ct
from ctfast._lake.unreached import _OF_THE_WAY, Postponed
from ctfast._store.store import Folder
from loopback import Request, response
from opened import opened
from test_lake import event, holds, put, stored
from test_lake_compact import age
from use.scripted import page, playing

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

SECOND = timedelta(seconds=1)
#: Seconds until something must have happened.
PATIENCE = 60


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    put(tmp_path / "archive", "a", [event(1), event(2)])
    return tmp_path / "archive"


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    return ct.Lake(tmp_path / "lake")


# Rounds


def test_each_round_takes_what_is_new(lake: ct.Lake, archive: Path) -> None:
    rounds = lake.follow(archive, interval=SECOND)
    first = next(rounds)
    assert (first.files, first.stored, first.known) == (1, 2, 0)
    assert (idle := next(rounds)).known == 1
    assert (idle.files, idle.read) == (0, 0)
    put(archive, "A-late", [event(3)])
    put(archive, "new-day", [event(2), event(4)], day="2025/03/13")
    new = next(rounds)
    assert (new.files, new.stored, new.duplicates, new.known) == (2, 2, 1, 1)
    path = put(archive, "a", [event(1), event(2), event(5)])
    os.utime(path, (1, 1))
    changed = next(rounds)
    assert (changed.files, changed.stored, changed.duplicates, changed.known) == (1, 1, 2, 2)
    assert lake.info().records == 5


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_no_round_opens_a_known_file_or_an_earlier_part_of_the_ledger(lake: ct.Lake, archive: Path) -> None:
    old = {put(archive, f"old{number}", [event(number)]) for number in range(10, 30)}
    rounds = lake.follow(archive, interval=SECOND)
    next(rounds)
    ledger = set((lake.path / "_ctfast/ledger").iterdir())
    put(archive, "before", [event(3)])
    next(rounds)  # what the first commit has noted is read by the look and by the commit after it
    with opened(archive) as files, opened(lake.path / "_ctfast/ledger") as parts:
        new = put(archive, "new", [event(4)])
        assert next(rounds).files == 1
        next(rounds)
        assert files() == {new}
        assert not parts() & ledger
    assert old < set(new.parent.iterdir())


def test_what_another_ingest_has_taken_is_known(lake: ct.Lake, archive: Path) -> None:
    rounds = lake.follow(archive, interval=SECOND)
    next(rounds)
    put(archive, "b", [event(3)])
    ct.Lake(lake.path).ingest(archive)
    assert (found := next(rounds)).known == 2
    assert found.files == 0
    holds(lake, archive)


def test_a_lake_that_is_made_anew_is_filled_anew(lake: ct.Lake, archive: Path, tmp_path: Path) -> None:
    rounds = lake.follow(archive, interval=SECOND)
    next(rounds)
    assert next(rounds).known == 1
    lake.path.rename(tmp_path / "away")
    assert next(rounds).stored == 2
    holds(lake, archive)


def test_the_first_round_has_to_succeed(lake: ct.Lake, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(lake.follow(tmp_path / "nowhere"))


def test_a_list_of_keys_is_refused(lake: ct.Lake) -> None:
    with pytest.raises(ct.ArgumentError, match="an archive that can be listed") as caught:
        lake.follow(ct.KeyList(["a"]))
    assert caught.value.function == "Lake.follow"


# Rounds that fail


def test_a_round_that_fails_is_named_and_done_again(
    lake: ct.Lake, archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = lake.follow(archive, interval=SECOND)
    next(rounds)
    away = archive.rename(archive.with_name("away"))

    def back(record: logging.LogRecord) -> bool:
        if archive.exists():
            return True
        away.rename(archive)
        put(archive, "b", [event(3)])
        return True

    caplog.handler.addFilter(back)
    assert next(rounds).stored == 1
    assert [record.getMessage() for record in caplog.records] == [
        f"{archive}: No such file or directory; looking again in 2 s (failure 1)"
    ]
    next(rounds)
    assert caplog.records[-1].getMessage() == "looking for new files works again, after 1 failure"


def test_a_folder_that_cannot_be_listed_is_named_in_each_round(lake: ct.Lake, archive: Path) -> None:
    loop = archive / "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/12/loop.json"
    loop.symlink_to(loop)
    rounds = lake.follow(archive, interval=SECOND)
    assert [error.key for error in next(rounds).errors] == [str(loop)]
    put(archive, "b", [event(3)])
    found = next(rounds)
    assert (found.stored, found.unlisted) == (1, 1)
    assert [error.key for error in found.errors] == [str(loop)]


def test_a_lake_with_another_query_ends_it(lake: ct.Lake, archive: Path) -> None:
    rounds = lake.follow(archive, interval=SECOND, raw=False)
    ct.Lake(lake.path).ingest(archive)
    with pytest.raises(ValueError, match="was made with other columns"):
        next(rounds)


# Files that cannot be reached


def _key(name: str) -> str:
    root = Path("x")
    stem = f"111122223333_CloudTrail_eu-west-1_20250312T0500Z_{name}.json.gz"
    return (root / f"AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/12/{stem}").relative_to(root).as_posix()


def _body(*numbers: int) -> bytes:
    return gzip.compress(json.dumps({"Records": [event(number) for number in numbers]}).encode(), mtime=0)


@pytest.mark.parametrize(
    ("status", "code", "is_archived"),
    [(403, "AccessDenied", False), (403, "InvalidObjectState", True), (404, "NoSuchKey", False)],
)
@pytest.mark.parametrize("others", [0, 2])
def test_a_file_that_cannot_be_reached_is_not_bad_and_is_tried_again(
    lake: ct.Lake, status: int, code: str, others: int, *, is_archived: bool
) -> None:
    files = {_key(f"other{number}"): _body(number) for number in range(others)} | {_key("refused"): _body(9)}
    is_refused = True

    def script(request: Request) -> bytes:
        if "list-type" in request.target:
            return page([(key, len(content)) for key, content in files.items()])
        if is_refused and "refused" in request.key:
            return response(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())
        return response(200, files[request.key])

    with playing(script) as store:
        found = lake.ingest("s3://logs", storage_options=store.options)
        assert (found.files, found.stored, found.bad_files) == (others, others, 0)
        assert (found.archived, found.unlisted) == (int(is_archived), int(not is_archived))
        [error] = found.errors
        assert (error.key, code in error.message) == (f"s3://logs/{_key('refused')}", True)
        assert lake.bad().collect().is_empty()
        is_refused = False
        found = lake.ingest("s3://logs", storage_options=store.options)
        assert (found.files, found.stored, found.known, found.errors) == (1, 1, others, ())
    info = lake.info()
    assert (info.files, info.records, info.read) == (others + 1, others + 1, others + 1)


def test_records_before_a_connection_broke_off_are_stored_once(lake: ct.Lake, archive: Path) -> None:
    """As if the file had been cut by the network, and not on the disk: the rest comes later."""
    from ctfast._lake import ingest, unreached  # noqa: PLC0415  # their own names are replaced

    path = put(archive, "torn", [event(number) for number in range(1_000, 1_400)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unreached, "_OF_THE_WAY", frozenset({"truncated-gzip"}))
        found = ingest.Ingested(**vars(lake.ingest(archive)))
    assert (found.unlisted, found.bad_files) == (1, 0)
    assert 2 < found.stored < 402
    path.write_bytes(whole)
    assert lake.ingest(archive).stored == 402 - found.stored
    assert sorted(stored(lake)) == sorted(set(stored(lake)))
    info = lake.info()
    assert info.records == 402
    assert info.read == info.records + info.duplicates + info.bad


def test_a_file_alone_whose_connection_broke_off_leaves_nothing(lake: ct.Lake, tmp_path: Path) -> None:
    """Its first rows were once committed without the file; the next look then met parts with other contents."""
    from ctfast._lake import unreached  # noqa: PLC0415  # its own name is replaced

    archive = tmp_path / "alone"
    path = put(archive, "torn", [event(number) for number in range(1_000, 1_400)])
    whole, stamp = path.read_bytes(), path.stat().st_mtime_ns
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))
    os.utime(path, ns=(stamp, stamp))
    report = ct.Report()
    some = ct.read(archive, on_error="collect", report=report).height
    assert 0 < some < 400
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unreached, "_OF_THE_WAY", frozenset(report.bad["kind"]))
        found = lake.ingest(archive)
    assert (found.unlisted, found.files, found.read, found.stored) == (1, 0, 0, 0)
    assert list(lake.changes()) == []
    path.write_bytes(whole)
    os.utime(path, ns=(stamp, stamp))
    assert lake.ingest(archive).stored == 400
    assert [change.scan().collect().height for change in lake.changes()] == [400]


def test_what_a_killed_attempt_has_read_otherwise_holds_up_nothing(
    lake: ct.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "torn"
    path = put(archive, "one", [event(number) for number in range(400)])
    whole, stamp = path.read_bytes(), path.stat().st_mtime_ns
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))
    os.utime(path, ns=(stamp, stamp))

    def killed(*_: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "put_first", killed)  # before the message of the split
        with pytest.raises(InterruptedError):
            lake.ingest(archive)
    [left] = lake.path.glob("month=*/*")
    path.write_bytes(whole)
    os.utime(path, ns=(stamp, stamp))
    done = lake.ingest(archive)
    assert (done.files, done.read, done.stored, done.bad_files) == (1, 400, 400, 0)
    assert lake.ingest(archive).known == 1
    assert lake.scan().collect()["eventID"].n_unique() == lake.info().records == 400
    age(lake, monkeypatch)
    lake.compact()
    assert not left.exists()
    assert lake.scan().collect().height == 400


def test_looks_leave_it_out_ever_longer() -> None:
    file = ("s3://b/k", 1, '"e"', None)
    postponed, tried = Postponed(), []
    for look in range(1, 201):
        left_out = postponed.next()
        if file not in left_out:
            tried.append(look)
        postponed.note([] if file in left_out else [file], left_out)
    assert tried == [1, 2, 4, 8, 16, 32, 64, 128, 192]
    assert postponed.next()
    postponed.note([], [])  # it has changed, or could be reached
    assert not postponed.next()


def test_the_reasons_are_those_of_the_way() -> None:
    """Whatever the core says of a store, and of a disk that does not read; but not of keys that no store can have."""
    source = (Path(__file__).parents[1] / "rust/core/src/error.rs").read_text()
    names = set(re.findall(r'Self::\w+ => "([a-z-]+)"', source.partition("fn name")[2].partition("fn words")[0]))
    assert names - {"bad-bucket", "bad-key"} | {"unreadable"} == _OF_THE_WAY


# The command


class Follower:
    """A process that follows, and its messages."""

    def __init__(self, process: subprocess.Popen[bytes], words: Path) -> None:
        self.process, self._words = process, words

    @property
    def said(self) -> str:
        return self._words.read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.02)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


#: Commits take a second, so that a signal comes in the middle of one.
SLOWLY = """
import sys, time
sys.argv = ["ctfast", *sys.argv[1:]]
from ctfast._lake import ingest
from ctfast.cli import main

def slowly(*given):
    print("commit", file=sys.stderr, flush=True)
    time.sleep(1)
    return done(*given)

done, ingest.commit = ingest.commit, slowly
main()
"""


@contextmanager
def following(archive: Path, lake: ct.Lake, *start: str) -> Iterator[Follower]:
    words = lake.path.with_name("words")
    begin = start or ("-m", "ctfast")
    arguments = [sys.executable, *begin, "ingest", str(archive), str(lake.path), "--follow", "--interval", "1s"]
    with words.open("wb") as stderr, subprocess.Popen(arguments, stderr=stderr) as process:
        try:
            yield Follower(process, words)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("number", "code", "last"), [(signal.SIGTERM, 143, "ended by SIGTERM"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_line_about_each_round_and_a_signal_ends_it(
    lake: ct.Lake, archive: Path, number: int, code: int, last: str
) -> None:
    with following(archive, lake) as follower:
        follower.until(lambda: "0 files read, 1 known" in follower.said)
        (archive / "broken.json").write_text("{")
        put(archive, "b", [event(2), event(3)]).rename(archive / "b.json.gz")
        follower.until(lambda: "1 bad file\n" in follower.said)
        away = archive.rename(archive.with_name("away"))
        follower.until(lambda: "failure 1" in follower.said)
        away.rename(archive)
        follower.until(lambda: "works again" in follower.said)
        assert follower.end(number) == code
    first, every, *rounds, totals, end = follower.said.splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.fullmatch(rf"{stamp} 1 file read, 0 known, 2 records stored, 0 stored before, 0 bad", first)
    assert every == "ctfast: what is there is stored; looking for new files every 1 s"
    assert re.fullmatch(rf"{stamp} 0 files read, 1 known", rounds[0])
    assert f"{archive / 'broken.json'}: invalid-json at byte 1" in rounds
    assert any(f"{archive}: No such file or directory; looking again in 2 s (failure 1)" in line for line in rounds)
    assert re.fullmatch(r"ctfast: \d+ rounds, 3 files read, 3 records stored", totals)
    assert end == f"ctfast: {last}"
    assert lake.info().records == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_for_the_end_of_the_commit_in_hand(lake: ct.Lake, archive: Path, number: int) -> None:
    with following(archive, lake, "-c", SLOWLY) as follower:
        follower.until(lambda: "commit" in follower.said)
        assert follower.end(number) in (143, 130)
    holds(lake, archive)
    assert lake.ingest(archive).known == 1


def test_killed_anywhere_it_is_continued(lake: ct.Lake, archive: Path) -> None:
    for number, wait in enumerate((0.0, 0.02, 0.1)):
        with following(archive, lake) as follower:
            follower.until(lambda: "looking for new files" in follower.said)
            put(archive, f"new{number}", [event(100 * number + each) for each in range(10, 90)])
            time.sleep(1 + wait)
            follower.end(signal.SIGKILL)
    lake.ingest(archive)
    holds(lake, archive)


def test_a_time_to_wait_without_looks_is_refused(tmp_path: Path, archive: Path) -> None:
    arguments = [sys.executable, "-m", "ctfast", "ingest", str(archive), str(tmp_path / "lake"), "--interval", "5s"]
    found = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert found.returncode == 2
    assert found.stderr == "ctfast: --interval is the time between two looks for new files: add --follow\n"
    assert not (tmp_path / "lake").exists()
