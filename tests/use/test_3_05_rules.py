"""3 of 9, item 5: sets of rules that name what they leave out; one rule for what is text; ``--where`` everywhere."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

ROOT = '{ $.userIdentity.type = "Root" }'
S3 = {"source": ["aws.s3"]}
COLUMNS = ["file", "rule", "path", "line", "column", "kind", "message"]


def ctfast(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two rules that are right, and some that are wrong in several ways."""
    place = tmp_path / "rules"
    place.mkdir()
    (place / "a.json").write_text(json.dumps({"Name": "objects", "EventPattern": json.dumps(S3)}))
    (place / "b.filter").write_text("{ $.a = ")
    (place / "c.json").write_bytes(b"\xff")
    names = [{"filterName": "root", "filterPattern": ROOT}, {"filterName": "odd", "filterPattern": "{ $.b }"}]
    (place / "d.json").write_text(json.dumps({"metricFilters": names}))
    (place / "e.json").symlink_to("nowhere.json")
    return place


# What is left out


def test_what_cannot_be_read_is_named_and_the_others_are_there(folder: Path) -> None:
    report = ct.Report()
    found = ct.rules(folder, on_error="collect", report=report)
    assert list(found) == ["objects", "root"]
    assert found["root"] == ct.FilterPattern(ROOT)
    assert (found.bad.columns, found.bad.height) == (COLUMNS, 3)
    assert found.bad.select("file", "rule", "path", "line", "column").rows() == [
        (str(folder / "b.filter"), "b", None, 1, 8),
        (str(folder / "c.json"), "c", None, None, None),
        (str(folder / "d.json"), "odd", "metricFilters[1].filterPattern", 1, 7),
    ]
    assert "no UTF-8, at byte 0" in found.bad["message"][1]
    assert report.bad_rules.equals(found.bad)
    with pytest.raises(ct.FilterError) as raised:
        ct.rules(folder)
    assert raised.value.key == str(folder / "b.filter")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "a.json").chmod(0)
    assert ct.rules(folder, on_error="collect").bad["kind"][0] == "unreadable"
    with pytest.raises(PermissionError):
        ct.rules(folder)


def test_a_scan_tells_what_its_rules_leave_out(folder: Path, sample: Sample) -> None:
    rules = ct.rules(folder, on_error="collect")
    for call in (
        lambda report: ct.scan(sample.archive, rules=rules, report=report).collect(),
        lambda report: ct.read(sample.archive, rules=rules, report=report),
        lambda report: ct.match(sample.archive, rules, report=report).collect(),
        lambda report: pl.DataFrame(ct.stream(sample.archive, rules=rules, report=report)),
    ):
        report = ct.Report()
        found = call(report)
        assert found["rules"].explode().unique().sort().to_list() == ["objects", "root"]
        assert report.bad_rules.equals(rules.bad)
        assert pickle.loads(pickle.dumps(report)).bad_rules.equals(rules.bad)
    assert ct.Report().bad_rules.columns == COLUMNS


def test_rules_none_of_which_can_be_read_are_no_rules(folder: Path, sample: Sample) -> None:
    rules = ct.rules(folder / "b.filter", on_error="collect")
    assert (len(rules), rules.bad.height) == (0, 1)
    with pytest.raises(ct.FilterError, match="no rule here that could be read: expected a value"):
        ct.match(sample.archive, rules)
    for on_error in ("raise", "collect"):
        with pytest.raises(ct.FilterError, match="there are no rules here"):
            ct.rules({"metricFilters": []}, on_error=on_error)  # type: ignore[arg-type]
        with pytest.raises(FileNotFoundError):
            ct.rules(folder / "nowhere", on_error=on_error)  # type: ignore[arg-type]


