"""Archives in which nothing is wrong."""

from __future__ import annotations

import gzip
from datetime import timedelta

from cases import Case, Run, scenario
from chains import (
    HOME,
    HOUR,
    MEMBER,
    ORGANIZATION,
    OTHER,
    SECOND,
    START,
    Trail,
)


@scenario("nothing")
def untouched(case: Case) -> None:
    case.chain(5)


@scenario("nothing: hours without activity")
def quiet_hours(case: Case) -> None:
    case.chain(1).hours(3, logs=0).hours(1)


@scenario("nothing: the trail has a prefix of two folders")
def prefix(case: Case) -> None:
    case.chain(3, Trail(case.bucket, prefix="security/trails"))


@scenario("nothing: an organisation trail with two accounts")
def organisation(case: Case) -> None:
    trail = Trail(case.bucket, organization=ORGANIZATION)
    case.chain(3, trail)
    case.chain(3, trail, account=MEMBER)


@scenario("nothing: an organisation trail, and the AWS CLI is told the bucket")
def organisation_by_bucket(case: Case) -> None:
    trail = Trail(case.bucket, organization=ORGANIZATION)
    chain = case.chain(2, trail, account=MEMBER)
    case.runs = [Run(trail, MEMBER, HOME, case.bucket)]
    case.aws("silent", *chain.files())
    case.why = "with --s3-bucket it never asks for the organisation and finds no digests; exit 0"


@scenario("nothing: two regions, each with its own key")
def two_regions(case: Case) -> None:
    case.chain(3)
    case.chain(3, region=OTHER)


@scenario("nothing: two trails in one bucket")
def two_trails(case: Case) -> None:
    case.chain(3)
    case.chain(3, Trail(case.bucket, name="data_events"))


@scenario("nothing: the name of one trail and its region begin the name of another")
def trail_named_like_another(case: Case) -> None:
    chain = case.chain(3)
    case.chain(3, Trail(case.bucket, name=f"audit_{HOME}"))
    case.aws("silent", *chain.files())
    case.why = (
        "its pattern for `audit` fits the digests of `audit_eu-west-1` too: it follows those and never reads its"
        " own; exit 0"
    )


@scenario("nothing: the trail delivers to another bucket from the third hour on")
def bucket_changed(case: Case) -> None:
    case.chain(2, Trail(f"{case.bucket}-old")).move_to(case.bucket).hours(2)
    case.runs = [Run(Trail(case.bucket), case.chains[0].account, HOME)]


@scenario("nothing: the key changes")
def key_rotated(case: Case) -> None:
    case.chain(2).hours(2, key=SECOND)
    case.keys[HOME].append(SECOND.public())


@scenario("nothing: logging was stopped for three hours")
def logging_stopped(case: Case) -> None:
    case.chain(2).stop(3).hours(2)
    case.gaps = 1


@scenario("nothing: logging was stopped before the range of time, and started again in it")
def stopped_until_the_range(case: Case) -> None:
    chain = case.chain(2).stop(4).hours(3)
    case.since, case.until = START + 4 * HOUR, START + 9 * HOUR
    case.expect("out", *[file for position in (0, 1) for file in (chain.digests[position], *chain.logs[position])])


@scenario("nothing: logging was stopped in the range of time, and started again after it")
def stopped_to_the_end_of_the_range(case: Case) -> None:
    chain = case.chain(3).stop(6).hours(2)
    case.until = START + 6 * HOUR
    case.expect("out", *[file for position in (3, 4) for file in (chain.digests[position], *chain.logs[position])])


@scenario("nothing: logging was stopped all of the range of time")
def stopped_all_of_the_range(case: Case) -> None:
    chain = case.chain(6)
    other = case.chain(2, region=OTHER).stop(8).hours(1)
    case.since, case.until = START + 3 * HOUR, START + 6 * HOUR
    for position in range(3):
        case.expect("out", chain.digests[position], *chain.logs[position])
    case.aws("valid", chain.digests[2], *chain.logs[2])
    case.expect("out", *other.files())


@scenario("nothing: a trail that is made in the range of time (CreateTrail), and one that is newer than it")
def trails_that_are_new(case: Case) -> None:
    chain = case.chain(8)
    new = case.chain(trail=Trail(case.bucket, name="new"), clock=START + 5 * HOUR)
    call = new.call("CreateTrail", START + timedelta(minutes=310), enableLogFileValidation=True)
    new.hour(also=(call,))
    new.hours(2)
    newer = case.chain(2, Trail(case.bucket, name="newer"), clock=START + 10 * HOUR)
    case.since, case.until = START + 3 * HOUR, START + 8 * HOUR
    for position in range(3):
        case.expect("out", chain.digests[position], *chain.logs[position])
    case.aws("valid", chain.digests[2], *chain.logs[2])
    case.expect("out", *newer.files())


@scenario("nothing: a log file of the second hour was processed late and stands in a backfill digest")
def late_delivery(case: Case) -> None:
    chain = case.chain(2)
    late = chain.log(START + timedelta(minutes=95), 9)
    chain.hours(2)
    case.chain(backfill=True, clock=START + HOUR).hour(0, also=(late,))


@scenario("nothing: a backfill chain of three digests")
def backfill(case: Case) -> None:
    case.chain(4)
    case.chain(3, backfill=True)


@scenario("nothing: backfill digests of hours that lie apart")
def backfill_apart(case: Case) -> None:
    case.chain(6)
    extra = case.chain(1, backfill=True)
    extra.clock += 2 * HOUR
    extra.hours(2)


@scenario("a log file compressed again, content unchanged")
def log_recompressed(case: Case) -> None:
    chain = case.chain(3)
    file = chain.logs[1][0]
    case.archive[file].body = gzip.compress(case.archive.text(file), compresslevel=1, mtime=1)


@scenario("a digest compressed again, content unchanged")
def digest_recompressed(case: Case) -> None:
    chain = case.chain(3)
    file = chain.digests[1]
    case.archive[file].body = gzip.compress(case.archive.text(file), compresslevel=1, mtime=1)


@scenario("a signature written in capital letters")
def signature_in_capitals(case: Case) -> None:
    metadata = case.archive[case.chain(3).digests[2]].metadata
    metadata["signature"] = metadata["signature"].upper()


@scenario("nothing in the range, and a log file in the hour before and one in the hour after it")
def range_in_the_middle(case: Case) -> None:
    chain = case.chain(9)
    case.since, case.until = START + 3 * HOUR, START + 5 * HOUR
    for position in (0, 1, 2, 5, 6, 7, 8):
        case.expect("out", chain.digests[position], *chain.logs[position])
    for position in (2, 5):  # the AWS CLI reads one more digest on each side
        case.aws("valid", chain.digests[position], *chain.logs[position])
    for position in (1, 6):
        case.archive[chain.logs[position][0]].body = b"damaged"
