"""1 of 9, item 9: one writer of files, which are complete under their name or not there at all."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ctfast._new_file import written


def _begin(target: Path, text: bytes, *, replace: bool = True) -> None:
    with written(target, replace=replace) as file:
        file.write(text)


def test_a_file_is_there_when_the_block_has_ended_well(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    with written(target) as file:
        file.write(b"x" * 100_000)
        file.write(b"y")
        assert not target.exists()
        assert len(list(tmp_path.iterdir())) == 1
    assert target.read_bytes() == b"x" * 100_000 + b"y"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("reason", [ZeroDivisionError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_block_that_fails_leaves_what_was_there(reason: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"before")
    with pytest.raises(reason), written(target) as file:  # noqa: PT012  # the block is what is tested
        file.write(b"half")
        raise reason
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"before"
    with pytest.raises(ValueError, match="closed file"):
        file.write(b"to a descriptor that is another one's now")


def test_a_name_that_is_taken_can_be_kept(tmp_path: Path) -> None:
    target = tmp_path / "part-0"
    _begin(target, b"first", replace=False)
    with pytest.raises(FileExistsError) as caught:
        _begin(target, b"second", replace=False)
    assert caught.value.filename == str(target)
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_are_those_of_a_plain_file_or_of_the_one_before(tmp_path: Path) -> None:
    target, plain = tmp_path / "a.json", tmp_path / "plain"
    plain.touch()
    _begin(target, b"")
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    target.chmod(0o600)
    _begin(target, b"secret")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_the_link_that_a_user_names_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file, link = tmp_path / "real" / "2025.json", tmp_path / "latest.json"
    file.write_bytes(b"before")
    link.symlink_to(file)
    _begin(link, b"after")
    assert link.is_symlink()
    assert file.read_bytes() == b"after"
    assert list((tmp_path / "real").iterdir()) == [file]


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to(tmp_path / "none" / "2025.json")
    with pytest.raises(ValueError, match="a link that leads nowhere"):
        _begin(link, b"")
    assert list(tmp_path.iterdir()) == [link]


def test_devices_and_pipes_are_written_to(tmp_path: Path) -> None:
    _begin(Path("/dev/null"), b"text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        _begin(pipe, b"text")
        assert reader.communicate()[0] == b"text"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output_by_its_name_is_no_file_to_replace(tmp_path: Path) -> None:
    """/dev/stdout is the file that the shell has opened, which may have content already."""
    log = tmp_path / "log"
    log.write_bytes(b"before\n")
    script = "from ctfast._new_file import written\nwith written('/dev/stdout') as file: file.write(b'text')"
    inode = log.stat().st_ino
    with log.open("ab") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True)
    assert Path("/dev/stdout").is_symlink()
    assert log.stat().st_ino == inode
    assert log.read_bytes().endswith(b"text")


@pytest.mark.parametrize(
    ("target", "code"), [("none/a.json", errno.ENOENT), (".", errno.EISDIR), ("a" * 300, errno.ENAMETOOLONG)]
)
def test_what_cannot_be_written_names_the_file(target: str, code: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        _begin(tmp_path / target, b"")
    assert caught.value.errno == code
    assert caught.value.filename == str(tmp_path / target)
    assert not list(tmp_path.iterdir())


KILLED = """
    import os, signal, sys, time
    from ctfast._new_file import written
    with written(sys.argv[1]) as file:
        file.write(b"half" * 1000)
        file.flush()
        print("started", flush=True)
        time.sleep(600)
"""


def test_what_a_killed_process_leaves_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    def start(target: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(target)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "started\n"
        return child

    with start(tmp_path / "dead.json") as dead, start(tmp_path / "living.json") as living:
        try:
            assert len(list(tmp_path.iterdir())) == 2
            dead.kill()
            dead.wait()
            assert len(list(tmp_path.iterdir())) == 2
            _begin(tmp_path / "a.json", b"whole")
            assert len(list(tmp_path.iterdir())) == 2
            assert not (tmp_path / "dead.json").exists()
        finally:
            dead.kill()
            living.kill()
    _begin(tmp_path / "a.json", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_child_leaves_the_file_of_its_parent_alone(tmp_path: Path) -> None:
    script = """
        import os, sys
        from ctfast._new_file import written
        with written(sys.argv[1]) as file:
            file.write(b"whole")
            if os.fork() == 0:
                sys.exit(0)
            os.wait()
    """
    target = tmp_path / "a.json"
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(target)], check=True)
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


def test_the_file_is_synced_before_it_has_its_name_and_the_folder_after_it(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    log = tmp_path / "log"
    script = "import sys; from ctfast._new_file import written\nwith written(sys.argv[1]) as file: file.write(b'whole')"
    (tmp_path / "out").mkdir()
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2"
    command = [
        strace,
        "-f",
        "-y",
        "-o",
        str(log),
        "-e",
        calls,
        sys.executable,
        "-c",
        script,
        str(tmp_path / "out" / "a.json"),
    ]
    traced = subprocess.run(command, check=False, capture_output=True, text=True)
    if traced.returncode:
        pytest.skip(f"strace may not trace: {traced.stderr.splitlines()[-1]}")
    steps = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines() if str(tmp_path / "out") in line]
    assert [step.partition("(")[0] for step in steps] == ["fsync", steps[1].partition("(")[0], "fsync"]
    assert steps[1].startswith("rename")
    assert ".ctfast-" in steps[0]
    assert f"<{tmp_path / 'out'}>" in steps[2]


def _limited() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_file_that_does_not_fit_is_no_file(tmp_path: Path) -> None:
    script = """
        import sys
        from ctfast._new_file import written
        with written(sys.argv[1]) as file:
            for _ in range(200): file.write(b"x" * 1000)
        print("done")
    """
    target = tmp_path / "a.json"
    command = [sys.executable, "-c", textwrap.dedent(script), str(target)]
    done = subprocess.run(command, preexec_fn=_limited, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert f"File too large: '{target}'" in done.stderr
    assert not list(tmp_path.iterdir())
