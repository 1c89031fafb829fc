"""``ctfast verify``: exit codes, the formats of the result, the words of AWS's tool, the page."""

from __future__ import annotations

import base64
import gzip
import html.parser
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast import _ctfast
from ctfast.cli import main

if TYPE_CHECKING:
    from ctfast.sample import Sample

# The chain of two digests that AWS's own validator accepts: made once with a key whose private half was thrown away.
BUCKET = "amzn-s3-demo-bucket"
LOG = '{"Records":[{"eventVersion":"1.11","eventID":"00000000-0000-0000-0000-000000000001"}]}'
VECTOR = Path(__file__).parents[1] / "data" / "digest_chain.json"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


@pytest.fixture
def copy(sample: Sample, tmp_path: Path) -> Path:
    shutil.copytree(sample.archive, tmp_path / "archive")
    return tmp_path / "archive"


def files(root: Path, part: str) -> list[Path]:
    return sorted(path for path in root.rglob("*.gz") if part in str(path))


def test_valid(sample: Sample) -> None:
    result = run(sample.archive, "--keys", sample.keys, "--signatures", sample.signatures)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [*lines[:6], *lines[-4:]] == [
        "digests                100: 100 valid",
        "log files               93: 93 valid",
        "signatures             100 saved in a file, 0 held by the next digest",
        "unlisted files           0",
        "findings                 0",
        "asked for  all the time that there are digests of; all accounts, regions and trails (UTC)",
        "444455556666 us-east-1 trail audit_trail.v2",
        "  found      2025-03-12 00:07:25 to 2025-03-13 01:07:25",
        "VALID from 2025-03-12 00:07:25 to 2025-03-13 01:07:52, each of 4 chains for its time",
        "of what was asked for: what valid digests list is there and unaltered, and no log file is unexplained",
    ]


def test_findings(sample: Sample, copy: Path) -> None:
    gone, *_ = files(copy, "/CloudTrail/")
    gone.unlink()
    result = run(copy, "--keys", sample.keys, "--signatures", sample.signatures)
    assert result.exit_code == 1
    assert f"error missing-log: {gone}: it is not there, though a digest lists it" in result.stdout


def test_nothing_to_check(sample: Sample, copy: Path) -> None:
    for account in copy.glob("AWSLogs/*"):
        shutil.rmtree(account / "CloudTrail-Digest")
    result = run(copy, "--keys", sample.keys)
    assert result.exit_code == 2
    assert "Nothing was checked" in result.stderr
    empty = copy.parent / "empty"
    empty.mkdir()
    assert run(empty, "--keys", sample.keys).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none", "--keys", "KEYS"], "none: No such file or directory"),
        (["ARCHIVE", "--keys", "ARCHIVE/AWSLogs/none"], "No such file or directory"),
        (["ARCHIVE", "--keys", "KEYS", "--map", "x"], "--map is BUCKET=DIR, not 'x'"),
        (["ARCHIVE", "--keys", "SIGNATURES"], "not public keys"),
        (["ARCHIVE", "--keys", "KEYS", "--since", "yesterday"], "--since is no date or time that can be read"),
        (["ARCHIVE", "--keys", "KEYS", "--since", "2025-02-02", "--until", "2025-01-01"], "is before --since"),
    ],
)
def test_trouble(sample: Sample, arguments: list[str], words: str) -> None:
    names = {"ARCHIVE": sample.archive, "KEYS": sample.keys, "SIGNATURES": sample.signatures}
    for name, path in names.items():
        arguments = [argument.replace(name, str(path)) for argument in arguments]
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_forms(sample: Sample, copy: Path) -> None:
    files(copy, "/CloudTrail/")[0].unlink()
    arguments = (copy, "--keys", sample.keys, "--signatures", sample.signatures)
    whole = json.loads(run(*arguments, "--format", "json").stdout)
    assert (whole["ok"], whole["checked"]) == (False, True)
    assert (len(whole["digests"]), len(whole["logs"]), len(whole["coverage"])) == (100, 93, 100)
    [row] = map(json.loads, run(*arguments, "--format", "ndjson").stdout.splitlines())
    assert (row["severity"], row["reason"]) == ("error", "missing-log")
    target = copy.parent / "findings.parquet"
    assert run(*arguments, "-o", target).exit_code == 1
    assert pl.read_parquet(target)["reason"].to_list() == ["missing-log"]


def test_options_choose(sample: Sample) -> None:
    arguments = (sample.archive, "--keys", sample.keys, "--signatures", sample.signatures, "--format", "json")
    chosen = json.loads(
        run(*arguments, "--account", "111122223333", "--region", "eu-west-1", "--trail", "management-events").stdout
    )
    assert len(chosen["digests"]) == 25
    chosen = json.loads(run(*arguments, "--since", "2025-03-12T12:00", "--until", "2025-03-12T15:00").stdout)
    assert chosen["ok"]
    assert len(chosen["digests"]) == 16


