"""The command line as its users see it: whole outputs, exit codes, pipes and signals.

The files in ``tests/snapshots`` are what the commands print, word for word; ``CTFAST_SNAPSHOTS=write pytest
tests/test_cli.py`` updates them.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from polars.testing import assert_frame_equal

import ctfast as ct
from ctfast import demo
from ctfast.cli import main
from ctfast.cli.formats import ROWS
from ctfast.sample import Sample

FORMATS = [form.name for form in ROWS]
SNAPSHOTS = Path(__file__).parent / "snapshots"
ARCHIVE = "amzn-s3-demo-logging-bucket"
COMMAND = [sys.executable, "-m", "ctfast"]
COUNTS = "SELECT eventName, count(*) AS n FROM events GROUP BY eventName ORDER BY n DESC, eventName LIMIT 5"
DELETIONS = (
    "SELECT eventTime, userIdentity.arn, eventName FROM events WHERE eventName LIKE 'Delete%' ORDER BY eventTime"
)
SOME = "eventTime,userIdentity,tlsDetails,resources,readOnly,requestParameters,raw,file,record"
unix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as Unix has them")


def run(*arguments: str | Path, width: int = 80, stdin: str | None = None) -> Result:
    """Run the command line in this process."""
    environment = {"COLUMNS": str(width), "NO_COLOR": None, "FORCE_COLOR": None, "TERM": "dumb"}
    return CliRunner(env=environment).invoke(
        main, [str(argument) for argument in arguments], prog_name="ctfast", input=stdin
    )


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Run the command line in a process of its own."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *map(str, arguments)], **streams | options)


def output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def errors(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stderr is not None
    return process.stderr.read()


def outcome(result: Result) -> str:
    """All output of a command as one text."""
    lines = (line.rstrip() for line in result.stdout.splitlines())
    errors = (f"! {line}".rstrip() for line in result.stderr.splitlines())
    return "\n".join([*lines, *errors, f"[exit {result.exit_code}]"]) + "\n"


def check(name: str, text: str) -> None:
    """Compare a text with its snapshot."""
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("CTFAST_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def plain(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sample archive that is not compressed, so that its sizes are the same with every zlib."""
    folder = tmp_path_factory.mktemp("plain")
    shutil.copytree(sample.archive, folder / ARCHIVE)
    for path in (folder / ARCHIVE).rglob("*.json.gz"):
        path.write_bytes(gzip.decompress(path.read_bytes()))
    return folder


