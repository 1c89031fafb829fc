"""2.10: the call itself refuses wrong arguments, with its own name, the argument and what to write instead."""

from __future__ import annotations

import inspect
import os
import pickle
import pydoc
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from mypy import api as mypy

import ctfast as ct
from ctfast.sample import Sample

#: The class has other names in older versions of the library: only its behaviour is tested here.
REFUSED: type[Exception] = getattr(ct, "ArgumentError", ValueError)

#: The limits of datetime, which people use for "all".
FIRST, LAST = datetime.min, datetime.max  # noqa: DTZ901  # they have no time zone

VERBS: dict[str, Callable[..., Any]] = {
    "scan": ct.scan,
    "read": ct.read,
    "stream": ct.stream,
    "info": ct.info,
    "sql": lambda source, **options: ct.sql(source, "SELECT 1 FROM events", **options),
    "match": lambda source, **options: ct.match(source, {"all": ct.FilterPattern("")}, **options),
    "cost": lambda source, **options: ct.cost(source, ct.EventSelectors({"ReadWriteType": "All"}), **options),
}
WRITES = ct.EventSelectors({"ReadWriteType": "WriteOnly"})
every_verb = pytest.mark.parametrize("verb", VERBS)


def refused(call: Callable[..., Any], *given: Any, **options: Any) -> tuple[type[Exception], str]:
    """The type and the sentence with which a call is refused, before anything is opened."""
    with pytest.raises((TypeError, ValueError)) as error:
        call(*given, **options)
    assert "\n" not in str(error.value)
    return error.type, str(error.value)