class Vector:
    """The vector as an archive, with the recorded output of AWS's tool."""

    def __init__(self, root: Path) -> None:
        self.vector = json.loads(VECTOR.read_text())
        self.root = root
        older, newer = self.digests = [root / digest["key"] for digest in self.vector["digests_oldest_first"]]
        for path, digest in zip(self.digests, self.vector["digests_oldest_first"], strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(digest["body"].encode()))
        name = json.loads(self.vector["digests_oldest_first"][0]["body"])["logFiles"][0]["s3Object"]
        self.log = root / name
        self.log.parent.mkdir(parents=True)
        self.log.write_bytes(gzip.compress(self.vector["log_body"].encode()))
        self.older, self.newer = (f"s3://{BUCKET}/{path.relative_to(root)}" for path in (older, newer))

    def run(self, *arguments: str, since: str = "2015-08-17T14:00:00Z") -> Result:
        keys, signatures = self.root.parent / "keys.json", self.root.parent / "signatures.json"
        keys.write_text(json.dumps({"publicKeyList": [{"Value": self.vector["public_key"]["Value_base64_pkcs1_der"]}]}))
        saved = {
            f"{digest['bucket']}/{digest['key']}": digest["metadata"] for digest in self.vector["digests_oldest_first"]
        }
        signatures.write_text(json.dumps(saved))
        times = ("--since", since, "--until", "2015-08-17T16:30:00Z")
        return run(self.root, "--keys", keys, "--signatures", signatures, *times, "--like-aws", *arguments)


@pytest.fixture
def vector(tmp_path: Path) -> Vector:
    return Vector(tmp_path / "archive")


HEADER = (
    "Validating log files for trail arn:aws:cloudtrail:us-east-2:111122223333:trail/t "
    "between 2015-08-17T14:00:00Z and 2015-08-17T16:30:00Z\n\n"
)
RESULTS = "Results requested for 2015-08-17T14:00:00Z to 2015-08-17T16:30:00Z\n"
FOUND = "Results found for 2015-08-17T14:01:31Z to 2015-08-17T16:01:31Z:\n\n"


def test_like_aws_valid(vector: Vector) -> None:
    result = vector.run()
    assert result.exit_code == 0
    assert result.stdout == f"{HEADER}{RESULTS}{FOUND}2/2 digest files valid\n2/2 log files valid\n\n"
    verbose = vector.run("--verbose").stdout
    log = f"Log file\ts3://{BUCKET}/{vector.log.relative_to(vector.root)}\tvalid\n"
    lines = f"Digest file\t{vector.newer}\tvalid\n{log}Digest file\t{vector.older}\tvalid\n{log}\n"
    assert verbose == f"{HEADER}{lines}{RESULTS}{FOUND}2/2 digest files valid\n2/2 log files valid\n\n"


def test_like_aws_missing_digest(vector: Vector) -> None:
    vector.digests[0].unlink()
    result = vector.run(since="2015-08-17T14:01:31Z")
    assert result.exit_code == 1
    assert f"Digest file\t{vector.older}\tINVALID: not found\n\n" in result.stderr
    assert result.stdout.endswith("1/2 digest files valid, 1/2 digest files INVALID\n1/1 log files valid\n\n")


def test_like_aws_changed_log(vector: Vector) -> None:
    vector.log.write_bytes(gzip.compress(b"{}"))
    result = vector.run()
    line = f"Log file\ts3://{BUCKET}/{vector.log.relative_to(vector.root)}\tINVALID: hash value doesn't match\n\n"
    assert result.stderr == line * 2  # both digests list it
    assert result.stdout.endswith("2/2 digest files valid\n0/2 log files valid, 2/2 log files INVALID\n\n")


def test_like_aws_other_words(vector: Vector) -> None:
    vector.vector["public_key"]["Value_base64_pkcs1_der"] = base64.b64encode(b"\x30\x00").decode()
    assert (
        "INVALID: public key not found in region us-east-2 for fingerprint 3645c08d15516255eb76e238b1491f1b"
        in vector.run().stderr
    )
    vector.digests[0].write_bytes(b"x")
    assert f"Digest file\t{vector.older}\tINVALID: invalid format" in vector.run().stderr
    shutil.rmtree(vector.root / "AWSLogs" / "111122223333" / "CloudTrail-Digest")
    result = vector.run()
    assert (result.exit_code, result.stdout) == (1, "No digests found\n")  # but saved signatures name them


class Page(html.parser.HTMLParser):
    """Counts the elements of a page and holds its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: dict[str, int] = {}
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] = self.elements.get(tag, 0) + 1
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("src", "href"), value

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_page(sample: Sample, copy: Path) -> None:
    files(copy, "/CloudTrail/")[0].unlink()
    target = copy.parent / "report.html"
    result = run(copy, "--keys", sample.keys, "--signatures", sample.signatures, "--html", target)
    assert result.exit_code == 1
    text = target.read_text()
    page = Page(text)
    assert page.elements["svg"] == 4 + 6  # chains, and the legend
    assert "Not valid" in page.text
    assert "missing-log" in page.text
    assert "http" not in text.replace("http-equiv", "")


def test_page_escapes_what_names_hold() -> None:
    evil = "<script>alert(1)</script>\u202e&"
    frame = pl.DataFrame(_ctfast.Verify.empty()["findings"])
    row: dict[str, Any] = dict.fromkeys(frame.columns, evil) | {
        "severity": "error",
        "time": datetime(2024, 1, 1, tzinfo=UTC),
    }
    findings = pl.DataFrame([row], schema=frame.schema)
    frames: dict[str, list[pl.DataFrame]] = {name: [] for name in ("digests", "logs", "unlisted", "spans")}
    frames["findings"] = [findings]
    page = Page(ct.Verification(frames, {}, [evil], details=True).html())
    assert "script" not in page.elements
    assert any("<script>alert(1)</script>\\u202e&" in text for text in page.text)
