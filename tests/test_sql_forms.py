"""Clauses and expressions: what they give on rows that stand in the query, and which are refused, with what words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import ctfast as ct

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

EMPTY: list[str] = []
T = "(VALUES (1, 'a'), (2, 'b'), (2, NULL)) AS t(n, s)"
U = "(VALUES (2, 'x'), (3, 'y')) AS u(n, z)"

FORMS: dict[str, list[tuple[Any, ...]]] = {
    f"SELECT n, s FROM {T} ORDER BY n DESC, s": [(2, "b"), (2, None), (1, "a")],
    f"SELECT n, s FROM {T} ORDER BY s NULLS FIRST LIMIT 1": [(2, None)],
    f"SELECT s FROM {T} ORDER BY s DESC": [("b",), ("a",), (None,)],
    f"SELECT n * 2 AS m FROM {T} ORDER BY m DESC OFFSET 1 ROW FETCH FIRST 1 ROW ONLY": [(4,)],
    f"SELECT n FROM {T} ORDER BY n + 1 LIMIT ALL": [(1,), (2,), (2,)],
    f"SELECT DISTINCT n FROM {T} ORDER BY n": [(1,), (2,)],
    f"SELECT DISTINCT n + 1 FROM {T} ORDER BY (n + 1) DESC": [(3,), (2,)],
    f"SELECT DISTINCT (n) FROM {T} ORDER BY t.n DESC": [(2,), (1,)],
    f"SELECT array_agg(DISTINCT (n) ORDER BY n DESC) FROM {T}": [([2, 1],)],
    f"SELECT element_at(map_agg(n, n), 2), cardinality(map_agg(n, n)) FROM {T}": [(2, 2)],
    "SELECT CAST(d AS VARCHAR), CAST(max(d) OVER () AS VARCHAR) FROM (SELECT TIMESTAMP '2024-01-01 00:00:00'"
    " AT TIME ZONE 'UTC' AS d)": [("2024-01-01 00:00:00.000 UTC",) * 2],
    "SELECT 'a' IN (SELECT 'a'), json_parse('\"a\"') IN (SELECT 'a'), json_parse('\"a\"') IN ('a', 'b')": [(True,) * 3],
    f"SELECT t.n, z FROM {T} JOIN {U} ON t.n = u.n WHERE s = 'b'": [(2, "x")],
    f"SELECT * FROM {T} LEFT JOIN {U} USING (n) ORDER BY 1, 2": [(1, "a", None), (2, "b", "x"), (2, None, "x")],
    f"SELECT n, z FROM {T} RIGHT JOIN {U} USING (n) ORDER BY 1, 2": [(2, "x"), (2, "x"), (3, "y")],
    f"SELECT n FROM {T} FULL JOIN {U} USING (n) GROUP BY n ORDER BY n": [(1,), (2,), (3,)],
    f"SELECT u.* FROM {T} CROSS JOIN {U} WHERE t.n = 1 ORDER BY 1": [(2, "x"), (3, "y")],
    f"SELECT t.n, u.n FROM {T}, {U} WHERE t.n = u.n AND s IS NOT NULL": [(2, 2)],
    f"WITH a AS (SELECT n AS k FROM {T}), b(x) AS (SELECT max(k) FROM a) SELECT x, (SELECT count(*) FROM a) FROM b": [
        (2, 3)
    ],
    f"SELECT n FROM {T} UNION SELECT n FROM {U} ORDER BY n": [(1,), (2,), (3,)],
    f"SELECT n FROM {T} UNION ALL SELECT n FROM {U} ORDER BY 1 DESC LIMIT 2": [(3,), (2,)],
    f"SELECT n FROM {U} EXCEPT SELECT n FROM {T}": [(3,)],
    f"(SELECT n FROM {T} INTERSECT SELECT n FROM {U})": [(2,)],
    f"SELECT n, count(*), count(s) FROM {T} GROUP BY n HAVING count(*) > 1": [(2, 2, 1)],
    f"SELECT n, s, count(*) FROM {T} WHERE s IS NOT NULL GROUP BY ROLLUP (n, s) ORDER BY n, s": [
        (1, "a", 1),
        (1, None, 1),
        (2, "b", 1),
        (2, None, 1),
        (None, None, 2),
    ],
    f"SELECT n, s, count(*) FROM {T} GROUP BY GROUPING SETS ((n), ()) , s HAVING n = 1": [(1, "a", 1)],
    f"SELECT s, row_number() OVER (PARTITION BY n ORDER BY s), sum(n) OVER () FROM {T} ORDER BY s": [
        ("a", 1, 5),
        ("b", 1, 5),
        (None, 2, 5),
    ],
    f"SELECT sum(n) OVER w FROM {T} WINDOW w AS (ORDER BY n ROWS UNBOUNDED PRECEDING) ORDER BY 1": [
        (1,),
        (3,),
        (5,),
    ],
    f"SELECT sum(count(*)) OVER () FROM {T} GROUP BY n": [(3,), (3,)],
    f"SELECT count(*) FILTER (WHERE n = 2), count_if(s = 'a'), sum(n), avg(n), max_by(s, n) FROM {T} WHERE s > ''": [
        (1, 1, 3, 1.5, "b")
    ],
    f"SELECT listagg(s, '/') WITHIN GROUP (ORDER BY s DESC), array_join(array_agg(s ORDER BY s), '+') FROM {T}": [
        ("b/a", "a+b")
    ],
    f"SELECT listagg(s) WITHIN GROUP (ORDER BY s) FROM {T}": [("ab",)],
    f"SELECT listagg(s, '/') WITHIN GROUP (ORDER BY s) FROM {T}": [("a/b",)],
    "SELECT array_remove(ARRAY[1, 2], e.x) FROM (VALUES (1)) AS e(x)": [([2],)],
    f"SELECT approx_distinct(n), approx_percentile(n, 0.5), arbitrary(3), bool_or(n > 1), every(n > 1) FROM {T}": [
        (2, 2, 3, True, False)
    ],
    f"SELECT element_at(map_agg(s, n), 'b'), element_at(histogram(n), 2) FROM {T}": [(2, 2)],
    f"SELECT n FROM {T} WHERE n IN (SELECT n FROM {U}) AND s IN ('b', 'c')": [(2,)],
    f"SELECT n FROM {T} WHERE EXISTS (SELECT * FROM {U} WHERE u.n = t.n AND s = 'b')": [(2,)],
    f"SELECT n FROM {T} WHERE n >= ALL (SELECT n FROM {T}) AND n = ANY (SELECT n FROM {U}) AND s = 'b'": [(2,)],
    f"SELECT n FROM {T} WHERE (n, s) IN (SELECT 1, 'a')": [(1,)],
    "SELECT a, b FROM UNNEST(ARRAY[1, 2], ARRAY['x']) AS t(a, b) ORDER BY a": [(1, "x"), (2, None)],
    "SELECT a, n FROM UNNEST(ARRAY['x', 'y']) WITH ORDINALITY AS t(a, n) ORDER BY n": [("x", 1), ("y", 2)],
    "SELECT k, v FROM UNNEST(MAP(ARRAY['x'], ARRAY[1])) AS t(k, v)": [("x", 1)],
    "SELECT a, b FROM UNNEST(ARRAY[CAST(ROW(1, 'x') AS ROW(p BIGINT, q VARCHAR))]) AS t(a, b)": [(1, "x")],
    "SELECT r.q FROM UNNEST(ARRAY[CAST(ROW(1, 'x') AS ROW(p BIGINT, q VARCHAR))]) AS t(r)": [("x",)],
    'SELECT x.b, y FROM (VALUES \'{"l": [{"b": 1, "c": 2}], "s": ["u"]}\') AS t(j)'
    " CROSS JOIN UNNEST(CAST(json_extract(j, '$.l') AS ARRAY(ROW(b BIGINT)))) AS a(x)"
    " CROSS JOIN UNNEST(CAST(json_extract(j, '$.s') AS ARRAY(VARCHAR))) AS b(y)": [(1, "u")],
    "SELECT l, e FROM (VALUES (1, ARRAY[1]), (2, ARRAY[])) AS t(l, a) LEFT JOIN UNNEST(a) AS u(e) ON TRUE ORDER BY l": [
        (1, 1),
        (2, None),
    ],
    "SELECT CASE WHEN n > 1 THEN 'many' ELSE 'one' END, IF(n > 1, 1, 0) FROM (VALUES 1, 2) AS t(n) ORDER BY n": [
        ("one", 0),
        ("many", 1),
    ],
    "WITH t AS (SELECT TIMESTAMP '2024-01-01 20:00:00' AT TIME ZONE 'Asia/Tokyo' d) SELECT hour(d), date(d) FROM t": [
        (5, dt.date(2024, 1, 2))
    ],
    "SELECT 1 WHERE NOT (1 > 2 OR NULL IS NOT NULL)": [(1,)],
    "VALUES (1, 'a'), (2, 'b') ORDER BY 1 DESC LIMIT 1": [(2, "b")],
}


@pytest.mark.parametrize("query", FORMS)
def test_forms(query: str) -> None:
    assert ct.sql(EMPTY, query).rows() == FORMS[query]


TOKYO = "now() AT TIME ZONE 'Asia/Tokyo'"
#: The kind, the culprit, and words of the sentence.
REFUSED = {
    "SELECT nope": ("column", "nope", "no column 'nope'"),
    "SELECT evenName FROM events": ("column", "evenName", "did you mean 'eventName'?"),
    'SELECT eventName FROM events WHERE eventName = "x"': ("column", "x", "a text stands in single quotes"),
    "SELECT userIdentity.arm FROM events": ("column", "arm", "no field 'arm'; did you mean 'arn'?"),
    "SELECT resources.arn FROM events": ("column", "arn", "element_at"),
    "SELECT eventName.x FROM events": ("column", "x", "which has no fields"),
    "SELECT eventName AS n FROM events WHERE n = 'x'": ("column", "n", "repeat its expression"),
    "SELECT count(*) AS n FROM events GROUP BY n": ("column", "n", "repeat its expression"),
    "SELECT eventName, count(*) FROM events": ("column", "eventName", "neither in GROUP BY nor in an aggregate"),
    "SELECT eventName FROM events a JOIN events b ON a.eventID = b.eventID": ("column", "eventName", "say of which"),
    "SELECT 1 FROM events ORDER BY 2": ("column", "2", "there is no column 2"),
    "SELECT 1 FROM events, events": ("table", "events", "stands twice in FROM"),
    "SELECT 1 FROM vpc_flow_logs": ("table", "vpc_flow_logs", "no table"),
    "SELECT cont(*) FROM events": ("function", "cont", "did you mean 'count'?"),
    "SELECT substr('a')": ("function", "substr", "takes 2 to 3 arguments"),
    "SELECT rank()": ("function", "rank", "OVER"),
    "SELECT json_value('{}', 'lax $.a')": ("function", "json_value", "json_extract_scalar"),
    "SELECT string_agg(eventName, ',') FROM events": ("function", "string_agg", "listagg"),
    "SELECT eventName FROM events FETCH FIRST 1 ROWS WITH TIES": ("form", "WITH TIES", "rank()"),
    "WITH RECURSIVE t(n) AS (SELECT 1) SELECT n FROM t": ("form", "WITH RECURSIVE", "is not translated"),
    "SELECT 1 FROM events TABLESAMPLE BERNOULLI (10)": ("form", None, "is not translated"),
    "SELECT 1 FROM events NATURAL JOIN events b": ("form", None, "NATURAL"),
    "SELECT eventName FROM events WHERE eventName ILIKE 'x'": ("form", None, "lower(…) LIKE"),
    "SELECT regexp_like('a', '(?=b)')": ("form", "(?=b)", "look-around"),
    "SELECT regexp_extract('a', '(b*)?a', 1)": ("form", "regexp_extract", "cannot tell which"),
    "SELECT json_extract('{}', '$..a')": ("form", "$..a", "'$.key'"),
    "SELECT date_format(now(), '%Q')": ("form", "%Q", "not known here"),
    "SELECT date_trunc('fortnight', now())": ("form", "fortnight", "no unit of time"),
    "SELECT now() - INTERVAL '1.5' DAY": ("form", None, "INTERVAL '1' DAY"),
    "SELECT eventName FROM events WHERE eventName = 5": ("type", "text", "CAST"),
    "SELECT eventName FROM events WHERE eventTime > 'yesterday'": ("value", "yesterday", "is no time"),
    "SELECT 'a' + 1": ("type", "+", "takes numbers"),
    "SELECT sum('a')": ("type", "sum", "takes numbers"),
    "SELECT CASE WHEN TRUE THEN 1 ELSE 'a' END": ("type", "integer and varchar", "CAST"),
    "SELECT 1 UNION SELECT 'a'": ("type", "_col0", "CAST"),
    "SELECT 1 UNION SELECT 1, 2": ("form", "UNION", "1 and 2 columns"),
    "SELECT CAST(1e0 AS VARCHAR)": ("type", "double", "DECIMAL"),
    "SELECT CAST(1 AS UUID)": ("type", None, "is not known here"),
    "SELECT now() - now()": ("type", "_col0", "date_diff"),
    "SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Tokyo') AS d": ("type", "d", "date_format"),
    "SELECT now() AT TIME ZONE 'Asia/Tokyo' > now()": ("form", "AT TIME ZONE", "compare the time itself"),
    **dict.fromkeys(
        (
            f"SELECT {each.format(z=TOKYO)}"
            for each in (
                "to_unixtime({z})",
                "to_iso8601({z})",
                "date_diff('hour', {z}, now())",
                "date_add('hour', 1, {z})",
                "{z} + INTERVAL '1' HOUR",
                "({z}) - now()",
                "{z} < now() AT TIME ZONE '+01:00'",
            )
        ),
        ("form", "AT TIME ZONE", "the time itself"),
    ),
    "SELECT regexp_extract('ab', '(a)(b)', 1 + 1)": ("form", "regexp_extract", "whole number that stands in the query"),
    "SELECT sequence(1, 5, -1)": ("value", None, "leads away"),
    "SELECT slice(ARRAY[1], 0, 1)": ("value", None, "start at 1"),
    "SELECT transform(ARRAY[1], _ctfast_e -> 1)": ("column", "_ctfast_e", "kept for the translation"),
    "SELECT eventName FROM events WHERE eventName": ("type", "eventName", "a condition is needed"),
    "SELECT CAST('1.5' AS BIGINT)": ("value", None, "Cannot cast 1.5 to BIGINT"),
    "SELECT 1 / 0": ("value", None, "Division by zero (try(…)"),
    "SELECT ARRAY[1][2]": ("value", None, "out of bounds"),
    "SELECT MAP(ARRAY['a'], ARRAY[1])['b']": ("value", None, "Key not present in map: b"),
    f"SELECT DISTINCT n FROM {T} ORDER BY s": ("form", "s", "is no column of SELECT DISTINCT"),
    f"SELECT DISTINCT n FROM {T} ORDER BY n + 1": ("form", "n + 1", "is no column of SELECT DISTINCT"),
    f"SELECT DISTINCT n AS s FROM {T} ORDER BY t.s": ("form", "t.s", "is no column of SELECT DISTINCT"),
    f"SELECT DISTINCT count(*) FROM {T} GROUP BY n ORDER BY max(s)": ("form", None, "is no column of SELECT DISTINCT"),
    f"SELECT array_agg(DISTINCT n ORDER BY s) FROM {T}": ("form", "s", "is ordered by what it takes"),
    f"SELECT listagg(DISTINCT s, ',') WITHIN GROUP (ORDER BY n) FROM {T}": ("form", "n", "is ordered by what it takes"),
    f"SELECT map_agg(n, s) OVER () FROM {T}": ("form", "map_agg", "use a sub-query and GROUP BY"),
    f"SELECT map_agg(DISTINCT n, s) FROM {T}": ("form", "map_agg", "use a sub-query and GROUP BY"),
    f"SELECT multimap_agg(n, s) FROM {T}": ("function", "multimap_agg", "array_agg with GROUP BY"),
    "SELECT map(ARRAY[1, 1], ARRAY[2, 3])": ("value", None, "duplicate map keys are not allowed"),
    "SELECT map(ARRAY[NULL, 1], ARRAY[2, 3])": ("value", None, "a map key cannot be NULL"),
    "SELECT map(ARRAY[1, 2], ARRAY[2])": ("value", None, "as many keys as values"),
    "SELECT transform_keys(map(ARRAY[1, 2], ARRAY[3, 4]), (k, v) -> 0)": ("value", None, "duplicate map keys"),
    "WITH a AS (SELECT 1), A AS (SELECT 2) SELECT * FROM a": ("table", "A", "WITH names 'A' twice"),
    "SELECT zip_with(ARRAY[1], ARRAY[2], (x, X) -> x)": ("function", "zip_with", "gives two values one name"),
    "SELECT CAST(ROW(1, 2) AS ROW(x BIGINT, X BIGINT))": ("type", None, "two fields of one name"),
    "SELECT CAST('a' AS VARCHAR(MAX))": ("type", "VARCHAR(MAX)", "write VARCHAR"),
    "SELECT CAST('a' AS VARCHAR(99999999999))": ("type", "VARCHAR(99999999999)", "write VARCHAR"),
    "SELECT CAST(1 AS DECIMAL(50, 2))": ("type", "DECIMAL(50, 2)", "38 digits at most"),
    "SELECT CAST(1 AS DECIMAL(5, 9))": ("type", "DECIMAL(5, 9)", "38 digits at most"),
    "SELECT CAST(1 AS DECIMAL(MAX))": ("type", "DECIMAL(MAX)", "38 digits at most"),
    "SELECT CAST(ARRAY[1] AS MAP(VARCHAR))": ("type", "MAP(VARCHAR)", "is not known here"),
    "SELECT CAST(ARRAY[1] AS ARRAY)": ("type", "ARRAY", "is not known here"),
    "SELECT CAST(ROW(1) AS ROW)": ("type", "ROW", "is not known here"),
    "SELECT now() - INTERVAL '--1' DAY": ("form", None, "INTERVAL '1' DAY"),
    "SELECT now() - INTERVAL '٣' DAY": ("form", None, "INTERVAL '1' DAY"),
    "SELECT now() - INTERVAL '99999999999999999999' DAY": ("form", None, "INTERVAL '1' DAY"),
    f"SELECT {'9' * 5_000}": ("value", f"{'9' * 19}…", "has 5,000 digits"),
    f"SELECT 1.{'9' * 5_000}": ("value", f"1.{'9' * 17}…", "has 5,001 digits"),
    f"SELECT 1 FROM {T} LIMIT {'9' * 5_000}": ("value", f"{'9' * 19}…", "has 5,000 digits"),
    f"SELECT 1 FROM {T} LIMIT {'9' * 20}": ("form", "9" * 20, "below 2^63"),
    f"SELECT 1 FROM {T} ORDER BY {'9' * 5_000}": ("column", None, "there is no column 9"),
    "SELECT 0b101": ("syntax", "0b101", "is no number here"),
    "SELECT 0x1F": ("syntax", "0x1F", "is no number here"),
    "SELECT 1a": ("syntax", "1a", "stands in double quotes"),
    "SELECT 1.5x": ("syntax", "1.5x", "is no number here"),
    "SELECT coalesce(json_parse('1'), 'b')": ("type", "json and varchar", "write CAST(…)"),
    "SELECT IF(TRUE, json_parse('1'), 'b')": ("type", "json and varchar", "CAST"),
    "SELECT CASE WHEN TRUE THEN json_parse('1') ELSE 'b' END": ("type", "json and varchar", "CAST"),
    "SELECT ARRAY[json_parse('1'), 'b']": ("type", "json and varchar", "CAST"),
    "SELECT greatest(json_parse('1'), 'b')": ("type", "json and varchar", "CAST"),
    "SELECT nullif(json_parse('1'), 'b')": ("type", "nullif", "a json and a varchar"),
    "SELECT json_parse('1') UNION SELECT 'b'": ("type", "_col0", "json and varchar"),
    "VALUES json_parse('1'), 'b'": ("type", "VALUES", "different types"),
    "SELECT 'a' IN (SELECT json_parse('1'))": ("type", "_col0", "a sub-query that has a json"),
    "SELECT 'a' = ANY (SELECT json_parse('1'))": ("type", "_col0", "a sub-query that has a json"),
    "SELECT (1, 'a') IN (SELECT 1, json_parse('1'))": ("type", "_col1", "a sub-query that has a json"),
    "SELECT (1, 'a') IN (SELECT 1)": ("form", "IN", "a row of 2 values"),
    "SELECT contains(ARRAY[json_parse('1')], 'a')": ("type", "contains", "one of its elements"),
    "SELECT lower(json_parse('\"a\"'))": ("type", "lower", "json_extract_scalar(…) has its text"),
    "SELECT array_position(ARRAY['1'], 1)": ("type", None, "do not become one type"),
    "SELECT array_union(ARRAY['1'], ARRAY[1])": ("type", None, "do not become one type"),
    "SELECT ARRAY['1'] || ARRAY[1]": ("type", None, "do not become one type"),
    "SELECT element_at(MAP(ARRAY['1'], ARRAY[1]), 1)": ("type", None, "do not become one type"),
    "SELECT lag(1, 1, 'a') OVER ()": ("type", "lag", "integer and varchar"),
    "SELECT repeat('a', 1000000000)": ("value", None, "10000 elements at most"),
    "SELECT now() AT TIME ZONE 'Nowhere/X'": ("value", "Nowhere/X", "is no time zone"),
    "SELECT now() AT TIME ZONE 'UTC+1'": ("value", "UTC+1", "is no time zone"),
    "SELECT now() AT TIME ZONE '+15:00'": ("value", "+15:00", "is no time zone"),
    "SELECT CAST(from_iso8601_timestamp('2024-03-01T08:00:00+02:00') AS VARCHAR)": ("form", "CAST", "date_format(…)"),
    "SELECT 1 FROM <vpc flow logs>": ("table", "vpc_flow_logs", "no table"),
    "SELECT 1 FROM": ("syntax", None, "cannot be read"),
    "SELECT 'a": ("syntax", None, "cannot be read"),
    "": ("syntax", None, "there is no query"),
    "SELECT (": ("syntax", None, "cannot be read"),
    "SELECT 1; SELECT 2": ("statements", "2", "one query at a time"),
    "SHOW TABLES": ("statement", "SHOW", "is no query"),
    f"SELECT {'+'.join(['1'] * 3_000)}": ("too-deep", "", "nested too deep"),
    f"SELECT {'(' * 3_000}1": ("too-deep", None, "nested too deep"),
}


@pytest.mark.parametrize("query", REFUSED, ids=lambda query: query[:60])
def test_refusals(query: str) -> None:
    kind, culprit, words = REFUSED[query]
    with pytest.raises(ct.QueryError) as refused:
        ct.sql(EMPTY, query)
    assert (refused.value.kind, "\n" in str(refused.value)) == (kind, False)
    assert words in str(refused.value)
    assert culprit is None or refused.value.name == culprit


NATIVE = {
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t": [(1,), (2,), (3,)],
    "SELECT 5 / 2, 5 // 2, [1, 2][1], {'a': 1}.a, list_transform([1], lambda x: x + 1)": [(2.5, 2, 1, 1, [2])],
    "FROM (VALUES (1), (2)) t(n) SELECT n QUALIFY row_number() OVER (ORDER BY n DESC) = 1": [(2,)],
    "SELECT n, count(*) AS c FROM range(3) t(n) GROUP BY ALL ORDER BY ALL": [(0, 1), (1, 1), (2, 1)],
    "SELECT '{\"a\": {\"b\": 1}}' ->> '$.a.b', json_extract_scalar('{\"a:b\": 1}', '$.a:b')": [("1", "1")],
    "SELECT 'abc' ILIKE 'A%', string_agg(s, ',') FROM (VALUES ('a')) t(s)": [(True, "a")],
    "SELECT $x, ${x}, ?": [("v", "v", "first")],
}


@pytest.mark.parametrize("query", NATIVE)
def test_duckdb_keeps_its_own_meaning(query: str) -> None:
    params = {"x": "v", "1": "first"} if "$x" in query else None
    found = ct.sql(EMPTY, query, dialect="duckdb", params=params).rows()
    assert found == NATIVE[query]


def test_duckdb_reads_events(tmp_path_factory: pytest.TempPathFactory) -> None:
    log = tmp_path_factory.mktemp("log") / "log.json"
    record = '{"eventID": "1", "eventName": "PutObject", "requestParameters": {"bucketName": "b"}}'
    log.write_text(f'{{"Records": [{record}]}}')
    query = (
        "SELECT e.eventName, e.requestParameters ->> 'bucketName' FROM cloudtrail_logs e WHERE eventName LIKE 'Put%'"
    )
    assert ct.sql(log, query, dialect="duckdb").rows() == [("PutObject", "b")]
    assert ct.sql(log, "FROM events SELECT requestParameters.bucketName", dialect="duckdb").item() == "b"
    with pytest.raises(ct.QueryError, match="no column 'evenName'"):
        ct.sql(log, "SELECT evenName FROM events", dialect="duckdb")
    for query in (
        "WITH t AS (SELECT n FROM t) SELECT * FROM t",
        "WITH RECURSIVE t AS (SELECT n FROM t) SELECT * FROM t",
    ):
        with pytest.raises(ct.QueryError, match="t reads itself, which takes WITH RECURSIVE, and a first query"):
            ct.sql(log, query, dialect="duckdb")
