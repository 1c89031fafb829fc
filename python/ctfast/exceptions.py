"""What ctfast raises.

::

    CloudTrailError
    ├── FormatError     a file is not what it should be: not gzip, not JSON, not CloudTrail, over a limit
    ├── SourceError     a file cannot be read at all
    ├── ServiceError    AWS refuses a request, or does not answer
    ├── FilterError     event selectors, a filter pattern or an event pattern that AWS would refuse
    └── QueryError      SQL that would read anything else, is not a query, is not understood, or fails

    ArgumentError       a value that this argument cannot have; a ValueError
    └── ArgumentTypeError   a value of another type; a TypeError as well
    ConsumedError       a stream that was read already; a RuntimeError
    NothingChosen       a warning: something was asked for and nothing matches it

A source that does not exist is Python's own :class:`FileNotFoundError`, an unknown or missing argument a
:class:`TypeError`.
"""

from __future__ import annotations

import re

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "CloudTrailError",
    "ConsumedError",
    "FilterError",
    "FormatError",
    "NothingChosen",
    "QueryError",
    "ServiceError",
    "SourceError",
]

#: Characters of a string that a message repeats.
_LONG = 200
#: A value in quotes; an apostrophe within a word does not start one.
_VALUE = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|(?<!\w)'(?:[^'\\]|\\.)*')""", re.DOTALL)
#: Bytes of a path, and characters of one in a message: S3 keys have at most 1,024 bytes, and paths of most systems at
#: most this.
PATH = 4_096


class CloudTrailError(Exception):
    """A file could not be read.

    Attributes
    ----------
    message : str
        What is wrong, without the place. The text of the exception has both.
    key : str or None
        Key or path of the file.
    byte : int or None
        Where: the offset in the inflated text, or, for the gzip kinds, in the file as stored.
    record : int or None
        Index of the record in its file, from 0.
    kind : str
        A short, stable name of what is wrong, such as ``"truncated-gzip"``; the table is in ``docs/reading.md``.
    """

    def __init__(
        self, message: str, key: str | None, byte: int | None, record: int | None, kind: str, text: str
    ) -> None:
        super().__init__(message, key, byte, record, kind, text)
        self.message = message
        self.key = key
        self.byte = byte
        self.record = record
        self.kind = kind
        # A path is shown unchanged, as long as it can be one.
        self._text = text if key is None or len(key) <= PATH else text.replace(key, shortened(key))

    def __str__(self) -> str:
        """Return what is wrong, and where."""
        return self._text


class FormatError(CloudTrailError):
    """A file is not what it should be."""


class SourceError(CloudTrailError):
    """A file cannot be read at all."""


class ServiceError(CloudTrailError):
    """AWS refuses a request, or does not answer.

    ``key`` is the region or the ``s3://`` address of the request. ``kind`` is ``"refused"``, ``"credentials"`` (they
    cannot be found), ``"unreachable"`` or ``"configuration"``. The exception of boto3 is the ``__cause__``.

    Attributes
    ----------
    operation : str
        The operation, such as ``"ListPublicKeys"``.
    code : str or None
        The error code of the answer, such as ``"AccessDeniedException"``.
    status : int or None
        The HTTP status of the answer.

    Examples
    --------
    >>> import ctfast as ct
    >>> raise ct.ServiceError("no answer", "eu-west-1", "unreachable", "ListPublicKeys")
    Traceback (most recent call last):
        ...
    ctfast.exceptions.ServiceError: ListPublicKeys, eu-west-1: no answer
    """

    def __init__(
        self, message: str, key: str, kind: str, operation: str, code: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, key, None, None, kind, f"{operation}, {key}: {message}")
        self.args = (message, key, kind, operation, code, status)
        self.operation = operation
        self.code = code
        self.status = status


class FilterError(CloudTrailError, ValueError):
    """Event selectors, a filter pattern or an event pattern that AWS would refuse.

    Attributes
    ----------
    message : str
        What is wrong and what was expected, without the place.
    key : str or None
        Path of the file, if it was read from one.
    path : str or None
        The field that is wrong, such as ``detail.eventName`` or ``AdvancedEventSelectors[0].FieldSelectors[2].Field``.
    line, column : int or None
        Where in the text, in characters from 1; ``None`` if it was not given as text.
    kind : str
        A short, stable name of what is wrong, such as ``"unknown-operator"``.
    byte, record : None
        For compatibility with the other errors.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.EventPattern({"detail": {"eventName": "ConsoleLogin"}})
    Traceback (most recent call last):
    ctfast.exceptions.FilterError: detail.eventName: ...
    """

    def __init__(
        self,
        message: str,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        kind: str = "unexpected",
        key: str | None = None,
    ) -> None:
        where = "".join(f"{part}: " for part in (key, shortened(path)) if part)
        position = "" if line is None else f" at line {line}, column {column}"
        super().__init__(message, key, None, None, kind, f"{where}{told(message)}{position}")
        self.args = (message, path, line, column, kind, key)
        self.path = path
        self.line = line
        self.column = column


