"""Where things are in a lake: names relative to its root.

The parts of splits lie as the splits have written them, in ``month=…``. All that Delta Lake knows nothing of is below
``_ctfast``, which readers of Delta tables and of Parquet folders ignore.
"""

from __future__ import annotations

import re
from typing import Final

from ctfast._store.store import HASHED

__all__ = [
    "AUDIT",
    "BAD",
    "COPIES",
    "COVERAGE",
    "FENCE",
    "LEDGER",
    "LOG",
    "VERDICTS",
    "audit_path",
    "beside_path",
    "commit_id",
    "copies_path",
    "is_of_commit",
    "ledger_path",
    "version_of",
]

#: Rows of the ledger, a file for each commit.
LEDGER: Final = "_ctfast/ledger"
#: Where events were seen again that are stored already, by their month.
COPIES: Final = "_ctfast/copies"
#: What is bad in files that were read, a file for each commit that has some.
BAD: Final = "_ctfast/bad"
#: What digests prove of files that were read, a file for each verification.
VERDICTS: Final = "_ctfast/verdicts"
#: Which time digests cover, a file for each verification, with all that is known by then: the last one counts.
COVERAGE: Final = "_ctfast/coverage"
#: What was done to the lake besides taking archives in.
AUDIT: Final = "_ctfast/audit"
#: The log of the Delta table.
LOG: Final = "_delta_log"
#: The transaction that each commit of ctfast carries: of two that began from the same version, one fails.
FENCE: Final = "ctfast"
_VERSION = re.compile(r"-([0-9]+)-[0-9a-f]{32}\.(?:json|parquet)$")


def commit_id(run: str, n: int) -> str:
    """Return the transaction of the commit ``n`` of a run."""
    return f"{run}/{n}"


def ledger_path(commit: str, version: int, content: str) -> str:
    """Return the file of a commit's rows of the ledger, by the version that it makes and a hash of its content.

    It counts only if a commit names it. An attempt that was overtaken leaves one under another name, so that no name
    that a sweep has found without a commit is ever given again.
    """
    return beside_path(LEDGER, commit, version, content)


def beside_path(folder: str, commit: str, version: int, content: str) -> str:
    """Return the file of a commit in a folder beside the table, likewise."""
    return f"{folder}/{_named(commit, version, content)}.parquet"


def copies_path(month: str, commit: str, version: int, content: str) -> str:
    """Return the file of a commit's copies of events of a month, likewise."""
    return f"{COPIES}/month={month}/{_named(commit, version, content)}.parquet"


def audit_path(action: str, version: int, content: str) -> str:
    """Return the file of an entry of the audit, likewise."""
    return f"{AUDIT}/{_named(action, version, content)}.json"


def is_of_commit(path: str, commit: str) -> bool:
    """Whether a file of the ledger is of this commit."""
    return path.rsplit("-", 2)[0] == f"{LEDGER}/{commit.replace('/', '-')}"


def version_of(path: str) -> int:
    """Return the version of the table for which a file beside it was written; 0 if the name tells none."""
    found = _VERSION.search(path)
    return 0 if found is None else int(found[1])


def _named(commit: str, version: int, content: str) -> str:
    return f"{commit.replace('/', '-')}-{version}-{content[:HASHED]}"