@every_verb
@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"sinc": "7d"}, TypeError, "has no argument 'sinc'; did you mean 'since'?"),
        ({"region": "us-east-1"}, TypeError, "has no argument 'region'; did you mean 'regions'?"),
        ({"accounts": 444455556666}, TypeError, "accounts must be .* not int 444455556666: write '444455556666'"),
        ({"accounts": [4445]}, TypeError, "write '000000004445', with the zeros that it begins with"),
        ({"accounts": "44445555666"}, REFUSED, "accounts must have 12 digits, not 11: '44445555666'"),
        ({"accounts": "4444-5555-6666"}, REFUSED, "'4444-5555-6666'; did you mean '444455556666'?"),
        ({"regions": "us_east_1"}, REFUSED, "regions must be such as .*'us_east_1'; did you mean 'us-east-1'?"),
        ({"kinds": "CloudTrail-Insigt"}, REFUSED, "'CloudTrail-Insigt'; did you mean 'CloudTrail-Insight'?"),
        ({"kinds": "CloudTrail-Digest"}, REFUSED, r"'CloudTrail-Digest' is that of digest files, which verify"),
        (
            {"since": 1741737600},
            TypeError,
            "since must be .* 1741737600, which in seconds since 1970 is '2025-03-12T00:00:00Z'",
        ),
        ({"until": "12/03/2025"}, REFUSED, "until is no date or time that can be read: '12/03/2025' .*'2025-03-12'"),
        ({"since": "2025-03-12", "until": "2025-03-12"}, REFUSED, r"until \(2025-03-12\) is that of since"),
        (
            {"since": "2025-03-12", "until": "2025-03-11"},
            REFUSED,
            r"until \(2025-03-11\) is before since \(2025-03-12\)",
        ),
        ({"threads": "2"}, TypeError, "threads must be a whole number, not the text '2': write threads=2"),
        ({"threads": True}, TypeError, "threads must be a whole number, not True"),
        ({"threads": 0}, REFUSED, "threads must be at least 1, not 0"),
        ({"threads": -1}, REFUSED, "threads must be at least 1, not -1"),
        ({"threads": 10**9}, REFUSED, "threads must be at most 1,024, not 1000000000"),
        ({"max_delay": 36}, TypeError, r"max_delay must be .* not int 36: such as datetime.timedelta\(hours=36\)"),
        ({"max_delay": timedelta(-1)}, REFUSED, "max_delay must not be negative"),
        ({"report": {}}, TypeError, "report must be a ctfast.Report, not dict"),
        ({"report": 1}, TypeError, r"report must be a ctfast.Report, not int 1: write report = ctfast.Report\(\)"),
        ({"limits": 5}, TypeError, r"limits must be a ctfast.Limits, not int 5: such as ctfast.Limits\(inflated=5\)"),
        ({"verify": 3}, TypeError, r"verify must be a ctfast.Verifier, not int 3: such as ctfast.Verifier\(keys=...\)"),
        ({"verified": True}, TypeError, "verified must be a ctfast.Verification"),
        (
            {"where": "{ $.eventName = x }"},
            TypeError,
            r"where must be a filter .*: ctfast.FilterPattern\(...\) makes one of it",
        ),
        (
            {"checkpoint": "state"},
            TypeError,
            r"checkpoint must be a ctfast.Checkpoint, .*: write ctfast.Checkpoint\('state'\)",
        ),
        ({"threads": np.int64(2)}, TypeError, "threads must be a whole number, not int64: write threads=2"),
        (
            {"threads": 10**5000},
            REFUSED,
            "threads must be at most 1,024, not a number of more digits than Python writes",
        ),
        ({"since": pd.NaT}, TypeError, "since must be a datetime, a date, or text such as .*; not NaTType"),
        ({"on_error": np.array(["raise", "collect"])}, TypeError, 'on_error must be "raise" or "collect", not ndarray'),
        ({"on_error": "colect"}, REFUSED, "on_error must be .* not 'colect'; did you mean 'collect'?"),
        ({"storage_options": 5}, TypeError, "storage_options must be a mapping of names to texts, not int 5"),
        ({"storage_options": {"skip_signature": True}}, TypeError, "must be a text, not bool: write 'true'"),
        ({"progress": 1}, TypeError, "progress must be a function"),
    ],
)
def test_an_argument_that_cannot_be_meant(
    verb: str, options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    error, sentence = refused(VERBS[verb], "nowhere", **options)
    assert issubclass(error, kind)
    assert re.match(rf"{verb}\(\):? .*{words}", sentence), sentence


SOURCES: list[tuple[Any, type[Exception], str]] = [
    (3, TypeError, "source must be a path, .*not int 3"),
    (None, TypeError, "source must be a path, .*not None"),
    (b"logs", TypeError, r"not bytes: os.fsdecode\(b'logs'\) makes a text of it"),
    (["logs", b"logs"], TypeError, r"os.fsdecode\(b'logs'\)"),
    ({"logs": 1}, TypeError, "source must be .*not dict"),
    ("", REFUSED, "source is empty"),
    ("a\0b", REFUSED, "has a character that no path has"),
    ("a\ud800b", REFUSED, r"source 'a\\ud800b' has a character that no path has"),
    ("file:///var/my%20logs", REFUSED, "'file:///var/my%20logs' cannot be opened: write the path, '/var/my logs'"),
    ("gs://b/x", REFUSED, "write 's3://b/x', with HMAC keys .*storage.googleapis.com"),
    ("s3a://b/x", REFUSED, "'s3a://b/x' cannot be opened: write 's3://b/x'"),
    ("s3n://b/x", REFUSED, "write 's3://b/x'"),
    ("S3://b/x", REFUSED, "write 's3://b/x'"),
    ("s3:/b/x", REFUSED, "write 's3://b/x'"),
    ("abfs://c@a/x", REFUSED, "ctfast reads the local disk and S3; copy or mount it"),
    ("https://b.s3.eu-west-1.amazonaws.com/AWSLogs/", REFUSED, "write 's3://b/AWSLogs/'"),
    ("https://s3.amazonaws.com/b/AWSLogs/", REFUSED, "write 's3://b/AWSLogs/'"),
    ("https://example.com/x", REFUSED, "endpoint_url=https://example.com"),
    ("arn:aws:s3:::b/AWSLogs", REFUSED, "write 's3://b/AWSLogs'"),
    ("arn:aws:sqs:us-east-1:111122223333:q", REFUSED, "it is an ARN of sqs"),
    ("s3://user@host/x", REFUSED, "is not the name of a bucket"),
]


@every_verb
@pytest.mark.parametrize(("source", "kind", "words"), SOURCES)
def test_a_source_that_is_none(verb: str, source: Any, kind: type[Exception], words: str) -> None:
    error, sentence = refused(VERBS[verb], source)
    assert issubclass(error, kind)
    assert re.match(rf"{verb}\(\): .*{words}", sentence), sentence


@every_verb
def test_digits_of_other_scripts_are_named_as_such(verb: str) -> None:
    """There are twelve digits, so that their number is not the problem."""
    arabic = "".join(chr(0x0660 + int(digit)) for digit in "111122223333")
    error, sentence = refused(VERBS[verb], "nowhere", accounts=arabic)
    assert issubclass(error, ct.ArgumentError)
    assert f"accounts must have 12 digits of ASCII, 0 to 9: '{arabic}'" in sentence


def test_a_folder_is_no_checkpoint(sample: Sample, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path)
    with pytest.raises(IsADirectoryError, match="this is a folder, and a checkpoint is a file") as caught:
        ct.read(sample.archive, checkpoint=checkpoint)
    assert caught.value.filename == str(tmp_path)


def test_a_folder_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "gs:" / "b" / "x.json"
    log.parent.mkdir(parents=True)
    log.write_text('{"Records":[{"eventID":"1","eventVersion":"1.08"}]}')
    assert ct.read("gs://b/x.json").height == 1


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        (
            "eventName",
            TypeError,
            r"columns must be a list of names, not the text 'eventName': write columns=\['eventName'\]",
        ),
        (3, TypeError, "columns must be .*not int 3"),
        ([3], TypeError, "columns must be .*not int 3"),
        (["eventname"], REFUSED, "columns has no 'eventname'; did you mean 'eventName'?"),
        (["userIdentity.am"], REFUSED, "'userIdentity.am'; did you mean 'userIdentity.arn'?"),
        (["resources[].ARN"], REFUSED, "columns has no"),
        (["eventName", "eventName"], REFUSED, "columns has 'eventName' twice"),
    ],
)
def test_columns_of_a_stream(columns: Any, kind: type[Exception], words: str) -> None:
    error, sentence = refused(ct.stream, "nowhere", columns=columns)
    assert issubclass(error, kind)
    assert re.match(rf"stream\(\): .*{words}", sentence), sentence
    assert "scan(...).select(...)" in refused(ct.read, "nowhere", columns=columns)[1]


