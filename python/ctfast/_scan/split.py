"""A part of an archive as a value, which any process can read: :class:`Split`."""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self, TypeVar

from ctfast import _ctfast
from ctfast._arguments.gate import OnError, checked, public
from ctfast._later import pa
from ctfast._ledger.report import Limits, Report
from ctfast._scan.arrow import Types, schema_of
from ctfast._scan.fields import narrowed, roots, selected
from ctfast._scan.form import Form
from ctfast._scan.message import SplitMessage, finding, named
from ctfast._scan.options import Options
from ctfast._scan.run import read_all
from ctfast._scan.slips import Slips
from ctfast._show.plain import counted
from ctfast._store.bucket import opened
from ctfast.exceptions import CloudTrailError, FormatError

__all__ = ["Asked", "Refused", "Split"]

#: Of its JSON and of its pickle.
_FORM = Form("this split", 1, "invalid-split", "no split, or a damaged one: Split.json() and ctfast splits write them")


S = TypeVar("S", bound="Split")


class Asked(NamedTuple):
    """What is asked of the records of a split, and of its files."""

    query: _ctfast.Query
    limits: Limits
    on_error: OnError

    def text(self, times: _ctfast.Selection) -> str:
        """Return what decides, with the files, which rows and columns there are: other texts for other rows."""
        bounds = {name: json.loads(times.json())[name] for name in ("since", "until")}
        return json.dumps([bounds, self.query.json(), self.limits, self.on_error])


class Refused(NamedTuple):
    """What a source of keys named and could not be understood: the errors, and how many there are besides."""

    errors: tuple[tuple[Any, ...], ...] = ()
    unnamed: int = 0


class _Source:
    """The same, as a report takes it."""

    def __init__(self, refused: Refused) -> None:
        self.bad = [FormatError(*values) for values in refused.errors]
        self.unnamed = refused.unnamed
        self.skipped: Counter[str] = Counter()
        self.pruned: Counter[str] = Counter()
        self.warnings: list[CloudTrailError] = []
        self.unnamed_warnings = 0


