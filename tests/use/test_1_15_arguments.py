"""1 of 9, item 15: a meaningless argument is refused first, in one sentence that names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast import cli
from ctfast.sample import Sample, write


def ctfast(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, list(map(str, arguments)), catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--account", ""], "--account"),
        (["--account="], "--account"),
        (["-o", ""], "-o"),
        (["--checkpoint", ""], "--checkpoint"),
        ([""], "an argument"),
    ],
)
def test_an_empty_argument(arguments: list[str], name: str, sample: Sample, tmp_path: Path) -> None:
    """As from an unset shell variable: once nothing was read, without an error."""
    result = ctfast("scan", sample.archive, "--checkpoint", tmp_path / "state", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"ctfast: {name} is empty\n")
    assert list(tmp_path.iterdir()) == []


def test_a_filter_pattern_may_be_empty(sample: Sample) -> None:
    """CloudWatch Logs accepts it, and every event meets it. The secret of a store may be empty, too."""
    result = ctfast("match", sample.archive, "--filter-pattern", "", "--format", "ndjson", "--columns", "eventID")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1039)
    result = ctfast("scan", sample.archive, "--storage-option=session_token=")
    assert "is empty" not in result.stderr


@pytest.mark.parametrize("delay", ["9999999999d", "9" * 5000 + "s"])
def test_a_delay_of_all_times(delay: str, sample: Sample) -> None:
    result = ctfast("scan", sample.archive, "--max-delay", delay, "--until", "2030-01-01", "--columns", "eventID")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1039)


def test_a_range_that_ends_before_it_begins(sample: Sample) -> None:
    result = ctfast("scan", sample.archive, "--since", "2025-03-10", "--until", "2024-01-01")
    assert (result.exit_code, result.stderr) == (
        2,
        "ctfast: --until (2024-01-01) is before --since (2025-03-10): no time lies between them\n",
    )


@pytest.mark.parametrize("more", [["-o", "report.txt"], ["--format", "json"]])
def test_the_words_of_aws_go_to_standard_output(
    more: list[str], sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--like-aws -o report.txt` once wrote no report."""
    monkeypatch.chdir(tmp_path)
    result = ctfast("verify", sample.archive, "--keys", sample.keys, "--like-aws", *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("ctfast: --like-aws ")


@pytest.mark.parametrize(
    "options",
    [
        {"checkpoint": "state"},
        {"since": 5},
        {"threads": 1.5},
        {"max_delay": 5},
        {"limits": 5},
        {"report": "x"},
        {"verify": True},
        {"verified": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_is_none_of_what_is_wanted(options: dict[str, Any], sample: Sample) -> None:
    (name,) = options
    with pytest.raises(TypeError, match=rf"^read\(\): {name} must be "):
        ct.read(sample.archive, **options)


@pytest.mark.parametrize("bound", ["max_files", "max_bytes"])
def test_half_a_file_is_no_bound(bound: str, sample: Sample, tmp_path: Path) -> None:
    """With 1.5 files as the limit, a unit once had all files."""
    events = ct.stream(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "state"))
    with pytest.raises(TypeError, match=bound):
        events.units(**{bound: 1.5})


@pytest.mark.parametrize(
    ("make", "error"),
    [(lambda: ct.Checkpoint(""), ValueError), (lambda: ct.Checkpoint("x", rewind=3), TypeError)],  # type: ignore[arg-type]
)
def test_a_checkpoint_of_nothing(make: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


def test_no_name_of_a_checkpoint_means_something_else(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite takes ":memory:" as a database that is lost when it is closed."""
    monkeypatch.chdir(tmp_path)
    for rows in (1039, 0):
        with ct.Checkpoint(":memory:") as checkpoint:
            assert ct.read(sample.archive, checkpoint=checkpoint, max_delay=timedelta.max).height == rows


def test_a_checkpoint_lies_where_it_is_not_read(sample: Sample, tmp_path: Path) -> None:
    """It was once created among the logs, and then made each run fail."""
    archive = write(tmp_path).archive
    for name in ("state.json", "state.log"):
        with pytest.raises(ValueError, match="would be read as a log"):
            ct.read(archive, checkpoint=ct.Checkpoint(archive / name))
        assert not (archive / name).exists()
    log = archive / "empty.json"
    log.touch()
    with pytest.raises(ValueError, match="is read itself"):
        ct.read(log, checkpoint=ct.Checkpoint(log))
    assert log.read_bytes() == b""
