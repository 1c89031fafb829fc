"""What is bad in the files of a lake is kept beside it, and read again; and trouble in the middle of a run."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable

import ctfast as ct
from ctfast._lake.table import Table
from ctfast.cli import main
from loopback import Request, response
from test_lake import event, holds, put
from use.scripted import page, playing

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    return ct.Lake(tmp_path / "lake")


def broken(archive: Path, name: str, good: int, bad: int) -> Path:
    """A file of lines with records, and then with torn ones."""
    path = put(archive, name, [])
    lines = [json.dumps(event(number) | {"eventID": f"{name} {number}"}) for number in range(good)]
    lines += [f'{{"eventVersion": "1.11", "eventID": {number}' for number in range(bad)]
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


# What is kept


def test_bad_records_are_named_with_their_numbers(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    few, many = broken(archive, "few", 2, 3), broken(archive, "many", 1, 150)
    put(archive, "whole", [event(9)])
    done = lake.ingest(archive)
    assert (done.read, done.stored, done.bad) == (3 + 1 + 153, 4, 153)
    rows = lake.bad_records().collect()
    assert rows["count"].sum() == lake.info().bad == 153
    assert rows.filter(file=str(few)).select("record", "reason", "count").rows() == [
        (number, "invalid-json", 1) for number in (2, 3, 4)
    ]
    others = rows.filter(file=str(many))
    assert others.height == 101
    assert others.row(-1, named=True) == {
        "file": str(many),
        "record": None,
        "byte": None,
        "reason": None,
        "message": None,
        "count": 50,
    }
    assert lake.bad().collect().is_empty()
    # The same as a report has.
    report = ct.Report()
    ct.read(archive, report=report, on_error="collect")
    named = report.bad.select("file", "record", "byte", pl.col("kind").alias("reason"), "message")
    columns = {"record": pl.Int64, "byte": pl.Int64}
    assert (
        rows.filter(pl.col("record").is_not_null())
        .drop("count")
        .equals(
            named.cast(columns).sort("file", "record")  # type: ignore[arg-type]
        )
    )


def test_a_bad_file_is_told_with_a_message(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    torn = put(archive, "torn", [event(number) for number in range(1_000)])
    torn.write_bytes(torn.read_bytes()[:-500])
    other = put(archive, "other", [])
    other.write_bytes(b"\x00")
    lake.ingest(archive)
    found = {row["file"]: row for row in lake.bad().collect().iter_rows(named=True)}
    assert found[str(torn)]["message"].startswith("truncated gzip")
    assert found[str(torn)]["records_read"] > 0
    assert found[str(other)]["message"] == "neither gzip nor JSON: starts with 0x00"
    assert lake.bad_records().collect().is_empty()


def test_splits_of_other_machines_carry_what_is_bad(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    broken(archive, "one", 2, 3)
    other = put(archive, "two", [])
    other.write_bytes(b"\x00")
    splits = ct.splits(archive, target=1, on_error="collect")
    messages = [ct.SplitMessage.from_json(split.write_parquet(lake.path).json()) for split in splits]
    assert [(each["what"], each["record"]) for message in messages for each in message.bad] == [
        ("bad record", 2),
        ("bad record", 3),
        ("bad record", 4),
        ("bad file", None),
    ]
    lake.commit(messages, run="elsewhere", n=1)
    assert lake.bad_records().collect()["record"].to_list() == [2, 3, 4]
    assert lake.bad().collect()["reason"].to_list() == ["unrecognized"]
    text = messages[0].json()
    given = json.loads(text)
    for change in ({"what": "x"}, {"record": -1}, {"file": None}, {"new": 1}):
        with pytest.raises(ct.FormatError, match="no message of a split"):
            ct.SplitMessage.from_json(json.dumps(given | {"bad": [given["bad"][0] | change]}))


def test_a_file_that_is_whole_now_has_no_bad_records(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    path = broken(archive, "one", 2, 3)
    lake.ingest(archive)
    path.write_bytes(gzip.compress(json.dumps({"Records": [event(1)]}).encode()))
    lake.ingest(archive)
    assert lake.bad_records().collect().is_empty()
    assert lake.info().bad == 3  # what was read


def test_records_that_were_not_read_have_a_number(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(number) for number in range(9)])
    done = lake.ingest(archive, where=ct.FilterPattern("{ $.eventName = Get0 }"))
    assert (done.read, done.stored, done.skipped, lake.info().skipped) == (3, 3, 6, 6)


# Read again


def test_retry(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    paths = [put(archive, name, [event(1_000 * n + e) for e in range(900)]) for n, name in enumerate("abc")]
    put(archive, "d", [event(9_000)])
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content[: len(content) // 2])
    first = lake.ingest(archive)
    assert first.bad_files == 3
    before = lake.info()
    names = sorted(path for path in lake.path.rglob("*") if path.is_file())
    # Nothing has changed: the lake stays as it is, in each file.
    same = lake.retry()
    assert (same.files, same.whole, same.bad, same.gone, same.stored) == (3, 0, 3, 0, 0)
    assert lake.info() == before
    assert sorted(path for path in lake.path.rglob("*") if path.is_file()) == names
    # One is whole now, one has some more, and one is gone.
    paths[0].write_bytes(contents[0])
    paths[1].write_bytes(contents[1][:-300])
    paths[2].unlink()
    done = lake.retry()
    assert (done.files, done.whole, done.bad, done.gone) == (3, 1, 1, 1)
    assert [error.key for error in done.errors] == [str(paths[2])]
    assert done.stored == lake.info().records - before.records > 450
    assert sorted(lake.bad().collect()["file"]) == [str(paths[1]), str(paths[2])]
    paths[1].write_bytes(contents[1])
    paths[2].write_bytes(contents[2])
    assert lake.retry().whole == 2
    assert lake.retry().files == 0
    holds(lake, archive)
    assert lake.ingest(archive).files == 0


def test_retry_takes_what_could_not_be_read_of_the_same_version(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "one", [event(number) for number in range(20_000)])
    few = ct.Limits(inflated=2 << 20)
    lake.ingest(archive, limits=few)
    before = lake.info().records
    assert before < 20_000
    assert lake.bad().collect()["reason"].to_list() == ["too-large"]
    assert lake.retry(limits=few).bad == 1
    assert lake.info().records == before
    done = lake.retry()
    assert (done.whole, done.stored) == (1, 20_000 - before)
    assert lake.bad().collect().is_empty()
    holds(lake, archive)
    assert lake.ingest(archive).known == 1


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchKey")])
def test_retry_of_what_cannot_be_reached_changes_nothing(lake: ct.Lake, status: int, code: str) -> None:
    key = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/12/one.json.gz"
    whole = gzip.compress(json.dumps({"Records": [event(number) for number in range(300)]}).encode(), mtime=0)
    content, is_refused = whole[:-50], False

    def script(request: Request) -> bytes:
        if "list-type" in request.target:
            return page([(key, len(content))])
        if is_refused:
            return response(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())
        return response(200, content)

    with playing(script) as store:
        lake.ingest("s3://logs", storage_options=store.options)
        before = lake.info()
        assert before.bad_files == 1
        content, is_refused = whole, True
        done = lake.retry(storage_options=store.options)
        assert (done.files, done.whole, done.bad, done.gone, done.stored) == (1, 0, 0, 1, 0)
        [error] = done.errors
        assert (error.key, code in error.message) == (f"s3://logs/{key}", True)
        assert lake.info() == before
        is_refused = False
        # An ingest takes it as well: the lake does not know this version.
        found = lake.ingest("s3://logs", storage_options=store.options)
        assert (found.files, found.bad_files) == (1, 0)
    assert (lake.info().bad_files, lake.info().records) == (0, 300)


def test_retry_asks_what_was_asked(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    path = put(archive, "one", [event(number, day=12 + number % 2) for number in range(900)])
    content = path.read_bytes()
    path.write_bytes(content[:-400])
    where = ct.FilterPattern("{ $.eventName = Get0 }")
    lake.ingest(archive, where=where, until="2025-03-13", raw=False)
    path.write_bytes(content)
    assert lake.retry().whole == 1
    rows = lake.scan().collect()
    assert "raw" not in rows.columns
    assert rows.height == sum(number % 3 == 0 and number % 2 == 0 for number in range(900))
    assert set(rows["eventName"]) == {"Get0"}
    assert lake.ingest(archive, where=where, until="2025-03-13", raw=False).known == 1


def test_retry_of_many(lake: ct.Lake, tmp_path: Path) -> None:
    """More than are committed together; a file with bad records is tried as well."""
    archive = tmp_path / "archive"
    paths = [broken(archive, f"{number:02}", 2, 1) for number in range(40)]
    lake.ingest(archive)
    assert lake.retry(threads=3).bad == 40
    for number, path in enumerate(paths):
        path.write_bytes(gzip.compress(json.dumps({"Records": [event(number)]}).encode()))
    done = lake.retry(threads=3)
    assert (done.whole, done.stored) == (40, 40)
    assert lake.bad_records().collect().is_empty()


def test_the_command_line(tmp_path: Path) -> None:
    archive, lake = tmp_path / "archive", tmp_path / "lake"
    torn, other = put(archive, "torn", [event(1)]), broken(archive, "other", 1, 2)
    content = torn.read_bytes()
    torn.write_bytes(content[:-9])
    assert run("ingest", archive, lake).exit_code == 1
    told = run("lake", "info", lake)
    assert f"{torn}: truncated-gzip at byte" in told.stderr
    assert "2 bad records in 1 file: Lake.bad_records names them" in told.stderr
    again = run("lake", "retry", lake)
    assert again.exit_code == 1
    assert "2 bad files: 0 whole now, 2 still bad, 0 gone\n0 events added\n" in again.stderr
    torn.write_bytes(content)
    other.unlink()
    last = run("lake", "retry", lake)
    assert last.exit_code == 1
    assert "2 bad files: 1 whole now, 0 still bad, 1 gone\n" in last.stderr
    assert f"{other}: cannot read: No such file or directory" in last.stderr
    put(archive, "other", [])
    assert run("lake", "retry", lake).exit_code == 0


# Trouble in the middle


def limited(*arguments: object, size: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a user whom modes of files bind; with a size, no file may be larger, as on a full disk."""
    script = "import resource, sys; from ctfast.cli import main\n"
    if size is not None:
        script += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    command = [sys.executable, "-c", script + "main(sys.argv[1:])", *map(str, arguments)]
    if os.geteuid() == 0:
        bound = shutil.which("setpriv")
        if bound is None:
            pytest.skip("modes do not bind this user")
        command = [bound, "--bounding-set", "-dac_override,-dac_read_search", *command]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def theirs(tmp_path: Path) -> ct.Lake:
    """A lake, and an archive with more than it has."""
    archive = tmp_path / "archive"
    put(archive, "one", [event(number) for number in range(60)])
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(archive)
    put(archive, "two", [event(number) for number in range(30, 90)])
    return lake


