"""Signatures of digest files, saved from the metadata of the S3 objects, which downloads lose."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

from ctfast._arguments.gate import public
from ctfast._arguments.times import micros
from ctfast._aws import client as aws
from ctfast._source.buckets import bucket_of, split
from ctfast._state.numbered import unnumbered

__all__ = ["Signatures", "fetch_signatures", "load_signatures", "parsed", "read_signatures"]

Signatures: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any]"

#: Bucket and key, signature, algorithm, whether there is a generation time, and which one.
Row: TypeAlias = tuple[str, str | None, str | None, bool, int | None]

_ALGORITHM = "SHA256withRSA"
_PREFIX = "x-amz-meta-"


def load_signatures(signatures: Signatures | None) -> list[Row]:
    """Load saved signatures.

    Parameters
    ----------
    signatures
        A JSON file, or its parsed content: an object that maps ``bucket/key`` (or ``s3://bucket/key``) to the metadata
        of the object, ``{"signature": ..., "signature-algorithm": ...}``, or to the signature alone. ``null`` means
        that the object has none.

    Returns
    -------
    list of tuple
        As the verifier takes them.
    """
    return [] if signatures is None else _rows(parsed(signatures))


def parsed(signatures: Signatures) -> Mapping[str, Any]:
    """Return saved signatures as a checked mapping."""
    if not isinstance(signatures, Mapping):
        return read_signatures(signatures)
    return _checked(signatures)


def read_signatures(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and check a file of signatures: a mapping of bucket/key to the metadata of the object."""
    try:
        found = json.loads(Path(path).read_bytes())
    except json.JSONDecodeError as error:
        message = f"{path}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise ValueError(message) from None
    except (ValueError, RecursionError):
        message = f"{path}: not JSON in UTF-8, or of numbers and depths that no file of signatures has"
        raise ValueError(message) from None
    try:
        return _checked(found)
    except ValueError as error:
        message = f"{path}: {error}"
        raise ValueError(message) from None


def _checked(signatures: Any) -> dict[str, Any]:
    """Return what a file of signatures holds, without its format number."""
    if not isinstance(signatures, Mapping):
        message = "signatures are a JSON object from bucket/key to the metadata of the object"
        raise ValueError(message)  # noqa: TRY004  # what is wrong is the content of a file
    found = unnumbered(signatures)
    _rows(found)
    return found


def _rows(signatures: Mapping[str, Any]) -> list[Row]:
    return [_row(name, saved) for name, saved in signatures.items()]


def _row(name: Any, saved: Any) -> Row:
    if not isinstance(name, str):
        message = f"the name of an object is a text, not {type(name).__name__}"
        raise ValueError(message)  # noqa: TRY004  # what is wrong is the content of a file
    name = name.removeprefix("s3://")
    if isinstance(saved, str):
        return name, saved, _ALGORITHM, True, None
    if saved is not None and not isinstance(saved, Mapping):
        message = f"the signature of {name} is neither text nor an object"
        raise ValueError(message)
    metadata = (saved or {}).get("Metadata", saved or {})
    if not isinstance(metadata, Mapping):
        message = f"the metadata of {name} is no object"
        raise ValueError(message)  # noqa: TRY004  # what is wrong is the content of a file
    fields = {key.lower().removeprefix(_PREFIX): value for key, value in metadata.items()}
    told = [fields.get(field) for field in ("signature", "signature-algorithm", "backfill-generation-timestamp")]
    if not all(value is None or isinstance(value, str) for value in told):
        message = f"the metadata of {name} is not text"
        raise ValueError(message)
    signature, algorithm, generated = told
    try:
        time = micros(name, generated)
    except ValueError:
        generated, time = None, None
    return name, signature, algorithm, generated is not None, time


@public()
def fetch_signatures(source: str, *, client: Any = None, threads: int = 16) -> dict[str, dict[str, str]]:
    """Save the metadata of the digest objects of a bucket (needs ``ctfast[aws]``).

    Parameters
    ----------
    source
        ``s3://bucket`` or ``s3://bucket/prefix``: the part of the keys before ``AWSLogs/``, or a longer part.
    client
        A boto3 S3 client, for other credentials or endpoints than the default ones.
    threads
        Concurrent requests: S3 has no request for the metadata of several objects.

    Returns
    -------
    dict
        A mapping of ``bucket/key`` to the metadata, as :func:`ctfast.verify` takes for ``signatures``. Objects without
        metadata are included.

    Raises
    ------
    ValueError
        No bucket can have this name.
    ServiceError
        AWS refuses, or does not answer.
    ImportError
        boto3 is not installed.
    """
    bucket, prefix = bucket_of(source), split(source)[1]
    client = client or _client(source, threads)

    def metadata(key: str) -> dict[str, str]:
        with aws.asking("HeadObject", f"s3://{bucket}/{key}"):
            found: dict[str, str] = client.head_object(Bucket=bucket, Key=key).get("Metadata", {})
        return found

    found: dict[str, dict[str, str]] = {}
    pool = ThreadPoolExecutor(threads)
    try:
        # One page of the listing after another, so that at most a page of requests is waiting.
        for keys in _digests(client, bucket, prefix):
            found.update(zip((f"{bucket}/{key}" for key in keys), pool.map(metadata, keys), strict=True))
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _client(source: str, threads: int) -> Any:
    session = aws.session(None, "signatures")
    from botocore.config import Config  # noqa: PLC0415  # an extra

    with aws.asking("a client", source):
        return session.client("s3", config=Config(max_pool_connections=threads))


def _digests(client: Any, bucket: str, prefix: str) -> Iterator[list[str]]:
    """Yield the keys of the digest objects, page by page."""
    pages = iter(client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    while True:
        with aws.asking("ListObjectsV2", f"s3://{bucket}/{prefix}"):
            page = next(pages, None)
        if page is None:
            return
        yield [item["Key"] for item in page.get("Contents", []) if "/CloudTrail-Digest/" in f"/{item['Key']}"]
