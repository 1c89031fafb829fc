"""2.08: an empty result is explained. If nothing was chosen, a message gives the reason and the likely name."""

from __future__ import annotations

import gzip
import json
import pickle
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

WRITES = ct.EventSelectors({"ReadWriteType": "WriteOnly"})
#: The readers, each called with a report.
READERS: dict[str, Any] = {
    "scan": lambda source, **options: ct.scan(source, **options).collect(),
    "read": ct.read,
    "stream": lambda source, **options: list(ct.stream(source, **options)),
    "sql": lambda source, **options: ct.sql(source, "SELECT eventName FROM events", **options),
    "match": lambda source, **options: ct.match(source, ct.packs.load("cis"), **options).collect(),
    "info": ct.info,
    "cost": lambda source, **options: ct.cost(source, WRITES, **options),
}
every_reader = pytest.mark.parametrize("reader", READERS)


def ctfast(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False, input=stdin)


@every_reader
@pytest.mark.parametrize(
    ("options", "names", "near"),
    [
        ({"regions": "us-est-1"}, ("us-est-1",), "us-east-1"),
        ({"regions": ["eu-wset-1", "us-est-1"]}, ("eu-wset-1", "us-est-1"), "eu-west-1"),
        ({"accounts": "111122223334"}, ("111122223334",), "111122223333"),
        ({"accounts": "999999999999"}, ("999999999999",), None),
        ({"kinds": "CloudTrail-Aggregated"}, ("CloudTrail-Aggregated",), None),
        ({"accounts": "444455556666", "regions": "us-est-1"}, ("us-est-1",), "us-east-1"),
        ({"regions": "ap-south-1"}, ("ap-south-1",), None),
    ],
)
def test_names_that_no_file_has(
    reader: str, options: dict[str, Any], names: tuple[str, ...], near: str | None, sample: Sample
) -> None:
    report = ct.Report()
    with pytest.warns(ct.NothingChosen) as caught:
        READERS[reader](sample.archive, report=report, **options)
    (warning,) = caught
    assert warning.filename == __file__ or reader in ("scan", "sql", "match")  # Polars stands between
    (found,) = report.unmatched
    assert (found.names, found.nearest, found.nothing) == (names, near, True)
    assert found.seen
    sentence = str(warning.message)
    assert sentence == str(found)
    assert all(repr(name) in sentence for name in [*names, *filter(None, [near])])
    assert ("did you mean" in sentence) == (near is not None)


def test_one_of_several_names(sample: Sample) -> None:
    """The rows of the other names are there, and a message says which names gave none."""
    report = ct.Report()
    with pytest.warns(ct.NothingChosen, match="no file has the region 'us-est-1'; did you mean 'us-east-1'?"):
        frame = ct.read(sample.archive, regions=["eu-west-1", "us-est-1"], report=report)
    assert frame.height == 914
    assert [found.nothing for found in report.unmatched] == [False]
    result = ctfast("scan", sample.archive, "--region", "eu-west-1", "--region", "us-est-1", "--columns", "eventID")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 914)
    assert result.stderr.startswith("ctfast: no file has the region 'us-est-1'; did you mean 'us-east-1'?")


def test_all_that_was_asked_for_is_there(sample: Sample) -> None:
    report = ct.Report()
    ct.read(
        sample.archive,
        accounts=["111122223333", "444455556666"],
        regions="us-east-1",
        kinds="CloudTrail",
        report=report,
    )
    assert report.unmatched == []
    # A name below the source, and one of its folders.
    folder = sample.archive / "AWSLogs/111122223333/CloudTrail/us-east-1"
    ct.read(folder, accounts="111122223333", regions="us-east-1", report=report)
    assert report.unmatched == []
    # A query that stops early has not looked at all files.
    assert ct.scan(sample.archive, regions=["eu-west-1", "us-est-1"], report=report).head(1).collect().height == 1
    assert report.unmatched == []


