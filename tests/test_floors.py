"""Modules stand on the floors that ARCHITECTURE.md names, and import neither from above nor in a circle."""

from __future__ import annotations

import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import python_paths
import rust_paths

ROOT = Path(__file__).resolve().parents[1]
TREES = {"rust/core/src": rust_paths, "rust/py/src": rust_paths, "python/ctfast": python_paths}

KNOWN = {
    # A document in a string is framed like a file, and a file may hold such strings.
    ("rust/core/src", "event::inside", "event::framing"),
}
"""Arrows that should not be there."""


def floors() -> dict[str, dict[str, tuple[int, int]]]:
    """For each tree, the floor of each room, and its side of the wall on that floor."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    head = f"| floor | {' | '.join(f'`{tree}`' for tree in TREES)} |\n"
    rows = re.match(r"(?:\|.*\n)+", text[text.index(head) + len(head) :])
    assert rows
    found: dict[str, dict[str, tuple[int, int]]] = {tree: {} for tree in TREES}
    for number, row in enumerate(rows[0].splitlines()[1:]):
        for tree, cell in zip(TREES, row.strip("|").split("|")[1:], strict=True):
            for side, names in enumerate(cell.split("/")):
                for name in filter(None, map(str.strip, names.split(","))):
                    assert name not in found[tree], f"{name} stands on two floors"
                    found[tree][name] = number, side
    return found


def room(module: str, tree: str) -> str:
    return re.split(r"::|\.", module)[0] or ("lib" if tree.startswith("rust") else "ctfast")


@cache
def all_arrows(tree: str) -> dict[str, set[str]]:
    return TREES[tree].arrows(ROOT / tree)


def arrows(tree: str) -> dict[str, set[str]]:
    found = all_arrows(tree).items()
    return {module: {to for to in named if (tree, module, to) not in KNOWN} for module, named in found}


@pytest.mark.parametrize("tree", TREES)
def test_no_arrow_leads_upwards_or_through_a_wall(tree: str) -> None:
    table, found = floors()[tree], arrows(tree)
    rooms = {room(module, tree) for module in found}
    assert rooms - table.keys() == set(), "these stand on no floor of the table in ARCHITECTURE.md"
    assert table.keys() - rooms == set(), "these are in the table in ARCHITECTURE.md, and nowhere else"
    wrong = []
    for module, named in found.items():
        here = room(module, tree)
        for to in named:
            there = room(to, tree)
            (floor, side), (other, wall) = table[here], table[there]
            if other > floor or (other == floor and side != wall):
                wrong.append(f"{module} names {to}")
    assert wrong == []


@pytest.mark.parametrize("tree", TREES)
def test_no_modules_name_each_other_in_a_circle(tree: str) -> None:
    try:
        TopologicalSorter(arrows(tree)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_known_arrows_are_still_there() -> None:
    gone = {(tree, here, to) for tree, here, to in KNOWN if to not in all_arrows(tree).get(here, ())}
    assert gone == set(), "these need no exception any more"


def test_paths_of_rust_are_followed(tmp_path: Path) -> None:
    files = {
        "lib.rs": "mod low;\nmod high;\n#[cfg(test)]\nmod tests;\n",
        "low/mod.rs": "mod inner;\n// use crate::high::Up;\npub(crate) use inner::{Inner, other as Other};\n",
        "low/inner.rs": 'pub(crate) struct Inner;\npub(crate) fn other() { let _ = "crate::high::f"; }\n',
        "high.rs": "use crate::low::{self, Inner};\nfn f() { low::Other(); }\n"
        "#[cfg(test)]\nmod tests { use crate::gone::X; }\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert rust_paths.arrows(tmp_path) == {"": set(), "low": set(), "low::inner": set(), "high": {"low", "low::inner"}}


def test_imports_of_python_are_followed(tmp_path: Path) -> None:
    package = tmp_path / "p"
    (package / "b").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "if TYPE_CHECKING:\n    from p.a import x\nelse:\n    def __getattr__(name):\n        return load(name)\n"
    )
    (package / "_n.pyi").touch()
    (package / "a.py").write_text(
        "from typing import TYPE_CHECKING\nfrom p import _n\nif TYPE_CHECKING:\n    from p.b import c\n"
    )
    (package / "b" / "__init__.py").write_text("def f():\n    from .c import y\n")
    (package / "b" / "c.py").write_text("import os\nfrom ..a import x\n")
    assert python_paths.arrows(package) == {"": {"a"}, "_n": set(), "a": {"_n"}, "b": {"b.c"}, "b.c": {"a"}}