def test_fields_of_structs_in_a_stream(sample: Sample) -> None:
    names = ["userIdentity.arn", "eventName", "userIdentity.sessionContext.sessionIssuer.userName", "rules"]
    rules = {"deletes": ct.EventPattern({"detail": {"eventName": [{"prefix": "Delete"}]}})}
    table = pa.table(ct.stream(sample.archive, columns=names, rules=rules))
    assert table.column_names == names
    user = pl.col("userIdentity").struct
    wanted = ct.match(sample.archive, rules).select(
        user["arn"].alias(names[0]),
        "eventName",
        user["sessionContext"].struct["sessionIssuer"].struct["userName"].alias(names[2]),
        "rules",
    )
    assert pl.DataFrame(table).equals(wanted.collect())
    assert 0 < table[2].null_count < table.num_rows


def test_fields_of_structs_in_a_unit(sample: Sample, tmp_path: Path) -> None:
    events = ct.stream(sample.archive, columns=["userIdentity.type"], checkpoint=ct.Checkpoint(tmp_path / "state"))
    (table,) = [pa.table(unit) for unit in events.units()]
    assert table["userIdentity.type"].to_pylist() == ct.read(sample.archive)["userIdentity"].struct["type"].to_list()


def test_limits() -> None:
    assert refused(ct.Limits, -1) == (REFUSED, "Limits(): inflated must be at least 1, not -1")
    assert refused(ct.Limits, ratio=0)[1] == "Limits(): ratio must be at least 1, not 0"
    assert refused(ct.Limits, "2")[0] is ct.ArgumentTypeError
    limits = ct.Limits(1 << 30)
    assert (repr(limits), pickle.loads(pickle.dumps(limits))) == ("Limits(inflated=1073741824, ratio=250)", limits)


