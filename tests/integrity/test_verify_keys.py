"""Keys in all their forms, and signatures, saved or not."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signed import BUCKET, FIRST, HOUR, REGION, Chain, fingerprint, private_key, public_keys, reasons, status

if TYPE_CHECKING:
    from pathlib import Path


def test_without_saved_signatures_the_newest_is_unverified(chain: Chain) -> None:
    found = chain.verify(signatures=None)
    assert not found.ok
    assert found.digests["signature"].to_list() == ["successor"] * 5 + ["none"]
    assert found.digest_counts == (5, 0, 0, 1)
    assert found.log_counts == (10, 0, 0, 2)
    assert found.coverage["state"].to_list() == ["valid"] * 5 + ["unknown"]
    assert reasons(found) == ["no-signature"]


def test_the_digest_after_the_range_vouches_for_the_last_of_it(chain: Chain) -> None:
    found = chain.verify(signatures=None, until=FIRST + 2 * HOUR)
    assert found.ok
    assert found.digest_counts == (3, 0, 0, 0)  # up to an hour after the range, like the AWS CLI


def test_other_keys(chain: Chain, tmp_path: Path) -> None:
    assert set(reasons(chain.verify(keys=public_keys(private_key("b"))))) == {"unknown-key"}
    good = public_keys(private_key())
    assert set(reasons(chain.verify(keys={"us-east-1": good}))) == {"key-region"}
    assert chain.verify(keys={REGION: good, "us-east-1": good}).ok
    old = {"ValidityStartTime": 1_500_000_000.0, "ValidityEndTime": "1502592000.0"}
    assert set(reasons(chain.verify(keys=public_keys(private_key(), **old)))) == {"key-time"}
    valid = {"validityStartTime": "2024-02-28T00:00:00Z", "validityEndTime": "2024-03-28T00:00:00+00:00"}
    assert chain.verify(keys=public_keys(private_key(), **valid)).ok
    folder = tmp_path / "keys"
    folder.mkdir()
    public = private_key().public_key()
    (folder / f"{REGION}.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert chain.verify(keys=folder).ok
    assert chain.verify(keys=folder / f"{REGION}.pem").ok
    (folder / f"{REGION}.pem").rename(folder / "us-east-1.pem")
    assert set(reasons(chain.verify(keys=folder))) == {"key-region"}
    for form, encoding in [
        (PublicFormat.PKCS1, Encoding.DER),
        (PublicFormat.PKCS1, Encoding.PEM),
        (PublicFormat.SubjectPublicKeyInfo, Encoding.DER),
    ]:
        assert chain.verify(keys=public.public_bytes(encoding, form)).ok


def test_a_key_that_lies_about_its_fingerprint(chain: Chain) -> None:
    keys = public_keys(private_key("b"), Fingerprint=fingerprint(private_key()))
    assert set(reasons(chain.verify(keys=keys))) == {"unknown-key"}


def test_a_key_that_is_none(chain: Chain) -> None:
    junk = b"\x30\x03\x02\x01\x01"
    chain.hour(digestPublicKeyFingerprint=hashlib.md5(junk).hexdigest())
    keys = public_keys(private_key())
    keys["PublicKeyList"].append({"Value": base64.b64encode(junk).decode()})
    assert reasons(chain.verify(keys=keys)) == ["bad-key"]


@pytest.mark.parametrize("keys", [{}, {"PublicKeyList": []}, [], {"x": 1}, b"junk"])
def test_no_keys(chain: Chain, keys: Any) -> None:
    with pytest.raises(ValueError, match="key"):
        chain.verify(keys=keys)


def test_re_signed_with_another_key(chain: Chain) -> None:
    chain.hour(key="b", digestPublicKeyFingerprint=fingerprint(private_key()))
    assert reasons(chain.verify()) == ["signature"]


def test_saved_metadata(chain: Chain) -> None:
    name = f"{BUCKET}/{chain.digests[2].relative_to(chain.root)}"
    whole = chain.signatures[name]
    for saved, reason in [
        (None, "no-signature"),
        ({}, "no-signature"),
        ({"signature": whole["signature"]}, "no-signature"),
        ({**whole, "signature-algorithm": "SHA1withRSA"}, "signature-algorithm"),
        ({**whole, "signature": "zz"}, "previous-signature"),
        ({**whole, "signature": whole["signature"][:-2] + "00"}, "previous-signature"),
    ]:
        chain.signatures[name] = saved
        found = chain.verify()
        assert reason in reasons(found), saved
        assert status(found, chain.digests[2]) == "invalid", saved
    headers = {f"x-amz-meta-{field}": value for field, value in whole.items()}
    for saved in (whole["signature"], whole["signature"].upper(), {"Metadata": whole}, headers):
        chain.signatures[name] = saved
        assert chain.verify().ok, saved


def test_signatures_file(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "signatures.json"
    path.write_text(json.dumps({f"s3://{name}": saved for name, saved in chain.signatures.items()}))
    assert chain.verify(signatures=path).ok
