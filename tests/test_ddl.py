"""`ct.ddl`: what can be run is run, and has the rows of `scan`; the rest is parsed in its dialect."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
import sqlglot
from click.testing import CliRunner
from sqlglot import exp

import ctfast as ct
from ctfast import _ctfast
from ctfast._ddl import athena, spark, trino
from ctfast._ddl.place import Place
from ctfast.cli import main
from ctfast.sample import Sample

#: Names of folders in which each quoting would go wrong, and DuckDB's patterns are not.
FOLDERS = ["plain", "a blank", "Ann's", "50%", "ü", "x=1&y", 'say "so"', "semi;colon--", "{brace}"]
#: CloudTrail's key, below a bucket.
KEY = "{account}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{stamp}T0005Z_abcdefghijklmnop.json.gz"
#: The table of AWS's guide, "Create a table for CloudTrail logs in Athena using partition projection".
DOCUMENTED = {
    **dict.fromkeys(
        re.findall(
            r"\w+",
            "eventversion eventtime eventsource eventname awsregion sourceipaddress useragent errorcode errormessage "
            "requestparameters responseelements additionaleventdata requestid eventid readonly eventtype apiversion "
            "recipientaccountid serviceeventdetails sharedeventid vpcendpointid vpcendpointaccountid eventcategory "
            "sessioncredentialfromconsole edgedevicedetails",
        ),
        "string",
    ),
    "addendum": "struct<reason:string,updatedfields:string,originalrequestid:string,originaleventid:string>",
}


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(gzip.compress(b'{"Records":[]}'))
    return folder


def key(account: str, region: str, day: str) -> str:
    return KEY.format(account=account, region=region, day=day, stamp=day.replace("/", ""))


def place(*names: str, root: str = "s3://bucket") -> Place:
    found = Place(root)
    for name in names:
        found.add(name)
    return found


def rows(frame: pl.DataFrame) -> Counter[str]:
    """The rows, with JSON as values: DuckDB prints it anew."""
    texts = {path for path, kind in ct.columns().select("column", "type").iter_rows() if kind == "String, JSON"}

    def plain(name: str, value: Any) -> Any:
        if name in texts and isinstance(value, str):
            return json.loads(value)
        if isinstance(value, dict):
            return {each: plain(f"{name}.{each}", inner) for each, inner in value.items()}
        return value

    return Counter(
        json.dumps({name: plain(name, value) for name, value in row.items()}, sort_keys=True, default=str)
        for row in frame.iter_rows(named=True)
    )


def asked(text: str, query: str = "SELECT * FROM events") -> pl.DataFrame:
    session = duckdb.connect()
    session.execute("SET GLOBAL TimeZone = 'UTC'")
    session.execute(text)
    return pl.DataFrame(pa.table(session.sql(query).to_arrow_table()))


# DuckDB


@pytest.mark.parametrize("name", FOLDERS)
def test_duckdb_has_the_rows_of_an_archive(name: str, sample: Sample, tmp_path: Path) -> None:
    archive = shutil.copytree(sample.archive, tmp_path / name)
    text = ct.ddl(archive, "duckdb")
    assert "--" not in text.replace(name, "")
    assert re.findall(r"/\*_(.*)_\*", text) == ["CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity"]
    found = asked(text)
    known = ct.read(archive).drop("extra", "raw", "file", "record")
    assert found.columns == known.columns
    assert rows(found) == rows(known)


def test_duckdb_follows_what_comes(sample: Sample, tmp_path: Path) -> None:
    archive = shutil.copytree(sample.archive, tmp_path / "archive")
    session = duckdb.connect()
    session.execute(ct.ddl(archive, "duckdb"))
    more = archive / "AWSLogs" / key("111122223333", "eu-west-1", "2025/03/14")
    more.parent.mkdir(parents=True)
    more.write_bytes(gzip.compress(b'{"Records":[{"eventSource":"s3.amazonaws.com","eventName":"New"}]}'))
    assert session.execute("SELECT count(*) FROM events").fetchone() == (ct.read(archive).height,)
    assert session.execute("SELECT count(*) FROM events WHERE eventName = 'New'").fetchone() == (1,)


def test_duckdb_ends_at_a_damaged_file(sample: Sample, tmp_path: Path) -> None:
    archive = shutil.copytree(sample.archive, tmp_path / "archive")
    damaged = archive / "AWSLogs" / key("111122223333", "eu-west-1", "2025/03/14")
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(gzip.compress(b'{"Records":[{"eventName":"New"'))
    with pytest.raises(duckdb.Error, match="2025/03/14"):
        asked(ct.ddl(archive, "duckdb"))


@pytest.mark.parametrize("name", FOLDERS)
def test_duckdb_has_the_rows_of_a_lake(name: str, sample: Sample, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / name)
    lake.ingest(sample.archive)
    # A file that no version names, as a killed run leaves it.
    first = next(lake.path.glob("month=*/*.parquet"))  # type: ignore[union-attr]  # a folder
    shutil.copy(first, first.with_name("part-left.parquet"))
    assert asked(ct.ddl(lake, "duckdb")).height == 1039
    assert rows(asked(ct.ddl(tmp_path / name, "duckdb"))) == rows(lake.scan().collect())


def test_the_view_of_a_lake_is_one_of_its_versions(sample: Sample, tmp_path: Path) -> None:
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(sample.archive, until="2025-03-12T06:00")
    before = lake.info()
    text = ct.ddl(lake, "duckdb")
    assert f"-- version {before.version} of the lake" in text
    lake.ingest(sample.archive)
    assert asked(text).height == before.records
    assert asked(ct.ddl(lake, "duckdb")).height == 1039


def test_a_lake_without_events_is_no_view(tmp_path: Path) -> None:
    archive = put(tmp_path / "archive", f"AWSLogs/{key('111122223333', 'eu-west-1', '2025/03/12')}")
    lake = ct.Lake(tmp_path / "lake")
    lake.ingest(archive)
    with pytest.raises(ct.ArgumentError, match="lake without events"):
        ct.ddl(lake, "duckdb")


def test_a_table_in_a_database(sample: Sample) -> None:
    session = duckdb.connect()
    session.execute("CREATE SCHEMA security")
    session.execute(ct.ddl(sample.archive, "duckdb", table="security.order"))
    assert session.execute('SELECT count(*) FROM security."order"').fetchone() == (1039,)


# The others: their texts are read back


def statements(text: str, dialect: str) -> list[exp.Expr]:
    found = [each for each in sqlglot.parse(text, read=dialect) if each is not None]
    assert not any(isinstance(each, exp.Command) for each in found)
    return found


def location(statement: exp.Expr) -> str:
    found = statement.find(exp.LocationProperty)
    assert found is not None
    return found.this.this.replace("\\\\", "\\")


@pytest.mark.parametrize("prefix", ["", "a blank/", "Ann's/", "50%/", "ü/", "x=1&y/", 'say "so"/', "-- no/"])
def test_athena_reads_an_archive_where_it_lies(prefix: str) -> None:
    names = [
        f"s3://bucket/{prefix}AWSLogs/o-abcde12345/{key(account, region, day)}"
        for account in ("111122223333", "000000000042")
        for region, day in (("us-east-1", "2025/03/12"), ("eu-west-1", "2023/12/31"))
    ]
    text = athena.of_archive(place(*names), "security.events")
    [statement] = statements(text, "athena")
    assert isinstance(statement, exp.Create)
    [table] = statement.find_all(exp.Table)
    assert (table.db, table.name) == ("security", "events")
    root = f"s3://bucket/{prefix}AWSLogs/o-abcde12345/"
    assert location(statement) == root
    properties = {
        each.this.name: each.args["value"].name for each in statement.find_all(exp.Property) if each.args.get("value")
    }
    assert properties["projection.account.values"] == "000000000042,111122223333"
    assert properties["projection.region.values"] == "eu-west-1,us-east-1"
    assert properties["projection.timestamp.range"] == "2023/12/31,NOW"
    template = properties["storage.location.template"]
    for name in names:
        parsed: Any = _ctfast.parse_key(name)
        values = {"account": parsed["account"], "region": parsed["region"], "timestamp": parsed["day"]}
        assert (
            re.sub(r"\$\{(\w+)\}", lambda found, values=values: values[found[1]], template) == name.rpartition("/")[0]
        )


def test_athena_has_the_columns_of_the_guide_and_more() -> None:
    text = athena.of_archive(place(f"s3://bucket/AWSLogs/{key('111122223333', 'eu-west-1', '2025/03/12')}"), "events")
    columns = dict(re.findall(r"^  (\w+) (\S+?),?$", text.partition("PARTITIONED")[0], re.MULTILINE))
    assert {name: columns.get(name) for name in DOCUMENTED} == DOCUMENTED
    assert columns["resources"] == "array<struct<arn:string,arnprefix:string,accountid:string,type:string>>"
    assert columns["tlsdetails"].startswith("struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:")
    for path in ("sessioncontext:struct<attributes:struct<", "sessionissuer:struct<", "onbehalfof:struct<userid:"):
        assert path in columns["useridentity"]
    assert (
        "webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>" in columns["useridentity"]
    )
    of_record = {name.lower() for name in ct.columns()["column"] if "." not in name}
    left = {"eventcontext", "insightdetails", "annotation", "extra", "raw", "file", "record"}
    assert set(columns) == of_record - left


def test_athena_says_what_is_not_in_the_table() -> None:
    other = "111122223333_CloudTrail-Insight_eu-west-1_20250312T0005Z_abcdefghijklmnop.json.gz"
    names = [
        f"s3://bucket/AWSLogs/{key('111122223333', 'eu-west-1', '2025/03/12')}",
        f"s3://bucket/AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2025/03/12/{other}",
        "s3://bucket/AWSLogs/notes.json.gz",
    ]
    text = athena.of_archive(place(*names), "events")
    assert "-- 1 file of another kind or in other folders: not in the table\n" in text
    assert "-- 1 file with other names than CloudTrail's: not in the table\n" in text


def test_athena_takes_one_folder() -> None:
    names = [f"s3://bucket/{prefix}AWSLogs/{key('111122223333', 'eu-west-1', '2025/03/12')}" for prefix in ("", "b/")]
    with pytest.raises(ct.ArgumentError, match="has 2 folders of logs, and a table has one: name s3://bucket/AWSLogs/"):
        athena.of_archive(place(*names), "events")
    with pytest.raises(ct.ArgumentError, match="has no log in the folders"):
        athena.of_archive(place(f"s3://bucket/{names[0].rpartition('/')[2]}"), "events")
    with pytest.raises(ct.ArgumentError, match=r"which Athena takes for a partition"):
        athena.of_archive(place(names[0].replace("bucket", "bucket/${x}")), "events")


@pytest.mark.parametrize("name", FOLDERS)
def test_where_a_lake_lies(name: str) -> None:
    root = f"s3://bucket/{name}"
    [statement] = statements(athena.of_lake(root, "events"), "athena")
    assert location(statement) == f"{root}/"
    assert athena.of_lake(root, "events").endswith("TBLPROPERTIES ('table_type' = 'DELTA');")
    call = trino.of_lake(root, "security.Events")
    texts = [
        each.text for each in sqlglot.tokenize(call.partition("(")[2], read="trino") if each.token_type.name == "STRING"
    ]
    assert texts == ["security", "events", root]
    if "{" not in name:
        [statement] = statements(spark.of_lake(root, "events"), "spark")
        assert location(statement) == f"s3a://bucket/{name}"


def test_spark_reads_the_documents_of_an_archive(sample: Sample) -> None:
    table, view = statements(ct.ddl(sample.archive, "spark", table="security.events"), "spark")
    assert location(table) == f"file://{sample.archive}"
    assert (table.find(exp.Table).name, view.find(exp.Table).name) == ("events_files", "events")  # type: ignore[union-attr]  # both have one
    names = view.find(exp.Select).named_selects  # type: ignore[union-attr]  # it has one
    assert names == [name for name in ct.read(sample.archive).columns if name not in ("extra", "raw", "file", "record")]


# What is refused


@pytest.mark.parametrize(
    ("engine", "words"),
    [("athena", "reads buckets, and '.*' is a folder"), ("trino", "ctfast ingest puts the archive")],
)
def test_an_archive_that_an_engine_cannot_read(engine: Any, words: str, sample: Sample) -> None:
    with pytest.raises(ct.ArgumentError, match=rf'ddl\(\): engine="{engine}" .*{words}'):
        ct.ddl(sample.archive, engine)


@pytest.mark.parametrize("engine", ["athena", "trino"])
def test_a_lake_in_a_folder_is_for_no_engine_of_buckets(engine: Any, sample: Sample, tmp_path: Path) -> None:
    ct.Lake(tmp_path / "lake").ingest(sample.archive)
    with pytest.raises(ct.ArgumentError, match=rf'ddl\(\): engine="{engine}" reads buckets, and .*lake is a folder'):
        ct.ddl(tmp_path / "lake", engine)


@pytest.mark.parametrize(
    ("engine", "name"),
    [("duckdb", "a*b"), ("duckdb", "a\\b"), ("duckdb", "a[b"), ("spark", "a{b,c}"), ("spark", "${x}")],
)
def test_a_folder_that_an_engine_takes_for_another(engine: Any, name: str, sample: Sample, tmp_path: Path) -> None:
    archive = shutil.copytree(sample.archive, tmp_path / name)
    with pytest.raises(
        ct.ArgumentError, match=r"ddl\(\): source .*, which (DuckDB|Spark) takes for a (pattern|variable)"
    ):
        ct.ddl(archive, engine)


def test_sources_that_are_no_archive(sample: Sample, tmp_path: Path) -> None:
    file = next(sample.archive.rglob("*.json.gz"))
    with pytest.raises(ct.ArgumentError, match="is a file: name the folder of an archive"):
        ct.ddl(file, "duckdb")
    with pytest.raises(ct.ArgumentError, match=r"none of 1 file has a name of CloudTrail's: ctfast ingest"):
        ct.ddl(put(tmp_path / "others", "a.json.gz"), "duckdb")
    with pytest.raises(FileNotFoundError):
        ct.ddl(tmp_path / "nowhere", "duckdb")
    with pytest.raises(FileNotFoundError, match="holds no lake"):
        ct.ddl(ct.Lake(tmp_path / "no lake"), "spark")
    with pytest.raises(ct.ArgumentError, match="storage_options are for an address"):
        ct.ddl(ct.Lake(tmp_path / "no lake"), "spark", storage_options={"region": "eu-west-1"})


@pytest.mark.parametrize("table", ["", "a b", "a;b", "a.b.c", 'a"b', "1a", "a`", "ü", ".a", "a.", "a\n", "x" * 101])
def test_names_of_tables(table: str, sample: Sample) -> None:
    with pytest.raises(ct.ArgumentError, match=r"ddl\(\): table "):
        ct.ddl(sample.archive, "duckdb", table=table)


def test_the_command(sample: Sample) -> None:
    run = CliRunner().invoke
    done = run(main, ["lake", "ddl", str(sample.archive), "--engine", "duckdb", "--table", "logs"])
    assert (done.exit_code, done.stdout) == (0, ct.ddl(sample.archive, "duckdb", table="logs") + "\n")
    done = run(main, ["lake", "ddl", str(sample.archive), "--engine", "trino"])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith('ctfast: engine="trino" reads one document in a line')
    done = run(main, ["lake", "ddl", str(sample.archive), "--engine", "duckdb", "--table", "a b"])
    assert (done.exit_code, done.stderr.startswith("ctfast: table must be letters")) == (2, True)
