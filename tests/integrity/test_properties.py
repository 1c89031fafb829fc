"""Laws: any change in an archive is found, and no file outside of it is ever opened."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import ctfast as ct
import slow_verifier
from chains import ABROAD, FIRST, HOME, OTHER, START, Archive, Chain, Object, Trail, sha256, split, squeeze

BUCKET = "ct-laws"
KEYS = {HOME: [FIRST.public()], OTHER: [ABROAD.public()]}


def made() -> tuple[Archive, Chain]:
    archive = Archive()
    chain = Chain(archive, Trail(BUCKET)).hours(2).hours(1, logs=0).hours(1, logs=1)
    Chain(archive, Trail(BUCKET), region=OTHER).hours(4, logs=1)
    Chain(archive, Trail(BUCKET), backfill=True).hours(2, logs=1)
    return archive, chain


ARCHIVE, CHAIN = made()
FILES = sorted(ARCHIVE.objects)
UNTIL = CHAIN.clock


def content(body: bytes) -> bytes | None:
    """The content of a gzip file of one whole member."""
    inflater = zlib.decompressobj(31)
    try:
        text = inflater.decompress(body)
    except zlib.error:
        return None
    return text if inflater.eof and not inflater.unused_data else None


BYTES = st.integers(1, 255)
TAILS = st.tuples(st.integers(1, 12), st.sampled_from("0123456789abcxyz"))
DAYS = st.sampled_from(["05", "06", "27"])
DIGESTS = [file for file in FILES if "Digest" in file]


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file and its body with one byte flipped, inserted or taken out."""
    file = draw(st.sampled_from(FILES))
    body = ARCHIVE[file].body
    at = draw(st.integers(0, len(body) - 1))
    match draw(st.sampled_from(["flip", "insert", "delete"])):
        case "flip":
            return file, body[:at] + bytes([body[at] ^ draw(BYTES)]) + body[at + 1 :]
        case "insert":
            at = draw(st.sampled_from([at, len(body)]))
            return file, body[:at] + draw(st.binary(min_size=1, max_size=1)) + body[at:]
        case _:
            return file, body[:at] + body[at + 1 :]


# -- the second verifier of the tests obeys the same laws ---


def second_opinion(objects: dict[str, Object]) -> slow_verifier.Opinion:
    return slow_verifier.verify(objects, KEYS, START, UNTIL)


def test_the_second_verifier_accepts_the_archive() -> None:
    assert second_opinion(ARCHIVE.objects).ok


@settings(max_examples=300)
@given(damage=damages())
def test_the_second_verifier_finds_every_damage(damage: tuple[str, bytes]) -> None:
    file, body = damage
    opinion = second_opinion({**ARCHIVE.objects, file: replace(ARCHIVE[file], body=body)})
    same = content(body) == content(ARCHIVE[file].body)
    assert (opinion.files[file] == "valid") == same == opinion.ok


# -- ctfast ---


@dataclass
class Disk:
    root: Path
    signatures: dict[str, dict[str, str]]

    def path(self, file: str) -> Path:
        return self.root / split(file)[1]

    def verify(self, **options: Any) -> Any:
        return ct.verify(
            self.root, **{"keys": KEYS, "signatures": self.signatures, "since": START, "until": UNTIL, **options}
        )

    @contextmanager
    def with_body(self, file: str, body: bytes) -> Iterator[None]:
        path = self.path(file)
        before = path.read_bytes()
        path.write_bytes(body)
        try:
            yield
        finally:
            path.write_bytes(before)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    root = ARCHIVE.write(tmp_path_factory.mktemp("laws")) / BUCKET
    return Disk(root, ARCHIVE.signatures())


def named(verification: Any) -> set[str]:
    """The files that findings are about."""
    return {Path(file).name for file in verification.findings.filter(severity="error")["file"].drop_nulls()}


once = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_archive_is_valid(disk: Disk) -> None:
    verification = disk.verify()
    assert verification.ok
    assert verification.findings.filter(severity="error").is_empty()


@once
@given(damage=damages())
def test_every_damage_of_one_byte_is_found(disk: Disk, damage: tuple[str, bytes]) -> None:
    file, body = damage
    # The hash is that of the content: a gzip header may have another time.
    assume(content(body) != content(ARCHIVE[file].body))
    with disk.with_body(file, body):
        verification = disk.verify()
    assert not verification.ok
    assert disk.path(file).name in named(verification)


@once
@given(file=st.sampled_from(FILES))
def test_every_file_removed_is_found(disk: Disk, file: str) -> None:
    path = disk.path(file)
    before = path.read_bytes()
    path.unlink()
    try:
        verification = disk.verify()
    finally:
        path.write_bytes(before)
    assert not verification.ok
    # Only its log files show that the newest backfill digest existed.
    if "_backfill" not in file:
        assert path.name in named(verification)


@once
@given(file=st.sampled_from(FILES), tail=TAILS, day=DAYS)
def test_every_file_renamed_is_found(disk: Disk, file: str, tail: tuple[int, str], day: str) -> None:
    at, to = tail
    path = disk.path(file)
    stem = path.name.removesuffix(".json.gz")
    target = path.with_name(f"{stem[:-at]}{to}{stem[len(stem) - at + 1 :]}.json.gz")
    if day != "05":
        target = path.parents[1] / day / path.name
    assume(target not in map(disk.path, FILES))
    target.parent.mkdir(exist_ok=True)
    path.rename(target)
    try:
        verification = disk.verify()
    finally:
        target.rename(path)
    assert not verification.ok
    if "_backfill" not in file:
        assert {path.name, target.name} & named(verification)