def test_verify_and_copy_and_what_is_fetched(sample: Sample) -> None:
    keys = str(sample.keys)
    for call, given, options, words in (
        (
            ct.verify,
            ["nowhere"],
            {"keys": keys, "sinc": 1},
            r"verify\(\) has no argument 'sinc'; did you mean 'since'?",
        ),
        (ct.verify, ["nowhere"], {"key": keys}, r"verify\(\) has no argument 'key'; did you mean 'keys'?"),
        (ct.verify, [None], {"keys": keys}, r"verify\(\): source must be"),
        (ct.verify, ["nowhere"], {"keys": keys, "accounts": 5}, r"verify\(\): accounts must be .*write '000000000005'"),
        (ct.verify, ["nowhere"], {"keys": keys, "regions": "us-est"}, r"verify\(\): regions must be such as"),
        (ct.verify, ["nowhere"], {"keys": keys, "details": 1}, r"verify\(\): details must be True or False, not int 1"),
        (ct.verify, ["nowhere"], {"keys": keys, "map": 1}, r"verify\(\): map must be a mapping of buckets to folders"),
        (ct.verify, ["nowhere"], {"keys": keys, "threads": 0}, r"verify\(\): threads must be at least 1"),
        (
            ct.verify,
            ["nowhere"],
            {"keys": keys, "since": "2d", "until": "3d"},
            r"verify\(\): until \(3d\) is before since \(2d\)",
        ),
        (ct.Verifier, [], {}, r"Verifier\(\) needs keys"),
        (ct.Verifier, [], {"key": keys}, r"Verifier\(\) has no argument 'key'; did you mean 'keys'?"),
        (
            ct.Verifier,
            [],
            {"keys": keys, "relocated_from": ""},
            r"Verifier\(\): relocated_from names no bucket: write 's3://bucket'",
        ),
        (ct.Verifier, [], {"keys": keys, "accounts": 5}, r"Verifier\(\): accounts must be .*write '000000000005'"),
        (ct.Verifier, [], {"keys": keys, "since": "2d", "until": "3d"}, r"Verifier\(\): until \(3d\) is before since"),
        (ct.verify, ["nowhere"], {"keys": __file__}, r"verify\(\): keys: .*neither JSON nor a PEM or DER public key"),
        (ct.verify, ["nowhere"], {"keys": keys, "signatures": __file__}, r"verify\(\): signatures: .*not JSON: "),
        (
            ct.verify,
            ["nowhere"],
            {"keys": keys, "map": {"B": "x"}},
            r"verify\(\): map: 'B' is not the name of a bucket",
        ),
        (ct.verify, [ct.KeyList([])], {"keys": keys}, r"verify\(\): source must be .*: what names files for a scan"),
        (ct.cost, ["nowhere", WRITES], {"prices": keys}, r"cost\(\): prices: .* is no table of prices: no 'events'"),
        (
            ct.EventSelectors,
            ["[]"],
            {"target": "lake"},
            r'EventSelectors\(\): target must be "trail" or "event-data-store", not',
        ),
        (ct.match, ["nowhere", {"a": "text", "b": WRITES}], {}, r"match\(\): rules: the rule 'a' is no filter but str"),
        (ct.match, ["nowhere", 7], {}, r"match\(\): rules cannot be read: rules are a mapping, .*not int"),
        (
            ct.copy,
            ["s3://bucket", "s3://to"],
            {},
            r"copy\(\): target .s3://to. is an address: name a file or a folder on the local disk",
        ),
        (
            ct.packs.load,
            ["CIS"],
            {},
            r"packs.load\(\): name: there is no pack 'CIS'; there are: cis; did you mean 'cis'?",
        ),
        (ct.copy, ["logs", "to"], {}, r"copy\(\): source must be a bucket, s3://bucket/prefix, not 'logs'"),
        (ct.copy, [3, "to"], {}, r"copy\(\): source must be .*not int 3"),
        (ct.copy, ["s3://bucket", None], {}, r"copy\(\): target must be the path of a folder, not None"),
        (ct.copy, ["s3://bucket", ""], {}, r"copy\(\): target is empty: it must be the path of a folder"),
        (
            ct.copy,
            ["s3://bucket", "s3://other"],
            {},
            r"copy\(\): target 's3://other' is an address: name .* on the local disk",
        ),
        (
            ct.copy,
            ["s3://bucket", b"x"],
            {},
            r"copy\(\): target must be the path of a folder, not bytes b'x': os.fsdecode",
        ),
        (ct.fetch_keys, ["us-east-1"], {"since": "7d", "cache": ""}, r"fetch_keys\(\): cache is empty"),
        (ct.verify, [sample.archive], {"keys": ""}, r"verify\(\): keys is empty: it must be the path of a file"),
        (ct.verify, [sample.archive], {"keys": [""]}, r"verify\(\): keys is empty: it must be the path of a file"),
        (ct.verify, [sample.archive], {"keys": None}, r"verify\(\): keys must be .*not None"),
        (
            ct.verify,
            [sample.archive],
            {"keys": keys, "signatures": ""},
            r"verify\(\): signatures is empty: it must be the path of a file",
        ),
        (
            ct.verify,
            [sample.archive],
            {"keys": keys, "signatures": 3},
            r"verify\(\): signatures must be the path of a file of signatures, .*not int 3",
        ),
        (ct.cost, [sample.archive, ct.EventSelectors([])], {"prices": ""}, r"cost\(\): prices is empty"),
        (ct.copy, ["s3://bucket", "to"], {"where": 1}, r"copy\(\) has no argument 'where'"),
        (ct.copy, ["s3://bucket", "to"], {"kinds": "x"}, r"copy\(\): kinds has no 'x'"),
        (ct.fetch_keys, ["us-est"], {"since": "7d"}, r"fetch_keys\(\): regions must be such as"),
        (ct.fetch_keys, ["us-east-1"], {"sinc": "7d"}, r"fetch_keys\(\) has no argument 'sinc'; did you mean 'since'?"),
        (ct.fetch_signatures, ["s3://bucket"], {"threads": 0}, r"fetch_signatures\(\): threads must be at least 1"),
        (ct.fetch_signatures, [3], {}, r"fetch_signatures\(\): source must be"),
    ):
        sentence = refused(call, *given, **options)[1]
        assert re.match(words, sentence), sentence


