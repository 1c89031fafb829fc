"""ARCHITECTURE.md names files that exist, and facts that should be in one place are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
TREES = ("", "rust/core/src", "rust/py/src", "python/ctfast")
QUESTIONS = TEXT.partition("## Where is …\n")[2].partition("\n## ")[0]


def exists(path: str) -> bool:
    return any((ROOT / tree / f"{path}{end}").exists() for tree in TREES for end in ("", ".rs", ".py"))


def entries_of_the_map() -> list[str]:
    """The paths in the first column of the map. Indented ones lie in the folder above them."""
    found, folder = [], ""
    for line in TEXT.partition("```\n")[2].partition("```")[0].splitlines():
        if not line.startswith(" "):
            folders = re.findall(r"\S+/(?= |$)", line)
            found, folder = found + folders, folders[0]
        elif entry := re.match(r" {2}([^\s,]+(?:, [^\s,]+)*)", line):
            first, *others = entry[1].split(", ")
            found += [folder + first, *(folder + str(Path(first).parent / name) for name in others)]
    return found


def test_the_map_names_files_that_exist() -> None:
    entries = entries_of_the_map()
    assert len(entries) > 40
    assert [entry for entry in entries if not exists(entry)] == []


def test_paths_in_the_text_exist() -> None:
    paths = set(re.findall(r"`([\w.]+(?:/[\w.*]+)+/?)`", TEXT))
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not exists(path)] == []


def test_each_question_has_at_most_two_places_that_exist() -> None:
    rows = [row.strip("|").split("|") for row in QUESTIONS.splitlines() if row.startswith("|")][2:]
    assert len(rows) == 10
    for question, places in rows:
        paths = [word for word in re.findall(r"`([^`]+)`", places) if "/" in word or word.endswith(".md")]
        assert 1 <= len(paths) <= 2, question
        assert [path for path in paths if not (ROOT / path).is_file()] == [], question


@pytest.mark.parametrize("tree", ["python", "tests", "benches"])
def test_two_places_sign_digests(tree: str) -> None:
    signers = [
        str(file.relative_to(ROOT))
        for file in (ROOT / tree).rglob("*.py")
        if re.search(r"\.sign\([^)]*PKCS1v15", file.read_text(), re.DOTALL)
    ]
    assert (
        signers
        == {
            "python": ["python/ctfast/sample/digests.py"],
            "tests": ["tests/integrity/signing.py"],
            "benches": [],
        }[tree]
    )


def test_the_signer_of_the_tests_imports_nothing_of_ctfast() -> None:
    assert not re.search(r"^\s*(?:from|import) ctfast", (ROOT / "tests/integrity/signing.py").read_text(), re.MULTILINE)
