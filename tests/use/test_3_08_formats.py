"""3 of 9, item 8: one registry of output formats; ``json`` is one array wherever rows or records are written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.cli.formats import FORMATS, RECORDS, ROWS, endings
from ctfast.sample import Sample

RECORDS_OF = ("--as", "record")
#: Every verb that writes rows.
VERBS = {
    "scan": ["scan", "ARCHIVE", "--columns", "eventTime,userIdentity,resources,raw"],
    "sql": ["sql", "ARCHIVE", "SELECT eventName, count(*) AS n FROM events GROUP BY eventName ORDER BY eventName"],
    "info": ["info", "ARCHIVE"],
    "files": ["files", "ARCHIVE"],
    "match": ["match", "ARCHIVE", "--pack", "cis"],
    "count": ["match", "ARCHIVE", "--pack", "cis", "--count"],
    "cost": ["cost", "ARCHIVE", "--selectors", '{"ReadWriteType": "All"}'],
    "columns": ["columns"],
}


def ctfast(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


def of(verb: str, archive: Path) -> list[object]:
    return [archive if word == "ARCHIVE" else word for word in VERBS[verb]]


@pytest.mark.parametrize("verb", VERBS)
def test_an_array_has_the_rows_of_ndjson(verb: str, sample: Sample, tmp_path: Path) -> None:
    lines = ctfast(*of(verb, sample.archive), "--format", "ndjson")
    array = ctfast(*of(verb, sample.archive), "-f", "json")
    assert (array.exit_code, lines.exit_code) == (0, 0)
    assert json.loads(array.stdout) == [json.loads(line) for line in lines.stdout.splitlines()] != []
    assert ctfast(*of(verb, sample.archive), "-o", tmp_path / "x.json").exit_code == 0
    assert (tmp_path / "x.json").read_text() == array.stdout


@pytest.mark.parametrize("verb", ["scan", "match"])
def test_an_array_of_records_is_what_the_files_have(verb: str, sample: Sample, tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    arguments = [word for word in of(verb, sample.archive) if word not in ("--columns", VERBS["scan"][-1])]
    assert ctfast(*arguments, *RECORDS_OF, "-o", target).exit_code == 0
    lines = ctfast(*arguments, *RECORDS_OF, "-f", "ndjson").stdout
    assert target.read_text() == "[" + lines.rstrip("\n").replace("\n", ",\n") + "]\n"
    assert ct.read(target)["raw"].to_list() == lines.splitlines(), "a later run reads it"


@pytest.mark.parametrize("more", [["--columns", "eventTime"], RECORDS_OF])
@pytest.mark.parametrize("rows", [["--limit", "0"], ["--until", "2025-03-12"]])
def test_no_rows_are_an_empty_array(more: list[str], rows: list[str], sample: Sample) -> None:
    assert ctfast("scan", sample.archive, "-f", "json", *more, *rows).stdout == "[]\n"


def test_rows_that_come_in_many_batches_are_one_array(sample: Sample) -> None:
    archives = [sample.archive] * 12
    found = json.loads(ctfast("scan", *archives, "-f", "json", "--columns", "eventID").stdout)
    assert [row["eventID"] for row in found] == ct.read(archives)["eventID"].to_list()
    assert len(found) > 2 * 5_000, "more than a batch"


def test_an_error_leaves_no_half_array(sample: Sample, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(sample.archive, archive)
    (archive / "zz.json.gz").write_bytes(b"\x1f\x8b")
    for more in ([], RECORDS_OF):
        result = ctfast("scan", archive, "-o", tmp_path / "x.json", *more)
        assert (result.exit_code, "zz.json.gz" in result.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_parts_of_rows_and_of_records_do_not_mix(sample: Sample, tmp_path: Path) -> None:
    common = ["scan", sample.archive, "-f", "json", "-o", tmp_path / "parts"]
    assert ctfast(*common, *RECORDS_OF, "--checkpoint", tmp_path / "one").exit_code == 0
    parts = sorted((tmp_path / "parts").iterdir())
    assert sum(len(json.loads(part.read_text())) for part in parts) == sample.records
    assert {"".join(part.suffixes) for part in parts} == {".records.json"}
    result = ctfast(*common, "--checkpoint", tmp_path / "two")
    assert (result.exit_code, "has parts of another form" in result.stderr) == (2, True)


def test_whole_records_are_lines_or_an_array(sample: Sample) -> None:
    for form in ("csv", "parquet", "table"):
        result = ctfast("scan", sample.archive, *RECORDS_OF, "-f", form)
        words = f"--as record writes ndjson, a record in each line, or json, an array of all, and not {form}\n"
        assert (result.exit_code, result.stderr.endswith(words)) == (2, True), result.stderr


def test_the_registry_is_whole() -> None:
    """Each format is registered under its name, and no suffix stands for two formats of rows."""
    assert all(FORMATS[form.name] is form for form in ROWS)
    assert all(form.write is not None and form in ROWS for form in RECORDS)
    assert len(endings(ROWS)) == sum(len(form.endings) for form in ROWS)
    assert {form.endings[0] for form in RECORDS.values()}.isdisjoint(form.endings[0] for form in ROWS)


def test_no_number_is_null(sample: Sample) -> None:
    """JSON has neither NaN nor infinity."""
    query = (
        "SELECT CAST('nan' AS DOUBLE) AS x, CAST('inf' AS DOUBLE) AS y, CAST(0.5 AS DOUBLE) AS z FROM events LIMIT 1"
    )
    assert json.loads(ctfast("sql", sample.archive, query, "-f", "json").stdout) == [{"x": None, "y": None, "z": 0.5}]


def test_findings_of_lint_are_an_array_too(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text('{"source": ["aws.s3"]}')
    assert json.loads(ctfast("lint", tmp_path / "good.json", "-f", "json").stdout) == []
    found = ctfast("lint", '{"a": []}', '{"b": []}', "-f", "json").stdout
    assert json.loads(found) == ct.lint('{"a": []}', '{"b": []}').to_dicts()
    assert isinstance(pl.read_json(found.encode()), pl.DataFrame)
