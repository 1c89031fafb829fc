"""The command line with buckets, lists, checkpoints and copies."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.cli.screen import size
from mirrored import Mirrored, options_of
from proxy import Fault, Proxy
from seaweed import SECRET, Store


def run(*arguments: object, endpoint: str | None = None, stdin: str | None = None) -> Result:
    options = options_of(endpoint) if endpoint else {}
    given = [part for name, value in options.items() for part in ("--storage-option", f"{name}={value}")]
    return CliRunner().invoke(main, [*map(str, arguments), *given], input=stdin)


def test_scan_and_sql_of_a_bucket(mirrored: Mirrored, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    chosen = ("--region", "us-east-1", "--since", "2025-03-11", "--columns", "eventName,file", "-o", path)
    result = run("scan", mirrored.url, *chosen, endpoint=store.endpoint)
    assert result.exit_code == 0, result.stderr
    rows = mirrored.rows(regions="us-east-1", since="2025-03-11").select("eventName", "file")
    assert pl.read_parquet(path).equals(rows)
    result = run("sql", mirrored.url, "SELECT count(*) AS n FROM events", "--format", "csv", endpoint=store.endpoint)
    assert result.stdout == "n\n900\n"
    result = run("info", mirrored.url, "--format", "ndjson", endpoint=store.endpoint)
    days = [json.loads(line) for line in result.stdout.splitlines()]
    assert sum(day["records"] for day in days) == 900
    assert sum(day["bytes"] for day in days) == sum((mirrored.folder / key).stat().st_size for key in mirrored.keys)


def test_sql_of_a_lake_in_a_bucket(mirrored: Mirrored, store: Store) -> None:
    store.create("lake-for-sql")
    place = "s3://lake-for-sql/lake"
    query, options = "SELECT count(*) AS n FROM events", options_of(store.endpoint)
    lake = ct.Lake(place, storage_options=options)
    lake.ingest(mirrored.url, storage_options=options)
    result = run("sql", place, query, "--format", "csv", endpoint=store.endpoint)
    assert (result.exit_code, result.stdout) == (0, f"n\n{lake.info().records}\n"), result.stderr
    assert ct.sql(place, query, storage_options=options).equals(ct.sql(lake, query))
    explained = ct.sql(place, query, storage_options=options, explain=True)
    assert explained["sql"].equals(ct.sql(lake, query, explain=True)["sql"])
    result = run("sql", place, query, "--region", "us-east-1", endpoint=store.endpoint)
    assert (result.exit_code, "is for archives" in result.stderr) == (2, True)


def test_files_that_a_list_names(mirrored: Mirrored, store: Store, tmp_path: Path) -> None:
    named = [f"{mirrored.url}/{key}" for key in mirrored.keys[:5]]
    given = ("--columns", "file", "--format", "csv")
    result = run("scan", "--from", "keys", "-", *given, endpoint=store.endpoint, stdin="\n".join(named))
    assert list(dict.fromkeys(result.stdout.splitlines()[1:])) == named
    path = tmp_path / "messages.jsonl"
    path.write_text(json.dumps({"s3Bucket": mirrored.bucket, "s3ObjectKey": mirrored.keys[:5]}) + "\nnonsense\n")
    result = run("scan", "--from", "messages", path, *given, "--on-error", "collect", endpoint=store.endpoint)
    assert list(dict.fromkeys(result.stdout.splitlines()[1:])) == named
    assert result.exit_code == 1
    assert "neither JSON nor a message that is known" in result.stderr
    result = run("scan", "--from", "messages", path, *given, endpoint=store.endpoint)
    assert (result.exit_code, "(line 2)" in result.stderr) == (2, True)
    result = run("scan", "--from", "keys", path, path)
    assert (result.exit_code, result.stderr) == (2, "ctfast: --from keys takes one ARCHIVE, not 2\n")


def test_a_checkpoint_is_committed_with_its_parts(mirrored: Mirrored, store: Store, tmp_path: Path) -> None:
    state, path = tmp_path / "state", tmp_path / "new.csv"
    given = ("scan", mirrored.url, "--checkpoint", state, "--columns", "eventName", "--format", "csv", "-o")
    result = run(*given, tmp_path / "none" / "new.csv", endpoint=store.endpoint)
    assert result.exit_code == 2  # nothing could be written, so nothing counts as read
    for _ in range(2):
        assert run(*given, path, endpoint=store.endpoint).exit_code == 0
        [part] = path.iterdir()
        assert part.read_text().count("\n") == 901


def test_a_copy_and_what_is_said_of_it(mirrored: Mirrored, proxy: Proxy, tmp_path: Path) -> None:
    target = tmp_path / "archive"
    result = run("copy", mirrored.url, target, "--region", "us-east-1", endpoint=proxy.endpoint)
    assert result.exit_code == 0, result.stderr
    stored = size(sum(path.stat().st_size for path in target.rglob("*.gz")))
    assert f"150 files copied, {stored}; 0 there already" in result.stderr
    assert f"signatures in {target}.signatures.json" in result.stderr
    assert ct.read(target).height == 450
    denied = mirrored.keys[-1]
    (target / denied).unlink()
    proxy.fault = lambda request: Fault(answer=(403, "AccessDenied")) if request.key == denied else Fault()
    rows = tmp_path / "files.csv"
    given = ("copy", mirrored.url, target, "--region", "us-east-1", "--files")
    result = run(*given, target / "files.ndjson", endpoint=proxy.endpoint)
    assert (result.exit_code, "would be read as a log" in result.stderr) == (2, True)
    result = run(*given, rows, endpoint=proxy.endpoint)
    assert result.exit_code == 1
    outcomes = Counter(pl.read_csv(rows).select("outcome", "reason").rows())
    assert outcomes == {("present", "hash"): 149, ("bad", "access-denied"): 1}
    assert f"{mirrored.url}/{denied}: access denied: 403, AccessDenied" in result.stderr
    assert "0 files copied, 0 B; 149 there already; 1 failed" in result.stderr


def test_the_rows_of_a_copy_are_not_written_over_its_signatures(mirrored: Mirrored, tmp_path: Path) -> None:
    target = tmp_path / "archive"
    link = tmp_path / "link.json"
    link.symlink_to(f"{target}.signatures.json")
    for file in (f"{target}.signatures.json", link):
        result = run("copy", mirrored.url, target, "--files", file)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "is read itself: write to another file" in result.stderr
    assert not target.exists()


@pytest.mark.parametrize("verb", [("scan",), ("info",), ("copy",)])
def test_secrets_stay_where_they_are(mirrored: Mirrored, store: Store, tmp_path: Path, verb: tuple[str]) -> None:
    target = (tmp_path / "archive",) if verb == ("copy",) else ()
    result = run(*verb, "s3://no-such-bucket-at-all", *target, endpoint=store.endpoint)
    assert result.exit_code in {1, 2}
    assert SECRET not in result.output
    result = run(*verb, mirrored.url, *target, "--storage-option", SECRET)
    assert result.exit_code == 2
    assert SECRET not in result.output
