"""2.08: a command writes where its arguments say, or nowhere: names of outputs, and closed standard streams."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ctfast.cli import main
from ctfast.sample import Sample

EVENT = {"eventVersion": "1.08", "eventTime": "2025-03-12T00:00:00Z", "eventName": "ListBuckets", "eventID": "1"}
PATTERN = '{"eventName": ["ListBuckets"]}'
#: The arguments of each verb before -o.
VERBS = {
    "scan": ["scan", "LOGS"],
    "records": ["scan", "LOGS", "--as", "record"],
    "sql": ["sql", "LOGS", "SELECT eventName FROM events"],
    "info": ["info", "LOGS"],
    "match": ["match", "LOGS", "--event-pattern", PATTERN],
    "count": ["match", "LOGS", "--rules", PATTERN, "--count"],
    "cost": ["cost", "LOGS", "--selectors", '{"ReadWriteType":"All"}'],
    "columns": ["columns"],
    "verify": ["verify", "ARCHIVE", "--keys", "KEYS"],
}
every_verb = pytest.mark.parametrize("verb", VERBS)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    Path("logs/a.json").write_text(json.dumps({"Records": [EVENT]}))


def arguments(verb: str, sample: Sample) -> list[str]:
    places = {"LOGS": "logs", "ARCHIVE": str(sample.archive), "KEYS": str(sample.keys)}
    return [places.get(word, word) for word in VERBS[verb]]


def ctfast(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def names() -> set[str]:
    return {path.name for path in Path().iterdir()}


@every_verb
def test_a_dash_is_standard_output(verb: str, sample: Sample) -> None:
    """It was once taken as the name of a file."""
    words = arguments(verb, sample)
    plain, dashed = ctfast(*words), ctfast(*words, "-o", "-")
    assert (dashed.exit_code, dashed.stdout) == (plain.exit_code, plain.stdout)
    assert plain.stdout
    assert names() == {"logs"}


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "ARCHIVE", "--keys", "KEYS", "--html", "-"],
        ["fetch-keys", "--region", "us-east-1", "--since", "7d", "-o", "-"],
        ["copy", "s3://bucket", "-"],
        ["demo", "--keep", "-"],
        ["scan", "LOGS", "--checkpoint", "-"],
    ],
    ids=lambda words: words[0],
)
def test_a_dash_where_a_file_is_needed(words: list[str], sample: Sample) -> None:
    places = {"LOGS": "logs", "ARCHIVE": str(sample.archive), "KEYS": str(sample.keys)}
    result = ctfast(*(places.get(word, word) for word in words))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "- is standard output, and here a name on the disk is needed." in result.stderr
    assert names() == {"logs"}


@every_verb
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.csv.", "--output 'x.csv.' ends in ., which is no format (endings are "),
        ("x..gz", "--output 'x..gz' ends in ., which is no format (endings are "),
        (".gz", "--output '.gz' is an ending without a name: write 'events.gz'"),
        (".zst", "--output '.zst' is an ending without a name: write 'events.zst'"),
        (".parquet", "--output '.parquet' is an ending without a name: write 'events.parquet'"),
        (".json.gz", "--output '.json.gz' is an ending without a name: write 'events.json.gz'"),
        (".txt", "--output '.txt' is an ending without a name: write 'events.txt'"),
        ("..txt", "--output '..txt' is an ending without a name: write 'events.txt'"),
        ("circle", "circle: Too many levels of symbolic links"),
        ("new/", "new/: Is a directory"),
        (".", ".: Is a directory"),
        ("..", "..: Is a directory"),
    ],
)
def test_a_name_that_is_none(verb: str, name: str, words: str, sample: Sample) -> None:
    Path("circle").symlink_to("circle")
    result = ctfast(*arguments(verb, sample), "-o", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert names() == {"logs", "circle"}


def test_a_hidden_file_has_a_name(sample: Sample) -> None:
    for name in (".events", ".events.csv", ".events.csv.gz"):
        assert ctfast("scan", "logs", "--columns", "eventID", "-o", name).exit_code == 0
    assert Path(".events").read_text() == '{"eventID":"1"}\n'
    assert Path(".events.csv").read_text() == "eventID\n1\n"
    assert gzip.decompress(Path(".events.csv.gz").read_bytes()) == b"eventID\n1\n"
    assert ctfast(*arguments("verify", sample), "--html", ".html").exit_code == 2
    assert ctfast(*arguments("verify", sample), "--html", "page.html.gz").exit_code in (0, 1)
    assert gzip.decompress(Path("page.html.gz").read_bytes()).startswith(b"<!doctype html>")


def test_a_link_in_a_circle_is_no_archive_either() -> None:
    Path("circle").symlink_to("circle")
    result = ctfast("scan", "circle", "-o", "x.csv")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("ctfast: circle: ")


# Closed streams


def closing(redirection: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, started by a shell that closes streams; Python's warnings for developers count as well."""
    command = [
        "sh",
        "-c",
        f'exec "$@" {redirection}',
        "sh",
        sys.executable,
        "-X",
        "dev",
        "-W",
        "ignore",
        "-m",
        "ctfast",
        *words,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@every_verb
def test_standard_output_that_is_closed(verb: str, sample: Sample) -> None:
    """It once ended in a traceback."""
    result = closing(">&-", *arguments(verb, sample))
    sentence = "ctfast: standard output: closed when the command began (name a file, or write to /dev/null)\n"
    assert (result.returncode, result.stderr) == (2, sentence)


@pytest.mark.parametrize(
    "words", [["lint", PATTERN], ["demo", "--keep", "demo"], ["verify", "ARCHIVE", "--like-aws", "--keys", "KEYS"]]
)
def test_standard_output_that_is_closed_with_other_verbs(words: list[str], sample: Sample) -> None:
    places = {"ARCHIVE": str(sample.archive), "KEYS": str(sample.keys)}
    result = closing(">&-", *(places.get(word, word) for word in words))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "standard output: closed when the command began" in result.stderr


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_file_needs_no_stream(redirection: str) -> None:
    """The file must not get the file descriptor of a closed stream, and with it the text written to the stream."""
    result = closing(redirection, "scan", "logs", "--columns", "eventID", "-o", "x.csv")
    assert (result.returncode, result.stderr) == (0, "")
    assert Path("x.csv").read_text() == "eventID\n1\n"


def test_standard_input_that_is_closed() -> None:
    result = closing("<&-", "scan", "-")
    sentence = "ctfast: standard input: closed when the command began (name the files in another way)\n"
    assert (result.returncode, result.stderr) == (2, sentence)
