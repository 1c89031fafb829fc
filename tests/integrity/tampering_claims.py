"""False claims in digests that only CloudTrail could have signed: a verifier must handle them."""

from __future__ import annotations

import json
from datetime import timedelta

from cases import Case, believed, broken, edited, renamed, scenario, without
from chains import (
    HOUR,
    MEMBER,
    OTHER,
    START,
    iso,
    split,
    url,
)


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
    case.archive.forge(
        chain.digests[2], lambda document: document.update({f"previousDigest{name}": None for name in names})
    )
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
    chain.hour(
        edit=lambda document: document["logFiles"].append(document["logFiles"][0] | {"s3Object": "/etc/hostname"})
    )
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


@scenario("a digest points to a folder as its predecessor")
def previous_is_folder(case: Case) -> None:
    chain = case.chain(2)
    chain.hour(edit=lambda document: document.update(previousDigestS3Object="AWSLogs"))
    case.expect("missing", url(case.bucket, "AWSLogs"), aws="silent")
    case.aborts = True
    case.aws("silent", *(file for position in (0, 1) for file in [chain.digests[position], *chain.logs[position]]))
    case.why = "it takes the time out of the name before it reports what is wrong, and the run ends there, exit 255"


@scenario("a digest points to a log file as its predecessor")
def previous_is_log(case: Case) -> None:
    chain = case.chain(2)
    log = split(chain.logs[0][1])[1]
    chain.hour(edit=lambda document: document.update(previousDigestS3Object=log))
    case.expect("contradicted", chain.digests[2])
    case.aborts = True
    case.aws("silent", *(file for position in (0, 1) for file in [chain.digests[position], *chain.logs[position]]))
    case.why = "it takes the time out of the name before it reports what is wrong, and the run ends there, exit 255"


@scenario("a digest points to the one before its predecessor")
def previous_skips(case: Case) -> None:
    chain = case.chain(3)
    chain.hour(edit=lambda document: document.update(previousDigestS3Object=split(chain.digests[1])[1]))
    case.expect("contradicted", chain.digests[3])
    case.aws("silent", chain.digests[2], *chain.logs[2])
    case.why = "it follows the pointer and never reads the digest between"


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
