"""The arguments of the public functions: their names, and what each may be. Whatever is wrong is told here, in one form.

A call is refused under the name of the function that the user called, with the argument and what to give instead, before anything
is opened: a name that there is not, and a value of another type, are a :class:`TypeError`, a value that nothing can be an
:class:`ctfast.ArgumentError`.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict, TypeVar

from ctfast._addresses import sources
from ctfast._times import Time
from ctfast._words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError, shortened

if TYPE_CHECKING:
    from ctfast._filters import Filter
    from ctfast._keys import Keys
    from ctfast._objects.checkpoint import Checkpoint
    from ctfast._report import Limits, Report
    from ctfast._rules import Rules
    from ctfast._signatures import Signatures
    from ctfast._verify import Progress, Verification, Verifier

__all__ = [
    "KINDS",
    "MAX_DELAY",
    "ON_ERROR",
    "THREADS",
    "Checking",
    "Names",
    "OnError",
    "Reading",
    "Streaming",
    "checked",
    "column_names",
    "nearest_region",
    "public",
    "unknown",
]

OnError: TypeAlias = Literal["raise", "collect"]
Names: TypeAlias = Iterable[str] | str

ON_ERROR: OnError = "raise"
MAX_DELAY = timedelta(days=1)
#: Folders of the key grammar that hold events.
KINDS = ("CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated")
_DIGEST = "CloudTrail-Digest"
_ON_ERROR = ("raise", "collect")
#: More are no help to any machine; each may hold 48 MiB.
THREADS = 1_024
_MOST = (1 << 63) - 1
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
#: As in us-east-1, us-gov-west-1, eusc-de-east-1, us-isob-east-1.
_REGION = re.compile(r"[a-z]{2,8}(-[a-z]{1,16})+-[0-9]{1,2}", re.ASCII)
#: Names that other tools have for what has another place here.
_ELSEWHERE = {
    "columns": "scan(...).select(...) and stream(columns=...) choose columns",
    "rules": "match(source, rules) and stream(rules=...) take rules",
    "limit": "scan(...).head(n) takes the first rows",
    "n_rows": "scan(...).head(n) takes the first rows",
    "filter": "where= takes a filter of AWS; scan(...).filter(...) one of Polars",
}
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Reading(TypedDict, total=False):
    """What :func:`ctfast.scan`, and all that read an archive as it does, take by name."""

    since: Time | None
    until: Time | None
    accounts: Names | None
    regions: Names | None
    kinds: Names | None
    where: Filter | None
    on_error: OnError
    report: Report | None
    max_delay: timedelta | None
    threads: int | None
    limits: Limits | None
    progress: Callable[[Report], object] | None
    verify: Verifier | None
    verified: Verification | None
    checkpoint: Checkpoint | None
    dedupe: bool
    storage_options: Mapping[str, str] | None


class Streaming(Reading, total=False):
    """What :func:`ctfast.stream` takes besides columns and rows."""

    rules: Rules | None


class Checking(TypedDict, total=False):
    """What :func:`ctfast.verify` takes by name."""

    keys: Required[Keys]
    signatures: Signatures | None
    since: Time | None
    until: Time | None
    accounts: Names | None
    regions: Names | None
    trails: Names | None
    map: Mapping[str, str | os.PathLike[str]] | None
    relocated_from: str | None
    details: bool
    threads: int | None
    limits: Limits | None
    progress: Callable[[Progress], object] | None
    storage_options: Mapping[str, str] | None


def public(*, options: type | None = None, **defaults: Any) -> Callable[[_Function], _Function]:
    """Make a function refuse names that it does not know, and tell of each one that it does.

    Parameters
    ----------
    options
        The :class:`typing.TypedDict` that its ``**options`` are unpacked from.
    **defaults
        Values that are meant when nothing is given, where they are not None.
    """

    def decorate(function: _Function) -> _Function:
        signature = _signature(function, options, defaults)
        known = [name for name, parameter in signature.parameters.items() if parameter.kind is parameter.KEYWORD_ONLY]
        named = [name for name, parameter in signature.parameters.items() if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]

        @functools.wraps(function)
        def called(*given: Any, **by_name: Any) -> Any:
            unknown(function.__name__, by_name, [*named, *known])
            return function(*given, **by_name)

        called.__signature__ = signature  # type: ignore[attr-defined]  # what inspect and help look at
        called.__doc__ = (function.__doc__ or "").replace("**options", ", ".join(known))
        return called  # type: ignore[return-value]  # of the same signature, as far as types go

    return decorate


def _signature(function: Callable[..., Any], options: type | None, defaults: dict[str, Any]) -> inspect.Signature:
    """Return the signature with each option by its name."""
    signature = inspect.signature(function)
    if options is None:
        return signature
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    usual: dict[str, Any] = {"on_error": ON_ERROR, "max_delay": MAX_DELAY, "details": True, "dedupe": False} | defaults
    more = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if name in options.__required_keys__ else usual.get(name),  # type: ignore[attr-defined]  # a TypedDict
            annotation=getattr(annotation, "__forward_arg__", annotation),
        )
        for name, annotation in options.__annotations__.items()
    ]
    return signature.replace(parameters=[*own, *more])


def unknown(function: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names that there are not."""
    names = list(known)
    for name in given:
        if name not in names:
            remedy = f"; {_ELSEWHERE[name]}" if name in _ELSEWHERE else or_nearest(nearest(name, names))
            remedy = remedy or f": it takes {', '.join(names)}"
            raise TypeError(f"{function}() has no argument {shortened(repr(name))}{remedy}")


