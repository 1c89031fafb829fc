"""3 of 9, item 7: one loop keeps up with new files. Real processes follow, and are ended in various ways."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

import ctfast as ct
from appearing import TIME, body, path, put
from ctfast._scan.follow import Follow
from ctfast._source.object_keys import Extent
from loopback import Request, response
from scripted import page, playing

COMMAND = (sys.executable, "-m", "ctfast")
PATIENCE = 60
SECOND = timedelta(seconds=1)
#: The message after the first look.
LOOKED = "what is there is read; looking for new files every 1 s"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "logs", "a", body("a0", "a1"))
    return tmp_path / "logs"


class Follower:
    """A process that follows, and its messages."""

    def __init__(self, process: subprocess.Popen[bytes], words: Path, parts: Path) -> None:
        self.process, self._words, self._parts = process, words, parts

    @property
    def said(self) -> str:
        return self._words.read_text()

    def names(self) -> list[str]:
        """Names of the stored events, in order."""
        return stored(self._parts)

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.02)

    def end(self, number: int) -> int:
        """End the process by a signal; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def stored(parts: Path) -> list[str]:
    lines = [line for part in sorted(parts.glob("part-*")) for line in part.read_text().splitlines()]
    return [json.loads(line)["eventName"] for line in lines]


def command(source: Path | str, tmp_path: Path, *more: str) -> list[str]:
    given = ["--follow", "--interval", "1s", "--checkpoint", str(tmp_path / "state"), "-o", str(tmp_path / "parts")]
    given += ["--format", "ndjson", "--columns", "eventName", "--on-error", "collect", *more]
    return [*COMMAND, "scan", str(source), *given]


@contextmanager
def following(arguments: list[str], tmp_path: Path, **environment: str) -> Iterator[Follower]:
    words = tmp_path / "words"
    with (
        words.open("wb") as stderr,
        subprocess.Popen(arguments, stderr=stderr, env=os.environ | environment) as process,
    ):
        try:
            yield Follower(process, words, tmp_path / "parts")
        finally:
            process.kill()


def test_each_record_comes_once_however_files_come(root: Path, tmp_path: Path) -> None:
    """Late keys; files that are empty at first, replaced, not logs, or permanently damaged."""
    put(root, "empty", b"")
    put(root, "damaged", body("lost")[:20])
    with following(command(root, tmp_path), tmp_path) as follower:
        follower.until(lambda: LOOKED in follower.said)
        assert follower.names() == ["a0", "a1"]
        assert re.search(
            r"Z part-\S+\.ndjson: 3 files, 2 rows, 2 bad: \S+damaged\.json\.gz \(truncated-gzip\), ", follower.said
        )
        put(root, "A-late", body("late"))
        put(root, "new-day", body("new"), day=11)
        put(root, "index.html", b"no log").rename(root / "index.html")
        follower.until(lambda: len(follower.names()) == 4)
        put(root, "empty", body("whole"), time=TIME + 1)
        follower.until(lambda: len(follower.names()) == 5)
        put(root, "a", body("a0", "a1", "a2"), time=TIME + 2)
        follower.until(lambda: len(follower.names()) == 6)
        put(root, "late-day", body("late-day"), day=9)
        follower.until(lambda: len(follower.names()) == 7)
        assert follower.end(signal.SIGTERM) == 143
    assert follower.names() == ["a0", "a1", "late", "new", "whole", "a2", "late-day"]
    *_, totals, last = follower.said.splitlines()
    assert last == "ctfast: ended by SIGTERM"
    assert re.fullmatch(r"ctfast: \d+ units, 6 files read, 7 records, \d+ bad files, each time it was tried", totals)
    # Looks without new files, and retries of the permanently damaged file, have left no empty parts.
    assert all(part.stat().st_size for part in (tmp_path / "parts").iterdir())
    once = command(root, tmp_path)
    del once[5:8]  # --follow --interval 1s
    assert subprocess.run(once, check=False).returncode == 1  # because of the damaged file
    assert follower.names() == ["a0", "a1", "late", "new", "whole", "a2", "late-day"]


