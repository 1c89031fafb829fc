"""What digests prove of a lake: each event knows whether its file, as it was read, is what CloudTrail delivered."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import ctfast as ct
from ctfast._lake import noted, prove
from ctfast._scan.options import ask
from ctfast.cli import main
from ctfast.sample import Sample
from signed import ACCOUNT, FIRST, HOUR, Chain, private_key, public_keys
from tampering import SCENARIOS

pytestmark = pytest.mark.filterwarnings("ignore::ctfast.NothingChosen")

KEYS = public_keys(private_key())


@pytest.fixture
def lake(tmp_path: Path) -> ct.Lake:
    return ct.Lake(tmp_path / "lake")


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """Six hours, over midnight; each log file has a record."""
    made = Chain(tmp_path / "archive")
    for _ in range(6):
        hour(made)
    return made


def record(name: str, **more: Any) -> bytes:
    event = {
        "eventVersion": "1.11",
        "eventID": name,
        "recipientAccountId": ACCOUNT,
        "eventTime": f"{FIRST:%Y-%m-%dT%H:%M:%SZ}",
    }
    return json.dumps({"Records": [event | more]}).encode()


def hour(chain: Chain, number: int = 0) -> None:
    """Two log files, and the digest that lists them."""
    times = [chain.end + timedelta(minutes=minute) for minute in (10, 40)]
    chain.hour([chain.log(each, record(f"{each} {number}"), number) for each in times])


def ingest(lake: ct.Lake, chain: Chain, **options: Any) -> ct.Ingested:
    return lake.ingest(chain.root, **({"keys": KEYS, "signatures": chain.signatures} | options))


def verdicts(lake: ct.Lake) -> dict[str, str]:
    return dict(lake.verdicts().select("file", "verdict").collect().iter_rows())


def of_rows(lake: ct.Lake) -> dict[str, str | None]:
    """The verdict of each event."""
    rows = lake.scan(verified=True).select("eventID", "verdict").collect()
    assert rows.height == lake.info().records
    return dict(rows.iter_rows())


def replaced(path: Path, content: bytes) -> None:
    """Write another content, so that the version of the file is the same: its size and its time."""
    before = path.stat()
    assert len(content) == before.st_size
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def padded(content: bytes, size: int) -> bytes:
    """A gzip file of the same text with this size."""
    text = gzip.decompress(content)
    for name in range(size):
        made = bytearray(gzip.compress(text, 1, mtime=0))
        made[3] |= 8  # a name in the header
        made[10:10] = b"n" * name + b"\0"
        if len(made) == size:
            return bytes(made)
    raise AssertionError(size)


# What verify says


@pytest.mark.parametrize("name", SCENARIOS)
def test_verdicts_are_those_of_verify(name: str, lake: ct.Lake, tmp_path: Path) -> None:
    """Of each archive that the tests of `verify` know: with keys from the first on, and added later."""
    case = SCENARIOS[name]()
    root = tmp_path / "archive"
    case.archive.write(root)
    sources = [root / bucket for bucket in case.archive.buckets()]
    by = {
        "keys": {region: {"PublicKeyList": keys} for region, keys in case.keys.items()},
        "signatures": case.signatures,
    }
    found = ct.verify(sources, **by).files_scan().collect()  # type: ignore[arg-type]
    later = ct.Lake(tmp_path / "later")
    later.ingest(sources)
    for each in (lake, later):
        done = each.ingest(sources, **by)  # type: ignore[arg-type]
        known = set(each.scan().select("file").unique().collect()["file"]) | set(each.bad().collect()["file"])
        expected = {}
        for file, outcomes, reasons in found.group_by("file").agg("outcome", "reason").iter_rows():
            if file in known:
                why = [reason for outcome, reason in zip(outcomes, reasons, strict=True) if outcome != "valid"]
                expected[file] = why[0] if why else "proven"
        expected |= dict.fromkeys(known - expected.keys(), "unlisted")
        assert {file: verdict for file, verdict in verdicts(each).items() if file in known} == expected
        assert (done.proven, done.unproven) == (each.info().proven, each.info().unproven)
        assert each.audit()[-1]["verdict"] in ct.verify(sources, **by).summary()  # type: ignore[arg-type]
    assert later.info().records == lake.info().records
    assert later.coverage().equals(lake.coverage())


def test_each_event_knows(lake: ct.Lake, chain: Chain) -> None:
    forged, late = chain.logs[3], chain.end + timedelta(minutes=30)
    forged.write_bytes(gzip.compress(record("forged"), mtime=0))
    chain.log(FIRST + timedelta(minutes=5), record("added"), 7)
    chain.log(late, record("late"), 8)
    done = ingest(lake, chain)
    assert (done.files, done.proven, done.unproven) == (14, 11, 3)
    found = of_rows(lake)
    assert {name: found.pop(name) for name in ("forged", "added", "late")} == {
        "forged": "hash",
        "added": "unlisted",
        "late": "pending",
    }
    assert set(found.values()) == {"proven"}
    assert len(found) == 11
    info = lake.info()
    assert (info.files, info.proven, info.unproven) == (14, 11, 3)
    [entry] = lake.audit()
    assert entry["action"] == "verify"
    assert entry["files"] == {"hash": 1, "pending": 1, "proven": 11, "unlisted": 1}
    assert (entry["errors"], entry["notes"]) == (2, 1)
    assert {finding["reason"] for finding in entry["findings"]} == {"hash", "unlisted", "pending"}
    assert entry["keys"][0]["digests"] == 6
    rows = lake.verdicts().filter(verdict="proven").collect()
    assert rows["digest"].unique().sort().to_list() == sorted(map(str, chain.digests))


def test_a_lake_without_keys_says_that_nothing_was_compared(lake: ct.Lake, chain: Chain) -> None:
    done = lake.ingest(chain.root)
    assert (done.proven, done.unproven, done.verification) == (0, 0, None)
    assert set(of_rows(lake).values()) == {None}
    assert lake.coverage().select("files", "proven", "unproven", "unchecked").sum().row(0) == (12, 0, 0, 12)
    assert lake.coverage().select(pl.col("covered", "uncovered").sum()).row(0) == (timedelta(), timedelta())


# What is known already


def test_keys_may_come_later_and_nothing_is_stored_twice(lake: ct.Lake, chain: Chain) -> None:
    lake.ingest(chain.root)
    done = ingest(lake, chain)
    assert (done.files, done.known, done.stored, done.proven) == (0, 12, 0, 12)
    assert lake.info().read == lake.info().records == 12
    assert set(of_rows(lake).values()) == {"proven"}


def test_what_other_machines_have_read_is_compared(lake: ct.Lake, chain: Chain) -> None:
    messages = [split.write_parquet(lake.path) for split in ct.splits(chain.root, target=1)]
    messages = [ct.SplitMessage.from_json(message.json()) for message in messages]
    lake.commit(messages, run="elsewhere", n=1)
    assert ingest(lake, chain).proven == 12
    assert set(of_rows(lake).values()) == {"proven"}


def test_what_is_proven_is_not_read_again(lake: ct.Lake, chain: Chain) -> None:
    ingest(lake, chain)
    for path in chain.logs[:4]:
        path.unlink()
    for _ in range(24):
        hour(chain)
    done = ingest(lake, chain)
    # The day before is not looked at, but for the digest that ends in this one: log files of it would be missing.
    assert done.verification is not None
    assert done.verification.asked["since"] == datetime(2024, 2, 29, tzinfo=done.verification.asked["since"].tzinfo)
    assert (done.proven, done.unproven, lake.info().proven) == (48, 0, 60)
    assert done.verification.ok


def test_time_without_files_is_asked_about_by_the_next(lake: ct.Lake, chain: Chain) -> None:
    ingest(lake, chain)
    for _ in range(72):
        chain.hour([])
    hour(chain)
    assert ingest(lake, chain).proven == 2
    time = lake.coverage().select(pl.col("covered").sum(), pl.col("uncovered").sum()).row(0)
    assert time == (79 * HOUR, timedelta())


def test_what_was_pending_is_proven_by_the_next_digest(lake: ct.Lake, chain: Chain) -> None:
    end = chain.end
    entry = chain.log(end + timedelta(minutes=5), record("late"))
    assert ingest(lake, chain).unproven == 1
    assert of_rows(lake)["late"] == "pending"
    chain.hour([entry])
    assert (ingest(lake, chain).proven, of_rows(lake)["late"]) == (1, "proven")


def test_a_mended_archive_is_proven(lake: ct.Lake, chain: Chain) -> None:
    """Also where days before and after it are proven."""
    for _ in range(48):
        hour(chain)
    gone = chain.digests[20]
    content = gone.read_bytes()
    gone.unlink()
    first = ingest(lake, chain)
    assert (first.proven, first.unproven) == (106, 2)
    assert lake.coverage()["uncovered"].sum() == HOUR
    assert lake.coverage().explode("reasons")["reasons"].drop_nulls().to_list() == ["missing-digest"]
    gone.write_bytes(content)
    again = ingest(lake, chain)
    assert (again.proven, again.unproven, lake.info().unproven) == (2, 0, 0)
    assert lake.coverage().select(pl.col("covered", "uncovered").sum()).row(0) == (54 * HOUR, timedelta())


def test_a_chain_that_has_ended_does_not_hold_the_others_back(lake: ct.Lake, chain: Chain) -> None:
    other = Chain(chain.root, region="us-east-1", signatures=chain.signatures)
    hour(other)
    ingest(lake, chain)
    for days in (1, 2):
        for _ in range(24):
            hour(chain)
        done = ingest(lake, chain)
        assert done.verification is not None
        assert done.proven == 48
        assert done.verification.asked["since"].date() == date(2024, 2, 28) + timedelta(days=days)


def test_an_account_that_comes_later_is_verified_from_its_beginning(lake: ct.Lake, chain: Chain) -> None:
    ingest(lake, chain)
    other = Chain(chain.root, account="444455556666", signatures=chain.signatures)
    for _ in range(3):
        hour(other)
    done = ingest(lake, chain)
    assert (done.proven, done.unproven) == (6, 0)
    assert done.verification is not None
    assert done.verification.ok
    assert lake.coverage().group_by("account").agg(pl.col("covered").sum()).sort("account")["covered"].to_list() == [
        6 * HOUR,
        3 * HOUR,
    ]


def test_other_accounts_and_times_stay_as_they_are(lake: ct.Lake, chain: Chain) -> None:
    other = Chain(chain.root, account="444455556666", signatures=chain.signatures)
    for _ in range(3):
        hour(other)
    lake.ingest(chain.root)
    done = ingest(lake, chain, accounts=ACCOUNT)
    assert (done.proven, done.unproven) == (12, 0)
    assert lake.coverage().group_by("account").agg(pl.col("unchecked").sum()).sort("account")[
        "unchecked"
    ].to_list() == [
        0,
        6,
    ]


# Read and hashed


def test_a_file_that_was_another_when_it_was_read_is_not_proven(lake: ct.Lake, chain: Chain) -> None:
    path = chain.logs[4]
    path.write_bytes(padded(path.read_bytes(), 400))
    right = path.read_bytes()
    forged = padded(gzip.compress(record("forged")), 400)
    replaced(path, forged)
    lake.ingest(chain.root)
    replaced(path, right)
    done = ingest(lake, chain)
    assert done.verification is not None
    assert (done.files, done.verification.ok) == (0, True)
    assert verdicts(lake)[str(path)] == "changed"
    assert of_rows(lake)["forged"] == "changed"
    assert (done.proven, done.unproven) == (11, 1)


FORGED = {
    "gzip": lambda text, size: padded(gzip.compress(text), size),
    "plain": lambda text, size: text + b" " * (size - len(text)),
    "gzip within gzip": lambda text, size: padded(gzip.compress(gzip.compress(text)), size),
    "no gzip": lambda text, size: (b"\xff" + text).ljust(size),
    "damaged": lambda text, size: padded(gzip.compress(text), size)[:-8] + b"damaged!",
}


@pytest.mark.parametrize("others", [[], ["plain"], ["damaged", "no gzip"], ["broken"]])
@pytest.mark.parametrize("kind", FORGED)
def test_a_file_that_is_exchanged_before_it_is_verified(
    kind: str, others: list[str], lake: ct.Lake, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged file is read; when digests are verified, the right one lies there again."""
    path = chain.logs[4]
    path.write_bytes(padded(path.read_bytes(), 400))
    right = path.read_bytes()
    for number, other in enumerate(others):
        place = chain.logs[6 + number]
        text = record(f"other {number}")
        place.write_bytes(b"\x1f" if other == "broken" else FORGED[other](text, 400))
    replaced(path, FORGED[kind](record("forged"), 400))

    def run(*arguments: Any) -> ct.Verification:
        replaced(path, right)
        return prove_run(*arguments)

    prove_run = prove.run
    monkeypatch.setattr(prove, "run", run)
    done = ingest(lake, chain)
    assert verdicts(lake)[str(path)] != "proven"
    assert of_rows(lake).get("forged", "nothing") != "proven"
    assert done.proven == 11 - len(others)