@pytest.mark.parametrize("function", [ct.copy, ct.fetch_signatures])
@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        *SOURCES,
        ([], TypeError, "source must be one bucket, s3://bucket/prefix, not list"),
        (["s3://bucket"], TypeError, "source must be one bucket, s3://bucket/prefix, not list"),
        (ct.KeyList("x"), TypeError, "source must be one bucket, s3://bucket/prefix, not KeyList"),
        (Path("logs"), REFUSED, "source must be a bucket, s3://bucket/prefix, not 'logs'"),
        (Path("s3://bucket"), REFUSED, "source 's3:/bucket' cannot be opened: write 's3://bucket'"),
        (
            "arn:aws:s3:us-east-1:111122223333:accesspoint/audit",
            REFUSED,
            "does not tell the bucket, .*: name the bucket",
        ),
    ],
)
def test_what_reads_one_bucket_has_the_sentences_of_all(
    function: Callable[..., Any], source: Any, kind: type[Exception], words: str
) -> None:
    """These functions once had their own check of addresses, which accepted values that were not strings."""
    error, sentence = refused(function, source, *["nowhere"] * (function is ct.copy))
    assert issubclass(error, kind)
    assert re.match(rf"{function.__name__}\(\): .*{words}", sentence), sentence


def test_half_of_a_pair_of_surrogates() -> None:
    with pytest.raises(ct.QueryError, match="character 8 of the query is half of a pair of surrogates"):
        ct.sql("nowhere", "SELECT \ud800")
    assert refused(ct.sql, "nowhere", None) == (ct.ArgumentTypeError, "sql(): text must be a text, not None")


def test_the_error_has_fields() -> None:
    with pytest.raises(ct.ArgumentError) as caught:
        ct.read("nowhere", kinds=["CloudTrail", "CloudTrail-Insigt"])
    error = caught.value
    assert isinstance(error, ValueError)
    fields = error.function, error.argument, error.value, error.nearest
    assert fields == ("read", "kinds", "CloudTrail-Insigt", "CloudTrail-Insight")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.nearest) == (str(error), error.nearest)


# Streams that were read


