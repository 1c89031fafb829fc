"""2 of 9, item 4: gzip within gzip, UTF-16, names in any case; and files that are not logs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner

import ctfast as ct
import ctfast.sample
import reference
from ctfast.cli import main

NAMES = ["PutObject", "GetÖbject", "Delete𝄞"]
TEXT = json.dumps({"Records": [{"eventVersion": "1.11", "eventName": name} for name in NAMES]}, ensure_ascii=False)
MARKED = ("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff"), ("utf-8", "\ufeff"), ("utf-8", "")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(ctfast.sample.write(tmp_path_factory.mktemp("sample")).archive)


def named(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def finding(file: Path, **options: Any) -> dict[str, Any]:
    """The only finding about the file."""
    report = ct.Report()
    ct.read(file, on_error="collect", report=report, **options)
    assert (report.files.read, report.files.bad, report.files.skipped) == (0, 1, 0)
    (row,) = report.bad.rows(named=True)
    return row


@pytest.mark.parametrize(("encoding", "mark"), MARKED)
@pytest.mark.parametrize("layers", range(3))
def test_each_wrapping_gives_the_records(encoding: str, mark: str, layers: int, tmp_path: Path) -> None:
    data = (mark + TEXT).encode(encoding)
    for _ in range(layers):
        data = gzip.compress(data)
    file = named(tmp_path / "a.json", data)
    report = ct.Report()
    found = ct.read(file, report=report)
    assert found["eventName"].to_list() == NAMES
    assert found["raw"].to_list() == [row["raw"] for row in reference.read_bytes(data).rows]
    assert report.bytes.compressed == len(data)
    assert report.bytes.inflated == len(TEXT.encode()) + 3 * (encoding == "utf-8" and mark != "")


def test_a_delivery_stream_s_gzip_around_that_of_cloudwatch_logs(tmp_path: Path) -> None:
    """Several messages, each a member of its own; the outer file may be cut into members anywhere."""
    messages = [
        json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"message": json.dumps({"eventName": name})}]})
        for name in NAMES
    ]
    inner = b"".join(gzip.compress(message.encode()) for message in messages)
    file = named(tmp_path / "a", gzip.compress(inner[:100]) + gzip.compress(inner[100:]))
    assert ct.read(file)["eventName"].to_list() == NAMES


def test_a_third_layer_is_named(tmp_path: Path) -> None:
    data = TEXT.encode()
    for _ in range(3):
        data = gzip.compress(data)
    found = finding(named(tmp_path / "a.gz", data))
    assert (found["kind"], found["records_kept"]) == ("nested-gzip", 0)
    assert found["message"] == "gzip within gzip within gzip: two layers are read, no more"


def test_damage_says_in_which_layer_it_is(tmp_path: Path) -> None:
    cut = gzip.compress(TEXT.encode())[:-4]
    found = finding(named(tmp_path / "inner.gz", gzip.compress(cut)))
    assert (found["kind"], found["byte"], found["records_kept"]) == ("truncated-gzip", len(cut), 3)
    assert found["message"].startswith("in the gzip file within: truncated gzip")
    outer = gzip.compress(gzip.compress(TEXT.encode()))[:-4]
    found = finding(named(tmp_path / "outer.gz", outer))
    assert (found["kind"], found["byte"], found["records_kept"]) == ("truncated-gzip", len(outer), 3)
    assert found["message"].startswith("truncated gzip")


def test_both_layers_together_keep_to_the_limits(tmp_path: Path) -> None:
    """A file of some hundred bytes, which two layers of deflate inflate to a gigabyte."""
    spaces = gzip.compress(b" " * (64 << 20))
    file = named(tmp_path / "a.gz", gzip.compress(spaces * 16))
    assert file.stat().st_size < 70 << 10
    assert finding(file)["kind"] == "ratio"
    assert finding(file, limits=ct.Limits(ratio=1 << 30, inflated=1 << 20))["kind"] == "too-large"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_bytes_are_those_of_the_text_in_utf_8(encoding: str, tmp_path: Path) -> None:
    text = TEXT[:-3]
    file = named(tmp_path / "a.json", ("\ufeff" + text).encode(encoding))
    found = finding(file)
    assert (found["kind"], found["byte"], found["record"]) == ("invalid-json", len(text.encode()), 2)
    with pytest.raises(ct.FormatError, match=rf"at byte {len(text.encode())} of the text in UTF-8 \(record 2\)"):
        ct.read(file)


@pytest.mark.parametrize("rest", [b"a", b"\x34\xd8", b"\x34\xd8a\0", b"\x1e\xdd"])
def test_units_that_are_no_character(rest: bytes, tmp_path: Path) -> None:
    data = ("\ufeff" + TEXT + "\n").encode("utf-16-le") + rest
    found = finding(named(tmp_path / "a.json", data))
    assert (found["kind"], found["byte"], found["records_kept"]) == ("invalid-utf16", len(TEXT.encode()) + 1, 3)


def test_a_large_file_of_utf_16(tmp_path: Path) -> None:
    """Larger than any buffer and than a window: some character crosses each edge."""
    lines = "".join(
        f'{{"eventVersion":"1.11","eventID":"{number}","eventName":"{"é𝄞a"[number % 3] * (number % 997)}"}}\n'
        for number in range(6_000)
    )
    data = ("\ufeff" + lines).encode("utf-16-le")
    assert len(data) > 4 << 20
    for file in (named(tmp_path / "a.json", data), named(tmp_path / "a.gz", gzip.compress(data, 1))):
        assert "".join(f"{line}\n" for line in ct.read(file)["raw"]) == lines


NAMED = ["A.JSON", "a.Json.GZ", "a.json", "a.jsonl", "a.LOG", "a.ndjson", "b.gz", "b.log.gz"]
NOT_NAMED = ["README.txt", "a", "a.csv", "a.csv.gz", "a.CSV.GZ", "a.parquet", "a.txt", "gz"]


def test_in_a_folder_the_ending_decides_in_any_case(tmp_path: Path) -> None:
    for name in NAMED + NOT_NAMED:
        data = json.dumps({"eventVersion": "1.11", "eventName": name}).encode()
        named(tmp_path / name, gzip.compress(data) if name.lower().endswith("gz") else data)
    report = ct.Report()
    assert ct.read(tmp_path, report=report)["eventName"].to_list() == sorted(NAMED)
    assert report.skipped == {"name": len(NOT_NAMED)}
    for name in NOT_NAMED:
        assert ct.read(tmp_path / name)["eventName"].to_list() == [name]


def test_what_a_file_is_instead_of_a_log(tmp_path: Path, archive: Path) -> None:
    frame = ct.scan(archive).head(3).collect()
    frame.write_parquet(tmp_path / "a.parquet")
    with (
        pa.OSFile(str(tmp_path / "a.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, pa.table({"a": [1]}).schema) as writer,
    ):
        writer.write_table(pa.table({"a": [1]}))
    for form in ("parquet", "csv"):
        written = tmp_path / f"out.{form}"
        assert CliRunner().invoke(main, ["scan", str(archive), "--limit", "2", "-o", str(written)]).exit_code == 0
    (tmp_path / "history.csv").write_text(
        "\ufeffUser name,AWS access key,Event time,Event source,Event name,AWS region\n"
        "alice,,2025-03-12T10:00:00Z,s3.amazonaws.com,GetObject,us-east-1\n"
    )
    (tmp_path / "athena.csv").write_text('"eventtime","useridentity"\n"2025-03-12T10:00:00Z","{type=Root}"\n')
    (tmp_path / "a.ndjson.zst").write_bytes(b"\x28\xb5\x2f\xfd\x04\x00")
    (tmp_path / "notes.txt").write_text("Dear diary,\n")
    kinds = {file.name: finding(file)["kind"] for file in sorted(tmp_path.iterdir())}
    assert kinds == {
        "a.arrow": "other-format",
        "a.ndjson.zst": "other-format",
        "a.parquet": "other-format",
        "athena.csv": "query-result",
        "history.csv": "event-history-csv",
        "notes.txt": "unrecognized",
        "out.csv": "query-result",
        "out.parquet": "other-format",
    }
    result = CliRunner().invoke(main, ["scan", str(tmp_path / "out.parquet")])
    assert result.exit_code == 2
    assert "a file of Parquet, not of records" in result.stderr
    assert "--as record" in result.stderr
    assert pl.read_parquet(tmp_path / "out.parquet").height == 2
