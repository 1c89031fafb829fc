"""The plan of a scan as values: equal if they ask for the same, and unchanged by pickling or by way of JSON."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

import ctfast as ct
from ctfast import _ctfast
from ctfast.sample import Sample

FILE = ("s3://b/AWSLogs/a.json.gz", 51, '"e"', 3)
ROOT = ct.FilterPattern('{ $.userIdentity.type = "Root" }')
DELETES = ct.EventPattern({"detail": {"eventName": [{"prefix": "Delete"}]}}, state="ENABLED")
WRITES = ct.EventSelectors({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, missing_read_only="neither")
PREDICATE = (
    "all",
    [
        ("in", "eventName", ["b", "a", '"\n\u2028']),
        (
            "any",
            [("is", "readOnly", True), ("is_null", "errorCode"), ("between", "eventTime", -(1 << 63), (1 << 63) - 1)],
        ),
    ],
)


def native(filter_: ct.Filter) -> _ctfast.Filter:
    return filter_._native  # noqa: SLF001  # a query is made of native filters


def selections() -> list[_ctfast.Selection]:
    chosen: dict[str, Any] = {"accounts": {"2", "1"}, "regions": set(), "since": -5, "until": 1 << 62, "max_delay": 0}
    return [
        _ctfast.Selection([]),
        _ctfast.Selection(["logs", "s3://b//p", "\udcff\ufffd"], **chosen, kinds={"CloudTrail"}, digests=True),
        _ctfast.Selection([], **chosen).naming([FILE, ("x\udcff", None, None, 0)]),
    ]


def queries() -> list[_ctfast.Query]:
    rules = [("a", native(~(ROOT & DELETES) | WRITES)), ("b", _ctfast.Filter.category("Data"))]
    columns = ["userIdentity.arn", "raw", "rules", "eventTime"]
    return [
        _ctfast.Query([]),
        _ctfast.Query(
            columns, text=["large_string"], predicate=PREDICATE, where=native(ROOT), rules=rules, dedupe=True
        ),
        *(_ctfast.Query(["raw"], where=native(each)) for each in (ROOT, DELETES, WRITES, ~ROOT, ROOT & WRITES)),
    ]


@pytest.mark.parametrize("value", [*selections(), *queries()], ids=repr)
def test_values_come_back_from_pickles_and_from_json(value: _ctfast.Selection | _ctfast.Query) -> None:
    for again in (
        pickle.loads(pickle.dumps(value)),
        copy.deepcopy(value),
        type(value).from_json(value.json()),
    ):
        assert again == value
        assert hash(again) == hash(value)
        assert (
            again.json()
            == value.json()
            == json.dumps(json.loads(value.json()), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        )
    assert repr(value) == f"{type(value).__name__}({value.json()})"


def test_different_values_differ() -> None:
    values = [*selections(), *queries()]
    assert len({value.json() for value in values}) == len(values)
    assert all(one != other for at, one in enumerate(values) for other in values[:at])
    assert _ctfast.Query(["raw"]) != _ctfast.Query(["raw", "eventTime"]) != _ctfast.Query(["eventTime", "raw"])
    assert _ctfast.Query(["raw"]) != _ctfast.Query(["raw"], text=["string"])


def test_the_format_is_this_one() -> None:
    """It is stored by checkpoints and hashed into names, so changing it is a change of format."""
    assert _ctfast.Selection(["logs"], accounts={"2", "1"}, until=7).json() == (
        '{"accounts":["1","2"],"digests":false,"files":null,"kinds":null,"max_delay":null,"regions":null,'
        '"since":null,"sources":["logs"],"until":7,"v":1}'
    )
    query = _ctfast.Query(["eventName"], predicate=("is", "readOnly", False), where=native(ROOT), rules=[])
    assert query.json() == (
        '{"columns":["eventName"],"dedupe":false,"predicate":["is","readOnly",false],"rules":[],"text":null,"v":1,'
        '"where":{"language":"filter pattern","missing_differs":false,"text":"{ $.userIdentity.type = \\"Root\\" }"}}'
    )


def test_one_normal_form_is_one_query() -> None:
    def where(*filters: ct.Filter) -> set[_ctfast.Query]:
        return {_ctfast.Query(["raw"], where=native(each)) for each in filters}

    assert len(where(ROOT, ct.FilterPattern("{($.userIdentity.type=Root)}"))) == 1
    assert len(where(ROOT & DELETES & WRITES, ROOT & (DELETES & WRITES), DELETES & ROOT & WRITES)) == 2
    nested = ct.EventPattern('{"detail": {"eventName": [{"prefix": "Dele\\u0074e"}]}}', state="ENABLED")
    assert len(where(DELETES, nested)) == 1
    assert len(where(WRITES, ct.EventSelectors([{"ReadWriteType": "WriteOnly"}]))) == 2
    one, two, three = (("is_null", name) for name in ("errorCode", "errorMessage", "vpcEndpointId"))
    spelled: list[tuple[Any, ...]] = [
        ("all", [one, ("all", [two, three])]),
        ("all", [("all", [one, two]), three]),
        ("all", [one, two, three]),
    ]
    assert len({_ctfast.Query([], predicate=predicate) for predicate in spelled}) == 1
    values = (["a", "b"], ["b", "a", "a"])
    assert len({_ctfast.Query([], predicate=("in", "eventName", each)) for each in values}) == 1


@pytest.mark.parametrize("kind", [_ctfast.Selection, _ctfast.Query])
def test_what_is_no_value_is_refused_in_one_sentence(kind: type[_ctfast.Selection | _ctfast.Query]) -> None:
    value = json.loads(kind([]).json())
    newer = "is of format 2, made by a newer ctfast; this one reads format 1: upgrade ctfast"
    for text, message in {
        json.dumps(value | {"v": 2}): newer,
        json.dumps({name: each for name, each in value.items() if name != "v"}): 'has no "v"',
        json.dumps(value | {"v": "1"}): "v: expected a number, not a string",
        "[]": "is an array, not an object",
        "{": "invalid JSON: unexpected end at byte 1",
        "": "invalid JSON: unexpected end at byte 0",
    }.items():
        with pytest.raises(ValueError, match=f"^a {kind.__name__.lower()}.*{message}$"):
            kind.from_json(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": ["nothing"]}, "unknown column among nothing"),
        ({"text": ["bytes"]}, "bytes is no type of text"),
        ({"predicate": ["is", "eventName", True]}, "eventName cannot be tested with is"),
        ({"where": {"language": "SQL", "text": "x"}}, "a filter is in an unknown language, SQL"),
        ({"rules": [["a"]]}, "expected a name and a filter"),
    ],
)
def test_an_impossible_query_is_refused(change: dict[str, Any], message: str) -> None:
    value = json.loads(_ctfast.Query([]).json())
    with pytest.raises(ValueError, match=message):
        _ctfast.Query.from_json(json.dumps(value | change))


def test_a_value_from_json_reads_the_same_rows(sample: Sample) -> None:
    archive = str(sample.archive)
    selection = _ctfast.Selection([archive], regions={"eu-west-1"}, until=1741759200000000, max_delay=0)
    query = _ctfast.Query(["eventID"], where=native(~ROOT), predicate=("is", "readOnly", False))
    run = _ctfast.Run(2, (1 << 40, 1 << 20), fail=True)

    def rows(selection: _ctfast.Selection, query: _ctfast.Query) -> int:
        scan = _ctfast.Scan(selection, query, run)
        count = 0
        while (batch := scan.next()) is not None:
            count += len(batch)
        return count

    found = rows(selection, query)
    assert found > 0
    assert rows(_ctfast.Selection.from_json(selection.json()), _ctfast.Query.from_json(query.json())) == found
