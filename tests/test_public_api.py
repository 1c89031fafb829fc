"""What must stay true of the package as a whole: names, stubs, documents."""

from __future__ import annotations

import ast
import re
import types
from pathlib import Path

import click
import pytest

import ctfast as ct
from ctfast import _ctfast
from ctfast._scan.columns import markdown
from ctfast.cli import main
from ctfast.cli.reference import reference

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
VERBS = sorted(main.commands)


def test_all_is_sorted_and_complete() -> None:
    public = {name for name in dir(ct) if not (name.startswith("_") or isinstance(getattr(ct, name), types.ModuleType))}
    assert ct.__all__ == sorted(ct.__all__)
    assert set(ct.__all__) == public | {"__version__"}


def test_public_names_are_documented_and_say_where_they_live() -> None:
    for name in set(ct.__all__) - {"__version__"}:
        value = getattr(ct, name)
        assert value.__doc__, name
        assert value.__module__.startswith("ctfast"), name


def test_native_names_have_stubs() -> None:
    stub = ast.parse((ROOT / "python/ctfast/_ctfast.pyi").read_text())
    defined = {node.name: node for node in stub.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    values = {
        node.target.id for node in stub.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert set(defined) | values == set(_ctfast.__all__) | {"_Finding", "_Key"}
    for name, node in defined.items():
        if isinstance(node, ast.ClassDef) and name != "_Key":
            members = {member.name for member in node.body if isinstance(member, ast.FunctionDef)}
            assert {member for member in vars(getattr(_ctfast, name)) if not member.startswith("__")} <= members, name


def test_native_classes_are_frozen() -> None:
    classes = [
        line for path in ROOT.glob("rust/py/src/**/*.rs") for line in re.findall(r"#\[pyclass.*\]", path.read_text())
    ]
    assert classes
    assert [line for line in classes if "frozen" not in line] == []


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_have_help_with_an_example(verb: str) -> None:
    command = main.commands[verb]
    text = command.get_help(
        click.Context(command, parent=click.Context(main, info_name="ctfast", **main.context_settings), info_name=verb)
    )
    assert f"    ctfast {verb}" in text
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    assert f"\n## ctfast {verb}\n" in (DOCS / "cli.md").read_text(encoding="utf-8")


def test_verbs_are_public_functions() -> None:
    assert {verb for verb in VERBS if verb.replace("-", "_") not in ct.__all__} == {
        "bench",  # a page for people: what it measures is public already
        "demo",
        "ingest",
        "lake",
        "split-run",
    }  # ingest and lake are methods of Lake, and split-run is Split.write_parquet


def test_documents_regenerate_to_themselves() -> None:
    assert (DOCS / "columns.md").read_text(encoding="utf-8") == markdown(), "ctfast columns --format markdown"
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference(), "python -m ctfast.cli.reference"


def test_the_document_on_reading_lists_every_kind_of_finding() -> None:
    source = (ROOT / "rust/core/src/error.rs").read_text()
    names = source[source.index("fn name(") : source.index("impl fmt::Display for ErrorKind")]
    kinds = set(re.findall(r'=> "([a-z0-9-]+)"', names))
    table = (DOCS / "reading.md").read_text(encoding="utf-8").split("## Findings")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.MULTILINE)) == kinds


def test_the_document_on_reading_lists_every_reason_to_skip() -> None:
    source = (ROOT / "rust/core/src/source/skip.rs").read_text()
    names = source[source.index("fn name(") :]
    reasons = set(re.findall(r'=> "([a-z0-9-]+)"', names))
    table = (DOCS / "reading.md").read_text(encoding="utf-8").split("## Files that are skipped")[1].split("\n## ")[0]
    files = {
        name for cell in re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE) for name in re.findall("`(.+?)`", cell)
    }
    assert files == reasons - {"duplicate"}  # of records only


@pytest.mark.parametrize("document", sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")]), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        linked = document.parent / path if path else document
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target
