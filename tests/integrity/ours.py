"""ctfast's verdicts in the words of the scenarios."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ctfast as ct
from chains import url
from tampering import Case

# Reasons of ctfast, in the words of the scenarios.
WORDS = {
    "format": "format",
    "moved": "moved",
    "unknown-key": "key",
    "key-region": "key",
    "bad-key": "key",
    "key-time": "window",
    "signature-algorithm": "algorithm",
    "hash-algorithm": "algorithm",
    "signature": "signature",
    "no-signature": "unsigned",
    "previous-hash": "contradicted",
    "previous-signature": "contradicted",
    "fork": "contradicted",
    "order": "contradicted",
    "discontinuity": "continuity",
    "missing-digest": "missing",
    "missing-log": "missing",
    "hash": "hash",
    "members": "trailing",
    "trailing-bytes": "trailing",
    "unsafe-name": "outside",
    "foreign-log": "foreign",
    "listed-twice": "duplicate",
    "digest-invalid": "unlisted",
    "unlisted": "unlisted",
}


@dataclass
class Verdicts:
    verification: Any
    files: dict[str, str] = field(default_factory=dict)


def verify(case: Case, folder: Path, **options: Any) -> Verdicts:
    """Write the scenario's archive as a download leaves it, and verify it offline."""
    roots = _write(case, folder)
    main = case.runs[0].trail.bucket if case.runs else case.bucket
    options = {
        "keys": {region: {"PublicKeyList": keys} for region, keys in case.keys.items()},
        "signatures": case.archive.signatures(),
        "since": case.since,
        "until": case.end,
        "map": {bucket: path for bucket, path in roots.items() if bucket != main},
        **options,
    }
    return read(ct.verify(roots[main], **options), roots)


def _write(case: Case, folder: Path) -> dict[str, Path]:
    case.archive.write(folder)
    return {bucket: folder / bucket for bucket in {*case.archive.buckets(), case.bucket}}


def read(verification: Any, roots: dict[str, Path]) -> Verdicts:
    verdicts = Verdicts(verification)
    names = {f"{path}{os.sep}": bucket for bucket, path in roots.items()}

    def address(file: str) -> str:
        for prefix, bucket in names.items():
            if file.startswith(prefix):
                return url(bucket, file.removeprefix(prefix).replace(os.sep, "/"))
        return file

    def say(file: str, word: str) -> None:
        if verdicts.files.get(file, "valid") == "valid":
            verdicts.files[file] = word

    for row in [*verification.digests.iter_rows(named=True), *verification.logs.iter_rows(named=True)]:
        # A file that lies in the archive has its own name; one that does not, the name that a digest gives it.
        found = address(row["file"])
        say(found if found.startswith("s3://") else url(row["bucket"], row["key"]), _word(row["status"], row["reason"]))
    for row in verification.unlisted.iter_rows(named=True):
        say(address(row["file"]), "unlisted")
    for row in verification.findings.iter_rows(named=True):
        if row["file"] and row["reason"] in WORDS:
            say(address(row["file"]), WORDS[row["reason"]])
    return verdicts


def _word(status: str, reason: str | None) -> str:
    return "valid" if status == "valid" else WORDS[reason or "format"]