def checked(function: str, **values: Any) -> dict[str, Any]:
    """Return arguments as they are used; refuse what they cannot be, under the name of the function that was called."""
    taken: dict[str, Any] = {}
    for name, value in values.items():
        try:
            taken[name] = value if value is None and name not in _NEEDED else _TABLE[name](name, value)
        except ArgumentError as error:
            raise ArgumentError(error.message, name, error.value, error.nearest, function) from None
        except TypeError as error:
            raise TypeError(f"{function}(): {error}") from None
    return taken


def column_names(function: str, given: object, known: Iterable[str]) -> list[str]:
    """Return names of columns, and of fields of structs as ``userIdentity.arn``, that there are."""
    names = list(known)
    wanted = checked(function, columns=given)["columns"]
    for name in wanted:
        if name not in names:
            close = nearest(name, names)
            message = f"columns has no {quoted(name)}{or_nearest(close)} (ctfast columns lists them)"
            raise ArgumentError(message, "columns", name, close, function)
    twice = next((name for name in wanted if wanted.count(name) > 1), None)
    if twice is not None:
        raise ArgumentError(f"columns has {quoted(twice)} twice", "columns", twice, None, function)
    return wanted  # type: ignore[no-any-return]  # a list of texts


def _type(name: str, value: object, wanted: str, remedy: str = "") -> TypeError:
    return TypeError(f"{name} must be {wanted}, not {_said(value)}{f': {remedy}' if remedy else ''}")


def _said(value: object) -> str:
    """Return what was given, in words; no text of a secret's length, and no data."""
    if value is None or isinstance(value, bool):
        return repr(value)
    kind = type(value).__name__
    if isinstance(value, int | float | timedelta):
        return f"{kind} {shortened(str(value))}"
    if isinstance(value, str | bytes):
        return f"the text {quoted(value)}" if isinstance(value, str) else f"bytes {quoted(value)}"
    return kind


