"""What can happen to an archive: named scenarios with the verdict that each file deserves.

A scenario states, as data, ctfast's verdict for every file (by default ``valid``) and, where the AWS CLI says another word,
that word and the reason. ``silent`` means that a tool does not mention the file at all.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chains import (
    ABROAD,
    EXPIRED,
    FIRST,
    HOME,
    HOUR,
    MEMBER,
    ORGANIZATION,
    OTHER,
    SECOND,
    START,
    STRANGER,
    Archive,
    Chain,
    Document,
    Trail,
    iso,
    sha256,
    split,
    squeeze,
    url,
)
from cryptography.hazmat.primitives import hashes

# Our words for a file, and what the AWS CLI says in the same case.
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
    # From here on AWS has no word: every scenario says what it answers.
    "unsigned": "signature",  # a digest for which nothing vouches
    "algorithm": "valid",  # not SHA-256 with PKCS#1 v1.5
    "contradicted": "valid",  # its successor holds another hash or signature of it, or it points where it cannot
    "continuity": "valid",  # its hour overlaps the one before, or leaves a hole
    "time": "valid",  # its name and its body tell different times
    "window": "valid",  # its key was not in use at that time
    "duplicate": "valid",  # listed twice by one digest
    "foreign": "valid",  # a digest of one account and region lists or names another
    "outside": "missing",  # a name that leaves the archive
    "gone": "silent",  # deleted together with all that named it: nothing is left to tell
}

# What AWS calls INVALID, in any words.
INVALID = frozenset({"moved", "format", "missing", "key", "signature", "hash", "trailing", "error"})


@dataclass(frozen=True)
class Run:
    """One call of the AWS CLI: one trail, account and region."""

    trail: Trail
    account: str
    region: str
    bucket: str = ""  # --s3-bucket instead of DescribeTrails


@dataclass
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
    expected: dict[str, str] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = self.keys or {HOME: [FIRST.public()], OTHER: [ABROAD.public()]}

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
    def theirs(self) -> dict[str, str]:
        return {file: AWS_SAYS[word] for file, word in self.ours.items()} | self.differs

    @property
    def ok(self) -> bool:
        return all(word == "valid" for word in self.ours.values())

    @property
    def end(self) -> datetime:
        return self.until or max(chain.clock for chain in self.chains)

    def short(self, file: str) -> str:
        """A name for tables: the kind of file and what tells it apart."""
        name = split(file)[1].rpartition("/")[2]
        return f"{'digest' if '_CloudTrail-Digest_' in name else 'log'} {name.removesuffix('.json.gz')}"


SCENARIOS: dict[str, Callable[[], Case]] = {}


def scenario(changed: str) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Register a scenario under the name of its function."""

    def register(build: Callable[[Case], None]) -> Callable[[Case], None]:
        def make() -> Case:
            case = Case(build.__name__, changed)
            build(case)
            return case

        SCENARIOS[build.__name__] = make
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


# -- nothing is wrong ------------------------------------------------------------------------------------------------


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
    case.why = "its pattern for `audit` also fits the digests of `audit_eu-west-1`: it follows those, and the chain asked for is never read; exit 0"


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


# -- log files -------------------------------------------------------------------------------------------------------


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


# -- digest files ----------------------------------------------------------------------------------------------------


def broken(case: Case, chain: Chain, word: str, position: int, aws: str | None = None) -> None:
    """A digest is not valid, so nothing vouches for its log files."""
    case.expect(word, chain.digests[position], aws=aws)
    case.expect("unlisted", *chain.logs[position])


def believed(case: Case, chain: Chain, word: str, position: int) -> None:
    """A digest is not valid, and AWS says that it is."""
    broken(case, chain, word, position, aws="valid")
    case.aws("valid", *chain.logs[position])


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
    case.why = "it begins at the newest digest that is there and never asks whether that is the end of the range; exit 0"


@scenario("rolled back: the two newest digests and their log files deleted")
def rolled_back(case: Case) -> None:
    chain = case.chain(5)
    for position in (3, 4):
        case.archive.delete(chain.digests[position], *chain.logs[position])
        case.expect("missing", chain.digests[position], aws="silent")
        for file in chain.logs[position]:
            case.expect("gone", file, aws="silent")
    case.why = "it begins at the newest digest that is there and never asks whether that is the end of the range; exit 0"


