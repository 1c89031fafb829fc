"""A verification in the words of ``aws cloudtrail validate-logs``, for scripts and people that know them.

One block per account, region and trail. Findings that only ctfast has are in ctfast's words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._show.plain import plain

if TYPE_CHECKING:
    from ctfast._integrity.verification import Verification

__all__ = ["like_aws"]

_DIGEST = {
    "moved": "has been moved from its original location",
    "format": "invalid format",
    "members": "invalid format",
    "unreadable": "invalid format",
    "missing-digest": "not found",
    "signature": "signature verification failed",
    "no-signature": "signature verification failed",
    "previous-signature": "signature verification failed",
    "previous-hash": "signature verification failed",
}
_LOG = {
    "hash": "hash value doesn't match",
    "format": "invalid format",
    "unreadable": "invalid format",
    "missing-log": "not found",
    "members": "unexpected data after end of compressed stream",
    "trailing-bytes": "unexpected data after end of compressed stream",
}
_CHAIN = ["account", "region", "home_region", "trail"]


class _Printer:
    """Prints text to standard output and errors to standard error, with blank lines where AWS's tool has them."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._spaced = True

    def status(self, text: str) -> None:
        if self._verbose:
            self._spaced = False
            sys.stdout.write(f"{_plain(text)}\n")

    def error(self, text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(f"{_plain(text)}\n\n" if self._spaced else f"\n{_plain(text)}\n\n")
        sys.stderr.flush()
        self._spaced = True

    def words(self, text: str) -> None:
        sys.stdout.write(text if self._spaced else f"\n{text}")
        self._spaced = True


def like_aws(found: Verification, since: datetime | None, until: datetime | None, *, verbose: bool) -> None:
    """Print a verification that was made with ``details``."""
    chains = _with_missing(found).partition_by(_CHAIN, as_dict=True, maintain_order=True)
    logs = found.logs.partition_by("digest", as_dict=True, maintain_order=True)
    if found.digests.is_empty():
        sys.stdout.write("No digests found\n")
        printer = _Printer(verbose=verbose)
        for row in found.findings.filter(pl.col("severity") == "error").iter_rows(named=True):
            printer.error(f"{row['file'] or row['account']}\tINVALID: {row['message']}")
        return
    for (account, region, home, trail), digests in chains.items():
        known = digests.filter(pl.col("status") != "missing")
        start: Any = since or known["start"].min() or digests["end"].min()
        end: Any = until or digests["end"].max()
        printer = _Printer(verbose=verbose)
        arn = f"arn:{_ctfast.partition(home)}:cloudtrail:{home}:{account}:trail/{trail}"
        printer.words(f"Validating log files for trail {plain(arn)} between {_time(start)} and {_time(end)}\n\n")
        counts: dict[str, list[int]] = {"digest": [0, 0], "backfill digest": [0, 0], "log": [0, 0]}
        for backfill in (False, True):
            rows = digests.filter(pl.col("backfill") == backfill).sort("end", descending=True).to_dicts()
            for row, older in zip(rows, [*rows[1:], None], strict=False):
                _digest(row, found, printer, counts["backfill digest" if backfill else "digest"])
                if row["status"] == "valid":
                    for log in _rows(logs.get((row["file"],))):
                        _log(log, printer, counts["log"])
                if older and row["start"] and older["status"] != "missing" and _is_gap(found, row):
                    name = "(backfill) " if backfill else ""
                    times = f"{_time(older['end'])} and {_time(row['start'])}"
                    printer.error(f"{name}No log files were delivered by CloudTrail between {times}")
        for finding in _others(found, account, region):
            printer.error(finding)
        _summary(printer, digests, (start, end), counts)
        sys.stdout.write("\n")


def _with_missing(found: Verification) -> pl.DataFrame:
    """Return the digests, and the newest of each range of missing ones, the only one that AWS's tool names."""
    columns = [name for name in found.digests.columns if name in found.missing.columns and name != "start"]
    missing = found.missing.select(columns, status=pl.lit("missing"), reason=pl.lit("missing-digest"))
    return pl.concat([found.digests, missing], how="diagonal_relaxed").sort(
        *_CHAIN, "backfill", "end", maintain_order=True
    )


def _rows(frame: pl.DataFrame | None) -> list[dict[str, Any]]:
    return [] if frame is None else frame.to_dicts()


def _digest(row: dict[str, Any], found: Verification, printer: _Printer, counts: list[int]) -> None:
    prefix = "(backfill) " if row["backfill"] else ""
    name = f"{prefix}Digest file\ts3://{_location(row, found)}"
    if row["status"] == "valid":
        counts[0] += 1
        printer.status(f"{name}\tvalid")
        return
    counts[1] += 1
    reason = row["reason"]
    if reason in ("unknown-key", "key-region", "key-time"):
        words = f"public key not found in region {row['home_region']} for fingerprint {row['fingerprint']}"
    elif reason == "bad-key":
        words = f"Unable to load PKCS #1 key with fingerprint {row['fingerprint']}"
    else:
        words = _DIGEST.get(reason) or str(reason).replace("-", " ")
    printer.error(f"{name}\tINVALID: {words}")


def _log(row: dict[str, Any], printer: _Printer, counts: list[int]) -> None:
    name = f"Log file\ts3://{row['bucket']}/{row['key']}"
    counts[row["status"] != "valid"] += 1
    if row["status"] == "valid":
        printer.status(f"{name}\tvalid")
    else:
        printer.error(f"{name}\tINVALID: {_LOG.get(row['reason']) or str(row['reason']).replace('-', ' ')}")


def _location(row: dict[str, Any], found: Verification) -> str:
    """Return where AWS's tool would have found the digest; if it was moved, that is not the key in its text."""
    if row["bucket"] and row["reason"] != "moved":
        return f"{row['bucket']}/{row['key']}"
    bucket = found.digests["bucket"].drop_nulls().mode().to_list()
    place: str = row["file"]
    for root in found.roots:
        place = place.removeprefix(root.rstrip("/") + "/")
    return "/".join([*bucket[:1], *(place.removeprefix(f"{name}/") for name in bucket[:1])]) or place


def _is_gap(found: Verification, row: dict[str, Any]) -> bool:
    gaps = found.findings.filter(pl.col("reason") == "gap", pl.col("time") == row["start"])
    return not gaps.filter(pl.col("account") == row["account"], pl.col("trail") == row["trail"]).is_empty()


def _others(found: Verification, account: str, region: str) -> Iterator[str]:
    """Yield the findings of kinds that AWS's tool does not check."""
    mine = found.findings.filter(
        pl.col("account") == account, pl.col("region") == region, pl.col("severity") == "error"
    )
    theirs = [
        *_DIGEST,
        *_LOG,
        "unknown-key",
        "key-region",
        "key-time",
        "bad-key",
        "signature-algorithm",
        "hash-algorithm",
        "unsafe-name",
    ]
    several = found.missing.filter(pl.col("digests") > 1)["file"].implode()
    is_ours = ~pl.col("reason").is_in(theirs) | (pl.col("reason") == "missing-digest") & pl.col("file").is_in(several)
    for row in mine.filter(is_ours).iter_rows(named=True):
        yield f"{row['file'] or account}\tINVALID: {row['message']}"


def _summary(printer: _Printer, digests: pl.DataFrame, asked: tuple[Any, Any], counts: dict[str, list[int]]) -> None:
    start, end = asked
    printer.words(f"Results requested for {_time(start)} to {_time(end)}\n")
    valid = digests.filter(pl.col("status") == "valid")
    if not sum(map(sum, (counts["digest"], counts["backfill digest"]))):
        sys.stdout.write("No digests found\n")
        return
    if valid.is_empty():
        sys.stdout.write("No valid digests found in range\n")
    else:
        oldest: Any = valid["start"].min()
        newest: Any = valid["end"].max()
        first, last = max(oldest, start), min(newest, end)
        sys.stdout.write(f"Results found for {_time(first)} to {_time(last)}:\n")
    for name, (right, wrong) in counts.items():
        total = right + wrong
        if total:
            sys.stdout.write(f"\n{right}/{total} {name} files valid")
            if wrong:
                sys.stdout.write(f", {wrong}/{total} {name} files INVALID")
    sys.stdout.write("\n")


def _plain(text: str) -> str:
    """Return text with control characters escaped, except for the tabs between its parts."""
    return "\t".join(map(plain, text.split("\t")))


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
