"""ctfast's verdicts in the words of the scenarios."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from click.testing import CliRunner

import ctfast as ct
from cases import Case
from chains import HOUR, compact, iso, split, url
from ctfast import cli

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
    "foreign-digest": "foreign",
    "name-time": "time",
    "implausible-time": "time",
    "listed-twice": "duplicate",
    "digest-invalid": "unlisted",
    "unlisted": "unlisted",
}


# A file may be wrong in several ways, and another one may be reported first.
ALSO = {
    "signature": {"contradicted"},  # the next digest holds another hash or signature of it
    "trailing": {"hash", "format"},  # all members together have another hash
}


# Signed by CloudTrail itself and correct: worth a note, but no reason to distrust the file.
NOTES = {"duplicate", "foreign"}


@dataclass
class Verdicts:
    """For each file its verdicts: ``{"valid"}``, or others."""

    source: Path
    options: dict[str, Any]
    verification: Any
    files: dict[str, set[str]] = field(default_factory=dict)

    def differ(self, case: Case) -> dict[str, tuple[str, set[str]]]:
        """The files whose verdicts are not the expected one: the expected verdict, and the actual ones."""
        wrong = {}
        expected = case.stated
        for file in {*expected, *self.files} - {file for file, word in case.ours.items() if word == "out"}:
            word, said = expected.get(file, "silent"), self.files.get(file, {"silent"})
            if word in ("valid", "silent"):
                right = said - NOTES == {word}
            else:
                right = bool(said & {word, *ALSO.get(word, ())}) and ("valid" not in said or word in NOTES)
            if not right:
                wrong[file] = word, said
        return wrong


def verify(case: Case, folder: Path, **options: Any) -> Verdicts:
    """Write the scenario's archive as a download leaves it, and verify it offline."""
    roots = _write(case, folder)
    main = case.runs[0].trail.bucket if case.runs else case.bucket
    options = {
        "keys": {region: {"PublicKeyList": keys} for region, keys in case.keys.items()},
        "signatures": case.signatures,
        "since": case.since,
        "until": case.end,
        "map": {bucket: path for bucket, path in roots.items() if bucket != main},
        **options,
    }
    verdicts = Verdicts(roots[main], options, ct.verify(roots[main], **options))
    _read(verdicts, roots)
    return verdicts


def command(case: Case, folder: Path) -> tuple[int, str, str]:
    """Run ``ctfast verify --like-aws`` on the scenario's archive: exit code, output, errors."""
    roots = _write(case, folder)
    main = case.runs[0].trail.bucket
    keys, signatures = folder / "keys.json", folder / "signatures.json"
    keys.write_text(json.dumps({region: {"PublicKeyList": keys} for region, keys in case.keys.items()}))
    signatures.write_text(json.dumps(case.signatures))
    arguments = [
        "verify",
        str(roots[main]),
        "--like-aws",
        "--verbose",
        "--keys",
        str(keys),
        "--signatures",
        str(signatures),
    ]
    arguments += ["--since", iso(case.since), "--until", iso(case.end)]
    for bucket, path in roots.items():
        arguments += ["--map", f"{bucket}={path}"] if bucket != main else []
    result = CliRunner().invoke(cli.main, arguments, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def _write(case: Case, folder: Path) -> dict[str, Path]:
    case.archive.write(folder)
    roots = {bucket: folder / bucket for bucket in {*case.archive.buckets(), case.bucket}}
    for root in roots.values():
        root.mkdir(exist_ok=True)
    return roots


def _read(verdicts: Verdicts, roots: dict[str, Path]) -> None:  # noqa: C901  # five frames, one after another
    verification = verdicts.verification
    folders = {f"{path}{os.sep}": bucket for bucket, path in roots.items()}
    names: dict[str, str] = {}  # of files that are not there, as the findings call them

    def address(file: str) -> str | None:
        for prefix, bucket in folders.items():
            if file.startswith(prefix):
                return url(bucket, file.removeprefix(prefix).replace(os.sep, "/"))
        return names.get(file)

    listed: dict[str, set[str]] = {}
    for row in [*verification.digests.iter_rows(named=True), *verification.logs.iter_rows(named=True)]:
        file = address(row["file"]) or names.setdefault(row["file"], url(row["bucket"] or "", row["key"] or ""))
        listed.setdefault(file, set()).add(_word(row))
    for file in absent(verification):
        listed.setdefault(address(file) or file, set()).add("missing")
    for file, words in listed.items():
        # One valid digest that lists a log file is enough.
        verdicts.files[file] = words - {"unlisted"} or words
    found = [(row["file"], "unlisted", row["severity"]) for row in verification.unlisted.iter_rows(named=True)]
    findings = verification.findings.filter(pl.col("reason").is_in(list(WORDS)), pl.col("reason") != "missing-digest")
    found += [(row["file"], WORDS[row["reason"]], row["severity"]) for row in findings.iter_rows(named=True)]
    for name, word, severity in found:
        if name is not None and (about := address(name)) is not None:
            verdicts.files.setdefault(about, set()).add(word)
            if severity == "error":
                verdicts.files[about].discard("valid")
    # A missing file that only an invalid digest lists gets no verdict.
    for file in [file for file, words in verdicts.files.items() if words == {"unlisted"}]:
        bucket, key = split(file)
        if bucket not in roots or not (roots[bucket] / key).exists():
            del verdicts.files[file]


STAMP = re.compile(r"\d{4}/\d\d/\d\d/(?=[^/]+$)|\d{8}T\d{6}Z")


def absent(verification: Any) -> Iterator[str]:
    """The digests that are missing, one by one: by path, or by address where nothing lies at the key."""
    for row in verification.missing.iter_rows(named=True):
        file = row["file"] if row["file"] != row["key"] else url(row["bucket"], row["key"])
        yield file
        for hours in range(1, row["digests"]):
            end = row["end"] - hours * HOUR
            yield STAMP.sub(lambda found, end=end: f"{end:%Y/%m/%d}/" if "/" in found[0] else compact(end), file)


def _word(row: dict[str, Any]) -> str:
    if row["status"] == "valid":
        return "valid"
    if "digest" in row and row["reason"] in ("digest-invalid", "no-signature"):
        return "unlisted"
    return WORDS[row["reason"]]