@every_reader
def test_nothing_to_read(reader: str, tmp_path: Path, sample: Sample) -> None:
    read = READERS[reader]
    with pytest.warns(ct.NothingChosen, match=f"there is no file in {tmp_path}$"):
        read(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.warns(ct.NothingChosen, match=r"is 1 file whose name is not that of a log \(\.json, "):
        read(tmp_path)
    digests = sample.archive / "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1"
    report = ct.Report()
    with pytest.warns(ct.NothingChosen, match="of digests"):
        read(digests, report=report)
    assert [found.reason for found in report.unmatched] == ["digest"]
    (tmp_path / "events.json").write_text(
        '{"eventVersion":"1.08","eventID":"1","eventName":"x","eventSource":"y.amazonaws.com"}'
    )
    with pytest.warns(ct.NothingChosen, match="1 file whose name tells no account, region or kind"):
        read(tmp_path, regions="us-east-1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path)


@every_reader
def test_a_quiet_day_is_no_mistake(reader: str, sample: Sample) -> None:
    """No file has the requested time: a note says so, but there is no warning, as quiet days are normal."""
    report = ct.Report()
    READERS[reader](sample.archive, since="2033-01-01", report=report)
    (found,) = report.unmatched
    assert (found.reason, found.nothing) == ("time", True)
    assert "6 folders of other times" in str(found)
    assert report.asked["since"].year == 2033


def test_no_sources(capfd: pytest.CaptureFixture[str]) -> None:
    report = ct.Report()
    with pytest.warns(ct.NothingChosen, match="no source is named"):
        assert ct.read([], report=report).height == 0
    assert [(found.reason, str(found)) for found in report.unmatched] == [
        ("no-source", "nothing was read: no source is named")
    ]
    result = ctfast("scan", "-", stdin="")
    assert (result.exit_code, result.stderr) == (2, "ctfast: nothing was read: no source is named\n")


def test_what_names_no_file(tmp_path: Path) -> None:
    """A source that names no file is a mistake, like an empty folder."""
    nothing = tmp_path / "nothing"
    nothing.touch()
    for arguments, place in (
        (["--from", "keys", nothing], f"the list of keys {nothing}"),
        (["--from", "keys", "-"], "the list of keys on standard input"),
        (["--from", "messages", nothing], f"the list of messages {nothing}"),
    ):
        result = ctfast("scan", *arguments, "--columns", "eventID", stdin="")
        assert (result.exit_code, result.stderr) == (2, f"ctfast: nothing was read: there is no file in {place}\n")
    for source in (ct.KeyList([]), ct.Messages([])):
        with pytest.warns(ct.NothingChosen, match="there is no file in the list of (keys|messages)$"):
            assert ct.read(source).height == 0
    with pytest.warns(ct.NothingChosen, match="is 1 message by which AWS tries a configuration"):
        ct.read(ct.Messages(["CloudTrail validation message."]))


class _Client:
    """A client of SQS that returns these messages once."""

    def __init__(self, *bodies: str) -> None:
        self.messages = [
            {"MessageId": str(at), "ReceiptHandle": str(at), "Body": body} for at, body in enumerate(bodies)
        ]
        self.deleted: list[str] = []

    def receive_message(self, **_: Any) -> dict[str, Any]:
        received, self.messages = self.messages, []
        return {"Messages": received} if received else {}

    def delete_message_batch(self, **request: Any) -> None:
        self.deleted += [entry["ReceiptHandle"] for entry in request["Entries"]]


@pytest.mark.parametrize("bodies", [(), ("CloudTrail validation message.",)])
def test_a_queue_without_news_is_no_mistake(bodies: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says so, without a warning, and the exit code is 0: a queue is empty most of the time."""
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/new"
    report = ct.Report()
    assert ct.read(ct.Queue(url, client=_Client(*bodies)), report=report).height == 0
    (found,) = report.unmatched
    assert (found.reason, found.nothing, f"the queue {url}" in str(found)) == ("no-message", True, True)
    client = _Client(*bodies)
    monkeypatch.setattr("ctfast._source.messages.Queue._connect", lambda queue: setattr(queue, "_client", client))
    result = ctfast("scan", url, "--from", "queue", "--columns", "eventID")
    assert (result.exit_code, result.stderr.count("\n"), len(client.deleted)) == (0, 1, len(bodies))
    assert result.stderr.startswith("ctfast: nothing was read: ")


def _log(folder: Path, account: str, region: str) -> None:
    day = folder / f"AWSLogs/{account}/CloudTrail/{region}/2025/03/12"
    day.mkdir(parents=True)
    (day / f"{account}_CloudTrail_{region}_20250312T0005Z_a.json.gz").write_bytes(gzip.compress(b'{"Records":[]}'))


@every_reader
def test_names_that_are_there_and_not_together(reader: str, tmp_path: Path) -> None:
    """The message once said that no file had the region, which was wrong."""
    _log(tmp_path, "111122223333", "eu-west-1")
    _log(tmp_path, "444455556666", "us-east-1")
    with pytest.warns(ct.NothingChosen) as caught:
        READERS[reader](tmp_path, accounts="444455556666", regions="eu-west-1", kinds="CloudTrail")
    sentence = (
        "no file of the account '444455556666' and the kind 'CloudTrail' has the region 'eu-west-1'; there are:"
        " us-east-1"
    )
    assert [str(warning.message) for warning in caught] == [sentence]
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in tmp_path.rglob("*.gz"):
        path.rename(flat / path.name)
    with pytest.warns(ct.NothingChosen, match="is 1 file of other accounts, 1 file of other regions"):
        READERS[reader](flat, accounts="444455556666", regions="eu-west-1")


@every_reader
def test_one_of_several_sources_has_nothing(reader: str, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("x")
    report = ct.Report()
    with pytest.warns(ct.NothingChosen) as caught:
        READERS[reader]([sample.archive, tmp_path / "empty", tmp_path / "notes"], report=report)
    assert [str(warning.message) for warning in caught] == [str(found) for found in report.unmatched]
    empty, notes = report.unmatched
    assert str(empty) == f"there is no file in {tmp_path / 'empty'}"
    assert str(notes).startswith(
        f"all that was found in {tmp_path / 'notes'} is 1 file whose name is not that of a log"
    )
    assert [(found.reason, found.nothing) for found in report.unmatched] == [("empty", False), ("name", False)]
    # A query may well leave out all files of a source.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [sample.archive / "AWSLogs" / account for account in ("111122223333", "444455556666")]
        READERS[reader](parts, accounts="444455556666")


def test_a_checkpoint_on_an_empty_source(sample: Sample, tmp_path: Path) -> None:
    """An empty source once gave no message; a run that finds nothing new is right to give none."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for state, sources, sentence in (
        ("one", [empty], f"nothing was read: there is no file in {empty}"),
        ("two", [sample.archive, empty], f"there is no file in {empty}"),
    ):
        for _ in range(2):
            result = ctfast("scan", *sources, "--checkpoint", tmp_path / state, "--columns", "eventID")
            assert (result.exit_code, result.stderr) == (2 if state == "one" else 0, f"ctfast: {sentence}\n")
    for height in (125, 0):
        result = ctfast(
            "scan", sample.archive, "--region", "us-east-1", "--checkpoint", tmp_path / "three", "--columns", "eventID"
        )
        assert (result.exit_code, result.stderr, result.stdout.count("\n")) == (0, "", height)
    keyless = tmp_path / "keyless"
    keyless.mkdir()
    (keyless / "events.json").write_text(
        '{"eventVersion":"1.08","eventID":"1","eventName":"x","eventSource":"y.amazonaws.com"}'
    )
    for _ in range(2):
        result = ctfast(
            "scan", keyless, "--region", "us-east-1", "--checkpoint", tmp_path / "four", "--columns", "eventID"
        )
        words = (
            f"nothing was read: all that was found in {keyless} is 1 file whose name tells no account, region or kind"
        )
        assert (result.exit_code, result.stderr) == (2, f"ctfast: {words}\n")


def test_a_storage_option_where_no_bucket_is_read(sample: Sample) -> None:
    with pytest.raises(
        ct.ArgumentError, match=r"storage_options has no 'aws_regoin'; did you mean 'aws_region'\?"
    ) as caught:
        ct.scan(sample.archive, storage_options={"aws_regoin": "eu-west-1"})
    assert (caught.value.value, caught.value.nearest) == ("aws_regoin", "aws_region")
    with pytest.raises(
        ct.ArgumentError, match=r"storage_options has no 'x'.*known, with or without aws_ before them, are access_key"
    ):
        ct.verify(sample.archive, keys=str(sample.keys), storage_options={"x": "y"})
    for known in ({"REGION": "eu-west-1"}, {"max_retries": "3"}, {"profile": "audit"}):
        assert ct.read(sample.archive, storage_options=known).height == sample.records


def test_a_warning_as_an_error_and_as_a_value(sample: Sample) -> None:
    with pytest.raises(ct.NothingChosen) as caught:
        ct.read(sample.archive, regions="us-est-1")  # warnings are errors in these tests
    assert caught.value.nearest == "us-east-1"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.names, again.seen) == (str(caught.value), caught.value.names, caught.value.seen)
    with pytest.raises(ct.NothingChosen):
        ct.scan(sample.archive, regions="us-est-1").collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ct.NothingChosen)
        assert ct.read(sample.archive, regions="us-est-1").height == 0