def _of(kind: Callable[[], type], words: str, remedy: Callable[[Any], str] | None = None) -> Callable[[str, Any], Any]:
    """An argument of a class of ours, which is imported only now, as it may be made of this module."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, kind()):
            raise _type(name, value, words, remedy(value) if remedy is not None else "")
        return value

    return check


def _texts(name: str, value: Any, what: str) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, int | float | bytes | Mapping) or not isinstance(value, Iterable):
        raise _type(name, value, f"a text or several, such as {what}", _digits(name, value))
    found = list(value)
    for each in found:
        if not isinstance(each, str):
            raise _type(name, each, f"a text or several, such as {what}", _digits(name, each))
    return found


def _digits(name: str, value: object) -> str:
    """Return the remedy for an account that is a number: its leading zeros are lost."""
    if name == "accounts" and isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
        return f"write {f'{value:012}'!r}, with the zeros that it begins with"
    return ""


def _accounts(name: str, value: Any) -> set[str]:
    found = _texts(name, value, "'111122223333'")
    for each in found:
        if not _ACCOUNT.fullmatch(each):
            digits = re.sub(r"[\s-]", "", each)
            meant = digits if _ACCOUNT.fullmatch(digits) else None
            count = f", not {len(digits)}" if digits.isdecimal() and meant is None else " and nothing else"
            raise ArgumentError(f"{name} have 12 digits{count}: {quoted(each)}{or_nearest(meant)}", name, each, meant)
    return set(found)


def _regions(name: str, value: Any) -> set[str]:
    found = _texts(name, value, "'us-east-1'")
    for each in found:
        if not _REGION.fullmatch(each):
            meant = nearest_region(each)
            raise ArgumentError(f"{name} are such as 'us-east-1', not {quoted(each)}{or_nearest(meant)}", name, each, meant)
    return set(found)


def nearest_region(word: str, seen: Iterable[str] = ()) -> str | None:
    """Return the region that was probably meant: one that was seen, or else one that is widely used."""
    tidy = re.sub(r"[\s_.]", "-", word.strip().casefold())
    return nearest(tidy, seen) or (None if tidy in _REGIONS and tidy == word else nearest(tidy, _REGIONS))


#: For guesses only: which regions there are, the archive tells.
_REGIONS = (
    *(f"us-{side}-{number}" for side in ("east", "west") for number in (1, 2)),
    *(f"eu-{side}-{number}" for side in ("west", "central", "south", "north") for number in (1, 2, 3)),
    *(f"ap-{side}-{number}" for side in ("southeast", "northeast", "south", "east") for number in (1, 2, 3, 4)),
    *("ca-central-1", "ca-west-1", "sa-east-1", "af-south-1", "me-south-1", "me-central-1", "il-central-1", "mx-central-1"),
    *("us-gov-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"),
)


def _kinds(name: str, value: Any) -> set[str]:
    found = _texts(name, value, "'CloudTrail'")
    for each in found:
        if each == _DIGEST:
            message = f"{name} are those of log files; {_DIGEST!r} is that of digest files, which verify() reads"
            raise ArgumentError(message, name, each)
        if each not in KINDS:
            close = nearest(each, KINDS)
            message = f"{name} has no {quoted(each)}{or_nearest(close)} (kinds are {', '.join(KINDS)})"
            raise ArgumentError(message, name, each, close)
    return set(found)


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            number = value.strip() if isinstance(value, str) else ""
            raise _type(name, value, "a whole number", f"write {name}={number}" if number.isdecimal() else "")
        if not least <= value <= most:
            bounds = f"at least {least}" if value < least else f"at most {most:,}"
            raise ArgumentError(f"{name} must be {bounds}, not {shortened(str(value))}", name, value)
        return value

    return check


def _max_delay(name: str, value: Any) -> timedelta:
    if not isinstance(value, timedelta):
        raise _type(name, value, "a timedelta or None", "such as datetime.timedelta(hours=36)")
    if value < timedelta(0):
        raise ArgumentError(f"{name} must not be negative, but is {value}", name, value)
    return value


def _on_error(name: str, value: Any) -> OnError:
    if value not in _ON_ERROR:
        close = nearest(value, _ON_ERROR) if isinstance(value, str) else None
        raise ArgumentError(f'{name} must be "raise" or "collect", not {quoted(value)}{or_nearest(close)}', name, value, close)
    return value  # type: ignore[no-any-return]  # one of the two


def _storage_options(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _type(name, value, "a mapping of names to texts", "such as {'aws_region': 'eu-west-1'}")
    for option, setting in value.items():
        if not isinstance(option, str):
            raise _type(f"a name in {name}", option, "a text")
        if not isinstance(setting, str):
            # What stands there may be a secret: its type only.
            told = f": write {str(setting).lower()!r}" if isinstance(setting, bool) else ""
            raise TypeError(f"{name}[{quoted(option)}] must be a text, not {type(setting).__name__}{told}")
    return dict(value)


def _limits(name: str, value: Any) -> Limits:
    kind: Any = _class("_report", "Limits")()
    if not isinstance(value, kind):
        example = value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1 << 30
        raise _type(name, value, "a ctfast.Limits", f"such as ctfast.Limits(inflated={shortened(str(example))})")
    return kind(*value)  # type: ignore[no-any-return]  # the class that is named above


def _columns(name: str, value: Any) -> list[str]:
    if isinstance(value, str):
        raise _type(name, value, "a list of names", f"write {name}=[{quoted(value)}]")
    return _texts(name, value, "['eventTime', 'eventName']")


def _callable(name: str, value: Any) -> Any:
    if not callable(value):
        raise _type(name, value, "a function that takes the state of the work")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _type(name, value, "True or False")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _type(name, value, "a text")
    return value


def _map(name: str, value: Any) -> dict[str, str | os.PathLike[str]]:
    if not isinstance(value, Mapping):
        raise _type(name, value, "a mapping of buckets to folders", "such as {'other-bucket': 'other-folder'}")
    for bucket, folder in value.items():
        if not isinstance(bucket, str):
            raise _type(f"a bucket in {name}", bucket, "a text")
        if not isinstance(folder, str | os.PathLike):
            raise _type(f"{name}[{quoted(bucket)}]", folder, "the path of a folder")
    return dict(value)


def _class(module: str, name: str) -> Callable[[], type]:
    def get() -> type:
        from importlib import import_module  # noqa: PLC0415  # which may be made of this module

        return getattr(import_module(f"ctfast.{module}"), name)  # type: ignore[no-any-return]  # a class of ours

    return get


def _as_filter(value: Any) -> str:
    if isinstance(value, str | Mapping | list):
        name = "FilterPattern" if isinstance(value, str) else "EventPattern"
        return f"ctfast.{name}(...) makes one of it"
    return ""


def _as_checkpoint(value: Any) -> str:
    return f"write ctfast.Checkpoint({quoted(value)})" if isinstance(value, str | os.PathLike) else ""


#: Arguments that None says nothing about.
_NEEDED = frozenset({"source", "columns", "dedupe", "on_error", "details", "text", "target", "views"})

#: What each argument may be, and what becomes of it. What has a reader of its own, such as keys and rules, is checked there.
_TABLE: dict[str, Callable[[str, Any], Any]] = {
    "accounts": _accounts,
    "batch_rows": _whole(1, _MOST),
    "checkpoint": _of(_class("_objects.checkpoint", "Checkpoint"), "a ctfast.Checkpoint", _as_checkpoint),
    "columns": _columns,
    "dedupe": _flag,
    "details": _flag,
    "further_copy": _flag,
    "inflated": _whole(1, _MOST),
    "kinds": _kinds,
    "limits": _limits,
    "map": _map,
    "max_bytes": _whole(1, _MOST),
    "max_delay": _max_delay,
    "max_files": _whole(1, _MOST),
    "on_error": _on_error,
    "progress": _callable,
    "ratio": _whole(1, _MOST),
    "regions": _regions,
    "relocated_from": _text,
    "report": _of(_class("_report", "Report"), "a ctfast.Report", lambda _: "write report = ctfast.Report() before the call"),
    "source": sources,
    "storage_options": _storage_options,
    "text": _text,
    "threads": _whole(1, THREADS),
    "trails": lambda name, value: set(_texts(name, value, "'management-events'")),
    "verified": _of(_class("_verify", "Verification"), "a ctfast.Verification", lambda _: "what ctfast.verify(...) returns"),
    "verify": _of(_class("_verify", "Verifier"), "a ctfast.Verifier", lambda _: "such as ctfast.Verifier(keys=...)"),
    "where": _of(_class("_filters", "Filter"), "a filter such as ctfast.FilterPattern(...)", _as_filter),
    "views": _flag,
}