@scenario("all digests deleted")
def all_deleted(case: Case) -> None:
    chain = case.chain(3)
    case.archive.delete(*chain.digests)
    for position in range(3):
        case.expect("gone", chain.digests[position], aws="silent")
        case.expect("unlisted", *chain.logs[position])
    case.why = "'No digests found', exit 0"


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


# -- signatures and keys ---------------------------------------------------------------------------------------------


@scenario("a digest changed and signed with a stranger's key, the fingerprint too")
def signed_by_stranger(case: Case) -> None:
    chain = case.chain(4)

    def edit(document: Document) -> None:
        document["logFiles"].pop()
        document["digestPublicKeyFingerprint"] = STRANGER.fingerprint

    case.archive.forge(chain.digests[1], edit, STRANGER)
    broken(case, chain, "key", 1)


@scenario("a digest changed and signed with a stranger's key under the right fingerprint")
def signed_by_stranger_fingerprint_kept(case: Case) -> None:
    chain = case.chain(4)
    case.archive.forge(chain.digests[1], lambda document: document["logFiles"].pop(), STRANGER)
    broken(case, chain, "signature", 1)


@scenario("the whole chain made again with a stranger's key")
def chain_made_by_stranger(case: Case) -> None:
    chain = case.chain(3, key=STRANGER)
    for position in range(3):
        broken(case, chain, "key", position)