def test_a_checkpoint_has_nothing_new(sample: Sample, tmp_path: Path) -> None:
    for height in (sample.records, 0):
        report = ct.Report()
        with ct.Checkpoint(tmp_path / "state") as checkpoint:
            assert ct.read(sample.archive, checkpoint=checkpoint, report=report).height == height
        assert report.unmatched == []
    with pytest.warns(ct.NothingChosen, match="did you mean 'us-east-1'?"):
        ct.read(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "other"), regions="us-est-1")


def test_keys_are_a_part_of_an_archive(sample: Sample, tmp_path: Path) -> None:
    """A name that some keys have may be elsewhere for others; one that no key has is a likely typo, as in a folder."""
    keys = tmp_path / "keys"
    keys.write_text("".join(f"{path}\n" for path in sample.archive.rglob("*CloudTrail_us-east-1*.json.gz")))
    report = ct.Report()
    with pytest.warns(ct.NothingChosen, match="no file has the region 'eu-west-1'"):
        assert ct.read(ct.KeyList(keys), regions="eu-west-1", report=report).height == 0
    assert [found.names for found in report.unmatched] == [("eu-west-1",)]
    ct.read(ct.KeyList(keys), regions=["us-east-1", "eu-west-1"], report=report)
    assert report.unmatched == []


