"""Compares the files of a lake with the digests that CloudTrail signs, and stores what these prove.

A digest has the hash of the text of a file. What is compared with it is the text that was read into the lake: the hash
of a file that is read now is taken while it is read, and a file that was read before is read again, and counts only if
its bytes are those that were read then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ctfast import _ctfast
from ctfast._arguments.times import moment
from ctfast._integrity.public_keys import Keys
from ctfast._integrity.signatures import Signatures
from ctfast._integrity.verdict import verdict
from ctfast._integrity.verification import Verification
from ctfast._integrity.verify import run
from ctfast._lake import coverage
from ctfast._lake.audit import note
from ctfast._lake.ledger import Ledger
from ctfast._lake.noted import Noted
from ctfast._lake.table import LostRaceError, Snapshot, Table
from ctfast._lake.verdicts import PROVEN, READING, UNLISTED, placed, verdicts, write
from ctfast._later import pl
from ctfast._ledger.report import Limits
from ctfast._scan.options import Options
from ctfast._source.addresses import is_address, paths, whole

__all__ = ["Proven", "Signed", "archive_of", "prove"]

#: The verdicts on what digests cannot tell: the file is not the one that was read; its hash was not kept when it was.
_CHANGED, _UNHASHED = "changed", "unhashed"
_NAME = "verify"
#: Why time is uncovered of which there is a digest.
_INVALID = "digest-invalid"
#: Findings that an entry of the audit has.
_FINDINGS = 100
_PLACE = ["account", "region"]


@dataclass(frozen=True)
class Signed:
    """By what digests are verified."""

    keys: Keys
    signatures: Signatures | None = None
    #: Where the archive was copied from.
    origin: str | None = None


class Proven(NamedTuple):
    """What became of the files that were compared."""

    proven: int
    unproven: int
    verification: Verification | None


class _Span(NamedTuple):
    """Between which times of delivery something is verified."""

    since: datetime | None
    until: datetime | None


def prove(
    table: Table, options: Options, signed: Signed, noted: Noted, storage_options: Mapping[str, str] | None
) -> Proven:
    """Verify what is not proven of the archive, and commit the verdicts."""
    roots = archive_of(options)
    snapshot = table.open()
    below = _below(roots)
    known = verdicts(table.store, snapshot).filter(below).collect()
    asked = _asked(options)
    unproven = _unproven(Ledger(table.store, snapshot), below, known, options, asked)
    span = _narrowed(asked, unproven, known, coverage.covered(table.store, snapshot))
    if span.since is not None:
        unproven = unproven.filter(pl.col("delivered").is_null() | (pl.col("delivered") >= span.since))
    noted.read(options, unproven.join(noted.files(), on="file", how="anti")["file"].unique(maintain_order=True))

    def verified(span: _Span) -> Verification:
        return run(
            roots,
            noted.hashes,
            {
                "keys": signed.keys,
                "signatures": signed.signatures,
                "relocated_from": signed.origin,
                "accounts": _names(options, "accounts"),
                "regions": _names(options, "regions"),
                "since": span.since,
                "until": span.until,
                "limits": Limits(*options.run.limits),
                "storage_options": storage_options,
            },
        )

    found = _verified(verified, span, unproven)
    judged = _judged(unproven, found, noted, options)
    missing = _missing(found, known, Ledger(table.store, snapshot).rows().select("file").collect())
    _commit(table, pl.concat([judged, missing], how="diagonal"), found)
    proven = judged.filter(verdict=PROVEN)["file"].n_unique()
    return Proven(proven, judged["file"].n_unique() - proven, found)


def _names(options: Options, what: str) -> set[str] | None:
    names = options.chosen[what]
    return None if names is None else set(names)


def archive_of(options: Options) -> list[str]:
    """Return the folders and buckets of an archive, which digests are in as well.

    Raises
    ------
    NotADirectoryError
        It is a file.
    """
    named: Any = options.source  # no source of keys, which an ingest refuses
    roots = [each if is_address(each) else whole(each) for each in paths(named)]
    for root in roots:
        if not is_address(root):
            os.scandir(root).close()
    return roots


def _below(roots: list[str]) -> pl.Expr:
    """Whether a file lies in one of these places."""
    return pl.any_horizontal(pl.col("file").str.starts_with(f"{root.rstrip('/')}/") for root in roots)


def _asked(options: Options) -> _Span:
    """Return when what was asked for was delivered."""
    since, until = (moment(options.chosen[name]) for name in ("since", "until"))
    delay = options.chosen["max_delay"]
    if until is None or delay is None:
        return _Span(since, None)
    # Later deliveries cannot be asked for.
    return _Span(since, max(until, min(until + timedelta(microseconds=delay), datetime.now(UTC))))


def _unproven(ledger: Ledger, below: pl.Expr, known: pl.DataFrame, options: Options, asked: _Span) -> pl.DataFrame:
    """Return what was read of the archive and is not proven: the files, with what their names say.

    An earlier version of a file is compared once: then its verdict stays.
    """
    last = ledger.last_versions().filter(below).select(READING).collect()
    rows = ledger.rows().filter(below).select(*READING, "sha256").collect()
    rows = rows.join(known.select(*READING, "verdict"), on=READING, how="left", maintain_order="left")
    rows = pl.concat([rows.join(last, on=READING, how="semi"), rows.filter(pl.col("verdict").is_null())])
    rows = rows.unique(READING, keep="any", maintain_order=True)
    files = placed(rows.filter(pl.col("verdict").ne_missing(PROVEN)))
    chosen = {name: _names(options, f"{name}s") for name in _PLACE}
    conditions = [pl.col(name).is_in(list(names)) for name, names in chosen.items() if names is not None]
    if asked.since is not None:
        conditions.append(pl.col("delivered") >= asked.since)
    if asked.until is not None:
        conditions.append(pl.col("delivered") <= asked.until)
    return files.filter(conditions) if conditions else files


def _narrowed(asked: _Span, unproven: pl.DataFrame, known: pl.DataFrame, chains: coverage.Chains) -> _Span:
    """Return the time to verify: all before it is proven, and was covered or found not to be.

    A place of which nothing older is proven has no such time, and then all that was asked for is verified. Files of
    kinds that no digest lists do not count once that was said of them; those that are missing do.
    """
    first = known.filter(verdict=PROVEN).group_by(_PLACE).agg(pl.col("delivered").min().alias("first"))
    is_waiting = pl.col("delivered").is_not_null() & (pl.col("is_log") | pl.col("verdict").is_null())
    gone = known.filter(pl.col("split").is_null()).select(*_PLACE, "delivered")
    waiting = pl.concat([unproven.filter(is_waiting).select(*_PLACE, "delivered"), gone])
    oldest = waiting.group_by(_PLACE).agg(pl.col("delivered").min().alias("oldest"))
    places = oldest.join(first, on=_PLACE, how="left")
    has_older = (pl.col("first") < pl.col("oldest")).fill_null(value=False)
    here = set(first.select(_PLACE).iter_rows())
    ends = [chain.asked for name, chain in chains.items() if name[:2] in here]
    if not ends or not places.select(has_older.all()).item():
        return asked
    begin = min([*ends, *places["oldest"]])
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    return asked if asked.since is not None and asked.since >= day else asked._replace(since=day)


def _verified(verify: Callable[[_Span], Verification], span: _Span, unproven: pl.DataFrame) -> Verification:
    """Verify this time, without what only the name of a file claims that has a time after tomorrow.

    Where no end was asked for, a verification expects digests up to the newest name. Here that is the newest one of
    those before tomorrow, which a first verification finds among the digests.
    """
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    is_asked = span.until is not None or (span.since is not None and span.since >= tomorrow)
    if is_asked or unproven.filter(pl.col("delivered") > tomorrow).is_empty():
        return verify(span)
    found = verify(span._replace(until=tomorrow))
    there = found.ranges.filter((pl.col("range") == "found") | (pl.col("reason") == _INVALID))["end"]
    named = unproven.filter(pl.col("delivered") <= tomorrow)["delivered"]
    end = max([*there.drop_nulls(), *named], default=tomorrow)
    return found if end >= tomorrow else verify(span._replace(until=end))


def _judged(unproven: pl.DataFrame, found: Verification, noted: Noted, options: Options) -> pl.DataFrame:
    """Return the verdicts on the files. One that the verification does not speak of is listed by no digest."""
    is_valid = pl.col("outcome") == "valid"
    said = (
        found.files_scan()
        .join(unproven.lazy().select("file").unique(), on="file", how="semi")
        .group_by("file")
        .agg(is_valid.all(), pl.col("reason").filter(~is_valid).first(), pl.col("text_sha256").first())
        .collect()
        .rename({"outcome": "is_valid"})
    )
    lists = pl.col("digest").sort_by(pl.col("status") != "valid").first()
    digests = found.logs_scan().group_by("file").agg(lists).collect()
    unnoted = noted.unnoted(options, said.filter("is_valid")["file"])
    now = noted.files().select("file", pl.col("sha256").alias("now")).unique("file", keep="last")
    is_same = pl.col("sha256").eq(pl.col("now")).fill_null(value=False) & ~pl.col("file").is_in(list(unnoted))
    word = (
        pl.when(pl.col("is_valid").is_null())
        .then(pl.lit(UNLISTED))
        .when(~pl.col("is_valid"))
        .then("reason")
        .when(pl.col("sha256").is_null())
        .then(pl.lit(_UNHASHED))
        .when(is_same)
        .then(pl.lit(PROVEN))
        .otherwise(pl.lit(_CHANGED))
    )
    rows = unproven.drop("verdict").join(said, on="file", how="left", maintain_order="left")
    rows = rows.join(digests, on="file", how="left", maintain_order="left").join(
        now, on="file", how="left", maintain_order="left"
    )
    return rows.with_columns(verdict=word, verified=pl.lit(datetime.now(UTC)))


def _missing(found: Verification, known: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts on files that digests list, and that are gone and were never read; of each file one is kept."""
    gone = found.logs_scan().filter(status="missing").group_by("file").agg(pl.col("reason", "digest").first()).collect()
    gone = gone.drop_nulls("file").join(read, on="file", how="anti").join(known, on="file", how="anti")
    rows = placed(gone.rename({"reason": "verdict"})).drop("is_log")
    return rows.with_columns(split=pl.lit(None, pl.String()), verified=pl.lit(datetime.now(UTC)))


