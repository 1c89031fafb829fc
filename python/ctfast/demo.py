"""A first look: make the sample archive, ask it who did what, and follow its incident.

`run` is also meant to be read: every answer is `ctfast.scan` and a few lines of Polars.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

import ctfast as ct
from ctfast import sample
from ctfast._later import pl
from ctfast._show.folding import Room
from ctfast._show.tables import Column, table

if TYPE_CHECKING:
    from rich.console import Console

MOST = 15
"""How many principals the table shows."""

TWO = 2


def run(folder: Path | None, console: Console) -> None:
    """Make the sample archive and print what happened in it.

    Parameters
    ----------
    folder
        Where to write the archive; `None` makes a new temporary folder. It is kept, for further use.
    console
        Where to print.

    Raises
    ------
    FileExistsError
        If the folder already holds a sample archive.
    """
    folder = Path(tempfile.mkdtemp(prefix="ctfast-demo-")) if folder is None else folder
    made = sample.write(folder)
    console.print(Text(f"A sample archive lies in {made.archive}\n"), soft_wrap=True)

    # a scan reads nothing until it is collected; a report counts what it read
    report = ct.Report()
    (totals,) = overview(ct.scan(made.archive, report=report)).collect().rows(named=True)
    say(
        console,
        f"{report.files.read} log files and {made.digests} digest files of {totals['accounts']} accounts in "
        f"{totals['regions']} regions: {report.records.read:,} events from {totals['first']:%Y-%m-%d %H:%M} to "
        f"{totals['last']:%H:%M} UTC, {report.files.bad} bad files.",
    )

    events = ct.scan(made.archive)
    principals = who_did_what(events).collect()
    say(console, f"Who did what: the {MOST} most active of {principals.height}")
    _show(console, _principals(principals.head(MOST)))

    logins = logins_without_mfa(events).collect()
    for login in logins.iter_rows(named=True):
        say(
            console,
            f"At {login['eventTime']:%H:%M:%S}, {login['who']} signed in to the console without MFA from "
            f"{login['sourceIPAddress']}.",
        )
    say(console, "What came from there, and what other accounts did here:")
    _show(console, _timeline(incident(events, logins).collect()))

    say(console, "How to go on:")
    for command in commands(made):
        console.print(Text(command), soft_wrap=True)


def overview(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return how many accounts and regions there are, and when the events begin and end."""
    return events.select(
        accounts=pl.col("recipientAccountId").n_unique(),
        regions=pl.col("awsRegion").n_unique(),
        first=pl.col("eventTime").min(),
        last=pl.col("eventTime").max(),
    )


def identity(field: str) -> pl.Expr:
    """Return a field of the identity."""
    return pl.col("userIdentity").struct[field]


def who() -> pl.Expr:
    """Return the user name that the event history shows: the session name of a role, or the name of a user."""
    return pl.coalesce(
        pl.when(identity("type") == "AssumedRole").then(identity("principalId").str.extract(":(.+)$")),
        pl.when(identity("type") == "Root").then(pl.lit("root")),
        identity("userName"),
        identity("invokedBy"),
        pl.when(identity("type") == "AWSAccount").then(identity("accountId")),
        identity("type"),
    )