def test_seen_names_are_bounded(tmp_path: Path) -> None:
    for number in range(12_000):
        (tmp_path / f"{number:012}_CloudTrail_us-east-1_20250312T0005Z_a.json.gz").touch()
    report = ct.Report()
    with pytest.warns(ct.NothingChosen, match="and 9,9.. more|and 9,992 more"):
        ct.read(tmp_path, accounts="999999999999", report=report)
    assert len(report.unmatched[0].seen) == 1_000


def test_verify(sample: Sample) -> None:
    found = ct.verify(sample.archive, keys=str(sample.keys), regions="us-est-1", accounts="111122223334")
    assert found.findings["message"].to_list() == [
        "there are no digests of account 111122223334; did you mean '111122223333'?",
        "there are no digests of region us-est-1; did you mean 'us-east-1'?",
    ]
    for trail, remedy in (
        ("managment-events", "did you mean 'management-events'?"),
        ("x", "there are: audit_trail.v2, management-events"),
    ):
        found = ct.verify(sample.archive, keys=str(sample.keys), trails=trail)
        messages = found.findings["message"].to_list()
        assert messages[-1] == f"there are no digests of trail {trail}; {remedy}"
        assert all(
            message.endswith("log files, but no digest of a trail that was asked for") for message in messages[:-1]
        )
    found = ct.verify(sample.archive, keys=str(sample.keys), regions="us-est-1", accounts="444455556666")
    assert found.findings["message"].to_list() == [
        "there are no digests of region us-est-1; did you mean 'us-east-1'?",
    ]
    # If no region was read, nothing is known about an existing trail.
    options: dict[str, Any] = {"regions": "us-est-1", "accounts": "444455556666", "trails": "management-events"}
    found = ct.verify(sample.archive, keys=str(sample.keys), **options)
    assert found.findings["message"].to_list() == ["there are no digests of region us-est-1; did you mean 'us-east-1'?"]
    result = ctfast("verify", sample.archive, "--keys", sample.keys, "--region", "us-est-1")
    assert result.exit_code == 2
    assert "ctfast: there are no digests of region us-est-1; did you mean 'us-east-1'?\n" in result.stderr