@once
@given(file=st.sampled_from(DIGESTS), at=st.integers(0, 511), digit=st.sampled_from("0123456789abcdefx"))
def test_every_damage_of_a_signature_is_found(disk: Disk, file: str, at: int, digit: str) -> None:
    signature = ARCHIVE[file].metadata["signature"]
    assume(signature[at] != digit)
    damaged = signature[:at] + digit + signature[at + 1 :]
    signatures = {**disk.signatures, file: {**disk.signatures[file], "signature": damaged}}
    verification = disk.verify(signatures=signatures)
    assert not verification.ok
    assert disk.path(file).name in named(verification)


@pytest.mark.parametrize("position", range(4))
def test_a_signature_cut_short_is_found(disk: Disk, position: int) -> None:
    file = CHAIN.digests[position]
    for damaged in ("", "0", ARCHIVE[file].metadata["signature"][:-1], ARCHIVE[file].metadata["signature"] + "00"):
        signatures = {**disk.signatures, file: {**disk.signatures[file], "signature": damaged}}
        assert disk.path(file).name in named(disk.verify(signatures=signatures))


# -- nothing outside is opened ---


@contextmanager
def watched(*folders: Path) -> Iterator[list[str]]:
    """The names that any thread opens in the folders while the context is open, as reported by the kernel."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK)
    assert handle >= 0
    opened: list[str] = []
    is_open, is_folder = 0x20, 0x40000000
    for folder in folders:
        assert libc.inotify_add_watch(handle, bytes(folder), is_open) >= 0
    try:
        yield opened
        try:
            events = os.read(handle, 1 << 16)
        except BlockingIOError:
            events = b""
        while events:
            _, mask, _, length = struct.unpack("iIII", events[:16])
            name = events[16 : 16 + length].rstrip(b"\0").decode()
            events = events[16 + length :]
            if not mask & is_folder:
                opened.append(name)
    finally:
        os.close(handle)


hook_on: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and hook_on:
        for names in hook_on:
            names.append(
                os.fspath(arguments[0]) if isinstance(arguments[0], (str, os.PathLike)) else repr(arguments[0])
            )


sys.addaudithook(_hook)


CANARY = "canary.json.gz"
NAMES = [
    ("climbs", BUCKET, f"../{CANARY}"),
    ("climbs from a folder", BUCKET, f"AWSLogs/../../{CANARY}"),
    ("climbs from a folder that is not there", BUCKET, f"nothing/../../{CANARY}"),
    ("absolute", BUCKET, "{outside}/" + CANARY),
    ("absolute, doubled", BUCKET, "/{outside}/" + CANARY),
    ("back slash", BUCKET, f"..\\{CANARY}"),
    ("bucket climbs", "..", CANARY),
    ("bucket is here", ".", f"../{CANARY}"),
    ("bucket is absolute", "{outside}", CANARY),
    ("bucket is a way", f"{BUCKET}/..", CANARY),
    ("bucket is empty", "", CANARY),
    ("a neighbour as bucket", "outside", CANARY),
    ("a zero byte", BUCKET, f"../{CANARY}\0.json.gz"),
    ("a file: address", BUCKET, "file://{outside}/" + CANARY),
    ("empty", BUCKET, ""),
    ("long", BUCKET, "a/" * 3000),
    ("a device", BUCKET, "../../../../../../../../../../dev/zero"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="inotify tells what is opened")
@pytest.mark.parametrize("pointer", ["log file", "previous digest"])
@pytest.mark.parametrize(("bucket", "key"), [name[1:] for name in NAMES], ids=[name[0] for name in NAMES])
def test_a_name_that_leaves_the_archive_is_found_and_not_followed(
    tmp_path: Path, bucket: str, key: str, pointer: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    text = b'{"Records":[]}'
    # The hash is right: a verifier that opened the file would call it valid.
    for place in (outside / CANARY, tmp_path / CANARY):
        place.write_bytes(squeeze(text))
    bucket, key = (name.replace("{outside}", str(outside)) for name in (bucket, key))
    archive = Archive()
    chain = Chain(archive, Trail(BUCKET)).hours(1)

    def edit(document: dict[str, Any]) -> None:
        if pointer == "log file":
            entry = document["logFiles"][0]
            document["logFiles"].append({**entry, "s3Bucket": bucket, "s3Object": key, "hashValue": sha256(text)})
        else:
            document.update(previousDigestS3Bucket=bucket, previousDigestS3Object=key)

    chain.hour(edit=edit)
    root = archive.write(tmp_path / "archive") / BUCKET
    (root / "outside").write_text("not a folder")
    python: list[str] = []
    hook_on.append(python)
    try:
        with watched(outside, tmp_path) as opened:
            verification = ct.verify(root, keys=KEYS, signatures=archive.signatures(), since=START, until=chain.clock)
    finally:
        hook_on.remove(python)
    assert CANARY not in opened
    assert not [name for name in python if CANARY in name or name.startswith("/dev/zero")]
    assert not verification.ok
    assert verification.digests.height >= 2
    assert "valid" not in verification.logs.filter(key=key)["status"].to_list()
