"""1 of 9, item 1: batches are bounded by their text, whatever sizes were listed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

import ctfast as ct

#: The most bytes of a batch: 8 MiB, and the rest of the last record.
MOST = 9 << 20
#: Half of a record's text.
HALF = "x" * 3_000


def write_files(folder: Path, count: int) -> list[Path]:
    """Small files of a megabyte of text each."""
    paths = []
    for number in range(count):
        records = [
            {"eventName": f"Name{at}", "requestParameters": {"a": HALF, "at": at, "b": HALF}} for at in range(150)
        ]
        path = folder / f"{number:03}.json.gz"
        path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode(), 1))
        paths.append(path)
    return paths


def held(batch: pa.RecordBatch) -> int:
    """Bytes of a batch; buffers that columns share are counted once."""
    buffers = {
        buffer.address: buffer.size for column in batch.columns for buffer in column.buffers() if buffer is not None
    }
    return sum(buffers.values())


@pytest.mark.parametrize("columns", [["requestParameters"], ["requestParameters", "raw"]])
def test_files_without_sizes_make_no_batch_that_grows_with_them(tmp_path: Path, columns: list[str]) -> None:
    paths = write_files(tmp_path, 40)
    keys = ct.KeyList(map(str, paths))
    with ct.stream(keys, columns=[*columns, "file", "record"], threads=1) as batches:
        found = list(batches)
    assert max(map(held, found)) < 2 * MOST
    places = [(row["file"], row["record"]) for batch in found for row in batch.select(["file", "record"]).to_pylist()]
    assert places == [(str(path), record) for path in paths for record in range(150)]
    at = [json.loads(value)["at"] for batch in found for value in batch.column("requestParameters").to_pylist()]
    assert at == [*range(150)] * len(paths)


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
@pytest.mark.parametrize("columns", [["requestParameters"], ["raw", "requestParameters"]])
def test_a_batch_ends_inside_of_a_file(tmp_path: Path, name: str, columns: list[str]) -> None:
    """Whether a file is streamed or inflated at once, and however it is cut into batches, the rows are the same."""
    random = Random(1)
    again = random.randbytes(4_000).hex()
    texts = [f"{number} {random.randbytes(1_000).hex()} {again}" for number in range(2_000)]
    data = json.dumps({"Records": [{"eventName": "A", "requestParameters": {"x": text}} for text in texts]}).encode()
    stored = gzip.compress(data, 1) if name.endswith(".gz") else data
    assert len(data) > 2 * MOST
    path = tmp_path / name
    path.write_bytes(stored)
    with ct.stream(path, columns=columns, threads=2) as batches:
        found = list(batches)
    assert max(map(held, found)) < 2 * MOST
    values = [value for batch in found for value in batch.column("requestParameters").to_pylist()]
    assert [json.loads(value)["x"] for value in values] == texts


def test_a_record_is_bounded_and_a_larger_one_is_named(tmp_path: Path) -> None:
    """A record may have four times the size that CloudTrail allows; a larger one is named by its byte and number."""
    record = {"eventName": "A", "requestParameters": {"x": "y" * 400_000}}
    large = {"eventName": "B", "requestParameters": {"x": "y" * (1 << 20)}}
    text = json.dumps({"Records": [record] * 30 + [large, record]})
    at = text.index(json.dumps(large))
    for name in ("a.json", "b.json.gz"):
        data = text.encode()
        # Not compressed, so that the limit on the ratio does not apply.
        (tmp_path / name).write_bytes(gzip.compress(data, 0) if name.endswith(".gz") else data)
    report = ct.Report()
    frame = ct.read(tmp_path, on_error="collect", report=report)
    assert frame["eventName"].to_list() == ["A"] * 60
    assert (
        report.bad.select("byte", "record", "kind", "records_kept").rows() == [(at, 30, "document-too-large", 30)] * 2
    )
    with pytest.raises(ct.FormatError, match=rf"one document is larger than 1048576 bytes at byte {at} \(record 30\)"):
        ct.read(tmp_path)


def test_a_list_that_is_too_long_stands_in_extra(tmp_path: Path) -> None:
    """No element is lost: the list does not fit its column, and its bytes are kept in ``extra``."""
    lists = [[{"ARN": f"arn:{number}"} for number in range(count)] for count in (16_384, 16_385)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"Records": [{"eventID": "", "resources": resources} for resources in lists]}))
    report = ct.Report()
    frame = ct.read(path, report=report)
    assert frame["resources"].list.len().to_list() == [16_384, None]
    assert json.loads(frame["extra"][1]) == {"resources": lists[1]}
    assert report.coerced == {"resources": 1}
