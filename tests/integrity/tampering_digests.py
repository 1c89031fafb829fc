"""What can happen to digest files, in one chain and in several."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import timedelta

from cases import Case, Run, believed, broken, edited, renamed, scenario
from chains import (
    FIRST,
    HOME,
    HOUR,
    MEMBER,
    ORGANIZATION,
    OTHER,
    START,
    Trail,
    sha256,
    squeeze,
    url,
)


@scenario("an entry taken out of a digest")
def digest_modified(case: Case) -> None:
    chain = case.chain(4)
    case.archive.forge(chain.digests[1], lambda document: document["logFiles"].pop())
    broken(case, chain, "signature", 1)


@scenario("a log file and its hash in the digest")
def log_and_digest_modified(case: Case) -> None:
    chain = case.chain(4)
    file = chain.logs[1][0]
    body = case.archive.text(file).replace(b'"1.11"', b'"1.12"', 1)
    case.archive[file].body = squeeze(body)
    case.archive.forge(chain.digests[1], edited(0, hashValue=sha256(body)))
    broken(case, chain, "signature", 1)


@scenario("white space added to a digest")
def digest_reformatted(case: Case) -> None:
    chain = case.chain(4)
    file = chain.digests[1]
    case.archive[file].body = squeeze(json.dumps(case.archive.document(file), indent=1).encode())
    broken(case, chain, "signature", 1)


@scenario("a digest cut in the middle")
def digest_truncated(case: Case) -> None:
    chain = case.chain(4)
    found = case.archive[chain.digests[1]]
    found.body = found.body[: len(found.body) // 2]
    broken(case, chain, "format", 1)


@scenario("a digest stored as plain JSON")
def digest_not_gzip(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[1]].body = case.archive.text(chain.digests[1])
    broken(case, chain, "format", 1)


@scenario("a digest that is no JSON")
def digest_not_json(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[1]].body = squeeze(b"not JSON")
    broken(case, chain, "format", 1)


@scenario("a digest that is a JSON array")
def digest_is_array(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[1]].body = squeeze(b"[1]")
    broken(case, chain, "format", 1, aws="error")
    case.why = "the text of an exception stands where its reason would"


@scenario("a digest of no bytes")
def digest_emptied(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[1]].body = b""
    broken(case, chain, "format", 1)


@scenario("junk after the gzip stream of a digest")
def digest_junk_after_gzip(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[1]].body += b"junk"
    believed(case, chain, "trailing", 1)
    case.why = "it looks for bytes after the stream in log files only"


@scenario("a digest in the middle deleted")
def digest_deleted(case: Case) -> None:
    chain = case.chain(5)
    case.archive.delete(chain.digests[2])
    broken(case, chain, "missing", 2)


@scenario("three digests in a row deleted")
def digests_deleted(case: Case) -> None:
    chain = case.chain(6)
    case.archive.delete(*chain.digests[1:4])
    for position in (1, 2, 3):
        broken(case, chain, "missing", position)
    case.aws("silent", *chain.digests[1:3])
    case.why = "it names the first missing digest only and goes on with the next that is there (aws-cli#7054)"


@scenario("two digests and their log files deleted")
def hours_deleted(case: Case) -> None:
    chain = case.chain(6)
    for position in (2, 3):
        case.archive.delete(chain.digests[position], *chain.logs[position])
        case.expect("missing", chain.digests[position])
        for file in chain.logs[position]:
            case.expect("gone", file, aws="silent")
    case.aws("silent", chain.digests[2])
    case.why = "it names the first missing digest only and goes on with the next that is there (aws-cli#7054)"


@scenario("the oldest digest deleted")
def oldest_deleted(case: Case) -> None:
    chain = case.chain(4)
    case.archive.delete(chain.digests[0])
    broken(case, chain, "missing", 0)


@scenario("the two newest digests deleted")
def newest_deleted(case: Case) -> None:
    chain = case.chain(5)
    case.archive.delete(*chain.digests[3:])
    for position in (3, 4):
        broken(case, chain, "missing", position, aws="silent")
    case.why = (
        "it begins at the newest digest that is there and never asks whether that is the end of the range; exit 0"
    )


@scenario("rolled back: the two newest digests and their log files deleted")
def rolled_back(case: Case) -> None:
    chain = case.chain(5)
    for position in (3, 4):
        case.archive.delete(chain.digests[position], *chain.logs[position])
        case.expect("missing", chain.digests[position], aws="silent")
        for file in chain.logs[position]:
            case.expect("gone", file, aws="silent")
    case.why = (
        "it begins at the newest digest that is there and never asks whether that is the end of the range; exit 0"
    )


@scenario("all digests deleted")
def all_deleted(case: Case) -> None:
    chain = case.chain(3)
    case.archive.delete(*chain.digests)
    for position in range(3):
        case.expect("gone", chain.digests[position], aws="silent")
        case.expect("unlisted", *chain.logs[position])
    case.why = "'No digests found', exit 0"


@scenario("in the range of time: a digest deleted")
def digest_deleted_in_range(case: Case) -> None:
    chain = case.chain(9)
    case.since, case.until = START + 3 * HOUR, START + 7 * HOUR
    for position in (0, 1, 2, 7, 8):
        case.expect("out", chain.digests[position], *chain.logs[position])
    for position in (2, 7):
        case.aws("valid", chain.digests[position], *chain.logs[position])
    case.archive.delete(chain.digests[4])
    broken(case, chain, "missing", 4)


@scenario("rolled back to before the range of time in one of two regions: nothing of it is left in the range")
def rolled_back_before_range(case: Case) -> None:
    chain = case.chain(6)
    other = case.chain(6, region=OTHER)
    case.since, case.until = START + 4 * HOUR, START + 6 * HOUR
    for position in range(4):
        case.expect("out", chain.digests[position], *chain.logs[position])
        case.expect("out", other.digests[position], *other.logs[position])
    case.aws("valid", chain.digests[3], *chain.logs[3])
    for position in (3, 4, 5):
        case.archive.delete(other.digests[position], *other.logs[position])
    for position in (4, 5):
        case.expect("missing", other.digests[position], aws="silent")
        case.expect("gone", *other.logs[position], aws="silent")
    case.why = "'No digests found' in that region, exit 0"


@scenario("rolled back to before the range of time, but for a backfill digest in the range")
def rolled_back_but_for_backfill(case: Case) -> None:
    chain = case.chain(6)
    extra = case.chain(1, backfill=True, clock=START + 4 * HOUR)
    case.since, case.until = START + 4 * HOUR, START + 6 * HOUR
    for position in range(4):
        case.expect("out", chain.digests[position], *chain.logs[position])
    for position in (3, 4, 5):
        case.archive.delete(chain.digests[position], *chain.logs[position])
    for position in (4, 5):
        case.expect("missing", chain.digests[position], aws="silent")
        case.expect("gone", *chain.logs[position], aws="silent")
    assert extra.digests
    case.why = "it finds no standard digests, and never asks for them; exit 0"


@scenario("logging in one of two regions stopped before the range of time, and not started again")
def stopped_before_range(case: Case) -> None:
    chain = case.chain(6)
    other = case.chain(2, region=OTHER)
    case.since, case.until = START + 4 * HOUR, START + 6 * HOUR
    for position in range(4):
        case.expect("out", chain.digests[position], *chain.logs[position])
    case.aws("valid", chain.digests[3], *chain.logs[3])
    case.expect("out", *other.files())
    for hour in (5, 6):
        case.expect("missing", url(case.bucket, other.digest_key(START + hour * HOUR)), aws="silent")
    case.why = (
        "'No digests found' in that region, exit 0; nothing there tells whether logging was stopped or digests were"
        " deleted"
    )


@scenario("one of two trails rolled back to before the range of time")
def trail_rolled_back_before_range(case: Case) -> None:
    chain = case.chain(6)
    other = case.chain(6, Trail(case.bucket, name="data_events"))
    case.since, case.until = START + 3 * HOUR, START + 5 * HOUR
    for position in (0, 1, 2, 5):
        case.expect("out", chain.digests[position], *chain.logs[position])
        case.expect("out", other.digests[position], *other.logs[position])
    for position in (2, 5):
        case.aws("valid", chain.digests[position], *chain.logs[position])
    for position in (2, 3, 4, 5):
        case.archive.delete(other.digests[position], *other.logs[position])
    for position in (3, 4):
        case.expect("missing", other.digests[position], aws="silent")
        case.expect("gone", *other.logs[position], aws="silent")
    case.why = "'No digests found' of that trail, exit 0"


@scenario("the digests of one of two regions deleted")
def region_deleted(case: Case) -> None:
    case.chain(3)
    other = case.chain(3, region=OTHER)
    case.archive.delete(*other.digests)
    case.expect("gone", *other.digests, aws="silent")
    for logs in other.logs:
        case.expect("unlisted", *logs)
    case.why = "'No digests found' in that region, exit 0"


@scenario("the last digest before logging was stopped deleted, its log files kept")
def last_before_gap_deleted(case: Case) -> None:
    chain = case.chain(3).stop(3).hours(2)
    case.archive.delete(chain.digests[2])
    case.gaps = 1
    case.expect("gone", chain.digests[2], aws="silent")
    case.expect("unlisted", *chain.logs[2])
    case.why = "a starting digest names no predecessor, and it never looks for files that no digest lists"


@scenario("the last digest before logging was stopped deleted with its log files")
def last_hour_before_gap_deleted(case: Case) -> None:
    chain = case.chain(3).stop(3).hours(2)
    case.archive.delete(chain.digests[2], *chain.logs[2])
    case.gaps = 1
    case.expect("gone", chain.digests[2], *chain.logs[2], aws="silent")


@scenario("the beginning of a chain, up to a stop, deleted with its log files; nothing tells of it but the range")
def beginning_deleted(case: Case) -> None:
    chain = case.chain(3).stop(2).hours(3)
    for position in range(3):
        case.archive.delete(chain.digests[position], *chain.logs[position])
        case.expect("gone", chain.digests[position], *chain.logs[position], aws="silent")
    case.uncovered = True
    case.why = "it prints what was requested and what was found, and exits 0"


@scenario("the same, and StartLogging is in the log files: it follows every stop")
def beginning_deleted_after_start(case: Case) -> None:
    chain = case.chain(3).stop(2)
    chain.hour(also=(chain.call("StartLogging", chain.clock + timedelta(minutes=1)),))
    chain.hours(2)
    for position in range(3):
        case.archive.delete(chain.digests[position], *chain.logs[position])
        case.expect("gone", chain.digests[position], *chain.logs[position], aws="silent")
    case.uncovered = True
    case.why = "it prints what was requested and what was found, and exits 0"


@scenario("the same, but the signatures that were saved before name what was deleted")
def beginning_deleted_with_signatures(case: Case) -> None:
    chain = case.chain(3).stop(2).hours(3)
    case.saved = case.archive.signatures()
    for position in range(3):
        case.archive.delete(chain.digests[position], *chain.logs[position])
        case.expect("missing", chain.digests[position], aws="silent")
        case.expect("gone", *chain.logs[position], aws="silent")
    case.why = "it knows of no signatures but those of the objects that are there; exit 0"


@scenario("hours before a stop deleted with their log files, which saved signatures name")
def middle_deleted_with_signatures(case: Case) -> None:
    chain = case.chain(4).stop(3).hours(2)
    case.saved = case.archive.signatures()
    case.gaps = 1
    for position in (2, 3):
        case.archive.delete(chain.digests[position], *chain.logs[position])
        case.expect("missing", chain.digests[position], aws="silent")
        case.expect("gone", *chain.logs[position], aws="silent")
    case.why = "it knows of no signatures but those of the objects that are there; exit 0"


@scenario("all of one of two regions deleted, which saved signatures name")
def region_deleted_with_signatures(case: Case) -> None:
    case.chain(3)
    other = case.chain(3, region=OTHER)
    case.saved = case.archive.signatures()
    case.archive.delete(*other.files())
    case.expect("missing", *other.digests, aws="silent")
    for logs in other.logs:
        case.expect("gone", *logs, aws="silent")
    case.why = "'No digests found' in that region, exit 0"


@scenario("a digest renamed to another hour")
def digest_renamed(case: Case) -> None:
    chain = case.chain(4)
    file = chain.digests[1]
    target = case.archive.move(file, renamed(file, "T110131Z", "T110231Z"))
    broken(case, chain, "missing", 1)
    case.expect("moved", target, aws="silent")
    case.why = "it follows the chain and does not look at other digests between"


@scenario("a digest copied to a name newer than the newest")
def digest_replayed(case: Case) -> None:
    chain = case.chain(4)
    target = case.archive.copy(chain.digests[1], renamed(chain.digests[3], "T130131Z", "T133131Z"))
    case.expect("moved", target)


@scenario("the newest digest overwritten with an older one")
def digest_overwritten(case: Case) -> None:
    chain = case.chain(4)
    case.archive.copy(chain.digests[1], chain.digests[3])
    broken(case, chain, "moved", 3)


@scenario("two digests of a chain exchanged")
def digests_swapped(case: Case) -> None:
    chain = case.chain(4)
    one, two = chain.digests[0], chain.digests[1]
    objects = case.archive.objects
    objects[one], objects[two] = objects[two], objects[one]
    broken(case, chain, "moved", 0)
    broken(case, chain, "moved", 1)


@scenario("a digest of another region copied over the one of the same hour")
def digest_of_other_region(case: Case) -> None:
    chain = case.chain(3)
    other = case.chain(3, region=OTHER)
    case.archive.copy(other.digests[1], chain.digests[1])
    broken(case, chain, "moved", 1)


@scenario("a chain moved to another prefix, log files and all")
def archive_moved(case: Case) -> None:
    chain = case.chain(3)
    for file in list(chain.files()):
        target = case.archive.move(file, renamed(file, f"{case.bucket}/", f"{case.bucket}/copy/"))
        case.expect("moved" if file in chain.digests else "unlisted", target)
        case.expect("gone", file, aws="silent")
    case.runs = [Run(Trail(case.bucket, prefix="copy"), chain.account, HOME)]
    case.why = "it never looks for files that no digest lists"


@scenario("a log file of a backfill digest")
def backfill_log_modified(case: Case) -> None:
    case.chain(3)
    extra = case.chain(2, backfill=True)
    file = extra.logs[0][1]
    case.archive[file].body = squeeze(case.archive.text(file) + b" ")
    case.expect("hash", file)


@scenario("a backfill digest")
def backfill_digest_modified(case: Case) -> None:
    case.chain(3)
    extra = case.chain(3, backfill=True)
    case.archive.forge(extra.digests[1], lambda document: document["logFiles"].pop())
    broken(case, extra, "signature", 1)


@scenario("a backfill digest in the middle deleted")
def backfill_digest_deleted(case: Case) -> None:
    case.chain(4)
    extra = case.chain(3, backfill=True)
    case.archive.delete(extra.digests[1])
    broken(case, extra, "missing", 1)


@scenario("the only backfill digest deleted")
def backfill_gone(case: Case) -> None:
    case.chain(3)
    extra = case.chain(1, backfill=True)
    case.archive.delete(extra.digests[0])
    case.expect("gone", extra.digests[0], aws="silent")
    case.expect("unlisted", *extra.logs[0])
    case.why = "it never looks for files that no digest lists"


@scenario("the generation time of a backfill digest lost, its signature kept")
def backfill_time_lost(case: Case) -> None:
    case.chain(3)
    extra = case.chain(2, backfill=True)
    del case.archive[extra.digests[0]].metadata["backfill-generation-timestamp"]
    broken(case, extra, "format", 0)


@scenario("a standard digest renamed to a backfill digest")
def standard_as_backfill(case: Case) -> None:
    chain = case.chain(4)
    file = chain.digests[1]
    target = case.archive.move(file, renamed(file, ".json.gz", "_backfill.json.gz"))
    broken(case, chain, "missing", 1)
    case.expect("moved", target, aws="format")
    case.why = "it looks for the generation time of the backfill digest before it compares the place"


@scenario("a log file of one account of an organisation")
def organisation_log_modified(case: Case) -> None:
    trail = Trail(case.bucket, organization=ORGANIZATION)
    case.chain(2, trail)
    member = case.chain(2, trail, account=MEMBER)
    file = member.logs[1][1]
    case.archive[file].body = squeeze(b'{"Records":[]}')
    case.expect("hash", file)


@scenario("a digest of one trail over that of another")
def digest_of_other_trail(case: Case) -> None:
    one = case.chain(3)
    two = case.chain(3, Trail(case.bucket, name="data_events"))
    case.archive.copy(two.digests[1], one.digests[1])
    broken(case, one, "moved", 1)


@scenario("a digest in the bucket of before deleted")
def old_bucket_digest_deleted(case: Case) -> None:
    chain = case.chain(3, Trail(f"{case.bucket}-old")).move_to(case.bucket).hours(2)
    case.archive.delete(chain.digests[1])
    broken(case, chain, "missing", 1)
    case.runs = [Run(Trail(case.bucket), chain.account, HOME)]


@scenario("a public key that is no key")
def key_unreadable(case: Case) -> None:
    chain = case.chain(2)
    case.keys[HOME] = [FIRST.public(Value=base64.b64encode(zlib.compress(b"no key")).decode())]
    for position in (0, 1):
        broken(case, chain, "key", position)
