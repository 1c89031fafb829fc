"""Item 12 of 2 of 9: tables stay tables, outside text is displayed harmlessly, and empty results say so."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast._arguments.names import KINDS
from ctfast._show import notebook
from ctfast._show.folding import Room, folded
from ctfast._show.plain import counted, plain
from ctfast.cli import main
from ctfast.sample import Sample
from test_2_12_tables import on_terminal, piped, unix

ACCOUNT = "111122223333"
ROLE = (
    f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_{'Administrators' * 3}_5f1c7d90ab3e2468/{'x' * 40}@example.com"
)
#: Characters that must be escaped: control, direction, zero-width, separator and invisible characters.
HIDDEN = (
    "\x00\t\n\x1b\x7f\x85\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f"
    "\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff"
)
HIDDEN += "\u034f\u115f\u3164\ufe0f\uffa0\U000e0001\U000e0041\U000e0100\udcff"


@pytest.fixture(scope="module")
def long_arn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred events, one of them by a user with a long name."""
    path = tmp_path_factory.mktemp("arn") / "logs" / "events.json"
    path.parent.mkdir()
    records = [
        {
            "eventTime": f"2025-03-12T13:{number % 60:02}:00Z",
            "eventName": "GetAccountAuthorizationDetails" if number % 2 else "GetObject",
            "userIdentity": {"arn": ROLE if number == 50 else f"arn:aws:iam::{ACCOUNT}:user/dana"},
            "sourceIPAddress": "198.51.100.233",
            "errorCode": "Client.UnauthorizedOperation" if number % 3 else None,
        }
        for number in range(100)
    ]
    path.write_text(json.dumps({"Records": records}))
    return path.parent


@unix
@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("verb", ["scan", "match"])
def test_one_long_arn_leaves_a_table_a_table(verb: str, width: int, long_arn: Path) -> None:
    (rule := long_arn.parent / "any.filter").write_text("{ $.eventName = * }")
    where = ["--rules", rule] if verb == "match" else []
    shown = on_terminal(width, verb, long_arn, "--format", "table", *where).splitlines()
    assert shown[0].split()[0] == "eventTime" or shown[1].split()[0] == "eventTime"
    assert len([line for line in shown if line.startswith("2025-03-12 13:")]) == 100
    assert len(shown) < 410
    assert max(map(len, shown)) <= width


@pytest.mark.parametrize(
    "environment", [{}, {"FORCE_COLOR": "1"}, {"COLUMNS": "80"}, {"FORCE_COLOR": "1", "COLUMNS": "120"}]
)
def test_without_a_terminal_arns_are_whole(environment: dict[str, str], long_arn: Path) -> None:
    env = {"COLUMNS": None, "FORCE_COLOR": None, "TERM": "xterm"} | environment
    ran = CliRunner(env=env).invoke(main, ["scan", str(long_arn), "--format", "table"])
    assert ran.output.count(ROLE) == 1
    assert ran.output.count(f"arn:aws:iam::{ACCOUNT}:user/dana") == 99
    if "COLUMNS" not in environment:
        assert len(ran.output.splitlines()) == 102


@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("value", ["0", "00", "-1", "x", "\u00b2", "9" * 5000])
def test_a_size_that_no_screen_has_is_as_if_it_were_not_set(
    name: str, value: str, sample: Sample, tmp_path: Path
) -> None:
    """Nothing fits in a width of 0: messages, including errors, and data would disappear."""
    calls = {"info": 0, "columns": 0, "scan": 0, "nowhere": 2}
    for verb, code in calls.items():
        arguments = {"columns": ["columns"], "nowhere": ["info", "nowhere"]}.get(verb, [verb, str(sample.archive)])
        table = ["-o", str(tmp_path / "table.txt"), "--format", "table"]
        for form in (["--format", "table"], table):
            results = []
            for env in ({name: None}, {name: value}):
                ran = CliRunner(env={"COLUMNS": None, "LINES": None, "TERM": "dumb"} | env).invoke(
                    main, [*arguments, *form]
                )
                written = (tmp_path / "table.txt").read_text() if form is table and code == 0 else ""
                results.append((ran.exit_code, ran.stdout, ran.stderr, written))
            assert results[0] == results[1]
            assert results[0][0] == code
            assert any(results[0][1:])


def test_names_fold_at_their_words_and_leave_a_table_a_table(sample: Sample) -> None:
    shown = piped("info", sample.archive, columns=40)
    _, _, kinds = shown.partition("Kind ")
    lines = [line.split()[0] for line in kinds.splitlines()[2:6]]
    assert lines == ["CloudTrail", "CloudTrail-Insight", "CloudTrail-Network", "Activity"]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("arn:aws:iam::111122223333:role/audit/read-only", 40, ["arn:aws:iam::111122223333:role/audit/", "read-only"]),
        ("logs/AWSLogs/111122223333/CloudTrail/", 20, ["logs/AWSLogs/", "111122223333/", "CloudTrail/"]),
        ("x111122223333_CloudTrail", 12, ["x", "111122223333", "_CloudTrail"]),
        ("1111222233334_", 10, ["1111222233", "334_"]),
        ("CloudTrail-NetworkActivity", 12, ["CloudTrail-", "Network", "Activity"]),
        ("a_20250312T1345Z_b", 14, ["a_", "20250312T1345Z", "_b"]),
        ("at 2025-03-12T13:45:00Z or", 20, ["at", "2025-03-12T13:45:00Z", "or"]),
        ("from 198.51.100.233 to", 14, ["from", "198.51.100.233", "to"]),
    ],
)
def test_where_text_is_folded(text: str, width: int, lines: list[str]) -> None:
    assert folded(text, Room(width, folds_arns=True)) == lines