@pytest.fixture
def here(plain: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(plain)
    return plain


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with good and bad files, in which the test runs."""
    (tmp_path / "logs").mkdir()
    good = b'{"Records":[{"eventName":"a","eventTime":"2024-02-29T00:00:00Z"}]}'
    (tmp_path / "logs/1.json").write_bytes(good)
    (tmp_path / "logs/2.json.gz").write_bytes(gzip.compress(good)[:-4])
    texts = [{"CloudTrailEvent": "{"}, {"CloudTrailEvent": '{"eventName":"b"}'}]
    (tmp_path / "logs/3.json").write_text(json.dumps({"Events": texts}))
    (tmp_path / "logs/4.json.gz").write_bytes(gzip.compress(good) + b"\0\0")
    (tmp_path / "logs/5.json").write_bytes(b"")
    (tmp_path / "logs/6.txt").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Whole outputs


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("info", ["info", ARCHIVE]),
        ("info-of-a-file", ["info", f"{ARCHIVE}/AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2025/03/12"]),
        (
            "info-since",
            ["info", ARCHIVE, "--since", "2025-03-12T14:00", "--region", "us-east-1", "--account", "111122223333"],
        ),
        ("info-csv", ["info", ARCHIVE, "--format", "csv"]),
        (
            "files",
            [
                "files",
                ARCHIVE,
                "--since",
                "2025-03-12T14",
                "--region",
                "us-east-1",
                "--limit",
                "12",
                "--format",
                "table",
            ],
        ),
        ("scan-table", ["scan", ARCHIVE, "--format", "table", "--limit", "12", "--region", "eu-west-1"]),
        (
            "scan-blocks",
            [
                "scan",
                ARCHIVE,
                "--format",
                "table",
                "--limit",
                "2",
                "--region",
                "us-east-1",
                "--kind",
                "CloudTrail",
                "--columns",
                SOME,
            ],
        ),
        (
            "scan-ndjson",
            ["scan", ARCHIVE, "--limit", "3", "--region", "us-east-1", "--kind", "CloudTrail", "--columns", SOME],
        ),
        (
            "scan-csv",
            [
                "scan",
                ARCHIVE,
                "--limit",
                "3",
                "--region",
                "us-east-1",
                "--kind",
                "CloudTrail",
                "--format",
                "csv",
                "--columns",
                SOME,
            ],
        ),
        ("sql-table", ["sql", ARCHIVE, "--format", "table", COUNTS]),
        ("sql-csv", ["sql", ARCHIVE, "--format", "csv", DELETIONS]),
        ("columns", ["columns"]),
    ],
)
@pytest.mark.parametrize("width", [80, 120])
def test_outputs(here: Path, name: str, arguments: list[str], width: int) -> None:
    result = run(*arguments, width=width)
    longer = [line for line in result.stdout.splitlines() if len(line) > width]
    assert all("arn:" in line for line in longer) or {"csv", "ndjson"} & set(name.split("-"))
    check(f"{name}-{width}", outcome(result))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("bad-raise", ["scan", "logs"]),
        ("bad-collect", ["scan", "logs", "--on-error", "collect", "--columns", "eventName,file,record"]),
        ("bad-info", ["info", "logs", "--on-error", "collect"]),
        ("bad-files", ["files", "logs"]),
        ("bad-sql", ["sql", "logs", "SELECT eventName FROM events", "--on-error", "collect", "--format", "csv"]),
        ("warning", ["scan", "logs/4.json.gz", "--columns", "eventName"]),
        ("missing", ["scan", "logs", "nowhere"]),
        ("glob", ["info", "nowhere/*.gz"]),
        ("no-column", ["scan", "logs", "--columns", "eventTime,userIdentity.name"]),
        ("no-list-column", ["scan", "logs", "--columns", "resources[].ARN"]),
        ("no-time", ["scan", "logs", "--since", "yesterday"]),
        ("no-delay", ["scan", "logs", "--max-delay", "soon"]),
        ("no-sql", ["sql", "logs", "SELEC 1"]),
        ("no-sql-column", ["sql", "logs/1.json", "SELECT eventNme FROM events"]),
        ("no-format", ["scan", "logs", "--format", "xml"]),
        ("no-archive", ["scan"]),
        ("no-folder", ["scan", "logs/1.json", "-o", "nowhere/x.csv"]),
    ],
)
def test_findings_and_trouble(bad: Path, name: str, arguments: list[str]) -> None:
    check(name, outcome(run(*arguments)))


def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check("demo", outcome(run("demo", "--keep", "sample", width=100)).replace(str(tmp_path), "…"))
    result = run("demo", "--keep", "sample")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"ctfast: sample/{ARCHIVE}: File exists\n"


def test_the_commands_of_the_demo_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Sample) -> None:
    monkeypatch.chdir(tmp_path)
    change, *commands = demo.commands(sample)
    assert change.startswith("cd ")
    for command in commands:
        done = subprocess.run(
            command.replace("ctfast", f"'{sys.executable}' -m ctfast", 1),
            shell=True,
            cwd=sample.archive.parent,
            check=False,
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b""), command
        assert done.stdout.count(b"\n") > 3, command


def test_version_and_help() -> None:
    assert run("--version").stdout == f"ctfast {ct.__version__}\n"
    for arguments in (["--help"], ["scan", "-h"]):
        result = run(*arguments)
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage: ctfast")
    assert run("scam").exit_code == 2


# Data


def parquet(text: bytes) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(text))


def ndjson(text: bytes, schema: pl.Schema) -> pl.DataFrame:
    rows = [json.loads(line) for line in text.splitlines()]
    for row in rows:
        row["eventTime"] = row["eventTime"].replace("Z", "+00:00")
    frame = pl.DataFrame(rows, schema={**schema, "eventTime": pl.String}, orient="row")
    return frame.with_columns(
        pl.col("eventTime").str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_unit="us").dt.convert_time_zone("UTC")
    )


def test_parquet_reads_back(sample: Sample) -> None:
    result = run("scan", sample.archive, "--format", "parquet")
    assert_frame_equal(parquet(result.stdout_bytes), ct.read(sample.archive))


def test_ndjson_reads_back(sample: Sample) -> None:
    result = run("scan", sample.archive)
    expected = ct.read(sample.archive)
    assert_frame_equal(ndjson(result.stdout_bytes, expected.schema), expected)


def test_csv_reads_back(sample: Sample) -> None:
    result = run("scan", sample.archive, "--format", "csv")
    frame = pl.read_csv(result.stdout_bytes, infer_schema=False)
    leaves = [
        (path, kind)
        for path, kind in ct.columns().select("column", "type").rows()
        if kind != "Struct" and "[]" not in path
    ]
    assert frame.columns == [path for path, _ in leaves]
    expected = ct.read(sample.archive)
    for path, kind in leaves:
        root, *fields = path.split(".")
        values = expected[root]
        for field in fields:
            values = values.struct[field]
        if kind == "List of Struct":
            texts = [None if value is None else json.loads(value) for value in frame[path]]
            assert texts == values.to_list()
        elif kind.startswith("String"):
            # An empty text and none look alike to most readers of csv.
            assert frame[path].fill_null("").to_list() == values.fill_null("").to_list(), path
        elif kind == "Boolean":
            assert frame[path].to_list() == [None if value is None else str(value).lower() for value in values], path
        elif kind == "UInt32":
            assert frame[path].to_list() == list(map(str, values))
        else:
            assert frame[path].to_list() == [value.strftime("%Y-%m-%dT%H:%M:%SZ") for value in values]


def test_fractions_of_seconds_are_kept(tmp_path: Path) -> None:
    times = ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.5Z", "2024-02-29T01:00:00.000001+01:00"]
    (tmp_path / "a.json").write_text("\n".join(f'{{"eventTime":"{time}","eventName":"x"}}' for time in times))
    lines = run("scan", tmp_path, "--columns", "eventTime", "--format", "csv").stdout.splitlines()
    assert lines == ["eventTime", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.500Z", "2024-02-29T00:00:00.000001Z"]


def test_nested_columns_in_the_order_asked_for(sample: Sample) -> None:
    names = [
        "record",
        "userIdentity.sessionContext.sessionIssuer.arn",
        "userIdentity.type",
        "userIdentity.sessionContext",
    ]
    result = run("scan", sample.archive, "--columns", ", ".join(names), "--format", "parquet")
    frame = parquet(result.stdout_bytes)
    assert frame.columns == names
    identity = ct.read(sample.archive)["userIdentity"]
    assert (
        frame[names[1]].to_list() == identity.struct["sessionContext"].struct["sessionIssuer"].struct["arn"].to_list()
    )
    assert frame[names[3]].to_list() == identity.struct["sessionContext"].to_list()


def test_options_choose_what_is_read(sample: Sample) -> None:
    def names(*options: str) -> list[str]:
        return run("scan", sample.archive, "--columns", "eventID", "--format", "csv", *options).stdout.splitlines()[1:]

    def expected(**options: Any) -> list[str]:
        return ct.read(sample.archive, **options)["eventID"].to_list()

    day = ["--since", "2025-03-12T10:00", "--until", "2025-03-12T11:00"]
    assert names(*day) == expected(since="2025-03-12T10:00", until="2025-03-12T11:00")
    assert names(*day, "--max-delay", "none", "--threads", "1") == names(*day)
    assert names("--region", "us-east-1") == expected(regions="us-east-1")
    assert names("--account", "444455556666", "--kind", "CloudTrail") == expected(
        accounts="444455556666", kinds="CloudTrail"
    )
    both = "--account", "444455556666", "--account", "111122223333"
    assert names(*both) == expected()
    assert names("--limit", "5") == expected()[:5]
    assert names("--limit", "0") == []


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_found_is_still_a_file(sample: Sample, form: str) -> None:
    result = run("scan", sample.archive, "--since", "2030-01-01", "--columns", "eventTime,eventName", "--format", form)
    assert result.exit_code == 0
    assert result.stderr.endswith("is 2 folders of digests, 6 folders of other times\n")
    if form == "parquet":
        frame = parquet(result.stdout_bytes)
        assert (frame.height, frame.schema) == (0, {"eventTime": pl.Datetime("us", "UTC"), "eventName": pl.String})
    else:
        assert result.stdout == {"csv": "eventTime,eventName\n", "ndjson": "", "json": "[]\n"}[form]


def test_several_archives_and_names_from_stdin(sample: Sample, tmp_path: Path) -> None:
    files = sorted(path for path in sample.archive.rglob("*.json.gz") if "Digest" not in path.name)
    odd = tmp_path / "a file [1].json"
    odd.write_text('{"eventName":"odd","eventTime":"2024-02-29T00:00:00Z"}')
    arguments = ["--format", "csv", "--columns", "eventName"]
    stdin = run("scan", "-", *arguments, stdin="".join(f"{path}\n" for path in [files[0], odd, "", files[1]]))
    direct = run("scan", files[0], odd, files[1], *arguments)
    assert stdin.stdout == direct.stdout
    assert "odd\n" in direct.stdout
    assert run("scan", "-", *arguments, stdin="").stdout == ""
    assert run("scan", odd, "-", *arguments, stdin=f"{odd}\r\n").stdout == "eventName\nodd\nodd\n"
    assert run("scan", "-", stdin="nowhere\n").stderr == "ctfast: nowhere: No such file or directory\n"
    assert run("info", "-", stdin=f"{odd}\n").exit_code == 0


def test_the_name_of_the_file_tells_the_format(sample: Sample, tmp_path: Path) -> None:
    for name, magic in (
        ("x.csv", b"eventTime\n"),
        ("x.parquet", b"PAR1"),
        ("x.ndjson", b"{"),
        ("x.jsonl", b"{"),
        ("x.json", b"[{"),
        ("x", b"{"),
        ("x.txt", b"eventTime "),
    ):
        result = run("scan", sample.archive, "--columns", "eventTime", "-o", tmp_path / name)
        assert (result.exit_code, result.output) == (0, "") or name == "x.txt"
        assert (tmp_path / name).read_bytes().startswith(magic), name
    run("sql", sample.archive, "SELECT count(*) AS n FROM events", "-o", tmp_path / "n.csv")
    assert (tmp_path / "n.csv").read_text() == f"n\n{sample.records}\n"
    run("info", sample.archive, "-o", tmp_path / "days.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "days.parquet"), ct.info(sample.archive).days)
    run("columns", "-o", tmp_path / "columns.csv")
    assert_frame_equal(pl.read_csv(tmp_path / "columns.csv"), ct.columns())


def test_a_file_appears_when_all_went_well(bad: Path) -> None:
    target = bad / "x.csv"
    target.write_text("before")
    assert run("scan", "logs", "-o", target).exit_code == 2
    assert target.read_text() == "before"
    assert run("scan", "logs", "-o", target, "--on-error", "collect", "--columns", "eventName").exit_code == 1
    assert target.read_text() == "eventName\na\na\nb\na\n"
    assert sorted(path.name for path in bad.iterdir()) == ["logs", "x.csv"]


def test_devices_are_written_to_as_they_are(sample: Sample) -> None:
    assert run("scan", sample.archive, "-o", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()


def test_a_long_table_says_that_there_is_more(sample: Sample) -> None:
    result = run("scan", sample.archive, "--format", "table", "--columns", "eventName")
    assert len(result.stdout.splitlines()) == 102
    assert result.stderr == "These are the first 100 rows; --limit shows more, --format csv and -o FILE take all.\n"
    assert (
        len(
            run(
                "scan", sample.archive, "--format", "table", "--columns", "eventName", "--limit", "500"
            ).stdout.splitlines()
        )
        == 502
    )
    result = run("sql", sample.archive, "SELECT eventName FROM events LIMIT 100", "--format", "table")
    assert result.stderr == ""


def test_many_days_are_shown_by_region(tmp_path: Path) -> None:
    for day in range(101):
        moment = f"2024-{1 + day // 28:02}-{1 + day % 28:02}"
        name = f"111122223333_CloudTrail_eu-west-1_{moment.replace('-', '')}T0005Z_a.json.gz"
        (tmp_path / name).write_text(f'{{"Records":[{{"eventTime":"{moment}T00:00:00Z"}}]}}')
    lines = run("info", tmp_path).stdout.splitlines()
    assert lines[2].split() == [
        "111122223333",
        "eu-west-1",
        "101",
        "101",
        "5.0",
        "kB",
        "101",
        "2024-01-01",
        "2024-04-17",
    ]


def test_the_text_of_records_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '{"eventName":"\\u001b[2J\\u009b1m\\u202e[bold]x[/bold]\\n:smile:","eventTime":"2024-02-29T00:00:00Z"}'
    )
    result = run("scan", path, "--format", "table", "--columns", "eventName")
    assert result.stdout.splitlines()[2].rstrip() == r"\x1b[2J\x9b1m\u202e[bold]x[/bold]\x0a:smile:"
    result = run("scan", tmp_path / "\x1b[2J")
    assert result.stderr == f"ctfast: {tmp_path}/\\x1b[2J: No such file or directory\n"


# Processes


@unix
def test_a_reader_that_goes_away_is_no_error(sample: Sample, tmp_path: Path) -> None:
    for form in (*FORMATS, "table"):
        with start("scan", *[sample.archive] * 20, "--format", form, "--limit", "30000") as process:
            assert output(process).read(10)
            output(process).close()
            assert (process.wait(60), errors(process)) == (0, b""), form
    for arguments in (
        ["info", sample.archive],
        ["columns"],
        ["sql", sample.archive, "SELECT raw FROM events"],
        ["demo", "--keep", tmp_path],
    ):
        read, write = os.pipe()
        os.close(read)
        with start(*arguments, stdout=write) as process:
            os.close(write)
            assert (errors(process), process.wait(60)) == (b"", 0), arguments


@unix
@pytest.mark.parametrize("verb", [["scan"], ["info"]])
def test_ctrl_c_is_quiet(sample: Sample, verb: list[str], tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text(f"{sample.archive}\n" * 20_000)
    with names.open() as stdin, start(*verb, "-", stdin=stdin, stdout=subprocess.DEVNULL) as process:
        open_files = Path(f"/proc/{process.pid}/fd")
        while process.poll() is None and not _is_reading(open_files, sample.archive):
            pass
        process.send_signal(signal.SIGINT)
        assert (process.wait(60), errors(process)) == (130, b"ctfast: interrupted\n")


def _is_reading(open_files: Path, archive: Path) -> bool:
    links = []
    for file in open_files.iterdir():
        try:
            links.append(file.readlink())
        except FileNotFoundError:
            continue
    return any(link.is_relative_to(archive) for link in links)


@unix
def _has_bytes(folder: Path) -> bool:
    """Whether a new file has content; the empty file that only tests whether the folder is writable does not count."""
    try:
        return any(part.stat().st_size for part in folder.glob(".ctfast-*.part"))
    except FileNotFoundError:
        return False


def test_ctrl_c_leaves_no_half_a_file(sample: Sample, tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text(f"{sample.archive}\n" * 20_000)
    target = tmp_path / "x.csv"
    with names.open() as stdin, start("scan", "-", "-o", target, stdin=stdin) as process:
        while process.poll() is None and not _has_bytes(tmp_path):
            pass
        process.send_signal(signal.SIGINT)
        assert (process.wait(60), errors(process)) == (130, b"ctfast: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["names"]


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="no way to ask for the memory of a child")
@pytest.mark.parametrize("form", FORMATS)
def test_memory_does_not_grow_with_the_archive(sample: Sample, form: str, tmp_path: Path) -> None:
    def peak(times: int) -> int:
        names = tmp_path / "names"
        names.write_text(f"{sample.archive}\n" * times)
        with (
            names.open() as stdin,
            start("scan", "-", "--format", form, stdin=stdin, stdout=subprocess.DEVNULL) as process,
        ):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss // (1024 if sys.platform.startswith("linux") else 1024 * 1024)

    # 80 MB and 320 MB of text: both are more than what is held at a time, a row group and a little more.
    small, large = peak(50), peak(200)
    assert large < small * 1.25, f"{small} MB, then {large} MB"


@unix
def test_progress_and_colours_are_for_terminals(sample: Sample) -> None:
    import pty  # noqa: PLC0415  # Unix only

    def on_terminal(*arguments: str | Path, **environment: str) -> str:
        terminal, child = pty.openpty()
        environment = {"TERM": "xterm", "COLUMNS": "80"} | environment
        text = b""
        with start(*arguments, stdout=child, stderr=child, env=os.environ | environment) as process:
            os.close(child)
            while True:
                try:
                    text += os.read(terminal, 65536)
                except OSError:  # on Linux, this is the end of the output
                    break
            os.close(terminal)
            assert process.wait(60) == 0
        return text.decode()

    archives = [sample.archive] * 20
    table = on_terminal("scan", *archives)
    assert "\x1b[1m" in table
    assert "These are the first 100 rows" in table
    progress = on_terminal("info", *archives)
    assert re.search(r"[\d,]+ files, [\d,]+ records, [\d.]+ [kM]?B", progress)
    colour = re.compile(r"\x1b\[(?:\d+;)*[349]\d")
    assert colour.search(progress)
    assert not colour.search(on_terminal("info", *archives, NO_COLOR="1"))
    # Progress would be mixed with data on the same terminal.
    data = on_terminal("scan", *archives, "--format", "csv", "--columns", "record")
    assert set(data) <= set("record0123456789\r\n")
    terminal, child = pty.openpty()
    with start("scan", sample.archive, "--format", "parquet", stdout=child) as process:
        assert errors(process) == b"ctfast: parquet is not for terminals; name a file with -o\n"
    assert process.returncode == 2
    os.close(terminal)
    os.close(child)