@pytest.mark.parametrize(
    ("number", "code", "words"), [(signal.SIGTERM, 143, "ended by SIGTERM"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_signal_at_rest_ends_it_promptly(root: Path, tmp_path: Path, number: int, code: int, words: str) -> None:
    with following(command(root, tmp_path, "--interval", "1h")[:-2], tmp_path) as follower:
        follower.until(lambda: LOOKED in follower.said)
        begun = time.monotonic()
        assert follower.end(number) == code
    assert time.monotonic() - begun < 10
    assert follower.said.endswith(f"ctfast: 1 unit, 1 file read, 2 records\nctfast: {words}\n")


IGNORING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.mark.parametrize(
    ("number", "in_background"), [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGTERM, True)]
)
def test_a_signal_waits_for_the_end_of_the_unit_in_hand(tmp_path: Path, number: int, *, in_background: bool) -> None:
    names = [f"{file:02}-{event}" for file in range(40) for event in range(2_000)]
    for file in range(40):
        put(tmp_path / "logs", f"{file:02}", body(*names[2_000 * file : 2_000 * (file + 1)]))
    arguments = command(tmp_path / "logs", tmp_path, "--threads", "1")
    if in_background:  # as a script starts it
        arguments = [sys.executable, "-c", IGNORING, *arguments]
    with following(arguments, tmp_path) as follower:
        # The part is being written: it has a temporary name until it is complete.
        parts = tmp_path / "parts"
        follower.until(lambda: parts.exists() and any(parts.iterdir()))
        assert follower.end(number) == (130 if number == signal.SIGINT else 143)
    assert follower.names() == names
    assert ct.Checkpoint(tmp_path / "state").units["committed"].to_list() == [True]


def test_a_kill_anywhere_loses_nothing_and_doubles_nothing(root: Path, tmp_path: Path) -> None:
    """Some kills are between result and state: the part is there, and the unit is not committed."""
    expected = {"a0", "a1"}
    for number, wait in enumerate((0.0, 0.02, 0.1)):
        with following(command(root, tmp_path), tmp_path) as follower:
            follower.until(lambda: LOOKED in follower.said)
            files = range(3)
            for file in files:
                put(root, f"{number}{file}", body(*(f"{number}-{file}-{event}" for event in range(500))))
            expected |= {f"{number}-{file}-{event}" for file in files for event in range(500)}
            most = number + 1
            follower.until(lambda most=most: len(list((tmp_path / "parts").iterdir())) > most)
            time.sleep(wait)
            follower.end(signal.SIGKILL)
    with following(command(root, tmp_path), tmp_path) as follower:
        follower.until(lambda: LOOKED in follower.said)
        assert follower.end(signal.SIGTERM) == 143
    assert sorted(follower.names()) == sorted(expected)
    assert ct.Checkpoint(tmp_path / "state").units["committed"].all()


def test_a_part_without_its_commit_is_written_again(root: Path, tmp_path: Path) -> None:
    with ct.stream(root, columns=["eventName"], checkpoint=ct.Checkpoint(tmp_path / "state")) as events:
        unit = next(iter(events.units(follow=True)))
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts" / f"part-{unit.id}.ndjson").write_text('{"eventName":"a half of')
    put(root, "A-late", body("late"))
    with following(command(root, tmp_path), tmp_path) as follower:
        follower.until(lambda: LOOKED in follower.said)
        follower.end(signal.SIGTERM)
    assert follower.names() == ["a0", "a1", "late"]
    assert {part.name for part in (tmp_path / "parts").iterdir()} >= {f"part-{unit.id}.ndjson"}


def test_two_followers_with_their_own_checkpoints_do_not_share_a_folder(tmp_path: Path) -> None:
    """Each has found it empty; of those who then have new files at the same time, one is refused."""
    root, one, two = (tmp_path / name for name in ("logs", "one", "two"))
    for folder in (root, one, two):
        folder.mkdir()
    shared = tmp_path / "parts"
    with ExitStack() as running:
        both = []
        for place in (one, two):
            given = [str(shared) if each == str(place / "parts") else each for each in command(root, place)]
            both.append(running.enter_context(following(given, place)))
        first, _ = both
        for follower in both:
            follower.until(lambda follower=follower: LOOKED in follower.said)  # type: ignore[misc]
        put(root, "a", body(*map(str, range(500))))
        end = time.monotonic() + PATIENCE
        while all(follower.process.poll() is None for follower in both):
            assert time.monotonic() < end, "both write to the folder"
            time.sleep(0.02)
        put(root, "b", body("b"))
        refused, left = both if first.process.poll() is not None else reversed(both)
        left.until(lambda: "b" in stored(shared))
        assert left.end(signal.SIGTERM) == 143
    assert refused.process.returncode == 2
    assert re.search(r"parts has parts that \S+state does not know, such as part-00000001-\w+: name ", refused.said)
    assert stored(shared) == [*map(str, range(500)), "b"]


def test_a_second_follower_is_refused_at_rest_as_well(root: Path, tmp_path: Path) -> None:
    with following(command(root, tmp_path), tmp_path) as follower:
        follower.until(lambda: LOOKED in follower.said)
        for _ in range(2):
            second = subprocess.run(command(root, tmp_path), check=False, capture_output=True, text=True)
            assert second.returncode == 2
            assert "used by another process, or by another scan of the same query: wait for its end" in second.stderr
        put(root, "b", body("b"))
        follower.until(lambda: "b" in follower.names())
        assert follower.end(signal.SIGTERM) == 143


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["logs", "--follow", "-o", "parts"], "--follow keeps in a file what was read: name it with --checkpoint"),
        (["logs", "--follow", "--checkpoint", "state"], "--follow adds parts to a folder: name it with -o"),
        (["logs", "--follow", "--checkpoint", "state", "-o", "/dev/null"], "--follow adds parts to a folder"),
        (["-", "--follow", "--checkpoint", "state", "-o", "parts"], "the names in standard input are read once"),
        (["x", "--from", "keys", "--follow", "-o", "parts"], "--from keys is read once: --follow needs folders"),
        (["logs", "--interval", "5s"], "--interval is the time between two looks for new files: add --follow"),
        (["logs", "--follow", "--interval", "soon"], "'soon' is not a number with s, m, h, d or w"),
        (["logs", "--follow", "--interval", "0s"], "--interval must be between a second and a day, not 0:00:00"),
        (["logs", "--follow", "--checkpoint", "s", "-o", "p", "--limit", "3"], "--limit leaves rows out"),
        (["logs", "--follow", "--checkpoint", "s", "-o", "p", "--dedupe"], "--dedupe knows the records of one run"),
    ],
)
def test_what_cannot_be_followed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], words: str
) -> None:
    from click.testing import CliRunner  # noqa: PLC0415  # for this alone

    from ctfast.cli import main  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["scan", *given])
    assert result.exit_code == 2
    assert words in result.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["logs"]


