"""The gate of the public functions: which arguments each one takes, and the checks that nothing else passes.

All errors have one form. A call is refused under the name of the function that the user called, with the argument and
what to give instead, before anything is opened. An unknown or missing argument is a :class:`TypeError`; an impossible
value is a :class:`ctfast.ArgumentError`, and one of another type a :class:`ctfast.ArgumentTypeError`.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict, TypeVar

from ctfast._arguments.checks import Check
from ctfast._arguments.parameters import READ, check_of
from ctfast._arguments.times import Time
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError, ArgumentTypeError, CloudTrailError, shortened

if TYPE_CHECKING:
    from ctfast._filter.filters import Filter
    from ctfast._filter.rules import Rules
    from ctfast._integrity.public_keys import Keys
    from ctfast._integrity.signatures import Signatures
    from ctfast._integrity.verification import Verification
    from ctfast._integrity.verify import Progress, Verifier
    from ctfast._ledger.report import Limits, Report
    from ctfast._state.checkpoint import Checkpoint

__all__ = [
    "MAX_DELAY",
    "ON_ERROR",
    "Checking",
    "Ingesting",
    "Names",
    "OnError",
    "Reading",
    "Splitting",
    "Streaming",
    "checked",
    "column_names",
    "processors",
    "public",
]

OnError: TypeAlias = Literal["raise", "collect"]
Names: TypeAlias = Iterable[str] | str

ON_ERROR: OnError = "raise"
MAX_DELAY = timedelta(days=1)
#: Defaults of options; for all others it is None.
_DEFAULTS: dict[str, Any] = {
    "on_error": ON_ERROR,
    "max_delay": MAX_DELAY,
    "details": True,
    "dedupe": False,
    "versions": False,
}
#: Names in other tools for something that has another name here.
_ELSEWHERE = {
    "columns": "scan(...).select(...) and stream(columns=...) choose columns",
    "rules": "match(source, rules), scan(rules=...) and stream(rules=...) take rules",
    "limit": "scan(...).head(n) takes the first rows",
    "n_rows": "scan(...).head(n) takes the first rows",
    "filter": "where= takes a filter of AWS; scan(...).filter(...) one of Polars",
}
_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Selecting(TypedDict, total=False):
    """What decides which files and records there are."""

    since: Time | None
    until: Time | None
    accounts: Names | None
    regions: Names | None
    kinds: Names | None
    where: Filter | None
    max_delay: timedelta | None


class _Choosing(_Selecting, total=False):
    """The same, and who is told of them."""

    on_error: OnError
    report: Report | None


class Reading(_Choosing, total=False):
    """Options of everything that reads an archive."""

    threads: int | None
    limits: Limits | None
    progress: Callable[[Report], object] | None
    verify: Verifier | None
    verified: Verification | None
    checkpoint: Checkpoint | None
    dedupe: bool
    storage_options: Mapping[str, str] | None


class Streaming(Reading, total=False):
    """The same with rules: options of :func:`ctfast.scan`, ``read`` and ``stream``."""

    rules: Rules | None


class Splitting(_Choosing, total=False):
    """Options of :func:`ctfast.splits`."""

    rules: Rules | None
    limits: Limits | None
    progress: Callable[[Report], object] | None
    verified: Verification | None
    checkpoint: Checkpoint | None
    dedupe: bool
    storage_options: Mapping[str, str] | None


class Ingesting(_Selecting, total=False):
    """Options of :meth:`ctfast.Lake.ingest`."""

    threads: int | None
    limits: Limits | None
    versions: bool


class Checking(TypedDict, total=False):
    """Options of :func:`ctfast.verify`."""

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
    """Make a function, method or constructor refuse arguments that it cannot take, and name those it can.

    Parameters
    ----------
    options
        The :class:`typing.TypedDict` that its ``**options`` are unpacked from.
    defaults
        Defaults of this function, where they differ from those of other functions.
    """

    def decorate(function: _Function) -> _Function:
        signature = _signature(function, options, defaults)
        name = _name(function)
        parameters = [each for each in signature.parameters.values() if each.name not in ("self", "cls")]
        checks = {each.name: _check(name, each) for each in sorted(parameters, key=lambda each: each.name in READ)}
        words = [each.name for each in parameters if each.kind is not each.VAR_POSITIONAL]
        needed = [each.name for each in parameters if each.default is each.empty and each.name in words]

        @functools.wraps(function)
        def called(*given: Any, **by_name: Any) -> Any:
            _refuse_unknown(name, by_name, words)
            try:
                bound = signature.bind_partial(*given, **by_name)
            except TypeError:
                return function(*given, **by_name)  # Python reports surplus arguments itself
            missing = next((each for each in needed if each not in bound.arguments), None)
            if missing is not None:
                raise TypeError(f"{name}() needs {missing}")
            for argument, value in defaults.items():
                bound.arguments.setdefault(argument, value)
            for argument, check in checks.items():
                if argument in bound.arguments:
                    bound.arguments[argument] = _checked(name, argument, bound.arguments[argument], check)
            return function(*bound.args, **bound.kwargs)

        called.__signature__ = signature  # type: ignore[attr-defined]  # what inspect and help look at
        by_name_only = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
        called.__doc__ = (function.__doc__ or "").replace("**options", ", ".join(by_name_only))
        return called  # type: ignore[return-value]  # of the same signature, as far as types go

    return decorate


def _signature(function: Callable[..., Any], options: type | None, defaults: Mapping[str, Any]) -> inspect.Signature:
    """Return the signature with each option by its name."""
    signature = inspect.signature(function)
    if options is None:
        return signature
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    return signature.replace(
        parameters=[*own, *(_option(name, kind, defaults) for name, kind in options.__annotations__.items())]
    )


def _option(name: str, annotation: Any, defaults: Mapping[str, Any]) -> inspect.Parameter:
    """Return the parameter for a member of a TypedDict; only the annotation's text says whether it is required."""
    kind = str(getattr(annotation, "__forward_arg__", annotation))
    if kind.startswith("Required["):
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind[len("Required[") : -1])
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default={**_DEFAULTS, **defaults}.get(name), annotation=kind
    )


