"""The examples in the docstrings of the installed package."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re

import pytest

import ctfast as ct
from ctfast.sample import Sample

#: A reader imports the program that it is of, which is not installed with the tests.
READER = r"ctfast\._bench\.readers\.\w+_reader"
MODULES = [
    module.name
    for module in pkgutil.walk_packages(ct.__path__, "ctfast.")
    if not module.name.endswith("__main__") and not re.fullmatch(READER, module.name)
]


@pytest.mark.parametrize("name", ["ctfast", *MODULES])
def test_examples(name: str, sample: Sample) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    printed: list[str] = []
    paths = {"archive": str(sample.archive), "keys": str(sample.keys), "signatures": str(sample.signatures)}
    for example in doctest.DocTestFinder().find(importlib.import_module(name), extraglobs=paths):
        runner.run(example, out=printed.append)
    assert not runner.failures, "".join(printed)


def test_the_public_functions_have_examples() -> None:
    for name in ("columns", "cost", "info", "lint", "match", "read", "rules", "scan", "sql", "stream", "verify"):
        assert ">>> " in getattr(ct, name).__doc__, name
