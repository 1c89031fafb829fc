"""2.10: no public function, constructor or method takes an unchecked argument; its types agree with its checks."""

from __future__ import annotations

import collections.abc
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from polars.exceptions import PolarsError

import ctfast as ct
from ctfast.sample import Sample

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

#: Classes whose objects users get, but do not create.
RESULTS = {
    *(
        ct.Change,
        ct.Compacted,
        ct.Copied,
        ct.CopyProgress,
        ct.Cost,
        ct.Counts,
        ct.EventStream,
        ct.Exported,
        ct.ExportedIceberg,
        ct.Info,
        ct.IngestPlan,
        ct.IngestProgress,
        ct.Ingested,
        ct.LakeInfo,
        ct.Retained,
        ct.Retried,
        ct.PartFile,
        ct.Progress,
        ct.RuleSet,
        ct.Split,
        ct.SplitMessage,
        ct.Unit,
        ct.Unmet,
        ct.Verification,
    ),
}
#: Methods by which ctfast uses its sources; their arguments are of classes that are not public.
OWN = {"KeySource.portions", "KeySource.done", "Queue.done"}


class Call(NamedTuple):
    """A public callable that takes arguments, with the name that users know."""

    name: str
    function: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]


def calls() -> Iterator[Call]:
    """Every function, constructor and method that takes arguments."""
    named = {name: getattr(ct, name) for name in ct.__all__} | {
        f"packs.{name}": getattr(ct.packs, name) for name in ct.packs.__all__
    }
    for name, value in named.items():
        if isinstance(value, type):
            if not (
                issubclass(value, BaseException) or value in RESULTS or inspect.isabstract(value) or value is ct.Filter
            ):
                yield from call(name, value)
            for method, function in inspect.getmembers(value, callable):
                of_us = getattr(function, "__module__", None) or ""
                # Lake has methods of classes of the same name.
                is_own = method in vars(value) or getattr(function, "__qualname__", "") == f"{name}.{method}"
                if not method.startswith("_") and of_us.startswith("ctfast") and is_own:
                    yield from call(f"{name}.{method}", function)
        elif callable(value):
            yield from call(name, value)


def call(name: str, function: Callable[..., Any]) -> Iterator[Call]:
    parameters = {key: each for key, each in inspect.signature(function).parameters.items() if key != "self"}
    if parameters and name not in OWN:
        yield Call(name, function, parameters)


CALLS = {each.name: each for each in calls()}
every_call = pytest.mark.parametrize("name", CALLS)


class Aws:
    """A stand-in for a client or session of boto3, which are recognised by their methods."""

    def client(self, *_: Any, **__: Any) -> Aws:
        return self

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: {}

    def list_public_keys(self, **_: Any) -> Any:
        return {"PublicKeyList": [{"Value": b"\x30"}]}

    def get_paginator(self, _: str) -> Any:
        return types.SimpleNamespace(paginate=lambda **_: [])


@pytest.fixture(scope="module")
def right(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Any]:
    """A valid value for each argument; nothing is fetched."""
    folder = tmp_path_factory.mktemp("right")
    no_server = {
        "aws_endpoint_url": "http://127.0.0.1:9",
        "max_retries": "0",
        "skip_signature": "true",
        "region": "us-east-1",
    }
    values: dict[str, Any] = {
        "EventPattern.given": '{"source": ["aws.s3"]}',
        "EventSelectors.given": {"ReadWriteType": "All"},
        "FilterPattern.given": "{ $.eventName = x }",
        "KeyList.source": [],
        "Messages.source": [],
        "Price.source": "x",
        "Prices.events": {},
        "copy.source": "s3://bucket/prefix",
        "copy.storage_options": no_server,
        "fetch_signatures.source": "s3://bucket",
        "lint.sources": "{ $.eventName = x }",
        "rules.source": {"metricFilters": [{"filterName": "x", "filterPattern": ""}]},
        "catalog": "unknown",
        "category": "Data",
        "client": Aws(),
        "currency": "USD",
        "date": "2025-01-01",
        "Lake.changes.since": 0,
        "Lake.export.dest": str(folder / "exported"),
        "Lake.export_iceberg.name": "security.events",
        "Lake.forget_iceberg.name": "security.events",
        "Lake.hold.name": "another",
        "Lake.hold.where": ct.FilterPattern(""),
        "days": 7,
        "dest": str(folder / "parts"),
        "messages": [],
        "n": 1,
        "run": "run",
        "der": b"",
        "engine": "duckdb",
        "events": 5,
        "fingerprint": "x",
        "frame": ct.read(sample.archive),
        "further_copy": False,
        "keys": str(sample.keys),
        "manifest": "manifest.json",
        "name": "cis",
        "path": str(folder / "state"),
        "per": 1,
        "price": 1.0,
        "record": "{}",
        "region": "us-east-1",
        "regions": "us-east-1",
        "rules": {"all": ct.FilterPattern("")},
        "selectors": ct.EventSelectors([{"ReadWriteType": "All"}]),
        "session": Aws(),
        "since": "2025-03-12",
        "source": str(folder / "nowhere"),
        "target": str(folder / "to"),
        "text": "SELECT 1 FROM events",
        "url": "https://sqs.eu-west-1.amazonaws.com/111122223333/new-logs",
    }
    return lambda name, argument: values[f"{name}.{argument}" if f"{name}.{argument}" in values else argument]


