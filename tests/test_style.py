"""A rule that no formatter enforces: the length of lines in Rust, as rustfmt leaves comments and strings alone."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_lines_of_rust_end_where_those_of_python_do() -> None:
    limit = tomllib.loads((ROOT / "rustfmt.toml").read_text())["max_width"]
    assert limit == tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["line-length"]
    files = [file for file in (ROOT / "rust").rglob("*.rs") if "target" not in file.parts]
    assert len(files) > 100
    lines = ((file, *line) for file in files for line in enumerate(file.read_text().split("\n"), 1))
    assert [f"{file.relative_to(ROOT)}:{number}" for file, number, line in lines if len(line) > limit] == []
