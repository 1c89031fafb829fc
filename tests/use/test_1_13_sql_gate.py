"""1 of 9, item 13: SQL reads the table `events` and nothing else; other files and addresses are never opened."""

from __future__ import annotations

import mmap
import os
import pickle
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

import ctfast as ct
import ctfast.sample


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(ctfast.sample.write(tmp_path_factory.mktemp("sample")).archive)


class Store(ThreadingHTTPServer):
    """Counts connections."""

    connections = 0

    def verify_request(self, *_: object) -> bool:
        self.connections += 1
        return True


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class Pipe:
    """A named pipe that shows whether it is opened for reading: only then can its writer go on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_opened = False
        os.mkfifo(path)
        self._writer = Thread(target=self._write)
        self._writer.start()

    def _write(self) -> None:
        with self.path.open("wb"):
            self.is_opened = True

    def close(self) -> None:
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._writer.join()
        os.close(reader)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    made = Pipe(tmp_path / "pipe.csv")
    yield made
    made.close()


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


FUNCTIONS = [
    "read_csv",
    "READ_CSV",
    '"read_csv"',
    "read_parquet",
    "read_ipc",
    "read_json",
    "read_ndjson",
    "scan_csv",
    "anything",
]
PLACES = [
    "SELECT * FROM {}",
    "FROM {}",
    "SELECT * FROM {} AS t",
    "SELECT * FROM events CROSS JOIN {}",
    "SELECT * FROM events, {}",
    "SELECT eventName FROM events UNION SELECT a FROM {}",
    "SELECT eventName FROM events WHERE eventName IN (SELECT a FROM {})",
    "SELECT (SELECT max(a) FROM {}) FROM events",
    "SELECT eventName FROM events ORDER BY (SELECT max(a) FROM {})",
    "WITH t AS (SELECT * FROM {}) SELECT * FROM t",
    "EXPLAIN SELECT * FROM {}",
    "SELECT * FROM /* events */ {} -- events",
]


@pytest.mark.parametrize("place", PLACES)
def test_no_file_is_opened(place: str, archive: Path, pipe: Pipe) -> None:
    for function in FUNCTIONS if place == PLACES[0] else FUNCTIONS[:1]:
        with pytest.raises(ct.CloudTrailError) as refused:
            ct.sql(archive, place.format(f"{function}('{pipe.path}')"), dialect="polars")
        assert (refused.value.kind, refused.value.name.strip('"').lower()) == ("function", function.strip('"').lower())
        assert "'events'" in str(refused.value)
        assert not pipe.is_opened


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_address_is_asked(function: str, archive: Path, store: Store) -> None:
    url = f"http://127.0.0.1:{store.server_port}/x.parquet"
    with pytest.raises(ct.CloudTrailError):
        ct.sql(archive, f"SELECT * FROM {function}('{url}')", dialect="polars")
    assert store.connections == 0


def test_the_command_refuses_in_one_sentence(archive: Path, store: Store) -> None:
    query = f"SELECT * FROM read_parquet('http://127.0.0.1:{store.server_port}/x.parquet')"
    done = subprocess.run(
        [sys.executable, "-m", "ctfast", "sql", archive, query, "--dialect", "polars"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ctfast: read_parquet is not to be read: a query reads the table 'events'")
    assert done.stderr.count("\n") == 1
    assert store.connections == 0


@pytest.mark.parametrize("name", ["'/etc/passwd'", '"/etc/passwd"', "secret", "main.events", "'x.csv'"])
def test_no_other_table_is_read(name: str, archive: Path) -> None:
    secret = pl.DataFrame({"a": [1]})
    with pytest.raises(ct.CloudTrailError) as refused:
        ct.sql(archive, f"SELECT * FROM {name}", dialect="polars")
    assert (refused.value.kind, refused.value.name) == ("table", name.strip("'\""))
    assert secret.height == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t AS SELECT * FROM events",
        "DROP TABLE events",
        "TRUNCATE TABLE events",
        "DELETE FROM events WHERE eventName = 'x'",
        "INSERT INTO events VALUES (1)",
        "COPY events TO '/tmp/x'",
    ],
)
def test_what_is_no_query_is_refused(statement: str, archive: Path) -> None:
    with pytest.raises(ct.CloudTrailError) as refused:
        ct.sql(archive, statement, dialect="polars")
    assert (refused.value.kind, refused.value.name) == ("statement", statement.split(maxsplit=1)[0])
    again = pickle.loads(pickle.dumps(refused.value))
    assert isinstance(again, ct.QueryError)
    assert (str(again), again.kind, again.name) == (str(refused.value), "statement", refused.value.name)


def test_one_query_at_a_time(archive: Path) -> None:
    with pytest.raises(ct.CloudTrailError, match="2 statements"):
        ct.sql(archive, "SELECT 1; SELECT 2", dialect="polars")
    with pytest.raises(ct.CloudTrailError, match="nested deeper"):
        ct.sql(archive, f"SELECT {'+'.join(['record'] * 3_000)} FROM events", dialect="polars")
    with pytest.raises(
        pl.exceptions.SQLInterfaceError, match="sql parser error: Expected: an SQL statement, found: SELEC"
    ):
        ct.sql(archive, "SELEC 1", dialect="polars")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) AS n FROM events",
        "FROM events LIMIT 1",
        "SELECT userIdentity.arn FROM \"events\" AS e WHERE e.eventName LIKE 'Delete%' ORDER BY eventTime DESC LIMIT 2",
        (
            "WITH a AS (SELECT * FROM events), b AS (SELECT eventName FROM A) SELECT eventName, count(*) AS n FROM b"
            " GROUP BY 1"
        ),
        "SELECT a.eventID FROM events AS a JOIN events AS b ON a.eventID = b.eventID LIMIT 1",
        "SELECT * FROM (SELECT eventName FROM events) AS t WHERE eventName IN (SELECT eventName FROM events) LIMIT 1",
        "SELECT eventName FROM events UNION SELECT awsRegion FROM events",
        "SELECT * FROM (VALUES (1, 2)) AS t(a, b)",
        "SELECT * FROM UNNEST([1, 2]) AS t(a)",
        "SELECT * FROM generate_series(1, 5)",
        "SELECT 'read_csv(''/etc/passwd'')' AS words",
        "EXPLAIN SELECT * FROM events",
        "SHOW TABLES",
        "SELECT eventName, FROM events LIMIT 1;",
    ],
)
def test_queries_of_the_table_work(query: str, archive: Path) -> None:
    assert ct.sql(archive, query, dialect="polars").height > 0


def test_the_text_is_parsed_as_polars_parses_it(archive: Path) -> None:
    lock = tomllib.loads((Path(__file__).parents[2] / "Cargo.lock").read_text())
    ours = {package["version"] for package in lock["package"] if package["name"] == "sqlparser"}
    extension = import_module("polars._plr").__file__
    assert extension
    with Path(extension).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as binary:
        theirs = {found.decode() for found in re.findall(rb"/sqlparser-(\d+\.\d+\.\d+)/", binary)}
    assert ours == theirs
    # One version of the parser reads this as a table, the other refuses it.
    with pytest.raises(pl.exceptions.SQLInterfaceError):
        ct.sql(archive, "SELECT * FROM (TABLE events)", dialect="polars")


#: Queries that a parser with other rules for comments, quotes or line ends would read differently than Polars.
ODD = [
    "SELECT 1 AS a FROM events /* /* */ */ CROSS JOIN {}",
    "SELECT 1 AS a FROM events /*! CROSS JOIN {} */",
    "SELECT 1 AS a FROM events -- \n CROSS JOIN {}",
    "SELECT '\\' AS a FROM events CROSS JOIN {} --'",
    "SELECT * FROM\u00a0{}",
    "WITH events AS (SELECT * FROM {}) SELECT * FROM events",
    "SELECT * FROM (({})) AS t",
    "SELECT sum(1) OVER w FROM events WINDOW w AS (PARTITION BY (SELECT 1 FROM {}))",
    "SELECT * REPLACE ((SELECT 1 FROM {}) AS eventName) FROM events",
    "SELECT * FROM range(1, (SELECT 1 FROM {}))",
]


@pytest.mark.parametrize("odd", ODD)
def test_no_file_is_opened_from_odd_places(odd: str, archive: Path, pipe: Pipe) -> None:
    with pytest.raises(ct.CloudTrailError) as refused:
        ct.sql(archive, odd.format(f"read_csv('{pipe.path}')"), dialect="polars")
    assert (refused.value.kind, refused.value.name) == ("function", "read_csv")
    assert not pipe.is_opened
