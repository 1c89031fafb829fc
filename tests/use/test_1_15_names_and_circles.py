"""Item 15: names that are not UTF-8 stay distinct, and folders that are linked in circles are walked once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import ctfast as ct

#: Names that were once mapped to the same text: as bytes, and as in the column ``file``.
NAMES = {
    b"\xff.json": "\ufffdFF.json",
    b"\xfe.json": "\ufffdFE.json",
    "\ufffd.json".encode(): "\ufffdEF\ufffdBF\ufffdBD.json",
}


def event(name: str) -> bytes:
    return json.dumps({"eventVersion": "1.08", "eventTime": "2025-03-12T00:00:00Z", "eventName": name}).encode()


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    folder = tmp_path / "odd"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123  # a name in bytes
            file.write(event(f"Event{number}"))
    return folder


def test_names_that_are_not_utf_8_stay_apart(odd: Path) -> None:
    events = ct.read(odd)
    names = dict(zip(events["eventName"], events["file"], strict=True))
    assert names == {f"Event{number}": f"{odd}/{text}" for number, text in enumerate(NAMES.values())}


def test_a_checkpoint_keeps_them_apart(odd: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    with ct.Checkpoint(path) as checkpoint:
        assert ct.read(odd, checkpoint=checkpoint).height == 3
    with open(os.fsencode(odd) + b"/\xfd.json", "wb") as file:  # noqa: PTH123  # a name in bytes
        file.write(event("Late"))
    with ct.Checkpoint(path) as checkpoint:
        assert ct.read(odd, checkpoint=checkpoint)["eventName"].to_list() == ["Late"]


def test_a_list_may_name_them_either_way(odd: Path) -> None:
    as_shown = ct.read(odd)["file"].to_list()
    assert ct.read(ct.KeyList(as_shown)).height == 3
    listed = odd.with_suffix(".txt")
    listed.write_bytes(b"".join(os.fsencode(odd) + b"/" + name + b"\n" for name in NAMES if name[0] > 0xF0))
    assert ct.read(ct.KeyList(listed)).height == 2


def test_folders_that_lead_to_each_other_are_walked_once(tmp_path: Path) -> None:
    # Each of five folders links to all others: there are hundreds of paths through them.
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a.json").write_bytes(event(f"Event{number}"))
        for other in range(5):
            if other != number:
                (folder / f"to{other}").symlink_to(f"../{other}")
    report = ct.Report()
    events = ct.read(tmp_path, report=report)
    assert events["file"].to_list() == [f"{tmp_path}/{number}/a.json" for number in range(5)]
    assert report.pruned == {"linked": 20}
    assert ct.read([tmp_path / "1", tmp_path / "1"]).height == 2 * ct.read(tmp_path / "1").height


def test_a_link_to_a_folder_elsewhere_is_followed_once(tmp_path: Path) -> None:
    elsewhere, archive = tmp_path / "elsewhere", tmp_path / "archive"
    elsewhere.mkdir()
    archive.mkdir()
    (elsewhere / "x.json").write_bytes(event("Elsewhere"))
    for name in ("one", "two"):
        (archive / name).symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(archive)
    report = ct.Report()
    events = ct.read(archive, report=report)
    assert events["file"].to_list() == [f"{archive}/one/x.json"]
    assert report.pruned == {"linked": 2}
    # If both are named as sources, both are read.
    assert ct.read([archive / "one", archive / "two"], on_error="collect").height == 2


def test_verify_ends_in_a_circle_of_links(tmp_path: Path) -> None:
    for number in range(5):
        folder = tmp_path / "AWSLogs" / str(number)
        folder.mkdir(parents=True)
        for other in range(5):
            if other != number:
                (folder / f"to{other}").symlink_to(f"../{other}")
    key = "111122223333_CloudTrail_us-east-1_20250312T0000Z_Ab12.json.gz"
    (tmp_path / "AWSLogs" / "3" / key).write_bytes(b"")
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    found = ct.verify(tmp_path, keys=pem)
    stray = [row["file"] for row in found.findings.to_dicts() if row["file"] and row["file"].endswith(key)]
    assert stray == [f"{tmp_path}/AWSLogs/3/{key}"]
