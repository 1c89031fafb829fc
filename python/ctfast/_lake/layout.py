"""Where things are in a lake: names relative to its root.

The parts of splits lie as the splits have written them, in ``month=…``. All that Delta Lake knows nothing of is below
``_ctfast``, which readers of Delta tables and of Parquet folders ignore.
"""

from __future__ import annotations

from typing import Final

__all__ = ["AUDIT", "COPIES", "FENCE", "LEDGER", "LOG", "commit_id", "copies_path", "ledger_path"]

#: Rows of the ledger, a file for each commit.
LEDGER: Final = "_ctfast/ledger"
#: Where events were seen again that are stored already, by their month.
COPIES: Final = "_ctfast/copies"
#: What was done to the lake besides taking archives in.
AUDIT: Final = "_ctfast/audit"
#: The log of the Delta table.
LOG: Final = "_delta_log"
#: The transaction that each commit of ctfast carries: of two that began from the same version, one fails.
FENCE: Final = "ctfast"


def commit_id(run: str, n: int) -> str:
    """Return the transaction of the commit ``n`` of a run."""
    return f"{run}/{n}"


def ledger_path(commit: str, content: str) -> str:
    """Return the file of a commit's rows of the ledger, by a hash of its content.

    It counts only if a commit names it: an attempt that was overtaken leaves one under another name.
    """
    return f"{LEDGER}/{commit.replace('/', '-')}-{content[:32]}.parquet"


def copies_path(month: str, commit: str, content: str) -> str:
    """Return the file of a commit's copies of events of a month, by a hash of its content."""
    return f"{COPIES}/month={month}/{commit.replace('/', '-')}-{content[:32]}.parquet"