def test_verify_of_names_that_are_there_and_not_together(sample: Sample, tmp_path: Path) -> None:
    """Each name has digests, but no digest has all names: it was wrong to say that the account has none."""
    archive = tmp_path / "archive"
    shutil.copytree(sample.archive, archive)
    for folder in archive.glob("AWSLogs/444455556666/*/us-east-1"):
        shutil.rmtree(folder)
    found = ct.verify(archive, keys=str(sample.keys), accounts="444455556666", regions="us-east-1")
    assert found.findings["message"].to_list() == [
        f"no digest of {noun} {name} is of all that was asked for; the {noun} is in the archive"
        for noun, name in (("account", "444455556666"), ("region", "us-east-1"))
    ]


@pytest.mark.parametrize("name", ["accounts", "regions", "trails"])
def test_verify_of_no_name_at_all(name: str, sample: Sample) -> None:
    options: dict[str, Any] = {name: []}
    with pytest.warns(ct.NothingChosen, match=f"^{name} is empty, so that no file is asked for$") as caught:
        found = ct.verify(sample.archive, keys=str(sample.keys), **options)
    assert (len(caught), caught[0].filename, found.checked) == (1, __file__, False)
    for value in ("", [""]):
        with pytest.raises(ct.ArgumentError, match=rf"^verify\(\): {name} .*"):
            ct.verify(sample.archive, keys=str(sample.keys), **{name: value})


def test_empty_sources_beside_others(sample: Sample, tmp_path: Path) -> None:
    """An empty folder among folders to verify, and an empty standard input among archives."""
    keys: dict[str, Any] = {"keys": str(sample.keys), "signatures": str(sample.signatures)}
    found = ct.verify([sample.archive, tmp_path], **keys)
    rows = found.findings.select("severity", "reason", "message", "file").rows()
    assert rows == [("note", "no-digests", f"there is no file in {tmp_path}", str(tmp_path))]
    assert found.ok
    result = ctfast("verify", sample.archive, tmp_path, "--keys", sample.keys, "--signatures", sample.signatures)
    assert (result.exit_code, f"there is no file in {tmp_path}" in result.stdout) == (0, True)
    for verb in ("scan", "info", "match"):
        more = ["--pack", "cis"] if verb == "match" else []
        result = ctfast(verb, sample.archive, "-", *more, "--format", "csv", stdin="\n")
        assert (result.exit_code, bool(result.stdout)) == (0, True)
        assert result.stderr.startswith("ctfast: there is no name in standard input\n")


