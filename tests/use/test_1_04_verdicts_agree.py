"""Item 4 of 1 of 9: text, page, JSON and exit code give the same verdict, even with next to nothing to verify."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from ctfast import cli
from ctfast._integrity.verification import Tally
from signed import FIRST, HOUR, Chain, private_key, public_keys, reasons


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    made = Chain(tmp_path / "archive")
    for _ in range(6):
        made.hour()
    return made


def told(chain: Chain, tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """Text, exit code, JSON and page of one verification."""
    for name, content in (("keys", public_keys(private_key())), ("signatures", chain.signatures)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = [f"--{name}={tmp_path / name}.json" for name in ("keys", "signatures")]

    def run(*more: str) -> Any:
        return CliRunner().invoke(
            cli.main, ["verify", str(chain.root), *files, *arguments, *more], catch_exceptions=False
        )

    text, values = run("--html", str(tmp_path / "page.html")), run("--format", "json")
    assert text.exit_code == values.exit_code
    page = (tmp_path / "page.html").read_text()
    return {"code": text.exit_code, "text": text.stdout, "page": page, **json.loads(values.stdout)}


def test_a_range_without_a_moment_is_refused(chain: Chain, tmp_path: Path) -> None:
    """`ok` was once true and the exit code 0, while the text said "NOT VALID (0 errors)"."""
    moment = (FIRST + 2 * HOUR).isoformat()
    with pytest.raises(ValueError, match="no time lies between them"):
        chain.verify(since=moment, until=moment)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(public_keys(private_key())))
    page = tmp_path / "page.html"
    arguments = ["verify", str(chain.root), f"--keys={keys}", f"--html={page}", "--since", moment, "--until", moment]
    result = CliRunner().invoke(cli.main, arguments, catch_exceptions=False)
    assert (result.exit_code, result.stdout, page.exists()) == (2, "", False)
    assert "no time lies between them" in result.stderr


def test_all_digests_removed_that_saved_signatures_name(chain: Chain, tmp_path: Path) -> None:
    """The verdict was once "NOTHING CHECKED" if all were removed, though NOT VALID if one was."""
    for path in [*chain.digests, *chain.logs]:
        path.unlink()
    found = told(chain, tmp_path)
    assert (found["code"], found["ok"], found["checked"]) == (1, False, True)
    assert found["verdict"] == "NOT VALID: see the findings (1 error)"
    assert found["verdict"] in found["text"]
    assert ">Not valid<" in found["page"]
    assert reasons(chain.verify()) == ["missing-digest"]
    assert not chain.verify(signatures=None).checked


@pytest.mark.parametrize("remove", [[], [2], [0, 1], [5], range(6)], ids=str)
@pytest.mark.parametrize("logs", [True, False])
def test_counts_agree_with_rows(chain: Chain, remove: list[int], *, logs: bool) -> None:
    for hour in remove:
        for path in [chain.digests[hour], *(chain.logs[2 * hour : 2 * hour + 2] if logs else [])]:
            path.unlink()
    found = chain.verify()
    assert found.ok is (len(remove) == 0)
    states = dict(found.digests.group_by("status").len().iter_rows())
    missing = found.missing["digests"].sum()
    assert found.digest_counts == Tally(
        states.get("valid", 0), states.get("invalid", 0), missing, states.get("unverified", 0)
    )
    listed = dict(found.logs.group_by("status").len().iter_rows())
    assert found.log_counts == Tally(*(listed.get(name, 0) for name in Tally._fields))
    # Each moment of the range is either found or uncovered.
    rows = found.ranges.filter(pl.col("range") != "asked").sort("start").select("start", "end").rows()
    assert (rows[0][0], rows[-1][1]) == (FIRST, FIRST + 6 * HOUR)
    assert all(end == start for (_, end), (start, _) in pairwise(rows))
