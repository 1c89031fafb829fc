"""Modules that take long to import are imported only when they are needed; missing ones are named in one sentence."""

from __future__ import annotations

import ast
import os
import pickle
import pydoc
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

LARGE = {"polars", "pyarrow", "numpy"}
HELP = [["--version"], ["--help"], *([verb, "--help"] for verb in main.commands)]


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def imported(*arguments: str) -> set[str]:
    """The modules that a program imports, and the packages that contain them."""
    done = python("-X", "importtime", *arguments)
    assert done.returncode == 0, done.stderr
    modules = re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, re.MULTILINE)
    return {*modules, *(module.partition(".")[0] for module in modules)}


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_imports_neither_polars_nor_pyarrow(arguments: list[str]) -> None:
    found = imported("-m", "ctfast", *arguments)
    assert "ctfast.cli" in found
    assert found & {*LARGE, "boto3", "yaml"} == set()


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_version_and_the_list_of_verbs_import_no_verb(option: str) -> None:
    found = imported("-m", "ctfast", option)
    verbs = {f"ctfast.cli.{verb.replace('-', '_')}" for verb in main.commands}
    assert found & {*verbs, "rich", "cryptography"} == set()


def test_the_list_of_verbs_fits_in_80_columns() -> None:
    lines = python("-m", "ctfast", "--help", COLUMNS="80").stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(main.commands)
    assert all(line.endswith((".", ").")) and not line.endswith("...") for line in lines)


def test_the_package_imports_what_is_asked_for() -> None:
    others = {*LARGE, "click", "rich", "cryptography", "boto3", "yaml"}
    alone = imported("-c", "import ctfast")
    assert "ctfast._ctfast" in alone
    assert alone & {*others, "ctfast._scan.scan"} == set()
    assert imported("-c", "from ctfast import Report, scan") & others == set()


def test_a_scan_imports_polars_and_no_more(sample: Sample) -> None:
    found = imported("-c", f"import ctfast as ct; ct.scan({str(sample.archive)!r}).collect()")
    assert found & {*LARGE, "click", "rich", "cryptography", "boto3", "yaml"} == {"polars"}


def test_public_names_are_there_before_their_modules() -> None:
    script = (
        "import ctfast as ct; print(*dir(ct)); print(*(name for name in ct.__all__ if getattr(ct, name, ct) is ct))"
    )
    done = python("-c", script)
    listed, missing = done.stdout.splitlines()
    assert (done.stderr, missing) == ("", "")
    assert set(listed.split()) >= {*ct.__all__, "packs", "__doc__", "__version__"}
    star = python("-c", "import ctfast; from ctfast import *; print({*ctfast.__all__} - {*globals()})")
    assert (star.stdout, star.stderr) == ("set()\n", "")


def test_types_and_programs_find_a_name_in_the_same_module() -> None:
    (block,) = [
        node for node in ast.parse(Path(ct.__file__).read_text()).body if isinstance(node, ast.If) and node.orelse
    ]
    homes = defaultdict(set)
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        home = (node.module or "").removeprefix("ctfast").removeprefix(".")
        for alias in node.names:
            homes[home or alias.name].add(alias.name)
    assert {home: set(names) for home, names in vars(ct)["_HOMES"].items()} == homes


def test_an_unknown_name_is_refused_as_usual() -> None:
    with pytest.raises(AttributeError, match=r"^module 'ctfast' has no attribute 'scam'$"):
        ct.scam  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match=r"^cannot import name 'scam' from 'ctfast'"):
        from ctfast import scam  # type: ignore[attr-defined]  # noqa: F401, PLC0415


def test_help_and_pickles_find_the_names() -> None:
    text = pydoc.plain(pydoc.render_doc(ct))
    assert [
        name
        for name in set(ct.__all__) - {"__version__"}
        if not re.search(rf"^    (class )?{name}\b", text, re.MULTILINE)
    ] == []
    made = pickle.dumps(ct.Limits(inflated=5))
    done = python("-c", f"import pickle; print(pickle.loads({made!r}).inflated)")
    assert (done.stdout, done.stderr) == ("5\n", "")


# Extras

URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/logs"
AWS, YAML = "pip install 'ctfast[aws]'", "pip install 'ctfast[yaml]'"
WITHOUT = {
    "keys": (["fetch-keys", "--region", "eu-west-1", "--since", "2025-03-01", "-o", "keys.json"], AWS),
    "signatures": (["fetch-signatures", "s3://bucket", "-o", "signatures.json"], AWS),
    "queue": (["scan", "--from", "queue", URL], AWS),
    "inventory": (["scan", "--from", "inventory", "s3://bucket/manifest.json"], AWS),
    "profile": (["scan", "s3://bucket", "--storage-option", "profile=audit"], AWS),
    "template": (["lint", "rules.yaml"], YAML),
    "rules": (["match", "--rules", "rules.yaml", "."], YAML),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_a_missing_extra_is_one_sentence_with_its_remedy(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, remedy = WITHOUT[case]
    (tmp_path / "rules.yaml").write_text("Resources:\n  Rule:\n    Type: AWS::Events::Rule\n")
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules.update(dict.fromkeys(('boto3', 'botocore', 'yaml')))  # as if they were not there\n"
    )
    monkeypatch.chdir(tmp_path)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = python("-m", "ctfast", *arguments, PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"ctfast: [^\n]+ needs? [^\n]+: {re.escape(remedy)}\n", done.stderr), done.stderr
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix == ".json") == []


def test_all_else_does_without_the_extras(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules.update(dict.fromkeys(('boto3', 'botocore', 'yaml')))\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    for arguments in (["info"], ["match", "--pack", "cis", "--count"], ["verify", "--keys", str(sample.keys)]):
        done = python("-m", "ctfast", *arguments, str(sample.archive), PYTHONPATH=path)
        assert "pip install" not in done.stderr
        assert done.stdout
