"""2.10: the remedy in an error works, in the terms of Python or the command line; lists of names are complete."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from polars.exceptions import PolarsError

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

MANAGEMENT = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
MISTYPED = {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategry", "Equals": ["Management"]}]}]}
FIELDS = (
    "eventCategory, readOnly, eventSource, eventName, eventType, resources.type, resources.ARN, "
    "sessionCredentialFromConsole, userIdentity.arn, errorCode, vpcEndpointId"
)
ROOT = '{ $.userIdentity.type = "Root" }'


@pytest.mark.parametrize(
    "given",
    [
        {"AdvancedEventSelectors": [MANAGEMENT]},
        [MANAGEMENT],
        [],
        {"ReadWriteType": "All"},
        '{"ReadWriteType": "All"}',
        {"detail": {"eventName": ["StopLogging"]}},
        '{"detail": {"eventName": ["StopLogging"]}}',
        ROOT,
        "x",
    ],
    ids=str,
)
@pytest.mark.parametrize("argument", ["where", "selectors"])
def test_the_class_that_is_named_makes_a_filter_of_it(argument: str, given: Any, sample: Sample) -> None:
    """Once the remedy for selectors was EventPattern, which refuses them, and that of cost was FilterPattern."""
    call: Callable[[Any], Any] = {
        "where": lambda value: ct.read(sample.archive, where=value),
        "selectors": lambda value: ct.cost(sample.archive, value),
    }[argument]
    with pytest.raises(ct.ArgumentTypeError) as refused:
        call(given)
    found = re.search(
        r": (?:ctfast\.(\w+)\(\.\.\.\) makes one of it|such as ctfast\.EventSelectors\((.+)\))$", str(refused.value)
    )
    assert found, str(refused.value)
    call(getattr(ct, found[1])(given) if found[1] else ct.EventSelectors(found[2]))


@pytest.mark.parametrize("given", [[ct.FilterPattern(ROOT)], ct.FilterPattern(ROOT)], ids=["list", "filter"])
def test_rules_have_names(given: Any, sample: Sample) -> None:
    with pytest.raises(
        ct.ArgumentTypeError, match=r"match\(\): rules must be a mapping .*: write rules=\{\"name\": filter\}$"
    ):
        ct.match(sample.archive, given)
    with pytest.raises(ct.ArgumentTypeError, match=r"rules\(\): source .* there are some already: match takes"):
        ct.rules(given)


def test_the_name_of_a_file_is_refused_in_the_words_of_each_side(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("root.filter").write_text(ROOT)
    Path("stop.json").write_text('{"detail": {"eventName": ["StopLogging"]}}')
    with pytest.raises(ct.FilterError) as refused:
        ct.EventPattern("stop.json")
    assert (
        str(refused.value) == "'stop.json' is the name of a file, and no filter: give it as pathlib.Path('stop.json')"
    )
    result = CliRunner().invoke(main, ["match", str(sample.archive), "--filter-pattern", "root.filter"])
    sentence = "--filter-pattern: 'root.filter' is the name of a file, and no filter: --rules reads files"
    assert (result.exit_code, result.stderr) == (2, f"ctfast: {sentence}\n")


def test_a_list_of_names_is_told_whole_with_the_nearest() -> None:
    sentence = f"expected one of {FIELDS} but found \"eventCategry\"; did you mean 'eventCategory'?"
    with pytest.raises(ct.FilterError) as refused:
        ct.EventSelectors(MISTYPED)
    assert str(refused.value) == f"AdvancedEventSelectors[0].FieldSelectors[0].Field: {sentence}"
    assert ct.lint(MISTYPED)["message"][0] == sentence


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_value_is_cut_and_nothing_else(quote: str) -> None:
    words = f"the readers' words {'and words ' * 50}"
    cut = str(ct.FilterError(f"{words}{quote}{'x' * 1_000}{quote} {words}"))
    assert cut == f"{words}{quote}{'x' * 99}…{'x' * 99}{quote} {words}"


@pytest.mark.parametrize(
    "time", ["'garbage'", "'2025-13-12'", "TIMESTAMP 'garbage'", "TIMESTAMP '2025-03-12'", "DATE '2025-13-12'"]
)
def test_a_time_of_a_query_is_told_how_to_be_written(time: str, sample: Sample) -> None:
    """Polars itself suggests to use a native Python object, or to define a format."""
    query = "SELECT count(*) FROM events WHERE eventTime > {}"
    with pytest.raises(PolarsError) as refused:
        ct.sql(sample.archive, query.format(time), dialect="polars")
    sentence = str(refused.value)
    assert sentence.endswith(": write '2025-03-12' or '2025-03-12T08:00:00Z', without a word before it")
    assert not re.search("python|format|\n", sentence)
    for remedy in re.findall(r"'2025-03-12[^']*'", sentence.partition(": write ")[2]):
        assert ct.sql(sample.archive, query.format(remedy), dialect="polars").item() > 0
        assert ct.sql(sample.archive, query.format(remedy)).item() > 0


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            'SELECT eventName FROM events WHERE eventName = "StopLogging"',
            "no column 'StopLogging': a text stands in single quotes, a name of a column in double ones",
        ),
        (
            "SELECT e.eventTme FROM events e",
            "no column 'eventTme'; did you mean 'eventTime'? (ctfast columns lists them)",
        ),
        (
            "SELECT events.eventTme FROM events",
            "no column 'eventTme'; did you mean 'eventTime'? (ctfast columns lists them)",
        ),
    ],
)
def test_a_name_of_a_query_is_told_what_was_meant(query: str, sentence: str, sample: Sample) -> None:
    result = CliRunner().invoke(main, ["sql", str(sample.archive), query])
    assert (result.exit_code, result.stderr) == (2, f"ctfast: {sentence}\n")
