"""2.11: one default for bad files, with the remedy in the message; Ctrl-C at any time ends with one line."""

from __future__ import annotations

import gzip
import importlib.metadata
import inspect
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

QUERY = "SELECT count(eventName) FROM events"
REMEDY = '; on_error="collect" names it and goes on'
READERS: dict[str, Callable[..., Any]] = {
    "scan": lambda source, **options: ct.scan(source, **options).collect(),
    "read": ct.read,
    "stream": lambda source, **options: list(ct.stream(source, **options)),
    "sql": lambda source, **options: ct.sql(source, QUERY, **options),
    "match": lambda source, **options: ct.match(source, {"all": ct.FilterPattern("")}, **options).collect(),
    "info": ct.info,
    "cost": lambda source, **options: ct.cost(source, ct.EventSelectors({"ReadWriteType": "All"}), **options),
}
#: Required arguments of a verb besides the archive.
MORE = {
    "sql": [QUERY],
    "match": ["--pack", "cis"],
    "cost": ["--selectors", "selectors.json"],
}
PATIENCE = 60


# Bad files


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that ends too early, and one with a bad record."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/1.json").write_text('{"Records":[{"eventID":"1","eventName":"a"}]}')
    (tmp_path / "logs/2.json.gz").write_bytes(gzip.compress((tmp_path / "logs/1.json").read_bytes())[:-4])
    (tmp_path / "logs/3.json").write_text('{"Events":[{"CloudTrailEvent":"{"}]}')
    (tmp_path / "selectors.json").write_text('{"EventSelectors":[{"ReadWriteType":"All"}]}')
    return tmp_path


@pytest.mark.parametrize("name", READERS)
def test_python_raises_unless_told_otherwise(name: str, bad: Path) -> None:
    for file, sentence in (
        ("2.json.gz", "truncated gzip: the file ends inside member 1 at byte 54 (record 1)"),
        ("3.json", "invalid JSON: unexpected end at byte 30 (record 0)"),
    ):
        with pytest.raises(ct.FormatError) as caught:
            READERS[name](Path("logs") / file)
        place = sentence.partition(" at ")[0]
        assert str(caught.value).startswith(f"logs/{file}: {place}")
        assert str(caught.value).endswith(REMEDY)
        assert caught.value.message == place
    report = ct.Report()
    READERS[name]("logs", on_error="collect", report=report)
    assert report.bad["message"].to_list() == [
        "truncated gzip: the file ends inside member 1",
        "invalid JSON: unexpected end",
    ]


def test_every_verb_with_on_error_has_the_same_default() -> None:
    """The verbs that have the option are tried here; the others report bad files as their result."""
    defaults = {
        name: parameters["on_error"].default
        for name in ct.__all__
        if callable(getattr(ct, name)) and not isinstance(getattr(ct, name), type)
        for parameters in [inspect.signature(getattr(ct, name)).parameters]
        if "on_error" in parameters
    }
    # In a list of files, a bad file is a row; rules and splits do not open files.
    assert defaults == {**dict.fromkeys([*READERS, "rules", "splits"], "raise"), "files": "collect"}
    options = {
        name: option.default
        for name, verb in main.commands.items()
        for option in verb.params
        if isinstance(option, click.Option) and option.name == "on_error"
    }
    verbs = {*READERS, "splits"} - {"read", "stream"}
    assert options == {**dict.fromkeys(verbs, "raise"), "files": "collect"}


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"read", "stream"}))
def test_commands_stop_unless_told_otherwise(name: str, bad: Path) -> None:
    def run(*more: str) -> Any:
        return CliRunner().invoke(main, [name, "logs", *MORE.get(name, []), *more])

    stopped = run()
    assert (stopped.exit_code, stopped.stdout) == (2, "")
    assert stopped.stderr.startswith("ctfast: logs/2.json.gz: truncated gzip")
    assert stopped.stderr.endswith("; --on-error collect names it and goes on\n")
    assert stopped.stderr.count("\n") == 1
    collected = run("--on-error", "collect")
    assert collected.exit_code == 1
    assert "logs/3.json: invalid JSON: unexpected end" in collected.stderr
    assert "on-error" not in collected.stderr


def test_lists_of_files_say_it_too(bad: Path) -> None:
    Path("messages").write_text("no message\n")
    with pytest.raises(ct.CloudTrailError) as caught:
        ct.read(ct.Messages("messages"))
    assert str(caught.value).endswith(REMEDY)
    with pytest.raises(ct.FormatError) as caught:
        ct.read("logs", checkpoint=ct.Checkpoint("state"))
    assert 'on_error="collect" goes on without the file, and Checkpoint.forget()' in str(caught.value)


