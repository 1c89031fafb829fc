"""Where the logs of an archive lie, and which they are, by their names alone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ctfast import _ctfast
from ctfast._scan.options import Options, ask
from ctfast._show.plain import counted
from ctfast._show.words import listed, quoted
from ctfast._source.addresses import is_address, whole
from ctfast.exceptions import ArgumentError

__all__ = ["Folder", "Place", "one_folder", "placed"]


@dataclass
class Folder:
    """What lies below one ``AWSLogs/``, or below an organisation in it, as CloudTrail delivers it."""

    accounts: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    #: The first day, ``YYYY/MM/DD``.
    first: str = "9999"
    files: int = 0


@dataclass
class Place:
    """An archive."""

    #: Its folder from the root of the file system on, or its address, without a slash at the end.
    root: str
    #: The files of each kind that have names as CloudTrail gives them.
    kinds: Counter[str] = field(default_factory=Counter)
    #: The folders that have files of the kind ``CloudTrail``, by their addresses.
    folders: dict[str, Folder] = field(default_factory=dict)
    #: Files with other names.
    others: int = 0

    def patterns(self) -> list[str]:
        """Return what the names of its files match: a pattern for each kind."""
        return [f"*_{kind}_*.json.gz" for kind in sorted(self.kinds)]

    def left_out(self) -> str | None:
        """Say what a table of files with CloudTrail's names does not have."""
        words = f"{counted(self.others, 'file')} with other names than CloudTrail's: not in the table"
        return words if self.others else None

    def add(self, name: str) -> None:
        """Count a file."""
        # The pattern of a kind is compared with the name of the file, whatever its folder is called.
        of_name, key = _ctfast.parse_key(name.rpartition("/")[2]), _ctfast.parse_key(name)
        if of_name is None or key is None:
            self.others += 1
            return
        self.kinds[of_name["kind"]] += 1
        if key["day"] is not None and key["kind"] == "CloudTrail":
            above = f"{key['prefix']}/AWSLogs/" if key["prefix"] else "AWSLogs/"
            folder = self.folders.setdefault(above + (f"{key['org']}/" if key["org"] else ""), Folder())
            folder.accounts.add(key["account"])
            folder.regions.add(key["region"])
            folder.first = min(folder.first, key["day"])
            folder.files += 1


def placed(source: str | os.PathLike[str], storage_options: Mapping[str, str] | None) -> Place:
    """Look at the names of the files of an archive."""
    place = os.fspath(source)
    root = place.rstrip("/") if is_address(place) else whole(place)
    if not is_address(place) and Path(place).is_file():
        message = f"source {quoted(place)} is a file: name the folder of an archive"
        raise ArgumentError(message, "source", place, None, "ddl")
    found = Place(root)
    for name in _names(ask("ddl", root, storage_options=storage_options)):
        found.add(name)
    if not found.kinds:
        what = f"none of {counted(found.others, 'file')} has" if found.others else "no file has"
        message = f"source {quoted(place)}: {what} a name of CloudTrail's: ctfast ingest makes a lake of any archive"
        raise ArgumentError(message, "source", place, None, "ddl")
    return found


def _names(options: Options) -> Iterator[str]:
    """Yield the names of the files, as they are listed."""
    remote = options.remote() if options.is_in_buckets() else None
    try:
        listing = options.listing(remote)
        while (some := listing.next()) is not None:
            for name, *_ in some:
                yield name
    finally:
        if remote is not None:
            remote.close()


def one_folder(found: Place) -> tuple[str, Folder]:
    """Return the folder that a table of Athena may have; it has one."""
    if len(found.folders) == 1:
        return next(iter(found.folders.items()))
    if not found.folders:
        why = "has no log in the folders in which CloudTrail puts them: ctfast ingest makes a lake of any archive"
    else:
        why = f"has {len(found.folders)} folders of logs, and a table has one: name {listed(found.folders)}"
    message = f"source {quoted(found.root)} {why}"
    raise ArgumentError(message, "source", found.root, None, "ddl")
