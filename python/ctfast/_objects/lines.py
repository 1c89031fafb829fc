"""Keys from a list: :class:`KeyList`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ctfast._buckets import wrong_bucket
from ctfast._objects import KeySource, Object, bad_line
from ctfast.exceptions import ConsumedError

__all__ = ["KeyList", "LineReader", "Lines", "is_text"]

Lines: TypeAlias = "str | os.PathLike[str] | Iterable[str]"

#: Bytes of a line at most: keys end at 1,024 bytes, messages of SQS at 1 MiB.
_LONGEST = 4 << 20


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
    ValueError
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

    def __init__(self, source: Lines, *, bucket: str | None = None) -> None:
        super().__init__()
        if bucket is not None and (wrong := wrong_bucket(bucket)):
            raise ValueError(wrong)
        self._lines = LineReader(source)
        self._bucket = bucket

    def __repr__(self) -> str:
        """Return where the list is."""
        return f"KeyList({str(self._lines)!r})"

    def _again(self) -> KeyList | None:
        source = self._lines.again()
        return None if source is None else KeyList(source, bucket=self._bucket)

    def _objects(self) -> Iterator[Object]:
        for number, line in self._lines:
            bare = self._bucket is not None and not line.startswith("s3://")
            url = f"s3://{self._bucket}/{line}" if bare else line
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

    def __init__(self, source: Lines) -> None:
        self._source = source
        self._turns = [None]  # one, for what comes once

    def __str__(self) -> str:
        """Return where they come from, in a word."""
        return os.fspath(self._source) if isinstance(self._source, (str, os.PathLike)) else "lines"

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
                if stripped := line.rstrip("\r\n"):
                    yield number, stripped
        elif os.fspath(self._source) == "-":
            yield from _of_file("standard input", sys.stdin.buffer)
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
