"""What can happen to signatures and keys."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

from cases import Case, believed, broken, scenario
from chains import (
    ABROAD,
    EXPIRED,
    FIRST,
    HOME,
    STRANGER,
    Document,
)


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
    case.why = (
        "it does not know that the successor holds the same signature; ctfast says `successor` in the column"
        " `signature`"
    )


@scenario("the metadata of the newest digest lost")
def newest_metadata_lost(case: Case) -> None:
    chain = case.chain(4)
    case.archive[chain.digests[3]].metadata = {}
    broken(case, chain, "unsigned", 3)
    case.why = "it has one word for a wrong signature and for none"
