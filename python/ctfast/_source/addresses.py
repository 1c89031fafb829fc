"""Sources as users name them: paths, addresses of buckets and access points; and what to write instead of others."""

from __future__ import annotations

import errno
import glob
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from ctfast._arguments.checks import SCHEME, encodable
from ctfast._show.words import quoted
from ctfast._source.buckets import bucket_of
from ctfast._source.object_keys import KeySource
from ctfast.exceptions import PATH, ArgumentError, ArgumentTypeError

__all__ = ["S3", "Source", "address", "is_address", "paths", "sources", "whole"]

Source: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | KeySource

S3 = "s3://"
_BUCKET_ARN = re.compile(r"arn:[a-z0-9-]+:s3:::(.+)")
_ARN = re.compile(r"arn:[a-z0-9-]*:([a-z0-9-]*):")
#: S3 as web addresses: with the bucket in the host, or in the path.
_IN_HOST = re.compile(r"(.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_IN_PATH = re.compile(r"s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_GOOGLE = "its interface of S3 can be read: write {}, with HMAC keys and the storage option endpoint_url=https://storage.googleapis.com"
_SOURCES = "a path, an address s3://bucket/prefix, several of them, or a source of keys such as ctfast.KeyList(...)"
_DISK = "copy or mount it, and name the folder"


def sources(name: str, given: Any) -> Source:
    """Return a source with each address as ``s3://``; refuse invalid ones."""
    if isinstance(given, KeySource):
        return given
    if isinstance(given, str | os.PathLike):
        return _one(name, given)
    if isinstance(given, bytes | Mapping) or not isinstance(given, Iterable):
        raise _type(name, given)
    return [_one(name, each) for each in given]


def whole(path: str | os.PathLike[str]) -> str:
    """Return a path from the root of the file system on, with its links as they are.

    ``..`` after a link leads out of the folder that the link names, so such a path is resolved.
    """
    leads_up = os.pardir in Path(path).parts
    return os.path.realpath(path) if leads_up else os.path.abspath(path)  # noqa: PTH100  # links as they are


def is_address(path: str | bytes) -> bool:
    """Whether this is the address of an object or of a folder in a bucket."""
    return isinstance(path, str) and path.startswith(S3)


def address(name: str, text: str) -> str:
    """Return a string as it is, or an access point's ARN as an address; refuse addresses that cannot be opened."""
    if text.startswith("arn:"):
        text = _of_arn(name, text)
    if is_address(text):
        try:
            bucket_of(text)
        except ValueError as error:
            raise ArgumentError(f"{name}: {error}", name, text) from None
        return text
    scheme = SCHEME.match(text)
    if scheme is not None and not os.path.lexists(text):
        raise ArgumentError(f"{name} {quoted(text)} cannot be opened: {_remedy(scheme[1].lower(), text)}", name, text)
    return text


def _one(name: str, given: Any) -> str | os.PathLike[str]:
    if not isinstance(given, str | os.PathLike) or isinstance(os.fspath(given), bytes):
        raise _type(name, given)
    text = os.fspath(given)
    if not text:
        raise ArgumentError(f"{name} is empty: name a file, a folder or a bucket", name, text)
    if "\0" in text or not encodable(text):
        raise ArgumentError(f"{name} {quoted(text)} has a character that no path has", name, text)
    if len(os.fsencode(text)) > PATH:
        raise ArgumentError(f"{name} {quoted(text)} is longer than the path of a file or an object can be", name, text)
    found = address(name, text)
    return given if found == text else found


def _type(name: str, given: object) -> ArgumentTypeError:
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    if isinstance(path, bytes):
        remedy = f"os.fsdecode({quoted(path)}) makes a text of it"
        return ArgumentTypeError(f"{name} must be {_SOURCES}, not bytes: {remedy}", name, given)
    said = repr(given) if given is None else f"{type(given).__name__} {quoted(given)}"
    return ArgumentTypeError(f"{name} must be {_SOURCES}, not {said}", name, given)


def _of_arn(name: str, arn: str) -> str:
    if ":accesspoint" in arn:
        return S3 + arn.replace(":accesspoint:", ":accesspoint/", 1)
    bucket = _BUCKET_ARN.fullmatch(arn)
    if bucket is not None:
        remedy = f"write {quoted(S3 + bucket[1])}"
    else:
        service = _ARN.match(arn)
        what = f"of {service[1]}" if service is not None and service[1] else "of nothing known"
        remedy = (
            f"it is an ARN {what}; those of access points are read: arn:aws:s3:us-east-1:111122223333:accesspoint/name"
        )
    raise ArgumentError(f"{name} {quoted(arn)} cannot be opened: {remedy}", name, arn)


def _remedy(scheme: str, text: str) -> str:
    rest = text.partition(":")[2].lstrip("/")
    meant = quoted(S3 + rest)
    if scheme == "file":
        return f"write the path, {quoted(unquote(urlsplit(text).path))}"
    if scheme in ("s3", "s3a", "s3n"):
        return f"write {meant}"
    if scheme in ("gs", "gcs"):
        return _GOOGLE.format(meant)
    if scheme in ("http", "https"):
        return _of_page(text)
    return f"ctfast reads the local disk and S3; {_DISK}"


def _of_page(text: str) -> str:
    try:
        host, path = urlsplit(text).hostname or "", unquote(urlsplit(text).path)
    except ValueError:
        host, path = "", ""
    if bucket := _IN_HOST.fullmatch(host):
        return f"write {quoted(f'{S3}{bucket[1]}{path}')}"
    if _IN_PATH.fullmatch(host):
        return f"write {quoted(S3 + path.lstrip('/'))}"
    return (
        f"a bucket is {S3}bucket/prefix, with the storage option endpoint_url=https://{host or 'host'} where it is not "
        "Amazon's; other pages are not read: download it, and name the file"
    )


def paths(source: Source) -> list[str]:
    """Return the files and folders that a source names; addresses of buckets unchanged."""
    if isinstance(source, KeySource):
        message = f"{source.place} names files for a scan; here an archive is needed"
        raise TypeError(message)
    sources = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    named: list[str] = []
    for each in sources:
        path = os.fspath(each)
        if is_address(path) and "*" in path:
            message = (
                f"{path}: globs are for the local disk; name a folder, and choose by accounts, regions, kinds and times"
            )
            raise ValueError(message)
        if is_address(path) or os.path.lexists(path):
            named.append(path)
            continue
        found = glob.glob(path, recursive=True) if glob.has_magic(path) else []  # noqa: PTH207  # paths as they are given
        if not found:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        named.extend(sorted(found, key=os.fsencode))
    return named