@pytest.mark.parametrize("show", [plain, notebook.escaped])
def test_what_would_not_be_seen_is_written_as_an_escape(show: Callable[[str], str]) -> None:
    for character in HIDDEN:
        shown = show(f"a{character}b")
        assert shown.startswith("a\\")
        assert shown.isascii()
        assert f"{ord(character):x}" in shown
    assert show("Zoë 漢字 é😀") == "Zoë 漢字 é😀"


def hidden_archive(sample: Sample, folder: Path) -> Path:
    """An archive in a folder whose name would reverse the text after it, with one log that no digest lists."""
    archive = folder / "\u202e\x1b[31mlogs"
    shutil.copytree(sample.archive, archive)
    log = next(archive.rglob("*_CloudTrail_eu-west-1_*.json.gz"))
    log.with_name(log.name[: -len("0123456789abcdef.json.gz")] + "Ab12Ab12Ab12Ab12.json.gz").write_bytes(
        log.read_bytes()
    )
    return archive


@pytest.mark.parametrize("form", [[], ["--like-aws"], ["--like-aws", "--verbose"]])
def test_verify_shows_no_character_that_steers(form: list[str], sample: Sample, tmp_path: Path) -> None:
    archive = hidden_archive(sample, tmp_path)
    said = piped("verify", archive, "--keys", sample.keys, "--signatures", sample.signatures, *form)
    assert not set(said) & set(HIDDEN) - set("\t\n")
    assert "\\u202e\\x1b[31mlogs" in said


def test_a_notebook_shows_what_was_not_found(sample: Sample) -> None:
    report = ct.Report()
    with pytest.warns(ct.NothingChosen):
        ct.read(sample.archive, regions=["eu-west-1", "us-est-1"], report=report)
    (found,) = report.unmatched
    assert notebook.escaped(found) in report._repr_html_()
    with pytest.warns(ct.NothingChosen):
        info = ct.info(sample.archive, regions="us-est-1")
    assert "us-est-1" in info._repr_html_()


def test_nouns_after_one_are_singular(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"Records":[{"eventName":"a","eventTime":"2025-03-12T00:00:00Z","awsRegion":"x","recipientAccountId":"1"}]}'
    )
    found = ct.info(tmp_path)
    assert "1 record of 1 account in 1 region, from" in found._repr_html_()
    assert "1 file read, 0 bad, 0 skipped" in found.report._repr_html_()
    assert [counted(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


def test_info_of_nothing_says_so(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["info", "-"], input="")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "nothing was read" in ran.stderr
    (tmp_path / "a.json").write_text('{"Records":[]}')
    assert piped("info", tmp_path).splitlines()[:2] == ["0 accounts, 0 regions, 0 days.", "No events."]
    (tmp_path / "a.json").write_text('{"Records":[{"eventName":"a"}]}')
    assert "No event has a time." in piped("info", tmp_path).splitlines()


def test_a_reason_is_said_in_words(sample: Sample, tmp_path: Path) -> None:
    shutil.copytree(sample.archive, tmp_path / "logs")
    (tmp_path / "logs/events.json").write_text('[{"type":"other"}]')
    assert "Skipped: 1 file without a record of CloudTrail." in piped("info", tmp_path / "logs").splitlines()


def functions() -> dict[str, Any]:
    return {name: value for name in ct.__all__ if inspect.isfunction(value := getattr(ct, name))}


@pytest.mark.parametrize("name", functions())
def test_defaults_have_the_types_that_help_tells(name: str) -> None:
    for parameter in inspect.signature(functions()[name]).parameters.values():
        if parameter.default is None:
            assert "None" in str(parameter.annotation) or "Any" in str(parameter.annotation), parameter
        elif "bool" in str(parameter.annotation) and parameter.default is not parameter.empty:
            assert isinstance(parameter.default, bool), parameter


def test_help_names_each_kind() -> None:
    said = " ".join(piped("scan", "--help", columns=100).split())
    assert all(kind in said for kind in KINDS)


@pytest.mark.parametrize(
    "whole",
    [
        "2001:db8:40::17",
        "2001:0db8:0000:0000:0000:ff00:0042:8329",
        "::ffff:192.0.2.128",
        "fe80::1",
        "i-0a1b2c3d4e5f60718",
        "eni-0a1b2c3d4e5f60718",
        "subnet-9d4a7b6c",
        "example.com",
        "ip-10-20-4-31.eu-west-1.compute.internal",
    ],
)
@pytest.mark.parametrize("text", ["{}", "at {}, and elsewhere", "dana@{}", "names/{}"])
def test_what_is_copied_as_a_whole_stays_one(whole: str, text: str) -> None:
    """IPv6 addresses were once folded after each colon, ids within their letters, and host names after each dot."""
    for width in range(1, 60):
        assert any(whole in line for line in folded(text.format(whole), Room(width, folds_arns=True)))


def test_services_end_a_line_after_their_name() -> None:
    """Unbroken, they would leave no room for the other columns."""
    assert folded("secretsmanager.amazonaws.com", Room(20, folds_arns=True)) == ["secretsmanager.", "amazonaws.com"]


@unix
def test_the_first_look_is_a_table_on_a_usual_terminal() -> None:
    text = on_terminal(80, "demo")
    for whole in ("i-0a1b2c3d4e5f60718", "alice@example.com", "2001:db8:40::17"):
        assert whole in text
    assert "Who                 Events Failed" in text