def lake_of(sample: Sample, folder: Path) -> ct.Lake:
    """A lake with a hold."""
    lake = ct.Lake(folder / "lake")
    if not lake.path.exists():
        lake.ingest(sample.archive)
        lake.hold("cis", where=ct.FilterPattern(""))
    return lake


@pytest.fixture
def owners(sample: Sample, tmp_path: Path) -> Mapping[str, Callable[[], Any]]:
    """Objects that have methods."""
    return {
        "EventStream": lambda: ct.stream(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "state")),
        "Filter": lambda: ct.FilterPattern("{ $.eventName = x }"),
        "Prices": ct.Prices.read,
        "Lake": lambda: lake_of(sample, tmp_path),
        "Split": lambda: ct.splits(sample.archive)[0],
        "Verification": lambda: ct.verify(sample.archive, keys=sample.keys),
    }


@pytest.fixture
def attempt(
    right: Callable[[str, str], Any],
    owners: Mapping[str, Callable[[], Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Call, dict[str, Any]], Exception | None]:
    """Call with valid values for the other required arguments, and return the exception."""
    monkeypatch.chdir(tmp_path)  # a string that is taken for a path may be written here

    def attempted(call: Call, given: dict[str, Any]) -> Exception | None:
        needed = [
            name
            for name, each in call.parameters.items()
            if each.default is each.empty or name in ("client", "session")
        ]
        needed += ["storage_options"] if call.name == "copy" else []
        arguments = {name: right(call.name, name) for name in needed} | given
        several = [
            arguments.pop(name)
            for name, each in call.parameters.items()
            if each.kind is each.VAR_POSITIONAL and name in arguments
        ]
        owner, _, method = call.name.partition(".")
        function = getattr(owners[owner](), method) if method and owner in owners else call.function
        try:
            function(*several, **arguments)
        except Exception as error:  # noqa: BLE001  # which it is, is the question
            return error
        return None

    return attempted


# What types allow

# Commands, and readers of programs that are not installed with the tests.
ELSEWHERE = ("ctfast.cli", "ctfast.sample", "ctfast.demo", "ctfast._bench.readers")

NAMESPACE: dict[str, Any] = {}
for _, found, _ in pkgutil.walk_packages(ct.__path__, "ctfast."):
    if "__main__" not in found and not found.startswith(ELSEWHERE):
        NAMESPACE |= {name: value for name, value in vars(import_module(found)).items() if not name.startswith("__")}
NAMESPACE |= {
    name: eval(NAMESPACE[name], NAMESPACE) for name in ("Keys", "Signatures", "Lines")
}  # which stand there as texts
NAMESPACE |= {name: getattr(ct, name) for name in ct.__all__}
NAMESPACE |= vars(typing) | vars(collections.abc) | {"timedelta": timedelta, "datetime": datetime}


def allows(kind: Any, value: Any) -> bool:  # noqa: C901, PLR0911  # one kind of types after another
    """Whether a value has a type, as type checkers see it, except that a bool is not a number."""
    while isinstance(kind, str | typing.ForwardRef):
        kind = eval(kind if isinstance(kind, str) else kind.__forward_arg__, NAMESPACE)
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return True
    if kind is None or value is None:
        return value is None and (kind in (None, type(None)) or type(None) in inside)
    if origin in (typing.Union, types.UnionType):
        return any(allows(each, value) for each in inside)
    if origin is typing.Literal:
        return isinstance(value, str) and value in inside
    if isinstance(value, bool):
        return kind is bool
    if kind is float and isinstance(value, int):
        return True
    if not isinstance(value, origin or kind):
        return False
    if isinstance(value, Mapping) and len(inside) == 2:
        return all(allows(inside[0], key) and allows(inside[1], each) for key, each in value.items())
    if isinstance(value, list | tuple) and inside:
        return all(allows(inside[0], each) for each in value)
    return True


#: Values of many types, some from other packages; an argument must refuse those that are not of its types.
PROBES = [
    *(None, True, 3, -1, 1.5, b"x", "x", [], {}, (), object(), int),
    *([object()], [3], [None], [b"x"], {"x": object()}, {3: "x"}, {"x": 3}, timedelta(1)),
    *(np.int64(3), np.bool_(True), np.array([1, 2]), np.array(["raise", "collect"]), pd.NaT, pd.Series([1, 2])),
]
#: Values that often have the right type, but cannot be meant.
HOSTILE = [
    "",
    "a\0b",
    "\ud800",
    10**30,
    -(10**30),
    10**5000,
    float("nan"),
    float("inf"),
    Path("a\0b"),
    timedelta.max,
    timedelta.min,
    ["a\0b"],
]


@every_call
def test_a_value_of_another_type(name: str, attempt: Callable[[Call, dict[str, Any]], Exception | None]) -> None:
    call = CALLS[name]
    wrong = []
    for argument, parameter in call.parameters.items():
        for probe in PROBES:
            if allows(parameter.annotation, probe) or takes_any(argument, probe):
                continue
            error = attempt(call, {argument: probe})
            if not is_told(error, name, argument):
                wrong.append(f"{argument}={shown(probe)}: {error!r:.200}")
    assert not wrong, "\n".join(wrong)


def takes_any(argument: str, probe: object) -> bool:
    """Objects of boto3 have no static type: any object with the same methods is accepted."""
    return argument in ("client", "session") and probe is None


def is_told(error: Exception | None, name: str, argument: str) -> bool:
    return (
        isinstance(error, ct.ArgumentError)
        and (error.function, error.argument) == (name, argument)
        and str(error).startswith(f"{name}(): ")
        and argument in error.message
        and "\n" not in str(error)
    )


def shown(value: object) -> str:
    try:
        return f"{value!r:.40}"
    except ValueError:
        return "a number without end"


@every_call
def test_an_impossible_value(name: str, attempt: Callable[[Call, dict[str, Any]], Exception | None]) -> None:
    """It is refused by name, or accepted; it does not cause an unrelated Python error."""
    call = CALLS[name]
    wrong = []
    for argument in call.parameters:
        for probe in [*HOSTILE, *PROBES]:
            error = attempt(call, {argument: probe})
            if not (
                error is None
                or is_told(error, name, argument)
                or isinstance(error, ct.CloudTrailError | OSError | PolarsError)
            ):
                wrong.append(f"{argument}={shown(probe)}: {error!r:.300}")
    assert not wrong, "\n".join(wrong)


@every_call
def test_a_slip_in_the_name(name: str, attempt: Callable[[Call, dict[str, Any]], Exception | None]) -> None:
    call = CALLS[name]
    for argument, parameter in call.parameters.items():
        if parameter.kind is not parameter.VAR_POSITIONAL:
            error = attempt(call, {f"{argument}x": 1})
            assert isinstance(error, TypeError)
            assert name.partition(".")[0] in str(error)
            assert f"'{argument}x'" in str(error)


@every_call
def test_an_argument_that_is_missing(name: str) -> None:
    call = CALLS[name]
    needed = [
        each for each in call.parameters.values() if each.default is each.empty and each.kind is not each.VAR_POSITIONAL
    ]
    if needed and "." not in name:
        with pytest.raises(TypeError, match=rf"^{name}\(\) needs {needed[0].name}$|^{name}.__init__\(\) missing"):
            call.function()


def test_all_that_is_public_is_walked() -> None:
    assert {
        "read",
        "verify",
        "Verifier",
        "Checkpoint",
        "Limits",
        "EventStream.units",
        "Prices.read",
        "packs.load",
    } <= set(CALLS)
    assert len(CALLS) > 30
