"""How buckets are reached, in the words of each who does: one mapping of storage options serves all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ctfast import _ctfast
from ctfast._aws.credentials import KNOWN, credentials

__all__ = ["Reach"]

#: Options of connections; the others are those of S3.
_CLIENT = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "disable_system_certificates",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "read_timeout",
        "timeout",
        "user_agent",
    }
)
_KEYS = ("access_key_id", "secret_access_key", "session_token")
#: Names of one thing; of several that are given, the last one here counts.
_SAME = {
    "session_token": ("token", "session_token"),
    "region": ("default_region", "region"),
    "endpoint": ("endpoint", "endpoint_url", "endpoint_url_s3"),
}
#: As in the core: an answer without progress is asked for again, and a large one takes the time that it takes.
_WAITS = {"connect_timeout": "5 s", "read_timeout": "20 s", "timeout": "1 day"}
#: deltalake knows no time without progress. What it reads and writes is small, but for a checkpoint of a large table.
_WHOLE = "5 min"
_REGION = "us-east-1"
#: For how long credentials are used until they are asked for again.
_FRESH = timedelta(minutes=5)


class Reach:
    """How buckets are reached.

    Options come before the environment, as everywhere in ctfast. What is found neither here nor there (web identity,
    container, instance), each library finds by itself.
    """

    def __init__(self, options: Mapping[str, str] | None) -> None:
        given, self._renew = credentials(options)
        # The core refuses what cannot be meant, in one sentence.
        _ctfast.Remote(given, self._renew).close()
        self._settings = _merged(given)
        self._refuse_what_others_read()
        tries = self._settings.pop("max_retries", None)
        self._retries = {} if tries is None else {"max_retries": int(tries)}

    def deltalake(self) -> dict[str, str]:
        """Return the storage options of a Delta table, with credentials that are valid now."""
        retries = {name: str(value) for name, value in self._retries.items()}
        wait = self._settings.get("timeout", self._settings.get("read_timeout", _WHOLE))
        # The log is written by PUTs of new names, which fail if another commit was first.
        return {**self._s3(), **self._keys(), **self._client(), **retries, "timeout": wait, "conditional_put": "etag"}

    def polars(self) -> dict[str, Any]:
        """Return the arguments of ``scan_parquet``."""
        options = {**self._s3(), **self._client(), **self._retries}
        if self._renew is not None:
            return {"storage_options": options, "credential_provider": self._for_polars}
        known = self._keys()
        # Without keys, Polars looks for them.
        return {"storage_options": options | known, **({"credential_provider": None} if known else {})}

    def obstore(self) -> dict[str, Any]:
        """Return the arguments of ``S3Store``."""
        config = self._s3() | ({} if self._renew is not None else self._keys())
        provider = None if self._renew is None else self._for_obstore
        return {
            "config": config,
            "client_options": self._client(),
            "retry_config": self._retries,
            "credential_provider": provider,
        }

    def _refuse_what_others_read(self) -> None:
        """Refuse settings that deltalake obeys and a lake cannot, and one that it does not obey."""
        message = None
        token = os.environ.get("AWS_SESSION_TOKEN")
        if os.environ.get("AWS_S3_ALLOW_UNSAFE_RENAME"):
            message = (
                "AWS_S3_ALLOW_UNSAFE_RENAME is set, with which two commits at once may replace each other: unset it to "
                "use a lake in a bucket"
            )
        elif token and (keys := self._keys()) and keys.get("aws_session_token") != token:
            message = (
                "AWS_SESSION_TOKEN is set and does not belong to the key of the storage options, and deltalake would "
                "send both: unset it, or give session_token as an option too"
            )
        elif self._settings.pop("ca_bundle", None) is not None and not os.environ.get("SSL_CERT_FILE"):
            message = "a lake takes certificates from the environment variable SSL_CERT_FILE, not aws_ca_bundle: set it"
        if message is not None:
            raise ValueError(message)

    def _s3(self) -> dict[str, str]:
        """Return the options of S3 but the keys."""
        found = {name: value for name, value in self._settings.items() if name not in _CLIENT and name not in _KEYS}
        return {f"aws_{name}": value for name, value in found.items()}

    def _client(self) -> dict[str, str]:
        is_plain = self._settings.get("endpoint", "").startswith("http://")
        found = {name: value for name, value in self._settings.items() if name in _CLIENT}
        return {"allow_http": str(is_plain).lower(), **_WAITS, **found}

    def _keys(self) -> dict[str, str]:
        """Return the credentials that are valid now, as far as they are known here."""
        if self._renew is not None:
            found: Iterable[str | None] = self._renew()
        else:
            found = map(self._settings.get, _KEYS)
        return {f"aws_{name}": value for name, value in zip(_KEYS, found, strict=True) if value}

    def _for_obstore(self) -> dict[str, Any]:
        keys = {name.removeprefix("aws_"): value for name, value in self._keys().items()}
        until = datetime.now(UTC) + _FRESH
        return {"token": keys.pop("session_token", None), "expires_at": until, **keys}

    def _for_polars(self) -> tuple[dict[str, str], int]:
        return self._keys(), int((datetime.now(UTC) + _FRESH).timestamp())


def _merged(options: Mapping[str, str]) -> dict[str, str]:
    """Return the options and, where none is given, the settings of the environment, by names without ``aws_``."""
    given, environment = _plain(options), _plain(_environment())
    if "access_key_id" in given:
        environment = {name: value for name, value in environment.items() if name not in _KEYS}
    return {"region": _REGION} | environment | given


def _environment() -> dict[str, str]:
    lower = {name.lower(): value for name, value in os.environ.items()}
    return {name: value for name, value in lower.items() if name.startswith("aws_") and name in KNOWN}


def _plain(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings by names without ``aws_``, each thing under one name."""
    found = {name.removeprefix("aws_"): value for name, value in settings.items() if value}
    found.pop("profile", None)
    for one, names in _SAME.items():
        if values := [found.pop(name) for name in names if name in found]:
            found[one] = values[-1]
    return found
