"""2.08: the command line names arguments as they are written there, and truncates values that it repeats."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

ROOT = Path(__file__).parents[2] / "python" / "ctfast"


def ctfast(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False, input=stdin)


#: Commands with a wrong argument, and the whole sentence about it.
SENTENCES: list[tuple[list[str], str]] = [
    (
        ["scan", "A", "--from", "keys", "--checkpoint", "C"],
        "--checkpoint follows listings, which are in order: name folders, not …",
    ),
    (["scan", "A", "--dedupe", "--checkpoint", "C"], "--dedupe knows the records of one run, and with a checkpoint …"),
    (
        ["scan", "A", "--since", "7d", "--checkpoint", "C"],
        "--since 7d moves with the clock, and a checkpoint belongs to one query: …",
    ),
    (
        ["scan", "A", "--since", "2025-03-12", "--until", "2025-03-11"],
        "--until (2025-03-11) is before --since (2025-03-12): no time lies between them",
    ),
    (["scan", "A", "--since", "x"], "--since is no date or time that can be read: 'x' …"),
    (["scan", "A", "--until", "9999999999w"], "--until lies before the year 1: '9999999999w'"),
    (["scan", "A", "--account", "123"], "--account must have 12 digits, not 3: '123'"),
    (["scan", "A", "--account", "1,2"], "--account has several names in one text, '1,2': give each by itself"),
    (
        ["scan", "A", "--region", "us-east1"],
        "--region must be such as 'us-east-1', not 'us-east1'; did you mean 'us-east-1'?",
    ),
    (["info", "A", "--region", "a,b"], "--region has several names in one text, 'a,b': give each by itself"),
    (
        ["scan", "A", "--kind", "CloudTrail-Digest"],
        "--kind must be those of log files; 'CloudTrail-Digest' is that of digest …",
    ),
    (["scan", "A", "--kind", "CloudTrial"], "--kind has no 'CloudTrial'; did you mean 'CloudTrail'? …"),
    (
        ["scan", "A", "--columns", "eventNme"],
        "--columns has no 'eventNme'; did you mean 'eventName'? (ctfast columns lists them)",
    ),
    (["scan", "A", "--columns", "eventID,eventID"], "--columns has 'eventID' twice"),
    (
        ["scan", "A", "--storage-option", "aws_regoin=x"],
        "--storage-option has no 'aws_regoin'; did you mean 'aws_region'?",
    ),
    (
        ["copy", "s3://bucket", "C", "--storage-option", "regoin=x"],
        "--storage-option has no 'regoin'; did you mean 'region'?",
    ),
    (["scan", "A", "-o", "out.xlsx"], "--output 'out.xlsx' ends in .xlsx, which is no format (…"),
    (
        ["scan", "A", "-o", "out.parquet.gz"],
        "--output 'out.parquet.gz' ends in .gz, but parquet is compressed inside: …",
    ),
    (
        ["scan", "A", "--from", "queue"],
        "ARCHIVE must be the address of a queue, such as https://sqs.eu-west-1.amazonaws.com/…",
    ),
    (
        ["scan", "gs://logs"],
        "ARCHIVE 'gs://logs' cannot be opened: … and the storage option endpoint_url=https://storage.googleapis.com",
    ),
    (
        ["scan", "https://host/x"],
        "ARCHIVE 'https://host/x' cannot be opened: … the storage option endpoint_url=https://host …",
    ),
    (["scan", "s3://X/y"], "ARCHIVE: s3://X/y: 'X' is not the name of a bucket: it has 3 to 63 characters"),
    (["scan", "arn:aws:lambda:x"], "ARCHIVE 'arn:aws:lambda:x' cannot be opened: it is an ARN of lambda; …"),
    (["scan", "a\0b"], "ARCHIVE 'a\\x00b' has a character that no path has"),
    (["scan", "x" * 5_000], "ARCHIVE 'xx…xx' is longer than the path of a file or an object can be"),
    (["copy", "logs", "C"], "S3URL must be a bucket, s3://bucket/prefix, not 'logs'"),
    (["fetch-signatures", "gs://x", "-o", "C"], "S3URL 'gs://x' cannot be opened: …"),
    (
        ["fetch-keys", "--region", "us-east1", "--since", "7d", "-o", "C"],
        "--region must be such as 'us-east-1', not 'us-east1'; …",
    ),
    (
        ["verify", "A", "--keys", "K", "--map", "a=b"],
        "--map: 'a' is not the name of a bucket: it has 3 to 63 characters",
    ),
    (["verify", "A", "--keys", "K", "--map", "a"], "--map is BUCKET=DIR, not 'a'"),
    (
        ["verify", "A", "--keys", "K", "--relocated-from", "s3://x"],
        "--relocated-from: 'x' is not the name of a bucket: …",
    ),
    (
        ["verify", "A", "--keys", "K", "--trail", "a,b"],
        "--trail has several names in one text, 'a,b': give each by itself",
    ),
    (
        ["verify", "A", "--keys", "K", "--html", "page.pdf"],
        "--html 'page.pdf' ends in .pdf, which is no format (endings are .html, .htm, …; a name may have none)",
    ),
    (
        ["sql", "A", "SELECT userIdentity.arnn FROM events"],
        "no field 'arnn'; did you mean 'arn'?",
    ),
    (
        ["sql", "A", 'SELECT "userIdentity"."arnn" FROM events'],
        "no field 'arnn'; did you mean 'arn'?",
    ),
    (["sql", "A", "SELECT userIdentty.arn FROM events"], "no column 'userIdentty'; did you mean 'userIdentity'? …"),
]


@pytest.mark.parametrize(("arguments", "sentence"), SENTENCES, ids=[" ".join(words)[:60] for words, _ in SENTENCES])
def test_a_sentence_about_an_argument(arguments: list[str], sentence: str, sample: Sample, tmp_path: Path) -> None:
    places = {"A": sample.archive, "K": sample.keys, "C": tmp_path / "new"}
    result = ctfast(*(places.get(argument, argument) for argument in arguments))
    assert (result.exit_code, result.stdout, list(tmp_path.iterdir())) == (2, "", [])
    words = ".*".join(map(re.escape, sentence.split("…")))
    assert re.fullmatch(f"ctfast: {words}\n", result.stderr), result.stderr


def raised() -> Iterator[tuple[str, int, ast.Call]]:
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ArgumentError":
                yield str(path.relative_to(ROOT)), node.lineno, node


def test_each_sentence_about_an_argument_begins_with_it() -> None:
    """So the command line can replace it by the name of the option."""
    wrong = []
    for path, line, call in raised():
        message, argument = call.args[:2]
        if isinstance(message, ast.Name):
            tree = ast.parse((ROOT / path).read_text("utf-8"))
            given = [
                node
                for node in ast.walk(tree)
                if isinstance(node, ast.Assign) and node.lineno < line and ast.unparse(node.targets[0]) == message.id
            ]
            message = max(given, key=lambda node: node.lineno).value
        first = message.values[0] if isinstance(message, ast.JoinedStr) else message
        begins = ast.unparse(first.value) if isinstance(first, ast.FormattedValue) else str(getattr(first, "value", ""))
        name = argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)
        if not re.match(rf"{re.escape(str(name))}\b", begins) and ast.unparse(call.args[0]) != "error.message":
            wrong.append(f"{path}: {begins}")
    assert wrong == [
        "_scan/info.py: info tells what there is, and report.duplicates counts what came before: dedupe is not for it"
    ]


def test_what_a_sentence_repeats_has_an_end() -> None:
    """Values are formatted by `quoted`, which truncates them; `!r` would repeat a string of any length."""
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        own = {
            part
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            and function.name in ("__repr__", "__getattr__", "describe", "_in_brackets")
            for part in ast.walk(function)
        }
        wrong += [
            f"{path.name}:{node.lineno}: {ast.unparse(node)}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FormattedValue) and node.conversion == ord("r") and node not in own
        ]
    assert wrong == []


@pytest.mark.parametrize("line", ["x" * 3_000_000, "s3://" + "x" * 3_000_000, "s3://bucket/" + "x" * 3_000_000])
def test_a_line_of_megabytes(line: str) -> None:
    for arguments in (["scan", "-"], ["scan", "-", "--from", "keys"]):
        result = ctfast(*arguments, "--columns", "eventID", stdin=line)
        assert (result.exit_code, len(result.stderr) < 600) == (2, True)
        assert "is longer than the path of a file or an object can be" in result.stderr
    with pytest.raises(ct.FormatError) as caught:
        ct.read(ct.KeyList([line]))
    assert (caught.value.kind, caught.value.record, len(str(caught.value)) < 600) == ("bad-key", 0, True)
    assert len(str(ct.SourceError("no", line, None, None, "unreadable", f"{line}: no"))) < 600


def test_packs_and_regions_that_are_near() -> None:
    with pytest.raises(ValueError, match=r"there is no pack 'csi'; there are: cis; did you mean 'cis'\?"):
        ct.packs.load("csi")


@pytest.mark.parametrize(
    ("asked", "near"),
    [("us-esat-1", "us-east-1"), ("eu-wset-1", "eu-west-1"), ("us-wes-1", "us-west-1"), ("eu-central-3", None)],
)
def test_the_nearest_region_is_the_nearest(asked: str, near: str | None, tmp_path: Path) -> None:
    """It is not just the first region that is similar enough."""
    for region in ("us-west-1", "us-east-2", "us-east-1", "eu-west-3", "eu-west-1"):
        (tmp_path / f"111122223333_CloudTrail_{region}_20250312T0005Z_a.json.gz").touch()
    report = ct.Report()
    with pytest.warns(ct.NothingChosen):
        ct.read(tmp_path, regions=asked, report=report)
    assert [found.nearest for found in report.unmatched] == [near]


def test_what_cannot_be_pickled_says_so(sample: Sample, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")
    with ct.stream(sample.archive, checkpoint=checkpoint) as events:
        units = events.units()
        bound: list[tuple[Any, str]] = [
            (events, "start it where it is read, with ctfast.stream(...)"),
            (next(units), "read and commit it where its stream is"),
            (checkpoint, "open it by its path where it is used"),
            (ct.Verifier(keys=str(sample.keys)), "make it where the archive is read, or pass on its verification"),
        ]
        for value, remedy in bound:
            for take in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError) as caught:
                    take(value)
                words = (
                    f"{type(value).__name__} is bound to this process, and can be neither pickled nor copied: {remedy}"
                )
                assert str(caught.value).startswith(words)
    with pytest.raises(TypeError, match="lines that come once only can be neither pickled nor copied"):
        pickle.dumps(ct.KeyList(iter(["a"])))
    again = pickle.loads(pickle.dumps(ct.KeyList(["a.json", "b.json"])))
    assert [found.url for found in again] == ["a.json", "b.json"]


def test_a_scan_goes_to_another_process(sample: Sample, tmp_path: Path) -> None:
    """Polars serializes the function that reads, with everything it refers to."""
    made = pickle.dumps(ct.match(sample.archive, ct.packs.load("cis")))
    (file := tmp_path / "scan").write_bytes(made)
    program = "import pickle, pathlib, sys; print(pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()).collect().shape)"
    done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    assert done.stdout == f"{ct.match(sample.archive, ct.packs.load('cis')).collect().shape}\n"


def test_a_scan_of_what_is_bound_to_its_process_says_so(sample: Sample, tmp_path: Path) -> None:
    class Client:
        def receive_message(self, **_: Any) -> dict[str, Any]:
            return {}

    queue = ct.Queue("https://sqs.eu-west-1.amazonaws.com/111122223333/new-logs", client=Client())
    scans = {
        "Queue": ct.scan(queue),
        "Checkpoint": ct.scan(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "state")),
        "Verifier": ct.scan(sample.archive, verify=ct.Verifier(keys=str(sample.keys))),
    }
    for name, scan in scans.items():
        with pytest.raises(
            pl.exceptions.ComputeError, match=f"{name} is bound to this process, and can be neither pickled"
        ):
            pickle.dumps(scan)


#: Each option of each verb.
OPTIONS = [
    (verb, option)
    for verb, command in main.commands.items()
    for option in command.params
    if isinstance(option, click.Option) and not option.is_eager
]


@pytest.mark.parametrize(("verb", "option"), OPTIONS, ids=lambda each: each if isinstance(each, str) else each.opts[-1])
def test_an_option_that_is_taken_once_is_not_given_twice(verb: str, option: click.Option) -> None:
    """Of two filters or time bounds, one would be silently ignored."""
    spelled = [[name] if option.is_flag else [name, "x"] for name in option.opts]
    for first in spelled:
        for second in spelled:
            result = ctfast(verb, "nowhere", *first, *second)
            is_told = result.stderr == f"ctfast: {option.opts[-1]} is given twice: it is taken once\n"
            assert (result.exit_code, result.stdout) == (2, "")
            assert is_told != option.multiple
    # --help works in any case.
    assert ctfast(verb, *spelled[0], *spelled[0], "--help").exit_code == 0


def test_what_may_be_repeated_says_so() -> None:
    for verb, option in OPTIONS:
        assert ("May be repeated." in (option.help or "")) == option.multiple, (verb, option.name)
