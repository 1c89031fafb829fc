"""Names of buckets, wherever they come from: nothing is asked of a name that no bucket can have."""

from __future__ import annotations

from ctfast import _ctfast

__all__ = ["bucket_of", "wrong_bucket"]


def wrong_bucket(name: str) -> str | None:
    """Say why no bucket can have this name, in one sentence, or return None.

    The rules are those of S3, which ``rust/core/src/source/object/bucket_name.rs`` has.

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
    return None if why is None else f"{name!r:.120} is not the name of a bucket: {why}"


def bucket_of(url: str) -> str:
    """Return the bucket of an address ``s3://bucket/key``; one that no bucket can have raises :class:`ValueError`."""
    name = url.removeprefix("s3://").partition("/")[0]
    if wrong := wrong_bucket(name):
        raise ValueError(f"{url[:200]}: {wrong}")
    return name
