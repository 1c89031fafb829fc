"""Where the files of a lake are: they are written once under their names, and never changed."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import NamedTuple

from ctfast import _ctfast
from ctfast._new_file import locked, written
from ctfast._scan.part import keys_path, renew

__all__ = ["File", "Folder", "Store"]


class File(NamedTuple):
    """A file of a store."""

    path: str
    #: When it was written or renewed, in seconds since 1970.
    modified: float


class Store(ABC):
    """The files of a lake, by their paths relative to its root.

    Parquet files are read and written on the disk, in :attr:`folder`: :meth:`fetch` brings a file there, and
    :meth:`publish` brings one from there to where others see it.
    """

    #: Where files are on the disk.
    folder: Path
    #: How deltalake and Polars reach the files.
    options: Mapping[str, str]

    @abstractmethod
    def __str__(self) -> str:
        """Return the root, as users name it."""

    def at(self, path: str) -> str:
        """Return where a file is, as users name it."""
        return f"{self}/{path}"

    @abstractmethod
    def create(self) -> None:
        """Prepare the root to be written to."""

    @abstractmethod
    def fetch(self, path: str) -> Path:
        """Return where the content of a file is on the disk: FileNotFoundError, now or there, if it is gone."""

    @abstractmethod
    def publish(self, path: str) -> None:
        """Make a file of :attr:`folder` part of the store, durably."""

    @abstractmethod
    def put(self, path: str, content: bytes) -> None:
        """Write a file whose name tells its content; one that is there is renewed, so that no sweep takes it as old."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return the content of a file; FileNotFoundError if there is none."""

    @abstractmethod
    def size(self, path: str) -> int:
        """Return how many bytes a file has; FileNotFoundError if there is none."""

    @abstractmethod
    def files(self, prefix: str) -> Iterator[File]:
        """Yield the files whose paths begin with this, in any order."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""

    @abstractmethod
    def remove_leftovers(self, prefix: str) -> None:
        """Remove what killed runs have left of files without a name, in the folders that begin with this."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Wait until no other process has the store locked, and lock it until the block ends."""

    @abstractmethod
    def sync(self, path: str) -> None:
        """Wait until a file that deltalake has written is on the disk."""

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        with suppress(FileNotFoundError):
            self.size(path)
            return True
        return False

    def fetch_part(self, path: str) -> None:
        """Bring a part and its keys to the disk."""
        for name in (path, keys_path(path)):
            self.fetch(name)

    def publish_part(self, path: str) -> None:
        """Make a part that is on the disk part of the store, its keys first: none is there without them."""
        for name in (keys_path(path), path):
            self.publish(name)

    def remove_part(self, path: str) -> None:
        """Remove a part and its keys."""
        for name in (path, keys_path(path)):
            self.remove(name)


class Folder(Store):
    """A folder on a disk, which may be shared."""

    options: Mapping[str, str] = {}

    def __init__(self, root: Path) -> None:
        self.folder = root

    def __str__(self) -> str:
        """Return its path."""
        return str(self.folder)

    def create(self) -> None:
        """Make the folder."""
        _ctfast.make_folders(self.folder)

    def fetch(self, path: str) -> Path:
        """Return the file itself, whether it is there or not."""
        return self.folder / path

    def publish(self, path: str) -> None:
        """Do nothing: a file is part of the store once it has its name."""

    def put(self, path: str, content: bytes) -> None:
        """Write a file, or renew it."""
        place = self.folder / path
        _ctfast.make_folders(place.parent)
        try:
            with written(place, replace=False) as file:
                file.write(content)
        except FileExistsError:
            renew(place)

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return (self.folder / path).read_bytes()

    def size(self, path: str) -> int:
        """Return how many bytes a file has."""
        return (self.folder / path).stat().st_size

    def files(self, prefix: str) -> Iterator[File]:
        """Yield the files whose paths begin with this, in any order."""
        parent, slash, begin = prefix.rpartition("/")
        with suppress(FileNotFoundError), os.scandir(self.folder / parent) as entries:
            for entry in entries:  # what is removed meanwhile is not there
                path = f"{parent}{slash}{entry.name}"
                if not entry.name.startswith(begin):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self.files(f"{path}/")
                elif entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        yield File(path, entry.stat().st_mtime)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        (self.folder / path).unlink(missing_ok=True)

    def remove_leftovers(self, prefix: str) -> None:
        """Remove what killed runs have left of files without a name."""
        parent, _, begin = prefix.rpartition("/")
        for folder in (self.folder / parent).glob(f"{begin}*/"):
            _ctfast.remove_leftovers(folder)

    def locked(self) -> AbstractContextManager[None]:
        """Lock the folder."""
        return locked(self.folder)

    def sync(self, path: str) -> None:
        """Wait until a file and its entry in the folder are on the disk."""
        place = self.folder / path
        for each in (place, place.parent):
            descriptor = os.open(each, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
