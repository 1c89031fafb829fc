"""An S3 Inventory as a list of objects: :class:`Inventory`."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from urllib.parse import unquote_plus

from ctfast._arguments.gate import public
from ctfast._aws import client as aws
from ctfast._later import pa, pq
from ctfast._show.words import quoted
from ctfast._source.buckets import bucket_of, wrong_bucket
from ctfast._source.object_keys import KeySource, Object
from ctfast.exceptions import FormatError, ServiceError

__all__ = ["Inventory"]

_BUCKET_ARN = re.compile(r"arn:[a-z-]+:s3:::(.+)")
_BLOCK = 1 << 20
_NOT_FOUND = 404
#: Rows of a Parquet file that are held at once.
_ROWS = 20_000
#: The largest manifest, in bytes: a hundred thousand files take a third of it.
_MANIFEST = 64 << 20
#: The longest row of a CSV file, in characters: a key takes up to 3,072.
_ROW = 64 << 10
#: The largest size.
_SIZES = range(1 << 63)
#: Names of the columns in a CSV schema, and in a Parquet file.
_COLUMNS = {
    "Bucket": "bucket",
    "Key": "key",
    "Size": "size",
    "IsLatest": "is_latest",
    "IsDeleteMarker": "is_delete_marker",
}


class _Row(NamedTuple):
    bucket: str
    key: str
    size: int | None
    latest: bool
    deleted: bool


class Inventory(KeySource):
    """An S3 Inventory: all objects of a bucket, without a request to list them.

    CSV and Parquet inventories are read file by file, after a check against the MD5 checksum in the manifest. Keys are
    URL-decoded if the format encodes them. Objects that are not CloudTrail's, old versions and delete markers are
    skipped and counted.

    An inventory is a day old or more, and lacks what was delivered since. Objects come in the order of the inventory.

    Parameters
    ----------
    manifest
        Its ``manifest.json``: ``s3://bucket/key`` (needs ``ctfast[aws]``), or a local path, with the files of the
        inventory below it as in the bucket.
    client
        A boto3 S3 client, for other credentials or endpoints than the default ones.

    Raises
    ------
    FileNotFoundError
        The manifest or one of its files does not exist. Like the errors below, it is raised when the query runs.
    ServiceError
        S3 refuses, or does not answer.
    FormatError
        The manifest is invalid, or of an unsupported format (ORC), or a file of the inventory differs from the manifest
        or contains impossible keys.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.Inventory("s3://inventories/logs/all/2025-03-12T01-00Z/manifest.json")
    Inventory('s3://inventories/logs/all/2025-03-12T01-00Z/manifest.json')

    Notes
    -----
    The format is described in "Locating your inventory list" in AWS's S3 user guide.
    """

    @public()
    def __init__(self, manifest: str | os.PathLike[str], *, client: Any = None) -> None:
        super().__init__()
        self._manifest = os.fspath(manifest)
        self._client = client

    def __repr__(self) -> str:
        """Return where the inventory is."""
        return f"Inventory({self._manifest!r})"

    @property
    def place(self) -> str:
        """The inventory."""
        return f"the inventory {self._manifest}"

    def _again(self) -> Inventory | None:
        return None if self._manifest.startswith("s3://") else Inventory(self._manifest)

    def _objects(self) -> Iterator[Object]:
        with self._opened(self._manifest) as path:
            manifest = self._parsed(path)
        read = {"CSV": _csv_rows, "Parquet": _parquet_rows}.get(str(manifest.get("fileFormat")))
        if read is None:
            raise self._wrong(
                f"an inventory in {quoted(manifest.get('fileFormat'))} is not read, but in CSV or Parquet"
            )
        for part in manifest["files"]:
            name = self._place(manifest, part["key"])
            with self._opened(name) as path:
                _check(path, name, part.get("MD5checksum"))
                try:
                    for row in read(path, str(manifest.get("fileSchema", ""))):
                        yield from self._of_row(row)
                except (OSError, EOFError, zlib.error, csv.Error, ValueError, LookupError, pa.ArrowException) as error:
                    message = f"not a file of an inventory: {error}"
                    raise FormatError(message, name, None, None, "invalid-inventory", f"{name}: {message}") from None

    def _of_row(self, row: _Row) -> Iterator[Object]:
        if wrong := wrong_bucket(row.bucket):
            raise ValueError(wrong)
        if row.size is not None and row.size not in _SIZES:
            raise ValueError(f"a size of {row.size} bytes")
        if row.deleted:
            self._pass("deleted", f"s3://{row.bucket}/{row.key}", row.size)
        elif not row.latest:
            self._pass("version", f"s3://{row.bucket}/{row.key}", row.size)
        else:
            yield from self._cloudtrail(row.bucket, row.key, row.size)

    def _parsed(self, path: Path) -> dict[str, Any]:
        with path.open("rb") as file:
            text = file.read(_MANIFEST + 1)
        if len(text) > _MANIFEST:
            raise self._wrong("the manifest has more than 64 MiB")
        try:
            manifest: dict[str, Any] = json.loads(text)
        except (ValueError, RecursionError):
            raise self._wrong("the manifest is not JSON") from None
        files = manifest.get("files") if isinstance(manifest, dict) else None
        if not isinstance(files, list) or not all(
            isinstance(file, Mapping)
            and isinstance(file.get("key"), str)
            and isinstance(file.get("MD5checksum", ""), str)
            for file in files
        ):
            raise self._wrong("no manifest of an inventory: it lacks a list of files with their keys")
        for member in ("sourceBucket", "destinationBucket"):
            name = str(manifest.get(member) or "")
            arn = _BUCKET_ARN.fullmatch(name)
            if name and (wrong := wrong_bucket(arn.group(1) if arn else name)):
                raise self._wrong(f"{member}: {wrong}")
        return manifest

    def _wrong(self, message: str) -> FormatError:
        return FormatError(message, self._manifest, None, None, "invalid-inventory", f"{self._manifest}: {message}")

    def _place(self, manifest: Mapping[str, Any], key: str) -> str:
        """Return where a file of the inventory is: in the destination bucket, or in the manifest's folder."""
        if self._manifest.startswith("s3://"):
            arn = _BUCKET_ARN.fullmatch(str(manifest.get("destinationBucket")))
            return f"s3://{arn.group(1) if arn else self._manifest.split('/')[2]}/{key}"
        if any(part in {"", ".", ".."} for part in key.split("/")) or "\0" in key:
            raise self._wrong(f"{quoted(key)} names no file below the manifest's folders")
        for folder in Path(self._manifest).absolute().parents:
            if (folder / key).is_file():
                return str(folder / key)
        raise FileNotFoundError(2, "no folder above the manifest has this file of the inventory", key)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Path]:
        """Fetch a file, if it is in S3, and keep it while it is read."""
        if not name.startswith("s3://"):
            yield Path(name)
            return
        bucket = bucket_of(name)
        if self._client is None:
            session = aws.session(None, "an inventory")
            with aws.asking("a client", name):
                self._client = session.client("s3")
        key = name.removeprefix("s3://").partition("/")[2]
        with tempfile.TemporaryDirectory(prefix="ctfast-inventory-") as folder:
            path = Path(folder, "part")
            try:
                with aws.asking("GetObject", name):
                    self._client.download_file(bucket, key, str(path))
            except ServiceError as error:
                if error.status == _NOT_FOUND:
                    raise FileNotFoundError(2, "no such object", name) from None
                raise
            yield path