@scenario("a stranger's key among the public keys, under the fingerprint of the right one")
def fingerprint_lie(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(key=STRANGER, edit=lambda document: document.update(digestPublicKeyFingerprint=FIRST.fingerprint))
    case.keys[HOME] = [STRANGER.public(Fingerprint=FIRST.fingerprint)]
    for position in (0, 1):
        broken(case, chain, "key", position, aws="signature")
    believed(case, chain, "key", 2)
    case.why = "it believes the fingerprint that the list of keys tells; ctfast computes it from the key"


@scenario("digests signed with the key of another region")
def signed_in_other_region(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(key=ABROAD)
    broken(case, chain, "key", 2)


@scenario("a digest signed with a key that was not valid any more")
def signed_with_expired_key(case: Case) -> None:
    chain = case.chain(3, key=EXPIRED)
    case.keys[HOME] = [EXPIRED.public()]
    believed(case, chain, "window", 2)
    case.why = "a key that was valid in any part of the range is good for all of it"


@scenario("a signature by SHA-1")
def signature_sha1(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(sign=lambda key, text: key.sign(text, hashes.SHA1()))
    chain.hour()
    believed(case, chain, "signature", 2)
    case.why = "it takes whatever hash the signature names"


@scenario("the signature algorithm is called SHA1withRSA in the metadata")
def algorithm_renamed(case: Case) -> None:
    chain = case.chain(3)
    case.archive[chain.digests[1]].metadata["signature-algorithm"] = "SHA1withRSA"
    believed(case, chain, "algorithm", 1)
    case.why = "it never reads the name of the algorithm"


@scenario("the digest itself, signed, names SHA512withRSA")
def algorithm_renamed_in_body(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=lambda document: document.update(digestSignatureAlgorithm="SHA512withRSA"))
    chain.hour()
    believed(case, chain, "algorithm", 1)
    case.why = "it never reads the name of the algorithm"


@scenario("one bit of a signature")
def signature_flipped(case: Case) -> None:
    chain = case.chain(3)
    metadata = case.archive[chain.digests[1]].metadata
    metadata["signature"] = f"{int(metadata['signature'], 16) ^ 1 << 77:0512x}"
    broken(case, chain, "signature", 1)


@scenario("a signature that is not hexadecimal")
def signature_not_hex(case: Case) -> None:
    chain = case.chain(3)
    case.archive[chain.digests[1]].metadata["signature"] = "no signature"
    broken(case, chain, "signature", 1, aws="error")
    case.why = "the text of an exception stands where its reason would"


@scenario("an empty signature")
def signature_empty(case: Case) -> None:
    chain = case.chain(3)
    case.archive[chain.digests[2]].metadata["signature"] = ""
    broken(case, chain, "signature", 2)


@scenario("the signatures of two digests exchanged")
def signatures_swapped(case: Case) -> None:
    chain = case.chain(3)
    one, two = (case.archive[chain.digests[i]] for i in (0, 1))
    one.metadata, two.metadata = two.metadata, one.metadata
    broken(case, chain, "signature", 0)
    broken(case, chain, "signature", 1)


@scenario("the metadata of a digest in the middle lost, as by a download")
def metadata_lost(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[1]].metadata = {}
    case.aws("signature", chain.digests[1])
    case.aws("silent", *chain.logs[1])
    case.why = "it does not know that the successor holds the same signature; ctfast says `successor` in the column `signature`"


@scenario("the metadata of the newest digest lost")
def newest_metadata_lost(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[3]].metadata = {}
    broken(case, chain, "unsigned", 3)
    case.why = "it has one word for a wrong signature and for none"


# -- what only CloudTrail could have signed: a verifier must not trip over it ------------------------------------------


@scenario("previousDigestHashValue is wrong, the signature right")
def previous_hash_wrong(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(edit=lambda document: document.update(previousDigestHashValue="0" * 64))
    believed(case, chain, "contradicted", 1)
    case.why = "it never compares previousDigestHashValue"


@scenario("previousDigestSignature is not the signature of the predecessor, the own signature right")
def previous_signature_wrong(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(edit=lambda document: document.update(previousDigestSignature="00" * 256))
    believed(case, chain, "contradicted", 1)
    case.why = "it never compares previousDigestSignature with the signature of the predecessor"


@scenario("a digest begins 20 minutes before the end of the one before")
def hours_overlap(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(start=chain.clock - timedelta(minutes=20))
    case.expect("continuity", chain.digests[2])
    case.why = "it never compares the end of a digest with the start of the next"


@scenario("a digest begins 20 minutes after the end of the one before")
def hole_between_hours(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(start=chain.clock + timedelta(minutes=20))
    case.expect("continuity", chain.digests[2])
    case.why = "it never compares the end of a digest with the start of the next"


@scenario("digestEndTime is not the time in the name of the digest")
def end_time_wrong(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(edit=lambda document: document.update(digestEndTime=iso(chain.clock + timedelta(minutes=90))))
    case.expect("time", chain.digests[2])
    case.why = "it never compares the two"


@scenario("the end of a digest is before its start")
def end_before_start(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(edit=lambda document: document.update(digestStartTime=iso(chain.clock + 2 * HOUR)))
    believed(case, chain, "format", 2)
    case.why = "it never compares the two"


@scenario("a starting digest right after the hour before: nothing is missing")
def previous_null(case: Case) -> None:
    case.chain(2).stop(0).hours(2)
    case.gaps = 1


@scenario("the fields that point to the previous digest set to null where the digest lies")
def previous_nulled(case: Case) -> None:
    chain = case.chain(4)
    names = ("S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature")
    case.archive.forge(chain.digests[2], lambda document: document.update({f"previousDigest{name}": None for name in names}))
    broken(case, chain, "signature", 2)


@scenario("a digest lists a file twice")
def listed_twice(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=lambda document: document["logFiles"].append(document["logFiles"][0]))
    case.expect("duplicate", chain.logs[1][0])
    case.why = "it counts the file twice"


@scenario("a digest lists a file of another region")
def lists_other_region(case: Case) -> None:
    chain = case.chain(1)
    entry = chain.log(START + timedelta(minutes=70), region=OTHER)
    chain.hour(also=(entry,))
    case.expect("foreign", chain.logs[1][2])
    case.why = "it never compares account and region of a log file with those of its digest"


@scenario("a digest names another account than its folder")
def names_other_account(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=lambda document: document.update(awsAccountId=MEMBER))
    case.expect("foreign", chain.digests[1])
    case.why = "it never reads awsAccountId"


@scenario("the hash of a log file in capital letters")
def hash_in_capitals(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=lambda d: d["logFiles"][0].update(hashValue=d["logFiles"][0]["hashValue"].upper()))
    case.expect("hash", chain.logs[1][0])


@scenario("a digest says MD5 of a log file, and gives one")
def hash_md5(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=edited(0, hashAlgorithm="MD5", hashValue="d41d8cd98f00b204e9800998ecf8427e"))
    case.expect("algorithm", chain.logs[1][0], aws="hash")
    case.why = "it never reads the name of the algorithm; the values differ"


@scenario("a digest says SHA-1 of a log file, and gives its SHA-256")
def hash_named_sha1(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=edited(0, hashAlgorithm="SHA-1"))
    case.expect("algorithm", chain.logs[1][0])
    case.why = "it never reads the name of the algorithm"


@scenario("an absolute path in s3Object")
def path_absolute(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=lambda document: document["logFiles"].append(document["logFiles"][0] | {"s3Object": "/etc/hostname"}))
    case.expect("outside", url(case.bucket, "/etc/hostname"))
    case.why = "in S3 it is a name as any other, and not there"


@scenario("a path that climbs out of the archive in s3Object")
def path_climbs(case: Case) -> None:
    chain = case.chain(2)
    climb = "../../../../../../etc/hostname"
    chain.hour(edit=lambda document: document["logFiles"].append(document["logFiles"][0] | {"s3Object": climb}))
    case.expect("outside", url(case.bucket, climb), aws="silent")
    case.aborts = True
    case.aws("silent", *(file for position in (0, 1) for file in [chain.digests[position], *chain.logs[position]]))
    case.why = "the S3 server answers 400 and the run ends there, exit 255"


@scenario("a path with dots that comes back to a real file")
def path_roundabout(case: Case) -> None:
    chain = case.chain(2)
    real = split(chain.logs[0][0])[1]
    way = renamed(real, "/2026/", "/2026/../2026/")
    chain.hour(edit=lambda document: document["logFiles"].append(document["logFiles"][0] | {"s3Object": way}))
    case.expect("outside", url(case.bucket, way), aws="silent")
    case.aborts = True
    case.aws("silent", *(file for position in (0, 1) for file in [chain.digests[position], *chain.logs[position]]))
    case.why = "the S3 server answers 400 and the run ends there, exit 255"


@scenario("a digest points to a predecessor outside the archive")
def previous_climbs(case: Case) -> None:
    chain = case.chain(2)
    climb = "../../../../etc/hostname"
    chain.hour(edit=lambda document: document.update(previousDigestS3Object=climb))
    case.expect("missing", url(case.bucket, climb), aws="silent")
    case.aborts = True
    case.aws("silent", *(file for position in (0, 1) for file in [chain.digests[position], *chain.logs[position]]))
    case.why = "the S3 server answers 400 and the run ends there, exit 255"


@scenario("a digest points to itself as its predecessor")
def previous_is_itself(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(edit=lambda document: document.update(previousDigestS3Object=document["digestS3Object"]))
    case.expect("contradicted", chain.digests[2])
    case.runs = []
    case.aws("silent", *chain.files())
    case.why = "it never ends (read from its source; not run)"


@scenario("a digest lists a file in a bucket that is not there")
def bucket_unknown(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(edit=edited(0, s3Bucket="ct-nowhere"))
    case.expect("unlisted", url(case.bucket, split(chain.logs[2][0])[1]))
    case.expect("missing", chain.logs[2][0], aws="silent")
    case.aws("silent", chain.logs[2][1])
    case.aborts = True
    case.aws("silent", *(file for position in (0, 1) for file in [chain.digests[position], *chain.logs[position]]))
    case.why = "NoSuchBucket ends the run, exit 255"


@scenario("a digest without digestEndTime")
def field_missing(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(render=lambda d: json.dumps({k: v for k, v in d.items() if k != "digestEndTime"}).encode())
    chain.hour()
    broken(case, chain, "format", 1)


@scenario("a digest without logFiles")
def log_list_missing(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(0, edit=without("logFiles"))
    chain.hour()
    case.expect("format", chain.digests[2], aws="valid")
    case.aborts = True
    case.aws("silent", *(file for position in (0, 1) for file in [chain.digests[position], *chain.logs[position]]))
    case.why = "the run ends with KeyError, exit 255"


@scenario("logFiles is null")
def log_list_null(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(0, edit=lambda document: document.update(logFiles=None))
    chain.hour()
    case.expect("format", chain.digests[1], aws="valid")
    case.why = "it takes null for an empty list"


@scenario("an entry of logFiles is a number, another lacks its hash")
def log_list_wrong_types(case: Case) -> None:
    chain = case.chain(1)
    chain.hour(edit=lambda document: document["logFiles"][0].update(hashValue=17))
    chain.hour()
    broken(case, chain, "format", 1, aws="valid")
    case.aws("hash", chain.logs[1][0])
    case.aws("valid", chain.logs[1][1])
    case.why = "it compares 17 with the hash"


# -- backfill --------------------------------------------------------------------------------------------------------


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


# -- several chains --------------------------------------------------------------------------------------------------


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
