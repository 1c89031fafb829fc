"""Item 12 of 2 of 9: account ids, ARNs and times are whole in tables, and in a pipe each row is one line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

import ctfast as ct
from ctfast._show.folding import Room
from ctfast._show.tables import Column, table
from ctfast.cli import main
from ctfast.cli.screen import show
from ctfast.sample import Sample

ACCOUNT = "111122223333"
LONG = f"arn:aws:sts::{ACCOUNT}:assumed-role/{'a-role-with-a-long-name-' * 8}/{'x' * 64}"
SHORT = f"arn:aws:iam::{ACCOUNT}:user/dana"
TIMES = ["2025-03-12T13:41:12Z", "2025-03-12T13:41:13Z", "2025-03-12T23:59:59Z"]
unix = pytest.mark.skipif(os.name != "posix", reason="terminals as Unix has them")
FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2025/03/12"
FILE = f"{FOLDER}/{ACCOUNT}_CloudTrail_eu-west-1_20250312T1345Z_Ab12Ab12Ab12Ab12.json.gz"
#: Texts that must not be broken anywhere.
WHOLE = re.compile(
    r"arn:aws:\w+::\d{12}:[\w/-]+|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?|(?<!\d)\d{12}(?!\d)|2001:[\da-f:]+"
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three events with long names."""
    path = tmp_path_factory.mktemp("long") / "logs" / "events.json"
    path.parent.mkdir()
    records = [
        {
            "eventTime": time,
            "eventID": time,
            "eventName": "GetAccountAuthorizationDetailsOfEverybody",
            "eventSource": "iam.amazonaws.com",
            "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT},
            "sourceIPAddress": "2001:db8:4000:4000:4000:4000:4000:4000",
            "errorCode": "Client.UnauthorizedOperation",
            "requestParameters": {"roleArn": LONG, "policy": "x" * 200, "since": TIMES[0]},
            "recipientAccountId": ACCOUNT,
            "awsRegion": "ap-northeast-1",
        }
        for time, arn in zip(TIMES, (LONG, SHORT, LONG), strict=True)
    ]
    path.write_text(json.dumps({"Records": records}))
    return path.parent


def environment(**more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "FORCE_COLOR")}
    return plain | {"TERM": "xterm"} | more


def piped(*arguments: object, columns: int | None = None) -> str:
    """The output without a terminal."""
    environment = {"COLUMNS": columns and str(columns), "FORCE_COLOR": None, "TERM": "dumb"}
    ran = CliRunner(env=environment).invoke(main, [str(argument) for argument in arguments], prog_name="ctfast")
    assert ran.exit_code in (0, 1), ran.output
    return ran.output


def on_terminal(width: int, *arguments: object) -> str:
    import fcntl  # noqa: PLC0415  # Unix only
    import pty  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    terminal, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    command = [sys.executable, "-m", "ctfast", *map(str, arguments)]
    text = b""
    with subprocess.Popen(
        command, stdin=child, stdout=child, stderr=subprocess.DEVNULL, env=environment(NO_COLOR="1")
    ) as process:
        os.close(child)
        while True:
            try:
                text += os.read(terminal, 65536)
            except OSError:  # on Linux, this is the end of the output
                break
        os.close(terminal)
        assert process.wait(60) == 0
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text.decode()).replace("\r\n", "\n")


def wholes(text: str) -> list[str]:
    return WHOLE.findall(text)


QUERY = "SELECT eventTime, userIdentity.arn, recipientAccountId, eventName, requestParameters FROM events"


def verbs(archive: Path) -> dict[str, tuple[list[object], int]]:
    """Commands that print tables, and the number of rows of their first table."""
    rules = archive.parent / "all.filter"
    rules.write_text("{ $.eventName = * }")
    selectors = archive.parent / "selectors.json"
    selectors.write_text('[{"ReadWriteType":"All","IncludeManagementEvents":true}]')
    return {
        "info": (["info", archive], 1),
        "scan": (["scan", archive, "--format", "table"], 3),
        "scan all": (
            ["scan", archive, "--format", "table", "--columns", ",".join(ct.scan([]).collect_schema().names())],
            3,
        ),
        "sql": (["sql", archive, QUERY, "--format", "table"], 3),
        "match": (["match", archive, "--rules", rules], 3),
        "match count": (["match", archive, "--rules", rules, "--count"], 1),
        "cost": (["cost", archive, "--selectors", selectors], 2),
    }


@pytest.mark.parametrize("verb", ["info", "scan", "scan all", "sql", "match", "match count", "cost"])
def test_in_a_pipe_each_row_is_one_line_and_nothing_is_split(verb: str, archive: Path) -> None:
    arguments, rows = verbs(archive)[verb]
    lines = piped(*arguments).splitlines()
    rule = next(number for number, line in enumerate(lines) if re.fullmatch("─+", line))
    body = lines[rule + 1 :]
    end = body.index("") if "" in body else len(body)
    assert end == rows
    if verb.startswith(("scan", "sql", "match")) and verb != "match count":
        assert all(time[:-1].replace("T", " ") in line for time, line in zip(TIMES, body, strict=False))
        assert [LONG in line for line in body[:rows]] == (
            [True] * 3 if "requestParameters" in lines[0] else [True, False, True]
        )


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("verb", ["info", "scan", "scan all", "sql", "match", "match count", "cost"])
def test_columns_gives_a_pipe_a_width_and_nothing_is_split(verb: str, width: int, archive: Path) -> None:
    arguments, _ = verbs(archive)[verb]
    wide, narrow = piped(*arguments), piped(*arguments, columns=width)
    assert set(wholes(wide)) == set(wholes(narrow))
    assert all(
        len(line) <= max(width, 60) or "arn:" in line or "ap-northeast-1" in line for line in narrow.splitlines()
    )