def _name(function: Callable[..., Any]) -> str:
    """Return the name under which users know a function, without ``ctfast``; for a constructor, the class."""
    module = function.__module__.partition(".")[2]
    place = "" if module.startswith("_") else f"{module}."
    return place + function.__qualname__.removesuffix(".__init__").removesuffix(".__new__")


def _check(function: str, parameter: inspect.Parameter) -> Check:
    """Return the check of a parameter; None passes if its annotation allows it."""
    check = check_of(function, parameter.name)
    if not str(parameter.annotation).endswith(("| None", "Any")):
        return check
    return lambda name, value: None if value is None else check(name, value)


def _refuse_unknown(function: str, given: Iterable[str], names: list[str]) -> None:
    for name in given:
        if name not in names:
            remedy = f"; {_ELSEWHERE[name]}" if name in _ELSEWHERE else or_nearest(nearest(name, names))
            remedy = remedy or f": it takes {', '.join(names) or 'none'}"
            raise TypeError(f"{function}() has no argument {shortened(repr(name))}{remedy}")


def checked(function: str, **values: Any) -> dict[str, Any]:
    """Return checked arguments; refuse wrong values under the name of the function that was called."""
    return {name: _checked(function, name, value, check_of(function, name)) for name, value in values.items()}


def _checked(function: str, name: str, value: Any, check: Check) -> Any:
    try:
        return check(name, value)
    except ArgumentError as error:
        raise type(error)(_about(name, error.message), name, error.value, error.nearest, function) from None
    except CloudTrailError:  # says itself which file is wrong, and where
        raise
    except (TypeError, ValueError) as error:  # from a reader that is not only for arguments
        kind = ArgumentTypeError if isinstance(error, TypeError) else ArgumentError
        raise kind(_about(name, str(error)), name, value, None, function) from None


def _about(name: str, message: str) -> str:
    return message if message.startswith(name) else f"{name}: {message}"


def column_names(function: str, given: object, known: Iterable[str]) -> list[str]:
    """Return existing column names, with fields of structs as in ``userIdentity.arn``."""
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


def processors() -> int:
    """The number of processors that this process may use."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
