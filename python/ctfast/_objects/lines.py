"""Keys from a list: :class:`KeyList`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ctfast._buckets import wrong_bucket
from ctfast._objects import KeySource, Object, bad_line

__all__ = ["KeyList", "Lines", "can_be_read_again", "is_text", "lines", "named"]

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
        self._source = source
        self._bucket = bucket

    def __repr__(self) -> str:
        """Return where the list is."""
        return f"KeyList({named(self._source)!r})"

    def _again(self) -> KeyList | None:
        return KeyList(self._source, bucket=self._bucket) if can_be_read_again(self._source) else None

    def _objects(self) -> Iterator[Object]:
        for number, line in lines(self._source):
            bare = self._bucket is not None and not line.startswith("s3://")
            url = f"s3://{self._bucket}/{line}" if bare else line
            if url.startswith("s3://"):
                if wrong := wrong_bucket(url.removeprefix("s3://").partition("/")[0]):
                    self._refuse(bad_line(named(self._source), number, "bad-bucket", wrong))
                    continue
                if not is_text(url):
                    self._refuse(bad_line(named(self._source), number, "bad-key", "a key that is not UTF-8"))
                    continue
            yield Object(url)


def lines(source: Lines) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers from 0, in bounded memory."""
    if isinstance(source, (str, os.PathLike)):
        if os.fspath(source) == "-":
            yield from _of_file("standard input", sys.stdin.buffer)
        else:
            with Path(source).open("rb") as file:
                yield from _of_file(os.fspath(source), file)
    else:
        for number, line in enumerate(source):
            if stripped := line.rstrip("\r\n"):
                yield number, stripped


def _of_file(name: str, file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise bad_line(name, number, "long-line", "a line of more than 4 MiB")
        if stripped := line.rstrip(b"\r\n"):
            yield number, os.fsdecode(stripped)
        number += 1


def can_be_read_again(source: Lines) -> bool:
    """Whether lines come from a file, and not from what is gone once it is read."""
    return isinstance(source, (str, os.PathLike)) and Path(source).is_file()


def is_text(text: str) -> bool:
    """Whether a text stands for bytes that are UTF-8: keys of S3 do."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def named(source: Lines) -> str:
    """Return where lines come from, in a word."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else "lines"
