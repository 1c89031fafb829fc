"""A small signed CloudTrail archive for experiments, generated from code alone.

One day of two accounts in two regions: people, programs and services at work, and an incident. All of it is invented;
addresses, accounts and keys are of the ranges that are reserved for examples.

Examples
--------
>>> import tempfile
>>> from ctfast import sample
>>> with tempfile.TemporaryDirectory() as folder:
...     made = sample.write(folder)
...     sorted(path.name for path in made.archive.iterdir())
['AWSLogs']
"""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ctfast._arguments.gate import public
from ctfast.sample.cast import BUCKET, GLOBAL, HOME, TRAILS
from ctfast.sample.dice import ALPHANUMERIC, Dice
from ctfast.sample.digests import ALGORITHM, LogFile, chain, public_keys
from ctfast.sample.records import entries
from ctfast.sample.story import DAY

if TYPE_CHECKING:
    from ctfast.sample.records import Entry

__all__ = ["Sample", "write"]

Delivery = tuple[str, str, str, datetime]
"""Account, region, kind and name time of a file."""

# CloudTrail delivers about every five minutes, which would make hundreds of files out of a thousand events
INTERVAL = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Sample:
    """The paths and counts of a sample that `write` made.

    Attributes
    ----------
    archive
        The folder that contains `AWSLogs`, as if the bucket had been copied to it.
    keys
        The public keys, as `aws cloudtrail list-public-keys` prints them.
    signatures
        The signatures of the digest files, which S3 keeps as metadata of the objects: a JSON object from
        `bucket/key` to `{"signature": …, "signature-algorithm": …}`.
    bucket
        The name of the bucket that the digests give.
    files, records, digests
        How many log files (of all kinds), records in them, and digest files there are.
    """

    archive: Path
    keys: Path
    signatures: Path
    bucket: str
    files: int
    records: int
    digests: int


@public()
def write(folder: str | os.PathLike[str], *, seed: int = 0) -> Sample:
    """Write the sample archive below a folder.

    Parameters
    ----------
    folder
        Where to write; it is created if it does not exist.
    seed
        Different seeds give different archives, and the same seed the same one: every record, digest and signature byte
        for byte. (The gzip bytes around them are also the same, as long as Python's zlib is.)

    Returns
    -------
    Sample
        The paths of the archive, the keys and the signatures, and the counts.

    Raises
    ------
    FileExistsError
        If the folder already holds a sample. Nothing is ever overwritten.
    """
    folder = Path(folder)
    archive, keys, signatures_file = folder / BUCKET, folder / "keys.json", folder / "signatures.json"
    for path in (archive, keys, signatures_file):
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    logs = _log_files(entries(seed), seed)
    for log in logs:
        _put(archive, log.key, log.body)
    signatures = {}
    for account in TRAILS:
        for region in (HOME, GLOBAL):
            own = [log for log in logs if (log.account, log.region) == (account, region)]
            for digest in chain(account, region, own, seed):
                _put(archive, digest.key, digest.body)
                signatures[f"{BUCKET}/{digest.key}"] = {
                    "signature": digest.signature,
                    "signature-algorithm": ALGORITHM,
                }
    return Sample(
        archive=archive,
        keys=_write_json(keys, public_keys()),
        signatures=_write_json(signatures_file, signatures),
        bucket=BUCKET,
        files=len(logs),
        records=sum(log.records for log in logs),
        digests=len(signatures),
    )


def _log_files(found: list[Entry], seed: int) -> list[LogFile]:
    """Put the records into files, as they are delivered."""
    deliveries: dict[Delivery, list[Entry]] = defaultdict(list)
    for entry in found:
        name_time = DAY + ((entry.ready - DAY) // INTERVAL + 1) * INTERVAL
        deliveries[entry.account, entry.region, entry.kind, name_time].append(entry)
    return [_log_file(where, deliveries[where], seed) for where in sorted(deliveries)]


def _log_file(where: Delivery, held: list[Entry], seed: int) -> LogFile:
    account, region, kind, name_time = where
    dice = Dice(seed, account, region, kind, name_time)
    name = f"{account}_{kind}_{region}_{name_time:%Y%m%dT%H%MZ}_{dice.text(ALPHANUMERIC, 16)}.json.gz"
    # only roughly in order of time, as in CloudTrail's files
    shuffled = sorted(held, key=lambda entry: entry.moment + timedelta(seconds=dice.below(60)))
    content = {"Records": [entry.record for entry in shuffled]}
    return LogFile(
        account=account,
        region=region,
        key=f"AWSLogs/{account}/{kind}/{region}/{name_time:%Y/%m/%d}/{name}",
        body=json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(),
        delivered=name_time + timedelta(seconds=dice.between(90, 280)),
        oldest=min(entry.moment for entry in held),
        newest=max(entry.moment for entry in held),
        records=len(held),
    )


def _put(archive: Path, key: str, body: bytes) -> None:
    """Store an object under its key, compressed."""
    path = archive / key
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    # not gzip.compress, whose header differs between Python versions
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(body)
    _write(path, packed.getvalue())


def _write_json(path: Path, content: object) -> Path:
    _write(path, json.dumps(content, indent=4).encode() + b"\n")
    return path


def _write(path: Path, content: bytes) -> None:
    """Write a new file. It is not synced, since the sample can be made again."""
    with path.open("xb") as file:
        file.write(content)
