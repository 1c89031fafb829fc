"""Keys from a list: :class:`KeyList`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ctfast._arguments import checked, public
from ctfast._buckets import wrong_bucket
from ctfast._objects import KeySource, Object, bad_line
from ctfast._words import quoted
from ctfast.exceptions import PATH, ConsumedError

__all__ = ["KeyList", "LineReader", "Lines", "is_text"]

Lines: TypeAlias = "str | os.PathLike[str] | Iterable[str]"

#: Bytes of a line at most: keys end at 1,024 bytes, messages of SQS at 1 MiB.
_LONGEST = 4 << 20
_STANDARD_INPUT = "standard input"


class KeyList(KeySource):
    """A list of keys, one per line: what an earlier listing, a query or another tool has found.

    Every line is read, whatever its name ends in. Empty lines are passed over. A line that names no bucket of S3's, or a key that
    is not UTF-8, is told in ``bad`` and never asked for. Local paths may be written as the column ``file`` has them.

    Parameters
    ----------
    source
        A text file in UTF-8, ``"-"`` for standard input, or an iterable of lines.
    bucket
        Bucket of lines that are bare keys, which are taken as they are: a slash at the beginning is a part of the key. Without it
        a line is a URL, ``s3://bucket/key``, or a local path.

    Raises
    ------
    ArgumentError
        No bucket can have this name.
    FileNotFoundError
        The list does not exist. Like the errors below it is raised when the query runs.
    FormatError
        A line is longer than 4 MiB: this is no list of keys.
    ConsumedError
        Lines that come once only, from a pipe or an iterator, are read a second time: by a query that scans twice, say.

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
    """The lines that are not empty, with their numbers from 0, in bounded memory: of a file, standard input, or an iterable.

    Those that are gone once they are read are not read again: the second time there would be none, which looks like an answer.
    """

    def __init__(self, function: str, source: Lines) -> None:
        self._function = function
        self._source = source
        self._turns = [None]  # one, for what comes once

    def __str__(self) -> str:
        """Return where they come from, in a word or two."""
        if not isinstance(self._source, (str, os.PathLike)):
            return "lines"
        return _STANDARD_INPUT if os.fspath(self._source) == "-" else os.fspath(self._source)

    def __reduce__(self) -> tuple[object, ...]:
        """Return how they are read anew, if they can be."""
        if self._comes_once():
            message = f"{self}: lines that come once only can be neither pickled nor copied; name a file or a list"
            raise TypeError(message)
        return LineReader, (self._function, self._source)

    def called(self, what: str) -> str:
        """Return what they are, with where they come from if that has a name."""
        if not isinstance(self._source, (str, os.PathLike)):
            return what
        return f"{what} on {self}" if str(self) == _STANDARD_INPUT else f"{what} {self}"

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield them."""
        if self._comes_once():
            try:
                self._turns.pop()  # which only one succeeds in, though a query may scan in two threads
            except IndexError:
                message = f"{self}: lines that come once only were read already; name a file or a list, or begin with new ones"
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
        """Return what they can be read from beside this, at no cost; None where there is no such thing."""
        return self._source if isinstance(self._source, (str, os.PathLike)) and Path(self._source).is_file() else None

    def _comes_once(self) -> bool:
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
    """Whether a text stands for bytes that are UTF-8: keys of S3 do."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