def one_sentence(done: subprocess.CompletedProcess[str], place: Path, words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert str(place) in done.stderr
    assert words in done.stderr


def goes_on(lake: ct.Lake, archive: Path) -> None:
    """The next run has all."""
    lake.ingest(archive)
    holds(lake, archive)


@pytest.mark.parametrize("folder", [".", "_ctfast/ledger", "_ctfast/keys/month=2025-03", "_delta_log", "month=2025-03"])
def test_permission_lost(folder: str, theirs: ct.Lake, tmp_path: Path) -> None:
    place = theirs.path / folder
    mode = place.stat().st_mode & 0o777
    place.chmod(0o555)
    done = limited("ingest", tmp_path / "archive", theirs.path)
    if folder != ".":  # all that is written lies below it
        one_sentence(done, theirs.path, "ermission denied")
        assert theirs.info().records == 60
    place.chmod(mode)
    goes_on(theirs, tmp_path / "archive")


def test_a_lake_that_may_be_read_only(theirs: ct.Lake, tmp_path: Path) -> None:
    for place in [theirs.path, *(path for path in theirs.path.rglob("*") if path.is_dir())]:
        place.chmod(0o555)
    one_sentence(limited("ingest", tmp_path / "archive", theirs.path), theirs.path, "ermission denied")
    told = limited("lake", "info", theirs.path)
    assert json.loads(told.stdout)["records"] == 60
    for place in [theirs.path, *(path for path in theirs.path.rglob("*") if path.is_dir())]:
        place.chmod(0o755)
    goes_on(theirs, tmp_path / "archive")


@pytest.mark.parametrize("limit", [0, 2_000, 6_000])
@pytest.mark.parametrize(
    "words", [["ingest", "{archive}", "{lake}"], ["lake", "retain", "{lake}", "--days", "3653", "--delete"]]
)
def test_a_disk_that_is_full(words: list[str], limit: int, theirs: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put(archive, "old", [event(1, month=1) | {"eventTime": "2013-03-12T05:00:00Z"}])
    if words[0] == "lake":
        assert limited("ingest", archive, theirs.path).returncode == 0
    before = theirs.info().records
    done = limited(*(word.format(archive=archive, lake=theirs.path) for word in words), size=limit)
    if done.returncode:
        one_sentence(done, theirs.path, "File too large")
        assert theirs.info().records == before
    assert theirs.scan().collect().height == theirs.info().records
    if words[0] == "lake":
        theirs.retain(3653, delete=True)
        assert theirs.scan().filter(pl.col("eventTime").dt.year() == 2013).collect().is_empty()
    else:
        goes_on(theirs, archive)


def test_a_part_that_is_cut(lake: ct.Lake, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    for name in ("one", "two"):
        put(archive, name, [event(number) for number in range(60)])
        lake.ingest(archive)
        put(archive, f"{name} more", [event(number + ord(name[0])) for number in range(60)])
        lake.ingest(archive)
    place = lake.path / Table(lake.path).open().parts()[0].path
    content = place.read_bytes()
    place.write_bytes(content[:-20])
    before = DeltaTable(lake.path).version()
    for ask in (lake.compact, lake.info, lake.scan, lambda: lake.retain(7)):
        with pytest.raises(ValueError, match=str(place)):
            ask()
    assert DeltaTable(lake.path).version() == before
    place.write_bytes(content)
    lake.ingest(archive)
    assert lake.compact().parts
    holds(lake, archive)
