"""2 of 9, item 4: ``--as record`` writes the records themselves, which ctfast, jq and DuckDB read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
import ctfast.sample
from ctfast.cli import main

#: Details that a careless writer would change.
ODD = (
    '{"eventVersion": "1.11", "eventName":"A\\u003c\\ud83d\\ude00", "requestParameters" : '
    '{"n":1.0, "m": 1e3, "big":12345678901234567890, "s":"a  b\\n"}, "new" : [ ]}'
)
BUCKET = '{ $.requestParameters.bucketName = "b0" }'


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(ctfast.sample.write(tmp_path_factory.mktemp("sample")).archive)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    records = [
        {
            "eventVersion": "1.11",
            "eventTime": f"2025-03-12T10:0{number}:00Z",
            "eventName": f"E{number}",
            "eventID": str(number),
        }
        | {"requestParameters": {"bucketName": f"b{number % 2}"}}
        for number in range(4)
    ]
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"Records": records}))
    return path


def test_records_are_written_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'{{"Records": [{ODD},\n {ODD}]}}')
    assert run("scan", tmp_path / "a.json", "--as", "record").stdout == f"{ODD}\n{ODD}\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_of_several_lines_only_white_space_outside_of_strings_goes(end: str, tmp_path: Path) -> None:
    lines = [
        "{",
        '  "eventVersion": "1.11",',
        '\t"eventName" : "a  b\\n  c\\t",  ',
        "",
        '  "requestParameters": {',
        '    "n" :  1.0',
        "  }",
        "}",
    ]
    (tmp_path / "a.json").write_bytes(end.join(["[", *lines, "]"]).encode())
    expected = '{"eventVersion": "1.11","eventName" : "a  b\\n  c\\t","requestParameters": {"n" :  1.0}}'
    assert run("scan", tmp_path / "a.json", "--as", "record").stdout == f"{expected}\n"
    assert json.loads(expected) == json.loads("\n".join(lines))


def test_what_is_written_is_read_back_filters_included(log: Path, tmp_path: Path, archive: Path) -> None:
    out = tmp_path / "out.ndjson"
    assert run("scan", log, "--as", "record", "-o", out).exit_code == 0
    for pattern in (BUCKET, "{ $.errorCode NOT EXISTS }", '{ $.eventName = "E1" }'):
        found = ct.FilterPattern(pattern)
        expected = ct.read(log, where=found).drop("file")
        assert expected.height
        assert ct.read(out, where=found).drop("file").equals(expected)
    assert (
        run("match", out, "--filter-pattern", BUCKET, "--as", "record").stdout.splitlines()
        == out.read_text().splitlines()[::2]
    )
    everything = tmp_path / "all.ndjson"
    assert run("scan", archive, "--as", "record", "-o", everything).exit_code == 0
    assert ct.read(everything).drop("file", "record").equals(ct.read(archive).drop("file", "record"))


def test_jq_and_duckdb_see_objects(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    assert run("match", log, "--pack", "cis", "--filter-pattern", BUCKET, "--as", "record", "-o", out).exit_code == 0
    assert out.read_text() == ""
    assert run("match", log, "--filter-pattern", BUCKET, "--as", "record", "-o", out).exit_code == 0
    assert [json.loads(line)["requestParameters"]["bucketName"] for line in out.read_text().splitlines()] == [
        "b0",
        "b0",
    ]
    query = f"SELECT requestParameters.bucketName FROM read_json('{out}')"
    assert duckdb.sql(query).fetchall() == [("b0",), ("b0",)]


def test_limits_conditions_and_rules_hold(log: Path) -> None:
    assert len(run("scan", log, "--as", "record", "--limit", 3).stdout.splitlines()) == 3
    assert len(run("scan", log, "--as", "record", "--since", "2025-03-12T10:02:00Z").stdout.splitlines()) == 2
    assert run("scan", log, "--as", "record", "--limit", 0).stdout == ""


def test_rows_are_what_they_were(log: Path) -> None:
    assert (
        run("scan", log, "--as", "row", "--columns", "eventName").stdout
        == run("scan", log, "--columns", "eventName").stdout
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--format", "csv"], "and not csv"),
        (["-o", "x.parquet"], "and not parquet"),
        (["--columns", "eventName,eventTime"], "leave out --columns eventName,eventTime"),
    ],
)
def test_what_does_not_go_with_it_is_refused(log: Path, more: list[str], said: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        result = run("scan", log, "--as", "record", *more)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "x.parquet").exists()
    result = run("match", log, "--pack", "cis", "--count", "--as", "record")
    assert (result.exit_code, "leave out --as record" in result.stderr) == (2, True)


def test_parts_of_a_checkpoint(log: Path, tmp_path: Path) -> None:
    given = ("scan", log, "--checkpoint", tmp_path / "state", "-o", tmp_path / "parts")
    assert run(*given, "--as", "record").exit_code == 0
    (part,) = (tmp_path / "parts").iterdir()
    assert [json.loads(line)["eventName"] for line in part.read_text().splitlines()] == ["E0", "E1", "E2", "E3"]
    result = run(*given, "--format", "ndjson")
    assert result.exit_code == 2
    assert "parts of another form" in result.stderr


def test_in_python_the_column_raw_has_them(log: Path, tmp_path: Path) -> None:
    lines = ct.read(log, where=ct.FilterPattern(BUCKET))["raw"]
    pl.DataFrame(lines).write_csv(tmp_path / "out.ndjson", include_header=False, quote_style="never")
    assert ct.read(tmp_path / "out.ndjson")["eventName"].to_list() == ["E0", "E2"]
    (tmp_path / "out.ndjson.gz").write_bytes(gzip.compress((tmp_path / "out.ndjson").read_bytes()))
    assert ct.read(tmp_path / "out.ndjson.gz")["raw"].to_list() == lines.to_list()
