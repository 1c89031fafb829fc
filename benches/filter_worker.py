"""One task with filters of one peer in a separate process, run on command; see `ctfast._bench.worker`.

python benches/filter_worker.py PEER TASK DIRECTORY --threads N
"""

from __future__ import annotations

import argparse
import gzip
import json
import operator
import random
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import sigma

from ctfast._bench.worker import answering, serve

FIVE = ("eventTime", "eventName", "sourceIPAddress", "recipientAccountId", "eventID")
# The control of the CIS benchmark that the peers evaluate; all of them can express it.
CONTROL = "s3-bucket-policies"
SOURCE = "s3.amazonaws.com"
NAMES = (
    "PutBucketAcl",
    "PutBucketPolicy",
    "PutBucketCors",
    "PutBucketLifecycle",
    "PutBucketReplication",
    "DeleteBucketPolicy",
    "DeleteBucketCors",
    "DeleteBucketLifecycle",
    "DeleteBucketReplication",
)
# AWS's example of a trail with low costs: management events that write, without KMS.
DEFAULTS = {
    "AdvancedEventSelectors": [
        {
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Management"]},
                {"Field": "readOnly", "Equals": ["false"]},
                {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
            ]
        }
    ]
}
RULES = 1000
SAMPLE = 2000  # records that are tested one by one when an answer is checked


def generated(names: list[tuple[str, str]]) -> dict[str, Any]:
    """Return event patterns like those in real accounts, about calls by source and name."""
    choose = random.Random(20251120)
    rules: dict[str, Any] = {}
    for number in range(RULES):
        source, name = choose.choice(names)
        detail: dict[str, Any] = {"eventSource": [source]}
        match number % 8:
            case 0 | 1 | 2:
                detail["eventName"] = sorted({name, *(other for _, other in choose.sample(names, 3))})
            case 3:
                detail["eventName"] = [{"prefix": name[:6]}]
            case 4:
                detail |= {"eventName": [name], "errorCode": [{"exists": True}]}
            case 5:
                detail |= {
                    "userIdentity": {"type": [{"anything-but": ["AssumedRole", "AWSService"]}]},
                    "eventName": [name],
                }
            case 6:
                detail |= {"sourceIPAddress": [{"cidr": f"{choose.randrange(1, 224)}.{choose.randrange(256)}.0.0/16"}]}
            case _:
                detail |= {"resources": {"ARN": [{"wildcard": f"arn:aws:*:{choose.randrange(10**12):012}:*"}]}}
        rules[f"rule-{number:04}"] = {"source": ["aws." + source.partition(".")[0]], "detail": detail}
    return rules


class Ctfast:
    """ctfast, as a user writes it."""

    def __init__(self, path: Path, threads: int) -> None:
        import polars as pl  # noqa: PLC0415

        import ctfast as ct  # noqa: PLC0415 — after the number of threads is set

        self.ct, self.pl, self.path, self.options = ct, pl, str(path), {"threads": threads}
        self.packs = ct.packs.load("cis")

    def version(self) -> str:
        return f"ctfast {self.ct.__version__}, Polars {self.pl.__version__}"

    def _five(self, where: Any) -> int:
        return int(self.ct.scan(self.path, where=where, **self.options).select(FIVE).collect().height)

    def _matched(self, rules: Any) -> Any:
        return self.ct.match(self.path, rules, **self.options).select("eventID", "rules").collect()

    def selective(self) -> Callable[[], Any]:
        where = self.ct.FilterPattern("{ $.eventName = DeleteBucket }")
        return lambda: self._five(where)

    def defaults(self) -> Callable[[], Any]:
        where = self.ct.EventSelectors(DEFAULTS)
        return lambda: self._five(where)

    def control(self) -> Callable[[], Any]:
        where = self.packs[CONTROL]
        return lambda: self._five(where)

    def cis(self) -> Callable[[], Any]:
        return lambda: self._matched(self.packs)

    def rules(self) -> Callable[[], Any]:
        rules = self.patterns(task="rules")
        return lambda: self._matched(rules)

    def sigma(self) -> Callable[[], Any]:
        rules = self.patterns(task="sigma")
        return lambda: self._matched(rules)

    def sigma_where(self) -> Callable[[], Any]:
        where = reduce(operator.or_, self.patterns(task="sigma").values())
        return lambda: self._five(where)

    def single(self) -> Callable[[], Any]:
        """Records one by one, each given as bytes."""
        pattern = self.ct.EventPattern({"source": ["aws.s3"], "detail": {"eventName": list(NAMES)}})
        records = [raw.encode() for raw in self.raws()]
        return lambda: sum(map(pattern.matches, records))

    def patterns(self, task: str) -> dict[str, Any]:
        names = (
            self.ct.scan(self.path, **self.options).select("eventSource", "eventName").drop_nulls().unique().collect()
        )
        made = (generated if task == "rules" else sigma.patterns)(sorted(names.rows()))
        return {name: self.ct.EventPattern(rule) for name, rule in made.items()}

    def raws(self) -> list[str]:
        found: list[str] = self.ct.scan(self.path, **self.options).head(SAMPLE).select("raw").collect()["raw"].to_list()
        return found

    def check(self, task: str, result: Any) -> None:
        """Assert that the answer is that of the columns, or that of the records one by one."""
        pl, scan = self.pl, self.ct.scan(self.path, **self.options)
        if task in ("cis", "rules", "sigma"):
            rules = self.packs if task == "cis" else self.patterns(task)
            ids = scan.head(SAMPLE).select("eventID").collect()["eventID"]
            expected = {
                one: met
                for one, raw in zip(ids, self.raws(), strict=True)
                if (met := [name for name, rule in rules.items() if rule.matches(raw)])
            }
            got = {one: met for one, met in result.rows() if one in expected or one in set(ids)}
            assert got == expected, task
            return
        if task == "sigma_where":
            matched = self._matched(self.patterns(task="sigma")).height
            assert result == matched, (task, result, matched)
            return
        of = {
            "selective": pl.col("eventName") == "DeleteBucket",
            "defaults": pl.col("eventCategory").eq("Management")
            & ~pl.col("readOnly").fill_null(value=False)
            & pl.col("eventSource").ne_missing("kms.amazonaws.com"),
            "control": pl.col("eventSource").eq(SOURCE) & pl.col("eventName").is_in(NAMES),
        }
        frame = scan.head(SAMPLE) if task == "single" else scan
        expected_rows = frame.filter(of["control" if task == "single" else task]).select(pl.len()).collect().item()
        assert result == expected_rows, (task, result, expected_rows)