def test_sources_that_are_read_once_are_not_followed(root: Path) -> None:
    with pytest.raises(ValueError, match="is read once: follow needs a checkpoint, or a queue"):
        ct.stream(ct.KeyList([str(path(root, "a"))])).units(follow=True)


# Looks that fail


def test_a_store_that_is_away_for_a_while_is_named_and_looked_at_again(tmp_path: Path) -> None:
    key = str(path(Path("x"), "a").relative_to("x"))
    keys, away = [key], False
    content = body("a")

    def script(request: Request) -> bytes:
        if away:
            return response(503, b"<Error><Code>SlowDown</Code></Error>")
        if "list-type" in request.target:
            return page([(each, len(content)) for each in keys])
        return response(200, content)

    said: list[str] = []

    def warn(words: str) -> None:
        nonlocal away
        said.append(words)
        away = len(said) < 2

    def looked() -> None:
        nonlocal away
        keys.append(key.replace("_a.", "_b."))
        away = True

    units = []
    begun = time.monotonic()
    with playing(script) as store:
        options: dict[str, Any] = {"storage_options": store.options | {"max_retries": "0"}}
        with ct.stream("s3://logs", checkpoint=ct.Checkpoint(tmp_path / "state"), **options) as events:
            for unit in events._cut(Extent(), Follow(SECOND, warn=warn, looked=looked)):  # noqa: SLF001
                with unit:
                    units.append([len(unit.files), sum(batch.num_rows for batch in unit)])
                if len(units) == 2:
                    break
    assert units == [[1, 1], [1, 1]]
    assert time.monotonic() - begun > 7  # 1 s, and then 2 s and 4 s
    assert re.search(r"503.*; looking again in 2 s \(failure 1\)$", said[0]), said
    assert said[1].endswith("; looking again in 4 s (failure 2)")


