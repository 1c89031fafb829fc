"""What is asked of a scan, and how it becomes a native one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from ctfast import _ctfast
from ctfast._arguments.gate import MAX_DELAY, ON_ERROR, Reading, Streaming, processors
from ctfast._arguments.times import RELATIVE, moment, span
from ctfast._aws.credentials import credentials
from ctfast._filter.filters import Filter
from ctfast._filter.rules import Rules, RuleSet
from ctfast._ledger.report import Limits, Report
from ctfast._show.plain import counted, plain
from ctfast._show.words import listed, quoted
from ctfast._source.addresses import Source, is_address, paths
from ctfast._source.object_keys import KeySource
from ctfast.exceptions import ArgumentError

if TYPE_CHECKING:
    from ctfast._integrity.verification import Verification
    from ctfast._state.checkpoint import Checkpoint

__all__ = ["COLUMNS", "PATHS", "RULES", "Options", "ask", "told"]

#: Names of all columns, in order.
COLUMNS: list[str] = [path for path, _, _ in _ctfast.columns() if "." not in path]

#: The same, and the fields of structs: what can be chosen.
PATHS: list[str] = [path for path, _, _ in _ctfast.columns() if "[]" not in path]

#: Name of the column with the names of the rules that a record meets.
RULES = "rules"

#: What may be asked of files, as selections have it.
_CHOSEN = ("accounts", "regions", "kinds", "since", "until", "max_delay")
#: Names among it.
_NAMES = _CHOSEN[:3]
_MICROSECOND = timedelta(microseconds=1)
#: The most microseconds that the core counts.
_MOST = (1 << 63) - 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked of a scan: three values, where its files are, and who takes part in it.

    Whoever asks for something else replaces one of the values.
    """

    source: Source
    #: Which files, wherever they are.
    selection: _ctfast.Selection
    #: Which records, and which columns of them: all if nothing else is said.
    query: _ctfast.Query
    #: With which means.
    run: _ctfast.Run
    #: The filters of the query as the user has written them, for what is said of them.
    where: Filter | None = None
    rules: Rules | None = None
    report: Report | None = None
    progress: Callable[[Report], object] | None = None
    #: Gives, to each run, what takes the hashes of its files.
    verify: Callable[[], _ctfast.Hashes] | None = field(default=None, repr=False)
    verified: Verification | None = None
    checkpoint: Checkpoint | None = None
    storage_options: Mapping[str, str] | None = field(default=None, repr=False)
    counts_duplicates: bool = False

    def asking(
        self, columns: Sequence[str], predicate: tuple[Any, ...] | None = None, text: list[str] | None = None
    ) -> Options:
        """Return the same with a query of these columns.

        ``text`` are types as of :func:`ctfast._scan.arrow.text_types`; by default text is views.
        """
        return replace(self, query=self.query.selecting(list(columns), predicate=predicate, text=text))

    @property
    def paths(self) -> list[str]:
        """Names of the columns that there are, and of the fields of structs."""
        return PATHS if self.rules is None else [*PATHS, RULES]

    def names_files(self) -> bool:
        """Tell whether files are named one by one, and not simply listed."""
        return self.checkpoint is not None or isinstance(self.source, KeySource)

    def can_follow(self) -> bool:
        """Tell whether another look names what has come since, and nothing twice."""
        return self.checkpoint is not None or (isinstance(self.source, KeySource) and self.source.forgets)

    def repeats(self) -> bool:
        """Tell whether a second scan has the same rows, and not only those that have come since."""
        return not (isinstance(self.source, KeySource) and self.source.forgets)

    def is_in_buckets(self) -> bool:
        """Tell whether sources are known to lie in buckets."""
        named: Any = self.source
        sources = [named] if isinstance(named, (str, os.PathLike)) else [] if isinstance(named, KeySource) else named
        return any(is_address(os.fspath(source)) for source in sources)

    def ledgers(self, ledger: _ctfast.Ledger | None) -> list[_ctfast.Ledger]:
        """Return where it is noted what becomes of each file: here, and in the report if that was asked for."""
        kept = None if self.report is None else self.report._ledger  # noqa: SLF001  # one fact of two
        return [each for each in (ledger, kept) if each is not None]

    def follow(self, report: Report, source: KeySource | None = None) -> None:
        """Have a report tell of this scan, and of its rules."""
        report._follow(self.asked, source)  # noqa: SLF001  # joined here, read elsewhere
        if isinstance(self.rules, RuleSet):
            report._read_rules(self.rules._findings)  # noqa: SLF001

    def key_source(self, remote: _ctfast.Remote | None, seen: _ctfast.Seen, *, hands_over: bool = True) -> KeySource:
        """Return what names the files one by one; ``hands_over`` tells whether their records are handed over."""
        if isinstance(self.source, KeySource):
            return self.source
        if self.checkpoint is None:
            message = "what is simply listed names no files one by one"
            raise TypeError(message)

        from ctfast._state.resumed import Resumed  # noqa: PLC0415  # with SQLite, which nobody else waits for

        self.checkpoint._lie_apart(paths(self.source))  # noqa: SLF001  # made when the query runs
        description = self._description() | (self._records() if hands_over else {})
        return Resumed(self.checkpoint, lambda **more: self.listing(remote, seen=seen, **more), description)

    def located(self) -> _ctfast.Selection:
        """Return the selection of what the source names now."""
        return self.selection.below(paths(self.source))

    def listing(self, remote: _ctfast.Remote | None, **more: Any) -> _ctfast.Listing:
        """Return the files that the source names, without reading them."""
        return _ctfast.Listing(self.located(), remote=remote, **more)

    def remote(self, *, is_for_one: bool = False) -> _ctfast.Remote:
        """Return the way to buckets, for the scans and listings of one run; or for one scan, which then closes it."""
        storage, renew = credentials(self.storage_options)
        return _ctfast.Remote(storage, renew, is_for_one=is_for_one)

    def duplicates(self) -> _ctfast.Dedupe | None:
        """Return what tells duplicates in one run, if they are to be removed or counted."""
        return _ctfast.Dedupe(self.query.dedupe) if self.query.dedupe or self.counts_duplicates else None

    def start(
        self,
        selection: _ctfast.Selection,
        remote: _ctfast.Remote | None = None,
        seen: _ctfast.Seen | None = None,
        duplicates: _ctfast.Dedupe | None = None,
        ledgers: Sequence[_ctfast.Ledger] = (),
        keys: _ctfast.Keys | None = None,
    ) -> _ctfast.Scan:
        """Start reading these files; the ledgers note what becomes of each, ``keys`` the keys of the rows."""
        if remote is None and any(map(is_address, selection.paths)):
            remote = self.remote(is_for_one=True)
        books: list[Any] = [*ledgers, *([] if keys is None else [keys])]
        if self.verify is not None:
            books.append(self.verify())
        only = None if self.verified is None else self.verified._valid_files(selection.paths)  # noqa: SLF001
        return _ctfast.Scan(
            selection, self.query, self.run, remote=remote, only=only, seen=seen, dedupe=duplicates, books=books
        )

    @property
    def chosen(self) -> dict[str, Any]:
        """What is asked of files, by name; times are microseconds."""
        chosen = json.loads(self.selection.json())
        return {name: chosen[name] for name in _CHOSEN}

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for by name or by time, as it was understood."""
        chosen = self.chosen
        times = {name: moment(chosen[name]) for name in ("since", "until")}
        return times | {name: chosen[name] for name in _NAMES}

    @property
    def place(self) -> str:
        """Return the sources, as a sentence names them."""
        if isinstance(self.source, KeySource):
            return self.source.place
        if isinstance(self.source, (str, os.PathLike)):
            return str(self.source)
        sources = list(map(str, self.source))
        return f"{len(sources)} sources, {listed(sources)}" if len(sources) > 1 else "".join(sources)

    def _description(self) -> dict[str, Any]:
        """Return what tells this query from others, as a checkpoint keeps it, with the sources as they were named."""
        named: Any = self.source
        sources = [named] if isinstance(named, (str, os.PathLike)) else named
        return {"source": [os.fspath(source) for source in sources]} | self.chosen

    def _records(self) -> dict[str, Any]:
        """Return what decides which records of its files are handed over, as a checkpoint keeps it."""
        rules: Any = self.rules  # a dict since it was checked
        return {
            "where": None if self.where is None else repr(self.where),
            # Their names and their order choose no records.
            "rules": None if rules is None else sorted({repr(rule) for rule in rules.values()}),
        }

    def identity(self) -> str:
        """Return what decides which rows and columns come of a file, for the names of units."""
        return f"{self.selection.json()}\n{self.query.json()}"

    def describe(self) -> str:
        """Say on one line what will be read: for `explain`."""
        parts = [self.place]
        asked = self.asked
        parts += [f"{name}={','.join(asked[name])}" for name in _NAMES if asked[name] is not None]
        parts += [f"{name}={asked[name].isoformat()}" for name in ("since", "until") if asked[name] is not None]
        if asked["until"] is not None:
            delay = self.chosen["max_delay"]
            parts.append(f"max_delay={None if delay is None else delay * _MICROSECOND}")
        if self.where is not None:
            parts.append(f"where={self.where!r}")
        if self.rules is not None:
            parts.append(counted(len(self.rules), "rule"))  # type: ignore[arg-type]  # a dict since it was checked
        if self.query.dedupe:
            parts.append("dedupe")
        return plain(" ".join(parts))


def ask(
    function: str,
    source: Source,
    *,
    digests: bool = False,
    counts_duplicates: bool = False,
    **given: Unpack[Streaming],
) -> Options:
    """Return what a function was asked for, with arguments as the gate checked them.

    What belongs together is checked here: bounds of time, and what excludes something else.
    """
    first, after = span(function, given.get("since"), given.get("until"), datetime.now(UTC))
    _refuse(function, source, given)
    names: dict[str, Any] = {name: given.get(name) for name in _NAMES}
    delay = given.get("max_delay", MAX_DELAY)
    most = None if delay is None else min(delay // _MICROSECOND, _MOST)
    selection = _ctfast.Selection([], **names, since=first, until=after, max_delay=most, digests=digests)
    where = given.get("where")
    rules: dict[str, Filter] | None = given.get("rules")  # type: ignore[assignment]  # a dict since it was checked
    query = _ctfast.Query(
        COLUMNS if rules is None else [*COLUMNS, RULES],
        where=None if where is None else where._native,  # noqa: SLF001
        rules=None if rules is None else [(name, rule._native) for name, rule in rules.items()],  # noqa: SLF001
        dedupe=given.get("dedupe", False),
    )
    limits = given.get("limits") or Limits()
    run = _ctfast.Run(given.get("threads") or processors(), limits, given.get("on_error", ON_ERROR) == "raise")
    verifier = given.get("verify")
    others: dict[str, Any] = {name: value for name, value in given.items() if name in Options.__dataclass_fields__}
    if verifier is not None:
        asked = {"max_delay": MAX_DELAY, **given, "since": moment(first), "until": moment(after)}
        others["verify"] = partial(verifier._begin, source, asked)  # noqa: SLF001  # one pass of two
    return Options(
        source=source, selection=selection, query=query, run=run, counts_duplicates=counts_duplicates, **others
    )


def _refuse(function: str, source: Source, given: Streaming) -> None:
    """Refuse what excludes something else."""
    names_keys, follows = isinstance(source, KeySource), given.get("checkpoint") is not None
    for name in ("since", "until"):
        time: Any = given.get(name)
        if follows and isinstance(time, str) and RELATIVE.fullmatch(time):
            message = (
                f"{name}={quoted(time)} moves with the clock, and a checkpoint belongs to one query: write a date"
                " or a time"
            )
            raise ArgumentError(message, name, time, None, function)
    apart = (
        "dedupe knows the records of one run, and with a checkpoint the deliveries of an event may come in several: "
        "leave it out, and remove duplicates where all results lie together"
    )
    whole = "verify reads a whole archive: it takes neither a source of keys nor a checkpoint"
    ordered = "checkpoint follows listings, which are in order: name folders, not a source of keys"
    for name, is_refused, message in (
        ("dedupe", given.get("dedupe") and follows, apart),
        ("verify", given.get("verify") is not None and (names_keys or follows), whole),
        ("checkpoint", names_keys and follows, ordered),
    ):
        if is_refused:
            raise ArgumentError(message, name, None, None, function)


def told(options: Reading) -> Report:
    """Return the report of a function that returns one, in the options as well."""
    report = options.get("report")
    if report is None:
        options["report"] = report = Report()
    return report
