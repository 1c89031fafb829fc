"""Names of buckets, wherever they come from: no request is made for an impossible name."""

from __future__ import annotations

import re

from ctfast import _ctfast
from ctfast._show.words import quoted

__all__ = ["bucket_of", "is_access_point", "split", "wrong_bucket"]

#: The ARN of an access point contains a slash.
_ACCESS_POINT = re.compile(r"(arn:[^/]*:accesspoint[/:][^/]*)/?(.*)", re.DOTALL)


def wrong_bucket(name: str) -> str | None:
    """Return why no bucket can have this name, in one sentence, or None.

    The rules are those of S3, implemented in ``rust/core/src/source/object/bucket_name.rs``.

    Examples
    --------
    >>> wrong_bucket("my-trail-bucket")
    >>> wrong_bucket("user@host")
    "'user@host' is not the name of a bucket: it has letters, digits, dots and hyphens only"
    """
    try:
        why = _ctfast.check_bucket(name)
    except UnicodeEncodeError:
        why = "it is not UTF-8"
    return None if why is None else f"{quoted(name)} is not the name of a bucket: {why}"


def split(url: str) -> tuple[str, str]:
    """Return the bucket, or the ARN of an access point, of an address, and the key after it.

    Examples
    --------
    >>> split("s3://my-trail-bucket/AWSLogs/x")
    ('my-trail-bucket', 'AWSLogs/x')
    >>> split("s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/audit/AWSLogs/x")
    ('arn:aws:s3:eu-west-1:111122223333:accesspoint/audit', 'AWSLogs/x')
    """
    name = url.removeprefix("s3://")
    point = _ACCESS_POINT.fullmatch(name)
    if point is not None:
        return point[1], point[2]
    bucket, _, key = name.partition("/")
    return bucket, key


def is_access_point(url: str) -> bool:
    """Return whether an address leads through an access point, which hides the name of its bucket."""
    bucket = split(url)[0]
    return bucket.startswith("arn:") or bucket.endswith("-s3alias")


def bucket_of(url: str) -> str:
    """Return the bucket of ``s3://bucket/key``; an impossible name raises :class:`ValueError`."""
    name = split(url)[0]
    if wrong := wrong_bucket(name):
        raise ValueError(f"{url[:200]}: {wrong}")
    return name
