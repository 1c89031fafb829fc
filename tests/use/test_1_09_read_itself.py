"""Item 9 of 1 of 9: no result is written over a file that the command reads, for whatever purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctfast import cli
from ctfast.sample import Sample

SELECTORS = '[{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]'


@pytest.mark.parametrize("option", ["-o", "--html"])
@pytest.mark.parametrize("read", ["keys", "signatures"])
def test_keys_and_signatures_stay(option: str, read: str, sample: Sample, tmp_path: Path) -> None:
    """`--html keys.json` once replaced the keys by the page."""
    end = {"-o": "json", "--html": "html"}[option]  # other suffixes of a page are refused anyway
    keys = shutil.copy(sample.keys, tmp_path / f"keys.{end}")
    signatures = shutil.copy(sample.signatures, tmp_path / f"signatures.{end}")
    target = str({"keys": keys, "signatures": signatures}[read])
    before = Path(target).read_bytes()
    check(["verify", sample.archive, "--keys", keys, "--signatures", signatures, option, target], target)
    assert Path(target).read_bytes() == before


def test_a_report_is_not_replaced_by_the_page(sample: Sample, tmp_path: Path) -> None:
    target = tmp_path / "report"
    check(["verify", sample.archive, "--keys", sample.keys, "-o", target, "--html", target], target)
    assert not target.exists()


@pytest.mark.parametrize(
    "arguments", [["match", "--rules"], ["match", "--selectors"], ["cost", "--selectors"]], ids="_".join
)
def test_filters_stay(arguments: list[str], sample: Sample, tmp_path: Path) -> None:
    target = tmp_path / "selectors.json"
    target.write_text(SELECTORS)
    verb, option = arguments
    check([verb, sample.archive, option, target, "-o", target, "--format", "ndjson"], target)
    assert target.read_text() == SELECTORS


def check(arguments: list[object], target: object) -> None:
    result = CliRunner().invoke(cli.main, list(map(str, arguments)), catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (2, f"ctfast: {target} is read itself: write to another file\n")
