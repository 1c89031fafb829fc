"""2.10: names of outputs, and numbers, are checked before anything is opened, created or requested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast._arguments.parameters import ROWS
from ctfast.cli import main
from ctfast.sample import Sample, write

#: Larger than any number that the core takes.
MANY = str(1 << 64)


def ctfast(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


@pytest.mark.parametrize(
    "verb",
    [
        ["scan", "A"],
        ["match", "A", "--pack", "cis"],
        ["sql", "A", "SELECT eventName FROM events"],
    ],
    ids=" ".join,
)
def test_a_number_that_is_too_large(verb: list[str], sample: Sample) -> None:
    verb = [str(sample.archive) if word == "A" else word for word in verb]
    result = ctfast(*verb, "--limit", MANY)
    assert result.exit_code == 2
    assert f"Invalid value for '--limit': {MANY} is not in the range 0<=x<={ROWS}." in result.stderr
    for form in ("table", "ndjson"):
        assert ctfast(*verb, "--limit", ROWS, "--format", form).exit_code == 0


@pytest.mark.parametrize("address", ["s3://bucket/x", "gs://bucket/x"])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["demo", "--keep"], "--keep"),
        (["scan", "A", "-o"], "--output"),
        (["scan", "A", "--checkpoint"], "--checkpoint"),
        (["match", "A", "--pack", "cis", "-o"], "--output"),
        (["sql", "A", "SELECT 1 FROM events", "-o"], "--output"),
        (["info", "A", "-o"], "--output"),
        (["verify", "A", "--keys", "K", "--html"], "--html"),
        (["verify", "A", "--keys", "K", "-o"], "--output"),
        (["copy", "s3://logs"], "DIR"),
        (["fetch-keys", "--region", "us-east-1", "--since", "7d", "-o"], "--output"),
        (["fetch-signatures", "s3://logs", "-o"], "--output"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_an_address_is_no_file_of_the_disk(
    command: list[str], option: str, address: str, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a folder ``s3:`` was created, or the error was "No such file or directory"."""
    monkeypatch.chdir(tmp_path)
    result = ctfast(*({"A": sample.archive, "K": sample.keys}.get(word, word) for word in command), address)
    assert result.exit_code == 2
    assert result.stderr == f"ctfast: {option} '{address}' is an address: name a file or a folder on the local disk\n"
    assert list(tmp_path.iterdir()) == []


def test_the_sample_goes_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ct.ArgumentError, match=r"sample.write\(\): folder 's3://bucket/x' is an address: name a file or a folder"
    ):
        write("s3://bucket/x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["fetch-signatures", "s3://logs"], ["fetch-keys", "--region", "us-east-1", "--since", "7d"]]
)
@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("folder", "folder: Is a directory"),
        ("nowhere/k.json", "nowhere/k.json: No such file or directory"),
        ("k.csv", "--output 'k.csv' ends in .csv, which is no format (its ending is .json; a name may have none)"),
        (
            "k.json.gz",
            "--output 'k.json.gz' ends in .gz, which is no format (its ending is .json; a name may have none)",
        ),
    ],
)
def test_the_file_is_checked_before_anything_is_fetched(
    command: list[str], target: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once credentials were required first, and the result could not be stored after it was fetched."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    result = ctfast(*command, "-o", target)
    assert (result.exit_code, result.stderr) == (2, f"ctfast: {sentence}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    "command",
    [
        ["info", "A"],
        ["sql", "A", "SELECT 1 FROM events"],
        ["scan", "A", "--format", "table"],
        ["match", "A", "--pack", "cis", "--count"],
        ["cost", "A", "--selectors", '{"ReadWriteType": "All"}'],
        ["verify", "A", "--keys", "K"],
    ],
    ids=lambda words: words[0],
)
def test_the_file_is_checked_before_anything_is_read(
    command: list[str], sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(*_: Any, **__: Any) -> None:
        raise AssertionError("the archive is read")

    for name in ("info", "sql", "stream", "match", "cost", "verify"):
        monkeypatch.setattr(ct, name, unread)
    result = ctfast(*({"A": sample.archive, "K": sample.keys}.get(word, word) for word in command), "-o", tmp_path)
    assert (result.exit_code, result.stderr) == (2, f"ctfast: {tmp_path}: Is a directory\n")


def test_keys_of_a_time_to_come() -> None:
    """The error was once about ``--until``, which was not given."""
    result = ctfast("fetch-keys", "--region", "us-east-1", "--since", "2999-03-01", "-o", "k.json")
    assert (result.exit_code, result.stderr) == (
        2,
        "ctfast: --since lies in the future: there is no key of that time yet\n",
    )