def _check(path: Path, name: str, expected: str | None) -> None:
    """Compare a file with its checksum in the manifest."""
    if expected is None:
        return
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != expected.lower():
        message = f"its MD5 is {digest.hexdigest()}, but the manifest says {expected}"
        raise FormatError(message, name, None, None, "invalid-inventory", f"{name}: {message}")


def _csv_rows(path: Path, schema: str) -> Iterator[_Row]:
    """Rows of a CSV file: the manifest names its columns, and keys are encoded as in a web form."""
    names = [name.strip() for name in schema.split(",")]
    at = {name: names.index(name) for name in _COLUMNS if name in names}
    bucket, key, size = at["Bucket"], at["Key"], at.get("Size")
    latest, deleted = at.get("IsLatest"), at.get("IsDeleteMarker")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.reader(_rows(file)):
            yield _Row(
                row[bucket],
                unquote_plus(row[key], errors="strict"),
                int(row[size]) if size is not None and row[size] else None,
                latest is None or row[latest].lower() != "false",
                deleted is not None and row[deleted].lower() == "true",
            )


def _rows(file: TextIO) -> Iterator[str]:
    """Yield lines, none longer than a row can be."""
    while line := file.readline(_ROW):
        if len(line) == _ROW:
            raise ValueError("a row of more than 65,536 characters")
        yield line


def _parquet_rows(path: Path, _schema: str) -> Iterator[_Row]:
    """Rows of a Parquet file, which has its own schema and plain keys."""
    with pq.ParquetFile(path) as file:
        present = [name for name in _COLUMNS.values() if name in file.schema_arrow.names]
        for batch in file.iter_batches(_ROWS, columns=present):
            columns = {name: batch.column(name).to_pylist() for name in present}
            nothing = [None] * batch.num_rows
            for bucket, key, size, latest, deleted in zip(
                columns["bucket"],
                columns["key"],
                columns.get("size", nothing),
                columns.get("is_latest", nothing),
                columns.get("is_delete_marker", nothing),
                strict=True,
            ):
                yield _Row(bucket, key, size, latest is not False, deleted is True)
