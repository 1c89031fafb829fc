"""What Trino's functions and operators give, by its documentation, and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

import ctfast as ct

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

EMPTY: list[str] = []


def value(expression: str, **options: Any) -> Any:
    frame = ct.sql(EMPTY, f"SELECT {expression} AS found", **options)
    assert frame.shape == (1, 1)
    return frame.item()


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type]  # numbers of a time


#: Where DuckDB, or sqlglot's translation, gives something else without a word.
DIFFERENCES = {
    "date_diff('hour', TIMESTAMP '2024-01-01 10:59:00', TIMESTAMP '2024-01-01 11:01:00')": 0,
    "date_diff('day', TIMESTAMP '2024-01-01 23:00:00', TIMESTAMP '2024-01-02 01:00:00')": 0,
    "date_diff('day', DATE '2024-01-01', DATE '2024-01-03')": 2,
    "date_diff('month', DATE '2024-01-31', DATE '2024-02-28')": 0,
    "date_diff('day', DATE '2024-01-03', DATE '2024-01-01')": -2,
    "5 / 2": 2,
    "-7 / 2": -3,
    "1 / 3.0": Decimal("0.3"),
    "2 / 3.0": Decimal("0.7"),
    "-2 / 3.0": Decimal("-0.7"),
    "201 / 200.00": Decimal("1.01"),
    "3 * 100.0 / 7": Decimal("42.9"),
    "1 / 2e0": 0.5,
    "1e0 / 0": float("inf"),
    "try(1 / 0)": None,
    "try(1 / 0.0)": None,
    "try(1 % 0)": None,
    "regexp_extract('abc', 'x(y)', 1)": None,
    "regexp_extract('abc', 'x')": None,
    "regexp_extract('a', '(b)?a', 1)": None,
    "regexp_extract('1a 2b 14m', '\\d+')": "1",
    "regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)": "a",
    "regexp_extract('key=', 'key=(.*)', 1)": "",
    "regexp_extract_all('1a 2b 14m', '\\d+')": ["1", "2", "14"],
    "regexp_extract_all('1a 2b 14m', '(\\d+)([a-z]+)', 2)": ["a", "b", "m"],
    "regexp_replace('1a 2b 14m', '\\d+[ab] ')": "14m",
    "regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')": "3ca 3cb 14m",
    "regexp_replace('aa', '(a)', '<$1>')": "<a><a>",
    "regexp_replace('a', 'a', 'US\\$')": "US$",
    "regexp_like('1a 2b 14m', '\\d+b')": True,
    "regexp_count('1a 2b 14m', '\\s*[a-z]+\\s*')": 3,
    "regexp_split('1a 2b 14m', '\\s*[a-z]+\\s*')": ["1", "2", "14", ""],
    "split_part('a/b', '/', 3)": None,
    "split_part('a/b', '/', 2)": "b",
    "split('a/b/', '/')": ["a", "b", ""],
    "json_extract_scalar('{\"a\":{\"b\":1}}', '$.a')": None,
    "json_extract_scalar('{\"a\":[1]}', '$.a')": None,
    "json_extract_scalar('{\"a\":null}', '$.a')": None,
    "json_extract_scalar('{\"a\":true}', '$.a')": "true",
    "json_extract_scalar('{\"a:b\":\"x\"}', '$.a:b')": "x",
    "json_extract_scalar('{\"a-b\":\"x\"}', '$.a-b')": "x",
    'json_extract_scalar(\'{"a b":"x"}\', \'$["a b"]\')': "x",
    'json_extract_scalar(\'{"a.b":{"c*":"x"}}\', \'$["a.b"]["c*"]\')': "x",
    "json_extract_scalar('[1, 2, 3]', '$[2]')": "3",
    "json_extract_scalar('{\"a\":\"\\ud800\"}', '$.a')": None,
    "json_extract_scalar('no JSON', '$.a')": None,
    "json_extract_scalar('{\"a\":1} x', '$.a')": None,
    "json_extract('{\"a\":{\"b\": 1}}', '$.a')": '{"b":1}',
    "substr('hello', 0)": "",
    "substr('hello', 2, 3)": "ell",
    "substr('hello', -3)": "llo",
    "substr('hello', -10)": "",
    "substr('hello', 9)": "",
    "substring('hello' from 2 for 2)": "el",
    "concat('a', NULL)": None,
    "'a' || NULL": None,
    "greatest(1, NULL)": None,
    "least(1, 2)": 1,
    "trim(chr(10) || ' x ')": "x",
    "length('é🦆')": 2,
    "CAST(2.5e0 AS BIGINT)": 3,
    "CAST(-2.5e0 AS BIGINT)": -3,
    "CAST(TIMESTAMP '2024-01-01 10:00:00' AS VARCHAR)": "2024-01-01 10:00:00.000",
    "CAST('abc' AS VARCHAR(2))": "ab",
    "TRY_CAST('1.5' AS BIGINT)": None,
    "TRY_CAST('x' AS DOUBLE)": None,
    "CAST(JSON '\"a\"' AS VARCHAR)": "a",
    "CAST(json_extract('{\"n\":\"12\"}', '$.n') AS BIGINT)": 12,
    "date_trunc('month', DATE '2024-02-29')": dt.date(2024, 2, 1),
    "DATE '2024-03-01' - INTERVAL '1' DAY": dt.date(2024, 2, 29),
    "date_add('month', 1, DATE '2024-01-31')": dt.date(2024, 2, 29),
    "day_of_week(DATE '2024-03-03')": 7,
    "week(DATE '2021-01-03')": 53,
    "year_of_week(DATE '2021-01-03')": 2020,
    "reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s * 10)": 750,
    "array_distinct(ARRAY[3, 1, 3])": [3, 1],
    "array_sort(ARRAY[3, NULL, 1])": [1, 3, None],
    "array_max(ARRAY[1, NULL])": None,
    "array_position(ARRAY['a', 'b'], 'c')": 0,
    "element_at(ARRAY[1, 2], 3)": None,
    "element_at(ARRAY[1, 2], -1)": 2,
    "element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')": None,
    "ARRAY[1, 2][2]": 2,
    "round(2.5e0)": 3.0,
    "round(-2.5e0)": -3.0,
    "typeof(1 / 2)": "integer",
    "typeof(round(2.345, 2))": "decimal(5, 3)",
}


@pytest.mark.parametrize("expression", DIFFERENCES)
def test_what_trino_gives(expression: str) -> None:
    found = value(expression)
    if hasattr(found, "to_list"):
        found = found.to_list()
    assert found == DIFFERENCES[expression]


#: Examples of Trino's documentation, and of AWS's, for the other functions.
EXAMPLES = {
    "coalesce(NULL, 'a')": "a",
    "nullif('a', 'a')": None,
    "if(1 > 2, 'a')": None,
    "CASE 1 WHEN 1 THEN 'one' ELSE 'other' END": "one",
    "lower('AbC') || upper('d')": "abcD",
    "concat_ws(',', 'a', NULL, 'b')": "a,b",
    "replace('arn:aws:s3:::b', 'arn:aws:s3:::')": "b",
    "reverse('abc')": "cba",
    "strpos('abc', 'c')": 3,
    "position('b' IN 'abc')": 2,
    "starts_with('abc', 'ab')": True,
    "lpad('7', 3, '0')": "007",
    "rpad('7', 3, '0')": "700",
    "translate('abc', 'ab', 'xy')": "xyc",
    "levenshtein_distance('abc', 'abd')": 1,
    "codepoint('a')": 97,
    "url_decode('a%20b+c')": "a b c",
    "url_extract_host('https://user@example.com:8/x')": "example.com",
    "to_hex(sha256(to_utf8('')))": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
    "to_hex(md5(to_utf8('a')))": "0CC175B9C0F1B6A831C399E269772661",
    "from_utf8(from_base64(to_base64(to_utf8('x'))))": "x",
    "from_utf8(from_hex('41'))": "A",
    "json_array_length('[1, 2, 3]')": 3,
    "json_array_length('{}')": None,
    "json_array_contains('[1, 2, 3]', 2)": True,
    'json_array_get(\'["a", "b"]\', 1)': '"b"',
    'json_size(\'{"x": {"a": 1, "b": 2}}\', \'$.x\')': 2,
    "json_size('{\"x\": [1, 2, 3]}', '$.x')": 3,
    "json_size('{\"x\": 1}', '$.x')": 0,
    "is_json_scalar('1')": True,
    "is_json_scalar('[1]')": False,
    "json_format(JSON '[1, 2]')": "[1,2]",
    "cardinality(ARRAY[1, 2])": 2,
    "cardinality(MAP(ARRAY['a'], ARRAY[1]))": 1,
    "contains(ARRAY['a'], 'a')": True,
    "array_join(ARRAY[1, NULL, 2], ',')": "1,2",
    "array_join(ARRAY[1, NULL, 2], ',', '?')": "1,?,2",
    "array_remove(ARRAY[1, 2, 1], 1)": [2],
    "array_intersect(ARRAY[1, 2], ARRAY[2, 3])": [2],
    "array_except(ARRAY[1, 2], ARRAY[2])": [1],
    "arrays_overlap(ARRAY[1], ARRAY[2])": False,
    "slice(ARRAY[1, 2, 3], 2, 2)": [2, 3],
    "flatten(ARRAY[ARRAY[1], ARRAY[2]])": [1, 2],
    "sequence(1, 5, 2)": [1, 3, 5],
    "sequence(DATE '2024-02-28', DATE '2024-03-01')": [
        dt.date(2024, 2, 28),
        dt.date(2024, 2, 29),
        dt.date(2024, 3, 1),
    ],
    "repeat('a', 2)": ["a", "a"],
    "filter(ARRAY[5, -6, NULL, 7], x -> x > 0)": [5, 7],
    "transform(ARRAY[5, 6], x -> x + 1)": [6, 7],
    "any_match(ARRAY[1, 2], x -> x = 2)": True,
    "all_match(ARRAY[1, 2], x -> x = 2)": False,
    "none_match(ARRAY[1, 2], x -> x = 3)": True,
    "zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x * y)": [3, 8],
    "map_keys(map_filter(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1))": ["b"],
    "element_at(transform_values(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1), 'a')": 2,
    "map_keys(transform_keys(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> upper(k)))": ["A"],
    "map_values(MAP(ARRAY['a'], ARRAY[1]))": [1],
    "MAP(ARRAY['a'], ARRAY[1])['a']": 1,
    "date('2024-03-01')": dt.date(2024, 3, 1),
    "date(TIMESTAMP '2024-03-01 23:59:59')": dt.date(2024, 3, 1),
    "date_format(TIMESTAMP '2024-03-01 08:05:09', '%Y-%m-%d %H:%i:%s')": "2024-03-01 08:05:09",
    "date_format(TIMESTAMP '2024-03-01 08:05:09', '%W %M %e %k %l %p %j')": "Friday March 1 8 8 AM 061",
    "date_parse('2024/03/01', '%Y/%m/%d')": utc(2024, 3, 1),
    "format_datetime(TIMESTAMP '2024-03-01 08:05:09', 'yyyy-MM-dd''T''HH:mm:ssZ')": "2024-03-01T08:05:09+0000",
    "parse_datetime('2024-03-01 08:05', 'yyyy-MM-dd HH:mm')": utc(2024, 3, 1, 8, 5),
    "from_iso8601_timestamp('2024-03-01T08:00:00+02:00')": utc(2024, 3, 1, 6),
    "from_iso8601_date('2024-03-01')": dt.date(2024, 3, 1),
    "from_unixtime(0)": utc(1970, 1, 1),
    "to_unixtime(TIMESTAMP '1970-01-02 00:00:00')": 86400.0,
    "to_iso8601(TIMESTAMP '2024-03-01 08:00:00')": "2024-03-01T08:00:00.000Z",
    "to_iso8601(DATE '2024-03-01')": "2024-03-01",
    "date_trunc('hour', TIMESTAMP '2024-03-01 08:05:09')": utc(2024, 3, 1, 8),
    "date_add('minute', 90, TIMESTAMP '2024-03-01 08:00:00')": utc(2024, 3, 1, 9, 30),
    "extract(hour FROM TIMESTAMP '2024-03-01 08:05:09')": 8,
    "hour(TIMESTAMP '2024-03-01 08:00:00' AT TIME ZONE 'America/New_York')": 3,
    "TIMESTAMP '2024-03-01 08:00:00' AT TIME ZONE 'America/New_York'": utc(2024, 3, 1, 8),
    "date_format(TIMESTAMP '2024-03-01 08:00:00' AT TIME ZONE 'Asia/Tokyo', '%H')": "17",
    "last_day_of_month(DATE '2024-02-01')": dt.date(2024, 2, 29),
    "millisecond(TIMESTAMP '2024-03-01 08:00:00.123')": 123,
    "quarter(DATE '2024-04-01') * 100 + doy(DATE '2024-01-31')": 231,
    "abs(-3)": 3,
    "ceil(1.2)": Decimal(2),
    "floor(-1.5e0)": -2.0,
    "truncate(1.9e0)": 1.0,
    "mod(7, 3)": 1,
    "power(2, 3)": 8.0,
    "sqrt(9)": 3.0,
    "sign(-2)": -1,
    "contains('10.0.0.0/8', CAST('10.1.2.3' AS IPADDRESS))": True,
    "contains('10.0.0.0/8', CAST('11.1.2.3' AS IPADDRESS))": False,
    "CAST('9.0.0.1' AS IPADDRESS) < IPADDRESS '10.0.0.0'": True,
    "CAST('2001:db8::1' AS IPADDRESS) = IPADDRESS '2001:0db8:0000::0001'": True,
    "CAST(lower('AWS Internal') AS IPADDRESS)": None,
    "CAST(lower('1.2.3.256') AS IPADDRESS)": None,
    "CAST(lower('::1') AS IPADDRESS) = IPADDRESS '::1'": True,
    "CAST(lower('2001:DB8::A:1') AS IPADDRESS) = IPADDRESS '2001:db8:0:0:0:0:a:1'": True,
    "CAST(lower('1::2::3') AS IPADDRESS)": None,
    "CAST(lower('172.31.255.255') AS IPADDRESS)": "172.31.255.255",
    "CAST('10.1.2.3' AS IPADDRESS)": "10.1.2.3",
    "1 IN (1, 2) AND 'a' LIKE 'A' = FALSE": True,
    "'10%' LIKE '10!%' ESCAPE '!'": True,
    "NULL IS DISTINCT FROM 1": True,
    "2 BETWEEN 1 AND 3": True,
    "now()": utc(2024, 3, 1),
    "current_date - INTERVAL '7' DAY": dt.date(2024, 2, 23),
    "date_add('day', -30, current_timestamp)": utc(2024, 1, 31),
}


@pytest.mark.parametrize("expression", EXAMPLES)
def test_examples(expression: str) -> None:
    found = value(expression, now="2024-03-01")
    if hasattr(found, "to_list"):
        found = found.to_list()
    assert found == EXAMPLES[expression]