def who_did_what(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row for each principal: its two most frequent actions, its time span and its addresses."""
    actions = (
        events.filter(pl.col("eventName").is_not_null())  # Insights events have none
        .group_by(who().alias("who"), "eventName")
        .agg(
            events=pl.len(),
            errors=pl.col("errorCode").count(),
            first=pl.col("eventTime").min(),
            last=pl.col("eventTime").max(),
            sources=pl.col("sourceIPAddress").unique(),
        )
        .sort("events", "eventName", descending=[True, False])
    )
    return (
        actions.group_by("who", maintain_order=True)
        .agg(
            pl.col("events", "errors").sum(),
            pl.col("first").min(),
            pl.col("last").max(),
            actions=pl.format("{} x{}", "eventName", "events").head(2),
            sources=pl.col("sources").explode().unique().sort(),
        )
        .sort("events", "who", descending=[True, False])
    )


def logins_without_mfa(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return the successful console logins of users without MFA.

    Roles are left out: the identity provider checks their second factor, and CloudTrail reports `MFAUsed: No` for them.
    """
    return events.filter(
        pl.col("eventName") == "ConsoleLogin",
        identity("type").is_in(["IAMUser", "Root"]),
        # the open objects of a record are JSON text
        pl.col("responseElements").str.json_path_match("$.ConsoleLogin") == "Success",
        pl.col("additionalEventData").str.json_path_match("$.MFAUsed").str.to_lowercase().ne_missing("yes"),
    ).select("eventTime", "sourceIPAddress", who=who())


def incident(events: pl.LazyFrame, logins: pl.DataFrame) -> pl.LazyFrame:
    """Return the calls from the addresses of some logins, or from foreign accounts, in order of time.

    Equal calls that follow each other are one row, with their number in `times`.
    """
    own = events.select("recipientAccountId").unique().collect().to_series().to_list()
    foreign = (identity("type") == "AWSAccount") & ~identity("accountId").is_in(own)
    suspect = pl.col("sourceIPAddress").is_in(logins["sourceIPAddress"].to_list())
    target = pl.coalesce(
        pl.col("requestParameters").str.json_path_match(path)
        for path in ("$.bucketName", "$.userName", "$.roleName", "$.roleArn", "$.instanceType")
    ).str.extract("([^/]+)$")
    return (
        events.filter(suspect | foreign)
        .sort("eventTime", "eventID")
        .select(
            "eventTime",
            "eventName",
            "sourceIPAddress",
            who=who(),
            target=target,
            # a failed sign-in has a message only
            error=pl.coalesce("errorCode", "errorMessage"),
        )
        .with_columns(run=pl.struct("who", "eventName", "target", "error").rle_id())
        .group_by("run", maintain_order=True)
        .agg(pl.exclude("run").first(), times=pl.len())
    )


def commands(made: sample.Sample) -> list[str]:
    """Return shell commands to continue with."""
    archive = made.archive.name
    query = (
        "SELECT eventTime, userIdentity.arn, eventName FROM events WHERE eventName LIKE 'Delete%' ORDER BY eventTime"
    )
    return [
        f"cd {shlex.quote(str(made.archive.parent))}",
        f"ctfast info {archive}",
        f"ctfast scan {archive} --since 2025-03-12T13:30 --region us-east-1 --format csv",
        f'ctfast sql {archive} --dialect polars "{query}"',
    ]


def say(console: Console, text: str) -> None:
    """Print a paragraph as it is, without markup and colours."""
    console.print(Text(text))
    console.print()


def _show(console: Console, columns: Iterable[Column]) -> None:
    view = table(list(columns), Room(console.width, folds_arns=console.is_terminal))
    console.print(view, soft_wrap=isinstance(view, Group))
    console.print()


def _principals(found: pl.DataFrame) -> Iterator[Column]:
    rows = found.to_dicts()
    yield Column("Who", "text", [row["who"] for row in rows])
    yield Column("Events", "number", [f"{row['events']:,}" for row in rows])
    yield Column("Failed", "number", [f"{row['errors']:,}" if row["errors"] else "" for row in rows])
    yield Column("Most often", "text", [", ".join(row["actions"]) for row in rows])
    yield Column("When", "fixed", [f"{row['first']:%H:%M}-{row['last']:%H:%M}" for row in rows])
    yield Column("From", "text", [_first(row["sources"]) for row in rows])


def _first(names: list[str]) -> str:
    """Return the first of some names, with the second one or the number of the others."""
    first, *others = names
    return ", ".join([first, *(others if len(others) < TWO else [f"and {len(others)} more"])])


def _timeline(found: pl.DataFrame) -> Iterator[Column]:
    rows = found.to_dicts()
    times = (f"x{row['times']}" if row["times"] > 1 else None for row in rows)
    yield Column("Time", "fixed", [f"{row['eventTime']:%H:%M:%S}" for row in rows])
    yield Column("Who", "text", [row["who"] for row in rows])
    what = ((row["eventName"], often, row["target"]) for row, often in zip(rows, times, strict=True))
    yield Column("What", "text", [" ".join(filter(None, words)) for words in what])
    yield Column("From", "text", [row["sourceIPAddress"] for row in rows])
    yield Column("Error", "text", [row["error"] or "" for row in rows])
