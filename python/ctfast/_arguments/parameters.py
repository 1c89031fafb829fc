"""The one table of arguments: what each argument of a public function may be, by name, and how it is converted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ctfast._arguments.checks import (
    SCHEME,
    Check,
    amount,
    between,
    choice,
    does,
    encodable,
    flag,
    function,
    instance,
    members,
    new_path,
    ours,
    path,
    read_by,
    text,
    text_or_path,
    texts,
    whole,
    wrong_type,
)
from ctfast._arguments.names import accounts, kinds, regions, trails
from ctfast._arguments.times import micros
from ctfast._aws.credentials import KNOWN, PLAIN
from ctfast._later import pl
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast._source.addresses import address, is_address, sources
from ctfast._source.buckets import is_access_point, split, wrong_bucket
from ctfast._source.object_keys import KeySource
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from ctfast._ledger.report import Limits

__all__ = ["READ", "ROWS", "THREADS", "check_of"]

#: More would not help any machine; each may hold 48 MiB.
THREADS = 1_024
#: No archive has more rows, and Polars can still count one more.
ROWS = 10**15
#: Arguments that read files, checked after all others.
READ = frozenset({"keys", "prices", "rules", "signatures"})
_MOST = (1 << 63) - 1
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
#: A table with its database, or without it.
_IN_DATABASE = re.compile(rf"({_TABLE.pattern}\.)?{_TABLE.pattern}", re.ASCII)
_ICEBERG = re.compile(r"\w+(\.\w+)+")
_URL = re.compile(r"https?://[^/]+/.")
#: Characters that addresses have not, or that end the path of one.
_CUT = re.compile(r"[?#\\\x00-\x1f\x7f]")
#: CloudTrail itself is younger.
_CENTURY = timedelta(days=36_525)


def check_of(function: str, argument: str) -> Check:
    """Return the check of an argument: the one of this function, or the common one."""
    return _OF_FUNCTIONS.get(f"{function}.{argument}") or _OF_ALL[argument]


def _time(name: str, value: Any) -> Any:
    """A bound of time; a pair is compared later."""
    if not isinstance(micros(name, value, datetime.now(UTC)), int):  # false for NaT
        raise wrong_type(name, value, "a datetime, a date, or text")
    return value


def _max_delay(name: str, value: Any) -> timedelta:
    if not isinstance(value, timedelta):
        raise wrong_type(name, value, "a timedelta or None", "such as datetime.timedelta(hours=36)")
    if not value >= timedelta(0):  # false for NaT
        raise ArgumentError(f"{name} must not be negative, but is {value}", name, value)
    return value


def _storage_options(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of names to texts", "such as {'aws_region': 'eu-west-1'}")
    members(name, value, "an option")
    for option, setting in value.items():
        if option.lower() not in KNOWN:
            # Where no bucket is read, nothing else would check it.
            close = nearest(option.lower(), KNOWN)
            known = "" if close else f" (known, with or without aws_ before them, are {', '.join(PLAIN)})"
            raise ArgumentError(f"{name} has no {quoted(option)}{or_nearest(close)}{known}", name, option, close)
        if not isinstance(setting, str):
            # The value may be a secret: only its type is shown.
            told = f": write {quoted(str(setting).lower())}" if isinstance(setting, bool) else ""
            raise TypeError(f"{name}[{quoted(option)}] must be a text, not {type(setting).__name__}{told}")
    return dict(value)


def _limits(name: str, value: Any) -> Limits:
    kind: Any = ours("_ledger.report", "Limits")()
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
    """A source that can be verified: an archive, not a list of keys."""
    if isinstance(value, KeySource):
        raise wrong_type(name, value, "the folder of an archive", "what names files for a scan tells of no digests")
    return sources(name, value)


def _bucket(why: str) -> Check:
    """An address in a bucket whose name must be known, so no access point."""

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


def _folder_or_prefix(what: str) -> Check:
    """The path of a folder, or an address below which a lake lies."""
    folder = new_path(what)

    def check(name: str, value: Any) -> str | os.PathLike[str]:
        if isinstance(value, str) and SCHEME.match(value) and encodable(value) and not os.path.lexists(value):
            _readable_by_all(name, address(name, value))
            return value.rstrip("/")
        return folder(name, value)  # type: ignore[no-any-return]  # a path, as it was given

    return check


def _readable_by_all(name: str, url: str) -> None:
    """Refuse a prefix that other readers of the table take for another one."""
    bucket, prefix = split(url.rstrip("/"))
    if bucket.startswith("arn:"):
        why = "is an access point, which other readers of Delta tables do not take: name the bucket"
    elif wrong := _CUT.search(prefix):
        why = f"has {quoted(wrong[0])}, at which other readers cut an address: name another prefix"
    elif unquote(prefix) != prefix:
        why = "has a % with two digits, which other readers take for a character: name another prefix"
    elif prefix and {"", ".", ".."} & set(prefix.split("/")):
        why = "has a step that is empty, . or .., which other readers leave out: name another prefix"
    else:
        return
    raise ArgumentError(f"{name} {quoted(url)} {why}", name, url)


def _target(name: str, value: Any) -> str | os.PathLike[str]:
    return new_path("a folder")(name, value)  # type: ignore[no-any-return]  # a path, as it was given


def _queue(name: str, value: Any) -> str:
    if not _URL.match(text(name, value)):
        example = "https://sqs.eu-west-1.amazonaws.com/111122223333/new-logs"
        raise ArgumentError(
            f"{name} must be the address of a queue, such as {example}, not {quoted(value)}", name, value
        )
    return value  # type: ignore[no-any-return]  # a text


def _asked(name: str, value: Any) -> Any:
    """A lake, or a source."""
    return value if isinstance(value, ours("_lake.lake", "Lake")()) else sources(name, value)


def _described(name: str, value: Any) -> Any:
    """A lake, or one folder or address of a lake or an archive, as other engines can name it."""
    if isinstance(value, ours("_lake.lake", "Lake")()):
        return value
    source = sources(name, value)
    if not isinstance(source, str | os.PathLike):
        raise wrong_type(name, value, "a ctfast.Lake, or one folder or address")
    if is_address(os.fspath(source)):
        _readable_by_all(name, os.fspath(source))
    return source


def _table(name: str, value: Any) -> str:
    """The name of a table that any engine takes."""
    if not _IN_DATABASE.fullmatch(text(name, value)):
        told = f"letters, digits and _, with the name of a database and a dot before them or not, not {quoted(value)}"
        raise ArgumentError(f"{name} must be {told}", name, value)
    return value  # type: ignore[no-any-return]  # a text


def _params(name: str, value: Any) -> Any:
    """Values by name, or in their order."""
    if isinstance(value, Mapping):
        members(name, value, "a parameter")
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    raise wrong_type(name, value, "a mapping of names to values, or a list of values", "such as {'user': 'alice'}")


def _tables(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of names to frames", "such as {'ips': frame}")
    members(name, value, "a table")
    for table in value:
        if not _TABLE.fullmatch(table):
            message = f"{name}: {quoted(table)} is no name of a table: letters, digits and _ are"
            raise ArgumentError(message, name, table)
    return dict(value)


def _frame(name: str, value: Any) -> Any:
    """A frame of Polars, or Arrow data as one."""
    if isinstance(value, pl.DataFrame | pl.LazyFrame):
        return value
    if hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__"):
        with suppress(pl.exceptions.PolarsError, TypeError):  # an array, not a table
            return pl.DataFrame(value)
    raise wrong_type(name, value, "a frame of Polars or a table of Arrow", "such as ctfast.scan(...)")


def _messages(name: str, value: Any) -> list[Any]:
    kind = ours("_scan.message", "SplitMessage")()
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise wrong_type(name, value, "several ctfast.SplitMessage", "Split.write_parquet(...) returns one")
    found = list(value)
    for each in found:
        if not isinstance(each, kind):
            raise wrong_type(name, each, "several ctfast.SplitMessage", "Split.write_parquet(...) returns one")
    return found


def _hold(name: str, value: Any) -> str:
    """The name of a hold."""
    if not text(name, value).strip() or not encodable(value):
        raise ArgumentError(f"{name} must be a text that people can read, not {quoted(value)}", name, value)
    return value  # type: ignore[no-any-return]  # a text


def _catalog(name: str, value: Any) -> Any:
    """A catalogue of pyiceberg, or the name of one."""
    if isinstance(value, str) or hasattr(value, "create_table_transaction"):
        return value
    raise wrong_type(name, value, "a catalogue of pyiceberg, or the name of one in its configuration")


def _iceberg(name: str, value: Any) -> str:
    """The name of an Iceberg table, with its namespace."""
    if not _ICEBERG.fullmatch(text(name, value)):
        message = f"{name} must be a namespace and a table, such as 'security.events', not {quoted(value)}"
        raise ArgumentError(message, name, value)
    return value  # type: ignore[no-any-return]  # a text


def _run(name: str, value: Any) -> str:
    """The name of a run, which becomes a part of names of files."""
    if not _RUN.fullmatch(text(name, value)):
        told = f"1 to 100 letters, digits, '.', '_' or '-', and begin with a letter or a digit, not {quoted(value)}"
        raise ArgumentError(f"{name} must be {told}", name, value)
    return value  # type: ignore[no-any-return]  # a text


def _lines(name: str, value: Any) -> Any:
    """A file of lines, or lines; those from an iterator are checked as they come."""
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
    check = text_or_path("a file or a folder")
    return tuple(check(name, each) if isinstance(each, str | os.PathLike) else _condition(name, each) for each in value)


def _one_selectors(name: str, value: Any) -> Any:
    """Event selectors; if rules contain only one, that one."""
    if not isinstance(value, ours("_filter.rules", "RuleSet")()):
        return _SELECTORS(name, value)
    kind = ours("_filter.filters", "EventSelectors")()
    found = [rule for rule in value.values() if isinstance(rule, kind)]
    if len(found) != 1:
        message = f"{name} must have event selectors once, and these rules have them {len(found)} times"
        raise ArgumentError(message, name, value)
    return found[0]


def _has_filters(value: Any) -> bool:
    """Whether a value is a filter, or contains one."""
    held = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    return any(isinstance(each, _filter()) for each in held)


def _documents(name: str, value: Any) -> Any:
    if _has_filters(value):
        raise wrong_type(
            name, value, "what filters are written in", 'there are some already: match takes {"name": filter}'
        )
    return _rules(name, value)


def _rules(name: str, value: Any) -> Any:
    if isinstance(value, str | os.PathLike):
        return text_or_path("a file or a folder")(name, value)
    if not isinstance(value, Mapping | list):
        message = f"{name} cannot be read: rules are a mapping, a list, a text or the path of a file or folder"
        raise TypeError(f"{message}, not {type(value).__name__}")
    if isinstance(value, Mapping):
        members(name, value, "a rule")
    return value


def _named_rules(name: str, value: Any) -> Any:
    if _has_filters(value) and not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of names to filters", f'write {name}={{"name": filter}}')
    return ours("_filter.rules", "named")()(_rules(name, value))


def _signatures(name: str, value: Any) -> Any:
    kind = value if isinstance(value, Mapping) else path("a file of signatures, or what it holds")(name, value)
    return ours("_integrity.signatures", "parsed")()(kind)


def _prices(name: str, value: Any) -> Any:
    found = path("a table of prices")(name, value)
    ours("_cost.prices", "table")()(found)
    return found


def _priced(name: str, value: Any) -> dict[str, Any]:
    kind = ours("_cost.prices", "Price")()
    if not isinstance(value, Mapping):
        raise wrong_type(
            name, value, "a mapping of categories to prices", "such as {'Data': ctfast.Price(0.1, 100_000)}"
        )
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
    """Return the remedy for what is not a filter yet: the first of these classes that can be made of it."""

    def remedy(value: Any) -> str:
        for name in names if isinstance(value, str | Mapping | list | os.PathLike) else ():
            with suppress(ValueError, TypeError, OSError):
                ours("_filter.filters", name)()(value)
                return f"ctfast.{name}(...) makes one of it"
        return otherwise

    return remedy


def _as_checkpoint(value: Any) -> str:
    return f"write ctfast.Checkpoint({quoted(value)})" if isinstance(value, str | os.PathLike) else ""


_filter = ours("_filter.filters", "Filter")
_SELECTORS = instance(
    ours("_filter.filters", "EventSelectors"),
    "ctfast.EventSelectors",
    _made_by("EventSelectors", otherwise='such as ctfast.EventSelectors({"ReadWriteType": "All"})'),
)

#: What an argument of this name may be.
_OF_ALL: dict[str, Check] = {
    "accounts": accounts,
    "against": _one_selectors,
    "batch_rows": whole(1, _MOST),
    "catalog": _catalog,
    "cache": new_path("a file to keep the keys in"),
    "checkpoint": instance(ours("_state.checkpoint", "Checkpoint"), "a ctfast.Checkpoint", _as_checkpoint),
    "columns": _columns,
    "dedupe": flag,
    "delete": flag,
    "dest": _folder_or_prefix("a folder"),
    "details": flag,
    "dialect": choice("trino", "duckdb", "polars"),
    "files": flag,
    "first_copy_free": flag,
    "folder": _target,
    "follow": flag,
    "frame": _frame,
    "further_copy": flag,
    "engine": choice("athena", "duckdb", "spark", "trino"),
    "explain": flag,
    "given": _condition,
    "inflated": whole(1, _MOST),
    "interval": between(timedelta(seconds=1), timedelta(days=1), "be between a second and a day", "seconds=60"),
    "json": flag,
    "keys": read_by(ours("_integrity.public_keys", "load_keys")),
    "kinds": kinds,
    "limits": _limits,
    "line": text,
    "map": _map,
    "max_bytes": whole(1, _MOST),
    "max_delay": _max_delay,
    "max_files": whole(1, _MOST),
    "missing_differs": flag,
    "n": whole(0, _MOST),
    "missing_read_only": choice("write", "read", "neither"),
    "now": _time,
    "on_error": choice("raise", "collect"),
    "params": _params,
    "prices": _prices,
    "progress": function,
    "ratio": whole(1, _MOST),
    "raw": flag,
    "record": _record,
    "regions": regions,
    "relocated_from": _origin,
    "report": instance(
        ours("_ledger.report", "Report"), "a ctfast.Report", lambda _: "write report = ctfast.Report() before the call"
    ),
    "restore": choice("bulk", "standard"),
    "rules": _named_rules,
    "selectors": _one_selectors,
    "session": does("client", "a boto3.Session"),
    "signatures": _signatures,
    "sha256": flag,
    "since": _time,
    "slots": whole(1, _MOST),
    "source": sources,
    "state": choice("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "DISABLED"),
    "storage_options": _storage_options,
    "table": _table,
    "tables": _tables,
    "text": text,
    "threads": whole(1, THREADS),
    "timeout": between(timedelta(milliseconds=1), timedelta(days=1), "be between a millisecond and a day", "minutes=5"),
    "title": text,
    "trails": trails,
    "types": choice("polars", "arrow", "spark"),
    "until": _time,
    "verified": instance(
        ours("_integrity.verification", "Verification"),
        "a ctfast.Verification",
        lambda _: "what ctfast.verify(...) returns",
    ),
    "verify": instance(
        ours("_integrity.verify", "Verifier"), "a ctfast.Verifier", lambda _: "such as ctfast.Verifier(keys=...)"
    ),
    "versions": flag,
    "views": flag,
    "where": instance(
        _filter,
        "a filter such as ctfast.FilterPattern(...)",
        _made_by("EventSelectors", "EventPattern", "FilterPattern"),
    ),
}

#: Exceptions for single functions.
_OF_FUNCTIONS: dict[str, Check] = {
    "Checkpoint.path": new_path("a file to keep it in"),
    "Checkpoint.rewind": between(
        timedelta(days=1), _CENTURY, "be at least a day and at most a hundred years", "days=2"
    ),
    "EventSelectors.target": choice("trail", "event-data-store"),
    "Lake.path": _folder_or_prefix("the folder of a lake"),
    "Lake.changes.since": whole(0, _MOST),
    "Lake.commit.messages": _messages,
    "Lake.export.dest": new_path("a folder"),
    "Lake.export_iceberg.name": _iceberg,
    "Lake.forget_iceberg.name": _iceberg,
    "Lake.hold.name": _hold,
    "Lake.release.name": _hold,
    "Lake.retain.days": whole(7, 3_653),
    "Lake.scan.verified": flag,
    "Lake.commit.run": _run,
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
    # With a wait of zero, SQS asks only some of its servers, and may report a queue as empty that is not.
    "Queue.wait": between(timedelta(seconds=1), timedelta(seconds=20), "be between 1 and 20 seconds", "seconds=1"),
    "copy.source": _bucket("under which signatures are kept"),
    "copy.target": _target,
    "ddl.source": _described,
    "fetch_keys.regions": _some_regions,
    "fetch_signatures.client": does("head_object", "a boto3 client of S3"),
    "fetch_signatures.source": _bucket("which digests are signed with"),
    "lint.sources": _conditions,
    "packs.load.name": text,
    "rules.source": _documents,
    "sample.write.seed": whole(-_MOST, _MOST),
    "sql.source": _asked,
    "splits.target": whole(1, _MOST),
    "verify.source": _archive,
}