def test_a_stream_that_was_read(sample: Sample) -> None:
    """A second loop over it, and its table, once had no rows, as if there were none."""
    events = ct.stream(sample.archive, columns=["eventName"])
    assert sum(batch.num_rows for batch in events) == sample.records
    for take in (list, pa.table, pl.DataFrame):
        with pytest.raises(ct.ConsumedError, match=r"was read to its end, or closed: start another one"):
            take(events)
    assert next(events, None) is None
    with ct.stream(sample.archive) as events:
        pass
    with pytest.raises(RuntimeError):
        iter(events)


def test_what_is_left_of_a_stream(sample: Sample) -> None:
    events = ct.stream(sample.archive, columns=["eventName"], batch_rows=100)
    first = next(events).num_rows
    assert first + pa.table(events).num_rows == sample.records


def test_a_unit_that_was_read(sample: Sample, tmp_path: Path) -> None:
    events = ct.stream(sample.archive, checkpoint=ct.Checkpoint(tmp_path / "state"))
    for unit in events.units():
        assert pa.table(unit).num_rows == sample.records
        with pytest.raises(ct.ConsumedError, match=f"unit {unit.id} was read to its end already"):
            pa.table(unit)
    with pytest.raises(ct.ConsumedError, match="was cut into units"):
        list(events)


# Times


def test_how_long_ago(sample: Sample) -> None:
    """It is relative to the time of the call, and the report has the resulting time."""
    before = datetime.now(UTC)
    scan = ct.scan(sample.archive, since="2w", until="24h")
    after = datetime.now(UTC)
    told = re.search(r"since=(\S+) until=(\S+)", scan.explain())
    assert told is not None
    since, until = map(datetime.fromisoformat, told.groups())
    assert before <= since + timedelta(weeks=2) == until + timedelta(hours=24) <= after
    assert ct.read(sample.archive, since="2000w").height == sample.records
    assert ct.info(sample.archive, since="2000w").report.records.read == sample.records


def test_a_checkpoint_belongs_to_one_query(sample: Sample, tmp_path: Path) -> None:
    checkpoint = ct.Checkpoint(tmp_path / "state")
    assert "moves with the clock" in refused(ct.read, sample.archive, since="7d", checkpoint=checkpoint)[1]


@pytest.mark.parametrize("time", ["9" * 5000 + "d", "9" * 12 + "w", "-7d", "7", "7D", "\u0667d", "7d ", "d"])
def test_no_time(time: str) -> None:
    assert refused(ct.read, "nowhere", since=time)[1].startswith("read(): since ")


def test_data_have_no_relative_times(sample: Sample) -> None:
    """Times in files, such as those of public keys, are never relative to now."""
    from ctfast._arguments.times import micros  # noqa: PLC0415

    with pytest.raises(ValueError, match="x is no date or time that can be read: '7d'") as error:
        micros("x", "7d")
    assert "how long ago" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2025-03-12 10:00+02:00", "2025-03-12T08:00:00+00:00"),
        ("2025-03-12T08", "2025-03-12T08:00:00+00:00"),
        ("20250312T0800Z", "2025-03-12T08:00:00+00:00"),
        ("2025-03-12T08:00:00,5-0030", "2025-03-12T08:30:00.500000+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_what_a_time_may_be(text: str, meant: str) -> None:
    found = re.search(r"since=(\S+)", ct.scan("nowhere", since=text).explain())
    assert found is not None
    assert found[1] == meant


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-12+08:00",  # was once read as 8 o'clock
        "2025-03-12-08:00",
        "2025-03-12Z",
        *(f"2025-03-12{letter}08:00" for letter in "xtZ_+/"),
        "1712121600000",  # was once read as the year 1712
        "2025-03-12T08:00+25:00",
        "2025-03-12T24:00",
        "2025-W11-3",
        "2025-02-30",
        " 2025-03-12",
        "\u0662025-03-12",
    ],
)
@every_verb
def test_what_is_no_time_is_refused_in_one_sentence(verb: str, text: str) -> None:
    error, sentence = refused(VERBS[verb], "nowhere", until=text)
    assert issubclass(error, REFUSED)
    form = r" \(write '2025-03-12', '2025-03-12T08:00Z' or .*, or how long ago, such as '7d', '24h' or '2w'\)"
    assert re.fullmatch(
        rf"{verb}\(\): until is no date or time that can be read: {re.escape(repr(text))}.*{form}", sentence
    )