def test_a_filter_that_no_record_can_meet(sample: Sample) -> None:
    """With a typo in the name of a field it once looked as if no such event had happened."""
    called: dict[str, Any] = {"eventName": ["ConsoleLogin"]}
    slipped = {"eventNme": ["ConsoleLogin"]}
    for slip, right in (
        (ct.EventPattern({"detail": slipped}), ct.EventPattern({"detail": called})),
        (ct.EventPattern({"$or": [slipped, slipped]}), ct.EventPattern(called)),
        (ct.FilterPattern("{ $.eventNme = ConsoleLogin }"), ct.FilterPattern("{ $.eventName = ConsoleLogin }")),
    ):
        report = ct.Report()
        with pytest.warns(
            ct.NothingChosen, match="no record meets the filter: .*'eventNme'; did you mean 'eventName'?"
        ):
            ct.read(sample.archive, where=slip, report=report)
        assert [(found.reason, found.nothing) for found in report.unmatched] == [("where", True)]
        with pytest.warns(ct.NothingChosen, match="'eventNme'"):
            ct.read(sample.archive, where=slip & right)
        assert ct.read(sample.archive, where=slip | right, report=report).height > 0
        assert report.unmatched == []
        assert ct.lint(str(slip))["code"][-1] == "unknown-field"
    # A valid filter that no record meets gives no message.
    ct.read(sample.archive, where=ct.FilterPattern("{ $.eventName = NoSuchCall }"), report=report)
    assert report.unmatched == []
    result = ctfast(
        "match", sample.archive, "--filter-pattern", "{ $.eventNme = ConsoleLogin }", "--columns", "eventID"
    )
    assert (result.exit_code, "did you mean 'eventName'?" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"source":["b"]}', '"b" is not how services are named here'),
        ('{"eventSource":["aws.iam"]}', '"aws.iam" is not how services are named here'),
        ('{"detail-type":["AWS API Call"]}', "is no detail-type"),
        ('{"detail":{"readOnly":["true"]}}', 'which the text "true" never is'),
        ('{"source":["aws.iam"],"eventName":["CreateUser"]}', "the pattern sees bare records"),
        ('{"eventName":["NoSuchCall"]}', None),
        ('{"detail":{"userIdentity":[{"exists":false}],"eventName":["NoSuchCall"]}}', None),
    ],
)
def test_a_reason_that_lint_has_is_told(text: str, words: str | None, sample: Sample) -> None:
    for arguments in (["scan", sample.archive, "--where", text], ["match", sample.archive, "--rules", text, "--count"]):
        result = ctfast(*arguments)
        assert (result.exit_code, "no record meets" in result.stderr) == ((0, False) if words is None else (2, True))
        assert words is None or words in result.stderr


SLIP = ct.EventPattern({"detail": {"eventNme": ["StopLogging"]}})
RIGHT = ct.EventPattern({"detail": {"eventName": ["StopLogging"]}})
RARE = ct.EventPattern({"detail": {"eventName": ["NoSuchCall"]}})


@pytest.mark.parametrize(
    ("rules", "nothing"),
    [
        ({"a": SLIP}, [True]),
        ({"a": SLIP, "b": SLIP}, [True, True]),
        ({"a": SLIP, "b": RIGHT}, [False]),
        # The rule RARE is answered: no record meets it.
        ({"a": SLIP, "b": RARE}, [False]),
        ({"a": SLIP | RIGHT, "b": RARE}, []),
        ({"b": RARE}, []),
    ],
)
def test_a_rule_that_no_record_can_meet(
    rules: dict[str, ct.Filter], nothing: list[bool], sample: Sample, tmp_path: Path
) -> None:
    """Among many rules, one with a typo once looked like a rule that no event had met."""
    names = sorted(str(file) for file in sample.archive.rglob("*.json.gz") if "Digest" not in str(file))
    (tmp_path / "names").write_text("\n".join(names))
    queries: dict[str, Any] = {
        "match": lambda source, report: ct.match(source, rules, report=report).collect(),
        "without its column": lambda source, report: (
            ct.match(source, rules, report=report).select("eventName").collect()
        ),
        "stream": lambda source, report: list(ct.stream(source, rules=rules, columns=["eventID"], report=report)),
    }
    for query in queries.values():
        for source in (sample.archive, ct.KeyList(tmp_path / "names")):
            report = ct.Report()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                query(source, report)
            assert [found.nothing for found in report.unmatched] == nothing
            assert {found.reason for found in report.unmatched} <= {"rules"}
            assert [str(warning.message) for warning in caught] == list(map(str, report.unmatched))
            assert [found.names for found in report.unmatched] == [("a",), ("b",)][: len(nothing)]
            for found in report.unmatched:
                assert re.fullmatch(
                    "no record meets the rule '[ab]': .*'eventNme'; did you mean 'eventName'?.*", str(found)
                )
    # A query that stops early has not looked at all records.
    ct.match(sample.archive, {"a": SLIP, "b": ct.FilterPattern("")}, report=report).head(1).collect()
    assert report.unmatched == []


