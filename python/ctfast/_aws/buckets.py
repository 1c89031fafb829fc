"""Clients of S3 by boto3, for what the core does not ask of buckets, with the same storage options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctfast._aws.client import asking, session
from ctfast._aws.credentials import credentials

__all__ = ["client"]

#: Arguments of a client, by the names of storage options without ``aws_``.
_ARGUMENTS = {
    "endpoint": "endpoint_url",
    "endpoint_url": "endpoint_url",
    "endpoint_url_s3": "endpoint_url",
    "region": "region_name",
    "default_region": "region_name",
    "access_key_id": "aws_access_key_id",
    "secret_access_key": "aws_secret_access_key",
    "session_token": "aws_session_token",
    "token": "aws_session_token",
}


def client(options: Mapping[str, str] | None, what: str, connections: int) -> Any:
    """Return a client of S3; ``what`` is an address that it is for, for messages."""
    left, renew = credentials(options)
    given = {_ARGUMENTS[name]: value for name, value in _plain(left) if name in _ARGUMENTS}
    if renew is not None:
        keys = zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), renew(), strict=True)
        given |= {name: value for name, value in keys if value is not None}
    found = session(None, f"restored objects of {what}")
    from botocore.config import Config  # noqa: PLC0415  # an extra

    # As the core names buckets of other stores.
    style = "path" if "endpoint_url" in given else "auto"
    with asking("a client", what):
        config = Config(max_pool_connections=connections, s3={"addressing_style": style})
        return found.client("s3", config=config, **given)


def _plain(options: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.removeprefix("aws_"), value) for name, value in options.items()]
