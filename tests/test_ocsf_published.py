"""OCSF against others: the published pairs of a record and its event, field by field, and the schema of OCSF 1.5.0.

``$CTFAST_OCSF`` names the folder of the pairs, ``$CTFAST_REAL_DATA`` that of real logs. Neither is in the project.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

import ctfast as ct
from ctfast.sample import Sample

SHARED = Path(__file__).parents[2] / "shared/data"
PAIRS = Path(os.environ.get("CTFAST_OCSF") or SHARED / "ocsf")
REAL_DATA = Path(os.environ.get("CTFAST_REAL_DATA") or SHARED / "real")
PAGE = (Path(__file__).parents[1] / "docs/ocsf.md").read_text()
NAMES = ["account_change", "authentication", "generic_api_activity"]
of_each_pair = pytest.mark.parametrize("name", NAMES)
needs_pairs = pytest.mark.skipif(
    not PAIRS.is_dir(), reason=f"no published pairs at {PAIRS}; set CTFAST_OCSF to a folder of them"
)


def published(name: str) -> dict[str, Any]:
    """The published event; two of the files have a comma too many."""
    text = re.sub(r",(\s*[}\]])", r"\1", (PAIRS / f"{name}.ocsf").read_text())
    event: dict[str, Any] = json.loads(text)
    return event


def ours(name: str, folder: Path) -> dict[str, Any]:
    record = json.loads((PAIRS / f"{name}.raw").read_text())
    path = folder / "log.json"
    path.write_text(json.dumps({"Records": [record]}, separators=(",", ":")))
    event: dict[str, Any] = json.loads(ct.ocsf(ct.read(path), json=True).item())
    return event


def fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The fields of an event by their paths; a list is one value, and so is each member of ``unmapped``."""
    if isinstance(value, dict) and path != "unmapped":
        for name, each in value.items():
            yield from fields(each, f"{path}.{name}" if path else name)
    elif path == "unmapped":
        yield from ((f"unmapped[{name}]", each) for name, each in value.items())
    else:
        yield path, value


def allowed(name: str) -> list[str]:
    """The differences that the page lists, each with its reason."""
    table = PAGE.partition("## Differences to the published examples")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (`.+?`) \| (.+) \|$", table, re.MULTILINE)
    assert len(rows) > 5
    assert {example for example, _, _ in rows} <= {"all", *NAMES}
    return sorted(
        field for example, listed, _ in rows if example in ("all", name) for field in re.findall("`(.+?)`", listed)
    )


@needs_pairs
@of_each_pair
def test_each_field_is_as_published_but_for_those_that_the_page_lists(name: str, tmp_path: Path) -> None:
    expected, found = dict(fields(published(name))), dict(fields(ours(name, tmp_path)))
    differing = [path for path in expected | found if expected.get(path, ...) != found.get(path, ...)]
    assert sorted(differing) == allowed(name)
    assert len(expected) > 30


@cache
def validator(kind: int) -> jsonschema.Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    name = "base_event" if kind == 0 else schema.lookup_class_name_from_uid(kind)
    return jsonschema.Draft202012Validator(schema.get_class_schema(name, profiles=["cloud", "datetime"]))


def wrong(event: dict[str, Any]) -> list[str]:
    """What the schema says of an event: where, and what."""
    found = validator(event["class_uid"]).iter_errors(event)
    said = [(each.absolute_path, "anyOf" if each.validator == "anyOf" else each.message) for each in found]
    return [f"{'.'.join(map(str, path))}: {words}" for path, words in said]


@needs_pairs
@of_each_pair
def test_events_of_the_published_records_are_valid(name: str, tmp_path: Path) -> None:
    assert wrong(ours(name, tmp_path)) == []


@needs_pairs
def test_the_published_authentication_is_not_valid() -> None:
    assert wrong(published("generic_api_activity")) == []
    assert sorted(wrong(published("authentication"))) == [": 'user' is a required property", ": anyOf"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"class_uid": 6003, "strange": 1}, "'strange' was unexpected"),
        ({"time": "2025"}, "is not of type 'integer'"),
        ({"activity_id": 7}, "is not one of"),
        ({"src_endpoint": {"ip": "x"}}, "does not match"),
    ],
)
def test_the_schema_refuses(change: dict[str, Any], said: str, sample: Sample) -> None:
    event = json.loads(
        ct.ocsf(ct.scan(sample.archive).filter(eventSource="s3.amazonaws.com").head(1), json=True).collect().item()
    )
    assert wrong(event) == []
    assert any(said in each for each in wrong(event | change))


def test_events_of_the_sample_are_valid(sample: Sample) -> None:
    events = [json.loads(text) for text in ct.ocsf(ct.read(sample.archive), json=True)["ocsf"]]
    assert Counter(each for event in events for each in wrong(event)) == Counter()
    assert {event["class_uid"] for event in events} == {0, 3001, 3002, 6003}


#: What records of real logs lack, of what OCSF requires.
LACKING = re.compile(r": '(time|src_endpoint|actor|user)' is a required property")


@pytest.mark.skipif(
    not REAL_DATA.is_dir(), reason=f"no real logs at {REAL_DATA}; set CTFAST_REAL_DATA to a folder of them"
)
def test_events_of_real_logs_are_valid_but_for_what_their_records_lack() -> None:
    strange: Counter[str] = Counter()
    number = 0
    with ct.stream(REAL_DATA, on_error="collect") as stream:
        for batch in stream:
            texts = ct.ocsf(batch, json=True)["ocsf"]
            assert len(texts) == batch.num_rows
            for text in texts[:: max(1, len(texts) // 200)]:
                number += 1
                strange.update(each for each in wrong(json.loads(text)) if not LACKING.fullmatch(each))
    assert number > 500
    assert strange == Counter()