@pytest.mark.parametrize("form", [["--format", "csv"], ["--format", "table"], ["--as", "record"], ["--count"]])
@pytest.mark.parametrize("given", ["filter", "rule", "rule and pack"])
def test_no_result_is_written_after_a_typo(form: list[str], given: str, sample: Sample, tmp_path: Path) -> None:
    """A command that exits with 2 because nothing matched writes neither a file nor an empty table."""
    slip = '{"detail":{"eventNme":["StopLogging"]}}'
    asked = [*(["--event-pattern", slip] if given == "filter" else ["--rules", slip])]
    if given == "rule and pack" or (given == "filter" and form == ["--count"]):
        asked += ["--pack", "cis"]
    target = tmp_path / "found"
    for output in ([], ["-o", target]):
        result = ctfast("match", sample.archive, *asked, *form, *output)
        assert "did you mean 'eventName'?" in result.stderr
        is_answered = given == "rule and pack"
        assert result.exit_code == (0 if is_answered else 2)
        assert bool(result.stdout) == (is_answered and not output)
        assert target.exists() == (is_answered and bool(output))


# The commands


@pytest.mark.parametrize(
    "verb",
    [
        ["scan"],
        ["scan", "--format", "parquet"],
        ["scan", "--format", "table"],
        ["sql"],
        ["info"],
        ["match", "--pack", "cis"],
        ["match", "--pack", "cis", "--count"],
        ["cost", "--selectors", '{"ReadWriteType":"All"}'],
    ],
    ids=" ".join,
)
def test_commands(verb: list[str], sample: Sample, tmp_path: Path) -> None:
    """Exit code 2, one sentence, and no file that looks like a result."""
    name, *more = verb
    query = ["SELECT eventName FROM events"] if name == "sql" else []
    target = tmp_path / "out"
    for options, words in (
        (
            ["--region", "us-est-1"],
            "no file has the region 'us-est-1'; did you mean 'us-east-1'? There are: eu-west-1, us-east-1",
        ),
        (
            ["--account", "999999999999"],
            "no file has the account '999999999999'; there are: 111122223333, 444455556666",
        ),
    ):
        result = ctfast(name, sample.archive, *query, *more, *options, "-o", target)
        assert (result.exit_code, result.stderr, target.exists()) == (2, f"ctfast: {words}\n", False)
    (tmp_path / "empty").mkdir()
    result = ctfast(name, tmp_path / "empty", *query, *more)
    assert (result.exit_code, result.stderr) == (
        2,
        f"ctfast: nothing was read: there is no file in {tmp_path / 'empty'}\n",
    )
    result = ctfast(name, sample.archive, *query, *more, "--since", "2033-01-01", "-o", target)
    assert (result.exit_code, target.exists()) == (0, True)
    assert result.stderr.startswith("ctfast: nothing was read: all that was found in ")


