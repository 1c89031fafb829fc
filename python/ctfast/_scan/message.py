"""The result of writing a split, as a value: :class:`SplitMessage`."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Self

from ctfast._arguments.gate import public
from ctfast._scan.form import Form
from ctfast._scan.options import COLUMNS
from ctfast._show.plain import counted

__all__ = ["PartFile", "SplitMessage", "finding", "meant", "named"]

_FORM = Form("this message", 1, "invalid-message", "no message of a split: SplitMessage.json() writes one")

_ID = re.compile("[0-9a-f]{32}")
_SHA256 = re.compile("[0-9a-f]{64}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}|none")
#: The columns of a ledger, and the types of their values. Those with a null may be unknown.
_COLUMNS: dict[str, tuple[type, ...]] = {
    "file": (str,),
    "size": (int, type(None)),
    "etag": (str, type(None)),
    "outcome": (str,),
    "reason": (str, type(None)),
    "byte": (int, type(None)),
    "records_read": (int,),
    "records_bad": (int,),
    "records_skipped": (int,),
    "records_duplicate": (int, type(None)),
    "sha256": (str, type(None)),
    "modified": (int, type(None)),
}
#: How a query names all columns but ``raw``.
_NO_RAW = "all but raw"
#: What is told of what is bad, and the types of these values.
_FINDING: dict[str, tuple[type, ...]] = {
    "what": (str,),
    "file": (str,),
    "byte": (int, type(None)),
    "record": (int, type(None)),
    "reason": (str,),
    "message": (str,),
}
_BAD = ("bad file", "bad record")
#: What can become of a file that a split reads.
_OUTCOMES = {"read", "bad", "skipped"}


@dataclass(frozen=True)
class PartFile:
    """A Parquet file that a split has written.

    Attributes
    ----------
    path : str
        Its path relative to the target folder, with ``/`` as separator.
    partition : dict
        Values of the columns by which the files are partitioned: ``month`` as ``YYYY-MM``, or ``none``.
    size : int
        Size in bytes.
    rows : int
        Number of rows; at least one.
    sha256 : str
        SHA-256 of its bytes, in hexadecimal digits.
    statistics : dict
        For ``eventTime``, ``awsRegion``, ``eventName`` and ``recipientAccountId``, as far as the file has them:
        ``null_count``, and ``min`` and ``max`` of the values that are not null. Strings are compared by their bytes,
        and have neither ``min`` nor ``max`` if one of the two is longer than 256 bytes. Ids, keys, user names and
        addresses have no statistics here, since the statistics of a lake outlive its rows.
    """

    path: str
    partition: dict[str, str]
    size: int
    rows: int
    sha256: str
    statistics: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class SplitMessage:
    """What a split has written: its files, and what became of each file that it has read.

    It is returned by :meth:`Split.write_parquet`, when all files that it names are on the disk. It can be pickled, and
    sent anywhere as JSON with :meth:`json` and :meth:`from_json`.

    Attributes
    ----------
    split : str
        The id of the split.
    query : str
        What was asked of each record, as JSON: a lake has the answers to one question only.
    since, until : int or None
        Between which times records were asked for, in microseconds since 1970.
    files : tuple of PartFile
        The Parquet files; empty if no record was asked for.
    ledger : tuple of dict
        What became of each file that was read, with the columns of :func:`ctfast.files`, and ``modified``: the time by
        which the version of a local file is told from others, in microseconds since 1970.
    bad : tuple of dict
        What is bad: ``what`` it is, a ``bad file`` or a ``bad record``, the ``file``, the ``byte`` and the number of
        the ``record`` if they are known, the ``reason`` and a ``message``: as much as :attr:`Report.bad` names.
        ``ledger`` counts all.
    format : int
        The number of the format of the message.
    """

    split: str
    query: str
    since: int | None
    until: int | None
    files: tuple[PartFile, ...]
    ledger: tuple[dict[str, Any], ...]
    bad: tuple[dict[str, Any], ...] = ()
    format: int = _FORM.number

    def __repr__(self) -> str:
        """Return the id and the counts."""
        numbers = [
            counted(self.rows, "row"),
            counted(len(self.files), "part"),
            f"of {counted(len(self.ledger), 'file')}",
        ]
        return f"SplitMessage({self.split!r}, {', '.join(numbers)})"

    def __hash__(self) -> int:
        """Return a hash of the split's id."""
        return hash(self.split)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as JSON, so that the format number is checked when it is loaded."""
        return SplitMessage.from_json, (self.json(),)

    @property
    def columns(self) -> list[str] | None:
        """Columns of a record that the files have; None for all."""
        return meant(json.loads(self.query)["columns"])

    @property
    def rows(self) -> int:
        """Number of rows in all files; these are the records of :attr:`ledger` that were read."""
        return sum(file.rows for file in self.files)

    def json(self) -> str:
        """Return it as JSON, on one line."""
        return json.dumps({"format": self.format} | asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    @public()
    def from_json(cls, text: str) -> Self:
        """Read a message that :meth:`json` has written.

        Parameters
        ----------
        text
            The message.

        Returns
        -------
        SplitMessage
            The message.

        Raises
        ------
        FormatError
            The text is not a message, contradicts itself, or is from a later version.
        """
        return cls(*_FORM.read(text, _made))


def named(columns: list[str]) -> list[str] | str | None:
    """Return how a query names its columns: it is the same one in a later version that has more of them."""
    return None if columns == COLUMNS else _NO_RAW if columns == _without_raw() else columns


def meant(name: Any) -> list[str] | None:
    """Return the columns that a query names so; None for all."""
    return _without_raw() if name == _NO_RAW else name


def _without_raw() -> list[str]:
    return [name for name in COLUMNS if name != "raw"]


def _made(
    *,
    split: str,
    query: str,
    since: int | None,
    until: int | None,
    files: list[dict[str, Any]],
    ledger: list[dict[str, Any]],
    bad: list[dict[str, Any]],
) -> tuple[
    str, str, int | None, int | None, tuple[PartFile, ...], tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]
]:
    """Return the parts of a message, each of which is what a split writes."""
    parts = tuple(PartFile(**file) for file in files)
    names = [f"{split}-{number}" for number in range(len(parts))]
    read = sum(row["records_read"] for row in ledger)
    if not (
        _is_text(_ID, split)
        and "columns" in json.loads(query)
        and all(time is None or type(time) is int for time in (since, until))
        and [type(files), type(ledger), type(bad)] == [list, list, list]
        and all(_is_part(part, name) for part, name in zip(parts, names, strict=True))
        and all(map(_is_row, ledger))
        and all(map(_is_finding, bad))
        and read == sum(part.rows for part in parts)
    ):
        raise ValueError(split)
    return split, query, since, until, parts, tuple(ledger), tuple(bad)


def finding(row: tuple[Any, ...], further: int | None) -> dict[str, Any]:
    """Return what a scan found as it is in a message; ``further`` is None if the file is bad, and not a record."""
    return dict(zip(_FINDING, [_BAD[further is not None], *row], strict=False))


def _is_text(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object, least: int = 0) -> bool:
    return type(value) is int and value >= least


def _is_part(part: PartFile, name: str) -> bool:
    month = part.partition.get("month")
    return (
        _is_text(_MONTH, month)
        and part.partition == {"month": month}
        and part.path == f"month={month}/part-{name}.parquet"
        and _is_count(part.size, 1)
        and _is_count(part.rows, 1)
        and _is_text(_SHA256, part.sha256)
        and all(_is_count(each["null_count"]) and each["null_count"] <= part.rows for each in part.statistics.values())
    )


def _is_row(row: dict[str, Any]) -> bool:
    return (
        row.keys() == _COLUMNS.keys()
        and all(type(row[name]) in types for name, types in _COLUMNS.items())
        and all(_is_count(value) for name, value in row.items() if type(value) is int and name != "modified")
        and row["outcome"] in _OUTCOMES
    )


def _is_finding(found: dict[str, Any]) -> bool:
    return (
        found.keys() == _FINDING.keys()
        and all(type(found[name]) in types for name, types in _FINDING.items())
        and all(_is_count(value) for value in found.values() if type(value) is int)
        and found["what"] in _BAD
    )