class QueryError(CloudTrailError, ValueError):
    """SQL that would read anything but its tables, is not a query, is not understood as it is meant, or fails.

    Attributes
    ----------
    message : str
        What is refused, and what may be used.
    name : str
        The culprit: the function, the table, the column, the statement, the value.
    kind : str
        ``"function"``, ``"table"``, ``"column"``, ``"form"`` (an expression or a clause), ``"type"``, ``"parameter"``,
        ``"syntax"``, ``"statement"``, ``"statements"``, ``"too-deep"``; while it runs ``"value"``, ``"time"`` or
        ``"memory"``.
    key, byte, record : None
        For compatibility with the other errors.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.sql(archive, "SELECT * FROM read_csv('/etc/passwd')")
    Traceback (most recent call last):
    ctfast.exceptions.QueryError: read_csv is not to be read: a query reads the table 'events', ...
    """

    def __init__(self, message: str, name: str, kind: str) -> None:
        super().__init__(message, None, None, None, kind, told(message))
        self.args = (message, name, kind)
        self.name = name


class ArgumentError(ValueError):
    """A value that this argument cannot have. The call itself raises it, before anything is opened.

    Attributes
    ----------
    message : str
        What is wrong, what was given, and what to give instead; it begins with the name of the argument.
    argument : str
        Its name.
    value : object
        The value; of a list, the wrong element.
    nearest : str or None
        What was probably meant.
    function : str or None
        The function that was called.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.read(archive, kinds="CloudTrail-Insigt")
    Traceback (most recent call last):
    ctfast.exceptions.ArgumentError: read(): kinds has no 'CloudTrail-Insigt'; did you mean 'CloudTrail-Insight'? ...
    """

    def __init__(
        self, message: str, argument: str, value: object = None, nearest: str | None = None, function: str | None = None
    ) -> None:
        super().__init__(message, argument, value, nearest, function)
        self.message = message
        self.argument = argument
        self.value = value
        self.nearest = nearest
        self.function = function

    def __str__(self) -> str:
        """Return what is wrong, and where."""
        return self.message if self.function is None else f"{self.function}(): {self.message}"


class ArgumentTypeError(ArgumentError, TypeError):
    """A value of a type that the argument does not take. Its attributes are those of :class:`ArgumentError`.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.read(archive, threads="2")
    Traceback (most recent call last):
    ctfast.exceptions.ArgumentTypeError: read(): threads must be a whole number, not the text '2': write threads=2
    """


class ConsumedError(RuntimeError):
    """A stream, or a unit of one, that was already read or closed. Nothing is left, which differs from no rows."""


class NothingChosen(UserWarning):  # a warning, not an error
    """Something was asked for and nothing matches it: a region that no file has, a folder without a log.

    It is given at the end of a scan, and listed in :attr:`Report.unmatched`.

    Attributes
    ----------
    message : str
        What was asked for, what there is instead, and what was probably meant.
    reason : str
        ``"accounts"``, ``"regions"`` or ``"kinds"``: no file has these names; ``"empty"``: there is no file at all;
        ``"no-source"``: the list of sources is empty; ``"no-message"``: a queue had no message of a new file;
        ``"where"``: no record meets the filter (:func:`ctfast.lint` may tell why); ``"rules"``: the same for a rule; or
        the reason for which all files were skipped, as in :attr:`Report.skipped`: ``"time"`` if it is one of several,
        else the most frequent one.
    names : tuple of str
        The names that no file has, or the name of the rule.
    nearest : str or None
        What was probably meant, among the names found.
    seen : tuple of str
        What files have instead, as far as known: the first 1,000 names.
    nothing : bool
        Whether the result is empty: no file was read at all, or no record meets the filter or any of the rules.
    """

    def __init__(
        self,
        message: str,
        reason: str,
        names: tuple[str, ...] = (),
        nearest: str | None = None,
        seen: tuple[str, ...] = (),
        *,
        nothing: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.names = names
        self.nearest = nearest
        self.seen = seen
        self.nothing = nothing

    def __reduce__(self) -> tuple[object, ...]:
        """Return what rebuilds it."""
        return _again, (self.message, self.reason, self.names, self.nearest, self.seen, self.nothing)


def _again(
    message: str,
    reason: str,
    names: tuple[str, ...],
    nearest: str | None,
    seen: tuple[str, ...],
    nothing: bool,  # noqa: FBT001
) -> NothingChosen:
    return NothingChosen(message, reason, names, nearest, seen, nothing=nothing)


def well_formed(text: str) -> str:
    """Return the text with escapes for what is not UTF-8: lone surrogates and undecodable bytes of file names."""
    return text.encode("utf-8", "backslashreplace").decode()


def told(message: str) -> str:
    """Return a sentence in which each long value is shortened; the other words are kept up to a generous limit.

    The core repeats values in quotes.
    """
    return shortened(_VALUE.sub(lambda found: shortened(found[0]), message), PATH)


def shortened(text: str | None, most: int = _LONG) -> str:
    """Return a string that may contain what somebody else wrote, made fit for a sentence."""
    text = well_formed(text or "")
    return text if len(text) <= most else f"{text[: _LONG // 2]}…{text[-_LONG // 2 :]}"