def test_the_command_line_lists_them_at_the_end(folder: Path, sample: Sample) -> None:
    given = ["match", sample.archive, "--rules", folder, "--columns", "eventName", "-f", "json"]
    result = ctfast(*given, "--on-error", "collect")
    assert (result.exit_code, len(json.loads(result.stdout)) > 0) == (1, True)
    said = [line for line in result.stderr.splitlines() if line.startswith("ctfast: a rule is left out: ")]
    assert len(said) == 3
    assert f"{folder / 'd.json'}: odd: metricFilters[1].filterPattern: expected" in said[2]
    result = ctfast(*given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"ctfast: --rules: {folder / 'b.filter'}: ")


# The set itself


def test_a_set_does_not_change_and_can_be_pickled(folder: Path) -> None:
    found = ct.rules(folder, on_error="collect")
    again = pickle.loads(pickle.dumps(found))
    assert (again, hash(again), again.bad.rows()) == (found, hash(found), found.bad.rows())
    assert found == {"objects": ct.EventPattern(S3, state="ENABLED"), "root": ct.FilterPattern(ROOT)}
    with pytest.raises(TypeError):
        found["x"] = ct.FilterPattern(ROOT)  # type: ignore[index]
    assert repr(found) == "RuleSet(2 rules and 3 that could not be read: 'objects', 'root')"
    page = found._repr_html_()
    assert all(word in page for word in ("2 rules and 3 that could not be read", "objects", "d.json"))


def test_no_rule_takes_the_place_of_another() -> None:
    one, other = ct.rules(ROOT), ct.rules('{ $.a = "x" }')
    with pytest.warns(UserWarning, match="another rule has the name 'filter pattern'"):
        both = one | other
    assert list(both) == ["filter pattern", "filter pattern#2"]
    with pytest.warns(UserWarning, match="#3'$"):
        three = both | one
    assert list(three.values()) == [*one.values(), *other.values(), *one.values()]
    assert list({"a": ct.FilterPattern(ROOT)} | one) == ["a", "filter pattern"]
    with pytest.raises(TypeError):
        one | {"a": 1}  # type: ignore[dict-item]


def test_a_name_with_a_number_is_no_trouble() -> None:
    names = ["a", "a#2", "a", "a#2"]
    document = {"metricFilters": [{"filterName": name, "filterPattern": ROOT} for name in names]}
    with pytest.warns(UserWarning, match="another rule has the name"):
        assert list(ct.rules(document)) == ["a", "a#2", "a#3", "a#2#2"]


def test_an_estimate_takes_selectors_among_rules(sample: Sample) -> None:
    selectors = ct.EventSelectors({"ReadWriteType": "All"})
    rules = ct.rules('{"ReadWriteType": "All"}') | ct.packs.load("cis")
    expected = ct.cost(sample.archive, selectors, against=selectors).events
    assert ct.cost(sample.archive, rules, against=rules).events.equals(expected)
    with pytest.raises(ct.ArgumentError, match=r"selectors must have event selectors once, and these rules .* 0 times"):
        ct.cost(sample.archive, ct.rules(ROOT))


# Text or path


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ROOT, ct.FilterPattern),
        (f"{ROOT}\n", ct.FilterPattern),
        ("[ip, user]", ct.FilterPattern),
        ("ERROR -info\n", ct.FilterPattern),
        ("ERROR\r-info", ct.FilterPattern),
        (json.dumps(S3), ct.EventPattern),
        (f" {json.dumps(S3, indent=1)}", ct.EventPattern),
        ('[{"ReadWriteType": "All"}]', ct.EventSelectors),
    ],
)
def test_text_is_told_from_a_path_in_one_way(text: str, language: type, sample: Sample) -> None:
    (rule,) = ct.rules(text).values()
    assert type(rule) is language
    assert "error" not in ct.lint(text)["severity"].to_list()
    assert ctfast("lint", text).exit_code == 0
    expected = ct.read(sample.archive, where=rule)["eventID"].to_list()
    for given in (["scan", "--where"], ["match", "--rules"], ["match", "--where"]):
        result = ctfast(given[0], sample.archive, given[1], text, "--columns", "eventID", "-f", "json")
        assert [row["eventID"] for row in json.loads(result.stdout)] == expected, result.stderr


