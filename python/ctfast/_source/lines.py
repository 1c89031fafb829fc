"""Keys from a list: :class:`KeyList`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ctfast._arguments.gate import checked, public
from ctfast._show.words import quoted
from ctfast._source.buckets import wrong_bucket
from ctfast._source.object_keys import KeySource, Object, bad_line
from ctfast.exceptions import PATH, ConsumedError

__all__ = ["KeyList", "LineReader", "Lines", "is_text"]

Lines: TypeAlias = "str | os.PathLike[str] | Iterable[str]"

#: The longest line, in bytes: keys have at most 1,024, SQS messages 1 MiB.
_LONGEST = 4 << 20
_STANDARD_INPUT = "standard input"


class KeyList(KeySource):
    """A list of keys, one per line, from an earlier listing, a query or another tool.

    Every line is read, whatever the suffix of its name. Empty lines are skipped. A line with an impossible bucket, or a
    key that is not UTF-8, is reported in ``bad`` and never requested. Local paths may be written as in the column
    ``file``.

    Parameters
    ----------
    source
        A text file in UTF-8, ``"-"`` for standard input, or an iterable of lines.
    bucket
        Bucket for lines that are bare keys; they are taken as they are, so a leading slash belongs to the key. Without
        it, a line is a URL, ``s3://bucket/key``, or a local path.

    Raises
    ------
    ArgumentError
        No bucket can have this name.
    FileNotFoundError
        The list does not exist. Like the errors below it is raised when the query runs.
    FormatError
        A line is longer than 4 MiB, so this is not a list of keys.
    ConsumedError
        Lines that can be read only once, from a pipe or an iterator, are read again, for example by a query that scans
        twice.

    Examples
    --------
    >>> import ctfast as ct
    >>> [found.url for found in ct.KeyList(["AWSLogs/a.json.gz", "AWSLogs/b c.json.gz"], bucket="logs")]
    ['s3://logs/AWSLogs/a.json.gz', 's3://logs/AWSLogs/b c.json.gz']
    """

    @public()
    def __init__(self, source: Lines, *, bucket: str | None = None) -> None:
        super().__init__()
        self._lines = LineReader("KeyList", source)
        self._bucket = bucket

    def __repr__(self) -> str:
        """Return where the list is."""
        return f"KeyList({str(self._lines)!r})"

    @property
    def place(self) -> str:
        """The list."""
        return self._lines.called("the list of keys")

    def _comes_once(self) -> bool:
        return self._lines.comes_once()

    def _again(self) -> KeyList | None:
        source = self._lines.again()
        return None if source is None else KeyList(source, bucket=self._bucket)

    def _objects(self) -> Iterator[Object]:
        for number, line in self._lines:
            bare = self._bucket is not None and not line.startswith("s3://")
            url = f"s3://{self._bucket}/{line}" if bare else line
            if len(os.fsencode(url)) > PATH:
                message = f"{quoted(line)} is longer than the path of a file or an object can be"
                self._refuse(bad_line(str(self._lines), number, "bad-key", message))
                continue
            if url.startswith("s3://"):
                if wrong := wrong_bucket(url.removeprefix("s3://").partition("/")[0]):
                    self._refuse(bad_line(str(self._lines), number, "bad-bucket", wrong))
                    continue
                if not is_text(url):
                    self._refuse(bad_line(str(self._lines), number, "bad-key", "a key that is not UTF-8"))
                    continue
            yield Object(url)


class LineReader:
    """The non-empty lines of a file, standard input or an iterable, numbered from 0, in bounded memory.

    What can be read only once is refused the second time: there would be no lines, which looks like a result.
    """

    def __init__(self, function: str, source: Lines) -> None:
        self._function = function
        self._source = source
        self._turns = [None]  # one, for what can be read only once

    def __str__(self) -> str:
        """Return the name of the source: a path, "standard input", or "lines"."""
        if not isinstance(self._source, (str, os.PathLike)):
            return "lines"
        return _STANDARD_INPUT if os.fspath(self._source) == "-" else os.fspath(self._source)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the source, if it can be read again."""
        if self.comes_once():
            message = f"{self}: lines that come once only can be neither pickled nor copied; name a file or a list"
            raise TypeError(message)
        return LineReader, (self._function, self._source)

    def called(self, what: str) -> str:
        """Return what the lines are, with the name of their source if it has one."""
        if not isinstance(self._source, (str, os.PathLike)):
            return what
        return f"{what} on {self}" if str(self) == _STANDARD_INPUT else f"{what} {self}"

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the numbers of lines, and the lines."""
        if self.comes_once():
            try:
                self._turns.pop()  # which succeeds only once, even if a query scans in two threads
            except IndexError:
                message = (
                    f"{self}: lines that come once only were read already; name a file or a list, or begin with new"
                    " ones"
                )
                raise ConsumedError(message) from None
        if not isinstance(self._source, (str, os.PathLike)):
            for number, line in enumerate(self._source):
                if not isinstance(line, str):
                    checked(self._function, line=line)
                if stripped := line.rstrip("\r\n"):
                    yield number, stripped
        elif os.fspath(self._source) == "-":
            yield from _of_file(_STANDARD_INPUT, sys.stdin.buffer)
        else:
            with Path(self._source).open("rb") as file:
                yield from _of_file(os.fspath(self._source), file)

    def again(self) -> Lines | None:
        """Return a source of the same lines that can be read meanwhile at no cost; None if there is none."""
        return self._source if isinstance(self._source, (str, os.PathLike)) and Path(self._source).is_file() else None

    def comes_once(self) -> bool:
        """Whether the lines can be read only once."""
        if not isinstance(self._source, (str, os.PathLike)):
            return isinstance(self._source, Iterator)
        return os.fspath(self._source) == "-" or (Path(self._source).exists() and not Path(self._source).is_file())


def _of_file(name: str, file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise bad_line(name, number, "long-line", "a line of more than 4 MiB")
        if stripped := line.rstrip(b"\r\n"):
            yield number, os.fsdecode(stripped)
        number += 1


def is_text(text: str) -> bool:
    """Whether a string can be encoded as UTF-8, as S3 keys can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
