"""THE table of arguments: what each of a public function may be, by its name, and what becomes of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ctfast._addresses import is_address, sources
from ctfast._buckets import is_access_point, split, wrong_bucket
from ctfast._checks import (
    Check,
    amount,
    between,
    choice,
    does,
    flag,
    function,
    instance,
    members,
    new_path,
    ours,
    path,
    read_by,
    text,
    texts,
    whole,
    wrong_type,
)
from ctfast._credentials import KNOWN, PLAIN
from ctfast._names import accounts, kinds, regions, trails
from ctfast._objects import KeySource
from ctfast._times import micros
from ctfast._words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from ctfast._report import Limits

__all__ = ["READ", "ROWS", "THREADS", "check_of"]

#: More are no help to any machine; each may hold 48 MiB.
THREADS = 1_024
#: More rows are in no archive, and one more is still a number to Polars.
ROWS = 10**15
#: What is read from files, once all that is said in words is right.
READ = frozenset({"keys", "prices", "rules", "signatures"})
_MOST = (1 << 63) - 1
_URL = re.compile(r"https?://[^/]+/.")
#: CloudTrail itself is younger.
_CENTURY = timedelta(days=36_525)


def check_of(function: str, argument: str) -> Check:
    """Return the check of an argument: that of this function, or else that of all."""
    return _OF_FUNCTIONS.get(f"{function}.{argument}") or _OF_ALL[argument]


def _time(name: str, value: Any) -> Any:
    """A bound of time; where both are given, they are compared later."""
    if not isinstance(micros(name, value, datetime.now(UTC)), int):  # of NaT it is not a number
        raise wrong_type(name, value, "a datetime, a date, or text")
    return value


def _max_delay(name: str, value: Any) -> timedelta:
    if not isinstance(value, timedelta):
        raise wrong_type(name, value, "a timedelta or None", "such as datetime.timedelta(hours=36)")
    if not value >= timedelta(0):  # of NaT that does not hold either
        raise ArgumentError(f"{name} must not be negative, but is {value}", name, value)
    return value


def _storage_options(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of names to texts", "such as {'aws_region': 'eu-west-1'}")
    members(name, value, "an option")
    for option, setting in value.items():
        if option.lower() not in KNOWN:
            # Where no bucket is read, nobody else would look at it.
            close = nearest(option.lower(), KNOWN)
            known = "" if close else f" (known, with or without aws_ before them, are {', '.join(PLAIN)})"
            raise ArgumentError(f"{name} has no {quoted(option)}{or_nearest(close)}{known}", name, option, close)
        if not isinstance(setting, str):
            # What stands there may be a secret: its type only.
            told = f": write {quoted(str(setting).lower())}" if isinstance(setting, bool) else ""
            raise TypeError(f"{name}[{quoted(option)}] must be a text, not {type(setting).__name__}{told}")
    return dict(value)


def _limits(name: str, value: Any) -> Limits:
    kind: Any = ours("_report", "Limits")()
    if not isinstance(value, kind):
        example = value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1 << 30
        raise wrong_type(name, value, "a ctfast.Limits", f"such as ctfast.Limits(inflated={quoted(example)})")
    return kind(*value)  # type: ignore[no-any-return]  # the class that is named above


def _columns(name: str, value: Any) -> list[str]:
    if isinstance(value, str):
        raise wrong_type(name, value, "a list of names", f"write {name}=[{quoted(value)}]")
    return texts(name, value, "['eventTime', 'eventName']")


def _map(name: str, value: Any) -> dict[str, str | os.PathLike[str]]:
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of buckets to folders", "such as {'other-bucket': 'other-folder'}")
    members(name, value, "a bucket")
    for bucket, folder in value.items():
        if wrong := wrong_bucket(bucket):
            raise ArgumentError(f"{name}: {wrong}", name, bucket)
        path("a folder")(f"{name}[{quoted(bucket)}]", folder)
    return dict(value)


def _origin(name: str, value: Any) -> str:
    """Where an archive was copied from."""
    bucket = split(text(name, value))[0]
    if not bucket:
        raise ArgumentError(f"{name} names no bucket: write 's3://bucket' or 's3://bucket/prefix'", name, value)
    if wrong := wrong_bucket(bucket):
        raise ArgumentError(f"{name}: {wrong}", name, value)
    return value  # type: ignore[no-any-return]  # a text


def _some_regions(name: str, value: Any) -> set[str]:
    found = regions(name, value)
    if not found:
        raise ArgumentError(f"{name} is empty: name the regions whose keys are wanted", name, value)
    return found


def _archive(name: str, value: Any) -> Any:
    """What is verified: an archive that lies somewhere, and no list of keys."""
    if isinstance(value, KeySource):
        raise wrong_type(name, value, "the folder of an archive", "what names files for a scan tells of no digests")
    return sources(name, value)


def _bucket(why: str) -> Check:
    """An address in a bucket whose name must be known."""

    def check(name: str, value: Any) -> str:
        source = sources(name, value)
        if not isinstance(source, str | os.PathLike):
            raise wrong_type(name, value, "one bucket, s3://bucket/prefix")
        found = os.fspath(source)
        if not is_address(found):
            raise ArgumentError(f"{name} must be a bucket, s3://bucket/prefix, not {quoted(found)}", name, value)
        if is_access_point(found):
            message = f"{name} {quoted(value)} does not tell the bucket, {why}: name the bucket"
            raise ArgumentError(message, name, value)
        return found

    return check


def _bucket_name(name: str, value: Any) -> str:
    if wrong := wrong_bucket(text(name, value)):
        raise ArgumentError(f"{name}: {wrong}", name, value)
    return value  # type: ignore[no-any-return]  # a text


def _manifest(name: str, value: Any) -> Any:
    if not isinstance(value, str | os.PathLike):
        raise wrong_type(name, value, "the path or the address s3://bucket/key of a manifest.json")
    return sources(name, value)


def _target(name: str, value: Any) -> str | os.PathLike[str]:
    return new_path("a folder")(name, value)  # type: ignore[no-any-return]  # a path, as it was given


def _queue(name: str, value: Any) -> str:
    if not _URL.match(text(name, value)):
        example = "https://sqs.eu-west-1.amazonaws.com/111122223333/new-logs"
        raise ArgumentError(f"{name} must be the address of a queue, such as {example}, not {quoted(value)}", name, value)
    return value  # type: ignore[no-any-return]  # a text


def _lines(name: str, value: Any) -> Any:
    """A file of lines, or lines: those that come one by one are looked at when they come."""
    if isinstance(value, str | os.PathLike):
        return path("a file of lines")(name, value)
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise wrong_type(name, value, "the path of a file of lines, '-', or several texts")
    for each in value if isinstance(value, Collection) else ():
        if not isinstance(each, str):
            raise wrong_type(name, each, "the path of a file of lines, '-', or several texts")
    return value


def _condition(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        members(name, value, "a member")
    if isinstance(value, str | Mapping | list):
        return value
    if not isinstance(value, os.PathLike):
        raise wrong_type(name, value, "a text, a mapping, a list or the path of a file")
    return path("a file")(name, value)


def _conditions(name: str, value: Any) -> tuple[Any, ...]:
    return tuple(_condition(name, each) for each in value)


def _has_filters(value: Any) -> bool:
    """Whether a value is a filter, or has some."""
    held = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    return any(isinstance(each, _filter()) for each in held)


def _documents(name: str, value: Any) -> Any:
    if _has_filters(value):
        raise wrong_type(name, value, "what filters are written in", 'there are some already: match takes {"name": filter}')
    return _rules(name, value)


def _rules(name: str, value: Any) -> Any:
    if isinstance(value, str | os.PathLike):
        return path("a file or a folder")(name, value)
    if not isinstance(value, Mapping | list):
        message = f"{name} cannot be read: rules are a mapping, a list or the path of a file or folder"
        raise TypeError(f"{message}, not {type(value).__name__}")
    if isinstance(value, Mapping):
        members(name, value, "a rule")
    return value


def _named_rules(name: str, value: Any) -> Any:
    if _has_filters(value) and not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of names to filters", f'write {name}={{"name": filter}}')
    return ours("_rules", "named")()(_rules(name, value))


def _signatures(name: str, value: Any) -> Any:
    kind = value if isinstance(value, Mapping) else path("a file of signatures, or what it holds")(name, value)
    return ours("_signatures", "parsed")()(kind)


def _prices(name: str, value: Any) -> Any:
    found = path("a table of prices")(name, value)
    ours("_prices", "table")()(found)
    return found


def _priced(name: str, value: Any) -> dict[str, Any]:
    kind = ours("_prices", "Price")()
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of categories to prices", "such as {'Data': ctfast.Price(0.1, 100_000)}")
    members(name, value, "a category")
    for category, price in value.items():
        if not isinstance(price, kind):
            raise wrong_type(f"{name}[{quoted(category)}]", price, "a ctfast.Price")
    return dict(value)


def _bytes(name: str, value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise wrong_type(name, value, "bytes")
    return value


def _validity(name: str, value: Any) -> tuple[int, int]:
    number = whole(-_MOST, _MOST)
    if not isinstance(value, tuple) or len(value) != 2:  # noqa: PLR2004  # from when to when
        raise wrong_type(name, value, "a pair of whole numbers, in microseconds since 1970")
    return number(f"{name}[0]", value[0]), number(f"{name}[1]", value[1])


def _record(name: str, value: Any) -> Any:
    if not isinstance(value, bytes | str | Mapping):
        raise wrong_type(name, value, "bytes, a text or a mapping")
    if isinstance(value, Mapping):
        members(name, value, "a member")
    return value


def _made_by(*names: str, otherwise: str = "") -> Callable[[Any], str]:
    """Return the remedy for what is no filter yet: the first of these classes that makes one of it."""

    def remedy(value: Any) -> str:
        for name in names if isinstance(value, str | Mapping | list | os.PathLike) else ():
            with suppress(ValueError, TypeError, OSError):
                ours("_filters", name)()(value)
                return f"ctfast.{name}(...) makes one of it"
        return otherwise

    return remedy


def _as_checkpoint(value: Any) -> str:
    return f"write ctfast.Checkpoint({quoted(value)})" if isinstance(value, str | os.PathLike) else ""


_filter = ours("_filters", "Filter")
_SELECTORS = instance(
    ours("_filters", "EventSelectors"),
    "ctfast.EventSelectors",
    _made_by("EventSelectors", otherwise='such as ctfast.EventSelectors({"ReadWriteType": "All"})'),
)

#: What an argument of this name may be.
_OF_ALL: dict[str, Check] = {
    "accounts": accounts,
    "against": _SELECTORS,
    "batch_rows": whole(1, _MOST),
    "cache": new_path("a file to keep the keys in"),
    "checkpoint": instance(ours("_objects.checkpoint", "Checkpoint"), "a ctfast.Checkpoint", _as_checkpoint),
    "columns": _columns,
    "dedupe": flag,
    "details": flag,
    "files": flag,
    "first_copy_free": flag,
    "folder": _target,
    "further_copy": flag,
    "given": _condition,
    "inflated": whole(1, _MOST),
    "keys": read_by(ours("_keys", "load_keys")),
    "kinds": kinds,
    "limits": _limits,
    "line": text,
    "map": _map,
    "max_bytes": whole(1, _MOST),
    "max_delay": _max_delay,
    "max_files": whole(1, _MOST),
    "missing_differs": flag,
    "missing_read_only": choice("write", "read", "neither"),
    "on_error": choice("raise", "collect"),
    "prices": _prices,
    "progress": function,
    "ratio": whole(1, _MOST),
    "record": _record,
    "regions": regions,
    "relocated_from": _origin,
    "report": instance(ours("_report", "Report"), "a ctfast.Report", lambda _: "write report = ctfast.Report() before the call"),
    "rules": _named_rules,
    "selectors": _SELECTORS,
    "session": does("client", "a boto3.Session"),
    "signatures": _signatures,
    "sha256": flag,
    "since": _time,
    "source": sources,
    "state": choice("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "DISABLED"),
    "storage_options": _storage_options,
    "text": text,
    "threads": whole(1, THREADS),
    "title": text,
    "trails": trails,
    "until": _time,
    "verified": instance(ours("_verify", "Verification"), "a ctfast.Verification", lambda _: "what ctfast.verify(...) returns"),
    "verify": instance(ours("_verify", "Verifier"), "a ctfast.Verifier", lambda _: "such as ctfast.Verifier(keys=...)"),
    "views": flag,
    "where": instance(
        _filter, "a filter such as ctfast.FilterPattern(...)", _made_by("EventSelectors", "EventPattern", "FilterPattern")
    ),
}

#: What it may be in one function alone.
_OF_FUNCTIONS: dict[str, Check] = {
    "Checkpoint.path": new_path("a file to keep it in"),
    "Checkpoint.rewind": between(timedelta(days=1), _CENTURY, "be at least a day and at most a hundred years", "days=2"),
    "EventSelectors.target": choice("trail", "event-data-store"),
    "Inventory.client": does("download_file", "a boto3 client of S3"),
    "Inventory.manifest": _manifest,
    "KeyList.bucket": _bucket_name,
    "KeyList.source": _lines,
    "Messages.source": _lines,
    "Price.per": whole(1, _MOST),
    "Price.price": amount,
    "Price.source": text,
    "Prices.currency": text,
    "Prices.date": text,
    "Prices.events": _priced,
    "Prices.of.category": text,
    "Prices.of.events": whole(0, _MOST),
    "Prices.read.file": _prices,
    "Prices.region": text,
    "PublicKey.der": _bytes,
    "PublicKey.fingerprint": text,
    "PublicKey.region": text,
    "PublicKey.valid": _validity,
    "Queue.client": does("receive_message", "a boto3 client of SQS"),
    "Queue.url": _queue,
    "Queue.visibility": between(timedelta(0), timedelta(hours=12), "be between 0 seconds and 12 hours", "minutes=10"),
    # A wait of zero asks some of SQS's servers only, and finds a queue empty that is not.
    "Queue.wait": between(timedelta(seconds=1), timedelta(seconds=20), "be between 1 and 20 seconds", "seconds=1"),
    "copy.source": _bucket("under which signatures are kept"),
    "copy.target": _target,
    "fetch_keys.regions": _some_regions,
    "fetch_signatures.client": does("head_object", "a boto3 client of S3"),
    "fetch_signatures.source": _bucket("which digests are signed with"),
    "lint.sources": _conditions,
    "packs.load.name": text,
    "rules.source": _documents,
    "sample.write.seed": whole(-_MOST, _MOST),
    "verify.source": _archive,
}