@pytest.mark.parametrize(
    "given", ["1741737600", 1741737600, "1741737600000", 1741737600000, "1741737600.0", 1741737600000000]
)
def test_a_number_since_1970_is_shown_as_a_time(given: Any) -> None:
    sentence = refused(ct.read, "nowhere", since=given)[1]
    assert "seconds since 1970 is '2025-03-12T00:00:00Z'" in sentence


def test_times_at_the_ends_of_the_calendar(sample: Sample) -> None:
    early, late = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
    for time in (
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59-14:00",
        FIRST.replace(tzinfo=early),
        LAST.replace(tzinfo=late),
    ):
        assert "lies outside of the years 1 to 9999 of UTC" in refused(ct.read, "nowhere", since=time)[1]
    assert refused(ct.read, "nowhere", until="99999999w")[1].startswith("read(): until lies before the year 1")
    assert ct.read(sample.archive, since=FIRST, until=date.max).height == sample.records
    assert ct.info(sample.archive, since=date.min, until=LAST).report.records.read == sample.records
    found = ct.verify(sample.archive, keys=sample.keys, signatures=sample.signatures, since=FIRST, until=LAST)
    assert found.checked
    assert not found.ok
    verifier = ct.Verifier(keys=sample.keys, signatures=sample.signatures)
    assert ct.read(sample.archive, until=LAST, verify=verifier).height == sample.records
    assert verifier.verification.checked


@pytest.mark.parametrize("time", [pd.NaT, np.datetime64("NaT"), float("nan"), True])
def test_what_is_no_time_of_another_type(time: Any) -> None:
    kind, sentence = refused(ct.read, "nowhere", until=time)
    assert issubclass(kind, TypeError)
    assert sentence.startswith("read(): until must be a datetime, a date, or text such as '2025-03-12'")


def test_a_time_of_pandas(sample: Sample) -> None:
    time = pd.Timestamp("2025-03-12T01:00", tz="Europe/Berlin")
    assert ct.read(sample.archive, since=time).height == sample.records


def test_keys_until_the_end_of_the_calendar(tmp_path: Path) -> None:
    class Session:
        """A session with a client that returns no keys."""

        def client(self, *_: Any, **__: Any) -> Any:
            return self

        def list_public_keys(self, **times: datetime) -> dict[str, Any]:
            asked.append((times["StartTime"], times["EndTime"]))
            return {"PublicKeyList": []}

    asked: list[tuple[datetime, datetime]] = []
    for until in (LAST, date.max, "9999-12-31T23:59:59Z"):
        with pytest.raises(ValueError, match="no public keys"):
            ct.fetch_keys("us-east-1", since="2025-03-12", until=until, session=Session())
    assert {(first.year, last.year) for first, last in asked} == {(2025, 9999)}


# Types and help

TYPED = """
from datetime import timedelta
import ctfast as ct

rules = {"all": ct.FilterPattern("")}
ct.scan("logs", since="7d", threads=2, max_delay=timedelta(1), storage_options={"a": "b"})
ct.stream("logs", columns=["a"], rules=rules, batch_rows=5)
ct.match("logs", rules, where=ct.FilterPattern(""))
ct.cost("logs", ct.EventSelectors([]), further_copy=True, on_error="raise")
ct.Verifier(keys="keys.json", details=False)
ct.scan("logs", sinc="7d")
ct.read("logs", threads="2")
ct.stream("logs", column=["a"])
ct.sql("logs", "SELECT", region="x")
ct.info("logs", opened=None)
ct.match("logs", rules, on_error="colect")
ct.cost("logs", ct.EventSelectors([]), columns=["a"])
ct.verify("logs", key="keys.json")
ct.Verifier(signatures="x")
ct.copy("s3://bucket", "to", where=rules)
"""