def _commit(table: Table, judged: pl.DataFrame, found: Verification) -> None:
    """Store the verdicts, and what is known of the time that digests cover."""
    while True:
        snapshot = table.open()
        version = snapshot.version + 1
        chains = coverage.merged(coverage.covered(table.store, snapshot), found.ranges)
        written = [coverage.write(table.store, _NAME, version, chains)]
        written += [] if judged.is_empty() else [write(table.store, _NAME, version, judged)]
        try:
            snapshot.commit([], [_entry(table, snapshot, judged, found, written), *written])
        except LostRaceError:
            # Their names have the version, so that only a commit of it, which is there now, can name them.
            latest = table.open()
            for path in written:
                if not latest.has(path):
                    table.store.remove(path)
            continue
        return


def _entry(table: Table, snapshot: Snapshot, judged: pl.DataFrame, found: Verification, written: list[str]) -> str:
    """Write the entry of the audit: what was asked, by which keys, and what came of it."""
    said = {name: str(value) if isinstance(value, datetime) else value for name, value in found.asked.items()}
    findings = found.findings_scan().select("severity", "reason", "message", "file").head(_FINDINGS).collect()
    counts = judged.group_by("verdict").len().sort("verdict").rows()
    return note(
        table.store,
        snapshot,
        _NAME,
        source=found.roots,
        asked=said,
        verdict=verdict(found),
        files=dict(counts),
        digests=found.digest_counts._asdict(),
        backfills=found.backfill_counts._asdict(),
        logs=found.log_counts._asdict(),
        keys=found.keys.rows(named=True),
        errors=found.errors,
        notes=found.notes,
        findings=findings.rows(named=True),
        written=written,
        ctfast=_ctfast.__version__,
    )
