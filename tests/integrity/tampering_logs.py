"""What can happen to log files."""

from __future__ import annotations

import json
from datetime import timedelta

from cases import Case, renamed, scenario
from chains import (
    MEMBER,
    START,
    squeeze,
    url,
)


@scenario("a record of a log file")
def log_modified(case: Case) -> None:
    chain = case.chain(4)
    file = chain.logs[1][0]
    case.archive[file].body = squeeze(case.archive.text(file).replace(b'"1.11"', b'"1.12"', 1))
    case.expect("hash", file)


@scenario("a record taken out of a log file")
def log_record_removed(case: Case) -> None:
    chain = case.chain(4)
    file = chain.logs[2][1]
    body = json.loads(case.archive.text(file))
    del body["Records"][1]
    case.archive[file].body = squeeze(json.dumps(body).encode())
    case.expect("hash", file)


@scenario("one bit in the checksum of a log file's gzip")
def log_bit_flipped(case: Case) -> None:
    chain = case.chain(3)
    found = case.archive[chain.logs[1][0]]
    found.body = found.body[:-6] + bytes([found.body[-6] ^ 1]) + found.body[-5:]
    case.expect("format", chain.logs[1][0])


@scenario("a log file cut in the middle")
def log_truncated(case: Case) -> None:
    chain = case.chain(3)
    found = case.archive[chain.logs[1][0]]
    found.body = found.body[: len(found.body) // 2]
    case.expect("format", chain.logs[1][0], aws="hash")
    case.why = "it does not ask whether the gzip stream came to its end; the hash of the rest differs"


@scenario("the last 8 bytes of a log file cut off: checksum and length of the gzip")
def log_trailer_cut(case: Case) -> None:
    chain = case.chain(3)
    found = case.archive[chain.logs[1][0]]
    found.body = found.body[:-8]
    case.expect("format", chain.logs[1][0], aws="valid")
    case.why = "it does not ask whether the gzip stream came to its end; the content is whole"


@scenario("a log file of no bytes")
def log_emptied(case: Case) -> None:
    chain = case.chain(3)
    case.archive[chain.logs[1][0]].body = b""
    case.expect("format", chain.logs[1][0], aws="hash")
    case.why = "no bytes are no gzip stream; it hashes nothing and says that the hash differs"


@scenario("a log file stored as plain JSON")
def log_not_gzip(case: Case) -> None:
    chain = case.chain(3)
    file = chain.logs[1][0]
    case.archive[file].body = case.archive.text(file)
    case.expect("format", file)


@scenario("two log files exchanged")
def logs_swapped(case: Case) -> None:
    chain = case.chain(3)
    one, two = chain.logs[0][0], chain.logs[2][1]
    objects = case.archive.objects
    objects[one], objects[two] = objects[two], objects[one]
    case.expect("hash", one, two)


@scenario("a log file deleted")
def log_deleted(case: Case) -> None:
    chain = case.chain(3)
    case.archive.delete(chain.logs[1][0])
    case.expect("missing", chain.logs[1][0])


@scenario("a log file renamed")
def log_renamed(case: Case) -> None:
    chain = case.chain(3)
    file = chain.logs[1][0]
    target = case.archive.move(file, file[:-12] + "0123.json.gz")
    case.expect("missing", file)
    case.expect("unlisted", target)
    case.why = "it never looks for files that no digest lists"


@scenario("a log file moved to the folder of another day")
def log_moved(case: Case) -> None:
    chain = case.chain(3)
    file = chain.logs[1][0]
    target = case.archive.move(file, renamed(file, "/2026/02/05/", "/2026/02/06/"))
    case.expect("missing", file)
    case.expect("unlisted", target)
    case.why = "it never looks for files that no digest lists"


@scenario("junk after the gzip stream of a log file")
def log_junk_after_gzip(case: Case) -> None:
    chain = case.chain(3)
    case.archive[chain.logs[1][0]].body += b"junk"
    case.expect("trailing", chain.logs[1][0])


@scenario("zero bytes after the gzip stream of a log file")
def log_zeros_after_gzip(case: Case) -> None:
    chain = case.chain(3)
    case.archive[chain.logs[1][0]].body += bytes(512)
    case.expect("trailing", chain.logs[1][0])


@scenario("a second gzip member with more records after a log file")
def log_second_member(case: Case) -> None:
    chain = case.chain(3)
    case.archive[chain.logs[1][0]].body += squeeze(b'{"Records":[{"eventID":"injected"}]}')
    case.expect("trailing", chain.logs[1][0])


@scenario("a log file compressed again as two gzip members, content unchanged")
def log_in_two_members(case: Case) -> None:
    chain = case.chain(3)
    text = case.archive.text(chain.logs[1][0])
    case.archive[chain.logs[1][0]].body = squeeze(text[:100]) + squeeze(text[100:])
    case.expect("trailing", chain.logs[1][0])


@scenario("an empty gzip member before a log file")
def log_after_empty_member(case: Case) -> None:
    chain = case.chain(3)
    found = case.archive[chain.logs[1][0]]
    found.body = squeeze(b"") + found.body
    case.expect("trailing", chain.logs[1][0])


@scenario("a log file added that no digest lists")
def log_injected(case: Case) -> None:
    chain = case.chain(4)
    entry = chain.log(START + timedelta(minutes=80), 7)
    case.expect("unlisted", url(entry["s3Bucket"], entry["s3Object"]))
    case.why = "it never looks for files that no digest lists"


@scenario("a log file added for an account that has no digests")
def log_injected_account(case: Case) -> None:
    chain = case.chain(3)
    entry = chain.log(START + timedelta(minutes=80), account=MEMBER)
    case.expect("unlisted", url(entry["s3Bucket"], entry["s3Object"]))
    case.why = "it never looks for files that no digest lists"


@scenario("a log file added in the hours when logging was stopped")
def log_injected_in_gap(case: Case) -> None:
    chain = case.chain(2).stop(3).hours(2)
    entry = chain.log(START + timedelta(hours=3, minutes=30))
    case.gaps = 1
    case.expect("unlisted", url(entry["s3Bucket"], entry["s3Object"]))
    case.why = "it never looks for files that no digest lists"


@scenario("a log file copied under a second name")
def log_copied(case: Case) -> None:
    chain = case.chain(3)
    file = chain.logs[1][0]
    case.expect("unlisted", case.archive.copy(file, file[:-12] + "0123.json.gz"))
    case.why = "it never looks for files that no digest lists"