def test_it_gives_up_in_the_end(root: Path, tmp_path: Path) -> None:
    said: list[str] = []
    follow = Follow(
        SECOND, warn=said.append, looked=lambda: root.rename(tmp_path / "away"), patience=timedelta(seconds=4)
    )

    def run() -> None:
        with ct.stream(root, checkpoint=ct.Checkpoint(tmp_path / "state")) as events:
            for unit in events._cut(Extent(), follow):  # noqa: SLF001
                with unit:
                    list(unit)

    with pytest.raises(FileNotFoundError):
        run()
    assert said == [f"{root}: No such file or directory; looking again in 2 s (failure 1)"]


def test_the_first_look_has_to_succeed(tmp_path: Path) -> None:
    found = subprocess.run(command(tmp_path / "none", tmp_path), check=False, capture_output=True, text=True)
    assert found.returncode == 2
    assert "No such file or directory" in found.stderr


# Queues


def test_a_queue_is_followed(root: Path, tmp_path: Path) -> None:
    """Messages are deleted once their files are read, and messages that name no file at the end of a look."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    content = body("queued")
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_SQS": endpoint}
    client = boto3.client(
        "sqs", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    url = client.create_queue(QueueName="new-logs")["QueueUrl"]

    def send(unique: str) -> None:
        key = str(path(Path("x"), unique).relative_to("x"))
        client.send_message(QueueUrl=url, MessageBody=json.dumps({"s3Bucket": "logs", "s3ObjectKey": [key]}))

    def left() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(map(int, client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))

    try:
        with playing(lambda _: response(200, content)) as store:
            options = [f"--storage-option={name}={value}" for name, value in store.options.items()]
            arguments = command(url, tmp_path, "--from", "queue", *options)
            at = arguments.index("--checkpoint")
            del arguments[at : at + 2]
            send("a")
            with following(arguments, tmp_path, AWS_DEFAULT_REGION="eu-west-1", **given) as follower:
                follower.until(lambda: LOOKED in follower.said)
                assert follower.names() == ["queued"]
                client.send_message(QueueUrl=url, MessageBody="CloudTrail validation message.")
                send("b")
                follower.until(lambda: len(follower.names()) == 2 and not left())
                client.send_message(QueueUrl=url, MessageBody="CloudTrail validation message.")
                follower.until(lambda: not left())
                assert follower.end(signal.SIGTERM) == 143
        assert follower.names() == ["queued", "queued"]
    finally:
        client.close()
        server.stop()


# Memory


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_over_many_looks(root: Path, tmp_path: Path) -> None:
    for number in range(300):
        put(root, f"{number:04}", body(f"{number}"))
    program = """
import sys
from datetime import timedelta
import ctfast as ct
from ctfast._scan.follow import Follow
from ctfast._source.object_keys import Extent

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

looks, sizes = 0, []
def looked():
    global looks
    looks += 1
    if looks in (100, 400):
        sizes.append(resident())
    if looks == 400:
        raise KeyboardInterrupt

report = ct.Report()
try:
    with ct.stream(sys.argv[1], checkpoint=ct.Checkpoint(sys.argv[2]), on_error="collect", report=report) as events:
        for unit in events._cut(Extent(), Follow(timedelta(milliseconds=1), looked=looked)):
            with unit:
                list(unit)
except KeyboardInterrupt:
    print(sizes[1] - sizes[0], report.files.listed)
"""
    put(root, "damaged", b"")
    found = subprocess.run(
        [sys.executable, "-c", program, str(root), str(tmp_path / "state")], check=True, capture_output=True, text=True
    )
    grown, listed = map(int, found.stdout.split())
    assert grown < 2 << 20
    # Each file was read once, and the damaged one at looks 1, 2, 4, 8 and so on.
    assert 302 < listed < 320
