"""3 of 9, item 6: files that outlive a run are durable and have a format, and errors say why one cannot be used."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ctfast as ct
from appearing import body, put
from ctfast._copy.contents import Contents
from ctfast.sample import Sample

DATA = Path(__file__).parents[1] / "data"
#: Fixtures of all formats; the fixture of a new format is added together with it.
RELEASED = ["checkpoint_1.sql", "checkpoint_2.sql", "contents_1.sql", "contents_2.sql"]
KEY = "bucket/AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/10/111122223333_CloudTrail_eu-west-1_20250310T0000Z_"

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a user who may mount, or become another one")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "logs", "a", body("a"))
    return tmp_path / "logs"


def read(root: Path, state: Path) -> list[str]:
    checkpoint = ct.Checkpoint(state)
    with checkpoint:
        return ct.read(root, checkpoint=checkpoint)["eventName"].to_list()


def opened(name: str, path: Path) -> None:
    """Open a file as the kind in its name."""
    if name.startswith("checkpoint"):
        _ = ct.Checkpoint(path).units
    else:
        Contents(path).close()


def restored(name: str, path: Path) -> Path:
    with sqlite3.connect(path) as database:
        database.executescript((DATA / name).read_text())
    database.close()
    return path


def header(path: Path) -> tuple[int, int]:
    with sqlite3.connect(path) as database:
        found = tuple(database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    database.close()
    return found  # type: ignore[return-value]  # two numbers


# Formats. The content of checkpoints of both formats is tested in test_1_08_tried_again.py.


def test_each_format_has_a_fixture() -> None:
    assert sorted(path.name for path in DATA.glob("*_*.sql")) == RELEASED


@pytest.mark.parametrize("number", [1, 2])
def test_contents_of_both_formats_are_read(tmp_path: Path, number: int) -> None:
    path = restored(f"contents_{number}.sql", tmp_path / "contents")
    (tmp_path / "a").write_bytes(b"a")
    contents = Contents(path)
    assert contents.compared(f"{KEY}a.json.gz", "0" * 32, tmp_path / "a") == "hash"
    assert contents.compared(f"{KEY}a.json.gz", "1" * 32, tmp_path / "a") is None
    contents.close()
    assert header(path) == (0x63746663, 2)


@pytest.mark.parametrize("name", RELEASED)
def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    path = restored(name, tmp_path / "state")
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 7")
    database.close()
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match="is of format 7, made by a newer ctfast; this one reads formats 1 to 2: upgrade"
    ):
        opened(name, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", RELEASED)
def test_one_kind_is_not_taken_for_another(tmp_path: Path, name: str) -> None:
    path = restored(name, tmp_path / "state")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="but another database"):
        opened("contents" if name.startswith("checkpoint") else "checkpoint", path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("made", ["CREATE TABLE query (a)", "PRAGMA application_id = 7", "PRAGMA user_version = 9"])
@pytest.mark.parametrize("name", ["checkpoint", "contents"])
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, name: str, made: str) -> None:
    path = tmp_path / "theirs"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (a)")
        database.execute(made)
    database.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="but another database"):
        opened(name, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("table", ["seen", "planned"])
def test_a_checkpoint_that_lacks_a_table_is_not_taken_for_an_empty_one(tmp_path: Path, table: str) -> None:
    path = restored("checkpoint_2.sql", tmp_path / "state")
    with sqlite3.connect(path) as database:
        database.execute(f"DROP TABLE {table}")
    database.close()
    with pytest.raises(ValueError, match=rf"is damaged \(it has no table {table}\): put back a copy"):
        opened("checkpoint", path)


@pytest.mark.parametrize("name", ["checkpoint", "contents"])
@pytest.mark.parametrize("content", [b"\n", b"S", b"SQ", b"x" * 100, b"x" * 511, b"x" * 512], ids=len)
def test_a_short_file_that_is_not_empty_is_left_alone(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is not (a checkpoint|what a copy keeps of contents)"):
        opened(name, path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("size", [1, 2, 16, 60, 99, 100, 511, 512, 4096])
@pytest.mark.parametrize("name", ["checkpoint_2.sql", "contents_2.sql"])
def test_what_was_cut_is_not_taken_for_an_empty_one(tmp_path: Path, name: str, size: int) -> None:
    path = restored(name, tmp_path / "state")
    before = path.read_bytes()[:size]
    path.write_bytes(before)
    with pytest.raises(ValueError, match=r"is damaged \(|is not (a checkpoint|what a copy keeps of contents)"):
        opened(name, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["checkpoint", "contents"])
def test_an_empty_file_is_taken_as_new(tmp_path: Path, name: str) -> None:
    path = tmp_path / "state"
    path.touch()
    opened(name, path)
    assert header(path)[1] == 2


@pytest.mark.parametrize("made", ["CREATE VIEW mine AS SELECT 1", "CREATE TABLE a (b); DROP TABLE a"])
@pytest.mark.parametrize("name", ["checkpoint", "contents"])
def test_a_database_without_tables_is_left_alone(tmp_path: Path, name: str, made: str) -> None:
    path = tmp_path / "theirs"
    with sqlite3.connect(path) as database:
        database.executescript(made)
    database.close()
    before = path.read_bytes()
    assert before
    with pytest.raises(ValueError, match="but another database"):
        opened(name, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "change", "column"),
    [
        ("checkpoint_2.sql", "UPDATE planned SET first = 'x'", "planned.first has a value of type text"),
        ("checkpoint_2.sql", "UPDATE planned SET file = 'x'", "planned.file has a value of type text"),
        ("checkpoint_2.sql", "UPDATE planned SET tries = NULL", "planned.tries has a value of type null"),
        ("checkpoint_2.sql", "UPDATE seen SET records = x'00'", "seen.records has a value of type blob"),
        ("checkpoint_2.sql", "UPDATE unread SET modified = 1.5", "unread.modified has a value of type real"),
        ("checkpoint_2.sql", "UPDATE place SET floor = 'x'", "place.floor has a value of type text"),
        ("checkpoint_2.sql", "UPDATE query SET description = x'00'", "query.description has a value of type blob"),
        ("checkpoint_1.sql", "UPDATE place SET newest = 'x'", "place.newest has a value of type text"),
        ("contents_2.sql", "UPDATE object SET md5 = x'00'", "object.md5 has a value of type blob"),
    ],
)
def test_a_value_of_another_type_is_damage(tmp_path: Path, name: str, change: str, column: str) -> None:
    path = restored(name, tmp_path / "state")
    with sqlite3.connect(path) as database:
        assert database.execute(change).rowcount > 0
    database.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"is damaged \({column}\): (put back a copy|remove it)"):
        opened(name, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DELETE FROM query", "the query that it belongs to is gone"),
        ("UPDATE unit SET id = NULL, committed = 0", "a unit has no id"),
    ],
)
def test_a_checkpoint_of_which_a_part_is_gone_is_refused(root: Path, tmp_path: Path, change: str, words: str) -> None:
    state = tmp_path / "state"
    for unit in ct.stream(root, checkpoint=ct.Checkpoint(state)).units():
        for _ in unit:
            pass
        unit.commit()
    with sqlite3.connect(state) as database:
        assert database.execute(change).rowcount > 0
    database.close()
    before = state.read_bytes()
    with pytest.raises(ValueError, match=words):
        read(root, state)
    assert state.read_bytes() == before


_MIGRATE = "import sys, ctfast as ct; ct.Checkpoint(sys.argv[1]).units"


def test_a_migration_that_is_killed_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    big = restored("checkpoint_1.sql", tmp_path / "big")
    rows = 200_000
    with sqlite3.connect(big) as database:
        database.execute("DELETE FROM seen")
        more = ((1, 739320, number.to_bytes(16, "big")) for number in range(rows))
        database.executemany("INSERT INTO seen (place, day, file) VALUES (?, ?, ?)", more)
    database.close()
    found = set()
    for wait in (0.01, 0.05, 0.1, 0.2, 0.4):
        path = Path(shutil.copy(big, tmp_path / "state"))
        # The journal exists during the migration.
        with subprocess.Popen([sys.executable, "-c", _MIGRATE, str(path)]) as process:
            journal = path.with_name("state-journal")
            while process.poll() is None and not journal.exists():
                time.sleep(0.002)
            time.sleep(wait)
            process.kill()
        found.add(header(path))
        assert header(path) in {(0, 1), (0x63746661, 2)}
        opened("checkpoint", path)  # it can be opened after either
        with sqlite3.connect(path) as database:
            assert database.execute("SELECT count(*) FROM seen").fetchone() == (rows,)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()
        assert header(path) == (0x63746661, 2)
        path.unlink()
    assert (0, 1) in found  # at least one was killed before its end


def test_signatures_of_both_formats_are_read() -> None:
    from ctfast._integrity.signatures import load_signatures  # noqa: PLC0415  # what verify does with them

    first, second = (load_signatures(DATA / f"signatures_{number}.json") for number in (1, 2))
    assert first == second
    assert len(first) == 2
    assert load_signatures(json.loads((DATA / "signatures_2.json").read_text())) == first


def test_keys_of_both_formats_are_read(tmp_path: Path) -> None:
    from ctfast._integrity.public_keys import load_keys  # noqa: PLC0415  # as above

    first, second = (load_keys(DATA / f"keys_{number}.json") for number in (1, 2))
    assert first == second
    assert len(first) == 1
    for number in (1, 2):  # they are enough: nothing is fetched
        cache = Path(shutil.copy(DATA / f"keys_{number}.json", tmp_path / "keys.json"))
        times = datetime(2025, 3, 5, tzinfo=UTC), datetime(2025, 3, 6, tzinfo=UTC)
        assert ct.fetch_keys("eu-west-1", since=times[0], until=times[1], cache=cache) == first
        assert json.loads(cache.read_text())["format"] == 2


@pytest.mark.parametrize(
    ("number", "words"),
    [(3, "made by a newer ctfast; this one reads formats 1 to 2: upgrade"), (0, "whole number"), ("2", "whole number")],
)
def test_other_formats_of_signatures_and_keys_are_refused(tmp_path: Path, number: object, words: str) -> None:
    keys, signatures = tmp_path / "keys.json", tmp_path / "signatures.json"
    for path in (keys, signatures):
        content = json.loads((DATA / f"{path.stem}_2.json").read_text())
        path.write_text(json.dumps(content | {"format": number}))
    with pytest.raises(ValueError, match=words):
        ct.verify(tmp_path, keys=keys)
    with pytest.raises(ValueError, match=words):
        ct.fetch_keys("eu-west-1", since="2025-03-05", until="2025-03-06", cache=keys)
    with pytest.raises(ValueError, match=words):
        ct.verify(tmp_path, keys=DATA / "keys_2.json", signatures=signatures)


@pytest.mark.parametrize(
    ("number", "words"),
    [(3, "made by a newer ctfast; this one reads formats 1 to 2: upgrade"), (0, "whole number"), ("2", "whole number")],
)
def test_other_formats_beside_a_list_of_keys_are_refused(
    tmp_path: Path, sample: Sample, number: object, words: str
) -> None:
    keys = json.loads(sample.keys.read_text())
    assert "PublicKeyList" in keys
    given = keys | {"format": number}
    (tmp_path / "keys.json").write_text(json.dumps(given))
    for each in (given, tmp_path / "keys.json"):
        with pytest.raises(ValueError, match=words):
            ct.verify(sample.archive, keys=each)
    assert ct.verify(sample.archive, keys=keys | {"format": 2}, signatures=sample.signatures).ok


# Damage


def damaged(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "cut":
        del content[len(content) // 2 :]
    elif how == "cut in the header":
        del content[50:]
    elif how == "garbage":
        content[:] = os.urandom(len(content))
    elif how == "garbage after the header":
        content[100:] = os.urandom(len(content) - 100)
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "cut in the header", "garbage", "garbage after the header"])
@pytest.mark.parametrize("name", ["checkpoint_2.sql", "contents_2.sql"])
def test_what_is_damaged_is_not_taken_for_an_empty_one(tmp_path: Path, name: str, how: str) -> None:
    path = restored(name, tmp_path / "state")
    damaged(path, how)
    with pytest.raises(
        ValueError, match=r"is damaged \(.*\): (put back|remove it)|is not (a checkpoint|what a copy keeps)"
    ):
        opened(name, path)


def test_a_journal_that_a_killed_process_has_left_is_rolled_back(root: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert read(root, state) == ["a"]
    # A transaction that has already written pages to the file, as one larger than the cache does.
    program = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 2")
database.execute("BEGIN EXCLUSIVE")
database.execute("DELETE FROM seen")
for number in range(2000):
    database.execute("INSERT INTO unit (id, committed) VALUES (?, 0)", (f"{number}" * 50,))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program, str(state)], check=False).returncode == -signal.SIGKILL
    assert state.with_name("state-journal").stat().st_size
    assert read(root, state) == []
    assert ct.Checkpoint(state).units.is_empty()


# One owner, or several


def test_a_second_process_is_told_what_to_do(root: Path, tmp_path: Path) -> None:
    program = (
        "import sys, ctfast as ct\n"
        "events = ct.stream(sys.argv[1], checkpoint=ct.Checkpoint(sys.argv[2]))\n"
        "next(events); print('has it', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(root), str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "has it\n"
        with pytest.raises(BlockingIOError, match=r"used by another process.*: wait for its end, or name another file"):
            read(root, tmp_path / "state")
        owner.communicate("")
    assert read(root, tmp_path / "state") == ["a"]


def test_several_copies_keep_contents_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "contents"
    (tmp_path / "file").write_bytes(b"x")
    several = [Contents(path) for _ in range(3)]
    for number, contents in enumerate(several):
        contents.note(str(number), "etag", tmp_path / "file")
        contents.save()
    for contents in several:
        assert all(contents.compared(str(number), "etag", tmp_path / "file") == "hash" for number in range(2))
        contents.close()


# Disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A separate disk, and a function that changes its size."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(size: str, *more: str) -> None:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *more]), "ctfast", str(place)], check=True
        )

    try:
        mount("100k")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a disk")
    try:
        yield place, lambda size: mount(size, "remount")
    finally:
        subprocess.run(["umount", str(place)], check=True)


@linux
def test_a_full_disk_is_reported_and_loses_nothing(root: Path, small_disk: tuple[Path, Callable[[str], None]]) -> None:
    disk, resize = small_disk
    assert read(root, disk / "state") == ["a"]
    new = [f"b{number:04}" for number in range(1500)]
    for name in new:
        put(root, name, body(name))
    with pytest.raises(OSError, match="the disk is full: what was committed is safe; make room") as raised:
        read(root, disk / "state")
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(disk / "state"))
    resize("4m")
    assert read(root, disk / "state") == new
    assert read(root, disk / "state") == []


def test_a_file_that_may_not_grow_is_reported(root: Path, tmp_path: Path) -> None:
    """As with a quota: the error of the system is not that the disk is full."""
    program = (
        "import sys, ctfast as ct\nwith ct.Checkpoint(sys.argv[2]) as state: ct.read(sys.argv[1], checkpoint=state)"
    )
    for number in range(300):
        put(root, f"b{number:04}", body("b"))
    found = subprocess.run(
        [sys.executable, "-c", program, str(root), str(tmp_path / "state")],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert found.returncode == 1
    assert "the disk fails (disk I/O error): what was committed is safe" in found.stderr.splitlines()[-1]
    assert len(read(root, tmp_path / "state")) == 301


def as_nobody(call: Callable[[], object]) -> str:
    """The exception of a call as the user ``nobody``; the tests may run as root, who may write everywhere."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.seteuid(65_534)
            call()
            os.write(theirs, b"nothing was raised")
        except BaseException as error:  # noqa: BLE001  # passed on to the parent
            os.write(theirs, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(theirs)
    with os.fdopen(ours) as told:
        return told.read()


@linux
@pytest.mark.parametrize("what", ["new", "file", "folder"])
def test_what_may_not_be_written_is_reported(what: str) -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # open to all users, while $TMPDIR may be private
    try:
        state = folder / "state"
        if what != "new":
            restored("checkpoint_2.sql", state)
            state.chmod(0o444 if what == "file" else 0o666)
        folder.chmod(0o777 if what == "file" else 0o555)

        def forget() -> None:
            ct.Checkpoint(state).forget()

        said = as_nobody(forget)
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)
    assert said.startswith("PermissionError"), said
    assert "is written to, and so is its folder, for a journal: make both writable" in said