def test_no_remedy_where_there_is_none(bad: Path) -> None:
    """Without its source, a scan cannot continue."""
    for source in ("nowhere", "logs/2.json"):
        result = CliRunner().invoke(main, ["scan", source])
        assert (result.exit_code, "on-error" in result.stderr) == (2, False)


# Ctrl-C

unix = pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")
#: Sends SIGINT to its own process at the first import of a module; the interpreter runs this before anything else.
STRIKES = """
import os, signal, sys
def strike(event, arguments, seen=[]):
    if event == "import" and arguments[0] == os.environ["STRIKE_AT"] and not seen:
        seen.append(event)
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(strike)
"""
HOW = ["script", "module"]
LINE = "ctfast: interrupted\n"


def command(how: str, folder: Path) -> list[str]:
    """The command as it is installed, or run as a module."""
    if how == "module":
        return [sys.executable, "-m", "ctfast"]
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="ctfast")
    script = folder / "ctfast"
    # As pip writes it.
    script.write_text(f"import sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n")
    return [sys.executable, str(script)]


@unix
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    "module", ["ctfast.cli.signals", "ctfast.cli.output", "rich.console", "polars._plr", "pyarrow.lib"]
)
def test_ctrl_c_among_the_imports(how: str, module: str, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(STRIKES)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "STRIKE_AT": module}
    done = subprocess.run(
        [*command(how, tmp_path), "scan", str(sample.archive), "--columns", "eventName", "-f", "parquet"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", LINE)


@pytest.fixture(scope="module")
def many(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of so many files that a command is still running when it is interrupted."""
    path = tmp_path_factory.mktemp("many") / "names"
    path.write_text(f"{sample.archive}\n" * 20_000)
    return path


BUSY: dict[str, list[str]] = {
    "scan": ["scan", "-"],
    "sql": ["sql", "-", "SELECT eventName, count(*) FROM events GROUP BY eventName"],
    "sql of all": ["sql", "-", "SELECT * FROM events ORDER BY eventTime"],
    "info": ["info", "-"],
    "match": ["match", "-", "--pack", "cis", "--count"],
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at the open files of a process in /proc")
@pytest.mark.parametrize("verb", BUSY)
def test_ctrl_c_in_a_verb(verb: str, sample: Sample, many: Path, tmp_path: Path) -> None:
    """Also while Polars has the main thread, and raises an exception as well."""
    with (
        many.open() as lines,
        subprocess.Popen(
            [*command("script", tmp_path), *BUSY[verb]],
            stdin=lines,
            stdout=subprocess.DEVNULL,  # a pipe would fill, and the process wait with no file open
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            end = time.monotonic() + PATIENCE
            while not reads(process.pid, sample.archive):
                assert process.poll() is None
                assert time.monotonic() < end
            process.send_signal(signal.SIGINT)
            _, words = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, words) == (130, LINE)


def reads(process: int, archive: Path) -> bool:
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            if file.readlink().is_relative_to(archive):
                return True
    return False


SHORT: dict[str, tuple[str, list[str]]] = {
    "sql": ("script", ["sql", "{archive}", QUERY]),
    "verify": ("module", ["verify", "{archive}", "--keys", "{keys}", "--signatures", "{signatures}"]),
    "copy": (
        "script",
        ["copy", "s3://bucket/", "{folder}/copy", "--storage-option", "endpoint_url=http://127.0.0.1:9"],
    ),
}
#: Exit codes when the signal comes too late: success, and the error that there is nothing to copy from.
DONE = (0, 2)
#: Matches a line of ctfast in a traceback, except those before its handler is set; earlier ones are the interpreter's.
FIRST = re.compile(r'/ctfast/(?!__init__\.py", line [1-5],|_interrupt\.py)')


@unix
@pytest.mark.parametrize("verb", SHORT)
def test_ctrl_c_at_any_time(verb: str, sample: Sample, tmp_path: Path) -> None:
    """The result is the same before the first line of ctfast, during the imports, in the verb, or after it."""
    names = {"archive": sample.archive, "keys": sample.keys, "signatures": sample.signatures, "folder": tmp_path}
    how, given = SHORT[verb]
    arguments = [*command(how, tmp_path), *(argument.format(**names) for argument in given)]
    for delay in (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            try:
                _, words = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        if process.returncode in (*DONE, 130):
            assert words == LINE or process.returncode in DONE
        else:
            assert not FIRST.search(words), f"after {delay} s: {words}"


def test_a_program_keeps_its_handler() -> None:
    script = "import signal, ctfast; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"True\n"