class Loop:
    """Each record as a Python object; the subclasses evaluate a condition on it."""

    def __init__(self, path: Path, threads: int) -> None:
        self.path, self.threads = path, threads

    def records(self) -> Iterator[Any]:
        for file in sorted(self.path.rglob("*.json.gz")):
            yield from json.loads(gzip.decompress(file.read_bytes())).get("Records", [])

    def check(self, task: str, result: Any) -> None:
        expected = sum(
            record.get("eventSource") == SOURCE and record.get("eventName") in NAMES for record in self.records()
        )
        assert result == expected, (task, result, expected)


class Moto(Loop):
    """The matcher of moto, which tests use in place of EventBridge."""

    def version(self) -> str:
        from importlib.metadata import version  # noqa: PLC0415

        return f"moto {version('moto')}"

    def control(self) -> Callable[[], Any]:
        from moto.events.models import EventPattern  # noqa: PLC0415

        pattern = EventPattern.load(json.dumps({"detail": {"eventSource": [SOURCE], "eventName": list(NAMES)}}))
        return lambda: sum(pattern.matches_event({"detail": record}) for record in self.records())


class Jmespath(Loop):
    """A loop with JMESPath, the language of the AWS CLI's --query."""

    def version(self) -> str:
        from importlib.metadata import version  # noqa: PLC0415

        return f"jmespath {version('jmespath')}"

    def control(self) -> Callable[[], Any]:
        import jmespath  # noqa: PLC0415

        names = " || ".join(f"eventName=='{name}'" for name in NAMES)
        query = jmespath.compile(f"eventSource=='{SOURCE}' && ({names})")
        return lambda: sum(bool(query.search(record)) for record in self.records())


class DuckDB(Loop):
    """SQL over files that are one JSON value each, the fastest form that `peers/duckdb_reader.py` knows."""

    def version(self) -> str:
        import duckdb  # noqa: PLC0415

        return f"DuckDB {duckdb.__version__}"

    def control(self) -> Callable[[], Any]:
        import duckdb  # noqa: PLC0415

        connection = duckdb.connect()
        connection.execute(f"SET threads = {self.threads}")
        connection.execute("SET enable_progress_bar = false")
        files = (
            f"read_ndjson_objects('{self.path}/**/*.json.gz', compression = 'gzip', maximum_object_size = {64 << 20})"
        )
        names = ", ".join(f"'{name}'" for name in NAMES)
        query = (
            f"SELECT count(*) FROM (SELECT unnest(json->'$.Records[*]') AS r FROM {files})"
            f" WHERE r->>'eventSource' = '{SOURCE}' AND r->>'eventName' IN ({names})"
        )
        return lambda: connection.sql(query).fetchall()[0][0]


PEERS: dict[str, type[Ctfast | Loop]] = {"ctfast": Ctfast, "moto": Moto, "jmespath": Jmespath, "duckdb": DuckDB}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run one task with filters of one peer on command.")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("task")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--events", type=int, help="not needed here")
    options = parser.parse_args()
    answers = answering(options.threads)
    peer: Any = PEERS[options.peer](options.directory, options.threads)
    run = getattr(peer, options.task)()
    answers.write(json.dumps({"version": peer.version()}) + "\n")
    answers.flush()

    def differs(result: Any) -> str | None:
        try:
            peer.check(options.task, result)
        except AssertionError as error:
            return str(error)
        return None

    serve(run, differs, answers)


if __name__ == "__main__":
    main()