@unix
@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_arns_alone_are_folded_at_their_parts(width: int, archive: Path, sample: Sample) -> None:
    for source in (archive, sample.archive):
        arguments = [
            "scan",
            source,
            "--format",
            "table",
            "--limit",
            "30",
            "--columns",
            "eventTime,userIdentity.arn,recipientAccountId",
        ]
        wide, shown = piped(*arguments), on_terminal(width, *arguments)
        assert shown.splitlines()[1] == "─" * len(shown.splitlines()[1])
        assert all(len(line) <= width for line in shown.splitlines())
        for whole in (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"(?<!\d)\d{12}(?!\d)"):
            assert sorted(re.findall(whole, shown)) == sorted(re.findall(whole, wide))
        column = "".join(line[20 : shown.index("recipientAccountId")].strip() for line in shown.splitlines()[2:])
        assert re.findall("arn:.*?(?=arn:|$)", column) == re.findall(r"arn:\S+", wide)


@unix
def test_a_file_has_no_width_whatever_the_terminal_has(archive: Path, tmp_path: Path) -> None:
    on_terminal(40, "scan", archive, "--format", "table", "-o", tmp_path / "table.txt")
    text = (tmp_path / "table.txt").read_text()
    assert len(text.splitlines()) == 5
    assert text.count(LONG) == 2


def test_findings_in_a_pipe_are_whole(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"Events":[{"CloudTrailEvent":"{"}]}')
    said = piped("info", "--on-error", "collect", tmp_path)
    assert "bad.json: invalid JSON: unexpected end" in said
    assert max(map(len, said.splitlines())) < 1000


def test_demo_in_a_pipe_has_one_line_for_each_row(sample: Sample) -> None:
    lines = piped("demo").splitlines()
    header = next(number for number, line in enumerate(lines) if line.startswith("Who  "))
    rows = lines[header + 2 : header + 17]
    assert all(re.search(r"\d\d:\d\d-\d\d:\d\d", row) for row in rows)
    assert lines[header + 17] == ""
    assert max(map(len, lines)) < 400
    timeline = next(number for number, line in enumerate(lines) if line.startswith("Time  "))
    end = lines.index("", timeline)
    assert all(re.match(r"\d\d:\d\d:\d\d ", row) for row in lines[timeline + 2 : end])


@pytest.mark.parametrize("width", [80, 120])
def test_demo_splits_no_account_id(width: int) -> None:
    assert "999988887777" in piped("demo", columns=width)


# Folding


cell = st.lists(
    st.sampled_from(
        [
            LONG,
            SHORT,
            ACCOUNT,
            FILE,
            f"id_{ACCOUNT}x",
            *TIMES,
            "2025-03-12 13:41:12",
            "a",
            "word ",
            ", ",
            '":"',
            "{",
            "ü",
            "漢字" * 9,
            "x" * 90,
        ]
    ),
    max_size=9,
).map(" ".join)


def drawn(columns: list[Column], width: int, *, folds_arns: bool = False) -> str:
    console = Console(
        width=width, file=None, record=False, highlight=False, markup=False, emoji=False, color_system=None
    )
    with console.capture() as captured:
        view = table(columns, Room(width, folds_arns=folds_arns))
        console.print(view, soft_wrap=type(view).__name__ == "Group")
    return captured.get()


@given(cells=st.lists(cell, min_size=1, max_size=3), width=st.integers(10, 160), folds_arns=st.booleans())
@example(cells=[f'{{"arn":"{LONG}","account":"{ACCOUNT}"}}'], width=40, folds_arns=False)
@example(cells=[f'{{"arn":"{LONG}","account":"{ACCOUNT}"}}'], width=40, folds_arns=True)
@example(cells=[f"{SHORT},{SHORT}"], width=len(SHORT), folds_arns=False)
@example(cells=[f"id_{ACCOUNT}_x{ACCOUNT}y"], width=14, folds_arns=False)
def test_what_is_folded_is_all_there_and_what_must_be_whole_is(
    cells: list[str], width: int, *, folds_arns: bool
) -> None:
    for columns in (
        [Column("a", "text", cells)],
        [Column("a", "text", cells), Column("b", "fixed", [TIMES[0]] * len(cells))],
    ):
        text = drawn(columns, width, folds_arns=folds_arns)
        for one in cells:
            for whole in wholes(one):
                assert whole in text or (folds_arns and whole.startswith("arn:"))
                assert ACCOUNT not in whole or ACCOUNT in text
        if len(columns) == 1:
            shown = re.sub(r"\s|─", "", text)
            wanted = "".join(re.sub(r"\s", "", one) for one in cells)
            assert shown.replace("a", "") == wanted.replace("a", "")


def test_a_frame_is_shown_with_its_values_whole(tmp_path: Path) -> None:
    frame = pl.DataFrame({"time": TIMES, "arn": [LONG, SHORT, LONG], "n": [1, 2, 3]})
    assert frame.height == 3
    with (tmp_path / "out").open("wb") as file:
        show(
            file,
            lambda room: [table([Column(name, "text", list(map(str, frame[name]))) for name in frame.columns], room)],
        )
    assert len((tmp_path / "out").read_text().splitlines()) == 5
