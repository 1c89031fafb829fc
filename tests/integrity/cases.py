"""What can happen to an archive: named scenarios with the verdict that each file deserves.

A scenario states, as data, ctfast's verdict for every file (by default ``valid``) and, where the verdict of the AWS CLI
differs, that verdict and the reason. ``silent`` means that a tool does not mention the file at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chains import (
    ABROAD,
    FIRST,
    HOME,
    OTHER,
    START,
    Archive,
    Chain,
    Document,
    Trail,
    split,
)

# Our verdicts on a file, and those of the AWS CLI in the same case.
AWS_SAYS = {
    "valid": "valid",
    "moved": "moved",  # not where its digest says it is
    "format": "format",
    "missing": "missing",
    "key": "key",  # signed with a key that is not among the public keys
    "signature": "signature",
    "hash": "hash",
    "trailing": "trailing",  # bytes after the first gzip member
    "unlisted": "silent",  # a log file that no valid digest lists
    # The AWS CLI has no words for the following verdicts: every scenario says what it answers.
    "unsigned": "signature",  # a digest for which nothing vouches
    "algorithm": "valid",  # not SHA-256 with PKCS#1 v1.5
    "contradicted": "valid",  # its successor holds another hash or signature of it, or it points where it cannot
    "continuity": "valid",  # its hour overlaps the one before, or leaves a hole
    "time": "valid",  # its name and its body tell different times
    "window": "valid",  # its key was not in use at that time
    "duplicate": "valid",  # listed twice by one digest
    "foreign": "valid",  # a digest of one account and region lists or names another
    "outside": "missing",  # a name that leaves the archive
    # Our verdict is not stated for the following:
    "gone": "silent",  # deleted together with everything that named it, so nothing shows that it existed
    "out": "silent",  # outside the range of time
}

UNSTATED = frozenset({"gone", "out"})

# Verdicts that the AWS CLI prints as INVALID, whatever its words.
INVALID = frozenset({"moved", "format", "missing", "key", "signature", "hash", "trailing", "error"})


@dataclass(frozen=True)
class Run:
    """One call of the AWS CLI: one trail, account and region."""

    trail: Trail
    account: str
    region: str
    bucket: str = ""  # --s3-bucket instead of DescribeTrails


@dataclass(repr=False)
class Case:
    name: str
    changed: str
    archive: Archive = field(default_factory=Archive)
    chains: list[Chain] = field(default_factory=list)
    keys: dict[str, list[Document]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    since: datetime = START
    until: datetime | None = None
    gaps: int = 0  # AWS: "No log files were delivered by CloudTrail between"
    aborts: bool = False  # AWS: ends without a summary
    why: str = ""  # why AWS says something else
    uncovered: bool = False  # whether a part of the range is not covered, for no known reason
    saved: dict[str, dict[str, str]] | None = None  # signatures that were saved before the archive was changed
    expected: dict[str, str] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = self.keys or {HOME: [FIRST.public()], OTHER: [ABROAD.public()]}

    def __repr__(self) -> str:
        return f"<{self.name}: {self.changed}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001  # hypothesis prints all fields otherwise
        printer.text(repr(self))

    @property
    def bucket(self) -> str:
        return "ct-" + self.name.replace("_", "-")

    def chain(self, hours: int = 0, trail: Trail | None = None, **options: Any) -> Chain:
        chain = Chain(self.archive, trail or Trail(self.bucket), **options)
        self.chains.append(chain)
        run = Run(chain.trail, chain.account, chain.region)
        if run not in self.runs:
            self.runs.append(run)
        return chain.hours(hours)

    def expect(self, word: str, *files: str, aws: str | None = None) -> None:
        for file in files:
            self.expected[file] = word
            if aws is not None:
                self.differs[file] = aws

    def aws(self, word: str, *files: str) -> None:
        self.differs.update(dict.fromkeys(files, word))

    @property
    def ours(self) -> dict[str, str]:
        """Every file of the archive, and every missing one, with our verdict."""
        made = {file: "valid" for chain in self.chains for file in chain.files()}
        return made | self.expected

    @property
    def stated(self) -> dict[str, str]:
        """The files for which the scenario states our verdict."""
        return {file: word for file, word in self.ours.items() if word not in UNSTATED}

    @property
    def theirs(self) -> dict[str, str]:
        return {file: AWS_SAYS[word] for file, word in self.ours.items()} | self.differs

    @property
    def signatures(self) -> dict[str, dict[str, str]]:
        return self.archive.signatures() if self.saved is None else self.saved

    @property
    def ok(self) -> bool:
        return set(self.stated.values()) == {"valid"} and not self.uncovered

    @property
    def end(self) -> datetime:
        return self.until or max(chain.clock for chain in self.chains)

    def short(self, file: str) -> str:
        """A name for tables: the kind of file and what distinguishes it."""
        name = split(file)[1].rpartition("/")[2]
        return f"{'digest' if '_CloudTrail-Digest_' in name else 'log'} {name.removesuffix('.json.gz')}"


@dataclass(frozen=True)
class Scenario:
    """Makes a case, a new one each time."""

    changed: str
    build: Callable[[Case], None]

    @property
    def module(self) -> str:
        return self.build.__module__

    def __call__(self) -> Case:
        case = Case(self.build.__name__, self.changed)
        self.build(case)
        return case


SCENARIOS: dict[str, Scenario] = {}


def scenario(changed: str) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Register a scenario under the name of its function."""

    def register(build: Callable[[Case], None]) -> Callable[[Case], None]:
        SCENARIOS[build.__name__] = Scenario(changed, build)
        return build

    return register


def edited(entry: int, **changes: Any) -> Callable[[Document], None]:
    """An edit of one entry of ``logFiles``."""
    return lambda document: document["logFiles"][entry].update(changes)


def without(*names: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        for name in names:
            del document[name]

    return edit


def renamed(file: str, old: str, new: str) -> str:
    assert old in file
    return file.replace(old, new)


def broken(case: Case, chain: Chain, word: str, position: int, aws: str | None = None) -> None:
    """A digest is not valid, so its log files are not vouched for."""
    case.expect(word, chain.digests[position], aws=aws)
    case.expect("unlisted", *chain.logs[position])


def believed(case: Case, chain: Chain, word: str, position: int) -> None:
    """A digest is not valid, and AWS says that it is."""
    broken(case, chain, word, position, aws="valid")
    case.aws("valid", *chain.logs[position])