def test_commands_on_parts_of_a_checkpoint(sample: Sample, tmp_path: Path) -> None:
    state, parts = tmp_path / "state", tmp_path / "parts.csv.gz"
    arguments = "scan", sample.archive, "--checkpoint", state, "-o", parts, "--columns", "eventID"
    result = ctfast(*arguments, "--region", "us-est-1")
    assert (result.exit_code, parts.exists()) == (2, False)
    state.unlink()
    assert ctfast(*arguments).exit_code == 0
    (part,) = parts.iterdir()
    assert part.name.endswith(".csv.gz")
    assert gzip.decompress(part.read_bytes()).count(b"\n") == sample.records + 1
    result = ctfast(*arguments)
    assert (result.exit_code, result.stderr, list(parts.iterdir())) == (0, "", [part])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["scan", "--since", "2025-03-12", "--until", "2025-03-12"],
            ["--until (2025-03-12) is that of --since (2025-03-12)"],
        ),
        (["scan", "--account", "11112222333"], ["--account must have 12 digits, not 11: '11112222333'"]),
        (["info", "--account", "1111-2222-3333"], ["'1111-2222-3333'; did you mean '111122223333'?"]),
        (
            ["info", "--region", "us_east_1"],
            ["--region must be such as 'us-east-1'", "'us_east_1'; did you mean 'us-east-1'?"],
        ),
        (["scan", "--kind", "CloudTrail-Insigt"], ["'CloudTrail-Insigt'; did you mean 'CloudTrail-Insight'?"]),
        (["scan", "--columns", "eventNme"], ["'eventNme'; did you mean 'eventName'?"]),
        (["scan", "-o", "out.xlsx"], ["'out.xlsx' ends in .xlsx, which is no format", "--format takes any name"]),
        (["scan", "-o", "out.parqet"], ["'out.parqet'", "did you mean '.parquet'?"]),
        (["info", "-o", "out.cvs"], ["'out.cvs'", "did you mean '.csv'?"]),
        (["scan", "-o", "out.csv.gzz"], ["'out.csv.gzz' ends in .gzz"]),
        (["scan", "-o", "out.gz"], None),
        (["scan", "-o", "out.parquet.gz"], ["parquet is compressed inside: leave .gz out"]),
        (["scan", "--format", "parquet", "-o", "out.zst"], ["leave .zst out"]),
        (["scan", "--threads", "1000000"], ["1000000"]),
        (["scan", "--sinc", "7d"], ["'--sinc'", "--since"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_impossible_values(arguments: list[str], words: list[str] | None, sample: Sample, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        result = ctfast(arguments[0], sample.archive, *arguments[1:])
    if words is None:
        assert (result.exit_code, (tmp_path / "out.gz").read_bytes()[:2]) == (0, b"\x1f\x8b")
        return
    assert (result.exit_code, result.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert all(word in result.stderr for word in words), result.stderr


def test_endings_of_other_verbs(sample: Sample, tmp_path: Path) -> None:
    for verb in (["verify", sample.archive, "--keys", sample.keys], ["sql", sample.archive, "SELECT 1"], ["columns"]):
        result = ctfast(*verb, "-o", tmp_path / "out.pdf")
        assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
        assert "ends in .pdf, which is no format" in result.stderr


def test_a_page_is_html(sample: Sample, tmp_path: Path) -> None:
    verb = "verify", sample.archive, "--keys", sample.keys, "--signatures", sample.signatures, "--html"
    result = ctfast(*verb, tmp_path / "page.htlm")
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "page.htlm' ends in .htlm, which is no format; did you mean '.htm'?" in result.stderr
    for name in ("page.html", "page"):
        assert ctfast(*verb, tmp_path / name).exit_code == 0


def inflated(stored: bytes, compressed: str) -> bytes:
    if compressed == ".zst":
        with pa.CompressedInputStream(pa.BufferReader(stored), "zstd") as text:
            return bytes(text.read())
    return gzip.decompress(stored) if compressed else stored


@pytest.mark.parametrize("ending", [".csv", ".ndjson", ".json", ".jsonl", ".CSV"])
@pytest.mark.parametrize("compressed", ["", ".gz", ".zst"])
def test_compressed_results(ending: str, compressed: str, sample: Sample, tmp_path: Path) -> None:
    target = tmp_path / f"out{ending}{compressed}"
    result = ctfast("scan", sample.archive, "-o", target, "--columns", "eventID,userIdentity.arn")
    assert (result.exit_code, list(tmp_path.iterdir())) == (0, [target])
    magic = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd", "": b""}[compressed]
    assert target.read_bytes().startswith(magic)
    if ending == ".json":  # one array, which Polars does not decompress
        column = [row["eventID"] for row in json.loads(inflated(target.read_bytes(), compressed))]
    else:
        column = (pl.read_csv if ending.lower() == ".csv" else pl.read_ndjson)(target)["eventID"].to_list()
    assert column == ct.read(sample.archive)["eventID"].to_list()
    if compressed == ".gz":
        first = target.read_bytes()
        target.unlink()
        ctfast("scan", sample.archive, "-o", target, "--columns", "eventID,userIdentity.arn")
        assert target.read_bytes() == first, "the same rows are the same bytes"


def test_a_compressed_result_that_fails_leaves_nothing(sample: Sample, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(sample.archive, archive)
    (archive / "zz.json.gz").write_bytes(b"\x1f\x8b")
    for ending in (".csv.gz", ".ndjson.zst"):
        result = ctfast("scan", archive, "--on-error", "raise", "-o", tmp_path / f"out{ending}")
        assert result.exit_code == 2
        assert "zz.json.gz" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