def test_a_file_that_is_exchanged_after_it_was_read_is_what_was_read(
    lake: ct.Lake, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = chain.logs[4]

    def run(*arguments: Any) -> ct.Verification:
        path.write_bytes(gzip.compress(record("forged")))
        return prove_run(*arguments)

    prove_run = prove.run
    monkeypatch.setattr(prove, "run", run)
    done = ingest(lake, chain)
    assert (done.proven, "forged" in of_rows(lake)) == (12, False)
    monkeypatch.undo()
    # It is another file now, and what is stored of both is told apart.
    ingest(lake, chain)
    found = of_rows(lake)
    assert found.pop("forged") == "hash"
    assert set(found.values()) == {"proven"}
    assert (lake.info().proven, lake.info().unproven) == (11, 1)


def test_which_texts_were_not_hashed_is_found_among_many(chain: Chain, tmp_path: Path) -> None:
    options = ask("test", chain.root, on_error="collect", threads=2)
    for number in (2, 9):
        chain.logs[number].write_bytes(record("plain"))
    chain.logs[5].write_bytes(chain.logs[5].read_bytes()[:-9])
    files = list(map(str, chain.logs))
    read = noted.Noted()
    read.read(options, files)
    assert len(read.hashes) == 9
    assert read.unnoted(options, files) == {files[2], files[9], files[5]}
    assert read.unnoted(options, [files[0], files[9]]) == {files[9]}


# Interrupted and at once


def test_a_run_that_ends_before_it_has_verified_is_continued(
    lake: ct.Lake, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any) -> ct.Verification:
        raise KeyboardInterrupt

    monkeypatch.setattr(prove, "run", run)
    with pytest.raises(KeyboardInterrupt):
        ingest(lake, chain)
    monkeypatch.undo()
    assert set(of_rows(lake).values()) == {None}
    assert ingest(lake, chain).proven == 12
    assert set(of_rows(lake).values()) == {"proven"}


def test_two_at_once_have_the_verdicts_of_both(lake: ct.Lake, chain: Chain) -> None:
    other = Chain(chain.root.parent / "other", account="444455556666", signatures=chain.signatures)
    for _ in range(4):
        hour(other, 1)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda each: ingest(lake, each), [chain, other, chain, other]))
    assert all(each.proven + each.known <= 12 for each in done)
    info = lake.info()
    assert (info.files, info.records, info.proven, info.unproven) == (20, 20, 20, 0)
    assert lake.coverage()["covered"].sum() == 10 * HOUR
    assert len([entry for entry in lake.audit() if entry["action"] == "verify"]) == 4