WORDS = "(the text of a filter begins with { or [, or has a line break)"


@pytest.mark.parametrize("path", ["nowhere.filter", "ERROR", "a.b {"])
def test_all_else_is_a_path(path: str, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for call in (ct.rules, ct.lint, lambda given: ct.match(sample.archive, given)):
        with pytest.raises(FileNotFoundError) as raised:
            call(path)
        assert (raised.value.filename, WORDS in str(raised.value)) == (path, True)
    for given in (["lint"], ["scan", sample.archive, "--where"], ["match", sample.archive, "--rules"]):
        result = ctfast(*given, path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.endswith(f"there is no file '{path}' {WORDS}\n")
    Path(path).write_text(ROOT if path.endswith(".filter") else json.dumps(S3))
    assert len(ct.rules(path)) == 1
    assert ctfast("lint", path).exit_code == 0


# --where

READING = {
    "scan": ["scan", "ARCHIVE"],
    "sql": ["sql", "ARCHIVE", "SELECT * FROM events"],
    "info": ["info", "ARCHIVE"],
    "files": ["files", "ARCHIVE"],
    "match": ["match", "ARCHIVE"],
    "cost": ["cost", "ARCHIVE", "--selectors", '{"ReadWriteType": "All"}'],
}


def rows(verb: str, archive: Path, *more: object) -> Any:
    result = ctfast(*(archive if word == "ARCHIVE" else word for word in READING[verb]), *more, "-f", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("verb", READING)
def test_every_verb_that_reads_records_takes_a_filter(verb: str, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "s3.json").write_text(json.dumps(S3))
    where = ct.EventPattern(S3)
    number = ct.read(sample.archive, where=where).height
    found = rows(verb, sample.archive, "--where", tmp_path / "s3.json")
    counted = {"info": "records", "files": "records_read", "cost": "seen"}.get(verb)
    assert (len(found) if counted is None else sum(row[counted] for row in found)) == number > 0
    assert rows(verb, sample.archive, "--where", json.dumps(S3)) == found


def test_a_filter_holds_beside_the_others(sample: Sample) -> None:
    given = (
        "--rules",
        ROOT,
        "--filter-pattern",
        '{ $.eventName = "ConsoleLogin" }',
        "--where",
        '{ $.awsRegion = "*" }',
    )
    where = ct.FilterPattern(given[3]) & ct.FilterPattern(given[5])
    assert (
        len(rows("match", sample.archive, *given))
        == ct.match(sample.archive, ct.rules(ROOT), where=where).collect().height
    )


@pytest.mark.parametrize("verb", READING)
def test_a_filter_that_cannot_be_read_is_one_sentence(verb: str, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text('{\n "source": "aws.s3"\n}')
    given = [sample.archive if word == "ARCHIVE" else word for word in READING[verb]]
    for where, words in (
        (tmp_path / "wrong.json", f"ctfast: --where: {tmp_path / 'wrong.json'}: source: a field must be an"),
        ("{ $.a = ", "ctfast: --where: expected a value"),
        ('{"metricFilters": []}', "ctfast: --where: there are no rules here"),
        (
            f'[{{"filterPattern": ""}}, {{"filterPattern": {json.dumps(ROOT)}}}]',
            "ctfast: --where takes one filter, and these",
        ),
    ):
        result = ctfast(*given, "--where", where)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert result.stderr.startswith(words)


def test_warnings_name_the_line_that_called() -> None:
    """In a separate process, since pytest changes how warnings are caught."""
    script = (
        "import ctfast as ct\n"
        f"one = ct.rules({ROOT!r})\n"
        "both = one | one\n"
        "rules = ct.rules({'metricFilters': [{'filterName': 'a', 'filterPattern': ''}] * 2})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert [line.partition(" UserWarning")[0] for line in done.stderr.splitlines() if "UserWarning" in line] == [
        "<string>:3:",
        "<string>:4:",
    ]
