"""1 of 9, item 6: results that are committed to a checkpoint are never overwritten."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from appearing import body, put
from ctfast.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(3):
        put(tmp_path / "logs", f"a{number}", body(f"a{number}", "again"))
    return tmp_path / "logs"


@pytest.mark.parametrize("form", ["parquet", "ndjson", "csv"])
def test_each_run_adds_its_parts(root: Path, tmp_path: Path, form: str) -> None:
    given = ("scan", root, "--checkpoint", tmp_path / "state", "--columns", "eventName", "-o", tmp_path / f"new.{form}")
    reader = {"parquet": pl.read_parquet, "ndjson": pl.read_ndjson, "csv": pl.read_csv}[form]

    def stored() -> list[str]:
        parts = sorted((tmp_path / f"new.{form}").iterdir())
        return [name for part in parts for name in reader(part)["eventName"].to_list()]

    first = ["a0", "again", "a1", "again", "a2", "again"]
    for _ in range(2):
        result = run(*given)
        assert (result.exit_code, result.output) == (0, "")
        assert stored() == first
    put(root, "b", body("b"))
    assert run(*given).exit_code == 0
    assert stored() == [*first, "b"]  # names sort in the order in which parts were written


def test_a_file_that_is_there_is_refused_and_kept(root: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.ndjson"
    old.write_text("results of another run\n")
    result = run("scan", root, "--checkpoint", tmp_path / "state", "-o", old)
    assert result.exit_code == 2
    assert "is a file, which this run would replace" in result.stderr
    assert old.read_text() == "results of another run\n"


def test_parts_of_another_checkpoint_are_refused(root: Path, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    given = ("scan", root, "--format", "ndjson", "-o", parts, "--checkpoint")
    assert run(*given, tmp_path / "state").exit_code == 0
    before = {part: part.read_bytes() for part in parts.iterdir()}
    result = run(*given, tmp_path / "lost")
    assert result.exit_code == 2
    assert "lost does not know" in result.stderr
    assert {part: part.read_bytes() for part in parts.iterdir()} == before


@pytest.mark.parametrize("more", [("--limit", "1", "--format", "csv"), ("--format", "table")])
def test_rows_that_are_left_out_never_count_as_read(root: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    result = run("scan", root, "--checkpoint", tmp_path / "state", "-o", tmp_path / "parts", *more)
    assert result.exit_code == 2
    assert "leaves rows out that would count as read" in result.stderr


def test_a_part_whose_commit_did_not_come_is_written_again_under_its_name(root: Path, tmp_path: Path) -> None:
    """A crash between writing and commit leaves the part, and a unit that is planned and not committed."""
    state, parts = tmp_path / "state", tmp_path / "parts"
    with ct.stream(root, columns=["eventName"], checkpoint=ct.Checkpoint(state)) as events:
        unit = next(events.units())
        parts.mkdir()
        (parts / f"part-{unit.id}.csv").write_text("eventName\na half of")
    put(root, "A-late", body("late"))  # sorts before the other files, and would change the unit
    assert (
        run("scan", root, "--checkpoint", state, "--columns", "eventName", "-o", parts, "--format", "csv").exit_code
        == 0
    )
    first, second = sorted(parts.iterdir())
    assert first.name == f"part-{unit.id}.csv"
    assert first.read_text() == "eventName\na0\nagain\na1\nagain\na2\nagain\n"
    assert second.read_text() == "eventName\nlate\n"
    assert ct.Checkpoint(state).units["committed"].to_list() == [True, True]


@pytest.mark.parametrize("follow", [(), ("--follow",)], ids=["once", "follow"])
def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_read(
    root: Path, tmp_path: Path, follow: tuple[str, ...]
) -> None:
    state, folder = tmp_path / "state", tmp_path / "missing" / "new"
    result = run("scan", root, "--checkpoint", state, *follow, "-o", folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"ctfast: {folder}: No such file or directory\n"
    assert ct.Checkpoint(state).units.is_empty()


def test_a_device_keeps_nothing_and_is_written_to(root: Path, tmp_path: Path) -> None:
    given = ("scan", root, "--checkpoint", tmp_path / "state", "--format", "csv")
    assert run(*given, "-o", "/dev/null").exit_code == 0
    assert run(*given, "--columns", "eventName").output == "eventName\n"


def test_parts_of_another_form_are_refused(root: Path, tmp_path: Path) -> None:
    """After a run that was killed before its commit, the next run once wrote the same rows in another format."""
    state, folder = tmp_path / "state", tmp_path / "new"
    with ct.stream(root, checkpoint=ct.Checkpoint(state), columns=["eventName"]) as events:
        unit = next(events.units())
    folder.mkdir()
    part = folder / f"part-{unit.id}.parquet"
    part.touch()
    given = ("scan", root, "--checkpoint", state, "--columns", "eventName", "-o", folder, "--format")
    result = run(*given, "csv")
    assert (result.exit_code, list(folder.iterdir())) == (2, [part])
    assert "of another form" in result.stderr
    assert run(*given, "parquet").exit_code == 0
    assert (list(folder.iterdir()), pl.read_parquet(part).height) == ([part], 6)