def test_compaction_and_retention_leave_the_verdicts(lake: ct.Lake, chain: Chain) -> None:
    ingest(lake, chain)
    hour(chain)
    now = datetime.now(tz=FIRST.tzinfo)
    recent = record("recent", eventTime=f"{now:%Y-%m-%dT%H:%M:%SZ}")
    chain.hour([chain.log(chain.end + timedelta(minutes=10), recent)])
    ingest(lake, chain)
    before = of_rows(lake)
    assert lake.compact().parts
    assert of_rows(lake) == before
    lake.retain(7, delete=True)
    assert of_rows(lake) == {"recent": "proven"}
    assert lake.info().proven == 15


# By day


def test_coverage_by_day(lake: ct.Lake, chain: Chain) -> None:
    """A stop of logging, a digest that was deleted, and a file that none lists."""
    chain.end += 3 * HOUR
    chain.previous = None
    hour(chain)
    chain.digests[1].unlink()
    chain.log(FIRST + timedelta(minutes=5), record("added"), 7)
    hour(chain)
    done = ingest(lake, chain)
    rows = lake.coverage().drop("account", "region")
    minutes = timedelta(minutes=1)
    first, second = rows.iter_rows(named=True)
    midnight = datetime(2024, 2, 29, tzinfo=FIRST.tzinfo) - FIRST
    assert first == {
        "day": date(2024, 2, 28),
        "files": 7,
        "proven": 4,
        "unproven": 3,
        "unlisted": 3,
        "unchecked": 0,
        "missing": 0,
        "covered": midnight - HOUR,
        "uncovered": HOUR,
        "reasons": ["missing-digest"],
    }
    assert (second["files"], second["unchecked"]) == (10, 0)
    assert second["reasons"] == ["gap"]
    assert second["uncovered"] == 3 * HOUR
    assert done.verification is not None
    found = done.verification.ranges.filter(range="found").select((pl.col("end") - pl.col("start")).sum()).item()
    assert abs(rows["covered"].sum() - found) < minutes