def test_mypy_sees_a_typo(tmp_path: Path) -> None:
    (tmp_path / "typed.py").write_text(TYPED)
    out, err, _ = mypy.run(
        [
            "--strict",
            "--no-error-summary",
            "--config-file",
            os.devnull,
            "--cache-dir",
            str(tmp_path / "cache"),
            str(tmp_path / "typed.py"),
        ]
    )
    lines = [int(line) for line in re.findall(r"typed\.py:(\d+): error", out)]
    first = TYPED[: TYPED.index("sinc=")].count("\n") + 1
    assert sorted(set(lines)) == list(range(first, TYPED.count("\n") + 1)), out + err


@pytest.mark.parametrize(
    "name", ["scan", "read", "sql", "stream", "match", "info", "cost", "verify", "copy", "Verifier"]
)
def test_help_tells_of_each_keyword(name: str) -> None:
    """Help describes the keywords that are meant for users, and no others."""
    function = getattr(ct, name)
    if name == "Verifier":
        assert "As for :func:`verify`" in pydoc.render_doc(function, renderer=pydoc.plaintext)
        return
    parameters = inspect.signature(function).parameters
    assert not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    assert {"since", "until", "accounts", "regions"} <= set(parameters)
    assert not {"opened", "function"} & set(parameters)
    text = pydoc.render_doc(function, renderer=pydoc.plaintext)
    described = text.split("Parameters\n")[1].split("Returns\n")[0]
    for keyword in parameters:
        assert re.search(rf"^ +(\w+, )*{keyword}(,|$)", described, re.MULTILINE), keyword


def test_each_option_of_a_scan_changes_what_is_asked(sample: Sample, tmp_path: Path) -> None:
    """One that the checkers see and nothing takes would be lost without a word."""
    from ctfast._arguments.gate import Streaming  # noqa: PLC0415
    from ctfast._scan.options import ask  # noqa: PLC0415

    root = ct.FilterPattern('{ $.userIdentity.type = "Root" }')
    verifier = ct.Verifier(keys=str(sample.keys))
    given: Streaming = {
        "since": "2025-03-12",
        "until": "2025-03-12",
        "accounts": {"111122223333"},
        "regions": {"us-east-1"},
        "kinds": {"CloudTrail"},
        "where": root,
        "rules": {"root": root},
        "on_error": "collect",
        "report": ct.Report(),
        "max_delay": None,
        "threads": 999,
        "limits": ct.Limits(ratio=9),
        "progress": print,
        "verify": verifier,
        "verified": ct.verify(sample.archive, keys=sample.keys),
        "checkpoint": ct.Checkpoint(tmp_path / "state"),
        "dedupe": True,
        "storage_options": {"aws_region": "eu-west-1"},
    }
    assert set(given) == set(Streaming.__annotations__)
    asked = [ask("scan", "logs", **{name: value}) for name, value in given.items()]  # type: ignore[misc]
    assert ask("scan", "logs") == ask("scan", "logs")
    assert all(each != ask("scan", "logs") for each in asked)


def test_defaults_are_in_the_signatures() -> None:
    assert inspect.signature(ct.scan).parameters["max_delay"].default == timedelta(days=1)
    assert inspect.signature(ct.scan).parameters["since"].default is None


def test_dates_and_times(sample: Sample) -> None:
    for since in (date(2025, 3, 12), datetime(2025, 3, 12, tzinfo=UTC), "2025-03-12", "20250312T000000Z"):
        assert ct.read(sample.archive, since=since).height == sample.records


def test_lines_that_come_once_are_not_read_twice(sample: Sample, tmp_path: Path) -> None:
    """A query that scans twice once had no rows the second time, without a message."""
    keys = sorted(str(path) for path in sample.archive.rglob("*_CloudTrail_*.json.gz"))[:9]
    join = "SELECT count(*) AS n FROM events a JOIN events b ON a.eventID = b.eventID"
    rows = ct.sql(ct.KeyList(keys), join).item()
    assert rows == ct.read(ct.KeyList(keys)).height > 0
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for source in (iter(keys), pipe):
        if source is pipe:
            Thread(target=pipe.write_text, args=("\n".join(keys),), daemon=True).start()
        with pytest.raises(ct.ConsumedError, match="lines that come once only were read already"):
            ct.sql(ct.KeyList(source), join)
    frame = ct.scan(ct.KeyList(iter(keys)))
    assert frame.collect().height == rows
    with pytest.raises(ct.ConsumedError):
        frame.collect()
