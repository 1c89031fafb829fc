"""Credentials for buckets that only the AWS CLI's files lead to: profiles, and single sign-on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ctfast import _ctfast
from ctfast._show.words import quoted

__all__ = ["KNOWN", "PLAIN", "Credentials", "credentials"]

#: Returns key, secret and token that are valid now.
Credentials: TypeAlias = Callable[[], tuple[str, str, str | None]]

#: Names of storage options: those of the core, and the profile, which is resolved here. The others without ``aws_``.
KNOWN = frozenset({*_ctfast.STORAGE_OPTIONS, "profile", "aws_profile"})
PLAIN = sorted(name for name in KNOWN if name.removeprefix("aws_") == name or name.removeprefix("aws_") not in KNOWN)

_FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}


def credentials(options: Mapping[str, str] | None) -> tuple[dict[str, str], Credentials | None]:
    """Return the options without a profile, and what renews the credentials if finding them requires boto3.

    Explicit keys come first, then the environment, then the profile, as with the AWS CLI; a profile given as an option
    precedes the environment. What the core finds by itself (environment, web identity, container, instance) is left to
    it.

    Raises
    ------
    ValueError
        The profile does not exist, or reading it requires boto3.
    """
    left = {name.lower(): value for name, value in (options or {}).items()}
    plain = {name.removeprefix("aws_") for name in left}
    profile = left.pop("aws_profile", None) or left.pop("profile", None)
    session = None if plain & {"skip_signature", "access_key_id"} else _session(profile)
    if session is None:
        return left, None
    if session.region_name and not plain & {"region", "default_region"} and "AWS_REGION" not in os.environ:
        left["aws_region"] = session.region_name
    found = session.get_credentials()
    if found is None:
        return left, None

    def renew() -> tuple[str, str, str | None]:
        held = found.get_frozen_credentials()
        return held.access_key, held.secret_key, held.token

    return left, renew


def _session(profile: str | None) -> Any:
    """Return a session of boto3, if finding the credentials requires one."""
    if profile is None:
        if "AWS_ACCESS_KEY_ID" in os.environ:
            return None
        profile = os.environ.get("AWS_PROFILE")
    if profile is None and not any(
        Path(os.environ.get(name, usual)).expanduser().exists() for name, usual in _FILES.items()
    ):
        return None
    try:
        import boto3  # noqa: PLC0415  # an extra
        from botocore.exceptions import ProfileNotFound  # noqa: PLC0415
    except ImportError:
        if profile is None:
            return None
        message = f"the profile {quoted(profile)} needs boto3: pip install 'ctfast[aws]'"
        raise ValueError(message) from None
    try:
        return boto3.Session(profile_name=profile)
    except ProfileNotFound:
        message = f"there is no profile {quoted(profile)} in the configuration of the AWS CLI"
        raise ValueError(message) from None