def test_of_two_trails_one_is_enough(lake: ct.Lake, chain: Chain) -> None:
    other = Chain(chain.root, trail="second", signatures=chain.signatures)
    for _ in range(6):
        hour(other, 1)
    other.digests[3].unlink()
    done = ingest(lake, chain)
    assert done.unproven == 2
    assert lake.coverage().select(pl.col("covered", "uncovered").sum()).row(0) == (6 * HOUR, timedelta())


def test_a_name_in_the_far_future_does_not_widen_the_time(lake: ct.Lake, chain: Chain) -> None:
    far = chain.logs[0].name.replace(f"_{FIRST:%Y}", "_9999")
    assert far != chain.logs[0].name
    path = chain.logs[0].with_name(far)
    path.write_bytes(gzip.compress(record("far"), mtime=0))
    for _ in range(2):
        done = ingest(lake, chain)
        assert done.verification is not None
        assert done.verification.ranges["end"].max() <= chain.end
        # There is no digest after the last one, and none is missed.
        assert done.verification.ranges.filter(range="uncovered").is_empty()
        assert of_rows(lake)["far"] == "unlisted"
        assert (done.unproven, lake.info().proven, lake.info().unproven) == (1, 12, 1)
    assert lake.coverage().select(pl.col("covered", "uncovered").sum()).row(0) == (6 * HOUR, timedelta())


