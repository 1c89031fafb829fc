"""Asks S3 to restore objects of its archive classes, so that a later ingest can read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ctfast._aws.buckets import client
from ctfast._aws.client import asking
from ctfast._cost.restores import DAYS
from ctfast._lake.plan import Found
from ctfast._lake.versions import VERSION
from ctfast._source.buckets import split
from ctfast.exceptions import ServiceError

__all__ = ["Restoring"]

#: Requests at a time: S3 takes up to 1,000 a second.
_AT_ONCE = 16
#: The answer where another run has asked already.
_UNDER_WAY = "RestoreAlreadyInProgress"


class Restoring:
    """Requests restorations in one of the tiers of S3, and counts them."""

    def __init__(self, tier: str, storage_options: Mapping[str, str] | None) -> None:
        self._request = {"Days": DAYS, "GlacierJobParameters": {"Tier": tier.capitalize()}}
        self._options = storage_options
        self._client: Any = None
        self.asked = 0

    def ask_of(self, files: Iterable[Found]) -> None:
        """Request the restoration of those of these files that have to be restored."""
        self.ask([file[0] for file, state, _ in files if state == "archived"])

    def ask(self, addresses: Sequence[str]) -> None:
        """Request the restoration of these objects; the first request that is refused ends it."""
        if addresses and self._client is None:
            self._client = client(self._options, addresses[0], _AT_ONCE)
        with ThreadPoolExecutor(_AT_ONCE, "ctfast-restore") as pool:
            try:
                for _ in pool.map(self._ask, addresses):
                    self.asked += 1
            finally:
                pool.shutdown(cancel_futures=True)

    def _ask(self, address: str) -> None:
        bucket, key = split(address)
        key, _, version = key.partition(VERSION)
        named = {"VersionId": version} if version else {}
        try:
            with asking("RestoreObject", address):
                self._client.restore_object(Bucket=bucket, Key=key, RestoreRequest=self._request, **named)
        except ServiceError as error:
            if error.code != _UNDER_WAY:
                raise
