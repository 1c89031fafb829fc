"""The rows of the files of a verification, held against its tables and counts."""

from __future__ import annotations

from collections import Counter

import polars as pl

import ctfast as ct


def check(found: ct.Verification) -> pl.DataFrame:
    """Hold the rows of the files against the tables."""
    rows = found.files_scan().collect()
    as_row = {"file": "file", "outcome": "status", "reason": "reason"}
    tables = [table.select(**as_row) for table in (found.digests, found.logs)]
    stray = found.findings.filter(reason="stray").select("file", outcome=pl.lit("unverified"), reason="reason")
    of_digest = (pl.col("outcome") == "missing") & (pl.col("reason") == "missing-digest")
    others = rows.filter(~of_digest, ~pl.col("outcome").is_in(["unlisted", "bad"])).select(*as_row)
    assert Counter(others.rows()) == Counter(pl.concat([*tables, stray]).rows())
    assert Counter(rows.filter(outcome="unlisted")["file"]) == Counter(found.unlisted["file"])
    assert rows.filter(of_digest).height == found.missing["digests"].sum()
    assert set(found.missing["file"]) <= set(rows.filter(of_digest)["file"])
    assert rows.filter(of_digest)["file"].is_unique().all()
    tallies = zip(found.digest_counts, found.backfill_counts, found.log_counts, strict=True)
    proper = rows.filter(pl.col("reason").ne_missing("stray"))
    for outcome, count in zip(found.log_counts._fields, map(sum, tallies), strict=True):
        assert proper.filter(outcome=outcome).height == count
    assert rows.filter(pl.col("outcome") == "valid")["text_sha256"].null_count() == 0
    return rows