@pytest.mark.parametrize("name", ["top.json.gz", "export/evil.json.gz"])
def test_a_file_outside_of_the_places_of_cloudtrail_is_unlisted(name: str, sample: Sample, tmp_path: Path) -> None:
    archive, lake = tmp_path / "archive", ct.Lake(tmp_path / "lake")
    shutil.copytree(sample.archive, archive)
    path = archive / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(record("evil"), mtime=0))
    words = [str(archive), str(lake.path), "--keys", str(sample.keys), "--signatures", str(sample.signatures)]
    for _ in range(2):
        done = CliRunner().invoke(main, ["ingest", *words], catch_exceptions=False)
        assert done.exit_code == 1
        assert "not proven in the lake: 1 unlisted" in done.stderr
    assert of_rows(lake)["evil"] == "unlisted"
    assert (lake.info().proven, lake.info().unproven) == (93, 1)
    last = lake.coverage().row(-1, named=True)
    assert (last["account"], last["region"], last["day"], last["files"], last["unlisted"]) == (None, None, None, 1, 1)


def test_a_file_that_is_missing_is_said_again_until_it_is_there(lake: ct.Lake, chain: Chain) -> None:
    for _ in range(48):
        hour(chain)
    path = chain.logs[70]
    content = path.read_bytes()
    path.unlink()
    for _ in range(3):
        done = ingest(lake, chain)
        assert done.verification is not None
        assert not done.verification.ok
        assert done.verification.log_counts.missing == 1
        assert lake.verdicts().filter(file=str(path)).select("split", "verdict").collect().rows() == [
            (None, "missing-log")
        ]
        assert lake.coverage().select("files", "proven", "missing").sum().row(0) == (107, 107, 1)
    path.write_bytes(content)
    done = ingest(lake, chain)
    assert done.verification is not None
    assert done.verification.ok
    assert lake.coverage().select("files", "proven", "missing").sum().row(0) == (108, 108, 0)


