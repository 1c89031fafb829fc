"""Public keys of CloudTrail: from files, from AWS, always with their fingerprints recomputed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from ctfast import _small_file
from ctfast._arguments.checks import members, wrong_type
from ctfast._arguments.checks import path as path_of
from ctfast._arguments.gate import public
from ctfast._arguments.times import Time, micros, span
from ctfast._aws import client as aws
from ctfast._new_file import ready, written
from ctfast._show.words import quoted
from ctfast._state.numbered import numbered, unnumbered
from ctfast.exceptions import ArgumentError

__all__ = ["Keys", "PublicKey", "fetch_keys", "load_keys"]

Keys: TypeAlias = "str | os.PathLike[str] | bytes | PublicKey | Mapping[str, Any] | Iterable[Any]"

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+")
_PEM = re.compile(rb"-----BEGIN (?:RSA )?PUBLIC KEY-----.*?-----END (?:RSA )?PUBLIC KEY-----", re.DOTALL)
_PATH = path_of("a file or a folder of keys")
#: CloudTrail's keys are not smaller, and smaller ones prove nothing.
_BITS = 2048
#: How much later than its end a digest may be signed.
_LATE = timedelta(hours=2)
_MICROSECOND = timedelta(microseconds=1)
#: The end of the year 9999, in seconds since 1970.
_LAST_SECOND = 253_402_300_799


class _PublicKey(NamedTuple):
    """The fields of :class:`PublicKey`."""

    fingerprint: str
    der: bytes
    region: str | None
    valid: tuple[int, int] | None


class PublicKey(_PublicKey):
    """A public key, as the verifier takes it.

    Attributes
    ----------
    fingerprint : str
        MD5 of the key's bytes as CloudTrail publishes them.
    der : bytes
        The key in PKCS#1; empty if it cannot be used.
    region : str or None
        The region of the key, if known.
    valid : tuple of int or None
        When it is in use, in microseconds since 1970, if known.
    """

    __slots__ = ()

    @public()
    def __new__(
        cls, fingerprint: str, der: bytes, region: str | None = None, valid: tuple[int, int] | None = None
    ) -> Self:
        """Refuse an invalid key."""
        return super().__new__(cls, fingerprint, der, region, valid)


def load_keys(keys: Keys) -> list[PublicKey]:
    """Load public keys from wherever they are.

    Parameters
    ----------
    keys
        The output of ``aws cloudtrail list-public-keys``, as a file or parsed; such answers by region, as
        :func:`fetch_keys` saves them; a PEM or DER file (PKCS#1 or SPKI), or its bytes; a folder of such files, which
        may be named after their regions; or several of these.

    Returns
    -------
    list of PublicKey
        The keys, including unusable ones, which have no bytes.

    Raises
    ------
    ValueError
        There is no key.
    """
    found = list(_load(keys, None))
    if not found:
        message = (
            "no public keys: give the output of `aws cloudtrail list-public-keys`, PEM or DER files, or a folder of"
            " them"
        )
        raise ValueError(message)
    return found


@public()
def fetch_keys(
    regions: Iterable[str] | str,
    *,
    since: Time,
    until: Time | None = None,
    cache: str | os.PathLike[str] | None = None,
    session: Any = None,
) -> list[PublicKey]:
    """Fetch the public keys of some regions from AWS (needs ``ctfast[aws]``).

    Parameters
    ----------
    regions
        Each region has its own key pairs.
    since, until
        The time to verify; the end is now by default.
    cache
        A file to keep the keys in. What it has for a region and time is not fetched again.
    session
        A ``boto3.Session``, for other credentials than the default ones.

    Returns
    -------
    list of PublicKey
        The keys, to be passed to :func:`ctfast.verify`.

    Raises
    ------
    ServiceError
        AWS refuses, or does not answer. Nothing is written to ``cache`` then.
    ImportError
        boto3 is not installed.
    ``until`` is before ``since``, or AWS has no key for that time.
        ``until`` is before ``since``, or AWS has no key of that time.
    """
    now = datetime.now(UTC)
    first, last = span("fetch_keys", since, until, now)
    if first is None:
        raise AssertionError("it is a time, as it is needed")
    if last is None:
        last = _micros(now)
        if first >= last:
            raise ArgumentError(
                "since lies in the future: there is no key of that time yet", "since", since, None, "fetch_keys"
            )
    path = None if cache is None else Path(cache)
    if path is not None:
        ready(path)
    saved = {} if path is None or not path.exists() else _kept(path)
    found = aws.session(session, "keys")
    for region in sorted(regions):
        held = saved.get(region)
        if held and _micros(held["StartTime"]) <= first and _micros(held["EndTime"]) >= last:
            continue
        answer = _ask(
            found, region, _moment(first), _moment(min(last + _LATE // _MICROSECOND, _LAST_SECOND * 1_000_000))
        )
        known = {key["Value"]: key for key in [*(held or {}).get("PublicKeyList", []), *answer]}
        whole = held and _micros(held["StartTime"]) <= last and _micros(held["EndTime"]) >= first
        start = min(first, _micros(held["StartTime"])) if held and whole else first
        end = max(last, _micros(held["EndTime"])) if held and whole else last
        saved[region] = {
            "StartTime": _moment(start).isoformat(),
            "EndTime": _moment(end).isoformat(),
            "PublicKeyList": list(known.values()),
        }
    if path is not None:
        with written(path) as file:
            file.write(json.dumps(numbered(saved), indent=2).encode() + b"\n")
    return load_keys(saved)


def _kept(path: Path) -> dict[str, Any]:
    """Read a cache."""
    try:
        found = json.loads(_small_file.read(path))
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        try:
            saved = unnumbered(found)
        except ValueError as error:
            message = f"{path}: {error}"
            raise ValueError(message) from None
        if all(_is_kept(region, held) for region, held in saved.items()):
            return saved
    message = f"{path} does not hold keys that were fetched before: name another file to keep them in"
    raise ValueError(message)


def _is_kept(region: str, held: Any) -> bool:
    return _REGION.fullmatch(region) is not None and isinstance(held, dict) and {"StartTime", "EndTime"} <= held.keys()


def _ask(session: Any, region: str, first: datetime, last: datetime) -> list[dict[str, Any]]:
    """Return the keys of one region, with their bytes in base64."""
    keys: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    with aws.asking("ListPublicKeys", region):
        client = session.client("cloudtrail", region_name=region)
    while True:
        with aws.asking("ListPublicKeys", region):
            answer = client.list_public_keys(StartTime=first, EndTime=last, **more)
        for key in answer.get("PublicKeyList", []):
            times = {name: key[name].isoformat() for name in ("ValidityStartTime", "ValidityEndTime") if name in key}
            der = _raw(key["Value"])
            keys.append({"Value": base64.b64encode(der).decode(), **times, "Fingerprint": _md5(der)})
        if not answer.get("NextToken"):
            return keys
        more = {"NextToken": answer["NextToken"]}


def _load(keys: Keys, region: str | None) -> Iterator[PublicKey]:
    if isinstance(keys, PublicKey):
        yield PublicKey(*keys)
    elif isinstance(keys, Mapping):
        members("keys", keys, "a member")
        yield from _parsed(keys, region)
    elif isinstance(keys, bytes):
        yield from _of_bytes(keys, region, "the keys")
    elif isinstance(keys, (str, os.PathLike)):
        yield from _of_path(Path(_PATH("keys", keys)))
    elif isinstance(keys, Iterable):
        several: Iterable[Any] = keys
        for key in several:
            yield from _load(key, region)
    else:
        raise wrong_type(
            "keys", keys, "what list-public-keys prints, the path of a file or a folder, bytes, or several of these"
        )


def _of_path(path: Path) -> Iterator[PublicKey]:
    if path.is_dir():
        for file in sorted(entry for entry in path.rglob("*") if entry.is_file() and not entry.name.startswith(".")):
            yield from _of_bytes(_small_file.read(file), _region(file.relative_to(path)), str(file))
    else:
        yield from _of_bytes(_small_file.read(path), None, str(path))


def _region(file: Path) -> str | None:
    """Return the region in the name of a file, or of its folder."""
    for part in (file.name.partition(".")[0], *reversed(file.parts[:-1])):
        found = _REGION.search(part)
        if found:
            return found.group()
    return None


def _of_bytes(text: bytes, region: str | None, name: str) -> Iterator[PublicKey]:
    if text[:1] == b"\x30":
        yield from _both(_raw(text), region)
        return
    blocks = _PEM.findall(text)
    if blocks:
        for block in blocks:
            yield from _both(block, region)
        return
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        message = f"{name}: neither JSON nor a PEM or DER public key"
        raise ValueError(message) from None
    try:
        found = list(_of_json(parsed, region))
    except (ValueError, RecursionError) as error:
        message = f"{name}: {error}"
        raise ValueError(message) from None
    yield from found


def _of_json(parsed: Any, region: str | None) -> Iterator[PublicKey]:
    """The content of a file: never a path, since only the user may name paths."""
    if isinstance(parsed, list):
        for each in parsed:
            yield from _of_json(each, region)
    elif isinstance(parsed, Mapping):
        yield from _parsed(parsed, region)
    else:
        message = "not public keys: neither an object nor a list of them"
        raise ValueError(message)  # noqa: TRY004  # what is wrong is the content of a file


def _parsed(parsed: Mapping[str, Any], region: str | None) -> Iterator[PublicKey]:
    """An answer of ListPublicKeys, one of its keys, or answers by region."""
    parsed = unnumbered(parsed)
    fields = {name.lower(): value for name, value in parsed.items()}
    if "publickeylist" in fields:
        if not isinstance(fields["publickeylist"], list):
            message = "PublicKeyList is no list"
            raise ValueError(message)
        yield from _of_json(fields["publickeylist"], region)
    elif "value" in fields:
        der = _raw(fields["value"])
        first, last = (fields.get(f"validity{end}time") for end in ("start", "end"))
        valid = None if first is None or last is None else (_micros(first), _micros(last))
        yield PublicKey(_md5(der), _pkcs1(der), region, valid)
    else:
        for name, value in parsed.items():
            if not (_REGION.fullmatch(name) and isinstance(value, (Mapping, list))):
                message = f"not public keys: neither PublicKeyList nor a region: {quoted(name)}"
                raise ValueError(message)
            yield from _of_json(value, name)


def _both(key: bytes, region: str | None) -> Iterator[PublicKey]:
    """A key from a file may be in either of two forms that CloudTrail publishes, with different fingerprints."""
    loaded = _public_key(key)
    if loaded is None:
        yield PublicKey(_md5(key), b"", region)
        return
    pkcs1 = loaded.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    spki = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for form in (pkcs1, spki):
        yield PublicKey(_md5(form), pkcs1, region)


def _raw(value: bytes | str) -> bytes:
    """DER, plain or in base64: boto3 and the AWS CLI differ."""
    if not isinstance(value, (str, bytes)):
        message = "the value of a public key is not text"
        raise ValueError(message)  # noqa: TRY004  # what is wrong is the content of a file
    raw = value.encode() if isinstance(value, str) else value
    if raw[:1] == b"\x30":
        return raw
    try:
        return base64.b64decode(raw, validate=False)
    except binascii.Error:
        return raw


def _pkcs1(key: bytes) -> bytes:
    loaded = _public_key(key)
    return b"" if loaded is None else loaded.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def _public_key(key: bytes) -> RSAPublicKey | None:
    """Load an RSA key that is large enough."""
    loader = load_pem_public_key if key.startswith(b"-----") else load_der_public_key
    try:
        loaded = loader(key)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return loaded if isinstance(loaded, RSAPublicKey) and loaded.key_size >= _BITS else None


def _md5(der: bytes) -> str:
    return hashlib.md5(der, usedforsecurity=False).hexdigest()


def _micros(time: Any) -> int:
    """Seconds since 1970 as AWS prints them, or a time."""
    if isinstance(time, str) and re.fullmatch(r"\d+(\.\d+)?", time):
        time = float(time)
    if isinstance(time, (int, float)):
        if not abs(time) <= _LAST_SECOND:
            message = f"no time of a key: {quoted(time)}"
            raise ValueError(message)
        return round(time * 1_000_000)
    if not isinstance(time, (str, date)):
        message = "a key has a time that is no text"
        raise ValueError(message)  # noqa: TRY004  # what is wrong is the content of a file
    found = micros("the validity of a key", time)
    if found is None:
        message = "a key has no time"
        raise ValueError(message)
    return found


def _moment(time: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)
