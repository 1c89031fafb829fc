"""What the user calls a source: a path, the address of a bucket or an access point; and what to write in place of other words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from ctfast._buckets import bucket_of
from ctfast._checks import SCHEME, encodable
from ctfast._objects import KeySource
from ctfast._words import quoted
from ctfast.exceptions import PATH, ArgumentError, ArgumentTypeError

__all__ = ["S3", "Source", "address", "is_address", "sources"]

Source: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | KeySource

S3 = "s3://"
_BUCKET_ARN = re.compile(r"arn:[a-z0-9-]+:s3:::(.+)")
_ARN = re.compile(r"arn:[a-z0-9-]*:([a-z0-9-]*):")
#: S3 as a web page has it: with the bucket in the host, or in the path.
_IN_HOST = re.compile(r"(.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_IN_PATH = re.compile(r"s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_GOOGLE = (
    "its interface of S3 can be read: write {}, with HMAC keys and the storage option endpoint_url=https://storage.googleapis.com"
)
_SOURCES = "a path, an address s3://bucket/prefix, several of them, or a source of keys such as ctfast.KeyList(...)"
_DISK = "copy or mount it, and name the folder"


def sources(name: str, given: Any) -> Source:
    """Return a source, with each address in the form ``s3://``; refuse what is none."""
    if isinstance(given, KeySource):
        return given
    if isinstance(given, str | os.PathLike):
        return _one(name, given)
    if isinstance(given, bytes | Mapping) or not isinstance(given, Iterable):
        raise _type(name, given)
    return [_one(name, each) for each in given]


def is_address(path: str | bytes) -> bool:
    """Whether this is the address of an object or of a folder in a bucket."""
    return isinstance(path, str) and path.startswith(S3)


def address(name: str, text: str) -> str:
    """Return a text as it is, or an ARN of an access point as an address; refuse addresses that nothing here can open."""
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
        remedy = f"it is an ARN {what}; those of access points are read: arn:aws:s3:us-east-1:111122223333:accesspoint/name"
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