# The command line, and what is refused


def test_the_command_line(sample: Sample, tmp_path: Path) -> None:
    archive, lake = tmp_path / "archive", tmp_path / "lake"
    shutil.copytree(sample.archive, archive)
    arguments = [str(archive), str(lake), "--keys", str(sample.keys), "--signatures", str(sample.signatures)]

    def run(*words: str) -> Any:
        return CliRunner().invoke(main, list(words), catch_exceptions=False)

    done = run("ingest", *arguments)
    assert done.exit_code == 0, done.output
    assert "93 files compared with digests: 93 proven\nVALID from 2025-03-12 00:07:25" in done.stderr
    path = next(archive.rglob("*_CloudTrail_*.json.gz"))
    path.write_bytes(gzip.compress(b'{"Records": []}'))
    done = run("ingest", *arguments)
    assert done.exit_code == 1
    assert "ctfast: not proven in the lake: 1 hash; Lake.verdicts names them" in done.stderr
    assert f"hash: {path}: hash value doesn't match" in done.stderr
    told = json.loads(run("lake", "info", str(lake)).stdout)
    assert (told["proven"], told["unproven"]) == (92, 1)
    days = [json.loads(line) for line in run("lake", "coverage", str(lake)).stdout.splitlines()]
    assert sum(day["proven"] for day in days) == 92
    assert (days[0]["account"], days[0]["day"]) == ("111122223333", "2025-03-12")
    assert sum(day["covered"] for day in days) == 4 * 25 * 3600


def test_what_is_refused_stores_nothing(lake: ct.Lake, chain: Chain, tmp_path: Path) -> None:
    for more in ({"signatures": chain.signatures}, {"relocated_from": "s3://bucket"}):
        with pytest.raises(ct.ArgumentError, match="is for digests, which are verified with keys: give keys as well"):
            lake.ingest(chain.root, **more)  # type: ignore[arg-type]
    with pytest.raises(NotADirectoryError):
        lake.ingest(chain.logs[0], keys=KEYS)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        lake.ingest(chain.root, keys=tmp_path / "nowhere.json")
    assert not lake.path.exists()


def test_rows_without_a_file_have_no_verdict(lake: ct.Lake, chain: Chain) -> None:
    [split] = ct.splits(chain.root, columns=["eventID"])
    lake.commit([split.write_parquet(lake.path)], run="narrow", n=1)
    with pytest.raises(ValueError, match="was made without file"):
        lake.scan(verified=True)


def test_nothing_to_go_by(lake: ct.Lake, chain: Chain) -> None:
    for digest in chain.digests:
        digest.unlink()
    done = ingest(lake, chain, signatures=None)
    assert done.verification is not None
    assert not done.verification.checked
    assert set(of_rows(lake).values()) == {"unlisted"}
    assert lake.audit()[-1]["verdict"].startswith("NOTHING CHECKED")
