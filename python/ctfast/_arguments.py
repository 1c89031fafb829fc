"""The gate of the public functions: which arguments each takes, and that nothing else comes in.

What is wrong is told in one form. A call is refused under the name of the function that the user called, with the argument and
what to give instead, before anything is opened. An argument that there is not, or that is missing, is a :class:`TypeError`; a
value that nothing can be is a :class:`ctfast.ArgumentError`, and one of another type a :class:`ctfast.ArgumentTypeError`.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict, TypeVar

from ctfast._checks import Check
from ctfast._parameters import READ, check_of
from ctfast._times import Time
from ctfast._words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError, ArgumentTypeError, CloudTrailError, shortened

if TYPE_CHECKING:
    from ctfast._filters import Filter
    from ctfast._keys import Keys
    from ctfast._objects.checkpoint import Checkpoint
    from ctfast._report import Limits, Report
    from ctfast._rules import Rules
    from ctfast._signatures import Signatures
    from ctfast._verify import Progress, Verification, Verifier

__all__ = ["MAX_DELAY", "ON_ERROR", "Checking", "Names", "OnError", "Reading", "Streaming", "checked", "column_names", "public"]

OnError: TypeAlias = Literal["raise", "collect"]
Names: TypeAlias = Iterable[str] | str

ON_ERROR: OnError = "raise"
MAX_DELAY = timedelta(days=1)
#: What is meant where an option is not given; of all others None.
_DEFAULTS: dict[str, Any] = {"on_error": ON_ERROR, "max_delay": MAX_DELAY, "details": True, "dedupe": False}
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
    """Make a function, a method or the making of an object refuse arguments that it cannot take, and tell of each that it does.

    Parameters
    ----------
    options
        The :class:`typing.TypedDict` that its ``**options`` are unpacked from.
    defaults
        What is meant where one of them is not given, and other functions mean something else.
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
                return function(*given, **by_name)  # Python itself says that there are too many
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
    """Return what a member of a TypedDict is as a parameter; which are required, only their text tells."""
    kind = str(getattr(annotation, "__forward_arg__", annotation))
    if kind.startswith("Required["):
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind[len("Required[") : -1])
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default={**_DEFAULTS, **defaults}.get(name), annotation=kind)


def _name(function: Callable[..., Any]) -> str:
    """Return the name under which users know a function: below ``ctfast``; that of a class for what makes its objects."""
    module = function.__module__.partition(".")[2]
    place = "" if module.startswith("_") else f"{module}."
    return place + function.__qualname__.removesuffix(".__init__").removesuffix(".__new__")


def _check(function: str, parameter: inspect.Parameter) -> Check:
    """Return the check of a parameter; None passes where its type says so."""
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
    """Return arguments as they are used; refuse what they cannot be, under the name of the function that was called."""
    return {name: _checked(function, name, value, check_of(function, name)) for name, value in values.items()}


def _checked(function: str, name: str, value: Any, check: Check) -> Any:
    try:
        return check(name, value)
    except ArgumentError as error:
        raise type(error)(_about(name, error.message), name, error.value, error.nearest, function) from None
    except CloudTrailError:  # says itself which file is wrong, and where
        raise
    except (TypeError, ValueError) as error:  # of a reader that is not for arguments alone
        kind = ArgumentTypeError if isinstance(error, TypeError) else ArgumentError
        raise kind(_about(name, str(error)), name, value, None, function) from None


def _about(name: str, message: str) -> str:
    return message if message.startswith(name) else f"{name}: {message}"


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
