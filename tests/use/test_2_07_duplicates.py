"""2 of 9, item 7: an event that is delivered twice is detected, counted, and left out if requested."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import ctfast as ct
from ctfast.cli import main

ACCOUNT = "111122223333"
RULES = {"root": ct.FilterPattern('{ $.userIdentity.type = "Root" }'), "any": ct.FilterPattern('{ $.eventName = "*" }')}

Record = dict[str, Any]


def event(number: int, **more: Any) -> Record:
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "Root" if number % 7 == 0 else "IAMUser",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/u{number % 5}",
        },
        "eventTime": f"2025-03-12T{number // 600 % 24:02}:{number // 10 % 60:02}:{number % 10:02}Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": f"Get{number % 11}",
        "requestParameters": {
            "bucketName": f"b{number}",
            "Host": "s3.amazonaws.com",
            "é\n": [number, {"y": 1, "x": None}],
        },
        "resources": [{"ARN": f"arn:aws:s3:::b{number}", "type": "AWS::S3::Bucket"}] if number % 3 else None,
        "eventID": f"00000000-0000-4000-8000-{number:012x}",
        "recipientAccountId": ACCOUNT,
        **more,
    }


def turned(value: Any, dice: random.Random) -> Any:
    """The same event, with its members in another order."""
    if isinstance(value, dict):
        items = [(key, turned(item, dice)) for key, item in value.items()]
        dice.shuffle(items)
        return dict(items)
    return [turned(item, dice) for item in value] if isinstance(value, list) else value


def text(record: Record, dice: random.Random) -> str:
    """The same event, as another JSON writer might spell it."""
    separators = dice.choice([(",", ":"), (", ", " : ")])
    return json.dumps(turned(record, dice), ensure_ascii=dice.random() < 0.5, separators=separators)


def deliver(root: Path, trail: str, number: int, records: list[str]) -> None:
    folder = root / f"{trail}/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2025/03/12"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{ACCOUNT}_CloudTrail_us-east-1_20250312T{number // 12 % 24:02}{number % 12 * 5:02}Z_{trail:0<16}.json.gz"
    (folder / name).write_bytes(gzip.compress(f'{{"Records":[{",".join(records)}]}}'.encode()))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def two_trails(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """An archive of two trails with the same records in other files and spellings; the record numbers, in order."""
    root = tmp_path_factory.mktemp("two")
    dice = random.Random(7)
    numbers: list[int] = []
    for trail, known, size in (("a", range(2000), 90), ("b", range(1500, 2600), 70)):
        for file, start in enumerate(range(0, len(known), size)):
            some = list(known[start : start + size])
            dice.shuffle(some)
            deliver(root, trail, file, [text(event(number), dice) for number in some])
            numbers += some
    return root, numbers


def unique(numbers: list[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


def numbers_of(frame: pl.DataFrame) -> list[int]:
    return [int(name[1:]) for name in frame["requestParameters"].str.json_path_match("$.bucketName")]


def test_info_and_match_count_duplicates(two_trails: tuple[Path, list[int]]) -> None:
    root, numbers = two_trails
    copies = len(numbers) - len(set(numbers))
    assert copies == 500
    line = "Copies of earlier ones (eventID, recipientAccountId, content): "
    assert f"{line}500 records.\n" in run("info", root).stdout
    assert ct.info(root).report.duplicates == (copies, 0, 0)
    roots = [number for number in numbers if number % 7 == 0]
    pattern = '{ $.userIdentity.type = "Root" }'
    (root.parent / "rules").mkdir()
    (root.parent / "rules/root.filter").write_text(pattern)
    counting = ("match", root, "--rules", root.parent / "rules", "--count", "--format", "csv")
    result = run(*counting)
    assert result.stdout.splitlines()[1].startswith(f"root,{len(roots)},")
    assert (
        f"{line}{len(roots) - len(set(roots))} records.\nEach delivery of an event is counted; --dedupe"
        in result.stderr
    )
    result = run(*counting, "--dedupe")
    assert result.stdout.splitlines()[1].startswith(f"root,{len(set(roots))},")
    assert f"{line}{len(roots) - len(set(roots))} records, left out.\n" in result.stderr


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_first_in_the_order_of_the_files_stays(two_trails: tuple[Path, list[int]], threads: int) -> None:
    root, numbers = two_trails
    report = ct.Report()
    frame = ct.read(root, dedupe=True, threads=threads, report=report)
    whole = ct.read(root)
    assert numbers_of(whole) == numbers
    first = whole.with_row_index().unique("eventID", keep="first", maintain_order=True)
    assert frame.equals(first.drop("index"))
    assert numbers_of(frame) == unique(numbers)
    assert report.duplicates == (500, 0, 0)
    assert report.records == (len(numbers), frame.height, 0, 500)
    assert report.complete


def test_not_counted_is_not_none_found(two_trails: tuple[Path, list[int]]) -> None:
    report = ct.Report()
    ct.read(two_trails[0], report=report)
    assert report.duplicates is None


@pytest.mark.parametrize("columns", [[], ["record"], ["eventName"], ["resources"], ["raw"], ["rules"], None])
def test_all_kinds_of_columns(two_trails: tuple[Path, list[int]], columns: list[str] | None) -> None:
    root, numbers = two_trails
    stays = [number not in numbers[:place] for place, number in enumerate(numbers)]
    whole, kept = (
        pl.concat(
            [
                pl.DataFrame(batch) if columns != [] else pl.DataFrame({"rows": [None] * batch.num_rows})
                for batch in ct.stream(root, columns=columns, rules=RULES, dedupe=dedupe)
            ]
        )
        for dedupe in (False, True)
    )
    assert whole.filter(pl.Series(stays)).equals(kept)


def test_filters_of_a_query_see_what_is_left(two_trails: tuple[Path, list[int]]) -> None:
    root, _ = two_trails
    left = ct.read(root, dedupe=True)
    spelled = pl.col("raw").str.contains(" : ", literal=True)
    for predicate in (pl.col("eventName") == "Get3", spelled, (pl.col("eventName") == "Get3") & spelled):
        assert ct.scan(root, dedupe=True).filter(predicate).collect().equals(left.filter(predicate))
    assert ct.scan(root, dedupe=True).tail(3).collect().equals(left.tail(3))
    assert ct.sql(root, "SELECT count(*) FROM events", dedupe=True).item() == left.height
    lazy = ct.scan(root, dedupe=True)
    assert lazy.collect().equals(left)
    assert lazy.collect().equals(left), "each run begins anew"
    assert "dedupe" in lazy.explain()


def test_filters_of_a_call_come_before(two_trails: tuple[Path, list[int]]) -> None:
    root, numbers = two_trails
    whole, report = ct.Report(), ct.Report()
    asked: dict[str, Any] = {"where": RULES["root"], "until": "2025-03-12T02:40", "max_delay": None}
    met = numbers_of(ct.read(root, report=whole, **asked))
    assert met == [number for number in numbers if number % 7 == 0 and number < 1600]
    assert numbers_of(ct.read(root, dedupe=True, report=report, **asked)) == unique(met)
    assert report.duplicates == (len(met) - len(set(met)), 0, 0) != (0, 0, 0)
    assert report.records.seen == whole.records.seen == len(numbers)


def test_what_says_something_else_stays_and_is_counted(tmp_path: Path) -> None:
    once = event(1)
    others = [
        {**once, "errorCode": "AccessDenied"},
        {**once, "requestParameters": None},
        {key: value for key, value in once.items() if key != "resources"},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"Records": [once, *others]}))
    (tmp_path / "b.json").write_text(json.dumps({"Records": [others[2], *others, once]}))
    report = ct.Report()
    frame = ct.read(tmp_path, dedupe=True, report=report)
    assert frame["record"].to_list() == [0, 1, 2, 3]
    assert report.duplicates == (5, 3, 0)
    assert report.records == (9, 4, 0, 5)
    assert "Of the same event as an earlier one, but with another content: 3 records." in run("info", tmp_path).stdout


def test_whose_event_it_is(tmp_path: Path) -> None:
    """Events of two accounts differ; before version 1.02 a record has no account; without an id there are no copies."""
    old = {key: value for key, value in event(1, eventVersion="1.01").items() if key != "recipientAccountId"}
    insight = event(2, eventType="AwsCloudTrailInsight", insightDetails={"state": "Start"})
    aggregated = {"eventVersion": "1.0", "accountId": ACCOUNT, "eventId": "x", "eventType": "AwsAggregatedEvent"}
    without = {key: value for key, value in event(3).items() if key != "eventID"}
    shared = [event(4, sharedEventID="s", recipientAccountId=account) for account in (ACCOUNT, "444455556666")]
    each = [old, insight, aggregated, without, *shared]
    (tmp_path / "a.json").write_text(json.dumps({"Records": [*each, *each]}))
    report = ct.Report()
    frame = ct.read(tmp_path, dedupe=True, report=report)
    assert frame["record"].to_list() == [0, 1, 2, 3, 4, 5, 9]
    assert report.duplicates == (5, 0, 2)
    assert "Without an eventID, so that copies cannot be told: 2 records." in run("scan", tmp_path, "--dedupe").stderr


def test_shapes_do_not_count(tmp_path: Path) -> None:
    record = event(1)
    (tmp_path / "a.json").write_text(json.dumps({"Records": [record]}))
    (tmp_path / "b.json").write_text(
        json.dumps({"Events": [{"CloudTrailEvent": json.dumps(record, ensure_ascii=False)}]})
    )
    (tmp_path / "c.json").write_text(json.dumps(record))
    report = ct.Report()
    assert ct.read(tmp_path, dedupe=True, report=report)["file"].to_list() == [str(tmp_path / "a.json")]
    assert report.duplicates == (2, 0, 0)


records = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), st.booleans()), max_size=40)


@pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")  # of some, nothing is read
@given(files=st.lists(records, max_size=4), threads=st.integers(1, 3), seed=st.integers(0, 9))
def test_duplicates_agree_with_a_python_set(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[int, int, bool]]], threads: int, seed: int
) -> None:
    root = tmp_path_factory.mktemp("any")
    dice = random.Random(seed)
    for number, some in enumerate(files):
        told = [text({**event(which), "errorCode": f"{said}", "readOnly": flag}, dice) for which, said, flag in some]
        (root / f"{number}.json").write_text(f'{{"Records":[{",".join(told)}]}}')
    before: dict[int, set[tuple[int, bool]]] = {}
    stays, differ = [], 0
    for number, some in enumerate(files):
        for place, (which, *said) in enumerate(some):
            known = before.setdefault(which, set())
            if tuple(said) not in known:
                differ += bool(known)
                known.add(tuple(said))  # type: ignore[arg-type]  # the two
                stays.append((str(root / f"{number}.json"), place))
    report = ct.Report()
    frame = ct.read(root, dedupe=True, threads=threads, report=report)
    assert list(zip(frame["file"], frame["record"], strict=True)) == stays
    total = sum(map(len, files))
    assert report.duplicates == (total - len(stays), differ, 0)
    assert report.records == (total, len(stays), 0, total - len(stays))


def test_over_portions_of_a_list(
    two_trails: tuple[Path, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctfast._scan import run as _run  # noqa: PLC0415  # a bound of the run
    from ctfast._source.object_keys import Extent  # noqa: PLC0415

    root, numbers = two_trails
    keys = tmp_path / "keys"
    keys.write_text("".join(f"{file}\n" for file in sorted(root.rglob("*.gz"))))
    monkeypatch.setattr(_run, "_PORTION", Extent(files=5))
    report = ct.Report()
    assert numbers_of(ct.read(ct.KeyList(keys), dedupe=True, report=report)) == unique(numbers)
    assert report.duplicates == (500, 0, 0)


def test_what_would_lose_records_is_refused(two_trails: tuple[Path, list[int]], tmp_path: Path) -> None:
    root, _ = two_trails
    with pytest.raises(ValueError, match="dedupe knows the records of one run, and with a checkpoint"):
        ct.scan(root, dedupe=True, checkpoint=ct.Checkpoint(tmp_path / "state"))
    keys = tmp_path / "keys"
    keys.write_text(f"{root}/x.json\n")
    with pytest.raises(ValueError, match="dedupe is not for units"):
        ct.stream(ct.KeyList(keys), dedupe=True).units()
    with pytest.raises(ValueError, match="dedupe is not for it"):
        ct.info(root, dedupe=True)
    with pytest.raises(TypeError, match=r"read\(\): dedupe must be True or False, not the text 'yes'"):
        ct.read(root, dedupe="yes")
    result = run("scan", root, "--dedupe", "--checkpoint", tmp_path / "state")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "leave it out" in result.stderr


def test_verbs(two_trails: tuple[Path, list[int]], tmp_path: Path) -> None:
    root, numbers = two_trails
    left_out = "Copies of earlier ones (eventID, recipientAccountId, content): 500 records, left out.\n"
    result = run("scan", root, "--dedupe", "--columns", "eventID", "--format", "csv")
    assert result.stdout.splitlines()[1:] == [event(number)["eventID"] for number in unique(numbers)]
    assert result.stderr == left_out
    result = run("sql", root, "SELECT count(*) AS n FROM events", "--dedupe", "--format", "csv")
    assert (result.stdout, result.stderr) == ("n\n2600\n", left_out)
    selectors = tmp_path / "selectors.json"
    selectors.write_text('{"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]}')
    costs = [
        ct.cost(root, ct.EventSelectors(selectors), dedupe=dedupe).events["seen"].sum() for dedupe in (False, True)
    ]
    assert costs == [len(numbers), 2600]
    assert left_out in run("cost", root, "--selectors", selectors, "--dedupe").stderr


def test_more_events_than_memory_has_room_for(tmp_path: Path) -> None:
    """The table has room for 393,216 of them."""
    events = 400_000
    file, again = tmp_path / "a.json", tmp_path / "b.json"
    for path, numbers in (file, range(events)), (again, range(0, events, 400)):
        path.write_text(
            '{"Records":[' + ",".join(f'{{"eventName":"x","eventID":"{number}"}}' for number in numbers) + "]}"
        )
    report = ct.Report()
    with ct.stream([file, again], columns=["record"], dedupe=True, report=report) as batches:
        kept = [number for batch in batches for number in batch["record"].to_pylist()]
    assert kept == list(range(events))
    assert report.duplicates == (1000, 0, 0)
    script = "import sys; from ctfast.cli import main; main(sys.argv[1:])"
    arguments = ["scan", str(file), "--dedupe", "--columns", "record", "-o", str(tmp_path / "out.csv")]
    away = {**os.environ, "TMPDIR": str(tmp_path / "away")}
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=away, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert f"{tmp_path}/away: cannot write: " in line
    assert line.endswith(
        "; to tell duplicates, 32 bytes for each event are kept in this folder, unless TMPDIR names another one"
    )
    assert not (tmp_path / "out.csv").exists()


def test_real_logs_of_one_trail_have_none() -> None:
    real = (
        Path(os.environ.get("CTFAST_REAL_DATA", Path(__file__).parents[2].parent / "shared/data/real"))
        / "invictus-ir_aws_dataset"
    )
    if not real.is_dir():
        pytest.skip("the real logs are not here")
    assert ct.info(real).report.duplicates == (0, 0, 0)