@dataclass(frozen=True, repr=False, eq=False)
class Split:
    """A run of files of an archive and what is asked of them: a value that can be pickled, and read anywhere.

    It comes from :func:`ctfast.splits`. It holds the names of its files and the versions that were planned, and no
    credentials: those are found where it is read.

    Attributes
    ----------
    id : str
        Its name: a hash of its files, their sizes, ETags or times, of the query, and of the columns that this version
        of ctfast has. Two splits of one id have equal rows, and write equal files.
    files : int
        How many files it has.
    bytes : int
        Their bytes as stored, as far as they are known.
    cost : int
        The same, and 16 KiB for each file: what splits are cut by.
    rows : int
        About how many records they have, by their sizes.

    Examples
    --------
    >>> import ctfast as ct
    >>> [split] = ct.splits(archive, columns=["eventName"])
    >>> split.files
    93
    >>> sum(batch.num_rows for batch in split.read())
    1039
    """

    _asked: Asked = field(repr=False)
    id: str
    _selection: _ctfast.Selection = field(repr=False)
    files: int
    bytes: int
    cost: int
    rows: int
    _is_remote: bool = field(repr=False)
    _refused: Refused = field(default=Refused(), repr=False)

    def __repr__(self) -> str:
        """Return its name and size."""
        parts = [counted(self.files, "file"), counted(self.bytes, "byte"), f"about {counted(self.rows, 'row')}"]
        return f"Split({self.id!r}, {', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        """Tell whether both have the same rows."""
        return self.id == other.id if isinstance(other, Split) else NotImplemented

    def __hash__(self) -> int:
        """Return a hash of its name."""
        return hash(self.id)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how it is made again, its form first."""
        return _of_format, (_FORM.number, *(getattr(self, name) for name in self.__dataclass_fields__))

    def keys(self) -> Iterator[str]:
        """Yield the paths or addresses of its files, in order: the values of the column ``file``."""
        return iter(self._selection.paths)

    def json(self) -> str:
        """Return it as JSON, on one line: for queues and functions, where a pickle would be trusted blindly."""
        asked = self._asked
        return json.dumps(
            {
                "format": _FORM.number,
                "id": self.id,
                "files": self.files,
                "bytes": self.bytes,
                "cost": self.cost,
                "rows": self.rows,
                "selection": json.loads(self._selection.json()),
                "query": json.loads(asked.query.json()),
                "limits": asked.limits,
                "on_error": asked.on_error,
                "is_remote": self._is_remote,
                "refused": self._refused,
            },
            separators=(",", ":"),
        )

    @classmethod
    @public()
    def from_json(cls, text: str) -> Self:
        """Read a split that :meth:`json` has written.

        Parameters
        ----------
        text
            The split.

        Returns
        -------
        Split
            The split.

        Raises
        ------
        FormatError
            It is none, one of a later version, or one whose members contradict each other.
        """
        return _FORM.read(text, lambda **given: _made(cls, **given))

    @public()
    def schema(self, types: Types = "polars") -> pa.Schema:
        """Return the schema of its batches.

        Parameters
        ----------
        types
            As for :meth:`read`.

        Returns
        -------
        pyarrow.Schema
            The columns, in their order.

        Examples
        --------
        >>> import ctfast as ct
        >>> ct.splits(archive, columns=["eventName", "record"])[0].schema("spark")
        eventName: string
        record: int64
        """
        columns = self._asked.query.columns
        whole = schema_of(roots(columns), types)
        return whole if columns == whole.names else narrowed(whole, columns)

    @public()
    def read(
        self,
        types: Types = "polars",
        *,
        threads: int = 1,
        report: Report | None = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> pa.RecordBatchReader:
        """Read its rows, in the order of its files.

        A batch has up to 8,192 rows and 16 MiB. Where a batch ends depends on the rows alone, so that a split that is
        read twice gives equal batches, whatever the number of threads; as ``"arrow"`` and ``"spark"`` they are equal in
        each byte. A file that is gone, or is another version than the one that was planned, is a bad file.

        Parameters
        ----------
        types
            Who reads it: ``"polars"`` takes text as views, ``"arrow"`` as strings that every reader of Arrow takes.
            ``"spark"`` has strings with offsets of 32 bits, ``record`` as ``int64``, and no column that cannot be null.
        threads
            Workers; one, since splits are read side by side.
        report
            Filled while it is read.
        storage_options
            How buckets are reached, as for :func:`ctfast.scan`. A split has none of those that it was planned with.

        Returns
        -------
        pyarrow.RecordBatchReader
            An iterator of :class:`pyarrow.RecordBatch`, which offers itself as an Arrow stream as well. Its threads end
            when it is exhausted or closed.

        Raises
        ------
        FormatError, SourceError
            Later, when it is read: a file is bad, and the splits were not planned with ``on_error="collect"``.

        Examples
        --------
        >>> import ctfast as ct, polars as pl
        >>> splits = ct.splits(archive, columns=["eventName"], target=100_000)
        >>> frames = [pl.DataFrame(split.read()) for split in splits]
        >>> pl.concat(frames).equals(ct.scan(archive).select("eventName").collect())
        True
        """
        schema = self.schema(types)
        options = self._options(types, threads, report, storage_options)
        rows = (selected(batch, schema) for batch in self._batches(options))
        return pa.RecordBatchReader.from_batches(schema, rows)

    @public()
    def write_parquet(
        self,
        dest: str | os.PathLike[str],
        *,
        threads: int = 1,
        report: Report | None = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> SplitMessage:
        """Write its rows as Parquet files, one for each month of ``eventTime``, and tell what was written.

        The files are ``month=2025-03/part-<id>-<n>.parquet``, each with the columns ``month`` and ``ingest``, a struct
        with the id of the split, after all others; the month of records without a time is ``none``. Each is there as a
        whole and on the disk, or not at all, and is never written over. Below ``_ctfast`` lie hashes and filters of the
        rows, for :meth:`Lake.commit` and :meth:`Lake.scan`. When all are there, the message is written as
        ``_splits/<id>.message``, which is JSON, and returned. A later attempt at the same split, by another process or
        one that was thought dead, is given the same message.

        Parameters
        ----------
        dest
            The folder, which is made if it is not there; or the address ``s3://bucket/prefix`` of a lake, for which the
            files are written to a temporary folder first.
        threads, report
            As for :meth:`read`.
        storage_options
            How buckets are reached, those of the archive and that of the lake.

        Returns
        -------
        SplitMessage
            The files with their statistics, and what became of each file that was read.

        Raises
        ------
        FormatError, SourceError
            A file is bad, and the splits were not planned with ``on_error="collect"``. Then there is no message.
        ValueError
            A part of this split is there that has other contents, or that this attempt does not write: another version
            of ctfast or PyArrow has begun it, or its files have changed in between. Or a message is there that is of
            another split, or none.

        Examples
        --------
        >>> import ctfast as ct, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> [split] = ct.splits(archive)
        >>> message = split.write_parquet(folder)
        >>> [(file.partition, file.rows) for file in message.files]
        [({'month': '2025-03'}, 1039)]
        >>> split.write_parquet(folder) == message
        True
        """
        from ctfast._scan.parts import write  # noqa: PLC0415  # with PyArrow's Parquet, which reading does not need

        store = opened(dest, storage_options)
        return write(self, store, self._options("spark", threads, report, storage_options))

    def _telling(self, refused: Refused) -> Split:
        """Return a split that tells of this as well."""
        identity, *_ = _ctfast.split_facts(self._selection, _text(self._asked, self._selection, refused))
        return replace(self, id=identity, _refused=refused)

    def _anew(self) -> Split:
        """Return a split of the same files under an id that no other attempt has."""
        identity, *_ = _ctfast.split_facts(self._selection, uuid.uuid4().hex)
        return replace(self, id=identity)

    def _options(
        self, types: Types, threads: int, report: Report | None, storage_options: Mapping[str, str] | None
    ) -> Options:
        query, limits, on_error = self._asked
        return Options(
            source=(),
            selection=self._selection,
            query=query,
            run=_ctfast.Run(threads, limits, on_error == "raise", types),
            report=report,
            storage_options=storage_options,
        )

    def _identity(self) -> tuple[str, int | None, int | None]:
        """Return what is asked of each record, and between which times: what a lake knows a file for."""
        asked, times = json.loads(self._asked.query.json()), json.loads(self._selection.json())
        text = json.dumps(asked | {"columns": named(asked["columns"])}, sort_keys=True)
        return text, times["since"], times["until"]

    def _batches(
        self,
        options: Options,
        ledger: _ctfast.Ledger | None = None,
        keys: _ctfast.Keys | None = None,
        bad: list[dict[str, Any]] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Read all that is asked of the files, and note what becomes of each; the threads end with the iterator.

        Bad files and records are added to ``bad``, as a message has them.
        """
        report = options.report or Report()
        refused = _Source(self._refused)
        remote = options.remote() if self._is_remote else None
        report._follow(options.asked, refused)  # type: ignore[arg-type]  # noqa: SLF001  # joined here, read elsewhere
        report._end()  # noqa: SLF001
        report._ask(remote)  # noqa: SLF001
        books = options.ledgers(ledger)
        for error in refused.bad:
            for each in books:
                each.note(error.key or "", "bad", error.kind)
        try:
            running = options.start(options.selection, remote, ledgers=books, keys=keys)
            for batch in read_all(running, options, report, Slips(options), remote):
                yield pa.record_batch(batch)
            if bad is not None:
                bad += [finding(*found) for found in running.bad()]
        finally:
            if remote is not None:
                remote.close()


def nothing(times: _ctfast.Selection, asked: Asked) -> Split:
    """Return a split without a file."""
    return Split(asked, "", _planned(times, "", 0), 0, 0, 0, 0, _is_remote=False)


def _planned(times: _ctfast.Selection, files: str, number: int) -> _ctfast.Selection:
    """Return the selection of these packed files; of their records, those within the bounds of time are asked for."""
    return _ctfast.Selection.from_json(json.dumps(json.loads(times.json()) | {"planned": files, "files": number}))


def _made(
    cls: type[S],
    *,
    selection: dict[str, Any],
    query: object,
    limits: list[int],
    on_error: OnError,
    refused: list[Any],
    **others: Any,
) -> S:
    """Return a split from its JSON. What follows from these members is computed, and the JSON has to say the same."""
    asked = Asked(
        _ctfast.Query.from_json(json.dumps(query)),
        Limits(*limits),
        checked("Split.from_json", on_error=on_error)["on_error"],
    )
    times = _ctfast.Selection([], since=selection["since"], until=selection["until"])
    planned = _planned(times, selection["planned"], selection["files"])
    errors, unnamed = refused
    told = Refused(tuple(map(tuple, errors)), int(unnamed))
    _Source(told)  # so that a damaged error is refused here, and not where the split is read
    identity, files, stored, cost, rows, is_remote = _ctfast.split_facts(planned, _text(asked, planned, told))
    made = cls(asked, identity, planned, files, stored, cost, rows, is_remote, told)
    given = {"selection": selection, "query": query, "limits": limits, "on_error": on_error, "refused": refused}
    if json.dumps(_FORM.members(made.json()), sort_keys=True) != json.dumps(given | others, sort_keys=True):
        raise ValueError(others)
    return made


def _text(asked: Asked, times: _ctfast.Selection, refused: Refused) -> str:
    return asked.text(times) if refused == Refused() else f"{asked.text(times)}\n{json.dumps(refused)}"


def _of_format(number: int, *state: Any) -> Split:
    """Return a split from its pickle."""
    if number != _FORM.number:
        raise _FORM.newer(number)
    return Split(*state)
